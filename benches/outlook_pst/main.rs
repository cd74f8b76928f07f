//! What `walk` reads, read by Microsoft's outlook-pst crate: every property, recipient, body and attachment of every
//! message of a Unicode file, keeping nothing. Prints how much there was.
//!
//! `outlook-pst-walk FILE`
#![forbid(unsafe_code)]

use std::error::Error;
use std::rc::Rc;

use outlook_pst::UnicodePstFile;
use outlook_pst::ltp::prop_context::PropertyValue;
use outlook_pst::messaging::attachment::{Attachment, AttachmentData, UnicodeAttachment};
use outlook_pst::messaging::folder::{Folder, UnicodeFolder};
use outlook_pst::messaging::message::{Message, UnicodeMessage};
use outlook_pst::messaging::store::{EntryId, Store, UnicodeStore};
use outlook_pst::ndb::node_id::NodeId;

#[derive(Debug, Default)]
struct Sum {
    folders: u64,
    messages: u64,
    properties: u64,
    cells: u64,
    attachments: u64,
    bytes: u64,
    failed: u64,
}

impl Sum {
    fn value(&mut self, value: &PropertyValue) {
        self.properties += 1;
        self.bytes += match value {
            PropertyValue::Binary(value) => value.buffer().len() as u64,
            PropertyValue::String8(value) => value.buffer().len() as u64,
            PropertyValue::Unicode(value) => 2 * value.buffer().len() as u64,
            _ => size_of::<u64>() as u64,
        };
    }

    fn message(&mut self, store: &Rc<UnicodeStore>, id: &EntryId) -> Result<(), Box<dyn Error>> {
        let message = UnicodeMessage::read(store.clone(), id, None)?;
        self.messages += 1;
        message
            .properties()
            .iter()
            .for_each(|(_, value)| self.value(value));
        for table in [message.recipient_table(), message.attachment_table()]
            .into_iter()
            .flatten()
        {
            let context = table.context();
            for row in table.rows_matrix() {
                for (column, cell) in context.columns().iter().zip(row.columns(context)?) {
                    let Some(cell) = cell else { continue };
                    self.value(&table.read_column(&cell, column.prop_type())?);
                    self.cells += 1;
                }
            }
        }
        let Some(table) = message.attachment_table() else {
            return Ok(());
        };
        for row in table.rows_matrix() {
            let nid = NodeId::from(u32::from(row.id()));
            let attachment = UnicodeAttachment::read(message.clone(), nid, None)?;
            self.attachments += 1;
            for (_, value) in attachment.properties().iter() {
                if !matches!(value, PropertyValue::Binary(_)) {
                    self.value(value);
                }
            }
            if let Some(AttachmentData::Binary(data)) = attachment.data() {
                self.bytes += data.buffer().len() as u64;
            }
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("outlook-pst-walk FILE")?;
    let store = UnicodeStore::read(Rc::new(UnicodePstFile::open(&path)?))?;
    let entry_id = |id: u32| store.properties().make_entry_id(NodeId::from(id));
    let mut sum = Sum::default();
    let mut todo = vec![store.properties().ipm_sub_tree_entry_id()?];
    while let Some(id) = todo.pop() {
        let folder = UnicodeFolder::read(store.clone(), &id)?;
        sum.folders += 1;
        for row in folder
            .hierarchy_table()
            .iter()
            .flat_map(|table| table.rows_matrix())
        {
            todo.push(entry_id(row.id().into())?);
        }
        for row in folder
            .contents_table()
            .iter()
            .flat_map(|table| table.rows_matrix())
        {
            if sum.message(&store, &entry_id(row.id().into())?).is_err() {
                sum.failed += 1;
            }
        }
    }
    println!("{sum:?}");
    Ok(())
}
