//! Environments of Python with packages of PyPI, under `target/judges` (or `$OSTFS_JUDGES`), which the first test that needs
//! one makes.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use crate::needs;

/// Held while an environment is made, which tests may want at the same time.
static MAKING: Mutex<()> = Mutex::new(());

/// Where they are.
pub fn folder() -> PathBuf {
    std::env::var_os("OSTFS_JUDGES").map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).join("../judges"),
        PathBuf::from,
    )
}

/// Runs what fetches a judge; whether it is there then. Without its registry it cannot be had.
pub fn fetch(command: &mut Command) -> bool {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?} cannot be started: {error}");
    });
    let errors = String::from_utf8_lossy(&output.stderr);
    let what = format_args!("{command:?}: {errors}");
    needs::is_given(
        output.status.success(),
        what,
        "it is fetched from its registry",
    )
}

/// The Python of the environment `name`, which has `packages`; None where there is none and tests that need it are left out.
pub fn with(name: &str, packages: &[&str]) -> Option<PathBuf> {
    let folder = folder();
    let python = folder.join(name).join("bin/python");
    let done = folder.join(name).join("complete");
    // One that failed to make it does not keep others from saying so, too.
    let _making = MAKING.lock().unwrap_or_else(|error| error.into_inner());
    if !done.exists() {
        if needs::may_be_left_out() {
            needs::ignored(format_args!("no judges at {}", folder.display()));
            return None;
        }
        std::fs::create_dir_all(&folder).unwrap();
        let mut environment = Command::new("python3");
        environment.args(["-m", "venv"]).arg(folder.join(name));
        let mut install = Command::new(&python);
        install
            .args(["-m", "pip", "install", "--quiet"])
            .args(packages);
        if !fetch(&mut environment) || !fetch(&mut install) {
            return None;
        }
        std::fs::write(done, "").unwrap();
    }
    Some(python)
}
