//! Allocation maps: what is in use is marked as such. A reader does not need them, so all findings are warnings.
//! [MS-PST] 2.2.2.7.2

use std::ops::Range;

use super::Checker;
use crate::ndb::NodeDatabase;

/// Checks the sum of free bytes, which the header keeps.
fn free_bytes(ndb: &NodeDatabase, checker: &mut Checker) {
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
        at += bytes as u64 * 8 * unit;
    }
    if free != header.amap_free {
        let problem = format!(
            "cbAMapFree: expected {free:#x}, found {:#x}",
            header.amap_free
        );
        checker.warning("ROOT", "offset 0x0", problem, None);
    }
}

/// Checks that every one of `extents` (by offset) is marked in the maps.
pub(super) fn check(
    ndb: &NodeDatabase,
    extents: &[Range<u64>],
    has_header: bool,
    checker: &mut Checker,
) {
    if has_header {
        free_bytes(ndb, checker);
    }
    let format = ndb.header().format;
    let unit = format.block_align as u64;
    let bytes = format.page_data_of_amap();
    let padding = format.page_data - bytes;
    let interval = bytes as u64 * 8 * unit;
    let mut map = vec![0; format.page_size];
    let mut current = None;
    let mut unmarked = 0u64;
    let mut first = None;
    for extent in extents {
        let Some(within) = extent.start.checked_sub(format.first_amap) else {
            checker.error(
                "BBT entry",
                format!("offset {:#x}", extent.start),
                "a block lies before the first allocation map",
                None,
            );
            continue;
        };
        let at = format.first_amap + within / interval * interval;
        if current != Some(at) {
            current = Some(at);
            if ndb.source().read_exact_at(&mut map, at).is_err() {
                map.fill(u8::MAX);
            }
        }
        let bit = (extent.start - at) / unit;
        let byte = map.get(padding + (bit / 8) as usize).copied();
        if byte.is_some_and(|byte| byte & (0x80 >> (bit % 8)) == 0) {
            unmarked += 1;
            first.get_or_insert(extent.start);
        }
    }
    if let (Some(first), true) = (first, has_header) {
        let problem = format!("{unmarked} blocks are not marked as used, the first at {first:#x}");
        checker.warning("AMap", "", problem, None);
    }
}
