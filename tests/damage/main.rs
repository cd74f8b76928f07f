//! What a damaged file still shows, and that it says what is missing or in doubt.

#[path = "../helpers/corpus.rs"]
mod corpus;
#[path = "../helpers/mailbox.rs"]
mod mailbox;
#[path = "../helpers/mounted.rs"]
mod mounted;
#[path = "../helpers/needs.rs"]
mod needs;
#[path = "../support/mod.rs"]
mod support;
#[path = "../helpers/walk.rs"]
mod walk;

mod any_byte;
mod beginning;
mod deleted;
mod doubts;
mod fields;
mod intact;
mod ipm_subtree;
mod items;
mod left_over;
mod lost_lists;
mod one_bit;
mod parts;
mod placeholders;
mod places;
mod shares;
mod shifted;
mod structures;
mod wrong_header;
