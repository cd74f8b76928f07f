//! Commands as a user types them, in a home of their own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::mounted::OSTFS;

/// The home of who typed the commands.
const HOME: &str = "/home/ann";
/// Where README mounts for all to see; here, in the home.
const MNT: &str = "/mnt/mail";
/// Seconds for a command.
const LIMIT: &str = "120";

/// A home of its own for some commands. What is mounted in it when it goes is unmounted.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for directory in [place.home(), place.within("bin"), place.within("run")] {
            fs::create_dir_all(directory).unwrap();
        }
        // A desktop that opens every folder.
        symlink("/bin/true", place.within("bin/xdg-open")).unwrap();
        place
    }

    fn within(&self, name: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(name)
    }

    pub fn home(&self) -> PathBuf {
        self.within("ann")
    }

    fn mnt(&self) -> PathBuf {
        self.home().join("mnt")
    }

    /// Runs `command`; what it prints, and how it ends.
    pub fn run(&self, command: &str) -> (String, i32) {
        let home = self.home();
        let own = Path::new(OSTFS).parent().unwrap().to_path_buf();
        let others = std::env::var_os("PATH").unwrap_or_default();
        let first = [self.within("bin"), own].into_iter();
        let path = std::env::join_paths(first.chain(std::env::split_paths(&others)));
        // As a terminal shows them.
        let names =
            "ls() { command ls -C -T 0 -w 72 --quoting-style=shell-escape \"$@\"; }\nexec 2>&1\n";
        let command = command.replace(MNT, self.mnt().to_str().unwrap());
        let output = Command::new("timeout")
            .args([LIMIT, "bash", "-c", &format!("{names}{command}")])
            .env("HOME", &home)
            .env("PROFILE", home.join("profile"))
            .env("PATH", path.unwrap())
            .env("LC_ALL", "C.UTF-8")
            .env_remove("RUST_LOG")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_CACHE_HOME")
            .env("XDG_RUNTIME_DIR", self.within("run"))
            .current_dir(&home)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        let printed = printed
            .replace(self.mnt().to_str().unwrap(), MNT)
            .replace(home.to_str().unwrap(), HOME);
        (printed, output.status.code().unwrap())
    }

    /// Unmounts what is mounted there.
    pub fn unmount(&self) {
        let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
        let here = self.within("");
        let own = mounts
            .lines()
            .filter_map(|line| line.split(' ').nth(1))
            .filter(|path| Path::new(path).starts_with(&here));
        for path in own {
            Command::new(OSTFS)
                .args(["unmount", "--lazy", path])
                .status()
                .ok();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.unmount();
    }
}
