//! `.ostfs`: not listed, but there. What the file is, what could not be read, a table of all items, and what hidden items
//! configure.

use std::sync::Arc;

use super::configurations::ConfigurationFiles;
use super::file::{File, FileOf};
use super::index::Index;
use crate::convert::Rendition;
use crate::error::{Error, Result};
use crate::ndb::kept::{Lru, Once};
use crate::ndb::{self, partly};
use crate::output;
use crate::problem::Problems;
use crate::tree::attr::Times;
use crate::tree::context::Context;
use crate::tree::directories::Directories;
use crate::tree::folders::Folders;
use crate::tree::info::Info;
use crate::tree::layout::rules::Rules;
use crate::tree::lost_found::LostFound;
use crate::tree::object::Special;
use crate::tree::problem_log::ProblemLine;

/// Items and folders that are not whole and are named by their paths.
const MAX_NAMED: usize = 1000;

/// The files in it.
#[derive(Debug)]
pub(in crate::tree) struct Control {
    context: Arc<Context>,
    folders: Arc<Folders>,
    lost_found: Arc<LostFound>,
    index: Arc<Index>,
    configurations: Arc<ConfigurationFiles>,
    /// Made once and kept.
    info_file: Once<Arc<File>>,
    index_file: Once<Arc<File>>,
}

impl Control {
    /// The files about what `directories` list. Nothing is made yet.
    pub fn new(
        context: Arc<Context>,
        folders: Arc<Folders>,
        lost_found: Arc<LostFound>,
        rules: Arc<dyn Rules>,
        directories: Arc<Directories>,
        configurations: Arc<ConfigurationFiles>,
    ) -> Self {
        Self {
            index: Arc::new(Index {
                context: Arc::clone(&context),
                folders: Arc::clone(&folders),
                rules,
                directories,
                sections: Lru::new(context.options.share(1) / 2, 1),
            }),
            context,
            folders,
            lost_found,
            configurations,
            info_file: Once::default(),
            index_file: Once::default(),
        }
    }

    /// What the file is and holds.
    pub fn info(&self) -> Info {
        ndb::read_folders_ahead(self.context.store.ndb());
        let rules = &self.index.rules;
        let lost = rules.lost_folders().unwrap_or_default();
        let shown = rules.folders().unwrap_or_default().into_iter().chain(lost);
        Info::collect(&self.context, &self.folders, &self.lost_found, shown)
    }

    /// The file `special`.
    pub fn file(&self, special: Special) -> ControlFile<'_> {
        ControlFile {
            control: self,
            special,
        }
    }

    /// What is wrong, behind the paths of what is not whole.
    fn problems_text(&self) -> String {
        let problems = &self.context.problems;
        let path_line = |ino| {
            let path = self.index.directories.path_of(ino)?;
            let object = self.context.object(ino).ok()?;
            Some(ProblemLine::not_whole(object, &path))
        };
        // Whoever looks why nothing can be read gets an answer.
        let paths = || ProblemLine::all_not_whole(problems.entries(), MAX_NAMED, path_line);
        problems.text(&partly(paths))
    }

    fn text_file(&self, text: String) -> Arc<File> {
        Arc::new(File {
            rendition: Rendition::of_text(text, &Problems::default()),
            times: Times::all(self.context.source_time),
        })
    }
}

/// One of the files.
pub(in crate::tree) struct ControlFile<'a> {
    control: &'a Control,
    special: Special,
}

impl FileOf for ControlFile<'_> {
    fn open(&self) -> Result<Arc<File>> {
        let control = self.control;
        match self.special {
            Special::LostFound | Special::Deleted | Special::Control => Err(Error::IsADirectory),
            Special::Problems => Ok(control.text_file(control.problems_text())),
            Special::Info => {
                let file = control.info_file.get_or_make(|| {
                    let info = Info {
                        problems: None,
                        ..control.info()
                    };
                    let json = output::pretty_json(&info);
                    Ok(control.text_file(json.unwrap_or_default() + "\n"))
                });
                file.cloned()
            }
            Special::Index => {
                let file = control
                    .index_file
                    .get_or_make(|| control.index.make().map(Arc::new));
                file.cloned()
            }
            Special::Categories | Special::Rules | Special::Autocomplete => {
                control.configurations.file(self.special).open()
            }
        }
    }

    fn is_attr_at_hand(&self) -> bool {
        match self.special {
            Special::Index => self.control.index_file.get().is_some(),
            Special::Categories | Special::Rules | Special::Autocomplete => self
                .control
                .configurations
                .file(self.special)
                .is_attr_at_hand(),
            Special::LostFound
            | Special::Deleted
            | Special::Control
            | Special::Info
            | Special::Problems => true,
        }
    }
}
