//! `ostfs open FILE`: what a double click in a file manager does. Mounts below the user's runtime directory, and has the
//! desktop open the folder.
#![forbid(unsafe_code)]

use std::env;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::arguments::OpenArguments;
use super::exit::Exit;
use super::report::Failure;
use super::source;

/// Nobody unmounts what a file manager has opened.
const IDLE_TIMEOUT: &str = "10m";
/// Program of the desktop that opens a folder. xdg-utils
const OPENER: &str = "xdg-open";

/// Mounts, unless that was done before, and opens the folder.
pub(super) fn run(arguments: &OpenArguments) -> Result<(), Failure> {
    let file = arguments.file.as_path();
    // What keeps it from being mounted is told before a directory is made.
    drop(source::open(file)?);
    let directory = directory(file)?;
    if !is_mounted(&directory) {
        mount(file, &directory)?;
    }
    let opened = Command::new(OPENER).arg(&directory).status();
    match opened {
        Ok(status) if status.success() => Ok(()),
        _ => Err(Failure::new(
            Exit::Failure,
            format!(
                "mounted on {}, but {OPENER} could not open it; install the package xdg-utils, or look there yourself",
                directory.display()
            ),
        )),
    }
}

/// $XDG_RUNTIME_DIR/ostfs/NAME, where NAME is that of the file with its device and inode number: files of one name in two
/// folders are two mounts.
fn directory(file: &Path) -> Result<PathBuf, Failure> {
    let Some(runtime) = env::var_os("XDG_RUNTIME_DIR").filter(|path| !path.is_empty()) else {
        return Err(Failure::new(
            Exit::MountFailed,
            format!(
                "XDG_RUNTIME_DIR is not set, as it is in a desktop session; mount it with: ostfs mount {} DIR",
                crate::fuse::quoted(file)
            ),
        ));
    };
    let all = Path::new(&runtime).join("ostfs");
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&all);
    let identity = fs::metadata(file).map(|metadata| (metadata.dev(), metadata.ino()));
    let failed = |error: io::Error| {
        Failure::new(
            Exit::MountFailed,
            format!(
                "{}: {error}; check that it can be written to",
                all.display()
            ),
        )
    };
    made.map_err(failed)?;
    let (device, inode) = identity.map_err(failed)?;
    let parent = all.join(format!("{device:x}-{inode:x}"));
    let made = DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&parent);
    made.map_err(failed)?;
    Ok(parent.join(file.file_name().unwrap_or(OsStr::new("mail"))))
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
    let failed =
        |why: String| Failure::new(Exit::MountFailed, format!("{}: {why}", file.display()));
    let program = env::current_exe().map_err(|error| failed(error.to_string()))?;
    let output = Command::new(program)
        .args(["mount", "--quiet", "--idle-timeout", IDLE_TIMEOUT, "--"])
        .args([file, directory])
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim().trim_start_matches("ostfs: ");
    Err(Failure::new(Exit::MountFailed, said))
}
