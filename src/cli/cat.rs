//! `ostfs cat FILE... PATH...`: the bytes of files of the tree, without FUSE.
#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::path::Path;

use super::arguments::CatArguments;
use super::contents;
use super::exit::Exit;
use super::options::Options;
use super::report::{self, Failure};
use crate::error::Error;
use crate::output::shown;
use crate::tree::{Forest, Ino, Kind};

/// Bytes read and written at a time.
const CHUNK: usize = 1 << 20;

/// Writes each PATH to standard output, as cat(1) does: what cannot be read is named, the others are written. That something
/// may not be right is printed when it is met, and is a failure at the end.
pub(super) fn run(arguments: &CatArguments) -> Result<(), Failure> {
    let options = Options::of_user(&[], &arguments.options, &arguments.names)?;
    let contents = contents::open(&arguments.files, &options)?;
    let tree = &contents.forest;
    if contents.paths.is_empty() {
        let reason = "name what to write, as in: ostfs cat FILE PATH; `ostfs ls -R FILE` shows what is there";
        return Err(Failure::new(Exit::Usage, reason));
    }
    let mut out = report::output();
    let mut buffer = vec![0; CHUNK];
    let mut failures = contents::Failures::default();
    let mut written = Ok(());
    for path in contents.paths {
        let found = contents::find(tree, path);
        if arguments.headers {
            match found.and_then(|ino| header(tree, ino, path)) {
                Ok(block) => written = out.write_all(&block).and_then(|()| out.flush()),
                Err(failure) => failures.add(failure),
            }
            if written.is_err() {
                break;
            }
            continue;
        }
        let copied = found
            .and_then(|ino| whole(tree, ino, path, &mut buffer))
            .and_then(|ino| copy(tree, ino, path, &mut buffer, &mut out));
        match copied {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                written = Err(error);
                break;
            }
            Err(failure) => failures.add(failure),
        }
    }
    let problems = tree.problem_count();
    if problems > 0 && written.is_ok() {
        report::not_whole(tree, options.tree.redact);
        failures.add_problems(problems);
    }
    contents.lost.end(failures.end(written))
}

/// The stored header block of the message `ino`.
fn header(tree: &Forest, ino: Ino, path: &Path) -> Result<Vec<u8>, Failure> {
    let block = tree.stored_header(ino);
    let block = block.map_err(|error| contents::failed(path, &error))?;
    let reason = "no header is stored with it: it never arrived, or is no message";
    block.ok_or_else(|| Failure::new(Exit::NotFound, format!("{}: {reason}", shown(path))))
}

/// The file to write in place of `ino`. A message is read before its first byte is written: if an attachment in it is
/// damaged, there is a file with it in its header.
fn whole(tree: &Forest, ino: Ino, path: &Path, buffer: &mut [u8]) -> Result<Ino, Failure> {
    let attr = tree
        .attr(ino)
        .map_err(|error| contents::failed(path, &error))?;
    if attr.kind == Kind::Directory {
        return Err(contents::failed(path, &Error::IsADirectory));
    }
    let mut offset = 0;
    while tree.may_be_replaced(ino) && offset < attr.size {
        match tree.read_at(ino, offset, buffer) {
            Ok(0) => break,
            Ok(read) => offset += read as u64,
            Err(_) => break,
        }
    }
    Ok(tree.replacement(ino).unwrap_or(ino))
}

/// Writes the file `ino`. The inner result is that of writing, after whose failure nothing more can be written.
fn copy(
    tree: &Forest,
    ino: Ino,
    path: &Path,
    buffer: &mut [u8],
    out: &mut impl Write,
) -> Result<io::Result<()>, Failure> {
    let mut offset = 0;
    loop {
        let read = tree
            .read_at(ino, offset, buffer)
            .map_err(|error| contents::failed(path, &error))?;
        if read == 0 {
            return Ok(out.flush());
        }
        if let Err(error) = out.write_all(buffer.get(..read).unwrap_or_default()) {
            return Ok(Err(error));
        }
        offset += read as u64;
    }
}
