//! `ostfs search`: what is found, what is printed, how it ends. notmuch and Python's email package judge what is found.

mod attached;
mod indexed;
mod judged;
mod pdf;
mod series;

use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::mounted::{OSTFS, ostfs};
use crate::support::damage::Damage;
use crate::support::*;
use tempfile::TempDir;

/// A file to look into.
struct Scene {
    folder: TempDir,
    file: PathBuf,
    layout: Layout,
}

impl Scene {
    fn new(fill: impl FnOnce(&mut Store)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mail.pst");
        let mut store = Store::new(Format::Unicode, Crypt::Permute);
        fill(&mut store);
        let layout = store.write(&file).unwrap();
        Self {
            folder,
            file,
            layout,
        }
    }

    /// What `ostfs search` with these arguments before FILE prints, and its exit code.
    fn run(&self, options: &[&str], query: &str) -> (String, String, i32) {
        let file = self.file.to_str().unwrap();
        let output = ostfs(&[&["search"], options, &["--", file, query]].concat());
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap();
        (text(output.stdout), text(output.stderr), code)
    }

    /// The names of what is found, without folder and extension.
    fn found(&self, options: &[&str], query: &str) -> Vec<String> {
        let options = [&["--names", "{subject}"], options].concat();
        let (out, errors, code) = self.run(&options, query);
        assert_eq!(code, i32::from(out.is_empty()), "{query}: {errors}");
        let name = |path: &str| {
            let name = path.rsplit('/').next().unwrap();
            name.rsplit_once('.').unwrap().0.to_owned()
        };
        out.lines().map(name).collect()
    }
}

fn day(year: i64, month: i64, day: i64) -> u64 {
    filetime(year, month, day, 12, 0)
}

#[test]
fn a_nul_in_a_text_ends_a_word() {
    let scene = Scene::new(|store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        store.message(inbox, Message::mail("apart").body("before\0after"));
    });
    for query in ["body:before", "after", "\"before after\""] {
        assert_eq!(scene.found(&[], query), ["apart"], "{query}");
    }
}

/// A few items of which each query finds others.
fn scene() -> Scene {
    Scene::new(|store| {
        let top = store.ipm_subtree();
        let inbox = store.folder(top, "Inbox");
        let projects = store.folder(inbox, "Projects");
        let calendar = store.folder_of(top, "Calendar", "IPF.Appointment");
        let contacts = store.folder_of(top, "Contacts", "IPF.Contact");
        let mail = |subject: &str| {
            Message::mail(subject)
                .from("Ann Adams", "ann@north.example")
                .to("Bob Müller", "bob@south.example")
        };
        store.message(
            inbox,
            mail("one")
                .time(day(2024, 1, 31))
                .cc("Carla", "carla@west.example")
                .body("A purchase\r\norder for chairs\r\n")
                .message_id("<one@north.example>")
                .unread(),
        );
        store.message(
            inbox,
            mail("two")
                .time(day(2024, 2, 1))
                .bcc("Dora", "dora@east.example")
                .html("<p>The order of <b>purchases</b></p>")
                .attachment("Plan Köln.txt", "nothing of note\r\n")
                .named_text(
                    PS_PUBLIC_STRINGS,
                    "Keywords",
                    Value::MvStr(vec!["Red".into()]),
                )
                .prop(tags::FLAG_STATUS, 2),
        );
        store.message(
            projects,
            mail("three")
                .time(day(2025, 1, 1))
                .prop(tags::LAST_VERB_EXECUTED, 102)
                .body("grüße aus CAFÉ\r\n")
                .embed(
                    mail("inner")
                        .body("deep words")
                        .attachment("inner.txt", "deeper words"),
                ),
        );
        store.message(
            projects,
            mail("four")
                .time(day(2025, 1, 2))
                .flag(8, true)
                .prop(tags::MESSAGE_CLASS, "IPM.Note.SMIME"),
        );
        store.message(
            calendar,
            Message::appointment("five", day(2023, 12, 30), day(2024, 1, 2), "Room 4"),
        );
        store.message(
            contacts,
            Message::contact("Jane", "Doe", "jane@west.example"),
        );
    })
}

/// Queries, and the subjects of the items of [`scene`] that each is to find.
const QUERIES: &[(&str, &[&str])] = &[
    ("subject:two", &["two"]),
    ("from:adams", &["one", "two", "three", "four"]),
    ("from:ann@north.example subject:one", &["one"]),
    ("from:north.example subject:one", &["one"]),
    ("to:muller subject:one", &["one"]),
    ("to:bob@south.example cc:carla", &["one"]),
    ("bcc:dora", &["two"]),
    ("recipients:dora OR recipients:carla", &["one", "two"]),
    ("body:purchase", &["one"]),
    ("\"purchase order\"", &["one"]),
    ("purchase*", &["one", "two"]),
    ("order -chairs", &["two"]),
    ("attachment:\"plan koln\"", &["two"]),
    ("attachment:inner.txt", &["three"]),
    ("has:attachment", &["two", "three"]),
    ("category:red", &["two"]),
    ("id:one@north.example", &["one"]),
    ("is:flagged", &["two"]),
    ("is:replied", &["three"]),
    ("is:draft", &["four"]),
    ("is:unread", &["one"]),
    ("is:read subject:one", &[]),
    ("cafe", &["three"]),
    ("GRUSSE", &["three"]),
    ("\"deep words\"", &["three"]),
    ("\"deeper words\"", &["three"]),
    ("body:deep", &[]),
    ("\"nothing of note\"", &["two"]),
    ("class:IPM.Note subject:four", &["four"]),
    ("class:IPM.Note.SMIME", &["four"]),
    ("kind:signed", &["four"]),
    ("kind:appointment", &["five"]),
    ("kind:contact", &["Jane Doe"]),
    ("subject:doe", &["Jane Doe"]),
    ("jane@west.example", &["Jane Doe"]),
    ("room", &["five"]),
    ("folder:Inbox kind:mail", &["one", "two", "three", "four"]),
    ("folder:inbox/projects", &["three", "four"]),
    ("-folder:Inbox", &["five", "Jane Doe"]),
    ("nowhere", &[]),
    // Of the Message-IDs that are made here.
    ("localhost", &[]),
];

#[test]
fn each_field_finds_what_it_says() {
    let scene = scene();
    for (query, found) in QUERIES {
        assert_eq!(scene.found(&[], query), *found, "{query}");
    }
    assert_eq!(scene.found(&[], "*").len(), 6);
}

#[test]
fn times_are_those_of_the_items_and_of_all_of_an_appointment() {
    let scene = scene();
    for (query, found) in [
        ("date:2024-01 kind:mail", &["one"][..]),
        ("date:2024-02-01", &["two"]),
        ("date:2024-01..2024-02", &["one", "two", "five"]),
        ("date:>2024-02-01 kind:mail", &["three", "four"]),
        ("since:2025 until:2025-01-01", &["three"]),
        ("sent:2025-01-01", &["three"]),
        ("received<2024-02", &["one"]),
        // It lasts into the new year.
        ("date:2024-01-01", &["five"]),
        ("date:2024-01-02T12:00", &[]),
        ("date:2023", &["five"]),
    ] {
        assert_eq!(scene.found(&[], query), found, "{query}");
    }
    // In Kiribati it is the next day already.
    let (out, ..) = scene.run(
        &["-o", "tz=Pacific/Kiritimati", "--names", "{subject}"],
        "date:2024-02-02",
    );
    assert_eq!(out, "Inbox/two.eml\n");
}

#[test]
fn sizes_are_those_that_outlook_counts() {
    let scene = Scene::new(|store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        for (subject, size) in [
            ("small", 1000),
            ("middle", 1 << 20),
            ("large", (1 << 20) + 1),
        ] {
            let size = Value::I32(size);
            store.message(
                inbox,
                Message::mail(subject)
                    .prop(tags::MESSAGE_SIZE, size.clone())
                    .row(0x0E08, Some(size)),
            );
        }
    });
    assert_eq!(scene.found(&[], "size:>1M"), ["large"]);
    assert_eq!(scene.found(&[], "size>=1M"), ["middle", "large"]);
    assert_eq!(
        scene.found(&[], "size:<1K OR size:1M..1M"),
        ["small", "middle"]
    );
}

#[test]
fn what_a_table_does_not_tell_the_items_do() {
    let fill = |store: &mut Store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let mail = Message::mail("one")
            .from("Ann", "ann@north.example")
            .to("Bob", "bob@south.example");
        store.message(
            inbox,
            mail.clone()
                .time(day(2024, 1, 31))
                .unread()
                .prop(tags::FLAG_STATUS, 2)
                .attachment("a.txt", "x"),
        );
        store.message(
            inbox,
            mail.subject("two")
                .from("Carl", "carl@east.example")
                .time(day(2024, 3, 31)),
        );
    };
    let folder = tempfile::tempdir().unwrap();
    for is_sparse in [false, true] {
        let file = folder.path().join("mail.pst");
        let mut store = Store::new(Format::Unicode, Crypt::Permute);
        if is_sparse {
            store.sparse_tables();
        }
        fill(&mut store);
        store.write(&file).unwrap();
        for query in [
            "subject:one",
            "from:ann",
            "to:bob date:2024-01",
            "is:unread",
            "is:flagged",
            "has:attachment",
            "date:2024-01-31",
            "sent:2024-01",
            "-subject:two",
            "size:<1M subject:one",
        ] {
            let output = ostfs(&[
                "search",
                "--names",
                "{subject}",
                "--",
                file.to_str().unwrap(),
                query,
            ]);
            let out = String::from_utf8(output.stdout).unwrap();
            assert_eq!(out, "Inbox/one.eml\n", "{query}, sparse: {is_sparse}");
        }
    }
}

#[test]
fn paths_are_those_of_every_other_command() {
    let scene = scene();
    let file = scene.file.to_str().unwrap();
    let (out, ..) = scene.run(&[], "subject:three");
    assert_eq!(out, "Inbox/Projects/2025-01-01 1200 three.eml\n");
    let output = ostfs(&["cat", file, out.trim_end()]);
    assert!(output.status.success() && !output.stdout.is_empty());
    let (long, ..) = scene.run(&["-l"], "subject:three");
    let listed = ostfs(&["ls", "-l", file, out.trim_end()]);
    assert_eq!(long.as_bytes(), listed.stdout);
    // One zone for what stands before a name and in it.
    let (long, ..) = scene.run(&["-l", "-o", "tz=Asia/Tokyo"], "subject:three");
    let stands = " 2025-01-01 21:00:00 Inbox/Projects/2025-01-01 2100 three.eml\n";
    assert!(long.ends_with(stands), "{long}");
    let (nul, ..) = scene.run(&["-0"], "folder:Inbox/Projects");
    assert_eq!(nul.matches('\0').count(), 2);
    assert!(!nul.contains('\n'));
    let (count, ..) = scene.run(&["-c"], "from:ann");
    assert_eq!(count, "4\n");
    let (only, ..) = scene.run(&["-c", "--folder", "Inbox/Projects"], "from:ann");
    assert_eq!(only, "2\n");
    let (maildir, ..) = scene.run(&["-o", "layout=maildir"], "subject:three");
    assert!(maildir.contains("/cur/"), "{maildir}");
    let output = ostfs(&["cat", "-o", "layout=maildir", file, maildir.trim_end()]);
    assert!(output.status.success(), "{maildir}");
    let output = ostfs(&["search", file, file, "subject:three"]);
    let both = String::from_utf8(output.stdout).unwrap();
    assert_eq!(both.lines().count(), 2, "{both}");
    for path in both.lines() {
        assert!(ostfs(&["cat", file, file, path]).status.success(), "{path}");
    }
}

#[test]
fn json_has_a_line_for_each_item_with_the_names_of_the_index() {
    let scene = scene();
    let (out, ..) = scene.run(&["--json", "-C", "0"], "body:purchase");
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    let index = ostfs(&["index", "--no-hash", "--json", scene.file.to_str().unwrap()]);
    let index = String::from_utf8(index.stdout).unwrap();
    let mut records = index
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let record = records
        .find(|record| record["path"] == found["path"])
        .unwrap();
    for name in [
        "path", "nid", "folder", "date", "from", "to", "subject", "class", "size",
    ] {
        assert_eq!(found[name], record[name], "{name}");
    }
    assert_eq!(found["lines"][0]["text"], "A purchase");
    assert_eq!(found["lines"][0]["line"], 1);
    assert_eq!(found["lines"][0]["place"], "body");
}

#[test]
fn context_shows_the_lines_that_were_found_and_those_around() {
    let scene = scene();
    let (out, ..) = scene.run(&["-C", "1", "--names", "{subject}"], "chairs OR from:carla");
    assert_eq!(
        out,
        "Inbox/one.eml\n  body-1- A purchase\n  body:2: order for chairs\n"
    );
    let (out, ..) = scene.run(
        &["-C", "0", "--names", "{subject}"],
        "\"deep words\" OR \"deeper words\"",
    );
    assert_eq!(
        out,
        "Inbox/Projects/three.eml\n  inner.eml/body:1: deep words\n  inner.eml/inner.txt:1: deeper words\n"
    );
    let (out, ..) = scene.run(
        &["-C", "0", "--names", "{subject}"],
        "from:adams subject:one",
    );
    assert_eq!(
        out,
        "Inbox/one.eml\n  from:1: Ann Adams <ann@north.example>\n  subject:1: one\n"
    );
}

#[test]
fn it_ends_as_grep_does() {
    let scene = scene();
    assert_eq!(scene.run(&[], "subject:one").2, 0);
    let (out, errors, code) = scene.run(&[], "nowhere");
    assert_eq!((out.as_str(), errors.as_str(), code), ("", "", 1));
    let (_, errors, code) = scene.run(&[], "frm:ann");
    assert_eq!(code, 16);
    assert!(
        errors.starts_with("ostfs: QUERY, column 1: there is no field frm; there are from, to,"),
        "{errors}"
    );
    for (options, query) in [(&[][..], "folder:Inbax"), (&["--folder", "Inbax"], "one")] {
        let (_, errors, code) = scene.run(options, query);
        assert_eq!(code, 2, "{errors}");
        assert!(errors.contains("the nearest are: Inbox"), "{errors}");
    }
    let missing = scene.folder.path().join("missing.pst");
    let output = ostfs(&["search", missing.to_str().unwrap(), "one"]);
    assert_eq!(output.status.code(), Some(2));
    // What cannot be written is no "nothing found".
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let status = Command::new(OSTFS)
        .args(["search", scene.file.to_str().unwrap(), "*"])
        .stdout(full)
        .stderr(Stdio::null())
        .status();
    assert_eq!(status.unwrap().code(), Some(2));
}

#[test]
fn words_in_the_place_of_a_file_are_told_to_belong_to_the_query() {
    let scene = scene();
    let file = scene.file.to_str().unwrap();
    let right = |query: &str| format!("ostfs search {file} {query}\n");
    for (arguments, right) in [
        // The order of grep(1).
        (&["order", file][..], right("order")),
        (
            &[file, "from:adams", "has:attachment"],
            right("'from:adams has:attachment'"),
        ),
        (
            &[file, "purchase", "order", "x"],
            right("'purchase order x'"),
        ),
    ] {
        let output = ostfs(&[&["search"], arguments].concat());
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.ends_with(&right), "{errors}");
    }
    // A file that is not there costs itself.
    let missing = scene.folder.path().join("missing.pst");
    for missing in [missing.to_str().unwrap(), "missing.ost"] {
        let output = ostfs(&["search", file, missing, "order"]);
        assert_eq!(output.status.code(), Some(4));
        assert!(!output.stdout.is_empty());
    }
}

#[test]
fn whoever_reads_no_more_ends_it_quietly() {
    let scene = Scene::new(|store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        for number in 0..5000 {
            store.message(
                inbox,
                Message::mail(&format!("a rather long subject to fill the pipe {number}")),
            );
        }
    });
    let mut child = Command::new(OSTFS)
        .args(["search", scene.file.to_str().unwrap(), "subject:pipe"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 10]).unwrap();
    drop(out);
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn damage_is_told_and_what_can_be_read_is_found() {
    let scene = scene();
    let message = 0x20_0024;
    let damage = Damage::open(&scene.file, &scene.layout).unwrap();
    damage.zero_block(scene.layout.node(message).data);
    let (out, errors, code) = scene.run(&["--names", "{subject}"], "order");
    assert_eq!(code, 4, "{errors}");
    assert!(
        errors.contains("something may not have been found"),
        "{errors}"
    );
    assert!(out.contains("two.eml"), "{out}");
    // What the table tells needs no message.
    let (out, _, code) = scene.run(&["--names", "{subject}"], "subject:one");
    assert_eq!((out.as_str(), code), ("Inbox/one.eml\n", 0));
}
