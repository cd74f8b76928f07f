//! What the directories of several files are called.
#![forbid(unsafe_code)]

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path};

use super::folding::folded;
use super::name;

/// Between the parts of a name.
const JOINT: &str = " - ";

/// A name for each of `paths`: that of the file. Files of the same name are told apart by the directory in which their paths
/// differ, the closest in which all do; else by all in which some do.
pub fn of(paths: &[&Path]) -> Vec<String> {
    let all: Vec<Vec<String>> = paths.iter().map(|path| upwards(path)).collect();
    let mut groups: HashMap<Option<String>, Vec<&[String]>> = HashMap::new();
    for path in &all {
        groups.entry(key(path, 0)).or_default().push(path);
    }
    let levels: HashMap<_, _> = groups
        .into_iter()
        .map(|(name, group)| (name, telling(&group)))
        .collect();
    let name_of = |path: &Vec<String>| {
        let levels = levels.get(&key(path, 0)).into_iter().flatten();
        let parts: Vec<&str> = levels
            .filter_map(|level| path.get(*level).map(String::as_str))
            .collect();
        name::folder(Some(&parts.join(JOINT)))
    };
    all.iter().map(name_of).collect()
}

/// The levels above their ends at which to look in order to tell the paths of `group` apart, from the root down.
fn telling(group: &[&[String]]) -> Vec<usize> {
    let depth = group.iter().map(|path| path.len()).max().unwrap_or(0);
    let different = |level: usize| {
        let keys = group.iter().map(|path| key(path, level));
        keys.collect::<HashSet<_>>().len()
    };
    let mut levels: Vec<usize> = match (1..depth).find(|level| different(*level) == group.len()) {
        _ if group.len() < 2 => Vec::new(),
        Some(level) => vec![level],
        None => (1..depth).filter(|level| different(*level) > 1).collect(),
    };
    levels.reverse();
    levels.push(0);
    levels
}

/// The names in a path, the last one first.
fn upwards(path: &Path) -> Vec<String> {
    let names = path
        .components()
        .rev()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        });
    names.collect()
}

/// What the name so many levels above the end of a path is compared by; None above its beginning.
fn key(path: &[String], level: usize) -> Option<String> {
    Some(folded(path.get(level)?).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(paths: &[&str]) -> Vec<String> {
        let paths: Vec<&Path> = paths.iter().map(Path::new).collect();
        of(&paths)
    }

    #[test]
    fn files_are_named_as_they_are_where_that_tells_them_apart() {
        assert_eq!(names(&["/a/old.pst", "b/new.ost"]), ["old.pst", "new.ost"]);
    }

    #[test]
    fn files_of_one_name_have_the_directory_that_tells_whose_they_are() {
        let of = |user: &str| format!("/mnt/Users/{user}/AppData/Local/Outlook/outlook.ost");
        assert_eq!(
            names(&[&of("ann"), &of("bob"), "/mnt/archive.pst"]),
            ["ann - outlook.ost", "bob - outlook.ost", "archive.pst"]
        );
        assert_eq!(
            names(&["outlook.ost", "old/Outlook.ost"]),
            ["outlook.ost", "old - Outlook.ost"]
        );
    }

    #[test]
    fn where_no_single_directory_does_all_that_differ_are_named() {
        assert_eq!(
            names(&["a/x/m.pst", "a/y/m.pst", "b/x/m.pst"]),
            ["a - x - m.pst", "a - y - m.pst", "b - x - m.pst"]
        );
        // The same file twice is for the number behind its name.
        assert_eq!(names(&["m.pst", "m.pst"]), ["m.pst", "m.pst"]);
    }
}
