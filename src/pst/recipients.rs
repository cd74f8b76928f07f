//! Recipients. [MS-PST] 2.4.5.3

use std::collections::BTreeMap;

use super::changes;
use super::copier::Copier;
use super::digest::Digest;
use super::failed::Failed;
use super::output::Content;
use super::table::{Layout, MOST_COLUMNS, Table};
use super::templates;
use super::value::{Cells, Stored};
use crate::error::Error;
use crate::ltp::{MAX_CELL, PropertyType};
use crate::messaging::{Message, Recipient};

/// The row ids of recipients: any numbers from a counter.
const FIRST_ROW: u32 = 0x1000;

/// The recipient table of a message.
pub(super) struct Recipients {
    pub content: Content,
    pub digest: Digest,
}

/// The cells of `recipient` that a row can have, by id.
pub(super) fn cells(recipient: &Recipient) -> Cells {
    let cells = recipient.cells().iter();
    let mut cells: Cells = cells
        .filter(|(id, _)| changes::keeps_of_recipient(*id))
        .filter_map(|(id, value)| {
            Some((*id, Stored::of_value(value.clone(), recipient.code_page())?))
        })
        .collect();
    cells.sort_by_key(|(id, _)| *id);
    cells.dedup_by_key(|(id, _)| *id);
    cells
}

/// Copies the recipients of `message`; a message without any has an empty table.
pub(super) fn copy(copier: &mut Copier<'_>, message: &Message) -> Result<Recipients, Failed> {
    let problems = message.problems();
    let mut rows = Vec::new();
    let mut more: BTreeMap<u16, PropertyType> = BTreeMap::new();
    for recipient in message.recipients() {
        let mut row: Cells = Vec::new();
        for (id, value) in cells(&recipient) {
            let taken = |id: u16| row.iter().any(|(other, _)| *other == id);
            let Some(to) = copier.named(message.store(), id, problems, taken) else {
                continue;
            };
            more.entry(to).or_insert(value.property_type);
            row.push((to, value));
        }
        row.sort_by_key(|(id, _)| *id);
        rows.push(row);
    }
    let more: Vec<_> = more.into_iter().collect();
    let mut table = Table::new(Layout::new(templates::RECIPIENTS, &more))?;
    let mut digest = Digest::default();
    for (mut row, id) in rows.into_iter().zip(FIRST_ROW..) {
        row.retain(|(id, value)| {
            let why = why_left_out(table.layout(), *id, value);
            if let Some(why) = &why {
                let error = Error::corrupt("recipient", format_args!("property {id:#06x}"), why);
                problems.note_error("", &error);
            }
            why.is_none()
        });
        digest.add(0, &digest_of(&row));
        table.add(copier.out, id, &row)?;
    }
    Ok(Recipients {
        content: table.finish(copier.out)?,
        digest,
    })
}

/// Why a row of a table with `layout` does not have `value` as its property `id`; None if it has.
fn why_left_out(layout: &Layout, id: u16, value: &Stored) -> Option<String> {
    let len = value.bytes.len() as u64;
    if len > MAX_CELL {
        return Some(format!(
            "left out: {len} bytes, of which a row has at most {MAX_CELL}"
        ));
    }
    if layout.column(id, value.property_type).is_some() {
        return None;
    }
    Some(format!(
        "left out: a table has no second column for it, of type {:#06x}, and no more than {MOST_COLUMNS} in all",
        value.property_type.0
    ))
}

/// What a row is.
pub(super) fn digest_of(row: &[(u16, Stored)]) -> Digest {
    let mut digest = Digest::default();
    for (id, value) in row {
        digest.add(*id, &Digest::of_value(value));
    }
    digest
}
