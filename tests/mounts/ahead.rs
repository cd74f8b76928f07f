//! What is worked out before anybody asks for it: the attributes of the files that whoever looks at some will look at next.

use std::fs;
use std::num::NonZero;
use std::thread::available_parallelism;

use crate::mounted::{Mount, can_mount, ostfs, wait_until};
use crate::needs;
use crate::support::{Crypt, Folders, Format, Message, Options, Payload, Store, filetime};
use tempfile::TempDir;

const MESSAGES: usize = 60;
/// Bytes of a body, which are read to know the size of its file.
const BODY: u64 = 6_000;
/// Files that somebody looks at before more are expected: one for the listing, and less than `LOOKUPS` of `src/fuse/ahead.rs`.
const UNEXPECTED: usize = 7;
/// Files that are looked at then, each of which has two more worked out.
const EXPECTED: usize = 5;
const AHEAD: usize = 2 * EXPECTED;

/// Bytes that the process has read from files and devices so far.
fn bytes_read(mount: &Mount) -> u64 {
    let counters = fs::read_to_string(format!("/proc/{}/io", mount.process.id())).unwrap();
    let line = counters
        .lines()
        .find_map(|line| line.strip_prefix("rchar: "));
    line.unwrap().parse().unwrap()
}

#[test]
fn whoever_looks_at_files_one_by_one_finds_the_next_ones_worked_out() {
    if !can_mount() {
        return;
    }
    if available_parallelism().map_or(1, NonZero::get) == 1 {
        needs::ignored("the only core is left to whoever asks");
        return;
    }
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("mailbox.pst");
    let mut store = Store::with(Options::new(Format::Unicode, Crypt::None));
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    for number in 0..MESSAGES {
        let body = Payload::random(BODY, number as u64).to_vec();
        let body: String = body
            .iter()
            .map(|byte| char::from(b'a' + byte % 26))
            .collect();
        let message = Message::mail(&format!("Message {number}"))
            .time(filetime(2024, 5, 1, 9, number as i64))
            .body(&body);
        store.message(inbox, message);
    }
    store.write(&file).unwrap();
    let listed = ostfs(&["ls", file.to_str().unwrap(), "/Inbox"]).stdout;
    let listed = String::from_utf8(listed).unwrap();
    let names: Vec<&str> = listed
        .lines()
        .filter(|name| name.ends_with(".eml"))
        .collect();
    assert_eq!(names.len(), MESSAGES);

    let mount = Mount::new(&file, &[]);
    let inbox = mount.path.join("Inbox");
    let look_at = |names: &[&str]| {
        for name in names {
            assert!(inbox.join(name).metadata().unwrap().len() > BODY, "{name}");
        }
        bytes_read(&mount)
    };
    let (first, rest) = names.split_at(1);
    let (unexpected, rest) = rest.split_at(UNEXPECTED - 1);
    let (expected, _) = rest.split_at(EXPECTED);
    let start = look_at(first);
    let asked = look_at(unexpected) - start;
    let each = asked / unexpected.len() as u64;
    assert!(each >= BODY, "{each}: not even the bodies were read");
    look_at(expected);
    // Reading of the next ones goes on although nobody asks.
    let own = asked + each * EXPECTED as u64;
    let ahead = BODY * (AHEAD as u64 - 1);
    wait_until("the next files are worked out", || {
        bytes_read(&mount) >= start + own + ahead
    });
}
