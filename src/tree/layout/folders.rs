//! `-o layout=folders`: folders as directories, subfolders first, then the rows of the contents table, by node. Lost items in
//! `lost+found`, under the path of the folder that they belonged to.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use super::items::{Facts, Items};
use super::rules::{Rules, Shown};
use crate::convert::{ItemFormat, Title};
use crate::error::{Error, Result};
use crate::messaging::ContentsRow;
use crate::ndb::{NodeId, NodeType};
use crate::tree::context::{Context, MAX_FOLDER_DEPTH};
use crate::tree::directory::Directory;
use crate::tree::ino::{Ino, Kind};
use crate::tree::lost_found::LostFound;
use crate::tree::name::{self, ATTACHMENTS_SUFFIX};
use crate::tree::object::{MessagePath, Object, Special};
use crate::tree::options::Attachments;
use crate::tree::template::{Template, Values};

/// Names unless the user wants others; contacts and documents have theirs.
static USUAL_NAMES: LazyLock<Template> = LazyLock::new(Template::default);

/// Items of a folder that takes so long to be listed that its first names come before.
const HUGE: usize = 1 << 16;

/// Folders as directories, items as files in them.
#[derive(Debug)]
pub(super) struct Folders {
    items: Items,
    lost_found: Arc<LostFound>,
}

impl Folders {
    /// The layout of `items`.
    pub fn new(items: Items, lost_found: Arc<LostFound>) -> Self {
        Self { items, lost_found }
    }

    fn context(&self) -> &Context {
        &self.items.context
    }

    /// The directory of folder `nid`.
    fn list_folder(&self, nid: NodeId) -> Result<Directory> {
        self.items.folders.check(nid)?;
        let mut listing = self.list_below(nid);
        let has_chats = self.add_items(&mut listing, nid);
        if has_chats || self.items.conversations.are_all_in(nid) {
            self.add_conversations(&mut listing, nid)?;
        }
        Ok(listing.finish())
    }

    /// Adds a file for each conversation of a chat, behind the messages that it is made of.
    fn add_conversations(&self, listing: &mut Directory, nid: NodeId) -> Result<()> {
        let extension = ItemFormat::Text.extension();
        for conversation in self.items.conversations.of_folder(nid)?.iter() {
            let stem = name::item_stem(&conversation.title);
            let stem = listing.free_stem(&stem, &[extension], conversation.first.0);
            let number = self
                .context()
                .number(&Object::Conversation(conversation.first));
            listing.add(&format!("{stem}{extension}"), number, Kind::File);
        }
        Ok(())
    }

    /// The directory of folder `nid` without its messages.
    fn list_below(&self, nid: NodeId) -> Directory {
        let context = self.context();
        let parent = match context.parent_of(nid) {
            Some(parent) if nid != context.root => context.folder_ino(parent),
            _ => Ino::ROOT,
        };
        let mut listing = Directory::new(parent);
        if nid == context.root {
            let lost_found = context.number(&Object::Special(Special::LostFound));
            listing.add(Special::LOST_FOUND, lost_found, Kind::Directory);
        }
        for (child, display_name) in self.items.folders.subfolders(nid) {
            self.add_folder(&mut listing, child, display_name.as_deref());
        }
        listing
    }

    fn add_folder(&self, listing: &mut Directory, nid: NodeId, display_name: Option<&str>) {
        let stem = listing.free_stem(&name::folder(display_name), &[""], nid.0);
        listing.add(&stem, self.context().folder_ino(nid), Kind::Directory);
    }

    /// The directory within `lost+found` for what folder `nid` has lost; `lost+found` itself for the root.
    fn list_lost(&self, nid: NodeId) -> Result<Directory> {
        let mut listing = self.list_below_lost(nid)?;
        let lost = self.lost_found.lost()?;
        for message in lost.messages.get(&nid).into_iter().flatten() {
            let row = ContentsRow::unlisted(*message);
            self.add_item(&mut listing, NodeId::ROOT_FOLDER, &row);
        }
        Ok(listing.finish())
    }

    /// The directories in that.
    fn list_below_lost(&self, nid: NodeId) -> Result<Directory> {
        let context = self.context();
        let lost = self.lost_found.lost()?;
        let above = match context.parent_of(nid) {
            _ if nid == context.root => context.above_lost_found(),
            Some(parent) if context.is_below_root(nid) => context.lost_ino(parent),
            _ => context.lost_ino(context.root),
        };
        let mut listing = Directory::new(above);
        if nid == context.root && context.options.deleted {
            listing.add(Special::DELETED, Ino::DELETED, Kind::Directory);
        }
        let name_of = |folder: NodeId| self.items.folders.name(folder);
        for folder in lost.paths.get(&nid).into_iter().flatten() {
            let name = name::folder(name_of(*folder).as_deref());
            let stem = listing.free_stem(&name, &[""], folder.0);
            listing.add(&stem, context.lost_ino(*folder), Kind::Directory);
        }
        for folder in lost.folders.get(&nid).into_iter().flatten() {
            self.add_folder(&mut listing, *folder, name_of(*folder).as_deref());
        }
        Ok(listing)
    }

    /// All folders below the directory of `top`, which has the path `path`, and themselves their paths.
    fn folders_below(&self, top: Object, path: String) -> Result<Vec<(NodeId, String)>> {
        let mut folders = Vec::new();
        let mut seen = HashSet::new();
        let mut todo = vec![(top, path)];
        while let Some((object, path)) = todo.pop() {
            if !seen.insert(object.clone()) {
                continue;
            }
            let below = match &object {
                Object::Folder(nid) => self.list_below(*nid),
                Object::Lost(nid) => self.list_below_lost(*nid)?,
                _ => continue,
            };
            let mut children = Vec::new();
            for entry in below.entries() {
                let child = self.context().inodes.object(entry.ino);
                let is_one = |child: &Object| match child {
                    Object::Folder(nid) => nid.node_type() == NodeType::NORMAL_FOLDER,
                    Object::Lost(_) => true,
                    _ => false,
                };
                if let Some(child) = child.filter(is_one) {
                    let path = format!("{path}{}/", entry.name);
                    children.push((child, name::path(&path).into_owned()));
                }
            }
            children.reverse();
            todo.extend(children);
            if let Object::Folder(nid) = object {
                folders.push((nid, path));
            }
        }
        Ok(folders)
    }

    /// What the names of an item begin with; `document` is what that of its file begins with, if it is one.
    fn stem(&self, row: &ContentsRow, facts: &Facts, document: Option<&str>) -> String {
        let options = &self.context().options;
        let template = match (&options.names, document) {
            (Some(template), _) => template,
            (None, Some(stem)) => return stem.to_owned(),
            (None, None) if Title::of(facts.kind) == Title::DisplayName => {
                return name::contact_stem(&facts.title);
            }
            (None, None) => &USUAL_NAMES,
        };
        let values = Values {
            nid: row.nid,
            moment: facts.moment,
            subject: name::subject(&facts.title),
            from: &facts.from,
            to: &facts.to,
        };
        name::item_stem(&template.fill(&values, &options.zone))
    }
}

impl Rules for Folders {
    fn items(&self) -> &Items {
        &self.items
    }

    fn show(&self, row: &ContentsRow) -> Shown {
        let options = &self.context().options;
        let facts = self.items.facts(row, options.names.is_some());
        let format = self.context().converter.format(facts.kind);
        let message = MessagePath::top(row.nid);
        let document = self.items.document(row, facts.kind);
        let file_name = document
            .as_ref()
            .map(|document| name::attachment(&document.name));
        let (own_stem, own) = file_name.as_deref().map(name::split_extension).unzip();
        // What belongs to a document has its whole name: `Plan.doc` and `Plan.doc.eml`.
        let own = own.unwrap_or_default();
        let ending = |extension: &str| format!("{own}{extension}");
        let mut files = vec![(ending(format.extension()), Object::Message(row.nid))];
        if let Some(document) = &document {
            let file = Object::Attachment(message.clone(), document.index);
            files.push((own.to_owned(), file));
        }
        if options.text && format != ItemFormat::Text {
            files.push((ending(ItemFormat::Text.extension()), Object::Text(row.nid)));
        }
        let is_wanted = match options.attachments {
            Attachments::Eml => false,
            Attachments::Dir => true,
            Attachments::Both | Attachments::Hidden => {
                document.is_none_or(|document| document.has_others)
            }
        };
        if is_wanted && self.items.has_attachments(row, facts.flags) {
            files.push((ending(ATTACHMENTS_SUFFIX), Object::Attachments(message)));
        }
        Shown {
            stem: self.stem(row, &facts, own_stem),
            files,
            is_chat: facts.is_chat,
        }
    }

    fn list(&self, object: &Object) -> Result<Directory> {
        match object {
            Object::Root => self.list_folder(self.context().root),
            Object::Folder(nid) => self.list_folder(*nid),
            Object::Special(Special::LostFound) => self.list_lost(self.context().root),
            Object::Lost(nid) => self.list_lost(*nid),
            _ => Err(Error::NotADirectory),
        }
    }

    fn list_beginning(&self, object: &Object, items: usize) -> Option<Directory> {
        let nid = self.context().folder_of(object)?;
        let stated = self.items.folders.open(nid).stated_items()?;
        if usize::try_from(stated).ok()? < HUGE {
            return None;
        }
        let mut listing = self.list_below(nid);
        let table = self.tables(nid).into_iter().next()?;
        for row in table.rows().take(items) {
            self.add_item(&mut listing, nid, &row);
        }
        Some(listing.finish())
    }

    fn list_subfolders(&self, object: &Object) -> Option<Directory> {
        let nid = self.context().folder_of(object)?;
        Some(self.list_below(nid))
    }

    fn folders_of_items(&self, object: &Object) -> Option<Vec<NodeId>> {
        let nid = self.context().folder_of(object)?;
        // What a search folder lists are links.
        let owns_items = nid.node_type() != NodeType::SEARCH_FOLDER;
        Some(owns_items.then_some(nid).into_iter().collect())
    }

    fn items_ino(&self, nid: NodeId) -> Ino {
        self.context().folder_ino(nid)
    }

    fn items_path(&self, nid: NodeId) -> Option<Vec<String>> {
        let context = self.context();
        let mut names = Vec::new();
        let mut at = nid;
        while at != context.root {
            if names.len() > MAX_FOLDER_DEPTH {
                return None;
            }
            let parent = context.parent_of(at)?;
            let name = self.list_below(parent).name_of(context.folder_ino(at))?;
            names.push(name);
            at = parent;
        }
        names.reverse();
        Some(names)
    }

    fn folders(&self) -> Result<Vec<(NodeId, String)>> {
        self.folders_below(Object::Folder(self.context().root), String::new())
    }

    fn lost_folders(&self) -> Result<Vec<(NodeId, String)>> {
        let top = Object::Lost(self.context().root);
        self.folders_below(top, format!("{}/", Special::LOST_FOUND))
    }
}
