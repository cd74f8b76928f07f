//! Attachments whose bytes are elsewhere: a small file that says where. Nothing is ever fetched.
#![forbid(unsafe_code)]

use super::attachment::Content;
use super::mail::encoded_word::clean;
use super::rendition::ByteRange;
use crate::messaging::{AttachMethod, PropertySet};

/// Extension of the file that stands for an attachment of `method`.
pub(crate) fn extension(method: AttachMethod) -> &'static str {
    match method {
        AttachMethod::ByWebReference => "url",
        _ => "txt",
    }
}

/// Strings in PSETID_Attachment that tell more about a link.
pub(crate) const DETAILS: [(PropertySet, &str); 3] = [
    (PropertySet::ATTACHMENT, "AttachmentProviderType"),
    (PropertySet::ATTACHMENT, "AttachmentPermissionType"),
    (PropertySet::ATTACHMENT, "AttachmentOriginalPermissionType"),
];

/// The file that stands for an attachment at `target`: an Internet shortcut, or a line with the path.
pub(crate) fn file(method: AttachMethod, target: &str, details: &[(&str, String)]) -> Content {
    let target = clean(target);
    let mut text = match method {
        AttachMethod::ByWebReference => format!("[InternetShortcut]\r\nURL={target}\r\n"),
        _ => format!("This attachment is not in the mail. It is a link to:\n{target}\n"),
    };
    for (name, value) in details {
        let value = clean(value);
        text.push_str(&match method {
            AttachMethod::ByWebReference => format!("{name}={value}\r\n"),
            _ => format!("{name}: {value}\n"),
        });
    }
    Content::Bytes(ByteRange::of_bytes(text.into_bytes()))
}
