//! File names: safe everywhere, and the same on every mount.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// Longest name in bytes of UTF-8, extension and all.
const MAX_NAME: usize = 200;
/// Longest path in bytes that system calls take.
pub const MAX_PATH: usize = 4096;
/// What stands for the beginning of a longer one.
const CUT: &str = "...";
/// What the directory of an item's attachments is called, after the stem of the item's file.
pub const ATTACHMENTS_SUFFIX: &str = ".attachments";
/// Longest stem in bytes, so that every suffix fits.
const MAX_STEM: usize = MAX_NAME - ATTACHMENTS_SUFFIX.len();
const NO_SUBJECT: &str = "(no subject)";
const NO_NAME: &str = "(no name)";
const REPLACEMENT: char = '_';

/// Names that Windows keeps for devices, with or without an extension.
const RESERVED: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];
const RESERVED_NUMBERED: [&str; 2] = ["COM", "LPT"];

/// `text` with everything replaced that some file system, terminal or reader takes for something else: separators,
/// wildcards, control characters, and those that turn the direction of writing. Of `blanks` in a row so many are kept.
fn sanitise(text: &str, blanks: usize) -> String {
    // NFC of ASCII is the same, and most text is.
    if text.is_ascii() {
        sanitise_composed(text.chars(), text.len(), blanks)
    } else {
        sanitise_composed(text.nfc(), text.len(), blanks)
    }
}

fn sanitise_composed(text: impl Iterator<Item = char>, len: usize, blanks: usize) -> String {
    let mut safe = String::with_capacity(len);
    let mut spaces = 0;
    for character in text {
        if character.is_whitespace() {
            spaces += 1;
            continue;
        }
        if !safe.is_empty() {
            safe.extend(std::iter::repeat_n(' ', spaces.min(blanks)));
        }
        spaces = 0;
        safe.push(if is_unsafe(character) {
            REPLACEMENT
        } else {
            character
        });
    }
    safe.truncate(safe.trim_end_matches(['.', ' ']).len());
    safe
}

fn is_unsafe(character: char) -> bool {
    matches!(
        character,
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|'
            // Marks, embeddings, overrides and isolates of direction; zero-width space and no-break space; tags.
            | '\u{61C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}'
    ) || character.is_control()
}

/// The first characters of `text` that fit into `limit` bytes.
fn cut(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end)
        .unwrap_or_default()
        .trim_end_matches(['.', ' '])
}

fn is_reserved(name: &str) -> bool {
    let stem = name
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_ascii_uppercase();
    RESERVED.contains(&stem.as_str())
        || RESERVED_NUMBERED.iter().any(|device| {
            stem.strip_prefix(device).is_some_and(|number| {
                matches!(
                    number,
                    "1" | "2"
                        | "3"
                        | "4"
                        | "5"
                        | "6"
                        | "7"
                        | "8"
                        | "9"
                        | "\u{B9}"
                        | "\u{B2}"
                        | "\u{B3}"
                )
            })
        })
}

/// A name that may stand alone: no leading dot or space, not reserved, not empty.
fn standalone(text: &str, empty: &str, limit: usize) -> String {
    let safe = sanitise(text, 1);
    whole_name(safe.trim_start_matches(['.', ' ']), empty, limit)
}

/// `safe` as a name: not reserved, not empty, within `limit` bytes.
fn whole_name(safe: &str, empty: &str, limit: usize) -> String {
    let name = cut(safe, limit);
    if name.is_empty() {
        empty.to_owned()
    } else if is_reserved(name) {
        format!("{REPLACEMENT}{name}")
    } else {
        name.to_owned()
    }
}

/// A path for lists of all folders. Of one that no system call takes the end is shown: or folders within each other would
/// take memory with the square of their number.
pub fn path(path: &str) -> Cow<'_, str> {
    let Some(mut start) = path
        .len()
        .checked_sub(MAX_PATH - CUT.len())
        .filter(|_| path.len() > MAX_PATH)
    else {
        return path.into();
    };
    while !path.is_char_boundary(start) {
        start += 1;
    }
    format!("{CUT}{}", path.get(start..).unwrap_or_default()).into()
}

/// Name of a folder.
pub fn folder(display_name: Option<&str>) -> String {
    standalone(display_name.unwrap_or_default(), NO_NAME, MAX_STEM)
}

/// Name of a directory that gathers what has `text` in common; `empty` if that is nothing.
pub fn gathered(text: &str, empty: &str) -> String {
    standalone(text, empty, MAX_STEM)
}

/// Stem of a contact: its display name.
pub fn contact_stem(display_name: &str) -> String {
    standalone(display_name, NO_NAME, MAX_STEM)
}

/// Stem of any other item, from a filled template.
pub fn item_stem(text: &str) -> String {
    standalone(text, NO_SUBJECT, MAX_STEM)
}

/// A subject of which something is seen.
pub fn subject(subject: &str) -> &str {
    let unseen = |character: char| character.is_whitespace() || character == '.';
    if subject.chars().all(unseen) {
        NO_SUBJECT
    } else {
        subject
    }
}

/// Name of an attachment, extension kept however long the rest is. It may begin with a dot, as names
/// of files do, and has as many blanks between its words as are stored.
pub fn attachment(name: &str) -> String {
    let safe = sanitise(name, usize::MAX);
    let visible = safe.trim_start_matches(['.', ' ']);
    let mut name = whole_name(visible, NO_NAME, usize::MAX);
    if safe.starts_with('.') && !visible.is_empty() {
        name.insert(0, '.');
    }
    let (stem, extension) = split_extension(&name);
    if stem.len() + extension.len() <= MAX_STEM {
        return name;
    }
    let stem = cut(stem, MAX_STEM.saturating_sub(extension.len()));
    format!("{stem}{extension}")
}

/// Splits off the extension with its dot; one longer than 20 bytes, or behind nothing, is part of the stem.
pub fn split_extension(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= 20 => name.split_at(dot),
        _ => (name, ""),
    }
}

/// `stem` with a suffix that sets it apart from its equals, cut so that both fit.
pub fn with_suffix(stem: &str, suffix: &str) -> String {
    format!(
        "{}{suffix}",
        cut(stem, MAX_STEM.saturating_sub(suffix.len()))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_without_a_subject_says_so() {
        assert_eq!(subject("Quarterly numbers"), "Quarterly numbers");
        for text in ["", " . ", "...", "\t"] {
            assert_eq!(subject(text), "(no subject)");
        }
        assert_eq!(item_stem(" RE: a/b\\c"), "RE_ a_b_c");
    }

    #[test]
    fn nothing_in_a_name_can_leave_the_directory_or_fool_a_terminal() {
        for text in [
            "..",
            ".",
            "...",
            " . ",
            "\u{202E}",
            "\0",
            "a\nb",
            "../../etc/passwd",
            "\u{1b}[31m",
            "CON",
            "nul.txt",
        ] {
            for name in [
                folder(Some(text)),
                attachment(text),
                contact_stem(text),
                item_stem(text),
            ] {
                assert!(
                    !name.is_empty() && name != "." && name != "..",
                    "{text:?} -> {name:?}"
                );
                let is_hidden = name.starts_with(['.', ' ']) && name != attachment(text);
                assert!(
                    !is_hidden && !name.starts_with("..") && !name.ends_with(['.', ' ']),
                    "{text:?} -> {name:?}"
                );
                assert!(
                    !name
                        .chars()
                        .any(|c| c == '/' || c.is_control() || c == '\u{202E}'),
                    "{text:?} -> {name:?}"
                );
            }
        }
        assert_eq!(folder(Some("CON")), "_CON");
        assert_eq!(folder(Some("com1.old")), "_com1.old");
        assert_eq!(folder(Some("Console")), "Console");
    }

    #[test]
    fn long_names_are_cut_at_a_character_and_keep_their_extension() {
        let long = "ä".repeat(300);
        let stem = item_stem(&format!("2024-05-01 0932 {long}"));
        assert!(stem.len() <= MAX_STEM && stem.ends_with('ä'));
        let name = attachment(&format!("{long}.docx"));
        assert!(name.len() <= MAX_NAME && name.ends_with("ä.docx"));
        assert!(with_suffix(&stem, " ~200024").len() <= MAX_STEM);
    }

    #[test]
    fn of_a_path_that_nobody_can_open_the_end_is_shown() {
        assert_eq!(path("/Inbox"), "/Inbox");
        let long = "/ä".repeat(3000);
        let shown = path(&long);
        assert!(shown.len() <= MAX_PATH && shown.starts_with(CUT) && shown.ends_with("/ä"));
    }

    #[test]
    fn names_are_in_nfc() {
        assert_eq!(folder(Some("Entwu\u{308}rfe")), "Entwürfe");
    }
}
