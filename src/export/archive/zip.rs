//! ZIP, written without seeking: sizes and checksum of a file come behind its content, and all of them once more at the end.
//! [PKWARE APPNOTE 6.3.10]
//!
//! Times are UTC in two-second steps, from 1980 to 2107, and exact to the second in the field "UT" of Info-ZIP, from 1970 to
//! 2038. Takes memory for the list at the end: about a hundred bytes a file, and its path.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use rawzip::extra_fields::ExtraFieldId;
use rawzip::time::UtcDateTime;
use rawzip::{CompressionMethod, ErrorKind, Header, ZipArchiveWriter};

use super::entries::{Archive, Content, File};
use crate::clock;
use crate::tree::Attr;

/// Types and permissions of entries, as stat(2) has them.
const FILE: u32 = 0o100_644;
const DIRECTORY: u32 = 0o040_755;
const LINK: u32 = 0o120_777;
/// Of the field "UT": it has a time of modification.
const HAS_MTIME: u8 = 1;

/// A ZIP archive that goes to `out`.
#[derive(Debug)]
pub struct Zip<W> {
    /// None once it is finished.
    out: Option<ZipArchiveWriter<W>>,
}

impl<W: Write + Send> Zip<W> {
    /// An empty archive.
    pub fn new(out: W) -> Self {
        Self {
            out: Some(ZipArchiveWriter::new(out)),
        }
    }

    fn out(&mut self) -> io::Result<&mut ZipArchiveWriter<W>> {
        let finished = || io::Error::other("the archive is finished");
        self.out.as_mut().ok_or_else(finished)
    }

    fn entry(
        &mut self,
        path: &str,
        attr: &Attr,
        mode: u32,
        content: &mut Content<'_>,
    ) -> io::Result<()> {
        let (time, field) = times(attr);
        let mut entry = self
            .out()?
            .new_file(path)
            .compression_method(CompressionMethod::DEFLATE)
            .unix_permissions(mode)
            .last_modified(time);
        if let Some(field) = field {
            let id = ExtraFieldId::EXTENDED_TIMESTAMP;
            entry = entry
                .extra_field(id, &field, Header::LOCAL)
                .map_err(of_zip)?;
        }
        let (mut entry, config) = entry.start().map_err(of_zip)?;
        let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::default()));
        content(&mut writer)?;
        let (encoder, sizes) = writer.finish().map_err(of_zip)?;
        encoder.finish()?;
        entry.finish(sizes).map_err(of_zip)?;
        Ok(())
    }
}

impl<W: Write + Send> Archive for Zip<W> {
    fn directory(&mut self, path: &str, attr: &Attr) -> io::Result<()> {
        let (time, field) = times(attr);
        let path = format!("{path}/");
        let mut entry = self.out()?.new_dir(path.as_str());
        if let Some(field) = field {
            let id = ExtraFieldId::EXTENDED_TIMESTAMP;
            entry = entry
                .extra_field(id, &field, Header::LOCAL)
                .map_err(of_zip)?;
        }
        let entry = entry.unix_permissions(DIRECTORY).last_modified(time);
        entry.create().map_err(of_zip)?;
        Ok(())
    }

    fn file(&mut self, file: File<'_>, content: &mut Content<'_>) -> io::Result<()> {
        self.entry(file.path, file.attr, FILE, content)
    }

    fn link(&mut self, path: &str, attr: &Attr, target: &str) -> io::Result<()> {
        self.entry(path, attr, LINK, &mut |out| {
            out.write_all(target.as_bytes())
        })
    }

    fn finish(&mut self) -> io::Result<()> {
        let Some(out) = self.out.take() else {
            return Ok(());
        };
        out.finish().map_err(of_zip)?.flush()
    }
}

/// The time of an entry, and the field "UT" for its local header if it fits in; the library writes the other one.
fn times(attr: &Attr) -> (UtcDateTime, Option<[u8; 5]>) {
    let seconds = clock::seconds(attr.mtime).unwrap_or(0);
    let field = i32::try_from(seconds).ok().filter(|seconds| *seconds >= 0);
    let field = field.map(|seconds| {
        let [a, b, c, d] = seconds.to_le_bytes();
        [HAS_MTIME, a, b, c, d]
    });
    (UtcDateTime::from_unix(seconds), field)
}

/// The error of the system: its kind shows that a reader is gone, or the disk full.
fn of_zip(error: rawzip::Error) -> io::Error {
    match error.into_kind() {
        ErrorKind::IO(error) => error,
        other => io::Error::other(other.to_string()),
    }
}
