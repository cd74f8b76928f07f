//! The calendar object around the components. RFC 5545 3.4
#![forbid(unsafe_code)]

use jiff::civil::DateTime;

use super::time_zone::{TimeZone, stamp};
use crate::clock;
use crate::convert::content_line::{ContentLines, escape, parameter};
use crate::convert::parts::Parts;
use crate::ltp::FileTime;

/// How every calendar begins. A METHOD, problems, zones and components follow.
pub const HEAD: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//ostfs//ostfs//EN\r\n";
/// How every calendar ends.
pub const TAIL: &str = "END:VCALENDAR\r\n";
/// Names of UTC, whose times are marked by a letter.
const UTC_NAMES: [&str; 3] = ["UTC", "Etc/UTC", "UTC+00:00"];

/// A calendar on its way into a file.
#[derive(Debug, Default)]
pub(super) struct Calendar {
    /// Zones that the components name, with the first year that they are needed for.
    zones: Vec<(TimeZone, i16)>,
    pub components: ContentLines,
}

impl Calendar {
    /// Makes sure that `zone` is defined from `year` on.
    pub fn need_zone(&mut self, zone: &TimeZone, year: i16) {
        match self
            .zones
            .iter_mut()
            .find(|(known, _)| known.id() == zone.id())
        {
            Some((_, from)) => *from = year.min(*from),
            None => self.zones.push((zone.clone(), year)),
        }
    }

    /// The whole file, and what of it stands where if it is one of several items: [`HEAD`], the problems of all, each zone once, the
    /// items, [`TAIL`].
    pub fn finish(self, method: Option<&str>, problems: &[String]) -> (String, Parts) {
        let mut lines = ContentLines::default();
        let at = |lines: &ContentLines| HEAD.len() + lines.len();
        if let Some(method) = method {
            lines.line("METHOD", method);
        }
        let mut parts = Parts::default();
        let start = at(&lines);
        for problem in problems {
            lines.text("X-OSTFS-PROBLEM", problem);
        }
        parts.problems = start..at(&lines);
        for (zone, year) in &self.zones {
            let start = at(&lines);
            zone.write(&mut lines, *year);
            parts.zones.push((escape(zone.id()), start..at(&lines)));
        }
        let start = at(&lines);
        lines.append(&self.components);
        parts.own = start..at(&lines);
        (format!("{HEAD}{}{TAIL}", lines.into_string()), parts)
    }
}

/// How the times of an item are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock<'a> {
    /// The zone of local times; None for UTC.
    zone: Option<&'a TimeZone>,
    /// Days instead of times.
    pub is_all_day: bool,
}

impl<'a> Clock<'a> {
    pub fn new(zone: Option<&'a TimeZone>, is_all_day: bool) -> Self {
        Self {
            zone: zone.filter(|zone| !UTC_NAMES.contains(&zone.id())),
            is_all_day,
        }
    }

    /// `utc` on this clock.
    pub fn local(&self, utc: DateTime) -> DateTime {
        self.zone.map_or(utc, |zone| zone.to_local(utc))
    }

    /// `local` of this clock in UTC.
    pub fn utc(&self, local: DateTime) -> DateTime {
        self.zone.map_or(local, |zone| zone.to_utc(local))
    }

    /// Writes property `name` with the times in `locals`, and notes the zone.
    pub fn write(&self, calendar: &mut Calendar, name: &str, locals: &[DateTime]) {
        let Some(earliest) = locals.iter().min() else {
            return;
        };
        let values: Vec<String> = locals.iter().map(|local| self.value(*local)).collect();
        let parameters = match self.zone {
            _ if self.is_all_day => ";VALUE=DATE".to_owned(),
            Some(zone) => {
                calendar.need_zone(zone, earliest.year());
                parameter("TZID", zone.id())
            }
            None => String::new(),
        };
        calendar
            .components
            .line(&format!("{name}{parameters}"), &values.join(","));
    }

    /// `local` as a value.
    fn value(&self, local: DateTime) -> String {
        if self.is_all_day {
            return local.date().strftime("%Y%m%d").to_string();
        }
        let utc = if self.zone.is_none() { "Z" } else { "" };
        format!("{}{utc}", stamp(local))
    }

    /// `local` as the end of a rule, which is in UTC or a day.
    pub fn until(&self, local: DateTime) -> String {
        if self.is_all_day {
            return self.value(local);
        }
        // Where the distance to UTC is not known for sure, the end of the day leaves no instance out.
        let local = match self.zone {
            Some(zone) if zone.is_only_named() => local.date().at(23, 59, 59, 0),
            _ => local,
        };
        format!("{}Z", stamp(self.utc(local)))
    }
}

/// `time` in UTC, to the second. Outlook counts minutes, but stores 23:59:59.999 here and there: rounded, not cut.
pub(super) fn utc(time: FileTime) -> Option<DateTime> {
    const HALF_SECOND: u32 = 5_000_000;
    let round = i64::from(time.subsecond_ticks() >= HALF_SECOND);
    clock::utc(time.unix_seconds() + round)
}

/// `time` in UTC as a value.
pub(super) fn utc_stamp(time: FileTime) -> Option<String> {
    Some(format!("{}Z", stamp(utc(time)?)))
}
