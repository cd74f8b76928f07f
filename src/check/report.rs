//! What a check finds, and how far it is.

use serde::Serialize;

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
    /// What ScanPST reports about it, shortened, if it is one of its complaints that other readers do not share.
    pub scanpst: Option<&'static str>,
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

/// Called with the phase, how much of it is done, and how much there is.
pub type Progress = dyn Fn(Phase, u64, u64) + Send + Sync;
