//! Mount points: whether one can be used, what is mounted there, and unmounting it.
//!
//! One that ostfs made goes with the mount: by rmdir(2), which removes no directory with files in it, and by device and
//! inode number, so that another one in its place stays. After a kill the guard removes it.
#![forbid(unsafe_code)]

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::{MountError, UnmountError};
use super::process;

/// Type of our mounts in the kernel's table.
const FILESYSTEM_TYPE: &str = "fuse.ostfs";
/// The kernel's table of the mounts that this process sees.
const MOUNT_TABLE: &str = "/proc/self/mountinfo";

/// A directory that can be mounted on, or can be made for it.
///
/// One that [`Mountpoint::make`] has made is removed again when this is dropped.
#[derive(Debug, PartialEq, Eq)]
pub struct Mountpoint {
    path: PathBuf,
    is_there: bool,
    made: Option<Made>,
}

/// A directory that was made to be mounted on, or written into: what distinguishes it from one that others put in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    device: u64,
    inode: u64,
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.device, self.inode)
    }
}

impl Made {
    /// The one that was printed so.
    pub fn parse(text: &str) -> Option<Self> {
        let (device, inode) = text.split_once(':')?;
        Some(Self {
            device: device.parse().ok()?,
            inode: inode.parse().ok()?,
        })
    }

    /// The directory at `path`, which was just made.
    pub fn at(path: &Path) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(path)?;
        Ok(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }

    /// Removes the directory, if it is still the one at `path`, and empty: the system sees to that.
    pub fn remove(self, path: &Path) {
        if Self::at(path).is_ok_and(|present| present == self) {
            // What is not empty, or under another mount by now, stays.
            fs::remove_dir(path).ok();
        }
    }
}

impl Drop for Mountpoint {
    fn drop(&mut self) {
        if let Some(made) = self.made {
            made.remove(&self.path);
        }
    }
}

impl Mountpoint {
    /// Checks that `path` is a directory, empty unless `nonempty`, on which neither a dead FUSE mount nor another
    /// ostfs lies; or, with `may_be_made`, that there is nothing, but a directory to make it in.
    pub fn check(path: &Path, nonempty: bool, may_be_made: bool) -> Result<Self, MountError> {
        let path = resolve(path);
        let is_missing = || {
            let gone = |error: io::Error| error.kind() == io::ErrorKind::NotFound;
            fs::symlink_metadata(&path).is_err_and(gone) && path.parent().is_some_and(Path::is_dir)
        };
        if may_be_made && is_missing() {
            return Ok(Self {
                path,
                is_there: false,
                made: None,
            });
        }
        if let Some(mount) = mounted_at(&path) {
            if is_dead(&path) {
                return Err(MountError::Stale(path));
            }
            if mount.kind == FILESYSTEM_TYPE {
                let file = mount.source.to_string_lossy().into_owned();
                return Err(MountError::AlreadyMounted { path, file });
            }
        }
        let mut entries = fs::read_dir(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => MountError::Missing(path.clone()),
            io::ErrorKind::NotADirectory => MountError::NotADirectory(path.clone()),
            _ => MountError::Unusable {
                path: path.clone(),
                source,
            },
        })?;
        if !nonempty && entries.next().is_some() {
            return Err(MountError::NotEmpty(path));
        }
        Ok(Self {
            path,
            is_there: true,
            made: None,
        })
    }

    /// Makes the directory, unless it is there.
    pub fn make(&mut self) -> Result<(), MountError> {
        if self.is_there {
            return Ok(());
        }
        let made = fs::create_dir(&self.path).and_then(|()| Made::at(&self.path));
        self.made = Some(made.map_err(|source| MountError::Unusable {
            path: self.path.clone(),
            source,
        })?);
        Ok(())
    }

    /// Its absolute path, free of symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What [`Mountpoint::make`] has made, if anything.
    pub fn made(&self) -> Option<Made> {
        self.made
    }
}

/// A mount of ours, distinguished from one that someone else puts in its place later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mounted {
    path: PathBuf,
    /// Number of its filesystem; None where there is no table of mounts.
    device: Option<String>,
}

/// How a mount came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Nobody sees it any more.
    Unmounted,
    /// It is out of the tree of names, and lives on until the last program leaves it.
    Detached,
}

impl Mounted {
    /// What is mounted at `path`, which must be absolute and free of symbolic links.
    pub fn at(path: PathBuf) -> Self {
        Self {
            device: mounted_at(&path).map(|mount| mount.device),
            path,
        }
    }

    /// The mount point.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Ends the mount: politely, else by detaching it. What else may lie there by now stays.
    pub fn end(&self) -> Result<Ended, UnmountError> {
        if mounted_at(&self.path).map(|mount| mount.device) != self.device {
            return Ok(Ended::Detached);
        }
        unmount_or_detach(self.path.clone())
    }

    /// Ends the mount unless a program uses it; whether it has ended.
    pub fn end_if_unused(&self) -> Result<bool, UnmountError> {
        if mounted_at(&self.path).map(|mount| mount.device) != self.device {
            return Ok(true);
        }
        match unmount_topmost(self.path.clone(), false) {
            Ok(()) => Ok(true),
            Err(UnmountError::Busy(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes the mount away if its process is gone.
    pub fn end_if_dead(&self) -> Result<(), UnmountError> {
        if is_dead(&self.path) {
            unmount(&self.path, true)?;
        }
        Ok(())
    }
}

/// A line of the kernel's mount table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct MountEntry {
    /// Device number, "major:minor": one for each filesystem that is alive.
    device: String,
    /// Filesystem type, with subtype.
    kind: String,
    /// What is mounted.
    source: OsString,
}

/// The topmost filesystem mounted exactly at `path`, which must be absolute.
fn mounted_at(path: &Path) -> Option<MountEntry> {
    topmost(&fs::read(MOUNT_TABLE).ok()?, path)
}

/// Looks `path` up in a mount table (proc_pid_mountinfo(5)); later lines lie on top of earlier ones.
fn topmost(table: &[u8], path: &Path) -> Option<MountEntry> {
    let lines = table.split(|byte| *byte == b'\n').rev();
    lines.filter_map(|line| parse_line(line, path)).next()
}

/// "36 35 98:0 /root /mount/point options [optional...] - type source superoptions"
fn parse_line(line: &[u8], path: &Path) -> Option<MountEntry> {
    let mut fields = line.split(|byte| *byte == b' ');
    let device = fields.nth(2)?;
    let mountpoint = fields.nth(1)?;
    if unescape(mountpoint) != path.as_os_str() {
        return None;
    }
    let mut fields = fields.skip_while(|field| *field != b"-").skip(1);
    let kind = fields.next()?;
    let source = fields.next()?;
    Some(MountEntry {
        device: String::from_utf8_lossy(device).into_owned(),
        kind: String::from_utf8_lossy(kind).into_owned(),
        source: unescape(source),
    })
}

/// Undoes the table's octal escapes of space, tab, newline and backslash.
fn unescape(field: &[u8]) -> OsString {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let octal = after.get(..3).filter(|_| *first == b'\\');
        let octal = octal.and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    OsString::from_vec(bytes)
}

/// The absolute path behind `path`. A dead mount cannot be asked, so that its parent is; a path that does not exist
/// stays as it is.
pub fn resolve(path: &Path) -> PathBuf {
    if let Ok(resolved) = fs::canonicalize(path) {
        return resolved;
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    match (
        absolute.parent().map(fs::canonicalize),
        absolute.file_name(),
    ) {
        (Some(Ok(parent)), Some(name)) => parent.join(name),
        _ => absolute,
    }
}

/// Whether a FUSE filesystem is mounted at `path` whose process is gone.
fn is_dead(path: &Path) -> bool {
    // Asking anything else could wake an automounter.
    mounted_at(path).is_some_and(|mount| mount.kind.starts_with("fuse"))
        && process::ping(path).is_err_and(|error| {
            // The second one for the moment in which the kernel is still tearing the connection down.
            matches!(
                error.raw_os_error(),
                Some(libc::ENOTCONN | libc::ECONNABORTED)
            )
        })
}

/// Unmounts the ostfs, or the dead FUSE mount, at `path`, as root or through fusermount3; `lazy` also when it is in
/// use: it goes out of sight at once and ends with its last user.
pub fn unmount(path: &Path, lazy: bool) -> Result<Ended, UnmountError> {
    let path = resolve(path);
    let ours = mounted_at(&path).is_some_and(|mount| mount.kind == FILESYSTEM_TYPE);
    if !ours && !is_dead(&path) {
        return Err(UnmountError::NotMounted(path));
    }
    match lazy {
        true => unmount_or_detach(path),
        false => unmount_topmost(path, false).map(|()| Ended::Unmounted),
    }
}

/// Unmounts whatever is mounted at `path`, which is resolved; takes it out of sight if it is in use.
fn unmount_or_detach(path: PathBuf) -> Result<Ended, UnmountError> {
    match unmount_topmost(path, false) {
        Ok(()) => Ok(Ended::Unmounted),
        Err(UnmountError::Busy(path)) => unmount_topmost(path, true).map(|()| Ended::Detached),
        Err(error) => Err(error),
    }
}

/// Unmounts whatever is mounted at `path`, which is resolved.
fn unmount_topmost(path: PathBuf, lazy: bool) -> Result<(), UnmountError> {
    match process::umount(&path, lazy) {
        Ok(()) => Ok(()),
        Err(error) => match error.raw_os_error() {
            Some(libc::EPERM) => unmount_by_helper(path, lazy),
            Some(libc::EBUSY) => Err(UnmountError::Busy(path)),
            Some(libc::EINVAL) => Err(UnmountError::NotMounted(path)),
            _ => Err(UnmountError::Failed {
                path,
                reason: error.to_string(),
            }),
        },
    }
}

/// Unmounts with the setuid helper, which lets users end their own mounts.
fn unmount_by_helper(path: PathBuf, lazy: bool) -> Result<(), UnmountError> {
    let Some(helper) = helper() else {
        return Err(UnmountError::NoHelper(path));
    };
    let output = Command::new(helper)
        .arg("-u")
        .args(lazy.then_some("-z"))
        .arg("--")
        .arg(&path)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output();
    let reason = match output {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    if reason.contains("busy") {
        return Err(UnmountError::Busy(path));
    }
    // It knows the mounts of who calls it alone.
    if reason.contains("not found in") {
        return Err(UnmountError::NotYours(path));
    }
    Err(UnmountError::Failed { path, reason })
}

/// The setuid helper through which ordinary users mount, if it is installed; found where `fuser` looks for it.
pub(super) fn helper() -> Option<PathBuf> {
    if let Some(path) = env::var_os("FUSERMOUNT_PATH") {
        return Some(PathBuf::from(path)).filter(|path| path.exists());
    }
    let search = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&search)
        .chain(["/sbin", "/bin"].map(PathBuf::from))
        .collect();
    ["fusermount3", "fusermount"].iter().find_map(|name| {
        let mut candidates = folders.iter().map(|folder| folder.join(name));
        candidates.find(|candidate| candidate.is_file())
    })
}

/// A name for the kernel's table: commas end an option there and backslashes escape, so neither may be in it.
pub(super) fn source_name(name: &OsStr) -> String {
    let replace = |c: char| {
        if c == ',' || c == '\\' || c.is_control() {
            '_'
        } else {
            c
        }
    };
    String::from_utf8_lossy(name.as_bytes())
        .chars()
        .map(replace)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[u8] = b"\
22 28 0:21 / /proc rw,nosuid shared:12 - proc proc rw
90 28 0:50 / /mnt/my\\040mail ro,nosuid - autofs systemd-1 rw
91 90 0:51 / /mnt/my\\040mail ro,nosuid shared:5 master:1 - fuse.ostfs /data/a\\134b.ost ro,user_id=0
92 28 0:52 / /mnt/other ro - fuse.ostfs x.ost ro
";

    #[test]
    fn the_topmost_mount_is_found_under_its_real_name() {
        let mount = topmost(TABLE, Path::new("/mnt/my mail")).unwrap();
        assert_eq!(mount.device, "0:51");
        assert_eq!(mount.kind, "fuse.ostfs");
        assert_eq!(mount.source, "/data/a\\b.ost");
        assert_eq!(topmost(TABLE, Path::new("/mnt")), None);
        assert_eq!(topmost(TABLE, Path::new("/mnt/my")), None);
        assert_eq!(topmost(b"garbage\n1 2\n- - - -", Path::new("/mnt")), None);
    }

    #[test]
    fn a_directory_that_was_made_is_removed_unless_it_is_someone_elses_by_then() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mail");
        let made = || {
            let mut mountpoint = Mountpoint::check(&path, false, true).unwrap();
            mountpoint.make().unwrap();
            assert!(path.is_dir());
            mountpoint
        };
        let identity = made().made().unwrap();
        assert!(!path.exists(), "it goes with the value");
        assert_eq!(Made::parse(&identity.to_string()), Some(identity));
        let mountpoint = made();
        fs::write(path.join("mine"), "").unwrap();
        drop(mountpoint);
        assert!(path.join("mine").exists());
        fs::remove_dir_all(&path).unwrap();
        let mountpoint = made();
        fs::rename(&path, folder.path().join("moved")).unwrap();
        fs::create_dir(&path).unwrap();
        drop(mountpoint);
        assert!(path.is_dir(), "another directory of the same name stays");
        // One that was there before stays as well.
        drop(Mountpoint::check(&path, false, true).unwrap());
        assert!(path.is_dir());
    }

    #[test]
    fn escapes_are_undone_and_lone_backslashes_kept() {
        assert_eq!(unescape(b"a\\040b\\011\\134"), "a b\t\\");
        assert_eq!(unescape(b"a\\04"), "a\\04");
        assert_eq!(unescape(b"\\999"), "\\999");
    }

    #[test]
    fn a_file_name_cannot_smuggle_in_mount_options() {
        assert_eq!(
            source_name(OsStr::new("/a/b,rw,dev\\x\n.ost")),
            "/a/b_rw_dev_x_.ost"
        );
    }
}
