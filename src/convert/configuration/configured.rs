//! The content of a file of what hidden items configure, and what is wrong with it.
#![forbid(unsafe_code)]

use crate::convert::context::Context;
use crate::messaging::{ConfigurationKind, Configurations, Message};
use crate::ndb::NodeId;

/// Bytes of text that a file has; all of its items may share one long value.
pub(super) const MAX_TEXT: usize = 16 << 20;

/// What hidden items configure.
#[derive(Debug, Default)]
pub struct Configured {
    /// The content of the file.
    pub text: String,
    /// What could not be read, with the node of the item.
    pub problems: Vec<(NodeId, String)>,
}

impl Configured {
    pub(super) fn problem(&mut self, nid: NodeId, problem: impl std::fmt::Display) {
        self.problems.push((nid, problem.to_string()));
    }

    /// Adds what `write` makes of each item of `kind`, as long as there is room.
    pub(super) fn add(
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
                    message.note_circumstances();
                    for problem in message.problems().list() {
                        self.problem(nid, problem);
                    }
                }
                Err(error) => self.problem(nid, error),
            }
        }
    }
}
