//! What ScanPST (Microsoft's Inbox Repair Tool) complains of, as far as that is publicly known: `check -v` is a ScanPST for
//! those who have none.
//!
//! `rules` has the table, `walk` what each is held against. Each rule stands in one file, is a warning unless it states otherwise, and was held against the PSTs
//! of Outlook that are at hand: where one of them contradicts what is told of ScanPST, the file is right, and the rule states
//! so. What ScanPST complains of beside these is checked elsewhere in this module's parent, as it holds for other files, too.
//!
//! They hold for a PST as Outlook writes it since 2007 SP2 ([`maps::is_modern`]), and are looked at if nothing worse is wrong: what is
//! damaged has other errors than these.

mod heaps;
mod indexes;
mod maps;
mod messages;
mod nodes;
mod rows;
mod rules;
mod scan;
mod tables;
mod walk;

pub(super) use walk::check;
