//! Real files, healthy and damaged, against what an independent reader found in them.
//!
//! The files lie in `../shared/corpus` (or `$OSTFS_CORPUS`) and never enter the project, nor do the tools
//! beside them that damage them; without them these tests say so and pass.

#[path = "../helpers/corpus.rs"]
mod corpus;
#[path = "../helpers/needs.rs"]
mod needs;
#[path = "../helpers/phrase.rs"]
mod phrase;
#[path = "../helpers/read_back.rs"]
mod read_back;

mod check;
mod damage;
mod damage_output;
mod mail;
mod reader;
mod restore;
mod tree;
