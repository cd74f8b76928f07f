//! An input as records, so that a mutation changes one structure and leaves the others whole.

use crate::support::{Crypt, Format};

/// Four bytes of choices, then records. Every sequence of bytes is an image.
#[derive(Clone, Debug, Default)]
pub struct Image {
    pub head: [u8; 4],
    pub records: Vec<Record>,
}

/// What `kind` and `words` mean depends on the target.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub kind: u8,
    pub words: [u32; 3],
    pub payload: Vec<u8>,
}

/// More than a seed has; an image of more is cut, to keep runs short.
const MOST_RECORDS: usize = 2000;

/// Takes `count` bytes off `bytes`, or what there is.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (head, rest) = bytes.split_at(count.min(bytes.len()));
    *bytes = rest;
    head
}

/// The next `N` bytes, zeros where they are missing.
fn array<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let mut out = [0; N];
    let found = take(bytes, N);
    out[..found.len()].copy_from_slice(found);
    out
}

impl Image {
    pub fn parse(mut bytes: &[u8]) -> Image {
        let mut image = Image {
            head: array(&mut bytes),
            records: Vec::new(),
        };
        while !bytes.is_empty() && image.records.len() < MOST_RECORDS {
            let [kind] = array(&mut bytes);
            let words = [(); 3].map(|()| u32::from_le_bytes(array(&mut bytes)));
            let length = u16::from_le_bytes(array(&mut bytes));
            image.records.push(Record {
                kind,
                words,
                payload: take(&mut bytes, length.into()).to_vec(),
            });
        }
        image
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.head.to_vec();
        for record in &self.records {
            out.push(record.kind);
            record
                .words
                .iter()
                .for_each(|word| out.extend(word.to_le_bytes()));
            let payload = &record.payload[..record.payload.len().min(u16::MAX.into())];
            out.extend((payload.len() as u16).to_le_bytes());
            out.extend(payload);
        }
        out
    }

    pub fn push(&mut self, kind: u8, words: [u32; 3], payload: impl Into<Vec<u8>>) {
        self.records.push(Record {
            kind,
            words,
            payload: payload.into(),
        });
    }

    pub fn format(&self) -> Format {
        Format::ALL[usize::from(self.head[0]) % Format::ALL.len()]
    }

    pub fn crypt(&self) -> Crypt {
        [Crypt::None, Crypt::Permute, Crypt::Cyclic][usize::from(self.head[1]) % 3]
    }

    /// Choice number `bit` of the input.
    pub fn chooses(&self, bit: u32) -> bool {
        u16::from_le_bytes([self.head[2], self.head[3]]) >> bit & 1 != 0
    }

    /// The first two bytes of an image of this format and encoding.
    pub fn head_of(format: Format, crypt: Crypt) -> [u8; 4] {
        let index = Format::ALL.iter().position(|known| *known == format);
        [index.expect("a format") as u8, crypt as u8, 0, 0]
    }
}
