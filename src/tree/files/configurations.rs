//! What hidden items configure, as files in `.ostfs`: whom Outlook proposes, categories, rules.

use std::sync::Arc;

use super::file::{File, FileCache, FileOf};
use crate::convert::{Configured, Rendition};
use crate::error::{Error, Result};
use crate::messaging::{ConfigurationKind, Configurations};
use crate::ndb::kept::Once;
use crate::problem::Problems;
use crate::tree::attr::Times;
use crate::tree::context::Context;
use crate::tree::ino::Ino;
use crate::tree::object::{Object, Special};

/// These files of one tree. The items are looked for when the first is asked for.
#[derive(Debug)]
pub(in crate::tree) struct ConfigurationFiles {
    context: Arc<Context>,
    found: Once<Configurations>,
    cache: Arc<FileCache>,
}

impl ConfigurationFiles {
    /// Those of `context`. Nothing is read yet.
    pub fn new(context: Arc<Context>, cache: Arc<FileCache>) -> Self {
        Self {
            context,
            found: Once::default(),
            cache,
        }
    }

    fn found(&self) -> Result<&Configurations> {
        self.found
            .get_or_make(|| Ok(Configurations::find(&self.context.store)))
    }

    /// Whether the mailbox has an autocomplete list.
    pub fn has_proposals(&self) -> bool {
        let found = self.found();
        found.is_ok_and(|found| found.has(ConfigurationKind::Autocomplete))
    }

    /// The file `special`.
    pub fn file(&self, special: Special) -> ConfigurationFile<'_> {
        ConfigurationFile {
            files: self,
            special,
        }
    }

    fn make(&self, special: Special) -> Result<File> {
        let converter = &self.context.converter;
        let found = self.found()?;
        let Configured { text, problems } = match special {
            Special::Autocomplete => converter.proposals(found),
            Special::Categories => converter.categories(found),
            Special::Rules => converter.rules(found),
            _ => return Err(Error::NotFound),
        };
        for (nid, problem) in problems {
            self.context.note(&Object::Message(nid), problem);
        }
        Ok(File {
            rendition: Rendition::of_text(text, &Problems::default()),
            times: Times::all(self.context.source_time),
        })
    }
}

/// One of the files.
pub(in crate::tree) struct ConfigurationFile<'a> {
    files: &'a ConfigurationFiles,
    special: Special,
}

impl ConfigurationFile<'_> {
    fn ino(&self) -> Ino {
        self.files.context.number(&Object::Special(self.special))
    }
}

impl FileOf for ConfigurationFile<'_> {
    fn open(&self) -> Result<Arc<File>> {
        let make = || self.files.make(self.special).map(Arc::new);
        self.files.cache.get_or_make(self.ino(), File::weight, make)
    }

    fn is_attr_at_hand(&self) -> bool {
        self.files.cache.get(&self.ino()).is_some()
    }
}
