//! A small friendly store with one of everything: for the demo and for a first look.
use super::format::{Crypt, Format};
use super::message::*;
use super::plan::Folders;
use super::store::Store;
use super::value::Payload;

/// A PNG of one red pixel.
pub const PIXEL: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0x0D, b'I', b'H', b'D', b'R', 0, 0, 0,
    1, 0, 0, 0, 1, 8, 2, 0, 0, 0, 0x90, 0x77, 0x53, 0xDE, 0, 0, 0, 0x0C, b'I', b'D', b'A', b'T', 8,
    0xD7, 0x63, 0xF8, 0xCF, 0xC0, 0, 0, 3, 1, 1, 0, 0x18, 0xDD, 0x8D, 0xB0, 0, 0, 0, 0, b'I', b'E',
    b'N', b'D', 0xAE, 0x42, 0x60, 0x82,
];

const ANN: (&str, &str) = ("Ann Adams", "ann@north.example");
const BOB: (&str, &str) = ("Bob Müller", "bob@north.example");
const EVA: (&str, &str) = ("Eva Ivanova", "eva@south.example");

/// The sample in any format.
pub fn sample(format: Format, crypt: Crypt) -> Store {
    let mut store = Store::new(format, crypt);
    let top = store.ipm_subtree();
    let inbox = store.folder(top, "Inbox");
    let projects = store.folder(inbox, "Projects");
    let sent = store.folder(top, "Sent Items");
    mails(&mut store, inbox, projects, sent);
    let calendar = store.folder_of(top, "Calendar", "IPF.Appointment");
    let contacts = store.folder_of(top, "Contacts", "IPF.Contact");
    let tasks = store.folder_of(top, "Tasks", "IPF.Task");
    let notes = store.folder_of(top, "Notes", "IPF.StickyNote");
    let journal = store.folder_of(top, "Journal", "IPF.Journal");
    let day = |d, h| filetime(2024, 6, d, h, 0);
    store.message(
        calendar,
        Message::appointment("Team lunch", day(3, 10), day(3, 11), "Café Zürich"),
    );
    store.message(
        calendar,
        Message::appointment("Quarterly review", day(12, 8), day(12, 10), "Room 4"),
    );
    for (given, surname, address) in [
        ("Jane", "Doe", "jane@west.example"),
        ("Kenji", "Tanaka", "kenji@east.example"),
    ] {
        store.message(contacts, Message::contact(given, surname, address));
    }
    store.message(contacts, Message::distribution_list("Board", &[ANN, BOB]));
    store.message(
        tasks,
        Message::task("File the tax form", day(1, 0), day(30, 0), 0.25),
    );
    store.message(
        notes,
        Message::sticky_note("Door code 4711\r\nAsk Bob for the key"),
    );
    store.message(
        journal,
        Message::journal("Call with Eva", "Phone call", day(4, 9), 30),
    );
    store
}

fn mails(store: &mut Store, inbox: u32, projects: u32, sent: u32) {
    let mail = |subject: &str, from: (&str, &str), to: (&str, &str)| {
        Message::mail(subject).from(from.0, from.1).to(to.0, to.1)
    };
    let numbers = store.message(
        inbox,
        mail("Quarterly numbers", EVA, ANN)
            .time(filetime(2024, 5, 1, 9, 32))
            .cc(BOB.0, BOB.1)
            .message_id("<numbers@south.example>")
            .body("Hello Ann,\r\n\r\nthe numbers are attached.\r\n\r\nEva\r\n")
            .attachment("report.xlsx", Payload::random(48_000, 1))
            .attachment("notes.txt", "Revenue up, costs down.\r\n"),
    );
    store.message(
        inbox,
        mail("FW: Budget", BOB, ANN)
            .time(filetime(2024, 5, 2, 14, 5))
            .body("See below.\r\n")
            .embed(
                mail("Budget", EVA, BOB)
                    .time(filetime(2024, 4, 30, 7, 1))
                    .body("We have 10,000 left.\r\n")
                    .attachment("budget.csv", "item,sum\r\nchairs,10000\r\n"),
            ),
    );
    store.message(
        inbox,
        mail("Grüße aus Köln: naïve café", BOB, ANN)
            .time(filetime(2024, 5, 3, 6, 0))
            .html(
                "<html><head><meta charset=\"utf-8\"></head><body><p>Schöne Grüße!</p>\
                 <img src=\"cid:pixel@north.example\"></body></html>",
            )
            .attach(
                Attachment::data("pixel.png", PIXEL)
                    .mime("image/png")
                    .content_id("pixel@north.example"),
            ),
    );
    store.message(
        projects,
        mail("会議の資料 / план встречи", EVA, ANN)
            .time(filetime(2024, 5, 6, 3, 15))
            .unread()
            .body("Ждём вас. よろしくお願いします。\r\n"),
    );
    store.message(
        projects,
        mail("Rich text", BOB, ANN)
            .time(filetime(2024, 5, 7, 16, 45))
            .rtf("{\\rtf1\\ansi\\ansicpg1252\\deff0 {\\b Bold} and plain.\\par}"),
    );
    store.message(
        sent,
        mail("RE: Quarterly numbers", ANN, EVA)
            .time(filetime(2024, 5, 1, 10, 2))
            .message_id("<re-numbers@north.example>")
            .in_reply_to("<numbers@south.example>")
            .body("Thank you!\r\n"),
    );
    store.message(
        inbox,
        Message::new("IPM.Configuration.Sample", "hidden settings").associated(),
    );
    store.search_folder("Unread or flagged", &[numbers]);
}
