//! The named property map: every name is within its streams, has an id of its own, and stands in its hash bucket.
//! [MS-PST] 2.4.7

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::checker::Checker;
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
/// Bytes of all hash buckets together at the most: so many, and so many times those of the entries.
const BUCKETS_LEAST: usize = 64 << 10;
const BUCKETS_TIMES: usize = 8;
/// How often the string stream may be in the names.
const STRINGS_TIMES: usize = 4;
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
    let before = checker.report.errors;
    if let Err(error) = entries(&context, checker) {
        checker.unreadable(&error, Some(node));
    }
    // What the names of items say of it is said here as well.
    if checker.report.errors == before
        && let Some(problem) = store.names_problem()
    {
        checker.error(STRUCTURE, node, &problem.text, Some(node));
    }
}

fn stream(context: &PropertyContext, id: u16) -> Result<Vec<u8>> {
    match context.stream(id)? {
        Some(stream) => Ok(stream.read_all(MAX_STREAM)?.bytes),
        None => Ok(Vec::new()),
    }
}

/// The hash buckets, each read once, of which all together may have so many bytes.
struct Buckets<'a> {
    context: &'a PropertyContext,
    count: u32,
    read: HashMap<u32, HashSet<[u8; ENTRY_SIZE]>>,
    left: usize,
}

impl<'a> Buckets<'a> {
    /// Those of a map with `entries` bytes of entries.
    fn of(context: &'a PropertyContext, entries: usize) -> Result<Self> {
        let count = match context.get(BUCKET_COUNT)? {
            Some(Value::Integer(count)) => u32::try_from(count).unwrap_or(0),
            _ => 0,
        };
        Ok(Self {
            context,
            count,
            read: HashMap::new(),
            // Each entry is in one bucket, and some are still there that were removed.
            left: BUCKETS_LEAST + entries.saturating_mul(BUCKETS_TIMES),
        })
    }

    /// The bucket of a name with this hash and `wGuid`; None if there are none.
    fn number(&self, hash: u32, guid: u16) -> Option<u32> {
        (hash ^ u32::from(guid)).checked_rem(self.count)
    }

    /// Whether `bucket` has `entry`; None if the buckets have too much.
    fn have(&mut self, bucket: u32, entry: &[u8; ENTRY_SIZE]) -> Result<Option<bool>> {
        if let Entry::Vacant(vacant) = self.read.entry(bucket) {
            let id = u16::try_from(bucket)
                .map_or(u16::MAX, |bucket| FIRST_BUCKET.saturating_add(bucket));
            let bytes = stream(self.context, id)?;
            let Some(left) = self.left.checked_sub(bytes.len()) else {
                return Ok(None);
            };
            self.left = left;
            vacant.insert(bytes.as_chunks().0.iter().copied().collect());
        }
        let listed = self.read.get(&bucket);
        Ok(Some(listed.is_some_and(|listed| listed.contains(entry))))
    }
}

fn entries(context: &PropertyContext, checker: &mut Checker) -> Result<()> {
    let guids = stream(context, GUID_STREAM)?;
    let strings = stream(context, STRING_STREAM)?;
    let entries = stream(context, ENTRY_STREAM)?;
    let mut buckets = Buckets::of(context, entries.len())?;
    // Each string has one name as a rule.
    let mut text_left = strings.len().saturating_mul(STRINGS_TIMES);
    let mut ids = HashSet::new();
    let node = Some(NodeId::NAME_TO_ID_MAP);
    for (number, entry) in entries.chunks_exact(ENTRY_SIZE).enumerate() {
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
            let Some(rest) = text_left.checked_sub(text.len()) else {
                let problem = "the names have far more text than their stream";
                checker.error(STRUCTURE, &place, problem, node);
                return Ok(());
            };
            text_left = rest;
            crc(text)
        } else {
            value
        };
        let Some(bucket) = buckets.number(hash, guid) else {
            continue;
        };
        let wanted = u64::from(hash) | u64::from(guid) << 32 | u64::from(index) << 48;
        match buckets.have(bucket, &wanted.to_le_bytes())? {
            Some(true) => {}
            Some(false) => {
                let problem = format!("hash bucket {bucket} does not have it");
                checker.warning(STRUCTURE, &place, problem, node);
            }
            None => {
                let problem = "the hash buckets have far more entries than there are names";
                checker.error(STRUCTURE, &place, problem, node);
                return Ok(());
            }
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
