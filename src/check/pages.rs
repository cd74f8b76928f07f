//! Header and pages of the two B-trees. [MS-PST] 2.2.2.6, 2.2.2.7

use std::ops::Range;

use super::Checker;
use crate::ndb::page::{BTreePage, PageType};
use crate::ndb::{BlockRef, Header, NodeDatabase};

/// Levels of the deepest tree that is followed.
const MAX_LEVELS: u8 = 8;

/// A page to visit: where it is, and what the page above says of it.
struct Visit {
    at: BlockRef,
    level: Option<u8>,
    keys: Range<u64>,
}

pub(super) fn check(ndb: &NodeDatabase, header: &Header, checker: &mut Checker) {
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
    for (page_type, root) in roots {
        tree(ndb, page_type, root, checker);
    }
}

fn tree(ndb: &NodeDatabase, page_type: PageType, root: BlockRef, checker: &mut Checker) {
    let mut todo = vec![Visit {
        at: root,
        level: None,
        keys: 0..u64::MAX,
    }];
    while let Some(visit) = todo.pop() {
        let page = match ndb.page(page_type, visit.at) {
            Ok(page) => page,
            Err(error) => {
                checker.unreadable(&error, None);
                continue;
            }
        };
        checker.report.pages += 1;
        let mut wrong = |problem: String| {
            let place = format!("offset {:#x}", page.ib);
            checker.error(page_type.name(), place, problem, None);
        };
        let expected = visit.level.unwrap_or(page.level);
        if page.level != expected || page.level >= MAX_LEVELS {
            wrong(format!("cLevel: expected {expected}, found {}", page.level));
            continue;
        }
        if page.bid != visit.at.bid {
            let (parent, own) = (visit.at.bid.0, page.bid.0);
            wrong(format!(
                "bid: {own:#x}, but the page above says {parent:#x}"
            ));
        }
        if page.most().is_some_and(|most| page.len() as u64 > most) {
            wrong(format!("cEnt: {}, more than cEntMax", page.len()));
        }
        keys(&page, &visit.keys, &mut wrong);
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

/// Keys ascend, each once, within what the page above says.
fn keys(page: &BTreePage, range: &Range<u64>, wrong: &mut impl FnMut(String)) {
    let all = (0..page.len()).filter_map(|index| page.key(index));
    let mut before = None;
    for key in all {
        if before.is_some_and(|before| before >= key) {
            wrong(format!("key {key:#x}: out of order, or there twice"));
        }
        if !range.contains(&key) {
            wrong(format!(
                "key {key:#x}: outside of {:#x} to {:#x}, as the page above has it",
                range.start, range.end
            ));
        }
        before = Some(key);
    }
}
