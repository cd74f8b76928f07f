//! Parses arguments, calls a command, maps errors to exit codes.

use std::process::ExitCode;

use ostfs::cli::{self, Exit};

fn main() -> ExitCode {
    match cli::run(std::env::args_os().collect()) {
        Ok(()) => Exit::Success.into(),
        Err(failure) => {
            cli::report(&failure);
            failure.exit.into()
        }
    }
}
