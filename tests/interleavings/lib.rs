//! The files of `src` in which threads wait for each other, as they are. Under them are locks whose threads a scheduler switches:
//! what they know as `parking_lot` is this crate. What they use of others is made up here, as small as it can be.

extern crate self as parking_lot;

mod locks;

pub use locks::{Condvar, Mutex};

#[path = "../../src/cache.rs"]
pub mod cache;

/// An error is that something failed.
pub mod error {
    pub type Result<T> = std::result::Result<T, &'static str>;
}

#[path = "../../src/ndb"]
pub mod ndb {
    pub mod kept;
    /// No disk fails here: a value that cannot be made is an error of what makes it.
    mod source {
        use crate::error::Result;

        pub fn whole<T>(make: impl FnOnce() -> Result<T>) -> Result<T> {
            make()
        }
    }
}

#[path = "../../src/convert"]
pub mod convert {
    pub mod permits;
}

#[path = "../../src/export"]
pub mod export {
    mod pending;

    /// Batches under way.
    #[derive(Default)]
    pub struct Batches(pending::Pending);

    impl Batches {
        pub fn add_one(&self) {
            self.0.add_one();
        }

        pub fn write(&self, write: impl FnOnce()) {
            let _one = self.0.one();
            write();
        }

        pub fn wait(&self) {
            self.0.wait();
        }
    }
}

#[path = "../../src/fuse"]
pub mod fuse {
    // Listings and the hook of panics are for one thread at a time, and not asked here.
    #[allow(dead_code)]
    mod ahead;
    #[allow(dead_code)]
    mod panics;

    use crate::tree::{Forest, Ino};

    /// Work ahead of the kernel.
    #[derive(Default)]
    pub struct ReadAhead(ahead::Ahead);

    impl ReadAhead {
        pub fn read(&self, file: Ino, offset: u64, size: usize) -> Option<Vec<u8>> {
            let bytes = self.0.read(file, offset, size)?;
            Some(bytes.bytes().to_vec())
        }

        pub fn looked_up(&self, directory: Ino) {
            self.0.looked_up(directory, false);
        }

        pub fn work(&self, forest: &Forest) -> ! {
            self.0.work(forest)
        }
    }
}

/// Files that any thread can read.
pub mod tree {
    use std::collections::HashSet;

    use parking_lot::Mutex;

    use crate::error::Result;

    /// The number of a file or directory.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Ino(pub u64);

    /// What is known of a file.
    pub struct Attr {
        pub size: u64,
    }

    /// How much of files is read ahead.
    pub enum Depth {
        All,
    }

    /// An entry of a directory.
    pub struct Entry {
        pub ino: Ino,
    }

    /// The entries of a directory: 1000 and its number on.
    pub struct Listing(Ino, usize);

    /// Files of `size` bytes, and directories of `entries`.
    #[derive(Default)]
    pub struct Forest {
        pub size: u64,
        pub entries: usize,
        attributes: Mutex<HashSet<Ino>>,
    }

    impl Listing {
        pub fn entry(&self, index: usize) -> Option<Entry> {
            let ino = Ino(1000 * self.0.0 + index as u64);
            (index < self.1).then_some(Entry { ino })
        }
    }

    impl Forest {
        pub const READ_AHEAD: usize = 4096;

        pub fn new(size: u64, entries: usize) -> Self {
            let attributes = Mutex::default();
            Self {
                size,
                entries,
                attributes,
            }
        }

        /// What stands at `offset` of `file`: in no two places of a file nearby, and in no two files, the same.
        pub fn byte(file: Ino, offset: u64) -> u8 {
            (file.0 + offset / 1021) as u8
        }

        pub fn read_at(&self, file: Ino, offset: u64, bytes: &mut [u8]) -> Result<usize> {
            // Threads are switched while a file is read.
            shuttle::thread::yield_now();
            let len = self.size.saturating_sub(offset).min(bytes.len() as u64);
            for (byte, at) in bytes.iter_mut().zip(offset..offset + len) {
                *byte = Self::byte(file, at);
            }
            Ok(len as usize)
        }

        pub fn directory_from(&self, directory: Ino, _entries: usize) -> Result<Listing> {
            Ok(Listing(directory, self.entries))
        }

        pub fn is_attr_at_hand(&self, ino: Ino) -> bool {
            self.attributes.lock().contains(&ino)
        }

        pub fn attr(&self, ino: Ino) -> Result<Attr> {
            self.attributes.lock().insert(ino);
            Ok(Attr { size: self.size })
        }

        pub fn files_after(&self, ino: Ino, count: usize) -> Vec<Ino> {
            (ino.0 + 1..).map(Ino).take(count).collect()
        }

        pub fn read_ahead(&self, _files: &[Ino], _depth: Depth) {}
    }
}
