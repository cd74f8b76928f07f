//! What hidden items configure, as files: whom Outlook proposes, categories, rules. [MS-OXOCFG], [MS-OXORULE]
//!
//! `blob` reads what conditions and actions are made of, `condition` and `action` tell them in words, `target` names the
//! folders in them. Nothing here fails: what cannot be read is a problem.
#![forbid(unsafe_code)]

mod action;
mod blob;
mod categories;
mod condition;
mod proposals;
mod rules;
mod target;

use super::context::Context;
use super::reader::note_circumstances;
use crate::messaging::{ConfigurationKind, Configurations, Message};
use crate::ndb::NodeId;

pub(super) use categories::categories;
pub(super) use proposals::proposals;
pub(super) use rules::rules;

/// Bytes of text that a file has; all of its items may share one long value.
const MAX_TEXT: usize = 16 << 20;

/// What hidden items configure.
#[derive(Debug, Default)]
pub struct Configured {
    /// The content of the file.
    pub text: String,
    /// What could not be read, with the node of the item.
    pub problems: Vec<(NodeId, String)>,
}

impl Configured {
    fn problem(&mut self, nid: NodeId, problem: impl std::fmt::Display) {
        self.problems.push((nid, problem.to_string()));
    }

    /// Adds what `write` makes of each item of `kind`, as long as there is room.
    fn add(
        &mut self,
        context: &Context,
        found: &Configurations,
        kind: ConfigurationKind,
        mut write: impl FnMut(&mut Self, &Message),
    ) {
        for (nid, message) in found.open(context.store(), kind) {
            if self.text.len() > MAX_TEXT {
                self.problem(
                    nid,
                    format_args!("more than {MAX_TEXT} bytes: it is left out"),
                );
                continue;
            }
            match message {
                Ok(message) => {
                    write(self, &message);
                    note_circumstances(&message);
                    for problem in message.problems().list() {
                        self.problem(nid, problem);
                    }
                }
                Err(error) => self.problem(nid, error),
            }
        }
    }
}
