//! Programs of others that read the same files: Debian's pst-utils (`lspst`, `readpst`) and pff-tools (`pffinfo`, `pffexport`).
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs a program; returns success, and what it printed.
pub fn run(program: &str, args: &[&str]) -> (bool, String) {
    let output = Command::new(program).args(args).output().expect(program);
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

/// What `pffexport -m items` makes of a file: path within the export -> bytes.
pub fn pffexport(file: &Path, scratch: &Path) -> BTreeMap<String, Vec<u8>> {
    let target = scratch.join("pff");
    let (ok, text) = run(
        "pffexport",
        &["-q", "-m", "items", "-t", utf8(&target), utf8(file)],
    );
    assert!(ok, "pffexport {}: {text}", file.display());
    let root = scratch.join("pff.export");
    let files = files_below(&root);
    std::fs::remove_dir_all(root).expect("removable");
    files
}

/// What `readpst -S` makes of a file: each item and each attachment a file.
pub fn readpst(file: &Path, scratch: &Path) -> BTreeMap<String, Vec<u8>> {
    let root = scratch.join("readpst");
    std::fs::create_dir(&root).expect("writable");
    let args = ["-S", "-D", "-b", "-j", "0", "-o", utf8(&root), utf8(file)];
    let (ok, text) = run("readpst", &args);
    assert!(ok, "readpst {}: {text}", file.display());
    let files = files_below(&root);
    std::fs::remove_dir_all(root).expect("removable");
    files
}

/// The subjects of the mails that `lspst` lists, sorted.
pub fn lspst(file: &Path) -> Vec<String> {
    let (ok, text) = run("lspst", &[utf8(file)]);
    assert!(ok, "lspst {}: {text}", file.display());
    let mails = text.lines().filter(|line| line.starts_with("Email"));
    let mut subjects: Vec<String> = mails
        .filter_map(|line| line.split_once("\tSubject: "))
        .map(|(_, subject)| subject.to_string())
        .collect();
    subjects.sort();
    subjects
}

fn utf8(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}

fn files_below(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut todo: Vec<PathBuf> = vec![root.into()];
    while let Some(path) = todo.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("readable");
            todo.extend(entries.map(|e| e.expect("readable").path()));
        } else {
            let name = path.strip_prefix(root).expect("below").to_string_lossy();
            out.insert(name.into_owned(), std::fs::read(&path).expect("readable"));
        }
    }
    out
}
