//! Recovery of real files: damaged ones show at least what is asked of them, and what they show is byte for byte what
//! an independent reader found in the undamaged file.

use crate::corpus::{self, ANSI, ENRON, MEASURED, OST};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use ostfs::ltp::PropertyStream;
use ostfs::messaging::{AttachmentData, Message, NamedProperties, Store};
use ostfs::ndb::{Node, NodeId};
use ostfs::tree::{Ino, Kind, Options, Tree};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

/// What a file still gives.
#[derive(Debug, Default, PartialEq, Eq)]
struct Saved {
    /// Messages with a file in the tree, `lost+found` included.
    shown: usize,
    /// Of these, those that open and whose bodies and attachments all are what they were.
    whole: usize,
    /// Attachments with the right bytes.
    attachments: usize,
}

fn hash(stream: &PropertyStream) -> Option<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut at = 0;
    loop {
        match stream.read_at(at, &mut buffer).ok()? {
            0 => break,
            read => {
                hash.update(&buffer[..read]);
                at += read as u64;
            }
        }
    }
    let digest = hash.finalize();
    (at == stream.len()).then(|| digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Messages that the tree shows, from its real root.
fn shown(tree: &Tree) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut todo = vec![Ino::ROOT];
    let mut seen = BTreeSet::from([Ino::ROOT]);
    while let Some(ino) = todo.pop() {
        let Ok(listing) = tree.directory(ino) else {
            continue;
        };
        for entry in listing.entries() {
            if entry.kind == Kind::Directory && !entry.name.ends_with(".attachments") {
                assert!(seen.insert(entry.ino), "{} is there twice", entry.name);
                todo.push(entry.ino);
            }
            let nid = entry.ino.node().map_or(0, |nid| nid.0);
            if entry.kind == Kind::File && nid & 0x1F == 4 {
                assert!(found.insert(nid), "{} is there twice", entry.name);
            }
        }
    }
    found
}

/// Whether all bodies can be read as they were; those that are not are told.
fn bodies(message: &Message, expected: &Json) -> Option<()> {
    let mut whole = Some(());
    for (key, body) in expected["bodies"].as_object().unwrap() {
        let id = u16::from_str_radix(&key[..4], 16).unwrap();
        let stream = message.properties().stream(id).ok().flatten();
        match stream.and_then(|stream| hash(&stream)) {
            Some(hash) if hash == body["sha256"].as_str().unwrap() => {}
            Some(_) => {
                assert!(!message.problems().is_empty(), "{key}");
                whole = None;
            }
            None => whole = None,
        }
    }
    whole
}

/// Counts the right attachments of `message`; None when one of them, or a body, is not as it was. Bytes that are not are
/// told.
fn attachments(message: &Message, expected: &Json, right: &mut usize) -> Option<()> {
    let found = message.attachments();
    let mut whole = bodies(message, expected);
    for wanted in expected["attachments"].as_array().unwrap() {
        let nid = u32::from_str_radix(&wanted["nid"].as_str().unwrap()[2..], 16).unwrap();
        let data = found
            .iter()
            .find(|attachment| attachment.nid().0 == nid)
            .and_then(|attachment| attachment.data(&attachment.properties().ok()?).ok());
        let ok = match &data {
            Some(AttachmentData::Bytes(stream) | AttachmentData::Ole(stream)) => {
                let hash = hash(stream);
                let is_right = hash.as_deref() == wanted["sha256"].as_str();
                let is_told = hash.is_none() || !message.problems().is_empty();
                assert!(is_right || is_told, "{nid:#x}");
                is_right.then_some(())
            }
            Some(AttachmentData::Message(message)) => {
                attachments(message, &wanted["embedded"], right)
            }
            Some(AttachmentData::None) => wanted["kind"].is_null().then_some(()),
            None => None,
        };
        match ok {
            Some(()) => *right += 1,
            None => whole = None,
        }
    }
    whole
}

fn save(file: &Path, vector: &Json) -> Saved {
    let options = Options {
        all: true,
        ..Options::default()
    };
    let Ok(tree) = Tree::open(file, &options) else {
        return Saved::default();
    };
    let store: &Arc<Store> = tree.store();
    let shown = shown(&tree);
    let mut saved = Saved::default();
    for expected in vector["allMessages"].as_array().unwrap() {
        let nid = u32::from_str_radix(&expected["nid"].as_str().unwrap()[2..], 16).unwrap();
        if nid & 0x1F != 4 || !shown.contains(&nid) {
            continue;
        }
        saved.shown += 1;
        if let Ok(message) = Message::open(store, NodeId(nid)) {
            let whole = attachments(&message, expected, &mut saved.attachments);
            saved.whole += usize::from(whole.is_some());
        }
    }
    saved
}

/// What each kind of damage must leave: messages shown, and of these with all bodies and attachments as they were.
/// Where only a tree or the header is hit, everything. Elsewhere the counts are those of an independent reader of the
/// undamaged file: messages none of whose blocks are touched, and after a cut those that a leaf before the cut names.
fn least(name: &str, kind: &str) -> (usize, usize) {
    let all = match name {
        ENRON => 71,
        ANSI => 73,
        _ => 214,
    };
    match (name, kind) {
        (ENRON, "flip-data2pct") => (71, 57),
        (ENRON, "internal-garbage") => (71, 60),
        (ENRON, "random200") => (71, 54),
        (ENRON, "trunc50") => (50, 50),
        (ENRON, "trunc90") => (57, 57),
        (ANSI, "flip-data2pct") => (73, 44),
        (ANSI, "internal-garbage") => (73, 41),
        (ANSI, "random200") => (73, 3),
        (ANSI, "trunc50") => (27, 27),
        (ANSI, "trunc90") => (73, 65),
        (OST, "flip-data2pct") => (214, 206),
        (OST, "internal-garbage") => (214, 203),
        (OST, "random200") => (214, 204),
        _ => (all, all),
    }
}

#[test]
fn damaged_files_show_what_can_be_saved() {
    let mut too_few = Vec::new();
    for name in MEASURED {
        let Some((_scratch, damages)) = corpus::damaged(name) else {
            return;
        };
        let vector = corpus::vector(&corpus::file(name));
        for corpus::Damaged { kind, file, .. } in &damages {
            let saved = save(file, &vector);
            println!("{name} {kind}: {saved:?}");
            let (shown, whole) = least(name, kind);
            if saved.shown < shown || saved.whole < whole {
                too_few.push(format!(
                    "{name} {kind}: {saved:?}, expected {shown} messages, {whole} of them whole"
                ));
            }
        }
    }
    assert!(too_few.is_empty(), "{too_few:#?}");
}

#[test]
fn a_file_that_was_cut_off_shows_all_messages_before_the_cut() {
    let Some(corpus) = corpus::folder() else {
        return;
    };
    let file = corpus.join("files").join(ENRON);
    let vector = corpus::vector(&file);
    let bytes = std::fs::read(&file).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    for (percent, messages) in [(25, 50), (50, 50), (75, 51), (95, 67)] {
        let cut = scratch.path().join(format!("{percent}.pst"));
        std::fs::write(&cut, &bytes[..bytes.len() * percent / 100]).unwrap();
        let saved = save(&cut, &vector);
        assert!(
            saved.shown >= messages && saved.whole >= messages,
            "{percent} %: {saved:?}"
        );
    }
}

/// The block is compressed, so that all behind the bit is lost in it: the map of the heap, too.
#[test]
fn one_bit_in_the_heap_of_the_named_property_map_costs_no_name() {
    const NAMED_IDS: std::ops::RangeInclusive<u16> = 0x8000..=0xFFFF;
    let names = |path: &Path| {
        let ndb = Arc::new(ostfs::ndb::open(path, 1 << 20).unwrap());
        let node = Node::open(&ndb, NodeId::NAME_TO_ID_MAP).unwrap();
        let block = ndb.find_block(node.blocks().0).unwrap().unwrap();
        (NamedProperties::read(node).unwrap(), block)
    };
    let scratch = tempfile::tempdir().unwrap();
    for path in corpus::files() {
        if ![OST, "pstextractortest@outlook.com.ost"]
            .iter()
            .any(|name| path.ends_with(name))
        {
            continue;
        }
        let (whole, block) = names(&path);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[block.block.ib as usize + usize::from(block.stored) / 2] ^= 3;
        let damaged = scratch.path().join("damaged.ost");
        std::fs::write(&damaged, bytes).unwrap();
        let (left, _) = names(&damaged);
        assert!(whole.len() > 1_000);
        let lost = NAMED_IDS.filter(|id| whole.name(*id) != left.name(*id));
        assert_eq!(lost.count(), 0, "{}", path.display());
    }
}
