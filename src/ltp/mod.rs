//! Lists, tables and properties layer: heap-on-node, BTH, property context, table context. [MS-PST] 2.3
//!
//! Uses `ndb` below it. Heaps read their blocks when an item is asked for; large values are streams, never whole in
//! memory. A property or cell that cannot be read is an error of its own, and the rest of its object stays readable.
//!
//! A damaged structure gives every entry that makes sense. Of a damaged heap the page map is found again by what it
//! must be like; BTH header, property records and column descriptions by their fixed sizes and known types; of a
//! damaged SLBLOCK or XBLOCK comes what leads to blocks of the file; of a damaged row index the rows have their own
//! ids, and of damaged cells its message has what is right. In a block whose CRC is right such a structure is an error, since it
//! was written so: but for a BTH whose records have other sizes than they must have, a list of properties that nothing leads to any more,
//! which are read all the same, and a value that nothing leads to (`claims`).
#![forbid(unsafe_code)]

pub(crate) mod bth;
mod claims;
mod heap;
mod heap_map;
pub mod lzfu;
mod property;
mod property_context;
mod property_record;
mod row_ids;
mod row_matrix;
mod stream;
mod table_context;
mod table_info;
pub mod tags;
mod value_kind;

pub use claims::check_table;
pub use heap::{ClientSignature, Heap, HeapId, HeapNodeId, HnidTarget};
pub use property::{FileTime, Guid, PropertyType, Value};
pub use property_context::PropertyContext;
pub use property_record::{PropertyRecord, named};
pub use stream::{Bytes, PropertyStream, gap_in_text};
pub use table_context::{MAX_CELL, Row, TableContext};
pub use table_info::Column;
pub use value_kind::ValueKind;
