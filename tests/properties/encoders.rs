//! What is encoded comes back: decoders here are crates of others, or a few lines that a standard prescribes.

use std::fs;
use std::path::Path;

use mail_parser::{MessageParser, MimeHeaders};
use ostfs::convert::Items;
use ostfs::tree::{Attachments, Options};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::mounted::ostfs;
use crate::runner::holds;
use crate::shown::{open, picture};
use crate::support::{
    Attachment, Crypt, Folders, Format, Message, PSETID_ADDRESS, Payload, Store, filetime,
};
use crate::text::{body, name};

/// Characters that end a line or act on what shows them: nothing keeps them as they are.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// `text` on one line, as a field or a parameter has it.
fn one_line(text: &str) -> String {
    let is_blank =
        |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
    text.replace(is_blank, " ").trim().to_owned()
}

/// With one blank between words: of more, this decoder drops some beside encoded words.
fn words(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// The name of a file, without the directories in front that some programs store with it; None if it would be one.
fn file_name(stored: &str) -> Option<String> {
    let name = stored.rsplit(['/', '\\']).next().map(one_line)?;
    (!["", ".", ".."].contains(&name.as_str())).then_some(name)
}

/// Lines as a store has them, of whatever ends lines in `text`.
fn lines_of_store(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "")
        .replace('\n', "\r\n")
}

/// The file with this extension that the library makes of `message`.
fn file(message: Message, extension: &str) -> Vec<u8> {
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    store.message(inbox, message);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("items.pst");
    store.write(&path).unwrap();
    let options = Options {
        attachments: Attachments::Eml,
        ..Options::default()
    };
    let shown = picture(&open(&path, &options)).into_iter();
    let is_it = |path: &str| path.starts_with("Inbox/") && path.ends_with(extension);
    let mut found = shown.filter(|(path, _)| is_it(path));
    let (_, shown) = found.next().unwrap();
    assert!(found.next().is_none());
    shown.content
}

#[test]
fn mail_comes_back_as_it_is_stored() {
    let attached = (name(), 0_u64..10_000, any::<u64>());
    let input = (name(), name(), body(), vec(attached, 0..3));
    holds("mail", 150, input, |(subject, sender, text, attached)| {
        let text = lines_of_store(&text);
        let mail = Message::mail(&subject)
            .from(&sender, "ann@north.example")
            .body(&text);
        let payload = |length, seed| Payload::random(length, seed);
        let mail = attached.iter().fold(mail, |mail, (name, length, seed)| {
            mail.attach(Attachment::data(name, payload(*length, *seed)).mime("application/x-any"))
        });
        let file = file(mail, ".eml");
        let read = MessageParser::default().parse(&file).unwrap();
        let subject = one_line(&subject);
        if !subject.is_empty() {
            assert_eq!(read.subject().map(words), Some(words(&subject)));
        }
        let from = read.from().and_then(|from| from.first()).unwrap();
        assert_eq!(from.address(), Some("ann@north.example"));
        let sender = one_line(&sender);
        if !sender.is_empty() {
            assert_eq!(from.name().map(words), Some(words(&sender)));
        }
        let found: Vec<_> = read.attachments().collect();
        assert_eq!(found.len(), attached.len());
        for (part, (name, length, seed)) in found.iter().zip(&attached) {
            assert!(
                part.contents() == payload(*length, *seed).to_vec(),
                "{name:?}"
            );
            if let Some(name) = file_name(name) {
                assert_eq!(part.attachment_name().map(str::trim), Some(name.as_str()));
            }
        }
        let text = text.replace("\r\n", "\n");
        let text = text.trim_end_matches('\0');
        if !text.trim().is_empty() {
            assert_eq!(read.body_text(0).as_deref(), Some(text));
        }
    });
}

/// The lines of `file`, unfolded, by what is in front of their value. RFC 5545 3.1, RFC 6350 3.2
fn content_line(file: &[u8], name: &str) -> Option<String> {
    let text = std::str::from_utf8(file).unwrap().replace("\r\n ", "");
    let value = text
        .split("\r\n")
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(unescaped(value))
}

/// RFC 5545 3.3.11, RFC 6350 3.4
fn unescaped(value: &str) -> String {
    let mut out = String::new();
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(escaped @ ('\\' | ';' | ',')) => out.push(escaped),
                other => panic!("\\ before {other:?}: {value:?}"),
            },
            ';' | ',' => panic!("{character} without \\: {value:?}"),
            _ => out.push(character),
        }
    }
    out
}

/// What a calendar or a card has of `text`: any end of a line as one, and nothing that acts.
fn kept(text: &str) -> String {
    let text = text.trim_end_matches('\0').replace("\r\n", "\n");
    let text = text.replace(['\r', '\u{b}', '\u{85}', '\u{2028}', '\u{2029}'], "\n");
    let kept = text.replace(
        |character| acts(character) && !"\n\t".contains(character),
        "",
    );
    kept.trim_matches(['\n', '\r', ' ', '\t']).to_owned()
}

#[test]
fn calendars_and_cards_say_what_is_stored() {
    holds(
        "content_lines",
        150,
        (name(), name(), body()),
        |(subject, place, text)| {
            let time = filetime(2024, 5, 1, 9, 0);
            let text = lines_of_store(&text);
            let appointment = Message::appointment(&subject, time, time, &place).body(&text);
            let calendar = file(appointment, ".ics");
            let contact = Message::contact("Jane", "Doe", "jane@west.example")
                .named(PSETID_ADDRESS, 0x8062, place.as_str())
                .body(&text);
            let card = file(contact, ".vcf");
            for (file, line, stored) in [
                (&calendar, "SUMMARY", &subject),
                (&calendar, "LOCATION", &place),
                (&calendar, "DESCRIPTION", &text),
                (&card, "NOTE", &text),
            ] {
                let stored = kept(stored);
                if !stored.trim().is_empty() {
                    let found = content_line(file, line);
                    let found = found.as_deref().map(kept);
                    assert_eq!(found.as_deref(), Some(stored.as_str()), "{line}");
                }
            }
        },
    );
}

/// A mailbox in one file, as items of which each is one file.
fn mbox(store: &Store) -> (Vec<u8>, Vec<Vec<u8>>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("items.pst");
    store.write(&path).unwrap();
    let target = directory.path().join("all.mbox");
    let ends = [path.to_str().unwrap(), target.to_str().unwrap()];
    let exported = ostfs(&["export", "--to", "mbox", ends[0], ends[1]]);
    assert!(
        exported.status.success(),
        "{}",
        String::from_utf8_lossy(&exported.stderr)
    );
    let mut options = Options {
        attachments: Attachments::Eml,
        ..Options::default()
    };
    options.convert.items = Items::Eml;
    let shown = picture(&open(&path, &options)).into_iter();
    let items = shown.filter(|(path, _)| path.ends_with(".eml") && !path.starts_with(".ostfs"));
    (
        fs::read(&target).unwrap(),
        items.map(|(_, shown)| shown.content).collect(),
    )
}

/// The messages of an mbox: each begins with a line `From `, loses one `>` of those that were quoted, and ends with an empty
/// line. (The rules of mboxrd, as qmail's mbox(5) has them.)
fn messages(mbox: &[u8]) -> Vec<Vec<u8>> {
    let mut messages: Vec<Vec<u8>> = Vec::new();
    for line in mbox.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b"From ") {
            messages.push(Vec::new());
            continue;
        }
        let quotes = line.iter().take_while(|byte| **byte == b'>').count();
        let is_quoted = quotes > 0 && line[quotes..].starts_with(b"From ");
        let message = messages.last_mut().expect("a line From in front");
        message.extend(&line[usize::from(is_quoted)..]);
    }
    for message in &mut messages {
        assert_eq!(message.pop(), Some(b'\n'), "an empty line at the end");
    }
    messages
}

#[test]
fn an_mbox_has_every_item_once_and_as_it_is() {
    holds("mbox", 40, vec((name(), body()), 1..8), |mails| {
        let mut store = Store::new(Format::Unicode, Crypt::None);
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        for (subject, text) in &mails {
            store.message(inbox, Message::mail(subject).body(text));
        }
        let (mbox, mut items) = mbox(&store);
        for item in &mut items {
            if !item.ends_with(b"\n") {
                item.push(b'\n');
            }
        }
        let mut found = messages(&mbox);
        found.sort();
        items.sort();
        assert!(found == items, "{} of {}", found.len(), items.len());
    });
}

/// Columns of `.ostfs/index.csv` and of a manifest.
const SUBJECT: &str = "subject";

#[test]
fn tables_and_json_tell_every_subject() {
    let form = proptest::bool::ANY;
    holds(
        "tables",
        40,
        (vec(name(), 1..10), form),
        |(subjects, is_json)| {
            let mut store = Store::new(Format::Unicode, Crypt::None);
            let inbox = store.folder(store.ipm_subtree(), "Inbox");
            for subject in &subjects {
                store.message(inbox, Message::mail(subject).body("text"));
            }
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("items.pst");
            store.write(&path).unwrap();
            let form: &[&str] = if is_json { &["--json"] } else { &[] };
            let printed = ostfs(&[&["index", "--no-hash", path.to_str().unwrap()], form].concat());
            let text = String::from_utf8(printed.stdout).unwrap();
            assert!(!text.contains(|character| acts(character) && character != '\n'));
            let mut found = if is_json {
                of_json(&text)
            } else {
                of_csv(&text)
            };
            let mut of_index = of_csv(&index(&path));
            let cell = |subject: &String| match is_json {
                true => subject.trim_end_matches('\0').to_owned(),
                false => as_cell(subject),
            };
            let mut expected: Vec<String> = subjects.iter().map(cell).collect();
            let mut cells: Vec<String> = subjects.iter().map(|subject| as_cell(subject)).collect();
            for list in [&mut found, &mut expected, &mut cells, &mut of_index] {
                list.sort();
            }
            assert_eq!(found, expected, "{form:?}");
            assert_eq!(of_index, cells, "index.csv");
        },
    );
}

/// What acts is replaced in a cell, what ends a line is a blank.
fn as_cell(text: &str) -> String {
    let text = text.trim_end_matches('\0');
    let cell = text.replace(['\t', '\r', '\n'], " ");
    cell.replace(acts, "\u{fffd}")
}

fn index(file: &Path) -> String {
    let shown = picture(&open(file, &Options::default()));
    String::from_utf8(shown[".ostfs/index.csv"].content.clone()).unwrap()
}

fn of_csv(text: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let column = reader
        .headers()
        .unwrap()
        .iter()
        .position(|name| name == SUBJECT)
        .unwrap();
    let cell = |row: csv::Result<csv::StringRecord>| row.unwrap()[column].to_owned();
    reader.records().map(cell).collect()
}

fn of_json(text: &str) -> Vec<String> {
    let subject = |line| -> String {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        row[SUBJECT].as_str().unwrap_or_default().to_owned()
    };
    text.split_terminator('\n').map(subject).collect()
}
