//! The tables of a PST as Outlook makes them: which columns, of which type, at which offset. [MS-PST] 2.7.3.3
//!
//! Read out of an empty PST that Outlook has made; ScanPST misses columns that are not there.

use serde::{Deserialize, Serialize};

use crate::ltp::PropertyType;

/// A column: property, type, offset and size of its cells, bit in the cell existence bitmap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Column {
    pub id: u16,
    pub property_type: PropertyType,
    pub offset: usize,
    pub size: usize,
    pub bit: usize,
}

const fn column(id: u16, kind: u16, offset: usize, size: usize, bit: usize) -> Column {
    Column {
        id,
        property_type: PropertyType(kind),
        offset,
        size,
        bit,
    }
}

/// Subfolders.
pub(super) static HIERARCHY: &[Column] = &[
    column(0x0E30, 0x0102, 20, 4, 6),
    column(0x0E33, 0x0014, 24, 8, 7),
    column(0x0E34, 0x0102, 32, 4, 8),
    column(0x0E38, 0x0003, 36, 4, 9),
    column(0x3001, 0x001F, 8, 4, 2),
    column(0x3602, 0x0003, 12, 4, 3),
    column(0x3603, 0x0003, 16, 4, 4),
    column(0x360A, 0x000B, 52, 1, 5),
    column(0x3613, 0x001F, 40, 4, 10),
    column(0x6635, 0x0003, 44, 4, 11),
    column(0x6636, 0x0003, 48, 4, 12),
    column(0x67F2, 0x0003, 0, 4, 0),
    column(0x67F3, 0x0003, 4, 4, 1),
];

/// Messages of a folder.
pub(super) static CONTENTS: &[Column] = &[
    column(0x0017, 0x0003, 20, 4, 5),
    column(0x001A, 0x001F, 12, 4, 3),
    column(0x0036, 0x0003, 60, 4, 15),
    column(0x0037, 0x001F, 28, 4, 7),
    column(0x0039, 0x0040, 40, 8, 9),
    column(0x0042, 0x001F, 24, 4, 6),
    column(0x0057, 0x000B, 120, 1, 13),
    column(0x0058, 0x000B, 121, 1, 14),
    column(0x0070, 0x001F, 68, 4, 17),
    column(0x0071, 0x0102, 72, 4, 18),
    column(0x0E03, 0x001F, 56, 4, 12),
    column(0x0E04, 0x001F, 52, 4, 11),
    column(0x0E06, 0x0040, 32, 8, 8),
    column(0x0E07, 0x0003, 16, 4, 4),
    column(0x0E08, 0x0003, 48, 4, 10),
    column(0x0E17, 0x0003, 8, 4, 2),
    column(0x0E30, 0x0102, 92, 4, 22),
    column(0x0E33, 0x0014, 96, 8, 23),
    column(0x0E34, 0x0102, 104, 4, 24),
    column(0x0E38, 0x0003, 116, 4, 27),
    column(0x0E3C, 0x0102, 112, 4, 26),
    column(0x0E3D, 0x0102, 108, 4, 25),
    column(0x1097, 0x0003, 64, 4, 16),
    column(0x3008, 0x0040, 84, 8, 21),
    column(0x3013, 0x0102, 76, 4, 19),
    column(0x65C6, 0x0003, 80, 4, 20),
    column(0x67F2, 0x0003, 0, 4, 0),
    column(0x67F3, 0x0003, 4, 4, 1),
];

/// Hidden messages of a folder.
pub(super) static ASSOCIATED: &[Column] = &[
    column(0x001A, 0x001F, 12, 4, 3),
    column(0x0E07, 0x0003, 16, 4, 4),
    column(0x0E17, 0x0003, 8, 4, 2),
    column(0x3001, 0x001F, 20, 4, 5),
    column(0x67F2, 0x0003, 0, 4, 0),
    column(0x67F3, 0x0003, 4, 4, 1),
    column(0x6800, 0x001F, 44, 4, 11),
    column(0x6803, 0x000B, 56, 1, 12),
    column(0x6805, 0x1003, 48, 4, 13),
    column(0x682F, 0x001F, 52, 4, 14),
    column(0x7003, 0x0003, 24, 4, 6),
    column(0x7004, 0x0102, 28, 4, 7),
    column(0x7005, 0x0102, 32, 4, 8),
    column(0x7006, 0x001F, 36, 4, 9),
    column(0x7007, 0x0003, 40, 4, 10),
];

/// Messages that a search folder finds.
pub(super) static SEARCH: &[Column] = &[
    column(0x0017, 0x0003, 28, 4, 7),
    column(0x001A, 0x001F, 20, 4, 5),
    column(0x0036, 0x0003, 60, 4, 16),
    column(0x0037, 0x001F, 36, 4, 9),
    column(0x0042, 0x001F, 32, 4, 8),
    column(0x0057, 0x000B, 72, 1, 14),
    column(0x0058, 0x000B, 73, 1, 15),
    column(0x0E03, 0x001F, 56, 4, 13),
    column(0x0E04, 0x001F, 52, 4, 12),
    column(0x0E05, 0x001F, 12, 4, 3),
    column(0x0E06, 0x0040, 40, 8, 10),
    column(0x0E07, 0x0003, 24, 4, 6),
    column(0x0E08, 0x0003, 48, 4, 11),
    column(0x0E17, 0x0003, 16, 4, 4),
    column(0x0E2A, 0x000B, 74, 1, 17),
    column(0x3008, 0x0040, 64, 8, 18),
    column(0x67F1, 0x0003, 8, 4, 2),
    column(0x67F2, 0x0003, 0, 4, 0),
    column(0x67F3, 0x0003, 4, 4, 1),
];

/// Attachments of a message.
pub(super) static ATTACHMENTS: &[Column] = &[
    column(0x0E20, 0x0003, 12, 4, 3),
    column(0x3704, 0x001F, 20, 4, 5),
    column(0x3705, 0x0003, 16, 4, 4),
    column(0x370B, 0x0003, 8, 4, 2),
    column(0x67F2, 0x0003, 0, 4, 0),
    column(0x67F3, 0x0003, 4, 4, 1),
];

/// Recipients of a message.
pub(super) static RECIPIENTS: &[Column] = &[
    column(0x0C15, 0x0003, 24, 4, 7),
    column(0x0E0F, 0x000B, 48, 1, 2),
    column(0x0FF9, 0x0102, 32, 4, 9),
    column(0x0FFE, 0x0003, 36, 4, 10),
    column(0x0FFF, 0x0102, 16, 4, 5),
    column(0x3001, 0x001F, 20, 4, 6),
    column(0x3002, 0x001F, 8, 4, 3),
    column(0x3003, 0x001F, 12, 4, 4),
    column(0x300B, 0x0102, 28, 4, 8),
    column(0x3900, 0x0003, 40, 4, 11),
    column(0x39FF, 0x001F, 44, 4, 13),
    column(0x3A40, 0x000B, 49, 1, 12),
    column(0x67F2, 0x0003, 0, 4, 0),
    column(0x67F3, 0x0003, 4, 4, 1),
];

/// A queue that Outlook keeps.
pub(super) static QUEUE_6B6: &[Column] = &[
    column(0x0E33, 0x0014, 8, 8, 2),
    column(0x0E37, 0x0102, 16, 4, 3),
    column(0x0E38, 0x0003, 20, 4, 4),
    column(0x67F2, 0x0003, 0, 4, 0),
    column(0x67F3, 0x0003, 4, 4, 1),
];

/// Another one.
pub(super) static QUEUE_6D7: &[Column] = &[
    column(0x001A, 0x001F, 36, 4, 8),
    column(0x0E30, 0x0102, 16, 4, 4),
    column(0x0E31, 0x0102, 12, 4, 3),
    column(0x0E33, 0x0014, 28, 8, 7),
    column(0x0E34, 0x0102, 24, 4, 6),
    column(0x0E38, 0x0003, 20, 4, 5),
    column(0x0E3E, 0x0102, 8, 4, 2),
    column(0x67F2, 0x0003, 0, 4, 0),
    column(0x67F3, 0x0003, 4, 4, 1),
];

/// Another one.
pub(super) static QUEUE_6F8: &[Column] = &[
    column(0x0E33, 0x0014, 16, 8, 3),
    column(0x3007, 0x0040, 8, 8, 2),
    column(0x67F2, 0x0003, 0, 4, 0),
    column(0x67F3, 0x0003, 4, 4, 1),
];

/// Which folder takes which class of message.
pub(super) static RECEIVE: &[Column] = &[
    column(0x001A, 0x001F, 12, 4, 3),
    column(0x6605, 0x0003, 8, 4, 2),
    column(0x67F2, 0x0003, 0, 4, 0),
    column(0x67F3, 0x0003, 4, 4, 1),
];

/// Messages to be sent.
pub(super) static OUTGOING: &[Column] = &[
    column(0x0039, 0x0040, 16, 8, 4),
    column(0x0E10, 0x0003, 12, 4, 3),
    column(0x0E14, 0x0003, 8, 4, 2),
    column(0x67F2, 0x0003, 0, 4, 0),
    column(0x67F3, 0x0003, 4, 4, 1),
];
