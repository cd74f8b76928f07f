//! `ostfs mount FILE... [MOUNTPOINT]`.
//!
//! A mount is made before its file is read, since mounting takes rights that are given up first. The process forks and
//! keeps the terminal until all is read, then lets the caller go. If no file can be read, or a signal comes meanwhile, the
//! guard unmounts, and the exit code is that of the child. Of several files, one that cannot be read is not there, and the
//! exit code tells. Until then programs wait that look at the mount.
#![forbid(unsafe_code)]

use std::env;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::arguments::MountArguments;
use super::exit::Exit;
use super::guard::Guard;
use super::options::{Options, Switch, Writer};
use super::pdf_readers::PdfReaders;
use super::progress::processors;
use super::report::{self, Failure};
use super::source::{self, New, Sources};
use super::word_indexes::WordIndexes;
use super::{kept, logging, progress};
use crate::fuse::process::Caller;
use crate::fuse::{self, Access, MountError, Mountpoint, Session};
use crate::ndb;
use crate::output::{quoted, shown};
use crate::sandbox::{self, Need};
use crate::search::Finder;
use crate::tree::{self, Forest, Progress, SizeCache};

/// Mounts and serves until the mount ends. Whatever can go wrong is found before the shell gets its prompt back.
///
/// What the files hold is looked at in the sandbox alone. So the mount comes first, as it takes rights that are given up
/// there; until the files are read, programs that look at it wait, and if they cannot be read, it goes again.
pub(super) fn run(arguments: &MountArguments, writer: Writer) -> Result<(), Failure> {
    let inherited = fuse::process::open_files();
    let options = options(arguments, writer)?;
    let (files, directory) = files_and_directory(&arguments.paths)?;
    let sources = Sources::open(files)?;
    let kept = Kept::open(&sources, &options)?;
    let mut mountpoint =
        match Mountpoint::check(&directory, options.nonempty, writer == Writer::User) {
            Ok(mountpoint) => mountpoint,
            // Beside an archive may lie what was unpacked from it, under the name of the mount point that nobody has typed.
            Err(error) if is_alone_and_no_data_file(&arguments.paths) => {
                return Err(not_mounted(error, sources, &options));
            }
            Err(error) => return Err(error.into()),
        };
    mountpoint.make()?;
    let signal = caught().map_err(failed)?;
    let session = match Session::mount(files, &mountpoint, &options.mount) {
        Ok(session) => session,
        Err(error) => {
            drop(mountpoint);
            return Err(not_mounted(error, sources, &options));
        }
    };
    let in_background = !arguments.foreground && !arguments.verbosity.debug;
    let mut caller = None;
    if in_background {
        caller = Some(Caller::fork(&inherited).map_err(failed)?);
        logging::prepare_background();
    }
    let redact = options.mount.redact;
    let guard = Guard::start(session.mounted(), mountpoint.made(), redact).map_err(failed)?;
    let guard = Arc::new(guard);
    let name = guard.loggable(&shown(mountpoint.path()));
    let opening = Arc::new(Opening {
        guard: Arc::clone(&guard),
        signal,
    });
    let readers = options.tree.search.then(|| PdfReaders::start(processors()));
    // Everything is open by now, and there is one thread.
    enter(&options);
    let progress = || Opening::progress(&opening);
    let (forest, lost) = match sources.forest_with(&options.tree, progress) {
        Ok(opened) => opened,
        Err(failure) => {
            guard.give_up();
            session.abandon();
            return Err(failure);
        }
    };
    drop(opening);
    kept.hand_to(&forest, &options.tree, readers.flatten());
    let mut lost = lost.end(Ok(()));
    if let Some(caller) = caller {
        let exit = tell(std::mem::replace(&mut lost, Ok(())));
        if writer == Writer::User && !arguments.verbosity.quiet {
            say_where(mountpoint.path(), &options.mount);
        }
        logging::to_background();
        caller.dismiss(exit as u8).map_err(failed)?;
    }
    log::info!("{name}: mounted");
    let ended = session.serve(forest, Arc::clone(&guard));
    // After an error the mount may still be there, dead as soon as this process is gone.
    if ended.is_ok() {
        guard.dismiss();
        log::info!("{name}: unmounted");
    }
    let ended = ended.map_err(failed);
    if let (Err(failure), true) = (&ended, in_background) {
        log::error!("{name}: {}", failure.message);
    }
    ended.and(lost)
}

fn options(arguments: &MountArguments, writer: Writer) -> Result<Options, Failure> {
    let mut options = match writer {
        Writer::User => Options::of_user(&[], &arguments.options, &arguments.names)?,
        writer => Options::parse(&arguments.options, writer)?.with_names(&arguments.names)?,
    };
    options.mount.idle_timeout = arguments.idle_timeout.or(options.mount.idle_timeout);
    Ok(options)
}

/// What outlives a mount, for each source. It is opened before the process leaves the directory from which paths start.
struct Kept {
    sizes: Vec<Option<SizeCache>>,
    indexes: WordIndexes,
}

impl Kept {
    /// What `options` ask for.
    fn open(sources: &Sources<'_>, options: &Options) -> Result<Self, Failure> {
        let index = options.index.as_deref();
        Ok(Self {
            indexes: WordIndexes::open("-o index=", index, sources, &options.tree)?,
            sizes: match options.size_cache {
                true => kept::size_caches(sources, &options.tree),
                false => Vec::new(),
            },
        })
    }

    /// Has `forest`, which the sources were made into, use it.
    fn hand_to(self, forest: &Forest, options: &tree::Options, readers: Option<PdfReaders>) {
        forest.keep_sizes(self.sizes);
        if options.search {
            forest.search_with(Box::new(Finder {
                now: Timestamp::now().to_zoned(options.zone.clone()),
                threads: processors(),
                pdf: readers.map(|readers| Box::new(readers) as _),
                indexes: self.indexes.of_forest(forest),
            }));
        }
    }
}

/// Tells whoever typed it which files could not be opened; returns the exit code that he gets.
fn tell(lost: Result<(), Failure>) -> Exit {
    match lost {
        Ok(()) => Exit::Success,
        Err(failure) => {
            super::report(&failure);
            failure.exit
        }
    }
}

/// Tells the user where his mail is, how to end the mount, and under sudo, that he may not look at it.
fn say_where(mountpoint: &Path, options: &fuse::Options) {
    let name = match options.redact {
        true => "MOUNTPOINT".to_owned(),
        false => quoted(mountpoint),
    };
    report::say(format!(
        "mounted on {name}; end it with: ostfs unmount {name}"
    ));
    let is_root = rustix::process::geteuid().is_root();
    let user = env::var("SUDO_USER").ok().filter(|user| user != "root");
    if let (true, Some(user), false) = (is_root, user, options.access == Access::Everyone) {
        report::error(format!(
            "only root may look at {name}: mount it without sudo, or with: -o allow_other,uid={user},umask=077"
        ));
    }
}

fn failed(error: io::Error) -> Failure {
    Failure::new(Exit::MountFailed, format!("the mount failed: {error}"))
}

fn enter(options: &Options) {
    if options.sandbox == Switch::On {
        sandbox::enter(Need::OpenFiles);
    }
}

/// Why nothing is mounted: that the files cannot be read is the better reason, as another machine would not help.
fn not_mounted(error: MountError, sources: Sources<'_>, options: &Options) -> Failure {
    enter(options);
    let forest = sources.forest(&options.tree);
    forest.err().unwrap_or_else(|| error.into())
}

/// The time between mount and service, which takes long if a damaged file is scanned. A signal that comes meanwhile ends
/// the mount and the process.
struct Opening {
    guard: Arc<Guard>,
    signal: Arc<AtomicBool>,
}

/// Whether a signal has come to end the mount, from now on: one that comes before it is there must not be lost.
fn caught() -> io::Result<Arc<AtomicBool>> {
    let signal = Arc::<AtomicBool>::default();
    for number in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(number, Arc::clone(&signal))?;
    }
    Ok(signal)
}

impl Opening {
    /// Shows how far a scan is, and looks for a signal until `opening` is over.
    fn progress(opening: &Arc<Self>) -> Box<Progress> {
        let (opening, show) = (Arc::downgrade(opening), progress::scan());
        Box::new(move |done, total| {
            show(done, total);
            if let Some(opening) = opening.upgrade()
                && opening.signal.load(Ordering::Relaxed)
            {
                opening.guard.give_up();
                process::exit(Exit::MountFailed as i32);
            }
        })
    }
}

/// The last path is the mount point, unless it is the only one: then that is named as the file, without extension.
fn files_and_directory(paths: &[PathBuf]) -> Result<(&[PathBuf], PathBuf), Failure> {
    match paths {
        [file] => {
            let name = file.file_stem().unwrap_or(OsStr::new("mail"));
            // A file without an extension has the name already.
            if Path::new(name) == file {
                source::open(file)?;
                return Err(Failure::new(
                    Exit::Usage,
                    format!("{}: give the directory to mount on, too", shown(file)),
                ));
            }
            Ok((paths, PathBuf::from(name)))
        }
        [other, file] if is_mistaken(other, file) => {
            let [other, file] = [quoted(other), quoted(file)];
            let reason = format!("MOUNTPOINT comes last: ostfs mount {file} {other}");
            Err(Failure::new(Exit::Usage, reason))
        }
        [files @ .., directory] => {
            source::refuse_missing(directory, New::Directory)?;
            Ok((files, directory.clone()))
        }
        [] => Err(Failure::new(Exit::Usage, "give a file")),
    }
}

/// Whether a mount point, `first`, stands where the file should, and the file behind it.
fn is_mistaken(first: &Path, last: &Path) -> bool {
    let is_mountpoint = first.is_dir() || !first.exists() && !source::is_named_so(first);
    is_mountpoint && ndb::is_data_file(last)
}

/// Whether `paths` are but one, and no data file by how it begins.
fn is_alone_and_no_data_file(paths: &[PathBuf]) -> bool {
    matches!(paths, [file] if !ndb::is_data_file(file))
}
