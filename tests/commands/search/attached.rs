//! What is found within attachments, and what is said of those that were not looked into.

use std::fs;
use std::path::Path;

use super::Scene;
use crate::mounted::run;
use crate::programs::installed;
use crate::support::*;

pub(super) fn with_attachments(attachments: Vec<(String, Vec<u8>)>) -> Scene {
    Scene::new(|store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        for (name, bytes) in &attachments {
            let stem = name.split('.').next().unwrap();
            let data = Payload::from(bytes.clone());
            store.message(inbox, Message::mail(stem).attachment(name, data));
        }
    })
}

#[test]
fn text_html_and_rtf_are_looked_into_by_what_they_are() {
    let utf16: Vec<u8> = "\u{feff}sechzehn Bit"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let scene = with_attachments(vec![
        ("plain.txt".into(), b"just words".to_vec()),
        ("table.csv".into(), b"chairs;ten\n".to_vec()),
        (
            "page.html".into(),
            b"<style>silent{}</style><p>shown &uuml;ber</p>".to_vec(),
        ),
        (
            "rich.rtf".into(),
            b"{\\rtf1\\ansi {\\b bold} enough\\par}".to_vec(),
        ),
        (
            "renamed.dat".into(),
            b"{\\rtf1\\ansi disguised\\par}".to_vec(),
        ),
        ("wide.txt".into(), utf16),
        (
            "old.txt".into(),
            "Größe und Länge, süße Öfen, grün"
                .chars()
                .map(|c| c as u8)
                .collect(),
        ),
        (
            "drawing.svg".into(),
            b"<svg><text>vector</text><style>silent</style></svg>".to_vec(),
        ),
    ]);
    for (query, found) in [
        ("\"just words\"", &["plain"][..]),
        ("chairs", &["table"]),
        ("uber", &["page"]),
        ("\"bold enough\"", &["rich"]),
        ("disguised", &["renamed"]),
        ("sechzehn", &["wide"]),
        ("lange", &["old"]),
        ("vector", &["drawing"]),
        ("silent", &[]),
        ("plain.txt", &["plain"]),
    ] {
        assert_eq!(scene.found(&[], query), found, "{query}");
    }
}

#[test]
fn what_is_text_by_its_name_or_its_bytes_is_looked_into_whatever_type_is_stated() {
    let names = [
        "invite.ics",
        "card.vcf",
        "log.log",
        "notes.md",
        "data.json",
        "tree.xml",
        "page.htm",
        "mail.eml",
        "bare",
    ];
    let scene = Scene::new(|store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        for name in names {
            let stem = name.split('.').next().unwrap();
            for media_type in ["application/octet-stream", "application/x-unheard-of"] {
                let data = format!("Subject: x\n\n<p>word{stem}</p> Größe\n").into_bytes();
                let file = Attachment::data(name, data).mime(media_type);
                store.message(inbox, Message::mail(stem).attach(file));
            }
        }
        let sheet = Attachment::data("table.csv", b"chairs;ten\n".to_vec());
        let sheet = sheet.mime("application/vnd.ms-excel");
        store.message(inbox, Message::mail("table").attach(sheet));
        let calendar = Attachment::data("attached", b"BEGIN:VCALENDAR\n".to_vec());
        let calendar = calendar.mime("application/ics");
        store.message(inbox, Message::mail("calendar").attach(calendar));
        let binary = Attachment::data("binary", b"\x01\x02chairs\0".to_vec());
        store.message(inbox, Message::mail("binary").attach(binary));
        let apart = Attachment::data("apart.txt", b"before\0after".to_vec());
        store.message(inbox, Message::mail("apart").attach(apart));
    });
    for name in names {
        let stem = name.split('.').next().unwrap();
        assert_eq!(scene.found(&[], &format!("word{stem}")).len(), 2, "{name}");
    }
    assert_eq!(scene.found(&[], "chairs"), ["table"]);
    assert_eq!(scene.found(&[], "vcalendar"), ["calendar"]);
    assert_eq!(scene.found(&[], "before"), ["apart"]);
    let (_, errors, _) = scene.run(&[], "nowhere");
    let told = "ostfs: 1 attachment was not looked into: 1 application/octet-stream\n";
    assert_eq!(errors, told);
}

#[test]
fn documents_of_office_and_opendocument_are_looked_into() {
    if !installed(&["python3"]) {
        return;
    }
    let made = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/documents.py");
    run(
        "python3",
        &[script.to_str().unwrap(), made.path().to_str().unwrap()],
    );
    let names = [
        "letter.docx",
        "sums.xlsx",
        "talk.pptx",
        "text.odt",
        "other.zip",
    ];
    let files = names.map(|name| (name.to_owned(), fs::read(made.path().join(name)).unwrap()));
    let scene = with_attachments(files.to_vec());
    for (query, found) in [
        // A word that two runs share, with characters by number and by name.
        ("\"wordsplit in grune runs\"", &["letter"][..]),
        ("\"next tabbed\"", &["letter"]),
        ("wordnote", &["letter"]),
        ("wordtitle", &["letter"]),
        ("sheetshared", &["sums"]),
        ("sheetinline", &["sums"]),
        ("88002", &["sums"]),
        ("77001", &[]),
        ("slideone", &["talk"]),
        ("slidenote", &["talk"]),
        ("openfirst", &["text"]),
        ("\"two parts\"", &["text"]),
        ("openmeta", &["text"]),
        ("silent*", &[]),
    ] {
        assert_eq!(scene.found(&[], query), found, "{query}");
    }
    let (_, errors, code) = scene.run(&[], "nowhere");
    assert_eq!(code, 1);
    assert_eq!(
        errors,
        "ostfs: 1 attachment was not looked into: 1 application/zip\n"
    );
}

#[test]
fn what_was_not_looked_into_is_told_once_by_reason() {
    let zip = |name: &str| (name.to_owned(), b"PK\x03\x04 cut off".to_vec());
    let mut protected = vec![0xD0, 0xCF, 0x11, 0xE0];
    protected.resize(2000, 0);
    let scene = with_attachments(vec![
        ("a.jpg".into(), vec![0xFF, 0xD8, 0xFF]),
        ("b.jpg".into(), vec![0xFF, 0xD8, 0xFF]),
        ("c.pdf".into(), b"%PDF-1.7 hidden".to_vec()),
        ("d.dat".into(), vec![1, 2, 3]),
        zip("e.docx"),
        ("f.docx".into(), protected),
        ("g.txt".into(), b"hidden".to_vec()),
    ]);
    let (out, errors, code) = scene.run(&["--names", "{subject}"], "hidden");
    assert_eq!((out.as_str(), code), ("Inbox/g.eml\n", 0));
    assert_eq!(
        errors,
        "ostfs: 4 attachments were not looked into: 1 application/octet-stream, 1 encrypted, 2 not what its type says\n",
        "a picture has no words, so nothing of it is missing"
    );
    // Nobody asks for the content of attachments.
    let (_, errors, _) = scene.run(&[], "body:hidden");
    assert_eq!(errors, "");
}

/// A mail with an encoded header, two forms of its text, a text and a picture attached to it, and a mail within.
const MAIL: &str = "From: =?utf-8?Q?J=C3=BCrgen?= <juergen@north.example>\r\n\
Subject: =?iso-8859-1?Q?Gr=FC=DFe?= from afar\r\nMIME-Version: 1.0\r\n\
Content-Type: multipart/mixed; boundary=one\r\n\r\n\
--one\r\nContent-Type: text/plain; charset=windows-1251\r\nContent-Transfer-Encoding: base64\r\n\r\n\
7+jx/Ozu\r\n\
--one\r\nContent-Type: text/html\r\n\r\n<p>written <b>boldly</b></p>\r\n\
--one\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename=chairs.csv\r\n\r\nfourteen;tables\r\n\
--one\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjc=\r\n\
--one\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw==\r\n\
--one\r\nContent-Type: message/rfc822\r\n\r\nSubject: nested\r\n\r\ninnermost words\r\n\
--one--\r\n";

#[test]
fn mail_that_is_attached_as_a_file_or_within_the_tree_is_looked_into() {
    let scene = Scene::new(|store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let data = Payload::from(MAIL.as_bytes().to_vec());
        store.message(inbox, Message::mail("file").attachment("old.eml", data));
        let inner = Message::mail("Inner").body("within words");
        let inner = inner.attachment("list.txt", "sixteen stools");
        store.message(inbox, Message::mail("embedded").embed(inner));
    });
    for (query, found) in [
        ("jurgen", &["file"][..]),
        ("juergen@north.example", &["file"]),
        ("\"grusse from afar\"", &["file"]),
        ("письмо", &["file"]),
        ("\"written boldly\"", &["file"]),
        ("fourteen", &["file"]),
        ("chairs.csv", &["file"]),
        ("\"innermost words\"", &["file"]),
        ("nested", &["file"]),
        ("\"within words\"", &["embedded"]),
        ("\"sixteen stools\"", &["embedded"]),
        ("multipart", &[]),
    ] {
        assert_eq!(scene.found(&[], query), found, "{query}");
    }
    let (_, errors, _) = scene.run(&[], "nowhere");
    assert_eq!(
        errors,
        "ostfs: 1 attachment was not looked into: 1 not what its type says\n"
    );
}

#[test]
fn signed_mail_has_its_body_and_what_no_key_opens_is_told() {
    if !installed(&["openssl"]) {
        return;
    }
    let made = tempfile::tempdir().unwrap();
    // One piece as DER, as BER of many strings and indefinite lengths, and one that is encrypted.
    let script = "cd \"$0\"; openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=Ann -keyout key -out certificate 2>log
        sign() { openssl cms -sign -signer certificate -inkey key -nodetach -outform DER -in \"$1\" -out \"$2\" \"$3\"; }
        printf 'Content-Type: text/plain\\r\\n\\r\\nsigned words\\r\\n' >content
        sign content der -nosmimecap
        (cat content; yes 'and so on' | head -20000; echo lastly) >long
        sign long ber -stream
        openssl cms -encrypt -outform DER -in content -out encrypted certificate";
    run("sh", &["-ec", script, made.path().to_str().unwrap()]);
    let read = |name: &str| fs::read(made.path().join(name)).unwrap();
    let ber = read("ber");
    assert!(ber.starts_with(&[0x30, 0x80]), "its length is indefinite");
    let clear = "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=s\r\n\r\n\
        --s\r\nContent-Type: text/plain\r\n\r\nsigned words\r\n\
        --s\r\nContent-Type: application/pkcs7-signature\r\n\r\nMIIB\r\n--s--\r\n";
    let scene = Scene::new(|store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let mut add = |class: &str, subject: &str, bytes: &[u8], media_type: &str| {
            let data = Attachment::data("smime.p7m", bytes).mime(media_type);
            store.message(inbox, Message::new(class, subject).attach(data));
        };
        let class = "IPM.Note.SMIME.MultipartSigned";
        add(class, "clear", clear.as_bytes(), "multipart/signed");
        for (subject, bytes) in [
            ("one", read("der")),
            ("many", ber),
            ("encrypted", read("encrypted")),
            ("cut", b"\x30\x80\x06\x09\x2A\x86\x48".to_vec()),
        ] {
            add("IPM.Note.SMIME", subject, &bytes, "application/pkcs7-mime");
        }
    });
    for query in ["\"signed words\"", "body:\"signed words\""] {
        assert_eq!(scene.found(&[], query), ["clear", "one", "many"], "{query}");
    }
    assert_eq!(scene.found(&[], "lastly"), ["many"]);
    for query in ["nowhere", "body:nowhere"] {
        let (_, errors, _) = scene.run(&[], query);
        assert_eq!(
            errors,
            "ostfs: 2 attachments were not looked into: 1 encrypted, 1 not what its type says\n",
            "{query}"
        );
    }
}

#[test]
fn hostile_documents_cost_no_more_than_their_budget() {
    if !installed(&["python3"]) {
        return;
    }
    // Each is small, and would be huge: a text, markup without end, entities of entities, elements within each other.
    let make = "
import sys, zipfile
types = '<Types/>'
parts = {
    'bomb.docx': lambda: ('<w:t>' + 'a ' * (200 << 20) + '</w:t>'),
    'tags.docx': lambda: '<w:p><w:t>early </w:t>' * (1 << 20),
    'entity.docx': lambda: '<!DOCTYPE x [<!ENTITY a \"' + 'lol' * 1000 + '\"><!ENTITY b \"' + '&a;' * 1000 + '\">]><w:t>early &b;</w:t>',
    'deep.docx': lambda: '<a>' * 1000000 + '<w:t>early</w:t>',
}
for name, part in parts.items():
    with zipfile.ZipFile(sys.argv[1] + '/' + name, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('[Content_Types].xml', types)
        archive.writestr('word/document.xml', part())
";
    let made = tempfile::tempdir().unwrap();
    run("python3", &["-c", make, made.path().to_str().unwrap()]);
    let names = ["bomb.docx", "tags.docx", "entity.docx", "deep.docx"];
    let files = names.map(|name| (name.to_owned(), fs::read(made.path().join(name)).unwrap()));
    let scene = with_attachments(files.to_vec());
    let start = std::time::Instant::now();
    assert_eq!(scene.found(&[], "early"), ["tags", "entity", "deep"]);
    let (_, errors, _) = scene.run(&[], "nowhere");
    assert!(errors.contains("1 too large"), "{errors}");
    assert!(
        start.elapsed() < std::time::Duration::from_secs(240),
        "{:?}",
        start.elapsed()
    );
}
