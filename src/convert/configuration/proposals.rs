//! The autocomplete lists of a mailbox as vCards.
#![forbid(unsafe_code)]

use std::collections::HashSet;

use super::{Configured, MAX_TEXT};
use crate::convert::contact;
use crate::convert::context::Context;
use crate::convert::people::Autocomplete;
use crate::messaging::{ConfigurationKind, Configurations};

/// Everybody whom Outlook proposes, in its order; each once, though several lists may have them.
pub(in crate::convert) fn proposals(context: &Context, found: &Configurations) -> Configured {
    let mut configured = Configured::default();
    let mut seen = HashSet::new();
    configured.add(
        context,
        found,
        ConfigurationKind::Autocomplete,
        |configured, message| {
            let list = Autocomplete::of_message(message);
            for problem in &list.problems {
                configured.problem(message.nid(), problem);
            }
            for (index, entry) in list.entries.iter().enumerate() {
                if configured.text.len() > MAX_TEXT {
                    let left = list.entries.len() - index;
                    let problem = format_args!("more than {MAX_TEXT} bytes: {left} are left out");
                    configured.problem(message.nid(), problem);
                    break;
                }
                let resolve = |name: &str| context.resolve(name);
                let card = contact::proposal(entry, context.options.vcard, &resolve);
                if seen.insert(card.clone()) {
                    configured.text.push_str(&card);
                }
            }
        },
    );
    configured
}
