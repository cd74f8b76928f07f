//! What a fuzz target does with an input. The targets in `fuzz/` and the test that replays what they found call the same
//! functions; the input never carries a checksum, so that no checksum keeps a fuzzer out: what is written here of it is a
//! file with right ones (unless the input asks for wrong ones).
//!
//! `image` (records of an input) <- `scratch`, `pages`, `store` (a file of them) <- `promises` (what holds of every tree)
//! <- one file per target; `mutate` changes records, `seeds` makes first inputs with the writer of the tests.
#![allow(dead_code)]

pub mod image;
pub mod item;
pub mod ltp;
pub mod mutate;
pub mod named_properties;
pub mod ndb;
pub mod outputs;
pub mod pages;
pub mod promises;
pub mod query;
pub mod recurrence;
pub mod rtf;
pub mod scratch;
pub mod seeds;
pub mod store;
pub mod tree;

/// A target: panics when a promise is broken.
pub type Target = fn(&[u8]);

/// All targets by name.
pub const TARGETS: [(&str, Target); 9] = [
    ("ndb", ndb::run),
    ("ltp", ltp::run),
    ("rtf", rtf::run),
    ("recurrence", recurrence::run),
    ("named_properties", named_properties::run),
    ("item", item::run),
    ("tree", tree::run),
    ("outputs", outputs::run),
    ("query", query::run),
];
