//! Folders: subfolders and contents. [MS-PST] 2.4.4
//!
//! A table that is missing or damaged is replaced by the nodes that name the folder as their parent: in every healthy
//! file both lists are the same.

use std::collections::HashSet;
use std::sync::Arc;

use super::contents_table::{ContentsTable, object_of};
use super::item_rows::ItemRows;
use super::properties::{MAX_LISTED, Properties, text_of_value};
use super::store::Store;
use crate::error::{Error, Result};
use crate::ltp::{ClientSignature, Heap, PropertyContext, Row, TableContext, Value, tags};
use crate::ndb::header::Client;
use crate::ndb::{Depth, Node, NodeId, NodeType, read_ahead};
use crate::problem::Problems;

/// A folder or search folder.
#[derive(Debug, Clone)]
pub struct Folder {
    store: Arc<Store>,
    nid: NodeId,
    problems: Problems,
}

/// One row of a hierarchy table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subfolder {
    /// The folder's node; its type distinguishes folders from search folders.
    pub nid: NodeId,
    /// Display name, if any.
    pub name: Option<String>,
}

impl Folder {
    /// The folder `nid`. Nothing is read yet.
    pub fn new(store: &Arc<Store>, nid: NodeId) -> Self {
        Self {
            store: Arc::clone(store),
            nid,
            problems: Problems::default(),
        }
    }

    /// What turned out to be wrong with its properties and its hierarchy table, as far as they have been read.
    pub fn problems(&self) -> &Problems {
        &self.problems
    }

    /// Its node.
    pub fn nid(&self) -> NodeId {
        self.nid
    }

    /// Whether it is a search folder: its rows are messages of other folders.
    pub fn is_search(&self) -> bool {
        self.nid.node_type() == NodeType::SEARCH_FOLDER
    }

    /// Its properties.
    pub fn properties(&self) -> Result<Properties> {
        let node = self.store.node(self.nid)?.noting(&self.problems);
        Ok(Properties::new(
            PropertyContext::open(node)?,
            self.store.code_page(),
        ))
    }

    /// Of an OST: how many of its items are not in the file, as too old to be kept offline, and were on the server alone when
    /// the two were last the same. 0 of other files, and if the folder does not say.
    pub fn on_server(&self) -> u64 {
        let count = self.stated_of_server(tags::ITEMS_ON_SERVER);
        count
            .and_then(|count| u64::try_from(count).ok())
            .unwrap_or(0)
    }

    /// Of an OST: what the folder states under `id` of the items that are on the server alone. A PST has copied that with the
    /// folder, and no server that it could be on.
    pub fn stated_of_server(&self, id: u16) -> Option<i32> {
        if self.store.ndb().header().client != Client::Ost {
            return None;
        }
        self.properties().and_then(|own| own.integer(id)).ok()?
    }

    /// How many items it states to have (PidTagContentCount), right or wrong.
    pub fn stated_items(&self) -> Option<i32> {
        let own = self.properties().ok()?;
        own.integer(tags::CONTENT_COUNT).ok().flatten()
    }

    /// Its subfolders, in the order of the hierarchy table (by node).
    pub fn subfolders(&self) -> Vec<Subfolder> {
        // Search folders have no subfolders and no such table.
        if self.is_search() {
            return Vec::new();
        }
        let table = self.whole_table(NodeType::HIERARCHY_TABLE, &self.problems);
        let rows = table.as_ref().map(TableContext::rows).unwrap_or_default();
        let mut listed = HashSet::new();
        let mut children: Vec<Subfolder> = Vec::new();
        for row in &rows {
            let nid = object_of(row, (&self.store, self.nid), &self.problems);
            if !listed.insert(nid.0) {
                continue;
            }
            if nid.is_folder() {
                let name = self.name_in(row);
                children.push(Subfolder { nid, name });
            } else {
                let problem = format_args!("row: expected a folder, found {:#x}", nid.0);
                let error = Error::corrupt("hierarchy table", self.nid, problem);
                self.problems.note_error("", &error);
            }
        }
        // Of a damaged table, a row may name another folder than it did.
        if table.is_none() || !self.problems.is_empty() {
            let types = [NodeType::NORMAL_FOLDER, NodeType::SEARCH_FOLDER];
            let nodes = self.store.nodes_of_parent(self.nid, &types, &self.problems);
            let unlisted = nodes.into_iter().filter(|nid| listed.insert(nid.0));
            children.extend(unlisted.map(|nid| Subfolder { nid, name: None }));
            children.sort_by_key(|child| child.nid);
        }
        for child in &mut children {
            child.name = child.name.take().or_else(|| self.own_name(child.nid));
        }
        children
    }

    /// The name that a row of the hierarchy table has.
    fn name_in(&self, row: &Row<'_>) -> Option<String> {
        let name = row.start(tags::DISPLAY_NAME, MAX_LISTED);
        let name = name.unwrap_or_else(|error| {
            let problems = self.problems.within_table("hierarchy table");
            problems.note_error(format_args!("row {:#x}", row.id), &error);
            None
        });
        text_of_value(&name?, self.store.code_page()).filter(|name| !name.is_empty())
    }

    /// The name that folder `nid` itself has, where its row has none.
    fn own_name(&self, nid: NodeId) -> Option<String> {
        let folder = Folder {
            problems: self.problems.within(nid),
            ..Folder::new(&self.store, nid)
        };
        let folder = folder.properties();
        let name = folder.and_then(|folder| folder.start_of_string(tags::DISPLAY_NAME));
        name.unwrap_or_else(|error| {
            self.problems.note_error("", &error.in_node(nid.0));
            None
        })
    }

    /// Its messages. In place of a table that is missing or damaged, the messages that name this folder.
    pub fn contents(&self) -> ContentsTable {
        let table_type = if self.is_search() {
            NodeType::SEARCH_CONTENTS_TABLE
        } else {
            NodeType::CONTENTS_TABLE
        };
        self.rows_of(table_type, NodeType::NORMAL_MESSAGE)
    }

    /// Its associated (hidden) messages.
    pub fn associated_contents(&self) -> ContentsTable {
        self.rows_of(NodeType::ASSOC_CONTENTS_TABLE, NodeType::ASSOC_MESSAGE)
    }

    /// All cells that can be read of the row of message `nid`; none when no table has such a row. Of many messages,
    /// [`Folder::item_rows`] is to be asked.
    pub fn cells(&self, nid: NodeId) -> Vec<(u16, Value)> {
        let rows = self.item_rows(nid.node_type(), &Problems::default());
        rows.cells(nid, |_| true)
    }

    /// The rows of its messages of `item_type`; what is wrong with their table goes to `problems`.
    pub fn item_rows(&self, item_type: NodeType, problems: &Problems) -> ItemRows {
        let table_type = match item_type {
            NodeType::ASSOC_MESSAGE => NodeType::ASSOC_CONTENTS_TABLE,
            _ => NodeType::CONTENTS_TABLE,
        };
        ItemRows::new(self.table(table_type, problems))
    }

    fn rows_of(&self, table_type: NodeType, item_type: NodeType) -> ContentsTable {
        let problems = Problems::default();
        let table = self.whole_table(table_type, &problems);
        let index = table.as_ref().map(TableContext::row_index);
        let mut rows = index.unwrap_or_default();
        // A message whose node is lost is one all the same.
        rows.retain(|(nid, _)| {
            let is_message = NodeId(*nid).is_message();
            if !is_message {
                let problem = format_args!("row: expected a message, found {nid:#x}");
                let error = Error::corrupt("contents table", self.nid, problem);
                problems.note_error("", &error);
            }
            is_message
        });
        if !problems.is_empty()
            && let Some(table) = &table
        {
            for (nid, number) in &mut rows {
                let row = table.row(*nid, *number).ok();
                let message = row.map(|row| object_of(&row, (&self.store, self.nid), &problems));
                *nid = message.map_or(*nid, |message| message.0);
            }
            rows.sort_unstable();
            rows.dedup_by_key(|(nid, _)| *nid);
        }
        // Search folders own no messages, so only their table can tell.
        if (table.is_none() || !problems.is_empty()) && !self.is_search() {
            let listed: HashSet<u32> = rows.iter().map(|(nid, _)| *nid).collect();
            let nodes = self
                .store
                .nodes_of_parent(self.nid, &[item_type], &problems);
            let unlisted = nodes
                .iter()
                .map(|nid| nid.0)
                .filter(|nid| !listed.contains(nid));
            rows.extend(unlisted.map(|nid| (nid, u32::MAX)));
            rows.sort_unstable();
        }
        ContentsTable {
            store: Arc::clone(&self.store),
            folder: self.nid,
            table,
            rows,
            code_page: self.store.code_page(),
            with_people: false,
            with_state: false,
            cell_problems: problems.within_table(table_name(table_type)),
            problems,
        }
    }

    /// As [`Folder::table`], for those who will read all of its rows.
    fn whole_table(&self, table_type: NodeType, problems: &Problems) -> Option<TableContext> {
        let nid = self.nid.with_type(table_type);
        read_ahead(self.store.ndb(), &[nid], Depth::All);
        self.table(table_type, problems)
    }

    /// The table of this folder of the given type; None when the folder has none, or it has no data, or it cannot be read,
    /// which is noted.
    fn table(&self, table_type: NodeType, problems: &Problems) -> Option<TableContext> {
        self.open_table(table_type, problems)
            .unwrap_or_else(|error| {
                problems.note_error("", &error);
                None
            })
    }

    fn open_table(
        &self,
        table_type: NodeType,
        problems: &Problems,
    ) -> Result<Option<TableContext>> {
        let node = match Node::open(self.store.ndb(), self.nid.with_type(table_type)) {
            Ok(node) if node.is_empty() => return Ok(None),
            Err(Error::NotFound) => return Ok(None),
            node => node?,
        };
        for doubt in node.doubts() {
            problems.note_error("", &doubt);
        }
        let node = node.noting(&problems.within_table(table_name(table_type)));
        let heap = Heap::open(node)?;
        if self.is_search() && heap.client() == ClientSignature::OLD_SEARCH_TABLE {
            return Ok(None);
        }
        TableContext::of_heap(heap).map(Some)
    }
}

/// What people call a table of a folder.
fn table_name(table_type: NodeType) -> &'static str {
    match table_type {
        NodeType::HIERARCHY_TABLE => "hierarchy table",
        NodeType::ASSOC_CONTENTS_TABLE => "associated contents table",
        _ => "contents table",
    }
}
