//! What is attached to an item: each by its name and content, in an order that does not depend on that of the file.

use super::fields::Maker;
use super::hash::Hashes;
use super::value::{SHA256, sha256, sha256_of, squeezed};
use crate::error::{Error, Result};
use crate::ltp::tags;
use crate::messaging::{Attachment, AttachmentData, Message, Properties};

/// Attachments of one message that are looked at, as many as are shown.
const MAX_ATTACHMENTS: usize = 10_000;
/// Where the name of an attachment is, the best first.
const NAMES: [u16; 3] = [
    tags::ATTACH_LONG_FILENAME,
    tags::ATTACH_FILENAME,
    tags::DISPLAY_NAME,
];
/// Where an attachment lies whose content is not in the file.
const PLACES: [u16; 2] = [tags::ATTACH_LONG_PATHNAME, tags::ATTACH_PATHNAME];

impl Maker<'_> {
    /// A line for each attachment of `message`: the hash of its content, and its name. Sorted by bytes.
    pub(super) fn attachments(&mut self, message: &Message) -> String {
        let attachments = message.attachments();
        if attachments.len() > MAX_ATTACHMENTS {
            let problem = format!("{} attachments; only so many count", attachments.len());
            let error = Error::corrupt("attachment table", message.nid(), problem);
            message.problems().note_error("attachments", &error);
        }
        let mut lines = Vec::new();
        for attachment in attachments.iter().take(MAX_ATTACHMENTS) {
            match self.attachment(attachment) {
                Ok(line) => lines.push(line),
                Err(error) => message
                    .problems()
                    .note_error(format_args!("attachment {:#x}", attachment.nid().0), &error),
            }
        }
        lines.sort_unstable();
        lines.concat()
    }

    fn attachment(&mut self, attachment: &Attachment) -> Result<String> {
        let properties = attachment.properties()?;
        let hash = match attachment.data(&properties)? {
            AttachmentData::Bytes(stream) | AttachmentData::Ole(stream) if !stream.is_empty() => {
                hexadecimal(sha256_of(&stream)?)
            }
            AttachmentData::Message(message) => match self.embedded(&message) {
                Some(Hashes { content, .. }) => content.to_string(),
                None => String::new(),
            },
            AttachmentData::None | AttachmentData::Bytes(_) | AttachmentData::Ole(_) => {
                let place = first(&properties, &PLACES)?;
                place.map_or_else(String::new, |place| hexadecimal(sha256(place.as_bytes())))
            }
        };
        let name = first(&properties, &NAMES)?.unwrap_or_default();
        Ok(format!("{hash} {}\n", squeezed(&name)))
    }
}

/// The first of these strings that there is.
fn first(properties: &Properties, ids: &[u16]) -> Result<Option<String>> {
    for id in ids {
        if let Some(text) = properties.string(*id)? {
            return Ok(Some(text));
        }
    }
    Ok(None)
}

fn hexadecimal(hash: [u8; SHA256]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
