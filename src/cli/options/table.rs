//! The table of options: how each is typed, what it does, who takes it. Help texts, error messages, the manual and the table
//! in README.md are made from it.

use super::settings::{Settings, Switch};
use super::word::Word;
use crate::cli::report::Failure;
use crate::cli::rows;
use crate::convert::{Eol, Headers, Items, VcardVersion};
use crate::fuse::Access;
use crate::ndb::Recover;
use crate::tree::{Attachments, Damaged, Layout};

/// One option.
pub(super) struct Row {
    pub name: &'static str,
    pub value: Value,
    /// What it does, in a line; its default in brackets.
    pub help: &'static str,
    /// What README.md has besides, in Markdown.
    more: &'static str,
    pub taken_by: Takers,
}

/// Sets an option.
type Set = fn(&mut Settings);

/// What follows the name, and what is set.
pub(super) enum Value {
    /// Nothing.
    None(Set),
    /// One of these words.
    OneOf(&'static [(&'static str, Set)]),
    /// One of the layouts of the tree, by its word.
    Layout(&'static [(&'static str, Layout)]),
    /// Something of this kind.
    Some(
        &'static str,
        fn(&mut Settings, &Word<'_>) -> Result<(), Failure>,
    ),
}

/// For which commands an option does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Takers {
    /// All that show a tree.
    All,
    /// `mount` alone.
    Mount,
}

impl Row {
    const fn new(name: &'static str, value: Value, help: &'static str) -> Self {
        Self {
            name,
            value,
            help,
            more: "",
            taken_by: Takers::All,
        }
    }

    const fn more(mut self, more: &'static str) -> Self {
        self.more = more;
        self
    }

    const fn of_mount(mut self) -> Self {
        self.taken_by = Takers::Mount;
        self
    }

    /// As it is typed: `name`, `name=a|b` or `name=KIND`.
    pub fn typed(&self) -> String {
        let name = self.name;
        match &self.value {
            Value::None(_) => name.to_owned(),
            Value::OneOf(choices) => format!("{name}={}", words(choices)),
            Value::Layout(layouts) => format!("{name}={}", words(layouts)),
            Value::Some(kind, _) => format!("{name}={kind}"),
        }
    }

    /// Sets the option as `word` has it.
    pub fn set(&self, settings: &mut Settings, word: &Word<'_>) -> Result<(), Failure> {
        match &self.value {
            Value::None(set) => {
                word.no_value()?;
                set(settings);
            }
            Value::OneOf(choices) => word.one_of(choices)?(settings),
            Value::Layout(layouts) => settings.tree().layout = word.one_of(layouts)?,
            Value::Some(_, set) => set(settings, word)?,
        }
        Ok(())
    }
}

/// The words of `choices`, as help shows them.
fn words<T>(choices: &[(&'static str, T)]) -> String {
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    words.join("|")
}

/// All options.
pub(super) static TABLE: &[Row] = &[
    Row::new(
        "attachments",
        Value::OneOf(&[
            ("both", |to| to.tree().attachments = Attachments::Both),
            ("hidden", |to| to.tree().attachments = Attachments::Hidden),
            ("eml", |to| to.tree().attachments = Attachments::Eml),
            ("dir", |to| to.tree().attachments = Attachments::Dir),
        ]),
        "attachments inside the .eml, in a directory beside it, or both, with a directory that begins with a dot if hidden [both]",
    ),
    Row::new(
        "all",
        Value::None(|to| to.tree().all = true),
        "show hidden items and search folders too, from the real root",
    )
    .more("search folders hold links"),
    Row::new(
        "deleted",
        Value::None(|to| to.tree().deleted = true),
        "add lost+found/deleted: what was deleted and still lies in the file",
    ),
    Row::new(
        "cache",
        Value::Some("SIZE", |to, word| {
            to.tree().cache = word.size()?;
            Ok(())
        }),
        "bound of the memory for caches and program, with K, M or G; at least 1M [64M, export 8M]",
    )
    .more(
        "beside it at most 24 bytes a message, the listing, some five times 8 MiB of text that is being made into files (or \
         one longer text, which is no longer than FILE and 16 MiB), and while FILE is searched, because it is damaged or \
         names the same data again and again, up to a third of its size (mostly a fiftieth)",
    ),
    Row::new(
        "codepage",
        Value::Some("NUMBER", |to, word| {
            to.tree().code_page = Some(word.code_page()?);
            Ok(())
        }),
        "of 8-bit text of items that name none, as 1251 [the file's; `ostfs info` tells]",
    )
    .more(
        "the file's is what the store says, else what most items name, else what their text seems to be in, else that of \
         their language",
    ),
    Row::new(
        "eol",
        Value::OneOf(&[
            ("lf", |to| to.tree().convert.eol = Eol::Lf),
            ("crlf", |to| to.tree().convert.eol = Eol::Crlf),
        ]),
        "line ends of messages [lf]",
    ),
    Row::new(
        "headers",
        Value::OneOf(&[
            ("encoded", |to| to.tree().convert.headers = Headers::Encoded),
            ("utf8", |to| to.tree().convert.headers = Headers::Utf8),
            ("original", |to| {
                to.tree().convert.headers = Headers::Original;
            }),
        ]),
        "header fields as encoded words, decoded in UTF-8 for grep, or as stored [encoded]",
    )
    .more(
        "`original` has the stored block octet for octet, but for line ends, and what it lacks below it; fields of the body \
         that arrived become `X-Ostfs-Original-...`",
    ),
    Row::new(
        "items",
        Value::OneOf(&[
            ("native", |to| to.tree().convert.items = Items::Native),
            ("eml", |to| to.tree().convert.items = Items::Eml),
        ]),
        "calendar, contacts, tasks, notes as .ics, .vcf, .txt, or all as mail [native]",
    ),
    Row::new(
        "layout",
        Value::Layout(&Layout::ALL),
        "files in folders, or a Maildir++ for mail programs, all items as mail [folders]",
    ),
    Row::new(
        "names",
        Value::Some("TEMPLATE", |to, word| {
            to.tree().names = Some(word.names()?);
            Ok(())
        }),
        "names of items, as --names [{date} {subject}, contacts by name]",
    )
    .more(
        "a comma in it is escaped, `\\,`, or the value quoted, `names=\"{from}, {subject}\"`",
    ),
    Row::new(
        "text",
        Value::None(|to| to.tree().text = true),
        "a .txt beside each item: its header decoded, its body, what is attached",
    )
    .more(
        "for reading and plain `grep`: a field on a line, the names and sizes of attachments, attached messages in the same \
         way",
    ),
    Row::new(
        "tz",
        Value::Some("local|UTC|Area/City", |to, word| {
            to.tree().zone = word.zone()?;
            Ok(())
        }),
        "time zone of the times in names and texts [UTC]",
    )
    .more("modification times are instants and stay what they are"),
    Row::new(
        "vcard",
        Value::OneOf(&[
            ("3", |to| to.tree().convert.vcard = VcardVersion::V3),
            ("4", |to| to.tree().convert.vcard = VcardVersion::V4),
        ]),
        "version of .vcf files [3]",
    ),
    Row::new(
        "views",
        Value::None(|to| to.tree().views = true),
        "links in .ostfs: by-date, by-sender, threads (of two and more), attachments by extension",
    )
    .more(
        "made when they are looked at, of the tables of folders alone; for `attachments` the messages that have some are \
         opened. An export never has them: a copy of a link would be all mail once more",
    ),
    Row::new(
        "recover",
        Value::OneOf(&[
            ("off", |to| to.tree().recover = Recover::Off),
            ("auto", |to| to.tree().recover = Recover::Auto),
            ("scan", |to| to.tree().recover = Recover::Scan),
        ]),
        "scan a damaged file for lost mail: never, when needed, at once [auto]",
    ),
    Row::new(
        "damaged",
        Value::OneOf(&[
            ("show", |to| to.tree().damaged = Damaged::Show),
            ("refuse", |to| to.tree().damaged = Damaged::Refuse),
        ]),
        "bytes that may be wrong: shown, and said so; or an error in their place [show]",
    ),
    Row::new(
        "sandbox",
        Value::OneOf(&[
            ("on", |to| to.options.sandbox = Switch::On),
            ("off", |to| to.options.sandbox = Switch::Off),
        ]),
        "give up all rights that are not needed; off is for debugging [on]",
    ),
    Row::new(
        "nonempty",
        Value::None(|to| to.options.nonempty = true),
        "use a directory that is not empty",
    ),
    Row::new(
        "redact",
        Value::None(|to| {
            to.tree().redact = true;
            to.mount().redact = true;
        }),
        "keep the names of files, folders and messages out of the log",
    )
    .more("and off the terminal; what is written into an export has them"),
    Row::new(
        "ro",
        Value::None(|_| {}),
        "read-only, which a mount always is",
    )
    .of_mount(),
    Row::new(
        "allow_other",
        Value::None(|to| to.mount().access = Access::Everyone),
        "let other users in; files are 0644 then unless a mask is given",
    )
    .of_mount(),
    Row::new(
        "allow_root",
        Value::None(|to| to.mount().access = Access::Root),
        "let root in",
    )
    .of_mount(),
    Row::new(
        "uid",
        Value::Some("USER", |to, word| {
            to.mount().uid = Some(word.owner("/etc/passwd")?);
            Ok(())
        }),
        "owner of the files, by name or number [you]",
    )
    .of_mount(),
    Row::new(
        "gid",
        Value::Some("GROUP", |to, word| {
            to.mount().gid = Some(word.owner("/etc/group")?);
            Ok(())
        }),
        "group of the files, by name or number [yours]",
    )
    .of_mount(),
    Row::new(
        "umask",
        Value::Some("OCTAL", |to, word| {
            to.masks.all = Some(word.mask()?);
            Ok(())
        }),
        "permission bits that files and directories do not have [077]",
    )
    .of_mount(),
    Row::new(
        "fmask",
        Value::Some("OCTAL", |to, word| {
            to.masks.files = Some(word.mask()?);
            Ok(())
        }),
        "the same for files alone",
    )
    .of_mount(),
    Row::new(
        "dmask",
        Value::Some("OCTAL", |to, word| {
            to.masks.directories = Some(word.mask()?);
            Ok(())
        }),
        "the same for directories alone",
    )
    .of_mount(),
    Row::new(
        "idle_timeout",
        Value::Some("DURATION", |to, word| {
            to.mount().idle_timeout = Some(word.duration()?);
            Ok(())
        }),
        "as --idle-timeout: unmount when nobody has used it for this long",
    )
    .of_mount(),
    Row::new(
        "search",
        Value::None(|to| to.tree().search = true),
        "links in .ostfs/search/QUERY to what a query finds, QUERY as for ostfs search",
    )
    .more(
        "looked for when that directory is looked into; `\\` stands for the `/` of a path, as in `folder:Inbox\\2024`. Why there \
         is no such directory is in `.ostfs/problems.txt`. Days such as `date:today` are counted from when the mount began",
    )
    .of_mount(),
    Row::new(
        "index",
        Value::Some("DIR", |to, word| {
            to.tree().search = true;
            to.options.index = Some(word.value("a directory", "/var/cache/mail")?.into());
            Ok(())
        }),
        "as search, with the word indexes in DIR that ostfs search --index DIR has",
    )
    .more(
        "the first query makes what is not there yet. `ostfs search` and a mount have one index of a file with the same options \
         of the tree",
    )
    .of_mount(),
    Row::new(
        "size-cache",
        Value::None(|to| to.options.size_cache = true),
        "keep sizes and times for the next mount, in ~/.cache/ostfs",
    )
    .more(
        "a second `ls -l` or `rsync -a` on another day then opens no message; `$XDG_CACHE_HOME/ostfs` if that is set. \
         Another state of the file, other options or another program begin anew; safe to delete",
    )
    .of_mount(),
    Row::new(
        "default_permissions",
        Value::None(|to| to.mount().default_permissions = true),
        "let the kernel check permissions",
    )
    .of_mount(),
    Row::new(
        "fsname",
        Value::Some("NAME", |to, word| {
            to.mount().fsname = Some(word.value("a name", "mail")?.to_owned());
            Ok(())
        }),
        "name in the table of mounts [FILE]",
    )
    .of_mount(),
    Row::new(
        "user_xattr",
        Value::None(|to| to.mount().user_xattr = true),
        "extended attributes: node, class, flags, media type, origin of attachments",
    )
    .more(
        "`getfattr -d`: `user.ostfs.nid`, `.class`, `.flags`, `.entryid`, `.problem` (of an attachment that was read), \
         `user.mime_type`, `user.xdg.origin.email.*`",
    )
    .of_mount(),
];

/// The column at which help texts begin.
const HELP_AT: usize = 28;

/// The options that `takers` take, as a table for `--help`.
pub(in crate::cli) fn help(takers: Takers) -> String {
    let title = match takers {
        Takers::All => "Options of the tree",
        Takers::Mount => "Options of the mount or the tree",
    };
    let taken = |row: &&Row| takers == Takers::Mount || row.taken_by == Takers::All;
    let lines = TABLE
        .iter()
        .filter(taken)
        .map(|option| rows::row(&option.typed(), HELP_AT, option.help));
    let lines: String = lines.collect();
    let defaults =
        "Without -o, the lines of ~/.config/ostfs/options hold, and before these\nOSTFS_OPTIONS.";
    format!("{title}, separated by commas:{lines}\n\n{defaults}")
}

/// The rows of the table in README.md.
#[cfg(test)]
pub(super) fn markdown() -> String {
    let rows = TABLE.iter().map(|row| {
        let typed = row.typed().replace('|', "\\|");
        let more = match row.more {
            "" => String::new(),
            more => format!("; {more}"),
        };
        let alone = match row.taken_by {
            Takers::All => "",
            Takers::Mount => " (`mount` alone)",
        };
        format!("| `{typed}` | {}{more}{alone} |\n", row.help)
    });
    rows.collect()
}
