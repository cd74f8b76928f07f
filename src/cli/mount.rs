//! `ostfs mount FILE MOUNTPOINT`.
#![forbid(unsafe_code)]

use std::io;
use std::sync::Arc;

use super::exit::Exit;
use super::guard::Guard;
use super::options::{Options, Writer};
use super::report::Failure;
use super::{MountArguments, logging, progress, source};
use crate::fuse::{self, Mountpoint, Session};
use crate::tree::Tree;

/// Mounts and serves until the mount ends. Whatever can go wrong is found before the shell gets its prompt back.
pub(super) fn run(arguments: &MountArguments, writer: Writer) -> Result<(), Failure> {
    let inherited = fuse::process::open_files();
    let options = Options::parse(&arguments.options, writer)?;
    source::check(&arguments.file)?;
    let mountpoint = Mountpoint::check(&arguments.mountpoint, options.nonempty)?;
    let tree = Tree::open_with(&arguments.file, &options.tree, progress::scan())
        .map_err(|error| Failure::opening(&arguments.file, &error))?;
    let session = Session::mount(tree, &arguments.file, &mountpoint, &options.mount)?;
    let failed =
        |error: io::Error| Failure::new(Exit::MountFailed, format!("the mount failed: {error}"));
    let mut caller = None;
    if !arguments.foreground {
        caller = Some(fuse::process::daemonize(&inherited).map_err(failed)?);
        logging::to_background();
    }
    let guard = Arc::new(Guard::start(session.mounted()).map_err(failed)?);
    if let Some(caller) = caller {
        caller.dismiss();
    }
    let unmounter = Arc::clone(&guard);
    let ended = session.serve(move || unmounter.unmount());
    // After an error the mount may still be there, dead as soon as this process is gone.
    if ended.is_ok() {
        guard.dismiss();
    }
    let ended = ended.map_err(failed);
    if let (Err(failure), false) = (&ended, arguments.foreground) {
        log::error!("{}: {}", mountpoint.path().display(), failure.message);
    }
    ended
}
