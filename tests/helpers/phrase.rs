//! Words to look for: taken from the body properties as they are stored, by means that share nothing with the
//! conversion but the decompression of RTF.

use ostfs::codepage;
use ostfs::ltp::lzfu;
use ostfs::ltp::{Value, tags};
use ostfs::messaging::{AttachmentData, Message};

/// The class of a changed instance within a series.
pub const CHANGED_INSTANCE: &str = "IPM.OLE.CLASS.{00061055-0000-0000-C000-000000000046}";

/// Longest phrase, in characters.
const LENGTH: usize = 50;
/// Groups of RTF whose text is no part of the body.
const HIDDEN: [&str; 8] = [
    "fonttbl",
    "colortbl",
    "stylesheet",
    "info",
    "pict",
    "object",
    "listtable",
    "fldinst",
];

/// A phrase of each body that `message` and the messages within it have: words in any language with single spaces
/// between them, which stand on one line. A body without words gives none.
pub fn of_message(message: &Message) -> Vec<String> {
    let properties = message.properties();
    let page = message.properties().code_page();
    let bodies = [
        (tags::BODY, of_text as fn(&str) -> String),
        (tags::HTML, of_html),
    ];
    let mut phrases = Vec::new();
    for (tag, phrase) in bodies {
        phrases.push(match properties.value(tag).unwrap() {
            Some(Value::String(bytes)) => phrase(&codepage::decode_utf16le(&bytes)),
            Some(Value::String8(bytes) | Value::Binary(bytes)) => match std::str::from_utf8(&bytes)
            {
                Ok(text) => phrase(text),
                Err(_) => phrase(&codepage::decode(page, &bytes)),
            },
            _ => String::new(),
        });
    }
    if let Some(Value::Binary(bytes)) = properties.value(tags::RTF_COMPRESSED).unwrap() {
        phrases.push(of_rtf(&lzfu::decompress(&bytes).bytes));
    }
    for attachment in message.attachments() {
        let properties = attachment.properties().unwrap();
        if let AttachmentData::Message(inner) = attachment.data(&properties).unwrap() {
            // What is changed of a series is in its calendar, where a text is one line.
            if !is_changed_instance(&inner) {
                phrases.extend(of_message(&inner));
            }
        }
    }
    phrases.retain(|phrase| !phrase.is_empty());
    phrases
}

/// Gathers runs of words and keeps the longest.
#[derive(Default)]
struct Longest {
    best: String,
    run: String,
}

impl Longest {
    fn add(&mut self, character: char) {
        let after_word = !self.run.is_empty() && !self.run.ends_with(' ');
        if character.is_alphanumeric() || (character == ' ' && after_word) {
            self.run.push(character);
        } else {
            self.end();
        }
    }

    fn end(&mut self) {
        let run = std::mem::take(&mut self.run);
        let run = run.trim_end();
        if run.chars().count() > self.best.chars().count() && self.best.chars().count() < LENGTH {
            self.best = run.chars().take(LENGTH).collect::<String>();
            self.best.truncate(self.best.trim_end().len());
        }
    }

    fn take(mut self) -> String {
        self.end();
        self.best
    }
}

fn of_text(text: &str) -> String {
    let mut longest = Longest::default();
    text.chars().for_each(|character| longest.add(character));
    longest.take()
}

/// Text between tags, without what a browser does not show.
fn of_html(html: &str) -> String {
    let mut longest = Longest::default();
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        rest[..at].chars().for_each(|c| longest.add(c));
        longest.end();
        rest = &rest[at..];
        let lower = rest.get(..8).unwrap_or(rest).to_ascii_lowercase();
        let end = match lower.as_str() {
            tag if tag.starts_with('&') => ";",
            tag if tag.starts_with("<!--") => "-->",
            tag if tag.starts_with("<style") => "</style>",
            tag if tag.starts_with("<script") => "</script>",
            tag if tag.starts_with("<title") => "</title>",
            _ => ">",
        };
        let Some(length) = rest.to_ascii_lowercase().find(end) else {
            return longest.take();
        };
        rest = &rest[length + end.len()..];
    }
    rest.chars().for_each(|c| longest.add(c));
    longest.take()
}

/// ASCII text that no control word interrupts.
fn of_rtf(rtf: &[u8]) -> String {
    let mut longest = Longest::default();
    let mut groups = vec![false];
    let mut at = 0;
    while let Some(&byte) = rtf.get(at) {
        at += 1;
        let hidden = *groups.last().unwrap_or(&true);
        match byte {
            b'{' => {
                longest.end();
                groups.push(hidden);
            }
            b'}' => {
                longest.end();
                groups.pop();
            }
            b'\\' => {
                longest.end();
                let length = |matches: fn(&u8) -> bool, from: usize| {
                    rtf[from..].iter().take_while(|byte| matches(byte)).count()
                };
                let letters = length(u8::is_ascii_alphabetic, at);
                let word = std::str::from_utf8(&rtf[at..at + letters]).unwrap();
                let symbol = rtf.get(at).copied();
                at += letters;
                let digits = length(|byte| byte.is_ascii_digit() || *byte == b'-', at);
                let parameter = &rtf[at..at + digits];
                at += digits;
                if letters == 0 {
                    at += if symbol == Some(b'\'') { 3 } else { 1 };
                } else if rtf.get(at) == Some(&b' ') {
                    at += 1;
                }
                if word == "u" {
                    at += 1;
                }
                if let Some(group) = groups.last_mut() {
                    *group = match word {
                        "htmlrtf" | "v" => parameter != b"0",
                        _ => *group || symbol == Some(b'*') || HIDDEN.contains(&word),
                    };
                }
            }
            b'\r' | b'\n' => {}
            _ if hidden => {}
            _ => longest.add(if byte.is_ascii() {
                byte.into()
            } else {
                '\u{FFFD}'
            }),
        }
    }
    longest.take()
}

/// Whether `message` is a changed instance within a series. [MS-OXOCAL] 2.2.10.1
fn is_changed_instance(message: &Message) -> bool {
    let class = message.properties().string(tags::MESSAGE_CLASS).unwrap();
    class.as_deref() == Some(CHANGED_INSTANCE)
}
