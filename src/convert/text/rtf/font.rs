//! The font table: in which code page the bytes of a font are.
#![forbid(unsafe_code)]

use crate::codepage::WINDOWS_LATIN1;
use std::collections::BTreeMap;

/// Code page of a font charset (`\fcharsetN`); `None` for those that leave it to the document: 1 (default),
/// 2 (symbol) and unknown ones.
fn code_page(charset: i32) -> Option<u32> {
    Some(match charset {
        0 => WINDOWS_LATIN1,
        77 => 10000,
        78 => 10001,
        79 => 10003,
        80 => 10008,
        81 => 10002,
        128 => 932,
        129 => 949,
        130 => 1361,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        // PC 437, and whatever the OEM page of the writer's machine was.
        254 | 255 => 437,
        _ => return None,
    })
}

/// The code pages of a document and its fonts.
pub(super) struct Fonts {
    /// Code page of the document: `\ansicpgN`, or what `\mac`, `\pc` and `\pca` imply.
    pub(super) document_page: u32,
    /// The font that counts until the text selects one: `\deffN`.
    pub(super) default_font: i32,
    pages: BTreeMap<i32, u32>,
    /// The font that the font table is just describing.
    described: i32,
}

impl Fonts {
    pub(super) fn new() -> Self {
        Self {
            document_page: WINDOWS_LATIN1,
            default_font: 0,
            pages: BTreeMap::new(),
            described: 0,
        }
    }

    /// Code page of bytes in a font.
    pub(super) fn page(&self, font: i32) -> u32 {
        self.pages.get(&font).copied().unwrap_or(self.document_page)
    }

    /// Reads a control word within `\fonttbl`.
    pub(super) fn describe(&mut self, name: &[u8], parameter: i32) {
        match name {
            b"f" => self.described = parameter,
            b"fcharset" => {
                if let Some(page) = code_page(parameter) {
                    self.pages.insert(self.described, page);
                }
            }
            b"cpg" => {
                if let Ok(page @ 1..) = u32::try_from(parameter) {
                    self.pages.insert(self.described, page);
                }
            }
            _ => {}
        }
    }

    /// Reads a control word of the header that names the page of the document.
    pub(super) fn describe_document(&mut self, name: &[u8], parameter: Option<i32>) {
        match (name, parameter) {
            (b"ansicpg", Some(page @ 1..)) => self.document_page = page.unsigned_abs(),
            (b"mac", None) => self.document_page = 10000,
            (b"pc", None) => self.document_page = 437,
            (b"pca", None) => self.document_page = 850,
            (b"deff", Some(font)) => self.default_font = font,
            _ => {}
        }
    }
}
