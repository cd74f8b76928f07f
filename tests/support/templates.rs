//! Columns of the tables that every store has, as Outlook makes them. [MS-PST] 2.4.4, 2.4.5, 2.4.6, 2.7.3.
use super::format::Format;
use super::ltp::Column;
use super::value::*;

const MV_I32: u16 = 0x1003;

/// Fixed nodes.
pub const NID_STORE: u32 = 0x21;
pub const NID_NAMES: u32 = 0x61;
pub const NID_ROOT: u32 = 0x122;
pub const NID_RECEIVE_FOLDERS: u32 = 0x62B;
pub const NID_OUTGOING_QUEUE: u32 = 0x64C;
pub const NID_ATTACHMENTS: u32 = 0x671;
pub const NID_RECIPIENTS: u32 = 0x692;
/// Template of the table of NID type `t` is `0x60x` with that type.
pub const TYPE_HIERARCHY: u32 = 0x0D;
pub const TYPE_CONTENTS: u32 = 0x0E;
pub const TYPE_ASSOCIATED: u32 = 0x0F;
pub const TYPE_SEARCH: u32 = 0x10;
/// The bits of a NID that tell its type.
const TYPE_MASK: u32 = 0x1F;

/// The node of the contents table of `folder`.
pub fn contents_table(folder: u32) -> u32 {
    folder & !TYPE_MASK | TYPE_CONTENTS
}

/// The node of the hierarchy table of `folder`.
pub fn hierarchy_table(folder: u32) -> u32 {
    folder & !TYPE_MASK | TYPE_HIERARCHY
}

/// Columns of a table, by the NID of its template. `sparse`: contents tables without the optional columns.
pub fn columns(format: Format, template: u32, sparse: bool) -> Vec<Column> {
    let mut all: Vec<Column> = match template {
        0x60D => HIERARCHY.into(),
        0x60E => {
            let more: &[Column] = match format {
                _ if sparse => &[],
                Format::Ansi => &[],
                Format::Unicode | Format::UnicodeOst => CONTENTS_UNICODE,
                Format::Ost4k => CONTENTS_OST4K,
            };
            [CONTENTS, more].concat()
        }
        0x60F => ASSOCIATED.into(),
        0x610 => SEARCH.into(),
        NID_RECEIVE_FOLDERS => vec![(0x001A, PT_STRING), (0x6605, PT_I32)],
        NID_OUTGOING_QUEUE => vec![(0x0039, PT_TIME), (0x0E10, PT_I32), (0x0E14, PT_I32)],
        NID_ATTACHMENTS => ATTACHMENTS.into(),
        NID_RECIPIENTS => RECIPIENTS.into(),
        0x6B6 => vec![(0x0E33, PT_I64), (0x0E37, PT_BINARY), (0x0E38, PT_I32)],
        0x6D7 => vec![(0x001A, PT_STRING), (0x0E33, PT_I64), (0x0E38, PT_I32)],
        0x6F8 => vec![(0x0E33, PT_I64), (0x3007, PT_TIME)],
        0x619 => vec![(0x6632, PT_I32), (0x67F4, PT_I64)],
        _ => unreachable!("no template {template:#x}"),
    };
    if format == Format::Ansi {
        all.retain(|c| c.0 != 0x39FE);
        for column in &mut all {
            if column.1 == PT_STRING {
                column.1 = PT_STRING8;
            }
        }
    }
    if format.is_ost() && matches!(template, 0x60D..=0x60F) {
        all.push((0x67F4, PT_I64));
    }
    all
}

/// Templates that a store of this format has.
pub fn templates(format: Format) -> &'static [u32] {
    match format {
        Format::Ansi => &[0x60D, 0x60E, 0x60F, 0x610, 0x671, 0x692],
        Format::Unicode => &[
            0x60D, 0x60E, 0x60F, 0x610, 0x671, 0x692, 0x6B6, 0x6D7, 0x6F8,
        ],
        _ => &[
            0x60D, 0x60E, 0x60F, 0x610, 0x671, 0x692, 0x6B6, 0x6D7, 0x6F8, 0x619,
        ],
    }
}

const HIERARCHY: &[Column] = &[
    (0x3001, PT_STRING),
    (0x3602, PT_I32),
    (0x3603, PT_I32),
    (0x360A, PT_BOOL),
    (0x3613, PT_STRING),
];

/// In every contents table.
const CONTENTS: &[Column] = &[
    (0x0E17, PT_I32),
    (0x001A, PT_STRING),
    (0x0E07, PT_I32),
    (0x0017, PT_I32),
    (0x0042, PT_STRING),
    (0x0037, PT_STRING),
    (0x0E06, PT_TIME),
    (0x0E08, PT_I32),
    (0x0E04, PT_STRING),
    (0x0E03, PT_STRING),
    (0x0057, PT_BOOL),
    (0x0058, PT_BOOL),
    (0x0036, PT_I32),
];

const CONTENTS_UNICODE: &[Column] = &[
    (0x0039, PT_TIME),
    (0x1080, PT_I32),
    (0x1090, PT_I32),
    (0x1097, PT_I32),
    (0x0070, PT_STRING),
    (0x0071, PT_BINARY),
    (0x3013, PT_BINARY),
    (0x65C6, PT_I32),
    (0x3008, PT_TIME),
    (0x0E38, PT_I32),
    (0x1035, PT_STRING),
    (0x300B, PT_BINARY),
];

const CONTENTS_OST4K: &[Column] = &[
    (0x0039, PT_TIME),
    (0x1080, PT_I32),
    (0x1090, PT_I32),
    (0x6612, PT_I32),
    (0x65E2, PT_BINARY),
    (0x65E3, PT_BINARY),
    (0x3008, PT_TIME),
    (0x6628, PT_I64),
    (0x1097, PT_I32),
    (0x1098, 0x1102),
    (0x0070, PT_STRING),
    (0x0071, PT_BINARY),
    (0x3013, PT_BINARY),
    (0x0E2A, PT_BOOL),
    (0x65C6, PT_I32),
    (0x0E38, PT_I32),
    (0x1035, PT_STRING),
];

const ASSOCIATED: &[Column] = &[
    (0x0E17, PT_I32),
    (0x001A, PT_STRING),
    (0x0E07, PT_I32),
    (0x3001, PT_STRING),
    (0x7003, PT_I32),
    (0x7004, PT_BINARY),
    (0x7005, PT_BINARY),
    (0x7006, PT_STRING),
    (0x7007, PT_I32),
    (0x6800, PT_STRING),
    (0x6803, PT_BOOL),
    (0x6805, MV_I32),
    (0x682F, PT_STRING),
];

const SEARCH: &[Column] = &[
    (0x67F1, PT_I32),
    (0x0E05, PT_STRING),
    (0x0E17, PT_I32),
    (0x001A, PT_STRING),
    (0x0E07, PT_I32),
    (0x0017, PT_I32),
    (0x0042, PT_STRING),
    (0x0037, PT_STRING),
    (0x0E06, PT_TIME),
    (0x0E08, PT_I32),
    (0x0E04, PT_STRING),
    (0x0E03, PT_STRING),
    (0x0057, PT_BOOL),
    (0x0058, PT_BOOL),
    (0x0036, PT_I32),
    (0x0E2A, PT_BOOL),
    (0x3008, PT_TIME),
];

const ATTACHMENTS: &[Column] = &[
    (0x370B, PT_I32),
    (0x0E20, PT_I32),
    (0x3705, PT_I32),
    (0x3704, PT_STRING),
];

const RECIPIENTS: &[Column] = &[
    (0x0E0F, PT_BOOL),
    (0x3002, PT_STRING),
    (0x3003, PT_STRING),
    (0x0FFF, PT_BINARY),
    (0x3001, PT_STRING),
    (0x0C15, PT_I32),
    (0x300B, PT_BINARY),
    (0x0FF9, PT_BINARY),
    (0x0FFE, PT_I32),
    (0x3900, PT_I32),
    (0x3A40, PT_BOOL),
    (0x39FF, PT_STRING),
    (0x39FE, PT_STRING),
];
