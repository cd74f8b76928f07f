//! The quoting of mboxrd: a line that begins with any number of `>` and `From ` gets one `>` more, so that none is taken for
//! the beginning of a message, and readers take one off. (qmail's mbox(5))

use std::io::{self, Write};

/// What begins a message in an mbox.
const FROM: &[u8] = b"From ";

/// Quotes what is written to it on its way to `out`, and tells how the text ended. Keeps no more than four bytes.
pub(super) struct Quoting<'a> {
    out: &'a mut dyn Write,
    place: Place,
    last: Option<u8>,
}

/// Where in a line the next byte is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// After nothing but `>`, and then these many bytes of [`FROM`], which are not written yet.
    Beginning(usize),
    /// Where nothing has to be quoted any more.
    Middle,
}

impl<'a> Quoting<'a> {
    /// At the beginning of a line.
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            place: Place::Beginning(0),
            last: None,
        }
    }

    /// Ends the last line, if that has no end.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.release()?;
        match self.last {
            Some(b'\n') => Ok(()),
            _ => self.out.write_all(b"\n"),
        }
    }

    /// Writes what was held back.
    fn release(&mut self) -> io::Result<()> {
        if let Place::Beginning(held) = self.place {
            self.out.write_all(FROM.get(..held).unwrap_or_default())?;
        }
        self.place = Place::Middle;
        Ok(())
    }

    /// Takes some of `bytes`, at least one; returns the rest.
    fn take<'b>(&mut self, bytes: &'b [u8]) -> io::Result<&'b [u8]> {
        let Place::Beginning(held) = self.place else {
            // Past lines that begin with anything else.
            let may_begin = |at: &usize| matches!(bytes.get(at + 1), None | Some(b'F' | b'>'));
            let end = memchr::memchr_iter(b'\n', bytes).find(may_begin);
            if end.is_some() {
                self.place = Place::Beginning(0);
            }
            let (line, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
            self.out.write_all(line)?;
            return Ok(rest);
        };
        match bytes.split_first() {
            // Which of them is added makes no difference, so none has to be kept.
            Some((b'>', rest)) if held == 0 => {
                self.out.write_all(b">")?;
                Ok(rest)
            }
            Some((byte, rest)) if FROM.get(held) == Some(byte) => {
                self.place = Place::Beginning(held + 1);
                if held + 1 == FROM.len() {
                    self.out.write_all(b">")?;
                    self.release()?;
                }
                Ok(rest)
            }
            _ => {
                self.release()?;
                Ok(bytes)
            }
        }
    }
}

impl Write for Quoting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = self.take(rest)?;
        }
        self.last = bytes.last().copied().or(self.last);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `text` quoted, written in pieces of `size` bytes.
    fn quoted(text: &str, size: usize) -> String {
        let mut out = Vec::new();
        let mut quoting = Quoting::new(&mut out);
        for piece in text.as_bytes().chunks(size) {
            quoting.write_all(piece).unwrap();
        }
        quoting.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_line_that_looks_like_the_beginning_of_a_message_gets_one_more_sign() {
        for (text, expected) in [
            ("From here on\n", ">From here on\n"),
            (">>From x\n", ">>>From x\n"),
            ("\nFrom a@b Wed\n\nFrom \n", "\n>From a@b Wed\n\n>From \n"),
            ("Fro\nFrom\nFrom:x\n>Fro", "Fro\nFrom\nFrom:x\n>Fro\n"),
            (
                " From x\nx From x\nF>From \n",
                " From x\nx From x\nF>From \n",
            ),
            (
                "FFrom x\nFrFrom \n> From x\n",
                "FFrom x\nFrFrom \n> From x\n",
            ),
            ("From ", ">From \n"),
            ("", "\n"),
        ] {
            for size in 1..8 {
                assert_eq!(quoted(text, size), expected, "{text:?} by {size}");
            }
        }
    }
}
