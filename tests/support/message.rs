//! Items as tests describe them: properties, recipients, attachments. [MS-OXCMSG], [MS-OXPROPS].
use super::format::crc;
use super::ltp::Props;
use super::tags;
use super::value::{Payload, Value};

/// Name of a named property.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Name {
    Id(u32),
    Text(String),
}

/// Property set and name.
pub type NamedKey = ([u8; 16], Name);

/// A GUID of the family {xxxxxxxx-0000-0000-C000-000000000046}.
pub const fn ps_guid(first: u32) -> [u8; 16] {
    let [a, b, c, d] = first.to_le_bytes();
    [a, b, c, d, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46]
}

pub const PS_MAPI: [u8; 16] = ps_guid(0x0002_0328);
pub const PS_PUBLIC_STRINGS: [u8; 16] = ps_guid(0x0002_0329);
pub const PS_INTERNET_HEADERS: [u8; 16] = ps_guid(0x0002_0386);
pub const PSETID_APPOINTMENT: [u8; 16] = ps_guid(0x0006_2002);
pub const PSETID_TASK: [u8; 16] = ps_guid(0x0006_2003);
pub const PSETID_ADDRESS: [u8; 16] = ps_guid(0x0006_2004);
pub const PSETID_COMMON: [u8; 16] = ps_guid(0x0006_2008);
pub const PSETID_LOG: [u8; 16] = ps_guid(0x0006_200A);
pub const PSETID_NOTE: [u8; 16] = ps_guid(0x0006_200E);
pub const PSETID_SHARING: [u8; 16] = ps_guid(0x0006_2040);
pub const PSETID_POST_RSS: [u8; 16] = ps_guid(0x0006_2041);
pub const PSETID_MEETING: [u8; 16] = [
    0x90, 0xDA, 0xD8, 0x6E, 0x0B, 0x45, 0x1B, 0x10, 0x98, 0xDA, 0, 0xAA, 0, 0x3F, 0x13, 5,
];

/// Recipient types.
pub const TO: i32 = 1;
pub const CC: i32 = 2;
pub const BCC: i32 = 3;

/// FILETIME of a UTC date and time.
pub fn filetime(year: i64, month: i64, day: i64, hour: i64, minute: i64) -> u64 {
    // Days from civil, with March as the first month.
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y - era * 400;
    let doy = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    // 1970-01-01 is day 719,468 of that count, and 134,774 days after 1601-01-01.
    let days = era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468 + 134_774;
    ((days * 24 + hour) * 60 + minute) as u64 * 600_000_000
}

/// An item. Build one with [`Message::mail`] or another constructor, then add to it.
#[derive(Clone, Debug, Default)]
pub struct Message {
    pub props: Props,
    pub named: Vec<(NamedKey, Value)>,
    pub recipients: Vec<Props>,
    pub attachments: Vec<Attachment>,
    /// Differences of the contents row from the properties; `None` = the row lacks it.
    pub row: Vec<(u16, Option<Value>)>,
    /// The table of recipients has no columns but those that a recipient has a value for.
    pub spare_columns: bool,
    /// Write a recipient / attachment table even if it has no rows.
    pub empty_tables: bool,
    /// A hidden (folder associated) item.
    pub associated: bool,
}

#[derive(Clone, Debug)]
pub struct Attachment {
    pub props: Props,
    pub content: Content,
}

#[derive(Clone, Debug)]
pub enum Content {
    /// No PidTagAttachDataBinary: by reference, or nothing at all.
    None,
    /// Method 1.
    Data(Payload),
    /// Method 5.
    Message(Box<Message>),
    /// Method 6.
    Ole(Payload),
}

/// "Name" and "address" as a search key.
fn search_key(address: &str) -> Vec<u8> {
    format!("SMTP:{}\0", address.to_uppercase()).into_bytes()
}

/// A one-off entry id of an SMTP address ([MS-OXCDATA] 2.2.5.1).
pub fn one_off(name: &str, address: &str) -> Vec<u8> {
    let mut id = vec![0; 4];
    id.extend([0x81, 0x2B, 0x1F, 0xA4, 0xBE, 0xA3, 0x10, 0x19]);
    id.extend([0x9D, 0x6E, 0x00, 0xDD, 0x01, 0x0F, 0x54, 0x02]);
    id.extend([0, 0, 1, 0x80]);
    for s in [name, "SMTP", address] {
        id.extend(s.encode_utf16().flat_map(u16::to_le_bytes));
        id.extend([0, 0]);
    }
    id
}

impl Message {
    /// An item of a class, with what each Outlook item has.
    pub fn new(class: &str, subject: &str) -> Message {
        let time = filetime(2024, 5, 1, 9, 32);
        Message::default()
            .prop(tags::MESSAGE_CLASS, class)
            .prop(tags::IMPORTANCE, 1)
            .prop(tags::ORIGINATOR_DELIVERY_REPORT_REQUESTED, false)
            .prop(tags::PRIORITY, 0)
            .prop(tags::READ_RECEIPT_REQUESTED, false)
            .prop(tags::SENSITIVITY, 0)
            .prop(tags::DELETE_AFTER_SUBMIT, false)
            .prop(tags::MESSAGE_FLAGS, 1)
            .prop(tags::MESSAGE_LOCALE_ID, 0x409)
            .subject(subject)
            .time(time)
    }

    /// A mail message.
    pub fn mail(subject: &str) -> Message {
        Message::new("IPM.Note", subject)
            .prop(tags::INTERNET_CODEPAGE, 65001)
            .prop(tags::MESSAGE_TO_ME, true)
            .prop(tags::MESSAGE_CC_ME, false)
            .prop(tags::ICON_INDEX, -1)
    }

    pub fn prop(mut self, id: u16, value: impl Into<Value>) -> Message {
        self.props.insert(id, value.into());
        self
    }

    pub fn without(mut self, id: u16) -> Message {
        self.props.remove(&id);
        self
    }

    pub fn named(mut self, set: [u8; 16], id: u32, value: impl Into<Value>) -> Message {
        self.named.push(((set, Name::Id(id)), value.into()));
        self
    }

    pub fn named_text(mut self, set: [u8; 16], name: &str, value: impl Into<Value>) -> Message {
        self.named
            .push(((set, Name::Text(name.into())), value.into()));
        self
    }

    /// Lets the contents row say something else than the item.
    pub fn row(mut self, id: u16, value: Option<Value>) -> Message {
        self.row.push((id, value));
        self
    }

    /// Subject as Outlook stores it: U+0001, prefix length + 1, text.
    pub fn subject(self, subject: &str) -> Message {
        let prefix = subject
            .find(": ")
            .filter(|&at| (1..=3).contains(&at) && subject.is_char_boundary(at))
            .map_or(0, |at| subject[..at].chars().count() as u32 + 2);
        let topic: String = subject.chars().skip(prefix as usize).collect();
        let mark = char::from_u32(prefix + 1).expect("short prefix");
        self.prop(tags::SUBJECT, format!("\u{1}{mark}{subject}"))
            .prop(tags::CONVERSATION_TOPIC, topic.clone())
            .prop(tags::NORMALIZED_SUBJECT, topic)
    }

    /// Delivery, submit, creation and modification time.
    pub fn time(self, time: u64) -> Message {
        [
            tags::MESSAGE_DELIVERY_TIME,
            tags::CLIENT_SUBMIT_TIME,
            tags::CREATION_TIME,
            tags::LAST_MODIFICATION_TIME,
        ]
        .into_iter()
        .fold(self, |m, id| m.prop(id, Value::Time(time)))
    }

    pub fn from(self, name: &str, address: &str) -> Message {
        let mut m = self;
        for [n, kind, mail, key, entry] in [
            [
                tags::SENT_REPRESENTING_NAME,
                tags::SENT_REPRESENTING_ADDRESS_TYPE,
                tags::SENT_REPRESENTING_EMAIL_ADDRESS,
                tags::SENT_REPRESENTING_SEARCH_KEY,
                tags::SENT_REPRESENTING_ENTRY_ID,
            ],
            [
                tags::SENDER_NAME,
                tags::SENDER_ADDRESS_TYPE,
                tags::SENDER_EMAIL_ADDRESS,
                tags::SENDER_SEARCH_KEY,
                tags::SENDER_ENTRY_ID,
            ],
        ] {
            m = m
                .prop(n, name)
                .prop(kind, "SMTP")
                .prop(mail, address)
                .prop(key, search_key(address))
                .prop(entry, one_off(name, address));
        }
        m
    }

    pub fn recipient(mut self, kind: i32, name: &str, address: &str) -> Message {
        let mut r = Props::new();
        r.insert(0x0C15, kind.into());
        r.insert(0x0E0F, true.into());
        r.insert(0x0FFE, 6.into());
        r.insert(0x0FFF, one_off(name, address).into());
        r.insert(0x3001, name.into());
        r.insert(0x3002, "SMTP".into());
        r.insert(0x3003, address.into());
        r.insert(0x300B, search_key(address).into());
        r.insert(0x3900, 0.into());
        r.insert(0x39FE, address.into());
        r.insert(0x3A40, false.into());
        self.recipients.push(r);
        let display = match kind {
            TO => tags::DISPLAY_TO,
            CC => tags::DISPLAY_CC,
            _ => tags::DISPLAY_BCC,
        };
        let list = match self.props.get(&display) {
            Some(Value::Str(list)) => format!("{list}; {name}"),
            _ => name.into(),
        };
        self.prop(display, list)
    }

    /// A further property of the last recipient.
    pub fn recipient_prop(mut self, id: u16, value: impl Into<Value>) -> Message {
        let last = self.recipients.last_mut().expect("a recipient");
        last.insert(id, value.into());
        self
    }

    pub fn to(self, name: &str, address: &str) -> Message {
        self.recipient(TO, name, address)
    }
    pub fn cc(self, name: &str, address: &str) -> Message {
        self.recipient(CC, name, address)
    }
    pub fn bcc(self, name: &str, address: &str) -> Message {
        self.recipient(BCC, name, address)
    }

    /// Plain text body.
    pub fn body(self, text: &str) -> Message {
        self.prop(tags::BODY, text)
    }

    /// HTML body.
    pub fn html(self, html: &str) -> Message {
        self.prop(tags::HTML, html.as_bytes())
    }

    /// RTF body, stored uncompressed (MELA).
    pub fn rtf(self, rtf: &str) -> Message {
        let mut out = (rtf.len() as u32 + 12).to_le_bytes().to_vec();
        out.extend((rtf.len() as u32).to_le_bytes());
        out.extend(b"MELA\0\0\0\0");
        out.extend(rtf.as_bytes());
        self.prop(tags::RTF_COMPRESSED, out)
    }

    /// RTF body in the compressed form.
    pub fn compressed_rtf(self, rtf: &str) -> Message {
        self.prop(tags::RTF_COMPRESSED, compressed_rtf(rtf))
    }

    pub fn headers(self, headers: &str) -> Message {
        self.prop(tags::TRANSPORT_MESSAGE_HEADERS, headers)
    }

    pub fn message_id(self, id: &str) -> Message {
        self.prop(tags::INTERNET_MESSAGE_ID, id)
    }

    pub fn in_reply_to(self, id: &str) -> Message {
        self.prop(tags::IN_REPLY_TO_ID, id)
    }

    pub fn unread(self) -> Message {
        self.flag(1, false)
    }

    /// Sets or clears bits of PidTagMessageFlags.
    pub fn flag(self, bits: i32, set: bool) -> Message {
        let flags = match self.props.get(&tags::MESSAGE_FLAGS) {
            Some(Value::I32(f)) => *f,
            _ => 0,
        };
        self.prop(
            tags::MESSAGE_FLAGS,
            if set { flags | bits } else { flags & !bits },
        )
    }

    pub fn attachment(self, name: &str, data: impl Into<Payload>) -> Message {
        self.attach(Attachment::data(name, data))
    }

    pub fn embed(self, message: Message) -> Message {
        self.attach(Attachment::message(message))
    }

    pub fn attach(mut self, attachment: Attachment) -> Message {
        self.attachments.push(attachment);
        self.flag(0x10, true)
    }

    pub fn associated(mut self) -> Message {
        self.associated = true;
        self.flag(0x40, true)
    }
}

impl Attachment {
    fn new(name: &str, method: i32, content: Content) -> Attachment {
        let mut props = Props::new();
        props.insert(tags::ACCESS, 2.into());
        props.insert(tags::DISPLAY_NAME, name.into());
        props.insert(tags::ATTACH_METHOD, method.into());
        props.insert(tags::RENDERING_POSITION, (-1).into());
        props.insert(tags::ATTACH_FLAGS, 0.into());
        props.insert(tags::ATTACHMENT_LINK_ID, 0.into());
        props.insert(tags::ATTACHMENT_FLAGS, 0.into());
        props.insert(tags::ATTACHMENT_HIDDEN, false.into());
        Attachment { props, content }
    }

    /// Method 1: by value.
    pub fn data(name: &str, data: impl Into<Payload>) -> Attachment {
        let mut a = Attachment::new(name, 1, Content::Data(data.into()))
            .prop(tags::ATTACH_LONG_FILENAME, name)
            .prop(tags::ATTACH_FILENAME, name);
        if let Some(at) = name.rfind('.') {
            a = a.prop(tags::ATTACH_EXTENSION, &name[at..]);
        }
        a
    }

    /// Method 5: an embedded message.
    pub fn message(message: Message) -> Attachment {
        let name = match message.props.get(&tags::CONVERSATION_TOPIC) {
            Some(Value::Str(s)) => s.clone(),
            _ => "message".into(),
        };
        Attachment::new(&name, 5, Content::Message(Box::new(message)))
    }

    /// Method 6: an OLE object, a compound file as sub-node of type 9.
    pub fn ole(name: &str, data: impl Into<Payload>) -> Attachment {
        Attachment::new(name, 6, Content::Ole(data.into()))
    }

    /// Methods 2, 3, 4 and 7: only a path.
    pub fn reference(method: i32, path: &str) -> Attachment {
        let name = path.rsplit(['\\', '/']).next().expect("a last part");
        Attachment::new(name, method, Content::None)
            .prop(tags::ATTACH_LONG_FILENAME, name)
            .prop(tags::ATTACH_PATHNAME, path)
            .prop(tags::ATTACH_LONG_PATHNAME, path)
    }

    pub fn prop(mut self, id: u16, value: impl Into<Value>) -> Attachment {
        self.props.insert(id, value.into());
        self
    }

    pub fn mime(self, mime: &str) -> Attachment {
        self.prop(tags::ATTACH_MIME_TAG, mime)
    }

    /// Content-ID, as an inline image has it.
    pub fn content_id(self, id: &str) -> Attachment {
        self.prop(tags::ATTACH_CONTENT_ID, id)
    }
}

/// RTF in the compressed form, without any reference into the dictionary but the last, which ends it. [MS-OXRTFCP] 2.1.3.1
pub fn compressed_rtf(rtf: &str) -> Vec<u8> {
    const PRELOAD: usize = 207;
    const DICTIONARY: usize = 4096;
    let end = ((PRELOAD + rtf.len()) % DICTIONARY) << 4;
    let mut groups: Vec<Vec<u8>> = rtf.as_bytes().chunks(8).map(<[u8]>::to_vec).collect();
    if rtf.len().is_multiple_of(8) {
        groups.push(Vec::new());
    }
    let last = groups.len() - 1;
    let mut body = Vec::new();
    for (index, literals) in groups.iter().enumerate() {
        body.push(if index == last {
            1 << literals.len()
        } else {
            0
        });
        body.extend(literals);
    }
    body.extend((end as u16).to_be_bytes());
    let mut out = (body.len() as u32 + 12).to_le_bytes().to_vec();
    out.extend((rtf.len() as u32).to_le_bytes());
    out.extend(b"LZFu");
    out.extend(crc(&body).to_le_bytes());
    out.extend(body);
    out
}
