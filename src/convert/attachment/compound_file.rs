//! Compound files, in which OLE objects keep their streams: where the bytes of a stream lie. [MS-CFB]
//!
//! Own code, since a stream must stay a range of the attachment: the crate for this (`cfb`) reads through a lock. Nothing
//! here is as long as the file states: chains end with the bytes of the file, the directory and the pieces have limits.
#![forbid(unsafe_code)]

use crate::bytes::{array_at, u16_at, u32_at, u64_at};
use crate::codepage;
use crate::convert::byte_range::ByteRange;

const SIGNATURE: [u8; 8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
/// Bytes of the header; in files with larger sectors it has the first of them alone. 2.2
const HEADER: usize = 512;
const SECTOR_SHIFTS: [u16; 2] = [9, 12];
const MINI_SECTOR_SHIFT: u16 = 6;
/// Offsets in the header.
const SECTOR_SHIFT: usize = 30;
const FIRST_DIRECTORY_SECTOR: usize = 48;
const MINI_STREAM_CUTOFF: usize = 56;
const FIRST_MINI_FAT_SECTOR: usize = 60;
const FIRST_DIFAT_SECTOR: usize = 68;
const DIFAT: usize = 76;
/// Numbers from here on are no sectors. 2.1
const MAX_REGULAR_SECTOR: u32 = 0xFFFF_FFFA;
/// Bytes of a directory entry, and offsets in it. 2.6.1
const ENTRY: u64 = 128;
const NAME_LENGTH: usize = 64;
const OBJECT_TYPE: usize = 66;
const LEFT_SIBLING: usize = 68;
const RIGHT_SIBLING: usize = 72;
const CHILD: usize = 76;
const CLSID: usize = 80;
const START_SECTOR: usize = 116;
const STREAM_SIZE: usize = 120;
const TYPE_STREAM: u8 = 2;
/// Sectors of the directory, and entries beside each other in the root, that are looked at; objects have some ten.
const MAX_DIRECTORY_SECTORS: usize = 1024;
const MAX_SIBLINGS: usize = 1024;
/// Pieces of a stream; in more no program writes one.
const MAX_PIECES: usize = 16_384;

/// A compound file and the streams of its root storage.
pub(super) struct CompoundFile {
    /// The class of the object, as it lies in the file.
    pub clsid: [u8; 16],
    sectors: Sectors,
    mini_sectors: Sectors,
    mini_stream_cutoff: u64,
    streams: Vec<Stream>,
}

struct Stream {
    name: String,
    start: u32,
    size: u64,
}

impl CompoundFile {
    /// None when `file` is none, or damaged so that it cannot be followed.
    pub fn open(file: &ByteRange) -> Option<Self> {
        let header = file.head(HEADER).ok()?;
        if array_at(&header, 0)? != SIGNATURE {
            return None;
        }
        let shift = u16_at(&header, SECTOR_SHIFT)?;
        if !SECTOR_SHIFTS.contains(&shift) {
            return None;
        }
        let sector = 1 << shift;
        let body = file.part(sector, file.len().checked_sub(sector)?)?;
        let mut sectors = Sectors {
            table: fat(&header, &body, sector)?,
            body,
            size: sector,
        };
        let directory = u32_at(&header, FIRST_DIRECTORY_SECTOR)?;
        let directory = sectors.chain(directory, MAX_DIRECTORY_SECTORS)?;
        let root = entry(&directory, 0)?;
        let size = u64_at(&root, STREAM_SIZE)? & sectors.size_mask();
        let mini_stream = sectors.stream(u32_at(&root, START_SECTOR)?, size);
        let mini_fat = u32_at(&header, FIRST_MINI_FAT_SECTOR)?;
        let mini_fat = sectors.chain(mini_fat, sectors.count());
        let empty = || ByteRange::of_bytes(Vec::new());
        Some(Self {
            clsid: array_at(&root, CLSID)?,
            streams: streams(&directory, &root, sectors.size_mask())?,
            mini_sectors: Sectors {
                table: Table::new(mini_fat.unwrap_or_else(empty)),
                body: mini_stream.unwrap_or_else(empty),
                size: 1 << MINI_SECTOR_SHIFT,
            },
            mini_stream_cutoff: u64::from(u32_at(&header, MINI_STREAM_CUTOFF)?),
            sectors,
        })
    }

    /// The stream `name` of the root storage; None when there is none, or its sectors cannot be followed.
    pub fn stream(&mut self, name: &str) -> Option<ByteRange> {
        let stream = self.streams.iter().find(|stream| stream.name == name)?;
        match stream.size < self.mini_stream_cutoff {
            true => self.mini_sectors.stream(stream.start, stream.size),
            false => self.sectors.stream(stream.start, stream.size),
        }
    }
}

/// The file allocation table: its sectors are listed in the header, and in a chain of sectors behind that. 2.3, 2.5
fn fat(header: &[u8], body: &ByteRange, sector: u64) -> Option<Table> {
    let mut pieces = Pieces::default();
    let mut list = header.get(DIFAT..)?.to_vec();
    let mut next = u32_at(header, FIRST_DIFAT_SECTOR)?;
    // No chain is longer than the file.
    for _ in 0..=body.len() / sector {
        for number in list.chunks_exact(4).filter_map(|entry| u32_at(entry, 0)) {
            if number < MAX_REGULAR_SECTOR {
                pieces.add(number, sector)?;
            }
        }
        if next >= MAX_REGULAR_SECTOR {
            break;
        }
        let start = u64::from(next).checked_mul(sector)?;
        list = body.part(start, sector)?.head(sector as usize).ok()?;
        next = u32_at(&list, list.len() - 4)?;
        list.truncate(list.len() - 4);
    }
    Some(Table::new(pieces.range(body)?))
}

/// The streams of the root storage: a tree of siblings. 2.6.4
fn streams(directory: &ByteRange, root: &[u8], size_mask: u64) -> Option<Vec<Stream>> {
    let mut streams = Vec::new();
    let mut open = vec![u32_at(root, CHILD)?];
    for _ in 0..MAX_SIBLINGS {
        let Some(number) = open.pop() else {
            break;
        };
        let Some(entry) = entry(directory, number) else {
            continue;
        };
        open.push(u32_at(&entry, LEFT_SIBLING)?);
        open.push(u32_at(&entry, RIGHT_SIBLING)?);
        if entry.get(OBJECT_TYPE) == Some(&TYPE_STREAM) {
            // With a NUL at the end.
            let length = usize::from(u16_at(&entry, NAME_LENGTH)?).saturating_sub(2);
            let name = entry.get(..length.min(NAME_LENGTH))?;
            streams.push(Stream {
                name: codepage::decode_utf16le(name),
                start: u32_at(&entry, START_SECTOR)?,
                size: u64_at(&entry, STREAM_SIZE)? & size_mask,
            });
        }
    }
    Some(streams)
}

/// The directory entry with this number; None for the numbers that mean none.
fn entry(directory: &ByteRange, number: u32) -> Option<Vec<u8>> {
    let entry = directory.part(u64::from(number) * ENTRY, ENTRY)?;
    entry.head(ENTRY as usize).ok()
}

/// Sectors of one size, and the table that chains them.
struct Sectors {
    /// The first sector and all behind it.
    body: ByteRange,
    size: u64,
    table: Table,
}

impl Sectors {
    /// Sectors that there can be.
    fn count(&self) -> usize {
        usize::try_from(self.body.len().div_ceil(self.size)).unwrap_or(usize::MAX)
    }

    /// Files with small sectors may have garbage in the upper half of a size. 2.6.3
    fn size_mask(&self) -> u64 {
        match self.size == 1 << SECTOR_SHIFTS[0] {
            true => u64::from(u32::MAX),
            false => u64::MAX,
        }
    }

    /// The sectors from `start` to the end of their chain; None when these are more than `limit`, as in a circle.
    fn chain(&mut self, start: u32, limit: usize) -> Option<ByteRange> {
        let mut pieces = Pieces::default();
        let mut sector = start;
        for _ in 0..limit {
            if sector >= MAX_REGULAR_SECTOR {
                return pieces.range(&self.body);
            }
            pieces.add(sector, self.size)?;
            sector = self.table.next(sector)?;
        }
        (sector >= MAX_REGULAR_SECTOR).then(|| pieces.range(&self.body))?
    }

    /// The first `size` bytes of the chain from `start`; None when it has not so many.
    fn stream(&mut self, start: u32, size: u64) -> Option<ByteRange> {
        if size > self.body.len() {
            return None;
        }
        let mut pieces = Pieces::default();
        let mut sector = start;
        for _ in 0..size.div_ceil(self.size) {
            pieces.add(sector, self.size)?;
            sector = self.table.next(sector)?;
        }
        pieces.range(&self.body)?.part(0, size)
    }
}

/// A table of which sector follows which, read a page at a time.
struct Table {
    range: ByteRange,
    page: Option<u64>,
    bytes: Vec<u8>,
}

impl Table {
    /// Bytes that are read at a time.
    const PAGE: u64 = 4096;

    fn new(range: ByteRange) -> Self {
        Self {
            range,
            page: None,
            bytes: Vec::new(),
        }
    }

    /// What follows `sector`; None behind the end of the table.
    fn next(&mut self, sector: u32) -> Option<u32> {
        let at = u64::from(sector) * 4;
        let page = at / Self::PAGE * Self::PAGE;
        if self.page != Some(page) {
            let rest = self.range.len().checked_sub(page)?;
            let bytes = self.range.part(page, rest.min(Self::PAGE))?;
            self.bytes = bytes.head(Self::PAGE as usize).ok()?;
            self.page = Some(page);
        }
        u32_at(&self.bytes, (at - page) as usize)
    }
}

/// Stretches of sectors that lie beside each other: start and length in bytes.
#[derive(Default)]
struct Pieces(Vec<(u64, u64)>);

impl Pieces {
    /// None when there are too many.
    fn add(&mut self, sector: u32, size: u64) -> Option<()> {
        let start = u64::from(sector) * size;
        if let Some((first, length)) = self.0.last_mut()
            && *first + *length == start
        {
            *length += size;
            return Some(());
        }
        if self.0.len() >= MAX_PIECES {
            return None;
        }
        self.0.push((start, size));
        Some(())
    }

    /// Their bytes in `body`, of which the very last may be cut off; None when others are.
    fn range(mut self, body: &ByteRange) -> Option<ByteRange> {
        if let Some((start, length)) = self.0.last_mut() {
            *length = body.len().checked_sub(*start)?.min(*length);
        }
        let ranges = self.0.into_iter();
        let ranges = ranges.map(|(start, length)| body.part(start, length));
        Some(ByteRange::joined(ranges.collect::<Option<_>>()?))
    }
}
