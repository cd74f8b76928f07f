//! `ostfs mount FILE... [MOUNTPOINT]`.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::exit::Exit;
use super::guard::Guard;
use super::options::{Options, Switch, Writer};
use super::report::Failure;
use super::{MountArguments, logging, source};
use crate::fuse::{self, Mountpoint, Session};
use crate::sandbox::{self, Need};

/// Mounts and serves until the mount ends. Whatever can go wrong is found before the shell gets its prompt back.
pub(super) fn run(arguments: &MountArguments, writer: Writer) -> Result<(), Failure> {
    let inherited = fuse::process::open_files();
    let mut options = Options::parse(&arguments.options, writer)?.with_names(&arguments.names)?;
    options.mount.idle_timeout = arguments.idle_timeout.or(options.mount.idle_timeout);
    let (files, directory) = files_and_directory(&arguments.paths)?;
    // What is told at once must not wait for the scan of a damaged file.
    let sources = source::open_all(files)?;
    let mut mountpoint = Mountpoint::check(&directory, options.nonempty, writer == Writer::User)?;
    let forest = source::forest(files, sources, &options.tree)?;
    mountpoint.make()?;
    let session = Session::mount(forest, files, &mountpoint, &options.mount)?;
    let failed =
        |error: io::Error| Failure::new(Exit::MountFailed, format!("the mount failed: {error}"));
    let mut caller = None;
    let in_background = !arguments.foreground && !arguments.verbosity.debug;
    if in_background {
        caller = Some(fuse::process::daemonize(&inherited).map_err(failed)?);
        logging::to_background();
    }
    let redact = options.mount.redact;
    let guard = Guard::start(session.mounted(), mountpoint.made(), redact).map_err(failed)?;
    let guard = Arc::new(guard);
    let name = guard.loggable(&mountpoint.path().display().to_string());
    log::info!("{name}: mounted");
    // Everything is open by now, and there is one thread.
    if options.sandbox == Switch::On {
        sandbox::enter(Need::OpenFiles);
    }
    if let Some(caller) = caller {
        caller.dismiss();
    }
    let ended = session.serve(Arc::clone(&guard));
    // After an error the mount may still be there, dead as soon as this process is gone.
    if ended.is_ok() {
        guard.dismiss();
        log::info!("{name}: unmounted");
    }
    let ended = ended.map_err(failed);
    if let (Err(failure), true) = (&ended, in_background) {
        log::error!("{name}: {}", failure.message);
    }
    ended
}

/// The last path is the mount point, unless it is the only one: then that is named as the file, without extension.
fn files_and_directory(paths: &[PathBuf]) -> Result<(&[PathBuf], PathBuf), Failure> {
    match paths {
        [file] => {
            let name = file.file_stem().unwrap_or(OsStr::new("mail"));
            // A file without an extension has the name already.
            if Path::new(name) == file {
                return Err(Failure::new(
                    Exit::Usage,
                    format!("{}: give the directory to mount on, too", file.display()),
                ));
            }
            Ok((paths, PathBuf::from(name)))
        }
        [files @ .., directory] => Ok((files, directory.clone())),
        [] => Err(Failure::new(Exit::Usage, "give a file")),
    }
}
