//! What holds of every mailbox, tried with mailboxes that nobody thought of: odd characters in names, sizes around the limits
//! of blocks, all kinds of items, formats and encodings. A mailbox for which something does not hold is made as small as it
//! can be, and its seed is kept in `seeds/`, from where it is tried first at the next run.
//!
//! `OSTFS_PROPERTY_SECONDS=60` has each property tried for so long, with other mailboxes each time; `scripts/proof properties`
//! does it.

#[path = "../helpers/mounted.rs"]
mod mounted;
#[path = "../helpers/needs.rs"]
mod needs;
#[path = "../helpers/programs.rs"]
mod programs;
#[path = "../support/mod.rs"]
mod support;
#[path = "../helpers/walk.rs"]
mod walk;

mod encoders;
mod lzfu;
mod mailbox;
mod names;
mod outputs;
mod runner;
mod shown;
mod text;
mod tree;
