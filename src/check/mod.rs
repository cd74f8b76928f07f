//! `ostfs check`: every rule that a healthy file keeps, read-only. Above `messaging`, beside `convert`.
//!
//! Findings are errors (something cannot be read, is lost to Outlook, or may be wrong) or warnings (books that do not
//! balance, as real files have them: they hurt nobody, and change no exit code). The rules, by file:
//!
//! | file | error | warning |
//! |---|---|---|
//! | `pages` | magic, version, both CRCs of the header; `ibFileEof` past the end; page CRC, `ptype`, `wSig`, alignment; level; keys out of order, twice, or outside of what the page above states, the first also not equal to it; bit 0 of a block id; `cEnt`, `cbEnt`; a page older than the page above states | a newer one; `bid` not below `bidNextP` |
//! | `blocks` | no place in the file, alignment, size; overlaps a block or page; `cb`, `bid`, `wSig`, CRC; inflation; XBLOCK, XXBLOCK, SLBLOCK, SIBLOCK: type, count, order, `lcbTotal`, children of the right kind, none twice, full but for the last; `bidData`, `bidSub` without a block | `cRef`; nothing refers to it though it is counted; `bid` not below `bidNextB` |
//! | `allocation` | below the first map | page or block not marked; `cbAMapFree`; `fAMapValid` |
//! | `names` | a name outside of its stream; names or sets that are lost | not in its hash bucket; an id twice |
//! | `cells` | | what a row repeats of its object: name, class, counts; message class, flags, importance, times, subject, recipients |
//! | `folders` | store, name map or root folder missing; PidTagIpmSubTreeEntryId names no folder, or one of another store; row without a node, or of something that is no message; node without a row; a parent that is no folder, or not there; the way up does not end at the root folder | `rgnid`; row of another folder's item; no table; PidTagContentCount, PidTagContentUnreadCount, PidTagSubfolders |
//! | `objects` | heap: signature, page maps; BTH: record sizes; PC: ids ascending, a property twice with different values, where values are; TC: `rgib` ascending, columns and bitmap (`rgbCEB`) within the row, rows within the matrix, PidTagLtpRowId, where cells are | |
//! | `messages` | recipient and attachment tables as `objects`; attachments and embedded messages that cannot be opened; compressed RTF | unlisted attachment; MSGFLAG_HASATTACH; types of PidTagMessageFlags and PidTagCreationTime; no PidTagMessageClass; display properties without a recipient of the table |
//!
//! For PSTs as Outlook writes them since 2007 SP2 there are the rules of `scanpst` as well, in a table there.
//!
//! What is padding, memory garbage or rebuilt by every writer is not looked at: the list of free pages, pad fields, and
//! in other files than those the PMaps, FMaps and FPMaps, and message sizes.
//!
//! Memory is 37 bytes for a block, some 70 for a node, and the caches; time is that of reading the file once, and again
//! what is not attachments.
#![forbid(unsafe_code)]

mod allocation;
mod blocks;
mod cells;
mod checker;
mod folders;
mod locate;
mod messages;
mod names;
mod nodes;
mod objects;
mod opened;
mod pages;
mod report;
mod run;
mod scanpst;

pub use report::{Finding, Kind, Phase, Progress, Report, Severity};
pub use run::{check, check_source};
