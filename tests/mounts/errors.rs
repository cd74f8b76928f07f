//! Whatever keeps a file from being mounted is told in one line that says what to do next, with an exit code that
//! scripts can rely on, and the file stays as it was.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::mounted::OSTFS;
use tempfile::TempDir;

const NOT_FOUND: i32 = 2;
const NOT_OUTLOOK: i32 = 3;
const MOUNT_FAILED: i32 = 6;
const USAGE: i32 = 16;
/// A user who owns nothing.
const NOBODY: u32 = 65534;

/// A folder with a file "mail.ost", which is no Outlook data file, and an empty directory "mnt".
struct Scene(TempDir);

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mail.ost"), "no Outlook data file").unwrap();
        fs::create_dir(folder.path().join("mnt")).unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(OSTFS);
        command
            .args(arguments)
            .current_dir(self.path())
            .env_remove("RUST_LOG");
        command
    }

    /// Runs ostfs, which must fail with `code`, and returns its message.
    fn fails(&self, arguments: &[&str], code: i32) -> String {
        failed(&self.command(arguments).output().unwrap(), code)
    }
}

fn failed(output: &Output, code: i32) -> String {
    let message = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{message}");
    assert!(output.stdout.is_empty());
    assert!(message.starts_with("ostfs: "), "{message}");
    message
}

/// Like [`Scene::fails`], for messages of one line that name each of `parts`.
fn fails_with(scene: &Scene, arguments: &[&str], code: i32, parts: &[&str]) {
    let message = scene.fails(arguments, code);
    assert_eq!(message.trim_end().lines().count(), 1, "{message}");
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let scene = Scene::new();
    fails_with(
        &scene,
        &["mount", "gone.ost", "mnt"],
        NOT_FOUND,
        &["gone.ost: no such file", "check the path"],
    );
    symlink("nowhere", scene.path().join("dangling.ost")).unwrap();
    fails_with(
        &scene,
        &["mount", "dangling.ost", "mnt"],
        NOT_FOUND,
        &["dangling.ost: no such file"],
    );
}

#[test]
fn a_directory_is_not_taken_for_a_file() {
    let scene = Scene::new();
    let parts = ["mnt: is a directory", "name the .ost or .pst file"];
    for arguments in [&["mount", "mnt", "mail.ost"][..], &["mount", "mnt"]] {
        fails_with(&scene, arguments, NOT_OUTLOOK, &parts);
    }
}

#[test]
fn a_pipe_is_refused_without_waiting_for_its_writer() {
    let scene = Scene::new();
    let made = Command::new("mkfifo")
        .arg(scene.path().join("pipe"))
        .status()
        .unwrap();
    assert!(made.success());
    fails_with(
        &scene,
        &["mount", "pipe", "mnt"],
        NOT_OUTLOOK,
        &["pipe: is not a regular file"],
    );
}

#[test]
fn a_file_that_may_not_be_read_is_named() {
    let scene = Scene::new();
    let file = scene.path().join("mail.ost");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(scene.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = scene.command(&["mount", "mail.ost", "mnt"]);
    if File::open(&file).is_ok() {
        // Root may read everything; nobody may not.
        command.uid(NOBODY);
    }
    match command.output() {
        Ok(output) => {
            let message = failed(&output, 1);
            assert!(
                message.contains("mail.ost: no permission to read it; run ostfs as a user who may"),
                "{message}"
            );
        }
        Err(error) => println!("not tested: another user may not run the program here ({error})"),
    }
}

#[test]
fn a_missing_mount_point_comes_with_the_command_that_creates_it() {
    let scene = Scene::new();
    let parts = ["does not exist", "mkdir -p", "/gone/mail"];
    fails_with(
        &scene,
        &["mount", "mail.ost", "gone/mail"],
        NOT_FOUND,
        &parts,
    );
    fails_with(
        &scene,
        &["mount", "mail.ost", "gone/my mail"],
        NOT_FOUND,
        &["mkdir -p '", "/my mail'"],
    );
}

#[test]
fn a_mount_point_must_be_a_directory() {
    let scene = Scene::new();
    let parts = [
        "mail.ost is not a directory",
        "name an empty directory",
        "MOUNTPOINT",
    ];
    fails_with(
        &scene,
        &["mount", "mail.ost", "mail.ost"],
        MOUNT_FAILED,
        &parts,
    );
}

#[test]
fn files_of_the_user_are_not_hidden_unasked() {
    let scene = Scene::new();
    fs::write(scene.path().join("mnt/diary.txt"), "mine").unwrap();
    let parts = ["mnt is not empty", "-o nonempty"];
    fails_with(&scene, &["mount", "mail.ost", "mnt"], MOUNT_FAILED, &parts);
}

#[test]
fn unknown_options_are_named_with_the_one_that_is_near() {
    let scene = Scene::new();
    let parts = [
        "-o atachments=eml: unknown option",
        "attachments=both|hidden|eml|dir",
        "ostfs mount --help",
    ];
    fails_with(
        &scene,
        &["mount", "mail.ost", "mnt", "-o", "ro,atachments=eml"],
        USAGE,
        &parts,
    );
}

#[test]
fn wrong_values_are_named_with_a_right_one() {
    let scene = Scene::new();
    for (option, example) in [
        ("cache=1K", "cache=256M"),
        ("umask=888", "umask=022"),
        ("uid=jane", "uid=1000"),
        ("attachments=none", "both, hidden, eml or dir"),
    ] {
        let arguments = ["mount", "mail.ost", "mnt", "-o", "all", "-o", option];
        fails_with(
            &scene,
            &arguments,
            USAGE,
            &[&format!("-o {option}: give"), example],
        );
    }
}

#[test]
fn writing_is_not_promised() {
    let scene = Scene::new();
    let parts = ["-o rw", "never writes"];
    fails_with(
        &scene,
        &["mount", "mail.ost", "mnt", "-o", "rw"],
        USAGE,
        &parts,
    );
}

#[test]
fn a_wrong_command_line_shows_the_right_one() {
    let scene = Scene::new();
    const USAGE_LINE: &str = "Usage: ostfs";
    for (arguments, right) in [
        (&[][..], USAGE_LINE),
        (&["moutn", "mail.ost", "mnt"], "did you mean: ostfs mount"),
        (&["mount"], USAGE_LINE),
        (&["mount", "mail.ost", "mnt", "--fast"], USAGE_LINE),
    ] {
        let message = scene.fails(arguments, USAGE);
        assert!(message.contains(right), "{message}");
        assert!(
            !message.contains('\u{1b}'),
            "colours where nobody looks: {message:?}"
        );
    }
}

#[test]
fn help_and_version_are_no_errors() {
    let scene = Scene::new();
    for (arguments, part) in [
        (&["--help"][..], "Exit codes:"),
        (&["mount", "--help"], "attachments=both|hidden|eml|dir"),
        (&["mount", "--help"], "16  the command line is wrong"),
        (&["--version"], env!("CARGO_PKG_VERSION")),
    ] {
        let output = scene.command(arguments).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(part), "{text}");
        assert!(!text.contains('\u{1b}'));
    }
}

#[test]
fn a_mount_that_fails_makes_no_mount_point() {
    let scene = Scene::new();
    for arguments in [&["mount", "mail.ost"][..], &["mount", "mail.ost", "new"]] {
        scene.fails(arguments, NOT_OUTLOOK);
    }
    let left = fs::read_dir(scene.path()).unwrap().count();
    assert_eq!(left, 2, "mail.ost and mnt");
    fs::write(scene.path().join("mail"), "no extension").unwrap();
    fails_with(
        &scene,
        &["mount", "mail"],
        USAGE,
        &["give the directory to mount on"],
    );
    // Beside an archive lies what was unpacked from it.
    fs::write(scene.path().join("mail.ost.gz"), b"\x1f\x8b").unwrap();
    let parts = ["a gzip archive", "gunzip --keep mail.ost.gz"];
    fails_with(&scene, &["mount", "mail.ost.gz"], NOT_OUTLOOK, &parts);
}

#[test]
fn of_several_files_the_one_that_cannot_be_shown_is_named() {
    let scene = Scene::new();
    // The others would be shown or written all the same, so each is named.
    for (arguments, named) in [
        (
            &["mount", "mail.ost", "gone.pst", "mnt"][..],
            "gone.pst: no such file",
        ),
        (&["export", "mail.ost", "mail.ost", "out"], "mail.ost: "),
    ] {
        let message = scene.fails(arguments, NOT_OUTLOOK);
        assert!(message.contains(&format!("ostfs: {named}")), "{message}");
        assert!(message.contains("ostfs: mail.ost: "), "{message}");
        assert_eq!(message.lines().count(), 2, "{message}");
    }
    fails_with(
        &scene,
        &["mount", "mail.ost", "mail.ost", "mail.ost"],
        MOUNT_FAILED,
        &["is not a directory"],
    );
}

#[test]
fn what_is_not_mounted_is_not_unmounted() {
    let scene = Scene::new();
    for path in ["mnt", "gone", "/", "/proc"] {
        fails_with(
            &scene,
            &["unmount", path],
            MOUNT_FAILED,
            &["is not an ostfs mount", "findmnt"],
        );
    }
}

#[test]
fn mount_8_is_understood() {
    let scene = Scene::new();
    for name in ["mount.ostfs", "mount.fuse.ostfs", "/sbin/mount.ostfs"] {
        // What mount(8) passes on for a line of fstab(5).
        let options = "rw,noexec,nosuid,nodev,user,x-systemd.automount,_netdev,attachments=eml";
        let output = scene
            .command(&["gone.ost", "mnt", "-o", options])
            .arg0(name)
            .output()
            .unwrap();
        assert!(failed(&output, NOT_FOUND).contains("gone.ost: no such file"));
        let output = scene
            .command(&["mail.ost", "gone", "-n", "-s", "-o", "mystery"])
            .arg0(name)
            .output()
            .unwrap();
        assert!(failed(&output, NOT_FOUND).contains("does not exist"));
        let output = scene
            .command(&["mail.ost", "mnt", "-o", "mystery"])
            .arg0(name)
            .output()
            .unwrap();
        assert!(failed(&output, USAGE).contains("-o mystery: unknown option"));
    }
    // mount.fuse(8) runs the plain name.
    let file = scene.path().join("gone.ost");
    let mnt = scene.path().join("mnt");
    let message = scene.fails(
        &[
            file.to_str().unwrap(),
            mnt.to_str().unwrap(),
            "-o",
            "rw,dev,suid",
        ],
        NOT_FOUND,
    );
    assert!(message.contains("no such file"), "{message}");
}

#[test]
fn the_file_is_not_touched() {
    let scene = Scene::new();
    let file = scene.path().join("mail.ost");
    let before = fs::metadata(&file).unwrap();
    let output = scene
        .command(&["mount", "mail.ost", "mnt"])
        .output()
        .unwrap();
    assert!(!failed(&output, output.status.code().unwrap()).is_empty());
    assert_ne!(output.status.code(), Some(0));
    let after = fs::metadata(&file).unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"no Outlook data file");
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
    assert_eq!(before.permissions(), after.permissions());
    assert_eq!(
        fs::read_dir(scene.path()).unwrap().count(),
        2,
        "nothing lies beside the file"
    );
}
