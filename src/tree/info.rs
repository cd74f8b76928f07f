//! What the file is and what its folders declare and hold: `ostfs info` and `.ostfs/info.json`.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Serialize, Serializer};

use super::context::Context;
use super::folders::Folders;
use super::lost_found::LostFound;
use super::name;
use super::object::Object;
use crate::clock;
use crate::ltp::{FileTime, tags};
use crate::messaging::{
    Folder, MessageClass, PageReason, Properties, PropertySet, SpecialFolders, owner,
};
use crate::ndb::crypt::CryptMethod;
use crate::ndb::header::Client;
use crate::ndb::{NodeId, NodeType};

/// What [`PageReason::Default`] means where 8-bit strings are rare: no item is looked at before one has some.
const UTF16_STRINGS: &str = "unless the items that name one, or their text, tell another";

/// The named property of a folder that states for how many months its items are kept offline; it has no public name.
const OFFLINE_MONTHS: u32 = 0x85DA;

/// Facts about the file, in the order in which they are printed.
#[derive(Debug, Default, Serialize)]
pub struct Info {
    /// PST, OST or what else is in `wMagicClient`.
    pub kind: String,
    /// Name of the on-disk format.
    pub format: &'static str,
    /// `wVer`.
    pub version: u16,
    /// `wVerClient`.
    pub client_version: u16,
    /// `bCryptMethod` in words.
    pub encryption: &'static str,
    /// Whether a password is set (which guards nothing).
    pub password: bool,
    /// Size of the file in bytes.
    pub size: u64,
    /// Size that the header declares; larger than `size` when the file was cut off.
    pub declared_size: u64,
    /// Whether the file ends before its declared size.
    pub truncated: bool,
    /// Whether the header is lost: its fields are not known, and the mail was looked for in the whole file.
    pub header_lost: bool,
    /// Whether the CRCs of the header are right.
    pub header_crc_valid: bool,
    /// Whether the file was not closed: Outlook had it open when it was copied, or ended without closing it.
    pub in_use: bool,
    /// Code page of 8-bit text of items that do not name theirs.
    pub code_page: u32,
    /// Why that one is taken.
    pub code_page_reason: &'static str,
    /// Display name of the store, if it has one.
    pub name: Option<String>,
    /// Of an OST the address of the owner of the mailbox, as the items tell that programs keep their settings in.
    pub owner: Option<String>,
    /// Delivery (else submit) time of the oldest mail.
    #[serde(serialize_with = "time")]
    pub oldest: Option<FileTime>,
    /// Delivery (else submit) time of the newest mail.
    #[serde(serialize_with = "time")]
    pub newest: Option<FileTime>,
    /// Messages by PidTagMessageClass, by the tables of the folders.
    pub classes: BTreeMap<String, u64>,
    /// All folders, from the real root down, and then those of `lost+found`.
    pub folders: Vec<FolderInfo>,
    /// Sum over the folders (not the search folders, nor lost ones).
    pub messages: u64,
    /// Those of them that are mail, by their class.
    pub mail: u64,
    /// Sum over the folders.
    pub associated: u64,
    /// Messages that no folder lists, or only a lost one: those of `lost+found`.
    pub lost: u64,
    /// Problems met so far; None where that would depend on what was read before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problems: Option<u64>,
}

/// Figures of one folder.
#[derive(Debug, Serialize)]
pub struct FolderInfo {
    /// Path in the tree, as every command takes it. Of a folder that is not in the tree it is the path from the real root,
    /// under which `-o all` shows it.
    pub path: String,
    /// Whether the tree has it.
    pub shown: bool,
    /// Node id.
    pub nid: u32,
    /// Whether no folder lists it, nor the one that it is in: it is in `lost+found`.
    pub lost: bool,
    /// Whether it is a search folder, whose messages belong to other folders.
    pub search: bool,
    /// Whether the tree leaves it out, with all below it, unless all is asked for: it states that it is hidden, and there is
    /// no mail in it.
    pub hidden: bool,
    /// PidTagContainerClass.
    pub class: Option<String>,
    /// What the folder is for, whatever its name: `inbox`, `sync issues`, `conflicts`, ...
    pub purpose: Option<&'static str>,
    /// PidTagContentCount: the number of messages that the folder states.
    pub declared: Option<i32>,
    /// PidTagContentUnreadCount.
    pub unread: Option<i32>,
    /// Rows of its contents table.
    pub found: u64,
    /// Those of them that are mail, by their class.
    pub mail: u64,
    /// Rows of its associated contents table.
    pub associated: u64,
    /// Of an OST: its items that were on the server and not in the file, as too old to be kept offline, when the two were
    /// last the same.
    pub on_server: Option<i32>,
    /// Those of them that were unread.
    pub on_server_unread: Option<i32>,
    /// Of an OST: the age in months up to which its items are kept offline.
    pub offline_months: Option<i32>,
}

impl Info {
    /// `kind` of an OST.
    pub const OST: &str = "OST";

    /// Collects the facts: reads the tables of all folders, opens no message but some hidden ones of an OST. `shown` are the folders that the tree has, with
    /// the paths of what they list.
    pub(super) fn collect(
        context: &Context,
        folders: &Folders,
        lost_found: &LostFound,
        shown: impl Iterator<Item = (NodeId, String)>,
    ) -> Self {
        let store = &context.store;
        let header = store.ndb().header();
        let size = store.ndb().source().len();
        let census = Census::take(context, folders, lost_found, &shown.collect());
        let page = store.page();
        let folders = census.folders;
        let sum = |count: fn(&FolderInfo) -> u64| {
            folders
                .iter()
                .filter(|folder| !folder.search && !folder.lost)
                .map(count)
                .sum()
        };
        Info {
            kind: match header.client {
                Client::Pst => "PST".into(),
                Client::Ost => Info::OST.into(),
                Client::AddressBook => "PAB".into(),
                Client::Other(magic) => format!("unknown ({})", magic.escape_ascii()),
            },
            format: header.format.name,
            version: header.version,
            client_version: header.client_version,
            encryption: match header.crypt {
                CryptMethod::None => "none",
                CryptMethod::Permute => "permute (compressible)",
                CryptMethod::Cyclic => "cyclic (high)",
            },
            password: store.has_password(),
            size,
            declared_size: header.file_eof,
            truncated: header.file_eof > size,
            header_lost: header.is_made_up(),
            header_crc_valid: header.crc_valid && header.wrong_bit.is_none(),
            in_use: !header.amap_valid && !header.is_made_up(),
            code_page: page.number,
            code_page_reason: match page.reason {
                PageReason::Default if !header.format.is_8bit() => UTF16_STRINGS,
                reason => reason.as_str(),
            },
            oldest: census.oldest,
            newest: census.newest,
            mail: sum(|folder| folder.mail),
            classes: census.classes,
            name: store
                .properties()
                .and_then(|store| store.start_of_string(tags::DISPLAY_NAME).ok().flatten()),
            owner: owner(store),
            messages: sum(|folder| folder.found),
            associated: sum(|folder| folder.associated),
            folders,
            lost: lost_found.count(),
            problems: Some(context.problems.count()),
        }
    }
}

/// The path of a folder.
enum Place {
    /// In the tree.
    Tree(String),
    /// From the real root, of a folder that is not in the tree.
    Root(String),
}

/// What a walk over all folders finds.
#[derive(Default)]
struct Census {
    folders: Vec<FolderInfo>,
    special: SpecialFolders,
    classes: BTreeMap<String, u64>,
    oldest: Option<FileTime>,
    newest: Option<FileTime>,
}

impl Census {
    /// Walks over all folders, from the real root down, and over lost ones; `shown` are the paths of those that the tree has.
    fn take(
        context: &Context,
        folders: &Folders,
        lost_found: &LostFound,
        shown: &HashMap<NodeId, String>,
    ) -> Self {
        let mut census = Self {
            special: SpecialFolders::of(context.store.ndb().header().client),
            ..Self::default()
        };
        if let Some(store) = context.store.properties() {
            census.special.add(NodeId::MESSAGE_STORE, store);
        }
        let mut seen = HashSet::new();
        let root = vec![(NodeId::ROOT_FOLDER, String::new())];
        census.walk(context, folders, shown, root, &mut seen);
        let listed = census.folders.len();
        let lost = lost_found.topmost().into_iter();
        let lost = lost.map(|nid| (nid, path_below("/lost+found", folders.name(nid))));
        census.walk(context, folders, shown, lost.rev().collect(), &mut seen);
        for folder in census.folders.iter_mut().skip(listed) {
            folder.lost = true;
        }
        for folder in &mut census.folders {
            let nid = NodeId(folder.nid);
            let properties = folders.open(nid).properties().ok();
            folder.purpose = properties.and_then(|own| census.special.purpose(nid, &own));
        }
        census
    }

    /// Counts the folders of `todo`, from the last to the first, each with those below it, but for those that were `seen`.
    fn walk(
        &mut self,
        context: &Context,
        folders: &Folders,
        shown: &HashMap<NodeId, String>,
        mut todo: Vec<(NodeId, String)>,
        seen: &mut HashSet<NodeId>,
    ) {
        while let Some((nid, path)) = todo.pop() {
            if !seen.insert(nid) {
                continue;
            }
            let folder = folders.open(nid);
            let subfolders = folder.subfolders();
            folders.note(nid, folder.problems());
            let children = subfolders.into_iter().rev();
            todo.extend(children.map(|child| (child.nid, path_below(&path, child.name))));
            let place = match shown.get(&nid) {
                Some(path) => Place::Tree(name::path(path.trim_end_matches('/')).into_owned()),
                None => Place::Root(path.trim_start_matches('/').to_owned()),
            };
            self.count(context, folders, &folder, place);
        }
    }

    fn count(&mut self, context: &Context, folders: &Folders, folder: &Folder, place: Place) {
        let nid = folder.nid();
        let noted = |error| context.note(&Object::Folder(nid), error);
        let properties = folder.properties().map_err(noted).ok();
        let own = properties.as_ref();
        if let Some(own) = own {
            self.special.add(nid, own);
        }
        let integer = |id: u16| own.and_then(|own: &Properties| own.integer(id).ok().flatten());
        let names = context.store.named_properties();
        let offline_months = names.id(PropertySet::COMMON, OFFLINE_MONTHS);
        let contents = folders.contents(folder);
        let mut mail = 0;
        if !folder.is_search() {
            for (class, time) in contents.classes_and_times() {
                let Some(class) = class else {
                    continue;
                };
                let is_mail = MessageClass::parse(&class).kind.is_mail();
                *self.classes.entry(class).or_default() += 1;
                mail += u64::from(is_mail);
                if let Some(time) = time.filter(|_| is_mail) {
                    self.oldest = Some(self.oldest.map_or(time, |oldest| oldest.min(time)));
                    self.newest = self.newest.max(Some(time));
                }
            }
        }
        let (path, shown) = match place {
            Place::Tree(path) => (path, true),
            Place::Root(path) => (path, false),
        };
        self.folders.push(FolderInfo {
            path: if path.is_empty() { "/".into() } else { path },
            shown,
            lost: false,
            nid: nid.0,
            search: nid.node_type() == NodeType::SEARCH_FOLDER,
            hidden: folders.is_hidden(nid),
            class: own.and_then(|own| own.start_of_string(tags::CONTAINER_CLASS).ok().flatten()),
            purpose: None,
            declared: integer(tags::CONTENT_COUNT),
            unread: integer(tags::CONTENT_UNREAD_COUNT),
            found: contents.len() as u64,
            mail,
            associated: folders.associated_contents(folder).len() as u64,
            on_server: folder.stated_of_server(tags::ITEMS_ON_SERVER),
            on_server_unread: folder.stated_of_server(tags::UNREAD_ON_SERVER),
            offline_months: offline_months.and_then(integer),
        });
    }
}

fn path_below(path: &str, name: Option<String>) -> String {
    let name = name::folder(name.as_deref());
    name::path(&format!("{path}/{name}")).into_owned()
}

/// A time as RFC 3339, UTC.
fn time<S: Serializer>(time: &Option<FileTime>, serializer: S) -> Result<S::Ok, S::Error> {
    let time = time.and_then(|time| clock::utc(time.unix_seconds()));
    time.map(|time| format!("{time}Z")).serialize(serializer)
}
