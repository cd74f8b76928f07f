//! A written store with items of every kind: all recurrence patterns, all zones, and one of each other thing.
use ostfs::messaging::Message as Read;
use serde_json::{Value as Json, json};

use super::blob::{self, minutes};
use super::patterns::ROWS;
use super::zones::{ZONES, Zone};
use crate::support::*;

const MINUTE: u64 = 600_000_000;

/// The subject of an event that shows the clock of a zone.
const CLOCK: &str = "Clock of ";

/// Years in which the zone of an event is compared with the real one.
pub fn zone_years(message: &Read) -> Json {
    let subject = message.subject().unwrap().map(|subject| subject.text);
    let zone = ZONES.iter().find(|zone| {
        subject
            .as_deref()
            .and_then(|subject| subject.strip_prefix(CLOCK))
            == Some(zone.windows)
    });
    zone.map_or(Json::Null, |zone| json!(zone.years))
}

/// UTC of a moment on the clock of central Europe, by the rule that holds from 1996 on.
fn berlin(day: &str, minute: u32) -> u64 {
    let day: jiff::civil::Date = day.parse().unwrap();
    let last_sunday = |month: i8| {
        jiff::civil::date(day.year(), month, 1)
            .nth_weekday_of_month(-1, jiff::civil::Weekday::Sunday)
            .unwrap()
    };
    let is_summer = day >= last_sunday(3) && day < last_sunday(10);
    let local = u64::from(minutes(&day.to_string()) + minute);
    (local - if is_summer { 120 } else { 60 }) * MINUTE
}

fn global_object_id(data: &[u8]) -> Vec<u8> {
    let mut id = b"\x04\0\0\0\x82\0\xE0\0\x74\xC5\xB7\x10\x1A\x82\xE0\x08".to_vec();
    id.extend([0; 20]);
    id.extend((data.len() as u32).to_le_bytes());
    id.extend(data);
    id
}

fn search_key(number: usize) -> Vec<u8> {
    let mut key = vec![0xAB; 12];
    key.extend((number as u32).to_be_bytes());
    key
}

fn series(number: usize, row: &blob::Row) -> Message {
    let berlin_zone = &ZONES[0];
    let start = berlin(row.start, row.start_minutes());
    let mut message = Message::appointment(
        row.name,
        start,
        start + u64::from(row.length()) * MINUTE,
        "Room 1",
    )
    .prop(tags::SEARCH_KEY, search_key(number))
    .named(PSETID_APPOINTMENT, 0x8215, row.is_all_day)
    .named(PSETID_APPOINTMENT, 0x8216, row.appointment())
    .named(PSETID_APPOINTMENT, 0x8223, true)
    .named(PSETID_APPOINTMENT, 0x8260, berlin_zone.definition())
    .named(PSETID_APPOINTMENT, 0x825E, ZONES[1].definition())
    .named(
        PSETID_MEETING,
        0x0003,
        global_object_id(row.name.as_bytes()),
    );
    for (original, day, at, subject, _) in row.changed {
        let start = berlin(day, *at);
        let inner = Message::appointment(subject.unwrap_or(row.name), start, start + MINUTE, "x")
            .body("What is different this time: bring the keys.\r\n")
            .named(
                PSETID_APPOINTMENT,
                0x8228,
                Value::Time(berlin(original, row.start_minutes())),
            )
            .attachment("agenda.txt", "1. keys\r\n");
        message = message.attach(
            Attachment::message(inner)
                .prop(tags::ATTACHMENT_FLAGS, 2)
                .prop(tags::ATTACHMENT_HIDDEN, true),
        );
    }
    message
}

fn clock(number: usize, zone: &Zone) -> Message {
    let start = filetime(i64::from(zone.years[0]), 7, 1, 10, 0);
    Message::appointment(
        &format!("{CLOCK}{}", zone.windows),
        start,
        start + 60 * MINUTE,
        "",
    )
    .prop(tags::SEARCH_KEY, search_key(number))
    .named(PSETID_APPOINTMENT, 0x825E, zone.definition())
}

fn meeting() -> Message {
    let start = filetime(2024, 6, 3, 10, 0);
    Message::appointment(
        "Budget; \"final\", really\\",
        start,
        start + 90 * MINUTE,
        "Room 4, north",
    )
    .from("Ann Adams", "ann@north.example")
    .to("Ann Adams", "ann@north.example")
    .to("Müller, Bob", "bob@north.example")
    .cc("Eva", "eva@south.example")
    .bcc("Projector", "projector@north.example")
    .prop(tags::SEARCH_KEY, search_key(9000))
    .prop(tags::SENSITIVITY, 2)
    .prop(tags::IMPORTANCE, 2)
    .prop(tags::RESPONSE_REQUESTED, true)
    .html("<html><body><p>Grüße, <b>all</b>; see you</p></body></html>")
    .named(PSETID_APPOINTMENT, 0x8217, 1)
    .named(PSETID_APPOINTMENT, 0x8201, 3)
    .named(PSETID_COMMON, 0x8503, true)
    .named(PSETID_COMMON, 0x8501, 30)
    .named(PSETID_APPOINTMENT, 0x8233, ZONES[1].structure())
    .named(
        PSETID_APPOINTMENT,
        0x8234,
        "(UTC-05:00) Eastern Time (US & Canada)",
    )
    .named_text(
        PS_PUBLIC_STRINGS,
        "Keywords",
        Value::MvStr(vec!["Red, dark".into(), "Büro".into()]),
    )
    .named_text(
        PS_PUBLIC_STRINGS,
        "OnlineMeetingExternalLink",
        "https://meet.example/join?a=1;b=2",
    )
    .named(
        PSETID_MEETING,
        0x0003,
        global_object_id(b"vCal-Uid\x01\0\0\0budget-7@north.example\0"),
    )
    .attachment("numbers.csv", "a,b\r\n1,2\r\n")
}

fn whole_days() -> Message {
    // Midnight in New York, which is neither midnight in UTC nor where this test runs.
    let start = filetime(2024, 7, 4, 4, 0);
    Message::appointment("Independence Day", start, start + 1440 * MINUTE, "")
        .prop(tags::SEARCH_KEY, search_key(9001))
        .named(PSETID_APPOINTMENT, 0x8215, true)
        .named(PSETID_APPOINTMENT, 0x8205, 0)
        .named(PSETID_APPOINTMENT, 0x825E, ZONES[1].definition())
}

fn flight() -> Message {
    let start = filetime(2024, 7, 4, 8, 0);
    Message::appointment("Flight", start, start + 480 * MINUTE, "LH 400")
        .prop(tags::SEARCH_KEY, search_key(9002))
        .named(PSETID_APPOINTMENT, 0x825E, ZONES[0].definition())
        .named(PSETID_APPOINTMENT, 0x825F, ZONES[1].definition())
}

fn invitation(class: &str, key: usize) -> Message {
    let mut message = meeting();
    message = message
        .prop(tags::MESSAGE_CLASS, class)
        .prop(tags::SEARCH_KEY, search_key(key));
    message
}

fn contact() -> Message {
    // A picture is what its bytes say, whatever its name says.
    let pixel = sample::PIXEL;
    Message::contact("Jane", "Doe", "jane@west.example")
        .prop(tags::SEARCH_KEY, search_key(9010))
        .prop(tags::GENERATION, "III")
        .prop(tags::MIDDLE_NAME, "Q.")
        .prop(tags::DISPLAY_NAME_PREFIX, "Dr.")
        .prop(tags::COMPANY_NAME, "West; Sons, Ltd.")
        .prop(tags::DEPARTMENT_NAME, "Sales")
        .prop(tags::TITLE, "Head\r\nof all")
        .prop(tags::BUSINESS_TELEPHONE_NUMBER, "+1 555 0100")
        .prop(tags::HOME_TELEPHONE_NUMBER, "+1 555 0101")
        .prop(tags::MOBILE_TELEPHONE_NUMBER, "+1 555 0102")
        .prop(tags::BUSINESS_FAX_NUMBER, "+1 555 0103")
        .prop(tags::BUSINESS_2_TELEPHONE_NUMBER, "+1 555 0104")
        .prop(tags::HOME_ADDRESS_STREET, "1 Home Street\r\nBack door")
        .prop(tags::HOME_ADDRESS_CITY, "Hometown")
        .prop(tags::PERSONAL_HOME_PAGE, "https://jane.example/")
        .prop(tags::BIRTHDAY, Value::Time(filetime(1970, 1, 30, 23, 0)))
        .prop(
            tags::WEDDING_ANNIVERSARY,
            Value::Time(filetime(1999, 9, 9, 11, 59)),
        )
        .prop(tags::SPOUSE_NAME, "John")
        .prop(
            tags::CHILDRENS_NAMES,
            Value::MvStr(vec!["Jim".into(), "Jo".into()]),
        )
        .prop(tags::GENDER, Value::I16(1))
        .prop(tags::NICKNAME, "Janie")
        .body("First line\r\nSecond, with; marks\\\r\n")
        .named(PSETID_ADDRESS, 0x8045, "2 Work Road")
        .named(PSETID_ADDRESS, 0x8046, "Zürich")
        .named(PSETID_ADDRESS, 0x8022, 2)
        .named(PSETID_ADDRESS, 0x8062, "sip:jane@west.example")
        .named(PSETID_ADDRESS, 0x802C, "ジェーン")
        .named(PSETID_ADDRESS, 0x8092, "EX")
        .named(
            PSETID_ADDRESS,
            0x8093,
            "/o=West/ou=First/cn=Recipients/cn=jane",
        )
        .named(PSETID_ADDRESS, 0x804F, "first user field")
        .named_text(PS_PUBLIC_STRINGS, "Shoe size", "38")
        .named_text(
            PS_PUBLIC_STRINGS,
            "Keywords",
            Value::MvStr(vec!["Friends".into()]),
        )
        .attach(
            Attachment::data("ContactPicture.jpg", pixel)
                .prop(tags::ATTACHMENT_CONTACT_PHOTO, true),
        )
        .attachment("cv.txt", "born, worked")
}

fn list(contact: Nid) -> Message {
    let one_off_members = vec![
        one_off("Ann Adams", "ann@north.example"),
        one_off("Jane Doe", ""),
    ];
    // The second member is a contact, which knows the address that the list does not.
    let mut wrapped = vec![0; 4];
    wrapped.extend([0xC0, 0x91, 0xAD, 0xD3, 0x51, 0x9D, 0xCF, 0x11]);
    wrapped.extend([0xA4, 0xA9, 0x00, 0xAA, 0x00, 0x47, 0xFA, 0xA4, 0xC3]);
    wrapped.extend([0; 20]);
    wrapped.extend(contact.to_le_bytes());
    let members = vec![one_off("Ann Adams", "ann@north.example"), wrapped];
    Message::new("IPM.DistList", "Board")
        .prop(tags::DISPLAY_NAME, "Board")
        .prop(tags::SEARCH_KEY, search_key(9011))
        .named(PSETID_ADDRESS, 0x8053, "Board")
        .named(PSETID_ADDRESS, 0x8054, Value::MvBin(one_off_members))
        .named(PSETID_ADDRESS, 0x8055, Value::MvBin(members))
}

/// A list of so many members that they are in a stream.
fn large_list() -> Message {
    let mut stream = vec![1, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0];
    for number in [1000u32, 0, 0, 0] {
        stream.extend(number.to_le_bytes());
    }
    for number in 0..1000 {
        let member = one_off(
            &format!("Member {number}"),
            &format!("m{number}@north.example"),
        );
        for part in [&member, &member, &Vec::new()] {
            stream.extend((part.len() as u32).to_le_bytes());
            stream.extend(part);
        }
    }
    stream.extend([0; 8]);
    Message::new("IPM.DistList", "Everybody")
        .prop(tags::SEARCH_KEY, search_key(9012))
        .named(PSETID_ADDRESS, 0x8053, "Everybody")
        .named(PSETID_ADDRESS, 0x8064, stream)
}

/// An invitation to one instance of a series.
fn instance_invitation() -> Message {
    let mut id = global_object_id(b"series");
    id[16..20].copy_from_slice(&[0x07, 0xE8, 6, 10]);
    let start = filetime(2024, 6, 11, 12, 0);
    Message::appointment("Moved", start, start + 30 * MINUTE, "")
        .prop(tags::MESSAGE_CLASS, "IPM.Schedule.Meeting.Request")
        .prop(tags::SEARCH_KEY, search_key(9110))
        .from("Ann Adams", "ann@north.example")
        .to("Bob", "bob@north.example")
        .named(
            PSETID_APPOINTMENT,
            0x8228,
            Value::Time(filetime(2024, 6, 10, 8, 0)),
        )
        .named(PSETID_APPOINTMENT, 0x825E, ZONES[0].definition())
        .named(PSETID_MEETING, 0x0003, id)
}

/// An answer that proposes another time.
fn proposal() -> Message {
    let start = filetime(2024, 6, 3, 15, 0);
    Message::appointment(
        "Tentative: Budget",
        filetime(2024, 6, 3, 10, 0),
        filetime(2024, 6, 3, 11, 0),
        "",
    )
    .prop(tags::MESSAGE_CLASS, "IPM.Schedule.Meeting.Resp.Tent")
    .prop(tags::SEARCH_KEY, search_key(9111))
    .from("Bob Müller", "bob@north.example")
    .to("Ann Adams", "ann@north.example")
    .named(PSETID_APPOINTMENT, 0x8257, true)
    .named(PSETID_APPOINTMENT, 0x8250, Value::Time(start))
    .named(PSETID_APPOINTMENT, 0x8251, Value::Time(start + 60 * MINUTE))
    .named(
        PSETID_MEETING,
        0x0003,
        global_object_id(b"vCal-Uid\x01\0\0\0budget-7@north.example\0"),
    )
}

fn tasks() -> Vec<Message> {
    let day = |month, day| filetime(2024, month, day, 0, 0);
    let plain = Message::task("File the tax form", day(6, 1), day(6, 30), 0.25)
        .named(PSETID_TASK, 0x811F, "Ann Adams")
        .named(PSETID_COMMON, 0x8503, true)
        .named(
            PSETID_COMMON,
            0x8502,
            Value::Time(filetime(2024, 6, 20, 7, 30)),
        );
    let done = Message::task("Paid", day(5, 1), day(5, 2), 1.0).named(
        PSETID_TASK,
        0x810F,
        Value::Time(filetime(2024, 5, 2, 0, 0)),
    );
    let weekly = Message::task("Water the plants", day(1, 1), day(1, 2), 0.0)
        .named(PSETID_TASK, 0x8116, ROWS[9].pattern())
        .named(PSETID_TASK, 0x8126, true);
    vec![plain, done, weekly]
}

/// The whole store.
pub fn store() -> Store {
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let top = store.ipm_subtree();
    let calendar = store.folder_of(top, "Calendar", "IPF.Appointment");
    for (number, row) in ROWS.iter().enumerate() {
        store.message(calendar, series(number, row));
    }
    for (number, zone) in ZONES.iter().enumerate() {
        store.message(calendar, clock(1000 + number, zone));
    }
    for message in [meeting(), whole_days(), flight()] {
        store.message(calendar, message);
    }
    let inbox = store.folder(top, "Inbox");
    for (number, class) in ["Request", "Canceled", "Resp.Pos", "Resp.Neg", "Resp.Tent"]
        .iter()
        .enumerate()
    {
        let class = format!("IPM.Schedule.Meeting.{class}");
        store.message(inbox, invitation(&class, 9100 + number));
    }
    store.message(inbox, instance_invitation());
    store.message(inbox, proposal());
    let contacts = store.folder_of(top, "Contacts", "IPF.Contact");
    let jane = store.message(contacts, contact());
    store.message(
        contacts,
        Message::contact("Kenji", "Tanaka 田中", "kenji@east.example"),
    );
    store.message(contacts, list(jane));
    store.message(contacts, large_list());
    let folder = store.folder_of(top, "Tasks", "IPF.Task");
    for (number, task) in tasks().into_iter().enumerate() {
        store.message(
            folder,
            task.prop(tags::SEARCH_KEY, search_key(9020 + number)),
        );
    }
    let notes = store.folder_of(top, "Notes", "IPF.StickyNote");
    store.message(
        notes,
        Message::sticky_note("Door code 4711\r\nAsk Bob for the key"),
    );
    let journal = store.folder_of(top, "Journal", "IPF.Journal");
    store.message(
        journal,
        Message::journal(
            "Call with Eva",
            "Phone call",
            filetime(2024, 6, 4, 9, 0),
            30,
        ),
    );
    store
}

/// The items of `store` of one message class and subject.
pub fn find(messages: &[Read], class: &str, subject: &str) -> Read {
    let is_it = |message: &&Read| {
        let stored = message.properties().string(0x001A).unwrap();
        stored.as_deref() == Some(class)
            && message
                .subject()
                .unwrap()
                .is_some_and(|found| found.text == subject)
    };
    messages.iter().find(is_it).expect("the item").clone()
}
