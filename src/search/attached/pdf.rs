//! The text of PDF files.
//!
//! A file can hold far more than its bytes, and what reads it takes no bounds. So it is read by a process of its own, whose memory and
//! time the system bounds ([`PdfReader`]); [`text`] is what that does.
#![forbid(unsafe_code)]

use std::collections::HashSet;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pdf_extract::{Document, PlainTextOutput, output_doc_page};
use unicode_bidi::{BidiClass, BidiInfo, Level, bidi_class};

use super::reason::{MAX_TEXT, Reason};

/// What divides a word at the end of a line.
const HYPHENS: [char; 3] = ['-', '\u{2010}', '\u{ad}'];
/// What files begin with.
pub(super) const START: &[u8] = b"%PDF-";

/// Whoever has the text of a PDF file made, at the bounds of a process.
pub trait PdfReader: Debug + Send + Sync {
    /// What [`text`] makes of the file `bytes`; None if it cannot, in these bounds.
    fn text(&self, bytes: &[u8]) -> Option<String>;
}

/// What `reader` makes of the file `bytes`; an error if that has no text, or nobody reads it.
pub(super) fn text_by(reader: Option<&dyn PdfReader>, bytes: &[u8]) -> Result<String, Reason> {
    let reader = reader.ok_or_else(|| Reason::of_type("application/pdf"))?;
    let text = reader.text(bytes).ok_or(Reason::Malformed)?;
    match text.trim().is_empty() {
        true => Err(Reason::Scanned),
        false => Ok(text),
    }
}

/// The text of the file `bytes`, page by page; nothing of what cannot be read. With safe code alone between the two, and yet it
/// may take all memory and any time, and panics are caught.
pub fn text(bytes: &[u8]) -> Option<String> {
    let document = caught(|| {
        let mut document = Document::load_mem(bytes).ok()?;
        match document.is_encrypted() {
            // Most are so that nobody changes them, and open without a password.
            true => document.decrypt("").ok().map(|()| document),
            false => Some(document),
        }
    })?;
    let mut text = String::new();
    for page in document.get_pages().into_keys() {
        let placed = caught(|| placed(&document, page)).unwrap_or_default();
        let stored = caught(|| document.extract_text(&[page]).ok()).unwrap_or_default();
        let page = words_of_page(&placed, &stored);
        text.push_str(&page);
        text.push_str(&from_right_to_left(&page));
        if text.len() > MAX_TEXT {
            break;
        }
    }
    Some(text)
}

/// The text of a page, whose words are told by where its characters are.
fn placed(document: &Document, page: u32) -> Option<String> {
    let mut text = String::new();
    let read = output_doc_page(document, &mut PlainTextOutput::new(&mut text), page);
    // What was read before an error is text, too.
    (read.is_ok() || !text.is_empty()).then_some(text)
}

/// The text of a page as it is `placed`, with what it divides between lines as a whole, and of the same text as it is `stored` the
/// lines with words that the first does not have: of wide spaced words the one makes several, of words that are apart in place
/// alone the other makes one.
fn words_of_page(placed: &str, stored: &str) -> String {
    let mut text = format!("{placed}\n{}", undivided(placed));
    let words: HashSet<&str> = placed.split_whitespace().collect();
    for line in stored.lines() {
        if !line.split_whitespace().all(|word| words.contains(word)) {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// The lines of `text` with words that are read from right to left, in the order in which they are read: most files have them in
/// that in which they are placed, from left to right. [UAX #9]
fn from_right_to_left(text: &str) -> String {
    let mut read = String::new();
    for line in text.lines().filter(|line| !line.is_ascii()) {
        let of_class = |classes: &[BidiClass]| {
            let all = line.chars().map(bidi_class);
            all.filter(|class| classes.contains(class)).count()
        };
        let to_left = of_class(&[BidiClass::R, BidiClass::AL]);
        if to_left == 0 {
            continue;
        }
        let mostly = match to_left > of_class(&[BidiClass::L]) {
            true => Level::rtl(),
            false => Level::ltr(),
        };
        let placed = BidiInfo::new(line, Some(mostly));
        for paragraph in &placed.paragraphs {
            read.push_str(&placed.reorder_line(paragraph, paragraph.range.clone()));
        }
        read.push('\n');
    }
    read
}

/// The lines of `text` that a word goes beyond, each with those that follow as one line without the hyphens. `text` has the halves,
/// which are words of their own where the hyphen is part of the word.
fn undivided(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut lines = lines.peekable();
    let (mut whole, mut goes_on) = (String::new(), false);
    while let Some(line) = lines.next() {
        let next = lines.peek().and_then(|next| next.chars().next());
        let beginning = line.strip_suffix(HYPHENS).filter(|beginning| {
            beginning.ends_with(char::is_alphabetic) && next.is_some_and(char::is_lowercase)
        });
        match beginning {
            Some(beginning) => whole.push_str(beginning),
            None if goes_on => {
                whole.push_str(line);
                whole.push('\n');
            }
            None => {}
        }
        goes_on = beginning.is_some();
    }
    whole
}

/// What `read` gives; None if it panics.
fn caught<T>(read: impl FnOnce() -> Option<T>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok().flatten()
}
