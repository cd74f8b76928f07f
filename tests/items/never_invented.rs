//! What a file does not say is not made up: no date, no item. And what depends on what is lost says so.

use std::collections::BTreeMap;

use crate::mailbox::{FORMATS, File, mail};
use crate::mounted::ostfs;
use crate::support::*;
use crate::{mailbox, walk};
use ostfs::tree::{Options, Tree};

const NO_DATE: &str = "no date stored";
const DOUBT: &str = "addresses of this item come from other items";
/// PidTagMessageDeliveryTime.
const DELIVERY: u16 = 0x0E06;
/// 9999-12-31 23:59:59.
const LAST_SECOND: u64 = 2_650_467_743_990_000_000;

/// All files with text, by the end of their names.
fn texts(file: &File) -> BTreeMap<String, String> {
    let files = file.walk().files.into_iter();
    files
        .map(|(path, bytes)| (path, String::from_utf8_lossy(&bytes).into_owned()))
        .collect()
}

fn text<'a>(texts: &'a BTreeMap<String, String>, part: &str) -> (&'a str, &'a str) {
    let mut found = texts.iter().filter(|(path, _)| path.contains(part));
    let (path, text) = found.next().unwrap_or_else(|| panic!("no {part}"));
    (path, text)
}

/// Header fields on one line each.
fn unfold(text: &str) -> String {
    text.replace("\n ", " ")
}

fn no_time(message: Message) -> Message {
    [0x0E06, 0x0039, 0x3007, 0x3008]
        .into_iter()
        .fold(message, Message::without)
}

#[test]
fn an_item_without_a_date_says_so_and_gets_none() {
    for (format, crypt) in FORMATS {
        let file = mailbox::write(format, crypt, |store| {
            let inbox = store.folder(store.ipm_subtree(), "Inbox");
            store.message(inbox, no_time(mail("without")));
            store.message(inbox, mail("zero").time(0));
            store.message(inbox, mail("none").time(filetime(4501, 1, 1, 0, 0)));
            store.message(inbox, mail("most").time(u64::MAX));
            store.message(
                inbox,
                no_time(Message::contact("Jane", "Doe", "jane@north.example")),
            );
            store.message(
                inbox,
                no_time(Message::appointment("Lunch", 0, 0, "Canteen")),
            );
        });
        let texts = texts(&file);
        for subject in ["without", "zero", "none", "most", "Jane", "Lunch"] {
            let (path, text) = text(&texts, subject);
            // A contact bears no date.
            let is_told = text.contains(NO_DATE);
            assert_eq!(is_told, subject != "Jane", "{path}: {text}");
            for made_up in [
                "1970", "1601", "30828", "4501", "\nDate:", "DTSTAMP", "REV:",
            ] {
                assert!(!path.contains(made_up), "{path}");
                assert!(!text.contains(made_up), "{made_up}: {text}");
            }
        }
        let (_, most) = text(&texts, "most");
        let told = "expected a time before the year 10000";
        assert!(unfold(most).contains(told), "{most}");
    }
}

#[test]
fn a_date_that_can_be_written_is_written_however_odd_it_is() {
    let file = mailbox::write(Format::Unicode, Crypt::Permute, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        store.message(inbox, mail("long ago").time(filetime(1899, 12, 30, 1, 2)));
        store.message(inbox, mail("far off").time(LAST_SECOND));
        // One time that is none is no reason to doubt the others.
        let half = mail("half").time(filetime(2024, 5, 1, 9, 0));
        store.message(inbox, half.prop(DELIVERY, Value::Time(0)));
    });
    let texts = texts(&file);
    for (subject, name, date) in [
        (
            "long ago",
            "1899-12-30 0102",
            "Sat, 30 Dec 1899 01:02:00 +0000",
        ),
        (
            "far off",
            "9999-12-31 2359",
            "Fri, 31 Dec 9999 23:59:59 +0000",
        ),
        ("half", "2024-05-01 0900", "Wed, 01 May 2024 09:00:00 +0000"),
    ] {
        let (path, text) = text(&texts, subject);
        assert!(path.contains(name), "{path}");
        assert!(text.contains(&format!("\nDate: {date}\n")), "{text}");
        assert!(!text.contains("X-Ostfs-Problem"), "{text}");
    }
    // As `stat` and the manifest have them.
    let output = ostfs(&["index", file.path.to_str().unwrap()]);
    let index = String::from_utf8(output.stdout).unwrap();
    for date in ["1899-12-30T01:02:00Z", "9999-12-31T23:59:59Z"] {
        assert!(index.contains(date), "{index}");
    }
    let tree = Tree::open(&file.path, &Options::default()).unwrap();
    let long_ago = texts.keys().find(|path| path.contains("long ago")).unwrap();
    let ino = tree.find(long_ago.as_ref()).unwrap().unwrap();
    let modified = tree.attr(ino).unwrap().mtime;
    let before = std::time::UNIX_EPOCH.duration_since(modified).unwrap();
    // date -u -d '1899-12-30 01:02' +%s
    assert_eq!(before.as_secs(), 2_209_157_880);
}

#[test]
fn a_row_of_what_is_no_message_is_a_problem_of_its_folder_and_no_file() {
    for (format, crypt) in FORMATS {
        let mut inbox = 0;
        let file = mailbox::write(format, crypt, |store| {
            inbox = store.folder(store.ipm_subtree(), "Inbox");
            store.message(inbox, mail("real"));
            // A folder, a table, nothing; and a message whose node is lost.
            for stray in [inbox, 0x60E, 0x7_7777_u32 & !31 | 2, 0x30_0004] {
                store.stray_row(inbox, stray);
            }
        });
        let tree = walk::open(&file.path).unwrap();
        let walked = walk::everything(&tree);
        assert_eq!(walked.ending(".eml"), 2, "{:?}", walked.files.keys());
        let text = walk::problems(&tree);
        for stray in [inbox, 0x60E] {
            let told = format!("expected a message, found {stray:#x}");
            let line = text.lines().find(|line| line.contains(&told));
            let line = line.unwrap_or_else(|| panic!("{told}: {text}"));
            assert!(line.starts_with(&format!("folder {inbox:#x}: ")), "{line}");
        }
        let report = walk::check(&file.path).unwrap();
        let findings = report.findings.iter();
        let rows = findings.filter(|finding| finding.problem.contains("expected a message"));
        assert_eq!(rows.count(), 3);
    }
}

/// A person whom only Exchange knows, unless `smtp` tells the address.
fn exchange(subject: &str, name: &str, smtp: Option<&str>) -> Message {
    let dn = format!("/o=Org/ou=Site/cn=Recipients/cn={name}");
    let mut message = Message::mail(subject)
        .time(filetime(2024, 5, 1, 9, 0))
        .prop(tags::SENT_REPRESENTING_NAME, name)
        .prop(tags::SENT_REPRESENTING_ADDRESS_TYPE, "EX")
        .prop(tags::SENT_REPRESENTING_EMAIL_ADDRESS, dn.as_str())
        .body("Text\r\n");
    if let Some(smtp) = smtp {
        message = message.prop(tags::SENT_REPRESENTING_SMTP_ADDRESS, smtp);
    }
    message
}

#[test]
fn an_address_that_a_lost_item_may_have_told_is_in_doubt_and_no_other() {
    let mut teacher = 0;
    let file = mailbox::write(Format::Unicode, Crypt::Permute, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        teacher = store.message(inbox, exchange("teacher", "Ann", Some("ann@north.example")));
        store.message(inbox, exchange("pupil", "Ann", None));
        store.message(inbox, exchange("stranger", "Zoe", None));
        store.message(inbox, mail("by address"));
    });
    let whole = texts(&file);
    assert!(text(&whole, "pupil").1.contains("ann@north.example"));
    assert!(!whole.values().any(|text| text.contains(DOUBT)));
    file.damage().zero_block(file.layout.node(teacher).data);
    let damaged = texts(&file);
    for subject in ["pupil", "stranger"] {
        let told = text(&damaged, subject).1.matches(DOUBT).count();
        assert_eq!(told, 1, "{subject}");
    }
    let name = "by address";
    assert_eq!(text(&damaged, name), text(&whole, name));
}
