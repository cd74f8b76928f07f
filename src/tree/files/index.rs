//! `.ostfs/index.csv`: one line for every item, from the contents tables alone.
//!
//! The file is a header line and a section for each folder. Lengths of sections are kept, their text is made anew when
//! it is read: so its size is exact and its memory that of one folder.

use std::sync::Arc;

use super::file::File;
use crate::convert::{Made, Moment, Rendition, Segments, copy_made};
use crate::error::{Error, Result};
use crate::messaging::{ContentsRow, MSGFLAG_READ};
use crate::ndb::NodeId;
use crate::ndb::kept::Lru;
use crate::output;
use crate::tree::attr::Times;
use crate::tree::context::Context;
use crate::tree::directories::Directories;
use crate::tree::folders::Folders;
use crate::tree::ino::{Ino, Kind};
use crate::tree::layout::items::Facts;
use crate::tree::layout::rules::Rules;
use crate::tree::object::Object;

const COLUMNS: [&str; 7] = [
    "path",
    "nid",
    "date",
    "subject",
    "class",
    "read",
    "attachments",
];

/// The lines of each folder.
#[derive(Debug)]
pub(in crate::tree) struct Index {
    pub context: Arc<Context>,
    pub folders: Arc<Folders>,
    pub rules: Arc<dyn Rules>,
    pub directories: Arc<Directories>,
    /// The sections that were read last.
    pub sections: Lru<NodeId, Arc<str>>,
}

/// The sections of all folders, with the paths of these.
#[derive(Debug)]
struct Sections {
    index: Arc<Index>,
    sections: Segments<(NodeId, String)>,
}

impl Index {
    /// The whole file, by a walk over all folders that the tree shows.
    pub fn make(self: &Arc<Self>) -> Result<File> {
        let mut sections = Segments::default();
        for (folder, path) in self.rules.folders()? {
            let length = self.section_text(folder, &path)?.len() as u64;
            sections.push((folder, path), length);
        }
        let sections = Sections {
            index: Arc::clone(self),
            sections,
        };
        Ok(File {
            rendition: Rendition::of_made(&output::csv_line(COLUMNS), Box::new(sections), ""),
            times: Times::all(self.context.source_time),
        })
    }

    /// The lines of one folder, by node as its listing is.
    fn section_text(&self, folder: NodeId, path: &str) -> Result<String> {
        let listing = self.directories.listing(self.rules.items_ino(folder))?;
        let mut names = listing
            .entries()
            .filter(|entry| entry.kind == Kind::File)
            .map(|entry| (entry.ino, entry.name));
        let mut text = String::new();
        for table in self.rules.tables(folder) {
            for row in table.rows() {
                let is_it = |file: Ino| {
                    let object = self.context.inodes.object(file);
                    matches!(object, Some(Object::Message(nid) | Object::CheckedMessage(nid)) if nid == row.nid)
                };
                // Rows and files come in the same order, so no search is needed.
                let found = names.find(|(file, _)| is_it(*file));
                let name = found.as_ref().map_or("", |(_, name)| name);
                let facts = self.rules.items().facts(&row, false);
                text.push_str(&self.line(path, name, &facts, &row));
            }
            self.folders.note(folder, table.problems());
        }
        Ok(text)
    }

    fn line(&self, path: &str, name: &str, facts: &Facts, row: &ContentsRow) -> String {
        let tell = |is_so: &dyn Fn(i32) -> bool| match row.flags {
            Some(flags) if is_so(flags) => "yes",
            Some(_) => "no",
            None => "",
        };
        output::csv_line([
            &format!("{path}{name}"),
            &format!("{:#x}", row.nid.0),
            &facts.moment.and_then(Moment::iso8601).unwrap_or_default(),
            &facts.title,
            row.message_class.as_deref().unwrap_or_default(),
            tell(&|flags| flags & MSGFLAG_READ != 0),
            tell(&|flags| self.rules.items().has_attachments(row, flags)),
        ])
    }
}

impl Made for Sections {
    fn len(&self) -> u64 {
        self.sections.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        self.sections
            .read_at(offset, buf, |(folder, path), wanted, buf| {
                let weigh = |text: &Arc<str>| text.len();
                let text = self.index.sections.get_or_make(*folder, weigh, || {
                    Ok(self.index.section_text(*folder, path)?.into())
                })?;
                copy_made(&text, wanted, buf).ok_or_else(|| {
                    Error::corrupt(
                        "index.csv",
                        path.as_str(),
                        "the folder changed while it was read",
                    )
                })
            })
    }
}
