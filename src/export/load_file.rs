//! A Concordance load file (.dat), which review tools take: a line of field names, then a record a line for each item and
//! each attachment, families together and the item first.
//!
//! Each value stands between two `þ`, values are parted by U+0014, several values of a field by `;`. There is no escape: a
//! value that has one of these characters, or the `®` that stands for a line end, is altered, and counted. UTF-8 with a byte
//! order mark, by which tools know that it is no Windows-1252.
#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};

use super::columns::{COLUMNS, Column};
use super::record::Record;
use super::value::Value;
use crate::convert;
use crate::output;

const BYTE_ORDER_MARK: &str = "\u{FEFF}";
/// Stands before and behind each value.
const QUALIFIER: char = '\u{FE}';
/// Parts values.
const SEPARATOR: char = '\u{14}';
/// Stands for a line end.
const LINE_END: char = '\u{AE}';
/// What is written in the place of the two of these that people write.
const STAND_INS: [(char, &str); 2] = [(QUALIFIER, "th"), (LINE_END, "(R)")];
/// Stands between the values of a field.
const BETWEEN: &str = ";";
/// Members of a family that wait for each other; more become a family of their own.
const MAX_FAMILY: usize = 1 << 16;

/// The fields that a load file has before those of the columns: their names, and what they mean.
pub const FIELDS: [(&str, &str); 7] = [
    ("DOCID", "number of the document in the load file"),
    ("BEGATTACH", "first of its family: the item"),
    ("ENDATTACH", "last of its family"),
    ("PARENTID", "document that it is attached to"),
    ("ATTCHIDS", "documents that are attached to it"),
    ("FILENAME", "name of the file"),
    ("FILEEXT", "extension of the file"),
];

/// A load file under way.
pub(super) struct LoadFile<'a> {
    out: Box<dyn Write + Send + 'a>,
    /// The item whose family is not complete, and what belongs to it.
    family: Vec<Record>,
    /// Documents that were written.
    written: u64,
    altered: u64,
}

impl<'a> LoadFile<'a> {
    /// One that goes to `out`.
    pub fn new(out: Box<dyn Write + Send + 'a>) -> Self {
        Self {
            out,
            family: Vec::new(),
            written: 0,
            altered: 0,
        }
    }

    /// Writes the line of names.
    pub fn begin(&mut self) -> io::Result<()> {
        self.out.write_all(BYTE_ORDER_MARK.as_bytes())?;
        let own = FIELDS.iter().map(|(name, _)| *name);
        let names = own.chain(columns().map(|column| column.field));
        self.line(names.map(str::to_owned))
    }

    /// Takes `records`, in the order of families. What is no document is left out.
    pub fn add(&mut self, records: &[Record]) -> io::Result<()> {
        for record in records.iter().filter(|record| record.is_document()) {
            let first = self.family.first();
            let is_of_it = first.is_some_and(|first| first.family == record.family);
            if !is_of_it || self.family.len() >= MAX_FAMILY {
                self.write_family()?;
            }
            self.family.push(record.clone());
        }
        Ok(())
    }

    /// Writes what waits; returns how many values were altered.
    pub fn finish(&mut self) -> io::Result<u64> {
        self.write_family()?;
        self.out.flush()?;
        Ok(self.altered)
    }

    fn write_family(&mut self) -> io::Result<()> {
        let family = std::mem::take(&mut self.family);
        let first = self.written + 1;
        let last = self.written + family.len() as u64;
        let paths = family.iter().map(|record| record.path.as_str());
        let numbers: HashMap<&str, u64> = paths.zip(first..).collect();
        let mut attached: HashMap<&str, Vec<String>> = HashMap::new();
        for (record, number) in family.iter().zip(first..) {
            let below = attached.entry(record.parent.as_str()).or_default();
            below.push(document(number));
        }
        for (record, number) in family.iter().zip(first..) {
            let path = record.path.as_str();
            let parent = numbers.get(record.parent.as_str());
            let name = path.rsplit('/').next().unwrap_or_default();
            let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
            let own = [
                document(number),
                document(first),
                document(last),
                parent.map_or_else(String::new, |number| document(*number)),
                attached
                    .get(path)
                    .map_or_else(String::new, |ids| ids.join(BETWEEN)),
                name.to_owned(),
                extension.to_owned(),
            ];
            let values = columns().map(|column| text(column.value(record)));
            self.line(own.into_iter().chain(values))?;
        }
        self.written = last;
        Ok(())
    }

    fn line(&mut self, values: impl Iterator<Item = String>) -> io::Result<()> {
        let mut line = String::new();
        for value in values {
            if !line.is_empty() {
                line.push(SEPARATOR);
            }
            line.push(QUALIFIER);
            line.push_str(&self.plain(&value));
            line.push(QUALIFIER);
        }
        line.push_str("\r\n");
        self.out.write_all(line.as_bytes())
    }

    /// `value` without characters that have a meaning here.
    fn plain<'v>(&mut self, value: &'v str) -> Cow<'v, str> {
        let is_meant = |character| [QUALIFIER, SEPARATOR, LINE_END].contains(&character);
        if !value.contains(is_meant) {
            return output::cell(value);
        }
        self.altered += 1;
        let mut plain = value.to_owned();
        for (character, stand_in) in STAND_INS {
            plain = plain.replace(character, stand_in);
        }
        output::cell(&plain).into_owned().into()
    }
}

/// The columns that a load file has.
fn columns() -> impl Iterator<Item = &'static Column> {
    COLUMNS.iter().filter(|column| !column.field.is_empty())
}

/// The name of document `number`, which counts from 1.
fn document(number: u64) -> String {
    format!("OST{number:08}")
}

/// `value` as load files have it: paths as Windows has them, people as `Name <address>`.
fn text(value: Value<'_>) -> String {
    match value {
        Value::Path(path) => path.replace('/', "\\"),
        Value::Mailboxes(field) => convert::mailboxes(field).join(BETWEEN),
        Value::List(texts) => texts.join(BETWEEN),
        other => other.cell().into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(path: &str, family: &str, parent: &str) -> Record {
        Record {
            path: path.to_owned(),
            family: family.to_owned(),
            parent: parent.to_owned(),
            ..Record::default()
        }
    }

    /// The lines without the marks, and how many values were altered.
    fn lines(records: &[Record]) -> (Vec<Vec<String>>, u64) {
        let mut out = Vec::new();
        let mut file = LoadFile::new(Box::new(&mut out));
        file.begin().unwrap();
        // A family may come in several batches.
        for record in records {
            file.add(std::slice::from_ref(record)).unwrap();
        }
        let altered = file.finish().unwrap();
        drop(file);
        let text = String::from_utf8(out).unwrap();
        let lines = text.strip_prefix('\u{FEFF}').unwrap().lines();
        let values = |line: &str| {
            let line = line.strip_prefix('þ').unwrap().strip_suffix('þ').unwrap();
            line.split("þ\u{14}þ").map(str::to_owned).collect()
        };
        (lines.map(values).collect(), altered)
    }

    #[test]
    fn a_family_is_numbered_together_and_names_parents_and_children() {
        let (lines, _) = lines(&[
            record("a.eml", "a.eml", ""),
            record("b.eml", "b.eml", ""),
            record("b.attachments/m.eml", "b.eml", "b.eml"),
            record(
                "b.attachments/m.attachments/x.pdf",
                "b.eml",
                "b.attachments/m.eml",
            ),
            record("b.attachments/y.doc", "b.eml", "b.eml"),
            Record {
                class: Record::TEXT.to_owned(),
                ..record("b.txt", "b.eml", "")
            },
            record("chat.txt", "", ""),
        ]);
        let own: Vec<String> = lines.iter().map(|line| line[..7].join(" ")).collect();
        assert_eq!(
            own,
            [
                "DOCID BEGATTACH ENDATTACH PARENTID ATTCHIDS FILENAME FILEEXT",
                "OST00000001 OST00000001 OST00000001   a.eml eml",
                "OST00000002 OST00000002 OST00000005  OST00000003;OST00000005 b.eml eml",
                "OST00000003 OST00000002 OST00000005 OST00000002 OST00000004 m.eml eml",
                "OST00000004 OST00000002 OST00000005 OST00000003  x.pdf pdf",
                "OST00000005 OST00000002 OST00000005 OST00000002  y.doc doc",
            ]
        );
    }

    #[test]
    fn what_the_format_has_no_escape_for_is_altered_and_counted() {
        let mut other = record("\u{FE}a\u{AE}.eml", "f", "");
        other.custodian = "line\nend\u{14}".to_owned();
        let (lines, altered) = lines(&[other]);
        assert_eq!(lines[1][5], "tha(R).eml");
        let custodian = lines[0].iter().position(|name| name == "CUSTODIAN");
        assert_eq!(lines[1][custodian.unwrap()], "line end\u{FFFD}");
        // The path is there twice.
        assert_eq!(altered, 3);
    }
}
