//! The text within XML: of the elements that have it, a line for each paragraph, cell or the like.
#![forbid(unsafe_code)]

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::reason::{MAX_TEXT, Reason};

/// Elements that end a line, by their names without prefix: paragraphs, rows, cells, shared strings, breaks and slides.
const LINES: [&str; 12] = [
    "p",
    "h",
    "tr",
    "row",
    "c",
    "si",
    "br",
    "cr",
    "line-break",
    "table-cell",
    "sld",
    "comment",
];
/// Elements that stand for blanks.
const BLANKS: [&str; 3] = ["tab", "s", "noBreakHyphen"];
/// Elements whose text is none for people: formulas, field codes, styles and scripts.
const SILENT: [&str; 5] = ["f", "instrText", "style", "script", "binary-data"];
/// A cell of a spreadsheet, and its value.
const CELL: &str = "c";
const VALUE: &str = "v";

/// What of a document is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All that stands between tags.
    All,
    /// What stands in elements for text, as Office has them: blanks between others are none of the text.
    Runs,
}

/// Elements that have text in Office documents.
const RUNS: [&str; 4] = ["t", "delText", "v", "lpwstr"];

/// Adds all text of `xml` to `out`.
pub(super) fn all_text(xml: &str, out: &mut String) -> Result<(), Reason> {
    text(xml, Wanted::All, out)
}

/// Adds the text of `xml` that is `wanted` to `out`. Of XML that is malformed, what comes before that.
pub(super) fn text(xml: &str, wanted: Wanted, out: &mut String) -> Result<(), Reason> {
    let mut reader = Reader::from_str(xml);
    // Nobody needs to know which end belongs to which start, and what is open takes no memory.
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    let mut state = State {
        wanted,
        in_run: false,
        is_silent: false,
        is_index: false,
        out,
    };
    loop {
        if state.out.len() > MAX_TEXT {
            return Err(Reason::Large);
        }
        match reader.read_event() {
            Ok(Event::Start(tag)) => state.start(&tag, false),
            Ok(Event::Empty(tag)) => state.start(&tag, true),
            Ok(Event::End(tag)) => state.end(tag.local_name().as_ref()),
            Ok(Event::Text(text)) => state.add(&text.xml10_content()),
            Ok(Event::CData(text)) => state.add(&text.xml10_content()),
            Ok(Event::GeneralRef(name)) => state.reference(&name),
            Ok(Event::Eof) => return Ok(()),
            Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_)) => {}
            Err(_) if state.out.is_empty() => return Err(Reason::Malformed),
            Err(_) => return Ok(()),
        }
    }
}

struct State<'a> {
    wanted: Wanted,
    /// Within an element that has text.
    in_run: bool,
    /// Within one that has none for people.
    is_silent: bool,
    /// Within a cell whose value is the number of a shared string.
    is_index: bool,
    out: &'a mut String,
}

impl State<'_> {
    fn start(&mut self, tag: &BytesStart<'_>, is_empty: bool) {
        let name = tag.local_name();
        let name = name.as_ref();
        if name == CELL {
            let kind = tag.try_get_attribute("t").ok().flatten();
            self.is_index = kind.is_some_and(|kind| kind.value.as_ref() == "s");
        }
        if BLANKS.contains(&name) {
            self.out.push(' ');
        }
        match is_empty {
            true => self.break_after(name),
            false => {
                self.is_silent |= SILENT.contains(&name);
                self.in_run = RUNS.contains(&name) && !(name == VALUE && self.is_index);
            }
        }
    }

    fn end(&mut self, name: &str) {
        self.is_silent &= !SILENT.contains(&name);
        self.in_run = false;
        self.break_after(name);
    }

    fn break_after(&mut self, name: &str) {
        if LINES.contains(&name) && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    fn is_shown(&self) -> bool {
        !self.is_silent && (self.in_run || self.wanted == Wanted::All)
    }

    fn add(&mut self, text: &str) {
        if self.is_shown() {
            self.out.push_str(text);
        }
    }

    /// One of the five entities of XML, or a character by its number; there are no others without a document type, which is
    /// passed over.
    fn reference(&mut self, name: &quick_xml::events::BytesRef<'_>) {
        if !self.is_shown() {
            return;
        }
        let character = name.resolve_char_ref().ok().flatten();
        let character = character.or(match name.as_ref() {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => None,
        });
        self.out.extend(character);
    }
}
