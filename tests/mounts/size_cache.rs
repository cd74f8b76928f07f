//! `-o size-cache`: a later mount knows sizes and times without opening messages, and is never wrong about them.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::cold::mailbox;
use crate::faults::disk::Disk;
use crate::mounted::{Mount, OSTFS, can_mount};
use tempfile::TempDir;

/// Of the reads of the first mount those that a later one may need: folders and their tables are read again.
const LATER: u64 = 4;

/// Name, size and times of all files below `top`, and how many reads of `disk` that took.
fn listing(
    file: &Path,
    disk: &Disk,
    cache: &Path,
    options: &str,
) -> (Vec<(PathBuf, u64, i64)>, u64) {
    let before = disk.reads();
    let options = format!("size-cache,attachments=eml,{options}");
    let mount = Mount::with_environment(file, &["-o", &options], &[("XDG_CACHE_HOME", cache)]);
    let mut found = Vec::new();
    let mut directories = vec![mount.path.join("Inbox")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let time = metadata.mtime() * 1_000_000_000 + metadata.mtime_nsec();
            let inside = path.strip_prefix(&mount.path).unwrap();
            match metadata.is_dir() {
                true => directories.push(path),
                false => found.push((inside.to_owned(), metadata.len(), time)),
            }
        }
    }
    found.sort();
    (found, disk.reads() - before)
}

/// The only file in the cache.
fn kept(cache: &Path) -> PathBuf {
    let directory = cache.join("ostfs");
    assert_eq!(
        fs::metadata(&directory).unwrap().permissions().mode() & 0o777,
        0o700
    );
    let files: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(
        fs::metadata(&files[0]).unwrap().permissions().mode() & 0o777,
        0o600
    );
    files[0].clone()
}

/// A mailbox, and where its sizes are to be kept.
fn scene() -> (TempDir, PathBuf, PathBuf) {
    let directory = TempDir::new().unwrap();
    let cache = directory.path().join("cache");
    let file = mailbox(directory.path());
    (directory, cache, file)
}

#[test]
fn a_later_mount_lists_messages_without_reading_them() {
    if !can_mount() {
        return;
    }
    let (_directory, cache, file) = scene();
    let disk = Disk::cached(&file);
    let (first, all) = listing(&disk.file, &disk, &cache, "");
    assert!(first.len() > 200, "{}", first.len());
    let (later, some) = listing(&disk.file, &disk, &cache, "");
    assert_eq!(later, first);
    assert!(some * LATER <= all, "{some} reads, {all} the first time");

    // Other options make other bytes.
    let (_, again) = listing(&disk.file, &disk, &cache, "eol=crlf");
    assert!(again * 2 > all, "{again} reads, {all} the first time");
    // They have replaced what was there, so the first ones begin anew.
    let (third, again) = listing(&disk.file, &disk, &cache, "");
    assert_eq!(third, first);
    assert!(again * 2 > all, "{again} reads, {all} the first time");

    // What is there after a crash, or was written by someone else, is not believed.
    let path = kept(&cache);
    let own = File::options().read(true).write(true).open(&path).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    for byte in bytes.iter_mut().skip(32).step_by(7) {
        *byte = byte.wrapping_add(1);
    }
    own.write_all_at(&bytes, 0).unwrap();
    let (fourth, _) = listing(&disk.file, &disk, &cache, "");
    assert_eq!(fourth, first);
}

#[test]
fn a_file_that_was_written_to_since_begins_anew_and_sizes_are_those_of_the_bytes() {
    if !can_mount() {
        return;
    }
    let (_directory, cache, file) = scene();
    let disk = Disk::cached(&file);
    listing(&file, &disk, &cache, "");
    let head = || fs::read(kept(&cache)).unwrap()[..32].to_vec();
    let before = head();
    listing(&file, &disk, &cache, "");
    assert_eq!(head(), before);
    let later = SystemTime::now() + Duration::from_secs(60);
    File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_modified(later)
        .unwrap();
    listing(&file, &disk, &cache, "");
    assert_ne!(head(), before);

    let options = ["-o", "size-cache,attachments=eml"];
    let mount = Mount::with_environment(&file, &options, &[("XDG_CACHE_HOME", &cache)]);
    for entry in fs::read_dir(mount.path.join("Inbox")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let size = fs::metadata(&path).unwrap().len();
            assert_eq!(fs::read(&path).unwrap().len() as u64, size, "{path:?}");
        }
    }
}

#[test]
fn a_cache_that_cannot_be_had_is_told_and_the_mount_does_without() {
    if !can_mount() {
        return;
    }
    let directory = TempDir::new().unwrap();
    let file = mailbox(directory.path());
    let occupied = directory.path().join("a file");
    fs::write(&occupied, "").unwrap();
    let log = directory.path().join("log");
    let options = ["-o", "size-cache"];
    let environment = [("XDG_CACHE_HOME", occupied.as_path())];
    let mount =
        Mount::logging_with_environment(&file, &options, &environment, File::create(&log).unwrap());
    assert!(mount.path.join("Inbox").is_dir());
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("size-cache: no sizes are kept"), "{log}");
}

#[test]
fn a_mount_in_the_background_keeps_sizes_of_a_file_that_is_named_from_here() {
    if !can_mount() {
        return;
    }
    let (directory, cache, _) = scene();
    let run = |arguments: &[&str]| {
        let output = Command::new(OSTFS)
            .args(arguments)
            .current_dir(directory.path())
            .env("XDG_CACHE_HOME", &cache)
            .env_remove("RUST_LOG")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
    };
    run(&["mount", "-o", "size-cache", "mailbox.pst", "mail"]);
    for entry in fs::read_dir(directory.path().join("mail/Inbox")).unwrap() {
        fs::symlink_metadata(entry.unwrap().path()).unwrap();
    }
    run(&["unmount", "mail"]);
    assert!(fs::metadata(kept(&cache)).unwrap().len() > 1000);
}
