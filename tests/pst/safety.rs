//! What is under the name of the new file is whole, or nothing, or what was there before.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::mailbox::{File, mail, write};
use crate::mounted::ostfs;
use crate::support::*;
use crate::{copy, findings};

fn source() -> File {
    write(Format::Unicode, Crypt::Permute, |store| {
        let folder = store.folder(store.ipm_subtree(), "Folder");
        for number in 0..300 {
            let message = mail(&format!("Message {number}"));
            store.message(
                folder,
                message.attachment("a.bin", Payload::random(50_000, number)),
            );
        }
    })
}

#[test]
fn only_its_owner_may_read_it() {
    let copy = copy(&source().path, &[]);
    let mode = fs::metadata(&copy.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_file_that_is_there_stays_without_force() {
    let file = source();
    let target = file.path.with_file_name("there.pst");
    fs::write(&target, "something").unwrap();
    let paths = [file.path.to_str().unwrap(), target.to_str().unwrap()];
    let output = ostfs(&[&["export", "--to", "pst"], &paths[..]].concat());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(fs::read(&target).unwrap(), b"something");
    let output = ostfs(&[&["export", "--force", "--to", "pst"], &paths[..]].concat());
    assert!(output.status.success(), "{output:?}");
    assert_eq!(findings(&target), [""; 0]);
}

#[test]
fn a_kill_leaves_nothing_under_the_name() {
    let file = source();
    for delay in [0, 5, 20, 50, 100, 200, 400] {
        let scratch = tempfile::tempdir().unwrap();
        let target = scratch.path().join("killed.pst");
        let mut child = Command::new(env!("CARGO_BIN_EXE_ostfs"))
            .args(["export", "--to", "pst"])
            .args([&file.path, &target])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert!(status.success() == target.exists(), "{delay} ms: {status}");
        if target.exists() {
            assert_eq!(findings(&target), [""; 0]);
        }
    }
}

/// A limit on the size of files stands for a full disk.
#[test]
fn no_room_leaves_nothing() {
    let file = source();
    for blocks in [0, 1, 600, 2000, 10_000] {
        let scratch = tempfile::tempdir().unwrap();
        let target = scratch.path().join("full.pst");
        // SIGXFSZ is passed over, so that writing fails.
        let script = format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec {} export --to pst {} {}",
            env!("CARGO_BIN_EXE_ostfs"),
            file.path.display(),
            target.display()
        );
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{blocks}: {output:?}");
        let left: Vec<_> = fs::read_dir(scratch.path()).unwrap().collect();
        assert!(left.is_empty(), "{blocks}: {left:?}");
    }
}

#[test]
fn the_same_source_gives_the_same_bytes() {
    let file = source();
    let (one, two) = (copy(&file.path, &[]), copy(&file.path, &[]));
    assert!(fs::read(&one.path).unwrap() == fs::read(&two.path).unwrap());
}
