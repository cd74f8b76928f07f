//! What is common to all that is copied property by property.

use std::sync::Arc;

use super::context::Context;
use super::failed::Failed;
use super::names::Names;
use super::output::Output;
use super::table::Layout;
use super::value::{self, Cells, Read, Stored};
use crate::error::Error;
use crate::ltp::{Value, tags};
use crate::messaging::{FIRST_NAMED_ID, Folder, ItemRows, Message, Properties, Store};
use crate::ndb::{NodeId, NodeType};
use crate::problem::Problems;

/// Texts that have a cell even if they are empty.
const EMPTY_CELLS: [u16; 3] = [
    tags::SUBJECT,
    tags::SENT_REPRESENTING_NAME,
    tags::CONVERSATION_TOPIC,
];

/// What copies items into a file.
pub(super) struct Copier<'a> {
    pub out: &'a mut Output,
    pub names: &'a mut Names,
    pub rows: &'a mut SourceRows,
}

impl Copier<'_> {
    /// The id that property `id` of `store` has in the new file. If another property of the object has the same name, and so the
    /// id that is `taken`, this one is known by its number.
    pub fn named(
        &mut self,
        store: &Arc<Store>,
        id: u16,
        problems: &Problems,
        taken: impl Fn(u16) -> bool,
    ) -> Option<u16> {
        if id < FIRST_NAMED_ID {
            return Some(id);
        }
        let note = |problem: &str| {
            let error = Error::corrupt("property", format_args!("{id:#06x}"), problem);
            problems.note_error("", &error);
        };
        let mut to = self.names.of(store.named_properties(), id);
        if to.is_some_and(taken) {
            note(
                "another property has the same name: in the new file this one has its number as a name",
            );
            to = self.names.nameless(id);
        }
        if to.is_none() {
            note("left out: a file has no room for more than 32,768 names");
        }
        to
    }

    /// Puts a value that was read into `context`, and into `row` if that has a column for it.
    pub fn put(
        &mut self,
        context: &mut Context,
        id: u16,
        read: Read,
        row: Option<&mut Row<'_>>,
    ) -> Result<(), Failed> {
        if context.has(id) {
            return Ok(());
        }
        match read {
            Read::Whole(value) => {
                if let Some(row) = row {
                    row.add(id, &value);
                }
                context.set(self.out, id, value)?;
            }
            Read::Stream(property_type, stream) => {
                context.set_stream(self.out, id, property_type, &stream)?;
            }
        }
        Ok(())
    }
}

/// The rows of the messages in the source that are being copied: those of one folder after the other.
#[derive(Default)]
pub(super) struct SourceRows(Option<FolderRows>);

/// The rows of the messages of one type in a folder.
struct FolderRows {
    store: Arc<Store>,
    folder: NodeId,
    item_type: NodeType,
    rows: ItemRows,
}

impl FolderRows {
    fn of(message: &Message) -> Self {
        let (store, folder) = (message.store(), message.node().parent());
        let item_type = message.nid().node_type();
        Self {
            rows: Folder::new(store, folder).item_rows(item_type, &Problems::default()),
            store: Arc::clone(store),
            folder,
            item_type,
        }
    }

    fn has(&self, message: &Message) -> bool {
        Arc::ptr_eq(&self.store, message.store())
            && self.folder == message.node().parent()
            && self.item_type == message.nid().node_type()
    }
}

impl SourceRows {
    /// The cells of the row of `message` that are `wanted`.
    pub fn cells(&mut self, message: &Message, wanted: impl Fn(u16) -> bool) -> Vec<(u16, Value)> {
        let at_hand = self.0.take().filter(|rows| rows.has(message));
        let rows = at_hand.unwrap_or_else(|| FolderRows::of(message));
        self.0.insert(rows).rows.cells(message.nid(), wanted)
    }
}

/// The row of a message as it is put together.
pub(super) struct Row<'a> {
    pub layout: &'a Layout,
    pub cells: Cells,
}

impl Row<'_> {
    /// Adds the cell of property `id`, if the table has a column for it.
    pub fn add(&mut self, id: u16, value: &Stored) {
        let shown = !value.bytes.is_empty() || EMPTY_CELLS.contains(&id);
        if shown && self.layout.column(id, value.property_type).is_some() {
            self.cells.push((id, value.clone()));
        }
    }
}

/// Reads property `id`; None if there is nothing that can be copied, which has been noted if it should be there.
pub(super) fn read(properties: &Properties, id: u16) -> Option<Read> {
    value::read(properties, id).unwrap_or_else(|error| {
        let problems = properties.problems();
        problems.note_error(format_args!("property {id:#06x}"), &error);
        None
    })
}
