//! Filters that match nothing: a folder or class that is not there is a mistake, and told with the names that are near it.
#![forbid(unsafe_code)]

use std::path::Path;
use std::sync::atomic::Ordering;

use super::exit::Exit;
use super::report::{Failure, printable};
use crate::export::{Export, Filter, Progress, Totals};
use crate::messaging::is_derived;
use crate::tree::{FolderWalk, Forest, Ino};

/// Names that are offered.
const MAX_OFFERED: usize = 3;

/// Fails if a folder of `filter` is not there.
pub(super) fn look(forest: &Forest, filter: &Filter) -> Result<(), Failure> {
    let mut folders = filter.folders.iter();
    folders.try_for_each(|path| look_for(forest, "--folder ", path))
}

/// Fails if the folder at `path`, which was typed behind `word`, is not there.
pub(super) fn look_for(forest: &Forest, word: &str, path: &str) -> Result<(), Failure> {
    if forest.is_folder(Ino::ROOT, Path::new(path)) {
        return Ok(());
    }
    let offered = nearest(path, folders(forest));
    let path = printable(path);
    let message = format!("{word}{path}: no such folder; {offered}");
    Err(Failure::new(Exit::NotFound, message))
}

/// Fails if the filter of `export` has taken nothing, unless nobody waited for it.
pub(super) fn taken(
    export: &Export<'_>,
    totals: &Totals,
    progress: &Progress,
) -> Result<(), Failure> {
    let is_read = !progress.abandoned.load(Ordering::Relaxed);
    match totals.is_empty() && !export.filter.is_empty() && is_read {
        true => Err(nothing(export.forest, &export.filter)),
        false => Ok(()),
    }
}

/// What to say when `filter` takes nothing.
pub(super) fn nothing(forest: &Forest, filter: &Filter) -> Failure {
    if !filter.left_out.is_empty() {
        let reason = "nothing is left to write: the other files have all of it; ostfs diff tells it item by item";
        return Failure::new(Exit::Failure, reason);
    }
    if let Some(wanted) = &filter.class {
        let classes = forest.classes();
        if !classes.keys().any(|class| is_derived(class, wanted)) {
            let offered = nearest(wanted, classes.into_keys().collect());
            let message = format!("--class {wanted}: no item has this class; {offered}");
            return Failure::new(Exit::NotFound, message);
        }
    }
    Failure::new(
        Exit::Failure,
        "nothing fulfils all of the filters; leave one out, or look with: ostfs index --no-hash",
    )
}

/// The paths of all folders. What cannot be read is not offered.
fn folders(forest: &Forest) -> Vec<String> {
    let mut folders = Vec::new();
    let mut walk = FolderWalk::new(forest, Ino::ROOT);
    loop {
        while let Some(folder) = walk.next() {
            if let Ok(listing) = forest.subdirectories(folder.ino) {
                walk.enter(&folder, &listing, |_| true);
            }
            if folder.ino != Ino::ROOT {
                folders.push(folder.path);
            }
        }
        if !walk.go_on() {
            return folders;
        }
    }
}

/// Those of `names` that are most like `wanted`, in words.
pub(super) fn nearest(wanted: &str, names: Vec<String>) -> String {
    let wanted = wanted.trim_matches('/').to_lowercase();
    let alike = |name: &String| {
        let name = name.to_lowercase();
        let last = name.rsplit('/').next().unwrap_or_default();
        strsim::jaro_winkler(&wanted, &name).max(strsim::jaro_winkler(&wanted, last))
    };
    let mut rated: Vec<(f64, String)> =
        names.into_iter().map(|name| (alike(&name), name)).collect();
    rated.sort_by(|(one, first), (other, second)| other.total_cmp(one).then(first.cmp(second)));
    let best = rated.into_iter().take(MAX_OFFERED);
    let best: Vec<String> = best.map(|(_, name)| printable(&name)).collect();
    match best.as_slice() {
        [] => "there is none at all".to_owned(),
        names => format!("the nearest are: {}", names.join(", ")),
    }
}
