//! Which parts of nodes are not shown, since they come again ([`repeats`](super::repeats) decides).

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::declared::DeclaredSizes;
use super::ids::{BlockId, NodeId};
use super::kept::{Map, Once};
use crate::error::{Error, Result};

/// What may be shown of blocks that come again: so often the size of the file.
pub(super) const TIMES: u64 = 8;

/// What is known about the blocks of a file.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    pub(super) messages: OnceLock<u64>,
    pub(super) cuts: OnceLock<Arc<Cuts>>,
    /// What the messages of all contents tables declare, and those of one.
    pub(super) declared: Once<DeclaredSizes>,
    pub(super) declared_in: Map<NodeId, Arc<DeclaredSizes>>,
}

/// The part of a node that is the same as that of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Data,
    Subnodes,
}

/// An entry for a node: the subnode tree that it stands in, none for the node B-tree, and its id there.
pub(super) type Place = (BlockId, NodeId);

/// The entries whose blocks are not shown once more, and the node of the file that shows them.
#[derive(Debug, Default)]
pub(super) struct Cuts(HashMap<(Place, Part), NodeId>);

impl Cuts {
    /// Shows `part` of the node at `place` no more; `first` shows the same.
    pub(super) fn insert(&mut self, place: Place, part: Part, first: NodeId) {
        self.0.insert((place, part), first);
    }

    /// An error if `part` of the node at `place` is not shown.
    pub(super) fn check(&self, place: Place, part: Part) -> Result<()> {
        let Some(first) = self.0.get(&(place, part)) else {
            return Ok(());
        };
        let what = match part {
            Part::Data => "its data",
            Part::Subnodes => "what is in it",
        };
        Err(Error::Repeated(format!(
            "{what} is that of {first}, and shown there: to show it wherever it comes again would take more than {} \
             times the file",
            TIMES
        )))
    }
}
