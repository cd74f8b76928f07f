//! Tries a property: a fixed number of cases from a fixed seed, or other ones for as long as the environment says.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, FileFailurePersistence, RngAlgorithm, TestRng, TestRunner};

/// How long each property is tried, instead of the fixed number of cases.
const SECONDS: &str = "OSTFS_PROPERTY_SECONDS";
/// The first seed of such a run, to have it again; else the clock gives one.
const SEED: &str = "OSTFS_PROOF_SEED";
/// The seed of the fixed cases.
const FIXED_SEED: u64 = 21;
/// A smaller case is looked for so long.
const SHRINKING: Duration = Duration::from_secs(60);

/// Asserts that `property`, which panics if not, holds of `cases` values of `strategy`. Seeds of those for which it does not are
/// kept in the file of this name.
pub fn holds<S: Strategy>(name: &str, cases: u32, strategy: S, property: impl Fn(S::Value)) {
    let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    let Some(seconds) = number(SECONDS) else {
        return round(name, cases, FIXED_SEED, &strategy, &property);
    };
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let first = number(SEED).unwrap_or_else(|| clock().as_secs());
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut tried: u64 = 0;
    for seed in first.. {
        if Instant::now() >= end {
            break;
        }
        round(name, cases, seed, &strategy, &property);
        tried += u64::from(cases);
    }
    println!("{name}: {tried} cases, {SEED}={first}");
}

fn round<S: Strategy>(
    name: &str,
    cases: u32,
    seed: u64,
    strategy: &S,
    property: &impl Fn(S::Value),
) {
    let root = env!("CARGO_MANIFEST_DIR");
    let kept = format!("{root}/tests/properties/seeds/{name}.txt").leak();
    let config = Config {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(kept))),
        max_shrink_time: SHRINKING.as_millis() as u32,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let tried = TestRunner::new_with_rng(config, rng).run(strategy, |value| {
        property(value);
        Ok(())
    });
    if let Err(failure) = tried {
        panic!("{name}, {SEED}={seed}: {failure}");
    }
}
