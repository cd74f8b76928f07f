//! The subject of a message. [MS-PST] 2.5.3.1.1.1

/// A subject as stored: an optional mark in front has the length of its prefix ("RE: "). [MS-PST] 2.5.3.1.1.1
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The whole subject, without the mark.
    pub text: String,
    prefix_len: usize,
}

impl Subject {
    const MARK: char = '\u{1}';

    /// Splits the mark off `stored`: U+0001 and a character that is the prefix length plus one.
    pub fn parse(stored: String) -> Self {
        let mut characters = stored.chars();
        if characters.next() != Some(Self::MARK) {
            return Self {
                text: stored,
                prefix_len: 0,
            };
        }
        let prefix_len = characters
            .next()
            .map_or(0, |length| (u32::from(length) as usize).saturating_sub(1));
        Self {
            text: characters.as_str().to_owned(),
            prefix_len,
        }
    }

    /// The subject without its prefix (PidTagNormalizedSubject).
    pub fn normalized(&self) -> &str {
        self.text
            .char_indices()
            .nth(self.prefix_len)
            .and_then(|(at, _)| self.text.get(at..))
            .unwrap_or(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marked_subject_loses_two_characters_and_knows_its_prefix() {
        let subject = Subject::parse("\u{1}\u{5}RE: Lunch".into());
        assert_eq!(subject.text, "RE: Lunch");
        assert_eq!(subject.normalized(), "Lunch");
    }

    #[test]
    fn a_subject_without_mark_or_with_a_lying_one_stays_whole() {
        assert_eq!(Subject::parse("Lunch".into()).normalized(), "Lunch");
        assert_eq!(
            Subject::parse("\u{1}\u{1}Lunch".into()).normalized(),
            "Lunch"
        );
        assert_eq!(
            Subject::parse("\u{1}\u{fff}Lunch".into()).normalized(),
            "Lunch"
        );
        assert_eq!(Subject::parse("\u{1}".into()).text, "");
    }
}
