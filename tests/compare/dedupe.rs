//! `ostfs export --dedupe` and `--only-in`: what is dropped is there once more, whole, and told; families stay together.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::mailbox::{FORMATS, File, MESSAGE, mail, write};
use crate::support::*;
use crate::{corpus, hashes_of, mounted, run, text};

const LIST: &str = "ostfs-duplicates.csv";

struct Scene {
    scratch: TempDir,
    a: File,
    b: File,
}

fn large() -> Message {
    mail("large").attachment("large.bin", Payload::random(200_000, 1))
}

impl Scene {
    /// Two files: the first has an item twice, and both have two in common.
    fn new(format: Format, crypt: Crypt) -> Self {
        let a = write(format, crypt, |store| {
            let inbox = store.folder(store.ipm_subtree(), "Inbox");
            assert_eq!(store.message(inbox, large()), MESSAGE);
            store.message(inbox, mail("twice"));
            store.message(inbox, mail("twice"));
            store.message(inbox, mail("a alone"));
        });
        let b = write(format, crypt, |store| {
            let old = store.folder(store.ipm_subtree(), "Old");
            store.message(old, mail("b alone").embed(large()));
            store.message(old, mail("twice").unread());
            store.message(old, large());
        });
        let scratch = TempDir::new().unwrap();
        for (file, name) in [(&a, "a.pst"), (&b, "b.pst")] {
            fs::copy(&file.path, scratch.path().join(name)).unwrap();
        }
        Self { scratch, a, b }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Exports both with `options`, into `target` in the scratch directory.
    fn export(&self, options: &[&str], target: &str, code: i32) -> String {
        let paths = [self.path("a.pst"), self.path("b.pst"), self.path(target)];
        let mut arguments = vec!["export"];
        arguments.extend(options);
        arguments.extend(paths.iter().map(|path| text(path)));
        run(&arguments, code)
    }
}

/// All files below `top` whose names end so, by their paths from there.
fn files(top: &Path, end: &str) -> BTreeSet<String> {
    let entries = mounted::picture(top).into_iter();
    let files = entries.filter(|(_, entry)| entry.kind == 'f');
    let paths = files.map(|(path, _)| path.to_str().unwrap().to_owned());
    paths.filter(|path| path.ends_with(end)).collect()
}

/// The columns `dropped` and `kept` of a list.
fn dropped(list: &Path) -> Vec<(String, String)> {
    let mut reader = csv::Reader::from_path(list).unwrap();
    let names = "rule recipe hash dropped dropped_nid kept kept_nid dropped_is_damaged";
    let header: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    assert_eq!(header.join(" "), names);
    let rows = reader.records().map(Result::unwrap);
    rows.map(|row| {
        assert_eq!((&row[1], row[2].len()), ("ostfs-1", 32), "{row:?}");
        (row[3].to_owned(), row[5].to_owned())
    })
    .collect()
}

#[test]
fn each_content_is_written_once_with_its_attachments_and_the_rest_is_told() {
    for (format, crypt) in FORMATS {
        let scene = Scene::new(format, crypt);
        let said = scene.export(&["--dedupe"], "all", 0);
        let all = scene.path("all");
        let mail = files(&all, ".eml");
        let expected = [
            "a.pst/Inbox/2024-05-01 0900 a alone.eml",
            "a.pst/Inbox/2024-05-01 0900 large.eml",
            "a.pst/Inbox/2024-05-01 0900 twice.eml",
            "b.pst/Old/2024-05-01 0900 b alone.eml",
        ];
        let own = mail.iter().filter(|path| !path.contains("attachments"));
        assert_eq!(own.collect::<Vec<_>>(), expected, "{said}");
        // The family of what was dropped goes with it, and that of what is kept stays.
        let large = files(&all, "large.bin");
        assert_eq!(large.len(), 2, "{large:?}");
        assert!(
            large
                .iter()
                .all(|path| !path.contains("Old/2024-05-01 0900 large"))
        );
        let dropped = dropped(&all.join(LIST));
        assert_eq!(dropped.len(), 3, "{dropped:?}");
        for (dropped, kept) in &dropped {
            assert!(!all.join(dropped).exists(), "{dropped}");
            assert!(all.join(kept).exists(), "{kept}");
        }
        let line = "7 items, 3 duplicates dropped, 4 kept";
        assert!(said.contains(line), "{said}");
    }
}

#[test]
fn within_a_mailbox_other_files_do_not_count() {
    let scene = Scene::new(Format::Unicode, Crypt::Permute);
    scene.export(&["--dedupe=mailbox"], "all", 0);
    let dropped = dropped(&scene.path("all").join(LIST));
    let expected = "a.pst/Inbox/2024-05-01 0900 twice ~200064.eml";
    assert_eq!(dropped.len(), 1);
    assert_eq!(dropped[0].0, expected);
}

#[test]
fn the_whole_copy_is_kept_and_damaged_ones_are_not_dropped_for_each_other() {
    let scene = Scene::new(Format::Unicode, Crypt::Permute);
    // The attachment lacks a sector in the file that comes first, and the other has all of it.
    scene.a.damage().flip_attachment(MESSAGE, 0);
    fs::copy(&scene.a.path, scene.path("a.pst")).unwrap();
    let list = scene.path("dropped.csv");
    scene.export(&["--dedupe", "--duplicates", text(&list)], "all", 4);
    assert!(files(&scene.path("all"), "Old/2024-05-01 0900 large.eml").len() == 1);
    // Twice the same damaged file: none of the two is dropped.
    fs::copy(&scene.a.path, scene.path("b.pst")).unwrap();
    let again = ["--dedupe", "--force", "--duplicates", text(&list)];
    scene.export(&again, "twice", 4);
    assert_eq!(files(&scene.path("twice"), " large.eml").len(), 2);
    assert_eq!(dropped(&list).len(), 4, "the others are whole");
}

#[test]
fn a_damaged_copy_that_reads_the_same_is_dropped_for_the_whole_one() {
    let scene = Scene::new(Format::Unicode, Crypt::Permute);
    // Its checksum is wrong, and its bytes are right.
    let damage = scene.a.damage();
    let blocks = damage.leaves(damage.attachment_data(MESSAGE, 0));
    damage.wrong_block_crc(blocks[0]);
    fs::copy(&scene.a.path, scene.path("a.pst")).unwrap();
    assert!(hashes_of(&scene.path("a.pst"))[&MESSAGE].is_damaged);
    scene.export(&["--dedupe"], "all", 0);
    let dropped = dropped(&scene.path("all").join(LIST));
    let pair = |(dropped, kept): &(String, String)| {
        dropped.starts_with("a.pst/Inbox/2024-05-01 0900 large") && kept.starts_with("b.pst/Old/")
    };
    assert!(dropped.iter().any(pair), "{dropped:?}");
}

#[test]
fn every_target_leaves_the_same_items_out() {
    let scene = Scene::new(Format::Unicode, Crypt::Permute);
    let list = scene.path("dropped.csv");
    let with_list = ["--dedupe", "--force", "--duplicates", text(&list)];
    scene.export(&with_list, "all", 0);
    let expected = dropped(&list);
    let count = |to: &[&str], target: &str| {
        let options = [&with_list[..], to].concat();
        let said = scene.export(&options, target, 0);
        assert!(said.contains("3 duplicates dropped"), "{said}");
        assert_eq!(dropped(&list).len(), expected.len(), "{to:?}");
    };
    count(&["--to", "tar"], "all.tar");
    let listed = mounted::run("tar", &["-tf", text(&scene.path("all.tar"))]);
    let mail = |line: &&str| line.ends_with(".eml") && !line.contains("attachments");
    assert_eq!(listed.lines().filter(mail).count(), 4, "{listed}");
    count(&["--to", "zip"], "all.zip");
    count(&["--to", "mbox"], "all.mbox");
    let mbox = fs::read_to_string(scene.path("all.mbox")).unwrap();
    let starts = mbox.lines().filter(|line| line.starts_with("From "));
    assert_eq!(starts.count(), 4);
    count(&["--to", "maildir"], "Maildir");
    count(&["--to", "pst"], "all.pst");
    assert_eq!(hashes_of(&scene.path("all.pst")).len(), 4);
}

#[test]
fn nothing_is_dropped_without_a_list() {
    let scene = Scene::new(Format::Unicode, Crypt::Permute);
    scene.export(&["--dedupe", "--to", "tar"], "all.tar", 16);
    scene.export(&["--dedupe", "--to", "pst"], "all.pst", 16);
    let files = fs::read_dir(scene.scratch.path()).unwrap();
    assert_eq!(files.count(), 2, "nothing was written");
    scene.export(&["--duplicates", "list.csv"], "all", 16);
}

#[test]
fn a_filter_decides_what_can_be_kept() {
    let scene = Scene::new(Format::Unicode, Crypt::Permute);
    scene.export(&["--dedupe", "--folder", "b.pst/Old"], "all", 0);
    assert!(dropped(&scene.path("all").join(LIST)).is_empty());
    assert_eq!(files(&scene.path("all"), " large.eml").len(), 1);
}

#[test]
fn only_what_the_other_does_not_have_is_written() {
    let scene = Scene::new(Format::Unicode, Crypt::Permute);
    let (a, b) = (scene.path("a.pst"), scene.path("b.pst"));
    let news = scene.path("news");
    run(&["export", "--only-in", text(&a), text(&b), text(&news)], 0);
    let mail: Vec<String> = files(&news, ".eml").into_iter().collect();
    // One of the two copies is in the other file, too.
    assert_eq!(
        mail,
        [
            "Inbox/2024-05-01 0900 a alone.eml",
            "Inbox/2024-05-01 0900 twice ~200064.eml"
        ]
    );
    let none = scene.path("none");
    run(&["export", "--only-in", text(&a), text(&a), text(&none)], 1);
    assert!(!none.exists(), "a directory with nothing in it goes again");
    // What the other has damaged is not there.
    scene.b.damage().flip_attachment(MESSAGE + 0x40, 0);
    let damaged = scene.path("damaged.pst");
    fs::copy(&scene.b.path, &damaged).unwrap();
    let more = scene.path("more");
    run(
        &["export", "--only-in", text(&a), text(&damaged), text(&more)],
        0,
    );
    assert_eq!(files(&more, " large.eml").len(), 1);
}

#[test]
fn only_what_the_other_does_not_have_is_copied_to_a_pst() {
    let scene = Scene::new(Format::Unicode, Crypt::Permute);
    let (a, b) = (scene.path("a.pst"), scene.path("b.pst"));
    let news = scene.path("news.pst");
    let only_in = ["export", "--to", "pst", "--only-in"];
    let export = |from: &Path, other: &Path, to: &Path, code| {
        run(
            &[&only_in[..], &[text(from), text(other), text(to)]].concat(),
            code,
        )
    };
    export(&a, &b, &news, 0);
    let contents = |path: &Path| -> Vec<_> {
        let hashes = hashes_of(path).into_values();
        let mut contents: Vec<_> = hashes.map(|hashes| hashes.content).collect();
        contents.sort_unstable();
        contents
    };
    // Of five in the first, large and one of the two copies are in the other.
    let (first, others) = (contents(&a), contents(&b));
    let mut wanted = first.clone();
    for other in &others {
        if let Some(index) = wanted.iter().position(|content| content == other) {
            wanted.remove(index);
        }
    }
    assert_eq!(wanted.len(), 2, "{first:?} {others:?}");
    assert_eq!(contents(&news), wanted);
    let none = scene.path("none.pst");
    export(&a, &a, &none, 1);
    assert!(!none.exists());
    let gone = scene.path("gone/");
    export(&a, &a, &gone, 1);
    let nobody = ["export", "--to", "pst", "--from", "nobody"];
    run(&[&nobody[..], &[text(&a), text(&gone)]].concat(), 1);
    assert!(!gone.exists(), "a directory with nothing in it goes again");
    // In a directory, the new file has the name of what it is made of.
    export(&a, &b, &scene.path("parts/"), 0);
    assert_eq!(contents(&scene.path("parts/a.pst")), wanted);
}

#[test]
fn a_list_for_a_spreadsheet_has_no_formulas() {
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        let folder = store.folder(store.ipm_subtree(), "=1+1");
        store.message(folder, mail("twice"));
        store.message(folder, mail("twice"));
    });
    let scratch = TempDir::new().unwrap();
    for (option, begin) in [("", "=1+1/"), ("--csv-safe", "'=1+1/")] {
        let target = scratch.path().join(format!("all{option}"));
        let mut arguments = vec!["export", "--dedupe"];
        arguments.extend([option].into_iter().filter(|option| !option.is_empty()));
        arguments.extend([text(&file.path), text(&target)]);
        run(&arguments, 0);
        let list = fs::read_to_string(target.join(LIST)).unwrap();
        let line = list.lines().nth(1).unwrap();
        let cells: Vec<&str> = line.split(',').collect();
        assert!(cells[3].starts_with(begin), "{line}");
        assert!(cells[5].starts_with(begin), "{line}");
    }
}

#[test]
fn of_real_files_all_contents_are_still_there() {
    let names = ["pstsdk-sample1.pst", "pstsdk-sample2.pst"];
    if corpus::folder().is_none() {
        return;
    }
    let files = names.map(corpus::file);
    let scratch = TempDir::new().unwrap();
    let all = scratch.path().join("all.pst");
    let list = scratch.path().join("dropped.csv");
    let mut arguments = vec![
        "export",
        "--to",
        "pst",
        "--dedupe",
        "--duplicates",
        text(&list),
    ];
    arguments.extend(files.iter().map(|file| text(file)));
    arguments.push(text(&all));
    run(&arguments, 0);
    let contents = |path: &Path| {
        let hashes = hashes_of(path).into_values();
        hashes.map(|hashes| hashes.content).collect::<BTreeSet<_>>()
    };
    let kept = hashes_of(&all);
    let distinct = contents(&all);
    assert_eq!(kept.len(), distinct.len(), "each is there once");
    for file in &files {
        assert!(contents(file).is_subset(&distinct), "{}", file.display());
    }
}
