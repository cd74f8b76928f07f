//! The text of a body comes back from a mail program as it is stored, whatever it is made of; Python's email package reads the
//! files.

use crate::mail_kinds::{Exported, mail};
use crate::mail_programs::{Inbox, mails, objects_with};
use crate::mounted::run;
use crate::support::tags;
use crate::support::{Value, to_code_page};

/// PtypString.
const PT_STRING: u16 = 0x001F;
/// The code page that the messages name for their 8-bit text.
const CYRILLIC: u16 = 1251;

/// Texts out of pieces that mail breaks on; the same on every run.
fn texts() -> impl Iterator<Item = String> {
    const PIECES: [&str; 26] = [
        " ",
        "  ",
        "\t",
        "\n",
        "\n\n",
        "\n ",
        " \n",
        "From ",
        ">From ",
        "--",
        "-- \n",
        ".",
        "=",
        "=3D",
        "\0",
        "\u{fc}",
        "\u{1f600}",
        "\u{85}",
        "\u{b}",
        "\u{c}",
        "\u{1b}",
        "\u{1c}",
        "\u{2028}",
        "\u{feff}",
        "\u{200b}",
        "word",
    ];
    const BEGINNINGS: [&str; 6] = ["x", "From ", " x", "\tx", "--\nx", "\n\nx"];
    // Lines over the limit of mail with and without blanks to break them at, of which no reader may lose one.
    let long_lines = [
        "long \u{e9} ".repeat(300),
        "plain ".repeat(200),
        "=x".repeat(700),
    ];
    let mut state = 1u64;
    let mut next = move |bound: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % bound
    };
    (0..150).map(move |number| {
        let mut text = String::from(BEGINNINGS[next(BEGINNINGS.len())]);
        for _ in 0..next(40) {
            text.push_str(PIECES[next(PIECES.len())]);
            if next(30) == 0 {
                text.push_str(&long_lines[next(long_lines.len())]);
            }
        }
        // What ends with NUL says that it ends.
        let text = text.trim_end_matches('\0');
        format!("{text}{}", ["", "\n", " ", "\n\n"][number % 4])
    })
}

/// Stores each text as `stored` makes it, in a message alone, with an attachment, and within another; Python must find what
/// `expected` makes of it.
fn assert_texts(stored: impl Fn(&str) -> Value, expected: impl Fn(&str) -> String) {
    let texts: Vec<String> = texts().collect();
    let messages = texts.iter().enumerate().map(|(number, text)| {
        let subject = format!("n{number}");
        let body = stored(&text.replace('\n', "\r\n"));
        let message = mail(&subject)
            .prop(tags::MESSAGE_CODEPAGE, i32::from(CYRILLIC))
            .prop(tags::BODY, body);
        match number % 3 {
            0 => message.attachment("a.bin", "attached"),
            1 => mail(&subject).embed(message),
            _ => message,
        }
    });
    let exported = Exported::of(messages, &[]);
    let script = "import email, email.policy, glob, json, re, sys
out = {}
for path in glob.glob(sys.argv[1] + '/* n*.eml'):
    m = email.message_from_binary_file(open(path, 'rb'), policy=email.policy.default)
    for p in m.walk():
        assert not p.defects, p.defects
    texts = [p for p in m.walk() if p.get_content_type() == 'text/plain']
    out[re.search(r' n(\\d+)\\.eml$', path)[1]] = texts[-1].get_content()
print(json.dumps(out))";
    let found = run("python3", &["-c", script, exported.inbox.to_str().unwrap()]);
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    for (number, text) in texts.iter().enumerate() {
        let found = found[number.to_string()].as_str().unwrap();
        assert_eq!(found, expected(text), "{number}");
    }
}

/// Mutt and notmuch get the same. For them a NUL is the end of a text, so here is none.
#[test]
fn mutt_and_notmuch_get_every_text_back_as_it_is_stored() {
    let texts: Vec<String> = texts().map(|text| text.replace('\0', "")).collect();
    let messages = texts.iter().enumerate().map(|(number, text)| {
        let body = text.replace('\n', "\r\n");
        mail(&format!("n{number}"))
            .message_id(&format!("<{number}@north.example>"))
            .prop(tags::BODY, body.as_str())
    });
    let exported = Exported::of(messages, &[]);
    let Some(inbox) = Inbox::of(&mails(&exported.inbox)) else {
        return;
    };
    let expected = |subject: &str| {
        let number: usize = subject.strip_prefix('n').unwrap().parse().unwrap();
        texts[number].as_str()
    };
    let shown = inbox.notmuch();
    let messages = objects_with(&shown, "headers");
    assert_eq!(messages.len(), texts.len());
    for message in messages {
        let subject = message["headers"]["Subject"].as_str().unwrap();
        let text = message["body"][0]["content"].as_str().unwrap();
        assert_eq!(text, expected(subject), "notmuch, {subject}");
    }
    // All in one pipe, each behind its header.
    let shown = inbox.mutt(
        "set auto_tag pipe_decode pipe_sep=\"\\036\"\n\
         push '<tag-pattern>~A<enter><pipe-message>cat > shown<enter><exit>'",
    );
    let shown = String::from_utf8(shown).unwrap();
    let messages: Vec<_> = shown.split_terminator('\u{1e}').collect();
    assert_eq!(messages.len(), texts.len());
    for message in messages {
        let (header, text) = message.split_once("\n\n").unwrap();
        let mut fields = header.lines();
        let subject = fields.find_map(|field| field.strip_prefix("Subject: "));
        let subject = subject.unwrap();
        // What goes into a pipe ends with the end of a line.
        let mut expected = expected(subject).to_owned();
        if !expected.ends_with('\n') {
            expected.push('\n');
        }
        assert_eq!(text, expected, "mutt, {subject}");
    }
}

#[test]
fn python_gets_every_text_back_as_it_is_stored() {
    assert_texts(|text| text.into(), |text| text.to_owned());
}

#[test]
fn python_gets_every_text_back_that_is_stored_in_eight_bits() {
    let cyrillic = |text: &str| {
        let text = text.replace(['\u{fc}', '\u{e9}'], "\u{436}");
        let others = ['\u{1f600}', '\u{85}', '\u{2028}', '\u{feff}', '\u{200b}'];
        text.replace(others, "\u{42f}")
    };
    assert_texts(
        |text| Value::Str8(to_code_page(&cyrillic(text), CYRILLIC)),
        cyrillic,
    );
}

#[test]
fn python_reads_the_pages_of_the_macintosh_as_ostfs_does() {
    let bytes: Vec<u8> = (0..=255).collect();
    for (page, codec) in [
        (10000, "mac_roman"),
        (10006, "mac_greek"),
        (10010, "mac_romanian"),
        (10029, "mac_latin2"),
        (10079, "mac_iceland"),
        (10081, "mac_turkish"),
        (10082, "mac_croatian"),
    ] {
        let script = format!(
            "import sys; sys.stdout.buffer.write(bytes(range(256)).decode('{codec}').encode())"
        );
        let expected = run("python3", &["-c", &script]);
        assert_eq!(ostfs::codepage::decode(page, &bytes), expected, "{codec}");
        assert!(ostfs::codepage::is_known(page), "{codec}");
    }
}

/// Half a character, as programs leave it that cut texts: nothing else may be lost with it.
#[test]
fn half_a_character_costs_itself_alone() {
    const HALVES: [u16; 2] = [0xD83D, 0xDE00];
    let stored = |text: &str| {
        let mut units = Vec::new();
        for (number, line) in text.split("\r\n").enumerate() {
            if number > 0 {
                units.push(HALVES[number % 2]);
                units.extend("\r\n".encode_utf16());
            }
            units.extend(line.encode_utf16());
        }
        let bytes = units.into_iter().flat_map(u16::to_le_bytes).collect();
        Value::Raw(PT_STRING, bytes)
    };
    assert_texts(stored, |text| text.replace('\n', "\u{fffd}\n"));
}
