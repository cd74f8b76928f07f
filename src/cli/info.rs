//! `ostfs info FILE...`: what the file is, and what its folders declare and hold.
#![forbid(unsafe_code)]

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::arguments::InfoArguments;
use super::exit::Exit;
use super::options::{Options, Switch};
use super::report::{self, Failure, counted};
use super::source::Sources;
use super::summary::{Counts, add};
use crate::clock;
use crate::ltp::FileTime;
use crate::output::{self, shown};
use crate::sandbox::{self, Need};
use crate::tree::{FolderInfo, Info};

/// An OST that has had no mail for so long is hardly the cache of a mailbox any more.
const ORPHANED_AFTER: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// Folders that exist in this file alone: no server has what is in them.
const LOCAL_ONLY: [&str; 4] = [
    "sync issues",
    "conflicts",
    "local failures",
    "server failures",
];

/// The facts, and what they mean today.
#[derive(Serialize)]
struct Report {
    /// Its path.
    file: String,
    #[serde(flatten)]
    info: Info,
    /// Whether this OST has had no mail for long.
    looks_orphaned: bool,
}

/// Prints the facts as text, or as JSON.
pub(super) fn run(arguments: &InfoArguments, counts: &mut Counts) -> Result<(), Failure> {
    let options = Options::of_user(&[], &arguments.options, &None)?;
    let sources = Sources::open(&arguments.files)?;
    if options.sandbox == Switch::On {
        sandbox::enter(Need::OpenFiles);
    }
    let is_one = arguments.files.len() == 1;
    let lost = sources.each(&options.tree, |file, tree| {
        let info = tree.info();
        add(&mut counts.items, info.messages);
        let report = Report {
            file: file.display().to_string(),
            looks_orphaned: looks_orphaned(&info, SystemTime::now()),
            info,
        };
        if arguments.json {
            return output::pretty_json(&report).map_err(|error| {
                Failure::new(Exit::Failure, format!("cannot be written as JSON: {error}"))
            });
        }
        let text = text(&report, arguments.verbose);
        Ok(match is_one {
            true => text,
            false => format!("{:<12}{}\n{text}", "File", shown(file)),
        })
    })?;
    counts.not_opened = Some(lost.number());
    lost.end(Ok(()))
}

fn looks_orphaned(info: &Info, now: SystemTime) -> bool {
    let last = info.newest.map(FileTime::system_time);
    info.kind == Info::OST
        && last.is_some_and(|last| {
            now.duration_since(last)
                .is_ok_and(|age| age > ORPHANED_AFTER)
        })
}

fn text(report: &Report, all: bool) -> String {
    let info = &report.info;
    let mut text = facts(report);
    text.push_str("\ndeclared    found   hidden  folder\n");
    let (told, passed): (Vec<_>, Vec<_>) = info
        .folders
        .iter()
        .partition(|folder| all || is_for_user(folder));
    for folder in told {
        // Writing to a string does not fail.
        writeln!(
            text,
            "{:>8} {:>8} {:>8}  {}{}",
            declared(folder),
            folder.found,
            folder.associated,
            report::printable(&folder.path),
            remark(folder) + &remark_on_server(folder)
        )
        .ok();
    }
    if !passed.is_empty() {
        let passed = counted(passed.len() as u64, "more folder");
        writeln!(
            text,
            "{passed} with -v: search folders, and empty ones of Outlook's own"
        )
        .ok();
    }
    if !info.classes.is_empty() {
        text.push_str("\n   items  class\n");
    }
    for (class, count) in &info.classes {
        writeln!(text, "{count:>8}  {}", report::printable(class)).ok();
    }
    text
}

/// Whether a user who looks for his mail wants to know of `folder`: not of an empty one that he never sees, and not of one
/// that searches, as what it lists is in other folders and counted there.
fn is_for_user(folder: &FolderInfo) -> bool {
    let should_have = [folder.declared, folder.on_server];
    let has_items = folder.found > 0 || should_have.into_iter().flatten().any(|count| count > 0);
    !folder.search && (folder.shown || has_items)
}

fn facts(report: &Report) -> String {
    let facts = about_file(&report.info).into_iter();
    facts.chain(about_content(report)).map(line).collect()
}

fn line((label, value): (&str, String)) -> String {
    format!("{label:<12}{value}\n")
}

/// What the file is and what state it is in.
fn about_file(info: &Info) -> Vec<(&'static str, String)> {
    let mut facts = vec![("Kind", info.kind.clone())];
    let versions = match info.header_lost {
        true => String::new(),
        false => format!(
            " (version {}, client {})",
            info.version, info.client_version
        ),
    };
    facts.push(("Format", format!("{}{versions}", info.format)));
    facts.push(("Encryption", info.encryption.to_owned()));
    if info.password {
        let text = "set; it protects nothing and is not needed";
        facts.push(("Password", text.to_owned()));
    }
    facts.push(("Size", format!("{} bytes", info.size)));
    if info.truncated {
        let declared = info.declared_size;
        let text = format!("the header says {declared} bytes: the end of the file is missing");
        facts.push(("Truncated", text));
    }
    if info.header_lost {
        let text = "lost: the mail was looked for in the whole file";
        facts.push(("Header", text.to_owned()));
    } else if !info.header_crc_valid {
        facts.push(("Header", "its CRC is wrong".to_owned()));
    }
    if info.in_use {
        let text = "it was not closed: copied while Outlook had it open, or Outlook ended early";
        facts.push(("In use", text.to_owned()));
    }
    facts
}

/// Whose mail is in it, from when, and how much.
fn about_content(report: &Report) -> Vec<(&'static str, String)> {
    let info = &report.info;
    let code_page = format!("code page {}: {}", info.code_page, info.code_page_reason);
    let mut facts = vec![("8-bit text", code_page)];
    if let Some(name) = &info.name {
        facts.push(("Name", report::printable(name).to_string()));
    }
    if let Some(owner) = &info.owner {
        let owner = report::printable(owner);
        let text = format!("{owner}, who made what configures Outlook here");
        facts.push(("Owner", text));
    }
    if let (Some(oldest), Some(newest)) = (info.oldest, info.newest) {
        facts.push(("Mail", format!("{} to {}", day(oldest), day(newest))));
    }
    if report.looks_orphaned {
        let text = "so it seems: no mail for long. Outlook opens an OST with its profile only; ostfs needs none";
        facts.push(("Orphaned", text.to_owned()));
    }
    facts.push(("Items", items(info)));
    facts.extend(on_server(info).map(|server| ("Server", server)));
    facts.push(("Hidden", info.associated.to_string()));
    let hidden = info.folders.iter().filter(|folder| folder.hidden).count();
    if hidden > 0 {
        let of = info.folders.len();
        let text = format!("{hidden} of {of} are hidden, for the use of programs; see -o all");
        facts.push(("Folders", text));
    }
    if info.lost > 0 {
        facts.push(("Lost", lost(info)));
    }
    facts
}

/// The items that the user sees, and then those in folders that Outlook keeps for itself.
fn items(info: &Info) -> String {
    let folders = info.folders.iter();
    let shown = || {
        folders
            .clone()
            .filter(|folder| folder.shown && !folder.lost)
    };
    let found: u64 = shown().map(|folder| folder.found).sum();
    let mail: u64 = shown().map(|folder| folder.mail).sum();
    let own = match info.messages.saturating_sub(found) {
        0 => String::new(),
        own => format!("; {own} more in folders of Outlook's own, see -o all"),
    };
    let others = found.saturating_sub(mail);
    let (mail, others) = (counted(mail, "mail"), counted(others, "other"));
    format!("{found} ({mail}, {others}){own}")
}

/// What no folder lists any more, and what folders have that no folder lists.
fn lost(info: &Info) -> String {
    let folders = || info.folders.iter().filter(|folder| folder.lost);
    let within: u64 = folders().map(|folder| folder.found).sum();
    let mail: u64 = folders().map(|folder| folder.mail).sum();
    let within_lost = match within {
        0 => String::new(),
        _ => format!(", {within} ({}) in lost folders", counted(mail, "mail")),
    };
    let alone = info.lost.saturating_sub(within);
    format!("{alone} in no folder{within_lost}; see lost+found")
}

/// What was on the server alone when the file was last the same as the mailbox; None if that was nothing, or is not known.
fn on_server(info: &Info) -> Option<String> {
    let counts = info.folders.iter().filter_map(|folder| folder.on_server);
    let count: i64 = counts.filter(|count| *count > 0).map(i64::from).sum();
    let months = info
        .folders
        .iter()
        .filter_map(|folder| folder.offline_months)
        .max();
    let kept = months.map_or_else(String::new, |months| {
        format!(" (mail of {months} months was kept offline)")
    });
    (count > 0).then(|| {
        format!(
            "{count} more items were there alone and are not in this file{kept}; see the folders"
        )
    })
}

fn day(time: FileTime) -> String {
    clock::utc(time.unix_seconds())
        .map(|time| time.strftime("%Y-%m-%d").to_string())
        .unwrap_or_default()
}

fn declared(folder: &FolderInfo) -> String {
    // What a search has found once is gone by the next search: fewer now is no loss.
    folder
        .declared
        .filter(|_| !folder.search)
        .map_or_else(|| "-".into(), |count| count.to_string())
}

fn remark(folder: &FolderInfo) -> String {
    match folder.purpose {
        _ if folder.search => " (search folder: items of other folders)".to_owned(),
        _ if folder.hidden => " (hidden)".to_owned(),
        _ if !folder.shown => " (with -o all)".to_owned(),
        Some(purpose) if LOCAL_ONLY.contains(&purpose) => {
            format!(" ({purpose}: on no server)")
        }
        Some(purpose) if !folder.path.to_lowercase().ends_with(purpose) => format!(" ({purpose})"),
        _ => String::new(),
    }
}

/// How many items of `folder` are not in the file because the server alone had them.
fn remark_on_server(folder: &FolderInfo) -> String {
    let Some(count) = folder.on_server.filter(|count| *count > 0) else {
        return String::new();
    };
    let unread = folder.on_server_unread.unwrap_or(0);
    format!(" ({count} more on the server alone, {unread} of them unread)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(kind: &str, newest: Option<FileTime>) -> Info {
        Info {
            kind: kind.to_owned(),
            newest,
            ..Info::default()
        }
    }

    #[test]
    fn an_ost_without_mail_for_long_looks_orphaned_and_nothing_else_does() {
        let last = FileTime(133_000_000_000_000_000);
        let soon = last.system_time() + ORPHANED_AFTER / 2;
        let later = last.system_time() + ORPHANED_AFTER * 2;
        assert!(looks_orphaned(&info(Info::OST, Some(last)), later));
        assert!(!looks_orphaned(&info(Info::OST, Some(last)), soon));
        assert!(!looks_orphaned(&info(Info::OST, None), later));
        assert!(!looks_orphaned(&info("PST", Some(last)), later));
    }
}
