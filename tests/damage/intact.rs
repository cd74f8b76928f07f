//! A written file with B-trees of several levels, and what it showed before a test damages it.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ostfs::ndb::{Recover, Watch, open_with};
use parking_lot::Mutex;

use crate::mailbox::{self, File};
use crate::support::*;
use crate::walk::{Files, Walked, everything, open, problems};

/// Entries of a page: few, so that small files have B-trees of several levels.
pub const FANOUT: usize = 6;
/// Bound of the caches, in bytes.
const CACHE: u64 = 1 << 20;

pub struct Intact {
    file: File,
    pub inbox: u32,
    /// Nodes of the messages, in the order in which they were written.
    pub messages: Vec<u32>,
    /// What the file shows.
    pub whole: Files,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Deref for Intact {
    type Target = File;

    fn deref(&self) -> &File {
        &self.file
    }
}

pub fn options(format: Format, crypt: Crypt) -> Options {
    let mut options = Options::new(format, crypt);
    options.compress = false;
    options.fanout = Some(FANOUT);
    options
}

/// A message that differs from those of other numbers in every part.
pub fn message(number: u32) -> Message {
    Message::mail(&format!("Message {number}"))
        .from("Ann Adams", "ann@north.example")
        .to(&format!("Bob {number}"), "bob@north.example")
        .time(filetime(2024, 5, 1, 9, i64::from(number)))
        .body(&format!("Text {number}\r\n"))
        .attachment("data.bin", Payload::random(9_000, u64::from(number)))
}

/// Puts an inbox with `messages` into `store`; returns its node and theirs.
pub fn fill_inbox(
    store: &mut Store,
    messages: impl IntoIterator<Item = Message>,
) -> (u32, Vec<u32>) {
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    let nodes = messages
        .into_iter()
        .map(|message| store.message(inbox, message));
    (inbox, nodes.collect())
}

/// Runs `test` with a file of each format, as `file` makes it.
pub fn for_each_format(file: impl Fn(Format, Crypt) -> Intact, test: impl Fn(Intact)) {
    for (format, crypt) in ALL_FORMATS {
        test(file(format, crypt));
    }
}

/// What is told while a file is opened.
#[derive(Default)]
pub struct Told {
    pub lines: Vec<String>,
    /// How often the file was gone through from its beginning to its end.
    pub passes: usize,
    /// Whether any part of it was gone through.
    pub is_scanned: bool,
}

#[derive(Default)]
struct Listener {
    lines: Mutex<Vec<String>>,
    passes: AtomicUsize,
    is_scanned: AtomicBool,
}

impl Watch for Listener {
    fn progress(&self, done: u64, total: u64) {
        self.is_scanned.store(true, Ordering::Relaxed);
        let is_end = usize::from(done == total);
        self.passes.fetch_add(is_end, Ordering::Relaxed);
    }

    fn problem(&self, line: String) {
        self.lines.lock().push(line);
    }
}

impl Intact {
    /// Writes a file of what `fill` puts into it; it returns the node of the inbox and those of its messages.
    pub fn write(options: Options, fill: impl FnOnce(&mut Store) -> (u32, Vec<u32>)) -> Intact {
        let mut nodes = None;
        let file = mailbox::write_with(options, |store| nodes = Some(fill(store)));
        let (inbox, messages) = nodes.expect("it was filled");
        let whole = everything(&open(&file.path).unwrap()).files;
        assert!(whole.len() >= messages.len());
        let bytes = std::fs::read(&file.path).unwrap();
        Intact {
            file,
            inbox,
            messages,
            whole,
            bytes,
        }
    }

    /// What a walk meets, and the lines of `problems.txt` after it.
    pub fn walked(&self) -> (Walked, String) {
        let tree = open(&self.path).unwrap();
        let walked = everything(&tree);
        (walked, problems(&tree))
    }

    /// It shows exactly what it showed when it was whole, and says that something is wrong.
    pub fn shows_everything(&self) {
        let (walked, problems) = self.walked();
        assert_eq!(walked.failed, [""; 0]);
        assert_eq!(
            walked.files.keys().collect::<Vec<_>>(),
            self.whole.keys().collect::<Vec<_>>()
        );
        assert!(walked.files == self.whole, "other bytes");
        assert!(!problems.is_empty(), "nothing was said");
    }

    /// Opens the file. What that leads to is tested by what it shows.
    pub fn told(&self) -> Told {
        let listener = Arc::new(Listener::default());
        let watch = Arc::clone(&listener);
        open_with(&self.path, CACHE, Recover::Auto, watch).ok();
        Told {
            lines: listener.lines.lock().clone(),
            passes: listener.passes.load(Ordering::Relaxed),
            is_scanned: listener.is_scanned.load(Ordering::Relaxed),
        }
    }
}
