//! How items of each kind are shown: as which file, under which title, and with which facts where they are mail.
//!
//! The only place that decides it. Each match names every kind and every format, so that a new one does not compile
//! until all of it is decided here, and [`super::item`] writes it.
#![forbid(unsafe_code)]

use crate::ltp::Value;
use crate::messaging::{ItemKind, Message, TIMES};
use crate::problem::Problem;

/// The remark of an item that bears no time at all, or none that can be written.
const NO_DATE: &str = "no date stored";

/// Tells that `message` bears no time, as none is made up. One that nobody gave it is no damage; one that is stored and
/// cannot be written, or may be lost, is a problem.
pub(super) fn note_no_date(message: &Message) {
    let properties = message.properties();
    let is_none = |id: u16| match properties.value(id) {
        Ok(None) => true,
        Ok(Some(Value::Time(time))) => time.means_none(),
        _ => false,
    };
    let was_never_given = |id: &u16| is_none(*id) && !properties.may_be_wrong(*id);
    match TIMES.iter().all(was_never_given) {
        true => message.problems().remark(NO_DATE),
        false => message.problems().note(Problem::new("", NO_DATE)),
    }
}

/// In which format an item is a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemFormat {
    /// A message in MIME: mail, and all that has no format of its own. RFC 5322
    Mail,
    /// An iCalendar object. RFC 5545
    Calendar,
    /// A vCard. RFC 2426, RFC 6350
    Contact,
    /// Plain text: notes.
    Text,
}

impl ItemFormat {
    /// The format of items of `kind`, if the user does not want all of them as mail.
    pub fn of(kind: ItemKind) -> Self {
        match kind {
            ItemKind::Appointment | ItemKind::Task | ItemKind::Journal => Self::Calendar,
            ItemKind::Contact | ItemKind::DistributionList => Self::Contact,
            ItemKind::Note => Self::Text,
            ItemKind::Mail
            | ItemKind::FeedArticle
            | ItemKind::Sharing
            | ItemKind::OutOfOffice
            | ItemKind::Document
            | ItemKind::Report(_)
            | ItemKind::Meeting(_)
            | ItemKind::TaskCommunication
            | ItemKind::Other => Self::Mail,
        }
    }

    /// Extension of its files, with the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Mail => ".eml",
            Self::Calendar => ".ics",
            Self::Contact => ".vcf",
            Self::Text => ".txt",
        }
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Mail => "message/rfc822",
            Self::Calendar => "text/calendar",
            Self::Contact => "text/vcard",
            Self::Text => "text/plain",
        }
    }

    /// The file that all items of this format in a folder can make together.
    pub fn import(self) -> Option<ImportKind> {
        match self {
            Self::Calendar => Some(ImportKind::Calendar),
            Self::Contact => Some(ImportKind::Contacts),
            Self::Mail | Self::Text => None,
        }
    }

    /// Whether an item as mail has itself in this format attached, for programs that can do more with it than show it.
    pub(super) fn is_attached_to_mail(self) -> bool {
        match self {
            Self::Calendar | Self::Contact => true,
            // A note is the body.
            Self::Mail | Self::Text => false,
        }
    }
}

/// The files that all items of a folder can make together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImportKind {
    /// Appointments, tasks and journal entries.
    Calendar,
    /// Contacts and distribution lists.
    Contacts,
}

impl ImportKind {
    /// Each of them, in the order of their index in an inode number.
    pub const ALL: [ImportKind; 2] = [ImportKind::Calendar, ImportKind::Contacts];

    /// The format of the file.
    pub const fn format(self) -> ItemFormat {
        match self {
            Self::Calendar => ItemFormat::Calendar,
            Self::Contacts => ItemFormat::Contact,
        }
    }
}

/// What an item is named by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Title {
    /// The time that it bears, and its subject.
    DateAndSubject,
    /// PidTagDisplayName. Such an item bears no time: many a writer gives it none at all.
    DisplayName,
}

impl Title {
    /// What items of `kind` are named by.
    pub fn of(kind: ItemKind) -> Self {
        match kind {
            ItemKind::Contact | ItemKind::DistributionList => Self::DisplayName,
            ItemKind::Mail
            | ItemKind::FeedArticle
            | ItemKind::Sharing
            | ItemKind::OutOfOffice
            | ItemKind::Document
            | ItemKind::Report(_)
            | ItemKind::Meeting(_)
            | ItemKind::TaskCommunication
            | ItemKind::Appointment
            | ItemKind::Task
            | ItemKind::Journal
            | ItemKind::Note
            | ItemKind::Other => Self::DateAndSubject,
        }
    }
}

/// Which properties of an item stand as lines of text where it is mail or plain text: they are what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Details {
    /// None: its header and body have all.
    None,
    /// Those of a contact.
    Contact,
    /// Those of an appointment.
    Event,
    /// Those of a task.
    Task,
    /// Those of a journal entry.
    Journal,
    /// Where an article is, and its feed.
    Feed,
    /// Which folder is shared.
    Sharing,
    /// What a document states about itself.
    Document,
}

impl Details {
    /// Those of items of `kind`.
    pub(super) fn of(kind: ItemKind) -> Self {
        match kind {
            ItemKind::Contact | ItemKind::DistributionList => Self::Contact,
            ItemKind::Appointment | ItemKind::Meeting(_) => Self::Event,
            ItemKind::Task | ItemKind::TaskCommunication => Self::Task,
            ItemKind::Journal => Self::Journal,
            ItemKind::FeedArticle => Self::Feed,
            ItemKind::Sharing => Self::Sharing,
            ItemKind::Document => Self::Document,
            ItemKind::Mail
            | ItemKind::OutOfOffice
            | ItemKind::Report(_)
            | ItemKind::Note
            | ItemKind::Other => Self::None,
        }
    }
}
