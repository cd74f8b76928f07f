//! `--index`: a search finds and tells the same with a word index as without, whatever state the index is in.

use std::fs;
use std::path::PathBuf;

use super::{QUERIES, Scene, scene};
use crate::mounted::ostfs;
use crate::support::damage::Damage;
use crate::support::*;
use tempfile::TempDir;

/// The exit code of a wrong command line.
const USAGE: i32 = 16;

/// A directory for indexes.
struct Indexes(TempDir);

impl Indexes {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn options(&self) -> [&str; 2] {
        ["--index", self.0.path().to_str().unwrap()]
    }

    /// The only file in it.
    fn file(&self) -> PathBuf {
        let mut files = fs::read_dir(self.0.path()).unwrap();
        let file = files.next().expect("an index").unwrap().path();
        assert!(files.next().is_none(), "one file has one index");
        file
    }
}

#[test]
fn an_index_changes_nothing_that_is_found() {
    let scene = scene();
    let indexes = Indexes::new();
    for (query, found) in QUERIES {
        assert_eq!(scene.found(&indexes.options(), query), *found, "{query}");
    }
    let lines = |options: &[&str]| scene.run(&[options, &["-C", "1"]].concat(), "order");
    assert_eq!(lines(&indexes.options()), lines(&[]));
}

#[test]
fn an_index_is_that_of_the_file_as_it_is_now_and_of_the_options() {
    let indexes = Indexes::new();
    let with_body = |body: &str| {
        let mail = Message::mail("one")
            .body(body)
            .attachment("a.txt", "attached");
        Scene::new(|store| {
            store.message(store.ipm_subtree(), mail);
        })
    };
    let scene = with_body("first");
    assert_eq!(scene.found(&indexes.options(), "first"), ["one"]);
    let first = fs::read(indexes.file()).unwrap();
    assert_eq!(scene.found(&indexes.options(), "second"), [""; 0]);
    assert_eq!(fs::read(indexes.file()).unwrap(), first, "nothing was new");
    fs::copy(with_body("second").file, &scene.file).unwrap();
    assert_eq!(scene.found(&indexes.options(), "first"), [""; 0]);
    assert_eq!(scene.found(&indexes.options(), "second"), ["one"]);
    let options = [&indexes.options()[..], &["-o", "tz=Asia/Tokyo"]].concat();
    assert_eq!(scene.found(&options, "second"), ["one"]);
    assert_ne!(fs::read(indexes.file()).unwrap(), first);
}

#[test]
fn an_index_that_is_not_whole_is_made_anew() {
    let scene = scene();
    let indexes = Indexes::new();
    assert_eq!(scene.found(&indexes.options(), "chairs"), ["one"]);
    let whole = fs::read(indexes.file()).unwrap();
    let step = whole.len() / 40;
    for at in (0..whole.len()).step_by(step.max(1)) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        for broken in [&flipped[..], &whole[..at]] {
            fs::write(indexes.file(), broken).unwrap();
            assert_eq!(
                scene.found(&indexes.options(), "chairs"),
                ["one"],
                "byte {at}"
            );
            // Records have no order.
            let made = fs::read(indexes.file()).unwrap();
            assert_eq!(made.len(), whole.len(), "byte {at}");
        }
    }
}

#[test]
fn what_is_wrong_with_an_item_is_told_by_each_search_that_looks_at_it() {
    let scene = Scene::new(|store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let long = "words of a long text\r\n".repeat(1000);
        store.message(
            inbox,
            Message::mail("one").attachment("long.txt", long.as_str()),
        );
        store.message(inbox, Message::mail("two").body("words"));
    });
    let damage = Damage::open(&scene.file, &scene.layout).unwrap();
    damage.flip_attachment(0x20_0024, 0);
    let indexes = Indexes::new();
    let mut codes = Vec::new();
    for query in ["words", "nowhere", "subject:one", "body:words"] {
        let without = scene.run(&[], query);
        scene.run(&indexes.options(), query);
        assert_eq!(scene.run(&indexes.options(), query), without, "{query}");
        codes.push(without.2);
    }
    assert_eq!(codes, [4, 4, 0, 0]);
}

#[test]
fn each_of_several_files_has_an_index_of_its_own() {
    let (one, other) = (scene(), scene());
    let indexes = Indexes::new();
    let files = [&one.file, &other.file].map(|file| file.to_str().unwrap());
    let run = |options: &[&str]| {
        let output = ostfs(&[&["search"], options, &files[..], &["chairs"]].concat());
        String::from_utf8(output.stdout).unwrap()
    };
    let without = run(&[]);
    assert_eq!(without.lines().count(), 2, "{without}");
    for _ in 0..2 {
        assert_eq!(run(&indexes.options()), without);
    }
    assert_eq!(fs::read_dir(indexes.0.path()).unwrap().count(), 2);
}

#[test]
fn no_index_is_written_beside_the_file_or_where_there_is_no_directory() {
    let scene = scene();
    let beside = scene.folder.path().to_str().unwrap();
    let (out, errors, code) = scene.run(&["--index", beside], "chairs");
    assert_eq!((out.as_str(), code), ("", USAGE), "{errors}");
    assert!(errors.contains("give another directory"), "{errors}");
    assert_eq!(fs::read_dir(beside).unwrap().count(), 1);
    let (out, errors, code) = scene.run(&["--index", "/dev/null/index"], "chairs");
    assert_eq!((out.as_str(), code), ("", 2), "{errors}");
}
