//! What was deleted and still lies in the file: `-o deleted`. Files of our own writer, in all formats, and real ones.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::corpus;
use crate::intact::{Intact, fill_inbox, for_each_format, options};
use crate::support::format::PTYPE_NBT;
use crate::support::*;
use crate::walk::{Walked, everything, open, problems};
use ostfs::tree::{Options as TreeOptions, Tree};

const MESSAGES: u32 = 12;
/// A search that takes so long on the busiest machine does not end.
const ENDLESS: std::time::Duration = std::time::Duration::from_secs(600);
const DELETED: &str = "/lost+found/deleted";

fn showing_deleted() -> TreeOptions {
    TreeOptions {
        deleted: true,
        ..TreeOptions::default()
    }
}

fn with_deleted(path: &Path) -> Walked {
    everything(&Tree::open(path, &showing_deleted()).unwrap())
}

fn message(number: u32) -> Message {
    Message::mail(&format!("Message {number}"))
        .from("Ann Adams", "ann@north.example")
        .to("Bob", "bob@north.example")
        .message_id(&format!("<{number}@north.example>"))
        .time(filetime(2024, 5, 1, 9, i64::from(number)))
        .body(&format!("Text {number}\r\n").repeat(1000))
        .attachment("data.bin", Payload::random(30_000, u64::from(number)))
        .embed(Message::mail("Inner").body(&"Words. ".repeat(3000)))
}

/// Twelve messages, the last two with one Message-ID, in a folder without a contents table.
fn file(format: Format, crypt: Crypt) -> Intact {
    let copy = message(MESSAGES - 2).subject("Moved").body("Changed\r\n");
    let messages = (0..MESSAGES - 1).map(message).chain([copy]);
    let mut file = Intact::write(options(format, crypt), |store| fill_inbox(store, messages));
    file.damage().drop_node(contents_table(file.inbox));
    file.whole = file.walked().0.files;
    file
}

impl Intact {
    /// The files of message `number`, by their paths before it was deleted.
    fn files_of(&self, number: u32) -> BTreeMap<String, Vec<u8>> {
        let of_message = |path: &str| path.contains(&format!(" Message {number}."));
        let files = self.whole.iter().filter(|(path, _)| of_message(path));
        files
            .map(|(path, bytes)| (path.clone(), bytes.clone()))
            .collect()
    }
}

/// The files below `lost+found/deleted`, by their paths there.
fn deleted(walked: &Walked) -> BTreeMap<String, Vec<u8>> {
    let files = walked.files.iter();
    files
        .filter_map(|(path, bytes)| Some((path.strip_prefix(DELETED)?.to_owned(), bytes.clone())))
        .collect()
}

/// Lines of a mail, without what comes from its node.
fn lines(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let lines = text.lines().map(str::to_owned);
    lines
        .filter(|line| !line.starts_with("X-Ostfs-Node") && !line.contains("=_ostfs_"))
        .collect()
}

#[test]
fn a_deleted_message_is_there_byte_for_byte_under_the_path_of_its_folder() {
    for_each_format(file, |file| {
        let deleted_files = file.files_of(3);
        assert_eq!(deleted_files.len(), 3, "{:?}", deleted_files.keys());
        file.damage().delete_message(file.messages[3]);
        let live = everything(&open(&file.path).unwrap());
        assert_eq!(live.files.len(), file.whole.len() - deleted_files.len());
        assert!(live.files.keys().all(|path| !path.contains("deleted")));
        let walked = with_deleted(&file.path);
        assert_eq!(walked.failed, [""; 0]);
        assert_eq!(walked.problems, live.problems);
        assert!(
            deleted(&walked) == deleted_files,
            "{:?}",
            walked.files.keys()
        );
        assert_eq!(walked.files.len(), file.whole.len());
        assert!(
            live.files
                .iter()
                .all(|(path, bytes)| walked.files.get(path) == Some(bytes))
        );
    });
}

#[test]
fn nothing_is_looked_for_before_somebody_opens_the_directory() {
    let file = file(Format::Unicode, Crypt::Permute);
    file.damage().delete_message(file.messages[3]);
    let scanned = Arc::new(AtomicBool::new(false));
    let hears = Arc::clone(&scanned);
    let progress = Box::new(move |_, _| hears.store(true, Ordering::Relaxed));
    let tree = Tree::open_with(&file.path, &showing_deleted(), progress).unwrap();
    let mut ino = ostfs::tree::Ino::ROOT;
    for name in ["lost+found", "deleted"] {
        ino = tree.lookup(ino, name.as_ref()).unwrap().unwrap();
        tree.attr(ino).unwrap();
    }
    assert!(!scanned.load(Ordering::Relaxed));
    assert_eq!(tree.directory(ino).unwrap().len(), 1);
    assert!(scanned.load(Ordering::Relaxed));
}

#[test]
fn attributes_of_deleted_messages_are_at_hand_once_somebody_has_asked_for_them() {
    let file = file(Format::Unicode, Crypt::Permute);
    for number in [1, 3, 5] {
        file.damage().delete_message(file.messages[number]);
    }
    let tree = Tree::open(&file.path, &showing_deleted()).unwrap();
    let place = format!("{DELETED}/Inbox");
    let inbox = tree.find(Path::new(&place)).unwrap().unwrap();
    let listing = tree.directory(inbox).unwrap();
    let mails = listing
        .entries()
        .filter(|entry| entry.name.ends_with(".eml"));
    let mails: Vec<_> = mails.map(|entry| entry.ino).collect();
    assert_eq!(mails.len(), 3);
    for ino in mails {
        assert!(!tree.is_attr_at_hand(ino), "nobody has asked yet");
        tree.attr(ino).unwrap();
        assert!(tree.is_attr_at_hand(ino));
    }
}

#[test]
fn numbers_are_the_same_on_every_mount_and_none_is_given_twice() {
    let file = file(Format::Unicode, Crypt::Permute);
    for number in [1, 3, 5] {
        file.damage().delete_message(file.messages[number]);
    }
    let numbers = || {
        let tree = Tree::open(&file.path, &showing_deleted()).unwrap();
        let mut numbers = BTreeMap::new();
        let mut todo = vec![(ostfs::tree::Ino::ROOT, String::new())];
        while let Some((ino, path)) = todo.pop() {
            for entry in tree.directory(ino).unwrap().entries() {
                let path = format!("{path}/{}", entry.name);
                if entry.kind == ostfs::tree::Kind::Directory {
                    todo.push((entry.ino, path.clone()));
                }
                assert_eq!(tree.attr(entry.ino).unwrap().ino, entry.ino);
                assert_eq!(numbers.insert(entry.ino, path.clone()), None, "{path}");
            }
        }
        numbers
    };
    let first = numbers();
    assert!(
        first
            .values()
            .filter(|path| path.starts_with(DELETED))
            .count()
            > 9
    );
    assert_eq!(first, numbers());
}

#[test]
fn a_deleted_message_that_no_leaf_names_is_there_with_all_its_parts() {
    for_each_format(file, |file| {
        file.damage().forget_message(file.messages[3]);
        let walked = with_deleted(&file.path);
        assert_eq!(walked.failed, [""; 0]);
        let found = deleted(&walked);
        let before = file.files_of(3);
        assert_eq!(found.len(), before.len(), "{:?}", found.keys());
        for (path, bytes) in &before {
            let name = path.strip_prefix("/Inbox").unwrap();
            // Its folder is not known, and its node was made up.
            assert_eq!(lines(&found[name]), lines(bytes), "{path}");
        }
    });
}

#[test]
fn subnodes_that_cannot_be_told_apart_are_not_guessed() {
    for_each_format(file, |file| {
        for number in [3, 4] {
            file.damage().forget_message(file.messages[number]);
        }
        let found = deleted(&with_deleted(&file.path));
        for number in [3, 4] {
            let name = format!("/2024-05-01 090{number} Message {number}.eml");
            let text = String::from_utf8_lossy(&found[&name]).into_owned();
            assert!(
                text.contains(&format!("Subject: Message {number}")),
                "{text}"
            );
            assert!(text.contains("X-Ostfs-Problem: "), "{text}");
            assert!(!text.contains("Text "), "{text}");
            // The number that stands for no block is not shown as one.
            assert!(!text.contains("0xffff"), "{text}");
        }
    });
}

#[test]
fn an_item_of_which_nothing_is_known_is_not_shown_and_counted() {
    // Search key, Message-ID; submission, delivery, creation.
    const KNOWN_BY: [u16; 5] = [0x300B, 0x1035, 0x0039, 0x0E06, 0x3007];
    // Numbers in their place, so that the writer does not put them in.
    let without = |message: Message, id: u16| message.prop(id, 0);
    let anonymous = KNOWN_BY.into_iter().fold(message(0), without);
    let file = Intact::write(Options::new(Format::Unicode, Crypt::Permute), |store| {
        fill_inbox(store, [anonymous, message(1)])
    });
    file.damage().drop_node(contents_table(file.inbox));
    file.damage().forget_message(file.messages[0]);
    let walked = with_deleted(&file.path);
    assert_eq!(deleted(&walked), BTreeMap::new());
    let tree = Tree::open(&file.path, &showing_deleted()).unwrap();
    _ = everything(&tree);
    let text = problems(&tree);
    assert!(
        text.contains("deleted items: 1 without search key"),
        "{text}"
    );
}

#[test]
fn deleted_items_that_share_blocks_beyond_all_measure_are_counted_where_they_are_not_shown() {
    const SHARED: u64 = 1 << 20;
    let with_content = |number: u32| {
        let len = if number == 0 { SHARED } else { 9_000 };
        Message::mail(&format!("Message {number}"))
            .message_id(&format!("<{number}@north.example>"))
            .attachment("data.bin", Payload::random(len, u64::from(number)))
    };
    let file = |format, crypt| {
        // What may be read is in proportion to the file.
        let small = Options {
            round_up: false,
            ..options(format, crypt)
        };
        Intact::write(small, |store| {
            fill_inbox(store, (0..MESSAGES).map(with_content))
        })
    };
    for_each_format(file, |file| {
        let damage = file.damage();
        let shared = damage.attachment_data(file.messages[0], 0);
        for message in &file.messages[1..] {
            let parts = damage.subnodes(file.layout.node(*message).sub);
            let attachment = parts.iter().find(|part| part.nid & 31 == 5).unwrap();
            let content = damage.subnodes(attachment.sub)[0];
            damage.set_subnode(attachment.sub, content.nid, shared, 0);
        }
        damage.drop_node(contents_table(file.inbox));
        for message in &file.messages {
            damage.leave_stale(file.layout.page(PTYPE_NBT, 0, u64::from(*message)));
        }
        for message in &file.messages {
            damage.drop_node(*message);
        }
        let tree = Tree::open(&file.path, &showing_deleted()).unwrap();
        let found = deleted(&everything(&tree));
        let told = problems(&tree);
        let shown = found.keys().filter(|path| path.ends_with(".eml")).count();
        let missing = told.lines().find_map(|line| {
            let (_, line) = line.split_once("deleted items: ")?;
            let (count, why) = line.split_once(' ')?;
            let is_it = why.starts_with("share blocks with others so often");
            is_it.then(|| count.parse::<usize>().unwrap())
        });
        let missing = missing.expect(&told);
        assert!(missing > 0 && shown > 0, "{told}");
        assert_eq!(shown + missing, file.messages.len(), "{told}");
    });
}

#[test]
fn a_deleted_hidden_item_is_no_mail_that_was_deleted() {
    let file = |format, crypt| {
        Intact::write(options(format, crypt), |store| {
            let items = [message(0).associated(), message(1), message(2)];
            fill_inbox(store, items)
        })
    };
    for_each_format(file, |file| {
        for number in [0, 1] {
            file.damage().forget_message(file.messages[number]);
        }
        let found = deleted(&with_deleted(&file.path));
        let is_of = |number: u32| {
            let name = format!(" Message {number}.");
            found.keys().any(|path| path.contains(&name))
        };
        assert_eq!([0, 1].map(is_of), [false, true], "{:?}", found.keys());
    });
}

#[test]
fn another_revision_of_a_live_message_is_not_shown() {
    for_each_format(file, |file| {
        let [.., old, _] = file.messages[..] else {
            panic!("too few messages");
        };
        file.damage().delete_message(old);
        assert_eq!(deleted(&with_deleted(&file.path)), BTreeMap::new());
    });
}

#[test]
fn a_message_with_overwritten_parts_says_so_and_one_without_properties_is_gone() {
    for_each_format(file, |file| {
        let damage = file.damage();
        let (partly, gone) = (file.messages[3], file.messages[5]);
        for block in damage.leaves(damage.attachment_data(partly, 0)) {
            damage.zero_block(block);
        }
        damage.zero_block(file.layout.node(gone).data);
        damage.delete_message(partly);
        damage.delete_message(gone);
        let walked = with_deleted(&file.path);
        let (messages, others): (Vec<_>, Vec<_>) = walked
            .files
            .iter()
            .filter(|(path, _)| path.starts_with(DELETED))
            .partition(|(path, _)| path.ends_with("Message 3.eml"));
        // Of the content of its attachment nothing is left: it is zeros where its size is known, else it cannot be read.
        let is_content = |path: &str| path.ends_with("/data.bin");
        let content = others.iter().find(|(path, _)| is_content(path));
        match content {
            Some((_, bytes)) => assert!(bytes.iter().all(|byte| *byte == 0)),
            None => assert!(is_content(&walked.failed[0]), "{:?}", walked.failed),
        }
        let read = others.len() - usize::from(content.is_some());
        assert_eq!((messages.len(), read), (1, 1));
        let text = String::from_utf8_lossy(messages[0].1);
        assert!(
            text.contains("X-Ostfs-Problem: ") && text.contains("Text 3"),
            "{text}"
        );
    });
}

/// The mail of one mailbox at two times: a message that was in the one file was deleted in the other.
#[test]
fn a_message_deleted_in_a_real_file_is_what_it_was_in_an_earlier_one() {
    let Some(folder) = corpus::folder() else {
        return;
    };
    let file = |name: &str| folder.join("files").join(name);
    let name = "2010-06-27 1744 Multiple recipients.eml";
    let later = with_deleted(&file("aranetic-four_nesting_levels.pst"));
    let earlier = everything(&open(&file("aranetic-multiple_to_cc.pst")).unwrap());
    assert_eq!(
        lines(&later.files[&format!("{DELETED}/Deleted Items/{name}")]),
        lines(&earlier.files[&format!("/Inbox/{name}")])
    );
    assert_eq!(
        deleted(&later)
            .keys()
            .filter(|path| path.ends_with(".eml"))
            .count(),
        5
    );
    assert_eq!(later.problems, 0);
}

#[test]
fn no_deleted_item_of_a_real_file_is_one_that_is_still_there() {
    let id = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let line = text.lines().find(|line| line.starts_with("Message-ID: "))?;
        Some(line.to_owned())
    };
    for file in corpus::files() {
        let walked = with_deleted(&file);
        let (deleted, live): (Vec<_>, Vec<_>) = walked
            .files
            .iter()
            .filter(|(path, _)| path.ends_with(".eml") && !path.contains(".attachments/"))
            .partition(|(path, _)| path.starts_with(DELETED));
        for (path, bytes) in deleted {
            let same = live
                .iter()
                .find(|(_, other)| id(bytes).is_some() && id(bytes) == id(other));
            assert_eq!(same.map(|(other, _)| other), None, "{path}");
        }
    }
}

#[test]
fn a_search_ends_where_the_highest_nodes_cannot_be_looked_up() {
    for_each_format(file, |file| {
        file.damage().forget_message(file.messages[3]);
        // Whatever id is made up for the message that no leaf names, it would stand in this leaf.
        let last = file.layout.page(format::PTYPE_NBT, 0, u64::MAX);
        file.damage().zero_page(last);
        let (sender, receiver) = std::sync::mpsc::channel();
        let path = file.path.clone();
        std::thread::spawn(move || sender.send(with_deleted(&path)).ok());
        let walked = receiver.recv_timeout(ENDLESS).expect("it ends");
        let texts = deleted(&walked).into_values();
        assert!(
            texts
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                .any(|text| text.contains("Text 3")),
            "the message is found"
        );
    });
}
