//! Text: the text of RTF and HTML bodies, and lines and words as files and header fields want them.
//!
//! Works on bytes and strings alone and uses only [`crate::codepage`]. Everything here takes hostile input: no
//! recursion, time linear in the input, output bounded by it. [MS-OXRTFEX], [MS-OXBBODY].
#![forbid(unsafe_code)]

pub mod html;
mod lines;
pub(crate) mod punycode;
pub mod rtf;
mod token;

pub(crate) use lines::{clean, one_line};
pub use lines::{contains, normalise, unix_lines};
pub(crate) use token::{is_atext, is_token, quoted_string};
