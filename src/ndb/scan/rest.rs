//! What stands behind the end that the header states: of a file to which something was appended, another mailbox perhaps.

use memchr::memmem;

use super::pages::read;
use crate::ndb::header::{Header, MAGIC};
use crate::ndb::source::Source;

/// Bytes that are looked at, from the end of the file that the header states on, and before the end of all.
const START: u64 = 1 << 20;
const END: u64 = 64 << 10;

/// The problem line about it; None if there is nothing, or nothing but zeros where it is looked at.
pub(crate) fn describe(source: &Source, header: &Header) -> Option<String> {
    let rest = source.len().checked_sub(header.file_eof)?;
    if rest == 0 || !header.crc_valid || header.file_eof == 0 {
        return None;
    }
    let start = bytes(source, header.file_eof, rest.min(START));
    let end = bytes(source, source.len() - rest.min(END), rest.min(END));
    if start.iter().chain(&end).all(|byte| *byte == 0) {
        return None;
    }
    let other = memmem::find(&start, MAGIC).map(|at| header.file_eof + at as u64);
    let other = other.map(|at| {
        let first = at + 1;
        format!("; another Outlook data file begins at offset {at:#x}, which can be had by: tail -c +{first} FILE >OTHER.pst")
    });
    Some(format!(
        "{rest} bytes stand behind the end of the mailbox that the header states, {:#x}, and are not shown{}",
        header.file_eof,
        other.unwrap_or_default()
    ))
}

fn bytes(source: &Source, at: u64, length: u64) -> Vec<u8> {
    let mut bytes = vec![0; length as usize];
    read(source, &mut bytes, at);
    bytes
}
