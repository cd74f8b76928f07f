//! What people do at their desk with a mount: file managers, the tools of the shell, and the session that opens the README.
//!
//! What each program costs is counted: the requests in the log of the mount, and the bytes that its process read. The
//! attachments are four fifths of the file, so whoever reads them to list a folder is far over the bounds.
#![cfg(target_os = "linux")]

mod scene;
mod screen;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::mounted::{OSTFS, can_mount, picture};
use crate::programs::{command, installed, output};
use crate::support::sample::sample;
use crate::support::{Crypt, Format};
use scene::{Counted, LETTERS, PLANS, SENT, Scene, WITH_ATTACHMENTS};
use screen::Screen;
use tempfile::TempDir;

/// What `work` on a fresh mount costs: bytes read. It reads no content of any file.
fn listing(scene: &Scene, what: &str, work: impl FnOnce(&Counted)) -> u64 {
    let counted = scene.mount(&what.replace(' ', "-"));
    work(&counted);
    let bytes = counted.bytes();
    println!("{what}: {bytes} bytes, texts have {}", scene.texts);
    assert_eq!(counted.requests("read "), [""; 0], "{what}");
    bytes
}

#[test]
fn names_cost_no_text_and_sizes_no_attachment() {
    if !can_mount() || !installed(&["find", "du", "stat", "tar", "rsync"]) {
        return;
    }
    let scene = Scene::new();
    let letters = LETTERS + SENT;
    let files = letters + 2 * PLANS + 3 * LETTERS / WITH_ATTACHMENTS;
    let lines = |printed: String| printed.lines().count() as u64;

    let free = listing(&scene, "df", |mount| {
        let shown = mount.run("df", &["--output=fstype,pcent", "."]);
        assert!(
            shown.contains("fuse.ostfs") && shown.contains("100%"),
            "{shown}"
        );
    });
    assert!(free < scene.texts / 100, "df costs {free} bytes");

    // Names are in the tables of the folders and of the attachments.
    for (what, program, arguments, shown) in [
        ("find", "find", &[".", "-type", "f"][..], files),
        ("names", "find", &["Inbox", "-name", "*.eml"], LETTERS),
        (
            "completion",
            "bash",
            &["-c", "compgen -f Inbox/"],
            LETTERS + LETTERS / WITH_ATTACHMENTS,
        ),
    ] {
        let bytes = listing(&scene, what, |mount| {
            assert_eq!(lines(mount.run(program, arguments)), shown, "{what}");
        });
        assert!(bytes < scene.texts / 5, "{what} costs {bytes} bytes");
    }

    // Sizes are exact, so they take the texts, and no attachment. Now and then a request and a thread that works ahead
    // look at the same text.
    let target = scene.scratch.path().join("target");
    let target = target.to_str().unwrap();
    for (what, program, arguments) in [
        ("du", "du", &["--apparent-size", "-s", "."][..]),
        ("find sizes", "find", &[".", "-size", "+1M"]),
        ("find times", "find", &[".", "-newer", "Inbox"]),
        ("stat", "bash", &["-c", "stat -- */* > /dev/null"]),
        ("ls", "ls", &["-lR", "--color=always"]),
        ("tar", "tar", &["-cf", "/dev/null", "."]),
        ("rsync", "rsync", &["-a", "--dry-run", ".", target]),
    ] {
        let bytes = listing(&scene, what, |mount| _ = mount.run(program, arguments));
        assert!(bytes < scene.texts * 2, "{what} costs {bytes} bytes");
    }
}

#[test]
fn copies_are_exact_and_cost_what_is_copied() {
    if !can_mount() || !installed(&["cp", "tar"]) {
        return;
    }
    let scene = Scene::new();
    let copy = scene.scratch.path().join("copy");
    let copy = copy.to_str().unwrap();
    let counted = scene.mount("cp");
    counted.run("cp", &["-a", "--reflink=auto", "Sent Items", copy]);
    let bytes = counted.bytes();
    assert!(
        bytes < scene.texts,
        "{bytes} bytes, {} of texts",
        scene.texts
    );
    let sent: BTreeSet<u64> = inodes(&counted.path().join("Sent Items"));
    assert_eq!(counted.contents_read(), sent);
    assert_eq!(
        picture(Path::new(copy)),
        picture(&counted.path().join("Sent Items"))
    );

    // tar compares what it wrote with what it finds. Attachments are there twice.
    let counted = scene.mount("tar");
    let archive = scene.scratch.path().join("all.tar");
    let archive = archive.to_str().unwrap();
    counted.run("tar", &["-cf", archive, "."]);
    let bytes = counted.bytes();
    let source = scene.file.metadata().unwrap().len();
    assert!(
        bytes < source * 5 / 2,
        "{bytes} bytes of a file of {source}"
    );
    counted.run("tar", &["-df", archive]);
}

/// Inode numbers of the files of a directory.
fn inodes(directory: &Path) -> BTreeSet<u64> {
    let entries = fs::read_dir(directory).unwrap();
    entries
        .map(|entry| entry.unwrap().metadata().unwrap().ino())
        .collect()
}

#[test]
fn who_watches_the_tree_is_told_of_no_change() {
    if !can_mount() || !installed(&["inotifywait"]) {
        return;
    }
    let scene = Scene::new();
    let bytes = listing(&scene, "inotifywait", |mount| {
        let mut watching = Command::new("inotifywait")
            .args(["--recursive", "--timeout", "1"])
            .args(
                ["modify", "attrib", "create", "delete", "move", "unmount"]
                    .map(|event| format!("--event={event}")),
            )
            .arg(mount.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(watching.stderr.take().unwrap()).lines();
        while said.next().unwrap().unwrap() != "Watches established." {}
        mount.run("ls", &["-lR"]);
        let ended = watching.wait_with_output().unwrap();
        // 2 is the end of the time without an event.
        assert_eq!(ended.status.code(), Some(2), "{ended:?}");
        assert!(ended.stdout.is_empty(), "{ended:?}");
        assert_eq!(said.map_while(Result::ok).collect::<Vec<_>>(), [""; 0]);
    });
    assert!(bytes < scene.texts * 2, "{bytes} bytes");
}

/// File managers with what makes them open a window.
const FILE_MANAGERS: [(&str, &[&str]); 2] = [("pcmanfm", &["--no-desktop"]), ("thunar", &[])];

#[test]
fn file_managers_list_folders_without_opening_a_message() {
    let needed = ["Xvfb", "dbus-run-session", "pcmanfm", "thunar"];
    if !can_mount() || !installed(&needed) {
        return;
    }
    let scene = Scene::new();
    let screen = Screen::new();
    // At the same time: they take seconds to start.
    let opened: Vec<_> = FILE_MANAGERS
        .into_iter()
        .map(|manager| {
            let mount = scene.mount(manager.0);
            let home = scene.scratch.path().join(manager.0).join("inbox");
            let window = screen.open(manager, &mount.path().join("Inbox"), home);
            (manager.0, mount, window)
        })
        .collect();
    for (name, mount, window) in &opened {
        let entries = LETTERS + LETTERS / WITH_ATTACHMENTS;
        window.wait(mount, || mount.looked_at() as u64 >= entries);
        let bytes = mount.bytes();
        println!("{name}: {bytes} bytes, texts have {}", scene.texts);
        assert_eq!(mount.requests("read "), [""; 0], "{name}");
        assert!(bytes < scene.texts * 2, "{name} costs {bytes} bytes");
    }
}

/// A directory of attachments is another matter: there a file manager makes small pictures of pictures, and looks into what
/// has no telling name. It does so for what it shows, not for the messages beside it.
#[test]
fn thumbnails_are_made_of_the_attachments_on_show_alone() {
    if !can_mount() || !installed(&["Xvfb", "dbus-run-session", "pcmanfm"]) {
        return;
    }
    let scene = Scene::new();
    let screen = Screen::new();
    let mount = scene.mount("thumbnails");
    let shown = mount
        .path()
        .join("Inbox/2024-01-01 0000 Letter 0.attachments");
    let home = scene.scratch.path().join("pictures");
    let window = screen.open(FILE_MANAGERS[0], &shown, home);
    let (photo, data) = (inode(&shown, "photo.bmp"), inode(&shown, "data.dat"));
    window.wait(&mount, || mount.contents_read().contains(&photo));
    let read = mount.contents_read();
    assert!(read.is_subset(&BTreeSet::from([photo, data])), "{read:x?}");
    let bytes = mount.bytes();
    assert!(bytes < scene.texts * 2, "{bytes} bytes");
}

fn inode(directory: &Path, name: &str) -> u64 {
    directory.join(name).metadata().unwrap().ino()
}

#[test]
fn a_message_is_opened_with_the_program_for_mail() {
    let needed = ["Xvfb", "dbus-run-session", "pcmanfm", "xdotool"];
    if !can_mount() || !installed(&needed) {
        return;
    }
    let scene = Scene::new();
    let screen = Screen::new();
    let mount = scene.mount("opened");
    let home = scene.scratch.path().join("reader");
    // A program for mail that keeps what it is given.
    let opened = home.join("opened.eml");
    let script = home.join("reader.sh");
    let part = home.join("part");
    write(
        &script,
        &format!(
            "cp \"$1\" {0} && mv {0} {1}",
            part.display(),
            opened.display()
        ),
    );
    write(
        &home.join("data/applications/reader.desktop"),
        &format!(
            "[Desktop Entry]\nType=Application\nName=Reader\nMimeType=message/rfc822;\nExec=sh {} %f\n",
            script.display()
        ),
    );
    write(
        &home.join("config/mimeapps.list"),
        "[Default Applications]\nmessage/rfc822=reader.desktop\n",
    );
    let sent = mount.path().join("Sent Items");
    let window = screen.open(FILE_MANAGERS[0], &sent, home);
    window.wait(&mount, || mount.looked_at() as u64 >= SENT);
    // The last entry, as often as it takes the window to listen.
    let keys = "search --onlyvisible --class pcmanfm windowfocus key End key Return";
    window.wait(&mount, || {
        let mut xdotool = Command::new("xdotool");
        let typed = xdotool
            .args(keys.split(' '))
            .env("DISPLAY", &screen.display);
        assert!(typed.output().is_ok());
        sleep(Duration::from_millis(300));
        opened.exists()
    });
    let last = LETTERS + SENT - 1;
    let letter = fs::read_dir(&sent)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let letter = letter.max().unwrap();
    assert!(
        letter.ends_with(format!("2024-01-17 1500 Letter {last}.eml")),
        "{letter:?}"
    );
    assert_eq!(fs::read(&opened).unwrap(), fs::read(&letter).unwrap());
    assert_eq!(
        mount.contents_read(),
        BTreeSet::from([letter.metadata().unwrap().ino()])
    );
}

/// Writes a file, and makes its directory.
fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The first block of the README is a session. Its commands print what stands below them; "..." stands for lines left out.
#[test]
fn the_session_of_the_readme_is_what_the_commands_print() {
    if !can_mount() || !installed(&["bash", "grep", "rsync"]) {
        return;
    }
    let readme = include_str!("../../README.md");
    let block = readme.lines().skip_while(|line| !line.starts_with("    "));
    let block = block.take_while(|line| line.is_empty() || line.starts_with("    "));
    let session: Vec<_> = block.map(|line| line.get(4..).unwrap_or("")).collect();
    let session = session.join("\n");
    let session = session.trim_end();

    let scratch = TempDir::new().unwrap();
    let here = scratch.path().to_str().unwrap();
    let store = sample(Format::Ost4k, Crypt::Permute);
    store.write(scratch.path().join("old-mailbox.ost")).unwrap();
    // As on a terminal of 80 columns, with the whole text in place of the first screen.
    let mut script = format!(
        "ostfs() {{ '{OSTFS}' \"$@\"; }}
         ls() {{ command ls -C -w 80 -T 0 --quoting-style=shell-escape \"$@\"; }}
         less() {{ cat -- \"$@\"; }}
         set -e\n"
    );
    for typed in session.lines().filter(|line| line.starts_with("$ ")) {
        script += &format!("cat <<'END'\n{typed}\nEND\n{}\n", &typed[2..]);
    }
    let printed = output(
        command("bash", scratch.path())
            .args(["-c", &script])
            .env("HOME", here),
    );
    let printed = printed.replace(here, "/home/ann");
    println!("{printed}");
    let mut printed = printed.lines();
    let mut left_out = false;
    for line in session.lines() {
        if line == "..." {
            left_out = true;
            continue;
        }
        let found = match left_out {
            true => printed.find(|shown| *shown == line),
            false => printed.next(),
        };
        assert_eq!(found, Some(line));
        left_out = false;
    }
    assert_eq!(printed.next(), None);
    // What was copied is its owner's to change and to delete.
    let copied = scratch.path().join("mail-archive/Calendar");
    assert_eq!(copied.metadata().unwrap().mode() & 0o777, 0o700);
    assert_eq!(fs::read_dir(copied).unwrap().count(), 2);
}
