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
/// PidTagFollowupIcon: the colours of a flag. [MS-OXOFLAG] 2.2.1.2
const COLOURS: std::ops::RangeInclusive<i32> = 1..=6;
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
    /// What a table must have to tell the state of its messages.
    pub(super) const COLUMNS: [u16; 2] = [tags::ICON_INDEX, tags::FLAG_STATUS];

    /// The state by the integers of a message, or of its row in a table.
    pub fn of(integer: impl Fn(u16) -> Option<i32>) -> Self {
        let status = integer(tags::MESSAGE_STATUS).unwrap_or(0);
        let verb = integer(tags::LAST_VERB_EXECUTED);
        let icon = || integer(tags::ICON_INDEX);
        let is = |verbs: &[i32], sign: i32| {
            verb.map_or_else(|| icon() == Some(sign), |verb| verbs.contains(&verb))
        };
        // A flag that its sender asks for (PidLidFlagRequest) is not one of its reader.
        let has_colour =
            || integer(tags::FOLLOWUP_ICON).is_some_and(|icon| COLOURS.contains(&icon));
        Self {
            replied: status & STATUS_ANSWERED != 0 || is(&VERBS_REPLIED, ICON_REPLIED),
            forwarded: is(&[VERB_FORWARDED], ICON_FORWARDED),
            flagged: integer(tags::FLAG_STATUS).map_or_else(has_colour, |status| status == FLAGGED),
            deleted: status & STATUS_DELETED != 0,
        }
    }

    /// What either tells: PidTagMessageStatus is in the table alone, all else of which is a copy.
    pub fn or(self, other: Self) -> Self {
        Self {
            replied: self.replied || other.replied,
            forwarded: self.forwarded || other.forwarded,
            flagged: self.flagged || other.flagged,
            deleted: self.deleted || other.deleted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flagged(stored: &[(u16, i32)]) -> bool {
        let find = |id: u16| stored.iter().find(|(own, _)| *own == id);
        State::of(|id| find(id).map(|(_, value)| *value)).flagged
    }

    #[test]
    fn the_status_of_a_flag_decides_and_without_one_its_colour() {
        assert!(flagged(&[(tags::FLAG_STATUS, 2)]));
        assert!(flagged(&[(tags::FOLLOWUP_ICON, 6)]));
        for stored in [
            &[] as &[(u16, i32)],
            &[(tags::FOLLOWUP_ICON, 0)],
            &[(tags::FOLLOWUP_ICON, 7)],
            // It was done.
            &[(tags::FLAG_STATUS, 1), (tags::FOLLOWUP_ICON, 6)],
        ] {
            assert!(!flagged(stored), "{stored:?}");
        }
    }

    #[test]
    fn what_either_of_two_tells_is_so() {
        let read = |id: u16, value: i32| State::of(|own| (own == id).then_some(value));
        let both = read(tags::MESSAGE_STATUS, STATUS_DELETED).or(read(tags::FLAG_STATUS, FLAGGED));
        assert!(both.deleted && both.flagged && !both.replied && !both.forwarded);
    }
}
