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

/// What the writer of a file has put into `dwCRC` of its trailers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Checksum {
    /// The CRC of the format ([`crc`]).
    #[default]
    Crc,
    /// The ordinary CRC-32, as zlib has it: the same polynomial with a final inversion.
    Standard,
    /// Nothing that depends on the bytes, such as zero: it can vouch for nothing.
    Meaningless,
}

impl Checksum {
    /// Whether `stored` is what a trailer of `data` has; always true where it means nothing.
    pub fn fits(self, data: &[u8], stored: u32) -> bool {
        match self {
            Self::Crc => crc(data) == stored,
            Self::Standard => crc32fast::hash(data) == stored,
            Self::Meaningless => true,
        }
    }
}

/// How the trailers of one file are checked. Other writers than Outlook fill them wrongly, in one way throughout a file;
/// then the checksum is what is wrong, not the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checksums {
    /// `dwCRCPartial` and `dwCRCFull` of the header.
    pub header: Checksum,
    /// `dwCRC` of pages.
    pub pages: Checksum,
    /// `dwCRC` of blocks.
    pub blocks: Checksum,
    /// Whether `wSig` is set.
    pub signatures: bool,
}

impl Default for Checksums {
    fn default() -> Self {
        Self {
            header: Checksum::Crc,
            pages: Checksum::Crc,
            blocks: Checksum::Crc,
            signatures: true,
        }
    }
}

impl Checksums {
    /// Nothing of a trailer is checked: for what judges it itself.
    pub(crate) const UNCHECKED: Self = Self {
        header: Checksum::Meaningless,
        pages: Checksum::Meaningless,
        blocks: Checksum::Meaningless,
        signatures: false,
    };

    /// The problem line about checksums that are not those of the format.
    pub(crate) fn describe(&self) -> Vec<String> {
        let kinds = [
            ("the header", self.header),
            ("all pages", self.pages),
            ("all blocks", self.blocks),
        ];
        let mut lines: Vec<String> = kinds
            .into_iter()
            .filter_map(|(what, scheme)| match scheme {
                Checksum::Crc => None,
                Checksum::Standard => Some(format!(
                    "the checksums of {what} are the ordinary CRC-32 and not that of the format; checked as such"
                )),
                Checksum::Meaningless => Some(format!(
                    "the checksums of {what} are no checksums; they say nothing about damage"
                )),
            })
            .collect();
        if !self.signatures {
            lines.push(
                "pages and blocks have no signature (wSig 0); it says nothing about damage".into(),
            );
        }
        lines
    }

    /// Whether `stored` is `wSig` of page or block `bid` at byte offset `ib`; always true where it is not set.
    pub fn signature_fits(&self, stored: u16, ib: u64, bid: BlockId) -> bool {
        !self.signatures || stored == signature(ib, bid)
    }
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
