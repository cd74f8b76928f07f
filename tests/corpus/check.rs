//! `check` on real files: silent on the healthy ones, and on damaged ones it names what was damaged, all of it and
//! nothing else.
//!
//! The truth is the tool beside the corpus, which says what it did, and the bytes in which the file differs from the
//! healthy one.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::corpus::{self, Damaged, MEASURED};
use ostfs::check::{Finding, Report, Severity};
use ostfs::ndb::{Header, Source};

fn check(file: &Path) -> Report {
    ostfs::check::check(file, Arc::new(|_, _, _| {})).unwrap()
}

fn errors(report: &Report) -> Vec<&Finding> {
    let all = report.findings.iter();
    all.filter(|finding| finding.severity == Severity::Error)
        .collect()
}

/// The header is older than the trees. Its CRCs are wrong (dwCRCPartial 0x424c6db2, and 0x34620c55 computed; dwCRCFull
/// 0xd29d843f and 0xf058e9a6); its bidNextB is 0x64, and the tree has blocks up to 0x78; its root of the block B-tree,
/// 0x138 at 0x7e00, was overwritten (the page there calls itself 0x148 and fails its CRC); the node B-tree that it
/// names, 0x130 at 0x8400, has no message, the one written after it, 0x154 at 0x8200, has one, and no contents table
/// lists it. Outlook shows nothing of it before ScanPST has worked on it.
const TORN: &str = "asposeex-AddingBulkMessagesWithImprovedPerformance.pst";

/// Both roots are one id newer (0x1623 at 0x17e00, 0x162f at 0xa2c00) than the header says, whose CRCs fit. Every block,
/// node, table and count is as it should be, so nothing is lost.
const HEADER_BEHIND: &str = "asposeex-Outlook-0f69.pst";

/// What no real file has, of warnings: rows unlike their objects, or without a version or with an id that leads elsewhere, and
/// messages on their way out.
const NEVER_FOUND: [&str; 4] = [
    "the object has",
    "found no cell",
    "an id that leads to this row",
    "not in the Outbox",
];

#[test]
fn healthy_files_have_no_errors() {
    for file in corpus::files() {
        let name = file.file_name().unwrap().to_str().unwrap();
        let report = check(&file);
        let never = |finding: &&Finding| {
            ["message index", "id map"].contains(&finding.structure)
                || NEVER_FOUND
                    .iter()
                    .any(|text| finding.problem.contains(text))
        };
        let findings: Vec<_> = report.findings.iter().filter(never).collect();
        assert!(findings.is_empty(), "{name}: {findings:?}");
        if name != TORN {
            assert_eq!(report.errors, 0, "{name}: {:?}", errors(&report));
        }
    }
}

#[test]
fn a_header_that_is_one_commit_behind_whole_trees_is_a_warning() {
    if corpus::folder().is_none() {
        return;
    }
    let report = check(&corpus::file(HEADER_BEHIND));
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|finding| (finding.severity, finding.structure, finding.place.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (Severity::Warning, "NBT page", "offset 0x17e00"),
            (Severity::Warning, "BBT page", "offset 0xa2c00"),
        ]
    );
}

#[test]
fn a_torn_commit_is_named() {
    if corpus::folder().is_none() {
        return;
    }
    let report = check(&corpus::file(TORN));
    let found: Vec<_> = errors(&report)
        .iter()
        .map(|finding| (finding.structure, finding.place.as_str(), finding.node))
        .collect();
    assert_eq!(
        found,
        [
            ("HEADER", "offset 0x0", None),
            ("BBT page", "offset 0x7e00", None),
            ("contents table", "node 0x808e", Some(0x20_0024)),
        ]
    );
}

/// A page or block of the healthy file, and its bytes that a reader checks.
struct Structure {
    name: &'static str,
    /// Of a block: where the page with its entry is.
    leaf: u64,
    ib: u64,
    checked: Range<usize>,
    /// The trailer of a block stands apart from its payload.
    trailer: Range<usize>,
}

/// All live pages and blocks of `file`.
fn structures(file: &Path) -> Vec<Structure> {
    let ndb = ostfs::ndb::open(file, 1 << 20).unwrap();
    let format = ndb.header().format;
    let (pages, leaves) = pages(file);
    let mut all = Vec::new();
    for entry in ndb.blocks() {
        let entry = entry.unwrap();
        let start = entry.block.ib as usize;
        let end = start + format.block_extent(entry.stored.into());
        let trailer = end - format.block_trailer;
        all.push(Structure {
            name: "block",
            leaf: leaves[&entry.block.bid.0],
            ib: entry.block.ib,
            checked: start..start + usize::from(entry.stored),
            // What follows the id has no meaning to a reader.
            trailer: trailer..trailer + format.block_bid + format.word,
        });
    }
    for (name, ib) in pages {
        let start = ib as usize;
        all.push(Structure {
            name,
            leaf: 0,
            ib,
            checked: start..start + format.page_bid.max(format.page_crc) + 4,
            trailer: 0..0,
        });
    }
    all
}

/// Pages by name and offset, and the leaf of each block.
type Pages = (Vec<(&'static str, u64)>, HashMap<u64, u64>);

/// The live pages of both trees, by an own walk: an entry begins with its key, and one of an intermediate page ends with
/// the offset of its child.
fn pages(file: &Path) -> Pages {
    let bytes = std::fs::read(file).unwrap();
    let header = Header::read(&Source::open(file).unwrap()).unwrap();
    let format = header.format;
    let number = |at: usize, width: usize| {
        let mut value = [0; 8];
        value[..width].copy_from_slice(&bytes[at..at + width]);
        u64::from_le_bytes(value)
    };
    let (mut all, mut leaves) = (Vec::new(), HashMap::new());
    for (name, root) in [("NBT page", header.nbt_root), ("BBT page", header.bbt_root)] {
        let mut todo = vec![root.ib];
        while let Some(ib) = todo.pop() {
            all.push((name, ib));
            let fields = ib as usize + format.btree_count;
            let width = format.btree_count_width;
            let count = number(fields, width) as usize;
            let size = number(fields + 2 * width, 1) as usize;
            let level = number(fields + 2 * width + 1, 1);
            for entry in (0..count).map(|index| ib as usize + index * size) {
                if level > 0 {
                    todo.push(number(entry + 2 * format.word, format.word));
                } else if name == "BBT page" {
                    leaves.insert(number(entry, format.word), ib);
                }
            }
        }
    }
    (all, leaves)
}

/// Which of `structures` have other bytes in `damaged` than in `healthy`.
fn changed<'a>(
    structures: &'a [Structure],
    healthy: &[u8],
    damaged: &[u8],
) -> BTreeSet<(&'a str, u64)> {
    let differs = |range: &Range<usize>| healthy[range.clone()] != damaged[range.clone()];
    let hit = structures
        .iter()
        .filter(|structure| differs(&structure.checked) || differs(&structure.trailer));
    hit.map(|structure| (structure.name, structure.ib))
        .collect()
}

/// Pages and blocks that the errors name by their offset.
fn named(report: &Report) -> BTreeSet<(&str, u64)> {
    let structures = ["NBT page", "BBT page", "block"];
    let of_those = errors(report)
        .into_iter()
        .filter(|finding| structures.contains(&finding.structure));
    of_those
        .map(|finding| (finding.structure, offset(&finding.place)))
        .collect()
}

/// The number behind "offset 0x", or behind "page at 0x" in the words of the tool.
fn offset(text: &str) -> u64 {
    let digits = text.rsplit("0x").next().unwrap();
    let end = digits
        .find(|character: char| !character.is_ascii_hexdigit())
        .unwrap_or(digits.len());
    u64::from_str_radix(&digits[..end], 16).unwrap()
}

/// Whether an error names `structure` and says `problem`.
fn says(report: &Report, structure: &str, problem: &str) -> bool {
    errors(report)
        .iter()
        .any(|finding| finding.structure == structure && finding.problem.starts_with(problem))
}

/// Asserts that `check` names the damage of the kind, as the tool describes it.
fn names(damage: &Damaged, report: &Report, structures: &[Structure], healthy: &[u8]) {
    let Damaged { kind, what, file } = damage;
    let bytes = std::fs::read(file).unwrap();
    let place = || BTreeSet::from([offset(what)]);
    let named = named(report);
    let of = |name: &str| -> BTreeSet<u64> {
        let all = named.iter().filter(|(structure, _)| *structure == name);
        all.map(|(_, ib)| *ib).collect()
    };
    match kind.as_str() {
        "trunc50" | "trunc90" => assert!(says(report, "ROOT", "ibFileEof"), "{what}"),
        "hdrcrc" => assert!(
            says(report, "HEADER", "dwCRC") && named.is_empty(),
            "{what}"
        ),
        "hdr-eof-wrong" => assert!(
            says(report, "HEADER", "dwCRC")
                && says(report, "ROOT", "ibFileEof")
                && named.is_empty(),
            "{what}"
        ),
        "nbt-leaf-zero" | "nbt-root-zero" => assert_eq!(of("NBT page"), place(), "{what}"),
        "bbt-leaf-zero" | "bbt-root-zero" => assert_eq!(of("BBT page"), place(), "{what}"),
        "nbt-cycle" | "flip-data2pct" | "internal-garbage" | "random200" => {
            let changed = changed(structures, healthy, &bytes);
            let wrong: Vec<_> = named.difference(&changed).collect();
            assert!(wrong.is_empty(), "{what}: {wrong:x?}");
            // A block whose entry is lost as well, and whose trailer is, cannot be found: the page is named.
            for (_, ib) in changed.difference(&named) {
                let structure = structures.iter().find(|one| one.ib == *ib).unwrap();
                let is_named = named.contains(&("BBT page", structure.leaf));
                assert!(kind == "random200" && is_named, "{what}: {ib:#x}");
            }
        }
        other => panic!("{other}: a damage that this test does not know"),
    }
    if let Some((hit, _)) = what.split_once(" internal blocks") {
        let hit: usize = hit.split('/').next().unwrap().parse().unwrap();
        assert_eq!(named.len(), hit, "{what}");
    }
    if kind == "flip-data2pct" {
        let hit = what
            .split(" of ")
            .nth(1)
            .unwrap()
            .split('/')
            .next()
            .unwrap();
        assert_eq!(named.len(), hit.parse::<usize>().unwrap(), "{what}");
    }
}

#[test]
fn check_names_each_of_the_twelve_damages_and_nothing_else() {
    for name in MEASURED {
        let Some((_scratch, damages)) = corpus::damaged(name) else {
            return;
        };
        let file = corpus::file(name);
        let (structures, healthy) = (structures(&file), std::fs::read(&file).unwrap());
        for damage in &damages {
            let report = check(&damage.file);
            println!("{name} {}: {} errors", damage.what, report.errors);
            assert!(report.errors > 0);
            names(damage, &report, &structures, &healthy);
            // A block belongs to somebody, unless Outlook has leaked the tree that it is in.
            if damage.kind == "flip-data2pct" {
                let blocks = errors(&report);
                let owned = blocks.iter().filter(|finding| finding.node.is_some());
                assert!(owned.count() * 10 >= blocks.len() * 9, "{blocks:?}");
            }
        }
    }
}
