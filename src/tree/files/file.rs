//! What all files of the tree have in common.

use std::sync::Arc;

use crate::convert::Rendition;
use crate::error::Result;
use crate::ndb::kept::Lru;
use crate::tree::attr::Times;
use crate::tree::ino::Ino;

/// A file: its bytes and its times.
#[derive(Debug)]
pub(in crate::tree) struct File {
    pub rendition: Rendition,
    pub times: Times,
}

impl File {
    /// Bytes of memory that it takes.
    pub fn weight(self: &Arc<Self>) -> usize {
        size_of::<Self>() + self.rendition.weight()
    }

    /// What is wrong with it, as far as reads have met it.
    pub fn problems(&self) -> Vec<String> {
        let problems = self.rendition.problems().list();
        problems.iter().map(ToString::to_string).collect()
    }
}

/// The files that were used last. What is larger than memory allows is made anew.
pub(in crate::tree) type FileCache = Lru<Ino, Arc<File>>;

/// One object of the tree that is a file. Attributes and reads come from the same [`File`].
pub(in crate::tree) trait FileOf {
    /// The file, made if need be.
    fn open(&self) -> Result<Arc<File>>;

    /// Size in bytes and times.
    fn attr(&self) -> Result<(u64, Times)> {
        let file = self.open()?;
        Ok((file.rendition.len(), file.times))
    }

    /// Whether that takes little work.
    fn is_attr_at_hand(&self) -> bool {
        true
    }

    /// Fills `buf` from byte `offset`; returns the bytes written, fewer than asked only at the end.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        self.open()?.rendition.read_at(offset, buf)
    }

    /// What is wrong with the item or attachment that it shows, as far as reads have met it.
    fn problems(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}
