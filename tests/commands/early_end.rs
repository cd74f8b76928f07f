//! What an export leaves that Ctrl-C ends, and what it says of that.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use crate::mounted::{OSTFS, export, names_in, ostfs, picture, run, wait_until};
use crate::support::*;
use crate::targets::contents;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The program, which a signal ends, whatever the shell or the service has ignored that these tests were started from.
fn interruptible() -> Command {
    let mut command = Command::new("env");
    command.args(["--default-signal=INT,HUP", OSTFS]);
    command
}

/// Exports `file` to `target` until `has_begun`, and presses Ctrl-C.
fn interrupted(
    file: &Path,
    arguments: &[&str],
    target: &Path,
    has_begun: impl Fn() -> bool,
) -> String {
    let child = interruptible()
        .args(["export", "-j", "1"])
        .args(arguments)
        .args([file, target])
        .env_remove("RUST_LOG")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("something written", has_begun);
    run("kill", &["-INT", &child.id().to_string()]);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.signal(), Some(libc::SIGINT), "{output:?}");
    let errors = errors(&output);
    assert_eq!(errors.lines().count(), 1, "{errors}");
    errors
}

/// Bytes of the file; 0 if it is not there.
fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}

#[test]
fn what_cannot_be_gone_on_with_is_removed_and_that_is_said() {
    let scratch = tempfile::tempdir().unwrap();
    let file = large(scratch.path());
    for form in ["tar", "zip", "mbox"] {
        let target = scratch.path().join("mail");
        let part = scratch.path().join(".mail.part");
        let said = interrupted(&file, &["--to", form], &target, || size(&part) > 0);
        assert!(
            said.contains("interrupted") && said.contains("removed"),
            "{said}"
        );
        assert!(!said.contains("--resume"), "{said}");
        assert_eq!(names_in(scratch.path()), ["large.pst"], "{form}");
    }
}

/// An export of `file` that nobody interrupts.
fn export_all(file: &Path, form: &str, target: &Path) {
    let output = ostfs(&["export", "--to", form, text(file), text(target)]);
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn of_mboxes_in_a_directory_each_is_whole() {
    let scratch = tempfile::tempdir().unwrap();
    let file = large(scratch.path());
    let whole = scratch.path().join("whole/");
    export_all(&file, "mbox", &whole);
    let whole = picture(&whole);
    let target = scratch.path().join("boxes/");
    let said = interrupted(&file, &["--to", "mbox"], &target, || has_begun(&target));
    assert!(
        said.contains("interrupted") && !said.contains("--resume"),
        "{said}"
    );
    // If none was whole yet, the directory is gone as well.
    fs::create_dir_all(&target).unwrap();
    let files = picture(&target).into_iter();
    for (path, entry) in files.filter(|(_, entry)| entry.kind == 'f') {
        assert_eq!(whole.get(&path), Some(&entry), "{path:?}");
    }
    fs::write(target.join("mbox"), "").unwrap();
    // No option goes on there: --force replaces files, and is refused for a directory.
    for (option, code, reason) in [(&[][..], 1, "is not empty"), (&["--force"], 16, "--force")] {
        let export = ["export", "--to", "mbox", text(&file), text(&target)];
        let output = ostfs(&[&export, option].concat());
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let said = errors(&output);
        assert!(
            said.contains(reason) && !said.contains("--resume"),
            "{said}"
        );
    }
}

#[test]
fn a_pst_is_gone_on_with_by_the_command_that_is_named() {
    let scratch = tempfile::tempdir().unwrap();
    let file = large(scratch.path());
    let whole = scratch.path().join("whole.pst");
    export_all(&file, "pst", &whole);
    let directory = scratch.path().join("new");
    fs::create_dir(&directory).unwrap();
    let target = directory.join("a.pst");
    let part = directory.join(".a.pst.part");
    let to_pst = ["--to", "pst"];
    let child = interruptible()
        .args(["export", "--to", "pst", text(&file), text(&target)])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("some items", || size(&part) > 1 << 20);
    run("kill", &["-INT", &child.id().to_string()]);
    let output = child.wait_with_output().unwrap();
    let said = errors(&output);
    assert!(
        said.contains("interrupted") && said.contains("--resume"),
        "{said}"
    );
    assert_eq!(names_in(&directory), [".a.pst.journal", ".a.pst.part"]);
    let again = [
        &["export", "--resume"],
        &to_pst[..],
        &[text(&file), text(&target)],
    ]
    .concat();
    let output = ostfs(&again);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(names_in(&directory), ["a.pst"]);
    assert!(fs::read(&target).unwrap() == fs::read(&whole).unwrap());
}

#[test]
fn a_list_that_is_not_complete_is_not_taken_for_one_that_is() {
    let scratch = tempfile::tempdir().unwrap();
    let file = large(scratch.path());
    let target = scratch.path().join("tree");
    let manifest = scratch.path().join("m.csv");
    let problems = scratch.path().join("problems.txt");
    let arguments = [
        "--manifest",
        text(&manifest),
        "--problems",
        text(&problems),
        "--load-file",
        "dat",
    ];
    let said = interrupted(&file, &arguments, &target, || size(&manifest) > 5000);
    assert!(said.contains("m.csv is not complete"), "{said}");
    let records = fs::read_to_string(&manifest).unwrap();
    assert!(!records.contains("large.pst"), "a record of the source");
    assert!(
        fs::read_to_string(&problems)
            .unwrap()
            .contains("not come to its end")
    );
    let lists: Vec<_> = names_in(&target)
        .into_iter()
        .filter(|name| name.contains("load-file"))
        .collect();
    assert_eq!(lists, [""; 0]);
    let again = [
        "export",
        "--resume",
        "--problems",
        text(&problems),
        "--manifest",
        text(&manifest),
        text(&file),
        text(&target),
    ];
    let output = ostfs(&again);
    assert!(output.status.success(), "{output:?}");
    assert!(fs::read_to_string(&manifest).unwrap().contains("large.pst"));
    assert_eq!(size(&problems), 0);
}

#[test]
fn ctrl_c_leaves_whole_files_and_says_how_to_go_on() {
    let scratch = tempfile::tempdir().unwrap();
    let file = large(scratch.path());
    let (_kept, whole) = export(&file, &[]);
    let target = scratch.path().join("tree");
    let child = interruptible()
        .args(["export", "-j", "1", text(&file), text(&target)])
        .env_remove("RUST_LOG")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("a first folder", || has_begun(&target));
    thread::sleep(Duration::from_millis(20));
    run("kill", &["-INT", &child.id().to_string()]);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.signal(), Some(libc::SIGINT), "{output:?}");
    assert!(errors(&output).contains("--resume"), "{}", errors(&output));
    let all = contents(&whole);
    let some = contents(&target);
    assert!(some.iter().all(|content| all.contains(content)));
    let resumed = ostfs(&["export", "--resume", text(&file), text(&target)]);
    assert!(resumed.status.success(), "{}", errors(&resumed));
    assert_eq!(contents(&target), all);
}

#[test]
fn a_signal_that_whoever_started_the_export_ignores_ends_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let file = large(scratch.path());
    let target = scratch.path().join("tree");
    // As nohup(1) and shells do it for what runs in the background.
    let child = Command::new("sh")
        .args(["-c", "trap '' HUP INT; exec \"$@\"", "sh", OSTFS])
        .args(["export", "-j", "1", text(&file), text(&target)])
        .env_remove("RUST_LOG")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("a first folder", || has_begun(&target));
    for signal in ["-INT", "-HUP"] {
        // It may have ended by itself.
        let sent = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .output();
        assert!(sent.is_ok());
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Whether something is in the directory.
fn has_begun(target: &Path) -> bool {
    fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_some())
}

/// A mailbox that takes a while, in `directory`.
pub fn large(directory: &Path) -> PathBuf {
    let file = directory.join("large.pst");
    let mut mailbox = realistic::Mailbox::new(1000);
    mailbox.bytes = Some(10 << 20);
    let mut writer = Writer::create(&file, Options::new(Format::Unicode, Crypt::Permute)).unwrap();
    let folders = mailbox.make_folders(&mut writer);
    for (folder, mail) in mailbox.mails() {
        writer.message(folders[folder], &mail).unwrap();
    }
    writer.finish().unwrap();
    file
}
