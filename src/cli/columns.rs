//! The columns of records, for the help of `index` and for docs/MANIFEST.md.
#![forbid(unsafe_code)]

use super::rows;
use crate::export::{COLUMNS, FIELDS};

/// The column at which meanings begin.
const MEANING_AT: usize = 22;

/// All columns with their meanings and where they come from, in their order, and what a load file has besides.
pub(super) fn help() -> String {
    let columns = COLUMNS.iter().map(|column| {
        let meaning = format!("{} ({})", column.meaning, column.source);
        rows::row(column.name, MEANING_AT, &meaning)
    });
    let fields = FIELDS
        .iter()
        .map(|(name, meaning)| rows::row(name, MEANING_AT, meaning));
    let (columns, fields) = (columns.collect::<String>(), fields.collect::<String>());
    format!(
        "Columns, which are the members of each object of --json:{columns}\n\nA load file has these as well:{fields}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tables of docs/MANIFEST.md.
    fn markdown() -> [String; 2] {
        let columns = COLUMNS.iter().map(|column| {
            let field = match column.field {
                "" => String::new(),
                field => format!("`{field}`"),
            };
            format!(
                "| `{}` | {} | {} | {field} |\n",
                column.name, column.meaning, column.source
            )
        });
        let fields = FIELDS
            .iter()
            .map(|(name, meaning)| format!("| `{name}` | {meaning} |\n"));
        [columns.collect(), fields.collect()]
    }

    #[test]
    fn the_tables_in_the_documentation_are_made_from_those_of_the_program() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/MANIFEST.md");
        let text = std::fs::read_to_string(path).unwrap();
        for table in markdown() {
            assert!(
                text.contains(&table),
                "docs/MANIFEST.md lacks this:\n{table}"
            );
        }
    }

    #[test]
    fn every_column_is_in_the_help_under_a_name_of_its_own() {
        let help = help();
        for column in COLUMNS {
            let line = format!("\n  {} ", column.name);
            assert_eq!(help.matches(&line).count(), 1, "{}", column.name);
        }
    }
}
