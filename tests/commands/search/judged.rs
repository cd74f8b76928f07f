//! The same queries by others: notmuch over a Maildir, Python's email package over files.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Scene;
use crate::mounted::ostfs;
use crate::programs::{command, installed, output};
use crate::support::realistic::Mailbox;

/// Invented mail in seven languages, in several folders.
fn scene() -> Scene {
    Scene::new(|store| {
        let mailbox = Mailbox {
            bytes: Some(400 * 5000),
            folders: 4,
            ..Mailbox::new(400)
        };
        let folders = mailbox.make_folders(store);
        for (folder, message) in mailbox.mails() {
            store.message(folders[folder], message);
        }
    })
}

fn found(scene: &Scene, options: &[&str], query: &str) -> BTreeSet<String> {
    let (out, errors, code) = scene.run(options, query);
    assert!(code <= 1, "{query}: {errors}");
    out.lines().map(str::to_owned).collect()
}

fn export(scene: &Scene, form: &str) -> String {
    let target = scene.folder.path().join(form);
    let target = target.to_str().unwrap();
    let exported = ostfs(&["export", "--to", form, scene.file.to_str().unwrap(), target]);
    assert!(exported.status.success(), "{form}");
    target.to_owned()
}

/// What notmuch finds; it takes words in quotes as they are, and times in the zone of TZ.
fn by_notmuch(home: &Path, maildir: &str, query: &str) -> BTreeSet<String> {
    let mut notmuch = command("notmuch", home);
    let arguments = ["search", "--output=files", "--exclude=false", query];
    let files = output(notmuch.env("TZ", "UTC").args(arguments));
    let files = files
        .lines()
        .map(|file| Path::new(file).strip_prefix(maildir).unwrap());
    files
        .map(|file| file.to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn notmuch_finds_the_same_in_a_maildir() {
    if !installed(&["notmuch"]) {
        return;
    }
    let scene = scene();
    let maildir = export(&scene, "maildir");
    let home = scene.folder.path();
    let config = format!("[database]\npath={maildir}\n[user]\nprimary_email=a@b.example\n");
    fs::write(home.join("notmuch-config"), config).unwrap();
    output(command("notmuch", home).args(["new", "--quiet"]));
    let mut all = 0;
    for (query, theirs) in [
        ("subject:budget", "subject:\"budget\""),
        ("subject:\"last quarter\"", "subject:\"last quarter\""),
        ("subject:отчёт", "subject:\"отчёт\""),
        ("from:adams", "from:\"adams\""),
        ("from:\"Ann Adams\"", "from:\"Ann Adams\""),
        ("from:mail3.example", "from:\"mail3.example\""),
        ("recipients:smith", "to:\"smith\""),
        (
            "recipients:user17@mail3.example",
            "to:\"user17@mail3.example\"",
        ),
        ("body:invoice", "body:\"invoice\""),
        ("body:\"delivery dates\"", "body:\"delivery dates\""),
        (
            "body:bitte OR body:gracias",
            "body:\"bitte\" or body:\"gracias\"",
        ),
        ("attachment:minutes", "attachment:\"minutes\""),
        ("has:attachment", "tag:attachment"),
        ("sent:2015", "date:2015..2015"),
        ("sent:2012-03..2013-01-15", "date:2012-03-01..2013-01-15"),
        ("sent:..2010-06", "date:..2010-06-30"),
        ("is:unread", "tag:unread"),
        (
            "from:adams (sent:2014 OR sent:2016) -is:unread",
            "from:\"adams\" and (date:2014..2014 or date:2016..2016) and not tag:unread",
        ),
    ] {
        let ours = found(&scene, &["-o", "layout=maildir"], query);
        assert_eq!(ours, by_notmuch(home, &maildir, theirs), "{query}");
        assert!(ours.len() < 400, "{query}");
        all += ours.len();
    }
    assert!(all > 200, "{all} found together");
}

#[test]
fn python_finds_the_same_in_the_files() {
    if !installed(&["python3"]) {
        return;
    }
    let scene = scene();
    let tree = export(&scene, "files");
    let queries = [
        ("subject:budget", r#"[["subject", "budget"]]"#),
        ("subject:prufen", r#"[["subject", "prufen"]]"#),
        ("body:STRASSE", r#"[["body", "Straße"]]"#),
        ("body:прошу", r#"[["body", "ПРОШУ"]]"#),
        ("body:\"votre réponse\"", r#"[["body", "votre reponse"]]"#),
        ("from:muller", r#"[["from", "Müller"]]"#),
        ("from:o'neil", r#"[["from", "O'Neil"]]"#),
        ("cc:tanaka", r#"[["cc", "tanaka"]]"#),
        (
            "attachment:\"übersicht märz\"",
            r#"[["attachment", "Ubersicht Marz"]]"#,
        ),
        (
            "sent:2011-02-03..2011-11-30",
            r#"[["date", ["2011-02-03", "2011-11-30"]]]"#,
        ),
        (
            "to:schmidt sent:>=2018 is:unread",
            r#"[["to", "schmidt"], ["date", ["2018-01-01", "9999"]], ["unread", true]]"#,
        ),
        (
            "subject:invoice body:contract",
            r#"[["subject", "invoice"], ["body", "contract"]]"#,
        ),
    ];
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/search.py");
    let mut judge = Command::new("python3")
        .arg(script)
        .arg(&tree)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: String = queries
        .iter()
        .map(|(_, theirs)| format!("{theirs}\n"))
        .collect();
    judge
        .stdin
        .take()
        .unwrap()
        .write_all(lines.as_bytes())
        .unwrap();
    let judged = judge.wait_with_output().unwrap();
    assert!(judged.status.success());
    let judged = String::from_utf8(judged.stdout).unwrap();
    assert_eq!(judged.lines().count(), queries.len());
    let mut all = 0;
    for ((query, _), theirs) in queries.iter().zip(judged.lines()) {
        let theirs: BTreeSet<String> = serde_json::from_str(theirs).unwrap();
        assert_eq!(found(&scene, &[], query), theirs, "{query}");
        assert!(theirs.len() < 400, "{query}");
        all += theirs.len();
    }
    assert!(all > 100, "{all} found together");
}

/// Byte for byte, so in order too.
#[test]
fn the_number_of_threads_changes_nothing() {
    let scene = scene();
    for query in ["invoice", "subject:budget", "NOT report"] {
        let one = scene.run(&["-j", "1", "-C", "1"], query);
        assert!(!one.0.is_empty());
        for threads in ["2", "3", "16"] {
            assert_eq!(
                scene.run(&["-j", threads, "-C", "1"], query),
                one,
                "{query}"
            );
        }
    }
    // In the order of the export.
    let tree = export(&scene, "files");
    let (all, ..) = scene.run(&[], "*");
    let (index, errors) = {
        let output = ostfs(&["index", "--no-hash", "--json", scene.file.to_str().unwrap()]);
        (String::from_utf8(output.stdout).unwrap(), output.stderr)
    };
    assert!(errors.is_empty() && Path::new(&tree).is_dir());
    let records = index
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let items = records.filter(|record| record["class"] == "IPM.Note");
    let paths: String = items
        .map(|record| format!("{}\n", record["path"].as_str().unwrap()))
        .collect();
    assert_eq!(all, paths);
}
