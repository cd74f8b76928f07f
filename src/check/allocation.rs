//! Allocation maps: what is in use is marked as such. A reader does not need them, so all findings are warnings.
//! [MS-PST] 2.2.2.7.2

use std::ops::Range;

use super::checker::Checker;
use crate::ndb::NodeDatabase;
use crate::ndb::amap::AllocationMap;

/// Checks the sum of free bytes, which the header keeps.
pub(super) fn free_bytes(ndb: &NodeDatabase, checker: &mut Checker) {
    let (header, format) = (ndb.header(), ndb.header().format);
    if !header.amap_valid {
        let problem = "fAMapValid: 0; the writer has to rebuild the allocation maps";
        checker.warning("ROOT", "offset 0x0", problem, None);
        return;
    }
    let end = header.file_eof.min(ndb.source().len());
    let (mut at, mut free) = (format.first_amap, 0);
    while at < end
        && let Ok(map) = AllocationMap::read(ndb.source(), format, at)
    {
        free += map.free();
        at += AllocationMap::interval(format);
    }
    if free != header.amap_free {
        let problem = format!(
            "cbAMapFree: expected {free:#x}, found {:#x}",
            header.amap_free
        );
        checker.warning("ROOT", "offset 0x0", problem, None);
    }
}

/// Checks that every unit of all `extents` (each list by offset) is marked in the maps.
pub(super) fn marked(
    ndb: &NodeDatabase,
    what: &'static str,
    extents: impl Iterator<Item = Range<u64>>,
    checker: &mut Checker,
) {
    let format = ndb.header().format;
    let unit = format.block_align as u64;
    let mut current: Option<(u64, Option<AllocationMap>)> = None;
    let mut unmarked = 0u64;
    let mut first = None;
    for extent in extents {
        if extent.start < format.first_amap {
            let place = format!("offset {:#x}", extent.start);
            checker.error(what, place, "lies before the first allocation map", None);
            continue;
        }
        let units = extent.clone().step_by(unit as usize);
        let is_marked = units.into_iter().all(|offset| {
            let at = AllocationMap::place(format, offset);
            let map = match &current {
                Some((known, map)) if Some(*known) == at => map,
                _ => {
                    let read = at.and_then(|at| AllocationMap::read(ndb.source(), format, at).ok());
                    &current.insert((at.unwrap_or_default(), read)).1
                }
            };
            let map = map.as_ref();
            map.and_then(|map| map.is_used(offset)) != Some(false)
        });
        if !is_marked {
            unmarked += 1;
            first.get_or_insert(extent.start);
        }
    }
    if let Some(first) = first {
        let problem = format!("{unmarked} are not marked as used, the first at {first:#x}");
        checker.warning("AMap", what, problem, None);
    }
}
