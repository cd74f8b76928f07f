//! The manifest: a record of every file, with its hash, in the order of the tree whatever the number of threads.
//!
//! Written as CSV (RFC 4180), as JSON Lines, one object a line, or as a load file for review tools; `columns` has what a
//! record tells.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::columns::COLUMNS;
use super::load_file::LoadFile;
use super::record::Record;
use super::value::Value;
use crate::output;

/// How a manifest is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a line of names.
    Csv,
    /// The same for spreadsheets: an apostrophe stands before what they would take for a formula.
    SafeCsv,
    /// JSON Lines.
    JsonLines,
    /// A Concordance load file. The records have to come in the order of families.
    Concordance,
}

/// A manifest under way, written in one format or in several at once. Records come in batches, which are numbered from 0
/// without gaps and may come in any order. Without an output nobody makes records.
#[derive(Default)]
pub struct Manifest<'a> {
    outputs: Vec<Output<'a>>,
    next: u64,
    early: BTreeMap<u64, Vec<Record>>,
    error: Option<io::Error>,
}

enum Output<'a> {
    /// And whether spreadsheets are to be kept from running formulas.
    Csv(Box<csv::Writer<Box<dyn Write + Send + 'a>>>, bool),
    JsonLines(Box<dyn Write + Send + 'a>),
    LoadFile(LoadFile<'a>),
}

impl<'a> Manifest<'a> {
    /// Has it written to `out`, too. That this cannot be done is returned at the end.
    pub fn add_output(&mut self, format: Format, out: Box<dyn Write + Send + 'a>) {
        let mut output = Output::new(format, out);
        let begun = output.begin().err();
        self.error = self.error.take().or(begun);
        self.outputs.push(output);
    }

    /// Whether it is written anywhere.
    pub(super) fn is_wanted(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// Takes batch `number`, and writes what is complete, so that a reader sees it at once. False if nothing can be written
    /// any more; the reason is returned at the end.
    pub(super) fn add(&mut self, number: u64, records: Vec<Record>) -> bool {
        self.early.insert(number, records);
        while let Some(records) = self.early.remove(&self.next) {
            self.next += 1;
            for output in &mut self.outputs {
                if self.error.is_none() {
                    self.error = output.write(&records).err();
                }
            }
        }
        self.error.is_none()
    }

    /// Ends it with the records of the data files; returns how many values a load file could not hold as they are.
    pub fn finish(mut self, sources: Vec<Record>) -> io::Result<u64> {
        let number = self.next;
        self.add(number, sources);
        if let Some(error) = self.error {
            return Err(error);
        }
        let altered = self.outputs.iter_mut().map(Output::finish);
        altered.sum()
    }
}

/// The error of the system: its kind shows that a reader is gone.
fn system_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

impl<'a> Output<'a> {
    fn new(format: Format, out: Box<dyn Write + Send + 'a>) -> Self {
        match format {
            Format::Csv | Format::SafeCsv => {
                let writer = csv::WriterBuilder::new().from_writer(out);
                Self::Csv(Box::new(writer), format == Format::SafeCsv)
            }
            Format::JsonLines => Self::JsonLines(out),
            Format::Concordance => Self::LoadFile(LoadFile::new(out)),
        }
    }

    /// Writes the line of names: it is there even if no record follows.
    fn begin(&mut self) -> io::Result<()> {
        match self {
            Self::Csv(out, _) => {
                let names = COLUMNS.iter().map(|column| column.name);
                out.write_record(names).map_err(system_error)
            }
            Self::JsonLines(_) => Ok(()),
            Self::LoadFile(file) => file.begin(),
        }
    }

    fn write(&mut self, records: &[Record]) -> io::Result<()> {
        match self {
            Self::Csv(out, is_safe) => {
                for record in records {
                    let cells = COLUMNS
                        .iter()
                        .map(|column| cell(column.value(record), *is_safe));
                    out.write_record(cells).map_err(system_error)?;
                }
                out.flush()
            }
            Self::JsonLines(out) => {
                for record in records {
                    writeln!(out, "{}", output::json(record)?)?;
                }
                out.flush()
            }
            Self::LoadFile(file) => file.add(records),
        }
    }

    /// Writes what is left; returns how many values could not be written as they are.
    fn finish(&mut self) -> io::Result<u64> {
        match self {
            Self::Csv(out, _) => out.flush().map(|()| 0),
            Self::JsonLines(out) => out.flush().map(|()| 0),
            Self::LoadFile(file) => file.finish(),
        }
    }
}

/// `value` in a table; an apostrophe before what a spreadsheet would take for a formula, and run, if it `is_safe`.
fn cell(value: Value<'_>, is_safe: bool) -> String {
    let text = value.cell();
    match is_safe {
        true => output::safe_cell(&text).into_owned(),
        false => output::cell(&text).into_owned(),
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
        let mut manifest = Manifest::default();
        manifest.add_output(Format::JsonLines, Box::new(&mut text));
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
