//! `-o layout=maildir`: the tree as a Maildir++, as Dovecot, Courier and other programs keep mail.
//!
//! The root is the inbox, every other folder a directory beside it whose name is its whole path, `.A.B`, in modified UTF-7
//! (RFC 3501 5.1.3). Messages are in `cur`, their state in their names: nobody who reads them has to write. All items are
//! mail here, for such programs know nothing else; see <https://cr.yp.to/proto/maildir.html>.
//!
//! The inbox is the folder that the table of receive folders names, else one named so, as IMAP keeps that name.
//! `.lost+found` has no subfolders: to find them takes a walk over the file, which no listing of the root may cost.

use std::sync::Arc;

use super::items::Items;
use super::rules::{Rules, Shown};
use crate::convert::Moment;
use crate::error::{Error, Result};
use crate::ltp::FileTime;
use crate::messaging::{ContentsRow, ContentsTable, MSGFLAG_READ, MSGFLAG_UNSENT, State};
use crate::ndb::kept::Once;
use crate::ndb::{NodeId, NodeType};
use crate::tree::context::Context;
use crate::tree::directory::Directory;
use crate::tree::ino::{Ino, Kind};
use crate::tree::lost_found::LostFound;
use crate::tree::name;
use crate::tree::object::{MaildirPart, Object, Special};

/// Stands between the names of a folder and its subfolder, and before the first.
const SEPARATOR: char = '.';
/// What a folder may not have in its name for that.
const SEPARATOR_REPLACEMENT: &str = "_";
/// Longest name of a directory in bytes, after its first dot.
const MAX_NAME: usize = 200;
/// The inbox as part of the names of its subfolders. IMAP knows it by this name in any case of letters. RFC 3501 5.1
const INBOX: &str = "INBOX";
/// Names, without their dot, that no folder of the file may take.
const TAKEN: [&str; 2] = ["inbox", "ostfs"];
/// In place of the host that delivered a message: names must not depend on where they are made.
const HOST: &str = "ostfs";

/// A Maildir++.
#[derive(Debug)]
pub(super) struct Maildir {
    items: Items,
    lost_found: Arc<LostFound>,
    /// The folder that is its root.
    inbox: Once<Option<NodeId>>,
}

impl Maildir {
    /// The layout of `items`.
    pub fn new(items: Items, lost_found: Arc<LostFound>) -> Self {
        Self {
            items,
            lost_found,
            inbox: Once::default(),
        }
    }

    fn context(&self) -> &Context {
        &self.items.context
    }

    /// The folder that is the root of the Maildir++: where the file states that mail arrives, else the one named so, as
    /// that name is taken in IMAP.
    fn inbox(&self) -> Option<NodeId> {
        let inbox = self.inbox.get_or_make(|| Ok(self.find_inbox()));
        inbox.ok().copied().flatten()
    }

    fn find_inbox(&self) -> Option<NodeId> {
        let context = self.context();
        let stated = context
            .store
            .receive_folder()
            .filter(|nid| *nid != context.root && context.is_below_root(*nid));
        stated.or_else(|| {
            let named = |name: Option<&str>| {
                name.is_some_and(|name| name.trim().eq_ignore_ascii_case(INBOX))
            };
            let mut top = self.items.folders.subfolders(context.root).into_iter();
            top.find(|(_, name)| named(name.as_deref()))
                .map(|(nid, _)| nid)
        })
    }

    /// The folders whose items are in the Maildir of `nid`.
    fn folders_in(&self, nid: NodeId) -> Vec<NodeId> {
        let inbox = self.inbox().filter(|_| nid == self.context().root);
        inbox.into_iter().chain([nid]).collect()
    }

    /// The root: a Maildir, and a directory for every folder but the inbox.
    fn list_maildirs(&self) -> Directory {
        let mut listing = self.list_maildir(&Object::Root, Ino::ROOT);
        let lost_found = self.context().number(&Object::Special(Special::LostFound));
        let name = format!("{SEPARATOR}{}", Special::LOST_FOUND);
        listing.add(&name, lost_found, Kind::Directory);
        let mut todo = vec![(self.context().root, String::new())];
        while let Some((nid, path)) = todo.pop() {
            let mut children = Vec::new();
            for (child, display_name) in self.items.folders.subfolders(nid) {
                if self.inbox() == Some(child) {
                    children.push((child, INBOX.to_owned()));
                    continue;
                }
                let own = component(&name::folder(display_name.as_deref()));
                let whole = match path.as_str() {
                    "" => own,
                    above => format!("{above}{SEPARATOR}{own}"),
                };
                let name = free_name(&listing, &whole, child);
                listing.add(
                    &directory_name(&name),
                    self.context().folder_ino(child),
                    Kind::Directory,
                );
                children.push((child, name));
            }
            children.reverse();
            todo.extend(children);
        }
        listing.finish()
    }

    /// One Maildir: `cur`, `new` and `tmp`.
    fn list_maildir(&self, object: &Object, above: Ino) -> Directory {
        let mut listing = Directory::new(above);
        for part in MaildirPart::ALL {
            let part_object = match object {
                Object::Folder(nid) => Object::Maildir(*nid, part),
                Object::Special(_) => Object::LostMaildir(part),
                _ => Object::Maildir(self.context().root, part),
            };
            let number = self.context().number(&part_object);
            listing.add(part.name(), number, Kind::Directory);
        }
        listing
    }

    /// The items in a part of the Maildir of folder `nid`: all of them are in `cur`.
    fn list_maildir_part(&self, nid: NodeId, part: MaildirPart) -> Result<Directory> {
        self.items.folders.check(nid)?;
        let mut listing = Directory::new(self.context().folder_ino(nid));
        if part == MaildirPart::Cur {
            for folder in self.folders_in(nid) {
                self.add_items(&mut listing, folder);
            }
        }
        Ok(listing.finish())
    }

    /// All lost items, those of lost folders among them, in one Maildir: to find those folders takes a walk over the
    /// whole file, which no listing of the root may cost.
    fn list_lost_maildir_part(&self, part: MaildirPart) -> Directory {
        let lost_found = Object::Special(Special::LostFound);
        let mut listing = Directory::new(self.context().number(&lost_found));
        if part == MaildirPart::Cur {
            let (folders, messages) = self.lost_found.all();
            for folder in folders {
                self.add_items(&mut listing, folder);
            }
            for message in messages {
                let row = ContentsRow::unlisted(message);
                self.add_item(&mut listing, NodeId::ROOT_FOLDER, &row);
            }
        }
        listing.finish()
    }
}

impl Rules for Maildir {
    fn items(&self) -> &Items {
        &self.items
    }

    fn show(&self, row: &ContentsRow) -> Shown {
        let facts = self.items.facts(row, true);
        Shown {
            stem: stem(facts.moment.map(Moment::start), row.nid),
            files: vec![(info(facts.flags, facts.state), Object::Message(row.nid))],
            is_chat: facts.is_chat,
        }
    }

    fn list(&self, object: &Object) -> Result<Directory> {
        match object {
            Object::Root => Ok(self.list_maildirs()),
            Object::Folder(_) | Object::Special(Special::LostFound) => {
                Ok(self.list_maildir(object, Ino::ROOT))
            }
            Object::Maildir(nid, part) => self.list_maildir_part(*nid, *part),
            Object::LostMaildir(part) => Ok(self.list_lost_maildir_part(*part)),
            _ => Err(Error::NotADirectory),
        }
    }

    fn list_subfolders(&self, _: &Object) -> Option<Directory> {
        None
    }

    fn folders_of_items(&self, object: &Object) -> Option<Vec<NodeId>> {
        match object {
            Object::Maildir(nid, MaildirPart::Cur) => Some(self.folders_in(*nid)),
            Object::Root | Object::Folder(_) | Object::Maildir(..) => Some(Vec::new()),
            _ => None,
        }
    }

    fn items_ino(&self, nid: NodeId) -> Ino {
        let context = self.context();
        let at = if self.inbox() == Some(nid) {
            context.root
        } else {
            nid
        };
        context.number(&Object::Maildir(at, MaildirPart::Cur))
    }

    fn items_path(&self, nid: NodeId) -> Option<Vec<String>> {
        let mut path = Vec::new();
        if nid != self.context().root && self.inbox() != Some(nid) {
            let own = self.context().folder_ino(nid);
            path.push(self.list_maildirs().name_of(own)?);
        }
        path.push(MaildirPart::Cur.name().to_owned());
        Some(path)
    }

    fn folders(&self) -> Result<Vec<(NodeId, String)>> {
        let cur = MaildirPart::Cur.name();
        let top = self.folders_in(self.context().root).into_iter();
        let mut folders: Vec<_> = top.map(|nid| (nid, format!("{cur}/"))).collect();
        for entry in self.list_maildirs().entries() {
            if let Some(Object::Folder(nid)) = self.context().inodes.object(entry.ino)
                && nid.node_type() == NodeType::NORMAL_FOLDER
            {
                folders.push((nid, format!("{}/{cur}/", entry.name)));
            }
        }
        Ok(folders)
    }

    fn tables(&self, nid: NodeId) -> Vec<ContentsTable> {
        let tables = self.items.tables(nid).into_iter();
        tables.map(ContentsTable::with_state).collect()
    }
}

/// A folder's own part of a name. One that begins with a tilde would be somebody's home to Dovecot.
fn component(name: &str) -> String {
    let name = name.replace(SEPARATOR, SEPARATOR_REPLACEMENT);
    match name.strip_prefix('~') {
        Some(rest) => format!("{SEPARATOR_REPLACEMENT}{rest}"),
        None => name,
    }
}

fn directory_name(name: &str) -> String {
    format!("{SEPARATOR}{}", modified_utf7(name))
}

/// `name` if it is short enough and free, else cut, with the node behind it.
fn free_name(listing: &Directory, name: &str, nid: NodeId) -> String {
    let fits = |name: &str| directory_name(name).len() <= MAX_NAME;
    let is_free = |name: &str| {
        !TAKEN.iter().any(|taken| name.eq_ignore_ascii_case(taken))
            && !listing.has(&directory_name(name))
    };
    if fits(name) && is_free(name) {
        return name.to_owned();
    }
    let mut round = 1;
    loop {
        let suffix = match round {
            1 => format!(" ~{:x}", nid.0),
            _ => format!(" ~{:x}~{round}", nid.0),
        };
        let mut stem = name.to_owned();
        while !fits(&format!("{stem}{suffix}")) && stem.pop().is_some() {}
        let candidate = format!("{}{suffix}", stem.trim_end_matches([SEPARATOR, ' ']));
        if is_free(&candidate) {
            return candidate;
        }
        round += 1;
    }
}

/// Stem of a message: its time, its node, and a host. Equal on every mount.
fn stem(time: Option<FileTime>, nid: NodeId) -> String {
    let seconds = time.map_or(0, |time| time.unix_seconds().max(0));
    format!("{seconds}.N{:x}.{HOST}", nid.0)
}

/// What follows the stem: the state of the message, in the order of ASCII.
fn info(flags: i32, state: State) -> String {
    let letters = [
        (flags & MSGFLAG_UNSENT != 0, 'D'),
        (state.flagged, 'F'),
        (state.forwarded, 'P'),
        (state.replied, 'R'),
        (flags & MSGFLAG_READ != 0, 'S'),
        (state.deleted, 'T'),
    ];
    let set = letters.iter().filter(|(is_set, _)| *is_set);
    format!(":2,{}", set.map(|(_, letter)| letter).collect::<String>())
}

/// `text` in modified UTF-7. RFC 3501 5.1.3
fn modified_utf7(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    let mut other = String::new();
    for character in text.chars() {
        if !matches!(character, ' '..='~') {
            other.push(character);
            continue;
        }
        shift(&mut other, &mut encoded);
        encoded.push(character);
        if character == '&' {
            encoded.push('-');
        }
    }
    shift(&mut other, &mut encoded);
    encoded
}

/// Moves what is not ASCII from `other` to `encoded`.
fn shift(other: &mut String, encoded: &mut String) {
    if other.is_empty() {
        return;
    }
    let utf16: Vec<u8> = other.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let base64 = encodify::base64::STANDARD.encode(utf16);
    let base64 = base64.trim_end_matches('=').replace('/', ",");
    encoded.push_str(&format!("&{base64}-"));
    other.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_names_are_encoded_as_the_standard_has_them() {
        // The examples of RFC 3501 5.1.3, and of Python's imapclient.
        for (name, encoded) in [
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("Entwürfe & Co", "Entw&APw-rfe &- Co"),
            ("\u{1F600}", "&2D3eAA-"),
            ("", ""),
        ] {
            assert_eq!(modified_utf7(name), encoded);
        }
    }

    #[test]
    fn names_of_folders_stay_short_and_differ() {
        let mut listing = Directory::new(Ino::ROOT);
        let deep = "Ärger.".repeat(60);
        for nid in 1..200 {
            let name = free_name(&listing, deep.trim_end_matches('.'), NodeId(nid));
            let encoded = directory_name(&name);
            assert!(encoded.len() <= MAX_NAME && encoded.is_ascii(), "{encoded}");
            assert!(!name.contains("..") && !name.starts_with('.'), "{name}");
            listing.add(&encoded, Ino(u64::from(nid)), Kind::Directory);
        }
        for taken in ["Inbox", "OSTFS"] {
            assert_eq!(free_name(&listing, taken, NodeId(9)), format!("{taken} ~9"));
        }
        assert_eq!(component("~v1.2"), "_v1_2");
    }

    #[test]
    fn the_state_is_in_the_name_in_the_order_of_ascii() {
        let all = State {
            replied: true,
            forwarded: true,
            flagged: true,
            deleted: true,
        };
        assert_eq!(info(MSGFLAG_READ | MSGFLAG_UNSENT, all), ":2,DFPRST");
        assert_eq!(info(0, State::default()), ":2,");
        assert_eq!(stem(None, NodeId(0x20_0024)), "0.N200024.ostfs");
    }
}
