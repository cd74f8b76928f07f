//! Mail programs, search and a browser judge what a mount shows: the sample, and real files where they are there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::mounted::{Mount, can_mount, picture};
use crate::programs::{command, in_terminal, installed, output};
use crate::support::sample::sample;
use crate::support::{Crypt, Folders, Format, Message as Mail, Store as MailStore};
use crate::{corpus, phrase};
use ostfs::ltp::tags;
use ostfs::messaging::{Message, Store};
use ostfs::ndb::NodeId;
use tempfile::TempDir;

/// The upper bits of an inode number tell what it is, the lower ones are the node.
const KIND_SHIFT: u32 = 60;
const MESSAGE: u64 = 1;

/// The sample and all real files, mounted side by side.
struct Shelf {
    /// A directory with a link to each mount.
    path: PathBuf,
    stores: Vec<Mounted>,
    home: TempDir,
}

/// One file, and the mount that shows it.
struct Mounted {
    file: PathBuf,
    mount: Mount,
}

impl Shelf {
    /// None where one cannot mount, or one of `programs` is missing.
    fn new(programs: &[&str]) -> Option<Shelf> {
        if !can_mount() || !installed(programs) {
            return None;
        }
        let home = TempDir::new().unwrap();
        let path = home.path().join("shelf");
        fs::create_dir(&path).unwrap();
        let own = home.path().join("sample.pst");
        sample(Format::Unicode, Crypt::Permute).write(&own).unwrap();
        let mut stores = Vec::new();
        for file in std::iter::once(own).chain(corpus::files()) {
            let mount = Mount::new(&file, &["-o", "all,items=eml"]);
            symlink(&mount.path, path.join(file.file_name().unwrap())).unwrap();
            stores.push(Mounted { file, mount });
        }
        Some(Shelf { path, stores, home })
    }

    /// Every `.eml` as it is found below [`Shelf::path`], those in directories of attachments included.
    fn emls(&self) -> BTreeSet<PathBuf> {
        let mut all = BTreeSet::new();
        for store in &self.stores {
            let name = store.file.file_name().unwrap();
            for (path, entry) in picture(&store.mount.path) {
                if entry.kind == 'f' && path.extension().is_some_and(|end| end == "eml") {
                    all.insert(self.path.join(name).join(path));
                }
            }
        }
        all
    }

    /// A Maildir with a link to each of `emls`.
    fn maildir(&self, emls: &BTreeSet<PathBuf>) -> PathBuf {
        let maildir = self.home.path().join("Maildir");
        for directory in ["cur", "new", "tmp"] {
            fs::create_dir_all(maildir.join(directory)).unwrap();
        }
        for (number, eml) in emls.iter().enumerate() {
            symlink(eml, maildir.join(format!("cur/{number:06}:2,S"))).unwrap();
        }
        maildir
    }

    fn command(&self, program: &str) -> std::process::Command {
        command(program, self.home.path())
    }
}

impl Mounted {
    /// The files of messages, by node.
    fn messages(&self) -> BTreeMap<u32, PathBuf> {
        let files = picture(&self.mount.path).into_iter();
        let paths = files
            .filter(|(_, entry)| entry.kind == 'f')
            .map(|(path, _)| self.mount.path.join(path));
        paths
            .map(|path| (path.metadata().unwrap().ino(), path))
            .filter(|(ino, _)| ino >> KIND_SHIFT == MESSAGE)
            .map(|(ino, path)| (ino as u32, path))
            .collect()
    }

    /// The stored messages, with the files that show them.
    fn stored(&self) -> Vec<(PathBuf, Message)> {
        let ndb = ostfs::ndb::open(&self.file, 16 << 20).unwrap();
        let store = Arc::new(Store::open(ndb));
        let messages = self.messages().into_iter();
        messages
            .map(|(nid, path)| (path, Message::open(&store, NodeId(nid)).unwrap()))
            .collect()
    }

    /// Phrases of the stored bodies, with the file that has to show them.
    fn phrases(&self) -> Vec<(PathBuf, String)> {
        let mut all = Vec::new();
        for (path, message) in self.stored() {
            let phrases = phrase::of_message(&message).into_iter();
            all.extend(phrases.map(|phrase| (path.clone(), phrase)));
        }
        all
    }

    /// The Content-IDs of the attachments of each message.
    fn content_ids(&self) -> Vec<(PathBuf, Vec<String>)> {
        let ids = |message: &Message| {
            let attachments = message.attachments().into_iter();
            attachments
                .filter_map(|attachment| {
                    let properties = attachment.properties().unwrap();
                    properties.string(tags::ATTACH_CONTENT_ID).unwrap()
                })
                .collect()
        };
        let stored = self.stored().into_iter();
        stored
            .map(|(path, message)| (path, ids(&message)))
            .collect()
    }
}

#[test]
fn grep_finds_the_words_of_every_body_in_the_file_of_its_message() {
    let Some(shelf) = Shelf::new(&["grep"]) else {
        return;
    };
    let mut missed = Vec::new();
    let mut count = 0;
    for store in &shelf.stores {
        for (path, phrase) in store.phrases() {
            let mut grep = shelf.command("grep");
            let found = grep.args(["-qF", "-e", &phrase]).arg(&path).status();
            count += 1;
            // A paragraph that is too long for a line of mail is encoded, with breaks in it.
            if !found.unwrap().success() && !has_decoded(&path, &phrase) {
                missed.push(format!("{}: {phrase}", path.display()));
            }
        }
    }
    println!("grep: {count} phrases");
    assert!(count >= 7, "{count} phrases");
    assert!(
        missed.is_empty(),
        "{} of {count} not found:\n{}",
        missed.len(),
        missed.join("\n")
    );
}

/// Whether the quoted-printable text of the mail at `path` has `phrase`.
fn has_decoded(path: &Path, phrase: &str) -> bool {
    let mail = fs::read_to_string(path).unwrap();
    let parts = mail.split("Content-Transfer-Encoding: quoted-printable");
    parts
        .skip(1)
        .any(|part| part.replace("=\n", "").contains(phrase))
}

/// Words of the sample: in a body, in a body of rich text, in other scripts, of an embedded message, in HTML.
const WORDS: [(&str, &str); 6] = [
    ("the numbers are attached", "Quarterly numbers.eml"),
    ("Bold and plain", "Rich text.eml"),
    ("よろしくお願いします", "会議の資料 _ план встречи.eml"),
    ("Ждём вас", "会議の資料 _ план встречи.eml"),
    ("We have 10,000 left", "FW_ Budget.eml"),
    ("Schöne Grüße", "Grüße aus Köln_ naïve café.eml"),
];

#[test]
fn searches_over_the_whole_mount_find_words_in_any_language() {
    let Some(shelf) = Shelf::new(&["grep", "rg"]) else {
        return;
    };
    for (words, name) in WORDS {
        for program in [&["grep", "-rlF"][..], &["rg", "-lF"]] {
            let mut search = shelf.command(program[0]);
            search.args(&program[1..]).arg("-e").arg(words);
            let found = output(search.arg(&shelf.stores[0].mount.path));
            assert!(
                found.lines().any(|line| line.ends_with(name)),
                "{program:?} {words}: {found}"
            );
        }
    }
}

#[test]
fn grep_finds_words_in_paragraphs_longer_than_a_line_of_mail_in_the_text_beside_it() {
    if !can_mount() || !installed(&["grep"]) {
        return;
    }
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("long.pst");
    let mut store = MailStore::new(Format::Unicode, Crypt::Permute);
    let top = store.ipm_subtree();
    let inbox = store.folder(top, "Inbox");
    let words = [
        ("English", "somewhere ", "needle"),
        ("Russian", "где-нибудь ", "иголка"),
        ("Japanese", "どこかで", "針"),
    ];
    for (language, filling, needle) in words {
        let filling = filling.repeat(200);
        let body = format!("{filling}{needle} {filling}\r\n");
        let mail = Mail::mail(language).from("Ann", "ann@north.example");
        store.message(inbox, mail.body(&body));
    }
    store.write(&file).unwrap();
    let mount = Mount::new(&file, &["-o", "text"]);
    for (language, filling, needle) in words {
        for word in [filling.trim(), needle] {
            let mut grep = command("grep", directory.path());
            let found = grep.args(["-rlF", word]).arg(&mount.path).output().unwrap();
            let found = String::from_utf8(found.stdout).unwrap();
            assert!(found.contains(language), "{language}: {word}");
        }
    }
}

#[test]
fn notmuch_indexes_every_message_and_finds_subjects_bodies_and_attachments() {
    let Some(shelf) = Shelf::new(&["notmuch"]) else {
        return;
    };
    let emls = shelf.emls();
    let mail = fs::canonicalize(&shelf.path).unwrap();
    let config = format!(
        "[database]\npath={}\n[user]\nname=Ann\nprimary_email=ann@north.example\n[search]\nexclude_tags=\n",
        mail.display()
    );
    fs::write(shelf.home.path().join("notmuch-config"), config).unwrap();
    let notmuch = |arguments: &[&str]| output(shelf.command("notmuch").args(arguments));
    let said = notmuch(&["new"]);
    let refused: Vec<_> = said
        .lines()
        .filter(|line| line.contains("Note:") && line.ends_with(".eml"))
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
    let indexed: BTreeSet<PathBuf> = notmuch(&["search", "--output=files", "*"])
        .lines()
        .map(PathBuf::from)
        .collect();
    println!("notmuch: {} of {} messages", indexed.len(), emls.len());
    let missing: Vec<_> = emls.difference(&indexed).collect();
    assert!(missing.is_empty(), "{missing:?}");

    let sample = format!(
        "path:{}/**",
        shelf.stores[0].file.file_name().unwrap().display()
    );
    for (query, name) in [
        ("subject:\"Quarterly numbers\"", "Quarterly numbers.eml"),
        ("subject:会議の資料", "会議の資料 _ план встречи.eml"),
        ("subject:встречи", "会議の資料 _ план встречи.eml"),
        ("attachment:report.xlsx", "Quarterly numbers.eml"),
        ("mimetype:image/png", "Grüße aus Köln_ naïve café.eml"),
        ("from:ann@north.example", "RE_ Quarterly numbers.eml"),
        ("to:eva@south.example", "RE_ Quarterly numbers.eml"),
        ("date:2024-05-06", "会議の資料 _ план встречи.eml"),
        (
            "thread:\"{subject:Quarterly}\"",
            "RE_ Quarterly numbers.eml",
        ),
    ]
    .into_iter()
    .map(|(query, name)| (query.to_owned(), name))
    .chain(WORDS.map(|(words, name)| (format!("\"{words}\""), name)))
    {
        let found = notmuch(&["search", "--output=files", &sample, &query]);
        assert!(
            found.lines().any(|line| line.ends_with(name)),
            "{query}: {found}"
        );
    }
}

#[test]
fn mu_indexes_a_maildir_of_links_and_finds_what_it_shall() {
    let Some(shelf) = Shelf::new(&["mu"]) else {
        return;
    };
    let emls = shelf.emls();
    let maildir = shelf.maildir(&emls);
    let mu = |arguments: &[&str]| output(shelf.command("mu").args(arguments));
    mu(&[
        "init",
        "--quiet",
        &format!("--maildir={}", maildir.display()),
    ]);
    mu(&["index", "--quiet"]);
    let found = mu(&["find", "--fields", "l", ""]);
    let found: BTreeSet<PathBuf> = found
        .lines()
        .map(|line| fs::canonicalize(line).unwrap())
        .collect();
    let missing: Vec<_> = emls
        .iter()
        .filter(|eml| !found.contains(&fs::canonicalize(eml).unwrap()))
        .collect();
    println!("mu: {} messages", found.len());
    assert!(missing.is_empty(), "{missing:?}");
    for (query, subject) in [
        ("subject:Quarterly", "Quarterly numbers"),
        ("file:report.xlsx", "Quarterly numbers"),
        ("from:bob@north.example", "Rich text"),
        ("встречи", "会議の資料 / план встречи"),
        ("Ждём", "会議の資料 / план встречи"),
        ("Grüße", "Grüße aus Köln: naïve café"),
        ("body:plain", "Rich text"),
    ] {
        let found = mu(&["find", "--fields", "s", query]);
        assert!(
            found.lines().any(|line| line == subject),
            "{query}: {found}"
        );
    }
}

#[test]
fn mutt_opens_every_message_and_shows_its_text() {
    let Some(shelf) = Shelf::new(&["mutt", "script"]) else {
        return;
    };
    let emls = shelf.emls();
    let maildir = shelf.maildir(&emls);
    let shown = shelf.home.path().join("shown");
    // Mutt decodes all messages into one pipe.
    let rc = format!(
        "set folder=. charset=utf-8 mark_old=no wait_key=no sort=mailbox-order\n\
         set pipe_decode pipe_sep=\"\\f\\n\" assumed_charset=us-ascii\n\
         alternative_order text/plain text/html\n\
         set auto_tag\n\
         push \"<tag-pattern>~A<enter><pipe-message>cat > {}<enter><exit>\"\n",
        shown.display()
    );
    fs::write(shelf.home.path().join("muttrc"), rc).unwrap();
    let mutt = format!("mutt -n -R -F muttrc -f {}", maildir.display());
    in_terminal(&mutt, shelf.home.path());
    let shown = fs::read(&shown).unwrap();
    let shown = String::from_utf8_lossy(&shown);
    println!("mutt: {} bytes", shown.len());
    for (words, _) in WORDS {
        assert!(shown.contains(words), "{words}");
    }
    assert!(shown.contains("Subject: 会議の資料 / план встречи"));
    let mut missed = Vec::new();
    for store in &shelf.stores {
        let phrases = store.phrases().into_iter();
        missed.extend(phrases.filter(|(_, phrase)| !shown.contains(phrase)));
    }
    assert!(missed.is_empty(), "{} {missed:#?}", missed.len());
}

#[test]
fn a_browser_shows_html_bodies_with_their_inline_images() {
    let Some(shelf) = Shelf::new(&["chromium", "python3"]) else {
        return;
    };
    let pages = shelf.home.path().join("pages");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/pages.py");
    let mut python = shelf.command("python3");
    python.arg(script).arg(&pages);
    for store in &shelf.stores {
        python.args(store.messages().into_values());
    }
    let content_ids: BTreeMap<PathBuf, Vec<String>> =
        shelf.stores.iter().flat_map(Mounted::content_ids).collect();
    let made: serde_json::Value = serde_json::from_str(&output(&mut python)).unwrap();
    let page = format!("file://{}/index.html", pages.display());
    let profile = format!(
        "--user-data-dir={}",
        shelf.home.path().join("chromium").display()
    );
    let dom = output(shelf.command("chromium").args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--virtual-time-budget=60000",
        &profile,
        "--dump-dom",
        &page,
    ]));
    let expected = made["pages"].as_object().unwrap();
    println!(
        "chromium: {} HTML bodies, {} with {} inline images",
        made["html"],
        expected.len(),
        expected
            .values()
            .filter_map(|facts| facts["images"].as_u64())
            .sum::<u64>()
    );
    let judged = dom
        .split_once("<pre id=\"judged\">")
        .and_then(|(_, rest)| rest.split_once("</pre>"))
        .unwrap_or_else(|| panic!("{dom}"));
    let judged: serde_json::Value = serde_json::from_str(judged.0).unwrap();
    assert!(!expected.is_empty());
    for (page, facts) in expected {
        let seen = &judged[page];
        assert_eq!(seen["loaded"], facts["images"], "{page}: {facts} {seen}");
        assert_eq!(seen["text"], true, "{page}: {facts} {seen}");
        // A reference may lead nowhere when the file has no such attachment either.
        let file = Path::new(facts["file"].as_str().unwrap());
        for reference in facts["unresolved"].as_array().unwrap() {
            let id = reference.as_str().unwrap().trim_start_matches("cid:");
            assert!(!content_ids[file].iter().any(|have| have == id), "{facts}");
        }
    }
}
