//! Collects what the checks find.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::report::{Finding, Kind, Report, Severity};
use crate::error::{Corrupt, Error};
use crate::ndb::NodeId;
use crate::problem::{Problems, Text};

/// Findings that are kept; what comes after is only counted.
const MAX_FINDINGS: usize = 100_000;

/// Collects findings, each thing once.
#[derive(Default)]
pub(super) struct Checker {
    pub report: Report,
    kinds: BTreeMap<(Severity, &'static str), u64>,
    /// What ScanPST reports about what is added now.
    pub scanpst: Option<&'static str>,
    /// Hashes of structure, place and problem.
    seen: HashSet<u64>,
}

impl Checker {
    pub fn add(
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
                scanpst: self.scanpst,
            });
        }
    }

    pub fn error(
        &mut self,
        structure: &'static str,
        place: impl ToString,
        problem: impl ToString,
        node: Option<NodeId>,
    ) {
        self.add(Severity::Error, structure, place, problem, node);
    }

    pub fn warning(
        &mut self,
        structure: &'static str,
        place: impl ToString,
        problem: impl ToString,
        node: Option<NodeId>,
    ) {
        self.add(Severity::Warning, structure, place, problem, node);
    }

    /// An error of the reader, met in `node`.
    pub fn unreadable(&mut self, error: &Error, node: Option<NodeId>) {
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

    /// What the reader noted in `node`. Words about a part of it are not counted: they are about bytes, which are checked on
    /// their own.
    pub fn noted(&mut self, problems: &Problems, node: NodeId) {
        for problem in problems.list() {
            match problem.text {
                Text::Corrupt(corrupt) => self.unreadable(&Error::Corrupt(corrupt), Some(node)),
                Text::Words(words) if problem.place.is_empty() => {
                    self.error("file", "", words, Some(node));
                }
                Text::Words(_) | Text::Remark(_) => {}
            }
        }
    }

    pub fn finish(mut self) -> Report {
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
