//! The text of messages that are attached as files (`.eml`), and of the entities of signed mail: header, text, and what is text of
//! what is attached. Messages within are parsed as far as the parser goes, which has a limit.
#![forbid(unsafe_code)]

use mail_parser::{Address, Message, MessageParser, MimeHeaders, PartType};

use super::means::Means;
use super::pdf;
use super::reason::{MAX_TEXT, Reason, has_no_words};
use crate::convert::text::html;

/// Messages within each other that are looked into.
const MAX_LEVEL: usize = 8;

/// The text of the message that `bytes` are; parts that nobody here can read are told by `means`.
pub(super) fn text(bytes: &[u8], means: Means<'_>) -> Result<String, Reason> {
    let message = MessageParser::default().parse(bytes);
    let message = message.ok_or(Reason::Malformed)?;
    let mut text = String::new();
    let mut todo = vec![(&message, 0)];
    while let Some((message, level)) = todo.pop() {
        header(message, &mut text);
        for part in &message.parts {
            let name = part.attachment_name();
            text.extend(name.into_iter().flat_map(|name| [name, "\n"]));
            match &part.body {
                PartType::Text(own) => text.extend([own, "\n"]),
                PartType::Html(own) => text.extend([&html::to_text(own), "\n"]),
                PartType::Message(_) if level == MAX_LEVEL => means.unseen.add(Reason::Many),
                PartType::Message(inner) => todo.push((inner, level + 1)),
                PartType::Binary(own) | PartType::InlineBinary(own)
                    if own.starts_with(pdf::START) =>
                {
                    match pdf::text_by(means.pdf, own) {
                        Ok(own) => text.extend([&own, "\n"]),
                        Err(reason) => means.unseen.add(reason),
                    }
                }
                PartType::Binary(_) | PartType::InlineBinary(_) => {
                    let of = part.content_type();
                    let media_type = of.map_or_else(String::new, |of| {
                        let subtype = of.subtype().unwrap_or_default();
                        format!("{}/{subtype}", of.ctype()).to_ascii_lowercase()
                    });
                    if !has_no_words(&media_type) {
                        means.unseen.add(Reason::of_type(&media_type));
                    }
                }
                PartType::Multipart(_) => {}
            }
            if text.len() > MAX_TEXT {
                return Err(Reason::Large);
            }
        }
    }
    Ok(text)
}

/// Adds what people see of the header of `message`.
fn header(message: &Message<'_>, text: &mut String) {
    text.extend(message.subject().into_iter().flat_map(|line| [line, "\n"]));
    let people = [message.from(), message.to(), message.cc(), message.bcc()];
    for person in people.into_iter().flatten().flat_map(Address::iter) {
        let words = [person.name(), person.address()].into_iter().flatten();
        text.extend(words.flat_map(|word| [word, " "]));
        text.push('\n');
    }
}
