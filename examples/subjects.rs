//! Prints the subjects of all messages of an Outlook data file, folder by folder.
//!
//! `subjects FILE`

use ostfs::Folder;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: subjects FILE")?;
    let store = ostfs::open(path.as_ref())?;
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
