//! A file without a name, in memory where the machine has that: it is gone with the process, however that ends.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const MEMORY: &str = "/dev/shm";

pub struct Scratch {
    pub file: File,
    /// A path that opens it.
    pub path: PathBuf,
}

impl Scratch {
    pub fn new() -> Scratch {
        let file = if Path::new(MEMORY).is_dir() {
            tempfile::tempfile_in(MEMORY)
        } else {
            tempfile::tempfile()
        }
        .expect("a file");
        let path = format!("/proc/self/fd/{}", file.as_raw_fd()).into();
        Scratch { file, path }
    }

    pub fn put(&self, offset: u64, bytes: &[u8]) {
        self.file.write_all_at(bytes, offset).expect("written");
    }

    pub fn len(&self) -> u64 {
        self.file.metadata().expect("a file").len()
    }
}
