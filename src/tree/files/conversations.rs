//! Conversations as files: all messages of a chat in the order of time, as text. Only lengths are kept, and the text is made
//! anew as it is read.

use std::sync::Arc;

use super::file::{File, FileOf};
use crate::convert::{Made, Rendition, Segments, copy_made};
use crate::error::{Error, Result};
use crate::ndb::NodeId;
use crate::ndb::kept::{Lru, Map};
use crate::tree::attr::Times;
use crate::tree::context::Context;
use crate::tree::conversations::{Conversations, Spoken};
use crate::tree::messages::Messages;

/// How many times the bytes of the file a conversation may become, and what is always enough: all nodes of a small file may
/// share the data of one large message.
const MOST_TIMES: u64 = 16;
const LEAST: u64 = 16 << 20;

/// The files of all conversations of one tree.
#[derive(Debug)]
pub(in crate::tree) struct ConversationFiles {
    conversations: Arc<Conversations>,
    texts: Arc<Texts>,
    files: Map<NodeId, Arc<File>>,
}

/// The messages of conversations as text.
#[derive(Debug)]
struct Texts {
    context: Arc<Context>,
    messages: Arc<Messages>,
    texts: Lru<NodeId, Arc<str>>,
}

/// The messages of one conversation, made anew when they are read.
#[derive(Debug)]
struct Spoke {
    texts: Arc<Texts>,
    people: Vec<String>,
    messages: Segments<Spoken>,
}

impl ConversationFiles {
    /// The files of `conversations`. Nothing is made yet.
    pub fn new(
        context: Arc<Context>,
        messages: Arc<Messages>,
        conversations: Arc<Conversations>,
    ) -> Self {
        Self {
            conversations,
            texts: Arc::new(Texts {
                texts: Lru::new(context.options.share(1) / 2, 1),
                context,
                messages,
            }),
            files: Map::default(),
        }
    }

    /// The file of the conversation whose lowest message is `first`.
    pub fn file(&self, first: NodeId) -> ConversationFile<'_> {
        ConversationFile { files: self, first }
    }

    fn make(&self, first: NodeId) -> Result<File> {
        let conversation = self.conversations.of_message(first)?;
        let context = &self.texts.context;
        let count = conversation.messages.len();
        let head =
            context
                .converter
                .conversation_head(&conversation.title, &conversation.people, count);
        let mut left = LEAST + MOST_TIMES.saturating_mul(context.store.ndb().most_data());
        let mut messages = Segments::default();
        let mut tail = String::new();
        for (index, spoken) in conversation.messages.into_iter().enumerate() {
            let text = self.texts.get(spoken, &conversation.people)?;
            let length = text.len() as u64;
            let Some(rest) = left.checked_sub(length) else {
                let more = count - index;
                tail = format!(
                    "\n[{more} more messages, which would be more text than the file can hold]\n"
                );
                break;
            };
            left = rest;
            messages.push(spoken, length);
        }
        let texts = Arc::clone(&self.texts);
        let people = conversation.people;
        let mtime = conversation
            .newest
            .map_or(context.source_time, |time| time.system_time());
        Ok(File {
            rendition: Rendition::of_made(
                &head,
                Box::new(Spoke {
                    texts,
                    people,
                    messages,
                }),
                &tail,
            ),
            times: Times::all(mtime),
        })
    }
}

impl Texts {
    /// How a message stands in its conversation. One that cannot be read states it.
    fn get(&self, spoken: Spoken, people: &[String]) -> Result<Arc<str>> {
        let weigh = |text: &Arc<str>| text.len();
        self.texts.get_or_make(spoken.nid, weigh, || {
            let message = match self.messages.open(spoken.nid) {
                Err(error) if error.is_unread() => return Err(error),
                Err(error) => return Ok(format!("\n[message {}: {error}]\n", spoken.nid).into()),
                Ok(message) => message,
            };
            let zone = &self.context.options.zone;
            let answers = spoken
                .answers
                .and_then(|number| people.get(number as usize));
            let answers = answers.map(String::as_str);
            let text = self
                .context
                .converter
                .conversation_text(&message, zone, answers);
            self.messages.note(spoken.nid, message.problems());
            Ok(text.into())
        })
    }
}

impl Made for Spoke {
    fn len(&self) -> u64 {
        self.messages.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        self.messages.read_at(offset, buf, |spoken, wanted, buf| {
            let text = self.texts.get(*spoken, &self.people)?;
            copy_made(&text, wanted, buf).ok_or_else(|| {
                Error::corrupt(
                    "conversation",
                    spoken.nid,
                    "the message can no longer be read",
                )
            })
        })
    }
}

/// The file of one conversation.
pub(in crate::tree) struct ConversationFile<'a> {
    files: &'a ConversationFiles,
    first: NodeId,
}

impl FileOf for ConversationFile<'_> {
    fn open(&self) -> Result<Arc<File>> {
        let make = || self.files.make(self.first).map(Arc::new);
        self.files.files.get_or_make(self.first, make)
    }

    fn is_attr_at_hand(&self) -> bool {
        self.files.files.has(&self.first)
    }
}
