//! Folders with a purpose, which Outlook finds by entry ids and by nothing else. [MS-OXOSFLD] 2.2

use std::collections::HashMap;
use std::sync::Arc;

use ostfs::ltp::Value as Stored;
use ostfs::messaging::{Folder, Properties, Store as OpenedStore};
use ostfs::ndb::NodeId;

use crate::copy;
use crate::mailbox::{mail, write};
use crate::support::*;

/// The root folder. [MS-PST] 2.4.1
const ROOT: u32 = 0x122;
/// PidTagAdditionalRenEntryIds, of which the fifth is that of junk mail.
const ADDITIONAL_REN_ENTRY_IDS: u16 = 0x36D8;
const JUNK: usize = 4;
/// PidTagIpmOutboxEntryId, PidTagIpmSentMailEntryId.
const OF_STORE: [(u16, &str); 4] = [
    (tags::IPM_SUBTREE_ENTRY_ID, ""),
    (0x35E2, "Postausgang"),
    (tags::IPM_WASTEBASKET_ENTRY_ID, "Papierkorb"),
    (0x35E4, "Verschickt"),
];
const OF_INBOX: [(u16, &str, &str); 6] = [
    (tags::IPM_APPOINTMENT_ENTRY_ID, "Termine", "IPF.Appointment"),
    (tags::IPM_CONTACT_ENTRY_ID, "Leute", "IPF.Contact"),
    (tags::IPM_JOURNAL_ENTRY_ID, "Buch", "IPF.Journal"),
    (tags::IPM_NOTE_ENTRY_ID, "Zettel", "IPF.StickyNote"),
    (tags::IPM_TASK_ENTRY_ID, "Arbeit", "IPF.Task"),
    (tags::IPM_DRAFTS_ENTRY_ID, "Begonnen", "IPF.Note"),
];

/// A store with the folders of a German user, which is an OST if the entry ids are those of a server.
fn source(format: Format) -> crate::mailbox::File {
    write(format, Crypt::Permute, |store| {
        let subtree = store.ipm_subtree();
        let inbox = store.folder(subtree, "Inbox");
        store.message(inbox, mail("One"));
        let entry_id = |nid: u32| match format.is_ost() {
            true => ost::folder_entry_id(nid),
            false => [&[0; 4], &RECORD_KEY[..], &nid.to_le_bytes()].concat(),
        };
        // Real PST files have them in both, and OST files in the inbox.
        let holder = if format.is_ost() { inbox } else { ROOT };
        let deleted = store.deleted_items();
        store.folder_prop(deleted, tags::DISPLAY_NAME, "Papierkorb");
        for (id, name) in OF_STORE {
            if !["", "Papierkorb"].contains(&name) {
                let folder = store.folder(subtree, name);
                store.store_prop(id, entry_id(folder));
            }
        }
        store.store_prop(tags::IPM_WASTEBASKET_ENTRY_ID, entry_id(deleted));
        for (id, name, class) in OF_INBOX {
            // A folder of the same class that is not the one meant.
            store.folder_of(subtree, format!("Another {name}"), class);
            let folder = store.folder_of(subtree, name, class);
            store.folder_prop(holder, id, entry_id(folder));
        }
        let junk = store.folder(subtree, "Müll");
        let mut additional = vec![Vec::new(); JUNK];
        additional.push(entry_id(junk));
        store.folder_prop(holder, ADDITIONAL_REN_ENTRY_IDS, Value::MvBin(additional));
    })
}

#[test]
fn outlook_finds_each_folder_with_a_purpose_whatever_its_name_is() {
    for format in [Format::Ansi, Format::Unicode, Format::Ost4k] {
        let copy = copy(&source(format).path, &[]);
        let ndb = ostfs::ndb::open(&copy.path, 1 << 20).unwrap();
        let store = Arc::new(OpenedStore::open(ndb));
        let own = store.properties().unwrap();
        let Some(Stored::Binary(subtree)) = own.value(tags::IPM_SUBTREE_ENTRY_ID).unwrap() else {
            panic!("{format:?}");
        };
        // [MS-PST] 4.3.2: flags, which are zero, the key of the store, the node.
        let node = |entry_id: &[u8]| {
            let key = own.binary(tags::RECORD_KEY).unwrap().unwrap();
            assert_eq!(entry_id.len(), 24, "{format:?}");
            assert_eq!(entry_id[..4], [0; 4], "{format:?}");
            assert_eq!(entry_id[4..20], key, "{format:?}");
            NodeId(u32::from_le_bytes(entry_id[20..].try_into().unwrap()))
        };
        let subtree = node(&subtree);
        let folders = Folder::new(&store, subtree).subfolders().into_iter();
        let names: HashMap<NodeId, String> = folders
            .map(|folder| (folder.nid, folder.name.unwrap()))
            .collect();
        let is = |properties: &Properties, id: u16, expected: &str| {
            let entry_id = properties.binary(id).unwrap().expect(expected);
            let name = names.get(&node(&entry_id)).map(String::as_str);
            assert_eq!(name, Some(expected), "{format:?}");
        };
        for (id, name) in OF_STORE {
            if !name.is_empty() {
                is(own, id, name);
            }
        }
        let mut holders = vec![NodeId::ROOT_FOLDER];
        // Where the source says which one it is: the writer of the tests has no inbox in a PST.
        if format.is_ost() {
            let inbox = names.iter().find(|(_, name)| *name == "Inbox");
            holders.push(*inbox.unwrap().0);
        }
        for holder in holders {
            let properties = Folder::new(&store, holder).properties().unwrap();
            for (id, name, _) in OF_INBOX {
                is(&properties, id, name);
            }
            let additional = properties.value(ADDITIONAL_REN_ENTRY_IDS).unwrap();
            let Some(Stored::Multiple(values)) = additional else {
                panic!("{format:?}: {additional:?}");
            };
            let Stored::Binary(junk) = &values[JUNK] else {
                panic!("{format:?}");
            };
            assert_eq!(names[&node(junk)], "Müll", "{format:?}");
        }
    }
}
