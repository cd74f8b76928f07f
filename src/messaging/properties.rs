//! The properties of one object with the code page of its 8-bit strings.

use std::iter;
use std::sync::Arc;

use crate::codepage;
use crate::error::{Error, Result};
use crate::ltp::{
    Bytes, FileTime, PropertyContext, PropertyRecord, PropertyStream, PropertyType, Value,
};
use crate::problem::{Problem, Problems};

/// Bytes of a text that are read where it becomes a name or stands in a list: every item of a list may refer to the same
/// long text.
pub(crate) const MAX_LISTED: usize = 2 << 10;
/// What is wrong with a property that is there more than once.
pub const CONTRADICTION: &str = "stored more than once, with different values; one is shown";
/// Bytes of the values of one object that are compared with others of the same property; what is more counts as
/// different.
const MAX_COMPARED: u64 = 16 << 20;

/// The properties of an object, with the code page of its strings.
///
/// Of a damaged message the cells of its row in a contents table stand in for what cannot be read. Every failure to read
/// a value is noted, so that none goes unsaid where a value is as good as absent.
#[derive(Debug, Clone)]
pub struct Properties {
    /// None when it cannot be read.
    context: Option<PropertyContext>,
    /// By id.
    cells: Arc<[(u16, Value)]>,
    code_page: u32,
    problems: Problems,
}

impl Properties {
    /// `context` with the code page of its PtypString8 values. What cannot be read is noted where its node notes.
    pub fn new(context: PropertyContext, code_page: u32) -> Self {
        let problems = context.node().problems().clone();
        Self::with_cells(Some(context), Vec::new(), code_page, &problems)
    }

    /// `cells` stand in where `context` cannot be read, or is not there.
    pub(super) fn with_cells(
        context: Option<PropertyContext>,
        mut cells: Vec<(u16, Value)>,
        code_page: u32,
        problems: &Problems,
    ) -> Self {
        cells.sort_by_key(|(id, _)| *id);
        Self {
            context,
            cells: cells.into(),
            code_page,
            problems: problems.clone(),
        }
    }

    /// What stands in for values that cannot be read, by id.
    pub(super) fn cells(&self) -> &[(u16, Value)] {
        &self.cells
    }

    /// Where it is noted what could not be read.
    pub fn problems(&self) -> &Problems {
        &self.problems
    }

    /// The properties as stored; None when they cannot be read.
    pub fn context(&self) -> Option<&PropertyContext> {
        self.context.as_ref()
    }

    /// The ids of all properties, ascending: of all that the object [has](Self::has).
    pub fn ids(&self) -> impl Iterator<Item = u16> {
        let records = self
            .context
            .as_ref()
            .map_or(&[][..], PropertyContext::records);
        // What is there of an item without properties, or of one whose list of them may lack some.
        let cells = match &self.context {
            Some(context) if context.problem().is_none() => &[][..],
            _ => &self.cells[..],
        };
        let is_listed = |id: u16| {
            let context = self.context.as_ref();
            context.is_some_and(|context| context.record(id).is_some())
        };
        let cells = cells.iter().map(|(id, _)| *id);
        let mut cells = cells.filter(move |id| !is_listed(*id)).peekable();
        let mut records = records.iter().map(|record| record.id).peekable();
        iter::from_fn(move || {
            let next = records.peek().copied();
            let stands_before = |cell: &u16| next.is_none_or(|record| *cell < record);
            cells.next_if(stands_before).or_else(|| records.next())
        })
    }

    fn failed<T>(&self, id: u16, error: &Error, stand_in: Option<T>) -> Option<T> {
        self.problems
            .note_error(format_args!("property {id:#06x}"), error);
        stand_in
    }

    /// Whether the value of property `id`, or that there is none, may be what damage made of it.
    pub fn may_be_wrong(&self, id: u16) -> bool {
        let context = self.context.as_ref();
        context.is_none_or(|context| context.may_be_wrong(id))
    }

    /// The value of property `id`; None when the object does not have it or its type is unknown.
    pub fn value(&self, id: u16) -> Result<Option<Value>> {
        self.value_read(id, |context| context.get(id), Value::clone)
    }

    /// What `read` gets from the context, else what `of_cell` makes of the cell that stands in for it.
    fn value_read<T>(
        &self,
        id: u16,
        read: impl FnOnce(&PropertyContext) -> Result<Option<T>>,
        of_cell: impl Fn(&Value) -> T,
    ) -> Result<Option<T>> {
        let cell = || {
            let index = self.cells.binary_search_by_key(&id, |(cell, _)| *cell);
            self.cells.get(index.ok()?).map(|(_, value)| of_cell(value))
        };
        let Some(context) = &self.context else {
            return Ok(cell());
        };
        match read(context) {
            Ok(None) if context.problem().is_some() => Ok(cell()),
            Ok(value) => Ok(value),
            Err(error) => match self.failed(id, &error, cell()) {
                Some(value) => Ok(Some(value)),
                None => Err(error),
            },
        }
    }

    /// Code page of PtypString8 values.
    pub fn code_page(&self) -> u32 {
        self.code_page
    }

    /// Reads PtypString8 values in `code_page` from now on.
    pub(super) fn set_code_page(&mut self, code_page: u32) {
        self.code_page = code_page;
    }

    /// The properties that are stored more than once with different values, of which one is taken and the others are not
    /// shown.
    pub fn contradictions(&self) -> Vec<u16> {
        let Some(context) = &self.context else {
            return Vec::new();
        };
        let mut left = MAX_COMPARED;
        let mut found: Vec<u16> = Vec::new();
        for record in context.left_out() {
            if !found.contains(&record.id) && !self.is_shown(context, record, &mut left) {
                found.push(record.id);
            }
        }
        found
    }

    /// Notes what [`Properties::contradictions`] has.
    pub(super) fn note_contradictions(&self) {
        for id in self.contradictions() {
            let node = self.context.as_ref().map(|context| context.node().nid().0);
            self.problems.note(Problem {
                node,
                ..Problem::new(format_args!("property {id:#06x}"), CONTRADICTION)
            });
        }
    }

    /// Whether the value that was taken in place of `other` says the same; not if the bytes `left` do not do to find out.
    fn is_shown(&self, context: &PropertyContext, other: &PropertyRecord, left: &mut u64) -> bool {
        let Some(taken) = context.record(other.id) else {
            return false;
        };
        let mut value = |record: &PropertyRecord| {
            *left = left.checked_sub(context.value_len(record).ok()?)?;
            context.value(record).ok()?
        };
        let Some((taken, other)) = value(taken).zip(value(other)) else {
            return false;
        };
        let text = |value: &Value| text_of_value(value, self.code_page);
        taken == other || text(&taken).is_some_and(|taken| Some(taken) == text(&other))
    }

    /// Whether a PtypString8 value has bytes that code pages differ in.
    pub(super) fn has_8bit_text(&self) -> bool {
        self.ids().any(|id| {
            let is_text =
                |value: &Value| matches!(value, Value::String8(bytes) if !bytes.is_ascii());
            match self.value(id) {
                Ok(Some(Value::Multiple(values))) => values.iter().any(is_text),
                Ok(Some(value)) => is_text(&value),
                _ => false,
            }
        })
    }

    /// The same of how they begin, lists of them left out: what costs little where there are none.
    pub(super) fn has_8bit_strings(&self) -> bool {
        let Some(context) = &self.context else {
            return false;
        };
        let is_text = |record: &PropertyRecord| {
            let start = || context.start(record.id, MAX_LISTED).ok().flatten();
            record.property_type == PropertyType::STRING8
                && matches!(start(), Some(Value::String8(bytes)) if !bytes.is_ascii())
        };
        context.records().iter().any(is_text)
    }

    /// Whether the object has property `id`, of whatever type and size, or a cell that stands in for one that may be lost.
    pub fn has(&self, id: u16) -> bool {
        let is_cell = || self.cells.iter().any(|(cell, _)| *cell == id);
        match &self.context {
            Some(context) => {
                context.record(id).is_some() || (context.problem().is_some() && is_cell())
            }
            None => is_cell(),
        }
    }

    /// A string without trailing NULs. None when absent, empty or no string: real files are full of empty ones.
    pub fn string(&self, id: u16) -> Result<Option<String>> {
        let text = self.value_read(
            id,
            |context| context.with_bytes(id, |kind, bytes| text_of(kind, bytes, self.code_page)),
            |cell| text_of_value(cell, self.code_page),
        )?;
        Ok(text.flatten().filter(|text| !text.is_empty()))
    }

    /// The start of a string, for names and lists: its first kilobyte of characters.
    pub fn start_of_string(&self, id: u16) -> Result<Option<String>> {
        let value = self.value_read(id, |context| context.start(id, MAX_LISTED), Value::clone)?;
        Ok(value
            .and_then(|value| text_of_value(&value, self.code_page))
            .filter(|text| !text.is_empty()))
    }

    /// An integer; None when absent or of another type.
    pub fn integer(&self, id: u16) -> Result<Option<i32>> {
        Ok(match self.value(id)? {
            Some(Value::Integer(number)) => Some(number),
            Some(Value::Integer64(number)) => i32::try_from(number).ok(),
            _ => None,
        })
    }

    /// A truth value; None when absent or of another type.
    pub fn boolean(&self, id: u16) -> Result<Option<bool>> {
        Ok(match self.value(id)? {
            Some(Value::Boolean(truth)) => Some(truth),
            Some(Value::Integer(number)) => Some(number != 0),
            _ => None,
        })
    }

    /// A time; None when absent or one of the values that mean "no date". One that no date can be made of is remembered as
    /// a failure.
    pub fn time(&self, id: u16) -> Result<Option<FileTime>> {
        let Some(Value::Time(time)) = self.value(id)? else {
            return Ok(None);
        };
        if !time.is_writable() {
            let problem =
                format_args!("expected a time before the year 10000, found {:#x}", time.0);
            self.failed::<()>(id, &Error::corrupt("PtypTime", "value", problem), None);
        }
        Ok(time.known())
    }

    /// The bytes of a binary; None when absent, empty or of another type.
    pub fn binary(&self, id: u16) -> Result<Option<Vec<u8>>> {
        Ok(match self.value(id)? {
            Some(Value::Binary(bytes)) if !bytes.is_empty() => Some(bytes),
            _ => None,
        })
    }

    /// The bytes of a binary, and which of them are missing; None when absent, empty or of another type.
    pub fn binary_with_gaps(&self, id: u16) -> Result<Option<Bytes>> {
        let read = self.value_read(
            id,
            |context| match context.record(id) {
                Some(record) if record.property_type == PropertyType::BINARY => context.bytes(id),
                _ => Ok(None),
            },
            |cell| match cell {
                Value::Binary(bytes) => Bytes::from(bytes.clone()),
                _ => Bytes::default(),
            },
        )?;
        Ok(read.filter(|read| !read.bytes.is_empty()))
    }

    /// The strings of a multi-valued string, or the one of a single-valued one.
    pub fn strings(&self, id: u16) -> Result<Vec<String>> {
        let values = match self.value(id)? {
            Some(Value::Multiple(values)) => values,
            Some(value) => vec![value],
            None => Vec::new(),
        };
        Ok(values
            .iter()
            .filter_map(|value| text_of_value(value, self.code_page))
            .filter(|text| !text.is_empty())
            .collect())
    }

    /// The stored bytes of a value that is not inline; None when absent.
    pub fn stream(&self, id: u16) -> Result<Option<PropertyStream>> {
        let Some(context) = &self.context else {
            return Ok(None);
        };
        context
            .stream(id)
            .inspect_err(|error| _ = self.failed::<()>(id, error, None))
    }
}

/// The text of a string value up to its trailing NULs, PtypString8 read in `code_page`; None for other types.
pub fn text_of_value(value: &Value, code_page: u32) -> Option<String> {
    match value {
        Value::String(bytes) => text_of(PropertyType::STRING, bytes, code_page),
        Value::String8(bytes) => text_of(PropertyType::STRING8, bytes, code_page),
        _ => None,
    }
}

/// As [`text_of_value`], from the stored bytes of a value.
fn text_of(property_type: PropertyType, bytes: &[u8], code_page: u32) -> Option<String> {
    let mut text = match property_type {
        PropertyType::STRING => utf16_or_mistyped(bytes, code_page),
        PropertyType::STRING8 => codepage::decode(code_page, bytes),
        _ => return None,
    };
    text.truncate(text.trim_end_matches('\0').len());
    Some(text)
}

/// 4K-page OSTs hold container classes as 8-bit text under the type of UTF-16 text: `IPF.Contact\0`, then real UTF-16.
/// Read as UTF-16 these would begin with two characters that no text begins with.
fn utf16_or_mistyped(bytes: &[u8], code_page: u32) -> String {
    let class = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    if class.len() < bytes.len() && (class.starts_with(b"IPF.") || class.starts_with(b"IPM.")) {
        return codepage::decode(code_page, class);
    }
    codepage::decode_utf16le(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_of_the_wrong_type_is_read_and_chinese_stays_chinese() {
        let mistyped = b"IPF.Contact\0\xD8\x62\x11\x62".to_vec();
        assert_eq!(utf16_or_mistyped(&mistyped, 1252), "IPF.Contact");
        let chinese: Vec<u8> = "你好 ".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(utf16_or_mistyped(&chinese, 1252), "你好 ");
    }
}
