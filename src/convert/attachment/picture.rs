//! Pictures in the forms of the clipboard as files that programs open.
#![forbid(unsafe_code)]

use crate::bytes::{array_at, u16_at, u32_at};
use crate::convert::byte_range::ByteRange;

/// Bytes of a file that tell what it is.
pub(super) const MAGIC: usize = 64;
/// Header of a bitmap file: "BM", its length, four bytes that are zero, and where the pixels begin. [MS-WMF] 2.2.2.9 has
/// what follows.
const BITMAP_FILE_HEADER: u32 = 14;
const BITMAP_CORE_HEADER: u32 = 12;
const BITMAP_INFO_HEADER: u32 = 40;
/// BI_BITFIELDS: three masks stand behind the header. [MS-WMF] 2.1.1.7
const BITFIELDS: u32 = 3;
const MASKS: u32 = 12;
/// Pixels of at most so many bits have their colours in a table.
const MAX_PALETTE_BITS: u16 = 8;
/// Key of a placeable metafile. [MS-WMF] 2.3.2.3
const PLACEABLE_KEY: u32 = 0x9AC6_CDD7;
/// Units of an inch in which the size of a picture is given: hundredths of a millimetre.
const UNITS_PER_INCH: u32 = 2540;

/// Forms of pictures. [MS-OLEDS] 2.1.1
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClipboardFormat {
    Metafile,
    Bitmap,
    EnhancedMetafile,
}

impl ClipboardFormat {
    /// The form with this number.
    pub fn of(number: u32) -> Option<Self> {
        Some(match number {
            3 => Self::Metafile,
            8 => Self::Bitmap,
            14 => Self::EnhancedMetafile,
            _ => return None,
        })
    }
}

/// The extension of a file that begins with `head`; None when it is none of the files that objects have in them.
pub(super) fn extension(head: &[u8]) -> Option<&'static str> {
    const EMF_SIGNATURE: usize = 40;
    const MAGICS: [(&[u8], &str); 9] = [
        (b"BM", "bmp"),
        (&PLACEABLE_KEY.to_le_bytes(), "wmf"),
        (b"\x89PNG\r\n\x1A\n", "png"),
        (b"GIF8", "gif"),
        (b"\xFF\xD8\xFF", "jpg"),
        (b"II*\0", "tif"),
        (b"MM\0*", "tif"),
        (b"%PDF-", "pdf"),
        (b"{\\rtf", "rtf"),
    ];
    let known = MAGICS.iter().find(|(magic, _)| head.starts_with(magic));
    let is_emf = u32_at(head, 0) == Some(1) && array_at(head, EMF_SIGNATURE) == Some(*b" EMF");
    known
        .map(|(_, extension)| *extension)
        .or(is_emf.then_some("emf"))
}

/// A picture in `format` as a file, with its extension; `width` and `height` in hundredths of a millimetre. None when it
/// is no such picture.
pub(super) fn file(
    format: ClipboardFormat,
    data: ByteRange,
    width: u32,
    height: u32,
) -> Option<(&'static str, ByteRange)> {
    let head = data.head(MAGIC).ok()?;
    if let Some(extension) = extension(&head) {
        return Some((extension, data));
    }
    let (extension, header) = match format {
        ClipboardFormat::Metafile if is_metafile(&head) => ("wmf", placeable(width, height)),
        ClipboardFormat::Bitmap => ("bmp", bitmap_file_header(&head, data.len())?),
        _ => return None,
    };
    let header = ByteRange::of_bytes(header);
    Some((extension, ByteRange::joined(vec![header, data])))
}

/// Whether `head` begins a metafile in memory, of nine words of header. [MS-WMF] 2.3.2.2
pub(super) fn is_metafile(head: &[u8]) -> bool {
    matches!(u16_at(head, 0), Some(1 | 2)) && u16_at(head, 2) == Some(9)
}

/// The header that a metafile in memory lacks: its size on paper. [MS-WMF] 2.3.2.3
fn placeable(width: u32, height: u32) -> Vec<u8> {
    // Sizes are signed: downwards is negative in some writers, and what is unknown gets an inch.
    let size = |units: u32| match (units as i32).unsigned_abs() {
        0 => UNITS_PER_INCH,
        units => units,
    };
    let (width, height) = (size(width), size(height));
    // Edges have 15 bits.
    let scale = width.max(height) / u32::from(i16::MAX as u16) + 1;
    let edge = |units: u32| (units / scale).max(1) as u16;
    let words = [
        PLACEABLE_KEY as u16,
        (PLACEABLE_KEY >> 16) as u16,
        0,
        0,
        0,
        edge(width),
        edge(height),
        edge(UNITS_PER_INCH),
        0,
        0,
    ];
    let checksum = words.iter().fold(0, |sum, word| sum ^ word);
    let words = words.into_iter().chain([checksum]);
    words.flat_map(u16::to_le_bytes).collect()
}

/// The header that a bitmap in memory lacks. [MS-WMF] 2.2.2.9
fn bitmap_file_header(head: &[u8], len: u64) -> Option<Vec<u8>> {
    let pixels = BITMAP_FILE_HEADER.checked_add(pixels_at(head)?)?;
    let len = u32::try_from(len).ok()?.checked_add(BITMAP_FILE_HEADER)?;
    let mut header = b"BM".to_vec();
    header.extend(len.to_le_bytes());
    header.extend([0; 4]);
    header.extend(pixels.to_le_bytes());
    (pixels <= len).then_some(header)
}

/// Where the pixels of a bitmap in memory begin: behind header, masks and palette.
fn pixels_at(head: &[u8]) -> Option<u32> {
    let header = u32_at(head, 0)?;
    let palette = |bits: u16| match bits {
        1..=MAX_PALETTE_BITS => 1_u32 << bits,
        _ => 0,
    };
    if header == BITMAP_CORE_HEADER {
        const BITS: usize = 10;
        return header.checked_add(3 * palette(u16_at(head, BITS)?));
    }
    const BITS: usize = 14;
    const COMPRESSION: usize = 16;
    const COLOURS_USED: usize = 32;
    if !(BITMAP_INFO_HEADER..=1024).contains(&header) {
        return None;
    }
    let colours = match u32_at(head, COLOURS_USED)? {
        0 => palette(u16_at(head, BITS)?),
        used => used,
    };
    let masks = match u32_at(head, COMPRESSION)? == BITFIELDS && header == BITMAP_INFO_HEADER {
        true => MASKS,
        false => 0,
    };
    header
        .checked_add(masks)?
        .checked_add(colours.checked_mul(4)?)
}
