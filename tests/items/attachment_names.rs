//! The names of attachments are those that the file has, in mail programs and in the directory.

use std::fs;

use crate::mail_kinds::{Exported, mail, python};
use crate::mounted::run;
use crate::support::{Attachment, Content};
use tempfile::TempDir;

/// Names that programs might want to mend.
const NAMES: [&str; 13] = [
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
    "photo",
];

/// A message with an attachment for each name, and one without a name in front.
fn exported() -> Exported {
    let nameless = Attachment {
        content: Content::Data("?".into()),
        ..Attachment::ole("", "").mime("image/png").prop(0x3705, 1)
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
fn notmuch_names_attachments_as_they_are_stored() {
    let exported = exported();
    let scratch = TempDir::new().unwrap();
    let maildir = scratch.path().join("maildir");
    for folder in ["cur", "new", "tmp"] {
        fs::create_dir_all(maildir.join(folder)).unwrap();
    }
    fs::copy(exported.path("names"), maildir.join("cur/1:2,S")).unwrap();
    let config = scratch.path().join("config");
    let text = format!(
        "[database]\npath={}\n[user]\nprimary_email=a@b.example\n",
        maildir.display()
    );
    fs::write(&config, text).unwrap();
    let config = format!("--config={}", config.display());
    run("notmuch", &[&config, "new", "--quiet"]);
    let shown = run("notmuch", &[&config, "show", "--format=json", "*"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let mut found = Vec::new();
    file_names(&shown, &mut found);
    assert_eq!(found[0], "attachment-1.png");
    assert_eq!(found[1..], NAMES);
}

/// What is under `filename` as a string: that of the message itself is a list.
fn file_names(value: &serde_json::Value, names: &mut Vec<String>) {
    match value {
        serde_json::Value::Array(values) => {
            values.iter().for_each(|value| file_names(value, names))
        }
        serde_json::Value::Object(fields) => {
            names.extend(
                fields
                    .get("filename")
                    .and_then(|name| Some(name.as_str()?.to_owned())),
            );
            fields.values().for_each(|value| file_names(value, names));
        }
        _ => {}
    }
}
