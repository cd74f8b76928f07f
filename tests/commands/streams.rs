//! `ostfs export --to tar` and `--to zip`: what other programs take out of them is the folder export.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::corpus;
use crate::mounted::{OSTFS, Picture, ostfs, picture, run};
use crate::programs::installed;
use crate::support::damage::Damage;
use crate::support::*;
use tempfile::TempDir;

/// Longer than the files that a thread gathers.
const LARGE: usize = 5 << 20;

/// Too long for a heap, so it has blocks of its own.
const SMALL: usize = 10_000;

/// A store with all that ustar cannot hold, and its folder export.
struct Awkward {
    scratch: TempDir,
    file: PathBuf,
    layout: Layout,
}

impl Awkward {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("awkward.pst");
        let mut store = Store::new(Format::Unicode, Crypt::Permute);
        let top = store.ipm_subtree();
        let inbox = store.folder(top, "Inbox");
        let long = "Договоры и приложения к ним за прошлые годы, часть первая";
        let below = store.folder(inbox, long);
        let deep = store.folder(below, &*format!("{long}, продолжение"));
        store.folder(top, "Empty");
        let large = Message::mail("Large").attachment("large.bin", vec![0x5A; LARGE]);
        store.message(inbox, large.from("Ann", "ann@north.example"));
        let mut time = filetime(2024, 5, 1, 9, 32);
        for number in 0..40 {
            // A fraction of a second that is not that of the one before.
            time += 600_000_001;
            let mail = Message::mail(&format!("Письмо {number}")).time(time);
            store.message(
                deep,
                mail.body("text").attachment("a.txt", vec![b'c'; SMALL]),
            );
        }
        store.message(
            inbox,
            Message::mail("Old").time(filetime(1959, 1, 2, 3, 4) + 5_000_000),
        );
        store.message(
            inbox,
            Message::mail(&"long ".repeat(40)).attachment("x", "y"),
        );
        let day = filetime(2024, 6, 3, 10, 0);
        store.message(inbox, Message::appointment("Lunch", day, day, "Zürich"));
        let layout = store.write(&file).unwrap();
        Self {
            scratch,
            file,
            layout,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Runs `ostfs export` on the file with `arguments` and the target last.
    fn export(&self, arguments: &[&str], target: &str) -> Output {
        export(&[&self.file], arguments, target)
    }

    /// The folder export with `arguments`.
    fn folder(&self, name: &str, arguments: &[&str]) -> BTreeMap<PathBuf, Picture> {
        let directory = self.path(name);
        self.export(arguments, directory.to_str().unwrap());
        picture(&directory)
    }

    /// What GNU tar takes out of `archive`.
    fn untarred(&self, archive: &[u8]) -> BTreeMap<PathBuf, Picture> {
        self.untarred_by("tar", archive)
    }

    fn untarred_by(&self, program: &str, archive: &[u8]) -> BTreeMap<PathBuf, Picture> {
        let directory = self.path(&format!("taken out by {program}"));
        fs::create_dir(&directory).unwrap();
        let at = directory.to_str().unwrap();
        pipe(
            Command::new(program).args(["-x", "-f", "-", "-C", at]),
            archive,
        );
        picture(&directory)
    }
}

fn export(files: &[&Path], arguments: &[&str], target: &str) -> Output {
    let files = files.iter().map(|file| file.to_str().unwrap());
    let mut all = vec!["export"];
    all.extend(arguments);
    all.extend(files);
    all.push(target);
    ostfs(&all)
}

/// Runs a program that has to succeed without a word, with `input`; returns what it wrote.
fn pipe(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let command = command
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = process.wait_with_output().unwrap();
    writer.join().unwrap().ok();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    // GNU tar finds 1959 implausible.
    let errors: Vec<&str> = errors
        .lines()
        .filter(|line| !line.contains("implausibly old time stamp"))
        .collect();
    assert!(output.status.success() && errors.is_empty(), "{errors:?}");
    output.stdout
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The bytes on standard output of an export that went well.
fn whole(output: Output) -> Vec<u8> {
    assert!(output.status.success(), "{}", errors(&output));
    output.stdout
}

#[test]
fn what_tar_takes_out_is_the_folder_export_with_all_times() {
    if !installed(&["tar"]) {
        return;
    }
    let awkward = Awkward::new();
    let archive = whole(awkward.export(&["--to", "tar"], "-"));
    let folder = awkward.folder("folder", &[]);
    assert!(folder.len() > 80, "{}", folder.len());
    assert_eq!(awkward.untarred(&archive), folder);
    let listed = pipe(Command::new("tar").arg("-tv"), &archive);
    let listed = String::from_utf8(listed).unwrap();
    assert_eq!(listed.lines().count(), folder.len());
    assert!(listed.contains("Договоры и приложения"), "{listed}");
}

#[test]
fn real_files_come_out_of_the_archive_as_out_of_the_folder() {
    if !installed(&["tar"]) {
        return;
    }
    for file in corpus::files() {
        let scratch = tempfile::tempdir().unwrap();
        let [folder, taken_out] = ["folder", "taken out"].map(|name| scratch.path().join(name));
        let archive = export(&[&file], &["--to", "tar", "-o", "all"], "-");
        let written = export(&[&file], &["-o", "all"], folder.to_str().unwrap());
        assert_eq!(archive.status, written.status, "{}", file.display());
        fs::create_dir(&taken_out).unwrap();
        let at = taken_out.to_str().unwrap();
        pipe(Command::new("tar").args(["-x", "-C", at]), &archive.stdout);
        assert!(
            picture(&taken_out) == picture(&folder),
            "{}",
            file.display()
        );
    }
}

/// Prints the name, size, kind and time of each member, as Python reads them.
const TARFILE: &str = "
import sys, tarfile
for m in tarfile.open(fileobj=sys.stdin.buffer, mode='r|', encoding='ascii'):
    kind = 'd' if m.isdir() else 'f' if m.isfile() else '?'
    print(kind, m.size, format(float(m.mtime), '.2f'), m.name.encode().hex())
";

#[test]
fn python_reads_the_tar_archive_as_a_stream() {
    if !installed(&["python3"]) {
        return;
    }
    let awkward = Awkward::new();
    let archive = whole(awkward.export(&["--to", "tar"], "-"));
    let text = pipe(Command::new("python3").args(["-c", TARFILE]), &archive);
    let text = String::from_utf8(text).unwrap();
    let mut read: Vec<&str> = text.lines().collect();
    let folder = awkward.folder("folder", &[]);
    let hexadecimal = |path: &Path| -> String {
        let path = path.to_str().unwrap();
        path.bytes().map(|byte| format!("{byte:02x}")).collect()
    };
    let mut expected: Vec<String> = folder
        .iter()
        .map(|(path, entry)| {
            let (seconds, nanoseconds) = entry.modified;
            let time = seconds as f64 + nanoseconds as f64 / 1e9;
            let (kind, size) = (entry.kind, entry.size);
            format!("{kind} {size} {time:.2} {}", hexadecimal(path))
        })
        .collect();
    read.sort_unstable();
    expected.sort_unstable();
    assert_eq!(read, expected);
}

#[test]
fn bsdtar_takes_the_same_out() {
    if !installed(&["bsdtar"]) {
        return;
    }
    let awkward = Awkward::new();
    let archive = whole(awkward.export(&["--to", "tar"], "-"));
    let mut folder = awkward.folder("folder", &[]);
    let mut found = awkward.untarred_by("bsdtar", &archive);
    // libarchive 3.6 adds the fraction of a negative decimal instead of subtracting it.
    for entries in [&mut folder, &mut found] {
        assert!(
            entries
                .remove(Path::new("Inbox/1959-01-02 0304 Old.eml"))
                .is_some()
        );
    }
    assert_eq!(found, folder);
}

#[test]
fn restic_keeps_the_archive() {
    if !installed(&["restic"]) {
        return;
    }
    let awkward = Awkward::new();
    let archive = whole(awkward.export(&["--to", "tar"], "-"));
    let store = awkward.path("restic");
    let restic = || {
        let mut command = Command::new("restic");
        command.args(["-q", "--no-cache", "-r", store.to_str().unwrap()]);
        command.env("RESTIC_PASSWORD", "secret");
        command
    };
    pipe(restic().arg("init"), &[]);
    let backup = ["backup", "--stdin", "--stdin-filename", "mail.tar"];
    pipe(restic().args(backup), &archive);
    assert!(pipe(restic().args(["dump", "latest", "mail.tar"]), &[]) == archive);
}

#[test]
fn the_archive_goes_through_a_compressor() {
    if !installed(&["tar", "zstd"]) {
        return;
    }
    let awkward = Awkward::new();
    let script = format!(
        "set -o pipefail; '{OSTFS}' export --to tar --folder Inbox '{}' - | zstd -q | tar --zstd -tf -",
        awkward.file.display()
    );
    let listed = run("bash", &["-c", &script]);
    assert!(listed.starts_with("Inbox/\nInbox/"), "{listed}");
    assert!(!listed.contains("Empty"), "{listed}");
}

#[test]
fn what_unzip_takes_out_is_the_folder_export_to_the_second() {
    if !installed(&["unzip", "python3"]) {
        return;
    }
    let awkward = Awkward::new();
    let archive = awkward.path("mail.zip");
    let archive = archive.to_str().unwrap();
    whole(awkward.export(&["--to", "zip"], archive));
    let directory = awkward.path("unzipped");
    run("unzip", &["-q", archive, "-d", directory.to_str().unwrap()]);
    // date -u -d 1980-01-03 +%s
    const YEAR_1980: i64 = 315_705_600;
    let to_the_second = |mut entries: BTreeMap<PathBuf, Picture>| {
        for entry in entries.values_mut() {
            entry.modified.1 = 0;
            // ZIP has no time before.
            entry.modified.0 = entry.modified.0.max(YEAR_1980);
        }
        entries
    };
    let folder = to_the_second(awkward.folder("folder", &[]));
    assert_eq!(to_the_second(picture(&directory)), folder);
    let test = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print(z.testzip(), len(z.namelist()))";
    let tested = run("python3", &["-c", test, archive]);
    assert_eq!(tested.trim(), format!("None {}", folder.len()));
}

#[test]
fn an_archive_is_the_same_whatever_the_number_of_threads() {
    let awkward = Awkward::new();
    for form in ["tar", "zip", "mbox"] {
        let of = |jobs| whole(awkward.export(&["--to", form, "--jobs", jobs], "-"));
        let one = of("1");
        assert!(one.len() > 10_000, "{form}");
        for jobs in ["2", "7"] {
            assert!(of(jobs) == one, "{form} by {jobs} threads");
        }
    }
}

#[test]
fn what_is_damaged_is_told_in_the_archive_as_in_the_folder() {
    if !installed(&["tar"]) {
        return;
    }
    for options in ["damaged=show", "damaged=refuse"] {
        let awkward = Awkward::new();
        let damage = Damage::open(&awkward.file, &awkward.layout).unwrap();
        // The large one, which is not gathered, and a small one.
        damage.flip_attachment(FIRST_MESSAGE, 0);
        damage.flip_attachment(FIRST_MESSAGE + 5 * NID_STEP, 0);
        let archive = awkward.export(&["--to", "tar", "-o", options], "-");
        let directory = awkward.path("folder");
        let folder = awkward.export(&["-o", options], directory.to_str().unwrap());
        for output in [&archive, &folder] {
            assert_eq!(output.status.code(), Some(4), "{}", errors(output));
        }
        let folder = picture(&directory);
        assert!(folder.contains_key(Path::new("ostfs-problems.txt")));
        assert_eq!(awkward.untarred(&archive.stdout), folder, "{options}");
        let told = errors(&archive);
        let last = "all are in ostfs-problems.txt, the last file in it";
        assert!(told.contains(last), "{told}");
    }
}

#[test]
fn a_list_of_problems_that_memory_does_not_hold_is_whole() {
    const MESSAGES: u32 = 700;
    const DEPTH: usize = 16;
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("deep.pst");
    let mut store = Store::new(Format::Unicode, Crypt::None);
    let mut folder = store.ipm_subtree();
    // Each line has the path, so some hundred of them are more than the 2 MiB that are kept in memory.
    for _ in 0..DEPTH {
        folder = store.folder(folder, &*"deep ".repeat(38));
    }
    for number in 0..MESSAGES {
        let mail = Message::mail(&format!("{number}")).attachment("a.bin", vec![1; SMALL]);
        store.message(folder, mail);
    }
    let layout = store.write(&file).unwrap();
    let damage = Damage::open(&file, &layout).unwrap();
    for number in 0..MESSAGES {
        damage.flip_attachment(FIRST_MESSAGE + number * NID_STEP, 0);
    }
    let listed = scratch.path().join("problems.txt");
    let arguments = [
        "--to",
        "tar",
        "-o",
        "damaged=refuse",
        "--problems",
        listed.to_str().unwrap(),
    ];
    let target = scratch.path().join("mail.tar");
    let output = export(&[&file], &arguments, target.to_str().unwrap());
    assert_eq!(output.status.code(), Some(4), "{}", errors(&output));
    let listed = fs::read_to_string(&listed).unwrap();
    assert!(listed.len() > 2 << 20, "{}", listed.len());
    assert!(
        !listed.contains("there was no room"),
        "{}",
        listed.lines().last().unwrap()
    );
    let of_attachments = listed.lines().filter(|line| line.contains("a.bin: "));
    assert_eq!(of_attachments.count(), MESSAGES as usize);
}

#[test]
fn filters_several_sources_and_maildirs_are_those_of_the_folder_export() {
    if !installed(&["tar"]) {
        return;
    }
    let awkward = Awkward::new();
    let other = awkward.path("other.pst");
    let sample = sample::sample(Format::Ansi, Crypt::Permute);
    sample.write(&other).unwrap();
    let files = [awkward.file.as_path(), other.as_path()];
    for (number, arguments) in [
        &["--since", "2024-05-02", "--folder", "awkward.pst/Inbox"][..],
        &["--subject", "lunch"],
        &["-o", "layout=maildir"],
        &["-o", "all,attachments=dir"],
    ]
    .into_iter()
    .enumerate()
    {
        let tar = [arguments, &["--to", "tar"]].concat();
        let archive = whole(export(&files, &tar, "-"));
        let into = awkward.path(&format!("folder {number}"));
        whole(export(&files, arguments, into.to_str().unwrap()));
        let from = awkward.path(&format!("from {number}"));
        fs::create_dir(&from).unwrap();
        let at = from.to_str().unwrap();
        pipe(Command::new("tar").args(["-x", "-C", at]), &archive);
        // Directories above those that are taken have no time in either.
        let files = |directory| {
            let mut entries = picture(directory);
            entries.retain(|_, entry| entry.kind != 'd');
            assert!(!entries.is_empty(), "{arguments:?}");
            entries
        };
        assert_eq!(files(&from), files(&into), "{arguments:?}");
    }
}

#[test]
fn to_maildir_is_the_layout_of_that_name() {
    let awkward = Awkward::new();
    let word = awkward.folder("word", &["--to", "maildir"]);
    assert_eq!(word, awkward.folder("option", &["-o", "layout=maildir"]));
    assert!(word.contains_key(Path::new(".Inbox/cur")) || word.contains_key(Path::new("cur")));
}

#[test]
fn totals_go_beside_the_archive_and_a_manifest_has_its_files() {
    let awkward = Awkward::new();
    let manifest = awkward.path("manifest.jsonl");
    let arguments = ["--to", "tar", "--manifest", manifest.to_str().unwrap()];
    let output = awkward.export(&arguments, "-");
    let told = errors(&output);
    assert!(
        told.starts_with("   items    found  written   failed  folder\n"),
        "{told}"
    );
    let folder = awkward.folder("folder", &[]);
    for line in fs::read_to_string(&manifest).unwrap().lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        if record["class"] != "source" {
            let file = &folder[Path::new(record["path"].as_str().unwrap())];
            assert_eq!(record["sha256"].as_str().unwrap(), file.content);
        }
    }
}

#[test]
fn a_reader_that_goes_away_ends_it_without_a_word() {
    let awkward = Awkward::new();
    for form in ["tar", "zip", "mbox"] {
        let script = format!(
            "'{OSTFS}' export --to {form} '{}' - | head -c 10 >/dev/null; echo ${{PIPESTATUS[0]}}",
            awkward.file.display()
        );
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        // What was written is no archive, so it is no success either.
        assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n", "{form}");
        assert_eq!(errors(&output), "", "{form}");
    }
}

#[test]
fn a_terminal_gets_no_archive() {
    if !installed(&["python3"]) {
        return;
    }
    let awkward = Awkward::new();
    let spawn = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    let file = awkward.file.to_str().unwrap();
    let command = ["-c", spawn, OSTFS, "export", "--to", "tar", file, "-"];
    let output = Command::new("python3").args(command).output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(16), "{shown}");
    assert!(shown.contains("standard output is a terminal"), "{shown}");
    assert!(shown.contains("| zstd >mail.tar.zst"), "{shown}");
}

#[test]
fn a_new_file_is_there_when_it_is_whole_and_replaces_nothing() {
    let awkward = Awkward::new();
    let target = awkward.path("mail.tar");
    let name = target.to_str().unwrap();
    whole(awkward.export(&["--to", "tar"], name));
    let bytes = fs::read(&target).unwrap();
    assert!(bytes == whole(awkward.export(&["--to", "tar"], "-")));
    fs::write(&target, "of somebody else").unwrap();
    let output = awkward.export(&["--to", "tar"], name);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        errors(&output).contains("replace it by --force"),
        "{}",
        errors(&output)
    );
    assert_eq!(fs::read(&target).unwrap(), b"of somebody else");
    whole(awkward.export(&["--to", "tar", "--force"], name));
    assert!(fs::read(&target).unwrap() == bytes);
    // Of what fails nothing is left.
    fs::write(awkward.path("no.pst"), "no mail").unwrap();
    let none = awkward.path("none.tar");
    let output = export(
        &[&awkward.path("no.pst")],
        &["--to", "tar"],
        none.to_str().unwrap(),
    );
    assert_eq!(output.status.code(), Some(3));
    let left: Vec<_> = fs::read_dir(awkward.scratch.path()).unwrap().collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

#[test]
fn what_makes_no_sense_is_refused_with_what_does() {
    let awkward = Awkward::new();
    let directory = awkward.path("directory");
    fs::create_dir(&directory).unwrap();
    for (arguments, target, code, said) in [
        (&["--to", "tar"][..], "mail.tar.gz", 16, "- | gzip >"),
        (&["--to", "mbox"], "mail.mbox.zst", 16, "- | zstd >"),
        (
            &["--to", "zip"],
            directory.to_str().unwrap(),
            16,
            "is a directory; name the new file",
        ),
        (
            &["--to", "tar"],
            "/dev/null",
            1,
            "no file; choose another name, or write to -",
        ),
        (&["--to", "tar"], "/nowhere/mail.tar", 2, "make it first"),
        (
            &["--to", "tar", "--resume"],
            "-",
            16,
            "--to tar does not go with --resume",
        ),
        (
            &["--to", "mbox", "-o", "text"],
            "-",
            16,
            "--to mbox does not go with -o text",
        ),
        (
            &["--to", "zip", "--split", "1G"],
            "-",
            16,
            "--split goes with --to pst",
        ),
        (&[], "-", 16, "--to tar "),
        (&["--to", "pst"], "-", 16, "--to tar "),
    ] {
        let output = awkward.export(arguments, target);
        let told = errors(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(told.contains(said), "{arguments:?}: {told}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_source_that_cannot_be_read_back_and_forth_is_refused_with_what_to_do() {
    let awkward = Awkward::new();
    let pipe = awkward.path("pipe");
    run("mkfifo", &[pipe.to_str().unwrap()]);
    for (source, said) in [
        (pipe.as_path(), "save what it gives as a file"),
        (Path::new("/dev/zero"), "is a device; name the"),
        (Path::new("-"), "name the file itself, or /dev/stdin"),
    ] {
        let output = export(&[source], &["--to", "tar"], "-");
        let told = errors(&output);
        assert!(!output.status.success() && told.contains(said), "{told}");
        // Typed as it stands, it would empty a file or fill the disk.
        assert!(!told.contains("cat "), "{told}");
    }
    let mut from_file = Command::new(OSTFS);
    from_file.args(["ls", "/dev/stdin"]);
    let output = from_file.stdin(fs::File::open(&awkward.file).unwrap());
    assert!(output.output().unwrap().status.success());
    for (program, said) in [("gzip", "gunzip --keep"), ("zstd", "unzstd")] {
        if !installed(&[program]) {
            continue;
        }
        let bytes = fs::read(&awkward.file).unwrap();
        let packed = awkward.path(&format!("packed.{program}"));
        let compressed = self::pipe(Command::new(program).arg("-c"), &bytes);
        fs::write(&packed, compressed).unwrap();
        let output = export(&[&packed], &["--to", "tar"], "-");
        let told = errors(&output);
        assert_eq!(output.status.code(), Some(3), "{told}");
        assert!(told.contains(said), "{told}");
    }
}

/// Node of the first message that is put into a store, and from one to the next.
const FIRST_MESSAGE: Nid = 0x20_0024;
const NID_STEP: Nid = 0x20;
