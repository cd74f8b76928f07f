//! Why a mount or an unmount did not work, each in one line that names the next step.
#![forbid(unsafe_code)]

use std::io;
use std::path::{Path, PathBuf};

use crate::output::{quoted, shown};

/// Why the tree could not be mounted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MountError {
    /// The mount point does not exist.
    #[error("mount point {} does not exist; create it with: mkdir -p {}", shown(.0), quoted(.0))]
    Missing(PathBuf),
    /// The mount point is no directory.
    #[error("mount point {} is not a directory; the last argument is MOUNTPOINT: name an empty directory, or a new one, behind the files", shown(.0))]
    NotADirectory(PathBuf),
    /// The mount point has files of its own, which a mount would hide.
    #[error(
        "mount point {} is not empty; choose an empty directory, or hide what is in it with: -o nonempty", shown(.0)
    )]
    NotEmpty(PathBuf),
    /// Another ostfs is mounted there.
    #[error(
        "{} is already mounted (it shows {}); unmount it first with: ostfs unmount {}",
        shown(.path), shown(Path::new(.file)), quoted(.path)
    )]
    AlreadyMounted {
        /// The mount point.
        path: PathBuf,
        /// What is mounted there.
        file: String,
    },
    /// The process behind a FUSE mount has died and left it behind.
    #[error(
        "{} is a dead mount (its process was killed); clean it up with: ostfs unmount {}", shown(.0), quoted(.0)
    )]
    Stale(PathBuf),
    /// The mount point cannot be looked at.
    #[error("cannot use mount point {}: {source}; choose a directory that you own", shown(.path))]
    Unusable {
        /// The mount point.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no /dev/fuse, or nothing behind it.
    #[error(
        "/dev/fuse is missing; load it with: modprobe fuse (in a container: start it with --device /dev/fuse \
         --cap-add SYS_ADMIN). `ostfs export` writes the same files and needs no FUSE"
    )]
    NoDevice,
    /// The user may not open /dev/fuse.
    #[error(
        "no permission to open /dev/fuse; let everyone mount with: sudo chmod 666 /dev/fuse, or run ostfs as root. \
         `ostfs export` writes the same files and needs no FUSE"
    )]
    DevicePermission,
    /// Only root mounts without the setuid helper.
    #[error(
        "fusermount3 is not installed, and only root can mount without it; install the package fuse3. \
         `ostfs export` writes the same files and needs no FUSE"
    )]
    NoHelper,
    /// The system refuses mounts altogether.
    #[error(
        "the system does not permit mounting; in a container, start it with --device /dev/fuse --cap-add SYS_ADMIN, \
         elsewhere check that fusermount3 is setuid root. `ostfs export` writes the same files and needs no FUSE"
    )]
    NotPermitted,
    /// An ordinary user asked for `allow_other` or `allow_root`.
    #[error(
        "allow_other and allow_root are for root alone here; permit them to all users by the line \
         \"user_allow_other\" in /etc/fuse.conf, or mount as root"
    )]
    AllowOther,
    /// fusermount3 lets users mount only where they may write.
    #[error("you may not write to mount point {}; choose a directory that you own", shown(.0))]
    NotWritable(PathBuf),
    /// Anything else, in the words of the system or of fusermount3.
    #[error("cannot mount on {}: {reason}. `ostfs export` writes the same files and needs no FUSE", shown(.path))]
    Failed {
        /// The mount point.
        path: PathBuf,
        /// What was said.
        reason: String,
    },
}

/// Why a mount could not be ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnmountError {
    /// Nothing of ours is mounted there.
    #[error("{} is not an ostfs mount; list them with: findmnt -t fuse.ostfs", shown(.0))]
    NotMounted(PathBuf),
    /// A program has a file open or its working directory there.
    #[error(
        "{} is in use (see: fuser -vm {}); leave it and try again, or detach it with: ostfs unmount --lazy {}",
        shown(.0), quoted(.0), quoted(.0)
    )]
    Busy(PathBuf),
    /// Somebody else has mounted it.
    #[error(
        "{} was mounted by another user; end it as that user, or with: sudo ostfs unmount {}", shown(.0), quoted(.0)
    )]
    NotYours(PathBuf),
    /// Only root unmounts without the setuid helper.
    #[error(
        "fusermount3 is not installed, and only root can unmount without it; install the package fuse3, or end it with: \
         sudo ostfs unmount {}", quoted(.0)
    )]
    NoHelper(PathBuf),
    /// Anything else, in the words of the system or of fusermount3.
    #[error("cannot unmount {}: {reason}; try it as root: sudo ostfs unmount {}", shown(.path), quoted(.path))]
    Failed {
        /// The mount point.
        path: PathBuf,
        /// What was said.
        reason: String,
    },
}
