//! What a message asks of its reader and how it came to him, as header fields: follow-up, voting, fields of the user, mailboxes,
//! telephones.
//! [MS-OXOFLAG], [MS-OXOMSG] 2.2.1.74, [MS-OXOUM]
#![forbid(unsafe_code)]

use jiff::tz::TimeZone;

use super::date::date;
use super::fields::Fields;
use crate::codepage;
use crate::convert::cursor::Cursor;
use crate::convert::lids::{self, Key};
use crate::convert::people::{Person, RECEIVED_BY, RECEIVED_REPRESENTING};
use crate::convert::reactions::reactions;
use crate::convert::user_fields::user_fields;
use crate::ltp::{FileTime, tags};
use crate::messaging::{ItemKind, Message, State};

/// By when somebody is to answer, or to have done what a flag asks for.
pub(super) const REPLY_BY: &str = "Reply-By";
/// What a recipient may vote for, in the order of the buttons, and what was voted.
pub(super) const VOTING_OPTIONS: &str = "X-Ostfs-Voting-Options";
pub(super) const VOTE: &str = "X-Ostfs-Vote";
/// Who has reacted to it, and how.
pub(super) const REACTIONS: &str = "X-Ostfs-Reactions";
/// A field of the user, or of the form that the message was written in: its name and its value.
pub(super) const FIELD: &str = "X-Ostfs-Field";
/// Type of a verb that is a voting option. [MS-OXOMSG] 2.2.1.74.1
const VERB_VOTE: u32 = 4;
/// Versions of both halves of PidLidVerbStream.
const VERBS: u16 = 0x0102;
const VERB_EXTRAS: u16 = 0x0104;
/// Bytes of a verb behind its names, up to its send behaviour and id.
const VERB_TAIL: usize = 4 + 1 + 4 + 4 + 4 + 4 + 4 + 4;
/// Buttons of one message; Outlook has no more than 31.
const MAX_VERBS: u32 = 100;

/// Properties of voice messages and faxes, by the fields that Exchange writes them into. [MS-OXOUM] 2.2.5
const UNIFIED_MESSAGING: [(&str, u16); 6] = [
    ("X-VoiceMessageDuration", tags::VOICE_MESSAGE_DURATION),
    ("X-CallingTelephoneNumber", tags::SENDER_TELEPHONE_NUMBER),
    ("X-VoiceMessageSenderName", tags::VOICE_MESSAGE_SENDER_NAME),
    ("X-FaxNumberOfPages", tags::FAX_NUMBER_OF_PAGES),
    ("X-AttachmentOrder", tags::VOICE_MESSAGE_ATTACHMENT_ORDER),
    ("X-CallID", tags::CALL_ID),
];

/// What a message says of itself in words, by the fields that say it. [MS-OXCMAIL] 2.1.3.2
const WORDS: [(&str, Key); 6] = [
    ("List-Help", Key::Tag(tags::LIST_HELP)),
    ("List-Subscribe", Key::Tag(tags::LIST_SUBSCRIBE)),
    ("List-Unsubscribe", Key::Tag(tags::LIST_UNSUBSCRIBE)),
    ("X-Microsoft-Classification", lids::CLASSIFICATION),
    ("X-Microsoft-ClassDesc", lids::CLASSIFICATION_DESCRIPTION),
    ("X-Microsoft-ClassID", lids::CLASSIFICATION_GUID),
];
/// From when it is no more of use, and before when it is not to be sent.
pub(super) const TIMES: [(&str, u16); 2] = [
    ("Expires", tags::EXPIRY_TIME),
    ("Deferred-Delivery", tags::DEFERRED_DELIVERY_TIME),
];
/// Answers of programs that its sender does not want, by the bits of PidTagAutoResponseSuppress. [MS-OXOMSG] 2.2.1.77
const SUPPRESSED: [(i32, &str); 6] = [
    (0x01, "DR"),
    (0x02, "NDR"),
    (0x04, "RN"),
    (0x08, "NRN"),
    (0x10, "OOF"),
    (0x20, "AutoReply"),
];
const ALL_SUPPRESSED: i32 = -1;

/// Adds what `fields` lacks.
pub(super) fn add(message: &Message, fields: &mut Fields) {
    let due = due(message).and_then(|time| date(time, &TimeZone::UTC));
    if let Some(due) = due.filter(|_| !fields.has(REPLY_BY)) {
        fields.push(REPLY_BY, due);
    }
    if message.class().kind.is_mail() {
        own_words(message, fields);
    }
    let voting = voting_options(message);
    if !voting.is_empty() {
        fields.push_text(VOTING_OPTIONS, &voting.join("; "));
    }
    let vote = id(message, lids::VERB_RESPONSE).and_then(|id| string(message, id));
    if let Some(vote) = vote {
        fields.push_text(VOTE, &vote);
    }
    let reactions = reactions(message);
    if !reactions.is_empty() {
        fields.push_text(REACTIONS, &reactions.join(", "));
    }
    for (name, value) in user_fields(message) {
        fields.push_text(FIELD, &format!("{name}: {value}"));
    }
    mailboxes(message, fields);
    if message.class().is_unified_messaging {
        unified_messaging(message, fields);
    }
}

fn id(message: &Message, key: Key) -> Option<u16> {
    key.id(message)
}

fn string(message: &Message, id: u16) -> Option<String> {
    let text = message.properties().string(id).ok().flatten()?;
    (!text.trim().is_empty()).then_some(text)
}

/// What its sender says of it beside its text.
fn own_words(message: &Message, fields: &mut Fields) {
    let properties = message.properties();
    let is_classified = lids::CLASSIFIED.id(message).is_some_and(|id| {
        let stored = properties.boolean(id).ok().flatten();
        stored == Some(true)
    });
    let classified = is_classified.then(|| ("X-Microsoft-Classified", "true".to_owned()));
    let time = |id: u16| date(properties.time(id).ok()??.known()?, &TimeZone::UTC);
    let times = TIMES
        .into_iter()
        .filter_map(|(name, id)| Some((name, time(id)?)));
    let words = WORDS.into_iter().filter_map(|(name, key)| {
        let words = string(message, key.id(message)?)?;
        Some((name, words))
    });
    let suppressed = suppressed(message).map(|answers| ("X-Auto-Response-Suppress", answers));
    let all = classified
        .into_iter()
        .chain(words)
        .chain(times)
        .chain(suppressed);
    for (name, value) in all {
        if !fields.has(name) {
            fields.push_text(name, &value);
        }
    }
}

/// The answers of programs that are not wanted.
fn suppressed(message: &Message) -> Option<String> {
    let id = tags::AUTO_RESPONSE_SUPPRESS;
    let bits = message.properties().integer(id).ok().flatten()?;
    if bits == ALL_SUPPRESSED {
        return Some("All".to_owned());
    }
    let words = SUPPRESSED.iter().filter(|(bit, _)| bits & bit != 0);
    let words: Vec<&str> = words.map(|(_, word)| *word).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// When mail is due: by the word of its sender, else by the flag of its reader. Other items have such times for what they
/// are about.
fn due(message: &Message) -> Option<FileTime> {
    let properties = message.properties();
    let time = |key: Key| properties.time(key.id(message)?).ok()??.known();
    let asked = time(Key::Tag(tags::REPLY_TIME));
    let is_mail = message.class().kind == ItemKind::Mail;
    let state = State::of(|id| properties.integer(id).ok().flatten());
    let is_flagged = state.flagged || id(message, lids::FLAG_REQUEST).is_some();
    let of_flag = || {
        [lids::COMMON_END, lids::TASK_DUE_DATE, lids::REMINDER_TIME]
            .into_iter()
            .find_map(time)
    };
    asked.or_else(|| (is_mail && is_flagged).then(of_flag).flatten())
}

/// The voting options in PidLidVerbStream; none if it makes no sense.
fn voting_options(message: &Message) -> Vec<String> {
    let stream = id(message, lids::VERB_STREAM)
        .and_then(|id| message.properties().binary(id).ok().flatten());
    let code_page = message.properties().code_page();
    stream
        .and_then(|stream| verbs(&stream, code_page))
        .unwrap_or_default()
}

fn verbs(stream: &[u8], code_page: u32) -> Option<Vec<String>> {
    let mut cursor = Cursor::new(stream);
    if cursor.u16()? != VERBS {
        return None;
    }
    let count = cursor.u32()?.min(MAX_VERBS);
    let mut verbs = Vec::new();
    for _ in 0..count {
        let kind = cursor.u32()?;
        let name = codepage::decode(code_page, counted(&mut cursor, 1)?);
        let (_class, _internal, _name) = (
            counted(&mut cursor, 1)?,
            counted(&mut cursor, 1)?,
            counted(&mut cursor, 1)?,
        );
        cursor.take(VERB_TAIL)?;
        verbs.push((kind, name));
    }
    // The names once more, in UTF-16; old writers end here.
    if cursor.u16() == Some(VERB_EXTRAS) {
        for (_, name) in &mut verbs {
            let (Some(wide), Some(_)) = (counted(&mut cursor, 2), counted(&mut cursor, 2)) else {
                break;
            };
            *name = codepage::decode_utf16le(wide);
        }
    }
    verbs.retain(|(kind, name)| *kind == VERB_VOTE && !name.trim().is_empty());
    Some(verbs.into_iter().map(|(_, name)| name).collect())
}

/// Text of units of `size` bytes with their number in a byte before it.
fn counted<'a>(cursor: &mut Cursor<'a>, size: usize) -> Option<&'a [u8]> {
    let count = *cursor.take(1)?.first()?;
    cursor.take(usize::from(count) * size)
}

/// In whose mailbox it arrived, and for whom, if that is another. As the message itself has them: with addresses that others
/// teach, every message would depend on them.
fn mailboxes(message: &Message, fields: &mut Fields) {
    let of_role = |role| Person::of_role(message.properties(), role).mailbox(|| None);
    let Some(received) = of_role(&RECEIVED_BY) else {
        return;
    };
    let for_another = of_role(&RECEIVED_REPRESENTING)
        .filter(|other| !other.address.eq_ignore_ascii_case(&received.address));
    fields.push_mailboxes("X-Ostfs-Received-By", &[received]);
    if let Some(other) = for_another {
        fields.push_mailboxes("X-Ostfs-Received-Representing", &[other]);
    }
}

fn unified_messaging(message: &Message, fields: &mut Fields) {
    for (name, id) in UNIFIED_MESSAGING {
        let number = || Some(message.properties().integer(id).ok()??.to_string());
        if let Some(value) = string(message, id)
            .or_else(number)
            .filter(|_| !fields.has(name))
        {
            fields.push_text(name, &value);
        }
    }
}
