//! What users know from other filesystems: how much is logged and where, names kept out of it, an end when nobody uses
//! the mount, extended attributes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::mounted::{
    OSTFS, can_mount, is_mounted, ostfs, picture, run, unshare_files, wait_until,
};
use crate::needs;
use crate::support::sample::sample;
use crate::support::{Crypt, Format};
use tempfile::TempDir;

/// A folder with the sample as "secret-file.pst", and a directory "mnt".
fn scene() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().canonicalize().unwrap();
    let store = sample(Format::Unicode, Crypt::Permute);
    store.write(path.join("secret-file.pst")).unwrap();
    fs::create_dir(path.join("mnt")).unwrap();
    (folder, path)
}

/// A mount in the foreground whose log can be read. Ended when dropped.
struct Logged(Option<Child>);

impl Logged {
    fn start(here: &Path, arguments: &[&str]) -> Logged {
        let process = Command::new(OSTFS)
            .arg("mount")
            .args(arguments)
            .args(["secret-file.pst", "mnt"])
            .current_dir(here)
            .env_remove("RUST_LOG")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_until("the mount is there", || is_mounted(&here.join("mnt")));
        Logged(Some(process))
    }

    fn id(&self) -> String {
        self.0.as_ref().unwrap().id().to_string()
    }

    /// Waits for its end, and returns what was logged.
    fn log(mut self) -> String {
        let output = self.0.take().unwrap().wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        if let Some(mut process) = self.0.take() {
            process.kill().ok();
            process.wait().ok();
        }
    }
}

/// Unmounts, and returns what was logged.
fn log_of(process: Logged, here: &Path) -> String {
    run(OSTFS, &["unmount", here.join("mnt").to_str().unwrap()]);
    process.log()
}

#[test]
fn the_log_says_as_much_as_is_asked_for() {
    if !can_mount() {
        return;
    }
    unshare_files();
    let (_folder, here) = scene();
    let log = |arguments: &[&str]| {
        let process = Logged::start(&here, arguments);
        assert!(picture(&here.join("mnt")).len() > 20);
        assert!(!here.join("mnt/no such name").exists());
        log_of(process, &here)
    };
    assert_eq!(log(&["-f"]), "");
    assert_eq!(log(&["-f", "-q"]), "");
    let verbose = log(&["-f", "-v"]);
    assert!(verbose.contains("mnt: mounted") && verbose.contains("mnt: unmounted"));
    assert_eq!(verbose.lines().count(), 2, "{verbose}");
    let debug = log(&["-d"]);
    assert!(debug.contains("lookup \"no such name\" in 0x1"), "{debug}");
    for request in ["readdirplus 0x", "read ", "getattr 0x"] {
        assert!(debug.contains(request), "{request}");
    }
    let both = ostfs(&["mount", "-v", "-q", "a.pst", "b"]);
    assert_eq!(both.status.code(), Some(16));
}

#[test]
fn redacted_logs_name_nothing() {
    if !can_mount() {
        return;
    }
    let (_folder, here) = scene();
    let process = Logged::start(&here, &["-d", "-o", "redact"]);
    let tree = picture(&here.join("mnt"));
    // In use, so that the end has something to say, too.
    let mut inside = Command::new("sleep")
        .arg("30")
        .current_dir(here.join("mnt/Inbox"))
        .spawn()
        .unwrap();
    assert!(!here.join("mnt/Inbox/no such name").exists());
    run("kill", &["-TERM", &process.id()]);
    wait_until("the mount is detached", || !is_mounted(&here.join("mnt")));
    // The end of the last use ends ostfs, which has to log before.
    thread::sleep(Duration::from_millis(500));
    inside.kill().unwrap();
    inside.wait().unwrap();
    let log = process.log();
    assert!(
        log.lines().count() > 20 && log.contains("still in use"),
        "{log}"
    );
    let mut names: Vec<String> = ["secret-file", "mnt", "no such name", "Quarterly", "@"]
        .map(str::to_owned)
        .into();
    names.extend(tree.keys().map(|path| {
        let name = path.file_name().unwrap();
        name.to_string_lossy().into_owned()
    }));
    for name in names {
        assert!(!log.contains(&name), "{name} is in {log}");
    }
}

/// Makes parts of `file` unreadable.
fn damage(file: &Path) {
    let intact = fs::read(file).unwrap();
    let header = 0x4400;
    let damaged: Vec<u8> = intact
        .iter()
        .enumerate()
        .map(|(at, byte)| byte ^ u8::from(at > header && at % 4096 == 0))
        .collect();
    fs::write(file, damaged).unwrap();
}

#[test]
fn problems_are_logged_without_names_too() {
    if !can_mount() {
        return;
    }
    unshare_files();
    let (_folder, here) = scene();
    damage(&here.join("secret-file.pst"));
    let process = Logged::start(&here, &["-f", "-o", "redact"]);
    let mut found = Command::new("find").arg(here.join("mnt")).output().unwrap();
    found.stdout.clear();
    run(
        "sh",
        &[
            "-c",
            &format!(
                "tar -cf - -C '{}' . >/dev/null 2>&1 || true",
                here.join("mnt").display()
            ),
        ],
    );
    let problems = fs::read_to_string(here.join("mnt/.ostfs/problems.txt")).unwrap();
    assert!(!problems.is_empty(), "nothing is wrong with the file");
    let log = log_of(process, &here);
    assert!(log.contains("a problem, which may quote a name"), "{log}");
    for line in log.lines() {
        let text = line
            .trim_start_matches("ostfs: ")
            .trim_start_matches("damaged ");
        assert!(
            text.ends_with(": a problem, which may quote a name") || !text.contains('"'),
            "{line}"
        );
    }
}

/// Mounts, reads everything and unmounts in a mount namespace whose /dev/log is ours; returns what was sent there: priorities,
/// and lines behind "ostfs[PID]: ".
fn system_log(here: &Path, options: &str) -> Vec<(u8, String)> {
    let log = UnixDatagram::bind(here.join("log")).unwrap();
    log.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // Whoever sends waits while the socket is full.
    let reader = thread::spawn(move || {
        let mut lines: Vec<(u8, String)> = Vec::new();
        while lines
            .last()
            .is_none_or(|(_, line)| !line.ends_with(": unmounted"))
        {
            let mut buffer = [0; 4096];
            let length = log.recv(&mut buffer).expect("a line in the system log");
            let line = String::from_utf8(buffer[..length].to_vec()).unwrap();
            let (head, text) = line.split_once("]: ").expect(&line);
            let (priority, tag) = head.strip_prefix('<').unwrap().split_once('>').unwrap();
            let (_, pid) = tag.rsplit_once(" ostfs[").expect(&line);
            assert!(pid.parse::<u32>().is_ok(), "{line}");
            lines.push((
                priority.parse().unwrap(),
                text.trim_end_matches(['\n', '\0']).to_owned(),
            ));
        }
        lines
    });
    let script = r#"
        set -eu
        here=$1
        mount -t tmpfs dev "$here/dev"
        for device in null zero urandom fuse; do
            touch "$here/dev/$device"
            mount --bind "/dev/$device" "$here/dev/$device"
        done
        ln -s "$here/log" "$here/dev/log"
        mount --rbind "$here/dev" /dev
        cd "$here"
        "$2" mount -o "$3" -v secret-file.pst mnt
        tar -cf - -C mnt . >/dev/null 2>&1 || true
        "$2" unmount mnt
    "#;
    fs::create_dir_all(here.join("dev")).unwrap();
    let arguments = [
        "-m",
        "sh",
        "-c",
        script,
        "sh",
        here.to_str().unwrap(),
        OSTFS,
        options,
    ];
    run("unshare", &arguments);
    fs::remove_file(here.join("log")).unwrap();
    reader.join().unwrap()
}

#[test]
fn in_the_background_the_log_is_that_of_the_system() {
    /// syslog(3): the facility "daemon", with the severities "warning" and "info".
    const WARNING: u8 = 3 << 3 | 4;
    const INFO: u8 = 3 << 3 | 6;
    if !can_mount() {
        return;
    }
    unshare_files();
    if run("id", &["-u"]) != "0\n" {
        needs::ignored("only root can put a socket in the place of /dev/log");
        return;
    }
    let (_folder, here) = scene();
    let names: Vec<String> = {
        let _mount = Logged::start(&here, &["-f"]);
        let tree = picture(&here.join("mnt"));
        run(OSTFS, &["unmount", here.join("mnt").to_str().unwrap()]);
        let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        let names = tree.keys().map(name);
        // That one is no name of the file.
        names.filter(|name| name != "lost+found").collect()
    };
    damage(&here.join("secret-file.pst"));
    let point = here.join("mnt").display().to_string();
    let lines = system_log(&here, "ro");
    assert_eq!(lines.first().unwrap(), &(INFO, format!("{point}: mounted")));
    assert_eq!(
        lines.last().unwrap(),
        &(INFO, format!("{point}: unmounted"))
    );
    let problems = &lines[1..lines.len() - 1];
    assert!(!problems.is_empty());
    assert!(
        problems.iter().all(|(priority, _)| *priority == WARNING),
        "{problems:?}"
    );

    let redacted = system_log(&here, "redact");
    assert_eq!(redacted.len(), lines.len());
    for ((priority, line), (same, _)) in redacted.iter().zip(&lines) {
        assert_eq!(priority, same);
        let told = names
            .iter()
            .chain([&point])
            .find(|name| line.contains(*name));
        assert_eq!(told, None, "{line}");
        assert!(
            !line.contains("secret-file") && !line.contains('@'),
            "{line}"
        );
    }
}

#[test]
fn a_mount_ends_when_nobody_has_used_it_for_a_while() {
    if !can_mount() {
        return;
    }
    let (_folder, here) = scene();
    let point = here.join("mnt");
    let start = Instant::now();
    let process = Logged::start(&here, &["-f", "--idle-timeout", "1s"]);
    let mut inside = Command::new("sleep")
        .arg("30")
        .current_dir(point.join("Inbox"))
        .spawn()
        .unwrap();
    // In use without a request.
    thread::sleep(Duration::from_millis(2500));
    assert!(is_mounted(&point), "a working directory is a use");
    inside.kill().unwrap();
    inside.wait().unwrap();
    // Used again and again, each time out of the kernel's caches if they can hide it.
    let used = Instant::now();
    while used.elapsed() < Duration::from_millis(2500) {
        assert!(point.join("Inbox").is_dir(), "it is in use");
        thread::sleep(Duration::from_millis(100));
    }
    wait_until("the mount is gone", || !is_mounted(&point));
    process.log();
    assert!(start.elapsed() > Duration::from_secs(5));
    for wrong in ["0", "soon", "-5s"] {
        for option in ["--idle-timeout", "-oidle_timeout"] {
            let output = ostfs(&["mount", &format!("{option}={wrong}"), "a.pst", "b"]);
            assert_eq!(output.status.code(), Some(16), "{wrong}");
        }
    }
    // As fstab(5) has it.
    let process = Logged::start(&here, &["-f", "-o", "idle_timeout=1"]);
    wait_until("the mount is gone", || !is_mounted(&point));
    process.log();
}

/// Name and value of all extended attributes, as getfattr(1) shows them.
fn xattrs(path: &Path) -> BTreeMap<String, String> {
    let text = run(
        "getfattr",
        &["--absolute-names", "-d", path.to_str().unwrap()],
    );
    let lines = text.lines().filter_map(|line| line.split_once('='));
    lines
        .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
        .collect()
}

#[test]
fn extended_attributes_tell_what_a_file_is_and_came_from() {
    if !can_mount() {
        return;
    }
    unshare_files();
    let (_folder, here) = scene();
    let process = Logged::start(&here, &["-d", "-o", "user_xattr"]);
    let inbox = here.join("mnt/Inbox");
    let message = inbox.join("2024-05-01 0932 Quarterly numbers.eml");
    let of_message = xattrs(&message);
    let get = |name: &str| of_message.get(name).map(String::as_str).unwrap_or_default();
    assert_eq!(get("user.ostfs.class"), "IPM.Note");
    assert_eq!(get("user.mime_type"), "message/rfc822");
    assert_eq!(get("user.xdg.origin.email.subject"), "Quarterly numbers");
    assert_eq!(
        get("user.xdg.origin.email.message-id"),
        "<numbers@south.example>"
    );
    assert!(get("user.xdg.origin.email.from").contains("eva@south.example"));
    let nid = u32::from_str_radix(get("user.ostfs.nid").trim_start_matches("0x"), 16).unwrap();
    // A message is a node of type 4; the entry id ends with the node.
    assert_eq!(nid & 0x1F, 4);
    let bytes = nid.to_le_bytes().map(|byte| format!("{byte:02X}")).concat();
    assert!(
        get("user.ostfs.entryid").ends_with(&bytes),
        "{of_message:?}"
    );
    assert_eq!(get("user.ostfs.entryid").len(), 48);
    let flags = u32::from_str_radix(get("user.ostfs.flags").trim_start_matches("0x"), 16).unwrap();
    assert_eq!(flags & 0x10, 0x10, "it has attachments");

    let directory = inbox.join("2024-05-01 0932 Quarterly numbers.attachments");
    let of_attachment = xattrs(&directory.join("notes.txt"));
    assert_eq!(of_attachment["user.mime_type"], "text/plain");
    for name in ["subject", "from", "message-id"] {
        let name = format!("user.xdg.origin.email.{name}");
        assert_eq!(of_attachment[&name], of_message[&name]);
    }
    assert_eq!(xattrs(&inbox)["user.ostfs.class"], "IPF.Note");
    let contact = here.join("mnt/Contacts/Jane Doe.vcf");
    assert_eq!(xattrs(&contact)["user.mime_type"], "text/vcard");
    let none = Command::new("getfattr")
        .args(["-n", "user.nothing"])
        .arg(&message)
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&none.stderr).contains("No such attribute"));

    // What the system asks for on its own opens nothing; copies take the attributes along where they can be kept.
    let before = of_message.len();
    run("ls", &["-lR", here.join("mnt").to_str().unwrap()]);
    let copy = here.join("copy.eml");
    run(
        "cp",
        &[
            "--preserve=xattr",
            message.to_str().unwrap(),
            copy.to_str().unwrap(),
        ],
    );
    assert_eq!(xattrs(&copy).len(), before);
    let log = log_of(process, &here);
    assert!(!log.contains("getxattr security") && !log.contains("getxattr system"));

    // Without the option the kernel is told once that there are none.
    let process = Logged::start(&here, &["-f"]);
    let output = Command::new("getfattr").arg("-d").arg(&message).output();
    let refusal = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(refusal.contains("Operation not supported"), "{refusal}");
    log_of(process, &here);
}
