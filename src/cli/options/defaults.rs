//! Options that hold without being typed: the lines of the user's file of options, then OSTFS_OPTIONS. What is typed holds
//! before both.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::exit::Exit;
use crate::cli::report::Failure;
use crate::output::shown;

/// The variable of the environment.
const VARIABLE: &str = "OSTFS_OPTIONS";
/// The file, below the directory of the user's configuration (XDG Base Directory Specification).
const FILE: &str = "ostfs/options";
/// That directory, below the user's own, unless XDG_CONFIG_HOME names it.
const CONFIGURATION: &str = ".config";
/// What begins a remark in the file.
const REMARK: char = '#';

/// All lists of options, as after `-o`, the weakest first. What `parse` has to say against one is told with the place where
/// it stands.
pub fn lists(parse: impl Fn(&str) -> Result<(), Failure>) -> Result<Vec<String>, Failure> {
    let checked = |place: &str, list: &str| match parse(list) {
        Ok(()) => Ok(list.to_owned()),
        Err(failure) => {
            let message = format!("{place}: {}", failure.message);
            Err(Failure::new(failure.exit, message))
        }
    };
    let mut lists = match file() {
        Some(path) => of_file(&path, checked)?,
        None => Vec::new(),
    };
    if let Some(list) = env::var_os(VARIABLE) {
        lists.push(checked(VARIABLE, &list.to_string_lossy())?);
    }
    Ok(lists)
}

fn file() -> Option<PathBuf> {
    let absolute = |name: &str| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let configuration = absolute("XDG_CONFIG_HOME");
    let configuration = configuration.or_else(|| Some(absolute("HOME")?.join(CONFIGURATION)));
    Some(configuration?.join(FILE))
}

/// Whether this user may not even know if there is a file at `path`.
fn is_hidden(path: &Path) -> bool {
    let is_there = fs::symlink_metadata(path);
    is_there.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// The lines of the file at `path`, if there is one, as `checked` has them.
fn of_file(
    path: &Path,
    checked: impl Fn(&str, &str) -> Result<String, Failure>,
) -> Result<Vec<String>, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(Vec::new());
        }
        // The home of another user, as after su: nothing there is meant for this one.
        Err(_) if is_hidden(path) => return Ok(Vec::new()),
        Err(error) => {
            let message = format!(
                "{}: cannot be read: {error}; remove it, or make it readable",
                shown(path)
            );
            return Err(Failure::new(Exit::Failure, message));
        }
    };
    let lines = text.lines().map(str::trim).zip(1..);
    let lists = lines.filter(|(line, _)| !line.starts_with(REMARK));
    lists
        .map(|(line, number)| checked(&format!("{}, line {number}", shown(path)), line))
        .collect()
}
