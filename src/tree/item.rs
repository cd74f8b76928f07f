//! Items as files: their renditions, sizes and times.

use std::sync::Arc;

use super::ino::{Ino, MessagePath, Object};
use super::{Times, Tree};
use crate::convert::Rendition;
use crate::error::{Error, Result};
use crate::ltp::tags;
use crate::messaging::Message;
use crate::ndb::{Depth, NodeId, whole};
use crate::problem::Problems;

/// The file of an item: its bytes and its times.
#[derive(Debug)]
pub(super) struct ItemFile {
    pub(super) rendition: Rendition,
    pub(super) times: Times,
}

impl Tree {
    /// The file of the message `nid`, rendered if need be. A message that cannot be opened is a file that says so.
    pub(super) fn item_file(&self, ino: Ino, nid: NodeId) -> Result<Arc<ItemFile>> {
        if let Some(item) = self.items.get(&ino) {
            return Ok(item);
        }
        let item = self.rendered(nid, |message| self.converter.render(message))?;
        self.known.set_size(nid, item.rendition.len());
        self.known.set_times(nid, item.times);
        Ok(self.keep(ino, item))
    }

    /// Message `nid` as plain text.
    pub(super) fn text_file(&self, ino: Ino, nid: NodeId) -> Result<Arc<ItemFile>> {
        if let Some(item) = self.items.get(&ino) {
            return Ok(item);
        }
        let item = self.rendered(nid, |message| {
            self.converter.render_text(message, &self.options.zone)
        })?;
        Ok(self.keep(ino, item))
    }

    /// Has what will be read of `files` read ahead from the disk, if that is worth it: `depth` of each.
    pub fn read_ahead(&self, files: &[Ino], depth: Depth) {
        let is_wanted = |ino: &Ino| depth != Depth::Sizes || !self.is_attr_at_hand(*ino);
        let node = |ino: &Ino| match self.object(*ino) {
            Ok(Object::Message(nid) | Object::CheckedMessage(nid) | Object::Text(nid)) => Some(nid),
            Ok(Object::Attachments(path) | Object::Attachment(path, _)) => Some(path.nid),
            _ => None,
        };
        let files = files.iter().filter(|ino| is_wanted(ino));
        let nids: Vec<NodeId> = files.filter_map(node).collect();
        self.store.ndb().read_ahead(&nids, depth);
    }

    /// Says that most of the file will be read.
    pub fn will_read_all(&self) {
        self.store.ndb().source().will_read_all();
    }

    /// The message `nid`; of one that cannot be opened, or whose list of properties is damaged, what its row tells too.
    pub(super) fn open_message(&self, nid: NodeId) -> Result<Message> {
        match Message::open_within_budget(&self.store, nid) {
            Err(error) if error.is_unread() => Err(error),
            Ok(message) if message.problems().is_empty() => Ok(message),
            _ => Ok(self.with_row(nid)),
        }
    }

    /// What is left of message `nid`, with what its row tells.
    pub(super) fn with_row(&self, nid: NodeId) -> Message {
        Message::of_row(&self.store, nid, self.cells(nid))
    }

    /// What `render` makes of message `nid`. Where values turn out unreadable, its row is asked for them.
    fn rendered(&self, nid: NodeId, render: impl Fn(&Message) -> Rendition) -> Result<ItemFile> {
        whole(|| {
            let mut message = self.open_message(nid)?;
            let mut rendition = render(&message);
            if message.problem().is_none() && !message.problems().is_empty() {
                message = self.with_row(nid);
                rendition = render(&message);
            }
            Ok(self.finish(&message, rendition))
        })
    }

    /// Notes what turned out to be wrong with message `nid` for `.ostfs/problems.txt`.
    fn note_problems(&self, nid: NodeId, problems: &Problems) {
        for problem in problems.list() {
            self.problems.note(Object::Message(nid), problem);
        }
    }

    fn keep(&self, ino: Ino, item: ItemFile) -> Arc<ItemFile> {
        let weight = item.rendition.weight();
        self.items.insert(ino, Arc::new(item), weight)
    }

    fn finish(&self, message: &Message, rendition: Rendition) -> ItemFile {
        self.note_problems(message.nid(), rendition.problems());
        ItemFile {
            rendition,
            times: self.times_of(message),
        }
    }

    /// Drops the content of the file `ino`, for those who read every file once: the next one gets its place in memory.
    pub fn forget(&self, ino: Ino) {
        self.items.remove(&ino);
    }

    /// The file of a message embedded in an attachment.
    pub(super) fn embedded_file(&self, ino: Ino, message: &Message) -> Result<Arc<ItemFile>> {
        if let Some(item) = self.items.get(&ino) {
            return Ok(item);
        }
        // The same object is made a file of once more when the first one has been forgotten.
        let message = &message.afresh();
        let item = whole(|| Ok(self.finish(message, self.converter.render_mail(message))))?;
        Ok(self.keep(ino, item))
    }

    /// The file of message `nid` with placeholders for damaged attachments.
    pub(super) fn checked_file(&self, ino: Ino, nid: NodeId) -> Result<Arc<ItemFile>> {
        if let Some(item) = self.items.get(&ino) {
            return Ok(item);
        }
        let item = self.rendered(nid, |message| self.converter.render_checked(message))?;
        Ok(self.keep(ino, item))
    }

    /// Fills `buf` from the file of message `nid`. When an attachment in it turns out damaged, its folder lists from then on
    /// a file in its place that tells of it in its header; and the read fails if damage is refused.
    pub(super) fn read_message(
        &self,
        ino: Ino,
        nid: NodeId,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<usize> {
        let item = self.item_file(ino, nid)?;
        let read = whole(|| item.rendition.read_at(offset, buf));
        let is_damaged = match &read {
            Ok(_) => item.rendition.has_untold_problems(),
            Err(error) => matches!(error, Error::Corrupt(_)),
        };
        if is_damaged {
            self.note_problems(nid, item.rendition.problems());
            if self.damaged.lock().insert(nid) {
                self.newly_damaged.lock().insert(nid);
                // More than one folder may list it.
                self.listings.clear();
            }
        }
        read
    }

    /// Whether a read of message `nid` has met a damaged attachment.
    pub(super) fn is_damaged(&self, nid: NodeId) -> bool {
        self.damaged.lock().contains(&nid)
    }

    /// Whether a read of the file `ino` can find out that it has to be replaced: so it is of all messages of folders.
    pub fn may_be_replaced(&self, ino: Ino) -> bool {
        matches!(self.inodes.object(ino), Some(Object::Message(_)))
    }

    /// What took the place of the file `ino` when an attachment in it turned out damaged; None for all other files.
    pub fn replacement(&self, ino: Ino) -> Option<Ino> {
        if let Some(deleted) = self.deleted_of(ino) {
            return deleted.replacement(ino);
        }
        match self.inodes.object(ino)? {
            Object::Message(nid) if self.is_damaged(nid) => {
                Some(self.inodes.number(&Object::CheckedMessage(nid)))
            }
            _ => None,
        }
    }

    /// Whether the file `ino` has a replacement since the last time that this was asked: true once.
    pub fn is_newly_replaced(&self, ino: Ino) -> bool {
        if let Some(deleted) = self.deleted_of(ino) {
            return deleted.is_newly_replaced(ino);
        }
        match self.inodes.object(ino) {
            Some(Object::Message(nid)) => self.newly_damaged.lock().remove(&nid),
            _ => false,
        }
    }

    /// Under which directory and name a replaced file is listed, for caches above that know the old one.
    pub fn place_of_replaced(&self, ino: Ino) -> Option<(Ino, String)> {
        let replacement = self.replacement(ino)?;
        let Object::Message(nid) = self.inodes.object(ino)? else {
            return None;
        };
        let folder = self.directory_of(nid)?;
        let listing = self.directory(folder).ok()?;
        let name = listing
            .entries()
            .find(|entry| entry.ino == replacement)
            .map(|entry| entry.name.to_owned())?;
        Some((folder, name))
    }

    /// Size and times of the file of message `nid`. Once the size is known, the message is opened for its times at most.
    pub(super) fn item_attr(&self, ino: Ino, nid: NodeId) -> Result<(u64, Times)> {
        if let Some(size) = self.known.size(nid) {
            return Ok((size, self.message_times(&MessagePath::top(nid))?));
        }
        let item = self.item_file(ino, nid)?;
        Ok((item.rendition.len(), item.times))
    }

    /// Times of a message; those of the source file where it cannot be opened.
    pub(super) fn message_times(&self, path: &MessagePath) -> Result<Times> {
        let top = path.attachments.is_empty();
        if top && let Some(times) = self.known.times(path.nid) {
            return Ok(times);
        }
        let times = whole(|| match self.message(path) {
            Ok(message) => Ok(self.times_of(&message)),
            Err(_) => Ok(Times::all(self.source_time)),
        })?;
        if top {
            self.known.set_times(path.nid, times);
        }
        Ok(times)
    }

    fn times_of(&self, message: &Message) -> Times {
        let own = |id: u16| message.properties().time(id).ok().flatten();
        let mtime = message
            .time()
            .map_or(self.source_time, |time| time.system_time());
        Times {
            mtime,
            ctime: own(tags::LAST_MODIFICATION_TIME).map_or(mtime, |time| time.system_time()),
            btime: own(tags::CREATION_TIME).map_or(mtime, |time| time.system_time()),
        }
    }
}
