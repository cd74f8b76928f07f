//! The objects that a PST has once: the store, the folders above all others, templates, queues. [MS-PST] 2.7

use std::io;

use super::bth::{self, Bth};
use super::context::Context;
use super::export::Export;
use super::failed::Failed;
use super::folders::{self, Folders};
use super::heap::{self, Heap};
use super::key;
use super::output::{Content, Output};
use super::plan::{self, COMMON_VIEWS, Plan, ROOT, SEARCH_ROOT, SUBTREE, WASTEBASKET};
use super::table::{Layout, Table};
use super::templates;
use super::value::{Bytes, Cells, Stored};
use crate::ltp::{PropertyType, tags};
use crate::messaging::{EntryId, special_folders};
use crate::ndb::NodeId;
use crate::tree::Ino;

/// Nodes without data that Outlook expects: search management queue, search activity list, search domain and three queues
/// of which only the numbers are known.
const WITHOUT_DATA: [u32; 6] = [0x1E1, 0x201, 0x261, 0xE41, 0xEC1, 0xF21];
/// The map of replica ids, whose root leads to a BTH, and the widths of its keys and values.
const ID_MAP: NodeId = NodeId(0xC01);
const ID_MAP_WIDTHS: (usize, usize) = (16, 4);
const SEARCH_ROOT_NAME: &str = "Search Root";
const COMMON_VIEWS_NAME: &str = "IPM_COMMON_VIEWS";
/// The only row of a new receive folder table: all classes.
const RECEIVE_ROW: u32 = 1;

/// PidTagValidFolderMask and what each of its bits stands for.
const VALID_FOLDER_MASK: u16 = 0x35DF;
const HAS_SUBTREE: i32 = 0x01;
const HAS_WASTEBASKET: i32 = 0x08;
const HAS_COMMON_VIEWS: i32 = 0x40;
const HAS_FINDER: i32 = 0x80;
const COMMON_VIEWS_ENTRY_ID: u16 = 0x35E6;
const FINDER_ENTRY_ID: u16 = 0x35E7;
/// Folders that the store names: by purpose, property and bit of the mask.
const OF_STORE: [(&str, u16, i32); 2] = [
    ("outbox", tags::IPM_OUTBOX_ENTRY_ID, 0x04),
    ("sent items", tags::IPM_SENT_MAIL_ENTRY_ID, 0x10),
];
const HAS_INBOX: i32 = 0x02;
/// What Outlook 2010 and later write into the store of a new file, of which only the values are known.
const PST_LAST_NAME: (u16, i32) = (0x66FA, 0x000E_0011);
const HAS_ALL_OF_IT: u16 = 0x6633;
const REPL_FLAGS: u16 = 0x0E38;
const VERSION_HISTORY: u16 = 0x0E34;

fn entry_id(plan: &Plan, nid: NodeId) -> Stored {
    Stored::of_bytes(PropertyType::BINARY, &EntryId::of_node(plan.key, nid))
}

/// Tells `context` where the folders with a purpose are.
pub(super) fn set_special(out: &mut Output, context: &mut Context, plan: &Plan) -> io::Result<()> {
    for (id, purpose) in special_folders::OF_INBOX {
        if let Some(nid) = plan.special.get(purpose) {
            context.set(out, id, entry_id(plan, *nid))?;
        }
    }
    let additional = special_folders::ADDITIONAL.map(|purpose| plan.special.get(purpose));
    if additional.iter().all(Option::is_none) {
        return Ok(());
    }
    let values = additional.map(|nid| match nid {
        Some(nid) => entry_id(plan, *nid).bytes,
        None => Bytes::new(),
    });
    let mut bytes = (values.len() as u32).to_le_bytes().to_vec();
    let mut at = size_of::<u32>() * (1 + values.len());
    for value in &values {
        bytes.extend((at as u32).to_le_bytes());
        at += value.len();
    }
    bytes.extend(values.concat());
    let multiple = PropertyType(PropertyType::BINARY.0 | PropertyType::MULTIPLE);
    let value = Stored::new(multiple, bytes);
    context.set(out, tags::ADDITIONAL_REN_ENTRY_IDS, value)
}

/// Writes the folders above the others, whose `rows` are those of the subtree.
pub(super) fn write_roots(
    folders: &mut Folders<'_>,
    plan: &Plan,
    mut rows: Vec<(NodeId, Cells)>,
) -> Result<(), Failed> {
    for (nid, name) in [
        (SEARCH_ROOT, SEARCH_ROOT_NAME),
        (COMMON_VIEWS, COMMON_VIEWS_NAME),
    ] {
        let cells = folders::write_fixed(folders, (nid, ROOT), name, false, None)?;
        rows.push((nid, cells));
        folders.hierarchy(nid, Vec::new())?;
    }
    folders::write_fixed(folders, (ROOT, ROOT), "", true, Some(plan))?;
    folders.hierarchy(ROOT, rows)
}

/// Writes the store and all that is left.
pub(super) fn finish(
    out: &mut Output,
    names: &super::names::Names,
    plan: &Plan,
    export: &Export<'_>,
) -> Result<(), Failed> {
    let none = NodeId::default();
    let map = names.finish(out)?;
    out.node(NodeId::NAME_TO_ID_MAP, none, map);
    let store = store_context(out, plan, export)?.finish(out)?;
    out.node(NodeId::MESSAGE_STORE, none, store);
    let inbox = plan.special.get("inbox").copied().unwrap_or(plan::ROOT);
    let mut receive = Table::new(Layout::new(templates::RECEIVE, &[]))?;
    let row = [
        (tags::MESSAGE_CLASS, Stored::string("")),
        (tags::RECEIVE_FOLDER_NID, Stored::integer(inbox.0 as i32)),
    ];
    receive.add(out, RECEIVE_ROW, &row)?;
    let receive = receive.finish(out)?;
    out.node(NodeId::RECEIVE_FOLDER_TABLE, none, receive);
    for nid in WITHOUT_DATA {
        out.node(NodeId(nid), none, Content::default());
    }
    let mut ids = Heap::new(heap::ID_MAP);
    let root = ids.add(&[0; heap::HID])?;
    let header = bth::header(&mut ids)?;
    ids.put(root, &header.hid().to_le_bytes());
    Bth::new(&mut ids, header, ID_MAP_WIDTHS, 0)?.fill(&mut ids, Vec::new());
    let ids = ids.finish(out, root)?;
    out.node(ID_MAP, none, ids);
    Ok(())
}

fn store_context(out: &mut Output, plan: &Plan, export: &Export<'_>) -> io::Result<Context> {
    let mut context = Context::default();
    let own = export.forest.store(Ino::ROOT);
    let own = own.and_then(|store| store.properties()?.string(tags::DISPLAY_NAME).ok()?);
    let mut name = own.unwrap_or_else(|| export.name.to_owned());
    if plan.part > 1 {
        name.push_str(&format!(" ({})", plan.part));
    }
    let mut mask = HAS_SUBTREE | HAS_WASTEBASKET | HAS_COMMON_VIEWS | HAS_FINDER;
    let (last, version) = PST_LAST_NAME;
    // One, a GUID, one: the history of a store that was never merged with another.
    let one = 1u32.to_le_bytes();
    let history = [
        one.as_slice(),
        key::of_history(&plan.key).as_slice(),
        one.as_slice(),
    ]
    .concat();
    let mut values = vec![
        (VERSION_HISTORY, Stored::binary(history)),
        (REPL_FLAGS, Stored::integer(0)),
        (
            tags::RECORD_KEY,
            Stored::of_bytes(PropertyType::BINARY, &plan.key),
        ),
        (tags::DISPLAY_NAME, Stored::string(&name)),
        (tags::IPM_SUBTREE_ENTRY_ID, entry_id(plan, SUBTREE)),
        (tags::IPM_WASTEBASKET_ENTRY_ID, entry_id(plan, WASTEBASKET)),
        (COMMON_VIEWS_ENTRY_ID, entry_id(plan, COMMON_VIEWS)),
        (FINDER_ENTRY_ID, entry_id(plan, SEARCH_ROOT)),
        (HAS_ALL_OF_IT, Stored::boolean(true)),
        (last, Stored::integer(version)),
        (tags::PST_PASSWORD, Stored::integer(0)),
    ];
    for (purpose, id, bit) in OF_STORE {
        if let Some(nid) = plan.special.get(purpose) {
            values.push((id, entry_id(plan, *nid)));
            mask |= bit;
        }
    }
    if plan.special.contains_key("inbox") {
        mask |= HAS_INBOX;
    }
    values.push((VALID_FOLDER_MASK, Stored::integer(mask)));
    for (id, value) in values {
        context.set(out, id, value)?;
    }
    Ok(context)
}
