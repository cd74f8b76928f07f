//! Compressed RTF (PidTagRtfCompressed): LZFu and the uncompressed form MELA. [MS-OXRTFCP] 2.1.3, 2.2, 3.1.
//!
//! Tolerant: whatever can be decoded is returned, along with what was wrong. Nothing is sized by a number of the
//! header; a compressed byte yields less than nine bytes by the nature of the format.
#![forbid(unsafe_code)]

use std::ops::Range;

use super::property::PropertyType;
use super::stream::{Bytes, gap_in_text};

/// Bytes of the header: COMPSIZE, RAWSIZE, COMPTYPE, CRC.
const HEADER: usize = 16;
/// COMPSIZE counts from behind itself.
const AFTER_COMPSIZE: usize = 4;
/// COMPTYPE of compressed streams, `LZFu`.
const LZFU: u32 = 0x7546_5A4C;
/// COMPTYPE of stored streams, `MELA`.
const MELA: u32 = 0x414C_454D;
/// Bytes of the dictionary, a ring.
const DICTIONARY: usize = 4096;
/// What the dictionary holds at the start.
const PRELOAD: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
/// How RTF begins; some writers store it without any header.
const RTF_SIGNATURE: &[u8] = b"{\\rtf";
/// Groups that are closed where RTF breaks off; none that somebody wrote has as many within each other.
const MOST_OPEN: usize = 1000;
/// How RTF without text begins.
const EMPTY: &[u8] = b"{\\rtf1\\ansi";
/// No body is longer than this many bytes; what is beyond is cut off and reported.
const MAX_OUTPUT: usize = 256 << 20;

/// What came out of a PidTagRtfCompressed value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decompressed {
    /// The RTF; all that could be decoded when there is a problem.
    pub bytes: Vec<u8>,
    /// The first thing that was wrong with the value.
    pub problem: Option<Problem>,
}

/// What is wrong with a compressed RTF value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Shorter than its header.
    #[error("compressed RTF: header of 16 bytes expected, {0} bytes found")]
    TooShort(usize),
    /// Neither LZFu nor MELA.
    #[error("compressed RTF: type LZFu or MELA expected, {0:#010x} found")]
    UnknownType(u32),
    /// The data ends before the mark that ends it, or before the size that the header states.
    #[error("compressed RTF: cut off, {expected} bytes expected, {found} found")]
    Truncated {
        /// RAWSIZE.
        expected: u32,
        /// Bytes decoded.
        found: usize,
    },
    /// The mark that ends the data stands behind the size of the compressed bytes, this many, that the header states.
    #[error("compressed RTF: goes on behind the {0} compressed bytes that its header states")]
    CompressedSize(usize),
    /// Ends properly, but with another size than the header states.
    #[error("compressed RTF: {expected} bytes expected, {found} found")]
    Size {
        /// RAWSIZE.
        expected: u32,
        /// Bytes decoded.
        found: usize,
    },
    /// The checksum of the compressed bytes is wrong.
    #[error("compressed RTF: CRC {expected:#010x} expected, {found:#010x} found")]
    Crc {
        /// CRC in the header.
        expected: u32,
        /// CRC of the bytes.
        found: u32,
    },
    /// Longer than any body that we decode.
    #[error("compressed RTF: more than {MAX_OUTPUT} bytes")]
    TooLong,
}

/// The fields of the header.
struct Header {
    /// Where the compressed bytes end within the value.
    end: usize,
    raw_size: u32,
    kind: u32,
    crc: u32,
}

impl Header {
    fn read(value: &[u8]) -> Option<Self> {
        let (fields, _) = value.get(..HEADER)?.as_chunks::<4>();
        let &[compressed_size, raw_size, kind, crc] = fields else {
            return None;
        };
        // A value may be padded, so COMPSIZE counts; one that leaves no room for the header is no size at all.
        let end = (u32::from_le_bytes(compressed_size) as usize).saturating_add(AFTER_COMPSIZE);
        Some(Self {
            end: if end < HEADER { value.len() } else { end },
            raw_size: u32::from_le_bytes(raw_size),
            kind: u32::from_le_bytes(kind),
            crc: u32::from_le_bytes(crc),
        })
    }
}

/// Decompresses a PidTagRtfCompressed value. RTF without a header is taken as it is.
pub fn decompress(value: &[u8]) -> Decompressed {
    if value.starts_with(RTF_SIGNATURE) {
        return Decompressed {
            bytes: value.to_vec(),
            problem: None,
        };
    }
    let Some(header) = Header::read(value) else {
        return failure(Problem::TooShort(value.len()));
    };
    if value == [0; HEADER] {
        // So a real OST has a body without text.
        return Decompressed {
            bytes: Vec::new(),
            problem: None,
        };
    }
    let complete = header.end <= value.len();
    let rest = value.get(HEADER..).unwrap_or_default();
    let body = rest.get(..header.end - HEADER).unwrap_or(rest);
    match header.kind {
        LZFU => compressed(&header, body, rest),
        MELA => stored(&header, body, complete),
        other => of_unknown_type(other, body),
    }
}

/// As [`decompress`], of a value that may have gaps: what is missing is words in the RTF, and groups that are open at its end are
/// closed, so that others read it.
///
/// Behind a gap nothing of a compressed value means what it meant: where 512 bytes are missing, four fifths of what follows
/// refers to bytes that are lost, directly or not, even if the place in the dictionary is worked out from the end mark.
pub fn decompress_with_gaps(value: &Bytes) -> Decompressed {
    let gap = value.missing.first();
    if let Some((gap, header)) = gap.zip(header_of_stored(&value.bytes))
        && header <= gap.start
    {
        return stored_with_gaps(value, header);
    }
    let (until, missing) = match gap {
        Some(gap) => (gap.start, value.bytes.len() - gap.start),
        None => (value.bytes.len(), cut_off(&value.bytes)),
    };
    let mut start = decompress(value.bytes.get(..until).unwrap_or_default());
    let missing = match start.bytes.is_empty() && value.is_flawed {
        true => value.bytes.len(),
        false => missing,
    };
    if start.problem.is_some() {
        let words = match missing {
            0 => String::new(),
            missing => format!("{} (compressed)", gap_in_text(missing)),
        };
        end(&mut start.bytes, &words);
    }
    start
}

/// The RTF of a value that is damaged, as others can read it once it is [stored](store); None where nothing is wrong with `value`, or
/// nothing can be read.
pub fn restored(value: &Bytes) -> Option<Decompressed> {
    let has_gaps = !value.missing.is_empty() || cut_off(&value.bytes) > 0;
    if !value.is_flawed && !has_gaps {
        return None;
    }
    let rtf = decompress_with_gaps(value);
    let is_damaged = rtf.problem.is_some() || has_gaps;
    (is_damaged && !rtf.bytes.is_empty()).then_some(rtf)
}

/// How many bytes `value` is shorter than its header says.
fn cut_off(value: &[u8]) -> usize {
    let end = Header::read(value).map_or(0, |header| header.end);
    end.saturating_sub(value.len())
}

/// Bytes of the header of a value that is not compressed.
fn header_of_stored(value: &[u8]) -> Option<usize> {
    if value.starts_with(RTF_SIGNATURE) {
        return Some(0);
    }
    let header = Header::read(value)?;
    (header.kind == MELA).then_some(HEADER)
}

/// As [`decompress_with_gaps`], of a value that is not compressed: what is behind a gap means what it meant.
fn stored_with_gaps(value: &Bytes, header: usize) -> Decompressed {
    let Decompressed { bytes, problem } = decompress(&value.bytes);
    let in_rtf = |gap: &Range<usize>| {
        let [start, end] =
            [gap.start, gap.end].map(|at| at.saturating_sub(header).min(bytes.len()));
        start..end
    };
    let rtf = Bytes {
        missing: value.missing.iter().map(in_rtf).collect(),
        bytes,
        is_flawed: true,
    };
    let mut bytes = rtf.with_gaps_said(PropertyType::STRING8, true);
    end(&mut bytes, "");
    Decompressed { bytes, problem }
}

/// The uncompressed form of a value: a header with its sizes, and `rtf`. [MS-OXRTFCP] 2.1.3.1
pub fn store(rtf: &[u8]) -> Vec<u8> {
    let size = rtf.len() as u32;
    let compressed_size = size + (HEADER - AFTER_COMPSIZE) as u32;
    let fields = [compressed_size, size, MELA, 0];
    let mut value: Vec<u8> = fields.into_iter().flat_map(u32::to_le_bytes).collect();
    value.extend_from_slice(rtf);
    value
}

/// Ends RTF that breaks off: closes its groups, and says `words` in the outermost one.
fn end(rtf: &mut Vec<u8>, words: &str) {
    if rtf.is_empty() && !words.is_empty() {
        rtf.extend_from_slice(EMPTY);
    }
    let open = open_groups(rtf).min(MOST_OPEN);
    if open == 0 {
        return;
    }
    // The first byte ends a control word.
    rtf.push(b'\n');
    rtf.resize(rtf.len() + open - 1, b'}');
    if !words.is_empty() {
        // RTF made of HTML may hide what follows until it is told otherwise. [MS-OXRTFEX] 2.1.3.2
        rtf.extend_from_slice(format!("\\htmlrtf0\\par {words}\\par\n").as_bytes());
    }
    rtf.push(b'}');
}

/// How many groups of `rtf` are not closed.
fn open_groups(rtf: &[u8]) -> usize {
    let mut open: usize = 0;
    let mut bytes = rtf.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' => open += 1,
            b'}' => open = open.saturating_sub(1),
            // An escaped character, or the first of a control word.
            b'\\' => _ = bytes.next(),
            _ => {}
        }
    }
    open
}

/// A value whose type is none, which is one wrong field: the text shows what it is.
fn of_unknown_type(kind: u32, body: &[u8]) -> Decompressed {
    let problem = Problem::UnknownType(kind);
    let (inflated, _) = inflate(body);
    match [&inflated, body].map(|text| text.starts_with(RTF_SIGNATURE)) {
        [true, _] => Decompressed {
            bytes: inflated,
            problem: Some(problem),
        },
        [_, true] => Decompressed {
            bytes: body.to_vec(),
            problem: Some(problem),
        },
        _ => failure(problem),
    }
}

/// A compressed value, whose mark tells where it ends: `rest` of the value goes on if COMPSIZE, which ends `body`, does not
/// reach the mark.
fn compressed(header: &Header, body: &[u8], rest: &[u8]) -> Decompressed {
    let (bytes, end) = inflate(body);
    let is_cut = end == End::Input && body.len() < rest.len();
    if is_cut && let (bytes, End::Mark) = inflate(rest) {
        let problem = Some(Problem::CompressedSize(body.len()));
        return Decompressed { bytes, problem };
    }
    let problem = lzfu_problem(header, body, bytes.len(), end);
    Decompressed { bytes, problem }
}

fn failure(problem: Problem) -> Decompressed {
    Decompressed {
        bytes: Vec::new(),
        problem: Some(problem),
    }
}

fn stored(header: &Header, body: &[u8], complete: bool) -> Decompressed {
    let expected = header.raw_size;
    let found = body.len();
    // Aspose's writer counts the header in RAWSIZE.
    let counted = found + HEADER - AFTER_COMPSIZE;
    let problem = if found > MAX_OUTPUT {
        Some(Problem::TooLong)
    } else if complete && counted == expected as usize {
        None
    } else if !complete || found < expected as usize {
        Some(Problem::Truncated { expected, found })
    } else if found > expected as usize {
        Some(Problem::Size { expected, found })
    } else {
        None
    };
    Decompressed {
        bytes: body
            .get(..found.min(MAX_OUTPUT))
            .unwrap_or_default()
            .to_vec(),
        problem,
    }
}

/// Why decoding stopped.
#[derive(PartialEq)]
enum End {
    /// At the end mark.
    Mark,
    /// The input was used up.
    Input,
    /// The output reached [`MAX_OUTPUT`].
    Limit,
}

fn lzfu_problem(header: &Header, body: &[u8], found: usize, end: End) -> Option<Problem> {
    let expected = header.raw_size;
    let crc = crc(body);
    if end == End::Limit {
        Some(Problem::TooLong)
    } else if end == End::Input && found < expected as usize {
        Some(Problem::Truncated { expected, found })
    } else if found != expected as usize {
        Some(Problem::Size { expected, found })
    } else if crc != header.crc {
        Some(Problem::Crc {
            expected: header.crc,
            found: crc,
        })
    } else {
        None
    }
}

/// CRC-32 with neither the initial nor the final complement. [MS-OXRTFCP] 3.1.3.2.
fn crc(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(u32::MAX);
    hasher.update(bytes);
    !hasher.finalize()
}

/// The last 4096 bytes written.
struct Dictionary {
    ring: [u8; DICTIONARY],
    write: usize,
}

impl Dictionary {
    fn new() -> Self {
        let mut dictionary = Self {
            ring: [0; DICTIONARY],
            write: 0,
        };
        for &byte in PRELOAD {
            dictionary.push(byte);
        }
        dictionary
    }

    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.ring.get_mut(self.write) {
            *slot = byte;
        }
        self.write = (self.write + 1) % DICTIONARY;
    }

    fn at(&self, offset: usize) -> u8 {
        self.ring
            .get(offset % DICTIONARY)
            .copied()
            .unwrap_or_default()
    }
}

/// Decodes LZFu until its end mark, the end of the input or the limit. [MS-OXRTFCP] 3.1.1.
fn inflate(body: &[u8]) -> (Vec<u8>, End) {
    let mut dictionary = Dictionary::new();
    let mut out = Vec::new();
    let mut input = body.iter();
    while let Some(&control) = input.next() {
        for bit in 0..8 {
            if out.len() >= MAX_OUTPUT {
                return (out, End::Limit);
            }
            let Some(&first) = input.next() else {
                return (out, End::Input);
            };
            if control >> bit & 1 == 0 {
                dictionary.push(first);
                out.push(first);
                continue;
            }
            let Some(&second) = input.next() else {
                return (out, End::Input);
            };
            let reference = usize::from(u16::from_be_bytes([first, second]));
            let (offset, length) = (reference >> 4, (reference & 0xF) + 2);
            if offset == dictionary.write {
                return (out, End::Mark);
            }
            // Byte by byte: the bytes copied may be among those that this reference writes.
            for i in 0..length {
                let byte = dictionary.at(offset + i);
                dictionary.push(byte);
                out.push(byte);
            }
        }
    }
    (out, End::Input)
}

#[cfg(test)]
mod tests;
