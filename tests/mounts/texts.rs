//! `-o text`: the text beside each item, for reading and for `grep`.

use std::path::{Path, PathBuf};

use crate::corpus;
use crate::layouts::names;
use crate::mounted::{Mount, can_mount, export, ostfs, picture};
use crate::programs::{command, installed, output};
use crate::support::{Crypt, Folders, Format, Message as Mail, Store as MailStore, filetime};
use tempfile::TempDir;

/// One message of each kind of body, an item of each kind, and words to find in the text beside each.
fn readable() -> (TempDir, PathBuf) {
    let scratch = TempDir::new().unwrap();
    let path = scratch.path().join("readable.pst");
    let mut store = MailStore::new(Format::Unicode, Crypt::Permute);
    let top = store.ipm_subtree();
    let inbox = store.folder(top, "Inbox");
    let mail = |subject: &str| {
        Mail::mail(subject)
            .time(filetime(2024, 7, 31, 22, 30))
            .from("Jörg Müller", "joerg@north.example")
            .to("Bob", "bob@north.example")
            .cc("Eva", "eva@south.example")
            .message_id("<one@north.example>")
    };
    let inner = mail("Inner")
        .body("words within words\r\n")
        .attachment("b.csv", "1,2\r\n");
    let plain = mail("План встречи").body("Hello,\r\n\r\nthe numbers.\r\n");
    store.message(inbox, plain.attachment("a.bin", vec![0; 4711]).embed(inner));
    store.message(
        inbox,
        mail("HTML").html("<p>only <b>marked</b> up, caf&eacute;</p>"),
    );
    store.message(
        inbox,
        mail("RTF").rtf("{\\rtf1\\ansi {\\b Bold} and plain.\\par}"),
    );
    store.message(inbox, mail("empty"));
    let (start, end) = (filetime(2024, 6, 3, 10, 0), filetime(2024, 6, 3, 11, 0));
    let lunch = Mail::appointment("Team lunch", start, end, "Café").body("Bring cake\r\n");
    store.message(inbox, lunch);
    store.message(inbox, Mail::contact("Jane", "Doe", "jane@west.example"));
    store.message(inbox, Mail::sticky_note("a note\r\nof two lines"));
    store.write(&path).unwrap();
    (scratch, path)
}

#[test]
fn a_text_stands_beside_each_item_with_all_that_is_to_be_read() {
    let (scratch, file) = readable();
    let (_target, tree) = export(&file, &["-o", "text,tz=Europe/Berlin"]);
    let inbox = tree.join("Inbox");
    let text = |name: &str| std::fs::read_to_string(inbox.join(name)).unwrap();
    let header = |subject: &str| {
        format!(
            "From: \"Jörg Müller\" <joerg@north.example>\nTo: Bob <bob@north.example>\nCc: Eva <eva@south.example>\n\
             Date: Thu, 01 Aug 2024 00:30:00 +0200\nSubject: {subject}\nMessage-ID: <one@north.example>\n"
        )
    };
    assert_eq!(
        text("2024-08-01 0030 План встречи.txt"),
        header("План встречи")
            + "Attachment: a.bin (4711 bytes)\nAttachment: Inner.eml (message)\n\nHello,\n\nthe numbers.\n\
               \n---- Inner.eml ----\n\n"
            + &header("Inner")
            + "Attachment: b.csv (5 bytes)\n\nwords within words\n"
    );
    let html = text("2024-08-01 0030 HTML.txt");
    assert_eq!(html, header("HTML") + "\nonly marked up, café\n");
    assert_eq!(
        text("2024-08-01 0030 RTF.txt"),
        header("RTF") + "\nBold and plain.\n"
    );
    assert_eq!(text("2024-08-01 0030 empty.txt"), header("empty") + "\n");
    let lunch = text("2024-06-03 1200 Team lunch.txt");
    for line in [
        "Subject: Team lunch",
        "Start: Mon, 03 Jun 2024 12:00:00 +0200",
        "End: Mon, 03 Jun 2024 13:00:00 +0200",
        "Location: Café",
        "Bring cake",
    ] {
        assert!(lunch.lines().any(|found| found == line), "{line}: {lunch}");
    }
    assert!(!lunch.contains("ostfs.invalid"), "{lunch}");
    let jane = text("Jane Doe.txt");
    assert!(jane.contains("E-mail: jane@west.example\n"), "{jane}");
    // A note is a text already.
    let notes = names(&inbox);
    assert_eq!(
        notes.iter().filter(|name| name.contains("a note")).count(),
        1,
        "{notes:#?}"
    );

    if can_mount() && installed(&["grep", "rsync"]) {
        let mount = Mount::new(&file, &["-o", "text,tz=Europe/Berlin"]);
        assert_eq!(picture(&mount.path), picture(&tree));
        for words in [
            "Jörg Müller",
            "only marked up, café",
            "Bold and plain.",
            "words within words",
        ] {
            let mut grep = command("grep", scratch.path());
            let found = output(
                grep.args(["-rlF", "--include=*.txt", words])
                    .arg(&mount.path),
            );
            assert!(found.lines().count() >= 1, "{words}");
        }
        let copy = scratch.path().join("copy");
        let rsync = || {
            let mut rsync = command("rsync", scratch.path());
            rsync
                .args(["-a", "--itemize-changes"])
                .arg(format!("{}/", mount.path.display()));
            output(rsync.arg(&copy))
        };
        rsync();
        assert_eq!(rsync(), "");
    }
}

#[test]
fn the_texts_of_real_messages_say_what_python_reads_in_them() {
    if !installed(&["python3"]) {
        return;
    }
    let (_scratch, own) = readable();
    let mut trees = Vec::new();
    for file in std::iter::once(own).chain(corpus::files()) {
        let target = TempDir::new().unwrap();
        // Real files may have problems, which are told.
        let tree = target.path().join("tree");
        ostfs(&[
            "export",
            file.to_str().unwrap(),
            tree.to_str().unwrap(),
            "-o",
            "text,items=eml",
        ]);
        trees.push((target, tree));
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/texts.py");
    let mut python = command("python3", trees[0].0.path());
    let said = output(python.arg(script).args(trees.iter().map(|(_, tree)| tree)));
    let (differences, count) = match said.trim_end().rsplit_once('\n') {
        Some((differences, count)) => (differences, count),
        None => ("", said.trim_end()),
    };
    println!("{count}");
    assert_eq!(differences, "");
    let count: usize = count.trim_end_matches(" compared").parse().unwrap();
    assert!(count >= 7, "{said}");
}
