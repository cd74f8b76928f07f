//! What broke other readers of text, headers and names: whatever is stored, the mail is sound, and names stay within
//! their directory. Mail is judged by Python's `email` package.

use crate::mailbox::*;
use crate::support::*;
use crate::{read_back, walk};
use serde_json::Value as Json;

/// The messages of an inbox as files, by Python.
fn judged(file: &File) -> Option<Vec<Json>> {
    let folder = tempfile::tempdir().unwrap();
    let walked = file.walk();
    assert!(walked.failed.is_empty(), "{:?}", walked.failed);
    let mails = walked
        .files
        .iter()
        .filter(|(path, _)| path.ends_with(".eml"));
    for (number, (_, bytes)) in mails.enumerate() {
        std::fs::write(folder.path().join(format!("{number:03}.eml")), bytes).unwrap();
    }
    let found = read_back::with_python(folder.path(), &[])?;
    for mail in &found {
        assert_eq!(mail["faults"], Json::Array(Vec::new()), "{mail}");
    }
    Some(found)
}

/// The only message of a file, as text.
fn text(file: &File) -> String {
    let walked = file.walk();
    let mail = walked
        .files
        .into_iter()
        .find(|(path, _)| path.ends_with(".eml"));
    String::from_utf8(mail.unwrap().1).unwrap()
}

fn one(format: Format, crypt: Crypt, message: Message) -> File {
    write(format, crypt, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        store.message(inbox, message);
    })
}

/// PidTagRtfCompressed with this header and data.
fn rtf(size: u32, raw_size: u32, kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut bytes = size.to_le_bytes().to_vec();
    bytes.extend(raw_size.to_le_bytes());
    bytes.extend(kind);
    bytes.extend([0; 4]);
    bytes.extend(data);
    bytes
}

#[test]
fn f31_compressed_rtf_that_lies_keeps_what_can_be_read_and_says_so() {
    let body = b"{\\rtf1 Words}";
    let mut references = vec![0xFF; 4];
    references.extend([0xFF; 200]);
    for (number, stored) in [
        rtf(u32::MAX, u32::MAX, b"MELA", body),
        rtf(0, 3, b"LZFu", &references),
        rtf(40, u32::MAX, b"LZFu", &references),
        rtf(12, 0, b"NONE", body),
        b"LZ".to_vec(),
    ]
    .into_iter()
    .enumerate()
    {
        for (format, crypt) in FORMATS {
            let message = mail("rtf")
                .without(tags::BODY)
                .prop(tags::RTF_COMPRESSED, stored.clone());
            let file = one(format, crypt, message);
            let text = text(&file);
            assert!(text.contains("X-Ostfs-Problem: "), "{number}: {text}");
            assert!(number > 0 || text.contains("Words"), "{text}");
            judged(&file);
            assert!(walk::check(&file.path).unwrap().errors > 0, "{number}");
        }
    }
}

#[test]
fn f34_text_that_its_code_page_does_not_fit_comes_out_as_text() {
    let utf16 =
        |units: &[u16]| -> Vec<u8> { units.iter().flat_map(|unit| unit.to_le_bytes()).collect() };
    // A lone surrogate, half a character at the end, and code pages that no string can have.
    let broken = utf16(&[0x0041, 0xD800, 0x0042, 0xDC00, 0x0043]);
    for page in [0, 1200, 65001, 50220, 99999, -1] {
        for (format, crypt) in FORMATS {
            let message = mail("pages")
                .prop(tags::MESSAGE_CODEPAGE, page)
                .prop(tags::INTERNET_CODEPAGE, page)
                .prop(
                    tags::BODY,
                    Value::Str8(b"plain words \xE9\xFF end".to_vec()),
                )
                .prop(tags::HTML, b"<p>html words \xE9\xFF end</p>".to_vec());
            let file = one(format, crypt, message);
            let text = text(&file);
            for words in ["plain words", "html words", " end"] {
                assert!(text.contains(words), "{page} {format:?}: {text}");
            }
            judged(&file);
        }
    }
    let file = one(
        Format::Unicode,
        Crypt::None,
        mail("surrogates").prop(tags::BODY, Value::Raw(0x001F, broken)),
    );
    assert!(text(&file).contains("A\u{FFFD}B\u{FFFD}C"));
    judged(&file);
}

#[test]
fn f40_nothing_that_is_stored_can_add_a_field() {
    let evil =
        "x\r\nBcc: victim@south.example\nX-Evil: 1\r\n\r\nbody\0\u{2028}X-Evil: 2\u{85}X-Evil: 3";
    for (format, crypt) in FORMATS {
        let message = Message::mail(evil)
            .from(evil, evil)
            .to(evil, evil)
            .time(filetime(2024, 5, 1, 9, 0))
            .prop(tags::MESSAGE_CLASS, evil)
            .prop(tags::CONVERSATION_TOPIC, evil)
            .prop(tags::CONVERSATION_INDEX, evil.as_bytes())
            .message_id(evil)
            .in_reply_to(evil)
            .prop(tags::INTERNET_REFERENCES, evil)
            .attach(
                Attachment::data(evil, "content")
                    .mime(evil)
                    .content_id(evil)
                    .prop(tags::ATTACH_CONTENT_LOCATION, evil),
            )
            .body("text");
        let file = one(format, crypt, message);
        let text = text(&file);
        let fields: Vec<&str> = text
            .split("\n\n")
            .next()
            .unwrap()
            .lines()
            .filter(|line| !line.starts_with([' ', '\t']))
            .collect();
        for line in &fields {
            let name = line.split(':').next().unwrap().to_ascii_lowercase();
            assert!(
                name != "bcc" && name != "x-evil" && name != "body",
                "{text}"
            );
        }
        assert!(!text.contains('\0') && !text.contains("\nX-Evil"), "{text}");
        judged(&file);
    }
}

#[test]
fn f41_names_of_attachments_stay_in_their_directory() {
    let long = "n".repeat(300);
    let names = [
        "../../x",
        "/etc/passwd",
        "C:\\Windows\\evil.exe",
        "..",
        ".",
        "",
        "a\0b.txt",
        "\u{202E}fdp.exe",
        "CON",
        "nul.txt",
        " .hidden. ",
        "line\nfeed.txt",
        &long,
    ];
    for (format, crypt) in FORMATS {
        let message = names.iter().fold(mail("names"), |message, name| {
            message.attachment(name, format!("content of {name:?}").as_str())
        });
        let file = one(format, crypt, message);
        let walked = file.walk();
        let attachments: Vec<&str> = walked
            .files
            .keys()
            .filter_map(|path| path.split_once(".attachments/").map(|(_, name)| name))
            .collect();
        assert_eq!(attachments.len(), names.len(), "{attachments:?}");
        for name in attachments {
            assert!(name.len() <= 255 && !name.is_empty() && name != "." && name != "..");
            assert!(
                !name.contains(['/', '\\', ':', '\0', '\n', '\u{202E}']),
                "{name:?}"
            );
            assert!(!name.ends_with(['.', ' ']), "{name:?}");
        }
        judged(&file);
    }
}

#[test]
fn f42_transport_headers_are_cut_where_the_header_ends() {
    let stored = "Microsoft Mail Internet Headers Version 2.0\r\n\
        From: Ann <ann@north.example>\r\n\
        To: Bob <bob@north.example>\r\n\
        Subject: folded\r\n  with blanks\r\n\
        this line is no field\r\n\
        Content-Type: multipart/mixed; boundary=old\r\n\
        MIME-Version: 1.0\r\n\
        X-Kept: yes\r\n\
        \r\n\
        --old\r\n\
        Content-Type: text/plain\r\n\
        X-Of-Part: 1\r\n\
        \r\n\
        fragment of the body\r\n";
    for (format, crypt) in FORMATS {
        let message = mail("folded with blanks").headers(stored);
        let file = one(format, crypt, message);
        let text = text(&file);
        let header = text.split("\n\n").next().unwrap();
        assert!(
            header.contains("\nX-Kept: yes") || header.starts_with("X-Kept: yes"),
            "{text}"
        );
        for gone in [
            "boundary=old",
            "X-Of-Part",
            "fragment of the body",
            "Microsoft Mail Internet",
        ] {
            let is_field = header.lines().any(|line| line.starts_with(gone));
            assert!(
                !is_field && !header.contains("boundary=old"),
                "{gone}: {text}"
            );
        }
        assert_eq!(header.matches("MIME-Version").count(), 1, "{text}");
        judged(&file);
    }
}
