//! What all files of one store have in common while they are made.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::options::Options;
use super::people::{AddressBook, Resolved};
use crate::messaging::Store;
use crate::ndb::{partly, whole};

/// How long an address book is used from which the disk has kept something; it takes a while to gather.
const GATHER_AGAIN: Duration = Duration::from_secs(60);

/// A store, what the user has chosen, and who is who.
#[derive(Debug)]
pub(super) struct Context {
    store: Arc<Store>,
    pub(super) options: Options,
    /// With the time at which it was gathered if the disk failed meanwhile.
    address_book: Mutex<Option<(Arc<AddressBook>, Option<Instant>)>>,
}

impl Context {
    /// Nothing is read yet.
    pub(super) fn new(store: Arc<Store>, options: Options) -> Self {
        Self {
            store,
            options,
            address_book: Mutex::default(),
        }
    }

    /// The store that all is of.
    pub(super) fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The person with an Exchange distinguished name, which is in lower case.
    pub(super) fn resolve(&self, name: &str) -> Resolved {
        self.address_book().resolve(name)
    }

    /// Addresses by Exchange distinguished name, gathered on first need.
    fn address_book(&self) -> Arc<AddressBook> {
        // Held while it is gathered: whoever needs it waits for it.
        let mut gathered = self.address_book.lock();
        if let Some((book, failed)) = &*gathered
            && failed.is_none_or(|time| time.elapsed() < GATHER_AGAIN)
        {
            return Arc::clone(book);
        }
        let mut book = Arc::default();
        let complete = partly(|| {
            whole(|| {
                book = Arc::new(AddressBook::gather(&self.store));
                Ok(())
            })
        });
        *gathered = Some((Arc::clone(&book), complete.err().map(|_| Instant::now())));
        book
    }
}
