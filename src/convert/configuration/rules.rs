//! The rules of a mailbox in words. [MS-OXORULE] 2.2.1.3.1, 2.2.4
#![forbid(unsafe_code)]

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use super::blob::Blob;
use super::configured::Configured;
use super::target::Folders;
use super::{action, condition};
use crate::bytes::{u8_at, u16_at};
use crate::codepage;
use crate::convert::context::Context;
use crate::convert::text::{clean, one_line};
use crate::ltp::tags;
use crate::messaging::{ConfigurationKind, Configurations, Message};

/// States of a rule. PidTagRuleMessageState
const ENABLED: i32 = 0x01;
const STATES: [(i32, &str); 4] = [
    (0x02, "has failed"),
    (0x04, "only while the user is away"),
    (0x10, "no rule after it"),
    (0x40, "could not be understood"),
];
/// Bytes of a rule: Exchange gives all rules of a folder 256 KiB.
const MAX_RULE: usize = 1 << 18;
/// Where Outlook keeps its own rules, in an item of class IPM.RuleOrganizer.
const ORGANIZER: u16 = 0x6802;
/// Characters of what is taken for a text in them.
const TEXT_LENGTHS: RangeInclusive<usize> = 3..=1024;
/// The length byte that states that the length stands in the two bytes behind it.
const LONG: u8 = 0xFF;

/// All rules, a paragraph for each, those of the server first.
pub(in crate::convert) fn rules(context: &Context, found: &Configurations) -> Configured {
    let mut configured = Configured::default();
    let folders = Folders::new(context.store());
    let mut rules = Vec::new();
    configured.add(
        context,
        found,
        ConfigurationKind::Rule,
        |configured, message| {
            let sequence = message.properties().integer(tags::RULE_MESSAGE_SEQUENCE);
            rules.push((sequence.ok().flatten(), rule(configured, message, &folders)));
        },
    );
    rules.sort_by_key(|(sequence, _)| *sequence);
    let mut paragraphs: Vec<String> = rules.into_iter().map(|(_, text)| text).collect();
    configured.add(
        context,
        found,
        ConfigurationKind::ClientRules,
        |_, message| {
            paragraphs.extend(client_rules(message));
        },
    );
    configured.text = match paragraphs.is_empty() {
        true => "There are no rules in this file.\n".to_owned(),
        false => paragraphs.join("\n"),
    };
    configured
}

/// One rule of a server.
fn rule(configured: &mut Configured, message: &Message, folders: &Folders) -> String {
    let properties = message.properties();
    let string = |id: u16| properties.string(id).ok().flatten();
    let name = string(tags::RULE_MESSAGE_NAME).unwrap_or_else(|| "without a name".to_owned());
    let mut text = format!("Rule: {}\n", one_line(&name));
    let mut line = |name: &str, value: &str| text.push_str(&format!("  {name}: {value}\n"));
    if let Ok(Some(state)) = properties.integer(tags::RULE_MESSAGE_STATE) {
        line("State", &state_words(state));
    }
    if let Some(provider) = string(tags::RULE_MESSAGE_PROVIDER) {
        line("Made by", &clean(&provider));
    }
    match blob_words(message, &CONDITIONS, condition::words) {
        Some(Ok(words)) => line("If", &words),
        Some(Err(problem)) => {
            configured.problem(message.nid(), &problem);
            line("If", &problem);
        }
        None => line("If", "always"),
    }
    match blob_words(message, &ACTIONS, |blob| action::words(blob, folders)) {
        Some(Ok(words)) => words.iter().for_each(|words| line("Then", words)),
        Some(Err(problem)) => {
            configured.problem(message.nid(), &problem);
            line("Then", &problem);
        }
        None => line("Then", "nothing that the file tells"),
    }
    text
}

fn state_words(state: i32) -> String {
    let mut words = vec![match state & ENABLED {
        0 => "off",
        _ => "on",
    }];
    words.extend(
        STATES
            .iter()
            .filter(|(flag, _)| state & flag != 0)
            .map(|(_, words)| *words),
    );
    words.join(", ")
}

/// Where one thing of a rule is: in an extended rule, and in others.
struct Places {
    what: &'static str,
    extended: u16,
    standard: u16,
    /// Bytes behind the named properties of an extended rule: its version.
    skipped: usize,
}

const CONDITIONS: Places = Places {
    what: "condition",
    extended: tags::EXTENDED_RULE_MESSAGE_CONDITION,
    standard: tags::RULE_MESSAGE_CONDITION,
    skipped: 0,
};
const ACTIONS: Places = Places {
    what: "actions",
    extended: tags::EXTENDED_RULE_MESSAGE_ACTIONS,
    standard: tags::RULE_MESSAGE_ACTIONS,
    skipped: size_of::<u32>(),
};

/// What `tell` makes of a value of a rule; a text that states that it makes no sense, or None where there is none.
fn blob_words<T>(
    message: &Message,
    places: &Places,
    tell: impl Fn(&mut Blob<'_>) -> Option<T>,
) -> Option<Result<T, String>> {
    let properties = message.properties();
    let binary = |id: u16| properties.binary(id).ok().flatten();
    let code_page = properties.code_page();
    let told = match (binary(places.extended), binary(places.standard)) {
        (Some(bytes), _) => (
            bytes.len(),
            whole(
                &bytes,
                || {
                    let mut blob = Blob::extended(&bytes, code_page)?;
                    blob.cursor.take(places.skipped)?;
                    Some(blob)
                },
                tell,
            ),
        ),
        (None, Some(bytes)) => (
            bytes.len(),
            whole(&bytes, || Some(Blob::standard(&bytes, code_page)), tell),
        ),
        (None, None) => return None,
    };
    let (length, told) = told;
    Some(told.ok_or_else(|| {
        format!(
            "{} of {length} bytes in a form that is not known",
            places.what
        )
    }))
}

/// What `tell` makes of `bytes`, if that is all of them.
fn whole<'a, T>(
    bytes: &'a [u8],
    blob: impl FnOnce() -> Option<Blob<'a>>,
    tell: impl Fn(&mut Blob<'_>) -> Option<T>,
) -> Option<T> {
    if bytes.len() > MAX_RULE {
        return None;
    }
    let mut blob = blob()?;
    let told = tell(&mut blob)?;
    (blob.cursor.left() == 0).then_some(told)
}

/// The rules that Outlook keeps for itself: what form they have is not published, so their texts alone.
fn client_rules(message: &Message) -> Option<String> {
    let bytes = message.properties().binary(ORGANIZER).ok().flatten()?;
    let texts = texts_in(bytes.get(..MAX_RULE).unwrap_or(&bytes));
    if texts.is_empty() {
        return None;
    }
    let mut paragraph =
        "Rules that Outlook itself applies, in a form that is not published. Texts in them:\n"
            .to_owned();
    for text in texts {
        paragraph.push_str(&format!("  {}\n", one_line(&text)));
    }
    Some(paragraph)
}

/// All UTF-16 texts that have their length in front, in characters. Some bytes before or within a text look like a shorter
/// one: the longest of several is the text.
fn texts_in(bytes: &[u8]) -> Vec<String> {
    let mut found: Vec<Range<usize>> = (0..bytes.len())
        .filter_map(|at| text_at(bytes, at))
        .collect();
    found.sort_by_key(|text| (Reverse(text.len()), text.start));
    let mut texts: BTreeMap<usize, Range<usize>> = BTreeMap::new();
    for text in found {
        // The last one that is taken and begins before this one ends.
        let before = texts.range(..text.end).next_back();
        if before.is_none_or(|(_, taken)| taken.end <= text.start) {
            texts.insert(text.start, text);
        }
    }
    let stored = texts.into_values().filter_map(|text| bytes.get(text));
    stored.map(codepage::decode_utf16le).collect()
}

/// Where the text is whose length is at `at`.
fn text_at(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let (length, start) = match u8_at(bytes, at)? {
        LONG => (usize::from(u16_at(bytes, at + 1)?), at + 3),
        length => (usize::from(length), at + 1),
    };
    let text = start..start + 2 * length;
    let stored = bytes
        .get(text.clone())
        .filter(|_| TEXT_LENGTHS.contains(&length))?;
    let units: Vec<u16> = stored
        .chunks_exact(2)
        .map(|unit| u16_at(unit, 0).unwrap_or_default())
        .collect();
    let is_text = |character: char| !character.is_control();
    let mut characters = char::decode_utf16(units.iter().copied());
    let are_text = characters.all(|character| character.is_ok_and(is_text));
    // Latin text that is read one byte off has a zero in place of each low byte.
    let zeros = units.iter().filter(|unit| *unit & 0xFF == 0).count();
    (are_text && zeros < length.div_ceil(4)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_rule_is_told_by_the_flags_that_are_set() {
        // ST_ENABLED, ST_ERROR, ST_ONLY_WHEN_OOF, ST_EXIT_LEVEL, ST_RULE_PARSE_ERROR. [MS-OXORULE] 2.2.1.3.1.3
        assert_eq!(state_words(0), "off");
        assert_eq!(state_words(0x01), "on");
        assert_eq!(state_words(0x05), "on, only while the user is away");
        assert_eq!(
            state_words(0x52),
            "off, has failed, no rule after it, could not be understood"
        );
        // With ST_KEEP_OOF_HIST, which has no words.
        assert_eq!(state_words(0x09), "on");
    }

    #[test]
    fn text_that_is_read_one_byte_off_is_none() {
        let inbox = b"\x05I\0n\0b\0o\0x\0";
        assert_eq!(text_at(inbox, 0), Some(1..11));
        // From the second byte on these are five Chinese characters, each with a zero as its low byte.
        let off = b"\x05\0I\0n\0b\0o\0x";
        assert_eq!(text_at(off, 0), None);
        // One such character is one.
        let chinese = b"\x05\0NA\0B\0C\0D\0";
        assert_eq!(text_at(chinese, 0), Some(1..11));
        assert_eq!(text_at(&inbox[..10], 0), None);
    }
}
