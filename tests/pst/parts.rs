//! Several files: parts of at most a size, and one for each source.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ostfs::messaging::{Folder, Store as OpenedStore};
use ostfs::ndb::NodeId;
use tempfile::TempDir;

use crate::findings;
use crate::mailbox::{File, mail, write};
use crate::mounted::ostfs;
use crate::support::*;

const MESSAGES: u64 = 120;
/// Larger than a part.
const LARGE: u64 = 3 << 20;
const PART: u64 = 1 << 20;

/// A mailbox of about 9 MB: two folders, one below the other, a large message among small ones, and a folder without any.
fn source() -> File {
    write(Format::Unicode, Crypt::Permute, |store| {
        let above = store.folder(store.ipm_subtree(), "Above");
        let below = store.folder(above, "Below");
        store.folder(above, "Nothing");
        for number in 0..MESSAGES {
            let folder = if number % 2 == 0 { above } else { below };
            let size = if number == MESSAGES / 2 {
                LARGE
            } else {
                50_000
            };
            let message = mail(&format!("Message {number}"));
            store.message(
                folder,
                message.attachment("a.bin", Payload::random(size, number)),
            );
        }
    })
}

/// Exports `files` into a new directory.
fn export(files: &[&Path], arguments: &[&str]) -> (TempDir, PathBuf) {
    let scratch = TempDir::new().unwrap();
    let target = scratch.path().join("out");
    let mut all = vec!["export", "--to", "pst"];
    all.extend(arguments);
    all.extend(files.iter().map(|file| file.to_str().unwrap()));
    let to = format!("{}/", target.display());
    all.push(&to);
    let output = ostfs(&all);
    assert!(output.status.success(), "{output:?}");
    (scratch, target)
}

/// Names in a directory.
fn names(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn opened(path: &Path) -> Arc<OpenedStore> {
    let ndb = ostfs::ndb::open(path, 1 << 20).unwrap();
    Arc::new(OpenedStore::open(ndb))
}

/// The subjects in the folders of a PST, by the names of the folders.
fn subjects(path: &Path) -> BTreeMap<String, Vec<String>> {
    let store = opened(path);
    let mut found = BTreeMap::new();
    let mut todo = vec![(String::new(), NodeId(0x8022))];
    while let Some((name, nid)) = todo.pop() {
        let folder = Folder::new(&store, nid);
        let contents = folder.contents();
        let subjects = contents.rows().map(|row| row.subject.unwrap().text);
        found.insert(name.clone(), subjects.collect());
        for below in folder.subfolders() {
            todo.push((format!("{name}/{}", below.name.unwrap()), below.nid));
        }
    }
    found
}

#[test]
fn parts_open_by_themselves_and_hold_every_item_once() {
    let file = source();
    let (_scratch, target) = export(&[&file.path], &["--split", "1M"]);
    let names = names(&target);
    assert!(names.len() > 5, "{names:?}");
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut keys = BTreeSet::new();
    for number in 1..=names.len() {
        let name = match number {
            1 => "test.pst".to_owned(),
            number => format!("test-{number}.pst"),
        };
        let path = target.join(&name);
        assert_eq!(findings(&path), [""; 0], "{name}");
        let own = subjects(&path);
        let items: usize = own.values().map(Vec::len).sum();
        let size = fs::metadata(&path).unwrap().len();
        // An item that is larger than a part is alone in one.
        assert!(
            size <= PART || items == 1 && size > LARGE,
            "{name}: {size}, {items} items"
        );
        assert!(items > 0, "{name}");
        for (folder, subjects) in own {
            all.entry(folder).or_default().extend(subjects);
        }
        keys.insert(opened(&path).record_key().to_vec());
    }
    assert_eq!(keys.len(), names.len(), "each store has a key of its own");
    let whole = subjects(&file.path);
    let without_wastebasket = |folders: &mut BTreeMap<String, Vec<String>>| {
        folders.remove("/Deleted Items");
    };
    without_wastebasket(&mut all);
    let mut whole: BTreeMap<_, _> = whole.into_iter().collect();
    without_wastebasket(&mut whole);
    assert_eq!(all, whole);
}

#[test]
fn hidden_items_count_for_the_size_of_a_part() {
    const HIDDEN: u64 = 30;
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        let folder = store.folder(store.ipm_subtree(), "Calendar");
        store.message(folder, mail("One"));
        for number in 0..HIDDEN {
            let options = Message::new("IPM.Configuration.Calendar", &format!("Options {number}"));
            let view = Payload::random(PART / 8, number);
            store.message(folder, options.attachment("view.bin", view).associated());
        }
    });
    let (_scratch, target) = export(&[&file.path], &["--split", "1M"]);
    let names = names(&target);
    assert!(names.len() as u64 > HIDDEN / 8, "{names:?}");
    let mut subjects = Vec::new();
    for name in &names {
        let path = target.join(name);
        assert_eq!(findings(&path), [""; 0], "{name}");
        let size = fs::metadata(&path).unwrap().len();
        assert!(size <= PART, "{name}: {size}");
        let store = opened(&path);
        for folder in Folder::new(&store, NodeId(0x8022)).subfolders() {
            let folder = Folder::new(&store, folder.nid);
            let rows = folder.associated_contents();
            subjects.extend(rows.rows().map(|row| {
                let message = ostfs::messaging::Message::open(&store, row.nid).unwrap();
                message.subject().unwrap().unwrap().text
            }));
        }
    }
    subjects.sort_unstable();
    let mut all: Vec<_> = (0..HIDDEN)
        .map(|number| format!("Options {number}"))
        .collect();
    all.sort_unstable();
    assert_eq!(subjects, all, "each is in one part");
}

#[test]
fn what_fits_into_one_part_is_the_file_without_parts() {
    let file = source();
    let (_one, parts) = export(&[&file.path], &["--split", "16M"]);
    let (_two, whole) = export(&[&file.path], &[]);
    assert_eq!(names(&parts), BTreeSet::from(["test.pst".to_owned()]));
    let read = |directory: &Path| fs::read(directory.join("test.pst")).unwrap();
    assert!(read(&parts) == read(&whole));
}

#[test]
fn each_source_becomes_a_file_of_its_name_in_a_directory() {
    let (one, two) = (source(), source());
    let other = two.path.with_file_name("other.ost");
    fs::rename(&two.path, &other).unwrap();
    let (_scratch, target) = export(&[&one.path, &other], &[]);
    let expected = ["other.pst", "test.pst"].map(str::to_owned);
    assert_eq!(names(&target), BTreeSet::from(expected));
    for name in names(&target) {
        assert_eq!(findings(&target.join(name)), [""; 0]);
    }
}

#[test]
fn two_sources_of_one_name_are_refused() {
    let (one, two) = (source(), source());
    let target = one.path.with_file_name("out/");
    let paths = [&one.path, &two.path, &target].map(|path| path.to_str().unwrap());
    let output = ostfs(&[&["export", "--to", "pst"], &paths[..]].concat());
    assert_eq!(output.status.code(), Some(16), "{output:?}");
    assert!(!target.exists());
}
