//! Items as files: their names, renditions, sizes and times.

use std::sync::Arc;

use super::ino::{Ino, MessagePath};
use super::{Times, Tree, name};
use crate::convert::Rendition;
use crate::error::{Error, Result};
use crate::ltp::tags;
use crate::messaging::{ContentsRow, Message, Store};
use crate::ndb::NodeId;

/// PidTagMessageFlags: the message has attachments.
const MSGFLAG_HASATTACH: i32 = 0x10;
const MAIL_EXTENSION: &str = ".eml";
/// Classes that are named by a display name and bear no date.
const CONTACT_CLASSES: [&str; 3] = ["IPM.Contact", "IPM.DistList", "IPM.AbchPerson"];

/// An item as it is shown in a directory.
pub(super) struct Description {
    pub(super) stem: String,
    pub(super) extension: &'static str,
    pub(super) has_attachments: bool,
}

/// The file of an item: its bytes and its times.
#[derive(Debug)]
pub(super) struct ItemFile {
    pub(super) rendition: Rendition,
    pub(super) times: Times,
}

/// How a row of a contents table is shown. A table without flags, or without any time, is an incomplete one: then the
/// message is asked.
pub(super) fn describe(store: &Arc<Store>, row: &ContentsRow) -> Description {
    let is_contact = |class: Option<&str>| class.is_some_and(is_contact);
    let named_by_date = !is_contact(row.message_class.as_deref());
    let time = row.delivery.or(row.submit);
    let incomplete = row.flags.is_none() || (named_by_date && time.is_none());
    let message = incomplete
        .then(|| Message::open(store, row.nid).ok())
        .flatten();
    let properties = message.as_ref().map(Message::properties);
    let string = |id: u16| properties.and_then(|properties| properties.string(id).ok().flatten());
    let class = row
        .message_class
        .clone()
        .or_else(|| string(tags::MESSAGE_CLASS));
    let subject = || {
        let subject = message
            .as_ref()
            .and_then(|message| message.subject().ok().flatten());
        row.subject
            .clone()
            .or(subject)
            .map(|subject| subject.text)
            .unwrap_or_default()
    };
    let stem = if is_contact(class.as_deref()) {
        let display_name = row
            .display_name
            .clone()
            .or_else(|| string(tags::DISPLAY_NAME));
        name::contact_stem(&display_name.unwrap_or_else(subject))
    } else {
        name::item_stem(
            time.or_else(|| message.as_ref().and_then(Message::time)),
            &subject(),
        )
    };
    let flags = row
        .flags
        .or_else(|| properties.and_then(|own| own.integer(tags::MESSAGE_FLAGS).ok().flatten()));
    Description {
        stem,
        extension: MAIL_EXTENSION,
        has_attachments: flags.unwrap_or(0) & MSGFLAG_HASATTACH != 0,
    }
}

fn is_contact(class: &str) -> bool {
    CONTACT_CLASSES.iter().any(|prefix| {
        class
            .get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    })
}

impl Tree {
    /// The file of the message `nid`, rendered if need be. A message that cannot be opened is a file that says so.
    pub(super) fn item_file(&self, ino: Ino, nid: NodeId) -> Result<Arc<ItemFile>> {
        if let Some(item) = self.items.get(&ino) {
            return Ok(item);
        }
        let item = match Message::open(&self.store, nid) {
            Ok(message) => self.render(&message),
            Err(error @ Error::Io { .. }) => return Err(error),
            Err(error) => {
                self.problems.note(format!("message {:#x}: {error}", nid.0));
                ItemFile {
                    rendition: self.converter.placeholder(nid, &error),
                    times: Times::all(self.source_time),
                }
            }
        };
        self.sizes.lock().insert(nid, item.rendition.len());
        Ok(self.keep(ino, item))
    }

    fn keep(&self, ino: Ino, item: ItemFile) -> Arc<ItemFile> {
        let weight = item.rendition.weight();
        self.items.insert(ino, Arc::new(item), weight)
    }

    fn render(&self, message: &Message) -> ItemFile {
        let rendition = self.converter.render(message);
        for problem in rendition.problems() {
            self.problems
                .note(format!("message {:#x}: {problem}", message.nid().0));
        }
        ItemFile {
            rendition,
            times: self.times_of(message),
        }
    }

    /// The file of a message embedded in an attachment.
    pub(super) fn embedded_file(&self, ino: Ino, message: &Message) -> Arc<ItemFile> {
        if let Some(item) = self.items.get(&ino) {
            return item;
        }
        let item = self.render(message);
        self.keep(ino, item)
    }

    /// Size and times of the file of message `nid`. Once the size is known, only the list of properties is read.
    pub(super) fn item_attr(&self, ino: Ino, nid: NodeId) -> Result<(u64, Times)> {
        let known = self.sizes.lock().get(&nid).copied();
        if let Some(size) = known
            && self.items.get(&ino).is_none()
        {
            return Ok((size, self.message_times(&MessagePath::top(nid))?));
        }
        let item = self.item_file(ino, nid)?;
        Ok((item.rendition.len(), item.times))
    }

    /// Times of a message; those of the source file where it cannot be opened.
    pub(super) fn message_times(&self, path: &MessagePath) -> Result<Times> {
        match self.message(path) {
            Ok(message) => Ok(self.times_of(&message)),
            Err(error @ Error::Io { .. }) => Err(error),
            Err(_) => Ok(Times::all(self.source_time)),
        }
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
