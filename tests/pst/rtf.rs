//! Bodies in compressed RTF, of which one wrong byte costs a reader all: what a copy has of damaged ones.

use std::fmt::Write as _;

use ostfs::ndb::NodeId;

use crate::mailbox::{MESSAGE, write};
use crate::support::*;
use crate::{copy, findings, mounted};

/// Data of a block.
const BLOCK: usize = 8176;

/// RTF of some blocks with words that tell where they stand.
fn rtf() -> String {
    let mut rtf = String::from("{\\rtf1\\ansi {\\b Numbers}\\par {\\i ");
    for number in 0..4000 {
        write!(rtf, "n{number}\\par ").unwrap();
    }
    rtf + "}\\par the end\\par}"
}

/// The body of a message that was damaged: as the property is stored in the copy, and what of it an export of the source and one of
/// the copy show.
fn copied(
    message: Message,
    damage: impl FnOnce(&Damage<'_>, &[u64], u64),
) -> (Vec<u8>, [String; 2]) {
    let mut nid = 0;
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        let folder = store.folder(store.ipm_subtree(), "Folder");
        nid = store.message(folder, message);
    });
    let edit = file.damage();
    let subnodes = edit.subnodes(file.layout.node(nid).sub);
    let value = subnodes.iter().find(|part| part.nid & 31 == 31).unwrap();
    let list = file.layout.node(nid).data;
    damage(&edit, &edit.leaves(value.data), list);
    let copy = copy(&file.path, &[]);
    assert_eq!(copy.output.status.code(), Some(4), "{:?}", copy.output);
    assert_eq!(findings(&copy.path), [""; 0]);
    let ndb = ostfs::ndb::open(&copy.path, 1 << 20).unwrap();
    let store = std::sync::Arc::new(ostfs::messaging::Store::open(ndb));
    let message = ostfs::messaging::Message::open(&store, NodeId(MESSAGE)).unwrap();
    let stored = message.properties().binary(tags::RTF_COMPRESSED);
    let text = |path: &std::path::Path| {
        let scratch = tempfile::tempdir().unwrap();
        let tree = scratch.path().join("tree");
        let output = mounted::ostfs(&["export", path.to_str().unwrap(), tree.to_str().unwrap()]);
        assert!(matches!(output.status.code(), Some(0 | 4)), "{output:?}");
        mounted::run(
            "grep",
            &[
                "-rhoE",
                "n[0-9]+|bytes are missing|the end",
                tree.to_str().unwrap(),
            ],
        )
    };
    let texts = [text(&file.path), text(&copy.path)];
    (stored.unwrap().unwrap(), texts)
}

/// That `value` is what [MS-OXRTFCP] 2.1.3.1 has for RTF that is not compressed, and its groups are closed; returns the RTF.
fn uncompressed(value: &[u8]) -> String {
    let number = |at: usize| u32::from_le_bytes(value[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!(number(0), value.len() - 4);
    assert_eq!(number(4), value.len() - 16);
    assert_eq!(&value[8..16], b"MELA\0\0\0\0");
    let rtf = String::from_utf8(value[16..].to_vec()).unwrap();
    assert!(rtf.starts_with("{\\rtf1"), "{rtf}");

    let count = |brace: char| rtf.matches(brace).count();
    assert_eq!(count('{'), count('}'), "{rtf}");
    rtf
}

#[test]
fn of_a_compressed_body_all_before_a_gap_is_shown_and_what_is_missing_is_said() {
    let (value, [text, of_copy]) = copied(
        Message::new("IPM.Note", "Gap").compressed_rtf(&rtf()),
        |damage, blocks, _| {
            damage.zero_block(blocks[2]);
        },
    );
    let rtf = uncompressed(&value);
    assert_eq!(text, of_copy);
    // Of 9 bytes 8 are text.
    let shown = (2 * BLOCK - 16) * 8 / 9;
    assert!(rtf.len().abs_diff(shown) < 100, "{} of {shown}", rtf.len());
    assert!(rtf.contains("bytes are missing"));
    assert!(
        text.contains("n1000") && text.contains("bytes are missing"),
        "{text}"
    );
}

#[test]
fn of_a_compressed_body_with_a_wrong_byte_all_is_shown() {
    let (value, [text, of_copy]) = copied(
        Message::new("IPM.Note", "Bit").compressed_rtf(&rtf()),
        |damage, blocks, _| {
            damage.flip_block(blocks[2], 100);
        },
    );
    uncompressed(&value);
    assert_eq!(text, of_copy);
    assert!(text.contains("n3999") && text.contains("the end"), "{text}");
}

#[test]
fn of_a_compressed_body_that_was_cut_off_it_is_said_that_it_was() {
    let mut cut = message::compressed_rtf(&rtf());
    cut.truncate(2 * BLOCK);
    // No block is damaged.
    let message = Message::new("IPM.Note", "Cut").prop(tags::RTF_COMPRESSED, cut);
    let (value, [text, of_copy]) = copied(message, |_, _, _| {});
    let rtf = uncompressed(&value);
    assert_eq!(text, of_copy);
    assert!(rtf.contains("bytes are missing"), "{rtf}");
    assert!(text.contains("bytes are missing"), "{text}");
}

#[test]
fn of_an_uncompressed_body_what_is_behind_a_gap_is_shown_too() {
    let (value, [text, of_copy]) = copied(
        Message::new("IPM.Note", "Stored").rtf(&rtf()),
        |damage, blocks, _| {
            damage.zero_block(blocks[2]);
        },
    );
    let rtf = uncompressed(&value);
    assert_eq!(text, of_copy);
    assert!(rtf.contains("[8176 bytes are missing here]"), "{rtf}");
    for expected in ["n1000", "bytes are missing", "n3999", "the end"] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
}

#[test]
fn where_a_formatted_body_has_a_gap_the_text_beside_it_is_shown_with_it() {
    let message = Message::new("IPM.Note", "Both").body("all of it {whole}\r\nto the end");
    let (value, _) = copied(message.compressed_rtf(&rtf()), |damage, blocks, _| {
        damage.zero_block(blocks[2]);
    });
    let rtf = uncompressed(&value);
    let behind = rtf.split("bytes are missing").nth(1).unwrap();
    assert!(
        behind.contains("all of it \\{whole\\}\\par\nto the end"),
        "{behind}"
    );
}

#[test]
fn a_body_is_shown_though_the_list_of_properties_is_lost() {
    let message = Message::new("IPM.Note", "List").compressed_rtf(&rtf());
    let (value, [text, of_copy]) = copied(message, |damage, blocks, list| {
        damage.zero_block(list);
        damage.zero_block(blocks[2]);
    });
    uncompressed(&value);
    assert_eq!(text, of_copy);
    assert!(
        text.contains("n1000") && text.contains("bytes are missing"),
        "{text}"
    );
}
