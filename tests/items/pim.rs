//! Calendars, contacts, tasks, notes and journals: every item of real and written files becomes a file that the programs
//! of others read, with the instances and the clock that the stored blobs mean.

mod blob;
mod fixtures;
pub mod judges;
mod patterns;
mod unusual;
mod zones;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{corpus, support};
use judges::judge;
use ostfs::convert::VcardVersion as Version;
use ostfs::convert::calendar::instances::{instances, reconciled};
use ostfs::convert::calendar::recurrence::parse_appointment;
use ostfs::convert::calendar::rrule::rule;
use ostfs::convert::calendar::time_zone::TimeZone;
use ostfs::convert::calendar::{HEAD, TAIL, meeting_part};
use ostfs::convert::{Item, ItemFormat, ItemOptions, Resolved, item, note_color};
use ostfs::messaging::{Message, PropertySet, Store};
use ostfs::ndb::NodeType;
use serde_json::{Value as Json, json};

/// PidLidAppointmentRecur.
const RECUR: u32 = 0x8216;

fn open(path: &Path) -> Arc<Store> {
    Arc::new(Store::open(ostfs::ndb::open(path, 64 << 20).unwrap()))
}

fn messages(store: &Arc<Store>) -> Vec<Message> {
    let nodes = store.ndb().nodes().filter_map(Result::ok);
    nodes
        .filter(|node| node.nid.node_type() == NodeType::NORMAL_MESSAGE)
        .filter_map(|node| Message::open(store, node.nid).ok())
        .collect()
}

fn convert(message: &Message, vcard: Version) -> Option<Item> {
    let options = ItemOptions {
        vcard,
        resolve: &|_| Resolved::default(),
    };
    item(message, &options)
}

/// The stored recurrence of an appointment.
fn recurrence(message: &Message) -> Option<String> {
    let id = message.named(PropertySet::APPOINTMENT, RECUR)?;
    let blob = message.properties().binary(id).ok()??;
    Some(blob.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Files for the judges, and the list of them.
struct Output {
    folder: tempfile::TempDir,
    manifest: Vec<Json>,
}

impl Output {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            manifest: Vec::new(),
        }
    }

    /// Writes all items of `store` that are no mail.
    fn add_store(&mut self, name: &str, store: &Arc<Store>, zone_years: &dyn Fn(&Message) -> Json) {
        for (index, message) in messages(store).iter().enumerate() {
            if let Some((_, text)) = meeting_part(message, &|_| Resolved::default()) {
                let file = format!("{name}-{:x}-meeting.ics", message.nid().0);
                let entry = json!({ "blob": recurrence(message), "is_message": true });
                self.add(&file, &text, entry);
            }
            for (version, mark) in [(Version::V3, ""), (Version::V4, "-4")] {
                let Some(item) = convert(message, version) else {
                    continue;
                };
                let is_card = item.format == ItemFormat::Contact;
                if version == Version::V4 && !is_card {
                    continue;
                }
                for problem in &item.problems {
                    println!("{name} {}: {problem}", message.nid());
                }
                let mut entry = json!({
                    "zone_years": zone_years(message),
                    "collection": format!("{name}-{index}{mark}"),
                });
                if item.format == ItemFormat::Calendar {
                    entry["blob"] = recurrence(message).into();
                }
                let file = format!(
                    "{name}-{:x}{mark}{}",
                    message.nid().0,
                    item.format.extension()
                );
                self.add(&file, &item.text, entry);
            }
        }
    }

    fn add(&mut self, file: &str, text: &str, mut entry: Json) {
        let path = self.folder.path().join(file);
        std::fs::write(&path, text).unwrap();
        entry["file"] = path.to_str().unwrap().into();
        self.manifest.push(entry);
    }

    fn manifest(&self) -> PathBuf {
        let path = self.folder.path().join("manifest.json");
        std::fs::write(&path, Json::from(self.manifest.clone()).to_string()).unwrap();
        if let Some(keep) = std::env::var_os("OSTFS_KEEP") {
            let keep = Path::new(&keep);
            std::fs::create_dir_all(keep).unwrap();
            for entry in std::fs::read_dir(self.folder.path()).unwrap() {
                let entry = entry.unwrap();
                std::fs::copy(entry.path(), keep.join(entry.file_name())).ok();
            }
        }
        path
    }
}

fn fixture_store() -> (tempfile::TempDir, Arc<Store>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.pst");
    fixtures::store().write(&path).unwrap();
    let store = open(&path);
    (folder, store)
}

fn corpus_output() -> Output {
    let mut output = Output::new();
    for file in corpus::files() {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let name: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        output.add_store(&name, &open(&file), &|_| json!([2008, 2018]));
    }
    output
}

fn fixture_output() -> Output {
    let (_folder, store) = fixture_store();
    let mut output = Output::new();
    output.add_store("fixture", &store, &fixtures::zone_years);
    output
}

#[test]
fn the_days_of_patterns_are_those_that_an_independent_reading_gives() {
    for row in &patterns::ROWS {
        let recurrence = parse_appointment(&row.appointment(), 1252).unwrap();
        assert_eq!(recurrence.problem, None, "{}", row.name);
        let (pattern, _) = reconciled(recurrence.pattern);
        let days: Vec<String> = instances(&pattern, 5)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(days.join(" "), row.first_days, "{}", row.name);
    }
}

/// The lines of the calendar or card of the item of `class` with `subject`, unfolded.
fn lines(messages: &[Message], class: &str, subject: &str, version: Version) -> Vec<String> {
    let message = fixtures::find(messages, class, subject);
    let item = convert(&message, version).expect("an item");
    assert_eq!(item.problems, Vec::<String>::new(), "{subject}");
    unfold(&item.text)
}

fn unfold(text: &str) -> Vec<String> {
    text.replace("\r\n ", "")
        .lines()
        .map(str::to_owned)
        .collect()
}

fn assert_has(lines: &[String], wanted: &[&str]) {
    for line in wanted {
        assert!(
            lines.iter().any(|found| found == line),
            "no {line} in {lines:#?}"
        );
    }
}

const APPOINTMENT: &str = "IPM.Appointment";

#[test]
fn a_meeting_tells_who_where_when_and_what() {
    let (_folder, store) = fixture_store();
    let meeting = lines(
        &messages(&store),
        APPOINTMENT,
        "Budget; \"final\", really\\",
        Version::V3,
    );
    assert_has(
        &meeting,
        &[
            "UID:budget-7@north.example",
            r#"DTSTART;TZID="(UTC-05:00) Eastern Time (US & Canada)":20240603T060000"#,
            r#"SUMMARY:Budget\; "final"\, really\\"#,
            "LOCATION:Room 4\\, north",
            "DESCRIPTION:Grüße\\, all\\; see you",
            "ORGANIZER;CN=Ann Adams:mailto:ann@north.example",
            r#"ATTENDEE;CN="Müller, Bob";ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@north.example"#,
            "ATTENDEE;CN=Projector;CUTYPE=RESOURCE;ROLE=NON-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:projector@north.example",
            "CLASS:PRIVATE",
            "PRIORITY:1",
            "CATEGORIES:Red\\, dark,Büro",
            "SEQUENCE:3",
            "URL:https://meet.example/join?a=1;b=2",
            "TRIGGER:-PT30M",
            "ATTACH;FMTTYPE=text/csv;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=numbers.csv:YSxiDQoxLDINCg==",
        ],
    );
    let html = "X-ALT-DESC;FMTTYPE=text/html:";
    assert!(meeting.iter().any(|line| line.starts_with(html)));
}

#[test]
fn whole_days_are_those_of_the_zone_of_the_event() {
    let (_folder, store) = fixture_store();
    let messages = messages(&store);
    let day = lines(&messages, APPOINTMENT, "Independence Day", Version::V3);
    assert_has(
        &day,
        &[
            "DTSTART;VALUE=DATE:20240704",
            "DTEND;VALUE=DATE:20240705",
            "TRANSP:TRANSPARENT",
        ],
    );
    let flight = lines(&messages, APPOINTMENT, "Flight", Version::V3);
    assert_has(
        &flight,
        &[
            "DTSTART;TZID=Europe/Berlin:20240704T100000",
            "DTEND;TZID=America/New_York:20240704T120000",
        ],
    );
}

#[test]
fn a_changed_instance_has_its_own_subject_place_time_text_and_attachments() {
    let (_folder, store) = fixture_store();
    let series = lines(
        &messages(&store),
        APPOINTMENT,
        "Fridays but for a moved and a deleted one",
        Version::V3,
    );
    let second = series
        .iter()
        .rposition(|line| line == "BEGIN:VEVENT")
        .unwrap();
    let (master, instance) = series.split_at(second);
    assert_has(
        master,
        &[
            "DTSTART;TZID=Europe/Berlin:20240405T100000",
            "RRULE:FREQ=WEEKLY;BYDAY=FR;WKST=MO;COUNT=10",
            "EXDATE;TZID=Europe/Berlin:20240503T100000",
        ],
    );
    assert_has(
        instance,
        &[
            "RECURRENCE-ID;TZID=Europe/Berlin:20240419T100000",
            "DTSTART;TZID=Europe/Berlin:20240418T140000",
            "DTEND;TZID=Europe/Berlin:20240418T144500",
            "SUMMARY:Moved to Thursday",
            "LOCATION:Room 9",
            "DESCRIPTION:What is different this time: bring the keys.",
            "ATTACH;FMTTYPE=text/plain;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=agenda.txt:MS4ga2V5cw0K",
        ],
    );
    let uid = |lines: &[String]| lines.iter().find(|line| line.starts_with("UID:")).cloned();
    assert_eq!(uid(master), uid(instance));
}

#[test]
fn meeting_messages_carry_the_event_with_a_method() {
    let (_folder, store) = fixture_store();
    let messages = messages(&store);
    let part = |class: &str, subject: &str| {
        let class = format!("IPM.Schedule.Meeting.{class}");
        let message = fixtures::find(&messages, &class, subject);
        assert_eq!(convert(&message, Version::V3), None);
        let (method, text) = meeting_part(&message, &|_| Resolved::default()).unwrap();
        let lines = unfold(&text);
        assert_has(&lines, &[&format!("METHOD:{method}")]);
        (method, lines)
    };
    let budget = "Budget; \"final\", really\\";
    let (method, request) = part("Request", budget);
    assert_eq!(method, "REQUEST");
    assert_has(
        &request,
        &[
            "UID:budget-7@north.example",
            "ORGANIZER;CN=Ann Adams:mailto:ann@north.example",
        ],
    );
    let (method, cancel) = part("Canceled", budget);
    assert_eq!(method, "CANCEL");
    assert_has(&cancel, &["STATUS:CANCELLED"]);
    for (class, status) in [
        ("Resp.Pos", "ACCEPTED"),
        ("Resp.Neg", "DECLINED"),
        ("Resp.Tent", "TENTATIVE"),
    ] {
        let (method, reply) = part(class, budget);
        assert_eq!(method, "REPLY");
        let attendees: Vec<&String> = reply
            .iter()
            .filter(|line| line.starts_with("ATTENDEE"))
            .collect();
        assert_eq!(
            attendees,
            [&format!(
                "ATTENDEE;CN=Ann Adams;PARTSTAT={status}:mailto:ann@north.example"
            )]
        );
    }
    let (_, moved) = part("Request", "Moved");
    assert_has(
        &moved,
        &[
            "RECURRENCE-ID;TZID=Europe/Berlin:20240610T100000",
            "DTSTART;TZID=Europe/Berlin:20240611T140000",
        ],
    );
    let (method, counter) = part("Resp.Tent", "Tentative: Budget");
    assert_eq!(method, "COUNTER");
    assert_has(
        &counter,
        &[
            "DTSTART:20240603T150000Z",
            "DTEND:20240603T160000Z",
            "ORGANIZER;CN=Ann Adams:mailto:ann@north.example",
            "ATTENDEE;CN=Bob Müller;PARTSTAT=TENTATIVE:mailto:bob@north.example",
        ],
    );
}

#[test]
fn a_contact_is_whole_in_both_versions() {
    let (_folder, store) = fixture_store();
    let messages = messages(&store);
    let card = |version| lines(&messages, "IPM.Contact", "Jane Doe", version);
    let both = [
        "FN:Jane Doe",
        "ORG:West\\; Sons\\, Ltd.;Sales",
        "TITLE:Head\\nof all",
        "TEL;TYPE=WORK;TYPE=FAX:+1 555 0103",
        "ADR;TYPE=HOME:;;1 Home Street\\nBack door;Hometown;;;",
        "NOTE:First line\\nSecond\\, with\\; marks\\\\",
        "X-PHONETIC-FIRST-NAME:ジェーン",
        "X-EX-ADDRESS:/o=West/ou=First/cn=Recipients/cn=jane",
        "X-OSTFS-FIELD;X-NAME=Shoe size:38",
        "X-OSTFS-ATTACHMENT:cv.txt",
    ];
    for version in [Version::V3, Version::V4] {
        assert_has(&card(version), &both);
    }
    assert_has(
        &card(Version::V3),
        &[
            "N:Doe;Jane;Q.;Dr.;III",
            "EMAIL;TYPE=INTERNET;TYPE=PREF:jane@west.example",
            "BDAY:1970-01-31",
            "X-ANNIVERSARY:1999-09-09",
            "SORT-STRING:Doe\\, Jane",
        ],
    );
    assert_has(
        &card(Version::V4),
        &[
            "N;SORT-AS=\"Doe, Jane\":Doe;Jane;Q.;Dr.;III",
            "EMAIL;PREF=1:jane@west.example",
            "BDAY:19700131",
            "ANNIVERSARY:19990909",
            "GENDER:F",
            "RELATED;VALUE=text;TYPE=child:Jo",
        ],
    );
    let photo = |version, start: &str| card(version).iter().any(|line| line.starts_with(start));
    assert!(photo(Version::V3, "PHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgo"));
    assert!(photo(
        Version::V4,
        "PHOTO:data:image/png;base64,iVBORw0KGgo"
    ));
    // An Exchange name becomes an address where somebody knows it.
    let jane = fixtures::find(&messages, "IPM.Contact", "Jane Doe");
    let options = ItemOptions {
        vcard: Version::V3,
        resolve: &|name| {
            let is_jane = name == "/o=west/ou=first/cn=recipients/cn=jane";
            Resolved {
                smtp: is_jane.then(|| "j@ex.example".into()),
                is_in_doubt: false,
            }
        },
    };
    assert_has(
        &unfold(&item(&jane, &options).unwrap().text),
        &["EMAIL;TYPE=INTERNET:j@ex.example"],
    );
}

#[test]
fn a_list_names_all_members_wherever_they_are_kept() {
    let (_folder, store) = fixture_store();
    let messages = messages(&store);
    let board = lines(&messages, "IPM.DistList", "Board", Version::V4);
    assert_has(
        &board,
        &[
            "KIND:group",
            "MEMBER:mailto:ann@north.example",
            "MEMBER:mailto:jane@west.example",
        ],
    );
    let all = lines(&messages, "IPM.DistList", "Everybody", Version::V3);
    let members = all
        .iter()
        .filter(|line| line.starts_with("X-ADDRESSBOOKSERVER-MEMBER:"));
    assert_eq!(members.count(), 1000);
}

#[test]
fn tasks_notes_and_journal_entries_keep_what_they_say() {
    let (_folder, store) = fixture_store();
    let messages = messages(&store);
    let task = |subject: &str| lines(&messages, "IPM.Task", subject, Version::V3);
    assert_has(
        &task("File the tax form"),
        &[
            "DTSTART;VALUE=DATE:20240601",
            "DUE;VALUE=DATE:20240630",
            "STATUS:IN-PROCESS",
            "PERCENT-COMPLETE:25",
            "TRIGGER;VALUE=DATE-TIME:20240620T073000Z",
        ],
    );
    assert_has(
        &task("Paid"),
        &["STATUS:COMPLETED", "COMPLETED:20240502T000000Z"],
    );
    assert_has(
        &task("Water the plants"),
        &["RRULE:FREQ=WEEKLY;BYDAY=MO;WKST=SU"],
    );
    let call = lines(&messages, "IPM.Activity", "Call with Eva", Version::V3);
    assert_has(
        &call,
        &["DTSTART:20240604T090000Z", "CATEGORIES:Phone call"],
    );
    let note = fixtures::find(&messages, "IPM.StickyNote", "Door code 4711");
    let text = convert(&note, Version::V3).unwrap().text;
    assert_eq!(text, "Door code 4711\nAsk Bob for the key\n");
    assert_eq!(note_color(&note), Some("yellow"));
}

/// Damaged blobs give an error or less, quickly, and never a panic.
#[test]
fn damaged_blobs_do_no_harm() {
    let check = |blob: &[u8]| {
        if let Ok(recurrence) = parse_appointment(blob, 1252) {
            instances(&recurrence.pattern, 1000);
            rule(&recurrence.pattern, |day| day.to_string());
        }
        if let Some(zone) = TimeZone::of_definition(blob) {
            zone.to_utc(zone.to_local(jiff::civil::DateTime::MAX));
            zone.to_utc(zone.to_local(jiff::civil::DateTime::MIN));
        }
        TimeZone::of_struct(blob, None);
    };
    let rows = patterns::ROWS.iter().map(blob::Row::appointment);
    let blobs = rows.chain(
        zones::ZONES
            .iter()
            .flat_map(|zone| [zone.definition(), zone.structure()]),
    );
    let mut prng = support::Prng(7);
    for blob in blobs {
        for end in 0..blob.len() {
            check(&blob[..end]);
        }
        for _ in 0..200 {
            let mut broken = blob.clone();
            let at = prng.below(broken.len() as u64) as usize;
            broken[at] = prng.below(256) as u8;
            let at = prng.below(broken.len() as u64) as usize;
            broken[at] = 0xFF;
            check(&broken);
        }
    }
}

/// What cannot be read is told in the file itself, and the rest is still there.
#[test]
fn a_broken_item_is_a_file_that_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.pst");
    fixtures::store().write(&path).unwrap();
    let healthy = std::fs::read(&path).unwrap();
    let mut told = 0;
    for seed in 0..30 {
        let mut bytes = healthy.clone();
        let mut prng = support::Prng(seed);
        // Behind the header, which must be whole.
        for _ in 0..bytes.len() / 10_000 {
            let at = 4096 + prng.below(bytes.len() as u64 - 4096) as usize;
            bytes[at] ^= 0x5A;
        }
        std::fs::write(&path, bytes).unwrap();
        let Ok(ndb) = ostfs::ndb::open(&path, 64 << 20) else {
            continue;
        };
        for message in messages(&Arc::new(Store::open(ndb))) {
            let Some(item) = convert(&message, Version::V3) else {
                continue;
            };
            let lines = unfold(&item.text);
            let is_problem = |line: &&String| line.starts_with("X-OSTFS-PROBLEM:");
            assert_eq!(lines.iter().filter(is_problem).count(), item.problems.len());
            told += item.problems.len();
        }
    }
    println!("{told} problems told");
    assert!(told > 0);
}

/// Whatever a fuzzer or a broken disk makes of a file, its items become files or nothing.
#[test]
fn items_of_hostile_files_do_no_harm() {
    for file in corpus::hostile() {
        let Ok(ndb) = ostfs::ndb::open(&file, 64 << 20) else {
            continue;
        };
        for message in messages(&Arc::new(Store::open(ndb))) {
            convert(&message, Version::V4);
            meeting_part(&message, &|_| Resolved::default());
        }
    }
}

#[test]
fn parsers_of_others_read_every_written_item() {
    let output = fixture_output();
    assert!(output.manifest.len() > patterns::ROWS.len());
    let manifest = output.manifest();
    judge("parsers.py", &[&manifest]);
    judge("parse.mjs", &[&manifest]);
    judge("libical.py", &[&manifest]);
}

#[test]
fn calendars_of_many_items_join_into_one() {
    let (_folder, store) = fixture_store();
    let items: Vec<Item> = messages(&store)
        .iter()
        .filter_map(|message| convert(message, Version::V3))
        .filter(|item| item.format == ItemFormat::Calendar)
        .collect();
    let zones: BTreeMap<&str, &str> = items.iter().flat_map(Item::zones).collect();
    let zones: String = zones.into_values().collect();
    let own: String = items.iter().map(Item::own_part).collect();
    let problems: String = items.iter().map(Item::problem_lines).collect();
    let joined = format!("{HEAD}{problems}{zones}{own}{TAIL}");
    let begins = |text: &str, name: &str| text.matches(&format!("BEGIN:{name}\r\n")).count();
    for name in ["VEVENT", "VTODO", "VJOURNAL"] {
        let single: usize = items.iter().map(|item| begins(&item.text, name)).sum();
        assert_eq!(begins(&joined, name), single);
    }
    let mut output = Output::new();
    output.add("joined.ics", &joined, json!({}));
    let manifest = output.manifest();
    judge("parsers.py", &[&manifest]);
    judge("parse.mjs", &[&manifest]);
    judge("libical.py", &[&manifest]);
}

#[test]
fn parsers_of_others_read_every_real_item() {
    let output = corpus_output();
    if !output.manifest.is_empty() {
        let manifest = output.manifest();
        judge("parsers.py", &[&manifest]);
        judge("parse.mjs", &[&manifest]);
        judge("libical.py", &[&manifest]);
    }
}

#[test]
fn rules_give_the_instances_of_written_patterns() {
    judge_instances(&fixture_output());
}

#[test]
fn rules_give_the_instances_of_real_patterns() {
    let output = corpus_output();
    if !output.manifest.is_empty() {
        judge_instances(&output);
    }
}

/// The instances that libraries of Python and of Thunderbird find are those of the stored patterns.
fn judge_instances(output: &Output) {
    let expected = output.folder.path().join("expected");
    judge("recurrence.py", &[&output.manifest(), &expected]);
    if expected.exists() {
        judge("instances.mjs", &[&expected]);
    }
}

#[test]
fn clocks_change_when_those_of_the_world_do() {
    judge("zones.py", &[&fixture_output().manifest()]);
    let output = corpus_output();
    if !output.manifest.is_empty() {
        judge("zones.py", &[&output.manifest()]);
    }
}

#[test]
fn a_server_stores_every_item() {
    for output in [fixture_output(), corpus_output()] {
        if !output.manifest.is_empty() {
            let manifest = output.manifest();
            judge("server.py", &[&manifest, output.folder.path()]);
        }
    }
}

#[test]
fn parsers_of_others_read_the_import_files_of_a_tree() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.pst");
    support::sample::sample(support::Format::Unicode, support::Crypt::None)
        .write(&file)
        .unwrap();
    let tree = ostfs::tree::Tree::open(&file, &ostfs::tree::Options::default()).unwrap();
    let mut directory = ostfs::tree::Ino::ROOT;
    for name in [".ostfs", "import"] {
        directory = tree.lookup(directory, name.as_ref()).unwrap().unwrap();
    }
    let mut output = Output::new();
    let listing = tree.directory(directory).unwrap();
    let files: Vec<_> = listing
        .entries()
        .filter(|entry| entry.kind == ostfs::tree::Kind::File)
        .collect();
    for entry in &files {
        let mut bytes = vec![0; tree.attr(entry.ino).unwrap().size as usize];
        assert_eq!(tree.read_at(entry.ino, 0, &mut bytes).unwrap(), bytes.len());
        output.add(&entry.name, &String::from_utf8(bytes).unwrap(), json!({}));
    }
    assert_eq!(files.len(), 4, "calendar, contacts, tasks, journal");
    let manifest = output.manifest();
    judge("parsers.py", &[&manifest]);
    judge("parse.mjs", &[&manifest]);
    judge("libical.py", &[&manifest]);
}
