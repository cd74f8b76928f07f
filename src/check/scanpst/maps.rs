//! Allocation maps and the header's own. [MS-PST] 2.2.2.7.2 to 2.2.2.7.5

use super::scan::Scan;
use crate::bytes::{u8_at, u16_at, u32_at, u64_at};
use crate::check::checker::Checker;
use crate::check::report::Severity;
use crate::messaging::Store;
use crate::ndb::amap::AllocationMap;
use crate::ndb::crc::crc;
use crate::ndb::format;
use crate::ndb::header::Client;

/// A kind of map page: in the sections `first`, `first + step`, ... of the file, `offset` bytes behind their start.
struct Map {
    name: &'static str,
    ptype: u8,
    first: u64,
    step: u64,
    offset: u64,
}

/// Which maps there are. FMap and FPMap never stand in the same section.
const MAPS: [Map; 4] = [
    map("AMap", 0x84, (0, 1), 0),
    map("PMap", 0x83, (0, 8), 512),
    map("FMap", 0x82, (128, 496), 1024),
    map("FPMap", 0x85, (8192, 31_744), 1024),
];

const fn map(name: &'static str, ptype: u8, (first, step): (u64, u64), offset: u64) -> Map {
    Map {
        name,
        ptype,
        first,
        step,
        offset,
    }
}

/// What Outlook fills all but AMaps with since 2007 SP2: nothing uses them any more.
const UNUSED: u8 = 0xFF;
/// `rgbFM` of the header.
const HEADER_FMAP: usize = 256;
const HEADER_FMAP_SIZE: usize = 128;

/// Every map page that is due is there, and is one.
pub(super) fn pages(scan: &Scan<'_>, checker: &mut Checker) {
    each_page(scan, |map, at, page| {
        let format = scan.store.ndb().header().format;
        let data = page.get(..format.page_data).unwrap_or_default();
        let mut wrong = |field: &str, expected: u64, found: Option<u64>| {
            if found != Some(expected) {
                let found = found.unwrap_or_default();
                let problem = format!("{field}: expected {expected:#x}, found {found:#x}");
                checker.add(Severity::Error, map.name, place(at), problem, None);
            }
        };
        let ptype = u64::from(map.ptype);
        wrong("ptype", ptype, u8_at(page, format.page_data).map(u64::from));
        let again = u8_at(page, format.page_data + 1).map(u64::from);
        wrong("ptypeRepeat", ptype, again);
        let signature = u16_at(page, format.page_data + 2).map(u64::from);
        wrong("wSig", 0, signature);
        wrong("bid", at, u64_at(page, format.page_bid));
        let stored = u32_at(page, format.page_crc).map(u64::from);
        wrong("dwCRC", u64::from(crc(data)), stored);
    });
}

/// No byte of the FMaps states that there is less room than there may be.
pub(super) fn free_space(scan: &Scan<'_>, checker: &mut Checker) {
    let mut used = |place: String, bytes: &[u8]| {
        let unlike = bytes.iter().position(|byte| *byte != UNUSED);
        if let Some((index, byte)) = unlike.and_then(|index| Some((index, bytes.get(index)?))) {
            let problem = format!("byte {index}: expected {UNUSED:#x}, found {byte:#x}");
            checker.warning("FMap", place, problem, None);
        }
    };
    let mut header = [0; HEADER_FMAP + HEADER_FMAP_SIZE];
    let source = scan.store.ndb().source();
    if source.read_exact_at(&mut header, 0).is_ok() {
        let map = header.get(HEADER_FMAP..).unwrap_or_default();
        used("rgbFM of the header".into(), map);
    }
    each_page(scan, |map, at, page| {
        if map.name == "FMap" {
            let format = scan.store.ndb().header().format;
            used(place(at), page.get(..format.page_data).unwrap_or_default());
        }
    });
}

fn place(at: u64) -> String {
    format!("offset {at:#x}")
}

/// Calls `each` with every map page that is due in the file, its offset and its bytes.
fn each_page(scan: &Scan<'_>, mut each: impl FnMut(&Map, u64, &[u8])) {
    let ndb = scan.store.ndb();
    let format = ndb.header().format;
    let end = ndb.header().file_eof.min(ndb.source().len());
    let interval = AllocationMap::interval(format);
    let sections = end.saturating_sub(format.first_amap).div_ceil(interval);
    let mut page = vec![0; format.page_size];
    for section in 0..sections {
        let start = format.first_amap + section * interval;
        let due = MAPS.iter().filter(|map| {
            let since = section.checked_sub(map.first);
            since.is_some_and(|since| since.is_multiple_of(map.step))
        });
        for map in due {
            let at = start + map.offset;
            if ndb.source().read_exact_at(&mut page, at).is_ok() {
                each(map, at, &page);
            }
        }
    }
}

/// Where the first PMap is, and `fAMapValid` of the header.
const FIRST_PMAP: u64 = 0x4600;
const AMAP_VALID: u64 = 248;
/// `fAMapValid` as it is written since Outlook 2007 SP2.
const VALID_AMAP2: u8 = 2;

/// Whether it is a PST that is written as Outlook does it since 2007 SP2: it uses no map but the AMaps, and has filled the
/// first PMap up. Older ones keep other books, and no rule here is known to hold for them.
pub(super) fn is_modern(store: &Store) -> bool {
    let ndb = store.ndb();
    let (header, source) = (ndb.header(), ndb.source());
    let mut page = vec![0; header.format.page_data];
    let mut valid = [0];
    header.client == Client::Pst
        && std::ptr::eq(header.format, &raw const format::UNICODE)
        && source.read_exact_at(&mut valid, AMAP_VALID).is_ok()
        && valid == [VALID_AMAP2]
        && source.read_exact_at(&mut page, FIRST_PMAP).is_ok()
        && page.iter().all(|byte| *byte == UNUSED)
}
