//! Whatever is wrong with a file, its user is told all of it: in the copy, in the exit code, and on the terminal no more than
//! he wants.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::mailbox::{self, File, mail};
use crate::mounted::ostfs;
use crate::support::*;
use tempfile::TempDir;

const ERRORS_FOUND: Option<i32> = Some(4);
const LIST: &str = "ostfs-problems.txt";
/// More than are named on the terminal.
const BROKEN: usize = 130;
/// How many are named there.
const SHOWN: usize = 100;
/// A word that no output may have, in every name of the file.
const SECRET: &str = "Seahorse";

/// Messages that all have a damaged attachment, behind one that is whole.
fn broken() -> File {
    let mut messages = Vec::new();
    let file = mailbox::write(Format::Unicode, Crypt::Permute, |store| {
        let inbox = store.folder(store.ipm_subtree(), format!("{SECRET}, in").as_str());
        store.message(inbox, mail("Whole"));
        for number in 0..BROKEN {
            let message = mail(&format!("{SECRET}, the {number}th"));
            let data = Payload::random(20_000, number as u64);
            let name = format!("{SECRET}, file {number}.txt");
            messages.push(store.message(inbox, message.attachment(&name, data)));
        }
    });
    let damage = file.damage();
    for message in messages {
        damage.flip_attachment(message, 0);
    }
    file
}

struct Export {
    _scratch: TempDir,
    target: PathBuf,
    output: Output,
}

impl Export {
    fn of(file: &Path, arguments: &[&str]) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let target = scratch.path().join("tree");
        let output = again(file, &target, arguments);
        Self {
            _scratch: scratch,
            target,
            output,
        }
    }

    fn list(&self) -> String {
        fs::read_to_string(self.target.join(LIST)).unwrap()
    }

    fn said(&self) -> String {
        let output = [&*self.output.stdout, &*self.output.stderr].concat();
        String::from_utf8(output).unwrap()
    }
}

fn again(file: &Path, target: &Path, arguments: &[&str]) -> Output {
    let named = ["export", file.to_str().unwrap(), target.to_str().unwrap()];
    ostfs(&[&named, arguments].concat())
}

/// The paths that `text` tells to be those of items that are not whole.
fn not_whole(text: &str) -> Vec<&str> {
    let lines = text
        .lines()
        .filter_map(|line| line.strip_suffix("\" is not whole"));
    lines
        .map(|line| line.split_once(": \"").unwrap().1)
        .collect()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn every_problem_is_in_the_copy_and_the_terminal_says_where() {
    let file = broken();
    let export = Export::of(&file.path, &[]);
    assert_eq!(export.output.status.code(), ERRORS_FOUND);
    let list = export.list();
    for number in 0..BROKEN {
        let name = format!("{SECRET}, file {number}.txt");
        assert!(list.lines().any(|line| line.contains(&name)), "{name}");
    }
    assert!(list.lines().is_sorted() && !list.contains("Whole"));
    let errors = String::from_utf8(export.output.stderr.clone()).unwrap();
    assert!(errors.lines().last().unwrap().contains(LIST), "{errors}");
    assert!(errors.lines().count() < list.lines().count());
    // Whoever compares the copy with a mount compares no time of a list.
    for jobs in ["1", "7"] {
        assert_eq!(Export::of(&file.path, &["-j", jobs]).list(), list);
    }
}

#[test]
fn a_copy_without_problems_has_no_list_and_one_that_is_mended_loses_it() {
    let file = broken();
    let damaged = fs::read(&file.path).unwrap();
    let export = Export::of(&file.path, &[]);
    assert!(!export.list().is_empty());
    let whole = mailbox::write(Format::Unicode, Crypt::Permute, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        store.message(inbox, mail("Whole"));
    });
    let resumed = again(&whole.path, &export.target, &["--resume"]);
    assert!(resumed.status.success());
    assert!(!export.target.join(LIST).exists());
    fs::write(&whole.path, damaged).unwrap();
    again(&whole.path, &export.target, &["--resume"]);
    assert!(!export.list().is_empty());
}

#[test]
fn the_list_goes_where_the_user_wants_it_and_never_over_a_folder() {
    let file = broken();
    let elsewhere = file.path.with_extension("txt");
    let export = Export::of(&file.path, &["--problems", elsewhere.to_str().unwrap()]);
    assert!(fs::read_to_string(&elsewhere).unwrap().contains("file 129"));
    assert!(!export.target.join(LIST).exists());
    let mut message = 0;
    let file = mailbox::write(Format::Unicode, Crypt::Permute, |store| {
        let top = store.ipm_subtree();
        let folder = store.folder(top, "OSTFS-Problems.txt");
        let with = mail("Broken").attachment("a.txt", Payload::random(20_000, 1));
        message = store.message(folder, with);
    });
    file.damage().flip_attachment(message, 0);
    let export = Export::of(&file.path, &[]);
    assert!(export.target.join("OSTFS-Problems.txt").is_dir());
    let other = export.target.join(format!("2 {LIST}"));
    assert!(fs::read_to_string(other).unwrap().contains("a.txt"));
}

#[test]
fn redacted_no_name_reaches_the_terminal_whatever_is_in_it() {
    let file = broken();
    let export = Export::of(&file.path, &["-o", "redact"]);
    assert_eq!(export.output.status.code(), ERRORS_FOUND);
    let said = export.said();
    assert!(!said.contains(SECRET) && !said.contains("file 1"), "{said}");
    assert!(
        said.contains("message 0x2000"),
        "objects have numbers: {said}"
    );
    assert!(export.list().contains(SECRET), "the copy is the user's own");
    let index = ostfs(&["index", "-o", "redact", file.path.to_str().unwrap()]);
    let errors = String::from_utf8(index.stderr).unwrap();
    assert!(!errors.contains(SECRET), "{errors}");
}

#[test]
fn what_is_not_whole_is_exit_code_4_of_every_command_that_reads_it_all() {
    let file = broken();
    let path = file.path.to_str().unwrap();
    let listed = ostfs(&["ls", "-R", path]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    let mails: Vec<&str> = listed
        .lines()
        .filter(|line| line.ends_with(".eml"))
        .collect();
    let (whole, broken): (Vec<&str>, Vec<&str>) =
        mails.iter().partition(|name| name.contains("Whole"));
    let cat = ostfs(&["cat", path, broken[0], whole[0]]);
    assert_eq!(cat.status.code(), ERRORS_FOUND);
    let text = String::from_utf8_lossy(&cat.stdout).into_owned();
    assert!(text.contains("Subject: Whole"), "it goes on to the end");
    assert_eq!(ostfs(&["cat", path, whole[0]]).status.code(), Some(0));
    assert_eq!(ostfs(&["index", path]).status.code(), ERRORS_FOUND);
}

#[test]
fn each_item_that_is_not_whole_is_listed_by_its_path_and_no_other() {
    let export = Export::of(&broken().path, &[]);
    let list = export.list();
    let paths = not_whole(&list);
    assert_eq!(paths.len(), BROKEN, "{list}");
    for path in paths {
        let text = fs::read_to_string(export.target.join(path)).unwrap();
        assert!(text.contains("X-Ostfs-Problem: "), "{path}: {text}");
    }
}

#[test]
fn every_command_names_what_is_not_whole_by_its_path_as_far_as_a_terminal_takes_it() {
    let file = broken();
    let path = file.path.to_str().unwrap();
    let export = Export::of(&file.path, &[]);
    let list = export.list();
    let all: HashSet<&str> = not_whole(&list).into_iter().collect();
    assert_eq!(all.len(), BROKEN);
    let scratch = tempfile::tempdir().unwrap();
    let new = scratch.path().join("new.pst");
    let commands: [&[&str]; 2] = [
        &["search", path, "seagull"],
        &["export", "--to", "pst", path, new.to_str().unwrap()],
    ];
    for arguments in commands {
        let errors = text(ostfs(arguments).stderr);
        let named = not_whole(&errors);
        assert_eq!(named.len(), SHOWN, "{arguments:?}: {errors}");
        assert!(named.iter().all(|path| all.contains(path)), "{errors}");
        let redacted = [arguments, &["-o", "redact"]].concat();
        fs::remove_file(&new).ok();
        let errors = text(ostfs(&redacted).stderr);
        assert!(!errors.contains(SECRET), "{redacted:?}: {errors}");
    }
    let more = format!("... and {} more are not whole", BROKEN - SHOWN);
    let errors = text(ostfs(&["search", path, "seagull"]).stderr);
    assert!(errors.contains(&more), "{errors}");
}

#[test]
fn cat_and_the_problems_of_a_mount_name_what_was_read_and_is_not_whole_by_its_path() {
    let file = broken();
    let path = file.path.to_str().unwrap();
    let export = Export::of(&file.path, &[]);
    let list = export.list();
    let [one, other, ..] = not_whole(&list)[..] else {
        panic!("{list}")
    };
    let read = ostfs(&["cat", path, one, other, ".ostfs/problems.txt"]);
    let (written, errors) = (text(read.stdout), text(read.stderr));
    let (_, problems) = written.rsplit_once("\n\n").unwrap_or(("", &written));
    assert_eq!(not_whole(&errors), [one, other], "{errors}");
    assert_eq!(not_whole(problems), [one, other], "{problems}");
}

#[test]
fn a_folder_that_is_not_whole_is_named_by_its_path() {
    let mut folder = 0;
    let file = mailbox::write(Format::Unicode, Crypt::Permute, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        folder = store.folder(inbox, "Budget");
        store.message(folder, mail("One"));
    });
    let damage = file.damage();
    let table = file.layout.node(contents_table(folder)).data;
    damage.zero_block(damage.leaves(table)[0]);
    let path = file.path.to_str().unwrap();
    let told = format!("folder {folder:#x}: \"Inbox/Budget\" is not whole");
    let export = Export::of(&file.path, &[]);
    let list = export.list();
    let errors = text(export.output.stderr);
    let search = text(ostfs(&["search", path, "seagull"]).stderr);
    let index = text(ostfs(&["index", path]).stderr);
    for said in [list, errors, search, index] {
        assert_eq!(said.matches(&told).count(), 1, "{said}");
        assert!(!said.contains("\"Inbox\" is not whole"), "{said}");
    }
}
