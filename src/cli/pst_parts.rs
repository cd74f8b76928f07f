//! What is there of the parts of a new PST before they are written, and what beside them afterwards: of an earlier export, most likely.
#![forbid(unsafe_code)]

use std::fs;

use super::exit::Exit;
use super::new_file::{self, NewFile, directory_of};
use super::outputs::{self, Outputs};
use super::pst_targets::{Target, Targets};
use super::report::{self, Failure};
use super::space;
use crate::output::shown;
use crate::pst::{self, Journal, Stage};
use crate::tree::Forest;

/// Bytes of the parts of `target` that an earlier export has written, with the one that it began.
fn written(target: &Target) -> u64 {
    let parts = (1..=u32::MAX).map(|number| target.part(number));
    let bytes = parts.map(|part| {
        let named = fs::metadata(&part).map_or(0, |part| part.len());
        named + new_file::begun(&part).unwrap_or_default()
    });
    bytes.take_while(|bytes| *bytes > 0).sum()
}

/// Whether there is room for what is not yet written of `target`, if all of `forest` is; of parts that are gone on with, the
/// earlier ones are.
pub(super) fn look_at_room(forest: &Forest, target: &Target, goes_on: bool) -> Result<(), Failure> {
    let first = target.part(1);
    let written = match goes_on {
        true => written(target),
        false => new_file::begun(&first).unwrap_or_default(),
    };
    let left = pst::room(forest).saturating_sub(written);
    space::look(directory_of(&first), left)
        .map_err(|reason| Failure::about(Exit::Failure, &first, &reason))
}

/// Fails if a part that is to be written would take the place of a file, where an earlier export came to `stage` and parts have `split`
/// bytes: told before the first is written, as that may take hours.
pub(super) fn look_at_names(
    target: &Target,
    stage: Option<&Stage<'_>>,
    split: Option<u64>,
) -> Result<(), Failure> {
    let first = match stage {
        None => 1,
        Some(Stage::Writing(saved)) => saved.number,
        Some(Stage::Whole(whole)) => {
            let has_its_name = new_file::begun(&target.part(whole.number)).is_none();
            whole.number + u32::from(has_its_name)
        }
    };
    let last = split.map_or(first, |_| u32::MAX);
    match target.parts_there()?.range(first..=last).next() {
        Some(&number) => Err(outputs::is_there(&target.part(number))),
        None => Ok(()),
    }
}

/// Removes what an export that nobody wants to go on with has begun of all parts of `target`, and its `journal`.
pub(super) fn forget(target: &Target, journal: &Journal, outputs: &Outputs) -> Result<(), Failure> {
    let mut begun = Vec::new();
    for number in target.parts_begun()? {
        let part = target.part(number);
        // A file with a journal of its own is of another source, which is called like a part.
        if number == 1 || !new_file::journal(&part).exists() {
            outputs.look_at_new(&part)?;
            let left = NewFile::left(&part);
            begun.extend(left.map_err(|error| Failure::writing(&part, &error))?);
        }
    }
    // Before the files, which go when this returns: who went on by it would take what is missing for written.
    let removed = journal.remove();
    removed.map_err(|error| Failure::writing(&target.journal(), &error))
}

/// Names what is called like a part of `target` behind the last one, number `last`: who opens all of them has its items twice.
pub(super) fn tell_others(targets: &Targets, target: &Target, last: u32) -> Result<(), Failure> {
    for number in target.parts_there()?.range(last + 1..) {
        let path = target.part(*number);
        if targets.all.iter().all(|other| other.part(1) != path) {
            report::error(format_args!(
                "{}: is no part of this export; remove it if it is one of an earlier export",
                shown(&path)
            ));
        }
    }
    Ok(())
}
