//! What its reader has done with a message. [MS-OXCMSG] 2.2.1.6, [MS-OXOMSG] 2.2.2

use crate::ltp::tags;

/// PidTagLastVerbExecuted: replied to the sender, to all; forwarded. [MS-OXOMSG] 2.2.2.6
const VERBS_REPLIED: [i32; 2] = [102, 103];
const VERB_FORWARDED: i32 = 104;
/// PidTagIconIndex, which tables have where they lack the verb. [MS-OXOMSG] 2.2.1.10
const ICON_REPLIED: i32 = 0x105;
const ICON_FORWARDED: i32 = 0x106;
/// PidTagFlagStatus: flagged, not done yet.
const FLAGGED: i32 = 2;
/// PidTagMessageStatus: MSGSTATUS_DELMARKED, MSGSTATUS_ANSWERED.
const STATUS_DELETED: i32 = 0x8;
const STATUS_ANSWERED: i32 = 0x200;

/// What has been done with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct State {
    /// It was answered.
    pub replied: bool,
    /// It was forwarded.
    pub forwarded: bool,
    /// It is marked for follow-up.
    pub flagged: bool,
    /// It is marked as deleted, and still there.
    pub deleted: bool,
}

impl State {
    /// The state by the integers of a message, or of its row in a table.
    pub fn of(integer: impl Fn(u16) -> Option<i32>) -> Self {
        let status = integer(tags::MESSAGE_STATUS).unwrap_or(0);
        let verb = integer(tags::LAST_VERB_EXECUTED);
        let icon = || integer(tags::ICON_INDEX);
        let is = |verbs: &[i32], sign: i32| {
            verb.map_or_else(|| icon() == Some(sign), |verb| verbs.contains(&verb))
        };
        Self {
            replied: status & STATUS_ANSWERED != 0 || is(&VERBS_REPLIED, ICON_REPLIED),
            forwarded: is(&[VERB_FORWARDED], ICON_FORWARDED),
            flagged: integer(tags::FLAG_STATUS) == Some(FLAGGED),
            deleted: status & STATUS_DELETED != 0,
        }
    }
}
