//! Reads every property, recipient, body and attachment of every message of a file and keeps nothing: what reading costs
//! without writing. Prints how much there was.
//!
//! `walk FILE`

use std::sync::Arc;

use ostfs::Result;
use ostfs::ltp::{PropertyStream, Value};
use ostfs::messaging::{Attachment, AttachmentData, Folder, Message, Properties, Store};
use ostfs::ndb::NodeId;
use ostfs::tree::Options;

#[derive(Debug, Default)]
struct Sum {
    folders: u64,
    messages: u64,
    properties: u64,
    recipients: u64,
    attachments: u64,
    bytes: u64,
    failed: u64,
}

impl Sum {
    fn value(&mut self, value: &Value) {
        self.bytes += match value {
            Value::String(bytes) | Value::String8(bytes) | Value::Binary(bytes) => bytes.len(),
            _ => size_of::<u64>(),
        } as u64;
    }

    fn properties(&mut self, properties: &Properties, but: Option<u16>) {
        let Some(context) = properties.context() else {
            self.failed += 1;
            return;
        };
        for record in context
            .records()
            .iter()
            .filter(|record| Some(record.id) != but)
        {
            match context.value(record) {
                Ok(value) => {
                    self.properties += 1;
                    value.iter().for_each(|value| self.value(value));
                }
                Err(_) => self.failed += 1,
            }
        }
    }

    fn stream(&mut self, stream: &PropertyStream, buffer: &mut [u8]) -> Result<()> {
        let mut offset = 0;
        while offset < stream.len() {
            offset += stream.read_at(offset, buffer)? as u64;
        }
        self.bytes += offset;
        Ok(())
    }

    fn attachment(&mut self, attachment: &Attachment, buffer: &mut [u8]) -> Result<()> {
        let properties = attachment.properties()?;
        self.attachments += 1;
        self.properties(&properties, Some(ostfs::ltp::tags::ATTACH_DATA));
        match attachment.data(&properties)? {
            AttachmentData::Bytes(stream) | AttachmentData::Ole(stream) => {
                self.stream(&stream, buffer)
            }
            AttachmentData::Message(message) => {
                self.message(&message, buffer);
                Ok(())
            }
            AttachmentData::None => Ok(()),
        }
    }

    fn message(&mut self, message: &Message, buffer: &mut [u8]) {
        self.messages += 1;
        self.properties(message.properties(), None);
        self.recipients += message.recipients().len() as u64;
        for attachment in message.attachments() {
            if self.attachment(&attachment, buffer).is_err() {
                self.failed += 1;
            }
        }
    }

    fn folder(&mut self, store: &Arc<Store>, nid: NodeId, buffer: &mut [u8]) -> Vec<NodeId> {
        let folder = Folder::new(store, nid);
        self.folders += 1;
        for nid in folder.contents().nids() {
            match Message::open(store, nid) {
                Ok(message) => self.message(&message, buffer),
                Err(_) => self.failed += 1,
            }
        }
        let subfolders = folder.subfolders();
        subfolders.iter().map(|subfolder| subfolder.nid).collect()
    }
}

fn main() -> Result<()> {
    let path = std::env::args().nth(1).expect("usage: walk FILE");
    let ndb = ostfs::ndb::open(path.as_ref(), Options::DEFAULT_CACHE)?;
    let store = Arc::new(Store::open(ndb));
    let mut buffer = vec![0; 256 << 10];
    let mut sum = Sum::default();
    let mut folders = vec![store.ipm_subtree()];
    while let Some(nid) = folders.pop() {
        folders.extend(sum.folder(&store, nid, &mut buffer));
    }
    println!("{sum:?}");
    Ok(())
}
