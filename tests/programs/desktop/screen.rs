//! File managers on a screen without a monitor.

use std::fs::{self, DirBuilder, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::scene::Counted;
use crate::programs::command;

/// A screen without a monitor. Gone when dropped, and with it every window.
pub struct Screen {
    server: Child,
    pub display: String,
}

impl Screen {
    pub fn new() -> Screen {
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1024x768x24",
                "-nolisten",
                "tcp",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut display = String::new();
        let mut told = BufReader::new(server.stdout.take().unwrap());
        told.read_line(&mut display).unwrap();
        let display = format!(":{}", display.trim());
        Screen { server, display }
    }

    /// Opens `directory` in a window; the file manager has a home and a session bus of its own.
    pub fn open(
        &self,
        (program, arguments): (&str, &[&str]),
        directory: &Path,
        home: PathBuf,
    ) -> Window {
        let runtime = home.join("runtime");
        let private = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&runtime);
        private.unwrap();
        // Ends with its input, and takes what it has started along.
        let script = "\"$@\" & read -r _; kill $!; wait";
        let log = File::create(home.join("log")).unwrap();
        let process = command("dbus-run-session", &home)
            .args(["--", "sh", "-c", script, "sh", program])
            .args(arguments)
            .arg(directory)
            .env("DISPLAY", &self.display)
            .env("XDG_RUNTIME_DIR", &runtime)
            .env("XDG_DATA_HOME", home.join("data"))
            .env("NO_AT_BRIDGE", "1")
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Window { process, home }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

/// A file manager. Closed when dropped.
pub struct Window {
    process: Child,
    home: PathBuf,
}

impl Window {
    /// Waits until it has done what `done` tells, and whatever it does after that.
    pub fn wait(&self, mount: &Counted, done: impl Fn() -> bool) {
        let start = Instant::now();
        while !done() {
            let log = || fs::read_to_string(self.home.join("log")).unwrap();
            assert!(start.elapsed() < Duration::from_secs(60), "{}", log());
            sleep(Duration::from_millis(50));
        }
        mount.settle();
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().ok();
    }
}
