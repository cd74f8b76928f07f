//! Why something was not written.

use std::io;

use crate::error::Error;

/// Why a file, or an item of it, was not written.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The source cannot be read.
    #[error("{0}")]
    Read(#[from] Error),
    /// The target cannot be written.
    #[error("cannot be written: {0}")]
    Write(#[from] io::Error),
}
