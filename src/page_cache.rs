//! What the kernel keeps of a file in memory: asking it to read ahead, and whether it has done so.
#![allow(unsafe_code)]

use std::fs::{self, File};
use std::ops::Range;
use std::os::fd::AsRawFd;

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
    let offset = libc::off_t::try_from(range.start);
    let length = libc::off_t::try_from(range.end.saturating_sub(range.start));
    if let (Ok(offset), Ok(length)) = (offset, length) {
        // SAFETY: takes numbers alone; the file is open.
        unsafe {
            libc::posix_fadvise(file.as_raw_fd(), offset, length, libc::POSIX_FADV_WILLNEED);
        }
    }
}

/// Has the kernel read what is asked for of `file` and no more: what it guesses from several readers at once is of no use.
pub(crate) fn read_as_asked(file: &File) {
    // SAFETY: takes numbers alone; the file is open.
    unsafe {
        libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_RANDOM);
    }
}

/// Whether the page at byte `offset` of `file` is in memory, or on its way there. None where the kernel does not report it.
pub(crate) fn is_cached(file: &File, offset: u64) -> Option<bool> {
    let range = CachestatRange { offset, length: 1 };
    let mut figures = Cachestat::default();
    let none: libc::c_uint = 0;
    // SAFETY: both structures are laid out as cachestat(2) says, and live through the call.
    let result =
        unsafe { libc::syscall(SYS_CACHESTAT, file.as_raw_fd(), &range, &mut figures, none) };
    (result == 0).then_some(figures.cached > 0)
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
