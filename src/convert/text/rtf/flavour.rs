//! What RTF was made for. [MS-OXRTFEX] 2.1.3.1
#![forbid(unsafe_code)]

use super::token::{Token, Tokens};

/// How many tokens of the header may come before `\fromhtml1` or `\fromtext`. [MS-OXRTFEX] 2.1.3.1.1 asks for ten.
const HEADER_TOKENS: usize = 16;

/// What kind of RTF is read; this decides what groups and control words mean.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Flavour {
    Html,
    Text,
    Genuine,
}

impl Flavour {
    /// Looks for the control word that names what is encapsulated, before the font table.
    pub(super) fn of(rtf: &[u8]) -> Self {
        for token in Tokens::new(rtf).take(HEADER_TOKENS) {
            match token {
                Token::Word(b"fromhtml", parameter) if parameter != Some(0) => return Self::Html,
                Token::Word(b"fromtext", _) => return Self::Text,
                Token::Word(b"fonttbl", _) => break,
                _ => {}
            }
        }
        Self::Genuine
    }
}
