//! Recovery: what can still be read when the header, a page of a B-tree or the end of the file is lost. Beside
//! `messaging`, on `ndb`; what was deleted is judged with the help of `messaging`.
//!
//! [`open`] is how the layers above open a file. It reads the header and two pages; the whole file is scanned only when
//! those, or later a lookup, do not lead to what they should ([`Mode`]).
#![forbid(unsafe_code)]

mod contexts;
mod damaged_leaves;
mod deleted;
mod identity;
mod lost_header;
mod memory;
mod readable;
mod rebuild;
mod references;
mod restore;
mod roots;
mod scan;
mod subnodes;

use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::ndb::format::Format;
use crate::ndb::page::PageType;
use crate::ndb::rescue::{Rescue, Rescuer};
use crate::ndb::{Header, NodeDatabase, Source};

pub use deleted::{Deleted, DeletedItem, deleted};
pub use restore::Lost;

/// When a file is scanned for what its B-trees do not lead to: `-o recover=off|auto|scan`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Never.
    Off,
    /// When a page or block is not where it should be.
    #[default]
    Auto,
    /// At once.
    Scan,
}

/// Hears of a recovery. Both may be called from any thread.
pub trait Watch: Send + Sync {
    /// A scan has read `done` of `total` bytes; both are equal at its end.
    fn progress(&self, done: u64, total: u64) {
        let _ = (done, total);
    }

    /// Something was lost, or gone around. The same line may come again.
    fn problem(&self, line: String);
}

/// Hears nothing.
impl Watch for () {
    fn problem(&self, _: String) {}
}

/// Opens `path` with caches of at most `cache` bytes, recovering what is lost when it is needed.
pub fn open(path: &Path, cache: u64) -> Result<NodeDatabase> {
    open_with(path, cache, Mode::Auto, Arc::new(()))
}

/// Opens `path` with caches of at most `cache` bytes; `watch` hears of what is lost or gone around.
pub fn open_with(
    path: &Path,
    cache: u64,
    mode: Mode,
    watch: Arc<dyn Watch>,
) -> Result<NodeDatabase> {
    open_source(Source::open(path)?, cache, mode, watch)
}

/// As [`open_with`], of a file that is open already.
pub fn open_source(
    source: Source,
    cache: u64,
    mode: Mode,
    watch: Arc<dyn Watch>,
) -> Result<NodeDatabase> {
    let tell = |line: String| watch.problem(line);
    let mut found = None;
    let header = match Header::read(&source) {
        Ok(header) => header,
        Err(error) if mode == Mode::Off || !lost_header::may_be_damage(&error) => {
            return Err(error);
        }
        Err(error) => {
            let format = match lost_header::format(&source) {
                None if mode == Mode::Scan => lost_header::format_by_scan(&source, &*watch),
                known => known,
            };
            let Some(format) = format else {
                return Err(error);
            };
            tell(format!("{error}; looking for the mail in the whole file"));
            let finds = scan::scan(&source, format, &*watch);
            let Some(header) = lost_header::header(&source, format, &finds) else {
                return Err(error);
            };
            found = Some(finds);
            header
        }
    };
    let format = header.format;
    let cut_off = (header.file_eof > source.len()).then(|| {
        format!(
            "the file has {} bytes where its header says {}: it was cut off, or its header is damaged",
            source.len(),
            header.file_eof
        )
    });
    let crc_valid = header.crc_valid;
    let mut ndb = NodeDatabase::new(source, header, cache);
    let lost: Vec<(PageType, Error)> = [PageType::Nbt, PageType::Bbt]
        .into_iter()
        .filter_map(|page_type| Some((page_type, ndb.root(page_type).err()?)))
        .collect();
    let lost = match lost.into_iter().next() {
        // A disk that does not answer is not scanned.
        Some((_, error)) if error.is_unread() => return Err(error),
        Some((_, error)) if mode == Mode::Off => return Err(cut_off.map_or(error, not_scanned)),
        lost => lost,
    };
    if let Some(cut_off) = &cut_off {
        tell(cut_off.clone());
    }
    if mode == Mode::Off {
        return Ok(ndb);
    }
    // A header with a wrong CRC may be older than the trees: then its roots can be whole, and stale.
    if found.is_none() && (mode == Mode::Scan || !crc_valid || lost.is_some()) {
        let why = match &lost {
            Some((_, error)) => Some(error.to_string()),
            None if !crc_valid => Some("the CRC of the header is wrong".into()),
            None => None,
        };
        if let Some(why) = why {
            tell(format!("{why}; looking for the mail in the whole file"));
        }
        found = Some(scan::scan(ndb.source(), format, &*watch));
    }
    if let Some(finds) = found {
        if let (true, Some(cut_off)) = (finds.is_empty(), cut_off) {
            return Err(nothing_left(cut_off));
        }
        if finds.is_empty() {
            return Err(Error::Unsupported(
                "no page of a B-tree and no block in the whole file: it is overwritten, encrypted from outside, or no \
                 Outlook data file behind its header; try a backup of it"
                    .into(),
            ));
        }
        for page_type in [PageType::Nbt, PageType::Bbt] {
            let damaged = match page_type {
                PageType::Nbt => &*finds.damaged,
                PageType::Bbt => &[],
            };
            // A header that is whole names the newest root; any other is older.
            let newest = roots::newest(finds.pages(page_type), damaged).filter(|_| !crc_valid);
            let current = ndb.root(page_type).ok();
            if let Some(newest) = newest
                && current.is_none_or(|current| current < newest.bid)
            {
                tell(format!(
                    "going on with the {} root at {:#x}",
                    page_type.name(),
                    newest.ib
                ));
                ndb = ndb.with_root(page_type, newest);
            }
        }
        let rescue = rebuild::rebuild(ndb.source(), format, finds);
        report(&rescue, tell);
        ndb = ndb.with_rescue(rescue);
    }
    let ndb = ndb
        .with_rescuer(Box::new(Scanner {
            watch: Arc::clone(&watch),
        }))
        .with_crypt_of_blocks();
    if ndb.header().crypt_guessed {
        watch.problem("the header says that blocks are not encoded, but they are: decoded".into());
    }
    Ok(ndb)
}

/// A file that is `cut_off` and whose roots are lost, which nobody may look for.
fn not_scanned(cut_off: String) -> Error {
    Error::Truncated(format!(
        "{cut_off}; copy it again from its source, or see what is left with -o recover=auto"
    ))
}

/// A file that is `cut_off` and in which a scan found nothing.
fn nothing_left(cut_off: String) -> Error {
    Error::Truncated(format!(
        "{cut_off}, and nothing that can be read is left; copy it again from its source"
    ))
}

/// Scans when `ndb` first fails to find something.
struct Scanner {
    watch: Arc<dyn Watch>,
}

impl Rescuer for Scanner {
    fn rebuild(&self, source: &Source, format: &'static Format) -> Rescue {
        let line = "a part of the file is not where it should be; looking in the whole file";
        self.watch.problem(line.into());
        let found = scan::scan(source, format, &*self.watch);
        let rescue = rebuild::rebuild(source, format, found);
        report(&rescue, |line| self.watch.problem(line));
        rescue
    }

    fn gone_around(&self, line: String) {
        self.watch.problem(line);
    }
}

fn report(rescue: &Rescue, tell: impl Fn(String)) {
    tell(format!(
        "a scan of the whole file found {} nodes and {} blocks",
        rescue.nodes().len(),
        rescue.blocks().len()
    ));
}
