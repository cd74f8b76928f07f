//! Replays what the fuzz targets found, and their first inputs, with the functions that the targets call: none may
//! panic, and none take long.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::fuzzed::{TARGETS, Target, seeds};
use crate::walk::cpu_time;

/// A fuzzer calls 10 seconds too long; this is time of a processor, without the optimisations.
const LIMIT: Duration = Duration::from_secs(30);
/// Whatever takes so long on the busiest machine does not end.
const ENDLESS: Duration = Duration::from_secs(600);

fn run(name: &str, target: Target, input: Vec<u8>) {
    let (sender, receiver) = channel();
    let worker = std::thread::spawn(move || {
        cpu_time::within(LIMIT, || target(&input));
        sender.send(()).expect("somebody waits");
    });
    match receiver.recv_timeout(ENDLESS) {
        Ok(()) => {}
        Err(RecvTimeoutError::Timeout) => panic!("{name} takes more than {ENDLESS:?}"),
        Err(RecvTimeoutError::Disconnected) => {
            println!("{name}");
            std::panic::resume_unwind(worker.join().expect_err("it sent nothing"))
        }
    }
}

#[test]
fn what_was_found_stays_mended() {
    for (name, target) in TARGETS {
        let folder = format!("{}/fuzz/findings/{name}", env!("CARGO_MANIFEST_DIR"));
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("an entry").path();
            let input = std::fs::read(&path).expect("a finding");
            run(&path.display().to_string(), target, input);
        }
    }
}

#[test]
fn first_inputs_keep_the_promises() {
    let seeds = seeds::all();
    for (name, target) in TARGETS {
        let of_target = seeds.iter().filter(|seed| seed.0 == name);
        assert!(of_target.clone().count() > 3, "{name}");
        for (_, seed, input) in of_target {
            run(&format!("{name}/{seed}"), target, input.clone());
        }
    }
}
