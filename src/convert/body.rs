//! The body of a message: which of its forms is the best, as text and as HTML. [MS-OXBBODY], [MS-OXCMAIL] 2.1.3.3
#![forbid(unsafe_code)]

use std::borrow::Cow;

use super::text::{html, normalise, rtf, unix_lines};
use crate::codepage::{self, Decoded};
use crate::error::Result;
use crate::ltp::{Value, lzfu, tags};
use crate::messaging::{Message, PageReason, Properties};
use crate::problem::Problem;

/// PidTagNativeBody.
const NATIVE_TEXT: i32 = 1;
const NATIVE_RTF: i32 = 2;
const NATIVE_HTML: i32 = 3;

/// A body in the forms in which it is shown; all of them may be missing.
#[derive(Debug, Default)]
pub(crate) struct BestBody {
    /// Plain text, lines ending with LF. May have a NUL within.
    pub text: Option<String>,
    /// HTML, lines ending with LF.
    pub html: Option<String>,
    /// RTF that shows what text cannot, or in which the message was written.
    pub rtf: Option<Vec<u8>>,
}

impl BestBody {
    /// Bytes of all forms.
    pub fn len(&self) -> usize {
        let text = [&self.text, &self.html]
            .into_iter()
            .flatten()
            .map(String::len);
        text.sum::<usize>() + self.rtf.as_ref().map_or(0, Vec::len)
    }
}

/// The body of `message`.
pub(crate) fn best(message: &Message) -> BestBody {
    let properties = message.properties();
    let pages = Pages::of(message);
    // What cannot be read is noted by the properties.
    let text = plain(properties, &pages).unwrap_or_default();
    let native = properties.integer(tags::NATIVE_BODY).ok().flatten();
    if native == Some(NATIVE_TEXT) && text.is_some() {
        return BestBody {
            text,
            ..BestBody::default()
        };
    }
    let html = stored_html(properties, &pages).unwrap_or_default();
    let rtf_is_newer = properties.boolean(tags::RTF_IN_SYNC).ok().flatten() == Some(true);
    let rtf_wanted = html.is_none()
        || native == Some(NATIVE_RTF)
        || (rtf_is_newer && native != Some(NATIVE_HTML));
    let rtf = match rtf_wanted {
        true => stored_rtf(properties).unwrap_or_default(),
        false => None,
    };
    match (rtf, html) {
        // Genuine RTF was edited after the HTML was made; what was encapsulated is the HTML again.
        (Some(Rtf::Genuine(genuine)), html)
            if html.is_none() || native == Some(NATIVE_RTF) || rtf_is_newer =>
        {
            BestBody {
                text: text.or(genuine.text),
                html: None,
                rtf: (genuine.is_rich || native == Some(NATIVE_RTF)).then_some(genuine.bytes),
            }
        }
        (Some(Rtf::Html(encapsulated)), None) => with_html(text, encapsulated),
        (_, Some(html)) => with_html(text, html),
        (Some(Rtf::Text(encapsulated)), None) => BestBody {
            text: text.or(Some(encapsulated)),
            ..BestBody::default()
        },
        _ => BestBody {
            text: text.or_else(|| preview(properties)),
            ..BestBody::default()
        },
    }
}

fn with_html(text: Option<String>, html: String) -> BestBody {
    BestBody {
        text: text.or_else(|| shown(html::to_text(&html))),
        html: Some(html),
        rtf: None,
    }
}

/// The code pages that a message names for its body.
struct Pages {
    internet: Option<u32>,
    message: Option<u32>,
}

impl Pages {
    fn of(message: &Message) -> Self {
        let properties = message.properties();
        let store = message.store().page();
        let known = (store.reason != PageReason::Default).then_some(store.number);
        let page = |id: u16| {
            let page = properties.integer(id).ok().flatten()?;
            u32::try_from(page).ok().filter(|page| *page != 0)
        };
        Self {
            internet: page(tags::INTERNET_CODEPAGE),
            message: page(tags::MESSAGE_CODEPAGE).or(known),
        }
    }
}

/// `text` as it goes into a part; None when nothing of it can be seen.
fn shown<'a>(text: impl Into<Cow<'a, str>>) -> Option<String> {
    let text = normalise(text);
    (!text.trim().is_empty()).then_some(text)
}

fn plain(properties: &Properties, pages: &Pages) -> Result<Option<String>> {
    let Some(value) = properties.value(tags::BODY)? else {
        return Ok(None);
    };
    let text = match &value {
        Value::String(bytes) => codepage::decode_utf16le(bytes).into(),
        Value::String8(bytes) | Value::Binary(bytes) => {
            let decoded = codepage::decode_text8(bytes, pages.message, pages.internet);
            told("text body", decoded, properties)
        }
        _ => return Ok(None),
    };
    // A NUL at the end is none of the text; one within is, if it is to come back as it is stored.
    let text = unix_lines(text.trim_end_matches('\0'));
    Ok((!text.trim().is_empty()).then_some(text))
}

/// The text of `decoded`, the `part` of an item, after what is wrong with its labels has been noted.
fn told<'a>(part: &str, decoded: Decoded<'a>, properties: &Properties) -> Cow<'a, str> {
    if let Some(doubt) = decoded.doubt {
        properties.problems().note(Problem::new(part, doubt));
    }
    decoded.text
}

/// PidTagHtml is a binary, but some writers make it a string.
fn stored_html(properties: &Properties, pages: &Pages) -> Result<Option<String>> {
    Ok(properties.value(tags::HTML)?.and_then(|value| match value {
        Value::String(bytes) => shown(codepage::decode_utf16le(&bytes)),
        Value::String8(bytes) | Value::Binary(bytes) => {
            let decoded = codepage::decode_html(&bytes, pages.internet, pages.message);
            shown(told("HTML body", decoded, properties))
        }
        _ => None,
    }))
}

enum Rtf {
    Html(String),
    Text(String),
    Genuine(Genuine),
}

/// RTF by a word processor.
struct Genuine {
    text: Option<String>,
    /// It shows what text cannot.
    is_rich: bool,
    bytes: Vec<u8>,
}

fn stored_rtf(properties: &Properties) -> Result<Option<Rtf>> {
    let Some(stored) = properties.binary_with_gaps(tags::RTF_COMPRESSED)? else {
        return Ok(None);
    };
    let decompressed = lzfu::decompress_with_gaps(&stored);
    if let Some(problem) = &decompressed.problem {
        let problems = properties.problems();
        problems.note(Problem::new("RTF body", problem));
    }
    Ok(match rtf::convert(&decompressed.bytes) {
        rtf::RtfBody::Html(html) => shown(html).map(Rtf::Html),
        rtf::RtfBody::Text(text) => shown(text).map(Rtf::Text),
        rtf::RtfBody::Genuine {
            text,
            has_rich_content,
        } => {
            let text = shown(text);
            (text.is_some() || has_rich_content).then_some(Rtf::Genuine(Genuine {
                text,
                is_rich: has_rich_content,
                bytes: decompressed.bytes,
            }))
        }
    })
}

/// The start of the body, which Exchange keeps for lists: better than nothing.
fn preview(properties: &Properties) -> Option<String> {
    [tags::BODY_PREVIEW, tags::PREVIEW]
        .into_iter()
        .find_map(|id| properties.string(id).ok().flatten().and_then(shown))
}
