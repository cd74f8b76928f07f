//! The whole store: tables, folder nodes, fixed nodes; [`Writer`] takes items one by one, [`Store`] collects them first. [MS-PST] 2.4, 2.7.
use std::collections::{BTreeMap, HashMap};
use std::io::Result;
use std::path::Path;

use super::format::{Crypt, Format};
use super::layout::Layout;
use super::ltp::{Props, SubNodes, Table, property_context};
use super::message::Message;
use super::ndb::{Ndb, Options};
use super::plan::*;
use super::tags;
use super::templates::*;
use super::value::*;

/// Record key of every store that this writer makes.
pub const RECORD_KEY: [u8; 16] = *b"ostfs-store-key\0";

/// A store in memory, written at once.
#[derive(Clone, Debug)]
pub struct Store {
    plan: Plan,
    messages: Vec<(Nid, Nid, Message)>,
}

impl Folders for Store {
    fn plan(&self) -> &Plan {
        &self.plan
    }
    fn plan_mut(&mut self) -> &mut Plan {
        &mut self.plan
    }
}

impl Store {
    pub fn new(format: Format, crypt: Crypt) -> Store {
        Store::with(Options::new(format, crypt))
    }

    pub fn with(options: Options) -> Store {
        Store {
            plan: Plan::new(options),
            messages: Vec::new(),
        }
    }

    /// Adds an item to a folder; returns its NID.
    pub fn message(&mut self, folder: Nid, message: Message) -> Nid {
        let nid = self.plan.message_nid(&message);
        self.messages.push((folder, nid, message));
        nid
    }

    /// A search folder that lists messages of other folders.
    pub fn search_folder(&mut self, name: &str, found: &[Nid]) -> Nid {
        let parent = if self.plan.options.format.is_ost() {
            0x20E2
        } else {
            0x8042
        };
        let nid = self.plan.next_nid(TYPE_SEARCH_FOLDER);
        self.plan.add_folder(nid, parent, name.into());
        self.plan.folder_mut(nid).found = found.to_vec();
        nid
    }

    pub fn write(&self, path: impl AsRef<Path>) -> Result<Layout> {
        let mut writer = Writer::with_plan(path.as_ref(), self.plan.clone())?;
        for (folder, nid, message) in &self.messages {
            writer.put(*folder, *nid, message)?;
        }
        writer.finish()
    }
}

/// Writes a store item by item; what stays in memory is a few dozen bytes per item and block.
pub struct Writer {
    plan: Plan,
    pub ndb: Ndb,
    /// Open contents and FAI tables, by their NIDs.
    tables: BTreeMap<Nid, Table>,
    /// Rows that search folders need, by message.
    wanted: HashMap<Nid, Option<(Props, Text)>>,
    /// Folders of messages in search folders.
    owners: HashMap<Nid, Nid>,
    /// Blocks of empty tables, shared as Outlook does, and their uses.
    empty: HashMap<u32, (u64, u64, u32)>,
}

impl Folders for Writer {
    fn plan(&self) -> &Plan {
        &self.plan
    }
    fn plan_mut(&mut self) -> &mut Plan {
        &mut self.plan
    }
}

impl Writer {
    pub fn create(path: impl AsRef<Path>, options: Options) -> Result<Writer> {
        Writer::with_plan(path.as_ref(), Plan::new(options))
    }

    fn with_plan(path: &Path, plan: Plan) -> Result<Writer> {
        let found = plan.folders.iter().flat_map(|f| f.found.iter().copied());
        Ok(Writer {
            ndb: Ndb::create(path, plan.options.clone())?,
            tables: BTreeMap::new(),
            wanted: found.map(|nid| (nid, None)).collect(),
            owners: HashMap::new(),
            empty: HashMap::new(),
            plan,
        })
    }

    /// Writes an item into a folder; returns its NID.
    pub fn message(&mut self, folder: Nid, message: &Message) -> Result<Nid> {
        let nid = self.plan.message_nid(message);
        self.put(folder, nid, message)?;
        Ok(nid)
    }

    fn put(&mut self, folder: Nid, nid: Nid, message: &Message) -> Result<()> {
        let written = self.plan.items.write(&mut self.ndb, nid, message, true)?;
        self.ndb.node(nid, written.data, written.sub, folder);
        let counts = self.plan.folder_mut(folder);
        let kind = if message.associated {
            counts.associated += 1;
            TYPE_ASSOCIATED
        } else {
            counts.messages += 1;
            let flags = written.row.get(&tags::MESSAGE_FLAGS);
            counts.unread += u32::from(matches!(flags, Some(Value::I32(f)) if f & 1 == 0));
            TYPE_CONTENTS
        };
        if let Some(row) = self.wanted.get_mut(&nid) {
            *row = Some((written.row.clone(), written.text));
            self.owners.insert(nid, folder);
        }
        let table_nid = folder & !31 | kind;
        if !self.tables.contains_key(&table_nid) {
            let table = self.new_table(kind)?;
            self.tables.insert(table_nid, table);
        }
        let table = self.tables.get_mut(&table_nid).expect("just made");
        table.add(&mut self.ndb, nid, written.text, &written.row)
    }

    fn text(&self) -> Text {
        Text {
            wide: self.ndb.geo.wide,
            code_page: 1252,
        }
    }

    /// An empty table of the kind that a folder has.
    fn new_table(&mut self, kind: u32) -> Result<Table> {
        self.table_like(0x600 | kind)
    }

    fn table_like(&mut self, template: u32) -> Result<Table> {
        let format = self.plan.options.format;
        let columns = columns(format, template, self.plan.items.sparse);
        let side = format == Format::Ost4k && template == 0x60E;
        Table::new(&mut self.ndb, &columns, side)
    }

    /// Blocks of an empty table, made once.
    fn empty_table(&mut self, template: u32) -> Result<(u64, u64)> {
        const MOST_USES: u32 = 60_000;
        match self.empty.get_mut(&template) {
            Some((data, sub, uses)) if *uses < MOST_USES => {
                *uses += 1;
                Ok((*data, *sub))
            }
            _ => {
                let table = self.table_like(template)?;
                let (data, sub) = table.finish(&mut self.ndb)?;
                self.empty.insert(template, (data, sub, 1));
                Ok((data, sub))
            }
        }
    }

    fn table_node(&mut self, nid: Nid, table: Table) -> Result<()> {
        let (data, sub) = table.finish(&mut self.ndb)?;
        self.ndb.node(nid, data, sub, 0);
        Ok(())
    }

    fn property_node(&mut self, nid: Nid, props: &Props, parent: Nid) -> Result<()> {
        let text = self.text();
        let (data, sub) = property_context(&mut self.ndb, props, text, SubNodes::default())?;
        self.ndb.node(nid, data, sub, parent);
        Ok(())
    }

    /// Writes tables, folders and fixed nodes, the B-trees and the header.
    pub fn finish(mut self) -> Result<Layout> {
        let format = self.plan.options.format;
        for &template in templates(format) {
            let (data, sub) = self.empty_table(template)?;
            self.ndb.node(template, data, sub, 0);
        }
        self.search_tables()?;
        self.stray_rows()?;
        for folder in self.plan.folders.clone() {
            self.folder_nodes(&folder)?;
        }
        self.store_nodes()?;
        let text = self.text();
        self.plan.items.names.write(&mut self.ndb, text)?;
        if format.is_ost() {
            super::ost::write_maps(&mut self.ndb)?;
        }
        self.ndb.finish()?;
        Ok(Layout::new(self.ndb))
    }

    /// Rows of nodes that need not be there, nor be messages.
    fn stray_rows(&mut self) -> Result<()> {
        let text = self.text();
        for folder in &self.plan.folders {
            for &nid in &folder.strays {
                let table = self.tables.get_mut(&(folder.nid & !31 | TYPE_CONTENTS));
                let table = table.expect("a folder with messages");
                table.add(&mut self.ndb, nid, text, &Props::new())?;
            }
        }
        Ok(())
    }

    /// Contents of search folders: rows of messages that other folders own.
    fn search_tables(&mut self) -> Result<()> {
        for i in 0..self.plan.folders.len() {
            if self.plan.folders[i].nid & 31 != TYPE_SEARCH_FOLDER {
                continue;
            }
            let Folder { nid, found, .. } = self.plan.folders[i].clone();
            let mut table = self.new_table(TYPE_SEARCH)?;
            for message in &found {
                let row = self.wanted[message].clone();
                let (mut row, text) = row.expect("a message of this store");
                row.insert(tags::LTP_PARENT_NID, (self.owners[message] as i32).into());
                table.add(&mut self.ndb, *message, text, &row)?;
            }
            self.plan.folders[i].messages = table.len() as u32;
            self.table_node(nid & !31 | TYPE_SEARCH, table)?;
        }
        Ok(())
    }

    /// Properties of a folder that its PC and its parent's hierarchy row share.
    fn folder_props(&self, folder: &Folder) -> Props {
        let mut props = Props::new();
        props.insert(tags::DISPLAY_NAME, folder.name.clone());
        props.insert(tags::CONTENT_COUNT, (folder.messages as i32).into());
        props.insert(tags::CONTENT_UNREAD_COUNT, (folder.unread as i32).into());
        props.insert(
            tags::SUBFOLDERS,
            self.plan.children.contains_key(&folder.nid).into(),
        );
        if self.plan.options.format.is_ost() {
            let id = super::ost::short_id(folder.nid);
            props.insert(tags::SERVER_FOLDER_ID, Value::I64(id));
        }
        props.extend(folder.props.clone());
        props
    }

    /// In an OST the Inbox lists the other special folders.
    fn special_folders(&self, props: &mut Props) {
        for folder in self.children(self.ipm_subtree()) {
            let Some(Value::Str(class)) = folder.props.get(&tags::CONTAINER_CLASS) else {
                continue;
            };
            let id = match (class.as_str(), &folder.name) {
                ("IPF.Appointment", _) => tags::IPM_APPOINTMENT_ENTRY_ID,
                ("IPF.Contact", _) => tags::IPM_CONTACT_ENTRY_ID,
                ("IPF.Journal", _) => tags::IPM_JOURNAL_ENTRY_ID,
                ("IPF.StickyNote", _) => tags::IPM_NOTE_ENTRY_ID,
                ("IPF.Task", _) => tags::IPM_TASK_ENTRY_ID,
                (_, Value::Str(name)) if name == "Drafts" => tags::IPM_DRAFTS_ENTRY_ID,
                _ => continue,
            };
            let entry = super::ost::folder_entry_id(folder.nid);
            props.entry(id).or_insert(entry.into());
        }
    }

    fn folder_nodes(&mut self, folder: &Folder) -> Result<()> {
        let mut props = self.folder_props(folder);
        if folder.nid == NID_INBOX_OST {
            self.special_folders(&mut props);
        }
        let base = folder.nid & !31;
        self.property_node(folder.nid, &props, folder.parent)?;
        if folder.nid & 31 == TYPE_SEARCH_FOLDER {
            self.ndb.node(base | 6, 0, 0, 0);
            let mut criteria = Props::new();
            criteria.insert(0x660B, 0.into());
            return self.property_node(base | 7, &criteria, 0);
        }
        let children: Vec<Folder> = self.children(folder.nid);
        if children.is_empty() {
            let (data, sub) = self.empty_table(0x60D)?;
            self.ndb.node(base | TYPE_HIERARCHY, data, sub, 0);
        } else {
            let mut table = self.new_table(TYPE_HIERARCHY)?;
            let text = self.text();
            for child in children {
                let row = self.folder_props(&child);
                table.add(&mut self.ndb, child.nid, text, &row)?;
            }
            self.table_node(base | TYPE_HIERARCHY, table)?;
        }
        for kind in [TYPE_CONTENTS, TYPE_ASSOCIATED] {
            match self.tables.remove(&(base | kind)) {
                Some(table) => self.table_node(base | kind, table)?,
                None => {
                    let (data, sub) = self.empty_table(0x600 | kind)?;
                    self.ndb.node(base | kind, data, sub, 0);
                }
            }
        }
        Ok(())
    }

    fn children(&self, nid: Nid) -> Vec<Folder> {
        let indexes = self.plan.children.get(&nid).into_iter().flatten();
        indexes.map(|&i| self.plan.folders[i].clone()).collect()
    }

    fn store_nodes(&mut self) -> Result<()> {
        let ost = self.plan.options.format.is_ost();
        let mut props = Props::new();
        props.insert(tags::PST_LR_NO_RESTRICTIONS, true.into());
        props.insert(tags::LATEST_PST_ENSURE, 0x000E_0011.into());
        props.insert(tags::RECORD_KEY, RECORD_KEY.as_slice().into());
        if ost {
            props.insert(tags::DISPLAY_NAME, "".into());
            props.insert(0x6615, Value::Guid(super::ost::STORE_GUID));
            props.insert(tags::PST_PASSWORD, (-1).into());
        } else {
            props.insert(tags::DISPLAY_NAME, "Outlook data file".into());
            props.insert(tags::VALID_FOLDER_MASK, 0x89.into());
            let mut ids = vec![
                (tags::IPM_SUBTREE_ENTRY_ID, 0x8022),
                (tags::IPM_WASTEBASKET_ENTRY_ID, 0x8062),
                (tags::FINDER_ENTRY_ID, 0x8042),
            ];
            if self.plan.options.format == Format::Unicode {
                ids.push((tags::COMMON_VIEWS_ENTRY_ID, 0x8082));
            }
            for (id, nid) in ids {
                let mut entry = vec![0; 4];
                entry.extend(RECORD_KEY);
                entry.extend(u32::to_le_bytes(nid));
                props.insert(id, entry.into());
            }
            props.insert(tags::PST_PASSWORD, 0.into());
        }
        props.extend(self.plan.store_props.clone());
        self.property_node(NID_STORE, &props, 0)?;
        let inbox = if self.plan.by_nid.contains_key(&NID_INBOX_OST) {
            NID_INBOX_OST
        } else {
            NID_ROOT
        };
        let mut table = self.table_like(NID_RECEIVE_FOLDERS)?;
        let text = self.text();
        let classes: &[&str] = if ost {
            &["", "IPM", "REPORT.IPM"]
        } else {
            &[""]
        };
        for (i, class) in classes.iter().enumerate() {
            let mut row = Props::new();
            row.insert(tags::MESSAGE_CLASS, (*class).into());
            row.insert(tags::RECEIVE_FOLDER_NID, (inbox as i32).into());
            table.add(&mut self.ndb, i as u32 + 1, text, &row)?;
        }
        self.table_node(NID_RECEIVE_FOLDERS, table)?;
        let (data, sub) = self.empty_table(NID_OUTGOING_QUEUE)?;
        self.ndb.node(NID_OUTGOING_QUEUE, data, sub, 0);
        // The search management queue, the search activity list, the search domain object.
        for queue in [0x1E1, 0x201, 0x261] {
            self.ndb.node(queue, 0, 0, 0);
        }
        Ok(())
    }
}
