//! Folders, their numbering and fixed nodes: what [`super::Store`] and [`super::Writer`] share. [MS-PST] 2.4.1, 2.4.4.
use std::collections::HashMap;

use super::format::{Format, crc};
use super::ltp::Props;
use super::message::Message;
use super::messaging::Items;
use super::ndb::Options;
use super::tags;
use super::templates::NID_ROOT;
use super::value::Value;

/// Node ids of folders and messages.
pub type Nid = u32;

pub const TYPE_FOLDER: u32 = 2;
pub const TYPE_SEARCH_FOLDER: u32 = 3;
pub const TYPE_ASSOCIATED_MESSAGE: u32 = 8;

/// Where an OST has its Inbox.
pub const NID_INBOX_OST: Nid = 0x2182;

/// A folder as tests describe it.
#[derive(Clone, Debug)]
pub struct Folder {
    pub nid: Nid,
    pub parent: Nid,
    pub name: Value,
    pub props: Props,
    /// For a search folder: the messages that it lists.
    pub found: Vec<Nid>,
    /// Rows of its contents table beside those of its messages.
    pub strays: Vec<Nid>,
    pub messages: u32,
    pub unread: u32,
    pub associated: u32,
}

/// Folders, numbering and store properties: what [`Store`] and [`Writer`] share.
#[derive(Clone, Debug)]
pub struct Plan {
    pub options: Options,
    pub items: Items,
    pub folders: Vec<Folder>,
    pub by_nid: HashMap<Nid, usize>,
    pub children: HashMap<Nid, Vec<usize>>,
    pub next: [u32; 32],
    pub store_props: Props,
}

impl Plan {
    pub fn new(options: Options) -> Plan {
        let format = options.format;
        let mut next = [0x401; 32];
        next[TYPE_SEARCH_FOLDER as usize] = 0x4001;
        next[TYPE_ASSOCIATED_MESSAGE as usize] = 0x8001;
        let mut plan = Plan {
            options,
            items: Items::default(),
            folders: Vec::new(),
            by_nid: HashMap::new(),
            children: HashMap::new(),
            next,
            store_props: Props::new(),
        };
        let fixed: &[(Nid, Nid, &str)] = match format {
            Format::Ansi => &[
                (NID_ROOT, NID_ROOT, ""),
                (0x8022, NID_ROOT, "Top of Personal Folders"),
                (0x8042, NID_ROOT, "Search Root"),
                (0x8062, 0x8022, "Deleted Items"),
            ],
            Format::Unicode => &[
                (NID_ROOT, NID_ROOT, ""),
                (0x8022, NID_ROOT, "Top of Outlook data file"),
                (0x8042, NID_ROOT, "Search Root"),
                (0x8062, 0x8022, "Deleted Items"),
                (0x8082, NID_ROOT, "IPM_COMMON_VIEWS"),
            ],
            _ => &[
                (NID_ROOT, NID_ROOT, ""),
                (0x2002, NID_ROOT, "Root - Public"),
                (0x2022, 0x2002, "IPM_SUBTREE"),
                (0x2042, 0x2002, "NON_IPM_SUBTREE"),
                (0x20A2, NID_ROOT, "Root - Mailbox"),
                (0x20C2, 0x20A2, "Common Views"),
                (0x20E2, 0x20A2, "Finder"),
                (0x2142, 0x20A2, "IPM_SUBTREE"),
                (0x2162, 0x2142, "Deleted Items"),
            ],
        };
        for &(nid, parent, name) in fixed {
            plan.add_folder(nid, parent, name.into());
            if nid >= 0x8022 {
                plan.next[TYPE_FOLDER as usize] = (nid >> 5) + 1;
            }
        }
        plan
    }

    pub fn add_folder(&mut self, nid: Nid, parent: Nid, name: Value) -> Nid {
        self.by_nid.insert(nid, self.folders.len());
        if nid != parent {
            let siblings = self.children.entry(parent).or_default();
            siblings.push(self.folders.len());
        }
        self.folders.push(Folder {
            nid,
            parent,
            name,
            props: Props::new(),
            found: Vec::new(),
            strays: Vec::new(),
            messages: 0,
            unread: 0,
            associated: 0,
        });
        nid
    }

    pub fn next_nid(&mut self, kind: u32) -> Nid {
        let index = self.next[kind as usize];
        self.next[kind as usize] += 1;
        index << 5 | kind
    }

    pub fn folder_mut(&mut self, nid: Nid) -> &mut Folder {
        &mut self.folders[self.by_nid[&nid]]
    }

    /// Folders that an OST keeps at fixed NIDs.
    fn fixed_nid(&self, parent: Nid, name: &Value) -> Option<Nid> {
        let Value::Str(name) = name else { return None };
        let nid = match name.as_str() {
            "Inbox" => NID_INBOX_OST,
            "Outbox" => 0x21A2,
            "Sent Items" => 0x21C2,
            _ => return None,
        };
        let free = self.options.format.is_ost() && parent == 0x2142;
        (free && !self.by_nid.contains_key(&nid)).then_some(nid)
    }

    /// A NID for an item.
    pub fn message_nid(&mut self, message: &Message) -> Nid {
        if message.associated {
            self.next_nid(TYPE_ASSOCIATED_MESSAGE)
        } else {
            self.items.message_nid()
        }
    }
}

/// The part of the interface that is the same before and while writing.
pub trait Folders {
    fn plan(&self) -> &Plan;
    fn plan_mut(&mut self) -> &mut Plan;

    /// The folder whose children Outlook shows.
    fn ipm_subtree(&self) -> Nid {
        if self.plan().options.format.is_ost() {
            0x2142
        } else {
            0x8022
        }
    }

    fn deleted_items(&self) -> Nid {
        if self.plan().options.format.is_ost() {
            0x2162
        } else {
            0x8062
        }
    }

    /// A new mail folder; names may be anything and repeat.
    fn folder(&mut self, parent: Nid, name: impl Into<Value>) -> Nid {
        self.folder_of(parent, name, "IPF.Note")
    }

    /// A new folder of a container class.
    fn folder_of(&mut self, parent: Nid, name: impl Into<Value>, class: &str) -> Nid {
        let name = name.into();
        let plan = self.plan_mut();
        let nid = match plan.fixed_nid(parent, &name) {
            Some(nid) => nid,
            None => plan.next_nid(TYPE_FOLDER),
        };
        plan.add_folder(nid, parent, name);
        plan.folder_mut(nid)
            .props
            .insert(tags::CONTAINER_CLASS, class.into());
        nid
    }

    /// Sets a property of a folder.
    fn folder_prop(&mut self, folder: Nid, id: u16, value: impl Into<Value>) {
        self.plan_mut()
            .folder_mut(folder)
            .props
            .insert(id, value.into());
    }

    /// A row without cells in the contents table of a folder that has messages, whatever the node is.
    fn stray_row(&mut self, folder: Nid, nid: Nid) {
        self.plan_mut().folder_mut(folder).strays.push(nid);
    }

    /// Sets a property of the store.
    fn store_prop(&mut self, id: u16, value: impl Into<Value>) {
        self.plan_mut().store_props.insert(id, value.into());
    }

    fn password(&mut self, password: &str) {
        self.store_prop(tags::PST_PASSWORD, crc(password.as_bytes()) as i32);
    }

    /// Contents tables with only those columns that every real one has.
    fn sparse_tables(&mut self) {
        self.plan_mut().items.sparse = true;
    }
}
