//! `ostfs export` and `ostfs index`: what is chosen, what the manifest says, what an interrupted run leaves.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::mounted::{OSTFS, ostfs};
use crate::programs;
use crate::support::*;
use serde_json::Value as Json;
use tempfile::TempDir;

struct Case {
    scratch: TempDir,
    file: PathBuf,
    layout: Layout,
}

impl Case {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("sample.pst");
        let layout = sample::sample(Format::Unicode, Crypt::Permute)
            .write(&file)
            .unwrap();
        Self {
            scratch,
            file,
            layout,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Exports into a directory of this name; returns it and what was printed.
    fn export(&self, name: &str, arguments: &[&str]) -> (PathBuf, Output) {
        let target = self.path(name);
        let mut all = vec![
            "export",
            self.file.to_str().unwrap(),
            target.to_str().unwrap(),
        ];
        all.extend(arguments);
        let output = ostfs(&all);
        (target, output)
    }

    fn whole(&self, name: &str, arguments: &[&str]) -> PathBuf {
        let (target, output) = self.export(name, arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        target
    }
}

/// Paths of all files below `directory`, sorted.
fn files(directory: &Path) -> Vec<String> {
    fn walk(directory: &Path, root: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                let path = path.strip_prefix(root).unwrap();
                found.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    let mut found = Vec::new();
    walk(directory, directory, &mut found);
    found.sort_unstable();
    found
}

fn directories(directory: &Path) -> usize {
    let entries = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let below = entries.filter(|path| path.is_dir());
    below.map(|path| 1 + directories(&path)).sum()
}

type Records = BTreeMap<String, BTreeMap<String, String>>;

/// The records of a CSV manifest by path.
fn records(csv: &str) -> Records {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let records: Vec<BTreeMap<String, String>> =
        reader.deserialize().map(|record| record.unwrap()).collect();
    let by_path = records
        .iter()
        .map(|record| (record["path"].clone(), record.clone()));
    by_path.collect()
}

/// What sha256sum(1) says of a file.
fn sha256(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim_start_matches('\\')
        .split(' ')
        .next()
        .unwrap()
        .to_owned()
}

#[test]
fn filters_take_what_fulfils_all_of_them_and_nothing_else() {
    let case = Case::new();
    let all = files(&case.whole("all", &[]));
    for (number, (arguments, taken)) in [
        (&["--folder", "inbox/projects"][..], "Inbox/Projects/"),
        (&["--class", "IPM.Appointment"], "Calendar/"),
        (&["--class", "ipm.contact"], "Contacts/"),
        (&["--subject", "QUARTERLY NUM"], "Quarterly numbers"),
        (
            &[
                "--folder",
                "Inbox",
                "--since",
                "2024-05-02",
                "--until",
                "2024-05-02",
            ],
            "/2024-05-02 ",
        ),
    ]
    .iter()
    .enumerate()
    {
        let target = case.whole(&format!("filtered {number}"), arguments);
        let taken = |path: &&String| match *taken {
            // The distribution list in there has another class.
            "Contacts/" => path.starts_with("Contacts/") && !path.contains("Board"),
            "Calendar/" => path.starts_with("Calendar/"),
            part => path.contains(part),
        };
        let expected: Vec<&String> = all.iter().filter(taken).collect();
        assert!(!expected.is_empty());
        assert_eq!(
            files(&target).iter().collect::<Vec<_>>(),
            expected,
            "{arguments:?}"
        );
        // No directory is made for nothing.
        let parents: std::collections::BTreeSet<&Path> = expected
            .iter()
            .flat_map(|path| Path::new(path.as_str()).ancestors().skip(1))
            .filter(|path| !path.as_os_str().is_empty())
            .collect();
        assert_eq!(directories(&target), parents.len(), "{arguments:?}");
    }
    for arguments in [["--since", "yesterday"], ["--manifest", "manifest.txt"]] {
        let (_, output) = case.export("refused", &arguments);
        assert_eq!(output.status.code(), Some(16), "{arguments:?}");
    }
}

#[test]
fn appointments_are_of_the_days_on_which_they_take_place() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("calendar.pst");
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let top = store.ipm_subtree();
    let calendar = store.folder_of(top, "Calendar", "IPF.Appointment");
    let day = |month, day, hour| filetime(2024, month, day, hour, 0);
    let written = day(1, 2, 9);
    let of =
        |subject: &str, start, end| Message::appointment(subject, start, end, "").time(written);
    let series = |subject: &str, last: Option<u64>| {
        let series =
            of(subject, day(2, 1, 9), day(2, 1, 10)).named(PSETID_APPOINTMENT, 0x8223, true);
        match last {
            Some(last) => series.named(PSETID_APPOINTMENT, 0x8236, Value::Time(last)),
            None => series,
        }
    };
    for message in [
        of("lunch", day(6, 3, 10), day(6, 3, 11)),
        of("fair", day(6, 1, 8), day(6, 5, 18)),
        of("until midnight", day(6, 2, 20), day(6, 3, 0)),
        series("until March", Some(day(3, 28, 0))),
        series("until June", Some(day(6, 3, 0))),
        series("for ever", None),
        // Mail about it is of the day on which it came.
        Message::new("IPM.Schedule.Meeting.Request", "invitation")
            .time(written)
            .named(PSETID_APPOINTMENT, 0x820D, Value::Time(day(6, 3, 10))),
    ] {
        store.message(calendar, message);
    }
    store.write(&file).unwrap();
    let taken = |since: &str, until: &str| -> Vec<String> {
        let file = file.to_str().unwrap();
        let output = ostfs(&[
            "index",
            "--no-hash",
            "--since",
            since,
            "--until",
            until,
            file,
        ]);
        let records = records(&String::from_utf8(output.stdout).unwrap());
        let mut subjects: Vec<String> = records
            .values()
            .map(|record| record["subject"].clone())
            .collect();
        subjects.sort();
        subjects
    };
    assert_eq!(
        taken("2024-06-03", "2024-06-03"),
        ["fair", "for ever", "lunch", "until June"]
    );
    assert_eq!(taken("2024-06-04", "2024-06-30"), ["fair", "for ever"]);
    assert_eq!(taken("2024-01-01", "2024-01-31"), ["invitation"]);
    assert_eq!(
        taken("2024-02-01", "2024-02-01"),
        ["for ever", "until June", "until March"]
    );
}

#[test]
fn the_sender_is_found_by_name_and_by_address() {
    let case = Case::new();
    let all = case.whole("all", &[]);
    let from_bob = |path: &String| {
        path.ends_with(".eml") && !path.contains(".attachments/") && {
            let text = fs::read_to_string(all.join(path)).unwrap();
            text.lines()
                .any(|line| line.starts_with("From: ") && line.contains("bob@north.example"))
        }
    };
    let mails: Vec<String> = files(&all).into_iter().filter(from_bob).collect();
    assert!(!mails.is_empty());
    for (name, from) in [("by address", "BOB@north"), ("by name", "bob mü")] {
        let target = case.whole(name, &["--from", from, "--class", "IPM.Note"]);
        let found = files(&target);
        let found = found
            .iter()
            .filter(|path| path.ends_with(".eml") && !path.contains(".attachments/"));
        assert_eq!(found.collect::<Vec<_>>(), mails.iter().collect::<Vec<_>>());
    }
}

#[test]
fn the_manifest_tells_every_file_with_the_hash_that_sha256sum_tells() {
    let case = Case::new();
    let manifest = case.path("manifest.csv");
    let target = case.whole(
        "exported",
        &["--manifest", manifest.to_str().unwrap(), "-j", "4"],
    );
    let text = fs::read_to_string(&manifest).unwrap();
    let records = records(&text);
    let source = &records[case.file.to_str().unwrap()];
    assert_eq!(source["class"], "source");
    assert_eq!(source["sha256"], sha256(&case.file));
    let paths = files(&target);
    assert_eq!(records.len(), paths.len() + 1);
    for path in &paths {
        let record = &records[path];
        assert_eq!(record["sha256"], sha256(&target.join(path)), "{path}");
        let size = fs::metadata(target.join(path)).unwrap().len();
        assert_eq!(record["size"], size.to_string());
        assert!(
            path.starts_with(&format!("{}/", record["folder"])),
            "{path}"
        );
        assert_eq!(
            record["class"] == "attachment",
            path.contains(".attachments/")
        );
        assert!(record["nid"].starts_with("0x"));
    }
    // The same bytes on one thread, and without writing files; the same facts as JSON.
    let single = case.path("single.csv");
    case.whole(
        "single",
        &["--manifest", single.to_str().unwrap(), "-j", "1"],
    );
    assert_eq!(fs::read_to_string(single).unwrap(), text);
    let index = ostfs(&["index", case.file.to_str().unwrap()]);
    assert!(index.status.success());
    assert_eq!(String::from_utf8(index.stdout).unwrap(), text);
    let json = ostfs(&["index", "--json", case.file.to_str().unwrap()]);
    let lines = String::from_utf8(json.stdout).unwrap();
    assert_eq!(lines.lines().count(), records.len());
    for line in lines.lines() {
        let object: Json = serde_json::from_str(line).unwrap();
        let record = &records[object["path"].as_str().unwrap()];
        for (name, value) in record {
            let own = &object[name.as_str()];
            let own = match own {
                Json::Null => String::new(),
                Json::String(text) => text.clone(),
                Json::Bool(is_so) => if *is_so { "yes" } else { "no" }.to_owned(),
                Json::Array(texts) => texts
                    .iter()
                    .map(|text| text.as_str().unwrap())
                    .collect::<Vec<_>>()
                    .join("; "),
                number => number.to_string(),
            };
            assert_eq!(&own, value, "{name}");
        }
    }
    let quick = ostfs(&["index", "--no-hash", case.file.to_str().unwrap()]);
    assert!(String::from_utf8(quick.stdout).unwrap().lines().count() == paths.len() + 1);
}

/// Subject, From and To of each mail as Python's email package reads them.
const HEADERS: &str = "
import email.policy, json, sys
def read(path):
    with open(path, 'rb') as file:
        mail = email.message_from_binary_file(file, policy=email.policy.default)
    return [str(mail[name] or '') for name in ('subject', 'from', 'to')]
json.dump({path: read(path) for path in sys.argv[1:]}, sys.stdout)
";

#[test]
fn the_manifest_tells_of_mail_what_python_reads_in_it() {
    if !programs::installed(&["python3"]) {
        return;
    }
    let case = Case::new();
    let manifest = case.path("manifest.csv");
    let target = case.whole("exported", &["--manifest", manifest.to_str().unwrap()]);
    let records = records(&fs::read_to_string(&manifest).unwrap());
    let mails: Vec<String> = files(&target)
        .into_iter()
        .filter(|path| path.ends_with(".eml") && !path.contains(".attachments/"))
        .collect();
    assert!(mails.len() > 3);
    let mut python = programs::command("python3", &target);
    let text = programs::output(python.arg("-c").arg(HEADERS).args(&mails));
    let read: BTreeMap<String, [String; 3]> = serde_json::from_str(&text).unwrap();
    for (path, [subject, from, to]) in read {
        let record = &records[&path];
        assert_eq!(record["subject"], subject, "{path}");
        let plain = |text: &str| text.replace('"', "");
        assert_eq!(plain(&record["from"]), plain(&from), "{path}");
        assert_eq!(plain(&record["to"]), plain(&to), "{path}");
    }
}

#[test]
fn an_interrupted_export_goes_on_where_it_ended() {
    let case = Case::new();
    let target = case.whole("exported", &[]);
    let before: Vec<(String, String)> = files(&target)
        .into_iter()
        .map(|path| (sha256(&target.join(&path)), path))
        .collect();
    // One file is missing, one was cut short by the interruption, and so has the time of that.
    let mails = || before.iter().filter(|(_, path)| path.ends_with(".eml"));
    let (missing, cut) = (&mails().next().unwrap().1, &mails().nth(1).unwrap().1);
    fs::remove_file(target.join(missing)).unwrap();
    fs::write(target.join(cut), "From").unwrap();
    let (_, refused) = case.export("exported", &[]);
    assert!(!refused.status.success());
    assert!(
        String::from_utf8(refused.stderr)
            .unwrap()
            .contains("--resume")
    );
    let manifest = case.path("manifest.jsonl");
    let arguments = ["--resume", "--manifest", manifest.to_str().unwrap()];
    let (_, output) = case.export("exported", &arguments);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let kept = format!(
        "{} files ({} there already)",
        before.len(),
        before.len() - 2
    );
    assert!(text.contains(&kept), "{text}");
    let manifest = fs::read_to_string(&manifest).unwrap();
    for (hash, path) in &before {
        assert_eq!(&sha256(&target.join(path)), hash, "{path}");
        assert!(manifest.contains(hash.as_str()), "{path}");
    }
}

#[test]
fn found_is_written_and_failed_in_every_folder() {
    let case = Case::new();
    let healthy = files(&case.whole("healthy", &[])).len();
    let damage = Damage::open(&case.file, &case.layout).unwrap();
    // The first attachment of the first message.
    damage.flip_attachment(FIRST_MESSAGE, 0);
    let manifest = case.path("manifest.csv");
    let (target, output) = case.export(
        "damaged",
        &[
            "-o",
            "damaged=refuse",
            "--manifest",
            manifest.to_str().unwrap(),
        ],
    );
    assert_eq!(output.status.code(), Some(4));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut sums = [0; 4];
    for line in text
        .lines()
        .skip(1)
        .filter(|line| !line.contains(" files ("))
    {
        let numbers: Vec<usize> = line
            .split_whitespace()
            .take(4)
            .map(|number| number.parse().unwrap())
            .collect();
        assert_eq!(numbers[1], numbers[2] + numbers[3], "{line}");
        let written = line
            .split_whitespace()
            .skip(4)
            .collect::<Vec<_>>()
            .join(" ");
        assert!(target.join(&written).is_dir(), "{line}");
        for (sum, number) in sums.iter_mut().zip(numbers) {
            *sum += number;
        }
    }
    assert_eq!(sums[1..], [healthy, healthy - 1, 1]);
    // In place of the attachment there is the list of problems.
    assert_eq!(files(&target).len(), healthy);
    assert!(target.join("ostfs-problems.txt").is_file());
    let records = records(&fs::read_to_string(&manifest).unwrap());
    let told = |with_hash: bool| {
        let mut told = records.values().filter(|record| {
            !record["problems"].is_empty() && record["sha256"].is_empty() != with_hash
        });
        (told.next().is_some(), told.next().is_some())
    };
    // The attachment has no hash; the message that carries it is there, with a placeholder.
    assert_eq!(told(false), (true, false));
    assert_eq!(told(true), (true, false));
}

/// Runs `ostfs index` and reads `lines` of what it prints; returns how many bytes it has read by its end.
fn bytes_read(arguments: &[&str], lines: usize) -> u64 {
    let mut process = Command::new(OSTFS)
        .arg("index")
        .args(arguments)
        .env_remove("RUST_LOG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(process.stdout.take().unwrap());
    assert!(out.lines().take(lines).count() > 2);
    let of_process = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", process.id()));
    let start = Instant::now();
    // It has ended, and nobody has asked how: so the kernel still has its figures.
    while !of_process("status").unwrap().contains("State:\tZ") {
        if start.elapsed() > Duration::from_secs(20) {
            process.kill().unwrap();
            panic!("still running after {:?}", start.elapsed());
        }
        thread::sleep(Duration::from_millis(5));
    }
    let figures = of_process("io").unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    let read = figures
        .lines()
        .find_map(|line| line.strip_prefix("rchar: "));
    read.unwrap().parse().unwrap()
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_index() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("large.pst");
    let mut mailbox = realistic::Mailbox::new(2000);
    mailbox.bytes = Some(40 << 20);
    let mut writer = Writer::create(&file, Options::new(Format::Unicode, Crypt::Permute)).unwrap();
    let folders = mailbox.make_folders(&mut writer);
    for (folder, mail) in mailbox.mails() {
        writer.message(folders[folder], &mail).unwrap();
    }
    writer.finish().unwrap();
    let name = file.to_str().unwrap();
    let whole = bytes_read(&["--no-hash", name], usize::MAX);
    for arguments in [&["--no-hash", name][..], &["--no-hash", "--json", name]] {
        let read = bytes_read(arguments, 3);
        assert!(read < whole / 4, "{arguments:?}: {read} of {whole} bytes");
    }
    // Nor is the file itself hashed to its end, which would take hours.
    let source = fs::OpenOptions::new().write(true).open(&file).unwrap();
    source.set_len(1 << 40).unwrap();
    bytes_read(&[name], 3);
}

/// Node of the first message that is put into a store.
const FIRST_MESSAGE: Nid = 0x20_0024;
