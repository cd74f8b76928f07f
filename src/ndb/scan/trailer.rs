//! Pages and blocks by what their trailers say, none of which is checked here: for what decides how to check them, or
//! where they are. [MS-PST] 2.2.2.7.1, 2.2.2.8.1

use std::sync::Arc;

use crate::bytes::{u16_at, u32_at, uint_at};
use crate::error::Result;
use crate::ndb::crc::{Checksums, signature};
use crate::ndb::format::Format;
use crate::ndb::ids::{BlockId, BlockRef};
use crate::ndb::page::BlockEntry;
use crate::ndb::page::{BTreePage, parse_btree_page};
use crate::ndb::page_type::PageType;
use crate::ndb::source::Source;
use crate::ndb::trailer::BlockTrailer;

/// What a trailer says of itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trailer {
    /// `dwCRC`.
    pub(super) checksum: u32,
    /// `wSig`.
    pub(super) signature: u16,
    /// `bid`.
    pub(super) bid: BlockId,
}

impl Trailer {
    /// Whether its signature is that of its id at byte offset `ib`.
    pub(super) fn is_signed(&self, ib: u64) -> bool {
        self.signature == signature(ib, self.bid)
    }
}

/// The page at `at` if it is one of that type and has sizes that make sense, whatever its trailer says else.
pub(super) fn page(
    source: &Source,
    format: &'static Format,
    page_type: PageType,
    at: BlockRef,
) -> Result<Option<(Arc<[u8]>, BTreePage)>> {
    let mut bytes = vec![0; format.page_size];
    match source.read_exact_at(&mut bytes, at.ib) {
        Err(error) if error.is_unread() => return Err(error),
        Err(_) => return Ok(None),
        Ok(()) => {}
    }
    let bytes: Arc<[u8]> = bytes.into();
    let unchecked = &Checksums::UNCHECKED;
    let page = parse_btree_page(Arc::clone(&bytes), format, unchecked, page_type, at.ib);
    Ok(page
        .ok()
        .filter(|page| page.flaw.is_none())
        .map(|page| (bytes, page)))
}

pub(super) fn page_trailer(bytes: &[u8], format: &Format) -> Option<Trailer> {
    Some(Trailer {
        checksum: u32_at(bytes, format.page_crc)?,
        signature: u16_at(bytes, format.page_data + 2)?,
        bid: BlockId(uint_at(bytes, format.page_bid, format.word)?),
    })
}

/// The payload as stored and the trailer of the block of `entry`, if a block of that size ends at its place. Its other
/// fields may be those of another block.
pub(super) fn block(
    source: &Source,
    format: &Format,
    entry: BlockEntry,
) -> Result<Option<(Vec<u8>, Trailer)>> {
    let payload = usize::from(entry.stored);
    if payload == 0 || payload > format.block_payload {
        return Ok(None);
    }
    let mut bytes = vec![0; format.block_extent(payload)];
    match source.read_exact_at(&mut bytes, entry.block.ib) {
        Err(error) if error.is_unread() => return Err(error),
        Err(_) => return Ok(None),
        Ok(()) => {}
    }
    let at = bytes.len() - format.block_trailer;
    let trailer = block_trailer(bytes.get(at..).unwrap_or_default(), format);
    bytes.truncate(payload);
    let trailer = trailer.filter(|(size, _)| *size == entry.stored);
    Ok(trailer.map(|(_, trailer)| (bytes, trailer)))
}

/// `cb` and the other fields of the trailer of a block, with which `bytes` begin.
pub(super) fn block_trailer(bytes: &[u8], format: &Format) -> Option<(u16, Trailer)> {
    let stored = BlockTrailer::at(bytes, 0, format)?;
    let trailer = Trailer {
        checksum: stored.crc,
        signature: stored.signature,
        bid: stored.bid,
    };
    Some((stored.cb, trailer))
}
