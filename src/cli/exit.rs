//! Exit codes: what scripts can rely on.
#![forbid(unsafe_code)]

use std::process::ExitCode;

/// How a run of ostfs ended. `check` uses 0, 4, 8 and 16 as fsck(8) does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All went well.
    Success = 0,
    /// Something went wrong that no other code stands for; of `diff`, the files differ, of `search`, nothing was found.
    Failure = 1,
    /// FILE, the mount point, the directory above a new file, or what a path or filter names does not exist; of `diff` and
    /// `search`, as diff(1) and grep(1) have it, whatever no other code stands for.
    NotFound = 2,
    /// FILE is not an Outlook data file.
    NotOutlook = 3,
    /// `check` found errors in FILE, or `export`, `index`, `diff`, `cat` or `search` met some; or of several files one could
    /// not be opened.
    ErrorsFound = 4,
    /// FILE is an Outlook data file, but too damaged to be opened.
    Damaged = 5,
    /// FILE is fine, but could not be mounted or unmounted.
    MountFailed = 6,
    /// FILE was cut off, and nothing that can be read is left of it, or none without a scan.
    Truncated = 7,
    /// `check` could not check FILE.
    NotChecked = 8,
    /// FILE is an Outlook data file that nobody can read: of an unknown version, or encrypted by Windows.
    Unsupported = 9,
    /// The command line makes no sense.
    Usage = 16,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// The table of exit codes in `--help`.
pub(super) const HELP: &str = "\
Exit codes:
   0  success; search: found
   1  any other failure; diff: the files differ; search: nothing found
   2  FILE, PATH, the directory above a new file, or what --folder or --class
      names does not exist; diff, search: any other failure
   3  FILE is not an Outlook data file
   4  FILE has errors, found by check or met by export, index, diff, cat or
      search; or one of several could not be opened
   5  FILE is too damaged to be opened
   6  mounting or unmounting failed
   7  FILE was cut off, and nothing that can be read is left
   8  check: FILE cannot be checked
   9  FILE is of an unknown version, or encrypted by Windows
  16  the command line is wrong";
