//! Attachments whose bytes are elsewhere: a small file with the address or path. Nothing is ever fetched.
//!
//! An empty value is no content where the attachment has an address or a path.
#![forbid(unsafe_code)]

use crate::convert::byte_range::ByteRange;
use crate::convert::shown;
use crate::convert::text::clean;
use crate::ltp::tags;
use crate::messaging::{AttachMethod, Attachment, Properties, PropertySet};

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
    fn of(method: AttachMethod, target: &str) -> Self {
        let target = target.trim_start().to_ascii_lowercase();
        let is_web = WEB.iter().any(|scheme| target.starts_with(scheme));
        match method {
            AttachMethod::ByWebReference => Self::Web,
            _ if is_web => Self::Web,
            _ => Self::Path,
        }
    }

    /// Extension of the file that stands for the content.
    fn extension(self) -> &'static str {
        match self {
            Self::Web => "url",
            Self::Path => "txt",
        }
    }
}

/// Properties of PSETID_Attachment with a URL of the content, where the usual ones have none.
const TARGETS: [&str; 2] = ["AttachmentOriginalUrl", "AttachmentPreviewUrl"];
/// Properties of PSETID_Attachment that tell more about a link.
const DETAILS: [&str; 7] = [
    "AttachmentProviderType",
    "AttachmentPermissionType",
    "AttachmentOriginalPermissionType",
    "AttachmentProviderEndpointUrl",
    "AttachmentIsFolder",
    TARGETS[0],
    TARGETS[1],
];

/// The property `name` of PSETID_Attachment.
fn named(attachment: &Attachment, properties: &Properties, name: &str) -> Option<String> {
    let names = attachment.message().store().named_properties();
    let id = names.id_of_string(PropertySet::ATTACHMENT, name)?;
    shown::property(properties, id)
}

/// The address or path of an attachment with these `properties`; that of a file by value is where it has come from.
pub(crate) fn target(attachment: &Attachment, properties: &Properties) -> Option<String> {
    let string = |id: u16| properties.string(id).ok().flatten();
    let paths = [tags::ATTACH_LONG_PATHNAME, tags::ATTACH_PATHNAME]
        .into_iter()
        .filter_map(string);
    let urls = TARGETS
        .into_iter()
        .filter_map(|name| named(attachment, properties, name));
    paths.chain(urls).find(|target| !target.trim().is_empty())
}

/// Where the content of an attachment is that is elsewhere.
pub(super) struct Link {
    kind: Kind,
    target: String,
    details: Vec<(&'static str, String)>,
}

impl Link {
    /// That of an attachment with these `properties`; None when it has no address and no path, or is a file by value that
    /// merely has come from somewhere.
    pub fn of(attachment: &Attachment, properties: &Properties) -> Option<Self> {
        let target = target(attachment, properties)?;
        let detail = |name| Some((name, named(attachment, properties, name)?));
        let details: Vec<_> = DETAILS
            .into_iter()
            .filter_map(detail)
            .filter(|(_, value)| *value != target)
            .collect();
        let method = Attachment::method(properties).unwrap_or(AttachMethod::ByValue);
        if method == AttachMethod::ByValue && details.is_empty() {
            return None;
        }
        Some(Self {
            kind: Kind::of(method, &target),
            target,
            details,
        })
    }

    /// The file that stands for the content: an Internet shortcut, or a line with the path.
    pub fn file(&self) -> ByteRange {
        let target = clean(&self.target);
        let mut text = match self.kind {
            Kind::Web => format!("[InternetShortcut]\r\nURL={target}\r\n"),
            Kind::Path => {
                format!("This attachment is not in the mail. It is a link to:\n{target}\n")
            }
        };
        for (name, value) in &self.details {
            let value = clean(value);
            text.push_str(&match self.kind {
                Kind::Web => format!("{name}={value}\r\n"),
                Kind::Path => format!("{name}: {value}\n"),
            });
        }
        ByteRange::of_bytes(text.into_bytes())
    }

    /// The name of that file, of an attachment `name`.
    pub fn name(&self, name: &str) -> String {
        format!("{name}.{}", self.kind.extension())
    }
}
