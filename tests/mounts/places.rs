//! Where a mount appears: mount points that are made and removed, and several files in one mount.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::mounted::{OSTFS, can_mount, is_mounted, picture, run, unshare_files, wait_until};
use crate::support::sample::sample;
use crate::support::{Crypt, Folders, Format, Message, Store};
use tempfile::TempDir;

/// A user who owns nothing.
const NOBODY: u32 = 65534;

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
fn a_file_alone_is_mounted_and_the_user_is_told_where_and_how_it_ends() {
    if !can_mount() {
        return;
    }
    let (_folder, here) = scene();
    let absolute = here.join("mail.pst");
    for (arguments, name) in [
        (&["mail.pst"][..], "mail"),
        (&["mail.pst", "my mail"], "my mail"),
        (&[absolute.to_str().unwrap()], "mail"),
    ] {
        let output = Command::new(OSTFS)
            .args(arguments)
            .current_dir(&here)
            .env("SUDO_USER", "jane")
            .output()
            .unwrap();
        let mountpoint = here.join(name);
        assert!(mountpoint.join("Inbox").is_dir(), "{arguments:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        let end = match name {
            "mail" => format!("ostfs unmount {}", mountpoint.display()),
            _ => format!("ostfs unmount '{}'", mountpoint.display()),
        };
        assert!(said.starts_with("mounted on "), "{said}");
        assert!(said.trim_end().ends_with(&end), "{said}");
        // Under sudo the mount is root's, and whoever called it may not look.
        let hint = String::from_utf8(output.stderr).unwrap();
        let is_root = run("id", &["-u"]).trim() == "0";
        assert_eq!(hint.contains("-o allow_other,uid=jane"), is_root, "{hint}");
        ostfs_in(&here, &["unmount", name]);
        wait_until("the directory is gone", || !mountpoint.exists());
    }
    let output = Command::new(OSTFS).arg("mial").output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(16),
        "neither a file nor a command"
    );
}

#[test]
fn a_desktop_opens_the_folder_of_a_file_and_mounts_it_once() {
    if !can_mount() {
        return;
    }
    let (_folder, here) = scene();
    let opener = here.join("xdg-open");
    fs::write(
        &opener,
        "#!/bin/sh\nls \"$1\" >/dev/null && echo \"$1\" >>opened\n",
    )
    .unwrap();
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", here.display(), std::env::var("PATH").unwrap());
    let open = || {
        let mut command = Command::new(OSTFS);
        command.args(["open", "mail.pst"]).current_dir(&here);
        command
            .env("PATH", &path)
            .env("XDG_RUNTIME_DIR", here.join("run"));
        command
    };
    for _ in 0..2 {
        let output = open().output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{message}");
    }
    let opened = fs::read_to_string(here.join("opened")).unwrap();
    let opened: Vec<&str> = opened.lines().collect();
    assert!(matches!(&*opened, [first, second] if first == second));
    let mountpoint = Path::new(opened[0]);
    assert!(mountpoint.ends_with("mail.pst") && mountpoint.join("Inbox").is_dir());
    assert!(mountpoint.starts_with(here.join("run/ostfs")));
    // Written anew, it is mounted anew: what was mounted before shows what is no more.
    one_message(&here.join("other.pst"), "Anew");
    let other = fs::read(here.join("other.pst")).unwrap();
    fs::write(here.join("mail.pst"), other).unwrap();
    assert!(open().status().unwrap().success());
    wait_until("the older one has ended", || !mountpoint.exists());
    let opened = fs::read_to_string(here.join("opened")).unwrap();
    let opened: Vec<&str> = opened.lines().collect();
    let mountpoint = Path::new(opened[2]);
    let names = run("ls", &[mountpoint.join("Inbox").to_str().unwrap()]);
    assert!(names.contains("Anew"), "{names}");
    ostfs_in(&here, &["unmount", opened[2]]);
    assert!(!mountpoint.exists());

    // As xdg-open ends where there is no desktop.
    fs::write(&opener, "#!/bin/sh\nexit 3\n").unwrap();
    let output = open().output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    for part in ["no file manager was found", opened[2], "ten minutes"] {
        assert!(message.contains(part), "{message}");
    }
    ostfs_in(&here, &["unmount", opened[2]]);

    let output = open().env_remove("XDG_RUNTIME_DIR").output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(6), "{message}");
    assert!(message.contains("ostfs mount mail.pst DIR"), "{message}");
}

#[test]
fn the_command_that_ends_a_mount_is_exact_whatever_the_name_of_its_directory() {
    if !can_mount() {
        return;
    }
    let (_folder, here) = scene();
    let names = [
        &b"m\x1b]0;HACK\x07"[..],
        b"m\xff it's",
        "m\u{202e}\u{fc}".as_bytes(),
    ];
    for name in names.map(OsStr::from_bytes) {
        let ostfs = |arguments: &[&OsStr]| {
            let mut command = Command::new(OSTFS);
            command.args(arguments).current_dir(&here);
            let output = command.stdin(Stdio::null()).output().unwrap();
            let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            let acts = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
            assert!(!said.contains(acts), "{said:?}");
            said.trim_end().to_owned()
        };
        let mounted = ostfs(&["mail.pst".as_ref(), name]);
        let again = ostfs(&["mail.pst".as_ref(), name]);
        let command = |said: &str, before: &str| said.split_once(before).unwrap().1.to_owned();
        let end = command(&mounted, "end it with: ostfs ");
        assert_eq!(end, command(&again, "unmount it first with: ostfs "));
        assert!(here.join(name).join("Inbox").is_dir());
        let script = format!("\"$0\" {end}");
        let status = Command::new("bash").args(["-c", &script, OSTFS]).status();
        assert!(status.unwrap().success(), "{end}");
        assert!(!here.join(name).exists());
        let said = ostfs(&["unmount".as_ref(), name]);
        assert!(said.contains("is not an ostfs mount"), "{said}");
    }
}

#[test]
fn a_block_device_is_read_as_the_file_that_was_written_to_it() {
    if !can_mount() {
        return;
    }
    let (_folder, here) = scene();
    let file = here.join("mail.pst");
    let file = file.to_str().unwrap();
    let device = Command::new("losetup")
        .args(["--find", "--show", "--read-only", file])
        .output();
    let device = match device {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout).unwrap(),
        _ => {
            println!("not tested: there are no loop devices here");
            return;
        }
    };
    let device = device.trim();
    let listed = |path| run(OSTFS, &["index", "--no-hash", path]);
    let of_device = std::panic::catch_unwind(|| listed(device));
    run("losetup", &["--detach", device]);
    assert_eq!(of_device.unwrap(), listed(file));
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
    assert!(!named.exists());

    let made = here.join("my mail");
    ostfs_in(&here, &["mount", "mail.pst", "my mail"]);
    assert!(made.join("Inbox").is_dir());
    ostfs_in(&here, &["unmount", "my mail"]);
    assert!(!made.exists());

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

/// Programs that only take time, more of them than there are processors.
struct Load(Vec<Child>);

impl Load {
    fn of(programs: usize) -> Self {
        let busy = || {
            Command::new("sh")
                .args(["-c", "while :; do :; done"])
                .spawn()
        };
        Self((0..programs).map(|_| busy().unwrap()).collect())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for program in &mut self.0 {
            program.kill().ok();
            program.wait().ok();
        }
    }
}

#[test]
fn when_unmount_returns_the_directory_that_was_made_is_gone_however_busy_the_machine_is() {
    if !can_mount() {
        return;
    }
    let (_folder, here) = scene();
    let made = here.join("mail");
    let _load = Load::of(8);
    for round in 0..20 {
        ostfs_in(&here, &["mount", "mail.pst"]);
        assert!(made.join("Inbox").is_dir(), "round {round}");
        let lazy = if round % 2 == 0 { &["--lazy"][..] } else { &[] };
        ostfs_in(&here, &[&["unmount", "mail"], lazy].concat());
        assert!(!made.exists(), "round {round}");
    }
    // One that is in use is out of sight at once, and waited for by nobody.
    ostfs_in(&here, &["mount", "mail.pst"]);
    let user = fs::File::open(made.join("Inbox")).unwrap();
    ostfs_in(&here, &["unmount", "--lazy", "mail"]);
    assert!(!is_mounted(&made) && made.exists());
    // Nor by who ends the next mount there.
    ostfs_in(&here, &["mount", "mail.pst", "mail"]);
    let begun = Instant::now();
    ostfs_in(&here, &["unmount", "mail"]);
    assert!(begun.elapsed() < Duration::from_secs(5), "{begun:?}");
    drop(user);
    wait_until("the directory is gone", || !made.exists());
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
fn who_may_not_end_a_mount_is_told_who_may() {
    if !can_mount() || !rustix::process::geteuid().is_root() {
        return;
    }
    let (_folder, here) = scene();
    fs::set_permissions(&here, fs::Permissions::from_mode(0o755)).unwrap();
    ostfs_in(&here, &["mount", "mail.pst"]);
    let output = Command::new(OSTFS)
        .args(["unmount", "mail"])
        .current_dir(&here)
        .uid(NOBODY)
        .output();
    ostfs_in(&here, &["unmount", "mail"]);
    match output {
        Ok(output) => {
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(said.contains("mounted by another user"), "{said}");
            assert!(said.contains("sudo ostfs unmount /"), "{said}");
        }
        Err(error) => println!("not tested: another user may not run the program here ({error})"),
    }
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
    assert_eq!(names, ["mail.pst", "archive.pst", "old - Archive.pst"]);
    let shown = picture(&all);
    assert_eq!(picture(&all.join("mail.pst")), picture(&here.join("alone")));
    for (directory, subject) in [("archive.pst", "First"), ("old - Archive.pst", "Second")] {
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

#[test]
fn of_several_files_one_that_cannot_be_opened_is_not_there_and_told() {
    if !can_mount() {
        return;
    }
    unshare_files();
    let (_folder, here) = scene();
    one_message(&here.join("archive.pst"), "First");
    fs::write(here.join("broken.pst"), "no mail at all").unwrap();
    let mount = |files: &[&str]| {
        let output = Command::new(OSTFS)
            .args([&["mount"], files, &["all"]].concat())
            .current_dir(&here)
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let all = here.join("all");
    for bad in ["broken.pst", "gone.pst"] {
        let (code, message) = mount(&["mail.pst", bad, "archive.pst"]);
        assert_eq!(code, Some(4), "{message}");
        assert!(message.contains(&format!("ostfs: {bad}: ")), "{message}");
        assert!(message.contains("1 of 3 files"), "{message}");
        let names: Vec<String> = fs::read_dir(&all)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(names, ["mail.pst", "archive.pst"]);
        let found = run("grep", &["-rl", "First", all.to_str().unwrap()]);
        assert_eq!(found.lines().count(), 1, "{found}");
        ostfs_in(&here, &["unmount", "all"]);
    }
    // If none is left, nothing is mounted.
    let (code, message) = mount(&["broken.pst", "gone.pst"]);
    assert_eq!(code, Some(3), "{message}");
    assert!(!is_mounted(&all));
}
