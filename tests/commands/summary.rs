//! `--summary`: what each command tells of its own run, and that many runs can share one file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::mounted::OSTFS;
use crate::support::damage::Damage;
use crate::support::*;

struct Scene(TempDir);

impl Scene {
    /// `mail.pst` with two messages, one of which has an attached picture and a text, and `broken.pst`, which is none.
    fn new() -> Self {
        let scene = Self(tempfile::tempdir().unwrap());
        let mut store = Store::new(Format::Unicode, Crypt::Permute);
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let plan = Message::mail("Plan").body("text");
        let plan = plan.attachment("plan.bin", vec![1, 2, 3]);
        store.message(inbox, plan.attachment("plan.txt", "chairs"));
        store.message(inbox, Message::mail("Lunch").body("at noon"));
        store.write(scene.path("mail.pst")).unwrap();
        fs::write(scene.path("broken.pst"), "no Outlook data file").unwrap();
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(OSTFS);
        command.args(arguments).current_dir(self.0.path());
        command.env_remove("RUST_LOG");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The lines of `runs.jsonl`.
    fn lines(&self) -> Vec<Json> {
        let text = fs::read_to_string(self.path("runs.jsonl")).unwrap();
        assert!(text.ends_with('\n'));
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    }
}

fn sha256(path: &Path) -> String {
    let hash = Sha256::digest(fs::read(path).unwrap());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The options under test.
const SHARED: [&str; 3] = ["--summary", "runs.jsonl", "--summary-sha256"];

#[test]
fn every_command_tells_of_its_run() {
    let scene = Scene::new();
    let file = scene.path("mail.pst");
    // Two messages, each a file, one of them with two attachments as files. An index has a record for each of these.
    for (number, (arguments, counts)) in [
        (&["export", "mail.pst", "files"][..], ("items", 2, 4)),
        (
            &["export", "--to", "tar", "mail.pst", "a.tar"],
            ("items", 2, 4),
        ),
        (
            &["export", "--to", "pst", "mail.pst", "new.pst"],
            ("items", 2, 1),
        ),
        (&["index", "--json", "mail.pst"], ("items", 2, 4)),
        (&["search", "--json", "mail.pst", "lunch"], ("items", 1, 0)),
        (&["info", "--json", "mail.pst"], ("items", 2, 0)),
        (&["check", "--json", "mail.pst"], ("items", 2, 0)),
    ]
    .into_iter()
    .enumerate()
    {
        let output = scene.run(&[arguments, &SHARED].concat());
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        let lines = scene.lines();
        assert_eq!(lines.len(), number + 1, "{arguments:?}");
        let line = &lines[number];
        let (name, items, files) = counts;
        assert_eq!(line["command"], arguments[0]);
        assert_eq!(line[name], items, "{arguments:?}: {line}");
        assert_eq!(line["files"].as_u64().unwrap_or(0), files, "{line}");
        assert_eq!(line["exit"], 0, "{line}");
        assert_eq!(line["message"], "", "{line}");
        assert_eq!(line["not_opened"], 0, "{line}");
        assert!(line["seconds"].as_f64().unwrap() > 0.0, "{line}");
        let size = fs::metadata(&file).unwrap().len();
        let source = json!([{"path": "mail.pst", "size": size, "sha256": sha256(&file)}]);
        assert_eq!(line["sources"], source, "{line}");
    }
}

#[test]
fn attachments_that_a_search_could_not_look_into_are_counted() {
    let scene = Scene::new();
    scene.run(&["search", "--summary", "runs.jsonl", "mail.pst", "nowhere"]);
    let line = &scene.lines()[0];
    assert_eq!(line["not_searched"], 1, "{line}");
    // Nothing was found, and nobody asked for hashes.
    assert_eq!(line["exit"], 1, "{line}");
    assert_eq!(line["items"], 0, "{line}");
    assert_eq!(line["sources"][0]["sha256"], Json::Null, "{line}");
}

#[test]
fn a_run_that_fails_says_why() {
    let scene = Scene::new();
    let printed = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    for (arguments, exit, not_opened) in [
        (&["index", "broken.pst"][..], 3, Json::Null),
        (&["info", "gone.pst"], 2, Json::Null),
        (&["check", "broken.pst"], 8, json!(1)),
        (&["search", "mail.pst", "broken.pst", "lunch"], 4, json!(1)),
        (
            &["export", "--class", "IPM.X", "mail.pst", "none"],
            2,
            json!(0),
        ),
    ] {
        let output = scene.run(&[arguments, &SHARED].concat());
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}");
        let lines = scene.lines();
        let line = lines.last().unwrap();
        assert_eq!(line["exit"], exit, "{line}");
        assert_eq!(line["not_opened"], not_opened, "{line}");
        let message = line["message"].as_str().unwrap();
        assert!(printed(&output).contains(message), "{line}");
        assert!(!message.is_empty(), "{line}");
    }
}

#[test]
fn many_runs_share_one_file() {
    const RUNS: usize = 24;
    let scene = Scene::new();
    let runs: Vec<_> = (0..RUNS)
        .map(|_| {
            let mut run = scene.command(&["info", "mail.pst"]);
            run.args(SHARED).stdout(std::process::Stdio::null());
            run.spawn().unwrap()
        })
        .collect();
    for mut run in runs {
        assert!(run.wait().unwrap().success());
    }
    let lines = scene.lines();
    assert_eq!(lines.len(), RUNS);
    assert!(lines.iter().all(|line| line["exit"] == 0));
}

#[test]
fn a_line_is_written_whole_or_not_at_all() {
    let scene = Scene::new();
    // Blocks of ulimit -f have 512 bytes: there is room for the beginning of a line.
    let before = format!("{}\n", "x".repeat(499));
    fs::write(scene.path("runs.jsonl"), &before).unwrap();
    let line = "ulimit -f 1; trap '' XFSZ; \"$0\" info mail.pst --summary runs.jsonl";
    let mut shell = Command::new("sh");
    shell.args(["-c", line, OSTFS]).current_dir(scene.0.path());
    let output = shell.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("runs.jsonl: cannot be written"), "{errors}");
    let after = fs::read_to_string(scene.path("runs.jsonl")).unwrap();
    assert_eq!(after, before);
}

#[test]
fn a_summary_that_cannot_be_written_is_told_before_anything_is_done() {
    let scene = Scene::new();
    let run = |summary: &str| scene.run(&["export", "--summary", summary, "mail.pst", "files"]);
    assert_eq!(run("no/runs.jsonl").status.code(), Some(2));
    // Appending to the evidence would change it.
    let before = sha256(&scene.path("mail.pst"));
    assert_eq!(run("./mail.pst").status.code(), Some(16));
    assert_eq!(sha256(&scene.path("mail.pst")), before);
    assert!(!scene.path("files").exists());
}

/// A message whose attachment turns out damaged is written twice, and one of the two is there.
#[test]
fn bytes_are_those_that_are_there_in_the_end() {
    let scene = Scene::new();
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    let data = Payload::random(200_000, 1);
    let nid = store.message(inbox, Message::mail("Plan").attachment("plan.bin", data));
    let layout = store.write(scene.path("mail.pst")).unwrap();
    let damage = Damage::open(scene.path("mail.pst"), &layout).unwrap();
    damage.flip_attachment(nid, 0);
    let options = ["-o", "attachments=eml", "--summary", "runs.jsonl"];
    let output = scene.run(&[&["export"], &options[..], &["mail.pst", "target"]].concat());
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    let files = fs::read_dir(scene.path("target/Inbox")).unwrap();
    let bytes: u64 = files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    assert_eq!(scene.lines()[0]["bytes"], bytes);
}
