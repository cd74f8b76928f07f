//! By what two items are known as revisions of one, so that what was changed is not taken for what was deleted.
//!
//! Two items are the same when they share PidTagSearchKey (which copies and moves keep), or PidTagInternetMessageId, or
//! subject, class and all of the times of submission, delivery and creation that they have.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::ltp::tags;
use crate::messaging::{Message, Store, Subject};
use crate::ndb::{BlockId, NodeType};

/// An item that may be a revision of another one.
#[derive(Debug)]
pub(super) struct Revision<T> {
    pub(super) item: T,
    whole: bool,
    modified: u64,
    /// Tells the newer of two that are as whole, and were modified at the same time.
    order: u64,
    data: BlockId,
    /// What it is known by: hashes, since only equality counts.
    keys: Vec<u64>,
}

impl<T> Revision<T> {
    /// `item`, which is `message`; `whole` if all of it can be read. Of two, the one with the higher `order` is newer.
    pub(super) fn of(item: T, order: u64, whole: bool, message: &Message) -> Self {
        let modified = message.properties().time(tags::LAST_MODIFICATION_TIME);
        Self {
            item,
            whole,
            modified: modified.ok().flatten().map_or(0, |time| time.0),
            order,
            data: message.node().blocks().0,
            keys: keys(message),
        }
    }

    /// Whether nothing is known by which it could be told from a revision of another item.
    pub(super) fn is_anonymous(&self) -> bool {
        self.keys.is_empty()
    }
}

/// `revisions` without those of messages that the live tree names: a moved message gets another node, a changed one
/// other blocks.
pub(super) fn without_live<T>(
    live: &Arc<Store>,
    mut revisions: Vec<Revision<T>>,
) -> Vec<Revision<T>> {
    if revisions.is_empty() {
        return revisions;
    }
    let all = || (0u32..).zip(&revisions);
    let mut by_key = Wanted::new(
        all().flat_map(|(index, revision)| revision.keys.iter().map(move |key| (*key, index))),
    );
    let mut by_data = Wanted::new(all().map(|(index, revision)| (revision.data.0, index)));
    let mut known = vec![false; revisions.len()];
    let nodes = live.ndb().nodes().flatten();
    for node in nodes.filter(|node| node.nid.node_type() == NodeType::NORMAL_MESSAGE) {
        by_data.note(node.data.key().0, &mut known);
        if let Ok(message) = Message::of_entry(live, node) {
            for key in keys(&message) {
                by_key.note(key, &mut known);
            }
        }
    }
    let mut known = known.into_iter();
    revisions.retain(|_| known.next() == Some(false));
    revisions
}

/// Revisions by what they are known by.
struct Wanted {
    /// Keys and numbers of revisions, ascending.
    sorted: Vec<(u64, u32)>,
    /// Keys that were met: each is looked up once, however many items have it.
    met: HashSet<u64>,
}

impl Wanted {
    fn new(keys: impl Iterator<Item = (u64, u32)>) -> Self {
        let mut sorted: Vec<(u64, u32)> = keys.collect();
        sorted.sort_unstable();
        Self {
            sorted,
            met: HashSet::new(),
        }
    }

    /// Marks the revisions that have `key`.
    fn note(&mut self, key: u64, known: &mut [bool]) {
        let first = self.sorted.partition_point(|(other, _)| *other < key);
        let same = self.sorted.iter().skip(first);
        let mut same = same.take_while(|(other, _)| *other == key).peekable();
        if same.peek().is_none() || !self.met.insert(key) {
            return;
        }
        for (_, index) in same {
            if let Some(known) = known.get_mut(*index as usize) {
                *known = true;
            }
        }
    }
}

/// Of revisions of one item the newest; one that is whole before one that is not.
pub(super) fn newest<T>(mut revisions: Vec<Revision<T>>) -> Vec<T> {
    revisions.sort_by_key(|revision| {
        std::cmp::Reverse((revision.whole, revision.modified, revision.order))
    });
    let mut known: HashSet<u64> = HashSet::new();
    revisions.retain(|revision| {
        let is_new = revision.keys.iter().all(|key| !known.contains(key));
        known.extend(&revision.keys);
        is_new
    });
    revisions
        .into_iter()
        .map(|revision| revision.item)
        .collect()
}

fn keys(message: &Message) -> Vec<u64> {
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
    keys
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
