//! Recovery: what can still be read when the header or the top of a B-tree is damaged. Beside `messaging`, on `ndb`.
//!
//! [`open`] is how the layers above open a file: it reads the header and two pages, and scans the file only when
//! those do not lead to both trees.
#![forbid(unsafe_code)]

mod roots;

use std::path::Path;

use crate::error::{Error, Result};
use crate::ndb::NodeDatabase;
use crate::ndb::page::PageType;

/// Opens `path` with caches of at most `cache` bytes. When a B-tree root cannot be read, the newest whole trees that a
/// scan of the file finds take its place.
pub fn open(path: &Path, cache: u64) -> Result<NodeDatabase> {
    let ndb = NodeDatabase::open(path, cache)?;
    let header = ndb.header();
    if header.file_eof > ndb.source().len() {
        log::warn!(
            "{}: the file has {} bytes where its header says {}: it was cut off, and what lies behind is lost",
            path.display(),
            ndb.source().len(),
            header.file_eof
        );
    }
    let lost = match ndb.check_roots() {
        Ok(()) => {
            if !header.crc_valid {
                log::warn!(
                    "{}: the CRC of the header is wrong; going on, since both B-tree roots are right",
                    path.display()
                );
            }
            return Ok(ndb);
        }
        Err(error) => error,
    };
    log::warn!(
        "{}: {lost}; looking for the B-trees in the whole file",
        path.display()
    );
    let found = roots::scan(ndb.source(), header.format)?;
    let root = |page_type: PageType| {
        found.newest(page_type).ok_or_else(|| {
            Error::Unsupported(format!(
                "{lost}; no whole {} was found elsewhere in the file either: it is damaged beyond what can be read, \
                 or cut off; try a fresh copy or a backup of it",
                page_type.name().replace("page", "tree")
            ))
        })
    };
    let (nbt, bbt) = (root(PageType::Nbt)?, root(PageType::Bbt)?);
    log::warn!(
        "{}: going on with the B-trees at {:#x} (nodes) and {:#x} (blocks)",
        path.display(),
        nbt.ib,
        bbt.ib
    );
    Ok(ndb.with_roots(nbt, bbt))
}
