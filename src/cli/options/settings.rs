//! What options set.

use std::path::PathBuf;

use crate::fuse;
use crate::tree;

/// All options of a mount or an export.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// What the tree shows.
    pub tree: tree::Options,
    /// How it is mounted.
    pub mount: fuse::Options,
    /// Whether the mount point may have files of its own.
    pub nonempty: bool,
    /// Whether sizes and times of messages are kept for the next mount.
    pub size_cache: bool,
    /// The directory of the word indexes that queries of the mount use.
    pub index: Option<PathBuf>,
    /// Whether the process gives up the rights that it does not need.
    pub sandbox: Switch,
}

/// What is on unless it is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Switch {
    /// As it should be.
    #[default]
    On,
    /// Not now.
    Off,
}

/// What options set, as they are read one by one.
#[derive(Default)]
pub(super) struct Settings {
    pub options: Options,
    pub masks: Masks,
}

impl Settings {
    /// What the tree shows.
    pub fn tree(&mut self) -> &mut tree::Options {
        &mut self.options.tree
    }

    /// How it is mounted.
    pub fn mount(&mut self) -> &mut fuse::Options {
        &mut self.options.mount
    }
}

/// The masks, of which the more special one wins, wherever it stands.
#[derive(Default)]
pub(super) struct Masks {
    pub all: Option<u16>,
    pub files: Option<u16>,
    pub directories: Option<u16>,
}
