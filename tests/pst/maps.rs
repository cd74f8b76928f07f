//! The maps of a new PST: what they say is in use is what pages and blocks take, and nothing else. [MS-PST] 2.2.2.7

use std::collections::BTreeSet;
use std::fs;

use crate::copy;
use crate::mailbox::{mail, write};
use crate::support::*;

/// The first allocation map, and what each is for, itself included.
const FIRST_MAP: u64 = 0x4400;
const SECTION: u64 = 253_952;
/// Bytes that a bit of a map is for, and a page.
const SLOT: u64 = 64;
const PAGE: u64 = 512;
/// What precedes the bits of a map, and how many bytes of them there are.
const BITS: u64 = 496;
/// The first page map is behind the first allocation map; the next one eight sections on.
const SECTIONS_OF_PAGE_MAP: u64 = 8;
/// Bytes behind those of a block.
const TRAILER: u64 = 16;

struct Pst(Vec<u8>);

impl Pst {
    fn number(&self, at: u64, size: usize) -> u64 {
        let at = at as usize;
        let bytes = &self.0[at..at + size];
        bytes
            .iter()
            .rev()
            .fold(0, |all, byte| all << 8 | u64::from(*byte))
    }

    /// The slots from `at` on.
    fn slots(at: u64, len: u64) -> impl Iterator<Item = u64> {
        at / SLOT..(at + len).div_ceil(SLOT)
    }

    /// Adds what the tree takes whose page is at `at`, and the blocks that it leads to.
    fn tree(&self, at: u64, used: &mut BTreeSet<u64>) {
        used.extend(Self::slots(at, PAGE));
        let (count, size) = (self.number(at + 488, 1), self.number(at + 490, 1));
        let (level, kind) = (self.number(at + 491, 1), self.number(at + 496, 1));
        for entry in (0..count).map(|index| at + index * size) {
            match (level, kind) {
                (0, 0x80) => {
                    let (place, len) = (self.number(entry + 8, 8), self.number(entry + 16, 2));
                    used.extend(Self::slots(place, len + TRAILER));
                }
                (0, _) => {}
                _ => self.tree(self.number(entry + 16, 8), used),
            }
        }
    }
}

#[test]
fn maps_say_what_pages_and_blocks_take_and_the_header_how_much_is_free() {
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        let folder = store.folder(store.ipm_subtree(), "Folder");
        for number in 0..60 {
            let message = mail(&format!("Message {number}"));
            let payload = Payload::random(30_000 + 777 * number, number);
            store.message(folder, message.attachment("a.bin", payload));
        }
    });
    let copy = copy(&file.path, &[]);
    let pst = Pst(fs::read(&copy.path).unwrap());
    // ROOT: ibFileEof, ibAMapLast, cbAMapFree; BREFNBT and BREFBBT, of each the place.
    let [end, last, free, nodes, blocks] =
        [0xB8, 0xC0, 0xC8, 0xE0, 0xF0].map(|at| pst.number(at, 8));
    assert_eq!(end, pst.0.len() as u64);
    let sections = (end - FIRST_MAP) / SECTION;
    assert!(sections > 8, "{sections}");
    assert_eq!(last, FIRST_MAP + (sections - 1) * SECTION);
    let mut used = BTreeSet::new();
    pst.tree(nodes, &mut used);
    pst.tree(blocks, &mut used);
    let mut marked = BTreeSet::new();
    for section in 0..sections {
        let map = FIRST_MAP + section * SECTION;
        used.extend(Pst::slots(map, PAGE));
        if section % SECTIONS_OF_PAGE_MAP == 0 {
            used.extend(Pst::slots(map + PAGE, PAGE));
        }
        for bit in 0..8 * BITS {
            let byte = pst.number(map + bit / 8, 1);
            if byte & (0x80 >> (bit % 8)) != 0 {
                marked.insert(map / SLOT + bit);
            }
        }
    }
    let differ: Vec<u64> = used
        .symmetric_difference(&marked)
        .map(|slot| slot * SLOT)
        .collect();
    assert!(
        differ.is_empty(),
        "{} slots, {:x?}",
        differ.len(),
        &differ[..differ.len().min(9)]
    );
    assert_eq!(free, sections * SECTION - used.len() as u64 * SLOT);
    assert!(free > 0);
}
