//! The order in which a new file is written.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::atomic::AtomicU64;

use super::empty::Empty;
use super::export::Export;
use super::failed::Failed;
use super::folders::Folders;
use super::names::Names;
use super::output::Output;
use super::plan::Plan;
use super::store;
use super::written::{Failures, Watch, Written};
use crate::export::Progress;

impl Export<'_> {
    /// Writes all that the filter takes into `file`, which is empty; it is on disk when this returns. An item that cannot be
    /// read is left out and goes to `failed`. Errors are those of writing.
    pub fn write(
        &self,
        file: File,
        progress: &Progress,
        failed: &Failures<'_>,
    ) -> Result<Written, Failed> {
        let watch = Watch {
            progress,
            failed,
            problems: AtomicU64::new(0),
        };
        let mut out = Output::new(file);
        let mut names = Names::new();
        let mut empty = Empty::new(&mut out)?;
        let mut left = |path: &str, reason: &str| watch.fail(path, reason);
        let mut plan = Plan::new(&mut out, self.forest, &self.filter, &mut left);
        let mut folders = Folders {
            export: self,
            out: &mut out,
            names: &mut names,
            empty: &mut empty,
            watch: &watch,
            items: Vec::new(),
            totals: BTreeMap::new(),
        };
        let mut counts = Vec::with_capacity(plan.folders.len());
        for folder in &plan.folders {
            counts.push(folders.copy(folder)?);
        }
        let lost = plan.add_lost(folders.out, self.forest, &self.filter, &mut left);
        for folder in plan.folders.get(lost).unwrap_or_default() {
            counts.push(folders.copy(folder)?);
        }
        folders.finish(&plan, &counts)?;
        let (items, totals) = (folders.items, folders.totals);
        store::finish(&mut out, &names, &plan, self)?;
        out.finish()?;
        Ok(Written {
            totals,
            problems: watch.problems.into_inner(),
            items,
        })
    }
}
