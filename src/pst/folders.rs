//! Folders: their messages, and when all are there, their tables and properties. [MS-PST] 2.4.4

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::Ordering;
use std::thread;

use super::begun::{Begun, Counts};
use super::changes;
use super::context::Context;
use super::copier::{Copier, SourceRows, read};
use super::empty::Empty;
use super::export::Export;
use super::failed::Failed;
use super::item::{self, Place};
use super::names::Names;
use super::opened::{self, Opened};
use super::output::{Content, Output};
use super::part::{Position, Tally};
use super::plan::{self, Plan, Planned};
use super::table::{Layout, Table};
use super::templates::{self, Column};
use super::value::{Cells, Stored};
use super::written::{Item, Watch};
use crate::ltp::tags;
use crate::messaging::{Folder, MSGFLAG_READ, Message};
use crate::ndb::{NodeId, NodeType};
use crate::tree::{Ino, join};

/// Rows that a folder has: what its heaps have room for, and what Outlook can still show.
const MOST_ITEMS: usize = 1_000_000;

/// What each folder of a file takes at most beside its items: properties, its row, its tables if they are empty.
const OF_FOLDER: u64 = 4 << 10;
/// Folders with a purpose or on the way to others, as a rule.
const MOST_WITHOUT_ITEMS: usize = 64;
/// What every file takes at most beside its folders: templates and store, a row, the last section.
const OF_FILE: u64 = 512 << 10;

/// What is called after each item, with the place behind it.
type Save<'a, Folders> = dyn FnMut(&mut Folders, Position, &Begun) -> Result<(), Failed> + 'a;

/// Copies all that is in the folders of a plan, or as much as one file takes.
pub(super) struct Folders<'a> {
    pub export: &'a Export<'a>,
    pub out: &'a mut Output,
    pub names: Names,
    pub rows: SourceRows,
    pub empty: Empty,
    pub watch: &'a Watch<'a>,
    pub items: Vec<Item>,
    pub tally: Tally,
    /// What is in the folders of this file, by their numbers in the plan.
    pub counts: BTreeMap<usize, Counts>,
}

impl Folders<'_> {
    /// Copies the messages of folder number `at.folder`, from item `at.item` on or as `begun`, and writes the tables of them.
    /// Returns the first item that the file has no room for. `save` is called after each item, and may end it.
    pub fn copy(
        &mut self,
        folder: &Planned,
        at: Position,
        begun: Option<Begun>,
        save: &mut Save<'_, Self>,
    ) -> Result<Option<Position>, Failed> {
        let mut begun = begun.map_or_else(Begun::new, Ok)?;
        let takes = self.export.filter.takes_folder(&folder.path);
        let source = folder.folder.as_ref().filter(|_| takes);
        let on_server = source.map_or(0, Folder::on_server);
        if on_server > 0 {
            let total = self.tally.totals.entry(folder.path.clone()).or_default();
            total.on_server = on_server;
        }
        let items = match takes {
            true => self.items_of(folder),
            false => Vec::new(),
        };
        let number = items.len();
        let mut left = None;
        let Export { forest, filter, .. } = self.export;
        thread::scope(|scope| {
            // Dropped before the thread is waited for, which ends it.
            let opened = opened::open(scope, forest, filter, items, at.item)?;
            for (item, opened) in opened.iter().flatten().enumerate() {
                let item = at.item + item;
                if !self.copy_item(opened, folder, &mut begun)? {
                    left = Some(Position { item, ..at });
                    break;
                }
                let item = item + 1;
                save(self, Position { item, ..at }, &begun)?;
            }
            Ok::<(), Failed>(())
        })?;
        if takes && left.is_none() {
            left = self.copy_hidden(folder, at, number, &mut begun, save)?;
        }
        let Begun {
            counts,
            messages,
            hidden,
        } = begun;
        if left.is_none() || messages.len() + hidden.len() > 0 {
            self.counts.insert(at.folder, counts);
            let table = NodeType::CONTENTS_TABLE;
            self.table(folder.nid, table, messages, templates::CONTENTS)?;
            let table = NodeType::ASSOC_CONTENTS_TABLE;
            self.table(folder.nid, table, hidden, templates::ASSOCIATED)?;
        }
        Ok(left)
    }

    /// Copies one item, unless the filter passes over it; false if the file has no room for it.
    fn copy_item(
        &mut self,
        opened: Opened,
        folder: &Planned,
        begun: &mut Begun,
    ) -> Result<bool, Failed> {
        let Opened { ino, message } = opened;
        let Some(message) = message else {
            self.watch.progress.items.fetch_add(1, Ordering::Relaxed);
            return Ok(true);
        };
        let problems = self.tally.problems;
        let is_full = begun.messages.len() >= MOST_ITEMS;
        let copied = match is_full {
            true => Err(Failed::Full),
            false => message
                .map_err(Failed::from)
                .and_then(|message| self.message(&message, folder, Place::Folder, begun)),
        };
        let forest = self.export.forest;
        let place = || {
            let nameless = || join(&folder.path, &forest.object_of(ino));
            forest.path_of(ino).unwrap_or_else(nameless)
        };
        let failed = match copied {
            Ok(None) => return Ok(false),
            Ok(Some(flags)) => {
                begun.counts.items += 1;
                begun.counts.unread += i32::from(flags & MSGFLAG_READ == 0);
                None
            }
            Err(Failed::Write(error)) => return Err(error.into()),
            Err(error) => Some((place(), error)),
        };
        let total = self.tally.totals.entry(folder.path.clone()).or_default();
        total.found += 1;
        match &failed {
            None => total.written += 1,
            Some(_) => total.failed += 1,
        }
        if self.tally.problems > problems {
            self.watch.not_whole(forest, ino);
        }
        if let Some((place, error)) = failed {
            self.fail(&place, &error.to_string());
        }
        self.watch.progress.items.fetch_add(1, Ordering::Relaxed);
        forest.forget(ino);
        Ok(true)
    }

    /// Tells of what could not be copied.
    fn fail(&mut self, place: &str, reason: &str) {
        self.tally.failed += 1;
        self.watch.fail(place, reason);
    }

    /// Whether the file stays within the size of a part once the tables of the folder that is `begun`, those of other folders
    /// and the B-trees are added.
    fn fits(&self, begun: &Begun) -> bool {
        let Some(most) = self.export.most else {
            return true;
        };
        let folders = self.counts.len() + MOST_WITHOUT_ITEMS;
        let tables = begun.messages.held() + begun.hidden.held();
        let end = tables + self.names.bytes() + self.out.tree_bytes();
        self.out.len() + end + folders as u64 * OF_FOLDER + OF_FILE <= most
    }

    /// The items in the directory of `folder`, in the order of their nodes.
    fn items_of(&self, folder: &Planned) -> Vec<Ino> {
        let forest = self.export.forest;
        // What cannot be listed has been told when the folders were.
        let Some(Ok(mut items)) = folder.ino.map(|ino| forest.items_of(ino)) else {
            return Vec::new();
        };
        items.sort_unstable_by_key(|(_, nid)| *nid);
        items.into_iter().map(|(ino, _)| ino).collect()
    }

    /// Copies the hidden messages that people have made by what they set, which stand behind the `items` of the folder, from
    /// `at.item` on. Returns the first that the file has no room for.
    fn copy_hidden(
        &mut self,
        folder: &Planned,
        at: Position,
        items: usize,
        begun: &mut Begun,
        save: &mut Save<'_, Self>,
    ) -> Result<Option<Position>, Failed> {
        let Some(source) = &folder.folder else {
            return Ok(None);
        };
        let Some(store) = folder.ino.and_then(|ino| self.export.forest.store(ino)) else {
            return Ok(None);
        };
        let contents = source.associated_contents();
        let rows = contents.rows().zip(items..);
        for (row, item) in rows.skip(at.item.saturating_sub(items)) {
            let message = || Message::open_within_budget(store, row.nid);
            // Where the table is lost, the message has its class.
            let own_class = || {
                message()
                    .ok()?
                    .properties()
                    .string(tags::MESSAGE_CLASS)
                    .ok()?
            };
            let class = row.message_class.clone().or_else(own_class);
            if !class.is_some_and(|class| changes::keeps_hidden(&class)) {
                continue;
            }
            let message = message().map_err(Failed::from);
            let copied =
                message.and_then(|message| self.message(&message, folder, Place::Hidden, begun));
            match copied {
                Ok(None) => return Ok(Some(Position { item, ..at })),
                Ok(Some(_)) => {}
                Err(Failed::Write(error)) => return Err(error.into()),
                Err(error) => self.fail(&folder.path, &error.to_string()),
            }
            let item = item + 1;
            save(self, Position { item, ..at }, begun)?;
        }
        if let Some(ino) = folder.ino {
            for problem in contents.problems().list() {
                self.export.forest.note(ino, &problem);
            }
        }
        Ok(None)
    }

    /// Copies one message and adds its row; returns its flags, or None if the file has no room for it. Of one that fails,
    /// or has no room, nothing stays.
    fn message(
        &mut self,
        message: &Message,
        folder: &Planned,
        place: Place,
        begun: &mut Begun,
    ) -> Result<Option<i32>, Failed> {
        let mark = self.out.mark();
        let mut copier = Copier {
            out: self.out,
            names: &mut self.names,
            rows: &mut self.rows,
        };
        let layout = begun.table(place).layout();
        let copied = match item::copy(&mut copier, message, place, layout) {
            Ok(copied) => copied,
            Err(error) => {
                self.out.cut(mark);
                return Err(error);
            }
        };
        // What is alone in its file is there, however large it is.
        if !self.items.is_empty() && !self.fits(begun) {
            self.out.cut(mark);
            return Ok(None);
        }
        let node_type = match place {
            Place::Hidden => NodeType::ASSOC_MESSAGE,
            _ => NodeType::NORMAL_MESSAGE,
        };
        let nid = self.out.next_nid(node_type);
        self.out.node(nid, folder.nid, copied.content);
        begun.table(place).add(self.out, nid.0, &copied.cells)?;
        self.items.push(Item {
            nid,
            digest: copied.digest,
        });
        self.tally.problems += item::problems_of(message).len() as u64;
        self.tally.written += u64::from(place == Place::Folder);
        let bytes = self.tally.bytes + self.out.len();
        self.watch.progress.bytes.store(bytes, Ordering::Relaxed);
        let mut flags = copied
            .cells
            .iter()
            .filter(|(id, _)| *id == tags::MESSAGE_FLAGS);
        let flags = flags.find_map(|(_, value)| value.as_integer());
        Ok(Some(flags.unwrap_or(0)))
    }

    /// Writes a table of the folder `nid`; one without rows shares the blocks of the template.
    fn table(
        &mut self,
        nid: NodeId,
        node_type: NodeType,
        table: Table,
        template: &'static [Column],
    ) -> Result<(), Failed> {
        let content = match table.len() {
            0 => self.empty.of(self.out, template)?,
            _ => table.finish(self.out)?,
        };
        self.out
            .node(nid.with_type(node_type), NodeId::default(), content);
        Ok(())
    }

    /// Writes the tables of the messages of a folder that has none in this file.
    fn no_messages(&mut self, nid: NodeId) -> Result<(), Failed> {
        for (node_type, template) in [
            (NodeType::CONTENTS_TABLE, templates::CONTENTS),
            (NodeType::ASSOC_CONTENTS_TABLE, templates::ASSOCIATED),
        ] {
            let content = self.empty.of(self.out, template)?;
            self.out
                .node(nid.with_type(node_type), NodeId::default(), content);
        }
        Ok(())
    }

    /// Writes the properties of all folders of the file and the tables of their subfolders.
    pub fn finish(&mut self, plan: &Plan) -> Result<(), Failed> {
        let mut rows: BTreeMap<NodeId, Vec<(NodeId, Cells)>> = BTreeMap::new();
        let present = plan.present(|number| self.counts.contains_key(&number));
        let folders = plan.folders.iter().enumerate();
        let folders: Vec<_> = folders
            .filter(|(_, folder)| present.contains(&folder.nid))
            .collect();
        let parents: HashSet<NodeId> = folders.iter().map(|(_, folder)| folder.parent).collect();
        let inbox = plan.special.get("inbox").copied();
        for (number, folder) in &folders {
            let counts = self.counts.get(number).copied();
            if counts.is_none() {
                self.no_messages(folder.nid)?;
            }
            let has_subfolders = parents.contains(&folder.nid);
            let mut context =
                self.properties(folder, counts.unwrap_or_default(), has_subfolders)?;
            if Some(folder.nid) == inbox {
                super::store::set_special(self.out, &mut context, plan)?;
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
        for (_, folder) in &folders {
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
            context.set(self.out, id, value)?;
        }
        let (Some(source), Some(ino)) = (&folder.folder, folder.ino) else {
            return Ok(context);
        };
        let forest = self.export.forest;
        let properties = source
            .properties()
            .inspect_err(|error| forest.note(ino, error));
        if let Some((properties, store)) = properties.ok().zip(forest.store(ino)) {
            let mut copier = Copier {
                out: self.out,
                names: &mut self.names,
                rows: &mut self.rows,
            };
            for id in properties.ids() {
                if !changes::keeps_of_folder(id) {
                    continue;
                }
                let taken = |id: u16| context.has(id);
                let Some(to) = copier.named(store, id, properties.problems(), taken) else {
                    continue;
                };
                if let Some(read) = read(&properties, id) {
                    copier.put(&mut context, to, read, None)?;
                }
            }
        }
        for problem in source.problems().list() {
            forest.note(ino, &problem);
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
    more: Option<&Plan>,
) -> Result<Cells, Failed> {
    let mut context = Context::default();
    let values = vec![
        (tags::DISPLAY_NAME, Stored::string(name)),
        (tags::CONTENT_COUNT, Stored::integer(0)),
        (tags::CONTENT_UNREAD_COUNT, Stored::integer(0)),
        (tags::SUBFOLDERS, Stored::boolean(has_subfolders)),
    ];
    for (id, value) in &values {
        context.set(folders.out, *id, value.clone())?;
    }
    if let Some(plan) = more {
        super::store::set_special(folders.out, &mut context, plan)?;
    }
    let content: Content = context.finish(folders.out)?;
    folders.out.node(nid, parent, content);
    folders.no_messages(nid)?;
    Ok(values)
}
