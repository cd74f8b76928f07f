//! Days of a series are those on which it takes place: for `search` and for the filters of `export` and `index`.

use super::Scene;
use crate::mounted::ostfs;
use crate::support::*;

/// A midnight as recurrences have it: minutes since 1601.
fn minutes(month: i64, day: i64) -> u32 {
    (filetime(2024, month, day, 0, 0) / 600_000_000) as u32
}

/// Each Tuesday from 2024-05-07, five times, from 10:00 to 11:00; not on the 14th, and on Thursday the 23rd at 15:00
/// instead of the 21st. [MS-OXOCAL] 2.2.1.44.5
fn pattern() -> Vec<u8> {
    const ENDS_AFTER_COUNT: u32 = 0x2022;
    let mut blob = Vec::new();
    // Versions, weekly, by days of the week, Gregorian.
    for number in [0x3004_u16, 0x3004, 0x200B, 1, 0] {
        blob.extend(number.to_le_bytes());
    }
    let deleted = [minutes(5, 14), minutes(5, 21)];
    let modified = minutes(5, 23);
    let numbers = [0, 1, 0, 1 << 2, ENDS_AFTER_COUNT, 5, 0, 2];
    let days = [1, modified, minutes(5, 7), minutes(6, 4)];
    let times = [0x3006, 0x3009, 10 * 60, 11 * 60];
    for number in numbers.into_iter().chain(deleted).chain(days).chain(times) {
        blob.extend(number.to_le_bytes());
    }
    blob.extend(1_u16.to_le_bytes());
    let (start, original) = (modified + 15 * 60, minutes(5, 21) + 10 * 60);
    for number in [start, start + 60, original] {
        blob.extend(number.to_le_bytes());
    }
    // No field of the instance but its time is another one.
    blob.extend(0_u16.to_le_bytes());
    blob.extend([0; 4]);
    // The extended exception: a change highlight, a reserved block; the last reserved block.
    for number in [4_u32, 0, 0, 0] {
        blob.extend(number.to_le_bytes());
    }
    blob
}

fn scene() -> Scene {
    Scene::new(|store| {
        let calendar = store.folder_of(store.ipm_subtree(), "Calendar", "IPF.Appointment");
        let time = |day, hour| filetime(2024, 5, day, hour, 0);
        let meeting = Message::appointment("meeting", time(7, 10), time(7, 11), "Room")
            .named(PSETID_APPOINTMENT, 0x8223, true)
            .named(PSETID_APPOINTMENT, 0x8216, pattern())
            .named(PSETID_APPOINTMENT, 0x8235, Value::Time(time(7, 0)))
            .named(
                PSETID_APPOINTMENT,
                0x8236,
                Value::Time(filetime(2024, 6, 4, 0, 0)),
            );
        store.message(calendar, meeting);
    })
}

#[test]
fn a_day_has_a_series_if_an_instance_takes_place_on_it() {
    let scene = scene();
    let file = scene.file.to_str().unwrap();
    for (day, takes_place) in [
        ("2024-05-06", false),
        ("2024-05-07", true),
        ("2024-05-08", false),
        ("2024-05-14", false),
        ("2024-05-21", false),
        ("2024-05-23", true),
        ("2024-05-28", true),
        ("2024-06-03", false),
        ("2024-06-04", true),
        ("2024-06-05", false),
    ] {
        let found = scene.found(&["-o", "tz=UTC"], &format!("date:{day}"));
        assert_eq!(!found.is_empty(), takes_place, "{day}: {found:?}");
        let index = ["index", "--no-hash", "--since", day, "--until", day, file];
        let output = ostfs(&index);
        assert_eq!(output.status.success(), takes_place, "{day}: {output:?}");
    }
    assert_eq!(scene.found(&[], "date:2024-06"), ["meeting"]);
}
