//! What looks into files needs, and where it tells what it cannot look into.
#![forbid(unsafe_code)]

use super::pdf::PdfReader;
use super::reason::Unseen;

/// Both.
#[derive(Debug, Clone, Copy)]
pub(in crate::search) struct Means<'a> {
    /// Who reads PDF files, if anybody does.
    pub pdf: Option<&'a dyn PdfReader>,
    pub unseen: &'a Unseen,
}
