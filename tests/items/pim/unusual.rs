//! Calendars and contacts that are unusual and plausible.

use super::blob::{Ends, NO_END, Row, minutes};
use super::patterns::ROWS;
use super::zones::ZONES;
use super::{APPOINTMENT, assert_has, convert, lines, messages, unfold};
use crate::support::*;
use ostfs::convert::VcardVersion as Version;
use ostfs::messaging::{Message as Read, Store as Reader};
use std::sync::Arc;

/// What a store of `items` has.
fn read(items: Vec<Message>) -> (tempfile::TempDir, Vec<Read>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("unusual.pst");
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let inbox = store.folder(store.ipm_subtree(), "Items");
    for item in items {
        store.message(inbox, item);
    }
    store.write(&file).unwrap();
    let store = Arc::new(Reader::open(ostfs::ndb::open(&file, 64 << 20).unwrap()));
    (folder, messages(&store))
}

fn card(contact: Message, version: Version) -> Vec<String> {
    let (_folder, read) = read(vec![contact]);
    unfold(&convert(&read[0], version).unwrap().text)
}

fn jane() -> Message {
    Message::contact("Jane", "Doe", "jane@west.example")
}

#[test]
fn both_addresses_of_an_entry_are_written_where_they_differ() {
    let contact = jane().named(PSETID_ADDRESS, 0x8084, "doe@old.example");
    assert_has(
        &card(contact, Version::V3),
        &[
            "EMAIL;TYPE=INTERNET;TYPE=PREF:jane@west.example",
            "EMAIL;TYPE=INTERNET:doe@old.example",
        ],
    );
    let same = card(
        jane().named(PSETID_ADDRESS, 0x8084, "Jane@WEST.example"),
        Version::V3,
    );
    assert_eq!(
        same.iter().filter(|line| line.starts_with("EMAIL")).count(),
        1
    );
}

#[test]
fn a_post_office_box_and_a_place_are_written() {
    let address = |contact: Message| {
        contact
            .prop(tags::STREET_ADDRESS, "2 Work Road")
            .prop(tags::LOCALITY, "Zürich")
            .prop(tags::POST_OFFICE_BOX, "PO 7")
    };
    let own = jane()
        .named(PSETID_ADDRESS, 0x8045, "2 Work Road")
        .named(PSETID_ADDRESS, 0x8046, "Zürich")
        .named(PSETID_ADDRESS, 0x8022, 2);
    let lines = card(address(own).prop(tags::LOCATION, "Building 4"), Version::V3);
    assert_has(
        &lines,
        &[
            "ADR;TYPE=WORK;TYPE=PREF:PO 7;;2 Work Road;Zürich;;;",
            "X-LOCATION:Building 4",
        ],
    );
    assert_eq!(
        lines.iter().filter(|line| line.starts_with("ADR")).count(),
        1
    );
    // One that is none of the others is another address.
    let home = jane()
        .prop(tags::HOME_ADDRESS_STREET, "1 Home Street")
        .prop(tags::HOME_ADDRESS_CITY, "Hometown");
    assert_has(
        &card(address(home), Version::V3),
        &[
            "ADR;TYPE=HOME:;;1 Home Street;Hometown;;;",
            "ADR;TYPE=PREF:PO 7;;2 Work Road;Zürich;;;",
        ],
    );
}

#[test]
fn a_birthday_without_a_year_is_written_without_a_year() {
    let contact = || {
        jane()
            .prop(tags::BIRTHDAY, Value::Time(filetime(1604, 2, 28, 23, 0)))
            .prop(
                tags::WEDDING_ANNIVERSARY,
                Value::Time(filetime(1999, 9, 9, 11, 59)),
            )
    };
    assert_has(
        &card(contact(), Version::V3),
        &["BDAY:--02-29", "X-ANNIVERSARY:1999-09-09"],
    );
    assert_has(&card(contact(), Version::V4), &["BDAY:--0229"]);
}

#[test]
fn an_address_in_a_property_that_has_no_name_is_told() {
    let contact = Message::new("IPM.Contact", "Jane")
        .prop(tags::DISPLAY_NAME, "Jane")
        .prop(0xBFF3, "jane@west.example");
    let said = "jane@west.example (property 0xbff3";
    let found = card(contact, Version::V3);
    assert!(
        found
            .iter()
            .any(|line| line.starts_with("X-OSTFS-NAMELESS-ADDRESS:") && line.contains(said)),
        "{found:#?}"
    );
    let silent = card(jane().prop(0xBFF3, "x@y.example"), Version::V3);
    assert!(
        !silent
            .iter()
            .any(|line| line.starts_with("X-OSTFS-NAMELESS"))
    );
}

fn row(name: &str) -> &'static Row {
    ROWS.iter().find(|row| row.name == name).unwrap()
}

fn series(subject: &str, row: &Row, day: u64) -> Message {
    Message::appointment(subject, day, day + 45 * 600_000_000, "")
        .named(PSETID_APPOINTMENT, 0x8223, true)
        .named(PSETID_APPOINTMENT, 0x8216, row.appointment())
}

#[test]
fn of_two_ends_that_contradict_each_other_the_later_is_taken_and_told() {
    let row = row("every day, three times, and until a later day");
    let (_folder, read) = read(vec![series("Both", row, filetime(2024, 1, 1, 9, 0))]);
    let item = convert(&read[0], Version::V3).unwrap();
    assert_has(
        &unfold(&item.text),
        &["RRULE:FREQ=DAILY;UNTIL=20240106T090000Z"],
    );
    assert_eq!(
        item.problems,
        ["the recurrence ends after 3 instances, and on 2024-01-06: the later is taken"]
    );
}

/// The rule of a daily series that ends by a day, which is stored as `minutes`.
fn rule_until(minutes: u32) -> String {
    let row = Row {
        ends: Ends::UntilMinutes(minutes),
        ..*row("every day")
    };
    let (_folder, read) = read(vec![series("Until", &row, filetime(2024, 3, 25, 9, 0))]);
    let item = convert(&read[0], Version::V3).unwrap();
    assert_eq!(item.problems, [""; 0]);
    let lines = unfold(&item.text);
    let mut rules = lines.iter().filter(|line| line.starts_with("RRULE:"));
    let rule = rules.next().unwrap().clone();
    assert_eq!(rules.next(), None);
    rule
}

#[test]
fn a_series_until_a_day_that_stands_for_none_never_ends() {
    for end in [
        0,
        NO_END,
        minutes("4500-01-01"),
        minutes("4500-12-31"),
        u32::MAX,
    ] {
        assert_eq!(rule_until(end), "RRULE:FREQ=DAILY", "{end:#x}");
    }
    for (day, until) in [
        ("2024-04-10", "20240410T090000Z"),
        ("4499-12-31", "44991231T090000Z"),
    ] {
        let rule = format!("RRULE:FREQ=DAILY;UNTIL={until}");
        assert_eq!(rule_until(minutes(day)), rule);
    }
}

/// A TZDEFINITION without rules.
fn name_alone(name: &str) -> Vec<u8> {
    let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut out = vec![2, 1];
    out.extend((name.len() as u16 + 6).to_le_bytes());
    out.extend([2, 0]);
    out.extend((name.len() as u16 / 2).to_le_bytes());
    out.extend(name);
    out.extend([0, 0]);
    out
}

#[test]
fn a_zone_that_has_a_known_name_and_no_rules_is_known_by_its_name() {
    let definition = name_alone(ZONES[0].windows);
    let row = row("every day");
    let named = |subject: &str| {
        series(subject, row, filetime(2024, 3, 25, 9, 0)).named(
            PSETID_APPOINTMENT,
            0x8260,
            definition.clone(),
        )
    };
    let with_rules = named("Rules").named(PSETID_APPOINTMENT, 0x8233, ZONES[0].structure());
    let (_folder, read) = read(vec![named("Name"), with_rules]);
    for (subject, zones) in [("Name", 0), ("Rules", 1)] {
        let found = lines(&read, APPOINTMENT, subject, Version::V3);
        assert_has(&found, &["DTSTART;TZID=Europe/Berlin:20240325T100000"]);
        let defined = found.iter().filter(|line| *line == "BEGIN:VTIMEZONE");
        assert_eq!(defined.count(), zones, "{subject}");
    }
}

/// An instance that the recurrence does not know is one all the same.
#[test]
fn a_changed_instance_that_no_exception_names_is_written() {
    let at = |hour| Value::Time(filetime(2024, 3, 27, hour, 0));
    let inner = Message::new(
        "IPM.OLE.CLASS.{00061055-0000-0000-C000-000000000046}",
        "Later",
    )
    .named(PSETID_APPOINTMENT, 0x820D, at(15))
    .named(PSETID_APPOINTMENT, 0x820E, at(16))
    .named(PSETID_APPOINTMENT, 0x8228, at(9));
    let zone = ZONES[0].definition();
    let attached = |flags: i32, hidden: bool| {
        let instance = Attachment::message(inner.clone())
            .prop(tags::ATTACHMENT_FLAGS, flags)
            .prop(tags::ATTACHMENT_HIDDEN, hidden);
        series("Series", row("every day"), filetime(2024, 3, 25, 9, 0))
            .named(PSETID_APPOINTMENT, 0x8260, zone.clone())
            .attach(instance)
    };
    // Its class tells what it is where the flags of the attachment do not.
    let (_folder, read) = read(vec![attached(2, true), attached(0, false)]);
    for item in &read {
        let item = convert(item, Version::V3).unwrap();
        let lines = unfold(&item.text);
        assert_has(
            &lines,
            &[
                "RECURRENCE-ID;TZID=Europe/Berlin:20240327T100000",
                "DTSTART;TZID=Europe/Berlin:20240327T160000",
                "SUMMARY:Later",
                "X-OSTFS-PROBLEM:a changed instance belongs to no exception of the recurrence",
            ],
        );
        let is_attached = |line: &String| line.contains("ATTACH");
        assert!(!lines.iter().any(is_attached), "{lines:#?}");
    }
}

#[test]
fn each_changed_instance_has_the_text_of_its_own_message() {
    let daily = Row {
        changed: &[
            ("2024-03-26", "2024-03-26", 660, None, None),
            ("2024-03-27", "2024-03-27", 720, None, None),
        ],
        ..*row("every day")
    };
    let instance = |day: i64, text: &str| {
        // The series begins at 10:00 in Berlin, before the clocks change.
        let original = Value::Time(filetime(2024, 3, day, 9, 0));
        let inner = Message::new(
            "IPM.OLE.CLASS.{00061055-0000-0000-C000-000000000046}",
            "Series",
        )
        .body(text)
        .named(PSETID_APPOINTMENT, 0x8228, original);
        Attachment::message(inner)
            .prop(tags::ATTACHMENT_FLAGS, 2)
            .prop(tags::ATTACHMENT_HIDDEN, true)
    };
    let series = series("Series", &daily, filetime(2024, 3, 25, 9, 0))
        .named(PSETID_APPOINTMENT, 0x8260, ZONES[0].definition())
        .attach(instance(26, "of the first"))
        .attach(instance(27, "of the second"));
    let (_folder, read) = read(vec![series]);
    let item = convert(&read[0], Version::V3).unwrap();
    assert_eq!(item.problems, [""; 0]);
    let lines = unfold(&item.text);
    let entries: Vec<_> = lines.split(|line| line == "BEGIN:VEVENT").collect();
    for (day, text) in [(26, "of the first"), (27, "of the second")] {
        let id = format!("RECURRENCE-ID;TZID=Europe/Berlin:202403{day}T100000");
        let entry = entries.iter().find(|lines| lines.contains(&id));
        let entry = entry.unwrap_or_else(|| panic!("{lines:#?}"));
        assert_has(entry, &[&format!("DESCRIPTION:{text}")]);
    }
}

#[test]
fn a_task_keeps_its_days_whatever_time_of_day_is_stored_with_them() {
    let time = |day: i64, hour| Value::Time(filetime(2016, 7, day, hour, 21));
    let local = Message::task("local", 0, 0, 0.0)
        .named(PSETID_TASK, 0x8104, time(12, 12))
        .named(PSETID_TASK, 0x8105, time(12, 23));
    let day = |day: i64, hour| filetime(2016, 7, day, hour, 0);
    // The midnights of Berlin and of Denver, in UTC.
    let utc = Message::new("IPM.Task", "utc")
        .named(PSETID_COMMON, 0x8516, Value::Time(day(11, 22)))
        .named(PSETID_COMMON, 0x8517, Value::Time(day(12, 6)));
    let (_folder, read) = read(vec![local, utc]);
    for task in &read {
        let text = unfold(&convert(task, Version::V3).unwrap().text);
        assert_has(
            &text,
            &["DTSTART;VALUE=DATE:20160712", "DUE;VALUE=DATE:20160712"],
        );
    }
}

#[test]
fn every_entry_of_a_calendar_has_a_stamp_if_the_item_has_any_time() {
    let start = filetime(2024, 6, 3, 9, 0);
    let untimed = |message: Message| {
        let times = [0x0E06, 0x0039, 0x3007, 0x3008];
        times.into_iter().fold(message, Message::without)
    };
    let created = Value::Time(filetime(2024, 5, 2, 8, 0));
    let items = vec![
        Message::appointment("changed", start, start, "Room"),
        untimed(Message::appointment("created", start, start, "Room"))
            .prop(tags::CREATION_TIME, created),
        untimed(Message::appointment("event", start, start, "Room")),
        untimed(Message::task("task", start, start, 0.0)),
    ];
    let (_folder, read) = read(items);
    let stamps = [
        "20240501T0932",
        "20240502T0800",
        "20240603T0900",
        "20240603T0900",
    ];
    for (item, stamp) in read.iter().zip(stamps) {
        let text = unfold(&convert(item, Version::V3).unwrap().text);
        assert_has(&text, &[&format!("DTSTAMP:{stamp}00Z")]);
        // That it stands in for another time is said.
        let is_said = text.iter().any(|line| line.contains("is its start"));
        assert_eq!(is_said, stamp == "20240603T0900", "{text:#?}");
        assert!(item.problems().is_empty(), "nothing is wrong with it");
    }
}
