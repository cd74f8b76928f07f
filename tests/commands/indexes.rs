//! `check` as a ScanPST: what a store keeps of its items beside their folders, and what is to be sent.

use crate::mailbox::{File, mail, write};
use crate::scanpst::{FIRST, SECOND, complaints};
use crate::support::ltp::{Heap, bth_heap};
use crate::support::ndb::Ndb;
use crate::support::*;

const MESSAGE_INDEX: u32 = 0xE01;
const ID_MAP: u32 = 0xC01;
/// `bClientSig` of the two, as Outlook has them. A BTH header has 8 bytes. [MS-PST] 2.3.2.1
const CLIENT_INDEX: u8 = 0xCC;
const CLIENT_ID_MAP: u8 = 0x9C;
const HEADER: [u8; 8] = [0; 8];
/// The root of the message index: HID, 1 if it is kept, the highest message, what is unknown.
const INDEX_ROOT: usize = 56;
/// Any hash of a conversation.
const CONVERSATION: u32 = 0x1234_5678;
/// PidTagReplItemid of the first message.
const REPLICA_ID: [u8; 16] = [7; 16];
/// Of no node.
const NOBODY: u32 = 0x2F_FFE4;

/// A PST with an inbox of two messages, and with the node `nid`, whose data `fill` writes.
fn with_node(nid: u32, fill: impl FnOnce(&mut Ndb) -> u64) -> File {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("indexed.pst");
    let options = Options::new(Format::Unicode, Crypt::Permute);
    let mut writer = Writer::create(&path, options).unwrap();
    let inbox = writer.folder(writer.ipm_subtree(), "Inbox");
    let id: Value = REPLICA_ID.to_vec().into();
    let first = mail("first").row(CONVERSATION_ID, Some(id));
    let second = mail("second").row(CONVERSATION_ID, None);
    assert_eq!(writer.message(inbox, &first).unwrap(), FIRST);
    assert_eq!(writer.message(inbox, &second).unwrap(), SECOND);
    let data = fill(&mut writer.ndb);
    writer.ndb.node(nid, data, 0, 0);
    File {
        _scratch: scratch,
        path,
        layout: writer.finish().unwrap(),
    }
}

/// The complaints that have `structure`.
fn about(structure: &str, file: &File) -> Vec<String> {
    let said = complaints(file).into_iter();
    said.filter(|line| line.starts_with(structure)).collect()
}

/// An index that lists `listed`, and is `kept` up to `highest`.
fn with_index(kept: u32, highest: u32, listed: &[u32]) -> File {
    let bytes = |numbers: &[u32]| -> Vec<u8> {
        let numbers = numbers.iter();
        numbers.flat_map(|number| number.to_le_bytes()).collect()
    };
    with_node(MESSAGE_INDEX, |ndb| {
        let mut heap = Heap::new(CLIENT_INDEX);
        let root = heap.add(ndb, &[0; INDEX_ROOT]).unwrap();
        let header = heap.add(ndb, &HEADER).unwrap();
        let list = heap.add(ndb, &bytes(listed)).unwrap();
        heap.patch(root, &bytes(&[header, kept, highest]));
        let record = bytes(&[CONVERSATION, list]);
        bth_heap(ndb, heap, (4, 4), &record, header, root).unwrap()
    })
}

#[test]
fn a_message_is_in_the_index_of_messages_if_that_is_kept_so_far() {
    let unlisted =
        format!("message index (node 0xe01): expected an entry for node {SECOND:#x}, found none");
    for (kept, highest, listed, expected) in [
        (1, SECOND, &[FIRST, SECOND][..], &[][..]),
        (1, SECOND, &[FIRST], std::slice::from_ref(&unlisted)),
        // Outlook goes on with the second one when it opens the file.
        (1, FIRST, &[FIRST], &[]),
        // As a file of Aspose has it: begun and left.
        (0, SECOND, &[], &[]),
    ] {
        let file = with_index(kept, highest, listed);
        assert_eq!(about("message index", &file), expected, "{listed:x?}");
    }
}

/// PidTagConversationId, of which each contents table has a column of binary values.
const CONVERSATION_ID: u16 = 0x3013;
const BINARY_COLUMN: [u8; 4] = [0x02, 0x01, 0x13, 0x30];
const REPLICA_ID_COLUMN: [u8; 4] = [0x02, 0x01, 0x30, 0x0E];

/// An id map with one entry for `nid`. In the contents table of the inbox the column of conversations is that of ids.
fn with_id_map(nid: u32) -> (File, u32) {
    let file = with_node(ID_MAP, |ndb| {
        let mut heap = Heap::new(CLIENT_ID_MAP);
        let root = heap.add(ndb, &[0; 4]).unwrap();
        let header = heap.add(ndb, &HEADER).unwrap();
        heap.patch(root, &header.to_le_bytes());
        let record = [&REPLICA_ID[..], &nid.to_le_bytes()].concat();
        bth_heap(ndb, heap, (16, 4), &record, header, root).unwrap()
    });
    let table = contents_table(file.layout.node(FIRST).parent);
    file.damage()
        .edit_block(file.layout.node(table).data, |heap| {
            let at = heap.windows(4).position(|column| column == BINARY_COLUMN);
            heap[at.unwrap()..][..4].copy_from_slice(&REPLICA_ID_COLUMN);
        });
    (file, table)
}

#[test]
fn an_id_map_leads_to_nodes_that_are_there() {
    let (file, _) = with_id_map(FIRST);
    assert!(about("id map", &file).is_empty());
    let (file, _) = with_id_map(NOBODY);
    let problem = format!("expected no entry for node {NOBODY:#x}, which is not there, found one");
    assert_eq!(
        about("id map", &file),
        [format!("id map (node 0xc01): {problem}")]
    );
}

#[test]
fn where_an_id_map_is_in_use_the_id_of_a_row_leads_to_it() {
    let without = |nid: u32, table: u32| {
        let problem = "PidTagReplItemid: expected an id that leads to this row, found another";
        format!("TC (node {table:#x}, row {nid:#x}): {problem}")
    };
    // The second message has none, as messages in real files beside a map.
    for (mapped, expected) in [(FIRST, &[][..]), (SECOND, &[FIRST])] {
        let (file, table) = with_id_map(mapped);
        let mut said = about("TC", &file);
        said.retain(|line| line.contains("PidTagReplItemid"));
        let expected: Vec<String> = expected.iter().map(|nid| without(*nid, table)).collect();
        assert_eq!(said, expected);
    }
}

#[test]
fn what_is_to_be_sent_is_in_the_outbox() {
    const IPM_OUTBOX: u16 = 0x35E2;
    const SUBMIT: i32 = 0x04;
    let waiting = || {
        mail("waiting")
            .prop(tags::MESSAGE_FLAGS, 1 | SUBMIT)
            .prop(tags::SUBMIT_FLAGS, 1)
    };
    let file = |is_outbox: bool| {
        write(Format::Unicode, Crypt::Permute, |store| {
            let folder = store.folder(store.ipm_subtree(), "Outbox");
            let entry_id = [&[0; 4], &RECORD_KEY[..], &folder.to_le_bytes()].concat();
            if is_outbox {
                store.store_prop(IPM_OUTBOX, entry_id);
            }
            assert_eq!(store.message(folder, waiting()), FIRST);
        })
    };
    let about_sending = |file: &File| -> Vec<String> {
        let said = about("message", file).into_iter();
        said.filter(|line| line.contains("Outbox")).collect()
    };
    assert!(about_sending(&file(true)).is_empty());
    let place = format!("message (node {FIRST:#x})");
    let flags = "PidTagMessageFlags: expected none of a message to be sent, as it is not in the Outbox, found 0x5";
    let submit = "PidTagSubmitFlags: expected none, as it is not in the Outbox, found some";
    assert_eq!(
        about_sending(&file(false)),
        [flags, submit].map(|problem| format!("{place}: {problem}"))
    );
}
