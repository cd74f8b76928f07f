//! Layouts other than folders: the same on every mount and in every export, and read by the programs that they are made for.

use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::mounted::{Mount, can_mount, export, picture};
use crate::programs::{command, in_terminal, installed, output};
use crate::support::tags;
use crate::support::{Crypt, Folders, Format, Message as Mail, Store as MailStore, filetime};
use tempfile::TempDir;

/// What is in `directory`.
pub fn names(directory: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

/// Folders below the top with the directory that shows each: dots, letters of all kinds, names that are taken.
const FOLDERS: [(&str, &str); 9] = [
    ("Projekte 1.2", ".Projekte 1_2"),
    ("Entwürfe & Ideen", ".Entw&APw-rfe &- Ideen"),
    ("会議", ".&TxqLcA-"),
    ("ostfs", ".ostfs ~"),
    ("lost+found", ".lost+found ~"),
    ("Sent.Items", ".Sent_Items"),
    ("sent_items", ".sent_items ~"),
    ("~home", "._home"),
    ("...", ".(no name)"),
];

/// Subjects, what is set in 0x0E07, 0x0E17, 0x1080 and 0x1090, and the letters and IMAP flags that stand for it.
type Marked = (
    &'static str,
    i32,
    i32,
    i32,
    i32,
    &'static str,
    &'static [&'static str],
);
const MARKED: [Marked; 7] = [
    ("unread", 0, 0, -1, 0, "", &[]),
    ("read", 1, 0, -1, 0, "S", &["\\Seen"]),
    ("answered", 1, 0, 0x105, 0, "RS", &["\\Answered", "\\Seen"]),
    (
        "answered by status",
        1,
        0x200,
        -1,
        0,
        "RS",
        &["\\Answered", "\\Seen"],
    ),
    ("forwarded", 1, 0, 0x106, 0, "PS", &["\\Seen"]),
    ("flagged, done", 1, 0, -1, 1, "S", &["\\Seen"]),
    (
        "draft to delete, flagged",
        9,
        8,
        -1,
        2,
        "DFST",
        &["\\Deleted", "\\Draft", "\\Flagged", "\\Seen"],
    ),
];

/// A mailbox with these folders and messages, and an item of each kind.
fn marked(format: Format) -> (TempDir, PathBuf) {
    let scratch = TempDir::new().unwrap();
    let path = scratch.path().join("marked.pst");
    let mut store = MailStore::new(format, Crypt::Permute);
    let top = store.ipm_subtree();
    let inbox = store.folder(top, "Inbox");
    let below = store.folder(inbox, "Below");
    store.message(below, Mail::mail("in a subfolder").body("deep\r\n"));
    for (subject, flags, status, icon, flag, ..) in MARKED {
        let mail = Mail::mail(subject)
            .from("Ann", "ann@north.example")
            .to("Bob", "bob@north.example")
            .message_id(&format!(
                "<{}@north.example>",
                subject.replace([' ', ','], ".")
            ))
            .prop(tags::MESSAGE_FLAGS, flags)
            .row(0x0E17, Some(status.into()))
            .prop(tags::ICON_INDEX, icon)
            .prop(tags::FLAG_STATUS, flag);
        store.message(inbox, mail.body("Hello\r\n").attachment("a.txt", "text"));
    }
    for (name, _) in FOLDERS {
        let folder = store.folder(top, name);
        store.message(folder, Mail::mail(&format!("in {name}")).body("here\r\n"));
    }
    let calendar = store.folder_of(top, "Calendar", "IPF.Appointment");
    let (start, end) = (filetime(2024, 6, 3, 10, 0), filetime(2024, 6, 3, 11, 0));
    let lunch = Mail::appointment("Team lunch", start, end, "Café");
    let found = store.message(calendar, lunch);
    let contacts = store.folder_of(top, "Contacts", "IPF.Contact");
    store.message(contacts, Mail::contact("Jane", "Doe", "jane@west.example"));
    store.message(contacts, Mail::sticky_note("a note\r\nof two lines"));
    store.message(top, Mail::mail("in no folder").body("top\r\n"));
    store.search_folder("Found", &[found]);
    store.write(&path).unwrap();
    (scratch, path)
}

#[test]
fn a_maildir_has_a_directory_for_every_folder_and_the_state_in_every_name() {
    for format in [Format::Ansi, Format::Unicode, Format::Ost4k] {
        let (_scratch, file) = marked(format);
        let (_target, tree) = export(&file, &["-o", "layout=maildir"]);
        let top = names(&tree);
        for (name, directory) in FOLDERS {
            let is_it = |found: &&String| match directory.strip_suffix('~') {
                Some(start) => found.starts_with(start) && found.contains('~'),
                None => *found == directory,
            };
            // Code page 1252 has no Chinese.
            let lost = format == Format::Ansi && name == "会議";
            assert!(
                lost || top.iter().any(|found| is_it(&found)),
                "{format:?} {name}: {top:#?}"
            );
        }
        let usual = [
            "cur",
            "new",
            "tmp",
            ".INBOX.Below",
            ".Deleted Items",
            ".lost+found",
        ];
        assert!(usual.iter().all(|name| top.contains(*name)), "{top:#?}");
        assert_eq!(top.len(), FOLDERS.len() + usual.len() + 2, "{top:#?}");
        for directory in [&tree, &tree.join(".Calendar")] {
            assert!(names(&directory.join("new")).is_empty());
            assert!(names(&directory.join("tmp")).is_empty());
        }
        let letters = names(&tree.join("cur"));
        let letters: Vec<&str> = letters
            .iter()
            .map(|name| name.split_once(":2,").unwrap().1)
            .collect();
        // Those of the table, and one message that is in no folder but the top.
        assert_eq!(letters.len(), MARKED.len() + 1);
        // ANSI tables have no columns for icon and flag: the messages tell.
        let mut expected: Vec<&str> = MARKED.iter().map(|mail| mail.5).chain(["S"]).collect();
        let mut letters = letters;
        expected.sort_unstable();
        letters.sort_unstable();
        assert_eq!(letters, expected, "{format:?}");
    }
}

#[test]
fn a_maildir_is_the_same_on_every_mount_and_in_every_export() {
    if !can_mount() || !installed(&["rsync"]) {
        return;
    }
    for options in ["layout=maildir", "layout=maildir,all"] {
        let (scratch, file) = marked(Format::Unicode);
        let (_target, tree) = export(&file, &["-o", options]);
        let mount = Mount::new(&file, &["-o", options]);
        assert_eq!(picture(&tree), picture(&mount.path));
        let copy = scratch.path().join("copy");
        let rsync = || {
            let mut rsync = command("rsync", scratch.path());
            rsync
                .args(["-a", "--itemize-changes"])
                .arg(format!("{}/", mount.path.display()));
            output(rsync.arg(&copy))
        };
        assert!(rsync().contains("S"));
        assert_eq!(rsync(), "");
        let index = std::fs::read_to_string(mount.path.join(".ostfs/index.csv")).unwrap();
        for line in index.lines().skip(1) {
            let (path, _) = line.split_once(",0x").unwrap();
            assert!(mount.path.join(path.trim_matches('"')).is_file(), "{line}");
        }
        // A search folder has links, which lead to the messages.
        if options.ends_with("all") {
            let found = mount.path.join(".Search Root.Found/cur");
            let links: Vec<PathBuf> = std::fs::read_dir(&found)
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .collect();
            assert_eq!(links.len(), 1);
            assert!(
                links[0].is_symlink()
                    && std::fs::read_to_string(&links[0])
                        .unwrap()
                        .contains("Team lunch")
            );
        }
    }
}

/// Whether the tests run as root, whom Dovecot does not serve.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

#[test]
fn dovecot_serves_the_mount_with_its_folders_and_flags() {
    const IMAP: &str = "/usr/lib/dovecot/imap";
    if !can_mount() || !installed(&["python3", "doveconf"]) {
        return;
    }
    let (scratch, file) = marked(Format::Unicode);
    std::fs::set_permissions(scratch.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let own = std::fs::metadata("/proc/self").unwrap();
    let (uid, gid) = if is_root() {
        (65534, 65534)
    } else {
        (own.uid(), own.gid())
    };
    let access = if is_root() {
        "layout=maildir,allow_other"
    } else {
        "layout=maildir"
    };
    let mount = Mount::new(&file, &["-o", access]);
    let directory = |name: &str| {
        let path = scratch.path().join(name);
        std::fs::create_dir(&path).unwrap();
        std::os::unix::fs::chown(&path, Some(uid), Some(gid)).unwrap();
        path.display().to_string()
    };
    let config = format!(
        "base_dir = {}\nlog_path = /dev/null\nprotocols = imap\nssl = no\nmail_uid = {uid}\nmail_gid = {gid}\n\
         first_valid_uid = 1\nfirst_valid_gid = 1\nmail_temp_scan_interval = 0\n\
         mail_location = maildir:{}:INDEX={}:CONTROL={}\n",
        directory("run"),
        mount.path.display(),
        directory("index"),
        directory("control"),
    );
    let config_file = scratch.path().join("dovecot.conf");
    std::fs::write(&config_file, config).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/imap.py");
    let mut client = command("python3", scratch.path());
    client.arg(script).args([IMAP, "-c"]).arg(&config_file);
    let client = client.env("USER", "ann").env("TZ", "UTC").output().unwrap();
    let said = String::from_utf8_lossy(&client.stderr);
    assert!(client.status.success(), "{said}");
    assert!(!said.contains("Error"), "{said}");
    let found: serde_json::Value = serde_json::from_slice(&client.stdout).unwrap();
    let found = found.as_object().unwrap();
    for (subject, _, _, _, _, _, flags) in MARKED {
        let mail = &found["INBOX"][subject];
        assert_eq!(mail["flags"], serde_json::json!(flags), "{subject}");
        // 2024-05-01 09:32 UTC
        assert_eq!(mail["time"], 1_714_555_920, "{subject}");
        assert_eq!(mail["names"], serde_json::json!(["a.txt"]));
    }
    assert_eq!(found["INBOX"].as_object().unwrap().len(), MARKED.len() + 1);
    assert!(found["INBOX.Below"].get("in a subfolder").is_some());
    for (name, directory) in FOLDERS {
        let directory = directory.trim_end_matches(['~', ' ']);
        let subject = format!("in {name}");
        let holds = |(mailbox, mails): (&String, &serde_json::Value)| {
            mailbox.starts_with(&directory[1..]) && mails.get(&subject).is_some()
        };
        assert!(found.iter().any(holds), "{name}: {found:#?}");
    }
    let lunch = &found["Calendar"]["Team lunch"];
    assert_eq!(lunch["names"], serde_json::json!(["Team lunch.ics"]));
    assert_eq!(lunch["parts"][1], "text/calendar");
    let jane = &found["Contacts"]["Jane Doe"];
    assert_eq!(jane["names"], serde_json::json!(["Jane Doe.vcf"]));
    assert_eq!(
        jane["parts"],
        serde_json::json!(["text/plain", "text/vcard"])
    );
}

/// Subjects of [`MARKED`] whose letters have `letter`, in order.
fn with_letter(letter: char) -> Vec<&'static str> {
    let mut subjects: Vec<&str> = MARKED
        .iter()
        .filter(|mail| mail.5.contains(letter))
        .map(|mail| mail.0)
        .collect();
    subjects.sort_unstable();
    subjects
}

#[test]
fn notmuch_and_mu_take_tags_and_flags_from_the_mount() {
    if !can_mount() || !installed(&["notmuch", "mu"]) {
        return;
    }
    let (scratch, file) = marked(Format::Unicode);
    let mount = Mount::new(&file, &["-o", "layout=maildir"]);
    let config = format!(
        "[database]\npath={}\nmail_root={}\n[user]\nname=Ann\nprimary_email=ann@north.example\n\
         [new]\ntags=new;unread\n[search]\nexclude_tags=\n[maildir]\nsynchronize_flags=true\n",
        scratch.path().display(),
        mount.path.display()
    );
    std::fs::write(scratch.path().join("notmuch-config"), config).unwrap();
    let run = |program: &str, arguments: &[&str]| {
        output(command(program, scratch.path()).args(arguments))
    };
    run("notmuch", &["new"]);
    let all = run("notmuch", &["count", "--output=files", "*"]);
    let messages = picture(&mount.path)
        .values()
        .filter(|entry| entry.kind == 'f')
        .count();
    assert_eq!(all.trim(), messages.to_string());
    let maildir = format!("--maildir={}", mount.path.display());
    run("mu", &["init", "--quiet", &maildir]);
    run("mu", &["index", "--quiet"]);
    assert_eq!(
        run("mu", &["find", "--fields", "l", ""]).lines().count(),
        messages
    );
    for (letter, tag, flag) in [
        ('F', "tag:flagged", "flag:flagged"),
        ('R', "tag:replied", "flag:replied"),
        ('P', "tag:passed", "flag:passed"),
        ('D', "tag:draft", "flag:draft"),
        ('S', "not tag:unread", "flag:seen"),
    ] {
        let query = format!("from:ann and {tag}");
        let notmuch = run("notmuch", &["search", "--output=messages", &query]);
        let id = |subject: &&str| format!("id:{}@north.example", subject.replace([' ', ','], "."));
        let expected: BTreeSet<String> = with_letter(letter).iter().map(id).collect();
        let found: BTreeSet<String> = notmuch.lines().map(str::to_owned).collect();
        assert_eq!(found, expected, "{query}");
        let mu = run("mu", &["find", "--fields", "s", "from:ann", flag]);
        let mut found: Vec<&str> = mu.lines().collect();
        found.sort_unstable();
        assert_eq!(found, with_letter(letter), "{flag}");
    }
    let below = run("mu", &["find", "--fields", "s", "maildir:/.INBOX.Below"]);
    assert_eq!(below.trim(), "in a subfolder");
    let lunch = run(
        "notmuch",
        &["search", "--output=files", "mimetype:text/calendar"],
    );
    assert!(lunch.contains(".Calendar/cur/"), "{lunch}");
}

#[test]
fn mutt_opens_the_mount_and_knows_what_is_flagged_and_answered() {
    if !can_mount() || !installed(&["mutt", "script"]) {
        return;
    }
    let (scratch, file) = marked(Format::Unicode);
    let mount = Mount::new(&file, &["-o", "layout=maildir"]);
    let patterns = [('F', "~F"), ('R', "~Q"), ('S', "~R"), ('T', "~D")];
    for (letter, pattern) in patterns {
        let shown = scratch.path().join(format!("shown-{letter}"));
        let rc = format!(
            "set folder={} charset=utf-8 mark_old=no wait_key=no sort=mailbox-order delete=no\n\
             set pipe_decode pipe_sep=\"\\n\" auto_tag\n\
             push \"<tag-pattern>~f ann {pattern}<enter><pipe-message>cat > {}<enter><exit>\"\n",
            mount.path.display(),
            shown.display()
        );
        std::fs::write(scratch.path().join("muttrc"), rc).unwrap();
        let mutt = format!("mutt -n -R -F muttrc -f {}", mount.path.display());
        in_terminal(&mutt, scratch.path());
        let shown = std::fs::read_to_string(&shown).unwrap();
        let mut subjects: Vec<&str> = shown
            .lines()
            .filter_map(|line| line.strip_prefix("Subject: "))
            .collect();
        subjects.sort_unstable();
        assert_eq!(subjects, with_letter(letter), "{pattern}");
    }
}
