//! The end of the file that grows: bytes that are collected, and written by a thread of their own while the next ones are.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;

use super::layout::SLOT;
use crate::ndb::BlockId;
use crate::ndb::crc::{crc, signature};
use crate::ndb::crypt::encode_permuted;

/// Bytes of a block behind its data.
const BLOCK_TRAILER: usize = 16;
/// Bytes that are written at once.
const BUFFER: usize = 1 << 20;
/// Stretches that wait to be written.
const WAITING: usize = 2;

/// Bytes that come next in the file.
#[derive(Default)]
pub(super) struct Stretch {
    at: u64,
    bytes: Vec<u8>,
    /// The blocks in it, which are still to be encoded and to get their trailers.
    blocks: Vec<Unsealed>,
}

/// A block as it is put into a stretch.
struct Unsealed {
    start: usize,
    len: usize,
    bid: BlockId,
}

impl Stretch {
    /// An empty one, which begins at byte `at`.
    pub fn new(at: u64) -> Self {
        Self {
            at,
            bytes: Vec::with_capacity(BUFFER),
            blocks: Vec::new(),
        }
    }

    /// The byte behind it.
    pub fn end(&self) -> u64 {
        self.at + self.bytes.len() as u64
    }

    /// Whether there is enough in it to be written.
    pub fn is_due(&self) -> bool {
        self.bytes.len() >= BUFFER
    }

    /// Bytes that a block with `len` bytes of data takes.
    pub fn extent(len: usize) -> usize {
        (len + BLOCK_TRAILER).next_multiple_of(SLOT as usize)
    }

    /// Adds `bytes` as they are.
    pub fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Adds `count` zeros.
    pub fn add_zeros(&mut self, count: usize) {
        self.bytes.resize(self.bytes.len() + count, 0);
    }

    /// Adds a block; all but an internal one is encoded.
    pub fn add_block(&mut self, data: &[u8], bid: BlockId) {
        let start = self.bytes.len();
        self.add(data);
        self.add_zeros(Self::extent(data.len()) - data.len());
        let len = data.len();
        self.blocks.push(Unsealed { start, len, bid });
    }

    /// Forgets all from byte `end` of the file on; begins there if that is before its beginning.
    pub fn cut(&mut self, end: u64) {
        match end.checked_sub(self.at) {
            Some(kept) => self.bytes.truncate(kept as usize),
            None => *self = Self::new(end),
        }
        let kept = self.bytes.len();
        self.blocks.retain(|block| block.start < kept);
    }

    /// Encodes its blocks and gives them their trailers. [MS-PST] 2.2.2.8.1
    fn seal(&mut self) {
        for block in &self.blocks {
            let Unsealed { start, len, bid } = *block;
            let extent = Self::extent(len);
            let Some(bytes) = self.bytes.get_mut(start..start + extent) else {
                continue;
            };
            let (data, rest) = bytes.split_at_mut(len);
            if !bid.is_internal() {
                encode_permuted(data);
            }
            let Some(trailer) = rest.last_chunk_mut::<BLOCK_TRAILER>() else {
                continue;
            };
            // cb, wSig, dwCRC, bid, as one number.
            let fields = u128::from(bid.0) << 64
                | u128::from(crc(data)) << 32
                | u128::from(signature(self.at + start as u64, bid)) << 16
                | len as u128;
            *trailer = fields.to_le_bytes();
        }
    }
}

/// A thread that writes stretches of a file, one after the other.
pub(super) struct Writer {
    stretches: SyncSender<Stretch>,
    written: Receiver<io::Result<()>>,
    under_way: usize,
}

impl Writer {
    /// Begins to write `file`. While stretches are under way, nobody else may move its position.
    pub fn new(file: File) -> io::Result<Self> {
        let (stretches, to_write) = sync_channel::<Stretch>(WAITING);
        let (done, written) = channel();
        thread::Builder::new().spawn(move || {
            for mut stretch in to_write {
                stretch.seal();
                if done
                    .send(write_at(&file, &stretch.bytes, stretch.at))
                    .is_err()
                {
                    break;
                }
            }
        })?;
        Ok(Self {
            stretches,
            written,
            under_way: 0,
        })
    }

    /// Has `stretch` written. What went wrong with an earlier one is an error.
    pub fn write(&mut self, stretch: Stretch) -> io::Result<()> {
        while let Ok(written) = self.written.try_recv() {
            self.under_way -= 1;
            written?;
        }
        self.stretches.send(stretch).map_err(|_| ended())?;
        self.under_way += 1;
        Ok(())
    }

    /// Waits until all is written.
    pub fn wait(&mut self) -> io::Result<()> {
        while self.under_way > 0 {
            self.under_way -= 1;
            self.written.recv().map_err(|_| ended())??;
        }
        Ok(())
    }
}

fn ended() -> io::Error {
    io::Error::other("the thread that writes has ended")
}

/// Writes `bytes` at `offset`, by the two calls that the sandbox has for it.
pub(super) fn write_at(mut file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(bytes)
}
