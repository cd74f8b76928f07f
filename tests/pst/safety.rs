//! What is under the name of the new file is whole, or nothing, or what was there before.

use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::mailbox::{File, mail, write};
use crate::mounted::{names_in, ostfs};
use crate::needs;
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

/// As [`source`], but that the items are hidden: journals and full disks are among those.
fn hidden_source() -> File {
    write(Format::Unicode, Crypt::Permute, |store| {
        let folder = store.folder(store.ipm_subtree(), "Calendar");
        store.message(folder, mail("One"));
        for number in 0..300 {
            let options = Message::new("IPM.Configuration.Calendar", &format!("Options {number}"));
            let view = Payload::random(50_000, number);
            store.message(folder, options.attachment("view.bin", view).associated());
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

/// Exports once more into `target`, by `--resume`; the new file must be `whole`, and nothing beside it.
fn goes_on(file: &File, target: &Path, whole: &[u8], what: &str) {
    let paths = [file.path.to_str().unwrap(), target.to_str().unwrap()];
    let output = ostfs(&[&["export", "--resume", "--to", "pst"], &paths[..]].concat());
    assert!(output.status.success(), "{what}: {output:?}");
    assert!(fs::read(target).unwrap() == whole, "{what}");
    let name = target.file_name().unwrap().to_str().unwrap();
    assert_eq!(names_in(target.parent().unwrap()), [name], "{what}");
}

#[test]
fn a_kill_leaves_nothing_under_the_name_and_resume_goes_on() {
    let file = source();
    let whole = fs::read(copy(&file.path, &[]).path).unwrap();
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
        assert!(!status.success() || target.exists(), "{delay} ms: {status}");
        match target.exists() {
            true => assert!(fs::read(&target).unwrap() == whole, "{delay} ms"),
            false => goes_on(&file, &target, &whole, &format!("{delay} ms")),
        }
    }
}

/// Exports `file` to `target`, which has room for `blocks` of 1024 bytes: a limit on the size of files stands for a full
/// disk.
fn without_room(file: &File, target: &Path, blocks: u32) -> String {
    // SIGXFSZ is passed over, so that writing fails.
    let script = format!(
        "trap '' XFSZ; ulimit -f {blocks}; exec {} export --to pst {} {}",
        env!("CARGO_BIN_EXE_ostfs"),
        file.path.display(),
        target.display()
    );
    let output = Command::new("bash").args(["-c", &script]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{blocks}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn without_room_nothing_is_left_but_what_can_be_gone_on_with() {
    for file in [source(), hidden_source()] {
        let whole = fs::read(copy(&file.path, &[]).path).unwrap();
        assert!(whole.len() > 15_000_000, "all is copied");
        stopped_at_several_sizes(&file, &whole);
    }
}

fn stopped_at_several_sizes(file: &File, whole: &[u8]) {
    for blocks in [0, 1, 600, 2000, 6000, 10_000, 14_000] {
        let scratch = tempfile::tempdir().unwrap();
        let target = scratch.path().join("full.pst");
        let said = without_room(file, &target, blocks);
        let left = names_in(scratch.path());
        match said.contains("--resume") {
            true => assert_eq!(left, [".full.pst.journal", ".full.pst.part"], "{blocks}"),
            false => assert_eq!(left, [""; 0], "{blocks}"),
        }
        goes_on(file, &target, whole, &format!("{blocks} blocks"));
    }
}

#[test]
fn what_was_begun_goes_on_from_where_it_was() {
    let file = source();
    let scratch = tempfile::tempdir().unwrap();
    let target = scratch.path().join("full.pst");
    without_room(&file, &target, 14_000);
    let part = scratch.path().join(".full.pst.part");
    let begun = fs::metadata(&part).unwrap();
    let (inode, size) = (begun.ino(), begun.len());
    assert!(size > 8 << 20, "{size}");
    // What is before the last lines of the journal is not written again: a byte that is changed there stays changed.
    let at = 1 << 20;
    let written = fs::File::options().write(true).open(&part).unwrap();
    written.write_all_at(b"changed", at).unwrap();
    let paths = [file.path.to_str().unwrap(), target.to_str().unwrap()];
    let arguments = ["export", "--resume", "--verify", "off", "--to", "pst"];
    let output = ostfs(&[&arguments, &paths[..]].concat());
    assert!(output.status.success(), "{output:?}");
    assert_eq!(fs::metadata(&target).unwrap().ino(), inode);
    let mut found = [0; 7];
    let copied = fs::File::open(&target).unwrap();
    copied.read_exact_at(&mut found, at).unwrap();
    assert_eq!(&found, b"changed");
}

#[test]
fn what_was_begun_with_other_options_is_refused() {
    let file = source();
    let scratch = tempfile::tempdir().unwrap();
    let target = scratch.path().join("full.pst");
    without_room(&file, &target, 14_000);
    let paths = [file.path.to_str().unwrap(), target.to_str().unwrap()];
    let arguments = ["export", "--resume", "--subject", "1", "--to", "pst"];
    let output = ostfs(&[&arguments, &paths[..]].concat());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("without --resume"), "{said}");
    // Without it, it is written anew.
    let output = ostfs(&[&["export", "--to", "pst"], &paths[..]].concat());
    assert!(output.status.success(), "{output:?}");
    assert_eq!(names_in(scratch.path()), ["full.pst"]);
}

/// Whether this user may have file systems of their own.
fn has_file_systems() -> bool {
    let output = Command::new("unshare").args(["-rm", "true"]).output();
    output.is_ok_and(|output| output.status.success())
}

/// Runs `script` where it may mount a disk on `$1`; `$2` is ostfs, `arguments` are behind it. Returns the exit code, what it said
/// and what it printed, or None where nobody may.
pub fn with_a_disk(script: &str, arguments: &[&str]) -> Option<(Option<i32>, String, String)> {
    if !has_file_systems() {
        needs::ignored("no file system of our own can be mounted");
        return None;
    }
    let disk = tempfile::tempdir().unwrap();
    let output = Command::new("unshare")
        .args(["-rm", "sh", "-c", script, "sh"])
        .arg(disk.path())
        .arg(env!("CARGO_BIN_EXE_ostfs"))
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    Some((output.status.code(), said, printed))
}

#[test]
fn a_disk_that_is_too_small_is_named_before_anything_is_written() {
    let file = source();
    let script = |arguments: &str| {
        let script = format!(
            "mount -t tmpfs -o size=4m none $1 && $2 export {arguments} --to pst $3 $1/copy.pst; code=$?; ls -A $1; exit $code"
        );
        with_a_disk(&script, &[file.path.to_str().unwrap()])
    };
    let Some((code, said, left)) = script("") else {
        return;
    };
    assert_eq!((code, left.as_str()), (Some(1), ""), "{said}");
    assert!(said.contains("--force") && said.contains("free"), "{said}");
    let (code, said, _) = script("--force").unwrap();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the disk is full"), "{said}");
    // What a filter takes may be little.
    let (code, said, _) = script("--subject 'Message 7'").unwrap();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn parts_that_are_there_need_no_more_room() {
    let file = source();
    // Four fifths of it are written, and then there is room for half of it.
    let whole = fs::metadata(&file.path).unwrap().len();
    let script = format!(
        "mount -t tmpfs -o size={first} none $1 && \
         $2 export --split 3m --force --to pst $3 $1/ >&2; echo $?; \
         mount -o remount,size={then} $1 && $2 export --split 3m --resume --to pst $3 $1/ >&2; echo $?",
        first = whole * 8 / 10,
        then = whole * 13 / 10,
    );
    if let Some((_, said, codes)) = with_a_disk(&script, &[file.path.to_str().unwrap()]) {
        assert_eq!(codes, "1\n0\n", "{said}");
    }
}

#[test]
fn the_same_source_gives_the_same_bytes() {
    let file = source();
    let (one, two) = (copy(&file.path, &[]), copy(&file.path, &[]));
    assert!(fs::read(&one.path).unwrap() == fs::read(&two.path).unwrap());
}
