//! The file header. [MS-PST] 2.2.2.6.
use super::format::crc;
use super::ndb::Ndb;
use super::output::MapState;

/// Header bytes 8..479 and 8..524 are under dwCRCPartial and dwCRCFull.
const PARTIAL: std::ops::Range<usize> = 8..479;
const FULL: std::ops::Range<usize> = 8..524;

/// The header of a finished file of `eof` bytes.
pub fn header(ndb: &Ndb, eof: u64, map: MapState) -> Vec<u8> {
    let options = &ndb.options;
    let geo = &ndb.geo;
    let mut h = b"!BDN\0\0\0\0".to_vec();
    let ost = options.format.is_ost();
    h.extend(if ost { b"SO" } else { b"SM" });
    let version = options.version.unwrap_or(options.format.version());
    h.extend(version.to_le_bytes());
    h.extend(if ost { 12u16 } else { 19 }.to_le_bytes());
    h.extend([1, 1]);
    h.extend([0; 8]);
    if geo.wide {
        h.extend([0; 8]);
    } else {
        geo.put_word(&mut h, ndb.next_block_bid());
    }
    geo.put_word(&mut h, ndb.next_page_bid());
    h.extend(ndb.next_row_version.to_le_bytes());
    for highest in ndb.rgnid {
        h.extend(highest.to_le_bytes());
    }
    if geo.wide {
        h.extend([0; 8]);
    }
    h.extend([0; 4]);
    for word in [
        eof,
        map.last_amap,
        map.free_bytes,
        0,
        ndb.roots.nbt.0,
        ndb.roots.nbt.1,
        ndb.roots.bbt.0,
        ndb.roots.bbt.1,
    ] {
        geo.put_word(&mut h, word);
    }
    let amap_valid = if geo.wide { 2 } else { 1 };
    h.extend([amap_valid, 0, 0, 0]);
    if geo.wide {
        h.extend([0; 4]);
    }
    let maps = if geo.is_4k() { 0 } else { 0xFF };
    h.extend([maps; 256]);
    h.extend([0x80, options.crypt as u8, 0, 0]);
    if geo.wide {
        h.extend(ndb.next_block_bid().to_le_bytes());
        h.extend([0; 4]);
        h.resize(564, 0);
        let full = crc(&h[FULL]);
        h[FULL.end..][..4].copy_from_slice(&full.to_le_bytes());
    } else {
        h.resize(512, 0);
    }
    let partial = crc(&h[PARTIAL]);
    h[4..8].copy_from_slice(&partial.to_le_bytes());
    h
}
