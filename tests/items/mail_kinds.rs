//! Kinds of content that mail lost or altered without a word. Each test has the name of what is kept; Python's email package
//! reads the files back.

use std::fs;
use std::path::{Path, PathBuf};

use crate::mounted::{export, ostfs, run};
use crate::support::tags;
use crate::support::{
    Attachment, BCC, Content, Crypt, Folders, Format, Message, Options, PSETID_APPOINTMENT,
    PSETID_COMMON, PSETID_POST_RSS, PSETID_SHARING, PSETID_TASK, Payload, Store, Value, filetime,
};
use tempfile::TempDir;

pub(super) struct Exported {
    _directory: TempDir,
    _target: TempDir,
    file: PathBuf,
    pub(super) inbox: PathBuf,
}

impl Exported {
    /// An inbox with `messages` as files.
    pub(super) fn of(messages: impl IntoIterator<Item = Message>, options: &[&str]) -> Self {
        Self::in_format(Format::Unicode, messages, options)
    }

    pub(super) fn in_format(
        format: Format,
        messages: impl IntoIterator<Item = Message>,
        options: &[&str],
    ) -> Self {
        let mut store = Store::with(Options::new(format, Crypt::Permute));
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        for message in messages {
            store.message(inbox, message);
        }
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("store.pst");
        store.write(&file).unwrap();
        let (target, tree) = export(&file, options);
        Self {
            _directory: directory,
            _target: target,
            file,
            inbox: tree.join("Inbox"),
        }
    }

    pub(super) fn path(&self, subject: &str) -> PathBuf {
        let paths = fs::read_dir(&self.inbox).unwrap();
        let mut paths = paths.map(|entry| entry.unwrap().path());
        let ending = format!(" {subject}.eml");
        paths
            .find(|path| path.to_str().unwrap().ends_with(&ending))
            .unwrap_or_else(|| panic!("no {subject}"))
    }

    pub(super) fn eml(&self, subject: &str) -> String {
        fs::read_to_string(self.path(subject)).unwrap()
    }

    pub(super) fn attachments(&self, subject: &str) -> PathBuf {
        self.path(subject).with_extension("attachments")
    }
}

/// What `expression` is in Python of the message `m` in `path`, as JSON.
pub(super) fn python(path: &Path, expression: &str) -> serde_json::Value {
    let script = format!(
        "import email, email.policy, json, sys
m = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=email.policy.default)
assert not [d for p in m.walk() for d in p.defects], [d for p in m.walk() for d in p.defects]
print(json.dumps({expression}))"
    );
    serde_json::from_str(&run("python3", &["-c", &script, path.to_str().unwrap()])).unwrap()
}

pub(super) fn mail(subject: &str) -> Message {
    Message::mail(subject)
        .from("Ann Adams", "ann@north.example")
        .to("Bob", "bob@north.example")
        .body("Text\r\n")
}

#[test]
fn an_attachment_is_shown_whatever_the_flag_of_its_message_says() {
    let message = || {
        mail("unflagged")
            .attachment("a.txt", "hello")
            .flag(0x10, false)
    };
    for option in ["attachments=both", "attachments=dir"] {
        let exported = Exported::of([message(), mail("none")], &["-o", option]);
        let file = exported.attachments("unflagged").join("a.txt");
        assert_eq!(fs::read_to_string(file).unwrap(), "hello", "{option}");
        assert!(!exported.attachments("none").exists(), "{option}");
        let told = exported
            .eml("unflagged")
            .contains("X-Ostfs-Attachments: 1 of 1");
        assert_eq!(told, option == "attachments=dir");
        let index = ostfs(&["cat", exported.file.to_str().unwrap(), ".ostfs/index.csv"]);
        let index = String::from_utf8(index.stdout).unwrap();
        assert!(index.contains(",unflagged,IPM.Note,yes,yes\n"), "{index}");
        assert!(index.contains(",none,IPM.Note,yes,no\n"), "{index}");
    }
}

#[test]
fn a_link_with_an_empty_value_is_a_link() {
    let link = |method, path| Attachment {
        content: Content::Data("".into()),
        ..Attachment::reference(method, path)
    };
    let message = mail("links")
        .attach(link(4, r"\\srv\share\plan.docx"))
        .attach(link(2, "https://cloud.example/a.xlsx"))
        .attach(link(7, "https://cloud.example/b.docx"))
        .attachment("empty.txt", "");
    let exported = Exported::of([message], &[]);
    let directory = exported.attachments("links");
    let text = |name: &str| fs::read_to_string(directory.join(name)).unwrap();
    assert!(text("plan.docx.txt").contains(r"\\srv\share\plan.docx"));
    assert!(text("a.xlsx.url").contains("URL=https://cloud.example/a.xlsx\r\n"));
    assert!(text("b.docx.url").contains("URL=https://cloud.example/b.docx\r\n"));
    assert_eq!(text("empty.txt"), "");
}

#[test]
fn recipients_of_blind_copies_are_told() {
    let headers = "Received: from a by b; Tue, 5 Mar 2024 08:00:00 +0000\r\nFrom: Ann <ann@north.example>\r\n\
                   To: Bob <bob@north.example>\r\nDate: Tue, 5 Mar 2024 08:00:00 +0000\r\n";
    let arrived = mail("arrived")
        .headers(headers)
        .recipient(BCC, "Eve", "eve@north.example");
    let sent = mail("sent")
        .headers(headers)
        .recipient(BCC, "Eve", "eve@north.example")
        .flag(0x20, true);
    let exported = Exported::of([arrived, sent], &[]);
    let bcc = "Eve <eve@north.example>\n";
    assert!(
        exported
            .eml("arrived")
            .contains(&format!("\nX-Ostfs-Bcc: {bcc}"))
    );
    assert!(exported.eml("sent").contains(&format!("\nBcc: {bcc}")));
}

#[test]
fn accounts_tell_who_sends() {
    const DN: &str = "/o=Org/ou=Group/cn=Recipients/cn=joe";
    let account = format!("00000002\u{1}EXCHANGE{DN}\u{1}joe@example.com");
    let by_name = |subject: &str| {
        [0x0042, 0x0C1A]
            .into_iter()
            .fold(Message::mail(subject), |message, id| {
                message.prop(id, "Joe Bloggs")
            })
    };
    let exchange = |subject: &str| {
        let message = by_name(subject)
            .prop(tags::SENT_REPRESENTING_ADDRESS_TYPE, "EX")
            .prop(tags::SENDER_ADDRESS_TYPE, "EX");
        message
            .prop(tags::SENT_REPRESENTING_EMAIL_ADDRESS, DN)
            .prop(tags::SENDER_EMAIL_ADDRESS, DN)
    };
    let exported = Exported::of(
        [
            exchange("by send account").prop(tags::PRIMARY_SEND_ACCOUNT, account.as_str()),
            // The pair is in the address book.
            exchange("by address book"),
            by_name("draft")
                .flag(8, true)
                .named(PSETID_COMMON, 0x8580, "me@example.com"),
            Message::mail("nobody")
                .flag(8, true)
                .prop(tags::NEXT_SEND_ACCOUNT, account.as_str()),
            // It came by this account.
            by_name("arrived").to("Me", "me@example.com").named(
                PSETID_COMMON,
                0x8580,
                "me@example.com",
            ),
            by_name("sender").prop(tags::SENDER_SMTP_ADDRESS, "joe@other.example"),
        ],
        &[],
    );
    for (subject, from) in [
        ("by send account", "Joe Bloggs <joe@example.com>"),
        ("by address book", "Joe Bloggs <joe@example.com>"),
        ("draft", "Joe Bloggs <me@example.com>"),
        ("nobody", "joe@example.com"),
        ("arrived", "Joe Bloggs <unknown@ostfs.invalid>"),
        ("sender", "Joe Bloggs <joe@other.example>"),
    ] {
        let text = exported.eml(subject);
        assert!(
            text.contains(&format!("From: {from}\n")),
            "{subject}: {text}"
        );
    }
}

/// Who sent it for somebody of the same name is that somebody.
#[test]
fn from_has_the_address_that_the_sender_of_its_name_has() {
    let message = |subject: &str, sender: &str| {
        Message::mail(subject)
            .prop(tags::SENT_REPRESENTING_NAME, "Joe Bloggs")
            .prop(tags::SENDER_NAME, sender)
            .prop(tags::SENDER_ADDRESS_TYPE, "SMTP")
            .prop(tags::SENDER_EMAIL_ADDRESS, "joe@north.example")
    };
    let exported = Exported::of(
        [message("same", "Joe Bloggs"), message("other", "Ann Adams")],
        &[],
    );
    let from = |subject: &str| {
        python(
            &exported.path(subject),
            "[str(m['from']), str(m['sender'])]",
        )
    };
    assert_eq!(from("same")[0], "Joe Bloggs <joe@north.example>");
    // An address of somebody else is none of his.
    let other = from("other");
    assert!(
        other[0]
            .as_str()
            .unwrap()
            .starts_with("Joe Bloggs <unknown@")
    );
    assert_eq!(other[1], "Ann Adams <joe@north.example>");
}

#[test]
fn an_international_domain_is_in_punycode() {
    let message = Message::mail("idn")
        .from("B\u{f6}b", "bob@m\u{fc}ller.example")
        .to("", "j\u{f6}rg@m\u{fc}ller.example")
        .body("x");
    let exported = Exported::of([message], &[]);
    let addresses = "[[a.addr_spec for a in m[n].addresses] for n in ('from', 'to')]";
    assert_eq!(
        python(&exported.path("idn"), addresses),
        serde_json::json!([["bob@xn--mller-kva.example"], ["unknown@ostfs.invalid"]])
    );
    assert!(!exported.eml("idn").contains("IMCEA"));
}

#[test]
fn a_field_that_does_not_decode_gives_way_to_the_property() {
    let headers = "From: =?utf-8?Q?J=F6rg?= <joerg@north.example>\r\nSubject: =?utf-8?Q?Gr=FC=DFe?=\r\n\
                   To: Bob <bob@north.example>\r\nDate: Tue, 5 Mar 2024 08:00:00 +0000\r\n";
    let message = mail("Gr\u{fc}\u{df}e")
        .from("J\u{f6}rg", "joerg@north.example")
        .headers(headers);
    let exported = Exported::of([message], &[]);
    let path = exported.path("Gr\u{fc}\u{df}e");
    assert_eq!(
        python(&path, "[m['subject'], str(m['from'])]"),
        serde_json::json!(["Gr\u{fc}\u{df}e", "J\u{f6}rg <joerg@north.example>"])
    );
    let text = exported.eml("Gr\u{fc}\u{df}e");
    assert!(text.contains("\nX-Ostfs-Original-Subject: =?utf-8?Q?Gr=FC=DFe?=\n"));
}

const RUSSIAN: &str = "Привет, это письмо написано по-русски";

#[test]
fn html_in_another_charset_than_it_says_is_read_and_told() {
    let html = format!("<p>{RUSSIAN}</p>");
    let bytes = crate::support::to_code_page(&html, 1251);
    let message = mail("html").without(tags::BODY).prop(tags::HTML, bytes);
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    store.message(inbox, message);
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("store.pst");
    store.write(&file).unwrap();
    let listing = ostfs(&["ls", file.to_str().unwrap(), "Inbox"]);
    let name = String::from_utf8(listing.stdout).unwrap();
    let path = format!("Inbox/{}", name.trim());
    let output = ostfs(&["cat", file.to_str().unwrap(), &path]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(&html), "{text}");
    assert!(text.contains("X-Ostfs-Problem: HTML body: its bytes are no text in code page 65001"));
}

#[test]
fn text_of_a_store_that_names_no_code_page_is_in_one_page() {
    let bytes = |text: &str| Value::Str8(crate::support::to_code_page(text, 1251));
    let russian = |subject: &str| {
        mail(subject)
            .without(tags::INTERNET_CODEPAGE)
            .prop(tags::SUBJECT, bytes(subject))
            .prop(tags::CONVERSATION_TOPIC, bytes(subject))
            .prop(tags::NORMALIZED_SUBJECT, bytes(subject))
            .prop(tags::BODY, bytes(RUSSIAN))
    };
    let messages = || [russian("Новости недели"), russian("Отчёт за год")];
    let exported = Exported::in_format(Format::Ansi, messages(), &[]);
    for subject in ["Новости недели", "Отчёт за год"] {
        assert!(exported.eml(subject).contains(RUSSIAN), "{subject}");
    }
    let file = exported.file.to_str().unwrap();
    let info = String::from_utf8(ostfs(&["info", file]).stdout).unwrap();
    assert!(info.contains("code page 1251: by the text"), "{info}");
    let chosen = Exported::in_format(Format::Ansi, messages(), &["-o", "codepage=1252"]);
    assert!(chosen.path("Íîâîñòè íåäåëè").exists());
    // A page of ASCII says nothing of text that is none.
    let ascii = russian("Без страницы").prop(tags::INTERNET_CODEPAGE, 20127);
    let exported = Exported::in_format(Format::Ansi, messages().into_iter().chain([ascii]), &[]);
    let subject = python(&exported.path("Без страницы"), "str(m['subject'])");
    assert_eq!(subject, "Без страницы");
    // Most items that name a page name this one; one that names another keeps it, in its name as well.
    let named = mail("named").prop(tags::MESSAGE_CODEPAGE, 1251);
    let greek = mail("Ελληνικά").prop(tags::MESSAGE_CODEPAGE, 1253);
    let messages = messages().into_iter().chain([named, greek]);
    let exported = Exported::in_format(Format::Ansi, messages, &[]);
    for subject in ["Новости недели", "Ελληνικά"] {
        assert!(exported.path(subject).exists(), "{subject}");
    }
}

#[test]
fn times_of_attachments_are_those_of_the_files() {
    let (created, modified) = (filetime(2020, 2, 3, 4, 5), filetime(2021, 3, 4, 5, 6));
    let attachment = Attachment::data("a.txt", Payload::random(10, 1))
        .prop(tags::CREATION_TIME, Value::Time(created))
        .prop(tags::LAST_MODIFICATION_TIME, Value::Time(modified));
    let inner = mail("The subject of it");
    let sized = Attachment::message(inner).prop(tags::DISPLAY_NAME, "The subject (12 KB)");
    let exported = Exported::of([mail("times").attach(attachment).attach(sized)], &[]);
    let file = exported.attachments("times").join("a.txt");
    let time = fs::metadata(file).unwrap().modified().unwrap();
    let seconds = time
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    assert_eq!(seconds, modified / 10_000_000 - 11_644_473_600);
    let parameters = "[dict(p['content-disposition'].params) for p in m.iter_attachments()]";
    let parameters = python(&exported.path("times"), parameters);
    assert_eq!(
        parameters[0]["creation-date"],
        "Mon, 03 Feb 2020 04:05:00 +0000"
    );
    assert_eq!(
        parameters[0]["modification-date"],
        "Thu, 04 Mar 2021 05:06:00 +0000"
    );
    assert_eq!(parameters[1]["filename"], "The subject of it.eml");
}

#[test]
fn a_machine_readable_part_keeps_its_type() {
    let status =
        "Reporting-MTA: dns; a.example\r\n\r\nFinal-Recipient: rfc822; b@c\r\nAction: failed\r\n";
    let attachment = Attachment::data("details.txt", status).mime("message/delivery-status");
    let exported = Exported::of([mail("status").attach(attachment)], &[]);
    let types = python(
        &exported.path("status"),
        "[p.get_content_type() for p in m.walk()]",
    );
    assert_eq!(types[2], "message/delivery-status");
}

#[test]
fn what_somebody_sent_begins_with_what_they_wrote() {
    let start = Value::Time(filetime(2024, 6, 3, 10, 0));
    let message = |class: &str, subject: &str| {
        Message::new(class, subject)
            .from("Ann Adams", "ann@north.example")
            .to("Bob", "bob@north.example")
            .body("Written by Ann\r\n")
    };
    let request = message("IPM.Schedule.Meeting.Request", "invited")
        .named(PSETID_APPOINTMENT, 0x820D, start.clone())
        .named(
            PSETID_APPOINTMENT,
            0x820E,
            Value::Time(filetime(2024, 6, 3, 11, 0)),
        );
    let timeless = message("IPM.Schedule.Meeting.Notification.Forward", "forwarded").named(
        PSETID_APPOINTMENT,
        0x8208,
        "Room 7",
    );
    let task = message("IPM.TaskRequest", "asked").named(PSETID_TASK, 0x811F, "Ann");
    let exported = Exported::of([request, timeless, task], &[]);
    let leaves =
        "[[p.get_content_type(), p.get_content()] for p in m.walk() if not p.is_multipart()]";
    for subject in ["invited", "forwarded", "asked"] {
        let leaves = python(&exported.path(subject), leaves);
        assert_eq!(
            leaves[0],
            serde_json::json!(["text/plain", "Written by Ann\n"]),
            "{subject}"
        );
    }
    assert_eq!(
        python(&exported.path("invited"), leaves)[1][0],
        "text/calendar"
    );
    assert!(exported.eml("forwarded").contains("Location: Room 7\n"));
    assert!(exported.eml("asked").contains("Owner: Ann\n"));
}

/// Where the page of an article is: as a field that Thunderbird knows, and as a line for people.
#[test]
fn an_article_tells_its_feed_and_a_share_its_folder() {
    let article = Message::new("IPM.Post.Rss", "article")
        .body("Words\r\n")
        .named(PSETID_POST_RSS, 0x8900, "https://feed.example/rss")
        .named(PSETID_POST_RSS, 0x8901, "https://feed.example/1")
        .named(PSETID_POST_RSS, 0x8904, "News of the day");
    let share = mail("share")
        .prop(tags::MESSAGE_CLASS, "IPM.Sharing")
        .named(PSETID_SHARING, 0x8A05, "Calendar of Ann")
        .named(PSETID_SHARING, 0x8A51, "https://north.example/calendar");
    let exported = Exported::of([article, share], &[]);
    let article = exported.eml("article");
    for line in [
        "Content-Base: https://feed.example/1",
        "Link: https://feed.example/1",
        "Feed: News of the day",
        "Feed address: https://feed.example/rss",
    ] {
        assert!(article.contains(&format!("{line}\n")), "{line}: {article}");
    }
    let share = exported.eml("share");
    assert!(
        share.contains("Shared folder: Calendar of Ann\n"),
        "{share}"
    );
    assert!(share.contains("In a browser: https://north.example/calendar\n"));
}

#[test]
fn rtf_is_attached_where_text_loses_formatting_or_it_is_what_was_written() {
    let rtf = |subject: &str, body: &str| {
        let rtf = format!(r"{{\rtf1\ansi\deff0{{\fonttbl{{\f0 Arial;}}}}\plain\f0\fs20 {body}}}");
        mail(subject).rtf(&rtf)
    };
    let exported = Exported::of(
        [
            rtf("struck out", r"old {\strike offer 100} new"),
            rtf("plain", r"text\strike0  and text\par"),
            rtf("native", r"text\par").prop(tags::NATIVE_BODY, 2),
        ],
        &[],
    );
    let names = "[part.get_filename() for part in m.walk()][1:]";
    for (subject, expected) in [
        ("struck out", serde_json::json!([null, "body.rtf"])),
        ("plain", serde_json::json!([])),
        ("native", serde_json::json!([null, "body.rtf"])),
    ] {
        assert_eq!(
            python(&exported.path(subject), names),
            expected,
            "{subject}"
        );
    }
    let content = "next(part.get_content().decode() for part in m.walk() if part.get_filename())";
    let struck_out = python(&exported.path("struck out"), content);
    assert!(
        struck_out
            .as_str()
            .unwrap()
            .contains(r"{\strike offer 100}")
    );
}

#[test]
fn the_stored_header_is_to_be_had_as_it_came() {
    let block = "Received: from a.example\r\n\tby b.example;\t Tue, 5 Mar 2024 08:00:00 +0000\r\n\
                 DKIM-Signature: v=1; a=rsa-sha256;\r\n\tbh=abc=;\r\n        b=def\r\n\
                 From: Ann   <ann@north.example>\r\nTo: bob@north.example\r\nSubject:  =?utf-8?q?stored?=\r\n\
                 Date: Tue, 5 Mar 2024 08:00:00 +0000\r\nMIME-Version: 1.0\r\n\
                 Content-Type: multipart/mixed;\r\n\tboundary=\"gone\"\r\n\r\n";
    let message = mail("stored").headers(block).attachment("a.txt", "x");
    let exported = Exported::of([message], &["-o", "headers=original,eol=crlf"]);
    let text = exported.eml("stored");
    let (kept, _) = block.split_once("MIME-Version").unwrap();
    assert!(text.starts_with(kept), "{text}");
    assert!(
        text.contains("X-Ostfs-Original-Content-Type: multipart/mixed;\r\n\tboundary=\"gone\"\r\n")
    );
    let names = "[m.get_all('content-type') == None or len(m.get_all('content-type')), len(list(m.iter_attachments()))]";
    assert_eq!(
        python(&exported.path("stored"), names),
        serde_json::json!([1, 1])
    );
    let file = exported.file.to_str().unwrap();
    let name = exported
        .path("stored")
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let output = ostfs(&["cat", "--headers", file, &format!("Inbox/{name}")]);
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), block);
}
