//! The calendar object around the components. RFC 5545 3.4
#![forbid(unsafe_code)]

use jiff::civil::DateTime;

use super::time_zone::{TimeZone, stamp};
use crate::clock;
use crate::convert::content_line::{ContentLines, parameter};
use crate::ltp::FileTime;

/// How every calendar begins. A METHOD, problems, zones and components follow.
pub const HEAD: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//ostfs//ostfs//EN\r\n";
/// How every calendar ends.
pub const TAIL: &str = "END:VCALENDAR\r\n";
const ZONE_START: &str = "BEGIN:VTIMEZONE\r\n";
const ZONE_END: &str = "\r\nEND:VTIMEZONE\r\n";
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

    /// The whole file.
    pub fn finish(self, method: Option<&str>, problems: &[String]) -> String {
        let mut lines = ContentLines::default();
        if let Some(method) = method {
            lines.line("METHOD", method);
        }
        for problem in problems {
            lines.text("X-OSTFS-PROBLEM", problem);
        }
        for (zone, year) in &self.zones {
            zone.write(&mut lines, *year);
        }
        lines.append(&self.components);
        format!("{HEAD}{}{TAIL}", lines.into_string())
    }
}

/// A calendar of one item in pieces, to be put together with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts<'a> {
    /// `X-OSTFS-PROBLEM` lines, to stand before all zones.
    pub problems: &'a str,
    /// VTIMEZONE components; those with the same first two lines are of the same TZID, and one of them is enough.
    pub zones: Vec<&'a str>,
    /// The other components.
    pub components: &'a str,
}

/// Takes the calendar of `convert::item` apart; None for other text.
///
/// A file with many items is [`HEAD`], the problems of all, each zone once, the components of all, [`TAIL`].
pub fn parts(calendar: &str) -> Option<Parts<'_>> {
    let inner = calendar.strip_prefix(HEAD)?.strip_suffix(TAIL)?;
    // Text is escaped, so that nothing but a component begins a line like this.
    let start = match inner.starts_with("BEGIN:") {
        true => 0,
        false => inner.find("\r\nBEGIN:")? + "\r\n".len(),
    };
    let (problems, mut components) = inner.split_at_checked(start)?;
    let mut zones = Vec::new();
    while components.starts_with(ZONE_START) {
        let end = components.find(ZONE_END)? + ZONE_END.len();
        let (zone, rest) = components.split_at_checked(end)?;
        zones.push(zone);
        components = rest;
    }
    Some(Parts {
        problems,
        zones,
        components,
    })
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
