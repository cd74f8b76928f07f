//! Files of messages in which a read has met a damaged attachment: another file is listed in their place, whose header states
//! so.
//!
//! What is damaged is known only when it is read, and sizes must not read attachments. So the first reader gets the
//! bytes, and the problem is in `.ostfs/problems.txt` at once; from then on the folder lists the other file, under
//! another inode number. Nobody gets the beginning of one and the end of the other. `export`, `index` and `cat` read
//! everything first and give that file. With `damaged=refuse` the first read fails, and the file has a placeholder.
//!
//! A listing is kept under the number of files replaced when it was made, so no listing has to be dropped.

use std::collections::HashSet;

use parking_lot::Mutex;

use crate::ndb::NodeId;

/// The messages whose files are replaced.
#[derive(Debug, Default)]
pub(super) struct Replaced(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    all: HashSet<NodeId>,
    /// Those of them that [`Replaced::is_new`] has not reported yet.
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
