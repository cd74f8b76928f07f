//! What people do at their desk with a mount: file managers, the tools of the shell, and the session that opens the README.
//!
//! What each program costs is counted: the requests in the log of the mount, and the bytes that its process read. The
//! attachments are four fifths of the file, so whoever reads them to list a folder is far over the bounds.
#![cfg(target_os = "linux")]

mod mounted;
mod programs;
mod support;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use mounted::{Mount, OSTFS, can_mount, picture};
use programs::{command, installed, output};
use support::realistic::person;
use support::sample::sample;
use support::{Attachment, Crypt, Folders, Format, Message, Payload, Store, filetime};
use tempfile::TempDir;

/// Messages of the inbox; every fifth has attachments.
const LETTERS: u64 = 300;
const WITH_ATTACHMENTS: u64 = 5;
/// Messages of another folder, without attachments.
const SENT: u64 = 100;
/// Appointments, and contacts.
const PLANS: u64 = 40;
const HOUR: u64 = 36_000_000_000;

/// A store of a few folders on disk, and what is in it.
struct Scene {
    scratch: TempDir,
    file: PathBuf,
    /// Bytes of the file that belong to no attachment: texts, tables and indexes.
    texts: u64,
}

impl Scene {
    fn new() -> Scene {
        let scratch = TempDir::new().unwrap();
        let file = scratch.path().join("desk.pst");
        let mut store = Store::new(Format::Unicode, Crypt::Permute);
        let top = store.ipm_subtree();
        let inbox = store.folder(top, "Inbox");
        let sent = store.folder(top, "Sent Items");
        let calendar = store.folder_of(top, "Calendar", "IPF.Appointment");
        let contacts = store.folder_of(top, "Contacts", "IPF.Contact");
        let mut attached = 0;
        for number in 0..LETTERS {
            let mut mail = letter(number);
            if number % WITH_ATTACHMENTS == 0 {
                // A document, a picture that can be shown small, and a name that does not tell what it is.
                let files = [
                    ("report.pdf", Payload::random(400_000, number).to_vec()),
                    ("photo.bmp", bitmap(number)),
                    ("data.dat", Payload::random(5_000, number).to_vec()),
                ];
                for (name, content) in files {
                    attached += content.len() as u64;
                    mail = mail.attach(Attachment::data(name, content));
                }
            }
            store.message(inbox, mail);
        }
        for number in LETTERS..LETTERS + SENT {
            store.message(sent, letter(number));
        }
        for number in 0..PLANS {
            let start = filetime(2024, 2, 1, 0, 0) + number * HOUR;
            let subject = format!("Meeting {number}");
            let meeting = Message::appointment(&subject, start, start + HOUR, "Room 4");
            store.message(calendar, meeting);
            let (name, address) = person(number);
            let (given, surname) = name.split_once(' ').unwrap();
            store.message(contacts, Message::contact(given, surname, &address));
        }
        store.write(&file).unwrap();
        let texts = file.metadata().unwrap().len() - attached;
        assert!(attached > 4 * texts, "{attached} bytes attached of {texts}");
        Scene {
            scratch,
            file,
            texts,
        }
    }

    /// A fresh mount, which has nothing in its caches, with its costs on record under `name`.
    fn mount(&self, name: &str) -> Counted {
        let log = self.scratch.path().join(format!("{name}.log"));
        let mount = Mount::logging(&self.file, &["-d"], File::create(&log).unwrap());
        let before = bytes_read(&mount);
        Counted { mount, log, before }
    }
}

fn letter(number: u64) -> Message {
    let (name, address) = person(number);
    let text = format!("Letter {number} of {name}\r\n").repeat(200);
    Message::mail(&format!("Letter {number}"))
        .time(filetime(2024, 1, 1, 0, 0) + number * HOUR)
        .from(&name, &address)
        .to("Ann Adams", "ann@north.example")
        .body(&text)
}

/// A picture of noise as a BMP of 24 bits.
fn bitmap(seed: u64) -> Vec<u8> {
    const SIDE: u32 = 220;
    const HEADERS: u32 = 54;
    let pixels = Payload::random(u64::from(SIDE * SIDE * 3), seed).to_vec();
    let size = HEADERS + pixels.len() as u32;
    let mut bytes = b"BM".to_vec();
    for field in [size, 0, HEADERS, 40, SIDE, SIDE, 1 | 24 << 16] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.resize(HEADERS as usize, 0);
    bytes.extend(pixels);
    bytes
}

/// Bytes that the mount has read so far, as the kernel counts: from the file, and requests of some dozen bytes each.
fn bytes_read(mount: &Mount) -> u64 {
    let counters = fs::read_to_string(format!("/proc/{}/io", mount.process.id())).unwrap();
    let line = counters
        .lines()
        .find_map(|line| line.strip_prefix("rchar: "));
    line.unwrap().parse().unwrap()
}

/// A mount whose costs are counted.
struct Counted {
    mount: Mount,
    log: PathBuf,
    before: u64,
}

impl Counted {
    fn path(&self) -> &Path {
        &self.mount.path
    }

    fn bytes(&self) -> u64 {
        bytes_read(&self.mount) - self.before
    }

    /// Waits until there was nothing to do for a moment: threads work ahead, and file managers have theirs.
    fn settle(&self) {
        let mut last = (self.bytes(), Instant::now());
        while last.1.elapsed() < Duration::from_millis(400) {
            sleep(Duration::from_millis(20));
            let bytes = self.bytes();
            if bytes != last.0 {
                last = (bytes, Instant::now());
            }
        }
    }

    /// Lines of the log that start with `request`.
    fn requests(&self, request: &str) -> Vec<String> {
        let log = fs::read_to_string(&self.log).unwrap();
        let lines = log.lines().filter_map(|line| line.strip_prefix("ostfs: "));
        let lines = lines.filter(|line| line.starts_with(request));
        lines.map(str::to_owned).collect()
    }

    /// Files that somebody was told the attributes of.
    fn looked_at(&self) -> usize {
        self.requests("lookup ").len() + self.requests("attributes ").len()
    }

    /// Inode numbers of the files of which some content was asked for.
    fn contents_read(&self) -> BTreeSet<u64> {
        let reads = self.requests("read ");
        let numbers = reads.iter().map(|line| line.rsplit_once(" 0x").unwrap().1);
        numbers
            .map(|number| u64::from_str_radix(number, 16).unwrap())
            .collect()
    }

    /// Runs a program that has to succeed in the directory of the mount, and returns what it printed.
    fn run(&self, program: &str, arguments: &[&str]) -> String {
        let home = self.log.parent().unwrap();
        let mut command = command(program, home);
        let printed = output(command.args(arguments).current_dir(self.path()));
        self.settle();
        printed
    }
}

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
    assert!(bytes < 2 * source, "{bytes} bytes of a file of {source}");
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

/// A screen without a monitor. Gone when dropped, and with it every window.
struct Screen {
    server: Child,
    display: String,
}

impl Screen {
    fn new() -> Screen {
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1024x768x24",
                "-nolisten",
                "tcp",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut display = String::new();
        let mut told = BufReader::new(server.stdout.take().unwrap());
        told.read_line(&mut display).unwrap();
        let display = format!(":{}", display.trim());
        Screen { server, display }
    }

    /// Opens `directory` in a window; the file manager has a home and a session bus of its own.
    fn open(
        &self,
        (program, arguments): (&str, &[&str]),
        directory: &Path,
        home: PathBuf,
    ) -> Window {
        let runtime = home.join("runtime");
        let private = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&runtime);
        private.unwrap();
        // Ends with its input, and takes what it has started along.
        let script = "\"$@\" & read -r _; kill $!; wait";
        let log = File::create(home.join("log")).unwrap();
        let process = command("dbus-run-session", &home)
            .args(["--", "sh", "-c", script, "sh", program])
            .args(arguments)
            .arg(directory)
            .env("DISPLAY", &self.display)
            .env("XDG_RUNTIME_DIR", &runtime)
            .env("XDG_DATA_HOME", home.join("data"))
            .env("NO_AT_BRIDGE", "1")
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Window { process, home }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

/// A file manager. Closed when dropped.
struct Window {
    process: Child,
    home: PathBuf,
}

impl Window {
    /// Waits until it has done what `done` tells, and whatever it does after that.
    fn wait(&self, mount: &Counted, done: impl Fn() -> bool) {
        let start = Instant::now();
        while !done() {
            let log = || fs::read_to_string(self.home.join("log")).unwrap();
            assert!(start.elapsed() < Duration::from_secs(60), "{}", log());
            sleep(Duration::from_millis(50));
        }
        mount.settle();
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().ok();
    }
}

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

/// The first block of the README is a session. Its commands print what stands below them; "..." stands for lines left out.
#[test]
fn the_session_of_the_readme_is_what_the_commands_print() {
    if !can_mount() || !installed(&["bash", "grep", "rsync"]) {
        return;
    }
    let readme = include_str!("../README.md");
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
        let command = typed[2..].replace("/mnt/", &format!("{here}/"));
        script += &format!("cat <<'END'\n{typed}\nEND\n{command}\n");
    }
    let printed = output(command("bash", scratch.path()).args(["-c", &script]));
    let printed = printed.replace(here, "/mnt");
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
