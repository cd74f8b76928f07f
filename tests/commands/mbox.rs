//! `ostfs export --to mbox`: every reader finds the items of the folder export, each once and byte for byte.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use crate::mounted::{ostfs, picture, run};
use crate::programs::{command, in_terminal, installed, output};
use crate::support::*;
use tempfile::TempDir;

/// Lines of a body that readers may take for the beginning of a message; the six cases of quoting.
const LINES: &str = "From here on\r\n\r\nFrom a@b Wed May  1 09:32:00 2024\r\nFrom c@d Wed May  1 09:32:00 2024\r\n\
    >From quoted\r\n>>From twice\r\nFrom: no field\r\n\r\nFrom ";

struct Mail {
    scratch: TempDir,
    file: PathBuf,
}

impl Mail {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("mail.pst");
        let mut store = Store::new(Format::Unicode, Crypt::Permute);
        let top = store.ipm_subtree();
        let inbox = store.folder(top, "Inbox");
        let projects = store.folder(inbox, "Projects");
        let reserved = store.folder(top, "Inbox.sbd");
        for subject in ["One", "Two"] {
            let mail = Message::mail(subject).from("Ann Adams", "ann@north.example");
            store.message(inbox, mail.body(LINES).attachment("a.txt", "From inside\n"));
        }
        let embedded = Message::mail("Inner").body(LINES);
        store.message(inbox, Message::mail("Outer").embed(embedded));
        let unsent = Message::mail("Nobody").time(filetime(1959, 1, 2, 3, 4));
        store.message(projects, unsent.body("text"));
        let day = filetime(2024, 6, 3, 10, 0);
        store.message(projects, Message::appointment("Lunch", day, day, "Zürich"));
        store.message(
            projects,
            Message::contact("Jane", "Doe", "jane@west.example"),
        );
        store.message(reserved, Message::mail("Reserved").body("text"));
        store.write(&file).unwrap();
        Self { scratch, file }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn export(&self, arguments: &[&str], target: &Path) {
        let (file, target) = (self.file.to_str().unwrap(), target.to_str().unwrap());
        let output = ostfs(&[&["export", file, target], arguments].concat());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
    }

    /// All items in one mbox.
    fn mbox(&self) -> PathBuf {
        let path = self.path("all.mbox");
        self.export(&["--to", "mbox"], &path);
        path
    }

    /// The items in `folder` of the folder export, all as mail. In an mbox the last line of each has an end.
    fn items(&self, folder: &str) -> Vec<Vec<u8>> {
        let directory = self.path("folder");
        if !directory.exists() {
            self.export(&["-o", "items=eml,attachments=eml"], &directory);
        }
        let entries = picture(&directory.join(folder));
        let names = entries
            .keys()
            .filter(|path| path.extension().is_some_and(|end| end == "eml"));
        let read = |name| {
            let mut item = fs::read(directory.join(folder).join(name)).unwrap();
            if !item.ends_with(b"\n") {
                item.push(b'\n');
            }
            item
        };
        names.map(read).collect()
    }
}

/// Writes each message of a mailbox as Python reads it, without what mboxrd adds, into a file of its own.
const MAILBOX: &str = r"
import mailbox, os, re, sys
box = mailbox.mbox(sys.argv[1], create=False)
for number in box.keys():
    text = re.sub(rb'(?m)^>(>*From )', rb'\1', box.get_bytes(number))
    open(os.path.join(sys.argv[2], '%03d' % number), 'wb').write(text)
";

/// The messages that Python finds in `mbox`.
fn read(mbox: &Path) -> Vec<Vec<u8>> {
    let scratch = tempfile::tempdir().unwrap();
    let paths = [mbox.to_str().unwrap(), scratch.path().to_str().unwrap()];
    run("python3", &["-c", MAILBOX, paths[0], paths[1]]);
    let files = picture(scratch.path());
    files
        .keys()
        .map(|name| fs::read(scratch.path().join(name)).unwrap())
        .collect()
}

#[test]
fn python_finds_every_item_byte_for_byte() {
    if !installed(&["python3"]) {
        return;
    }
    let mail = Mail::new();
    let mbox = mail.mbox();
    let (mut found, mut items) = (read(&mbox), mail.items(""));
    assert_eq!(items.len(), 7);
    found.sort_unstable();
    items.sort_unstable();
    assert!(found == items, "{}", fs::read_to_string(&mbox).unwrap());
}

#[test]
fn a_message_begins_with_its_sender_and_time_and_other_lines_are_quoted() {
    let mail = Mail::new();
    let text = fs::read_to_string(mail.mbox()).unwrap();
    let beginnings: BTreeSet<&str> = text
        .lines()
        .filter(|line| line.starts_with("From "))
        .collect();
    assert_eq!(
        text.lines()
            .filter(|line| line.starts_with("From "))
            .count(),
        7
    );
    // date -u -d '2024-05-01 09:32' '+%a %b %e %H:%M:%S %Y'
    assert!(
        beginnings.contains("From ann@north.example Wed May  1 09:32:00 2024"),
        "{beginnings:?}"
    );
    let of_1959 = |line: &&str| line.ends_with(" Fri Jan  2 03:04:00 1959");
    assert_eq!(
        beginnings.iter().filter(|line| of_1959(line)).count(),
        1,
        "{beginnings:?}"
    );
    for line in [
        ">From here on",
        ">>From quoted",
        ">>>From twice",
        "From: no field",
    ] {
        assert!(text.contains(&format!("\n{line}\n")), "{line}");
    }
    assert!(!text.contains('\r'));
    assert!(text.ends_with("\n\n") && text.starts_with("From "));
}

#[test]
fn thunderbirds_tree_has_a_file_for_each_folder_and_the_same_messages() {
    if !installed(&["python3"]) {
        return;
    }
    let mail = Mail::new();
    let tree = mail.path("tree/");
    mail.export(&["--to", "mbox"], &tree);
    for (file, folder) in [
        ("Inbox", "Inbox"),
        ("Inbox.sbd/Projects", "Inbox/Projects"),
        ("Inbox.sbd_", "Inbox.sbd"),
    ] {
        let mut items = mail.items(folder);
        if folder == "Inbox" {
            let below = mail.items("Inbox/Projects");
            items.retain(|item| !below.contains(item));
        }
        let mut found = read(&tree.join(file));
        assert!(!items.is_empty());
        found.sort_unstable();
        items.sort_unstable();
        assert!(found == items, "{file}");
    }
    assert!(tree.join("Deleted Items").is_file());
    // A filter leaves no folder without the file by which it is shown.
    let part = mail.path("part/");
    mail.export(&["--to", "mbox", "--folder", "Inbox/Projects"], &part);
    let names = picture(&part);
    let names: Vec<_> = names.keys().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(names, ["Inbox", "Inbox.sbd", "Inbox.sbd/Projects"]);
    assert_eq!(fs::metadata(part.join("Inbox")).unwrap().len(), 0);
}

#[test]
fn mutt_finds_every_item() {
    if !installed(&["mutt", "script"]) {
        return;
    }
    let mail = Mail::new();
    let mbox = mail.mbox();
    let copy = mail.path("copy");
    let commands = mail.path("muttrc");
    // It would ask whether to make it.
    fs::create_dir(mail.path("Mail")).unwrap();
    let push = "<tag-pattern>~A<enter><tag-prefix><copy-message>";
    let text = format!(
        "set confirmcreate=no confirmappend=no mbox_type=Maildir\npush \"{push}{}<enter><exit>\"\n",
        copy.display()
    );
    fs::write(&commands, text).unwrap();
    let (commands, mbox) = (commands.display(), mbox.display());
    let mutt = format!("mutt -n -F '{commands}' -R -f '{mbox}'");
    in_terminal(&mutt, mail.scratch.path());
    let count = fs::read_dir(copy.join("cur")).unwrap().count();
    let new = fs::read_dir(copy.join("new")).unwrap().count();
    assert_eq!(count + new, 7);
}

#[test]
fn dovecot_finds_every_item_and_which_were_read() {
    if !installed(&["doveadm"]) {
        return;
    }
    let mail = Mail::new();
    let at = mail.scratch.path();
    // Root is not served by Dovecot.
    let own = fs::metadata("/proc/self").unwrap();
    let (uid, gid) = match own.uid() {
        0 => (NOBODY, NOBODY),
        uid => (uid, own.gid()),
    };
    fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
    let [home, boxes, base] = ["home", "home/boxes", "run"].map(|name| at.join(name));
    let all = boxes.join("All");
    for directory in [&home, &boxes, &base] {
        fs::create_dir(directory).unwrap();
        chown(directory, Some(uid), Some(gid)).unwrap();
    }
    fs::copy(mail.mbox(), &all).unwrap();
    chown(&all, Some(uid), Some(gid)).unwrap();
    let text = format!(
        "base_dir = {}\nlog_path = /dev/stderr\nssl = no\nmail_uid = {uid}\nmail_gid = {gid}\nmail_home = {home}\n\
         first_valid_uid = 1\nfirst_valid_gid = 1\n\
         mail_location = mbox:{home}/boxes:INBOX={home}/inbox:INDEX=MEMORY\nnamespace inbox {{\n  inbox = yes\n}}\n",
        base.display(),
        home = home.display(),
    );
    let configuration = at.join("dovecot.conf");
    fs::write(&configuration, text).unwrap();
    let mut doveadm = command("doveadm", &home);
    doveadm.env("USER", "ann").arg("-c").arg(&configuration);
    let found = output(doveadm.args(["fetch", "hdr.subject flags", "mailbox", "All"]));
    let count = |begin: &str| found.lines().filter(|line| line.starts_with(begin)).count();
    assert_eq!(count("hdr.subject: "), 7, "{found}");
    assert_eq!(count("flags: \\Seen"), 7, "{found}");
}

/// User and group of nobody.
const NOBODY: u32 = 65534;
