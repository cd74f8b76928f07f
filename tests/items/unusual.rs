//! Items that are unusual and plausible, as files of a tree.

use crate::support::*;
use ostfs::convert::Moment;
use ostfs::tree::{Info, Ino, Kind, Options as TreeOptions, Tree};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

fn open(store: &Store, options: &TreeOptions) -> (TempDir, Tree) {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("store.pst");
    store.write(&file).unwrap();
    let tree = Tree::open(&file, options).unwrap();
    (directory, tree)
}

fn at(tree: &Tree, path: &str) -> Ino {
    path.split('/').fold(Ino::ROOT, |at, name| {
        let found = tree.lookup(at, name.as_ref()).unwrap();
        found.unwrap_or_else(|| panic!("{path}: no {name} in {:?}", names(tree, at)))
    })
}

fn names(tree: &Tree, directory: Ino) -> Vec<String> {
    let listing = tree.directory(directory).unwrap();
    listing
        .entries()
        .map(|entry| entry.name.into_owned())
        .collect()
}

fn text(tree: &Tree, path: &str) -> String {
    let ino = at(tree, path);
    let mut bytes = vec![0; tree.attr(ino).unwrap().size as usize];
    assert_eq!(tree.read_at(ino, 0, &mut bytes).unwrap(), bytes.len());
    String::from_utf8(bytes).unwrap()
}

/// A definition of the zone of New York, or any other that is so far from UTC all year.
fn zone(minutes: i32) -> Vec<u8> {
    let mut out = minutes.to_le_bytes().to_vec();
    out.extend([0; 44]);
    out
}

#[test]
fn appointments_are_named_dated_and_indexed_by_when_they_take_place() {
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let top = store.ipm_subtree();
    let calendar = store.folder_of(top, "Calendar", "IPF.Appointment");
    let written = filetime(2020, 1, 1, 1, 1);
    let hour = filetime(2024, 6, 3, 10, 0);
    let lunch = Message::appointment("Lunch", hour, filetime(2024, 6, 3, 11, 0), "");
    // Midnight in New York.
    let (start, end) = (filetime(2024, 7, 4, 4, 0), filetime(2024, 7, 5, 4, 0));
    let holiday = Message::appointment("Holiday", start, end, "")
        .named(PSETID_APPOINTMENT, 0x8215, true)
        .named(PSETID_APPOINTMENT, 0x8233, zone(240));
    let nowhen = Message::new("IPM.Appointment", "Nowhen");
    for item in [lunch, holiday, nowhen] {
        store.message(calendar, item.time(written));
    }
    let (_directory, tree) = open(&store, &TreeOptions::default());
    assert_eq!(
        names(&tree, at(&tree, "Calendar")),
        [
            "2024-06-03 1000 Lunch.ics",
            "2024-07-04 Holiday.ics",
            "2020-01-01 0101 Nowhen.ics"
        ]
    );
    let since_1970 = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    // date -u -d '2024-06-03 10:00' +%s, and of 2024-07-04.
    let dates = [
        ("2024-06-03 1000 Lunch.ics", 1_717_408_800),
        ("2024-07-04 Holiday.ics", 1_720_051_200),
    ];
    for (name, seconds) in dates {
        let ino = at(&tree, &format!("Calendar/{name}"));
        assert_eq!(tree.attr(ino).unwrap().mtime, since_1970(seconds), "{name}");
        let summary = tree.summary(ino).unwrap();
        let start = summary.moment.unwrap().start().system_time();
        assert_eq!(start, since_1970(seconds), "{name}");
        assert_eq!(
            summary.stretches[0].start.start().system_time(),
            since_1970(seconds)
        );
    }
    let index = text(&tree, ".ostfs/index.csv");
    for date in ["2024-06-03T10:00:00Z", "2024-07-04", "2020-01-01T01:01:00Z"] {
        assert!(index.contains(&format!(",{date},")), "{date}: {index}");
    }
    // A day is the same day in every zone.
    let options = TreeOptions {
        zone: jiff::tz::TimeZone::posix("EST5").unwrap(),
        ..TreeOptions::default()
    };
    let (_directory, tree) = open(&store, &options);
    let found = names(&tree, at(&tree, "Calendar"));
    assert_eq!(
        found[..2],
        ["2024-06-03 0500 Lunch.ics", "2024-07-04 Holiday.ics"]
    );
}

#[test]
fn journal_entries_are_named_dated_and_indexed_by_what_they_are_about() {
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let journal = store.folder_of(store.ipm_subtree(), "Journal", "IPF.Journal");
    let call = Message::journal("Call", "Phone call", filetime(2024, 6, 3, 10, 0), 5);
    let nowhen = Message::new("IPM.Activity", "Nowhen");
    for item in [call, nowhen] {
        store.message(journal, item.time(filetime(2020, 1, 1, 1, 1)));
    }
    let (_directory, tree) = open(&store, &TreeOptions::default());
    let expected = ["2024-06-03 1000 Call.ics", "2020-01-01 0101 Nowhen.ics"];
    assert_eq!(names(&tree, at(&tree, "Journal")), expected);
    let ino = at(&tree, "Journal/2024-06-03 1000 Call.ics");
    let stretches = tree.summary(ino).unwrap().stretches;
    let seconds = |moment: Moment| moment.start().unix_seconds();
    let ends = stretches
        .iter()
        .map(|stretch| (seconds(stretch.start), stretch.end.map(seconds)));
    // date -u -d '2024-06-03 10:00' +%s, and five minutes later.
    assert_eq!(
        ends.collect::<Vec<_>>(),
        [(1_717_408_800, Some(1_717_409_100))]
    );
    let index = text(&tree, ".ostfs/index.csv");
    for date in ["2024-06-03T10:00:00Z", "2020-01-01T01:01:00Z"] {
        assert!(index.contains(&format!(",{date},")), "{date}: {index}");
    }
}

fn with_hidden_folders() -> Store {
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let top = store.ipm_subtree();
    let mut hidden = |name: &str, above| {
        let folder = store.folder(above, name);
        store.folder_prop(folder, 0x10F4, true);
        folder
    };
    let people = hidden("PersonMetadata", top);
    let yammer = hidden("Yammer Root", top);
    let chats = hidden("Team Chat", top);
    let above = hidden("Above", top);
    store.folder(yammer, "Feeds");
    let below = store.folder(above, "Below");
    store.message(people, Message::new("IPM.AbchPerson", "Eva"));
    let chat = Message::new("IPM.SkypeTeams.Message", "Hello");
    store.message(chats, chat.time(filetime(2024, 6, 3, 10, 0)));
    store.message(below, Message::mail("kept"));
    store.folder(top, "Inbox");
    store
}

#[test]
fn hidden_folders_are_not_among_those_of_the_user_unless_they_hold_mail() {
    let store = with_hidden_folders();
    let (_directory, tree) = open(&store, &TreeOptions::default());
    let mut shown = names(&tree, Ino::ROOT);
    shown.retain(|name| name != "Deleted Items");
    shown.sort();
    assert_eq!(shown, ["Above", "Inbox", "Team Chat", "lost+found"]);
    assert_eq!(names(&tree, at(&tree, "lost+found")), Vec::<String>::new());
    assert!(!text(&tree, ".ostfs/index.csv").contains("PersonMetadata"));
    let all = TreeOptions {
        all: true,
        ..TreeOptions::default()
    };
    let (_directory, tree) = open(&store, &all);
    let info: Info = tree.info();
    let hidden: Vec<&str> = info
        .folders
        .iter()
        .filter(|folder| folder.hidden)
        .filter_map(|folder| folder.path.rsplit('/').next())
        .collect();
    assert_eq!(hidden, ["PersonMetadata", "Yammer Root"]);
    let index = text(&tree, ".ostfs/index.csv");
    assert!(index.contains("PersonMetadata"), "{index}");
}

#[test]
fn changed_instances_of_a_series_are_in_its_calendar_and_are_no_attachments() {
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let top = store.ipm_subtree();
    let calendar = store.folder_of(top, "Calendar", "IPF.Appointment");
    let start = filetime(2024, 6, 3, 10, 0);
    let instance = || {
        let inner = Message::appointment("Moved", start, start, "");
        Attachment::message(inner)
            .prop(tags::ATTACHMENT_FLAGS, 2)
            .prop(tags::ATTACHMENT_HIDDEN, true)
    };
    // Every day, from 2024-06-03 on.
    let mut pattern = Vec::new();
    for field in [0x3004u16, 0x3004, 0x200A, 0, 0] {
        pattern.extend(field.to_le_bytes());
    }
    let day = ((filetime(2024, 6, 3, 0, 0)) / 600_000_000) as u32;
    for field in [
        0,
        1440,
        0,
        0x2023,
        10,
        0,
        0,
        0,
        day,
        0x5AE9_80DF,
        0x3006,
        0x3009,
        600,
        660,
    ] {
        pattern.extend(u32::to_le_bytes(field));
    }
    pattern.extend([0; 10]);
    let series = |subject: &str| {
        Message::appointment(subject, start, start, "").named(PSETID_APPOINTMENT, 0x8223, true)
    };
    let whole = |subject: &str| {
        series(subject)
            .named(PSETID_APPOINTMENT, 0x8216, pattern.clone())
            .attach(instance())
    };
    store.message(calendar, whole("Alone"));
    store.message(calendar, whole("Both").attachment("agenda.txt", "keys"));
    // Without its pattern the instance is nowhere else.
    store.message(calendar, series("Lost").attach(instance()));
    let options = TreeOptions {
        text: true,
        ..TreeOptions::default()
    };
    let (_directory, tree) = open(&store, &options);
    let found = names(&tree, at(&tree, "Calendar"));
    assert!(
        !found.contains(&"2024-06-03 1000 Alone.attachments".to_owned()),
        "{found:?}"
    );
    let attached = |name: &str| {
        names(
            &tree,
            at(
                &tree,
                &format!("Calendar/2024-06-03 1000 {name}.attachments"),
            ),
        )
    };
    assert_eq!(attached("Both"), ["agenda.txt"]);
    assert_eq!(attached("Lost").len(), 1);
    let shown = text(&tree, "Calendar/2024-06-03 1000 Both.txt");
    assert_eq!(shown.matches("Attachment: ").count(), 1, "{shown}");
    let events = text(&tree, "Calendar/2024-06-03 1000 Alone.ics");
    assert_eq!(events.matches("BEGIN:VEVENT").count(), 2, "{events}");
    let kind = |path: &str| tree.attr(at(&tree, path)).unwrap().kind;
    assert_eq!(
        kind("Calendar/2024-06-03 1000 Both.attachments"),
        Kind::Directory
    );
}

/// PidLidVerbStream with a reply button and two to vote with. [MS-OXOMSG] 2.2.1.74
fn voting() -> Vec<u8> {
    let mut out = vec![2, 1, 3, 0, 0, 0];
    let verbs = [(0u32, "Reply"), (4, "J?"), (4, "Nein")];
    for (number, (kind, name)) in verbs.iter().enumerate() {
        out.extend(kind.to_le_bytes());
        for text in [name, "IPM.Note", "", name] {
            out.push(text.len() as u8);
            out.extend(text.as_bytes());
        }
        out.extend([0; 5]);
        for field in [0u32, 1, 1, 2, number as u32, u32::MAX] {
            out.extend(field.to_le_bytes());
        }
    }
    out.extend([4, 1]);
    for name in ["Reply", "Jó", "Nein"] {
        for _ in 0..2 {
            out.push(name.chars().count() as u8);
            out.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
        }
    }
    out
}

#[test]
fn mail_says_when_it_is_due_what_to_vote_for_whose_it_is_and_who_called() {
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    let time = filetime(2024, 6, 3, 10, 0);
    let due = filetime(2024, 6, 10, 16, 0);
    let flagged = Message::mail("Flagged")
        .named(PSETID_COMMON, 0x8530, "Follow up")
        .named(PSETID_COMMON, 0x8517, Value::Time(due));
    let asked = Message::mail("Asked")
        .prop(tags::REPLY_TIME, Value::Time(due))
        .named(PSETID_COMMON, 0x8520, voting())
        .named(PSETID_COMMON, 0x8524, "Jó");
    // What a meeting is about is no reply.
    let meeting = Message::new("IPM.Schedule.Meeting.Request", "Meeting")
        .named(PSETID_COMMON, 0x8530, "Follow up")
        .named(PSETID_COMMON, 0x8517, Value::Time(due));
    let call = Message::new("IPM.Note.Microsoft.Voicemail.UM.CA", "Call")
        .prop(tags::VOICE_MESSAGE_DURATION, 42)
        .prop(tags::SENDER_TELEPHONE_NUMBER, "+1 555 0100")
        .prop(tags::RECEIVED_BY_NAME, "Front desk")
        .prop(tags::RECEIVED_BY_ADDRESS_TYPE, "SMTP")
        .prop(tags::RECEIVED_BY_EMAIL_ADDRESS, "desk@north.example")
        .prop(tags::RECEIVED_REPRESENTING_NAME, "Ann")
        .prop(tags::RECEIVED_REPRESENTING_ADDRESS_TYPE, "SMTP")
        .prop(
            tags::RECEIVED_REPRESENTING_EMAIL_ADDRESS,
            "ann@north.example",
        );
    let other = Message::mail("Other").prop(tags::SENDER_TELEPHONE_NUMBER, "no telephone");
    for item in [flagged, asked, meeting, call, other] {
        store.message(inbox, item.time(time));
    }
    let options = TreeOptions {
        text: true,
        ..TreeOptions::default()
    };
    let (_directory, tree) = open(&store, &options);
    let file = |name: &str| text(&tree, &format!("Inbox/2024-06-03 1000 {name}"));
    let has = |name: &str, wanted: &[&str]| {
        let text = file(name);
        for line in wanted {
            assert!(
                text.lines().any(|found| found == *line),
                "no {line} in {text}"
            );
        }
    };
    let date = "Mon, 10 Jun 2024 16:00:00 +0000";
    has("Flagged.eml", &[&format!("Reply-By: {date}")]);
    has("Flagged.txt", &[&format!("Due: {date}")]);
    has(
        "Asked.eml",
        &[
            &format!("Reply-By: {date}"),
            "X-Ostfs-Vote: =?utf-8?B?SsOz?=",
        ],
    );
    has(
        "Asked.txt",
        &["X-Ostfs-Voting-Options: Jó; Nein", "X-Ostfs-Vote: Jó"],
    );
    assert!(!file("Meeting.eml").contains("Reply-By:"));
    has(
        "Call.eml",
        &[
            "X-VoiceMessageDuration: 42",
            "X-CallingTelephoneNumber: +1 555 0100",
            "X-Ostfs-Received-By: Front desk <desk@north.example>",
            "X-Ostfs-Received-Representing: Ann <ann@north.example>",
        ],
    );
    assert!(!file("Other.eml").contains("X-CallingTelephoneNumber"));
}

/// Writers fill the cells that they like: what an item is and what it is called must not depend on it.
#[test]
fn what_a_row_of_the_folder_lacks_is_asked_of_the_item() {
    const CLASS: u16 = 0x001A;
    const SUBJECT: u16 = 0x0037;
    const DISPLAY_NAME: u16 = 0x3001;
    for format in [Format::Unicode, Format::Ansi, Format::Ost4k] {
        let mut store = Store::new(format, Crypt::Permute);
        let top = store.ipm_subtree();
        let calendar = store.folder_of(top, "Calendar", "IPF.Appointment");
        let (start, end) = (filetime(2024, 6, 3, 10, 0), filetime(2024, 6, 3, 11, 0));
        let lunch = Message::appointment("Lunch", start, end, "").row(CLASS, None);
        store.message(calendar, lunch);
        let contacts = store.folder_of(top, "Contacts", "IPF.Contact");
        let contact = |given: &str| Message::contact(given, "Alder", "a@x.example");
        // The table of a folder need not have a column for names of contacts.
        store.message(contacts, contact("Ann").subject("An old name"));
        store.message(contacts, contact("Bob").row(CLASS, None));
        let eva = contact("Eva").row(DISPLAY_NAME, None);
        store.message(contacts, eva.subject("Another"));
        let inbox = store.folder(top, "Inbox");
        store.message(inbox, Message::mail("Numbers").row(SUBJECT, None));
        let chat = Message::new("IPM.SkypeTeams.Message", "Hello").row(CLASS, None);
        store.message(inbox, chat);
        let (_directory, tree) = open(&store, &TreeOptions::default());
        let expected: [(&str, &[&str]); 3] = [
            ("Calendar", &["2024-06-03 1000 Lunch.ics"]),
            (
                "Contacts",
                &["Ann Alder.vcf", "Bob Alder.vcf", "Eva Alder.vcf"],
            ),
            (
                "Inbox",
                &[
                    "2024-05-01 0932 Numbers.eml",
                    "2024-05-01 0932 Hello.eml",
                    "Conversation about Hello.txt",
                ],
            ),
        ];
        for (folder, files) in expected {
            assert_eq!(names(&tree, at(&tree, folder)), files, "{format:?}");
        }
        let index = text(&tree, ".ostfs/index.csv");
        for told in [
            ",Lunch,IPM.Appointment,",
            ",Eva Alder,IPM.Contact,",
            ",Numbers,IPM.Note,",
        ] {
            assert!(index.contains(told), "{told}: {index}");
        }
        let imports = names(&tree, at(&tree, ".ostfs/import"));
        assert_eq!(imports, ["Calendar.ics", "Contacts.vcf"], "{format:?}");
    }
}
