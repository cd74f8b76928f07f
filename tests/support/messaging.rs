//! Messages, their recipients and attachments, and the map of named properties. [MS-PST] 2.4.5, 2.4.6, 2.4.7.
use std::collections::HashMap;
use std::io::Result;

use super::format::{Format, crc, mix};
use super::ltp::{Props, SubNodes, Table, property_context};
use super::message::*;
use super::ndb::{Ndb, SubNode};
use super::tags;
use super::templates::*;
use super::value::*;

const NID_TYPE_MESSAGE: u32 = 0x04;
const NID_TYPE_ATTACHMENT: u32 = 0x05;
const NID_TYPE_OLE: u32 = 0x09;

/// What the PC of an item needs in bytes beyond their values, roughly.
const OVERHEAD: u64 = 120;

/// PidTagAttachSize is the size of all values of an attachment, its own too: so real files have it.
const SIZE_ITSELF: u64 = 4;

/// Named properties of the store, in the order of their first use.
#[derive(Clone, Debug)]
pub struct Names {
    keys: Vec<NamedKey>,
    ids: HashMap<NamedKey, u16>,
}

/// Outlook enters some names in every store it makes; some readers count on a map that is not empty.
impl Default for Names {
    fn default() -> Names {
        let mut names = Names {
            keys: Vec::new(),
            ids: HashMap::new(),
        };
        for id in [0x820D, 0x820E, 0x8216] {
            names.id(&(PSETID_APPOINTMENT, Name::Id(id)));
        }
        names.id(&(PSETID_COMMON, Name::Id(0x8503)));
        names.id(&(PS_PUBLIC_STRINGS, Name::Text("Keywords".into())));
        names.id(&(PS_INTERNET_HEADERS, Name::Text("content-class".into())));
        names
    }
}

impl Names {
    /// The property id of a name.
    pub fn id(&mut self, key: &NamedKey) -> u16 {
        if let Some(&id) = self.ids.get(key) {
            return id;
        }
        let id = 0x8000 + self.keys.len() as u16;
        self.keys.push(key.clone());
        self.ids.insert(key.clone(), id);
        id
    }

    /// Writes node 0x61.
    pub fn write(&self, ndb: &mut Ndb, text: Text) -> Result<()> {
        const BUCKETS: u32 = 251;
        let mut guids: Vec<[u8; 16]> = Vec::new();
        let mut entries = Vec::new();
        let mut strings: Vec<u8> = Vec::new();
        let mut buckets: HashMap<u16, Vec<u8>> = HashMap::new();
        for (index, (set, name)) in self.keys.iter().enumerate() {
            let guid = match *set {
                PS_MAPI => 1,
                PS_PUBLIC_STRINGS => 2,
                _ => {
                    let known = guids.iter().position(|g| g == set);
                    3 + known.unwrap_or_else(|| {
                        guids.push(*set);
                        guids.len() - 1
                    })
                }
            } as u16;
            let (value, hash, flag) = match name {
                Name::Id(id) => (*id, *id, 0),
                Name::Text(s) => {
                    let offset = strings.len() as u32;
                    let utf16: Vec<u8> = s.encode_utf16().flat_map(u16::to_le_bytes).collect();
                    strings.extend((utf16.len() as u32).to_le_bytes());
                    strings.extend(&utf16);
                    strings.resize(strings.len().next_multiple_of(4), 0);
                    (offset, crc(&utf16), 1)
                }
            };
            let kind = guid << 1 | flag;
            let entry = |first: u32| {
                let mut out = first.to_le_bytes().to_vec();
                out.extend(kind.to_le_bytes());
                out.extend((index as u16).to_le_bytes());
                out
            };
            entries.extend(entry(value));
            let bucket = 0x1000 + ((hash ^ u32::from(kind)) % BUCKETS) as u16;
            buckets.entry(bucket).or_default().extend(entry(hash));
        }
        let mut props = Props::new();
        props.insert(tags::NAMEID_BUCKET_COUNT, (BUCKETS as i32).into());
        props.insert(tags::NAMEID_STREAM_GUID, guids.concat().into());
        props.insert(tags::NAMEID_STREAM_ENTRY, entries.into());
        props.insert(tags::NAMEID_STREAM_STRING, strings.into());
        props.extend(buckets.into_iter().map(|(id, b)| (id, b.into())));
        let (data, sub) = property_context(ndb, &props, text, SubNodes::default())?;
        ndb.node(NID_NAMES, data, sub, 0);
        Ok(())
    }
}

/// An item on its way into the file.
pub struct Written {
    pub data: u64,
    pub sub: u64,
    /// The values from which its table rows are made.
    pub row: Props,
    pub text: Text,
}

/// Writes items; knows the names and numbers the messages.
#[derive(Clone, Debug)]
pub struct Items {
    pub names: Names,
    /// Index of the next message. The NIDs of embedded messages are private to their owners, yet Outlook
    /// takes them from the same counter, and some readers take equal NIDs for the same message.
    next_message: u32,
    /// Contents tables without the optional columns.
    pub sparse: bool,
}

impl Default for Items {
    fn default() -> Items {
        Items {
            names: Names::default(),
            next_message: 0x1_0001,
            sparse: false,
        }
    }
}

impl Items {
    /// A NID for a message.
    pub fn message_nid(&mut self) -> u32 {
        self.next_message += 1;
        (self.next_message - 1) << 5 | NID_TYPE_MESSAGE
    }

    /// Strings of an item in an ANSI store are in its message code page.
    fn text(ndb: &Ndb, props: &Props) -> Text {
        let code_page = match props.get(&tags::MESSAGE_CODEPAGE) {
            Some(Value::I32(n)) => *n as u16,
            _ => 1252,
        };
        Text {
            wide: ndb.geo.wide,
            code_page,
        }
    }

    /// Writes the item with all that belongs to it, but no NBT entry and no table row.
    /// `top`: it will be a node of its own, not a sub-node of an attachment.
    pub fn write(
        &mut self,
        ndb: &mut Ndb,
        nid: u32,
        message: &Message,
        top: bool,
    ) -> Result<Written> {
        let mut props = message.props.clone();
        for (key, value) in &message.named {
            props.insert(self.names.id(key), value.clone());
        }
        let text = Items::text(ndb, &props);
        let mut subs = SubNodes::default();
        let mut size = props.values().map(|v| v.len(text)).sum::<u64>() + OVERHEAD;
        size += self.recipients(ndb, message, text, &mut subs)?;
        size += self.attachments(ndb, message, text, &mut subs)?;
        let key = mix(u64::from(nid)).to_le_bytes();
        let search_key = [key, mix(!u64::from(nid)).to_le_bytes()].concat();
        props
            .entry(tags::SEARCH_KEY)
            .or_insert_with(|| search_key.clone().into());
        let conversation = [&[1, 1, 0xD7, 0x8F, 0xB7, 0x26], &search_key[..]].concat();
        props
            .entry(tags::CONVERSATION_INDEX)
            .or_insert_with(|| conversation.into());
        props
            .entry(tags::MESSAGE_SIZE)
            .or_insert(Value::I32(size.min(i32::MAX as u64) as i32));
        let format = ndb.options.format;
        if top && format.is_ost() {
            let id = super::ost::short_id(nid);
            props
                .entry(tags::SERVER_FOLDER_ID)
                .or_insert(Value::I64(id));
        }
        // The modification time of a 4K-page file is in the table only.
        let modified = match format {
            Format::Ost4k if top => props.remove(&tags::LAST_MODIFICATION_TIME),
            _ => None,
        };
        let (data, sub) = property_context(ndb, &props, text, subs)?;
        let mut row = props;
        row.extend(modified.map(|time| (tags::LAST_MODIFICATION_TIME, time)));
        row.insert(tags::MESSAGE_STATUS, 0.into());
        row.insert(tags::CONVERSATION_ID, search_key.into());
        row.insert(tags::SECURE_SUBMIT_FLAGS, 0.into());
        row.insert(tags::REPL_FLAGS, 4.into());
        for (id, value) in &message.row {
            match value {
                Some(value) => row.insert(*id, value.clone()),
                None => row.remove(id),
            };
        }
        Ok(Written {
            data,
            sub,
            row,
            text,
        })
    }

    fn recipients(
        &mut self,
        ndb: &mut Ndb,
        message: &Message,
        text: Text,
        subs: &mut SubNodes,
    ) -> Result<u64> {
        if message.recipients.is_empty() && !message.empty_tables {
            return Ok(0);
        }
        let mut columns = match message.spare_columns {
            true => Vec::new(),
            false => columns(ndb.options.format, NID_RECIPIENTS, false),
        };
        // What a test adds has a column of its own; what it gives another type, one of that type.
        for (id, value) in message.recipients.iter().flatten() {
            let ptype = value.ptype(text);
            match columns.iter_mut().find(|column| column.0 == *id) {
                Some(column) => column.1 = ptype,
                None => columns.push((*id, ptype)),
            }
        }
        let mut table = Table::new(ndb, &columns, false)?;
        let mut size = 0;
        for (i, recipient) in message.recipients.iter().enumerate() {
            table.add(ndb, i as u32, text, recipient)?;
            size += recipient.values().map(|v| v.len(text)).sum::<u64>();
        }
        let (data, sub) = table.finish(ndb)?;
        subs.nodes.push(SubNode {
            nid: NID_RECIPIENTS,
            data,
            sub,
        });
        Ok(size)
    }

    fn attachments(
        &mut self,
        ndb: &mut Ndb,
        message: &Message,
        text: Text,
        subs: &mut SubNodes,
    ) -> Result<u64> {
        if message.attachments.is_empty() && !message.empty_tables {
            return Ok(0);
        }
        let columns = columns(ndb.options.format, NID_ATTACHMENTS, false);
        let mut table = Table::new(ndb, &columns, false)?;
        let mut sum = 0;
        for (i, attachment) in message.attachments.iter().enumerate() {
            let number = match ndb.options.counts_attachments {
                true => ndb.rgnid[NID_TYPE_ATTACHMENT as usize] + 1,
                false => 0x401 + i as u32,
            };
            let nid = number << 5 | NID_TYPE_ATTACHMENT;
            ndb.used_nid(nid);
            let mut props = attachment.props.clone();
            let mut own = SubNodes::default();
            let size = self.content(ndb, attachment, &mut props, &mut own, text)?;
            sum += size;
            let stored = Value::I32(size.min(i32::MAX as u64) as i32);
            props.entry(tags::ATTACH_SIZE).or_insert(stored);
            let (data, sub) = property_context(ndb, &props, text, own)?;
            subs.nodes.push(SubNode { nid, data, sub });
            table.add(ndb, nid, text, &props)?;
        }
        let (data, sub) = table.finish(ndb)?;
        subs.nodes.push(SubNode {
            nid: NID_ATTACHMENTS,
            data,
            sub,
        });
        Ok(sum)
    }

    /// Puts the content of an attachment in its properties or sub-nodes; returns PidTagAttachSize.
    fn content(
        &mut self,
        ndb: &mut Ndb,
        attachment: &Attachment,
        props: &mut Props,
        own: &mut SubNodes,
        text: Text,
    ) -> Result<u64> {
        let mut size = props.values().map(|v| v.len(text)).sum::<u64>() + SIZE_ITSELF;
        match &attachment.content {
            Content::None => {}
            Content::Data(payload) => {
                props.insert(tags::ATTACH_DATA, payload.clone().into());
                size += payload.len();
            }
            Content::Message(message) => {
                let nid = self.message_nid();
                ndb.used_nid(nid);
                let inner = self.write(ndb, nid, message, false)?;
                let inner_size = match inner.row.get(&tags::MESSAGE_SIZE) {
                    Some(Value::I32(n)) => *n as u32,
                    _ => 0,
                };
                own.nodes.push(SubNode {
                    nid,
                    data: inner.data,
                    sub: inner.sub,
                });
                let object = Value::Object {
                    nid,
                    size: inner_size,
                };
                props.insert(tags::ATTACH_DATA, object);
                size += u64::from(inner_size);
            }
            Content::Ole(payload) => {
                let nid = 0x401 << 5 | NID_TYPE_OLE;
                ndb.used_nid(nid);
                let data = ndb.payload(payload)?;
                own.nodes.push(SubNode { nid, data, sub: 0 });
                let len = payload.len() as u32;
                props.insert(tags::ATTACH_DATA, Value::Object { nid, size: len });
                size += payload.len();
            }
        }
        Ok(size)
    }
}
