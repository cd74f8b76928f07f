//! Words to look for: one, several that follow each other, or how a word begins.
#![forbid(unsafe_code)]

use std::ops::Range;

use memchr::memmem::Finder;

use super::fold::{fold, is_border, is_of_word};

/// What ends a word of which only the beginning is given.
pub(super) const PREFIX: char = '*';

/// Words that follow each other, whatever stands between them but other words.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// Folded.
    words: Vec<String>,
    /// Whether the last of them may go on.
    is_prefix: bool,
    /// Finds the first of them.
    first: Box<Finder<'static>>,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        (&self.words, self.is_prefix) == (&other.words, other.is_prefix)
    }
}

impl Pattern {
    /// The words of `text`, which ends with `*` if the last may go on; None if it has no word.
    pub(super) fn of(text: &str) -> Option<Self> {
        let bare = text.strip_suffix(PREFIX);
        let words = words(&fold(bare.unwrap_or(text)));
        let first = words.first()?;
        Some(Self {
            first: Box::new(Finder::new(first).into_owned()),
            words,
            is_prefix: bare.is_some(),
        })
    }

    /// The words that are given whole: any text that it is in has all of them.
    pub(super) fn whole_words(&self) -> &[String] {
        let whole = self.words.len() - usize::from(self.is_prefix);
        self.words.get(..whole).unwrap_or_default()
    }

    /// Where the words first stand in `text`, which is folded, from byte `start` on.
    pub(super) fn find(&self, text: &str, start: usize) -> Option<usize> {
        let mut start = start;
        while let Some(found) = self.first.find(text.as_bytes().get(start..)?) {
            let at = start + found;
            let (before, rest) = text.split_at_checked(at)?;
            let is_start = is_border(before.chars().next_back(), rest.chars().next());
            if is_start && self.begins(rest) {
                return Some(at);
            }
            start = at + 1;
        }
        None
    }

    /// Whether they stand in `text`, which is folded.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.find(text, 0).is_some()
    }

    /// Whether `text` begins with the words.
    fn begins(&self, text: &str) -> bool {
        let mut rest = text;
        let mut left = self.words.len();
        for word in &self.words {
            let Some(behind) = rest.strip_prefix(word.as_str()) else {
                return false;
            };
            left -= 1;
            let may_go_on = self.is_prefix && left == 0;
            if !may_go_on && !is_border(word.chars().next_back(), behind.chars().next()) {
                return false;
            }
            rest = behind.trim_start_matches(|character| !is_of_word(character));
        }
        true
    }
}

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    each_word(text, |word| words.push(word.to_owned()));
    words
}

/// Calls `see` with each word of folded text.
pub(super) fn each_word(text: &str, mut see: impl FnMut(&str)) {
    let mut word = 0..0;
    let mut before = None;
    for (at, character) in text.char_indices() {
        if is_border(before, Some(character)) {
            see_word(text, &word, &mut see);
            word = at..at;
        }
        if is_of_word(character) {
            word.end = at + character.len_utf8();
        }
        before = Some(character);
    }
    see_word(text, &word, &mut see);
}

fn see_word(text: &str, word: &Range<usize>, see: &mut impl FnMut(&str)) {
    let word = text.get(word.clone()).filter(|word| !word.is_empty());
    word.into_iter().for_each(see);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in(pattern: &str, text: &str) -> bool {
        Pattern::of(pattern).unwrap().is_in(&fold(text))
    }

    #[test]
    fn a_word_is_found_whole_unless_its_beginning_is_asked_for() {
        for (pattern, text, found) in [
            ("plan", "The Plan.", true),
            ("plan", "Plans, planning", false),
            ("plan*", "Planning", true),
            ("plan*", "airplane", false),
            ("plan", "airplane plan", true),
            ("a", "xa ax a", true),
            ("2024", "2024-05-01", true),
            ("müller", "MULLER", true),
        ] {
            assert_eq!(is_in(pattern, text), found, "{pattern:?} in {text:?}");
        }
    }

    #[test]
    fn words_of_a_phrase_follow_each_other_whatever_stands_between() {
        for (pattern, text, found) in [
            ("purchase order", "A purchase\r\norder", true),
            ("purchase order", "order purchase", false),
            ("purchase order", "purchase of an order", false),
            ("purchase ord*", "purchase orders", true),
            ("ann@north.example", "Ann <ann@north.example>", true),
            ("north.example", "ann@north.example", true),
            ("don't", "I don\u{2019}t", true),
            ("a a b", "a a a b", true),
        ] {
            assert_eq!(is_in(pattern, text), found, "{pattern:?} in {text:?}");
        }
    }

    #[test]
    fn any_part_is_found_where_people_write_without_blanks() {
        for (pattern, text, found) in [
            ("会議", "明日の会議は十時です", true),
            ("議会", "明日の会議は十時です", false),
            ("PDF", "資料PDFです", true),
            ("ประชุม", "การประชุมวันนี้", true),
        ] {
            assert_eq!(is_in(pattern, text), found, "{pattern:?} in {text:?}");
        }
    }

    #[test]
    fn what_has_no_word_is_no_pattern() {
        for nothing in ["", "*", "...", " - "] {
            assert!(Pattern::of(nothing).is_none(), "{nothing:?}");
        }
    }
}
