//! One option as it is typed, and the values that options take.

use std::fs;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::cli::exit::Exit;
use crate::cli::report::Failure;
use crate::codepage;
use crate::tree::Template;

/// Below this a cache holds not even the blocks of one large table, and a part of a PST little more than its own tables.
const LEAST_SIZE: u64 = 1 << 20;

/// One option: `name` or `name=value`.
pub(super) struct Word<'a> {
    pub name: &'a str,
    pub value: Option<&'a str>,
}

impl<'a> Word<'a> {
    /// `word` taken apart.
    pub fn new(word: &'a str) -> Self {
        match word.split_once('=') {
            Some((name, value)) => Self {
                name,
                value: Some(value),
            },
            None => Self {
                name: word,
                value: None,
            },
        }
    }

    /// Fails if there is a value.
    pub fn no_value(&self) -> Result<(), Failure> {
        match self.value {
            None => Ok(()),
            Some(_) => Err(usage(format!("-o {}: takes no value", self.name))),
        }
    }

    /// The value, which must not be empty. What is wanted, and a value that would do, are for the user.
    pub fn value(&self, wanted: &str, example: &str) -> Result<&'a str, Failure> {
        self.value
            .filter(|value| !value.is_empty())
            .ok_or_else(|| self.wrong(wanted, example))
    }

    fn wrong(&self, wanted: &str, example: &str) -> Failure {
        let name = self.name;
        let value = self.value.map(|value| format!("={value}"));
        let value = value.unwrap_or_default();
        usage(format!(
            "-o {name}{value}: give {wanted}, as in -o {name}={example}"
        ))
    }

    /// The meaning of a value that must be one of these.
    pub fn one_of<T: Copy>(&self, choices: &[(&'static str, T)]) -> Result<T, Failure> {
        let chosen = choices.iter().find(|(value, _)| Some(*value) == self.value);
        chosen.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let mut values: Vec<&str> = choices.iter().map(|(value, _)| *value).collect();
            let last = values.pop().unwrap_or_default();
            self.wrong(&format!("{} or {last}", values.join(", ")), last)
        })
    }

    pub fn names(&self) -> Result<Template, Failure> {
        let template = self.value("a template", "{date} {from} {subject}")?;
        template
            .parse()
            .map_err(|error| usage(format!("-o names={template}: {error}")))
    }

    /// Loaded whole now: later the process may no longer be able to open files.
    pub fn zone(&self) -> Result<TimeZone, Failure> {
        let (wanted, example) = ("local, UTC or a zone by its name", "Europe/Berlin");
        let name = self.value(wanted, example)?;
        let zone = match name {
            "local" => TimeZone::try_system(),
            "UTC" => Ok(TimeZone::UTC),
            name => TimeZone::get(name),
        };
        zone.map_err(|_| {
            let hint = "zones are those below /usr/share/zoneinfo (package tzdata)";
            let reason = match name {
                "local" => "the system names no time zone that is known (TZ, /etc/localtime)",
                _ => "no such time zone",
            };
            usage(format!(
                "-o tz={name}: {reason}; give {wanted}, as in -o tz={example}; {hint}"
            ))
        })
    }

    pub fn duration(&self) -> Result<Duration, Failure> {
        duration(self.value.unwrap_or_default()).map_err(|wanted| self.wrong(wanted, "10m"))
    }

    pub fn code_page(&self) -> Result<u32, Failure> {
        let (wanted, example) = ("the number of a code page", "1251");
        let number = self.value(wanted, example)?.parse().ok();
        let number = number.filter(|number| codepage::is_known(*number));
        number.ok_or_else(|| self.wrong(wanted, example))
    }

    /// A user or a group by number, or by name as `database`, /etc/passwd or /etc/group, has it.
    pub fn owner(&self, database: &str) -> Result<u32, Failure> {
        let wanted = format!("a number (id(1) shows yours), or a name of {database}");
        let example = "1000";
        let value = self.value(&wanted, example)?;
        let named = || {
            let text = fs::read_to_string(database).ok()?;
            // Name, password, number, and more. passwd(5), group(5)
            let mut entries = text.lines().map(|line| line.split(':'));
            entries.find_map(|mut entry| match entry.next() {
                Some(name) if name == value => entry.nth(1)?.parse().ok(),
                _ => None,
            })
        };
        let number = value.parse().ok().or_else(named);
        // The largest one means "no user" to the kernel.
        let number = number.filter(|number| *number != u32::MAX);
        number.ok_or_else(|| self.wrong(&wanted, example))
    }

    pub fn mask(&self) -> Result<u16, Failure> {
        let (wanted, example) = ("an octal number up to 777", "022");
        let mask = u16::from_str_radix(self.value(wanted, example)?, 8)
            .ok()
            .filter(|mask| *mask <= 0o777);
        mask.ok_or_else(|| self.wrong(wanted, example))
    }

    pub fn size(&self) -> Result<u64, Failure> {
        size(self.value.unwrap_or_default()).map_err(|wanted| self.wrong(wanted, "256M"))
    }
}

/// A time span as jiff writes it ("90s", "1h 30m"), or a number of seconds; else what is wanted.
pub(in crate::cli) fn duration(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().map(Duration::from_secs).ok();
    let spelled = || Duration::try_from(text.parse::<jiff::SignedDuration>().ok()?).ok();
    let duration = seconds.or_else(spelled);
    duration
        .filter(|duration| !duration.is_zero())
        .ok_or("a time such as 90s, 10m or 1h30m")
}

/// A size in bytes, or with a unit; in words what would be one.
pub(in crate::cli) fn size(text: &str) -> Result<u64, &'static str> {
    let (digits, unit) = match text.char_indices().next_back() {
        Some((end, 'k' | 'K')) => (text.get(..end), 1 << 10),
        Some((end, 'm' | 'M')) => (text.get(..end), 1 << 20),
        Some((end, 'g' | 'G')) => (text.get(..end), 1 << 30),
        _ => (Some(text), 1),
    };
    let number: Option<u64> = digits.and_then(|digits| digits.parse().ok());
    number
        .and_then(|number| number.checked_mul(unit))
        .filter(|size| *size >= LEAST_SIZE)
        .ok_or("a size in bytes, or with K, M or G, of at least 1M")
}

/// A mistake of the user.
pub(super) fn usage(message: String) -> Failure {
    Failure::new(Exit::Usage, message)
}
