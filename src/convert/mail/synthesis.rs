//! Header fields out of properties, for what the transport headers lack. [MS-OXCMAIL] 2.1.3
#![forbid(unsafe_code)]

use jiff::tz::TimeZone;

use super::boundary::fingerprint;
use super::date::date;
use super::encoded_word::decode;
use super::fields::Fields;
use super::flags::{FLAG_FROM_ME, message_flags};
use super::message_id::{made_up, message_ids, stored_ids};
use super::reserved::is_reserved;
use super::transport::is_field_name;
use crate::bytes::u32_at;
use crate::convert::item_format::note_no_date;
use crate::convert::lids;
use crate::convert::lookup::Lookup;
use crate::convert::people::{
    Account, Mailbox, Person, READ_RECEIPT, REPRESENTING, SENDER, SMTP, addr_spec, stored_addr_spec,
};
use crate::convert::text::clean;
use crate::ltp::tags;
use crate::messaging::{
    EntryId, MSGFLAG_UNSENT, Message, PropertyName, PropertySet, Recipient, RecipientType,
};
use crate::problem::Problem;

/// The field of those who got a blind copy, as somebody else than its sender has them.
pub(in crate::convert) const TOLD_BCC: &str = "X-Ostfs-Bcc";

/// The subject that was changed after the message arrived.
const EDITED_SUBJECT: &str = "X-Ostfs-Subject";

/// Where the From goes that not every program can parse.
const ORIGINAL_FROM: &str = "X-Ostfs-Original-From";

/// The address in angle brackets of a field that is no list of addresses; None if there are several.
fn only_address(field: &str) -> Option<String> {
    (field.matches('<').count() == 1).then(|| stored_addr_spec(field))?
}

/// Fields that are made together, since one depends on another or comes from the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Originators,
    Destinations,
    Identification,
    Thread,
    Others,
}

/// The fields of all groups but the last.
const GROUPS: [(Group, &[&str]); 4] = [
    (Group::Originators, &["From", "Sender", "Reply-To"]),
    (Group::Destinations, &["To", "Cc", "Bcc", TOLD_BCC]),
    (
        Group::Identification,
        &["Subject", EDITED_SUBJECT, "Date", "Message-ID"],
    ),
    (
        Group::Thread,
        &["In-Reply-To", "References", "Thread-Topic", "Thread-Index"],
    ),
];

impl Group {
    /// The group of field `name`.
    pub fn of(name: &str) -> Self {
        let has =
            |(_, names): &&(Self, &[&str])| names.iter().any(|own| own.eq_ignore_ascii_case(name));
        GROUPS
            .iter()
            .find(has)
            .map_or(Self::Others, |(group, _)| *group)
    }

    /// Whether a field of this group may name what one of `other` has: who gets a receipt is whom the message is from.
    pub fn needs(self, other: Self) -> bool {
        self == other || (self, other) == (Self::Others, Self::Originators)
    }
}

/// Fields out of properties, for what the transport headers lack.
pub(super) struct Synthesis<'a> {
    pub lookup: &'a Lookup<'a>,
    pub message: &'a Message,
    /// Whether there are transport headers worth the name.
    pub has_transport: bool,
}

impl Synthesis<'_> {
    /// Adds what `fields` lacks of the groups that are `wanted`.
    pub fn complete(&self, fields: &mut Fields, wanted: &dyn Fn(Group) -> bool) {
        if wanted(Group::Originators) {
            self.originators(fields);
        }
        if wanted(Group::Destinations) {
            self.destinations(fields);
        }
        if wanted(Group::Identification) {
            self.identification(fields);
        }
        if wanted(Group::Thread) {
            self.thread(fields);
        }
        if wanted(Group::Others) {
            self.others(fields);
        }
    }

    /// Adds what `fields`, a header as it is stored, lacks to be one of a message.
    pub fn complete_stored(&self, fields: &mut Fields) {
        self.originators(fields);
        self.destinations(fields);
        self.identification(fields);
    }

    fn string(&self, id: u16) -> Option<String> {
        self.message.properties().string(id).ok().flatten()
    }

    fn originators(&self, fields: &mut Fields) {
        let properties = self.message.properties();
        let has_from = fields.has("From");
        if !has_from {
            let accounts = Account::of_message(self.message);
            let person = |role| self.originator(&Person::of_role(properties, role), &accounts);
            let sender = person(&SENDER);
            let mut from = person(&REPRESENTING)
                .or_else(|| sender.clone())
                .unwrap_or_else(|| Mailbox::new("", None, ""));
            // The address of the same person, or of the account that sends it, is better than a stand-in.
            if !from.is_real() {
                let same = |sender: &&Mailbox| {
                    sender.is_real() && sender.name.eq_ignore_ascii_case(&from.name)
                };
                let known = sender.as_ref().filter(same);
                let known = known.map(|sender| sender.address.clone());
                let known = known.or_else(|| only_address(fields.get(ORIGINAL_FROM)?));
                if let Some(address) = known.or_else(|| self.own_address(&accounts)) {
                    from = Mailbox::new(&from.name, Some(&address), SMTP);
                }
            }
            let acts_for_another =
                sender.filter(|sender| !sender.address.eq_ignore_ascii_case(&from.address));
            fields.push_mailboxes("From", &[from]);
            if let Some(sender) = acts_for_another.filter(|_| !fields.has("Sender")) {
                fields.push_mailboxes("Sender", &[sender]);
            }
        }
        if !self.has_transport && !fields.has("Reply-To") {
            fields.push_mailboxes("Reply-To", &self.reply_to());
        }
    }

    /// The mailbox of `person`, whose Exchange name one of the `accounts` may have with an address.
    fn originator(&self, person: &Person<'_>, accounts: &[Account]) -> Option<Mailbox> {
        let mailbox = self.lookup.mailbox(person)?;
        if mailbox.is_real() {
            return Some(mailbox);
        }
        let name = person.distinguished_name();
        let is_it = |account: &&Account| name.is_some() && account.distinguished_name == name;
        let account = accounts.iter().find(is_it);
        Some(match account {
            Some(account) => Mailbox::new(&mailbox.name, Some(&account.address), SMTP),
            None => mailbox,
        })
    }

    /// The address of whoever writes this message, if it is one of the owner of the file: a draft, or one that was sent.
    /// One that arrived names the account that it came by, which is one of its recipients or unknown to it.
    fn own_address(&self, accounts: &[Account]) -> Option<String> {
        let is_own = message_flags(self.message) & (FLAG_FROM_ME | MSGFLAG_UNSENT) != 0;
        if is_own {
            let modifier = || addr_spec(&self.string(tags::LAST_MODIFIER_NAME)?);
            let account = accounts.first().map(|account| account.address.clone());
            return account.or_else(modifier);
        }
        if self.has_transport {
            return None;
        }
        let recipients = self.message.recipients();
        let kinds = [RecipientType::To, RecipientType::Cc, RecipientType::Bcc];
        let arrived_by = |address: &str| {
            let mut mailboxes = kinds
                .iter()
                .flat_map(|kind| self.mailboxes(&recipients, *kind));
            mailboxes.any(|mailbox| mailbox.address.eq_ignore_ascii_case(address))
        };
        let mut addresses = accounts.iter().map(|account| &account.address);
        addresses.find(|address| !arrived_by(address)).cloned()
    }

    /// PidTagReplyRecipientEntries, else names that are addresses. [MS-OXCDATA] 2.3.3
    fn reply_to(&self) -> Vec<Mailbox> {
        const MAX_ENTRIES: usize = 1000;
        let properties = self.message.properties();
        let list = properties
            .binary(tags::REPLY_RECIPIENT_ENTRIES)
            .ok()
            .flatten()
            .unwrap_or_default();
        let mut rest = list.get(8..).unwrap_or_default();
        let mut mailboxes = Vec::new();
        while let Some(size) = u32_at(rest, 0)
            .map(|size| size as usize)
            .filter(|_| mailboxes.len() < MAX_ENTRIES)
        {
            let Some(entry) = rest.get(4..).and_then(|rest| rest.get(..size)) else {
                break;
            };
            let person = EntryId::parse(entry, properties.code_page()).map(Person::of_entry_id);
            mailboxes.extend(person.and_then(|person| self.lookup.mailbox(&person)));
            rest = rest.get(4 + size.next_multiple_of(4)..).unwrap_or_default();
        }
        if mailboxes.is_empty() {
            let names = self.string(tags::REPLY_RECIPIENT_NAMES).unwrap_or_default();
            let addresses = names.split(';').filter(|name| name.contains('@'));
            mailboxes.extend(addresses.map(|name| Mailbox::new("", Some(name.trim()), "SMTP")));
        }
        mailboxes
    }

    fn destinations(&self, fields: &mut Fields) {
        let recipients = self.message.recipients();
        let rows = [
            ("To", RecipientType::To, tags::DISPLAY_TO),
            ("Cc", RecipientType::Cc, tags::DISPLAY_CC),
            ("Bcc", RecipientType::Bcc, tags::DISPLAY_BCC),
        ];
        let own = message_flags(self.message) & (FLAG_FROM_ME | MSGFLAG_UNSENT) != 0;
        for (name, kind, display) in rows {
            if fields.has(name) {
                continue;
            }
            // Nobody but its sender may have a mail program send a message to these again.
            let is_told_by_others = kind == RecipientType::Bcc && self.has_transport && !own;
            let name = if is_told_by_others { TOLD_BCC } else { name };
            let mut mailboxes = self.mailboxes(&recipients, kind);
            if recipients.is_empty() {
                mailboxes = self.displayed(display);
            }
            fields.push_mailboxes(name, &mailboxes);
        }
    }

    fn mailboxes(&self, recipients: &[Recipient], kind: RecipientType) -> Vec<Mailbox> {
        let code_page = self.message.properties().code_page();
        let of_kind = recipients
            .iter()
            .filter(|recipient| recipient.recipient_type() == kind);
        of_kind
            .filter_map(|recipient| {
                self.lookup
                    .mailbox(&Person::of_recipient(recipient, code_page))
            })
            .collect()
    }

    /// Without a recipient table, the names in its place.
    fn displayed(&self, id: u16) -> Vec<Mailbox> {
        let names = self.string(id).unwrap_or_default();
        let names = names
            .split(';')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        names
            .filter_map(|name| {
                self.lookup
                    .mailbox(&Person::of_parts(Some(name.to_owned()), None, None, None))
            })
            .collect()
    }

    fn identification(&self, fields: &mut Fields) {
        if !fields.has("Subject") {
            let subject = self.subject().unwrap_or_default();
            fields.push_text("Subject", &subject);
        } else if let Some(subject) = self.edited_subject(fields) {
            fields.push_text(EDITED_SUBJECT, &subject);
        }
        if !fields.has("Date") {
            let times = [
                tags::CLIENT_SUBMIT_TIME,
                tags::MESSAGE_DELIVERY_TIME,
                tags::CREATION_TIME,
                tags::LAST_MODIFICATION_TIME,
            ];
            let properties = self.message.properties();
            let time = times
                .into_iter()
                .find_map(|id| date(properties.time(id).ok().flatten()?, &TimeZone::UTC));
            // A made-up date would be taken for a real one.
            match time {
                Some(time) => fields.push("Date", time),
                None => note_no_date(self.message),
            }
        }
        if !fields.has("Message-ID") {
            let stored = self.string(tags::INTERNET_MESSAGE_ID).unwrap_or_default();
            let with_brackets = format!("<{}>", stored.trim());
            let id = message_ids(&stored)
                .chain(message_ids(&with_brackets))
                .next();
            let id = id.map_or_else(|| self.made_up_id(), str::to_owned);
            fields.push("Message-ID", id);
        }
    }

    fn subject(&self) -> Option<String> {
        let subject = self
            .message
            .subject()
            .ok()
            .flatten()
            .map(|subject| subject.text);
        let parts = || {
            let normalized = self.string(tags::NORMALIZED_SUBJECT)?;
            Some(self.string(tags::SUBJECT_PREFIX).unwrap_or_default() + &normalized)
        };
        subject
            .filter(|subject| !subject.is_empty())
            .or_else(parts)
            .or_else(|| self.string(tags::CONVERSATION_TOPIC))
    }

    /// The subject if it was changed after the message arrived.
    fn edited_subject(&self, fields: &Fields) -> Option<String> {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let arrived = words(&decode(fields.get("Subject")?));
        let stored = self.message.subject().ok().flatten()?.text;
        (!stored.is_empty() && words(&clean(&stored)) != arrived).then_some(stored)
    }

    /// The same for copies of one message in several places: they share search key, subject and times. Search keys
    /// alone are not what they should be: some writers give many messages the same.
    fn made_up_id(&self) -> String {
        let properties = self.message.properties();
        let key = properties.binary(tags::SEARCH_KEY).ok().flatten();
        let key = key.unwrap_or_else(|| {
            let store = self.message.store();
            if let Some(problem) = store.problem() {
                let problems = self.message.problems();
                problems.note(Problem::new("Message-ID", problem));
            }
            [store.record_key(), &self.message.nid().0.to_le_bytes()].concat()
        });
        let subject = self.subject().unwrap_or_default();
        let time = [tags::CLIENT_SUBMIT_TIME, tags::MESSAGE_DELIVERY_TIME]
            .into_iter()
            .find_map(|id| properties.time(id).ok().flatten());
        let time = time.map_or(0, |time| time.0).to_le_bytes();
        made_up(fingerprint(&[&key, subject.as_bytes(), &time]))
    }

    fn thread(&self, fields: &mut Fields) {
        for (name, id) in [
            ("In-Reply-To", tags::IN_REPLY_TO_ID),
            ("References", tags::INTERNET_REFERENCES),
        ] {
            let stored = self.string(id).unwrap_or_default();
            let ids = stored_ids(&stored);
            if !ids.is_empty() && !fields.has(name) {
                fields.push_text(name, &ids.join(" "));
            }
        }
        if let Some(topic) = self
            .string(tags::CONVERSATION_TOPIC)
            .filter(|_| !fields.has("Thread-Topic"))
        {
            fields.push_text("Thread-Topic", &topic);
        }
        let index = self
            .message
            .properties()
            .binary(tags::CONVERSATION_INDEX)
            .ok()
            .flatten();
        if let Some(index) = index.filter(|index| index.len() < 500 && !fields.has("Thread-Index"))
        {
            fields.push("Thread-Index", encodify::base64::STANDARD.encode(index));
        }
    }

    fn others(&self, fields: &mut Fields) {
        let properties = self.message.properties();
        let is_true = |id: u16| properties.boolean(id).ok().flatten() == Some(true);
        for (id, name) in [
            (tags::READ_RECEIPT_REQUESTED, "Disposition-Notification-To"),
            (
                tags::ORIGINATOR_DELIVERY_REPORT_REQUESTED,
                "Return-Receipt-To",
            ),
        ] {
            if is_true(id) && !fields.has(name) {
                self.receipt_to(name, fields);
            }
        }
        if self.message.class().kind.is_automatic() && !fields.has("Auto-Submitted") {
            fields.push("Auto-Submitted", "auto-replied");
        }
        self.internet_headers(fields);
    }

    /// Adds the field `name`, which tells who is to get a receipt: whom the message names for that, else whom it is from.
    fn receipt_to(&self, name: &'static str, fields: &mut Fields) {
        let person = Person::of_role(self.message.properties(), &READ_RECEIPT);
        match self.lookup.mailbox(&person).filter(Mailbox::is_real) {
            Some(mailbox) => fields.push_mailboxes(name, &[mailbox]),
            None => {
                let from = fields.get("From").map(str::to_owned).unwrap_or_default();
                fields.push(name, from);
            }
        }
    }

    /// Named properties that are header fields by name.
    fn internet_headers(&self, fields: &mut Fields) {
        let properties = self.message.properties();
        let names = self.message.store().named_properties();
        for id in properties.ids() {
            let name = match names.name(id) {
                Some((PropertySet::INTERNET_HEADERS, PropertyName::String(name))) => name,
                // Voice mail: X-VoiceMessageDuration and the like.
                Some((PropertySet::UNIFIED_MESSAGING, PropertyName::String(name)))
                    if name.starts_with("X-") =>
                {
                    name
                }
                _ => continue,
            };
            if !is_field_name(name) || is_reserved(name) || fields.has(name) {
                continue;
            }
            let number = || Some(properties.integer(id).ok().flatten()?.to_string());
            let several = || Some(properties.strings(id).ok()?.join(", "));
            let text = properties.string(id).ok().flatten();
            let text = text.or_else(number).or_else(several);
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                fields.push_text(name.to_owned(), &decode(&text));
            }
        }
        // The page that a feed item is about. [MS-OXORSS] 2.2.1.1
        let page = lids::POST_RSS_ITEM_LINK.id(self.message);
        if let Some(page) = page.and_then(|id| self.string(id)) {
            fields.push_text("Content-Base", &page);
        }
    }
}
