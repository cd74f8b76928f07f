//! `ostfs info`, `ls` and `cat`: what is in a file, on machines without FUSE.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::corpus;
use crate::mailbox;
use crate::mounted::ostfs;
use crate::support::*;
use serde_json::Value as Json;

fn stdout(arguments: &[&str]) -> String {
    let output = ostfs(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn info(file: &Path) -> Json {
    serde_json::from_str(&stdout(&["info", "--json", file.to_str().unwrap()])).unwrap()
}

/// A sample file and its export, which is the second way to the same tree.
fn sample(scratch: &Path) -> (PathBuf, PathBuf) {
    let (file, exported) = (scratch.join("sample.pst"), scratch.join("exported"));
    sample::sample(Format::Unicode, Crypt::Permute)
        .write(&file)
        .unwrap();
    stdout(&["export", file.to_str().unwrap(), exported.to_str().unwrap()]);
    (file, exported)
}

/// Paths of everything below `directory`, as `ls -R` prints them.
fn below(directory: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            paths.extend(below(&path));
        }
        paths.push(path);
    }
    paths
}

#[test]
fn ls_lists_what_export_writes() {
    let scratch = tempfile::tempdir().unwrap();
    let (file, exported) = sample(scratch.path());
    let file = file.to_str().unwrap();
    let mut expected: Vec<String> = below(&exported)
        .iter()
        .map(|path| path.strip_prefix(&exported).unwrap())
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    expected.sort_unstable();
    assert!(expected.len() > 10);
    let listed = stdout(&["ls", "-R", file]);
    let mut listed: Vec<&str> = listed.lines().collect();
    listed.sort_unstable();
    assert_eq!(listed, expected);

    for line in stdout(&["ls", "-lR", file]).lines() {
        let (fields, path) = (&line[..34], &line[35..]);
        let metadata = exported.join(path).symlink_metadata().unwrap();
        assert_eq!(fields.starts_with('d'), metadata.is_dir(), "{line}");
        if metadata.is_file() {
            let size: u64 = fields[1..14].trim().parse().unwrap();
            assert_eq!(size, metadata.len(), "{line}");
        }
        let time = jiff::Timestamp::try_from(metadata.modified().unwrap()).unwrap();
        let time = time.strftime("%Y-%m-%d %H:%M:%S").to_string();
        assert_eq!(&fields[15..], time, "{line}");
    }
    // A file is listed by its path, a directory by what is in it.
    let message = expected.iter().find(|path| path.ends_with(".eml")).unwrap();
    assert_eq!(stdout(&["ls", file, message]), format!("{message}\n"));
    let inbox = stdout(&["ls", file, "/Inbox/"]);
    assert_eq!(
        inbox.lines().count(),
        fs::read_dir(exported.join("Inbox")).unwrap().count()
    );
}

#[test]
fn cat_writes_the_bytes_that_export_writes() {
    let scratch = tempfile::tempdir().unwrap();
    let (file, exported) = sample(scratch.path());
    let file = file.to_str().unwrap();
    let mut all = vec!["cat", file];
    let paths: Vec<String> = below(&exported)
        .iter()
        .filter(|path| path.is_file())
        .map(|path| path.strip_prefix(&exported).unwrap())
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    let mut expected = Vec::new();
    for path in &paths {
        all.push(path);
        expected.extend(fs::read(exported.join(path)).unwrap());
    }
    let output = ostfs(&all);
    assert!(output.status.success());
    assert_eq!(output.stdout, expected);
    // What export leaves out can be read as well.
    let index = stdout(&["cat", file, "/.ostfs/index.csv"]);
    assert!(index.starts_with("path,nid,"));
}

#[test]
fn what_is_not_there_is_named_and_the_rest_is_written() {
    let scratch = tempfile::tempdir().unwrap();
    let (file, exported) = sample(scratch.path());
    let file = file.to_str().unwrap();
    let index = stdout(&["cat", file, ".ostfs/index.csv"]);
    let output = ostfs(&["cat", file, "../../etc/passwd", ".ostfs/index.csv", "Inbox"]);
    assert_eq!(output.stdout, index.as_bytes());
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("ostfs: ../../etc/passwd: no such file in it"));
    assert!(errors.contains("ostfs: Inbox: is a directory"));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(ostfs(&["ls", file, "nowhere"]).status.code(), Some(2));
    assert_eq!(ostfs(&["cat", file]).status.code(), Some(16));
    drop(exported);
}

#[test]
fn cat_says_which_bytes_of_an_attachment_may_be_wrong_and_puts_a_placeholder_where_damage_is_refused()
 {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("damaged.pst");
    let mut store = Store::with(Options::new(Format::Unicode, Crypt::Permute));
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    let message = Message::mail("Report")
        .body("The text")
        .attachment("broken.bin", Payload::random(100_000, 1));
    let message = store.message(inbox, message);
    let layout = store.write(&file).unwrap();
    let damage = Damage::open(&file, &layout).unwrap();
    damage.flip_attachment(message, 0);

    let file = file.to_str().unwrap();
    let listed = stdout(&["ls", "-R", file, "Inbox"]);
    let path = |end: &str| listed.lines().find(|line| line.ends_with(end)).unwrap();
    let output = ostfs(&["cat", file, path("Report.eml")]);
    assert_eq!(output.status.code(), Some(4));
    let text = String::from_utf8(output.stdout)
        .unwrap()
        .replace("\n ", " ");
    let problem = "\nX-Ostfs-Problem: attachment \"broken.bin\", property 0x3701, bytes 0 to 8175: may be wrong: ";
    assert!(
        text.contains(problem) && text.contains("The text"),
        "{text}"
    );
    let output = ostfs(&["cat", file, path("broken.bin")]);
    assert_eq!(output.status.code(), Some(4));
    let whole = Payload::random(100_000, 1).bytes();
    let wrong = output
        .stdout
        .iter()
        .zip(&whole)
        .filter(|(one, other)| one != other);
    assert_eq!((output.stdout.len(), wrong.count()), (whole.len(), 1));

    let refuse = ["cat", "-o", "damaged=refuse", file];
    let output = ostfs(&[&refuse[..], &[path("Report.eml")]].concat());
    assert_eq!(output.status.code(), Some(4));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("The attachment \"broken.bin\" could not be read."));
    let output = ostfs(&[&refuse[..], &[path("broken.bin")]].concat());
    assert_eq!(output.status.code(), Some(4));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8(output.stderr).unwrap().contains("CRC"));
}

#[test]
fn info_tells_a_file_that_was_not_closed() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("open.pst");
    let layout = sample::sample(Format::Unicode, Crypt::None)
        .write(&file)
        .unwrap();
    assert_eq!(info(&file)["in_use"], false);
    const AMAP_VALID: usize = 248;
    let damage = Damage::open(&file, &layout).unwrap();
    damage.edit_header(|header| header[AMAP_VALID] = 0);
    assert_eq!(info(&file)["in_use"], true);
    assert!(stdout(&["info", file.to_str().unwrap()]).contains("not closed"));
}

#[test]
fn the_code_page_of_8bit_text_is_told_as_far_as_it_is_decided() {
    for (format, why) in [
        (Format::Ansi, "nothing tells another"),
        // Its strings are UTF-16; of the few others each item is asked when it is read.
        (
            Format::Unicode,
            "unless the items that name one, or their text, tell another",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mail.pst");
        Store::new(format, Crypt::Permute).write(&file).unwrap();
        let text = stdout(&["info", file.to_str().unwrap()]);
        let line = format!("8-bit text  code page 1252: {why}\n");
        assert!(text.contains(&line), "{text}");
    }
}

#[test]
fn info_tells_from_when_to_when_there_is_mail_whatever_else_has_a_date() {
    let later = filetime(2031, 1, 1, 9, 0);
    let file = mailbox::write(Format::Unicode, Crypt::Permute, |store| {
        let folder = store.folder(store.ipm_subtree(), "Folder");
        store.message(folder, mailbox::mail("Mail"));
        let appointment = Message::appointment("Party", later, later, "Here");
        store.message(folder, appointment.time(later));
    });
    let text = stdout(&["info", file.path.to_str().unwrap()]);
    assert!(text.contains("2024-05-01 to 2024-05-01"), "{text}");
}

/// What the folders of the corpus that are for one purpose are called.
const NAMES: [(&str, &[&str]); 14] = [
    ("inbox", &["Inbox"]),
    ("outbox", &["Outbox"]),
    ("sent items", &["Sent Items"]),
    (
        "deleted items",
        &["Deleted Items", "削除済みアイテム", "Éléments supprimés"],
    ),
    ("calendar", &["Calendar"]),
    ("contacts", &["Contacts"]),
    ("journal", &["Journal"]),
    ("notes", &["Notes"]),
    ("tasks", &["Tasks"]),
    ("drafts", &["Drafts"]),
    ("junk mail", &["Junk E-mail", "Junk E-Mail", "Junk Email"]),
    ("sync issues", &["Sync Issues"]),
    ("conflicts", &["Conflicts"]),
    ("local failures", &["Local Failures"]),
];

/// mtnman1965: what the independent reader finds as 0x7CF8, 0x7CF9 and the named property 0x85DA of its folders is 41 items,
/// 39 of them unread, of the Inbox, and 2 of the Deleted Items, and 12 months.
fn left_on_the_server() -> Option<PathBuf> {
    corpus::files().into_iter().find(|file| {
        file.file_name()
            .is_some_and(|name| name.to_string_lossy().contains("mtnman1965"))
    })
}

#[test]
fn exports_tell_what_an_ost_left_on_the_server() {
    let Some(file) = left_on_the_server() else {
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let told = |to: &str, more: &[&str]| {
        let target = scratch.path().join(format!("{to}{}", more.len()));
        let mut arguments = vec!["export", "--to", to];
        arguments.extend(more);
        arguments.extend([file.to_str().unwrap(), target.to_str().unwrap()]);
        String::from_utf8(ostfs(&arguments).stdout).unwrap()
    };
    for to in ["files", "tar", "zip", "mbox", "pst", "maildir"] {
        // The root of a Maildir++ is the inbox.
        let (inbox, deleted) = match to {
            "maildir" => (" cur", ".Deleted Items/cur"),
            _ => ("Inbox", "Deleted Items"),
        };
        let text = told(to, &[]);
        for (folder, items, count) in [(inbox, "5", 41), (deleted, "1", 2)] {
            let end = format!("{folder} ({count} more on the server alone)");
            let of_folder: Vec<&str> = text.lines().filter(|line| line.ends_with(&end)).collect();
            let found = of_folder
                .first()
                .and_then(|line| line.split_whitespace().next());
            assert_eq!(
                (of_folder.len(), found),
                (1, Some(items)),
                "{to}, {folder}: {text}"
            );
        }
        assert_eq!(text.matches("on the server").count(), 2, "{to}: {text}");
    }
    // What is not exported is not told of.
    let text = told("files", &["--folder", "Inbox"]);
    assert_eq!(text.matches("on the server").count(), 1, "{text}");
    // A folder that is known by what it has on the server is no item that was found.
    let text = told("files", &["--folder", "Inbox", "--from", "nobody at all"]);
    assert!(!text.contains("failed"), "{text}");
}

#[test]
fn info_tells_what_an_ost_left_on_the_server() {
    let Some(file) = left_on_the_server() else {
        return;
    };
    let told = info(&file);
    let folder = |name: &str| {
        let folders = told["folders"].as_array().unwrap().iter();
        let mut named = folders.filter(|folder| folder["path"].as_str().unwrap().ends_with(name));
        named.next().unwrap().clone()
    };
    let figures = |name: &str| {
        let folder = folder(name);
        ["found", "on_server", "on_server_unread", "offline_months"].map(|key| folder[key].as_i64())
    };
    assert_eq!(figures("Inbox"), [5, 41, 39, 12].map(Some));
    assert_eq!(figures("Deleted Items"), [1, 2, 0, 12].map(Some));
    assert_eq!(figures("Calendar"), [Some(2), None, None, None]);
    let text = stdout(&["info", file.to_str().unwrap()]);
    assert!(text.contains("43 more items were there alone"), "{text}");
    assert!(
        text.contains("Inbox (41 more on the server alone, 39 of them unread)"),
        "{text}"
    );
    assert!(
        text.contains("(mail of 12 months was kept offline)"),
        "{text}"
    );
}

/// Folders in the table of `info`, with the figures before them.
fn rows(text: &str) -> Vec<(Vec<&str>, &str)> {
    let table = text
        .lines()
        .skip_while(|line| !line.starts_with("declared"));
    let table = table.skip(1).take_while(|line| line.starts_with(' '));
    table
        .map(|line| (line[..26].split_whitespace().collect(), &line[28..]))
        .collect()
}

#[test]
fn info_tells_of_folders_that_have_mail_or_could_have_it_and_of_all_with_v() {
    const ROOT: u32 = 0x122;
    let file = mailbox::write(Format::Unicode, Crypt::Permute, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let found = store.message(inbox, mailbox::mail("Hello"));
        store.folder(store.ipm_subtree(), "Empty");
        store.folder(ROOT, "Outlook's own, empty");
        let own = store.folder(ROOT, "Freebusy Data");
        // [MS-OXOPFFB] 2.2.1.1
        store.message(own, Message::new("IPM.Microsoft.ScheduleData.FreeBusy", ""));
        store.search_folder("To-Do Search", &[found]);
    });
    let file = file.path.to_str().unwrap();
    let text = stdout(&["info", file]);
    let told: Vec<&str> = rows(&text).iter().map(|(_, folder)| *folder).collect();
    let expected = [
        "/",
        "Deleted Items",
        "Inbox",
        "Empty",
        "Freebusy Data (with -o all)",
    ];
    assert_eq!(told, expected, "{text}");
    let items = "1 (1 mail, 0 others); 1 more in folders of Outlook's own, see -o all";
    assert!(text.contains(items), "{text}");

    let all = stdout(&["info", "-v", file]);
    let passed = rows(&all).len() - told.len();
    assert!(
        text.contains(&format!("\n{passed} more folders with -v: ")),
        "{text}"
    );
    assert!(!all.contains("with -v"), "{all}");
    let search = rows(&all)
        .into_iter()
        .find(|(_, folder)| folder.contains("To-Do"));
    let (figures, folder) = search.unwrap();
    assert_eq!((figures[0], figures[1]), ("-", "1"), "{all}");
    assert!(folder.ends_with("(search folder: items of other folders)"));
    assert!(all.contains("Outlook's own, empty (with -o all)"), "{all}");
}

#[test]
fn info_tells_the_owner_of_an_ost() {
    let settings = |maker: &str| {
        Message::new("IPM.Configuration.Sample", "settings")
            .associated()
            .prop(tags::CREATOR_SMTP_ADDRESS, maker)
    };
    for (format, owner) in [
        (Format::Ost4k, Json::from("ann@north.example")),
        (Format::Unicode, Json::Null),
    ] {
        let file = mailbox::write(format, Crypt::None, |store| {
            let inbox = store.folder(store.ipm_subtree(), "Inbox");
            for maker in [
                "zoe@north.example",
                "ann@north.example",
                "ann@north.example",
                "",
            ] {
                store.message(inbox, settings(maker));
            }
        });
        assert_eq!(info(&file.path)["owner"], owner, "{format:?}");
    }
    // Outlook names the file of a mailbox after its address.
    let mut named = 0;
    for file in corpus::files() {
        let name = file.file_stem().unwrap().to_str().unwrap();
        if let Some(owner) = info(&file)["owner"].as_str() {
            assert!(name.ends_with(owner), "{name}: {owner}");
            named += 1;
        }
    }
    assert_eq!(named, 2);
}

/// A figure in the table of `info` that is not the one beside it is a loss, and no healthy file has one.
#[test]
fn info_of_a_healthy_file_has_no_figures_that_look_like_loss() {
    for file in corpus::files() {
        for arguments in [&["info"][..], &["info", "-v"]] {
            let text = stdout(&[arguments, &[file.to_str().unwrap()]].concat());
            for (figures, folder) in rows(&text) {
                let is_told = figures[0] == "-" || figures[0] == figures[1];
                assert!(is_told, "{}: {folder}: {figures:?}", file.display());
            }
            let is_ost = file.extension().is_some_and(|extension| extension == "ost");
            assert!(is_ost || !text.contains("server"), "{text}");
        }
    }
}

#[test]
fn real_files_are_what_an_independent_reader_says() {
    for file in corpus::files() {
        let (info, vector) = (info(&file), corpus::vector(&file));
        let orphans = vector["orphanMessages"].as_array().unwrap();
        let mut classes = BTreeMap::new();
        for message in vector["allMessages"].as_array().unwrap() {
            let nid = message["nid"].as_str().unwrap();
            let is_it = |orphan: &Json| orphan.as_str().unwrap().split(' ').next() == Some(nid);
            let listed = !orphans.iter().any(is_it);
            if let Some(class) = message["class"].as_str().filter(|_| listed) {
                // Some writers count the end of a string in.
                let class = class.trim_end_matches('\0');
                *classes.entry(class.to_owned()).or_insert(0) += 1;
            }
        }
        let found: BTreeMap<String, i32> = serde_json::from_value(info["classes"].clone()).unwrap();
        assert_eq!(found, classes, "{}", file.display());
        let is_mail = |class: &str| {
            let class = class.to_ascii_lowercase();
            let others = [
                "appointment",
                "contact",
                "distlist",
                "task",
                "activity",
                "abchperson",
                "stickynote",
            ];
            let is_other = |other: &&str| {
                class == format!("ipm.{other}") || class.starts_with(&format!("ipm.{other}."))
            };
            class.starts_with("ipm.") && !others.iter().any(is_other)
                || class.starts_with("report.")
        };
        let mails: i32 = classes
            .iter()
            .filter(|(class, _)| is_mail(class))
            .map(|(_, count)| count)
            .sum();
        assert_eq!(info["mail"], mails, "{}", file.display());

        let mut purposes = BTreeMap::new();
        for folder in info["folders"].as_array().unwrap() {
            let name = folder["path"].as_str().unwrap().rsplit('/').next().unwrap();
            if let Some(purpose) = folder["purpose"].as_str() {
                purposes.insert(purpose.to_owned(), name.to_owned());
            }
        }
        for (purpose, names) in NAMES {
            if let Some(name) = purposes.get(purpose) {
                assert!(names.contains(&name.as_str()), "{purpose}: {name}");
            }
        }
        if info["kind"] == "OST" {
            for purpose in ["sync issues", "conflicts", "local failures", "inbox"] {
                assert!(purposes.contains_key(purpose), "{}", file.display());
            }
            assert_eq!(info["looks_orphaned"], true, "{}", file.display());
        }
    }
}
