//! Messages: properties, recipients, attachments, and all that is embedded in them. [MS-PST] 2.4.5, [MS-OXCMSG]

use std::collections::HashSet;

use super::checker::Checker;
use super::objects;
use crate::error::{Error, Result};
use crate::ltp::{PropertyType, lzfu, tags};
use crate::messaging::{
    Attachment, AttachmentData, MSGFLAG_HASATTACH, Message, Recipient, RecipientType,
};
use crate::ndb::NodeId;

/// Properties that Outlook gives every message, with the type that each must have.
const NEEDED: [(&str, u16, PropertyType); 2] = [
    (
        "PidTagMessageFlags",
        tags::MESSAGE_FLAGS,
        PropertyType::INTEGER32,
    ),
    (
        "PidTagCreationTime",
        tags::CREATION_TIME,
        PropertyType::TIME,
    ),
];
/// The display properties, and the recipients that they list.
const DISPLAYED: [(&str, u16, RecipientType); 3] = [
    ("PidTagDisplayTo", tags::DISPLAY_TO, RecipientType::To),
    ("PidTagDisplayCc", tags::DISPLAY_CC, RecipientType::Cc),
    ("PidTagDisplayBcc", tags::DISPLAY_BCC, RecipientType::Bcc),
];

/// A message and all that is embedded in it; `top` is the message of a folder that all of it belongs to.
pub(super) fn check(message: &Message, top: NodeId, checker: &mut Checker) {
    let mut todo = vec![message.clone()];
    // One embedded message may be named many times, and each of them name another one many times.
    let mut seen = HashSet::new();
    while let Some(message) = todo.pop() {
        if !seen.insert(message.node().blocks()) {
            continue;
        }
        checker.report.messages += 1;
        objects::properties(message.properties(), top, checker);
        let mut errors = Vec::new();
        well_formed(&message, top, checker);
        body(&message, top, checker, &mut errors);
        recipients(&message, top, checker, &mut errors);
        todo.extend(attachments(&message, top, checker, &mut errors));
        for error in &errors {
            checker.unreadable(error, Some(top));
        }
    }
}

/// Properties that Outlook relies on have the form that it expects.
fn well_formed(message: &Message, top: NodeId, checker: &mut Checker) {
    let properties = message.properties();
    for (name, id, expected) in NEEDED {
        let record = properties.context().and_then(|context| context.record(id));
        if let Some(record) = record.filter(|record| record.property_type != expected) {
            let problem = format!(
                "{name}: expected type {:#06x}, found {:#06x}",
                expected.0, record.property_type.0
            );
            checker.warning("message", message.nid(), problem, Some(top));
        }
    }
    if let Ok(None) = properties.string(tags::MESSAGE_CLASS) {
        let problem = "PidTagMessageClass: none";
        checker.warning("message", message.nid(), problem, Some(top));
    }
}

/// Compressed RTF can be decompressed. What its blocks hold is checked elsewhere.
fn body(message: &Message, top: NodeId, checker: &mut Checker, errors: &mut Vec<Error>) {
    match message.properties().binary(tags::RTF_COMPRESSED) {
        Ok(None) => {}
        Ok(Some(stored)) => {
            if let Some(problem) = lzfu::decompress(&stored).problem {
                checker.error("RTF body", message.nid(), problem, Some(top));
            }
        }
        Err(error) => errors.push(error),
    }
}

/// The recipient table can be read, and lists those whom the display properties name.
fn recipients(message: &Message, top: NodeId, checker: &mut Checker, errors: &mut Vec<Error>) {
    let mut broken = Vec::new();
    if let Ok(Some(table)) = message.node().subnode(NodeId::RECIPIENT_TABLE)
        && !table.is_empty()
        && let Err(error) = objects::table(table, top, checker, |_, _| {})
    {
        broken.push(error);
    }
    let recipients = noting(message, top, checker, Message::recipients);
    if broken.is_empty() && !recipients.is_empty() {
        for (name, id, kind) in DISPLAYED {
            displayed(message, top, (name, id), &recipients, kind, checker);
        }
    }
    errors.append(&mut broken);
}

/// A display property has the names of the recipients of its kind, in any order.
fn displayed(
    message: &Message,
    top: NodeId,
    (name, id): (&str, u16),
    recipients: &[Recipient],
    kind: RecipientType,
    checker: &mut Checker,
) {
    let Ok(Some(text)) = message.properties().string(id) else {
        return;
    };
    let of_kind = recipients
        .iter()
        .filter(|recipient| recipient.recipient_type() == kind);
    for recipient in of_kind {
        let shown = [tags::DISPLAY_NAME, tags::RECIPIENT_DISPLAY_NAME];
        let mut names = shown
            .into_iter()
            .filter_map(|id| recipient.string(id))
            .peekable();
        if let Some(first) = names.peek().cloned()
            && !names.any(|shown| text.contains(shown.trim()))
        {
            let problem = format!("{name}: does not name the recipient {first:?}");
            checker.warning("recipient table", message.nid(), problem, Some(top));
            return;
        }
    }
}

/// Attachments can be opened, and are listed. Returns the embedded messages.
fn attachments(
    message: &Message,
    top: NodeId,
    checker: &mut Checker,
    errors: &mut Vec<Error>,
) -> Vec<Message> {
    let before = errors.len();
    let mut embedded = Vec::new();
    if let Ok(Some(table)) = message.node().subnode(NodeId::ATTACHMENT_TABLE)
        && !table.is_empty()
        && let Err(error) = objects::table(table, top, checker, |_, _| {})
    {
        errors.push(error);
    }
    let attachments = noting(message, top, checker, Message::attachments);
    let listed: HashSet<NodeId> = message.listed_attachments().into_iter().collect();
    for attachment in &attachments {
        match content(message, attachment, top, checker, errors) {
            Ok(AttachmentData::Message(message)) => embedded.push(*message),
            Ok(_) => {}
            Err(error) => errors.push(error),
        }
    }
    if errors.len() > before {
        return embedded;
    }
    for attachment in &attachments {
        if !listed.contains(&attachment.nid()) {
            let place = format!("{}, {}", message.nid(), attachment.nid());
            let problem = "the attachment table does not list it";
            checker.warning("attachment table", place, problem, Some(top));
        }
    }
    let flags = message.properties().integer(tags::MESSAGE_FLAGS);
    if let Ok(Some(flags)) = flags
        && (flags & MSGFLAG_HASATTACH != 0) == attachments.is_empty()
    {
        let problem = format!(
            "PidTagMessageFlags {flags:#x}, but {} attachments",
            attachments.len()
        );
        checker.warning("message", message.nid(), problem, Some(top));
    }
    embedded
}

/// What `read` makes of `message`; what is noted meanwhile is an error.
fn noting<T>(
    message: &Message,
    top: NodeId,
    checker: &mut Checker,
    read: impl FnOnce(&Message) -> T,
) -> T {
    let before = message.problems().len();
    let result = read(message);
    for problem in message.problems().list().iter().skip(before) {
        checker.error("message", message.nid(), problem, Some(top));
    }
    result
}

/// The content of `attachment`; values of it that cannot be opened are among the `errors`.
fn content(
    message: &Message,
    attachment: &Attachment,
    top: NodeId,
    checker: &mut Checker,
    errors: &mut Vec<Error>,
) -> Result<AttachmentData> {
    let properties = attachment.properties()?;
    objects::properties(&properties, top, checker);
    let streams = properties.ids().map(|id| properties.stream(id));
    errors.extend(streams.filter_map(Result::err));
    noting(message, top, checker, |_| attachment.data(&properties))
}
