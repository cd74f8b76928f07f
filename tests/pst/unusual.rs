//! What no writer should have written, and what damage leaves: it is carried over, or told, and costs nothing else.

use std::path::Path;
use std::sync::Arc;

use ostfs::messaging::{FIRST_NAMED_ID, Message as OpenedMessage, Store as OpenedStore};
use ostfs::ndb::NodeId;

use crate::mailbox::{File, mail, write};
use crate::support::*;
use crate::{Copy, copy, findings, mounted};

/// Deleted Items.
const WASTEBASKET: u32 = 0x8062;
/// PidTagEmailAddress.
const EMAIL_ADDRESS: u16 = 0x3003;

/// A file with one message in a folder.
fn one(message: Message) -> File {
    write(Format::Unicode, Crypt::Permute, |store| {
        let folder = store.folder(store.ipm_subtree(), "Folder");
        store.message(folder, message);
    })
}

/// The copy of `file`, which must say that something is not as it was, or was not whole.
fn copy_that_tells(file: &File) -> Copy {
    let copy = copy(&file.path, &[]);
    assert_eq!(copy.output.status.code(), Some(4), "{:?}", copy.output);
    assert_eq!(findings(&copy.path), [""; 0]);
    copy
}

/// The texts under names in the only message of a copy: what is wrong with it, and its categories.
fn named_texts(copy: &Copy) -> Vec<String> {
    let message = message_of(copy);
    let named = message.properties().ids();
    let named = named.filter(|id| *id >= FIRST_NAMED_ID);
    let texts = named.map(|id| message.properties().strings(id).unwrap_or_default());
    texts.flatten().collect()
}

fn tells(copy: &Copy, what: &str) {
    let texts = named_texts(copy);
    assert!(texts.iter().any(|text| text.contains(what)), "{texts:?}");
}

fn message_of(copy: &Copy) -> OpenedMessage {
    let store = Arc::new(OpenedStore::open(
        ostfs::ndb::open(&copy.path, 1 << 20).unwrap(),
    ));
    let nodes: Vec<_> = store.ndb().nodes().flatten().collect();
    let message = nodes.iter().find(|node| node.nid.is_message());
    OpenedMessage::open(&store, message.expect("a message").nid).unwrap()
}

#[test]
fn a_folder_whose_properties_are_lost_is_told() {
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        let folder = store.folder(store.ipm_subtree(), "Calendar");
        store.message(folder, mail("One"));
    });
    let store = file.store();
    let subtree = ostfs::messaging::Folder::new(&store, NodeId(0x8022));
    let folder = subtree.subfolders()[0].nid;
    let damage = file.damage();
    damage.zero_block(file.layout.node(folder.0).data);
    let copy = copy_that_tells(&file);
    assert!(copy.said().contains("1 item,"), "{}", copy.said());
}

#[test]
fn without_what_tells_which_folder_has_deleted_items_there_are_no_two_of_that_name() {
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        store.message(WASTEBASKET, mail("Thrown away"));
    });
    file.damage().zero_block(file.layout.node(0x21).data);
    let copy = copy(&file.path, &[]);
    let listed = mounted::ostfs(&["ls", copy.path.to_str().unwrap()]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(listed.matches("Deleted Items").count(), 1, "{listed}");
    let within = mounted::ostfs(&["ls", copy.path.to_str().unwrap(), "Deleted Items"]);
    let within = String::from_utf8(within.stdout).unwrap();
    assert!(within.contains("Thrown away"), "{within}");
    assert_eq!(findings(&copy.path), [""; 0]);
}

/// The names of the attachments in the tree of `file`.
fn names_of_attachments(file: &Path) -> Vec<String> {
    let scratch = tempfile::TempDir::new().unwrap();
    let (file, tree) = (file.to_str().unwrap(), scratch.path().join("tree"));
    let tree = tree.to_str().unwrap();
    mounted::ostfs(&["export", "-o", "attachments=dir", file, tree]);
    let found = mounted::run("find", &[tree, "-name", "*.bin", "-printf", "%f\n"]);
    found.lines().map(str::to_owned).collect()
}

#[test]
fn an_attachment_that_only_its_table_names_has_that_name_in_both_trees() {
    let lose_all = |damage: &Damage<'_>, attachment| damage.zero_block(attachment);
    let lose_names = |damage: &Damage<'_>, attachment| {
        damage.edit_heap(attachment, |heap| {
            // Ids that mean nothing, in the same order.
            for (name, other) in [(0x3001u16, 0x3000u16), (0x3704, 0x3703), (0x3707, 0x3706)] {
                let has_it = |record: &&mut [u8]| record[..2] == name.to_le_bytes();
                if let Some(record) = heap.records().chunks_mut(8).find(has_it) {
                    record[..2].copy_from_slice(&other.to_le_bytes());
                }
            }
        });
    };
    type Lose<'a> = &'a dyn Fn(&Damage<'_>, u64);
    for lose in [&lose_all as Lose<'_>, &lose_names] {
        let mut message = 0;
        let file = write(Format::Unicode, Crypt::Permute, |store| {
            let folder = store.folder(store.ipm_subtree(), "Folder");
            let mail = mail("One").attachment("plan.bin", Payload::random(20_000, 3));
            message = store.message(folder, mail);
        });
        let damage = file.damage();
        let parts = damage.subnodes(file.layout.node(message).sub);
        let attachment = parts.iter().find(|part| part.nid & 31 == 5).unwrap();
        lose(&damage, attachment.data);
        assert_eq!(names_of_attachments(&file.path), ["plan.bin"]);
        let copy = copy(&file.path, &[]);
        assert_eq!(names_of_attachments(&copy.path), ["plan.bin"]);
        assert_eq!(findings(&copy.path), [""; 0]);
    }
}

#[test]
fn hidden_items_are_kept_where_the_table_that_lists_them_is_lost() {
    const CATEGORIES: &str = "IPM.Configuration.CategoryList";
    let mut inbox = 0;
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        inbox = store.folder(store.ipm_subtree(), "Inbox");
        store.message(inbox, mail("One"));
        store.message(inbox, Message::new(CATEGORIES, "colours").associated());
    });
    let hidden = |copy: &Copy| {
        let store = OpenedStore::open(ostfs::ndb::open(&copy.path, 1 << 20).unwrap());
        let nodes = store.ndb().nodes().flatten();
        nodes.filter(|node| node.nid.node_type().0 == 8).count()
    };
    let whole = copy(&file.path, &[]);
    assert_eq!(hidden(&whole), 1);
    assert!(whole.said().contains("1 item,"), "{}", whole.said());
    let table = file.layout.node(inbox & !31 | 0x0F).data;
    file.damage().zero_block(table);
    assert_eq!(hidden(&copy_that_tells(&file)), 1);
}

#[test]
fn recipients_with_more_columns_than_a_table_has_cost_those_columns() {
    let mut message = mail("Many columns");
    message.spare_columns = true;
    message.recipients[0].retain(|id, _| [0x3001, EMAIL_ADDRESS].contains(id));
    for number in 0..250 {
        message.recipients[0].insert(0x6800 + number, i32::from(number).into());
    }
    let file = one(message);
    let copy = copy_that_tells(&file);
    let recipients = message_of(&copy).recipients();
    assert_eq!(
        recipients[0].string(EMAIL_ADDRESS).unwrap(),
        "bob@north.example"
    );
    assert_eq!(recipients[0].integer(0x6800), Some(0));
    tells(&copy, "property 0x68f9");
}

#[test]
fn a_cell_of_a_recipient_that_becomes_too_long_costs_itself() {
    let mut message = mail("A long cell");
    let cell = Value::Str8(vec![b'x'; 48_000]);
    message.recipients[0].insert(0x6800, cell);
    let copy = copy_that_tells(&one(message));
    let recipients = message_of(&copy).recipients();
    assert_eq!(
        recipients[0].string(EMAIL_ADDRESS).unwrap(),
        "bob@north.example"
    );
    tells(&copy, "96000 bytes");
}

#[test]
fn an_address_of_another_type_than_its_column_is_told() {
    let mut message = mail("Wrong type");
    message.recipients[0].insert(EMAIL_ADDRESS, Value::Bin(b"bob@north.example".to_vec()));
    let copy = copy_that_tells(&one(message));
    tells(&copy, "property 0x3003");
}

#[test]
fn two_properties_of_one_name_are_both_kept() {
    let set = PS_INTERNET_HEADERS;
    let message = mail("Twice")
        .named_text(set, "x-first", "one")
        .named_text(set, "x-other", "two");
    let file = one(message);
    let damage = file.damage();
    let utf16 = |text: &str| {
        text.encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<_>>()
    };
    let (from, to) = (utf16("x-other"), utf16("x-first"));
    damage.edit_block(file.layout.node(0x61).data, |bytes| {
        let at = bytes.windows(from.len()).position(|window| window == from);
        let at = at.expect("the name is in the heap");
        bytes[at..at + to.len()].copy_from_slice(&to);
    });
    let copy = copy_that_tells(&file);
    for text in ["one", "two"] {
        tells(&copy, text);
    }
}

#[test]
fn text_that_is_longer_in_utf_16_than_what_is_read_at_once_comes_through() {
    const LENGTH: usize = 9 << 20;
    let message = mail("Long").prop(
        tags::VOICE_MESSAGE_DURATION,
        Value::Str8(vec![b'x'; LENGTH]),
    );
    let copy = copy(&one(message).path, &[]);
    assert!(copy.output.status.success(), "{:?}", copy.output);
    let message = message_of(&copy);
    let stream = message.properties().stream(0x6801).unwrap().unwrap();
    assert_eq!(stream.len(), 2 * LENGTH as u64);
}

#[test]
fn a_category_that_is_a_single_text_stays_beside_that_of_damaged_items() {
    let message = mail("Damaged")
        .named_text(PS_PUBLIC_STRINGS, "Keywords", "Important")
        .attachment("a.bin", Payload::random(100_000, 3));
    let mut nid = 0;
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        let folder = store.folder(store.ipm_subtree(), "Folder");
        nid = store.message(folder, message);
    });
    file.damage().flip_attachment(nid, 0);
    let copy = copy_that_tells(&file);
    for category in ["Important", "ostfs: damaged"] {
        tells(&copy, category);
    }
}

#[test]
fn a_filter_that_takes_nothing_leaves_no_file_though_there_are_hidden_items() {
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        let folder = store.folder(store.ipm_subtree(), "Calendar");
        store.message(folder, mail("One"));
        let hidden = Message::new("IPM.Configuration.Calendar", "options").associated();
        store.message(folder, hidden);
    });
    let scratch = tempfile::tempdir().unwrap();
    let target = scratch.path().join("copy.pst");
    let (file, to) = (file.path.to_str().unwrap(), target.to_str().unwrap());
    let output = mounted::ostfs(&["export", "--to", "pst", "--from", "nobody", file, to]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}

#[test]
fn a_class_that_no_form_can_have_becomes_that_of_mail_and_is_told() {
    for class in ["\u{4747}\u{4747}G.Note", "IPM.Note."] {
        let copy = copy_that_tells(&one(Message::new(class, "Odd")));
        tells(&copy, &format!("no form can have the class {class:?}"));
        let properties = message_of(&copy);
        let found = properties.properties().string(tags::MESSAGE_CLASS);
        assert_eq!(found.unwrap().as_deref(), Some("IPM.Note"));
    }
}
