//! The files of `src` and the arrows between them, read from their text as rustfmt leaves it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A file by its module path, e.g. `ndb/block`; `ndb` for `ndb/mod.rs`, and nothing for `lib.rs`.
pub type Name = String;

/// Which files each file names, in `use` lines and in paths.
pub type Arrows = BTreeMap<Name, BTreeSet<Name>>;

/// All files but tests and `main.rs`, which is one line around the library: their code without comments and tests.
pub fn files() -> BTreeMap<Name, String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeMap::new();
    let mut directories = vec![src.clone()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let name = path.strip_prefix(&src).unwrap().with_extension("");
            let name = name.to_str().unwrap();
            if name == "main" || name.ends_with("/tests") {
                continue;
            }
            let name = name.strip_suffix("/mod").unwrap_or(name);
            let name = if name == "lib" { "" } else { name };
            let text = std::fs::read_to_string(&path).unwrap();
            files.insert(name.to_owned(), code(&text));
        }
    }
    files
}

/// `text` without comments, and without the tests at its end.
fn code(text: &str) -> String {
    let text = text
        .split("#[cfg(test)]\nmod ")
        .next()
        .unwrap_or_default()
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    text.collect::<Vec<_>>().join("\n")
}

/// The arrows between `files`.
pub fn arrows(files: &BTreeMap<Name, String>) -> Arrows {
    let from = |(name, code): (&Name, &String)| {
        let paths = paths(name, code, files);
        let to = paths.iter().filter_map(|path| target(name, path, files));
        let to = to.filter(|to| to != name).collect();
        (name.clone(), to)
    };
    files.iter().map(from).collect()
}

/// All paths in the code of the file `name` that begin with `crate`, `super`, `self` or a module within it.
fn paths(name: &str, code: &str, files: &BTreeMap<Name, String>) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let mut rest = String::new();
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let start = line.trim_start();
        let is_use = start.starts_with("use ")
            || start.starts_with("pub") && start.contains(" use ") && !start.contains('(')
            || start.starts_with("pub(") && start.contains(") use ");
        if !is_use {
            rest.push_str(line);
            rest.push('\n');
            continue;
        }
        let mut tree = start.split_once("use ").unwrap().1.to_owned();
        while !tree.ends_with(';') {
            tree.push_str(lines.next().expect("a use line ends").trim());
        }
        spread(tree.trim_end_matches(';'), &[], &mut paths);
    }
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    // `pub(in crate::x)` tells who may use something, not what is used.
    let rest = rest.replace("pub(in ", "pub(in:");
    paths.extend(
        rest.split(|c| !is_part(c))
            .filter(|path| path.contains("::") && !path.starts_with("in:"))
            .map(|path| path.split("::").map(str::to_owned).collect()),
    );
    paths.retain(|path| {
        let first = path[0].as_str();
        ["crate", "super", "self"].contains(&first) || files.contains_key(&join(name, first))
    });
    paths
}

/// The paths of a use tree such as `super::{a, b::{C, D}}`.
fn spread(tree: &str, before: &[String], paths: &mut Vec<Vec<String>>) {
    let (head, group) = match tree.split_once('{') {
        Some((head, group)) => (head, group.trim_end().strip_suffix('}')),
        None => (tree, None),
    };
    let mut path = before.to_vec();
    let parts = head.split("::").map(|part| part.trim().split(' ').next());
    path.extend(
        parts
            .flatten()
            .filter(|part| !part.is_empty())
            .map(str::to_owned),
    );
    let Some(group) = group else {
        paths.push(path);
        return;
    };
    let mut depth = 0;
    let members = group.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    for member in members.filter(|member| !member.trim().is_empty()) {
        spread(member.trim(), &path, paths);
    }
}

/// The file that `path`, in the file `name`, leads to: the last of its modules.
fn target(name: &str, path: &[String], files: &BTreeMap<Name, String>) -> Option<Name> {
    let mut parts = path.iter().map(String::as_str).peekable();
    let mut at = name.to_owned();
    while let Some(part) = parts.next_if(|part| ["crate", "super", "self"].contains(part)) {
        at = match part {
            "crate" => String::new(),
            "super" => at
                .rsplit_once('/')
                .map_or("", |(above, _)| above)
                .to_owned(),
            _ => at,
        };
    }
    while let Some(part) = parts.next_if(|part| files.contains_key(&join(&at, part))) {
        at = join(&at, part);
    }
    files.contains_key(&at).then_some(at)
}

fn join(module: &str, part: &str) -> Name {
    match module {
        "" => part.to_owned(),
        module => format!("{module}/{part}"),
    }
}
