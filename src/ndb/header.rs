//! The header: format, encoding, roots of the two B-trees. [MS-PST] 2.2.2.6, 2.2.2.5

use super::crc::{Checksum, Checksums, WrongBit, crc};
use super::crypt::CryptMethod;
use super::format::{self, Format, HEADER_SIZE};
use super::ids::{BlockId, BlockRef, NodeType};
use super::other_files;
use super::page_type::PageType;
use super::source::Source;
use crate::bytes::{array_at, u8_at, u16_at, u32_at, uint_at};
use crate::error::{Error, Result};

/// `wVer` of no file.
const MADE_UP: u16 = 0;
/// `dwMagic`.
pub(super) const MAGIC: &[u8; 4] = b"!BDN";
const CRC_PARTIAL: usize = 4;
const MAGIC_CLIENT: usize = 8;
const VERSION: usize = 10;
const VERSION_CLIENT: usize = 12;
/// Both CRCs start here.
const CRC_START: usize = 8;
const CRC_PARTIAL_END: usize = 479;
const CRC_FULL_END: usize = 524;
const CRYPT_WIP: u8 = 0x10;
/// Types that a NID can have.
const NODE_TYPES: usize = 32;

/// Offsets of the header fields that are not at the same place in both layouts.
struct Layout {
    size: usize,
    /// `rgnid`: per node type the highest index handed out.
    node_counters: usize,
    next_block: usize,
    next_page: usize,
    root: usize,
    /// `fAMapValid`.
    amap_valid: usize,
    crypt: usize,
    crc_full: Option<usize>,
}

static ANSI_LAYOUT: Layout = Layout {
    size: 512,
    node_counters: 36,
    next_block: 24,
    next_page: 28,
    root: 164,
    amap_valid: 200,
    crypt: 461,
    crc_full: None,
};
static UNICODE_LAYOUT: Layout = Layout {
    size: HEADER_SIZE,
    node_counters: 44,
    next_block: 516,
    next_page: 32,
    root: 180,
    amap_valid: 248,
    crypt: 513,
    crc_full: Some(524),
};

/// Which program wrote the file: `wMagicClient`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// "SM": a personal store.
    Pst,
    /// "SO": an offline store.
    Ost,
    /// "AB": a personal address book.
    AddressBook,
    /// Anything else, as stored.
    Other([u8; 2]),
}

/// What the reader needs of the header.
#[derive(Debug, Clone)]
pub struct Header {
    /// Constants of the format.
    pub format: &'static Format,
    /// `wVer`.
    pub version: u16,
    /// `wVerClient`.
    pub client_version: u16,
    /// `wMagicClient`.
    pub client: Client,
    /// How blocks are encoded.
    pub crypt: CryptMethod,
    /// `bCryptMethod` as stored, which may be wrong.
    pub crypt_stored: u8,
    /// Whether `bCryptMethod` is that of plain blocks, and the blocks are encoded. Then single blocks may be plain.
    pub crypt_guessed: bool,
    /// `bidNextB`: every block id is below it.
    pub next_block: u64,
    /// `bidNextP`: every page id is below it.
    pub next_page: u64,
    /// `ibFileEof`: size of the file in bytes, as its writer left it.
    pub file_eof: u64,
    /// `cbAMapFree`: bytes that the allocation maps have as free.
    pub amap_free: u64,
    /// `fAMapValid`: whether the allocation maps can be trusted when writing.
    pub amap_valid: bool,
    /// `rgnid`: by node type, the highest node index handed out.
    pub last_indexes: [u32; NODE_TYPES],
    /// Root of the node B-tree.
    pub nbt_root: BlockRef,
    /// Root of the block B-tree.
    pub bbt_root: BlockRef,
    /// Whether both CRCs fit, or are wrong in the one way of this file's writer; a torn header is usable, but its roots may
    /// be stale.
    pub crc_valid: bool,
    /// The bit that was put right for both CRCs to fit; a byte of it counts from the beginning of the file.
    pub wrong_bit: Option<WrongBit>,
    /// How the trailers of pages and blocks are checked.
    pub checksums: Checksums,
}

impl Header {
    /// Reads and checks the header. Of what is no such file, [`Error::NotOutlook`] has what it is; [`Error::Unsupported`]
    /// and [`Error::Truncated`] have the reason why it cannot be read.
    pub fn read(source: &Source) -> Result<Self> {
        Self::parse(&first_bytes(source)?)
    }

    /// Reads the header as if it began as it must: what is wrong may be that alone.
    pub(super) fn read_behind_magic(source: &Source) -> Result<Self> {
        Self::parse_behind_magic(&first_bytes(source)?)
    }

    /// Reads the header as one of `format`, whatever its fields are: magic, version and encoding may be wrong, and so may
    /// be all else if it is none. `crypt` is that of plain blocks if the stored one does not exist.
    pub(super) fn read_as(source: &Source, format: &'static Format) -> Result<Self> {
        Self::parse_as(&first_bytes(source)?, format, layout(format))
    }

    /// A header for a file that has lost its own: without roots and counters.
    pub fn made_up(format: &'static Format, client: Client, crypt: CryptMethod) -> Self {
        let nowhere = BlockRef {
            bid: BlockId::NONE,
            ib: 0,
        };
        Self {
            format,
            version: MADE_UP,
            client_version: 0,
            client,
            crypt,
            crypt_stored: crypt as u8,
            crypt_guessed: false,
            next_block: u64::MAX,
            next_page: u64::MAX,
            file_eof: 0,
            amap_free: 0,
            amap_valid: false,
            last_indexes: [0; NODE_TYPES],
            nbt_root: nowhere,
            bbt_root: nowhere,
            crc_valid: false,
            wrong_bit: None,
            checksums: Checksums::default(),
        }
    }

    /// The format of the files of its version; None if no version is so.
    pub fn declared_format(&self) -> Option<&'static Format> {
        format_of(self.version)
    }

    /// `bCryptMethod` as stored, if that is a method.
    pub fn declared_crypt(&self) -> Option<CryptMethod> {
        crypt_method(self.crypt_stored).ok()
    }

    pub(super) fn is_crypt_known(&self) -> bool {
        self.declared_crypt().is_some()
    }

    /// Whether it stands for a header that is lost ([`Header::made_up`]).
    pub fn is_made_up(&self) -> bool {
        self.version == MADE_UP
    }

    /// The roots of both trees.
    pub fn roots(&self) -> [(PageType, BlockRef); 2] {
        [
            (PageType::Nbt, self.nbt_root),
            (PageType::Bbt, self.bbt_root),
        ]
    }

    /// How many messages the file has ever held, by its counter: at least as many as it holds.
    pub fn messages_ever(&self) -> u64 {
        const FIRST_MESSAGE_INDEX: u32 = 0x1_0000;
        let last = self.last_index(NodeType::NORMAL_MESSAGE);
        u64::from(last.saturating_sub(FIRST_MESSAGE_INDEX))
    }

    /// `rgnid` of `node_type`: the highest node index of this type handed out; 0 if it is not known.
    pub fn last_index(&self, node_type: NodeType) -> u32 {
        let last = self.last_indexes.get(usize::from(node_type.0));
        last.copied().unwrap_or(0)
    }

    /// Where the root page of a B-tree is.
    pub(super) fn root(&self, page_type: PageType) -> BlockRef {
        match page_type {
            PageType::Bbt => self.bbt_root,
            PageType::Nbt => self.nbt_root,
        }
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        if !bytes.starts_with(MAGIC) {
            return Err(Error::NotOutlook(other_files::describe(bytes)));
        }
        Self::parse_behind_magic(bytes)
    }

    fn parse_behind_magic(bytes: &[u8]) -> Result<Self> {
        if let Some((right, wrong_bit)) = put_right(bytes) {
            let header = Self::parse_stored(&right)?;
            return Ok(Self {
                wrong_bit: Some(wrong_bit),
                ..header
            });
        }
        Self::parse_stored(bytes)
    }

    fn parse_stored(bytes: &[u8]) -> Result<Self> {
        let version = u16_at(bytes, VERSION).ok_or_else(|| truncated(bytes))?;
        let format = format_of(version).ok_or_else(|| {
            Error::Unsupported(format!(
                "an Outlook data file of the unknown version {version}; versions 14, 15, 21, 23, 36 and 37 are known"
            ))
        })?;
        let header = Self::parse_as(bytes, format, layout(format))?;
        crypt_method(header.crypt_stored)?;
        Ok(header)
    }

    fn parse_as(bytes: &[u8], format: &'static Format, layout: &Layout) -> Result<Self> {
        let truncated = || truncated(bytes);
        let version = u16_at(bytes, VERSION).ok_or_else(truncated)?;
        let crypt_stored = u8_at(bytes, layout.crypt).ok_or_else(truncated)?;
        let checksum = checksum(bytes, layout);
        if bytes.len() < layout.size {
            return Err(truncated());
        }
        // The size is checked above, so nothing below is missing.
        let word = |at: usize| uint_at(bytes, at, format.word).ok_or_else(truncated);
        let root = |index: usize| layout.root + 4 + index * format.word;
        let block_ref = |index: usize| -> Result<BlockRef> {
            Ok(BlockRef {
                bid: BlockId(word(root(index))?),
                ib: word(root(index + 1))?,
            })
        };
        Ok(Self {
            format,
            version,
            client_version: u16_at(bytes, VERSION_CLIENT).ok_or_else(truncated)?,
            client: client(array_at(bytes, MAGIC_CLIENT).ok_or_else(truncated)?),
            crypt: crypt_method(crypt_stored).unwrap_or(CryptMethod::None),
            crypt_stored,
            crypt_guessed: false,
            next_block: word(layout.next_block)?,
            next_page: word(layout.next_page)?,
            file_eof: word(root(0))?,
            amap_free: word(root(2))?,
            amap_valid: u8_at(bytes, layout.amap_valid).ok_or_else(truncated)? != 0,
            last_indexes: std::array::from_fn(|node_type| {
                u32_at(bytes, layout.node_counters + 4 * node_type).unwrap_or(0)
            }),
            nbt_root: block_ref(4)?,
            bbt_root: block_ref(6)?,
            crc_valid: checksum.is_some(),
            wrong_bit: None,
            checksums: Checksums {
                header: checksum.unwrap_or_default(),
                ..Checksums::default()
            },
        })
    }
}

/// As many bytes from the beginning of the file as a header can need, or as there are.
fn first_bytes(source: &Source) -> Result<Vec<u8>> {
    let length = usize::try_from(source.len()).unwrap_or(HEADER_SIZE);
    let mut bytes = vec![0; length.min(HEADER_SIZE)];
    source.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

fn truncated(bytes: &[u8]) -> Error {
    Error::Truncated(format!(
        "the file ends inside its header after {} bytes: it was cut off while it was copied; \
         copy it again from its source",
        bytes.len()
    ))
}

/// The format of files of `version`.
fn format_of(version: u16) -> Option<&'static Format> {
    match version {
        14 | 15 => Some(&format::ANSI),
        21 | 23 | 37 => Some(&format::UNICODE),
        36 => Some(&format::UNICODE_4K),
        _ => None,
    }
}

fn layout(format: &Format) -> &'static Layout {
    if format.word == format::ANSI.word {
        &ANSI_LAYOUT
    } else {
        &UNICODE_LAYOUT
    }
}

fn client(magic: [u8; 2]) -> Client {
    match &magic {
        b"SM" => Client::Pst,
        b"SO" => Client::Ost,
        b"AB" => Client::AddressBook,
        _ => Client::Other(magic),
    }
}

fn crypt_method(value: u8) -> Result<CryptMethod> {
    match value {
        0 => Ok(CryptMethod::None),
        1 => Ok(CryptMethod::Permute),
        2 => Ok(CryptMethod::Cyclic),
        CRYPT_WIP => Err(Error::Unsupported(
            "the file is encrypted by Windows Information Protection (method 0x10): only Windows, signed in as the \
             user who wrote it, can open it; export the mailbox to an unprotected file there"
                .into(),
        )),
        other => Err(Error::corrupt(
            "HEADER",
            "bCryptMethod",
            format_args!("expected 0, 1, 2 or 0x10, found {other:#x}"),
        )),
    }
}

/// The CRCs of a header: where the data of each ends, and where it stands.
fn sums(layout: &Layout) -> impl Iterator<Item = (usize, usize)> + Clone {
    let full = layout.crc_full.map(|at| (CRC_FULL_END, at));
    [(CRC_PARTIAL_END, CRC_PARTIAL)].into_iter().chain(full)
}

/// The header in `bytes` with its one wrong bit put right, and that bit; None unless all fits then. A bit of fAMapValid is none:
/// that is written in place at the beginning of a commit, so the header is that of a commit which did not end.
fn put_right(bytes: &[u8]) -> Option<(Vec<u8>, WrongBit)> {
    let declared = format_of(u16_at(bytes, VERSION)?).map(layout);
    if declared.is_some_and(|layout| checksum(bytes, layout).is_some()) {
        return None;
    }
    // The version may be what is wrong; no single bit makes one of the other layout of it.
    let layouts = declared.map_or(vec![&UNICODE_LAYOUT, &ANSI_LAYOUT], |layout| vec![layout]);
    let candidates = layouts
        .into_iter()
        .flat_map(|layout| sums(layout).map(move |sum| (layout, sum)));
    candidates
        .filter(|(layout, _)| bytes.len() >= layout.size)
        .find_map(|(layout, (end, at))| {
            let mut right = bytes.to_vec();
            let data = right.get_mut(CRC_START..end)?;
            let wrong_bit = Checksum::Crc.wrong_bit(data, u32_at(bytes, at)?)?;
            wrong_bit.put_right(data);
            let sum = crc(data).to_le_bytes();
            right.get_mut(at..at + sum.len())?.copy_from_slice(&sum);
            let wrong_bit = wrong_bit.behind(CRC_START);
            let is_torn = wrong_bit.is_in(layout.amap_valid);
            let is_right = checksum(&right, layout) == Some(Checksum::Crc);
            (is_right && !is_torn).then_some((right, wrong_bit))
        })
}

/// The scheme by which both CRCs fit; None if they fit by none.
fn checksum(bytes: &[u8], layout: &Layout) -> Option<Checksum> {
    let fits = |scheme: Checksum| {
        sums(layout).all(|(end, at)| {
            let data = bytes.get(CRC_START..end).unwrap_or_default();
            let stored = u32_at(bytes, at).unwrap_or_default();
            // What depends on no byte is told by being zero.
            scheme.fits(data, stored) && (scheme != Checksum::Meaningless || stored == 0)
        })
    };
    let schemes = [Checksum::Crc, Checksum::Standard, Checksum::Meaningless];
    schemes.into_iter().find(|scheme| fits(*scheme))
}
