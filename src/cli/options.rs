//! `-o name=value,name,...`: what mount(8) and fstab(5) hand on, shared by the commands that show a tree.
#![forbid(unsafe_code)]

use std::fmt::Write;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::exit::Exit;
use super::report::Failure;
use crate::codepage;
use crate::convert::{Eol, Headers, Items, VcardVersion};
use crate::fuse::{self, Access};
use crate::ndb::Recover;
use crate::tree::{self, Attachments, Damaged, Layout, Template};

/// The options as they are typed, and what they do; the help text and the error messages come from here.
const KNOWN: &[(&str, &str)] = &[
    (
        "attachments=both|eml|dir",
        "attachments inside the .eml, in a directory beside it, or both [both]",
    ),
    (
        "all",
        "show hidden items and search folders too, from the real root",
    ),
    (
        "deleted",
        "add lost+found/deleted: what was deleted and still lies in the file",
    ),
    (
        "cache=SIZE",
        "bound of the memory for caches and program, with K, M or G; at least 1M [64M, export 8M]",
    ),
    (
        "codepage=NUMBER",
        "of 8-bit text of items that name none, as 1251 [the file's; `ostfs info` tells]",
    ),
    ("eol=lf|crlf", "line ends of messages [lf]"),
    (
        "headers=encoded|utf8|original",
        "header fields as encoded words, decoded in UTF-8 for grep, or as stored [encoded]",
    ),
    (
        "items=native|eml",
        "calendar, contacts, tasks, notes as .ics, .vcf, .txt, or all as mail [native]",
    ),
    (
        "layout=folders|maildir",
        "files in folders, or a Maildir++ for mail programs, all items as mail [folders]",
    ),
    (
        "names=TEMPLATE",
        "names of items, as --names [{date} {subject}, contacts by name]",
    ),
    (
        "text",
        "a .txt beside each item: its header decoded, its body, what is attached",
    ),
    (
        "tz=local|UTC|Area/City",
        "time zone of the times in names and texts [UTC]",
    ),
    ("vcard=3|4", "version of .vcf files [3]"),
    (
        "recover=off|auto|scan",
        "scan a damaged file for lost mail: never, when needed, at once [auto]",
    ),
    (
        "damaged=show|refuse",
        "bytes that may be wrong: shown, and said so; or an error in their place [show]",
    ),
    (
        "sandbox=on|off",
        "give up all rights that are not needed; off is for debugging [on]",
    ),
    ("nonempty", "use a directory that is not empty"),
    (
        "redact",
        "keep the names of files, folders and messages out of the log",
    ),
    ("ro", "read-only, which a mount always is"),
    (
        "allow_other",
        "let other users in; files are 0444 then unless a mask is given",
    ),
    ("allow_root", "let root in"),
    ("uid=NUMBER", "owner of the files [you]"),
    ("gid=NUMBER", "group of the files [yours]"),
    (
        "umask=OCTAL",
        "permission bits that files and directories do not have [077]",
    ),
    ("fmask=OCTAL", "the same for files alone"),
    ("dmask=OCTAL", "the same for directories alone"),
    (
        "idle_timeout=DURATION",
        "as --idle-timeout: unmount when nobody has used it for this long",
    ),
    ("default_permissions", "let the kernel check permissions"),
    ("fsname=NAME", "name in the table of mounts [FILE]"),
    (
        "user_xattr",
        "extended attributes: node, class, flags, media type, origin of attachments",
    ),
];

/// What fstab(5) and mount(8) hand on to everyone, and what is so anyway.
const TOLERATED: &[&str] = &[
    "defaults",
    "auto",
    "noauto",
    "user",
    "nouser",
    "users",
    "owner",
    "group",
    "nofail",
    "_netdev",
    "async",
    "sync",
    "dirsync",
    "dev",
    "nodev",
    "suid",
    "nosuid",
    "exec",
    "noexec",
    "atime",
    "noatime",
    "diratime",
    "nodiratime",
    "relatime",
    "norelatime",
    "strictatime",
    "nostrictatime",
    "lazytime",
    "nolazytime",
    "silent",
    "loud",
    "mand",
    "nomand",
];
/// The same, by their beginning: systemd's, comments, the user for whom mount(8) works.
const TOLERATED_PREFIXES: &[&str] = &["x-", "X-", "comment=", "user=", "uhelper="];

/// Below this a cache holds not even the blocks of one large table.
const LEAST_CACHE: u64 = 1 << 20;
/// Permission bits before any mask.
const FILE_BITS: u16 = 0o444;
const DIRECTORY_BITS: u16 = 0o555;
/// Mail is private unless other users are let in on purpose.
const PRIVATE_MASK: u16 = 0o077;
const SHARED_MASK: u16 = 0o022;

/// Who wrote the list of options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// A user, who is told of every mistake.
    User,
    /// mount(8), which says "rw" unless told otherwise.
    MountCommand,
    /// mount(8) with `-s`, which wants unknown options to be passed over.
    SloppyMountCommand,
}

/// All options of a mount or an export.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// What the tree shows.
    pub tree: tree::Options,
    /// How it is mounted.
    pub mount: fuse::Options,
    /// Whether the mount point may have files of its own.
    pub nonempty: bool,
    /// Whether the process gives up the rights that it does not need.
    pub sandbox: Switch,
}

/// What is on unless it is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Switch {
    /// As it should be.
    #[default]
    On,
    /// Not now.
    Off,
}

/// The masks, of which the more special one wins, wherever it stands.
#[derive(Default)]
struct Masks {
    all: Option<u16>,
    files: Option<u16>,
    directories: Option<u16>,
}

impl Options {
    /// Parses the values of all `-o`; the last of two that contradict each other holds.
    pub fn parse(lists: &[String], writer: Writer) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut masks = Masks::default();
        let words = lists.iter().flat_map(|list| split(list));
        for word in words.filter(|word| !word.is_empty()) {
            let word = word.as_str();
            let option = match word.split_once('=') {
                Some((name, value)) => Word {
                    name,
                    value: Some(value),
                },
                None => Word {
                    name: word,
                    value: None,
                },
            };
            if !options.set(&option, &mut masks)? && !is_tolerated(word, writer) {
                return Err(refuse(word));
            }
        }
        let usual = match options.mount.access {
            Access::Everyone => SHARED_MASK,
            Access::Owner | Access::Root => PRIVATE_MASK,
        };
        let all = masks.all.unwrap_or(usual);
        options.mount.file_mode = FILE_BITS & !masks.files.unwrap_or(all);
        options.mount.directory_mode = DIRECTORY_BITS & !masks.directories.unwrap_or(all);
        options.consistent()
    }

    /// These options with the template of `--names`, if there is one.
    pub fn with_names(mut self, names: &Option<Template>) -> Result<Self, Failure> {
        if names.is_some() {
            self.tree.names.clone_from(names);
        }
        self.consistent()
    }

    /// These options, unless two of them contradict each other.
    fn consistent(self) -> Result<Self, Failure> {
        let refused = match self.tree.layout {
            Layout::Maildir if self.tree.names.is_some() => "names: a Maildir has names of its own",
            Layout::Maildir if self.tree.deleted => {
                "deleted: what was deleted is below lost+found, which has no subfolders there"
            }
            Layout::Maildir if self.tree.text => "text: a Maildir has nothing but mail",
            Layout::Maildir if self.tree.attachments == Attachments::Dir => {
                "attachments=dir: a Maildir has no directories for attachments"
            }
            _ => return Ok(self),
        };
        Err(usage(format!(
            "-o layout=maildir does not go with {refused}; leave one of them out"
        )))
    }

    /// Takes one option over; false if there is none of this name.
    fn set(&mut self, option: &Word<'_>, masks: &mut Masks) -> Result<bool, Failure> {
        let (tree, mount) = (&mut self.tree, &mut self.mount);
        match option.name {
            "attachments" => {
                tree.attachments = option.one_of(&[
                    ("both", Attachments::Both),
                    ("eml", Attachments::Eml),
                    ("dir", Attachments::Dir),
                ])?;
            }
            "all" => tree.all = option.flag()?,
            "deleted" => tree.deleted = option.flag()?,
            "cache" => tree.cache = option.size()?,
            "codepage" => tree.code_page = Some(option.code_page()?),
            "eol" => tree.convert.eol = option.one_of(&[("lf", Eol::Lf), ("crlf", Eol::Crlf)])?,
            "headers" => {
                let forms = [
                    ("encoded", Headers::Encoded),
                    ("utf8", Headers::Utf8),
                    ("original", Headers::Original),
                ];
                tree.convert.headers = option.one_of(&forms)?;
            }
            "items" => {
                tree.convert.items =
                    option.one_of(&[("native", Items::Native), ("eml", Items::Eml)])?;
            }
            "layout" => {
                let layouts = [("folders", Layout::Folders), ("maildir", Layout::Maildir)];
                tree.layout = option.one_of(&layouts)?;
            }
            "names" => tree.names = Some(option.names()?),
            "text" => tree.text = option.flag()?,
            "tz" => tree.zone = option.zone()?,
            "vcard" => {
                tree.convert.vcard =
                    option.one_of(&[("3", VcardVersion::V3), ("4", VcardVersion::V4)])?
            }
            "recover" => {
                let modes = [
                    ("off", Recover::Off),
                    ("auto", Recover::Auto),
                    ("scan", Recover::Scan),
                ];
                tree.recover = option.one_of(&modes)?;
            }
            "damaged" => {
                let ways = [("show", Damaged::Show), ("refuse", Damaged::Refuse)];
                tree.damaged = option.one_of(&ways)?;
            }
            "sandbox" => {
                self.sandbox = option.one_of(&[("on", Switch::On), ("off", Switch::Off)])?;
            }
            "nonempty" => self.nonempty = option.flag()?,
            "redact" => {
                tree.redact = option.flag()?;
                mount.redact = true;
            }
            "user_xattr" => mount.user_xattr = option.flag()?,
            "idle_timeout" => mount.idle_timeout = Some(option.duration()?),
            "ro" => _ = option.flag()?,
            "allow_other" if option.flag()? => mount.access = Access::Everyone,
            "allow_root" if option.flag()? => mount.access = Access::Root,
            "uid" => mount.uid = Some(option.number()?),
            "gid" => mount.gid = Some(option.number()?),
            "umask" => masks.all = Some(option.mask()?),
            "fmask" => masks.files = Some(option.mask()?),
            "dmask" => masks.directories = Some(option.mask()?),
            "default_permissions" => mount.default_permissions = option.flag()?,
            "fsname" => mount.fsname = Some(option.value("a name", "mail")?.to_owned()),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// The options of a list. A comma within double quotes, as mount(8) has them, or behind a backslash, as other FUSE programs
/// have it, belongs to a value.
fn split(list: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    let mut rest = list.chars().peekable();
    while let Some(mut character) = rest.next() {
        let escaped = character == '\\' && matches!(rest.peek(), Some(',' | '"' | '\\'));
        if escaped {
            character = rest.next().unwrap_or(character);
        }
        match (character, words.last_mut()) {
            ('"', _) if !escaped => quoted = !quoted,
            (',', _) if !escaped && !quoted => words.push(String::new()),
            (other, Some(word)) => word.push(other),
            (_, None) => {}
        }
    }
    words.iter().map(|word| word.trim().to_owned()).collect()
}

/// One option: `name` or `name=value`.
struct Word<'a> {
    name: &'a str,
    value: Option<&'a str>,
}

impl<'a> Word<'a> {
    fn flag(&self) -> Result<bool, Failure> {
        match self.value {
            None => Ok(true),
            Some(_) => Err(usage(format!("-o {}: takes no value", self.name))),
        }
    }

    /// The value, which must not be empty. What is wanted, and a value that would do, are for the user.
    fn value(&self, wanted: &str, example: &str) -> Result<&'a str, Failure> {
        self.value
            .filter(|value| !value.is_empty())
            .ok_or_else(|| self.wrong(wanted, example))
    }

    fn wrong(&self, wanted: &str, example: &str) -> Failure {
        let name = self.name;
        let value = self.value.map(|value| format!("={value}"));
        let value = value.unwrap_or_default();
        usage(format!(
            "-o {name}{value}: give {wanted}, as in -o {name}={example}"
        ))
    }

    /// The meaning of a value that must be one of these.
    fn one_of<T: Copy>(&self, choices: &[(&'static str, T)]) -> Result<T, Failure> {
        let chosen = choices.iter().find(|(value, _)| Some(*value) == self.value);
        chosen.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let mut values: Vec<&str> = choices.iter().map(|(value, _)| *value).collect();
            let last = values.pop().unwrap_or_default();
            self.wrong(&format!("{} or {last}", values.join(", ")), last)
        })
    }

    fn names(&self) -> Result<Template, Failure> {
        let template = self.value("a template", "{date} {from} {subject}")?;
        template
            .parse()
            .map_err(|error| usage(format!("-o names={template}: {error}")))
    }

    /// Loaded whole now: later the process may no longer be able to open files.
    fn zone(&self) -> Result<TimeZone, Failure> {
        let (wanted, example) = ("local, UTC or a zone by its name", "Europe/Berlin");
        let name = self.value(wanted, example)?;
        let zone = match name {
            "local" => TimeZone::try_system(),
            "UTC" => Ok(TimeZone::UTC),
            name => TimeZone::get(name),
        };
        zone.map_err(|error| {
            let hint = "zones are those below /usr/share/zoneinfo (package tzdata)";
            usage(format!(
                "-o tz={name}: {error}; give {wanted}, as in -o tz={example}; {hint}"
            ))
        })
    }

    fn duration(&self) -> Result<Duration, Failure> {
        duration(self.value.unwrap_or_default()).map_err(|wanted| self.wrong(wanted, "10m"))
    }

    fn code_page(&self) -> Result<u32, Failure> {
        let wanted = "the number of a code page";
        let number = self.value(wanted, "1251")?.parse().ok();
        let number = number.filter(|number| codepage::is_known(*number));
        number.ok_or_else(|| self.wrong(wanted, "1251"))
    }

    fn number(&self) -> Result<u32, Failure> {
        let (wanted, example) = ("a number (id(1) shows yours)", "1000");
        // The largest one means "no user" to the kernel.
        let number = self
            .value(wanted, example)?
            .parse()
            .ok()
            .filter(|number| *number != u32::MAX);
        number.ok_or_else(|| self.wrong(wanted, example))
    }

    fn mask(&self) -> Result<u16, Failure> {
        let (wanted, example) = ("an octal number up to 777", "022");
        let mask = u16::from_str_radix(self.value(wanted, example)?, 8)
            .ok()
            .filter(|mask| *mask <= 0o777);
        mask.ok_or_else(|| self.wrong(wanted, example))
    }

    fn size(&self) -> Result<u64, Failure> {
        let wanted = "a size in bytes, or with K, M or G, of at least 1M";
        let example = "256M";
        let value = self.value(wanted, example)?;
        let (digits, unit) = match value.char_indices().next_back() {
            Some((end, 'k' | 'K')) => (value.get(..end), 1 << 10),
            Some((end, 'm' | 'M')) => (value.get(..end), 1 << 20),
            Some((end, 'g' | 'G')) => (value.get(..end), 1 << 30),
            _ => (Some(value), 1),
        };
        let number: Option<u64> = digits.and_then(|digits| digits.parse().ok());
        let size = number
            .and_then(|number| number.checked_mul(unit))
            .filter(|size| *size >= LEAST_CACHE);
        size.ok_or_else(|| self.wrong(wanted, example))
    }
}

/// A time span as jiff writes it ("90s", "1h 30m"), or a number of seconds; else what is wanted.
pub(super) fn duration(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().map(Duration::from_secs).ok();
    let spelled = || Duration::try_from(text.parse::<jiff::SignedDuration>().ok()?).ok();
    let duration = seconds.or_else(spelled);
    duration
        .filter(|duration| !duration.is_zero())
        .ok_or("a time such as 90s, 10m or 1h30m")
}

fn is_tolerated(word: &str, writer: Writer) -> bool {
    match writer {
        Writer::SloppyMountCommand => return true,
        Writer::MountCommand if word == "rw" => return true,
        Writer::MountCommand | Writer::User => {}
    }
    TOLERATED.contains(&word)
        || TOLERATED_PREFIXES
            .iter()
            .any(|prefix| word.starts_with(prefix))
}

fn refuse(word: &str) -> Failure {
    if word == "rw" {
        return usage("-o rw: ostfs never writes to the file; leave the option out".to_owned());
    }
    let names: Vec<&str> = KNOWN.iter().map(|(name, _)| *name).collect();
    usage(format!(
        "-o {word}: unknown option; known are {}",
        names.join(", ")
    ))
}

fn usage(message: String) -> Failure {
    Failure::new(Exit::Usage, message)
}

/// The options as a table for `--help`.
pub(super) fn help() -> String {
    let mut text = "Options of the mount or the tree, separated by commas:".to_owned();
    for (name, meaning) in KNOWN {
        write!(text, "\n  {name:<26}{meaning}").ok();
    }
    text
}

#[cfg(test)]
mod tests;
