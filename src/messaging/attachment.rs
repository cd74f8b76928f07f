//! Attachments: subnodes of a message. [MS-PST] 2.4.6

use std::ops::RangeInclusive;

use super::message::Message;
use super::properties::{MAX_LISTED, Properties, text_of_value};
use crate::error::{Error, Result};
use crate::ltp::{
    HnidTarget, PropertyContext, PropertyRecord, PropertyStream, PropertyType, Value, tags,
};
use crate::ndb::{Node, NodeId, NodeType};
use crate::problem::{Problem, Problems};

/// The properties with its name, the best first.
const NAMES: [u16; 3] = [
    tags::ATTACH_LONG_FILENAME,
    tags::ATTACH_FILENAME,
    tags::DISPLAY_NAME,
];
/// Ids of the properties that attachments alone have. [MS-OXPROPS]
const OF_ATTACHMENTS: RangeInclusive<u16> = 0x3701..=0x371F;
/// PidTagAttachSize is the sum of all values, or less, and in real files never more than some bytes above it.
const SIZE_SLACK: u64 = 64;
/// What the properties of an attachment take beside its content, mostly.
const OF_PROPERTIES: u64 = 1 << 10;

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
        let name = NAMES.into_iter();
        let name = name
            .map(|id| named.start_of_string(id).ok().flatten())
            .find_map(|name| name);
        let problems = self.problems_under(name.as_deref());
        for problem in nameless.list().into_iter().chain(doubt) {
            problems.note(problem);
        }
        let properties = Properties::new(context.noting(&problems), code_page);
        properties.note_contradictions();
        Ok(properties)
    }

    /// Where its problems are noted: under its `name`, or its number if that is lost.
    fn problems_under(&self, name: Option<&str>) -> Problems {
        let problems = self.message.problems();
        match name {
            Some(name) => problems.within(format_args!("attachment {name:?}")),
            None => problems.within(format_args!("attachment {:#x}", self.nid.0)),
        }
    }

    /// What is left of the content of an attachment whose properties are lost: the message among its subnodes, else the
    /// longest value. What cannot be read of it is noted under `name`.
    pub fn left(&self, name: Option<&str>) -> Option<AttachmentData> {
        let node = self.message.subnode(self.nid).ok()??;
        let problems = self.problems_under(name);
        self.content_among(&node.noting(&problems), |_| true)
    }

    /// The message among the subnodes of `node`, else the longest value of those that are `free`.
    fn content_among(&self, node: &Node, free: impl Fn(NodeId) -> bool) -> Option<AttachmentData> {
        let subnodes = node.subnodes().ok()?;
        let of_type = |wanted| {
            let all = subnodes.iter();
            all.filter(move |subnode| subnode.nid().node_type() == wanted)
        };
        let message = of_type(NodeType::NORMAL_MESSAGE)
            .find_map(|subnode| self.message.embedded(subnode.clone()).ok());
        if let Some(message) = message {
            return Some(AttachmentData::Message(Box::new(message)));
        }
        of_type(NodeType::LTP)
            .filter(|value| free(value.nid()))
            .filter_map(|value| PropertyStream::of_node(value).ok())
            .max_by_key(PropertyStream::len)
            .filter(|value| !value.is_empty())
            .map(AttachmentData::Bytes)
    }

    /// Whether `properties` have a name of any kind.
    pub fn is_named(properties: &Properties) -> bool {
        NAMES.into_iter().any(|id| properties.has(id))
    }

    /// Its name in the attachment table; None when that does not tell.
    pub fn listed_name(&self) -> Option<String> {
        let problems = Problems::default();
        let table = self.message.table(NodeId::ATTACHMENT_TABLE, &problems)?;
        let number = table.row_number(self.nid.0).ok()??;
        let row = table.row(self.nid.0, number).ok()?;
        let code_page = self.message.properties().code_page();
        let text = |id: u16| text_of_value(&row.start(id, MAX_LISTED).ok()??, code_page);
        NAMES
            .into_iter()
            .filter_map(text)
            .find(|name| !name.is_empty())
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
    /// message that contains itself, or lies too deep, is an error. Where nothing leads to it, the subnode that is left is
    /// taken for it, which is noted, as is that nothing is left of it.
    pub fn data(&self, properties: &Properties) -> Result<AttachmentData> {
        let Some(context) = properties.context() else {
            return Ok(AttachmentData::None);
        };
        let record = context.record(tags::ATTACH_DATA);
        let is_empty = |target| matches!(target, Some(HnidTarget::Empty));
        if record.is_none_or(|record| is_empty(record.target()))
            && let Some(left) = self.unclaimed(properties, context)
        {
            return Ok(left);
        }
        let (object, size) = match record {
            None => return Ok(AttachmentData::None),
            Some(record) => match context.value_if_object(record)? {
                Some(Value::Object { nid, size }) => (NodeId(nid), u64::from(size)),
                _ => {
                    let stream = context.stream(tags::ATTACH_DATA)?;
                    let stream = stream.map(|stream| of_likely_length(stream, properties, context));
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

    /// The content of an attachment whose properties lead to none: a subnode that none of them leads to.
    fn unclaimed(
        &self,
        properties: &Properties,
        context: &PropertyContext,
    ) -> Option<AttachmentData> {
        let records = context.records().iter();
        let claimed: Vec<NodeId> = records
            .filter(|record| !(is_here(properties) && is_content_by_another_id(record)))
            .filter_map(|record| match record.target() {
                Some(HnidTarget::Subnode(nid)) => Some(nid),
                _ => None,
            })
            .collect();
        let left = self.content_among(context.node(), |nid| !claimed.contains(&nid));
        let text = match &left {
            Some(_) => {
                "nothing leads to it; the subnode that nothing else leads to is taken for it"
                    .to_owned()
            }
            None => lost_size(properties, context)?,
        };
        let place = format_args!("property {:#06x}", tags::ATTACH_DATA);
        properties.problems().note(Problem::new(place, text));
        left
    }
}

/// Whether `record` may be that of PidTagAttachData, of whose id one byte is damaged.
fn is_content_by_another_id(record: &PropertyRecord) -> bool {
    let differs = record.id ^ tags::ATTACH_DATA;
    let is_of_type = [PropertyType::BINARY, PropertyType::OBJECT].contains(&record.property_type);
    let is_one_byte = differs & 0xFF == 0 || differs & 0xFF00 == 0;
    is_of_type && is_one_byte && !OF_ATTACHMENTS.contains(&record.id)
}

/// `content`, of the length that its block itself has if the size of the attachment tells that it is longer than the block
/// B-tree has it.
fn of_likely_length(
    content: PropertyStream,
    properties: &Properties,
    context: &PropertyContext,
) -> PropertyStream {
    let stated = properties.integer(tags::ATTACH_SIZE).ok().flatten();
    let stated = stated.and_then(|size| u64::try_from(size).ok());
    // Properties of an attachment are seldom longer: so it is not worked out what they take.
    let is_much_more = stated.is_some_and(|stated| stated > content.len() + OF_PROPERTIES);
    match is_much_more && sizes_that_differ(properties, context).is_some() {
        true => content.of_own_length(),
        false => content,
    }
}

/// What tells that an empty PidTagAttachData was longer: the size of the attachment, if its content is said to be in the file.
fn lost_size(properties: &Properties, context: &PropertyContext) -> Option<String> {
    let (stated, there) = sizes_that_differ(properties, context)?;
    Some(format!(
        "empty, but PidTagAttachSize is {stated} bytes, of which {there} are there"
    ))
}

/// Whether the content is said to be in the file.
fn is_here(properties: &Properties) -> bool {
    match Attachment::method(properties) {
        Ok(AttachMethod::ByValue | AttachMethod::EmbeddedMessage | AttachMethod::Ole) => true,
        Ok(
            AttachMethod::None
            | AttachMethod::ByReference
            | AttachMethod::ByWebReference
            | AttachMethod::Other(_),
        )
        | Err(_) => false,
    }
}

/// PidTagAttachSize and the bytes of all values, if there are fewer of these and the content is said to be in the file.
fn sizes_that_differ(properties: &Properties, context: &PropertyContext) -> Option<(u64, u64)> {
    let stated = properties.integer(tags::ATTACH_SIZE).ok()??;
    let stated = u64::try_from(stated).ok().filter(|_| is_here(properties))?;
    let len = |id: u16| context.stream(id).ok().flatten();
    let records = context.records().iter();
    let there: u64 = records
        .map(|record| len(record.id).map_or(size_of::<u32>() as u64, |value| value.len()))
        .sum();
    (stated > there + SIZE_SLACK).then_some((stated, there))
}
