//! A file of which a stretch was lost or doubled, or that has something in front of it: pages and blocks are whole, only
//! their places differ. What shows its place ([`super::anchors`]) gives the shifts, and blocks that the block B-tree
//! lists give the borders between them ([`super::borders`]).
//!
//! Of all ways to cut the file the one is taken that contradicts the fewest of them, all in the order of the file. If much of it is in
//! another order, no such way is right: then the scan of the file finds each part where it is. Looked for only if the size or a
//! root is wrong, and neither the last allocation maps nor the last blocks are where they must be.

use super::anchors::{Anchor, SURE, marks};
use super::borders::{Gap, borders};
use super::lost_header::is_amap;
use super::samples;
use crate::error::Result;
use crate::ndb::amap::AllocationMap;
use crate::ndb::database::NodeDatabase;
use crate::ndb::header::Header;
use crate::ndb::pieces::{Piece, Pieces};
use crate::ndb::source::Source;
use crate::ndb::watch::Watch;

/// Allocation maps, the last ones of the file, of which one must be in its place.
const MAPS: u64 = 3;
/// What it costs to ignore an anchor, and to go over to another shift: one anchor alone between
/// others makes no stretch, two do at the end of a file or between other shifts, and four within one shift.
const CONTRADICTION: u32 = 2;
const CHANGE: u32 = 3;
/// If one in so many bytes of the file is said to be missing, and one not to belong there, they are the same.
const OUT_OF_ORDER: u64 = 16;

/// Whether parts of the file may not be where its structures name them. Of a healthy file this reads nothing, of one that
/// was cut off some pages.
pub(crate) fn is_suspected(ndb: &NodeDatabase) -> Result<bool> {
    let (source, header) = (ndb.source(), ndb.header());
    let mut is_root_lost = false;
    for (page_type, root) in header.roots() {
        let is_inside = root.ib != 0 && root.ib < source.len();
        match ndb.root(page_type) {
            Err(error) if error.is_unread() => return Err(error),
            Err(_) if is_inside => is_root_lost = true,
            Ok(_) | Err(_) => {}
        }
    }
    let is_of_another_size = source.len() != header.file_eof;
    if !is_root_lost && !is_of_another_size {
        return Ok(false);
    }
    if !are_maps_in_place(source, header) {
        return Ok(true);
    }
    // Behind the last map nothing but the tree itself tells, to which a header that is lost does not lead.
    let is_tree_lost = is_root_lost || header.is_made_up();
    Ok(is_of_another_size && (is_tree_lost || !samples::are_in_place(source, header)?))
}

/// Whether one of the last allocation maps is where it must be.
fn are_maps_in_place(source: &Source, header: &Header) -> bool {
    let format = header.format;
    let interval = AllocationMap::interval(format);
    // What somebody has put behind the file has none.
    let end = match header.crc_valid && header.file_eof != 0 {
        true => source.len().min(header.file_eof),
        false => source.len(),
    };
    let end = end.checked_sub(format.page_size as u64);
    let last = end.and_then(|end| AllocationMap::place(format, end));
    let mut places = (0..MAPS).filter_map(|back| last?.checked_sub(back * interval));
    places.any(|place| is_amap(source, format, place))
}

/// Where the parts of a file with this `header` are; None if they are where `source` has them.
pub(crate) fn pieces(source: &Source, header: &Header, watch: &dyn Watch) -> Option<Pieces> {
    let file = source.as_it_lies();
    let mut marks = marks(&file, header, watch);
    let front = source.pieces().all().first()?;
    let mut known = Vec::new();
    // A header that was made up has no roots.
    if header.nbt_root.ib != 0 {
        let (place, at) = (front.original.start, front.at);
        let weight = if header.crc_valid { SURE } else { 1 };
        known.extend(std::iter::repeat_n(Anchor { place, at }, weight));
    }
    let end = Anchor {
        place: header.file_eof,
        at: file.len(),
    };
    if header.crc_valid && header.file_eof != 0 {
        known.push(end);
    }
    let (mut anchors, shifts) = marks.anchors(header, &known);
    let dropped = keep_in_order(&mut anchors);
    let mut stretches = stretches(&anchors, &shifts);
    // One anchor is not enough for a stretch at the end, but blocks may lie there.
    let last = stretches.last()?;
    let is_end_open = known.contains(&end) && last.last.place < end.place;
    if is_end_open && last.shift() != end.shift() {
        stretches.push(Stretch::of(end));
    }
    let gaps = gaps(&stretches);
    let borders = borders(&file, header, &marks.pages, &mut marks.memory, gaps);
    let mut shift = stretches.first()?.shift();
    let mut start = lowest_place(shift);
    let mut found = Vec::new();
    for border in borders {
        found.push(Piece {
            original: start..border.end,
            at: start.checked_add_signed(shift)?,
        });
        (start, shift) = (border.start, border.shift);
    }
    found.push(Piece {
        original: start..file.len().checked_add_signed(shift.checked_neg()?)?,
        at: start.checked_add_signed(shift)?,
    });
    let pieces = Pieces::new(found);
    let is_another = !pieces.is_empty() && pieces != *source.pieces();
    (is_another && !are_out_of_order(&pieces, &dropped, file.len())).then_some(pieces)
}

/// Whether a file of `length` bytes that is cut into `pieces` has parts in another order. What was `dropped` for that although nothing
/// else has its place, is its own.
fn are_out_of_order(pieces: &Pieces, dropped: &[Anchor], length: u64) -> bool {
    let has_own = dropped.iter().any(|anchor| !pieces.has(anchor.place));
    let missing = pieces.len() - pieces.stored_len();
    let strange = length.saturating_sub(pieces.stored_len());
    has_own && missing.min(strange) > length / OUT_OF_ORDER
}

/// The place of the first byte of a file that was moved by `shift`.
fn lowest_place(shift: i64) -> u64 {
    shift.min(0).unsigned_abs()
}

/// Anchors of one shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    first: Anchor,
    last: Anchor,
}

impl Stretch {
    fn of(anchor: Anchor) -> Self {
        Self {
            first: anchor,
            last: anchor,
        }
    }

    fn shift(&self) -> i64 {
        self.first.shift()
    }
}

/// What lies between stretches.
fn gaps(stretches: &[Stretch]) -> Vec<Gap> {
    let pairs = stretches.windows(2).filter_map(|pair| match pair {
        [before, after] => Some(Gap::new(before.last, after.first)),
        _ => None,
    });
    pairs.collect()
}

/// Keeps the most of `anchors`, which ascend by place, that ascend in the file as well: a stretch is lost, doubled or put in,
/// and never goes back in front of another. What does is mostly another file's, and says nothing of where this one's parts are; it is
/// given back.
fn keep_in_order(anchors: &mut Vec<Anchor>) -> Vec<Anchor> {
    // The last anchor of the chain of each length that ends lowest; and for each anchor the one before it in its chain.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(anchors.len());
    let at = |index: usize| anchors.get(index).map(|anchor| anchor.at);
    for (index, anchor) in anchors.iter().enumerate() {
        let longest = ends.partition_point(|end| at(*end) <= Some(anchor.at));
        before.push(
            longest
                .checked_sub(1)
                .and_then(|last| ends.get(last).copied()),
        );
        match ends.get_mut(longest) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    let mut is_kept = vec![false; anchors.len()];
    for index in std::iter::successors(ends.last().copied(), |index| *before.get(*index)?) {
        if let Some(is_kept) = is_kept.get_mut(index) {
            *is_kept = true;
        }
    }
    let mut is_kept = is_kept.into_iter();
    let dropped = anchors.extract_if(.., |_| !is_kept.next().unwrap_or(true));
    dropped.collect()
}

/// The stretches that contradict the fewest of `anchors`, which ascend by place. All have one of `shifts`.
fn stretches(anchors: &[Anchor], shifts: &[i64]) -> Vec<Stretch> {
    // The cheapest way to each shift, anchor by anchor: it goes on, or comes from the cheapest of all.
    let mut costs = vec![0u32; shifts.len()];
    let mut steps: Vec<(u8, u64)> = Vec::with_capacity(anchors.len());
    for anchor in anchors {
        let cheapest = cheapest(&costs);
        let least = costs.get(cheapest).copied().unwrap_or_default();
        let mut changes = 0u64;
        for (index, (cost, shift)) in costs.iter_mut().zip(shifts).enumerate() {
            if least + CHANGE < *cost {
                *cost = least + CHANGE;
                changes |= 1 << index;
            }
            if *shift != anchor.shift() {
                *cost = cost.saturating_add(CONTRADICTION);
            }
        }
        steps.push((cheapest as u8, changes));
    }
    let mut state = cheapest(&costs);
    let mut found: Vec<Stretch> = Vec::new();
    for (anchor, (before, changes)) in anchors.iter().zip(steps).rev() {
        if shifts.get(state) == Some(&anchor.shift()) {
            match found.last_mut() {
                Some(stretch) if stretch.shift() == anchor.shift() => stretch.first = *anchor,
                _ => found.push(Stretch::of(*anchor)),
            }
        }
        if changes >> state & 1 == 1 {
            state = before.into();
        }
    }
    found.reverse();
    found
}

fn cheapest(costs: &[u32]) -> usize {
    let costs = costs.iter().enumerate();
    costs
        .min_by_key(|(_, cost)| **cost)
        .map_or(0, |(index, _)| index)
}

/// The problem line about `pieces`.
pub(crate) fn describe(pieces: &Pieces) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut place, mut at) = (0, 0);
    for piece in pieces.all() {
        let missing = piece.original.start.saturating_sub(place);
        let strange = piece.at.saturating_sub(at);
        if missing > 0 {
            lines.push(format!(
                "{missing} bytes are missing before offset {:#x}; what lies behind them is found where it is now",
                piece.original.start
            ));
        }
        if strange > 0 {
            lines.push(match place {
                0 => format!("{strange} bytes stand in front of the header; the file is read from there"),
                _ => format!(
                    "{strange} bytes that do not belong there stand at offset {at:#x}; what lies behind them is found \
                     where it is now"
                ),
            });
        }
        place = piece.original.end;
        at = piece.at.saturating_add(place - piece.original.start);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stretches of anchors at every tenth place, as shift and places of the first and last one.
    fn found(moves: &[i64]) -> Vec<(i64, u64, u64)> {
        let places = (1000..).step_by(10);
        let anchors: Vec<Anchor> = places
            .zip(moves)
            .map(|(place, shift)| Anchor {
                place,
                at: place.checked_add_signed(*shift).unwrap(),
            })
            .collect();
        let mut shifts = moves.to_vec();
        shifts.sort_unstable();
        shifts.dedup();
        stretches(&anchors, &shifts)
            .iter()
            .map(|stretch| (stretch.shift(), stretch.first.place, stretch.last.place))
            .collect()
    }

    #[test]
    fn a_single_anchor_of_another_shift_is_an_accident() {
        assert_eq!(found(&[0, 0, 7, 0, 0]), [(0, 1000, 1040)]);
        assert_eq!(found(&[0, 0, 0, 7]), [(0, 1000, 1020)]);
        assert_eq!(found(&[7, 0, 0, 0]), [(0, 1010, 1030)]);
    }

    #[test]
    fn several_anchors_of_another_shift_make_a_stretch() {
        assert_eq!(
            found(&[0, 0, 0, -9, -9]),
            [(0, 1000, 1020), (-9, 1030, 1040)]
        );
        assert_eq!(
            found(&[0, 0, 5, 5, 5, 5, 9, 9, 5, 9]),
            [(0, 1000, 1010), (5, 1020, 1050), (9, 1060, 1090)]
        );
        assert_eq!(found(&[]), []);
    }

    #[test]
    fn what_goes_back_in_the_file_is_another_files() {
        let anchor = |(place, at)| Anchor { place, at };
        // A stretch with places of its own, put in at 1005: what is behind it has moved by 50.
        let own = [(1000, 1000), (1010, 1060), (1020, 1070)];
        let others = [(500, 1010), (510, 1020), (1030, 1040)];
        let mut anchors: Vec<Anchor> = own.into_iter().chain(others).map(anchor).collect();
        anchors.extend([(400, 400), (505, 505), (520, 520)].map(anchor));
        anchors.sort_unstable();
        let dropped = keep_in_order(&mut anchors);
        let at = |anchors: &[Anchor]| anchors.iter().map(|anchor| anchor.at).collect::<Vec<_>>();
        assert_eq!(at(&anchors), [400, 505, 520, 1000, 1060, 1070]);
        assert_eq!(at(&dropped), [1010, 1020, 1040]);
    }

    #[test]
    fn each_piece_is_told_once() {
        let piece = |original, at| Piece { original, at };
        let whole = Pieces::whole(100);
        assert_eq!(describe(&whole), [""; 0]);
        let pieces = Pieces::new(vec![
            piece(0..100, 40),
            piece(150..200, 140),
            piece(200..300, 200),
        ]);
        let lines = describe(&pieces);
        let starts = [
            "40 bytes stand",
            "50 bytes are missing before offset 0x96",
            "10 bytes that",
        ];
        assert_eq!(lines.len(), starts.len());
        for (line, start) in lines.iter().zip(starts) {
            assert!(line.starts_with(start), "{line}");
        }
    }
}
