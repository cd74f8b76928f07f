//! Many blocks at once: neighbours in the file are read in one piece, and each keeps its place among the bytes that are
//! asked for, whatever is wrong with it.
//!
//! Bulk data goes past the caches: whole blocks of a long value are decoded into the buffer of whoever asked. The block
//! cache keeps heaps, tables and lists, which are looked at again and again; of these two that lie together are read at once
//! ([`keep_pair`]).

use super::block::{Flaw, with_stored};
use super::database::NodeDatabase;
use super::ids::BlockId;
use super::page::BlockEntry;
use super::source::partly;
use crate::error::{Error, Result};

/// Bytes that are read at once where blocks follow each other in the file: what fits the cache of a processor.
const RUN: usize = 128 << 10;

/// Fills `buf` with the payloads of `bids`, which have `len` bytes each but for the last, past the cache: bulk data
/// would only push out of it what is looked at again and again. Neighbours in the file are read at once. `flawed` is called
/// with the number in `bids` of each block that is not as it was written.
pub(super) fn read_blocks(
    ndb: &NodeDatabase,
    bids: &[BlockId],
    len: usize,
    buf: &mut [u8],
    mut flawed: impl FnMut(usize, Flaw),
) -> Result<()> {
    let mut run = Run::default();
    for (number, (bid, payload)) in bids.iter().zip(buf.chunks_mut(len.max(1))).enumerate() {
        let entry = match ndb.block_entry(*bid) {
            Ok(entry) if usize::from(entry.inflated) == payload.len() => entry,
            Ok(_) | Err(_) => {
                read_run(ndb, std::mem::take(&mut run), &mut flawed)?;
                read_alone(ndb, *bid, payload, |flaw| flawed(number, flaw))?;
                continue;
            }
        };
        let extent = ndb.header.format.block_extent(entry.stored.into());
        if !run.is_continued_by(entry, extent) {
            read_run(ndb, std::mem::take(&mut run), &mut flawed)?;
        }
        run.extent += extent;
        run.blocks.push(InRun {
            number,
            entry,
            extent,
            payload,
        });
    }
    read_run(ndb, run, &mut flawed)
}

/// Takes two blocks into the cache by one read, if one follows the other in the file: what was written at once lies so, and is asked
/// for at once. Nothing but time depends on it; what is wrong with them is told when they are asked for.
pub(super) fn keep_pair(ndb: &NodeDatabase, pair: [BlockId; 2]) {
    let missing = pair.map(|bid| {
        let bid = bid.key();
        let is_there = bid.is_none() || ndb.caches.blocks.get(&bid).is_some();
        let entry = || partly(|| ndb.live_entry(bid, &mut (0..0))).ok().flatten();
        (!is_there).then(entry).flatten()
    });
    let [Some(mut first), Some(mut second)] = missing else {
        return;
    };
    if first.block.ib > second.block.ib {
        (first, second) = (second, first);
    }
    let extent = |entry: BlockEntry| ndb.header.format.block_extent(entry.stored.into());
    let border = extent(first);
    if first.block.ib.checked_add(border as u64) != Some(second.block.ib) {
        return;
    }
    with_stored(border + extent(second), |stored| {
        let is_read = partly(|| ndb.source.read_exact_at(stored, first.block.ib)).is_ok();
        let Some((before, behind)) = stored.split_at_checked(border).filter(|_| is_read) else {
            return;
        };
        for (stored, entry) in [(before, first), (behind, second)] {
            if let Some(block) = ndb.block_reader().intact(stored, entry) {
                let weight = block.len();
                ndb.caches.blocks.insert(entry.block.bid, block, weight);
            }
        }
    });
}

fn read_run(ndb: &NodeDatabase, run: Run<'_>, flawed: &mut impl FnMut(usize, Flaw)) -> Result<()> {
    let Some(first) = run.blocks.first() else {
        return Ok(());
    };
    let start = first.entry.block.ib;
    with_stored(run.extent, |stored| {
        let is_read = ndb.source.read_exact_at(stored, start).is_ok();
        let mut rest = &*stored;
        for block in run.blocks {
            let (own, after) = rest.split_at_checked(block.extent).unwrap_or((rest, &[]));
            rest = after;
            if !is_read
                || !ndb
                    .block_reader()
                    .unpack_intact(own, block.entry, block.payload)
            {
                let bid = block.entry.block.bid;
                read_alone(ndb, bid, block.payload, |flaw| flawed(block.number, flaw))?;
            }
        }
        Ok(())
    })
}

/// Fills `payload` from the one block `bid`, which should have exactly as many bytes. What is missing keeps its place,
/// so that what follows does not shift.
pub(super) fn read_alone(
    ndb: &NodeDatabase,
    bid: BlockId,
    payload: &mut [u8],
    flawed: impl FnOnce(Flaw),
) -> Result<()> {
    let block = match ndb.find_and_read(bid) {
        Ok(block) => block,
        Err(error) if error.is_unread() || ndb.refuses_damage() => return Err(error),
        Err(error) => {
            payload.fill(0);
            flawed(Flaw::gap(0..payload.len(), &error));
            return Ok(());
        }
    };
    let there = block.len().min(payload.len());
    let (own, rest) = payload.split_at_mut(there);
    own.copy_from_slice(block.get(..there).unwrap_or_default());
    rest.fill(0);
    if block.len() == payload.len() {
        if let Some(flaw) = block.flaw() {
            flawed(Flaw::clone(flaw));
        }
        return Ok(());
    }
    let error = wrong_length(bid, payload.len() as u64, block.len() as u64);
    if ndb.refuses_damage() {
        return Err(error);
    }
    let own = block.flaw().map(|flaw| Flaw::clone(flaw));
    let mut flaw = own.unwrap_or_else(|| Flaw::doubt(&error));
    flaw.missing.retain(|range| range.end <= there);
    if block.len() > payload.len() {
        flaw.error = format!("{}; its end is left out: {error}", flaw.error);
    } else if there < payload.len() {
        flaw.missing.push(there..payload.len());
    }
    flawed(flaw);
    Ok(())
}

/// Blocks that follow each other in the file.
#[derive(Default)]
struct Run<'a> {
    blocks: Vec<InRun<'a>>,
    extent: usize,
}

/// A block of a run: its number among those that were asked for, and the place for its payload.
struct InRun<'a> {
    number: usize,
    entry: BlockEntry,
    extent: usize,
    payload: &'a mut [u8],
}

impl Run<'_> {
    fn is_continued_by(&self, entry: BlockEntry, extent: usize) -> bool {
        let end = |last: &InRun<'_>| last.entry.block.ib.checked_add(last.extent as u64);
        self.blocks.last().and_then(end) == Some(entry.block.ib) && self.extent + extent <= RUN
    }
}

/// The error that the payload of `bid` has `found` bytes where its data tree has it as `expected`.
pub(super) fn wrong_length(bid: BlockId, expected: u64, found: u64) -> Error {
    Error::corrupt(
        "data tree",
        bid,
        format_args!("payload: expected {expected} bytes, found {found}"),
    )
}
