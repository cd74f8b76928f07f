//! The checksums of the format. [MS-PST] 5.3, 5.5

use super::ids::BlockId;

/// CRC-32 with initial value 0 and no final inversion: header, pages, blocks, compressed RTF. [MS-PST] 5.3
pub fn crc(data: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(u32::MAX);
    hasher.update(data);
    !hasher.finalize()
}

/// `wSig` of a page or block at byte offset `ib`. [MS-PST] 5.5
pub fn signature(ib: u64, bid: BlockId) -> u16 {
    let x = (ib ^ bid.0) as u32;
    (x >> 16) as u16 ^ x as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_check_values_of_outlook() {
        assert_eq!(crc(b"password"), 0x50E0_99BC);
        assert_eq!(crc(b"openwall"), 0xA929_0513);
        assert_eq!(crc(b"quickquick"), 0xFF93_9387);
        assert_eq!(crc(b""), 0);
    }
}
