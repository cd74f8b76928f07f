//! What broke other readers of header, pages, blocks and trees, row by row: each file ends in one line for the user, or
//! in a tree that can be walked to its end, without a panic, in bounded time. All files come from our own writer; those
//! that fuzzers made against another reader lie beside the corpus.
//!
//! All rows, whichever file has the test that guards it:
//!
//! | row | broken structure | test |
//! |---|---|---|
//! | F1 | more entries than a page holds | `damage/parts.rs` `a_page_that_claims_too_many_entries_is_gone_around` |
//! | F2 | last entry of a full page | `hostile/structures.rs` `f2_every_entry_of_full_pages_is_read` |
//! | F3 | pages of another type | `hostile/structures.rs` `f3_roots_that_lead_to_the_other_tree_are_found_again` |
//! | F4 | folders within themselves | `hostile/structures.rs` `f4_folders_that_are_their_own_ancestors_end` |
//! | F4 | messages within themselves | `hostile/structures.rs` `f4_f39_a_message_within_itself_ends` |
//! | F4 | data trees within themselves | `hostile/structures.rs` `f4_a_data_tree_within_itself_ends` |
//! | F4 | pages within themselves | `damage/parts.rs` `lost_and_cyclic_intermediate_pages_cost_nothing` |
//! | F5 | orphans | `hostile/items.rs` `f5_f6_items_of_parents_that_do_not_exist_are_in_lost_found` |
//! | F6 | parents that are not there | `hostile/items.rs` `f5_f6_items_of_parents_that_do_not_exist_are_in_lost_found` |
//! | F7 | offsets of the name map | `hostile/items.rs` `f7_f9_a_name_map_of_garbage_costs_the_names_alone` |
//! | F8 | no store, no name map | `hostile/items.rs` `f8_without_store_object_and_name_map_the_mail_is_there` |
//! | F9 | lengths beyond a buffer | `hostile/items.rs` `f7_f9_a_name_map_of_garbage_costs_the_names_alone` |
//! | F10 | count and total of an XBLOCK | `hostile/structures.rs` `f10_an_xblock_that_lies_has_the_blocks_that_it_lists` |
//! | F10 | levels of an XBLOCK | `hostile/structures.rs` `f10_levels_beyond_two_are_refused` |
//! | F11 | compressed XBLOCK | `hostile/structures.rs` `f11_f12_f13_f14_compressed_blocks_of_all_kinds_come_back_byte_for_byte` |
//! | F12 | a stream for each block | `hostile/structures.rs` `f11_f12_f13_f14_compressed_blocks_of_all_kinds_come_back_byte_for_byte` |
//! | F13 | plain data like a stream | `hostile/structures.rs` `f11_f12_f13_f14_compressed_blocks_of_all_kinds_come_back_byte_for_byte` |
//! | F14 | streams that end early | `hostile/structures.rs` `f14_a_zlib_stream_that_ends_early_is_an_error_of_its_attachment` |
//! | F15 | `cFree` of a page map | `hostile/items.rs` `f15_a_wrong_count_of_freed_items_is_ignored` |
//! | F16 | page map outside its block | `hostile/items.rs` `f16_f38_page_maps_and_items_outside_their_block_cost_one_object` |
//! | F17 | HID split of large tables | `hostile/items.rs` `f17_f19_large_tables_are_read_in_every_format_and_replaced_when_their_rows_are_lost` |
//! | F18 | columns outside of a row | `hostile/items.rs` `f18_columns_outside_the_row_are_no_columns` |
//! | F19 | row matrix missing | `hostile/items.rs` `f17_f19_large_tables_are_read_in_every_format_and_replaced_when_their_rows_are_lost` |
//! | F20 | rows of lost messages | `hostile/items.rs` `f20_rows_of_lost_messages_and_messages_without_data_say_so` |
//! | F21 | folders without tables | `hostile/items.rs` `f21_without_tables_the_nodes_tell` |
//! | F22 | SIBLOCK | `hostile/structures.rs` `f22_hundreds_of_subnodes_are_found` |
//! | F23 | count of an SLBLOCK | `hostile/structures.rs` `f23_a_subnode_list_that_claims_too_much_costs_one_message` |
//! | F24 | low bit of a BID | `hostile/structures.rs` `f24_the_reserved_bit_of_block_ids_does_not_matter` |
//! | F25 | large offsets and BIDs | `hostile/structures.rs` `f25_offsets_past_4_gib_and_block_ids_past_2_to_the_53_are_followed` |
//! | F26 | multi-valued properties | `../src/ltp/property.rs` `f26_multiple_values_with_odd_offsets_keep_what_can_be_read` |
//! | F27 | unknown types | `hostile/items.rs` `f27_f33_unknown_types_and_double_properties_cost_themselves_alone` |
//! | F28 | no recipients, no attachments | `hostile/items.rs` `f28_a_message_without_recipients_and_attachments_is_a_message` |
//! | F29 | attachments without method or data | `hostile/items.rs` `f29_an_attachment_without_method_or_data_is_there` |
//! | F30 | locks held across recursion | `hostile/structures.rs` `f30_f43_many_threads_read_the_same` |
//! | F31 | compressed RTF that lies | `hostile/text.rs` `f31_compressed_rtf_that_lies_keeps_what_can_be_read_and_says_so` |
//! | F32 | short values | `hostile/items.rs` `f32_values_shorter_than_their_types_cost_themselves_alone` |
//! | F33 | a property twice | `hostile/items.rs` `f27_f33_unknown_types_and_double_properties_cost_themselves_alone` |
//! | F34 | wrong code pages, half characters | `hostile/text.rs` `f34_text_that_its_code_page_does_not_fit_comes_out_as_text` |
//! | F35 | encoded without a word | `damage/parts.rs` `blocks_that_are_permuted_without_a_word_in_the_header_are_decoded` |
//! | F36 | no allocation maps | `hostile/structures.rs` `f36_without_allocation_maps_nothing_is_missing` |
//! | F36 | no roots | `damage/parts.rs` `lost_roots_cost_nothing` |
//! | F37 | copied while in use | `hostile/structures.rs` `f37_zeros_and_stubs_are_one_clear_line` |
//! | F38 | killed while it wrote | `hostile/items.rs` `f16_f38_page_maps_and_items_outside_their_block_cost_one_object` |
//! | F39 | very deep nesting | `hostile/items.rs` `f39_forty_messages_within_each_other_end_at_thirty` |
//! | F39 | nesting that multiplies | `hostile/items.rs` `f39_messages_that_name_the_next_one_twice_are_checked_once_each` |
//! | F40 | line ends in what becomes a field | `hostile/text.rs` `f40_nothing_that_is_stored_can_add_a_field` |
//! | F41 | evil names | `hostile/text.rs` `f41_names_of_attachments_stay_in_their_directory` |
//! | F42 | body in the transport headers | `hostile/text.rs` `f42_transport_headers_are_cut_where_the_header_ends` |
//! | F43 | several threads | `hostile/structures.rs` `f30_f43_many_threads_read_the_same` |

use crate::mailbox::*;
use crate::support::*;
use crate::walk::{everything, open, survives};
use crate::{corpus, support, walk};
use ostfs::messaging::{AttachmentData, Message as Opened};
use ostfs::ndb::NodeId;

/// Rows of the list.
const ROWS: u32 = 43;

#[test]
fn every_row_has_a_test() {
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let table = include_str!("structures.rs").lines();
    let mut rows = std::collections::BTreeSet::new();
    for line in table.filter_map(|line| line.strip_prefix("//! | F")) {
        rows.insert(line.split(' ').next().unwrap().parse::<u32>().unwrap());
        let names: Vec<&str> = line.split('`').collect();
        let [.., file, _, test, _] = names[..] else {
            panic!("{line}");
        };
        let source = std::fs::read_to_string(tests.join(file)).unwrap();
        assert!(
            source.contains(&format!("#[test]\nfn {test}()"))
                || source.contains(&format!("#[test]\n    fn {test}()")),
            "{line}"
        );
    }
    assert!(rows.into_iter().eq(1..=ROWS));
}

#[test]
fn f2_every_entry_of_full_pages_is_read() {
    for (format, crypt) in FORMATS {
        let file = write(format, crypt, |store| {
            let inbox = store.folder(store.ipm_subtree(), "Inbox");
            for number in 0..400 {
                store.message(inbox, mail(&format!("number {number}")));
            }
        });
        assert_eq!(file.walk().ending(".eml"), 400);
        let store = file.store();
        for node in &file.layout.nodes {
            assert!(
                store.ndb().find_node(NodeId(node.nid)).unwrap().is_some(),
                "{:#x}",
                node.nid
            );
        }
    }
}

#[test]
fn f3_roots_that_lead_to_the_other_tree_are_found_again() {
    for_each_format(|file, damage, _| {
        let word = file.layout.geo.word();
        let at = if file.layout.geo.wide { 216 } else { 184 };
        damage.edit_header(|header| header[at..at + 4 * word].rotate_left(2 * word));
        let walked = file.walk();
        all_listed(&walked);
        assert!(walked.failed.is_empty() && walked.problems > 0);
    });
}

#[test]
fn f4_folders_that_are_their_own_ancestors_end() {
    for (format, crypt) in FORMATS {
        let (mut outer, mut inner) = (0, 0);
        let file = write(format, crypt, |store| {
            outer = store.folder(store.ipm_subtree(), "Outer");
            inner = store.folder(outer, "Inner");
            store.message(inner, mail("deep"));
        });
        let node = file.layout.node(outer);
        file.damage().set_node(outer, node.data, node.sub, inner);
        assert_eq!(file.walk().ending("deep.eml"), 1);
        let own = file.layout.node(inner);
        file.damage().set_node(inner, own.data, own.sub, inner);
        assert_eq!(file.walk().ending("deep.eml"), 1);
    }
}

#[test]
fn f4_f39_a_message_within_itself_ends() {
    for_each_format(|file, damage, _| {
        damage.cyclic_embedded(MESSAGE + 0x20);
        all_listed(&file.walk());
    });
}

#[test]
fn f4_a_data_tree_within_itself_ends() {
    for_each_format(|file, damage, _| {
        let attachment = damage.attachment_data(MESSAGE, 0);
        assert!(attachment & 2 != 0, "an XBLOCK");
        damage.cyclic_xblock(attachment);
        all_listed(&file.walk());
    });
}

#[test]
fn f10_an_xblock_that_lies_has_the_blocks_that_it_lists() {
    for (count, total) in [
        (u16::MAX, 200_000),
        (0, 200_000),
        (1, 200_000),
        (25, u32::MAX),
    ] {
        for_each_format(|file, damage, _| {
            damage.xblock_lie(damage.attachment_data(MESSAGE, 0), count, total);
            all_listed(&file.walk());
            let store = file.store();
            let message = Opened::open(&store, NodeId(MESSAGE)).unwrap();
            let first = &message.attachments()[0];
            let data = first
                .properties()
                .and_then(|properties| first.data(&properties));
            let Ok(AttachmentData::Bytes(content)) = data else {
                panic!("{count} {total} {data:?}");
            };
            assert_eq!(content.len(), 200_000, "{count} {total}");
            assert!(content.read_all(usize::MAX).is_ok());
            assert!(!message.problems().is_empty(), "{count} {total}");
        });
    }
}

#[test]
fn f10_levels_beyond_two_are_refused() {
    for_each_format(|file, damage, _| {
        for level in [0, 3, 255] {
            damage.edit_block(damage.attachment_data(MESSAGE, 0), |data| data[1] = level);
            all_listed(&file.walk());
        }
    });
}

#[test]
fn f11_f12_f13_f14_compressed_blocks_of_all_kinds_come_back_byte_for_byte() {
    let text: Vec<u8> = b"the same line again\r\n".repeat(20_000);
    let mut zlib_like = vec![0x78, 0x9C];
    zlib_like.extend(Payload::random(60_000, 3).to_vec());
    let contents = [text, zlib_like, vec![0x78, 0x9C, 1, 2, 3]];
    let file = write_with(Options::new(Format::Ost4k, Crypt::None), |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let mut message = mail("compressed");
        for (number, content) in contents.iter().enumerate() {
            message = message.attachment(&format!("{number}"), Payload::from(content.clone()));
        }
        store.message(inbox, message);
    });
    assert!(
        file.layout
            .blocks
            .iter()
            .any(|block| block.stored != block.inflated)
    );
    file.walk();
    let store = file.store();
    let message = Opened::open(&store, NodeId(MESSAGE)).unwrap();
    for (attachment, content) in message.attachments().iter().zip(&contents) {
        let AttachmentData::Bytes(stream) =
            attachment.data(&attachment.properties().unwrap()).unwrap()
        else {
            panic!("no bytes");
        };
        assert!(stream.read_all(1 << 20).unwrap().bytes == *content);
    }
}

#[test]
fn f14_a_zlib_stream_that_ends_early_is_an_error_of_its_attachment() {
    let file = write_with(Options::new(Format::Ost4k, Crypt::None), |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let data = b"the same line again\r\n".repeat(20_000);
        store.message(
            inbox,
            mail("compressed").attachment("text", Payload::from(data)),
        );
    });
    let mut bytes = std::fs::read(&file.path).unwrap();
    let block = file
        .layout
        .blocks
        .iter()
        .max_by_key(|block| block.inflated - block.stored)
        .unwrap();
    let (ib, stored) = (block.ib as usize, block.stored as usize);
    bytes[ib + stored / 2..ib + stored].fill(0);
    let crc = support::format::crc(&bytes[ib..ib + stored]).to_le_bytes();
    let end = ib + file.layout.geo.block_size(stored);
    bytes[end - 20..end - 16].copy_from_slice(&crc);
    std::fs::write(&file.path, bytes).unwrap();
    let walked = file.walk();
    assert_eq!(walked.ending("compressed.eml"), 1);
    assert!(walk::check(&file.path).unwrap().errors > 0);
}

#[test]
fn f22_hundreds_of_subnodes_are_found() {
    for (format, crypt) in FORMATS {
        let file = write(format, crypt, |store| {
            let inbox = store.folder(store.ipm_subtree(), "Inbox");
            let many = (0..900).fold(mail("many"), |message, number| {
                message.attachment(&format!("{number}.txt"), "x")
            });
            store.message(inbox, many);
        });
        let message = Opened::open(&file.store(), NodeId(MESSAGE)).unwrap();
        let attachments = message.attachments();
        assert_eq!(attachments.len(), 900);
        assert!(
            attachments
                .iter()
                .all(|attachment| attachment.properties().is_ok())
        );
    }
}

#[test]
fn f23_a_subnode_list_that_claims_too_much_costs_one_message() {
    for_each_format(|file, damage, _| {
        let sub = file.layout.node(MESSAGE).sub;
        for (at, value) in [(2, 0xFF), (3, 0xFF), (1, 9), (0, 7)] {
            damage.edit_block(sub, |data| data[at] = value);
            all_listed(&file.walk());
        }
        assert!(walk::check(&file.path).unwrap().errors > 0);
    });
}

#[test]
fn f24_the_reserved_bit_of_block_ids_does_not_matter() {
    for_each_format(|file, damage, _| {
        let before = file.walk();
        damage.edit_block(damage.attachment_data(MESSAGE, 0), |data| data[8] |= 1);
        assert_eq!(file.walk(), before);
    });
}

#[test]
fn f25_offsets_past_4_gib_and_block_ids_past_2_to_the_53_are_followed() {
    // Some GiB of nothing before the first block, which take no space on disk. ANSI ends at 2 GiB, where a signed
    // offset would be negative.
    for (format, skipped, bid_base) in [
        (Format::Ansi, 8_500, 1 << 31),
        (Format::Unicode, 17_000, 1 << 60),
        (Format::Ost4k, 260, 1 << 60),
    ] {
        let mut options = Options::new(format, Crypt::None);
        (options.skipped, options.bid_base) = (skipped, bid_base);
        let content = Payload::random(300_000, 9).to_vec();
        let file = write_with(options, |store| {
            let inbox = store.folder(store.ipm_subtree(), "Inbox");
            store.message(inbox, mail("far").attachment("far.bin", content.clone()));
        });
        assert!(
            file.layout
                .blocks
                .iter()
                .all(|block| block.ib > 2_100_000_000)
        );
        let walked = file.walk();
        let attachment = walked
            .files
            .iter()
            .find(|(path, _)| path.ends_with("far.bin"));
        assert!(attachment.unwrap().1 == &content);
        assert_eq!((walked.problems, walked.ending("far.eml")), (0, 1));
        let report = walk::check(&file.path).unwrap();
        let found = walk::found(&report);
        assert!(found.is_empty(), "{found:?}");
    }
}

#[test]
fn f36_without_allocation_maps_nothing_is_missing() {
    for_each_format(|file, damage, _| {
        let before = file.walk();
        let first = if file.layout.geo.is_4k() {
            0x22000
        } else {
            0x4400
        };
        damage.zero(first, file.layout.geo.page);
        assert_eq!(file.walk(), before);
    });
}

#[test]
fn f37_zeros_and_stubs_are_one_clear_line() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("stub.pst");
    for bytes in [
        vec![],
        vec![0; 512],
        vec![0; 100_000],
        b"!BDN".to_vec(),
        b"!BDN".repeat(128),
    ] {
        std::fs::write(&path, &bytes).unwrap();
        let line = survives(&path).expect_err("nothing is in it");
        assert!(line.len() > 20, "{line}");
    }
    let (file, _) = mailbox(Format::Unicode, Crypt::Permute);
    file.damage().truncate(600);
    assert!(survives(&file.path).is_err());
}

#[test]
fn f30_f43_many_threads_read_the_same() {
    let (file, _) = mailbox(Format::Unicode, Crypt::Permute);
    let tree = open(&file.path).unwrap();
    let alone = everything(&tree);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(everything(&tree), alone));
        }
    });
}

#[test]
fn any_byte_of_a_small_file_may_be_wrong() {
    let (file, _) = mailbox(Format::Unicode, Crypt::None);
    let bytes = std::fs::read(&file.path).unwrap();
    let mut random = Prng(7);
    for _ in 0..60 {
        let mut broken = bytes.clone();
        for _ in 0..20 {
            let at = random.below(broken.len() as u64) as usize;
            broken[at] = random.next() as u8;
        }
        std::fs::write(&file.path, &broken).unwrap();
        _ = survives(&file.path);
    }
}

#[test]
fn what_fuzzers_made_against_other_readers_ends_in_a_line_or_a_tree() {
    for path in corpus::hostile() {
        match survives(&path) {
            Ok(walked) => println!("{}: {} problems", path.display(), walked.problems),
            Err(line) => println!("{}: {line}", path.display()),
        }
    }
}
