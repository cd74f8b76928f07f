//! `-o name=value,name,...`: what mount(8) and fstab(5) hand on, shared by the commands that show a tree.
#![forbid(unsafe_code)]

use std::fmt::Write;

use jiff::tz::TimeZone;

use super::exit::Exit;
use super::report::Failure;
use crate::convert::contact::Version;
use crate::convert::{Eol, Headers, Items};
use crate::fuse::{self, Access};
use crate::recover::Mode;
use crate::tree::{self, Attachments, Layout, Template};

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
        "bound of all caches together, with K, M or G; at least 1M [64M, export 8M]",
    ),
    ("eol=lf|crlf", "line ends of messages [lf]"),
    (
        "headers=encoded|utf8",
        "header fields as encoded words, or decoded in UTF-8 for grep [encoded]",
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
        match option.name {
            "attachments" => self.tree.attachments = option.attachments()?,
            "all" => self.tree.all = option.flag()?,
            "deleted" => self.tree.deleted = option.flag()?,
            "cache" => self.tree.cache = option.size()?,
            "eol" => self.tree.eol = option.eol()?,
            "headers" => self.tree.headers = option.headers()?,
            "items" => self.tree.items = option.items()?,
            "layout" => self.tree.layout = option.layout()?,
            "names" => self.tree.names = Some(option.names()?),
            "text" => self.tree.text = option.flag()?,
            "tz" => self.tree.zone = option.zone()?,
            "vcard" => self.tree.vcard = option.vcard()?,
            "recover" => self.tree.recover = option.recover()?,
            "sandbox" => self.sandbox = option.switch()?,
            "nonempty" => self.nonempty = option.flag()?,
            "redact" => {
                self.tree.redact = option.flag()?;
                self.mount.redact = true;
            }
            "user_xattr" => self.mount.user_xattr = option.flag()?,
            "ro" => _ = option.flag()?,
            "allow_other" if option.flag()? => self.mount.access = Access::Everyone,
            "allow_root" if option.flag()? => self.mount.access = Access::Root,
            "uid" => self.mount.uid = Some(option.number()?),
            "gid" => self.mount.gid = Some(option.number()?),
            "umask" => masks.all = Some(option.mask()?),
            "fmask" => masks.files = Some(option.mask()?),
            "dmask" => masks.directories = Some(option.mask()?),
            "default_permissions" => self.mount.default_permissions = option.flag()?,
            "fsname" => self.mount.fsname = Some(option.value("a name")?.to_owned()),
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

    fn value(&self, wanted: &str) -> Result<&'a str, Failure> {
        self.value
            .filter(|value| !value.is_empty())
            .ok_or_else(|| self.wrong(wanted))
    }

    fn wrong(&self, wanted: &str) -> Failure {
        let value = self
            .value
            .map(|value| format!("={value}"))
            .unwrap_or_default();
        usage(format!(
            "-o {}{value}: give {wanted}, as in -o {}",
            self.name,
            self.example()
        ))
    }

    fn example(&self) -> &'static str {
        match self.name {
            "attachments" => "attachments=eml",
            "cache" => "cache=256M",
            "eol" => "eol=crlf",
            "headers" => "headers=utf8",
            "items" => "items=eml",
            "layout" => "layout=maildir",
            "names" => "names={date} {from} {subject}",
            "tz" => "tz=Europe/Berlin",
            "vcard" => "vcard=4",
            "recover" => "recover=scan",
            "sandbox" => "sandbox=off",
            "uid" => "uid=1000",
            "gid" => "gid=1000",
            "umask" => "umask=022",
            "fmask" => "fmask=0133",
            "dmask" => "dmask=022",
            _ => "fsname=mail",
        }
    }

    fn attachments(&self) -> Result<Attachments, Failure> {
        match self.value {
            Some("both") => Ok(Attachments::Both),
            Some("eml") => Ok(Attachments::Eml),
            Some("dir") => Ok(Attachments::Dir),
            _ => Err(self.wrong("both, eml or dir")),
        }
    }

    fn eol(&self) -> Result<Eol, Failure> {
        match self.value {
            Some("lf") => Ok(Eol::Lf),
            Some("crlf") => Ok(Eol::Crlf),
            _ => Err(self.wrong("lf or crlf")),
        }
    }

    fn headers(&self) -> Result<Headers, Failure> {
        match self.value {
            Some("encoded") => Ok(Headers::Encoded),
            Some("utf8") => Ok(Headers::Utf8),
            _ => Err(self.wrong("encoded or utf8")),
        }
    }

    fn items(&self) -> Result<Items, Failure> {
        match self.value {
            Some("native") => Ok(Items::Native),
            Some("eml") => Ok(Items::Eml),
            _ => Err(self.wrong("native or eml")),
        }
    }

    fn layout(&self) -> Result<Layout, Failure> {
        match self.value {
            Some("folders") => Ok(Layout::Folders),
            Some("maildir") => Ok(Layout::Maildir),
            _ => Err(self.wrong("folders or maildir")),
        }
    }

    fn names(&self) -> Result<Template, Failure> {
        let template = self.value("a template")?;
        template
            .parse()
            .map_err(|error| usage(format!("-o names={template}: {error}")))
    }

    /// Loaded whole now: later the process may no longer be able to open files.
    fn zone(&self) -> Result<TimeZone, Failure> {
        let wanted = "local, UTC or a zone by its name";
        let name = self.value(wanted)?;
        let zone = match name {
            "local" => TimeZone::try_system(),
            "UTC" => Ok(TimeZone::UTC),
            name => TimeZone::get(name),
        };
        zone.map_err(|error| {
            let hint = "zones are those below /usr/share/zoneinfo (package tzdata)";
            usage(format!(
                "-o tz={name}: {error}; give {wanted}, as in -o {}; {hint}",
                self.example()
            ))
        })
    }

    fn vcard(&self) -> Result<Version, Failure> {
        match self.value {
            Some("3") => Ok(Version::V3),
            Some("4") => Ok(Version::V4),
            _ => Err(self.wrong("3 or 4")),
        }
    }

    fn recover(&self) -> Result<Mode, Failure> {
        match self.value {
            Some("off") => Ok(Mode::Off),
            Some("auto") => Ok(Mode::Auto),
            Some("scan") => Ok(Mode::Scan),
            _ => Err(self.wrong("off, auto or scan")),
        }
    }

    fn switch(&self) -> Result<Switch, Failure> {
        match self.value {
            Some("on") => Ok(Switch::On),
            Some("off") => Ok(Switch::Off),
            _ => Err(self.wrong("on or off")),
        }
    }

    fn number(&self) -> Result<u32, Failure> {
        let wanted = "a number (id(1) shows yours)";
        // The largest one means "no user" to the kernel.
        let number = self
            .value(wanted)?
            .parse()
            .ok()
            .filter(|number| *number != u32::MAX);
        number.ok_or_else(|| self.wrong(wanted))
    }

    fn mask(&self) -> Result<u16, Failure> {
        let wanted = "an octal number up to 777";
        let mask = u16::from_str_radix(self.value(wanted)?, 8)
            .ok()
            .filter(|mask| *mask <= 0o777);
        mask.ok_or_else(|| self.wrong(wanted))
    }

    fn size(&self) -> Result<u64, Failure> {
        let wanted = "a size in bytes, or with K, M or G, of at least 1M";
        let value = self.value(wanted)?;
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
        size.ok_or_else(|| self.wrong(wanted))
    }
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
