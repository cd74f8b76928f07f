//! Which files `export --to pst` writes: one for all sources, or in a directory one for each, in parts if it is split.
#![forbid(unsafe_code)]

use std::collections::{BTreeSet, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::export_arguments::ExportArguments;
use super::guard::Sweeper;
use super::new_file::{self, directory_of};
use super::outputs::Outputs;
use super::report::Failure;
use crate::fuse::Made;
use crate::output::shown;

/// Extension of files that are named after a source.
const EXTENSION: &str = ".pst";

/// What becomes one PST, or one in parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Its sources.
    pub files: Vec<PathBuf>,
    /// The first part, or all of it.
    path: PathBuf,
}

/// All that is to be written, and the directory that it goes to.
pub(super) struct Targets {
    pub all: Vec<Target>,
    pub directory: PathBuf,
    /// Whether the directory was named, and not a file in it.
    pub named_after_sources: bool,
    /// A directory that was made is removed again if nothing comes into it.
    pub sweeper: Sweeper,
}

impl Target {
    /// The file that is part `number`.
    pub fn part(&self, number: u32) -> PathBuf {
        if number <= 1 {
            return self.path.clone();
        }
        let mut name = self.path.file_stem().unwrap_or_default().to_owned();
        name.push(format!("-{number}{EXTENSION}"));
        self.path.with_file_name(name)
    }

    /// The numbers of all parts that are there, ascending.
    pub fn parts_there(&self) -> Result<BTreeSet<u32>, Failure> {
        self.numbers(|name| Some(name))
    }

    /// The numbers of all parts that were begun and have no names yet.
    pub fn parts_begun(&self) -> Result<BTreeSet<u32>, Failure> {
        self.numbers(new_file::to_become)
    }

    /// The numbers of those parts whose names are, by `name`, those of files in the directory.
    fn numbers(&self, name: fn(&OsStr) -> Option<&OsStr>) -> Result<BTreeSet<u32>, Failure> {
        let directory = directory_of(&self.path);
        let read = || -> io::Result<_> {
            let mut numbers = BTreeSet::new();
            for entry in fs::read_dir(directory)? {
                let entry = entry?.file_name();
                numbers.extend(name(&entry).and_then(|name| self.number(name)));
            }
            Ok(numbers)
        };
        read().map_err(|error| Failure::about(Exit::Failure, directory, error))
    }

    /// Which part a file named `name` is, if it is one.
    fn number(&self, name: &OsStr) -> Option<u32> {
        if Some(name) == self.path.file_name() {
            return Some(1);
        }
        let (first, number) = of_part(name)?;
        (Some(first.as_os_str()) == self.path.file_name()).then_some(number)
    }

    /// Where its journal is.
    pub fn journal(&self) -> PathBuf {
        new_file::journal(&self.path)
    }

    /// What its store is called if the source does not tell.
    pub fn name(&self) -> String {
        let stem = self.path.file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    }
}

/// Where `arguments` want all of `files`. A directory that is not there is made.
pub(super) fn of(
    arguments: &ExportArguments,
    files: &[PathBuf],
    outputs: &Outputs,
) -> Result<Targets, Failure> {
    let path = arguments.directory.as_path();
    let ends_with_slash = path.as_os_str().as_bytes().ends_with(b"/");
    if arguments.split.is_none() && !ends_with_slash && !path.is_dir() {
        let directory = directory_of(path);
        // Told before all is read that would go there.
        fs::metadata(directory).map_err(|error| Failure::writing(path, &error))?;
        let files = files.to_vec();
        let all = vec![Target {
            files,
            path: path.to_path_buf(),
        }];
        return Ok(Targets {
            all,
            directory: directory.to_path_buf(),
            named_after_sources: false,
            sweeper: sweeper(path, None)?,
        });
    }
    let mut names = HashSet::new();
    let mut all = Vec::new();
    for file in files {
        let name = name_of(file);
        let path = path.join(&name);
        if !names.insert(name) {
            let reason = format!(
                "{}: another file becomes {} as well; export them one by one, or rename one",
                shown(file),
                shown(&path)
            );
            return Err(Failure::new(Exit::Usage, reason));
        }
        outputs.look_at_new(&path)?;
        all.push(Target {
            files: vec![file.clone()],
            path,
        });
    }
    if arguments.split.is_some() {
        no_part_has_the_name_of_another(&all, &names)?;
    }
    let made = make(path)?;
    Ok(Targets {
        all,
        directory: path.to_path_buf(),
        named_after_sources: true,
        sweeper: sweeper(path, made)?,
    })
}

/// Fails if one of `targets`, all of which have these `names`, is called as a later part of another one.
fn no_part_has_the_name_of_another(
    targets: &[Target],
    names: &HashSet<OsString>,
) -> Result<(), Failure> {
    for target in targets {
        let of_part = target.path.file_name().and_then(of_part);
        if let Some((first, number)) = of_part.filter(|(first, _)| names.contains(first)) {
            let reason = format!(
                "{}: part {number} of {} may get the same name; export them into different directories, or rename one",
                shown(&target.path),
                shown(Path::new(&first))
            );
            return Err(Failure::new(Exit::Usage, reason));
        }
    }
    Ok(())
}

/// The name of the first part, and the number of the part, if `name` is one that a later part can have.
fn of_part(name: &OsStr) -> Option<(OsString, u32)> {
    let stem = name.as_bytes().strip_suffix(EXTENSION.as_bytes())?;
    let dash = stem.iter().rposition(|byte| *byte == b'-')?;
    let (first, number) = stem.split_at_checked(dash)?;
    let number: u32 = str::from_utf8(number)
        .ok()?
        .strip_prefix('-')?
        .parse()
        .ok()?;
    let mut first = OsStr::from_bytes(first).to_owned();
    first.push(EXTENSION);
    let target = Target {
        files: Vec::new(),
        path: first.clone().into(),
    };
    // Numbers are written in one way.
    (number > 1 && target.part(number) == name).then_some((first, number))
}

/// `a.ost` becomes `a.pst`.
fn name_of(file: &Path) -> OsString {
    let mut name = file.file_stem().unwrap_or_default().to_owned();
    name.push(EXTENSION);
    name
}

fn sweeper(directory: &Path, made: Option<Made>) -> Result<Sweeper, Failure> {
    Sweeper::start(directory, made)
        .map_err(|error| Failure::new(Exit::Failure, format!("no process can be started: {error}")))
}

/// Makes the directory, unless it is there.
fn make(directory: &Path) -> Result<Option<Made>, Failure> {
    let fail = |exit, reason: String| Failure::new(exit, format!("{}: {reason}", shown(directory)));
    match fs::create_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && directory.is_dir() => {
            Ok(None)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(fail(
            Exit::Failure,
            "is a file; name a directory for the parts".to_owned(),
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Failure::writing(directory, &error))
        }
        Err(error) => Err(fail(
            Exit::Failure,
            format!("cannot be made: {error}; choose a place where you may write"),
        )),
        Ok(()) => Ok(Made::at(directory).ok()),
    }
}
