//! The man pages and completions of a package: nothing that `--help` says is lost on the way there.

#[allow(dead_code)]
#[path = "../../scripts/packaging/manual.rs"]
mod pages;

use std::fs;

use crate::mounted::ostfs;

/// Lines of `--help` that a page has in another form.
const HEADINGS: [&str; 5] = [
    "Usage:",
    "Arguments:",
    "Options:",
    "Commands:",
    "Exit codes:",
];
/// Names in man(7) for characters, and what only changes the font.
const NAMED: [(&str, &str); 13] = [
    ("\\(dq", "\""),
    ("\\(aq", "'"),
    ("\\*(Aq", "'"),
    ("\\(ga", "`"),
    ("\\(ha", "^"),
    ("\\(ti", "~"),
    ("\\(rs", "\\"),
    ("\\-", "-"),
    ("\\&", ""),
    ("\\fB", ""),
    ("\\fI", ""),
    ("\\fR", ""),
    ("\\\\", "\\"),
];

/// What a reader sees of `page`, in one line.
fn shown(page: &str) -> String {
    let text = NAMED.iter().fold(page.to_owned(), |text, (name, sign)| {
        text.replace(name, sign)
    });
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A word without what stands around it: brackets and the ends of sentences.
fn bare(word: &str) -> &str {
    word.trim_matches(|sign: char| "[]()<>.,;:".contains(sign))
}

#[test]
fn every_word_of_the_help_is_in_the_page_quotes_and_all() {
    let scratch = tempfile::tempdir().unwrap();
    pages::write(scratch.path()).unwrap();
    let commands = [
        "mount", "open", "unmount", "export", "index", "diff", "search", "ls", "cat", "info",
        "check",
    ];
    for command in commands {
        let page = scratch.path().join(format!("man/man1/ostfs-{command}.1"));
        let source = fs::read_to_string(page).unwrap();
        for line in source
            .lines()
            .filter(|line| line.starts_with(".B ") || line.starts_with(".SH "))
        {
            assert!(
                !line.contains('"'),
                "{command}: roff takes the quotes of {line}"
            );
        }
        let shown = shown(&source).to_lowercase();
        let help = ostfs(&[command, "--help"]);
        let help = String::from_utf8(help.stdout).unwrap();
        let lines = help.lines().map(|line| line.trim_start_matches("Usage: "));
        let lines = lines.filter(|line| !HEADINGS.contains(line));
        for line in lines.filter(|line| !line.contains("Print help")) {
            for word in line.split_whitespace() {
                let word = bare(word).to_lowercase();
                assert!(shown.contains(&word), "{command}: {word:?} of {line:?}");
            }
        }
    }
}

#[test]
fn no_section_of_a_page_is_empty_or_made_of_a_row() {
    let scratch = tempfile::tempdir().unwrap();
    pages::write(scratch.path()).unwrap();
    for entry in fs::read_dir(scratch.path().join("man/man1")).unwrap() {
        let path = entry.unwrap().path();
        let page = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = page.lines().collect();
        for pair in lines.windows(2) {
            let is_empty = pair[0].starts_with(".SH") && pair[1].starts_with(".SH");
            assert!(!is_empty, "{}: {pair:?}", path.display());
        }
        for title in lines.iter().filter_map(|line| line.strip_prefix(".SH ")) {
            assert!(title.split(' ').count() <= 8, "{}: {title}", path.display());
        }
    }
}

#[test]
fn completions_know_the_topics_of_help() {
    let scratch = tempfile::tempdir().unwrap();
    pages::write(scratch.path()).unwrap();
    let bash = scratch.path().join("bash-completion/completions/ostfs");
    let bash = fs::read_to_string(bash).unwrap();
    for topic in ["recover", "evidence", "thunderbird"] {
        assert!(bash.contains(topic), "{topic}");
    }
}

#[test]
fn tables_of_the_help_fit_a_narrow_terminal() {
    for command in ["mount", "export", "search", "index", "check"] {
        let help = ostfs(&[command, "--help"]);
        let help = String::from_utf8(help.stdout).unwrap();
        let tables = help.split_once("\nExamples:\n").unwrap().1;
        let (_, tables) = tables.split_once("\n\n").unwrap_or_default();
        for line in tables.lines() {
            assert!(line.chars().count() <= 80, "{command}: {line}");
        }
    }
}
