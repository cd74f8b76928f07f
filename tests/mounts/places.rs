//! Where a mount appears: mount points that are made and removed, and several files in one mount.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::mounted::{OSTFS, can_mount, is_mounted, picture, run, unshare_files, wait_until};
use crate::support::sample::sample;
use crate::support::{Crypt, Folders, Format, Message, Store};
use tempfile::TempDir;

/// A folder with the sample as "mail.pst".
fn scene() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().canonicalize().unwrap();
    let store = sample(Format::Unicode, Crypt::Permute);
    store.write(path.join("mail.pst")).unwrap();
    (folder, path)
}

/// A store with one message of this subject.
fn one_message(file: &Path, subject: &str) {
    let mut store = Store::new(Format::Unicode, Crypt::None);
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    store.message(inbox, Message::mail(subject).body(subject));
    store.write(file).unwrap();
}

/// Runs ostfs in `directory`; it must succeed.
fn ostfs_in(directory: &Path, arguments: &[&str]) {
    let output = Command::new(OSTFS)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {message}");
}

/// The process that serves the mount at `path`, found by its arguments.
fn server_of(path: &Path) -> String {
    let name = path.to_str().unwrap();
    let listed = run("pgrep", &["-f", &format!("^[^ ]*ostfs mount .*{name}$")]);
    listed.lines().next().unwrap().to_owned()
}

#[test]
fn a_mount_point_that_is_made_for_the_mount_goes_with_it() {
    if !can_mount() {
        return;
    }
    let (_folder, here) = scene();
    let named = here.join("mail");
    ostfs_in(&here, &["mount", "mail.pst"]);
    assert!(named.join("Inbox").is_dir(), "named as the file");
    ostfs_in(&here, &["unmount", "mail"]);
    wait_until("the directory is gone", || !named.exists());

    let made = here.join("my mail");
    ostfs_in(&here, &["mount", "mail.pst", "my mail"]);
    assert!(made.join("Inbox").is_dir());
    ostfs_in(&here, &["unmount", "my mail"]);
    wait_until("the directory is gone", || !made.exists());

    // A directory of the user's stays, named or not.
    fs::create_dir(&named).unwrap();
    for arguments in [&["mount", "mail.pst"][..], &["mount", "mail.pst", "mail"]] {
        let mut server = Command::new(OSTFS)
            .args(arguments)
            .arg("-f")
            .current_dir(&here)
            .spawn()
            .unwrap();
        wait_until("the mount is there", || is_mounted(&named));
        ostfs_in(&here, &["unmount", "mail"]);
        assert!(server.wait().unwrap().success());
        assert!(named.is_dir());
    }
}

#[test]
fn a_killed_mount_takes_its_mount_point_along() {
    if !can_mount() {
        return;
    }
    let (_folder, here) = scene();
    let made = here.join("made");
    ostfs_in(&here, &["mount", "mail.pst", made.to_str().unwrap()]);
    run("kill", &["-KILL", &server_of(&made)]);
    wait_until("the mount is gone", || !is_mounted(&made));
    wait_until("the directory is gone", || !made.exists());
}

#[test]
fn each_of_several_files_has_a_directory() {
    if !can_mount() {
        return;
    }
    unshare_files();
    let (_folder, here) = scene();
    fs::create_dir(here.join("old")).unwrap();
    one_message(&here.join("archive.pst"), "First");
    one_message(&here.join("old/Archive.pst"), "Second");
    let files = ["mail.pst", "archive.pst", "old/Archive.pst"];
    let both = |command: &str, target: &str| {
        let mut arguments = vec![command];
        arguments.extend(files);
        arguments.push(target);
        ostfs_in(&here, &arguments);
    };
    both("mount", "all");
    ostfs_in(&here, &["mount", "mail.pst", "alone"]);
    let all = here.join("all");
    let names: Vec<String> = fs::read_dir(&all)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, ["mail.pst", "archive.pst", "Archive.pst ~3"]);
    let shown = picture(&all);
    assert_eq!(picture(&all.join("mail.pst")), picture(&here.join("alone")));
    for (directory, subject) in [("archive.pst", "First"), ("Archive.pst ~3", "Second")] {
        let found = run(
            "grep",
            &["-rl", subject, all.join(directory).to_str().unwrap()],
        );
        assert_eq!(found.lines().count(), 1, "{found}");
        assert!(all.join(directory).join(".ostfs/info.json").is_file());
    }
    let numbers = || -> Vec<u64> {
        let paths = picture(&all).into_keys();
        paths
            .map(|path| all.join(path).symlink_metadata().unwrap().ino())
            .collect()
    };
    let first = numbers();
    let distinct: std::collections::BTreeSet<&u64> = first.iter().collect();
    assert_eq!(distinct.len(), first.len(), "inode numbers are unique");
    let above = all.join("archive.pst/..").metadata().unwrap().ino();
    assert_eq!(above, all.metadata().unwrap().ino());

    both("export", "copy");
    assert_eq!(picture(&here.join("copy")), shown);
    ostfs_in(&here, &["unmount", "all"]);
    both("mount", "all");
    assert_eq!(numbers(), first, "equal on every mount");
    for mount in ["all", "alone"] {
        ostfs_in(&here, &["unmount", mount]);
    }
}
