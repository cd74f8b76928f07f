//! Tells what a data file holds, for scripts/differential to compare with what other readers find: for each path on standard
//! input a line of JSON, with a hash of each property and attachment of each message, and with all that the reader says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, Write};
use std::path::Path;

use ostfs::ltp::{PropertyRecord, PropertyStream, PropertyType};
use ostfs::messaging::{AttachmentData, Message};
use ostfs::tree::{Ino, Kind, Options, Tree};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Properties below have the same id in every file.
const FIRST_NAMED: u16 = 0x8000;
/// Digits of a hash: enough to tell values apart.
const DIGITS: usize = 16;
/// What the name of a directory with the attachments of an item ends in.
const ATTACHMENTS: &str = ".attachments";

/// What a file holds.
#[derive(Default, Serialize)]
struct Found {
    /// Why it cannot be opened.
    error: Option<String>,
    /// By node.
    items: BTreeMap<u32, Item>,
    /// Lines of `problems.txt`.
    problems: u64,
}

#[derive(Default, Serialize)]
struct Item {
    /// Hashes of values, by id and type.
    properties: BTreeMap<String, String>,
    /// Hashes of what attachments hold.
    attachments: BTreeSet<String>,
    /// Whether the reader says that something may be wrong with it, or be missing.
    told: bool,
}

fn main() {
    let mut out = std::io::stdout().lock();
    for path in std::io::stdin().lock().lines() {
        let path = path.expect("a path");
        let line = serde_json::to_string(&of_file(path.as_ref())).expect("plain values");
        // Whoever asked is gone: nothing is left to do.
        if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

fn of_file(path: &Path) -> Found {
    let options = Options {
        all: true,
        ..Options::default()
    };
    match Tree::open(path, &options) {
        Ok(tree) => of_tree(&tree),
        Err(error) => Found {
            error: Some(error.to_string()),
            ..Found::default()
        },
    }
}

fn of_tree(tree: &Tree) -> Found {
    let mut found = Found::default();
    let mut todo = vec![Ino::ROOT];
    let mut seen = BTreeSet::new();
    while let Some(ino) = todo.pop() {
        if !seen.insert(ino) {
            continue;
        }
        let Ok(listing) = tree.directory(ino) else {
            continue;
        };
        for entry in listing.entries() {
            match entry.kind {
                Kind::Directory if !entry.name.ends_with(ATTACHMENTS) => todo.push(entry.ino),
                Kind::File => {
                    if let (Some(nid), Ok(message)) = (entry.ino.node(), tree.message(entry.ino)) {
                        found
                            .items
                            .entry(nid.0)
                            .or_insert_with(|| of_message(&message));
                    }
                }
                _ => {}
            }
        }
    }
    found.problems = tree.problem_count();
    found
}

fn of_message(message: &Message) -> Item {
    let mut item = Item::default();
    if let Some(context) = message.properties().context() {
        for record in context
            .records()
            .iter()
            .filter(|record| record.id < FIRST_NAMED)
        {
            let value = match inline(record) {
                Some(value) => Some(hash_of(&value)),
                None => context
                    .stream(record.id)
                    .ok()
                    .flatten()
                    .and_then(|stream| hash(&stream)),
            };
            let name = format!("{:04x}{:04x}", record.id, record.property_type.0);
            match value {
                Some(value) => _ = item.properties.insert(name, value),
                None => item.told = true,
            }
        }
    }
    for attachment in message.attachments() {
        let data = attachment
            .properties()
            .and_then(|properties| attachment.data(&properties));
        match data {
            Ok(AttachmentData::Bytes(stream)) => match hash(&stream) {
                Some(hash) => _ = item.attachments.insert(hash),
                None => item.told = true,
            },
            Ok(_) => {}
            Err(_) => item.told = true,
        }
    }
    item.told |= !message.problems().is_empty()
        || !message.doubts().is_empty()
        || message.problem().is_some();
    item
}

/// The bytes of a value in a record: as many as its type has, and of a truth value whether it is one.
fn inline(record: &PropertyRecord) -> Option<Vec<u8>> {
    let value = record.inline()?.to_le_bytes();
    Some(match record.property_type {
        PropertyType::BOOLEAN => vec![u8::from(value[0] != 0)],
        PropertyType::INTEGER16 => value[..2].to_vec(),
        _ => value.to_vec(),
    })
}

fn hash(stream: &PropertyStream) -> Option<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut at = 0;
    while at < stream.len() {
        match stream.read_at(at, &mut buffer).ok()? {
            0 => return None,
            read => {
                hash.update(&buffer[..read]);
                at += read as u64;
            }
        }
    }
    Some(digits(hash))
}

fn hash_of(bytes: &[u8]) -> String {
    digits(Sha256::new().chain_update(bytes))
}

fn digits(hash: Sha256) -> String {
    let all: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    all[..DIGITS].to_owned()
}
