//! The table of the rules.

use super::scan::Scan;
use super::{heaps, indexes, maps, messages, nodes, rows, tables};
use crate::check::checker::Checker;
use crate::ltp::{Heap, PropertyContext, Row, TableContext};
use crate::messaging::Message;
use crate::ndb::NodeId;

/// A complaint of ScanPST.
struct Rule {
    /// What ScanPST reports, shortened; of what it only repairs, "minor inconsistencies".
    complaint: &'static str,
    look: Look,
}

/// What a rule looks at.
pub(super) enum Look {
    /// The file as a whole.
    File(fn(&Scan<'_>, &mut Checker)),
    /// The heap of an object, a table or a part of a message.
    Heap(fn(&Heap, NodeId, &mut Checker)),
    /// The properties of the store, the name map, a folder, a message or an attachment.
    Properties(fn(&PropertyContext, NodeId, &mut Checker)),
    /// A table of a folder or a message, or a template of one.
    Table(fn(&TableContext, NodeId, &mut Checker)),
    /// A row of a table of a folder, with the folder or message that it stands for.
    Row(fn(&Row<'_>, &PropertyContext, NodeId, &mut Checker)),
    /// A message, also an embedded one, which is in the message of a folder.
    Message(fn(&Message, NodeId, &mut Checker)),
}

const fn rule(complaint: &'static str, look: Look) -> Rule {
    Rule { complaint, look }
}

/// Calls `look` with what each rule looks at; what it adds to `checker` is what ScanPST reports about it.
pub(super) fn rules(checker: &mut Checker, look: impl Fn(&Look, &mut Checker)) {
    for rule in &RULES {
        checker.scanpst = Some(rule.complaint);
        look(&rule.look, checker);
    }
    checker.scanpst = None;
}

/// Every rule, in the order of the layers of the file; above each, where it is publicly known from.
static RULES: [Rule; 23] = [
    // pstwriter's log; ContinuMail #61.
    rule(
        "Read(@4400): Expected (bid=4400, ptype=84 ..); FPMap trailer errors",
        Look::File(maps::pages),
    ),
    // java-libpst #49; OpenOutlook 20.
    rule(
        "AMap page <@X> has csFree of N, but should have 255",
        Look::File(maps::free_space),
    ),
    // logs in public pages; OpenOutlook 36; pstwriter's log.
    rule(
        "Fatal Error 80040813; missing template, outgoing queue, search activity list, update queue, receive folder table",
        Look::File(nodes::fixed),
    ),
    // PST-Builder.
    rule(
        "SAL missing entry (nid=2223)",
        Look::File(nodes::search_activity),
    ),
    // OpenOutlook 17, 22.
    rule(
        "Header NID high-water mark has incorrect value (type=5, read=400, calculated=628)",
        Look::File(nodes::last_indexes),
    ),
    // OpenOutlook 13, 37.
    rule(
        "minor inconsistencies (row versions)",
        Look::File(tables::row_versions),
    ),
    // OpenOutlook 14, 18, 32.
    rule(
        "minor inconsistencies (a message is not in the index of messages)",
        Look::File(indexes::messages),
    ),
    // OpenOutlook; OfficeIMO.
    rule(
        "minor inconsistencies (the id map leads to what is not there)",
        Look::File(indexes::mapped_nodes),
    ),
    // OpenOutlook; OfficeIMO.
    rule(
        "minor inconsistencies (an id of a row is not in the id map)",
        Look::File(indexes::mapped_rows),
    ),
    // pstwriter's log.
    rule(
        "HN last alloc doesn't point to front of page map",
        Look::Heap(heaps::page_maps),
    ),
    // pstwriter's log.
    rule(
        "HN free alloc count doesn't match",
        Look::Heap(heaps::free_items),
    ),
    // pstwriter's log.
    rule(
        "PC (nid=61, prop=00020102) invalid HNID",
        Look::Properties(heaps::empty_values),
    ),
    // pstwriter's log.
    rule(
        "Folder (nid) missing PR_DISPLAY_NAME, PR_SUBFOLDERS, PR_CONTENT_COUNT, PR_CONTENT_UNREAD",
        Look::Properties(nodes::folder),
    ),
    // pstwriter's log; ost2pst.
    rule(
        "TC missing required column (tag)",
        Look::Table(tables::columns),
    ),
    // OpenOutlook 37.
    rule(
        "Row matrix: row (0) missing PR_LTP_ROW_ID",
        Look::Table(tables::row_ids),
    ),
    // pstwriter's log; OpenOutlook 19, 28, 30, 38.
    rule(
        "Hierarchy Table, Contents Table: row doesn't match sub-object; Failed to add row to the FLT",
        Look::Row(rows::like_object),
    ),
    // ContinuMail #60; OfficeIMO.
    rule(
        "Contents Table: row doesn't match sub-object (PR_MESSAGE_SIZE)",
        Look::Message(messages::size),
    ),
    // pstwriter's log; Microsoft KB 287497.
    rule(
        "Message (nid): Missing PR_SEARCH_KEY, PR_MESSAGE_CLASS, PR_CREATION_TIME, PR_LAST_MODIFICATION_TIME",
        Look::Message(messages::needed),
    ),
    // Microsoft KB 287497.
    rule(
        "(repaired without a word) message class that no form can have",
        Look::Message(messages::class),
    ),
    // Microsoft KB 287497.
    rule(
        "(repaired without a word) submit flags",
        Look::Message(messages::submitted),
    ),
    // ContinuMail #60; OpenOutlook 21.
    rule(
        "Attachment (nid) missing or invalid PR_ATTACH_SIZE",
        Look::Message(messages::attachment_sizes),
    ),
    // ContinuMail #60.
    rule(
        "Attachment (nid) missing PR_RENDERING_POSITION",
        Look::Message(messages::rendering_positions),
    ),
    // ContinuMail #60.
    rule(
        "Attachment table row doesn't match sub-object",
        Look::Message(messages::attachment_rows),
    ),
];
