//! The value of a column, as tables and JSON have it.
#![forbid(unsafe_code)]

use std::borrow::Cow;

use serde::{Serialize, Serializer};

/// What stands between the values of a list in one cell.
const SEPARATOR: &str = "; ";

/// What a record has in one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// Text; empty if there is none.
    Text(Cow<'a, str>),
    /// A path of the tree; empty if there is none.
    Path(&'a str),
    /// Mailboxes as header fields have them, decoded.
    Mailboxes(&'a str),
    /// Several texts.
    List(Vec<Cow<'a, str>>),
    /// A number, if there is one.
    Number(Option<u64>),
    /// Yes or no, if it is known.
    Truth(Option<bool>),
}

impl<'a> Value<'a> {
    /// `text`, made for this.
    pub(super) fn made(text: Option<String>) -> Self {
        Self::Text(text.unwrap_or_default().into())
    }

    /// `text` of the record.
    pub(super) fn text(text: &'a str) -> Self {
        Self::Text(text.into())
    }

    /// `texts` of the record.
    pub(super) fn list(texts: &'a [String]) -> Self {
        Self::List(texts.iter().map(|text| text.as_str().into()).collect())
    }

    /// A count or size.
    pub(super) fn number(number: impl TryInto<u64>) -> Self {
        Self::Number(number.try_into().ok())
    }

    /// As one text, for a cell.
    pub(super) fn cell(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Path(text) | Self::Mailboxes(text) => Cow::Borrowed(text),
            Self::List(texts) => texts.join(SEPARATOR).into(),
            Self::Number(number) => number.map_or_else(String::new, |n| n.to_string()).into(),
            Self::Truth(Some(true)) => "yes".into(),
            Self::Truth(Some(false)) => "no".into(),
            Self::Truth(None) => "".into(),
        }
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Path(text) | Self::Mailboxes(text) => serializer.serialize_str(text),
            Self::List(texts) => texts.serialize(serializer),
            Self::Number(number) => number.serialize(serializer),
            Self::Truth(truth) => truth.serialize(serializer),
        }
    }
}
