//! What a scan of a damaged file reports.

use std::fmt;
use std::sync::Arc;

use super::problem_log::ProblemLog;
use crate::ndb::Watch;

/// Called with how many bytes of how many a scan of the file has read; both are equal at its end.
pub type Progress = dyn Fn(u64, u64) + Send + Sync;

/// Takes the progress of a scan to whoever opened the tree, and its problems to the list of problems.
pub(super) struct RecoveryWatch {
    pub progress: Box<Progress>,
    pub problems: Arc<ProblemLog>,
}

impl fmt::Debug for RecoveryWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecoveryWatch").finish_non_exhaustive()
    }
}

impl Watch for RecoveryWatch {
    fn progress(&self, done: u64, total: u64) {
        (self.progress)(done, total);
    }

    fn problem(&self, line: String) {
        self.problems.note("", line);
    }
}
