//! What a user may choose about a mount.

use std::time::Duration;

/// Who may use the mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// The user who mounts, and nobody else, not even root.
    #[default]
    Owner,
    /// That user and root.
    Root,
    /// Everyone whom the permission bits let in.
    Everyone,
}

/// What the user may choose about the mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Owner of the files; the mounting user if none is given.
    pub uid: Option<u32>,
    /// Group of the files; the mounting user's if none is given.
    pub gid: Option<u32>,
    /// Permission bits of files.
    pub file_mode: u16,
    /// Permission bits of directories.
    pub directory_mode: u16,
    /// Who may use the mount.
    pub access: Access,
    /// Whether the kernel checks permission bits; it always does unless `access` is [`Access::Owner`].
    pub default_permissions: bool,
    /// Name in the kernel's mount table; the path of the file if none is given.
    pub fsname: Option<String>,
    /// Whether there are extended attributes.
    pub user_xattr: bool,
    /// Whether names stay out of the log.
    pub redact: bool,
    /// After which time without use the mount ends.
    pub idle_timeout: Option<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            uid: None,
            gid: None,
            file_mode: 0o600,
            directory_mode: 0o700,
            access: Access::Owner,
            default_permissions: false,
            fsname: None,
            user_xattr: false,
            redact: false,
            idle_timeout: None,
        }
    }
}
