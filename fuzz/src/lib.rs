//! The fuzz targets call what `tests/hostile/fuzz_findings.rs` calls too; here is what only libFuzzer needs.

#[path = "../../tests/fuzzed/mod.rs"]
pub mod fuzzed;
#[path = "../../tests/support/mod.rs"]
pub mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that a target may hold at a time: caches, what is read of one message, and what it becomes.
const LIMIT: usize = 256 << 20;

/// Ends the process when more memory is asked for than any input may take. The crate has no unsafe code, so that a
/// count of bytes finds what a sanitizer would, at a fraction of its cost.
struct Bounded;

static HELD: AtomicUsize = AtomicUsize::new(0);

fn hold(bytes: usize) {
    if HELD.fetch_add(bytes, Ordering::Relaxed) + bytes > LIMIT {
        eprintln!("{bytes} bytes more than the {LIMIT} that an input may take");
        std::process::abort();
    }
}

unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        hold(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        hold(size);
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Bounded = Bounded;

/// A target whose inputs are records, which are changed one by one.
#[macro_export]
macro_rules! target_of_records {
    ($target:ident) => {
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::fuzzed::$target::run(data));
        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
            let mut bytes = libfuzzer_sys::fuzzer_mutate;
            $crate::fuzzed::mutate::mutate(data, size, most, seed, &mut bytes)
        });
    };
}
