//! tar as POSIX has it: ustar headers, and a pax header before what these cannot hold: long names and names that are not
//! ASCII, 8 GiB and more, fractions of a second and times before 1970. [POSIX.1-2017, pax, "pax Interchange Format"]
//!
//! Owners are numbers 0 and no names, permissions those that an extraction narrows by the umask, so that the same tree gives
//! the same bytes everywhere.

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use tar::{EntryType, Header};

use super::entries::{Archive, Content, File};
use crate::tree::Attr;

/// Bytes of a block: headers have one, contents are filled up to one.
const BLOCK: usize = 512;
/// What ends an archive: two blocks of zeros.
const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];
/// The first size that eleven octal digits do not hold.
const TOO_LARGE: u64 = 1 << 33;
/// The same in seconds.
const TOO_LATE: i128 = 1 << 33;
const NANOSECONDS: i128 = 1_000_000_000;

const MODE_OF_FILES: u32 = 0o644;
const MODE_OF_DIRECTORIES: u32 = 0o755;
const MODE_OF_LINKS: u32 = 0o777;

/// A tar archive that goes to `out`.
#[derive(Debug)]
pub struct Tar<W> {
    out: W,
}

impl<W: Write + Send> Tar<W> {
    /// An empty archive.
    pub fn new(out: W) -> Self {
        Self { out }
    }

    /// Writes the headers of an entry.
    fn begin(
        &mut self,
        path: &str,
        attr: &Attr,
        kind: EntryType,
        target: Option<&str>,
    ) -> io::Result<()> {
        let mut header = Header::new_ustar();
        let mut records = Vec::new();
        header.set_entry_type(kind);
        header.set_mode(match kind {
            EntryType::Directory => MODE_OF_DIRECTORIES,
            EntryType::Symlink => MODE_OF_LINKS,
            _ => MODE_OF_FILES,
        });
        header.set_uid(0);
        header.set_gid(0);
        if !path.is_ascii() || header.set_path(path).is_err() {
            records.push(("path", path.to_owned()));
            if let Some(ustar) = header.as_ustar_mut() {
                ustar.prefix.fill(0);
            }
            cut(path, &mut header.as_old_mut().name);
        }
        if let Some(target) = target
            && (!target.is_ascii() || header.set_link_name_literal(target).is_err())
        {
            records.push(("linkpath", target.to_owned()));
            cut(target, &mut header.as_old_mut().linkname);
        }
        let size = match kind {
            EntryType::Regular => attr.size,
            _ => 0,
        };
        let fits = size < TOO_LARGE;
        if !fits {
            records.push(("size", size.to_string()));
        }
        header.set_size(if fits { size } else { 0 });
        header.set_mtime(set_time(attr.mtime, &mut records));
        header.set_cksum();
        self.out.write_all(&extended(&records)?)?;
        self.out.write_all(header.as_bytes())
    }
}

impl<W: Write + Send> Archive for Tar<W> {
    fn directory(&mut self, path: &str, attr: &Attr) -> io::Result<()> {
        self.begin(&format!("{path}/"), attr, EntryType::Directory, None)
    }

    fn file(&mut self, file: File<'_>, content: &mut Content<'_>) -> io::Result<()> {
        self.begin(file.path, file.attr, EntryType::Regular, None)?;
        content(&mut self.out)?;
        let over = file.attr.size % BLOCK as u64;
        let padding = usize::try_from(over).map_or(0, |over| (BLOCK - over) % BLOCK);
        self.out.write_all(END.get(..padding).unwrap_or_default())
    }

    fn link(&mut self, path: &str, attr: &Attr, target: &str) -> io::Result<()> {
        self.begin(path, attr, EntryType::Symlink, Some(target))
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.write_all(&END)?;
        self.out.flush()
    }
}

/// What of `text` a reader sees that knows no pax headers: a piece that is ASCII.
fn cut(text: &str, field: &mut [u8]) {
    field.fill(0);
    let plain = text.chars().map(|c| match u8::try_from(c) {
        Ok(byte) if byte.is_ascii() => byte,
        _ => b'_',
    });
    for (to, from) in field.iter_mut().zip(plain) {
        *to = from;
    }
}

/// The time for a ustar header, in seconds; one that is not exactly this becomes a record.
fn set_time(time: SystemTime, records: &mut Vec<(&str, String)>) -> u64 {
    let nanoseconds = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i128::try_from(after.as_nanos()),
        Err(before) => i128::try_from(before.duration().as_nanos()).map(|before| -before),
    }
    .unwrap_or(0);
    let whole = nanoseconds.div_euclid(NANOSECONDS).clamp(0, TOO_LATE - 1);
    if whole * NANOSECONDS != nanoseconds {
        let sign = if nanoseconds < 0 { "-" } else { "" };
        let size = nanoseconds.abs();
        let decimal = format!("{sign}{}.{:09}", size / NANOSECONDS, size % NANOSECONDS);
        let decimal = decimal.trim_end_matches('0').trim_end_matches('.');
        records.push(("mtime", decimal.to_owned()));
    }
    u64::try_from(whole).unwrap_or(0)
}

/// The pax header that has `records`; nothing if there are none.
fn extended(records: &[(&str, String)]) -> io::Result<Vec<u8>> {
    // A builder ends its archive when it is dropped, so it gets one of its own, of which the end is left out.
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_pax_extensions(records.iter().map(|(key, value)| (*key, value.as_bytes())))?;
    Ok(builder.get_ref().clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn times_that_ustar_cannot_hold_are_decimals() {
        for (nanoseconds, header, record) in [
            (0, 0, None),
            (1_500_000_000, 1, Some("1.5")),
            (1_000_000_100, 1, Some("1.0000001")),
            (-1_000_000_000, 0, Some("-1")),
            (-1_500_000_000, 0, Some("-1.5")),
            (
                i128::from(u32::MAX) * NANOSECONDS,
                u64::from(u32::MAX),
                None,
            ),
            (
                10_000_000_000 * NANOSECONDS,
                (1 << 33) - 1,
                Some("10000000000"),
            ),
        ] {
            let size = Duration::from_nanos(u64::try_from(nanoseconds.abs()).unwrap());
            let time = match nanoseconds < 0 {
                true => UNIX_EPOCH - size,
                false => UNIX_EPOCH + size,
            };
            let mut records = Vec::new();
            assert_eq!(set_time(time, &mut records), header, "{nanoseconds}");
            let records: Vec<_> = records.iter().map(|(_, value)| value.as_str()).collect();
            assert_eq!(records, Vec::from_iter(record), "{nanoseconds}");
        }
    }
}
