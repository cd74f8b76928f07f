//! Lists of subnodes that no message refers to: what is in them is shown in `lost+found`.

use crate::intact::{Intact, fill_inbox, for_each_format, message, options};
use crate::support::*;
use crate::walk::{Walked, everything, open};

/// Files of `walked` beneath `lost+found` that are as long as `content` and equal to it.
fn lost_files<'a>(walked: &'a Walked, content: &[u8]) -> Vec<&'a str> {
    let lost = walked
        .files
        .iter()
        .filter(|(path, _)| path.contains("lost+found"));
    let same = lost.filter(|(_, bytes)| bytes.as_slice() == content);
    same.map(|(path, _)| path.as_str()).collect()
}

#[test]
fn what_no_message_refers_to_is_in_lost_and_found_under_the_name_that_it_still_has() {
    const LONG_TEXT: &str = "a text that fills a subnode of its own\r\n";
    let with_text = |number: u32| {
        let text = format!("{number}: {}", LONG_TEXT.repeat(200));
        Message::mail(&format!("Message {number}"))
            .time(filetime(2024, 5, 1, 9, i64::from(number)))
            .body(&text)
    };
    let file = |format, crypt| {
        Intact::write(options(format, crypt), |store| {
            let messages = (0..20).map(|number| match number {
                12 => with_text(number),
                _ => message(number),
            });
            fill_inbox(store, messages)
        })
    };
    for_each_format(file, |file| {
        let damage = file.damage();
        let content = |number: u32| {
            let path = format!("Message {number}.attachments/data.bin");
            let found = file.whole.iter().find(|(name, _)| name.ends_with(&path));
            found.expect("it was whole").1.clone()
        };
        let lose_message = |number: usize| {
            let node = file.layout.node(file.messages[number]);
            damage.drop_node(file.messages[number]);
            damage.zero_block(node.data);
            damage.drop_block(node.data);
            node.sub
        };
        // Of one message the list is left, of one that of its attachment, of one that of its text.
        lose_message(4);
        let list = lose_message(8);
        for attachment in damage
            .subnodes(list)
            .iter()
            .filter(|part| part.nid & 31 == 5)
        {
            damage.zero_block(attachment.data);
            damage.drop_block(attachment.data);
        }
        damage.zero_block(list);
        damage.drop_block(list);
        lose_message(12);
        // Such is looked for where a list is lost that something refers to.
        damage.garble_block(file.layout.node(file.messages[16]).sub);
        let walked = everything(&open(&file.path).unwrap());
        let named = lost_files(&walked, &content(4));
        assert!(
            named.len() == 1 && named[0].ends_with("/data.bin"),
            "{named:?}"
        );
        let unnamed = lost_files(&walked, &content(8));
        assert!(
            unnamed.len() == 1 && unnamed[0].contains(".attachments/"),
            "{unnamed:?}"
        );
        let mut texts = walked.files.iter().filter(|(path, bytes)| {
            let text = String::from_utf8_lossy(bytes);
            path.contains("lost+found")
                && path.ends_with(".eml")
                && text.contains(LONG_TEXT.trim_end())
        });
        let (path, text) = texts.next().expect("the text is shown");
        assert!(texts.next().is_none());
        let text = String::from_utf8_lossy(text);
        assert_eq!(
            text.matches(LONG_TEXT.trim_end()).count(),
            200,
            "{path}: {text}"
        );
        assert!(text.contains("12: a text"), "{path}");
        assert!(!text.contains("attachment"), "{path}: {text}");
    });
}
