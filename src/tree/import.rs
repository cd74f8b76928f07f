//! `.ostfs/import`: all calendar items, and all contacts, of a folder in one file, to import them in one go.
//!
//! The directories mirror the folders. A file is made of the files of its items when it is first asked for; only the
//! lengths are kept, and its content is made anew as it is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Tree;
use super::directory::Directory;
use super::ino::{Kind, Object, Special};
use super::name;
use crate::bytes::copy_at;
use crate::convert::{ImportKind, ItemFormat, calendar};
use crate::error::{Error, Result};
use crate::messaging::MessageClass;
use crate::ndb::{NodeId, NodeType, whole};

/// How many times the bytes of the file the items of a folder may become, and what is always enough for them: all nodes
/// of a small file may share the data of one large item.
const MOST_TIMES: u64 = 16;
const LEAST: u64 = 16 << 20;
/// Name of the directory in `.ostfs`.
pub(super) const DIRECTORY: &str = "import";

/// One file: what stands before the items, where each item ends, and what stands behind them.
#[derive(Debug)]
pub(super) struct Import {
    head: String,
    /// Ascending by end, counted from the start of the file.
    items: Vec<(NodeId, u64)>,
    tail: &'static str,
}

impl Import {
    fn items_end(&self) -> u64 {
        self.items
            .last()
            .map_or(self.head.len() as u64, |(_, end)| *end)
    }

    /// Size of the file in bytes.
    pub(super) fn len(&self) -> u64 {
        self.items_end() + self.tail.len() as u64
    }
}

impl Tree {
    /// The directory for the subfolders of folder `nid`.
    pub(super) fn list_import(&self, nid: NodeId) -> Directory {
        let above = match self.parent_of(nid) {
            Some(parent) if nid != self.root => self.inodes.number(&Object::Import(parent)),
            _ => self.inodes.number(&Object::Special(Special::Control)),
        };
        let mut listing = Directory::new(above);
        for (child, display_name) in self.subfolders(nid) {
            if child.node_type() != NodeType::NORMAL_FOLDER {
                continue;
            }
            let stem = name::folder(display_name.as_deref());
            let files = ImportKind::ALL.map(|kind| kind.format().extension());
            let stem = listing.free_stem(&stem, &[&[""], files.as_slice()].concat(), child.0);
            if !self.subfolders(child).is_empty() {
                let directory = self.inodes.number(&Object::Import(child));
                listing.add(&stem, directory, Kind::Directory);
            }
            for kind in self.import_kinds(child) {
                let file = self.inodes.number(&Object::ImportFile(child, kind));
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
    fn import_kinds(&self, nid: NodeId) -> Vec<ImportKind> {
        let mut missing = ImportKind::ALL.to_vec();
        for table in self.tables(nid) {
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

    /// The file of all items of one kind in folder `nid`; made on first use, item by item.
    pub(super) fn import(&self, nid: NodeId, kind: ImportKind) -> Result<Arc<Import>> {
        if let Some(import) = self.imports.lock().get(&(nid, kind)) {
            return Ok(Arc::clone(import));
        }
        let import = Arc::new(whole(|| self.make_import(nid, kind))?);
        self.imports.lock().insert((nid, kind), Arc::clone(&import));
        Ok(import)
    }

    fn make_import(&self, nid: NodeId, kind: ImportKind) -> Result<Import> {
        self.store.node(nid)?;
        let mut lengths = Vec::new();
        let mut left = LEAST + MOST_TIMES.saturating_mul(self.store.ndb().most_data());
        let mut problems = String::new();
        let mut zones: BTreeMap<String, String> = BTreeMap::new();
        for table in self.tables(nid) {
            for item in table.nids() {
                let Some(text) = self.import_item(item, kind) else {
                    continue;
                };
                let text: &str = &text;
                left = left.checked_sub(text.len() as u64).ok_or_else(|| {
                    Error::corrupt(
                        "import file",
                        item,
                        "the items have more text than the file can hold",
                    )
                    .in_node(nid.0)
                })?;
                if kind == ImportKind::Calendar
                    && let Some(parts) = calendar::parts(text)
                {
                    problems.push_str(parts.problems);
                    for zone in parts.zones {
                        zones
                            .entry(zone_id(zone))
                            .or_insert_with(|| zone.to_owned());
                    }
                }
                lengths.push((item, own_part(text, kind).len() as u64));
            }
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
        let mut end = head.len() as u64;
        let items = lengths.into_iter().map(|(item, length)| {
            end += length;
            (item, end)
        });
        Ok(Import {
            items: items.collect(),
            head,
            tail,
        })
    }

    /// The file of item `nid` if it is of this kind. One that cannot be opened is noted and left out.
    fn import_item(&self, nid: NodeId, kind: ImportKind) -> Option<Arc<str>> {
        let key = (nid, kind);
        if let Some(text) = self.import_texts.get(&key) {
            return Some(text);
        }
        let message = self
            .open_message(nid)
            .map_err(|error| self.problems.note(Object::Message(nid), error))
            .ok()?;
        let item = whole(|| Ok(self.converter.item(&message))).ok()??;
        if item.format.import() != Some(kind) {
            return None;
        }
        let text: Arc<str> = item.text.into();
        let weight = text.len();
        Some(self.import_texts.insert(key, text, weight))
    }

    pub(super) fn read_import(
        &self,
        nid: NodeId,
        kind: ImportKind,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<usize> {
        let import = self.import(nid, kind)?;
        let mut done = 0;
        while done < buf.len() {
            let at = offset + done as u64;
            let rest = buf.get_mut(done..).unwrap_or_default();
            let number = import.items.partition_point(|(_, end)| *end <= at);
            let count = if at < import.head.len() as u64 {
                copy_at(import.head.as_bytes(), at, rest)
            } else if let Some((item, end)) = import.items.get(number) {
                let text = self.import_item(*item, kind);
                let part = text.as_deref().map_or("", |text| own_part(text, kind));
                let start = end.saturating_sub(part.len() as u64);
                if at < start || part.is_empty() {
                    return Err(Error::corrupt(
                        "import file",
                        *item,
                        "the item can no longer be read",
                    )
                    .in_node(nid.0));
                }
                copy_at(part.as_bytes(), at - start, rest)
            } else {
                copy_at(import.tail.as_bytes(), at - import.items_end(), rest)
            };
            if count == 0 {
                break;
            }
            done += count;
        }
        Ok(done)
    }
}

/// What of the file of one item stands in the file of all.
fn own_part(text: &str, kind: ImportKind) -> &str {
    match kind {
        ImportKind::Calendar => calendar::parts(text).map_or("", |parts| parts.components),
        ImportKind::Contacts => text,
    }
}

/// The TZID of a VTIMEZONE, unfolded; equal ones are the same zone.
fn zone_id(zone: &str) -> String {
    let unfolded = zone.replace("\r\n ", "");
    let id = unfolded.lines().find_map(|line| line.strip_prefix("TZID:"));
    id.unwrap_or(zone).to_owned()
}
