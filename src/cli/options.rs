//! `-o name=value,name,...`: what mount(8) and fstab(5) hand on, shared by the commands that show a tree.
#![forbid(unsafe_code)]

mod defaults;
mod settings;
mod table;
mod word;

use super::report::Failure;
use crate::fuse::Access;
use crate::tree::Template;
use settings::Settings;
pub use settings::{Options, Switch};
use table::TABLE;
pub(super) use table::{Takers, help};
use word::{Word, usage};
pub(super) use word::{duration, size};

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

/// Permission bits before any mask. The mount is read-only whatever they say: they are those of copies, which their owner must
/// be able to change and to delete.
const FILE_BITS: u16 = 0o666;
const DIRECTORY_BITS: u16 = 0o777;
/// Mail is private unless other users are let in on purpose.
const PRIVATE_MASK: u16 = 0o077;
const SHARED_MASK: u16 = 0o022;

/// Who wrote the list of options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// A user: every mistake is an error.
    User,
    /// mount(8), which hands on "rw" unless "ro" is asked for.
    MountCommand,
    /// mount(8) with `-s`, which wants unknown options to be passed over.
    SloppyMountCommand,
}

impl Options {
    /// Parses the values of all `-o`; the last of two that contradict each other holds.
    pub fn parse(lists: &[String], writer: Writer) -> Result<Self, Failure> {
        let mut settings = Settings::default();
        let words = lists.iter().flat_map(|list| split(list));
        for word in words.filter(|word| !word.is_empty()) {
            let option = Word::new(&word);
            match TABLE.iter().find(|row| row.name == option.name) {
                Some(row) => row.set(&mut settings, &option)?,
                None if is_tolerated(&word, writer) => {}
                None => return Err(refuse(&word)),
            }
        }
        let Settings { mut options, masks } = settings;
        let usual = match options.mount.access {
            Access::Everyone => SHARED_MASK,
            Access::Owner | Access::Root => PRIVATE_MASK,
        };
        let all = masks.all.unwrap_or(usual);
        options.mount.file_mode = FILE_BITS & !masks.files.unwrap_or(all);
        options.mount.directory_mode = DIRECTORY_BITS & !masks.directories.unwrap_or(all);
        options.consistent()
    }

    /// The options of a user who has typed `lists` and `names`. What is not typed is as the user's defaults say, and else as
    /// `usual` has it for a command.
    pub fn of_user(
        usual: &[&str],
        lists: &[String],
        names: &Option<Template>,
    ) -> Result<Self, Failure> {
        let mut all: Vec<String> = usual.iter().map(|list| (*list).to_owned()).collect();
        all.extend(defaults::lists(|list| {
            Self::parse(&[list.to_owned()], Writer::User).map(drop)
        })?);
        all.extend_from_slice(lists);
        Self::parse(&all, Writer::User)?.with_names(names)
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
        match self.tree.conflict() {
            None => Ok(self),
            Some((layout, other)) => Err(usage(format!(
                "-o {layout} does not go with {other}; leave one of them out"
            ))),
        }
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

/// So many letters may be wrong in a name that is still known for one.
const MISTYPED: usize = 2;

/// How many letters of `a` have to be changed, added or left out to make `b`.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (number, left) in (1..).zip(a.chars()) {
        let mut last = number;
        let mut next = vec![last];
        for (pair, right) in row.windows(2).zip(b.chars()) {
            let [above_left, above] = pair else {
                continue;
            };
            let changed = above_left + usize::from(left != right);
            last = changed.min(above + 1).min(last + 1);
            next.push(last);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

fn refuse(word: &str) -> Failure {
    if word == "rw" {
        return usage("-o rw: ostfs never writes to the file; leave the option out".to_owned());
    }
    if word.contains(['{', ' ']) {
        // The rest of a value that was cut at its comma.
        return usage(format!(
            "-o {word}: unknown option; quote a value that has a comma, as in names=\"{{from}}, {{subject}}\""
        ));
    }
    let typed = Word::new(word).name;
    let near = TABLE.iter().map(|row| (distance(row.name, typed), row));
    let near = near.min_by_key(|(distance, _)| *distance);
    let meant = near.filter(|(distance, _)| *distance <= MISTYPED);
    let meant = meant.map_or_else(String::new, |(_, row)| {
        format!("did you mean {}? ", row.typed())
    });
    usage(format!(
        "-o {word}: unknown option; {meant}ostfs mount --help lists all"
    ))
}

#[cfg(test)]
mod tests;
