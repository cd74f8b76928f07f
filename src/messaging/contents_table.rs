//! Contents tables: a row for each message of a folder. [MS-PST] 2.4.4.5

use std::sync::Arc;

use super::cells::Cells;
use super::message::MSGFLAG_READ;
use super::state::State;
use super::store::Store;
use super::subject::Subject;
use crate::error::Error;
use crate::ltp::{FileTime, Row, TableContext, tags};
use crate::ndb::NodeId;
use crate::problem::Problems;

/// The row of a message in a contents table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentsRow {
    /// The message.
    pub nid: NodeId,
    /// PidTagMessageClass.
    pub message_class: Option<String>,
    /// PidTagSubject.
    pub subject: Option<Subject>,
    /// PidTagDisplayName, of contacts.
    pub display_name: Option<String>,
    /// PidTagMessageDeliveryTime.
    pub delivery: Option<FileTime>,
    /// PidTagClientSubmitTime; tables often lack it where the message has it.
    pub submit: Option<FileTime>,
    /// PidTagMessageFlags; None when the table does not have it.
    pub flags: Option<i32>,
    /// PidTagMessageSize in bytes; None when the table does not have it.
    pub size: Option<i32>,
    /// PidTagHasAttachments; false when the table does not have it.
    pub has_attachments: bool,
    /// PidTagSentRepresentingName, empty when the message has none; None when the table does not have it, or was not asked
    /// for people.
    pub from: Option<String>,
    /// PidTagDisplayTo, likewise.
    pub to: Option<String>,
    /// What has been done with it; nothing if the table was not asked for states.
    pub state: State,
    /// Whether the table was asked for states and lacks what tells them.
    pub lacks_state: bool,
}

impl ContentsRow {
    /// The row of a message that no table lists: its node alone.
    pub fn unlisted(nid: NodeId) -> Self {
        Self {
            nid,
            message_class: None,
            subject: None,
            display_name: None,
            delivery: None,
            submit: None,
            flags: None,
            size: None,
            has_attachments: false,
            from: None,
            to: None,
            state: State::default(),
            lacks_state: true,
        }
    }
}

/// The rows of a contents table, read as they are asked for.
#[derive(Debug)]
pub struct ContentsTable {
    pub(super) store: Arc<Store>,
    pub(super) folder: NodeId,
    pub(super) table: Option<TableContext>,
    pub(super) rows: Vec<(u32, u32)>,
    pub(super) code_page: u32,
    pub(super) with_people: bool,
    pub(super) with_state: bool,
    pub(super) problems: Problems,
    /// The same list, for what is wrong with single cells.
    pub(super) cell_problems: Problems,
}

impl ContentsTable {
    /// The same table, whose rows have sender and recipients too: two more strings to read for each.
    pub fn with_people(mut self) -> Self {
        self.with_people = true;
        self
    }

    /// The same table, whose rows have the state of messages too.
    pub fn with_state(mut self) -> Self {
        self.with_state = true;
        self
    }

    /// What turned out to be wrong with the table so far, and with all that is read of it later.
    pub fn problems(&self) -> &Problems {
        &self.problems
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The messages, ascending by node.
    pub fn nids(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.rows.iter().map(|(nid, _)| NodeId(*nid))
    }

    /// The message that each row is of, reading nothing else of them.
    pub fn messages(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.all_cells().map(|cells| cells.nid())
    }

    /// The message classes of all rows that have one, reading nothing else of them.
    pub fn classes(&self) -> impl Iterator<Item = String> + '_ {
        self.nids_and_classes().filter_map(|(_, class)| class)
    }

    /// The delivery (else submit) times of all rows that have one, reading nothing else of them.
    pub fn times(&self) -> impl Iterator<Item = FileTime> + '_ {
        self.all_cells().filter_map(|cells| cells.any_time())
    }

    /// The message classes and the delivery (else submit) times of all rows, reading nothing else of them; None of what a row does
    /// not tell.
    pub fn classes_and_times(
        &self,
    ) -> impl Iterator<Item = (Option<String>, Option<FileTime>)> + '_ {
        let all = self.all_cells();
        all.map(|cells| (cells.class(), cells.any_time()))
    }

    /// All messages with the classes that their rows tell, reading nothing else of them.
    pub fn nids_and_classes(&self) -> impl Iterator<Item = (NodeId, Option<String>)> + '_ {
        let all = self.all_cells();
        all.map(|cells| (cells.nid(), cells.class()))
    }

    /// How many rows are of messages that have not been read, reading nothing else of them; None when a row does not
    /// tell.
    pub fn unread(&self) -> Option<usize> {
        let is_unread = |cells: Cells<'_>| {
            let flags = cells.integer(tags::MESSAGE_FLAGS)?;
            Some(usize::from(flags & MSGFLAG_READ == 0))
        };
        self.all_cells().map(is_unread).sum()
    }

    /// All rows, ascending by node. A row whose cells cannot be read has only its node, and it is noted why.
    pub fn rows(&self) -> impl Iterator<Item = ContentsRow> + '_ {
        self.all_cells().map(|cells| self.contents_row(&cells))
    }

    /// The cells of all rows.
    fn all_cells(&self) -> impl Iterator<Item = Cells<'_>> {
        (0..self.len()).filter_map(|index| self.cells(index))
    }

    /// The row at `index`, whose cells are read as they are asked for; None past the end. Why it cannot be read is noted.
    pub fn cells(&self, index: usize) -> Option<Cells<'_>> {
        let (nid, number) = *self.rows.get(index)?;
        let table = self.table.as_ref();
        let row = table.map(|table| table.row(nid, number)).transpose();
        let row = row.unwrap_or_else(|error| {
            self.problems.note_error("", &error.in_node(nid));
            None
        });
        let nid = row.as_ref().map_or(NodeId(nid), |row| self.message_of(row));
        let problems = &self.cell_problems;
        Some(Cells::new(&self.store, nid, row, self.code_page, problems))
    }

    /// The message of `row`: that which it names itself, unless another row is listed as that.
    fn message_of(&self, row: &Row<'_>) -> NodeId {
        let own = object_of(row, (&self.store, self.folder), &self.problems);
        if own.0 == row.id {
            return own;
        }
        let listed = self.rows.binary_search_by_key(&own.0, |(nid, _)| *nid);
        let other = listed.ok().and_then(|index| self.rows.get(index));
        let other = other.and_then(|(nid, number)| {
            let row = self.table.as_ref()?.row(*nid, *number).ok()?;
            Some(row.other_id())
        });
        match other {
            Some(None) => NodeId(row.id),
            Some(Some(_)) | None => own,
        }
    }

    /// The row that has these cells.
    pub fn contents_row(&self, cells: &Cells<'_>) -> ContentsRow {
        let person = |id: u16| {
            let text = self.with_people.then(|| cells.known_text(id));
            text.flatten()
        };
        let integer = |id: u16| cells.integer(id);
        let tells_state = || State::COLUMNS.iter().all(|id| cells.has_column(*id));
        ContentsRow {
            nid: cells.nid(),
            message_class: cells.class(),
            subject: cells.text(tags::SUBJECT).map(Subject::parse),
            display_name: cells.text(tags::DISPLAY_NAME),
            delivery: cells.time(tags::MESSAGE_DELIVERY_TIME),
            submit: cells.time(tags::CLIENT_SUBMIT_TIME),
            flags: integer(tags::MESSAGE_FLAGS),
            size: integer(tags::MESSAGE_SIZE),
            has_attachments: cells.boolean(tags::HAS_ATTACHMENTS) == Some(true),
            from: person(tags::SENT_REPRESENTING_NAME),
            to: person(tags::DISPLAY_TO),
            state: if self.with_state {
                State::of(integer)
            } else {
                State::default()
            },
            lacks_state: self.with_state && !tells_state(),
        }
    }
}

/// The message or folder that `row` of a table of the folder `nid` is of. A row has its id itself: if that is of another object in
/// this folder, the row index is wrong.
pub(super) fn object_of(
    row: &Row<'_>,
    (store, folder): (&Arc<Store>, NodeId),
    problems: &Problems,
) -> NodeId {
    let id = NodeId(row.id);
    let Some(own) = row.other_id().map(NodeId) else {
        return id;
    };
    let problem = format_args!("PidTagLtpRowId: expected {id}, found {own}");
    let error = Error::corrupt("row", format_args!("{:#x}", id.0), problem);
    problems.note_error("", &error.in_node(folder.0));
    let entry = store.ndb().find_node(own).ok().flatten();
    let is_here = entry.is_some_and(|entry| entry.parent == folder);
    if is_here { own } else { id }
}
