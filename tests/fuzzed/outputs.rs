//! What the writers make of a store, whatever is in it: a new PST is one without a fault, and tar and mbox are what their formats
//! say, so that nothing in an item is taken for the beginning of another.

use std::path::Path;
use std::sync::Arc;

use ostfs::cli;
use ostfs::tree::Options;

use super::image::Image;
use super::{promises, store};

/// The choice that takes hidden items too, as `tree` has it.
const ALL: u32 = 0;
/// Of a header of tar: its size, and where its name, size, checksum and kind are.
const HEADER: usize = 512;
const SIZE: std::ops::Range<usize> = 124..136;
const CHECKSUM: std::ops::Range<usize> = 148..156;
/// What begins a message in an mbox, and ends its time: `Thu Jan  1 00:00:00 1970`.
const FROM: &[u8] = b"From ";
const TIME: usize = 24;

pub fn run(data: &[u8]) {
    let image = Image::parse(data);
    let source = store::write(&image);
    let directory = tempfile::tempdir().expect("a directory");
    let export = |form: &str| {
        let target = directory.path().join(form);
        let options = format!(
            "sandbox=off{}",
            if image.chooses(ALL) { ",all" } else { "" }
        );
        let words = ["ostfs", "export", "--to", form, "-o", &options].map(Into::into);
        let ends = [&source.path, &target].map(Into::into);
        if let Err(failure) = cli::run(words.into_iter().chain(ends).collect()) {
            let line = failure.message;
            assert!(!line.contains('\n'), "{form}: {line:?}");
        }
        target
    };
    pst(&export("pst"));
    if let Ok(bytes) = std::fs::read(export("tar")) {
        tar(&bytes);
    }
    if let Ok(bytes) = std::fs::read(export("mbox")) {
        mbox(&bytes);
    }
}

/// A file that is there is whole: an export that does not end well leaves none.
fn pst(path: &Path) {
    if !path.exists() {
        return;
    }
    let report = ostfs::check::check(path, Arc::new(|_, _, _| {})).expect("what was written opens");
    assert_eq!(report.errors, 0, "{:#?}", report.findings);
    let options = Options {
        all: true,
        ..Options::default()
    };
    assert!(promises::walk(path, &options).is_some(), "it opens");
}

/// Headers with right checksums one behind the other, and two empty ones at the end (POSIX.1-2024, pax).
fn tar(bytes: &[u8]) {
    let mut at = 0;
    loop {
        let header = bytes.get(at..at + HEADER).expect("a header");
        if header.iter().all(|byte| *byte == 0) {
            let end = &bytes[at..];
            assert!(end.len() >= 2 * HEADER, "two empty headers at the end");
            assert!(end.iter().all(|byte| *byte == 0), "nothing behind the end");
            return;
        }
        let sum: u64 = header
            .iter()
            .enumerate()
            .map(|(place, byte)| match CHECKSUM.contains(&place) {
                true => u64::from(b' '),
                false => u64::from(*byte),
            })
            .sum();
        assert_eq!(number(&header[CHECKSUM]), sum, "at {at}");
        at += HEADER + (number(&header[SIZE]) as usize).next_multiple_of(HEADER);
    }
}

/// A number in octal digits; files of a fuzzer are small.
fn number(field: &[u8]) -> u64 {
    let text = std::str::from_utf8(field).expect("digits");
    let digits = text.trim_matches(['\0', ' ']);
    u64::from_str_radix(digits, 8).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// Each line `From ` begins a message: it is the first line or follows an empty one, and has an address and a time (RFC 4155).
fn mbox(bytes: &[u8]) {
    let mut above: &[u8] = b"\n";
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(FROM) {
            assert_eq!(above, b"\n", "an empty line in front of a message");
            let text = std::str::from_utf8(line)
                .expect("ASCII")
                .trim_end_matches('\n');
            let place = text.len().checked_sub(TIME + 1).expect("a time");
            let (sender, time) = text.split_at(place);
            let sender = &sender[FROM.len()..];
            assert!(
                !sender.is_empty() && sender.bytes().all(|byte| byte.is_ascii_graphic()),
                "{text:?}"
            );
            jiff::fmt::strtime::parse(" %a %b %e %H:%M:%S %Y", time)
                .unwrap_or_else(|error| panic!("{text:?}: {error}"));
        }
        above = line;
    }
    assert!(
        bytes.is_empty() || bytes.starts_with(FROM),
        "a message at the beginning"
    );
    assert_eq!(above, b"\n", "an empty line at the end");
}
