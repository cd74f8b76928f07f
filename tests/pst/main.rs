//! The PST that `export --to pst` writes: what is in it, who can read it, and what becomes of it when something goes wrong.

#[path = "../helpers/corpus.rs"]
mod corpus;
#[path = "../helpers/mailbox.rs"]
mod mailbox;
#[path = "../helpers/mounted.rs"]
mod mounted;
#[path = "../helpers/needs.rs"]
mod needs;
#[path = "../helpers/programs.rs"]
mod programs;
#[path = "../support/mod.rs"]
mod support;
#[path = "../helpers/walk.rs"]
mod walk;

mod copies;
mod crashes;
mod folders;
mod maps;
mod parts;
mod real;
mod rtf;
mod safety;
mod unusual;

use std::path::{Path, PathBuf};
use std::process::Output;

use ostfs::check::Report;
use tempfile::TempDir;

/// A new PST in a directory of its own.
struct Copy {
    _scratch: TempDir,
    path: PathBuf,
    output: Output,
}

/// Copies `file`; the new file must be there, and nothing beside it.
fn copy(file: &Path, arguments: &[&str]) -> Copy {
    let scratch = TempDir::new().unwrap();
    let path = scratch.path().join("copy.pst");
    let mut all = vec![
        "export",
        "--to",
        "pst",
        file.to_str().unwrap(),
        path.to_str().unwrap(),
    ];
    all.extend(arguments);
    let output = mounted::ostfs(&all);
    assert!(
        path.exists(),
        "{}: {}",
        file.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    let left: Vec<_> = std::fs::read_dir(scratch.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing is left beside it: {left:?}");
    Copy {
        _scratch: scratch,
        path,
        output,
    }
}

impl Copy {
    /// What the command printed.
    fn said(&self) -> String {
        let output = [self.output.stdout.as_slice(), &self.output.stderr].concat();
        String::from_utf8_lossy(&output).into_owned()
    }
}

/// What `check` finds in `file`, without what a copy takes over: names of recipients that do not fit.
fn findings(file: &Path) -> Vec<String> {
    let report: Report = walk::check(file).unwrap();
    let lines = report.findings.iter();
    let lines =
        lines.map(|found| format!("{} {}: {}", found.structure, found.place, found.problem));
    lines
        .filter(|line| !line.contains("does not name the recipient"))
        .collect()
}
