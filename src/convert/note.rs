//! Sticky notes as plain text. [MS-OXONOTE]
#![forbid(unsafe_code)]

use super::reader::Reader;

/// The text of a note, exactly; its subject is the first line of it. Lines end with LF.
pub(super) fn text(reader: &Reader<'_>) -> String {
    let (text, _html) = reader.body();
    let mut out = text.or_else(|| reader.subject()).unwrap_or_default();
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    for problem in reader.problems() {
        let problem = super::mail::encoded_word::clean(&problem);
        out.push_str(&format!("X-OSTFS-PROBLEM: {problem}\n"));
    }
    out
}
