//! The journal beside a file that is being written: from what it states an export goes on after a crash or on a full disk, and
//! ends with the same bytes.
//!
//! It is written anew each time the file has grown by a part of its size, under another name first, and only after all that
//! it speaks of is on disk.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::begun::{Begun, Counts};
use super::digest::Digest;
use super::names::Names;
use super::output::{Books, Content};
use super::part::{Part, Position, Tally, Whole};
use super::written::Item;

/// Permissions: it has names of folders and properties.
const MODE: u32 = 0o600;
/// Bytes of the hash of what is exported.
const HASH: usize = 32;

/// Where the journal is, and of what.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    of: [u8; HASH],
}

/// How far an export is.
#[derive(Debug, Serialize, Deserialize)]
pub enum Stage<'a> {
    /// A file is being written.
    Writing(Box<Saved<'a>>),
    /// A file is whole and was compared; it has its name, or is to get it.
    Whole(Cow<'a, Whole>),
}

/// A file between two items.
#[derive(Debug, Serialize, Deserialize)]
pub struct Saved<'a> {
    /// The number of the file.
    pub number: u32,
    pub(super) at: Position,
    pub(super) folders: Digest,
    pub(super) books: Cow<'a, Books>,
    pub(super) names: Cow<'a, Names>,
    pub(super) empty: Vec<Content>,
    pub(super) items: Cow<'a, [Item]>,
    pub(super) counts: Cow<'a, BTreeMap<usize, Counts>>,
    pub(super) begun: Cow<'a, Begun>,
    pub(super) tally: Cow<'a, Tally>,
}

/// What a file begins with.
#[derive(Debug)]
pub enum Begin {
    /// With nothing.
    New(Part),
    /// With what is in it, as its journal states.
    Again(Box<Saved<'static>>),
}

impl Begin {
    /// The number of the file.
    pub fn number(&self) -> u32 {
        match self {
            Self::New(part) => part.number,
            Self::Again(saved) => saved.number,
        }
    }
}

/// Why an export cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum NotResumed {
    /// The journal is of something else.
    #[error("the source, the options or the version of ostfs are not those of the earlier export")]
    Other,
    /// The journal is not one, or cannot be read.
    #[error("the journal {0} cannot be read: {1}")]
    Unreadable(PathBuf, String),
}

impl Journal {
    /// The journal at `path` of an export of something with this hash.
    pub fn new(path: PathBuf, of: [u8; HASH]) -> Self {
        Self { path, of }
    }

    /// What it states; None if there is none.
    pub fn load(&self) -> Result<Option<Stage<'static>>, NotResumed> {
        let unreadable = |reason: &dyn std::fmt::Display| {
            NotResumed::Unreadable(self.path.clone(), reason.to_string())
        };
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(&error)),
        };
        let Some((of, stage)) = bytes.split_first_chunk() else {
            return Err(unreadable(&"it is cut"));
        };
        if *of != self.of {
            return Err(NotResumed::Other);
        }
        let stage = postcard::from_bytes(stage).map_err(|error| unreadable(&error))?;
        Ok(Some(stage))
    }

    /// What becomes the journal at `path` once it is written.
    pub fn next(path: &Path) -> PathBuf {
        let mut new = path.to_path_buf().into_os_string();
        new.push(".new");
        new.into()
    }

    /// Writes down how far the export is.
    pub fn save(&self, stage: &Stage<'_>) -> io::Result<()> {
        let new = Self::next(&self.path);
        remove(&new)?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(MODE)
            .open(&new)?;
        let written = write(&file, &self.of, stage).and_then(|()| fs::rename(&new, &self.path));
        // The one that is there stays good, so that nothing must be left of this one.
        written.inspect_err(|_| _ = fs::remove_file(&new))
    }

    /// Removes it, if it is there, and what was to become it.
    pub fn remove(&self) -> io::Result<()> {
        remove(&self.path)?;
        remove(&Self::next(&self.path))
    }

    /// Whether an export can go on from it.
    pub fn is_there(&self) -> bool {
        self.path.exists()
    }
}

fn write(file: &File, of: &[u8], stage: &Stage<'_>) -> io::Result<()> {
    let mut to = BufWriter::new(file);
    to.write_all(of)?;
    let taken = postcard::to_io(stage, &mut to).map(|_| ());
    // postcard drops what the writer said, which this states again: that the disk is full, most likely.
    to.flush()?;
    taken.map_err(io::Error::other)?;
    file.sync_data()
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl Saved<'_> {
    /// The file, as if what is in it were before it.
    pub(super) fn part(&self) -> Part {
        Part {
            number: self.number,
            done: self.tally.clone().into_owned(),
            from: self.at,
        }
    }
}
