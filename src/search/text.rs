//! Texts of an item, and the lines of them that were found.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use serde::Serialize;

use super::fold::fold;
use super::pattern::Pattern;

/// A text, and where it stands.
pub(super) struct Text {
    /// As users know it: `subject`, `body`, or the name of an attachment.
    place: String,
    text: String,
    folded: String,
}

/// A line that was found, or stands near one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Where it stands: `subject`, `body`, or the name of an attachment.
    pub place: String,
    /// Its number there, from 1.
    pub line: usize,
    /// What stands in it.
    pub text: String,
    /// Whether something that was looked for begins in it.
    pub found: bool,
}

impl Text {
    pub fn new(place: impl Into<String>, text: String) -> Self {
        Self {
            place: place.into(),
            folded: fold(&text),
            text,
        }
    }

    /// The same within what stands under `path`.
    pub fn at(mut self, path: &str) -> Self {
        self.place = format!("{path}/{}", self.place);
        self
    }

    pub fn has(&self, pattern: &Pattern) -> bool {
        pattern.is_in(&self.folded)
    }

    /// The text as it is compared.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// Bytes of the text.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// The lines in which one of `patterns` begins, with `around` lines before and behind each.
    pub fn lines(&self, patterns: &[&Pattern], around: usize) -> Vec<Line> {
        let mut found = BTreeSet::new();
        for pattern in patterns {
            self.find(pattern, &mut found);
        }
        let Some(last) = found.last() else {
            return Vec::new();
        };
        let end = last.saturating_add(around);
        let near = |number: usize| {
            let nearest =
                found.range(number.saturating_sub(around)..=number.saturating_add(around));
            nearest.take(1).count() > 0
        };
        let lines = self
            .text
            .lines()
            .enumerate()
            .take_while(|(number, _)| *number <= end);
        lines
            .filter(|(number, _)| near(*number))
            .map(|(number, text)| Line {
                place: self.place.clone(),
                line: number + 1,
                text: text.to_owned(),
                found: found.contains(&number),
            })
            .collect()
    }

    /// Adds the numbers of all lines in which `pattern` begins. Folding keeps lines, so those of the folded text count.
    fn find(&self, pattern: &Pattern, found: &mut BTreeSet<usize>) {
        let (mut at, mut line) = (0, 0);
        while let Some(next) = pattern.find(&self.folded, at) {
            let between = self.folded.get(at..next).unwrap_or_default();
            line += between.matches('\n').count();
            found.insert(line);
            // On to the end of the line, which has been found once.
            let rest = self.folded.get(next..).unwrap_or_default();
            let Some(end) = rest.find('\n') else { break };
            at = next + end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_with_those_around_them_once_each() {
        let text = Text::new("body", "a\nb\nÄrger\nd\nx ärger, ärger\nf\ng\nh\n".into());
        let pattern = Pattern::of("arger").unwrap();
        let numbers = |around: usize| -> Vec<(usize, bool)> {
            let lines = text.lines(&[&pattern], around).into_iter();
            lines.map(|line| (line.line, line.found)).collect()
        };
        assert_eq!(numbers(0), [(3, true), (5, true)]);
        assert_eq!(
            numbers(1),
            [(2, false), (3, true), (4, false), (5, true), (6, false)]
        );
        assert_eq!(numbers(usize::MAX).len(), 8);
        let [first, second] = &text.lines(&[&pattern], 0)[..] else {
            panic!()
        };
        assert_eq!(
            (first.text.as_str(), second.text.as_str()),
            ("Ärger", "x ärger, ärger")
        );
    }
}
