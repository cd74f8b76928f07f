//! A store whose structures all need many blocks.
use super::format::Format;
use super::message::Message;
use super::ndb::Options;
use super::plan::Folders;
use super::store::Store;
use super::value::Payload;

/// More than one SLBLOCK holds.
pub fn attachment_count(format: Format) -> usize {
    if format == Format::Ost4k {
        3_000
    } else {
        1_000
    }
}

/// Structures that need many blocks: SIBLOCK, XXBLOCK, long heaps, long row matrices, BTHs and B-trees of several levels.
pub fn wide_and_long(options: Options) -> Store {
    let mut store = Store::with(Options {
        fanout: Some(4),
        ..options
    });
    let top = store.ipm_subtree();
    let inbox = store.folder(top, "Inbox");
    for i in 0..1_000 {
        store.message(
            inbox,
            Message::mail(&format!("Message {i:04}")).body("text"),
        );
    }
    let wide = store.folder(top, "Wide");
    for i in 0..300 {
        store.folder(wide, format!("Folder {i:03}"));
    }
    let attachments = attachment_count(store.plan().options.format);
    let mut many = Message::mail("Many attachments");
    for i in 0..attachments {
        many = many.attachment(
            &format!("file{i:04}.txt"),
            format!("content of {i}").as_str(),
        );
    }
    store.message(wide, many);
    let mut crowd = Message::mail("Many recipients");
    for i in 0..500 {
        crowd = crowd.cc(&format!("Person {i}"), &format!("person{i}@crowd.example"));
    }
    store.message(wide, crowd);
    store.message(
        wide,
        Message::mail("Long attachment").attachment("long.bin", Payload::random(17_000_000, 5)),
    );
    store
}
