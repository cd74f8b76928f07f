//! The one error type of the library: what was being read, where, what was expected and what was found.
//!
//! A layer turns an error of the layer below into a smaller item (a property less, a placeholder part), never into
//! a missing folder; what reaches the top becomes an `errno` or a line for the user.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::output::shown;

/// Result of every fallible function of the library.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
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
    /// Another program has written to the source file since it was opened.
    #[error("the file was changed while it was open; open or mount it anew")]
    Changed,
    /// The source file cannot be opened.
    #[error("cannot open {}: {source}", shown(path))]
    Open {
        /// The file as the user named it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not an Outlook data file; the text states what it is, after "it".
    #[error("not an Outlook data file (PST or OST): it {0}")]
    NotOutlook(String),
    /// An Outlook data file that nobody can read; the text gives the reason and the next step.
    #[error("{0}")]
    Unsupported(String),
    /// The file ends before anything in it that could be read; the text gives the place and the next step.
    #[error("{0}")]
    Truncated(String),
    /// A structure of the file breaks the format.
    #[error("{0}")]
    Corrupt(Box<Corrupt>),
    /// Blocks that are shown in another place, and no more of which are shown; the text states where.
    #[error("{0}")]
    Repeated(String),
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
    /// Where it stands, e.g. "offset 0x4400", "block 0x1a4", "property 0x0037".
    pub place: String,
    /// The node it belongs to (NID), once a layer that knows has said so.
    pub node: Option<u32>,
    /// What is wrong: what was expected and what was found.
    pub problem: String,
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "damaged {} ({}", self.structure, self.place)?;
        if let Some(node) = self.node {
            write!(f, ", node {node:#x}")?;
        }
        write!(f, "): {}", self.problem)
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
            node: None,
            problem: problem.to_string(),
        }))
    }

    /// Whether the file could not be read, whatever is in it.
    pub fn is_unread(&self) -> bool {
        matches!(self, Self::Io { .. } | Self::Changed)
    }

    /// Whether nothing is wrong with what is not shown but that it is shown in another place.
    pub fn is_repeated(&self) -> bool {
        matches!(self, Self::Repeated(_))
    }

    /// Whether it is about the file or its disk, and not about a question that has no answer.
    pub fn is_problem(&self) -> bool {
        !matches!(
            self,
            Self::NotFound | Self::NotADirectory | Self::IsADirectory
        )
    }

    /// The same error, naming node `nid` unless an inner layer has named one already.
    pub fn in_node(mut self, nid: u32) -> Self {
        if let Self::Corrupt(corrupt) = &mut self {
            corrupt.node.get_or_insert(nid);
        }
        self
    }
}
