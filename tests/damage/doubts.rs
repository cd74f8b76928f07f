//! What may not be what it was says so: entries of damaged pages, entries of an older state of the file, and what only
//! the lost store object could tell. Files of our own writer, in all formats.

use std::collections::BTreeSet;

use crate::intact::{FANOUT, Intact, fill_inbox, for_each_format, message, options};
use crate::support::format::{PTYPE_BBT, PTYPE_NBT};
use crate::support::*;
use crate::walk::{Walked, check, everything, open, problems};
use ostfs::tree::{Options, Tree};

const MESSAGES: u32 = 30;
const PROBLEM: &str = "x-ostfs-problem:";
/// Bytes of a NID, the first field of an entry.
const NID: usize = 4;

/// The messages, and behind them a contact with an attachment.
fn file(format: Format, crypt: Crypt) -> Intact {
    Intact::write(options(format, crypt), |store| {
        let (inbox, mut nodes) = fill_inbox(store, (0..MESSAGES).map(message));
        let contacts = store.folder(store.ipm_subtree(), "Contacts");
        let contact = Message::contact("Eve", "Evans", "eve@north.example");
        let contact = contact.attachment("plan.pdf", Payload::random(5_000, 1));
        nodes.push(store.message(contacts, contact));
        (inbox, nodes)
    })
}

fn is_item(path: &str) -> bool {
    path.ends_with(".eml") || path.ends_with(".vcf")
}

/// In lower case, with the lines of a header unfolded.
fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    text.replace('\r', "").replace("\n ", " ")
}

impl Intact {
    /// The path of message `number`.
    fn mail(&self, number: u32) -> &str {
        let end = format!(" Message {number}.eml");
        let paths = self.whole.keys();
        let found = paths.into_iter().find(|path| path.ends_with(&end));
        found.unwrap()
    }

    /// The files of this walk that are not what they were, and do not say so; and how many items say so.
    fn unsaid<'a>(&'a self, walked: &'a Walked) -> (Vec<&'a str>, usize) {
        let mut unsaid = Vec::new();
        let mut said = 0;
        let says = |path: &str| {
            let found = walked.files.get(path);
            found.is_some_and(|bytes| text(bytes).contains(PROBLEM))
        };
        let paths: BTreeSet<&String> = self.whole.keys().chain(walked.files.keys()).collect();
        for path in paths {
            let (before, after) = (self.whole.get(path), walked.files.get(path));
            if before == after || walked.failed.contains(path) {
                continue;
            }
            let item = path.split_once(".attachments/").map(|(stem, _)| stem);
            let item_says = item
                .is_some_and(|stem| says(&format!("{stem}.eml")) || says(&format!("{stem}.vcf")));
            match after {
                Some(_) if is_item(path) && says(path) => said += 1,
                // Less than there was, but never other bytes.
                None if item_says => {}
                // What belongs to no message that is known, beside an item that says so.
                Some(_) if before.is_none() && item_says => {}
                _ => unsaid.push(path.as_str()),
            }
        }
        (unsaid, said)
    }
}

#[test]
fn a_page_with_a_wrong_signature_and_a_right_crc_is_used_and_named_by_check() {
    for_each_format(file, |file| {
        for ptype in [PTYPE_NBT, PTYPE_BBT] {
            let key = match ptype {
                PTYPE_NBT => u64::from(file.messages[9]),
                _ => file.layout.node(file.messages[9]).data,
            };
            file.damage()
                .flip_signature(file.layout.page(ptype, 0, key));
        }
        let scanned = Box::new(|_, _| panic!("the file was scanned"));
        let tree = Tree::open_with(&file.path, &Options::default(), scanned).unwrap();
        let walked = everything(&tree);
        assert!(walked.files == file.whole && walked.failed.is_empty());
        let report = check(&file.path).unwrap();
        let named = report.findings.iter();
        let named = named.filter(|finding| finding.problem.contains("wSig"));
        assert_eq!((report.errors, named.count()), (2, 2));
    });
}

#[test]
fn of_a_damaged_leaf_the_entries_that_are_left_are_shown_and_say_so() {
    for_each_format(file, |file| {
        let nid = file.messages[10];
        // Where the data is: the place of a block that is not there.
        let high = file.layout.geo.word() * 2 - 1;
        file.damage().flip_node(nid, high);
        let (walked, problems) = file.walked();
        let (unsaid, said) = file.unsaid(&walked);
        assert_eq!(
            (unsaid, &walked.failed[..]),
            (vec![], &[][..]),
            "{problems}"
        );
        assert!((1..=FANOUT).contains(&said), "{said}\n{problems}");
        let mut items = walked.files.iter().filter(|(path, _)| is_item(path));
        assert!(
            items.all(|(_, bytes)| {
                let text = text(bytes);
                text.contains("it stands in the damaged page") == text.contains(PROBLEM)
            }),
            "{problems}"
        );
        assert_eq!(walked.files.len(), file.whole.len(), "{problems}");
    });
}

#[test]
fn whatever_byte_of_a_leaf_is_wrong_nothing_is_shown_as_something_else_without_a_word() {
    for_each_format(file, |file| {
        let nids = &file.messages[8..14];
        let size = file.layout.geo.word() * 3 + NID;
        for (number, at) in (0..size).enumerate() {
            let nid = nids[number % nids.len()];
            file.damage().flip_node(nid, at);
            let (walked, problems) = file.walked();
            let (unsaid, _) = file.unsaid(&walked);
            assert!(unsaid.is_empty(), "{nid:#x} {at}: {unsaid:?}\n{problems}");
            let mails = walked.files.keys().filter(|path| path.ends_with(".eml"));
            assert!(mails.count() >= MESSAGES as usize, "{nid:#x} {at}");
            std::fs::write(&file.path, &file.bytes).unwrap();
        }
    });
}

#[test]
fn a_message_whose_entry_is_older_than_what_was_lost_says_so_and_no_other_does() {
    for_each_format(file, |file| {
        let nid = file.messages[20];
        let leaf = file.layout.page(PTYPE_NBT, 0, u64::from(nid));
        let damage = file.damage();
        damage.leave_stale(leaf);
        damage.zero_page(leaf);
        let (walked, problems) = file.walked();
        assert_eq!(file.unsaid(&walked), (vec![], 0), "{problems}");
        damage.free_block(file.layout.node(nid).data);
        let (walked, problems) = file.walked();
        assert_eq!(file.unsaid(&walked), (vec![], 1), "{problems}");
        let mail = text(&walked.files[file.mail(20)]);
        assert!(mail.contains("older"), "{mail}");
        assert!(
            problems.contains(&format!("message {nid:#x}: ")),
            "{problems}"
        );
    });
}

/// A wrong byte behind the last entry of the page at `ib`: its CRC is wrong, and all of its entries are right.
fn damage_behind_entries(file: &Intact, ib: u64) {
    file.damage().flip(ib + file.layout.geo.entries as u64 - 1);
}

#[test]
fn a_damaged_leaf_has_no_say_where_a_newer_one_is_whole() {
    for_each_format(file, |file| {
        let nid = u64::from(file.messages[20]);
        let damage = file.damage();
        let stale = damage.leave_stale(file.layout.page(PTYPE_NBT, 0, nid));
        damage_behind_entries(&file, stale);
        damage.zero_page(file.layout.page(PTYPE_NBT, 1, nid));
        file.shows_everything();
        let (walked, problems) = file.walked();
        assert_eq!(file.unsaid(&walked), (vec![], 0), "{problems}");
    });
}

#[test]
fn a_damaged_leaf_stands_in_before_an_older_one_that_is_whole() {
    for_each_format(file, |file| {
        let leaf = file.layout.page(PTYPE_NBT, 0, u64::from(file.messages[20]));
        file.damage().leave_stale(leaf);
        damage_behind_entries(&file, leaf.ib);
        let (walked, problems) = file.walked();
        let (unsaid, said) = file.unsaid(&walked);
        assert!(unsaid.is_empty(), "{unsaid:?}\n{problems}");
        assert_eq!(said, usize::from(leaf.entries), "{problems}");
        let mail = text(&walked.files[file.mail(20)]);
        assert!(mail.contains("it stands in the damaged page"), "{mail}");
    });
}

#[test]
fn a_healthy_file_with_wrong_allocation_maps_has_no_doubts() {
    for_each_format(file, |file| {
        for nid in &file.messages {
            file.damage().free_block(file.layout.node(*nid).data);
        }
        let (walked, problems) = file.walked();
        assert!(walked.files == file.whole, "{problems}");
        assert_eq!(problems, "");
    });
}

#[test]
fn with_wrong_allocation_maps_a_lost_page_casts_doubt_on_its_own_nodes_alone() {
    for_each_format(file, |file| {
        let damage = file.damage();
        for nid in &file.messages {
            damage.free_block(file.layout.node(*nid).data);
        }
        let leaf = file.layout.page(PTYPE_NBT, 0, u64::from(file.messages[20]));
        damage.leave_stale(leaf);
        damage.zero_page(leaf);
        // Whatever is found damaged later, what was shown before stays the same.
        let tree = open(&file.path).unwrap();
        let (first, second) = (everything(&tree), everything(&tree));
        assert!(first.files == second.files);
        let (unsaid, said) = file.unsaid(&first);
        assert_eq!(unsaid, [""; 0]);
        assert!((1..=FANOUT).contains(&said), "{said}");
    });
}

#[test]
fn the_nodes_of_a_lost_page_are_named() {
    for_each_format(file, |file| {
        let leaf = file.layout.page(PTYPE_NBT, 0, u64::from(file.messages[20]));
        file.damage().zero_page(leaf);
        let (_, problems) = file.walked();
        let range = format!("of the nodes from {:#x} to ", leaf.key);
        assert!(problems.contains(&range), "{range}\n{problems}");
    });
}

#[test]
fn the_card_of_a_contact_names_an_attachment_that_cannot_be_read() {
    for_each_format(file, |file| {
        let damage = file.damage();
        let subnodes = damage.subnodes(file.layout.node(file.messages[MESSAGES as usize]).sub);
        let attachment = subnodes.iter().find(|node| node.nid & 31 == 5).unwrap();
        damage.flip_block(damage.leaves(attachment.data)[0], 20);
        let (walked, problems) = file.walked();
        let (unsaid, said) = file.unsaid(&walked);
        let unsaid: Vec<&str> = unsaid
            .into_iter()
            .filter(|path| !path.contains(".attachments/"))
            .collect();
        assert_eq!((unsaid, said), (vec![], 1), "{problems}");
    });
}

#[test]
fn without_the_store_object_mail_is_the_same_or_says_what_is_not() {
    const MESSAGE_STORE: u32 = 0x21;
    for_each_format(file, |file| {
        let damage = file.damage();
        let store = file.layout.node(MESSAGE_STORE);
        damage.flip_block(damage.leaves(store.data)[0], 20);
        let (walked, problems) = file.walked();
        assert_eq!(file.unsaid(&walked).0, [""; 0], "{problems}");
        let boundary = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let (_, rest) = text.split_once("boundary=")?;
            Some(rest.lines().next()?.to_owned())
        };
        for (path, before) in &file.whole {
            if let Some(after) = walked.files.get(path) {
                assert_eq!(boundary(before), boundary(after), "{path}");
            }
        }
    });
}

/// Messages of 8-bit text in a store whose object is lost, which alone had their code page.
#[test]
fn without_the_store_object_text_of_an_unknown_code_page_says_so_and_no_other_does() {
    const MESSAGE_STORE: u32 = 0x21;
    const MESSAGE_CODEPAGE: u16 = 0x3FFD;
    const BODY: u16 = 0x1000;
    let message = |subject: &str, body: &[u8]| {
        Message::new("IPM.Note", subject).prop(BODY, Value::Str8(body.to_vec()))
    };
    for_each_format(
        |format, crypt| {
            Intact::write(options(format, crypt), |store| {
                let messages = [
                    message("Message 0", b"Caf\xE9"),
                    message("Message 1", b"Coffee"),
                    message("Message 2", b"Caf\xE9").prop(MESSAGE_CODEPAGE, 1252),
                ];
                fill_inbox(store, messages)
            })
        },
        |file| {
            let says = |number: u32| {
                let (walked, _) = file.walked();
                text(&walked.files[file.mail(number)]).contains("x-ostfs-problem: code page: ")
            };
            assert_eq!([0, 1, 2].map(says), [false; 3]);
            let damage = file.damage();
            let store = file.layout.node(MESSAGE_STORE);
            damage.zero_block(damage.leaves(store.data)[0]);
            assert_eq!([0, 1, 2].map(says), [true, false, false]);
        },
    );
}

#[test]
fn a_message_of_which_only_its_row_is_left_says_so_in_header_text_and_list() {
    for_each_format(file, |file| {
        let nid = file.messages[3];
        let damage = file.damage();
        damage.zero_block(damage.leaves(file.layout.node(nid).data)[0]);
        let (walked, problems) = file.walked();
        assert_eq!(file.unsaid(&walked), (vec![], 1), "{problems}");
        let mail = text(&walked.files[file.mail(3)]);
        let (header, body) = mail.split_once("\n\n").unwrap();
        let mut told = header.lines().filter_map(|line| line.strip_prefix(PROBLEM));
        let reason = told.next().expect("a problem").trim();
        assert!(reason.starts_with("damaged block"), "{header}");
        let said = format!("this message could not be read.\n\n{reason}");
        assert!(body.contains(&said), "{body}");
        let list = problems.to_ascii_lowercase();
        assert!(
            list.contains(&format!("message {nid:#x}: {reason}")),
            "{reason}\n{problems}"
        );
    });
}

#[test]
fn a_folder_that_has_lost_its_name_is_named_by_its_node() {
    for_each_format(file, |file| {
        let damage = file.damage();
        let parent = file.layout.node(file.inbox).parent;
        let table = file.layout.node(hierarchy_table(parent));
        damage.zero_block(damage.leaves(table.data)[0]);
        let own = file.layout.node(file.inbox);
        damage.zero_block(damage.leaves(own.data)[0]);
        let (walked, problems) = file.walked();
        let mails = walked.files.keys().filter(|path| path.ends_with(".eml"));
        assert_eq!(mails.count(), MESSAGES as usize);
        assert!(
            problems.contains(&format!("node {:#x})", file.inbox)),
            "{problems}"
        );
    });
}

#[test]
fn a_folder_tells_once_of_names_made_of_damaged_properties_and_not_of_other_damage() {
    for (format, crypt) in ALL_FORMATS {
        let mut options = crate::support::Options::new(format, crypt);
        options.compress = false;
        let mut store = Store::with(options);
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let message = |number: u64| {
            // The date of the name is not in the row.
            Message::mail("Equal")
                .row(0x0E06, None)
                .row(0x0039, None)
                .attachment("data.bin", Payload::random(9_000, number))
        };
        let messages: Vec<u32> = (0..4)
            .map(|number| store.message(inbox, message(number)))
            .collect();
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("test.pst");
        let layout = store.write(&path).unwrap();
        let damage = Damage::open(&path, &layout).unwrap();
        let told = || {
            let tree = open(&path).unwrap();
            everything(&tree);
            let problems = problems(&tree);
            let of_names = |line: &&str| line.contains("names of some items");
            let lines: Vec<String> = problems
                .lines()
                .filter(of_names)
                .map(str::to_owned)
                .collect();
            assert!(!problems.is_empty());
            lines
        };
        // The CRC vouches for the properties of the one, and an attachment is in no name.
        damage.flip_block_id(layout.node(messages[0]).data);
        damage.flip_block(
            damage.leaves(damage.attachment_data(messages[1], 0))[0],
            100,
        );
        assert_eq!(told(), [""; 0], "{format:?}");
        for message in &messages[2..] {
            damage.flip_block(layout.node(*message).data, 100);
        }
        let lines = told();
        let folder = format!("folder {inbox:#x}: ");
        assert!(
            matches!(&lines[..], [line] if line.starts_with(&folder)),
            "{format:?}: {lines:?}"
        );
    }
}

/// The name of a document is in its attachment.
#[test]
fn a_folder_tells_of_the_names_of_documents_made_of_damaged_properties() {
    for (format, crypt) in ALL_FORMATS {
        let mut store = Store::with(options(format, crypt));
        let folder = store.folder(store.ipm_subtree(), "Shared");
        let document = Message::new("IPM.Document.txtfile", "Plan")
            .attachment("first.txt", Payload::random(9_000, 1));
        let nid = store.message(folder, document);
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("test.pst");
        let layout = store.write(&path).unwrap();
        let told = || {
            let tree = open(&path).unwrap();
            everything(&tree);
            problems(&tree).contains(&format!("folder {folder:#x}: the names of some items"))
        };
        assert!(!told(), "{format:?}");
        let damage = Damage::open(&path, &layout).unwrap();
        // What is in the file is in no name.
        damage.flip_attachment(nid, 0);
        assert!(!told(), "{format:?}");
        let attachment = damage.subnodes(layout.node(nid).sub);
        let attachment = attachment.iter().find(|node| node.nid & 0x1F == 5);
        damage.flip_block(attachment.expect("attachment").data, 40);
        assert!(told(), "{format:?}");
    }
}
