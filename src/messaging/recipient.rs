//! Recipients: rows of a message's recipient table. [MS-PST] 2.4.5.3

use super::properties::text_of_value;
use crate::ltp::{Column, Row, Value, tags};
use crate::problem::Problems;

/// PidTagRecipientType.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecipientType {
    /// The originator, in a table that lists it.
    Originator,
    /// To
    To,
    /// Cc
    Cc,
    /// Bcc
    Bcc,
}

impl RecipientType {
    /// Bits of PidTagRecipientType that hold the type; the others are flags.
    const MASK: i32 = 0x0F;

    /// The type in PidTagRecipientType; any number that means none is a To.
    pub fn of(stored: i32) -> Self {
        match stored & Self::MASK {
            0 => Self::Originator,
            2 => Self::Cc,
            3 => Self::Bcc,
            _ => Self::To,
        }
    }
}

/// One recipient: the cells of its row.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Recipient {
    cells: Vec<(u16, Value)>,
    code_page: u32,
}

impl Recipient {
    /// The recipient of `row`. Cells that cannot be read are noted in `problems`.
    pub(super) fn of_row(
        row: &Row<'_>,
        columns: &[Column],
        code_page: u32,
        problems: &Problems,
    ) -> Self {
        let mut cells = Vec::with_capacity(columns.len());
        for column in columns {
            match row.get(column.id) {
                Ok(Some(value)) => cells.push((column.id, value)),
                Ok(None) => {}
                Err(error) => problems.note_error("", &error),
            }
        }
        Self { cells, code_page }
    }

    /// Bytes of memory that it takes.
    pub(super) fn weight(&self) -> usize {
        let cells = self.cells.iter();
        size_of::<Self>() + cells.map(|(_, value)| value.weight()).sum::<usize>()
    }

    /// All cells that could be read, by the ids of their columns.
    pub fn cells(&self) -> &[(u16, Value)] {
        &self.cells
    }

    /// Code page of its PtypString8 cells.
    pub fn code_page(&self) -> u32 {
        self.code_page
    }

    fn get(&self, id: u16) -> Option<&Value> {
        self.cells
            .iter()
            .find(|(cell, _)| *cell == id)
            .map(|(_, value)| value)
    }

    /// To, Cc or Bcc; a row without it is a To.
    pub fn recipient_type(&self) -> RecipientType {
        let stored = self.integer(tags::RECIPIENT_TYPE);
        stored.map_or(RecipientType::To, RecipientType::of)
    }

    /// A string without trailing NULs; None when absent or empty.
    pub fn string(&self, id: u16) -> Option<String> {
        text_of_value(self.get(id)?, self.code_page).filter(|text| !text.is_empty())
    }

    /// An integer.
    pub fn integer(&self, id: u16) -> Option<i32> {
        match self.get(id)? {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The strings of a multi-valued string.
    pub fn strings(&self, id: u16) -> Vec<String> {
        match self.get(id) {
            Some(Value::Multiple(values)) => values
                .iter()
                .filter_map(|value| text_of_value(value, self.code_page))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The bytes of a binary; None when absent or empty.
    pub fn binary(&self, id: u16) -> Option<&[u8]> {
        match self.get(id)? {
            Value::Binary(bytes) if !bytes.is_empty() => Some(bytes),
            _ => None,
        }
    }
}
