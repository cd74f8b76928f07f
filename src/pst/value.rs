//! Values as a Unicode PST stores them, from those of any source: 8-bit text becomes UTF-16, and what writers do wrong is put
//! right. [MS-PST] 2.3.3.4

use smallvec::SmallVec;

use super::rtf;
use crate::error::Result;
use crate::ltp::{HnidTarget, PropertyStream, PropertyType, Value, tags};
use crate::messaging::{Properties, text_of_value};

/// A binary of at most this many bytes is read as a whole; a longer one is copied in parts.
const MOST_AT_ONCE: u64 = 64 << 10;
/// Likewise of compressed RTF and of text in UTF-16, which is put right if it is read as a whole. 8-bit text becomes twice as long, so that what is
/// written may be longer than what is read as a whole.
const MOST_TEXT_AT_ONCE: u64 = 8 << 20;
/// Bytes that a type without a size of its own takes in the count of a multiple value and in its offsets.
const WORD: usize = 4;

/// Bytes of a value. Most values are short, and take no allocation of their own.
pub(super) type Bytes = SmallVec<[u8; SHORT]>;
/// Bytes of the longest value of a fixed size: PtypGuid.
const SHORT: usize = 16;

/// A value of known type as its bytes are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub property_type: PropertyType,
    pub bytes: Bytes,
}

/// Values of a row, by property.
pub(super) type Cells = Vec<(u16, Stored)>;

/// A value that was read.
pub(super) enum Read {
    Whole(Stored),
    /// A long value of a type, to be copied in parts.
    Stream(PropertyType, PropertyStream),
}

impl Stored {
    /// A value of `property_type`.
    pub fn new(property_type: PropertyType, bytes: Vec<u8>) -> Self {
        Self {
            property_type,
            bytes: bytes.into(),
        }
    }

    /// A copy of `bytes` as a value of `property_type`.
    pub fn of_bytes(property_type: PropertyType, bytes: &[u8]) -> Self {
        Self {
            property_type,
            bytes: Bytes::from_slice(bytes),
        }
    }

    /// PtypInteger32.
    pub fn integer(number: i32) -> Self {
        Self::of_bytes(PropertyType::INTEGER32, &number.to_le_bytes())
    }

    /// PtypBoolean.
    pub fn boolean(truth: bool) -> Self {
        Self::of_bytes(PropertyType::BOOLEAN, &[u8::from(truth)])
    }

    /// PtypString.
    pub fn string(text: &str) -> Self {
        Self::new(PropertyType::STRING, utf16(text))
    }

    /// PtypBinary.
    pub fn binary(bytes: Vec<u8>) -> Self {
        Self::new(PropertyType::BINARY, bytes)
    }

    /// PtypTime.
    pub fn time(ticks: u64) -> Self {
        Self::of_bytes(PropertyType::TIME, &ticks.to_le_bytes())
    }

    /// The value as a number, if a property context keeps it in the record itself.
    pub fn inline(&self) -> Option<u32> {
        if !self.property_type.is_inline() {
            return None;
        }
        let mut number = [0; WORD];
        for (to, from) in number.iter_mut().zip(&self.bytes) {
            *to = *from;
        }
        Some(u32::from_le_bytes(number))
    }

    /// The number that a PtypInteger32 is.
    pub fn as_integer(&self) -> Option<i32> {
        let is_integer = self.property_type == PropertyType::INTEGER32;
        is_integer
            .then(|| self.inline())
            .flatten()
            .map(|number| number as i32)
    }

    /// A value that was decoded; None for those that only a property of an attachment can have.
    pub fn of_value(value: Value, code_page: u32) -> Option<Self> {
        Some(match value {
            Value::Integer(number) => Self::integer(number),
            Value::Integer64(number) => {
                Self::of_bytes(PropertyType::INTEGER64, &number.to_le_bytes())
            }
            Value::Floating(number) => {
                Self::of_bytes(PropertyType::FLOATING64, &number.to_le_bytes())
            }
            Value::Boolean(truth) => Self::boolean(truth),
            Value::Time(time) => Self::time(time.0),
            Value::Guid(guid) => Self::of_bytes(PropertyType::GUID, &guid.0),
            Value::String(_) | Value::String8(_) => text(value, code_page)?,
            Value::Binary(bytes) => Self::binary(bytes),
            Value::Object { .. } => return None,
            Value::Multiple(values) => return multiple(values, code_page),
        })
    }
}

/// `text` as UTF-16LE.
pub(super) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Reads property `id` of `properties`; None if it has no type that a PST can have, or is an object.
pub(super) fn read(properties: &Properties, id: u16) -> Result<Option<Read>> {
    let code_page = properties.code_page();
    let record = properties
        .context()
        .and_then(|context| Some((context, context.record(id)?)));
    let Some((context, record)) = record else {
        let value = properties.value(id)?;
        let stored = value.and_then(|value| Stored::of_value(value, code_page));
        return Ok(stored.map(Read::Whole));
    };
    let own = record.property_type;
    if let Some(number) = record.inline() {
        let bytes = number.to_le_bytes();
        let size = own.fixed_size().unwrap_or(bytes.len());
        let stored = match own {
            PropertyType::BOOLEAN => Stored::boolean(bytes.first().is_some_and(|byte| *byte != 0)),
            own => Stored::of_bytes(own, bytes.get(..size).unwrap_or_default()),
        };
        return Ok(Some(Read::Whole(stored)));
    }
    // What is in the heap is never long.
    let is_subnode = matches!(record.target(), Some(HnidTarget::Subnode(_)));
    let most_at_once = match own {
        PropertyType::BINARY if is_subnode && id == tags::RTF_COMPRESSED => MOST_TEXT_AT_ONCE,
        PropertyType::BINARY if is_subnode => MOST_AT_ONCE,
        PropertyType::STRING if is_subnode => MOST_TEXT_AT_ONCE,
        _ => u64::MAX,
    };
    if most_at_once < u64::MAX
        && let Some(stream) = properties.stream(id)?
        && stream.len() > most_at_once
    {
        return Ok(Some(Read::Stream(own, stream)));
    }
    let single = own.single().unwrap_or(own);
    let is_text = matches!(single, PropertyType::STRING | PropertyType::STRING8);
    if is_text || id == tags::HTML {
        let value = properties.value(id)?;
        // The bytes of a body in HTML are in the code page that it names itself.
        let stored = match value {
            Some(Value::String8(bytes)) if id == tags::HTML => Some(Stored::binary(bytes)),
            value => value.and_then(|value| Stored::of_value(value, code_page)),
        };
        return Ok(stored.map(Read::Whole));
    }
    if single == PropertyType::BINARY && own != single {
        let value = properties.value(id)?;
        let stored = value.and_then(|value| Stored::of_value(value, code_page));
        return Ok(stored.map(Read::Whole));
    }
    let Some(size) = single
        .fixed_size()
        .or((own == PropertyType::BINARY).then_some(1))
    else {
        return Ok(None);
    };
    let read = context.bytes(id)?.unwrap_or_default();
    let mut bytes = match id {
        tags::RTF_COMPRESSED => rtf::readable(properties, read),
        _ => read.bytes,
    };
    match own == single && own != PropertyType::BINARY {
        true if bytes.len() < size => return Ok(None),
        true => bytes.truncate(size),
        false => bytes.truncate(bytes.len() / size * size),
    }
    Ok(Some(Read::Whole(Stored::new(own, bytes))))
}

/// Text as UTF-16 without NULs at its end.
fn text(value: Value, code_page: u32) -> Option<Stored> {
    // 8-bit text under the type of UTF-16 text is known to who reads texts.
    let mut bytes = match value {
        Value::String(bytes) if !bytes.starts_with(b"IPF.") && !bytes.starts_with(b"IPM.") => bytes,
        value => return Some(Stored::string(&text_of_value(&value, code_page)?)),
    };
    // Else the units stay as they are, halves of pairs among them.
    let (units, _) = bytes.as_chunks::<2>();
    let last = units.iter().rposition(|unit| *unit != [0, 0]);
    bytes.truncate(last.map_or(0, |last| (last + 1) * 2));
    Some(Stored::new(PropertyType::STRING, bytes))
}

/// A value of several: a count, where each begins, their bytes. Those of a fixed size are only bytes.
fn multiple(values: Vec<Value>, code_page: u32) -> Option<Stored> {
    let values: Option<Vec<Stored>> = values
        .into_iter()
        .map(|value| Stored::of_value(value, code_page))
        .collect();
    let values = values?;
    let single = values.first().map(|value| value.property_type)?;
    let property_type = PropertyType(single.0 | PropertyType::MULTIPLE);
    let mut bytes = Vec::new();
    if single.fixed_size().is_none() {
        bytes.extend((values.len() as u32).to_le_bytes());
        let mut at = WORD + WORD * values.len();
        for value in &values {
            bytes.extend((at as u32).to_le_bytes());
            at += value.bytes.len();
        }
    }
    bytes.extend(values.into_iter().flat_map(|value| value.bytes));
    Some(Stored::new(property_type, bytes))
}
