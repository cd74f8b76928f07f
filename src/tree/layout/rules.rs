//! What a layout decides.

use std::fmt::Debug;

use super::items::Items;
use crate::error::Result;
use crate::messaging::{ContentsRow, ContentsTable};
use crate::ndb::{NodeId, NodeType};
use crate::tree::directory::Directory;
use crate::tree::ino::Ino;
use crate::tree::object::Object;
use crate::tree::options::Attachments;

/// What an item gives: a file, and what lies beside it.
pub(in crate::tree) struct Shown {
    /// What all names of the item begin with.
    pub stem: String,
    /// How each name ends, and what is under it. The first is the item itself.
    pub files: Vec<(String, Object)>,
    /// Whether it is a message of a chat.
    pub is_chat: bool,
}

/// A layout: directories, and the names of items in them.
pub(in crate::tree) trait Rules: Debug + Send + Sync {
    /// The items that it shows.
    fn items(&self) -> &Items;

    /// What the item of `row` gives.
    fn show(&self, row: &ContentsRow) -> Shown;

    /// The directory of the folder, or part of a folder, `object`. An error for all else.
    fn list(&self, object: &Object) -> Result<Directory>;

    /// The directories in the directory `object`, if they are found without listing the messages beside them.
    fn list_subfolders(&self, object: &Object) -> Option<Directory>;

    /// The first entries of the directory `object` with up to `items` items, if it is of a folder that states a huge number of
    /// them: what a name is depends on those before it alone.
    fn list_beginning(&self, _object: &Object, _items: usize) -> Option<Directory> {
        None
    }

    /// The inode of the directory that lists the items of folder `nid`.
    fn items_ino(&self, nid: NodeId) -> Ino;

    /// Names of the directories from the root down to that directory; None if it is not below the root.
    fn items_path(&self, nid: NodeId) -> Option<Vec<String>>;

    /// All folders but search folders, with the paths of what they list, each with its last slash.
    fn folders(&self) -> Result<Vec<(NodeId, String)>>;

    /// The same of folders in `lost+found`, if those have directories.
    fn lost_folders(&self) -> Result<Vec<(NodeId, String)>> {
        Ok(Vec::new())
    }

    /// The folders whose items, and no others, the directory `object` lists as files; None if its items are known by its
    /// listing alone.
    fn folders_of_items(&self, object: &Object) -> Option<Vec<NodeId>>;

    /// The tables whose rows the directory of folder `nid` shows.
    fn tables(&self, nid: NodeId) -> Vec<ContentsTable> {
        self.items().tables(nid)
    }

    /// Adds all items of folder `nid`; returns whether some of them are messages of chats.
    fn add_items(&self, listing: &mut Directory, nid: NodeId) -> bool {
        let mut has_chats = false;
        for table in self.tables(nid) {
            listing.reserve(table.len());
            for row in table.rows() {
                has_chats |= self.add_item(listing, nid, &row);
            }
            self.items().folders.note(nid, table.problems());
        }
        has_chats
    }

    /// Adds what an item gives; in a search folder, a link. Returns whether it is a message of a chat.
    fn add_item(&self, listing: &mut Directory, folder: NodeId, row: &ContentsRow) -> bool {
        let mut shown = self.show(row);
        if folder.node_type() == NodeType::SEARCH_FOLDER {
            shown.files.truncate(1);
            if let Some((_, object)) = shown.files.first_mut() {
                *object = Object::Link(folder, row.nid);
            }
        }
        let hides = self.items().context.options.attachments == Attachments::Hidden;
        let names = |stem: &str| -> Vec<String> {
            let files = shown.files.iter();
            files
                .map(|(ending, object)| match object {
                    Object::Attachments(_) if hides => format!(".{stem}{ending}"),
                    _ => format!("{stem}{ending}"),
                })
                .collect()
        };
        let stem = listing.free_stem_for(&shown.stem, names, row.nid.0);
        for (name, (_, object)) in names(&stem).iter().zip(&shown.files) {
            let number = self.items().context.number(object);
            listing.add(name, number, object.kind());
        }
        shown.is_chat
    }
}
