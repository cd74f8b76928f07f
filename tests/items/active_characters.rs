//! Characters that end lines, steer terminals or turn the direction of writing, in values that end up in calendars, cards,
//! tables and JSON: no reader takes them for anything but text. Programs of others read what is written.

use std::fs;
use std::path::{Path, PathBuf};

use crate::mounted::{export, ostfs, run};
use crate::pim::judges::judge;
use crate::support::{
    Crypt, Folders, Format, Message, PS_PUBLIC_STRINGS, PSETID_ADDRESS, PSETID_APPOINTMENT,
    PSETID_COMMON, PSETID_TASK, Store, Value, filetime,
};
use serde_json::json;
use tempfile::TempDir;

/// What some reader takes for the end of a line, and more: separators of lines and paragraphs, C0 and C1 controls, a sequence
/// for terminals, and what turns the direction of writing.
const ACTIVE: &str = "a\u{2028}END:VCALENDAR\u{2029}END:VCARD\u{85}X-EVIL:1\u{b}b\u{c}c\u{1c}d\u{9b}31me\u{1b}[2J\
                      \u{202e}f\u{2066}g\u{2069}\u{7f}h\u{0}i";
/// What has to be left of it, in this order.
const WORDS: [&str; 5] = ["a", "END:VCALENDAR", "END:VCARD", "X-EVIL:1", "b"];

/// `name` in front of what is active.
fn value(name: &str) -> String {
    format!("{name} {ACTIVE}")
}

fn strings(message: Message, tags: &[u16]) -> Message {
    let tags = tags.iter();
    tags.fold(message, |message, tag| {
        message.prop(*tag, value(&format!("{tag:x}")).as_str())
    })
}

fn named(message: Message, set: [u8; 16], lids: &[u32]) -> Message {
    let lids = lids.iter();
    lids.fold(message, |message, lid| {
        message.named(set, *lid, value(&format!("{lid:x}")).as_str())
    })
}

/// One item of each kind, with such text wherever it has some.
fn items() -> [Message; 4] {
    let time = |hour| Value::Time(filetime(2024, 5, 1, hour, 0));
    let subject = value("Subject");
    let item = |class: &str| {
        Message::new(class, &subject)
            .body(&value("Body"))
            .from(&value("From"), "ann@north.example")
            .to(&value("To"), "bob@north.example")
            .time(filetime(2024, 5, 1, 9, 32))
            .named_text(
                PS_PUBLIC_STRINGS,
                "Keywords",
                Value::MvStr(vec![value("Category")]),
            )
    };
    let contact = strings(
        item("IPM.Contact"),
        &[
            0x3001, 0x3A06, 0x3A11, 0x3A16, 0x3A17, 0x3A18, 0x3A08, 0x3A09, 0x3A1C, 0x3A45, 0x3A4F,
            0x3A51,
        ],
    );
    let contact = named(
        contact,
        PSETID_ADDRESS,
        &[0x8005, 0x801B, 0x8045, 0x8046, 0x8062, 0x8080, 0x8083],
    );
    let appointment = named(
        item("IPM.Appointment")
            .named(PSETID_APPOINTMENT, 0x820D, time(9))
            .named(PSETID_APPOINTMENT, 0x820E, time(10)),
        PSETID_APPOINTMENT,
        &[0x8208, 0x8234, 0x8238],
    );
    let task = named(
        item("IPM.Task").named(PSETID_TASK, 0x8105, time(9)),
        PSETID_TASK,
        &[0x811F, 0x8121],
    );
    let journal = named(
        item("IPM.Activity").named(PSETID_COMMON, 0x8516, time(9)),
        PSETID_COMMON,
        &[0x8539, 0x8530],
    );
    [contact, appointment, task, journal]
}

/// The files of `extension` below `folder`.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(directory) = todo.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => todo.push(path),
                false if path.extension().is_some_and(|end| end == extension) => found.push(path),
                false => {}
            }
        }
    }
    found.sort();
    found
}

#[test]
fn calendars_and_cards_have_no_character_that_acts_and_no_line_too_many() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("store.pst");
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let folder = store.folder(store.ipm_subtree(), &*value("Folder"));
    for item in items() {
        store.message(folder, item);
    }
    store.write(&file).unwrap();
    for version in ["vcard=3", "vcard=4"] {
        let (_scratch, tree) = export(&file, &["-o", version]);
        let calendars = files(&tree, "ics");
        let cards = files(&tree, "vcf");
        assert_eq!((calendars.len(), cards.len()), (3, 1));
        let manifest = directory.path().join("manifest.json");
        let all: Vec<_> = calendars.iter().chain(&cards).collect();
        let entries: Vec<_> = all.iter().map(|path| json!({"file": path})).collect();
        fs::write(&manifest, json!(entries).to_string()).unwrap();
        judge("parsers.py", &[&manifest]);
        judge("libical.py", &[&manifest]);
        for path in all {
            let text = fs::read_to_string(path).unwrap();
            let unfolded = text.replace("\r\n ", "");
            for line in unfolded.lines() {
                assert!(
                    !line.starts_with("X-EVIL") && !line.chars().any(acts),
                    "{}: {line:?}",
                    path.display()
                );
            }
            let ends = unfolded.matches("\r\nEND:VC").count();
            assert_eq!(ends, 1, "{}", path.display());
            let body = unfolded.find(":Body a").expect("the body");
            assert_in_order(&unfolded[body..], &WORDS);
        }
    }
    assert_tables(&file, directory.path());
}

/// `str.splitlines` of Python breaks at most of what others take for line ends: it judges that no table has more lines than
/// rows, and JSON none but its own.
fn assert_tables(file: &Path, scratch: &Path) {
    let path = file.to_str().unwrap();
    let manifest = |name: &str| scratch.join(name).to_str().unwrap().to_owned();
    let (csv, lines) = (manifest("manifest.csv"), manifest("manifest.jsonl"));
    for to in [&csv, &lines] {
        let tree = TempDir::new().unwrap();
        let tree = tree.path().join("tree");
        let output = ostfs(&["export", path, tree.to_str().unwrap(), "--manifest", to]);
        assert!(output.status.success(), "{output:?}");
    }
    let output = ostfs(&["cat", path, ".ostfs/index.csv"]);
    let index = manifest("index.csv");
    fs::write(&index, output.stdout).unwrap();
    let output = ostfs(&["info", "--json", path]);
    let info = manifest("info.json");
    fs::write(&info, output.stdout).unwrap();
    let check = "import csv, io, json, sys, unicodedata
acts = lambda text: any(unicodedata.category(c) in ('Cc', 'Zl', 'Zp') or '\\u202a' <= c <= '\\u202e' or '\\u2066' <= c <= '\\u2069' for c in text)
*tables, lines, info = sys.argv[1:]
for path in tables:
    text = open(path, encoding='utf-8', newline='').read()
    rows = list(csv.reader(io.StringIO(text, newline=''), strict=True))
    assert len(rows) == len(text.splitlines()) >= 5, path
    assert len({len(row) for row in rows}) == 1, path
    assert not acts(''.join(map(''.join, rows))), path
    assert 'X-EVIL:1' in text, path
text = open(lines, encoding='utf-8', newline='').read()
assert len(text.splitlines()) == text.count('\\n')
assert not acts(text.replace('\\n', ''))
subjects = [json.loads(line).get('subject') or '' for line in text.splitlines()]
assert sum('\\u2028' in subject for subject in subjects) == 4, subjects
text = open(info, encoding='utf-8', newline='').read()
assert not acts(text.replace('\\n', ''))
# Paths are those of the tree, whose names have none.
paths = [folder['path'] for folder in json.loads(text)['folders']]
assert len(paths) > 3 and not any(map(acts, paths)), paths";
    run("python3", &["-c", check, &csv, &index, &lines, &info]);
}

/// Whether a character does something to what shows it.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn assert_in_order(text: &str, words: &[&str]) {
    let mut rest = text;
    for word in words {
        let at = rest
            .find(word)
            .unwrap_or_else(|| panic!("no {word}: {text}"));
        rest = &rest[at + word.len()..];
    }
}
