//! Compressed RTF (PidTagRtfCompressed): LZFu and the uncompressed form MELA. [MS-OXRTFCP] 2.1.3, 2.2, 3.1.
//!
//! Tolerant: whatever can be decoded is returned, along with what was wrong. Nothing is sized by a number of the
//! header; a compressed byte yields less than nine bytes by the nature of the format.
#![forbid(unsafe_code)]

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
    let complete = header.end <= value.len();
    let rest = value.get(HEADER..).unwrap_or_default();
    let body = rest.get(..header.end - HEADER).unwrap_or(rest);
    match header.kind {
        LZFU => compressed(&header, body, rest),
        MELA => stored(&header, body, complete),
        other => of_unknown_type(other, body),
    }
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
