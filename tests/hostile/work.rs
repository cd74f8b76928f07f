//! What a small file asks of its reader is bounded: no list without end, no work that grows with the square of what is
//! in the file, no value larger than the file. `structures` and `items` have what broke other readers; here is
//! what would hold up this one.

use std::time::Duration;

use crate::mailbox::*;
use crate::support::*;
use crate::walk::{self, cpu_time, everything};
use ostfs::ndb::NodeId;
use ostfs::tree::{Options as TreeOptions, Tree};

/// Far more of a processor than any of these takes, without optimisations; far less than they took before.
const LIMIT: Duration = Duration::from_secs(30);

/// A parent that no file has.
const NOBODY: u32 = 0x7F_FF02;
fn in_time(work: impl FnOnce()) {
    cpu_time::within(LIMIT, work);
}

#[test]
fn folders_that_list_each_other_and_belong_nowhere_end() {
    for (format, crypt) in FORMATS {
        let (mut top, mut first, mut second) = (0, 0, 0);
        let file = write(format, crypt, |store| {
            top = store.ipm_subtree();
            first = store.folder(top, "First");
            second = store.folder(first, "Second");
            store.message(first, mail("in the first"));
            store.message(second, mail("in the second"));
        });
        // The table of the second folder lists the first one, and neither has a parent.
        let (damage, table) = (file.damage(), file.layout.node(hierarchy_table(top)));
        damage.set_node(hierarchy_table(second), table.data, table.sub, 0);
        for folder in [first, second] {
            let node = file.layout.node(folder);
            damage.set_node(folder, node.data, node.sub, NOBODY);
        }
        let walked = file.walk();
        assert_eq!(walked.ending("in the first.eml"), 1, "{walked:?}");
        assert_eq!(walked.ending("in the second.eml"), 1, "{walked:?}");
        assert!(walked.problems > 0);
    }
}

#[test]
fn the_root_is_not_below_a_lost_folder_that_it_belongs_to() {
    const MAILBOX: u32 = 0x20A2;
    let mut empty = 0;
    let file = write(Format::Ost4k, Crypt::None, |store| {
        empty = store.folder(store.ipm_subtree(), "Empty");
        store.message(empty, mail("here"));
    });
    // The root folder does not list the mailbox, and the mailbox does not know the root folder.
    let (damage, table) = (file.damage(), file.layout.node(hierarchy_table(empty)));
    damage.set_node(hierarchy_table(0x122), table.data, table.sub, 0);
    let mailbox = file.layout.node(MAILBOX);
    damage.set_node(MAILBOX, mailbox.data, mailbox.sub, NOBODY);
    let walked = everything(&walk::open(&file.path).unwrap());
    assert_eq!(walked.ending("here.eml"), 1, "{walked:?}");
}

#[test]
fn folders_deeper_than_paths_can_be_are_in_lost_and_found() {
    const DEPTH: usize = 1000;
    let file = write(Format::Unicode, Crypt::None, |store| {
        let mut folder = store.ipm_subtree();
        for _ in 0..DEPTH {
            folder = store.folder(folder, "deeper");
            store.message(folder, mail("here"));
        }
    });
    let tree = walk::open(&file.path).unwrap();
    let walked = everything(&tree);
    assert_eq!(walked.ending("here.eml"), DEPTH);
    let depth = |path: &String| path.matches('/').count();
    assert!(walked.files.keys().map(depth).max() < Some(DEPTH / 2));
}

#[test]
fn a_table_that_lists_one_message_many_times_lists_it_once() {
    let (mut inbox, mut found) = (0, 0);
    let file = write(Format::Unicode, Crypt::None, |store| {
        inbox = store.folder(store.ipm_subtree(), "Inbox");
        let message = store.message(inbox, mail("once"));
        found = store.search_folder("Found", &vec![message; 100_000]);
    });
    // The contents of the search folder, as those of the Inbox too.
    let table = file.layout.node(found & !31 | 0x10);
    let damage = file.damage();
    damage.set_node(contents_table(inbox), table.data, table.sub, 0);
    in_time(|| {
        let options = TreeOptions {
            all: true,
            ..TreeOptions::default()
        };
        let walked = everything(&Tree::open(&file.path, &options).unwrap());
        assert_eq!(walked.ending("once.eml"), 2, "a message and a link");
    });
}

#[test]
fn a_data_tree_with_more_bytes_than_the_file_is_refused() {
    for_each_format(|file, damage, _| {
        // Every leaf of the attachment is its first one, many times over.
        let top = damage.attachment_data(MESSAGE, 0);
        let geo = file.layout.geo;
        let size = std::fs::metadata(&file.path).unwrap().len();
        let count = file.layout.block(top).stored as usize / geo.word() - 1;
        damage.edit_block(top, |data| {
            let (head, bids) = data.split_at_mut(8);
            let first = bids[..geo.word()].to_vec();
            bids.chunks_exact_mut(geo.word())
                .for_each(|bid| bid.copy_from_slice(&first));
            let total = (count * geo.block_max) as u32;
            head[4..].copy_from_slice(&total.to_le_bytes());
        });
        let walked = file.walk();
        all_listed(&walked);
        let shown: usize = walked.files.values().map(Vec::len).max().unwrap();
        assert!(geo.is_4k() || shown as u64 <= 2 * size, "{shown} of {size}");
    });
}

#[test]
fn values_that_are_longer_than_any_are_not_read() {
    let file = write(Format::Unicode, Crypt::None, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let long = Value::Raw(0x001F, b"x\0".repeat(10 << 20));
        let message = mail("long")
            .prop(tags::TRANSPORT_MESSAGE_HEADERS, long)
            .body("Text that is there\r\n");
        store.message(inbox, message);
    });
    let walked = file.walk();
    let (_, bytes) = walked
        .files
        .iter()
        .find(|(path, _)| path.ends_with("long.eml"))
        .unwrap();
    let text = String::from_utf8_lossy(bytes);
    assert!(text.len() < 10_000, "{}", text.len());
    assert!(
        text.contains("X-Ostfs-Problem:") && text.contains("Text that is there"),
        "{text}"
    );
    let store = file.store();
    assert!(store.ndb().find_node(NodeId(MESSAGE)).unwrap().is_some());
}

#[test]
fn messages_within_each_other_in_many_ways_are_walked_to_the_end() {
    const LEVELS: usize = 20;
    let inner = |level: usize, within: Option<Message>| {
        let message = mail(&format!("level {level}"));
        within.map_or(message.clone(), |within| {
            message.embed(within.clone()).embed(within)
        })
    };
    let mut message = inner(LEVELS, None);
    for level in (LEVELS - 8..LEVELS).rev() {
        message = inner(level, Some(message));
    }
    // 2^8 ways are written; the innermost attachments of each lead to more of the same, through shared subnodes.
    let file = write(Format::Unicode, Crypt::None, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        store.message(
            inbox,
            (0..30).fold(mail("many"), |many, _| many.embed(message.clone())),
        );
    });
    in_time(|| {
        let walked = everything(&walk::open(&file.path).unwrap());
        assert!(walked.files.len() < 2_000, "{}", walked.files.len());
        assert!(walked.problems > 0);
    });
}

#[test]
fn a_list_of_subnodes_with_one_attachment_many_times_has_it_once() {
    let file = write(Format::Unicode, Crypt::None, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let message = (0..1000u16).fold(mail("many"), |message, number| {
            message.prop(0x6000 + number, i32::from(number))
        });
        let attached = (0..900).fold(message, |message, number| {
            message.attachment(&format!("{number}.txt"), "x")
        });
        store.message(inbox, attached);
    });
    // Every entry of the SIBLOCK leads to the same leaf.
    let damage = file.damage();
    let top = file.layout.node(MESSAGE).sub;
    damage.edit_block(top, |data| {
        assert_eq!(data[1], 1, "an SIBLOCK");
        let first = data[8..24].to_vec();
        for entry in data[8..].chunks_exact_mut(16) {
            entry[8..].copy_from_slice(&first[8..]);
        }
    });
    all_there_once(&file);
}

fn all_there_once(file: &File) {
    let walked = file.walk();
    assert_eq!(walked.ending("many.eml"), 1);
    let attached = walked.files.keys().filter(|path| path.ends_with(".txt"));
    assert!(attached.count() < 1000);
}
