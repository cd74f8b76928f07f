//! What items say of themselves in properties that few writers use, in the words of headers, of cards and of people.

use crate::mail_kinds::{Exported, python};
use crate::stored_otherwise::{folder, folder_of, has_lines, mail, read, with_user_fields};
use crate::support::*;

/// Forms have fields of their own in mail, too.
#[test]
fn fields_of_the_user_are_told_in_mail() {
    let message = with_user_fields(mail("form"));
    let exported = Exported::of([message, mail("plain")], &["-o", "text"]);
    let expected = [
        "Number: 42",
        "Factor: 1.5",
        "Fee: 12.34",
        "Paid: yes",
        "Since: 2024-01-02T03:04:00Z",
        "Colours: red, blue",
        "Words: some",
    ];
    let found = python(&exported.path("form"), "sorted(m.get_all('X-Ostfs-Field'))");
    let mut sorted = expected;
    sorted.sort_unstable();
    assert_eq!(found, serde_json::json!(sorted));
    let text = read(exported.path("form").with_extension("txt"));
    has_lines(
        &text,
        &expected
            .map(|field| format!("X-Ostfs-Field: {field}"))
            .each_ref()
            .map(String::as_str),
    );
    assert!(!exported.eml("plain").contains("X-Ostfs-Field"));
}

/// PS_INTERNET_HEADERS: any field of a header by its name, of any type.
#[test]
fn fields_of_a_header_that_are_properties_are_told_whatever_their_type() {
    let message = [
        (
            "x-list",
            Value::MvStr(vec!["one".into(), "two, three".into()]),
        ),
        ("X-Count", Value::I32(7)),
        ("X-Encoded", "=?utf-8?q?K=C3=B6ln?=".into()),
        ("X-Empty", "".into()),
        ("no field", "lost".into()),
    ]
    .into_iter()
    .fold(mail("fields"), |message, (name, value)| {
        message.named_text(PS_INTERNET_HEADERS, name, value)
    });
    let exported = Exported::of([message], &[]);
    let names = "['x-list', 'X-Count', 'X-Encoded', 'X-Empty', 'no field']";
    let found = python(
        &exported.path("fields"),
        &format!("[m[name] for name in {names}]"),
    );
    assert_eq!(
        found,
        serde_json::json!(["one, two, three", "7", "Köln", null, null])
    );
}

#[test]
fn ids_of_other_messages_need_no_brackets() {
    let bare = mail("bare")
        .prop(tags::IN_REPLY_TO_ID, "one@x.example")
        .prop(tags::INTERNET_REFERENCES, "one@x.example two@x.example");
    let words = mail("words").prop(tags::IN_REPLY_TO_ID, "Your message of Monday");
    let exported = Exported::of([bare, words], &[]);
    has_lines(
        &exported.eml("bare"),
        &[
            "In-Reply-To: <one@x.example>",
            "References: <one@x.example> <two@x.example>",
        ],
    );
    assert!(!exported.eml("words").contains("In-Reply-To"));
}

/// [MS-OXCMAIL] 2.1.3.2: what other writers put into the header, Outlook has in properties alone.
#[test]
fn what_a_message_says_of_itself_is_in_its_header() {
    let message = mail("all")
        .prop(
            tags::EXPIRY_TIME,
            Value::Time(filetime(2024, 12, 31, 12, 0)),
        )
        .prop(
            tags::DEFERRED_DELIVERY_TIME,
            Value::Time(filetime(2024, 12, 30, 12, 0)),
        )
        .prop(tags::LIST_HELP, "<https://list.example/help>")
        .prop(tags::LIST_SUBSCRIBE, "<mailto:join@list.example>")
        .prop(tags::LIST_UNSUBSCRIBE, "<mailto:leave@list.example>")
        .prop(tags::AUTO_RESPONSE_SUPPRESS, 0x11)
        .named(PSETID_COMMON, 0x85B5, true)
        .named(PSETID_COMMON, 0x85B6, "Confidential")
        .named(PSETID_COMMON, 0x85B7, "For the company alone")
        .named(PSETID_COMMON, 0x85B8, "1f4c0b4c-0000");
    let stated = mail("stated")
        .prop(tags::AUTO_RESPONSE_SUPPRESS, -1)
        .prop(tags::LIST_UNSUBSCRIBE, "<mailto:other@list.example>")
        .headers("From: a@x.example\r\nList-Unsubscribe: <mailto:own@list.example>\r\n");
    let exported = Exported::of([message, stated], &["-o", "text"]);
    has_lines(
        &exported.eml("all"),
        &[
            "Expires: Tue, 31 Dec 2024 12:00:00 +0000",
            "Deferred-Delivery: Mon, 30 Dec 2024 12:00:00 +0000",
            "List-Help: <https://list.example/help>",
            "List-Subscribe: <mailto:join@list.example>",
            "List-Unsubscribe: <mailto:leave@list.example>",
            "X-Auto-Response-Suppress: DR, OOF",
            "X-Microsoft-Classified: true",
            "X-Microsoft-Classification: Confidential",
            "X-Microsoft-ClassDesc: For the company alone",
            "X-Microsoft-ClassID: 1f4c0b4c-0000",
        ],
    );
    let text = read(exported.path("all").with_extension("txt"));
    has_lines(
        &text,
        &[
            "Expires: Tue, 31 Dec 2024 12:00:00 +0000",
            "X-Microsoft-Classification: Confidential",
        ],
    );
    let stated = exported.eml("stated");
    has_lines(
        &stated,
        &[
            "List-Unsubscribe: <mailto:own@list.example>",
            "X-Auto-Response-Suppress: All",
        ],
    );
    assert!(!stated.contains("other@list.example"));
}

#[test]
fn a_category_with_a_comma_is_one() {
    let keywords = vec!["Red; one".into(), "Blue, \"two\"".into()];
    let message = mail("two").named_text(PS_PUBLIC_STRINGS, "Keywords", Value::MvStr(keywords));
    let exported = Exported::of([message], &[]);
    let script = "(m['Keywords'], [g for g in __import__('csv').reader([m['Keywords']], skipinitialspace=True, escapechar='\\\\')][0])[1]";
    let found = python(&exported.path("two"), script);
    assert_eq!(found, serde_json::json!(["Red; one", "Blue, \"two\""]));
}

/// What is days, words and parts of a whole in Outlook is so in the text of an item.
#[test]
fn the_text_of_contacts_and_tasks_is_in_the_words_of_people() {
    let contact = |name: &str, born: u64| {
        Message::new("IPM.Contact", name)
            .prop(tags::DISPLAY_NAME, name)
            .prop(tags::BIRTHDAY, Value::Time(born))
            .named(PSETID_ADDRESS, 0x8082, "EX")
            .named(PSETID_ADDRESS, 0x8083, "/o=Org/cn=eva")
            .named(PSETID_ADDRESS, 0x8084, "eva@x.example")
            .named(PSETID_COMMON, 0x8535, "Cost centre 7")
            .named(PSETID_COMMON, 0x8534, "12 km")
            .named(
                PSETID_COMMON,
                0x853A,
                Value::MvStr(vec!["Ann".into(), "Bob".into()]),
            )
    };
    let contacts = vec![
        contact("Eva", filetime(1980, 2, 29, 11, 59)),
        contact("Ida", filetime(1604, 3, 1, 0, 0)),
    ];
    let (_target, contacts) = folder_of("Contacts", "IPF.Contact", contacts, &["-o", "text"]);
    let card = read(contacts.join("Eva.vcf"));
    has_lines(
        &card,
        &[
            "X-OSTFS-CONTACT:Ann",
            "X-OSTFS-CONTACT:Bob",
            "X-OSTFS-BILLING:Cost centre 7",
            "X-OSTFS-MILEAGE:12 km",
        ],
    );
    let text = read(contacts.join("Eva.txt"));
    has_lines(
        &text,
        &["E-mail: eva@x.example", "Birthday: Fri, 29 Feb 1980"],
    );
    has_lines(&read(contacts.join("Ida.txt")), &["Birthday: 01 Mar"]);
    let (start, due) = (filetime(2024, 6, 3, 0, 0), filetime(2024, 6, 5, 0, 0));
    let tasks = vec![Message::task("Pay", start, due, 0.25)];
    let (_target, tasks) = folder_of("Tasks", "IPF.Task", tasks, &["-o", "text"]);
    has_lines(
        &read(tasks.join("2024-05-01 0932 Pay.txt")),
        &[
            "Start: Mon, 03 Jun 2024",
            "Due: Wed, 05 Jun 2024",
            "Status: in progress",
            "Done: 25 %",
        ],
    );
}

#[test]
fn an_appointment_keeps_all_its_links_and_an_end_before_its_start() {
    let (start, end) = (filetime(2024, 6, 3, 10, 0), filetime(2024, 6, 3, 9, 0));
    let links = Message::appointment("Links", start, start, "")
        .named(PSETID_APPOINTMENT, 0x8209, "https://work.example/site")
        .named(PSETID_APPOINTMENT, 0x8248, "https://net.example/show")
        .named_text(
            PS_PUBLIC_STRINGS,
            "OnlineMeetingExternalLink",
            "https://meet.example/1",
        );
    let turned = Message::appointment("Turned", start, end, "");
    let items = vec![links, turned];
    let (_target, folder) = folder("Calendar", "IPF.Appointment", items);
    let links = read(folder.join("2024-06-03 1000 Links.ics"));
    has_lines(
        &links,
        &[
            "URL:https://meet.example/1",
            "X-OSTFS-LINK:https://net.example/show",
            "X-OSTFS-LINK:https://work.example/site",
        ],
    );
    let turned = read(folder.join("2024-06-03 1000 Turned.ics"));
    let lines = [
        "DTSTART:20240603T100000Z",
        "DTEND:20240603T100000Z",
        "X-OSTFS-DTEND:20240603T090000Z",
    ];
    has_lines(&turned, &lines);
    assert!(!links.contains("X-OSTFS-DTEND"));
}
