//! Which words each item has, in a file that outlives the search (`--index`): later searches open only items that may be found.
//!
//! The file rules items out, and nothing else: whatever it leaves is looked at as without it, so a search finds the same. An item
//! of which something could not be read or may be wrong is not in it: each search looks at it anew, and tells.
//!
//! Behind a head (key, bytes of records, checksum of these) there is a record for each item, in no order: its node, and for
//! each word and the place where it stands a number, which another word may have as well. All records are read for each
//! query, in one pass that takes no memory; with another key, another length or another checksum the file counts as none.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::fs::File;
use std::hash::Hasher;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

use twox_hash::XxHash3_64;

use super::pattern::{Pattern, each_word};
use super::query::{Answer, Condition, Place, Query};
use crate::bytes::{u32_at, u64_at};
use crate::ndb::{NodeId, NodeType};
use crate::tree::Ino;

/// What the words of items come from: the data file, the options, the program.
pub type Key = [u8; KEY];

const KEY: usize = 32;
/// Key, bytes of all records, their checksum.
const HEAD: usize = KEY + 2 * size_of::<u64>();
/// Node; count of numbers, and in bit 0 whether something attached was not looked into.
const RECORD_HEAD: usize = 2 * size_of::<u32>();
/// Bytes of the number of a word.
const NUMBER: usize = 3;
const NUMBER_MASK: u64 = (1 << (8 * NUMBER)) - 1;
/// Numbers of an item: one with more is not in the file.
const MAX_NUMBERS: usize = 20_000;
/// Nodes with a higher index are not in the file: what is known of the others takes 2 MB.
const MAX_INDEX: u32 = 1 << 24;
/// Bytes that are read or written at a time.
const BUFFER: usize = 1 << 20;
/// Places that words stand at; those that a query may name beside them stand for several.
const PLACES: [Place; 10] = [
    Place::From,
    Place::To,
    Place::Cc,
    Place::Bcc,
    Place::Subject,
    Place::Body,
    Place::Attachment,
    Place::Category,
    Place::Id,
    Place::Anywhere,
];

/// The number of `word` at `place`.
fn number(place: Place, word: &str) -> u32 {
    let hash = XxHash3_64::oneshot_with_seed(place as u64, word.as_bytes());
    (hash & NUMBER_MASK) as u32
}

/// The words of an item and where they stand.
#[derive(Debug, Default)]
pub(super) struct Words {
    numbers: BTreeSet<u32>,
    /// Whether something attached was not looked into, in which any word may be.
    pub has_unseen: bool,
}

impl Words {
    /// Adds those of `text`, which is folded.
    pub fn add(&mut self, place: Place, text: &str) {
        each_word(text, |word| {
            if self.numbers.len() <= MAX_NUMBERS {
                self.numbers.insert(number(place, word));
            }
        });
    }

    /// The record of item `nid`; None if it has too many words or is not of a kind that is kept.
    pub fn record(&self, nid: NodeId) -> Option<Vec<u8>> {
        place_of(nid)?;
        let count = u32::try_from(self.numbers.len())
            .ok()
            .filter(|count| *count as usize <= MAX_NUMBERS)?;
        let head = [nid.0, count << 1 | u32::from(self.has_unseen)];
        let mut record = head.map(u32::to_le_bytes).concat();
        let numbers = self.numbers.iter().map(|number| number.to_le_bytes());
        record.extend(numbers.flat_map(|bytes| bytes.into_iter().take(NUMBER)));
        Some(record)
    }
}

/// Where `nid` is among all messages.
fn place_of(nid: NodeId) -> Option<usize> {
    let is_kept = nid.node_type() == NodeType::NORMAL_MESSAGE && nid.index() < MAX_INDEX;
    is_kept.then_some(nid.index() as usize)
}

/// The file for one data file.
#[derive(Debug)]
pub struct WordIndex {
    file: File,
    key: Key,
}

impl WordIndex {
    /// `file`, of which only what belongs to `key` counts.
    pub fn new(file: File, key: Key) -> Self {
        Self { file, key }
    }

    /// Begins the file anew; `Ok(None)` if another process is at it.
    pub(super) fn begin(&self) -> io::Result<Option<Writer<'_>>> {
        if self.file.try_lock().is_err() {
            return Ok(None);
        }
        self.file.write_all_at(&[0; HEAD], 0)?;
        (&self.file).seek(SeekFrom::Start(HEAD as u64))?;
        Ok(Some(Writer {
            index: self,
            records: BufWriter::with_capacity(BUFFER, &self.file),
            len: 0,
            checksum: XxHash3_64::new(),
        }))
    }

    /// The items that cannot fulfil `query`. A file that is not whole, or not of its key, is what `make` is for, which may write it;
    /// None if it is not whole then.
    pub fn ruled_out(&self, query: &Query, make: impl FnOnce()) -> Option<RuledOut> {
        self.read_whole(query).or_else(|| {
            make();
            self.read_whole(query)
        })
    }

    /// As [`WordIndex::ruled_out`], while no other process writes the file.
    fn read_whole(&self, query: &Query) -> Option<RuledOut> {
        self.file.try_lock_shared().ok()?;
        let ruled_out = self.read(query);
        self.file.unlock().ok();
        ruled_out
    }

    fn read(&self, query: &Query) -> Option<RuledOut> {
        let mut head = [0; HEAD];
        self.file.read_exact_at(&mut head, 0).ok()?;
        let (key, numbers) = head.split_first_chunk::<KEY>()?;
        let (len, checksum) = (u64_at(numbers, 0)?, u64_at(numbers, size_of::<u64>())?);
        if *key != self.key {
            return None;
        }
        (&self.file).seek(SeekFrom::Start(HEAD as u64)).ok()?;
        let mut records = BufReader::with_capacity(BUFFER, &self.file).take(len);
        let wanted = Wanted::of(query);
        let mut hash = XxHash3_64::new();
        let mut ruled_out = RuledOut::default();
        let mut record = [0; RECORD_HEAD];
        let mut numbers = Vec::new();
        while records.limit() > 0 {
            records.read_exact(&mut record).ok()?;
            hash.write(&record);
            let (nid, count) = (u32_at(&record, 0)?, u32_at(&record, size_of::<u32>())?);
            let (count, has_unseen) = ((count >> 1) as usize, count & 1 != 0);
            if count > MAX_NUMBERS {
                return None;
            }
            numbers.resize(count * NUMBER, 0);
            records.read_exact(&mut numbers).ok()?;
            hash.write(&numbers);
            let (numbers, _) = numbers.as_chunks::<NUMBER>();
            if wanted.answer(query, numbers, has_unseen) == Answer::No {
                ruled_out.add(NodeId(nid));
            }
        }
        (hash.finish() == checksum).then_some(ruled_out)
    }
}

/// Writes the file. Until it is at its end, the file counts as none.
pub(super) struct Writer<'a> {
    index: &'a WordIndex,
    records: BufWriter<&'a File>,
    len: u64,
    checksum: XxHash3_64,
}

impl Writer<'_> {
    /// Adds a record.
    pub fn add(&mut self, record: &[u8]) -> io::Result<()> {
        self.len += record.len() as u64;
        self.checksum.write(record);
        self.records.write_all(record)
    }

    /// Makes it count.
    pub fn end(self) -> io::Result<()> {
        let WordIndex { file, key } = self.index;
        self.records.into_inner().map_err(io::Error::from)?;
        file.set_len(HEAD as u64 + self.len)?;
        let numbers = [self.len, self.checksum.finish()].map(u64::to_le_bytes);
        file.write_all_at(&[key, numbers.as_flattened()].concat(), 0)
    }
}

/// The numbers that the conditions of a query are about.
struct Wanted<'a>(Vec<(&'a Condition, Vec<Vec<u32>>)>);

impl<'a> Wanted<'a> {
    fn of(query: &'a Query) -> Self {
        let mut wanted = Vec::new();
        query.each(&mut |condition| {
            if let Condition::Words(place, pattern) = condition {
                wanted.push((condition, ways(*place, pattern)));
            }
        });
        Self(wanted)
    }

    /// Whether an item that has these numbers fulfils `query`: no, or it must be looked at.
    fn answer(&self, query: &Query, numbers: &[[u8; NUMBER]], has_unseen: bool) -> Answer {
        let has = |number: &u32| {
            let [bytes @ .., _] = number.to_le_bytes();
            let order = |own: &[u8; NUMBER]| own.iter().rev().cmp(bytes.iter().rev());
            numbers.binary_search_by(order).is_ok()
        };
        query.answer(&mut |condition| {
            let mut wanted = self.0.iter();
            let Some((_, ways)) = wanted.find(|(own, _)| std::ptr::eq(*own, condition)) else {
                return Answer::Open;
            };
            let may_be_unseen =
                has_unseen && matches!(condition, Condition::Words(Place::Anywhere, _));
            match may_be_unseen || ways.iter().any(|words| words.iter().all(has)) {
                true => Answer::Open,
                false => Answer::No,
            }
        })
    }
}

/// For each place at which `pattern` may stand to be found at `place`, the numbers of its words there.
fn ways(place: Place, pattern: &Pattern) -> Vec<Vec<u32>> {
    let places = PLACES.into_iter().filter(|own| place.has(*own));
    let words = |own: Place| {
        let words = pattern.whole_words().iter();
        words.map(|word| number(own, word)).collect()
    };
    places.map(words).collect()
}

/// Messages of a data file that need not be looked at.
#[derive(Debug, Default)]
pub struct RuledOut {
    /// A bit for each message, by the index of its node.
    bits: Vec<u64>,
}

impl RuledOut {
    fn add(&mut self, nid: NodeId) {
        let Some(place) = place_of(nid) else {
            return;
        };
        let (word, bit) = (place / 64, place % 64);
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        if let Some(word) = self.bits.get_mut(word) {
            *word |= 1 << bit;
        }
    }

    /// Whether the file `ino` is one of them.
    pub(super) fn has(&self, ino: Ino) -> bool {
        let place = ino.message().and_then(place_of);
        place.is_some_and(|place| {
            let word = self.bits.get(place / 64);
            word.is_some_and(|word| word >> (place % 64) & 1 != 0)
        })
    }
}
