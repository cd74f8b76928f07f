//! The accounts of a mail program that a message names: by which it was sent, is to be sent, or has come.
#![forbid(unsafe_code)]

use super::mailbox::stored_addr_spec;
use crate::ltp::tags;
use crate::messaging::{Message, PropertySet};

/// What parts the fields of a value: `00000002`, `EXCHANGE` and a distinguished name, an address.
const SEPARATOR: char = '\u{1}';
/// How a distinguished name begins.
const NAME_START: &str = "/o=";
/// PidLidInternetAccountName and PidLidInternetAccountStamp of PSETID_Common.
const INTERNET_ACCOUNTS: [u32; 2] = [0x8580, 0x8581];

/// An account of a mail program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// Its SMTP address.
    pub address: String,
    /// Its distinguished name in an Exchange directory, in lower case.
    pub distinguished_name: Option<String>,
}

impl Account {
    /// Reads a stored account; None if no address is in it.
    fn parse(stored: &str) -> Option<Self> {
        let fields = || stored.split(SEPARATOR);
        let name = |field: &str| {
            let lower = field.to_lowercase();
            let start = lower.find(NAME_START)?;
            lower.get(start..).map(str::to_owned)
        };
        Some(Self {
            address: fields().find_map(stored_addr_spec)?,
            distinguished_name: fields().find_map(name),
        })
    }

    /// The accounts of `message`, the one it is sent by first.
    pub fn of_message(message: &Message) -> Vec<Self> {
        let named = |lid| message.named(PropertySet::COMMON, lid);
        let send = [tags::PRIMARY_SEND_ACCOUNT, tags::NEXT_SEND_ACCOUNT];
        let ids = send
            .into_iter()
            .chain(INTERNET_ACCOUNTS.into_iter().filter_map(named));
        let mut accounts: Vec<Self> = Vec::new();
        for id in ids {
            let stored = message.properties().string(id).ok().flatten();
            accounts.extend(stored.and_then(|stored| Self::parse(&stored)));
        }
        accounts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_tells_its_address_and_its_name() {
        let stored = "00000002\u{1}EXCHANGE/o=Org/cn=Recipients/cn=joe\u{1}joe@example.com";
        let account = Account::parse(stored).unwrap();
        assert_eq!(account.address, "joe@example.com");
        let name = account.distinguished_name.unwrap();
        assert_eq!(name, "/o=org/cn=recipients/cn=joe");
        let account = Account::parse("joe@example.com").unwrap();
        assert_eq!(account.distinguished_name, None);
        assert_eq!(Account::parse("00000003\u{1}POP server"), None);
    }
}
