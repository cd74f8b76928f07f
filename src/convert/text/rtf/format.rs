//! Character formatting: what the look of a word tells its reader, and plain text loses.
#![forbid(unsafe_code)]

/// The kinds of formatting that are on. RTF 1.9.1, "Font (Character) Formatting Properties".
///
/// Fonts and sizes are left out: every word processor writes them for any text. Colour counts where it singles out words
/// ([`Line`]).
#[derive(Clone, Copy, Default)]
pub(super) struct Format(u16);

const BOLD: u16 = 1 << 0;
const ITALIC: u16 = 1 << 1;
const UNDERLINE: u16 = 1 << 2;
const STRUCK_OUT: u16 = 1 << 3;
const RAISED: u16 = 1 << 4;
const HIGHLIGHT: u16 = 1 << 5;
const INSERTED: u16 = 1 << 6;
/// Not in the text at all.
const HIDDEN: u16 = 1 << 7;
const DELETED: u16 = 1 << 8;
const COLOURED: u16 = 1 << 9;

impl Format {
    /// Obeys a control word; words that are no such formatting change nothing. `\b` begins, `\b0` ends.
    pub(super) fn obey(&mut self, name: &[u8], parameter: Option<i32>) {
        let kind = match name {
            b"plain" => return *self = Self::default(),
            b"ulnone" => return self.set(UNDERLINE, false),
            b"nosupersub" => return self.set(RAISED, false),
            b"b" => BOLD,
            b"i" => ITALIC,
            b"ul" | b"uld" | b"uldash" | b"uldashd" | b"uldashdd" | b"uldb" | b"ulth" | b"ulw"
            | b"ulwave" => UNDERLINE,
            b"strike" | b"striked" | b"strikedl" => STRUCK_OUT,
            b"super" | b"sub" | b"up" | b"dn" => RAISED,
            b"highlight" => HIGHLIGHT,
            b"revised" => INSERTED,
            b"v" => HIDDEN,
            b"deleted" => DELETED,
            _ => return,
        };
        self.set(kind, parameter != Some(0));
    }

    /// Obeys `\cfN`, where `is_coloured` tells of the colour with that number.
    pub(super) fn colour(&mut self, is_coloured: bool) {
        self.set(COLOURED, is_coloured);
    }

    fn set(&mut self, kind: u16, on: bool) {
        match on {
            true => self.0 |= kind,
            false => self.0 &= !kind,
        }
    }

    /// Whether text under it looks other than plain text, whatever its colour.
    pub(super) fn is_seen(self) -> bool {
        self.0 & !COLOURED != 0
    }

    /// Whether text under it is not shown.
    pub(super) fn is_hidden(self) -> bool {
        self.0 & (HIDDEN | DELETED) != 0
    }
}

/// The colours in one line of text. In a line of one colour the words say all: so are the errors in the logs of Outlook, and
/// all that somebody writes who likes blue. Words in another colour than those around them are meant to be told apart.
#[derive(Default)]
pub(super) struct Line {
    has_coloured: bool,
    has_plain: bool,
}

impl Line {
    /// Adds text under `format`; returns whether some words are told apart by colour now.
    pub(super) fn add(&mut self, format: Format) -> bool {
        match format.0 & COLOURED {
            0 => self.has_plain = true,
            _ => self.has_coloured = true,
        }
        self.has_coloured && self.has_plain
    }
}

/// Entries of a colour table that are looked at; word processors write up to some 20.
const MAX_COLOURS: usize = 256;

/// The colour table, as far as it tells coloured text from black. RTF 1.9.1, "Color Table".
#[derive(Default)]
pub(super) struct Colours {
    /// For each entry that has ended, whether it is another colour than black.
    ended: Vec<bool>,
    /// Of the entry that has not.
    current: bool,
}

impl Colours {
    /// A control word within the table.
    pub(super) fn word(&mut self, name: &[u8], parameter: Option<i32>) {
        let is_part = matches!(name, b"red" | b"green" | b"blue");
        self.current |= is_part && parameter.is_some_and(|part| part != 0);
    }

    /// Text within the table: each semicolon ends an entry.
    pub(super) fn text(&mut self, bytes: &[u8]) {
        for _ in bytes.iter().filter(|byte| **byte == b';') {
            let current = std::mem::take(&mut self.current);
            if self.ended.len() < MAX_COLOURS {
                self.ended.push(current);
            }
        }
    }

    /// Whether text in the colour with this number is coloured.
    pub(super) fn is_coloured(&self, number: i32) -> bool {
        let entry = usize::try_from(number).ok();
        entry.and_then(|entry| self.ended.get(entry)) == Some(&true)
    }
}
