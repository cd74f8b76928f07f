//! What `export --to pst` says at the end.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use indicatif::HumanBytes;

use super::exit::Exit;
use super::report::{self, Failure};
use crate::pst::{FolderTotal, Tally};

/// How an export ended.
#[derive(Default)]
pub(super) struct Ended {
    /// Files that were written, or were there already.
    pub files: u64,
    /// Why the first of those is not there of which the filter takes nothing.
    pub nothing: Option<Failure>,
    pub tally: Tally,
    /// Problems that belong to no item.
    pub problems: u64,
}

impl Ended {
    /// Adds how another target ended.
    pub fn add(&mut self, other: Self) {
        self.files += 1;
        self.tally.written += other.tally.written;
        self.tally.bytes += other.tally.bytes;
        self.tally.failed += other.tally.failed;
        self.problems += other.tally.problems + other.problems;
    }

    /// Prints the last line; the failure that the exit code comes from.
    pub fn tell(self) -> Result<(), Failure> {
        if let (0, Some(nothing)) = (self.files, self.nothing) {
            return Err(nothing);
        }
        let (failed, problems) = (self.tally.failed, self.problems);
        report::say(format_args!(
            "{}, {}; {failed} failed, {}",
            report::counted(self.tally.written, "item"),
            HumanBytes(self.tally.bytes),
            report::counted(problems, "problem")
        ));
        match failed + problems {
            0 => Ok(()),
            _ => Err(Failure::new(
                Exit::ErrorsFound,
                format!(
                    "{} could not be copied, {}; items that are not whole have the category \"ostfs: damaged\"",
                    report::counted(failed, "item"),
                    report::counted(problems, "problem")
                ),
            )),
        }
    }
}

/// What became of the items of each folder.
pub(super) fn table(totals: &BTreeMap<String, FolderTotal>) {
    if totals.is_empty() {
        return;
    }
    let mut text = "   found  written   failed  folder".to_owned();
    for (path, total) in totals {
        let path = if path.is_empty() { "/" } else { path };
        text.push_str(&format!(
            "\n{:>8} {:>8} {:>8}  {}{}",
            total.found,
            total.written,
            total.failed,
            report::printable(path),
            report::left_on_server(total.on_server)
        ));
    }
    report::say(text);
}
