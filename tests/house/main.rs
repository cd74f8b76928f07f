//! How the files of `src` may use each other, held to what ARCHITECTURE.md tells.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use source::{Arrows, Name};

/// The files that hold the implementations of one type, at the most.
const MOST_FILES_OF_A_TYPE: usize = 3;

fn architecture() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/ARCHITECTURE.md");
    std::fs::read_to_string(path).unwrap()
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The folder, or the file beside the folders, that `file` is in.
fn folder(file: &str) -> &str {
    file.split('/').next().unwrap_or(file)
}

/// The rows of the table of folders: the names in the first column, and those that the third says they use.
fn rows(text: &str) -> Vec<(Vec<String>, Vec<String>)> {
    let table = text.split("| folder | what it does | uses |").nth(1);
    let lines = table.expect("the table of folders").lines().skip(2);
    let lines = lines.take_while(|line| line.starts_with('|'));
    let names = |cell: &str| -> Vec<String> {
        let names = quoted(cell).map(|name| name.trim_end_matches('/').to_owned());
        names.collect()
    };
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').collect();
        (names(cells[1]), names(cells[3]))
    };
    lines.map(row).collect()
}

/// The arrows between folders, without those from `lib.rs`, which names all of them.
fn between_folders(arrows: &Arrows) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut between: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, to) in arrows.iter().filter(|(from, _)| !from.is_empty()) {
        let others = to.iter().map(|to| folder(to));
        let others = others.filter(|other| *other != folder(from));
        between.entry(folder(from)).or_default().extend(others);
    }
    between
}

/// All that can be reached from `start` along `next`, without `start` unless a way leads back.
fn reach<'a>(start: &'a str, next: impl Fn(&str) -> Vec<&'a str>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = next(start);
    while let Some(name) = open.pop() {
        if reached.insert(name) {
            open.extend(next(name));
        }
    }
    reached
}

/// The circles among files, each ascending.
fn circles(arrows: &Arrows) -> BTreeSet<Vec<&str>> {
    let next = |name: &str| arrows[name].iter().map(Name::as_str).collect();
    let reached: BTreeMap<&str, BTreeSet<&str>> = arrows
        .keys()
        .map(|name| (name.as_str(), reach(name, next)))
        .collect();
    let circle = |name: &&str| {
        let both_ways = reached[name].iter().copied();
        both_ways
            .filter(|other| reached[other].contains(name))
            .collect()
    };
    let circles = reached.keys().map(circle);
    circles
        .filter(|circle: &Vec<&str>| circle.len() > 1)
        .collect()
}

/// A folder uses what the table says, what those use in turn, and the first row, which serves all.
#[test]
fn folders_use_what_the_table_of_folders_says() {
    let text = architecture();
    let rows = rows(&text);
    let (for_all, _) = &rows[0];
    let uses = |name: &str| -> Vec<&str> {
        let row = rows
            .iter()
            .find(|(names, _)| names.iter().any(|own| own == name));
        let (_, uses) = row.unwrap_or_else(|| panic!("no row for {name} in ARCHITECTURE.md"));
        uses.iter().map(String::as_str).collect()
    };
    let arrows = source::arrows(&source::files());
    let between = between_folders(&arrows);
    for (from, to) in &between {
        let may_use = reach(from, uses);
        for to in to {
            let is_for_all = for_all.iter().any(|name| name == to);
            assert!(
                is_for_all || may_use.contains(to),
                "{from} uses {to}, which the table in ARCHITECTURE.md does not say: {:?}",
                arrows
                    .iter()
                    .filter(|(file, _)| folder(file) == *from)
                    .filter(|(_, uses)| { uses.iter().any(|used| folder(used) == *to) })
                    .map(|(file, _)| file)
                    .collect::<Vec<_>>()
            );
        }
        for to in uses(from) {
            assert!(
                between[from].contains(to),
                "{from} does not use {to}, as ARCHITECTURE.md says"
            );
        }
    }
    let there: BTreeSet<&str> = between.into_keys().collect();
    for name in rows.iter().flat_map(|(names, _)| names) {
        assert!(
            there.contains(name.as_str()),
            "ARCHITECTURE.md has a row for {name}, which is gone"
        );
    }
}

/// The pairs that are left are those that ARCHITECTURE.md gives a reason for.
#[test]
fn files_form_no_circles_but_the_pairs_that_are_explained() {
    let text = architecture();
    let decision = text.split("* **Files form no circle**").nth(1);
    let decision = decision
        .expect("the decision")
        .split("\n* **")
        .next()
        .unwrap();
    let names: Vec<&str> = decision.split('`').collect();
    // Pairs are written "`one` and `other`".
    let pairs = names
        .windows(3)
        .filter(|names| names[1].split_whitespace().eq(["and"]));
    let explained: BTreeSet<Vec<&str>> = pairs
        .map(|names| {
            let mut pair = vec![names[0], names[2]];
            pair.sort_unstable();
            pair
        })
        .collect();
    let arrows = source::arrows(&source::files());
    assert_eq!(circles(&arrows), explained);
}

/// Each file of `src` that ARCHITECTURE.md names is there: `folder/file`, or `file` behind one of its folder.
#[test]
fn files_that_the_document_names_are_there() {
    let text = architecture();
    let files = source::files();
    let folders: BTreeSet<&str> = files.keys().map(|file| folder(file)).collect();
    let is_there = |path: &str| {
        let below = format!("{path}/");
        files.contains_key(path) || files.keys().any(|file| file.starts_with(&below))
    };
    let is_path = |path: &&str| {
        let mut parts = path.split('/');
        let is_word = |part: &str| part.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        path.contains('/')
            && parts.next().is_some_and(|first| folders.contains(first))
            && parts.all(is_word)
    };
    let named: BTreeSet<&str> = quoted(&text)
        .map(|path| path.trim_end_matches('/').trim_end_matches("/mod.rs"))
        .filter(is_path)
        .collect();
    assert!(named.len() > 50, "only {named:?}");
    let gone: Vec<_> = named.into_iter().filter(|path| !is_there(path)).collect();
    assert_eq!(gone, [""; 0]);
}

/// A `mod.rs` tells what is in its folder, and `lib.rs` what is in the crate.
#[test]
fn types_live_in_files_of_their_own() {
    let is_type = |line: &&str| {
        let mut words = line.split([' ', '<']).take(4);
        words.any(|word| ["struct", "enum", "trait", "impl"].contains(&word))
    };
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (file, code) in source::files() {
        if file.is_empty() || src.join(&file).join("mod.rs").exists() {
            // Of a function the body has blanks in front.
            let found: Vec<&str> = code.lines().filter(is_type).collect();
            assert_eq!(found, [""; 0], "in mod.rs of {file:?}");
        }
    }
}

/// A type that stands in more files has several things to do.
#[test]
fn no_type_is_implemented_in_more_than_three_files() {
    let files = source::files();
    let mut of_type: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for (file, code) in &files {
        for line in code.lines().filter(|line| line.starts_with("impl")) {
            let line = line.split(" for ").last().unwrap_or(line);
            let line = line.strip_prefix("impl").unwrap_or(line);
            let line = match line.strip_prefix('<') {
                Some(generic) => generic.split_once("> ").map_or(generic, |(_, line)| line),
                None => line,
            };
            let is_name = |c: char| c.is_alphanumeric() || c == '_';
            let name = line.trim_start().split(|c| !is_name(c)).next().unwrap();
            of_type
                .entry((folder(file), name))
                .or_default()
                .insert(file);
        }
    }
    for ((_, name), files) in of_type {
        assert!(
            files.len() <= MOST_FILES_OF_A_TYPE,
            "{name} is implemented in {files:?}"
        );
    }
}
