//! The disk fails one read, by its number: whatever is asked for is right, or EIO, and right when it is asked for again.
//!
//! `OSTFS_FAULTS=whole` tries every number; else a few are drawn.

use std::path::Path;

use ostfs::tree::{Ino, Kind, Options, Tree};
use ostfs::{Error, Result};

use crate::faults::disk::{Disk, Fault, Faults};
use crate::mounted::can_mount;
use crate::support::format::PTYPE_BBT;
use crate::support::sample::sample;
use crate::support::{ALL_FORMATS, Crypt, Damage, Format, Prng};
use crate::walk::read;

const FAULTS: [Fault; 4] = [Fault::Fails, Fault::Short, Fault::Empty, Fault::Slow];
/// Numbers that are drawn of each file and fault.
const DRAWN: u64 = 8;
/// Reads of opening a file that are tried beside them.
const MOST_OF_OPENING: u64 = 24;
/// The seed of what is drawn.
const SEED: u64 = 21;
/// A cache that holds little, so that much is read more than once.
const CACHE: u64 = 1 << 20;

/// By path, what is there: the bytes of a file, where a link leads, the names in a directory.
type Truth = Vec<(String, Vec<u8>)>;

/// The directories from which all else is found; one of them is not listed.
const TOPS: [&str; 2] = ["", ".ostfs"];

fn options() -> Options {
    Options {
        cache: CACHE,
        all: true,
        ..Options::default()
    }
}

/// The inode at `path`, found a name at a time.
fn find(tree: &Tree, path: &str) -> Result<Ino> {
    let mut names = path.split('/').filter(|name| !name.is_empty());
    names.try_fold(Ino::ROOT, |above, name| {
        tree.lookup(above, name.as_ref())?.ok_or(Error::NotFound)
    })
}

/// What is at `path`; nothing for what may be another at each read.
fn content(tree: &Tree, path: &str) -> Result<Vec<u8>> {
    let ino = find(tree, path)?;
    let attr = tree.attr(ino)?;
    match attr.kind {
        Kind::Directory => {
            let listing = tree.directory(ino)?;
            let names = listing
                .entries()
                .flat_map(|entry| [entry.name, "\0".into()]);
            Ok(names.collect::<String>().into_bytes())
        }
        Kind::Symlink => tree.read_link(ino).map(String::into_bytes),
        Kind::File if attr.changing => Ok(Vec::new()),
        Kind::File => read(tree, ino),
    }
}

/// All that `tree` shows on a healthy disk.
fn truth(tree: &Tree) -> Truth {
    let mut truth = Truth::new();
    let mut todo: Vec<String> = TOPS.map(str::to_owned).to_vec();
    while let Some(path) = todo.pop() {
        let found = content(tree, &path).unwrap();
        if tree.attr(find(tree, &path).unwrap()).unwrap().kind == Kind::Directory {
            let names = std::str::from_utf8(&found).unwrap();
            let below = names.split_terminator('\0');
            todo.extend(below.map(|name| match path.as_str() {
                "" => name.to_owned(),
                path => format!("{path}/{name}"),
            }));
        }
        truth.push((path, found));
    }
    truth
}

/// Asks for everything; returns how much of it was EIO.
fn walk(tree: &Tree, truth: &Truth, what: &str) -> usize {
    let mut failed = 0;
    for (path, expected) in truth {
        match content(tree, path) {
            Ok(found) => assert!(found == *expected, "{what}: {path} is another"),
            Err(Error::Io { .. }) => failed += 1,
            Err(error) => panic!("{what}: {path}: {error}"),
        }
    }
    failed
}

/// Opens and walks a file while read number `number` has this fault, and then again.
fn with_fault(disk: &Disk, truth: &Truth, number: u64, fault: Fault, what: &str) {
    disk.set(Faults {
        one: Some((disk.reads() + number, fault)),
        ..Faults::default()
    });
    let is_harmless = matches!(fault, Fault::Short | Fault::Slow);
    let tree = match Tree::open(&disk.file, &options()) {
        Ok(tree) => tree,
        Err(error) => {
            let is_io = matches!(error, Error::Io { .. } | Error::Open { .. });
            assert!(is_io && !is_harmless, "{what}: {error}");
            Tree::open(&disk.file, &options()).unwrap()
        }
    };
    let failed = walk(&tree, truth, what);
    assert!(failed == 0 || !is_harmless, "{what}: {failed} are EIO");
    // The disk is well: whatever was EIO is there, and nothing that was made meanwhile is left.
    assert_eq!(walk(&tree, truth, what), 0, "{what}: EIO again");
}

/// The numbers below `count` to try: all of them if the environment says so, else `drawn`.
pub fn numbers(count: u64, drawn: u64, random: &mut Prng) -> Vec<u64> {
    if std::env::var_os("OSTFS_FAULTS").is_some_and(|value| value == "whole") {
        return (0..count).collect();
    }
    (0..drawn).map(|_| random.below(count)).collect()
}

fn each_read_fails_once(name: &str, file: &Path) {
    let disk = Disk::with(file);
    let tree = Tree::open(&disk.file, &options()).unwrap();
    let truth = truth(&tree);
    drop(tree);
    assert!(truth.len() > 40, "{name}: {} paths", truth.len());
    // As many as a walk takes that nothing disturbs.
    let before = disk.reads();
    let tree = Tree::open(&disk.file, &options()).unwrap();
    let opening = disk.reads() - before;
    assert_eq!(walk(&tree, &truth, name), 0);
    let reads = disk.reads() - before;
    let mut random = Prng(SEED);
    for fault in FAULTS {
        // What is read when a file is opened is kept as long as it is open.
        let first = opening.min(MOST_OF_OPENING);
        for number in (0..first).chain(numbers(reads, DRAWN, &mut random)) {
            let what = format!("{name}, read {number} of {reads}, {fault:?}");
            with_fault(&disk, &truth, number, fault, &what);
        }
    }
}

#[test]
fn one_read_that_fails_costs_no_more_than_what_was_asked_for() {
    if !can_mount() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    for (format, crypt) in ALL_FORMATS {
        let file = directory.path().join("whole");
        sample(format, crypt).write(&file).unwrap();
        each_read_fails_once(&format!("{format:?}"), &file);
    }
}

#[test]
fn one_read_that_fails_changes_nothing_of_what_a_scan_finds() {
    if !can_mount() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    for format in [Format::Unicode, Format::Ost4k] {
        let file = directory.path().join("damaged");
        let layout = sample(format, Crypt::Permute).write(&file).unwrap();
        let damage = Damage::open(&file, &layout).unwrap();
        let pages = layout.pages.iter();
        for page in pages.filter(|page| page.ptype == PTYPE_BBT) {
            damage.zero_page(*page);
        }
        each_read_fails_once(&format!("{format:?} without its tree of blocks"), &file);
    }
}
