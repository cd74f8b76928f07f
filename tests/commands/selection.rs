//! One path language: what one command prints every other takes; filters that match nothing; several files; defaults.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::mounted::{OSTFS, names_in, ostfs};
use crate::support::*;
use tempfile::TempDir;

struct Scene(TempDir);

impl Scene {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file with folders whose names are no names of files, and one item in each.
    fn file(&self, name: &str) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut store = Store::new(Format::Unicode, Crypt::Permute);
        let top = store.ipm_subtree();
        let inbox = store.folder(top, "Inbox");
        let projects = store.folder(inbox, "Projects");
        for folder in [
            inbox,
            projects,
            store.folder(top, "Q1/0"),
            store.folder(top, "q1:0"),
            store.folder(top, "Entwürfe"),
        ] {
            store.message(
                folder,
                Message::mail("Hello")
                    .from("Ann", "ann@north.example")
                    .body("text")
                    .time(filetime(2024, 5, 1, 9, 32)),
            );
        }
        store.write(&path).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn broken(&self, name: &str) -> String {
        let path = self.path(name);
        fs::write(&path, "no mail at all").unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Runs ostfs here, with these variables and no configuration but that of the test.
    fn run(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
        let mut command = Command::new(OSTFS);
        command.args(arguments).current_dir(self.0.path());
        command.env_remove("RUST_LOG").env_remove("OSTFS_OPTIONS");
        command.env("XDG_CONFIG_HOME", self.path("configuration"));
        command.envs(variables.iter().copied()).output().unwrap()
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What the command prints; it has to succeed.
fn good(arguments: &[&str]) -> String {
    let output = ostfs(arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        errors(&output)
    );
    out(&output)
}

#[test]
fn the_paths_that_info_prints_are_those_that_every_command_takes() {
    let scene = Scene::new();
    let file = scene.file("mail.pst");
    let tree = scene.path("tree");
    good(&["export", &file, tree.to_str().unwrap()]);
    let info: serde_json::Value = serde_json::from_str(&good(&["info", "--json", &file])).unwrap();
    assert_eq!(info["file"], file.as_str());
    let folders = info["folders"].as_array().unwrap();
    let (shown, hidden): (Vec<_>, Vec<_>) =
        folders.iter().partition(|folder| folder["shown"] == true);
    let mut with_items = 0;
    for folder in shown {
        let path = folder["path"].as_str().unwrap();
        assert!(tree.join(path.trim_start_matches('/')).is_dir(), "{path}");
        let listed = good(&["ls", &file, path]);
        if folder["found"] != 0 {
            with_items += 1;
            assert!(
                listed.contains("2024-05-01 0932 Hello.eml"),
                "{path}: {listed}"
            );
            good(&["index", "--no-hash", "--folder", path, &file]);
        }
    }
    assert_eq!(with_items, 5);
    assert!(!hidden.is_empty());
    for folder in hidden {
        good(&["ls", "-o", "all", &file, folder["path"].as_str().unwrap()]);
    }
    let text = good(&["info", &file]);
    assert!(text.contains("  Inbox/Projects\n"), "{text}");
    assert!(!text.contains("Q1/0"), "{text}");
}

#[test]
fn case_counts_nowhere_unless_it_tells_two_apart() {
    let scene = Scene::new();
    let file = scene.file("mail.pst");
    let listed = good(&["ls", &file, "Inbox/Projects"]);
    for path in ["inbox/projects", "/INBOX/Projects/", "inbox//PROJECTS"] {
        assert_eq!(good(&["ls", &file, path]), listed, "{path}");
        assert_eq!(
            good(&["index", "--no-hash", "--folder", path, &file])
                .lines()
                .count(),
            2
        );
    }
    good(&["ls", &file, "ENTWU\u{308}RFE"]);
    let mail = "2024-05-01 0932 Hello.eml";
    let exact = good(&["cat", &file, &format!("Inbox/{mail}")]);
    assert_eq!(
        good(&["cat", &file, &format!("inbox/{}", mail.to_uppercase())]),
        exact
    );
}

#[test]
fn a_folder_or_class_that_is_not_there_is_told_with_the_nearest_names() {
    let scene = Scene::new();
    let file = scene.file("mail.pst");
    for command in [&["index"][..], &["export"], &["export", "--to", "pst"]] {
        for (filter, wanted, near) in [
            ("--folder", "Inbox/Project", "Inbox/Projects"),
            ("--folder", "Projects", "Inbox/Projects"),
            ("--class", "IPM.Nots", "IPM.Note"),
        ] {
            let target = scene.path("target");
            let mut arguments = [command, &[filter, wanted, &file]].concat();
            if command[0] == "export" {
                arguments.push(target.to_str().unwrap());
            }
            let output = ostfs(&arguments);
            let errors = errors(&output);
            assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
            assert!(errors.contains(wanted) && errors.contains(near), "{errors}");
            if !command.contains(&"pst") {
                assert!(!target.exists(), "{arguments:?}");
            }
            fs::remove_file(&target).ok();
        }
    }
}

#[test]
fn nothing_found_says_so_and_the_table_still_has_its_header() {
    let scene = Scene::new();
    let file = scene.file("mail.pst");
    let header = good(&["index", "--no-hash", &file])
        .lines()
        .next()
        .unwrap()
        .to_owned();
    assert!(header.starts_with("path,nid,"), "{header}");
    let output = ostfs(&["index", "--no-hash", "--since", "2030-01-01", &file]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(out(&output), format!("{header}\n"));
    assert!(
        errors(&output).contains("nothing fulfils"),
        "{}",
        errors(&output)
    );
    let target = scene.path("nothing");
    let output = ostfs(&[
        "export",
        "--subject",
        "no such thing",
        &file,
        target.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!target.exists());
    // An empty file without a filter is no failure.
    let empty = scene.path("empty.pst");
    Store::new(Format::Unicode, Crypt::Permute)
        .write(&empty)
        .unwrap();
    assert_eq!(
        good(&["index", "--no-hash", empty.to_str().unwrap()]),
        format!("{header}\n")
    );
}

#[test]
fn a_table_for_spreadsheets_has_no_formula_and_json_has_the_text() {
    let scene = Scene::new();
    let file = scene.path("mail.pst");
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let inbox = store.folder(store.ipm_subtree(), "=Inbox");
    let formulas = ["=HYPERLINK(\"http://x.example\")", "+1", "-1", "@SUM(A1)"];
    for formula in formulas {
        store.message(
            inbox,
            Message::mail(formula)
                .from("=1+1", "ann@north.example")
                .body("text"),
        );
    }
    store.message(inbox, Message::mail("plain = text").body("text"));
    store.write(&file).unwrap();
    let file = file.to_str().unwrap();
    let table = |arguments: &[&str]| -> Vec<Vec<String>> {
        let text = good(&[&["index", "--no-hash"], arguments, &[file]].concat());
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(text.as_bytes());
        let rows = reader.records().map(Result::unwrap);
        rows.map(|row| row.iter().map(str::to_owned).collect())
            .collect()
    };
    let runs = |cell: &String| cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let (plain, safe) = (table(&[]), table(&["--csv-safe"]));
    assert!(plain.iter().flatten().filter(|cell| runs(cell)).count() > formulas.len());
    for (plain, safe) in plain.iter().flatten().zip(safe.iter().flatten()) {
        let expected = if runs(plain) {
            format!("'{plain}")
        } else {
            plain.clone()
        };
        assert_eq!(*safe, expected);
    }
    let json = good(&["index", "--no-hash", "--json", file]);
    for line in json.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(!record["subject"].as_str().unwrap().starts_with('\''));
    }
    for refused in [
        &["index", "--json", "--csv-safe", file][..],
        &["export", "--csv-safe", file, "x"],
    ] {
        assert_eq!(ostfs(refused).status.code(), Some(16), "{refused:?}");
    }
}

#[test]
fn several_files_have_the_paths_of_a_mount_of_them() {
    let scene = Scene::new();
    let [a, b] = ["a.pst", "b.ost"].map(|name| scene.file(name));
    assert_eq!(good(&["ls", &a, &b]), "a.pst\nb.ost\n");
    let mail = "Inbox/2024-05-01 0932 Hello.eml";
    let one = good(&["cat", &b, mail]);
    assert_eq!(good(&["cat", &a, &b, &format!("b.ost/{mail}")]), one);
    assert_eq!(
        good(&["ls", &a, &b, "A.PST/inbox"]),
        good(&["ls", &a, "Inbox"])
    );
    let info = good(&["info", &a, &b]);
    assert!(
        info.contains(&format!("File        {a}\n"))
            && info.contains(&format!("File        {b}\n"))
    );
    let checked = good(&["check", "-v", &a, &b]);
    assert!(
        checked.contains(&format!("{a}:\nchecked")) && checked.contains(&format!("{b}:\nchecked"))
    );
    let reports = good(&["check", "--json", &a, &b]);
    let reports: Vec<serde_json::Value> = serde_json::Deserializer::from_str(&reports)
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let files: Vec<&str> = reports
        .iter()
        .map(|report| report["file"].as_str().unwrap())
        .collect();
    assert_eq!(files, [a.as_str(), b.as_str()]);
}

#[test]
fn one_bad_file_costs_itself() {
    let scene = Scene::new();
    let [a, b] = ["a.pst", "b.ost"].map(|name| scene.file(name));
    let broken = scene.broken("broken.pst");
    let missing = scene.path("missing.pst");
    let target = scene.path("target");
    for (command, code) in [
        ("ls", 4),
        ("info", 4),
        ("index", 4),
        ("export", 4),
        ("check", 8),
    ] {
        for bad in [broken.as_str(), missing.to_str().unwrap()] {
            // For ls, a path that is no file would be one of the tree.
            if command == "ls" && bad != broken {
                continue;
            }
            let mut arguments = vec![command, &a, bad, &b];
            if command == "export" {
                arguments.push(target.to_str().unwrap());
            }
            let output = ostfs(&arguments);
            let errors = errors(&output);
            assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
            assert!(
                errors.contains(bad) && errors.contains("1 of 3 files"),
                "{errors}"
            );
            let printed = out(&output);
            if ["ls", "index"].contains(&command) {
                assert!(
                    printed.contains("a.pst") && printed.contains("b.ost"),
                    "{printed}"
                );
            }
            if command == "export" {
                assert!(target.join("a.pst/Inbox").is_dir() && target.join("b.ost/Inbox").is_dir());
                fs::remove_dir_all(&target).unwrap();
            }
        }
    }
    // If none is left, it is as with one.
    let output = ostfs(&["info", &broken, &broken]);
    assert_eq!(output.status.code(), Some(3));
}

/// `ostfs export --to pst` with these arguments.
fn copy_for_outlook(options: &[&str], files: &[&str], target: &Path) -> Output {
    let target = target.to_str().unwrap();
    ostfs(&[&["export", "--to", "pst"], options, files, &[target]].concat())
}

#[test]
fn one_bad_file_costs_itself_in_a_copy_for_outlook() {
    let scene = Scene::new();
    let [a, b] = ["a.pst", "b.ost"].map(|name| scene.file(name));
    let broken = scene.broken("broken.pst");
    // Each into a file of its own.
    let parts = scene.path("parts/");
    let output = copy_for_outlook(&[], &[&a, &broken, &b], &parts);
    let text = errors(&output);
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(
        text.contains(&broken) && text.contains("1 of 3 files"),
        "{text}"
    );
    assert_eq!(names_in(&parts), ["a.pst", "b.pst"]);
    // All into one.
    let one = scene.path("one.pst");
    let output = copy_for_outlook(&[], &[&a, &broken, &b], &one);
    assert_eq!(output.status.code(), Some(4), "{}", errors(&output));
    let listed = good(&["ls", one.to_str().unwrap()]);
    assert_eq!(
        listed.matches("Top of Outlook data file").count(),
        2,
        "{listed}"
    );
    // If none is left, it is as with one.
    let none = scene.path("none.pst");
    let output = copy_for_outlook(&[], &[&broken, &broken], &none);
    assert_eq!(output.status.code(), Some(3), "{}", errors(&output));
    assert!(!none.exists());
}

#[test]
fn a_filter_that_takes_nothing_leaves_no_empty_copy_for_outlook() {
    let scene = Scene::new();
    let (a, b) = (scene.file("a.pst"), scene.path("b.pst"));
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    store.message(inbox, Message::mail("Only here").body("text"));
    store.write(&b).unwrap();
    let b = b.to_str().unwrap();
    let target = scene.path("target.pst");
    let before = names_in(scene.0.path());
    for filter in [["--subject", "no such thing"], ["--since", "2030-01-01"]] {
        let output = copy_for_outlook(&filter, &[&a], &target);
        let text = errors(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("nothing fulfils"), "{text}");
        assert_eq!(names_in(scene.0.path()), before, "{filter:?}");
    }
    // What was there before stays.
    fs::write(&target, "something").unwrap();
    copy_for_outlook(&["--force", "--subject", "no such thing"], &[&a], &target);
    assert_eq!(fs::read(&target).unwrap(), b"something");
    // Of several, those of which something is taken are written.
    let parts = scene.path("parts/");
    let output = copy_for_outlook(&["--subject", "Only here"], &[&a, b], &parts);
    let text = errors(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("a.pst: not written: nothing fulfils"),
        "{text}"
    );
    assert_eq!(names_in(&parts), ["b.pst"]);
    let output = copy_for_outlook(&["--subject", "nowhere"], &[&a, b], &scene.path("none/"));
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
    assert!(!scene.path("none").exists());
}

#[test]
fn files_of_one_name_are_told_apart_by_whose_they_are() {
    let scene = Scene::new();
    let files = ["ann", "bob"].map(|user| scene.file(&format!("{user}/Outlook/outlook.ost")));
    assert_eq!(
        good(&["ls", &files[0], &files[1]]),
        "ann - outlook.ost\nbob - outlook.ost\n"
    );
}

#[test]
fn defaults_come_from_a_file_and_the_environment_and_what_is_typed_wins() {
    let scene = Scene::new();
    let file = scene.file("mail.pst");
    let listed = |variables: &[(&str, &str)], arguments: &[&str]| {
        let output = scene.run(variables, &[&["ls", &file, "Inbox"], arguments].concat());
        assert!(output.status.success(), "{}", errors(&output));
        out(&output)
    };
    assert_eq!(
        listed(&[], &["--names", "{subject}"]),
        "Hello.eml\nProjects\n"
    );
    let variable = [("OSTFS_OPTIONS", "names={from},text")];
    assert_eq!(listed(&variable, &[]), "Ann.eml\nAnn.txt\nProjects\n");
    let options = scene.path("configuration/ostfs/options");
    fs::create_dir_all(options.parent().unwrap()).unwrap();
    fs::write(&options, "# for grep\ntext\n\nnames={nid}\n").unwrap();
    assert!(listed(&[], &[]).contains(".txt\n"));
    assert_eq!(
        listed(&variable, &["-o", "names={subject}"]),
        "Hello.eml\nHello.txt\nProjects\n"
    );
    // A path printed by one command is there in the next.
    let path = listed(&[], &["-R"]).lines().next().unwrap().to_owned();
    let output = scene.run(&[], &["cat", &file, &path]);
    assert!(output.status.success(), "{}", errors(&output));
    // A mistake is told with its place.
    fs::write(&options, "text\ntxet\n").unwrap();
    let output = scene.run(&[], &["ls", &file]);
    assert_eq!(output.status.code(), Some(16));
    assert!(
        errors(&output).contains("ostfs/options, line 2: -o txet"),
        "{}",
        errors(&output)
    );
    fs::remove_file(&options).unwrap();
    let output = scene.run(&[("OSTFS_OPTIONS", "txet")], &["info", &file]);
    assert!(
        errors(&output).contains("OSTFS_OPTIONS: -o txet"),
        "{}",
        errors(&output)
    );
    assert!(Path::new(&file).exists());
}

/// What names a file names its item everywhere.
#[test]
fn an_item_is_called_the_same_by_every_command() {
    let scene = Scene::new();
    let path = scene.path("named.pst");
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    let account = Message::new("IPM.Network", "")
        .without(tags::SUBJECT)
        .without(tags::NORMALIZED_SUBJECT);
    store.message(inbox, account.prop(tags::DISPLAY_NAME, "live:somebody"));
    let contact = Message::contact("Jane", "Doe", "jane@west.example");
    store.message(inbox, contact);
    store.write(&path).unwrap();
    let file = path.to_str().unwrap();
    let listed = good(&["ls", file, "Inbox"]);
    assert_eq!(listed, "2024-05-01 0932 (no subject).eml\nJane Doe.vcf\n");
    let index = good(&["index", "--no-hash", "--json", file]);
    assert!(!index.contains("live:somebody"), "{index}");
    assert!(index.contains("\"subject\":\"Jane Doe\""), "{index}");
    let index = good(&["cat", file, ".ostfs/index.csv"]);
    assert!(!index.contains("live:somebody"), "{index}");
    assert!(index.contains(",Jane Doe,IPM.Contact,"), "{index}");
    let found = |arguments: &[&str]| ostfs(arguments).status.success();
    for (name, is_called_so) in [("live", false), ("jane", true)] {
        let filter = ["index", "--no-hash", "--subject", name, file];
        assert_eq!(found(&filter), is_called_so, "{name}");
        let query = format!("subject:{name}");
        assert_eq!(found(&["search", file, &query]), is_called_so, "{name}");
    }
}
