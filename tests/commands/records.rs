//! The records of `index` and `export`: every column against what was put into the file, hashes against other programs, and
//! all forms read by programs of others.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value as Json, json};
use sha2::Digest;
use tempfile::TempDir;

use crate::mounted::ostfs;
use crate::programs;
use crate::support::*;

struct Scene {
    scratch: TempDir,
    file: PathBuf,
}

impl Scene {
    fn new(fill: impl FnOnce(&mut Store, Nid)) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("mail.pst");
        let mut store = Store::new(Format::Unicode, Crypt::Permute);
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        fill(&mut store, inbox);
        store.write(&file).unwrap();
        Self { scratch, file }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// What ostfs prints, after `arguments` and the file; it has to succeed.
    fn run(&self, arguments: &[&str], target: &[&Path]) -> String {
        let mut all = arguments.to_vec();
        all.push(self.file.to_str().unwrap());
        all.extend(target.iter().map(|path| path.to_str().unwrap()));
        let output = ostfs(&all);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The records of `index`, by the end of their paths.
    fn index(&self, arguments: &[&str]) -> BTreeMap<String, Json> {
        let text = self.run(&[&["index", "--json"], arguments].concat(), &[]);
        let records = text.lines().map(|line| serde_json::from_str(line).unwrap());
        records
            .map(|record: Json| {
                let path = record["path"].as_str().unwrap();
                (path.rsplit('/').next().unwrap().to_owned(), record.clone())
            })
            .collect()
    }
}

const ID: &str = "<CALckR-a8UDkRjO4xJyjd_s0GPxQWw@mail.gmail.com>";
const INDEX: [u8; 27] = [
    1, 0xDA, 2, 3, 4, 5, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1B,
    0x1C, 0x1D, 0x1E, 0x1F, 9, 8, 7, 6, 5,
];

/// A message with a value in every column, and one with as few as possible.
fn full_and_bare() -> Scene {
    Scene::new(|store, inbox| {
        let at = |hour| Value::Time(filetime(2024, 5, 1, hour, 0));
        store.message(
            inbox,
            Message::mail("RE: Plan")
                .from("Ann Adams", "ann@north.example")
                .to("Bob, the builder", "bob@south.example")
                .to("Eva", "eva@south.example")
                .cc("Carl", "carl@south.example")
                .bcc("Dora", "dora@south.example")
                .prop(tags::CLIENT_SUBMIT_TIME, at(9))
                .prop(tags::MESSAGE_DELIVERY_TIME, at(10))
                .prop(tags::CREATION_TIME, at(11))
                .prop(tags::LAST_MODIFICATION_TIME, at(12))
                .message_id(ID)
                .in_reply_to("<first@south.example>")
                .prop(
                    tags::INTERNET_REFERENCES,
                    "<zero@south.example> <first@south.example>",
                )
                .prop(tags::CONVERSATION_INDEX, &INDEX[..])
                .prop(tags::IMPORTANCE, 2)
                .prop(tags::SENSITIVITY, 3)
                .prop(tags::LAST_VERB_EXECUTED, 102)
                .prop(tags::FLAG_STATUS, 2)
                .named_text(
                    PS_PUBLIC_STRINGS,
                    "Keywords",
                    Value::MvStr(vec!["Red; dark".into(), "Büro".into()]),
                )
                .body("text")
                .attachment("a; b.txt", "one")
                .embed(
                    Message::mail("Inner")
                        .body("within")
                        .attachment("c.txt", "two"),
                ),
        );
        store.message(
            inbox,
            Message::mail("bare")
                .unread()
                .without(tags::IMPORTANCE)
                .prop(tags::CONVERSATION_INDEX, &[0; 0][..])
                .body("text"),
        );
    })
}

#[test]
fn every_column_has_what_was_put_into_the_file() {
    let scene = full_and_bare();
    let records = scene.index(&["--custodian", "Ann", "-o", "text"]);
    let item = "Inbox/2024-05-01 1000 RE_ Plan.eml";
    let record = &records["2024-05-01 1000 RE_ Plan.eml"];
    for (column, expected) in [
        ("path", json!(item)),
        ("folder", json!("Inbox")),
        ("date", json!("2024-05-01T10:00:00Z")),
        ("from", json!("Ann Adams <ann@north.example>")),
        (
            "to",
            json!("\"Bob, the builder\" <bob@south.example>, Eva <eva@south.example>"),
        ),
        ("cc", json!("Carl <carl@south.example>")),
        ("bcc", json!("Dora <dora@south.example>")),
        ("subject", json!("RE: Plan")),
        ("class", json!("IPM.Note")),
        ("problems", json!("")),
        ("custodian", json!("Ann")),
        ("family", json!(item)),
        ("parent", json!("")),
        ("text_path", json!("Inbox/2024-05-01 1000 RE_ Plan.txt")),
        ("sent", json!("2024-05-01T09:00:00Z")),
        ("received", json!("2024-05-01T10:00:00Z")),
        ("created", json!("2024-05-01T11:00:00Z")),
        ("modified", json!("2024-05-01T12:00:00Z")),
        ("message_id", json!(ID)),
        ("message_id_made_up", json!(false)),
        // As Relativity documents it for this id.
        ("mih", json!("1de319c276884bd0c9e2f1621ada26cc")),
        ("in_reply_to", json!(["<first@south.example>"])),
        (
            "references",
            json!(["<zero@south.example>", "<first@south.example>"]),
        ),
        ("conversation_topic", json!("Plan")),
        (
            "conversation_index",
            json!("01da02030405101112131415161718191a1b1c1d1e1f0908070605"),
        ),
        ("conversation_id", json!("101112131415161718191a1b1c1d1e1f")),
        ("attachment_count", json!(2)),
        ("attachment_names", json!(["a; b.txt", "Inner.eml"])),
        ("read", json!(true)),
        ("flags", json!(["replied", "flagged"])),
        ("categories", json!(["Red; dark", "Büro"])),
        ("importance", json!(2)),
        ("sensitivity", json!(3)),
        ("sha1", json!("")),
        ("md5", json!("")),
        (
            "participants",
            json!([
                "Ann Adams <ann@north.example>",
                "Bob, the builder <bob@south.example>",
                "Eva <eva@south.example>",
                "Carl <carl@south.example>",
                "Dora <dora@south.example>"
            ]),
        ),
        ("level", json!(0)),
        ("attachment_number", Json::Null),
        ("security", json!("")),
        // Nobody has asked for it.
        ("content_hash", json!("")),
        ("content_fields", json!([])),
        ("content_damaged", Json::Null),
    ] {
        assert_eq!(record[column], expected, "{column}");
    }
    let bare = &records["2024-05-01 0932 bare.eml"];
    let id = bare["message_id"].as_str().unwrap();
    assert!(id.ends_with("@localhost.invalid>"), "{id}");
    for (column, expected) in [
        ("message_id_made_up", json!(true)),
        ("mih", json!("")),
        ("in_reply_to", json!([])),
        ("conversation_id", json!("")),
        ("attachment_count", json!(0)),
        ("attachment_names", json!([])),
        ("read", json!(false)),
        ("flags", json!([])),
        ("importance", Json::Null),
        ("bcc", json!("")),
    ] {
        assert_eq!(bare[column], expected, "{column}");
    }
    assert_eq!(records["mail.pst"]["custodian"], "Ann");
}

#[test]
fn a_family_has_one_name_and_each_attachment_its_parent() {
    let scene = full_and_bare();
    let records = scene.index(&["--no-hash", "-o", "text"]);
    let item = "Inbox/2024-05-01 1000 RE_ Plan.eml";
    let inner = "Inbox/2024-05-01 1000 RE_ Plan.attachments/Inner.eml";
    for (name, parent, level, number) in [
        ("2024-05-01 1000 RE_ Plan.txt", "", Json::Null, Json::Null),
        ("a; b.txt", item, json!(1), json!(1)),
        ("Inner.eml", item, json!(1), json!(2)),
        ("c.txt", inner, json!(2), json!(1)),
    ] {
        assert_eq!(records[name]["level"], level, "{name}");
        assert_eq!(records[name]["attachment_number"], number, "{name}");
        assert_eq!(records[name]["family"], item, "{name}");
        assert_eq!(records[name]["parent"], parent, "{name}");
        // It is no item.
        assert_eq!(records[name]["message_id_made_up"], Json::Null, "{name}");
        assert_eq!(records[name]["attachment_count"], Json::Null, "{name}");
    }
    let bare = &records["2024-05-01 0932 bare.eml"];
    assert_eq!(bare["family"], bare["path"]);
}

#[test]
fn a_content_hash_is_that_of_the_fields_beside_it_and_the_same_for_copies() {
    let scene = Scene::new(|store, inbox| {
        let mail = |subject: &str| Message::mail(subject).body("same\n words");
        store.message(inbox, mail("Plan"));
        store.message(inbox, mail("Plan").unread());
        store.message(inbox, mail("Other"));
    });
    let text = scene.run(&["index", "--json", "--hash", "content"], &[]);
    let records = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let records: Vec<Json> = records.collect();
    let items: Vec<&Json> = records.iter().filter(|one| one["level"] == 0).collect();
    let hexadecimal = |text: &str| -> String {
        let hash = sha2::Sha256::digest(text);
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let mut hashes = Vec::new();
    for item in &items {
        let fields = item["content_fields"].as_array().unwrap();
        let fields: Vec<&str> = fields.iter().map(|field| field.as_str().unwrap()).collect();
        // As docs/CONTENT-HASH.md has it.
        let whole = format!("ostfs-1\n{}\n", fields.join("\n"));
        assert_eq!(item["content_hash"], hexadecimal(&whole)[..32]);
        let body = format!("body {}", hexadecimal("samewords"));
        assert!(fields.contains(&body.as_str()), "{fields:?}");
        assert_eq!(item["content_damaged"], false);
        hashes.push(&item["content_hash"]);
    }
    assert_eq!(hashes.len(), 3);
    let same = hashes.iter().filter(|hash| **hash == hashes[0]).count();
    assert_eq!(same, 2, "{hashes:?}");
}

#[test]
fn signed_and_encrypted_mail_is_told() {
    let classes = [
        "IPM.Note.SMIME.MultipartSigned",
        "IPM.Note.SMIME",
        "IPM.Note",
    ];
    let scene = Scene::new(|store, inbox| {
        for (class, subject) in classes.iter().zip(["clear", "opaque", "plain"]) {
            store.message(inbox, Message::new(class, subject));
        }
    });
    let records = scene.index(&["--no-hash", "--names", "{subject}"]);
    for (name, security) in [("clear", "signed"), ("opaque", "opaque"), ("plain", "")] {
        assert_eq!(records[&format!("{name}.eml")]["security"], security);
    }
}

/// What `program`, one like sha1sum(1), says of a file.
fn sum(program: &str, path: &Path) -> String {
    let text = programs::output(Command::new(program).arg("--").arg(path));
    let text = text.trim_start_matches('\\');
    text.split(' ').next().unwrap().to_owned()
}

#[test]
fn further_hashes_are_those_of_their_programs_and_only_if_asked() {
    let scene = full_and_bare();
    let (manifest, tree) = (scene.path("mail.jsonl"), scene.path("tree"));
    let to = ["--manifest", manifest.to_str().unwrap()];
    let arguments = [&["export", "--hash", "sha1,md5"], &to[..]].concat();
    scene.run(&arguments, &[&tree]);
    let text = fs::read_to_string(&manifest).unwrap();
    let mut count = 0;
    for line in text.lines() {
        let record: Json = serde_json::from_str(line).unwrap();
        let path = record["path"].as_str().unwrap();
        // Joined with an absolute path, as that of the source, it is that.
        let path = tree.join(path);
        for (column, program) in [
            ("sha1", "sha1sum"),
            ("md5", "md5sum"),
            ("sha256", "sha256sum"),
        ] {
            assert_eq!(record[column], sum(program, &path), "{column}: {path:?}");
        }
        count += 1;
    }
    assert_eq!(count, 6);
    let [file, target] =
        [&scene.file, &scene.path("x")].map(|path| path.to_str().unwrap().to_owned());
    for refused in [
        &["index", "--no-hash", "--hash", "md5", &file][..],
        &["index", "--hash", "crc", &file],
        &["export", "--hash", "md5", &file, &target],
        &["export", "--custodian", "Ann", &file, &target],
        &[
            "export",
            "--to",
            "pst",
            "--load-file",
            "dat",
            &file,
            &target,
        ],
        &[
            "export",
            "--to",
            "tar",
            "--load-file",
            "dat",
            &file,
            &target,
        ],
    ] {
        assert_eq!(ostfs(refused).status.code(), Some(16), "{refused:?}");
    }
}

/// Subjects with all that steers terminals, ends lines or turns the direction of writing.
fn hostile() -> Scene {
    Scene::new(|store, inbox| {
        let all: String = ('\u{1}'..='\u{9F}').collect();
        for text in [
            all.as_str(),
            "a\u{2028}b\u{2029}c\u{202E}d\u{2066}e",
            "quote \" comma , semicolon ; line\r\nend\ttab",
            "þ\u{14}® load file",
        ] {
            let subject = format!("begin {text} end");
            let message = Message::mail(&subject)
                .prop(tags::SUBJECT, subject.as_str())
                .from(text, "ann@north.example")
                .to(text, "bob@north.example")
                .prop(tags::CONVERSATION_TOPIC, text)
                .named_text(
                    PS_PUBLIC_STRINGS,
                    "Keywords",
                    Value::MvStr(vec![text.into()]),
                )
                .body("text")
                .attachment(&format!("{text}.txt"), "one");
            store.message(inbox, message);
        }
    })
}

fn is_raw(character: char) -> bool {
    let is_end = character == '\n';
    character.is_control() && !is_end
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// What Python reads of CSV and of JSON Lines.
const BOTH: &str = "
import csv, json, sys
with open(sys.argv[1], newline='', encoding='utf-8') as file:
    table = list(csv.reader(file, strict=True))
with open(sys.argv[2], encoding='utf-8') as file:
    lines = [json.loads(line) for line in file.read().split('\\n')[:-1]]
assert all(len(row) == len(table[0]) for row in table), 'widths'
assert len(lines) == len(table) - 1, (len(lines), len(table))
assert [list(line) for line in lines] == [table[0]] * len(lines), 'names'
json.dump([line['subject'] for line in lines if line['class'] == 'IPM.Note'], sys.stdout)
";

#[test]
fn what_acts_on_terminals_is_never_raw_and_every_reader_reads_the_same() {
    let scene = hostile();
    let forms = [
        ("csv", &["index", "--no-hash"][..]),
        ("safe.csv", &["index", "--no-hash", "--csv-safe"]),
        ("jsonl", &["index", "--no-hash", "--json"]),
    ];
    for (name, arguments) in forms {
        let text = scene.run(arguments, &[]);
        assert!(!text.contains(is_raw), "{name}: {text:?}");
        assert!(text.contains("begin"), "{name}");
        fs::write(scene.path(name), text).unwrap();
    }
    // The load file has U+0014 as its own.
    let text = scene.run(&["index", "--no-hash", "--load-file", "dat"], &[]);
    let text = text.replace("\r\n", "\n").replace("þ\u{14}þ", "");
    assert!(!text.contains(is_raw), "{text:?}");
    if !programs::installed(&["python3", "jq", "mlr"]) {
        return;
    }
    let home = scene.scratch.path();
    let mut python = programs::command("python3", home);
    let text = programs::output(python.args(["-c", BOTH, "csv", "jsonl"]));
    let subjects: Vec<String> = serde_json::from_str(&text).unwrap();
    assert_eq!(subjects.len(), 4);
    let all: String = ('\u{1}'..='\u{9F}').collect();
    assert_eq!(subjects[0], format!("begin {all} end"));
    let mut jq = programs::command("jq", home);
    let text = programs::output(jq.args(["-c", "[.subject]", "jsonl"]));
    let of_jq = text
        .lines()
        .map(|line| serde_json::from_str::<[String; 1]>(line).unwrap())
        .filter(|[subject]| !subject.is_empty());
    assert_eq!(of_jq.flatten().collect::<Vec<_>>(), subjects);
    for name in ["csv", "safe.csv"] {
        let mut mlr = programs::command("mlr", home);
        let filter = [
            "-S",
            "--icsv",
            "--ojson",
            "filter",
            "$class == \"IPM.Note\"",
            name,
        ];
        let records: Vec<Json> = serde_json::from_str(&programs::output(mlr.args(filter))).unwrap();
        assert_eq!(records.len(), 4, "{name}");
        let subject = records[2]["subject"].as_str().unwrap();
        assert_eq!(
            subject,
            "begin quote \" comma , semicolon ; line  end tab end"
        );
    }
}

/// A load file as Python's csv module reads it, one object a line.
const LOAD_FILE: &str = "
import csv, json, sys
with open(sys.argv[1], newline='', encoding='utf-8-sig') as file:
    rows = csv.DictReader(file, delimiter='\\x14', quotechar='\\u00fe', strict=True)
    for row in rows:
        print(json.dumps(row))
";

#[test]
fn a_load_file_has_families_together_and_paths_of_what_is_there() {
    if !programs::installed(&["python3"]) {
        return;
    }
    let scene = full_and_bare();
    let tree = scene.path("tree");
    let arguments = [
        "export",
        "-o",
        "text",
        "--load-file",
        "dat",
        "--custodian",
        "Ann",
    ];
    scene.run(&arguments, &[&tree]);
    let load_file = tree.join("ostfs-load-file.dat");
    let mut python = programs::command("python3", scene.scratch.path());
    let text = programs::output(python.args(["-c", LOAD_FILE]).arg(&load_file));
    let rows: Vec<BTreeMap<String, String>> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let own: Vec<[&str; 6]> = rows
        .iter()
        .map(|row| {
            [
                "DOCID",
                "BEGATTACH",
                "ENDATTACH",
                "PARENTID",
                "ATTCHIDS",
                "FILENAME",
            ]
            .map(|name| row[name].as_str())
        })
        .collect();
    let [one, two, three, four, five] = [1, 2, 3, 4, 5].map(|number| format!("OST{number:08}"));
    let children = format!("{two};{three}");
    assert_eq!(
        own,
        [
            [
                &*one,
                &*one,
                &*four,
                "",
                &*children,
                "2024-05-01 1000 RE_ Plan.eml"
            ],
            [&*two, &*one, &*four, &*one, "", "a; b.txt"],
            [&*three, &*one, &*four, &*one, &*four, "Inner.eml"],
            [&*four, &*one, &*four, &*three, "", "c.txt"],
            [&*five, &*five, &*five, "", "", "2024-05-01 0932 bare.eml"],
        ]
    );
    for row in &rows {
        let native = tree.join(row["NATIVEPATH"].replace('\\', "/"));
        let size = fs::metadata(&native).unwrap().len();
        assert_eq!(row["FILESIZE"], size.to_string());
        assert_eq!(row["SHA256HASH"], sum("sha256sum", &native));
        assert_eq!(row["CUSTODIAN"], "Ann");
        let is_item = row["PARENTID"].is_empty();
        assert_eq!(is_item, !row["TEXTPATH"].is_empty());
        assert!(tree.join(row["TEXTPATH"].replace('\\', "/")).exists());
    }
    let item = &rows[0];
    assert_eq!(
        item["TO"],
        "Bob, the builder <bob@south.example>;Eva <eva@south.example>"
    );
    assert_eq!(item["DATESENT"], "2024-05-01T09:00:00Z");
    assert_eq!(item["FILEEXT"], "eml");
    // The index prints the same, and all else that is exported is as it is without a load file.
    let arguments = [
        "index",
        "-o",
        "text",
        "--load-file",
        "dat",
        "--custodian",
        "Ann",
    ];
    assert_eq!(
        scene.run(&arguments, &[]),
        fs::read_to_string(&load_file).unwrap()
    );
    let plain = scene.path("plain");
    scene.run(&["export", "-o", "text"], &[&plain]);
    fs::remove_file(&load_file).unwrap();
    let difference = Command::new("diff")
        .arg("-r")
        .args([&tree, &plain])
        .output();
    assert!(difference.unwrap().stdout.is_empty());
}

#[test]
fn what_a_load_file_cannot_hold_is_altered_and_told() {
    let scene = hostile();
    let file = scene.file.to_str().unwrap();
    let output = ostfs(&["index", "--no-hash", "--load-file", "dat", file]);
    assert!(output.status.success(), "{output:?}");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("values of the load file"), "{errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("begin th\u{FFFD}(R) load file end"), "{text}");
    let scene = full_and_bare();
    let output = ostfs(&["index", "--load-file", "dat", scene.file.to_str().unwrap()]);
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_filter_that_takes_nothing_leaves_no_load_file() {
    let scene = full_and_bare();
    let target = scene.path("nothing");
    let output = ostfs(&[
        "export",
        "--load-file",
        "dat",
        "--subject",
        "no such thing",
        scene.file.to_str().unwrap(),
        target.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!target.exists());
}
