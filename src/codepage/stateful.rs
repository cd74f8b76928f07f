//! Encodings whose bytes mean what the escape sequence before them states: ISO 2022 (RFC 1468, 1557, 1922) and HZ
//! (RFC 1843).
//!
//! `encoding_rs` has the Japanese one only, and gives up where real mail breaks its rules. Here a character set stays
//! selected until the next escape or the end of the line, unknown escapes are passed over, bytes above 7F are read in
//! the Windows page of the same language, and half a character stands for itself.
#![forbid(unsafe_code)]

use super::table::decode_stateless;
use encoding_rs::{EUC_JP, EUC_KR, Encoding, GBK};

pub(super) const ESCAPE: u8 = 0x1B;
pub(super) const SHIFT_OUT: u8 = 0x0E;
const SHIFT_IN: u8 = 0x0F;
/// EUC-JP's prefix of JIS X 0212.
const SINGLE_SHIFT_3: u8 = 0x8F;
/// First and last halfwidth katakana in JIS X 0201, and the first in Unicode.
const KANA: std::ops::RangeInclusive<u8> = 0x21..=0x5F;
const HALFWIDTH_KANA: u32 = 0xFF61;
/// Bytes of a 94-character set.
const GRAPHIC: std::ops::RangeInclusive<u8> = 0x21..=0x7E;

/// Whether a page is one of the ISO 2022 family.
pub(super) fn is_iso_2022(code_page: u32) -> bool {
    Language::of(code_page).is_some()
}

/// The page whose escape sequences the text contains.
pub(super) fn page_of_escapes(bytes: &[u8]) -> Option<u32> {
    bytes.windows(3).find_map(|window| match window {
        [ESCAPE, b'$', b'B' | b'@'] | [ESCAPE, b'(', b'J' | b'I'] => Some(50221),
        [ESCAPE, b'$', b')'] => Some(50225),
        _ => None,
    })
}

#[derive(Clone, Copy)]
enum Language {
    Japanese,
    Korean,
    Chinese,
}

impl Language {
    fn of(code_page: u32) -> Option<Self> {
        match code_page {
            50220..=50222 => Some(Self::Japanese),
            50225 => Some(Self::Korean),
            50227 => Some(Self::Chinese),
            _ => None,
        }
    }

    /// The Windows page that 8-bit bytes in such text are most likely in.
    fn windows_page(self) -> u32 {
        match self {
            Self::Japanese => 932,
            Self::Korean => 949,
            Self::Chinese => 936,
        }
    }

    /// The set that SHIFT OUT selects when no escape said so.
    fn shifted_set(self) -> Set {
        match self {
            Self::Japanese => Set::Kana,
            Self::Korean => Set::KsX1001,
            Self::Chinese => Set::Gb2312,
        }
    }
}

/// A character set that an escape sequence selects.
#[derive(Clone, Copy, PartialEq)]
enum Set {
    Ascii,
    Kana,
    JisX0208,
    JisX0212,
    KsX1001,
    Gb2312,
}

impl Set {
    /// The 8-bit encoding that holds a double-byte set, with the high bits set.
    fn encoding(self) -> Option<&'static Encoding> {
        match self {
            Self::Ascii | Self::Kana => None,
            Self::JisX0208 | Self::JisX0212 => Some(EUC_JP),
            Self::KsX1001 => Some(EUC_KR),
            Self::Gb2312 => Some(GBK),
        }
    }
}

/// Text of ISO-2022-JP, -KR or -CN; `code_page` is one for which [`is_iso_2022`] holds.
pub(super) fn decode_iso_2022(code_page: u32, bytes: &[u8]) -> String {
    let language = Language::of(code_page).unwrap_or(Language::Japanese);
    let mut text = String::with_capacity(bytes.len());
    let mut state = State::new(language);
    let mut rest = bytes;
    while let [byte, after @ ..] = rest {
        rest = match *byte {
            ESCAPE => state.escape(after),
            SHIFT_OUT => {
                state.shifted = true;
                after
            }
            SHIFT_IN => {
                state.shifted = false;
                after
            }
            b'\r' | b'\n' => {
                state.end_line();
                text.push(char::from(*byte));
                after
            }
            0x80.. => {
                let run = run_length(rest, |b| !matches!(b, ESCAPE | b'\r' | b'\n'));
                let (run, after) = rest.split_at(run);
                text.push_str(&decode_stateless(language.windows_page(), run));
                after
            }
            byte => push_graphic(&mut text, state.set(), byte, after),
        };
    }
    text
}

/// Which sets the bytes are in at some place of the text.
struct State {
    selected: Set,
    shifted_set: Set,
    shifted: bool,
}

impl State {
    fn new(language: Language) -> Self {
        Self {
            selected: Set::Ascii,
            shifted_set: language.shifted_set(),
            shifted: false,
        }
    }

    fn set(&self) -> Set {
        if self.shifted {
            self.shifted_set
        } else {
            self.selected
        }
    }

    fn end_line(&mut self) {
        self.selected = Set::Ascii;
        self.shifted = false;
    }

    /// Obeys the escape sequence whose bytes after the ESC come first in `after`; what follows it is the result.
    fn escape<'a>(&mut self, after: &'a [u8]) -> &'a [u8] {
        let (effect, length) = escape(after);
        match effect {
            Some(Effect::Select(set)) => {
                self.selected = set;
                self.shifted = false;
            }
            Some(Effect::SelectShifted(set)) => self.shifted_set = set,
            None => {}
        }
        after.get(length..).unwrap_or_default()
    }
}

/// Writes the character that `first` begins in `set`; what follows it is the result.
fn push_graphic<'a>(text: &mut String, set: Set, first: u8, after: &'a [u8]) -> &'a [u8] {
    match (set.encoding(), after) {
        (Some(encoding), [second, after @ ..])
            if GRAPHIC.contains(&first) && GRAPHIC.contains(second) =>
        {
            push_pair(text, encoding, set, first, *second);
            return after;
        }
        (None, _) if set == Set::Kana && KANA.contains(&first) => {
            text.extend(char::from_u32(
                HALFWIDTH_KANA + u32::from(first - KANA.start()),
            ));
        }
        _ => text.push(char::from(first)),
    }
    after
}

fn run_length(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes
        .iter()
        .position(|&byte| !belongs(byte))
        .unwrap_or(bytes.len())
}

fn push_pair(text: &mut String, encoding: &'static Encoding, set: Set, first: u8, second: u8) {
    let euc = [SINGLE_SHIFT_3, first | 0x80, second | 0x80];
    let from = if set == Set::JisX0212 { 0 } else { 1 };
    let euc = euc.get(from..).unwrap_or_default();
    text.push_str(&encoding.decode_without_bom_handling(euc).0);
}

enum Effect {
    Select(Set),
    SelectShifted(Set),
}

/// What the bytes after an ESC do, and how many of them belong to the escape sequence.
fn escape(after: &[u8]) -> (Option<Effect>, usize) {
    let set = |set| Some(Effect::Select(set));
    match after {
        [b'(', b'B' | b'J' | b'H', ..] => (set(Set::Ascii), 2),
        [b'(', b'I', ..] => (set(Set::Kana), 2),
        [b'$', b'@' | b'B', ..] => (set(Set::JisX0208), 2),
        [b'$', b'A', ..] => (set(Set::Gb2312), 2),
        [b'$', b'(', b'@' | b'B', ..] => (set(Set::JisX0208), 3),
        [b'$', b'(', b'D', ..] => (set(Set::JisX0212), 3),
        [b'$', b'(', b'C', ..] => (set(Set::KsX1001), 3),
        [b'$', b'(', b'A', ..] => (set(Set::Gb2312), 3),
        [b'$', b')', b'C', ..] => (Some(Effect::SelectShifted(Set::KsX1001)), 3),
        [b'$', b')', b'A', ..] => (Some(Effect::SelectShifted(Set::Gb2312)), 3),
        // Any other: intermediate bytes and a final one (ISO/IEC 2022, 13.2.1).
        _ => {
            let intermediate = run_length(after, |b| (0x20..=0x2F).contains(&b));
            let has_final = after
                .get(intermediate)
                .is_some_and(|b| (0x30..=0x7E).contains(b));
            let length = if has_final { intermediate + 1 } else { 0 };
            (None, length)
        }
    }
}

/// Text of HZ: `~{` and `~}` enclose GB 2312, `~~` is a tilde.
pub(super) fn decode_hz(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut chinese = false;
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (b'~', [b'{', after @ ..]) => {
                chinese = true;
                after
            }
            (b'~', [b'}', after @ ..]) => {
                chinese = false;
                after
            }
            (b'~', [b'~', after @ ..]) if !chinese => {
                text.push('~');
                after
            }
            // A line break that the writer inserted.
            (b'~', [b'\n', after @ ..]) if !chinese => after,
            (&first, [second, after @ ..])
                if first >= 0x80
                    || chinese && GRAPHIC.contains(&first) && GRAPHIC.contains(second) =>
            {
                push_pair(&mut text, GBK, Set::Gb2312, first, *second);
                after
            }
            (&first, after) => {
                // The mode ends with the line, whether or not the closing mark is there.
                chinese &= first != b'\n';
                text.push(char::from(first));
                after
            }
        };
    }
    text
}
