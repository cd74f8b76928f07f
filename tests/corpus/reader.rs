//! The reader against real files: counts and hashes of everything equal what an independent reader found.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::corpus;
use ostfs::ltp::{PropertyStream, tags};
use ostfs::messaging::{Attachment, AttachmentData, Folder, Message, Store};
use ostfs::ndb::{NodeId, NodeType};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

fn sha256(stream: &PropertyStream) -> (u64, String) {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 10_000];
    let mut at = 0;
    loop {
        let read = stream.read_at(at, &mut buffer).expect("readable value");
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
        at += read as u64;
    }
    let hex: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    (at, hex)
}

fn check_message(message: &Message, expected: &Json, place: &str) {
    let properties = message.properties();
    // The independent reader counts the zero-filled records that some writers leave as one property.
    let count = properties.ids().count() as u64;
    let expected_count = expected["nprops"].as_u64().unwrap();
    assert!(
        (expected_count - 1..=expected_count).contains(&count),
        "{place}: {count} properties, expected {expected_count}"
    );
    for (key, body) in expected["bodies"].as_object().unwrap() {
        let id = u16::from_str_radix(&key[..4], 16).unwrap();
        let stream = properties.stream(id).unwrap().unwrap();
        let (length, hash) = sha256(&stream);
        assert_eq!(
            (length, stream.len()),
            (body["len"].as_u64().unwrap(), length),
            "{place}: {key}"
        );
        assert_eq!(hash, body["sha256"].as_str().unwrap(), "{place}: {key}");
    }
    let subject = message
        .subject()
        .unwrap()
        .map(|subject| subject.text)
        .unwrap_or_default();
    let expected_subject = expected["subject"]
        .as_str()
        .unwrap_or_default()
        .trim_end_matches('\0');
    assert_eq!(subject, expected_subject, "{place}");
    let recipients = message.recipients();
    let expected_recipients = expected["recipients"].as_array().unwrap();
    assert_eq!(
        recipients.len(),
        expected_recipients.len(),
        "{place}: recipients"
    );
    for (found, expected) in recipients.iter().zip(expected_recipients) {
        let name = found.string(tags::DISPLAY_NAME).unwrap_or_default();
        assert_eq!(
            name,
            expected["name"]
                .as_str()
                .unwrap_or_default()
                .trim_end_matches('\0'),
            "{place}"
        );
        let address = found.string(tags::SMTP_ADDRESS).unwrap_or_default();
        assert_eq!(
            address,
            expected["smtp"]
                .as_str()
                .unwrap_or_default()
                .trim_end_matches('\0'),
            "{place}"
        );
        let kind = found.integer(tags::RECIPIENT_TYPE);
        assert_eq!(kind.map(i64::from), expected["type"].as_i64(), "{place}");
    }
    let attachments = message.attachments();
    let expected_attachments = expected["attachments"].as_array().unwrap();
    assert_eq!(
        attachments.len(),
        expected_attachments.len(),
        "{place}: attachments"
    );
    let by_nid: BTreeMap<String, &Attachment> = attachments
        .iter()
        .map(|attachment| (format!("{:#x}", attachment.nid().0), attachment))
        .collect();
    for expected in expected_attachments {
        let nid = expected["nid"].as_str().unwrap();
        let place = format!("{place}, attachment {nid}");
        let attachment = by_nid[nid];
        let properties = attachment.properties().unwrap();
        match (
            expected["kind"].as_str(),
            attachment.data(&properties).unwrap(),
        ) {
            (Some("data"), AttachmentData::Bytes(stream))
            | (Some("ole"), AttachmentData::Ole(stream)) => {
                let (length, hash) = sha256(&stream);
                assert_eq!(
                    (length, stream.len()),
                    (expected["len"].as_u64().unwrap(), length),
                    "{place}"
                );
                assert_eq!(hash, expected["sha256"].as_str().unwrap(), "{place}");
            }
            (Some("msg"), AttachmentData::Message(message)) => {
                check_message(&message, &expected["embedded"], &place)
            }
            (None, AttachmentData::None) => {}
            (kind, data) => panic!("{place}: expected {kind:?}, found {data:?}"),
        }
    }
    assert_eq!(message.problems().list(), [], "{place}");
}

#[test]
fn every_message_of_the_corpus_is_byte_for_byte_what_an_independent_reader_found() {
    let (mut messages, mut files) = (0, 0);
    for file in corpus::files() {
        let vector = corpus::vector(&file);
        let name = vector["file"].as_str().unwrap();
        let store = Arc::new(Store::open(ostfs::ndb::open(&file, 16 << 20).unwrap()));
        let nodes: Vec<_> = store.ndb().nodes().collect::<Result<_, _>>().unwrap();
        assert_eq!(
            nodes.len() as u64,
            vector["nbtEntries"].as_u64().unwrap(),
            "{name}: nodes"
        );
        let blocks = store.ndb().blocks().filter(|block| block.is_ok()).count();
        assert_eq!(
            blocks as u64,
            vector["bbtEntries"].as_u64().unwrap(),
            "{name}: blocks"
        );
        assert_eq!(
            store.named_properties().len() as u64,
            vector["namedProps"].as_u64().unwrap(),
            "{name}: named properties"
        );
        for expected in vector["allMessages"].as_array().unwrap() {
            let nid = u32::from_str_radix(&expected["nid"].as_str().unwrap()[2..], 16).unwrap();
            let place = format!("{name}, message {nid:#x}");
            let message = Message::open(&store, NodeId(nid))
                .unwrap_or_else(|error| panic!("{place}: {error}"));
            check_message(&message, expected, &place);
            messages += 1;
        }
        files += 1;
    }
    println!("{messages} messages of {files} files");
}

#[test]
fn every_folder_of_the_corpus_has_the_name_and_the_rows_that_an_independent_reader_found() {
    for file in corpus::files() {
        let vector = corpus::vector(&file);
        let store = Arc::new(Store::open(ostfs::ndb::open(&file, 16 << 20).unwrap()));
        let mut found = BTreeMap::new();
        let mut todo = vec![NodeId::ROOT_FOLDER];
        while let Some(nid) = todo.pop() {
            let folder = Folder::new(&store, nid);
            let name = folder
                .properties()
                .unwrap()
                .string(tags::DISPLAY_NAME)
                .unwrap();
            let (contents, associated) = (folder.contents(), folder.associated_contents());
            todo.extend(folder.subfolders().iter().map(|child| child.nid));
            for problems in [
                folder.problems(),
                contents.problems(),
                associated.problems(),
            ] {
                assert_eq!(problems.list(), [], "{}, {nid}", file.display());
            }
            found.insert(nid.0, (name, contents.len(), associated.len()));
        }
        let expected: BTreeMap<_, _> = vector["folders"]
            .as_array()
            .unwrap()
            .iter()
            .map(|folder| {
                let nid = u32::from_str_radix(&folder["nid"].as_str().unwrap()[2..], 16).unwrap();
                let name = folder["name"]
                    .as_str()
                    .filter(|name| !name.is_empty())
                    .map(str::to_owned);
                let count = |key: &str| folder[key].as_u64().unwrap_or(0) as usize;
                (nid, (name, count("rows"), count("faiRows")))
            })
            .collect();
        assert_eq!(found, expected, "{}", file.display());
        let subtree = store.ipm_subtree();
        assert!(subtree.node_type() == NodeType::NORMAL_FOLDER && found.contains_key(&subtree.0));
    }
}
