//! Where log lines go: to standard error, and once ostfs runs in the background to the system log.
#![forbid(unsafe_code)]

use std::env;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use log::LevelFilter;

use crate::fuse::process::{open_syslog, syslog};

/// What `fuser` logs is about its own second unmount, about readers that were killed, and names; what `jiff` logs is about how it
/// looks for time zones, where the error says enough.
const WITHOUT: &str = "fuser=off,jiff=off";

/// Whether there is no terminal to write to any more.
static IN_BACKGROUND: AtomicBool = AtomicBool::new(false);

/// Sends each line to where someone may read it; `RUST_LOG` chooses the lines.
struct Logger {
    terminal: env_logger::Logger,
}

impl log::Log for Logger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        self.terminal.enabled(metadata)
    }

    fn log(&self, record: &log::Record<'_>) {
        if !IN_BACKGROUND.load(Ordering::Relaxed) {
            self.terminal.log(record);
        } else if self.terminal.matches(record) {
            syslog(record.level(), &record.args().to_string());
        }
    }

    fn flush(&self) {}
}

/// Starts logging to standard error: plain lines of `level`, or with time and module what `RUST_LOG` asks for.
pub fn start(level: LevelFilter) {
    let mut builder = env_logger::Builder::new();
    match env::var("RUST_LOG") {
        Ok(filter) => builder.parse_filters(&filter),
        Err(_) => builder
            .parse_filters(&format!("{level},{WITHOUT}"))
            .format(|out, record| writeln!(out, "ostfs: {}", record.args())),
    };
    let terminal = builder.build();
    log::set_max_level(terminal.filter());
    // Fails only when a program that uses the library logs in its own way already.
    log::set_boxed_logger(Box::new(Logger { terminal })).ok();
}

/// Connects to the system log, for the time when there is no terminal any more.
pub fn prepare_background() {
    open_syslog();
}

/// From now on the system log is what the user can read.
pub fn to_background() {
    IN_BACKGROUND.store(true, Ordering::Relaxed);
}
