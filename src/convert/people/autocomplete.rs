//! Whom Outlook proposes while an address is typed: the stream of an autocomplete list.
//!
//! It is rows of properties, each with its length where it has one, and no row has its own. So where one makes no sense
//! the next is looked for by what a row begins with. Outlook developer documentation, "Autocomplete stream".
#![forbid(unsafe_code)]

use std::ops::RangeInclusive;

use memchr::memmem;

use super::person::Person;
use crate::codepage;
use crate::convert::cursor::Cursor;
use crate::convert::text::clean;
use crate::ltp::{PropertyType, tags};
use crate::messaging::{EntryId, Message};

/// The major version whose rows are known.
const MAJOR_VERSION: u32 = 12;
const GUID_SIZE: usize = 16;
/// Bytes of a value that is a number, or stands for one that is elsewhere.
const VALUE_SIZE: usize = 8;
/// What was typed, and what is shown of an entry.
const NICKNAME: u16 = 0x6001;
const SHOWN: u16 = 0x6003;
/// A row begins with the number of its properties, and the first of these is its nickname.
const COUNT_SIZE: usize = 4;
const FIRST_TAG: [u8; 4] = [0x1F, 0x00, 0x01, 0x60];
/// Properties of a row: real ones have some thirty.
const PROPERTIES: RangeInclusive<u32> = 1..=1 << 10;
/// Bytes at the end: the time of the last change.
const TIME_SIZE: usize = 8;
/// How often the bytes of a stream may be gone over in search of rows.
const MAX_TIMES: usize = 8;
/// Entries that are taken; Outlook keeps a thousand.
const MAX_ENTRIES: usize = 1 << 15;
/// Rows that a problem names.
const MAX_TOLD: usize = 5;

/// A list as far as it makes sense.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Autocomplete {
    /// In its order: whom the user writes to most comes first.
    pub entries: Vec<Entry>,
    /// What does not fit its description.
    pub problems: Vec<String>,
    /// Whether somebody may be missing.
    pub is_incomplete: bool,
}

/// Somebody whom Outlook proposes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// What was typed.
    pub nickname: Option<String>,
    /// As it is shown: a name, an address, or both.
    pub shown: Option<String>,
    name: Option<String>,
    smtp: Option<String>,
    address_type: Option<String>,
    address: Option<String>,
    entry_id: Option<EntryId>,
}

impl Autocomplete {
    /// The list in a hidden item of its class; an empty one if it has none.
    pub fn of_message(message: &Message) -> Self {
        let properties = message.properties();
        match properties.binary(tags::ROAMING_BINARY) {
            Ok(Some(bytes)) => Self::parse(&bytes, properties.code_page()),
            // What cannot be read is a problem of the message.
            Ok(None) | Err(_) => Self::default(),
        }
    }

    /// Reads PidTagRoamingBinary of an autocomplete list, its 8-bit texts in `code_page`.
    pub fn parse(bytes: &[u8], code_page: u32) -> Self {
        let mut list = Self::default();
        if list.read(bytes, code_page).is_none() {
            let (size, found) = (4 * COUNT_SIZE, bytes.len());
            list.lacks(format_args!("header: {size} bytes expected, {found} found"));
        }
        list
    }

    /// Notes why somebody may be missing.
    fn lacks(&mut self, problem: impl std::fmt::Display) {
        self.problems.push(format!("autocomplete list: {problem}"));
        self.is_incomplete = true;
    }

    fn read(&mut self, bytes: &[u8], code_page: u32) -> Option<()> {
        let mut cursor = Cursor::new(bytes);
        let (_metadata, major, _minor) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
        let count = cursor.u32()?;
        if major != MAJOR_VERSION {
            self.lacks(format_args!(
                "major version {MAJOR_VERSION} expected, {major} found: its rows are not known"
            ));
            return Some(());
        }
        let rows = self.read_rows(bytes, &mut cursor, count, code_page);
        if rows < count {
            self.lacks(format_args!("{count} rows expected, {rows} found"));
            return Some(());
        }
        let end = cursor.block().and_then(|_extra| cursor.take(TIME_SIZE));
        if end.is_none() {
            self.problems
                .push("autocomplete list: its end is missing".into());
        }
        Some(())
    }

    /// Reads up to `count` rows; returns how many there were, those included that make no sense.
    fn read_rows(
        &mut self,
        bytes: &[u8],
        cursor: &mut Cursor<'_>,
        count: u32,
        code_page: u32,
    ) -> u32 {
        let mut rows = 0;
        let mut bad = BadRows::default();
        let mut budget = bytes.len().saturating_mul(MAX_TIMES);
        while rows < count && self.entries.len() < MAX_ENTRIES {
            let at = cursor.at();
            let row = Entry::read(cursor, code_page);
            budget = budget.saturating_sub(cursor.at() - at);
            if let Some(entry) = row {
                rows += 1;
                bad.is_open = false;
                self.entries.extend(entry.filled());
                continue;
            }
            // What is tried on the way to the next row is none.
            if !bad.is_open {
                rows += 1;
                bad.add(rows, at);
            }
            match next_row(bytes, at).filter(|_| budget > 0) {
                Some(next) => cursor.go_to(next),
                None => break,
            }
        }
        if bad.count > 0 {
            let (number, told) = (bad.count, bad.told.join(", "));
            self.lacks(format_args!(
                "{number} of {count} rows make no sense: {told}"
            ));
        }
        rows
    }
}

/// Rows that make no sense.
#[derive(Default)]
struct BadRows {
    count: usize,
    /// The first ones.
    told: Vec<String>,
    /// Whether the last one has not come to its end.
    is_open: bool,
}

impl BadRows {
    fn add(&mut self, row: u32, at: usize) {
        self.count += 1;
        self.is_open = true;
        if self.told.len() < MAX_TOLD {
            self.told.push(format!("row {row} at offset {at:#x}"));
        }
    }
}

/// Where the next row behind `at` may begin.
fn next_row(bytes: &[u8], at: usize) -> Option<usize> {
    // Its first property is behind its count, that of the row at hand as well.
    let from = at.checked_add(COUNT_SIZE + 1)?;
    let tag = memmem::find(bytes.get(from..)?, &FIRST_TAG)?;
    (from + tag).checked_sub(COUNT_SIZE)
}

impl Entry {
    /// The next row; None where it makes no sense.
    fn read(cursor: &mut Cursor<'_>, code_page: u32) -> Option<Self> {
        let count = cursor.u32().filter(|count| PROPERTIES.contains(count))?;
        let mut entry = Self::default();
        for _ in 0..count {
            let (kind, id) = (cursor.u16()?, cursor.u16()?);
            let _reserved = cursor.u32()?;
            let _value = cursor.take(VALUE_SIZE)?;
            if kind & PropertyType::MULTIPLE != 0 {
                let kind = kind & !PropertyType::MULTIPLE;
                for _ in 0..cursor.u32().filter(|_| has_bytes(kind))? {
                    value(cursor, kind)?;
                }
                continue;
            }
            let bytes = value(cursor, kind)?;
            let text = match PropertyType(kind) {
                PropertyType::STRING => codepage::decode_utf16le(bytes),
                PropertyType::STRING8 => codepage::decode(code_page, bytes),
                PropertyType::BINARY if id == tags::ENTRY_ID => {
                    entry.entry_id = EntryId::parse(bytes, code_page);
                    continue;
                }
                // PtypErrorCode stands in place of texts that are not there.
                _ => continue,
            };
            entry.set(id, &text);
        }
        Some(entry)
    }

    /// Takes over a text, unless an earlier property of the same id has it: a nickname comes up to three times.
    fn set(&mut self, id: u16, text: &str) {
        let field = match id {
            NICKNAME => &mut self.nickname,
            SHOWN => &mut self.shown,
            tags::DISPLAY_NAME => &mut self.name,
            tags::SMTP_ADDRESS => &mut self.smtp,
            tags::ADDRESS_TYPE => &mut self.address_type,
            tags::EMAIL_ADDRESS => &mut self.address,
            _ => return,
        };
        let text = clean(text.split('\0').next().unwrap_or_default());
        if field.is_none() && !text.is_empty() {
            *field = Some(text.into_owned());
        }
    }

    /// The entry if it tells of anybody.
    fn filled(self) -> Option<Self> {
        let texts = [
            &self.nickname,
            &self.shown,
            &self.name,
            &self.smtp,
            &self.address,
        ];
        let tells = texts.into_iter().any(Option::is_some) || self.entry_id.is_some();
        tells.then_some(self)
    }

    /// Who it is. What is shown or was typed may be the address, if there is no other.
    pub fn person(&self) -> Person<'_> {
        let is_told = self.smtp.is_some() || self.address.is_some() || self.entry_id.is_some();
        let stand_ins = [&self.shown, &self.nickname].map(Option::as_ref);
        let mut stand_ins = stand_ins.into_iter().flatten().filter(|_| !is_told);
        let address = stand_ins.find(|text| text.contains('@')).cloned();
        Person::of_parts(
            self.name.clone().or(address.clone()),
            self.smtp.clone().or(address),
            self.address_type.clone(),
            self.address.clone(),
        )
        .or_entry_id(self.entry_id.clone())
    }

    /// The type of its address, such as `SMTP`, `EX` or `MAPIPDL`, and the address if it has one.
    pub fn address(&self) -> (&str, Option<&str>) {
        let kind = self.address_type.as_deref().unwrap_or_default();
        (kind, self.address.as_deref())
    }
}

/// Whether values of this type have more bytes than their eight.
fn has_bytes(kind: u16) -> bool {
    is_counted(kind) || PropertyType(kind) == PropertyType::GUID
}

/// Whether their length stands in front of these.
fn is_counted(kind: u16) -> bool {
    let counted = [
        PropertyType::STRING,
        PropertyType::STRING8,
        PropertyType::BINARY,
    ];
    counted.contains(&PropertyType(kind))
}

/// The bytes of a value behind its eight: none for numbers.
fn value<'a>(cursor: &mut Cursor<'a>, kind: u16) -> Option<&'a [u8]> {
    match PropertyType(kind) {
        PropertyType::GUID => cursor.take(GUID_SIZE),
        _ if is_counted(kind) => cursor.block(),
        _ => Some(&[]),
    }
}
