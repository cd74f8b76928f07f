//! What the kernel keeps of a file in memory: asking it to read ahead, and whether it has done so.
#![allow(unsafe_code, reason = "cachestat(2) is in no safe library")]

use std::fs::{self, File};
use std::io::IoSliceMut;
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::fd::AsRawFd;

use rustix::fs::{Advice, fadvise};
use rustix::io::{Errno, ReadWriteFlags, preadv2};

/// cachestat(2), since Linux 6.5; its number is the same on all architectures.
pub(crate) const SYS_CACHESTAT: libc::c_long = 451;

#[repr(C)]
struct CachestatRange {
    offset: u64,
    length: u64,
}

#[repr(C)]
#[derive(Default)]
struct Cachestat {
    cached: u64,
    dirty: u64,
    writeback: u64,
    evicted: u64,
    recently_evicted: u64,
}

/// Has the kernel read these bytes of `file` in the background. It may decline.
pub(crate) fn will_need(file: &File, range: Range<u64>) {
    let length = NonZeroU64::new(range.end.saturating_sub(range.start));
    if length.is_some() {
        fadvise(file, range.start, length, Advice::WillNeed).ok();
    }
}

/// Has the kernel read what is asked for of `file` and no more: what it guesses from several readers at once is of no use.
pub(crate) fn read_as_asked(file: &File) {
    fadvise(file, 0, None, Advice::Random).ok();
}

/// Whether the page at byte `offset` of `file` is in memory, or on its way there. None where the kernel does not report it.
pub(crate) fn is_cached(file: &File, offset: u64) -> Option<bool> {
    is_kept(file, offset).or_else(|| is_read_at_once(file, offset))
}

/// By cachestat(2), which is there since Linux 6.5.
fn is_kept(file: &File, offset: u64) -> Option<bool> {
    let range = CachestatRange { offset, length: 1 };
    let mut figures = Cachestat::default();
    let none: libc::c_uint = 0;
    // SAFETY: both structures are laid out as cachestat(2) specifies, and live through the call.
    let result =
        unsafe { libc::syscall(SYS_CACHESTAT, file.as_raw_fd(), &range, &mut figures, none) };
    (result == 0).then_some(figures.cached > 0)
}

/// By a read that does not wait for the disk, since Linux 4.14 on most filesystems. It may set the kernel reading.
fn is_read_at_once(file: &File, offset: u64) -> Option<bool> {
    let mut byte = [0];
    match preadv2(
        file,
        &mut [IoSliceMut::new(&mut byte)],
        offset,
        ReadWriteFlags::NOWAIT,
    ) {
        Ok(_) => Some(true),
        Err(Errno::AGAIN) => Some(false),
        Err(_) => None,
    }
}

/// Bytes of memory that programs can still take without others being driven out: `MemAvailable` of proc_meminfo(5). 0 where
/// the kernel does not report it.
pub(crate) fn available_memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0).saturating_mul(1 << 10)
}
