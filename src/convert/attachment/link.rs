//! Attachments whose bytes are elsewhere: a small file that says where. Nothing is ever fetched.
#![forbid(unsafe_code)]

use crate::convert::byte_range::ByteRange;
use crate::convert::text::clean;
use crate::messaging::{AttachMethod, PropertySet};

/// Extension of the file that stands for an attachment of `method`.
pub(super) fn extension(method: AttachMethod) -> &'static str {
    match method {
        AttachMethod::ByWebReference => "url",
        _ => "txt",
    }
}

/// Strings in PSETID_Attachment that tell more about a link.
pub(super) const DETAILS: [(PropertySet, &str); 3] = [
    (PropertySet::ATTACHMENT, "AttachmentProviderType"),
    (PropertySet::ATTACHMENT, "AttachmentPermissionType"),
    (PropertySet::ATTACHMENT, "AttachmentOriginalPermissionType"),
];

/// The file that stands for an attachment at `target`: an Internet shortcut, or a line with the path.
pub(super) fn file(method: AttachMethod, target: &str, details: &[(&str, String)]) -> ByteRange {
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
    ByteRange::of_bytes(text.into_bytes())
}
