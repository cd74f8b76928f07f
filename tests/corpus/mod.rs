//! Where the real files are, for the tests that use them.
#![allow(dead_code)]

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

/// The folder with the corpus, or None with a message where it is absent.
pub fn folder() -> Option<PathBuf> {
    let path = std::env::var_os("OSTFS_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"),
        PathBuf::from,
    );
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: no corpus of real files at {}", path.display());
    None
}

/// The healthy real files, sorted by name; none where the corpus is absent.
pub fn files() -> Vec<PathBuf> {
    list("files")
}

/// The fuzzers' findings against other readers, sorted by name.
pub fn hostile() -> Vec<PathBuf> {
    list("hostile")
}

fn list(name: &str) -> Vec<PathBuf> {
    let Some(folder) = folder() else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder.join(name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "an empty corpus at {}", folder.display());
    files
}

/// What the independent reader found in `file`.
pub fn vector(file: &Path) -> Json {
    let name = format!("{}.json", file.file_name().unwrap().to_str().unwrap());
    let path = folder().unwrap().join("vectors").join(name);
    serde_json::from_reader(std::io::BufReader::new(std::fs::File::open(path).unwrap())).unwrap()
}
