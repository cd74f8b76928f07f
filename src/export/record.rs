//! What a manifest tells of one file; `columns` states under which names.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::hashes::{Algorithms, Hasher, Hashes};
use super::progress::Progress;
use crate::convert::{ItemFields, Moment};
use crate::tree::Details;

/// Bytes read at a time.
const CHUNK: usize = 1 << 20;

/// The record of one file.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Path below the target directory; of a source, the path of the data file.
    pub path: String,
    /// Node of the item, in hexadecimal; also on its attachments.
    pub nid: String,
    /// Path of the folder.
    pub folder: String,
    /// When the item is; also on its attachments.
    pub moment: Option<Moment>,
    /// PidTagMessageClass of an item, or what else it is: see the constants.
    pub class: String,
    /// Bytes.
    pub size: u64,
    /// Of the bytes; empty where they could not be read.
    pub hashes: Hashes,
    /// What could not be read.
    pub problems: Vec<String>,
    /// Whose mail it is, as the user states.
    pub custodian: String,
    /// Path of the item that it is, or belongs to.
    pub family: String,
    /// Path of the file that it is attached to.
    pub parent: String,
    /// Path of the file with the text of the item.
    pub text_path: String,
    /// How many messages it is within, and itself an attachment: 0 of an item; None if it is neither.
    pub level: Option<u64>,
    /// Which attachment of `parent` it is, from 1 on.
    pub attachment_number: Option<u64>,
    /// Of items alone, and of links to them.
    pub item: Option<Box<Details>>,
    /// Of items alone, if the content hash is wanted.
    pub content: Option<Box<ItemFields>>,
}

impl Record {
    /// `class` of an attachment.
    pub const ATTACHMENT: &str = "attachment";
    /// `class` of the text beside an item.
    pub const TEXT: &str = "text";
    /// `class` of a data file.
    pub const SOURCE: &str = "source";

    /// Whether it is an item or an attachment, and no other view of one.
    pub(super) fn is_document(&self) -> bool {
        !self.family.is_empty() && self.class != Self::TEXT
    }

    /// The record of the data file `path`, all of which is read from `file`, unless `progress` returns that it is not wanted
    /// any more.
    pub fn of_source(
        path: &Path,
        mut file: &File,
        algorithms: Algorithms,
        progress: &Progress,
    ) -> io::Result<Self> {
        let mut hasher = Hasher::new(algorithms);
        let mut buffer = vec![0; CHUNK];
        let mut size = 0;
        while !progress.is_abandoned() {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hasher.update(buffer.get(..read).unwrap_or_default());
            size += read as u64;
        }
        Ok(Self {
            path: path.display().to_string(),
            class: Self::SOURCE.to_owned(),
            size,
            hashes: hasher.finish(),
            ..Self::default()
        })
    }
}
