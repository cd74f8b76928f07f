//! Base64 content of known size: lines of 76 symbols by arithmetic, any range of them from the bytes it covers. RFC 2045 6.8
#![forbid(unsafe_code)]

use encodify::base64::{self, Base64, LineEnding};

use super::byte_range::ByteRange;
use super::options::Eol;
use crate::bytes::copy_at;
use crate::error::{Error, Result};

/// Source bytes of a full line.
const LINE_BYTES: u64 = 57;
/// Symbols of a full line.
const LINE_SYMBOLS: u64 = 76;
/// Full lines encoded at once: what fits a block of the file and the caches of a processor.
const BATCH_LINES: u64 = 2048;

fn line_len(eol: Eol) -> u64 {
    LINE_SYMBOLS + eol.as_str().len() as u64
}

/// Bytes of the encoded form of `len` bytes; every line, the last one too, has its line end. Saturates.
pub(super) fn encoded_len(len: u64, eol: Eol) -> u64 {
    let full = (len / LINE_BYTES).saturating_mul(line_len(eol));
    let rest = len % LINE_BYTES;
    if rest == 0 {
        return full;
    }
    full.saturating_add(4 * rest.div_ceil(3) + eol.as_str().len() as u64)
}

/// Fills `buf` from byte `offset` of the encoded form of `source`; fewer bytes only at its end.
pub(super) fn read_at(source: &ByteRange, eol: Eol, offset: u64, buf: &mut [u8]) -> Result<usize> {
    let ending = match eol {
        Eol::Lf => LineEnding::Lf,
        Eol::Crlf => LineEnding::CrLf,
    };
    let engine: Base64 = base64::STANDARD.wrapped(LINE_SYMBOLS as usize, ending);
    let end = encoded_len(source.len(), eol);
    let mut bytes = Vec::new();
    let mut done = 0;
    while let Some(free) = buf.get_mut(done..).filter(|free| !free.is_empty()) {
        let at = offset.saturating_add(done as u64);
        if at >= end {
            break;
        }
        let line = at / line_len(eol);
        let skip = at % line_len(eol);
        // Whole lines are encoded where they are wanted; the one that a read begins or ends within is cut out.
        let whole = (free.len() as u64 / line_len(eol)).min(BATCH_LINES);
        let lines = if skip == 0 { whole.max(1) } else { 1 };
        let start = line * LINE_BYTES;
        let count = (lines * LINE_BYTES).min(source.len().saturating_sub(start));
        bytes.resize(count as usize, 0);
        source.read_exact_at(start, &mut bytes)?;
        let encoded = encoded_len(count, eol) as usize;
        let taken = match free.get_mut(..encoded) {
            Some(place) if skip == 0 => engine.encode_slice(&bytes, place).unwrap_or(0),
            _ => copy_at(engine.encode(&bytes).as_bytes(), skip, free),
        };
        if taken == 0 {
            return Err(Error::corrupt(
                "base64",
                format_args!("offset {at:#x}"),
                "the encoder returned nothing",
            ));
        }
        done += taken;
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(len: usize, eol: Eol) -> Vec<u8> {
        let source = ByteRange::of_bytes((0..len).map(|byte| (byte * 7) as u8).collect());
        let mut whole = vec![0; encoded_len(len as u64, eol) as usize + 10];
        let read = read_at(&source, eol, 0, &mut whole).unwrap();
        whole.truncate(read);
        whole
    }

    #[test]
    fn the_length_by_arithmetic_is_the_length_of_the_text() {
        for len in (0..400).chain([57_000, 58_367, 58_368, 58_369, 99_999]) {
            for (eol, end) in [(Eol::Lf, "\n"), (Eol::Crlf, "\r\n")] {
                let text = String::from_utf8(encoded(len, eol)).unwrap();
                assert_eq!(text.len() as u64, encoded_len(len as u64, eol), "{len}");
                assert!(text.is_empty() || text.ends_with(end));
                let lines: Vec<&str> = text.split_terminator(end).collect();
                let (last, full) = lines.split_last().unwrap_or((&"", &[]));
                assert!(full.iter().all(|line| line.len() == 76));
                assert!(last.len() <= 76 && last.len() % 4 == 0);
                let bytes = base64::STANDARD.decode(lines.concat()).unwrap();
                let expected: Vec<u8> = (0..len).map(|byte| (byte * 7) as u8).collect();
                assert_eq!(bytes, expected);
            }
        }
    }

    #[test]
    fn any_range_equals_the_slice_of_the_whole() {
        let source = ByteRange::of_bytes((0..70_000u32).map(|byte| (byte * 13) as u8).collect());
        let whole = encoded_whole(&source);
        let mut at = 0u64;
        for size in [1usize, 3, 76, 77, 78, 500, 4096, 90_000] {
            for _ in 0..20 {
                at = (at * 6_364_136_223 + 1_442_695) % (whole.len() as u64 + 50);
                let mut buf = vec![0; size];
                let read = read_at(&source, Eol::Lf, at, &mut buf).unwrap();
                let from = (at as usize).min(whole.len());
                let to = (from + size).min(whole.len());
                assert_eq!(&buf[..read], &whole[from..to], "{at} {size}");
            }
        }
    }

    fn encoded_whole(source: &ByteRange) -> Vec<u8> {
        let mut whole = vec![0; encoded_len(source.len(), Eol::Lf) as usize];
        assert_eq!(
            read_at(source, Eol::Lf, 0, &mut whole).unwrap(),
            whole.len()
        );
        whole
    }
}
