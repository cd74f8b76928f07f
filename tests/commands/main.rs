//! What the commands other than `mount` print, write and return.

#[path = "../helpers/corpus.rs"]
mod corpus;
#[path = "../helpers/mailbox.rs"]
mod mailbox;
#[path = "../helpers/mounted.rs"]
mod mounted;
#[path = "../helpers/needs.rs"]
mod needs;
#[path = "../helpers/programs.rs"]
mod programs;
#[path = "../helpers/python.rs"]
mod python;
#[path = "../support/mod.rs"]
mod support;
#[path = "../helpers/walk.rs"]
mod walk;

mod advice;
mod arguments;
mod check;
mod cluster;
mod contents;
mod depth;
mod documents;
mod early_end;
mod examples;
mod exit_codes;
mod export;
mod indexes;
mod manual;
mod mbox;
mod outputs;
mod readme;
mod records;
mod scanpst;
mod search;
mod selection;
mod streams;
mod summary;
mod targets;
mod told;
mod typed;
