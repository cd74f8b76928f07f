//! What stands in place of an item that cannot be read: a file of its kind, made of what its row in the contents table
//! says, and in `lost+found` as in the folders.

use crate::mailbox::{self, FORMATS, mail, write};
use crate::support::*;
use crate::walk::{Walked, everything, open, problems, read};
use ostfs::tree::{Damaged, Ino, Kind, Options, Tree};

/// An item of each kind, the name of its file, and what its row tells.
fn items() -> [(Message, &'static str, &'static [&'static str]); 5] {
    let (start, end) = (filetime(2024, 6, 3, 10, 0), filetime(2024, 6, 3, 11, 0));
    let received = |message: Message| message.time(filetime(2024, 5, 1, 9, 0));
    [
        (
            mail("Numbers"),
            "2024-05-01 0900 Numbers.eml",
            &[
                "\nSubject: Numbers\n",
                "From: Ann Adams",
                "\nX-Ostfs-Problem: ",
            ],
        ),
        (
            received(Message::appointment("Lunch", start, end, "Canteen")),
            "2024-05-01 0900 Lunch.ics",
            &["\nBEGIN:VEVENT\n", "\nSUMMARY:Lunch\n", "\nX-OSTFS-PROBLEM"],
        ),
        (
            received(Message::contact("Jane", "Doe", "jane@doe.example")),
            "Jane Doe.vcf",
            &["\nFN:Jane Doe\n", "\nX-OSTFS-PROBLEM"],
        ),
        (
            received(Message::task("Paint", start, end, 0.5)),
            "2024-05-01 0900 Paint.ics",
            &["\nSUMMARY:Paint\n", "\nX-OSTFS-PROBLEM"],
        ),
        (
            received(Message::sticky_note("Door code")),
            "2024-05-01 0900 Door code.txt",
            &["Door code", "X-OSTFS-PROBLEM: "],
        ),
    ]
}

#[test]
fn an_item_that_cannot_be_read_is_a_file_of_its_kind_that_says_so() {
    for (format, crypt) in FORMATS {
        let mut nids = Vec::new();
        let file = write(format, crypt, |store| {
            let folder = store.folder(store.ipm_subtree(), "Things");
            nids.extend(items().map(|(message, ..)| store.message(folder, message)));
        });
        let whole = file.walk();
        // When an appointment takes place, its own properties alone tell.
        let known = |name: &String| name.replace("2024-06-03 1000 Lunch", "2024-05-01 0900 Lunch");
        let mut names: Vec<String> = whole.files.keys().map(known).collect();
        names.sort();
        let damage = file.damage();
        for nid in &nids {
            let node = file.layout.node(*nid);
            for block in damage.leaves(node.data) {
                damage.zero_block(block);
            }
            if node.sub != 0 {
                damage.zero_block(node.sub);
            }
        }
        let Walked { files, failed, .. } = file.walk();
        assert_eq!(failed, [""; 0], "{format:?}");
        assert_eq!(
            files.keys().cloned().collect::<Vec<_>>(),
            names,
            "{format:?}"
        );
        for (_, name, parts) in items() {
            let text = String::from_utf8_lossy(&files[&format!("/Things/{name}")]).into_owned();
            let text = text.replace("\r\n", "\n");
            for part in parts {
                assert!(text.contains(part), "{format:?}, {part:?} is not in {text}");
            }
        }
        let tree = open(&file.path).unwrap();
        _ = everything(&tree);
        let problems = problems(&tree);
        for nid in nids {
            let line = format!("message {nid:#x}: ");
            assert!(problems.contains(&line), "{format:?}: {problems}");
        }
    }
}

#[test]
fn a_file_that_takes_the_place_of_another_costs_no_new_listing() {
    let mut nid = 0;
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        let folder = store.folder(store.ipm_subtree(), "Folder");
        store.message(folder, mail("Whole"));
        let message = mail("Damaged").attachment("a.bin", Payload::random(100_000, 3));
        nid = store.message(folder, message);
    });
    file.damage().flip_attachment(nid, 0);
    let tree = open(&file.path).unwrap();
    let folder = tree.lookup(Ino::ROOT, "Folder".as_ref()).unwrap().unwrap();
    let listing = tree.directory(folder).unwrap();
    let damaged = |listing: &ostfs::tree::Directory| {
        let entries = listing.entries();
        let damaged = entries.filter(|entry| entry.name.ends_with("Damaged.eml"));
        damaged.map(|entry| entry.ino).collect::<Vec<_>>()
    };
    let first = damaged(&listing);
    read(&tree, first[0]).unwrap();
    let again = tree.directory(folder).unwrap();
    assert!(std::sync::Arc::ptr_eq(&listing, &again), "it was made anew");
    assert_ne!(damaged(&again), first);
    assert_eq!(damaged(&again), [tree.replacement(first[0]).unwrap()]);
}

#[test]
fn a_lost_message_with_a_damaged_attachment_is_replaced_under_the_path_of_its_folder() {
    for (format, crypt) in FORMATS {
        let (file, inbox) = mailbox::mailbox(format, crypt);
        let damage = file.damage();
        let lost = mailbox::MESSAGE;
        damage.unlist(inbox, lost);
        damage.flip_block(damage.leaves(damage.attachment_data(lost, 0))[1], 50);
        let options = Options {
            damaged: Damaged::Refuse,
            ..Options::default()
        };
        let tree = Tree::open(&file.path, &options).unwrap();
        let find = |directory: Ino, name: &str| {
            let found = tree.lookup(directory, name.as_ref()).unwrap();
            found.unwrap_or_else(|| panic!("{format:?}: no {name}"))
        };
        let folder = find(find(Ino::ROOT, "lost+found"), "Inbox");
        let name = "2024-05-01 0900 first.eml";
        let first = find(folder, name);
        assert!(read(&tree, first).is_err(), "{format:?}: nothing failed");
        // From then on another file is there, under the same name.
        let replacement = tree.replacement(first).unwrap();
        assert_eq!(find(folder, name), replacement, "{format:?}");
        assert_eq!(
            tree.place_of_replaced(first),
            Some((folder, name.to_owned()))
        );
        let listing = tree.directory(folder).unwrap();
        let mails = listing.entries().filter(|entry| entry.kind == Kind::File);
        assert_eq!(mails.count(), 1, "{format:?}");
        let text = String::from_utf8(read(&tree, replacement).unwrap()).unwrap();
        for part in [
            "Subject: first",
            "X-Ostfs-Problem: ",
            "large.bin",
            "small.bin",
        ] {
            assert!(text.contains(part), "{format:?}, {part}: {text}");
        }
        assert!(
            problems(&tree).contains(&format!("{lost:#x}")),
            "{format:?}"
        );
    }
}
