//! Named properties by their names in [MS-OXPROPS] (there `PidLidLocation`, here `LOCATION`).
#![forbid(unsafe_code)]

use crate::messaging::{Message, PropertySet};

/// How a property is found: by its tag, or by its name through the map of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Tag(u16),
    Lid(PropertySet, u32),
    Name(PropertySet, &'static str),
}

impl Key {
    /// The id that the property has in `message`; None when the message does not have it.
    pub fn id(self, message: &Message) -> Option<u16> {
        match self {
            Key::Tag(id) => message.properties().has(id).then_some(id),
            Key::Lid(set, lid) => message.named(set, lid),
            Key::Name(set, name) => message.named_string(set, name),
        }
    }
}

impl From<u16> for Key {
    fn from(tag: u16) -> Self {
        Key::Tag(tag)
    }
}

const fn appointment(lid: u32) -> Key {
    Key::Lid(PropertySet::APPOINTMENT, lid)
}
const fn meeting(lid: u32) -> Key {
    Key::Lid(PropertySet::MEETING, lid)
}
const fn common(lid: u32) -> Key {
    Key::Lid(PropertySet::COMMON, lid)
}
const fn task(lid: u32) -> Key {
    Key::Lid(PropertySet::TASK, lid)
}
const fn log(lid: u32) -> Key {
    Key::Lid(PropertySet::LOG, lid)
}
const fn address(lid: u32) -> Key {
    Key::Lid(PropertySet::ADDRESS, lid)
}
const fn post_rss(lid: u32) -> Key {
    Key::Lid(PropertySet::POST_RSS, lid)
}
const fn sharing(lid: u32) -> Key {
    Key::Lid(PropertySet::SHARING, lid)
}

/// Categories.
pub(crate) const KEYWORDS: Key = Key::Name(PropertySet::PUBLIC_STRINGS, "Keywords");
/// Where an online meeting is, under the names that Exchange and Teams give it.
pub(crate) const ONLINE_MEETING_LINKS: [(&str, Key); 3] = [
    (
        "X-MICROSOFT-SKYPETEAMSMEETINGURL",
        Key::Name(PropertySet::PUBLIC_STRINGS, "SkypeTeamsMeetingUrl"),
    ),
    (
        "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK",
        Key::Name(PropertySet::PUBLIC_STRINGS, "OnlineMeetingExternalLink"),
    ),
    (
        "X-MICROSOFT-ONLINEMEETINGCONFLINK",
        Key::Name(PropertySet::PUBLIC_STRINGS, "OnlineMeetingConfLink"),
    ),
];

// PSETID_Appointment
pub(crate) const APPOINTMENT_SEQUENCE: Key = appointment(0x8201);
pub(crate) const BUSY_STATUS: Key = appointment(0x8205);
pub(crate) const LOCATION: Key = appointment(0x8208);
pub(crate) const MEETING_WORKSPACE_URL: Key = appointment(0x8209);
pub(crate) const APPOINTMENT_START_WHOLE: Key = appointment(0x820D);
pub(crate) const APPOINTMENT_END_WHOLE: Key = appointment(0x820E);
pub(crate) const APPOINTMENT_DURATION: Key = appointment(0x8213);
pub(crate) const APPOINTMENT_SUB_TYPE: Key = appointment(0x8215);
pub(crate) const APPOINTMENT_RECUR: Key = appointment(0x8216);
pub(crate) const APPOINTMENT_STATE_FLAGS: Key = appointment(0x8217);
pub(crate) const RESPONSE_STATUS: Key = appointment(0x8218);
pub(crate) const RECURRING: Key = appointment(0x8223);
pub(crate) const INTENDED_BUSY_STATUS: Key = appointment(0x8224);
pub(crate) const EXCEPTION_REPLACE_TIME: Key = appointment(0x8228);
pub(crate) const RECURRENCE_PATTERN: Key = appointment(0x8232);
pub(crate) const TIME_ZONE_STRUCT: Key = appointment(0x8233);
pub(crate) const CLIP_END: Key = appointment(0x8236);
pub(crate) const TIME_ZONE_DESCRIPTION: Key = appointment(0x8234);
pub(crate) const ALL_ATTENDEES_STRING: Key = appointment(0x8238);
pub(crate) const TO_ATTENDEES_STRING: Key = appointment(0x823B);
pub(crate) const CC_ATTENDEES_STRING: Key = appointment(0x823C);
pub(crate) const NET_SHOW_URL: Key = appointment(0x8248);
pub(crate) const APPOINTMENT_PROPOSED_START_WHOLE: Key = appointment(0x8250);
pub(crate) const APPOINTMENT_PROPOSED_END_WHOLE: Key = appointment(0x8251);
pub(crate) const APPOINTMENT_COUNTER_PROPOSAL: Key = appointment(0x8257);
pub(crate) const TIME_ZONE_DEFINITION_START_DISPLAY: Key = appointment(0x825E);
pub(crate) const TIME_ZONE_DEFINITION_END_DISPLAY: Key = appointment(0x825F);
pub(crate) const TIME_ZONE_DEFINITION_RECUR: Key = appointment(0x8260);

// PSETID_Meeting
pub(crate) const WHERE: Key = meeting(0x0002);
pub(crate) const GLOBAL_OBJECT_ID: Key = meeting(0x0003);
pub(crate) const CLEAN_GLOBAL_OBJECT_ID: Key = meeting(0x0023);

// PSETID_Common
pub(crate) const REMINDER_DELTA: Key = common(0x8501);
pub(crate) const REMINDER_TIME: Key = common(0x8502);
pub(crate) const REMINDER_SET: Key = common(0x8503);
pub(crate) const REMINDER_SIGNAL_TIME: Key = common(0x8560);
pub(crate) const PRIVATE: Key = common(0x8506);
pub(crate) const FLAG_REQUEST: Key = common(0x8530);
pub(crate) const VERB_STREAM: Key = common(0x8520);
pub(crate) const VERB_RESPONSE: Key = common(0x8524);
pub(crate) const COMMON_START: Key = common(0x8516);
pub(crate) const COMMON_END: Key = common(0x8517);
pub(crate) const COMPANIES: Key = common(0x8539);
pub(crate) const CONTACTS: Key = common(0x853A);
pub(crate) const CONTACT_LINK_ENTRY: Key = common(0x8585);
pub(crate) const BILLING: Key = common(0x8535);
pub(crate) const MILEAGE: Key = common(0x8534);
pub(crate) const CLASSIFIED: Key = common(0x85B5);
pub(crate) const CLASSIFICATION: Key = common(0x85B6);
pub(crate) const CLASSIFICATION_DESCRIPTION: Key = common(0x85B7);
pub(crate) const CLASSIFICATION_GUID: Key = common(0x85B8);

// PSETID_Task
pub(crate) const TASK_STATUS: Key = task(0x8101);
pub(crate) const PERCENT_COMPLETE: Key = task(0x8102);
pub(crate) const TASK_START_DATE: Key = task(0x8104);
pub(crate) const TASK_DUE_DATE: Key = task(0x8105);
pub(crate) const TASK_DATE_COMPLETED: Key = task(0x810F);
pub(crate) const TASK_ACTUAL_EFFORT: Key = task(0x8110);
pub(crate) const TASK_ESTIMATED_EFFORT: Key = task(0x8111);
pub(crate) const TASK_RECURRENCE: Key = task(0x8116);
pub(crate) const TASK_COMPLETE: Key = task(0x811C);
pub(crate) const TASK_OWNER: Key = task(0x811F);
pub(crate) const TASK_ASSIGNER: Key = task(0x8121);
pub(crate) const TASK_RECURRING: Key = task(0x8126);
pub(crate) const TASK_ROLE: Key = task(0x8127);

// PSETID_Log
pub(crate) const LOG_TYPE: Key = log(0x8700);
pub(crate) const LOG_START: Key = log(0x8706);
pub(crate) const LOG_DURATION: Key = log(0x8707);
pub(crate) const LOG_END: Key = log(0x8708);
pub(crate) const LOG_TYPE_DESCRIPTION: Key = log(0x8712);

// PSETID_Note
pub(crate) const NOTE_COLOR: Key = Key::Lid(PropertySet::NOTE, 0x8B00);

// PSETID_Address
pub(crate) const FILE_UNDER: Key = address(0x8005);
pub(crate) const HOME_ADDRESS: Key = address(0x801A);
pub(crate) const WORK_ADDRESS: Key = address(0x801B);
pub(crate) const OTHER_ADDRESS: Key = address(0x801C);
pub(crate) const POSTAL_ADDRESS_ID: Key = address(0x8022);
pub(crate) const HTML: Key = address(0x802B);
pub(crate) const YOMI_FIRST_NAME: Key = address(0x802C);
pub(crate) const YOMI_LAST_NAME: Key = address(0x802D);
pub(crate) const YOMI_COMPANY_NAME: Key = address(0x802E);
pub(crate) const WORK_ADDRESS_STREET: Key = address(0x8045);
pub(crate) const WORK_ADDRESS_CITY: Key = address(0x8046);
pub(crate) const WORK_ADDRESS_STATE: Key = address(0x8047);
pub(crate) const WORK_ADDRESS_POSTAL_CODE: Key = address(0x8048);
pub(crate) const WORK_ADDRESS_COUNTRY: Key = address(0x8049);
pub(crate) const WORK_ADDRESS_POST_OFFICE_BOX: Key = address(0x804A);
pub(crate) const CONTACT_USER_FIELDS: [Key; 4] = [
    address(0x804F),
    address(0x8050),
    address(0x8051),
    address(0x8052),
];
pub(crate) const DISTRIBUTION_LIST_CHECKSUM: Key = address(0x804C);
pub(crate) const DISTRIBUTION_LIST_NAME: Key = address(0x8053);
pub(crate) const DISTRIBUTION_LIST_ONE_OFF_MEMBERS: Key = address(0x8054);
pub(crate) const DISTRIBUTION_LIST_MEMBERS: Key = address(0x8055);
pub(crate) const DISTRIBUTION_LIST_STREAM: Key = address(0x8064);
pub(crate) const INSTANT_MESSAGING_ADDRESS: Key = address(0x8062);
pub(crate) const BIRTHDAY_LOCAL: Key = address(0x80DE);
pub(crate) const WEDDING_ANNIVERSARY_LOCAL: Key = address(0x80DF);
pub(crate) const FREE_BUSY_LOCATION: Key = address(0x80D8);

pub(crate) const POST_RSS_CHANNEL_LINK: Key = post_rss(0x8900);
pub(crate) const POST_RSS_ITEM_LINK: Key = post_rss(0x8901);
pub(crate) const POST_RSS_CHANNEL: Key = post_rss(0x8904);

pub(crate) const SHARING_REMOTE_PATH: Key = sharing(0x8A04);
pub(crate) const SHARING_REMOTE_NAME: Key = sharing(0x8A05);
pub(crate) const SHARING_BROWSE_URL: Key = sharing(0x8A51);

/// What programs that make documents write into them. [MS-OXODOC] 2.2.1
pub(crate) const DOCUMENT_TITLE: Key = Key::Name(PropertySet::PUBLIC_STRINGS, "Title");
pub(crate) const DOCUMENT_SUBJECT: Key = Key::Name(PropertySet::PUBLIC_STRINGS, "Subject");
pub(crate) const DOCUMENT_AUTHOR: Key = Key::Name(PropertySet::PUBLIC_STRINGS, "Author");
pub(crate) const DOCUMENT_LAST_AUTHOR: Key = Key::Name(PropertySet::PUBLIC_STRINGS, "LastAuthor");
pub(crate) const DOCUMENT_COMPANY: Key = Key::Name(PropertySet::PUBLIC_STRINGS, "Company");
pub(crate) const DOCUMENT_MANAGER: Key = Key::Name(PropertySet::PUBLIC_STRINGS, "Manager");
pub(crate) const DOCUMENT_CATEGORY: Key = Key::Name(PropertySet::PUBLIC_STRINGS, "Category");
pub(crate) const DOCUMENT_COMMENTS: Key = Key::Name(PropertySet::PUBLIC_STRINGS, "Comments");

/// One of the three e-mail addresses of a contact.
pub(crate) struct EmailKeys {
    pub display_name: Key,
    pub address_type: Key,
    pub address: Key,
    pub original_display_name: Key,
    pub original_entry_id: Key,
}

const fn email(first: u32) -> EmailKeys {
    EmailKeys {
        display_name: address(first),
        address_type: address(first + 2),
        address: address(first + 3),
        original_display_name: address(first + 4),
        original_entry_id: address(first + 5),
    }
}

pub(crate) const EMAILS: [EmailKeys; 3] = [email(0x8080), email(0x8090), email(0x80A0)];

/// The three fax numbers that are mail addresses: address and type of address.
pub(crate) const FAX_ADDRESSES: [Key; 3] = [address(0x80B3), address(0x80C3), address(0x80D3)];
