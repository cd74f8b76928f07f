//! mbox, as RFC 4155 has it, quoted as mboxrd: all items in one file, or each folder in a file of its own as Thunderbird has
//! them.
//!
//! The line that begins a message has the sender's address and the time of the item, in UTC; a sender without address is
//! `MAILER-DAEMON`, as everywhere. What is behind it are the bytes of the item's file, and an empty line.

use std::collections::BTreeSet;
use std::fs::{self, FileTimes, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::entries::{Archive, Content, File, parent};
use super::quoting::Quoting;
use crate::clock;
use crate::tree::Attr;

/// Who sent what names no address.
const NOBODY: &str = "MAILER-DAEMON";
/// A time as asctime(3) writes it, in 24 characters.
const TIME: &str = "%a %b %e %H:%M:%S %Y";
/// The first year of four digits.
const FIRST_YEAR: i16 = 1000;
/// The time of what has none in the years of four digits.
const NO_TIME: &str = "Thu Jan  1 00:00:00 1970";
/// What the directory of a folder's subfolders is called, beside the file with its messages.
const SUBFOLDERS: &str = ".sbd";
/// The name of a file that is not whole, in the directory where it will have its own.
const PART: &str = ".ostfs.part";
/// Endings that Thunderbird takes for something else than a folder's file, and that name.
const RESERVED: [&str; 3] = [SUBFOLDERS, ".msf", PART];
/// Bytes that are written at a time.
const BUFFER: usize = 256 << 10;

/// All items in one mbox that goes to `out`.
#[derive(Debug)]
pub struct Mbox<W> {
    out: W,
}

impl<W: Write + Send> Mbox<W> {
    /// An empty mbox.
    pub fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write + Send> Archive for Mbox<W> {
    fn directory(&mut self, _path: &str, _attr: &Attr) -> io::Result<()> {
        Ok(())
    }

    fn file(&mut self, file: File<'_>, content: &mut Content<'_>) -> io::Result<()> {
        write(&mut self.out, file, content)
    }

    fn link(&mut self, _path: &str, _attr: &Attr, _target: &str) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes a message.
fn write(out: &mut dyn Write, file: File<'_>, content: &mut Content<'_>) -> io::Result<()> {
    let sender = address(file.sender).unwrap_or(NOBODY);
    let time = clock::seconds(file.attr.mtime)
        .and_then(clock::utc)
        .filter(|time| time.year() >= FIRST_YEAR)
        .map_or_else(
            || NO_TIME.to_owned(),
            |time| time.strftime(TIME).to_string(),
        );
    writeln!(out, "From {sender} {time}")?;
    let mut quoting = Quoting::new(out);
    content(&mut quoting)?;
    quoting.finish()?;
    out.write_all(b"\n")
}

/// The address in a From field, if it is one that an mbox can have: of visible ASCII characters.
fn address(from: &str) -> Option<&str> {
    let (_, behind) = from.rsplit_once('<').unwrap_or(("", from));
    let address = behind.split('>').next()?;
    let is_plain = address.bytes().all(|byte| byte.is_ascii_graphic());
    (is_plain && address.contains('@')).then_some(address)
}

/// A directory with an mbox for each folder: `Inbox`, and the folders below it in `Inbox.sbd`. Items that are in no folder
/// are in a file of their own.
#[derive(Debug)]
pub struct Mboxes {
    root: PathBuf,
    /// What the file for items in no folder is called.
    top: String,
    /// The folder that is being written to.
    open: Option<Open>,
    /// Folders that have a file.
    made: BTreeSet<String>,
}

/// The mbox that is being written.
#[derive(Debug)]
struct Open {
    /// The path of its folder.
    folder: String,
    times: Option<FileTimes>,
    part: Part,
}

impl Mboxes {
    /// Files in the directory `root`, which is empty. Items in no folder go to the file `top`, a name that no folder has.
    pub fn new(root: &Path, top: String) -> Self {
        Self {
            root: root.to_path_buf(),
            top,
            open: None,
            made: BTreeSet::new(),
        }
    }

    /// Where the folder at `path` has its messages.
    fn place(&self, path: &str) -> PathBuf {
        let mut place = self.root.clone();
        let mut names = path.split('/').peekable();
        while let Some(name) = names.next() {
            let mut name = own_name(name);
            if names.peek().is_some() {
                name.push_str(SUBFOLDERS);
            }
            place.push(name);
        }
        place
    }

    /// Makes the folder at `path` the one that is written to. Those above it have a file too, or they would not be shown.
    fn open(&mut self, path: &str, times: Option<FileTimes>) -> io::Result<&mut impl Write> {
        if self.open.as_ref().is_none_or(|open| open.folder != path) {
            self.close()?;
            for (at, _) in path.match_indices('/') {
                let above = path.get(..at).unwrap_or_default();
                if self.made.insert(above.to_owned()) {
                    Part::create(self.place(above))?.publish(None)?;
                }
            }
            let part = Part::create(match path {
                "" => self.root.join(&self.top),
                path => self.place(path),
            })?;
            self.made.insert(path.to_owned());
            self.open = Some(Open {
                folder: path.to_owned(),
                times,
                part,
            });
        }
        let open = self.open.as_mut().map(|open| &mut open.part.file);
        open.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Completes the file that is written to.
    fn close(&mut self) -> io::Result<()> {
        match self.open.take() {
            Some(Open { times, part, .. }) => part.publish(times),
            None => Ok(()),
        }
    }
}

/// A file that gets its name when it is whole. Dropped before that, it is removed.
#[derive(Debug)]
struct Part {
    target: PathBuf,
    temporary: PathBuf,
    file: BufWriter<fs::File>,
}

impl Part {
    /// Begins the file that will be `target`, and makes the directories above it.
    fn create(target: PathBuf) -> io::Result<Self> {
        let temporary = target.with_file_name(PART);
        if let Some(directory) = target.parent() {
            fs::create_dir_all(directory)?;
        }
        // Of an export that was killed.
        fs::remove_file(&temporary).ok();
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)?;
        Ok(Self {
            target,
            temporary,
            file: BufWriter::with_capacity(BUFFER, file),
        })
    }

    /// Gives it its name, unless something has that, and `times`.
    fn publish(mut self, times: Option<FileTimes>) -> io::Result<()> {
        self.file.flush()?;
        times.map_or(Ok(()), |times| self.file.get_ref().set_times(times))?;
        let (from, to) = (&self.temporary, &self.target);
        Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Under this name there is nothing but what is not whole.
        fs::remove_file(&self.temporary).ok();
    }
}

impl Archive for Mboxes {
    fn directory(&mut self, path: &str, attr: &Attr) -> io::Result<()> {
        let times = FileTimes::new()
            .set_modified(attr.mtime)
            .set_accessed(attr.mtime);
        self.open(path, Some(times)).map(drop)
    }

    fn file(&mut self, file: File<'_>, content: &mut Content<'_>) -> io::Result<()> {
        let out = self.open(parent(file.path), None)?;
        write(out, file, content)
    }

    fn link(&mut self, _path: &str, _attr: &Attr, _target: &str) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.close()
    }
}

/// The file name of the folder `name`: another one where Thunderbird would not see a folder. Different folders have different
/// ones, as all that end so get one sign more.
fn own_name(name: &str) -> String {
    let plain = name.trim_end_matches('_').to_lowercase();
    match RESERVED.iter().any(|ending| plain.ends_with(ending)) {
        true => format!("{name}_"),
        false => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_an_mbox_can_have_is_taken_for_an_address() {
        for (from, expected) in [
            ("Ann Adams <ann@north.example>", Some("ann@north.example")),
            ("ann@north.example", Some("ann@north.example")),
            ("\"<x@y>\" <ann@north.example>", Some("ann@north.example")),
            ("Ann Adams", None),
            ("Ann <>", None),
            ("Ann </o=First Organization/cn=ann@x>", None),
            ("Ann <ann @north.example>", None),
            ("Ann <änn@north.example>", None),
            ("Ann <ann@north.example\nFrom x@y>", None),
            ("", None),
        ] {
            assert_eq!(address(from), expected, "{from:?}");
        }
    }

    #[test]
    fn no_folder_has_the_place_of_what_belongs_to_another() {
        let boxes = Mboxes::new(Path::new("mail"), "mbox".to_owned());
        for (path, expected) in [
            ("Inbox", "mail/Inbox"),
            ("Inbox/Projects/2024", "mail/Inbox.sbd/Projects.sbd/2024"),
            ("Inbox.SBD", "mail/Inbox.SBD_"),
            ("Inbox.sbd_", "mail/Inbox.sbd__"),
            ("Inbox.msf/x", "mail/Inbox.msf_.sbd/x"),
            ("x.ostfs.part", "mail/x.ostfs.part_"),
            ("Inbox_", "mail/Inbox_"),
        ] {
            assert_eq!(boxes.place(path), Path::new(expected), "{path}");
        }
    }
}
