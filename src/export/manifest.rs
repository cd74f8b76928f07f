//! The manifest: a record of every file, with its hash, in the order of the tree whatever the number of threads.
//!
//! Written as CSV (RFC 4180) or as JSON Lines, one object a line.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::progress::Progress;
use crate::output;

/// Bytes read at a time.
const CHUNK: usize = 1 << 20;
/// What formulas begin with (OWASP, CSV Injection).
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// How a manifest is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a line of names.
    Csv,
    /// The same for spreadsheets: an apostrophe stands before what they would take for a formula.
    SafeCsv,
    /// JSON Lines.
    JsonLines,
}

/// The record of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Path below the target directory; of a source, the path of the data file.
    pub path: String,
    /// Node of the item, in hexadecimal; also on its attachments.
    pub nid: String,
    /// Path of the folder.
    pub folder: String,
    /// Delivery (else submit, else creation) time of the item, RFC 3339, UTC.
    pub date: String,
    /// From, decoded. Items alone have this and the next three.
    pub from: String,
    /// To, decoded.
    pub to: String,
    /// Subject.
    pub subject: String,
    /// PidTagMessageClass; `attachment`, `text` and `source` are no classes of items.
    pub class: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes in hexadecimal; empty where they could not be read, or were not asked for.
    pub sha256: String,
    /// What could not be read, separated by `; `.
    pub problems: String,
}

impl Record {
    /// The same for a table: paths are made for all programs, the rest may have characters that act on what shows it.
    fn as_cells(&self) -> Self {
        let cell = |text: &String| output::cell(text).into_owned();
        Self {
            from: cell(&self.from),
            to: cell(&self.to),
            subject: cell(&self.subject),
            class: cell(&self.class),
            problems: cell(&self.problems),
            ..self.clone()
        }
    }

    /// The same with an apostrophe before each text that a spreadsheet would take for a formula, and run.
    fn without_formulas(mut self) -> Self {
        for text in [
            &mut self.path,
            &mut self.nid,
            &mut self.folder,
            &mut self.date,
            &mut self.from,
            &mut self.to,
            &mut self.subject,
            &mut self.class,
            &mut self.sha256,
            &mut self.problems,
        ] {
            if text.starts_with(FORMULA) {
                text.insert(0, '\'');
            }
        }
        self
    }

    /// `class` of an attachment.
    pub const ATTACHMENT: &str = "attachment";
    /// `class` of the text beside an item.
    pub const TEXT: &str = "text";
    /// `class` of a data file.
    pub const SOURCE: &str = "source";

    /// The record of the data file `path`, all of which is read from `file`, unless `progress` returns that it is not wanted any more.
    pub fn of_source(path: &Path, mut file: &File, progress: &Progress) -> io::Result<Self> {
        let mut hash = Sha256::new();
        let mut buffer = vec![0; CHUNK];
        let mut size = 0;
        while !progress.is_abandoned() {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hash.update(buffer.get(..read).unwrap_or_default());
            size += read as u64;
        }
        Ok(Self {
            path: path.display().to_string(),
            class: Self::SOURCE.to_owned(),
            size,
            sha256: hexadecimal(hash),
            ..Self::default()
        })
    }
}

/// The digest as text.
pub(super) fn hexadecimal(hash: Sha256) -> String {
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A manifest under way. Records come in batches, which are numbered from 0 without gaps and may come in any order.
pub struct Manifest<'a> {
    out: Output<'a>,
    next: u64,
    early: BTreeMap<u64, Vec<Record>>,
    error: Option<io::Error>,
}

enum Output<'a> {
    /// And whether spreadsheets are to be kept from running formulas.
    Csv(Box<csv::Writer<Box<dyn Write + Send + 'a>>>, bool),
    JsonLines(Box<dyn Write + Send + 'a>),
}

impl<'a> Manifest<'a> {
    /// A manifest that goes to `out`.
    pub fn new(format: Format, out: Box<dyn Write + Send + 'a>) -> Self {
        let mut out = match format {
            Format::Csv | Format::SafeCsv => {
                let is_safe = format == Format::SafeCsv;
                let mut builder = csv::WriterBuilder::new();
                let writer = builder.has_headers(false).from_writer(out);
                Output::Csv(Box::new(writer), is_safe)
            }
            Format::JsonLines => Output::JsonLines(out),
        };
        let error = out.write_names().err();
        Self {
            out,
            next: 0,
            early: BTreeMap::new(),
            error,
        }
    }

    /// Takes batch `number`, and writes what is complete, so that a reader sees it at once. False if nothing can be written
    /// any more; the reason is returned at the end.
    pub(super) fn add(&mut self, number: u64, records: Vec<Record>) -> bool {
        self.early.insert(number, records);
        while let Some(records) = self.early.remove(&self.next) {
            self.next += 1;
            if self.error.is_none() {
                self.error = self.out.write(&records).err();
            }
        }
        self.error.is_none()
    }

    /// Ends it with the records of the data files.
    pub fn finish(mut self, sources: Vec<Record>) -> io::Result<()> {
        let number = self.next;
        self.add(number, sources);
        match self.error {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// The error of the system: its kind shows that a reader is gone.
fn system_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

impl Output<'_> {
    /// The line of names of a table: it is there even if no record follows.
    fn write_names(&mut self) -> io::Result<()> {
        let Output::Csv(out, _) = self else {
            return Ok(());
        };
        let mut names = csv::Writer::from_writer(Vec::new());
        names.serialize(Record::default()).map_err(system_error)?;
        let table = names.into_inner().map_err(io::Error::other)?;
        let mut lines = csv::Reader::from_reader(&*table);
        let names = lines.headers().map_err(system_error)?;
        out.write_record(names).map_err(system_error)
    }

    fn write(&mut self, records: &[Record]) -> io::Result<()> {
        match self {
            Output::Csv(out, is_safe) => {
                for record in records {
                    let cells = match is_safe {
                        true => record.as_cells().without_formulas(),
                        false => record.as_cells(),
                    };
                    out.serialize(cells).map_err(system_error)?;
                }
                out.flush()
            }
            Output::JsonLines(out) => {
                for record in records {
                    writeln!(out, "{}", output::json(record)?)?;
                }
                out.flush()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_out_in_order_whoever_is_first() {
        let record = |path: &str| Record {
            path: path.to_owned(),
            ..Record::default()
        };
        let mut text = Vec::new();
        let mut manifest = Manifest::new(Format::JsonLines, Box::new(&mut text));
        manifest.add(2, vec![record("d")]);
        manifest.add(0, vec![record("a"), record("b")]);
        manifest.add(1, Vec::new());
        manifest.add(3, vec![record("e, \"f\"")]);
        manifest.finish(vec![record("source")]).unwrap();
        let paths: Vec<String> = String::from_utf8(text)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|record| record["path"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(paths, ["a", "b", "d", "e, \"f\"", "source"]);
    }
}
