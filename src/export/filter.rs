//! Which items an export takes: all conditions that are given must hold.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::time::SystemTime;

use super::left_out::LeftOut;
use crate::convert::Moment;
use crate::messaging::is_derived;
use crate::tree::{Forest, Ino, Summary, is_one_name};

/// Conditions on items. Text is compared without regard to case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Paths of folders, from the root of the tree: items in one of them or below it. Any folder if there are none.
    pub folders: Vec<String>,
    /// Items of this time or later: by delivery, submission or creation, and appointments and journal entries by when they take
    /// place.
    pub since: Option<SystemTime>,
    /// Items before this time.
    pub until: Option<SystemTime>,
    /// A part of the From field: name or address.
    pub from: Option<String>,
    /// A part of the subject.
    pub subject: Option<String>,
    /// PidTagMessageClass, or a class that it is derived from: `IPM.Note` takes `IPM.Note.SMIME` too.
    pub class: Option<String>,
    /// None of these, whatever else holds: something else has them.
    pub left_out: Arc<LeftOut>,
}

impl Filter {
    /// Whether every item is taken.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether something below the directory at `path` can be in a folder that is taken.
    pub(crate) fn enters(&self, path: &str) -> bool {
        self.takes_folder(path) || self.folders.iter().any(|folder| is_within(folder, path))
    }

    /// Whether the folder at `path` is taken.
    pub(crate) fn takes_folder(&self, path: &str) -> bool {
        self.folders.is_empty() || self.folders.iter().any(|folder| is_within(path, folder))
    }

    /// Whether the item that `ino` shows or belongs to is taken, its folder apart. An item that cannot be opened is:
    /// what it is cannot be known, and it must not get lost.
    pub(crate) fn takes(&self, forest: &Forest, ino: Ino) -> bool {
        if self.left_out.has(forest, ino) {
            return false;
        }
        if !self.asks_items() {
            return true;
        }
        let Some(summary) = forest.summary(ino) else {
            return forest.item(ino).is_some();
        };
        self.takes_summary(&summary)
            && self
                .from
                .as_ref()
                .is_none_or(|from| contains(&forest.people(ino).from, from))
    }

    /// Whether it depends on what an item is.
    fn asks_items(&self) -> bool {
        let Self {
            folders: _,
            left_out: _,
            since,
            until,
            from,
            subject,
            class,
        } = self;
        since.is_some() || until.is_some() || from.is_some() || subject.is_some() || class.is_some()
    }

    fn takes_summary(&self, item: &Summary) -> bool {
        self.takes_time(item)
            && self
                .subject
                .as_ref()
                .is_none_or(|part| contains(&item.subject, part))
            && self
                .class
                .as_ref()
                .is_none_or(|class| is_derived(&item.class, class))
    }

    /// Whether some of the item's time is taken.
    fn takes_time(&self, item: &Summary) -> bool {
        if self.since.is_none() && self.until.is_none() {
            return true;
        }
        let time = |moment: Moment| moment.start().system_time();
        let takes = |start: Moment, end: Option<Moment>| {
            let (start, end) = (time(start), end.map(time));
            let is_late_enough = |since| start >= since || end.is_none_or(|end| end > since);
            self.since.is_none_or(is_late_enough) && self.until.is_none_or(|until| start < until)
        };
        match item.stretches.as_slice() {
            [] => item
                .moment
                .is_some_and(|moment| takes(moment, Some(moment))),
            stretches => stretches
                .iter()
                .any(|stretch| takes(stretch.start, stretch.end)),
        }
    }
}

fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

/// Whether `path` is `folder` or below it.
pub(crate) fn is_within(path: &str, folder: &str) -> bool {
    let mut path = path.split('/').filter(|name| !name.is_empty());
    folder
        .split('/')
        .filter(|name| !name.is_empty())
        .all(|name| path.next().is_some_and(|own| is_one_name(own, name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ltp::FileTime;
    use std::time::Duration;

    #[test]
    fn folders_are_taken_with_all_below_and_entered_on_the_way_there() {
        let filter = Filter {
            folders: vec!["/Inbox/projects".to_owned()],
            ..Filter::default()
        };
        for (path, taken, entered) in [
            ("", false, true),
            ("Inbox", false, true),
            ("Inbox/Projects", true, true),
            ("Inbox/Projects/2024", true, true),
            ("Inbox/Projects 2", false, false),
            ("Sent Items", false, false),
        ] {
            assert_eq!(filter.takes_folder(path), taken, "{path}");
            assert_eq!(filter.enters(path), entered, "{path}");
        }
        assert!(Filter::default().takes_folder("anything"));
    }

    #[test]
    fn all_conditions_must_hold() {
        let day = |number: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(number * 86_400);
        let item = Summary {
            moment: Some(Moment::Time(FileTime::of_unix_seconds(10 * 86_400))),
            stretches: Vec::new(),
            subject: "Grüße aus Köln".to_owned(),
            class: "IPM.Note.SMIME".to_owned(),
        };
        let takes = |filter: Filter| filter.takes_summary(&item);
        let of = |since, until, subject: &str, class: &str| Filter {
            since,
            until,
            subject: Some(subject.to_owned()),
            class: Some(class.to_owned()),
            ..Filter::default()
        };
        assert!(takes(of(
            Some(day(10)),
            Some(day(11)),
            "GRÜSSE".to_lowercase().replace("ss", "ß").as_str(),
            "ipm.note"
        )));
        assert!(!takes(of(Some(day(11)), None, "", "IPM")));
        assert!(!takes(of(None, Some(day(10)), "", "IPM")));
        assert!(!takes(of(None, None, "Bonn", "IPM")));
        assert!(!takes(of(None, None, "", "IPM.No")));
        let undated = Summary {
            moment: None,
            ..item
        };
        assert!(Filter::default().takes_summary(&undated));
        let since = Filter {
            since: Some(day(1)),
            ..Filter::default()
        };
        assert!(!since.takes_summary(&undated));
    }
}
