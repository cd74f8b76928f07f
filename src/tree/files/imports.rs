//! `.ostfs/import`: all calendar items, and all contacts, of a folder in one file, to import them in one go.
//!
//! In front stands everybody whom Outlook proposes. The directories mirror the folders. A file is made of the files of its items when it is first asked for; only the
//! lengths are kept, and its content is made anew as it is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::configurations::ConfigurationFiles;
use super::file::{File, FileOf};
use crate::convert::{
    ImportKind, Item, ItemFormat, Made, Rendition, Segments, calendar, copy_made,
};
use crate::error::{Error, Result};
use crate::messaging::MessageClass;
use crate::ndb::kept::{Lru, Map};
use crate::ndb::{NodeId, NodeType};
use crate::tree::attr::Times;
use crate::tree::context::Context;
use crate::tree::directory::Directory;
use crate::tree::folders::Folders;
use crate::tree::ino::Kind;
use crate::tree::messages::Messages;
use crate::tree::name;
use crate::tree::object::{Object, Special};

/// How many times the bytes of the file the items of a folder may become, and what is always enough for them: all nodes
/// of a small file may share the data of one large item.
const MOST_TIMES: u64 = 16;
const LEAST: u64 = 16 << 20;

/// All import files of one tree.
#[derive(Debug)]
pub(in crate::tree) struct Imports {
    context: Arc<Context>,
    folders: Arc<Folders>,
    items: Arc<Items>,
    configurations: Arc<ConfigurationFiles>,
    files: Map<(NodeId, ImportKind), Arc<File>>,
}

/// The items, each as the file of its own.
#[derive(Debug)]
struct Items {
    context: Arc<Context>,
    messages: Arc<Messages>,
    made: Lru<(NodeId, ImportKind), Arc<Item>>,
}

/// The items of one import file, which are made anew when they are read.
#[derive(Debug)]
struct ImportItems {
    made: Arc<Items>,
    folder: NodeId,
    kind: ImportKind,
    items: Segments<NodeId>,
}

impl Imports {
    /// The import files of `folders`. Nothing is made yet.
    pub fn new(
        context: Arc<Context>,
        folders: Arc<Folders>,
        messages: Arc<Messages>,
        configurations: Arc<ConfigurationFiles>,
    ) -> Self {
        Self {
            items: Arc::new(Items {
                made: Lru::new(context.options.share(1) / 2, 1),
                context: Arc::clone(&context),
                messages,
            }),
            context,
            folders,
            configurations,
            files: Map::default(),
        }
    }

    /// The directory for the subfolders of folder `nid`.
    pub fn list(&self, nid: NodeId) -> Directory {
        let above = match self.context.parent_of(nid) {
            Some(parent) if nid != self.context.root => {
                self.context.number(&Object::Import(parent))
            }
            _ => self.context.number(&Object::Special(Special::Control)),
        };
        let mut listing = Directory::new(above);
        if nid == self.context.root && self.configurations.has_proposals() {
            let number = self.context.number(&Object::Special(Special::Autocomplete));
            listing.add(Special::AUTOCOMPLETE, number, Kind::File);
        }
        for (child, display_name) in self.folders.subfolders(nid) {
            if child.node_type() != NodeType::NORMAL_FOLDER {
                continue;
            }
            let stem = name::folder(display_name.as_deref());
            let files = ImportKind::ALL.map(|kind| kind.format().extension());
            let stem = listing.free_stem(&stem, &[&[""], files.as_slice()].concat(), child.0);
            if !self.folders.subfolders(child).is_empty() {
                let directory = self.context.number(&Object::Import(child));
                listing.add(&stem, directory, Kind::Directory);
            }
            for kind in self.kinds_in(child) {
                let file = self.context.number(&Object::ImportFile(child, kind));
                listing.add(
                    &format!("{stem}{}", kind.format().extension()),
                    file,
                    Kind::File,
                );
            }
        }
        listing.finish()
    }

    /// Which files the items of folder `nid` make, by the classes in its contents table.
    fn kinds_in(&self, nid: NodeId) -> Vec<ImportKind> {
        let mut missing = ImportKind::ALL.to_vec();
        for table in self.folders.tables(nid) {
            for class in table.classes() {
                let format = ItemFormat::of(MessageClass::parse(&class).kind);
                if let Some(kind) = format.import() {
                    missing.retain(|other| *other != kind);
                }
                if missing.is_empty() {
                    break;
                }
            }
        }
        let mut kinds = ImportKind::ALL.to_vec();
        kinds.retain(|kind| !missing.contains(kind));
        kinds
    }

    /// The file of all items of one kind in folder `nid`.
    pub fn file(&self, nid: NodeId, kind: ImportKind) -> ImportFile<'_> {
        ImportFile {
            imports: self,
            nid,
            kind,
        }
    }

    fn make(&self, nid: NodeId, kind: ImportKind) -> Result<File> {
        self.context.store.node(nid)?;
        let mut items = Segments::default();
        let mut left = LEAST + MOST_TIMES.saturating_mul(self.context.store.ndb().most_data());
        let mut problems = String::new();
        let mut zones: BTreeMap<String, String> = BTreeMap::new();
        let tables = self.folders.tables(nid);
        for number in tables.iter().flat_map(|table| table.nids()) {
            let Some(item) = self.items.get(number, kind) else {
                continue;
            };
            left = left.checked_sub(item.text.len() as u64).ok_or_else(|| {
                Error::corrupt(
                    "import file",
                    number,
                    "the items have more text than the file can hold",
                )
                .in_node(nid.0)
            })?;
            problems.push_str(item.problem_lines());
            for (id, zone) in item.zones() {
                let zone = || zone.to_owned();
                zones.entry(id.to_owned()).or_insert_with(zone);
            }
            items.push(number, item.own_part().len() as u64);
        }
        let (head, tail) = match kind {
            ImportKind::Calendar => {
                let zones: String = zones.into_values().collect();
                (
                    format!("{}{problems}{zones}", calendar::HEAD),
                    calendar::TAIL,
                )
            }
            ImportKind::Contacts => (String::new(), ""),
        };
        let items = ImportItems {
            made: Arc::clone(&self.items),
            folder: nid,
            kind,
            items,
        };
        Ok(File {
            rendition: Rendition::of_made(&head, Box::new(items), tail),
            times: Times::all(self.context.source_time),
        })
    }
}

impl Items {
    /// Item `nid` if it is of this kind. One that cannot be opened is noted and left out.
    fn get(&self, nid: NodeId, kind: ImportKind) -> Option<Arc<Item>> {
        let weigh = |item: &Arc<Item>| item.text.len();
        let made = self.made.get_or_make((nid, kind), weigh, || {
            let message = self
                .messages
                .open(nid)
                .inspect_err(|error| self.context.note(&Object::Message(nid), error))?;
            let item = self.context.converter.item(&message);
            let wanted = item.filter(|item| item.format.import() == Some(kind));
            wanted.map(Arc::new).ok_or(Error::NotFound)
        });
        made.ok()
    }
}

impl Made for ImportItems {
    fn len(&self) -> u64 {
        self.items.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        self.items.read_at(offset, buf, |item, wanted, buf| {
            let made = self.made.get(*item, self.kind);
            let part = made.as_deref().map_or("", Item::own_part);
            copy_made(part, wanted, buf).ok_or_else(|| {
                Error::corrupt("import file", *item, "the item can no longer be read")
                    .in_node(self.folder.0)
            })
        })
    }
}

/// One import file.
pub(in crate::tree) struct ImportFile<'a> {
    imports: &'a Imports,
    nid: NodeId,
    kind: ImportKind,
}

impl FileOf for ImportFile<'_> {
    fn open(&self) -> Result<Arc<File>> {
        let key = (self.nid, self.kind);
        let make = || self.imports.make(self.nid, self.kind).map(Arc::new);
        self.imports.files.get_or_make(key, make)
    }

    fn is_attr_at_hand(&self) -> bool {
        self.imports.files.has(&(self.nid, self.kind))
    }
}
