//! What conditions and actions of rules are made of: counts, named properties, values. [MS-OXORULE] 2.2.4.2,
//! [MS-OXCDATA] 2.11
#![forbid(unsafe_code)]

use std::collections::HashMap;

use crate::clock;
use crate::codepage;
use crate::convert::cursor::Cursor;
use crate::convert::text::clean;
use crate::ltp::{FileTime, PropertyType, tags};
use crate::messaging::EntryId;

const GUID_SIZE: usize = 16;
/// Kinds of named properties: by number, by name.
const BY_NUMBER: u8 = 0;
const BY_NAME: u8 = 1;
/// Bytes of a binary value that are shown.
const MAX_SHOWN: usize = 16;
/// Characters of a text that are shown.
const MAX_TEXT: usize = 1 << 10;

/// How wide counts are: an extended rule has 32 bits where others have 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    Standard,
    Extended,
}

/// A condition or a list of actions on its way into words.
pub(super) struct Blob<'a> {
    pub cursor: Cursor<'a>,
    width: Width,
    code_page: u32,
    names: HashMap<u16, String>,
}

impl<'a> Blob<'a> {
    /// One of a rule that is not extended.
    pub fn standard(bytes: &'a [u8], code_page: u32) -> Self {
        Self {
            cursor: Cursor::new(bytes),
            width: Width::Standard,
            code_page,
            names: HashMap::new(),
        }
    }

    /// One of an extended rule: the names of its named properties come first. None where these make no sense.
    pub fn extended(bytes: &'a [u8], code_page: u32) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let names = named_properties(&mut cursor)?;
        Some(Self {
            cursor,
            width: Width::Extended,
            code_page,
            names,
        })
    }

    pub fn width(&self) -> Width {
        self.width
    }

    /// A count.
    pub fn count(&mut self) -> Option<u32> {
        match self.width {
            Width::Standard => self.cursor.u16().map(u32::from),
            Width::Extended => self.cursor.u32(),
        }
    }

    /// So many bytes as a count in front states.
    pub fn counted(&mut self) -> Option<&'a [u8]> {
        let length = self.count()?;
        self.cursor.take(length as usize)
    }

    /// The tag of a property: its id and the type of its values.
    pub fn tag(&mut self) -> Option<(u16, u16)> {
        let kind = self.cursor.u16()?;
        Some((self.cursor.u16()?, kind))
    }

    /// What a property is called.
    pub fn name(&self, id: u16) -> String {
        let own = self.names.get(&id).cloned();
        own.unwrap_or_else(|| match PROPERTIES.iter().find(|(known, _)| *known == id) {
            Some((_, name)) => (*name).to_owned(),
            None => format!("property {id:#06x}"),
        })
    }

    /// A value with its tag in front, which tells its own property: id and words.
    pub fn tagged_value(&mut self) -> Option<(u16, String)> {
        let (id, kind) = self.tag()?;
        Some((id, self.value(kind)?))
    }

    /// A value of a type, in words; None for types that rules do not have.
    fn value(&mut self, kind: u16) -> Option<String> {
        if kind & PropertyType::MULTIPLE != 0 {
            return self.values(kind & !PropertyType::MULTIPLE);
        }
        Some(match PropertyType(kind) {
            PropertyType::STRING => {
                let rest = self.cursor.rest();
                let units = rest.chunks_exact(2).position(|unit| unit == [0, 0])?;
                let text = codepage::decode_utf16le(self.cursor.take(2 * units)?);
                self.cursor.take(2)?;
                quoted(&text)
            }
            PropertyType::STRING8 => {
                let length = self.cursor.rest().iter().position(|byte| *byte == 0)?;
                let text = codepage::decode(self.code_page, self.cursor.take(length)?);
                self.cursor.take(1)?;
                quoted(&text)
            }
            PropertyType::INTEGER16 => i16::from_le_bytes(self.array()?).to_string(),
            PropertyType::INTEGER32 => i32::from_le_bytes(self.array()?).to_string(),
            PropertyType::INTEGER64 => i64::from_le_bytes(self.array()?).to_string(),
            PropertyType::BOOLEAN => match self.array::<1>()? {
                [0] => "no".to_owned(),
                _ => "yes".to_owned(),
            },
            PropertyType::TIME => {
                let time = FileTime(u64::from_le_bytes(self.array()?));
                let known = time
                    .known()
                    .and_then(|time| clock::utc(time.unix_seconds()));
                known.map_or_else(|| "no time".to_owned(), |time| format!("{time}Z"))
            }
            PropertyType::GUID => hex(self.cursor.take(GUID_SIZE)?),
            PropertyType::BINARY => {
                let bytes = self.counted()?;
                binary(bytes, self.code_page)
            }
            _ => return None,
        })
    }

    fn values(&mut self, kind: u16) -> Option<String> {
        let count = self.count()?;
        let mut words = Vec::new();
        for _ in 0..count {
            words.push(self.value(kind)?);
        }
        Some(words.join(", "))
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.cursor.take(N)?.try_into().ok()
    }
}

/// The names of the named properties that a blob refers to, by their ids in it.
fn named_properties(cursor: &mut Cursor<'_>) -> Option<HashMap<u16, String>> {
    let count = cursor.u16()?;
    let mut names = HashMap::new();
    if count == 0 {
        return Some(names);
    }
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(cursor.u16()?);
    }
    let mut stored = Cursor::new(cursor.block()?);
    for id in ids {
        let [kind] = stored.take(1)?.try_into().ok()?;
        let _set = stored.take(GUID_SIZE)?;
        let name = match kind {
            BY_NUMBER => format!("property {:#06x}", stored.u32()?),
            BY_NAME => {
                let [size]: [u8; 1] = stored.take(1)?.try_into().ok()?;
                let text = codepage::decode_utf16le(stored.take(usize::from(size))?);
                format!("property {}", quoted(text.trim_end_matches('\0')))
            }
            _ => continue,
        };
        names.insert(id, name);
    }
    Some(names)
}

/// Text on one line, in quotes, not too long.
pub(super) fn quoted(text: &str) -> String {
    let text: String = clean(text).chars().take(MAX_TEXT).collect();
    format!("\"{text}\"")
}

/// A person, if it is an entry id or a search key of one, else its first bytes.
fn binary(bytes: &[u8], code_page: u32) -> String {
    let text = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    // `SMTP:JANE@EXAMPLE.ORG`, `EX:/O=...`, or the end of an address.
    if !text.is_empty()
        && text
            .iter()
            .all(|byte| byte.is_ascii_graphic() || *byte == b' ')
    {
        return quoted(&codepage::decode(code_page, text));
    }
    match EntryId::parse(bytes, code_page) {
        Some(EntryId::OneOff(person)) => {
            return quoted(&format!("{} <{}>", person.name, person.address));
        }
        Some(EntryId::AddressBook(name)) => return quoted(&name),
        Some(EntryId::Node(_)) | None => {}
    }
    let shown = bytes.get(..MAX_SHOWN).unwrap_or(bytes);
    let more = if shown.len() < bytes.len() { "..." } else { "" };
    format!("{}{more} ({} bytes)", hex(shown), bytes.len())
}

fn hex(bytes: &[u8]) -> String {
    crate::convert::reader::hex(bytes)
}

/// What people call the properties that rules ask for.
const PROPERTIES: [(u16, &str); 33] = [
    (tags::IMPORTANCE, "importance"),
    (tags::MESSAGE_CLASS, "message class"),
    (tags::SENSITIVITY, "sensitivity"),
    (tags::SUBJECT, "subject"),
    (tags::NORMALIZED_SUBJECT, "subject"),
    (tags::CLIENT_SUBMIT_TIME, "time sent"),
    (tags::SENT_REPRESENTING_SEARCH_KEY, "sender"),
    (tags::SENT_REPRESENTING_NAME, "name of the sender"),
    (
        tags::SENT_REPRESENTING_EMAIL_ADDRESS,
        "address of the sender",
    ),
    (tags::SENDER_SEARCH_KEY, "sender"),
    (tags::SENDER_NAME, "name of the sender"),
    (tags::SENDER_EMAIL_ADDRESS, "address of the sender"),
    (tags::SENDER_SMTP_ADDRESS, "address of the sender"),
    (tags::SENDER_ENTRY_ID, "sender"),
    (MESSAGE_TO_ME, "sent to me"),
    (MESSAGE_CC_ME, "copied to me"),
    (MESSAGE_RECIPIENT_ME, "sent or copied to me"),
    (tags::TRANSPORT_MESSAGE_HEADERS, "header"),
    (tags::RECIPIENT_TYPE, "kind of recipient"),
    (tags::DISPLAY_BCC, "Bcc"),
    (tags::DISPLAY_CC, "Cc"),
    (tags::DISPLAY_TO, "To"),
    (tags::MESSAGE_DELIVERY_TIME, "time received"),
    (tags::MESSAGE_FLAGS, "message flags"),
    (tags::MESSAGE_SIZE, "size"),
    (MESSAGE_RECIPIENTS, "recipients"),
    (MESSAGE_ATTACHMENTS, "attachments"),
    (tags::BODY, "body"),
    (tags::SEARCH_KEY, "search key"),
    (tags::DISPLAY_NAME, "name"),
    (tags::SMTP_ADDRESS, "address"),
    (tags::EMAIL_ADDRESS, "address"),
    (
        CONTENT_FILTER_SPAM_CONFIDENCE_LEVEL,
        "spam confidence level",
    ),
];
const MESSAGE_TO_ME: u16 = 0x0057;
const MESSAGE_CC_ME: u16 = 0x0058;
const MESSAGE_RECIPIENT_ME: u16 = 0x0059;
/// The tables of recipients and attachments, as sub-conditions name them.
pub(super) const MESSAGE_RECIPIENTS: u16 = 0x0E12;
pub(super) const MESSAGE_ATTACHMENTS: u16 = 0x0E13;
const CONTENT_FILTER_SPAM_CONFIDENCE_LEVEL: u16 = 0x4076;
