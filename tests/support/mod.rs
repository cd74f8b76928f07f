//! Test support: an independent writer of Outlook data files. It shares no code with the library, so that it can contradict it.
//!
//! `format` (constants, CRC, encodings) <- `output` (pages, maps) <- `ndb`, `header` (blocks, B-trees) <- `ltp` (heaps, PC, TC)
//! <- `messaging` (items) <- `plan`, `store` (folders; [`Store`] and [`Writer`]). `message`, `value` describe items, `tags` has the names of properties; `compound` writes OLE objects, `pdf` PDF files; `layout`, `damage` break a finished file;
//! `realistic` invents mail.
#![allow(dead_code)]
#![allow(unused_imports)]

pub mod compound;
pub mod damage;
pub mod format;
pub mod header;
pub mod items;
pub mod large;
pub mod layout;
pub mod ltp;
pub mod message;
pub mod messaging;
pub mod ndb;
pub mod ost;
pub mod output;
pub mod pdf;
pub mod peers;
pub mod plan;
pub mod realistic;
pub mod sample;
pub mod store;
pub mod tags;
pub mod templates;
pub mod value;

pub use compound::{component, compound_file};
pub use damage::Damage;
pub use format::{Crypt, Format, Prng};
pub use layout::Layout;
pub use ltp::Props;
pub use message::*;
pub use ndb::Options;
pub use plan::{Folders, Nid};
pub use store::{RECORD_KEY, Store, Writer};
pub use templates::{contents_table, hierarchy_table};
pub use value::{Payload, Value, to_code_page};

/// Every format, each with another encoding.
pub const ALL_FORMATS: [(Format, Crypt); 4] = [
    (Format::Ansi, Crypt::Permute),
    (Format::Unicode, Crypt::Cyclic),
    (Format::UnicodeOst, Crypt::Permute),
    (Format::Ost4k, Crypt::None),
];
