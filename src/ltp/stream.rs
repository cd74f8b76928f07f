//! The bytes of one property value or attachment: of known length, read at any offset, never whole in memory.

use super::heap::{Heap, HeapItem, HeapNodeId, HnidTarget};
use super::property::{PropertyType, Value};
use crate::bytes::copy_at;
use crate::error::{Error, Result};
use crate::ndb::{DataTree, Node};

/// A value as a stream. Cheap to clone; what it reads comes through the block cache.
#[derive(Debug, Clone)]
pub struct PropertyStream(Inner);

#[derive(Debug, Clone)]
enum Inner {
    Item(HeapItem),
    Tree(DataTree),
}

impl PropertyStream {
    /// The value that `hnid` names: an item of `heap`, or a subnode of the heap's node.
    pub fn open(heap: &Heap, hnid: HeapNodeId) -> Result<Self> {
        match hnid.target() {
            HnidTarget::Empty => Ok(Self(Inner::Item(HeapItem::empty()))),
            HnidTarget::Item(hid) => Ok(Self(Inner::Item(heap.item(hid)?))),
            HnidTarget::Subnode(nid) => {
                let node = heap.node().subnode(nid)?.ok_or_else(|| {
                    Error::corrupt(
                        "HNID",
                        format_args!("subnode {:#x}", nid.0),
                        "expected a subnode with the value, found none",
                    )
                    .in_node(heap.node().nid().0)
                })?;
                Self::of_node(&node)
            }
        }
    }

    /// All data of `node`.
    pub fn of_node(node: &Node) -> Result<Self> {
        Ok(Self(Inner::Tree(node.data()?)))
    }

    /// Length in bytes, known without reading the value.
    pub fn len(&self) -> u64 {
        match &self.0 {
            Inner::Item(item) => item.bytes().len() as u64,
            Inner::Tree(tree) => tree.len(),
        }
    }

    /// Whether the value has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory that it keeps alive: an item, the block of a heap that it is in.
    pub fn weight(&self) -> usize {
        match &self.0 {
            Inner::Item(item) => item.weight(),
            Inner::Tree(_) => 0,
        }
    }

    /// Fills `buf` from byte `offset`; returns how many bytes there were, fewer than asked only at the end.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        match &self.0 {
            Inner::Tree(tree) => tree.read_at(offset, buf),
            Inner::Item(item) => Ok(copy_at(item.bytes(), offset, buf)),
        }
    }

    /// The value of type `property_type` that the bytes are; None when they are too short or the type is unknown. More
    /// than `limit` bytes are an error: nothing that is asked for is so long.
    pub fn value(&self, property_type: PropertyType, limit: u64) -> Result<Option<Value>> {
        self.check_len(limit)?;
        if let Inner::Item(item) = &self.0 {
            return Ok(Value::decode(property_type, item.bytes()));
        }
        let bytes = self.read_all(usize::try_from(limit).unwrap_or(usize::MAX))?;
        Ok(match property_type {
            PropertyType::STRING => Some(Value::String(bytes)),
            PropertyType::STRING8 => Some(Value::String8(bytes)),
            PropertyType::BINARY => Some(Value::Binary(bytes)),
            _ => Value::decode(property_type, &bytes),
        })
    }

    /// What `read` makes of the value's bytes, which are not copied if they are an item of a heap. More than `limit` bytes
    /// are an error.
    pub fn with_bytes<T>(&self, limit: u64, read: impl FnOnce(&[u8]) -> T) -> Result<T> {
        self.check_len(limit)?;
        match &self.0 {
            Inner::Item(item) => Ok(read(item.bytes())),
            Inner::Tree(_) => Ok(read(&self.read_all(usize::MAX)?)),
        }
    }

    fn check_len(&self, limit: u64) -> Result<()> {
        if self.len() <= limit {
            return Ok(());
        }
        Err(Error::corrupt(
            "value",
            format_args!("{} bytes", self.len()),
            format_args!("expected at most {limit} bytes"),
        ))
    }

    /// The first `limit` bytes, or all of them: for values that are text or small structures.
    pub fn read_all(&self, limit: usize) -> Result<Vec<u8>> {
        if let Inner::Item(item) = &self.0 {
            let bytes = item.bytes();
            return Ok(bytes.get(..limit).unwrap_or(bytes).to_vec());
        }
        let len = usize::try_from(self.len()).unwrap_or(usize::MAX).min(limit);
        const STEP: usize = 1 << 20;
        let mut bytes = Vec::new();
        // The declared length is not trusted with memory: the buffer grows as blocks really arrive.
        while bytes.len() < len {
            let start = bytes.len();
            bytes.resize(len.min(start + STEP), 0);
            let read = self.read_at(start as u64, bytes.get_mut(start..).unwrap_or_default())?;
            bytes.truncate(start + read);
            if read == 0 {
                break;
            }
        }
        Ok(bytes)
    }
}
