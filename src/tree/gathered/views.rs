//! `-o views`: items by month, by sender and by topic, from the tables of folders alone, and attachments by their extensions,
//! for which the messages that have some are opened.
//!
//! A link leads to a file of a folder that the tree shows. What is in `lost+found` has no link.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::groups::{Folders, Group, Groups, Member, key};
use super::links::LinksBuilder;
use crate::convert::Moment;
use crate::error::Result;
use crate::ltp::tags;
use crate::messaging::{Cells, ContentsTable, MAX_EMBEDDED_DEPTH, MessageClass, Subject};
use crate::ndb::NodeId;
use crate::tree::context::Context;
use crate::tree::directories::Directories;
use crate::tree::entries::Entry as Listed;
use crate::tree::gathering::{Entry, Gathering};
use crate::tree::ino::{Ino, Kind};
use crate::tree::layout::rules::Rules;
use crate::tree::name;
use crate::tree::summary::Part;

const NO_DATE: &str = "(no date)";
const NO_SENDER: &str = "(no sender)";
const NO_EXTENSION: &str = "(no extension)";

/// The group of items without a date.
const DATELESS: u32 = 1;
/// Bits of the number of a month, 1 to 12, in that of its group; the others are the year.
const MONTH_BITS: u32 = 4;
/// Messages that are a thread, at the least.
const LEAST_THREAD: u32 = 2;

/// What makes the views of one tree.
#[derive(Debug)]
pub(super) struct Views {
    pub context: Arc<Context>,
    pub rules: Arc<dyn Rules>,
    pub directories: Arc<Directories>,
}

/// The year that a group of [`Gathering::ByDate`] is of, if it is a month or the directory of a year.
pub(super) fn year(group: u32) -> Option<u32> {
    let year = group >> MONTH_BITS;
    (year > 0).then_some(year)
}

/// The group of a month, 1 to 12; of month 0, the directory of the year.
pub(super) fn month_of(year: u32, month: u32) -> u32 {
    year << MONTH_BITS | month
}

impl Views {
    /// The groups of `gathering`, by a walk over the tables of all folders.
    pub fn groups(&self, gathering: Gathering) -> Result<Groups> {
        let mut groups = Groups::new(self.rules.folders()?.into());
        let folders = Arc::clone(&groups.folders);
        match gathering {
            Gathering::ByDate => self.by_date(&folders, &mut groups),
            Gathering::BySender => self.each_item(&folders, |member, _, cells| {
                let sender = cells.text(tags::SENT_REPRESENTING_NAME);
                let name = name::gathered(&sender.unwrap_or_default(), NO_SENDER);
                groups.add(&name, member);
            }),
            Gathering::Threads => self.threads(&folders, &mut groups),
            Gathering::Attachments => self.attachments(&folders, &mut groups)?,
            Gathering::Search => {}
        }
        Ok(groups.finish())
    }

    /// Calls `see` with each item of `folders`, its table and its row.
    fn each_item(
        &self,
        folders: &Folders,
        mut see: impl FnMut(Member, &ContentsTable, &Cells<'_>),
    ) {
        for (folder, (folder_nid, _)) in (0..).zip(folders.iter()) {
            for table in self.rules.tables(*folder_nid) {
                for cells in (0..table.len()).filter_map(|index| table.cells(index)) {
                    let nid = cells.nid();
                    see(Member { folder, nid }, &table, &cells);
                }
                self.rules
                    .items()
                    .folders
                    .note(*folder_nid, table.problems());
            }
        }
    }

    /// By the month of the date that the name of an item has.
    fn by_date(&self, folders: &Folders, groups: &mut Groups) {
        let zone = &self.context.options.zone;
        self.each_item(folders, |member, table, cells| {
            let row = table.contents_row(cells);
            let moment = self.rules.items().facts(&row, false).moment;
            match moment.and_then(|moment| year_and_month(moment, zone)) {
                Some((year, month)) => {
                    groups.add_to(month_of(year, month), || format!("{month:02}"), member);
                }
                None => groups.add_to(DATELESS, || NO_DATE.to_owned(), member),
            }
        });
    }

    /// Mail that has its topic in common with other mail. Of all topics only the hashes are in memory.
    fn threads(&self, folders: &Folders, groups: &mut Groups) {
        let mut counts: HashMap<u64, u32> = HashMap::new();
        self.each_item(folders, |_, _, cells| {
            if let Some(topic) = topic(cells) {
                *counts.entry(hash(&topic)).or_default() += 1;
            }
        });
        counts.retain(|_, count| *count >= LEAST_THREAD);
        self.each_item(folders, |member, _, cells| {
            if let Some(topic) = topic(cells).filter(|topic| counts.contains_key(&hash(topic))) {
                groups.add(&topic, member);
            }
        });
    }

    /// By their extensions.
    fn attachments(&self, folders: &Folders, groups: &mut Groups) -> Result<()> {
        for (folder, (folder_nid, path)) in (0..).zip(folders.iter()) {
            let is_wanted = |_: NodeId| true;
            self.each_attachment(*folder_nid, path, is_wanted, |_, attachment, nid| {
                groups.add(&extension(attachment), Member { folder, nid });
            })?;
        }
        Ok(())
    }

    /// Calls `see` with path, name and message of each file of an attachment to those messages of a folder that are wanted.
    fn each_attachment(
        &self,
        folder: NodeId,
        path: &str,
        is_wanted: impl Fn(NodeId) -> bool,
        mut see: impl FnMut(&str, &str, NodeId),
    ) -> Result<()> {
        let listing = self.directories.listing(self.rules.items_ino(folder))?;
        for entry in listing.entries() {
            let Some(nid) = self
                .shows(entry.ino, Part::Attachment)
                .filter(|nid| is_wanted(*nid))
            else {
                continue;
            };
            match entry.kind {
                Kind::Directory => {
                    let below = format!("{path}{}", entry.name);
                    self.each_in(entry.ino, &below, |path, name| see(path, name, nid));
                }
                Kind::File | Kind::Symlink => see(path, &entry.name, nid),
            }
        }
        Ok(())
    }

    /// Calls `see` with path and name of each file in a directory of attachments and in those within it. One that cannot be
    /// listed says so when it is looked at.
    fn each_in(&self, directory: Ino, path: &str, mut see: impl FnMut(&str, &str)) {
        let mut todo = vec![(directory, path.to_owned(), 0)];
        while let Some((directory, path, depth)) = todo.pop() {
            let Ok(listing) = self.directories.listing(directory) else {
                continue;
            };
            for entry in listing.entries() {
                if entry.kind != Kind::Directory {
                    see(&path, &entry.name);
                } else if depth < MAX_EMBEDDED_DEPTH {
                    todo.push((entry.ino, format!("{path}/{}", entry.name), depth + 1));
                }
            }
        }
    }

    /// The message of which `ino` shows this part.
    fn shows(&self, ino: Ino, wanted: Part) -> Option<NodeId> {
        let (nid, part) = Part::of(&self.context.inodes.object(ino)?)?;
        (part == wanted).then_some(nid)
    }

    /// Adds the links of `group`, one of `groups`, whose directory is `entry`.
    pub fn add_links(
        &self,
        links: &mut LinksBuilder,
        entry: Entry,
        groups: &Groups,
        group: &Group,
    ) -> Result<()> {
        for members in group
            .members
            .chunk_by(|one, other| one.folder == other.folder)
        {
            let folder = members.first().map(|one| one.folder as usize);
            let folder = folder.and_then(|folder| groups.folders.get(folder));
            let Some((folder, path)) = folder else {
                continue;
            };
            let mut nids: Vec<NodeId> = members.iter().map(|member| member.nid).collect();
            nids.sort_unstable();
            let is_wanted = |nid: NodeId| nids.binary_search(&nid).is_ok();
            match entry.gathering {
                Gathering::Attachments => {
                    self.each_attachment(*folder, path, is_wanted, |path, file, nid| {
                        if key(&extension(file)) == key(&group.name) {
                            links.add(entry, path, file, nid.0);
                        }
                    })?;
                }
                _ => {
                    let listing = self.directories.listing(self.rules.items_ino(*folder))?;
                    let item = |listed: &Listed<'_>| {
                        self.shows(listed.ino, Part::Item)
                            .filter(|nid| is_wanted(*nid))
                    };
                    for listed in listing.entries() {
                        if let Some(nid) = item(&listed) {
                            links.add(entry, path, &listed.name, nid.0);
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// Year and month of `moment` in `zone`.
fn year_and_month(moment: Moment, zone: &jiff::tz::TimeZone) -> Option<(u32, u32)> {
    let time = moment.in_zone(zone)?;
    let year = u32::try_from(time.year()?).ok().filter(|year| *year > 0)?;
    Some((year, u32::try_from(time.month()?).ok()?))
}

/// What mail is about, as the name of a directory: PidTagConversationTopic, else its subject without prefix. None of all that
/// is no mail.
fn topic(cells: &Cells<'_>) -> Option<String> {
    let class = cells.text(tags::MESSAGE_CLASS)?;
    if !MessageClass::parse(&class).kind.is_mail() {
        return None;
    }
    let subject = || {
        let subject = Subject::parse(cells.text(tags::SUBJECT)?);
        Some(subject.normalized().to_owned())
    };
    let topic = cells.text(tags::CONVERSATION_TOPIC).or_else(subject)?;
    let name = name::gathered(&topic, "");
    (!name.is_empty()).then_some(name)
}

/// The extension of a file in small letters and without its dot, as the name of a directory.
fn extension(name: &str) -> String {
    let (_, extension) = name::split_extension(name);
    name::gathered(&extension.to_lowercase(), NO_EXTENSION)
}

fn hash(topic: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key(topic).hash(&mut hasher);
    hasher.finish()
}
