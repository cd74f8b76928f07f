//! The identity of a meeting, which all copies of it share. [MS-OXOCAL] 2.2.1.27
#![forbid(unsafe_code)]

use jiff::civil::Date;

use crate::bytes::{array_at, u8_at};
use crate::convert::reader::hex;

/// Offsets of the fields.
const INSTANCE_YEAR: usize = 16;
const INSTANCE_MONTH: usize = 18;
const INSTANCE_DAY: usize = 19;
const DATA: usize = 40;
/// What data begins with if it is a UID that came by the Internet.
const VCAL_UID: &[u8] = b"vCal-Uid\x01\0\0\0";

/// UID of the blob: the one that came, else the blob itself without the day of an instance.
pub(super) fn uid(id: &[u8]) -> Option<String> {
    let foreign = id.get(DATA..).and_then(|data| data.strip_prefix(VCAL_UID));
    if let Some(uid) = foreign {
        let text = uid.split(|byte| *byte == 0).next().unwrap_or_default();
        let text = String::from_utf8_lossy(text);
        if !text.trim().is_empty() {
            return Some(text.into_owned());
        }
    }
    if id.len() < DATA {
        return None;
    }
    let mut clean = id.to_vec();
    clean.get_mut(INSTANCE_YEAR..=INSTANCE_DAY)?.fill(0);
    Some(hex(&clean))
}

/// The day of the instance that the blob is of; None for a whole series or a single meeting.
pub(super) fn instance(id: &[u8]) -> Option<Date> {
    let year = i16::from_be_bytes(array_at(id, INSTANCE_YEAR)?);
    let month = i8::try_from(u8_at(id, INSTANCE_MONTH)?).ok()?;
    let day = i8::try_from(u8_at(id, INSTANCE_DAY)?).ok()?;
    Date::new(year, month, day).ok().filter(|_| year > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(date: [u8; 4], data: &[u8]) -> Vec<u8> {
        let mut blob = b"\x04\0\0\0\x82\0\xE0\0\x74\xC5\xB7\x10\x1A\x82\xE0\x08".to_vec();
        blob.extend(date);
        blob.extend([0; 16]);
        blob.extend((data.len() as u32).to_le_bytes());
        blob.extend(data);
        blob
    }

    #[test]
    fn a_uid_from_the_internet_comes_back_and_others_are_the_blob_without_its_day() {
        let foreign = blob([0; 4], b"vCal-Uid\x01\0\0\0abc@example.org\0");
        assert_eq!(uid(&foreign).unwrap(), "abc@example.org");
        let (day, series) = (blob([0x07, 0xE8, 6, 3], b"xyz"), blob([0; 4], b"xyz"));
        assert_eq!(uid(&day), uid(&series));
        assert!(
            uid(&day)
                .unwrap()
                .starts_with("040000008200E00074C5B7101A82E008")
        );
        assert_eq!(instance(&day), Some(jiff::civil::date(2024, 6, 3)));
        assert_eq!(instance(&series), None);
        assert_eq!(uid(b"short"), None);
    }
}
