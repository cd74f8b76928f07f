//! Property types and values. [MS-OXCDATA] 2.11.1, [MS-PST] 2.3.3.2
//!
//! Strings stay bytes here: 8-bit ones need a code page, which only the message knows.

use std::fmt;
use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::bytes::{array_at, u16_at, u32_at, u64_at};

/// `wPropType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyType(pub u16);

impl PropertyType {
    /// PtypInteger16
    pub const INTEGER16: PropertyType = PropertyType(0x0002);
    /// PtypInteger32
    pub const INTEGER32: PropertyType = PropertyType(0x0003);
    /// PtypFloating32
    pub const FLOATING32: PropertyType = PropertyType(0x0004);
    /// PtypFloating64
    pub const FLOATING64: PropertyType = PropertyType(0x0005);
    /// PtypCurrency
    pub const CURRENCY: PropertyType = PropertyType(0x0006);
    /// PtypFloatingTime
    pub const FLOATING_TIME: PropertyType = PropertyType(0x0007);
    /// PtypErrorCode
    pub const ERROR_CODE: PropertyType = PropertyType(0x000A);
    /// PtypBoolean
    pub const BOOLEAN: PropertyType = PropertyType(0x000B);
    /// PtypObject
    pub const OBJECT: PropertyType = PropertyType(0x000D);
    /// PtypInteger64
    pub const INTEGER64: PropertyType = PropertyType(0x0014);
    /// PtypString8
    pub const STRING8: PropertyType = PropertyType(0x001E);
    /// PtypString, UTF-16LE
    pub const STRING: PropertyType = PropertyType(0x001F);
    /// PtypTime
    pub const TIME: PropertyType = PropertyType(0x0040);
    /// PtypGuid
    pub const GUID: PropertyType = PropertyType(0x0048);
    /// PtypBinary
    pub const BINARY: PropertyType = PropertyType(0x0102);
    /// Flag of the multi-valued types.
    pub const MULTIPLE: u16 = 0x1000;

    /// Bytes of one value of a fixed-size type; None for strings, binaries, objects and unknown types.
    pub fn fixed_size(self) -> Option<usize> {
        Some(match self {
            Self::BOOLEAN => 1,
            Self::INTEGER16 => 2,
            Self::INTEGER32 | Self::FLOATING32 | Self::ERROR_CODE => 4,
            Self::FLOATING64
            | Self::CURRENCY
            | Self::FLOATING_TIME
            | Self::INTEGER64
            | Self::TIME => 8,
            Self::GUID => 16,
            _ => return None,
        })
    }

    /// Whether a property context keeps the value in the record itself.
    pub fn is_inline(self) -> bool {
        self.fixed_size().is_some_and(|size| size <= 4)
    }

    /// The type of one value of a multi-valued type.
    pub fn single(self) -> Option<PropertyType> {
        (self.0 & Self::MULTIPLE != 0).then_some(PropertyType(self.0 & !Self::MULTIPLE))
    }
}

/// 128-bit id as stored: the first three fields little-endian.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Guid(pub [u8; 16]);

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g, h, i, rest @ ..] = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-",
            u32::from_le_bytes([a, b, c, d]),
            u16::from_le_bytes([e, g]),
            u16::from_le_bytes([h, i])
        )?;
        for (index, byte) in rest.iter().enumerate() {
            if index == 2 {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// PtypTime: ticks of 100 ns since 1601-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileTime(pub u64);

impl FileTime {
    /// 4501-01-01, Outlook's way to say "no date", on any clock of the world.
    const NONE: Range<u64> = 0x0CB3_4557_A3DD_4000..0x0CB3_4557_A3DD_4000 + Self::TICKS_PER_DAY;
    /// The first day of the year 10000, which no calendar of mail can write.
    const YEAR_10000: u64 = 0x24C8_5A5E_D1C0_4000;
    const TICKS_PER_SECOND: u64 = 10_000_000;
    const TICKS_PER_DAY: u64 = 24 * 60 * 60 * Self::TICKS_PER_SECOND;
    /// Seconds from 1601-01-01 to 1970-01-01.
    const UNIX_EPOCH_SECONDS: i64 = 11_644_473_600;

    /// The time, unless it is one of the values that mean there is none, or past the year 9999.
    pub fn known(self) -> Option<FileTime> {
        let is_time = self.0 != 0 && !self.means_none() && self.is_writable();
        is_time.then_some(self)
    }

    /// Whether it is Outlook's way to say that there is no date.
    pub fn means_none(self) -> bool {
        Self::NONE.contains(&self.0)
    }

    /// Whether it is within the years that have four digits.
    pub fn is_writable(self) -> bool {
        self.0 < Self::YEAR_10000
    }

    /// `seconds` after 1970-01-01 UTC; 1601-01-01 for what is before it.
    pub fn of_unix_seconds(seconds: i64) -> FileTime {
        let since_1601 = seconds.saturating_add(Self::UNIX_EPOCH_SECONDS);
        let since_1601 = u64::try_from(since_1601).unwrap_or_default();
        FileTime(since_1601.saturating_mul(Self::TICKS_PER_SECOND))
    }

    /// The same time of the next day.
    pub fn next_day(self) -> FileTime {
        FileTime(self.0.saturating_add(Self::TICKS_PER_DAY))
    }

    /// Whole seconds since 1970-01-01 UTC, negative before.
    pub fn unix_seconds(self) -> i64 {
        (self.0 / Self::TICKS_PER_SECOND) as i64 - Self::UNIX_EPOCH_SECONDS
    }

    /// Ticks beyond the whole second.
    pub fn subsecond_ticks(self) -> u32 {
        (self.0 % Self::TICKS_PER_SECOND) as u32
    }

    /// As the system counts. Of what it cannot count, if there is any, the nearest that it can.
    pub fn system_time(self) -> SystemTime {
        let part = Duration::from_nanos(u64::from(self.subsecond_ticks()) * 100);
        let seconds = self.unix_seconds();
        let whole = Duration::from_secs(seconds.unsigned_abs());
        let time = match seconds {
            0.. => UNIX_EPOCH.checked_add(whole),
            _ => UNIX_EPOCH.checked_sub(whole),
        };
        time.and_then(|time| time.checked_add(part))
            .unwrap_or(UNIX_EPOCH)
    }
}

/// A decoded property value. Strings are still in their stored encoding.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// PtypInteger16, PtypInteger32, PtypErrorCode
    Integer(i32),
    /// PtypInteger64, PtypCurrency
    Integer64(i64),
    /// PtypFloating32, PtypFloating64, PtypFloatingTime
    Floating(f64),
    /// PtypBoolean
    Boolean(bool),
    /// PtypTime
    Time(FileTime),
    /// PtypGuid
    Guid(Guid),
    /// PtypString: UTF-16LE bytes
    String(Vec<u8>),
    /// PtypString8: bytes in the code page of the message
    String8(Vec<u8>),
    /// PtypBinary
    Binary(Vec<u8>),
    /// PtypObject: the subnode with the data, and its size in bytes
    Object {
        /// Subnode of the attachment that has the data.
        nid: u32,
        /// Size in bytes as declared.
        size: u32,
    },
    /// Any multi-valued type
    Multiple(Vec<Value>),
}

impl Value {
    /// Bytes of memory that it takes.
    pub fn weight(&self) -> usize {
        let beside = match self {
            Value::String(bytes) | Value::String8(bytes) | Value::Binary(bytes) => bytes.len(),
            Value::Multiple(values) => values.iter().map(Value::weight).sum(),
            _ => 0,
        };
        size_of::<Self>() + beside
    }

    /// Decodes the stored bytes of a value; None when they are too short or the type is unknown.
    pub fn decode(property_type: PropertyType, bytes: &[u8]) -> Option<Value> {
        if let Some(single) = property_type.single() {
            return Some(Value::Multiple(decode_multiple(single, bytes)?));
        }
        Some(match property_type {
            PropertyType::INTEGER16 => Value::Integer(i32::from(u16_at(bytes, 0)? as i16)),
            PropertyType::INTEGER32 | PropertyType::ERROR_CODE => {
                Value::Integer(u32_at(bytes, 0)? as i32)
            }
            PropertyType::FLOATING32 => {
                Value::Floating(f64::from(f32::from_bits(u32_at(bytes, 0)?)))
            }
            PropertyType::FLOATING64 | PropertyType::FLOATING_TIME => {
                Value::Floating(f64::from_bits(u64_at(bytes, 0)?))
            }
            // The bytes above the lowest one are garbage in real files.
            PropertyType::BOOLEAN => Value::Boolean(*bytes.first()? != 0),
            PropertyType::INTEGER64 | PropertyType::CURRENCY => {
                Value::Integer64(u64_at(bytes, 0)? as i64)
            }
            PropertyType::TIME => Value::Time(FileTime(u64_at(bytes, 0)?)),
            PropertyType::GUID => Value::Guid(Guid(array_at(bytes, 0)?)),
            PropertyType::STRING => Value::String(bytes.to_vec()),
            PropertyType::STRING8 => Value::String8(bytes.to_vec()),
            PropertyType::BINARY => Value::Binary(bytes.to_vec()),
            PropertyType::OBJECT => Value::Object {
                nid: u32_at(bytes, 0)?,
                size: u32_at(bytes, 4)?,
            },
            _ => return None,
        })
    }
}

/// Fixed-size values are packed; others have a count, an offset each, then the bytes. [MS-PST] 2.3.3.4
fn decode_multiple(single: PropertyType, bytes: &[u8]) -> Option<Vec<Value>> {
    if let Some(size) = single.fixed_size() {
        return Some(
            bytes
                .chunks_exact(size)
                .filter_map(|value| Value::decode(single, value))
                .collect(),
        );
    }
    let Some(count) = u32_at(bytes, 0) else {
        return Some(Vec::new());
    };
    // An offset takes four bytes, so the count cannot be larger than this whatever it states.
    let count = (count as usize).min(bytes.len() / 4);
    let offset = |index: usize| u32_at(bytes, 4 + 4 * index).map(|offset| offset as usize);
    let mut values = Vec::new();
    let mut total = 0usize;
    for index in 0..count {
        let Some(start) = offset(index) else { break };
        // A count that lies must not cost the values that are there.
        let next = (index + 1 < count).then(|| offset(index + 1)).flatten();
        let end = next.unwrap_or(bytes.len());
        let Some(value) = bytes.get(start..end.min(bytes.len())) else {
            continue;
        };
        // Overlapping items would multiply the bytes of the file.
        total = total.saturating_add(value.len());
        if total > bytes.len() {
            break;
        }
        values.extend(Value::decode(single, value));
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PtypMultipleString8 with the given count and offsets, then `text`.
    fn strings(count: u32, offsets: &[u32], text: &[u8]) -> Vec<Value> {
        let mut bytes = count.to_le_bytes().to_vec();
        bytes.extend(offsets.iter().flat_map(|offset| offset.to_le_bytes()));
        bytes.extend(text);
        let multiple = PropertyType(PropertyType::STRING8.0 | PropertyType::MULTIPLE);
        match Value::decode(multiple, &bytes) {
            Some(Value::Multiple(values)) => values,
            other => panic!("{other:?}"),
        }
    }

    fn text(text: &[u8]) -> Value {
        Value::String8(text.to_vec())
    }

    /// Ticks from Python: int((datetime(...) - datetime(1601, 1, 1)).total_seconds()) * 10**7.
    #[test]
    fn a_time_is_known_unless_it_means_none_or_has_no_four_digits() {
        const LAST_SECOND_OF_9999: u64 = 2_650_467_743_990_000_000;
        const IN_1899: u64 = 94_353_120_000_000_000;
        const DAY: u64 = FileTime::TICKS_PER_DAY;
        for known in [1, IN_1899, LAST_SECOND_OF_9999, FileTime::NONE.end] {
            assert_eq!(FileTime(known).known(), Some(FileTime(known)), "{known:#x}");
        }
        let none = [0, FileTime::NONE.start, FileTime::NONE.start + DAY / 2];
        let past = LAST_SECOND_OF_9999 + FileTime::TICKS_PER_SECOND;
        for none in none.into_iter().chain([past, i64::MAX as u64, u64::MAX]) {
            assert_eq!(FileTime(none).known(), None, "{none:#x}");
        }
        let seconds = FileTime(IN_1899).unix_seconds();
        let before = FileTime(IN_1899 + 15_000_000).system_time();
        let distance = UNIX_EPOCH.duration_since(before).unwrap();
        assert_eq!(
            distance,
            Duration::from_millis(seconds.unsigned_abs() * 1000 - 1500)
        );
    }

    #[test]
    fn f26_multiple_values_with_odd_offsets_keep_what_can_be_read() {
        assert_eq!(
            strings(2, &[12, 14], b"onetwo"),
            [text(b"on"), text(b"etwo")]
        );
        assert_eq!(strings(2, &[12, 12], b"two"), [text(b""), text(b"two")]);
        assert_eq!(strings(2, &[12, 15], b"one"), [text(b"one"), text(b"")]);
        assert_eq!(strings(2, &[12, 9999], b"one"), [text(b"one")]);
        assert_eq!(strings(2, &[9999, 12], b"two"), [text(b"two")]);
        assert_eq!(strings(0, &[], b""), []);
        // Offsets that all lead to the start must not multiply the bytes.
        let many = strings(u32::MAX, &[0; 1000], b"");
        assert!(many.len() <= 1001);
    }
}
