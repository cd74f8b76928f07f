//! Which items are the same: the recipe of the content hash, `diff`, `export --dedupe` and `--only-in`.

#[path = "../helpers/corpus.rs"]
mod corpus;
#[path = "../helpers/mailbox.rs"]
mod mailbox;
#[path = "../helpers/mounted.rs"]
mod mounted;
#[path = "../helpers/needs.rs"]
mod needs;
#[path = "../helpers/programs.rs"]
mod programs;
#[path = "../support/mod.rs"]
mod support;
#[path = "../helpers/walk.rs"]
mod walk;

mod dedupe;
mod diff;
mod recipe;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use ostfs::convert::{Hashes, ItemFields};
use ostfs::messaging::{Message, Store};
use ostfs::ndb::{NodeId, NodeType};

/// The hashes of all messages of the live file, by node; without those that are in no folder.
fn hashes_of(path: &Path) -> BTreeMap<u32, Hashes> {
    let ndb = ostfs::ndb::open(path, 8 << 20).unwrap();
    let nids: Vec<NodeId> = ndb
        .nodes()
        .map(|entry| entry.unwrap().nid)
        .filter(|nid| nid.node_type() == NodeType::NORMAL_MESSAGE)
        .collect();
    let store = Arc::new(Store::open(ndb));
    let hashes = |nid: NodeId| {
        let message = Message::open(&store, nid).ok()?;
        Some((nid.0, ItemFields::of(&message).hashes()))
    };
    nids.into_iter().filter_map(hashes).collect()
}

/// Runs ostfs; it has to end with `code`.
fn run(arguments: &[&str], code: i32) -> String {
    let output = mounted::ostfs(arguments);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}: {output:?}"
    );
    said(&output)
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
