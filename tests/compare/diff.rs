//! `ostfs diff`: what was lost, changed and moved, and that the figures add up.

use std::path::Path;

use serde_json::Value as Json;

use crate::mailbox::{File, MESSAGE, mail, write};
use crate::support::*;
use crate::{corpus, mounted, run, said, text};

/// A file with these items: a folder and a message each.
fn file(items: &[(&str, Message)]) -> File {
    write(Format::Unicode, Crypt::Permute, |store| {
        let mut folders = std::collections::BTreeMap::new();
        for (name, message) in items {
            let top = store.ipm_subtree();
            let folder = *folders
                .entry(*name)
                .or_insert_with(|| store.folder(top, *name));
            store.message(folder, message.clone());
        }
    })
}

/// A message that is told from others by its search key.
fn keyed(subject: &str, key: u8) -> Message {
    const SEARCH_KEY: u16 = 0x300B;
    const CONVERSATION_INDEX: u16 = 0x0071;
    mail(subject)
        .prop(SEARCH_KEY, vec![key; 16])
        .prop(CONVERSATION_INDEX, vec![1; 22])
}

fn lines(text: &str) -> Vec<Json> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The figures of all folders, after they have been found to add up.
fn figures(said: &str) -> Vec<Json> {
    let mut folders = lines(said);
    folders.retain(|line| line.get("folder").is_some());
    for folder in &folders {
        let count = |name: &str| folder[name].as_u64().unwrap();
        let both = count("same") + count("changed");
        let a = both + count("moved_away") + count("only_a");
        let b = both + count("moved_here") + count("only_b");
        assert_eq!((count("a"), count("b")), (a, b), "{folder}");
    }
    folders
}

fn sum(folders: &[Json], name: &str) -> u64 {
    folders.iter().map(|of| of[name].as_u64().unwrap()).sum()
}

#[test]
fn what_is_lost_new_changed_and_moved_is_told_by_folder() {
    let a = file(&[
        ("Inbox", keyed("same", 1)),
        ("Inbox", keyed("lost", 2)),
        ("Inbox", keyed("edited", 3)),
        ("Inbox", keyed("filed", 4)),
        ("Inbox", keyed("read", 5).unread()),
    ]);
    let b = file(&[
        ("Inbox", keyed("new", 6)),
        ("Inbox", keyed("read", 5)),
        ("Archive", keyed("filed", 4)),
        ("Inbox", keyed("edited", 3).body("Other text\r\n")),
        ("Inbox", keyed("same", 1)),
    ]);
    let said = run(&["diff", text(&a.path), text(&b.path)], 1);
    let expected = "\
changed: Inbox/2024-05-01 0900 edited.eml (body, text body)
changed: Inbox/2024-05-01 0900 read.eml (state)
moved: Inbox/2024-05-01 0900 filed.eml -> Archive/2024-05-01 0900 filed.eml
only in A: Inbox/2024-05-01 0900 lost.eml
only in B: Inbox/2024-05-01 0900 new.eml
    in A    in B    same changed    away    here  only A  only B  folder
       0       1       0       0       0       1       0       0  Archive
       5       4       1       2       1       0       1       1  Inbox
       5       5       1       2       1       1       1       1  (all)
";
    let mut found: Vec<&str> = said.lines().collect();
    found[..5].sort_unstable();
    assert_eq!(found.join("\n") + "\n", expected);
    let json = run(&["diff", "--json", text(&a.path), text(&b.path)], 1);
    let folders = figures(&json);
    assert_eq!((sum(&folders, "a"), sum(&folders, "b")), (5, 5));
    let of_kind = |is: &dyn Fn(&Json) -> bool| lines(&json).iter().filter(|line| is(line)).count();
    assert_eq!(
        of_kind(&|line| line["b"].is_null() && line["a"].is_string()),
        1
    );
    assert_eq!(of_kind(&|line| line["moved"] == true), 1);
    assert_eq!(of_kind(&|line| line["fields"][0] == "state"), 1);
}

#[test]
fn copies_of_one_item_are_matched_one_by_one() {
    let three = file(&[
        ("Inbox", mail("x")),
        ("Inbox", mail("x")),
        ("Inbox", mail("x")),
    ]);
    let two = file(&[("Inbox", mail("x")), ("Inbox", mail("x"))]);
    let said = run(&["diff", "--json", text(&three.path), text(&two.path)], 1);
    let folders = figures(&said);
    assert_eq!((sum(&folders, "same"), sum(&folders, "only_a")), (2, 1));
}

#[test]
fn the_exit_code_is_that_of_diff_and_4_where_something_is_not_whole() {
    let one = file(&[("Inbox", mail("x"))]);
    let other = file(&[("Inbox", mail("y"))]);
    let missing = one.path.with_file_name("missing.pst");
    run(&["diff", text(&one.path), text(&one.path)], 0);
    run(&["diff", text(&one.path), text(&other.path)], 1);
    run(&["diff", text(&one.path), text(&missing)], 2);
    run(
        &["diff", text(&one.path), text(one.path.parent().unwrap())],
        3,
    );
    run(&["diff", text(&one.path)], 16);
    let large = || mail("x").attachment("large.bin", Payload::random(100_000, 1));
    let damaged = file(&[("Inbox", large())]);
    let whole = file(&[("Inbox", large())]);
    damaged.damage().flip_attachment(MESSAGE, 0);
    let said = run(&["diff", text(&whole.path), text(&damaged.path)], 4);
    assert!(said.contains("(attachments); damaged in B\n"), "{said}");
    run(&["diff", text(&damaged.path), text(&damaged.path)], 4);
}

#[test]
fn a_real_file_does_not_differ_from_itself_nor_from_its_copy_as_a_pst() {
    let mut whole = 0;
    for file in corpus::files() {
        // Some of them are damaged.
        let code = mounted::ostfs(&["index", text(&file)])
            .status
            .code()
            .unwrap();
        let itself = run(&["diff", "--json", text(&file), text(&file)], code);
        let folders = figures(&itself);
        assert_eq!(
            sum(&folders, "a"),
            sum(&folders, "same"),
            "{}",
            file.display()
        );
        if code != 0 {
            continue;
        }
        whole += 1;
        let scratch = tempfile::tempdir().unwrap();
        let copy = scratch.path().join("copy.pst");
        run(&["export", "--to", "pst", text(&file), text(&copy)], 0);
        let output = mounted::ostfs(&["diff", "--json", text(&file), text(&copy)]);
        let differences = lines(&said(&output));
        let differences = differences
            .iter()
            .filter(|line| line.get("folder").is_none());
        let differences: Vec<_> = differences.collect();
        assert!(
            differences.is_empty(),
            "{}: {differences:?}",
            file.display()
        );
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
    assert!(whole > 30 || corpus::folder().is_none(), "{whole}");
}

#[test]
fn of_damaged_real_files_every_item_is_accounted_for() {
    const SMALL: &str = "pstsdk-test_unicode.pst";
    let Some((_scratch, damaged)) = corpus::damaged(SMALL) else {
        return;
    };
    let whole = corpus::file(SMALL);
    let items = |path: &Path| {
        let said = run(&["diff", "--json", text(path), text(path)], 0);
        sum(&figures(&said), "a")
    };
    let all = items(&whole);
    for damage in damaged {
        let output = mounted::ostfs(&["diff", "--json", text(&whole), text(&damage.file)]);
        if ![0, 1, 4].contains(&output.status.code().unwrap()) {
            continue;
        }
        let folders = figures(&said(&output));
        assert_eq!(sum(&folders, "a"), all, "{}", damage.what);
        let lost = sum(&folders, "only_a") + sum(&folders, "changed");
        let moved = sum(&folders, "moved_away");
        let is_told = lost + moved == 0 || output.status.code() != Some(0);
        assert!(is_told, "{}: {output:?}", damage.what);
    }
}
