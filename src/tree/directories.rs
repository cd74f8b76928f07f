//! All directories of one tree, and the names in them.

use std::sync::Arc;

use super::context::{Context, MAX_FOLDER_DEPTH};
use super::directory::Directory;
use super::files::attachments::Attachments;
use super::files::imports::Imports;
use super::gathering::{Entry, Gathering};
use super::ino::{Ino, Kind};
use super::layout::rules::Rules;
use super::lost_found::LostFound;
use super::messages::Messages;
use super::object::{Object, Special};
use crate::error::{Error, Result};
use crate::ndb::NodeId;
use crate::ndb::kept::{Lru, Makers};

/// Items of a huge directory that are listed before the others.
const BEGINNING: usize = 4096;
/// Bytes of such beginnings that are kept: of several.
const BEGINNINGS: u64 = 1 << 20;

/// Listings, made when they are asked for.
#[derive(Debug)]
pub(super) struct Directories {
    context: Arc<Context>,
    messages: Arc<Messages>,
    lost_found: Arc<LostFound>,
    rules: Arc<dyn Rules>,
    attachments: Arc<Attachments>,
    imports: Arc<Imports>,
    listings: Lru<Ino, Arc<Directory>>,
    /// Who makes them: whoever goes on in a huge directory, and those who work ahead of him, want the same one at once.
    makers: Makers<Ino>,
    /// The first entries of huge directories, until all are listed.
    beginnings: Lru<Ino, Option<Arc<Directory>>>,
}

impl Directories {
    /// The directories of `rules`, and those of attachments and import files.
    pub fn new(
        context: Arc<Context>,
        messages: Arc<Messages>,
        lost_found: Arc<LostFound>,
        rules: Arc<dyn Rules>,
        attachments: Arc<Attachments>,
        imports: Arc<Imports>,
    ) -> Self {
        Self {
            listings: Lru::new(context.options.share(2), 1),
            makers: Makers::default(),
            beginnings: Lru::new(BEGINNINGS, 1),
            context,
            messages,
            lost_found,
            rules,
            attachments,
            imports,
        }
    }

    /// The listing of the directory `ino`.
    pub fn listing(&self, ino: Ino) -> Result<Arc<Directory>> {
        if let Some(listing) = self.listings.get(&ino) {
            return Ok(listing);
        }
        let weigh = |listing: &Arc<Directory>| listing.weight();
        // Nothing that a listing is made of has another listing made.
        let _turn = self.makers.turn(ino);
        self.listings
            .get_or_make(ino, weigh, || self.list(ino).map(Arc::new))
    }

    /// The same; of a huge directory that was not listed yet its first entries, if number `first` is among them. All of a
    /// million names take as long as the first ones take a hundred times, and whoever reads them can begin.
    pub fn listing_from(&self, ino: Ino, first: usize) -> Result<Arc<Directory>> {
        if first < BEGINNING && self.listings.get(&ino).is_none() {
            let weigh =
                |listing: &Option<Arc<Directory>>| listing.as_ref().map_or(0, |it| it.weight());
            let beginning = self
                .beginnings
                .get_or_make(ino, weigh, || self.list_beginning(ino))?;
            if let Some(beginning) = beginning.filter(|listing| first < listing.len()) {
                return Ok(beginning);
            }
        }
        self.listing(ino)
    }

    /// The first entries of a huge directory; none of others.
    fn list_beginning(&self, ino: Ino) -> Result<Option<Arc<Directory>>> {
        let object = self.context.object(ino)?;
        let listing = self.rules.list_beginning(&object, BEGINNING);
        Ok(listing.map(|listing| Arc::new(listing.with_replaced(&self.messages.replaced))))
    }

    fn list(&self, ino: Ino) -> Result<Directory> {
        match self.context.object(ino)? {
            Object::Attachments(path) => self.attachments.list(&path),
            Object::Special(Special::Control) => Ok(self.list_control()),
            Object::Import(nid) => Ok(self.imports.list(nid)),
            object => {
                let listing = self.rules.list(&object)?;
                Ok(listing.with_replaced(&self.messages.replaced))
            }
        }
    }

    fn list_control(&self) -> Directory {
        let mut listing = Directory::new(Ino::ROOT);
        for (name, special) in Special::FILES {
            let number = self.context.number(&Object::Special(special));
            listing.add(name, number, Kind::File);
        }
        let import = self.context.number(&Object::Import(self.context.root));
        listing.add(Special::IMPORT, import, Kind::Directory);
        for gathering in Gathering::ALL {
            if gathering.is_shown(&self.context.options) {
                let number = Entry::top(gathering).ino();
                listing.add(gathering.name(), number, Kind::Directory);
            }
        }
        listing
    }

    /// The inode under `name` in the directory `parent`; None when there is none.
    pub fn look_up(&self, parent: Ino, name: &str) -> Result<Option<Ino>> {
        let object = self.context.object(parent)?;
        // Not listed, but there.
        if object == Object::Root && name == Special::CONTROL {
            let control = Object::Special(Special::Control);
            return Ok(Some(self.context.number(&control)));
        }
        // A subfolder on the way to somewhere else is found without listing the messages beside it.
        if self.listings.get(&parent).is_none()
            && let Some(subfolders) = self.rules.list_subfolders(&object)
            && let Some(entry) = subfolders.find(name)
        {
            return Ok(Some(entry.ino));
        }
        // Whoever has read the first names of a huge directory asks for them before the others are listed.
        if self.listings.get(&parent).is_none()
            && let Some(beginning) = self.beginnings.get(&parent).flatten()
            && let Some(entry) = beginning.find(name)
        {
            return Ok(Some(entry.ino));
        }
        let listing = self.listing(parent)?;
        Ok(listing.find(name).map(|entry| entry.ino))
    }

    /// The directory of the file of message `nid`.
    pub fn directory_of(&self, nid: NodeId) -> Option<Ino> {
        let lost = self.lost_found.known();
        Some(match lost.and_then(|lost| lost.place_of(nid)) {
            Some(place) => self.context.lost_ino(place),
            None => self.rules.items_ino(self.context.parent_of(nid)?),
        })
    }

    /// Directory and name of the file of message `nid`.
    pub fn place_of(&self, nid: NodeId) -> Option<(Ino, String)> {
        let directory = self.directory_of(nid)?;
        let file = self.context.number(&Object::Message(nid));
        let name = self.listing(directory).ok()?.name_of(file)?;
        Some((directory, name))
    }

    /// The path of the file of an item, or of a folder, from the root of the tree; None if no directory lists it.
    pub fn path_of(&self, ino: Ino) -> Option<String> {
        let (mut directory, mut names) = match self.context.object(ino).ok()? {
            Object::Message(nid) => {
                let (directory, name) = self.place_of(nid)?;
                (directory, vec![name])
            }
            _ => (ino, Vec::new()),
        };
        while directory != Ino::ROOT {
            if names.len() > MAX_FOLDER_DEPTH {
                return None;
            }
            let above = self.listing(directory).ok()?.parent();
            names.push(self.listing(above).ok()?.name_of(directory)?);
            directory = above;
        }
        names.reverse();
        Some(names.join("/"))
    }

    /// Where the link in the folder `search` leads: relative, to `message` in the folder that owns it.
    pub fn link_target(&self, search: NodeId, message: NodeId) -> Result<String> {
        let target = || -> Option<String> {
            let up = self.rules.items_path(search)?.len();
            let folder = self.context.parent_of(message)?;
            let mut names = self.rules.items_path(folder)?;
            let listing = self.listing(self.rules.items_ino(folder)).ok()?;
            names.push(listing.name_of(self.context.number(&Object::Message(message)))?);
            Some(format!("{}{}", "../".repeat(up), names.join("/")))
        };
        target().ok_or_else(|| {
            Error::corrupt(
                "search folder",
                message,
                "lists a message that no folder holds",
            )
            .in_node(search.0)
        })
    }
}
