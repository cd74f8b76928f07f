//! The named property map: every name is within its streams, has an id of its own, and stands in its hash bucket.
//! [MS-PST] 2.4.7

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Checker;
use crate::bytes::{u16_at, u32_at};
use crate::error::Result;
use crate::ltp::{PropertyContext, Value};
use crate::messaging::Store;
use crate::ndb::NodeId;
use crate::ndb::crc::crc;

/// Properties of the map: the number of buckets, the streams, and the first bucket.
const BUCKET_COUNT: u16 = 0x0001;
const GUID_STREAM: u16 = 0x0002;
const ENTRY_STREAM: u16 = 0x0003;
const STRING_STREAM: u16 = 0x0004;
const FIRST_BUCKET: u16 = 0x1000;
/// NAMEID: id or offset or hash, `wGuid` with the kind in bit 0, property index.
const ENTRY_SIZE: usize = 8;
const GUID_SIZE: usize = 16;
/// `wGuid` without its low bit: where the GUID stream starts.
const GUID_STREAM_START: usize = 3;
/// Property ids have 15 bits, so no stream is longer.
const MAX_STREAM: usize = 16 << 20;

const STRUCTURE: &str = "named property map";

/// Checks the map, if there is one that can be opened; that there is none is said elsewhere.
pub(super) fn check(store: &Arc<Store>, checker: &mut Checker) {
    let node = NodeId::NAME_TO_ID_MAP;
    let Ok(context) = store.node(node).and_then(PropertyContext::open) else {
        return;
    };
    if let Err(error) = entries(&context, checker) {
        checker.unreadable(&error, Some(node));
    }
}

fn stream(context: &PropertyContext, id: u16) -> Result<Vec<u8>> {
    match context.stream(id)? {
        Some(stream) => stream.read_all(MAX_STREAM),
        None => Ok(Vec::new()),
    }
}

fn entries(context: &PropertyContext, checker: &mut Checker) -> Result<()> {
    let guids = stream(context, GUID_STREAM)?;
    let strings = stream(context, STRING_STREAM)?;
    let count = match context.get(BUCKET_COUNT)? {
        Some(Value::Integer(count)) => u32::try_from(count).unwrap_or(0),
        _ => 0,
    };
    let mut buckets: HashMap<u32, HashSet<Vec<u8>>> = HashMap::new();
    let mut ids = HashSet::new();
    let node = Some(NodeId::NAME_TO_ID_MAP);
    for (number, entry) in stream(context, ENTRY_STREAM)?
        .chunks_exact(ENTRY_SIZE)
        .enumerate()
    {
        let (Some(value), Some(guid), Some(index)) =
            (u32_at(entry, 0), u16_at(entry, 4), u16_at(entry, 6))
        else {
            break;
        };
        let place = format!("entry {number}");
        if !ids.insert(index) {
            let problem = format!("wPropIdx {index:#x}: there twice");
            checker.warning(STRUCTURE, &place, problem, node);
        }
        let set = usize::from(guid >> 1);
        if set >= GUID_STREAM_START && (set - GUID_STREAM_START + 1) * GUID_SIZE > guids.len() {
            let problem = format!("wGuid {guid:#x}: beyond the GUID stream");
            checker.error(STRUCTURE, &place, problem, node);
        }
        let is_string = guid & 1 != 0;
        let hash = if is_string {
            let Some(text) = string(&strings, value) else {
                let problem = format!("the string at {value:#x} does not lie within its stream");
                checker.error(STRUCTURE, &place, problem, node);
                continue;
            };
            crc(text)
        } else {
            value
        };
        let Some(bucket) = (hash ^ u32::from(guid)).checked_rem(count) else {
            continue;
        };
        if let std::collections::hash_map::Entry::Vacant(vacant) = buckets.entry(bucket) {
            let id = u16::try_from(bucket)
                .map_or(u16::MAX, |bucket| FIRST_BUCKET.saturating_add(bucket));
            let bytes = stream(context, id)?;
            let listed = bytes.chunks_exact(ENTRY_SIZE).map(<[u8]>::to_vec);
            vacant.insert(listed.collect());
        }
        let mut wanted = hash.to_le_bytes().to_vec();
        wanted.extend(guid.to_le_bytes());
        wanted.extend(index.to_le_bytes());
        if !buckets
            .get(&bucket)
            .is_some_and(|listed| listed.contains(&wanted))
        {
            let problem = format!("hash bucket {bucket} does not have it");
            checker.warning(STRUCTURE, &place, problem, node);
        }
    }
    Ok(())
}

/// The UTF-16 bytes of the string at byte `at` of the string stream.
fn string(strings: &[u8], at: u32) -> Option<&[u8]> {
    let at = at as usize;
    let length = u32_at(strings, at)? as usize;
    let start = at.checked_add(4)?;
    strings.get(start..start.checked_add(length)?)
}
