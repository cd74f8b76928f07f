//! What only an OST has: the maps from server ids to nodes. Not documented; as seen in real files.
use std::io::Result;

use super::ltp::{CLIENT_MAP, Heap, bth_heap};
use super::ndb::Ndb;

/// UID of the store in entry ids (0x6615).
pub const STORE_GUID: [u8; 16] = *b"ostfs-store-uid\0";
/// GUID of the replica whose ids all objects carry, and its number in the map 0x801.
pub const REPLICA_GUID: [u8; 16] = *b"ostfs-replica-id";
const REPLICA: u16 = 1;

const NID_REPLICAS: u32 = 0x801;
const NID_FOLDER_IDS: u32 = 0x821;
const TYPE_MESSAGE_IDS: u32 = 0x14;
const TYPE_ASSOCIATED_IDS: u32 = 0x15;
const CLIENT_REPLICAS: u8 = 0x6C;

/// The 6-byte counter of a server id; here the node's own index.
fn counter(nid: u32) -> [u8; 6] {
    let [a, b, c, d] = (nid >> 5).to_be_bytes();
    [0, 0, a, b, c, d]
}

/// Replica number and counter: the key of the maps, bytewise ordered.
fn key(nid: u32) -> [u8; 8] {
    let [lo, hi] = REPLICA.to_le_bytes();
    let c = counter(nid);
    [lo, hi, c[0], c[1], c[2], c[3], c[4], c[5]]
}

/// Property 0x67F4 of an object.
pub fn short_id(nid: u32) -> i64 {
    i64::from_le_bytes(key(nid))
}

/// The 46-byte entry id of a folder.
pub fn folder_entry_id(nid: u32) -> Vec<u8> {
    let mut id = vec![0; 4];
    id.extend(STORE_GUID);
    id.extend(1u16.to_le_bytes());
    id.extend(REPLICA_GUID);
    id.extend(counter(nid));
    id.extend([0, 0]);
    id
}

/// Writes the replica map, the folder map and each folder's message maps from the NBT.
pub fn write_maps(ndb: &mut Ndb) -> Result<()> {
    let mut heap = Heap::new(CLIENT_REPLICAS);
    let root = heap.add(ndb, &[0; 8])?;
    let header = heap.add(ndb, &[0; 8])?;
    let guids = heap.add(ndb, &REPLICA_GUID)?;
    heap.patch(root, &[header.to_le_bytes(), guids.to_le_bytes()].concat());
    let record = [&REPLICA_GUID[..], &REPLICA.to_le_bytes()[..]].concat();
    let data = bth_heap(ndb, heap, (16, 2), &record, header, root)?;
    ndb.node(NID_REPLICAS, data, 0, 0);

    let of_type = |ndb: &Ndb, kind: u32| -> Vec<(u32, u32)> {
        let nodes = ndb.nbt.iter().filter(|n| n.nid & 31 == kind);
        nodes.map(|n| (n.nid, n.parent)).collect()
    };
    let folders: Vec<u32> = of_type(ndb, 2).into_iter().map(|n| n.0).collect();
    let data = id_map(ndb, &folders)?;
    ndb.node(NID_FOLDER_IDS, data, 0, 0);
    for (kind, map) in [(4, TYPE_MESSAGE_IDS), (8, TYPE_ASSOCIATED_IDS)] {
        let mut items = of_type(ndb, kind);
        items.sort_by_key(|&(nid, parent)| (parent, nid));
        let empty = id_map(ndb, &[])?;
        for &folder in &folders {
            let start = items.partition_point(|i| i.1 < folder);
            let end = items.partition_point(|i| i.1 <= folder);
            let own: Vec<u32> = items[start..end].iter().map(|i| i.0).collect();
            let data = if own.is_empty() {
                empty
            } else {
                id_map(ndb, &own)?
            };
            ndb.node(folder & !31 | map, data, 0, 0);
        }
    }
    Ok(())
}

/// A map from server ids to node indexes (NIDs without their type).
fn id_map(ndb: &mut Ndb, nids: &[u32]) -> Result<u64> {
    let mut sorted: Vec<u32> = nids.to_vec();
    sorted.sort_by_key(|&nid| key(nid));
    let mut records = Vec::with_capacity(12 * nids.len());
    for nid in sorted {
        records.extend(key(nid));
        records.extend((nid & !31).to_le_bytes());
    }
    let mut heap = Heap::new(CLIENT_MAP);
    let header = heap.add(ndb, &[0; 8])?;
    bth_heap(ndb, heap, (8, 4), &records, header, header)
}
