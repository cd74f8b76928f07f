//! What a command writes to: never to a file that it reads, or to one for Outlook that is no copy; and to what is there already only
//! if that is asked for.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::mounted::OSTFS;
use crate::support::*;

const USAGE: i32 = 16;

/// Three mailboxes, and other names of the first.
struct Scene(TempDir);

impl Scene {
    fn new() -> Self {
        let scene = Self(tempfile::tempdir().unwrap());
        for name in ["a.pst", "b.pst", "z.pst"] {
            let mut store = Store::new(Format::Unicode, Crypt::Permute);
            let inbox = store.folder(store.ipm_subtree(), "Inbox");
            store.message(inbox, Message::mail(name).attachment("a.bin", "attached"));
            store.write(scene.path(name)).unwrap();
        }
        for end in ["csv", "jsonl"] {
            fs::hard_link(scene.path("a.pst"), scene.path(&format!("hard.{end}"))).unwrap();
            symlink("a.pst", scene.path(&format!("soft.{end}"))).unwrap();
        }
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs a line of sh(1), in which `ostfs` is the program.
    fn run(&self, line: &str) -> Output {
        let mut command = Command::new("sh");
        let script = format!("ostfs() {{ \"$0\" \"$@\"; }}; {line}");
        command.args(["-c", &script, OSTFS]);
        let command = command.current_dir(self.0.path()).env_remove("RUST_LOG");
        command.output().unwrap()
    }

    /// Each file with its bytes.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let bytes = |path: PathBuf| (path.clone(), fs::read(&path).unwrap_or_default());
        paths.map(bytes).collect()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn no_file_for_outlook_is_written_to_whatever_the_command_line_says() {
    let scene = Scene::new();
    let before = scene.files();
    for line in [
        // The shell makes the first file of it the value of the option.
        "ostfs export --problems *.pst out",
        "ostfs export --force --problems *.pst out",
        "ostfs export --dedupe --duplicates *.pst out",
        "ostfs export --force --dedupe --duplicates *.pst out",
        "ostfs export --summary *.pst out",
        "ostfs index --summary *.pst",
        "ostfs info --summary *.pst",
        "ostfs check --summary *.pst",
        "ostfs search --summary *.pst query",
        "ostfs export --problems a.pst a.pst out",
        "ostfs export --force --problems a.pst a.pst out",
        "ostfs export --force --manifest hard.csv a.pst out",
        "ostfs export --force --manifest soft.jsonl a.pst out",
        "ostfs export --force --dedupe --duplicates soft.csv a.pst b.pst out",
        "ostfs export --dedupe --duplicates a.pst --to pst --force a.pst b.pst new.pst",
        "ostfs export --to pst --force a.pst a.pst",
        "ostfs export --to pst --resume a.pst a.pst",
        "ostfs export --to pst --force hard.csv a.pst",
        "ostfs export --to pst --force a.pst soft.csv",
        "ostfs export --to pst --force --only-in a.pst b.pst a.pst",
        "ostfs export --to pst *.pst .",
        "ostfs export --to pst --force *.pst .",
        "ostfs export --to pst --force --split 1G *.pst .",
        "ostfs export --to pst --resume *.pst .",
        "ostfs export --to tar --force a.pst a.pst",
        "ostfs export --to zip --force a.pst hard.csv",
        "ostfs export --to mbox --force a.pst a.pst",
        "ostfs export --to tar --force *.pst",
        "ostfs export --to tar *.pst",
        "ostfs export --to pst *.pst",
        "ostfs export *.pst",
        "ostfs export --to tar a.pst - >>a.pst",
        "ostfs index b.pst a.pst >>a.pst",
        "ostfs ls a.pst >>hard.csv",
    ] {
        let output = scene.run(line);
        let code = output.status.code().unwrap();
        assert!([1, USAGE].contains(&code), "{line}: {code}");
        let said = said(&output);
        // Refused for what it is, in one line, and without the advice to do it by force.
        assert!(said.contains(": is "), "{line}: {said}");
        assert_eq!(said.lines().count(), 1, "{line}: {said}");
        assert!(!said.contains("--force"), "{line}: {said}");
        assert!(scene.files() == before, "{line}");
    }
}

#[test]
fn what_an_export_has_begun_is_not_removed_while_it_is_read() {
    let scene = Scene::new();
    for (name, line) in [
        (
            ".new.pst.part",
            "ostfs export --to pst .new.pst.part new.pst",
        ),
        (
            ".new.pst.journal",
            "ostfs export --to pst .new.pst.journal new.pst",
        ),
        (
            ".new.pst.journal.new",
            "ostfs export --to pst .new.pst.journal.new new.pst",
        ),
        (
            ".new.tar.part",
            "ostfs export --to tar .new.tar.part new.tar",
        ),
    ] {
        fs::rename(scene.path("a.pst"), scene.path(name)).unwrap();
        let before = scene.files();
        let output = scene.run(line);
        assert_eq!(output.status.code(), Some(USAGE), "{line}");
        assert!(scene.files() == before, "{line}");
        fs::rename(scene.path(name), scene.path("a.pst")).unwrap();
    }
}

#[test]
fn a_file_that_is_read_stays_though_an_item_has_its_very_path() {
    let scene = Scene::new();
    assert!(scene.run("ostfs export b.pst out").status.success());
    let message = fs::read_dir(scene.path("out/Inbox")).unwrap();
    let mut messages = message.map(|entry| entry.unwrap().path());
    let message = messages.find(|path| path.extension().is_some_and(|ending| ending == "eml"));
    let message = message.unwrap();
    fs::rename(scene.path("b.pst"), &message).unwrap();
    let before = fs::read(&message).unwrap();
    let line = format!("ostfs export --resume '{}' out", message.display());
    let output = scene.run(&line);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(
        said(&output).contains("is read by this"),
        "{}",
        said(&output)
    );
    assert!(fs::read(&message).unwrap() == before);
}

#[test]
fn an_archive_is_not_named_as_a_file_for_outlook_is() {
    let scene = Scene::new();
    let before = scene.files();
    for form in ["tar", "zip", "mbox"] {
        let line = format!("ostfs export --to {form} a.pst missing.pst");
        let output = scene.run(&line);
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(said(&output).contains("no such file"), "{}", said(&output));
        assert!(scene.files() == before, "{line}");
    }
}

#[test]
fn a_list_that_is_there_needs_force_and_one_of_an_earlier_run_resume() {
    let scene = Scene::new();
    for (option, name) in [
        ("--problems", "list.txt"),
        ("--manifest", "list.csv"),
        ("--dedupe --duplicates", "list.csv"),
    ] {
        for to in ["", "--to tar"] {
            let export = format!("ostfs export {to} {option} {name}");
            fs::write(scene.path(name), "of somebody else\n").unwrap();
            let output = scene.run(&format!("{export} a.pst new"));
            assert_eq!(output.status.code(), Some(1), "{export}");
            assert!(said(&output).contains("--force"), "{}", said(&output));
            assert_eq!(scene.read(name), "of somebody else\n");
            assert!(!scene.path("new").exists(), "{export}");
            let output = scene.run(&format!("{export} --force a.pst new && rm -r new"));
            assert!(output.status.success(), "{export}: {output:?}");
            assert_ne!(scene.read(name), "of somebody else\n");
        }
        let export = format!("ostfs export {option} {name} --resume a.pst new");
        let output = scene.run(&format!("{export} && {export} && rm -r new"));
        assert!(output.status.success(), "{export}: {output:?}");
        // Nothing is lost by an empty file, or by what is none.
        for there in ["$(mktemp -p .)", "/dev/null"] {
            let option = option.replace("--manifest", "--problems");
            let output = scene.run(&format!(
                "ostfs export {option} {there} a.pst new && rm -r new"
            ));
            assert!(output.status.success(), "{output:?}");
        }
    }
}

#[test]
fn an_option_that_has_nothing_to_do_is_refused() {
    let scene = Scene::new();
    let before = scene.files();
    for (line, part) in [
        ("ostfs export --force a.pst new", "--force goes with"),
        (
            "ostfs export --to maildir --force a.pst new",
            "--force goes with",
        ),
        (
            "ostfs export --to mbox --force a.pst new/",
            "--force goes with",
        ),
        (
            "ostfs export --verify off a.pst new",
            "--verify goes with --to pst",
        ),
        (
            "ostfs export --to tar --verify full a.pst new",
            "--verify goes with --to pst",
        ),
        (
            "ostfs export --split 1G a.pst new",
            "--split goes with --to pst",
        ),
    ] {
        let output = scene.run(line);
        assert_eq!(output.status.code(), Some(USAGE), "{line}");
        assert!(said(&output).contains(part), "{line}: {}", said(&output));
        assert!(scene.files() == before, "{line}");
    }
}
