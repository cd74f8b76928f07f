//! A directory of links, or of such directories.

use std::borrow::Cow;
use std::sync::Arc;

use crate::tree::directory::Directory;
use crate::tree::gathering::Entry;
use crate::tree::ino::{Ino, Kind};
use crate::tree::name::{self, MAX_PATH};

/// What is in one directory.
#[derive(Debug)]
pub(in crate::tree) struct Links {
    pub directory: Arc<Directory>,
    /// The way from there to the root of the tree.
    up: String,
    /// Paths of the directories that the links lead to, from the root of the tree.
    places: Vec<String>,
    targets: Vec<Target>,
}

/// Where a link leads.
#[derive(Debug)]
struct Target {
    /// The directory, by its index.
    place: u32,
    /// The name there, if it is another one than that of the link.
    name: Option<Box<str>>,
}

impl Links {
    /// Where link number `index` leads; None past the end.
    pub fn target(&self, index: usize) -> Option<String> {
        let target = self.targets.get(index)?;
        let place = self.places.get(target.place as usize)?;
        let name = match &target.name {
            Some(name) => Cow::Borrowed(&**name),
            None => self.directory.entry(index)?.name,
        };
        Some(path(&self.up, place, &name))
    }

    /// Bytes of memory that it takes.
    pub fn weight(&self) -> usize {
        let places = self.places.iter();
        let places = places.map(|place| place.capacity() + size_of::<String>());
        let names = self.targets.iter();
        let names = names.map(|target| target.name.as_ref().map_or(0, |name| name.len()));
        let targets = self.targets.capacity() * size_of::<Target>();
        self.directory.weight() + places.sum::<usize>() + names.sum::<usize>() + targets
    }
}

fn path(up: &str, place: &str, name: &str) -> String {
    let slash = if place.is_empty() || place.ends_with('/') {
        ""
    } else {
        "/"
    };
    format!("{up}{place}{slash}{name}")
}

/// A directory that is being filled: with directories, or with links.
pub(in crate::tree) struct LinksBuilder {
    directory: Directory,
    up: String,
    places: Vec<String>,
    targets: Vec<Target>,
}

impl LinksBuilder {
    /// An empty directory below `parent`, so many directories below the root of the tree.
    pub fn new(parent: Ino, depth: usize) -> Self {
        Self {
            directory: Directory::new(parent),
            up: "../".repeat(depth),
            places: Vec::new(),
            targets: Vec::new(),
        }
    }

    /// Adds a directory of links.
    pub fn add_directory(&mut self, name: &str, entry: Entry) {
        let name = self.directory.free_stem(name, &[""], entry.group);
        self.directory.add(&name, entry.ino(), Kind::Directory);
    }

    /// Adds a link of the directory `entry`, of the name that the file or directory has to which it leads: `name` in the
    /// directory at `place`. If that is taken, it has the number `nid` of its node, too. What is too deep for any path to
    /// lead there is left out.
    pub fn add(&mut self, entry: Entry, place: &str, name: &str, nid: u32) {
        let is_too_long = path(&self.up, place, name).len() >= MAX_PATH;
        let Some(link) = entry.link(self.targets.len()).filter(|_| !is_too_long) else {
            return;
        };
        if self.places.last().is_none_or(|last| last != place) {
            self.places.push(place.to_owned());
        }
        let (stem, extension) = name::split_extension(name);
        let stem = self.directory.free_stem(stem, &[extension], nid);
        let own = format!("{stem}{extension}");
        self.directory.add(&own, link.ino(), Kind::Symlink);
        self.targets.push(Target {
            place: (self.places.len() - 1) as u32,
            name: (own != name).then(|| name.into()),
        });
    }

    /// The directory as it is.
    pub fn finish(mut self) -> Links {
        self.targets.shrink_to_fit();
        Links {
            directory: Arc::new(self.directory.finish()),
            up: self.up,
            places: self.places,
            targets: self.targets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::gathering::Gathering;

    #[test]
    fn links_have_names_of_their_own_and_lead_up_to_the_root_and_down_again() {
        let group = Entry::group(Gathering::BySender, 7);
        let mut links = LinksBuilder::new(Entry::top(Gathering::BySender).ino(), 3);
        links.add(group, "Inbox/", "a.eml", 0x24);
        links.add(group, "Inbox/", "b.eml", 0x44);
        links.add(group, "Sent", "A.eml", 0x64);
        links.add(group, "", "c.eml", 0x84);
        links.add(group, &"d/".repeat(MAX_PATH / 2), "deep.eml", 0xA4);
        let links = links.finish();
        let entries: Vec<_> = links.directory.entries().collect();
        let names: Vec<&str> = entries.iter().map(|entry| &*entry.name).collect();
        assert_eq!(names, ["a.eml", "b.eml", "A ~64.eml", "c.eml"]);
        let targets = entries.iter().map(|entry| {
            let link = Entry::of(entry.ino).unwrap();
            assert_eq!(link.directory(), group);
            links.target(link.index().unwrap()).unwrap()
        });
        let expected = ["Inbox/a.eml", "Inbox/b.eml", "Sent/A.eml", "c.eml"];
        assert!(targets.eq(expected.map(|path| format!("../../../{path}"))));
        assert_eq!(links.target(4), None);
    }
}
