//! A compressor of RTF, which the program does not have: what it makes, in many ways for one text, has to come back as it was.
//! [MS-OXRTFCP] 2.2, 3.2

use ostfs::ltp::lzfu::decompress;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::runner::holds;
use crate::support::Prng;
use crate::support::format::crc;

const LZFU: &[u8] = b"LZFu";
const DICTIONARY: usize = 4096;
/// What the dictionary holds at the start. 2.1.3.2
const INITIAL: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor \
MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
/// Bytes that a reference stands for. 2.2.1.5
const SHORTEST: usize = 2;
const LONGEST: usize = 17;
/// Tokens behind one control byte.
const TOKENS: usize = 8;
/// Bytes of the header behind COMPSIZE, which that counts.
const REST_OF_HEADER: usize = 12;

/// What RTF is full of, some of it in the dictionary from the beginning.
const PIECES: [&str; 6] = ["\\par ", "{\\rtf1", "\\fs20", "aaaa", "ab", "\r\n"];

/// What the reader's dictionary will hold.
struct Dictionary {
    bytes: [u8; DICTIONARY],
    /// Where the next byte goes.
    end: usize,
    is_full: bool,
}

impl Dictionary {
    fn new() -> Self {
        let mut bytes = [0; DICTIONARY];
        bytes[..INITIAL.len()].copy_from_slice(INITIAL);
        Self {
            bytes,
            end: INITIAL.len(),
            is_full: false,
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.bytes[self.end] = *byte;
            self.end = (self.end + 1) % DICTIONARY;
            self.is_full |= self.end == 0;
        }
    }

    /// How many bytes of `text` a reference to `place` would give. What it gives may itself be part of what it copies.
    fn common(&self, place: usize, text: &[u8]) -> usize {
        let at = |index: usize| {
            let distance = (place + DICTIONARY - self.end) % DICTIONARY + index;
            match distance.checked_sub(DICTIONARY) {
                Some(written) => text[written],
                None => self.bytes[(place + index) % DICTIONARY],
            }
        };
        let longest = text.len().min(LONGEST);
        (0..longest)
            .take_while(|index| at(*index) == text[*index])
            .count()
    }

    /// A place that has some of `text`, and how many bytes. That of the next byte would be the mark of the end.
    fn find(&self, text: &[u8]) -> Option<(usize, usize)> {
        let known = if self.is_full { DICTIONARY } else { self.end };
        let places = (0..known).filter(|place| *place != self.end);
        let found = places.map(|place| (place, self.common(place, text)));
        found
            .max_by_key(|(_, length)| *length)
            .filter(|(_, length)| *length >= SHORTEST)
    }
}

/// `text` compressed; in `literals` of 100 cases where a reference could be, a literal stands.
fn compress(text: &[u8], literals: u64, random: &mut Prng) -> Vec<u8> {
    let mut dictionary = Dictionary::new();
    let mut tokens: Vec<(bool, Vec<u8>)> = Vec::new();
    let reference = |place: usize, length: usize| {
        let number = (place << 4 | (length - SHORTEST)) as u16;
        (true, number.to_be_bytes().to_vec())
    };
    let mut rest = text;
    while let Some(first) = rest.first() {
        let found = if random.percent(literals) {
            None
        } else {
            dictionary.find(rest)
        };
        let length = match found {
            Some((place, longest)) => {
                let length = random.range(SHORTEST as u64, longest as u64 + 1) as usize;
                tokens.push(reference(place, length));
                length
            }
            None => {
                tokens.push((false, vec![*first]));
                1
            }
        };
        let (taken, after) = rest.split_at(length);
        dictionary.push(taken);
        rest = after;
    }
    tokens.push(reference(dictionary.end, SHORTEST));
    let mut packed = Vec::new();
    for run in tokens.chunks(TOKENS) {
        let bits = run.iter().enumerate();
        packed.push(bits.fold(0, |byte, (bit, (is_reference, _))| {
            byte | u8::from(*is_reference) << bit
        }));
        run.iter().for_each(|(_, bytes)| packed.extend(bytes));
    }
    let mut out = ((packed.len() + REST_OF_HEADER) as u32)
        .to_le_bytes()
        .to_vec();
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(LZFU);
    out.extend(crc(&packed).to_le_bytes());
    out.extend(packed);
    out
}

#[test]
fn compressed_rtf_comes_back_as_it_was() {
    let piece = prop_oneof![
        4 => select(&PIECES[..]).prop_map(|piece| piece.as_bytes().to_vec()),
        2 => vec(any::<u8>(), 0..20),
        // Longer than the dictionary, so that it begins anew.
        1 => (vec(any::<u8>(), 1..40), 1_usize..200).prop_map(|(piece, times)| piece.repeat(times)),
    ];
    let text = vec(piece, 0..12).prop_map(|pieces| pieces.concat());
    holds(
        "lzfu",
        60,
        (text, 0_u64..101, any::<u64>()),
        |(text, literals, seed)| {
            let text = &text[..text.len().min(3 * DICTIONARY)];
            let found = decompress(&compress(text, literals, &mut Prng(seed)));
            assert_eq!(found.problem, None);
            assert!(
                found.bytes == text,
                "{} bytes instead of {}",
                found.bytes.len(),
                text.len()
            );
        },
    );
}
