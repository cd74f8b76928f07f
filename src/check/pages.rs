//! Header and pages of the two B-trees. [MS-PST] 2.2.2.6, 2.2.2.7

use std::ops::Range;

use super::checker::Checker;
use crate::ndb::page::BTreePage;
use crate::ndb::{BlockRef, Header, NodeDatabase, PageType};

/// Levels of the deepest tree that is followed.
const MAX_LEVELS: u8 = 8;

/// A page to visit: where it is, and what the page above has of it.
struct Visit {
    at: BlockRef,
    level: Option<u8>,
    keys: Range<u64>,
}

/// Checks header and trees; returns where the intact pages are, by offset.
pub(super) fn check(ndb: &NodeDatabase, header: &Header, checker: &mut Checker) -> Vec<Range<u64>> {
    if let Some(wrong_bit) = header.wrong_bit {
        let problem = format!("dwCRC: does not fit; {wrong_bit}");
        checker.error("HEADER", "offset 0x0", problem, None);
    }
    if !header.crc_valid {
        checker.error("HEADER", "offset 0x0", "dwCRC: does not fit", None);
    }
    let size = ndb.source().len();
    if header.file_eof > size {
        let problem = format!(
            "ibFileEof: {:#x}, but the file has {size:#x} bytes",
            header.file_eof
        );
        checker.error("ROOT", "offset 0x0", problem, None);
    }
    let roots = [
        (PageType::Nbt, header.nbt_root),
        (PageType::Bbt, header.bbt_root),
    ];
    let mut extents = Vec::new();
    for (page_type, root) in roots {
        tree(ndb, header, page_type, root, checker, &mut extents);
    }
    extents.sort_by_key(|extent| extent.start);
    extents
}

fn tree(
    ndb: &NodeDatabase,
    header: &Header,
    page_type: PageType,
    root: BlockRef,
    checker: &mut Checker,
    extents: &mut Vec<Range<u64>>,
) {
    let page_size = header.format.page_size as u64;
    // A page of a tree that is whole is visited once; one more means that pages are shared, or form a ring.
    let most = ndb.source().len() / page_size;
    let mut todo = vec![Visit {
        at: root,
        level: None,
        keys: 0..u64::MAX,
    }];
    let mut visits = 0;
    while let Some(visit) = todo.pop() {
        visits += 1;
        if visits > most {
            let problem =
                "the tree has more pages than fit in the file: one of them is in it many times";
            checker.error(page_type.name(), "", problem, None);
            return;
        }
        let page = match ndb.page(page_type, visit.at, visit.keys.end) {
            Ok(page) => page,
            Err(error) => {
                checker.unreadable(&error, None);
                continue;
            }
        };
        checker.report.pages += 1;
        extents.push(page.ib..page.ib + page_size);
        if !has_right_level(&page, &visit, page_size, checker) {
            continue;
        }
        entries(&page, &visit, checker);
        age(&page, visit.at, header, checker);
        if page.level == 0 {
            continue;
        }
        for index in 0..page.len() {
            let Some(child) = page.child(index) else {
                break;
            };
            let next = page.key(index + 1).unwrap_or(visit.keys.end);
            todo.push(Visit {
                at: child.page,
                level: page.level.checked_sub(1),
                keys: child.key..next,
            });
        }
    }
}

/// Whether `page` is of the level that is due; and whether its place is a multiple of `page_size`.
fn has_right_level(page: &BTreePage, visit: &Visit, page_size: u64, checker: &mut Checker) -> bool {
    let mut wrong = |problem: String| wrong(page, problem, checker);
    if !page.ib.is_multiple_of(page_size) {
        wrong("ib: not aligned".into());
    }
    let expected = visit.level.unwrap_or(page.level);
    let is_right = page.level == expected && page.level < MAX_LEVELS;
    if !is_right {
        wrong(format!("cLevel: expected {expected}, found {}", page.level));
    }
    is_right
}

/// The entries of `page`, their number, and what makes them doubtful.
fn entries(page: &BTreePage, visit: &Visit, checker: &mut Checker) {
    let mut wrong = |problem: String| wrong(page, problem, checker);
    if page.most().is_some_and(|most| page.len() as u64 > most) {
        wrong(format!("cEnt: {}, more than cEntMax", page.len()));
    }
    if let Some(flaw) = &page.flaw {
        wrong(flaw.to_string());
    }
    keys(page, &visit.keys, &mut wrong);
    if let Some(first) = page.key(0)
        && visit.level.is_some()
        && first != visit.keys.start
    {
        wrong(format!(
            "key of the page above: expected {first:#x}, the first one here, found {:#x}",
            visit.keys.start
        ));
    }
    if page.level == 0 {
        reserved_bits(page, &mut wrong);
    }
}

fn wrong(page: &BTreePage, problem: String, checker: &mut Checker) {
    checker.error(page.page_type.name(), place(page), problem, None);
}

fn place(page: &BTreePage) -> String {
    format!("offset {:#x}", page.ib)
}

/// Ids of pages ascend with time. A page that is older than what refers to it lacks the last change; one that is newer
/// has it, and what refers to it was not written again, which costs nothing.
fn age(page: &BTreePage, at: BlockRef, header: &Header, checker: &mut Checker) {
    let (page_type, place) = (page.page_type, place(page));
    if page.bid < at.bid {
        let problem = format!(
            "bid: expected {:#x}, found the older {:#x}: the last change is missing",
            at.bid.0, page.bid.0
        );
        checker.error(page_type.name(), &place, problem, None);
    } else if page.bid > at.bid {
        let problem = format!(
            "bid: expected {:#x}, found the newer {:#x}",
            at.bid.0, page.bid.0
        );
        checker.warning(page_type.name(), &place, problem, None);
    }
    if page.bid.0 >= header.next_page {
        checker.warning(page_type.name(), &place, "bid: not below bidNextP", None);
    }
}

/// Bit 0 of the id of a block is clear.
fn reserved_bits(page: &BTreePage, wrong: &mut impl FnMut(String)) {
    for index in 0..page.len() {
        for (field, bid) in page.stored_ids(index) {
            if bid.has_reserved_bit() {
                wrong(format!(
                    "{field} of entry {index}: expected {:#x}, found {:#x} with bit 0 set",
                    bid.key().0,
                    bid.0
                ));
            }
        }
    }
}

/// Keys ascend, each once, within the range that the page above gives.
fn keys(page: &BTreePage, range: &Range<u64>, wrong: &mut impl FnMut(String)) {
    for key in &page.misplaced {
        wrong(format!("key {key:#x}: {}", page.why_misplaced(*key)));
    }
    for key in (0..page.len()).filter_map(|index| page.key(index)) {
        if !range.contains(&key) {
            wrong(format!(
                "key {key:#x}: outside of {:#x} to {:#x}, as the page above has it",
                range.start, range.end
            ));
        }
    }
}
