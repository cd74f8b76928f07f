//! Images of header, pages and blocks, each at a place of its own: their trailers are made here.

use super::image::{Image, Record};
use super::scratch::Scratch;
use crate::support::format::{Geometry, PTYPE_BBT, PTYPE_NBT, crc, signature};
use crate::support::{Layout, Options};

/// Kinds of records. Header: the bytes. Page: place, id, page type; payload is what stands behind the entries, then the
/// entries. Block: place, id; payload as stored. Bytes: place.
pub const HEADER: u8 = 0;
pub const PAGE: u8 = 1;
pub const BLOCK: u8 = 2;
pub const BYTES: u8 = 3;
/// Files end here.
const MOST_BYTES: u32 = 1 << 20;
/// Bit of a place that asks for a wrong checksum.
const WRONG: u32 = 1 << 31;
const HEADER_SIZE: usize = 564;

/// The file of `image`.
pub fn write(image: &Image) -> Scratch {
    let scratch = Scratch::new();
    let geo = image.format().geometry();
    let mut end = 0;
    for record in &image.records {
        let (place, bytes) = piece(record, &geo);
        if !bytes.is_empty() && place < MOST_BYTES {
            scratch.put(place.into(), &bytes);
            end = end.max(u64::from(place) + bytes.len() as u64);
        }
    }
    // A file may end within its last block.
    if image.chooses(0) {
        let cut = u64::from(image.head[3]);
        scratch
            .file
            .set_len(end.saturating_sub(cut))
            .expect("resized");
    }
    scratch
}

fn piece(record: &Record, geo: &Geometry) -> (u32, Vec<u8>) {
    let [word, bid, ptype] = record.words;
    let (place, wrong) = (word & !WRONG, u32::from(word & WRONG != 0));
    match record.kind % 4 {
        HEADER => (0, header(&record.payload, geo, wrong)),
        PAGE => (place, page(record, place, bid, ptype as u8, geo, wrong)),
        BLOCK => (place, block(&record.payload, place, bid, geo, wrong)),
        _ => (place, record.payload.clone()),
    }
}

fn header(payload: &[u8], geo: &Geometry, wrong: u32) -> Vec<u8> {
    let mut header = payload.to_vec();
    header.resize(if geo.wide { HEADER_SIZE } else { 512 }, 0);
    if geo.wide {
        let full = crc(&header[8..524]) ^ wrong;
        header[524..528].copy_from_slice(&full.to_le_bytes());
    }
    let partial = crc(&header[8..479]) ^ wrong;
    header[4..8].copy_from_slice(&partial.to_le_bytes());
    header
}

/// The 32 bits of checksum and the id of a page or block, in the order of the format.
fn sums(out: &mut Vec<u8>, crc: u32, bid: u32, geo: &Geometry) {
    if geo.wide {
        out.extend(crc.to_le_bytes());
        out.extend(u64::from(bid).to_le_bytes());
    } else {
        out.extend(bid.to_le_bytes());
        out.extend(crc.to_le_bytes());
    }
}

fn page(record: &Record, place: u32, bid: u32, ptype: u8, geo: &Geometry, wrong: u32) -> Vec<u8> {
    let behind = geo.page_data - geo.entries;
    let mut payload = record.payload.clone();
    payload.resize(payload.len().clamp(behind, geo.page_data), 0);
    let mut page = payload.split_off(behind);
    page.resize(geo.entries, 0);
    page.extend(payload);
    let sum = crc(&page) ^ wrong;
    page.extend([ptype, ptype]);
    page.extend(signature(place.into(), bid.into()).to_le_bytes());
    sums(&mut page, sum, bid, geo);
    page.resize(geo.page, 0);
    page
}

fn block(payload: &[u8], place: u32, bid: u32, geo: &Geometry, wrong: u32) -> Vec<u8> {
    let payload = &payload[..payload.len().min(geo.block_max)];
    let size = geo.block_size(payload.len());
    let mut block = payload.to_vec();
    block.resize(size - geo.block_trailer, 0);
    block.extend((payload.len() as u16).to_le_bytes());
    block.extend(signature(place.into(), bid.into()).to_le_bytes());
    sums(&mut block, crc(payload) ^ wrong, bid, geo);
    block.resize(size, 0);
    block
}

/// The image of a written file.
pub fn read(path: &std::path::Path, layout: &Layout) -> Image {
    let Layout { geo, options, .. } = layout;
    let Options { format, crypt, .. } = options;
    let bytes = std::fs::read(path).expect("the file");
    let mut image = Image {
        head: Image::head_of(*format, *crypt),
        ..Image::default()
    };
    let header = if geo.wide { HEADER_SIZE } else { 512 };
    image.push(HEADER, [0; 3], &bytes[..header]);
    for page in &layout.pages {
        assert!(matches!(page.ptype, PTYPE_BBT | PTYPE_NBT));
        let at = page.ib as usize;
        let mut payload = bytes[at + geo.entries..at + geo.page_data].to_vec();
        payload.extend(&bytes[at..at + geo.entries]);
        let used = payload.iter().rposition(|byte| *byte != 0).unwrap_or(0) + 1;
        payload.truncate(used);
        let words = [page.ib as u32, page.bid as u32, page.ptype.into()];
        image.push(PAGE, words, payload);
    }
    for (index, entry) in layout.blocks.iter().enumerate() {
        let bid = (index as u32 + 1) * 4 + if entry.internal { 2 } else { 0 };
        let at = entry.ib as usize;
        let payload = &bytes[at..at + usize::from(entry.stored)];
        image.push(BLOCK, [entry.ib as u32, bid, 0], payload);
    }
    image
}
