//! An attachment as it is shown.
#![forbid(unsafe_code)]

use super::media_type;
use crate::convert::byte_range::ByteRange;
use crate::error::Error;
use crate::ltp::FileTime;
use crate::messaging::Message;
use crate::ndb::NodeId;
use crate::problem::Problems;

/// Characters of a name.
const MAX_NAME: usize = 1024;

/// Content of an attachment.
#[derive(Debug)]
pub(crate) enum Content {
    /// The bytes of a file.
    Bytes(ByteRange),
    /// A message.
    Message(Box<Message>),
    /// What stands in the way.
    Unreadable(Error),
}

/// An attachment as it is shown.
#[derive(Debug)]
pub(crate) struct Item {
    /// The attachment; that of the TNEF attachment for what was in it.
    pub nid: NodeId,
    /// File name as the message has it, without a path.
    pub name: String,
    /// The type that the message states, in lower case.
    pub stated_type: Option<String>,
    /// Its type as a file.
    pub media_type: String,
    /// Character set of text, where the message states it.
    pub charset: Option<String>,
    pub content: Content,
    /// PidTagAttachContentId without angle brackets.
    pub content_id: Option<String>,
    /// PidTagAttachContentLocation.
    pub content_location: Option<String>,
    /// An exception of a recurring appointment, which is no attachment to people.
    pub is_hidden: bool,
    /// It stands for content that is elsewhere.
    pub is_link: bool,
    /// Where the RTF body shows it.
    pub position: Option<u32>,
    /// PidTagCreationTime of the file.
    pub created: Option<FileTime>,
    /// PidTagLastModificationTime of the file.
    pub modified: Option<FileTime>,
    /// What turned out to be wrong with it, and will when its bytes are read.
    pub problems: Problems,
}

impl Item {
    /// A file that nothing more is known of than its content.
    pub fn of_file(name: String, stated_type: Option<String>, content: ByteRange) -> Self {
        Self {
            nid: NodeId::default(),
            media_type: media_type::of_file(stated_type.as_deref(), &name),
            name,
            stated_type,
            charset: None,
            content: Content::Bytes(content),
            content_id: None,
            content_location: None,
            is_hidden: false,
            is_link: false,
            position: None,
            created: None,
            modified: None,
            problems: Problems::default(),
        }
    }

    /// One of which nothing can be had.
    pub(super) fn unreadable(name: &str, error: Error) -> Self {
        Self {
            content: Content::Unreadable(error),
            ..Self::of_file(name.to_owned(), None, ByteRange::of_bytes(Vec::new()))
        }
    }

    /// Reads the bytes of a file; where that fails, the content is unreadable.
    pub fn check(&mut self) {
        if let Content::Bytes(bytes) = &self.content
            && let Err(error) = bytes.check()
        {
            self.content = Content::Unreadable(error);
        }
    }

    /// The bytes, if it is a file.
    pub fn bytes(&self) -> Option<&ByteRange> {
        match &self.content {
            Content::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Whether the message states the type `media_type` for it.
    pub fn is_stated(&self, media_type: &str) -> bool {
        self.stated_type.as_deref() == Some(media_type)
    }
}

/// The last component of a path of any system; None when nothing is left.
pub(super) fn base_name(path: &str) -> Option<String> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().take(MAX_NAME).collect();
    (!matches!(name.trim(), "" | "." | "..")).then_some(name)
}
