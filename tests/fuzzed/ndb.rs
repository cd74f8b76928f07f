//! Header, pages, blocks, nodes and data trees of all formats, with and without recovery.

use std::sync::Arc;

use ostfs::ndb::{self, Recover};
use ostfs::ndb::{DataTree, Node, NodeDatabase, read_block};

use super::image::Image;
use super::pages;

const CACHE: u64 = 1 << 20;
/// Entries of a tree that are looked at, and bytes that are read of all data.
const MOST_ENTRIES: usize = 500;
const MOST_BYTES: usize = 2 << 20;

pub fn run(data: &[u8]) {
    let image = Image::parse(data);
    let scratch = pages::write(&image);
    if let Ok(ndb) = NodeDatabase::open(&scratch.path, CACHE) {
        read(ndb);
    }
    for mode in [Recover::Off, Recover::Auto, Recover::Scan] {
        if let Ok(ndb) = ndb::open_with(&scratch.path, CACHE, mode, Arc::new(())) {
            read(ndb);
        }
    }
    if image.chooses(1) {
        _ = ostfs::check::check(&scratch.path, Arc::new(|_, _, _| {}));
    }
}

fn read(ndb: NodeDatabase) {
    let format = ndb.header().format;
    let ndb = Arc::new(ndb);
    for entry in ndb.blocks().take(MOST_ENTRIES).flatten() {
        let checksums = &ndb.header().checksums;
        if let Ok(strictly) = read_block(ndb.source(), format, checksums, entry) {
            assert_eq!(strictly.len(), usize::from(entry.inflated));
        }
        if let Ok(block) = ndb.block(entry.block.bid)
            && let Some(flaw) = block.flaw()
        {
            for gap in &flaw.missing {
                assert!(block[gap.clone()].iter().all(|byte| *byte == 0));
            }
        }
    }
    let mut left = MOST_BYTES;
    for entry in ndb.nodes().take(MOST_ENTRIES).flatten() {
        if let Ok(Some(found)) = ndb.find_node(entry.nid) {
            assert_eq!(found.nid, entry.nid);
        }
        if let Ok(node) = Node::open(&ndb, entry.nid) {
            _ = node.doubts();
            node_data(&node, &mut left, 0);
        }
    }
}

/// Data of a node and of some of its subnodes.
fn node_data(node: &Node, left: &mut usize, depth: usize) {
    if let Ok(tree) = node.data() {
        data_tree(&tree, left);
    }
    let Ok(subnodes) = node.subnodes() else {
        return;
    };
    for subnode in subnodes.iter().take(20) {
        // A part of their list that cannot be read may be where this one should be.
        if let Ok(Some(found)) = node.subnode(subnode.nid()) {
            assert_eq!(found.nid(), subnode.nid());
        }
        if depth < 3 {
            node_data(subnode, left, depth + 1);
        }
    }
}

fn data_tree(tree: &DataTree, left: &mut usize) {
    let length = usize::try_from(tree.len()).expect("64 bits");
    let wanted = length.min(*left).min(1 << 18);
    *left -= wanted;
    let mut whole = vec![0; wanted];
    if let Ok(count) = tree.read_at(0, &mut whole, &mut |_, _| {}) {
        assert_eq!(count, wanted);
        for at in (0..wanted).step_by(3_001) {
            let mut step = vec![0; 1_021.min(wanted - at)];
            let count = tree
                .read_at(at as u64, &mut step, &mut |_, _| {})
                .expect("it was read before");
            assert_eq!(count, step.len());
            assert!(step == whole[at..at + count], "two reads differ");
        }
    }
    let mut byte = [0];
    assert_eq!(
        tree.read_at(tree.len(), &mut byte, &mut |_, _| {})
            .expect("the end"),
        0
    );
    if let Ok(count) = tree.leaf_count() {
        assert!(tree.leaf(count).is_err());
        // One whose trailer and entry in the B-tree disagree has a flaw, and may be longer.
        let leaves = (0..count.min(50)).flat_map(|index| tree.leaf(index));
        let sound = leaves.filter(|leaf| leaf.flaw().is_none());
        let sizes: usize = sound.map(|leaf| leaf.len()).sum();
        assert!(count > 50 || sizes <= length);
    }
}
