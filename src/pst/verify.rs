//! Reads a new file back and compares it with what was to be written.
//!
//! While a value is written it is hashed, and the hashes must be those of what is read back before the file gets its
//! name. So a fault of the writer costs a report, and not mail.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use super::digest::{Digest, Hash};
use super::recipients;
use super::value::{self, Read};
use super::written::{Item, Written};
use crate::error::{Error, Result};
use crate::ltp::{PropertyStream, tags};
use crate::messaging::{Attachment, AttachmentData, Message, Properties, Store};
use crate::ndb::{self, Recover, Source};

/// Bytes for caches.
const CACHE: u64 = 8 << 20;

/// How much is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verify {
    /// All properties of all items, with their recipients and attachments.
    #[default]
    Full,
    /// That every item can be opened.
    Fast,
    /// Nothing.
    Off,
}

/// Reads the file `source`, and hands each difference from what was `written` to `differs`; returns how many there are.
pub fn verify(
    source: Source,
    written: &Written,
    how: Verify,
    differs: &mut dyn FnMut(&str),
) -> Result<u64> {
    if how == Verify::Off {
        return Ok(0);
    }
    let ndb = ndb::open_source(source, CACHE, Recover::Off, Arc::new(()))?;
    let store = &Arc::new(Store::open(ndb));
    let mut count = 0;
    let mut note = |error: Error| {
        count += 1;
        differs(&error.to_string());
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    // Each thread has a stretch of the file of its own.
    let stretches = written
        .items
        .chunks(written.items.len().div_ceil(threads).max(1));
    thread::scope(|scope| {
        let compare = |items: &'_ [Item]| {
            let found = items
                .iter()
                .filter_map(|item| compare(store, item, how).err());
            found.collect::<Vec<Error>>()
        };
        let others: Vec<_> = stretches
            .map(|items| {
                let compare = move || compare(items);
                (compare, thread::Builder::new().spawn_scoped(scope, compare))
            })
            .collect();
        for (compare, other) in others {
            let found = match other {
                Ok(other) => other.join().unwrap_or_else(|panic| resume_unwind(panic)),
                // There is no thread for it.
                Err(_) => compare(),
            };
            found.into_iter().for_each(&mut note);
        }
    });
    Ok(count)
}

fn compare(store: &Arc<Store>, item: &Item, how: Verify) -> Result<()> {
    let wrong = |problem: String| Error::corrupt("new file", item.nid, problem);
    let message = Message::open(store, item.nid)?;
    if how == Verify::Full {
        let found = digest_of(&message)?;
        if found != item.digest {
            return Err(wrong("expected what was read, found something else".into()));
        }
    }
    match message.problems().list().first() {
        Some(problem) => Err(wrong(problem.to_string())),
        None => Ok(()),
    }
}

fn digest_of(message: &Message) -> Result<Digest> {
    let properties = digest_with(message.properties(), &[tags::MESSAGE_SIZE], None)?;
    let mut recipients = Digest::default();
    for recipient in message.recipients() {
        let cells = recipients::cells(&recipient);
        recipients.add(0, &recipients::digest_of(&cells));
    }
    let mut attachments = Digest::default();
    for attachment in message.attachments() {
        attachments.add(0, &digest_of_attachment(&attachment)?);
    }
    Ok(Digest::of_item(properties, &recipients, &attachments))
}

fn digest_of_attachment(attachment: &Attachment) -> Result<Digest> {
    let properties = attachment.properties()?;
    let object = match attachment.data(&properties)? {
        AttachmentData::Message(message) => Some(digest_of(&message)?),
        AttachmentData::Ole(stream) => Some(digest_of_stream(&stream)?),
        AttachmentData::None | AttachmentData::Bytes(_) => None,
    };
    digest_with(&properties, &[], object)
}

/// What `properties` are, where PidTagAttachData is an `object`.
fn digest_with(properties: &Properties, without: &[u16], object: Option<Digest>) -> Result<Digest> {
    let mut digest = Digest::default();
    for id in properties.ids() {
        if without.contains(&id) {
            continue;
        }
        let own = match value::read(properties, id)? {
            _ if id == tags::ATTACH_DATA && object.is_some() => object.unwrap_or_default(),
            Some(Read::Whole(value)) => Digest::of_value(&value),
            Some(Read::Stream(property_type, stream)) => {
                digest_of_stream(&stream)?.with_type(property_type)
            }
            None => Digest::default(),
        };
        digest.add(id, &own);
    }
    Ok(digest)
}

fn digest_of_stream(stream: &PropertyStream) -> Result<Digest> {
    let mut hash = Hash::default();
    stream.each_piece(|bytes| {
        hash.update(bytes);
        Ok::<_, Error>(())
    })?;
    Ok(hash.finish())
}
