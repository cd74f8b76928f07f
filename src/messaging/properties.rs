//! The properties of one object with the code page of its 8-bit strings.

use crate::codepage;
use crate::error::Result;
use crate::ltp::{FileTime, PropertyContext, PropertyStream, Value};

/// A property context whose strings can be read as text.
#[derive(Debug, Clone)]
pub struct Properties {
    context: PropertyContext,
    code_page: u32,
}

impl Properties {
    /// `context` with the code page of its PtypString8 values.
    pub fn new(context: PropertyContext, code_page: u32) -> Self {
        Self { context, code_page }
    }

    /// The properties as stored.
    pub fn context(&self) -> &PropertyContext {
        &self.context
    }

    /// Code page of PtypString8 values.
    pub fn code_page(&self) -> u32 {
        self.code_page
    }

    /// Reads PtypString8 values in `code_page` from now on.
    pub(super) fn set_code_page(&mut self, code_page: u32) {
        self.code_page = code_page;
    }

    /// Whether the object has property `id`, of whatever type and size.
    pub fn has(&self, id: u16) -> bool {
        self.context.record(id).is_some()
    }

    /// A string without trailing NULs. None when absent, empty or no string: real files are full of empty ones.
    pub fn string(&self, id: u16) -> Result<Option<String>> {
        let value = self.context.get(id)?;
        Ok(value
            .and_then(|value| text_of_value(&value, self.code_page))
            .filter(|text| !text.is_empty()))
    }

    /// An integer; None when absent or of another type.
    pub fn integer(&self, id: u16) -> Result<Option<i32>> {
        Ok(match self.context.get(id)? {
            Some(Value::Integer(number)) => Some(number),
            Some(Value::Integer64(number)) => i32::try_from(number).ok(),
            _ => None,
        })
    }

    /// A truth value; None when absent or of another type.
    pub fn boolean(&self, id: u16) -> Result<Option<bool>> {
        Ok(match self.context.get(id)? {
            Some(Value::Boolean(truth)) => Some(truth),
            Some(Value::Integer(number)) => Some(number != 0),
            _ => None,
        })
    }

    /// A time; None when absent or one of the values that mean "no date".
    pub fn time(&self, id: u16) -> Result<Option<FileTime>> {
        Ok(match self.context.get(id)? {
            Some(Value::Time(time)) => time.known(),
            _ => None,
        })
    }

    /// The bytes of a binary; None when absent, empty or of another type.
    pub fn binary(&self, id: u16) -> Result<Option<Vec<u8>>> {
        Ok(match self.context.get(id)? {
            Some(Value::Binary(bytes)) if !bytes.is_empty() => Some(bytes),
            _ => None,
        })
    }

    /// The strings of a multi-valued string, or the one of a single-valued one.
    pub fn strings(&self, id: u16) -> Result<Vec<String>> {
        let values = match self.context.get(id)? {
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
        self.context.stream(id)
    }
}

/// The text of a string value up to its trailing NULs, PtypString8 read in `code_page`; None for other types.
pub fn text_of_value(value: &Value, code_page: u32) -> Option<String> {
    let mut text = match value {
        Value::String(bytes) => utf16_or_mistyped(bytes, code_page),
        Value::String8(bytes) => codepage::decode(code_page, bytes),
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
