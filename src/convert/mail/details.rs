//! Items that are no mail, as text: what they are about is in properties, and must not be lost in a mail message.
#![forbid(unsafe_code)]

use jiff::tz::TimeZone;

use super::date::date;
use crate::convert::item_format::Details;
use crate::convert::text::clean;
use crate::ltp::{Value, tags};
use crate::messaging::{EntryId, ItemKind, Message, PropertySet, text_of_value};

/// Where the value of a line comes from.
#[derive(Clone, Copy)]
enum Source {
    Tag(u16),
    Named(PropertySet, u32),
}

use Source::{Named, Tag};

const ADDRESS: PropertySet = PropertySet::ADDRESS;
const APPOINTMENT: PropertySet = PropertySet::APPOINTMENT;
const TASK: PropertySet = PropertySet::TASK;
const LOG: PropertySet = PropertySet::LOG;
const POST_RSS: PropertySet = PropertySet::POST_RSS;
const SHARING: PropertySet = PropertySet::SHARING;

/// Lines of a contact. [MS-OXOCNTC] 2.2.1
const CONTACT: &[(&str, Source)] = &[
    ("Name", Tag(tags::DISPLAY_NAME)),
    ("Given name", Tag(tags::GIVEN_NAME)),
    ("Surname", Tag(tags::SURNAME)),
    ("File as", Named(ADDRESS, 0x8005)),
    ("Company", Tag(tags::COMPANY_NAME)),
    ("Department", Tag(tags::DEPARTMENT_NAME)),
    ("Title", Tag(tags::TITLE)),
    ("E-mail", Named(ADDRESS, 0x8083)),
    ("E-mail 2", Named(ADDRESS, 0x8093)),
    ("E-mail 3", Named(ADDRESS, 0x80A3)),
    ("Instant messaging", Named(ADDRESS, 0x8062)),
    ("Business phone", Tag(tags::BUSINESS_TELEPHONE_NUMBER)),
    ("Home phone", Tag(tags::HOME_TELEPHONE_NUMBER)),
    ("Mobile phone", Tag(tags::MOBILE_TELEPHONE_NUMBER)),
    ("Business fax", Tag(tags::BUSINESS_FAX_NUMBER)),
    ("Work address", Named(ADDRESS, 0x801B)),
    ("Home address", Named(ADDRESS, 0x801A)),
    ("Other address", Named(ADDRESS, 0x801C)),
    ("Web page", Tag(tags::BUSINESS_HOME_PAGE)),
    ("Birthday", Tag(tags::BIRTHDAY)),
];
/// Lines of an appointment. [MS-OXOCAL] 2.2.1
const EVENT: &[(&str, Source)] = &[
    ("Start", Named(APPOINTMENT, 0x820D)),
    ("End", Named(APPOINTMENT, 0x820E)),
    ("All day", Named(APPOINTMENT, 0x8215)),
    ("Location", Named(APPOINTMENT, 0x8208)),
    ("Recurrence", Named(APPOINTMENT, 0x8232)),
    ("Attendees", Named(APPOINTMENT, 0x8238)),
];
/// Lines of a task. [MS-OXOTASK] 2.2.2
const TO_DO: &[(&str, Source)] = &[
    ("Start", Named(TASK, 0x8104)),
    ("Due", Named(TASK, 0x8105)),
    ("Status", Named(TASK, 0x8101)),
    ("Done", Named(TASK, 0x8102)),
    ("Completed", Named(TASK, 0x810F)),
    ("Owner", Named(TASK, 0x811F)),
];
/// Lines of a journal entry. [MS-OXOJRNL] 2.2.1
const JOURNAL: &[(&str, Source)] = &[
    ("Type", Named(LOG, 0x8700)),
    ("Start", Named(LOG, 0x8706)),
    ("End", Named(LOG, 0x8708)),
    ("Minutes", Named(LOG, 0x8707)),
];
/// Lines of an article of a feed. [MS-OXORSS] 2.2.1
const FEED: &[(&str, Source)] = &[
    ("Link", Named(POST_RSS, 0x8901)),
    ("Feed", Named(POST_RSS, 0x8904)),
    ("Feed address", Named(POST_RSS, 0x8900)),
];
/// Lines of a message about a shared folder. [MS-OXSHARE] 2.2.2, 2.2.3
const SHARED: &[(&str, Source)] = &[
    ("Shared folder", Named(SHARING, 0x8A05)),
    ("Where it is", Named(SHARING, 0x8A04)),
    ("In a browser", Named(SHARING, 0x8A51)),
];
/// Members of a distribution list as one-off entry ids. [MS-OXOCNTC] 2.2.2.2.2
const MEMBERS: Source = Named(ADDRESS, 0x8054);

/// The main properties of an item of `kind`, a line each, times in `zone`; None for mail.
pub(super) fn of_message(kind: ItemKind, message: &Message, zone: &TimeZone) -> Option<String> {
    let lines = match Details::of(kind) {
        Details::None => return None,
        Details::Contact => CONTACT,
        Details::Event => EVENT,
        Details::Task => TO_DO,
        Details::Journal => JOURNAL,
        Details::Feed => FEED,
        Details::Sharing => SHARED,
    };
    let mut out = String::new();
    for (label, source) in lines {
        if let Some(text) = value(message, *source).and_then(|value| shown(&value, message, zone)) {
            out.push_str(&format!("{label}: {text}\n"));
        }
    }
    for member in members(message) {
        out.push_str(&format!("Member: {member}\n"));
    }
    (!out.is_empty()).then_some(out)
}

fn value(message: &Message, source: Source) -> Option<Value> {
    let id = match source {
        Tag(id) => id,
        Named(set, lid) => message.named(set, lid)?,
    };
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
    let Some(Value::Multiple(values)) = value(message, MEMBERS) else {
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
