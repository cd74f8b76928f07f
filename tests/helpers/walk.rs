//! Walks a whole tree as a user's programs would: lists every directory, reads every file, follows every link.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use ostfs::Result;
use ostfs::check::{Finding, Report};
use ostfs::tree::{Ino, Kind, Options, Tree};

#[path = "cpu_time.rs"]
pub mod cpu_time;

/// More of a processor than any small file may take, without optimisations.
const LIMIT: Duration = Duration::from_secs(30);
/// Whatever takes so long on the busiest machine does not end.
const ENDLESS: Duration = Duration::from_secs(600);
/// No small file has so many entries: the walk goes in circles.
const MOST_ENTRIES: usize = 100_000;

/// Files and links by path, with their bytes.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What a walk has met.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Walked {
    pub files: Files,
    /// Paths of what cannot be read.
    pub failed: Vec<String>,
    /// Lines of `problems.txt`.
    pub problems: u64,
}

impl Walked {
    /// Paths that end in `end`.
    pub fn ending(&self, end: &str) -> usize {
        self.files.keys().filter(|path| path.ends_with(end)).count()
    }
}

pub fn open(path: &Path) -> Result<Tree> {
    Tree::open(path, &Options::default())
}

pub fn check(path: &Path) -> Result<Report> {
    ostfs::check::check(path, Arc::new(|_, _, _| {}))
}

/// What is found in a whole file: nothing, but for what only ScanPST says, as the sizes of the test writer are estimates.
pub fn found(report: &Report) -> Vec<&Finding> {
    let findings = report.findings.iter();
    findings.filter(|one| one.scanpst.is_none()).collect()
}

/// Reads everything that `tree` shows.
pub fn everything(tree: &Tree) -> Walked {
    let mut walked = Walked::default();
    let mut todo = vec![(Ino::ROOT, String::new())];
    let mut entries = 0;
    while let Some((ino, path)) = todo.pop() {
        let Ok(listing) = tree.directory(ino) else {
            walked.failed.push(path);
            continue;
        };
        for entry in listing.entries() {
            entries += 1;
            assert!(entries < MOST_ENTRIES, "endless at {path}");
            let path = format!("{path}/{}", entry.name);
            let content = match entry.kind {
                Kind::Directory => {
                    todo.push((entry.ino, path));
                    continue;
                }
                // A message in which an attachment turns out damaged has another file in its place.
                Kind::File => {
                    read(tree, entry.ino).or_else(|error| match tree.replacement(entry.ino) {
                        Some(replacement) => read(tree, replacement),
                        None => Err(error),
                    })
                }
                Kind::Symlink => tree.read_link(entry.ino).map(String::into_bytes),
            };
            match content {
                Ok(bytes) => _ = walked.files.insert(path, bytes),
                Err(_) => walked.failed.push(path),
            }
        }
    }
    walked.problems = tree.problem_count();
    walked
}

/// The lines of `problems.txt`.
pub fn problems(tree: &Tree) -> String {
    let list = tree.find(".ostfs/problems.txt".as_ref()).unwrap().unwrap();
    String::from_utf8(read(tree, list).unwrap()).unwrap()
}

/// All bytes of a file.
pub fn read(tree: &Tree, ino: Ino) -> Result<Vec<u8>> {
    let size = tree.attr(ino)?.size as usize;
    let mut bytes = vec![0; size + 1];
    let mut done = 0;
    loop {
        match tree.read_at(ino, done as u64, &mut bytes[done..])? {
            0 => break,
            count => done += count,
        }
    }
    assert_eq!(done, size, "the size is exact");
    bytes.truncate(done);
    Ok(bytes)
}

/// Opens, walks and checks the file in a thread of its own, which must end, and must not panic. A file that cannot be
/// opened says so in one line.
pub fn survives(path: &Path) -> std::result::Result<Walked, String> {
    let file: PathBuf = path.to_path_buf();
    let (sender, receiver) = channel();
    let worker = std::thread::spawn(move || {
        let walked = cpu_time::within(LIMIT, || walk_and_check(&file));
        // The receiver may have given up.
        sender.send(walked.map_err(|error| error.to_string())).ok();
    });
    match receiver.recv_timeout(ENDLESS) {
        Ok(Err(line)) => {
            assert!(!line.is_empty() && !line.contains('\n'), "{line:?}");
            Err(line)
        }
        Ok(walked) => walked,
        Err(_) if worker.is_finished() => {
            std::panic::resume_unwind(worker.join().expect_err("it sent nothing"))
        }
        Err(_) => panic!("{} takes more than {ENDLESS:?}", path.display()),
    }
}

/// Walks `file` with all that is hidden and without, and checks it.
fn walk_and_check(file: &Path) -> Result<Walked> {
    let options = Options {
        all: true,
        ..Options::default()
    };
    _ = check(file);
    let all = Tree::open(file, &options).map(|tree| {
        _ = tree.info();
        everything(&tree)
    });
    let walked = open(file).map(|tree| everything(&tree));
    assert_eq!(all.is_ok(), walked.is_ok());
    walked
}
