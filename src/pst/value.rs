//! Values as a Unicode PST stores them, from those of any source: 8-bit text becomes UTF-16, and what writers do wrong is put
//! right. [MS-PST] 2.3.3.4

use crate::error::Result;
use crate::ltp::{PropertyStream, PropertyType, Value, tags};
use crate::messaging::{Properties, text_of_value};

/// A binary of at most this many bytes is read as a whole; a longer one is copied in parts.
const MOST_AT_ONCE: u64 = 64 << 10;
/// Likewise of text in UTF-16, which is put right if it is read as a whole. 8-bit text becomes twice as long, so that what is
/// written may be longer than what is read as a whole.
const MOST_TEXT_AT_ONCE: u64 = 8 << 20;
/// Bytes that a type without a size of its own takes in the count of a multiple value and in its offsets.
const WORD: usize = 4;

/// A value of known type as its bytes are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub property_type: PropertyType,
    pub bytes: Vec<u8>,
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
    pub fn new(property_type: PropertyType, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            property_type,
            bytes: bytes.into(),
        }
    }

    /// PtypInteger32.
    pub fn integer(number: i32) -> Self {
        Self::new(PropertyType::INTEGER32, number.to_le_bytes())
    }

    /// PtypBoolean.
    pub fn boolean(truth: bool) -> Self {
        Self::new(PropertyType::BOOLEAN, [u8::from(truth)])
    }

    /// PtypString.
    pub fn string(text: &str) -> Self {
        Self::new(PropertyType::STRING, utf16(text))
    }

    /// PtypBinary.
    pub fn binary(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(PropertyType::BINARY, bytes)
    }

    /// PtypTime.
    pub fn time(ticks: u64) -> Self {
        Self::new(PropertyType::TIME, ticks.to_le_bytes())
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
    pub fn of_value(value: &Value, code_page: u32) -> Option<Self> {
        Some(match value {
            Value::Integer(number) => Self::integer(*number),
            Value::Integer64(number) => Self::new(PropertyType::INTEGER64, number.to_le_bytes()),
            Value::Floating(number) => Self::new(PropertyType::FLOATING64, number.to_le_bytes()),
            Value::Boolean(truth) => Self::boolean(*truth),
            Value::Time(time) => Self::time(time.0),
            Value::Guid(guid) => Self::new(PropertyType::GUID, guid.0),
            Value::String(_) | Value::String8(_) => text(value, code_page)?,
            Value::Binary(bytes) => Self::binary(bytes.clone()),
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
        let stored = value.and_then(|value| Stored::of_value(&value, code_page));
        return Ok(stored.map(Read::Whole));
    };
    let own = record.property_type;
    if let Some(number) = record.inline() {
        let bytes = number.to_le_bytes();
        let size = own.fixed_size().unwrap_or(bytes.len());
        let stored = match own {
            PropertyType::BOOLEAN => Stored::boolean(bytes.first().is_some_and(|byte| *byte != 0)),
            own => Stored::new(own, bytes.get(..size).unwrap_or_default()),
        };
        return Ok(Some(Read::Whole(stored)));
    }
    let most_at_once = match own {
        PropertyType::BINARY => MOST_AT_ONCE,
        PropertyType::STRING => MOST_TEXT_AT_ONCE,
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
            value => value.and_then(|value| Stored::of_value(&value, code_page)),
        };
        return Ok(stored.map(Read::Whole));
    }
    if single == PropertyType::BINARY && own != single {
        let value = properties.value(id)?;
        let stored = value.and_then(|value| Stored::of_value(&value, code_page));
        return Ok(stored.map(Read::Whole));
    }
    let Some(size) = single
        .fixed_size()
        .or((own == PropertyType::BINARY).then_some(1))
    else {
        return Ok(None);
    };
    let mut bytes = context.bytes(id)?.unwrap_or_default().bytes;
    match own == single && own != PropertyType::BINARY {
        true if bytes.len() < size => return Ok(None),
        true => bytes.truncate(size),
        false => bytes.truncate(bytes.len() / size * size),
    }
    Ok(Some(Read::Whole(Stored::new(own, bytes))))
}

/// Text as UTF-16 without NULs at its end.
fn text(value: &Value, code_page: u32) -> Option<Stored> {
    let Value::String(bytes) = value else {
        return Some(Stored::string(&text_of_value(value, code_page)?));
    };
    // 8-bit text under the type of UTF-16 text is known to who reads texts.
    if bytes.starts_with(b"IPF.") || bytes.starts_with(b"IPM.") {
        return Some(Stored::string(&text_of_value(value, code_page)?));
    }
    // Else the units stay as they are, halves of pairs among them.
    let (units, _) = bytes.as_chunks::<2>();
    let last = units.iter().rposition(|unit| *unit != [0, 0]);
    let units = last.and_then(|last| units.get(..=last)).unwrap_or_default();
    Some(Stored::new(PropertyType::STRING, units.as_flattened()))
}

/// A value of several: a count, where each begins, their bytes. Those of a fixed size are only bytes.
fn multiple(values: &[Value], code_page: u32) -> Option<Stored> {
    let values: Option<Vec<Stored>> = values
        .iter()
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
