//! Which properties are not carried over as they are, and why. docs/PST-OUT.md tells the same to people, and a test holds
//! both together.

use crate::ltp::tags;

/// Of any object: what Outlook makes out of other things, and never stores in a PST; numbers of replicas that only an OST or
/// a server knows; what a row has and an object has not.
const OF_ANY: &[u16] = &[
    0x0E30, // PidTagReplItemid
    0x0E33, // PidTagReplChangenum
    0x0E34, // PidTagReplVersionHistory
    0x0FF4, // PidTagAccess
    0x0FF7, // PidTagAccessLevel
    0x0FFA, // PidTagStoreRecordKey
    0x0FFB, // PidTagStoreEntryId
    0x65E0, // PidTagSourceKey
    0x67F1, // PidTagLtpParentNid
    0x67F2, // PidTagLtpRowId
    0x67F3, // PidTagLtpRowVer
    0x67F4, // the id of the object on its server
];

/// Of messages.
const OF_MESSAGES: &[u16] = &[
    0x0E09, // PidTagParentEntryId
    0x0E0A, // PidTagSentMailEntryId: an entry id of the old file
    0x0E14, // PidTagSubmitFlags
    0x0E1B, // PidTagHasAttachments: PidTagMessageFlags tells it
    0x0FF9, // PidTagRecordKey
    0x0FFF, // PidTagEntryId
    0x3013, // PidTagConversationId: rows alone have it
    0x65C6, // a secure version of submit flags: rows alone have it
    0x661A, // OST: where the message is listed
    0x6743, // OST: state of synchronization
];

/// Of folders: counts are made anew, special folders too; the rest only an OST has.
const OF_FOLDERS: &[u16] = &[
    0x0E08, 0x0FF9, 0x0FFF, 0x3602, 0x3603, 0x360A, 0x3617, // counts
    0x35E0, 0x35E2, 0x35E3, 0x35E4, 0x35E5, 0x35E6, 0x35E7, // special folders
    0x36D0, 0x36D1, 0x36D2, 0x36D3, 0x36D4, 0x36D5, 0x36D6, 0x36D7, 0x36D8, 0x36D9, 0x36DA, 0x36E4,
    0x36E5, 0x361C, 0x3FE1, 0x6614, 0x6617, 0x6635, 0x6636, 0x6638, 0x6639, 0x661B, 0x661C, 0x661F,
    0x6620, 0x67E2, // OST
];

/// Whether property `id` of a message, whole or embedded, is carried over.
pub(super) fn keeps_of_message(id: u16) -> bool {
    !OF_ANY.contains(&id) && !OF_MESSAGES.contains(&id)
}

/// Whether property `id` of a folder is carried over.
pub(super) fn keeps_of_folder(id: u16) -> bool {
    !OF_ANY.contains(&id) && !OF_FOLDERS.contains(&id)
}

/// Whether property `id` of an attachment is carried over; its data and its size go ways of their own.
pub(super) fn keeps_of_attachment(id: u16) -> bool {
    !OF_ANY.contains(&id) && ![tags::RECORD_KEY, tags::ENTRY_ID].contains(&id)
}

/// Whether column `id` of a recipient is carried over.
pub(super) fn keeps_of_recipient(id: u16) -> bool {
    !OF_ANY.contains(&id) && id != tags::ROW_ID
}

/// Whether hidden messages of this class are carried over: what people have set, and nothing that is bound to a server, or
/// names objects of the old file.
pub(super) fn keeps_hidden(class: &str) -> bool {
    const KEPT: [&str; 3] = [
        "IPM.Configuration.CategoryList",
        "IPM.Configuration.Calendar",
        "IPM.Configuration.WorkHours",
    ];
    KEPT.iter().any(|kept| kept.eq_ignore_ascii_case(class))
}
