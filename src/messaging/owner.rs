//! Whose mailbox a file is a copy of.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::configuration::all_folders;
use super::folder::Folder;
use super::message::Message;
use super::store::Store;
use crate::ltp::tags;
use crate::ndb::header::Client;

/// Hidden items that are asked: of a mailbox most were made by its owner, and each costs two or three reads.
const MAX_ITEMS: usize = 8;

/// The address of the owner of the mailbox that an OST is a copy of: of whoever made most of its first hidden items, as which
/// programs keep the settings of the owner. The store itself does not tell. None of other files, and if these items do not tell.
pub fn owner(store: &Arc<Store>) -> Option<String> {
    if store.ndb().header().client != Client::Ost {
        return None;
    }
    let mut makers = BTreeMap::new();
    let folders = all_folders(store).filter(|folder| !folder.is_search());
    let hidden = |folder: Folder| folder.associated_contents().nids().collect::<Vec<_>>();
    for nid in folders.flat_map(hidden).take(MAX_ITEMS) {
        let maker = Message::open(store, nid).and_then(|item| {
            item.properties()
                .start_of_string(tags::CREATOR_SMTP_ADDRESS)
        });
        if let Ok(Some(maker)) = maker {
            *makers.entry(maker).or_insert(0) += 1;
        }
    }
    let most = makers.into_iter().max_by_key(|(_, count)| *count);
    most.map(|(maker, _)| maker)
}
