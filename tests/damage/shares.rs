//! How much of a damaged file is still shown, in bytes: every kind of damage in every format and encoding, against a floor for
//! each. What is counted are pieces: lines of text of the items, and stretches of what is attached.
//!
//! `OSTFS_DAMAGE=whole` tries all seeds and encodings and prints the table; else one of each is tried.

use std::collections::HashMap;
use std::fs;

use ostfs::tree::{Attachments, Options as TreeOptions, Tree};

use crate::intact::{Intact, fill_inbox, message, options};
use crate::support::format::{PTYPE_BBT, PTYPE_NBT};
use crate::support::*;
use crate::walk::{Files, everything};

/// Messages of a file: some 400 KB.
const MESSAGES: u32 = 24;
/// Lines of the body of each.
const LINES: u32 = 30;
const CRYPTS: [Crypt; 3] = [Crypt::None, Crypt::Permute, Crypt::Cyclic];
const SEEDS: u64 = 2;
/// Shorter lines are in every message.
const LEAST_LINE: usize = 20;
/// Bytes of an attachment that are one piece.
const STRETCH: usize = 512;
const SECTOR: usize = 512;
const CLUSTER: usize = 4096;
/// What a lost or repeated stretch has, if the file is not small.
const EXTENT: usize = 65_536;
/// A share of everything.
const WHOLE: u64 = 1000;

/// What befalls a file.
type Kind = fn(&mut Prng, &Intact) -> Vec<u8>;

/// Lowest shares, in thousandths, of text and of attachments, by format as in [`ALL_FORMATS`]. They are what was measured over all
/// seeds and encodings, and are changed only to be raised. The writer puts all pages at the end of a file, so that one
/// that is cut off has no leaf left that tells which attachments belong to which message.
const FLOORS: [(&str, Kind, [[u64; 2]; 4]); 17] = [
    (
        "sectors of zeros",
        sectors_of_zeros,
        [[960, 980], [984, 982], [984, 982], [992, 1000]],
    ),
    (
        "sectors exchanged",
        sectors_exchanged,
        [[961, 980], [992, 982], [992, 982], [992, 1000]],
    ),
    (
        "sectors written twice",
        sectors_written_twice,
        [[960, 985], [992, 985], [992, 985], [992, 1000]],
    ),
    (
        "clusters exchanged",
        clusters_exchanged,
        [[1000, 919], [932, 933], [949, 933], [1000, 1000]],
    ),
    (
        "line ends converted",
        line_ends_converted,
        [[80, 4], [71, 0], [85, 2], [107, 0]],
    ),
    (
        "a stretch lost",
        stretch_lost,
        [[807, 762], [823, 0], [823, 0], [1000, 1000]],
    ),
    (
        "a stretch repeated",
        stretch_repeated,
        [[1000, 1000], [1000, 1000], [1000, 1000], [1000, 1000]],
    ),
    (
        "garbage ahead",
        garbage_ahead,
        [[1000, 1000], [1000, 1000], [1000, 1000], [1000, 1000]],
    ),
    (
        "no header",
        no_header,
        [[1000, 1000], [1000, 1000], [1000, 1000], [1000, 1000]],
    ),
    (
        "cut off",
        cut_off,
        [[1000, 1000], [973, 0], [973, 0], [1000, 1000]],
    ),
    (
        "the end is zeros",
        end_of_zeros,
        [[1000, 1000], [973, 0], [973, 0], [1000, 1000]],
    ),
    (
        "blocks of zeros",
        blocks_of_zeros,
        [[1000, 960], [966, 1000], [1000, 1000], [929, 916]],
    ),
    (
        "blocks over others",
        blocks_over_others,
        [[962, 958], [961, 960], [963, 1000], [964, 980]],
    ),
    (
        "leaves of zeros",
        leaves_of_zeros,
        [[1000, 1000], [1000, 1000], [1000, 1000], [1000, 1000]],
    ),
    (
        "no roots",
        no_roots,
        [[1000, 1000], [1000, 1000], [1000, 1000], [1000, 1000]],
    ),
    (
        "bits wrong",
        bits_wrong,
        [[1000, 960], [997, 953], [997, 953], [1000, 1000]],
    ),
    (
        "a wrong root",
        wrong_root,
        [[1000, 1000], [1000, 1000], [1000, 1000], [1000, 1000]],
    ),
];

/// Where one of the units of `size` bytes behind the header begins.
fn place(random: &mut Prng, bytes: &[u8], size: usize) -> usize {
    let first = CLUSTER.div_ceil(size);
    random.range(first as u64, (bytes.len() / size) as u64) as usize * size
}

fn exchange(random: &mut Prng, file: &Intact, size: usize, times: usize) -> Vec<u8> {
    let mut bytes = file.bytes.clone();
    for _ in 0..times {
        let (one, other) = (place(random, &bytes, size), place(random, &bytes, size));
        let first = bytes[one..one + size].to_vec();
        bytes.copy_within(other..other + size, one);
        bytes[other..other + size].copy_from_slice(&first);
    }
    bytes
}

fn sectors_of_zeros(random: &mut Prng, file: &Intact) -> Vec<u8> {
    let mut bytes = file.bytes.clone();
    for _ in 0..8 {
        let at = place(random, &bytes, SECTOR);
        bytes[at..at + SECTOR].fill(0);
    }
    bytes
}

fn sectors_exchanged(random: &mut Prng, file: &Intact) -> Vec<u8> {
    exchange(random, file, SECTOR, 4)
}

fn clusters_exchanged(random: &mut Prng, file: &Intact) -> Vec<u8> {
    exchange(random, file, CLUSTER, 3)
}

fn sectors_written_twice(random: &mut Prng, file: &Intact) -> Vec<u8> {
    let mut bytes = file.bytes.clone();
    for _ in 0..6 {
        let at = place(random, &bytes, SECTOR);
        bytes.copy_within(at - SECTOR..at, at);
    }
    bytes
}

/// As a transfer of text does it.
fn line_ends_converted(_: &mut Prng, file: &Intact) -> Vec<u8> {
    let mut bytes = Vec::new();
    for byte in &file.bytes {
        bytes.extend(match byte {
            b'\n' => &b"\r\n"[..],
            byte => std::slice::from_ref(byte),
        });
    }
    bytes
}

fn extent(bytes: &[u8]) -> usize {
    EXTENT.min(bytes.len() / 8)
}

/// At any byte, not only between sectors.
fn stretch_lost(random: &mut Prng, file: &Intact) -> Vec<u8> {
    let mut bytes = file.bytes.clone();
    let size = extent(&bytes);
    let at = random.range(CLUSTER as u64, (bytes.len() - size) as u64) as usize;
    bytes.drain(at..at + size);
    bytes
}

fn stretch_repeated(random: &mut Prng, file: &Intact) -> Vec<u8> {
    let size = extent(&file.bytes) / SECTOR * SECTOR;
    let end = size + place(random, &file.bytes[size..], SECTOR);
    [&file.bytes[..end], &file.bytes[end - size..]].concat()
}

fn garbage_ahead(random: &mut Prng, file: &Intact) -> Vec<u8> {
    let garbage = (0..777).map(|_| random.below(256) as u8);
    garbage.chain(file.bytes.iter().copied()).collect()
}

fn no_header(_: &mut Prng, file: &Intact) -> Vec<u8> {
    let mut bytes = file.bytes.clone();
    bytes[..CLUSTER].fill(0);
    bytes
}

/// Behind the half, in which most of the messages are.
fn end(random: &mut Prng, file: &Intact) -> usize {
    file.bytes.len() * random.range(50, 95) as usize / 100 / SECTOR * SECTOR
}

fn cut_off(random: &mut Prng, file: &Intact) -> Vec<u8> {
    file.bytes[..end(random, file)].to_vec()
}

fn end_of_zeros(random: &mut Prng, file: &Intact) -> Vec<u8> {
    let mut bytes = file.bytes.clone();
    bytes[end(random, file)..].fill(0);
    bytes
}

/// Offset and length of a block, with its trailer.
fn block(random: &mut Prng, file: &Intact) -> (usize, usize) {
    let block = random.pick(&file.layout.blocks);
    (
        block.ib as usize,
        file.layout.geo.block_size(block.stored.into()),
    )
}

fn blocks_of_zeros(random: &mut Prng, file: &Intact) -> Vec<u8> {
    let mut bytes = file.bytes.clone();
    for _ in 0..4 {
        let (at, size) = block(random, file);
        bytes[at..at + size].fill(0);
    }
    bytes
}

/// What was written, and went to the place of another.
fn blocks_over_others(random: &mut Prng, file: &Intact) -> Vec<u8> {
    let mut bytes = file.bytes.clone();
    for _ in 0..4 {
        let ((from, one), (to, other)) = (block(random, file), block(random, file));
        bytes.copy_within(from..from + one.min(other), to);
    }
    bytes
}

fn pages_of_zeros(file: &Intact, pages: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let mut bytes = file.bytes.clone();
    for at in pages {
        let at = at as usize;
        bytes[at..at + file.layout.geo.page].fill(0);
    }
    bytes
}

fn leaves_of_zeros(random: &mut Prng, file: &Intact) -> Vec<u8> {
    let mut lost = Vec::new();
    for tree in [PTYPE_NBT, PTYPE_BBT] {
        let pages = file.layout.pages.iter();
        let leaves: Vec<u64> = pages
            .filter(|page| page.ptype == tree && page.level == 0)
            .map(|page| page.ib)
            .collect();
        lost.extend((0..2).map(|_| *random.pick(&leaves)));
    }
    pages_of_zeros(file, lost)
}

fn no_roots(_: &mut Prng, file: &Intact) -> Vec<u8> {
    let root = |tree: u8| {
        let level = file.layout.depth(tree) - 1;
        file.layout.page(tree, level, u64::MAX).ib
    };
    pages_of_zeros(file, [PTYPE_NBT, PTYPE_BBT].map(root))
}

fn bits_wrong(random: &mut Prng, file: &Intact) -> Vec<u8> {
    let mut bytes = file.bytes.clone();
    for _ in 0..60 {
        let at = random.range(SECTOR as u64, bytes.len() as u64) as usize;
        bytes[at] ^= 1 << random.below(8);
    }
    bytes
}

/// Bytes of ROOT in the header.
fn wrong_root(random: &mut Prng, file: &Intact) -> Vec<u8> {
    let root = match file.layout.options.format {
        Format::Ansi => 0xA4..0xCC,
        _ => 0xB4..0xFC,
    };
    let mut bytes = file.bytes.clone();
    for _ in 0..4 {
        bytes[random.range(root.start, root.end) as usize] = random.below(256) as u8;
    }
    bytes
}

/// How often there is each piece: of text, and of attachments.
type Pieces = [HashMap<Vec<u8>, u64>; 2];

fn pieces(files: &Files) -> Pieces {
    let mut pieces = Pieces::default();
    for (path, bytes) in files
        .iter()
        .filter(|(path, _)| !path.starts_with("/.ostfs"))
    {
        let [texts, attached] = &mut pieces;
        if path.contains(".attachments/") {
            for stretch in bytes.chunks_exact(STRETCH) {
                *attached.entry(stretch.to_vec()).or_default() += 1;
            }
            continue;
        }
        let lines = bytes.split(|byte| *byte == b'\n');
        // What is said of the damage is no part of the item.
        let is_own = |line: &&[u8]| line.len() >= LEAST_LINE && !line.starts_with(b"X-Ostfs");
        for line in lines.filter(is_own) {
            *texts.entry(line.to_vec()).or_default() += 1;
        }
    }
    pieces
}

/// What the file shows; nothing if it does not open.
fn shown(path: &std::path::Path) -> Pieces {
    let options = TreeOptions {
        attachments: Attachments::Dir,
        ..TreeOptions::default()
    };
    match Tree::open(path, &options) {
        Ok(tree) => pieces(&everything(&tree).files),
        Err(_) => Pieces::default(),
    }
}

/// The share of `whole` that is in `found`, in thousandths, rounded down.
fn share(whole: &Pieces, found: &Pieces) -> [u64; 2] {
    [0, 1].map(|what| {
        let all: u64 = whole[what].values().sum();
        assert!(all > 300, "{all} pieces");
        let there = whole[what]
            .iter()
            .map(|(piece, count)| found[what].get(piece).copied().unwrap_or(0).min(*count));
        WHOLE * there.sum::<u64>() / all
    })
}

fn file(format: Format, crypt: Crypt) -> Intact {
    let of_many_lines = |number: u32| {
        let line = |line: u32| format!("Line {line} of message {number}, which no other has\r\n");
        message(number).body(&(0..LINES).map(line).collect::<String>())
    };
    Intact::write(options(format, crypt), |store| {
        fill_inbox(store, (0..MESSAGES).map(of_many_lines))
    })
}

/// The lowest share of each kind of damage, of files of `format` with all of `crypts`.
fn lowest(format: Format, crypts: &[Crypt], seeds: u64) -> Vec<[u64; 2]> {
    let mut lowest = vec![[WHOLE; 2]; FLOORS.len()];
    for crypt in crypts {
        let file = file(format, *crypt);
        let whole = shown(&file.path);
        for (lowest, (name, damage, _)) in lowest.iter_mut().zip(FLOORS) {
            for seed in 0..seeds {
                let damaged = damage(&mut Prng(seed), &file);
                fs::write(&file.path, damaged).unwrap();
                let share = share(&whole, &shown(&file.path));
                *lowest = [lowest[0].min(share[0]), lowest[1].min(share[1])];
                assert!(share.iter().all(|share| *share <= WHOLE), "{name}");
            }
        }
    }
    lowest
}

/// Damages files of one of [`ALL_FORMATS`].
fn costs_no_more_bytes_than_it_ever_did(number: usize) {
    let is_whole = std::env::var_os("OSTFS_DAMAGE").is_some_and(|value| value == "whole");
    let (format, crypt) = ALL_FORMATS[number];
    let shares = match is_whole {
        true => lowest(format, &CRYPTS, SEEDS),
        false => lowest(format, &[crypt], 1),
    };
    let mut below = Vec::new();
    for ((name, _, floors), share) in FLOORS.iter().zip(shares) {
        let floor = floors[number];
        println!("{format:?}, {name}: {share:?}, at least {floor:?}");
        if share[0] < floor[0] || share[1] < floor[1] {
            below.push(format!(
                "{format:?}, {name}: {share:?} of {WHOLE}, not {floor:?}"
            ));
        }
    }
    assert!(below.is_empty(), "{below:#?}");
}

// One for each format, as they take long and run at the same time.

#[test]
fn damage_costs_no_more_bytes_than_it_ever_did_in_an_ansi_pst() {
    costs_no_more_bytes_than_it_ever_did(0);
}

#[test]
fn damage_costs_no_more_bytes_than_it_ever_did_in_a_unicode_pst() {
    costs_no_more_bytes_than_it_ever_did(1);
}

#[test]
fn damage_costs_no_more_bytes_than_it_ever_did_in_a_unicode_ost() {
    costs_no_more_bytes_than_it_ever_did(2);
}

#[test]
fn damage_costs_no_more_bytes_than_it_ever_did_in_a_4k_ost() {
    costs_no_more_bytes_than_it_ever_did(3);
}
