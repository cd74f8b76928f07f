//! `ostfs search --index DIR` and `ostfs mount -o index=DIR`: the word index of each file.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use jiff::Zoned;
use parking_lot::Mutex;

use super::exit::Exit;
use super::kept;
use super::progress;
use super::report::{self, Failure};
use super::source::Sources;
use crate::export::Progress;
use crate::ndb::Source;
use crate::output::shown;
use crate::search::{Indexing, PdfReader, Query, RuledOut, WordIndex};
use crate::tree::{Forest, Ino, Options, Tree};

/// The word indexes of sources, in their order; None for one that could not be opened.
pub(super) struct WordIndexes(Vec<Option<WordIndex>>);

/// What is looked for.
pub(super) struct Asked<'a> {
    pub query: &'a Query,
    pub now: &'a Zoned,
    pub options: &'a Options,
    pub threads: usize,
    pub pdf: Option<&'a dyn PdfReader>,
}

impl WordIndexes {
    /// Opens those of `sources` in `directory`, which `option` names. It is made if it is not there, and must not be where one of
    /// them lies; none without a directory.
    pub fn open(
        option: &str,
        directory: Option<&Path>,
        sources: &Sources<'_>,
        options: &Options,
    ) -> Result<Self, Failure> {
        let Some(directory) = directory else {
            return Ok(Self(Vec::new()));
        };
        let fail = |exit, reason: String| {
            Failure::new(exit, format!("{option}{}: {reason}", shown(directory)))
        };
        let mut files = sources.paths().into_iter();
        if let Some(file) = files.find(|file| is_beside(directory, file)) {
            let file = shown(file);
            let reason = format!("nothing is written beside {file}; give another directory");
            return Err(fail(Exit::Usage, reason));
        }
        let open = |(file, source): (&Path, Option<&Source>)| {
            let Some(source) = source else {
                return Ok(None);
            };
            let kept = kept::open(directory, file, ".words")?;
            Ok(Some(WordIndex::new(kept, kept::key(source, options)?)))
        };
        let indexes: io::Result<_> = sources.iter().map(open).collect();
        indexes.map(Self).map_err(|error| {
            fail(
                Exit::Failure,
                format!("{error}; {}", report::elsewhere(&error)),
            )
        })
    }

    /// Those for the queries of a mount that shows `forest`, which the sources were made into.
    pub fn of_forest(self, forest: &Forest) -> BTreeMap<u8, Mutex<WordIndex>> {
        let indexes = by_number(self.0, forest).into_iter();
        indexes
            .map(|(file, index)| (file, Mutex::new(index)))
            .collect()
    }

    /// What each rules out.
    pub fn rule_out(&self, sources: &Sources<'_>, asked: &Asked<'_>) -> Vec<Option<RuledOut>> {
        let indexed = sources.iter().zip(&self.0);
        indexed
            .map(|((file, source), index)| rule_out(index.as_ref()?, file, source?, asked))
            .collect()
    }
}

/// What there is of each of the files that `forest` was made of, by the numbers that these have there.
pub(super) fn by_number<T>(each: Vec<Option<T>>, forest: &Forest) -> BTreeMap<u8, T> {
    let each = each.into_iter().enumerate();
    each.filter_map(|(index, one)| Some((forest.top_of(index)?.file(), one?)))
        .collect()
}

/// What `index` of `file` rules out. It is made first if it is not there; one that cannot be made is told, and the search does
/// without.
fn rule_out(
    index: &WordIndex,
    file: &Path,
    source: &Source,
    asked: &Asked<'_>,
) -> Option<RuledOut> {
    index.ruled_out(asked.query, || {
        // A tree of its own: what is wrong with items that the query does not ask for is no problem of the search.
        let tree = Tree::of_source(source.clone(), asked.options, progress::scan());
        let forest = tree.ok().and_then(|tree| Forest::new(vec![(file, tree)]));
        if let Some(forest) = forest {
            make(index, &forest, asked);
        }
    })
}

/// Makes `index` of the only file of `forest`.
fn make(index: &WordIndex, forest: &Forest, asked: &Asked<'_>) {
    let indexing = Indexing {
        forest,
        top: Ino::ROOT,
        now: asked.now,
        threads: asked.threads,
        pdf: asked.pdf,
    };
    let running = Progress::default();
    let written = progress::of_items(
        "indexing",
        || forest.count_items(),
        &running,
        || indexing.write(index, &running.items),
    );
    if let Err(error) = written {
        report::error(format_args!("--index: no words are kept: {error}"));
    }
}

/// Whether `file` lies in `directory`.
fn is_beside(directory: &Path, file: &Path) -> bool {
    let file = fs::canonicalize(file).ok();
    let parent = file.as_deref().and_then(Path::parent);
    parent.is_some_and(|parent| fs::canonicalize(directory).is_ok_and(|own| own == parent))
}
