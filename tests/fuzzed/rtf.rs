//! Bodies: compressed RTF, RTF, HTML, and text out of all of them, in time and space that the input bounds.

use ostfs::codepage;
use ostfs::convert::text::rtf::RtfBody;
use ostfs::convert::text::{html, normalise, rtf};
use ostfs::ltp::lzfu;

/// Two bytes of LZFu are at most this many of RTF. [MS-OXRTFCP] 2.2.2
const MOST_OF_REFERENCE: usize = 17;
/// Bytes of text that a byte of RTF or HTML can become, indentation and list marks included.
const MOST_OF_BYTE: usize = 64;
const LINE: usize = 78;

/// The first byte chooses what the others are.
pub fn run(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else {
        return;
    };
    match choice % 4 {
        0 => {
            let rtf = lzfu::decompress(bytes);
            assert!(rtf.bytes.len() <= bytes.len().saturating_mul(MOST_OF_REFERENCE));
            text_of_rtf(&rtf.bytes);
        }
        1 => text_of_rtf(bytes),
        2 => text_of_html(&String::from_utf8_lossy(bytes)),
        _ => code_pages(bytes),
    }
}

fn bounded(out: &str, input: usize) {
    assert!(
        out.len() <= 1024 + input.saturating_mul(MOST_OF_BYTE),
        "{} of {input}",
        out.len()
    );
}

fn text_of_rtf(bytes: &[u8]) {
    match rtf::convert(bytes) {
        RtfBody::Html(html) => {
            bounded(&html, bytes.len());
            text_of_html(&html);
        }
        body => {
            let text = format!("{body:?}");
            bounded(&text, bytes.len());
        }
    }
}

fn text_of_html(html: &str) {
    let text = html::to_text(html);
    bounded(&text, html.len());
    let text = normalise(&text);
    assert!(!text.contains(['\r', '\0']));
    if let Some(wrapped) = html::wrap(html, LINE) {
        assert!(wrapped.lines().all(|line| line.len() <= LINE));
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(bare(&wrapped), bare(html), "only blanks change");
    }
}

fn code_pages(bytes: &[u8]) {
    let Some((page, bytes)) = bytes.split_first_chunk::<2>() else {
        return;
    };
    let page = u32::from(u16::from_le_bytes(*page));
    bounded(&codepage::decode(page, bytes), bytes.len());
    bounded(
        &codepage::decode_html(bytes, Some(page), None).text,
        bytes.len(),
    );
    bounded(
        &codepage::decode_text8(bytes, Some(page), None).text,
        bytes.len(),
    );
    let label = String::from_utf8_lossy(bytes);
    _ = codepage::from_charset_label(&label);
}
