//! What sets two files apart: items that only one has, that were changed, or that lie elsewhere. Copies of one item are
//! matched one by one, so that of three and two one is left.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::Hash;
use std::ops::AddAssign;

use serde::Serialize;

use super::survey::{Item, Survey, Threads};
use crate::convert::{ContentHash, Hashes, ItemFields};
use crate::export::{Filter, LeftOut, Progress};
use crate::tree::Forest;

/// What is known of an item.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    content: ContentHash,
    all: ContentHash,
    key: ContentHash,
    is_damaged: bool,
    /// The item of the other file that is taken for the same, by number.
    other: Option<u32>,
}

type Items<'a> = Survey<'a, Known>;

/// A difference between two files, A and B.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Path of the item in A; None if only B has it.
    pub a: Option<String>,
    /// Path of the item in B; None if only A has it.
    pub b: Option<String>,
    /// Whether it lies in another folder.
    #[serde(rename = "moved")]
    pub is_moved: bool,
    /// Names of the fields and properties that are not the same. Empty for an item that is only moved, or only damaged.
    pub fields: Vec<String>,
    /// Whether something of it is missing or doubtful in A.
    #[serde(rename = "damaged_in_a")]
    pub is_damaged_in_a: bool,
    /// The same in B.
    #[serde(rename = "damaged_in_b")]
    pub is_damaged_in_b: bool,
}

/// Figures of one folder. `a` is `same + changed + moved_away + only_a`, and `b` is `same + changed + moved_here + only_b`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Items that the folder has in A.
    pub a: u64,
    /// Items that it has in B.
    pub b: u64,
    /// Those that are the same in both.
    pub same: u64,
    /// Those that are there in both, and not the same.
    pub changed: u64,
    /// Those that lie elsewhere in B, changed or not.
    pub moved_away: u64,
    /// Those that lie elsewhere in A, changed or not.
    pub moved_here: u64,
    /// Those that only A has.
    pub only_a: u64,
    /// Those that only B has.
    pub only_b: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.a += other.a;
        self.b += other.b;
        self.same += other.same;
        self.changed += other.changed;
        self.moved_away += other.moved_away;
        self.moved_here += other.moved_here;
        self.only_a += other.only_a;
        self.only_b += other.only_b;
    }
}

/// All differences between two files.
pub struct Differences<'a> {
    a: Items<'a>,
    b: Items<'a>,
}

impl<'a> Differences<'a> {
    /// Compares the items of `a` that `filter` takes with those of `b` that `filter_b` takes.
    pub fn find(
        (a, filter_a): (&'a Forest, &Filter),
        (b, filter_b): (&'a Forest, &Filter),
        threads: Threads,
        progress: &Progress,
    ) -> Self {
        let know = |hashes: Hashes| Known {
            content: hashes.content,
            all: hashes.all,
            key: hashes.key,
            is_damaged: hashes.is_damaged,
            other: None,
        };
        let mut found = Self {
            a: Survey::make(a, filter_a, threads, progress, know),
            b: Survey::make(b, filter_b, threads, progress, know),
        };
        found.match_all();
        found
    }

    /// Finds the other one of each item: first those that are the same where they are, then the same elsewhere; then what
    /// was changed where it is, and last what was changed and moved.
    fn match_all(&mut self) {
        self.match_by(|folder, item| (folder, item.all, item.is_damaged));
        self.match_by(|_, item| (item.all, item.is_damaged));
        self.match_by(|folder, item| (folder, item.content));
        self.match_by(|folder, item| (folder, item.key));
        self.match_by(|_, item| item.content);
        self.match_by(|_, item| item.key);
    }

    /// Matches items that are alike by what `key` makes of their folder and what is known of them, in the order of the tree.
    fn match_by<K: Eq + Hash>(&mut self, key: impl Fn(u32, &Known) -> K) {
        let mut folders = HashMap::new();
        let mut waiting: HashMap<K, VecDeque<u32>> = HashMap::new();
        for (item, number) in self.b.items.iter().zip(0..) {
            if item.known.other.is_none() {
                let folder = number_of(&mut folders, self.b.folder(item));
                let alike = waiting.entry(key(folder, &item.known)).or_default();
                alike.push_back(number);
            }
        }
        let mut pairs = Vec::new();
        for (item, number) in self.a.items.iter().zip(0..) {
            if item.known.other.is_none() {
                let folder = number_of(&mut folders, self.a.folder(item));
                let alike = waiting.get_mut(&key(folder, &item.known));
                pairs.extend(alike.and_then(VecDeque::pop_front).map(|b| (number, b)));
            }
        }
        drop(folders);
        for (a, b) in pairs {
            set_other(&mut self.a, a, b);
            set_other(&mut self.b, b, a);
        }
    }

    /// Each difference: in the order of A, then what only B has in its order.
    pub fn each(&self) -> impl Iterator<Item = Difference> {
        let of_a = self.a.items.iter().filter_map(|a| self.difference(a));
        let alone = self.b.items.iter().filter(|b| b.known.other.is_none());
        of_a.chain(alone.map(|b| Difference {
            a: None,
            b: Some(self.b.path(b)),
            is_moved: false,
            fields: Vec::new(),
            is_damaged_in_a: false,
            is_damaged_in_b: b.known.is_damaged,
        }))
    }

    /// What sets item `a` of A apart; None if nothing does.
    fn difference(&self, a: &Item<Known>) -> Option<Difference> {
        let b = other(&self.b, a);
        let is_moved = b.is_some_and(|b| self.is_moved(a, b));
        if b.is_some_and(|b| is_same(a, b)) && !is_moved {
            return None;
        }
        Some(Difference {
            a: Some(self.a.path(a)),
            b: b.map(|b| self.b.path(b)),
            is_moved,
            fields: b.map_or_else(Vec::new, |b| self.fields(a, b)),
            is_damaged_in_a: a.known.is_damaged,
            is_damaged_in_b: b.is_some_and(|b| b.known.is_damaged),
        })
    }

    fn is_moved(&self, a: &Item<Known>, b: &Item<Known>) -> bool {
        self.a.folder(a) != self.b.folder(b)
    }

    /// The names of what is not the same: both are read once more.
    fn fields(&self, a: &Item<Known>, b: &Item<Known>) -> Vec<String> {
        if a.known.all == b.known.all {
            return Vec::new();
        }
        let fields = |items: &Items<'_>, item: &Item<Known>| {
            let message = items.forest.message(item.ino);
            message.map(|message| ItemFields::of(&message))
        };
        match (fields(&self.a, a), fields(&self.b, b)) {
            (Ok(a), Ok(b)) => a.differences(&b).into_iter().map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }

    /// The figures of all folders, by path.
    pub fn folders(&self) -> BTreeMap<&str, Counts> {
        let mut folders: BTreeMap<&str, Counts> = BTreeMap::new();
        for a in &self.a.items {
            let counts = folders.entry(self.a.folder(a)).or_default();
            counts.a += 1;
            let count = match other(&self.b, a) {
                None => &mut counts.only_a,
                Some(b) if self.is_moved(a, b) => &mut counts.moved_away,
                Some(b) if is_same(a, b) => &mut counts.same,
                Some(_) => &mut counts.changed,
            };
            *count += 1;
        }
        for b in &self.b.items {
            let counts = folders.entry(self.b.folder(b)).or_default();
            counts.b += 1;
            match other(&self.a, b) {
                None => counts.only_b += 1,
                Some(a) if self.is_moved(a, b) => counts.moved_here += 1,
                // Counted among those of A.
                Some(_) => {}
            }
        }
        folders
    }

    /// How many items of either file are damaged.
    pub fn damaged(&self) -> u64 {
        let all = self.a.items.iter().chain(&self.b.items);
        all.filter(|item| item.known.is_damaged).count() as u64
    }

    /// The items of A whose content B has as well, and not damaged where that of A is whole; for a filter.
    pub fn in_both(&self) -> LeftOut {
        let has = |a: &Item<Known>, b: &Item<Known>| {
            a.known.content == b.known.content && (a.known.is_damaged || !b.known.is_damaged)
        };
        let both = self.a.items.iter();
        let both = both.filter(|a| other(&self.b, a).is_some_and(|b| has(a, b)));
        let numbers = both.filter_map(|item| self.a.forest.item_of(item.ino));
        LeftOut::new(numbers.collect())
    }
}

/// Whether nothing but perhaps their place sets the two apart.
fn is_same(a: &Item<Known>, b: &Item<Known>) -> bool {
    a.known.all == b.known.all && a.known.is_damaged == b.known.is_damaged
}

/// The item among `others` that is taken for `item`.
fn other<'a>(others: &'a Items<'_>, item: &Item<Known>) -> Option<&'a Item<Known>> {
    others.items.get(item.known.other? as usize)
}

fn set_other(items: &mut Items<'_>, number: u32, other: u32) {
    if let Some(item) = items.items.get_mut(number as usize) {
        item.known.other = Some(other);
    }
}

/// A number for each path.
fn number_of<'a>(numbers: &mut HashMap<&'a str, u32>, path: &'a str) -> u32 {
    let next = numbers.len() as u32;
    *numbers.entry(path).or_insert(next)
}
