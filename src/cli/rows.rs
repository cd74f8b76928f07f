//! The tables behind the options in `--help`: rows of two columns, the second of which goes on below itself.
#![forbid(unsafe_code)]

/// The columns of a terminal that is as narrow as they are today.
pub(super) const WIDTH: usize = 80;
/// What stands before the first column.
const INDENT: usize = 2;
/// What is at least between the two.
const GAP: usize = 2;

/// The lines of a row, each behind a line end: `item`, and what it means from column `at` on.
pub(super) fn row(item: &str, at: usize, meaning: &str) -> String {
    let margin = " ".repeat(at);
    let mut lines = format!("\n{:INDENT$}{item}", "");
    match at.checked_sub(INDENT + item.len()) {
        Some(space) if space >= GAP => lines.push_str(&" ".repeat(space)),
        _ => lines.push_str(&format!("\n{margin}")),
    }
    let mut column = at;
    for word in meaning.split_whitespace() {
        let length = word.chars().count();
        if column > at && column + 1 + length > WIDTH {
            lines.push_str(&format!("\n{margin}"));
            column = at;
        }
        if column > at {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += length;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_item_means_stands_beside_it_or_below() {
        let meaning = "a word ".repeat(12);
        let beside = row("name", 10, &meaning);
        let below = row("a-long-name", 10, &meaning);
        assert!(beside.starts_with("\n  name    a word"), "{beside}");
        assert!(
            below.starts_with("\n  a-long-name\n          a word"),
            "{below}"
        );
        for lines in [beside, below] {
            assert!(lines.lines().all(|line| line.len() <= WIDTH), "{lines}");
            assert!(
                lines
                    .lines()
                    .skip(2)
                    .all(|line| line.starts_with("          a"))
            );
        }
    }
}
