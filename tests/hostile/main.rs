//! Files made to break a reader: each ends in one line for the user or in a whole walk, in bounded time and memory.

#[path = "../helpers/corpus.rs"]
mod corpus;
#[path = "../fuzzed/mod.rs"]
mod fuzzed;
#[path = "../helpers/mailbox.rs"]
mod mailbox;
#[path = "../helpers/memory.rs"]
mod memory;
#[path = "../helpers/mounted.rs"]
mod mounted;
#[path = "../helpers/needs.rs"]
mod needs;
#[path = "../helpers/read_back.rs"]
mod read_back;
#[path = "../support/mod.rs"]
mod support;
#[path = "../helpers/walk.rs"]
mod walk;

mod bounds;
mod budget;
mod data_trees;
mod fuzz_findings;
mod items;
mod structures;
mod text;
mod work;
