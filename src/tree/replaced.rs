//! Files of messages in which a read has met a damaged attachment: another file is listed in their place, whose header says
//! so.

use std::collections::HashSet;

use parking_lot::Mutex;

use crate::ndb::NodeId;

/// The messages whose files are replaced.
#[derive(Debug, Default)]
pub(super) struct Replaced(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    all: HashSet<NodeId>,
    /// Those of them that nobody was told of yet.
    new: HashSet<NodeId>,
}

impl Replaced {
    /// Those that are known to be damaged before anybody has read them.
    pub fn known(messages: impl Iterator<Item = NodeId>) -> Self {
        Self(Mutex::new(State {
            all: messages.collect(),
            new: HashSet::new(),
        }))
    }

    /// Replaces the file of message `nid`.
    pub fn add(&self, nid: NodeId) {
        let mut state = self.0.lock();
        if state.all.insert(nid) {
            state.new.insert(nid);
        }
    }

    /// Whether the file of message `nid` is replaced.
    pub fn has(&self, nid: NodeId) -> bool {
        self.0.lock().all.contains(&nid)
    }

    /// Whether the file of message `nid` was replaced since the last time that this was asked: true once.
    pub fn is_new(&self, nid: NodeId) -> bool {
        self.0.lock().new.remove(&nid)
    }

    /// How many there are. They never become fewer, so listings made at the same count have the same files.
    pub fn count(&self) -> usize {
        self.0.lock().all.len()
    }
}
