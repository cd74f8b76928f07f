//! Values as a recipe has them: the same of text in any encoding, of numbers in any width.

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::ltp::{PropertyStream, PropertyType, Value, tags};
use crate::messaging::{Properties, text_of_value};

/// Bytes of SHA-256.
pub(super) const SHA256: usize = 32;
/// A binary of at most this many bytes is read as a whole.
const MOST_AT_ONCE: u64 = 64 << 10;

/// SHA-256 of `bytes`.
pub(super) fn sha256(bytes: &[u8]) -> [u8; SHA256] {
    Sha256::digest(bytes).into()
}

/// SHA-256 of all bytes of `stream`.
pub(super) fn sha256_of(stream: &PropertyStream) -> Result<[u8; SHA256]> {
    let mut hash = Sha256::new();
    stream.each_piece(|bytes| {
        hash.update(bytes);
        Ok::<_, Error>(())
    })?;
    Ok(hash.finalize().into())
}

/// `text` without white space and control characters: programs break lines anew, and pad them.
pub(super) fn squeezed(text: &str) -> String {
    let is_kept = |c: &char| !c.is_whitespace() && !c.is_control();
    text.chars().filter(is_kept).collect()
}

/// SHA-256 of the value of property `id`; None where it is empty or an object, and where the item does not have it.
pub(super) fn of_property(properties: &Properties, id: u16) -> Result<Option<[u8; SHA256]>> {
    if let Some(stream) = long_binary(properties, id)? {
        return sha256_of(&stream).map(Some);
    }
    let value = match properties.value(id)? {
        // HTML names its code page itself, so its bytes are what it is.
        Some(Value::String8(bytes)) if id == tags::HTML => Some(Value::Binary(bytes)),
        value => value,
    };
    let bytes = value.and_then(|value| bytes_of(&value, properties.code_page()));
    Ok(bytes
        .filter(|bytes| !bytes.is_empty())
        .map(|bytes| sha256(&bytes)))
}

/// A binary that is better not read as a whole.
fn long_binary(properties: &Properties, id: u16) -> Result<Option<PropertyStream>> {
    let is_binary = properties
        .context()
        .and_then(|context| context.record(id))
        .is_some_and(|record| record.property_type == PropertyType::BINARY);
    if !is_binary {
        return Ok(None);
    }
    let stream = properties.stream(id)?;
    Ok(stream.filter(|stream| stream.len() > MOST_AT_ONCE))
}

/// `value` as it is hashed; None for objects.
fn bytes_of(value: &Value, code_page: u32) -> Option<Vec<u8>> {
    Some(match value {
        Value::Integer(number) => number.to_string().into_bytes(),
        Value::Integer64(number) => number.to_string().into_bytes(),
        Value::Floating(number) => number.to_le_bytes().to_vec(),
        Value::Boolean(truth) => i32::from(*truth).to_string().into_bytes(),
        Value::Time(time) => time.0.to_string().into_bytes(),
        Value::Guid(guid) => guid.0.to_vec(),
        Value::String(_) | Value::String8(_) => text_of_value(value, code_page)?.into_bytes(),
        Value::Binary(bytes) => bytes.clone(),
        Value::Object { .. } => return None,
        Value::Multiple(values) => {
            let each = values.iter().filter_map(|value| bytes_of(value, code_page));
            each.flat_map(|bytes| sha256(&bytes)).collect()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_width_of_a_number_and_the_encoding_of_text_make_no_difference() {
        let of = |value| bytes_of(&value, 1252);
        assert_eq!(of(Value::Integer(7)), of(Value::Integer64(7)));
        let wide = "Köln".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(
            of(Value::String(wide)),
            of(Value::String8(b"K\xF6ln\0".to_vec()))
        );
    }

    #[test]
    fn white_space_and_controls_are_no_part_of_a_text() {
        assert_eq!(squeezed(" a\r\n\u{a0}b\u{2028}c\0\u{85}."), "abc.");
        assert_eq!(squeezed("it’s"), "it’s");
    }
}
