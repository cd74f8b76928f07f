//! The folder whose children Outlook shows. [MS-PST] 2.4.3, 2.7.3
//!
//! It is where the store states, else where its children say: the child of the root folder that has the wastebasket,
//! outbox, sent mail or inbox; else the usual node; else the usual name. Only without any entry id is it the root
//! folder.

use std::sync::Arc;

use super::entry_id::EntryId;
use super::folder::Folder;
use super::store::Store;
use crate::ltp::tags;
use crate::ndb::NodeId;
use crate::ndb::header::Client;

/// Entry ids of the store object that name folders within the subtree.
const WITHIN: [u16; 3] = [
    tags::IPM_WASTEBASKET_ENTRY_ID,
    tags::IPM_OUTBOX_ENTRY_ID,
    tags::IPM_SENT_MAIL_ENTRY_ID,
];
/// Names of the subtree in files of all ages, in lower case: the last hint, as others may bear them.
const NAMES: [&str; 4] = [
    "top of personal folders",
    "top of outlook data file",
    "top of information store",
    "ipm_subtree",
];

/// PidTagIpmSubTreeEntryId of the store object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IpmSubtreeEntry {
    /// There is none, as in every OST, or the store object cannot be read.
    None,
    /// It names this folder.
    Folder(NodeId),
    /// It names a folder of this file, which may be the wrong one; the text is what speaks against it.
    Doubtful(NodeId, String),
    /// It names no folder of this file; the text is what it has instead.
    Unusable(String),
}

impl Store {
    /// Reads PidTagIpmSubTreeEntryId.
    pub fn ipm_subtree_entry(&self) -> IpmSubtreeEntry {
        let Some(own) = self.properties() else {
            return IpmSubtreeEntry::None;
        };
        if !own.has(tags::IPM_SUBTREE_ENTRY_ID) {
            return IpmSubtreeEntry::None;
        }
        let bytes = match own.binary(tags::IPM_SUBTREE_ENTRY_ID) {
            Ok(bytes) => bytes.unwrap_or_default(),
            Err(error) => return IpmSubtreeEntry::Unusable(error.to_string()),
        };
        let Some(nid) = EntryId::node(&bytes) else {
            let problem = format!(
                "expected {} bytes, found {}",
                EntryId::NODE_SIZE,
                bytes.len()
            );
            return IpmSubtreeEntry::Unusable(problem);
        };
        if !self.is_folder(nid) {
            let problem = format!("expected a folder of this file, found {nid}");
            return IpmSubtreeEntry::Unusable(problem);
        }
        if EntryId::provider(&bytes) != Some(self.record_key()) {
            let problem =
                format!("names {nid} of another store: its key is not PidTagRecordKey of this one");
            return IpmSubtreeEntry::Doubtful(nid, problem);
        }
        // All that is in the file is below the root folder.
        let other = (nid != NodeId::ROOT_FOLDER)
            .then(|| self.parent_of(self.named_within()))
            .flatten();
        match other.filter(|other| *other != nid) {
            Some(other) => {
                let problem = format!(
                    "names {nid}, but the wastebasket, outbox or sent mail of the store is in {other}"
                );
                IpmSubtreeEntry::Doubtful(nid, problem)
            }
            None => IpmSubtreeEntry::Folder(nid),
        }
    }

    /// The folder whose children Outlook shows: by its entry id; in an OST that of the mailbox; if the entry id, or the
    /// store object, cannot be used, by what else there is; else the root folder.
    pub fn ipm_subtree(self: &Arc<Self>) -> NodeId {
        let is_ost = self.ndb().header().client == Client::Ost;
        let of_mailbox =
            || Some(NodeId::OST_IPM_SUBTREE).filter(|nid| is_ost && self.is_folder(*nid));
        let found = match self.ipm_subtree_entry() {
            IpmSubtreeEntry::Folder(nid) => Some(nid),
            // The node may be right all the same, or be any folder.
            IpmSubtreeEntry::Doubtful(nid, _) => self.parent_of_special().or(Some(nid)),
            IpmSubtreeEntry::Unusable(_) => of_mailbox().or_else(|| self.likely_ipm_subtree()),
            IpmSubtreeEntry::None => of_mailbox().or_else(|| {
                let is_lost = self.problem().is_some();
                is_lost.then(|| self.likely_ipm_subtree()).flatten()
            }),
        };
        found.unwrap_or(NodeId::ROOT_FOLDER)
    }

    /// The folder that is known by what is in it; else the node that the subtree has in all files of Outlook; else a folder
    /// of its name.
    fn likely_ipm_subtree(self: &Arc<Self>) -> Option<NodeId> {
        let usual = || Some(NodeId::IPM_SUBTREE).filter(|nid| self.is_folder(*nid));
        let told = self.parent_of_special().or_else(usual);
        told.or_else(|| self.subtree_by_name())
    }

    /// The child of the root folder that has the wastebasket, the outbox, the sent mail or the inbox.
    fn parent_of_special(&self) -> Option<NodeId> {
        let named = self.parent_of(self.named_within());
        named.or_else(|| self.parent_of(self.receive_folder()))
    }

    /// The wastebasket, the outbox and the sent mail, as far as the store names them.
    fn named_within(&self) -> impl Iterator<Item = NodeId> {
        let own = self.properties();
        WITHIN.into_iter().filter_map(move |id| {
            let bytes = own?.binary(id).ok()??;
            EntryId::node(&bytes).filter(|nid| self.is_folder(*nid))
        })
    }

    /// The first folder that one of `folders` is in and that is a child of the root folder.
    fn parent_of(&self, folders: impl IntoIterator<Item = NodeId>) -> Option<NodeId> {
        let parent = |nid| Some(self.ndb().find_node(nid).ok()??.parent);
        let is_child_of_root = |nid: &NodeId| {
            *nid != NodeId::ROOT_FOLDER
                && self.is_folder(*nid)
                && parent(*nid) == Some(NodeId::ROOT_FOLDER)
        };
        let mut parents = folders.into_iter().filter_map(parent);
        parents.find(is_child_of_root)
    }

    fn subtree_by_name(self: &Arc<Self>) -> Option<NodeId> {
        let children = Folder::new(self, NodeId::ROOT_FOLDER).subfolders();
        let has_name = |name: &Option<String>| {
            let name = name.as_deref().unwrap_or_default().to_lowercase();
            NAMES.contains(&&*name)
        };
        let named = children.into_iter().find(|child| has_name(&child.name));
        named
            .map(|child| child.nid)
            .filter(|nid| self.is_folder(*nid))
    }
}
