//! Recurrence patterns and time zones, alone, and what calendar files become of them.

use jiff::civil::date;
use ostfs::convert::calendar::recurrence::{self, End, RecurrencePattern};
use ostfs::convert::calendar::time_zone::TimeZone;
use ostfs::convert::calendar::{instances, rrule};

use super::image::Image;
use super::item;
use crate::support::{Message, PSETID_APPOINTMENT, PSETID_TASK, filetime};

/// Kinds of records, each a blob of its own.
pub const APPOINTMENT: u8 = 0;
pub const TASK: u8 = 1;
pub const DEFINITION: u8 = 2;
pub const STRUCTURE: u8 = 3;
const MOST_DAYS: usize = 1000;

pub fn run(data: &[u8]) {
    let image = Image::parse(data);
    let start = filetime(2024, 3, 29, 10, 0);
    let mut appointment = Message::appointment("Event", start, start + 36_000_000_000, "Room")
        .named(PSETID_APPOINTMENT, 0x8223, true);
    let mut task = Message::task("Task", start, start, 0.5);
    for record in image.records.iter().take(8) {
        let bytes = &record.payload;
        match record.kind % 4 {
            APPOINTMENT => {
                if let Ok(parsed) = recurrence::parse_appointment(bytes, 1252) {
                    pattern(&parsed.pattern);
                }
                appointment = appointment.named(PSETID_APPOINTMENT, 0x8216, bytes.as_slice());
            }
            TASK => {
                if let Ok(parsed) = recurrence::parse_pattern(bytes) {
                    pattern(&parsed);
                }
                task = task.named(PSETID_TASK, 0x8116, bytes.as_slice());
            }
            DEFINITION => {
                zone(TimeZone::of_definition(bytes));
                let lid = [0x825E, 0x825F, 0x8260][record.words[0] as usize % 3];
                appointment = appointment.named(PSETID_APPOINTMENT, lid, bytes.as_slice());
            }
            _ => {
                zone(TimeZone::of_struct(bytes, Some("Zone")));
                appointment = appointment.named(PSETID_APPOINTMENT, 0x8233, bytes.as_slice());
            }
        }
    }
    item::walk(&image, [appointment, task]);
}

fn pattern(pattern: &RecurrencePattern) {
    let days = instances::instances(pattern, MOST_DAYS);
    assert!(days.len() <= MOST_DAYS);
    assert!(days.is_sorted_by(|a, b| a < b), "{pattern:?}");
    assert!(days.iter().all(|day| *day >= pattern.start));
    match pattern.end {
        End::Until(until) => assert!(days.iter().all(|day| *day <= until)),
        End::Count(count) => assert!(days.len() <= count as usize),
        End::Never => {}
    }
    if let Some(rule) = rrule::rule(pattern, |day| day.to_string()) {
        assert!(rule.listed.len() <= rrule::MAX_LISTED);
        if let Some(first) = days.first() {
            assert_eq!(rule.first, *first, "{pattern:?}");
        }
    }
}

fn zone(zone: Option<TimeZone>) {
    let Some(zone) = zone else {
        return;
    };
    for year in [-9998, 1601, 1900, 1970, 2007, 2024, 2100, 4500, 9999] {
        for (month, day) in [(1, 1), (3, 31), (10, 27), (12, 31)] {
            let moment = date(year, month, day).at(2, 30, 0, 0);
            _ = zone.to_local(moment);
            _ = zone.to_utc(moment);
        }
    }
}
