//! Columns of the tables that every store has, as Outlook makes them. [MS-PST] 2.4.4, 2.4.5, 2.4.6, 2.7.3.
use super::format::Format;
use super::ltp::Column;
use super::tags;
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
        NID_RECEIVE_FOLDERS => vec![
            (tags::MESSAGE_CLASS, PT_STRING),
            (tags::RECEIVE_FOLDER_NID, PT_I32),
        ],
        NID_OUTGOING_QUEUE => vec![
            (tags::CLIENT_SUBMIT_TIME, PT_TIME),
            (tags::SPOOLER_STATUS, PT_I32),
            (tags::SUBMIT_FLAGS, PT_I32),
        ],
        NID_ATTACHMENTS => ATTACHMENTS.into(),
        NID_RECIPIENTS => RECIPIENTS.into(),
        0x6B6 => vec![
            (tags::REPL_CHANGENUM, PT_I64),
            (tags::REPL_VERSION_HISTORY, PT_BINARY),
            (tags::REPL_FLAGS, PT_I32),
        ],
        0x6D7 => vec![
            (tags::MESSAGE_CLASS, PT_STRING),
            (tags::REPL_CHANGENUM, PT_I64),
            (tags::REPL_FLAGS, PT_I32),
        ],
        0x6F8 => vec![
            (tags::REPL_CHANGENUM, PT_I64),
            (tags::CREATION_TIME, PT_TIME),
        ],
        0x619 => vec![(0x6632, PT_I32), (tags::SERVER_FOLDER_ID, PT_I64)],
        _ => unreachable!("no template {template:#x}"),
    };
    if format == Format::Ansi {
        all.retain(|c| c.0 != tags::SMTP_ADDRESS);
        for column in &mut all {
            if column.1 == PT_STRING {
                column.1 = PT_STRING8;
            }
        }
    }
    if format.is_ost() && matches!(template, 0x60D..=0x60F) {
        all.push((tags::SERVER_FOLDER_ID, PT_I64));
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
    (tags::DISPLAY_NAME, PT_STRING),
    (tags::CONTENT_COUNT, PT_I32),
    (tags::CONTENT_UNREAD_COUNT, PT_I32),
    (tags::SUBFOLDERS, PT_BOOL),
    (tags::CONTAINER_CLASS, PT_STRING),
];

/// In every contents table.
const CONTENTS: &[Column] = &[
    (tags::MESSAGE_STATUS, PT_I32),
    (tags::MESSAGE_CLASS, PT_STRING),
    (tags::MESSAGE_FLAGS, PT_I32),
    (tags::IMPORTANCE, PT_I32),
    (tags::SENT_REPRESENTING_NAME, PT_STRING),
    (tags::SUBJECT, PT_STRING),
    (tags::MESSAGE_DELIVERY_TIME, PT_TIME),
    (tags::MESSAGE_SIZE, PT_I32),
    (tags::DISPLAY_TO, PT_STRING),
    (tags::DISPLAY_CC, PT_STRING),
    (tags::MESSAGE_TO_ME, PT_BOOL),
    (tags::MESSAGE_CC_ME, PT_BOOL),
    (tags::SENSITIVITY, PT_I32),
];

const CONTENTS_UNICODE: &[Column] = &[
    (tags::CLIENT_SUBMIT_TIME, PT_TIME),
    (tags::ICON_INDEX, PT_I32),
    (tags::FLAG_STATUS, PT_I32),
    (tags::ITEM_TEMPORARY_FLAGS, PT_I32),
    (tags::CONVERSATION_TOPIC, PT_STRING),
    (tags::CONVERSATION_INDEX, PT_BINARY),
    (tags::CONVERSATION_ID, PT_BINARY),
    (tags::SECURE_SUBMIT_FLAGS, PT_I32),
    (tags::LAST_MODIFICATION_TIME, PT_TIME),
    (tags::REPL_FLAGS, PT_I32),
    (tags::INTERNET_MESSAGE_ID, PT_STRING),
    (tags::SEARCH_KEY, PT_BINARY),
];

const CONTENTS_OST4K: &[Column] = &[
    (tags::CLIENT_SUBMIT_TIME, PT_TIME),
    (tags::ICON_INDEX, PT_I32),
    (tags::FLAG_STATUS, PT_I32),
    (0x6612, PT_I32),
    (tags::CHANGE_KEY, PT_BINARY),
    (tags::PREDECESSOR_CHANGE_LIST, PT_BINARY),
    (tags::LAST_MODIFICATION_TIME, PT_TIME),
    (0x6628, PT_I64),
    (tags::ITEM_TEMPORARY_FLAGS, PT_I32),
    (0x1098, 0x1102),
    (tags::CONVERSATION_TOPIC, PT_STRING),
    (tags::CONVERSATION_INDEX, PT_BINARY),
    (tags::CONVERSATION_ID, PT_BINARY),
    (tags::EXCHANGE_REMOTE_HEADER, PT_BOOL),
    (tags::SECURE_SUBMIT_FLAGS, PT_I32),
    (tags::REPL_FLAGS, PT_I32),
    (tags::INTERNET_MESSAGE_ID, PT_STRING),
];

const ASSOCIATED: &[Column] = &[
    (tags::MESSAGE_STATUS, PT_I32),
    (tags::MESSAGE_CLASS, PT_STRING),
    (tags::MESSAGE_FLAGS, PT_I32),
    (tags::DISPLAY_NAME, PT_STRING),
    (tags::VIEW_DESCRIPTOR_FLAGS, PT_I32),
    (tags::VIEW_DESCRIPTOR_LINK_TO, PT_BINARY),
    (tags::VIEW_DESCRIPTOR_VIEW_FOLDER, PT_BINARY),
    (tags::VIEW_DESCRIPTOR_NAME, PT_STRING),
    (tags::VIEW_DESCRIPTOR_VERSION, PT_I32),
    (0x6800, PT_STRING),
    (tags::VOICE_MESSAGE_SENDER_NAME, PT_BOOL),
    (tags::VOICE_MESSAGE_ATTACHMENT_ORDER, MV_I32),
    (0x682F, PT_STRING),
];

const SEARCH: &[Column] = &[
    (tags::LTP_PARENT_NID, PT_I32),
    (tags::PARENT_DISPLAY, PT_STRING),
    (tags::MESSAGE_STATUS, PT_I32),
    (tags::MESSAGE_CLASS, PT_STRING),
    (tags::MESSAGE_FLAGS, PT_I32),
    (tags::IMPORTANCE, PT_I32),
    (tags::SENT_REPRESENTING_NAME, PT_STRING),
    (tags::SUBJECT, PT_STRING),
    (tags::MESSAGE_DELIVERY_TIME, PT_TIME),
    (tags::MESSAGE_SIZE, PT_I32),
    (tags::DISPLAY_TO, PT_STRING),
    (tags::DISPLAY_CC, PT_STRING),
    (tags::MESSAGE_TO_ME, PT_BOOL),
    (tags::MESSAGE_CC_ME, PT_BOOL),
    (tags::SENSITIVITY, PT_I32),
    (tags::EXCHANGE_REMOTE_HEADER, PT_BOOL),
    (tags::LAST_MODIFICATION_TIME, PT_TIME),
];

const ATTACHMENTS: &[Column] = &[
    (tags::RENDERING_POSITION, PT_I32),
    (tags::ATTACH_SIZE, PT_I32),
    (tags::ATTACH_METHOD, PT_I32),
    (tags::ATTACH_FILENAME, PT_STRING),
];

const RECIPIENTS: &[Column] = &[
    (tags::RESPONSIBILITY, PT_BOOL),
    (tags::ADDRESS_TYPE, PT_STRING),
    (tags::EMAIL_ADDRESS, PT_STRING),
    (tags::ENTRY_ID, PT_BINARY),
    (tags::DISPLAY_NAME, PT_STRING),
    (tags::RECIPIENT_TYPE, PT_I32),
    (tags::SEARCH_KEY, PT_BINARY),
    (tags::RECORD_KEY, PT_BINARY),
    (tags::OBJECT_TYPE, PT_I32),
    (tags::DISPLAY_TYPE, PT_I32),
    (tags::SEND_RICH_INFO, PT_BOOL),
    (tags::ADDRESS_BOOK_DISPLAY_NAME_PRINTABLE, PT_STRING),
    (tags::SMTP_ADDRESS, PT_STRING),
];
