//! Allocation maps: what is in use is marked as such. A reader does not need them, so all findings are warnings.
//! [MS-PST] 2.2.2.7.2

use std::ops::Range;

use super::Checker;
use crate::ndb::NodeDatabase;
use crate::ndb::format::Format;

/// Bytes of the file that one map covers.
fn interval(format: &Format) -> u64 {
    format.page_data_of_amap() as u64 * 8 * format.block_align as u64
}

/// Checks the sum of free bytes, which the header keeps.
pub(super) fn free_bytes(ndb: &NodeDatabase, checker: &mut Checker) {
    let (header, format) = (ndb.header(), ndb.header().format);
    if !header.amap_valid {
        let problem = "fAMapValid: 0; the writer has to rebuild the allocation maps";
        checker.warning("ROOT", "offset 0x0", problem, None);
        return;
    }
    let unit = format.block_align as u64;
    let bytes = format.page_data_of_amap();
    let end = header.file_eof.min(ndb.source().len());
    let mut map = vec![0; format.page_size];
    let (mut at, mut free) = (format.first_amap, 0);
    while at < end && ndb.source().read_exact_at(&mut map, at).is_ok() {
        let bits = map.get(format.page_data - bytes..format.page_data);
        let unused = bits
            .unwrap_or_default()
            .iter()
            .map(|byte| byte.count_zeros());
        free += unused.map(u64::from).sum::<u64>() * unit;
        at += interval(format);
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
    let padding = format.page_data - format.page_data_of_amap();
    let mut map = vec![0; format.page_size];
    let mut current = None;
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
            let within = offset - format.first_amap;
            let at = offset - within % interval(format);
            if current != Some(at) {
                current = Some(at);
                if ndb.source().read_exact_at(&mut map, at).is_err() {
                    map.fill(u8::MAX);
                }
            }
            let bit = (offset - at) / unit;
            let byte = map.get(padding + (bit / 8) as usize).copied();
            byte.is_none_or(|byte| byte & (0x80 >> (bit % 8)) != 0)
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
