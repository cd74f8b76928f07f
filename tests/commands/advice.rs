//! What a user is told who types something that is nearly right: the next step, which works.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::mailbox::{self, mail};
use crate::mounted::ostfs;
use crate::support::*;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What a failed command says, in one line without the name of the program.
fn said(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    let errors = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(errors.lines().count(), 1, "{errors}");
    errors.trim_end().trim_start_matches("ostfs: ").to_owned()
}

#[test]
fn the_next_step_is_named_and_works() {
    let (file, _) = mailbox::mailbox(Format::Unicode, Crypt::Permute);
    let path = text(&file.path);
    let scratch = tempfile::tempdir().unwrap();
    let target = scratch.path().join("target");
    let (target, nowhere) = (text(&target), scratch.path().join("no/m.csv"));
    fs::write(scratch.path().join("file"), "").unwrap();
    let no_directory = scratch.path().join("file/below");
    for (arguments, step) in [
        (
            vec!["search", "eva", path],
            format!("ostfs search {path} eva"),
        ),
        (
            vec!["search", path, "-from:eva"],
            "-- '-from:eva'".to_owned(),
        ),
        (
            vec!["export", "--dedupe", "mailbox", path, target],
            "--dedupe=mailbox".to_owned(),
        ),
        (vec!["recover"], "ostfs help recover".to_owned()),
        (vec!["help", "recovery"], "ostfs help recover".to_owned()),
        (vec!["help", "Recover"], "ostfs help recover".to_owned()),
        (
            vec!["ls", "-o", "txt", path],
            "did you mean text?".to_owned(),
        ),
        (
            vec!["ls", "-o", "names={from}, {subject}", path],
            "quote a value".to_owned(),
        ),
        (
            vec!["ls", "-o", "tz=Foo/Bar", path],
            "no such time zone".to_owned(),
        ),
        (
            vec!["export", "--manifest", text(&nowhere), path, target],
            "make it first".to_owned(),
        ),
        (
            vec!["export", "--problems", text(&nowhere), path, target],
            "make it first".to_owned(),
        ),
        (
            vec!["ls", "-o", "names={date:%c}", path],
            "no %c; give some of %a".to_owned(),
        ),
        (
            vec!["mount", text(scratch.path()), path],
            format!("MOUNTPOINT comes last: ostfs mount {path} "),
        ),
        (
            vec!["mount", target, path],
            format!("MOUNTPOINT comes last: ostfs mount {path} {target}"),
        ),
        (vec!["help", "nothing"], "no such recipe".to_owned()),
        (
            vec!["export", "--to", "zip", path],
            "ostfs export --to zip old-mailbox.ost mail.zip".to_owned(),
        ),
        (
            vec!["ls", path, "Inbix"],
            "the nearest are: Inbox".to_owned(),
        ),
        (
            vec!["cat", path, "Inbox/nothing.eml"],
            "the nearest are: ".to_owned(),
        ),
        (
            vec!["search", "--index", text(&no_directory), path, "eva"],
            "choose a place where you may write".to_owned(),
        ),
        (
            vec!["export", path, text(&no_directory)],
            "choose a place where you may write".to_owned(),
        ),
        (
            vec!["export", "--to", "tar", path, text(&no_directory)],
            "choose a place where you may write".to_owned(),
        ),
    ] {
        let said = said(&ostfs(&arguments));
        assert!(said.contains(&step), "{arguments:?}: {said}");
        assert!(said.chars().count() < 320, "{said}");
    }
}

/// What is wrong with a command line is told with the command whose help has what is right; nothing but that.
#[test]
fn a_wrong_command_line_is_told_with_the_help_to_look_at() {
    for (arguments, wrong, help) in [
        (&["search"][..], "FILE", "ostfs search --help"),
        (&["index"], "FILE", "ostfs index --help"),
        (&["umount"], "MOUNTPOINT", "ostfs unmount --help"),
        (
            &["mount", "--reedonly", "a.pst"],
            "--reedonly",
            "ostfs mount --help",
        ),
        (&["-l", "a.pst"], "-l", "ostfs mount --help"),
        (
            &["export", "--to", "psst", "a.pst", "b"],
            "'pst'",
            "ostfs export --help",
        ),
        (&["--nothing"], "--nothing", "'ostfs --help'"),
    ] {
        let output = ostfs(arguments);
        assert_eq!(output.status.code(), Some(16), "{arguments:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains(wrong) && said.contains(help),
            "{arguments:?}: {said}"
        );
        assert!(!said.contains("as a value"), "{arguments:?}: {said}");
    }
}

#[test]
fn what_is_no_mailbox_is_told_by_its_name() {
    let scratch = tempfile::tempdir().unwrap();
    for (bytes, name) in [
        (&b"%PDF-1.4\n1 0 obj\n"[..], "PDF"),
        (b"!<arch>\ndebian-binary   ", ".deb"),
    ] {
        let file = scratch.path().join("a.ost");
        fs::write(&file, bytes).unwrap();
        let said = said(&ostfs(&["info", text(&file)]));
        assert!(said.contains(name) && !said.contains("is text"), "{said}");
    }
}

/// A file with one message, whose attachment is damaged.
fn with_damage() -> mailbox::File {
    let mut message = 0;
    let file = mailbox::write(Format::Unicode, Crypt::Permute, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let data = Payload::random(20_000, 1);
        message = store.message(inbox, mail("one").attachment("a.txt", data));
    });
    file.damage().flip_attachment(message, 0);
    file
}

#[test]
fn what_is_wrong_with_one_of_several_files_names_it() {
    let (a, b) = (with_damage(), with_damage());
    let (a, b) = (text(&a.path), text(&b.path));
    for arguments in [
        vec!["search", a, b, "x"],
        vec!["export", "--to", "tar", a, b, "-"],
    ] {
        let output = ostfs(&arguments);
        let errors = String::from_utf8(output.stderr).unwrap();
        for file in [a, b] {
            let named = format!("ostfs: {file}: message ");
            assert!(errors.contains(&named), "{arguments:?}: {errors}");
        }
        assert!(!errors.contains("ostfs: message "), "{errors}");
        for file in [a, b] {
            let name = Path::new(file).parent().unwrap().file_name().unwrap();
            let top = format!("{} - test.pst", text(name.as_ref()).trim_start_matches('.'));
            let path = format!("\"{top}/Inbox/2024-05-01 0900 one.eml\" is not whole");
            assert!(
                errors.contains(&format!("{top}: message 0x200024: {path}")),
                "{arguments:?}: {errors}"
            );
        }
    }
}

#[test]
fn one_of_something_is_not_called_several() {
    let file = with_damage();
    let scratch = tempfile::tempdir().unwrap();
    let target = scratch.path().join("tree");
    let output = ostfs(&["export", text(&file.path), text(&target)]);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    for word in ["problems", "files", "items"] {
        assert!(
            !said.contains(&format!(" 1 {word}")) && !said.contains(&format!("\n1 {word}")),
            "{said}"
        );
    }
    assert!(said.contains("X-Ostfs-Problem"), "{said}");
}
