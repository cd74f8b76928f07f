//! The names of attachments are those that the file has, in mail programs and in the directory.

use std::fs;

use crate::mail_kinds::{Exported, mail, python};
use crate::mail_programs::{Inbox, objects_with};
use crate::support::tags;
use crate::support::{Attachment, Content};

/// Names that programs might want to mend.
const NAMES: [&str; 14] = [
    "LICENSE",
    "Mr. Smith",
    ".gitignore",
    "x.superlongextension",
    "data.\u{6570}\u{636e}",
    "Budget 1.5 final",
    "report.v2 (draft)",
    "a.b-c",
    "foo.c++",
    "mail.20240305",
    "r\u{e9}sum\u{e9}.PDF",
    "name.docx ",
    "two  blanks   three.txt",
    "photo",
];

/// A message with an attachment for each name, and one without a name in front.
fn exported() -> Exported {
    let nameless = Attachment {
        content: Content::Data("?".into()),
        ..Attachment::ole("", "")
            .mime("image/png")
            .prop(tags::ATTACH_METHOD, 1)
    };
    let message = NAMES
        .iter()
        .fold(mail("names").attach(nameless), |message, name| {
            message.attachment(name, *name)
        });
    Exported::of([message], &[])
}

#[test]
fn a_stored_name_of_an_attachment_is_not_altered() {
    let exported = exported();
    let path = exported.path("names");
    let found = python(&path, "[p.get_filename() for p in m.iter_attachments()]");
    let mut expected = vec!["attachment-1.png"];
    // Python drops the blank, which is in the file.
    expected.extend(NAMES.map(str::trim_end));
    assert!(exported.eml("names").contains("filename=\"name.docx \""));
    assert_eq!(found, serde_json::json!(expected));
    for name in NAMES {
        // No name ends with a blank where Windows or SMB may see it.
        let file = exported.attachments("names").join(name.trim_end());
        assert_eq!(fs::read_to_string(file).unwrap(), name);
    }
}

#[test]
fn mutt_and_notmuch_name_attachments_as_they_are_stored() {
    let exported = exported();
    let Some(inbox) = Inbox::of(&[exported.path("names")]) else {
        return;
    };
    let mut expected = vec!["attachment-1.png"];
    expected.extend(NAMES);
    let found = inbox.notmuch();
    // Of the message itself it is a list.
    let found = objects_with(&found, "filename").into_iter();
    let found: Vec<_> = found.filter_map(|part| part["filename"].as_str()).collect();
    assert_eq!(found, expected);
    // What the pager gets has a line for each part: `[-- Attachment #2: photo --]`.
    let shown = inbox.mutt("set pager='cp %s shown'\npush <display-message><exit>");
    let shown = String::from_utf8(shown).unwrap();
    let found = shown.lines().filter_map(|line| {
        let (_, name) = line.strip_prefix("[-- Attachment #")?.split_once(": ")?;
        name.strip_suffix(" --]")
    });
    assert_eq!(found.collect::<Vec<_>>(), expected, "{shown}");
}
