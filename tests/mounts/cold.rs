//! A disk is asked for few, large reads where nothing of the file is in memory: counters, which are the same on every machine
//! but for the order in which several reads at once arrive.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::faults::disk::Disk;
use crate::mounted::{Mount, can_mount, export, ostfs, picture};
use crate::support::realistic::Mailbox;
use crate::support::{Crypt, Format, Options, Writer};
use tempfile::TempDir;

const MESSAGES: u64 = 2_000;
const BYTES: u64 = 60 << 20;
/// What the disk is asked for at most, about a quarter more than it is: reads, and those of them to which its head jumps. A
/// figure that fell by much is a reason to lower it.
const INFO: Asked = Asked {
    reads: 110,
    jumps: 35,
};
const LISTING: Asked = Asked {
    reads: 286,
    jumps: 85,
};
const ONE_MESSAGE: Asked = Asked {
    reads: 33,
    jumps: 24,
};
/// Of an export and an index, as a multiple of what reading the file from end to end takes.
const EXPORT: f64 = 1.3;

/// What a disk is asked for.
#[derive(Debug, Clone, Copy)]
struct Asked {
    reads: u64,
    jumps: u64,
}

impl Asked {
    /// Of `disk` while `work` is done.
    fn of<T>(disk: &Disk, work: impl FnOnce() -> T) -> (Self, T) {
        let (reads, jumps) = (disk.reads(), disk.jumps());
        let result = work();
        let asked = Self {
            reads: disk.reads() - reads,
            jumps: disk.jumps() - jumps,
        };
        (asked, result)
    }
}

/// A mailbox in which eight folders have grown at once.
pub fn mailbox(directory: &Path) -> PathBuf {
    let path = directory.join("mailbox.pst");
    let mailbox = Mailbox {
        seed: 3,
        messages: MESSAGES,
        folders: 8,
        bytes: Some(BYTES),
    };
    let mut writer = Writer::create(&path, Options::new(Format::Unicode, Crypt::Permute)).unwrap();
    let nids = mailbox.make_folders(&mut writer);
    for (folder, message) in mailbox.mails() {
        writer.message(nids[folder], &message).unwrap();
    }
    writer.finish().unwrap();
    path
}

/// Reads for each message of a folder that is copied, from a disk of which the kernel keeps nothing.
const COPIED: u64 = 40;

#[test]
fn a_row_of_a_folder_is_looked_up_without_the_others() {
    if !can_mount() {
        return;
    }
    let directory = TempDir::new().unwrap();
    let disk = Disk::with(&mailbox(directory.path()));
    let target = directory.path().join("copy.pst");
    let [source, target] = [&disk.file, &target].map(|path| path.to_str().unwrap());
    let command = [
        "export", "--to", "pst", "--verify", "off", "--folder", "/Inbox",
    ];
    let output = ostfs(&[&command[..], &[source, target]].concat());
    assert!(output.status.success(), "{output:?}");
    let listed = ostfs(&["ls", target, "/Inbox"]).stdout;
    let messages = String::from_utf8(listed)
        .unwrap()
        .lines()
        .filter(|name| name.ends_with(".eml"))
        .count() as u64;
    let reads = disk.reads() / messages;
    println!("{messages} messages, {reads} reads for each");
    assert!(
        messages > 100 && reads <= COPIED,
        "{messages} messages, {reads} reads for each"
    );
}

/// Reads for each message whose size is listed, from such a disk.
const SIZED: u64 = 8;

#[test]
fn nothing_is_read_ahead_that_the_kernel_does_not_keep() {
    if !can_mount() {
        return;
    }
    let directory = TempDir::new().unwrap();
    let disk = Disk::with(&mailbox(directory.path()));
    let list = || ostfs(&["ls", "-l", disk.file.to_str().unwrap(), "/Inbox"]);
    let (asked, output) = Asked::of(&disk, list);
    let messages = output.stdout.iter().filter(|byte| **byte == b'\n').count() as u64;
    println!("{messages} messages, {asked:?}");
    assert!(
        messages > 100 && asked.reads <= SIZED * messages,
        "{messages} messages, {asked:?}"
    );
}

/// Of the reads of a search without an index, the part that one with an index may have.
const INDEXED: u64 = 5;

#[test]
fn a_search_with_an_index_opens_no_item_that_this_rules_out() {
    if !can_mount() {
        return;
    }
    let directory = TempDir::new().unwrap();
    let disk = Disk::with(&mailbox(directory.path()));
    let indexes = directory.path().join("indexes");
    let file = disk.file.to_str().unwrap();
    let search = |options: &[&str]| {
        let before = disk.reads();
        let output = ostfs(&[&["search"], options, &[file, "body:nowhere"]].concat());
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        disk.reads() - before
    };
    let without = search(&[]);
    let options = ["--index", indexes.to_str().unwrap()];
    search(&options);
    let with = search(&options);
    println!("{without} reads without an index, {with} with one");
    assert!(
        with * INDEXED <= without,
        "{without} reads without an index, {with} with one"
    );
}

/// What the disk is asked for while a folder is copied from a mount with all below it, a fifth more than it is. Without reading ahead it
/// is 694 and 188.
const COPY_OF_FOLDER: Asked = Asked {
    reads: 580,
    jumps: 168,
};

#[test]
fn who_copies_a_folder_from_a_mount_has_what_comes_next_read_ahead() {
    if !can_mount() {
        return;
    }
    let directory = TempDir::new().unwrap();
    let file = mailbox(directory.path());
    let disk = Disk::cached(&file);
    let options = ["-o", "attachments=eml"];
    let far = Mount::new(&disk.file, &options);
    let (asked, copied) = Asked::of(&disk, || picture(&far.path.join("Inbox")));
    println!("{} messages, {asked:?}", copied.len());
    let near = Mount::new(&file, &options);
    let differs = copied != picture(&near.path.join("Inbox"));
    assert!(!differs, "the slow disk gives another copy");
    let bound = COPY_OF_FOLDER;
    assert!(
        copied.len() > 200 && asked.reads <= bound.reads && asked.jumps <= bound.jumps,
        "{} messages, {asked:?}, at most {bound:?}",
        copied.len()
    );
}

#[test]
fn a_cold_disk_is_asked_for_little_and_shows_the_same() {
    if !can_mount() {
        return;
    }
    let directory = TempDir::new().unwrap();
    let file = mailbox(directory.path());
    let disk = Disk::cached(&file);
    let [near, far] = [&file, &disk.file].map(|file| file.to_str().unwrap());
    let listed = String::from_utf8(ostfs(&["ls", near, "/Inbox"]).stdout).unwrap();
    let name = listed.lines().find(|name| name.ends_with(".eml")).unwrap();
    let message = format!("/Inbox/{name}");
    let mut over = Vec::new();
    for (command, arguments, bound) in [
        ("info", vec!["--json"], INFO),
        ("ls", vec!["-l", "/Inbox"], LISTING),
        ("cat", vec![message.as_str()], ONE_MESSAGE),
    ] {
        let run = |file: &str| {
            let (options, paths): (Vec<&str>, Vec<&str>) =
                arguments.iter().partition(|part| part.starts_with('-'));
            let output = ostfs(&[&[command], &*options, &[file], &*paths].concat());
            assert!(output.status.success(), "{command}: {output:?}");
            String::from_utf8_lossy(&output.stdout).replace(file, "FILE")
        };
        let (asked, shown) = Asked::of(&disk, || run(far));
        println!("{command}: {asked:?}");
        if command != "info" {
            assert_eq!(shown, run(near), "{command}");
        }
        if asked.reads > bound.reads || asked.jumps > bound.jumps {
            over.push(format!("{command}: {asked:?}, at most {bound:?}"));
        }
    }
    let before = disk.reads();
    fs::read(&disk.file).unwrap();
    let whole = disk.reads() - before;
    let before = disk.reads();
    let (_far, exported) = export(&disk.file, &["-o", "attachments=eml"]);
    let reads = disk.reads() - before;
    println!("export: {reads} reads, the whole file {whole}");
    if reads as f64 > EXPORT * whole as f64 {
        over.push(format!("export: {reads} reads, the whole file {whole}"));
    }
    let (_near, as_ever) = export(&file, &["-o", "attachments=eml"]);
    let contents = |top: &Path| -> BTreeMap<PathBuf, String> {
        let entries = picture(top).into_iter();
        entries.map(|(path, entry)| (path, entry.content)).collect()
    };
    let differs = contents(&exported) != contents(&as_ever);
    assert!(!differs, "the slow disk gives another export");
    let index = |file: &str| {
        let output = ostfs(&["index", "--no-hash", file]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).replace(file, "FILE")
    };
    let before = disk.reads();
    let indexed = index(far);
    let reads = disk.reads() - before;
    println!("index: {reads} reads, the whole file {whole}");
    if reads as f64 > EXPORT * whole as f64 {
        over.push(format!("index: {reads} reads, the whole file {whole}"));
    }
    assert_eq!(indexed, index(near), "index");
    let copy = |file: &str, name: &str| {
        let target = directory.path().join(name);
        let output = ostfs(&["export", "--to", "pst", file, target.to_str().unwrap()]);
        assert!(output.status.success(), "{output:?}");
        fs::read(target).unwrap()
    };
    let before = disk.reads();
    let copied = copy(far, "far.pst");
    let reads = disk.reads() - before;
    println!("export to a PST: {reads} reads, the whole file {whole}");
    if reads as f64 > EXPORT * whole as f64 {
        over.push(format!(
            "export to a PST: {reads} reads, the whole file {whole}"
        ));
    }
    let differs = copied != copy(near, "near.pst");
    assert!(!differs, "the slow disk gives another PST");
    assert!(over.is_empty(), "{over:#?}");
}
