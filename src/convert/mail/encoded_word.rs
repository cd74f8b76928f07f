//! Text in header fields: cleaned, encoded where it must be, folded. RFC 5322 2.2.3, RFC 2047, RFC 2231
//!
//! Values made here are one or more lines, of which all but the first begin with a blank; lines are parted by LF.
//! Nothing that comes from the file can end a field: control characters become blanks.
#![forbid(unsafe_code)]

use encodify::Fold;
use encodify::rfc2047::{self, B, Q_PHRASE, Q_TEXT, WordEncoder};

use crate::codepage;
use crate::convert::options::Headers;
use crate::convert::text::{clean, is_atext, is_token, one_line, quoted_string};

/// Columns of a folded line.
pub(crate) const WIDTH: usize = 76;
/// Columns of a line in raw UTF-8, where folding would part what a search looks for. RFC 5322 2.1.1 allows 998 octets.
const WIDTH_UTF8: usize = 900;
/// Encoded words need at least this much room on their line.
const ROOM: usize = 30;
const CHARSET: &str = "utf-8";
const ENCODED_WORD_START: &str = "=?";

/// The text of a field as people read it: unfolded, with its encoded words decoded.
pub(crate) fn decode(value: &str) -> String {
    let charset = |label: &[u8], bytes: &[u8], out: &mut String| {
        let page = codepage::from_charset_label(&String::from_utf8_lossy(label));
        out.push_str(&codepage::decode(page.unwrap_or(codepage::UTF_8), bytes));
    };
    clean(&rfc2047::decode_text(value.as_bytes(), charset)).into_owned()
}

/// Charsets that the decoders of the web take for wider ones, and the bytes that no character of them has.
const NARROW: [(&[u8], std::ops::Range<u8>); 4] = [
    (b"gb2312", 0x80..0xA1),
    (b"iso-8859-1", 0x80..0xA0),
    (b"latin1", 0x80..0xA0),
    (b"iso-8859-9", 0x80..0xA0),
];

/// Whether every program reads the same of a field: it is ASCII, and each encoded word is well formed and names a charset that is
/// known and has all of its characters. Chinese senders write "GB2312" and mean GBK, which has more: programs that take the name
/// at its word lose those.
pub(crate) fn charsets_fit(value: &str) -> bool {
    if !value.contains(ENCODED_WORD_START) {
        return value.is_ascii();
    }
    let mut fit = true;
    let charset = |label: &[u8], bytes: &[u8], _: &mut String| {
        let page = codepage::from_charset_label(&String::from_utf8_lossy(label));
        let narrow = NARROW
            .iter()
            .find(|(name, _)| label.eq_ignore_ascii_case(name));
        let is_wider =
            narrow.is_some_and(|(_, lacks)| bytes.iter().any(|byte| lacks.contains(byte)));
        fit &= !is_wider && page.is_some_and(|page| codepage::fits(page, bytes));
    };
    rfc2047::decode_text(value.as_bytes(), charset);
    fit && value.is_ascii() && are_well_formed(value)
}

/// Whether what the encoded words of `value` hold is in the encoding that they name. Of a blank in a word, or of digits that
/// are cut off, each program makes something else.
fn are_well_formed(value: &str) -> bool {
    let mut rest = value;
    while let Some((_, word)) = rest.split_once("=?") {
        rest = word;
        let mut parts = word.splitn(3, '?');
        let (charset, encoding) = (parts.next(), parts.next());
        let Some((held, after)) = parts.next().and_then(|tail| tail.split_once("?=")) else {
            continue;
        };
        let is_word = charset.is_some_and(|charset| {
            !charset.is_empty() && charset.bytes().all(|byte| byte.is_ascii_graphic())
        });
        let is_sound = match encoding {
            Some("B" | "b") => is_base64(held),
            Some("Q" | "q") => is_q(held),
            _ => continue,
        };
        if is_word && !is_sound {
            return false;
        }
        if is_word {
            rest = after;
        }
    }
    true
}

/// Whether `text` is base64; what fills it up may be missing, as every program knows that.
fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    digits.len() % 4 != 1 && text.len() - digits.len() <= 2 && digits.bytes().all(is_digit)
}

/// Whether `text` is in the Q encoding. RFC 2047 4.2
fn is_q(text: &str) -> bool {
    let mut pieces = text.split('=');
    let is_plain = |piece: &str| !piece.contains([' ', '\n', '?']);
    let is_escape = |piece: &str| {
        let digits = piece.get(..2);
        digits.is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
    };
    pieces.next().is_some_and(is_plain) && pieces.all(|piece| is_escape(piece) && is_plain(piece))
}

/// Value of the unstructured field `name` (Subject, Comments, X-...).
pub(crate) fn unstructured(name: &str, text: &str, style: Headers) -> String {
    let text = clean(text);
    let mut folder = Folder::new(name, style);
    if folder.column + text.len() <= folder.width() && !folder.any_needs_encoding(&text) {
        return text.into_owned();
    }
    folder.words(&text, Q_TEXT);
    folder.out
}

/// Builds one field value, folding between words.
pub(crate) struct Folder {
    pub(crate) out: String,
    column: usize,
    style: Headers,
}

impl Folder {
    /// The value of field `name`.
    pub(crate) fn new(name: &str, style: Headers) -> Self {
        Self {
            out: String::new(),
            column: name.len() + 2,
            style,
        }
    }

    fn width(&self) -> usize {
        match self.style {
            Headers::Utf8 => WIDTH_UTF8,
            Headers::Encoded | Headers::Original => WIDTH,
        }
    }

    /// Appends `word` behind a blank, on a new line if it does not fit.
    pub(crate) fn word(&mut self, word: &str) {
        self.gap(word.len());
        self.out.push_str(word);
        self.column += word.len();
    }

    fn gap(&mut self, needed: usize) {
        if self.out.is_empty() {
            // The first word: most values are one line.
            self.out.reserve(WIDTH);
            return;
        }
        if needed > 0 && self.column + 1 + needed > self.width() {
            self.out.push('\n');
            self.column = 0;
        }
        self.out.push(' ');
        self.column += 1;
    }

    /// As [`Folder::word`], for the word `<address>`.
    pub(crate) fn angle_address(&mut self, address: &str) {
        self.gap(address.len() + 2);
        for part in ["<", address, ">"] {
            self.suffix(part);
        }
    }

    /// Appends what belongs to the word before, such as a comma.
    pub(crate) fn suffix(&mut self, suffix: &str) {
        self.out.push_str(suffix);
        self.column += suffix.len();
    }

    /// Appends `text`, encoding the words that need it.
    pub(crate) fn words(&mut self, text: &str, quoted: WordEncoder) {
        let mut rest = Some(text);
        while let Some(words) = rest {
            let first = words.split(' ').next().unwrap_or_default();
            let is_encoded = self.needs_encoding(first);
            let end = match is_encoded {
                true => self.encoded_run(words),
                false => first.len(),
            };
            let (taken, after) = words.split_at_checked(end).unwrap_or((words, ""));
            match is_encoded {
                true => self.encode(taken, quoted),
                false => self.word(taken),
            }
            rest = after.strip_prefix(' ');
        }
    }

    /// Encodes all of `text`: with `quoted`, in which the ASCII part can be read, unless that part is the smaller one.
    pub(crate) fn encode(&mut self, text: &str, quoted: WordEncoder) {
        let escaped = text.bytes().filter(|byte| !byte.is_ascii()).count();
        let encoder = if 2 * escaped <= text.len() { quoted } else { B };
        self.gap(ROOM);
        let fold = Fold::new(self.width(), b"\n ", 1);
        encoder.encode_words(CHARSET, text, &mut self.column, fold, &mut self.out);
    }

    fn any_needs_encoding(&self, text: &str) -> bool {
        text.split(' ').any(|word| self.needs_encoding(word))
    }

    fn needs_encoding(&self, word: &str) -> bool {
        // What only looks like an encoded word would be decoded by readers.
        word.contains(ENCODED_WORD_START)
            || word.len() > WIDTH_UTF8
            || (self.style == Headers::Encoded && !word.is_ascii())
    }

    /// Bytes of the words from the first on that are encoded together: readers drop the blanks between encoded words,
    /// so those between two that need encoding go inside.
    fn encoded_run(&self, words: &str) -> usize {
        let (mut run, mut start) = (0, 0);
        for word in words.split(' ') {
            let end = start + word.len();
            if self.needs_encoding(word) {
                run = end;
            } else if !word.is_empty() {
                break;
            }
            start = end + 1;
        }
        run
    }

    /// A display name: plain, quoted or encoded, whatever it needs.
    pub(crate) fn phrase(&mut self, name: &str) {
        let plain = name.bytes().all(|byte| is_atext(byte) || byte == b' ') && !name.contains("  ");
        let utf8 = self.style == Headers::Utf8;
        if name.contains(ENCODED_WORD_START)
            || name.len() > WIDTH_UTF8 / 2
            || !(name.is_ascii() || utf8)
        {
            self.encode(name, Q_PHRASE);
        } else if plain {
            name.split(' ').for_each(|word| self.word(word));
        } else {
            self.word(&quoted_string(name));
        }
    }
}

/// Octets of a parameter value on one line.
const PARAMETER_PIECE: usize = 60;

/// Octets of a quoted string, which cannot be folded: well below the 998 of a line.
const QUOTED_MAX: usize = 400;

/// Appends a parameter of Content-Type or Content-Disposition, each piece on a line of its own behind `;`. RFC 2231
pub(crate) fn push_parameter(out: &mut String, name: &str, value: &str, style: Headers) {
    let value = one_line(value);
    // Programs decode what looks like an encoded word, even in quotes.
    let is_taken_as_it_is = !value.contains("=?") && (value.is_ascii() || style == Headers::Utf8);
    if value.len() <= QUOTED_MAX && is_taken_as_it_is {
        let token = !value.is_empty() && value.bytes().all(is_token);
        let value = if token {
            value
        } else {
            quoted_string(&value).into()
        };
        for piece in [";\n ", name, "=", &value] {
            out.push_str(piece);
        }
        return;
    }
    let mut pieces = vec![String::new()];
    for character in value.chars() {
        let mut encoded = String::new();
        let mut utf8 = [0; 4];
        for byte in character.encode_utf8(&mut utf8).bytes() {
            if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`{|}~".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        }
        match pieces.last_mut() {
            Some(piece) if piece.len() + encoded.len() <= PARAMETER_PIECE => {
                piece.push_str(&encoded)
            }
            _ => pieces.push(encoded),
        }
    }
    if let [piece] = pieces.as_slice() {
        out.push_str(&format!(";\n {name}*={CHARSET}''{piece}"));
        return;
    }
    for (index, piece) in pieces.iter().enumerate() {
        let charset = if index == 0 { "utf-8''" } else { "" };
        out.push_str(&format!(";\n {name}*{index}*={charset}{piece}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(text: &str) -> String {
        unstructured("Subject", text, Headers::Encoded)
    }

    fn parameter(name: &str, value: &str, style: Headers) -> String {
        let mut out = String::new();
        push_parameter(&mut out, name, value, style);
        out
    }

    #[test]
    fn ascii_stays_and_folds_between_words() {
        assert_eq!(subject("Quarterly numbers"), "Quarterly numbers");
        let long = "word ".repeat(40);
        let value = subject(&long);
        assert!(value.lines().all(|line| line.len() <= WIDTH));
        assert!(value.lines().skip(1).all(|line| line.starts_with(' ')));
        assert_eq!(value.replace('\n', ""), long.trim());
    }

    #[test]
    fn other_characters_become_words_of_75_that_never_split_one() {
        for text in [
            "Gr\u{fc}\u{df}e aus K\u{f6}ln",
            "\u{65e5}\u{672c}\u{8a9e}\u{306e}\u{4ef6}\u{540d} \u{1f600}",
            "a \u{e9}  \u{e9} b",
            "=?utf-8?Q?not_really?=",
        ] {
            let long = text.repeat(12);
            for text in [text, &long] {
                let value = subject(text);
                assert!(value.is_ascii());
                assert!(
                    value.split_ascii_whitespace().all(|word| word.len() <= 75),
                    "{value}"
                );
                assert_eq!(decode(&value), text, "{value}");
            }
        }
    }

    #[test]
    fn a_line_has_76_columns_and_no_more() {
        // The name of the field, its colon and a blank take nine of the first line, a blank one of each other.
        let words = |lengths: &[usize]| {
            let words = lengths.iter().map(|length| "x".repeat(*length));
            words.collect::<Vec<_>>()
        };
        let [a, b, c, d] = [33, 34, 37, 38].map(|length| "x".repeat(length));
        assert_eq!(subject(&words(&[33, 33]).join(" ")), format!("{a} {a}"));
        assert_eq!(subject(&words(&[33, 34]).join(" ")), format!("{a}\n {b}"));
        let text = words(&[33, 33, 37, 37, 33]).join(" ");
        assert_eq!(subject(&text), format!("{a} {a}\n {c} {c}\n {a}"));
        let text = words(&[33, 33, 37, 38, 33]).join(" ");
        assert_eq!(subject(&text), format!("{a} {a}\n {c}\n {d} {a}"));
    }

    #[test]
    fn an_address_in_brackets_has_room_for_both_on_its_line() {
        let to = |word: usize, address: usize| {
            let mut folder = Folder::new("To", Headers::Encoded);
            folder.word(&"x".repeat(word));
            folder.angle_address(&"y".repeat(address));
            folder.suffix(",");
            folder.word("z");
            folder.out
        };
        let (x, y) = ("x".repeat(30), "y".repeat(39));
        // Four columns are the name of the field, one is the blank, two are the brackets.
        assert_eq!(to(30, 39), format!("{x} <{y}>,\n z"));
        assert_eq!(to(30, 40), format!("{x}\n <{y}y>, z"));
        // What belongs to a word counts: the line has no room for another.
        assert_eq!(to(30, 38), format!("{x} <{}>,\n z", "y".repeat(38)));
        assert_eq!(to(30, 36), format!("{x} <{}>, z", "y".repeat(36)));
    }

    #[test]
    fn text_of_which_half_is_ascii_can_be_read_in_its_encoded_word() {
        assert_eq!(subject("\u{e9}ab"), "=?utf-8?Q?=C3=A9ab?=");
        assert_eq!(subject("\u{e9}a"), "=?utf-8?B?w6lh?=");
    }

    #[test]
    fn nothing_can_end_a_field() {
        let value = subject("x\r\nBcc: victim@example.org\0\u{2028}y\u{85}z\u{7f}");
        assert_eq!(value, "x  Bcc: victim@example.org  y z");
        assert!(!parameter("name", "a\"\r\nX: b", Headers::Utf8).contains("\nX"));
    }

    #[test]
    fn raw_utf8_is_not_folded_for_grep() {
        let text = "K\u{f6}ln ".repeat(30);
        assert_eq!(unstructured("Subject", &text, Headers::Utf8), text.trim());
        let endless = "\u{e9}".repeat(5000);
        let value = unstructured("Subject", &endless, Headers::Utf8);
        assert!(value.lines().all(|line| line.len() < 998));
        assert_eq!(decode(&value), endless);
    }

    #[test]
    fn parameters_are_tokens_strings_or_rfc_2231() {
        let of = |value: &str| parameter("filename", value, Headers::Encoded);
        assert_eq!(of("a.txt"), ";\n filename=a.txt");
        assert_eq!(of("a (1).txt"), ";\n filename=\"a (1).txt\"");
        assert_eq!(of("q\"\\.txt"), ";\n filename=\"q\\\"\\\\.txt\"");
        assert_eq!(
            of("\u{dc} (1)*'%.txt"),
            ";\n filename*=utf-8''%C3%9C%20%281%29%2A%27%25.txt"
        );
        let long = of(&"\u{65e5}".repeat(20));
        assert!(long.starts_with(";\n filename*0*=utf-8''%E6%97%A5"));
        assert!(long.contains(";\n filename*2*=%E6%97%A5"));
        assert!(long.lines().all(|line| line.len() <= 78));
        // A quoted string cannot be folded, and lines have an end.
        let most = "x".repeat(QUOTED_MAX);
        assert_eq!(of(&most), format!(";\n filename={most}"));
        let piece = "x".repeat(PARAMETER_PIECE);
        let pieces = of(&format!("{most}x"));
        assert!(
            pieces.starts_with(&format!(
                ";\n filename*0*=utf-8''{piece};\n filename*1*={piece};\n"
            )),
            "{pieces}"
        );
        assert!(pieces.ends_with(&format!(";\n filename*6*={}", "x".repeat(41))));
        assert_eq!(
            of("=?utf-8?Q?x?=.txt"),
            ";\n filename*=utf-8''%3D%3Futf-8%3FQ%3Fx%3F%3D.txt"
        );
        assert_eq!(of(""), ";\n filename=\"\"");
        let raw = parameter("filename", "\u{dc}bersicht.txt", Headers::Utf8);
        assert_eq!(raw, ";\n filename=\"\u{dc}bersicht.txt\"");
    }

    #[test]
    fn characters_that_the_named_charset_lacks_are_noticed() {
        // From a real message: the second character is GBK's, not GB 2312's.
        assert!(!charsets_fit("=?GB2312?B?uN+K7dOo?= <a@b.example>"));
        assert!(charsets_fit("=?GBK?B?uN+K7dOo?= <a@b.example>"));
        assert!(charsets_fit(
            "=?gb2312?B?vKjQp7+8usvT69C9s+rM5c+1tcS8pMD40+u0tNDC?="
        ));
        assert!(charsets_fit("=?iso-8859-1?Q?Gr=FC=DFe?= plain"));
        // Of ISO 8859-1 the codes from 80 to 9F are controls, and of windows-1252 characters.
        assert!(charsets_fit("=?iso-8859-1?Q?=A0?="));
        assert!(!charsets_fit("=?ISO-8859-1?Q?=9F?="));
        assert!(charsets_fit("=?windows-1252?Q?=9F?="));
        assert!(!charsets_fit("=?x-nobody?Q?a?="));
        assert!(!charsets_fit("Gr\u{fc}\u{df}e"));
    }

    #[test]
    fn words_that_programs_read_in_different_ways_are_noticed() {
        for sound in [
            "=?utf-8?B?YmNjcyBz?=",
            "=?utf-8?B?YmNjcyBzeA?=",
            "=?utf-8?q?a_=C3=A9?= and more",
            "no word =? at all ?=",
            "=?utf-8?X?a b?=",
        ] {
            assert!(charsets_fit(sound), "{sound}");
        }
        for unsound in [
            "=?utf-8?B?YmNjcyBz4?= x",
            "=?utf-8?B?YmNj cyBz?=",
            "=?utf-8?Q?a b?=",
            "=?utf-8?Q?a=4?=",
            "=?utf-8?Q?a=ZZ?=",
        ] {
            assert!(!charsets_fit(unsound), "{unsound}");
        }
    }

    #[test]
    fn foreign_charsets_of_encoded_words_are_decoded() {
        assert_eq!(
            decode("=?iso-8859-1?Q?caf=E9?= =?koi8-r?B?8NLJ18XU?="),
            "caf\u{e9}\u{41f}\u{440}\u{438}\u{432}\u{435}\u{442}"
        );
        assert_eq!(decode("=?x-nobody?Q?a=C3=A9?="), "a\u{e9}");
    }
}
