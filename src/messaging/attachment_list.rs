//! Which attachments a message has: those that its attachment table lists, and those that it does not. [MS-PST] 2.4.6.1

use std::collections::HashSet;

use super::attachment::Attachment;
use super::message::{MSGFLAG_HASATTACH, Message};
use crate::ltp::{TableContext, tags};
use crate::ndb::{Node, NodeId, NodeType};
use crate::problem::{Problem, Problems};

/// Types of the subnodes of a message that are no attachments.
const OTHER_PARTS: [NodeType; 3] = [
    NodeType::LTP,
    NodeType::ATTACHMENT_TABLE,
    NodeType::RECIPIENT_TABLE,
];
/// Attachments of one message that are looked at.
const MAX_ATTACHMENTS: usize = 1 << 18;

impl Message {
    /// Its attachments in table order, then those that the table does not list. Nothing of them is read yet.
    pub fn attachments(&self) -> Vec<Attachment> {
        let mut nids = self.listed_attachments();
        match self.node().subnodes() {
            Ok(subnodes) => {
                let all = || subnodes.iter().map(Node::nid);
                let there: HashSet<NodeId> = all().collect();
                if nids.iter().any(|nid| !there.contains(nid)) {
                    nids = self.attachments_by_rows(&there);
                    self.take_only_other(&there, &mut nids);
                }
                let mut known: HashSet<NodeId> = nids.iter().copied().collect();
                let is_attachment = |nid: &NodeId| nid.node_type() == NodeType::ATTACHMENT;
                nids.extend(all().filter(|nid| is_attachment(nid) && known.insert(*nid)));
            }
            Err(error) if error.is_repeated() => {}
            Err(error) => self.problems().note_error("attachments", &error),
        }
        let flags = || {
            self.properties()
                .integer(tags::MESSAGE_FLAGS)
                .ok()
                .flatten()
        };
        if nids.is_empty() && flags().is_some_and(|flags| flags & MSGFLAG_HASATTACH != 0) {
            let problems = self.problems().within_table("attachments");
            self.note_absence(&problems, "PidTagMessageFlags");
        }
        nids.into_iter()
            .take(MAX_ATTACHMENTS)
            .map(|nid| Attachment::new(self, nid))
            .collect()
    }

    /// The subnodes that the attachment table lists, in table order.
    pub fn listed_attachments(&self) -> Vec<NodeId> {
        let problems = self.problems().within_table("attachments");
        let Some(table) = self.table(NodeId::ATTACHMENT_TABLE, &problems) else {
            return Vec::new();
        };
        let rows = in_table_order(&table).into_iter();
        rows.map(|(nid, _)| NodeId(nid)).collect()
    }

    /// The attachments that the table lists, of which some are not `there`: in place of these what their rows name themselves.
    fn attachments_by_rows(&self, there: &HashSet<NodeId>) -> Vec<NodeId> {
        let Some(table) = self.table(NodeId::ATTACHMENT_TABLE, &Problems::default()) else {
            return Vec::new();
        };
        let of_row = |(nid, number): (u32, u32)| {
            let indexed = NodeId(nid);
            let own = || table.known_row(nid, number).other_id().map(NodeId);
            let own = (!there.contains(&indexed)).then(own).flatten();
            own.filter(|own| there.contains(own)).unwrap_or(indexed)
        };
        // What a damaged row index has may be no rows at all.
        let may_be = |nid: &NodeId| nid.node_type() == NodeType::ATTACHMENT || there.contains(nid);
        let rows = in_table_order(&table).into_iter();
        rows.map(of_row).filter(may_be).collect()
    }

    /// Puts the only subnode that is `there`, may be an attachment and is none of `nids` in the place of the only one of these that is
    /// not there: of a damaged list of subnodes it is the id that is wrong.
    fn take_only_other(&self, there: &HashSet<NodeId>, nids: &mut [NodeId]) {
        let known: HashSet<NodeId> = nids.iter().copied().collect();
        let may_be_it =
            |nid: &&NodeId| !known.contains(nid) && !OTHER_PARTS.contains(&nid.node_type());
        let mut others = there.iter().filter(may_be_it);
        let mut missing = nids.iter_mut().filter(|nid| !there.contains(nid));
        if let (Some(other), None, Some(lost), None) =
            (others.next(), others.next(), missing.next(), missing.next())
        {
            let text = format_args!(
                "{lost} is not among the subnodes; {other}, which nothing lists, is taken for it"
            );
            self.problems().note(Problem::new("attachments", text));
            *lost = *other;
        }
    }
}

/// Ids and numbers of the rows of `table`, in the order of the rows.
fn in_table_order(table: &TableContext) -> Vec<(u32, u32)> {
    let mut rows = table.row_index();
    rows.sort_by_key(|(_, number)| *number);
    rows
}
