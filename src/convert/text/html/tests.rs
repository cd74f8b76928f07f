//! HTML that broke others, and what it reads as.
use super::*;

#[test]
fn paragraphs_lines_and_white_space() {
    assert_eq!(
        to_text("<p>one\n  two</p><p>three<br>four</p>"),
        "one two\n\nthree\nfour\n"
    );
    assert_eq!(to_text("<div>a</div><div>b</div>"), "a\nb\n");
    assert_eq!(to_text("a <b> b</b> <i>c</i>"), "a b c\n");
    assert_eq!(to_text("a<br><br>b"), "a\n\nb\n");
    assert_eq!(to_text("a&nbsp;&nbsp;b"), "a  b\n");
    assert_eq!(to_text(""), "");
    assert_eq!(to_text("<html><body> \r\n </body></html>"), "");
}

#[test]
fn blank_lines_as_editors_write_them() {
    assert_eq!(
        to_text("<div>a</div><div><br></div><div>b</div>"),
        "a\n\nb\n"
    );
    assert_eq!(
        to_text("<div>a</div><div>&nbsp;</div><div>b</div>"),
        "a\n\nb\n"
    );
    assert_eq!(
        to_text(
            "<p class=MsoNormal>a<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p>b</p>"
        ),
        "a\n\nb\n"
    );
    assert_eq!(to_text(&format!("a{}b", "<br>".repeat(50))), "a\n\n\nb\n");
}

#[test]
fn what_readers_do_not_see_is_dropped() {
    let html = "<!DOCTYPE html><head>x<title>T</title><style>p { a > b }</style></head>\
        <script>if (a < b) { \"</p>\" }</script><!-- c > --><!--[if mso]><p>old</p><![endif]-->\
        <![if !mso]><p>seen<!--> too</p><![endif]><?xml:namespace x />";
    assert_eq!(to_text(html), "seen too\n");
    // A head that nobody closed ends where the body begins.
    assert_eq!(
        to_text("<head><meta a><style>s</style><p>text</p>"),
        "text\n"
    );
    assert_eq!(to_text("<style>never closed <p>x</p>"), "");
    assert_eq!(to_text("text <!-- never closed"), "text\n");
    assert_eq!(to_text("soft\u{AD}hyphen"), "softhyphen\n");
    // Among visible characters, too, of which many are taken at once.
    for invisible in ['\u{7F}', '\u{34F}', '\u{200B}', '\u{2060}', '\u{FEFF}'] {
        let text = format!("{0}{invisible}{0}", "visible".repeat(20));
        let shown = format!("{}\n", "visible".repeat(40));
        assert_eq!(to_text(&text), shown, "{invisible:?}");
    }
}

#[test]
fn lists_and_quotes_are_marked() {
    assert_eq!(
        to_text("x<ul><li>a<li><p>b</p><p>c</p></li><li></li></ul>y"),
        "x\n\n* a\n* b\n\n  c\n\ny\n"
    );
    assert_eq!(
        to_text("<ol start=3><li>a<ul><li>b</li></ul></li><li>c</li></ol>"),
        "3. a\n  * b\n4. c\n"
    );
    assert_eq!(
        to_text("a<blockquote>b<br>c<blockquote>d</blockquote></blockquote>e"),
        "a\n\n> b\n> c\n\n> > d\n\ne\n"
    );
}

#[test]
fn rows_are_lines_of_cells() {
    let table = "<table><tr><th>a</th><th>b</th></tr>\n<tr><td><p>c</p></td> <td><p>d</p></td></tr></table>e";
    assert_eq!(to_text(table), "a\tb\nc\td\ne\n");
}

#[test]
fn preformatted_text_stays() {
    assert_eq!(
        to_text("<pre>\n  a\r\n\tb   c\n</pre>d"),
        "  a\n\tb   c\n\nd\n"
    );
}

#[test]
fn links_show_where_they_lead() {
    assert_eq!(
        to_text("<a href='http://a.example/x'>here</a>."),
        "here <http://a.example/x>.\n"
    );
    assert_eq!(
        to_text("<p>See <a href=\"https://a.example/?a=1&amp;b=2&copy=3\">this</a></p>"),
        "See this <https://a.example/?a=1&b=2&copy=3>\n"
    );
    assert_eq!(
        to_text("<a href=http://a.example/>a.example</a>"),
        "a.example\n"
    );
    assert_eq!(
        to_text("<a href='mailto:a@b.example'>A@b.example</a>"),
        "A@b.example\n"
    );
    assert_eq!(
        to_text("<a href='#top'>top</a> <a href='javascript:x()'>run</a>"),
        "top run\n"
    );
    assert_eq!(
        to_text("<a href='http://a.example'><img src=x></a>"),
        "<http://a.example>\n"
    );
    assert_eq!(
        to_text("<a href='http://a.example'><img alt='A logo'></a>"),
        "[A logo] <http://a.example>\n"
    );
    assert_eq!(
        to_text("<a href='http://a.example'>open"),
        "open <http://a.example>\n"
    );
}

#[test]
fn character_references() {
    let expected = "é € & <b> \u{2019} \u{1F600} © x\n";
    assert_eq!(
        to_text("&eacute; &#8364; &amp; &lt;b&gt; &#146; &#x1F600; &copy x"),
        expected
    );
    assert_eq!(
        to_text("&unknown; & &; &#; &#x; AT&T"),
        "&unknown; & &; &#; &#x; AT&T\n"
    );
    assert_eq!(
        to_text("&#0;&#xD800;&#99999999999;"),
        "\u{FFFD}\u{FFFD}\u{FFFD}\n"
    );
    assert_eq!(
        to_text("&ndash;&hellip;&rarr;&Ccaron;&yuml;&notin;"),
        "–…→Čÿ∉\n"
    );
}

#[test]
fn broken_markup_keeps_its_text() {
    assert_eq!(to_text("a < b and c <> d </ x> e"), "a < b and c <> d e\n");
    assert_eq!(
        to_text("mail <user@a.example> now"),
        "mail <user@a.example> now\n"
    );
    assert_eq!(to_text("</div></ul></a></blockquote></pre></td>x"), "x\n");
    assert_eq!(to_text("<p title='a > b'>x</p"), "x\n");
    assert_eq!(to_text("<P ALIGN=left>é<BR/>日</P>"), "é\n日\n");
}

/// Beginnings without an end, each of which invites a search to the end of the text.
#[test]
fn hostile_markup_takes_linear_time() {
    let begin = std::time::Instant::now();
    for piece in [
        "<",
        "</",
        "<!--",
        "<!",
        "<a",
        "<a href='",
        "<a href=x>",
        "<a b=",
        "&",
        "&#",
        "&#x1",
        "&a",
        "<blockquote>",
        "<ul><li>",
        "<div>",
        "<pre> ",
        "<td>",
        "<script",
        "<script>",
        "<title></",
        "<!--->",
        "\"",
        "'",
        "<br>",
        "<head>",
        "&nbsp;",
        " \u{AD}",
    ] {
        let text = to_text(&piece.repeat(400_000));
        assert!(text.len() <= 12 * piece.len() * 400_000, "{piece}");
    }
    assert!(begin.elapsed().as_secs() < 60);
}
