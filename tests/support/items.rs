//! Constructors for items other than mail, with the least that Outlook writes. [MS-OXOCNTC], [MS-OXOCAL], [MS-OXOTASK], [MS-OXONOTE], [MS-OXOJRNL].
use super::message::*;
use super::tags;
use super::value::Value;

/// 100 ns units in a minute.
const MINUTE: u64 = 600_000_000;

impl Message {
    /// A contact with one address.
    pub fn contact(given: &str, surname: &str, address: &str) -> Message {
        let name = format!("{given} {surname}");
        Message::new("IPM.Contact", &name)
            .prop(tags::DISPLAY_NAME, name.as_str())
            .prop(tags::GIVEN_NAME, given)
            .prop(tags::SURNAME, surname)
            .named(PSETID_ADDRESS, 0x8005, format!("{surname}, {given}"))
            .named(PSETID_ADDRESS, 0x8080, format!("{name} ({address})"))
            .named(PSETID_ADDRESS, 0x8082, "SMTP")
            .named(PSETID_ADDRESS, 0x8083, address)
            .named(PSETID_ADDRESS, 0x8084, address)
    }

    /// An appointment; times in UTC.
    pub fn appointment(subject: &str, start: u64, end: u64, location: &str) -> Message {
        let minutes = (end.saturating_sub(start) / MINUTE) as i32;
        Message::new("IPM.Appointment", subject)
            .prop(tags::START_DATE, Value::Time(start))
            .prop(tags::END_DATE, Value::Time(end))
            .named(PSETID_APPOINTMENT, 0x8205, 2)
            .named(PSETID_APPOINTMENT, 0x8208, location)
            .named(PSETID_APPOINTMENT, 0x820D, Value::Time(start))
            .named(PSETID_APPOINTMENT, 0x820E, Value::Time(end))
            .named(PSETID_APPOINTMENT, 0x8213, minutes)
            .named(PSETID_APPOINTMENT, 0x8215, false)
            .named(PSETID_APPOINTMENT, 0x8217, 0)
            .named(PSETID_APPOINTMENT, 0x8223, false)
            .named(PSETID_COMMON, 0x8516, Value::Time(start))
            .named(PSETID_COMMON, 0x8517, Value::Time(end))
            .named(PSETID_COMMON, 0x8503, false)
    }

    /// A task that is due at a UTC date.
    pub fn task(subject: &str, start: u64, due: u64, done: f64) -> Message {
        let status = if done >= 1.0 {
            2
        } else {
            i32::from(done > 0.0)
        };
        Message::new("IPM.Task", subject)
            .named(PSETID_TASK, 0x8101, status)
            .named(PSETID_TASK, 0x8102, Value::F64(done))
            .named(PSETID_TASK, 0x8104, Value::Time(start))
            .named(PSETID_TASK, 0x8105, Value::Time(due))
            .named(PSETID_TASK, 0x811C, done >= 1.0)
            .named(PSETID_COMMON, 0x8516, Value::Time(start))
            .named(PSETID_COMMON, 0x8517, Value::Time(due))
    }

    /// A sticky note: its subject is the first line of the text.
    pub fn sticky_note(text: &str) -> Message {
        Message::new("IPM.StickyNote", text.lines().next().unwrap_or(""))
            .body(text)
            .named(PSETID_NOTE, 0x8B00, 3)
            .named(PSETID_NOTE, 0x8B02, 200)
            .named(PSETID_NOTE, 0x8B03, 166)
    }

    /// A journal entry.
    pub fn journal(subject: &str, kind: &str, start: u64, minutes: u64) -> Message {
        Message::new("IPM.Activity", subject)
            .named(PSETID_LOG, 0x8700, kind)
            .named(PSETID_LOG, 0x8706, Value::Time(start))
            .named(PSETID_LOG, 0x8707, minutes as i32)
            .named(PSETID_LOG, 0x8708, Value::Time(start + minutes * MINUTE))
            .named(PSETID_LOG, 0x8712, kind)
    }

    /// A distribution list of one-off members.
    pub fn distribution_list(name: &str, members: &[(&str, &str)]) -> Message {
        let ids: Vec<Vec<u8>> = members.iter().map(|(n, a)| one_off(n, a)).collect();
        Message::new("IPM.DistList", name)
            .prop(tags::DISPLAY_NAME, name)
            .named(PSETID_ADDRESS, 0x8053, name)
            .named(PSETID_ADDRESS, 0x8054, Value::MvBin(ids.clone()))
            .named(PSETID_ADDRESS, 0x8055, Value::MvBin(ids))
    }
}
