//! Images of nodes and blocks: the B-trees over them are made here, so that every mutation reaches a heap, a table or an
//! item.

use super::image::Image;
use super::scratch::Scratch;
use crate::support::format::decode;
use crate::support::ndb::{Ndb, NodeEntry};
use crate::support::{Layout, Options};

/// Kinds of records. Node: its NID, `bidData`, `bidSub`; payload is `nidParent`. Block: whether it is internal, and how
/// often its payload is repeated (0 is once); block number n, from 1, has the id 4n, or 4n + 2 if it is internal.
pub const NODE: u8 = 0;
pub const BLOCK: u8 = 1;
/// Files end about here.
const MOST_BYTES: usize = 4 << 20;

/// The file of `image`.
pub fn write(image: &Image) -> Scratch {
    let scratch = Scratch::new();
    let mut options = Options::new(image.format(), image.crypt());
    options.compress = image.chooses(15);
    options.round_up = false;
    let mut ndb = Ndb::create(&scratch.path, options).expect("created");
    let mut left = MOST_BYTES;
    for record in &image.records {
        let [first, second, third] = record.words;
        if record.kind % 2 == NODE {
            let parent = record.payload.first_chunk().copied().unwrap_or_default();
            ndb.used_nid(first);
            ndb.nbt.push(NodeEntry {
                nid: first,
                parent: u32::from_le_bytes(parent),
                data: second.into(),
                sub: third.into(),
            });
            continue;
        }
        let times = 1 + second as usize % 0x1_0000;
        let mut payload = record
            .payload
            .repeat(times.min(1 + ndb.geo.block_max / record.payload.len().max(1)));
        payload.resize(payload.len().clamp(1, ndb.geo.block_max), 0);
        left = left.saturating_sub(payload.len());
        if left == 0 {
            break;
        }
        let written = if first & 1 != 0 {
            ndb.internal_block(&payload)
        } else {
            ndb.data_block(&payload)
        };
        written.expect("written");
    }
    count_references(&mut ndb);
    ndb.finish().expect("finished");
    scratch
}

fn count_references(ndb: &mut Ndb) {
    for index in 0..ndb.nbt.len() {
        let NodeEntry { data, sub, .. } = ndb.nbt[index];
        for bid in [data, sub] {
            if let Some(entry) = (bid as usize / 4)
                .checked_sub(1)
                .and_then(|block| ndb.bbt.get_mut(block))
            {
                entry.refs = entry.refs.saturating_add(1);
            }
        }
    }
}

/// The image of a written file, whose blocks are not compressed.
pub fn read(path: &std::path::Path, layout: &Layout) -> Image {
    let Options { format, crypt, .. } = layout.options;
    let bytes = std::fs::read(path).expect("the file");
    let mut image = Image {
        head: Image::head_of(format, crypt),
        ..Image::default()
    };
    for (index, entry) in layout.blocks.iter().enumerate() {
        assert_eq!(entry.stored, entry.inflated);
        let bid = (index as u64 + 1) * 4;
        let at = entry.ib as usize;
        let mut payload = bytes[at..at + usize::from(entry.stored)].to_vec();
        if !entry.internal {
            decode(crypt, bid, &mut payload);
        }
        image.push(BLOCK, [entry.internal.into(), 0, 0], payload);
    }
    for node in &layout.nodes {
        let words = [node.nid, node.data as u32, node.sub as u32];
        image.push(NODE, words, node.parent.to_le_bytes());
    }
    image
}
