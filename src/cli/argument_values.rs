//! What the values of arguments may be.

use std::time::Duration;

use clap::builder::{NonEmptyStringValueParser, RangedU64ValueParser};

use super::options;

/// The largest value of `--jobs`.
const MAX_JOBS: u64 = 1024;

/// What is looked for. Nothing, as of a variable of the shell that is not set, would be found everywhere.
pub(super) fn text() -> NonEmptyStringValueParser {
    NonEmptyStringValueParser::new()
}

/// How many threads may be asked for: more than any machine has processors for.
pub(super) fn jobs() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=MAX_JOBS)
}

/// As `-o idle_timeout=` takes it.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    options::duration(text).map_err(|wanted| format!("give {wanted}"))
}

/// As `-o cache=` takes it.
pub(super) fn size(text: &str) -> Result<u64, String> {
    options::size(text).map_err(|wanted| format!("give {wanted}"))
}
