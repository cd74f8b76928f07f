//! Makes the file of which words each item has (`--index`).
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use jiff::Zoned;

use super::attached::{Means, PdfReader, Unseen};
use super::found::{Candidate, Missed};
use super::opened::{Around, Opened};
use super::query::{Place, Query};
use super::run::Search;
use super::word_index::{WordIndex, Words};
use crate::export::Filter;
use crate::ndb::whole;
use crate::tree::{Depth, Forest, Ino};

/// Records that wait to be written.
const QUEUE: usize = 64;

/// What is indexed.
pub struct Indexing<'a> {
    /// Where the file is, and perhaps others.
    pub forest: &'a Forest,
    /// The root of its tree there.
    pub top: Ino,
    /// The time, in the zone in which days begin.
    pub now: &'a Zoned,
    /// How many items are read at the same time.
    pub threads: usize,
    /// Who reads PDF files.
    pub pdf: Option<&'a dyn PdfReader>,
}

impl Indexing<'_> {
    /// Reads all items and writes their words to `index`; `count` goes up with each. An item of which something cannot be read is
    /// left out, and each search looks at it anew. While another process writes the file, nothing is done.
    ///
    /// # Errors
    ///
    /// Those of writing the file, which then counts as none.
    pub fn write(&self, index: &WordIndex, count: &AtomicU64) -> io::Result<()> {
        let Some(mut writer) = index.begin()? else {
            return Ok(());
        };
        self.forest.will_read_all(Depth::All);
        let every_item = Query::All(Vec::new());
        let search = Search {
            forest: self.forest,
            top: self.top,
            query: &every_item,
            filter: Filter::default(),
            now: self.now.clone(),
            threads: self.threads,
            lines: None,
            // Each is opened for its record, and not before.
            reads: Some(Depth::All),
            named: false,
            pdf: self.pdf,
            ruled_out: BTreeMap::new(),
        };
        let (sender, receiver) = sync_channel::<Vec<u8>>(QUEUE);
        thread::scope(|scope| {
            let written = thread::Builder::new().spawn_scoped(scope, move || {
                for record in receiver {
                    writer.add(&record)?;
                }
                writer.end()
            })?;
            let make = |candidate: &Candidate<'_>| {
                // What lacks something because a disk did not answer must not be kept.
                let record = whole(|| Ok(self.record(candidate)));
                match record.ok().flatten() {
                    // Where the disk is full, nobody receives it.
                    Some(record) => sender.send(record).is_ok(),
                    None => true,
                }
            };
            let searched = search.run(&Missed::default(), make, |found| {
                count.fetch_add(1, Ordering::Relaxed);
                found.made
            });
            drop(sender);
            let written = written.join();
            searched?;
            written.unwrap_or_else(|_| Err(io::Error::other("the thread that writes has panicked")))
        })
    }

    /// The record of an item; None if something of it cannot be read, or it has no place in the file.
    fn record(&self, candidate: &Candidate<'_>) -> Option<Vec<u8>> {
        let nid = candidate.ino.message()?;
        let message = self.forest.message(candidate.ino).ok()?;
        let unseen = Unseen::default();
        let around = Around {
            converter: self.forest.converter(candidate.ino)?,
            now: self.now,
            places: &[Place::Anywhere, Place::Id],
            means: Means {
                pdf: self.pdf,
                unseen: &unseen,
            },
        };
        let mut words = Words::default();
        let mut add = |place, text: &str| words.add(place, text);
        if let Some(listed) = candidate.listed {
            listed.each_text(&mut add);
        }
        let mut opened = Opened::new(&around, &message);
        opened.each_text(&mut add);
        let is_whole = candidate.is_table_whole()
            && opened.problems().all(|problems| problems.list().is_empty());
        words.has_unseen = unseen.number() > 0;
        // Of S/MIME in one piece it is the body that was not looked into.
        let is_body_seen = !(words.has_unseen && message.class().is_smime);
        (is_whole && is_body_seen)
            .then(|| words.record(nid))
            .flatten()
    }
}
