//! `ostfs check`: every rule that a healthy file keeps, read-only. Above `messaging`, beside `convert`.
//!
//! Findings are errors (something cannot be read, is lost to Outlook, or may be wrong) or warnings (books that do not
//! balance, as real files have them: they hurt nobody, and change no exit code). The rules, by file:
//!
//! | file | error | warning |
//! |---|---|---|
//! | `pages` | magic, version, both CRCs of the header; `ibFileEof` past the end; page CRC, `ptype`, `wSig`, alignment; level; keys out of order, twice, or outside of what the page above says; `cEnt`, `cbEnt`; a page older than the page above says | a newer one; `bid` not below `bidNextP` |
//! | `blocks` | no place in the file, alignment, size; overlaps a block or page; `cb`, `bid`, `wSig`, CRC; inflation; XBLOCK, XXBLOCK, SLBLOCK, SIBLOCK: type, count, order, `lcbTotal`, children of the right kind; `bidData`, `bidSub` without a block | `cRef`; nothing refers to it; `bid` not below `bidNextB` |
//! | `allocation` | below the first map | page or block not marked; `cbAMapFree`; `fAMapValid` |
//! | `names` | a name outside of its stream | not in its hash bucket; an id twice |
//! | `cells` | | what a row repeats of its object: name, class, counts; message class, flags, importance, times, subject, recipients |
//! | `folders` | store, name map or root folder missing; PidTagIpmSubTreeEntryId names no folder, or one of another store; row without a node, or of something that is no message; node without a row; a parent that is no folder, or not there; the way up does not end at the root folder | `rgnid`; row of another folder's item; no table; PidTagContentCount, PidTagContentUnreadCount, PidTagSubfolders |
//! | `objects` | heap: signature, page maps; BTH; PC: records, where values are; TC: columns and bitmap (`rgbCEB`) within the row, rows within the matrix, PidTagLtpRowId, where cells are | |
//! | `messages` | recipient and attachment tables as `objects`; attachments and embedded messages that cannot be opened; compressed RTF | unlisted attachment; MSGFLAG_HASATTACH; types of PidTagMessageFlags and PidTagCreationTime; no PidTagMessageClass; display properties without a recipient of the table |
//!
//! What is padding, memory garbage or rebuilt by every writer is not looked at: the list of free pages, the PMaps, FMaps
//! and FPMaps, pad fields, message sizes.
//!
//! Memory is 37 bytes for a block, some 70 for a node, and the caches; time is that of reading the file once, and again
//! what is not attachments.
#![forbid(unsafe_code)]

mod allocation;
mod blocks;
mod cells;
mod folders;
mod locate;
mod messages;
mod names;
mod objects;
mod opened;
mod pages;

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;

use crate::error::{Corrupt, Error, Result};
use crate::messaging::Store;
use crate::ndb::{self, Damaged, Recover, Watch};
use crate::ndb::{Header, NodeId, Source};
use crate::problem::{Problems, Text};

/// Findings that are kept; what comes after is only counted.
const MAX_FINDINGS: usize = 100_000;
/// Bound of the caches while checking, in bytes.
const CACHE: u64 = 32 << 20;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something cannot be read, or not be trusted.
    Error,
    /// Something does not add up, and no mail is touched by it.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Name of the structure as [MS-PST] has it.
    pub structure: &'static str,
    /// Where it stands, e.g. "offset 0x4400".
    pub place: String,
    /// What is wrong: what was expected and what was found.
    pub problem: String,
    /// The node that it touches.
    pub node: Option<u32>,
    /// Path of the folder, or of the folder and the subject of the message, that it touches.
    pub item: Option<String>,
}

/// What a check found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Size of the file in bytes.
    pub size: u64,
    /// Pages of both B-trees.
    pub pages: u64,
    /// Blocks.
    pub blocks: u64,
    /// Nodes.
    pub nodes: u64,
    /// Messages, hidden ones and embedded ones included.
    pub messages: u64,
    /// Number of errors.
    pub errors: u64,
    /// Number of warnings.
    pub warnings: u64,
    /// How many findings there are of each structure, errors before warnings.
    pub summary: Vec<Kind>,
    /// The findings, of which at most 100,000 are kept.
    pub findings: Vec<Finding>,
}

/// Findings of one structure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kind {
    /// How bad they are.
    pub severity: Severity,
    /// Name of the structure.
    pub structure: &'static str,
    /// How many there are.
    pub count: u64,
}

/// What is being checked, and in which unit its progress is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// A damaged file is scanned for what is lost, in bytes.
    Scan,
    /// Blocks, in bytes.
    Blocks,
    /// Nodes: folders, messages, tables.
    Nodes,
}

/// Hears of phase, how much of it is done, and how much there is.
pub type Progress = dyn Fn(Phase, u64, u64) + Send + Sync;

/// Checks the file at `path`. Fails only if it cannot be read at all, or is no Outlook data file.
pub fn check(path: &Path, progress: Arc<Progress>) -> Result<Report> {
    check_source(Source::open(path)?, progress)
}

/// As [`check`], of a file that is open already.
pub fn check_source(source: Source, progress: Arc<Progress>) -> Result<Report> {
    let mut checker = Checker::default();
    let header = Header::read(&source);
    let watch = ScanWatch {
        progress: Arc::clone(&progress),
        lines: Mutex::default(),
    };
    let ndb = ndb::open_source(source, CACHE, Recover::Auto, Arc::new(watch))?
        // Each damaged part is to be named, not gone around.
        .with_damaged(Damaged::Refuse);
    let mut pages = Vec::new();
    let header = opened::check(&ndb, header, &mut checker);
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
    objects::check(&store, &nodes, &mut checker, progress);
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

/// Collects findings, each thing once.
#[derive(Default)]
struct Checker {
    report: Report,
    kinds: BTreeMap<(Severity, &'static str), u64>,
    /// Hashes of structure, place and problem.
    seen: HashSet<u64>,
}

impl Checker {
    fn add(
        &mut self,
        severity: Severity,
        structure: &'static str,
        place: impl ToString,
        problem: impl ToString,
        node: Option<NodeId>,
    ) {
        let (place, problem) = (place.to_string(), problem.to_string());
        let is_kept = self.report.findings.len() < MAX_FINDINGS;
        // Past the bound nothing is remembered, so what comes twice counts twice.
        let mut hasher = DefaultHasher::new();
        (structure, &place, &problem).hash(&mut hasher);
        if is_kept && !self.seen.insert(hasher.finish()) {
            return;
        }
        *self.kinds.entry((severity, structure)).or_default() += 1;
        match severity {
            Severity::Error => self.report.errors += 1,
            Severity::Warning => self.report.warnings += 1,
        }
        if is_kept {
            self.report.findings.push(Finding {
                severity,
                structure,
                place,
                problem,
                node: node.map(|node| node.0),
                item: None,
            });
        }
    }

    fn error(
        &mut self,
        structure: &'static str,
        place: impl ToString,
        problem: impl ToString,
        node: Option<NodeId>,
    ) {
        self.add(Severity::Error, structure, place, problem, node);
    }

    fn warning(
        &mut self,
        structure: &'static str,
        place: impl ToString,
        problem: impl ToString,
        node: Option<NodeId>,
    ) {
        self.add(Severity::Warning, structure, place, problem, node);
    }

    /// An error of the reader, met in `node`.
    fn unreadable(&mut self, error: &Error, node: Option<NodeId>) {
        if let Error::Corrupt(corrupt) = error {
            let Corrupt {
                structure,
                place,
                node: named,
                problem,
            } = &**corrupt;
            let node = node.or(named.map(NodeId));
            self.error(structure, place, problem, node);
        } else {
            self.error("file", "", error, node);
        }
    }

    /// What the reader noted in `node`. Words about a part of it are not counted: they tell of bytes, which are checked on
    /// their own.
    fn noted(&mut self, problems: &Problems, node: NodeId) {
        for problem in problems.list() {
            match problem.text {
                Text::Corrupt(corrupt) => self.unreadable(&Error::Corrupt(corrupt), Some(node)),
                Text::Words(words) if problem.place.is_empty() => {
                    self.error("file", "", words, Some(node));
                }
                Text::Words(_) => {}
            }
        }
    }

    fn finish(mut self) -> Report {
        self.report.findings.sort_by_key(|finding| finding.severity);
        self.report.summary = self
            .kinds
            .iter()
            .map(|((severity, structure), count)| Kind {
                severity: *severity,
                structure,
                count: *count,
            })
            .collect();
        self.report
    }
}
