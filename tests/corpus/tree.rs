//! The tree over real files: every folder, message and attachment that an independent reader found is shown, once, with
//! its bytes.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use crate::corpus;
use crate::phrase;
use ostfs::ltp::tags;
use ostfs::messaging::Folder;
use ostfs::ndb::NodeId;
use ostfs::tree::{Ino, Kind, Options, Part, Tree};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

/// What a walk over the whole tree finds.
#[derive(Default)]
struct Walk {
    folders: usize,
    /// Files of messages, and directories of attachments, by NID.
    messages: BTreeMap<u32, (String, Ino)>,
    attachments: BTreeMap<u32, Ino>,
}

fn open(file: &Path, all: bool) -> Tree {
    let options = Options {
        all,
        ..Options::default()
    };
    Tree::open(file, &options).unwrap()
}

fn walk(tree: &Tree) -> Walk {
    let mut found = Walk::default();
    let mut todo = vec![(Ino::ROOT, String::new())];
    while let Some((directory, path)) = todo.pop() {
        let listing = tree.directory(directory).unwrap();
        let mut names = std::collections::HashSet::new();
        for entry in listing.entries() {
            assert!(
                names.insert(entry.name.to_lowercase()),
                "{path}: {} twice",
                entry.name
            );
            assert!(
                entry.name.len() <= 200 && !entry.name.contains('/'),
                "{path}: {}",
                entry.name
            );
            assert_eq!(
                tree.lookup(directory, (*entry.name).as_ref()).unwrap(),
                Some(entry.ino)
            );
            let path = format!("{path}/{}", entry.name);
            match (entry.kind, tree.item(entry.ino)) {
                (Kind::File, Some((nid, Part::Item))) => {
                    let before = found.messages.insert(nid, (path.clone(), entry.ino));
                    assert!(
                        before.is_none(),
                        "message {nid:#x} at {before:?} and {path}"
                    );
                }
                (Kind::Directory, Some((nid, Part::Attachment))) => {
                    found.attachments.insert(nid, entry.ino);
                }
                (Kind::Directory, None) => {
                    // Within lost+found the path of a folder is there once more.
                    found.folders += usize::from(!entry.ino.is_of_lost());
                    todo.push((entry.ino, path));
                }
                (Kind::Symlink, _) => {
                    let target = tree.read_link(entry.ino).unwrap();
                    assert!(
                        resolve(tree, &path, &target).is_some(),
                        "{path} -> {target}"
                    );
                }
                other => panic!("{path}: {other:?}"),
            }
        }
    }
    found
}

/// The inode at the relative link `target` in the directory of `link`.
fn resolve(tree: &Tree, link: &str, target: &str) -> Option<Ino> {
    let mut parts: Vec<&str> = link.split('/').filter(|part| !part.is_empty()).collect();
    parts.pop();
    for part in target.split('/') {
        if part == ".." {
            parts.pop()?;
        } else {
            parts.push(part);
        }
    }
    parts
        .iter()
        .try_fold(Ino::ROOT, |at, part| tree.lookup(at, part.as_ref()).ok()?)
}

fn read(tree: &Tree, ino: Ino) -> Vec<u8> {
    let size = tree.attr(ino).unwrap().size;
    let mut bytes = vec![0; size as usize + 1];
    let read = tree.read_at(ino, 0, &mut bytes).unwrap();
    assert_eq!(read as u64, size, "{ino:?}: st_size and content");
    bytes.truncate(read);
    bytes
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Whether `attachment` is a changed instance of a series, which is in its calendar.
fn is_changed_instance(attachment: &Json) -> bool {
    attachment["embedded"]["class"] == phrase::CHANGED_INSTANCE
}

/// Compares a directory of attachments with what the independent reader found; returns how many there are.
fn check_attachments(tree: &Tree, directory: Ino, expected: &[Json], place: &str) -> usize {
    let listing = tree.directory(directory).unwrap();
    let mut hashes = Vec::new();
    let mut mails = 0;
    for entry in listing.entries().filter(|entry| entry.kind == Kind::File) {
        let bytes = read(tree, entry.ino);
        let embedded = listing.find(&format!(
            "{}.attachments",
            entry.name.trim_end_matches(".eml")
        ));
        if entry.name.ends_with(".eml") {
            mails += 1;
            assert!(
                !bytes.is_empty() || embedded.is_some(),
                "{place}: {}",
                entry.name
            );
        }
        hashes.push(hex(&bytes));
    }
    let mut count = 0;
    for attachment in expected {
        let place = format!("{place}, {}", attachment["name"]);
        count += 1;
        match attachment["kind"].as_str() {
            // It is in the calendar of its series.
            Some("msg") if is_changed_instance(attachment) => {}
            Some("msg") => {
                assert!(mails > 0, "{place}: no embedded message");
                count += check_embedded(tree, directory, &attachment["embedded"], &place);
            }
            Some(_) => {
                let hash = attachment["sha256"].as_str().unwrap();
                let at = hashes.iter().position(|found| found == hash);
                hashes.swap_remove(at.unwrap_or_else(|| panic!("{place}: not with these bytes")));
            }
            None => {}
        }
    }
    count
}

/// Finds the directory of an embedded message by the hashes in it.
fn check_embedded(tree: &Tree, directory: Ino, embedded: &Json, place: &str) -> usize {
    let expected = embedded["attachments"].as_array().unwrap();
    if expected.is_empty() {
        return 0;
    }
    let listing = tree.directory(directory).unwrap();
    let deep: Vec<_> = listing
        .entries()
        .filter(|entry| entry.kind == Kind::Directory)
        .collect();
    assert!(
        !deep.is_empty(),
        "{place}: no directory for the attachments of an embedded message"
    );
    let fits = deep
        .iter()
        .find(|entry| tree.directory(entry.ino).unwrap().len() >= expected.len());
    check_attachments(tree, fits.unwrap().ino, expected, place)
}

#[test]
fn everything_that_an_independent_reader_found_is_shown_once() {
    let (mut messages, mut attachments) = (0, 0);
    for file in corpus::files() {
        let vector = corpus::vector(&file);
        let name = vector["file"].as_str().unwrap();
        let tree = open(&file, true);
        let found = walk(&tree);
        let folders = vector["folders"].as_array().unwrap().len();
        // lost+found is there beside them; the root folder is the root itself.
        assert_eq!(found.folders, folders, "{name}: folders");
        let hidden = vector["faiMessages"].as_u64().unwrap();
        let expected = vector["allMessages"].as_array().unwrap();
        assert_eq!(
            found.messages.len() as u64,
            expected.len() as u64 + hidden,
            "{name}: messages"
        );
        for message in expected {
            let nid = u32::from_str_radix(&message["nid"].as_str().unwrap()[2..], 16).unwrap();
            let (path, ino) = &found.messages[&nid];
            let place = format!("{name}{path}");
            assert!(!read(&tree, *ino).is_empty(), "{place}");
            messages += 1;
            let listed = message["attachments"].as_array().unwrap();
            match found.attachments.get(&nid) {
                Some(directory) => {
                    attachments += check_attachments(&tree, *directory, listed, &place)
                }
                None => assert!(
                    listed.iter().all(is_changed_instance),
                    "{place}: has attachments, but no directory"
                ),
            }
        }
        let orphans = vector["orphanMessages"].as_array().unwrap().len() as u64;
        assert_eq!(tree.info().lost, orphans, "{name}: lost messages");
        // Files with a torn header or root open by recovery, which says so.
        let torn = vector["rebuiltRoots"].as_bool().unwrap();
        assert_eq!(tree.problem_count() > 0, torn, "{name}");
    }
    println!("{messages} messages, {attachments} attachments");
}

/// The ids of folders that say they are hidden (PidTagAttributeHidden), and are left out.
fn hidden_folders(tree: &Tree) -> HashSet<String> {
    let says = |nid: u32| {
        let folder = Folder::new(tree.store(), NodeId(nid));
        let hidden = folder.properties().unwrap().boolean(tags::ATTRIBUTE_HIDDEN);
        hidden.unwrap() == Some(true)
    };
    let folders = tree.info().folders.into_iter();
    let hidden = folders.filter(|folder| folder.hidden && says(folder.nid));
    hidden.map(|folder| format!("{:#x}", folder.nid)).collect()
}

#[test]
fn the_usual_view_shows_what_outlook_shows() {
    for file in corpus::files() {
        let vector = corpus::vector(&file);
        let tree = open(&file, false);
        let found = walk(&tree);
        let paths: Vec<&Json> = vector["folders"].as_array().unwrap().iter().collect();
        let subtree = tree.store().ipm_subtree();
        let top = paths
            .iter()
            .find(|folder| folder["nid"].as_str().unwrap() == format!("{:#x}", subtree.0))
            .unwrap()["path"]
            .as_str()
            .unwrap();
        // Outlook shows what is below this folder, and its own messages.
        let top = format!("{top}/");
        let shown: Vec<_> = paths
            .iter()
            .filter(|folder| format!("{}/", folder["path"].as_str().unwrap()).starts_with(&top))
            .collect();
        let rows: u64 = shown
            .iter()
            .map(|folder| folder["rows"].as_u64().unwrap_or(0))
            .sum();
        // Folders that programs use are hidden where they hold no mail.
        let hidden = hidden_folders(&tree);
        let is_hidden = |folder: &Json| {
            let path = format!("{}/", folder["path"].as_str().unwrap());
            paths.iter().any(|other| {
                let top = format!("{}/", other["path"].as_str().unwrap());
                hidden.contains(other["nid"].as_str().unwrap()) && path.starts_with(&top)
            })
        };
        let rows_of_hidden: u64 = shown
            .iter()
            .filter(|folder| is_hidden(folder))
            .map(|folder| folder["rows"].as_u64().unwrap_or(0))
            .sum();
        let left_out = shown.iter().filter(|folder| is_hidden(folder)).count();
        // What no folder lists is in lost+found.
        let orphans = vector["orphanMessages"].as_array().unwrap().len() as u64;
        assert_eq!(
            found.messages.len() as u64 + rows_of_hidden,
            rows + orphans,
            "{}: messages",
            file.display()
        );
        assert_eq!(
            found.folders + left_out,
            shown.len(),
            "{}: folders",
            file.display()
        );
        for message in vector["allMessages"].as_array().unwrap() {
            let is_mail = message["class"]
                .as_str()
                .is_some_and(|class| class.starts_with("IPM.Note"));
            let parent = paths
                .iter()
                .find(|folder| folder["nid"] == message["parent"]);
            let path = parent.map_or("", |folder| folder["path"].as_str().unwrap());
            let path = format!("{path}/");
            let nid = u32::from_str_radix(&message["nid"].as_str().unwrap()[2..], 16).unwrap();
            if is_mail && path.starts_with(&top) {
                assert!(
                    found.messages.contains_key(&nid),
                    "{}: {nid:#x}",
                    file.display()
                );
            }
        }
    }
}
