//! Files made for it: limits of the format, damaged items, what is lost, filters, several sources.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use ostfs::ltp::Value as Stored;
use ostfs::messaging::{
    Folder, Message as OpenedMessage, PropertyName, PropertySet, Store as OpenedStore,
};
use ostfs::ndb::NodeId;

use crate::mailbox::{FORMATS, MESSAGE, mail, mailbox, write};
use crate::support::*;
use crate::{copy, findings, mounted};

/// Bytes of a block, and of the most that one XBLOCK leads to.
const BLOCK: u64 = 8176;
const XBLOCK: u64 = 1021 * BLOCK;
/// Outlook's subtree in a PST.
const SUBTREE: NodeId = NodeId(0x8022);

#[test]
fn values_at_the_limits_of_blocks_and_heaps_come_through() {
    let sizes = [
        0,
        1,
        1024,
        1025,
        3580,
        3581,
        BLOCK,
        BLOCK + 1,
        XBLOCK,
        XBLOCK + 1,
    ];
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        let folder = store.folder(store.ipm_subtree(), "Sizes");
        for size in sizes {
            let message = mail(&format!("{size}")).attachment("a.bin", Payload::random(size, 7));
            let message = message.body(&"x".repeat((size / 2).min(100_000) as usize));
            store.message(folder, message);
        }
    });
    let copy = copy(&file.path, &[]);
    assert!(copy.output.status.success(), "{:?}", copy.output);
    assert_eq!(findings(&copy.path), [""; 0]);
}

#[test]
fn tables_at_the_limits_of_their_indexes_come_through() {
    for rows in [0, 1, 64, 65, 447, 448, 1500] {
        let file = write(Format::Unicode, Crypt::None, |store| {
            let folder = store.folder(store.ipm_subtree(), "Rows");
            for row in 0..rows {
                store.message(folder, mail(&format!("Message {row}")));
            }
        });
        let copy = copy(&file.path, &[]);
        assert!(copy.output.status.success(), "{rows}: {:?}", copy.output);
        assert_eq!(findings(&copy.path), [""; 0], "{rows}");
        let said = copy.said();
        assert!(said.contains(&format!("{rows} item")), "{rows}: {said}");
    }
}

#[test]
fn more_attachments_than_one_list_of_subnodes_holds_come_through() {
    let file = write(Format::Unicode, Crypt::None, |store| {
        let folder = store.folder(store.ipm_subtree(), "Many");
        for count in [340, 341, 2000] {
            let mut message = mail(&format!("{count}"));
            for number in 0..count {
                message = message.attachment(&format!("{number}.txt"), b"text".to_vec());
            }
            store.message(folder, message);
        }
    });
    let copy = copy(&file.path, &[]);
    assert!(copy.output.status.success(), "{:?}", copy.output);
    assert_eq!(findings(&copy.path), [""; 0]);
}

#[test]
fn messages_and_folders_within_each_other_come_through() {
    const DEPTH: usize = 30;
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        let mut folder = store.ipm_subtree();
        for depth in 1..=DEPTH {
            folder = store.folder(folder, format!("Level {depth}"));
        }
        let mut message = mail("Level 30").body("The innermost");
        for depth in (1..DEPTH).rev() {
            message = mail(&format!("Level {depth}")).embed(message);
        }
        store.message(folder, message);
    });
    let copy = copy(&file.path, &[]);
    assert!(copy.output.status.success(), "{:?}", copy.output);
    assert_eq!(findings(&copy.path), [""; 0]);
    assert_eq!(subjects(&copy.path), ["Level 1"]);
    let (_scratch, tree) = mounted::export(&copy.path, &[]);
    let said = mounted::run("grep", &["-rlF", "The innermost", tree.to_str().unwrap()]);
    assert!(said.contains("Level 29/Level 30/"), "{said}");
}

#[test]
fn a_message_that_no_folder_lists_is_in_lost_and_found() {
    for (format, crypt) in FORMATS {
        let (file, inbox) = mailbox(format, crypt);
        file.damage().unlist(inbox, MESSAGE);
        let copy = copy(&file.path, &[]);
        assert!(copy.said().contains("Lost and Found"), "{format:?}");
        assert_eq!(findings(&copy.path), [""; 0], "{format:?}");
    }
}

#[test]
fn an_item_of_which_only_its_row_is_left_says_so() {
    for (format, crypt) in FORMATS {
        let (file, _) = mailbox(format, crypt);
        file.damage().forget_message(MESSAGE);
        let copy = copy(&file.path, &[]);
        assert_eq!(copy.output.status.code(), Some(4), "{format:?}");
        let (_scratch, tree) = mounted::export(&copy.path, &[]);
        let said = mounted::run("grep", &["-rl", "ostfs: damaged", tree.to_str().unwrap()]);
        assert_eq!(said.lines().count(), 1, "{format:?}: {said}");
    }
}

#[test]
fn an_item_that_is_not_whole_says_so_in_a_category() {
    let mut damaged = 0;
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        let folder = store.folder(store.ipm_subtree(), "Folder");
        store.message(folder, mail("Whole"));
        let message = mail("Damaged").attachment("a.bin", Payload::random(100_000, 3));
        damaged = store.message(folder, message);
    });
    file.damage().flip_attachment(damaged, 0);
    let copy = copy(&file.path, &[]);
    assert_eq!(copy.output.status.code(), Some(4), "{:?}", copy.output);
    assert_eq!(findings(&copy.path), [""; 0]);
    let (_scratch, tree) = mounted::export(&copy.path, &[]);
    let texts: Vec<String> = fs::read_dir(tree.join("Folder"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let marked = texts.iter().filter(|text| text.contains("ostfs: damaged"));
    let marked: Vec<_> = marked.collect();
    assert_eq!(marked.len(), 1);
    assert!(marked[0].contains("Damaged"));
}

#[test]
fn an_item_whose_names_of_properties_may_be_wrong_says_so() {
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        let folder = store.folder(store.ipm_subtree(), "Folder");
        store.message(folder, mail("Without names"));
        let named = mail("With a name").named(PSETID_COMMON, 0x8530, "follow up");
        store.message(folder, named);
    });
    let map = file.layout.node(0x61).data;
    file.damage().wrong_block_crc(map);
    let copy = copy(&file.path, &[]);
    assert_eq!(copy.output.status.code(), Some(4), "{:?}", copy.output);
    let (_scratch, tree) = mounted::export(&copy.path, &[]);
    let marked = mounted::run("grep", &["-rl", "ostfs: damaged", tree.to_str().unwrap()]);
    let marked: Vec<&str> = marked.lines().collect();
    assert!(
        matches!(&marked[..], [one] if one.contains("With a name")),
        "{marked:?}"
    );
}

/// The subjects in all folders of a PST.
fn subjects(path: &Path) -> Vec<String> {
    let ndb = ostfs::ndb::open(path, 1 << 20).unwrap();
    let store = Arc::new(OpenedStore::open(ndb));
    let mut subjects = Vec::new();
    let mut todo = vec![SUBTREE];
    while let Some(nid) = todo.pop() {
        let folder = Folder::new(&store, nid);
        let contents = folder.contents();
        subjects.extend(contents.rows().map(|row| row.subject.unwrap().text));
        todo.extend(folder.subfolders().iter().map(|below| below.nid));
    }
    subjects.sort();
    subjects
}

#[test]
fn each_filter_takes_what_it_takes_of_other_exports() {
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        let one = store.folder(store.ipm_subtree(), "One");
        let two = store.folder(store.ipm_subtree(), "Two");
        let below = store.folder(two, "Below");
        store.message(one, mail("Apples").time(filetime(2024, 5, 1, 9, 0)));
        store.message(two, mail("Pears").time(filetime(2024, 5, 2, 9, 0)));
        let figs = mail("Figs").from("Carol", "carol@south.example");
        store.message(below, figs.time(filetime(2024, 5, 3, 9, 0)));
        store.message(one, Message::new("IPM.Contact", "Dates"));
    });
    let expected: [(&[&str], &[&str]); 8] = [
        (&[], &["Apples", "Dates", "Figs", "Pears"]),
        (&["--folder", "Two"], &["Figs", "Pears"]),
        (
            &["--folder", "Two/Below", "--folder", "One"],
            &["Apples", "Dates", "Figs"],
        ),
        (&["--since", "2024-05-02"], &["Figs", "Pears"]),
        (
            &["--until", "2024-05-02", "--since", "2024-05-02"],
            &["Pears"],
        ),
        (&["--from", "south.example"], &["Figs"]),
        (&["--subject", "pear"], &["Pears"]),
        (&["--class", "IPM.Contact"], &["Dates"]),
    ];
    for (arguments, subjects_taken) in expected {
        let copy = copy(&file.path, arguments);
        assert_eq!(findings(&copy.path), [""; 0], "{arguments:?}");
        assert_eq!(subjects(&copy.path), subjects_taken, "{arguments:?}");
        let said = copy.said();
        let expected = format!("{} item", subjects_taken.len());
        assert!(said.contains(&expected), "{arguments:?}: {said}");
    }
}

#[test]
fn what_was_deleted_is_below_lost_and_found_if_that_is_asked_for() {
    for (format, crypt) in FORMATS {
        let (file, inbox) = mailbox(format, crypt);
        file.damage().drop_node(contents_table(inbox));
        file.damage().delete_message(MESSAGE);
        let without = copy(&file.path, &[]);
        let subject = "first".to_owned();
        assert!(!subjects(&without.path).contains(&subject), "{format:?}");
        let with = copy(&file.path, &["-o", "deleted"]);
        assert_eq!(findings(&with.path), [""; 0], "{format:?}");
        assert!(subjects(&with.path).contains(&subject), "{format:?}");
        let said = with.said();
        let line = said.lines().find(|line| line.contains("deleted"));
        assert!(
            line.is_some_and(|line| line.contains("Lost and Found")),
            "{said}"
        );
    }
}

/// What `of` has of the only message of a file.
fn of_message<T>(path: &Path, of: impl Fn(&OpenedMessage) -> T) -> T {
    let ndb = ostfs::ndb::open(path, 1 << 20).unwrap();
    let store = Arc::new(OpenedStore::open(ndb));
    let folders = Folder::new(&store, SUBTREE).subfolders().into_iter();
    let nids = folders.flat_map(|folder| {
        let contents = Folder::new(&store, folder.nid).contents();
        contents.rows().map(|row| row.nid).collect::<Vec<_>>()
    });
    let [nid] = nids.collect::<Vec<_>>()[..] else {
        panic!("{}", path.display());
    };
    of(&OpenedMessage::open(&store, nid).unwrap())
}

#[test]
fn what_the_row_has_of_an_item_stands_in_for_properties_that_its_list_has_lost() {
    let mut damaged = 0;
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        let folder = store.folder(store.ipm_subtree(), "Folder");
        damaged = store.message(folder, mail("Damaged"));
    });
    let subject = |message: &OpenedMessage| message.properties().value(tags::SUBJECT).unwrap();
    let whole = of_message(&file.path, subject);
    assert!(whole.is_some());
    let data = file.layout.node(damaged).data;
    file.damage()
        .edit_heap(data, |heap| heap.record(tags::SUBJECT)[..2].fill(0xFF));
    let copy = copy(&file.path, &[]);
    assert_eq!(findings(&copy.path), [""; 0]);
    assert_eq!(of_message(&copy.path, subject), whole);
}

#[test]
fn a_number_of_an_attachment_that_damage_has_made_another_type_of_is_that_of_others() {
    let mut damaged = 0;
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        let folder = store.folder(store.ipm_subtree(), "Folder");
        let bytes = Payload::random(100, 3);
        damaged = store.message(folder, mail("Damaged").attachment("a.bin", bytes));
    });
    let position = |message: &OpenedMessage| {
        let attachments = message.attachments();
        let properties = attachments[0].properties().unwrap();
        properties.value(tags::RENDERING_POSITION).unwrap()
    };
    let whole = of_message(&file.path, position);
    assert_eq!(whole, Some(Stored::Integer(-1)));
    let damage = file.damage();
    let parts = damage.subnodes(file.layout.node(damaged).sub);
    let attachment = parts.iter().find(|part| part.nid & 31 == 5).unwrap();
    // PtypBoolean.
    damage.edit_heap(attachment.data, |heap| {
        heap.record(tags::RENDERING_POSITION)[2] = 0x0B
    });
    let copy = copy(&file.path, &[]);
    assert_eq!(findings(&copy.path), [""; 0]);
    assert_eq!(of_message(&copy.path, position), whole);
}

/// java-libpst takes for granted that an attachment which says that it is a message has one.
#[test]
fn an_attached_message_that_is_lost_leaves_an_empty_attachment() {
    let mut damaged = 0;
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        let folder = store.folder(store.ipm_subtree(), "Folder");
        damaged = store.message(folder, mail("Damaged").embed(mail("Lost")));
    });
    let damage = file.damage();
    let parts = damage.subnodes(file.layout.node(damaged).sub);
    let attachment = parts.iter().find(|part| part.nid & 31 == 5).unwrap();
    for message in damage.subnodes(attachment.sub) {
        damage.zero_block(message.data);
    }
    damage.zero_block(attachment.sub);
    let copy = copy(&file.path, &[]);
    assert_eq!(copy.output.status.code(), Some(4), "{:?}", copy.output);
    assert_eq!(findings(&copy.path), [""; 0]);
    let ndb = ostfs::ndb::open(&copy.path, 1 << 20).unwrap();
    let store = Arc::new(OpenedStore::open(ndb));
    let message = OpenedMessage::open(&store, NodeId(MESSAGE)).unwrap();
    let properties = message.attachments()[0].properties().unwrap();
    let method = properties.integer(tags::ATTACH_METHOD).unwrap();
    let data = properties.value(tags::ATTACH_DATA).unwrap();
    // By value: [MS-OXCMSG] 2.2.2.9
    assert_eq!(method, Some(1));
    assert_eq!(data, Some(Stored::Binary(Vec::new())));
}

#[test]
fn what_is_missing_of_an_attachment_is_zeros_in_the_copy() {
    let data = Payload::random(100_000, 3);
    let mut damaged = 0;
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        let folder = store.folder(store.ipm_subtree(), "Folder");
        damaged = store.message(folder, mail("Damaged").attachment("a.bin", data.clone()));
    });
    let damage = file.damage();
    let blocks = damage.leaves(damage.attachment_data(damaged, 0));
    damage.zero_block(blocks[2]);
    let mut expected = data.bytes();
    expected[2 * BLOCK as usize..3 * BLOCK as usize].fill(0);
    let copy = copy(&file.path, &[]);
    assert_eq!(copy.output.status.code(), Some(4), "{:?}", copy.output);
    assert_eq!(findings(&copy.path), [""; 0]);
    let (_scratch, tree) = mounted::export(&copy.path, &[]);
    let exported = mounted::run("find", &[tree.to_str().unwrap(), "-name", "a.bin"]);
    assert!(fs::read(exported.trim()).unwrap() == expected);
    // It says so where a person looks, and what it is where a program does.
    let said = mounted::run("grep", &["-rh", "Keywords", tree.to_str().unwrap()]);
    assert!(said.contains("ostfs: damaged"), "{said}");
    let ndb = ostfs::ndb::open(&copy.path, 1 << 20).unwrap();
    let store = Arc::new(OpenedStore::open(ndb));
    let names = store.named_properties();
    let id = names.id_of_string(PropertySet::INTERNET_HEADERS, "x-ostfs-problem");
    let message = OpenedMessage::open(&store, NodeId(MESSAGE)).unwrap();
    let problem = message.properties().string(id.unwrap()).unwrap().unwrap();
    assert!(
        problem.contains("attachment") || problem.contains("data"),
        "{problem}"
    );
}

/// A list that has `member` beside the name and address of Carol.
fn list_of(member: Vec<u8>, checksum: i32) -> Message {
    Message::new("IPM.DistList", "List")
        .named(PSETID_ADDRESS, 0x8055, Value::MvBin(vec![member]))
        .named(PSETID_ADDRESS, 0x8054, Value::MvBin(vec![carol()]))
        .named(PSETID_ADDRESS, 0x804C, checksum)
}

fn carol() -> Vec<u8> {
    one_off("Carol", "carol@south.example")
}

#[test]
fn a_contact_in_a_list_is_named_by_its_address_since_the_old_file_is_not_there() {
    // [MS-OXOCNTC] 2.2.2.2.4: a GUID, the kind, and the entry id of a contact in the file of the list.
    let mut contact = vec![0; 4];
    contact.extend(*b"\xC0\x91\xAD\xD3\x51\x9D\xCF\x11\xA4\xA9\x00\xAA\x00\x47\xFA\xA4\xC3");
    contact.extend([0; 4]);
    contact.extend([7; 20]);
    let right = format::crc(&contact).cast_signed();
    for (checksum, expected) in [(right, carol()), (right ^ 1, contact.clone())] {
        let file = write(Format::Unicode, Crypt::Permute, |store| {
            let folder = store.folder(store.ipm_subtree(), "Contacts");
            store.message(folder, list_of(contact.clone(), checksum));
        });
        let copy = copy(&file.path, &[]);
        assert!(copy.output.status.success(), "{:?}", copy.output);
        let ndb = ostfs::ndb::open(&copy.path, 1 << 20).unwrap();
        let store = Arc::new(OpenedStore::open(ndb));
        let message = OpenedMessage::open(&store, NodeId(MESSAGE)).unwrap();
        let id = |lid| {
            store
                .named_properties()
                .id(PropertySet::ADDRESS, lid)
                .unwrap()
        };
        let members = message.properties().value(id(0x8055)).unwrap().unwrap();
        let is = Stored::Multiple(vec![Stored::Binary(expected.clone())]);
        assert_eq!(members, is);
        // Outlook asks for a checksum that fits; one that did not stays as it is.
        let fits = if checksum == right {
            format::crc(&expected).cast_signed()
        } else {
            checksum
        };
        let found = message.properties().integer(id(0x804C)).unwrap();
        assert_eq!(found, Some(fits));
    }
}

#[test]
fn several_sources_have_a_folder_each_and_together_another_key_than_one_of_them() {
    let source = |subject: &str| {
        write(Format::Ansi, Crypt::Permute, |store| {
            let folder = store.folder(store.ipm_subtree(), "Folder");
            store.message(folder, mail(subject));
        })
    };
    let (one, two) = (source("One"), source("Two"));
    let copy = copy(&one.path, &[]);
    assert_eq!(findings(&copy.path), [""; 0]);
    let target = two.path.with_file_name("both.pst");
    let arguments = ["export", "--to", "pst"].into_iter();
    let paths = [&one.path, &two.path, &target].map(|path| path.to_str().unwrap());
    let output = mounted::ostfs(&arguments.chain(paths).collect::<Vec<_>>());
    assert!(output.status.success(), "{output:?}");
    assert_eq!(findings(&target), [""; 0]);
    let ndb = ostfs::ndb::open(&target, 1 << 20).unwrap();
    let store = Arc::new(OpenedStore::open(ndb));
    let folders = Folder::new(&store, SUBTREE).subfolders();
    // Both, and the wastebasket.
    assert_eq!(folders.len(), 3, "{folders:?}");
    // Stores with one key cannot be open in Outlook at once.
    let of_one = OpenedStore::open(ostfs::ndb::open(&copy.path, 1 << 20).unwrap());
    assert_ne!(store.record_key(), of_one.record_key());
}

/// A reader judges: pffinfo cannot open a file with a name without a letter, which damage makes.
#[test]
fn a_property_whose_name_is_empty_has_a_number_as_its_name() {
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        let folder = store.folder(store.ipm_subtree(), "Names");
        let mail = mail("Empty").named_text(PS_INTERNET_HEADERS, "", "value");
        store.message(folder, mail);
    });
    let copy = copy(&file.path, &[]);
    let store = OpenedStore::open(ostfs::ndb::open(&copy.path, 1 << 20).unwrap());
    let names: Vec<_> = (0x8000..0x8010)
        .filter_map(|id| store.named_properties().name(id).cloned())
        .collect();
    let empty = PropertyName::String(String::new());
    assert!(
        names.len() > 3 && names.iter().all(|(_, name)| *name != empty),
        "{names:?}"
    );
}
