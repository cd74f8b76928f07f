//! What S/MIME has signed in one piece: the entity within the signed data, which no key hides. RFC 5652 section 5
//!
//! Of BER (X.690) no more is read than leads there: headers of elements, in the order that the structure has; nothing recurses.
#![forbid(unsafe_code)]

use super::reason::Reason;

/// Tags of elements, with the bit of constructed ones.
const OBJECT_IDENTIFIER: u8 = 0x06;
const OCTET_STRING: u8 = 0x04;
const OCTET_STRINGS: u8 = 0x24;
const SEQUENCE: u8 = 0x30;
/// The first one of a context: what is optional, or depends on an identifier.
const CONTEXT_0: u8 = 0xA0;
/// Bit of a tag whose element has others within.
const CONSTRUCTED: u8 = 0x20;
/// What ends an element of indefinite length.
const END: u8 = 0;
/// The length octet of such an element, and the bit of one that tells how many octets the length has.
const INDEFINITE: u8 = 0x80;

/// id-signedData, id-envelopedData and id-ct-authEnvelopedData.
const SIGNED: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02";
const ENVELOPED: [&[u8]; 2] = [
    b"\x2A\x86\x48\x86\xF7\x0D\x01\x07\x03",
    b"\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x01\x17",
];

/// The entity that `bytes`, a ContentInfo, have signed; why there is none that can be read.
pub(super) fn signed(bytes: &[u8]) -> Result<Vec<u8>, Reason> {
    let mut reader = Reader(bytes);
    let kind = reader.enter(SEQUENCE).and_then(|()| reader.identifier());
    match kind {
        Some(kind) if ENVELOPED.contains(&kind) => Err(Reason::Encrypted),
        Some(SIGNED) => reader.content().ok_or(Reason::Malformed),
        Some(_) => Err(Reason::Smime),
        None => Err(Reason::Malformed),
    }
}

/// What has not been read yet.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// What is signed, from behind the identifier of signed data on.
    fn content(&mut self) -> Option<Vec<u8>> {
        self.enter(CONTEXT_0)?;
        self.enter(SEQUENCE)?;
        // The version, and the algorithms of digests.
        self.skip()?;
        self.skip()?;
        self.enter(SEQUENCE)?;
        self.identifier()?;
        self.enter(CONTEXT_0)?;
        let mut content = Vec::new();
        let mut count = 0;
        // One string, or one of many, which may be of strings again.
        loop {
            match self.header() {
                Some((OCTET_STRINGS, _)) => {}
                Some((OCTET_STRING, Some(length))) => content.extend_from_slice(self.take(length)?),
                _ if count == 0 => return None,
                _ => return Some(content),
            }
            count += 1;
        }
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// The tag and the length of the next element; None for an indefinite length.
    fn header(&mut self) -> Option<(u8, Option<usize>)> {
        let &[tag, length] = self.take(2)?.first_chunk()?;
        let count = usize::from(length & !INDEFINITE);
        let length = match length {
            INDEFINITE => None,
            length if length & INDEFINITE == 0 => Some(usize::from(length)),
            _ if count > size_of::<u32>() => return None,
            _ => {
                let octets = self.take(count)?.iter();
                Some(octets.fold(0, |length, octet| length << 8 | usize::from(*octet)))
            }
        };
        Some((tag, length))
    }

    /// Goes into the next element, which must have this tag.
    fn enter(&mut self, tag: u8) -> Option<()> {
        let (own, _) = self.header()?;
        (own == tag).then_some(())
    }

    /// Takes the next element, an object identifier.
    fn identifier(&mut self) -> Option<&'a [u8]> {
        match self.header()? {
            (OBJECT_IDENTIFIER, Some(length)) => self.take(length),
            _ => None,
        }
    }

    /// Passes over the next element.
    fn skip(&mut self) -> Option<()> {
        let mut open = 0_usize;
        loop {
            match self.header()? {
                (END, _) => open = open.checked_sub(1)?,
                (tag, None) if tag & CONSTRUCTED != 0 => open += 1,
                (_, length) => _ = self.take(length?)?,
            }
            if open == 0 {
                return Some(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_or_nested_without_end_is_no_signed_data() {
        assert_eq!(signed(b""), Err(Reason::Malformed));
        assert_eq!(signed(b"\x30"), Err(Reason::Malformed));
        let mut begun = vec![SEQUENCE, INDEFINITE, OBJECT_IDENTIFIER, SIGNED.len() as u8];
        begun.extend(SIGNED);
        begun.extend([CONTEXT_0, INDEFINITE, SEQUENCE, INDEFINITE, 2, 1, 1]);
        assert_eq!(signed(&begun), Err(Reason::Malformed));
        begun.extend([0x31, INDEFINITE].repeat(1 << 20));
        assert_eq!(signed(&begun), Err(Reason::Malformed));
        begun.extend([0x31, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]);
        assert_eq!(signed(&begun), Err(Reason::Malformed));
    }
}
