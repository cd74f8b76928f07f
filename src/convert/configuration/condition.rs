//! When a rule applies, in words. [MS-OXCDATA] 2.12
#![forbid(unsafe_code)]

use super::blob::{Blob, MESSAGE_ATTACHMENTS, MESSAGE_RECIPIENTS};

/// Conditions within each other that are followed.
const MAX_DEPTH: usize = 32;

/// Kinds of conditions.
const AND: u8 = 0x00;
const OR: u8 = 0x01;
const NOT: u8 = 0x02;
const CONTENT: u8 = 0x03;
const PROPERTY: u8 = 0x04;
const COMPARE_PROPERTIES: u8 = 0x05;
const BITMASK: u8 = 0x06;
const SIZE: u8 = 0x07;
const EXIST: u8 = 0x08;
const SUB_OBJECT: u8 = 0x09;
const COMMENT: u8 = 0x0A;
const COUNT: u8 = 0x0B;

/// What is so whatever the message is, and what never is.
const ALWAYS: &str = "always";
const NEVER: &str = "never";

/// How a text must fit, in the lower half of the fuzzy level.
const FULL_STRING: u16 = 0;
const SUBSTRING: u16 = 1;
const PREFIX: u16 = 2;

/// How two values compare.
const RELATIONS: [(u8, &str); 8] = [
    (0x00, "is less than"),
    (0x01, "is at most"),
    (0x02, "is more than"),
    (0x03, "is at least"),
    (0x04, "is"),
    (0x05, "is not"),
    (0x06, "is like"),
    (0x64, "is a member of"),
];

/// A condition in words; None where it makes no sense.
pub(super) fn words(blob: &mut Blob<'_>) -> Option<String> {
    condition(blob, 0)
}

fn condition(blob: &mut Blob<'_>, depth: usize) -> Option<String> {
    if depth > MAX_DEPTH {
        return None;
    }
    let depth = depth + 1;
    let kind = byte(blob)?;
    Some(match kind {
        AND => several(blob, depth, " and ", ALWAYS, NEVER)?,
        OR => several(blob, depth, " or ", NEVER, ALWAYS)?,
        NOT => match condition(blob, depth)?.as_str() {
            ALWAYS => NEVER.to_owned(),
            NEVER => ALWAYS.to_owned(),
            words => format!("not {words}"),
        },
        CONTENT => content(blob)?,
        PROPERTY => {
            let relation = relation(blob)?;
            let _tag = blob.tag()?;
            let (id, value) = blob.tagged_value()?;
            format!("{} {relation} {value}", blob.name(id))
        }
        COMPARE_PROPERTIES => {
            let relation = relation(blob)?;
            let ((one, _), (other, _)) = (blob.tag()?, blob.tag()?);
            format!("{} {relation} {}", blob.name(one), blob.name(other))
        }
        BITMASK => {
            let which = match byte(blob)? {
                0 => "none",
                _ => "some",
            };
            let (id, _) = blob.tag()?;
            let mask = blob.cursor.u32()?;
            format!("{} has {which} of the bits {mask:#x}", blob.name(id))
        }
        SIZE => {
            let relation = relation(blob)?;
            let (id, _) = blob.tag()?;
            let size = blob.cursor.u32()?;
            format!("the size of {} {relation} {size} bytes", blob.name(id))
        }
        EXIST => {
            let (id, _) = blob.tag()?;
            format!("it has {}", blob.name(id))
        }
        SUB_OBJECT => {
            let (id, _) = blob.tag()?;
            let inner = condition(blob, depth)?;
            match id {
                _ if inner == NEVER => inner,
                MESSAGE_RECIPIENTS => format!("a recipient has {inner}"),
                MESSAGE_ATTACHMENTS => format!("an attachment has {inner}"),
                id => format!("one of {} has {inner}", blob.name(id)),
            }
        }
        COMMENT => comment(blob, depth)?,
        COUNT => {
            let most = blob.cursor.u32()?;
            format!("for {most} items at most, {}", condition(blob, depth)?)
        }
        _ => return None,
    })
}

fn byte(blob: &mut Blob<'_>) -> Option<u8> {
    blob.cursor.take(1)?.first().copied()
}

fn relation(blob: &mut Blob<'_>) -> Option<&'static str> {
    let number = byte(blob)?;
    let known = RELATIONS.iter().find(|(known, _)| *known == number);
    known.map(|(_, words)| *words)
}

/// Several conditions with `between` them. One that is `neutral` changes nothing, as all of none is true and any of none is
/// not; one that is `deciding` leaves nothing to ask.
fn several(
    blob: &mut Blob<'_>,
    depth: usize,
    between: &str,
    neutral: &str,
    deciding: &str,
) -> Option<String> {
    let count = blob.count()?;
    let mut words = Vec::new();
    for _ in 0..count {
        let inner = condition(blob, depth)?;
        if inner != neutral {
            words.push(inner);
        }
    }
    Some(match words.as_slice() {
        [] => neutral.to_owned(),
        all if all.iter().any(|words| words == deciding) => deciding.to_owned(),
        [one] => one.clone(),
        all => format!("({})", all.join(between)),
    })
}

/// A text that must fit.
fn content(blob: &mut Blob<'_>) -> Option<String> {
    let (level, _flags) = (blob.cursor.u16()?, blob.cursor.u16()?);
    let _tag = blob.tag()?;
    let (id, value) = blob.tagged_value()?;
    let fits = match level {
        FULL_STRING => "is",
        SUBSTRING => "contains",
        PREFIX => "begins with",
        _ => return None,
    };
    Some(format!("{} {fits} {value}", blob.name(id)))
}

/// A condition with values beside it that are for the program that made the rule.
fn comment(blob: &mut Blob<'_>, depth: usize) -> Option<String> {
    for _ in 0..byte(blob)? {
        blob.tagged_value()?;
    }
    match byte(blob)? {
        0 => Some(ALWAYS.to_owned()),
        _ => condition(blob, depth),
    }
}
