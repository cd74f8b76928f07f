//! `ostfs check` as a command: silence and 0, findings and 4, 8 for what cannot be checked, 16 for a wrong command line.

use std::path::Path;

use crate::mounted::ostfs;
use crate::support::*;

fn sample(path: &Path) -> Layout {
    sample::sample(Format::Unicode, Crypt::Permute)
        .write(path)
        .unwrap()
}

#[test]
fn a_clean_file_is_silent() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("clean.pst");
    sample(&path);
    let output = ostfs(&["check", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
    let verbose = ostfs(&["check", "-v", path.to_str().unwrap()]);
    assert!(
        String::from_utf8(verbose.stdout)
            .unwrap()
            .starts_with("checked ")
    );
}

#[test]
fn errors_are_summed_up_and_named_with_what_they_touch() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("damaged.pst");
    let layout = sample(&path);
    let damage = Damage::open(&path, &layout).unwrap();
    damage.flip_block(damage.leaves(layout.node(0x20_0024).data)[0], 200);
    let before = std::fs::read(&path).unwrap();
    let output = ostfs(&["check", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(4));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("       1 error    block"));
    let line = lines.next().unwrap();
    for part in [
        "error: block (block ",
        "offset ",
        "CRC: expected ",
        "node 0x200024",
        "/Inbox/",
    ] {
        assert!(line.contains(part), "{line}");
    }
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("1 error;")
    );
    assert_eq!(
        std::fs::read(&path).unwrap(),
        before,
        "the file was changed"
    );
    let json = ostfs(&["check", "--json", path.to_str().unwrap()]);
    assert_eq!(json.status.code(), Some(4));
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(report["errors"], 1);
    assert_eq!(report["findings"][0]["severity"], "error");
    assert_eq!(report["findings"][0]["node"], 0x20_0024);
}

#[test]
fn what_cannot_be_checked_is_no_error_of_the_file() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("notes.txt");
    std::fs::write(&path, "just text").unwrap();
    for file in [path.as_path(), scratch.path(), Path::new("/no/such/file")] {
        let output = ostfs(&["check", file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(8), "{}", file.display());
        assert_eq!(String::from_utf8(output.stderr).unwrap().lines().count(), 1);
    }
    assert_eq!(ostfs(&["check"]).status.code(), Some(16));
    assert_eq!(
        ostfs(&["check", "--repair", "x.pst"]).status.code(),
        Some(16)
    );
}

#[test]
fn rows_that_do_not_say_what_their_objects_say_are_warnings() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("rows.pst");
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    let message = Message::mail("Numbers")
        .row(0x0037, Some("Letters".into()))
        .row(0x0017, Some(2.into()))
        // Sizes are estimates.
        .row(0x0E08, Some(7.into()));
    let message = store.message(inbox, message);
    store.write(&path).unwrap();
    let output = ostfs(&["check", "-v", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    let table = contents_table(inbox);
    for (name, problem) in [
        ("PidTagSubject", "not what the object has"),
        (
            "PidTagImportance",
            "expected 0x1, as the object has it, found 0x2",
        ),
    ] {
        let row = format!("(node {table:#x}, row {message:#x}): {name}: {problem}");
        assert!(text.contains(&row), "no {row} in {text}");
    }
    assert!(
        text.contains("       2 warning  contents table\n"),
        "{text}"
    );
}
