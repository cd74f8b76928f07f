//! Follows the groups of RTF and emits their text.
//!
//! The state of a group is kept on a stack of our own; groups nested deeper than [`MAX_DEPTH`] share the state of the
//! one at the limit, so that their text still shows.
#![forbid(unsafe_code)]

use super::field::Field;
use super::flavour::Flavour;
use super::font::Fonts;
use super::format::{Colours, Format, Line};
use super::sink::{Sink, Target};
use super::token::{Token, Tokens};
use super::word::{self, Destination, LINE_END};

/// Stands in the text of genuine RTF where an attachment is shown (`\objattph`), in rendering order.
pub const ATTACHMENT_MARK: char = '\u{FFFC}';
/// Groups whose state is kept apart.
const MAX_DEPTH: usize = 4096;
/// Fields within fields whose addresses are looked at.
const MAX_FIELDS: usize = 16;

/// Text of RTF, and whether anything in it is more than text.
pub(super) fn read(rtf: &[u8], flavour: Flavour) -> (String, bool) {
    let mut reader = Reader::new(flavour);
    for token in Tokens::new(rtf) {
        if reader.step(token) {
            break;
        }
    }
    // What the end of the input left open.
    reader.too_deep = 0;
    while !reader.outer.is_empty() {
        reader.close();
    }
    (reader.sink.finish(), reader.has_rich_content)
}

/// State that the end of a group restores.
#[derive(Clone, Copy)]
struct Group {
    destination: Destination,
    font: i32,
    /// How many characters stand in for a `\u` (`\ucN`).
    fallback_length: i32,
    /// `\htmlrtf` is on: this is RTF for readers that do not know of HTML.
    html_suppressed: bool,
    format: Format,
    /// No control word of the group has been seen yet.
    fresh: bool,
    /// `\*` was seen: the next control word is a destination, to be skipped if unknown.
    starred: bool,
    /// Within `\upr`: where the text of its Unicode half (`\*\ud`) goes.
    unicode_destination: Option<Destination>,
    /// What the end of this very group means.
    at_end: AtEnd,
}

#[derive(Clone, Copy, PartialEq)]
enum AtEnd {
    Nothing,
    /// Closes the bracket around a footnote.
    Footnote,
    /// Ends the innermost field, or the instruction of it.
    Field,
    Instruction,
}

struct Reader {
    flavour: Flavour,
    group: Group,
    outer: Vec<Group>,
    /// Groups open beyond [`MAX_DEPTH`].
    too_deep: usize,
    fonts: Fonts,
    colours: Colours,
    line: Line,
    sink: Sink,
    fields: Vec<Field>,
    /// Characters of a fallback still to be skipped.
    fallback: usize,
    has_rich_content: bool,
}

impl Reader {
    fn new(flavour: Flavour) -> Self {
        Self {
            flavour,
            group: Group {
                destination: Destination::Body,
                font: 0,
                fallback_length: 1,
                html_suppressed: false,
                format: Format::default(),
                fresh: true,
                starred: false,
                unicode_destination: None,
                at_end: AtEnd::Nothing,
            },
            outer: Vec::new(),
            too_deep: 0,
            fonts: Fonts::new(),
            colours: Colours::default(),
            line: Line::default(),
            sink: Sink::new(),
            fields: Vec::new(),
            fallback: 0,
            has_rich_content: false,
        }
    }

    /// Takes one token; true at the end of the document.
    fn step(&mut self, token: Token<'_>) -> bool {
        match token {
            Token::Open => self.open(),
            Token::Close => return self.close(),
            Token::Text(bytes) => {
                let skipped = self.fallback.min(bytes.len());
                self.fallback -= skipped;
                self.bytes(bytes.get(skipped..).unwrap_or_default());
            }
            // A writer that left the fallback out; no fallback is made of the very word it stands in for.
            Token::Word(b"u", parameter) => self.word(b"u", parameter),
            _ if self.fallback > 0 => self.fallback -= 1,
            Token::Word(name, parameter) => self.word(name, parameter),
            Token::Symbol(symbol) => self.symbol(symbol),
            Token::Hex(byte) => self.bytes(&[byte]),
            Token::Binary => {}
        }
        false
    }

    fn open(&mut self) {
        self.fallback = 0;
        if self.outer.len() >= MAX_DEPTH {
            self.too_deep += 1;
            return;
        }
        self.outer.push(self.group);
        self.group.fresh = true;
        self.group.starred = false;
        self.group.at_end = AtEnd::Nothing;
    }

    fn close(&mut self) -> bool {
        self.fallback = 0;
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return false;
        }
        match self.group.at_end {
            AtEnd::Nothing => {}
            AtEnd::Footnote => self.text("]"),
            AtEnd::Field => {
                if let Some(field) = self.fields.pop() {
                    self.close_field(&field);
                }
            }
            AtEnd::Instruction => {
                let instruction = self.sink.take_instruction();
                if let Some(field) = self.fields.last_mut() {
                    field.instruction = instruction;
                }
            }
        }
        if let Some(group) = self.outer.pop() {
            self.group = group;
        }
        self.outer.is_empty()
    }

    fn close_field(&mut self, field: &Field) {
        let result = self.sink.body().get(field.result_start..);
        if let Some(address) = field.address_after(result.unwrap_or_default()) {
            self.text(&address);
        }
    }

    fn word(&mut self, name: &[u8], parameter: Option<i32>) {
        let starred = std::mem::take(&mut self.group.starred);
        let first = std::mem::take(&mut self.group.fresh);
        self.has_rich_content |= word::is_rich(name);
        if self.group.destination == Destination::FontTable {
            self.font_table_word(name, parameter, starred);
        } else if self.group.destination == Destination::ColourTable {
            self.colours.word(name, parameter);
        } else if self.group.destination == Destination::Skip {
            if let (b"ud", Some(destination)) = (name, self.group.unicode_destination) {
                self.group.destination = destination;
            }
        } else if !self.open_destination(name, starred && first) {
            self.property(name, parameter);
            self.emit_word(name, parameter);
        }
    }

    fn font_table_word(&mut self, name: &[u8], parameter: Option<i32>, starred: bool) {
        if starred {
            self.group.destination = Destination::Skip;
        } else if let Some(parameter) = parameter {
            self.fonts.describe(name, parameter);
        }
    }

    /// Handles a control word that decides where the text of its group goes; false for other words.
    fn open_destination(&mut self, name: &[u8], starred: bool) -> bool {
        if self.outer.len() <= 1 {
            // The document itself is no such group, whatever a damaged header states.
            return false;
        }
        if name == b"upr" {
            self.group.unicode_destination = Some(self.group.destination);
            self.group.destination = Destination::Skip;
            return true;
        }
        match word::destination(name, self.flavour) {
            Some(Destination::Instruction) => self.open_instruction(),
            Some(destination) => self.group.destination = destination,
            None if self.open_bracketed(name) => {}
            None if starred && !word::is_transparent(name, self.flavour) => {
                self.group.destination = Destination::Skip;
            }
            None => return false,
        }
        true
    }

    fn open_instruction(&mut self) {
        // The instruction of a field within an instruction has nothing that we look at, and fields nested too deep
        // have no place of their own for it.
        let awaited = self
            .fields
            .last()
            .is_some_and(|field| field.instruction.is_empty());
        if self.group.destination == Destination::Body && awaited {
            self.sink.take_instruction();
            self.group.destination = Destination::Instruction;
            self.group.at_end = AtEnd::Instruction;
        } else {
            self.group.destination = Destination::Skip;
        }
    }

    /// Handles groups of genuine RTF whose end matters.
    fn open_bracketed(&mut self, name: &[u8]) -> bool {
        if self.flavour != Flavour::Genuine || self.group.destination != Destination::Body {
            return false;
        }
        match name {
            b"footnote" | b"annotation" => {
                self.text(" [");
                self.group.at_end = AtEnd::Footnote;
            }
            b"field" if self.fields.len() < MAX_FIELDS => {
                self.fields.push(Field {
                    result_start: self.sink.body().len(),
                    instruction: String::new(),
                });
                self.group.at_end = AtEnd::Field;
            }
            _ => return false,
        }
        true
    }

    /// Obeys a control word that changes the state.
    fn property(&mut self, name: &[u8], parameter: Option<i32>) {
        let on = parameter != Some(0);
        match name {
            b"f" => self.group.font = parameter.unwrap_or(self.fonts.default_font),
            b"plain" => {
                self.group.font = self.fonts.default_font;
                self.group.format.obey(name, parameter);
            }
            b"cf" => {
                let is_coloured = self.colours.is_coloured(parameter.unwrap_or(0));
                self.group.format.colour(is_coloured);
            }
            b"uc" => self.group.fallback_length = parameter.unwrap_or(1).max(0),
            b"htmlrtf" => self.group.html_suppressed = on,
            b"deff" => {
                self.fonts.describe_document(name, parameter);
                self.group.font = self.fonts.default_font;
            }
            _ => {
                self.group.format.obey(name, parameter);
                self.fonts.describe_document(name, parameter);
            }
        }
    }

    /// Emits what a control word stands for.
    fn emit_word(&mut self, name: &[u8], parameter: Option<i32>) {
        match name {
            b"u" => self.unicode(parameter.unwrap_or(0)),
            b"objattph" if self.flavour == Flavour::Genuine => {
                self.text(ATTACHMENT_MARK.encode_utf8(&mut [0; 4]));
                // The blank that readers without attachments show.
                self.fallback = 1;
            }
            _ => {
                if matches!(name, b"row" | b"nestrow") && self.target() == Some(Target::Body) {
                    self.sink.remove_trailing_tab();
                }
                if let Some(text) = word::text(name, self.flavour) {
                    self.text(text);
                }
            }
        }
    }

    /// `\uN`: a UTF-16 code unit, written as a signed 16-bit number by most.
    fn unicode(&mut self, parameter: i32) {
        self.note_format(false);
        match char::from_u32(parameter as u32) {
            // Some write a whole character beyond 16 bits.
            Some(character @ '\u{10000}'..) => self.text(character.encode_utf8(&mut [0; 4])),
            _ => {
                if let Some(target) = self.target() {
                    let unit = word::symbol_font_unit(parameter as u16);
                    self.sink.unit(target, unit);
                }
            }
        }
        self.fallback = usize::try_from(self.group.fallback_length).unwrap_or(0);
    }

    fn symbol(&mut self, symbol: u8) {
        match symbol {
            b'*' => self.group.starred = self.group.fresh,
            b'{' | b'}' | b'\\' => self.bytes(&[symbol]),
            _ => {
                if let Some(text) = word::symbol_text(symbol, self.flavour) {
                    self.text(text);
                }
            }
        }
    }

    /// Notes that text comes in the formatting of this place. Blanks hardly show any.
    fn note_format(&mut self, is_blank: bool) {
        let in_body = self.group.destination == Destination::Body;
        if in_body && !is_blank {
            let format = self.group.format;
            self.has_rich_content |= format.is_seen() | self.line.add(format);
        }
    }

    /// Where text goes at this place; `None` if it is not shown.
    fn target(&self) -> Option<Target> {
        let hidden = self.flavour == Flavour::Genuine && self.group.format.is_hidden();
        if hidden || self.group.html_suppressed {
            return None;
        }
        match self.group.destination {
            Destination::Body | Destination::HtmlTag => Some(Target::Body),
            Destination::Instruction => Some(Target::Instruction),
            Destination::Skip | Destination::FontTable | Destination::ColourTable => None,
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if self.group.destination == Destination::ColourTable {
            return self.colours.text(bytes);
        }
        // What a fallback leaves of a text may be nothing, which must not part a surrogate pair.
        self.note_format(bytes.trim_ascii().is_empty());
        if let Some(target) = self.target().filter(|_| !bytes.is_empty()) {
            let page = match self.group.destination {
                // Markup is in the page of the document, whatever font is selected.
                Destination::HtmlTag => self.fonts.document_page,
                _ => self.fonts.page(self.group.font),
            };
            self.sink.bytes(target, page, bytes);
        }
    }

    fn text(&mut self, text: &str) {
        self.note_format(text.trim().is_empty());
        if text == LINE_END {
            self.line = Line::default();
        }
        if let Some(target) = self.target() {
            self.sink.text(target, text);
        }
    }
}
