//! What the user may choose about the files of items.
#![forbid(unsafe_code)]

/// What the user may choose about the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Line ends of everything but signed content.
    pub eol: Eol,
    /// How header fields are written.
    pub headers: Headers,
    /// Whether ordinary attachments are inside the message. What the body shows is in any case.
    pub attachments_in_message: bool,
    /// In which format items other than mail are shown.
    pub items: Items,
    /// Which vCard is written.
    pub vcard: VcardVersion,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            eol: Eol::default(),
            headers: Headers::default(),
            attachments_in_message: true,
            items: Items::default(),
            vcard: VcardVersion::default(),
        }
    }
}

/// How lines end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Eol {
    /// LF, as Unix mail stores have them.
    #[default]
    Lf,
    /// CRLF, as on the wire.
    Crlf,
}

impl Eol {
    /// The line end itself.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::Crlf => "\r\n",
        }
    }
}

/// How header fields are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Headers {
    /// In ASCII, with RFC 2047 encoded words and RFC 2231 parameters; transport headers as they came.
    #[default]
    Encoded,
    /// Decoded, in raw UTF-8 (RFC 6532), for search tools.
    Utf8,
    /// The stored header as it came, octet for octet, and below it what it lacks, as in [`Headers::Encoded`].
    Original,
}

impl Headers {
    /// How fields are written that are made here.
    pub(crate) fn of_made_fields(self) -> Self {
        match self {
            Self::Original => Self::Encoded,
            style => style,
        }
    }
}

/// In which format items other than mail are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Items {
    /// Each in its own: iCalendar, vCard, text.
    #[default]
    Native,
    /// All as mail.
    Eml,
}

/// Which vCard is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VcardVersion {
    /// RFC 2426.
    #[default]
    V3,
    /// RFC 6350.
    V4,
}
