//! Lists the attachments of all messages of an Outlook data file: size in bytes, media type, name.
//!
//! `attachments FILE`

use std::sync::Arc;

use ostfs::convert::{AttachmentContent, Options};
use ostfs::{Converter, Folder, Message};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os()
        .nth(1)
        .ok_or("usage: attachments FILE")?;
    let store = ostfs::open(path.as_ref())?;
    let converter = Converter::new(Arc::clone(&store), Options::default());
    let mut folders = vec![store.ipm_subtree()];
    while let Some(nid) = folders.pop() {
        let folder = Folder::new(&store, nid);
        for nid in folder.contents().nids() {
            let message = match Message::open(&store, nid) {
                Ok(message) => message,
                Err(error) => {
                    eprintln!("{nid}: {error}");
                    continue;
                }
            };
            for attachment in converter.attachments(&message) {
                let size = match &attachment.content {
                    AttachmentContent::File(file) => file.len(),
                    AttachmentContent::Message(message) => converter.render(message).len(),
                    AttachmentContent::Unreadable(error) => {
                        eprintln!("{}: {error}", attachment.name);
                        continue;
                    }
                };
                println!("{size:>12} {} {}", attachment.media_type, attachment.name);
            }
        }
        folders.extend(folder.subfolders().iter().map(|subfolder| subfolder.nid));
    }
    Ok(())
}
