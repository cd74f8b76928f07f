//! Files of messages in which a read has met a damaged attachment: another file is listed in their place, whose header states
//! so.
//!
//! What is damaged is known only when it is read, and sizes must not read attachments. So the first reader gets the
//! bytes, and the problem is in `.ostfs/problems.txt` at once; from then on the folder lists the other file, under
//! another inode number. Nobody gets the beginning of one and the end of the other. `export`, `index` and `cat` read
//! everything first and give that file. With `damaged=refuse` the first read fails, and the file has a placeholder.
//!
//! Listings have the numbers of the files that are there at first. What takes the place of one is looked up when an entry is
//! handed out, so no listing is made anew.

use std::collections::HashSet;

use parking_lot::RwLock;

use super::ino::Ino;
use crate::ndb::NodeId;

/// The messages whose files are replaced.
#[derive(Debug, Default)]
pub(super) struct Replaced(RwLock<State>);

#[derive(Debug, Default)]
struct State {
    all: HashSet<NodeId>,
    /// Those of them that [`Replaced::is_new`] has not reported yet.
    new: HashSet<NodeId>,
}

impl Replaced {
    /// Those that are known to be damaged before anybody has read them.
    pub fn known(messages: impl Iterator<Item = NodeId>) -> Self {
        Self(RwLock::new(State {
            all: messages.collect(),
            new: HashSet::new(),
        }))
    }

    /// Replaces the file of message `nid`.
    pub fn add(&self, nid: NodeId) {
        let mut state = self.0.write();
        if state.all.insert(nid) {
            state.new.insert(nid);
        }
    }

    /// Whether the file of message `nid` is replaced.
    pub fn has(&self, nid: NodeId) -> bool {
        self.0.read().all.contains(&nid)
    }

    /// Whether the file of message `nid` was replaced since the last time that this was asked: true once.
    pub fn is_new(&self, nid: NodeId) -> bool {
        self.0.write().new.remove(&nid)
    }

    /// The number of what is listed where a listing has `ino`.
    pub fn listed(&self, ino: Ino) -> Ino {
        let state = self.0.read();
        if state.all.is_empty() {
            return ino;
        }
        let replacement = ino.replacement();
        let replacement = replacement.filter(|(_, nid)| state.all.contains(nid));
        replacement.map_or(ino, |(other, _)| other)
    }
}
