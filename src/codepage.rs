//! Code pages: bytes of 8-bit text and the numbers that name their encoding, turned into UTF-8 strings.
//!
//! Serves every layer and knows none of them. Decoding never fails: a page that nobody knows, or a label that the
//! bytes contradict, falls back to UTF-8 where the bytes are valid UTF-8 and to Windows-1252 where they are not.
//! Numbers are those of PidTagMessageCodepage and PidTagInternetCodepage, [MS-OXPROPS] 2.740 and 2.741.
#![forbid(unsafe_code)]

mod decode;
mod detect;
mod johab;
mod label;
mod mac;
mod stateful;
mod table;
mod unicode;

pub use decode::{decode, fits, is_known};
pub use detect::{Decoded, Doubt, decode_html, decode_text8, detect, is_telling};
pub use label::from_charset_label;
pub use table::{US_ASCII, UTF_8, WINDOWS_LATIN1};
pub use unicode::decode_utf16le;

#[cfg(test)]
mod tests;
