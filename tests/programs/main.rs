//! Programs of others on a mount: mail readers, indexers, browsers, file managers, Samba.

#[path = "../helpers/corpus.rs"]
mod corpus;
#[path = "../helpers/mounted.rs"]
mod mounted;
#[path = "../helpers/needs.rs"]
mod needs;
#[path = "../helpers/phrase.rs"]
mod phrase;
#[path = "../helpers/programs.rs"]
mod programs;
#[path = "../support/mod.rs"]
mod support;

mod desktop;
mod mail;
mod samba;
