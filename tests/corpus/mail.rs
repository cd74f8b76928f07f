//! Messages of real files as mail: sound to Python's email package, complete, and the same wherever a read begins.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::{corpus, phrase, read_back};
use ostfs::codepage;
use ostfs::convert::{AttachmentContent, Converter, Eol, Headers, Options};
use ostfs::ltp::{Value, tags};
use ostfs::messaging::{Message, Store};
use ostfs::ndb::NodeId;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

fn sha256(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn nid(value: &Json) -> NodeId {
    let digits = value["nid"].as_str().unwrap().trim_start_matches("0x");
    NodeId(u32::from_str_radix(digits, 16).unwrap())
}

/// Every message of `file` as the independent reader lists it, with the converter of its store.
fn each_message(
    file: &Path,
    options: Options,
    mut check: impl FnMut(&Converter, Message, &Json, &str),
) {
    let vector = corpus::vector(file);
    let store = Arc::new(Store::open(ostfs::ndb::open(file, 16 << 20).unwrap()));
    let converter = Converter::new(Arc::clone(&store), options);
    for expected in vector["allMessages"].as_array().unwrap() {
        let nid = nid(expected);
        let place = format!("{}, message {:#x}", vector["file"], nid.0);
        let message = Message::open(&store, nid).unwrap();
        check(&converter, message, expected, &place);
    }
}

/// Hashes of all files attached to `message`, and to the messages attached to it; without those that a report uses.
fn attached(message: &Json, into: &mut Vec<String>) {
    for attachment in message["attachments"].as_array().unwrap() {
        let is_report_part = attachment["mime"]
            .as_str()
            .is_some_and(|mime| mime.starts_with("message/d"));
        match attachment["kind"].as_str() {
            Some("msg") => attached(&attachment["embedded"], into),
            Some(_) if !is_report_part => {
                into.push(attachment["sha256"].as_str().unwrap().to_owned())
            }
            _ => {}
        }
    }
}

/// The stored plain text, in words.
fn words_of_body(message: &Message) -> String {
    let body = message.properties().value(tags::BODY).unwrap();
    let text = match body {
        Some(Value::String(bytes)) => codepage::decode_utf16le(&bytes),
        Some(Value::String8(bytes)) => codepage::decode(message.properties().code_page(), &bytes),
        _ => String::new(),
    };
    words(&text.replace('\0', ""))
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One message: what Python finds in it, what the independent reader found, and the stored text in words.
struct ReadBack {
    found: Json,
    expected: Json,
    words: String,
    /// Of all bodies, those of embedded messages included.
    phrases: Vec<String>,
    has_header: bool,
    place: String,
}

/// What an item says that has no date.
const NO_DATE: &str = "no date stored";

/// What Python finds fault with; that there is no date counts as one only where there is one.
fn faults(found: &Json) -> Vec<&str> {
    let faults = found["faults"].as_array().unwrap().iter();
    let faults = faults.map(|fault| fault.as_str().unwrap());
    let is_dateless = found["date"].is_null();
    faults
        .filter(|fault| !(is_dateless && ["no date", "date None"].contains(fault)))
        .collect()
}

/// What Python finds in the messages of each file of the corpus.
fn read_back(options: Options, python: &[&str], mut check: impl FnMut(&Path, &[ReadBack])) {
    for file in corpus::files() {
        let folder = tempfile::tempdir().unwrap();
        let mut messages = BTreeMap::new();
        each_message(&file, options, |converter, message, expected, place| {
            let rendition = converter.render_mail(&message);
            // Some contacts have no time of any kind, and none is made up.
            let mut problems = rendition.problems().list();
            problems.retain(|problem| {
                !(problem.text.to_string() == NO_DATE && message.time().is_none())
            });
            assert_eq!(problems, [], "{place}");
            let name = format!("{:08x}.eml", message.nid().0);
            std::fs::write(folder.path().join(&name), read_back::bytes(&rendition)).unwrap();
            let read = ReadBack {
                found: Json::Null,
                expected: expected.clone(),
                words: words_of_body(&message),
                phrases: phrase::of_message(&message),
                has_header: message.properties().has(tags::TRANSPORT_MESSAGE_HEADERS),
                place: place.to_owned(),
            };
            messages.insert(name, read);
        });
        let Some(found) = read_back::with_python(folder.path(), python) else {
            return;
        };
        for found in found {
            let name = found["file"].as_str().unwrap().to_owned();
            messages.get_mut(&name).unwrap().found = found;
        }
        let messages: Vec<ReadBack> = messages.into_values().collect();
        check(&file, &messages);
    }
}

impl ReadBack {
    fn parts(&self) -> &[Json] {
        self.found["parts"].as_array().unwrap()
    }

    fn has_fault(&self) -> bool {
        !faults(&self.found).is_empty()
    }

    /// Whether the stored plain text is there from its first word to its last, and words of all other bodies.
    fn has_text(&self) -> bool {
        let parts = self.parts().iter();
        let texts: Vec<(bool, String)> = parts
            .filter_map(|part| Some((part["type"] == "text/plain", words(part["text"].as_str()?))))
            .collect();
        let mut plain = texts.iter().filter(|(is_plain, _)| *is_plain);
        (self.words.is_empty() || plain.any(|(_, text)| text.contains(&self.words)))
            && self.phrases.iter().all(|phrase| {
                let phrase = words(phrase);
                texts.iter().any(|(_, text)| text.contains(&phrase))
            })
    }

    /// Whether Date is there; without a transport header it has to be the time of submission, else of delivery.
    fn has_date(&self) -> bool {
        let stored = ["submit", "delivery"].map(|key| self.expected[key].as_str());
        let stored = stored.into_iter().flatten().next();
        let Some(date) = self.found["date"].as_f64() else {
            // None is made up for an item that has none.
            return stored.is_none() && !self.has_header;
        };
        let time = stored.and_then(|stored| stored.parse::<jiff::Timestamp>().ok());
        self.has_header || time.is_none_or(|time| time.as_second() == date as i64)
    }

    /// Whether From has an SMTP address that is no placeholder.
    fn has_address(&self) -> bool {
        let from = self.found["from"].as_array().unwrap().iter();
        from.filter_map(Json::as_str)
            .any(|address| address.contains('@') && !address.ends_with(".invalid"))
    }

    /// Hashes of the attachments that are not there.
    fn missing(&self) -> Vec<String> {
        let mut hashes = Vec::new();
        attached(&self.expected, &mut hashes);
        let parts = self.parts().iter();
        let mut found: Vec<&str> = parts
            .filter(|part| part["base64"] == true)
            .map(|part| part["sha256"].as_str().unwrap())
            .collect();
        hashes.retain(|hash| match found.iter().position(|found| found == hash) {
            Some(at) => {
                found.swap_remove(at);
                false
            }
            None => true,
        });
        hashes
    }
}

#[test]
fn every_message_is_sound_mail_with_its_text_its_date_and_all_its_attachments() {
    println!(
        "{:52} {:>8} {:>6} {:>11} {:>6} {:>12} {:>13}",
        "", "messages", "faulty", "text", "Date", "From address", "attachments"
    );
    let mut bad = Vec::new();
    read_back(Options::default(), &[], |file, messages| {
        let count = |test: &dyn Fn(&ReadBack) -> bool| {
            messages.iter().filter(|message| test(message)).count()
        };
        let with_text = |message: &ReadBack| !message.phrases.is_empty();
        // The sender has an SMTP address in the file; other kinds are looked up, which may fail.
        let stored_address = |message: &ReadBack| {
            let address = message.expected["senderAddr"].as_str();
            address.is_some_and(|address| address.contains('@') && !address.contains("/cn="))
        };
        let attached: usize = messages
            .iter()
            .map(|message| {
                let mut hashes = Vec::new();
                attached(&message.expected, &mut hashes);
                hashes.len()
            })
            .sum();
        let missing: usize = messages.iter().map(|message| message.missing().len()).sum();
        println!(
            "{:52} {:8} {:6} {:5}/{:5} {:6} {:6}/{:5} {:7}/{:5}",
            file.file_name().unwrap().display(),
            messages.len(),
            count(&ReadBack::has_fault),
            count(&|message| with_text(message) && message.has_text()),
            count(&with_text),
            count(&ReadBack::has_date),
            count(&ReadBack::has_address),
            count(&stored_address),
            attached - missing,
            attached,
        );
        for message in messages {
            let verdicts = [
                (message.has_fault(), message.found["faults"].to_string()),
                (
                    !message.has_text() && with_text(message),
                    "the text is not there".to_owned(),
                ),
                (
                    !message.has_date(),
                    format!("Date {}", message.found["date"]),
                ),
                (
                    stored_address(message) && !message.has_address(),
                    format!("From {}", message.found["from"]),
                ),
                (
                    !message.missing().is_empty(),
                    format!("missing attachments {:?}", message.missing()),
                ),
            ];
            let verdicts = verdicts.into_iter().filter(|(is_bad, _)| *is_bad);
            bad.extend(verdicts.map(|(_, what)| format!("{}: {what}", message.place)));
        }
    });
    assert!(bad.is_empty(), "{} faults:\n{}", bad.len(), bad.join("\n"));
}

#[test]
fn the_choice_of_line_ends_and_headers_changes_nothing_else() {
    let options = Options {
        eol: Eol::Crlf,
        headers: Headers::Utf8,
        ..Options::default()
    };
    read_back(options, &["--utf8"], |_, messages| {
        for message in messages {
            assert!(!message.has_fault(), "{}: {}", message.place, message.found);
            assert!(message.missing().is_empty(), "{}", message.place);
        }
    });
}

#[test]
fn a_read_may_begin_and_end_anywhere() {
    for file in corpus::files() {
        each_message(&file, Options::default(), |converter, message, _, place| {
            let rendition = converter.render_mail(&message);
            let whole = read_back::bytes(&rendition);
            read_back::assert_ranges(&rendition, &whole, place);
            assert!(
                whole == read_back::bytes(&converter.render_mail(&message)),
                "{place}: another rendition"
            );
            assert!(
                rendition.weight() as u64 <= rendition.len() + 10_000,
                "{place}"
            );
        });
    }
}

/// PidTagAttachMethod of an OLE object. [MS-OXCMSG] 2.2.2.9
const OLE_METHOD: u64 = 6;

#[test]
fn every_attachment_is_a_file_of_its_own_in_table_order() {
    fn check(converter: &Converter, message: &Message, expected: &Json, place: &str) {
        let mut files = converter.attachments(message).into_iter().peekable();
        let all = expected["attachments"].as_array().unwrap();
        for attachment in message.attachments() {
            let expected = all
                .iter()
                .find(|expected| nid(expected) == attachment.nid())
                .unwrap();
            // Changed instances of a series are in its calendar.
            if expected["embedded"]["class"] == phrase::CHANGED_INSTANCE {
                continue;
            }
            let file = files
                .next()
                .unwrap_or_else(|| panic!("{place}: {expected} is missing"));
            assert!(
                !file.name.is_empty() && !file.name.contains(['/', '\\']),
                "{place}: {}",
                file.name
            );
            // What is taken out of an OLE object follows it under the same number.
            while let Some(within) = files.next_if(|next| next.nid == file.nid) {
                assert_eq!(expected["method"], OLE_METHOD, "{place}: {}", within.name);
            }
            match file.content {
                AttachmentContent::File(rendition) => {
                    let bytes = read_back::bytes(&rendition);
                    assert_eq!(
                        sha256(&bytes),
                        expected["sha256"].as_str().unwrap(),
                        "{place}: {}",
                        file.name
                    );
                }
                AttachmentContent::Message(message) => {
                    assert!(file.name.ends_with(".eml"), "{}", file.name);
                    check(converter, &message, &expected["embedded"], place);
                }
                AttachmentContent::Unreadable(error) => panic!("{place}: {}: {error}", file.name),
            }
        }
        assert_eq!(files.count(), 0, "{place}");
    }
    for file in corpus::files() {
        each_message(
            &file,
            Options::default(),
            |converter, message, expected, place| {
                check(converter, &message, expected, place);
            },
        );
    }
}

#[test]
fn without_attachments_a_message_keeps_what_its_body_shows() {
    let options = Options {
        attachments_in_message: false,
        ..Options::default()
    };
    let (mut left_out, mut kept) = (0, 0);
    for file in corpus::files() {
        let folder = tempfile::tempdir().unwrap();
        each_message(&file, options, |converter, message, _, place| {
            let bytes = read_back::bytes(&converter.render_mail(&message));
            let text = String::from_utf8_lossy(&bytes);
            let inline = text.matches("Content-Disposition: inline").count();
            let whole = Converter::new(Arc::clone(message.store()), Options::default());
            let whole = read_back::bytes(&whole.render_mail(&message));
            let whole = String::from_utf8_lossy(&whole);
            assert_eq!(
                inline,
                whole.matches("Content-Disposition: inline").count(),
                "{place}"
            );
            kept += inline;
            left_out += usize::from(text.contains("\nX-Ostfs-Attachments: "));
            std::fs::write(
                folder.path().join(format!("{:x}.eml", message.nid().0)),
                &bytes,
            )
            .unwrap();
        });
        for found in read_back::with_python(folder.path(), &[]).unwrap_or_default() {
            assert_eq!(faults(&found), [""; 0], "{}: {found}", file.display());
        }
    }
    assert!(
        corpus::files().is_empty() || (left_out > 50 && kept > 1000),
        "{left_out} {kept}"
    );
}

#[test]
fn a_message_that_cannot_be_opened_is_still_sound_mail() {
    let Some(file) = corpus::files().into_iter().next() else {
        return;
    };
    let store = Arc::new(Store::open(ostfs::ndb::open(&file, 16 << 20).unwrap()));
    let converter = Converter::new(Arc::clone(&store), Options::default());
    let nid = NodeId(0x7FFF_FFE4);
    let error = Message::open(&store, nid).unwrap_err();
    let rendition = converter.render(&Message::of_row(&store, nid, Vec::new()));
    let problems = rendition.problems().list();
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems, [NO_DATE.to_owned(), error.to_string()]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.eml"), read_back::bytes(&rendition)).unwrap();
    let Some(found) = read_back::with_python(folder.path(), &[]) else {
        return;
    };
    assert_eq!(faults(&found[0]), [""; 0]);
    assert!(
        found[0]["parts"][0]["text"]
            .as_str()
            .unwrap()
            .contains(&error.to_string())
    );
}

#[test]
fn hostile_files_are_rendered_without_harm() {
    for file in corpus::hostile() {
        let Ok(ndb) = ostfs::ndb::open(&file, 16 << 20) else {
            continue;
        };
        let store = Arc::new(Store::open(ndb));
        let converter = Converter::new(Arc::clone(&store), Options::default());
        for node in store.ndb().nodes().filter_map(Result::ok) {
            let rendition = match Message::open(&store, node.nid) {
                Ok(message) => converter.render_mail(&message),
                Err(_) => converter.render(&Message::of_row(&store, node.nid, Vec::new())),
            };
            assert!(!rendition.is_empty());
            let mut buffer = vec![0; 1 << 16];
            let _ = rendition.read_at(0, &mut buffer);
            let _ = rendition.read_at(rendition.len() / 2, &mut buffer);
        }
    }
}
