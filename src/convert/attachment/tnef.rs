//! TNEF (winmail.dat): the attachments within are shown behind it. [MS-OXTNEF] 2.1
//!
//! Only the headers of attributes are read; the content of a file stays a range of the stream.
#![forbid(unsafe_code)]

use super::item::{Item, base_name};
use crate::bytes::{u8_at, u16_at, u32_at};
use crate::codepage;
use crate::convert::byte_range::ByteRange;

const SIGNATURE: u32 = 0x223E_9F78;
/// Signature and key.
const HEADER: u64 = 6;
/// Level, id, length.
const ATTRIBUTE_HEADER: u64 = 9;
/// Checksum behind the data.
const ATTRIBUTE_TRAILER: u64 = 2;
const LEVEL_ATTACHMENT: u8 = 2;
const ATT_ATTACH_REND_DATA: u32 = 0x0006_9002;
const ATT_ATTACH_TITLE: u32 = 0x0001_8010;
const ATT_ATTACH_DATA: u32 = 0x0006_800F;
const ATT_ATTACHMENT: u32 = 0x0006_9005;
const ATT_OEM_CODEPAGE: u32 = 0x0006_9007;
/// Attributes looked at; more are damage.
const MAX_ATTRIBUTES: usize = 16_384;
/// Bytes of a name, and of the properties of an attachment that are searched for one.
const MAX_TITLE: usize = 1024;
const MAX_PROPERTIES: usize = 64 << 10;
const LONG_FILENAME: u32 = 0x3707_001F;

/// The files in `item` if it is TNEF; none when it is not, or damaged.
pub(super) fn unpack(item: &Item) -> Vec<Item> {
    let is_tnef = item.name.eq_ignore_ascii_case("winmail.dat")
        || ["application/ms-tnef", "application/vnd.ms-tnef"].contains(&item.media_type.as_str());
    match item.bytes() {
        Some(range) if is_tnef => files(range),
        _ => Vec::new(),
    }
}

#[derive(Default)]
struct File {
    title: Option<String>,
    long_name: Option<String>,
    data: Option<ByteRange>,
}

fn files(range: &ByteRange) -> Vec<Item> {
    let mut files: Vec<File> = Vec::new();
    let mut code_page = codepage::WINDOWS_LATIN1;
    let signature = range
        .head(HEADER as usize)
        .ok()
        .and_then(|header| u32_at(&header, 0));
    let mut at = if signature == Some(SIGNATURE) {
        HEADER
    } else {
        range.len()
    };
    for _ in 0..MAX_ATTRIBUTES {
        let Some((level, id, data)) = attribute(range, at) else {
            break;
        };
        at += ATTRIBUTE_HEADER + data.len() + ATTRIBUTE_TRAILER;
        match (level, id, files.last_mut()) {
            (_, ATT_OEM_CODEPAGE, _) => {
                let page = data.head(4).ok().and_then(|page| u32_at(&page, 0));
                code_page = page.unwrap_or(code_page);
            }
            (LEVEL_ATTACHMENT, ATT_ATTACH_REND_DATA, _) => files.push(File::default()),
            (LEVEL_ATTACHMENT, ATT_ATTACH_TITLE, Some(file)) => {
                let title = data.head(MAX_TITLE).unwrap_or_default();
                let title = title.split(|byte| *byte == 0).next().unwrap_or_default();
                file.title = base_name(&codepage::decode(code_page, title));
            }
            (LEVEL_ATTACHMENT, ATT_ATTACH_DATA, Some(file)) => file.data = Some(data),
            (LEVEL_ATTACHMENT, ATT_ATTACHMENT, Some(file)) => {
                file.long_name = long_name(&data.head(MAX_PROPERTIES).unwrap_or_default());
            }
            _ => {}
        }
    }
    let item = |(index, file): (usize, File)| {
        let name = file.long_name.or(file.title);
        let name = name.unwrap_or_else(|| format!("winmail-{}.bin", index + 1));
        Some(Item::of_file(name, None, file.data?))
    };
    files.into_iter().enumerate().filter_map(item).collect()
}

fn attribute(range: &ByteRange, at: u64) -> Option<(u8, u32, ByteRange)> {
    let mut header = [0; ATTRIBUTE_HEADER as usize];
    range
        .part(at, ATTRIBUTE_HEADER)?
        .read_exact_at(0, &mut header)
        .ok()?;
    let (level, id, length) = (u8_at(&header, 0)?, u32_at(&header, 1)?, u32_at(&header, 5)?);
    Some((
        level,
        id,
        range.part(at + ATTRIBUTE_HEADER, u64::from(length))?,
    ))
}

/// PidTagAttachLongFilename, found by its tag: type and id, one value, its length, UTF-16. Full parsing would have to
/// know every type of property that may come before.
fn long_name(properties: &[u8]) -> Option<String> {
    let tag = LONG_FILENAME.to_le_bytes();
    let at = properties
        .windows(tag.len())
        .step_by(4)
        .position(|window| window == tag)?
        * 4;
    if u32_at(properties, at + 4)? != 1 {
        return None;
    }
    let length = u32_at(properties, at + 8)? as usize;
    let text = properties.get(at + 12..)?.get(..length)?;
    let end = text
        .chunks_exact(2)
        .position(|unit| u16_at(unit, 0) == Some(0));
    let text = text.get(..end.map_or(length, |units| 2 * units))?;
    base_name(&codepage::decode_utf16le(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::attachment::item::Content;

    fn attribute(level: u8, id: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = vec![level];
        bytes.extend(id.to_le_bytes());
        bytes.extend((data.len() as u32).to_le_bytes());
        bytes.extend(data);
        let sum = data
            .iter()
            .fold(0u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
        bytes.extend(sum.to_le_bytes());
        bytes
    }

    fn winmail(bytes: Vec<u8>) -> Item {
        Item::of_file("WINMAIL.DAT".into(), None, ByteRange::of_bytes(bytes))
    }

    #[test]
    fn files_come_out_under_their_long_names() {
        let name: Vec<u8> = "\u{dc}bersicht.pdf\0"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let mut properties = vec![1, 0, 0, 0];
        properties.extend(LONG_FILENAME.to_le_bytes());
        properties.extend(1u32.to_le_bytes());
        properties.extend((name.len() as u32).to_le_bytes());
        properties.extend(name);
        let bytes = [
            SIGNATURE.to_le_bytes().to_vec(),
            vec![1, 0],
            attribute(1, 0x0008_9006, &[0, 0, 1, 0]),
            attribute(2, ATT_ATTACH_REND_DATA, &[1; 14]),
            attribute(2, ATT_ATTACH_TITLE, b"UBERSI~1.PDF\0"),
            attribute(2, ATT_ATTACH_DATA, b"%PDF"),
            attribute(2, ATT_ATTACHMENT, &properties),
            attribute(2, ATT_ATTACH_REND_DATA, &[1; 14]),
            attribute(2, ATT_ATTACH_DATA, b"second"),
            attribute(2, ATT_ATTACH_TITLE, b"..\\b.txt\0"),
        ];
        let files = unpack(&winmail(bytes.concat()));
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["\u{dc}bersicht.pdf", "b.txt"]);
        let Content::Bytes(range) = &files[0].content else {
            panic!("no bytes");
        };
        assert_eq!(range.head(100).unwrap(), b"%PDF");
    }

    #[test]
    fn what_is_cut_off_or_lies_gives_what_there_is() {
        let lying = [
            SIGNATURE.to_le_bytes().to_vec(),
            vec![1, 0],
            attribute(2, ATT_ATTACH_REND_DATA, &[1; 14]),
            attribute(2, ATT_ATTACH_DATA, b"whole"),
            vec![2, 0x0F, 0x80, 6, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1],
        ];
        assert_eq!(unpack(&winmail(lying.concat())).len(), 1);
        assert!(unpack(&winmail(b"not tnef".to_vec())).is_empty());
        assert!(unpack(&winmail(Vec::new())).is_empty());
    }
}
