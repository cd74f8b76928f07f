//! The names of the fields of a query, of the kinds of items and of states: one table for each, of which the first names are
//! those of the help.
#![forbid(unsafe_code)]

use super::query::{Kind, Place, State, When};
use crate::messaging::ItemKind;

/// What stands before a colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// Words in a place.
    Words(Place),
    /// A time.
    Time(When),
    /// The beginning, or the end, of a span of times.
    Since,
    Until,
    /// A size.
    Size,
    Has,
    Class,
    Kind,
    Folder,
    State,
}

impl Field {
    /// Whether a comparison may stand in place of the colon, as in `size>1M`.
    pub fn is_compared(self) -> bool {
        matches!(self, Self::Time(_) | Self::Size)
    }

    /// The field of this name, whatever the case.
    pub fn of(name: &str) -> Option<Self> {
        let is_it = |row: &&(&[&str], Self)| row.0.iter().any(|own| own.eq_ignore_ascii_case(name));
        FIELDS.iter().find(is_it).map(|(_, field)| *field)
    }

    /// The first name of each, for messages.
    pub fn names() -> String {
        joined(FIELDS.iter().map(|(names, _)| *names))
    }
}

/// Fields by their names: those of notmuch, mu, Gmail and the query languages of Outlook and Purview.
const FIELDS: [(&[&str], Field); 21] = [
    (&["from", "sender", "author"], Field::Words(Place::From)),
    (&["to"], Field::Words(Place::To)),
    (&["cc"], Field::Words(Place::Cc)),
    (&["bcc"], Field::Words(Place::Bcc)),
    (
        &["recipients", "recipient", "recip"],
        Field::Words(Place::Recipients),
    ),
    (&["subject"], Field::Words(Place::Subject)),
    (&["body", "contents"], Field::Words(Place::Body)),
    (
        &[
            "attachment",
            "attachments",
            "attachmentnames",
            "filename",
            "file",
        ],
        Field::Words(Place::Attachment),
    ),
    (&["category", "categories"], Field::Words(Place::Category)),
    (
        &["id", "mid", "msgid", "rfc822msgid"],
        Field::Words(Place::Id),
    ),
    (&["date"], Field::Time(When::Item)),
    (&["sent"], Field::Time(When::Sent)),
    (&["received"], Field::Time(When::Received)),
    (&["since", "after"], Field::Since),
    (&["until"], Field::Until),
    (&["size", "messagesize"], Field::Size),
    (&["has"], Field::Has),
    (&["class", "itemclass"], Field::Class),
    (&["kind"], Field::Kind),
    (&["folder", "in"], Field::Folder),
    (&["flag", "is"], Field::State),
];

/// What an item can have, behind `has:`.
pub(super) const ATTACHMENT: [&str; 3] = ["attachment", "attachments", "attach"];

/// Kinds of items.
static KINDS: [Kind; 14] = [
    Kind {
        names: &["mail", "email", "message"],
        has: |class| class.kind == ItemKind::Mail && !class.is_chat && !class.is_unified_messaging,
    },
    Kind {
        names: &["meeting", "meetings"],
        has: |class| matches!(class.kind, ItemKind::Meeting(_)),
    },
    Kind {
        names: &["appointment", "appointments", "event", "calendar"],
        has: |class| class.kind == ItemKind::Appointment,
    },
    Kind {
        names: &["contact", "contacts"],
        has: |class| class.kind == ItemKind::Contact,
    },
    Kind {
        names: &["list", "lists"],
        has: |class| class.kind == ItemKind::DistributionList,
    },
    Kind {
        names: &["task", "tasks"],
        has: |class| matches!(class.kind, ItemKind::Task | ItemKind::TaskCommunication),
    },
    Kind {
        names: &["note", "notes"],
        has: |class| class.kind == ItemKind::Note,
    },
    Kind {
        names: &["journal", "journals"],
        has: |class| class.kind == ItemKind::Journal,
    },
    Kind {
        names: &["document", "documents", "docs"],
        has: |class| class.kind == ItemKind::Document,
    },
    Kind {
        names: &["feed", "rssfeeds", "rss"],
        has: |class| class.kind == ItemKind::FeedArticle,
    },
    Kind {
        names: &["report", "reports"],
        has: |class| matches!(class.kind, ItemKind::Report(_)),
    },
    Kind {
        names: &["chat", "chats", "im", "microsoftteams"],
        has: |class| class.is_chat,
    },
    Kind {
        names: &["voicemail", "fax", "faxes"],
        has: |class| class.is_unified_messaging,
    },
    Kind {
        names: &["signed", "encrypted", "smime"],
        has: |class| class.is_smime,
    },
];

/// States, and whether it is the opposite that is meant.
const STATES: [(&[&str], State, bool); 7] = [
    (&["unread", "unseen", "new"], State::Read, false),
    (&["read", "seen"], State::Read, true),
    (&["flagged", "starred"], State::Flagged, true),
    (&["replied", "answered"], State::Replied, true),
    (&["forwarded", "passed"], State::Forwarded, true),
    (&["draft", "unsent"], State::Draft, true),
    (&["sent"], State::Draft, false),
];

/// The kind of this name; else the first name of each.
pub(super) fn kind(name: &str) -> Result<&'static Kind, String> {
    let is_it = |kind: &&Kind| is_among(name, kind.names);
    let found = KINDS.iter().find(is_it);
    found.ok_or_else(|| joined(KINDS.iter().map(|kind| kind.names)))
}

/// The state of this name, and whether it is that one or its opposite; else the first name of each.
pub(super) fn state(name: &str) -> Result<(State, bool), String> {
    let found = STATES.iter().find(|(names, ..)| is_among(name, names));
    let found = found.map(|(_, state, is_so)| (*state, *is_so));
    found.ok_or_else(|| joined(STATES.iter().map(|(names, ..)| *names)))
}

/// Whether `name` is one of `names`, whatever the case.
pub(super) fn is_among(name: &str, names: &[&str]) -> bool {
    names.iter().any(|own| own.eq_ignore_ascii_case(name))
}

/// The first of each of `names`.
fn joined<'a>(names: impl Iterator<Item = &'a [&'a str]>) -> String {
    let first: Vec<&str> = names.filter_map(|names| names.first().copied()).collect();
    first.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messaging::MessageClass;

    #[test]
    fn no_name_stands_for_two_things() {
        let fields = FIELDS.iter().map(|(names, _)| *names).collect();
        let kinds = KINDS.iter().map(|kind| kind.names).collect();
        let states = STATES.iter().map(|(names, ..)| *names).collect();
        let tables: [Vec<&[&str]>; 3] = [fields, kinds, states];
        for table in tables {
            let mut seen = std::collections::HashSet::new();
            for name in table.into_iter().flatten() {
                assert!(seen.insert(*name), "{name}");
                assert!(
                    name.bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
                );
            }
        }
    }

    #[test]
    fn mail_is_what_is_no_other_kind() {
        let is = |name: &str, class: &str| (kind(name).unwrap().has)(&MessageClass::parse(class));
        assert!(is("mail", "IPM.Note.SMIME") && is("signed", "IPM.Note.SMIME"));
        assert!(
            !is("mail", "IPM.Schedule.Meeting.Request")
                && is("meeting", "IPM.Schedule.Meeting.Request")
        );
        assert!(
            !is("EMAIL", "IPM.Note.Microsoft.Voicemail.UM")
                && is("Voicemail", "IPM.Note.Microsoft.Voicemail.UM")
        );
        assert!(is("chat", "IPM.SkypeTeams.Message") && !is("mail", "IPM.SkypeTeams.Message"));
    }
}
