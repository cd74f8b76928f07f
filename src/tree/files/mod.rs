//! The files of the tree: what each is made of. All give their bytes and times by one interface, [`file::FileOf`].

pub(super) mod attachments;
pub(super) mod configurations;
pub(super) mod control;
pub(super) mod conversations;
pub(super) mod file;
pub(super) mod imports;
mod index;
pub(super) mod items;
