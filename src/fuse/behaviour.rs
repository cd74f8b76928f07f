//! What of a mount's options decides how requests are answered.
#![forbid(unsafe_code)]

use std::time::Duration;

use super::options::Options;

/// How long the kernel may keep names and attributes, unless the mount ends when it is idle.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How requests are answered, beside the trees.
#[derive(Debug, Clone, Copy)]
pub(super) struct Behaviour {
    /// How long the kernel may keep names and attributes.
    pub(super) keep: Duration,
    /// Whether there are extended attributes.
    pub(super) xattr: bool,
    /// Whether names stay out of the log.
    pub(super) redact: bool,
}

impl Behaviour {
    /// As `options` want it. In a mount that ends when it is idle, caches expire early: they would hide that it is in use.
    pub(super) fn new(options: &Options) -> Self {
        let half = |timeout: Duration| timeout / 2;
        Self {
            keep: options.idle_timeout.map_or(DAY, half).min(DAY),
            xattr: options.user_xattr,
            redact: options.redact,
        }
    }
}
