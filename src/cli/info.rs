//! `ostfs info FILE`: what the file is, and what its folders declare and hold.
#![forbid(unsafe_code)]

use std::fmt::Write;

use super::InfoArguments;
use super::exit::Exit;
use super::report::{self, Failure};
use super::{progress, source};
use crate::tree::{FolderInfo, Info, Options, Tree};

/// Prints the facts as text, or as JSON.
pub(super) fn run(arguments: &InfoArguments) -> Result<(), Failure> {
    source::check(&arguments.file)?;
    let options = Options {
        all: true,
        ..Options::default()
    };
    let tree = Tree::open_with(&arguments.file, &options, progress::scan())
        .map_err(|error| Failure::opening(&arguments.file, &error))?;
    let info = tree.info();
    let text = if arguments.json {
        serde_json::to_string_pretty(&info).map_err(|error| {
            Failure::new(Exit::Failure, format!("cannot be written as JSON: {error}"))
        })?
    } else {
        text(&info)
    };
    report::say(text.trim_end());
    Ok(())
}

fn text(info: &Info) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: &str| {
        // Writing to a string does not fail.
        writeln!(text, "{label:<12}{value}").ok();
    };
    line("Kind", &info.kind);
    line(
        "Format",
        &format!(
            "{} (version {}, client {})",
            info.format, info.version, info.client_version
        ),
    );
    line("Encryption", info.encryption);
    if info.password {
        line("Password", "set; it protects nothing and is not needed");
    }
    line("Size", &format!("{} bytes", info.size));
    if info.truncated {
        line(
            "Truncated",
            &format!(
                "the header says {} bytes: the end of the file is missing",
                info.declared_size
            ),
        );
    }
    if !info.header_crc_valid {
        line("Header", "its CRC is wrong");
    }
    if let Some(name) = &info.name {
        line("Name", &report::printable(name));
    }
    line("Messages", &info.messages.to_string());
    line("Hidden", &info.associated.to_string());
    if info.lost > 0 {
        line(
            "Lost",
            &format!("{} in no folder; see lost+found", info.lost),
        );
    }
    text.push_str("\ndeclared    found   hidden  folder\n");
    for folder in &info.folders {
        writeln!(
            text,
            "{:>8} {:>8} {:>8}  {}{}",
            declared(folder),
            folder.found,
            folder.associated,
            report::printable(&folder.path),
            if folder.search {
                " (search folder)"
            } else {
                ""
            }
        )
        .ok();
    }
    text
}

fn declared(folder: &FolderInfo) -> String {
    folder
        .declared
        .map_or_else(|| "-".into(), |count| count.to_string())
}
