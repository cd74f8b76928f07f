//! What an item is, by its message class. [MS-OXCMSG] 2.2.1.3
//!
//! The only place that knows classes by name. A class is a path of segments that dots part, compared without regard to
//! case: what is below a class is of the same kind, unless it has a row of its own.
#![forbid(unsafe_code)]

/// PidTagMessageClass, parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageClass {
    /// What the item is.
    pub kind: ItemKind,
    /// Whether its content is a signed or encrypted MIME entity in an attachment. [MS-OXOSMIME]
    pub is_smime: bool,
    /// Whether that is text with a signature beside it.
    pub is_clear_signed: bool,
    /// Whether it is a voice message, a fax or a missed call. [MS-OXOUM]
    pub is_unified_messaging: bool,
    /// Whether it is a message of a chat in Teams or Skype.
    pub is_chat: bool,
    /// Whether it stands for a message whose body was left on the server.
    pub is_header_only: bool,
    /// Whether it is a changed instance of a series, which its appointment has attached. [MS-OXOCAL] 2.2.10
    pub is_changed_instance: bool,
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    /// Mail, and every item of a class that has no kind of its own.
    Mail,
    /// An article of an RSS feed. [MS-OXORSS]
    FeedArticle,
    /// A message about a folder that is shared. [MS-OXSHARE]
    Sharing,
    /// The automatic reply of somebody who is away.
    OutOfOffice,
    /// A file that was put into a folder: its one attachment. [MS-OXODOC]
    Document,
    /// A delivery or read report. [MS-OXOMSG] 2.2.2
    Report(ReportKind),
    /// A message about a meeting. [MS-OXOCAL]
    Meeting(MeetingKind),
    /// A message about a task that is handed over. [MS-OXOTASK]
    TaskCommunication,
    /// An appointment or a meeting in a calendar. [MS-OXOCAL]
    Appointment,
    /// A task. [MS-OXOTASK]
    Task,
    /// A journal entry. [MS-OXOJRNL]
    Journal,
    /// A sticky note. [MS-OXONOTE]
    Note,
    /// A contact. [MS-OXOCNTC]
    Contact,
    /// A personal distribution list. [MS-OXOCNTC] 2.2.2
    DistributionList,
    /// No item for people: neither IPM nor REPORT.
    Other,
}

/// What a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportKind {
    /// The message was delivered.
    Delivered,
    /// It could not be delivered.
    NotDelivered,
    /// It is late.
    Delayed,
    /// It went to the members of a list.
    Expanded,
    /// It went on to a system that tells no more.
    Relayed,
    /// It was read.
    Read,
    /// It was deleted without being read.
    NotRead,
    /// Something else.
    Other,
}

/// What a message about a meeting is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeetingKind {
    /// It invites, or changes a meeting.
    Request,
    /// It calls a meeting off.
    Cancellation,
    /// The answer of somebody who will come.
    Accepted,
    /// The answer of somebody who will not.
    Declined,
    /// The answer of somebody who may.
    Tentative,
    /// Something else, such as that an invitation was forwarded.
    Other,
}

/// What a hidden item configures. [MS-OXOCFG], [MS-OXORULE]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConfigurationKind {
    /// Whom Outlook proposes while an address is typed.
    Autocomplete,
    /// The names and colours of categories.
    Categories,
    /// A rule that a server applies.
    Rule,
    /// The rules that Outlook applies, all in one item.
    ClientRules,
}

/// Classes of hidden items.
const CONFIGURATIONS: [(&str, ConfigurationKind); 5] = [
    (
        "IPM.Configuration.Autocomplete",
        ConfigurationKind::Autocomplete,
    ),
    (
        "IPM.Configuration.CategoryList",
        ConfigurationKind::Categories,
    ),
    // IPM.Rule.Message, IPM.Rule.Version2.Message.
    ("IPM.Rule", ConfigurationKind::Rule),
    ("IPM.ExtendedRule.Message", ConfigurationKind::Rule),
    ("IPM.RuleOrganizer", ConfigurationKind::ClientRules),
];

/// Classes, those below others first.
const KINDS: [(&str, ItemKind); 21] = [
    ("IPM.Note.Rules.OofTemplate", ItemKind::OutOfOffice),
    (
        "IPM.Schedule.Meeting.Request",
        ItemKind::Meeting(MeetingKind::Request),
    ),
    (
        "IPM.Schedule.Meeting.Canceled",
        ItemKind::Meeting(MeetingKind::Cancellation),
    ),
    (
        "IPM.Schedule.Meeting.Resp.Pos",
        ItemKind::Meeting(MeetingKind::Accepted),
    ),
    (
        "IPM.Schedule.Meeting.Resp.Neg",
        ItemKind::Meeting(MeetingKind::Declined),
    ),
    (
        "IPM.Schedule.Meeting.Resp.Tent",
        ItemKind::Meeting(MeetingKind::Tentative),
    ),
    (
        "IPM.Schedule.Meeting",
        ItemKind::Meeting(MeetingKind::Other),
    ),
    ("IPM.TaskRequest", ItemKind::TaskCommunication),
    ("IPM.Appointment", ItemKind::Appointment),
    ("IPM.Task", ItemKind::Task),
    ("IPM.Activity", ItemKind::Journal),
    ("IPM.StickyNote", ItemKind::Note),
    ("IPM.Contact", ItemKind::Contact),
    ("IPM.DistList", ItemKind::DistributionList),
    // A person in the address book of Windows Live.
    ("IPM.AbchPerson", ItemKind::Contact),
    ("IPM.Post.Rss", ItemKind::FeedArticle),
    ("IPM.Sharing", ItemKind::Sharing),
    ("IPM.Document", ItemKind::Document),
    // What Exchange keeps of attachments and links for other programs.
    ("IPM.File", ItemKind::Document),
    ("IPM", ItemKind::Mail),
    ("REPORT", ItemKind::Report(ReportKind::Other)),
];

/// Ends of the classes of reports, longer ones first: before them stands the class of the message that they are about.
/// [MS-OXCMAIL] 2.2.3.7.1
const REPORTS: [(&str, ReportKind); 9] = [
    ("Delayed.DR", ReportKind::Delayed),
    ("Expanded.DR", ReportKind::Expanded),
    ("Relayed.DR", ReportKind::Relayed),
    ("DR", ReportKind::Delivered),
    ("NDR", ReportKind::NotDelivered),
    ("Delayed", ReportKind::Delayed),
    ("Expanded", ReportKind::Expanded),
    ("IPNRN", ReportKind::Read),
    ("IPNNRN", ReportKind::NotRead),
];

/// Segment of the classes of signed and encrypted items, and the older class of such mail.
const SMIME: &str = "SMIME";
/// Segment behind that of what is text with a signature.
const CLEAR_SIGNED: &str = "MultipartSigned";
const SECURE_MAIL: &str = "IPM.Note.Secure";
/// Class of the messages of chats, those that programs write included.
const CHAT: &str = "IPM.SkypeTeams";
/// Class of the headers that mail programs fetch before they fetch a message.
const REMOTE: &str = "IPM.Remote";
/// Class of the changed instances of a series.
const CHANGED_INSTANCE: &str = "IPM.OLE.CLASS.{00061055-0000-0000-C000-000000000046}";
/// Classes of unified messaging: voice messages, also protected ones, calls and faxes.
const UNIFIED_MESSAGING: [&str; 6] = [
    "IPM.Note.Microsoft.Voicemail",
    "IPM.Note.RPMSG.Microsoft.Voicemail",
    "IPM.Note.Microsoft.Missed",
    "IPM.Note.Microsoft.Conversation.Voice",
    "IPM.Note.Microsoft.Fax",
    "IPM.Note.Microsoft.Partner.UM",
];

impl MessageClass {
    /// Whether a form can have `class` as its name: printable ASCII that does not end in a dot. [MS-OXCMSG] 2.2.1.3
    pub fn is_valid(class: &str) -> bool {
        let is_printable = class.chars().all(|letter| (' '..='~').contains(&letter));
        !class.is_empty() && is_printable && !class.ends_with('.')
    }

    /// Of PidTagMessageClass, which may be empty.
    pub fn parse(class: &str) -> Self {
        let row = KINDS.iter().find(|(base, _)| is_derived(class, base));
        let kind = match row {
            Some((_, ItemKind::Report(_))) => ItemKind::Report(ReportKind::of(class)),
            Some((_, kind)) => *kind,
            None => ItemKind::Other,
        };
        let has = |wanted: &str| {
            let mut segments = class.split('.');
            segments.any(|segment| segment.eq_ignore_ascii_case(wanted))
        };
        let is_smime = has(SMIME) || is_derived(class, SECURE_MAIL);
        let is_unified_messaging = UNIFIED_MESSAGING.iter().any(|base| is_derived(class, base));
        Self {
            kind,
            is_smime,
            is_clear_signed: is_smime && has(CLEAR_SIGNED),
            is_unified_messaging,
            is_chat: is_derived(class, CHAT),
            is_header_only: is_derived(class, REMOTE),
            is_changed_instance: is_derived(class, CHANGED_INSTANCE),
        }
    }
}

impl ItemKind {
    /// Whether somebody has written or sent it to somebody: mail, chats, and what is shown as such.
    pub fn is_mail(self) -> bool {
        match self {
            Self::Mail
            | Self::FeedArticle
            | Self::Sharing
            | Self::OutOfOffice
            | Self::Document
            | Self::Report(_)
            | Self::Meeting(_)
            | Self::TaskCommunication => true,
            Self::Appointment
            | Self::Task
            | Self::Journal
            | Self::Note
            | Self::Contact
            | Self::DistributionList
            | Self::Other => false,
        }
    }

    /// Whether it is about a time that it has in a property of its own, and not when it was written: its message alone
    /// tells, as no contents table has that.
    pub fn takes_place(self) -> bool {
        matches!(self, Self::Appointment | Self::Journal)
    }

    /// Whether a program has sent it, in answer to a message.
    pub fn is_automatic(self) -> bool {
        match self {
            Self::OutOfOffice | Self::Report(_) => true,
            Self::Mail
            | Self::FeedArticle
            | Self::Sharing
            | Self::Document
            | Self::Meeting(_)
            | Self::TaskCommunication
            | Self::Appointment
            | Self::Task
            | Self::Journal
            | Self::Note
            | Self::Contact
            | Self::DistributionList
            | Self::Other => false,
        }
    }
}

impl ConfigurationKind {
    /// Of the PidTagMessageClass of a hidden item; None for those that are of no use outside Outlook.
    pub fn of(class: &str) -> Option<Self> {
        let row = CONFIGURATIONS
            .iter()
            .find(|(base, _)| is_derived(class, base));
        row.map(|(_, kind)| *kind)
    }
}

impl ReportKind {
    fn of(class: &str) -> Self {
        let row = REPORTS.iter().find(|(end, _)| ends_with(class, end));
        row.map_or(Self::Other, |(_, kind)| *kind)
    }
}

/// Whether `class` is `base` or below it: `IPM.Note.SMIME` is below `IPM.Note`, `IPM.Notes` is not.
pub fn is_derived(class: &str, base: &str) -> bool {
    class
        .get(..base.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(base))
        && matches!(class.as_bytes().get(base.len()), None | Some(b'.'))
}

/// Whether the last segments of `class` are `end`.
fn ends_with(class: &str, end: &str) -> bool {
    let segments = class.rsplit('.').zip(end.rsplit('.'));
    segments
        .filter(|(own, wanted)| own.eq_ignore_ascii_case(wanted))
        .count()
        == end.split('.').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(class: &str) -> ItemKind {
        MessageClass::parse(class).kind
    }

    #[test]
    fn classes_count_without_case_and_with_what_is_below_them() {
        assert_eq!(kind("ipm.appointment"), ItemKind::Appointment);
        assert_eq!(kind("IPM.Contact.Customer"), ItemKind::Contact);
        assert_eq!(kind("IPM.TaskRequest.Accept"), ItemKind::TaskCommunication);
        for mail in [
            "IPM",
            "IPM.Note",
            "IPM.Contacts",
            "IPM.Contacts.Report",
            "IPM.Tas\u{212A}",
            "IPM.Note.Microsoft.Voicemail.UM.CA",
        ] {
            assert_eq!(kind(mail), ItemKind::Mail, "{mail}");
        }
        for other in ["", "IPMX.Note", "IPC", "\u{dc}"] {
            assert_eq!(kind(other), ItemKind::Other, "{other}");
        }
    }

    #[test]
    fn each_class_of_the_table_has_the_kind_of_its_own_row() {
        for (class, own) in KINDS {
            if !matches!(own, ItemKind::Report(_)) {
                assert_eq!(kind(class), own, "{class}");
            }
        }
    }

    #[test]
    fn reports_tell_by_their_last_segments() {
        let of = |report: ReportKind| ItemKind::Report(report);
        assert_eq!(
            kind("REPORT.IPM.Note.NotSupportedICal.NDR"),
            of(ReportKind::NotDelivered)
        );
        assert_eq!(kind("Report.IPM.Note.ipnrn"), of(ReportKind::Read));
        // [MS-OXCMAIL] 2.2.3.7.1: what is reported stands before that it is a report on delivery.
        for (class, report) in [
            ("REPORT.IPM.Note.DR", ReportKind::Delivered),
            ("REPORT.IPM.Note.Delayed.DR", ReportKind::Delayed),
            ("REPORT.IPM.Note.Expanded.DR", ReportKind::Expanded),
            ("report.ipm.note.relayed.dr", ReportKind::Relayed),
            ("REPORT.Delayed", ReportKind::Delayed),
            ("REPORT.IPM.Note.Other", ReportKind::Other),
        ] {
            assert_eq!(kind(class), of(report), "{class}");
        }
        assert_eq!(kind("IPM.Note.NDR"), ItemKind::Mail);
    }

    #[test]
    fn signed_items_of_any_kind_are_known() {
        for signed in [
            "IPM.Note.SMIME",
            "ipm.note.smime.multipartsigned",
            "IPM.InfoPathForm.x.SMIME",
            "IPM.Note.Secure.Sign",
        ] {
            assert!(MessageClass::parse(signed).is_smime, "{signed}");
        }
        assert!(!MessageClass::parse("IPM.Note.SMIMEs").is_smime);
        assert!(!MessageClass::parse("IPM.Note.Secured").is_smime);
        // [MS-OXOSMIME]: the one with the text beside its signature has a class of its own; the other is sealed.
        let is_clear = |class: &str| MessageClass::parse(class).is_clear_signed;
        assert!(is_clear("IPM.Note.SMIME.MultipartSigned"));
        assert!(!is_clear("IPM.Note.SMIME"));
        assert!(!is_clear("IPM.Note.MultipartSigned"));
    }
}
