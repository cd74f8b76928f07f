//! A file that was copied as text: in front of each LF a CR was put, as FTP does in ASCII mode. That is undone by leaving the CR
//! before each LF out, which gives every byte that was there before.
//!
//! A file of binary data has an LF without a CR in front of it within its first few hundred bytes; so one that has none at
//! all was copied so.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

const CR: u8 = b'\r';
const LF: u8 = b'\n';
/// Bytes of the file for which the number of added bytes before them is kept: a read begins at one of these places.
const STRETCH: usize = 16 << 10;
/// Fewer line ends than these prove nothing: by chance an LF of binary data follows a CR once in 256 times.
const PROOF: u64 = 16;

/// Where bytes were added to a file.
#[derive(Debug)]
pub(super) struct LineEnds {
    /// How many were, before each stretch of the file.
    before: Box<[u64]>,
    /// How many were in all.
    pub(super) added: u64,
}

impl LineEnds {
    /// Reads `file` of `len` bytes, up to the first LF without a CR: then, and if the disk fails, None. `progress` is called with the
    /// bytes that were read once it looks like such a copy.
    pub(super) fn of(file: &File, len: u64, mut progress: impl FnMut(u64)) -> Option<Self> {
        let mut before = Vec::new();
        let mut added = 0;
        let mut last = 0;
        let mut stretch = Vec::new();
        for start in (0..len).step_by(STRETCH) {
            if added >= PROOF {
                progress(start);
            }
            stretch.resize(STRETCH.min(usize::try_from(len - start).ok()?), 0);
            file.read_exact_at(&mut stretch, start).ok()?;
            for (index, byte) in stretch.iter().enumerate() {
                if *byte == LF {
                    if last != CR {
                        return None;
                    }
                    added += 1;
                }
                // The CR of an LF that begins a stretch lies before it.
                if index == 0 {
                    before.push(added);
                }
                last = *byte;
            }
        }
        (added >= PROOF).then_some(Self {
            before: before.into(),
            added,
        })
    }

    /// Where the stretch begins in which byte `offset` of the file without the added bytes lies, and how many of its bytes come before
    /// that one.
    fn stretch_of(&self, offset: u64) -> (u64, u64) {
        let kept = |number: usize| {
            let start = number as u64 * STRETCH as u64;
            start - self.before.get(number).copied().unwrap_or(self.added)
        };
        let (mut low, mut high) = (0, self.before.len());
        while high - low > 1 {
            let middle = low.midpoint(high);
            match kept(middle) <= offset {
                true => low = middle,
                false => high = middle,
            }
        }
        (
            low as u64 * STRETCH as u64,
            offset.saturating_sub(kept(low)),
        )
    }

    /// About where byte `offset` of the file without the added bytes is in `file`: no further on, and within a stretch.
    pub(super) fn place(&self, offset: u64) -> u64 {
        let (start, skipped) = self.stretch_of(offset);
        start.saturating_add(skipped)
    }

    /// Fills `buf` with the bytes from `offset` on of `file` without the added ones.
    pub(super) fn read_exact_at(&self, file: &File, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let (mut place, mut skipped) = self.stretch_of(offset);
        let mut wanted = buf.iter_mut().peekable();
        let mut bytes = vec![0; STRETCH];
        while wanted.peek().is_some() {
            let read = file.read_at(&mut bytes, place)?;
            let there = bytes.get(..read).unwrap_or_default();
            // The last byte is read again with the one that follows it, which decides about it.
            let decided = match there {
                [] => return Err(io::ErrorKind::UnexpectedEof.into()),
                [_] => 1,
                _ => read - 1,
            };
            let following = there.iter().copied().skip(1).map(Some).chain([None]);
            let kept = there
                .iter()
                .zip(following)
                .take(decided)
                .filter(|(byte, next)| !(**byte == CR && *next == Some(LF)));
            for (byte, _) in kept {
                if skipped > 0 {
                    skipped -= 1;
                } else if let Some(target) = wanted.next() {
                    *target = *byte;
                } else {
                    break;
                }
            }
            place += decided as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file_of(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file
    }

    /// As an FTP server sends a text.
    fn with_line_ends(content: &[u8]) -> Vec<u8> {
        let mut sent = Vec::new();
        for byte in content {
            if *byte == LF {
                sent.push(CR);
            }
            sent.push(*byte);
        }
        sent
    }

    #[test]
    fn every_range_of_the_file_is_as_it_was_before_it_was_copied_as_text() {
        // CR before LF, LF at the ends of stretches, and CR and LF in a row are among these.
        let content: Vec<u8> = (0..200_000u32)
            .map(|number| match number.wrapping_mul(2_654_435_761) >> 28 {
                0..4 => LF,
                4..8 => CR,
                other => other as u8,
            })
            .collect();
        let sent = with_line_ends(&content);
        let file = file_of(&sent);
        let line_ends = LineEnds::of(&file, sent.len() as u64, |_| {}).unwrap();
        assert_eq!(line_ends.added as usize, sent.len() - content.len());
        for start in (0..content.len()).step_by(997) {
            for length in [0, 1, 2, 513, 70_000] {
                let end = content.len().min(start + length);
                let mut found = vec![0; end - start];
                line_ends
                    .read_exact_at(&file, &mut found, start as u64)
                    .unwrap();
                assert!(found == content[start..end], "{start}, {length}");
            }
            assert!(line_ends.place(start as u64) >= start as u64);
        }
        let mut beyond = [0; 2];
        let end = content.len() as u64 - 1;
        assert!(line_ends.read_exact_at(&file, &mut beyond, end).is_err());
    }

    #[test]
    fn a_line_end_without_a_carriage_return_shows_that_the_file_was_not_copied_as_text() {
        let text = with_line_ends(&[b"\n".repeat(100), b"bytes".to_vec()].concat());
        for (content, is_copied) in [
            (text.clone(), true),
            ([&*text, b"\n"].concat(), false),
            (with_line_ends(&b"a\n".repeat(15)), false),
            (vec![0; 1000], false),
        ] {
            let found = LineEnds::of(&file_of(&content), content.len() as u64, |_| {});
            assert_eq!(found.is_some(), is_copied, "{} bytes", content.len());
        }
    }
}
