//! Messages: how they are opened, and what of them is known without opening them once more.

use std::sync::Arc;

use super::attr::Times;
use super::context::Context;
use super::folders::Folders;
use super::known::Known;
use super::object::Object;
use super::replaced::Replaced;
use crate::convert::when;
use crate::error::Result;
use crate::ltp::tags;
use crate::messaging::Message;
use crate::ndb::NodeId;
use crate::problem::Problems;

/// The messages of one tree.
#[derive(Debug)]
pub(super) struct Messages {
    context: Arc<Context>,
    folders: Arc<Folders>,
    /// Sizes and times, so that a second `ls -l` renders nothing.
    pub known: Known,
    pub replaced: Arc<Replaced>,
}

impl Messages {
    /// The messages of `folders`, of which some files are `replaced` from the beginning.
    pub fn new(context: Arc<Context>, folders: Arc<Folders>, replaced: Replaced) -> Self {
        Self {
            known: Known::new(context.options.share(2)),
            context,
            folders,
            replaced: Arc::new(replaced),
        }
    }

    /// The message `nid`; of one that cannot be opened, or whose list of properties is damaged, what its row has too.
    pub fn open(&self, nid: NodeId) -> Result<Message> {
        match Message::open_within_budget(&self.context.store, nid) {
            Err(error) if error.is_unread() => Err(error),
            Ok(message) if message.problems().is_empty() => Ok(message),
            _ => Ok(self.with_row(nid)),
        }
    }

    /// What is left of message `nid`, with what its row has.
    pub fn with_row(&self, nid: NodeId) -> Message {
        Message::of_row(&self.context.store, nid, self.folders.cells(nid))
    }

    /// Notes what turned out to be wrong with message `nid` for `.ostfs/problems.txt`.
    pub fn note(&self, nid: NodeId, problems: &Problems) {
        self.context.note_all(&Object::Message(nid), problems);
    }

    /// Times of message `nid`; those of the source file where it cannot be opened.
    pub fn times(&self, nid: NodeId) -> Result<Times> {
        self.known.times_or(nid, || match self.open(nid) {
            Ok(message) => Ok(self.times_of(&message)),
            Err(_) => Ok(Times::all(self.context.source_time)),
        })
    }

    /// Times of `message`: its own, else those of the source file.
    pub fn times_of(&self, message: &Message) -> Times {
        let own = |id: u16| message.properties().time(id).ok().flatten();
        let mtime = when::moment(message).map_or(self.context.source_time, |moment| {
            moment.start().system_time()
        });
        Times {
            mtime,
            ctime: own(tags::LAST_MODIFICATION_TIME).map_or(mtime, |time| time.system_time()),
            btime: own(tags::CREATION_TIME).map_or(mtime, |time| time.system_time()),
        }
    }
}
