//! Conversations: which messages of a folder belong to one chat of Teams or Skype, in the order of time.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::context::Context;
use super::folders::Folders;
use super::messages::Messages;
use super::object::Object;
use crate::convert::Post;
use crate::error::{Error, Result};
use crate::ltp::{FileTime, tags};
use crate::messaging::{MessageClass, is_for_chats};
use crate::ndb::NodeId;
use crate::ndb::kept::Lru;

/// People that the name of a conversation has, and those that its file lists.
const NAMED_PEOPLE: usize = 4;
const LISTED_PEOPLE: usize = 200;
/// Characters of a title.
const MAX_TITLE: usize = 150;
/// Conversations of one folder, and bytes of all names of people in them.
const MAX_CONVERSATIONS: usize = 1 << 14;
const MAX_NAMES: usize = 4 << 20;

/// One conversation of a folder.
#[derive(Debug, Clone)]
pub(super) struct Conversation {
    /// Its message with the lowest node, which it is named by: names do not change when messages are added.
    pub first: NodeId,
    /// What it is called.
    pub title: String,
    /// Who took part, in the order in which they came.
    pub people: Vec<String>,
    /// The time of its newest message.
    pub newest: Option<FileTime>,
    /// Its messages by time, those without one last.
    pub messages: Vec<Spoken>,
}

/// A message of a conversation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spoken {
    pub nid: NodeId,
    /// Which of the people wrote the message that it answers, if it answers another one.
    pub answers: Option<u32>,
}

/// The conversations of all folders of one tree.
#[derive(Debug)]
pub(super) struct Conversations {
    context: Arc<Context>,
    folders: Arc<Folders>,
    messages: Arc<Messages>,
    known: Lru<NodeId, Arc<[Conversation]>>,
}

impl Conversations {
    /// Those of `folders`. Nothing is read yet.
    pub fn new(context: Arc<Context>, folders: Arc<Folders>, messages: Arc<Messages>) -> Self {
        Self {
            known: Lru::new(context.options.share(1) / 2, 1),
            context,
            folders,
            messages,
        }
    }

    /// The conversations in folder `nid`, by their first messages. Opens each message of a chat in it, and no other.
    pub fn of_folder(&self, nid: NodeId) -> Result<Arc<[Conversation]>> {
        let weigh = |known: &Arc<[Conversation]>| known.iter().map(Conversation::weight).sum();
        self.known.get_or_make(nid, weigh, || Ok(self.find(nid)))
    }

    /// The conversation whose lowest message is `first`.
    pub fn of_message(&self, first: NodeId) -> Result<Conversation> {
        let folder = self.context.parent_of(first).ok_or(Error::NotFound)?;
        let known = self.of_folder(folder)?;
        let found = known.iter().find(|known| known.first == first);
        found.cloned().ok_or(Error::NotFound)
    }

    /// Whether all mail in folder `nid` is of chats.
    pub fn are_all_in(&self, nid: NodeId) -> bool {
        let properties = self.folders.open(nid).properties().ok();
        let string = |id: u16| properties.as_ref()?.start_of_string(id).ok()?;
        let name = string(tags::DISPLAY_NAME);
        is_for_chats(name.as_deref(), string(tags::CONTAINER_CLASS).as_deref())
    }

    fn find(&self, folder: NodeId) -> Arc<[Conversation]> {
        let mut threads: HashMap<[u8; 32], Thread> = HashMap::new();
        let mut names_left = MAX_NAMES;
        let mut left_out = 0;
        for nid in self.chats_in(folder) {
            // One that cannot be opened is a file that states it.
            let Ok(message) = self.messages.open(nid) else {
                continue;
            };
            let post = Post::of(&message);
            let is_full = threads.len() >= MAX_CONVERSATIONS;
            match threads.get_mut(&post.thread) {
                Some(thread) => thread.add(nid, &post, &mut names_left),
                None if is_full => left_out += 1,
                None => {
                    let mut thread = Thread::new(nid, &post);
                    thread.add(nid, &post, &mut names_left);
                    threads.insert(post.thread, thread);
                }
            }
        }
        if left_out > 0 {
            let problem = format_args!(
                "more than {MAX_CONVERSATIONS} conversations: {left_out} messages are in their own files alone"
            );
            self.context.note(&Object::Folder(folder), problem);
        }
        let mut found: Vec<Conversation> = threads.into_values().map(Thread::finish).collect();
        found.sort_by_key(|conversation| conversation.first);
        found.into()
    }

    /// The messages of chats in folder `nid`, ascending by node: by their class, and in a folder for chats by being mail.
    fn chats_in(&self, nid: NodeId) -> Vec<NodeId> {
        let folder = self.folders.open(nid);
        if folder.is_search() {
            return Vec::new();
        }
        let table = self.folders.contents(&folder);
        let is_for_chats = self.are_all_in(nid);
        let is_chat = |(message, class): (NodeId, Option<String>)| {
            let class = MessageClass::parse(&class.unwrap_or_default());
            let is_chat = class.is_chat || (is_for_chats && class.kind.is_mail());
            // A row without a node belongs to no folder by its own word.
            (is_chat && self.context.parent_of(message) == Some(nid)).then_some(message)
        };
        table.nids_and_classes().filter_map(is_chat).collect()
    }
}

impl Conversation {
    /// Bytes of memory that it takes.
    fn weight(&self) -> usize {
        let names = self
            .people
            .iter()
            .map(|name| name.capacity() + size_of::<String>());
        let messages = self.messages.capacity() * size_of::<Spoken>();
        size_of::<Self>() + self.title.capacity() + messages + names.sum::<usize>()
    }
}

/// A conversation whose messages are being gathered.
struct Thread {
    first: NodeId,
    title: String,
    people: Vec<String>,
    numbers: HashMap<String, u32>,
    said: Vec<Said>,
}

/// What of a message tells its place; of its ids the hashes are enough.
struct Said {
    nid: NodeId,
    time: Option<FileTime>,
    id: Option<u64>,
    parent: Option<u64>,
    author: Option<u32>,
}

impl Thread {
    /// One that begins with `post`.
    fn new(first: NodeId, post: &Post) -> Self {
        Self {
            first,
            title: title(post),
            people: Vec::new(),
            numbers: HashMap::new(),
            said: Vec::new(),
        }
    }

    fn add(&mut self, nid: NodeId, post: &Post, names_left: &mut usize) {
        for name in &post.people {
            let rest = names_left.checked_sub(name.len());
            if self.people.len() < LISTED_PEOPLE
                && !self.numbers.contains_key(name)
                && let Some(rest) = rest
            {
                *names_left = rest;
                self.numbers.insert(name.clone(), self.people.len() as u32);
                self.people.push(name.clone());
            }
        }
        self.said.push(Said {
            nid,
            time: post.time,
            id: post.id.as_deref().map(hash),
            parent: post.parent.as_deref().map(hash),
            author: self.numbers.get(&post.from).copied(),
        });
    }

    fn finish(mut self) -> Conversation {
        self.said
            .sort_by_key(|said| (said.time.is_none(), said.time, said.nid));
        let authors = self
            .said
            .iter()
            .filter_map(|said| Some((said.id?, said.author?)));
        let authors: HashMap<u64, u32> = authors.collect();
        let spoken = |said: &Said| {
            let parent = said.parent.filter(|parent| Some(*parent) != said.id);
            Spoken {
                nid: said.nid,
                answers: parent.and_then(|parent| authors.get(&parent).copied()),
            }
        };
        Conversation {
            first: self.first,
            title: self.title,
            people: self.people,
            newest: self.said.iter().filter_map(|said| said.time).max(),
            messages: self.said.iter().map(spoken).collect(),
        }
    }
}

fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// What a conversation is called that begins with `post`.
fn title(post: &Post) -> String {
    let title = match &post.topic {
        Some(topic) => format!("Conversation about {topic}"),
        None => {
            let people = post.people.iter().map(String::as_str);
            let named: Vec<&str> = people.take(NAMED_PEOPLE).collect();
            let more = match post.people.len().saturating_sub(NAMED_PEOPLE) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!("Conversation with {}{more}", named.join(", "))
        }
    };
    title.chars().take(MAX_TITLE).collect()
}
