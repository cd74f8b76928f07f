//! `.ostfs/index.csv`: one line for every item, from the contents tables alone.
//!
//! The file is a header line and a section for each folder. Lengths of sections are kept, their text is made anew when
//! it is read: so its size is exact and its memory that of one folder.

use std::sync::Arc;

use super::Tree;
use super::ino::{Ino, Kind, Object};
use super::name;
use crate::bytes::copy_at;
use crate::convert::Moment;
use crate::error::{Error, Result};
use crate::messaging::{ContentsRow, MSGFLAG_HASATTACH, MSGFLAG_READ};
use crate::ndb::{NodeId, NodeType, whole};

const COLUMNS: [&str; 7] = [
    "path",
    "nid",
    "date",
    "subject",
    "class",
    "read",
    "attachments",
];

/// Where the section of each folder is.
#[derive(Debug)]
pub(super) struct Index {
    sections: Vec<Section>,
}

#[derive(Debug)]
struct Section {
    folder: Option<NodeId>,
    path: String,
    end: u64,
}

impl Index {
    /// Size of the whole file in bytes.
    pub(super) fn len(&self) -> u64 {
        self.sections.last().map_or(0, |section| section.end)
    }
}

impl Tree {
    /// The sections, made on first use by a walk over all folders that the tree shows.
    pub(super) fn index(&self) -> Result<&Index> {
        if let Some(index) = self.index.get() {
            return Ok(index);
        }
        let index = whole(|| self.make_index())?;
        Ok(self.index.get_or_init(|| index))
    }

    fn make_index(&self) -> Result<Index> {
        let mut sections = Vec::new();
        let mut end = csv_line(COLUMNS).len() as u64;
        sections.push(Section {
            folder: None,
            path: String::new(),
            end,
        });
        for (folder, path) in self.shown_folders()? {
            end += self.section_text(folder, &path)?.len() as u64;
            sections.push(Section {
                folder: Some(folder),
                path,
                end,
            });
        }
        Ok(Index { sections })
    }

    /// All folders with the paths of what they list, each with its last slash.
    fn shown_folders(&self) -> Result<Vec<(NodeId, String)>> {
        if self.is_maildir() {
            return self.maildirs();
        }
        let mut folders = Vec::new();
        let mut todo = vec![(self.root, String::new())];
        while let Some((folder, path)) = todo.pop() {
            let subfolders = self.list_subfolders(folder);
            let mut children = Vec::new();
            for entry in subfolders.entries() {
                if let Some(Object::Folder(nid)) = self.inodes.object(entry.ino)
                    && nid.node_type() == NodeType::NORMAL_FOLDER
                {
                    let path = format!("{path}{}/", entry.name);
                    children.push((nid, name::path(&path).into_owned()));
                }
            }
            children.reverse();
            todo.extend(children);
            folders.push((folder, path));
        }
        Ok(folders)
    }

    pub(super) fn read_index(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let index = self.index()?;
        let mut done = 0;
        while done < buf.len() {
            let at = offset + done as u64;
            let number = index.sections.partition_point(|section| section.end <= at);
            let Some(section) = index.sections.get(number) else {
                break;
            };
            let start = number
                .checked_sub(1)
                .and_then(|before| index.sections.get(before))
                .map_or(0, |before| before.end);
            let text = self.section(section)?;
            let rest = buf.get_mut(done..).unwrap_or_default();
            let count = copy_at(text.as_bytes(), at - start, rest);
            if count == 0 {
                return Err(Error::corrupt(
                    "index.csv",
                    section.path.as_str(),
                    "the folder changed while it was read",
                ));
            }
            done += count;
        }
        Ok(done)
    }

    fn section(&self, section: &Section) -> Result<Arc<str>> {
        let Some(folder) = section.folder else {
            return Ok(csv_line(COLUMNS).into());
        };
        if let Some(text) = self.index_sections.get(&folder) {
            return Ok(text);
        }
        let text: Arc<str> = whole(|| self.section_text(folder, &section.path))?.into();
        let weight = text.len();
        Ok(self.index_sections.insert(folder, text, weight))
    }

    /// The lines of one folder, by node as its listing is.
    fn section_text(&self, folder: NodeId, path: &str) -> Result<String> {
        let listing = self.directory(self.items_ino(folder))?;
        let mut names = listing
            .entries()
            .filter(|entry| entry.kind == Kind::File)
            .map(|entry| (entry.ino, entry.name));
        let mut text = String::new();
        for table in self.tables(folder) {
            for row in table.rows() {
                let is_it = |file: Ino| {
                    let object = self.inodes.object(file);
                    matches!(object, Some(Object::Message(nid) | Object::CheckedMessage(nid)) if nid == row.nid)
                };
                // Rows and files come in the same order, so no search is needed.
                let name = names.find(|(file, _)| is_it(*file)).map(|(_, name)| name);
                let date = self.moment(&row).and_then(Moment::iso8601);
                text.push_str(&line(path, name.unwrap_or_default(), date, &row));
            }
            self.note_in_folder(folder, table.problems());
        }
        Ok(text)
    }
}

fn line(path: &str, name: &str, date: Option<String>, row: &ContentsRow) -> String {
    let flag = |bit: i32| match row.flags {
        Some(flags) if flags & bit != 0 => "yes",
        Some(_) => "no",
        None => "",
    };
    csv_line([
        &format!("{path}{name}"),
        &format!("{:#x}", row.nid.0),
        &date.unwrap_or_default(),
        row.subject
            .as_ref()
            .map(|subject| subject.text.as_str())
            .unwrap_or_default(),
        row.message_class.as_deref().unwrap_or_default(),
        flag(MSGFLAG_READ),
        flag(MSGFLAG_HASATTACH),
    ])
}

/// Fields as RFC 4180 has them, but with LF.
fn csv_line(fields: [&str; COLUMNS.len()]) -> String {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    // Writing to memory does not fail.
    let written = writer
        .write_record(fields)
        .ok()
        .and_then(|()| writer.into_inner().ok());
    String::from_utf8(written.unwrap_or_default()).unwrap_or_default()
}
