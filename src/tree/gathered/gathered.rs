//! What is kept of directories of links: groups, queries, and the directories themselves.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::groups::Groups;
use super::links::{Links, LinksBuilder};
use super::queries::Queries;
use super::views::{Views, month_of, year};
use crate::error::{Error, Result};
use crate::ndb::kept::Lru;
use crate::tree::context::Context;
use crate::tree::directories::Directories;
use crate::tree::gathering::{Entry, Gathering};
use crate::tree::ino::Ino;
use crate::tree::layout::rules::Rules;
use crate::tree::object::{Object, Special};

/// Directories from the root of the tree down to one of links; a month is in a year.
const DEPTH: usize = 3;
const MONTH_DEPTH: usize = DEPTH + 1;

/// What a query has found.
#[derive(Debug, Default)]
pub struct Finds {
    /// The items in their order: path of the folder from the root of the tree, name of the file there, and node.
    pub items: Vec<(String, String, u32)>,
    /// What could not be looked into, for the user.
    pub missed: Option<String>,
}

/// The directories of links of one tree.
#[derive(Debug)]
pub(in crate::tree) struct Gathered {
    context: Arc<Context>,
    views: Views,
    groups: Lru<Gathering, Arc<Groups>>,
    queries: Queries,
    /// By entry, and by query, of which no other is meant when its number is given to another one.
    links: Lru<(Entry, Arc<str>), Arc<Links>>,
}

impl Gathered {
    /// Of what `rules` and `directories` show. Nothing is made yet.
    pub fn new(
        context: Arc<Context>,
        rules: Arc<dyn Rules>,
        directories: Arc<Directories>,
    ) -> Self {
        let bytes = context.options.share(1) / 2;
        Self {
            groups: Lru::new(bytes, 1),
            queries: Queries::default(),
            links: Lru::new(bytes, 1),
            views: Views {
                context: Arc::clone(&context),
                rules,
                directories,
            },
            context,
        }
    }

    /// The directory or link of these that has the number `ino`; None for all else.
    pub fn entry(&self, ino: Ino) -> Option<Entry> {
        Entry::of(ino).filter(|entry| entry.gathering.is_shown(&self.context.options))
    }

    /// The directory of what `query` finds. Nothing is looked for yet.
    pub fn of_query(&self, query: &str) -> Entry {
        Entry::group(Gathering::Search, self.queries.number(query))
    }

    /// What is in the directory that `entry` is or is in; `find` looks for what a query finds, unless it is known.
    pub fn links(
        &self,
        entry: Entry,
        find: impl FnOnce(&str) -> Result<Finds>,
    ) -> Result<Arc<Links>> {
        let entry = entry.directory();
        let query = match (entry.gathering, entry.group) {
            (_, 0) => "".into(),
            (Gathering::Search, number) => self.queries.text(number).ok_or(Error::NotFound)?,
            _ => "".into(),
        };
        let make = || {
            let links = match entry.gathering {
                Gathering::Search if entry.group > 0 => self.found(entry, &query, &find(&query)?),
                Gathering::Search => self.empty(entry, DEPTH).finish(),
                _ => self.view(entry)?,
            };
            Ok(Arc::new(links))
        };
        let weigh = |links: &Arc<Links>| links.weight();
        self.links
            .get_or_make((entry, Arc::clone(&query)), weigh, make)
    }

    /// A directory in which nothing is yet.
    fn empty(&self, entry: Entry, depth: usize) -> LinksBuilder {
        let above = match (entry.gathering, entry.group) {
            (_, 0) => self.context.number(&Object::Special(Special::Control)),
            (Gathering::ByDate, group) if depth == MONTH_DEPTH => {
                let year = year(group).unwrap_or_default();
                Entry::group(Gathering::ByDate, month_of(year, 0)).ino()
            }
            _ => Entry::top(entry.gathering).ino(),
        };
        LinksBuilder::new(above, depth)
    }

    /// What `query` has found.
    fn found(&self, entry: Entry, query: &str, finds: &Finds) -> Links {
        if let Some(missed) = &finds.missed {
            let problem = format_args!("{query:?}: {missed}");
            self.context.problems.note(entry, problem);
        }
        let mut links = self.empty(entry, DEPTH);
        for (folder, name, nid) in &finds.items {
            links.add(entry, folder, name, *nid);
        }
        links.finish()
    }

    /// A directory of a view.
    fn view(&self, entry: Entry) -> Result<Links> {
        let groups = self.groups(entry.gathering)?;
        let in_year = |group: u32| match entry.gathering {
            Gathering::ByDate => year(group),
            _ => None,
        };
        let wanted = in_year(entry.group);
        if let Some(group) = groups.get(entry.group) {
            let depth = wanted.map_or(DEPTH, |_| MONTH_DEPTH);
            let mut links = self.empty(entry, depth);
            self.views.add_links(&mut links, entry, &groups, group)?;
            return Ok(links.finish());
        }
        if entry.group > 0 && wanted.is_none() {
            return Err(Error::NotFound);
        }
        // That of all groups, or that of a year.
        let mut links = self.empty(entry, DEPTH);
        let below = |group: u32| Entry::group(entry.gathering, group);
        let mut years = BTreeSet::new();
        for (number, group) in groups.iter() {
            match in_year(number) {
                own if own == wanted => links.add_directory(&group.name, below(number)),
                Some(year) if entry.group == 0 && years.insert(year) => {
                    links.add_directory(&format!("{year:04}"), below(month_of(year, 0)));
                }
                _ => {}
            }
        }
        let links = links.finish();
        match entry.group > 0 && links.directory.is_empty() {
            true => Err(Error::NotFound),
            false => Ok(links),
        }
    }

    fn groups(&self, gathering: Gathering) -> Result<Arc<Groups>> {
        let weigh = |groups: &Arc<Groups>| groups.weight();
        self.groups.get_or_make(gathering, weigh, || {
            Ok(Arc::new(self.views.groups(gathering)?))
        })
    }
}
