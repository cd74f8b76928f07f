//! What a rule does, in words. [MS-OXORULE] 2.2.5
#![forbid(unsafe_code)]

use super::blob::{Blob, Width};
use super::target::Folders;
use crate::convert::cursor::Cursor;
use crate::ltp::tags;

/// Kinds of actions.
const MOVE: u8 = 0x01;
const COPY: u8 = 0x02;
const REPLY: u8 = 0x03;
const OUT_OF_OFFICE_REPLY: u8 = 0x04;
const DEFER: u8 = 0x05;
const BOUNCE: u8 = 0x06;
const FORWARD: u8 = 0x07;
const DELEGATE: u8 = 0x08;
const TAG: u8 = 0x09;
const DELETE: u8 = 0x0A;
const MARK_AS_READ: u8 = 0x0B;

/// Why a message goes back.
const BOUNCES: [(u32, &str); 3] = [
    (0x0D, "because it is too large"),
    (0x1F, "because it cannot be shown"),
    (0x26, "because it is not permitted"),
];
/// Flavours of a forward.
const FLAVORS: [(u32, &str); 4] = [
    (0x01, "keeping the sender"),
    (0x02, "not as an automatic message"),
    (0x04, "as an attachment"),
    (0x08, "as a text message"),
];

/// The actions in words; None where they make no sense.
pub(super) fn words(blob: &mut Blob<'_>, folders: &Folders) -> Option<Vec<String>> {
    let count = blob.count()?;
    let mut actions = Vec::new();
    for _ in 0..count {
        let bytes = blob.counted()?;
        // What of one action makes no sense leaves the next where it is.
        let outer = std::mem::replace(&mut blob.cursor, Cursor::new(bytes));
        let words = action(blob, folders);
        blob.cursor = outer;
        actions.push(words.unwrap_or_else(|| {
            format!("do something that cannot be told ({} bytes)", bytes.len())
        }));
    }
    Some(actions)
}

fn action(blob: &mut Blob<'_>, folders: &Folders) -> Option<String> {
    let kind = blob.cursor.take(1)?.first().copied()?;
    let (flavor, _flags) = (blob.cursor.u32()?, blob.cursor.u32()?);
    Some(match kind {
        MOVE => format!("move it to {}", target(blob, folders)?),
        COPY => format!("copy it to {}", target(blob, folders)?),
        REPLY => "reply with a template".to_owned(),
        OUT_OF_OFFICE_REPLY => "reply that the user is away".to_owned(),
        DEFER => "leave it to Outlook".to_owned(),
        BOUNCE => {
            let code = blob.cursor.u32()?;
            let reason = BOUNCES.iter().find(|(known, _)| *known == code);
            let reason = reason.map_or_else(
                || format!("with code {code:#x}"),
                |(_, words)| (*words).to_owned(),
            );
            format!("send it back {reason}")
        }
        FORWARD => {
            let flavors = FLAVORS.iter().filter(|(flag, _)| flavor & flag != 0);
            let flavors: String = flavors.map(|(_, words)| format!(", {words}")).collect();
            format!("forward it to {}{flavors}", recipients(blob)?)
        }
        DELEGATE => format!(
            "deliver it to {} in the name of the user",
            recipients(blob)?
        ),
        TAG => {
            let (id, value) = blob.tagged_value()?;
            format!("set {} to {value}", blob.name(id))
        }
        DELETE => "delete it".to_owned(),
        MARK_AS_READ => "mark it as read".to_owned(),
        _ => return None,
    })
}

/// The folder that something is moved or copied to.
fn target(blob: &mut Blob<'_>, folders: &Folders) -> Option<String> {
    if blob.width() == Width::Standard {
        let _is_in_this_store = blob.cursor.take(1)?;
    }
    let _store = blob.counted()?;
    Some(folders.name(blob.counted()?))
}

/// Whom something is sent to.
fn recipients(blob: &mut Blob<'_>) -> Option<String> {
    let count = blob.count()?;
    let mut people = Vec::new();
    for _ in 0..count {
        let _reserved = blob.cursor.take(1)?;
        let properties = blob.count()?;
        let (mut name, mut address, mut smtp) = (None, None, None);
        for _ in 0..properties {
            let (id, value) = blob.tagged_value()?;
            match id {
                tags::DISPLAY_NAME => name = Some(value),
                tags::EMAIL_ADDRESS => address = Some(value),
                tags::SMTP_ADDRESS => smtp = Some(value),
                _ => {}
            }
        }
        people.push(match (name, smtp.or(address)) {
            (Some(name), Some(address)) if name != address => format!("{name} ({address})"),
            (Some(one), _) | (None, Some(one)) => one,
            (None, None) => "somebody without a name".to_owned(),
        });
    }
    Some(match people.is_empty() {
        true => "nobody".to_owned(),
        false => people.join(", "),
    })
}
