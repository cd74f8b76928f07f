//! Names after a template, in a time zone: the same on every mount and in every export.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::layouts::names;
use crate::mounted::{Mount, can_mount, export, ostfs, picture};
use crate::support::{Crypt, Folders, Format, Message as Mail, Store as MailStore, filetime};
use tempfile::TempDir;

/// Subjects that a name cannot have as they are, and what stands for each.
const AWKWARD: [(&str, &str); 9] = [
    ("Numbers", "Numbers"),
    ("NUMBERS", "NUMBERS"),
    ("a/b\\c: \"d\"?", "a_b_c_ _d__"),
    ("..", "(no subject)"),
    ("", "(no subject)"),
    ("tab\tand\r\nline", "tab and line"),
    ("{subject} {date}", "{subject} {date}"),
    ("\u{202E}fdp.exe", "_fdp.exe"),
    ("план встречи, 会議", "план встречи, 会議"),
];

/// A mailbox of awkward subjects, and one message without sender and recipients.
fn awkward(format: Format) -> (TempDir, PathBuf) {
    let scratch = TempDir::new().unwrap();
    let path = scratch.path().join("awkward.pst");
    let mut store = MailStore::new(format, Crypt::Permute);
    let top = store.ipm_subtree();
    let inbox = store.folder(top, "Inbox");
    for (subject, _) in AWKWARD {
        let mail = Mail::mail(subject)
            .time(filetime(2024, 7, 31, 22, 30))
            .from("Ann: Adams", "ann@north.example")
            .to("Bob", "bob@north.example")
            .to("Eva", "eva@south.example");
        store.message(inbox, mail.body("Hello\r\n"));
    }
    store.message(inbox, Mail::mail(&"ä".repeat(300)).body("long\r\n"));
    store.message(inbox, Mail::contact("Jane", "Doe", "jane@west.example"));
    store.write(&path).unwrap();
    (scratch, path)
}

#[test]
fn names_follow_the_template_and_the_zone() {
    for format in [Format::Ansi, Format::Unicode, Format::Ost4k] {
        let (_scratch, file) = awkward(format);
        let template = "{date:%Y-%m-%d %Hh%M} {from} to {to} - {subject}";
        let arguments = ["--names", template, "-o", "tz=Europe/Berlin"];
        let (_target, tree) = export(&file, &arguments);
        let found = names(&tree.join("Inbox"));
        for (_, shown) in AWKWARD {
            // 22:30 UTC is half past midnight of the next day in Berlin, in summer.
            let name = format!("2024-08-01 00h30 Ann_ Adams to Bob; Eva - {shown}");
            let is_it = |found: &String| found.starts_with(&name) && found.ends_with(".eml");
            // Code page 1252 has no Cyrillic and no Chinese.
            let lost = format == Format::Ansi && !shown.is_ascii();
            assert!(
                lost || found.iter().any(is_it),
                "{format:?} {name}: {found:#?}"
            );
        }
        assert_eq!(found.len(), AWKWARD.len() + 2);
        assert!(found.iter().all(|name| name.len() <= 200), "{found:#?}");
        let without_case: BTreeSet<String> = found.iter().map(|name| name.to_lowercase()).collect();
        assert_eq!(without_case.len(), found.len());
        let contact = "2024-05-01 11h32 to - Jane Doe.vcf";
        assert!(found.contains(contact), "{found:#?}");
    }
}

#[test]
fn a_template_in_the_options_does_the_same_commas_and_all() {
    if !can_mount() {
        return;
    }
    let (_scratch, file) = awkward(Format::Unicode);
    let (_target, tree) = export(&file, &["--names", "{nid}, {from}"]);
    let mount = Mount::new(&file, &["-o", "all,names=\"{nid}, {from}\""]);
    let mounted = picture(&mount.path.join("Top of Outlook data file/Inbox"));
    assert_eq!(picture(&tree.join("Inbox")), mounted);
    assert_eq!(mounted.len(), AWKWARD.len() + 2);
    assert!(
        mounted
            .keys()
            .all(|path| path.to_str().unwrap().starts_with("20"))
    );
}

#[test]
fn what_is_no_template_or_zone_is_a_usage_error_before_anything_is_done() {
    let (scratch, file) = awkward(Format::Unicode);
    let target = scratch.path().join("tree");
    for (arguments, said) in [
        (["--names", "{sender}"], "there is no field {sender}"),
        (["--names", "mail"], "give some of {date}"),
        (["-o", "names={from}/{to}"], "a name has no '/'"),
        (["-o", "tz=Middle/Earth"], "-o tz=Middle/Earth: "),
        (["-o", "tz="], "give local, UTC or a zone"),
    ] {
        let mut all = vec!["export", file.to_str().unwrap(), target.to_str().unwrap()];
        all.extend(arguments);
        let output = ostfs(&all);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(16), "{arguments:?}: {error}");
        assert!(error.contains(said), "{arguments:?}: {error}");
        assert!(!target.exists());
    }
}
