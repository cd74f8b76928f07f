//! All rules, held against one file.
#![forbid(unsafe_code)]

use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

use super::checker::Checker;
use super::report::{Phase, Progress, Report};
use super::{allocation, blocks, folders, locate, names, nodes, opened, pages, scanpst};
use crate::error::Result;
use crate::messaging::Store;
use crate::ndb::{self, Damaged, Recover, Source, Watch};

/// Bound of the caches while checking, in bytes.
const CACHE: u64 = 32 << 20;

/// Checks the file at `path`. Fails only if it cannot be read at all, or is no Outlook data file.
pub fn check(path: &Path, progress: Arc<Progress>) -> Result<Report> {
    check_source(Source::open(path)?, progress)
}

/// As [`check`], of a file that is open already.
pub fn check_source(source: Source, progress: Arc<Progress>) -> Result<Report> {
    let mut checker = Checker::default();
    let watch = ScanWatch {
        progress: Arc::clone(&progress),
        lines: Mutex::default(),
    };
    let ndb = ndb::open_source(source, CACHE, Recover::Auto, Arc::new(watch))?
        // Each damaged part is to be named, not gone around.
        .with_damaged(Damaged::Refuse);
    let mut pages = Vec::new();
    let header = opened::check(&ndb, &mut checker);
    if let Some(header) = &header {
        pages = pages::check(&ndb, header, &mut checker);
    }
    let store = Arc::new(Store::open(ndb));
    let progress = &*progress;
    let blocks = blocks::check(store.ndb(), &pages, &mut checker, progress);
    if header.is_some() {
        let extents = blocks::extents(store.ndb(), &blocks);
        allocation::free_bytes(store.ndb(), &mut checker);
        allocation::marked(store.ndb(), "page", pages.into_iter(), &mut checker);
        allocation::marked(store.ndb(), "block", extents, &mut checker);
    }
    let unreadable = blocks.unreadable();
    drop(blocks);
    names::check(&store, &mut checker);
    let nodes = folders::check(&store, &mut checker);
    nodes::check(&store, &nodes, &mut checker, progress);
    scanpst::check(&store, &nodes, &mut checker);
    locate::locate(&store, &unreadable, &mut checker.report.findings);
    checker.report.size = store.ndb().source().len();
    Ok(checker.finish())
}

struct ScanWatch {
    progress: Arc<Progress>,
    lines: Mutex<()>,
}

impl Watch for ScanWatch {
    fn progress(&self, done: u64, total: u64) {
        let _one_at_a_time = self.lines.lock();
        (self.progress)(Phase::Scan, done, total);
    }

    // The checks find out by themselves.
    fn problem(&self, _: String) {}
}
