//! Chats of Teams and Skype: what a message states about its conversation, and how it stands in the file of all of it.
//!
//! Nobody has published a sample. The names of the properties are those that Microsoft's own scripts and tools for
//! discovery use; what a message lacks of them, its sender, recipients and time stand in for.
#![forbid(unsafe_code)]

use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use super::people::{Mailbox, Person, REPRESENTING, SENDER};
use super::reactions::reactions;
use super::reader::told;
use super::room::with_room;
use super::shown;
use super::text::{clean, normalise};
use super::{attachment, body};
use crate::clock;
use crate::ltp::{FileTime, tags};
use crate::messaging::{Attachment, Message, PropertyName, PropertySet};

/// Characters of a name, topic or id that are kept.
const MAX_WORD: usize = 200;
/// People of one message that are taken, and attachments and other facts that are told.
const MAX_PEOPLE: usize = 100;
const MAX_LINES: usize = 100;
/// Characters of one fact that is told.
const MAX_FACT: usize = 1000;
/// When a message was written, for strftime(3).
const TIME: &str = "%Y-%m-%d %H:%M:%S %z";
const NO_TIME: &str = "at an unknown time";
const NO_SENDER: &str = "(unknown)";
/// What stands in front of all properties of a chat.
const PREFIX: &str = "IOpenTypedFacet.SkypeSpaces_ConversationPost_Extension#";
const THREAD: &str = "ThreadId";
const PARENT: &str = "ParentMessageId";
const ID: &str = "SkypeItemId";
const TOPIC: &str = "Topic";
const TEAM: &str = "TeamName";
const CREATED: &str = "CreatedDateTime";
const SENDER_ID: &str = "FromSkypeInternalId";
const MESSAGE_TYPE: &str = "MessageType";
/// What of these is told elsewhere, or means nothing to people.
const KNOWN: [&str; 12] = [
    THREAD,
    PARENT,
    ID,
    TOPIC,
    TEAM,
    CREATED,
    SENDER_ID,
    MESSAGE_TYPE,
    "ThreadType",
    "SenderTenantId",
    "RecipientsPreview",
    "HasCardAttachments",
];
/// Types of messages that are nothing but text.
const TEXT_TYPES: [&str; 3] = ["Text", "RichText", "RichText/Html"];

/// What a message states about the conversation that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Equal for all messages of one conversation, and for no others: the hash of its id, else of topic and people.
    pub thread: [u8; 32],
    /// What the conversation is about: team and channel, or its topic.
    pub topic: Option<String>,
    /// When it was written.
    pub time: Option<FileTime>,
    /// Its id within the conversation.
    pub id: Option<String>,
    /// The message that it answers; its own if it answers none.
    pub parent: Option<String>,
    /// Who wrote it.
    pub from: String,
    /// Who wrote it and who got it, each by name, else by address.
    pub people: Vec<String>,
}

fn cut(text: &str, length: usize) -> String {
    clean(text).chars().take(length).collect()
}

/// The id of the property of chats `name`, if `message` has it.
fn own(message: &Message, name: &str) -> Option<u16> {
    message.named_string(PropertySet::TEAMS, &format!("{PREFIX}{name}"))
}

/// The text of property `id`, if there is any.
fn string(message: &Message, id: u16) -> Option<String> {
    let text = message.properties().start_of_string(id).ok()??;
    Some(cut(&text, MAX_WORD)).filter(|text| !text.is_empty())
}

fn own_string(message: &Message, name: &str) -> Option<String> {
    string(message, own(message, name)?)
}

/// The id of the conversation, as it is stored.
fn stored_thread(message: &Message) -> Option<String> {
    let thread = message.properties().start_of_string(own(message, THREAD)?);
    thread.ok()?
}

/// The name of somebody, else the address, as far as the message itself tells.
fn word(mailbox: &Mailbox) -> Option<String> {
    let address = mailbox.is_real().then_some(mailbox.address.as_str());
    let name = Some(mailbox.name.as_str()).filter(|name| !name.is_empty());
    name.or(address).map(|word| cut(word, MAX_WORD))
}

impl Post {
    /// What `message` states; reads no body.
    pub fn of(message: &Message) -> Self {
        let properties = message.properties();
        let sender = [&REPRESENTING, &SENDER].into_iter().find_map(|role| {
            let mailbox = Person::of_role(properties, role).mailbox(|| None)?;
            word(&mailbox)
        });
        let from = sender
            .or_else(|| own_string(message, SENDER_ID))
            .unwrap_or_else(|| NO_SENDER.to_owned());
        let mut people = vec![from.clone()];
        let recipients = message.recipients();
        people.extend(recipients.iter().take(MAX_PEOPLE).filter_map(|recipient| {
            let person = Person::of_recipient(recipient, properties.code_page());
            word(&person.mailbox(|| None)?)
        }));
        people.sort_unstable();
        people.dedup();
        let topic = [TEAM, TOPIC]
            .map(|name| own_string(message, name))
            .into_iter()
            .flatten()
            .reduce(|team, topic| format!("{team}, {topic}"));
        let own_time = || properties.time(own(message, CREATED)?).ok()?;
        let (thread, topic) = match stored_thread(message) {
            Some(thread) => (format!("thread {thread}"), topic),
            None => {
                let topic = topic.or_else(|| string(message, tags::CONVERSATION_TOPIC));
                let words = topic.as_deref().unwrap_or_default();
                (format!("topic {words}\n{}", people.join("\n")), topic)
            }
        };
        Self {
            thread: Sha256::digest(thread).into(),
            topic,
            time: own_time().or_else(|| message.time()),
            id: own_string(message, ID),
            parent: own_string(message, PARENT),
            from,
            people,
        }
    }

    /// When it was written, in `zone`.
    pub fn time_in(&self, zone: &TimeZone) -> String {
        let time = self
            .time
            .and_then(|time| clock::in_zone(time.unix_seconds(), zone));
        let text = time.and_then(|time| time.to_string(TIME).ok());
        text.unwrap_or_else(|| NO_TIME.to_owned())
    }
}

/// What stands above all messages of a conversation: what it is, who took part, how many messages there are.
pub(super) fn head(title: &str, people: &[String], count: usize) -> String {
    let mut head = format!("{title}\nParticipants: ");
    head.push_str(&people.join(", "));
    head.push_str(&format!("\nMessages: {count}\n"));
    head
}

/// How `message` stands in the file of its conversation; `answers` tells what it answers.
pub(super) fn text(message: &Message, zone: &TimeZone, answers: Option<&str>) -> String {
    with_room(message, |message, room| {
        room.take(message);
        let post = Post::of(message);
        let mut text = format!("\n{}  {}", post.time_in(zone), post.from);
        if let Some(answers) = answers {
            text.push_str(&format!(", in reply to {answers}"));
        }
        text.push('\n');
        let body = normalise(body::best(message).text.unwrap_or_default());
        for line in body.trim_end().lines() {
            let line = format!("    {line}");
            text.push_str(line.trim_end());
            text.push('\n');
        }
        let mut lines = facts(message);
        lines.extend(attachments(message));
        message.note_circumstances();
        lines.extend(
            told(message.problems())
                .into_iter()
                .map(|problem| format!("Problem: {}", clean(&problem))),
        );
        for line in lines {
            text.push_str(&format!("    [{line}]\n"));
        }
        text
    })
}

/// What a message states beside its text, such as reactions, whatever it is called.
fn facts(message: &Message) -> Vec<String> {
    let kind = own_string(message, MESSAGE_TYPE);
    let kind = kind.filter(|kind| !TEXT_TYPES.contains(&kind.as_str()));
    let mut facts: Vec<String> = kind
        .map(|kind| format!("Type: {kind}"))
        .into_iter()
        .collect();
    let names = message.store().named_properties();
    let others = message.properties().ids().filter_map(|id| {
        let (PropertySet::TEAMS, PropertyName::String(name)) = names.name(id)? else {
            return None;
        };
        let name = name.strip_prefix(PREFIX).unwrap_or(name);
        let is_known = KNOWN.contains(&name);
        let value = (!is_known).then(|| fact(message, id))??;
        Some(format!("{}: {value}", cut(name, MAX_WORD)))
    });
    facts.extend(others.take(MAX_LINES));
    let reactions = reactions(message).into_iter().take(MAX_LINES);
    facts.extend(reactions.map(|reaction| format!("Reaction: {}", cut(&reaction, MAX_FACT))));
    facts
}

/// The value of property `id`, if it is one that people read; such as is bytes may be text (JSON).
fn fact(message: &Message, id: u16) -> Option<String> {
    let properties = message.properties();
    let text = shown::property(properties, id).or_else(|| {
        let text = String::from_utf8(properties.binary(id).ok()??).ok()?;
        let is_text = |character: char| !character.is_control() || character.is_whitespace();
        text.chars().all(is_text).then_some(text)
    });
    Some(cut(&text?, MAX_FACT)).filter(|text| !text.is_empty())
}

/// What is attached: mostly links to files in a cloud.
fn attachments(message: &Message) -> Vec<String> {
    let attached = |attachment: &Attachment| {
        let properties = attachment.properties().ok()?;
        let first = |ids: &[u16]| {
            let mut found = ids
                .iter()
                .filter_map(|id| properties.start_of_string(*id).ok()?);
            found.next().map(|text| clean(&text).into_owned())
        };
        let name = first(&[
            tags::ATTACH_LONG_FILENAME,
            tags::ATTACH_FILENAME,
            tags::DISPLAY_NAME,
        ]);
        let target = attachment::target(attachment, &properties);
        let target = target.map(|target| cut(&target, MAX_FACT));
        match (name, target) {
            (Some(name), Some(target)) => Some(format!("Attachment: {name} <{target}>")),
            (Some(one), None) | (None, Some(one)) => Some(format!("Attachment: {one}")),
            (None, None) => Some("Attachment without a name".to_owned()),
        }
    };
    let attachments = message.attachments();
    attachments
        .iter()
        .take(MAX_LINES)
        .filter_map(attached)
        .collect()
}
