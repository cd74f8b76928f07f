//! Messages, whole or embedded in an attachment. [MS-PST] 2.4.5

use std::sync::Arc;

use super::message_class::MessageClass;
use super::named_properties::{FIRST_NAMED_ID, PropertySet};
use super::properties::Properties;
use super::recipient::Recipient;
use super::store::Store;
use super::store_page::{self, PageReason};
use super::subject::Subject;
use crate::error::{Error, Result};
use crate::ltp::{
    FileTime, PropertyContext, PropertyStream, PropertyType, TableContext, Value, ValueKind,
    check_table, lzfu, named, tags,
};
use crate::ndb::{BlockId, Node, NodeEntry, NodeId, NodeType};
use crate::problem::{Problem, Problems};

/// Messages within messages are followed this deep.
pub const MAX_EMBEDDED_DEPTH: usize = 30;
/// PidTagMessageFlags: the message has been read. [MS-OXCMSG] 2.2.1.6
pub const MSGFLAG_READ: i32 = 0x01;
/// PidTagMessageFlags: the message is to be sent.
pub const MSGFLAG_SUBMIT: i32 = 0x04;
/// PidTagMessageFlags: the message is a draft.
pub const MSGFLAG_UNSENT: i32 = 0x08;
/// PidTagMessageFlags: the message has attachments.
pub const MSGFLAG_HASATTACH: i32 = 0x10;
/// PidTagMessageFlags: a hidden message, of a folder's associated contents.
pub const MSGFLAG_ASSOCIATED: i32 = 0x40;
/// Bytes of a body that is known by its content alone.
const MAX_TEXT: u64 = 16 << 20;
/// Bytes that all recipients of one message may take, as any other value: all rows may name the same long cell.
const MAX_RECIPIENTS: usize = 16 << 20;

/// The properties with the time of a message, the best first: delivery, submission, creation, last modification.
pub const TIMES: [u16; 4] = [
    tags::MESSAGE_DELIVERY_TIME,
    tags::CLIENT_SUBMIT_TIME,
    tags::CREATION_TIME,
    tags::LAST_MODIFICATION_TIME,
];

/// An opened message.
#[derive(Debug, Clone)]
pub struct Message {
    store: Arc<Store>,
    node: Node,
    properties: Properties,
    /// The blocks of the messages that this one is embedded in, outermost first.
    around: Arc<[(BlockId, BlockId)]>,
    /// The node of the outermost of these, or its own.
    outermost: Node,
    /// Why its properties cannot be read.
    problem: Option<String>,
    has_code_page: bool,
    /// What turned out to be wrong with it.
    problems: Problems,
}

impl Message {
    /// Opens the message `nid` of the file: reads its list of properties.
    pub fn open(store: &Arc<Store>, nid: NodeId) -> Result<Self> {
        let node = store.message_node(nid)?.noting(&Problems::default());
        Self::of_node(store, node, Arc::new([]))
    }

    /// As [`Message::open`], to show what is in it: of blocks that come again, only as much as the budget of the file
    /// allows.
    pub fn open_within_budget(store: &Arc<Store>, nid: NodeId) -> Result<Self> {
        let node = store.message_node(nid)?.within_budget()?;
        Self::of_node(store, node.noting(&Problems::default()), Arc::new([]))
    }

    /// Opens the message of `entry`, whether the file has an entry of its id or not.
    pub fn of_entry(store: &Arc<Store>, entry: NodeEntry) -> Result<Self> {
        let node = Node::of_entry(store.ndb(), entry).noting(&Problems::default());
        Self::of_node(store, node, Arc::new([]))
    }

    /// What is left of message `nid`, whose properties cannot be read, or not all of them: the `cells` of its row in a
    /// contents table stand in for them. Recipients and attachments are subnodes, which may be whole.
    pub fn of_row(store: &Arc<Store>, nid: NodeId, mut cells: Vec<(u16, Value)>) -> Self {
        let node = store.node(nid).and_then(Node::within_budget);
        let lost = node.as_ref().err().map(Error::to_string);
        let problems = Problems::default();
        let node = node.unwrap_or_else(|_| Node::lost(store.ndb(), nid));
        let node = node.noting(&problems);
        let context = match lost {
            None => PropertyContext::open(node.clone()).map_err(|error| error.to_string()),
            Some(problem) => Err(problem),
        };
        let problem = context.as_ref().err().cloned();
        if problem.is_some() {
            cells.extend(texts_by_content(&node));
        }
        let has_subject = cells.iter().any(|(id, _)| *id == tags::SUBJECT);
        if problem.is_some() && !has_subject {
            let subject = format!("Unreadable message ({nid})");
            let subject = subject.encode_utf16().flat_map(u16::to_le_bytes).collect();
            cells.push((tags::SUBJECT, Value::String(subject)));
        }
        let mut message = Self::of_properties(store, node, Arc::new([]), context.ok(), cells);
        message.problem = problem;
        message
    }

    /// Opens the message in `node`, which is embedded in the messages with the blocks `around`.
    fn of_node(store: &Arc<Store>, node: Node, around: Arc<[(BlockId, BlockId)]>) -> Result<Self> {
        let context = PropertyContext::open(node.clone())?;
        let context = Some(context);
        Ok(Self::of_properties(
            store,
            node,
            around,
            context,
            Vec::new(),
        ))
    }

    fn of_properties(
        store: &Arc<Store>,
        node: Node,
        around: Arc<[(BlockId, BlockId)]>,
        context: Option<PropertyContext>,
        cells: Vec<(u16, Value)>,
    ) -> Self {
        // The code page properties are integers, so any code page will do to read them.
        let problems = node.problems().clone();
        let mut properties = Properties::with_cells(context, cells, store.code_page(), &problems);
        let integer = |id: u16| properties.integer(id).ok().flatten();
        let code_page = store_page::named(integer).or_else(|| {
            // One that states nothing lets valid UTF-8 be that; but not if the store knows better.
            let page = u32::try_from(integer(tags::INTERNET_CODEPAGE)?).ok()?;
            let is_default = store.page().reason == PageReason::Default;
            (is_default && page != 0).then_some(page)
        });
        let of_strings = || {
            let has_any = properties.has_8bit_strings();
            has_any.then(|| store.page_of_strings())
        };
        if let Some(code_page) = code_page.or_else(of_strings) {
            properties.set_code_page(code_page);
        }
        properties.note_contradictions();
        Self {
            store: Arc::clone(store),
            outermost: node.clone(),
            node,
            properties,
            around,
            problem: None,
            has_code_page: code_page.is_some(),
            problems,
        }
    }

    /// Opens the message in `node`, a subnode of one of its attachments. A message within itself, or deeper than
    /// [`MAX_EMBEDDED_DEPTH`], is an error.
    pub(super) fn embedded(&self, node: Node) -> Result<Self> {
        let wrong = |problem: &str| Error::corrupt("embedded message", node.nid(), problem);
        if self.depth() >= MAX_EMBEDDED_DEPTH {
            return Err(wrong(&format!(
                "more than {MAX_EMBEDDED_DEPTH} messages within each other"
            )));
        }
        let around: Arc<[(BlockId, BlockId)]> = self
            .around
            .iter()
            .copied()
            .chain([self.node().blocks()])
            .collect();
        if around.contains(&node.blocks()) {
            return Err(wrong("the message contains itself"));
        }
        Ok(Self {
            outermost: self.outermost.clone(),
            ..Self::of_node(&self.store, node, around)?
        })
    }

    /// The same message, of which nothing has been read yet: what could not be read of it before, for whatever purpose,
    /// is no problem of this one.
    pub fn afresh(&self) -> Self {
        let node = self.node.clone().noting(&Problems::default());
        let context = self.properties.context();
        let context = context.and_then(|_| PropertyContext::open(node.clone()).ok());
        let cells = self.properties.cells().to_vec();
        let around = Arc::clone(&self.around);
        Self {
            outermost: self.outermost.clone(),
            problem: self.problem.clone(),
            ..Self::of_properties(&self.store, node, around, context, cells)
        }
    }

    /// What turned out to be wrong with it so far, and with all that is read of it later.
    pub fn problems(&self) -> &Problems {
        &self.problems
    }

    /// The store it is in.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Its node; for an embedded message, private to the attachment.
    pub fn nid(&self) -> NodeId {
        self.node().nid()
    }

    /// How many attachments deep it is; 0 for a message of a folder.
    pub fn depth(&self) -> usize {
        self.around.len()
    }

    /// Its properties.
    pub fn properties(&self) -> &Properties {
        &self.properties
    }

    /// Its node, with its subnodes.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Why its properties cannot be read, if only its row is left of it.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Why it may be another message, or an older state of it; one within another goes with that. And why nothing of what
    /// is in it is shown, if that is so: its parts do not tell it again.
    pub fn doubts(&self) -> Vec<Error> {
        let mut doubts = self.outermost.doubts();
        doubts.extend(self.node.is_elsewhere().err());
        doubts
    }

    /// Notes why it may be something else, or lack something, as a whole.
    pub fn note_circumstances(&self) {
        let problems = self.problems();
        let note = |text: &str| problems.note(Problem::new("", text));
        self.problem().into_iter().for_each(note);
        for doubt in self.doubts() {
            problems.note_error("", &doubt);
        }
        self.names_problem().as_deref().into_iter().for_each(note);
        self.lacks_code_page().as_deref().into_iter().for_each(note);
    }

    /// Why properties that only the named property map can name may be missing from it, or may be others.
    fn names_problem(&self) -> Option<String> {
        let problem = self.store.names_problem()?;
        let ids = self.properties.ids();
        let mut ids: Vec<u16> = ids.filter(|id| *id >= FIRST_NAMED_ID).collect();
        let has_named = !ids.is_empty();
        // The map only ever grows, so an older one lacks nothing but names.
        ids.retain(|id| self.store.named_properties().name(*id).is_none());
        match ids.is_empty() {
            true if has_named && problem.is_doubtful => Some(problem.text.clone()),
            true => None,
            false => Some(format!("{} without a name: {}", named(&ids), problem.text)),
        }
    }

    /// Why its 8-bit text may be read in the wrong code page: only the store has it, and cannot be read.
    fn lacks_code_page(&self) -> Option<String> {
        let problem = self.store.problem()?;
        let is_needed = !self.has_code_page && self.properties.has_8bit_text();
        is_needed.then(|| format!("code page: {problem}"))
    }

    /// The id that the numbered named property `lid` of `set` has in this file, if this message has it.
    pub fn named(&self, set: PropertySet, lid: u32) -> Option<u16> {
        let id = self.store.named_properties().id(set, lid)?;
        self.properties.has(id).then_some(id)
    }

    /// The id that the string named property `name` of `set` has in this file, if this message has it.
    pub fn named_string(&self, set: PropertySet, name: &str) -> Option<u16> {
        let id = self.store.named_properties().id_of_string(set, name)?;
        self.properties.has(id).then_some(id)
    }

    /// PidTagSubject; None when absent.
    pub fn subject(&self) -> Result<Option<Subject>> {
        Ok(self.properties.string(tags::SUBJECT)?.map(Subject::parse))
    }

    /// Its class; that of no item when there is none, or it cannot be read.
    pub fn class(&self) -> MessageClass {
        let class = self.properties.string(tags::MESSAGE_CLASS).ok().flatten();
        MessageClass::parse(&class.unwrap_or_default())
    }

    /// The time that the message bears: the first of [`TIMES`] that it has. A time that cannot be read is passed over.
    pub fn time(&self) -> Option<FileTime> {
        TIMES
            .into_iter()
            .find_map(|id| self.properties.time(id).ok().flatten())
    }

    /// Its recipients in table order. A message without the table has none.
    pub fn recipients(&self) -> Vec<Recipient> {
        let problems = self.problems.within_table("recipients");
        let Some(table) = self.table(NodeId::RECIPIENT_TABLE, &problems) else {
            let to = self.properties.start_of_string(tags::DISPLAY_TO);
            if to.is_ok_and(|to| to.is_some_and(|names| !names.trim().is_empty())) {
                self.note_absence(&problems, "PidTagDisplayTo");
            }
            return Vec::new();
        };
        let mut left = MAX_RECIPIENTS;
        let mut recipients = Vec::new();
        let rows = table.row_index();
        if let Some(problem) = check_table(&table, &rows) {
            problems.note(Problem::new("", problem));
        }
        for (id, number) in rows {
            let row = table.known_row(id, number);
            let code_page = self.properties.code_page();
            let recipient = Recipient::of_row(&row, table.columns(), code_page, &problems);
            let Some(rest) = left.checked_sub(recipient.weight()) else {
                let problem = format!("more than {MAX_RECIPIENTS} bytes: the rest is left out");
                let error = Error::corrupt("recipient table", self.nid(), problem);
                problems.note_error("", &error);
                break;
            };
            left = rest;
            recipients.push(recipient);
        }
        recipients
    }

    /// Whether it has attachments, listed in its table or not; false when that cannot be read.
    pub fn has_attachments(&self) -> bool {
        has_attachments(&self.node)
    }

    /// Notes that there are none of something of which property `name` states that there are some, if nothing else is known to be
    /// wrong with them.
    pub(super) fn note_absence(&self, problems: &Problems, name: &str) {
        // Of subnodes that are left out, since they come again, nothing is told.
        if problems.is_empty() && self.node().subnodes().is_ok() {
            let text = format_args!("there are none, but {name} tells of some");
            problems.note(Problem {
                node: Some(self.nid().0),
                ..Problem::new("", text)
            });
        }
    }

    /// Reads the blocks that its tables begin with, which are at hand then. What cannot be read is told when it is asked for.
    pub fn read_tables_ahead(&self) {
        let node = self.node.clone().noting(&Problems::default());
        for nid in [NodeId::RECIPIENT_TABLE, NodeId::ATTACHMENT_TABLE] {
            if let Ok(Some(table)) = node.subnode(nid)
                && let Ok(data) = table.data()
            {
                data.leaf(0).ok();
            }
        }
    }

    /// A table of this message; None when it has none, or none that can be read.
    pub(super) fn table(&self, nid: NodeId, problems: &Problems) -> Option<TableContext> {
        let table = self.node().subnode(nid).and_then(|node| {
            node.filter(|node| !node.is_empty())
                .map(|node| TableContext::open(node.noting(problems)))
                .transpose()
        });
        table.unwrap_or_else(|error| {
            if !error.is_repeated() {
                problems.note_error("", &error.in_node(self.nid().0));
            }
            None
        })
    }

    /// The subnode `nid` of the message.
    pub(super) fn subnode(&self, nid: NodeId) -> Result<Option<Node>> {
        self.node().subnode(nid)
    }
}

/// Whether message `nid` has attachments, without opening it; false when that cannot be read.
pub fn lists_attachments(store: &Store, nid: NodeId) -> bool {
    let node = store.node(nid);
    node.is_ok_and(|node| has_attachments(&node))
}

/// Whether the message in `node` has an attachment as a subnode, or in its table.
fn has_attachments(node: &Node) -> bool {
    let subnodes = node.subnodes().unwrap_or_default();
    let is_there = |subnode: &Node| subnode.nid().node_type() == NodeType::ATTACHMENT;
    if subnodes.iter().any(is_there) {
        return true;
    }
    let table = subnodes
        .into_iter()
        .find(|subnode| subnode.nid() == NodeId::ATTACHMENT_TABLE && !subnode.is_empty());
    let table = table.and_then(|table| TableContext::open(table.noting(&Problems::default())).ok());
    table.is_some_and(|table| !table.row_index().is_empty())
}

/// Values among the subnodes of `node` that can be told to be a body, in place of its properties, which are lost.
fn texts_by_content(node: &Node) -> Vec<(u16, Value)> {
    let subnodes = node.subnodes().unwrap_or_default();
    let values = subnodes
        .iter()
        .filter(|node| node.nid().node_type() == NodeType::LTP);
    let mut texts: Vec<(u16, Value)> = Vec::new();
    for value in values {
        let Ok(stream) = PropertyStream::of_node(value) else {
            continue;
        };
        let (id, property_type) = match ValueKind::of(&stream) {
            ValueKind::Rtf => (tags::RTF_COMPRESSED, PropertyType::BINARY),
            ValueKind::Html => (tags::HTML, PropertyType::BINARY),
            ValueKind::Text => (tags::BODY, PropertyType::STRING),
            ValueKind::Ascii => (tags::BODY, PropertyType::STRING8),
            ValueKind::Other | ValueKind::Unreadable => continue,
        };
        let is_first = texts.iter().all(|(known, _)| *known != id);
        if is_first
            && stream.len() <= MAX_TEXT
            && let Ok(Some(text)) = text_of(&stream, id, property_type)
        {
            let place = format_args!("property {id:#06x}");
            let text_problem = "its record is lost; taken for what it is by its content";
            node.problems().note(Problem::new(place, text_problem));
            texts.push((id, text));
        }
    }
    texts
}

/// The body that `stream` is; what is missing of it is said in it.
fn text_of(stream: &PropertyStream, id: u16, property_type: PropertyType) -> Result<Option<Value>> {
    if id != tags::RTF_COMPRESSED {
        return stream.value(property_type);
    }
    let read = stream.read_all(usize::MAX)?;
    let rtf = lzfu::restored(&read);
    Ok(Some(Value::Binary(match rtf {
        Some(rtf) => lzfu::store(&rtf.bytes),
        None => read.bytes,
    })))
}
