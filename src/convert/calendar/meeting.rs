//! Meeting messages: the calendar object that goes with the mail. RFC 5546, [MS-OXCICAL] 2.1.3.1.1.1
#![forbid(unsafe_code)]

use super::event::{Purpose, calendar};
use crate::convert::lids;
use crate::convert::people::Resolve;
use crate::convert::reader::Reader;
use crate::messaging::{ItemKind, MeetingKind, Message};

/// METHOD and text of the text/calendar part of `message`; None when it is no meeting message. Lines end with CRLF.
/// `resolve` finds the SMTP address of an Exchange distinguished name in lower case. Never fails: what cannot be read
/// is an `X-OSTFS-PROBLEM` line.
pub fn meeting_part(message: &Message, resolve: &Resolve<'_>) -> Option<(&'static str, String)> {
    let ItemKind::Meeting(meeting) = message.class().kind else {
        return None;
    };
    let purpose = match meeting {
        MeetingKind::Request => Purpose::Request,
        MeetingKind::Cancellation => Purpose::Cancel,
        MeetingKind::Accepted => Purpose::Reply("ACCEPTED"),
        MeetingKind::Declined => Purpose::Reply("DECLINED"),
        MeetingKind::Tentative => Purpose::Reply("TENTATIVE"),
        MeetingKind::Other => return None,
    };
    let reader = Reader::new(message, resolve);
    let purpose = match purpose {
        Purpose::Reply(status) if reader.boolean(lids::APPOINTMENT_COUNTER_PROPOSAL) => {
            Purpose::Counter(status)
        }
        purpose => purpose,
    };
    let method = match purpose {
        Purpose::Keep => "PUBLISH",
        Purpose::Request => "REQUEST",
        Purpose::Cancel => "CANCEL",
        Purpose::Reply(_) => "REPLY",
        Purpose::Counter(_) => "COUNTER",
    };
    let calendar = calendar(&reader, purpose);
    let (text, _) = calendar.finish(Some(method), &reader.problems());
    Some((method, text))
}
