//! The peak of memory of the real binary, and what it takes of processors.
#![allow(dead_code)]

use std::process::Command;
use std::time::Duration;

use crate::mounted::OSTFS;

pub const MIB: u64 = 1 << 20;
/// A process of its own between this one and what is measured, which would else start with the memory of this one.
/// Prints what it measured, and ends as what it started.
const MEASURE: &str = "import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_maxrss, used.ru_utime + used.ru_stime)
sys.exit(code)";
/// Exit codes of a program that has said what it found, and was not broken by it.
const ENDS: std::ops::RangeInclusive<i32> = 0..=8;

/// What a process took.
pub struct Used {
    /// Its largest resident set, in bytes.
    pub peak: u64,
    /// Time of processors, of all its threads.
    pub cpu: Duration,
}

/// What `ostfs` takes.
pub fn used_by(arguments: &[&str]) -> Used {
    let output = Command::new("python3")
        .args(["-c", MEASURE, OSTFS])
        .args(arguments)
        .output()
        .unwrap();
    let code = output.status.code().unwrap();
    assert!(ENDS.contains(&code), "{arguments:?} ends with {code}");
    let text = String::from_utf8(output.stdout).unwrap();
    let (peak, seconds) = text.trim().split_once(' ').expect("two numbers");
    Used {
        peak: peak.parse::<u64>().unwrap() * 1024,
        cpu: Duration::from_secs_f64(seconds.parse().unwrap()),
    }
}

/// Largest resident set of `ostfs`, in bytes.
pub fn peak_of(arguments: &[&str]) -> u64 {
    used_by(arguments).peak
}

pub fn within(what: &str, peak: u64, bound: u64) {
    println!("{what}: {:.1} MiB", peak as f64 / MIB as f64);
    assert!(peak <= bound, "{what}: {peak} bytes, at most {bound}");
}
