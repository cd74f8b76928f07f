//! The examples of `--help`, which are those of the man pages, and the recipes of `ostfs help TOPIC` do what they are there for.
//!
//! Each example of a command has a home of its own, and each recipe has one for all its commands, as one goes on from another. The
//! mailboxes there hold what the examples look for.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::mounted::{can_mount, ostfs};
use crate::programs::installed;
use crate::support::sample::sample;
use crate::support::{Crypt, Folders, Format, Message, Payload, Store, filetime, tags};
use crate::typed::Place;

/// What they use besides ostfs.
const PROGRAMS: [&str; 8] = [
    "bash",
    "grep",
    "jq",
    "rg",
    "sha256sum",
    "timeout",
    "xargs",
    "zstd",
];
/// What stands above the commands in `ostfs --help`, and above the topics.
const HEADING_OF_COMMANDS: &str = "\nCommands:\n";
const HEADING_OF_TOPICS: &str = "\nRecipes, by ostfs help TOPIC:\n";
/// What begins so is not run, for its reason.
const NOT_RUN: [(&str, &str); 2] = [
    ("thunderbird ", "needs a desktop"),
    (
        "mu init",
        "keeps its index in the home; `programs mail::` runs it",
    ),
];
/// What ends otherwise than with 0, and how: as diff(1) does.
const CODES: [(&str, i32); 1] = [("ostfs diff ", 1)];
/// Below what a command stands in a recipe, and in the examples of a command.
const IN_RECIPE: &str = "    ";
const IN_EXAMPLES: &str = "  ";

/// What an export to PST makes, and other commands read.
const MAILBOX: &str = "mailbox.pst";
/// The mailboxes that the examples name. `.pst` files differ from each other.
const MAILBOXES: [&str; 8] = [
    "a.pst",
    "b.pst",
    "old.pst",
    "new.pst",
    MAILBOX,
    "repaired.pst",
    "backup-may.pst",
    "backup-june.pst",
];

/// The time, as files have it.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    filetime(1970, 1, 1, 0, 0) + since.as_secs() * 10_000_000
}

fn mailbox(format: Format, order: &str) -> Store {
    let mut store = sample(format, Crypt::Permute);
    let orders = store.folder(store.ipm_subtree(), "Orders");
    let subject = format!("Purchase order {order}");
    let mail = Message::mail(&subject)
        .from("Ann Adams", "adams@north.example")
        .to("Eva Ivanova", "eva@south.example")
        .time(filetime(2024, 2, 5, 8, 0))
        .unread()
        .body("The purchase order, the budget, the invoices, and what the insolvency costs.\r\n")
        .attachment("invoice.bin", Payload::random(1_500_000, 1));
    store.message(orders, mail);
    let request = Message::appointment("Review", now(), now(), "Room 4")
        .prop(tags::MESSAGE_CLASS, "IPM.Schedule.Meeting.Request")
        .time(now());
    store.message(orders, request);
    store
}

fn place() -> Place {
    let place = Place::new();
    let home = place.home();
    fs::create_dir(home.join("Downloads")).unwrap();
    let old = mailbox(Format::Ost4k, "1");
    old.write(home.join("old-mailbox.ost")).unwrap();
    for name in MAILBOXES.into_iter().chain(["Downloads/archive.pst"]) {
        let store = mailbox(Format::Unicode, name);
        store.write(home.join(name)).unwrap();
    }
    place
}

/// What `ostfs` prints for `arguments`.
fn help(arguments: &[&str]) -> String {
    String::from_utf8(ostfs(arguments).stdout).unwrap()
}

/// The names that `ostfs --help` has below `heading`.
fn listed(heading: &str) -> Vec<String> {
    let help = help(&["--help"]);
    let (_, list) = help.split_once(heading).unwrap();
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| command(line, IN_EXAMPLES));
    let names: Vec<_> = names
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect();
    assert!(names.len() > 4, "{heading}{list}");
    names
}

/// The command in `line`, which is so far from the edge. Two spaces are before a remark.
fn command<'a>(line: &'a str, edge: &str) -> Option<&'a str> {
    let typed = line
        .strip_prefix(edge)
        .filter(|rest| !rest.starts_with(' '))?;
    // jq's filter has two spaces within quotes, and no remark.
    let remark = typed.find("  ").filter(|_| !typed.contains('\''));
    Some(typed[..remark.unwrap_or(typed.len())].trim_end())
}

/// Adds what is wrong with `command`, typed in `place`.
fn try_it(place: &Place, command: &str, wrong: &mut Vec<String>) {
    if NOT_RUN.iter().any(|(start, _)| command.starts_with(start)) {
        return;
    }
    // Of two that mount, a user takes one.
    if command.starts_with("ostfs mount ") {
        place.unmount();
    }
    if command.contains(" --to pst ") {
        fs::remove_file(place.home().join(MAILBOX)).ok();
    }
    let code = CODES.iter().find(|(start, _)| command.starts_with(start));
    let (printed, ended) = place.run(&format!("set -o pipefail; {command}"));
    if ended != code.map_or(0, |(_, code)| *code) {
        wrong.push(format!("$ {command}\n{printed}({ended})"));
    }
}

#[test]
fn every_example_of_a_command_does_what_it_is_there_for() {
    if !installed(&PROGRAMS) || !can_mount() {
        return;
    }
    let mut wrong = Vec::new();
    let commands = listed(HEADING_OF_COMMANDS);
    for name in commands.iter().filter(|name| *name != "help") {
        let help = help(&[name, "--help"]);
        let (_, examples) = help.split_once("\nExamples:\n").unwrap();
        let lines = examples.lines().take_while(|line| !line.is_empty());
        let typed: Vec<_> = lines
            .filter_map(|line| command(line, IN_EXAMPLES))
            .collect();
        assert!(typed.len() >= 2, "{name}: {examples}");
        for command in typed {
            let place = place();
            if command.starts_with("ostfs unmount ") {
                try_it(&place, "ostfs mount old-mailbox.ost ~/mail", &mut wrong);
            }
            try_it(&place, command, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_recipe_does_what_it_is_there_for() {
    if !installed(&PROGRAMS) || !can_mount() {
        return;
    }
    let mut wrong = Vec::new();
    for topic in listed(HEADING_OF_TOPICS) {
        let recipe = help(&["help", &topic]);
        let typed: Vec<_> = recipe
            .lines()
            .filter_map(|line| command(line, IN_RECIPE))
            .collect();
        assert!(typed.len() >= 3, "{topic}: {recipe}");
        let place = place();
        for command in typed {
            try_it(&place, command, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
