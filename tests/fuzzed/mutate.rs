//! Changes images: one record at a time, or the list of them. Bytes of a payload are left to the fuzzer's own mutations.

use super::image::{Image, Record};
use crate::support::Prng;

/// Changes `bytes[..size]` in place, up to the given length; returns the new size.
pub type Bytes<'a> = &'a mut dyn FnMut(&mut [u8], usize, usize) -> usize;

/// Numbers that are at the border of something.
const BORDERS: [u32; 14] = [
    0,
    1,
    2,
    4,
    0x7F,
    0xFF,
    0x7FF,
    0xFFFF,
    0x1_0000,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFE,
    0xFFFF_FFFF,
    0x20,
];
/// The longest payload.
const MOST_OF_PAYLOAD: usize = u16::MAX as usize;

/// Changes the image in `data[..size]`, which may grow to all of `data`; returns its new size.
pub fn mutate(data: &mut [u8], size: usize, most: usize, seed: u32, bytes: Bytes<'_>) -> usize {
    let mut random = Prng(seed.into());
    let most = most.min(data.len());
    // Sometimes anything: also what no image of ours would be.
    if random.percent(5) {
        return bytes(data, size, most);
    }
    let mut image = Image::parse(&data[..size]);
    for _ in 0..=random.below(3) {
        change(&mut image, &mut random, bytes);
    }
    let encoded = image.encode();
    if encoded.len() > most {
        return bytes(data, size, most);
    }
    data[..encoded.len()].copy_from_slice(&encoded);
    encoded.len()
}

fn change(image: &mut Image, random: &mut Prng, bytes: Bytes<'_>) {
    if random.percent(6) {
        let at = 2 + random.below(2) as usize;
        image.head[at] ^= 1 << random.below(8);
        return;
    }
    if image.records.is_empty() {
        image.records.push(Record::default());
    }
    let count = image.records.len() as u64;
    let (one, other) = (random.below(count) as usize, random.below(count) as usize);
    match random.below(24) {
        0 => _ = image.records.remove(one),
        1 => {
            let copy = image.records[one].clone();
            image.records.insert(other, copy);
        }
        2 => image.records.swap(one, other),
        3 => image.records[one].payload = image.records[other].payload.clone(),
        4 => image.records[one].kind = random.below(8) as u8,
        5 | 6 => {
            let word = random.below(3) as usize;
            let from = image.records[other].words[random.below(3) as usize];
            image.records[one].words[word] = number(random, from);
        }
        7 => {
            let word = random.below(3) as usize;
            let now = image.records[one].words[word];
            image.records[one].words[word] =
                now.wrapping_add(random.below(17) as u32).wrapping_sub(8);
        }
        8..=13 => {
            let from = image.records[other].words[random.below(3) as usize];
            let value = number(random, from);
            put(&mut image.records[one].payload, random, value);
        }
        14 => splice(image, one, other, random),
        _ => {
            let payload = &mut image.records[one].payload;
            let size = payload.len();
            let room = (size + 64 + random.below(size as u64 + 1) as usize).min(MOST_OF_PAYLOAD);
            payload.resize(room.max(size), 0);
            let size = bytes(payload, size, room.max(size));
            payload.truncate(size);
        }
    }
}

/// A number at a border, or one that something in the image goes by.
fn number(random: &mut Prng, from: u32) -> u32 {
    match random.below(4) {
        0 => *random.pick(&BORDERS),
        1 => random.next() as u32,
        2 => from ^ 1 << random.below(32),
        _ => from,
    }
}

/// Writes a number of 1, 2 or 4 bytes somewhere in a payload, aligned to its width mostly.
fn put(payload: &mut [u8], random: &mut Prng, value: u32) {
    let width = [1, 2, 4][random.below(3) as usize];
    if payload.len() < width {
        return;
    }
    let mut at = random.below((payload.len() - width) as u64 + 1) as usize;
    if random.percent(80) {
        at -= at % width.min(2);
    }
    payload[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
}

/// Puts a part of one payload into another.
fn splice(image: &mut Image, one: usize, other: usize, random: &mut Prng) {
    let from = &image.records[other].payload;
    let start = random.below(from.len() as u64 + 1) as usize;
    let length = random.below((from.len() - start) as u64 + 1) as usize;
    let part = from[start..start + length].to_vec();
    let payload = &mut image.records[one].payload;
    let at = random.below(payload.len() as u64 + 1) as usize;
    payload.splice(at..at, part);
    payload.truncate(MOST_OF_PAYLOAD);
}
