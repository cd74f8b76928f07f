//! Data trees: every block and every byte of one is what was written there, and a list that lies is an error.

use std::sync::Arc;

use ostfs::ndb::{BlockId, DataTree};

use crate::mailbox::{File, MESSAGE, mail, write_with};
use crate::support::*;

/// Entries of an XBLOCK: few, so that a small tree has several.
const ENTRIES: usize = 3;
/// Blocks of the trees: two full XBLOCKs and one that is not.
const BLOCKS: usize = 8;
/// Bytes of the last block.
const LAST: usize = 100;

/// The attachment of a message, over an XXBLOCK if `entries` says how long XBLOCKs are, else over one XBLOCK.
struct Written {
    file: File,
    content: Vec<u8>,
    /// Bytes of a full block.
    full: usize,
    top: u64,
}

impl Written {
    fn new(format: Format, crypt: Crypt, entries: Option<usize>) -> Written {
        let full = format.geometry().block_max;
        let content = Payload::random((full * (BLOCKS - 1) + LAST) as u64, 1);
        let mut options = Options::new(format, crypt);
        (options.compress, options.xblock_entries) = (false, entries);
        let file = write_with(options, |store| {
            let inbox = store.folder(store.ipm_subtree(), "Inbox");
            let message = mail("first").attachment("data.bin", content.clone());
            assert_eq!(store.message(inbox, message), MESSAGE);
        });
        let top = file.damage().attachment_data(MESSAGE, 0);
        let levels = file.damage().payload(top)[1];
        assert_eq!(levels, if entries.is_some() { 2 } else { 1 });
        Written {
            file,
            content: content.to_vec(),
            full,
            top,
        }
    }

    fn open(&self) -> ostfs::Result<DataTree> {
        let ndb = Arc::new(ostfs::ndb::open(&self.file.path, 1 << 20).unwrap());
        DataTree::open(&ndb, BlockId(self.top))
    }

    /// The tree and what is told of it, or the error that reading it from its beginning to its end gives.
    fn read(&self) -> ostfs::Result<(Vec<u8>, String)> {
        let tree = self.open()?;
        let mut bytes = vec![0; self.content.len() + 2 * self.full];
        let mut told = String::new();
        let count = tree.read_at(0, &mut bytes, &mut |_, flaw| told += &flaw.error)?;
        bytes.truncate(count);
        Ok((bytes, told))
    }

    fn is_whole(&self) -> bool {
        self.read().unwrap() == (self.content.clone(), String::new())
    }

    /// Overwrites number of entries and total of the list `bid` with what `lie` makes of them.
    fn lie(&self, bid: u64, lie: impl Fn(u16, u32) -> (u16, u32)) {
        let damage = self.file.damage();
        let list = damage.payload(bid);
        let count = u16::from_le_bytes(list[2..4].try_into().unwrap());
        let total = u32::from_le_bytes(list[4..8].try_into().unwrap());
        let (count, total) = lie(count, total);
        damage.xblock_lie(bid, count, total);
    }

    /// The first XBLOCK below the XXBLOCK.
    fn first_xblock(&self) -> u64 {
        let geo = self.file.layout.geo;
        let mut bid = [0; 8];
        let list = self.file.damage().payload(self.top);
        bid[..geo.word()].copy_from_slice(&list[8..][..geo.word()]);
        u64::from_le_bytes(bid)
    }
}

#[test]
fn each_block_of_a_tree_is_the_one_that_was_written_there() {
    for (format, crypt) in ALL_FORMATS {
        for entries in [None, Some(ENTRIES)] {
            let written = Written::new(format, crypt, entries);
            let tree = written.open().unwrap();
            assert_eq!(tree.leaf_count().unwrap(), BLOCKS, "{format:?}");
            for (index, content) in written.content.chunks(written.full).enumerate() {
                let leaf = tree.leaf(index).unwrap();
                assert!(leaf[..] == *content, "{format:?} {entries:?}: {index}");
            }
            assert!(tree.leaf(BLOCKS).is_err());
        }
    }
}

#[test]
fn a_read_of_a_tree_may_begin_and_end_at_any_border() {
    for (format, crypt) in ALL_FORMATS {
        for entries in [None, Some(ENTRIES)] {
            let written = Written::new(format, crypt, entries);
            let tree = written.open().unwrap();
            let (content, full) = (&written.content, written.full);
            assert_eq!(tree.len(), content.len() as u64);
            let borders = (0..=BLOCKS).flat_map(|block| {
                let at = (block * full).min(content.len());
                [at.saturating_sub(1), at, at + 1]
            });
            for start in borders {
                for length in [1, full - 1, full, full + 1, 3 * full, 8 * full] {
                    let mut bytes = vec![0; length];
                    let read = tree.read_at(start as u64, &mut bytes, &mut |_, _| panic!());
                    let from = &content[start.min(content.len())..];
                    let expected = &from[..from.len().min(length)];
                    assert_eq!(read.unwrap(), expected.len());
                    assert!(
                        bytes[..expected.len()] == *expected,
                        "{format:?} {entries:?}: {start} {length}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_tree_is_as_long_as_its_list_says_where_its_last_block_and_another_are_lost() {
    for (format, crypt) in ALL_FORMATS {
        let written = Written::new(format, crypt, None);
        let damage = written.file.damage();
        let leaves = damage.leaves(written.top);
        for leaf in [leaves[2], leaves[BLOCKS - 1]] {
            damage.zero_block(leaf);
            damage.drop_block(leaf);
        }
        let tree = written.open().unwrap();
        assert_eq!(tree.len(), written.content.len() as u64, "{format:?}");
        assert!(tree.leaf(1).unwrap()[..] == written.content[written.full..2 * written.full]);
    }
}

/// A total of a list, made of its own and of the bytes of a full block.
type Lie = fn(u32, u32) -> u32;

#[test]
fn a_list_with_more_or_less_than_its_total_tells_and_shows_what_is_there() {
    let lies: [(&str, Lie); 6] = [
        ("a byte less", |total, _| total - 1),
        ("a byte more", |total, _| total + 1),
        ("a block less", |total, full| total - full),
        ("a block more", |total, full| total + full),
        ("one byte", |_, _| 1),
        ("nothing", |_, _| 0),
    ];
    for (format, crypt) in ALL_FORMATS {
        let full = format.geometry().block_max as u32;
        for (what, lie) in lies {
            let written = Written::new(format, crypt, None);
            assert!(written.is_whole());
            written.lie(written.top, |count, total| (count, lie(total, full)));
            let (bytes, told) = written.read().unwrap();
            assert!(bytes == written.content, "{format:?} {what}");
            assert!(told.contains("lcbTotal"), "{format:?} {what}: {told}");
        }
        for (what, lie) in lies {
            for is_of_top in [true, false] {
                let written = Written::new(format, crypt, Some(ENTRIES));
                let list = match is_of_top {
                    true => written.top,
                    false => written.first_xblock(),
                };
                written.lie(list, |count, total| (count, lie(total, full)));
                let (bytes, told) = written.read().unwrap();
                // How long the whole is, is not worked out before it is read.
                let there = bytes.len().min(written.content.len());
                assert!(
                    bytes[..there] == written.content[..there],
                    "{format:?} {what}"
                );
                assert!(is_of_top || bytes == written.content, "{format:?} {what}");
                // Nothing is read of a tree without bytes.
                let is_told = told.contains("lcbTotal") || (is_of_top && bytes.is_empty());
                assert!(is_told, "{format:?} {what}: {told}");
            }
        }
    }
}

#[test]
fn a_block_that_is_said_to_have_no_bytes_has_those_that_it_has() {
    const BEFORE: usize = 3;
    for (format, crypt) in ALL_FORMATS {
        let written = Written::new(format, crypt, None);
        let damage = written.file.damage();
        damage.set_length(damage.leaves(written.top)[BEFORE], 0);
        written.lie(written.top, |count, _| {
            (count, (BEFORE * written.full) as u32)
        });
        let (bytes, told) = written.read().unwrap();
        assert!(bytes == written.content, "{format:?}");
        assert!(
            told.contains("lcbTotal") && told.contains("cb of the BBT entry"),
            "{told}"
        );
    }
}
