//! Senders and recipients: the best name and address that a file has of them. [MS-OXOMSG] 2.2.1, [MS-OXCMAIL] 2.1.3
#![forbid(unsafe_code)]

use super::mailbox::{Mailbox, SMTP, stored_addr_spec};

use crate::ltp::tags;
use crate::messaging::{EntryId, Properties, Recipient};

/// Address type of Exchange; the address is a distinguished name.
const EX: &str = "EX";
const PROXY_SMTP: &str = "SMTP:";

/// Everything that is stored of a person; all of it may be missing, empty or wrong.
#[derive(Debug, Clone, Default)]
pub(crate) struct Person<'a> {
    name: Option<String>,
    /// Values that should be SMTP addresses, the best first.
    smtp: [Option<String>; 3],
    address_type: Option<String>,
    address: Option<String>,
    ids: Ids<'a>,
}

/// Where entry ids and search key are: most people have an address without them.
#[derive(Debug, Clone, Default)]
enum Ids<'a> {
    #[default]
    None,
    Role(&'a Properties, &'a Role),
    Recipient(&'a Recipient, u32),
    EntryId(EntryId),
    #[cfg(test)]
    SearchKey(&'a [u8]),
}

impl Ids<'_> {
    fn entry_ids(&self) -> Vec<EntryId> {
        match self {
            Ids::Role(properties, role) => properties
                .binary(role.entry_id)
                .ok()
                .flatten()
                .and_then(|id| EntryId::parse(&id, properties.code_page()))
                .into_iter()
                .collect(),
            Ids::Recipient(recipient, code_page) => [tags::ENTRY_ID, tags::RECIPIENT_ENTRY_ID]
                .into_iter()
                .filter_map(|id| EntryId::parse(recipient.binary(id)?, *code_page))
                .collect(),
            Ids::EntryId(id) => vec![id.clone()],
            _ => Vec::new(),
        }
    }

    /// `SMTP:JANE@EXAMPLE.ORG` or `EX:/O=...`, in capitals and with a NUL as stored, in lower case here.
    fn search_key(&self) -> Option<String> {
        let lower = |key: &[u8]| {
            let key = key.split(|byte| *byte == 0).next().unwrap_or_default();
            String::from_utf8_lossy(key).to_lowercase()
        };
        match self {
            Ids::Role(properties, role) => {
                let key = properties.binary(role.search_key).ok().flatten();
                key.map(|key| lower(&key))
            }
            Ids::Recipient(recipient, _) => recipient.binary(tags::SEARCH_KEY).map(lower),
            #[cfg(test)]
            Ids::SearchKey(key) => Some(lower(key)),
            _ => None,
        }
    }
}

/// The properties of one role of a message.
#[derive(Debug)]
pub(crate) struct Role {
    name: u16,
    smtp: u16,
    address_type: u16,
    address: u16,
    entry_id: u16,
    search_key: u16,
}

/// Whom the message is from.
pub(crate) const REPRESENTING: Role = Role {
    name: tags::SENT_REPRESENTING_NAME,
    smtp: tags::SENT_REPRESENTING_SMTP_ADDRESS,
    address_type: tags::SENT_REPRESENTING_ADDRESS_TYPE,
    address: tags::SENT_REPRESENTING_EMAIL_ADDRESS,
    entry_id: tags::SENT_REPRESENTING_ENTRY_ID,
    search_key: tags::SENT_REPRESENTING_SEARCH_KEY,
};

/// Who sent it, perhaps in the name of another.
pub(crate) const SENDER: Role = Role {
    name: tags::SENDER_NAME,
    smtp: tags::SENDER_SMTP_ADDRESS,
    address_type: tags::SENDER_ADDRESS_TYPE,
    address: tags::SENDER_EMAIL_ADDRESS,
    entry_id: tags::SENDER_ENTRY_ID,
    search_key: tags::SENDER_SEARCH_KEY,
};

/// Into whose mailbox it came.
pub(crate) const RECEIVED_BY: Role = Role {
    name: tags::RECEIVED_BY_NAME,
    smtp: tags::RECEIVED_BY_SMTP_ADDRESS,
    address_type: tags::RECEIVED_BY_ADDRESS_TYPE,
    address: tags::RECEIVED_BY_EMAIL_ADDRESS,
    entry_id: tags::RECEIVED_BY_ENTRY_ID,
    search_key: tags::RECEIVED_BY_SEARCH_KEY,
};

/// For whom it came there: another, if that is a delegate's mailbox.
pub(crate) const RECEIVED_REPRESENTING: Role = Role {
    name: tags::RECEIVED_REPRESENTING_NAME,
    smtp: tags::RECEIVED_REPRESENTING_SMTP_ADDRESS,
    address_type: tags::RECEIVED_REPRESENTING_ADDRESS_TYPE,
    address: tags::RECEIVED_REPRESENTING_EMAIL_ADDRESS,
    entry_id: tags::RECEIVED_REPRESENTING_ENTRY_ID,
    search_key: tags::RECEIVED_REPRESENTING_SEARCH_KEY,
};

/// Whom a receipt is asked for.
pub(crate) const READ_RECEIPT: Role = Role {
    name: tags::READ_RECEIPT_NAME,
    smtp: tags::READ_RECEIPT_SMTP_ADDRESS,
    address_type: tags::READ_RECEIPT_ADDRESS_TYPE,
    address: tags::READ_RECEIPT_EMAIL_ADDRESS,
    entry_id: tags::READ_RECEIPT_ENTRY_ID,
    search_key: tags::READ_RECEIPT_SEARCH_KEY,
};

impl<'a> Person<'a> {
    /// The person in `role` of a message.
    pub fn of_role(properties: &'a Properties, role: &'a Role) -> Self {
        let string = |id: u16| properties.string(id).ok().flatten();
        Self {
            name: string(role.name),
            smtp: [string(role.smtp), None, None],
            address_type: string(role.address_type),
            address: string(role.address),
            ids: Ids::Role(properties, role),
        }
    }

    /// A recipient.
    pub fn of_recipient(recipient: &'a Recipient, code_page: u32) -> Self {
        let original_is_smtp = recipient
            .string(tags::RECIPIENT_ORIGINAL_ADDRESS_TYPE)
            .is_some_and(|kind| kind.eq_ignore_ascii_case(SMTP));
        let original = recipient
            .string(tags::RECIPIENT_ORIGINAL_ADDRESS)
            .filter(|_| original_is_smtp);
        let proxies = recipient.strings(tags::PROXY_ADDRESSES);
        // The main address has its type in capitals.
        let proxy = proxies
            .iter()
            .find_map(|proxy| proxy.strip_prefix(PROXY_SMTP));
        Self {
            name: recipient
                .string(tags::DISPLAY_NAME)
                .or_else(|| recipient.string(tags::RECIPIENT_DISPLAY_NAME)),
            smtp: [
                recipient.string(tags::SMTP_ADDRESS),
                original,
                proxy.map(str::to_owned),
            ],
            address_type: recipient.string(tags::ADDRESS_TYPE),
            address: recipient.string(tags::EMAIL_ADDRESS),
            ids: Ids::Recipient(recipient, code_page),
        }
    }

    /// Of an entry of an address list.
    pub fn of_entry_id(entry_id: EntryId) -> Self {
        Self {
            name: match &entry_id {
                EntryId::OneOff(one_off) => Some(one_off.name.clone()),
                _ => None,
            },
            ids: Ids::EntryId(entry_id),
            ..Self::default()
        }
    }

    /// From single values, as contacts have them.
    pub fn of_parts(
        name: Option<String>,
        smtp: Option<String>,
        address_type: Option<String>,
        address: Option<String>,
    ) -> Self {
        Self {
            name,
            smtp: [smtp, None, None],
            address_type,
            address,
            ..Self::default()
        }
    }

    /// The same, of whom an entry id tells more.
    pub fn or_entry_id(self, entry_id: Option<EntryId>) -> Self {
        Self {
            ids: entry_id.map_or(self.ids, Ids::EntryId),
            ..self
        }
    }

    /// The SMTP address, if one of the values is one.
    pub fn smtp(&self) -> Option<String> {
        let stored = self.address.as_deref();
        let one_off = || {
            self.ids.entry_ids().iter().find_map(|id| match id {
                EntryId::OneOff(one_off) => stored_addr_spec(&one_off.address),
                _ => None,
            })
        };
        let smtp = self.smtp.iter().flatten().map(String::as_str);
        smtp.chain(stored.filter(|_| !self.is_exchange()))
            .find_map(stored_addr_spec)
            .or_else(one_off)
            .or_else(|| stored_addr_spec(stored?))
            .or_else(|| stored_addr_spec(self.ids.search_key()?.strip_prefix("smtp:")?))
            .or_else(|| stored_addr_spec(self.name.as_deref()?.trim_matches('\'')))
    }

    /// The address as it is stored, of whatever kind; without one, the name.
    pub fn address_or_name(&self) -> Option<String> {
        self.address.clone().or_else(|| self.name.clone())
    }

    /// The distinguished name in an Exchange directory, in lower case.
    pub fn distinguished_name(&self) -> Option<String> {
        let stored = self.address.as_deref().filter(|_| self.is_exchange());
        let entry_id = || {
            self.ids.entry_ids().into_iter().find_map(|id| match id {
                EntryId::AddressBook(name) => Some(name),
                _ => None,
            })
        };
        let key = || Some(self.ids.search_key()?.strip_prefix("ex:")?.to_owned());
        stored
            .map(str::to_owned)
            .or_else(entry_id)
            .or_else(key)
            .filter(|name| name.starts_with('/'))
            .map(|name| name.to_lowercase())
    }

    fn is_exchange(&self) -> bool {
        let is_ex = |kind: &str| kind.eq_ignore_ascii_case(EX);
        self.address_type.as_deref().is_some_and(is_ex)
            || self
                .address
                .as_deref()
                .is_some_and(|address| address.starts_with("/o=") || address.starts_with("/O="))
    }

    /// As a mailbox, with the help of other entries for the same person; None when nothing is known.
    pub fn mailbox(&self, book: impl FnOnce() -> Option<String>) -> Option<Mailbox> {
        let name = self.name.as_deref().unwrap_or_default();
        if let Some(smtp) = self.smtp() {
            return Some(Mailbox::of_addr_spec(name, smtp));
        }
        if let Some(dn) = self.distinguished_name() {
            return Some(match book() {
                Some(smtp) => Mailbox::new(name, Some(&smtp), SMTP),
                None => {
                    // As it is stored: only the key of the book is in lower case.
                    let stored = self.address.as_deref().filter(|_| self.is_exchange());
                    Mailbox::new(name, Some(stored.unwrap_or(&dn)), EX)
                }
            });
        }
        let kind = self.address_type.as_deref().unwrap_or_default();
        let address = self.address.as_deref();
        (address.is_some() || !name.trim().is_empty()).then(|| Mailbox::new(name, address, kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(person: &Person<'_>) -> Option<String> {
        let mailbox = person.mailbox(|| None)?;
        Some(format!("{} <{}>", mailbox.name, mailbox.address))
    }

    #[test]
    fn a_wrong_or_empty_address_is_passed_over_for_a_right_one() {
        let person = Person {
            name: Some("Jane".into()),
            smtp: [Some("not an address".into()), None, None],
            address_type: Some("SMTP".into()),
            address: Some("jane".into()),
            ids: Ids::SearchKey(b"SMTP:JANE@EXAMPLE.ORG\0"),
        };
        assert_eq!(text(&person).unwrap(), "Jane <jane@example.org>");
        let only_name = Person::of_parts(Some("'jane@example.org'".into()), None, None, None);
        assert_eq!(text(&only_name).unwrap(), " <jane@example.org>");
        assert_eq!(text(&Person::default()), None);
    }

    #[test]
    fn an_exchange_name_is_looked_up_and_else_kept_to_be_searched_for() {
        let person = Person::of_parts(
            Some("Jane".into()),
            None,
            Some("EX".into()),
            Some("/O=Org/CN=Jane".into()),
        );
        assert_eq!(person.distinguished_name().unwrap(), "/o=org/cn=jane");
        let found = person.mailbox(|| Some("jane@org.com".into())).unwrap();
        assert_eq!(found.address, "jane@org.com");
        assert_eq!(
            text(&person).unwrap(),
            "Jane <IMCEAEX-_O=Org_CN=Jane@ostfs.invalid>"
        );
    }
}
