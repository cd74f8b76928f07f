//! Attachments of messages whose lists of subnodes are lost, where not all of them are there, or more: that costs no other one.

use crate::intact::{Intact, fill_inbox, for_each_format, message, options};
use crate::support::*;

/// Messages, each with an attachment of a size of its own.
fn file(format: Format, crypt: Crypt) -> Intact {
    let message = |number: u32| {
        Message::mail(&format!("Message {number}"))
            .from("Ann Adams", "ann@north.example")
            .to("Bob", "bob@north.example")
            .time(filetime(2024, 5, 1, 9, i64::from(number)))
            .body(&format!("Text {number}\r\n"))
            .attachment(
                "data.bin",
                Payload::random(9_000 + 10 * u64::from(number), number.into()),
            )
    };
    Intact::write(options(format, crypt), |store| {
        fill_inbox(store, (0..20).map(message))
    })
}

#[test]
fn an_attachment_is_known_by_the_size_in_its_table() {
    // Of neighbours: neither is known by what lies before and behind it.
    let (lost, kept) = (4, 5);
    for_each_format(file, |file| {
        let damage = file.damage();
        let list = |number: usize| file.layout.node(file.messages[number]).sub;
        let parts = damage.subnodes(list(lost));
        let attachment = parts.iter().find(|part| part.nid & 31 == 5).unwrap();
        damage.garble_block(attachment.data);
        damage.garble_block(list(lost));
        damage.garble_block(list(kept));
        let (walked, problems) = file.walked();
        let end = format!(" Message {kept}.attachments/data.bin");
        let mut whole = file.whole.iter();
        let (path, bytes) = whole.find(|(path, _)| path.ends_with(&end)).unwrap();
        assert!(walked.files.get(path) == Some(bytes), "{problems}");
    });
}

/// Messages whose attachments all have the same size and ids of their own.
fn alike(format: Format, crypt: Crypt) -> Intact {
    let counted = Options {
        counts_attachments: true,
        ..options(format, crypt)
    };
    Intact::write(counted, |store| fill_inbox(store, (0..20).map(message)))
}

#[test]
fn an_attachment_is_known_by_those_of_the_messages_before_and_behind() {
    // Of one message nothing but its attachment is left, which may be that of any other by what it is.
    let (lost, gone) = ([4, 8], 12);
    for_each_format(alike, |file| {
        let damage = file.damage();
        let node = |number: usize| file.layout.node(file.messages[number]);
        for number in lost {
            damage.garble_block(node(number).sub);
        }
        damage.drop_node(file.messages[gone]);
        for block in [node(gone).data, node(gone).sub] {
            damage.zero_block(block);
            damage.drop_block(block);
        }
        let (walked, problems) = file.walked();
        for number in lost {
            let end = format!(" Message {number}.attachments/data.bin");
            let mut whole = file.whole.iter();
            let (path, bytes) = whole.find(|(path, _)| path.ends_with(&end)).unwrap();
            let what = format!("{:?}: {path}: {problems}", file.layout.options.format);
            assert!(walked.files.get(path) == Some(bytes), "{what}");
        }
    });
}
