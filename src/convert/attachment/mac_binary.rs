//! Files from a Mac, stored as MacBinary II: a header, the data of the file, and its resources.
//!
//! What programs open is the data, so that is the file. Where there are resources as well, all that is stored follows it
//! under the same name with `.bin`, the extension of MacBinary: some files of old Macs have nothing else.
#![forbid(unsafe_code)]

use super::item::{Content, Item};
use crate::bytes::{array_at, u8_at};
use crate::convert::byte_range::ByteRange;
use crate::error::Result;
use crate::ltp::tags;
use crate::messaging::Properties;

/// PidTagAttachEncoding of MacBinary II. [MS-OXCMSG] 2.2.2.20
const ENCODING: [u8; 9] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x14, 0x03, 0x0B, 0x01];
const MEDIA_TYPE: &str = "application/macbinary";
const EXTENSION: &str = "bin";
/// Bytes of the header, and offsets in it.
const HEADER: u64 = 128;
const VERSION: usize = 0;
const NAME_LENGTH: usize = 1;
const DATA_LENGTH: usize = 83;
const RESOURCE_LENGTH: usize = 87;

/// `item`, of an attachment with these `properties`, as its data alone, and what is stored if that has more. All but
/// MacBinary stays as it is.
pub(super) fn unpack(mut item: Item, properties: &Properties) -> (Item, Option<Item>) {
    let Some(range) = item.bytes().filter(|_| is_encoded(properties)).cloned() else {
        return (item, None);
    };
    match data(&range) {
        Ok(Some((data, has_resources))) => {
            item.content = Content::Bytes(data);
            let stored = has_resources.then(|| Item {
                created: item.created,
                modified: item.modified,
                problems: item.problems.clone(),
                ..Item::of_file(
                    format!("{}.{EXTENSION}", item.name),
                    Some(MEDIA_TYPE.to_owned()),
                    range,
                )
            });
            (item, stored)
        }
        Ok(None) => (item, None),
        Err(error) => {
            item.content = Content::Unreadable(error);
            (item, None)
        }
    }
}

fn is_encoded(properties: &Properties) -> bool {
    let encoding = properties.binary(tags::ATTACH_ENCODING).ok().flatten();
    encoding.as_deref() == Some(&ENCODING)
}

/// The data of a MacBinary file, and whether it has resources; None when it is none after all.
fn data(range: &ByteRange) -> Result<Option<(ByteRange, bool)>> {
    if range.len() < HEADER {
        return Ok(None);
    }
    let header = range.head(HEADER as usize)?;
    let is_mac_binary = u8_at(&header, VERSION) == Some(0)
        && u8_at(&header, NAME_LENGTH).is_some_and(|length| (1..64).contains(&length));
    let number = |at: usize| array_at(&header, at).map(u32::from_be_bytes);
    let lengths = number(DATA_LENGTH).zip(number(RESOURCE_LENGTH));
    Ok(lengths
        .filter(|_| is_mac_binary)
        .and_then(|(data, resources)| Some((range.part(HEADER, u64::from(data))?, resources > 0))))
}
