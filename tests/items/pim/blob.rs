//! Writes AppointmentRecurrencePattern blobs. [MS-OXOCAL] 2.2.1.44.5

use jiff::civil::Date;

pub const DAILY: u16 = 0x200A;
pub const WEEKLY: u16 = 0x200B;
pub const MONTHLY: u16 = 0x200C;
pub const YEARLY: u16 = 0x200D;

#[derive(Clone, Copy)]
pub enum Ends {
    Never,
    Count(u32),
    /// By a number, while a last day is stored as well.
    CountOr(u32, &'static str),
    Until(&'static str),
    /// By a day, in minutes as it is stored.
    UntilMinutes(u32),
}

/// A changed instance: original day, new day, new start in minutes, subject, place.
pub type Changed = (
    &'static str,
    &'static str,
    u32,
    Option<&'static str>,
    Option<&'static str>,
);

/// One line of the table of patterns.
#[derive(Clone, Copy)]
pub struct Row {
    pub name: &'static str,
    pub frequency: u16,
    pub pattern_type: u16,
    pub calendar: u16,
    pub period: u32,
    pub specific: &'static [u32],
    pub ends: Ends,
    pub first_day_of_week: u32,
    pub start: &'static str,
    /// Days of deleted and of changed instances.
    pub deleted: &'static str,
    pub changed: &'static [Changed],
    pub is_all_day: bool,
    /// The first five days, deleted ones included, as `tests/judges/recurrence.py --print` reads them from the blob.
    pub first_days: &'static str,
}

impl Row {
    /// What most have in common: a series of the Gregorian calendar that does not end, and of which nothing was changed.
    pub const PLAIN: Row = Row {
        name: "",
        frequency: DAILY,
        pattern_type: 0,
        calendar: 0,
        period: 0,
        specific: &[],
        ends: Ends::Never,
        first_day_of_week: 0,
        start: "",
        deleted: "",
        changed: &[],
        is_all_day: false,
        first_days: "",
    };
}

/// Minutes from the midnight that begins 1601.
pub fn minutes(day: &str) -> u32 {
    let day: Date = day.parse().unwrap();
    let epoch: Date = "1601-01-01".parse().unwrap();
    (epoch.until(day).unwrap().get_days() * 24 * 60) as u32
}

pub const START: u32 = 600;
pub const LENGTH: u32 = 45;
/// 31 August 4500, which stands for no end. [MS-OXOCAL] 2.2.1.44.1
pub const NO_END: u32 = 0x5AE9_80DF;

impl Row {
    pub fn start_minutes(&self) -> u32 {
        if self.is_all_day { 0 } else { START }
    }

    pub fn length(&self) -> u32 {
        if self.is_all_day { 1440 } else { LENGTH }
    }

    /// RecurrencePattern, as tasks have it.
    pub fn pattern(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for field in [
            0x3004,
            0x3004,
            self.frequency,
            self.pattern_type,
            self.calendar,
        ] {
            out.extend(field.to_le_bytes());
        }
        let mut put = |number: u32| out.extend(number.to_le_bytes());
        put(0);
        put(self.period);
        put(0);
        self.specific.iter().for_each(|number| put(*number));
        let (kind, count, end) = match self.ends {
            Ends::Never => (0x2023, 10, NO_END),
            Ends::Count(count) => (0x2022, count, NO_END),
            Ends::CountOr(count, day) => (0x2022, count, minutes(day)),
            Ends::Until(day) => (0x2021, 10, minutes(day)),
            Ends::UntilMinutes(end) => (0x2021, 10, end),
        };
        put(kind);
        put(count);
        put(self.first_day_of_week);
        let deleted: Vec<u32> = self.deleted.split_whitespace().map(minutes).collect();
        put(deleted.len() as u32);
        deleted.iter().for_each(|day| put(*day));
        put(self.changed.len() as u32);
        self.changed
            .iter()
            .for_each(|changed| put(minutes(changed.1)));
        put(minutes(self.start));
        put(end);
        out
    }

    /// AppointmentRecurrencePattern.
    pub fn appointment(&self) -> Vec<u8> {
        let mut out = self.pattern();
        for number in [
            0x3006,
            0x3009,
            self.start_minutes(),
            self.start_minutes() + self.length(),
        ] {
            out.extend(number.to_le_bytes());
        }
        out.extend((self.changed.len() as u16).to_le_bytes());
        for changed in self.changed {
            self.times(&mut out, changed);
            let (_, _, _, subject, place) = changed;
            let flags = u16::from(subject.is_some()) | u16::from(place.is_some()) << 4;
            out.extend(flags.to_le_bytes());
            for text in [subject, place].into_iter().flatten() {
                let ansi: Vec<u8> = text
                    .chars()
                    .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
                    .collect();
                out.extend((ansi.len() as u16 + 1).to_le_bytes());
                out.extend((ansi.len() as u16).to_le_bytes());
                out.extend(ansi);
            }
        }
        out.extend([0; 4]);
        for changed in self.changed {
            let (_, _, _, subject, place) = changed;
            out.extend([4, 0, 0, 0, 0, 0, 0, 0]);
            out.extend([0; 4]);
            if subject.is_some() || place.is_some() {
                self.times(&mut out, changed);
                for text in [subject, place].into_iter().flatten() {
                    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                    out.extend((utf16.len() as u16 / 2).to_le_bytes());
                    out.extend(utf16);
                }
                out.extend([0; 4]);
            }
        }
        out.extend([0; 4]);
        out
    }

    fn times(&self, out: &mut Vec<u8>, (original, day, at, _, _): &Changed) {
        let start = minutes(day) + at;
        for number in [
            start,
            start + self.length(),
            minutes(original) + self.start_minutes(),
        ] {
            out.extend(number.to_le_bytes());
        }
    }
}
