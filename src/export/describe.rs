//! Makes the record of what was written.
#![forbid(unsafe_code)]

use super::hashes::{Algorithms, Hashes};
use super::progress::Failed;
use super::record::Record;
use super::walk::TargetDirectory;
use super::write::Written;
use crate::convert::ItemFields;
use crate::tree::{Forest, Part};

/// The record of entry number `index` of `directory`, of which that became. An item is opened once more for it, its body and
/// the content of its attachments are not, unless the content hash is among the `wanted`.
pub(super) fn describe(
    forest: &Forest,
    directory: &TargetDirectory,
    index: usize,
    written: Result<Written, Failed>,
    wanted: Algorithms,
) -> Record {
    let Some(entry) = directory.listing.entry(index) else {
        return Record::default();
    };
    let item = forest.item(entry.ino);
    let part = item.map(|(_, part)| part);
    let mut problems = Vec::new();
    let (ino, size, hashes) = match written {
        Ok(written) => (written.ino, written.size, written.hashes),
        Err(error) => {
            problems.push(error.to_string());
            (entry.ino, 0, Hashes::default())
        }
    };
    if matches!(part, Some(Part::Item | Part::Attachment)) {
        problems.extend(forest.item_problems(ino));
    }
    let mut record = Record {
        path: directory.path_of(&entry.name),
        nid: item.map_or_else(String::new, |(nid, _)| format!("{nid:#x}")),
        folder: directory.folder.to_string(),
        size,
        hashes,
        problems,
        ..Record::default()
    };
    match part {
        Some(Part::Item | Part::Link) => {
            let details = forest.details(entry.ino);
            if let Some(details) = details {
                record.moment = details.summary.moment;
                record.class.clone_from(&details.summary.class);
                record.item = Some(Box::new(details));
            }
        }
        Some(Part::Attachment | Part::Text) | None => {
            record.moment = forest.summary(entry.ino).and_then(|item| item.moment);
        }
    }
    match part {
        Some(Part::Item) => {
            record.family.clone_from(&record.path);
            record.text_path = directory.text_of(forest, index).unwrap_or_default();
            record.level = Some(0);
            // That it cannot be opened is among its problems.
            let message = wanted.content.then(|| forest.message(entry.ino).ok());
            record.content = message
                .flatten()
                .map(|message| Box::new(ItemFields::of(&message)));
        }
        Some(Part::Attachment) => {
            Record::ATTACHMENT.clone_into(&mut record.class);
            let own = || directory.family_of(forest, index);
            if let Some(family) = directory.family.clone().or_else(own) {
                record.family = family.item.to_string();
                record.parent = family.parent.to_string();
                record.level = Some(family.level);
                record.attachment_number = directory.attachment_number(forest, index);
            }
        }
        Some(Part::Text) => {
            Record::TEXT.clone_into(&mut record.class);
            let family = directory.family_of(forest, index);
            record.family = family.map_or_else(String::new, |family| family.item.to_string());
        }
        Some(Part::Link) | None => {}
    }
    record
}
