//! Prints the subjects of all messages of an Outlook data file, folder by folder.
//!
//! `subjects FILE`

use std::sync::Arc;

use ostfs::{Folder, Store, tree};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: subjects FILE")?;
    let ndb = ostfs::ndb::open(path.as_ref(), tree::Options::DEFAULT_CACHE)?;
    let store = Arc::new(Store::open(ndb));
    let mut folders = vec![store.ipm_subtree()];
    while let Some(nid) = folders.pop() {
        let folder = Folder::new(&store, nid);
        for row in folder.contents().rows() {
            println!(
                "{}",
                row.subject.map(|subject| subject.text).unwrap_or_default()
            );
        }
        folders.extend(folder.subfolders().iter().map(|subfolder| subfolder.nid));
    }
    Ok(())
}
