//! The commands of README.md run, and print what it shows of them: `...` stands for any lines.
//!
//! Each block of commands has a directory of its own, with `old-mailbox.ost`, the sample of scripts/demo, and `may.pst` and
//! `june.pst`, two real files.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::corpus;
use crate::mounted::can_mount;
use crate::programs::installed;
use crate::support::sample::sample;
use crate::support::{Crypt, Format};
use crate::typed::Place;

/// What stands before a command, and before what it prints.
const COMMAND: &str = "    $ ";
const INDENT: &str = "    ";
/// The real files, and what README calls them.
const REAL: [(&str, &str); 2] = [
    ("may.pst", "simiden-2003_no-encryption_quickquick.pst"),
    ("june.pst", "simiden-2003_high-encryption_quickquick.pst"),
];
/// Commands with one of these words are not run, each for its reason.
const NOT_RUN: [(&str, &str); 7] = [
    ("ssh", "needs another machine"),
    ("restic", "needs a repository; `commands streams::` has one"),
    ("docker", "needs a registry"),
    ("ddrescue", "needs a failing disk"),
    ("mount mail.ost", "is about that disk"),
    ("mutt", "needs a terminal; `programs mail::` has one"),
    (
        "mu init",
        "keeps its index in the mail; `programs mail::` runs it",
    ),
];
/// What they use besides ostfs.
const PROGRAMS: [&str; 9] = [
    "bash",
    "grep",
    "less",
    "rsync",
    "zstd",
    "rg",
    "jq",
    "sha256sum",
    "timeout",
];
/// Commands that end otherwise than with 0, and how: as diff(1) does.
const CODES: [(&str, i32); 1] = [("ostfs diff may.pst june.pst", 1)];
/// A command of README.md.
struct Step {
    line: usize,
    command: String,
    shown: Vec<String>,
}

/// The blocks of commands of `text`.
fn blocks(text: &str) -> Vec<Vec<Step>> {
    let mut blocks = Vec::new();
    let mut block: Vec<Step> = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        if let Some(command) = line.strip_prefix(COMMAND) {
            block.push(Step {
                line: number,
                command: command.to_owned(),
                shown: Vec::new(),
            });
        } else if let (Some(shown), Some(step)) = (line.strip_prefix(INDENT), block.last_mut()) {
            step.shown.push(shown.to_owned());
        } else if !line.is_empty() && !block.is_empty() {
            blocks.push(std::mem::take(&mut block));
        }
    }
    blocks.push(block);
    blocks.retain(|block| !block.is_empty());
    blocks
}

/// Whether `printed` is what is `shown`, in which `...` stands for any lines, also none. Lines that are empty do not count: README
/// has them where its text goes on.
fn is_shown(printed: &[&str], shown: &[&str]) -> bool {
    match (printed, shown) {
        (_, ["...", rest @ ..]) => {
            (0..=printed.len()).any(|start| is_shown(&printed[start..], rest))
        }
        ([own, printed @ ..], [other, shown @ ..]) => own == other && is_shown(printed, shown),
        (printed, shown) => printed.is_empty() && shown.is_empty(),
    }
}

/// The directory of a block.
fn place() -> Place {
    let place = Place::new();
    let home = place.home();
    fs::create_dir_all(home.join("profile/Mail/Local Folders")).unwrap();
    let store = sample(Format::Ost4k, Crypt::Permute);
    store.write(home.join("old-mailbox.ost")).unwrap();
    if corpus::folder().is_some() {
        for (name, file) in REAL {
            symlink(corpus::file(file), home.join(name)).unwrap();
        }
    }
    place
}

fn judge(name: &str) {
    if !installed(&PROGRAMS) || !can_mount() {
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let text = fs::read_to_string(path).unwrap();
    let mut wrong = Vec::new();
    let mut run = 0;
    for block in blocks(&text) {
        let place = place();
        for step in block {
            let command = step.command.as_str();
            let needs_real = REAL.iter().any(|(name, _)| command.contains(name));
            let is_left_out = NOT_RUN.iter().any(|(word, _)| command.contains(word))
                || needs_real && corpus::folder().is_none();
            if is_left_out {
                continue;
            }
            run += 1;
            let (printed, code) = place.run(command);
            let wanted = CODES.iter().find(|(own, _)| *own == command);
            let lines = |text: &'_ str| -> Vec<String> {
                let lines = text.lines().map(str::trim_end);
                lines
                    .filter(|line| !line.is_empty())
                    .map(str::to_owned)
                    .collect()
            };
            let (own, shown) = (lines(&printed), lines(&step.shown.join("\n")));
            let own: Vec<&str> = own.iter().map(String::as_str).collect();
            let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
            if code != wanted.map_or(0, |(_, code)| *code)
                || !shown.is_empty() && !is_shown(&own, &shown)
            {
                wrong.push(format!(
                    "{name}:{}: {command}\n{printed}({code})",
                    step.line
                ));
            }
        }
    }
    assert!(run > 0, "{name} has no command");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_command_of_the_readme_does_what_it_shows() {
    judge("README.md");
}

#[test]
fn lines_that_are_left_out_may_be_any() {
    assert!(is_shown(&["a", "b", "c"], &["a", "...", "c"]));
    assert!(is_shown(&["a", "c"], &["a", "...", "c"]));
    assert!(!is_shown(&["a", "b", "c"], &["a", "c"]));
    assert!(!is_shown(&["a", "b"], &["a", "...", "c"]));
}
