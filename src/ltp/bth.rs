//! BTree-on-heap. [MS-PST] 2.3.2

use super::heap::{Heap, HeapId, HeapItem};
use super::heap_map::{BTH_HEADER, BTH_TYPE};
use crate::bytes::{u8_at, u32_at};
use crate::error::{Error, Result};
use crate::ndb::Flaw;

/// Offsets of BTHHEADER: `bType`, `cbKey`, `cbEnt`, `bIdxLevels`, `hidRoot`.
const KEY_SIZE: usize = 1;
const VALUE_SIZE: usize = 2;
const LEVELS: usize = 3;
const ROOT: usize = 4;
/// Width of the HID of a child item in an intermediate item.
const CHILD: usize = 4;
/// More levels than any table needs: a level multiplies the rows by some hundreds.
const MAX_LEVELS: u8 = 8;

/// Sizes of the keys and values that a structure has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Bytes of a key.
    pub key: usize,
    /// Bytes of a value; the first of the sizes that writers use is that of the format.
    pub values: &'static [usize],
}

impl Sizes {
    /// The size of values by which the item `root` has whole records.
    fn value_in(self, heap: &Heap, root: HeapId) -> usize {
        let len = heap.item(root).map_or(0, |item| item.bytes().len());
        let is_width = |value: &&usize| len.is_multiple_of(self.key + **value);
        let value = self.values.iter().find(is_width).or(self.values.first());
        value.copied().unwrap_or_default()
    }
}

/// BTHHEADER.
struct Header {
    key: usize,
    value: usize,
    levels: u8,
    root: HeapId,
    /// Where it is at odds with what the structure must be, which counts.
    problem: Option<String>,
}

impl Header {
    /// The header in item `at` of a tree with `sizes`; None for all ways of being empty.
    fn read(heap: &Heap, at: HeapId, sizes: Sizes) -> Result<Option<Self>> {
        if at.0 == 0 {
            return Ok(None);
        }
        let stored = heap.item(at).and_then(|item| {
            let header = Self::parse(item.bytes());
            let header = header.and_then(|header| match header.root == at {
                true => Err("hidRoot: leads to the header itself"),
                false => Ok(header),
            });
            Ok((header.map_err(|problem| wrong(heap, at, problem))?, item))
        });
        match stored {
            Ok((header, item)) if item.flaw().is_none() || header.fits(sizes) => {
                Ok(Some(header.of_sizes(heap, sizes)))
            }
            stored if heap.flaw().is_none() => stored.map(|(header, _)| Some(header)),
            // A damaged one: what it should be like is known.
            stored => match Self::look_for(heap, sizes) {
                Some(header) => Ok(Some(header)),
                None => stored.map(|(header, _)| Some(header)),
            },
        }
    }

    fn parse(bytes: &[u8]) -> std::result::Result<Self, &'static str> {
        if u8_at(bytes, 0) != Some(BTH_TYPE) {
            return Err("bType: expected 0xb5");
        }
        let (Some(key), Some(value), Some(levels), Some(root)) = (
            u8_at(bytes, KEY_SIZE).map(usize::from),
            u8_at(bytes, VALUE_SIZE).map(usize::from),
            u8_at(bytes, LEVELS),
            u32_at(bytes, ROOT),
        ) else {
            return Err("the header is too short");
        };
        if levels >= MAX_LEVELS {
            return Err("bIdxLevels: deeper than any table needs");
        }
        Ok(Self {
            key,
            value,
            levels,
            root: HeapId(root),
            problem: None,
        })
    }

    /// The same with records of `sizes`, which the structure must have whatever is stated.
    fn of_sizes(self, heap: &Heap, sizes: Sizes) -> Self {
        if self.fits(sizes) {
            return self;
        }
        let (field, expected, found) = match self.key == sizes.key {
            true => ("cbEnt", sizes.values, self.value),
            false => ("cbKey", &[sizes.key][..], self.key),
        };
        let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
        let problem = format!("{field}: expected {}, found {found}", expected.join(" or "));
        Self {
            key: sizes.key,
            value: sizes.value_in(heap, self.root),
            problem: Some(problem),
            ..self
        }
    }

    fn fits(&self, sizes: Sizes) -> bool {
        self.key == sizes.key && sizes.values.contains(&self.value)
    }

    /// The header of such a tree among the items of the first block, of which one of its bytes may be wrong: the HID of its
    /// root leads to an item in any case.
    fn look_for(heap: &Heap, sizes: Sizes) -> Option<Self> {
        let candidate = |item: &HeapItem| {
            let bytes = item.bytes();
            let value = u8_at(bytes, VALUE_SIZE).map(usize::from)?;
            let levels = u8_at(bytes, LEVELS)?;
            let root = HeapId(u32_at(bytes, ROOT)?);
            let evidence = [
                u8_at(bytes, 0) == Some(BTH_TYPE),
                u8_at(bytes, KEY_SIZE).map(usize::from) == Some(sizes.key),
                sizes.values.contains(&value),
                levels <= 1,
            ];
            let fitting = evidence.iter().filter(|fits| **fits).count();
            let is_header = bytes.len() == BTH_HEADER
                && fitting + 1 >= evidence.len()
                && (root.0 == 0 || heap.item(root).is_ok());
            is_header.then(|| Self {
                key: sizes.key,
                value: match sizes.values.contains(&value) {
                    true => value,
                    false => sizes.value_in(heap, root),
                },
                levels: if levels < MAX_LEVELS { levels } else { 0 },
                root,
                problem: None,
            })
        };
        heap.items_of_first_block()
            .find_map(|(_, item)| candidate(&item))
    }

    /// Bytes of a record on `level`.
    fn width(&self, level: u8) -> usize {
        self.key + if level == 0 { self.value } else { CHILD }
    }
}

fn wrong(heap: &Heap, header: HeapId, problem: &str) -> Error {
    Error::corrupt("BTH", format_args!("HID {:#x}", header.0), problem).in_node(heap.node().nid().0)
}

/// The value of the first record with `key`, by one item of each level: of a list that is not in order, as all are, it may
/// miss one.
pub fn find(heap: &Heap, header: HeapId, sizes: Sizes, key: u32) -> Result<Option<Vec<u8>>> {
    let Some(tree) = Header::read(heap, header, sizes)?.filter(|tree| tree.key == size_of::<u32>())
    else {
        return Ok(None);
    };
    let mut item = heap.item(tree.root)?;
    for level in (1..=tree.levels).rev() {
        let children = item.bytes().chunks_exact(tree.width(level));
        let child = children
            .take_while(|record| u32_at(record, 0).is_some_and(|first| first <= key))
            .last();
        let Some(child) = child.and_then(|record| u32_at(record, tree.key)) else {
            return Ok(None);
        };
        item = heap.item(HeapId(child))?;
    }
    let mut records = item.bytes().chunks_exact(tree.width(0));
    let found = records.find(|record| u32_at(record, 0) == Some(key));
    Ok(found.and_then(|record| record.get(tree.key..).map(<[u8]>::to_vec)))
}

/// What a walk over the records of a tree meets next.
#[derive(Debug)]
pub enum Step<'a> {
    /// A record: a key and its value.
    Record(&'a [u8]),
    /// Records that follow are in a damaged block.
    Flawed(Flaw),
    /// A part that cannot be read, or a header that is wrong. The walk goes on behind it.
    Lost(Error),
}

/// A walk over all records of a tree, in the order of the file.
pub struct Walk<'a> {
    heap: &'a Heap,
    header: HeapId,
    /// None of a tree that is empty.
    tree: Option<Header>,
    /// The item that comes next, and its level.
    below: Option<(HeapId, u8)>,
    /// Items with the bytes of each that are done, and their levels. Each is one level below the one before, so the stack
    /// is bounded and no cycle can be followed.
    stack: Vec<(HeapItem, usize, u8)>,
    /// Bytes left to walk over. Each record has bytes of its own in the heap: a walk over more visits items twice.
    budget: u64,
}

/// Begins a walk over the tree in item `header`. All ways of being empty are empty.
pub fn walk(heap: &Heap, header: HeapId, sizes: Sizes) -> Result<Walk<'_>> {
    let tree = Header::read(heap, header, sizes)?;
    Ok(Walk {
        heap,
        header,
        below: tree.as_ref().map(|tree| (tree.root, tree.levels)),
        tree,
        stack: Vec::with_capacity(1),
        budget: heap.len(),
    })
}

impl Walk<'_> {
    /// The next step; None at the end. No iterator, since a record is borrowed from the item that the walk is in.
    pub fn next(&mut self) -> Option<Step<'_>> {
        let tree = self.tree.as_mut()?;
        if let Some(problem) = tree.problem.take() {
            return Some(Step::Lost(wrong(self.heap, self.header, &problem)));
        }
        let tree = &*tree;
        let wrong = |problem: &str| Some(Step::Lost(wrong(self.heap, self.header, problem)));
        let record = loop {
            if let Some((hid, level)) = self.below.take() {
                let item = match self.heap.item(hid) {
                    Ok(item) => item,
                    Err(error) => return Some(Step::Lost(error)),
                };
                let flaw = item.flaw().cloned();
                self.stack.push((item, 0, level));
                if let Some(flaw) = flaw {
                    return Some(Step::Flawed(flaw));
                }
            }
            let (item, position, level) = self.stack.last_mut()?;
            let record = *position..*position + tree.width(*level);
            let Some(bytes) = item.bytes().get(record.clone()) else {
                self.stack.pop();
                continue;
            };
            *position = record.end;
            let Some(left) = self.budget.checked_sub(record.len() as u64) else {
                self.stack.clear();
                return wrong("more records than the heap has room for");
            };
            self.budget = left;
            if *level == 0 {
                break record;
            }
            let Some(hid) = u32_at(bytes, tree.key) else {
                return wrong("a child is cut off");
            };
            self.below = Some((HeapId(hid), *level - 1));
        };
        let (item, ..) = self.stack.last()?;
        item.bytes().get(record).map(Step::Record)
    }
}
