//! Inflates the blocks of 4K-page files: zlib streams (RFC 1950, 1951). Of a damaged one comes what inflates before the fault.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_IGNORE_ADLER32, TINFL_FLAG_PARSE_ZLIB_HEADER,
    TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// Bytes of the header of a zlib stream.
const ZLIB_HEADER: usize = 2;

/// Where inflating ended too early, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    /// Bytes that were inflated before it.
    pub there: usize,
    /// What is wrong.
    pub problem: &'static str,
}

/// Inflates `stored` into `out`, which has the size that the block B-tree declares; returns how many bytes there were.
pub(super) fn inflate(stored: &[u8], out: &mut [u8]) -> Result<usize, Fault> {
    let result = run(stored, out, TINFL_FLAG_PARSE_ZLIB_HEADER);
    match result {
        // The header tells nothing that is needed.
        Err(Fault { there: 0, .. }) => {
            let stream = stored.get(ZLIB_HEADER..).unwrap_or_default();
            match run(stream, out, TINFL_FLAG_IGNORE_ADLER32) {
                Ok(there) | Err(Fault { there, .. }) if there > 0 => Err(Fault {
                    there,
                    problem: "the header of the zlib stream is damaged",
                }),
                _ => result,
            }
        }
        other => other,
    }
}

fn run(stream: &[u8], out: &mut [u8], flags: u32) -> Result<usize, Fault> {
    let mut inflater = Box::<DecompressorOxide>::default();
    let flags = flags | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let (status, _, there) = decompress(&mut inflater, stream, out, 0, flags);
    let problem = match status {
        TINFLStatus::Done => return Ok(there),
        TINFLStatus::Adler32Mismatch => "the Adler-32 of the zlib stream does not fit",
        TINFLStatus::HasMoreOutput => "inflates to more bytes than it should",
        TINFLStatus::FailedCannotMakeProgress | TINFLStatus::NeedsMoreInput => {
            "the zlib stream ends before it is complete"
        }
        _ => "the zlib stream is damaged",
    };
    Err(Fault { there, problem })
}

#[cfg(test)]
mod tests {
    use super::*;
    use miniz_oxide::deflate::compress_to_vec_zlib;

    fn text() -> Vec<u8> {
        (0..2000)
            .flat_map(|n: u32| format!("line {n}\n").into_bytes())
            .collect()
    }

    #[test]
    fn what_inflates_before_a_fault_is_there() {
        let plain = text();
        let stream = compress_to_vec_zlib(&plain, 6);
        let mut out = vec![0; plain.len()];
        assert_eq!(inflate(&stream, &mut out), Ok(plain.len()));
        assert_eq!(out, plain);
        let cut = &stream[..stream.len() / 2];
        let mut out = vec![0; plain.len()];
        let fault = inflate(cut, &mut out).unwrap_err();
        assert!(fault.there > plain.len() / 4 && fault.there < plain.len());
        assert_eq!(out[..fault.there], plain[..fault.there]);
    }

    #[test]
    fn neither_a_wrong_adler_32_nor_a_wrong_header_costs_a_byte() {
        let plain = text();
        let stream = compress_to_vec_zlib(&plain, 6);
        for at in [0, 1, stream.len() - 1] {
            let mut stream = stream.clone();
            stream[at] ^= 0x55;
            let mut out = vec![0; plain.len()];
            let fault = inflate(&stream, &mut out).unwrap_err();
            assert_eq!(fault.there, plain.len(), "byte {at}");
            assert_eq!(out, plain);
        }
    }
}
