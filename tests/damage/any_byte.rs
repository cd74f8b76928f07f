//! One byte of a structure is wrong, whichever: no more is lost than what that byte is of, and it is told. Files of our own writer, in
//! all formats.

use crate::intact::{FANOUT, Intact, fill_inbox, for_each_format, message, options};
use crate::support::format::PTYPE_NBT;
use crate::support::*;
use crate::walk::Files;

const MESSAGES: u32 = 8;
/// The message whose structures are damaged.
const DAMAGED: usize = 3;
/// Bytes from one that is damaged to the next, an odd number: so both bytes of a field are met.
const STEP: usize = 5;

fn file(format: Format, crypt: Crypt) -> Intact {
    Intact::write(options(format, crypt), |store| {
        fill_inbox(store, (0..MESSAGES).map(message))
    })
}

/// Damages one byte after the other of the block `of` a structure, and hands what the file shows then, and what it tells, to `see`.
fn with_each_byte(of: impl Fn(&Intact) -> u64, see: impl Fn(&Intact, &Files, &str, &str)) {
    let flip = |damage: &Damage, data, at| damage.flip_block(data, at);
    with_each(of, flip, see);
}

/// As [`with_each_byte`], of a block with a right CRC, as if it had been written so: what is altered then may not show.
fn with_each_written_byte(of: impl Fn(&Intact) -> u64, see: impl Fn(&Intact, &Files, &str)) {
    let flip = |damage: &Damage, data, at: u64| {
        damage.edit_block(data, |bytes| bytes[at as usize] ^= 0xFF);
    };
    with_each(of, flip, |file, files, _, what| see(file, files, what));
}

fn with_each(
    of: impl Fn(&Intact) -> u64,
    flip: impl Fn(&Damage, u64, u64),
    see: impl Fn(&Intact, &Files, &str, &str),
) {
    for_each_format(file, |file| {
        let data = of(&file);
        let len = u64::from(file.layout.block(data).stored);
        for at in (0..len).step_by(STEP) {
            flip(&file.damage(), data, at);
            let what = format!("{:?}, byte {at}", file.layout.options.format);
            let (walked, problems) = file.walked();
            assert_eq!(walked.failed, [""; 0], "{what}: {problems}");
            see(&file, &walked.files, &problems, &what);
            std::fs::write(&file.path, &file.bytes).unwrap();
        }
    });
}

/// A part of the damaged message: the data of its node among the subnodes.
fn part(file: &Intact, wanted: impl Fn(u32) -> bool) -> u64 {
    let list = file.layout.node(file.messages[DAMAGED]).sub;
    let parts = file.damage().subnodes(list).into_iter();
    parts
        .map(|part| (part.nid, part.data))
        .find(|(nid, _)| wanted(*nid))
        .unwrap()
        .1
}

/// The content of every attachment is there, under any name, and the text of every message.
fn has_all_content(file: &Intact, files: &Files, what: &str) {
    for (path, bytes) in &file.whole {
        let is_there = match path.ends_with(".eml") {
            false => files.values().any(|found| found == bytes),
            true => {
                let text = String::from_utf8_lossy(bytes);
                let line = text
                    .lines()
                    .find(|line| line.starts_with("Text "))
                    .unwrap()
                    .to_owned();
                let mut texts = files.values().map(|found| String::from_utf8_lossy(found));
                texts.any(|found| found.lines().any(|own| own == line))
            }
        };
        assert!(is_there, "{what}: {path}");
    }
}

/// Whether the mail of the damaged message, whatever its name, says that something is wrong with it.
fn says_so(files: &Files) -> bool {
    let text = format!("Text {DAMAGED}");
    files.iter().any(|(path, bytes)| {
        let mail = String::from_utf8_lossy(bytes);
        path.ends_with(".eml") && mail.contains(&text) && mail.contains("X-Ostfs-Problem: ")
    })
}

/// The properties of its attachment.
fn attachment(file: &Intact) -> u64 {
    part(file, |nid| nid & 0x1F == 5)
}

fn attachment_table(file: &Intact) -> u64 {
    part(file, |nid| nid == 0x671)
}

#[test]
fn of_the_properties_of_an_attachment_its_content_stays() {
    with_each_written_byte(attachment, has_all_content);
    with_each_byte(attachment, |file, files, _, what| {
        has_all_content(file, files, what);
        assert!(says_so(files), "{what}");
    });
}

#[test]
fn of_a_table_of_attachments_they_stay() {
    with_each_written_byte(attachment_table, has_all_content);
    with_each_byte(attachment_table, |file, files, _, what| {
        has_all_content(file, files, what);
        assert_eq!(files.len(), file.whole.len(), "{what}");
        assert!(says_so(files), "{what}");
    });
}

#[test]
fn of_a_table_of_recipients_all_else_stays() {
    let of = |file: &Intact| part(file, |nid| nid == 0x692);
    with_each_byte(of, |file, files, _, what| {
        has_all_content(file, files, what);
        assert!(files.keys().eq(file.whole.keys()), "{what}");
        assert!(says_so(files), "{what}");
    });
}

#[test]
fn of_a_contents_table_everything_stays_since_the_messages_have_it_too() {
    let of = |file: &Intact| file.layout.node(contents_table(file.inbox)).data;
    with_each_byte(of, |file, files, problems, what| {
        assert!(*files == file.whole, "{what}: {problems}");
        assert!(!problems.is_empty(), "{what}");
    });
}

#[test]
fn of_a_hierarchy_table_everything_stays_since_the_folders_have_it_too() {
    let of = |file: &Intact| {
        let table = file.inbox & !0x1F | 0x0D;
        file.layout.node(table).data
    };
    with_each_byte(of, |file, files, problems, what| {
        assert!(*files == file.whole, "{what}: {problems}");
        assert!(!problems.is_empty(), "{what}");
    });
}

/// The bytes of the ids in the list of subnodes `list`: of SLENTRYs, [MS-PST] 2.2.2.8.3.3.1.1, behind the header of the block.
fn ids_in(file: &Intact, list: u64) -> Vec<u64> {
    let (header, entry) = if file.layout.geo.wide {
        (8, 24)
    } else {
        (4, 12)
    };
    let len = u64::from(file.layout.block(list).stored);
    let entries = (header..len).step_by(entry);
    entries.flat_map(|entry| entry..entry + 4).collect()
}

#[test]
fn of_an_id_in_a_list_of_subnodes_no_content_is_lost() {
    for_each_format(file, |file| {
        let list = file.layout.node(file.messages[DAMAGED]).sub;
        let parts = file.damage().subnodes(list);
        let attachment = parts.iter().find(|part| part.nid & 0x1F == 5).unwrap();
        for list in [list, attachment.sub] {
            for at in ids_in(&file, list) {
                file.damage().flip_block(list, at);
                let what = format!("{:?}, byte {at}", file.layout.options.format);
                let (walked, problems) = file.walked();
                assert_eq!(walked.failed, [""; 0], "{what}: {problems}");
                has_all_content(&file, &walked.files, &what);
                assert!(says_so(&walked.files), "{what}: {problems}");
                file.damage().flip_block(list, at);
            }
        }
    });
}

/// The lowest byte of the id of each node in the leaf that has the damaged message, which has its type.
#[test]
fn of_the_type_of_a_node_no_content_is_lost() {
    for_each_format(file, |file| {
        let leaf = file
            .layout
            .page(PTYPE_NBT, 0, file.messages[DAMAGED].into());
        let entry = if file.layout.geo.wide { 32 } else { 16 };
        for number in 0..FANOUT as u64 {
            // Of the highest page not all entries are there.
            let at = leaf.ib + number * entry;
            file.damage().flip(at);
            let what = format!("{:?}, entry {number}", file.layout.options.format);
            let (walked, problems) = file.walked();
            assert_eq!(walked.failed, [""; 0], "{what}: {problems}");
            has_all_content(&file, &walked.files, &what);
            assert!(!problems.is_empty(), "{what}");
            file.damage().flip(at);
        }
    });
}
