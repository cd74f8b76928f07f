//! Attachments as files of their own, beside the item.
#![forbid(unsafe_code)]

use super::item::{Content, Item};
use crate::convert::item_format::ItemFormat;
use crate::convert::rendition::Rendition;
use crate::error::Error;
use crate::ltp::FileTime;
use crate::messaging::Message;
use crate::ndb::NodeId;

/// An attachment as a file of its own.
#[derive(Debug)]
pub struct AttachmentFile {
    /// The attachment, to tell files of the same name apart.
    pub nid: NodeId,
    /// Its name as the message has it; not yet fit for a file system.
    pub name: String,
    /// Its media type; that of mail for a message.
    pub media_type: String,
    /// PidTagCreationTime of the file.
    pub created: Option<FileTime>,
    /// PidTagLastModificationTime of the file.
    pub modified: Option<FileTime>,
    /// What is in it.
    pub content: AttachmentContent,
}

/// Content of an [`AttachmentFile`].
#[derive(Debug)]
pub enum AttachmentContent {
    /// The bytes of a file.
    File(Rendition),
    /// A message, with attachments of its own.
    Message(Box<Message>),
    /// It cannot be read.
    Unreadable(Error),
}

impl AttachmentFile {
    /// The file of `item`.
    pub(in crate::convert) fn of(item: Item) -> Self {
        Self {
            nid: item.nid,
            name: item.name,
            created: item.created,
            modified: item.modified,
            media_type: match item.content {
                Content::Message(_) => ItemFormat::Mail.media_type().to_owned(),
                Content::Bytes(_) | Content::Unreadable(_) => item.media_type,
            },
            content: match item.content {
                Content::Bytes(range) => {
                    AttachmentContent::File(Rendition::of_range(range, &item.problems))
                }
                Content::Message(message) => AttachmentContent::Message(message),
                Content::Unreadable(error) => AttachmentContent::Unreadable(error),
            },
        }
    }
}
