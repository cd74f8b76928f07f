//! Breaks long lines of HTML where that changes nothing: at blanks of flowing text, and behind the name of a tag.
#![forbid(unsafe_code)]

use super::markup::{Piece, Pieces};

/// Elements whose blanks and line ends are shown as they are.
const PREFORMATTED: [&str; 5] = ["pre", "textarea", "listing", "xmp", "plaintext"];

/// `html` with no line longer than `limit` bytes, or None where that cannot be done.
pub fn wrap(html: &str, limit: usize) -> Option<String> {
    let mut blanks = blanks(html).into_iter().peekable();
    let mut wrapped = String::with_capacity(html.len());
    let mut start = 0;
    for line in html.split_inclusive('\n') {
        let end = start + line.len();
        let last = end - usize::from(line.ends_with('\n'));
        let mut candidate = None;
        while let Some(at) = blanks.next_if(|at| *at < end) {
            if at - start > limit {
                start = break_at(html, start, candidate.take()?, &mut wrapped);
            }
            if at - start > limit {
                return None;
            }
            candidate = Some(at).filter(|at| *at > start);
        }
        if last - start > limit {
            start = break_at(html, start, candidate?, &mut wrapped);
        }
        if last - start > limit {
            return None;
        }
        wrapped.push_str(html.get(start..end)?);
        start = end;
    }
    Some(wrapped)
}

/// Writes the line from `start` that ends with the blank `at`; returns where the next one starts.
fn break_at(html: &str, start: usize, at: usize, wrapped: &mut String) -> usize {
    wrapped.push_str(html.get(start..at).unwrap_or_default());
    wrapped.push('\n');
    at + 1
}

/// Where the blanks are that may as well be line ends, in ascending order.
fn blanks(html: &str) -> Vec<usize> {
    let offset = |part: &str| (part.as_ptr() as usize).saturating_sub(html.as_ptr() as usize);
    let mut blanks = Vec::new();
    let mut preformatted = 0usize;
    for piece in Pieces::new(html) {
        match piece {
            Piece::Text(text) if preformatted == 0 => {
                let start = offset(text);
                blanks.extend(text.match_indices(' ').map(|(at, _)| start + at));
            }
            Piece::Text(_) => {}
            Piece::Start { name, attributes } => {
                if attributes.starts_with(' ') {
                    blanks.push(offset(attributes));
                }
                preformatted += usize::from(is_preformatted(name));
            }
            Piece::End { name } => {
                preformatted = preformatted.saturating_sub(usize::from(is_preformatted(name)));
            }
        }
    }
    blanks
}

fn is_preformatted(name: &str) -> bool {
    PREFORMATTED
        .iter()
        .any(|element| element.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_blanks_of_text_and_behind_tag_names_alone() {
        let html = "<p class=\"a b c\">one two</p><pre>kept as it is</pre>\nshort";
        let wrapped = wrap(html, 34).unwrap();
        assert_eq!(
            wrapped,
            "<p class=\"a b c\">one\ntwo</p><pre>kept as it is</pre>\nshort"
        );
        assert_eq!(
            wrap("<p class=\"a b c\">one</p>", 22).unwrap(),
            "<p\nclass=\"a b c\">one</p>"
        );
    }

    #[test]
    fn what_has_no_blank_cannot_be_wrapped() {
        assert_eq!(wrap(&"x".repeat(50), 40), None);
        assert_eq!(wrap(&format!("<pre>{}</pre>", "x ".repeat(50)), 40), None);
        assert_eq!(wrap(&format!("a {} b", "x".repeat(50)), 40), None);
    }

    #[test]
    fn every_line_of_long_text_fits() {
        let html = format!("<td>{}</td>", "слово word ".repeat(5000));
        let wrapped = wrap(&html, 998).unwrap();
        assert!(wrapped.lines().all(|line| line.len() <= 998));
        assert_eq!(wrapped.replace('\n', " "), html);
    }
}
