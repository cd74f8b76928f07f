//! What broke other readers of heaps, properties, tables and items, row by row: it costs the part that it hits.

use crate::mailbox::*;
use crate::support::*;
use crate::walk::{self, Files};
use ostfs::messaging::Message as Opened;
use ostfs::ndb::NodeId;

/// Messages within another that are shown: as many as ARCHITECTURE.md promises.
const LEVELS: usize = 30;

#[test]
fn f5_f6_items_of_parents_that_do_not_exist_are_in_lost_found() {
    for_each_format(|file, damage, inbox| {
        damage.drop_node(inbox);
        damage.drop_node(contents_table(inbox));
        let folder = file.layout.node(MESSAGE);
        damage.set_node(MESSAGE, folder.data, folder.sub, 0x7FFF_FF02);
        let walked = file.walk();
        all_listed(&walked);
        assert!(
            walked
                .files
                .keys()
                .any(|path| path.starts_with("/lost+found/") && path.ends_with("first.eml"))
        );
    });
}

#[test]
fn f7_f9_a_name_map_of_garbage_costs_the_names_alone() {
    for (format, crypt) in FORMATS {
        let set = [7; 16];
        let file = write(format, crypt, |store| {
            let inbox = store.folder(store.ipm_subtree(), "Inbox");
            let message = mail("named")
                .named_text(set, "X-Name", "value")
                .named(set, 0x8501, 7);
            store.message(inbox, message);
        });
        let damage = file.damage();
        let map = file.layout.node(0x61);
        let name: Vec<u8> = "X-Name".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut found = false;
        for block in damage.leaves(map.data) {
            damage.edit_block(block, |data| {
                // The length of the string stands before it.
                let at = data.windows(name.len()).position(|window| window == name);
                if let Some(at) = at {
                    data[at - 4..at].fill(0xFF);
                    found = true;
                }
            });
        }
        assert!(found);
        assert_eq!(file.walk().ending("named.eml"), 1);
    }
}

#[test]
fn f8_without_store_object_and_name_map_the_mail_is_there() {
    for_each_format(|file, damage, _| {
        damage.drop_node(0x21);
        damage.drop_node(0x61);
        let walked = file.walk();
        all_listed(&walked);
        assert!(walked.failed.is_empty());
    });
}

#[test]
fn f15_a_wrong_count_of_freed_items_is_ignored() {
    for_each_format(|file, damage, _| {
        let data = damage.leaves(file.layout.node(MESSAGE).data)[0];
        let before = file.walk();
        damage.edit_block(data, |block| {
            let map = u16::from_le_bytes([block[0], block[1]]) as usize;
            block[map + 2..map + 4].fill(0xFF);
        });
        assert_eq!(file.walk(), before);
    });
}

#[test]
fn f16_f38_page_maps_and_items_outside_their_block_cost_one_object() {
    for_each_format(|file, damage, inbox| {
        damage.heap_map_outside(file.layout.node(MESSAGE).data);
        all_listed(&file.walk());
        damage.heap_items_outside(file.layout.node(MESSAGE + 0x40).data);
        all_listed(&file.walk());
        damage.heap_map_outside(file.layout.node(contents_table(inbox)).data);
        all_there(&file.walk());
        damage.heap_items_outside(file.layout.node(inbox).data);
        all_there(&file.walk());
        assert!(walk::check(&file.path).unwrap().errors > 0);
    });
}

#[test]
fn f17_f19_large_tables_are_read_in_every_format_and_replaced_when_their_rows_are_lost() {
    for (format, crypt) in FORMATS {
        let mut inbox = 0;
        let file = write(format, crypt, |store| {
            inbox = store.folder(store.ipm_subtree(), "Inbox");
            for number in 0..1_500 {
                store.message(inbox, mail(&format!("number {number:04}")));
            }
        });
        let walked = file.walk();
        for number in 0..1_500 {
            assert_eq!(walked.ending(&format!("number {number:04}.eml")), 1);
        }
        let damage = file.damage();
        let table = file.layout.node(contents_table(inbox));
        let rows = damage.subnodes(table.sub);
        let matrix = rows.iter().find(|node| node.nid & 31 == 31).unwrap();
        damage.set_subnode(table.sub, matrix.nid, 0, 0);
        assert_eq!(file.walk().ending(".eml"), 1_500);
    }
}

#[test]
fn f18_columns_outside_the_row_are_no_columns() {
    for_each_format(|file, damage, inbox| {
        let data = damage.leaves(file.layout.node(contents_table(inbox)).data)[0];
        damage.edit_block(data, |block| {
            // TCOLDESC of PidTagSubject: type, id, then its offset in the row.
            let text = if file.layout.geo.wide { 0x1F } else { 0x1E };
            let at = block
                .windows(4)
                .position(|window| window == [text, 0, 0x37, 0]);
            block[at.unwrap() + 4..][..2].fill(0xFF);
        });
        all_there(&file.walk());
    });
}

#[test]
fn f20_rows_of_lost_messages_and_messages_without_data_say_so() {
    for_each_format(|file, damage, inbox| {
        damage.drop_node(MESSAGE);
        damage.set_node(MESSAGE + 0x20, 0, 0, inbox);
        let walked = file.walk();
        all_listed(&walked);
        assert!(walked.problems > 0);
        assert!(walk::check(&file.path).unwrap().errors > 0);
    });
}

#[test]
fn f21_without_tables_the_nodes_tell() {
    for_each_format(|file, damage, inbox| {
        let before = file.walk();
        let top = file.layout.node(inbox).parent;
        for nid in [
            contents_table(inbox),
            hierarchy_table(inbox),
            hierarchy_table(top),
        ] {
            damage.drop_node(nid);
        }
        let after = file.walk();
        assert!(before.files.keys().eq(after.files.keys()));
    });
}

#[test]
fn f27_f33_unknown_types_and_double_properties_cost_themselves_alone() {
    for_each_format(|file, damage, _| {
        let data = damage.leaves(file.layout.node(MESSAGE).data)[0];
        let text = if file.layout.geo.wide { 0x1F } else { 0x1E };
        // PidTagBody becomes a second PidTagSubject, PidTagDisplayTo gets a type that nobody knows.
        damage.edit_block(data, |block| {
            replace(block, &[0x00, 0x10, text, 0], &[0x37, 0, text, 0]);
            replace(block, &[0x04, 0x0E, text, 0], &[0x04, 0x0E, 0x52, 0]);
        });
        let store = file.store();
        let message = Opened::open(&store, NodeId(MESSAGE)).unwrap();
        assert_eq!(message.subject().unwrap().unwrap().text, "first");
        all_listed(&file.walk());
    });
}

/// A file whose message has `first` and `second` as PidTagBody.
fn with_bodies(first: impl Into<Value>, second: impl Into<Value>) -> File {
    let file = write(Format::Unicode, Crypt::None, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let message = Message::mail("twice").prop(tags::BODY, first);
        store.message(inbox, message.prop(tags::REPORT_TEXT, second));
    });
    let damage = file.damage();
    let data = damage.leaves(file.layout.node(MESSAGE).data)[0];
    damage.edit_block(data, |block| {
        // The record of the property behind it: id and type.
        let is_second =
            |record: &[u8]| record[..2] == [1, 0x10] && [0x1E, 0x1F].contains(&record[2]);
        let at = block.windows(4).position(is_second);
        block[at.unwrap()] = 0;
    });
    file
}

#[test]
fn f33_of_text_that_is_stored_twice_the_one_that_says_most_is_shown_and_the_other_is_told() {
    let narrow = |text: &str| Value::Str8(text.into());
    let cases = [
        with_bodies(narrow("short, but longer than it"), "whole text"),
        with_bodies("whole text", narrow("short, but longer than it")),
        with_bodies("whole text", ""),
        with_bodies("", "whole text"),
        with_bodies(narrow("short"), narrow("whole text")),
        with_bodies("whole text", "whole tex"),
    ];
    for (number, file) in cases.iter().enumerate() {
        let walked = file.walk();
        let (_, mail) = walked.files.first_key_value().unwrap();
        let mail = String::from_utf8_lossy(mail);
        assert!(mail.ends_with("\n\nwhole text"), "{number}: {mail}");
        let told = "X-Ostfs-Problem: property 0x1000: stored more than once, with different";
        assert!(mail.contains(told), "{number}: {mail}");
        let report = walk::check(&file.path).unwrap();
        assert_eq!(report.errors, 1, "{number}: {report:?}");
        assert!(report.findings[0].problem.contains("stored more than once"));
    }
}

#[test]
fn f33_the_same_text_twice_is_one_text() {
    let narrow = |text: &str| Value::Str8(text.into());
    for file in [
        with_bodies(narrow("same"), "same"),
        with_bodies("same", "same"),
    ] {
        let walked = file.walk();
        let (_, mail) = walked.files.first_key_value().unwrap();
        let mail = String::from_utf8_lossy(mail);
        assert!(mail.ends_with("\n\nsame"), "{mail}");
        assert!(!mail.contains("X-Ostfs-Problem"), "{mail}");
        assert_eq!(walk::check(&file.path).unwrap().errors, 0);
    }
}

#[test]
fn f28_a_message_without_recipients_and_attachments_is_a_message() {
    for (format, crypt) in FORMATS {
        let file = write(format, crypt, |store| {
            let inbox = store.folder(store.ipm_subtree(), "Inbox");
            store.message(inbox, Message::mail("alone"));
        });
        let node = file.layout.node(MESSAGE);
        file.damage().set_node(MESSAGE, node.data, 0, node.parent);
        let walked = file.walk();
        assert_eq!((walked.ending("alone.eml"), walked.failed.len()), (1, 0));
    }
}

#[test]
fn f29_an_attachment_without_method_or_data_is_there() {
    for method in [0, 2, 4, 7, -1] {
        let file = write(Format::Unicode, Crypt::Permute, |store| {
            let inbox = store.folder(store.ipm_subtree(), "Inbox");
            store.message(
                inbox,
                mail("odd").attach(Attachment::reference(method, "C:\\x.doc")),
            );
        });
        let walked = file.walk();
        assert_eq!(walked.ending("odd.eml"), 1);
        let message = Opened::open(&file.store(), NodeId(MESSAGE)).unwrap();
        assert_eq!(message.attachments().len(), 1);
    }
}

#[test]
fn f32_values_shorter_than_their_types_cost_themselves_alone() {
    for_each_format(|file, damage, _| {
        let data = damage.leaves(file.layout.node(MESSAGE).data)[0];
        // PidTagMessageDeliveryTime and PidTagClientSubmitTime refer to no item: which one is theirs is not known.
        damage.edit_block(data, |block| {
            for id in [0x0E06u16, 0x0039] {
                let record = [id.to_le_bytes(), [0x40, 0]].concat();
                let at = block.windows(4).position(|window| window == record);
                block[at.unwrap() + 4..][..4].copy_from_slice(&[0xE0, 0xFF, 0, 0]);
            }
        });
        let message = Opened::open(&file.store(), NodeId(MESSAGE)).unwrap();
        assert!(message.properties().time(0x0E06).is_err());
        all_listed(&file.walk());
    });
}

/// An inbox with one message that has `levels` others within each other; the subject of each is its distance to the last.
fn nested(levels: usize) -> Files {
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let nested = (1..=levels).fold(mail("level 0."), |inner, level| {
            mail(&format!("level {level}.")).embed(inner)
        });
        store.message(inbox, nested);
    });
    file.walk().files
}

/// How many of the messages with `subject` are in the file of the outermost one.
fn shown(files: &Files, subject: &str) -> usize {
    let mut mails = files.iter().filter(|(path, _)| is_mail_of_a_folder(path));
    let (_, mail) = mails.next().unwrap();
    let line = format!("Subject: {subject}");
    let mail = String::from_utf8_lossy(mail);
    mail.lines().filter(|found| **found == *line).count()
}

fn is_mail_of_a_folder(path: &str) -> bool {
    path.ends_with(".eml") && !path.contains(".attachments/")
}

#[test]
fn f39_forty_messages_within_each_other_end_at_thirty() {
    let files = nested(40);
    for level in 0..=40 {
        let is_within = level >= 40 - LEVELS;
        let subject = format!("level {level}.");
        assert_eq!(shown(&files, &subject), usize::from(is_within), "{level}");
    }
    let told = |(path, mail): &(&String, &Vec<u8>)| {
        is_mail_of_a_folder(path)
            && String::from_utf8_lossy(mail).contains("more than 30 messages within each other")
    };
    assert_eq!(files.iter().filter(told).count(), 1);
    let deepest = files
        .keys()
        .map(|path| path.matches(".attachments/").count());
    assert_eq!(deepest.max(), Some(LEVELS));
}

#[test]
fn f39_thirty_messages_within_each_other_are_all_there() {
    let files = nested(LEVELS);
    for level in 0..=LEVELS {
        assert_eq!(shown(&files, &format!("level {level}.")), 1, "{level}");
    }
    let mut all = files.values().map(|bytes| String::from_utf8_lossy(bytes));
    assert!(!all.any(|text| text.contains("X-Ostfs-Problem")));
}

#[test]
fn f39_messages_that_name_the_next_one_twice_are_checked_once_each() {
    for (format, crypt) in FORMATS {
        let file = write(format, crypt, |store| {
            let inbox = store.folder(store.ipm_subtree(), "Inbox");
            let bomb = (0..25).fold(mail("inner"), |inner, depth| {
                mail(&format!("{depth}"))
                    .embed(inner)
                    .attachment("twin", "x")
            });
            store.message(inbox, bomb);
        });
        // In each message the second attachment becomes the first one once more.
        let damage = file.damage();
        let mut sub = file.layout.node(MESSAGE).sub;
        loop {
            let subnodes = damage.subnodes(sub);
            let mut attachments = subnodes.iter().filter(|node| node.nid & 31 == 5);
            let (Some(first), Some(second)) = (attachments.next(), attachments.next()) else {
                break;
            };
            damage.set_subnode(sub, second.nid, first.data, first.sub);
            let inner = damage.subnodes(first.sub);
            sub = inner.iter().find(|node| node.nid & 31 == 4).unwrap().sub;
        }
        let report = walk::check(&file.path).unwrap();
        assert_eq!(report.messages, 26, "{format:?}");
    }
}
