//! The files of messages in folders: as they are, with placeholders for damaged attachments, or as plain text.

use std::sync::Arc;

use super::file::{File, FileCache, FileOf};
use crate::convert::Rendition;
use crate::error::{Error, Result};
use crate::messaging::Message;
use crate::ndb::{NodeId, whole};
use crate::tree::attr::Times;
use crate::tree::context::Context;
use crate::tree::ino::Ino;
use crate::tree::messages::Messages;
use crate::tree::object::Object;

/// In which form a message is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tree) enum Form {
    /// As it is. Damage of its attachments is found by reads.
    Usual,
    /// With what is wrong with its attachments in its header, and placeholders for what cannot be read.
    Checked,
    /// As plain text.
    Text,
}

/// The file of a message in one form.
pub(in crate::tree) struct ItemFile<'a> {
    pub context: &'a Context,
    pub messages: &'a Messages,
    pub cache: &'a FileCache,
    pub nid: NodeId,
    pub form: Form,
}

impl ItemFile<'_> {
    fn ino(&self) -> Ino {
        self.context.number(&match self.form {
            Form::Usual => Object::Message(self.nid),
            Form::Checked => Object::CheckedMessage(self.nid),
            Form::Text => Object::Text(self.nid),
        })
    }

    /// The file of `message` in this form.
    fn render(&self, message: &Message) -> Rendition {
        let converter = &self.context.converter;
        match self.form {
            Form::Usual => converter.render(message),
            Form::Checked => converter.render_checked(message),
            Form::Text => converter.render_text(message, &self.context.options.zone),
        }
    }

    /// Where values turn out unreadable, the row of the message is asked for them. One that cannot be opened is a file that
    /// states it.
    fn make(&self) -> Result<File> {
        let mut message = self.messages.open(self.nid)?;
        let mut rendition = self.render(&message);
        if message.problem().is_none() && !message.problems().is_empty() {
            message = self.messages.with_row(self.nid);
            rendition = self.render(&message);
        }
        self.messages.note(self.nid, rendition.problems());
        Ok(File {
            rendition,
            times: self.messages.times_of(&message),
        })
    }

    /// Size and times without the file, if they are known.
    fn known(&self) -> Option<Result<(u64, Times)>> {
        if self.form != Form::Usual {
            return None;
        }
        let size = self.messages.known.size(self.nid)?;
        Some(self.messages.times(self.nid).map(|times| (size, times)))
    }
}

impl FileOf for ItemFile<'_> {
    fn open(&self) -> Result<Arc<File>> {
        let number = self.ino();
        let mut is_new = false;
        let file = self.cache.get_or_make(number, File::weight, || {
            is_new = true;
            self.make().map(Arc::new)
        })?;
        if is_new && self.form == Form::Usual {
            let known = &self.messages.known;
            let (size, is_whole) = (file.rendition.len(), file.rendition.problems().is_empty());
            known.set(self.nid, size, file.times, is_whole);
        }
        Ok(file)
    }

    fn attr(&self) -> Result<(u64, Times)> {
        if let Some(known) = self.known() {
            return known;
        }
        let file = self.open()?;
        Ok((file.rendition.len(), file.times))
    }

    fn is_attr_at_hand(&self) -> bool {
        match self.form {
            Form::Usual => self.messages.known.size(self.nid).is_some(),
            Form::Checked | Form::Text => self.cache.get(&self.ino()).is_some(),
        }
    }

    /// When an attachment turns out damaged, the folder lists from then on a file in its place with the problem in its header;
    /// and the read fails if damage is refused.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let file = self.open()?;
        if self.form != Form::Usual {
            return file.rendition.read_at(offset, buf);
        }
        let read = whole(|| file.rendition.read_at(offset, buf));
        let is_damaged = match &read {
            Ok(_) => file.rendition.has_untold_problems(),
            Err(error) => matches!(error, Error::Corrupt(_)),
        };
        if is_damaged {
            self.messages.note(self.nid, file.rendition.problems());
            self.messages.replaced.add(self.nid);
        }
        read
    }

    fn problems(&self) -> Result<Vec<String>> {
        match self.form {
            Form::Usual | Form::Checked => Ok(self.open()?.problems()),
            Form::Text => Ok(Vec::new()),
        }
    }
}
