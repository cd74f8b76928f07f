//! Real files: everything is carried over, and other programs agree.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use ostfs::ltp::{TableContext, Value};
use ostfs::messaging::{Message, Store};
use ostfs::ndb::NodeType;

use crate::{copy, corpus, findings, mounted, programs};

/// The files in an export of `file`, without the lines that name nodes and what is made of nodes, by paths without nodes.
fn exported(file: &Path) -> BTreeMap<PathBuf, Vec<String>> {
    let scratch = tempfile::tempdir().unwrap();
    let target = scratch.path().join("tree");
    mounted::ostfs(&["export", file.to_str().unwrap(), target.to_str().unwrap()]);
    let mut files: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    let mut todo = vec![target.clone()];
    while let Some(directory) = todo.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
                continue;
            }
            let place = path.strip_prefix(&target).unwrap();
            if place == Path::new("ostfs-problems.txt") {
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            let text = String::from_utf8(bytes).map_or_else(
                |error| format!("{:?}", error.as_bytes()),
                |text| without_nodes(&text),
            );
            files.entry(without_number(place)).or_default().push(text);
        }
    }
    files.values_mut().for_each(|texts| texts.sort());
    files
}

/// `path` without ` ~` and the number of a node in the names of items with the same name.
fn without_number(path: &Path) -> PathBuf {
    let names = path.iter().map(|name| {
        let name = name.to_str().unwrap();
        let Some((stem, rest)) = name.rsplit_once(" ~") else {
            return name.to_owned();
        };
        let rest = rest.trim_start_matches(|character: char| character.is_ascii_hexdigit());
        format!("{stem}{rest}")
    });
    names.collect()
}

/// `text` without boundaries, message ids, UIDs and node numbers, which are made of nodes and search keys; without the times
/// of a 4K-page OST that only its rows have; and without addresses in properties that had no name, as they have one now.
fn without_nodes(text: &str) -> String {
    const NODES: [&str; 6] = [
        "X-Ostfs-Node:",
        "UID:ostfs-",
        "LAST-MODIFIED:",
        "REV:",
        "DTSTAMP:",
        "X-OSTFS-NAMELESS-ADDRESS:",
    ];
    let mut lines = Vec::new();
    let mut is_dropped = false;
    for line in text.lines() {
        let is_folded = line.starts_with(' ');
        is_dropped = match is_folded {
            true => is_dropped,
            false => NODES.iter().any(|node| line.starts_with(node)) || line.contains("=_ostfs_"),
        };
        if !is_dropped && !line.contains("=_ostfs_") && !line.contains("node 0x") {
            lines.push(line);
        }
    }
    lines.join("\n")
}

#[test]
fn every_real_file_becomes_a_pst_in_which_check_finds_nothing() {
    for file in corpus::files() {
        let copy = copy(&file, &[]);
        assert_eq!(findings(&copy.path), [""; 0], "{}", file.display());
    }
}

#[test]
fn an_export_of_the_pst_is_that_of_its_source() {
    for file in corpus::files() {
        let copy = copy(&file, &[]);
        let (old, new) = (exported(&file), exported(&copy.path));
        for (path, texts) in old {
            let place = match path.strip_prefix("lost+found") {
                Ok(rest) => Path::new("Lost and Found").join(rest),
                Err(_) => path,
            };
            let found = new.get(&place);
            assert!(
                found == Some(&texts),
                "{}: {}",
                file.display(),
                place.display()
            );
        }
    }
}

#[test]
fn a_pst_of_a_pst_of_a_pst_is_the_same_file() {
    for file in corpus::files() {
        let first = copy(&file, &[]);
        let second = copy(&first.path, &["--verify", "off"]);
        let third = copy(&second.path, &["--verify", "off"]);
        let same = fs::read(&second.path).unwrap() == fs::read(&third.path).unwrap();
        assert!(same, "{}", file.display());
    }
}

/// PidTagSearchKey, and PidTagConversationId, which only rows have.
const SEARCH_KEY: u16 = 0x300B;
const CONVERSATION_ID: u16 = 0x3013;

/// The conversations of the messages in `file` by their search keys, which copies of a message have in common.
fn conversations(file: &Path) -> BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>> {
    let store = Arc::new(Store::open(ostfs::ndb::open(file, 1 << 20).unwrap()));
    let nodes: Vec<_> = store.ndb().nodes().flatten().collect();
    let mut conversations: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for node in nodes.iter().filter(|node| node.nid.is_message()) {
        let own = || {
            let table = store.node(node.parent.with_type(NodeType::CONTENTS_TABLE));
            let table = TableContext::open(table.ok()?).ok()?;
            let number = table.row_number(node.nid.0).ok()??;
            let row = table.row(node.nid.0, number).ok()?;
            row.get(CONVERSATION_ID).ok()?
        };
        let key = || {
            let message = Message::open(&store, node.nid).ok()?;
            message.properties().binary(SEARCH_KEY).ok()?
        };
        let Some(key) = key() else {
            continue;
        };
        let all = conversations.entry(key).or_default();
        if let Some(Value::Binary(conversation)) = own() {
            all.insert(conversation);
        }
    }
    conversations
}

#[test]
fn messages_are_in_the_conversations_that_outlook_has_put_them_in() {
    let mut compared = 0;
    for file in corpus::files() {
        let mut expected = conversations(&file);
        // Versions of Outlook before 2010 have none.
        expected.retain(|_, conversations| !conversations.is_empty());
        if expected.is_empty() {
            continue;
        }
        let found = conversations(&copy(&file, &["--verify", "off"]).path);
        for (key, expected) in &expected {
            // Folders outside of the mailbox are left out.
            if let Some(found) = found.get(key) {
                let is_right = !found.is_empty() && found.is_subset(expected);
                assert!(is_right, "{}: {key:x?}", file.display());
                compared += 1;
            }
        }
    }
    assert!(compared > 100 || corpus::files().is_empty(), "{compared}");
}

/// An empty PST that Outlook has made, and the nodes of it that are not the same in a copy.
const EMPTY: &str = "ms-Empty.pst";
/// Indexes of all messages and queues of search folders, which Outlook makes when they are not there; a search folder, the
/// list of active ones, and the row of it.
const LEFT_OUT: [u32; 7] = [0xE01, 0xEE1, 0xF01, 0x2223, 0x2226, 0x2227, 0x2230];
/// Store and name map: keys, the build of Outlook, names that nothing uses. Tables with the number of a row in a store, or with
/// columns that Outlook has added. A comment without text.
const OTHERS: [u32; 11] = [
    0x21, 0x61, 0x12D, 0x12F, 0x201, 0x62B, 0x802D, 0x802E, 0x804D, 0x8082, 0x808F,
];

/// Parent, data and subnodes of all nodes in `file`.
fn nodes(file: &Path) -> BTreeMap<u32, (u32, Vec<u8>, usize)> {
    let ndb = ostfs::ndb::open(file, 1 << 20).unwrap();
    let store = Arc::new(ostfs::messaging::Store::open(ndb));
    let entries: Vec<_> = store.ndb().nodes().map(Result::unwrap).collect();
    let each = entries.iter().map(|entry| {
        let node = store.node(entry.nid).unwrap();
        let mut bytes = Vec::new();
        if !entry.data.is_none() {
            let data = node.data().unwrap();
            bytes.resize(data.len() as usize, 0);
            let read = data
                .read_at(0, &mut bytes, &mut |_, flaw| panic!("{flaw:?}"))
                .unwrap();
            assert_eq!(read, bytes.len());
        }
        let below = node.subnodes().unwrap().len();
        (entry.nid.0, (entry.parent.0, bytes, below))
    });
    each.collect()
}

#[test]
fn an_empty_pst_of_outlook_is_the_same_node_by_node_but_for_what_is_its_own() {
    let Some(file) = corpus::files()
        .into_iter()
        .find(|file| file.ends_with(EMPTY))
    else {
        return;
    };
    let copy = copy(&file, &[]);
    let (mut old, mut new) = (nodes(&file), nodes(&copy.path));
    old.retain(|nid, _| !LEFT_OUT.contains(nid));
    let ids = |nodes: &BTreeMap<u32, _>| nodes.keys().copied().collect::<Vec<u32>>();
    assert_eq!(ids(&old), ids(&new));
    for nid in OTHERS {
        let (old, new) = (old.remove(&nid).unwrap(), new.remove(&nid).unwrap());
        assert_ne!(old, new, "{nid:#x} is the same, and need not be named");
        assert_eq!(old.0, new.0, "the parent of {nid:#x}");
    }
    assert!(new.len() > 25, "{}", new.len());
    for (nid, node) in &old {
        assert_eq!(Some(node), new.get(nid), "{nid:#x}");
    }
}

/// By a reader that shares no code with ostfs; what may differ is read out of docs/PST-OUT.md.
#[test]
fn an_independent_reader_finds_every_property_but_those_that_the_document_names() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Some(reader) = corpus::tool("reference_reader.py") else {
        return;
    };
    let tools = reader.parent().unwrap().to_path_buf();
    for file in corpus::files() {
        let copy = copy(&file, &[]);
        let output = Command::new("python3")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .arg(here.join("tests/judges/pst_properties.py"))
            .args([&tools, &here.join("docs/PST-OUT.md"), &file, &copy.path])
            .output()
            .unwrap();
        let (said, errors) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(output.status.success(), "{}: {errors}", file.display());
        assert_eq!(said, "", "{}", file.display());
    }
}

/// Lines that lspst prints of the items of `file`, but for hidden ones, which it prints without a word and a copy leaves out.
/// None where it fails, as it does on some files of Outlook that have no items.
fn lspst(file: &Path) -> Option<usize> {
    let output = Command::new("lspst").arg(file).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().map(str::trim_end);
    let items = lines.filter(|line| !line.starts_with("Folder") && *line != "Email");
    output.status.success().then(|| items.count())
}

#[test]
fn lspst_lists_as_many_items_as_of_the_source() {
    if !programs::installed(&["lspst"]) {
        return;
    }
    for file in corpus::files() {
        let Some(expected) = lspst(&file) else {
            continue;
        };
        let copy = copy(&file, &[]);
        let found = lspst(&copy.path);
        assert!(found >= Some(expected), "{}: {found:?}", file.display());
    }
}

#[test]
fn pffexport_takes_every_item_out() {
    if !programs::installed(&["pffexport"]) {
        return;
    }
    for file in corpus::files() {
        let scratch = tempfile::tempdir().unwrap();
        let target = scratch.path().join("items");
        let copy = copy(&file, &[]);
        let (target, path) = (target.to_str().unwrap(), copy.path.to_str().unwrap());
        let said = mounted::run("pffexport", &["-m", "items", "-t", target, path]);
        assert!(
            said.contains("Export completed"),
            "{}: {said}",
            file.display()
        );
    }
}

#[test]
fn other_programs_open_it_and_find_no_fault() {
    if !programs::installed(&["readpst", "pffinfo"]) {
        return;
    }
    for file in corpus::files() {
        let copy = copy(&file, &[]);
        let path = copy.path.to_str().unwrap();
        let mail = tempfile::tempdir().unwrap();
        mounted::run(
            "readpst",
            &["-q", "-D", "-o", mail.path().to_str().unwrap(), path],
        );
        let said = mounted::run("pffinfo", &[path]);
        assert!(
            !said.to_lowercase().contains("corrupt"),
            "{}: {said}",
            file.display()
        );
    }
}
