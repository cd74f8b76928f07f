//! Attachments: the directory of them, and their files; messages within messages are files, too.
//!
//! An attachment that cannot be read has size 1, not 0: readers would take 0 for an empty file and never ask for its
//! bytes.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;

use super::file::{File, FileCache, FileOf};
use crate::convert::{AttachmentContent, AttachmentFile, ItemFormat};
use crate::error::{Error, Result};
use crate::messaging::{AttachmentData, Message};
use crate::ndb::NodeId;
use crate::ndb::kept::Lru;
use crate::tree::attr::Times;
use crate::tree::context::Context;
use crate::tree::directory::Directory;
use crate::tree::ino::Ino;
use crate::tree::messages::Messages;
use crate::tree::name::{self, ATTACHMENTS_SUFFIX};
use crate::tree::object::{MessagePath, Object};

/// Size shown of an attachment that cannot be read: not 0, or readers would take it for empty instead of asking and
/// getting EIO.
const UNREADABLE_SIZE: u64 = 1;
/// Memory that an entry of a list takes beside its rendition, in bytes.
const ENTRY_WEIGHT: usize = 1024;

/// Attachments of a message and of those within it, above which only the first two levels are directories.
const MAX_WITHIN: usize = 5_000;

/// The attachments of one message, in table order.
#[derive(Debug)]
struct AttachmentList {
    attachments: Vec<Attachment>,
    /// Of the message.
    times: Times,
}

/// One of them.
#[derive(Debug)]
struct Attachment {
    nid: NodeId,
    /// Its name as the message has it.
    name: String,
    media_type: String,
    content: Content,
}

#[derive(Debug)]
enum Content {
    File(Arc<File>),
    Message(Box<Message>),
    Unreadable(Error),
}

impl AttachmentList {
    fn weight(&self) -> usize {
        let content = |attachment: &Attachment| match &attachment.content {
            Content::File(file) => file.weight(),
            Content::Message(_) | Content::Unreadable(_) => 0,
        };
        let weights = self.attachments.iter();
        weights.map(|one| ENTRY_WEIGHT + content(one)).sum()
    }

    fn get(&self, index: u32) -> Result<&Attachment> {
        self.attachments.get(index as usize).ok_or(Error::NotFound)
    }
}

impl Attachment {
    /// `file` of a message with these times.
    fn new(file: AttachmentFile, times: Times) -> Self {
        let times = times.of_file(file.created, file.modified);
        Self {
            nid: file.nid,
            name: file.name,
            media_type: file.media_type,
            content: match file.content {
                AttachmentContent::File(rendition) => {
                    Content::File(Arc::new(File { rendition, times }))
                }
                AttachmentContent::Message(message) => Content::Message(message),
                AttachmentContent::Unreadable(error) => Content::Unreadable(error),
            },
        }
    }
}

/// The attachments of all messages of one tree.
#[derive(Debug)]
pub(in crate::tree) struct Attachments {
    context: Arc<Context>,
    messages: Arc<Messages>,
    /// Files of messages within messages.
    cache: Arc<FileCache>,
    lists: Lru<MessagePath, Arc<AttachmentList>>,
    /// Those in which a read has met damage.
    damaged: Mutex<HashSet<Ino>>,
}

impl Attachments {
    /// The attachments of `messages`; files of messages among them are kept in `cache`.
    pub fn new(context: Arc<Context>, messages: Arc<Messages>, cache: Arc<FileCache>) -> Self {
        Self {
            lists: Lru::new(context.options.share(1), 4),
            context,
            messages,
            cache,
            damaged: Mutex::default(),
        }
    }

    /// The message at `path`.
    pub fn message(&self, path: &MessagePath) -> Result<Message> {
        let Some((above, index)) = path.above() else {
            return self.messages.open(path.nid);
        };
        match &self.of(&above)?.get(index)?.content {
            Content::Message(message) => Ok(Message::clone(message)),
            Content::File(_) | Content::Unreadable(_) => Err(Error::NotFound),
        }
    }

    /// Times of the message at `path`; those of the source file where it cannot be opened.
    pub fn times(&self, path: &MessagePath) -> Result<Times> {
        if path.attachments.is_empty() {
            return self.messages.times(path.nid);
        }
        match self.message(path) {
            Ok(message) => Ok(self.messages.times_of(&message)),
            Err(_) => Ok(Times::all(self.context.source_time)),
        }
    }

    /// The attachments of the message at `path`.
    fn of(&self, path: &MessagePath) -> Result<Arc<AttachmentList>> {
        let weigh = |list: &Arc<AttachmentList>| list.weight();
        self.lists.get_or_make(path.clone(), weigh, || {
            let message = self.message(path)?;
            let times = self.messages.times_of(&message);
            let files = self.context.converter.attachments(&message).into_iter();
            let attachments: Vec<_> = files.map(|file| Attachment::new(file, times)).collect();
            for attachment in &attachments {
                if let Content::Unreadable(error) = &attachment.content {
                    let problem = format_args!("attachment {:?}: {error}", attachment.name);
                    self.context.note(&Object::Message(path.nid), problem);
                }
            }
            Ok(Arc::new(AttachmentList { attachments, times }))
        })
    }

    /// Media type of attachment `index` of the message at `path`.
    pub fn media_type(&self, path: &MessagePath, index: u32) -> Result<String> {
        Ok(self.of(path)?.get(index)?.media_type.clone())
    }

    /// Names of the attachments of `message`, which is at `path`. Nothing is kept of what is looked at for them alone.
    pub fn names(&self, path: &MessagePath, message: &Message) -> Vec<String> {
        if let Some(list) = self.lists.get(path) {
            let names = list.attachments.iter().map(|one| one.name.clone());
            return names.collect();
        }
        if !message.has_attachments() {
            return Vec::new();
        }
        let files = self.context.converter.attachments(message).into_iter();
        files.map(|file| file.name).collect()
    }

    /// The directory with the attachments of the message at `path`.
    pub fn list(&self, path: &MessagePath) -> Result<Directory> {
        let mut listing = Directory::new(self.above(path));
        let is_shown_below = path.attachments.is_empty() || self.has_few_within(path.nid);
        let list = self.of(path)?;
        for (index, attachment) in (0..).zip(&list.attachments) {
            let safe = name::attachment(&attachment.name);
            let (stem, extension) = match &attachment.content {
                Content::Message(_) => (strip_mail_extension(&safe), ItemFormat::Mail.extension()),
                Content::File(_) | Content::Unreadable(_) => name::split_extension(&safe),
            };
            let file = Object::Attachment(path.clone(), index);
            let mut shown = vec![(extension, file)];
            if let Content::Message(message) = &attachment.content
                && is_shown_below
                && message.has_attachments()
            {
                let directory = Object::Attachments(path.embedded(index));
                shown.push((ATTACHMENTS_SUFFIX, directory));
            }
            let endings: Vec<&str> = shown.iter().map(|(ending, _)| *ending).collect();
            let stem = listing.free_stem(stem, &endings, attachment.nid.0);
            for (ending, object) in shown {
                let number = self.context.number(&object);
                listing.add(&format!("{stem}{ending}"), number, object.kind());
            }
        }
        Ok(listing.finish())
    }

    /// Whether what is within message `nid`, at all levels, is little enough to be shown as directories at all levels.
    /// Messages that share their data can be within each other in more ways than any program can walk.
    fn has_few_within(&self, nid: NodeId) -> bool {
        let mut todo: Vec<Message> = self.messages.open(nid).into_iter().collect();
        let mut count = 0;
        while let Some(message) = todo.pop() {
            for attachment in message.attachments() {
                count += 1;
                if count > MAX_WITHIN {
                    self.context.note(&Object::Message(nid),
                        format_args!(
                            "more than {MAX_WITHIN} attachments within each other; those of the inner messages are in \
                             their files alone"
                        ),
                    );
                    return false;
                }
                let data = attachment
                    .properties()
                    .and_then(|properties| attachment.data(&properties));
                if let Ok(AttachmentData::Message(within)) = data {
                    todo.push(*within);
                }
            }
        }
        true
    }

    fn above(&self, path: &MessagePath) -> Ino {
        match path.above() {
            Some((above, _)) => self.context.number(&Object::Attachments(above)),
            None => self.context.above_attachments(path.nid),
        }
    }

    /// The file of attachment `index` of the message at `path`.
    pub fn file(&self, path: MessagePath, index: u32) -> Attached<'_> {
        Attached {
            attachments: self,
            path,
            index,
        }
    }
}

/// One attachment as a file.
pub(in crate::tree) struct Attached<'a> {
    attachments: &'a Attachments,
    path: MessagePath,
    index: u32,
}

impl Attached<'_> {
    fn ino(&self) -> Ino {
        let object = Object::Attachment(self.path.clone(), self.index);
        self.attachments.context.number(&object)
    }

    /// The file of a message within a message.
    fn embedded(&self, message: &Message) -> Result<Arc<File>> {
        let Attachments {
            context, messages, ..
        } = self.attachments;
        let cache = &self.attachments.cache;
        cache.get_or_make(self.ino(), File::weight, || {
            // The same object is made a file of once more when the first one has been forgotten.
            let message = &message.afresh();
            let rendition = context.converter.render_mail(message);
            messages.note(message.nid(), rendition.problems());
            let times = messages.times_of(message);
            Ok(Arc::new(File { rendition, times }))
        })
    }

    /// Whether it is a message, whose file is made of it as that of a message in a folder.
    fn is_message(&self) -> Result<bool> {
        let list = self.attachments.of(&self.path)?;
        Ok(matches!(list.get(self.index)?.content, Content::Message(_)))
    }
}

impl FileOf for Attached<'_> {
    fn open(&self) -> Result<Arc<File>> {
        let list = self.attachments.of(&self.path)?;
        let attachment = list.get(self.index)?;
        match &attachment.content {
            Content::File(file) => Ok(Arc::clone(file)),
            Content::Message(message) => self.embedded(message),
            Content::Unreadable(error) => {
                Err(Error::corrupt("attachment", attachment.nid, error).in_node(self.path.nid.0))
            }
        }
    }

    fn attr(&self) -> Result<(u64, Times)> {
        let list = self.attachments.of(&self.path)?;
        if let Content::Unreadable(_) = list.get(self.index)?.content {
            return Ok((UNREADABLE_SIZE, list.times));
        }
        let file = self.open()?;
        Ok((file.rendition.len(), file.times))
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let file = self.open()?;
        let read = file.rendition.read_at(offset, buf);
        if file.rendition.has_untold_problems() && !self.is_message()? {
            self.attachments.damaged.lock().insert(self.ino());
            for problem in file.rendition.problems().list_in_full() {
                let message = Object::Message(self.path.nid);
                self.attachments.context.note(&message, problem);
            }
        }
        read
    }

    /// None that was not read before is read here.
    fn problems(&self) -> Result<Vec<String>> {
        let list = self.attachments.of(&self.path)?;
        if let Content::Unreadable(error) = &list.get(self.index)?.content {
            return Ok(vec![error.to_string()]);
        }
        let file = self.open()?;
        if self.attachments.damaged.lock().contains(&self.ino()) {
            // What an earlier read has met may have been forgotten with its list.
            file.rendition.check()?;
        }
        Ok(file.problems())
    }
}

fn strip_mail_extension(name: &str) -> &str {
    match name::split_extension(name) {
        (stem, extension) if extension.eq_ignore_ascii_case(ItemFormat::Mail.extension()) => stem,
        _ => name,
    }
}
