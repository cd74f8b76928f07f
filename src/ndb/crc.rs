//! The checksums of the format, and what they tell of data with one wrong bit. [MS-PST] 5.3, 5.5

use std::fmt;

use super::ids::BlockId;

/// The polynomial of CRC-32, its highest power in the lowest bit.
const POLYNOMIAL: u32 = 0xEDB8_8320;

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

    /// The one bit of `data` or of `stored`, its checksum, that is wrong; None if there is no such bit, so that more is
    /// wrong than one. In up to 11 KiB two wrong bits are never taken for one. Of data that is wrong altogether, one block in
    /// 65,000 of 8 KiB looks so by chance.
    pub fn wrong_bit(self, data: &[u8], stored: u32) -> Option<WrongBit> {
        let found = match self {
            Self::Crc => crc(data),
            Self::Standard => crc32fast::hash(data),
            Self::Meaningless => stored,
        };
        let difference = found ^ stored;
        if difference.is_power_of_two() {
            return Some(WrongBit::OfChecksum);
        }
        // The checksum is linear: the difference is that of data which is zero but for the wrong bit. Bit by bit from the end, the
        // step that each has made is taken back, until it is that of the wrong bit itself.
        let mut crc = difference;
        for at in (0..data.len()).rev() {
            for bit in (0..u8::BITS).rev() {
                if crc == POLYNOMIAL {
                    return Some(WrongBit::OfData { at, bit: 1 << bit });
                }
                crc = match crc >> 31 {
                    0 => crc << 1,
                    _ => (crc ^ POLYNOMIAL) << 1 | 1,
                };
            }
        }
        None
    }
}

/// The one bit that does not fit a checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrongBit {
    /// A bit of the data: the byte at offset `at`, and the bit in it as a mask.
    OfData {
        /// Offset of the byte.
        at: usize,
        /// The bit, as a mask.
        bit: u8,
    },
    /// A bit of the checksum; the data is right.
    OfChecksum,
}

impl WrongBit {
    /// The same where the data begins at offset `start`.
    pub(super) fn behind(self, start: usize) -> Self {
        match self {
            Self::OfData { at, bit } => Self::OfData {
                at: at + start,
                bit,
            },
            Self::OfChecksum => self,
        }
    }

    /// Whether it is in the byte at offset `place` of the data.
    pub(super) fn is_in(self, place: usize) -> bool {
        matches!(self, Self::OfData { at, .. } if at == place)
    }

    /// Puts it right in `data`.
    pub fn put_right(self, data: &mut [u8]) {
        if let Self::OfData { at, bit } = self
            && let Some(byte) = data.get_mut(at)
        {
            *byte ^= bit;
        }
    }
}

impl fmt::Display for WrongBit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OfData { at, bit } => write!(
                f,
                "it fits with bit {} of byte {at:#x} put right, which was done",
                bit.trailing_zeros()
            ),
            Self::OfChecksum => f.write_str("one bit of the CRC itself is wrong"),
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

    /// Bytes that repeat nowhere, from a generator with a seed.
    fn random(len: usize) -> Vec<u8> {
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        let step = |_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        };
        (0..len).map(step).collect()
    }

    #[test]
    fn any_one_wrong_bit_is_found() {
        let data = random(496);
        for (scheme, stored) in [
            (Checksum::Crc, crc(&data)),
            (Checksum::Standard, crc32fast::hash(&data)),
        ] {
            for bit in 0..8 * data.len() {
                let mut wrong = data.clone();
                wrong[bit / 8] ^= 1 << (bit % 8);
                let found = scheme.wrong_bit(&wrong, stored).unwrap();
                found.put_right(&mut wrong);
                assert_eq!(wrong, data, "{found}");
            }
            for bit in 0..u32::BITS {
                let found = scheme.wrong_bit(&data, stored ^ 1 << bit);
                assert_eq!(found, Some(WrongBit::OfChecksum));
            }
            assert_eq!(scheme.wrong_bit(&data, stored), None);
        }
        assert_eq!(Checksum::Meaningless.wrong_bit(&data, 7), None);
    }

    #[test]
    fn the_first_and_the_last_bit_of_the_longest_block() {
        let data = random(65_512);
        for at in [0, 1, 32_000, 65_511] {
            let mut wrong = data.clone();
            wrong[at] ^= 0x80;
            let found = Checksum::Crc.wrong_bit(&wrong, crc(&data));
            assert_eq!(found, Some(WrongBit::OfData { at, bit: 0x80 }));
        }
    }

    #[test]
    fn two_wrong_bits_are_not_one() {
        let data = random(8_176);
        let stored = crc(&data);
        for first in (0..8 * data.len()).step_by(1_009) {
            for second in (first + 1..8 * data.len()).step_by(997) {
                let mut wrong = data.clone();
                wrong[first / 8] ^= 1 << (first % 8);
                wrong[second / 8] ^= 1 << (second % 8);
                assert_eq!(Checksum::Crc.wrong_bit(&wrong, stored), None);
            }
        }
    }
}
