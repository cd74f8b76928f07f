//! `-o search`: the directory of a query is there when somebody asks for it, and has links to what `ostfs search` finds.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::mounted::{Mount, can_mount, ostfs, run};
use crate::programs::installed;
use crate::support::pdf::saying;
use crate::support::{Crypt, Folders, Format, Message as Mail, Payload, Store, filetime};

/// Bodies that take more than the caches have read when a mount begins.
const BODY: usize = 100_000;

fn mail(subject: &str, body: &str) -> Mail {
    let mail = Mail::mail(subject).time(filetime(2024, 5, 1, 9, 30));
    mail.from("Ann Adams", "ann@north.example").body(body)
}

/// Mail in three folders, with the same names in two of them.
fn mailbox(directory: &Path, name: &str) -> PathBuf {
    let path = directory.join(name);
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let top = store.ipm_subtree();
    let [inbox, sent] = ["Inbox", "Sent Items"].map(|name| store.folder(top, name));
    let old = store.folder(sent, "Old");
    store.message(inbox, mail("Numbers", "a purchase order"));
    store.message(sent, mail("Numbers", "an order of purchases"));
    store.message(
        old,
        mail("numbers", "a purchase order").attachment("a.txt", "chairs"),
    );
    let page = mail("Page", "").attachment("page.pdf", Payload::from(saying("lupin")));
    store.message(old, page);
    let long = format!("{}\r\nneedle\r\n", "hay ".repeat(BODY / 4));
    store.message(old, mail("Haystack", &long));
    store.message(inbox, Mail::contact("Jane", "Doe", "jane@west.example"));
    store.write(&path).unwrap();
    path
}

/// Names and targets in a directory of links, in its order.
fn links(directory: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(directory).unwrap();
    let links = entries.map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let target = fs::read_link(&path).unwrap();
        (name, target.to_str().unwrap().to_owned())
    });
    links.collect()
}

#[test]
fn a_query_has_links_to_what_search_finds_in_the_same_order() {
    if !can_mount() || !installed(&["readlink", "cmp", "ls"]) {
        return;
    }
    let scratch = TempDir::new().unwrap();
    let file = mailbox(scratch.path(), "mail.pst");
    let mount = Mount::new(&file, &["-o", "search"]);
    let searches = mount.path.join(".ostfs/search");
    for (query, folder, count) in [
        ("numbers", None, 3),
        ("\"purchase order\"", None, 2),
        ("from:adams has:attachment", None, 2),
        ("chairs OR jane", None, 2),
        ("NOT from:adams", None, 1),
        ("needle", None, 1),
        ("lupin", None, 1),
        ("nowhere", None, 0),
        (
            "folder:\"Sent Items\\Old\"",
            Some("folder:\"Sent Items/Old\""),
            3,
        ),
    ] {
        let output = ostfs(&["search", file.to_str().unwrap(), folder.unwrap_or(query)]);
        let printed = String::from_utf8(output.stdout).unwrap();
        let expected: Vec<String> = printed
            .lines()
            .map(|path| format!("../../../{path}"))
            .collect();
        let found = links(&searches.join(query));
        let targets: Vec<&String> = found.iter().map(|(_, target)| target).collect();
        assert!(
            targets.into_iter().eq(&expected),
            "{query}: {found:?}, {expected:?}"
        );
        assert_eq!(found.len(), count, "{query}: {found:?}");
        for ((name, _), path) in found.iter().zip(printed.lines()) {
            let link = searches.join(query).join(name);
            let link = link.to_str().unwrap();
            let target = mount.path.join(path);
            let target = target.to_str().unwrap();
            assert_eq!(run("readlink", &["-f", link]).trim_end(), target);
            run("cmp", &[link, target]);
        }
    }
    let names: Vec<String> = links(&searches.join("numbers"))
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names[0], "2024-05-01 0930 Numbers.eml");
    assert!(
        names[1..]
            .iter()
            .all(|name| name.contains(" ~") && name.ends_with(".eml")),
        "{names:?}"
    );
    let listed = run("ls", &["-l", searches.join("needle").to_str().unwrap()]);
    assert!(
        listed.contains("Haystack.eml -> ../../../Sent Items/Old/"),
        "{listed}"
    );
}

#[test]
fn what_is_no_query_is_not_there_and_the_problems_tell_why() {
    if !can_mount() {
        return;
    }
    let scratch = TempDir::new().unwrap();
    let file = mailbox(scratch.path(), "mail.pst");
    let mount = Mount::new(&file, &["-o", "search"]);
    let control = mount.path.join(".ostfs");
    for (query, reason) in [
        ("(from:ann", "this ( has no ) behind it"),
        ("colour:red", "there is no field colour"),
        (
            "folder:Nowhere",
            "folder:Nowhere: no such folder; write its path as in the mount, with \\ for /",
        ),
        ("folder:Inbox\\Old", "folder:Inbox/Old: no such folder"),
    ] {
        let error = fs::read_dir(control.join("search").join(query)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{query}");
        let problems = fs::read_to_string(control.join("problems.txt")).unwrap();
        let is_it = |line: &str| line.starts_with(".ostfs/search: ") && line.contains(reason);
        assert!(problems.lines().any(is_it), "{query}: {problems}");
    }
    let without = Mount::new(&file, &[]);
    assert!(!without.path.join(".ostfs/search").exists());
}

/// Bytes that the process of `mount` has read.
fn bytes_read(mount: &Mount) -> u64 {
    let counters = fs::read_to_string(format!("/proc/{}/io", mount.process.id())).unwrap();
    let line = counters.lines().find(|line| line.starts_with("rchar:"));
    line.unwrap()["rchar: ".len()..].parse().unwrap()
}

#[test]
fn nothing_is_looked_for_before_somebody_looks_into_the_directory_and_then_it_is_kept() {
    if !can_mount() || !installed(&["find", "ls", "stat"]) {
        return;
    }
    let scratch = TempDir::new().unwrap();
    let file = mailbox(scratch.path(), "mail.pst");
    let mount = Mount::new(&file, &["-o", "search"]);
    let control = mount.path.join(".ostfs");
    let query = control.join("search/needle");
    let walk = || {
        let found = run("find", &[control.to_str().unwrap()]);
        assert!(!found.contains("needle"), "{found}");
    };
    walk();
    let before = bytes_read(&mount);
    // The body is twice as long in UTF-16; requests of the kernel are counted as well.
    let looked_for = |after: u64| after - before > BODY as u64;
    run("stat", &[query.to_str().unwrap()]);
    walk();
    assert!(!looked_for(bytes_read(&mount)));
    assert_eq!(links(&query).len(), 1);
    assert!(looked_for(bytes_read(&mount)));
    walk();
    let before = bytes_read(&mount);
    run("ls", &["-l", query.to_str().unwrap()]);
    assert_eq!(links(&query).len(), 1);
    assert!(bytes_read(&mount) - before < BODY as u64);
}

#[test]
fn links_keep_their_numbers_and_the_queries_of_one_file_stay_in_it() {
    if !can_mount() {
        return;
    }
    let scratch = TempDir::new().unwrap();
    let files = ["one.pst", "two.pst"].map(|name| mailbox(scratch.path(), name));
    let numbers = || {
        let more = files[0].to_str().unwrap();
        let mount = Mount::new(&files[1], &["-o", "search", more]);
        let mut numbers = Vec::new();
        for name in ["one.pst", "two.pst"] {
            let query = mount
                .path
                .join(name)
                .join(".ostfs/search/folder:Inbox numbers");
            for (link, target) in links(&query) {
                assert_eq!(target, "../../../Inbox/2024-05-01 0930 Numbers.eml");
                let link = query.join(link);
                let resolved = link.canonicalize().unwrap();
                assert!(resolved.starts_with(mount.path.join(name)));
                numbers.push(link.symlink_metadata().unwrap().ino());
            }
            numbers.push(query.symlink_metadata().unwrap().ino());
        }
        assert_eq!(numbers.len(), 4);
        numbers
    };
    let first = numbers();
    assert_eq!(first, numbers());
    assert!(
        (1..4).all(|at| !first[..at].contains(&first[at])),
        "{first:?}"
    );
}

#[test]
fn a_word_index_changes_nothing_that_queries_find_and_is_that_of_the_command() {
    if !can_mount() {
        return;
    }
    let scratch = TempDir::new().unwrap();
    let file = mailbox(scratch.path(), "mail.pst");
    let indexes = scratch.path().join("indexes");
    let option = format!("index={}", indexes.display());
    let queries = [
        "numbers",
        "\"purchase order\"",
        "lupin",
        "chairs OR jane",
        "needle",
    ];
    let found = |options: &str| {
        let mount = Mount::new(&file, &["-o", options]);
        queries.map(|query| links(&mount.path.join(".ostfs/search").join(query)))
    };
    let path = || {
        let mut files = fs::read_dir(&indexes).unwrap();
        let path = files.next().unwrap().unwrap().path();
        assert!(files.next().is_none(), "one file has one index");
        path
    };
    let made = || fs::read(path()).unwrap();
    let without = found("search");
    assert_eq!(found(&option), without);
    let first = made();
    let directory = indexes.to_str().unwrap();
    let output = ostfs(&[
        "search",
        "--index",
        directory,
        file.to_str().unwrap(),
        "chairs",
    ]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(made(), first, "the command has that of the mount");
    let mount = Mount::new(&file, &["-o", &option]);
    let before = bytes_read(&mount);
    assert_eq!(links(&mount.path.join(".ostfs/search/elsewhere")), []);
    assert!(
        bytes_read(&mount) - before < BODY as u64,
        "bodies without the word are not read"
    );
    // What is not whole is made anew.
    fs::write(path(), &first[..first.len() - 1]).unwrap();
    assert_eq!(found(&option), without);
    assert_eq!(made().len(), first.len());
}

#[test]
fn each_file_of_a_mount_has_a_word_index_of_its_own() {
    if !can_mount() {
        return;
    }
    let scratch = TempDir::new().unwrap();
    let [one, two] = ["one.pst", "two.pst"].map(|name| mailbox(scratch.path(), name));
    let indexes = scratch.path().join("indexes");
    let option = format!("index={}", indexes.display());
    let mount = Mount::new(&two, &["-o", &option, one.to_str().unwrap()]);
    for name in ["one.pst", "two.pst"] {
        let searches = mount.path.join(name).join(".ostfs/search");
        assert_eq!(links(&searches.join("needle")).len(), 1);
        assert_eq!(links(&searches.join("elsewhere")), []);
    }
    let sizes = fs::read_dir(&indexes).unwrap();
    let sizes: Vec<u64> = sizes
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .collect();
    assert!(sizes.len() == 2 && sizes[0] > 0, "{sizes:?}");
    assert_eq!(sizes[0], sizes[1], "the same mail has the same words");
}

#[test]
fn no_word_index_of_a_mount_is_written_beside_the_file() {
    let scratch = TempDir::new().unwrap();
    let file = mailbox(scratch.path(), "mail.pst");
    let option = format!("index={}", scratch.path().display());
    let mountpoint = scratch.path().join("mail");
    let [file, mail] = [&file, &mountpoint].map(|path| path.to_str().unwrap());
    let output = ostfs(&["mount", "-o", &option, file, mail]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(16), "{errors}");
    let expected = format!("-o {option}: nothing is written beside");
    assert!(errors.contains(&expected), "{errors}");
    assert!(!mountpoint.exists());
}
