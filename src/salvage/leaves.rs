//! The leaves of XBLOCKs that are lost. [MS-PST] 2.2.2.8.3.2.1
//!
//! Writers hand out the ids of an XBLOCK and its leaves one after the other, each in an order of its own, and fill all leaves
//! but the last. The XBLOCKs that can be read show which order it is.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::ndb::{BlockId, NodeDatabase, children};

/// Leaves of an XBLOCK at the most, in the format that has the shortest ids.
const MAX_LEAVES: i64 = 2042;

/// Where the ids of the leaves lie about that of their XBLOCK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// The first leaf before it, all others behind it.
    FirstBefore,
    /// All before it.
    AllBefore,
    /// All behind it, the last one first.
    LastFirst,
}

/// What is there of the last leaf, which alone is not full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It is there.
    Known,
    /// No block has the id that it should have. That is weaker evidence, so it is asked for when all others are found.
    Lost,
}

const HABITS: [Habit; 3] = [Habit::FirstBefore, Habit::AllBefore, Habit::LastFirst];

/// The leaves of all XBLOCKs that cannot be read, taken out of `free`, the blocks that nothing leads to. An XBLOCK whose own
/// id is lost as well is added to `free` itself.
pub(super) fn lost_leaves(
    ndb: &Arc<NodeDatabase>,
    free: &mut BTreeSet<BlockId>,
) -> HashMap<BlockId, Vec<BlockId>> {
    let mut seen = HABITS.map(|habit| (0u64, habit));
    let mut lost = Vec::new();
    let blocks = ndb.blocks().flatten().map(|entry| entry.block.bid);
    for bid in blocks.filter(|bid| bid.is_internal()) {
        match children(ndb, bid) {
            Ok((true, _)) => {}
            Ok((false, leaves)) => {
                for (count, habit) in &mut seen {
                    *count += u64::from(habit.is_of(bid, &leaves));
                }
            }
            Err(error) if error.is_unread() => {}
            Err(_) => lost.push(bid),
        }
    }
    seen.sort_by_key(|(count, _)| Reverse(*count));
    let usual = seen.first().filter(|(count, _)| *count > 0);
    let mut found = HashMap::new();
    let mut take = |bid: BlockId, end: End, free: &mut BTreeSet<BlockId>| {
        let leaves = |(_, habit): &(u64, Habit)| Leaves { ndb, free, bid }.by(*habit, end);
        let leaves = match end {
            End::Known => seen.iter().find_map(leaves),
            End::Lost => usual.and_then(leaves),
        };
        let Some(leaves) = leaves else {
            return false;
        };
        for leaf in &leaves {
            free.remove(leaf);
        }
        found.insert(bid, leaves);
        true
    };
    for end in [End::Known, End::Lost] {
        for bid in &lost {
            take(*bid, end, free);
        }
        // Beside a full leaf without an XBLOCK there is an id that no block has.
        let full: Vec<BlockId> = free
            .iter()
            .filter(|leaf| is_full(ndb, leaf))
            .copied()
            .collect();
        for leaf in full {
            for bid in [1, -1, -2]
                .into_iter()
                .filter_map(|steps| beside(leaf, steps))
            {
                let bid = bid.as_internal();
                if free.contains(&leaf) && is_unknown(ndb, bid) && take(bid, end, free) {
                    free.insert(bid);
                }
            }
        }
    }
    found
}

/// Whether the block B-tree has no entry `bid`, or has lost it.
fn is_unknown(ndb: &NodeDatabase, bid: BlockId) -> bool {
    matches!(ndb.find_block(bid), Ok(None) | Err(_))
}

fn is_full(ndb: &NodeDatabase, leaf: &BlockId) -> bool {
    let full = ndb.header().format.block_payload as u64;
    ndb.block_len(*leaf).is_ok_and(|len| len == full)
}

/// The block `steps` ids away from the XBLOCK `bid`.
fn beside(bid: BlockId, steps: i64) -> Option<BlockId> {
    let leaf = bid.as_external().0;
    leaf.checked_add_signed(steps * BlockId::STEP as i64)
        .map(BlockId)
}

impl Habit {
    /// Whether the XBLOCK `bid` with `leaves` shows it.
    fn is_of(self, bid: BlockId, leaves: &[BlockId]) -> bool {
        let [first, .., last] = leaves else {
            return false;
        };
        match self {
            Self::FirstBefore => Some(*first) == beside(bid, -1),
            Self::AllBefore => Some(*last) == beside(bid, -1),
            Self::LastFirst => Some(*last) == beside(bid, 1),
        }
    }
}

/// The search for the leaves of one XBLOCK.
struct Leaves<'a> {
    ndb: &'a NodeDatabase,
    free: &'a BTreeSet<BlockId>,
    bid: BlockId,
}

impl Leaves<'_> {
    fn at(&self, steps: i64) -> Option<BlockId> {
        beside(self.bid, steps).filter(|leaf| self.free.contains(leaf))
    }

    fn full_at(&self, steps: i64) -> Option<BlockId> {
        self.at(steps).filter(|leaf| is_full(self.ndb, leaf))
    }

    /// The last leaf, if it is what `end` states; `Some(None)` if it is lost.
    fn end_at(&self, steps: i64, end: End) -> Option<Option<BlockId>> {
        match end {
            End::Known => {
                let last = self.at(steps).filter(|leaf| !is_full(self.ndb, leaf))?;
                Some(Some(last))
            }
            End::Lost => is_unknown(self.ndb, beside(self.bid, steps)?).then_some(None),
        }
    }

    /// The leaves if their ids lie as by `habit`, and the last of them is what `end` states; None if they do not, or are fewer
    /// than an XBLOCK is made for.
    fn by(&self, habit: Habit, end: End) -> Option<Vec<BlockId>> {
        let mut leaves: Vec<BlockId> = Vec::new();
        match habit {
            Habit::FirstBefore => {
                leaves.push(self.full_at(-1)?);
                leaves.extend((1..MAX_LEAVES).map_while(|steps| self.full_at(steps)));
                leaves.extend(self.end_at(leaves.len() as i64, end)?);
            }
            Habit::AllBefore => {
                let last = self.end_at(-1, end)?;
                leaves.extend((2..=MAX_LEAVES).map_while(|steps| self.full_at(-steps)));
                leaves.reverse();
                leaves.extend(last);
            }
            Habit::LastFirst => {
                let last = self.end_at(1, end)?;
                leaves.extend((2..=MAX_LEAVES).map_while(|steps| self.full_at(steps)));
                leaves.extend(last);
            }
        }
        (leaves.len() > 1).then_some(leaves)
    }
}
