//! Prints a line for each item that the crate outlook-pst 1.2 finds in a PST: every folder, and every message with its recipients
//! and attachments. It is strict: what it does not expect is an error. Built by benches/outlook_pst, for scripts/pst-readers and scripts/differential.
use std::rc::Rc;

use outlook_pst::messaging::store::Store;
use outlook_pst::ndb::node_id::NodeId;

/// The root folder.
const ROOT: u32 = 0x122;
/// `nidType` of a search folder, which has no tables of its own.
const SEARCH_FOLDER: u32 = 3;

fn main() -> std::io::Result<()> {
    let path = std::env::args().nth(1).expect("usage: FILE");
    let store = outlook_pst::open_store(path)?;
    folder(&store, ROOT)
}

fn folder(store: &Rc<dyn Store>, nid: u32) -> std::io::Result<()> {
    let properties = store.properties();
    let entry = |nid: u32| properties.make_entry_id(NodeId::from(nid));
    let folder = store.open_folder(&entry(nid)?)?;
    // The crate takes the empty name of the root folder of Outlook's own files for an error.
    let name = folder.properties().display_name().unwrap_or_default();
    for table in [folder.contents_table(), folder.associated_table()] {
        for row in table.iter().flat_map(|table| table.rows_matrix()) {
            let id = u32::from(row.id());
            let message = store.open_message(&entry(id)?, None)?;
            let attachments = message.attachment_table().map_or(0, |table| table.rows_matrix().count());
            let size = message.properties().message_size()?;
            println!("{name}/{id:#x} {size} {attachments}");
        }
    }
    let children = folder.hierarchy_table().into_iter();
    for row in children.flat_map(|table| table.rows_matrix()) {
        let id = u32::from(row.id());
        if id & 0x1F != SEARCH_FOLDER {
            self::folder(store, id)?;
        }
    }
    Ok(())
}
