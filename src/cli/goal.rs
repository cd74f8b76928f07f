//! What an export is written to: a directory, a new file, or standard output. Opened before the sandbox.
#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::early_end::{GO_ON, Output};
use super::exit::Exit;
use super::export_arguments::{ExportArguments, To};
use super::guard::Sweeper;
use super::new_file::{NewFile, directory_of};
use super::outputs;
use super::report::{self, Failure};
use super::source::{self, New};
use super::space;
use crate::export::{self, Mbox, Mboxes, Stream, Tar, Zip};
use crate::fuse::{Made, process};
use crate::output::{quoted, shown};
use crate::sandbox::Need;
use crate::tree::Forest;

/// The path that stands for standard output.
pub(super) const OUTPUT: &str = "-";
/// Bytes written at a time.
const BUFFER: usize = 256 << 10;
/// The file of an mbox directory that has items of no folder; if the tree has that name, the first of the others.
const TOP: &str = "mbox";
/// What to do where a file cannot become large enough.
const SPLIT: &str = "write to - and cut that in pieces, as in: | split -b 3G - mail.tar.";
/// Endings of names that promise compression, and what does it.
const COMPRESSED: [(&str, &str); 7] = [
    ("gz", "gzip"),
    ("tgz", "gzip"),
    ("zst", "zstd"),
    ("tzst", "zstd"),
    ("xz", "xz"),
    ("txz", "xz"),
    ("bz2", "bzip2"),
];

/// Where an export goes.
pub(super) struct Goal<'a> {
    path: &'a Path,
    to: To,
    place: Place,
}

enum Place {
    /// A directory that was made is removed again if nothing comes into it.
    Directory(Sweeper),
    /// Standard output.
    Output(File),
    /// The second handle is for what comes after writing.
    New(NewFile, File, File),
}

impl<'a> Goal<'a> {
    /// Opens what `arguments` name. What is there already needs `may_be_there`.
    pub(super) fn open(
        arguments: &'a ExportArguments,
        may_be_there: bool,
    ) -> Result<Self, Failure> {
        let (path, to) = (arguments.directory.as_path(), arguments.to);
        let place = match to {
            _ if path == Path::new(OUTPUT) => output(to, &arguments.files)?,
            _ if has_many_files(arguments) => {
                source::refuse_missing(path, New::Directory)?;
                let go_on = (to != To::Mbox).then_some(GO_ON);
                directory(path, may_be_there, go_on)?
            }
            _ if is_directory(path) => {
                let reason = "is a directory; name the new file, or - for standard output";
                return Err(Failure::about(Exit::Usage, path, reason));
            }
            _ => new(arguments)?,
        };
        Ok(Self { path, to, place })
    }

    /// What the process still has to do with files.
    pub(super) fn need(&self) -> Need<'a> {
        match self.place {
            Place::Directory(_) => Need::WriteBeneath(self.path),
            Place::Output(_) => Need::OpenFiles,
            Place::New(..) => Need::WriteBeneath(directory_of(self.path)),
        }
    }

    /// What an early end of the export leaves of it.
    pub(super) fn output(&self) -> Output {
        match (&self.place, self.to) {
            (Place::Output(_), _) => Output::Stream,
            (Place::New(..), _) => Output::File,
            (Place::Directory(_), To::Mbox) => Output::Mboxes,
            (Place::Directory(_), _) => Output::Files,
        }
    }

    /// The directory, if it is one.
    pub(super) fn directory(&self) -> Option<&'a Path> {
        matches!(self.place, Place::Directory(_)).then_some(self.path)
    }

    /// Whether a file can be added that is no mail.
    pub(super) fn has_files(&self) -> bool {
        self.to != To::Mbox
    }

    /// What prints results: nothing may come between what goes to standard output.
    pub(super) fn tell(&self) -> fn(String) {
        match self.place {
            Place::Output(_) => |text| report::note(text),
            Place::Directory(_) | Place::New(..) => |text| report::say(text),
        }
    }

    /// The stream to write to; None for files in a directory.
    pub(super) fn stream(&mut self, forest: &Forest) -> Result<Option<Stream>, Failure> {
        let file = match &mut self.place {
            Place::Directory(_) => {
                return Ok((self.to == To::Mbox).then(|| {
                    let top = export::free_name(forest, TOP);
                    Stream::of_items(Mboxes::new(self.path, top))
                }));
            }
            Place::Output(file) | Place::New(_, file, _) => file.try_clone(),
        };
        let file = file.map_err(|error| self.cannot(&error))?;
        let out = BufWriter::with_capacity(BUFFER, file);
        Ok(Some(match self.to {
            To::Mbox => Stream::of_items(Mbox::new(out)),
            To::Zip => Stream::of_files(Zip::new(out)),
            To::Tar | To::Files | To::Maildir | To::Pst => Stream::of_files(Tar::new(out)),
        }))
    }

    /// Why it could not be written. Of a reader that is gone the exit code is enough.
    pub(super) fn cannot(&self, error: &io::Error) -> Failure {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Failure::new(Exit::Failure, "");
        }
        let place = match self.place {
            Place::Output(_) => "standard output".to_owned(),
            Place::Directory(_) | Place::New(..) => shown(self.path).to_string(),
        };
        let advice = match error.kind() {
            io::ErrorKind::FileTooLarge => Some(SPLIT),
            _ => space::advice(error),
        };
        let advice = advice.map_or_else(String::new, |advice| format!("; {advice}"));
        let reason = format!("{place}: cannot be written: {error}; it is not whole{advice}");
        Failure::new(Exit::Failure, reason)
    }

    /// Gives a new file its name, once all of it is written; a directory stays, even empty.
    pub(super) fn publish(self) -> Result<(), Failure> {
        let (path, place) = (self.path, self.place);
        let (new, file) = match place {
            Place::New(new, _, file) => (new, file),
            Place::Directory(sweeper) => {
                sweeper.keep();
                return Ok(());
            }
            Place::Output(_) => return Ok(()),
        };
        let published = file.sync_all().and_then(|()| new.publish());
        published.map_err(|error| Failure::writing(path, &error))
    }
}

/// Whether `arguments` want a directory of files, and no new file.
pub(super) fn has_many_files(arguments: &ExportArguments) -> bool {
    match arguments.to {
        To::Files | To::Maildir => true,
        To::Mbox => is_directory(&arguments.directory),
        To::Pst | To::Tar | To::Zip => false,
    }
}

fn is_directory(path: &Path) -> bool {
    path.is_dir() || path.as_os_str().as_bytes().ends_with(b"/")
}

fn directory(path: &Path, may_be_there: bool, go_on: Option<&str>) -> Result<Place, Failure> {
    let made = prepare(path, may_be_there, go_on)?;
    let sweeper = Sweeper::start(path, made).map_err(|error| {
        let needs = "/proc has to be mounted, and /dev/null be there";
        let reason = format!("no process can be started: {error}; {needs}");
        Failure::new(Exit::Failure, reason)
    })?;
    Ok(Place::Directory(sweeper))
}

/// Makes the target directory, unless it is there; one with files in it needs `resume`. `go_on` tells how to go on with an
/// earlier export there, if that can be.
fn prepare(directory: &Path, resume: bool, go_on: Option<&str>) -> Result<Option<Made>, Failure> {
    let fail =
        |problem: String| Failure::new(Exit::Failure, format!("{}: {problem}", shown(directory)));
    match fs::create_dir(directory) {
        Ok(()) => return Ok(Made::at(directory).ok()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Failure::writing(directory, &error));
        }
        Err(error) => {
            return Err(fail(format!(
                "cannot be made: {error}; {}",
                report::elsewhere(&error)
            )));
        }
    }
    if directory.is_file() {
        let reason =
            "is a file; the last argument is DIR, so name a directory behind the files to read";
        return Err(Failure::about(Exit::Usage, directory, reason));
    }
    let mut entries = fs::read_dir(directory)
        .map_err(|error| fail(format!("cannot be used: {error}; choose a new directory")))?;
    if !resume && entries.next().is_some() {
        let go_on = go_on.map_or_else(String::new, |how| {
            format!("; if it has an earlier export, {how}")
        });
        return Err(fail(format!("is not empty; choose a new directory{go_on}")));
    }
    Ok(None)
}

/// Why anything but an archive of `files` cannot go to standard output.
pub(super) fn no_archive(files: &[PathBuf]) -> Failure {
    let file = first(files);
    let reason = format!(
        "only an archive can go to standard output; try: ostfs export --to tar {file} - | zstd >mail.tar.zst"
    );
    Failure::new(Exit::Usage, reason)
}

/// The first of `files` as it is typed.
fn first(files: &[PathBuf]) -> String {
    files.first().map_or_else(String::new, |file| quoted(file))
}

/// Standard output, unless a terminal shows it.
fn output(to: To, files: &[PathBuf]) -> Result<Place, Failure> {
    let next = match to {
        To::Tar => "| zstd >mail.tar.zst",
        To::Mbox => ">mail.mbox",
        To::Zip => ">mail.zip",
        To::Files | To::Maildir | To::Pst => return Err(no_archive(files)),
    };
    let output = io::stdout();
    if output.is_terminal() {
        let reason = format!(
            "standard output is a terminal; send it into a file or a program, as in: ostfs export --to {} {} - {next}",
            to.word(),
            first(files)
        );
        return Err(Failure::new(Exit::Usage, reason));
    }
    let again = match process::is_output_closed() {
        true => Err(report::closed()),
        false => output.as_fd().try_clone_to_owned(),
    };
    let again =
        again.map_err(|error| Failure::new(Exit::Failure, format!("standard output: {error}")))?;
    Ok(Place::Output(again.into()))
}

/// A new file, which others see once it is whole.
fn new(arguments: &ExportArguments) -> Result<Place, Failure> {
    let path = arguments.directory.as_path();
    source::refuse_missing(path, New::Archive)?;
    let ending = path.extension().and_then(|ending| ending.to_str());
    let ending = ending.map(str::to_ascii_lowercase).unwrap_or_default();
    if let Some((_, program)) = COMPRESSED.iter().find(|(name, _)| *name == ending) {
        let reason = format!(
            "ostfs does not compress; write to - as in: ostfs export ... - | {program} >{}",
            quoted(path)
        );
        return Err(Failure::about(Exit::Usage, path, &reason));
    }
    match fs::symlink_metadata(path) {
        Ok(there) if !there.is_file() => {
            let reason = "is there already, and no file; choose another name, or write to - and send that there";
            return Err(Failure::about(Exit::Failure, path, reason));
        }
        Ok(_) if !arguments.force => return Err(outputs::is_there(path)),
        _ => outputs::spare_data_file(path)?,
    }
    let new = NewFile::create(path, arguments.force);
    let opened = new.and_then(|mut new| {
        let (file, again) = new.take()?;
        Ok(Place::New(new, file, again))
    });
    opened.map_err(|error| Failure::writing(path, &error))
}
