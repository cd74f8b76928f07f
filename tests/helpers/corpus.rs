//! Where the real files are, for the tests that use them.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::needs;

/// The files that are damaged: Unicode, ANSI, and with 4K pages.
pub const ENRON: &str = "enron.pst";
pub const ANSI: &str = "simiden-2k_outlook_qwerty1234.pst";
pub const OST: &str = "pstextractor100-mtnman1965@outlook.com.ost";
/// The large files that are held to all promises.
pub const MEASURED: [&str; 3] = [ENRON, ANSI, OST];
/// How many damages the tool beside the corpus does to a large file.
const DAMAGES: usize = 12;

/// The folder with the corpus; None where it is absent and tests that need it are left out.
pub fn folder() -> Option<PathBuf> {
    let path = std::env::var_os("OSTFS_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"),
        PathBuf::from,
    );
    let what = format!("corpus of real files at {}", path.display());
    needs::is_given(path.is_dir(), what, "$OSTFS_CORPUS says where it is").then_some(path)
}

/// The program `name` beside the corpus, or None where the corpus is absent.
pub fn tool(name: &str) -> Option<PathBuf> {
    let tool = folder()?.join("../tools").join(name);
    let is_there = tool.is_file();
    needs::is_given(is_there, tool.display(), "it belongs to the corpus").then_some(tool)
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

/// The healthy file `name`.
pub fn file(name: &str) -> PathBuf {
    folder().unwrap().join("files").join(name)
}

/// A damaged variant of a file.
pub struct Damaged {
    /// Short name of the damage.
    pub kind: String,
    /// What was done, in the words of the tool that did it.
    pub what: String,
    pub file: PathBuf,
}

/// The damaged variants of the file `name`, which are there as long as the directory; None where the corpus is
/// absent.
pub fn damaged(name: &str) -> Option<(TempDir, Vec<Damaged>)> {
    let tool = tool("make_damaged.py")?;
    let scratch = tempfile::tempdir().unwrap();
    let status = Command::new("python3")
        .arg(tool)
        .arg(file(name))
        .arg(scratch.path())
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
    let list = std::fs::read_to_string(scratch.path().join("damage.json")).unwrap();
    let list: Vec<(String, u64, String)> = serde_json::from_str(&list).unwrap();
    let damages: Vec<Damaged> = list
        .into_iter()
        .map(|(file, _, what)| Damaged {
            kind: file.rsplit('.').nth(1).unwrap().to_owned(),
            what,
            file: scratch.path().join(file),
        })
        .collect();
    // A tree of one page has no cycle, and a file without long values no internal blocks.
    let least = if MEASURED.contains(&name) {
        DAMAGES
    } else {
        DAMAGES - 2
    };
    assert!((least..=DAMAGES).contains(&damages.len()), "{name}");
    Some((scratch, damages))
}

/// Variants of the file `name` with damages of the other tool: sectors, bits and stretches of bytes, the same for the same
/// seed. Those that do not fit the file are left out. None where the corpus is absent.
pub fn damaged_by(name: &str, seed: u32, kinds: &[&str]) -> Option<(TempDir, Vec<Damaged>)> {
    let tool = tool("damage_kinds.py")?;
    let scratch = tempfile::tempdir().unwrap();
    let status = Command::new("python3")
        .arg(tool)
        .arg(file(name))
        .arg(scratch.path())
        .arg(seed.to_string())
        .args(kinds)
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
    let path = file(name);
    let (stem, extension) = (path.file_stem().unwrap(), path.extension().unwrap());
    let variant = |kind: &&str| {
        let name = format!("{}.{kind}-{seed}", stem.to_str().unwrap());
        let file = scratch
            .path()
            .join(name + "." + extension.to_str().unwrap());
        file.exists().then(|| Damaged {
            kind: (*kind).to_owned(),
            what: format!("{kind}, seed {seed}"),
            file,
        })
    };
    let damages: Vec<Damaged> = kinds.iter().filter_map(variant).collect();
    assert!(!damages.is_empty(), "{name}");
    Some((scratch, damages))
}
