//! Which attachments a body shows: HTML those that it refers to, RTF those that it has marks for. RFC 2392, RFC 2557
//!
//! Flags of attachments mislead; the reference is the test. What is not referred to stays an ordinary attachment.
#![forbid(unsafe_code)]

use std::collections::HashSet;

use crate::convert::attachment::Item;
use crate::convert::text::rtf::ATTACHMENT_MARK;

const CID: &str = "cid:";

/// The URLs in an HTML body, percent-decoded and in lower case.
#[derive(Debug)]
pub(crate) struct References {
    urls: HashSet<String>,
    base: Option<String>,
}

impl References {
    /// Collects all that may be a URL: what stands between quotes, brackets and blanks.
    pub fn of_html(html: &str) -> Self {
        let lower = html.to_ascii_lowercase();
        let mut urls = HashSet::new();
        let mut add = |piece: &str| {
            // Longer pieces are text or data, not the address of a part.
            if (1..=2000).contains(&piece.len()) {
                urls.insert(canonical(piece));
            }
        };
        // A URL in quotes may have blanks in it.
        lower.split(['"', '\'']).for_each(&mut add);
        lower
            .split(|character: char| character.is_whitespace() || "\"'()<>=,;".contains(character))
            .for_each(&mut add);
        lower.split(['(', ')']).for_each(&mut add);
        Self {
            base: base(&lower),
            urls,
        }
    }

    /// Whether the body shows `item`.
    pub fn contains(&self, item: &Item) -> bool {
        let by_id = item
            .content_id
            .as_deref()
            .map(|id| canonical(&format!("{CID}{id}")));
        let by_location = item.content_location.as_deref().map(canonical);
        let relative = by_location
            .as_deref()
            .zip(self.base.as_deref())
            .and_then(|(location, base)| location.strip_prefix(base));
        [by_id.as_deref(), by_location.as_deref(), relative]
            .into_iter()
            .flatten()
            .any(|url| self.urls.contains(url))
    }
}

/// The folder of `<base href>`.
fn base(lower: &str) -> Option<String> {
    let (_, element) = lower.split_once("<base")?;
    let (attributes, _) = element.split_once('>')?;
    let (_, value) = attributes.split_once("href")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let value = match value.strip_prefix(['"', '\'']) {
        Some(quoted) => quoted.split(['"', '\'']).next()?,
        None => value.split_whitespace().next()?,
    };
    let folder = value.rfind('/').and_then(|slash| value.get(..=slash));
    folder.map(canonical)
}

/// One spelling of a URL: entities and percent escapes decoded, in lower case.
fn canonical(url: &str) -> String {
    let url = url.trim().replace("&amp;", "&");
    let mut bytes = Vec::with_capacity(url.len());
    let mut rest = url.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%')
            .then(|| std::str::from_utf8(after.get(..2)?).ok())
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).to_lowercase()
}

/// Puts names in place of the marks where RTF shows attachments.
pub(super) fn name_marks(text: &str, items: &[Item]) -> String {
    let mut shown: Vec<&Item> = items
        .iter()
        .filter(|item| item.position.is_some())
        .collect();
    shown.sort_by_key(|item| item.position);
    let mut names = shown.iter().map(|item| item.name.as_str());
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character == ATTACHMENT_MARK {
            out.push_str(&format!("[{}]", names.next().unwrap_or("attachment")));
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::byte_range::ByteRange;

    fn item(id: Option<&str>, location: Option<&str>) -> Item {
        Item {
            content_id: id.map(str::to_owned),
            content_location: location.map(str::to_owned),
            ..Item::of_file("a.gif".into(), None, ByteRange::of_bytes(Vec::new()))
        }
    }

    #[test]
    fn content_ids_match_however_they_are_written() {
        let html = References::of_html(
            "<IMG SRC=\"cid:Image001.png@01D0\"><img src=cid:b%40c><td background='CID:d&amp;e'>\
             <p style=\"background:url(cid:f@g)\">",
        );
        for id in ["image001.PNG@01D0", "b@c", "d&e", "f@g"] {
            assert!(html.contains(&item(Some(id), None)), "{id}");
        }
        for id in ["image001.png", "b", "x"] {
            assert!(!html.contains(&item(Some(id), None)), "{id}");
        }
    }

    #[test]
    fn locations_match_whole_or_behind_the_base() {
        let html = References::of_html(
            "<base href=\"http://x/y/z.htm\"><img src=\"a b.gif\"><img src=http://q/c.gif>",
        );
        for location in ["http://x/y/a%20b.gif", "http://q/C.gif", "a b.gif"] {
            assert!(html.contains(&item(None, Some(location))), "{location}");
        }
        assert!(!html.contains(&item(None, Some("http://x/a.gif"))));
        assert!(!html.contains(&item(None, None)));
    }
}
