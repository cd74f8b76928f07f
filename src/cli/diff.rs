//! `ostfs diff A B`: what sets two files apart, item by item, and for each folder in figures.
#![forbid(unsafe_code)]

use std::io::{self, BufWriter, Write};
use std::slice;

use serde::Serialize;

use super::arguments::DiffArguments;
use super::exit::Exit;
use super::export::{CACHE, filter};
use super::options::{Options, Switch};
use super::progress;
use super::report::{self, Failure, printable};
use super::source::Sources;
use crate::compare::{Counts, Difference, Differences};
use crate::export::Progress;
use crate::ltp::tags;
use crate::output;
use crate::sandbox::{self, Need};

/// The columns of figures: `in A` is `same`, `changed`, `away` and `only A`; `in B` is `same`, `changed`, `here` and `only B`.
const HEADS: [&str; 8] = [
    "in A", "in B", "same", "changed", "away", "here", "only A", "only B",
];

/// Properties that people know under a name, for text that is read by them.
const WORDS: [(u16, &str); 10] = [
    (tags::IMPORTANCE, "importance"),
    (tags::SENSITIVITY, "sensitivity"),
    (tags::TRANSPORT_MESSAGE_HEADERS, "header"),
    (tags::BODY, "text body"),
    (tags::RTF_COMPRESSED, "RTF body"),
    (tags::HTML, "HTML body"),
    (tags::INTERNET_MESSAGE_ID, "Message-ID"),
    (tags::LAST_VERB_EXECUTED, "answered or forwarded"),
    (tags::FLAG_STATUS, "flag"),
    (tags::LAST_MODIFIER_NAME, "last editor"),
];
/// How the name of the property with the categories ends, and what people call it.
const CATEGORIES: (&str, &str) = (" Keywords", "categories");

/// How a comparison ended that could be made.
struct Compared {
    differs: bool,
    /// Items that are not whole, and problems that belong to no item.
    damaged: u64,
    problems: u64,
}

/// Compares the two files. As diff(1) has it, 1 states that they differ, so any other failure is a 2.
pub(super) fn run(arguments: &DiffArguments) -> Result<(), Failure> {
    let compared = compare(arguments).map_err(|failure| match failure.exit {
        Exit::Failure => Failure::new(Exit::NotFound, failure.message),
        _ => failure,
    })?;
    match compared {
        Compared {
            damaged: 0,
            problems: 0,
            differs,
        } => match differs {
            true => Err(Failure::new(Exit::Failure, "")),
            false => Ok(()),
        },
        Compared {
            damaged, problems, ..
        } => Err(Failure::new(
            Exit::ErrorsFound,
            format!(
                "{}, {}; ostfs check tells of each file what is wrong",
                report::counted(damaged, "damaged item"),
                report::counted(problems, "problem")
            ),
        )),
    }
}

fn compare(arguments: &DiffArguments) -> Result<Compared, Failure> {
    let options = Options::of_user(&[CACHE], &arguments.options, &None)?;
    let filter = filter(&arguments.filter)?;
    let open = |path| Sources::open(slice::from_ref(path)).map(Sources::beside_others);
    let (a, b) = (open(&arguments.a)?, open(&arguments.b)?);
    if options.sandbox == Switch::On {
        sandbox::enter(Need::OpenFiles);
    }
    let forest = |sources: Sources<'_>| sources.forest(&options.tree);
    let ((a, _), (b, _)) = (forest(a)?, forest(b)?);
    let running = Progress::default();
    let count = || a.count_items() + b.count_items();
    let differences = progress::of_items("comparing", count, &running, || {
        Differences::find(
            (&a, &filter),
            (&b, &filter),
            progress::processors(),
            &running,
        )
    });
    report::printed(tell(&differences, arguments.json))?;
    let counts = differences.folders();
    Ok(Compared {
        differs: counts.values().any(differs),
        damaged: differences.damaged(),
        problems: a.problem_count() + b.problem_count(),
    })
}

fn differs(counts: &Counts) -> bool {
    counts.a != counts.same || counts.b != counts.same
}

/// A line of JSON: a difference, or the figures of a folder.
#[derive(Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Difference(&'a Difference),
    Folder {
        folder: &'a str,
        #[serde(flatten)]
        counts: Counts,
    },
}

/// Prints all differences, and the table of folders.
fn tell(differences: &Differences<'_>, json: bool) -> io::Result<()> {
    let mut out = BufWriter::new(report::output());
    let folders = differences.folders();
    if json {
        for difference in differences.each() {
            writeln!(out, "{}", output::json(&Line::Difference(&difference))?)?;
        }
        for (folder, counts) in folders {
            writeln!(out, "{}", output::json(&Line::Folder { folder, counts })?)?;
        }
        return out.flush();
    }
    for difference in differences.each() {
        writeln!(out, "{}", printable(&line(&difference)))?;
    }
    for head in HEADS {
        write!(out, "{head:>8}")?;
    }
    writeln!(out, "  folder")?;
    let mut all = Counts::default();
    for (folder, counts) in folders {
        all += counts;
        let folder = if folder.is_empty() { "/" } else { folder };
        row(&mut out, counts, &printable(folder))?;
    }
    row(&mut out, all, "(all)")?;
    out.flush()
}

/// A difference in words.
fn line(difference: &Difference) -> String {
    let mut text = match (&difference.a, &difference.b) {
        (Some(a), Some(b)) => {
            let what = if difference.is_moved {
                "moved"
            } else {
                "changed"
            };
            match a == b {
                true => format!("{what}: {a}"),
                false => format!("{what}: {a} -> {b}"),
            }
        }
        (Some(path), None) => format!("only in A: {path}"),
        (None, path) => format!("only in B: {}", path.as_deref().unwrap_or_default()),
    };
    if !difference.fields.is_empty() {
        let fields = difference.fields.iter().map(|field| in_words(field));
        text.push_str(&format!(" ({})", fields.collect::<Vec<_>>().join(", ")));
    }
    match (difference.is_damaged_in_a, difference.is_damaged_in_b) {
        (true, true) => text.push_str("; damaged in both"),
        (true, false) => text.push_str("; damaged in A"),
        (false, true) => text.push_str("; damaged in B"),
        (false, false) => {}
    }
    text
}

/// The name of a field as people call it, if they have a name for it.
fn in_words(field: &str) -> &str {
    let is_it = |(tag, _): &&(u16, &str)| field == format!("property {tag:04x}");
    match WORDS.iter().find(is_it) {
        Some((_, words)) => words,
        None if field.ends_with(CATEGORIES.0) => CATEGORIES.1,
        None => field,
    }
}

fn row(out: &mut impl Write, counts: Counts, folder: &str) -> io::Result<()> {
    let figures = [
        counts.a,
        counts.b,
        counts.same,
        counts.changed,
        counts.moved_away,
        counts.moved_here,
        counts.only_a,
        counts.only_b,
    ];
    for figure in figures {
        write!(out, "{figure:>8}")?;
    }
    writeln!(out, "  {folder}")
}
