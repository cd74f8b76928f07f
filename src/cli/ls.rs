//! `ostfs ls FILE... [PATH]...`: names out of the tree, without FUSE.
#![forbid(unsafe_code)]

use std::io::{self, BufWriter, Write};
use std::path::Path;

use jiff::tz::TimeZone;

use super::arguments::LsArguments;
use super::contents;
use super::options::Options;
use super::report::{self, Failure, Output};
use crate::clock;
use crate::tree::{Attr, Depth, Forest, Ino, Kind, MAX_DEPTH};

/// Lists each PATH, or the root.
pub(super) fn run(arguments: &LsArguments) -> Result<(), Failure> {
    let options = Options::of_user(&[], &arguments.options, &arguments.names)?;
    let contents = contents::open(&arguments.files, &options)?;
    let mut listing = Listing {
        tree: &contents.forest,
        arguments,
        zone: &options.tree.zone,
        // A listing of a million names is not written name by name.
        out: BufWriter::new(report::output()),
        failures: contents::Failures::default(),
    };
    let root = [Path::new("/").to_path_buf()];
    let paths = match contents.paths {
        [] => &root,
        paths => paths,
    };
    let written = paths.iter().try_for_each(|path| listing.path(path));
    let written = written.and_then(|()| listing.out.flush());
    if written.is_ok() {
        report::not_whole(listing.tree, options.tree.redact);
    }
    contents.lost.end(listing.failures.end(written))
}

struct Listing<'a> {
    tree: &'a Forest,
    arguments: &'a LsArguments,
    zone: &'a TimeZone,
    out: BufWriter<Output>,
    failures: contents::Failures,
}

impl Listing<'_> {
    fn path(&mut self, path: &Path) -> io::Result<()> {
        let found = contents::find(self.tree, path).and_then(|ino| {
            let attr = self.tree.attr(ino);
            attr.map_err(|error| contents::failed(path, &error))
        });
        match found {
            Ok(attr) if attr.kind == Kind::Directory => {
                self.directory(attr.ino, path.to_string_lossy().trim_end_matches('/'), 0)
            }
            Ok(attr) => self.entry(&path.to_string_lossy(), Some(attr)),
            Err(failure) => {
                self.failures.add(failure);
                Ok(())
            }
        }
    }

    fn directory(&mut self, ino: Ino, path: &str, depth: usize) -> io::Result<()> {
        let listing = match self.tree.directory(ino) {
            Ok(listing) if depth < MAX_DEPTH => listing,
            Ok(_) => return Ok(()),
            Err(error) => {
                self.failures.add(contents::failed(Path::new(path), &error));
                return Ok(());
            }
        };
        let mut entries: Vec<_> = listing.entries().collect();
        entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        for (number, entry) in entries.iter().enumerate() {
            if self.arguments.long && number.is_multiple_of(Forest::READ_AHEAD) {
                let next = entries.iter().skip(number).take(Forest::READ_AHEAD);
                let files: Vec<Ino> = next.map(|entry| entry.ino).collect();
                self.tree.read_ahead(&files, Depth::Sizes);
            }
            let below = format!("{path}/{}", entry.name);
            let shown = if self.arguments.recursive {
                below.trim_start_matches('/')
            } else {
                &entry.name
            };
            let attr = match self.arguments.long.then(|| self.tree.attr(entry.ino)) {
                Some(Err(error)) => {
                    self.failures
                        .add(contents::failed(Path::new(&below), &error));
                    continue;
                }
                attr => attr.and_then(Result::ok),
            };
            self.entry(shown, attr)?;
            if self.arguments.recursive && entry.kind == Kind::Directory {
                self.directory(entry.ino, &below, depth + 1)?;
            }
        }
        Ok(())
    }

    /// One line: the name, with `-l` behind kind, size and time.
    fn entry(&mut self, name: &str, attr: Option<Attr>) -> io::Result<()> {
        let Some(attr) = attr.filter(|_| self.arguments.long) else {
            return writeln!(self.out, "{name}");
        };
        write!(self.out, "{} {name}", long(&attr, self.zone))?;
        if attr.kind == Kind::Symlink
            && let Ok(target) = self.tree.read_link(attr.ino)
        {
            write!(self.out, " -> {target}")?;
        }
        writeln!(self.out)
    }
}

/// What `-l` has before a name: kind, size and time, in the `zone` that names have.
pub(super) fn long(attr: &Attr, zone: &TimeZone) -> String {
    let kind = match attr.kind {
        Kind::Directory => 'd',
        Kind::File => '-',
        Kind::Symlink => 'l',
    };
    let time = clock::seconds(attr.mtime)
        .and_then(|seconds| clock::in_zone(seconds, zone))
        .and_then(|time| time.to_string("%Y-%m-%d %H:%M:%S").ok())
        .unwrap_or_default();
    format!("{kind} {:>12} {time}", attr.size)
}
