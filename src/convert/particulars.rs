//! What a catalogue tells of an item: who, when, in which conversation, what its reader has done with it.
//!
//! People and ids are those of the header that the item has as mail, so that a catalogue and the files agree.
#![forbid(unsafe_code)]

use super::context::Context;
use super::mail;
use crate::ltp::{FileTime, tags};
use crate::messaging::{MSGFLAG_READ, MSGFLAG_UNSENT, Message, State};

/// Where the GUID of a conversation is in PidTagConversationIndex, behind a byte and five of a time. [MS-OXOMSG] 2.2.1.3
const CONVERSATION_GUID: std::ops::Range<usize> = 6..22;
/// Bytes of PidTagConversationIndex that are told; Outlook adds five for each answer.
const MAX_INDEX: usize = 500;

/// What a catalogue tells of an item. Texts are empty where there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Particulars {
    /// From, decoded.
    pub from: String,
    /// To, decoded.
    pub to: String,
    /// Cc, decoded.
    pub cc: String,
    /// Bcc, decoded; of a message that arrived, too, whose file has no such field.
    pub bcc: String,
    /// PidTagClientSubmitTime.
    pub sent: Option<FileTime>,
    /// PidTagMessageDeliveryTime.
    pub received: Option<FileTime>,
    /// PidTagCreationTime.
    pub created: Option<FileTime>,
    /// PidTagLastModificationTime.
    pub modified: Option<FileTime>,
    /// Message-ID, with its angle brackets.
    pub message_id: String,
    /// Whether the item had none, so that it was made up.
    pub is_id_made_up: bool,
    /// The ids in In-Reply-To.
    pub in_reply_to: Vec<String>,
    /// The ids in References.
    pub references: Vec<String>,
    /// PidTagConversationTopic.
    pub conversation_topic: String,
    /// PidTagConversationIndex.
    pub conversation_index: Vec<u8>,
    /// PidTagConversationId, else the GUID in PidTagConversationIndex.
    pub conversation_id: Vec<u8>,
    /// Whether PidTagMessageFlags states that it was read; None if there are no flags.
    pub read: Option<bool>,
    /// What else its reader has done with it, in words: `replied`, `forwarded`, `flagged`, `deleted`; `draft`.
    pub flags: Vec<&'static str>,
    /// PidNameKeywords.
    pub categories: Vec<String>,
    /// PidTagImportance: 0 low, 1 normal, 2 high.
    pub importance: Option<i32>,
    /// PidTagSensitivity: 0 normal, 1 personal, 2 private, 3 confidential.
    pub sensitivity: Option<i32>,
    /// Of S/MIME, `signed` if all can read it, `opaque` if it is in one piece; else empty. [MS-OXOSMIME]
    pub security: &'static str,
}

impl Particulars {
    /// Those of `message`. Opens no body and no attachment.
    pub(super) fn of(context: &Context, message: &Message) -> Self {
        let names = [
            "From",
            "To",
            "Cc",
            "Bcc",
            mail::TOLD_BCC,
            "Message-ID",
            "In-Reply-To",
            "References",
        ];
        let header = mail::Header::of(context, message, &names);
        let [from, to, cc, bcc, told_bcc, id, in_reply_to, references] =
            names.map(|name| header.line(name).unwrap_or_default());
        let properties = message.properties();
        let integer = |id: u16| properties.integer(id).ok().flatten();
        let time = |id: u16| properties.time(id).ok().flatten();
        let binary = |id: u16| properties.binary(id).ok().flatten();
        let topic = properties.string(tags::CONVERSATION_TOPIC).ok().flatten();
        let mut index = binary(tags::CONVERSATION_INDEX).unwrap_or_default();
        let guid = || index.get(CONVERSATION_GUID).map(<[u8]>::to_vec);
        let conversation_id = binary(tags::CONVERSATION_ID).or_else(guid);
        index.truncate(MAX_INDEX);
        let flags = integer(tags::MESSAGE_FLAGS);
        Self {
            from,
            to,
            cc,
            bcc: if bcc.is_empty() { told_bcc } else { bcc },
            sent: time(tags::CLIENT_SUBMIT_TIME),
            received: time(tags::MESSAGE_DELIVERY_TIME),
            created: time(tags::CREATION_TIME),
            modified: time(tags::LAST_MODIFICATION_TIME),
            is_id_made_up: mail::is_made_up(&id),
            message_id: id,
            in_reply_to: ids(&in_reply_to),
            references: ids(&references),
            conversation_topic: topic.unwrap_or_default(),
            conversation_index: index,
            conversation_id: conversation_id.unwrap_or_default(),
            read: flags.map(|flags| flags & MSGFLAG_READ != 0),
            flags: words(State::of(integer), flags.unwrap_or(0)),
            categories: mail::categories(message),
            importance: integer(tags::IMPORTANCE),
            sensitivity: integer(tags::SENSITIVITY),
            security: security(message),
        }
    }
}

/// Those in a decoded address field, each as `Name <address>`; all of it as one where it is none that can be parted.
pub fn mailboxes(field: &str) -> Vec<String> {
    mail::mailboxes(field)
}

fn security(message: &Message) -> &'static str {
    match message.class() {
        class if class.is_clear_signed => "signed",
        class if class.is_smime => "opaque",
        _ => "",
    }
}

fn ids(field: &str) -> Vec<String> {
    mail::message_ids(field).map(str::to_owned).collect()
}

fn words(state: State, flags: i32) -> Vec<&'static str> {
    let words = [
        ("replied", state.replied),
        ("forwarded", state.forwarded),
        ("flagged", state.flagged),
        ("deleted", state.deleted),
        ("draft", flags & MSGFLAG_UNSENT != 0),
    ];
    let set = words.into_iter().filter(|(_, is_set)| *is_set);
    set.map(|(word, _)| word).collect()
}
