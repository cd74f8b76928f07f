//! A header byte that is a legal but wrong value, and checksums that a writer has filled wrongly in one way: the content
//! tells what is right. Files of our own writer, in all formats.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::support;
use crate::support::*;
use crate::walk::{everything, open};
use ostfs::ndb::{Recover, Watch, open_with};
use parking_lot::Mutex;
use tempfile::TempDir;

const MESSAGES: u64 = 30;
const CACHE: u64 = 1 << 20;
/// Offset of `wVer`.
const VERSION: usize = 10;
/// Node of the message store.
const STORE: u32 = 0x21;

struct File {
    _scratch: TempDir,
    path: PathBuf,
    layout: Layout,
    whole: BTreeMap<String, Vec<u8>>,
}

fn file(format: Format, crypt: Crypt) -> File {
    let mut options = support::Options::new(format, crypt);
    options.fanout = Some(6);
    let mut store = Store::with(options);
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    for number in 0..MESSAGES {
        let message = Message::mail(&format!("Message {number}"))
            .from("Ann Adams", "ann@north.example")
            .to(&format!("Bob {number}"), "bob@north.example")
            .time(filetime(2024, 5, 1, 9, number as i64))
            .body(&format!("Text {number}\r\n"))
            .attachment("data.bin", Payload::random(9_000, number));
        store.message(inbox, message);
    }
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join(format!("test.{}", format.extension()));
    let layout = store.write(&path).unwrap();
    let whole = everything(&open(&path).unwrap()).files;
    assert!(whole.len() >= MESSAGES as usize);
    File {
        _scratch: scratch,
        path,
        layout,
        whole,
    }
}

#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Watch for Told {
    fn progress(&self, _: u64, _: u64) {
        panic!("the whole file was gone through");
    }

    fn problem(&self, line: String) {
        self.0.lock().push(line);
    }
}

impl File {
    fn damage(&self) -> Damage<'_> {
        Damage::open(&self.path, &self.layout).unwrap()
    }

    /// Opens it and returns what is told, without a scan.
    fn told(&self) -> Vec<String> {
        let told = Arc::new(Told::default());
        let watch = Arc::clone(&told);
        open_with(&self.path, CACHE, Recover::Auto, watch).unwrap();
        let lines = told.0.lock();
        lines.clone()
    }

    fn shows_everything(&self) {
        let walked = everything(&open(&self.path).unwrap());
        assert_eq!(walked.failed, [""; 0]);
        assert!(walked.files == self.whole, "other bytes");
        assert!(walked.problems > 0, "nothing was said");
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

fn for_each_format(test: impl Fn(File)) {
    for (format, crypt) in ALL_FORMATS {
        test(file(format, crypt));
    }
}

#[test]
fn a_healthy_file_is_believed() {
    for_each_format(|file| assert_eq!(file.told(), [""; 0]));
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
                let lines = file.told();
                let told = lines.iter().filter(|line| line.ends_with("decoded so"));
                assert_eq!(told.count(), 1, "{lines:?}");
                file.shows_everything();
            }
        }
    }
}

#[test]
fn a_wrong_version_in_the_header_costs_nothing() {
    for_each_format(|file| {
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
            let lines = file.told();
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
            for_each_format(|file| {
                let parts = &file.parts()[kind];
                file.edit(|bytes| parts.iter().for_each(|part| part.set_crc(bytes, scheme)));
                let lines = file.told();
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
    for_each_format(|file| {
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
        let lines = file.told();
        assert_eq!(lines.len(), 4, "{lines:?}");
        file.shows_everything();
    });
}

#[test]
fn damage_in_many_blocks_is_not_taken_for_a_writer_without_checksums() {
    for_each_format(|file| {
        let [pages, blocks] = file.parts();
        file.edit(|bytes| {
            for part in pages.iter().step_by(2).chain(blocks.iter().step_by(2)) {
                bytes[part.crc] ^= 1;
            }
        });
        let told = Arc::new(Lines::default());
        let watch = Arc::clone(&told);
        open_with(&file.path, CACHE, Recover::Auto, watch).ok();
        let lines = told.0.lock();
        let is_told = lines.iter().any(|line| line.contains("the checksums of"));
        assert!(!is_told, "{lines:?}");
    });
}

/// As [`Told`], of what may be scanned.
#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Watch for Lines {
    fn problem(&self, line: String) {
        self.0.lock().push(line);
    }
}

#[test]
fn one_damaged_block_does_not_mislead_about_the_encoding() {
    for_each_format(|file| {
        let data = file.layout.node(STORE).data;
        // The byte that tells a heap.
        file.damage().flip_block(data, 2);
        let lines = file.told();
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
    for_each_format(|file| {
        file.edit(|bytes| {
            let at = bytes[4];
            bytes[4] = at.wrapping_add(1);
        });
        let told = Arc::new(Lines::default());
        let watch = Arc::clone(&told);
        open_with(&file.path, CACHE, Recover::Auto, watch).unwrap();
        let lines = told.0.lock();
        assert!(
            lines
                .iter()
                .any(|line| line.contains("the CRC of the header")),
            "{lines:?}"
        );
    });
}
