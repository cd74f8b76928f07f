//! Folders: their messages, and when all are there, their tables and properties. [MS-PST] 2.4.4

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use super::changes;
use super::context::Context;
use super::copier::{Copier, read};
use super::empty::Empty;
use super::export::Export;
use super::failed::Failed;
use super::item::{self, Place};
use super::names::Names;
use super::output::{Content, Output};
use super::plan::{self, Plan, Planned};
use super::table::{Layout, Table};
use super::templates::{self, Column};
use super::value::{Cells, Stored};
use super::written::{FolderTotal, Item, Watch};
use crate::ltp::tags;
use crate::messaging::{MSGFLAG_READ, Message};
use crate::ndb::{NodeId, NodeType};
use crate::tree::{Ino, Kind, Part};

/// Rows that a folder has: what its heaps have room for, and what Outlook can still show.
const MOST_ITEMS: usize = 1_000_000;

/// What a folder has in its own properties and in the row of its parent's table.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    items: i32,
    unread: i32,
}

/// Copies all that is in the folders of `plan`.
pub(super) struct Folders<'a> {
    pub export: &'a Export<'a>,
    pub out: &'a mut Output,
    pub names: &'a mut Names,
    pub empty: &'a mut Empty,
    pub watch: &'a Watch<'a>,
    pub items: Vec<Item>,
    pub totals: BTreeMap<String, FolderTotal>,
}

impl Folders<'_> {
    /// Copies the messages of `folder` and writes the tables of them.
    pub fn copy(&mut self, folder: &Planned) -> Result<Counts, Failed> {
        let mut counts = Counts::default();
        let mut messages = Table::new(Layout::new(templates::CONTENTS, &[]))?;
        let takes = self.export.filter.takes_folder(&folder.path);
        for ino in self.items_of(folder).into_iter().filter(|_| takes) {
            let filter = &self.export.filter;
            self.watch.progress.items.fetch_add(1, Ordering::Relaxed);
            if !filter.takes(self.export.forest, ino) {
                continue;
            }
            let total = self.totals.entry(folder.path.clone()).or_default();
            total.found += 1;
            if messages.len() >= MOST_ITEMS {
                total.failed += 1;
                self.watch
                    .fail(&folder.path, "the folder has more than 1,000,000 items");
                continue;
            }
            let message = self.export.forest.message(ino);
            let row = message
                .map_err(Failed::from)
                .and_then(|message| self.message(&message, folder, Place::Folder, &mut messages));
            let total = self.totals.entry(folder.path.clone()).or_default();
            match row {
                Ok(flags) => {
                    total.written += 1;
                    counts.items += 1;
                    counts.unread += i32::from(flags & MSGFLAG_READ == 0);
                }
                Err(Failed::Write(error)) => return Err(error.into()),
                Err(error) => {
                    total.failed += 1;
                    let object = self.export.forest.object_of(ino);
                    self.watch
                        .fail(&format!("{}: {object}", folder.path), &error.to_string());
                }
            }
            self.export.forest.forget(ino);
        }
        self.table(
            folder,
            NodeType::CONTENTS_TABLE,
            messages,
            templates::CONTENTS,
        )?;
        let mut hidden = Table::new(Layout::new(templates::ASSOCIATED, &[]))?;
        if takes {
            self.copy_hidden(folder, &mut hidden)?;
        }
        let table = NodeType::ASSOC_CONTENTS_TABLE;
        self.table(folder, table, hidden, templates::ASSOCIATED)?;
        Ok(counts)
    }

    /// The items in the directory of `folder`, in the order of their nodes.
    fn items_of(&self, folder: &Planned) -> Vec<Ino> {
        let forest = self.export.forest;
        // What cannot be listed has been told when the folders were.
        let Some(Ok(listing)) = folder.ino.map(|ino| forest.directory(ino)) else {
            return Vec::new();
        };
        let mut items: Vec<(u32, Ino)> = listing
            .entries()
            .filter(|entry| entry.kind != Kind::Directory)
            .filter_map(|entry| match forest.item(entry.ino)? {
                (nid, Part::Item) => Some((nid, entry.ino)),
                _ => None,
            })
            .collect();
        items.sort_unstable_by_key(|(nid, _)| *nid);
        items.into_iter().map(|(_, ino)| ino).collect()
    }

    /// Copies the hidden messages that people have made by what they set.
    fn copy_hidden(&mut self, folder: &Planned, table: &mut Table) -> Result<(), Failed> {
        let Some(source) = &folder.folder else {
            return Ok(());
        };
        let Some(store) = folder.ino.and_then(|ino| self.export.forest.store(ino)) else {
            return Ok(());
        };
        for row in source.associated_contents().rows() {
            let is_kept = row
                .message_class
                .as_deref()
                .is_some_and(changes::keeps_hidden);
            if !is_kept {
                continue;
            }
            let message = Message::open_within_budget(store, row.nid).map_err(Failed::from);
            let copied =
                message.and_then(|message| self.message(&message, folder, Place::Hidden, table));
            match copied {
                Ok(_) => {}
                Err(Failed::Write(error)) => return Err(error.into()),
                Err(error) => self.watch.fail(&folder.path, &error.to_string()),
            }
        }
        Ok(())
    }

    /// Copies one message and adds its row; returns its flags. Of one that fails nothing stays.
    fn message(
        &mut self,
        message: &Message,
        folder: &Planned,
        place: Place,
        table: &mut Table,
    ) -> Result<i32, Failed> {
        let mark = self.out.mark();
        let mut copier = Copier {
            out: self.out,
            names: self.names,
        };
        let copied = item::copy(&mut copier, message, place, table.layout());
        let copied = copied.inspect_err(|_| self.out.cut(mark))?;
        let node_type = match place {
            Place::Hidden => NodeType::ASSOC_MESSAGE,
            _ => NodeType::NORMAL_MESSAGE,
        };
        let nid = self.out.next_nid(node_type);
        self.out.node(nid, folder.nid, copied.content);
        table.add(self.out, nid.0, &copied.cells)?;
        self.items.push(Item {
            nid,
            digest: copied.digest,
        });
        let problems = item::problems_of(message).len() as u64;
        self.watch.problems.fetch_add(problems, Ordering::Relaxed);
        self.watch
            .progress
            .bytes
            .store(self.out.len(), Ordering::Relaxed);
        self.watch.progress.written.fetch_add(1, Ordering::Relaxed);
        let mut flags = copied
            .cells
            .iter()
            .filter(|(id, _)| *id == tags::MESSAGE_FLAGS);
        Ok(flags.find_map(|(_, value)| value.as_integer()).unwrap_or(0))
    }

    /// Writes a table of `folder`; one without rows shares the blocks of the template.
    fn table(
        &mut self,
        folder: &Planned,
        node_type: NodeType,
        table: Table,
        template: &'static [Column],
    ) -> Result<(), Failed> {
        let content = match table.len() {
            0 => self.empty.of(self.out, template)?,
            _ => table.finish(self.out)?,
        };
        let nid = folder.nid.with_type(node_type);
        self.out.node(nid, NodeId::default(), content);
        Ok(())
    }

    /// Writes the properties of all folders and the tables of their subfolders. `counts` has what is in each.
    pub fn finish(&mut self, plan: &Plan, counts: &[Counts]) -> Result<(), Failed> {
        let mut rows: BTreeMap<NodeId, Vec<(NodeId, Cells)>> = BTreeMap::new();
        let parents: std::collections::HashSet<NodeId> =
            plan.folders.iter().map(|folder| folder.parent).collect();
        let inbox = plan.special.get("inbox").copied();
        for (folder, counts) in plan.folders.iter().zip(counts) {
            let mut context = self.properties(folder, *counts, parents.contains(&folder.nid))?;
            if Some(folder.nid) == inbox {
                super::store::set_special(self.out, &mut context, plan, self.export)?;
            }
            let cells = plan::hierarchy_columns()
                .filter_map(|(id, kind)| Some((id, kind, context.small_value(id)?)))
                .filter(|(_, kind, value)| value.property_type == *kind && !value.bytes.is_empty());
            let cells = cells.map(|(id, _, value)| (id, value)).collect();
            rows.entry(folder.parent)
                .or_default()
                .push((folder.nid, cells));
            let content = context.finish(self.out)?;
            self.out.node(folder.nid, folder.parent, content);
        }
        for folder in &plan.folders {
            let below = rows.remove(&folder.nid).unwrap_or_default();
            self.hierarchy(folder.nid, below)?;
        }
        super::store::write_roots(self, plan, rows.remove(&plan::ROOT).unwrap_or_default())
    }

    /// Writes the table of the folders below `nid`.
    pub fn hierarchy(&mut self, nid: NodeId, mut rows: Vec<(NodeId, Cells)>) -> Result<(), Failed> {
        rows.sort_by_key(|(nid, _)| *nid);
        let content = match rows.len() {
            0 => self.empty.of(self.out, templates::HIERARCHY)?,
            _ => {
                let mut table = Table::new(Layout::new(templates::HIERARCHY, &[]))?;
                for (nid, cells) in rows {
                    table.add(self.out, nid.0, &cells)?;
                }
                table.finish(self.out)?
            }
        };
        let table = nid.with_type(NodeType::HIERARCHY_TABLE);
        self.out.node(table, NodeId::default(), content);
        Ok(())
    }

    /// The properties of `folder`: those of the source, and what is counted.
    fn properties(
        &mut self,
        folder: &Planned,
        counts: Counts,
        has_subfolders: bool,
    ) -> Result<Context, Failed> {
        let mut context = Context::default();
        let values = [
            (tags::DISPLAY_NAME, Stored::string(&folder.name)),
            (tags::CONTENT_COUNT, Stored::integer(counts.items)),
            (tags::CONTENT_UNREAD_COUNT, Stored::integer(counts.unread)),
            (tags::SUBFOLDERS, Stored::boolean(has_subfolders)),
        ];
        for (id, value) in values {
            context.set(self.out, id, &value)?;
        }
        let source = folder.folder.as_ref();
        let store = folder.ino.and_then(|ino| self.export.forest.store(ino));
        if let Some((properties, store)) = source
            .and_then(|folder| folder.properties().ok())
            .zip(store)
        {
            let mut copier = Copier {
                out: self.out,
                names: self.names,
            };
            for id in properties.ids() {
                if !changes::keeps_of_folder(id) {
                    continue;
                }
                let Some(to) = copier.named(store, id, properties.problems()) else {
                    continue;
                };
                if let Some(read) = read(&properties, id) {
                    copier.put(&mut context, to, read, None)?;
                }
            }
        }
        Ok(context)
    }
}

/// A folder that the source does not have, empty and with a name: its three tables, and the cells of its row.
pub(super) fn write_fixed(
    folders: &mut Folders<'_>,
    (nid, parent): (NodeId, NodeId),
    name: &str,
    has_subfolders: bool,
    more: Option<(&Plan, &Export<'_>)>,
) -> Result<Cells, Failed> {
    let mut context = Context::default();
    let values = vec![
        (tags::DISPLAY_NAME, Stored::string(name)),
        (tags::CONTENT_COUNT, Stored::integer(0)),
        (tags::CONTENT_UNREAD_COUNT, Stored::integer(0)),
        (tags::SUBFOLDERS, Stored::boolean(has_subfolders)),
    ];
    for (id, value) in &values {
        context.set(folders.out, *id, value)?;
    }
    if let Some((plan, export)) = more {
        super::store::set_special(folders.out, &mut context, plan, export)?;
    }
    let content: Content = context.finish(folders.out)?;
    folders.out.node(nid, parent, content);
    for (node_type, template) in [
        (NodeType::CONTENTS_TABLE, templates::CONTENTS),
        (NodeType::ASSOC_CONTENTS_TABLE, templates::ASSOCIATED),
    ] {
        let content = folders.empty.of(folders.out, template)?;
        folders
            .out
            .node(nid.with_type(node_type), NodeId::default(), content);
    }
    Ok(values)
}
