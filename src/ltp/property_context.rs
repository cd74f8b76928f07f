//! Property context: the properties of one object. [MS-PST] 2.3.3

use std::sync::Arc;

use super::bth;
use super::heap::{ClientSignature, Heap, HeapNodeId, HnidTarget};
use super::property::{PropertyType, Value};
use super::stream::PropertyStream;
use super::tags;
use crate::bytes::{u16_at, u32_at};
use crate::error::{Error, Result};
use crate::ndb::{Node, NodeDatabase};

/// Bytes of a value that is asked for as a whole: of a body, if the file is no smaller, and of all others;
/// attachments are read as streams.
const MAX_BODY: u64 = 256 << 20;
const MAX_VALUE: u64 = 16 << 20;

/// Records that most objects have at the most.
const USUAL_RECORDS: usize = 64;

/// One record: a property's id and type, and its value or where that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PropertyRecord {
    /// `wPropId`.
    pub id: u16,
    /// `wPropType`.
    pub property_type: PropertyType,
    /// `dwValueHnid`: the value itself if it takes at most four bytes, else its HNID.
    value: u32,
}

impl PropertyRecord {
    /// Where the value is; None when it is in the record itself.
    pub fn target(&self) -> Option<HnidTarget> {
        let inline = self.property_type.is_inline();
        (!inline).then(|| HeapNodeId(self.value).target())
    }

    fn is_body(&self) -> bool {
        [tags::BODY, tags::HTML, tags::RTF_COMPRESSED].contains(&self.id)
    }

    /// Bytes that the value may have in the file of `ndb`.
    fn limit(&self, ndb: &NodeDatabase) -> u64 {
        match self.is_body() {
            true => ndb.longest_text(1, MAX_BODY),
            false => MAX_VALUE,
        }
    }
}

/// The properties of a message, folder, attachment or store.
#[derive(Debug, Clone)]
pub struct PropertyContext {
    heap: Heap,
    /// Ascending by id, each id once. Shared: every attachment has its message, and there may be thousands of both.
    records: Arc<[PropertyRecord]>,
    /// Whether part of the record list could not be read.
    problem: Option<Arc<str>>,
}

/// Puts records in order, and drops those with the id of an earlier one.
fn first_of_each(records: &mut Vec<PropertyRecord>) {
    records.sort_by_key(|record| record.id);
    records.dedup_by_key(|record| record.id);
}

impl PropertyContext {
    /// Opens the property context of `node`, reading its record list but no value.
    pub fn open(node: Node) -> Result<Self> {
        let heap = Heap::open(node)?;
        heap.expect_client(ClientSignature::PROPERTY_CONTEXT)?;
        let mut records: Vec<PropertyRecord> = Vec::with_capacity(USUAL_RECORDS);
        let mut problem = None;
        let each = |key: &[u8], value: &[u8]| {
            let (Some(id), Some(property_type), Some(value)) =
                (u16_at(key, 0), u16_at(value, 0), u32_at(value, 2))
            else {
                return;
            };
            // Some writers leave zeros behind the last record.
            if id != 0 || property_type != 0 {
                // A hostile file has millions of records; ids there are no more than these.
                if records.len() > 2 * usize::from(u16::MAX) {
                    first_of_each(&mut records);
                }
                records.push(PropertyRecord {
                    id,
                    property_type: PropertyType(property_type),
                    value,
                });
            }
        };
        bth::for_each(&heap, heap.user_root(), each, |error| {
            problem = Some(error.to_string())
        })?;
        // Such zeros also break the order of the list; of two records with one id the first is the real one.
        first_of_each(&mut records);
        Ok(Self {
            heap,
            records: records.into(),
            problem: problem.map(Arc::from),
        })
    }

    /// The node of the object.
    pub fn node(&self) -> &Node {
        self.heap.node()
    }

    /// The heap that holds them.
    pub fn heap(&self) -> &Heap {
        &self.heap
    }

    /// All records, ascending by id.
    pub fn records(&self) -> &[PropertyRecord] {
        &self.records
    }

    /// What is wrong with the record list, if part of it is lost.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// The record of property `id`.
    pub fn record(&self, id: u16) -> Option<&PropertyRecord> {
        let index = self
            .records
            .binary_search_by_key(&id, |record| record.id)
            .ok()?;
        self.records.get(index)
    }

    /// The value of property `id`; None when the object does not have it or its type is unknown.
    pub fn get(&self, id: u16) -> Result<Option<Value>> {
        match self.record(id) {
            Some(record) => self.value(record),
            None => Ok(None),
        }
    }

    /// The value of `record`. Of a body that is too long, its beginning ([`PropertyContext::too_long`]); another value of
    /// more than 16 MiB is an error.
    pub fn value(&self, record: &PropertyRecord) -> Result<Option<Value>> {
        let property_type = record.property_type;
        if property_type.is_inline() {
            return Ok(Value::decode(property_type, &record.value.to_le_bytes()));
        }
        let limit = record.limit(self.node().ndb());
        let stream = self.record_stream(record)?;
        if record.is_body() && stream.len() > limit {
            let bytes = stream.read_all(usize::try_from(limit).unwrap_or(usize::MAX))?;
            return Ok(Value::decode(property_type, &bytes));
        }
        let value = stream.value(property_type, limit)?;
        if value.is_none() && property_type.fixed_size().is_some() {
            return Err(self.wrong(record, "the value is shorter than its type"));
        }
        Ok(value)
    }

    /// What is not shown of property `id`, if it is a body of more than 256 MiB, or one that is longer than the file can
    /// honestly have it.
    pub fn too_long(&self, id: u16) -> Option<Error> {
        let record = self.record(id).filter(|record| record.is_body())?;
        let len = self.stream(id).ok().flatten()?.len();
        let limit = record.limit(self.node().ndb());
        let problem = format!("{len} bytes, of which the first {limit} are shown");
        let error = Error::corrupt("property", format_args!("{id:#06x}"), problem);
        (len > limit).then(|| error.in_node(self.node().nid().0))
    }

    /// What `read` makes of the bytes of property `id` and their type, without a copy where that can be; None when the
    /// object does not have it or keeps it inline. Errors are those of [`PropertyContext::value`].
    pub fn with_bytes<T>(
        &self,
        id: u16,
        read: impl FnOnce(PropertyType, &[u8]) -> T,
    ) -> Result<Option<T>> {
        match self.record(id) {
            Some(record) if !record.property_type.is_inline() => self
                .record_stream(record)?
                .with_bytes(record.limit(self.node().ndb()), |bytes| {
                    read(record.property_type, bytes)
                })
                .map(Some),
            _ => Ok(None),
        }
    }

    /// The first `limit` bytes of the text or binary `id`; None when the object does not have it or keeps it inline.
    pub fn start(&self, id: u16, limit: usize) -> Result<Option<Value>> {
        let Some(record) = self.record(id) else {
            return Ok(None);
        };
        let stream = self.stream(id)?;
        let bytes = stream.map(|stream| stream.read_all(limit)).transpose()?;
        Ok(bytes.and_then(|bytes| Value::decode(record.property_type, &bytes)))
    }

    /// The value of `record` if it is a PtypObject, which says where the data is; None for all other types.
    pub fn value_if_object(&self, record: &PropertyRecord) -> Result<Option<Value>> {
        if record.property_type == PropertyType::OBJECT {
            return self.value(record);
        }
        Ok(None)
    }

    /// The stored bytes of property `id` as a stream; None when the object does not have it or keeps it inline.
    pub fn stream(&self, id: u16) -> Result<Option<PropertyStream>> {
        match self.record(id) {
            Some(record) if !record.property_type.is_inline() => {
                self.record_stream(record).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn record_stream(&self, record: &PropertyRecord) -> Result<PropertyStream> {
        PropertyStream::open(&self.heap, HeapNodeId(record.value))
            .map_err(|error| error.in_node(self.node().nid().0))
    }

    fn wrong(&self, record: &PropertyRecord, problem: &str) -> Error {
        Error::corrupt("property", format_args!("{:#06x}", record.id), problem)
            .in_node(self.node().nid().0)
    }
}
