//! The properties of an item as the writers of calendars and contacts ask for them: a value that cannot be read is
//! absent and a problem, and what a changed instance lacks is taken from its series.
#![forbid(unsafe_code)]

use std::cell::OnceCell;
use std::rc::Rc;

use super::body;
use super::lids::{self, Key};
use super::people::{Mailbox, Person, Resolve, Resolved};
use super::text::normalise;
use super::text::rtf::ATTACHMENT_MARK;
use super::user_fields::user_fields;
use crate::error::Result;
use crate::ltp::{FileTime, Value, tags};
use crate::messaging::{Message, Properties};
use crate::problem::{Problem, Problems};

/// Problems of one item that are written into it; one broken table can break thousands of values.
const MAX_TOLD: usize = 50;
/// PidTagImportance.
const IMPORTANCE_LOW: i32 = 0;
const IMPORTANCE_HIGH: i32 = 2;
/// PidTagSensitivity.
const SENSITIVITY_PERSONAL: i32 = 1;
const SENSITIVITY_PRIVATE: i32 = 2;
const SENSITIVITY_CONFIDENTIAL: i32 = 3;

/// Reads an item.
pub(crate) struct Reader<'a> {
    /// The item; for a changed instance, the series is second.
    layers: Vec<&'a Message>,
    resolve: &'a Resolve<'a>,
    problems: Problems,
    /// The body of the item, or of the series, which many instances may share.
    body: Rc<OnceCell<Body>>,
}

/// Text and HTML.
type Body = (Option<String>, Option<String>);

impl<'a> Reader<'a> {
    pub fn new(message: &'a Message, resolve: &'a Resolve<'a>) -> Self {
        Self {
            layers: vec![message],
            resolve,
            problems: message.problems().clone(),
            body: Rc::default(),
        }
    }

    /// A reader that asks `instance` first. Problems go to the same list.
    pub fn over<'b>(&'b self, instance: Option<&'b Message>) -> Reader<'b> {
        let layers = instance.into_iter().chain(self.layers.iter().copied());
        Reader {
            layers: layers.collect(),
            resolve: self.resolve,
            problems: self.problems.clone(),
            body: Rc::clone(&self.body),
        }
    }

    /// A reader of another item. Problems go to the same list.
    pub fn other<'b>(&'b self, message: &'b Message) -> Reader<'b> {
        Reader {
            layers: vec![message],
            resolve: self.resolve,
            problems: self.problems.clone(),
            body: Rc::default(),
        }
    }

    /// Notes what could not be read.
    pub fn problem(&self, problem: impl std::fmt::Display) {
        self.problems.note(Problem::new("", problem));
    }

    /// Notes what is to be said in the item though nothing is wrong with it.
    pub fn remark(&self, remark: &'static str) {
        self.problems.remark(remark);
    }

    /// What the item is to say of itself: what could not be read so far, and remarks.
    pub fn problems(&self) -> Vec<String> {
        for message in &self.layers {
            message.note_circumstances();
        }
        told(&self.problems)
    }

    /// The first of the layers that has a value.
    fn first<T>(
        &self,
        key: Key,
        read: impl Fn(&Properties, u16) -> Result<Option<T>>,
    ) -> Option<T> {
        self.layers.iter().find_map(|message| {
            let id = key.id(message)?;
            // What cannot be read is noted by the properties.
            read(message.properties(), id).unwrap_or_default()
        })
    }

    /// A string that is not blank.
    pub fn string(&self, key: impl Into<Key>) -> Option<String> {
        self.first(key.into(), Properties::string)
            .filter(|text| !text.trim().is_empty())
    }

    pub fn strings(&self, key: impl Into<Key>) -> Vec<String> {
        let strings = |properties: &Properties, id| properties.strings(id).map(Some);
        let mut strings = self.first(key.into(), strings).unwrap_or_default();
        strings.retain(|text| !text.trim().is_empty());
        strings
    }

    pub fn integer(&self, key: impl Into<Key>) -> Option<i32> {
        self.first(key.into(), Properties::integer)
    }

    pub fn boolean(&self, key: impl Into<Key>) -> bool {
        self.flag(key) == Some(true)
    }

    /// A boolean; None when the item does not have it.
    pub fn flag(&self, key: impl Into<Key>) -> Option<bool> {
        self.first(key.into(), Properties::boolean)
    }

    /// A time that means one.
    pub fn time(&self, key: impl Into<Key>) -> Option<FileTime> {
        self.first(key.into(), Properties::time)
    }

    pub fn float(&self, key: impl Into<Key>) -> Option<f64> {
        self.first(key.into(), |properties, id| {
            Ok(match properties.value(id)? {
                Some(Value::Floating(number)) => Some(number),
                _ => None,
            })
        })
    }

    pub fn binary(&self, key: impl Into<Key>) -> Option<Vec<u8>> {
        self.first(key.into(), Properties::binary)
    }

    /// The values of a multi-valued binary.
    pub fn binaries(&self, key: impl Into<Key>) -> Vec<Vec<u8>> {
        let values = self.first(key.into(), |properties, id| properties.value(id));
        match values {
            Some(Value::Multiple(values)) => values
                .into_iter()
                .filter_map(|value| match value {
                    Value::Binary(bytes) => Some(bytes),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The item itself; for a changed instance that has none of its own, the series.
    pub fn message(&self) -> Option<&'a Message> {
        self.layers.first().copied()
    }

    /// Code page of the 8-bit strings of the item.
    pub fn code_page(&self) -> u32 {
        self.message()
            .map_or(crate::codepage::WINDOWS_LATIN1, |message| {
                message.properties().code_page()
            })
    }

    /// Text and HTML of the body.
    pub fn body(&self) -> Body {
        let read = |message: &&Message| {
            let body = body::best(message);
            // Attachments are named beside the text, not within.
            let text = body
                .text
                .map(|text| normalise(text.replace(ATTACHMENT_MARK, "")));
            (text, body.html)
        };
        let is_some = |body: &Body| body.0.is_some() || body.1.is_some();
        let Some((item, instances)) = self.layers.split_last() else {
            return Body::default();
        };
        let own = instances.iter().map(read).find(is_some);
        own.unwrap_or_else(|| self.body.get_or_init(|| read(item)).clone())
    }

    /// The subject without its mark.
    pub fn subject(&self) -> Option<String> {
        let subjects = self.layers.iter().filter_map(|message| {
            message.subject().unwrap_or_else(|error| {
                self.problem(format_args!("subject: {error}"));
                None
            })
        });
        subjects
            .map(|subject| subject.text)
            .find(|text| !text.trim().is_empty())
            .or_else(|| self.string(tags::NORMALIZED_SUBJECT))
            .or_else(|| self.string(tags::CONVERSATION_TOPIC))
    }

    /// `person` with an address; None when nothing is known.
    pub fn mailbox(&self, person: &Person) -> Option<Mailbox> {
        person.mailbox(|| self.exchange_address(person))
    }

    /// The SMTP address of a person in an Exchange directory.
    pub fn exchange_address(&self, person: &Person) -> Option<String> {
        let resolved = (self.resolve)(&person.distinguished_name()?);
        if resolved.is_in_doubt {
            self.problem(Resolved::DOUBT);
        }
        resolved.smtp
    }

    /// When it was last modified, or another time that does not depend on when it is read.
    pub fn modified(&self) -> Option<FileTime> {
        [
            tags::LAST_MODIFICATION_TIME,
            tags::MESSAGE_DELIVERY_TIME,
            tags::CLIENT_SUBMIT_TIME,
            tags::CREATION_TIME,
        ]
        .into_iter()
        .find_map(|id| self.time(id))
    }

    /// CLASS of iCalendar and vCard; None for what anybody may see.
    pub fn class(&self) -> Option<&'static str> {
        match self.integer(tags::SENSITIVITY) {
            Some(SENSITIVITY_PERSONAL | SENSITIVITY_PRIVATE) => Some("PRIVATE"),
            Some(SENSITIVITY_CONFIDENTIAL) => Some("CONFIDENTIAL"),
            _ => self.boolean(lids::PRIVATE).then_some("PRIVATE"),
        }
    }

    /// PRIORITY of iCalendar; None for normal.
    pub fn priority(&self) -> Option<&'static str> {
        match self.integer(tags::IMPORTANCE) {
            Some(IMPORTANCE_LOW) => Some("9"),
            Some(IMPORTANCE_HIGH) => Some("1"),
            _ => None,
        }
    }

    /// Fields that the user or a form has made.
    pub fn user_fields(&self) -> Vec<(&'a str, String)> {
        self.message().map(user_fields).unwrap_or_default()
    }

    /// A UID for items that have none of their own: equal in every copy of the file.
    pub fn uid(&self) -> String {
        match self.binary(tags::SEARCH_KEY) {
            Some(key) => format!("ostfs-{}", hex(&key)),
            None => {
                let Some(message) = self.message() else {
                    return String::new();
                };
                let store = message.store();
                if let Some(problem) = store.problem() {
                    self.problem(format_args!("UID: {problem}"));
                }
                let nid = message.nid().0;
                format!("ostfs-{}-{nid:x}", hex(store.record_key()))
            }
        }
    }
}

/// Bytes in upper-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// What of `problems`, with its remarks, is written into the item itself: the first ones, and how many more there are.
pub(crate) fn told(problems: &Problems) -> Vec<String> {
    let all = problems.list_with_remarks();
    let mut told: Vec<String> = all.iter().take(MAX_TOLD).map(Problem::to_string).collect();
    if all.len() > MAX_TOLD {
        let more = all.len() - MAX_TOLD;
        told.push(format!(
            "{more} more problems; .ostfs/problems.txt has them"
        ));
    }
    told
}
