//! ostfs as mount(8) calls it: `mount.ostfs SRC DST -o OPTIONS`, for `mount -t fuse.ostfs` and fstab(5).
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Parser;

use super::arguments::{MountArguments, Verbosity};
use super::options::Writer;
use super::report::Failure;
use super::{logging, mount, source};

/// Names under which mount(8) looks for a program of this filesystem type.
const NAMES: [&str; 2] = ["mount.ostfs", "mount.fuse.ostfs"];

/// Mount an Outlook data file, as mount(8) asks for it
#[derive(Debug, Parser)]
#[command(name = "mount.ostfs", version)]
pub(super) struct HelperArguments {
    /// The .ost or .pst file
    source: PathBuf,
    /// The directory to mount it on
    directory: PathBuf,
    /// Options, separated by commas; `ostfs mount --help` has them
    #[arg(short = 'o', value_name = "OPTIONS", allow_hyphen_values = true)]
    options: Vec<String>,
    /// Pass over unknown options
    #[arg(short = 's')]
    sloppy: bool,
    /// Check the arguments only
    #[arg(short = 'f')]
    fake: bool,
    /// Accepted: /etc/mtab is the kernel's business
    #[arg(short = 'n')]
    no_mtab: bool,
    /// Log when the mount begins and ends, too
    #[arg(short = 'v')]
    verbose: bool,
    /// Accepted: the type that mount(8) looked for
    #[arg(short = 't', value_name = "TYPE")]
    kind: Option<String>,
}

/// Whether ostfs was called by mount(8): by name, or by mount.fuse(8), which runs `ostfs SRC DST -o OPTIONS` with the
/// absolute paths that fstab(5) has. Without `-o`, it is a user who leaves out "mount".
pub(super) fn is_called(name: &str, arguments: &[OsString]) -> bool {
    let by_mount_fuse = match arguments {
        [source, directory, option, ..] => {
            Path::new(source).is_absolute()
                && Path::new(directory).is_absolute()
                && option.as_encoded_bytes().starts_with(b"-o")
        }
        _ => false,
    };
    NAMES.contains(&name) || by_mount_fuse
}

/// Does what mount(8) asks for.
pub(super) fn run(arguments: HelperArguments) -> Result<(), Failure> {
    let writer = if arguments.sloppy {
        Writer::SloppyMountCommand
    } else {
        Writer::MountCommand
    };
    if arguments.fake {
        return source::open(&arguments.source).map(drop);
    }
    let verbosity = Verbosity {
        verbose: arguments.verbose,
        ..Verbosity::default()
    };
    logging::start(verbosity.level());
    let arguments = MountArguments {
        paths: vec![arguments.source, arguments.directory],
        options: arguments.options,
        names: None,
        foreground: false,
        idle_timeout: None,
        verbosity,
    };
    mount::run(&arguments, writer)
}
