//! Real mounts: what they show, how they begin and end, and what goes wrong under them.

#[path = "../helpers/corpus.rs"]
mod corpus;
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

mod ahead;
mod basics;
mod cold;
mod errors;
mod faults;
mod habits;
mod layouts;
mod mount_8;
mod places;
mod reads_by_number;
mod searches;
mod size_cache;
mod soak;
mod templates;
mod texts;
mod views;
mod writes_by_number;
