//! Sticky notes as plain text. [MS-OXONOTE]
#![forbid(unsafe_code)]

use super::lids;
use super::reader::Reader;
use super::text::clean;
use crate::messaging::Message;

/// The colours of sticky notes, by PidLidNoteColor.
const NOTE_COLORS: [&str; 5] = ["blue", "green", "pink", "yellow", "white"];

/// The colour that Outlook gives to new notes, by its name in [`NOTE_COLORS`].
const USUAL_COLOR: &str = "yellow";

/// The text of a note; its subject is the first line of it. Lines end with LF. A colour other than the usual one, and
/// categories, stand above it like fields of a header.
pub(super) fn text(reader: &Reader<'_>) -> String {
    let color = reader
        .message()
        .and_then(note_color)
        .filter(|color| *color != USUAL_COLOR);
    let categories = reader.strings(lids::KEYWORDS).join(", ");
    let mut out = String::new();
    if let Some(color) = color {
        out.push_str(&format!("Color: {color}\n"));
    }
    if !categories.is_empty() {
        out.push_str(&format!("Categories: {}\n", clean(&categories)));
    }
    if !out.is_empty() {
        out.push('\n');
    }
    let (text, _html) = reader.body();
    out.push_str(&text.or_else(|| reader.subject()).unwrap_or_default());
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    for problem in reader.problems() {
        out.push_str(&format!("X-OSTFS-PROBLEM: {}\n", clean(&problem)));
    }
    out
}

/// Colour of a sticky note, for an extended attribute; None for other items.
pub fn note_color(message: &Message) -> Option<&'static str> {
    let id = lids::NOTE_COLOR.id(message)?;
    let color = message.properties().integer(id).ok().flatten()?;
    NOTE_COLORS.get(usize::try_from(color).ok()?).copied()
}
