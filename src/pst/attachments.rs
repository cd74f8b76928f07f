//! Attachments: files, embedded messages, objects. [MS-PST] 2.4.6

use super::blocks::MOST_SUBNODES;
use super::changes;
use super::context::{Context, FIRST_SUBNODE, copy_stream};
use super::copier::{Copier, read};
use super::digest::Digest;
use super::failed::Failed;
use super::item::{self, Place};
use super::table::{Layout, Table};
use super::templates;
use super::value::{Cells, Read, Stored};
use crate::error::Error;
use crate::ltp::{PropertyStream, PropertyType, tags};
use crate::messaging::{Attachment, AttachmentData, Message, Properties};
use crate::ndb::{NodeId, NodeType};
use crate::problem::Problems;

/// PidTagAttachMethod: the data is in the file.
const BY_VALUE: i32 = 1;
/// The same: the data is a message.
const EMBEDDED_MESSAGE: i32 = 5;
/// The same: the data is a storage.
const OLE_STORAGE: i32 = 6;
/// Numbers that an attachment and its row have.
const NUMBERS: [u16; 2] = [tags::ATTACH_METHOD, tags::RENDERING_POSITION];
/// PidTagRenderingPosition of what has no place in the text.
const NO_POSITION: i32 = -1;
/// Type of the subnode that has the storage of an OLE object.
const OLE: NodeType = NodeType(0x09);
/// A file of at most this many bytes is read as a whole.
const MOST_AT_ONCE: u64 = 1024;

/// What has become of the attachments of a message.
pub(super) struct Attachments {
    pub count: usize,
    pub digest: Digest,
}

/// An attachment that was copied.
struct Copied {
    context: Context,
    digest: Digest,
    /// The cells of its row.
    row: Cells,
}

/// Copies the attachments of `message` and their table into subnodes of `context`.
pub(super) fn copy(
    copier: &mut Copier<'_>,
    message: &Message,
    context: &mut Context,
) -> Result<Attachments, Failed> {
    let mut table = None;
    let mut digest = Digest::default();
    for (attachment, index) in message.attachments().iter().zip(FIRST_SUBNODE..) {
        // Values of the message itself need some, too.
        if context.subnodes.len() + usize::from(u16::MAX) >= MOST_SUBNODES {
            let problem = format!("more than {}: the rest is left out", context.subnodes.len());
            let error = Error::corrupt("attachments", message.nid(), problem);
            message.problems().note_error("", &error);
            break;
        }
        let copied = copy_one(copier, attachment)?;
        let nid = NodeId(u32::from(NodeType::ATTACHMENT.0)).with_index(index);
        digest.add(0, &copied.digest);
        let content = copied.context.finish(copier.out)?;
        context.subnodes.add(copier.out, nid, content);
        let table = match &mut table {
            Some(table) => table,
            none => none.insert(Table::new(Layout::new(templates::ATTACHMENTS, &[]))?),
        };
        table.add(copier.out, nid.0, &copied.row)?;
    }
    let count = table.as_ref().map_or(0, Table::len);
    if let Some(table) = table {
        let content = table.finish(copier.out)?;
        context
            .subnodes
            .add(copier.out, NodeId::ATTACHMENT_TABLE, content);
    }
    Ok(Attachments { count, digest })
}

fn copy_one(copier: &mut Copier<'_>, attachment: &Attachment) -> Result<Copied, Failed> {
    let mut context = Context::default();
    let properties = match attachment.properties() {
        Ok(properties) => Some(properties),
        Err(error) if error.is_unread() => return Err(error.into()),
        Err(error) => {
            let problems = attachment.message().problems();
            problems.note_error(format_args!("attachment {:#x}", attachment.nid().0), &error);
            None
        }
    };
    // A name that the attachment has lost may be in the table that lists it.
    let is_named = properties.as_ref().is_some_and(Attachment::is_named);
    let listed = match is_named {
        true => None,
        false => attachment.listed_name(),
    };
    match &properties {
        Some(properties) => {
            let data = attachment.data(properties);
            copy_data(copier, data, properties.problems(), &mut context)?;
            copy_properties(copier, attachment, properties, &mut context)?;
        }
        None => {
            let left = attachment.left(listed.as_deref());
            let left = left.unwrap_or(AttachmentData::None);
            if let AttachmentData::Message(_) = left {
                let method = Stored::integer(EMBEDDED_MESSAGE);
                context.set(copier.out, tags::ATTACH_METHOD, method)?;
            }
            copy_data(
                copier,
                Ok(left),
                attachment.message().problems(),
                &mut context,
            )?;
        }
    }
    if let Some(name) = listed {
        context.set(copier.out, tags::ATTACH_FILENAME, Stored::string(&name))?;
    }
    if !context.has(tags::ATTACH_METHOD) {
        context.set(copier.out, tags::ATTACH_METHOD, Stored::integer(BY_VALUE))?;
        if !context.has(tags::ATTACH_DATA) {
            let nothing = Stored::binary(Vec::new());
            context.set(copier.out, tags::ATTACH_DATA, nothing)?;
        }
    }
    if !context.has(tags::RENDERING_POSITION) {
        let position = Stored::integer(NO_POSITION);
        context.set(copier.out, tags::RENDERING_POSITION, position)?;
    }
    // Its own four bytes count, too.
    let size = context.value_bytes() + size_of::<u32>() as u64;
    let size = Stored::integer(size.min(i32::MAX as u64) as i32);
    context.set(copier.out, tags::ATTACH_SIZE, size)?;
    let row = [
        tags::ATTACH_SIZE,
        tags::ATTACH_FILENAME,
        tags::ATTACH_METHOD,
        tags::RENDERING_POSITION,
    ];
    Ok(Copied {
        digest: context.digest(),
        row: row
            .into_iter()
            .filter_map(|id| Some((id, context.small_value(id)?)))
            .filter(|(_, value)| !value.bytes.is_empty())
            .collect(),
        context,
    })
}

fn copy_properties(
    copier: &mut Copier<'_>,
    attachment: &Attachment,
    properties: &Properties,
    context: &mut Context,
) -> Result<(), Failed> {
    let message = attachment.message();
    for id in properties.ids() {
        let is_own = [tags::ATTACH_DATA, tags::ATTACH_SIZE].contains(&id);
        if is_own || !changes::keeps_of_attachment(id) {
            continue;
        }
        let taken = |id: u16| context.has(id);
        let Some(to) = copier.named(message.store(), id, message.problems(), taken) else {
            continue;
        };
        let Some(read) = read(properties, id) else {
            continue;
        };
        if NUMBERS.contains(&id) && !is_number(&read) {
            let place = format_args!("property {id:#06x}");
            let error = Error::corrupt("type", place, "expected a 32-bit number; it is left out");
            properties.problems().note_error("", &error);
            continue;
        }
        if id == tags::ATTACH_METHOD && names_an_object(&read) && !context.has(tags::ATTACH_DATA) {
            // Who reads it takes for granted that the object is there.
            continue;
        }
        copier.put(context, to, read, None)?;
    }
    Ok(())
}

/// Whether `read`, a PidTagAttachMethod, states that the data is a message or a storage.
fn names_an_object(read: &Read) -> bool {
    let Read::Whole(value) = read else {
        return false;
    };
    matches!(value.as_integer(), Some(EMBEDDED_MESSAGE | OLE_STORAGE))
}

fn is_number(read: &Read) -> bool {
    matches!(read, Read::Whole(value) if value.property_type == PropertyType::INTEGER32)
}

fn copy_data(
    copier: &mut Copier<'_>,
    data: Result<AttachmentData, Error>,
    problems: &Problems,
    context: &mut Context,
) -> Result<(), Failed> {
    let object = |node_type: NodeType| NodeId(u32::from(node_type.0)).with_index(FIRST_SUBNODE);
    match data {
        Ok(AttachmentData::None) => {}
        Ok(AttachmentData::Bytes(stream)) => put_bytes(copier, context, &stream)?,
        Ok(AttachmentData::Ole(stream)) => {
            let (content, digest, _) = copy_stream(copier.out, &stream)?;
            let nid = object(OLE);
            context.set_object(copier.out, tags::ATTACH_DATA, nid, content, digest);
        }
        Ok(AttachmentData::Message(message)) => {
            let layout = Layout::new(templates::CONTENTS, &[]);
            let copied = item::copy(copier, &message, Place::Attachment, &layout)?;
            let nid = object(NodeType::NORMAL_MESSAGE);
            let (content, digest) = (copied.content, copied.digest);
            context.set_object(copier.out, tags::ATTACH_DATA, nid, content, digest);
        }
        Err(error) if error.is_unread() => return Err(error.into()),
        Err(error) => problems.note_error("its data, which is left out", &error),
    }
    Ok(())
}

fn put_bytes(
    copier: &mut Copier<'_>,
    context: &mut Context,
    stream: &PropertyStream,
) -> Result<(), Failed> {
    let id = tags::ATTACH_DATA;
    let read = match stream.len() <= MOST_AT_ONCE {
        true => {
            let bytes = stream.read_all(usize::MAX)?.bytes;
            Read::Whole(Stored::new(PropertyType::BINARY, bytes))
        }
        false => Read::Stream(PropertyType::BINARY, stream.clone()),
    };
    copier.put(context, id, read, None)
}
