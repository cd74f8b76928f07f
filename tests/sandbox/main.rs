//! Whoever takes over the process through the file that it reads, gets nothing beyond that file: no other file, no
//! network, no program, no rights; and whatever the process has to do, it can.

mod compromised;
#[path = "../helpers/mounted.rs"]
mod mounted;
#[path = "../helpers/needs.rs"]
mod needs;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use mounted::{can_mount, is_mounted, run, wait_until};
use support::{Crypt, Damage, Folders, Format, Message, Payload, Store};
use tempfile::TempDir;

const TESTS: [(&str, fn()); 6] = [
    ("a compromised request of a mount can do nothing", mount),
    (
        "the same attack succeeds without the sandbox",
        mount_without,
    ),
    (
        "a compromised export writes into its directory alone",
        export,
    ),
    (
        "whoever takes over while a file is opened can do nothing either",
        opening,
    ),
    (
        "a file that cannot be opened leaves nothing behind",
        nothing_left,
    ),
    ("every thread is inside", threads),
];

fn main() {
    compromised::run_if_asked();
    let wanted = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    for (name, test) in TESTS {
        if wanted
            .as_ref()
            .is_none_or(|part| name.contains(part.as_str()))
        {
            println!("{name}");
            test();
        }
    }
}

/// A file in which an attachment is damaged, and what an attacker is after.
struct Scene {
    directory: TempDir,
    file: PathBuf,
}

impl Scene {
    fn new() -> Scene {
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("store.pst");
        let mut store = Store::new(Format::Unicode, Crypt::Permute);
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let message = Message::mail("Bait")
            .body("Text")
            .attachment("bait.bin", Payload::random(50_000, 1));
        let message = store.message(inbox, message);
        let layout = store.write(&file).unwrap();
        let damage = Damage::open(&file, &layout).unwrap();
        damage.flip_attachment(message, 0);
        for name in ["secret", "victim"] {
            fs::write(directory.path().join(name), name).unwrap();
        }
        Scene { directory, file }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// This program, compromised; `command` is what ostfs is asked for.
    fn start(&self, command: &[&str]) -> Child {
        self.compromised(command).spawn().unwrap()
    }

    /// The same, compromised as soon as it tells something with `trigger` in it.
    fn start_at(&self, trigger: &str, command: &[&str]) -> Child {
        let mut process = self.compromised(command);
        process.env(compromised::TRIGGER, trigger).spawn().unwrap()
    }

    fn compromised(&self, command: &[&str]) -> Command {
        let mut process = Command::new(std::env::current_exe().unwrap());
        process
            .args(command)
            .env(compromised::TARGET, self.directory.path())
            .env("RUST_LOG", "debug")
            .stdout(Stdio::piped());
        process
    }

    /// Mounts, and reads what makes the attacker come out; returns what he found.
    fn attack_mount(&self, options: &str) -> Vec<String> {
        let mountpoint = self.path("mnt");
        fs::create_dir(&mountpoint).unwrap();
        let (file, at) = (self.file.to_str().unwrap(), mountpoint.to_str().unwrap());
        let options = format!("{options},damaged=refuse");
        let mut process = self.start(&["mount", "-f", "-o", &options, file, at]);
        wait_until("the mount is there", || is_mounted(&mountpoint));
        let bait = find(&mountpoint.join("Inbox"), "attachments").join("bait.bin");
        assert!(fs::read(bait).is_err(), "the bait is damaged");
        let found = report(&mut process);
        // The mount still answers, and ends when it is told to.
        let mail = find(&mountpoint.join("Inbox"), "eml");
        assert!(mail.metadata().unwrap().len() > 50_000);
        run("kill", &["-TERM", &process.id().to_string()]);
        assert!(process.wait().unwrap().success());
        assert!(!is_mounted(&mountpoint));
        found
    }
}

fn find(directory: &Path, extension: &str) -> PathBuf {
    let mut entries = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_it = |path: &PathBuf| path.extension().is_some_and(|own| own == extension);
    entries.find(is_it).unwrap()
}

/// What the attacker says until he is done.
fn report(process: &mut Child) -> Vec<String> {
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    lines
        .map(Result::unwrap)
        .take_while(|line| line != "end")
        .collect()
}

/// What came of the attempt `what`: None for success, else the error number.
fn attempt(found: &[String], what: &str) -> Option<i32> {
    let prefix = format!("{what}: ");
    let line = found.iter().find_map(|line| line.strip_prefix(&prefix));
    let line = line.unwrap_or_else(|| panic!("{what} was not tried: {found:#?}"));
    (line != "done").then(|| line.parse().unwrap())
}

const FILES: [&str; 4] = ["open", "create", "times", "remove"];
const OTHERS: [&str; 6] = [
    "internet socket",
    "local socket",
    "signal",
    "code",
    "program",
    "namespace",
];

fn assert_refused(found: &[String], attempts: &[&str]) {
    for what in attempts {
        let result = attempt(found, what);
        assert!(
            matches!(result, Some(libc::EPERM | libc::EACCES)),
            "{what}: {result:?} of {found:#?}"
        );
    }
}

fn mount() {
    if !can_mount() {
        return;
    }
    let scene = Scene::new();
    let found = scene.attack_mount("ro");
    assert!(
        found.iter().any(|line| line.starts_with("thread fuser-")),
        "in the thread of the request: {found:#?}"
    );
    assert_refused(&found, &FILES);
    assert_refused(&found, &OTHERS);
    assert!(!scene.path("loot").exists() && scene.path("victim").exists());
    for part in [
        "capabilities: dropped",
        "no_new_privs: set",
        "seccomp: in force",
    ] {
        assert!(found.contains(&format!("sandbox: {part}")), "{found:#?}");
    }
}

fn mount_without() {
    if !can_mount() {
        return;
    }
    let scene = Scene::new();
    let found = scene.attack_mount("sandbox=off");
    for what in FILES.iter().chain(&OTHERS[..5]) {
        assert_eq!(attempt(&found, what), None, "{what}");
    }
    assert!(scene.path("loot").exists() && !scene.path("victim").exists());
    assert!(!found.iter().any(|line| line.starts_with("sandbox: ")));
}

fn export() {
    let scene = Scene::new();
    let target = scene.path("tree");
    let (file, to) = (scene.file.to_str().unwrap(), target.to_str().unwrap());
    let mut process = scene.start(&["export", file, to]);
    let found = report(&mut process);
    process.wait().unwrap();
    assert_refused(&found, &OTHERS);
    if found
        .iter()
        .any(|line| line == "sandbox: Landlock: fully in force")
    {
        assert_refused(&found, &FILES);
        assert!(!scene.path("loot").exists() && scene.path("victim").exists());
    } else {
        needs::ignored("in part: this kernel does not tell directories apart for a process");
    }
    let mail = fs::read_to_string(find(&target.join("Inbox"), "eml")).unwrap();
    assert!(
        mail.contains("X-Ostfs-Problem: "),
        "the export itself went on"
    );
}

fn opening() {
    for command in ["mount", "export", "index", "ls", "cat", "check", "info"] {
        if command == "mount" && !can_mount() {
            continue;
        }
        let scene = Scene::new();
        let mut bytes = fs::read(&scene.file).unwrap();
        // The CRC of a Unicode header: it is told before anything behind the header is read.
        bytes[4] ^= 3;
        fs::write(&scene.file, bytes).unwrap();
        let (target, file) = (scene.path("target"), scene.file.to_str().unwrap());
        let arguments = match command {
            "mount" => vec!["mount", "-f", file, target.to_str().unwrap()],
            "export" => vec!["export", file, target.to_str().unwrap()],
            "cat" => vec!["cat", file, ".ostfs/info.json"],
            other => vec![other, file],
        };
        let mut process = scene.start_at("looking for the mail in the whole file", &arguments);
        if ["check", "info"].contains(&command) {
            // Nothing is told of the file while these open it; what they are is tested by what they print.
            process.wait_with_output().unwrap();
            continue;
        }
        let found = report(&mut process);
        assert_refused(&found, &OTHERS);
        if command == "export" && !found.contains(&"sandbox: Landlock: fully in force".to_owned()) {
            needs::ignored("in part: this kernel does not tell directories apart for a process");
        } else {
            assert_refused(&found, &FILES);
        }
        assert!(!scene.path("loot").exists() && scene.path("victim").exists());
        if command == "mount" {
            wait_until("the mount is there", || target.join("Inbox").is_dir());
            run("kill", &["-TERM", &process.id().to_string()]);
        }
        // Nobody reads on what the command has to say.
        process.wait().unwrap();
    }
}

fn nothing_left() {
    let scene = Scene::new();
    fs::write(&scene.file, "Dear diary").unwrap();
    for command in ["mount", "export"] {
        for foreground in [false, true] {
            if command == "mount" && !can_mount() || command == "export" && foreground {
                continue;
            }
            let target = scene.path("target");
            let mut process = Command::new(mounted::OSTFS);
            process.arg(command).args(foreground.then_some("-f"));
            let output = process.arg(&scene.file).arg(&target).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(3), "{command}: {said}");
            assert!(said.contains("not an Outlook data file"), "{said}");
            assert!(!target.exists() && !is_mounted(&target), "{command}");
        }
    }
}

fn threads() {
    if !can_mount() {
        return;
    }
    let scene = Scene::new();
    let mount = mounted::Mount::new(&scene.file, &[]);
    assert!(mount.path.join("Inbox").is_dir());
    let tasks: Vec<String> = fs::read_dir(format!("/proc/{}/task", mount.process.id()))
        .unwrap()
        .filter_map(
            |task| match fs::read_to_string(task.unwrap().path().join("status")) {
                // It ended meanwhile.
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                status => Some(status.unwrap()),
            },
        )
        .collect();
    assert!(tasks.len() > 3, "{} threads", tasks.len());
    for task in tasks {
        for line in ["Seccomp:\t2", "NoNewPrivs:\t1", "CapPrm:\t0000000000000000"] {
            assert!(task.lines().any(|own| own == line), "{line} in {task}");
        }
    }
}
