//! Messages, whole or embedded, with recipients and attachments: property by property from any source. [MS-PST] 2.4.5, 2.4.6

use sha2::{Digest as _, Sha256};

use super::attachments;
use super::changes;
use super::context::Context;
use super::conversation;
use super::copier::{Copier, Row, read};
use super::digest::Digest;
use super::failed::Failed;
use super::members;
use super::names::{KEYWORDS, PROBLEMS};
use super::output::Content;
use super::recipients;
use super::table::Layout;
use super::value::{self, Cells, Read, Stored};
use crate::ltp::{Value, tags};
use crate::messaging::{
    MSGFLAG_ASSOCIATED, MSGFLAG_HASATTACH, MSGFLAG_SUBMIT, Message, MessageClass, Properties,
};
use crate::ndb::NodeId;
use crate::problem::Problem;

/// Class of a message that has none, or one that no form can have.
const CLASS: &str = "IPM.Note";
/// PidTagMessageStatus: to be fetched from, or deleted on, a server.
const MSGSTATUS_REMOTE: i32 = 0x3000;
/// The category of items that are not whole.
pub(super) const DAMAGED: &str = "ostfs: damaged";

/// A message that was copied.
pub(super) struct Copied {
    pub content: Content,
    /// The cells of its row.
    pub cells: Cells,
    pub digest: Digest,
}

/// What a message is a part of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Folder,
    /// Among the hidden messages of a folder.
    Hidden,
    Attachment,
}

/// Copies `message`; its row is one of a table with `layout`.
pub(super) fn copy(
    copier: &mut Copier<'_>,
    message: &Message,
    place: Place,
    layout: &Layout,
) -> Result<Copied, Failed> {
    let mut context = Context::default();
    let recipients = recipients::copy(copier, message)?;
    context
        .subnodes
        .add(copier.out, NodeId::RECIPIENT_TABLE, recipients.content);
    let attachments = attachments::copy(copier, message, &mut context)?;
    let mut row = Row {
        layout,
        cells: Vec::new(),
    };
    required(
        copier,
        message,
        place,
        attachments.count > 0,
        &mut context,
        &mut row,
    )?;
    let mut categories = None;
    let properties = message.properties();
    let mut replaced = members::replaced(message.store(), properties);
    for id in properties.ids() {
        if !changes::keeps_of_message(id) {
            continue;
        }
        let taken = |id: u16| context.has(id) || (id == KEYWORDS && categories.is_some());
        let Some(to) = copier.named(message.store(), id, message.problems(), taken) else {
            continue;
        };
        let value = match replaced.take(id) {
            Some(value) => Some(Read::Whole(value)),
            None => read(properties, id),
        };
        match value {
            Some(Read::Whole(value)) if to == KEYWORDS => categories = Some(value),
            Some(read) => copier.put(&mut context, to, read, Some(&mut row))?,
            None => {}
        }
    }
    if place != Place::Attachment {
        categories = tell(copier, message, &mut context, categories)?;
    }
    if let Some(value) = categories {
        context.set(copier.out, KEYWORDS, value)?;
    }
    let digest = Digest::of_item(context.digest(), &recipients.digest, &attachments.digest);
    // Its value is known when all else is written, and its length before.
    context.set_size();
    let content = context.finish(copier.out)?;
    let size = content.size.min(i32::MAX as u64) as i32;
    row.add(tags::MESSAGE_SIZE, &Stored::integer(size));
    Ok(Copied {
        content,
        cells: row.cells,
        digest,
    })
}

/// What every message has, and what is changed in every message.
fn required(
    copier: &mut Copier<'_>,
    message: &Message,
    place: Place,
    has_attachments: bool,
    context: &mut Context,
    row: &mut Row<'_>,
) -> Result<(), Failed> {
    let properties = message.properties();
    // One that is listed may be lost, which is told where it is copied.
    let lacks = |id: u16| !matches!(value::read(properties, id), Ok(Some(_)));
    let listed = match place {
        Place::Attachment => Listed::default(),
        _ => Listed::of(copier, message, lacks),
    };
    let status = integer(properties, tags::MESSAGE_STATUS).or(listed.status);
    let flags = flags(properties, place, has_attachments);
    let mut values = vec![
        (tags::MESSAGE_FLAGS, Stored::integer(flags)),
        (
            tags::MESSAGE_STATUS,
            Stored::integer(status.unwrap_or(0) & !MSGSTATUS_REMOTE),
        ),
    ];
    if !has_valid_class(message) {
        values.push((tags::MESSAGE_CLASS, Stored::string(CLASS)));
    }
    let any_time = || message.time().map_or(0, |time| time.0);
    if lacks(tags::CREATION_TIME) {
        values.push((tags::CREATION_TIME, Stored::time(any_time())));
    }
    if lacks(tags::LAST_MODIFICATION_TIME) {
        let stored = listed.modified.unwrap_or_else(any_time);
        values.push((tags::LAST_MODIFICATION_TIME, Stored::time(stored)));
    }
    let key = properties.binary(tags::SEARCH_KEY).ok().flatten();
    if key.is_none_or(|key| key.len() != SEARCH_KEY) || lacks(tags::SEARCH_KEY) {
        values.push((tags::SEARCH_KEY, Stored::binary(search_key(message))));
    }
    for (id, value) in values {
        row.add(id, &value);
        context.set(copier.out, id, value)?;
    }
    if let Some(id) = conversation::id_of(properties) {
        row.add(tags::CONVERSATION_ID, &Stored::binary(id));
    }
    Ok(())
}

/// What the row of a folder tells of a message that lacks it.
#[derive(Default)]
struct Listed {
    status: Option<i32>,
    modified: Option<u64>,
}

impl Listed {
    fn of(copier: &mut Copier<'_>, message: &Message, lacks: impl Fn(u16) -> bool) -> Self {
        let wanted = [tags::LAST_MODIFICATION_TIME, tags::MESSAGE_STATUS];
        let mut listed = Self::default();
        if !wanted.into_iter().any(lacks) {
            return listed;
        }
        for (id, value) in copier.rows.cells(message, |id| wanted.contains(&id)) {
            match (id, value) {
                (tags::MESSAGE_STATUS, Value::Integer(status)) => listed.status = Some(status),
                (tags::LAST_MODIFICATION_TIME, Value::Time(time)) => {
                    listed.modified = Some(time.0);
                }
                _ => {}
            }
        }
        listed
    }
}

fn integer(properties: &Properties, id: u16) -> Option<i32> {
    properties.integer(id).ok().flatten()
}

/// PidTagMessageFlags of a message in a new file, where nothing is on its way out.
fn flags(properties: &Properties, place: Place, has_attachments: bool) -> i32 {
    let own = MSGFLAG_HASATTACH | MSGFLAG_ASSOCIATED;
    let mut flags = integer(properties, tags::MESSAGE_FLAGS).unwrap_or(0) & !MSGFLAG_SUBMIT & !own;
    if has_attachments {
        flags |= MSGFLAG_HASATTACH;
    }
    if place == Place::Hidden {
        flags |= MSGFLAG_ASSOCIATED;
    }
    flags
}

/// Whether a message has a class that a form can have. Of one that has another it is told.
fn has_valid_class(message: &Message) -> bool {
    let class = message.properties().string(tags::MESSAGE_CLASS);
    match class.ok().flatten() {
        Some(class) if MessageClass::is_valid(&class) => true,
        Some(class) => {
            let problem = format!("no form can have the class {class:?}; it becomes {CLASS}");
            let place = format_args!("property {:#06x}", tags::MESSAGE_CLASS);
            message.problems().note(Problem::new(place, problem));
            false
        }
        None => false,
    }
}

/// Puts what is wrong with an item into a property of it; returns its categories, to which one is added then.
fn tell(
    copier: &mut Copier<'_>,
    message: &Message,
    context: &mut Context,
    categories: Option<Stored>,
) -> Result<Option<Stored>, Failed> {
    let lines = problems_of(message);
    if lines.is_empty() {
        return Ok(categories);
    }
    context.set(copier.out, PROBLEMS, Stored::string(&lines.join("; ")))?;
    let own = categories.and_then(|stored| Value::decode(stored.property_type, &stored.bytes));
    let mut values = match own {
        Some(Value::Multiple(values)) => values,
        one => one.into_iter().collect(),
    };
    let damaged = Value::String(value::utf16(DAMAGED));
    if !values.contains(&damaged) {
        values.push(damaged);
    }
    Ok(Stored::of_value(Value::Multiple(values), 0))
}

/// What is wrong with `message`, in words: that only its row is left of it, what it may be instead, what could not be read.
pub(super) fn problems_of(message: &Message) -> Vec<String> {
    message.note_circumstances();
    let problems = message.problems().list();
    problems.iter().map(ToString::to_string).collect()
}

/// Bytes of PidTagSearchKey.
const SEARCH_KEY: usize = 16;

/// A search key for a message that has none: the same for the same message of the same file.
fn search_key(message: &Message) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(message.store().record_key());
    hash.update(message.nid().0.to_le_bytes());
    hash.finalize().into_iter().take(SEARCH_KEY).collect()
}
