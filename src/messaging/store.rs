//! The message store: where its folders hang, and what holds for the whole file. [MS-PST] 2.4.3

use std::sync::{Arc, OnceLock};

use super::declared_sizes::declared_sizes;
use super::message_class::is_derived;
use super::named_properties::NamedProperties;
use super::properties::{Properties, text_of_value};
use super::store_page::{self, PageReason, StorePage};
use crate::codepage;
use crate::error::{Error, Result};
use crate::ltp::{PropertyContext, Row, TableContext, Value, tags};
use crate::ndb::kept::Once;
use crate::ndb::{Node, NodeDatabase, NodeEntry, NodeId, NodeType, at_best, partly};
use crate::problem::Problems;

/// Message class of mail.
const MAIL_CLASS: &str = "IPM.Note";

/// Makes entries for nodes that are lost, of other structures of the file: `salvage::restore`. That is a layer above
/// this one, and takes a search of the whole file, so it is called from here, when the first message is opened that has
/// lost its node. Must not open messages by their nodes.
pub type Restore = fn(&Arc<Store>) -> Vec<NodeEntry>;

/// The named property map, and what is wrong with it.
#[derive(Debug, Default)]
struct Named {
    map: NamedProperties,
    problem: Option<NamesProblem>,
}

/// What is wrong with the named property map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamesProblem {
    /// What does not fit, or cannot be read.
    pub text: String,
    /// Whether names in it may be wrong. Else it only lacks some.
    pub is_doubtful: bool,
}

/// An opened store.
#[derive(Debug)]
pub struct Store {
    ndb: Arc<NodeDatabase>,
    properties: Option<Properties>,
    /// PidTagCodePageId, or what the user wants in its place.
    stated_page: Option<StorePage>,
    page: Once<StorePage>,
    page_of_strings: Once<u32>,
    record_key: Vec<u8>,
    named: Once<Named>,
    problem: Option<String>,
    restore: Option<Restore>,
    /// Stands in while the disk does not give the real ones.
    unnamed: Named,
    /// Folders and messages under their `nidParent`, ascending; made when the first table is damaged.
    children: OnceLock<Box<[(NodeId, NodeId)]>>,
}

impl Store {
    /// The store of `ndb`. A store object that cannot be read is a warning: folders and messages do not need it.
    pub fn open(ndb: NodeDatabase) -> Self {
        let ndb = Arc::new(ndb.with_declared_sizes(declared_sizes));
        at_best(|| Self::of(Arc::clone(&ndb)))
    }

    fn of(ndb: Arc<NodeDatabase>) -> Self {
        let mut problem = None;
        let mut noted = |error: Error| {
            problem.get_or_insert_with(|| format!("the message store object: {error}"));
        };
        let node = Node::open(&ndb, NodeId::MESSAGE_STORE).map_err(&mut noted);
        let node = node.ok();
        let doubts = node.iter().flat_map(Node::doubts);
        doubts.for_each(&mut noted);
        let context = node.and_then(|node| PropertyContext::open(node).map_err(&mut noted).ok());
        if let Some(list) = context.as_ref().and_then(PropertyContext::problem) {
            noted(Error::corrupt(
                "property context",
                "list of properties",
                list,
            ));
        }
        let properties = context.map(|context| Properties::new(context, codepage::WINDOWS_LATIN1));
        let own = properties.as_ref();
        let stated_page = own
            .and_then(|own| own.integer(tags::CODE_PAGE_ID).map_err(&mut noted).ok()?)
            .and_then(|page| u32::try_from(page).ok())
            .filter(|page| *page != 0)
            .map(|number| StorePage {
                number,
                reason: PageReason::Stated,
            });
        let record_key = own
            .and_then(|own| own.binary(tags::RECORD_KEY).map_err(&mut noted).ok()?)
            .unwrap_or_default();
        Self {
            ndb,
            properties,
            stated_page,
            page: Once::default(),
            page_of_strings: Once::default(),
            record_key,
            named: Once::default(),
            problem,
            unnamed: Named::default(),
            restore: None,
            children: OnceLock::new(),
        }
    }

    /// Takes `number` for the code page of the store, whatever the store names; None leaves the decision to the file.
    pub fn with_code_page(mut self, number: Option<u32>) -> Self {
        let chosen = number.map(|number| StorePage {
            number,
            reason: PageReason::Chosen,
        });
        self.stated_page = chosen.or(self.stated_page);
        self
    }

    /// Lets what `restore` makes stand in for nodes that are lost with a page of the node B-tree.
    pub fn with_restore(mut self, restore: Restore) -> Self {
        self.restore = Some(restore);
        self
    }

    /// The node of message `nid`; one that is lost is restored if that can be done.
    pub(super) fn message_node(self: &Arc<Self>, nid: NodeId) -> Result<Node> {
        let node = self.node(nid);
        if node.is_ok() || self.restored().is_empty() {
            return node;
        }
        Node::open(&self.ndb, nid).or(node)
    }

    /// Messages that have lost their nodes, and that no folder lists, under ids that were made up for them; and items made
    /// of what has lost its message. None while no page of the node B-tree and no list has turned out to be lost.
    pub fn unlisted_messages(self: &Arc<Self>) -> Vec<NodeId> {
        let restored = self.restored().iter().map(|node| node.nid);
        restored.filter(|nid| self.ndb.is_made_up(*nid)).collect()
    }

    /// Nodes that were lost and could be restored, which is done now if it is to be done at all.
    fn restored(self: &Arc<Self>) -> &[NodeEntry] {
        match self.restore {
            Some(restore) if self.ndb.has_lost_nodes() || self.ndb.has_lost_lists() => {
                self.ndb.restore(|| restore(self))
            }
            _ => &[],
        }
    }

    /// The file below.
    pub fn ndb(&self) -> &Arc<NodeDatabase> {
        &self.ndb
    }

    /// The properties of the store object, if it can be read.
    pub fn properties(&self) -> Option<&Properties> {
        self.properties.as_ref()
    }

    /// Code page of 8-bit strings of objects that do not name one.
    pub fn code_page(&self) -> u32 {
        self.page().number
    }

    /// The same, and why it is that. In a file of the 8-bit format whose store does not say, its first items are looked at
    /// on first use.
    pub fn page(&self) -> StorePage {
        if let Some(page) = self.stated_page {
            return page;
        }
        let page = || {
            partly(|| {
                self.page
                    .get_or_make(|| Ok(store_page::decide(&self.ndb)))
                    .copied()
            })
        };
        // A disk that fails may tell more the next time.
        page().unwrap_or(StorePage::DEFAULT)
    }

    /// Code page of the 8-bit strings of an object that has some and names no page. Other formats have few such strings, so there
    /// the first items are looked at when one is met.
    pub(super) fn page_of_strings(&self) -> u32 {
        if self.stated_page.is_some() || self.ndb.header().format.is_8bit() {
            return self.code_page();
        }
        let page = partly(|| {
            self.page_of_strings
                .get_or_make(|| Ok(store_page::by_items(&self.ndb).number))
                .copied()
        });
        page.unwrap_or(codepage::WINDOWS_LATIN1)
    }

    /// PidTagRecordKey, which no two files share; empty when it has none, or [`Store::problem`] has the reason why it is lost.
    pub fn record_key(&self) -> &[u8] {
        &self.record_key
    }

    /// Whether the file has a password, which guards nothing: it is a check value that only Outlook asks for.
    pub fn has_password(&self) -> bool {
        let password = self
            .properties
            .as_ref()
            .and_then(|store| store.integer(tags::PST_PASSWORD).ok().flatten());
        !matches!(password, None | Some(0 | -1))
    }

    /// The named property map, read on first use. A map that cannot be read leaves all properties without names.
    pub fn named_properties(&self) -> &NamedProperties {
        &self.names().map
    }

    fn names(&self) -> &Named {
        let named = self.named.get_or_make(|| Ok(self.read_names()));
        named.unwrap_or(&self.unnamed)
    }

    fn read_names(&self) -> Named {
        let problems = Problems::default();
        let node = Node::open(&self.ndb, NodeId::NAME_TO_ID_MAP);
        let doubt = node.iter().flat_map(Node::doubts).next();
        let read = node.and_then(|node| NamedProperties::read(node.noting(&problems)));
        let (map, error) = match read {
            Ok(map) => (map, doubt),
            Err(error) => (NamedProperties::default(), Some(error)),
        };
        let met = problems.list();
        let is_unread = error.as_ref().is_some_and(Error::is_unread);
        let text = error.map(|error| error.to_string());
        let text = text.or_else(|| met.first().map(ToString::to_string));
        let text = text.or_else(|| map.problem().map(ToOwned::to_owned));
        let problem = text.map(|text| NamesProblem {
            text: format!("the named property map: {text}"),
            is_doubtful: !met.is_empty() || map.is_doubtful(),
        });
        // A disk may give it the next time.
        if let Some(problem) = problem.as_ref().filter(|_| !is_unread) {
            self.ndb.tell(problem.text.clone());
        }
        Named { map, problem }
    }

    /// Why properties that only the map can name may be missing from items, or may be others.
    pub fn names_problem(&self) -> Option<&NamesProblem> {
        self.names().problem.as_ref()
    }

    /// Why the store object, its code page or its key cannot be read; folders and most messages do not need them.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// The folder that mail is delivered into; None when the table of them does not have it. [MS-PST] 2.7.3.4
    pub fn receive_folder(&self) -> Option<NodeId> {
        let node = Node::open(&self.ndb, NodeId::RECEIVE_FOLDER_TABLE).ok()?;
        let problems = Problems::default();
        let table = TableContext::open(node.noting(&problems)).ok()?;
        // Of the classes that a mail's is below, the longest counts; the empty one is above all.
        let entry = |row: &Row<'_>| {
            let class = row.get(tags::MESSAGE_CLASS).ok()?;
            let class = class.and_then(|class| text_of_value(&class, self.code_page()));
            let class = class.unwrap_or_default();
            let Some(Value::Integer(nid)) = row.get(tags::RECEIVE_FOLDER_NID).ok()? else {
                return None;
            };
            let is_mail = class.is_empty() || is_derived(MAIL_CLASS, &class);
            is_mail.then_some((class.len(), NodeId(nid as u32)))
        };
        let rows = table.rows();
        for problem in problems.list() {
            log::warn!("{}", self.ndb.source().log_line(problem));
        }
        let longest = rows
            .iter()
            .filter_map(entry)
            .max_by_key(|(length, _)| *length);
        longest
            .map(|(_, nid)| nid)
            .filter(|nid| self.is_folder(*nid))
    }

    /// Whether `nid` is a folder of this file, and no search folder.
    pub(super) fn is_folder(&self, nid: NodeId) -> bool {
        nid.node_type() == NodeType::NORMAL_FOLDER && matches!(self.ndb.find_node(nid), Ok(Some(_)))
    }

    /// The node `nid`, as an error of that node when it is missing.
    pub fn node(&self, nid: NodeId) -> Result<Node> {
        Node::open(&self.ndb, nid).map_err(|error| match error {
            Error::NotFound => {
                Error::corrupt("NBT", nid, "no entry for a node that is referred to")
            }
            other => other,
        })
    }

    /// Nodes of the types in `wanted` whose `nidParent` is `parent`, for folders whose tables are damaged: a walk
    /// over all nodes, once for all folders. Parts of the B-tree that cannot be read are noted in `problems`.
    pub fn nodes_of_parent(
        &self,
        parent: NodeId,
        wanted: &[NodeType],
        problems: &Problems,
    ) -> Vec<NodeId> {
        if let Some(children) = self.children.get() {
            return children_of(children, parent, wanted);
        }
        let (children, are_all) = self.children(problems);
        let found = children_of(&children, parent, wanted);
        // A walk that met an error may fare better the next time. Of two walks at once the result is the same.
        if are_all {
            self.children.set(children).ok();
        }
        found
    }

    /// Folders and messages under their `nidParent`, and whether these are all there are.
    fn children(&self, problems: &Problems) -> (Box<[(NodeId, NodeId)]>, bool) {
        const TYPES: [NodeType; 4] = [
            NodeType::NORMAL_FOLDER,
            NodeType::SEARCH_FOLDER,
            NodeType::NORMAL_MESSAGE,
            NodeType::ASSOC_MESSAGE,
        ];
        let mut are_all = true;
        let mut noted = |error: Error| {
            are_all = false;
            problems.note_error("", &error);
        };
        let nodes = self.ndb.nodes();
        let mut children: Vec<(NodeId, NodeId)> = nodes
            .filter_map(|node| node.map_err(&mut noted).ok())
            .filter(|node| node.parent != node.nid && TYPES.contains(&node.nid.node_type()))
            .map(|node| (node.parent, node.nid))
            .collect();
        // A damaged B-tree may have a node twice.
        children.sort_by_key(|(_, nid)| *nid);
        children.dedup_by_key(|(_, nid)| *nid);
        children.sort_unstable();
        (children.into(), are_all)
    }
}

/// Those of `children` under `parent` that have one of the types in `wanted`.
fn children_of(children: &[(NodeId, NodeId)], parent: NodeId, wanted: &[NodeType]) -> Vec<NodeId> {
    let first = children.partition_point(|(of, _)| *of < parent);
    let own = children.iter().skip(first);
    own.take_while(|(of, _)| *of == parent)
        .map(|(_, nid)| *nid)
        .filter(|nid| wanted.contains(&nid.node_type()))
        .collect()
}
