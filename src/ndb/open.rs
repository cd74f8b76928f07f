//! How the layers above open a file: the header and two pages are read. The whole file is scanned only when those, or
//! later a lookup, do not lead to what they should ([`Recover`]).

use std::path::Path;
use std::sync::Arc;

use super::page::PageType;
use super::scan::{self, lost_header, report, roots};
use super::{Header, NodeDatabase, Source};
use crate::error::{Error, Result};

/// When a file is scanned for what its B-trees do not lead to: `-o recover=off|auto|scan`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Recover {
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
    open_with(path, cache, Recover::Auto, Arc::new(()))
}

/// Opens `path` with caches of at most `cache` bytes; `watch` hears of what is lost or gone around.
pub fn open_with(
    path: &Path,
    cache: u64,
    mode: Recover,
    watch: Arc<dyn Watch>,
) -> Result<NodeDatabase> {
    open_source(Source::open(path)?, cache, mode, watch)
}

/// As [`open_with`], of a file that is open already.
pub fn open_source(
    source: Source,
    cache: u64,
    mode: Recover,
    watch: Arc<dyn Watch>,
) -> Result<NodeDatabase> {
    let tell = |line: String| watch.problem(line);
    let mut found = None;
    let header = match Header::read(&source) {
        Ok(header) => header,
        Err(error) if mode == Recover::Off || !lost_header::may_be_damage(&error) => {
            return Err(error);
        }
        Err(error) => {
            let format = match lost_header::format(&source) {
                None if mode == Recover::Scan => lost_header::format_by_scan(&source, &*watch),
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
        Some((_, error)) if mode == Recover::Off => return Err(cut_off.map_or(error, not_scanned)),
        lost => lost,
    };
    if let Some(cut_off) = &cut_off {
        tell(cut_off.clone());
    }
    if mode == Recover::Off {
        return Ok(ndb);
    }
    // A header with a wrong CRC may be older than the trees: then its roots can be whole, and stale.
    if found.is_none() && (mode == Recover::Scan || !crc_valid || lost.is_some()) {
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
        let finds = scan::rebuild::rebuild(ndb.source(), format, finds);
        report(&finds, &*watch);
        ndb = ndb.with_finds(finds);
    }
    let ndb = ndb
        .with_scan_on_demand(Arc::clone(&watch))
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
