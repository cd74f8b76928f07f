//! Sizes and times of messages that outlive the mount (`-o size-cache`), so that the next one lists them without opening any.
//!
//! A sparse file of records of fixed length, at the index of their nodes: it is read and written in place, so it takes no
//! memory and is never half written. Its head is the key: a hash of all that the files of messages are made from. Another
//! key there empties it; and each record has a checksum that starts from the key, so what another file, other options, a
//! crash or another program have left in it counts as nothing.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};

use twox_hash::XxHash3_64;

use super::attr::Times;
use crate::ndb::NodeId;

/// What the files of messages are made from: the data file, the options, the program.
pub type Key = [u8; KEY];

const KEY: usize = 32;
/// Bytes of a number.
const WORD: usize = 8;
/// A record: its checksum; node, size, three times in nanoseconds since 1970.
const RECORD: usize = WORD + 5 * WORD;
/// Nodes with a higher index are not kept: with all others the file has 800 MB at the most.
const MAX_INDEX: u32 = 1 << 24;

/// The file.
#[derive(Debug)]
pub struct SizeCache {
    file: File,
    seed: u64,
    /// Whether it cannot be written: then nothing more is kept.
    is_full: AtomicBool,
}

impl SizeCache {
    /// Takes what `file` has if that belongs to `key`; else empties it.
    ///
    /// # Errors
    ///
    /// Those of reading and writing `file`.
    pub fn open(file: File, key: &Key) -> io::Result<Self> {
        let mut head = [0; KEY];
        let length = file.read_at(&mut head, 0)?;
        if length < KEY || head != *key {
            file.set_len(0)?;
            file.write_all_at(key, 0)?;
        }
        Ok(Self {
            file,
            seed: XxHash3_64::oneshot(key),
            is_full: AtomicBool::new(false),
        })
    }

    /// Size and times of the file of message `nid`, if they are kept.
    pub(super) fn get(&self, nid: NodeId) -> Option<(u64, Times)> {
        let mut record = [0; RECORD];
        self.file.read_exact_at(&mut record, place(nid)?).ok()?;
        let (check, rest) = record.split_first_chunk::<WORD>()?;
        let (words, _) = rest.as_chunks::<WORD>();
        let [node, size, times @ ..] = words else {
            return None;
        };
        let is_whole = self.check(rest) == *check && u64::from_le_bytes(*node) == u64::from(nid.0);
        let [mtime, ctime, btime] = times else {
            return None;
        };
        let times = [mtime, ctime, btime].map(|time| i64::from_le_bytes(*time));
        is_whole.then(|| (u64::from_le_bytes(*size), Times::of_nanoseconds(times)))
    }

    /// Keeps size and times of the file of message `nid`.
    pub(super) fn put(&self, nid: NodeId, size: u64, times: Times) {
        let (Some(at), Some([mtime, ctime, btime])) = (place(nid), times.nanoseconds()) else {
            return;
        };
        if self.is_full.load(Ordering::Relaxed) {
            return;
        }
        let numbers = [u64::from(nid.0).to_le_bytes(), size.to_le_bytes()];
        let times = [mtime, ctime, btime].map(i64::to_le_bytes);
        let rest = [numbers.as_flattened(), times.as_flattened()].concat();
        let record = [&self.check(&rest), rest.as_slice()].concat();
        if let Err(error) = self.file.write_all_at(&record, at) {
            self.is_full.store(true, Ordering::Relaxed);
            log::warn!("size-cache: no more sizes are kept: {error}");
        }
    }

    fn check(&self, bytes: &[u8]) -> [u8; WORD] {
        XxHash3_64::oneshot_with_seed(self.seed, bytes).to_le_bytes()
    }
}

/// Where the record of `nid` is.
fn place(nid: NodeId) -> Option<u64> {
    let index = nid.index();
    (index < MAX_INDEX).then(|| KEY as u64 + u64::from(index) * RECORD as u64)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    const NID: NodeId = NodeId(0x20_0024);

    fn times() -> Times {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        Times {
            mtime: at(5),
            ctime: UNIX_EPOCH - Duration::from_nanos(1),
            btime: at(7),
        }
    }

    #[test]
    fn what_was_kept_is_there_for_the_same_key_alone() {
        let file = tempfile::tempfile().unwrap();
        let open = |key: u8| SizeCache::open(file.try_clone().unwrap(), &[key; KEY]).unwrap();
        open(1).put(NID, 1234, times());
        assert_eq!(open(1).get(NID), Some((1234, times())));
        assert_eq!(open(1).get(NodeId(NID.0 + 0x20)), None);
        assert_eq!(
            open(1).get(NID.with_type(crate::ndb::NodeType::ASSOC_MESSAGE)),
            None
        );
        assert_eq!(open(2).get(NID), None);
        assert_eq!(open(1).get(NID), None, "emptied by the other key");
    }

    #[test]
    fn a_record_that_is_not_whole_or_has_another_key_counts_as_none() {
        let file = tempfile::tempfile().unwrap();
        let cache = SizeCache::open(file.try_clone().unwrap(), &[1; KEY]).unwrap();
        cache.put(NID, 1234, times());
        let at = place(NID).unwrap();
        for byte in 0..RECORD as u64 {
            let mut old = [0];
            file.read_exact_at(&mut old, at + byte).unwrap();
            file.write_all_at(&[old[0] ^ 1], at + byte).unwrap();
            assert_eq!(cache.get(NID), None, "byte {byte}");
            file.write_all_at(&old, at + byte).unwrap();
        }
        assert_eq!(cache.get(NID), Some((1234, times())));
        // As a mount under another key that has the file open, too, would find it.
        file.write_all_at(&[2; KEY], 0).unwrap();
        let other = SizeCache::open(file, &[2; KEY]).unwrap();
        assert_eq!(other.get(NID), None);
    }
}
