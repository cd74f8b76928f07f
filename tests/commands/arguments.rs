//! Command lines that ask for nothing, for too much, or for what is not there; and names that are no text.

use std::cell::Cell;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::mounted::OSTFS;
use crate::support::*;
use crate::{needs, programs};

const NOT_FOUND: i32 = 2;
const USAGE: i32 = 16;

/// A folder with `mail.pst`.
struct Scene(TempDir);

impl Scene {
    fn new() -> Self {
        let scene = Self(tempfile::tempdir().unwrap());
        let mut store = Store::new(Format::Unicode, Crypt::Permute);
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        for number in 0..200 {
            let mail = Message::mail(&format!("Mail {number}"));
            store.message(inbox, mail.attachment("a.bin", vec![1; 5000]));
        }
        store.write(scene.path("mail.pst")).unwrap();
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn in_it(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.0.path()).env_remove("RUST_LOG");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.in_it(OSTFS).args(arguments).output().unwrap()
    }

    /// Runs ostfs, which must end with `code`; what it said.
    fn ends(&self, arguments: &[&str], code: i32) -> String {
        let output = self.run(arguments);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        said
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn options_may_stand_between_files_and_what_comes_behind_them() {
    let scene = Scene::new();
    for arguments in [
        &["export", "mail.pst", "--jobs", "1", "new"][..],
        &["export", "mail.pst", "--to", "tar", "new.tar"],
        &["search", "mail.pst", "--count", "Mail"],
    ] {
        scene.ends(arguments, 0);
    }
    assert!(scene.path("new").is_dir() && scene.path("new.tar").is_file());
    for (arguments, missing) in [
        (["export", "mail.pst"], "give FILE and DIR"),
        (["search", "mail.pst"], "give FILE and QUERY"),
    ] {
        let said = scene.ends(&arguments, USAGE);
        assert!(said.contains(missing), "{said}");
    }
}

#[test]
fn a_filter_for_nothing_takes_not_everything() {
    let scene = Scene::new();
    // As of a variable of the shell that is not set.
    for option in [
        "--folder",
        "--since",
        "--until",
        "--from",
        "--subject",
        "--class",
    ] {
        for command in [&["export"][..], &["export", "--to", "pst"], &["index"]] {
            let new = (command[0] == "export").then_some("new");
            let arguments = [command, &[option, "", "mail.pst"]].concat();
            let arguments: Vec<&str> = arguments.into_iter().chain(new).collect();
            let said = scene.ends(&arguments, USAGE);
            assert!(said.contains(option), "{said}");
            assert!(!scene.path("new").exists());
        }
        scene.ends(&["diff", option, "", "mail.pst", "mail.pst"], USAGE);
    }
    scene.ends(&["search", "--folder", "", "mail.pst", "mail"], USAGE);
}

#[test]
fn more_threads_than_there_can_be_are_refused() {
    let scene = Scene::new();
    for number in ["0", "20000", "1000000", "18446744073709551615", "many"] {
        for arguments in [
            ["export", "-j", number, "mail.pst", "new"],
            ["search", "--jobs", number, "mail.pst", "mail"],
        ] {
            let said = scene.ends(&arguments, USAGE);
            let part = if number == "many" { "many" } else { "1..=1024" };
            assert!(said.contains(part), "{said}");
        }
    }
    scene.ends(&["export", "-j", "1024", "mail.pst", "new"], 0);
}

/// The first of users who have no processes: a limit counts all that a user has, also a guard that has not left yet.
const SOMEBODY: u32 = 54_321;

#[test]
fn where_the_system_has_fewer_threads_these_do_all_and_where_it_has_none_that_is_told() {
    if !programs::installed(&["prlimit"]) {
        return;
    }
    let scene = Scene::new();
    fs::set_permissions(scene.0.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let user = Cell::new(SOMEBODY);
    let limited = |threads: u32, arguments: &[&str]| {
        user.set(user.get() + 1);
        let mut command = scene.in_it("prlimit");
        let limit = format!("--nproc={threads}");
        let command = command.args([&limit, "--", OSTFS]).args(arguments);
        command.uid(user.get()).gid(user.get()).output()
    };
    if !limited(1, &["--version"]).is_ok_and(|output| output.status.success()) {
        needs::ignored("root alone runs a program as somebody else");
        return;
    }
    let whole = scene
        .run(&["export", "--to", "tar", "mail.pst", "-"])
        .stdout;
    let many = ["--jobs", "64"];
    // The program, perhaps its guard, and these.
    for threads in 1..9 {
        let tar = [&["export", "--to", "tar"], &many[..], &["mail.pst", "-"]].concat();
        let name = format!("{threads}");
        let files = [&["export"], &many[..], &["mail.pst", &name]].concat();
        let pst = format!("{threads}.pst");
        let pst = ["export", "--to", "pst", "mail.pst", &pst];
        let index = format!("{threads}.words");
        let search = ["search", "--count", "--index", &index, "mail.pst", "mail"];
        let search = [&search[..], &many].concat();
        let commands = [
            &tar[..],
            &files,
            &pst,
            &search,
            &["diff", "mail.pst", "mail.pst"],
        ];
        for arguments in commands {
            let output = limited(threads, arguments).unwrap();
            let said = said(&output);
            assert!(
                !said.contains("panicked"),
                "{threads}: {arguments:?}: {said}"
            );
            match output.status.code() {
                Some(0) if arguments == tar => assert!(output.stdout == whole, "{threads}"),
                Some(0) if arguments == search => assert_eq!(output.stdout, b"200\n"),
                Some(0) => {}
                Some(1 | 2) => assert!(said.contains("temporarily"), "{arguments:?}: {said}"),
                code => panic!("{threads}: {arguments:?}: {code:?}: {said}"),
            }
            assert!(
                threads < 8 || output.status.success(),
                "{arguments:?}: {said}"
            );
        }
    }
}

#[test]
fn a_file_that_is_not_there_is_no_new_directory() {
    let scene = Scene::new();
    for command in [&["export"][..], &["mount"], &[]] {
        for missing in ["gone.ost", "GONE.PST"] {
            let arguments = [command, &["mail.pst", missing]].concat();
            let said = scene.ends(&arguments, NOT_FOUND);
            assert!(said.contains(&format!("{missing}: no such file")), "{said}");
            assert!(!scene.path(missing).exists());
        }
    }
    scene.ends(&["export", "mail.pst", "mail.ost/"], 0);
    assert!(scene.path("mail.ost/Inbox").is_dir());
    fs::copy(scene.path("mail.pst"), scene.path("z.pst")).unwrap();
    // As of *.pst.
    for (arguments, part) in [
        (["export", "mail.pst", "z.pst"], "the last argument is DIR"),
        (
            ["mount", "mail.pst", "z.pst"],
            "the last argument is MOUNTPOINT",
        ),
    ] {
        let said = said(&scene.run(&arguments));
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn without_a_directory_for_what_is_new_every_command_says_the_same() {
    let scene = Scene::new();
    for (arguments, new) in [
        (&["export", "mail.pst"][..], "gone/new"),
        (&["export", "--to", "maildir", "mail.pst"], "gone/new"),
        (&["export", "--to", "mbox", "mail.pst"], "gone/new/"),
        (&["export", "--to", "mbox", "mail.pst"], "gone/new"),
        (&["export", "--to", "tar", "mail.pst"], "gone/new.tar"),
        (&["export", "--to", "zip", "mail.pst"], "gone/new.zip"),
        (&["export", "--to", "pst", "mail.pst"], "gone/new.pst"),
        (&["export", "--to", "pst", "mail.pst"], "gone/new/"),
        (
            &["export", "--to", "pst", "--split", "1G", "mail.pst"],
            "gone/new",
        ),
        (&["export", "mail.pst", "new", "--manifest"], "gone/new.csv"),
        (&["export", "mail.pst", "new", "--problems"], "gone/new.txt"),
    ] {
        let arguments = [arguments, &[new]].concat();
        let said = scene.ends(&arguments, NOT_FOUND);
        let line = format!("ostfs: {new}: the directory above it does not exist; make it first\n");
        assert_eq!(said, line, "{arguments:?}");
        assert!(!scene.path("gone").exists(), "{arguments:?}");
    }
}

#[test]
fn a_word_that_is_neither_command_nor_file_is_said_to_be_neither() {
    let scene = Scene::new();
    for (arguments, line) in [
        (
            &["junk"][..],
            "ostfs: junk: no such command, and no such file; \"ostfs --help\" has the commands\n",
        ),
        (
            &["exprot", "mail.pst", "out"],
            "ostfs: exprot: no such command, and no such file; did you mean: ostfs export\n",
        ),
        (
            &["a\u{1b}[31m b"],
            "ostfs: $'a\\033[31m b': no such command, and no such file; \"ostfs --help\" has the commands\n",
        ),
    ] {
        assert_eq!(scene.ends(arguments, USAGE), line, "{arguments:?}");
    }
}

#[test]
fn an_empty_argument_is_said_to_be_one() {
    let scene = Scene::new();
    for (command, argument) in [("search", "<FILE|QUERY>"), ("info", "<FILE>")] {
        let said = scene.ends(&[command, "mail.pst", ""], USAGE);
        let line = format!(
            "ostfs: an empty argument stands for {argument}, as of a variable of the shell that is not set; ostfs {command} --help \
             tells what it takes\n"
        );
        assert_eq!(said, line);
    }
}

#[test]
fn a_working_directory_that_was_removed_is_named_as_the_reason() {
    let scene = Scene::new();
    let gone = scene.path("gone");
    for (arguments, code) in [
        ("ls mail.pst", NOT_FOUND),
        ("export $1 out", NOT_FOUND),
        ("mount $1 there", NOT_FOUND),
    ] {
        let script = format!("mkdir $2 && cd $2 && rmdir $2 && exec {OSTFS} {arguments}");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script, "sh"]);
        let output = shell.args([scene.path("mail.pst"), gone.clone()]).output();
        let output = output.unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments}: {said}");
        let reason = "; the working directory was removed: go to another with cd, and try again\n";
        assert!(said.ends_with(reason), "{arguments}: {said}");
    }
}

#[test]
fn what_is_closed_is_no_place_for_a_result() {
    let scene = Scene::new();
    for line in [
        "ls mail.pst",
        "ls -lR mail.pst",
        "cat mail.pst .ostfs/info.json",
        "index mail.pst",
        "index --json --no-hash mail.pst",
        "info mail.pst",
        "info --json mail.pst",
        "check -v mail.pst",
        "check --json mail.pst",
        "search mail.pst mail",
        "search -c mail.pst mail",
        "diff mail.pst mail.pst",
        "export --to tar mail.pst -",
        "export --to zip mail.pst -",
        "export --to mbox mail.pst -",
        "--help",
        "export --help",
        "help recover",
        "--version",
    ] {
        let mut command = scene.in_it("sh");
        command.args(["-c", &format!("\"$0\" {line} >&-"), OSTFS]);
        let output = command.output().unwrap();
        let said = said(&output);
        let trouble = match &line[..4] {
            "sear" | "diff" => 2,
            _ => 1,
        };
        assert_eq!(output.status.code(), Some(trouble), "{line}: {said}");
        assert!(said.contains("Bad file descriptor"), "{line}: {said}");
        assert_eq!(said.lines().count(), 1, "{line}: {said}");
        // Whoever wants nothing to be shown gets that.
        let mut command = scene.in_it("sh");
        command.args(["-c", &format!("\"$0\" {line} >/dev/null"), OSTFS]);
        assert!(command.status().unwrap().success(), "{line}");
    }
    let mut command = scene.in_it("sh");
    let status = command.args(["-c", "\"$0\" export mail.pst new >&-", OSTFS]);
    assert!(status.status().unwrap().success());
}

#[test]
fn no_name_of_a_file_acts_on_a_terminal_and_commands_in_messages_can_be_copied() {
    if !programs::installed(&["bash"]) {
        return;
    }
    let scene = Scene::new();
    let name = OsStr::from_bytes(b"e\x1b]0;HACK\x07 it's\xff\xe2\x80\xae.pst");
    let word = r"$'e\033]0;HACK\007 it\'s\377\342\200\256.pst'";
    let run = |before: &[&str], behind: &[&str]| {
        let mut command = scene.in_it(OSTFS);
        command
            .args(before)
            .arg(name)
            .args(behind)
            .output()
            .unwrap()
    };
    let commands = [
        (&["info"][..], &[][..]),
        (&["check", "--verbose"], &[]),
        (&["ls"], &[]),
        (&["ls", "-R", "mail.pst"], &[]),
        (&["index"], &[]),
        (&["diff", "mail.pst"], &[]),
        (&["search"], &["mail"]),
        (&["search", "--index", "words"], &["mail"]),
        (&["search", "--index"], &["mail.pst", "mail"]),
        (&["export"], &["new"]),
        (&["export", "--to", "tar", "mail.pst"], &[]),
        (&["export", "--to", "pst", "mail.pst"], &[]),
        (&["export", "--to", "pst", "--split", "1G"], &["parts"]),
        (&["export", "mail.pst"], &[]),
        (&["export", "--manifest"], &["mail.pst", "new"]),
        (&["export", "--problems"], &["mail.pst", "new"]),
        (&["export", "--summary"], &["mail.pst", "new"]),
        (&["export", "--to", "tar"], &["-"]),
        (&["unmount"], &[]),
        (&["open"], &[]),
        (&[], &[]),
    ];
    let mut named = 0;
    for content in [
        None,
        Some(&b""[..]),
        Some(b"PK\x03\x04 no mailbox"),
        Some(b"mail"),
    ] {
        for (before, behind) in commands {
            fs::remove_file(scene.path("").join(name)).ok();
            fs::remove_dir_all(scene.path("").join(name)).ok();
            match content {
                Some(b"mail") => {
                    _ = fs::copy(scene.path("mail.pst"), scene.path("").join(name)).unwrap()
                }
                Some(bytes) => fs::write(scene.path("").join(name), bytes).unwrap(),
                None => {}
            }
            let is_mounted = [&[][..], &["open"]].contains(&before);
            if is_mounted && content == Some(b"mail") {
                continue;
            }
            let output = run(before, behind);
            let is_data = before.contains(&"tar") && behind == ["-"];
            let shown = if is_data { Vec::new() } else { output.stdout };
            let shown = [shown, output.stderr].concat();
            let shown = String::from_utf8(shown).unwrap();
            let acts = |c: char| c.is_control() && c != '\n' && c != '\t' || c == '\u{202E}';
            assert!(!shown.contains(acts), "{before:?} {behind:?}: {shown:?}");
            named += usize::from(shown.contains(word));
        }
    }
    assert!(named > 40, "{named}");
    // The command that a message gives is exact.
    let echoed = scene
        .in_it("bash")
        .args(["-c", &format!("printf %s {word}")])
        .output();
    assert_eq!(echoed.unwrap().stdout, name.as_bytes());
    let said = scene.ends(&["info", "--\u{1b}]0;HACK\u{7}", "mail.pst"], USAGE);
    assert!(!said.contains('\u{1b}'), "{said:?}");
}
