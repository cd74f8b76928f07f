//! Items of each kind as files: mail, appointments, contacts, tasks, notes, journals.

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

mod active_characters;
mod attachment_names;
mod chats;
mod configurations;
mod documents;
mod generated;
mod mail_kinds;
mod mail_programs;
mod never_invented;
mod objects;
mod own_words;
mod pim;
mod reports;
mod special_classes;
mod stored_otherwise;
mod texts;
mod unusual;
