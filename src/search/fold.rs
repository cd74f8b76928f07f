//! Text as it is compared: without case, accents and width; and where its words begin.
#![forbid(unsafe_code)]

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

use crate::tree::folded;

/// `text` without what people leave out or write otherwise when they look for it: capitals are small, letters have no
/// accents, full and half width, ligatures and the like are plain letters. Lines stay lines.
pub(super) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (plain, behind) = split_where(rest, |byte| !byte.is_ascii());
        let start = out.len();
        out.push_str(plain);
        if let Some(plain) = out.get_mut(start..) {
            plain.make_ascii_lowercase();
        }
        let (other, behind) = split_where(behind, |byte| byte.is_ascii());
        if !other.is_empty() {
            fold_other(other, &mut out);
        }
        rest = behind;
    }
    out
}

/// `text` before and from the first byte that `is_end`, which is the first of a character.
fn split_where(text: &str, is_end: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(is_end).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// As [`fold`], of text that is not ASCII.
fn fold_other(text: &str, out: &mut String) {
    let plain: String = text.nfkd().collect();
    let folded = folded(&plain).filter(|character| !is_accent(*character));
    out.extend(folded.map(without_stroke).nfc());
}

/// Whether it is a mark that may be left out. The voiced sound marks of Japanese make other letters.
fn is_accent(character: char) -> bool {
    canonical_combining_class(character) != 0 && !matches!(character, '\u{3099}' | '\u{309A}')
}

/// Letters whose stroke Unicode does not take for a mark.
fn without_stroke(character: char) -> char {
    match character {
        'đ' => 'd',
        'ħ' => 'h',
        'ł' => 'l',
        'ø' => 'o',
        'ŧ' => 't',
        _ => character,
    }
}

/// Whether it belongs to a word.
pub(super) fn is_of_word(character: char) -> bool {
    character.is_alphanumeric()
}

/// Whether a word ends between these two characters of folded text. Where people write without blanks (Chinese, Japanese,
/// Thai, Lao, Khmer, Burmese) each character is taken for a word, so that any part of the text can be found.
pub(super) fn is_border(before: Option<char>, after: Option<char>) -> bool {
    let (Some(before), Some(after)) = (before, after) else {
        return true;
    };
    !is_of_word(before) || !is_of_word(after) || is_unspaced(before) || is_unspaced(after)
}

/// Scripts without blanks between words, by their blocks.
fn is_unspaced(character: char) -> bool {
    matches!(
        character,
        '\u{E00}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{3005}'..='\u{3007}'
            | '\u{3040}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
            | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_and_width_do_not_count() {
        for (one, other) in [
            ("Grüße", "GRUSSE"),
            ("GRÜSSE", "gru\u{308}sse"),
            ("Łódź", "lodz"),
            ("Ærøskøbing", "ÆROSKOBING"),
            ("Ёлка", "елка"),
            ("ＡＢＣ１２", "abc12"),
            ("ｶﾞﾊﾞﾅﾝｽ", "ガバナンス"),
            ("ﬁle", "FILE"),
            ("Ὀδυσσεύς", "οδυσσευσ"),
            ("İstanbul", "istanbul"),
            ("so\u{ad}ft", "soft"),
            ("한국", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
    }

    #[test]
    fn other_letters_stay_others_and_lines_stay_lines() {
        for (one, other) in [("か", "が"), ("ha", "ba"), ("a b", "ab"), ("l", "1")] {
            assert_ne!(fold(one), fold(other), "{one} {other}");
        }
        let lines = "Ä\nb\r\n\nЖ\n";
        assert_eq!(fold(lines).matches('\n').count(), 4);
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for character in '\0'..=char::MAX {
            let once = fold(character.encode_utf8(&mut [0; 4]));
            assert_eq!(fold(&once), once, "{character:?}");
        }
    }
}
