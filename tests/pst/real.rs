//! Real files: everything is carried over, and other programs agree.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{copy, corpus, findings, mounted, programs};

/// The files in an export of `file`, without the lines that name nodes and what is made of nodes, by paths without nodes.
fn exported(file: &Path) -> BTreeMap<PathBuf, Vec<String>> {
    let scratch = tempfile::tempdir().unwrap();
    let target = scratch.path().join("tree");
    mounted::ostfs(&["export", file.to_str().unwrap(), target.to_str().unwrap()]);
    let mut files: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    let mut todo = vec![target.clone()];
    while let Some(directory) = todo.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
                continue;
            }
            let place = path.strip_prefix(&target).unwrap();
            if place == Path::new("ostfs-problems.txt") {
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            let text = String::from_utf8(bytes).map_or_else(
                |error| format!("{:?}", error.as_bytes()),
                |text| without_nodes(&text),
            );
            files.entry(without_number(place)).or_default().push(text);
        }
    }
    files.values_mut().for_each(|texts| texts.sort());
    files
}

/// `path` without ` ~` and the number of a node in the names of items with the same name.
fn without_number(path: &Path) -> PathBuf {
    let names = path.iter().map(|name| {
        let name = name.to_str().unwrap();
        let Some((stem, rest)) = name.rsplit_once(" ~") else {
            return name.to_owned();
        };
        let rest = rest.trim_start_matches(|character: char| character.is_ascii_hexdigit());
        format!("{stem}{rest}")
    });
    names.collect()
}

/// `text` without boundaries, message ids, UIDs and node numbers, which are made of nodes and search keys; without the times
/// of a 4K-page OST that only its rows have; and without addresses in properties that had no name, as they have one now.
fn without_nodes(text: &str) -> String {
    const NODES: [&str; 6] = [
        "X-Ostfs-Node:",
        "UID:ostfs-",
        "LAST-MODIFIED:",
        "REV:",
        "DTSTAMP:",
        "X-OSTFS-NAMELESS-ADDRESS:",
    ];
    let mut lines = Vec::new();
    let mut is_dropped = false;
    for line in text.lines() {
        let is_folded = line.starts_with(' ');
        is_dropped = match is_folded {
            true => is_dropped,
            false => NODES.iter().any(|node| line.starts_with(node)) || line.contains("=_ostfs_"),
        };
        if !is_dropped && !line.contains("=_ostfs_") && !line.contains("node 0x") {
            lines.push(line);
        }
    }
    lines.join("\n")
}

#[test]
fn every_real_file_becomes_a_pst_in_which_check_finds_nothing() {
    for file in corpus::files() {
        let copy = copy(&file, &[]);
        assert_eq!(findings(&copy.path), [""; 0], "{}", file.display());
    }
}

#[test]
fn an_export_of_the_pst_is_that_of_its_source() {
    for file in corpus::files() {
        let copy = copy(&file, &[]);
        let (old, new) = (exported(&file), exported(&copy.path));
        for (path, texts) in old {
            let place = match path.strip_prefix("lost+found") {
                Ok(rest) => Path::new("Lost and Found").join(rest),
                Err(_) => path,
            };
            let found = new.get(&place);
            assert!(
                found == Some(&texts),
                "{}: {}",
                file.display(),
                place.display()
            );
        }
    }
}

#[test]
fn a_pst_of_a_pst_of_a_pst_is_the_same_file() {
    for file in corpus::files() {
        let first = copy(&file, &[]);
        let second = copy(&first.path, &["--verify", "off"]);
        let third = copy(&second.path, &["--verify", "off"]);
        let same = fs::read(&second.path).unwrap() == fs::read(&third.path).unwrap();
        assert!(same, "{}", file.display());
    }
}

/// By a reader that shares no code with ostfs; what may differ is read out of docs/PST-OUT.md.
#[test]
fn an_independent_reader_finds_every_property_but_those_that_the_document_names() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tools = corpus::folder().map(|folder| folder.join("../tools"));
    let Some(tools) = tools.filter(|tools| tools.join("reference_reader.py").is_file()) else {
        println!("skipped: no independent reader beside the corpus");
        return;
    };
    for file in corpus::files() {
        let copy = copy(&file, &[]);
        let output = Command::new("python3")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .arg(here.join("tests/judges/pst_properties.py"))
            .args([&tools, &here.join("docs/PST-OUT.md"), &file, &copy.path])
            .output()
            .unwrap();
        let (said, errors) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(output.status.success(), "{}: {errors}", file.display());
        assert_eq!(said, "", "{}", file.display());
    }
}

/// What `program` prints of `file`, but for folders, whose names a copy may change; None where it has a fault of its own.
fn listed(program: &str, file: &Path) -> Option<usize> {
    let output = Command::new(program).arg(file).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let items = text.lines().filter(|line| !line.starts_with("Folder"));
    output.status.success().then(|| items.count())
}

#[test]
fn lspst_lists_as_many_items_as_of_the_source() {
    if !programs::installed(&["lspst"]) {
        return;
    }
    for file in corpus::files() {
        let Some(expected) = listed("lspst", &file) else {
            continue;
        };
        let copy = copy(&file, &[]);
        let found = listed("lspst", &copy.path);
        assert!(found >= Some(expected), "{}: {found:?}", file.display());
    }
}

#[test]
fn pffexport_takes_every_item_out() {
    if !programs::installed(&["pffexport"]) {
        return;
    }
    for file in corpus::files() {
        let scratch = tempfile::tempdir().unwrap();
        let target = scratch.path().join("items");
        let copy = copy(&file, &[]);
        let (target, path) = (target.to_str().unwrap(), copy.path.to_str().unwrap());
        let said = mounted::run("pffexport", &["-m", "items", "-t", target, path]);
        assert!(
            said.contains("Export completed"),
            "{}: {said}",
            file.display()
        );
    }
}

#[test]
fn other_programs_open_it_and_find_no_fault() {
    if !programs::installed(&["readpst", "pffinfo"]) {
        return;
    }
    for file in corpus::files() {
        let copy = copy(&file, &[]);
        let path = copy.path.to_str().unwrap();
        let mail = tempfile::tempdir().unwrap();
        mounted::run(
            "readpst",
            &["-q", "-D", "-o", mail.path().to_str().unwrap(), path],
        );
        let said = mounted::run("pffinfo", &[path]);
        assert!(
            !said.to_lowercase().contains("corrupt"),
            "{}: {said}",
            file.display()
        );
    }
}
