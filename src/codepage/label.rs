//! The numbers of code pages that charset labels name.
#![forbid(unsafe_code)]

use encoding_rs::Encoding;

use super::table::{HZ, Table, US_ASCII, UTF_7, UTF_16_BIG, UTF_16_LITTLE};

/// The code page that a charset label of MIME or HTML names, e.g. `iso-8859-1` or `GB2312`; `None` for labels that
/// nobody knows.
pub fn from_charset_label(label: &str) -> Option<u32> {
    let label = label
        .trim_matches(|c: char| c.is_ascii_whitespace() || c == '"' || c == '\'')
        .to_ascii_lowercase();
    // Labels that the web has no decoder for, and those that it maps to a wider page.
    let own = match label.as_str() {
        "us-ascii" | "ascii" | "ansi_x3.4-1968" | "iso646-us" => US_ASCII,
        "utf-7" | "utf7" | "unicode-1-1-utf-7" | "csunicode11utf7" => UTF_7,
        "hz-gb-2312" | "hz" => HZ,
        "iso-2022-kr" | "csiso2022kr" => 50225,
        "iso-2022-cn" | "iso-2022-cn-ext" => 50227,
        "iso-2022-jp-1" | "iso-2022-jp-2" | "iso-2022-jp-3" | "iso-2022-jp-ms" => 50221,
        "utf-16" | "utf-16le" | "unicode" | "ucs-2" => UTF_16_LITTLE,
        "utf-16be" | "unicodefffe" => UTF_16_BIG,
        "euc-jp" | "x-euc-jp" | "x-euc" => 51932,
        _ => return from_web_label(&label).or_else(|| from_numbered_label(&label)),
    };
    Some(own)
}

fn from_web_label(label: &str) -> Option<u32> {
    let encoding = Encoding::for_label_no_replacement(label.as_bytes())?;
    codepage::from_encoding(encoding).map(u32::from)
}

/// Labels that carry the number of their page: `cp850`, `ibm437`, `windows-31` and the like.
fn from_numbered_label(label: &str) -> Option<u32> {
    let prefixes = ["windows-", "cp-", "cp", "ibm-", "ibm", "dos-", "x-cp", "ms"];
    let digits = prefixes
        .iter()
        .find_map(|prefix| label.strip_prefix(prefix))?;
    let number = digits.parse().ok()?;
    Table::of(number).map(|_| number)
}
