//! `.ostfs`: not listed, but there. What the file is, what could not be read, and a table of all items.

use super::Tree;
use super::directory::Directory;
use super::import;
use super::ino::{Ino, Kind, Object, Special};
use crate::bytes::copy_at;
use crate::error::{Error, Result};
use crate::ndb::whole;
use crate::output;

const FILES: [(&str, Special); 3] = [
    ("info.json", Special::Info),
    ("problems.txt", Special::Problems),
    ("index.csv", Special::Index),
];

impl Tree {
    /// What is at `name` in the directory `object` without being listed there.
    pub(super) fn special(&self, object: &Object, name: &str) -> Option<Special> {
        (*object == Object::Root && name == Special::CONTROL).then_some(Special::Control)
    }

    pub(super) fn list_control(&self) -> Directory {
        let mut listing = Directory::new(Ino::ROOT);
        for (name, special) in FILES {
            listing.add(
                name,
                self.inodes.number(&Object::Special(special)),
                Kind::File,
            );
        }
        let import = self.inodes.number(&Object::Import(self.root));
        listing.add(import::DIRECTORY, import, Kind::Directory);
        listing
    }

    fn info_json(&self) -> Result<&str> {
        if let Some(info) = self.info.get() {
            return Ok(info);
        }
        let info = whole(|| Ok(output::pretty_json(&self.info()).unwrap_or_default()))?;
        Ok(self.info.get_or_init(|| info + "\n"))
    }

    pub(super) fn special_size(&self, special: Special) -> Result<u64> {
        Ok(match special {
            Special::LostFound | Special::Control => 0,
            Special::Info => self.info_json()?.len() as u64,
            Special::Problems => self.problems.text().len() as u64,
            Special::Index => self.index()?.len(),
        })
    }

    pub(super) fn read_special(
        &self,
        special: Special,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<usize> {
        match special {
            Special::LostFound | Special::Control => Err(Error::IsADirectory),
            Special::Info => Ok(copy_at(self.info_json()?.as_bytes(), offset, buf)),
            Special::Problems => Ok(copy_at(self.problems.text().as_bytes(), offset, buf)),
            Special::Index => self.read_index(offset, buf),
        }
    }
}
