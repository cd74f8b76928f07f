//! Items that are no mail, as text: what they are about is in properties, and must not be lost in a mail message.
#![forbid(unsafe_code)]

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::date::date;
use crate::clock;
use crate::convert::contact;
use crate::convert::item_format::Details;
use crate::convert::lids::{self, Key};
use crate::convert::people::Resolved;
use crate::convert::reader::Reader;
use crate::convert::text::clean;
use crate::ltp::{Value, tags};
use crate::messaging::{EntryId, ItemKind, Message, text_of_value};

/// Lines of a contact. [MS-OXOCNTC] 2.2.1
const CONTACT: &[(&str, Key)] = &[
    ("Name", Key::Tag(tags::DISPLAY_NAME)),
    ("Given name", Key::Tag(tags::GIVEN_NAME)),
    ("Surname", Key::Tag(tags::SURNAME)),
    ("File as", lids::FILE_UNDER),
    ("Company", Key::Tag(tags::COMPANY_NAME)),
    ("Department", Key::Tag(tags::DEPARTMENT_NAME)),
    ("Title", Key::Tag(tags::TITLE)),
    ("Instant messaging", lids::INSTANT_MESSAGING_ADDRESS),
    ("Business phone", Key::Tag(tags::BUSINESS_TELEPHONE_NUMBER)),
    ("Home phone", Key::Tag(tags::HOME_TELEPHONE_NUMBER)),
    ("Mobile phone", Key::Tag(tags::MOBILE_TELEPHONE_NUMBER)),
    ("Business fax", Key::Tag(tags::BUSINESS_FAX_NUMBER)),
    ("Work address", lids::WORK_ADDRESS),
    ("Home address", lids::HOME_ADDRESS),
    ("Other address", lids::OTHER_ADDRESS),
    ("Web page", Key::Tag(tags::BUSINESS_HOME_PAGE)),
];
/// How a day is written, and one of which the year is not known.
const DAY: &str = "%a, %d %b %Y";
const DAY_OF_YEAR: &str = "%d %b";
/// Lines of an appointment. [MS-OXOCAL] 2.2.1
const EVENT: &[(&str, Key)] = &[
    ("Start", lids::APPOINTMENT_START_WHOLE),
    ("End", lids::APPOINTMENT_END_WHOLE),
    ("All day", lids::APPOINTMENT_SUB_TYPE),
    ("Location", lids::LOCATION),
    ("Proposed start", lids::APPOINTMENT_PROPOSED_START_WHOLE),
    ("Proposed end", lids::APPOINTMENT_PROPOSED_END_WHOLE),
    ("Recurrence", lids::RECURRENCE_PATTERN),
    ("Attendees", lids::ALL_ATTENDEES_STRING),
];
/// Lines of a task. [MS-OXOTASK] 2.2.2
const TO_DO: &[(&str, Key)] = &[
    ("Start", lids::TASK_START_DATE),
    ("Due", lids::TASK_DUE_DATE),
    ("Status", lids::TASK_STATUS),
    ("Done", lids::PERCENT_COMPLETE),
    ("Completed", lids::TASK_DATE_COMPLETED),
    ("Owner", lids::TASK_OWNER),
];
/// Times that stand for a day, whatever their clock says. [MS-OXOTASK] 2.2.2.2.4
const DAYS: [Key; 3] = [
    lids::TASK_START_DATE,
    lids::TASK_DUE_DATE,
    lids::TASK_DATE_COMPLETED,
];
/// PidLidTaskStatus.
const STATUS: [&str; 5] = [
    "not started",
    "in progress",
    "complete",
    "waiting for others",
    "deferred",
];
/// Lines of a journal entry. [MS-OXOJRNL] 2.2.1
const JOURNAL: &[(&str, Key)] = &[
    ("Type", lids::LOG_TYPE),
    ("Start", lids::LOG_START),
    ("End", lids::LOG_END),
    ("Minutes", lids::LOG_DURATION),
];
/// Lines of an article of a feed. [MS-OXORSS] 2.2.1
const FEED: &[(&str, Key)] = &[
    ("Link", lids::POST_RSS_ITEM_LINK),
    ("Feed", lids::POST_RSS_CHANNEL),
    ("Feed address", lids::POST_RSS_CHANNEL_LINK),
];
/// Lines of a message about a shared folder. [MS-OXSHARE] 2.2.2, 2.2.3
const SHARED: &[(&str, Key)] = &[
    ("Shared folder", lids::SHARING_REMOTE_NAME),
    ("Where it is", lids::SHARING_REMOTE_PATH),
    ("In a browser", lids::SHARING_BROWSE_URL),
];

/// Lines of a document. [MS-OXODOC] 2.2.1
const DOCUMENT: &[(&str, Key)] = &[
    ("Title", lids::DOCUMENT_TITLE),
    ("About", lids::DOCUMENT_SUBJECT),
    ("Author", lids::DOCUMENT_AUTHOR),
    ("Last changed by", lids::DOCUMENT_LAST_AUTHOR),
    ("Company", lids::DOCUMENT_COMPANY),
    ("Manager", lids::DOCUMENT_MANAGER),
    ("Category", lids::DOCUMENT_CATEGORY),
    ("Comments", lids::DOCUMENT_COMMENTS),
];

/// The main properties of an item of `kind`, a line each, times in `zone`; None for mail.
pub(super) fn of_message(kind: ItemKind, message: &Message, zone: &TimeZone) -> Option<String> {
    let lines = lines(kind, message, zone).into_iter();
    let out: String = lines
        .map(|(label, text)| format!("{label}: {text}\n"))
        .collect();
    (!out.is_empty()).then_some(out)
}

/// The same without the line ends: labels and texts.
pub(super) fn lines(
    kind: ItemKind,
    message: &Message,
    zone: &TimeZone,
) -> Vec<(&'static str, String)> {
    let lines = match Details::of(kind) {
        Details::None => return Vec::new(),
        Details::Contact => CONTACT,
        Details::Event => EVENT,
        Details::Task => TO_DO,
        Details::Journal => JOURNAL,
        Details::Feed => FEED,
        Details::Sharing => SHARED,
        Details::Document => DOCUMENT,
    };
    let text = |key: Key| of_key(key, &value(message, key)?, message, zone);
    let lines = lines
        .iter()
        .filter_map(|(label, key)| Some((*label, text(*key)?)));
    let mut lines: Vec<(&'static str, String)> = lines.collect();
    if Details::of(kind) == Details::Contact {
        let reader = Reader::new(message, &|_| Resolved::default());
        let addresses = contact::addresses(&reader).into_iter();
        lines.extend(addresses.map(|address| ("E-mail", clean(&address).into_owned())));
        lines.extend(contact::birthday(&reader).map(|date| ("Birthday", day(date))));
    }
    lines.extend(
        members(message)
            .into_iter()
            .map(|member| ("Member", member)),
    );
    lines
}

fn day(date: Date) -> String {
    let is_known = date.year() != contact::NO_YEAR;
    let format = if is_known { DAY } else { DAY_OF_YEAR };
    date.strftime(format).to_string()
}

/// What `value` of property `key` is to people.
fn of_key(key: Key, value: &Value, message: &Message, zone: &TimeZone) -> Option<String> {
    match value {
        Value::Time(time) if DAYS.contains(&key) => {
            Some(day(clock::utc(time.known()?.unix_seconds())?.date()))
        }
        Value::Integer(status) if key == lids::TASK_STATUS => {
            let word = STATUS.get(usize::try_from(*status).ok()?);
            Some(word.map_or_else(|| status.to_string(), |word| (*word).to_owned()))
        }
        Value::Floating(part) if key == lids::PERCENT_COMPLETE => {
            Some(format!("{:.0} %", part * 100.0))
        }
        value => shown(value, message, zone),
    }
}

fn value(message: &Message, key: Key) -> Option<Value> {
    let id = key.id(message)?;
    message.properties().value(id).ok().flatten()
}

fn shown(value: &Value, message: &Message, zone: &TimeZone) -> Option<String> {
    let text = match value {
        Value::Time(time) => date(time.known()?, zone)?,
        Value::Integer(number) => number.to_string(),
        Value::Floating(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        // Addresses have several lines.
        text => text_of_value(text, message.properties().code_page())?
            .lines()
            .map(clean)
            .collect::<Vec<_>>()
            .join(", "),
    };
    (!text.is_empty()).then_some(text)
}

fn members(message: &Message) -> Vec<String> {
    let Some(Value::Multiple(values)) = value(message, lids::DISTRIBUTION_LIST_ONE_OFF_MEMBERS)
    else {
        return Vec::new();
    };
    let member = |value: &Value| {
        let Value::Binary(bytes) = value else {
            return None;
        };
        match EntryId::parse(bytes, message.properties().code_page())? {
            EntryId::OneOff(person) => Some(format!(
                "{} <{}>",
                clean(&person.name),
                clean(&person.address)
            )),
            EntryId::AddressBook(name) => Some(clean(&name).into_owned()),
            EntryId::Node(_) => None,
        }
    };
    values.iter().filter_map(member).collect()
}
