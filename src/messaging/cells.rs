//! The cells of a row of a contents table, as values of its message.

use std::cell::OnceCell;
use std::sync::Arc;

use super::properties::{MAX_LISTED, Properties, text_of_value};
use super::store::Store;
use super::store_page;
use crate::error::Result;
use crate::ltp::{FileTime, PropertyContext, Row, Value, tags};
use crate::ndb::NodeId;
use crate::problem::Problems;

/// The cells of the row of a message, each read when it is asked for. In place of a cell that cannot be read, which is noted, or
/// that may be wrong stands what the message itself has.
#[derive(Debug)]
pub struct Cells<'a> {
    store: &'a Arc<Store>,
    nid: NodeId,
    /// None when the table has no such row, or it cannot be read.
    row: Option<Row<'a>>,
    /// Code page of items that name none.
    default_page: u32,
    /// Most tables have no column for it; the message itself is asked if code pages differ in the text.
    code_page: OnceCell<u32>,
    /// What the message itself has, once it has been asked; None if it cannot be read.
    message: OnceCell<Option<PropertyContext>>,
    problems: Problems,
}

impl<'a> Cells<'a> {
    /// Those of `row`, of message `nid`. A cell that cannot be read is noted in `problems`.
    pub(super) fn new(
        store: &'a Arc<Store>,
        nid: NodeId,
        row: Option<Row<'a>>,
        default_page: u32,
        problems: &Problems,
    ) -> Self {
        Self {
            store,
            nid,
            row,
            default_page,
            code_page: OnceCell::new(),
            message: OnceCell::new(),
            problems: problems.clone(),
        }
    }

    /// The message.
    pub fn nid(&self) -> NodeId {
        self.nid
    }

    /// Whether the table has a column for property `id`, and the message a row in it: then a cell that is absent means that
    /// the message has no such property.
    pub fn has_column(&self, id: u16) -> bool {
        self.row.as_ref().is_some_and(|row| row.has_column(id))
    }

    fn get(&self, id: u16) -> Option<Value> {
        self.read(id, |row| row.get_with_doubt(id), |message| message.get(id))
    }

    /// What `of_row` reads of property `id`; where its cell cannot be read, or may be wrong and the message is not, what
    /// `of_message` does. One cell of the row is noted: others fail for the same reason.
    fn read(
        &self,
        id: u16,
        of_row: impl FnOnce(&Row<'_>) -> Result<(Option<Value>, bool)>,
        of_message: impl FnOnce(&PropertyContext) -> Result<Option<Value>>,
    ) -> Option<Value> {
        match of_row(self.row.as_ref()?) {
            Ok((value, false)) => value,
            Ok((value, true)) => {
                let message = self.message();
                let message = message.filter(|message| !message.may_be_wrong(id));
                let own = message.and_then(|message| of_message(message).ok()?);
                own.or(value)
            }
            Err(error) => {
                let place = format!("row {:#x}", self.nid.0);
                if self.problems.is_first(&place) {
                    self.problems.note_error(place, &error);
                }
                of_message(self.message()?).ok().flatten()
            }
        }
    }

    fn message(&self) -> Option<&PropertyContext> {
        let open = || PropertyContext::open(self.store.node(self.nid).ok()?).ok();
        self.message.get_or_init(open).as_ref()
    }

    /// An integer.
    pub fn integer(&self, id: u16) -> Option<i32> {
        match self.get(id)? {
            Value::Integer(number) => Some(number),
            _ => None,
        }
    }

    /// A boolean.
    pub fn boolean(&self, id: u16) -> Option<bool> {
        match self.get(id)? {
            Value::Boolean(truth) => Some(truth),
            _ => None,
        }
    }

    /// A time that means one.
    pub fn time(&self, id: u16) -> Option<FileTime> {
        match self.get(id)? {
            Value::Time(time) => time.known(),
            _ => None,
        }
    }

    /// When the message was delivered, else submitted.
    pub fn any_time(&self) -> Option<FileTime> {
        let delivery = self.time(tags::MESSAGE_DELIVERY_TIME);
        delivery.or_else(|| self.time(tags::CLIENT_SUBMIT_TIME))
    }

    /// The beginning of a text; None when it is absent or empty.
    pub fn text(&self, id: u16) -> Option<String> {
        self.known_text(id).filter(|text| !text.is_empty())
    }

    /// PidTagMessageClass, on which all else depends. Every item has one, so where the row does not the message is asked.
    pub fn class(&self) -> Option<String> {
        let own = || {
            let value = self.message()?.start(tags::MESSAGE_CLASS, MAX_LISTED);
            self.text_of(&value.ok()??)
        };
        let class = self.text(tags::MESSAGE_CLASS);
        class.or_else(|| own().filter(|class| !class.is_empty()))
    }

    /// The beginning of a text, empty when the message has none; None when the table does not tell.
    pub fn known_text(&self, id: u16) -> Option<String> {
        self.row.as_ref().filter(|row| row.has_column(id))?;
        let value = self.read(
            id,
            |row| row.start_with_doubt(id, MAX_LISTED),
            |message| message.start(id, MAX_LISTED),
        );
        Some(
            value
                .and_then(|value| self.text_of(&value))
                .unwrap_or_default(),
        )
    }

    /// Whether `text`, from [`Cells::text`], may go on in the message.
    pub fn may_be_cut(text: &str) -> bool {
        // UTF-16 becomes no shorter than half of it.
        text.len() >= MAX_LISTED / 2
    }

    fn text_of(&self, value: &Value) -> Option<String> {
        let is_plain = !matches!(value, Value::String8(bytes) if !bytes.is_ascii());
        let page = || store_page::named(|id| self.integer(id)).or_else(|| self.page_of_message());
        let code_page = match is_plain {
            true => self.default_page,
            false => *self
                .code_page
                .get_or_init(|| page().unwrap_or_else(|| self.store.page_of_strings())),
        };
        text_of_value(value, code_page)
    }

    /// The code page that the message names.
    fn page_of_message(&self) -> Option<u32> {
        let properties = Properties::new(self.message()?.clone(), self.default_page);
        store_page::named(|id| properties.integer(id).ok().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_may_go_on_where_it_takes_all_the_bytes_that_a_listing_reads() {
        assert!(!Cells::may_be_cut("Quarterly numbers"));
        assert!(!Cells::may_be_cut(&"x".repeat(MAX_LISTED / 2 - 1)));
        // Two bytes each in the file.
        assert!(Cells::may_be_cut(&"x".repeat(MAX_LISTED / 2)));
    }
}
