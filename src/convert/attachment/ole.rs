//! OLE objects: the file or picture within is shown behind the object, so that programs open it. [MS-OLEDS]
//!
//! The object is a compound file, or a stream of OLE 1.0. Only its headers are read; the content stays a range of it.
#![forbid(unsafe_code)]

use super::compound_file::CompoundFile;
use super::item::{Item, base_name};
use super::picture::{self, ClipboardFormat};
use crate::bytes::{u16_at, u32_at};
use crate::codepage;
use crate::convert::byte_range::ByteRange;

/// The media type of an OLE object as such.
pub(super) const MEDIA_TYPE: &str = "application/x-ole-storage";
/// Its extension.
pub(super) const EXTENSION: &str = "ole";
/// Bytes of a name or path.
const MAX_STRING: u32 = 4096;

/// What is in an object.
struct Within {
    /// Its own name, if it is a file that has one.
    name: Option<String>,
    extension: &'static str,
    content: ByteRange,
}

/// What is in the OLE object `item`, whose 8-bit strings are in `code_page`; None when it is none, or has nothing that other
/// programs open.
pub(super) fn unpack(item: &Item, code_page: u32) -> Option<Item> {
    let object = item.bytes().filter(|_| item.media_type == MEDIA_TYPE)?;
    let within = match CompoundFile::open(object) {
        Some(file) => of_compound_file(file, code_page),
        None => of_first_version(Fields::of(object, code_page)),
    }?;
    let name = within.name.unwrap_or_else(|| {
        let stem = item.name.strip_suffix(EXTENSION);
        let stem = stem.and_then(|stem| stem.strip_suffix('.'));
        format!("{}.{}", stem.unwrap_or(&item.name), within.extension)
    });
    Some(Item {
        created: item.created,
        modified: item.modified,
        problems: item.problems.clone(),
        ..Item::of_file(name, None, within.content)
    })
}

/// Classes whose objects are nothing but a picture, as GUIDs lie in a file.
const STATIC: [([u8; 16], ClipboardFormat); 3] = [
    (component(0x315), ClipboardFormat::Metafile),
    (component(0x316), ClipboardFormat::Bitmap),
    (component(0x319), ClipboardFormat::EnhancedMetafile),
];

/// Classes whose stream `Package` is a file of that extension: Word.Document.12, Excel.Sheet.12, PowerPoint.Show.12.
const PACKAGED: [([u8; 16], &str); 3] = [
    (
        *b"\x9B\x4C\x75\xF4\xF5\x64\x40\x4B\x8A\xF4\x67\x97\x32\xAC\x06\x07",
        "docx",
    ),
    (component(0x0002_0830), "xlsx"),
    (
        *b"\xF4\x55\x4F\xCF\x87\x8F\x47\x4D\x80\xBB\x58\x08\x16\x4B\xB3\xF8",
        "pptx",
    ),
];

/// {number-0000-0000-C000-000000000046}
const fn component(number: u32) -> [u8; 16] {
    let [a, b, c, d] = number.to_le_bytes();
    [a, b, c, d, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46]
}

fn of_class<T: Copy>(classes: &[([u8; 16], T)], clsid: [u8; 16]) -> Option<T> {
    let known = classes.iter().find(|(class, _)| *class == clsid);
    known.map(|(_, meaning)| *meaning)
}

/// The best of the streams in which servers keep what is theirs. [MS-OLEDS] 2.3
fn of_compound_file(mut file: CompoundFile, code_page: u32) -> Option<Within> {
    let picture = of_class(&STATIC, file.clsid);
    if let Some(contents) = file.stream("CONTENTS")
        && let Some(within) = of_native(contents, picture)
    {
        return Some(within);
    }
    if let Some(content) = file.stream("Package") {
        let extension = of_class(&PACKAGED, file.clsid).unwrap_or("zip");
        return Some(Within {
            name: None,
            extension,
            content,
        });
    }
    if let Some(native) = file.stream("\u{1}Ole10Native") {
        let mut fields = Fields::of(&native, code_page);
        let native = fields.u32().and_then(|length| fields.part(length));
        if let Some(within) = native.and_then(|native| of_package_or_native(native, code_page)) {
            return Some(within);
        }
    }
    let shown = file.stream("\u{2}OlePres000")?;
    presentation(Fields::of(&shown, code_page))
}

/// Data that a program opens as it is, or a picture in `format`.
fn of_native(content: ByteRange, format: Option<ClipboardFormat>) -> Option<Within> {
    let (extension, content) = match format {
        Some(format) => picture::file(format, content, 0, 0)?,
        None => (
            picture::extension(&content.head(picture::MAGIC).ok()?)?,
            content,
        ),
    };
    Some(Within {
        name: None,
        extension,
        content,
    })
}

fn of_package_or_native(native: ByteRange, code_page: u32) -> Option<Within> {
    package(Fields::of(&native, code_page)).or_else(|| of_native(native, None))
}

/// The file in the native data of the class Package, which Microsoft describes nowhere: label and path, the path of a copy,
/// the bytes; then the paths and the label in UTF-16.
fn package(mut fields: Fields) -> Option<Within> {
    const SIGNATURE: u16 = 2;
    const EMBEDDED: u16 = 3;
    if fields.u16()? != SIGNATURE {
        return None;
    }
    let label = fields.terminated()?;
    let path = fields.terminated()?;
    let _ = fields.u16()?;
    if fields.u16()? != EMBEDDED {
        return None;
    }
    fields.counted(1)?;
    let length = fields.u32()?;
    let content = fields.part(length)?;
    // Temporary path, label, path.
    let wide: Vec<String> = (0..3)
        .map_while(|_| fields.counted(2))
        .map(|units| codepage::decode_utf16le(&units))
        .collect();
    let wide = wide.get(2).and_then(|path| base_name(path));
    Some(Within {
        name: wide
            .or_else(|| base_name(&path))
            .or_else(|| base_name(&label)),
        extension: "bin",
        content,
    })
}

/// An object of OLE 1.0: what its program keeps, and then what is shown of it. 2.2.4, 2.2.5
fn of_first_version(mut fields: Fields) -> Option<Within> {
    const EMBEDDED: u32 = 2;
    let code_page = fields.code_page;
    let start = fields.at;
    let _version = fields.u32()?;
    if fields.u32()? == EMBEDDED {
        let [_class, _topic, _item] = [fields.counted(1)?, fields.counted(1)?, fields.counted(1)?];
        let length = fields.u32()?;
        let native = fields.part(length)?;
        if let Some(within) = of_package_or_native(native, code_page) {
            return Some(within);
        }
    } else {
        fields.at = start;
    }
    presentation_of_first_version(fields)
}

/// What is shown of an object of OLE 1.0. 2.2.1
fn presentation_of_first_version(mut fields: Fields) -> Option<Within> {
    const STATIC: u32 = 3;
    const PRESENTATION: u32 = 5;
    /// Mapping mode and size.
    const METAFILE_PICTURE: u32 = 8;
    let _version = fields.u32()?;
    if !matches!(fields.u32()?, STATIC | PRESENTATION) {
        return None;
    }
    let class = fields.counted(1)?;
    let format = match class.strip_suffix(b"\0").unwrap_or(&class) {
        b"METAFILEPICT" => ClipboardFormat::Metafile,
        b"DIB" => ClipboardFormat::Bitmap,
        b"ENHMETAFILE" => ClipboardFormat::EnhancedMetafile,
        _ => return None,
    };
    let (width, height, mut length) = (fields.u32()?, fields.u32()?, fields.u32()?);
    if format == ClipboardFormat::Metafile {
        length = length.checked_sub(METAFILE_PICTURE)?;
        fields.part(METAFILE_PICTURE)?;
    }
    picture_of(fields, format, width, height, length)
}

/// An OLEPresentationStream. 2.3.4
fn presentation(mut fields: Fields) -> Option<Within> {
    /// A number of a format follows, and no name.
    const STANDARD: [u32; 2] = [0xFFFF_FFFF, 0xFFFF_FFFE];
    if !STANDARD.contains(&fields.u32()?) {
        return None;
    }
    let format = ClipboardFormat::of(fields.u32()?)?;
    // The length of the target device counts itself.
    let device = fields.u32()?.checked_sub(size_of::<u32>() as u32)?;
    fields.part(device)?;
    let [_aspect, _index, _advise, _reserved] =
        [fields.u32()?, fields.u32()?, fields.u32()?, fields.u32()?];
    let (width, height, length) = (fields.u32()?, fields.u32()?, fields.u32()?);
    picture_of(fields, format, width, height, length)
}

fn picture_of(
    mut fields: Fields,
    format: ClipboardFormat,
    width: u32,
    height: u32,
    length: u32,
) -> Option<Within> {
    let (extension, content) = picture::file(format, fields.part(length)?, width, height)?;
    Some(Within {
        name: None,
        extension,
        content,
    })
}

/// Reads fields one after the other; None behind the end.
struct Fields {
    range: ByteRange,
    at: u64,
    code_page: u32,
}

impl Fields {
    fn of(range: &ByteRange, code_page: u32) -> Self {
        Self {
            range: range.clone(),
            at: 0,
            code_page,
        }
    }

    /// The next `length` bytes, not read.
    fn part(&mut self, length: u32) -> Option<ByteRange> {
        let part = self.range.part(self.at, u64::from(length))?;
        self.at += u64::from(length);
        Some(part)
    }

    fn bytes(&mut self, length: u32) -> Option<Vec<u8>> {
        self.part(length)?.head(length as usize).ok()
    }

    fn u16(&mut self) -> Option<u16> {
        u16_at(&self.bytes(2)?, 0)
    }

    fn u32(&mut self) -> Option<u32> {
        u32_at(&self.bytes(4)?, 0)
    }

    /// A string behind the number of its units of `width` bytes.
    fn counted(&mut self, width: u32) -> Option<Vec<u8>> {
        let length = self.u32()?.checked_mul(width)?;
        (length <= MAX_STRING).then(|| self.bytes(length))?
    }

    /// A string that ends with a NUL.
    fn terminated(&mut self) -> Option<String> {
        let rest = self.range.len().checked_sub(self.at)?;
        let rest = self.range.part(self.at, rest)?;
        let bytes = rest.head(MAX_STRING as usize).ok()?;
        let length = bytes.iter().position(|byte| *byte == 0)?;
        self.at += length as u64 + 1;
        Some(codepage::decode(self.code_page, bytes.get(..length)?))
    }
}
