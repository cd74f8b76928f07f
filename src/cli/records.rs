//! Where the records of an export go, what they have besides, and those of the data files.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::export_arguments::{ExportArguments, HashName, RecordArguments};
use super::new_file::NewFile;
use super::outputs::Outputs;
use super::report::{self, Failure};
use crate::export::{self, Algorithms, Format, Progress, Record};
use crate::tree::{Forest, Ino};

/// Name of a load file at the top of an export; if the tree has that name, the first of the others that it has not.
const LOAD_FILE: &str = "ostfs-load-file.dat";

/// The hashes that `arguments` ask for, and SHA-256 unless it is not wanted.
pub(super) fn algorithms(arguments: &RecordArguments, sha256: bool) -> Algorithms {
    let has = |name| arguments.hash.contains(&name);
    Algorithms {
        sha256,
        sha1: has(HashName::Sha1),
        md5: has(HashName::Md5),
        content: has(HashName::Content),
    }
}

/// Opens a manifest before anything is written; its format is that of its name.
pub(super) fn create(
    path: &Path,
    csv_safe: bool,
    outputs: &Outputs,
) -> Result<(Format, File), Failure> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let format = match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("csv") if csv_safe => Format::SafeCsv,
        Some("csv") => Format::Csv,
        Some("jsonl" | "ndjson") if !csv_safe => Format::JsonLines,
        Some("jsonl" | "ndjson") => {
            let reason = "--csv-safe is for .csv; leave it out";
            return Err(Failure::about(Exit::Usage, path, reason));
        }
        _ => {
            let reason = "name the manifest .csv or .jsonl, for the format that you want";
            return Err(Failure::about(Exit::Usage, path, reason));
        }
    };
    Ok((format, outputs.list(path)?))
}

/// The data files, to be hashed for their records; none by default.
#[derive(Default)]
pub(super) struct Hashed<'a> {
    files: Vec<(&'a Path, File)>,
    algorithms: Algorithms,
    custodian: String,
}

impl<'a> Hashed<'a> {
    /// Opens `files` once more.
    pub fn open(
        files: &[&'a Path],
        algorithms: Algorithms,
        custodian: &str,
    ) -> Result<Self, Failure> {
        let open = |path: &'a Path| match File::open(path) {
            Ok(file) => Ok((path, file)),
            Err(error) => {
                let reason = format!("cannot be opened: {error}");
                Err(Failure::about(Exit::Failure, path, &reason))
            }
        };
        let files = files.iter().copied().map(open);
        Ok(Self {
            files: files.collect::<Result<_, _>>()?,
            algorithms,
            custodian: custodian.to_owned(),
        })
    }

    /// Their records.
    pub fn records(&self, progress: &Progress) -> io::Result<Vec<Record>> {
        let record = |(path, file): &(&Path, File)| {
            let record = Record::of_source(path, file, self.algorithms, progress)?;
            Ok(Record {
                custodian: self.custodian.clone(),
                ..record
            })
        };
        self.files.iter().map(record).collect()
    }
}

/// The load file of an export, which gets its name when it is whole.
pub(super) struct LoadFile {
    path: PathBuf,
    new: NewFile,
    file: File,
}

impl LoadFile {
    /// Begins it if `arguments` ask for one.
    pub fn wanted(
        arguments: &ExportArguments,
        forest: &Forest,
        outputs: &Outputs,
    ) -> Result<Option<Self>, Failure> {
        // There is one format.
        let wanted = arguments.records.load_file;
        let create = |_| Self::create(forest, &arguments.directory, outputs);
        wanted.map(create).transpose()
    }

    /// Begins it at the top of `directory`, into which `forest` is written.
    fn create(forest: &Forest, directory: &Path, outputs: &Outputs) -> Result<Self, Failure> {
        let path = directory.join(export::free_name(forest, LOAD_FILE));
        outputs.look_at_new(&path)?;
        let begun = NewFile::create(&path, true).and_then(|mut new| {
            let (file, _) = new.take()?;
            Ok((new, file))
        });
        let (new, file) = begun.map_err(|error| Failure::writing(&path, &error))?;
        Ok(Self { path, new, file })
    }

    /// What writes to it.
    pub fn out(&self) -> Box<dyn Write + Send + '_> {
        Box::new(BufWriter::new(&self.file))
    }

    /// Gives it its name, and the time of the root, as all else that is written is the same after each run.
    pub fn publish(self, forest: &Forest, directory: &Path) -> Result<(), Failure> {
        let Self { path, new, file } = self;
        let time = forest.attr(Ino::ROOT).map(|root| root.mtime);
        let timed = time.map_or(Ok(()), |time| file.set_modified(time));
        let published = timed.and_then(|()| new.publish());
        published.map_err(|error| Failure::writing(&path, &error))?;
        export::renew_root_time(forest, directory);
        Ok(())
    }
}

/// Tells that a load file has `altered` values, if it has any.
pub(super) fn tell(altered: u64) {
    if altered > 0 {
        report::note(format_args!(
            "{} of the load file with a character that it cannot hold: \"th\" stands for U+00FE there, \"(R)\" for U+00AE; the manifest has them as they are",
            report::counted(altered, "value")
        ));
    }
}
