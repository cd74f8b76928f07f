//! Folders within each other: every command goes as deep as the tree does.

use crate::mounted::ostfs;
use crate::support::*;

/// Deeper than anybody files mail, and less deep than the tree ends.
const FOLDERS: usize = 290;

#[test]
fn no_command_ends_above_the_deepest_folder() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("deep.pst");
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let top = store.ipm_subtree();
    let deepest = (0..FOLDERS).fold(top, |parent, _| store.folder(parent, "f"));
    store.message(deepest, Message::mail("needle"));
    store.write(&file).unwrap();
    let (file, target) = (file.to_str().unwrap(), scratch.path().join("tree"));
    let copy = scratch.path().join("copy.pst");
    let (target, copy) = (target.to_str().unwrap(), copy.to_str().unwrap());
    let path = "f/".repeat(FOLDERS);
    for (arguments, words) in [
        (vec!["search", file, "subject:needle"], "needle.eml"),
        (vec!["ls", "-R", file], "needle.eml"),
        (vec!["index", file], "needle.eml"),
        (
            vec!["search", file, &format!("folder:{path}")],
            "needle.eml",
        ),
        (vec!["index", "--folder", &path, file], "needle.eml"),
        (vec!["diff", file, file], "       1       1       1"),
        (vec!["export", file, target], "1 file "),
        (vec!["export", "--to", "pst", file, copy], "1 item,"),
        (vec!["diff", file, copy], "       1       1       1"),
    ] {
        let output = ostfs(&arguments);
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(output.status.success(), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}
