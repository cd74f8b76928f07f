//! Extended attributes: properties of an object beside its name, size and times.
//!
//! Everything comes from the properties of the folder or message; nothing is rendered, and no attachment is read. A problem
//! of an attachment is there once it has been read.
//! Names: `user.ostfs.*` are our own, the others those of freedesktop.org's common extended attributes.
//!
//! They are opt-in (`-o user_xattr`): `ls -l` asks for the access list of each file, and the kernel keeps no answer but
//! "there are none here at all". With them the second `ls -l` of 8,600 messages took 0.36 s instead of 0.13 s.

use super::context::Context;
use super::files::attachments::Attachments;
use super::files::file::FileOf;
use super::folders::Folders;
use super::object::{MessagePath, Object};
use crate::convert::ItemFormat;
use crate::error::{Error, Result};
use crate::ltp::tags;
use crate::messaging::{EntryId, Message, Properties};
use crate::ndb::NodeId;

/// Prefix of all of them: other name spaces (`security.`, `system.`) are for the system, which asks for them often.
pub const PREFIX: &str = "user.";

const NID: &str = "user.ostfs.nid";
const CLASS: &str = "user.ostfs.class";
const FLAGS: &str = "user.ostfs.flags";
const ENTRY_ID: &str = "user.ostfs.entryid";
const PROBLEM: &str = "user.ostfs.problem";
const MIME_TYPE: &str = "user.mime_type";
/// Header fields of the message that a file is, or came with.
const ORIGIN: [(&str, &str); 3] = [
    ("Subject", "user.xdg.origin.email.subject"),
    ("From", "user.xdg.origin.email.from"),
    ("Message-ID", "user.xdg.origin.email.message-id"),
];

/// XATTR_SIZE_MAX of linux/limits.h.
const MAX_SIZE: usize = 65_536;

/// Name and value of an extended attribute.
pub type Xattr = (&'static str, String);

/// Reads extended attributes of the objects of one tree.
pub(super) struct Xattrs<'a> {
    pub context: &'a Context,
    pub folders: &'a Folders,
    pub attachments: &'a Attachments,
}

impl Xattrs<'_> {
    /// Those of `object`. Opens the folder or message; a damaged one has its number alone.
    pub fn of(&self, object: Object) -> Result<Vec<Xattr>> {
        match object {
            Object::Root => Ok(self.of_folder(self.context.root)),
            Object::Folder(nid) | Object::Lost(nid) | Object::Maildir(nid, _) => {
                Ok(self.of_folder(nid))
            }
            Object::Message(nid) | Object::CheckedMessage(nid) => self.of_message(nid),
            Object::Text(nid) => {
                let mut xattrs = self.of_message(nid)?;
                xattrs.retain(|(name, _)| *name != MIME_TYPE);
                xattrs.push((MIME_TYPE, ItemFormat::Text.media_type().to_owned()));
                Ok(xattrs)
            }
            Object::Attachments(path) => Ok(vec![number(path.nid)]),
            Object::Attachment(path, index) => self.of_attachment(&path, index),
            Object::Conversation(_)
            | Object::LostMaildir(_)
            | Object::Link(..)
            | Object::Import(_)
            | Object::ImportFile(..)
            | Object::Special(_) => Ok(Vec::new()),
        }
    }

    fn of_folder(&self, nid: NodeId) -> Vec<Xattr> {
        let mut xattrs = vec![number(nid)];
        let folder = self.folders.open(nid).properties().ok();
        if let Some(class) = folder.and_then(|own| own.string(tags::CONTAINER_CLASS).ok()?) {
            xattrs.push((CLASS, class));
        }
        xattrs.extend(self.entry_id(None, nid));
        xattrs
    }

    fn of_message(&self, nid: NodeId) -> Result<Vec<Xattr>> {
        let mut xattrs = vec![number(nid)];
        let Some(message) = self.message_to_tell(&MessagePath::top(nid))? else {
            return Ok(xattrs);
        };
        let own = message.properties();
        let class = own.string(tags::MESSAGE_CLASS).ok().flatten();
        let format = self.context.converter.format(message.class().kind);
        xattrs.extend(class.map(|class| (CLASS, class)));
        if let Ok(Some(flags)) = own.integer(tags::MESSAGE_FLAGS) {
            xattrs.push((FLAGS, format!("{flags:#x}")));
        }
        xattrs.extend(self.entry_id(Some(own), nid));
        xattrs.push((MIME_TYPE, format.media_type().to_owned()));
        xattrs.extend(self.origin(&message));
        Ok(xattrs)
    }

    fn of_attachment(&self, path: &MessagePath, index: u32) -> Result<Vec<Xattr>> {
        let mut xattrs = vec![number(path.nid)];
        xattrs.push((MIME_TYPE, self.attachments.media_type(path, index)?));
        let problems = self.attachments.file(path.clone(), index).problems()?;
        if !problems.is_empty() {
            xattrs.push((PROBLEM, within_limit(problems.join("; "))));
        }
        if let Some(message) = self.message_to_tell(path)? {
            xattrs.extend(self.origin(&message));
        }
        Ok(xattrs)
    }

    /// The message at `path`; None where it is damaged.
    fn message_to_tell(&self, path: &MessagePath) -> Result<Option<Message>> {
        match self.attachments.message(path) {
            Ok(message) => Ok(Some(message)),
            Err(error @ (Error::Io { .. } | Error::NotFound)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    fn origin(&self, message: &Message) -> impl Iterator<Item = Xattr> {
        let fields = ORIGIN.map(|(field, _)| field);
        let header = self.context.converter.header(message, &fields);
        let named = ORIGIN.into_iter();
        named.filter_map(move |(field, name)| Some((name, header.line(field)?)))
    }

    /// PidTagEntryId in hexadecimal digits, as Outlook's object model has it: as stored, else as the file's other
    /// objects refer to `nid`.
    fn entry_id(&self, own: Option<&Properties>, nid: NodeId) -> Option<Xattr> {
        let stored = own.and_then(|own| own.binary(tags::ENTRY_ID).ok().flatten());
        let made = || {
            let record_key = self.context.store.record_key().try_into().ok()?;
            Some(EntryId::of_node(record_key, nid).to_vec())
        };
        let bytes = stored.or_else(made)?;
        let digits = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        Some((ENTRY_ID, digits))
    }
}

/// The start of `value` that getxattr(2) can give.
fn within_limit(mut value: String) -> String {
    let mut ends = (0..=MAX_SIZE).rev();
    let end = ends.find(|end| value.is_char_boundary(*end));
    value.truncate(end.unwrap_or(0));
    value
}

fn number(nid: NodeId) -> Xattr {
    (NID, format!("{:#x}", nid.0))
}
