//! By what two items are known as revisions of one, so that what was changed is not taken for what was deleted.
//!
//! Two items are the same when they share PidTagSearchKey (which copies and moves keep), or PidTagInternetMessageId, or
//! subject, class and all of the times of submission, delivery and creation that they have.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::ltp::tags;
use crate::messaging::{Message, Subject};

/// What an item is known by: hashes, since only equality counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Identity {
    pub(super) keys: Vec<u64>,
}

impl Identity {
    pub(super) fn of(message: &Message) -> Self {
        let own = message.properties();
        let time = |id: u16| own.time(id).ok().flatten();
        let mut keys = Vec::new();
        if let Ok(Some(key)) = own.binary(tags::SEARCH_KEY) {
            keys.push(hash(&(tags::SEARCH_KEY, key)));
        }
        if let Ok(Some(id)) = own.string(tags::INTERNET_MESSAGE_ID) {
            keys.push(hash(&(tags::INTERNET_MESSAGE_ID, id.trim())));
        }
        let times = [
            time(tags::CLIENT_SUBMIT_TIME),
            time(tags::MESSAGE_DELIVERY_TIME),
            time(tags::CREATION_TIME),
        ];
        if times.iter().any(Option::is_some) {
            let subject = message.subject().ok().flatten();
            let subject = subject.as_ref().map(Subject::normalized);
            let class = own.string(tags::MESSAGE_CLASS).ok().flatten();
            keys.push(hash(&(tags::SUBJECT, subject, class, times)));
        }
        Self { keys }
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
