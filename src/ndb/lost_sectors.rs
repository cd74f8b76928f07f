//! Which bytes of a damaged block are lost: sectors that hold what no block has.

use std::ops::Range;

use super::crypt::CryptMethod;

/// Bytes that a disk loses at the least.
const SECTOR: usize = 512;

/// Ranges of `payload`, a damaged block as stored at byte `ib` of the file, whose sectors were never written or are lost:
/// filled with zeros, or with ones where no text encodes to that.
pub(super) fn lost_sectors(payload: &[u8], ib: u64, method: CryptMethod) -> Vec<Range<usize>> {
    let is_lost = |sector: &[u8]| {
        let fill = |value: u8| sector.iter().all(|byte| *byte == value);
        fill(0) || (method != CryptMethod::None && fill(u8::MAX))
    };
    let first = SECTOR - (ib % SECTOR as u64) as usize;
    let mut lost: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    let mut end = first.min(payload.len());
    while start < payload.len() {
        let bytes = payload.get(start..end).unwrap_or_default();
        // A part of a sector counts only beside a whole one.
        if !bytes.is_empty() && is_lost(bytes) {
            match lost.last_mut() {
                Some(last) if last.end == start => last.end = end,
                _ => lost.push(start..end),
            }
        }
        start = end;
        end = (start + SECTOR).min(payload.len());
    }
    lost.retain(|range| range.len() >= SECTOR.min(payload.len()));
    lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sectors_of_zeros_are_lost_and_shorter_runs_are_data() {
        // The block begins 64 bytes behind the start of a sector.
        let ib = 0x4440;
        let start = SECTOR - 64;
        let lost = |payload: &[u8], method: CryptMethod| {
            let lost = lost_sectors(payload, ib, method);
            lost.first().map(|first| (first.clone(), lost.len()))
        };
        let mut payload = vec![7u8; 4 * SECTOR];
        payload[100..500].fill(0);
        assert_eq!(lost(&payload, CryptMethod::None), None);
        let sector = Some((start..start + SECTOR, 1));
        payload[start..start + SECTOR].fill(0);
        assert_eq!(lost(&payload, CryptMethod::None), sector);
        payload[start..start + SECTOR].fill(0xFF);
        assert_eq!(lost(&payload, CryptMethod::None), None);
        assert_eq!(lost(&payload, CryptMethod::Permute), sector);
    }
}
