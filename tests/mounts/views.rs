//! `-o views`: directories of links in `.ostfs`, each of which leads to the file that its directory says, as other programs
//! read it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::mounted::{Mount, can_mount, ostfs, picture, run};
use crate::programs::installed;
use crate::support::{Crypt, Folders, Format, Message as Mail, Store, filetime};

/// Delivery, submission, creation, modification.
const TIMES: [u16; 4] = [0x0E06, 0x0039, 0x3007, 0x3008];

/// Mail of two people over two months in three folders, some of it with attachments.
fn mailbox(format: Format) -> (TempDir, PathBuf) {
    let scratch = TempDir::new().unwrap();
    let path = scratch.path().join("views.pst");
    let mut store = Store::new(format, Crypt::Permute);
    let top = store.ipm_subtree();
    let [inbox, sent] = ["Inbox", "Sent"].map(|name| store.folder(top, name));
    let deep = store.folder(inbox, "Deep");
    let mail = |subject: &str, month: i64, name: &str| {
        let mail = Mail::mail(subject).time(filetime(2024, month, 30, 9, 30));
        mail.from(name, "someone@north.example").body("Hello\r\n")
    };
    let inner = mail("Inner", 4, "Eva").attachment("inner.TXT", "within");
    let numbers = mail("Numbers", 5, "Ann Adams").attachment("report.pdf", "first");
    store.message(inbox, numbers.attachment("README", "no extension"));
    store.message(
        sent,
        mail("Numbers", 5, "ANN ADAMS").attachment("report.pdf", "second"),
    );
    store.message(deep, mail("RE: Numbers", 6, "Bob: Brown").embed(inner));
    store.message(inbox, mail("Alone", 6, "Bob: Brown"));
    let nobody = Mail::mail("Nobody").body("Hello\r\n");
    store.message(inbox, TIMES.into_iter().fold(nobody, Mail::without));
    store.message(inbox, Mail::contact("Jane", "Doe", "jane@west.example"));
    store.write(&path).unwrap();
    (scratch, path)
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: BTreeSet<String> = names.collect();
    names.into_iter().collect()
}

#[test]
fn each_link_leads_to_the_file_that_its_directory_says() {
    if !can_mount() || !installed(&["python3", "readlink", "cmp", "find"]) {
        return;
    }
    for format in [Format::Ansi, Format::Unicode, Format::Ost4k] {
        let (_scratch, file) = mailbox(format);
        let mount = Mount::new(&file, &["-o", "views"]);
        let control = mount.path.join(".ostfs");
        let judge = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/views.py");
        let counts = run(
            "python3",
            &[judge.to_str().unwrap(), mount.path.to_str().unwrap()],
        );
        assert_eq!(
            counts.trim(),
            r#"{"attachments": 5, "by-date": 5, "by-sender": 5, "threads": 3}"#,
            "{format:?}"
        );
        let of = |view: &str| names(&control.join(view));
        assert_eq!(of("by-date"), ["(no date)", "2024"]);
        assert_eq!(of("by-date/2024"), ["05", "06"]);
        assert_eq!(of("by-sender"), ["(no sender)", "Ann Adams", "Bob_ Brown"]);
        assert_eq!(of("threads"), ["Numbers"]);
        let extensions = ["(no extension)", "eml", "pdf", "txt"];
        assert_eq!(of("attachments"), extensions);
        assert!(of("by-sender/(no sender)").contains(&"Jane Doe.vcf".to_owned()));
        // Both mails have the same name in their folders, which only one can have here.
        let two = of("by-sender/Ann Adams");
        assert_eq!((two.len(), &*two[1]), (2, "2024-05-30 0930 Numbers.eml"));
        assert!(two[0].starts_with("2024-05-30 0930 Numbers ~"), "{two:?}");
        let link = control.join("by-date/2024/06/2024-06-30 0930 RE_ Numbers.eml");
        let link = link.to_str().unwrap();
        let target = mount
            .path
            .join("Inbox/Deep/2024-06-30 0930 RE_ Numbers.eml");
        let target = target.to_str().unwrap();
        assert_eq!(run("readlink", &["-f", link]).trim_end(), target);
        run("cmp", &[link, target]);
        assert_eq!(
            fs::symlink_metadata(link).unwrap().size(),
            fs::read_link(link).unwrap().as_os_str().len() as u64
        );
    }
}

#[test]
fn programs_that_walk_a_mount_meet_no_view_and_those_that_walk_a_view_come_to_its_end() {
    if !can_mount() || !installed(&["find", "ls", "rsync", "grep"]) {
        return;
    }
    let (_scratch, file) = mailbox(Format::Unicode);
    let (plain, with) = (Mount::new(&file, &[]), Mount::new(&file, &["-o", "views"]));
    assert_eq!(picture(&plain.path), picture(&with.path));
    let control = with.path.join(".ostfs");
    let (control, top) = (control.to_str().unwrap(), with.path.to_str().unwrap());
    let found = run("find", &[control, "-type", "l"]);
    // By date and by sender each item, a thread of three, and five attachments.
    assert_eq!(found.lines().count(), 6 + 6 + 3 + 5, "{found}");
    assert_eq!(run("find", &[top, "-type", "l"]), "");
    assert!(run("find", &[control, "-xtype", "l"]).is_empty());
    assert!(run("ls", &["-lR", control]).contains("Numbers.eml -> ../../../"));
    let copy = TempDir::new().unwrap();
    run(
        "rsync",
        &["-a", &format!("{control}/"), copy.path().to_str().unwrap()],
    );
    let links = |top: &Path| {
        let mut links = picture(&top.join("by-date"));
        links.retain(|_, picture| picture.kind == 'l');
        links
    };
    assert_eq!(links(&with.path.join(".ostfs")), links(copy.path()));
    let grep = run("grep", &["-rl", "Hello", &format!("{top}/Inbox")]);
    assert_eq!(grep.lines().count(), 5, "{grep}");
    let export = |options: &str| {
        let target = TempDir::new().unwrap();
        let tree = target.path().join("tree");
        let paths = [&file, &tree].map(|path| path.to_str().unwrap());
        let output = ostfs(&["export", "-o", options, paths[0], paths[1]]);
        assert!(output.status.success(), "{output:?}");
        picture(&tree)
    };
    assert_eq!(export("views"), export("sandbox=on"));
}

#[test]
fn links_have_the_same_numbers_on_every_mount_and_each_its_own() {
    if !can_mount() {
        return;
    }
    let (_scratch, file) = mailbox(Format::Unicode);
    let mounts = [
        Mount::new(&file, &["-o", "views"]),
        Mount::new(&file, &["-o", "views"]),
    ];
    let numbers = |mount: &Mount, order: &str| {
        let script = format!("find .ostfs . -printf '%i %p\\n' {order} | sort -u -k2");
        run(
            "sh",
            &["-c", &format!("cd '{}' && {script}", mount.path.display())],
        )
    };
    // One of them is asked for the last directory first.
    names(&mounts[0].path.join(".ostfs/attachments/pdf"));
    let [first, second] = mounts.each_ref().map(|mount| numbers(mount, ""));
    assert_eq!(first, second);
    let all: Vec<&str> = first
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    let different: BTreeSet<&&str> = all.iter().collect();
    assert_eq!(all.len(), different.len(), "{first}");
}

#[test]
fn what_the_options_hide_has_no_link() {
    if !can_mount() {
        return;
    }
    let (_scratch, file) = mailbox(Format::Unicode);
    let of = |options: &str| {
        let mount = Mount::new(&file, &["-o", options]);
        let control = mount.path.join(".ostfs");
        let names = names(&control);
        (mount, names)
    };
    let views = |names: &[String]| {
        let views = ["by-date", "by-sender", "threads", "attachments"];
        views.map(|view| names.contains(&view.to_owned()))
    };
    assert_eq!(views(&of("ro").1), [false; 4]);
    for without in ["views,attachments=eml", "views,layout=maildir"] {
        assert_eq!(views(&of(without).1), [true, true, true, false]);
    }
    let (mount, _) = of("views,layout=maildir");
    let month = mount.path.join(".ostfs/by-date/2024/06");
    let links = names(&month);
    assert_eq!(links.len(), 2);
    for link in links {
        assert!(
            fs::read_to_string(month.join(link))
                .unwrap()
                .contains("Hello")
        );
    }
}

#[test]
fn commands_find_a_view_without_a_mount() {
    let (_scratch, file) = mailbox(Format::Unicode);
    let ask = |command: &str, path: &str| {
        let output = ostfs(&[command, "-o", "views", file.to_str().unwrap(), path]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(ask("ls", ".ostfs/by-date/2024"), "05\n06\n");
    let name = "2024-06-30 0930 RE_ Numbers.eml";
    let linked = ask("cat", &format!(".ostfs/threads/numbers/{name}"));
    assert_eq!(linked, ask("cat", &format!("Inbox/Deep/{name}")));
    assert!(linked.contains("Subject: RE: Numbers"), "{linked}");
}
