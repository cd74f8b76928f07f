//! The picture of a contact. [MS-OXOCNTC] 2.2.1.8
#![forbid(unsafe_code)]

use super::vcard::Card;
use crate::convert::attachment::{self, Content};
use crate::convert::reader::Reader;
use crate::ltp::tags;
use crate::messaging::{Attachment, AttachmentData, Message, Properties};

/// Pictures in cards are small; a larger one is a file beside the card alone.
const MAX_PHOTO: u64 = 4 << 20;
/// The name that Outlook gives them, where the mark is missing.
const PHOTO_NAME: &str = "ContactPicture.jpg";

/// Writes the picture, and the names of all other attachments.
pub(super) fn write(reader: &Reader<'_>, card: &mut Card, message: &Message) {
    let mut has_photo = false;
    for attachment in message.attachments() {
        let read = attachment.properties().and_then(|properties| {
            if !is_photo(&properties) {
                return Ok(None);
            }
            photo(&attachment, &properties)
        });
        match read {
            Ok(Some(bytes)) if !has_photo => {
                if let Some(kind) = kind(&bytes) {
                    card.photo(kind, &bytes);
                    has_photo = true;
                }
            }
            Ok(_) => {}
            Err(error) => reader.problem(error),
        }
    }
    for item in attachment::list(message) {
        let is_shown = has_photo && item.name.eq_ignore_ascii_case(PHOTO_NAME);
        match item.content {
            Content::Unreadable(error) => {
                reader.problem(format_args!("attachment {}: {error}", item.name));
            }
            _ if is_shown => {}
            _ => card.lines.text("X-OSTFS-ATTACHMENT", &item.name),
        }
    }
}

fn is_photo(properties: &Properties) -> bool {
    let marked = properties.boolean(tags::ATTACHMENT_CONTACT_PHOTO);
    let named = || {
        [tags::ATTACH_LONG_FILENAME, tags::ATTACH_FILENAME]
            .into_iter()
            .filter_map(|id| properties.string(id).ok().flatten())
            .any(|name| name.eq_ignore_ascii_case(PHOTO_NAME))
    };
    matches!(marked, Ok(Some(true))) || named()
}

fn photo(
    attachment: &Attachment,
    properties: &Properties,
) -> crate::error::Result<Option<Vec<u8>>> {
    match attachment.data(properties)? {
        AttachmentData::Bytes(stream) if stream.len() <= MAX_PHOTO => {
            Ok(Some(stream.read_all(MAX_PHOTO as usize)?.bytes))
        }
        _ => Ok(None),
    }
}

/// What the picture is, by its first bytes.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    let kinds: [(&[u8], &str); 4] = [
        (b"\xFF\xD8\xFF", "jpeg"),
        (b"\x89PNG\r\n", "png"),
        (b"GIF8", "gif"),
        (b"BM", "bmp"),
    ];
    let (_, kind) = kinds
        .into_iter()
        .find(|(magic, _)| bytes.starts_with(magic))?;
    Some(kind)
}
