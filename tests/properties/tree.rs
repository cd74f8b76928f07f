//! What is shown of a file depends on the file alone, and any range of it is the slice of the whole.

use std::sync::Barrier;
use std::thread;

use ostfs::tree::{Kind, Options, Tree};
use proptest::prelude::*;
use proptest::sample::select;

use crate::mailbox::mailbox;
use crate::runner::holds;
use crate::shown::{Picture, at, open, picture, shown, ways};
use crate::support::Prng;

/// Caches that hold nothing, little, and all.
const CACHES: [u64; 3] = [0, 1 << 20, Options::DEFAULT_CACHE];
/// Ranges that are read of each file.
const RANGES: usize = 3;
/// More than a block of any format.
const LONGEST_RANGE: u64 = 70_000;

/// One of the ways to show a file, with one of the caches.
fn options() -> impl Strategy<Value = Options> {
    let way = select(ways().to_vec());
    (way, select(&CACHES[..])).prop_map(|(way, cache)| Options { cache, ..way })
}

#[test]
fn a_range_of_any_file_is_the_slice_of_the_whole() {
    let input = (mailbox(6), options(), any::<u64>());
    holds("ranges", 60, input, |(mailbox, options, seed)| {
        let (_directory, file) = mailbox.written();
        let whole = picture(&open(&file, &options));
        // Of another tree, which has not read anything before.
        let tree = open(&file, &options);
        let mut random = Prng(seed);
        for (path, shown) in whole.iter().filter(|(_, shown)| shown.kind == Kind::File) {
            let ino = at(&tree, path);
            for _ in 0..RANGES {
                let offset = random.below(shown.size + 2);
                let mut range = vec![0; random.below(LONGEST_RANGE) as usize];
                let left = shown.size.saturating_sub(offset) as usize;
                let count = range.len().min(left);
                let read = tree.read_at(ino, offset, &mut range);
                if shown.content.is_empty() {
                    continue;
                }
                assert_eq!(read.unwrap(), count, "{path}: {offset} of {}", shown.size);
                let expected = &shown.content[offset.min(shown.size) as usize..][..count];
                assert!(
                    range[..count] == *expected,
                    "{path}: {count} bytes at {offset}"
                );
            }
        }
    });
}

#[test]
fn the_order_of_requests_the_cache_and_the_number_of_threads_do_not_show() {
    let input = (mailbox(6), options(), 1_usize..5, any::<u64>());
    holds(
        "requests",
        60,
        input,
        |(mailbox, options, threads, seed)| {
            let (_directory, file) = mailbox.written();
            let usual = Options {
                cache: Options::DEFAULT_CACHE,
                ..options.clone()
            };
            let expected = picture(&open(&file, &usual));
            let tree = open(&file, &options);
            let together = Barrier::new(threads);
            thread::scope(|scope| {
                for thread in 0..threads as u64 {
                    let (tree, expected, together) = (&tree, &expected, &together);
                    scope.spawn(move || {
                        let order = shuffled(expected, seed ^ thread);
                        together.wait();
                        asked_for(tree, expected, &order);
                    });
                }
            });
        },
    );
}

/// Asks for all files in `order`; each has to be what is expected.
fn asked_for(tree: &Tree, expected: &Picture, order: &[&str]) {
    for path in order {
        let found = shown(tree, at(tree, path));
        assert!(found == expected[*path], "{path} is another");
    }
}

/// The paths of `picture` in an order of chance.
fn shuffled(picture: &Picture, seed: u64) -> Vec<&str> {
    let mut paths: Vec<&str> = picture.keys().map(String::as_str).collect();
    let mut random = Prng(seed);
    for last in (1..paths.len()).rev() {
        paths.swap(last, random.below(last as u64 + 1) as usize);
    }
    paths
}
