//! Messages that have lost their nodes, in real files: every leaf of the node B-tree is lost in turn, with all older
//! copies of it. What is put together from rows and blocks is byte for byte what it was, or says what is missing.

use std::collections::BTreeSet;
use std::path::Path;

use crate::corpus;
use ostfs::convert::{self, Items};
use ostfs::ndb::page::read_btree_page;
use ostfs::ndb::{BlockRef, Header, NodeId, PageType, Source};
use ostfs::tree::{Ino, Kind, Options, Tree};

/// The type of a message's node.
const NORMAL_MESSAGE: u32 = 4;

/// What has become of messages that lost their nodes.
#[derive(Debug, Default)]
struct Counts {
    lost: usize,
    /// As they were.
    right: usize,
    /// As they were, but in `lost+found` under another number: the table that listed them is lost with them.
    elsewhere: usize,
    /// With what could be found, and a problem that says so.
    partly: usize,
    /// Placeholders.
    unreadable: usize,
    wrong: Vec<String>,
}

/// Leaves of the node B-tree: those of the live tree, and all that are in the file.
struct Leaves {
    live: Vec<(u64, Vec<u32>)>,
    all: BTreeSet<u64>,
    page: usize,
}

fn leaves(file: &Path) -> Option<Leaves> {
    let source = Source::open(file).unwrap();
    let header = Header::read(&source).ok()?;
    let read =
        |at| read_btree_page(&source, header.format, &header.checksums, PageType::Nbt, at).ok();
    let mut live = Vec::new();
    let mut todo = vec![header.nbt_root];
    while let Some(at) = todo.pop() {
        let page = read(at)?;
        if page.level > 0 {
            todo.extend((0..page.len()).map(|index| page.child(index).unwrap().page));
            continue;
        }
        let nodes = (0..page.len()).map(|index| page.node(index).unwrap().nid.0);
        let messages: Vec<u32> = nodes.filter(|nid| nid & 0x1F == NORMAL_MESSAGE).collect();
        live.push((at.ib, messages));
    }
    let size = header.format.page_size;
    let places = (0..source.len()).step_by(size);
    let is_leaf = |ib: &u64| {
        let bid = ostfs::ndb::BlockId(0);
        read(BlockRef { bid, ib: *ib }).is_some_and(|page| page.level == 0)
    };
    Some(Leaves {
        live,
        all: places.filter(is_leaf).collect(),
        page: size,
    })
}

fn open(file: &Path) -> Tree {
    let options = Options {
        all: true,
        convert: convert::Options {
            items: Items::Eml,
            ..convert::Options::default()
        },
        ..Options::default()
    };
    Tree::open(file, &options).unwrap()
}

/// The file of message `nid`, with placeholders for damaged attachments.
fn text(tree: &Tree, nid: u32) -> Option<Vec<u8>> {
    let read = |ino: Ino| {
        let mut bytes = vec![0; tree.attr(ino).ok()?.size as usize];
        let mut done = 0;
        while done < bytes.len() {
            done += tree
                .read_at(ino, done as u64, &mut bytes[done..])
                .ok()
                .filter(|read| *read > 0)?;
        }
        Some(bytes)
    };
    let ino = Ino::of_message(NodeId(nid));
    read(ino).or_else(|| read(tree.replacement(ino)?))
}

/// A mail without what comes from its node.
fn lines(text: &[u8]) -> Vec<String> {
    const OF_THE_NODE: [&str; 4] = ["X-Ostfs-Node: ", "Message-ID: <ostfs-", "=_ostfs_", "UID:"];
    // Folded in many ways.
    const MADE_UP: &str = "lost;itsidhereismadeup,";
    let text = String::from_utf8_lossy(text)
        .replace('\r', "")
        .replace("\n ", " ");
    let lines = text
        .lines()
        .filter(|line| !OF_THE_NODE.iter().any(|part| line.contains(part)))
        .filter(|line| !line.replace([' ', '\\'], "").contains(MADE_UP));
    lines.map(str::to_owned).collect()
}

/// The mails in `lost+found` and below it.
fn lost_found(tree: &Tree) -> BTreeSet<Vec<String>> {
    let mut mails = BTreeSet::new();
    let mut todo = vec![
        tree.lookup(Ino::ROOT, "lost+found".as_ref())
            .unwrap()
            .unwrap(),
    ];
    while let Some(directory) = todo.pop() {
        let listing = tree.directory(directory).unwrap();
        for entry in listing.entries() {
            match entry.kind {
                Kind::Directory if !entry.name.ends_with(".attachments") => todo.push(entry.ino),
                Kind::File => {
                    let nid = entry.ino.node().unwrap();
                    mails.extend(text(tree, nid.0).map(|text| lines(&text)));
                }
                _ => {}
            }
        }
    }
    mails
}

fn count(file: &Path, counts: &mut Counts) {
    let Some(leaves) = leaves(file) else {
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let name = file.file_name().unwrap();
    let whole = open(file);
    let bytes = std::fs::read(file).unwrap();
    let live: BTreeSet<u64> = leaves.live.iter().map(|(ib, _)| *ib).collect();
    for (lost, messages) in leaves
        .live
        .iter()
        .filter(|(_, messages)| !messages.is_empty())
    {
        let mut bytes = bytes.clone();
        for ib in leaves.all.difference(&live).chain([lost]) {
            bytes[*ib as usize..][..leaves.page].fill(0);
        }
        let damaged = scratch.path().join(name);
        std::fs::write(&damaged, bytes).unwrap();
        let tree = open(&damaged);
        let elsewhere = lost_found(&tree);
        for nid in messages {
            counts.lost += 1;
            let expected = text(&whole, *nid).unwrap();
            let found = text(&tree, *nid).unwrap_or_default();
            let shown = String::from_utf8_lossy(&found);
            if found == expected {
                counts.right += 1;
            } else if shown.contains("This message could not be read") {
                match elsewhere.contains(&lines(&expected)) {
                    true => counts.elsewhere += 1,
                    false => counts.unreadable += 1,
                }
            } else if shown.contains("\nX-Ostfs-Problem:") {
                counts.partly += 1;
            } else {
                counts.wrong.push(format!("{}: {nid:#x}", file.display()));
            }
        }
    }
}

#[test]
fn a_message_without_a_node_is_what_it_was_or_says_what_is_missing() {
    let mut counts = Counts::default();
    for file in corpus::files() {
        let before = (
            counts.lost,
            counts.right,
            counts.elsewhere,
            counts.partly,
            counts.unreadable,
        );
        count(&file, &mut counts);
        println!(
            "{}: lost {}, right {}, elsewhere {}, partly {}, unreadable {}",
            file.file_name().unwrap().display(),
            counts.lost - before.0,
            counts.right - before.1,
            counts.elsewhere - before.2,
            counts.partly - before.3,
            counts.unreadable - before.4
        );
    }
    println!("{counts:?}");
    assert_eq!(counts.wrong, [""; 0]);
    if counts.lost > 0 {
        let whole = counts.right + counts.elsewhere;
        assert!(counts.right * 100 >= counts.lost * 60, "{counts:?}");
        assert!(whole * 100 >= counts.lost * 90, "{counts:?}");
    }
}
