//! Programs that others wrote, from PyPI and npm, that judge calendars and cards. They live in an environment of their
//! own under `target/judges` (or `$OSTFS_JUDGES`), which the first test that needs it makes.
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{needs, python};

/// The parsers, the recurrence libraries, the server. Versions are pinned so that a verdict can be repeated.
const PYTHON_PACKAGES: [&str; 11] = [
    "icalendar==7.3.0",
    "vobject==0.9.9",
    "python-dateutil==2.9.0.post0",
    "recurring-ical-events==3.8.2",
    "convertdate==2.5.1",
    "hijridate==2.6.0",
    "lunardate==0.3.0",
    "radicale==3.9.0",
    "pytz",
    "tzdata",
    "setuptools<81",
];
const NODE_PACKAGES: [&str; 1] = ["ical.js@2.2.1"];

/// The environment of Python; None where there is none and tests that need it are left out.
fn python() -> Option<PathBuf> {
    python::with("python", &PYTHON_PACKAGES)
}

/// The module of ical.js; None where there is none and tests that need it are left out.
fn ical_js() -> Option<PathBuf> {
    let folder = python::folder();
    let module = folder.join("node_modules/ical.js/dist/ical.js");
    if !module.exists() {
        if needs::may_be_left_out() {
            needs::ignored(format_args!("no ical.js at {}", folder.display()));
            return None;
        }
        std::fs::create_dir_all(&folder).unwrap();
        let mut packages = Command::new("npm");
        packages
            .args(["install", "--silent", "--no-save", "--prefix"])
            .arg(&folder)
            .args(NODE_PACKAGES);
        if !python::fetch(&mut packages) {
            return None;
        }
    }
    Some(module)
}

/// The system's Python with libical (Debian: python3-gi, gir1.2-ical-3.0); None where it is not there and tests that need it
/// are left out.
fn libical() -> Option<Command> {
    const PYTHON: &str = "/usr/bin/python3";
    let probe = "import gi; gi.require_version('ICalGLib', '3.0')";
    let is_there = Command::new(PYTHON)
        .args(["-c", probe])
        .output()
        .is_ok_and(|output| output.status.success());
    let what = format_args!("libical for {PYTHON}");
    needs::has(is_there, what, needs::PACKAGE).then(|| Command::new(PYTHON))
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/judges")
        .join(name)
}

/// Makes the judges before tests run side by side.
static LOCK: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// Runs a script of `tests/judges`; it fails if the script finds fault, and tells what it says.
pub fn judge(name: &str, arguments: &[&Path]) {
    let _guard = LOCK.lock().unwrap_or_else(|poison| poison.into_inner());
    let mut command = if name == "libical.py" {
        let Some(mut command) = libical() else { return };
        command.arg(script(name));
        command
    } else if name.ends_with(".py") {
        let Some(python) = python() else { return };
        let mut command = Command::new(python);
        command.arg(script(name));
        command
    } else {
        let Some(module) = ical_js() else { return };
        let mut command = Command::new("node");
        command.arg(script(name)).arg(module);
        command
    };
    let output = command
        .args(arguments)
        .output()
        .expect("a judge that starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {said}{complained}");
    print!("{name}: {said}");
}
