//! Programs that are not ours, for the tests in which they judge what ostfs shows.
#![allow(dead_code)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::needs;

/// How long a program may take in a terminal, in which it would wait for a key without end.
const TERMINAL_LIMIT: Duration = Duration::from_secs(300);
/// Between two looks at whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// Whether all of `programs` are installed; fails if not, unless such tests are left out.
pub fn installed(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = |program: &str| std::env::split_paths(&path).any(|at| at.join(program).is_file());
    let missing: Vec<_> = programs.iter().filter(|program| !found(program)).collect();
    needs::has(
        missing.is_empty(),
        format_args!("{missing:?}"),
        needs::PACKAGE,
    )
}

/// A command in a quiet home of its own, with UTF-8 as its character set and `home` for all it wants to keep.
pub fn command(program: &str, home: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env("HOME", home)
        .env("XDG_CACHE_HOME", home.join("cache"))
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("NOTMUCH_CONFIG", home.join("notmuch-config"))
        .env("LC_ALL", "C.UTF-8")
        .env("TERM", "xterm")
        .current_dir(home);
    command
}

/// What the command printed, errors included; it has to succeed.
pub fn output(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{command:?}: {text}");
    text
}

/// Runs `program`, a line for the shell, in `home` and in a terminal, which some programs want; it has to end by itself and
/// to succeed.
pub fn in_terminal(program: &str, home: &Path) {
    let mut terminal = command("script", home)
        .args(["-qec", program, "/dev/null"])
        // Other shells may put it into the background of the terminal, where reading stops a program.
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // At the end of its input `script` would press a key.
    let keyboard = terminal.stdin.take();
    let start = Instant::now();
    let status = loop {
        if let Some(status) = terminal.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > TERMINAL_LIMIT {
            terminal.kill().ok();
            terminal.wait().ok();
            panic!("{program} in {}: did not end", home.display());
        }
        std::thread::sleep(LOOK);
    };
    drop(keyboard);
    assert!(status.success(), "{program}: {status}");
}
