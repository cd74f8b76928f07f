//! What holds whichever thread is the faster one. Each promise is tried in so many orders of the threads, chosen at random and by
//! probabilistic concurrency testing, which seeks orders that few switches in a bad place make; where the threads are few and short,
//! in all. A thread that waits for nobody is a failure. The order that fails is printed, and `shuttle::replay` has it again.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use ostfs_interleavings::cache::ByteLru;
use ostfs_interleavings::convert::permits::Permits;
use ostfs_interleavings::error::Result;
use ostfs_interleavings::export::Batches;
use ostfs_interleavings::fuse::ReadAhead;
use ostfs_interleavings::ndb::kept::{Lru, Map, Once};
use ostfs_interleavings::tree::{Forest, Ino};
use shuttle::sync::{Arc, Barrier};
use shuttle::{future, thread};

/// Orders that are tried of a promise in each of the two ways; `OSTFS_INTERLEAVINGS` has another number.
const ORDERS: usize = 2000;
/// Switches in a bad place that an order is sought for.
const SWITCHES: usize = 3;

fn orders() -> usize {
    let orders = std::env::var("OSTFS_INTERLEAVINGS").ok();
    orders.map_or(ORDERS, |orders| orders.parse().unwrap())
}

fn in_orders(promise: fn(), orders: usize) {
    shuttle::check_random(promise, orders);
    shuttle::check_pct(promise, orders, SWITCHES);
}

fn in_many_orders(promise: fn()) {
    in_orders(promise, orders());
}

fn in_all_orders(promise: fn()) {
    shuttle::check_dfs(promise, None);
}

/// A value that knows which thread has made it, made in steps between which others run; the thread 0 fails.
fn make(thread: u64) -> Result<u64> {
    thread::yield_now();
    match thread {
        0 => Err("failed"),
        thread => Ok(thread),
    }
}

/// What threads get, each of which knows its number.
fn of_threads<T: Send + 'static>(
    numbers: Range<u64>,
    get: impl Fn(u64) -> T + Clone + Send + 'static,
) -> Vec<T> {
    let spawn = |number| {
        let get = get.clone();
        thread::spawn(move || get(number))
    };
    let threads: Vec<_> = numbers.map(spawn).collect();
    let joined = threads.into_iter().map(|thread| thread.join().unwrap());
    joined.collect()
}

/// The value that all have got but the thread 0, which may have its own error.
fn the_one(got: &[Result<u64>]) -> u64 {
    let values: Vec<u64> = got.iter().copied().flatten().collect();
    assert!(got.len() - values.len() <= 1, "{got:?}");
    assert!(values.iter().all(|value| *value == values[0]), "{got:?}");
    values[0]
}

fn once_is_made_once(numbers: Range<u64>) {
    let once = Arc::new(Once::default());
    let other = Arc::clone(&once);
    let get = move |number| other.get_or_make(|| make(number)).copied();
    let got = of_threads(numbers, get);
    assert_eq!(once.get(), Some(&the_one(&got)));
}

fn a_map_keeps_the_first(numbers: Range<u64>) {
    let map = Arc::new(Map::default());
    let other = Arc::clone(&map);
    let get = move |number| other.get_or_make(7, || make(number));
    let got = of_threads(numbers, get);
    assert_eq!(map.get_or_make(7, || make(0)), Ok(the_one(&got)));
}

fn a_cache_keeps_the_first(numbers: Range<u64>, weight: usize) {
    let lru = Arc::new(Lru::new(BOUND, 1));
    let other = Arc::clone(&lru);
    let get = move |number| other.get_or_make(7, |_| weight, || make(number));
    let got = of_threads(numbers, get);
    assert_eq!(lru.get(&7), Some(the_one(&got)));
}

#[test]
fn all_threads_get_the_value_that_is_in_first_and_no_error_is_kept() {
    in_all_orders(|| once_is_made_once(1..3));
    in_all_orders(|| a_map_keeps_the_first(1..3));
    in_all_orders(|| a_cache_keeps_the_first(1..3, WEIGHT));
    in_all_orders(|| a_cache_keeps_the_first(1..3, LARGE));
    in_many_orders(|| once_is_made_once(0..4));
    in_many_orders(|| a_map_keeps_the_first(0..4));
    in_many_orders(|| a_cache_keeps_the_first(0..4, WEIGHT));
    in_many_orders(|| a_cache_keeps_the_first(0..4, LARGE));
}

/// Weights of values in bytes: so many fit into a cache of `BOUND` bytes, a quarter of which is for others; and one that is over the
/// bound of any cache here.
const WEIGHT: usize = 200;
const FIT: usize = 3;
const LARGE: usize = 5000;
const BOUND: u64 = 1200;

#[test]
fn a_cache_keeps_its_bound_and_gives_the_value_of_the_key_whoever_uses_it_meanwhile() {
    in_many_orders(|| {
        let cache = Arc::new(ByteLru::new(BOUND, 1));
        let other = Arc::clone(&cache);
        of_threads(0..3, move |number| {
            for key in [number, number + 1, 9, number + 2] {
                let weight = if key == 9 { LARGE } else { WEIGHT };
                assert_eq!(other.insert(key, key * 10, weight), key * 10);
                assert!(other.get(&key).is_none_or(|value| value == key * 10));
                if key == 2 {
                    other.remove(&key);
                }
            }
        });
        let kept = (0..9).filter(|key| cache.get(key).is_some()).count();
        assert!(kept <= FIT, "{kept} kept");
        // What is counted as used is what is there: as many fit when all others are gone.
        for key in 100..200 {
            cache.insert(key, key, WEIGHT);
        }
        let kept = (100..200).filter(|key| cache.get(key).is_some()).count();
        assert_eq!(kept, FIT);
        assert_eq!(cache.get(&9), Some(90));
    });
}

/// Bytes of text that may be in the making.
const ROOM: u64 = 8;

#[test]
fn everybody_gets_room_for_text_and_never_more_than_all_of_it_together() {
    in_many_orders(|| {
        let permits = Arc::new((Permits::new(ROOM), AtomicU64::new(0)));
        of_threads(0..4, move |number| {
            for bytes in [number * 3, 5, 100] {
                let (permits, used) = &*permits;
                let _permit = permits.take(bytes);
                let taken = bytes.min(ROOM);
                assert!(used.fetch_add(taken, Ordering::SeqCst) + taken <= ROOM);
                thread::yield_now();
                used.fetch_sub(taken, Ordering::SeqCst);
            }
        });
    });
}

#[test]
fn two_texts_that_fit_beside_each_other_are_made_at_the_same_time() {
    in_many_orders(|| {
        let permits = Arc::new((Permits::new(ROOM), Barrier::new(2)));
        let first = permits.0.take(ROOM);
        let spawn = |_| {
            let permits = Arc::clone(&permits);
            thread::spawn(move || {
                let _permit = permits.0.take(ROOM / 2);
                // Neither ends before the other has its room, too.
                permits.1.wait();
            })
        };
        let threads: Vec<_> = (0..2).map(spawn).collect();
        thread::yield_now();
        drop(first);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn an_export_waits_for_all_batches_and_for_no_more() {
    in_many_orders(|| {
        let batches = Arc::new((Batches::default(), AtomicU64::new(0)));
        let mut threads = Vec::new();
        for _ in 0..3 {
            batches.0.add_one();
            let batches = Arc::clone(&batches);
            threads.push(thread::spawn(move || {
                batches.0.write(|| {
                    thread::yield_now();
                    batches.1.fetch_add(1, Ordering::SeqCst);
                });
            }));
        }
        batches.0.wait();
        assert_eq!(batches.1.load(Ordering::SeqCst), 3);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// Requests of the kernel for a file that is read in order, some of which come before those in front of them.
const REQUEST: u64 = 64 << 10;
const ORDER: [u64; 14] = [0, 1, 2, 3, 5, 4, 6, 7, 9, 8, 10, 11, 13, 12];

/// Reads of `file` in this order of requests, of which all that is answered is right.
fn read_in_order(ahead: &(ReadAhead, Forest), file: Ino, order: &[u64]) {
    for request in order {
        let offset = request * REQUEST;
        ahead.0.looked_up(Ino(50));
        if let Some(bytes) = ahead.0.read(file, offset, REQUEST as usize) {
            let len = REQUEST.min(ahead.1.size - offset);
            assert_eq!(bytes.len() as u64, len);
            for at in (0..len).step_by(1021) {
                assert_eq!(bytes[at as usize], Forest::byte(file, offset + at));
            }
        }
    }
}

/// Files of so many bytes, and two threads that work ahead.
fn ahead_of_files(size: u64) -> Arc<(ReadAhead, Forest)> {
    let ahead = Arc::new((ReadAhead::default(), Forest::new(size, 40)));
    // They work for ever: tasks that need not end, which only futures are.
    for _ in 0..2 {
        let ahead = Arc::clone(&ahead);
        drop(future::spawn(async move { ahead.0.work(&ahead.1) }));
    }
    ahead
}

#[test]
fn who_reads_a_file_never_waits_for_bytes_that_nobody_reads_and_gets_those_of_the_file() {
    fn promise() {
        let ahead = ahead_of_files(13 * REQUEST + 100);
        // One file more than are read ahead, so that each may be given up at any time, and one that two read.
        of_threads(0..6, move |number| {
            read_in_order(&ahead, Ino(1 + 100 * (number % 5)), &ORDER);
        });
    }
    // Each takes ten times as long as those of the others.
    in_orders(promise, orders() / 10);
}

#[test]
fn who_reads_file_after_file_gets_the_bytes_of_each_while_another_does_the_same() {
    fn promise() {
        let ahead = ahead_of_files(REQUEST + 100);
        of_threads(0..2, move |number| {
            for file in 1..=24 {
                read_in_order(&ahead, Ino(100 * number + file), &[0, 1]);
            }
        });
    }
    in_orders(promise, orders() / 10);
}

/// A file that is read before those that are listed in front of it, and once more when its turn comes.
const COMES_BACK: [u64; 9] = [8, 2, 3, 4, 5, 6, 7, 8, 9];

#[test]
fn who_comes_back_to_a_file_never_waits_for_a_beginning_that_nobody_reads() {
    fn promise() {
        let ahead = ahead_of_files(REQUEST + 100);
        of_threads(0..2, move |number| {
            for file in COMES_BACK {
                read_in_order(&ahead, Ino(100 * number + file), &[0, 1]);
            }
        });
    }
    in_orders(promise, orders() / 10);
}
