//! Rendition: an item as a file. An ordered list of segments whose lengths are known before an attachment is read.
//!
//! Text is kept as bytes; attachments are ranges of streams, encoded when they are read. A read touches only the
//! segments and blocks that it covers.
#![forbid(unsafe_code)]

use std::ops::Range;

use super::base64;
use super::byte_range::{ByteRange, CHECK_STEP};
use super::options::Eol;
use super::segments::{Made, Segments};
use crate::bytes::copy_at;
use crate::error::Result;
use crate::problem::Problems;

/// Bytes of text that are not worth a segment of their own.
const LONG_TEXT: usize = 1 << 12;
/// Bytes of the header of a usual message: text grows to it at once, not step by step.
const HEADER_BYTES: usize = 1 << 11;

/// One piece of a rendition.
#[derive(Debug)]
enum Segment {
    Literal(Vec<u8>),
    Base64 { source: ByteRange, eol: Eol },
    Raw(ByteRange),
    Made(Box<dyn Made>),
}

impl Segment {
    fn len(&self) -> u64 {
        match self {
            Self::Literal(bytes) => bytes.len() as u64,
            Self::Base64 { source, eol } => base64::encoded_len(source.len(), *eol),
            Self::Raw(source) => source.len(),
            Self::Made(made) => made.len(),
        }
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        match self {
            Self::Literal(bytes) => Ok(copy_at(bytes, offset, buf)),
            Self::Base64 { source, eol } => base64::read_at(source, *eol, offset, buf),
            Self::Raw(source) => source.read_at(offset, buf),
            Self::Made(made) => made.read_at(offset, buf),
        }
    }

    fn weight(&self) -> usize {
        match self {
            Self::Literal(bytes) => bytes.capacity(),
            Self::Base64 { source, .. } | Self::Raw(source) => source.weight(),
            // Kept as long as the tree, and in no cache.
            Self::Made(_) => 0,
        }
    }
}

/// An item as a file: its exact size at once, its bytes when they are read.
#[derive(Debug, Default)]
pub struct Rendition {
    segments: Segments<Segment>,
    problems: Problems,
    /// How many of these are in the file itself.
    told: usize,
}

impl Rendition {
    /// Exact size in bytes.
    pub fn len(&self) -> u64 {
        self.segments.len()
    }

    /// Whether the file is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buf` from byte `offset`; returns the bytes written, fewer than asked only at the end. An attachment
    /// whose bytes are doubtful or missing is noted in [`Rendition::problems`].
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let read = |segment: &Segment, wanted: Range<u64>, buf: &mut [u8]| {
            segment.read_at(wanted.start, buf)
        };
        self.segments.read_at(offset, buf, read)
    }

    /// Reads all of it once, so that [`Rendition::problems`] has all that is wrong with it.
    pub fn check(&self) -> Result<()> {
        let mut buffer = vec![0; CHECK_STEP];
        let mut offset = 0;
        loop {
            match self.read_at(offset, &mut buffer)? {
                0 => return Ok(()),
                read => offset += read as u64,
            }
        }
    }

    /// Bytes of memory that it holds.
    pub fn weight(&self) -> usize {
        let segments: usize = self.segments.iter().map(Segment::weight).sum();
        segments + self.segments.weight()
    }

    /// What could not be read, or may be wrong. The file itself has what was known when it was made; more may come when
    /// its attachments are read.
    pub fn problems(&self) -> &Problems {
        &self.problems
    }

    /// Whether problems have come since it was made, which are not in it.
    pub fn has_untold_problems(&self) -> bool {
        self.problems.len() > self.told
    }

    /// `text` as it is.
    pub(crate) fn of_text(text: String, problems: &Problems) -> Self {
        let mut writer = Writer::new(Eol::Lf);
        writer.text(&text);
        writer.finish(problems)
    }

    /// What is `made` when it is read, between two texts.
    pub(crate) fn of_made(head: &str, made: Box<dyn Made>, tail: &str) -> Self {
        let mut writer = Writer::new(Eol::Lf);
        writer.text(head);
        writer.push(Segment::Made(made));
        writer.text(tail);
        writer.finish(&Problems::default())
    }

    /// The bytes of `range` as they are.
    pub(crate) fn of_range(range: ByteRange, problems: &Problems) -> Self {
        let mut writer = Writer::new(Eol::Lf);
        writer.raw(range);
        writer.finish(problems)
    }
}

/// Puts a rendition together.
#[derive(Debug)]
pub(crate) struct Writer {
    eol: Eol,
    segments: Segments<Segment>,
    literal: Vec<u8>,
    at_line_start: bool,
}

impl Writer {
    pub fn new(eol: Eol) -> Self {
        Self {
            eol,
            segments: Segments::default(),
            literal: Vec::new(),
            at_line_start: true,
        }
    }

    /// Text whose lines end with LF, written with the line ends of this file.
    pub fn text(&mut self, text: &str) {
        if self.literal.capacity() == 0 {
            self.literal.reserve(HEADER_BYTES);
        }
        match self.eol {
            Eol::Lf => self.literal.extend_from_slice(text.as_bytes()),
            Eol::Crlf => {
                for line in text.split_inclusive('\n') {
                    let bare = line.strip_suffix('\n');
                    self.literal
                        .extend_from_slice(bare.unwrap_or(line).as_bytes());
                    if bare.is_some() {
                        self.literal.extend_from_slice(b"\r\n");
                    }
                }
            }
        }
        if !text.is_empty() {
            self.at_line_start = text.ends_with('\n');
        }
    }

    /// As [`Writer::text`]; long text becomes a segment of its own as it is.
    pub fn text_owned(&mut self, text: String) {
        if self.eol == Eol::Crlf || text.len() < LONG_TEXT {
            return self.text(&text);
        }
        self.flush();
        self.at_line_start = text.ends_with('\n');
        let mut bytes = text.into_bytes();
        bytes.shrink_to_fit();
        self.add(Segment::Literal(bytes));
    }

    /// Ends the line unless that is done.
    pub fn end_line(&mut self) {
        if !self.at_line_start {
            self.text("\n");
        }
    }

    /// `source` in base64 lines.
    pub fn base64(&mut self, source: ByteRange) {
        let eol = self.eol;
        self.push(Segment::Base64 { source, eol });
        self.at_line_start = true;
    }

    /// `source` byte for byte.
    pub fn raw(&mut self, source: ByteRange) {
        self.push(Segment::Raw(source));
        // How it ends would have to be read; one more line end hurts nobody.
        self.at_line_start = false;
    }

    fn add(&mut self, segment: Segment) {
        let len = segment.len();
        self.segments.push(segment, len);
    }

    fn push(&mut self, segment: Segment) {
        self.flush();
        self.add(segment);
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            let mut bytes = std::mem::take(&mut self.literal);
            bytes.shrink_to_fit();
            self.add(Segment::Literal(bytes));
        }
    }

    /// The text written so far, for text that goes into a part.
    pub fn into_text(self) -> String {
        String::from_utf8_lossy(&self.literal).into_owned()
    }

    pub fn finish(mut self, problems: &Problems) -> Rendition {
        self.flush();
        Rendition {
            segments: self.segments,
            told: problems.len(),
            problems: problems.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(eol: Eol) -> Rendition {
        let mut writer = Writer::new(eol);
        writer.text("Subject: x\n\n");
        writer.base64(ByteRange::of_bytes((0..=255).cycle().take(1000).collect()));
        writer.text("--b\n");
        writer.raw(
            ByteRange::of_bytes(b"signed \n bytes\r\n".to_vec())
                .part(2, 10)
                .unwrap(),
        );
        writer.end_line();
        writer.text("end\n");
        writer.finish(&Problems::default())
    }

    #[test]
    fn every_range_equals_the_slice_of_the_whole() {
        for eol in [Eol::Lf, Eol::Crlf] {
            let rendition = sample(eol);
            let mut whole = vec![0; rendition.len() as usize + 5];
            let read = rendition.read_at(0, &mut whole).unwrap();
            assert_eq!(read as u64, rendition.len());
            whole.truncate(read);
            for start in 0..whole.len() + 3 {
                for size in [1, 2, 7, 80, 300] {
                    let mut buf = vec![0; size];
                    let read = rendition.read_at(start as u64, &mut buf).unwrap();
                    let from = start.min(whole.len());
                    assert_eq!(buf[..read], whole[from..(from + size).min(whole.len())]);
                }
            }
        }
    }

    #[test]
    fn text_takes_the_line_ends_of_the_file_and_raw_bytes_keep_theirs() {
        let read = |rendition: &Rendition| {
            let mut whole = vec![0; rendition.len() as usize];
            rendition.read_at(0, &mut whole).unwrap();
            String::from_utf8(whole).unwrap()
        };
        assert!(read(&sample(Eol::Lf)).ends_with("--b\ngned \n byt\nend\n"));
        let crlf = read(&sample(Eol::Crlf));
        assert!(crlf.starts_with("Subject: x\r\n\r\n"));
        assert!(crlf.ends_with("--b\r\ngned \n byt\r\nend\r\n"));
    }
}
