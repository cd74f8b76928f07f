//! Fields of pages, lists and entries that are wrong under checksums that are right: the rest of the structure tells what they
//! should be, so that nothing is lost, and it is told. Files of our own writer, in all formats.

use crate::intact::{Intact, fill_inbox, for_each_format, message, options};
use crate::support::format::{PTYPE_BBT, PTYPE_NBT};
use crate::support::ndb::PageEntry;
use crate::support::*;
use crate::walk::check;

const MESSAGES: u32 = 8;
/// The message that is damaged.
const DAMAGED: usize = 2;
/// Bytes of an attachment of several blocks in every format.
const LONG: u64 = 150_000;

fn file(format: Format, crypt: Crypt) -> Intact {
    let long = |number| {
        message(number).attachment("long.bin", Payload::random(LONG, u64::from(number) + 50))
    };
    Intact::write(options(format, crypt), |store| {
        let (inbox, mut nodes) = fill_inbox(store, (0..MESSAGES).map(long));
        let below = store.folder(inbox, "Below");
        nodes.push(store.message(below, message(MESSAGES)));
        (inbox, nodes)
    })
}

/// Applies each of `damages` to a file of each format and encoding. The same items are there as before, each with the bytes that it had unless
/// it says that something is wrong; and it is told, also by `check`.
fn cost_nothing(damages: &[&dyn Fn(&Intact)]) {
    for_each_format(file, |file| {
        for (number, damage) in damages.iter().enumerate() {
            damage(&file);
            let what = format!("{:?}, {number}", file.layout.options.format);
            let (walked, problems) = file.walked();
            assert_eq!(walked.failed, [""; 0], "{what}");
            for (path, bytes) in &file.whole {
                let Some(found) = walked.files.get(path) else {
                    panic!("{what}: {path} is not there: {problems}");
                };
                let says = || {
                    let end = found.windows(16).any(|line| line == b"X-Ostfs-Problem:");
                    end && path.ends_with(".eml")
                };
                assert!(
                    found == bytes || says(),
                    "{what}: {path} differs: {problems}"
                );
            }
            assert_eq!(walked.files.len(), file.whole.len(), "{what}: {problems}");
            let is_same = walked.files == file.whole;
            assert!(is_same || !problems.is_empty(), "{what}: nothing is told");
            assert!(
                check(&file.path).unwrap().errors > 0,
                "{what}: nothing is found"
            );
            std::fs::write(&file.path, &file.bytes).unwrap();
        }
    });
}

/// The pages on the way to the damaged message, or to its data.
fn way(file: &Intact, ptype: u8) -> Vec<PageEntry> {
    let node = file.layout.node(file.messages[DAMAGED]);
    let key = if ptype == PTYPE_NBT {
        node.nid.into()
    } else {
        node.data
    };
    let levels = 0..file.layout.depth(ptype);
    levels
        .map(|level| file.layout.page(ptype, level, key))
        .collect()
}

/// Changes a byte of the sizes of each page on the way in turn: that `at` entries of `cEnt` behind the place of `cEnt`.
fn with_pages(change: impl Fn(&Intact, PageEntry)) {
    for ptype in [PTYPE_NBT, PTYPE_BBT] {
        for level in 0..3 {
            cost_nothing(&[&|file| {
                let pages = way(file, ptype);
                change(file, pages[level.min(pages.len() - 1)]);
            }]);
        }
    }
}

/// Offsets of `cEnt`, `cbEnt` and `cLevel` in a page.
fn size_fields(file: &Intact) -> [usize; 3] {
    let geo = file.layout.geo;
    let width = if geo.is_4k() { 2 } else { 1 };
    [0, 2 * width, 2 * width + 1].map(|field| geo.entries + field)
}

fn edit_page(file: &Intact, page: PageEntry, field: usize, edit: impl Fn(u8) -> u8) {
    let at = size_fields(file)[field];
    file.damage()
        .edit_page(page, |body| body[at] = edit(body[at]));
}

#[test]
fn entries_that_a_page_does_not_count_are_shown() {
    with_pages(|file, page| edit_page(file, page, 0, |_| 0));
    with_pages(|file, page| edit_page(file, page, 0, |count| count - 1));
}

#[test]
fn entries_of_a_page_that_counts_more_than_fit_are_shown() {
    with_pages(|file, page| {
        file.damage().entry_count(page, 0xFF);
    });
}

#[test]
fn a_wrong_size_of_entries_costs_none() {
    for wrong in [0, 0x14, 0x19, 0x1C, 0x28, 0xFF] {
        with_pages(|file, page| edit_page(file, page, 1, |_| wrong));
    }
}

#[test]
fn a_wrong_level_costs_no_entries() {
    for wrong in [0, 1, 2, 3, 0x41] {
        with_pages(|file, page| {
            edit_page(
                file,
                page,
                2,
                |level| if level == wrong { 5 } else { wrong },
            );
        });
    }
}

#[test]
fn a_wrong_key_costs_no_entries() {
    for key in [0, 1, u64::MAX] {
        for ptype in [PTYPE_NBT, PTYPE_BBT] {
            for index in [0, 1] {
                cost_nothing(&[&|file| {
                    let page = way(file, ptype)[1];
                    let word = file.layout.geo.word();
                    let at = index.min(page.entries as usize - 1) * 3 * word;
                    file.damage().edit_page(page, |body| {
                        body[at..][..word].copy_from_slice(&key.to_le_bytes()[..word]);
                    });
                }]);
            }
        }
    }
}

/// The list of the blocks of the long attachment.
fn content(file: &Intact) -> u64 {
    file.damage().attachment_data(file.messages[DAMAGED], 1)
}

#[test]
fn a_list_of_blocks_with_a_wrong_header_costs_none() {
    let set = |at: usize, value: u8| {
        move |file: &Intact| {
            file.damage()
                .edit_block(content(file), |list| list[at] = value)
        }
    };
    for value in [0, 2, 5, 0xFF] {
        // cLevel; cEnt.
        cost_nothing(&[&set(1, value), &set(2, value)]);
    }
    cost_nothing(&[&set(2, 1), &set(3, 0xFF), &set(0, 7)]);
    // lcbTotal.
    for at in 4..8 {
        cost_nothing(&[&set(at, 0x11), &set(at, 0xFE)]);
    }
}

#[test]
fn a_list_of_subnodes_with_a_wrong_header_costs_none() {
    let set = |at: usize, value: u8| {
        move |file: &Intact| {
            let list = file.layout.node(file.messages[DAMAGED]).sub;
            file.damage().edit_block(list, |list| list[at] = value);
        }
    };
    for value in [1, 3, 0xFF] {
        // btype; cLevel; cEnt.
        cost_nothing(&[&set(0, value), &set(1, value), &set(2, value)]);
    }
    cost_nothing(&[&set(2, 0), &set(3, 1)]);
}

/// Blocks of a message of each kind: properties, list of subnodes, list of blocks, first and last block of an attachment.
fn blocks(file: &Intact) -> [u64; 5] {
    let node = file.layout.node(file.messages[DAMAGED]);
    let leaves = file.damage().leaves(content(file));
    let [first, .., last] = *leaves else {
        panic!("one block");
    };
    [node.data, node.sub, content(file), first, last]
}

#[test]
fn a_wrong_size_of_a_block_costs_none_of_its_bytes() {
    for index in 0..5 {
        for wrong in [0, 1, 0x100, 0xFFFF] {
            cost_nothing(&[&|file| {
                let bid = blocks(file)[index];
                file.damage().set_length(bid, wrong);
            }]);
        }
        cost_nothing(&[&|file| {
            let bid = blocks(file)[index];
            let stored = file.layout.block(bid).stored;
            file.damage().set_length(bid, stored - 1);
        }]);
    }
}

#[test]
fn a_wrong_inflated_size_costs_none_of_the_bytes() {
    let body = |number: u32| {
        let line = |line: u32| format!("Line {line} of message {number}\r\n");
        let text: String = (0..3000).map(line).collect();
        message(number)
            .body(&text)
            .attachment("lines.txt", Payload::from(text.as_bytes()))
    };
    let compressed = || {
        let mut options = options(Format::Ost4k, Crypt::None);
        options.compress = true;
        Intact::write(options, |store| fill_inbox(store, (0..3).map(body)))
    };
    let file = compressed();
    let blocks: Vec<u64> = (0..file.layout.blocks.len() as u64)
        .map(|index| (index + 1) * 4 + file.layout.options.bid_base)
        .filter(|bid| file.layout.block(*bid).stored != file.layout.block(*bid).inflated)
        .collect();
    assert!(blocks.len() > 6);
    for bid in blocks {
        let entry = file.layout.block(bid);
        for inflated in [
            0,
            1,
            entry.stored,
            entry.inflated - 1,
            entry.inflated + 1,
            0xFFFF,
        ] {
            file.damage().set_inflated(bid, inflated);
            let what = format!("{bid:#x}, {:#x} as {inflated:#x}", entry.inflated);
            let (walked, problems) = file.walked();
            assert_eq!(walked.failed, [""; 0], "{what}");
            assert!(!problems.is_empty(), "{what}");
            for (path, bytes) in &file.whole {
                let found = walked.files.get(path);
                let found = found.unwrap_or_else(|| panic!("{what}: no {path}: {problems}"));
                // What is attached in one block may be as long as the entry says.
                let is_cut = path.ends_with("lines.txt") && problems.contains("lines.txt");
                let says = || String::from_utf8_lossy(found).contains("X-Ostfs-Problem: ");
                assert!(
                    found == bytes || is_cut || says(),
                    "{what}: {path}: {problems}"
                );
                let text = String::from_utf8_lossy(found);
                assert!(
                    is_cut || path.ends_with("data.bin") || text.contains("Line 2999 of"),
                    "{what}: {path}"
                );
            }
            std::fs::write(&file.path, &file.bytes).unwrap();
        }
    }
}

#[test]
fn a_place_that_no_file_has_gives_no_bytes_of_another_block() {
    for_each_format(file, |file| {
        let word = file.layout.geo.word();
        for back in [1, 0x40, 0x2000] {
            let leaf = blocks(&file)[3];
            let ib = (u64::MAX - back).to_le_bytes();
            file.damage().set_place(leaf, &ib[..word]);
            let (walked, problems) = file.walked();
            assert!(!problems.is_empty());
            for (path, bytes) in &file.whole {
                let found = &walked.files[path];
                let says = String::from_utf8_lossy(found).contains("X-Ostfs-Problem: ");
                // An intact copy is found where it is.
                assert!(found == bytes || says, "{path}: {problems}");
            }
            std::fs::write(&file.path, &file.bytes).unwrap();
        }
    });
}

#[test]
fn a_block_that_is_in_two_lists_of_one_value_is_told() {
    let file = |format, crypt| {
        let mut options = options(format, crypt);
        options.xblock_entries = Some(2);
        let long = |number| {
            message(number).attachment(
                "long.bin",
                Payload::random(4 * LONG, u64::from(number) + 50),
            )
        };
        Intact::write(options, |store| fill_inbox(store, (0..3).map(long)))
    };
    for_each_format(file, |file| {
        let damage = file.damage();
        let word = file.layout.geo.word();
        let lists: Vec<u64> = {
            let top = damage.payload(content(&file));
            let ids = top[8..].chunks_exact(word);
            ids.map(|id| {
                let mut bytes = [0; 8];
                bytes[..word].copy_from_slice(id);
                u64::from_le_bytes(bytes)
            })
            .collect()
        };
        let first = damage.payload(lists[0]);
        damage.edit_block(lists[1], |list| {
            list[8..][..word].copy_from_slice(&first[8..][..word])
        });
        let (_, problems) = file.walked();
        let place = "attachment \"long.bin\", property 0x3701, bytes 0 to 599999: may be wrong";
        assert!(problems.contains(place), "{problems}");
        assert!(check(&file.path).unwrap().errors > 0);
    });
}
