//! Johab, code page 1361: Korean, its syllables put together of letters. KS X 1001:1992, annex 3
//!
//! A syllable is 16 bits: a one, and five bits for each of its initial, medial and final letter. All other characters are
//! those of KS X 1001, two of its rows to a lead byte.

use encoding_rs::EUC_KR;

/// A letter that is not there.
const FILL: i8 = -1;
/// A pattern that stands for no letter.
const NONE: i8 = -2;
const INITIAL: [i8; 32] = letters([
    (1, 1, FILL),
    (2, 20, 0),
    (0, 0, NONE),
    (0, 0, NONE),
    (0, 0, NONE),
]);
const MEDIAL: [i8; 32] = letters([
    (2, 2, FILL),
    (3, 7, 0),
    (10, 15, 5),
    (18, 23, 11),
    (26, 29, 17),
]);
const FINAL: [i8; 32] = letters([
    (1, 1, FILL),
    (2, 17, 0),
    (19, 29, 16),
    (0, 0, NONE),
    (0, 0, NONE),
]);
/// Letters by themselves, as "Hangul compatibility jamo" count from U+3131.
const INITIAL_ALONE: &[u8; 19] = &[
    0, 1, 3, 6, 7, 8, 16, 17, 18, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
];
const FINAL_ALONE: &[u8; 27] = &[
    0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 25, 26, 27, 28,
    29,
];
const FIRST_LETTER: u32 = 0x3131;
const FIRST_MEDIAL: u32 = 0x314F;
const FIRST_SYLLABLE: u32 = 0xAC00;
const MEDIALS: u32 = 21;
/// Finals, with none as one of them.
const FINALS: u32 = 28;
/// Characters of a row of KS X 1001, and its first byte.
const ROW: u8 = 94;
const FIRST: u8 = 0xA1;

/// Ranges of patterns and the number of the letter that each begins with.
#[expect(clippy::indexing_slicing, reason = "constants, made by the compiler")]
const fn letters(ranges: [(usize, usize, i8); 5]) -> [i8; 32] {
    let mut table = [NONE; 32];
    let mut range = 0;
    while range < ranges.len() {
        let (first, last, letter) = ranges[range];
        let mut pattern = first;
        while pattern <= last {
            table[pattern] = if letter < 0 {
                letter
            } else {
                letter + (pattern - first) as i8
            };
            pattern += 1;
        }
        range += 1;
    }
    table
}

/// The text, and whether all bytes were characters of the page; others are U+FFFD.
pub(super) fn decode(bytes: &[u8]) -> (String, bool) {
    let mut text = String::with_capacity(bytes.len());
    let mut is_sound = true;
    let mut rest = bytes;
    while let Some((&lead, behind)) = rest.split_first() {
        rest = behind;
        if lead.is_ascii() {
            text.push(char::from(lead));
            continue;
        }
        let found = behind.first().and_then(|&trail| character(lead, trail));
        // A byte that no character begins with costs itself alone.
        rest = if found.is_some() {
            behind.get(1..).unwrap_or_default()
        } else {
            behind
        };
        is_sound &= found.is_some();
        text.push(found.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    (text, is_sound)
}

fn character(lead: u8, trail: u8) -> Option<char> {
    match (lead, trail) {
        (0x84..=0xD3, 0x41..=0x7E | 0x81..=0xFE) => syllable(u16::from_be_bytes([lead, trail])),
        (0xD9..=0xDE | 0xE0..=0xF9, 0x31..=0x7E | 0x91..=0xFE) => other(lead, trail),
        _ => None,
    }
}

fn syllable(code: u16) -> Option<char> {
    let letter = |table: &[i8; 32], shift: u32| table.get(usize::from(code >> shift & 31)).copied();
    let (initial, medial, last) = (
        letter(&INITIAL, 10)?,
        letter(&MEDIAL, 5)?,
        letter(&FINAL, 0)?,
    );
    let number = |letter: i8| u32::try_from(letter).ok();
    let alone =
        |table: &[u8], letter: u32| Some(FIRST_LETTER + u32::from(*table.get(letter as usize)?));
    let code = match (number(initial), number(medial), number(last)) {
        _ if [initial, medial, last].contains(&NONE) => None,
        (Some(initial), Some(medial), last) => {
            let last = last.map_or(0, |last| last + 1);
            Some(FIRST_SYLLABLE + (initial * MEDIALS + medial) * FINALS + last)
        }
        (Some(initial), None, None) => alone(INITIAL_ALONE, initial),
        (None, Some(medial), None) => Some(FIRST_MEDIAL + medial),
        (None, None, Some(last)) => alone(FINAL_ALONE, last),
        (None, None, None) => Some(0x3000),
        _ => None,
    };
    char::from_u32(code?)
}

/// A character that is no syllable, by way of EUC-KR, which has the rows of KS X 1001 one after the other.
fn other(lead: u8, trail: u8) -> Option<char> {
    let row = match lead {
        ..=0xDE => 2 * (lead - 0xD9),
        _ => 2 * (lead - 0xE0) + (0x4A - 0x21),
    };
    let column = if trail < 0x91 {
        trail - 0x31
    } else {
        trail - 0x43
    };
    let (row, column) = (row + column / ROW, column % ROW);
    let bytes = [FIRST + row, FIRST + column];
    let text = EUC_KR.decode_without_bom_handling_and_without_replacement(&bytes)?;
    text.chars().next()
}
