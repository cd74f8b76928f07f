//! The documents name tests, files and each other. What they name is there, so a fact in docs/FORMAT.md, or a promise in
//! SECURITY.md, has the test that it says it has.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const DOCUMENTS: [&str; 6] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/FORMAT.md",
    "docs/TESTING.md",
];
/// Folders whose files are named by their path.
const FOLDERS: [&str; 6] = ["src/", "tests/", "scripts/", "docs/", "fuzz/", "examples/"];
/// Stands for the rest of a name.
const REST: [&str; 2] = ["…", "..."];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The source files below `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect()
}

/// The functions of all tests, by name.
fn functions() -> BTreeSet<String> {
    let files = ["src", "tests"].map(|folder| sources(&root().join(folder)));
    let mut names = BTreeSet::new();
    for file in files.concat() {
        let code = fs::read_to_string(file).unwrap();
        for rest in code.split("fn ").skip(1) {
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            names.extend(rest.split(|c| !is_name(c)).next().map(str::to_owned));
        }
    }
    names
}

/// What stands between backticks, without blocks of code and line breaks.
fn quoted(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.starts_with("    "));
    let text = lines.map(str::trim).collect::<Vec<_>>().join(" ");
    let parts = text.split('`').skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}

/// Binary, file of the module and function of `binary module::function`, where modules may be within each other; the
/// function may be left out, or only begin so.
fn as_test(words: &str) -> Option<(String, &str)> {
    let (binary, rest) = words.split_once(' ')?;
    let (module, function) = rest.rsplit_once("::")?;
    let module = module.replace("::", "/");
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let is_plain = [binary, &module.replace('/', "")]
        .iter()
        .all(|name| name.chars().all(is_name));
    is_plain.then(|| (format!("tests/{binary}/{module}.rs"), function))
}

#[test]
fn tests_and_files_that_documents_name_are_there() {
    let functions = functions();
    let (mut tests, mut files) = (0, 0);
    for document in DOCUMENTS {
        let text = fs::read_to_string(root().join(document)).unwrap();
        for words in quoted(&text) {
            if let Some((file, function)) = as_test(&words) {
                tests += 1;
                assert!(
                    root().join(&file).exists(),
                    "{document}: `{words}`: no {file}"
                );
                let start = REST.iter().find_map(|rest| function.strip_suffix(rest));
                let is_there = match start {
                    Some(start) => functions.iter().any(|name| name.starts_with(start)),
                    None => function.is_empty() || functions.contains(function),
                };
                assert!(is_there, "{document}: no test `{words}`");
            }
            for path in words.split_whitespace() {
                if FOLDERS.iter().any(|folder| path.starts_with(folder)) && !path.contains("NAME") {
                    files += 1;
                    assert!(root().join(path).exists(), "{document}: no `{path}`");
                }
            }
        }
    }
    assert!(tests > 100 && files > 50, "{tests} tests, {files} files");
}

#[test]
fn packages_of_others_have_the_version_of_this_one() {
    for (file, line) in [
        (
            "contrib/arch/PKGBUILD",
            format!("pkgver={}", env!("CARGO_PKG_VERSION")),
        ),
        (
            "contrib/nix/default.nix",
            format!("version = \"{}\";", env!("CARGO_PKG_VERSION")),
        ),
    ] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let is_there = text.lines().any(|found| found.trim() == line);
        assert!(is_there, "{file}: no line {line}");
    }
}

/// What a link to the section whose heading is `line` ends with, as GitHub has it.
fn anchor(line: &str) -> Option<String> {
    let heading = line.strip_prefix('#')?.trim_start_matches('#').trim();
    let kept = heading
        .chars()
        .filter(|character| character.is_alphanumeric() || matches!(character, ' ' | '-'));
    Some(kept.collect::<String>().to_lowercase().replace(' ', "-"))
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut links = 0;
    for document in DOCUMENTS {
        let path = root().join(document);
        let text = fs::read_to_string(&path).unwrap();
        for rest in text.split("](").skip(1) {
            let link = rest.split(')').next().unwrap();
            if link.starts_with("https://") {
                continue;
            }
            links += 1;
            let (file, section) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => path.clone(),
                file => path.with_file_name(file),
            };
            assert!(target.exists(), "{document}: ({link})");
            let has_section = || {
                let text = fs::read_to_string(&target).unwrap();
                text.lines()
                    .any(|line| anchor(line) == Some(section.into()))
            };
            assert!(section.is_empty() || has_section(), "{document}: ({link})");
        }
    }
    assert!(links > 15, "{links} links");
}
