//! The life of a mount: set up, served by several threads, ended by a signal or an unmount.
#![forbid(unsafe_code)]

use std::fs::OpenOptions;
use std::io;
use std::mem::{self, ManuallyDrop};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use fuser::{Config, INodeNo, MountOption, SessionACL};
use rustix::process::{getegid, geteuid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::activity::Activity;
use super::adapter::Adapter;
use super::ahead::Ahead;
use super::behaviour::Behaviour;
use super::error::MountError;
use super::mountpoint::{self, Mounted, Mountpoint, source_name};
use super::options::{Access, Options};
use super::ownership::Ownership;
use super::{panics, process};
use crate::tree::Forest;

/// A mount in which nothing is served yet: programs that look at it wait.
#[derive(Debug)]
pub struct Session {
    session: fuser::Session<Adapter>,
    mounted: Mounted,
    /// Caught from before the mount on, so that no signal can leave a dead one behind.
    signals: Signals,
    /// Names that the kernel is to look up anew.
    replaced: Receiver<(INodeNo, String)>,
    forest: Arc<OnceLock<Forest>>,
    ahead: Arc<Ahead>,
    activity: Arc<Activity>,
    idle_timeout: Option<Duration>,
}

/// Who ends the mount when it is time: another process perhaps.
pub trait Ender: Send + Sync + 'static {
    /// Ends it; one that is in use is detached.
    fn unmount(&self);

    /// Ends it unless it is in use; whether it has ended.
    fn unmount_if_unused(&self) -> bool;
}

/// The process that serves the mount ends it itself.
impl Ender for Mounted {
    fn unmount(&self) {
        if let Err(error) = self.end() {
            log::warn!("{error}");
        }
    }

    fn unmount_if_unused(&self) -> bool {
        self.end_if_unused().unwrap_or(false)
    }
}

/// Threads that answer requests: enough that one slow read does not stall the others, few enough to stay small.
const THREADS: std::ops::RangeInclusive<usize> = 2..=8;
/// Threads that work ahead at the most; one core is left to whoever asks.
const MAX_AHEAD: usize = 4;

impl Session {
    /// Mounts what the files `sources` will turn out to hold. No thread runs yet, so the process may still fork.
    pub fn mount(
        sources: &[PathBuf],
        mountpoint: &Mountpoint,
        options: &Options,
    ) -> Result<Self, MountError> {
        check_device()?;
        let mountpoint = mountpoint.path().to_path_buf();
        let failed = |error: io::Error| explain(&error, &mountpoint);
        let signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(failed)?;
        let (sender, replaced) = channel();
        let (forest, ahead) = (Arc::<OnceLock<Forest>>::default(), Arc::<Ahead>::default());
        let activity = Arc::new(Activity::new());
        let adapter = Adapter::new(
            Arc::clone(&forest),
            Arc::clone(&ahead),
            Ownership {
                uid: options.uid.unwrap_or_else(|| geteuid().as_raw()),
                gid: options.gid.unwrap_or_else(|| getegid().as_raw()),
                file_mode: options.file_mode,
                directory_mode: options.directory_mode,
            },
            sender,
            Behaviour::new(options),
            Arc::clone(&activity),
        );
        let session =
            fuser::Session::new(adapter, &mountpoint, &config(sources, options)).map_err(failed)?;
        Ok(Self {
            session,
            mounted: Mounted::at(mountpoint),
            signals,
            replaced,
            forest,
            ahead,
            activity,
            idle_timeout: options.idle_timeout,
        })
    }

    /// Where the tree is mounted, for whoever ends the mount.
    pub fn mounted(&self) -> &Mounted {
        &self.mounted
    }

    /// Leaves the mount to whoever has unmounted it.
    pub fn abandon(self) {
        // Dropped, fuser would unmount the path once more, by when someone else's mount may lie there.
        mem::forget(self.session);
    }

    /// Answers requests out of `forest` until the mount is ended: by an unmount from outside, by lack of use, or by SIGINT, SIGTERM or
    /// SIGHUP, the first of which asks `ender`; a second one ends the process.
    pub fn serve(self, forest: Forest, ender: Arc<impl Ender>) -> io::Result<()> {
        // A session is served once, so this is the first forest.
        self.forest.set(forest).ok();
        let Self {
            session,
            mounted: _,
            mut signals,
            replaced,
            forest,
            ahead,
            activity,
            idle_timeout,
        } = self;
        panics::install_hook();
        process::share_heap();
        // fuser 0.18 unmounts the path again when this is dropped, by when someone else's mount may lie there.
        let nothing = thread::Builder::new().spawn(|| Ok(()))?;
        let mut background = ManuallyDrop::new(session.spawn()?);
        let requests = mem::replace(&mut background.guard, nothing);
        let notifier = background.notifier();
        thread::Builder::new()
            .name("notifier".to_owned())
            .spawn(move || {
                // In a thread of its own: the kernel may wait for a request that is being answered.
                for (directory, name) in replaced {
                    // Fails for what the kernel has forgotten already.
                    notifier.inval_entry(directory, name.as_ref()).ok();
                }
            })?;
        if let Some(timeout) = idle_timeout {
            let ender = Arc::clone(&ender);
            thread::Builder::new()
                .name("idle".to_owned())
                .spawn(move || {
                    activity.watch(timeout, || ender.unmount_if_unused());
                    log::info!("not used for {timeout:?}: unmounted");
                })?;
        }
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                let mut ending = false;
                for signal in signals.forever() {
                    if mem::replace(&mut ending, true) {
                        std::process::exit(128 + signal);
                    }
                    ender.unmount();
                }
            })?;
        for _ in 0..cores().saturating_sub(1).min(MAX_AHEAD) {
            let (forest, ahead) = (Arc::clone(&forest), Arc::clone(&ahead));
            thread::Builder::new()
                .name("ahead".to_owned())
                .spawn(move || forest.get().map(|forest| ahead.work(forest)))?;
        }
        requests
            .join()
            .map_err(|_| io::Error::other("a thread that answers requests panicked"))?
    }
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Tells early and clearly when there is no FUSE here.
fn check_device() -> Result<(), MountError> {
    match OpenOptions::new().read(true).write(true).open("/dev/fuse") {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.raw_os_error() {
            Some(libc::EACCES) => MountError::DevicePermission,
            Some(libc::EPERM) => MountError::NotPermitted,
            _ => MountError::NoDevice,
        }),
    }
}

fn config(sources: &[PathBuf], options: &Options) -> Config {
    let source = match (&options.fsname, sources) {
        (Some(name), _) => source_name(name.as_ref()),
        (None, [first, others @ ..]) => {
            let first = source_name(mountpoint::resolve(first).as_os_str());
            match others.len() {
                0 => first,
                others => format!("{first} and {others} more"),
            }
        }
        (None, []) => String::new(),
    };
    let mut config = Config::default();
    config.mount_options = vec![
        MountOption::FSName(source),
        // `MountOption::Subtype` is lost when root mounts.
        MountOption::CUSTOM("subtype=ostfs".to_owned()),
        MountOption::RO,
        MountOption::NoSuid,
        MountOption::NoDev,
        MountOption::NoExec,
        MountOption::NoAtime,
    ];
    if options.default_permissions || options.access != Access::Owner {
        config.mount_options.push(MountOption::DefaultPermissions);
    }
    config.acl = match options.access {
        Access::Owner => SessionACL::Owner,
        Access::Root => SessionACL::RootAndOwner,
        Access::Everyone => SessionACL::All,
    };
    config.n_threads = Some(cores().clamp(*THREADS.start(), *THREADS.end()));
    // One /dev/fuse for all threads: another one each is no faster, and would have to be opened in the sandbox.
    config.clone_fd = false;
    config
}

/// What a failed mount means; `fuser` hands on what fusermount3 printed.
fn explain(error: &io::Error, mountpoint: &Path) -> MountError {
    let reason = error.to_string();
    let no_helper = error.kind() == io::ErrorKind::NotFound && mountpoint::helper().is_none();
    if no_helper && !geteuid().is_root() {
        MountError::NoHelper
    } else if no_helper || reason.contains("Operation not permitted") {
        MountError::NotPermitted
    } else if reason.contains("user_allow_other") {
        MountError::AllowOther
    } else if reason.contains("no write access to mountpoint") {
        MountError::NotWritable(mountpoint.to_path_buf())
    } else {
        MountError::Failed {
            path: mountpoint.to_path_buf(),
            reason: reason.trim().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_fusermount_are_understood() {
        let explained = |text: &str| explain(&io::Error::other(text.to_owned()), Path::new("/mnt"));
        assert!(matches!(
            explained(
                "fusermount3: option allow_other only allowed if 'user_allow_other' is set in /etc/fuse.conf\n"
            ),
            MountError::AllowOther
        ));
        assert!(matches!(
            explained("fusermount3: user has no write access to mountpoint /mnt\n"),
            MountError::NotWritable(_)
        ));
        assert!(matches!(
            explained("fusermount3: mount failed: Operation not permitted\n"),
            MountError::NotPermitted
        ));
        assert!(matches!(
            explained("fusermount3: too many FUSE filesystems mounted\n"),
            MountError::Failed { reason, .. } if reason == "fusermount3: too many FUSE filesystems mounted"
        ));
    }

    #[test]
    fn mounts_are_read_only_and_harmless() {
        let config = config(&["/nowhere/mail.ost".into()], &Options::default());
        for option in [
            MountOption::RO,
            MountOption::NoSuid,
            MountOption::NoDev,
            MountOption::NoExec,
            MountOption::NoAtime,
            MountOption::FSName("/nowhere/mail.ost".to_owned()),
        ] {
            assert!(config.mount_options.contains(&option), "{option:?}");
        }
        assert_eq!(config.acl, SessionACL::Owner);
    }

    #[test]
    fn others_are_let_in_only_with_the_kernel_checking_permissions() {
        for access in [Access::Root, Access::Everyone] {
            let options = Options {
                access,
                ..Options::default()
            };
            let config = config(&["mail.ost".into()], &options);
            assert!(
                config
                    .mount_options
                    .contains(&MountOption::DefaultPermissions)
            );
        }
    }
}
