//! `names=TEMPLATE`: what the name of an item is made of.

use std::fmt;
use std::str::FromStr;

use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use crate::convert::Moment;
use crate::ndb::NodeId;

/// The format of `{date}` without one of its own.
const DATE: &str = "%Y-%m-%d %H%M";
/// The same of an item that lasts all day.
const DAY: &str = "%Y-%m-%d";
/// The conversions of strftime(3) that a date may have, which mean the same everywhere: none depends on a language, and none has
/// a `/` or an end of line.
const CONVERSIONS: &str = "aAbBCdeFgGHIjklmMpPRsSTuUVwWyYzZ%";
/// What may stand between the `%` and one of them: padding, and capitals.
const FLAGS: [char; 4] = ['-', '_', '0', '^'];
/// The fields, as they are typed.
const FIELDS: &str = "{date}, {date:FORMAT}, {from}, {to}, {subject}, {nid}";

/// A template, for instance `{date} {from} {subject}`. Braces that are text are doubled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// With its format, as strftime(3) has them.
    Date(String),
    From,
    To,
    Subject,
    Nid,
}

/// What stands for the fields of one item.
pub(super) struct Values<'a> {
    pub(super) nid: NodeId,
    pub(super) moment: Option<Moment>,
    pub(super) subject: &'a str,
    pub(super) from: &'a str,
    pub(super) to: &'a str,
}

impl Default for Template {
    /// `{date} {subject}`
    fn default() -> Self {
        Self {
            pieces: vec![
                Piece::Date(DATE.to_owned()),
                Piece::Text(" ".to_owned()),
                Piece::Subject,
            ],
        }
    }
}

/// Why a text is no template, with what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// A field that does not exist.
    #[error("there is no field {{{0}}}; give some of {FIELDS}")]
    Unknown(String),
    /// A date format with what is no conversion here.
    #[error("the date format has no {0}; give some of {all}", all = conversions())]
    Conversion(String),
    /// A date format that has nothing to say.
    #[error("the date format {0:?} cannot be used: {1}")]
    Format(String, String),
    /// A brace without its other.
    #[error("a brace has no partner; write {{{{ or }}}} for a brace in the name")]
    Brace,
    /// A separator of directories.
    #[error("a name has no '/': all items of a folder stay in one directory")]
    Separator,
    /// Nothing that differs from item to item.
    #[error("give some of {FIELDS}")]
    Constant,
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            match character {
                '/' => return Err(TemplateError::Separator),
                '{' | '}' if rest.as_str().starts_with(character) => {
                    rest.next();
                    literal.push(character);
                }
                '{' => {
                    let (field, behind) =
                        rest.as_str().split_once('}').ok_or(TemplateError::Brace)?;
                    if !literal.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut literal)));
                    }
                    pieces.push(Piece::parse(field)?);
                    rest = behind.chars();
                }
                '}' => return Err(TemplateError::Brace),
                other => literal.push(other),
            }
        }
        if pieces.is_empty() {
            return Err(TemplateError::Constant);
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        Ok(Self { pieces })
    }
}

impl Piece {
    fn parse(field: &str) -> Result<Self, TemplateError> {
        Ok(match field.split_once(':').unwrap_or((field, "")) {
            ("date", "") => Piece::Date(DATE.to_owned()),
            ("date", format) => {
                check(format)?;
                let probe = jiff::Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
                strtime::format(format, &probe)
                    .map_err(|error| TemplateError::Format(format.to_owned(), error.to_string()))?;
                Piece::Date(format.to_owned())
            }
            ("from", "") => Piece::From,
            ("to", "") => Piece::To,
            ("subject", "") => Piece::Subject,
            ("nid", "") => Piece::Nid,
            _ => return Err(TemplateError::Unknown(field.to_owned())),
        })
    }
}

/// The conversions that there are, as they are typed.
fn conversions() -> String {
    let all = CONVERSIONS
        .chars()
        .map(|conversion| format!("%{conversion}"));
    all.collect::<Vec<_>>().join(" ")
}

/// Fails if `format` has a conversion that is not one of [`CONVERSIONS`].
fn check(format: &str) -> Result<(), TemplateError> {
    let mut rest = format;
    while let Some((_, conversion)) = rest.split_once('%') {
        let letter = conversion.trim_start_matches(FLAGS);
        let Some(known) = letter.strip_prefix(|letter| CONVERSIONS.contains(letter)) else {
            let end = letter.chars().next().map_or(0, char::len_utf8);
            let typed = conversion.len() - letter.len() + end;
            let typed = conversion.get(..typed).unwrap_or_default();
            return Err(TemplateError::Conversion(format!("%{typed}")));
        };
        rest = known;
    }
    Ok(())
}

impl fmt::Display for Template {
    /// As it is typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => {
                    write!(f, "{}", text.replace('{', "{{").replace('}', "}}"))?;
                }
                Piece::Date(format) if format == DATE => write!(f, "{{date}}")?,
                Piece::Date(format) => write!(f, "{{date:{format}}}")?,
                Piece::From => write!(f, "{{from}}")?,
                Piece::To => write!(f, "{{to}}")?,
                Piece::Subject => write!(f, "{{subject}}")?,
                Piece::Nid => write!(f, "{{nid}}")?,
            }
        }
        Ok(())
    }
}

impl Template {
    /// Whether it names sender or recipients, which a listing reads only then.
    pub(super) fn names_people(&self) -> bool {
        let person = |piece: &Piece| matches!(piece, Piece::From | Piece::To);
        self.pieces.iter().any(person)
    }

    /// The template with `values` in it, times in `zone`; not yet fit for a file system.
    pub(super) fn fill(&self, values: &Values<'_>, zone: &TimeZone) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Date(format) => {
                    let date = values.moment.and_then(|moment| date(moment, format, zone));
                    text.push_str(&date.unwrap_or_default());
                }
                Piece::From => text.push_str(values.from),
                Piece::To => text.push_str(values.to),
                Piece::Subject => text.push_str(values.subject),
                Piece::Nid => text.push_str(&format!("{:x}", values.nid.0)),
            }
        }
        text
    }
}

/// A day has no time, unless it is asked for.
fn date(moment: Moment, format: &str, zone: &TimeZone) -> Option<String> {
    let format = match moment {
        Moment::Day(_) if format == DATE => DAY,
        _ => format,
    };
    moment.in_zone(zone)?.to_string(format).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ltp::FileTime;

    /// 2024-05-01 09:32:00 UTC, from Python: int((datetime - datetime(1601, 1, 1)).total_seconds()) * 10**7.
    const MAY_DAY: FileTime = FileTime(133_590_295_200_000_000);

    fn fill(template: &str, zone: &TimeZone) -> String {
        fill_at(Moment::Time(MAY_DAY), template, zone)
    }

    fn fill_at(moment: Moment, template: &str, zone: &TimeZone) -> String {
        let values = Values {
            nid: NodeId(0x20_0024),
            moment: Some(moment),
            subject: "Numbers",
            from: "Ann",
            to: "Bob; Carol",
        };
        template.parse::<Template>().unwrap().fill(&values, zone)
    }

    #[test]
    fn fields_are_filled_in_and_doubled_braces_stay() {
        let utc = TimeZone::UTC;
        assert_eq!(fill("{date} {subject}", &utc), "2024-05-01 0932 Numbers");
        assert_eq!(
            fill("{date:%d.%m.%y}, {from} to {to} [{nid}] {{x}}", &utc),
            "01.05.24, Ann to Bob; Carol [200024] {x}"
        );
        assert_eq!("{date} {subject}".parse(), Ok(Template::default()));
    }

    #[test]
    fn times_are_those_of_the_zone_with_its_summer_time() {
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        assert_eq!(fill("{date}", &berlin), "2024-05-01 1132");
        assert_eq!(fill("{date:%H:%M %z}", &berlin), "11:32 +0200");
    }

    #[test]
    fn a_day_has_no_time_and_is_the_same_in_every_zone() {
        let day = Moment::Day(jiff::civil::date(2024, 5, 1));
        let auckland = TimeZone::posix("NZST-12NZDT,M9.5.0,M4.1.0/3").unwrap();
        for zone in [TimeZone::UTC, TimeZone::posix("EST5").unwrap(), auckland] {
            assert_eq!(
                fill_at(day, "{date} {subject}", &zone),
                "2024-05-01 Numbers"
            );
            assert_eq!(fill_at(day, "{date:%d.%m.}", &zone), "01.05.");
        }
    }

    #[test]
    fn what_is_no_template_is_refused_with_what_would_be_right() {
        for (text, said) in [
            (
                "{sender}",
                "there is no field {sender}; give some of {date}",
            ),
            ("{nid:x}", "there is no field {nid:x}"),
            ("{date:%}", "the date format has no %; give some of %a"),
            ("{date:%Y %c}", "the date format has no %c;"),
            ("{date:%Ey}", "the date format has no %E;"),
            ("{date:%-q}", "the date format has no %-q;"),
            ("{date", "a brace has no partner"),
            ("date}", "a brace has no partner"),
            ("{from}/{subject}", "a name has no '/'"),
            ("mail", "give some of {date}"),
            ("", "give some of {date}"),
        ] {
            let error = text.parse::<Template>().unwrap_err().to_string();
            assert!(error.starts_with(said), "{text}: {error}");
        }
    }

    #[test]
    fn a_template_is_printed_as_it_is_typed() {
        for text in ["{date} {subject}", "{{{nid}}} {date:%F} {from}, {to}"] {
            assert_eq!(text.parse::<Template>().unwrap().to_string(), text);
        }
    }
}
