//! What holds of every tree, whatever the file: it ends, names are safe and unique, sizes are exact, two reads agree,
//! nobody gets into the header of a message, items are well-formed.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::Path;

use ostfs::tree::{Attr, Entry, Ino, Kind, Options, Tree};
use ostfs::{Error, Result};

/// Entries that are looked at, and bytes that are read of one file and of all.
const MOST_ENTRIES: usize = 1500;
const MOST_OF_FILE: u64 = 256 << 10;
const MOST_BYTES: u64 = 4 << 20;
/// More directories within each other than a real store has with 30 levels of embedded messages.
const MOST_DEPTH: usize = 400;
/// Bytes that a read asks for, so that reads end anywhere within lines and blocks.
const STEP: usize = 4_093;
/// RFC 5322 2.1.1.
const MOST_OF_LINE: usize = 998;
/// RFC 5545 3.1.
const MOST_OF_CONTENT_LINE: usize = 75;

/// What a walk has seen.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// Path, size if known, and a hash of what was read.
    pub files: Vec<(String, Option<(u64, u64)>)>,
    /// Whether there was more than is looked at.
    pub is_cut: bool,
}

/// A place in the tree: the directories above, outermost first.
struct Place {
    ino: Ino,
    path: String,
    above: Vec<Ino>,
}

/// Opens the file and walks the tree with these options; None when it does not open.
pub fn walk(path: &Path, options: &Options) -> Option<Walked> {
    let tree = match Tree::open(path, options) {
        Ok(tree) => tree,
        Err(error) => {
            one_line(&error);
            return None;
        }
    };
    let walked = walk_tree(&tree);
    _ = tree.info();
    _ = tree.statistics();
    Some(walked)
}

/// Walks all of `tree`, what is not listed too.
pub fn walk_tree(tree: &Tree) -> Walked {
    let mut walked = Walked::default();
    let mut left = MOST_BYTES;
    let control = tree.lookup(Ino::ROOT, OsStr::new(".ostfs"));
    let control = control.expect("a lookup").expect(".ostfs is there");
    let mut todo = vec![
        Place {
            ino: control,
            path: "/.ostfs".into(),
            above: vec![Ino::ROOT],
        },
        Place {
            ino: Ino::ROOT,
            path: String::new(),
            above: Vec::new(),
        },
    ];
    while let Some(place) = todo.pop() {
        let listing = match tree.directory(place.ino) {
            Ok(listing) => listing,
            Err(error) => {
                one_line(&error);
                walked.files.push((place.path, None));
                continue;
            }
        };
        names(&place.path, listing.entries());
        for (number, entry) in listing.entries().enumerate() {
            if walked.files.len() >= MOST_ENTRIES {
                walked.is_cut = true;
                return walked;
            }
            let path = format!("{}/{}", place.path, entry.name);
            let found = tree.lookup(place.ino, OsStr::new(&*entry.name));
            if number < 20 {
                assert_eq!(found.expect("a lookup"), Some(entry.ino), "{path}");
            }
            match entry.kind {
                Kind::Directory => {
                    let mut above = place.above.clone();
                    above.push(place.ino);
                    assert!(above.len() < MOST_DEPTH, "without end: {path}");
                    assert!(!above.contains(&entry.ino), "within itself: {path}");
                    directory(tree, &entry, &path);
                    walked.files.push((format!("{path}/"), None));
                    todo.push(Place {
                        ino: entry.ino,
                        path,
                        above,
                    });
                }
                Kind::Symlink => {
                    let target = tree.read_link(entry.ino);
                    if let (Ok(target), Ok(attr)) = (&target, tree.attr(entry.ino)) {
                        assert_eq!(target.len() as u64, attr.size, "{path}");
                        relative(target, &path);
                    }
                    walked.files.push((path, None));
                }
                Kind::File => {
                    let read = file(tree, entry.ino, &path, &mut left);
                    walked.files.push((path, read));
                }
            }
        }
    }
    walked
}

fn one_line(error: &Error) {
    let line = error.to_string();
    assert!(!line.is_empty() && !line.contains('\n'), "{line:?}");
}

fn directory(tree: &Tree, entry: &Entry<'_>, path: &str) {
    if let Ok(attr) = tree.attr(entry.ino) {
        assert_eq!(
            (attr.kind, attr.ino),
            (Kind::Directory, entry.ino),
            "{path}"
        );
    }
}

/// A link stays within the tree.
fn relative(target: &str, path: &str) {
    let mut depth = path.matches('/').count() as i64 - 1;
    assert!(
        !target.starts_with('/') && !target.is_empty(),
        "{path} -> {target}"
    );
    for part in target.split('/') {
        depth += if part == ".." { -1 } else { 1 };
        assert!(depth >= 0, "{path} -> {target}");
    }
}

/// Names that no program takes for anything else, and no two the same.
fn names<'a>(path: &str, entries: impl Iterator<Item = Entry<'a>>) {
    let mut seen = HashSet::new();
    // A file that was attached has its own name, ".gitignore" say; nothing else is hidden by its name.
    let is_of_files = path.ends_with(".attachments");
    for Entry { name, .. } in entries {
        let is_shown = is_of_files || !name.starts_with('.');
        assert!(safe(&name) && is_shown, "{path}: {name:?}");
        assert!(name.len() <= 200, "{path}: {name:?}");
        assert!(
            seen.insert(name.to_lowercase()),
            "twice in {path}: {name:?}"
        );
    }
}

fn safe(name: &str) -> bool {
    let bad = |c: char| {
        c.is_control()
            || "/\\:*?\"<>|".contains(c)
            || matches!(c, '\u{61C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
    };
    !(name.is_empty() || name.ends_with(['.', ' ']) || name.contains(bad))
}

/// Reads a file in steps, in one go, and at its end; returns its size and a hash.
fn file(tree: &Tree, ino: Ino, path: &str, left: &mut u64) -> Option<(u64, u64)> {
    let attr = tree.attr(ino).ok()?;
    assert_eq!((attr.kind, attr.ino), (Kind::File, ino), "{path}");
    if attr.changing {
        return None;
    }
    match contents(tree, attr, path, left) {
        Ok(read) => read,
        Err(error) => {
            one_line(&error);
            // A message in which an attachment turns out damaged has another file in its place, which can be read.
            let replacement = tree.replacement(ino)?;
            let attr = tree.attr(replacement).expect("of a replacement");
            contents(tree, attr, path, left).unwrap_or_else(|error| panic!("{path}: {error}"))
        }
    }
}

fn contents(tree: &Tree, attr: Attr, path: &str, left: &mut u64) -> Result<Option<(u64, u64)>> {
    let mut end = [0; 16];
    assert_eq!(tree.read_at(attr.ino, attr.size, &mut end)?, 0, "{path}");
    assert_eq!(tree.read_at(attr.ino, u64::MAX, &mut end)?, 0, "{path}");
    let last = attr.size.min(end.len() as u64) as usize;
    let from = attr.size - last as u64;
    assert_eq!(tree.read_at(attr.ino, from, &mut end)?, last, "{path}");
    let wanted = attr.size.min(MOST_OF_FILE).min(*left);
    *left -= wanted;
    let mut whole = vec![0; wanted as usize];
    let mut done = 0;
    while done < whole.len() {
        let step = STEP.min(whole.len() - done);
        let count = tree.read_at(attr.ino, done as u64, &mut whole[done..done + step])?;
        assert_eq!(count, step, "{path} ends at {done} of {}", attr.size);
        done += count;
    }
    let mut again = vec![0; whole.len()];
    assert_eq!(
        tree.read_at(attr.ino, 0, &mut again)?,
        again.len(),
        "{path}"
    );
    assert!(whole == again, "two reads of {path} differ");
    assert_eq!(tree.attr(attr.ino)?, attr, "{path}");
    if wanted < attr.size {
        return Ok(None);
    }
    assert!(whole.ends_with(&end[..last]), "two reads of {path} differ");
    if !is_note(tree, attr.ino) {
        well_formed(path, &whole);
    }
    Ok(Some((attr.size, hash(&whole))))
}

fn hash(bytes: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

/// Whether the item is text without a header, though its row, and so its name, may be that of a mail.
pub fn is_note(tree: &Tree, ino: Ino) -> bool {
    let class = tree.summary(ino).map(|summary| summary.class);
    class.is_some_and(|class| class.to_ascii_lowercase().starts_with("ipm.stickynote"))
}

/// Whether an item by its name is what it should be. Attachments are whatever they are.
fn well_formed(path: &str, bytes: &[u8]) {
    if path.contains(".attachments/") {
        return;
    }
    match path.rsplit('.').next() {
        Some("eml") if bytes.starts_with(b"BEGIN:V") => components(path, bytes),
        Some("eml") => header(path, bytes),
        // The name goes by the table, the content by the message, if it can be opened: they may not agree.
        Some("ics" | "vcf") if bytes.starts_with(b"BEGIN:V") => components(path, bytes),
        _ => {}
    }
}

/// The lines of a header, unfolded.
pub fn fields(path: &str, bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut fields: Vec<String> = Vec::new();
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            return fields;
        }
        let bad = |c: char| c.is_control() && c != '\t';
        assert!(!line.contains(bad), "{path}: control character in {line:?}");
        assert!(line.len() <= MOST_OF_LINE, "{path}: {} octets", line.len());
        if line.starts_with([' ', '\t']) {
            let field = fields.last_mut();
            field
                .unwrap_or_else(|| panic!("{path}: {line:?}"))
                .push_str(line);
            continue;
        }
        let name = line.split(':').next().unwrap_or_default();
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
        assert!(is_name && line.contains(':'), "{path}: no field: {line:?}");
        fields.push(line.to_owned());
    }
    panic!("{path}: no end of the header")
}

fn header(path: &str, bytes: &[u8]) {
    let fields = fields(path, bytes);
    let count = |name: &str| {
        let of_name = |field: &&String| {
            field
                .split(':')
                .next()
                .is_some_and(|found| found.eq_ignore_ascii_case(name))
        };
        fields.iter().filter(of_name).count()
    };
    for name in ["From", "MIME-Version", "Content-Type", "Message-ID"] {
        assert_eq!(count(name), 1, "{path}: {name}: {fields:#?}");
    }
    // None is made up, and that it lacks is said.
    let is_dateless = fields
        .iter()
        .any(|field| field == "X-Ostfs-Problem: no date stored");
    let dates = usize::from(!is_dateless);
    assert_eq!(count("Date"), dates, "{path}: Date: {fields:#?}");
    for name in [
        "To",
        "Cc",
        "Bcc",
        "Subject",
        "Content-Transfer-Encoding",
        "Reply-To",
        "Sender",
    ] {
        assert!(count(name) <= 1, "{path}: {name}: {fields:#?}");
    }
}

/// Content lines in components that all end.
fn components(path: &str, bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut open: Vec<&str> = Vec::new();
    let mut unfolded: Vec<String> = Vec::new();
    let text = text
        .strip_suffix("\r\n")
        .unwrap_or_else(|| panic!("{path}: no last line end"));
    for line in text.split("\r\n") {
        let bad = |c: char| c.is_control() && c != '\t';
        assert!(!line.contains(bad), "{path}: control character in {line:?}");
        assert!(line.len() <= MOST_OF_CONTENT_LINE, "{path}: {line:?}");
        if let Some(rest) = line.strip_prefix(' ') {
            unfolded.last_mut().expect("a first line").push_str(rest);
            continue;
        }
        unfolded.push(line.to_owned());
    }
    for line in &unfolded {
        let name = line.split([':', ';']).next().unwrap_or_default();
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        assert!(
            line.contains(':') && !name.is_empty() && name.bytes().all(is_name),
            "{path}: no content line: {line:?}"
        );
        if let Some(component) = line.strip_prefix("BEGIN:") {
            assert!(
                !open.is_empty() || ["VCALENDAR", "VCARD"].contains(&component),
                "{path}: {component}"
            );
            open.push(component);
        } else if let Some(component) = line.strip_prefix("END:") {
            assert_eq!(open.pop(), Some(component), "{path}");
        } else {
            assert!(!open.is_empty(), "{path}: outside of all: {line:?}");
        }
    }
    assert!(open.is_empty() && !unfolded.is_empty(), "{path}: {open:?}");
}
