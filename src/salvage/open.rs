//! A file opened with all that stands in for what it has lost.

use std::path::Path;
use std::sync::Arc;

use super::lost_lists::lost_lists;
use super::restore::restore;
use crate::error::Result;
use crate::messaging::Store;
use crate::ndb::{self, Damaged, Recover, Source, Watch, whole};

/// Memory for the caches of [`open`], in bytes.
const CACHE: u64 = 16 << 20;

/// How a file is opened.
#[derive(Debug, Clone, Copy)]
pub struct Opening {
    /// The most bytes of pages and blocks that are kept.
    pub cache: u64,
    /// When the file is scanned for what its B-trees do not lead to.
    pub recover: Recover,
    /// What becomes of damaged bytes.
    pub damaged: Damaged,
    /// The code page of 8-bit text of which nothing names one, if it is known.
    pub code_page: Option<u32>,
}

impl Opening {
    /// The store of `source`; `watch` is called with what is lost or gone around, now or when it is met.
    pub fn open(&self, source: Source, watch: Arc<dyn Watch>) -> Result<Store> {
        let ndb = ndb::open_source(source, self.cache, self.recover, watch)?;
        let ndb = ndb.with_damaged(self.damaged);
        // What the store object says is kept for good, so a disk that does not give it now must not leave a store without.
        let store = whole(|| {
            Ok(match self.recover {
                Recover::Off => Store::open(ndb),
                Recover::Auto | Recover::Scan => {
                    Store::open(ndb.with_lost_lists(lost_lists)).with_restore(restore)
                }
            })
        })?;
        Ok(store.with_code_page(self.code_page))
    }
}

/// Opens the Outlook data file `path`, damaged or not: whatever is lost is looked for when it is missed, and what of a part
/// is missing or in doubt stands in the problems of that part.
///
/// Reads a few pages; the caches take at most 16 MiB. The file is not locked: once another program has written to it, every
/// read is [`Error::Changed`](crate::Error::Changed).
///
/// # Errors
///
/// [`Error::Open`](crate::Error::Open) if the system does not open it, [`NotOutlook`](crate::Error::NotOutlook) if it is
/// something else, and [`Unsupported`](crate::Error::Unsupported) or [`Truncated`](crate::Error::Truncated), with what to do
/// next, if nothing in it can be read.
pub fn open(path: &Path) -> Result<Arc<Store>> {
    let opening = Opening {
        cache: CACHE,
        recover: Recover::default(),
        damaged: Damaged::default(),
        code_page: None,
    };
    opening
        .open(Source::open(path)?, Arc::new(()))
        .map(Arc::new)
}
