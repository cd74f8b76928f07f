//! A mount, an export, and what programs take out of an archive are what the library shows; a copy of a copy is the same file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ostfs::tree::{Kind, Options};
use sha2::{Digest, Sha256};

use crate::mailbox::mailbox;
use crate::mounted::{Mount, Picture, can_mount, ostfs, picture};
use crate::programs::{command, installed, output};
use crate::runner::holds;
use crate::shown::{self, CONTROL};

/// The list of problems beside an export: no part of the tree.
const PROBLEMS: &str = "ostfs-problems.txt";
/// Exit codes of an export that wrote all of it: nothing to tell, and a list of problems.
const WHOLE: [Option<i32>; 2] = [Some(0), Some(4)];

/// Times that ext4 has, in seconds since 1970: 34 bits from 1901 on.
const FIRST_TIME: i64 = i32::MIN as i64;
const LAST_TIME: i64 = FIRST_TIME + (1 << 34) - 1;

type Entries = BTreeMap<PathBuf, Picture>;

/// What the library shows at `file`, as a picture of a directory.
fn of_library(file: &Path, options: &Options) -> Entries {
    let tree = shown::open(file, options);
    let shown = shown::picture(&tree).into_iter();
    let is_listed = |path: &str| !path.is_empty() && !Path::new(path).starts_with(CONTROL);
    let listed = shown.filter(|(path, _)| is_listed(path));
    listed
        .map(|(path, shown)| (path.into(), entry(&shown)))
        .collect()
}

fn entry(shown: &shown::Shown) -> Picture {
    let hash = Sha256::digest(&shown.content);
    let (kind, content) = match shown.kind {
        Kind::Directory => ('d', String::new()),
        Kind::Symlink => ('l', String::from_utf8(shown.content.clone()).unwrap()),
        Kind::File => ('f', hash.iter().map(|byte| format!("{byte:02x}")).collect()),
    };
    Picture {
        kind,
        size: shown.size,
        modified: if kind == 'l' {
            (0, 0)
        } else {
            seconds(shown.modified)
        },
        content,
    }
}

/// Seconds since 1970 and nanoseconds, as stat(2) has them.
fn seconds(time: SystemTime) -> (i64, i64) {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (after.as_secs() as i64, i64::from(after.subsec_nanos())),
        Err(before) => {
            let before = before.duration();
            let whole = before + Duration::from_nanos(999_999_999);
            let rest = Duration::from_secs(whole.as_secs()) - before;
            (-(whole.as_secs() as i64), i64::from(rest.subsec_nanos()))
        }
    }
}

/// Asserts that two trees are the same, and names what is not.
fn same(found: &Entries, expected: &Entries, what: &str) {
    let paths = found.keys().chain(expected.keys());
    for path in paths {
        assert_eq!(
            found.get(path),
            expected.get(path),
            "{what}: {}",
            path.display()
        );
    }
}

/// Runs `ostfs export` with `arguments`; the target is `target`.
fn export(file: &Path, arguments: &[&str], target: &Path) {
    let ends = ["export", file.to_str().unwrap(), target.to_str().unwrap()];
    let exported = ostfs(&[&ends[..], arguments].concat());
    let errors = String::from_utf8_lossy(&exported.stderr);
    assert!(
        WHOLE.contains(&exported.status.code()),
        "{arguments:?}: {errors}"
    );
}

/// What is in `directory`, without the list of problems.
fn of_directory(directory: &Path) -> Entries {
    let mut entries = picture(directory);
    entries.remove(Path::new(PROBLEMS));
    entries
}

/// Times as the file system below the tests has them.
fn on_disk(entries: Entries) -> Entries {
    let clamped = |(path, picture): (PathBuf, Picture)| {
        let (seconds, nanoseconds) = picture.modified;
        let modified = match seconds {
            ..FIRST_TIME => (FIRST_TIME, 0),
            FIRST_TIME..LAST_TIME => (seconds, nanoseconds),
            LAST_TIME.. => (LAST_TIME, 0),
        };
        (
            path,
            Picture {
                modified,
                ..picture
            },
        )
    };
    entries.into_iter().map(clamped).collect()
}

/// What bsdtar takes out of the archive of the form `to`.
fn of_archive(file: &Path, scratch: &Path, to: &str, arguments: &[&str]) -> Entries {
    let archive = scratch.join(to);
    export(file, &[&["--to", to], arguments].concat(), &archive);
    let taken_out = scratch.join(format!("{to} taken out"));
    fs::create_dir(&taken_out).unwrap();
    let mut program = command("bsdtar", scratch);
    let program = program.arg("-xpf").arg(&archive).arg("-C").arg(&taken_out);
    output(program);
    of_directory(&taken_out)
}

/// Without times, of which an archive of the form ZIP keeps less.
fn without_times(entries: Entries) -> Entries {
    let timeless = |(path, picture)| {
        let modified = (0, 0);
        (
            path,
            Picture {
                modified,
                ..picture
            },
        )
    };
    entries.into_iter().map(timeless).collect()
}

#[test]
fn an_export_and_archives_are_what_the_library_shows() {
    if !installed(&["bsdtar"]) {
        return;
    }
    holds("exports", 25, mailbox(8), |mailbox| {
        let (scratch, file) = mailbox.written();
        let expected = on_disk(of_library(&file, &Options::default()));
        let directory = scratch.path().join("directory");
        export(&file, &[], &directory);
        same(&on_disk(of_directory(&directory)), &expected, "directory");
        let tar = of_archive(&file, scratch.path(), "tar", &[]);
        same(&on_disk(tar), &expected, "tar");
        let zip = of_archive(&file, scratch.path(), "zip", &[]);
        same(&without_times(zip), &without_times(expected), "zip");
    });
}

#[test]
fn a_mount_and_an_export_of_either_layout_are_what_the_library_shows() {
    if !can_mount() {
        return;
    }
    let [_, everything, maildir] = shown::ways();
    let ways = [
        (everything, ["-o", "all,text,deleted"]),
        (maildir, ["-o", "layout=maildir"]),
    ];
    holds("mounts", 10, mailbox(6), move |mailbox| {
        let (scratch, file) = mailbox.written();
        for (options, arguments) in &ways {
            let expected = of_library(&file, options);
            let mount = Mount::new(&file, arguments);
            same(
                &picture(&mount.path),
                &expected,
                &format!("mount {arguments:?}"),
            );
            let directory = scratch.path().join(arguments[1]);
            export(&file, arguments, &directory);
            let exported = on_disk(of_directory(&directory));
            same(
                &exported,
                &on_disk(expected),
                &format!("export {arguments:?}"),
            );
        }
    });
}

#[test]
fn a_copy_of_a_copy_is_the_same_file() {
    holds("copies", 20, mailbox(8), |mailbox| {
        let (scratch, mut file) = mailbox.written();
        // The first has what every new PST has, and so others can be the same.
        let copies = ["first", "second", "third"].map(|name| {
            let directory = scratch.path().join(name);
            fs::create_dir(&directory).unwrap();
            let copy = directory.join("copy.pst");
            export(&file, &["--to", "pst"], &copy);
            file = copy.clone();
            fs::read(copy).unwrap()
        });
        assert!(copies[1] == copies[2]);
    });
}
