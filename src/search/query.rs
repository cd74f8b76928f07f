//! A query: conditions on an item, and how they are joined. Whether an item fulfils it is asked in steps, each of which costs
//! more than the one before; what a step cannot tell yet is left open.
#![forbid(unsafe_code)]

use super::pattern::Pattern;
use super::span::Span;
use crate::messaging::MessageClass;

/// Whether an item fulfils something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// A later step will tell.
    Open,
}

impl From<bool> for Answer {
    fn from(truth: bool) -> Self {
        if truth { Self::Yes } else { Self::No }
    }
}

impl Answer {
    /// Yes if `truth`; else a later step will tell.
    pub(super) fn yes_if(truth: bool) -> Self {
        if truth { Self::Yes } else { Self::Open }
    }

    /// Of what is known or not.
    pub(super) fn of(known: Option<bool>) -> Self {
        known.map_or(Self::Open, Self::from)
    }

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Open => Self::Open,
        }
    }
}

/// What is looked for. Made by [`Query::parse`](super::parse).
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// One condition.
    Is(Condition),
    /// The opposite.
    Not(Box<Query>),
    /// All of them; of none, every item.
    All(Vec<Query>),
    /// One of them at least.
    Any(Vec<Query>),
}

/// A condition on one item.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// It has these words in this place.
    Words(Place, Pattern),
    /// Its time is within, in seconds since 1970.
    Time(When, Span),
    /// PidTagMessageSize is within, in bytes.
    Size(Span),
    /// It has attachments.
    HasAttachment,
    /// PidTagMessageClass is this one or below it.
    Class(String),
    /// It is of this kind.
    Kind(&'static Kind),
    /// It is in the folder at this path, or below it.
    Folder(String),
    /// This is true of it.
    State(State),
}

/// Where words stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// Anywhere: in its header, but not its Message-ID, in its text, its attachments, and what else belongs to its kind.
    Anywhere,
    /// The sender.
    From,
    /// Those whom it is to.
    To,
    /// Those who get a copy.
    Cc,
    /// Those who get a copy unseen.
    Bcc,
    /// All of these three.
    Recipients,
    /// The subject; of a contact, the name.
    Subject,
    /// The text.
    Body,
    /// Names of attachments.
    Attachment,
    /// Categories.
    Category,
    /// Message-ID.
    Id,
}

impl Place {
    /// Whether what stands at `own` is looked through for words that are to stand here.
    pub(super) fn has(self, own: Self) -> bool {
        match self {
            // Nobody looks for words of a Message-ID unless he asks for it; and some are made here.
            Self::Anywhere => own != Self::Id,
            Self::Recipients => matches!(own, Self::To | Self::Cc | Self::Bcc),
            place => own == place,
        }
    }
}

/// Which time is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// When it is, as its name has it: delivery, else submission, else creation; appointments when they take place.
    Item,
    /// PidTagClientSubmitTime.
    Sent,
    /// PidTagMessageDeliveryTime.
    Received,
}

/// What has been done with an item, or not yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It was read.
    Read,
    /// It is marked for follow-up.
    Flagged,
    /// It was answered.
    Replied,
    /// It was forwarded.
    Forwarded,
    /// It was not sent yet.
    Draft,
}

/// A kind of items, by its names and by the classes that it has.
#[derive(Debug)]
pub struct Kind {
    /// What is typed; the first is the one that help texts have.
    pub(super) names: &'static [&'static str],
    /// Whether items of this class are of the kind.
    pub(super) has: fn(&MessageClass) -> bool,
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.names == other.names
    }
}

impl Query {
    /// Whether an item fulfils it, of which `ask` knows the answer to each condition.
    pub(super) fn answer(&self, ask: &mut dyn FnMut(&Condition) -> Answer) -> Answer {
        match self {
            Self::Is(condition) => ask(condition),
            Self::Not(query) => query.answer(ask).not(),
            Self::All(queries) => all(queries, ask, Answer::No),
            Self::Any(queries) => all(queries, ask, Answer::Yes),
        }
    }

    /// Calls `see` with each condition.
    pub fn each<'a>(&'a self, see: &mut dyn FnMut(&'a Condition)) {
        match self {
            Self::Is(condition) => see(condition),
            Self::Not(query) => query.each(see),
            Self::All(queries) | Self::Any(queries) => {
                queries.iter().for_each(|query| query.each(see));
            }
        }
    }

    /// The places in which words are looked for.
    pub(super) fn places(&self) -> Vec<Place> {
        let mut places = Vec::new();
        self.each(&mut |condition| {
            if let Condition::Words(place, _) = condition {
                places.push(*place);
            }
        });
        places
    }

    /// As [`Query::each`], of those that an item is found by: nothing behind NOT.
    pub(super) fn each_found<'a>(&'a self, see: &mut dyn FnMut(&'a Condition)) {
        match self {
            Self::Is(condition) => see(condition),
            Self::Not(_) => {}
            Self::All(queries) | Self::Any(queries) => {
                queries.iter().for_each(|query| query.each_found(see));
            }
        }
    }
}

/// `ending` as soon as one of `queries` has that answer; the opposite if all have that.
fn all(queries: &[Query], ask: &mut dyn FnMut(&Condition) -> Answer, ending: Answer) -> Answer {
    let mut together = ending.not();
    for query in queries {
        match query.answer(ask) {
            answer if answer == ending => return ending,
            Answer::Open => together = Answer::Open,
            _ => {}
        }
    }
    together
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decided_as_soon_as_what_is_open_makes_no_difference() {
        let condition = |state: State| Query::Is(Condition::State(state));
        // Read is so, Flagged is not, all else is open.
        let mut ask = |condition: &Condition| match condition {
            Condition::State(State::Read) => Answer::Yes,
            Condition::State(State::Flagged) => Answer::No,
            _ => Answer::Open,
        };
        let [yes, no, open] = [State::Read, State::Flagged, State::Draft].map(condition);
        let not = |query: &Query| Query::Not(Box::new(query.clone()));
        let all = |queries: &[&Query]| Query::All(queries.iter().copied().cloned().collect());
        let any = |queries: &[&Query]| Query::Any(queries.iter().copied().cloned().collect());
        for (query, expected) in [
            (all(&[&yes, &yes]), Answer::Yes),
            (all(&[&open, &no]), Answer::No),
            (all(&[&yes, &open]), Answer::Open),
            (any(&[&open, &yes]), Answer::Yes),
            (any(&[&no, &open]), Answer::Open),
            (any(&[&no, &no]), Answer::No),
            (not(&open), Answer::Open),
            (not(&all(&[&open, &no])), Answer::Yes),
            (all(&[]), Answer::Yes),
            (any(&[]), Answer::No),
        ] {
            assert_eq!(query.answer(&mut ask), expected, "{query:?}");
        }
    }
}
