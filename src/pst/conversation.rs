//! Which conversation a message belongs to: PidTagConversationId, which only rows have. [MS-OXOMSG] 2.2.1.2
//!
//! So it is in all rows of Outlook's files at hand that have it, those of an empty topic included.

use md5::{Digest as _, Md5};

use crate::ltp::tags;
use crate::messaging::Properties;

/// PidTagConversationIndexTracking, and where PidTagConversationIndex has the id, if its first byte is as it should be.
const INDEX_TRACKING: u16 = 0x3016;
const OF_INDEX: std::ops::Range<usize> = 6..22;
const RESERVED: u8 = 1;
/// Characters of a topic that count.
const MOST_UNITS: usize = 255;

/// The id of the conversation of a message with `properties`.
pub(super) fn id_of(properties: &Properties) -> Option<Vec<u8>> {
    let is_tracked = properties.boolean(INDEX_TRACKING).ok().flatten();
    let index = properties.binary(tags::CONVERSATION_INDEX).ok().flatten();
    let of_index = of_index(is_tracked.unwrap_or(false), &index.unwrap_or_default());
    of_index.or_else(|| {
        let topic = properties.string(tags::CONVERSATION_TOPIC).ok()??;
        of_topic(&topic)
    })
}

fn of_index(is_tracked: bool, index: &[u8]) -> Option<Vec<u8>> {
    let is_right = is_tracked && index.first() == Some(&RESERVED);
    is_right.then(|| index.get(OF_INDEX).map(<[u8]>::to_vec))?
}

/// The hash of `topic` in capitals; None if it has letters of which it is not certain what Outlook makes of them.
fn of_topic(topic: &str) -> Option<Vec<u8>> {
    let capitals: Option<String> = topic.chars().map(capital).collect();
    let mut hash = Md5::new();
    let units = capitals?
        .encode_utf16()
        .take(MOST_UNITS)
        .collect::<Vec<_>>();
    for unit in units.into_iter().take_while(|unit| *unit != 0) {
        hash.update(unit.to_le_bytes());
    }
    Some(hash.finalize().to_vec())
}

/// The capital of `letter`: of a pair of two single letters, as the tables of Windows have them.
fn capital(letter: char) -> Option<char> {
    let mut capital = letter.to_uppercase();
    let (Some(one), None) = (capital.next(), capital.next()) else {
        return None;
    };
    let is_pair = one == letter || one.to_lowercase().eq([letter]);
    let is_short = one == letter || (one.len_utf16() == 1 && letter.len_utf16() == 1);
    (is_pair && is_short).then_some(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(id: Option<Vec<u8>>) -> String {
        let id = id.unwrap_or_default();
        id.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn a_topic_is_hashed_in_capitals() {
        // By Python: hashlib.md5("QUARTERLY NUMBERS".encode("utf-16le")).
        let expected = "c28d779a12f845ff60984f8ac1f0c262";
        for topic in [
            "Quarterly numbers",
            "QUARTERLY NUMBERS",
            "quarterly numbers\0more",
        ] {
            assert_eq!(hex(of_topic(topic)), expected, "{topic}");
        }
        // "ÜBER ÉTÉ", and nothing at all.
        assert_eq!(
            hex(of_topic("Über été")),
            "c003e07bc5809db0dfa37991eed4c633"
        );
        assert_eq!(hex(of_topic("")), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(of_topic(&"x".repeat(255)), of_topic(&"x".repeat(300)));
        assert_ne!(of_topic(&"x".repeat(254)), of_topic(&"x".repeat(255)));
    }

    #[test]
    fn only_an_index_that_is_tracked_and_begins_as_it_should_has_the_id() {
        let index = |first| [first].into_iter().chain(1..30).collect::<Vec<u8>>();
        let id: Vec<u8> = (6..22).collect();
        assert_eq!(of_index(true, &index(RESERVED)), Some(id));
        for (is_tracked, first) in [(false, RESERVED), (true, 2), (false, 2)] {
            assert_eq!(of_index(is_tracked, &index(first)), None);
        }
        assert_eq!(of_index(true, &index(RESERVED)[..21]), None);
    }

    #[test]
    fn of_letters_without_one_capital_nothing_is_made_up() {
        for topic in ["Straße", "5 µm", "ﬁn", "\u{10428}"] {
            assert_eq!(of_topic(topic), None, "{topic}");
        }
    }
}
