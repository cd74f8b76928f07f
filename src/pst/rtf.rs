//! Compressed RTF that is damaged. Outlook shows nothing of one whose checksum is wrong, so in the copy it is not compressed, and
//! has as much as can be read. [MS-OXRTFCP] 2.1.3.1, 3.1.3.1

use std::fmt::Write as _;

use crate::ltp::{Bytes, lzfu, tags};
use crate::messaging::Properties;
use crate::problem::Problem;

/// What stands before the text of a message whose RTF, which is what Outlook shows, lacks something.
const ALSO_AS_TEXT: &str =
    "[What follows is the text of this message as it is stored beside the formatted one.]";

/// PidTagRtfCompressed of `properties`, of which `read` could be read, as others can read it.
pub(super) fn readable(properties: &Properties, read: Bytes) -> Vec<u8> {
    let Some(mut rtf) = lzfu::restored(&read) else {
        return read.bytes;
    };
    if let Some(problem) = &rtf.problem {
        properties
            .problems()
            .note(Problem::new("RTF body", problem));
    }
    if let Ok(Some(text)) = properties.string(tags::BODY)
        && rtf.bytes.pop_if(|byte| *byte == b'}').is_some()
    {
        let text = escaped(&format!("\n{ALSO_AS_TEXT}\n\n{text}\n"));
        rtf.bytes.extend_from_slice(text.as_bytes());
        rtf.bytes.push(b'}');
    }
    lzfu::store(&rtf.bytes)
}

/// `text` in RTF.
fn escaped(text: &str) -> String {
    // One "?" stands for each character where none but ASCII is known.
    let mut rtf = String::from("\\uc1 ");
    for character in text.chars() {
        match character {
            '\\' | '{' | '}' => rtf.extend(['\\', character]),
            '\n' => rtf.push_str("\\par\n"),
            '\t' => rtf.push_str("\\tab "),
            ' '..='~' => rtf.push(character),
            _ if character.is_ascii_control() => {}
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    _ = write!(rtf, "\\u{}?", unit.cast_signed());
                }
            }
        }
    }
    rtf
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_as_rtf_has_it() {
        let rtf = escaped("a {b}\\c\r\n\tx\u{e4}\u{1f600}");
        // RTF 1.9.1: signed numbers of 16 bits, and a character for readers who know none.
        assert_eq!(
            rtf,
            "\\uc1 a \\{b\\}\\\\c\\par\n\\tab x\\u228?\\u-10179?\\u-8704?"
        );
    }
}
