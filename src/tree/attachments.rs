//! Attachments as directories: the files of a message, and messages within messages.

use std::sync::Arc;

use super::directory::Directory;
use super::ino::{Ino, Kind, MessagePath, Object};
use super::name::{self, ATTACHMENTS_SUFFIX};
use super::{Times, Tree};
use crate::convert::{AttachmentContent, AttachmentFile, ItemFormat};
use crate::error::{Error, Result};
use crate::messaging::{AttachmentData, Message};
use crate::ndb::{NodeId, whole};

/// Size shown of an attachment that cannot be read: not 0, or readers would take it for empty instead of asking and
/// getting EIO.
const UNREADABLE_SIZE: u64 = 1;
/// Memory that an entry of a list takes beside its rendition, in bytes.
const ENTRY_WEIGHT: usize = 1024;

/// Attachments of a message and of those within it, above which only the first two levels are directories.
const MAX_WITHIN: usize = 5_000;

/// The attachments of one message, in table order.
#[derive(Debug)]
pub(super) struct AttachmentList {
    files: Vec<AttachmentFile>,
}

impl AttachmentList {
    fn weight(&self) -> usize {
        let content = |file: &AttachmentFile| match &file.content {
            AttachmentContent::File(rendition) => rendition.weight(),
            _ => 0,
        };
        self.files
            .iter()
            .map(|file| ENTRY_WEIGHT + content(file))
            .sum()
    }
}

impl Tree {
    /// The message at `path`.
    pub(super) fn message(&self, path: &MessagePath) -> Result<Message> {
        let Some((index, above)) = path.attachments.split_last() else {
            return self.open_message(path.nid);
        };
        let above = MessagePath {
            nid: path.nid,
            attachments: above.to_vec(),
        };
        let list = self.attachment_list(&above)?;
        match list.files.get(*index as usize).map(|file| &file.content) {
            Some(AttachmentContent::Message(message)) => Ok(Message::clone(message)),
            _ => Err(Error::NotFound),
        }
    }

    fn attachment_list(&self, path: &MessagePath) -> Result<Arc<AttachmentList>> {
        if let Some(list) = self.attachment_lists.get(path) {
            return Ok(list);
        }
        let list = AttachmentList {
            files: whole(|| Ok(self.converter.attachments(&self.message(path)?)))?,
        };
        for file in &list.files {
            if let AttachmentContent::Unreadable(error) = &file.content {
                self.problems.note(
                    Object::Message(path.nid),
                    format_args!("attachment {:?}: {error}", file.name),
                );
            }
        }
        let weight = list.weight();
        Ok(self
            .attachment_lists
            .insert(path.clone(), Arc::new(list), weight))
    }

    /// Whether message `nid` has any attachment that is shown; so it is taken to be if that cannot be told.
    pub(super) fn has_attachments(&self, nid: NodeId) -> bool {
        let list = self.attachment_list(&MessagePath::top(nid));
        list.map_or(true, |list| !list.files.is_empty())
    }

    /// Media type of attachment `index` of the message at `path`.
    pub(super) fn media_type(&self, path: &MessagePath, index: u32) -> Result<String> {
        let list = self.attachment_list(path)?;
        let file = list.files.get(index as usize).ok_or(Error::NotFound)?;
        Ok(file.media_type.clone())
    }

    /// The directory with the attachments of the message at `path`.
    pub(super) fn list_attachments(&self, path: &MessagePath) -> Result<Directory> {
        let mut listing = Directory::new(self.directory_above(path));
        let is_shown_below = path.attachments.is_empty() || self.has_few_within(path.nid);
        let list = self.attachment_list(path)?;
        for (index, file) in list.files.iter().enumerate() {
            let index = index as u32;
            let number = self.inodes.number(&Object::Attachment(path.clone(), index));
            let safe = name::attachment(&file.name);
            let (stem, extension) = match &file.content {
                AttachmentContent::Message(_) => {
                    (strip_mail_extension(&safe), ItemFormat::Mail.extension())
                }
                _ => name::split_extension(&safe),
            };
            let has_directory = matches!(&file.content, AttachmentContent::Message(message) if is_shown_below && message.has_attachments());
            let taken = [extension, ATTACHMENTS_SUFFIX];
            let taken = taken
                .get(..if has_directory { 2 } else { 1 })
                .unwrap_or_default();
            let stem = listing.free_stem(stem, taken, file.nid.0);
            listing.add(&format!("{stem}{extension}"), number, Kind::File);
            if has_directory {
                let directory = self
                    .inodes
                    .number(&Object::Attachments(path.embedded(index)));
                listing.add(
                    &format!("{stem}{ATTACHMENTS_SUFFIX}"),
                    directory,
                    Kind::Directory,
                );
            }
        }
        Ok(listing.finish())
    }

    /// Whether what is within message `nid`, at all levels, is little enough to be shown as directories at all levels.
    /// Messages that share their data can be within each other in more ways than any program can walk.
    fn has_few_within(&self, nid: NodeId) -> bool {
        let mut todo: Vec<Message> = self.open_message(nid).into_iter().collect();
        let mut count = 0;
        while let Some(message) = todo.pop() {
            for attachment in message.attachments() {
                count += 1;
                if count > MAX_WITHIN {
                    self.problems.note(
                        Object::Message(nid),
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

    fn directory_above(&self, path: &MessagePath) -> Ino {
        match path.attachments.split_last() {
            Some((_, above)) => self.inodes.number(&Object::Attachments(MessagePath {
                nid: path.nid,
                attachments: above.to_vec(),
            })),
            None if self.inodes.is_of_deleted() => self.place_of_deleted(path.nid),
            None => self
                .parent_of(path.nid)
                .map_or(Ino::ROOT, |folder| self.folder_ino(folder)),
        }
    }

    /// Size and times of attachment `index` of the message at `path`.
    pub(super) fn attachment_attr(
        &self,
        ino: Ino,
        path: &MessagePath,
        index: u32,
    ) -> Result<(u64, Times)> {
        let list = self.attachment_list(path)?;
        let file = list.files.get(index as usize).ok_or(Error::NotFound)?;
        Ok(match &file.content {
            AttachmentContent::File(rendition) => (rendition.len(), self.message_times(path)?),
            AttachmentContent::Message(message) => {
                let item = self.embedded_file(ino, message)?;
                (item.rendition.len(), item.times)
            }
            AttachmentContent::Unreadable(_) => (UNREADABLE_SIZE, self.message_times(path)?),
        })
    }

    /// What is wrong with attachment `index` of the message at `path`, as far as reads have met it: none that was not read
    /// before is read here.
    pub(super) fn attachment_problems(
        &self,
        ino: Ino,
        path: &MessagePath,
        index: u32,
    ) -> Result<Vec<String>> {
        let list = self.attachment_list(path)?;
        let file = list.files.get(index as usize).ok_or(Error::NotFound)?;
        let problems = match &file.content {
            AttachmentContent::File(rendition)
                if self.damaged_attachments.lock().contains(&ino) =>
            {
                // What an earlier read has met may have been forgotten with its list.
                rendition.check()?;
                rendition.problems().list()
            }
            AttachmentContent::File(rendition) => rendition.problems().list(),
            AttachmentContent::Message(message) => {
                let item = self.embedded_file(ino, message)?;
                item.rendition.problems().list()
            }
            AttachmentContent::Unreadable(error) => return Ok(vec![error.to_string()]),
        };
        Ok(problems.iter().map(ToString::to_string).collect())
    }

    /// Fills `buf` from byte `offset` of attachment `index` of the message at `path`.
    pub(super) fn read_attachment(
        &self,
        ino: Ino,
        path: &MessagePath,
        index: u32,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<usize> {
        let list = self.attachment_list(path)?;
        let file = list.files.get(index as usize).ok_or(Error::NotFound)?;
        match &file.content {
            AttachmentContent::File(rendition) => {
                let read = rendition.read_at(offset, buf);
                if rendition.has_untold_problems() {
                    self.damaged_attachments.lock().insert(ino);
                    for problem in rendition.problems().list_in_full() {
                        self.problems.note(Object::Message(path.nid), problem);
                    }
                }
                read
            }
            AttachmentContent::Message(message) => {
                let item = self.embedded_file(ino, message)?;
                item.rendition.read_at(offset, buf)
            }
            AttachmentContent::Unreadable(error) => {
                Err(Error::corrupt("attachment", file.nid, error).in_node(path.nid.0))
            }
        }
    }
}

fn strip_mail_extension(name: &str) -> &str {
    match name::split_extension(name) {
        (stem, extension) if extension.eq_ignore_ascii_case(ItemFormat::Mail.extension()) => stem,
        _ => name,
    }
}
