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
    /// The folder has as many items as one can have.
    #[error("the folder has more than 1,000,000 items")]
    Full,
    /// Somebody asks for an end; the journal has all that was copied.
    #[error("interrupted")]
    Interrupted,
    /// The journal is of other folders than those that are there.
    #[error("the source does not read as it did; begin anew without --resume")]
    OtherFolders,
}
