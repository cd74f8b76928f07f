//! What turned out to be wrong with the file: one record for it, and the one place into which those who read put it.
//!
//! Whoever opens an object hands a [`Problems`] down with it; all layers note there what was made of bytes that do not
//! fit their checksum, and what could not be had. So nothing is altered or left out without a word.
//!
//! A part of an object has the same list under its own name (`within`): an embedded message has its own
//! problems, and the message around it has them too. An attachment that is read much later notes into the list that its
//! message was opened with. A structure that breaks the format keeps its facts in its problem, so `check` makes its
//! findings of them.
//!
//! What an item says of itself and that is no damage, as that it has no date, is a remark: it stands in the item beside the
//! problems, and nowhere else. No exit code, no count and no list of problems knows of it.
//!
//! A problem has its object apart from its text, so a redacted log can name the object by its number and leave the text
//! out: nothing has to be cut out of a line.
#![forbid(unsafe_code)]

use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::error::{Corrupt, Error};

/// Problems of one object that are kept; what comes after is counted. One lost block can make thousands of values unreadable.
const MAX_KEPT: usize = 1000;

/// Stands between a part and what is within it.
const SEPARATOR: &str = ", ";

/// Something that is wrong with a part of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The node (NID) that the part belongs to, where it is known.
    pub node: Option<u32>,
    /// The part: a property, a row, an attachment, with the range of its bytes. Empty for an object as a whole.
    pub place: String,
    /// What is wrong with it.
    pub text: Text,
}

/// What is wrong: a line for the user; where a structure breaks the format, with its facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// In words.
    Words(String),
    /// By the structure.
    Corrupt(Box<Corrupt>),
    /// Nothing is wrong: see [`Problems::remark`].
    Remark(&'static str),
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => f.write_str(words),
            Self::Corrupt(corrupt) => corrupt.fmt(f),
            Self::Remark(remark) => f.write_str(remark),
        }
    }
}

impl Problem {
    /// A problem of `place`.
    pub fn new(place: impl fmt::Display, text: impl fmt::Display) -> Self {
        Self {
            node: None,
            place: place.to_string(),
            text: Text::Words(text.to_string()),
        }
    }

    /// The problem that `error` is for `place`.
    pub fn of_error(place: impl fmt::Display, error: &Error) -> Self {
        match error {
            Error::Corrupt(corrupt) => Self {
                node: corrupt.node,
                place: place.to_string(),
                text: Text::Corrupt(corrupt.clone()),
            },
            _ => Self::new(place, error),
        }
    }

    fn is_remark(&self) -> bool {
        matches!(self.text, Text::Remark(_))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            return self.text.fmt(f);
        }
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// The problems of one object, or of the whole file, in the order in which they were met and each once. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Problems {
    noted: Arc<Mutex<Noted>>,
    /// The part that all that is noted here is within.
    within: Option<Part>,
}

/// The name of a part. Most are those of tables, which are the same for all objects.
#[derive(Debug, Clone)]
enum Part {
    Table(&'static str),
    Other(Arc<str>),
}

impl Deref for Part {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Table(name) => name,
            Self::Other(name) => name,
        }
    }
}

#[derive(Debug, Default)]
struct Noted {
    kept: Vec<Problem>,
    /// Their lines.
    known: HashSet<String>,
    /// What was asked for by [`Problems::is_first`], with the parts.
    causes: HashSet<(String, String)>,
    left_out: u64,
}

impl Problems {
    /// The same list, for those who read the part `place`: it is added to the place of what they note.
    pub fn within(&self, place: impl fmt::Display) -> Self {
        let within = match &self.within {
            Some(outer) => format!("{}{SEPARATOR}{place}", &**outer),
            None => place.to_string(),
        };
        Self {
            noted: Arc::clone(&self.noted),
            within: Some(Part::Other(within.into())),
        }
    }

    /// As [`Problems::within`], for the table `name`.
    pub fn within_table(&self, name: &'static str) -> Self {
        match self.within {
            Some(_) => self.within(name),
            None => Self {
                noted: Arc::clone(&self.noted),
                within: Some(Part::Table(name)),
            },
        }
    }

    /// Notes `problem`, unless it is known already.
    pub fn note(&self, mut problem: Problem) {
        if let Some(within) = &self.within {
            problem.place = match problem.place.as_str() {
                "" => within.to_string(),
                place => format!("{}{SEPARATOR}{place}", &**within),
            };
        }
        let line = problem.to_string();
        let mut noted = self.noted.lock();
        if noted.known.contains(&line) {
            return;
        }
        if noted.kept.len() >= MAX_KEPT {
            noted.left_out += 1;
            return;
        }
        noted.known.insert(line);
        noted.kept.push(problem);
    }

    /// Whether `cause` is met for the first time in this part: for those who then note at once all that follows from it.
    pub fn is_first(&self, cause: &str) -> bool {
        let part = self.within.as_deref().unwrap_or_default();
        let cause = (part.to_owned(), cause.to_owned());
        self.noted.lock().causes.insert(cause)
    }

    /// Notes that `error` stands in the way of `place`.
    pub fn note_error(&self, place: impl fmt::Display, error: &Error) {
        self.note(Problem::of_error(place, error));
    }

    /// Notes what is to be said in the item though nothing is wrong with it.
    pub fn remark(&self, remark: &'static str) {
        self.note(Problem {
            node: None,
            place: String::new(),
            text: Text::Remark(remark),
        });
    }

    /// How many there are of this part and what is within it.
    pub fn len(&self) -> usize {
        let noted = self.noted.lock();
        let own = noted
            .kept
            .iter()
            .filter(|problem| !problem.is_remark() && self.own_place(problem).is_some());
        own.count() + usize::try_from(noted.left_out).unwrap_or(usize::MAX)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of this part and what is within it; the last one is how many were not kept.
    pub fn list(&self) -> Vec<Problem> {
        let mut list = self.list_with_remarks();
        list.retain(|problem| !problem.is_remark());
        list
    }

    /// As [`Problems::list`], with the remarks among them: for the item itself.
    pub fn list_with_remarks(&self) -> Vec<Problem> {
        let noted = self.noted.lock();
        let own = noted.kept.iter().filter_map(|problem| {
            Some(Problem {
                place: self.own_place(problem)?.to_owned(),
                ..problem.clone()
            })
        });
        let mut list: Vec<Problem> = own.collect();
        if noted.left_out > 0 {
            list.push(Problem::new(
                "",
                format_args!("{} more problems", noted.left_out),
            ));
        }
        list
    }

    /// As [`Problems::list`], with the places as they are in the list of the whole object.
    pub fn list_in_full(&self) -> Vec<Problem> {
        let noted = self.noted.lock();
        let own = noted.kept.iter();
        let own = own.filter(|problem| !problem.is_remark() && self.own_place(problem).is_some());
        own.cloned().collect()
    }

    /// The place of `problem` within this part; None when it is of another one.
    fn own_place<'a>(&self, problem: &'a Problem) -> Option<&'a str> {
        let Some(within) = &self.within else {
            return Some(&problem.place);
        };
        let rest = problem.place.strip_prefix(&**within)?;
        match rest {
            "" => Some(""),
            rest => rest.strip_prefix(SEPARATOR),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_is_there_once_and_what_is_too_much_is_counted() {
        let problems = Problems::default();
        for round in 0..2 {
            for number in 0..MAX_KEPT {
                problems.note(Problem::new(format_args!("row {number}"), "lost"));
            }
            assert_eq!(problems.len(), MAX_KEPT, "round {round}");
        }
        problems.note(Problem::new("row x", "lost"));
        assert_eq!(problems.len(), MAX_KEPT + 1);
        let list = problems.list();
        assert_eq!(list.first().unwrap().to_string(), "row 0: lost");
        assert_eq!(list.last().unwrap().to_string(), "1 more problems");
    }

    #[test]
    fn a_part_knows_its_own_problems() {
        let problems = Problems::default();
        let part = problems.within("attachment a.eml");
        problems.note(Problem::new("property 0x1000", "lost"));
        part.note(Problem::new("property 0x0037", "lost"));
        part.note(Problem::new("", "unknown"));
        let lines = |problems: &Problems| -> Vec<String> {
            problems.list().iter().map(Problem::to_string).collect()
        };
        assert_eq!(lines(&part), ["property 0x0037: lost", "unknown"]);
        assert_eq!(part.len(), 2);
        assert_eq!(
            lines(&problems),
            [
                "property 0x1000: lost",
                "attachment a.eml, property 0x0037: lost",
                "attachment a.eml: unknown"
            ]
        );
    }

    #[test]
    fn a_structure_that_breaks_the_format_keeps_its_facts() {
        let problems = Problems::default();
        let error = Error::corrupt("BTH", "HID 0x20", "cbKey: expected 2").in_node(0x61);
        problems.within_table("recipients").note_error("", &error);
        let list = problems.list();
        let Text::Corrupt(corrupt) = &list[0].text else {
            panic!("{:?}", list[0].text);
        };
        assert_eq!((corrupt.structure, &*corrupt.place), ("BTH", "HID 0x20"));
        let line = "recipients: damaged BTH (HID 0x20, node 0x61): cbKey: expected 2";
        assert_eq!(
            (list[0].to_string().as_str(), list[0].node),
            (line, Some(0x61))
        );
    }

    #[test]
    fn a_line_is_told_once_whoever_says_it() {
        let problems = Problems::default();
        let error = Error::corrupt("BTH", "HID 0x20", "cut off");
        problems.note_error("", &error);
        problems.note(Problem::new("", &error));
        assert_eq!(problems.len(), 1);
    }

    #[test]
    fn a_remark_stands_in_the_item_and_counts_as_no_problem() {
        let problems = Problems::default();
        let part = problems.within("attachment a.eml");
        part.remark("no date stored");
        for problems in [&problems, &part] {
            assert!(problems.is_empty());
            assert_eq!((problems.list(), problems.list_in_full()), (vec![], vec![]));
        }
        part.note(Problem::new("property 0x0037", "lost"));
        let told = problems.list_with_remarks();
        let told: Vec<String> = told.iter().map(Problem::to_string).collect();
        assert_eq!(
            told,
            [
                "attachment a.eml: no date stored",
                "attachment a.eml, property 0x0037: lost"
            ]
        );
        assert_eq!((problems.len(), problems.list().len()), (1, 1));
    }

    #[test]
    fn a_cause_is_met_for_the_first_time_once_in_each_part() {
        let problems = Problems::default();
        let part = problems.within("attachment a.pdf");
        let met = [&problems, &part, &problems, &part].map(|part| part.is_first("block 0x24"));
        assert_eq!(met, [true, true, false, false]);
        assert!(problems.is_empty(), "a cause is no problem by itself");
    }
}
