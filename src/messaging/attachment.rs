//! Attachments: subnodes of a message. [MS-PST] 2.4.6

use super::message::Message;
use super::properties::Properties;
use crate::error::{Error, Result};
use crate::ltp::{PropertyContext, PropertyStream, Value, tags};
use crate::ndb::{NodeId, NodeType};
use crate::problem::Problems;

/// PidTagAttachMethod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachMethod {
    /// No data.
    None,
    /// The data is in the file.
    ByValue,
    /// The data is elsewhere, at a path.
    ByReference,
    /// An embedded message.
    EmbeddedMessage,
    /// An OLE object.
    Ole,
    /// The data is elsewhere, at a URL.
    ByWebReference,
    /// A number that means nothing yet.
    Other(i32),
}

/// Where the content of an attachment is.
#[derive(Debug, Clone)]
pub enum AttachmentData {
    /// There is none.
    None,
    /// The bytes of a file.
    Bytes(PropertyStream),
    /// The bytes of an OLE compound file.
    Ole(PropertyStream),
    /// A message of its own.
    Message(Box<Message>),
}

/// An attachment of a message. Nothing is read before it is asked for.
#[derive(Debug, Clone)]
pub struct Attachment {
    message: Message,
    nid: NodeId,
}

impl Attachment {
    pub(super) fn new(message: &Message, nid: NodeId) -> Self {
        Self {
            message: message.clone(),
            nid,
        }
    }

    /// Its subnode within the message.
    pub fn nid(&self) -> NodeId {
        self.nid
    }

    /// The message it belongs to.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Its properties.
    pub fn properties(&self) -> Result<Properties> {
        let owner = self.message.nid().0;
        let node = self.message.subnode(self.nid)?.ok_or_else(|| {
            Error::corrupt(
                "attachment",
                self.nid,
                "listed in the attachment table, but there is no such subnode",
            )
            .in_node(owner)
        })?;
        // For people, its name means more than its number: what is noted until that is known goes under it, too.
        let nameless = Problems::default();
        let doubt = node.list_doubt();
        let context = PropertyContext::open(node.noting(&nameless))?;
        let code_page = self.message.properties().code_page();
        let named = Properties::new(context.clone(), code_page);
        let name = [
            tags::ATTACH_LONG_FILENAME,
            tags::ATTACH_FILENAME,
            tags::DISPLAY_NAME,
        ]
        .into_iter()
        .find_map(|id| named.start_of_string(id).ok().flatten());
        let problems = self.message.problems();
        let problems = match name {
            Some(name) => problems.within(format_args!("attachment {name:?}")),
            None => problems.within(format_args!("attachment {:#x}", self.nid.0)),
        };
        for problem in nameless.list().into_iter().chain(doubt) {
            problems.note(problem);
        }
        let properties = Properties::new(context.noting(&problems), code_page);
        properties.note_contradictions();
        Ok(properties)
    }

    /// The longest value among its subnodes: what is left of the content of an attachment whose properties are lost.
    pub fn longest_value(&self) -> Option<PropertyStream> {
        let node = self.message.subnode(self.nid).ok()??;
        let values = node.subnodes().ok()?.into_iter();
        let values = values.filter(|value| value.nid().node_type() == NodeType::LTP);
        let problems = self
            .message
            .problems()
            .within(format_args!("attachment {:#x}", self.nid.0));
        values
            .filter_map(|value| PropertyStream::of_node(&value.noting(&problems)).ok())
            .max_by_key(PropertyStream::len)
            .filter(|value| !value.is_empty())
    }

    /// PidTagAttachMethod of `properties`.
    pub fn method(properties: &Properties) -> Result<AttachMethod> {
        Ok(match properties.integer(tags::ATTACH_METHOD)? {
            None | Some(0) => AttachMethod::None,
            Some(1) => AttachMethod::ByValue,
            Some(2..=4) => AttachMethod::ByReference,
            Some(5) => AttachMethod::EmbeddedMessage,
            Some(6) => AttachMethod::Ole,
            Some(7) => AttachMethod::ByWebReference,
            Some(other) => AttachMethod::Other(other),
        })
    }

    /// The content, decided by what PidTagAttachData is, not by the method: writers get the method wrong. An embedded
    /// message that contains itself, or lies too deep, is an error.
    pub fn data(&self, properties: &Properties) -> Result<AttachmentData> {
        let Some(context) = properties.context() else {
            return Ok(AttachmentData::None);
        };
        let (object, size) = match context.record(tags::ATTACH_DATA) {
            None => return Ok(AttachmentData::None),
            Some(record) => match context.value_if_object(record)? {
                Some(Value::Object { nid, size }) => (NodeId(nid), u64::from(size)),
                _ => {
                    let stream = context.stream(tags::ATTACH_DATA)?;
                    return Ok(stream.map_or(AttachmentData::None, AttachmentData::Bytes));
                }
            },
        };
        let node = context.node().subnode(object)?.ok_or_else(|| {
            Error::corrupt(
                "PtypObject",
                object,
                "expected a subnode with the data, found none",
            )
            .in_node(self.nid.0)
        })?;
        if object.node_type() == NodeType::NORMAL_MESSAGE {
            let message = self.message.embedded(node);
            let message = message.map_err(|error| error.in_node(self.nid.0))?;
            return Ok(AttachmentData::Message(Box::new(message)));
        }
        let stream = PropertyStream::of_node(&node)?;
        if stream.len() != size {
            log::debug!(
                "{object}: PtypObject says {size} bytes, the data tree has {}",
                stream.len()
            );
        }
        Ok(AttachmentData::Ole(stream))
    }
}
