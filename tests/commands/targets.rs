//! Where an export is written to: file systems that take two names for one, files that are there before, full disks, and
//! what an export says that ends early.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::early_end::large;
use crate::mailbox::{self, File, mail};
use crate::mounted::{OSTFS, can_mount, export, ostfs, picture, run};
use crate::support::*;
use crate::{needs, programs};

/// Subjects of mail, each of which some file system takes for the one before.
const FOLDING: [&str; 10] = [
    "Straße",
    "STRASSE",
    "Stra\u{1E9E}e",
    "İstanbul",
    "i\u{307}stanbul",
    "cafe\u{301}",
    "CAFÉ",
    "ΣΟΦΟΣ",
    "σοφος",
    "ſofoς",
];

fn folding_mailbox() -> File {
    mailbox::write(Format::Unicode, Crypt::Permute, |store| {
        let top = store.ipm_subtree();
        for name in ["Grüße", "GRU\u{308}SSE", "ﬁne", "FINE"] {
            let folder = store.folder(top, name);
            for subject in FOLDING {
                store.message(
                    folder,
                    mail(subject)
                        .attachment("ﬂ.txt", "one")
                        .attachment("FL.txt", "two"),
                );
            }
        }
    })
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a script of sh(1) with these words as $1 and so on.
fn sh(script: &str, words: &[&str]) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh", OSTFS]).args(words);
    command.env_remove("RUST_LOG").output().unwrap()
}

/// The contents of all files below `top`, sorted: what must not get lost, whatever the names.
pub fn contents(top: &Path) -> Vec<String> {
    let pictures = picture(top);
    let files = pictures.values().filter(|picture| picture.kind == 'f');
    let mut contents: Vec<String> = files.map(|picture| picture.content.clone()).collect();
    contents.sort();
    contents
}

/// Exports onto the file system that `mount` makes, which gets an image and a directory.
fn nothing_is_lost_on(wanted: &[&str], mount: &str) {
    if !can_mount() || !programs::installed(wanted) {
        return;
    }
    let file = folding_mailbox();
    let (_kept, whole) = export(&file.path, &[]);
    let scratch = tempfile::tempdir().unwrap();
    let [image, point, copy] = ["image", "point", "copy"].map(|name| scratch.path().join(name));
    fs::write(&image, vec![0; 32 << 20]).unwrap();
    fs::create_dir(&point).unwrap();
    if run("id", &["-u"]).trim() != "0" {
        needs::ignored("only root mounts a disk");
        return;
    }
    // In a namespace of its own, so that nothing stays mounted whatever happens.
    let script = format!(
        "set -e; {mount}; \
         \"$1\" export \"$2\" \"$4/tree\" >&2; \
         \"$1\" export --resume \"$2\" \"$4/tree\"; \
         touch \"$4/case\"; test -e \"$4/CASE\" && echo it folds; \
         cp -r \"$4/tree\" \"$5\"; umount \"$4\""
    );
    let words = [text(&file.path), text(&image), text(&point), text(&copy)];
    let mut command = Command::new("unshare");
    command
        .args(["-m", "sh", "-c", &script, "sh", OSTFS])
        .args(words);
    let output = command.env_remove("RUST_LOG").output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    if errors(&output).contains("skip:") {
        needs::ignored(errors(&output));
        return;
    }
    assert!(output.status.success(), "{printed}{}", errors(&output));
    assert!(printed.contains("it folds"), "{printed}");
    let all = contents(&whole);
    assert!(all.len() > 3 * 4 * FOLDING.len() - 1);
    assert!(
        printed.contains(&format!("{0} files ({0} there already)", all.len())),
        "{printed}"
    );
    assert_eq!(contents(&copy), all);
}

#[test]
fn nothing_is_lost_on_exfat() {
    nothing_is_lost_on(
        &["mkfs.exfat", "mount.exfat-fuse", "losetup", "unshare"],
        "mkfs.exfat \"$3\" >&2; device=$(losetup -f --show \"$3\" || echo skip: no loop device >&2); \
         trap 'losetup -d \"$device\"' EXIT; mount.exfat-fuse \"$device\" \"$4\" >&2",
    );
}

#[test]
fn nothing_is_lost_on_ntfs_without_case() {
    nothing_is_lost_on(
        &["mkntfs", "lowntfs-3g", "unshare"],
        "mkntfs -F -Q -q \"$3\" 2>/dev/null; lowntfs-3g \"$3\" \"$4\" -o ignore_case >&2",
    );
}

#[test]
fn a_file_that_is_there_is_kept_only_with_the_bytes_of_the_store() {
    let (file, _) = mailbox::mailbox(Format::Unicode, Crypt::Permute);
    let (_kept, tree) = export(&file.path, &[]);
    let before = picture(&tree);
    let mut mails = before
        .keys()
        .filter(|path| path.extension().is_some_and(|end| end == "eml"));
    let changed = mails.next().unwrap();
    let changed = tree.join(changed);
    // The same length, the same time, another byte.
    let time = fs::metadata(&changed).unwrap().modified().unwrap();
    let mut bytes = fs::read(&changed).unwrap();
    bytes[0] ^= 1;
    fs::write(&changed, bytes).unwrap();
    fs::File::open(&changed)
        .unwrap()
        .set_modified(time)
        .unwrap();
    let output = ostfs(&["export", "--resume", text(&file.path), text(&tree)]);
    assert!(output.status.success(), "{}", errors(&output));
    assert_eq!(picture(&tree), before);
    let files = before
        .values()
        .filter(|picture| picture.kind == 'f')
        .count();
    let told = format!("{files} files ({} there already)", files - 1);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains(&told), "{printed}");
}

#[test]
fn what_is_no_file_of_the_export_alone_is_refused_and_left_as_it_is() {
    let (file, _) = mailbox::mailbox(Format::Unicode, Crypt::Permute);
    let (_kept, tree) = export(&file.path, &[]);
    let mut mails: Vec<PathBuf> = picture(&tree).into_keys().collect();
    mails.retain(|path| path.extension().is_some_and(|end| end == "eml"));
    let [pipe, other] = [0, 1].map(|number| tree.join(&mails[number]));
    fs::remove_file(&pipe).unwrap();
    run("mkfifo", &[text(&pipe)]);
    let elsewhere = tree.join("../elsewhere");
    fs::write(&elsewhere, "somebody else's").unwrap();
    fs::remove_file(&other).unwrap();
    fs::hard_link(&elsewhere, &other).unwrap();
    let output = ostfs(&["export", "--resume", text(&file.path), text(&tree)]);
    assert_eq!(output.status.code(), Some(4));
    let errors = errors(&output);
    assert!(errors.contains("is no regular file"), "{errors}");
    assert!(errors.contains("has other names too"), "{errors}");
    assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "somebody else's");
    assert_eq!(fs::metadata(&elsewhere).unwrap().nlink(), 2);
}

#[test]
fn a_full_disk_ends_the_export_and_with_more_room_it_goes_on() {
    if !programs::installed(&["unshare", "mount"]) {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let file = large(scratch.path());
    let (_kept, whole) = export(&file, &[]);
    let [point, copy] = ["point", "copy"].map(|name| scratch.path().join(name));
    fs::create_dir(&point).unwrap();
    let script = "mount -t tmpfs -o size=1M none \"$3\" || exit 99; \
         \"$1\" export \"$2\" \"$3/tree\"; echo \"exit $?\"; \
         cp -r \"$3/tree\" \"$4\"; mount -o remount,size=100M \"$3\"; \
         \"$1\" export --resume \"$2\" \"$3/tree\"; echo \"exit $?\"; cp -r \"$3/tree\" \"$4.all\"";
    let words = [text(&file), text(&point), text(&copy)];
    let mut command = Command::new("unshare");
    command
        .args(["-rm", "sh", "-c", script, "sh", OSTFS])
        .args(words);
    let output = command.env_remove("RUST_LOG").output().unwrap();
    if output.status.code() == Some(99) {
        needs::ignored("no tmpfs");
        return;
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    let exits: Vec<&str> = printed
        .lines()
        .filter(|line| line.starts_with("exit "))
        .collect();
    assert_eq!(exits, ["exit 1", "exit 0"], "{printed}{}", errors(&output));
    let errors = errors(&output);
    assert_eq!(errors.lines().count(), 1, "{errors}");
    for part in ["No space left", "are there and whole", "--resume"] {
        assert!(errors.contains(part), "{errors}");
    }
    // What is there is whole, and not nothing.
    let all = contents(&whole);
    let some = contents(&copy);
    assert!(!some.is_empty() && some.len() < all.len());
    assert!(some.iter().all(|content| all.contains(content)));
    assert_eq!(contents(&scratch.path().join("copy.all")), all);
}

#[test]
fn a_file_too_large_for_the_target_costs_itself_and_says_which_targets_take_it() {
    let file = mailbox::write(Format::Unicode, Crypt::Permute, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        store.message(inbox, mail("small"));
        store.message(
            inbox,
            mail("large").attachment("large.bin", vec![7; 200_000]),
        );
    });
    let scratch = tempfile::tempdir().unwrap();
    let target = scratch.path().join("tree");
    let limited =
        "trap '' XFSZ; ulimit -f 100; exec \"$1\" export -o attachments=dir \"$2\" \"$3\"";
    let output = sh(limited, &[text(&file.path), text(&target)]);
    assert_eq!(output.status.code(), Some(4));
    let errors = errors(&output);
    assert!(
        errors.contains("FAT32") && errors.contains("exFAT"),
        "{errors}"
    );
    let names: Vec<PathBuf> = picture(&target).into_keys().collect();
    let has = |part: &str| names.iter().any(|path| text(path).contains(part));
    assert!(has("small.eml") && !has("large.bin"), "{names:?}");
}

#[test]
fn what_info_and_check_have_to_say_is_not_lost_on_a_full_disk() {
    let (file, _) = mailbox::mailbox(Format::Unicode, Crypt::Permute);
    for command in [
        "info",
        "info --json",
        "check -v",
        "check --json",
        "ls -R",
        "index",
    ] {
        let script = format!("\"$1\" {command} \"$2\" > /dev/full");
        let output = sh(&script, &[text(&file.path)]);
        assert_eq!(output.status.code(), Some(1), "{command}");
        assert!(
            errors(&output).contains("No space left"),
            "{}",
            errors(&output)
        );
    }
}
