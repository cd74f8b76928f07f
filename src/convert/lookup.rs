//! Looking people up in the address book, for one item.
#![forbid(unsafe_code)]

use std::cell::Cell;

use super::context::Context;
use super::people::{Mailbox, Person, Resolved};
use crate::problem::{Problem, Problems};

/// Looks people up for one item, which has a problem if the answer depends on what other items have lost.
pub(crate) struct Lookup<'a> {
    context: &'a Context,
    is_in_doubt: Cell<bool>,
}

impl<'a> Lookup<'a> {
    /// Nobody has been looked up yet.
    pub fn new(context: &'a Context) -> Self {
        Self {
            context,
            is_in_doubt: Cell::new(false),
        }
    }

    /// The person with a distinguished name, which is in lower case.
    pub fn resolve(&self, distinguished_name: &str) -> Resolved {
        let resolved = self.context.resolve(distinguished_name);
        if resolved.is_in_doubt {
            self.is_in_doubt.set(true);
        }
        resolved
    }

    /// `person` with an address, from the address book if need be; None when nothing is known.
    pub fn mailbox(&self, person: &Person<'_>) -> Option<Mailbox> {
        person.mailbox(|| self.resolve(&person.distinguished_name()?).smtp)
    }

    /// Notes [`Resolved::DOUBT`] if anyone was in doubt.
    pub fn tell(&self, problems: &Problems) {
        if self.is_in_doubt.get() {
            problems.note(Problem::new("", Resolved::DOUBT));
        }
    }
}
