//! FILE: what is no file at all is told apart from a damaged one before the library sees it; and several of them.
#![forbid(unsafe_code)]

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::outputs;
use super::progress;
use super::report::{self, Failure};
use crate::error::Error;
use crate::ndb::Source;
use crate::output::shown;
use crate::tree::{Damaged, Forest, Options, Progress, Tree};

/// What other programs take for standard input.
const INPUT: &str = "-";
/// What data files end in.
const EXTENSIONS: [&str; 2] = ["ost", "pst"];

/// Files of which one that cannot be opened costs itself.
pub(super) struct Sources<'a> {
    files: Vec<(&'a Path, Option<Source>)>,
    lost: Lost,
    /// Whether what is told of one of them begins with its path.
    is_named: bool,
}

/// Files that could not be opened, of how many.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lost {
    number: usize,
    of: usize,
}

impl<'a> Sources<'a> {
    /// Opens `files`. Why one could not be opened is printed; it is a failure if none could, or if results would be written to one.
    pub(super) fn open(files: &'a [PathBuf]) -> Result<Self, Failure> {
        let is_written = |file: &&PathBuf| outputs::is_standard_output(file);
        if let Some(file) = files.iter().find(is_written) {
            let reason = "is where standard output goes, and is only read; send that elsewhere";
            return Err(Failure::about(Exit::Usage, file, reason));
        }
        let of = files.len();
        let mut lost = Lost { number: 0, of };
        let mut opened = Vec::with_capacity(of);
        for file in files {
            opened.push((file.as_path(), lost.all_but(open(file))?));
        }
        Ok(Self {
            files: opened,
            lost,
            is_named: of > 1,
        })
    }

    /// The same beside others: what is told of a file begins with its path even if it is the only one.
    pub(super) fn beside_others(self) -> Self {
        Self {
            is_named: true,
            ..self
        }
    }

    /// Has the log name each of them, unless there is but one; with `redact` by its number.
    pub(super) fn name(&mut self, redact: bool) {
        if !self.is_named {
            return;
        }
        for (number, (path, source)) in (1_usize..).zip(&mut self.files) {
            let name = match redact {
                true => format!("file {number}"),
                false => report::printable(&path.to_string_lossy()),
            };
            *source = source.take().map(|source| source.logged_as(&name));
        }
    }

    /// The paths of those that could be opened.
    pub(super) fn paths(&self) -> Vec<&'a Path> {
        let opened = self.files.iter().filter(|(_, source)| source.is_some());
        opened.map(|(path, _)| *path).collect()
    }

    /// All of them in their order, those that could be opened with what was opened.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Path, Option<&Source>)> {
        let files = self.files.iter();
        files.map(|(path, source)| (*path, source.as_ref()))
    }

    /// Takes the first `number` of them away.
    pub(super) fn take(&mut self, number: usize) -> Self {
        let rest = self.files.split_off(number.min(self.files.len()));
        Self {
            files: std::mem::replace(&mut self.files, rest),
            lost: self.lost,
            is_named: self.is_named,
        }
    }

    /// Those that could not be opened so far.
    pub(super) fn lost(&self) -> Lost {
        self.lost
    }

    /// Goes on with the others, after `lost` of those that were taken away and before.
    pub(super) fn go_on(&mut self, lost: Lost) {
        self.lost = lost;
    }

    /// Prints what `tell` makes of the tree of each file; returns how many files it could not tell of.
    pub(super) fn each(
        mut self,
        options: &Options,
        mut tell: impl FnMut(&Path, Tree) -> Result<String, Failure>,
    ) -> Result<Lost, Failure> {
        self.name(options.redact);
        let mut lost = self.lost;
        for (file, source) in self.files {
            let told = source.map(|source| {
                let tree = tree(source, options, file, progress::scan());
                lost.all_but(tree.and_then(|tree| tell(file, tree)))
            });
            if let Some(text) = told.transpose()?.flatten() {
                report::result(text.trim_end())?;
            }
        }
        Ok(lost)
    }

    /// Their trees in one, for a command that reads all of what it shows once: a gap takes the place of what the disk does
    /// not give, unless damage is refused. And the files that are not in it.
    pub(super) fn forest(mut self, options: &Options) -> Result<(Forest, Lost), Failure> {
        if options.damaged == Damaged::Show {
            for (_, source) in &mut self.files {
                *source = source.take().map(Source::filling_gaps);
            }
        }
        self.forest_with(options, progress::scan)
    }

    /// Their trees in one, which share the memory for caches, and the files that are not in it. What `progress` makes is called
    /// with the progress of the scan of each file.
    pub(super) fn forest_with(
        mut self,
        options: &Options,
        progress: impl Fn() -> Box<Progress>,
    ) -> Result<(Forest, Lost), Failure> {
        self.name(options.redact);
        let options = Options {
            cache: options.cache / (self.files.len() as u64).max(1),
            ..options.clone()
        };
        let mut lost = self.lost;
        let mut trees = Vec::with_capacity(self.files.len());
        for (file, source) in self.files {
            let tree = source.map(|source| tree(source, &options, file, progress()));
            let tree = tree.map(|tree| lost.all_but(tree)).transpose()?;
            trees.push((file, tree.flatten()));
        }
        let forest = Forest::without_some(trees).ok_or_else(|| too_many(lost.of))?;
        Ok((forest, lost))
    }
}

fn tree(
    source: Source,
    options: &Options,
    file: &Path,
    progress: Box<Progress>,
) -> Result<Tree, Failure> {
    Tree::of_source(source, options, progress).map_err(|error| Failure::opening(file, &error))
}

impl Lost {
    /// What `result` has; that it failed is printed and counted, but of the last file that was left it is a failure.
    fn all_but<T>(&mut self, result: Result<T, Failure>) -> Result<Option<T>, Failure> {
        match result {
            Ok(opened) => Ok(Some(opened)),
            Err(failure) if self.number + 1 >= self.of => Err(failure),
            Err(failure) => {
                self.number += 1;
                report::error(&failure.message);
                Ok(None)
            }
        }
    }

    /// How many they are.
    pub(super) fn number(self) -> u64 {
        self.number as u64
    }

    /// How a command ends that else would end so.
    pub(super) fn end(self, result: Result<(), Failure>) -> Result<(), Failure> {
        let Self { number, of } = self;
        match result {
            Ok(()) if number > 0 => Err(Failure::new(
                Exit::ErrorsFound,
                format!(
                    "{number} of {} could not be opened, see above",
                    report::counted(of as u64, "file")
                ),
            )),
            other => other,
        }
    }
}

fn too_many(number: usize) -> Failure {
    let most = Forest::MAX_FILES;
    let reason = format!("{number} files are too many; take up to {most} at once");
    Failure::new(Exit::Usage, reason)
}

/// Whether `path` is named as a data file.
pub(super) fn is_named_so(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| {
        let mut all = EXTENSIONS.iter();
        all.any(|own| own.eq_ignore_ascii_case(extension))
    })
}

/// Fails if the last argument, which is to be something `new`, is a data file by its name and not there: then it is a file that
/// somebody has misspelt.
pub(super) fn refuse_missing(path: &Path, new: New) -> Result<(), Failure> {
    let is_directory = path.as_os_str().as_bytes().ends_with(b"/");
    if is_directory || !is_named_so(path) || path.exists() {
        return Ok(());
    }
    let otherwise = match new {
        New::Directory => "if it is a new directory, put a slash behind it",
        New::Archive => "name the new file behind the files to read",
    };
    let reason = format!("no such file; check the path, or {otherwise}");
    Err(Failure::about(Exit::NotFound, path, reason))
}

/// What the last argument is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum New {
    /// The directory of an export, or to mount on.
    Directory,
    /// A file that is none for Outlook.
    Archive,
}

/// Opens `file`, which must be a regular file or a block device that may be read.
pub(super) fn open(file: &Path) -> Result<Source, Failure> {
    let fail = |exit, problem: &str| Err(Failure::new(exit, format!("{}: {problem}", shown(file))));
    let error = match fs::metadata(file) {
        Ok(metadata) if metadata.is_dir() => {
            return fail(
                Exit::NotOutlook,
                "is a directory; name the .ost or .pst file in it",
            );
        }
        Ok(metadata) if metadata.file_type().is_char_device() => {
            return fail(Exit::NotOutlook, "is a device; name the .ost or .pst file");
        }
        // Opening a pipe would wait for its writer.
        Ok(metadata) if !metadata.is_file() && !metadata.file_type().is_block_device() => {
            return fail(
                Exit::NotOutlook,
                "is not a regular file, and is read back and forth; save what it gives as a file, and name that",
            );
        }
        Ok(_) => match Source::open(file) {
            Ok(source) => return Ok(source),
            Err(Error::Open { source, .. }) => source,
            Err(error) => return Err(Failure::opening(file, &error)),
        },
        Err(error) => error,
    };
    match error.kind() {
        io::ErrorKind::NotFound if file == Path::new(INPUT) => {
            let reason = "standard input is read back and forth, and may not be a file; name the file itself, or /dev/stdin if it comes from a file";
            fail(Exit::NotOutlook, reason)
        }
        io::ErrorKind::NotFound => fail(Exit::NotFound, "no such file; check the path"),
        io::ErrorKind::PermissionDenied => fail(
            Exit::Failure,
            "no permission to read it; run ostfs as a user who may, or copy the file",
        ),
        io::ErrorKind::UnexpectedEof => fail(
            Exit::Failure,
            "it ends before the size that the system tells of it; copy it, then try the copy",
        ),
        _ => fail(Exit::Failure, &format!("cannot be opened: {error}")),
    }
}
