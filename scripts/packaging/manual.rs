//! Writes the man pages and the shell completions of ostfs into a directory, laid out as below `/usr/share`:
//! `cargo run --example manual -- DIRECTORY`. All text about options and commands is that of `--help`.

use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command};
use clap_complete::Shell;
use clap_mangen::Man;

/// What `--help` leaves to the manual, in man(7).
const MORE: &str = "\
.SH EXAMPLES
.TP
Look into the OST of a mailbox that is gone:
.EX
$ ostfs mount old\\-mailbox.ost /mnt/mail
$ ls /mnt/mail/Inbox
$ grep \\-rl \"purchase order\" /mnt/mail
$ ostfs unmount /mnt/mail
.EE
.TP
Take all mail out, and go on after an interruption:
.EX
$ rsync \\-a /mnt/mail/ ~/mail\\-archive/
$ ostfs export \\-\\-resume old\\-mailbox.ost ~/mail\\-archive
.EE
.TP
Make a PST for Outlook of it:
.EX
$ ostfs export \\-\\-to pst old\\-mailbox.ost mailbox.pst
$ ostfs export \\-\\-to pst \\-\\-split 10G old\\-mailbox.ost archive.pst parts/
.EE
.TP
Find what was said, and where:
.EX
$ ostfs search \\-C 1 old\\-mailbox.ost \\(aqfrom:adams date:2024 \"purchase order\"\\(aq
.EE
.TP
One line of /etc/fstab:
.EX
/srv/old.ost /mnt/mail fuse.ostfs allow_other,umask=022,nofail,idle_timeout=10m 0 0
.EE
.SH FILES
.TP
.I MOUNTPOINT/lost+found
What no folder lists any more.
.TP
.I MOUNTPOINT/.ostfs/info.json
What the file is. The directory is not listed, but there.
.TP
.I MOUNTPOINT/.ostfs/problems.txt
What could not be read, and where.
.TP
.I MOUNTPOINT/.ostfs/index.csv
A line for each item in a folder: path, node, date, subject, class.
.TP
.I MOUNTPOINT/.ostfs/import/
A folder of calendar or contacts in one file; in Autocomplete.vcf whom Outlook proposes.
.TP
.I MOUNTPOINT/.ostfs/categories.csv
The categories with their colours.
.TP
.I MOUNTPOINT/.ostfs/rules.txt
What each rule of the mailbox does, in words.
.TP
.I /etc/fuse.conf
Needs the line user_allow_other before an ordinary user may give \\-o allow_other.
.TP
.I \\(ti/.config/ostfs/options
Options that hold without being typed: one list a line, as behind \\-o. A # begins a remark.
.TP
.I \\(ti/.cache/ostfs
The sizes of \\-o size\\-cache.
.SH ENVIRONMENT
.TP
.B OSTFS_OPTIONS
Options that hold without being typed, as behind \\-o; they hold before those of the file of options, and what is typed before both.
.TP
.B XDG_CONFIG_HOME
Where the file of options is, in place of \\(ti/.config.
.TP
.B XDG_CACHE_HOME
Where sizes are kept, in place of \\(ti/.cache.
.TP
.B XDG_RUNTIME_DIR
Where ostfs open mounts.
.TP
.B RUST_LOG
What is logged: error, warn (the default), info, debug or trace.
.SH SEE ALSO
.BR ostfs\\-mount (1),
.BR ostfs\\-export (1),
.BR ostfs\\-search (1),
.BR ostfs\\-check (1),
.BR mount.fuse.ostfs (8),
.BR fusermount3 (1)
";
/// The end of the pages of single commands.
const SEE_ALSO: &str = ".SH SEE ALSO\n.BR ostfs (1)\n";

fn main() -> Result<(), Box<dyn Error>> {
    let target = std::env::args_os().nth(1).ok_or("give a directory")?;
    write(&PathBuf::from(target))
}

/// Writes all of them below `target`.
pub fn write(target: &Path) -> Result<(), Box<dyn Error>> {
    let [ostfs, helper] = ostfs::cli::definitions();
    // `ostfs help` needs no page of its own.
    let mut ostfs = ostfs.disable_help_subcommand(true);
    let commands = ostfs
        .get_subcommands()
        .map(|command| &*command.get_name().to_owned().leak());
    let topics = PossibleValuesParser::new(ostfs::cli::topics().chain(commands));
    let help = Command::new("help")
        .about("Print the help of a command, or a recipe")
        .arg(Arg::new("TOPIC").value_parser(topics));
    let mut completed = ostfs.clone().subcommand(help);
    ostfs.build();
    page(target, &ostfs, "ostfs", "1")?;
    for command in ostfs.get_subcommands() {
        let name = format!("ostfs-{}", command.get_name());
        page(target, command, &name, "1")?;
    }
    page(target, &helper, "mount.fuse.ostfs", "8")?;
    for (shell, directory) in [
        (Shell::Bash, "bash-completion/completions"),
        (Shell::Zsh, "zsh/vendor-completions"),
        (Shell::Fish, "fish/vendor_completions.d"),
    ] {
        let directory = target.join(directory);
        fs::create_dir_all(&directory)?;
        clap_complete::generate_to(shell, &mut completed, "ostfs", directory)?;
    }
    // Debian's bash looks for a file with the name of the command alone.
    let bash = target.join("bash-completion/completions");
    fs::rename(bash.join("ostfs.bash"), bash.join("ostfs"))?;
    Ok(())
}

/// The page of `command`, under `name`.
fn page(target: &Path, command: &Command, name: &str, section: &str) -> Result<(), Box<dyn Error>> {
    let directory = target.join(format!("man/man{section}"));
    fs::create_dir_all(&directory)?;
    let mut file = File::create(directory.join(format!("{name}.{section}")))?;
    let tables = command.get_after_long_help().or(command.get_after_help());
    let tables = tables.map(ToString::to_string).unwrap_or_default();
    // A page has the name under which it is found, and the date of no build.
    let named: &'static str = name.to_owned().leak();
    let synopsis = synopsis(command);
    let command = command
        .clone()
        .name(named)
        .after_help("")
        .after_long_help("");
    let man = Man::new(command)
        .title(name)
        .section(section)
        .date("")
        .source(concat!("ostfs ", env!("CARGO_PKG_VERSION")))
        .manual("ostfs manual");
    man.render_title(&mut file)?;
    man.render_name_section(&mut file)?;
    file.write_all(synopsis.as_bytes())?;
    man.render_description_section(&mut file)?;
    man.render_options_section(&mut file)?;
    if name == "ostfs" {
        man.render_subcommands_section(&mut file)?;
    }
    file.write_all(sections(&tables).as_bytes())?;
    let more = if name == "ostfs" { MORE } else { SEE_ALSO };
    Ok(file.write_all(more.as_bytes())?)
}

/// How `command` is called.
fn synopsis(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:");
    let lines = usage.lines().map(|line| escaped(line.trim()));
    format!(
        ".SH SYNOPSIS\n{}\n",
        lines.collect::<Vec<_>>().join("\n.br\n")
    )
}

/// Columns from which on a line of a table goes on with the row above it.
const GOES_ON: usize = 5;

/// The tables behind the options in `--help` as sections. What stands between empty lines is one: a title that ends in a colon,
/// then lines of two columns; or a paragraph of the section before.
fn sections(tables: &str) -> String {
    let mut text = String::new();
    for block in tables.split("\n\n") {
        let mut lines = block.lines().peekable();
        match lines.next_if(|line| line.ends_with(':')) {
            Some(title) => text += &heading(title.trim_end_matches(':')),
            None => text += ".PP\n",
        }
        for line in lines {
            let row = line.trim_start();
            let indent = line.len() - row.len();
            if indent == 0 || indent >= GOES_ON {
                text += &format!("{}\n", escaped(row));
                continue;
            }
            let (item, meaning) = row.split_once("  ").unwrap_or((row, ""));
            text += &format!(".TP\n.B {}\n", escaped(item));
            if !meaning.is_empty() {
                text += &format!("{}\n", escaped(meaning.trim_start()));
            }
        }
    }
    text
}

/// The head of a section; what stands behind a comma in its `title` is its first sentence.
fn heading(title: &str) -> String {
    let (title, rest) = title.split_once(", ").unwrap_or((title, ""));
    let title = match title {
        "Exit codes" => "Exit status",
        other => other,
    };
    let rest = match rest {
        "" => String::new(),
        rest => format!("{}:\n", escaped(rest)),
    };
    format!(".SH {}\n{rest}", escaped(&title.to_uppercase()))
}

/// `text` as it stands in man(7): what roff(7) would take for its own, and what it would print as another character.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for sign in text.chars() {
        match sign {
            '\\' => escaped.push_str("\\(rs"),
            '"' => escaped.push_str("\\(dq"),
            '\'' => escaped.push_str("\\(aq"),
            '`' => escaped.push_str("\\(ga"),
            '^' => escaped.push_str("\\(ha"),
            '~' => escaped.push_str("\\(ti"),
            '-' => escaped.push_str("\\-"),
            // At the beginning of a line it would be a request.
            '.' if escaped.is_empty() => escaped.push_str("\\&."),
            other => escaped.push(other),
        }
    }
    escaped
}
