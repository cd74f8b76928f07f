//! Hashes of what is read, in lower-case hexadecimal.
#![forbid(unsafe_code)]

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Which hashes are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Algorithms {
    /// SHA-256, FIPS 180-4.
    pub sha256: bool,
    /// SHA-1, for tools that ask for it.
    pub sha1: bool,
    /// MD5 (RFC 1321), likewise.
    pub md5: bool,
    /// The content hash of items, which is none of their files.
    pub content: bool,
}

impl Algorithms {
    /// SHA-256 alone.
    pub const SHA256: Self = Self {
        sha256: true,
        sha1: false,
        md5: false,
        content: false,
    };

    /// Whether any is wanted, so that files have to be read for it.
    pub fn is_any(self) -> bool {
        self.sha256 || self.sha1 || self.md5
    }
}

/// The hashes of a file; empty those that were not wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hashes {
    /// SHA-256.
    pub sha256: String,
    /// SHA-1.
    pub sha1: String,
    /// MD5.
    pub md5: String,
}

/// Hashes under way.
pub(super) struct Hasher {
    sha256: Option<Sha256>,
    sha1: Option<Sha1>,
    md5: Option<Md5>,
}

impl Hasher {
    /// Of what is wanted.
    pub fn new(wanted: Algorithms) -> Self {
        Self {
            sha256: wanted.sha256.then(Sha256::new),
            sha1: wanted.sha1.then(Sha1::new),
            md5: wanted.md5.then(Md5::new),
        }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        add(&mut self.sha256, bytes);
        add(&mut self.sha1, bytes);
        add(&mut self.md5, bytes);
    }

    /// The hashes of all that was taken.
    pub fn finish(self) -> Hashes {
        Hashes {
            sha256: text(self.sha256),
            sha1: text(self.sha1),
            md5: text(self.md5),
        }
    }
}

fn add<D: Digest>(hash: &mut Option<D>, bytes: &[u8]) {
    if let Some(hash) = hash {
        hash.update(bytes);
    }
}

fn text<D: Digest>(hash: Option<D>) -> String {
    hash.map_or_else(String::new, |hash| hexadecimal(&hash.finalize()))
}

/// Bytes as text.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The Message Identification Hash of EDRM, by which products know the same mail: the MD5 of a Message-ID with its angle
/// brackets, and nothing else. Of a message without an id there is none.
pub(super) fn identification(message_id: &str) -> String {
    match message_id {
        "" => String::new(),
        id => hexadecimal(&Md5::digest(id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first two are the vectors of the standards for "abc"; the third is Relativity's for the hash of EDRM.
    #[test]
    fn hashes_are_those_of_the_standards() {
        let mut hasher = Hasher::new(Algorithms {
            sha256: false,
            sha1: true,
            md5: true,
            content: false,
        });
        hasher.update(b"a");
        hasher.update(b"bc");
        let hashes = hasher.finish();
        assert_eq!(hashes.sha256, "");
        assert_eq!(hashes.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(hashes.md5, "900150983cd24fb0d6963f7d28e17f72");
        let id = "<CALckR-a8UDkRjO4xJyjd_s0GPxQWw@mail.gmail.com>";
        assert_eq!(identification(id), "1de319c276884bd0c9e2f1621ada26cc");
        assert_eq!(identification(""), "");
    }
}
