//! A real mount for the tests that need one, and pictures of directory trees to compare.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::needs;

pub const OSTFS: &str = env!("CARGO_BIN_EXE_ostfs");

/// Whether tests can mount here; if not, they are left out.
pub fn can_mount() -> bool {
    let device = "/dev/fuse";
    needs::is_given(Path::new(device).exists(), device, "modprobe fuse")
}

/// Gives a test that reads a mount and then ends it a table of open files of its own; to be called first.
///
/// A child has copies of all open files until its exec is through. One that another test starts while this one reads
/// would hold a file of this mount, which is then truly in use.
pub fn unshare_files() {
    const FIRST: u32 = 3;
    // SAFETY: takes numbers. Nothing of this test is open yet, and what others have open stays open in their table.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            FIRST,
            u32::MAX,
            libc::CLOSE_RANGE_UNSHARE,
        )
    };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}

/// A file mounted in the foreground on a temporary directory; unmounted when dropped.
pub struct Mount {
    pub path: PathBuf,
    pub process: Child,
    _directory: TempDir,
}

impl Mount {
    pub fn new(file: &Path, arguments: &[&str]) -> Mount {
        Mount::logging(file, arguments, Stdio::inherit())
    }

    /// With its log written to `log`.
    pub fn logging(file: &Path, arguments: &[&str], log: impl Into<Stdio>) -> Mount {
        Mount::logging_with_environment(file, arguments, &[], log)
    }

    /// With these variables in its environment.
    pub fn with_environment(
        file: &Path,
        arguments: &[&str],
        environment: &[(&str, &Path)],
    ) -> Mount {
        Mount::logging_with_environment(file, arguments, environment, Stdio::inherit())
    }

    pub fn logging_with_environment(
        file: &Path,
        arguments: &[&str],
        environment: &[(&str, &Path)],
        log: impl Into<Stdio>,
    ) -> Mount {
        let directory = TempDir::new().unwrap();
        let path = directory.path().to_path_buf();
        let process = Command::new(OSTFS)
            .args(["mount", "-f"])
            .args(arguments)
            .arg(file)
            .arg(&path)
            .envs(environment.iter().copied())
            .stderr(log)
            .spawn()
            .unwrap();
        let mount = Mount {
            path,
            process,
            _directory: directory,
        };
        wait_until("the mount is there", || is_mounted(&mount.path));
        // It is there before its file is read, and answers after that.
        fs::symlink_metadata(mount.path.join(".ostfs")).ok();
        mount
    }

    /// Largest resident set of the mount process so far, in bytes.
    pub fn peak_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// Its resident set now, in bytes.
    pub fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    fn status(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let kibibytes = line.unwrap().trim().trim_end_matches(" kB");
        kibibytes.parse::<u64>().unwrap() * 1024
    }

    /// How many files it has open.
    pub fn open_files(&self) -> usize {
        let files = fs::read_dir(format!("/proc/{}/fd", self.process.id()));
        files.unwrap().count()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        Command::new(OSTFS)
            .args(["unmount", "--lazy"])
            .arg(&self.path)
            .output()
            .ok();
        let start = Instant::now();
        while self.process.try_wait().ok().flatten().is_none() {
            if start.elapsed() > Duration::from_secs(10) {
                self.process.kill().ok();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

pub fn is_mounted(path: &Path) -> bool {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    // Another test may have one under a name that is no text.
    let mounts = fs::read("/proc/self/mounts").unwrap();
    String::from_utf8_lossy(&mounts)
        .lines()
        .any(|line| line.split(' ').nth(1) == path.to_str())
}

pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "waited in vain: {what}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn ostfs(arguments: &[&str]) -> Output {
    Command::new(OSTFS)
        .args(arguments)
        .env_remove("RUST_LOG")
        .output()
        .unwrap()
}

/// Runs a program that has to succeed, and returns what it printed.
pub fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        // Names are UTF-8, whatever the locale of who runs the tests.
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Exports `file` into a new directory.
pub fn export(file: &Path, arguments: &[&str]) -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let target = directory.path().join("tree");
    let mut all = vec!["export", file.to_str().unwrap(), target.to_str().unwrap()];
    all.extend(arguments);
    let output = ostfs(&all);
    assert!(
        output.status.success(),
        "{}: {}",
        file.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    (directory, target)
}

/// The names in a directory, sorted.
pub fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// What a comparison of two trees looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub kind: char,
    pub size: u64,
    pub modified: (i64, i64),
    pub content: String,
}

/// Every entry below `top` by its path. Panics where a file's size is not the number of bytes in it.
pub fn picture(top: &Path) -> BTreeMap<PathBuf, Picture> {
    let mut entries = BTreeMap::new();
    let mut todo = vec![top.to_path_buf()];
    while let Some(directory) = todo.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            let (kind, size, content) = if metadata.is_dir() {
                todo.push(path.clone());
                ('d', 0, String::new())
            } else if metadata.is_symlink() {
                (
                    'l',
                    metadata.size(),
                    fs::read_link(&path).unwrap().display().to_string(),
                )
            } else {
                let (size, hash) = hash(&path);
                assert_eq!(size, metadata.size(), "{}: st_size", path.display());
                ('f', size, hash)
            };
            let picture = Picture {
                kind,
                size,
                // Links on disk have the time at which they were made.
                modified: if kind == 'l' {
                    (0, 0)
                } else {
                    (metadata.mtime(), metadata.mtime_nsec())
                },
                content,
            };
            entries.insert(path.strip_prefix(top).unwrap().to_path_buf(), picture);
        }
    }
    entries
}

/// Length and SHA-256 of what reading a file to its end gives.
pub fn hash(path: &Path) -> (u64, String) {
    let mut file = fs::File::open(path).unwrap();
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0;
    loop {
        let read = file
            .read(&mut buffer)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
        size += read as u64;
    }
    (
        size,
        hash.finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    )
}
