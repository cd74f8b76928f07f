//! The one error type of the library: what was being read, where, what was expected and what was found.
//!
//! A layer turns an error of the layer below into a smaller item (a property less, a placeholder part), never into
//! a missing folder; what reaches the top becomes an `errno` or a line for the user.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;

/// Result of every fallible function of the library.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused a read of the source file.
    #[error("cannot read {length} bytes at offset {offset:#x} of the file: {source}")]
    Io {
        /// Byte offset in the source file.
        offset: u64,
        /// Bytes asked for.
        length: usize,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not an Outlook data file, or one that nobody can read; the text says which and what to do.
    #[error("{0}")]
    Unsupported(String),
    /// A structure of the file breaks the format.
    #[error("{0}")]
    Corrupt(Box<Corrupt>),
    /// Nothing has this name or number.
    #[error("not found")]
    NotFound,
    /// A directory operation on something that is no directory.
    #[error("not a directory")]
    NotADirectory,
    /// A file operation on a directory.
    #[error("is a directory")]
    IsADirectory,
}

/// A broken structure: the facts that a report needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrupt {
    /// Name of the structure as [MS-PST] has it, e.g. "BTPAGE".
    pub structure: &'static str,
    /// Where it stands, e.g. "offset 0x4400", "block 0x1a4", "node 0x8022".
    pub place: String,
    /// What is wrong: what was expected and what was found.
    pub problem: String,
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "damaged {} ({}): {}", self.structure, self.place, self.problem)
    }
}

impl Error {
    /// A [`Corrupt`] error; `place` and `problem` are anything that prints.
    pub fn corrupt(
        structure: &'static str,
        place: impl fmt::Display,
        problem: impl fmt::Display,
    ) -> Self {
        Self::Corrupt(Box::new(Corrupt {
            structure,
            place: place.to_string(),
            problem: problem.to_string(),
        }))
    }
}
