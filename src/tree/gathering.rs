//! What is in the directories of links, and its inode numbers.
//!
//! A number tells which of the directories in `.ostfs` it is of, which group there (a month, a sender, a query), and which
//! link; so no table of numbers is needed, and they are the same on every mount.

use std::fmt;

use super::ino::Ino;
use super::options::Options;

/// Bits of the number of a group, and of a link.
const BITS: u32 = 24;

/// What the links of a directory have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Gathering {
    /// `.ostfs/by-date`: items by year and month.
    ByDate,
    /// `.ostfs/by-sender`: items by the names of senders.
    BySender,
    /// `.ostfs/threads`: mail by its topic.
    Threads,
    /// `.ostfs/attachments`: attachments by their extensions.
    Attachments,
    /// `.ostfs/search`: what a query finds.
    Search,
}

impl Gathering {
    /// All, in the order in which they are listed and numbered.
    pub const ALL: [Self; 5] = [
        Self::ByDate,
        Self::BySender,
        Self::Threads,
        Self::Attachments,
        Self::Search,
    ];

    /// Name of its directory in `.ostfs`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ByDate => "by-date",
            Self::BySender => "by-sender",
            Self::Threads => "threads",
            Self::Attachments => "attachments",
            Self::Search => "search",
        }
    }

    /// Whether the user wants it, and there is something that its links can lead to.
    pub fn is_shown(self, options: &Options) -> bool {
        match self {
            Self::Search => options.search,
            Self::Attachments => options.views && options.has_attachment_files(),
            Self::ByDate | Self::BySender | Self::Threads => options.views,
        }
    }
}

/// A directory of links, or a link in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    pub gathering: Gathering,
    /// Which of its directories; 0 for the one that has all of them.
    pub group: u32,
    /// Which link in that, from 1; 0 for the directory itself.
    link: u32,
}

impl Entry {
    /// Groups of a gathering, and links in a directory, at the most.
    pub const MOST: u32 = (1 << BITS) - 1;

    /// The directory of all groups.
    pub fn top(gathering: Gathering) -> Self {
        Self::group(gathering, 0)
    }

    /// The directory of group number `group`.
    pub fn group(gathering: Gathering, group: u32) -> Self {
        let link = 0;
        Self {
            gathering,
            group,
            link,
        }
    }

    /// The link number `index`, from 0, in this directory; None if there are too many.
    pub fn link(self, index: usize) -> Option<Self> {
        let link = u32::try_from(index).ok()?.checked_add(1)?;
        (link <= Self::MOST).then_some(Self { link, ..self })
    }

    /// The directory that it is, or is in.
    pub fn directory(self) -> Self {
        Self::group(self.gathering, self.group)
    }

    /// Which link of its directory it is, from 0; None for a directory.
    pub fn index(self) -> Option<usize> {
        Some(self.link.checked_sub(1)? as usize)
    }

    /// The entry that has the number `ino` of a tree; None for all that is in the tree itself.
    pub fn of(ino: Ino) -> Option<Self> {
        let bits = ino.gathered()?;
        let part = |shift: u32| (bits >> shift) as u32 & Self::MOST;
        let gathering = Gathering::ALL.get((bits >> (2 * BITS)) as usize)?;
        Some(Self {
            gathering: *gathering,
            group: part(BITS),
            link: part(0),
        })
    }

    /// Its number.
    pub fn ino(self) -> Ino {
        let bits = (self.gathering as u64) << BITS | u64::from(self.group);
        Ino::of_gathered(bits << BITS | u64::from(self.link))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ".ostfs/{}", self.gathering.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_comes_back_from_its_number_and_no_two_have_the_same() {
        let mut numbers = std::collections::HashSet::new();
        for gathering in Gathering::ALL {
            for group in [0, 1, 2024 << 4 | 5, Entry::MOST] {
                let directory = Entry::group(gathering, group);
                let last = directory.link(Entry::MOST as usize - 1).unwrap();
                for entry in [directory, directory.link(0).unwrap(), last] {
                    assert_eq!(Entry::of(entry.ino()), Some(entry));
                    assert_eq!(entry.directory(), directory);
                    assert!(!entry.ino().is_deleted() && entry.ino().node().is_none());
                    assert!(numbers.insert(entry.ino()));
                }
                assert_eq!(last.index(), Some(Entry::MOST as usize - 1));
                assert_eq!(directory.link(Entry::MOST as usize), None);
            }
        }
        assert_eq!(Entry::of(Ino::ROOT), None);
    }
}
