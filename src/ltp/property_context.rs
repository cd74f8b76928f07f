//! Property context: the properties of one object. [MS-PST] 2.3.3

use std::sync::Arc;

use super::bth::{self, Sizes, Step};
use super::claims;
use super::heap::{ClientSignature, Heap, HeapItem, HeapNodeId, HnidTarget};
use super::property::{PropertyType, Value};
use super::property_record::{PropertyRecord, named};
use super::stream::{Bytes, PropertyStream};
use crate::error::{Error, Result};
use crate::ndb::kept::Once;
use crate::ndb::{Flaw, Node, NodeId};
use crate::problem::{Problem, Problems};

/// Sizes of the records of a property context: property id; type and value.
const SIZES: Sizes = Sizes {
    key: 2,
    values: &[6],
};
/// Bytes of a record.
const RECORD: usize = 8;
/// The place of what is wrong with the records, in a problem.
const LIST: &str = "list of properties";
/// Records that most objects have at the most.
const USUAL_RECORDS: usize = 64;
/// Records of one object that are remembered though another one with their id was taken.
const MAX_LEFT_OUT: usize = 1000;

/// The properties of a message, folder, attachment or store.
#[derive(Debug, Clone)]
pub struct PropertyContext {
    heap: Heap,
    /// Ascending by id, each id once. Shared: every attachment has its message, and there may be thousands of both.
    records: Arc<[PropertyRecord]>,
    /// Those in whose place another one with the same id was taken, if there are any.
    left_out: Option<Arc<[PropertyRecord]>>,
    /// Whether part of the record list could not be read.
    problem: Option<Arc<str>>,
    /// What is wrong with where the records say that their values are.
    astray: Option<Arc<str>>,
    /// Whether the checksum of a block that has the record list, or leads to it, vouches for nothing.
    is_list_doubtful: bool,
    /// The property whose value is in the only subnode that is left, once one was missed: looked for once, whatever many are missed.
    left: Once<Option<(u16, NodeId)>>,
}

/// Puts records in order and takes one of each id: that which has most to say, else the first. The others go to `left_out`.
fn one_of_each(records: &mut Vec<PropertyRecord>, left_out: &mut Vec<PropertyRecord>, heap: &Heap) {
    records.sort_by_key(|record| record.id);
    records.dedup_by(|next, taken| {
        if next.id != taken.id {
            return false;
        }
        if next != taken && left_out.len() < MAX_LEFT_OUT {
            if next.worth(heap) > taken.worth(heap) {
                std::mem::swap(next, taken);
            }
            left_out.push(*next);
        }
        true
    });
}

/// The record list as it stands.
struct List {
    records: Vec<PropertyRecord>,
    /// Those of which another one of the same id was taken.
    left_out: Vec<PropertyRecord>,
    /// Why some of it is not there.
    problem: Option<String>,
    is_doubtful: bool,
    /// Whether its header and root could be read.
    walked: Result<()>,
}

impl List {
    fn read(heap: &Heap) -> Self {
        let mut list = Self {
            records: Vec::with_capacity(USUAL_RECORDS),
            left_out: Vec::new(),
            problem: None,
            is_doubtful: heap.flaw().is_some_and(|flaw| !flaw.vouches()),
            walked: Ok(()),
        };
        list.walked = list.walk(heap);
        list
    }

    fn walk(&mut self, heap: &Heap) -> Result<()> {
        let mut walk = bth::walk(heap, heap.user_root(), SIZES)?;
        while let Some(step) = walk.next() {
            match step {
                // A hostile file has millions of records; ids there are no more than these.
                Step::Record(record) => {
                    self.records.extend(PropertyRecord::parse(record));
                    if self.records.len() > 2 * usize::from(u16::MAX) {
                        one_of_each(&mut self.records, &mut self.left_out, heap);
                    }
                }
                Step::Flawed(flaw) => {
                    self.is_doubtful |= !flaw.vouches();
                    heap.note(LIST, &flaw);
                }
                Step::Lost(error) => self.problem = Some(error.to_string()),
            }
        }
        Ok(())
    }
}

impl PropertyContext {
    /// Opens the property context of `node`, reading its record list but no value.
    pub fn open(node: Node) -> Result<Self> {
        let heap = Heap::open(node)?;
        heap.expect_client(ClientSignature::PROPERTY_CONTEXT)?;
        let List {
            mut records,
            mut left_out,
            mut problem,
            is_doubtful,
            walked,
        } = List::read(&heap);
        let nid = heap.node().nid();
        let is_sound = heap.flaw().is_none();
        if is_sound && problem.is_none() && !are_plausible(&records) {
            problem = Some("most of them have no type that is known".to_owned());
        }
        let is_whole = is_sound && walked.is_ok() && problem.is_none() && !records.is_empty();
        let found = (!is_whole).then(|| look_for_records(&heap, &records));
        if let Some(found) = found.flatten() {
            problem = problem.or(walked.err().map(|error| error.to_string()));
            problem.get_or_insert_with(|| "its place is damaged; found by what it is like".into());
            records = found;
        } else {
            walked?;
        }
        // Every object has some; a list of none is one that nothing leads to.
        if records.is_empty() {
            let problem = problem
                .as_deref()
                .unwrap_or("the list of properties is empty");
            return Err(Error::corrupt("property context", LIST, problem).in_node(nid.0));
        }
        let mut astray = None;
        if is_sound && problem.is_none() {
            problem = disorder(&records);
            astray = claims::check(&heap, &mut records);
        }
        one_of_each(&mut records, &mut left_out, &heap);
        let context = Self {
            heap,
            records: records.into(),
            left_out: (!left_out.is_empty()).then(|| left_out.into()),
            problem: problem.map(Arc::from),
            astray: astray.map(Arc::from),
            is_list_doubtful: is_doubtful,
            left: Once::default(),
        };
        for problem in context.problem().into_iter().chain(context.astray()) {
            context.note(LIST, problem);
        }
        Ok(context)
    }

    /// The same properties; what turns out to be wrong with their values goes to `problems`.
    pub fn noting(mut self, problems: &Problems) -> Self {
        self.heap = self.heap.noting(problems);
        self
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

    /// Records in whose place another one with the same id was taken, of which a healthy object has none.
    pub fn left_out(&self) -> &[PropertyRecord] {
        self.left_out.as_deref().unwrap_or_default()
    }

    /// Bytes of the value of `record`.
    pub fn value_len(&self, record: &PropertyRecord) -> Result<u64> {
        record.len(&self.heap)
    }

    /// What is wrong with the record list, if part of it is lost.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// What is wrong with where the records say that their values are, though each value can be had.
    pub fn astray(&self) -> Option<&str> {
        self.astray.as_deref()
    }

    /// The record of property `id`.
    pub fn record(&self, id: u16) -> Option<&PropertyRecord> {
        let index = self
            .records
            .binary_search_by_key(&id, |record| record.id)
            .ok()?;
        self.records.get(index)
    }

    /// Whether the value of property `id`, or that there is none, may be what damage made of it.
    pub fn may_be_wrong(&self, id: u16) -> bool {
        if self.is_list_doubtful || self.problem.is_some() {
            return true;
        }
        match self.record(id).and_then(PropertyRecord::target) {
            None | Some(HnidTarget::Empty) => false,
            Some(HnidTarget::Item(hid)) => match self.heap.item(hid) {
                Ok(item) => item.flaw().is_some_and(|flaw| !flaw.vouches()),
                Err(_) => true,
            },
            // What is wrong with its blocks is noted where they are read.
            Some(HnidTarget::Subnode(_)) => !self.node().problems().is_empty(),
        }
    }

    /// The value of property `id`; None when the object does not have it or its type is unknown.
    pub fn get(&self, id: u16) -> Result<Option<Value>> {
        match self.record(id) {
            Some(record) => self.value(record),
            None => Ok(None),
        }
    }

    /// The value of `record`. Of a body that is too long for its file, its beginning, which is noted; another value of more
    /// than 16 MiB is an error.
    pub fn value(&self, record: &PropertyRecord) -> Result<Option<Value>> {
        let property_type = record.property_type;
        if property_type.is_inline() {
            return Ok(Value::decode(property_type, &record.value.to_le_bytes()));
        }
        let stream = self.readable_stream(record)?;
        let value = stream.value(property_type)?;
        if value.is_none() && property_type.fixed_size().is_some() {
            return Err(self.wrong(record, "the value is shorter than its type"));
        }
        Ok(value)
    }

    /// The bytes of property `id`, and which of them are missing; None when the object does not have it or keeps it inline.
    /// Errors are those of [`PropertyContext::value`].
    pub fn bytes(&self, id: u16) -> Result<Option<Bytes>> {
        match self.record(id) {
            Some(record) if !record.property_type.is_inline() => {
                let stream = self.readable_stream(record)?;
                stream.read_all(usize::MAX).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The value of `record` as far as it is to be read as a whole.
    fn readable_stream(&self, record: &PropertyRecord) -> Result<PropertyStream> {
        let limit = record.limit(self.node().ndb());
        let stream = self.record_stream(record)?;
        let len = stream.len();
        if len <= limit {
            return Ok(stream);
        }
        if !record.is_body() {
            let problem = format!("{len} bytes: expected at most {limit} bytes");
            return Err(self.wrong(record, &problem));
        }
        let problem = format!("{len} bytes, of which the first {limit} are shown");
        self.note(format_args!("property {:#06x}", record.id), problem);
        Ok(stream.first(limit))
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
                .readable_stream(record)?
                .with_bytes(record.property_type, |bytes| {
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
        let read = stream.map(|stream| stream.read_all(limit)).transpose()?;
        Ok(read.and_then(|read| Value::decode(record.property_type, &read.bytes)))
    }

    /// The value of `record` if it is a PtypObject, which names the subnode of the data; None for all other types.
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
        let open = |place: HeapNodeId| PropertyStream::open(&self.heap, place, record.id);
        let stream = open(HeapNodeId(record.value)).or_else(|error| {
            let find = || Ok(claims::left_subnode(&self.heap, &self.records));
            let (_, nid) = self
                .left
                .get_or_make(find)?
                .filter(|(id, _)| *id == record.id)
                .ok_or_else(|| error.in_node(self.node().nid().0))?;
            let stream = open(HeapNodeId(nid.0))?;
            let problem = format!(
                "led to no value; the only subnode that no other leads to, {nid}, is taken for it"
            );
            self.note(format_args!("property {:#06x}", record.id), problem);
            Ok::<_, Error>(stream)
        })?;
        if let Some(flaw) = stream.item_flaw()
            && let Some(HnidTarget::Item(hid)) = record.target()
        {
            self.tell_of_block(hid.block(self.heap.index_bits()), flaw);
        }
        Ok(stream)
    }

    /// Notes which properties are in block `number` of the heap, once for each flaw: the first read of any notes all.
    fn tell_of_block(&self, number: usize, flaw: &Flaw) {
        if !self.node().problems().is_first(&flaw.error) {
            return;
        }
        let (mut doubtful, mut missing) = (Vec::new(), Vec::new());
        for record in &*self.records {
            let Some(HnidTarget::Item(hid)) = record.target() else {
                continue;
            };
            if hid.block(self.heap.index_bits()) != number {
                continue;
            }
            match self.heap.item(hid) {
                Ok(item) if !item.missing().is_empty() => missing.push(record.id),
                Ok(item) if !item.bytes().is_empty() => doubtful.push(record.id),
                Ok(_) | Err(_) => {}
            }
        }
        if !missing.is_empty() {
            self.note(
                named(&missing),
                format_args!("a part is missing: {}", flaw.error),
            );
        }
        if flaw.doubtful && !doubtful.is_empty() {
            self.note(
                named(&doubtful),
                format_args!("may be wrong: {}", flaw.error),
            );
        }
        if !flaw.doubtful && flaw.missing.is_empty() {
            self.note(named(&doubtful), flaw);
        }
    }

    fn note(&self, place: impl std::fmt::Display, text: impl std::fmt::Display) {
        self.node().problems().note(Problem {
            node: Some(self.node().nid().0),
            ..Problem::new(place, text)
        });
    }

    fn wrong(&self, record: &PropertyRecord, problem: &str) -> Error {
        Error::corrupt("property", format_args!("{:#06x}", record.id), problem)
            .in_node(self.node().nid().0)
    }
}

/// Whether at least half of `records` make sense.
fn are_plausible(records: &[PropertyRecord]) -> bool {
    let plausible = records.iter().filter(|record| record.is_plausible());
    2 * plausible.count() >= records.len()
}

/// Where `records`, as they are stored, do not ascend: who looks for one by halves, as Outlook does, misses some.
fn disorder(records: &[PropertyRecord]) -> Option<String> {
    let mut pairs = records.iter().zip(records.iter().skip(1));
    let (one, next) = pairs.find(|(one, next)| one.id > next.id)?;
    Some(format!(
        "expected ids that ascend, found {:#06x} behind {:#06x}",
        next.id, one.id
    ))
}

/// The records in the item of a damaged first block that looks most like them, if it has more that make sense than
/// `records`, which the damaged header led to.
fn look_for_records(heap: &Heap, records: &[PropertyRecord]) -> Option<Vec<PropertyRecord>> {
    let known = records
        .iter()
        .filter(|record| record.is_plausible())
        .count();
    let of_item = |item: HeapItem| {
        if !item.bytes().len().is_multiple_of(RECORD) {
            return None;
        }
        let records: Vec<PropertyRecord> = item
            .bytes()
            .chunks_exact(RECORD)
            .filter_map(PropertyRecord::parse)
            .collect();
        let plausible = records.iter().filter(|record| record.is_plausible());
        let ascending = records.is_sorted_by_key(|record| record.id);
        let plausible = plausible.count();
        // All of some values have eight bytes, too: of a list nearly all makes sense.
        (plausible * 4 >= records.len() * 3 && (ascending || plausible > 4))
            .then_some((plausible, records))
    };
    let best = heap
        .items_of_first_block()
        .filter_map(|(_, item)| of_item(item))
        .max_by_key(|(plausible, _)| *plausible);
    best.filter(|(plausible, _)| *plausible > known.max(1))
        .map(|(_, records)| records)
}
