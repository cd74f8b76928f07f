//! The language of `ostfs search`: whatever is typed ends in an answer or in one line that names what is wrong.

use std::sync::LazyLock;

use ostfs::cli::{self, Exit};

use super::scratch::Scratch;
use super::seeds;

/// Items of all kinds, to be looked for.
static STORE: LazyLock<Scratch> = LazyLock::new(seeds::items);
/// How a search ends that was one: something was found, or nothing (grep(1)), or a folder that the query names is not there.
const SEARCHED: [Exit; 2] = [Exit::Failure, Exit::NotFound];

pub fn run(data: &[u8]) {
    let query = String::from_utf8_lossy(data);
    // The system hands over no argument with a NUL in it, and an option is none of a query.
    let query = query.replace('\0', " ");
    if query.is_empty() {
        // No argument of any command may be empty, which the usage says in several lines.
        return;
    }
    let words = ["ostfs", "search", "--count", "-o", "sandbox=off", "--"].map(Into::into);
    let ends = [STORE.path.clone().into(), query.clone().into()];
    let Err(failure) = cli::run(words.into_iter().chain(ends).collect()) else {
        return;
    };
    let line = &failure.message;
    assert!(!line.contains('\n'), "{query:?}: {line:?}");
    if failure.exit == Exit::Usage {
        let column = line
            .strip_prefix("QUERY, column ")
            .and_then(|rest| rest.split(':').next());
        let column: usize = column
            .and_then(|column| column.parse().ok())
            .unwrap_or_else(|| panic!("{query:?}: {line}"));
        // What is missing at the end is one column behind it.
        assert!(
            (1..=query.chars().count() + 1).contains(&column),
            "{query:?}: {line}"
        );
        return;
    }
    assert!(SEARCHED.contains(&failure.exit), "{query:?}: {failure:?}");
}
