//! Tables without rows: templates under fixed numbers, whose blocks all folders without items share. [MS-PST] 2.7

use std::io;

use super::output::{Content, Output};
use super::table::write_empty;
use super::templates::{self, Column};
use crate::ndb::NodeId;

/// Empty tables under fixed numbers.
const TABLES: [(u32, &[Column]); 10] = [
    (0x60D, templates::HIERARCHY),
    (0x60E, templates::CONTENTS),
    (0x60F, templates::ASSOCIATED),
    (0x610, templates::SEARCH),
    (0x64C, templates::OUTGOING),
    (0x671, templates::ATTACHMENTS),
    (0x692, templates::RECIPIENTS),
    (0x6B6, templates::QUEUE_6B6),
    (0x6D7, templates::QUEUE_6D7),
    (0x6F8, templates::QUEUE_6F8),
];

/// Contents of tables without rows, which many folders share.
pub(super) struct Empty(Vec<(&'static [Column], Content)>);

impl Empty {
    /// Writes the templates.
    pub fn new(out: &mut Output) -> io::Result<Self> {
        let mut tables = Vec::new();
        for (nid, template) in TABLES {
            let content = write_empty(out, template)?;
            out.node(NodeId(nid), NodeId::default(), content);
            tables.push((template, content));
        }
        Ok(Self(tables))
    }

    /// An empty table of `template`.
    pub fn of(&mut self, out: &mut Output, template: &'static [Column]) -> io::Result<Content> {
        let mut tables = self.0.iter_mut();
        let known = tables.find(|(known, _)| *known == template);
        match known {
            Some((_, content)) if out.share(content.data) => Ok(*content),
            Some((_, content)) => {
                *content = write_empty(out, template)?;
                Ok(*content)
            }
            None => write_empty(out, template),
        }
    }

    /// Where they are.
    pub fn contents(&self) -> Vec<Content> {
        self.0.iter().map(|(_, content)| *content).collect()
    }

    /// Takes them to be at `contents`.
    pub fn resume(&mut self, contents: &[Content]) {
        for ((_, own), content) in self.0.iter_mut().zip(contents) {
            *own = *content;
        }
    }
}
