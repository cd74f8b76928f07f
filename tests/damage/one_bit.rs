//! One wrong bit: the checksum tells which, so nothing is lost, nothing is searched for, and it is said.

use std::collections::BTreeMap;

use ostfs::tree::{Damaged, Options as TreeOptions, Tree};

use crate::intact::{Intact, fill_inbox, for_each_format, message, options};
use crate::support::*;
use crate::walk::{Files, check, everything, open, problems};

const MESSAGES: u32 = 12;
/// Bytes of the header that one of its CRCs covers, in both layouts, and the CRC itself.
const HEADER_BYTES: std::ops::Range<u64> = 4..479;

fn file(format: Format, crypt: Crypt) -> Intact {
    let mut options = options(format, crypt);
    options.compress = format == Format::Ost4k;
    Intact::write(options, |store| {
        fill_inbox(store, (0..MESSAGES).map(message))
    })
}

/// The bit that test number `number` turns.
fn bit(number: usize) -> u32 {
    (number * 5 % 8) as u32
}

/// Files without the lines about problems.
pub fn without_problems(files: Files) -> Files {
    let is_other = |line: &&[u8]| !line.starts_with(b"X-Ostfs-Problem:") && !line.starts_with(b" ");
    let strip = |(path, bytes): (String, Vec<u8>)| {
        let bytes = match path.ends_with(".eml") {
            true => bytes
                .split(|byte| *byte == b'\n')
                .filter(is_other)
                .collect::<Vec<_>>()
                .join(&b'\n'),
            false => bytes,
        };
        (path, bytes)
    };
    files.into_iter().map(strip).collect::<BTreeMap<_, _>>()
}

#[test]
fn in_any_block_it_is_put_right() {
    for_each_format(file, |file| {
        let whole = without_problems(file.whole.clone());
        for (number, block) in file.layout.blocks.iter().enumerate() {
            std::fs::write(&file.path, &file.bytes).unwrap();
            let at = (number * 977) as u64 % u64::from(block.stored);
            file.damage().flip_bit(block.ib + at, bit(number));
            let (walked, problems) = file.walked();
            assert_eq!(walked.failed, [""; 0]);
            assert!(
                without_problems(walked.files) == whole,
                "block {number}: other bytes"
            );
            let is_told = problems.contains("put right") && !problems.contains("missing");
            // What no item needs, nobody reads.
            assert!(is_told || problems.is_empty(), "block {number}: {problems}");
            assert!(check(&file.path).unwrap().errors > 0, "block {number}");
        }
    });
}

#[test]
fn in_what_a_message_has_it_is_said_there() {
    for_each_format(file, |file| {
        let damage = file.damage();
        let attachment = damage.attachment_data(file.messages[3], 0);
        let block = file.layout.block(damage.leaves(attachment)[0]);
        damage.flip_bit(block.ib + u64::from(block.stored) / 2, 6);
        let tree = open(&file.path).unwrap();
        // The first walk reads the attachment; from then on its message has the line.
        everything(&tree);
        let (walked, problems) = (everything(&tree), problems(&tree));
        let (path, bytes) = walked
            .files
            .iter()
            .find(|(path, _)| path.ends_with("Message 3.eml"))
            .unwrap();
        let text = String::from_utf8_lossy(bytes);
        assert!(
            text.contains("X-Ostfs-Problem:") && text.contains("put right"),
            "{path}: {text}"
        );
        assert!(problems.contains("put right"), "{problems}");
        // Who must see no doubtful byte does not see it.
        let refusing = TreeOptions {
            damaged: Damaged::Refuse,
            ..TreeOptions::default()
        };
        let refused = everything(&Tree::open(&file.path, &refusing).unwrap());
        assert!(
            refused.failed.iter().any(|path| path.ends_with("data.bin")),
            "{:?}",
            refused.failed
        );
    });
}

#[test]
fn in_any_page_it_has_nothing_searched() {
    for_each_format(file, |file| {
        for (number, page) in file.layout.pages.iter().enumerate() {
            std::fs::write(&file.path, &file.bytes).unwrap();
            let at = (number * 31) as u64 % file.layout.geo.page_data as u64;
            file.damage().flip_bit(page.ib + at, bit(number));
            let scanned = Box::new(|_, _| panic!("the file was scanned"));
            let tree = Tree::open_with(&file.path, &TreeOptions::default(), scanned).unwrap();
            assert!(
                everything(&tree).files == file.whole,
                "page {number}: other bytes"
            );
            assert!(check(&file.path).unwrap().errors > 0, "page {number}");
        }
    });
}

#[test]
fn in_the_header_it_has_nothing_searched() {
    for_each_format(file, |file| {
        // What is written in place while a commit goes on tells nothing of damage.
        let amap_valid = if file.layout.geo.wide { 248 } else { 200 };
        for at in HEADER_BYTES.step_by(5).filter(|at| *at != amap_valid) {
            std::fs::write(&file.path, &file.bytes).unwrap();
            file.damage().flip_bit(at, bit(at as usize));
            let told = file.told();
            assert!(!told.is_scanned, "byte {at}: {:?}", told.lines);
            assert!(
                told.lines.iter().any(|line| line.contains("header")),
                "byte {at}: {:?}",
                told.lines
            );
            assert!(
                everything(&open(&file.path).unwrap()).files == file.whole,
                "byte {at}: other bytes"
            );
            assert!(check(&file.path).unwrap().errors > 0, "byte {at}");
        }
    });
}
