//! Exports in parts, and of several sources, that are killed or have no room: what has its name is whole, and `--resume` ends with
//! the same bytes and leaves nothing hidden.
//!
//! `OSTFS_FAULTS=whole` has 200 kills and 50 sizes of disks; else a few.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::findings;
use crate::mailbox::{File, mail, write};
use crate::mounted::{OSTFS, names_in};
use crate::safety::with_a_disk;
use crate::support::*;

/// The seed of moments.
const SEED: u64 = 18;
/// Kills and sizes that are tried of each form of export.
const FEW: (u64, u64) = (8, 4);
const WHOLE: (u64, u64) = (200, 50);
/// Bytes of an attachment, and how large a part is: a journal is written within one.
const ATTACHMENT: u64 = 50_000;
const SPLIT: &str = "6M";
const OTHER_SPLIT: &str = "10M";

fn rounds() -> (u64, u64) {
    match std::env::var_os("OSTFS_FAULTS").is_some_and(|value| value == "whole") {
        true => WHOLE,
        false => FEW,
    }
}

/// A mailbox of the file name `name` with so many messages, none of which another `seed` has.
fn mailbox(name: &str, messages: u64, seed: u64) -> File {
    let mut file = write(Format::Unicode, Crypt::Permute, |store| {
        let folders = ["Above", "Below"].map(|name| store.folder(store.ipm_subtree(), name));
        for number in 0..messages {
            let message = mail(&format!("Message {number} of {seed}"));
            let bytes = Payload::random(ATTACHMENT, seed << 32 | number);
            let folder = folders[(number * 2 / messages) as usize];
            store.message(folder, message.attachment("a.bin", bytes));
        }
    });
    let path = file.path.with_file_name(name);
    fs::rename(&file.path, &path).unwrap();
    file.path = path;
    file
}

/// Three mailboxes, the second of which is the largest.
fn sources() -> Vec<File> {
    let sizes = [("a.pst", 60), ("b.pst", 140), ("c.pst", 100)].into_iter();
    let files = sizes.zip(2..);
    let files = files.map(|((name, messages), seed)| mailbox(name, messages, seed));
    files.collect()
}

/// What is exported into a directory, and what comes of it if nothing happens.
struct Case {
    files: Vec<File>,
    arguments: Vec<&'static str>,
    whole: TempDir,
    took: Duration,
}

type Entries = BTreeMap<String, Vec<u8>>;

/// The files in `directory` by their names.
fn entries(directory: &Path) -> Entries {
    let names = names_in(directory).into_iter();
    let entries = names.map(|name| (fs::read(directory.join(&name)).unwrap(), name));
    entries.map(|(bytes, name)| (name, bytes)).collect()
}

/// The names in `directory` that are not hidden.
fn shown(directory: &Path) -> Vec<String> {
    let names = names_in(directory).into_iter();
    names.filter(|name| !name.starts_with('.')).collect()
}

impl Case {
    fn new(files: Vec<File>, arguments: &[&'static str]) -> Self {
        let mut case = Self {
            files,
            arguments: arguments.to_vec(),
            whole: TempDir::new().unwrap(),
            took: Duration::ZERO,
        };
        let start = Instant::now();
        let output = case.export(case.whole.path(), &[]);
        assert!(output.status.success(), "{output:?}");
        case.took = start.elapsed();
        for name in names_in(case.whole.path()) {
            assert_eq!(findings(&case.whole.path().join(&name)), [""; 0], "{name}");
        }
        case
    }

    /// One source in three parts.
    fn parts() -> Self {
        Self::new(vec![mailbox("test.pst", 300, 1)], &["--split", SPLIT])
    }

    /// Three sources, each in parts.
    fn several() -> Self {
        Self::new(sources(), &["--split", "2M"])
    }

    /// Three sources, each as one file.
    fn unsplit() -> Self {
        Self::new(sources(), &[])
    }

    fn command(&self, directory: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(OSTFS);
        command.args(["export", "--to", "pst"]);
        command.args(&self.arguments).args(arguments);
        command.args(self.files.iter().map(|file| &file.path));
        // With a slash it is a directory.
        command.arg(directory.join("")).env_remove("RUST_LOG");
        command
    }

    fn export(&self, directory: &Path, arguments: &[&str]) -> Output {
        self.command(directory, arguments).output().unwrap()
    }

    fn start(&self, directory: &Path, arguments: &[&str]) -> Child {
        let mut command = self.command(directory, arguments);
        let command = command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    /// Starts an export into `directory` that is killed once `is_over`.
    fn kill(&self, directory: &Path, arguments: &[&str], mut is_over: impl FnMut() -> bool) {
        let mut child = self.start(directory, arguments);
        while !is_over() && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        child.kill().ok();
        child.wait().unwrap();
    }

    /// What has its name in `directory` must be whole.
    fn is_whole_or_hidden(&self, directory: &Path, what: &str) {
        for name in shown(directory) {
            let read = |directory: &Path| fs::read(directory.join(&name)).unwrap();
            assert!(read(directory) == read(self.whole.path()), "{what}: {name}");
        }
    }

    /// `--resume` must end with what nothing happened to.
    fn goes_on(&self, directory: &Path, what: &str) {
        let output = self.export(directory, &["--resume"]);
        assert!(output.status.success(), "{what}: {output:?}");
        self.is_the_same(directory, what);
    }

    fn is_the_same(&self, directory: &Path, what: &str) {
        let whole = names_in(self.whole.path());
        assert_eq!(names_in(directory), whole, "{what}");
        self.is_whole_or_hidden(directory, what);
    }

    /// Kills at moments in one export, and at such where it goes on.
    fn killed_at_random(&self) {
        let mut random = Prng(SEED);
        let (kills, _) = rounds();
        let mut directory = TempDir::new().unwrap();
        for kill in 0..kills {
            let moment = self.took.as_micros() as u64;
            let moment = Duration::from_micros(random.below(moment));
            let what = format!("kill {kill}, after {moment:?}");
            let start = Instant::now();
            let arguments = ["--resume"];
            self.kill(directory.path(), &arguments, || start.elapsed() >= moment);
            self.is_whole_or_hidden(directory.path(), &what);
            // Half of the kills are of an export that was killed before.
            if random.percent(50) || kill + 1 == kills {
                self.goes_on(directory.path(), &what);
                directory = TempDir::new().unwrap();
            }
        }
    }

    /// The names of all files in the order in which they are written.
    fn in_order(&self) -> Vec<String> {
        let mut names = names_in(self.whole.path());
        names.sort_by_key(|name| {
            let (source, number) = source_and_number(name);
            (source.to_owned(), number)
        });
        names
    }

    /// Kills as soon as a file has its name, which is the moment between two. Returns how often an export could also go on from the moment
    /// before that.
    fn killed_between_files(&self) -> usize {
        let mut unnamed = 0;
        for (before, name) in self.in_order().iter().enumerate() {
            let directory = TempDir::new().unwrap();
            let path = directory.path().join(name);
            self.kill(directory.path(), &[], || path.exists());
            self.is_whole_or_hidden(directory.path(), name);
            let copy = TempDir::new().unwrap();
            for (name, bytes) in entries(directory.path()) {
                write_hidden(&copy.path().join(name), &bytes);
            }
            self.goes_on(directory.path(), &format!("{name} has its name"));
            if shown(copy.path()).len() == before + 1 && takes_name_back(copy.path(), name) {
                self.goes_on(copy.path(), &format!("{name} was to get its name"));
                unnamed += 1;
            }
        }
        unnamed
    }

    /// Has so little room, of all that is needed, that it ends; with more it goes on.
    fn without_room(&self) {
        const SCRIPT: &str = "\
            disk=$1 ostfs=$2 whole=$3 size=$4 enough=$5; shift 5
            mount -t tmpfs -o size=${size}k none $disk && cd $disk || exit 99
            $ostfs export --to pst --force \"$@\" ./; echo $?
            for file in *.pst; do [ ! -e $file ] || cmp $file $whole/$file || exit 98; done
            mount -o remount,size=${enough}k . || exit 97
            $ostfs export --to pst --resume \"$@\" ./ >&2 || exit 96
            diff -r $whole . >&2 || exit 95";
        let (_, sizes) = rounds();
        let whole: u64 = entries(self.whole.path())
            .values()
            .map(|file| file.len() as u64)
            .sum();
        for size in 0..sizes {
            let bytes = whole * (2 * size + 1) / (2 * sizes);
            let numbers = [bytes, whole * 2].map(|bytes| (bytes >> 10).to_string());
            let mut arguments = vec![
                self.whole.path().to_str().unwrap(),
                &numbers[0],
                &numbers[1],
            ];
            arguments.extend(&self.arguments);
            arguments.extend(self.files.iter().map(|file| file.path.to_str().unwrap()));
            let Some((code, said, printed)) = with_a_disk(SCRIPT, &arguments) else {
                return;
            };
            assert_eq!(code, Some(0), "{bytes} bytes: {printed}{said}");
            // What is empty takes no room, so that the last sizes may be enough.
            match printed.lines().last() {
                Some("0") => assert!(bytes > whole * 9 / 10, "{bytes} bytes: {said}"),
                Some("1") => assert!(said.contains("make room"), "{bytes} bytes: {said}"),
                other => panic!("{bytes} bytes: {other:?}: {said}"),
            }
        }
    }
}

/// The source that a part named `name` is of, and which part it is.
fn source_and_number(name: &str) -> (&str, u32) {
    let stem = name.strip_suffix(".pst").unwrap();
    let part = stem.split_once('-');
    part.map_or((stem, 1), |(source, number)| {
        (source, number.parse().unwrap())
    })
}

/// Has all be in `directory` as before `name`, the last file that was written, got its name; false if the export has gone on
/// so far that it cannot have been so.
fn takes_name_back(directory: &Path, name: &str) -> bool {
    let (source, number) = source_and_number(name);
    let journal = fs::metadata(directory.join(format!(".{source}.pst.journal")));
    // That of a file that is being written is larger.
    if !journal.is_ok_and(|journal| journal.len() < 1024) {
        return false;
    }
    fs::remove_file(directory.join(format!(".{source}-{}.pst.part", number + 1))).ok();
    let hidden = directory.join(format!(".{name}.part"));
    fs::rename(directory.join(name), hidden).unwrap();
    true
}

/// Writes a file as one that is not whole has to be, for nobody else to read.
fn write_hidden(path: &Path, bytes: &[u8]) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn parts_that_are_killed_go_on() {
    let case = Case::parts();
    assert_eq!(names_in(case.whole.path()).len(), 3);
    case.killed_at_random();
    assert!(case.killed_between_files() > 0);
}

#[test]
fn parts_of_several_sources_that_are_killed_go_on() {
    let case = Case::several();
    assert!(names_in(case.whole.path()).len() > 7);
    case.killed_at_random();
    assert!(case.killed_between_files() > 0);
}

#[test]
fn several_sources_that_are_killed_go_on() {
    let case = Case::unsplit();
    assert_eq!(names_in(case.whole.path()).len(), 3);
    case.killed_at_random();
    case.killed_between_files();
}

#[test]
fn parts_without_room_go_on() {
    Case::parts().without_room();
}

#[test]
fn several_sources_without_room_go_on() {
    Case::several().without_room();
    Case::unsplit().without_room();
}

#[test]
fn a_source_that_is_too_large_for_a_file_leaves_those_before_it_whole() {
    let case = Case::unsplit();
    let directory = TempDir::new().unwrap();
    // SIGXFSZ is passed over, so that writing fails: of three sources the second is the largest.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", 5 << 10);
    let command = case.command(directory.path(), &[]);
    let output = Command::new("bash")
        .args(["-c", &script, "bash"])
        .arg(command.get_program())
        .args(command.get_args())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(shown(directory.path()), ["a.pst"]);
    case.is_whole_or_hidden(directory.path(), "too large");
    case.goes_on(directory.path(), "too large");
}

/// Three parts of [`SPLIT`], and the source in parts of [`OTHER_SPLIT`]: fewer.
fn two_sizes() -> (Case, Case) {
    let first = Case::parts();
    let other = Case::new(vec![mailbox("test.pst", 300, 1)], &["--split", OTHER_SPLIT]);
    let names = |case: &Case| names_in(case.whole.path());
    assert!(names(&other).len() < names(&first).len());
    let first = Case {
        files: Vec::new(),
        ..first
    };
    (first, other)
}

fn fill(directory: &Path, from: &Case) {
    for (name, bytes) in entries(from.whole.path()) {
        fs::write(directory.join(name), bytes).unwrap();
    }
}

#[test]
fn parts_of_another_size_stay_without_force() {
    let (first, other) = two_sizes();
    let directory = TempDir::new().unwrap();
    fill(directory.path(), &first);
    let output = other.export(directory.path(), &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    first.is_the_same(directory.path(), "refused");
    // Nobody can tell that they are not what was asked for; that they are left alone is said.
    let output = other.export(directory.path(), &["--resume"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("is there already"), "{said}");
    first.is_the_same(directory.path(), "left alone");
}

#[test]
fn parts_of_another_size_that_force_does_not_replace_are_named() {
    let (first, other) = two_sizes();
    let directory = TempDir::new().unwrap();
    fill(directory.path(), &first);
    let output = other.export(directory.path(), &["--force"]);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    let named: Vec<_> = said.lines().filter(|line| line.contains(".pst")).collect();
    assert_eq!(named.len(), 1, "{said}");
    assert!(named[0].contains("test-3.pst"), "{said}");
    fs::remove_file(directory.path().join("test-3.pst")).unwrap();
    other.is_the_same(directory.path(), "replaced");
}

#[test]
fn a_later_part_that_is_there_is_named_before_anything_is_written() {
    let case = Case::parts();
    let directory = TempDir::new().unwrap();
    let there = directory.path().join("test-3.pst");
    fs::write(&there, "something").unwrap();
    for arguments in [&[][..], &["--resume"]] {
        let output = case.export(directory.path(), arguments);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("test-3.pst"), "{said}");
        assert_eq!(names_in(directory.path()), ["test-3.pst"]);
    }
    let output = case.export(directory.path(), &["--force"]);
    assert!(output.status.success(), "{output:?}");
    case.is_the_same(directory.path(), "replaced");
}

/// Kills an export into `directory` in its second part.
fn begin_second_part(case: &Case, directory: &Path) {
    let part = directory.join(".test-2.pst.part");
    case.kill(directory, &[], || {
        fs::metadata(&part).is_ok_and(|part| part.len() > 0)
    });
    let names = names_in(directory);
    assert!(names.contains(&".test-2.pst.part".to_owned()), "{names:?}");
}

#[test]
fn beginning_anew_removes_what_was_begun_of_other_parts() {
    let case = Case::parts();
    let directory = TempDir::new().unwrap();
    begin_second_part(&case, directory.path());
    let whole = Case::new(vec![mailbox("test.pst", 300, 1)], &[]);
    let other = Case::new(vec![mailbox("test.pst", 300, 1)], &["--split", OTHER_SPLIT]);
    for other in [other, whole] {
        // What is begun is of another size, and the first part is there.
        for arguments in [&["--resume"][..], &[]] {
            let output = other.export(directory.path(), arguments);
            assert_eq!(output.status.code(), Some(1), "{output:?}");
        }
        let scratch = TempDir::new().unwrap();
        for (name, bytes) in entries(directory.path()) {
            write_hidden(&scratch.path().join(name), &bytes);
        }
        let output = other.export(scratch.path(), &["--force"]);
        assert!(output.status.success(), "{output:?}");
        other.is_the_same(scratch.path(), "anew");
    }
    case.goes_on(directory.path(), "it was left alone");
}

#[test]
fn what_was_begun_and_is_gone_is_told() {
    let case = Case::parts();
    let directory = TempDir::new().unwrap();
    let begun = directory.path().join(".test-2.pst.part");
    case.kill(directory.path(), &[], || {
        fs::metadata(&begun).is_ok_and(|part| part.len() > 5 << 20)
    });
    fs::remove_file(&begun).unwrap();
    let output = case.export(directory.path(), &["--resume"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("without --resume"), "{said}");
}

#[test]
fn what_force_has_begun_to_replace_is_not_taken_for_written() {
    let (first, other) = two_sizes();
    // Without a journal, and with one.
    for bytes in [1, 5 << 20] {
        let directory = TempDir::new().unwrap();
        fill(directory.path(), &first);
        let part = directory.path().join(".test.pst.part");
        other.kill(directory.path(), &["--force"], || {
            fs::metadata(&part).is_ok_and(|part| part.len() >= bytes)
        });
        assert!(part.exists(), "{:?}", names_in(directory.path()));
        let begun = entries(directory.path());
        let output = other.export(directory.path(), &["--resume"]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("is there already"), "{said}");
        assert!(begun == entries(directory.path()), "nothing is written");
        let output = other.export(directory.path(), &["--resume", "--force"]);
        assert!(output.status.success(), "{output:?}");
        fs::remove_file(directory.path().join("test-3.pst")).unwrap();
        other.is_the_same(directory.path(), "replaced");
    }
}

#[test]
fn a_part_that_would_have_the_name_of_another_source_is_refused() {
    let files = vec![mailbox("a.pst", 60, 1), mailbox("a-2.pst", 3, 2)];
    let case = Case::new(files, &[]);
    for arguments in [&["--split", "1M"][..], &["--split", "1M", "--resume"]] {
        let scratch = TempDir::new().unwrap();
        let target: PathBuf = scratch.path().join("out");
        let output = case.export(&target, arguments);
        assert_eq!(output.status.code(), Some(16), "{output:?}");
        assert!(!target.exists());
    }
}
