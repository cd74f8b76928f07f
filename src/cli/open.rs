//! `ostfs open FILE`: what a double click in a file manager does. Mounts below the user's runtime directory, and has the
//! desktop open the folder.
#![forbid(unsafe_code)]

use std::env;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use super::arguments::OpenArguments;
use super::exit::Exit;
use super::report::Failure;
use super::source;
use crate::fuse;
use crate::ndb::Source;
use crate::output::{quoted, shown};

/// Nobody unmounts what a file manager has opened.
const IDLE_TIMEOUT: &str = "10m";
/// Bytes of the hash of a state that are in the name of a directory.
const STATE: usize = 8;
/// Program of the desktop that opens a folder. xdg-utils
const OPENER: &str = "xdg-open";

/// Mounts, unless that was done before, and opens the folder.
pub(super) fn run(arguments: &OpenArguments) -> Result<(), Failure> {
    let file = arguments.file.as_path();
    // What keeps it from being mounted is told before a directory is made.
    let source = source::open(file)?;
    let directory = directory(file, &source)?;
    if !is_mounted(&directory) {
        mount(file, &directory)?;
    }
    // Of the programs that it looks for in vain it tells each; what is to be done is told below.
    let opened = Command::new(OPENER)
        .arg(&directory)
        .stderr(Stdio::null())
        .status();
    let why = match opened {
        Ok(status) if status.success() => return Ok(()),
        Ok(_) => "no file manager was found",
        Err(_) => "there is no xdg-open, which the package xdg-utils has",
    };
    let directory = shown(&directory);
    let reason = format!(
        "{why}; look in {directory}, which is mounted and ends when nobody has used it for ten minutes"
    );
    Err(Failure::new(Exit::Failure, reason))
}

/// $XDG_RUNTIME_DIR/ostfs/STATE/NAME, where NAME is that of the file, and STATE tells which file it is and what it is like: files of
/// one name in two folders are two mounts, as is a file before and after something was written to it. Older mounts of it end.
fn directory(file: &Path, source: &Source) -> Result<PathBuf, Failure> {
    let Some(runtime) = env::var_os("XDG_RUNTIME_DIR").filter(|path| !path.is_empty()) else {
        return Err(Failure::new(
            Exit::MountFailed,
            format!(
                "XDG_RUNTIME_DIR is not set, as it is in a desktop session; mount it with: ostfs mount {} DIR",
                quoted(file)
            ),
        ));
    };
    let all = Path::new(&runtime).join("ostfs");
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&all);
    let identity = fs::metadata(file).map(|metadata| (metadata.dev(), metadata.ino()));
    let failed = |error: io::Error| {
        Failure::new(
            Exit::MountFailed,
            format!("{}: {error}; check that it can be written to", shown(&all)),
        )
    };
    made.map_err(failed)?;
    let (device, inode) = identity.map_err(failed)?;
    let key = format!("{device:x}-{inode:x}-");
    let state = Sha256::digest(source.identity());
    let state = state.iter().take(STATE).map(|byte| format!("{byte:02x}"));
    let parent = all.join(key.clone() + &state.collect::<String>());
    end_others(&all, &key, &parent);
    let made = DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&parent);
    made.map_err(failed)?;
    Ok(parent.join(file.file_name().unwrap_or(OsStr::new("mail"))))
}

/// Ends the mounts below `all` of a file with this `key`, but for those in `present`: what they show is no more, and reads of it
/// fail.
fn end_others(all: &Path, key: &str, present: &Path) {
    let within = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten();
    for other in within(all) {
        let is_of_it = other
            .file_name()
            .as_encoded_bytes()
            .starts_with(key.as_bytes());
        let other = other.path();
        if !is_of_it || other == present {
            continue;
        }
        for mountpoint in within(&other) {
            // Who still reads there keeps it until he is done; it would end by itself later, too.
            fuse::unmount(&mountpoint.path(), true).ok();
        }
        fs::remove_dir(&other).ok();
    }
}

/// Whether another file system begins at `path`, or one whose process has died, which `mount` then states.
fn is_mounted(path: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).map(|metadata| metadata.dev());
    match (device(path), path.parent().map(device)) {
        (Ok(own), Some(Ok(above))) => own != above,
        _ => false,
    }
}

/// Mounts `file` by the command that a user would type.
fn mount(file: &Path, directory: &Path) -> Result<(), Failure> {
    let failed = |why: String| Failure::new(Exit::MountFailed, format!("{}: {why}", shown(file)));
    let program = env::current_exe().map_err(|error| failed(error.to_string()))?;
    let output = Command::new(program)
        .args(["mount", "--quiet", "--idle-timeout", IDLE_TIMEOUT, "--"])
        .arg(file)
        // With a slash at its end, which tells that it is no file.
        .arg(directory.join(""))
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim().trim_start_matches("ostfs: ");
    Err(Failure::new(Exit::MountFailed, said))
}
