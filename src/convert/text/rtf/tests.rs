//! Vectors of de-encapsulation made by hand, and what genuine RTF must give.

use super::*;

/// How the vectors of encapsulated HTML begin.
const HEADER: &str = r"{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}{\f1\fmodern\fcharset128 MS Gothic;}{\f2\fnil\fcharset204 Arial Cyr;}}";

/// Name, RTF behind [`HEADER`], HTML.
const HTML_VECTORS: &[(&str, &str, &str)] = &[
    (
        r"basic+htmlrtf toggle",
        r"{\*\htmltag64}{\*\htmltag18 <html>}{\*\htmltag34 <body>}{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 Hello \htmlrtf\b\htmlrtf0{\*\htmltag84 <b>}big{\*\htmltag92 </b>}\htmlrtf\b0\htmlrtf0  world\htmlrtf\par}\htmlrtf0{\*\htmltag72 </p>}{\*\htmltag50 </body>}{\*\htmltag58 </html>}}",
        r"<html><body><p>Hello <b>big</b> world</p></body></html>",
    ),
    (
        r"\par inside htmltag is CRLF, escaped braces",
        r"{\*\htmltag241 <style>\par p \{margin:0\}\par </style>}x}",
        "<style>\r\np {margin:0}\r\n</style>x",
    ),
    (
        r"symbols outside of tags are references",
        r"{\*\htmltag64 <p>}a\_b\~c{\*\htmltag72 </p>}}",
        "<p>a&shy;b&nbsp;c</p>",
    ),
    (
        r"mhtmltag is dropped",
        r#"{\*\mhtmltag84 <img src="mhtml:x">}{\*\htmltag84 <img src="cid:a@b">}}"#,
        r#"<img src="cid:a@b">"#,
    ),
    (
        r"font charset 128 (cp932), 2 bytes split over 'xx and plain byte",
        r"\f1 \'83e\'83X\'83g \f0 caf\'e9}",
        r"テスト café",
    ),
    (
        r"font charset 204",
        r"\f2\'cf\'f0\'e8\'e2\'e5\'f2}",
        r"Привет",
    ),
    (
        r"\u with \uc1 fallback, negative",
        r"\uc1\u8364?\u-10179?\u-8704? ok}",
        r"€😀 ok",
    ),
    (
        r"\uc2 and \uc0, \'xx counts as one",
        r"\uc2\u8364\'a2\'e3\uc0\u233 e}",
        r"€ée",
    ),
    (r"uc is group scoped", r"{\uc0\u233 }\u233?}", r"éé"),
    (
        r"entities from RTF words",
        r"a\~b\tab c\emdash d\lquote e\rquote}",
        "a&nbsp;b\tc&mdash;d&lsquo;e&rsquo;",
    ),
    (
        r"\line, raw CRLF ignored",
        "one\r\ntwo\\line three}",
        "onetwo\r\nthree",
    ),
    (r"htmlrtf state is group scoped", r"{\htmlrtf x}y}", r"y"),
    (
        r"unknown \* destination dropped, bullets in pntext dropped",
        r"{\*\foo bar}\htmlrtf {\pntext\'b7}\htmlrtf0 A}",
        r"A",
    ),
    (r"\bin skip", r"A{\*\htmltag0 <i>}\bin3 }}}B}", r"A<i>B"),
    (r"empty htmltag64", r"{\*\htmltag64}t}", r"t"),
    (
        r"text in htmltag uses \ansicpg, not font",
        r"\f2{\*\htmltag84 <a title='\'e9'>}}",
        r"<a title='é'>",
    ),
];

fn html(rtf_behind_header: &str) -> String {
    match convert(format!("{HEADER}{rtf_behind_header}").as_bytes()) {
        RtfBody::Html(html) => html,
        other => panic!("no HTML: {other:?}"),
    }
}

/// Text of genuine RTF and whether it is rich.
fn genuine(body: &str) -> (String, bool) {
    let rtf = format!(
        r"{{\rtf1\ansi\ansicpg1252\deff0{{\fonttbl{{\f0 Arial;}}{{\f1\fcharset128 M;}}}}{body}}}"
    );
    match convert(rtf.as_bytes()) {
        RtfBody::Genuine {
            text,
            has_rich_content,
        } => (text, has_rich_content),
        other => panic!("not genuine: {other:?}"),
    }
}

fn text(body: &str) -> String {
    genuine(body).0
}

#[test]
fn encapsulated_html_comes_back() {
    for (name, rtf, expected) in HTML_VECTORS {
        assert_eq!(html(rtf), *expected, "{name}");
    }
}

#[test]
fn encapsulated_text_comes_back() {
    let rtf = r"{\rtf1\ansi\ansicpg1251\fromtext \deff0{\fonttbl{\f0\fmodern\fcharset204 Courier;}}\f0\fs20 line1\par \'cf\{x\}\tab y\par}";
    let expected = RtfBody::Text("line1\r\nП{x}\ty\r\n".into());
    assert_eq!(convert(rtf.as_bytes()), expected);
}

#[test]
fn flavour_is_decided_in_the_header() {
    let late = r"{\rtf1\ansi{\fonttbl{\f0 A;}}\fromhtml1 x}";
    assert!(matches!(convert(late.as_bytes()), RtfBody::Genuine { .. }));
    let marked = b"\xEF\xBB\xBF{\\rtf1\\ansi\\fromtext x}\0\0";
    assert_eq!(convert(marked), RtfBody::Text("x".into()));
    assert!(matches!(convert(b""), RtfBody::Genuine { text, .. } if text.is_empty()));
}

#[test]
fn genuine_text_has_paragraphs_tabs_and_typography() {
    assert_eq!(
        text(r"\pard a\tab b\par c\line d\emdash\~\ldblquote e\rdblquote\par"),
        "a\tb\r\nc\r\nd\u{2014}\u{A0}\u{201C}e\u{201D}\r\n"
    );
    assert_eq!(text("one\\\r\ntwo\r\n three"), "one\r\ntwo three");
    assert_eq!(
        text(r"caf\'e9 \f1\'83\'65\'83\'58 \u8364?\{\}"),
        "caf\u{e9} \u{30c6}\u{30b9} \u{20ac}{}"
    );
}

#[test]
fn tables_become_lines_of_cells() {
    let (table, rich) = genuine(r"\trowd a\cell b\cell\row\trowd c\cell\cell\row after");
    assert_eq!(table, "a\tb\r\nc\t\r\nafter");
    assert!(rich);
    // A table within a cell, with the copy for readers that do not know of it.
    let nested = r"outer x\nestcell y\nestcell{\*\nesttableprops\trowd\nestrow}{\nonesttables\par}end\cell\row";
    assert_eq!(text(nested), "outer x\ty\r\nend\r\n");
}

#[test]
fn bullets_show_and_their_templates_do_not() {
    let list = r"{\*\pn\pnlvlblt{\pntxtb\'b7}}{\pntext\'b7\tab}one\par{\listtext 2.\tab}two";
    assert_eq!(text(list), "\u{b7}\tone\r\n2.\ttwo");
    assert_eq!(text(r"{\listtext\u-3913\'b7\tab}x"), "\u{2022}\tx");
}

#[test]
fn links_keep_their_addresses() {
    let link = |instruction: &str, result: &str| {
        text(&format!(
            r"see {{\field{{\*\fldinst{{{instruction}}}}}{{\fldrslt{{\ul {result}}}}}}}."
        ))
    };
    let here = "see here <http://a.example/?x=1>.";
    assert_eq!(link(r#"HYPERLINK "http://a.example/?x=1""#, "here"), here);
    assert_eq!(link("HYPERLINK http://a.example/?x=1", "here"), here);
    assert_eq!(
        link(r#"HYPERLINK "http://a.example/" \\l "part""#, "here"),
        "see here <http://a.example/#part>."
    );
    // Nothing is said twice.
    assert_eq!(
        link(r#"HYPERLINK "mailto:a@b.example""#, "a@b.example"),
        "see a@b.example."
    );
    assert_eq!(
        link(r#"HYPERLINK "http://a.example/""#, "http://a.example"),
        "see http://a.example."
    );
    // Links within the document and other fields.
    assert_eq!(link(r#"HYPERLINK \\l "part""#, "here"), "see here.");
    assert_eq!(link("PAGE", "7"), "see 7.");
    // A field within the instruction of a field, and one cut off.
    assert_eq!(
        text(r"{\field{\*\fldinst IF {\field{\*\fldinst X}{\fldrslt 5}} = 5}{\fldrslt yes}}"),
        "yes"
    );
    assert_eq!(
        text(r#"{\field{\*\fldinst HYPERLINK "http://a.example"}{\fldrslt cut"#),
        "cut <http://a.example>"
    );
}

#[test]
fn footnotes_attachments_hidden_text_and_unicode_halves() {
    assert_eq!(
        text(r"word{\super\chftn}{\footnote\pard note} more"),
        "word [note] more"
    );
    assert_eq!(text(r"a {\objattph  } b"), "a \u{FFFC} b");
    assert_eq!(
        text(r"a{\v secret}b\v c\v0 d\v e\plain f{\deleted g}"),
        "abdf"
    );
    assert_eq!(
        text(r"{\upr{ansi ?}{\*\ud{unicode \u233?}}}."),
        "unicode \u{e9}."
    );
}

#[test]
fn what_is_not_text_is_left_out() {
    let rich = r"{\info{\title T}}{\header H}{\*\unknown U}{\pict 0102}{\*\shppict{\pict 03}}{\colortbl;}a";
    assert_eq!(genuine(rich), ("a".into(), true));
    assert_eq!(genuine(r"{\*\generator G;}a"), ("a".into(), false));
    // Text in a shape and in an embedded object's result belongs to the reader.
    assert_eq!(
        text(r"{\shp{\*\shpinst{\sp{\sn n}{\sv v}}{\shptxt box}}{\shprslt old}}"),
        "box"
    );
    assert_eq!(
        text(r"{\object{\*\objclass C}{\*\objdata 00}{\result shown}}"),
        "shown"
    );
}

#[test]
fn formatting_that_text_loses_makes_rtf_rich() {
    for body in [
        r"valid {\strike void}",
        r"\b Note",
        r"a\i b",
        r"{\ul\u233 ?}",
        r"x{\super\'32}",
        r"{\highlight7 this}",
        r"a{\v hidden}",
        r"a{\deleted gone}{\revised come}",
        r"{\colortbl;\red0\green0\blue0;\red255\green0\blue0;}said \cf2 answered",
        r"{\colortbl;\red255\green0\blue0;}a\par\cf1 the red ones\cf0  are to go\par b",
    ] {
        assert!(genuine(body).1, "{body}");
    }
}

#[test]
fn what_every_word_processor_writes_makes_no_rtf_rich() {
    for body in [
        r"\plain\f0\fs20\lang1033 text",
        r"\strike0\b0\ul0\ulnone\nosupersub text",
        r"{\stylesheet{\s1\b heading 1;}}text",
        r"\b\i \tab\par\plain text",
        r"{\b }text",
        r"{\colortbl;\red0\green0\blue0;\red255\green0\blue0;}\cf0 auto \cf1 black \cf9 none",
        r"\b\plain text",
        r"\pard\li360\qc\keepn text\par",
    ] {
        assert!(!genuine(body).1, "{body}");
    }
}

/// As Outlook writes the logs of a synchronisation: errors are lines in red, and say that they are errors.
#[test]
fn lines_of_one_colour_make_no_rtf_rich() {
    let colours = r"{\colortbl\red0\green0\blue0;\red255\green0\blue0;}";
    for body in [
        r"16:37 Done\par \cf1 16:37 \tab Could not connect\plain  \par 16:38 Done\par",
        r"\cf1 all of it\line in red\par",
        r"a\par{\cf1 b}\par{\cf1 \u233 ?}\par c",
    ] {
        assert!(!genuine(&format!("{colours}{body}")).1, "{body}");
    }
    assert!(genuine(&format!(r"{colours}a\par\cf1 b\strike c\par")).1);
}

#[test]
fn surrogates_pair_up_or_are_replaced() {
    assert_eq!(text(r"\u-10179?\u-8704?"), "\u{1F600}");
    assert_eq!(text(r"\u55357?\u56832?"), "\u{1F600}");
    assert_eq!(text(r"\u-10179?x\u-8704?y"), "\u{FFFD}x\u{FFFD}y");
    assert_eq!(text(r"\u-10179?\u-10179?\u-8704?"), "\u{FFFD}\u{1F600}");
}

#[test]
fn unicode_without_fallback_or_beyond_16_bits() {
    assert_eq!(text(r"\u1055\u1088\u1080 !"), "\u{41f}\u{440}\u{438}");
    assert_eq!(text(r"\u128512?x"), "\u{1F600}x");
}

#[test]
fn damage_costs_the_damaged_place_only() {
    // Groups never closed, and more of them than anyone keeps.
    let deep = format!("{}deep", "{\\b ".repeat(50_000));
    assert_eq!(text(&deep), "deep");
    let balanced = format!("{}in{}out", "{".repeat(9_000), "}".repeat(9_000));
    assert_eq!(text(&balanced), "inout");
    assert_eq!(text(r"a\'4zb\'"), "a\u{4}zb");
    assert_eq!(text(r"a\bin99999 b"), "a");
    assert_eq!(text(r"a\bin-5 b\u99999999999?c"), "ab\u{FFFF}c");
}

#[test]
fn hostile_rtf_takes_linear_time() {
    let begin = std::time::Instant::now();
    for piece in [
        "{",
        "}",
        r"{\b ",
        r"{\field",
        r"{\field{\*\fldinst HYPERLINK x:y}{\fldrslt a",
        r"{\field{\*\fldinst HYPERLINK x:y}{\fldrslt a}}",
        r"a\cell\row",
        r"\u-10179?",
        r"\'83",
        r"{\upr{a}{\*\ud b}}",
        r"\f1\'e9\f0\'e9",
        r"{\footnote ",
        r"\uc2147483647\u1",
        r"\bin1 ",
        r"{\fonttbl{\f1\fcharset2}",
    ] {
        let (text, _) = genuine(&piece.repeat(100_000));
        assert!(text.len() <= 2 * piece.len() * 100_000, "{piece}");
    }
    assert!(begin.elapsed().as_secs() < 60);
}
