//! Property contexts. [MS-PST] 2.3.3

use std::collections::BTreeMap;
use std::io;

use super::blocks::{MOST_BYTES, Subnodes, write_data};
use super::bth::{self, Bth};
use super::digest::Digest;
use super::failed::Failed;
use super::heap::{self, Heap};
use super::output::{Content, Output};
use super::value::{Bytes, Stored};
use crate::ltp::{PropertyStream, PropertyType, tags};
use crate::ndb::{NodeId, NodeType};

/// Longest value that Outlook keeps in the heap.
const MOST_IN_HEAP: usize = 1024;
/// Index of the first subnode for a value: the one behind where counters start.
pub(super) const FIRST_SUBNODE: u32 = 0x401;

/// Where a value is.
enum Place {
    Inline(u32),
    Heap(Bytes),
    Subnode(NodeId),
}

/// A value of a context.
struct Own {
    property_type: PropertyType,
    place: Place,
    /// What it is; None for PidTagMessageSize, which is not known yet.
    digest: Option<Digest>,
}

/// A property context that is put together: its values, and its subnodes.
#[derive(Default)]
pub(super) struct Context {
    values: BTreeMap<u16, Own>,
    /// The subnodes of its node.
    pub subnodes: Subnodes,
    next_subnode: u32,
    /// Bytes of all values as PidTagAttachSize counts them.
    bytes: u64,
}

impl Context {
    /// Whether it has property `id`.
    pub fn has(&self, id: u16) -> bool {
        self.values.contains_key(&id)
    }

    /// Sets a property; the first value of an id counts, as each has one record.
    pub fn set(&mut self, out: &mut Output, id: u16, value: Stored) -> io::Result<()> {
        if self.has(id) || id == tags::MESSAGE_SIZE {
            return Ok(());
        }
        let digest = Digest::of_value(&value);
        self.bytes += value.bytes.len() as u64;
        let place = match value.inline() {
            Some(number) => Place::Inline(number),
            None if value.bytes.len() <= MOST_IN_HEAP => Place::Heap(value.bytes),
            None => {
                let content = write_data(out, &value.bytes)?;
                Place::Subnode(self.add_subnode(out, content))
            }
        };
        self.insert(id, value.property_type, place, Some(digest));
        Ok(())
    }

    /// Sets a property of `property_type` to all that `stream` has.
    pub fn set_stream(
        &mut self,
        out: &mut Output,
        id: u16,
        property_type: PropertyType,
        stream: &PropertyStream,
    ) -> Result<(), Failed> {
        let (content, digest, len) = copy_stream(out, stream)?;
        let nid = self.add_subnode(out, content);
        self.bytes += len;
        let digest = digest.with_type(property_type);
        self.insert(id, property_type, Place::Subnode(nid), Some(digest));
        Ok(())
    }

    /// Sets a property to the object in the subnode `nid`: an embedded message, or the storage of an OLE object.
    pub fn set_object(
        &mut self,
        out: &mut Output,
        id: u16,
        nid: NodeId,
        content: Content,
        digest: Digest,
    ) {
        self.subnodes.add(out, nid, content);
        let mut record = Bytes::from_slice(&nid.0.to_le_bytes());
        record.extend((content.size.min(MOST_BYTES) as u32).to_le_bytes());
        self.bytes += content.size;
        self.insert(id, PropertyType::OBJECT, Place::Heap(record), Some(digest));
    }

    /// Makes room for PidTagMessageSize, which [`Context::finish`] knows.
    pub fn set_size(&mut self) {
        let place = Place::Inline(0);
        self.insert(tags::MESSAGE_SIZE, PropertyType::INTEGER32, place, None);
    }

    fn insert(
        &mut self,
        id: u16,
        property_type: PropertyType,
        place: Place,
        digest: Option<Digest>,
    ) {
        let own = Own {
            property_type,
            place,
            digest,
        };
        self.values.insert(id, own);
    }

    /// Property `id` unless it is a long one.
    pub fn small_value(&self, id: u16) -> Option<Stored> {
        let own = self.values.get(&id)?;
        let property_type = own.property_type;
        match &own.place {
            Place::Inline(number) => {
                let bytes = number.to_le_bytes();
                let size = property_type.fixed_size()?;
                Some(Stored::of_bytes(property_type, bytes.get(..size)?))
            }
            Place::Heap(bytes) => Some(Stored::of_bytes(property_type, bytes)),
            Place::Subnode(_) => None,
        }
    }

    fn add_subnode(&mut self, out: &mut Output, content: Content) -> NodeId {
        let nid = NodeId(u32::from(NodeType::LTP.0)).with_index(FIRST_SUBNODE + self.next_subnode);
        self.next_subnode += 1;
        self.subnodes.add(out, nid, content);
        nid
    }

    /// Bytes of all values, as PidTagAttachSize counts them.
    pub fn value_bytes(&self) -> u64 {
        self.bytes
    }

    /// What its properties are, to be compared with what is read back.
    pub fn digest(&self) -> Digest {
        let mut digest = Digest::default();
        for (id, own) in &self.values {
            if let Some(value) = &own.digest {
                digest.add(*id, value);
            }
        }
        digest
    }

    /// Writes it. If it has PidTagMessageSize, that becomes the size of its node; returns that, too.
    pub fn finish(mut self, out: &mut Output) -> io::Result<Content> {
        let mut heap = Heap::new(heap::PROPERTIES);
        let header = bth::header(&mut heap)?;
        let records = Bth::new(&mut heap, header, (2, 6), self.values.len())?;
        let mut hnids = Vec::with_capacity(self.values.len());
        for own in self.values.values() {
            hnids.push(match &own.place {
                Place::Inline(number) => *number,
                Place::Heap(bytes) => heap.add_value(bytes)?,
                Place::Subnode(nid) => nid.0,
            });
        }
        let size = heap.size() + self.subnodes.size();
        let mut bytes = Vec::with_capacity(self.values.len() * 8);
        for ((id, own), hnid) in self.values.iter().zip(hnids) {
            let value = match *id {
                tags::MESSAGE_SIZE => size.min(i32::MAX as u64) as u32,
                _ => hnid,
            };
            bytes.extend(id.to_le_bytes());
            bytes.extend(own.property_type.0.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        records.fill(&mut heap, bytes);
        let content = heap.finish(out, header)?;
        debug_assert_eq!(content.size + self.subnodes.size(), size);
        let subnodes = std::mem::take(&mut self.subnodes).finish(out)?;
        Ok(Content {
            subnodes,
            size,
            ..content
        })
    }
}

/// Copies `stream` into a data tree of its own; returns its digest and length, too. What is longer than any value can be
/// is an error.
pub(super) fn copy_stream(
    out: &mut Output,
    stream: &PropertyStream,
) -> Result<(Content, Digest, u64), Failed> {
    if stream.len() > MOST_BYTES {
        return Err(io::Error::other("a value has more than 4 GiB").into());
    }
    let mut data = super::blocks::DataWriter::default();
    let mut hash = super::digest::Hash::default();
    let len = stream.each_piece(|bytes| {
        hash.update(bytes);
        data.write(out, bytes).map_err(Failed::from)
    })?;
    Ok((data.finish(out)?, hash.finish(), len))
}
