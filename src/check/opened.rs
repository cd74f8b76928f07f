//! Fields of the header that the content of the file contradicts, as opening it has shown.

use super::checker::Checker;
use crate::ndb::scan::{rest, shift};
use crate::ndb::{Header, NodeDatabase};

/// Checks the header, as it stands in the file, by what it took to open the file. Returns the header by which the rest is
/// checked; None if it is lost.
pub(super) fn check(ndb: &NodeDatabase, checker: &mut Checker) -> Option<Header> {
    let used = ndb.header();
    if let Some(line) = ndb.source().describe_line_ends() {
        checker.error("file", "offset 0x0", line, None);
    }
    for line in shift::describe(ndb.source().pieces()) {
        checker.error("file", "offset 0x0", line, None);
    }
    if let Some(line) = rest::describe(ndb.source(), used) {
        checker.error("file", "ibFileEof", line, None);
    }
    for line in used.checksums.describe() {
        checker.error("file", "dwCRC, wSig", line, None);
    }
    let header = match Header::read(ndb.source()) {
        Ok(header) => header,
        Err(error) => {
            checker.error("HEADER", "offset 0x0", error, None);
            return (!used.is_made_up()).then(|| used.clone());
        }
    };
    let is_of_another_format = header.format != used.format;
    if is_of_another_format {
        let problem = format!(
            "wVer: {}, but the pages are {}",
            header.version, used.format.name
        );
        checker.error("HEADER", "offset 0x0", problem, None);
    }
    if header.crypt != used.crypt {
        let problem = format!(
            "bCryptMethod: {:#x}, but the blocks are {}",
            used.crypt_stored,
            used.crypt.name()
        );
        // Some writers leave it 0.
        match used.crypt_guessed {
            true => checker.warning("HEADER", "offset 0x0", problem, None),
            false => checker.error("HEADER", "offset 0x0", problem, None),
        }
    }
    // A stale one names other roots than those that were found instead, and that is a finding as well.
    Some(if is_of_another_format {
        used.clone()
    } else {
        header
    })
}
