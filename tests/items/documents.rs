//! Items that are a file, and messages of which there is only the header.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::mounted::{Mount, can_mount, export, ostfs, picture};
use crate::support::tags;
use crate::support::{
    Attachment, Crypt, Folders, Format, Message, PS_PUBLIC_STRINGS, PSETID_COMMON, Store, filetime,
};
use tempfile::TempDir;

/// PidTagMessageStatus, and its bit MSGSTATUS_REMOTE_DOWNLOAD.
const MESSAGE_STATUS: u16 = 0x0E17;
const REMOTE_DOWNLOAD: i32 = 0x1000;
/// PidLidHeaderItem.
const HEADER_ITEM: u32 = 0x8578;
/// What the field and the text of such a message say.
const FIELD: &str = "X-Ostfs-Incomplete: header-only\n";
const WORDS: &str = "its body was not fetched";

/// A store whose folder `Shared` has `items`, and what it is exported as.
struct Shared {
    store: TempDir,
    trees: Vec<TempDir>,
}

impl Shared {
    fn of(items: impl IntoIterator<Item = Message>) -> Self {
        let directory = TempDir::new().unwrap();
        let mut store = Store::new(Format::Unicode, Crypt::Permute);
        let folder = store.folder(store.ipm_subtree(), "Shared");
        for item in items {
            store.message(folder, item.time(filetime(2024, 5, 1, 9, 32)));
        }
        store.write(directory.path().join("store.pst")).unwrap();
        Self {
            store: directory,
            trees: Vec::new(),
        }
    }

    /// The names in the folder in the order of the alphabet.
    fn names(&mut self, options: &[&str]) -> (Vec<String>, std::path::PathBuf) {
        let (scratch, tree) = export(&self.store.path().join("store.pst"), options);
        self.trees.push(scratch);
        let folder = tree.join("Shared");
        let entries = fs::read_dir(&folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        (names, folder)
    }
}

fn document(class: &str, name: &str, bytes: &str) -> Message {
    Message::new(class, "Plan of the year").attach(Attachment::data(name, bytes))
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn a_document_is_its_file_under_its_own_name_with_its_mail_beside_it() {
    let plan = document("IPM.Document.Word.Document.8", "Plan 2024.doc", "the plan")
        .from("Ann", "ann@north.example")
        .named_text(PS_PUBLIC_STRINGS, "Author", "Bob of Accounts")
        .named_text(PS_PUBLIC_STRINGS, "Title", "What we do");
    let mut shared = Shared::of([
        plan,
        document("IPM.Document.Excel.Sheet.12", "plan 2024.DOC", "another"),
        document("IPM.Document.", "LICENSE", "no extension"),
        document("IPM.File", "notes.txt", "kept for other programs"),
    ]);
    let (names, folder) = shared.names(&["-o", "text"]);
    assert_eq!(text(&folder.join("Plan 2024.doc")), "the plan");
    assert_eq!(text(&folder.join("LICENSE")), "no extension");
    assert_eq!(text(&folder.join("notes.txt")), "kept for other programs");
    let second = names.iter().find(|name| name.ends_with(".DOC")).unwrap();
    assert!(second.starts_with("plan 2024 ~"), "{second}");
    assert_eq!(text(&folder.join(second)), "another");
    // Each has its mail and its text, and no directory for the one file that is there already.
    for file in ["Plan 2024.doc", "LICENSE", "notes.txt", second] {
        for ending in ["", ".eml", ".txt"] {
            let name = format!("{file}{ending}");
            assert!(names.contains(&name), "{name}: {names:?}");
        }
    }
    assert_eq!(names.len(), 12, "{names:?}");
    let mail = text(&folder.join("Plan 2024.doc.eml"));
    for kept in [
        "From: Ann <ann@north.example>\n",
        "Subject: Plan of the year\n",
        "X-Ostfs-Class: IPM.Document.Word.Document.8\n",
        "Author: Bob of Accounts\n",
        "Title: What we do\n",
        "filename=\"Plan 2024.doc\"",
    ] {
        assert!(mail.contains(kept), "{kept}: {mail}");
    }
}

#[test]
fn a_document_hides_no_other_attachment_and_one_without_a_file_is_mail() {
    let two = document("IPM.Document.txtfile", "first.txt", "one")
        .attach(Attachment::data("second.txt", "two"));
    let nothing = Message::new("IPM.Document.txtfile", "Gone");
    let within = Message::new("IPM.Document.Outlook", "Holder").embed(Message::mail("Held"));
    let mut shared = Shared::of([two, nothing, within]);
    let (names, folder) = shared.names(&[]);
    assert_eq!(
        names,
        [
            "2024-05-01 0932 Gone.eml",
            "2024-05-01 0932 Holder.attachments",
            "2024-05-01 0932 Holder.eml",
            "first.txt",
            "first.txt.attachments",
            "first.txt.eml",
        ]
    );
    let others = folder.join("first.txt.attachments");
    assert_eq!(text(&others.join("second.txt")), "two");
}

#[test]
fn a_document_is_mail_where_all_items_are_and_named_as_the_user_wants() {
    let mut shared = Shared::of([document("IPM.Document.txtfile", "first.txt", "one")]);
    let (names, _) = shared.names(&["-o", "items=eml,attachments=eml"]);
    assert_eq!(names, ["2024-05-01 0932 Plan of the year.eml"]);
    let (names, _) = shared.names(&["-o", "names={subject}"]);
    assert_eq!(names, ["Plan of the year.txt", "Plan of the year.txt.eml"]);
    // The mail without its attachment says where that is.
    let (names, folder) = shared.names(&["-o", "attachments=dir"]);
    assert_eq!(
        names,
        ["first.txt", "first.txt.attachments", "first.txt.eml"]
    );
    assert!(text(&folder.join("first.txt.eml")).contains("X-Ostfs-Attachments: 1 of 1 are in"));
}

#[test]
fn the_index_and_the_command_line_know_the_file_of_a_document() {
    let shared = Shared::of([document("IPM.Document.txtfile", "first.txt", "one")]);
    let file = shared.store.path().join("store.pst");
    let output = ostfs(&["cat", file.to_str().unwrap(), "Shared/first.txt"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "one");
    let output = ostfs(&["index", file.to_str().unwrap()]);
    let index = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(index.contains("Shared/first.txt.eml"), "{index}");
}

#[test]
fn a_mount_shows_a_document_as_an_export_does() {
    if !can_mount() {
        return;
    }
    let two = document("IPM.Document.txtfile", "first.txt", "one")
        .attach(Attachment::data("second.txt", "two"));
    let mut shared = Shared::of([two, document("IPM.Document.", "LICENSE", "all of it")]);
    let (_, folder) = shared.names(&[]);
    let mount = Mount::new(&shared.store.path().join("store.pst"), &[]);
    let files = |folder: &Path| {
        let mut entries = picture(folder);
        entries.retain(|_, entry| entry.kind == 'f');
        entries
    };
    let exported = files(&folder);
    assert_eq!(exported.len(), 6);
    assert_eq!(files(&mount.path.join("Shared")), exported);
    // The one that is listed in two places is one file.
    let inode = |path: &str| {
        fs::metadata(mount.path.join("Shared").join(path))
            .unwrap()
            .ino()
    };
    assert_eq!(inode("first.txt"), inode("first.txt.attachments/first.txt"));
}

#[test]
fn a_message_whose_body_was_not_fetched_says_so_in_its_header_and_its_text() {
    let without_body =
        |class: &str, subject: &str| Message::new(class, subject).without(tags::BODY);
    let mut shared = Shared::of([
        without_body("IPM.Note", "by its row").row(MESSAGE_STATUS, Some(REMOTE_DOWNLOAD.into())),
        without_body("IPM.Note", "by itself").named(PSETID_COMMON, HEADER_ITEM, 1),
        without_body("IPM.Remote", "by its class"),
        Message::mail("with a beginning")
            .html("<p>The first words</p>")
            .named(PSETID_COMMON, HEADER_ITEM, 1),
        without_body("IPM.Note", "only empty"),
        Message::mail("fetched")
            .body("All of it\r\n")
            .named(PSETID_COMMON, HEADER_ITEM, 0),
    ]);
    let (_, folder) = shared.names(&["-o", "text"]);
    let read = |subject: &str, extension: &str| {
        text(&folder.join(format!("2024-05-01 0932 {subject}.{extension}")))
    };
    for subject in [
        "by its row",
        "by itself",
        "by its class",
        "with a beginning",
    ] {
        let mail = read(subject, "eml");
        assert!(
            mail.contains(FIELD) && mail.contains(WORDS),
            "{subject}: {mail}"
        );
        assert!(read(subject, "txt").contains(WORDS), "{subject}");
    }
    assert!(read("with a beginning", "eml").contains("The first words"));
    for subject in ["only empty", "fetched"] {
        let mail = read(subject, "eml");
        assert!(
            !mail.contains(FIELD) && !mail.contains(WORDS),
            "{subject}: {mail}"
        );
        assert!(!read(subject, "txt").contains(WORDS), "{subject}");
    }
}
