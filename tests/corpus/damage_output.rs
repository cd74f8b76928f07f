//! No output of a damaged file differs from that of the healthy one without a word: an `X-Ostfs-Problem` field, an
//! input/output error, or a line in `problems.txt` that names it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::ops::RangeInclusive;
use std::path::Path;

use crate::corpus::{self, ANSI, Damaged, ENRON, MEASURED, OST};
use ostfs::tree::{Ino, Kind, Options, Tree};

/// Bytes, or None for an input/output error.
type Content = Option<Vec<u8>>;

/// The files of a message.
#[derive(Debug)]
struct Files {
    path: String,
    folder: u32,
    own: Content,
    /// By their path below the directory of attachments.
    attachments: BTreeMap<String, Content>,
}

/// All that a tree shows.
struct Shown {
    /// By node.
    messages: BTreeMap<u32, Files>,
    /// By node: path, and the folder that it is in.
    folders: BTreeMap<u32, (String, u32)>,
    problems: String,
}

const ATTACHMENTS: &str = ".attachments";
const LOST_FOUND: &str = "/lost+found/";

/// The node of a folder or message.
fn node(ino: Ino) -> u32 {
    match ino {
        Ino::ROOT => 1,
        ino => ino.node().map_or(0, |nid| nid.0),
    }
}

fn read(tree: &Tree, ino: Ino) -> Content {
    let size = tree.attr(ino).ok()?.size as usize;
    let mut bytes = vec![0; size];
    let mut done = 0;
    while done < size {
        match tree.read_at(ino, done as u64, &mut bytes[done..]).ok()? {
            0 => return None,
            count => done += count,
        }
    }
    Some(bytes)
}

/// The file as a user gets it in the end: one in which an attachment turns out damaged has another in its place.
fn read_or_replaced(tree: &Tree, ino: Ino) -> Content {
    let first = read(tree, ino);
    match tree.replacement(ino) {
        Some(replacement) => read(tree, replacement),
        None => first,
    }
}

/// Everything below `top`, by path.
fn below(tree: &Tree, top: Ino) -> BTreeMap<String, Content> {
    let mut files = BTreeMap::new();
    let mut todo = vec![(top, String::new())];
    while let Some((ino, path)) = todo.pop() {
        let Ok(listing) = tree.directory(ino) else {
            files.insert(path, None);
            continue;
        };
        for entry in listing.entries() {
            let path = format!("{path}/{}", entry.name);
            match entry.kind {
                Kind::Directory => todo.push((entry.ino, path)),
                _ => _ = files.insert(path, read_or_replaced(tree, entry.ino)),
            }
        }
    }
    files
}

fn show(file: &Path) -> Shown {
    let options = Options {
        all: true,
        ..Options::default()
    };
    let tree = Tree::open(file, &options).unwrap();
    let mut messages = BTreeMap::new();
    let mut folders = BTreeMap::new();
    let mut todo = vec![(Ino::ROOT, String::new())];
    while let Some((ino, path)) = todo.pop() {
        let Ok(listing) = tree.directory(ino) else {
            continue;
        };
        let mut stems = BTreeMap::new();
        for entry in listing.entries() {
            let path = format!("{path}/{}", entry.name);
            match (entry.kind, path.strip_suffix(ATTACHMENTS)) {
                (Kind::File, _) => {
                    let nid = node(entry.ino);
                    let stem = path.rsplit_once('.').unwrap().0.to_owned();
                    stems.insert(stem, nid);
                    let files = Files {
                        own: read_or_replaced(&tree, entry.ino),
                        path,
                        folder: node(ino),
                        attachments: BTreeMap::new(),
                    };
                    assert!(messages.insert(nid, files).is_none(), "{nid:#x} twice");
                }
                (Kind::Directory, Some(stem)) if stems.contains_key(stem) => {
                    let files: &mut Files = messages.get_mut(&stems[stem]).unwrap();
                    files.attachments = below(&tree, entry.ino);
                }
                (Kind::Directory, _) => {
                    // On the way to what is lost, a folder is there once more.
                    folders
                        .entry(node(entry.ino))
                        .or_insert((path.clone(), node(ino)));
                    todo.push((entry.ino, path));
                }
                (Kind::Symlink, _) => {}
            }
        }
    }
    let control = tree
        .lookup(Ino::ROOT, OsStr::new(".ostfs"))
        .unwrap()
        .unwrap();
    let problems = tree.lookup(control, OsStr::new("problems.txt"));
    let problems = read(&tree, problems.unwrap().unwrap()).unwrap();
    Shown {
        messages,
        folders,
        problems: String::from_utf8(problems).unwrap(),
    }
}

/// Whether the file itself says that something is wrong with it: in the header of mail, as a property of calendars and
/// cards, as the last line of notes.
fn says_so(content: &[u8]) -> bool {
    let text = String::from_utf8_lossy(content).to_ascii_lowercase();
    text.contains("x-ostfs-problem:")
}

/// The nodes of pages that cannot be read, as lines of problems have them. Of a lost root, which has all, none counts.
fn lost_nodes(problems: &str) -> Vec<RangeInclusive<u32>> {
    let number = |text: &str| u32::from_str_radix(text.strip_prefix("0x")?, 16).ok();
    let range = |line: &str| {
        let (_, range) = line.split_once("; of the nodes from ")?;
        let (range, _) = range.split_once(" a scan of the file found ")?;
        let (first, last) = range.split_once(" to ").unwrap_or((range, "0xffffffff"));
        let first = number(first).filter(|first| *first > 0)?;
        Some(first..=number(last)?)
    };
    problems.lines().filter_map(range).collect()
}

/// Whether a line tells which bytes of the attachment `name` of message `nid` are doubtful or missing.
fn is_told_of(problems: &str, nid: u32, name: &str) -> bool {
    let message = format!("{nid:#x}");
    // The name as it is stored may lack an extension, and what makes it unique.
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let name = stem.split(" ~").next().unwrap();
    let mut lines = problems.lines().filter(|line| line.contains(&message));
    lines.any(|line| line.contains(name) && (line.contains("wrong") || line.contains("missing")))
}

/// Differences that nothing accounts for.
fn unsaid(whole: &Shown, hurt: &Shown, kind: &str, is_small: bool) -> Vec<String> {
    let mut unsaid = Vec::new();
    // What a cut has taken away has left no trace that could be named; of a large file it leaves the folders.
    let cut_away = kind.starts_with("trunc") && hurt.problems.contains("it was cut off");
    let lost = lost_nodes(&hurt.problems);
    let is_named = |nid: u32| {
        let name = format!("{nid:#x}");
        let mut words = hurt.problems.split(|c: char| !c.is_alphanumeric());
        words.any(|word| word == name) || lost.iter().any(|range| range.contains(&nid))
    };
    for (nid, before) in &whole.messages {
        let named = is_named(*nid);
        let Some(after) = hurt.messages.get(nid) else {
            if !named && !cut_away {
                unsaid.push(format!("{nid:#x} {}: missing", before.path));
            }
            continue;
        };
        let says = after.own.as_deref().is_none_or(says_so);
        if after.own.is_some() && after.own != before.own && !says {
            unsaid.push(format!("{nid:#x} {}: other bytes", after.path));
        }
        for (name, content) in &before.attachments {
            match after.attachments.get(name) {
                None if says || named => {}
                None => unsaid.push(format!("{nid:#x} {}: no {name}", after.path)),
                Some(Some(bytes)) if Some(bytes) != content.as_ref() && !says_so(bytes) => {
                    let last = name.rsplit('/').next().unwrap();
                    if !is_told_of(&hurt.problems, *nid, last) {
                        unsaid.push(format!("{nid:#x} {}: other bytes in {name}", after.path));
                    }
                }
                Some(_) => {}
            }
        }
        let moved = after.path != before.path && !after.path.starts_with(LOST_FOUND);
        let folder_named = is_named(before.folder) || is_named(after.folder);
        if moved && !named && !says && !folder_named {
            unsaid.push(format!("{nid:#x} {}: was {}", after.path, before.path));
        }
    }
    for (nid, after) in &hurt.messages {
        let says = after.own.as_deref().is_none_or(says_so);
        if !whole.messages.contains_key(nid) && !says {
            unsaid.push(format!("{nid:#x} {}: was not there", after.path));
        }
    }
    for (nid, (before, parent)) in &whole.folders {
        let after = hurt.folders.get(nid).map(|(path, _)| path);
        let found = after.is_some_and(|path| path == before || path.starts_with(LOST_FOUND));
        let cut_away = cut_away && is_small && after.is_none();
        if !found && !cut_away && !is_named(*nid) && !is_named(*parent) {
            unsaid.push(format!("folder {nid:#x} {before}: now {after:?}"));
        }
    }
    unsaid
}

#[test]
fn nothing_differs_without_a_word_in_a_unicode_file() {
    nothing_differs_without_a_word(ENRON);
}

#[test]
fn nothing_differs_without_a_word_in_an_ansi_file() {
    nothing_differs_without_a_word(ANSI);
}

#[test]
fn nothing_differs_without_a_word_in_a_file_with_4k_pages() {
    nothing_differs_without_a_word(OST);
}

#[test]
fn nothing_differs_without_a_word_in_any_other_file() {
    // Its header, its block B-tree and its allocation maps are torn already.
    const TORN: &str = "asposeex-AddingBulkMessagesWithImprovedPerformance.pst";
    for file in corpus::files() {
        let name = file.file_name().unwrap().to_str().unwrap();
        if name != TORN && !MEASURED.contains(&name) {
            nothing_differs_without_a_word(name);
        }
    }
}

/// Files in all formats and encodings, small and large.
const MATRIX: [&str; 7] = [
    ENRON,
    ANSI,
    OST,
    "simiden-2003_high-encryption_quickquick.pst",
    "asposeex-Outlook-0f69.pst",
    "asposeex-passwordprotectedPST.pst",
    "pstextractortest@outlook.com.ost",
];
const SEEDS: RangeInclusive<u32> = 1..=3;
/// Kinds of damage: bits, sectors, stretches, misdirected writes, lost pages and blocks.
const KINDS: [&str; 23] = [
    "flips",
    "flips1",
    "bytemid",
    "names",
    "zero512",
    "ff512",
    "dupsector",
    "sparse",
    "zeroblocks",
    "swap4k",
    "hole64",
    "hole64al",
    "dup64",
    "ahead",
    "ahead_odd",
    "behind",
    "otherblock",
    "subgarb",
    "nbtleaf2",
    "bbtleaf2",
    "pageflip",
    "swapleaf",
    "zerolast",
];

#[test]
fn nothing_differs_without_a_word_whatever_bits_sectors_and_stretches_are_damaged() {
    let mut unsaid = Vec::new();
    for name in MATRIX {
        for seed in SEEDS {
            let damages = corpus::damaged_by(name, seed, &KINDS);
            unsaid.extend(damages.map_or(Vec::new(), |damages| all_unsaid(name, damages)));
        }
    }
    assert!(unsaid.is_empty(), "{unsaid:#?}");
}

fn nothing_differs_without_a_word(name: &str) {
    let damages = corpus::damaged(name);
    let all = damages.map_or(Vec::new(), |damages| all_unsaid(name, damages));
    assert!(all.is_empty(), "{all:#?}");
}

/// What differs without a word in `damages` of the file `name`.
fn all_unsaid(name: &str, (_scratch, damages): (tempfile::TempDir, Vec<Damaged>)) -> Vec<String> {
    let mut all = Vec::new();
    {
        let whole = show(&corpus::file(name));
        assert_eq!(whole.problems, "", "{name}");
        let is_small = !MEASURED.contains(&name);
        for Damaged { kind, file, .. } in &damages {
            let hurt = show(file);
            let same = |(nid, files): (&u32, &Files)| {
                let after = hurt.messages.get(nid);
                after.is_some_and(|after| {
                    after.own == files.own && after.attachments == files.attachments
                })
            };
            let same = whole.messages.iter().filter(|one| same(*one)).count();
            // In a small file the damage may hit what no item needs.
            let said = !hurt.problems.is_empty() || same == whole.messages.len();
            assert!(said || is_small, "{name} {kind}: nothing was said");
            let unsaid = unsaid(&whole, &hurt, kind, is_small);
            println!(
                "{name} {kind}: {} of {} messages shown, {same} unchanged, {} unsaid, {} problems",
                hurt.messages.len(),
                whole.messages.len(),
                unsaid.len(),
                hurt.problems.lines().count()
            );
            all.extend(
                unsaid
                    .into_iter()
                    .map(|line| format!("{name} {kind}: {line}")),
            );
        }
    }
    all
}
