//! Reading back what was made with programs that are not ours.
#![allow(dead_code)]

use std::path::Path;
use std::process::Command;

use ostfs::convert::Rendition;
use serde_json::Value as Json;

use crate::needs;

/// All bytes of `rendition`, read in steps that no line or block fits; the length must be the one it states.
pub fn bytes(rendition: &Rendition) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 100_003];
    loop {
        let read = rendition
            .read_at(bytes.len() as u64, &mut buffer)
            .expect("readable content");
        if read == 0 {
            break;
        }
        bytes.extend_from_slice(&buffer[..read]);
    }
    assert_eq!(bytes.len() as u64, rendition.len(), "stated length");
    bytes
}

/// Some ranges of `rendition`, the same on every run, must be those of `whole`.
pub fn assert_ranges(rendition: &Rendition, whole: &[u8], place: &str) {
    let mut state = whole.len() as u64 + 1;
    for _ in 0..40 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let offset = (state >> 20) as usize % (whole.len() + 10);
        let size = (state >> 8) as usize % 9000;
        let mut buffer = vec![0; size];
        let read = rendition
            .read_at(offset as u64, &mut buffer)
            .expect("readable range");
        let expected = &whole[offset.min(whole.len())..(offset + size).min(whole.len())];
        assert!(
            &buffer[..read] == expected,
            "{place}: {size} bytes at {offset}"
        );
    }
}

/// What Python's email package finds in each `.eml` of `folder`; None where Python is absent.
pub fn with_python(folder: &Path, options: &[&str]) -> Option<Vec<Json>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/mail.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(folder)
        .args(options)
        .output();
    if !needs::has(output.is_ok(), "python3", needs::PACKAGE) {
        return None;
    }
    let output = output.ok()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", folder.display());
    let lines = std::str::from_utf8(&output.stdout).unwrap().lines();
    Some(
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}
