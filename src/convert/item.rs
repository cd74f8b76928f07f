//! Which items are files of their own format, and which that is.
#![forbid(unsafe_code)]

use std::time::{Duration, SystemTime};

use super::reader::{Reader, Resolve};
use super::{NO_DATE, Resolved, calendar, contact, lids, note};
use crate::ltp::tags;
use crate::messaging::Message;

const ONE_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What an item needs from outside.
#[derive(Clone, Copy)]
pub struct ItemOptions<'a> {
    /// Which vCard is written.
    pub vcard: contact::Version,
    /// Finds the person with an Exchange distinguished name, which is in lower case.
    pub resolve: &'a Resolve<'a>,
}

/// An item as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// `ics`, `vcf` or `txt`.
    pub extension: &'static str,
    /// The content.
    pub text: String,
    /// What could not be read, or may be wrong, also told in the content.
    pub problems: Vec<String>,
}

/// The colours of sticky notes, by PidLidNoteColor.
const NOTE_COLORS: [&str; 5] = ["blue", "green", "pink", "yellow", "white"];

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Event,
    Contact,
    List,
    Task,
    Journal,
    Note,
}

impl Kind {
    fn extension(self) -> &'static str {
        match self {
            Kind::Event | Kind::Task | Kind::Journal => "ics",
            Kind::Contact | Kind::List => "vcf",
            Kind::Note => "txt",
        }
    }
}

/// Message classes; what begins with one and a dot is the same kind.
const CLASSES: [(&str, Kind); 6] = [
    ("IPM.Appointment", Kind::Event),
    ("IPM.Contact", Kind::Contact),
    ("IPM.DistList", Kind::List),
    ("IPM.Task", Kind::Task),
    ("IPM.Activity", Kind::Journal),
    ("IPM.StickyNote", Kind::Note),
];

/// Whether `class` is `prefix` or below it, without regard to case.
pub(super) fn has_class(class: &str, prefix: &str) -> bool {
    class
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        && matches!(class.as_bytes().get(prefix.len()), None | Some(b'.'))
}

fn kind(class: &str) -> Option<Kind> {
    CLASSES
        .into_iter()
        .find(|(prefix, _)| has_class(class, prefix))
        .map(|(_, kind)| kind)
}

/// Extension of the files of items of message class `class`, without opening one; None for mail and all else.
pub fn extension(class: &str) -> Option<&'static str> {
    kind(class).map(Kind::extension)
}

/// When an appointment takes place, if `message` is one: its start and end, of a series those of all of it. Without an end
/// it goes on for ever.
pub fn appointment_period(message: &Message) -> Option<(SystemTime, Option<SystemTime>)> {
    let class = message.properties().string(tags::MESSAGE_CLASS).ok()??;
    if kind(&class) != Some(Kind::Event) {
        return None;
    }
    let reader = Reader::new(message, &|_| Resolved::default());
    let start = reader.time(lids::APPOINTMENT_START_WHOLE)?;
    let end = match reader.boolean(lids::RECURRING) {
        // The beginning of its last day.
        true => reader
            .time(lids::CLIP_END)
            .map(|day| day.system_time() + ONE_DAY),
        false => {
            let end = reader.time(lids::APPOINTMENT_END_WHOLE).unwrap_or(start);
            Some(end.system_time())
        }
    };
    Some((start.system_time(), end))
}

/// `message` in its own format, if it is an appointment, contact, distribution list, task, journal entry or note; None
/// for all else. Never fails: what cannot be read is a problem.
pub fn item(message: &Message, options: &ItemOptions<'_>) -> Option<Item> {
    let class = message.properties().string(tags::MESSAGE_CLASS).ok()??;
    item_of_class(message, &class, options)
}

/// As [`item`], for a message whose class is known already, as that of a row is to whoever has named the file by it.
pub fn item_of_class(message: &Message, class: &str, options: &ItemOptions<'_>) -> Option<Item> {
    let kind = kind(class)?;
    let reader = Reader::new(message, options.resolve);
    // Contacts bear none, in their names neither: many a writer gives them no time at all.
    let has_date = !matches!(kind, Kind::Contact | Kind::List);
    if has_date && reader.modified().is_none() {
        reader.problem(NO_DATE);
    }
    let text = match kind {
        Kind::Event => calendar::event(&reader),
        Kind::Task => calendar::task(&reader),
        Kind::Journal => calendar::journal(&reader),
        Kind::Contact => contact::person(&reader, options.vcard),
        Kind::List => contact::list(&reader, options.vcard),
        Kind::Note => note::text(&reader),
    };
    Some(Item {
        extension: kind.extension(),
        text,
        problems: reader.problems(),
    })
}

/// Colour of a sticky note, for an extended attribute; None for other items.
pub fn note_color(message: &Message) -> Option<&'static str> {
    let id = lids::NOTE_COLOR.id(message)?;
    let color = message.properties().integer(id).ok().flatten()?;
    NOTE_COLORS.get(usize::try_from(color).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::extension;

    #[test]
    fn classes_count_without_case_and_with_what_is_below_them() {
        assert_eq!(extension("ipm.appointment"), Some("ics"));
        assert_eq!(extension("IPM.Contact.Customer"), Some("vcf"));
        assert_eq!(extension("IPM.StickyNote"), Some("txt"));
        for other in [
            "IPM.TaskRequest.Accept",
            "IPM.Contacts",
            "IPM",
            "",
            "IPM.Note",
            "IPM.Tas\u{212A}",
        ] {
            assert_eq!(extension(other), None, "{other}");
        }
    }
}
