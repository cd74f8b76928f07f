//! The groups of items of which each is a directory: of each item nothing but where it is.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::ndb::NodeId;
use crate::tree::folding;
use crate::tree::gathering::Entry;

/// Nodes and paths of folders, each path with its last slash.
pub(super) type Folders = Arc<[(NodeId, String)]>;

/// All groups of one gathering.
#[derive(Debug)]
pub(super) struct Groups {
    /// The folders that the members are in.
    pub folders: Folders,
    /// By number, which is never 0.
    groups: BTreeMap<u32, Group>,
    /// Numbers by names, folded, of those that are numbered as they come.
    numbers: HashMap<String, u32>,
}

/// Items that have something in common.
#[derive(Debug)]
pub(super) struct Group {
    /// Name of its directory.
    pub name: String,
    /// The items, folder by folder.
    pub members: Vec<Member>,
}

/// An item of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    /// Which of the folders, in their order.
    pub folder: u32,
    pub nid: NodeId,
}

impl Groups {
    /// None yet, of items in `folders`.
    pub fn new(folders: Folders) -> Self {
        Self {
            folders,
            groups: BTreeMap::new(),
            numbers: HashMap::new(),
        }
    }

    /// Adds `member` to group number `number`, which is called `name`.
    pub fn add_to(&mut self, number: u32, name: impl FnOnce() -> String, member: Member) {
        let group = self.groups.entry(number).or_insert_with(|| Group {
            name: name(),
            members: Vec::new(),
        });
        // An item with several attachments comes again and again.
        if group.members.last() != Some(&member) {
            group.members.push(member);
        }
    }

    /// Adds `member` to the group of this name, whatever the case. Groups are numbered as they come.
    pub fn add(&mut self, name: &str, member: Member) {
        let next = self.numbers.len() as u32 + 1;
        let number = *self.numbers.entry(key(name)).or_insert(next);
        if number <= Entry::MOST {
            self.add_to(number, || name.to_owned(), member);
        }
    }

    /// Group number `number`.
    pub fn get(&self, number: u32) -> Option<&Group> {
        self.groups.get(&number)
    }

    /// All of them by their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Group)> {
        self.groups.iter().map(|(number, group)| (*number, group))
    }

    /// The same without what is not needed to look at them.
    pub fn finish(mut self) -> Self {
        self.numbers = HashMap::new();
        for group in self.groups.values_mut() {
            group.members.shrink_to_fit();
        }
        self
    }

    /// Bytes of memory that they take.
    pub fn weight(&self) -> usize {
        let members = |group: &Group| group.members.capacity() * size_of::<Member>();
        let one =
            |group: &Group| size_of::<(u32, Group)>() + group.name.capacity() + members(group);
        let path = |(_, path): &(NodeId, String)| size_of::<(NodeId, String)>() + path.capacity();
        let paths: usize = self.folders.iter().map(path).sum();
        paths + self.groups.values().map(one).sum::<usize>()
    }
}

/// What is equal of two names that are one.
pub(super) fn key(name: &str) -> String {
    folding::folded(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_in_case_are_one_group_and_an_item_is_in_it_once() {
        let mut groups = Groups::new([].into());
        let member = |folder: u32, nid: u32| Member {
            folder,
            nid: NodeId(nid),
        };
        for (name, member) in [
            ("Ann", member(0, 0x24)),
            ("Bob", member(0, 0x44)),
            ("ANN", member(0, 0x64)),
            ("ann", member(0, 0x64)),
            ("Ann", member(1, 0x64)),
        ] {
            groups.add(name, member);
        }
        let groups = groups.finish();
        let names: Vec<_> = groups
            .iter()
            .map(|(number, group)| (number, &*group.name))
            .collect();
        assert_eq!(names, [(1, "Ann"), (2, "Bob")]);
        let ann = &groups.get(1).unwrap().members;
        assert_eq!(ann[..], [member(0, 0x24), member(0, 0x64), member(1, 0x64)]);
        assert!(groups.get(3).is_none());
    }
}
