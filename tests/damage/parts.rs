//! What damage costs: only the part that it hits. Files of our own writer, in all formats, broken at known places.

use std::collections::BTreeMap;

use crate::intact::{Intact, fill_inbox, for_each_format, message, options};
use crate::one_bit::without_problems;
use crate::support::format::{PTYPE_BBT, PTYPE_NBT};
use crate::support::*;
use crate::walk::{Walked, check, everything, found, open, problems};
use ostfs::tree::{Options, Tree};

const MESSAGES: u32 = 40;

fn file(format: Format, crypt: Crypt) -> Intact {
    Intact::write(options(format, crypt), |store| {
        fill_inbox(store, (0..MESSAGES).map(message))
    })
}

/// The file shows exactly what it showed when it was whole, and says that something is wrong, as `check` does.
fn shows_everything(file: &Intact) {
    file.shows_everything();
    has_errors(file);
}

fn has_errors(file: &Intact) -> ostfs::check::Report {
    let report = check(&file.path).unwrap();
    assert!(report.errors > 0, "check found nothing");
    report
}

#[test]
fn a_whole_file_has_no_errors_and_is_never_scanned() {
    for_each_format(file, |file| {
        let report = check(&file.path).unwrap();
        assert!(found(&report).is_empty(), "{:?}", found(&report));
        assert_eq!(report.messages, u64::from(MESSAGES));
        let scanned = Box::new(|_, _| panic!("a whole file was scanned"));
        let tree = Tree::open_with(&file.path, &Options::default(), scanned).unwrap();
        assert!(everything(&tree).files == file.whole);
        assert_eq!(tree.problem_count(), 0);
    });
}

/// A list of subnodes has at most 510 entries in a block, so one above it leads to several.
#[test]
fn of_a_whole_message_with_more_parts_than_a_list_has_entries_all_are_there_and_nothing_is_said() {
    const PARTS: u64 = 1100;
    for (format, crypt) in ALL_FORMATS {
        let mut nid = 0;
        let file = crate::mailbox::write(format, crypt, |store| {
            let inbox = store.folder(store.ipm_subtree(), "Inbox");
            let part = |mail: Message, number| {
                mail.attachment(&format!("{number}.bin"), Payload::random(30, number))
            };
            nid = store.message(inbox, (0..PARTS).fold(message(1), part));
        });
        let report = check(&file.path).unwrap();
        assert!(found(&report).is_empty(), "{:?}", found(&report));
        let store = file.store();
        let opened = ostfs::messaging::Message::open(&store, ostfs::ndb::NodeId(nid)).unwrap();
        // The message of the tests has one already.
        assert_eq!(opened.attachments().len() as u64, 1 + PARTS);
        opened.note_circumstances();
        let problems = opened.problems().list();
        assert!(problems.is_empty(), "{problems:?}");
    }
}

/// HNHDR and the BTHHEADER behind it, [MS-PST] 2.3.1.2 and 2.3.2.1: hidUserRoot; bType, cbKey, cbEnt, bIdxLevels.
#[test]
fn a_damaged_byte_of_what_leads_to_the_properties_of_a_message_costs_nothing_and_is_told() {
    for_each_format(file, |file| {
        let message = file.messages[7];
        let data = file.layout.node(message).data;
        let whole = without_problems(file.whole.clone());
        for at in [4, 5, 12, 13, 14, 15] {
            file.damage().flip_block(data, at);
            let (walked, problems) = file.walked();
            assert_eq!(walked.failed, [""; 0]);
            let is_same = without_problems(walked.files) == whole;
            assert!(is_same, "byte {at}: other bytes");
            let of_message = format!("message {message:#x}: ");
            assert!(problems.contains(&of_message), "byte {at}: {problems}");
            has_errors(&file);
            file.damage().flip_block(data, at);
        }
    });
}

#[test]
fn a_wrong_header_crc_costs_nothing() {
    for_each_format(file, |file| {
        file.damage().wrong_header_crc();
        shows_everything(&file);
    });
}

#[test]
fn a_lost_header_costs_nothing() {
    for_each_format(file, |file| {
        file.damage().zero_header();
        shows_everything(&file);
    });
}

#[test]
fn a_lost_header_without_recovery_is_one_line() {
    for_each_format(file, |file| {
        file.damage().zero_header();
        let options = Options {
            recover: ostfs::ndb::Recover::Off,
            ..Options::default()
        };
        let error = Tree::open(&file.path, &options).unwrap_err();
        assert!(error.to_string().contains("starts with zeros"), "{error}");
    });
}

#[test]
fn lost_roots_cost_nothing() {
    for ptype in [PTYPE_NBT, PTYPE_BBT] {
        for_each_format(file, |file| {
            let level = file.layout.depth(ptype) - 1;
            assert!(level > 1);
            file.damage()
                .zero_page(file.layout.page(ptype, level, u64::MAX));
            shows_everything(&file);
        });
    }
}

#[test]
fn a_header_that_names_another_page_as_a_root_costs_nothing() {
    for has_its_id in [false, true] {
        for_each_format(file, |file| {
            let page = file.layout.page(PTYPE_NBT, 0, u64::MAX);
            file.damage().other_root(page, has_its_id);
            file.shows_everything();
        });
    }
}

#[test]
fn lost_and_cyclic_intermediate_pages_cost_nothing() {
    for ptype in [PTYPE_NBT, PTYPE_BBT] {
        for_each_format(file, |file| {
            let message = file.layout.node(file.messages[20]);
            let key = if ptype == PTYPE_NBT {
                u64::from(message.nid)
            } else {
                message.data
            };
            let page = file.layout.page(ptype, 1, key);
            file.damage().flip_page(page);
            shows_everything(&file);
        });
        for_each_format(file, |file| {
            let root = file.layout.depth(ptype) - 1;
            let page = file.layout.page(ptype, root, u64::MAX);
            file.damage().cyclic_page(page);
            shows_everything(&file);
        });
    }
}

#[test]
fn keys_that_do_not_ascend_cost_nothing() {
    for (ptype, level) in [
        (PTYPE_NBT, 0),
        (PTYPE_NBT, 1),
        (PTYPE_BBT, 0),
        (PTYPE_BBT, 1),
    ] {
        for_each_format(file, |file| {
            let message = file.layout.node(file.messages[20]);
            let key = match ptype {
                PTYPE_NBT => u64::from(message.nid),
                _ => message.data,
            };
            let page = file.layout.page(ptype, level, key);
            file.damage().reverse_page(page);
            shows_everything(&file);
        });
    }
}

#[test]
fn of_two_nodes_of_one_number_it_is_said_that_one_is_not_shown() {
    for_each_format(file, |file| {
        let damage = file.damage();
        let leaf = |nid: &u32| file.layout.page(PTYPE_NBT, 0, u64::from(*nid)).ib;
        let pairs = file.messages.windows(2);
        let pair = pairs.rev().find(|pair| leaf(&pair[0]) == leaf(&pair[1]));
        let [kept, hidden] = *pair.expect("a leaf with two messages") else {
            unreachable!()
        };
        damage.set_nid(kept, hidden);
        let (walked, problems) = file.walked();
        assert!(walked.files != file.whole);
        let told = format!("key {hidden:#x}: there twice, the last one is used");
        assert!(problems.contains(&told), "{problems}");
        has_errors(&file);
    });
}

#[test]
fn a_lost_leaf_of_the_block_tree_costs_nothing() {
    for_each_format(file, |file| {
        let node = file.layout.node(file.messages[20]);
        file.damage()
            .zero_page(file.layout.page(PTYPE_BBT, 0, node.data));
        shows_everything(&file);
    });
}

#[test]
fn a_block_without_an_entry_is_found_by_its_trailer() {
    for_each_format(file, |file| {
        file.damage()
            .drop_block(file.layout.node(file.messages[20]).data);
        shows_everything(&file);
    });
}

#[test]
fn a_damaged_block_that_is_at_its_place_has_nothing_scanned() {
    for_each_format(file, |file| {
        let damage = file.damage();
        let contents = file.layout.node(file.inbox & !0x1F | 0x0E);
        damage.flip_block(damage.leaves(contents.data)[0], 200);
        damage.flip_block(file.layout.node(file.messages[3]).data, 100);
        let leaf = |message: u32| damage.leaves(damage.attachment_data(message, 0))[0];
        damage.flip_block(leaf(file.messages[4]), 100);
        // The type of a list of subnodes.
        damage.flip_block(file.layout.node(file.messages[6]).sub, 0);
        // Size and signature still say whose place it is.
        damage.flip_block(leaf(file.messages[5]), 100);
        damage.flip_block_id(leaf(file.messages[5]));
        let scanned = Box::new(|_, _| panic!("the file was scanned for a flipped bit"));
        let tree = Tree::open_with(&file.path, &Options::default(), scanned).unwrap();
        let walked = everything(&tree);
        assert_eq!(walked.failed, [""; 0]);
        let changed = |(path, bytes): &(&String, &Vec<u8>)| walked.files.get(*path) != Some(bytes);
        assert!(file.whole.iter().filter(changed).count() > 0);
        assert!(walked.problems > 0);
    });
}

#[test]
fn a_block_that_was_moved_is_found_by_its_trailer() {
    for_each_format(file, |file| {
        let damage = file.damage();
        let leaf = |message: u32| damage.leaves(damage.attachment_data(message, 0))[0];
        let (zeroed, overwritten) = (leaf(file.messages[4]), leaf(file.messages[5]));
        damage.leave_copy(zeroed);
        damage.zero_block(zeroed);
        shows_everything(&file);
        let end = std::fs::metadata(&file.path).unwrap().len();
        damage.truncate(end.next_multiple_of(file.layout.geo.page as u64));
        damage.leave_copy(overwritten);
        damage.overwrite_block(overwritten, leaf(file.messages[6]));
        shows_everything(&file);
    });
}

#[test]
fn a_list_of_subnodes_of_which_nothing_is_left_is_found_where_it_was_before() {
    for_each_format(file, |file| {
        let list = file.layout.node(file.messages[4]).sub;
        file.damage().leave_copy(list);
        file.damage().garble_block(list);
        shows_everything(&file);
    });
}

#[test]
fn a_list_of_subnodes_that_is_lost_is_put_together_from_what_nothing_else_refers_to() {
    for_each_format(file, |file| {
        let list = file.layout.node(file.messages[4]).sub;
        file.damage().garble_block(list);
        let tree = open(&file.path).unwrap();
        let walked = everything(&tree);
        assert_eq!(walked.failed, [""; 0]);
        // No message lacks its node, which is nothing to tell.
        assert!(!problems(&tree).contains("no nodes"));
        for (path, whole) in file
            .whole
            .iter()
            .filter(|(path, _)| path.ends_with("data.bin"))
        {
            assert_eq!(walked.files.get(path), Some(whole), "{path}");
        }
        let mail = walked
            .files
            .iter()
            .find(|(path, _)| path.ends_with("Message 4.eml"));
        let mail = String::from_utf8(mail.expect("it is listed").1.clone()).unwrap();
        assert!(
            mail.contains("X-Ostfs-Problem: subnodes: the list of them is lost"),
            "{mail}"
        );
        assert!(
            mail.contains("Text 4") && mail.contains("bob@north.example"),
            "{mail}"
        );
    });
}

/// The lists of the attachments of `message`.
fn attachment_lists(file: &Intact, message: u32) -> Vec<u64> {
    let parts = file.damage().subnodes(file.layout.node(message).sub);
    let attachments = parts.into_iter().filter(|part| part.nid & 31 == 5);
    attachments.map(|attachment| attachment.sub).collect()
}

#[test]
fn an_attachment_whose_subnode_names_no_data_is_not_taken_for_an_empty_one() {
    for_each_format(file, |file| {
        let damage = file.damage();
        let list = attachment_lists(&file, file.messages[4])[0];
        let content = damage.subnodes(list)[0];
        damage.set_subnode(list, content.nid, 0, 0);
        let walked = everything(&open(&file.path).unwrap());
        let (_, mail) = walked
            .files
            .iter()
            .find(|(path, _)| path.ends_with("Message 4.eml"))
            .expect("it is listed");
        let mail = String::from_utf8_lossy(mail).replace("\n ", " ");
        let problem = "attachment \"data.bin\", property 0x3701: missing: its subnode has no data";
        assert!(mail.contains(problem), "{mail}");
    });
}

#[test]
fn attachments_whose_lists_are_lost_are_told_by_their_sizes_where_one_of_them_is_gone() {
    const SIZES: [u64; 4] = [4_000, 5_000, 6_000, 7_000];
    let with_attachments = |number| {
        let named = SIZES.into_iter().map(|size| (format!("{size}.bin"), size));
        named.fold(message(number), |message, (name, size)| {
            message.attachment(&name, Payload::random(size, size + u64::from(number)))
        })
    };
    let file = |format, crypt| {
        Intact::write(options(format, crypt), |store| {
            fill_inbox(store, (0..10).map(with_attachments))
        })
    };
    for_each_format(file, |file| {
        let damage = file.damage();
        // The first one of a message is that of all messages.
        let gone = damage.attachment_data(file.messages[4], 2);
        for list in attachment_lists(&file, file.messages[4]) {
            damage.garble_block(list);
        }
        damage.zero_block(gone);
        damage.drop_block(gone);
        let walked = everything(&open(&file.path).unwrap());
        for (path, whole) in file
            .whole
            .iter()
            .filter(|(path, _)| path.contains("Message 4.att"))
        {
            let is_lost = path.ends_with("5000.bin");
            assert_eq!(walked.files.get(path) == Some(whole), !is_lost, "{path}");
        }
    });
}

#[test]
fn of_an_xblock_that_is_lost_with_its_last_leaf_all_other_leaves_are_shown() {
    const LONG: u64 = 60_000;
    let long = |number| {
        message(number).attachment("long.bin", Payload::random(LONG, u64::from(number) + 100))
    };
    let file = |format, crypt| {
        Intact::write(options(format, crypt), |store| {
            fill_inbox(store, (0..6).map(long))
        })
    };
    for_each_format(file, |file| {
        let damage = file.damage();
        let content = damage.attachment_data(file.messages[3], 1);
        let leaves = damage.leaves(content);
        if leaves.len() < 2 {
            // One block of a 4K-page file holds it all.
            assert!(leaves == [content]);
            return;
        }
        let last = damage.payload(*leaves.last().unwrap()).len();
        damage.drop_block(*leaves.last().unwrap());
        damage.garble_block(content);
        let walked = everything(&open(&file.path).unwrap());
        let is_long = |path: &&String| path.ends_with("Message 3.attachments/long.bin");
        let path = file.whole.keys().find(is_long).unwrap();
        let there = file.whole[path].len() - last;
        assert!(walked.files[path].starts_with(&file.whole[path][..there]));
        assert!(walked.problems > 0);
    });
}

#[test]
fn copies_of_a_message_that_share_their_blocks_and_have_lost_their_nodes_are_all_found() {
    // In an OST each item has an id among its properties, so copies have blocks of their own.
    for format in [Format::Ansi, Format::Unicode] {
        let file = Intact::write(options(format, Crypt::Permute), |store| {
            // PidTagConversationIndex and PidTagSearchKey, which copies have in common.
            let key = [1; 16].as_slice();
            let copy = || {
                message(20)
                    .prop(tags::CONVERSATION_INDEX, key)
                    .prop(tags::SEARCH_KEY, key)
            };
            let copies = [copy(), copy(), copy()];
            let (before, behind) = ((0..20).map(message), (21..40).map(message));
            fill_inbox(store, before.chain(copies).chain(behind))
        });
        let damage = file.damage();
        let copies = &file.messages[20..23];
        let first = file.layout.node(copies[0]);
        for copy in &copies[1..] {
            let own = file.layout.node(*copy);
            damage.set_node(*copy, first.data, first.sub, file.inbox);
            damage.drop_block(own.data);
            damage.drop_block(own.sub);
        }
        for shared in [first.data, first.sub] {
            damage.set_references(shared, copies.len() as u16 + 1);
        }
        let whole = everything(&open(&file.path).unwrap()).files;
        for copy in copies {
            damage.zero_page(file.layout.page(PTYPE_NBT, 0, u64::from(*copy)));
        }
        let found = everything(&open(&file.path).unwrap()).files;
        let of_copies = |path: &&String| path.contains("Message 20");
        assert_eq!(whole.keys().filter(of_copies).count(), 2 * copies.len());
        for path in whole.keys().filter(of_copies) {
            assert!(found.get(path) == whole.get(path), "{path}");
        }
    }
}

#[test]
fn a_page_that_claims_too_many_entries_is_gone_around() {
    for_each_format(file, |file| {
        let page = file.layout.page(PTYPE_NBT, 1, u64::MAX);
        file.damage().entry_count(page, u16::MAX);
        shows_everything(&file);
    });
}

#[test]
fn messages_whose_nodes_are_lost_are_found_by_what_their_rows_say() {
    for_each_format(file, |file| {
        let lost = file.layout.page(PTYPE_NBT, 0, u64::from(file.messages[20]));
        file.damage().zero_page(lost);
        shows_everything(&file);
    });
}

/// The list of another message is lost as well, so it is not known whether more parts are without a message.
#[test]
fn messages_whose_nodes_are_lost_have_the_parts_that_fit_them_and_no_other() {
    for_each_format(file, |file| {
        let lost = file.layout.page(PTYPE_NBT, 0, u64::from(file.messages[20]));
        file.damage().zero_page(lost);
        let list = file.layout.node(file.messages[30]).sub;
        file.damage().garble_block(list);
        let (walked, problems) = file.walked();
        let content = file.whole.iter();
        for (path, whole) in content.filter(|(path, _)| path.ends_with("data.bin")) {
            assert_eq!(walked.files.get(path), Some(whole), "{path}: {problems}");
        }
        let mut mails = walked.files.iter();
        let (_, mail) = mails
            .find(|(path, _)| path.ends_with("Message 20.eml"))
            .expect("it is listed");
        let mail = String::from_utf8_lossy(mail);
        assert!(mail.contains("bob@north.example"), "{mail}");
        assert!(mail.contains("X-Ostfs-Problem: "), "{mail}");
    });
}

/// A count of one is that of the entry itself: files of Outlook have blocks that nothing refers to any more.
#[test]
fn a_block_that_nothing_has_referred_to_casts_no_doubt_on_messages_whose_nodes_are_lost() {
    for_each_format(file, |file| {
        let damage = file.damage();
        let message = file.layout.node(file.messages[30]);
        damage.drop_node(file.messages[30]);
        damage.unlist(file.inbox, file.messages[30]);
        for block in damage.blocks_of(message) {
            damage.set_references(block, 1);
        }
        let lost = file.layout.page(PTYPE_NBT, 0, u64::from(file.messages[20]));
        damage.zero_page(lost);
        let (walked, _) = file.walked();
        let is_other = |path: &&String| !path.contains("Message 30.");
        let shown: Vec<&String> = walked.files.keys().filter(is_other).collect();
        let whole: Vec<&String> = file.whole.keys().filter(is_other).collect();
        assert_eq!(shown, whole);
        for path in whole {
            assert!(walked.files.get(path) == file.whole.get(path), "{path}");
        }
    });
}

#[test]
fn without_any_node_messages_are_in_lost_found() {
    for_each_format(file, |file| {
        let pages = file.layout.pages.iter();
        for page in pages.filter(|page| page.ptype == PTYPE_NBT) {
            file.damage().zero_page(*page);
        }
        let walked = everything(&open(&file.path).unwrap());
        assert_eq!(walked.failed, [""; 0]);
        let mails: BTreeMap<&str, &Vec<u8>> = walked
            .files
            .iter()
            .filter(|(path, _)| path.ends_with(".eml"))
            .filter_map(|(path, bytes)| Some((path.strip_prefix("/lost+found/")?, bytes)))
            .collect();
        assert_eq!(mails.len(), MESSAGES as usize, "{:?}", mails.keys());
        let text = String::from_utf8_lossy(mails["2024-05-01 0907 Message 7.eml"]);
        let parts = ["Bob 7", "ann@north.example", "Text 7", "data.bin"];
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
        let text = text.replace("\n ", " ").replace("\r", "");
        let problems: Vec<&str> = text.split("X-Ostfs-Problem").skip(1).collect();
        assert!(
            matches!(problems[..], [one] if one.contains("its id here is made up")),
            "{text}"
        );
        assert!(walked.problems > 0);
    });
}

#[test]
fn a_lost_leaf_of_the_node_tree_costs_its_nodes_alone() {
    for_each_format(file, |file| {
        let lost = file.layout.page(PTYPE_NBT, 0, u64::from(file.messages[20]));
        file.damage().zero_page(lost);
        // Without recovery only the rows are left.
        let options = Options {
            recover: ostfs::ndb::Recover::Off,
            ..Options::default()
        };
        let tree = Tree::open(&file.path, &options).unwrap();
        let files = everything(&tree).files;
        let same = file
            .whole
            .iter()
            .filter(|(path, bytes)| files.get(*path) == Some(bytes));
        // A leaf of six nodes: each has two files, and all others are what they were.
        assert!(same.count() + 2 * 6 >= file.whole.len());
        assert!(tree.problem_count() > 0);
        // The contents table still lists the messages, so each is still there.
        let mails = files.keys().filter(|path| path.ends_with(".eml"));
        assert_eq!(mails.count(), MESSAGES as usize);
        has_errors(&file);
    });
}

#[test]
fn a_damaged_attachment_is_an_error_and_costs_nothing_else() {
    for_each_format(file, |file| {
        file.damage().flip_attachment(file.messages[7], 0);
        let report = has_errors(&file);
        let finding = report
            .findings
            .iter()
            .find(|finding| finding.node == Some(file.messages[7]));
        let item = finding.unwrap().item.clone().unwrap();
        assert!(item.ends_with("/Inbox/Message 7"), "{item}");
        let store = ostfs::messaging::Store::open(
            ostfs::ndb::open(&file.path, 1 << 20)
                .unwrap()
                .with_damaged(ostfs::ndb::Damaged::Refuse),
        );
        let store = std::sync::Arc::new(store);
        for nid in &file.messages {
            let message =
                ostfs::messaging::Message::open(&store, ostfs::ndb::NodeId(*nid)).unwrap();
            let attachment = &message.attachments()[0];
            let data = attachment.data(&attachment.properties().unwrap()).unwrap();
            let ostfs::messaging::AttachmentData::Bytes(stream) = data else {
                panic!("no bytes");
            };
            assert_eq!(stream.read_all(10_000).is_err(), *nid == file.messages[7]);
        }
    });
}

#[test]
fn a_damaged_contents_table_is_replaced_by_the_nodes() {
    for_each_format(file, |file| {
        let table = contents_table(file.inbox);
        let damage = file.damage();
        damage.zero_block(damage.leaves(file.layout.node(table).data)[0]);
        let tree = open(&file.path).unwrap();
        let Walked { files, failed, .. } = everything(&tree);
        assert_eq!(failed, [""; 0]);
        assert_eq!(files.len(), file.whole.len());
        has_errors(&file);
    });
}

#[test]
fn a_row_is_of_the_message_that_it_names_itself_whatever_the_index_says() {
    for_each_format(file, |file| {
        let folder = file.layout.node(file.messages[0]).parent;
        let [a, b] = [4, 7].map(|number| (file.messages[number], number as u16));
        file.damage().swap_rows(folder, a, b);
        shows_everything(&file);
    });
}

#[test]
fn messages_of_a_lost_folder_are_still_there() {
    for_each_format(file, |file| {
        file.damage().drop_node(file.inbox);
        let tree = open(&file.path).unwrap();
        let files = everything(&tree).files;
        // The folder still stands in the table of its parent.
        assert_eq!(files.len(), file.whole.len());
        let report = has_errors(&file);
        assert!(
            report
                .findings
                .iter()
                .any(|finding| finding.structure == "hierarchy table")
        );
    });
}

#[test]
fn a_message_that_no_table_lists_is_in_lost_found_under_its_path() {
    for_each_format(file, |file| {
        let damage = file.damage();
        let lost = file.layout.node(file.messages[3]);
        // A search folder's node type has no table that lists it; a parent of its own takes the message out of the list.
        damage.set_node(lost.nid, lost.data, lost.sub, 0x7FFF_FF02);
        let table = contents_table(file.inbox);
        damage.drop_node(table);
        let tree = open(&file.path).unwrap();
        let files = everything(&tree).files;
        assert_eq!(files.len(), file.whole.len());
        let found: Vec<_> = files
            .keys()
            .filter(|path| path.starts_with("/lost+found/"))
            .collect();
        assert!(
            found
                .iter()
                .any(|path| path.ends_with("0903 Message 3.eml")),
            "{found:?}"
        );
    });
}

#[test]
fn a_message_that_its_folder_does_not_list_is_in_lost_found_below_that_folder() {
    for_each_format(file, |file| {
        let lost = file.messages[3];
        file.damage().unlist(file.inbox, lost);
        let tree = open(&file.path).unwrap();
        let walked = everything(&tree);
        let path = "/lost+found/Inbox/2024-05-01 0903 Message 3.eml";
        assert!(walked.files.contains_key(path), "{:?}", walked.files.keys());
        assert!(walked.problems > 0);
        let report = has_errors(&file);
        // A row without a node, and a node without a row.
        let kinds = report.findings.iter().map(|finding| finding.structure);
        assert_eq!(kinds.filter(|kind| *kind == "contents table").count(), 2);
    });
}

#[test]
fn of_a_file_that_was_cut_off_everything_before_the_cut_is_shown() {
    for_each_format(file, |file| {
        let size = std::fs::metadata(&file.path).unwrap().len();
        let last = file.layout.pages.iter().map(|page| page.ib).min().unwrap();
        let cut = last.max(size / 2);
        file.damage().truncate(cut);
        // Our writer puts its pages at the end, so only blocks may be left: no crash, and one line or a tree.
        match open(&file.path) {
            Ok(tree) => _ = everything(&tree),
            Err(error) => assert!(!error.to_string().contains('\n')),
        }
    });
}

#[test]
fn blocks_that_are_permuted_without_a_word_in_the_header_are_decoded() {
    for format in [Format::Ansi, Format::Unicode] {
        let file = file(format, Crypt::Permute);
        file.damage().edit_header(|header| {
            header[if format == Format::Ansi { 461 } else { 513 }] = 0;
        });
        let tree = open(&file.path).unwrap();
        assert!(everything(&tree).files == file.whole);
        assert!(tree.problem_count() > 0);
        // One heap left plain, as such writers do.
        let bid = file.layout.node(file.messages[5]).data;
        let block = file.layout.block(bid);
        let plain = file.damage().payload(bid);
        let mut bytes = std::fs::read(&file.path).unwrap();
        let at = block.ib as usize;
        bytes[at..at + plain.len()].copy_from_slice(&plain);
        let end = at + file.layout.geo.block_size(plain.len());
        let from_end = if format == Format::Ansi { 4 } else { 12 };
        let crc = format::crc(&plain).to_le_bytes();
        bytes[end - from_end..][..4].copy_from_slice(&crc);
        std::fs::write(&file.path, bytes).unwrap();
        assert!(everything(&open(&file.path).unwrap()).files == file.whole);
    }
}

/// Types of the nodes of a folder, [MS-PST] 2.2.2.1: itself, and its three tables.
const OF_FOLDER: [u32; 4] = [0x02, 0x0D, 0x0E, 0x0F];

#[test]
fn what_is_in_lost_folders_is_counted_and_the_places_of_these_are_told() {
    let mut lost = 0;
    let file = Intact::write(options(Format::Unicode, Crypt::Permute), |store| {
        let filled = fill_inbox(store, (0..3).map(message));
        lost = store.folder(filled.0, "Lost");
        let within = store.folder(lost, "Within");
        store.message(within, message(100));
        let deep = store.folder(within, "Deep");
        store.message(deep, message(101));
        store.message(deep, message(102));
        filled
    });
    let [_, hierarchy, ..] = OF_FOLDER;
    file.damage().drop_node(file.inbox & !0x1F | hierarchy);
    for kind in OF_FOLDER {
        file.damage().drop_node(lost & !0x1F | kind);
    }
    let (walked, _) = file.walked();
    let mails = |top: &str| {
        let paths = walked.files.keys();
        let mails = paths.filter(|path| path.starts_with(top) && path.ends_with(".eml"));
        mails.count() as u64
    };
    let info = open(&file.path).unwrap().info();
    assert_eq!((mails("/lost+found/"), mails("/")), (3, 6));
    assert_eq!((info.lost, info.messages), (3, 3));
    let lost = info.folders.iter().filter(|folder| folder.lost);
    let lost: Vec<(String, u64, u64)> = lost
        .map(|folder| {
            let own = mails(&format!("/{}/2", folder.path));
            (folder.path.clone(), folder.found, own)
        })
        .collect();
    let ends: Vec<&str> = lost
        .iter()
        .map(|(path, ..)| path.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(ends, ["Within", "Deep"], "{lost:?}");
    for (path, found, own) in lost {
        assert_eq!(found, own, "{path}");
    }
}

/// What the file shows whose trees that are left are older ones, and where it has the attachment of message 7.
fn with_older_trees(file: &Intact) -> (Walked, String) {
    let (walked, problems) = file.walked();
    let is_told = problems.contains("older than the header says");
    assert!(is_told, "{problems}");
    let attachment = Payload::random(9_000, 7).bytes();
    let mut found = walked.files.iter();
    let found = found.find(|(_, bytes)| **bytes == attachment);
    let path = found.expect("its attachment").0.clone();
    (walked, path)
}

#[test]
fn what_is_newer_than_the_only_tree_that_is_left_is_found_by_its_row() {
    for_each_format(file, |file| {
        let damage = file.damage();
        damage.drop_node(file.messages[7]);
        damage.newer_root(PTYPE_NBT);
        let (_, path) = with_older_trees(&file);
        assert!(path.contains("Inbox/2024-05-01 0907 Message 7"), "{path}");
        has_errors(&file);
    });
}

#[test]
fn what_is_newer_than_both_trees_that_are_left_is_in_lost_and_found() {
    for_each_format(file, |file| {
        let damage = file.damage();
        let message = file.messages[7];
        let content = damage.attachment_data(message, 0);
        let node = file.layout.node(message);
        damage.drop_node(message);
        for block in [content, node.data, node.sub] {
            damage.drop_block(block);
        }
        damage.newer_root(PTYPE_NBT);
        damage.newer_root(PTYPE_BBT);
        let (walked, path) = with_older_trees(&file);
        assert!(path.starts_with("/lost+found/"), "{path}");
        let mail = "/lost+found/2024-05-01 0907 Message 7.eml";
        assert!(walked.files.contains_key(mail));
    });
}
