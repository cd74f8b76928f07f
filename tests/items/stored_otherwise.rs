//! The same facts under other properties, of other types and in other forms than most writers use: none is lost, and none
//! is taken for another.

use std::fs;
use std::path::Path;

use crate::mail_kinds::{Exported, python};
use crate::support::*;

/// Where a message has whom it is from, and who has sent it.
const ROLES: [[u16; 3]; 2] = [[0x0042, 0x0064, 0x0065], [0x0C1A, 0x0C1E, 0x0C1F]];
/// PSETID_Attachment and PSETID_Messaging.
const PSETID_ATTACHMENT: [u8; 16] = [
    0x7F, 0x7F, 0x35, 0x96, 0xE1, 0x59, 0xD0, 0x47, 0x99, 0xA7, 0x46, 0x51, 0x5C, 0x18, 0x3B, 0x54,
];
const PSETID_MESSAGING: [u8; 16] = [
    0x13, 0x8F, 0xF2, 0x41, 0xF4, 0x83, 0x14, 0x41, 0xA5, 0x84, 0xEE, 0xDB, 0x5A, 0x6B, 0x0B, 0xFF,
];

fn from(message: Message, name: &str, kind: &str, address: &str) -> Message {
    ROLES.into_iter().fold(message, |message, [n, k, a]| {
        message.prop(n, name).prop(k, kind).prop(a, address)
    })
}

/// A mail that tells nothing of anybody.
pub(super) fn mail(subject: &str) -> Message {
    Message::mail(subject).body("Text\r\n")
}

pub(super) fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(super) fn has_lines(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(
            text.lines().any(|found| found == *line),
            "no {line} in {text}"
        );
    }
}

#[test]
fn an_address_in_another_form_is_an_address() {
    let forms = [
        ("a type in front", "Eva", "SMTP", "SMTP:eva@b.example"),
        ("a small type in front", "Eva", "SMTP", "smtp:eva@b.example"),
        ("a scheme in front", "Eva", "SMTP", "MAILTO:eva@b.example"),
        ("a name in front", "Eva", "SMTP", "Eva <eva@b.example>"),
        ("in brackets", "Eva", "SMTP", "<eva@b.example>"),
        ("no type", "Eva", "", "eva@b.example"),
        ("in the name", "Eva <eva@b.example>", "", ""),
    ];
    let messages = forms.map(|(subject, name, kind, address)| {
        let message = from(mail(subject), name, kind, address);
        message.recipient(TO, name, "x").to("Bob", "bob@b.example")
    });
    let messages = messages.map(|mut message| {
        let [row, ..] = message.recipients.as_mut_slice() else {
            unreachable!("it has two recipients");
        };
        for id in [0x0FFF, 0x300B, 0x39FE] {
            row.remove(&id);
        }
        for (id, own) in [(0x3002, 0x0064), (0x3003, 0x0065)] {
            row.insert(id, message.props[&own].clone());
        }
        message
    });
    let exported = Exported::of(messages, &[]);
    for (subject, ..) in forms {
        let found = python(
            &exported.path(subject),
            "[(a.display_name, a.addr_spec) for f in ('From', 'To') for a in m[f].addresses]",
        );
        let eva = ["Eva", "eva@b.example"];
        let expected = serde_json::json!([eva, eva, ["Bob", "bob@b.example"]]);
        assert_eq!(found, expected, "{subject}");
    }
}

/// [MS-OXCMAIL] 2.1.3.6.2: the recipient of a receipt is the sender of what was read.
#[test]
fn a_read_receipt_names_who_has_read_the_message() {
    let receipt = |subject: &str, class: &str| {
        let receipt = from(mail(subject), "Ann", "SMTP", "ann@x.example");
        receipt
            .prop(tags::MESSAGE_CLASS, class)
            .to("Bob", "bob@x.example")
    };
    let messages = [
        receipt("read", "REPORT.IPM.Note.IPNRN"),
        receipt("not read", "REPORT.IPM.Note.IPNNRN"),
    ];
    let exported = Exported::of(messages, &[]);
    for subject in ["read", "not read"] {
        has_lines(
            &exported.eml(subject),
            &["Final-Recipient: rfc822; ann@x.example"],
        );
    }
}

#[test]
fn a_receipt_goes_to_whom_the_message_asks_for() {
    let asks = |subject: &str| {
        from(mail(subject), "Ann", "SMTP", "ann@x.example").prop(tags::READ_RECEIPT_REQUESTED, true)
    };
    let desk = asks("desk")
        .prop(tags::READ_RECEIPT_ADDRESS_TYPE, "SMTP")
        .prop(tags::READ_RECEIPT_EMAIL_ADDRESS, "desk@x.example")
        .prop(tags::READ_RECEIPT_NAME, "Desk");
    let exported = Exported::of([asks("own"), desk], &[]);
    let expected = [
        ("own", "Disposition-Notification-To: Ann <ann@x.example>"),
        ("desk", "Disposition-Notification-To: Desk <desk@x.example>"),
    ];
    for (subject, field) in expected {
        has_lines(&exported.eml(subject), &[field]);
    }
}

#[test]
fn a_link_is_kept_wherever_it_is_stored() {
    const URL: &str = "https://x.example/a.docx";
    let link = || Attachment::reference(7, URL);
    let without_path = || {
        let mut attachment = link();
        attachment
            .props
            .retain(|id, _| ![0x3708, 0x370D].contains(id));
        attachment
    };
    let mut thumbnail = link();
    thumbnail.content = Content::Data("picture".into());
    // The first ids behind those of the names that the writer gives each file.
    let [url, provider, permission] = [0x8006, 0x8007, 0x8008];
    let names = [
        "AttachmentOriginalUrl",
        "AttachmentProviderType",
        "AttachmentPermissionType",
    ];
    let named = names.iter().fold(mail("named"), |message, name| {
        message.named_text(PSETID_ATTACHMENT, name, "")
    });
    let attachment = without_path().prop(url, URL).prop(provider, "OneDrivePro");
    let exported = Exported::of(
        [
            named.attach(attachment.prop(permission, 2)),
            mail("blank").attach(
                link()
                    .prop(tags::ATTACH_LONG_PATHNAME, " ")
                    .prop(tags::ATTACH_PATHNAME, URL),
            ),
            mail("thumbnail").attach(thumbnail),
        ],
        &[],
    );
    let start = format!("[InternetShortcut]\r\nURL={URL}\r\n");
    let more = "AttachmentProviderType=OneDrivePro\r\nAttachmentPermissionType=2\r\n";
    let expected = [
        ("named", [&start, more].concat()),
        ("blank", start.clone()),
        ("thumbnail", start),
    ];
    for (subject, shortcut) in expected {
        let file = exported.attachments(subject).join("a.docx.url");
        assert_eq!(read(file), shortcut, "{subject}");
        let found = python(
            &exported.path(subject),
            "[p.get_content().decode() for p in m.iter_attachments()]",
        );
        let all = found.as_array().unwrap();
        assert!(all.contains(&shortcut.into()), "{found}");
    }
    let picture = exported.attachments("thumbnail").join("a.docx");
    assert_eq!(read(picture), "picture");
}

/// Python, as many readers do, decodes what looks like an encoded word wherever it stands.
#[test]
fn a_name_that_looks_encoded_is_not_decoded() {
    let name = "=?utf-8?Q?x?=.txt";
    let exported = Exported::of([mail("names").attachment(name, "x")], &[]);
    let found = python(
        &exported.path("names"),
        "[p.get_filename() for p in m.iter_attachments()]",
    );
    assert_eq!(found, serde_json::json!([name]));
}

#[test]
fn the_start_of_a_body_stands_in_for_it() {
    let message = |id: u16| Message::mail(&format!("{id:x}")).prop(id, "How it begins");
    let exported = Exported::of([message(0x3FD9), message(0x6619)], &[]);
    for subject in ["3fd9", "6619"] {
        has_lines(&exported.eml(subject), &["How it begins"]);
    }
}

/// How people have reacted to a message, as Exchange stores it: two of them.
fn reactions() -> Vec<u8> {
    let mut bytes = b"v\x01".to_vec();
    bytes.extend("\u{1F44D}=".as_bytes());
    bytes.extend([2, 0, 0]);
    for person in ["Ann Alder,ann@x.example,", "Birch, Bob,bob@x.example,"] {
        // 2024-05-01 09:32 in minutes since 1601.
        bytes.push(0);
        bytes.extend(222_650_492_u32.to_le_bytes());
        bytes.extend(format!("\u{1F44D},{person}\0").as_bytes());
    }
    bytes
}

#[test]
fn reactions_to_a_message_are_told() {
    let reacted = mail("reacted").named_text(PSETID_MESSAGING, "ReactionsSummary", reactions());
    let counted = mail("counted").named_text(PSETID_MESSAGING, "ReactionsCount", 3);
    let none = mail("none").named_text(PSETID_MESSAGING, "ReactionsCount", 0);
    let exported = Exported::of([reacted, counted, none], &["-o", "text"]);
    let text = |subject: &str| read(exported.path(subject).with_extension("txt"));
    let expected = "X-Ostfs-Reactions: \u{1F44D} Ann Alder <ann@x.example> 2024-05-01T09:32:00Z, \
                    \u{1F44D} Birch, Bob <bob@x.example> 2024-05-01T09:32:00Z";
    has_lines(&text("reacted"), &[expected]);
    has_lines(&text("counted"), &["X-Ostfs-Reactions: 3 in all"]);
    assert!(!text("none").contains("Reactions"));
    let found = python(&exported.path("reacted"), "m['X-Ostfs-Reactions']");
    assert_eq!(
        format!("X-Ostfs-Reactions: {}", found.as_str().unwrap()),
        expected
    );
}

/// The files of one folder with `items`.
pub(super) fn folder(
    name: &str,
    class: &str,
    items: Vec<Message>,
) -> (tempfile::TempDir, std::path::PathBuf) {
    folder_of(name, class, items, &[])
}

/// The same with `options`.
pub(super) fn folder_of(
    name: &str,
    class: &str,
    items: Vec<Message>,
    options: &[&str],
) -> (tempfile::TempDir, std::path::PathBuf) {
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let folder = store.folder_of(store.ipm_subtree(), name, class);
    for item in items {
        store.message(folder, item);
    }
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("store.pst");
    store.write(&file).unwrap();
    let (target, tree) = crate::mounted::export(&file, options);
    (target, tree.join(name))
}

pub(super) fn with_user_fields(item: Message) -> Message {
    [
        ("Number", Value::I32(42)),
        ("Factor", Value::F64(1.5)),
        ("Fee", Value::Currency(123_400)),
        ("Paid", Value::Bool(true)),
        ("Since", Value::Time(filetime(2024, 1, 2, 3, 4))),
        ("Colours", Value::MvStr(vec!["red".into(), "blue".into()])),
        ("Words", "some".into()),
        // What programs write is none of the user's.
        ("http://schemas.example/x", "no".into()),
    ]
    .into_iter()
    .fold(item, |item, (name, value)| {
        item.named_text(PS_PUBLIC_STRINGS, name, value)
    })
}

#[test]
fn fields_of_the_user_are_told_whatever_their_type() {
    let expected = [
        "X-OSTFS-FIELD;X-NAME=Number:42",
        "X-OSTFS-FIELD;X-NAME=Factor:1.5",
        "X-OSTFS-FIELD;X-NAME=Fee:12.34",
        "X-OSTFS-FIELD;X-NAME=Paid:yes",
        "X-OSTFS-FIELD;X-NAME=Since:2024-01-02T03:04:00Z",
        "X-OSTFS-FIELD;X-NAME=Colours:red\\, blue",
        "X-OSTFS-FIELD;X-NAME=Words:some",
    ];
    let (start, end) = (filetime(2024, 6, 3, 10, 0), filetime(2024, 6, 3, 11, 0));
    let items = [
        (
            "IPF.Contact",
            Message::contact("Ann", "Alder", "a@x.example"),
            "Ann Alder.vcf",
        ),
        (
            "IPF.Appointment",
            Message::appointment("Lunch", start, end, ""),
            "2024-06-03 1000 Lunch.ics",
        ),
        (
            "IPF.Task",
            Message::task("Pay", start, end, 0.0),
            "2024-05-01 0932 Pay.ics",
        ),
        (
            "IPF.Journal",
            Message::journal("Call", "Phone call", start, 5),
            "2024-06-03 1000 Call.ics",
        ),
    ];
    for (class, item, name) in items {
        let (_target, folder) = folder("Items", class, vec![with_user_fields(item)]);
        let text = read(folder.join(name));
        has_lines(&text, &expected);
        assert_eq!(text.matches("X-OSTFS-FIELD").count(), expected.len());
    }
}

#[test]
fn a_contact_keeps_addresses_that_are_stored_in_one_piece() {
    let contact = |name: &str| Message::new("IPM.Contact", name).prop(tags::DISPLAY_NAME, name);
    let whole = contact("Whole")
        .named(PSETID_ADDRESS, 0x801A, "Home 1\r\n12345 Town")
        .named(PSETID_ADDRESS, 0x801B, "Work 2\r\n12345 Town")
        .named(PSETID_ADDRESS, 0x801C, "Other 3");
    // Where there are parts, they say the same.
    let parts = contact("Parts")
        .named(PSETID_ADDRESS, 0x801B, "Work 2\r\n12345 Town")
        .named(PSETID_ADDRESS, 0x8045, "Work 2")
        .named(PSETID_ADDRESS, 0x8046, "Town");
    let mailing = contact("Mailing").prop(tags::POSTAL_ADDRESS, "Box 4\r\nTown");
    let listed = contact("Listed")
        .prop(tags::ADDRESS_TYPE, "EX")
        .prop(tags::EMAIL_ADDRESS, "/o=Org/cn=listed")
        .prop(tags::SMTP_ADDRESS, "listed@x.example");
    let (_target, folder) = folder(
        "Contacts",
        "IPF.Contact",
        vec![whole, parts, mailing, listed],
    );
    let card = |name: &str| read(folder.join(format!("{name}.vcf")));
    has_lines(
        &card("Whole"),
        &[
            "ADR;TYPE=WORK:;;Work 2\\n12345 Town;;;;",
            "ADR;TYPE=HOME:;;Home 1\\n12345 Town;;;;",
            "ADR:;;Other 3;;;;",
        ],
    );
    has_lines(&card("Parts"), &["ADR;TYPE=WORK:;;Work 2;Town;;;"]);
    assert_eq!(card("Parts").matches("ADR").count(), 1);
    has_lines(&card("Mailing"), &["ADR;TYPE=PREF:;;Box 4\\nTown;;;;"]);
    has_lines(
        &card("Listed"),
        &["EMAIL;TYPE=INTERNET;TYPE=PREF:listed@x.example"],
    );
}

#[test]
fn a_reminder_of_a_task_is_told_by_either_of_its_times() {
    let (start, due) = (filetime(2024, 6, 4, 0, 0), filetime(2024, 6, 5, 0, 0));
    let task = |name: &str, id: u32| {
        Message::task(name, start, due, 0.0)
            .named(PSETID_COMMON, 0x8503, true)
            .named(PSETID_COMMON, id, Value::Time(filetime(2024, 6, 4, 7, 0)))
    };
    let tasks = vec![task("time", 0x8502), task("signal", 0x8560)];
    let (_target, folder) = folder("Tasks", "IPF.Task", tasks);
    for name in ["time", "signal"] {
        has_lines(
            &read(folder.join(format!("2024-05-01 0932 {name}.ics"))),
            &["TRIGGER;VALUE=DATE-TIME:20240604T070000Z"],
        );
    }
}

/// RFC 6068 has a form for other letters, which few calendars decode.
#[test]
fn domains_in_calendars_and_lists_are_in_ascii() {
    let start = filetime(2024, 6, 3, 10, 0);
    let meeting = Message::appointment("Lunch", start, filetime(2024, 6, 3, 11, 0), "")
        .named(PSETID_APPOINTMENT, 0x8217, 1)
        .from("Ann", "ann@x.example")
        .to("Jo", "jo@m\u{fc}ller.example");
    let (_target, folder) = folder("Calendar", "IPF.Appointment", vec![meeting]);
    let text = read(folder.join("2024-06-03 1000 Lunch.ics")).replace("\r\n ", "");
    assert!(
        text.contains(":mailto:jo@xn--mller-kva.example\r\n"),
        "{text}"
    );
}

#[test]
fn an_answer_that_proposes_another_time_says_so_in_its_text() {
    let start = filetime(2024, 6, 3, 10, 0);
    let answer = Message::appointment("Lunch", start, filetime(2024, 6, 3, 11, 0), "")
        .prop(tags::MESSAGE_CLASS, "IPM.Schedule.Meeting.Resp.Tent")
        .named(PSETID_APPOINTMENT, 0x8257, true)
        .named(
            PSETID_APPOINTMENT,
            0x8250,
            Value::Time(filetime(2024, 6, 4, 10, 0)),
        )
        .named(
            PSETID_APPOINTMENT,
            0x8251,
            Value::Time(filetime(2024, 6, 4, 11, 0)),
        );
    let exported = Exported::of([answer], &["-o", "text"]);
    has_lines(
        &read(exported.path("Lunch").with_extension("txt")),
        &[
            "Start: Mon, 03 Jun 2024 10:00:00 +0000",
            "Proposed start: Tue, 04 Jun 2024 10:00:00 +0000",
            "Proposed end: Tue, 04 Jun 2024 11:00:00 +0000",
        ],
    );
}

/// `subject` in the letters of Windows-1251, with a body, and nothing that tells so.
fn russian(subject: &str) -> Message {
    let bytes = |text: &str| Value::Str8(to_code_page(text, 1251));
    let body = "Привет всем, кто остался сегодня в городе; остальное расскажу при встрече.";
    [0x0037, 0x0070, 0x0E1D]
        .into_iter()
        .fold(Message::mail(""), |message, id| {
            message.prop(id, bytes(subject))
        })
        .without(tags::INTERNET_CODEPAGE)
        .prop(tags::BODY, bytes(body))
}

#[test]
fn one_item_that_names_a_code_page_does_not_speak_for_many_that_name_none() {
    let subjects = [
        "Новости недели",
        "Отчёт за год",
        "Письмо",
        "Встреча в среду",
    ];
    let greek = Message::mail("Ελληνικά").prop(tags::MESSAGE_CODEPAGE, 1253);
    let messages = subjects.map(russian).into_iter().chain([greek]);
    let exported = Exported::in_format(Format::Ansi, messages, &[]);
    for subject in subjects.into_iter().chain(["Ελληνικά"]) {
        let found = python(&exported.path(subject), "m['Subject']");
        assert_eq!(found, serde_json::json!(subject));
    }
}

/// In a file whose strings are UTF-16 some writers store 8-bit ones, too.
#[test]
fn strings_of_eight_bits_are_in_the_page_of_the_text_in_any_format() {
    let subjects = ["Новости недели", "Отчёт за год"];
    for format in [Format::Unicode, Format::Ost4k] {
        // The table of the folder has no such column, so the items are asked.
        let messages = subjects.map(|subject| russian(subject).row(0x0037, None));
        let name = Value::Str8(to_code_page("Итог.txt", 1251));
        let messages = messages.map(|message| {
            message
                .attach(Attachment::data("x", "x").prop(tags::ATTACH_LONG_FILENAME, name.clone()))
        });
        let exported = Exported::in_format(format, messages, &[]);
        for subject in subjects {
            let what = "[m['Subject'], [p.get_filename() for p in m.iter_attachments()]]";
            let found = python(&exported.path(subject), what);
            assert_eq!(found, serde_json::json!([subject, ["Итог.txt"]]));
        }
    }
}

/// Text beside an attached file of S/MIME is not in that file.
#[test]
fn who_attaches_a_signed_file_keeps_the_text_of_the_mail() {
    let der = [
        &[0x30, 0x80, 0x06, 0x09][..],
        b"\x2A\x86\x48\x86\xF7\x0D\x01\x07\x03",
    ]
    .concat();
    let attached = |message: Message| {
        let file = Attachment::data("smime.p7m", der.as_slice());
        message.attach(file.mime("application/pkcs7-mime"))
    };
    let messages = [
        attached(mail("written")),
        attached(Message::mail("empty")),
        attached(mail("by class").prop(tags::MESSAGE_CLASS, "IPM.Note.SMIME")),
    ];
    let exported = Exported::of(messages, &[]);
    let kind = |subject: &str| python(&exported.path(subject), "m.get_content_type()");
    assert_eq!(kind("written"), "multipart/mixed");
    has_lines(&exported.eml("written"), &["Text"]);
    for subject in ["empty", "by class"] {
        assert_eq!(kind(subject), "application/pkcs7-mime", "{subject}");
    }
}

#[test]
fn an_item_is_called_by_what_is_stored_of_its_name() {
    let nameless = |class: &str| {
        Message::new(class, "")
            .without(tags::SUBJECT)
            .without(tags::CONVERSATION_TOPIC)
    };
    let contact = || nameless("IPM.Contact").without(tags::NORMALIZED_SUBJECT);
    let contacts = vec![
        contact().named(PSETID_ADDRESS, 0x8005, "Alder, Ann"),
        contact()
            .prop(tags::GIVEN_NAME, "Bob")
            .prop(tags::SURNAME, "Birch"),
        contact().prop(tags::COMPANY_NAME, "Acme"),
        contact().named(PSETID_ADDRESS, 0x8082, "SMTP").named(
            PSETID_ADDRESS,
            0x8083,
            "eva@x.example",
        ),
        contact(),
        nameless("IPM.DistList").named(PSETID_ADDRESS, 0x8053, "Staff"),
    ];
    let (_target, folder) = folder("Contacts", "IPF.Contact", contacts);
    let names = [
        "Alder, Ann",
        "Bob Birch",
        "Acme",
        "eva@x.example",
        "(no name)",
        "Staff",
    ];
    for name in names {
        let card = read(folder.join(format!("{name}.vcf")));
        let field = format!("FN:{}", name.replace(',', "\\,"));
        has_lines(&card, &[&field]);
    }
    let replied = Message::mail("")
        .without(tags::SUBJECT)
        .prop(tags::SUBJECT_PREFIX, "RE: ")
        .prop(tags::NORMALIZED_SUBJECT, "Lunch");
    let exported = Exported::of(
        [
            replied,
            Message::mail("")
                .without(tags::SUBJECT)
                .prop(tags::CONVERSATION_TOPIC, "Topic"),
        ],
        &[],
    );
    for subject in ["RE_ Lunch", "Topic"] {
        let found = python(&exported.path(subject), "m['Subject']");
        assert_eq!(found, serde_json::json!(subject.replace('_', ":")));
    }
}

#[test]
fn a_header_block_is_read_whatever_its_type_and_however_its_sender_is_written() {
    let block = |from: &str| {
        format!(
            "Received: from a by b; Tue, 5 Mar 2024 08:00:00 +0000\r\nFrom: {from}\r\n\
             To: bob@x.example\r\nDate: Tue, 5 Mar 2024 08:00:00 +0000\r\n"
        )
    };
    let adams = "[(a.display_name, a.addr_spec) for a in m['From'].addresses]";
    // In a directory that the file does not have.
    let exchange = |subject: &str| from(mail(subject), "Ann Adams", "EX", "/o=Org/cn=ann");
    let messages = [
        exchange("comma").headers(&block("Adams, Ann <ann@x.example>")),
        exchange("encoded").headers(&block("=?utf-8?Q?Adams,_Ann?= <ann@x.example>")),
        exchange("bytes").prop(
            tags::TRANSPORT_MESSAGE_HEADERS,
            block("Ann Adams <ann@x.example>").as_bytes(),
        ),
        exchange("two").headers(&block("Adams, Ann <ann@x.example> or Bob <bob@x.example>")),
    ];
    let exported = Exported::of(messages, &[]);
    for subject in ["comma", "encoded", "bytes"] {
        let found = python(&exported.path(subject), adams);
        assert_eq!(
            found,
            serde_json::json!([["Ann Adams", "ann@x.example"]]),
            "{subject}"
        );
        let received = python(&exported.path(subject), "m['Received'].split(';')[0]");
        assert_eq!(received, serde_json::json!("from a by b"), "{subject}");
    }
    // Which of two it is nobody knows.
    assert!(exported.eml("two").contains("IMCEAEX-"));
}
