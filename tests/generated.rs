//! The reader against generated files: what was written is what is shown, however deep and wide the structures are.

mod support;

use std::collections::BTreeMap;

use ostfs::tree::{Ino, Kind, Options as TreeOptions, Tree};
use support::large::{attachment_count, wide_and_long};
use support::{Crypt, Folders, Format, Message, Options, Payload, Store};
use tempfile::TempDir;

fn open(store: &Store) -> (TempDir, Tree) {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("store.pst");
    store.write(&file).unwrap();
    let tree = Tree::open(&file, &TreeOptions::default()).unwrap();
    (directory, tree)
}

/// The inode at a path like `Wide/Folder 001`.
fn at(tree: &Tree, path: &str) -> Ino {
    path.split('/').fold(Ino::ROOT, |at, name| {
        tree.lookup(at, name.as_ref())
            .unwrap()
            .unwrap_or_else(|| panic!("{path}: no {name}"))
    })
}

fn names(tree: &Tree, directory: Ino) -> Vec<(String, Kind)> {
    let listing = tree.directory(directory).unwrap();
    listing
        .entries()
        .map(|entry| (entry.name.to_owned(), entry.kind))
        .collect()
}

fn read(tree: &Tree, ino: Ino) -> Vec<u8> {
    let mut bytes = vec![0; tree.attr(ino).unwrap().size as usize];
    assert_eq!(tree.read_at(ino, 0, &mut bytes).unwrap(), bytes.len());
    bytes
}

#[test]
fn deep_trees_wide_folders_and_long_values_are_read_in_every_format() {
    for format in Format::ALL {
        let (_directory, tree) = open(&wide_and_long(Options::new(format, Crypt::Cyclic)));
        let inbox = names(&tree, at(&tree, "Inbox"));
        assert_eq!(inbox.len(), 1_000, "{format:?}");
        assert!(inbox.last().unwrap().0.ends_with("Message 0999.eml"));
        let wide = names(&tree, at(&tree, "Wide"));
        assert_eq!(
            wide.iter()
                .filter(|(name, _)| name.starts_with("Folder "))
                .count(),
            300
        );
        let find = |ending: &str| {
            let name = wide
                .iter()
                .find(|(name, _)| name.ends_with(ending))
                .map(|(name, _)| name);
            at(
                &tree,
                &format!("Wide/{}", name.unwrap_or_else(|| panic!("no {ending}"))),
            )
        };
        let many = find("Many attachments.attachments");
        let listing = tree.directory(many).unwrap();
        assert_eq!(listing.len(), attachment_count(format), "{format:?}");
        for (number, entry) in listing.entries().enumerate() {
            assert_eq!(entry.name, format!("file{number:04}.txt"));
            assert_eq!(
                read(&tree, entry.ino),
                format!("content of {number}").into_bytes()
            );
        }
        let long = tree
            .lookup(find("Long attachment.attachments"), "long.bin".as_ref())
            .unwrap()
            .unwrap();
        assert!(
            read(&tree, long) == Payload::random(17_000_000, 5).to_vec(),
            "{format:?}"
        );
        let crowd = String::from_utf8(read(&tree, find("Many recipients.eml"))).unwrap();
        for person in 0..500 {
            assert!(
                crowd.contains(&format!("<person{person}@crowd.example>")),
                "{format:?}: {person}"
            );
        }
        assert_eq!(tree.problem_count(), 0, "{format:?}");
    }
}

#[test]
fn every_version_number_opens() {
    for (format, version) in [
        (Format::Ansi, 14),
        (Format::Ansi, 15),
        (Format::Unicode, 21),
        (Format::Unicode, 23),
        (Format::Unicode, 37),
        (Format::UnicodeOst, 23),
        (Format::Ost4k, 36),
    ] {
        let mut options = Options::new(format, Crypt::Permute);
        options.version = Some(version);
        let mut store = Store::with(options);
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        store.message(inbox, Message::mail("Hello").body("world"));
        let (_directory, tree) = open(&store);
        assert_eq!(tree.store().ndb().header().version, version);
        let entries = names(&tree, at(&tree, "Inbox"));
        assert_eq!(entries.len(), 1, "{version}");
        assert!(entries[0].0.ends_with(" Hello.eml"));
    }
}

#[test]
fn names_are_safe_unique_and_do_not_move_when_mail_is_added() {
    let hostile = [
        "../../etc/passwd",
        "a/b",
        "c:\\d",
        "CON",
        "",
        " ",
        ".",
        "..",
        "tab\there",
        "right\u{202E}left",
        "same",
        "SAME",
        "Same",
        "\u{1}\u{1}marked",
        "nul\0inside",
    ];
    let long = "x".repeat(400);
    let mut store = Store::new(Format::Unicode, Crypt::None);
    let top = store.ipm_subtree();
    let inbox = store.folder(top, "Inbox");
    for name in hostile.iter().copied().chain([long.as_str()]) {
        store.folder(inbox, name);
        store.message(
            inbox,
            Message::mail(name)
                .body("text")
                .attachment(name, Payload::random(10, 1)),
        );
    }
    let (_directory, tree) = open(&store);
    let before: BTreeMap<Ino, String> = {
        let listing = tree.directory(at(&tree, "Inbox")).unwrap();
        listing
            .entries()
            .map(|entry| (entry.ino, entry.name.to_owned()))
            .collect()
    };
    assert_eq!(before.len(), 3 * (hostile.len() + 1));
    let mut seen = std::collections::HashSet::new();
    for name in before.values() {
        assert!(seen.insert(name.to_lowercase()), "{name} twice");
        assert!(
            name.len() <= 200 && !name.contains(['/', '\\', ':', '\0', '\t', '\u{202E}']),
            "{name:?}"
        );
        assert!(
            !name.starts_with(['.', ' ']) && !name.ends_with(['.', ' ']),
            "{name:?}"
        );
    }
    for (number, name) in hostile.iter().enumerate() {
        store.message(inbox, Message::mail(name).body(&format!("more {number}")));
    }
    let (_directory, tree) = open(&store);
    for (ino, name) in before {
        let found = tree.lookup(at(&tree, "Inbox"), name.as_ref()).unwrap();
        assert_eq!(found, Some(ino), "{name}");
    }
}
