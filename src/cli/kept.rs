//! Files that outlive a command and spare the next one work: sizes (`-o size-cache`) and words (`search --index`). Where they
//! are, and what they are valid for.
#![forbid(unsafe_code)]

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::report;
use super::source::Sources;
use crate::ndb::{self, Source};
use crate::output::shown;
use crate::tree::{Options, SizeCache};

/// Permissions of the directory and of the files: when mail came, and what is in it, is private.
const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// Bytes of the hash of a path that are its name in the directory.
const NAME: usize = 16;
/// Bytes of a key.
const KEY: usize = 32;

/// The size cache of each of `sources`. One that cannot be had is told, and the mount does without.
pub(super) fn size_caches(sources: &Sources<'_>, options: &Options) -> Vec<Option<SizeCache>> {
    let open = |file: &Path, source: &Source| {
        let kept = open(&cache_directory()?, file, ".sizes")?;
        SizeCache::open(kept, &key(source, options)?)
    };
    let open = |(file, source): (&Path, Option<&Source>)| match open(file, source?) {
        Ok(cache) => Some(cache),
        Err(error) => {
            report::error(format_args!("-o size-cache: no sizes are kept: {error}"));
            None
        }
    };
    sources.iter().map(open).collect()
}

/// What is kept of `file` in `directory`, which is made if it is not there.
pub(super) fn open(directory: &Path, file: &Path, extension: &str) -> io::Result<File> {
    DirBuilder::new()
        .recursive(true)
        .mode(DIRECTORY_MODE)
        .create(directory)?;
    let path = fs::canonicalize(file)?;
    let hash = Sha256::digest(path.as_os_str().as_encoded_bytes());
    let name: String = hash
        .iter()
        .take(NAME)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let path = directory.join(name + extension);
    if ndb::is_data_file(&path) {
        let reason = format!("{} is an Outlook data file", shown(&path));
        return Err(io::Error::other(reason));
    }
    let kept = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE)
        .custom_flags(libc::O_NOFOLLOW)
        .open(&path)?;
    if !kept.metadata()?.is_file() {
        return Err(io::Error::other(format!("{} is no file", shown(&path))));
    }
    Ok(kept)
}

/// `$XDG_CACHE_HOME/ostfs`, or `~/.cache/ostfs`.
fn cache_directory() -> io::Result<PathBuf> {
    let variable = |name: &str| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
    let none = || io::Error::other("neither XDG_CACHE_HOME nor HOME is set");
    Ok(cache.ok_or_else(none)?.join("ostfs"))
}

/// A hash of all that sizes, times and words come from: the file as it is now, what is asked for, and the program.
pub(super) fn key(source: &Source, options: &Options) -> io::Result<[u8; KEY]> {
    // These change no byte of any message.
    let options = Options {
        cache: 0,
        redact: false,
        views: false,
        search: false,
        ..options.clone()
    };
    let program = File::open("/proc/self/exe")?.metadata()?;
    let mut hash = Sha256::new();
    hash.update(source.identity());
    hash.update(format!("{options:?}"));
    for number in [program.size() as i64, program.mtime(), program.mtime_nsec()] {
        hash.update(number.to_le_bytes());
    }
    Ok(hash.finalize().into())
}
