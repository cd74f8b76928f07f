//! What a code page states is compared with the codecs of Python, a second and independent source.

use std::borrow::Cow;

use super::table::*;
use super::*;

fn decode_html(bytes: &[u8], internet: Option<u32>, message: Option<u32>) -> Cow<'_, str> {
    super::decode_html(bytes, internet, message).text
}

fn decode_text8(bytes: &[u8], message: Option<u32>, internet: Option<u32>) -> Cow<'_, str> {
    super::decode_text8(bytes, message, internet).text
}

#[test]
fn a_label_that_the_bytes_contradict_gives_way_to_what_they_tell() {
    // Python: "Привет, это письмо написано по-русски".encode("cp1251")
    let russian = b"\xcf\xf0\xe8\xe2\xe5\xf2, \xfd\xf2\xee \xef\xe8\xf1\xfc\xec\xee \xed\xe0\xef\xe8\xf1\xe0\xed\xee \xef\xee-\xf0\xf3\xf1\xf1\xea\xe8";
    let text = "Привет, это письмо написано по-русски";
    let decoded = super::decode_html(russian, Some(UTF_8), None);
    assert_eq!(decoded.text, text);
    let doubt = decoded.doubt.unwrap();
    assert_eq!((doubt.declared, doubt.taken), (UTF_8, 1251));
    assert_eq!(super::decode_html(russian, None, None).text, text);
    assert_eq!(detect(russian), Some(1251));
    assert_eq!(detect(b"caf\xe9"), None);
}

/// Code page, bytes as Python's codec of that page encodes the text, the text.
const SAMPLES: &[(u32, &[u8], &str)] = &[
    (
        932,
        b"\x83e\x83X\x83g\x95\x5C\x8E\xA6 \xB6\xC5",
        "テスト表示 ｶﾅ",
    ),
    (50220, b"\x1B$BF|K\x5C8l\x1B(B mail", "日本語 mail"),
    (
        51932,
        b"\xC6\xFC\xCB\xDC\xB8\xEC\xA4\xCE\xB7\xEF\xCC\xBE",
        "日本語の件名",
    ),
    (
        949,
        b"\xC7\xD1\xB1\xB9\xBE\xEE \xC6\xED\xC1\xF6 \x8Cc",
        "한국어 편지 똠",
    ),
    (51949, b"\xC7\xD1\xB1\xB9\xBE\xEE", "한국어"),
    (
        936,
        b"\xBC\xF2\xCC\xE5\xD6\xD0\xCE\xC4 \xE6g",
        "简体中文 鎔",
    ),
    (54936, b"\xD6\xD0\xCE\xC4 \x952\x826", "中文 \u{20000}"),
    (950, b"\xC1c\xC5\xE9\xA4\xA4\xA4\xE5", "繁體中文"),
    (
        1251,
        b"\xCF\xF0\xE8\xE2\xE5\xF2, \xEC\xE8\xF0",
        "Привет, мир",
    ),
    (
        20866,
        b"\xF0\xD2\xC9\xD7\xC5\xD4, \xCD\xC9\xD2",
        "Привет, мир",
    ),
    (21866, b"\xB7\xD6\xC1\xCB", "Їжак"),
    (866, b"\x8F\xE0\xA8\xA2\xA5\xE2 \xB0", "Привет ░"),
    (10007, b"\x8F\xF0\xE8\xE2\xE5\xF2", "Привет"),
    (28595, b"\xBF\xE0\xD8\xD2\xD5\xE2", "Привет"),
    (1253, b"\xCA\xE1\xEB\xE7\xEC\xDD\xF1\xE1", "Καλημέρα"),
    (28597, b"\xCA\xE1\xEB\xE7\xEC\xDD\xF1\xE1", "Καλημέρα"),
    (737, b"\x89\x98\xA2\x9E\xA3\xE2\xA8\x98", "Καλημέρα"),
    (1255, b"\xF9\xEC\xE5\xED", "שלום"),
    (28598, b"\xF9\xEC\xE5\xED", "שלום"),
    (38598, b"\xF9\xEC\xE5\xED", "שלום"),
    (862, b"\x99\x8C\x85\x8D", "שלום"),
    (1256, b"\xE3\xD1\xCD\xC8\xC7", "مرحبا"),
    (28596, b"\xE5\xD1\xCD\xC8\xC7", "مرحبا"),
    (720, b"\xEA\xA9\xA5\xA0\x9F", "مرحبا"),
    (874, b"\xCA\xC7\xD1\xCA\xB4\xD5", "สวัสดี"),
    (
        1250,
        b"P\xF8\xEDli\x9A \x9Elu\x9Dou\xE8k\xFD",
        "Příliš žluťoučký",
    ),
    (
        28592,
        b"P\xF8\xEDli\xB9 \xBElu\xBBou\xE8k\xFD",
        "Příliš žluťoučký",
    ),
    (852, b"P\xFD\xA1li\xE7", "Příliš"),
    (1254, b"\xDDstanbul \xF0", "İstanbul ğ"),
    (28599, b"\xDDstanbul \xF0", "İstanbul ğ"),
    (857, b"\x98stanbul \xA7", "İstanbul ğ"),
    (1257, b"\xE0\xE8\xE6\xEB\xE1", "ąčęėį"),
    (1258, b"Ti\xEAng Vi\xEAt \xF0", "Tiêng Viêt đ"),
    (28605, b"\xA4 \xBDuvre", "€ œuvre"),
    (28591, b"F\xFC\xDFe", "Füße"),
    (10000, b"F\x9F\xA7e \xC6", "Füße ∆"),
    (437, b"F\x81\xE1e \xC9\xCD\xBB \xF1", "Füße ╔═╗ ±"),
    (850, b"F\x81\xE1e \xC9\xCD\xBB \xD1", "Füße ╔═╗ Ð"),
    (858, b"\xD5 \xE1", "€ ß"),
    (65000, b"Gr+APwA3w-e 1+-1 +ZeVnLA-", "Grüße 1+1 日本"),
    (52936, b"~{VPND~} ~~ text", "中文 ~ text"),
    (50225, b"\x1B$)C\x0EGQ19>n\x0F text", "한국어 text"),
    (
        65001,
        b"F\xC3\xBC\xC3\x9Fe \xE6\x97\xA5\xE6\x9C\xAC \xF0\x9F\x98\x80",
        "Füße 日本 😀",
    ),
    (10001, b"\x93\xFA\x96{", "日本"),
    (10002, b"\xC1c\xC5\xE9", "繁體"),
    (10003, b"\xC7\xD1\xB1\xB9", "한국"),
    (10008, b"\xBC\xF2\xCC\xE5", "简体"),
];

#[test]
fn pages_decode_as_python_encodes_them() {
    for &(page, bytes, text) in SAMPLES {
        assert_eq!(decode(page, bytes), text, "code page {page}");
    }
}

#[test]
fn bodies_decode_under_their_own_label() {
    for &(page, bytes, text) in SAMPLES {
        assert_eq!(decode_html(bytes, Some(page), None), text, "page {page}");
        assert_eq!(decode_text8(bytes, Some(page), None), text, "page {page}");
        assert_eq!(decode_text8(bytes, None, Some(page)), text, "page {page}");
    }
}

#[test]
fn no_page_loses_single_byte_text() {
    for page in [0, 1, 37, 500, 1047, 99_999, u32::MAX, US_ASCII, 1200, 1201] {
        assert_eq!(decode(page, b"Caf\xE9"), "Café", "code page {page}");
        assert_eq!(
            decode(page, "Café 日本".as_bytes()),
            "Café 日本",
            "code page {page}"
        );
    }
}

#[test]
fn every_number_decodes_every_byte_to_something() {
    let all: Vec<u8> = (0..=255).collect();
    for page in 0..=66_000 {
        assert!(!decode(page, &all).is_empty(), "code page {page}");
        assert_eq!(decode(page, b""), "", "code page {page}");
    }
}

#[test]
fn damaged_utf8_keeps_what_is_whole() {
    assert_eq!(decode(UTF_8, b"\xEF\xBB\xBFok"), "ok");
    assert_eq!(decode(UTF_8, b"\xE6\x97\xA5 Stra\xDFe"), "日 Straße");
    assert_eq!(decode(UTF_8, b"\xE6\x97\xA5\xE6\x9C"), "日\u{FFFD}");
}

#[test]
fn double_byte_label_on_utf8_bytes_yields_to_the_bytes() {
    assert_eq!(decode(932, "naïve – Straße".as_bytes()), "naïve – Straße");
}

#[test]
fn japanese_mail_survives_broken_shift_states() {
    // No return to ASCII before the end of the line; a lone half character; halfwidth kana in two ways.
    assert_eq!(decode(50220, b"\x1B$BF|K\\\r\nplain"), "日本\r\nplain");
    assert_eq!(decode(50220, b"\x1B$BF|K\x1B(B!"), "日K!");
    assert_eq!(decode(50222, b"\x0E6E\x0F x \x1B(I6E"), "ｶﾅ x ｶﾅ");
    assert_eq!(
        decode(50221, b"\x93\xFA\x96{ \x1B$BF|K\\\x1B(B"),
        "日本 日本"
    );
    // An escape sequence that nobody knows, and one cut off.
    assert_eq!(decode(50220, b"a\x1B%Gb\x1B$"), "ab$");
}

#[test]
fn chinese_and_korean_shift_states_end_with_the_line() {
    assert_eq!(decode(52936, b"~{VPND\nplain ~~ ~"), "中文\nplain ~ ~");
    assert_eq!(decode(52936, b"a~\nb \xD6\xD0"), "ab 中");
    assert_eq!(decode(50225, b"\x0EGQ\nGQ"), "한\nGQ");
    assert_eq!(decode(50227, b"\x1B$)A\x0EVPND\x0F."), "中文.");
}

#[test]
fn utf7_with_errors_keeps_the_rest() {
    let text = decode(65000, b"a +AOk- b +");
    assert!(text.starts_with("a é b "), "{text}");
    // Eight-bit bytes are no UTF-7 at all.
    assert_eq!(decode(65000, b"1 + 1 \xE9"), "1 + 1 é");
}

#[test]
fn utf16_values_tolerate_halves() {
    assert_eq!(decode_utf16le(b"a\0\xE9\0b"), "aé");
    assert_eq!(decode_utf16le(b"\x3D\xD8\x00\xDE"), "😀");
    assert_eq!(decode_utf16le(b"\x3D\xD8x\0\x00\xDE"), "\u{FFFD}x\u{FFFD}");
    assert_eq!(decode_utf16le(b""), "");
}

#[test]
fn utf8_bytes_win_over_a_western_label() {
    let html = "<p>Füße – 日本</p>";
    for label in [Some(1252), Some(28591), Some(1251), Some(US_ASCII), None] {
        assert_eq!(decode_html(html.as_bytes(), label, Some(1252)), html);
        assert_eq!(decode_text8(html.as_bytes(), label, None), html);
    }
    // Two characters may be chance under a double-byte label, a sentence is not.
    let chance = decode(936, b"\xC3\xA9");
    assert_eq!(decode_html(b"\xC3\xA9", Some(936), None), chance);
    let sentence = "é à ü ö ä";
    assert_eq!(decode_html(sentence.as_bytes(), Some(936), None), sentence);
}

#[test]
fn a_utf8_label_on_other_bytes_is_passed_over() {
    assert_eq!(
        decode_html(b"<p>Caf\xE9</p>", Some(UTF_8), None),
        "<p>Café</p>"
    );
    assert_eq!(
        decode_text8(b"\xCF\xF0\xE8", Some(UTF_8), Some(1251)),
        "При"
    );
    let japanese = b"<meta charset=shift_jis>\x83e\x83X\x83g";
    assert!(decode_html(japanese, Some(UTF_8), None).ends_with("テスト"));
    // One damaged place does not make a text another encoding.
    let damaged = b"\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\xE6\x97\xA5\xE6\x9C\xAC \xE9.";
    assert!(decode_html(damaged, Some(UTF_8), Some(1252)).starts_with("日本語日本 "));
}

#[test]
fn labels_of_a_body_in_their_order() {
    let cyrillic = b"<META http-equiv=Content-Type content=\"text/html; charset=koi8-r\">\xF0\xD2\xC9\xD7\xC5\xD4";
    // The Internet code page comes before <meta>, unless it states nothing.
    assert!(decode_html(cyrillic, Some(US_ASCII), Some(1252)).ends_with("Привет"));
    assert!(decode_html(cyrillic, None, Some(1252)).ends_with("Привет"));
    assert!(decode_html(cyrillic, Some(1251), None).ends_with("рТЙЧЕФ"));
    // <meta> comes before the message code page, that before Windows-1252.
    assert_eq!(decode_html(b"\xCF\xF0\xE8", None, Some(1251)), "При");
    assert_eq!(decode_html(b"\xCF\xF0\xE8", Some(US_ASCII), None), "Ïðè");
    assert_eq!(decode_text8(b"\xCF\xF0\xE8", None, Some(1251)), "При");
    assert_eq!(decode_text8(b"\xCF\xF0\xE8", Some(1200), None), "Ïðè");
}

#[test]
fn seven_bit_japanese_is_found_under_any_label() {
    let html = b"<meta charset=iso-2022-jp>\x1B$BF|K\\8l\x1B(B";
    for label in [None, Some(US_ASCII), Some(28591), Some(UTF_8)] {
        assert!(
            decode_html(html, label, None).ends_with("日本語"),
            "{label:?}"
        );
    }
    assert_eq!(
        decode_text8(b"\x1B$BF|K\\8l\x1B(B", Some(1252), None),
        "日本語"
    );
}

#[test]
fn utf16_bodies_are_found_by_mark_or_by_zeros() {
    let text = "<html>é</html>";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(decode_html(&little, Some(1252), None), text);
    assert_eq!(decode_html(&big, None, None), text);
    let marked: Vec<u8> = [&[0xFF, 0xFE], &little[..]].concat();
    assert_eq!(decode_html(&marked, Some(UTF_8), None), text);
}

#[test]
fn charset_labels_name_their_page() {
    for (label, page) in [
        ("utf-8", UTF_8),
        ("\"UTF-8\"", UTF_8),
        ("us-ascii", US_ASCII),
        ("windows-1251", 1251),
        ("gb2312", 936),
        ("GB18030", 54936),
        ("big5", 950),
        ("shift_jis", 932),
        ("cp932", 932),
        ("euc-jp", 51932),
        ("iso-2022-kr", 50225),
        ("hz-gb-2312", 52936),
        ("utf-7", 65000),
        ("koi8-r", 20866),
        ("iso-8859-8-i", 38598),
        ("cp850", 850),
        ("IBM437", 437),
        ("ks_c_5601-1987", 949),
    ] {
        assert_eq!(from_charset_label(label), Some(page), "{label}");
    }
    for label in [
        "x-unknown",
        "",
        "default",
        "cp",
        "cp99999",
        "windows-4294967297",
    ] {
        assert_eq!(from_charset_label(label), None, "{label}");
    }
    for (label, bytes, text) in [
        ("iso-8859-1", b"\xE9".as_slice(), "é"),
        ("iso-8859-15", b"\xA4", "€"),
        ("iso-2022-jp", b"\x1B$BF|\x1B(B", "日"),
        ("tis-620", b"\xA1", "ก"),
    ] {
        let page = from_charset_label(label).unwrap();
        assert_eq!(decode(page, bytes), text, "{label}");
    }
}

#[test]
fn a_page_that_nobody_knows_is_doubted() {
    let text = "Привет, как дела сегодня";
    let (bytes, ..) = encoding_rs::WINDOWS_1251.encode(text);
    // 20261 is T.61.
    for decoded in [
        super::decode_text8(&bytes, Some(20261), None),
        super::decode_html(&bytes, Some(20261), None),
    ] {
        assert_eq!(decoded.text, text);
        let doubt = decoded.doubt.unwrap();
        assert_eq!((doubt.declared, doubt.taken), (20261, 1251));
    }
    let few = super::decode_text8(b"caf\xE9", Some(20261), None);
    assert_eq!(
        (&*few.text, few.doubt.map(|doubt| doubt.taken)),
        ("café", Some(1252))
    );
    // One that is known besides settles it.
    assert_eq!(
        super::decode_text8(&bytes, Some(20261), Some(1251)).text,
        text
    );
}

/// As the codec "johab" of Python has them.
#[test]
fn johab_has_syllables_letters_signs_and_hanja() {
    let cases: [(&[u8], &str); 6] = [
        (b"\x88\x61\x90\x61\x94\x61", "가나다"),
        (b"Q: \xd0\x65\x8b\x69!", "Q: 한글!"),
        (b"\x88\x41\x84\x61\x84\x42", "ㄱㅏㄱ"),
        (b"\xd9\x31\xd9\xa1", "\u{3000}⇒"),
        (b"\xe0\x31\xf9\xfe", "伽詰"),
        (b"a\xffb", "a\u{FFFD}b"),
    ];
    for (bytes, text) in cases {
        assert_eq!(johab::decode(bytes).0, text, "{bytes:x?}");
    }
    assert_eq!(decode(1361, b"\x88\x61"), "가");
}
