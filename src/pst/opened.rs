//! Items that are opened while those before them are copied.

use std::io;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, Scope};

use crate::error::Result;
use crate::export::Filter;
use crate::messaging::Message;
use crate::ndb::Depth;
use crate::tree::{Forest, Ino};

/// Items that are handed over at once: small ones take less time to copy than a thread to be woken.
const TOGETHER: usize = 16;
/// How many times so many are open and wait to be copied.
const WAITING: usize = 1;

/// An item that is to be copied.
pub(super) struct Opened {
    pub ino: Ino,
    /// None if the filter passes over it.
    pub message: Option<Result<Message>>,
}

/// Opens those of `items` that `filter` takes, from number `first` on and in their order, in a thread that ends when nobody
/// takes them any more.
pub(super) fn open<'scope>(
    scope: &'scope Scope<'scope, '_>,
    forest: &'scope Forest,
    filter: &'scope Filter,
    items: Vec<Ino>,
    first: usize,
) -> io::Result<Receiver<Vec<Opened>>> {
    let (opened, taken) = sync_channel(WAITING);
    thread::Builder::new().spawn_scoped(scope, move || {
        let items = items.get(first..).unwrap_or_default();
        for items in items.chunks(Forest::READ_AHEAD) {
            forest.read_ahead(items, Depth::All);
            for items in items.chunks(TOGETHER) {
                let items = items.iter().map(|&ino| {
                    let is_taken = filter.takes(forest, ino);
                    let message = is_taken.then(|| forest.message(ino));
                    if let Some(Ok(message)) = &message {
                        message.read_tables_ahead();
                    }
                    Opened { ino, message }
                });
                if opened.send(items.collect()).is_err() {
                    return;
                }
            }
        }
    })?;
    Ok(taken)
}
