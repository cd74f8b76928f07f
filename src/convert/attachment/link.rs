//! Attachments whose bytes are elsewhere: a small file with the address or path. Nothing is ever fetched.
//!
//! An empty value is no content where the attachment has an address or a path.
#![forbid(unsafe_code)]

use crate::convert::byte_range::ByteRange;
use crate::convert::text::clean;
use crate::messaging::{AttachMethod, PropertySet};

/// How the URLs of content on the web begin.
const WEB: [&str; 3] = ["https://", "http://", "ftp://"];

/// Where the content of an attachment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// On the web.
    Web,
    /// In some file system.
    Path,
}

impl Kind {
    /// Where the `target` of an attachment of `method` is.
    pub fn of(method: AttachMethod, target: &str) -> Self {
        let target = target.trim_start().to_ascii_lowercase();
        let is_web = WEB.iter().any(|scheme| target.starts_with(scheme));
        match method {
            AttachMethod::ByWebReference => Self::Web,
            _ if is_web => Self::Web,
            _ => Self::Path,
        }
    }

    /// Extension of the file that stands for the content.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Web => "url",
            Self::Path => "txt",
        }
    }
}

/// Strings in PSETID_Attachment that tell more about a link.
pub(super) const DETAILS: [(PropertySet, &str); 3] = [
    (PropertySet::ATTACHMENT, "AttachmentProviderType"),
    (PropertySet::ATTACHMENT, "AttachmentPermissionType"),
    (PropertySet::ATTACHMENT, "AttachmentOriginalPermissionType"),
];

/// The file that stands for content at `target`: an Internet shortcut, or a line with the path.
pub(super) fn file(kind: Kind, target: &str, details: &[(&str, String)]) -> ByteRange {
    let target = clean(target);
    let mut text = match kind {
        Kind::Web => format!("[InternetShortcut]\r\nURL={target}\r\n"),
        Kind::Path => format!("This attachment is not in the mail. It is a link to:\n{target}\n"),
    };
    for (name, value) in details {
        let value = clean(value);
        text.push_str(&match kind {
            Kind::Web => format!("{name}={value}\r\n"),
            Kind::Path => format!("{name}: {value}\n"),
        });
    }
    ByteRange::of_bytes(text.into_bytes())
}
