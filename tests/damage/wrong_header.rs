//! A header byte that is a legal but wrong value, and checksums that a writer has filled wrongly in one way: the content
//! tells what is right. Files of our own writer, in all formats.

use crate::intact::{FANOUT, Intact, fill_inbox, for_each_format, message};
use crate::support::*;
use crate::walk::{everything, open};

const MESSAGES: u32 = 30;
/// Offset of `wVer`.
const VERSION: usize = 10;
/// Node of the message store.
const STORE: u32 = 0x21;

/// Blocks are compressed where the format allows that.
fn file(format: Format, crypt: Crypt) -> Intact {
    let mut options = Options::new(format, crypt);
    options.fanout = Some(FANOUT);
    Intact::write(options, |store| {
        fill_inbox(store, (0..MESSAGES).map(message))
    })
}

impl Intact {
    /// What is told when the file is opened, without a scan.
    fn told_at_once(&self) -> Vec<String> {
        let told = self.told();
        assert!(!told.is_scanned, "the whole file was gone through");
        told.lines
    }

    fn crypt_at(&self) -> usize {
        if self.layout.geo.wide { 513 } else { 461 }
    }

    /// Changes all bytes of the file.
    fn edit(&self, edit: impl FnOnce(&mut [u8])) {
        let mut bytes = std::fs::read(&self.path).unwrap();
        edit(&mut bytes);
        std::fs::write(&self.path, bytes).unwrap();
    }

    /// Ranges of data and trailer of all pages of the B-trees, and of all blocks.
    fn parts(&self) -> [Vec<Part>; 2] {
        let geo = self.layout.geo;
        let pages = self.layout.pages.iter().map(|page| {
            let at = page.ib as usize;
            Part::new(geo, at, geo.page_data, at + geo.page_data, 4, 8)
        });
        let blocks = self.layout.blocks.iter().map(|block| {
            let (at, size) = (block.ib as usize, block.stored as usize);
            let trailer = at + geo.block_size(size) - geo.block_trailer;
            Part::new(geo, at, size, trailer, 4, 8)
        });
        [pages.collect(), blocks.collect()]
    }
}

/// Data, and where its checksum and signature are.
struct Part {
    data: std::ops::Range<usize>,
    crc: usize,
    signature: usize,
}

impl Part {
    fn new(
        geo: format::Geometry,
        at: usize,
        size: usize,
        trailer: usize,
        wide: usize,
        ansi: usize,
    ) -> Part {
        Part {
            data: at..at + size,
            crc: trailer + if geo.wide { wide } else { ansi },
            signature: trailer + 2,
        }
    }

    fn set_crc(&self, bytes: &mut [u8], crc: impl Fn(&[u8]) -> u32) {
        let crc = crc(&bytes[self.data.clone()]);
        bytes[self.crc..][..4].copy_from_slice(&crc.to_le_bytes());
    }
}

#[test]
fn a_healthy_file_is_believed() {
    for_each_format(file, |file| assert_eq!(file.told_at_once(), [""; 0]));
}

#[test]
fn a_wrong_encoding_in_the_header_costs_nothing() {
    for format in [Format::Ansi, Format::Unicode, Format::Ost4k] {
        for crypt in [Crypt::None, Crypt::Permute, Crypt::Cyclic] {
            // Methods, what nothing stands for, and what Windows encrypts.
            for wrong in [0, 1, 2, 7, 0x10] {
                if wrong == crypt as u8 {
                    continue;
                }
                let file = file(format, crypt);
                let at = file.crypt_at();
                file.damage().edit_header(|header| header[at] = wrong);
                let lines = file.told_at_once();
                let told = lines.iter().filter(|line| line.ends_with("decoded so"));
                assert_eq!(told.count(), 1, "{lines:?}");
                file.shows_everything();
            }
        }
    }
}

#[test]
fn a_wrong_version_in_the_header_costs_nothing() {
    for_each_format(file, |file| {
        let own = file.layout.options.format.version();
        for wrong in [14u16, 23, 36, 99] {
            let is_same = |one: u16| match one {
                14 | 15 => 0,
                36 => 1,
                _ => 2,
            };
            if wrong != 99 && is_same(wrong) == is_same(own) {
                continue;
            }
            file.damage().edit_header(|header| {
                header[VERSION..][..2].copy_from_slice(&wrong.to_le_bytes());
            });
            let lines = file.told_at_once();
            let expected = format!("the header says version {wrong}, ");
            assert!(
                matches!(&*lines, [line] if line.starts_with(&expected)),
                "{lines:?}"
            );
            file.shows_everything();
        }
    });
}

#[test]
fn checksums_that_are_wrong_in_one_way_cost_nothing() {
    let standard: fn(&[u8]) -> u32 = crc32fast::hash;
    let zero: fn(&[u8]) -> u32 = |_| 0;
    for scheme in [standard, zero] {
        for kind in [0, 1] {
            for_each_format(file, |file| {
                let parts = &file.parts()[kind];
                file.edit(|bytes| parts.iter().for_each(|part| part.set_crc(bytes, scheme)));
                let lines = file.told_at_once();
                let what = ["all pages", "all blocks"][kind];
                let expected = format!("the checksums of {what} are ");
                assert!(
                    matches!(&*lines, [line] if line.starts_with(&expected)),
                    "{lines:?}"
                );
                file.shows_everything();
            });
        }
    }
}

#[test]
fn a_file_without_any_checksum_or_signature_costs_nothing() {
    for_each_format(file, |file| {
        let parts = file.parts();
        file.edit(|bytes| {
            for part in parts.iter().flatten() {
                part.set_crc(bytes, |_| 0);
                bytes[part.signature..][..2].fill(0);
            }
            bytes[4..8].fill(0);
            if file.layout.geo.wide {
                bytes[524..528].fill(0);
            }
        });
        let lines = file.told_at_once();
        assert_eq!(lines.len(), 4, "{lines:?}");
        file.shows_everything();
    });
}

#[test]
fn damage_in_many_blocks_is_not_taken_for_a_writer_without_checksums() {
    for_each_format(file, |file| {
        let [pages, blocks] = file.parts();
        file.edit(|bytes| {
            for part in pages.iter().step_by(2).chain(blocks.iter().step_by(2)) {
                bytes[part.crc] ^= 3;
            }
        });
        let lines = file.told().lines;
        let is_told = lines.iter().any(|line| line.contains("the checksums of"));
        assert!(!is_told, "{lines:?}");
    });
}

#[test]
fn one_damaged_block_does_not_mislead_about_the_encoding() {
    for_each_format(file, |file| {
        let data = file.layout.node(STORE).data;
        // The byte that tells a heap.
        file.damage().flip_block(data, 2);
        let lines = file.told_at_once();
        assert!(
            !lines.iter().any(|line| line.ends_with("decoded so")),
            "{lines:?}"
        );
        let files = everything(&open(&file.path).unwrap()).files;
        let same = files
            .iter()
            .filter(|(path, bytes)| file.whole.get(*path) == Some(bytes));
        assert!(same.count() >= MESSAGES as usize);
    });
}

#[test]
fn a_torn_header_is_still_a_reason_to_scan() {
    for_each_format(file, |file| {
        file.edit(|bytes| {
            let at = bytes[4];
            bytes[4] = at.wrapping_add(1);
        });
        let lines = file.told().lines;
        open(&file.path).unwrap();
        assert!(
            lines
                .iter()
                .any(|line| line.contains("the CRC of the header")),
            "{lines:?}"
        );
    });
}
