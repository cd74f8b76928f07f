//! RTF bodies: HTML or plain text that travels inside RTF, and RTF written as such. [MS-OXRTFEX], RTF 1.9.1.
//!
//! `flavour` decides what is within, `token` cuts the bytes, `reader` follows groups and destinations, `sink` collects
//! bytes into decoded text; `font`, `format`, `word` and `field` know the tables. All of it is one pass with a stack of our own.
#![forbid(unsafe_code)]

mod body;
mod field;
mod flavour;
mod font;
mod format;
mod reader;
mod sink;
mod token;
mod word;

pub use body::{RtfBody, convert};
pub use reader::ATTACHMENT_MARK;

#[cfg(test)]
mod tests;
