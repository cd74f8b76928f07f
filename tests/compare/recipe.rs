//! The recipe is what docs/CONTENT-HASH.md says, and tells copies from other items.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use ostfs::convert::{Hashes, ItemFields};
use ostfs::messaging::Message as Opened;
use ostfs::ndb::NodeId;
use serde_json::Value as Json;

use crate::mailbox::{FORMATS, File, MESSAGE, mail, write};
use crate::support::*;
use crate::{corpus, hashes_of, mounted, programs};

/// What another program makes of the document, from `arguments`.
fn judged(arguments: &[&Path]) -> Vec<Json> {
    let judge = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/content_hash.py");
    let output = Command::new("python3")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(judge)
        .args(arguments)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {errors}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The large file takes an independent reader in Python minutes.
fn small_files() -> Vec<std::path::PathBuf> {
    let mut files = corpus::files();
    files.retain(|file| std::fs::metadata(file).unwrap().len() < 10 << 20);
    files
}

#[test]
fn an_independent_reader_computes_the_same_hashes_by_the_document() {
    let Some(reader) = corpus::tool("reference_reader.py") else {
        return;
    };
    let mut compared = 0;
    for file in small_files() {
        let own = hashes_of(&file);
        for judged in judged(&[reader.parent().unwrap(), &file]) {
            let nid = judged["nid"].as_u64().unwrap() as u32;
            let Some(hashes) = judged["hashes"].as_object() else {
                continue;
            };
            let place = format!("{} {nid:#x}", file.display());
            assert_eq!(hashes["content"], own[&nid].content.to_string(), "{place}");
            assert_eq!(hashes["all"], own[&nid].all.to_string(), "{place}");
            compared += 1;
        }
    }
    assert!(compared > 500, "{compared}");
}

#[test]
fn exported_mail_has_the_content_hash_of_its_item() {
    if !programs::installed(&["python3"]) {
        return;
    }
    for (format, crypt) in FORMATS {
        let file = write(format, crypt, |store| {
            let folder = store.folder(store.ipm_subtree(), "Inbox");
            store.message(folder, mail("Plain").cc("Cy", "Cy@North.example"));
            store.message(folder, mail("Grüße").body("Schöne  Grüße\r\n\r\nAnn\r\n"));
            let two = mail("Two files")
                .attachment("b.bin", Payload::random(70_000, 1))
                .attachment("a name.bin", Payload::random(300, 2));
            store.message(folder, two.bcc("Di", "di@north.example"));
        });
        let (_scratch, tree) = mounted::export(&file.path, &["-o", "attachments=eml"]);
        let of_mail: BTreeMap<String, String> = judged(&[Path::new("--eml"), &tree])
            .iter()
            .map(|mail| (word(mail, "subject"), word(mail, "content")))
            .collect();
        let store = file.store();
        let mut of_items = BTreeMap::new();
        for (nid, hashes) in hashes_of(&file.path) {
            let message = Opened::open(&store, NodeId(nid)).unwrap();
            let subject = message.subject().unwrap().unwrap().text;
            of_items.insert(subject, hashes.content.to_string());
        }
        assert_eq!(of_mail.len(), 3);
        assert_eq!(of_mail, of_items, "{format:?}");
    }
}

fn word(object: &Json, name: &str) -> String {
    object[name].as_str().unwrap().to_owned()
}

/// A file with this message alone.
fn file_of(format: Format, crypt: Crypt, message: Message) -> File {
    write(format, crypt, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        assert_eq!(store.message(inbox, message), MESSAGE);
    })
}

fn fields_of(message: Message) -> ItemFields {
    let file = file_of(Format::Unicode, Crypt::Permute, message);
    let opened = Opened::open(&file.store(), NodeId(MESSAGE)).unwrap();
    ItemFields::of(&opened)
}

fn hashed(message: Message) -> Hashes {
    fields_of(message).hashes()
}

/// The test writer makes search key and conversation index out of the node where they are not given.
fn usual() -> Message {
    const SEARCH_KEY: u16 = 0x300B;
    const CONVERSATION_INDEX: u16 = 0x0071;
    mail("Subject")
        .prop(SEARCH_KEY, vec![7; 16])
        .prop(CONVERSATION_INDEX, vec![1; 22])
        .cc("Cy", "cy@north.example")
        .attachment("one.txt", b"one".to_vec())
        .attachment("two.txt", b"two".to_vec())
        .embed(mail("Inner").body("Inner text"))
}

#[test]
fn the_format_of_the_file_and_the_place_in_it_make_no_difference() {
    let expected = hashed(usual());
    assert!(!expected.is_damaged);
    for (format, crypt) in FORMATS {
        let file = write(format, crypt, |store| {
            let inbox = store.folder(store.ipm_subtree(), "Inbox");
            for other in 0..10 {
                store.message(inbox, mail(&format!("Other {other}")));
            }
            store.message(inbox, usual());
        });
        let (_, last) = hashes_of(&file.path).into_iter().next_back().unwrap();
        assert_eq!(last, expected, "{format:?}");
    }
}

#[test]
fn what_a_mailbox_adds_is_no_content_of_mail_and_is_in_the_hash_of_everything() {
    const FLAG_STATUS: u16 = 0x1090;
    let expected = hashed(usual());
    let flagged = hashed(usual().prop(FLAG_STATUS, 2));
    for changed in [hashed(usual().unread()), flagged] {
        assert_eq!(changed.content, expected.content);
        assert_ne!(changed.all, expected.all);
        assert_eq!(changed.key, expected.key);
    }
    let names = |changed: Message| {
        let (changed, usual) = (fields_of(changed), fields_of(usual()));
        let names = changed.differences(&usual);
        names.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names(usual().prop(FLAG_STATUS, 2)), ["property 1090"]);
    assert_eq!(names(usual().unread()), ["state"]);
    assert_eq!(names(usual()), [""; 0]);
}

#[test]
fn broken_lines_and_the_order_of_attachments_and_recipients_make_no_difference() {
    let content = |message: Message| hashed(message).content;
    let one = mail("A long subject").body("one two\r\nthree");
    let other = mail("A long  subject").body("one\r\ntwo three\r\n\r\n");
    assert_eq!(content(one), content(other));
    let one = mail("s")
        .cc("Cy", "cy@north.example")
        .cc("Di", "di@north.example")
        .attachment("a", b"1".to_vec())
        .attachment("b", b"2".to_vec());
    let other = mail("s")
        .cc("Diana", "DI@north.example")
        .cc("Cyrus", "cy@north.example")
        .attachment("b", b"2".to_vec())
        .attachment("a", b"1".to_vec());
    assert_eq!(content(one), content(other));
}

#[test]
fn every_part_of_the_content_makes_a_difference() {
    let expected = hashed(usual()).content;
    let inner = usual().embed(mail("Inner"));
    for (what, other) in [
        ("subject", usual().subject("Subject.")),
        ("class", usual().prop(tags::MESSAGE_CLASS, "IPM.Note.SMIME")),
        ("sender", usual().from("Ann Adams", "ann@south.example")),
        ("time", usual().time(filetime(2024, 5, 1, 9, 1))),
        ("body", usual().body("Text.")),
        ("to", usual().to("Ed", "ed@north.example")),
        ("bcc", usual().bcc("Ed", "ed@north.example")),
        ("name", usual().attachment("three.txt", b"two".to_vec())),
        ("bytes", usual().attachment("two.txt", b"Two".to_vec())),
        ("embedded", inner),
    ] {
        assert_ne!(hashed(other).content, expected, "{what}");
    }
}

#[test]
fn the_content_of_a_contact_and_of_a_draft_is_in_its_properties() {
    const MOBILE: u16 = 0x3A1C;
    const SUBMIT: u16 = 0x0039;
    let contact = || Message::contact("Ann", "Adams", "ann@north.example");
    let one = hashed(contact().prop(MOBILE, "+1 1"));
    let other = hashed(contact().prop(MOBILE, "+1 2"));
    assert_ne!(one.content, other.content);
    assert_eq!(hashed(contact()).content, hashed(contact()).content);
    let draft = || mail("Draft").without(SUBMIT);
    let other = draft().prop(tags::IMPORTANCE, 2);
    assert_ne!(hashed(draft()).content, hashed(other).content);
}

#[test]
fn an_item_that_is_not_whole_is_marked() {
    for (format, crypt) in FORMATS {
        let message = || mail("first").attachment("large.bin", Payload::random(200_000, 1));
        let file = file_of(format, crypt, message());
        let whole = hashes_of(&file.path)[&MESSAGE];
        assert!(!whole.is_damaged, "{format:?}");
        file.damage().flip_attachment(MESSAGE, 0);
        let damaged = hashes_of(&file.path)[&MESSAGE];
        assert!(damaged.is_damaged, "{format:?}");
        assert_ne!(damaged.content, whole.content, "{format:?}");
        assert_eq!(damaged.key, whole.key, "{format:?}");
    }
}

#[test]
fn a_message_within_itself_and_a_thousand_of_them_come_to_an_end() {
    let mut many = mail("many");
    for number in 0..20 {
        let mut inner = mail(&format!("inner {number}"));
        for _ in 0..60 {
            inner = inner.embed(mail("innermost"));
        }
        many = many.embed(inner);
    }
    assert!(hashed(many).is_damaged, "not all of them are read");
}
