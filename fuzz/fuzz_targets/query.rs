#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ostfs_fuzz::fuzzed::query::run(data));
