//! One step of writing an export fails, by its number, or the disk is full from then on: the exit code says so, what has a final
//! name is whole, and once the disk is well the same command makes all of it.
//!
//! `OSTFS_FAULTS=whole` tries every number; else a few are drawn.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Output;

use fuser::Errno;
use tempfile::TempDir;

use crate::faults::target::{Failing, Step, Target};
use crate::mounted::{Picture, can_mount, ostfs, picture};
use crate::reads_by_number::numbers;
use crate::support::sample::sample;
use crate::support::{Crypt, Folders, Format, Message, Payload, Prng};

type Entries = BTreeMap<PathBuf, Picture>;

/// The list of problems of an export.
const PROBLEMS: &str = "ostfs-problems.txt";
/// The seed of what is drawn.
const SEED: u64 = 22;
/// Numbers that are drawn for each command, step and fault.
const DRAWN: u64 = 3;

/// A form of export.
struct Form {
    arguments: &'static [&'static str],
    /// What it makes on the disk.
    target: &'static str,
    /// What else is needed to have it go on where it ended; None if it begins anew.
    again: Option<&'static str>,
}

const FILES: Form = Form {
    arguments: &["--jobs", "1"],
    target: "tree",
    again: Some("--resume"),
};
const TAR: Form = Form {
    arguments: &["--to", "tar", "--jobs", "1"],
    target: "all.tar",
    again: None,
};
const ZIP: Form = Form {
    arguments: &["--to", "zip", "--jobs", "1"],
    target: "all.zip",
    again: None,
};
const MBOX: Form = Form {
    arguments: &["--to", "mbox", "--jobs", "1"],
    target: "all.mbox",
    again: None,
};
const PST: Form = Form {
    arguments: &["--to", "pst"],
    target: "all.pst",
    again: Some("--resume"),
};
/// Three files.
const PARTS: Form = Form {
    arguments: &["--to", "pst", "--split", "5M"],
    target: "parts",
    again: Some("--resume"),
};

/// A file that is exported.
struct Source {
    _directory: TempDir,
    path: PathBuf,
}

impl Source {
    /// With attachments of `bytes` in all, beside those of the sample.
    fn new(bytes: u64) -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("source.pst");
        let mut store = sample(Format::Unicode, Crypt::Permute);
        let folder = store.folder(store.ipm_subtree(), "Large");
        const EACH: u64 = 600_000;
        for number in 0..bytes / EACH {
            let mail = Message::mail(&format!("Large {number}")).body("text");
            store.message(
                folder,
                mail.attachment("large.bin", Payload::random(EACH, number)),
            );
        }
        store.write(&path).unwrap();
        Self {
            _directory: directory,
            path,
        }
    }
}

impl Form {
    /// A tree has the times of what is in it; a single file has that at which it was written.
    fn assert_whole(&self, found: &Entries, whole: &Entries, what: &str) {
        match self.target == FILES.target {
            true => assert_eq!(found, whole, "{what}"),
            false => assert_eq!(contents(found), contents(whole), "{what}"),
        }
    }

    fn run(&self, source: &Source, disk: &Target, more: &[&str]) -> Output {
        let target = disk.path.join(self.target);
        let ends = [source.path.to_str().unwrap(), target.to_str().unwrap()];
        ostfs(&[&["export"], self.arguments, more, &ends].concat())
    }
}

/// All that has a name on the disk for good: not what is hidden, and not the list of problems.
fn named(disk: &Target) -> Entries {
    let mut found = picture(&disk.path);
    let hides = |name: &OsStr| name.as_encoded_bytes().starts_with(b".");
    let is_hidden = |path: &Path| path.file_name().is_some_and(hides);
    found.retain(|path, _| !is_hidden(path) && !path.ends_with(PROBLEMS));
    found
}

/// Files and links by path, with what is in them.
fn contents(found: &Entries) -> BTreeMap<&Path, &str> {
    let things = found.iter().filter(|(_, picture)| picture.kind != 'd');
    things
        .map(|(path, picture)| (path.as_path(), picture.content.as_str()))
        .collect()
}

/// What is to fail, for the message of a failure.
fn one(step: Step, after: u64, error: Errno, lasts: bool) -> Failing {
    Failing {
        step,
        after,
        error,
        lasts,
    }
}

/// Exports while `failing` fails, and again when the disk is well; `whole` is what a healthy disk has in the end.
fn fails(form: &Form, source: &Source, failing: Failing, whole: &Entries) {
    let disk = Target::new();
    disk.set(Some(failing));
    let output = form.run(source, &disk, &[]);
    let errors = String::from_utf8_lossy(&output.stderr);
    let what = format!("{:?}, {failing:?}: {errors}", form.arguments);
    let was_met = disk.count(failing.step) > failing.after;
    disk.set(None);
    let found = named(&disk);
    // Nothing is left short: what has its name has its bytes.
    let (is, should) = (contents(&found), contents(whole));
    for (path, content) in &is {
        assert_eq!(
            should.get(path),
            Some(content),
            "{what}: {}",
            path.display()
        );
    }
    match output.status.code() {
        // As where a journal could not be written, but another could later.
        Some(0) => return form.assert_whole(&found, whole, &format!("{what}: exit code 0")),
        Some(1 | 4) => assert!(was_met && !errors.trim().is_empty(), "{what}"),
        other => panic!("{what}: exit code {other:?}"),
    }
    // A file that has its name though its last step failed is whole, and needs nothing.
    if form.again.is_none() && is == should {
        return;
    }
    let output = form.run(source, &disk, form.again.as_slice());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{what}, then: {errors}");
    form.assert_whole(&picture(&disk.path), whole, &format!("{what}, then"));
}

/// Tries `form` with each kind of step, failing once and for good.
fn each_step_fails(form: &Form, source: &Source) {
    let disk = Target::new();
    disk.set(None);
    let output = form.run(source, &disk, &[]);
    assert!(output.status.success(), "{output:?}");
    let counts = Step::ALL.map(|step| (step, disk.count(step)));
    let whole = picture(&disk.path);
    assert_eq!(named(&disk), whole, "nothing is left beside it");
    let mut random = Prng(SEED);
    for (step, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        for (error, lasts) in [(Errno::EIO, false), (Errno::ENOSPC, true)] {
            for after in numbers(count, DRAWN, &mut random) {
                fails(form, source, one(step, after, error, lasts), &whole);
            }
        }
    }
}

#[test]
fn the_disk_of_these_tests_takes_a_new_directory_for_no_removed_one() {
    if !can_mount() {
        return;
    }
    let disk = Target::new();
    let directory = disk.path.join("directory");
    fs::create_dir(&directory).unwrap();
    // While it is open the kernel knows it, and the file system below may give its number to the next directory.
    let _open = File::open(&directory).unwrap();
    fs::remove_dir(&directory).unwrap();
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("file"), "text").unwrap();
    assert_eq!(fs::read(directory.join("file")).unwrap(), b"text");
}

#[test]
fn an_export_of_files_loses_nothing_without_a_word() {
    if can_mount() {
        each_step_fails(&FILES, &Source::new(1_200_000));
    }
}

#[test]
fn an_archive_is_whole_or_is_not_there() {
    if !can_mount() {
        return;
    }
    let source = Source::new(1_200_000);
    for form in [TAR, ZIP, MBOX] {
        each_step_fails(&form, &source);
    }
}

#[test]
fn a_pst_is_whole_or_is_not_there_and_resume_ends_with_the_same_bytes() {
    if can_mount() {
        // Large enough for some journals.
        let source = Source::new(12_000_000);
        each_step_fails(&PST, &source);
        each_step_fails(&PARTS, &source);
    }
}
