//! What hidden items configure, as files: whom Outlook proposes, categories, rules. [MS-OXOCFG], [MS-OXORULE]
//!
//! `blob` reads what conditions and actions are made of, `condition` and `action` tell them in words, `target` names the
//! folders in them. Nothing here fails: what cannot be read is a problem.
#![forbid(unsafe_code)]

mod action;
mod blob;
mod categories;
mod condition;
mod configured;
mod proposals;
mod rules;
mod target;

pub(super) use categories::categories;
pub use configured::Configured;
pub(super) use proposals::proposals;
pub(super) use rules::rules;
