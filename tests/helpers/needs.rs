//! What a test needs and cannot bring. Where a program of others is missing the test fails, and says how to get it: a judge
//! that is not there approves of everything. `OSTFS_WITHOUT_JUDGES=1` leaves such tests out. What no script can install, as
//! `/dev/fuse` and the real files, leaves out its tests with a word, but with `CI=true` fails them, too.
#![allow(dead_code)]

use std::fmt::Display;
use std::io::{Write, stderr};

/// Set to 1 where some of what tests need cannot be had.
const LEAVE_OUT: &str = "OSTFS_WITHOUT_JUDGES";
/// How programs that are packages of Debian come there.
pub const PACKAGE: &str = "scripts/test installs its package, or names it";

/// Whether tests that lack something are left out.
pub fn may_be_left_out() -> bool {
    std::env::var_os(LEAVE_OUT).is_some_and(|value| value == "1")
}

/// Whether `what` is there, as `is_there` says. If not, the test fails with how to get it, or is left out.
pub fn has(is_there: bool, what: impl Display, how_to_get_it: impl Display) -> bool {
    assert!(
        is_there || may_be_left_out(),
        "missing: {what}. {how_to_get_it}; {LEAVE_OUT}=1 leaves out the tests that need what is not there"
    );
    if !is_there {
        ignored(format_args!("no {what}"));
    }
    is_there
}

/// As [`has`], for what no script can install: unless `CI=true` its tests are left out.
pub fn is_given(is_there: bool, what: impl Display, how_to_get_it: impl Display) -> bool {
    if !is_there && std::env::var_os("CI").is_none_or(|value| value != "true") {
        ignored(format_args!("no {what}"));
        return false;
    }
    has(is_there, what, how_to_get_it)
}

/// Says that this test, or a part of it, is left out. For what nobody can install, as a feature of the kernel, that is all.
pub fn ignored(why: impl Display) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a part of a test");
    // The harness keeps to itself what the macros print, and cannot be told that a running test is ignored.
    writeln!(stderr(), "ignored: {test}: {why}").ok();
}
