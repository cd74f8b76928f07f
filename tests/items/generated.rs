//! The reader against generated files: what was written is what is shown, however deep and wide the structures are.

use std::collections::BTreeMap;

use crate::support::large::{attachment_count, wide_and_long};
use crate::support::{self, Crypt, Folders, Format, Message, Options, Payload, Store};
use ostfs::tree::{Ino, Kind, Options as TreeOptions, Tree};
use tempfile::TempDir;

fn open(store: &Store) -> (TempDir, Tree) {
    open_with(store, &TreeOptions::default())
}

fn open_with(store: &Store, options: &TreeOptions) -> (TempDir, Tree) {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("store.pst");
    store.write(&file).unwrap();
    let tree = Tree::open(&file, options).unwrap();
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
        .map(|entry| (entry.name.into_owned(), entry.kind))
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
fn the_attributes_of_a_text_beside_an_item_are_work_until_somebody_has_asked_for_them() {
    let mut store = Store::new(Format::Unicode, Crypt::None);
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    store.message(inbox, Message::mail("Hello").body("world"));
    let options = TreeOptions {
        text: true,
        ..TreeOptions::default()
    };
    let (_directory, tree) = open_with(&store, &options);
    let listing = tree.directory(at(&tree, "Inbox")).unwrap();
    assert_eq!(listing.len(), 2);
    for entry in listing.entries() {
        assert!(!tree.is_attr_at_hand(entry.ino), "{}", entry.name);
        tree.attr(entry.ino).unwrap();
        assert!(tree.is_attr_at_hand(entry.ino), "{}", entry.name);
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
            .map(|entry| (entry.ino, entry.name.into_owned()))
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

#[test]
fn items_have_their_own_formats_and_a_folder_can_be_imported_in_one_go() {
    let mut store = support::sample::sample(Format::Unicode, Crypt::Permute);
    let calendar = store.folder_of(store.ipm_subtree(), "Second calendar", "IPF.Appointment");
    for number in 0..40 {
        let start = support::filetime(2024, 5, 1 + number % 28, 9, 0);
        let subject = format!("Meeting {number}");
        store.message(
            calendar,
            Message::appointment(&subject, start, start + 36_000_000_000, "Room 1"),
        );
    }
    let (_directory, tree) = open(&store);
    for (folder, extension, begin) in [
        ("Calendar", ".ics", "BEGIN:VEVENT\r\n"),
        ("Tasks", ".ics", "BEGIN:VTODO\r\n"),
        ("Journal", ".ics", "BEGIN:VJOURNAL\r\n"),
        ("Contacts", ".vcf", "BEGIN:VCARD\r\n"),
        ("Second calendar", ".ics", "BEGIN:VEVENT\r\n"),
    ] {
        let listing = tree.directory(at(&tree, folder)).unwrap();
        let mut singles = Vec::new();
        for entry in listing.entries() {
            assert!(entry.name.ends_with(extension), "{folder}/{}", entry.name);
            let text = String::from_utf8(read(&tree, entry.ino)).unwrap();
            assert_eq!(text.matches(begin).count(), 1, "{folder}/{}", entry.name);
            singles.push(text);
        }
        assert!(!singles.is_empty(), "{folder}");
        let all = at(&tree, &format!(".ostfs/import/{folder}{extension}"));
        let joined = String::from_utf8(read(&tree, all)).unwrap();
        assert_eq!(joined.matches(begin).count(), singles.len(), "{folder}");
        for uid in singles
            .iter()
            .flat_map(|text| text.lines())
            .filter(|line| line.starts_with("UID:"))
        {
            assert!(joined.contains(uid), "{folder}: {uid}");
        }
        // Pieces read at any place are those of the whole.
        for start in (0..joined.len()).step_by(313) {
            let mut piece = vec![0; 500];
            let count = tree.read_at(all, start as u64, &mut piece).unwrap();
            assert_eq!(
                piece[..count],
                joined.as_bytes()[start..(start + 500).min(joined.len())]
            );
        }
    }
    assert!(names(&tree, at(&tree, "Notes"))[0].0.ends_with(".txt"));
    let mail = TreeOptions {
        convert: ostfs::convert::Options {
            items: ostfs::convert::Items::Eml,
            ..ostfs::convert::Options::default()
        },
        ..TreeOptions::default()
    };
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("store.pst");
    store.write(&file).unwrap();
    let tree = Tree::open(&file, &mail).unwrap();
    for folder in ["Calendar", "Contacts", "Notes"] {
        let names = names(&tree, at(&tree, folder));
        assert!(
            names.iter().all(|(name, _)| name.ends_with(".eml")),
            "{names:?}"
        );
    }
}

#[test]
fn a_note_is_its_text_under_its_colour_and_categories() {
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let notes = store.folder_of(store.ipm_subtree(), "Notes", "IPF.StickyNote");
    store.message(notes, Message::sticky_note("Plain\r\nnote"));
    let mut blue = Message::sticky_note("Blue note").named_text(
        support::PS_PUBLIC_STRINGS,
        "Keywords",
        support::Value::MvStr(vec!["Home".into(), "Garden".into()]),
    );
    blue.named.retain(|((set, name), _)| {
        *set != support::PSETID_NOTE || *name != support::Name::Id(0x8B00)
    });
    store.message(notes, blue.named(support::PSETID_NOTE, 0x8B00, 0));
    let (_directory, tree) = open(&store);
    let listing = tree.directory(at(&tree, "Notes")).unwrap();
    let texts: Vec<String> = listing
        .entries()
        .map(|entry| String::from_utf8(read(&tree, entry.ino)).unwrap())
        .collect();
    assert_eq!(
        texts,
        [
            "Plain\nnote\n",
            "Color: blue\nCategories: Home, Garden\n\nBlue note\n"
        ]
    );
}
