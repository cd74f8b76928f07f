//! The bytes of one property value or attachment: of known length, read at any offset, never whole in memory.

use std::ops::Range;

use super::heap::{Heap, HeapItem, HeapNodeId, HnidTarget};
use super::property::{PropertyType, Value};
use super::tags;
use crate::bytes::copy_at;
use crate::error::{Error, Result};
use crate::ndb::{DataTree, Flaw, Node};
use crate::problem::{Problem, Problems};

/// A value as a stream. Cheap to clone; what it reads comes through the block cache.
#[derive(Debug, Clone)]
pub struct PropertyStream {
    /// The property that the value is of; 0 for the data of a node as a whole.
    id: u16,
    /// Bytes that are read of it at the most.
    limit: u64,
    inner: Inner,
}

#[derive(Debug, Clone)]
enum Inner {
    Item(HeapItem),
    Tree {
        data: DataTree,
        node: u32,
        problems: Problems,
    },
}

/// The bytes of a value, and which of them cannot be had.
#[derive(Debug, Clone, Default)]
pub struct Bytes {
    /// The bytes; zeros in place of those that are missing.
    pub bytes: Vec<u8>,
    /// Ranges that are missing, ascending.
    pub missing: Vec<Range<usize>>,
    /// Whether they come from a block that is not as it was written: those that are there may be wrong.
    pub is_flawed: bool,
}

impl PropertyStream {
    /// The value of property `id` that `hnid` names: an item of `heap`, or a subnode of the heap's node.
    pub fn open(heap: &Heap, hnid: HeapNodeId, id: u16) -> Result<Self> {
        match hnid.target() {
            HnidTarget::Empty => Ok(Self {
                id,
                limit: u64::MAX,
                inner: Inner::Item(HeapItem::empty()),
            }),
            HnidTarget::Item(hid) => Ok(Self {
                id,
                limit: u64::MAX,
                inner: Inner::Item(heap.item(hid)?),
            }),
            HnidTarget::Subnode(nid) => {
                let node = heap.node().subnode(nid)?.ok_or_else(|| {
                    Error::corrupt(
                        "HNID",
                        format_args!("subnode {:#x}", nid.0),
                        "expected a subnode with the value, found none",
                    )
                    .in_node(heap.node().nid().0)
                })?;
                let stream = Self::of_tree(&node, id)?;
                if stream.is_empty() {
                    stream.note_emptiness();
                }
                Ok(stream)
            }
        }
    }

    /// All data of `node`.
    pub fn of_node(node: &Node) -> Result<Self> {
        Self::of_tree(node, 0)
    }

    fn of_tree(node: &Node, id: u16) -> Result<Self> {
        Ok(Self {
            id,
            limit: u64::MAX,
            inner: Inner::Tree {
                data: node.data()?,
                node: node.nid().0,
                problems: node.problems().clone(),
            },
        })
    }

    /// An empty value has no subnode (HNID 0, [MS-PST] 2.3.3.3): a subnode without bytes has lost them.
    fn note_emptiness(&self) {
        if let Inner::Tree { node, problems, .. } = &self.inner {
            let place = format!("property {:#06x}", self.id);
            let text = "missing: its subnode has no data, and an empty value needs no subnode";
            problems.note(Problem {
                node: Some(*node),
                ..Problem::new(place, text)
            });
        }
    }

    /// The same value; its problems are within `place`.
    pub fn within(mut self, place: impl std::fmt::Display) -> Self {
        if let Inner::Tree { problems, .. } = &mut self.inner {
            *problems = problems.within(place);
        }
        self
    }

    /// What is wrong with the block of the heap that it is in.
    pub(super) fn item_flaw(&self) -> Option<&Flaw> {
        match &self.inner {
            Inner::Item(item) => item.flaw(),
            Inner::Tree { .. } => None,
        }
    }

    /// The first `len` bytes of the value, or all of them.
    pub fn first(mut self, len: u64) -> Self {
        self.limit = self.limit.min(len);
        self
    }

    /// Length in bytes, known without reading the value.
    pub fn len(&self) -> u64 {
        let len = match &self.inner {
            Inner::Item(item) => item.bytes().len() as u64,
            Inner::Tree { data, .. } => data.len(),
        };
        len.min(self.limit)
    }

    /// The same value; if it is in one block, as long as that itself says, which reads it.
    pub fn of_own_length(mut self) -> Self {
        if let Inner::Tree { data, .. } = &mut self.inner
            && let Some(block) = data.of_other_length()
        {
            data.set_length(block.len() as u64);
        }
        self
    }

    /// Whether the value has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory that it keeps alive: an item, the block of a heap that it is in.
    pub fn weight(&self) -> usize {
        match &self.inner {
            Inner::Item(item) => item.weight(),
            Inner::Tree { .. } => 0,
        }
    }

    /// Fills `buf` from byte `offset`; returns how many bytes there were, fewer than asked only at the end. Bytes that are
    /// missing are zeros; they and doubtful ones are noted.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        self.read_telling(offset, buf, |_, _| {})
    }

    /// As [`PropertyStream::read_at`]; `on_flaw` is called with each range of the value, a whole block, that is not as it was
    /// written.
    fn read_telling(
        &self,
        offset: u64,
        buf: &mut [u8],
        mut on_flaw: impl FnMut(&Range<u64>, &Flaw),
    ) -> Result<usize> {
        match &self.inner {
            Inner::Item(item) => Ok(copy_at(item.bytes(), offset, buf)),
            Inner::Tree {
                data,
                node,
                problems,
            } => data.read_at(offset, buf, &mut |range, flaw| {
                for problem in problems_of(self.id, &range, flaw) {
                    problems.note(Problem {
                        node: Some(*node),
                        ..problem
                    });
                }
                on_flaw(&range, flaw);
            }),
        }
    }

    /// Hands all bytes to `take`, one piece after the other; returns how many there were.
    ///
    /// # Errors
    ///
    /// The first one of `take` or of reading.
    pub fn each_piece<E: From<Error>>(
        &self,
        mut take: impl FnMut(&[u8]) -> std::result::Result<(), E>,
    ) -> std::result::Result<u64, E> {
        const PIECE: usize = 64 << 10;
        if let Inner::Item(item) = &self.inner {
            let bytes = item.bytes();
            let bytes = bytes.get(..self.len() as usize).unwrap_or(bytes);
            return take(bytes).map(|()| bytes.len() as u64);
        }
        let mut buffer = vec![0; PIECE];
        let mut at = 0;
        loop {
            let read = self.read_at(at, &mut buffer)?;
            match buffer.get(..read) {
                Some(bytes) if !bytes.is_empty() => take(bytes)?,
                _ => return Ok(at),
            }
            at += read as u64;
        }
    }

    /// The value of type `property_type` that the bytes are; None when they are too short or the type is unknown.
    pub fn value(&self, property_type: PropertyType) -> Result<Option<Value>> {
        if let Inner::Item(item) = &self.inner
            && item.flaw().is_none()
        {
            return Ok(Value::decode(property_type, item.bytes()));
        }
        let bytes = self.bytes(property_type)?;
        Ok(match property_type {
            PropertyType::STRING => Some(Value::String(bytes)),
            PropertyType::STRING8 => Some(Value::String8(bytes)),
            PropertyType::BINARY => Some(Value::Binary(bytes)),
            _ => Value::decode(property_type, &bytes),
        })
    }

    /// What `read` makes of the bytes of a value of type `property_type`, which are not copied if they are an item of a
    /// heap.
    pub fn with_bytes<T>(
        &self,
        property_type: PropertyType,
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<T> {
        match &self.inner {
            Inner::Item(item) if item.flaw().is_none() => Ok(read(item.bytes())),
            _ => Ok(read(&self.bytes(property_type)?)),
        }
    }

    /// All bytes; of text, what is missing is said where it stood.
    fn bytes(&self, property_type: PropertyType) -> Result<Vec<u8>> {
        let read = self.read_all(usize::MAX)?;
        let is_text = matches!(property_type, PropertyType::STRING | PropertyType::STRING8);
        if read.missing.is_empty() || !(is_text || self.id == tags::HTML) {
            return Ok(read.bytes);
        }
        let is_body = matches!(self.id, tags::BODY | tags::HTML);
        Ok(read.with_gaps_said(property_type, is_body))
    }

    /// The first `limit` bytes, or all of them: for values that are text or small structures.
    pub fn read_all(&self, limit: usize) -> Result<Bytes> {
        if let Inner::Item(item) = &self.inner {
            let bytes = item.bytes();
            let mut missing = item.missing();
            missing.retain(|gap| gap.start < limit);
            return Ok(Bytes {
                bytes: bytes.get(..limit).unwrap_or(bytes).to_vec(),
                missing,
                is_flawed: item.flaw().is_some(),
            });
        }
        let len = usize::try_from(self.len()).unwrap_or(usize::MAX).min(limit);
        const STEP: usize = 1 << 20;
        let mut bytes = Vec::new();
        let mut missing: Vec<Range<usize>> = Vec::new();
        let mut is_flawed = false;
        // The declared length is not trusted with memory: the buffer grows as blocks really arrive.
        while bytes.len() < len {
            let start = bytes.len();
            bytes.resize(len.min(start + STEP), 0);
            let buf = bytes.get_mut(start..).unwrap_or_default();
            let read = self.read_telling(start as u64, buf, |range, flaw| {
                is_flawed = true;
                let start = range.start as usize;
                for gap in &flaw.missing {
                    let gap = start + gap.start..(start + gap.end).min(len);
                    match missing.last_mut() {
                        // A block that is read in two parts tells of its gaps twice.
                        Some(last) if gap.start <= last.end => last.end = last.end.max(gap.end),
                        _ => missing.push(gap),
                    }
                }
            })?;
            bytes.truncate(start + read);
            if read == 0 {
                break;
            }
        }
        missing.retain(|gap| gap.start < gap.end);
        if is_flawed
            && let Inner::Tree { data, .. } = &self.inner
            && let Some(block) = data.of_other_length()
        {
            return Ok(Bytes {
                bytes: block.get(..limit).unwrap_or(&block).to_vec(),
                missing: Vec::new(),
                is_flawed,
            });
        }
        Ok(Bytes {
            bytes,
            missing,
            is_flawed,
        })
    }
}

impl From<Vec<u8>> for Bytes {
    /// Bytes that are whole.
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            missing: Vec::new(),
            is_flawed: false,
        }
    }
}

impl Bytes {
    /// The bytes of a text of type `property_type` in which each gap is words with how much is missing, if
    /// `on_its_own` as a line.
    pub(super) fn with_gaps_said(&self, property_type: PropertyType, on_its_own: bool) -> Vec<u8> {
        let width = match property_type {
            PropertyType::STRING => size_of::<u16>(),
            _ => 1,
        };
        let mut text = Vec::with_capacity(self.bytes.len());
        let mut start = 0;
        for gap in &self.missing {
            // Half a character is none.
            let from = gap.start / width * width;
            let to = gap.end.next_multiple_of(width);
            text.extend_from_slice(self.bytes.get(start..from).unwrap_or_default());
            start = to;
            let words = gap_in_text(gap.len());
            let words = if on_its_own {
                format!("\n{words}\n")
            } else {
                words
            };
            if width == 1 {
                text.extend_from_slice(words.as_bytes());
            } else {
                text.extend(words.encode_utf16().flat_map(u16::to_le_bytes));
            }
        }
        text.extend_from_slice(self.bytes.get(start..).unwrap_or_default());
        text
    }
}

/// The words that stand in a text in place of `len` bytes of it that are missing.
pub fn gap_in_text(len: usize) -> String {
    format!("[{len} bytes are missing here]")
}

/// What is to be said of `flaw` in a block that has the bytes `range` of property `id`.
fn problems_of(id: u16, range: &Range<u64>, flaw: &Flaw) -> Vec<Problem> {
    let place = |start: u64, end: u64| {
        let bytes = format!("bytes {start} to {}", end.saturating_sub(1));
        match id {
            0 => bytes,
            id => format!("property {id:#06x}, {bytes}"),
        }
    };
    let gaps = flaw.missing.iter().map(|gap| {
        let (start, end) = (gap.start as u64, gap.end as u64);
        Problem::new(
            place(range.start + start, range.start + end),
            format_args!("missing: {}", flaw.error),
        )
    });
    let mut problems: Vec<Problem> = gaps.collect();
    if flaw.doubtful {
        let text = format_args!("may be wrong: {}", flaw.error);
        problems.push(Problem::new(place(range.start, range.end), text));
    } else if problems.is_empty() {
        problems.push(Problem::new(place(range.start, range.end), flaw));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_in_text_is_words_and_the_rest_stays_as_it_is() {
        let bytes = Bytes {
            bytes: b"one\0\0\0two".to_vec(),
            missing: std::iter::once(3..6).collect(),
            is_flawed: true,
        };
        assert_eq!(
            bytes.with_gaps_said(PropertyType::STRING8, false),
            b"one[3 bytes are missing here]two"
        );
        let utf16 = |text: &str| {
            text.encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<_>>()
        };
        let bytes = Bytes {
            bytes: utf16("abcdef"),
            missing: vec![3..5, 11..12],
            is_flawed: true,
        };
        let said = bytes.with_gaps_said(PropertyType::STRING, true);
        assert_eq!(
            said,
            utf16(
                "a\n[2 bytes are missing here]\ndeX\n[1 bytes are missing here]\n"
                    .replace('X', "")
                    .as_str()
            )
        );
    }
}
