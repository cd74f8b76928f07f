//! Names are one file each wherever they are copied to, and come back from there as they are.
//!
//! Which names a file system takes for one is asked of ICU here, which the program does not use for it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use icu_casemap::CaseMapper;
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;
use ostfs::tree::Kind;
use unicode_normalization::UnicodeNormalization;

use crate::mailbox::mailbox;
use crate::runner::holds;
use crate::shown::{Picture, open, picture, ways};

/// What a file system makes of a name before it compares.
type Folding = fn(&str) -> String;

/// How file systems fold names, each a little stricter than it is.
const FOLDINGS: [(&str, Folding); 6] = [
    ("FAT with ASCII alone", |name| name.to_ascii_uppercase()),
    ("NTFS and exFAT", simple_upper_case),
    ("SMB clients", |name| name.to_lowercase()),
    ("HFS+", |name| {
        name.nfd()
            .collect::<String>()
            .to_lowercase()
            .nfd()
            .collect()
    }),
    ("APFS", caseless),
    ("ext4 with casefold", |name| {
        let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
        let seen = |character: &char| !ignorable.contains(*character);
        caseless(&name.nfd().filter(seen).collect::<String>())
    }),
];

/// A character at a time, as a table has it.
fn simple_upper_case(name: &str) -> String {
    let cases = CaseMapper::new();
    name.chars()
        .map(|character| cases.simple_uppercase(character))
        .collect()
}

/// Canonical caseless form. Unicode 3.13, D145
fn caseless(name: &str) -> String {
    let decomposed: String = name.nfd().collect();
    let folded = CaseMapper::new().fold_string(&decomposed).into_owned();
    folded.nfd().collect()
}

/// No path has more bytes or UTF-16 units in a part: ext4, NTFS.
const LONGEST: usize = 255;

/// The names in each directory, by its path.
fn directories(picture: &Picture) -> BTreeMap<&str, Vec<&str>> {
    let directories = picture
        .iter()
        .filter(|(_, shown)| shown.kind == Kind::Directory);
    let names = |content| -> Vec<&str> {
        let text = std::str::from_utf8(content).unwrap();
        text.split_terminator('\0').collect()
    };
    directories
        .map(|(path, shown)| (path.as_str(), names(&shown.content)))
        .collect()
}

#[test]
fn names_are_unique_under_every_folding_and_survive_a_round_trip() {
    holds("names", 60, mailbox(12), |mailbox| {
        let (_directory, file) = mailbox.written();
        for options in ways() {
            let picture = picture(&open(&file, &options));
            for (path, names) in directories(&picture) {
                are_unique(path, &names);
                survive(path, &names);
            }
        }
    });
}

fn are_unique(path: &str, names: &[&str]) {
    for (file_system, folding) in FOLDINGS {
        let mut seen = BTreeMap::new();
        for name in names {
            if let Some(other) = seen.insert(folding(name), name) {
                panic!("{path}: {file_system} takes {other:?} and {name:?} for one");
            }
        }
    }
}

/// On disk a name is what it is; and where a file system composes or decomposes it, it is found all the same.
fn survive(path: &str, names: &[&str]) {
    let disk = tempfile::tempdir().unwrap();
    for name in names {
        assert!(name.len() <= LONGEST, "{path}: {name:?}");
        assert_eq!(name.nfc().collect::<String>(), *name, "{path}");
        fs::write(disk.path().join(name), name).unwrap();
    }
    let mut listed = fs::read_dir(disk.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect::<Vec<_>>();
    listed.sort();
    let mut names = names.to_vec();
    names.sort();
    assert_eq!(listed, names, "{path}");
    for name in names {
        assert_eq!(
            fs::read_to_string(disk.path().join(Path::new(name))).unwrap(),
            name
        );
    }
}
