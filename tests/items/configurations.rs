//! Hidden items that configure Outlook: what an autocomplete list, a list of categories and rules become.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ostfs::Tree;
use ostfs::messaging::{ConfigurationKind, Configurations};
use ostfs::tree::Options;
use tempfile::TempDir;

use crate::corpus;
use crate::mounted::ostfs;
use crate::pim::judges::judge;
use crate::support::tags;
use crate::support::{Crypt, Folders, Format, Message, Nid, RECORD_KEY, Store};
use crate::walk::{problems, read};

const NAME: u32 = 0x3001_001F;
const TYPE: u32 = 0x3002_001F;
const ADDRESS: u32 = 0x3003_001F;
const SMTP: u32 = 0x39FE_001F;
const NICKNAME: u32 = 0x6001_001F;
const SHOWN: u32 = 0x6003_001F;
const WEIGHT: u32 = 0x6004_0003;
/// A text of the type PtypErrorCode, which has no bytes.
const NO_SMTP: u32 = 0x39FE_000A;
const DN: &str = "/o=Org/ou=Site/cn=Recipients/cn=eva";

fn utf16(text: &str) -> Vec<u8> {
    let units = text.encode_utf16().chain([0]);
    units.flat_map(u16::to_le_bytes).collect()
}

/// A row of an autocomplete list; behind each tag stands rubbish, as Outlook leaves it there.
fn row(properties: &[(u32, &str)]) -> Vec<u8> {
    let mut row = (properties.len() as u32).to_le_bytes().to_vec();
    for (tag, text) in properties {
        row.extend(tag.to_le_bytes());
        row.extend([0xC4, 0x0A, 0xA3, 0x76, 0xB8, 0x6D, 0x57, 0x06, 0, 0, 0, 0]);
        if tag & 0xFFFF == 0x1F {
            row.extend((utf16(text).len() as u32).to_le_bytes());
            row.extend(utf16(text));
        }
    }
    row
}

/// A list of `count` rows by its own word.
fn stream(major: u32, count: u32, rows: &[Vec<u8>]) -> Vec<u8> {
    let mut stream = Vec::new();
    for number in [0xBAAD_F00D, major, 0, count] {
        stream.extend(u32::to_le_bytes(number));
    }
    stream.extend(rows.concat());
    // No more bytes, and the time of its last change.
    stream.extend([0, 0, 0, 0, 0x50, 0x35, 0xC3, 0xEE, 0x21, 0x9B, 0xCB, 0x01]);
    stream
}

fn people() -> Vec<Vec<u8>> {
    vec![
        row(&[
            (NICKNAME, "ann"),
            (NICKNAME, "an"),
            (NICKNAME, "a"),
            (NAME, "Ann Alder (ann@example.com)"),
            (TYPE, "SMTP"),
            (ADDRESS, "ann@example.com"),
            (SMTP, "ann@example.com"),
            (WEIGHT, ""),
        ]),
        row(&[
            (NICKNAME, "eva@example.com"),
            (SMTP, "eva@example.com"),
            (NAME, "Eva Müller"),
            (TYPE, "EX"),
            (ADDRESS, DN),
            (SHOWN, "Eva Müller <eva@example.com>"),
        ]),
        row(&[
            (NICKNAME, "bob@example.org"),
            (NO_SMTP, ""),
            (TYPE, "SMTP"),
            (ADDRESS, "bob@example.org"),
        ]),
        row(&[(NICKNAME, "Staff"), (NAME, "Staff"), (TYPE, "MAPIPDL")]),
    ]
}

fn hidden(class: &str) -> Message {
    Message::new(class, class).associated()
}

fn autocomplete(stream: &[u8]) -> Message {
    hidden("IPM.Configuration.Autocomplete").prop(tags::ROAMING_BINARY, stream.to_vec())
}

/// A store with these items in its Inbox, and a folder for rules to move to.
fn store(items: impl FnOnce(Nid) -> Vec<Message>) -> (TempDir, PathBuf) {
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    let target = store.folder(inbox, "Bills & more");
    for item in items(target) {
        store.message(inbox, item);
    }
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("store.pst");
    store.write(&file).unwrap();
    (directory, file)
}

/// A file of `.ostfs`; what `ostfs` says where there is none.
fn cat(file: &Path, name: &str) -> Result<String, String> {
    let output = ostfs(&["cat", file.to_str().unwrap(), &format!(".ostfs/{name}")]);
    // A problem in it changes the exit code, too.
    match output.stdout.is_empty() {
        false => Ok(String::from_utf8(output.stdout).unwrap()),
        true => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// Of each card: name, address, what was typed, what it is if it is no person.
fn cards(file: &Path) -> Vec<String> {
    let text = cat(file, "import/Autocomplete.vcf").unwrap();
    let card = |lines: &str| {
        let field = |name: &str| {
            let mut values = lines.lines().filter_map(|line| line.split_once(':'));
            let value = values.find(|(field, _)| field.split(';').next() == Some(name));
            value.map_or("", |(_, value)| value)
        };
        let fields = ["FN", "EMAIL", "NICKNAME", "X-ADDRESSBOOKSERVER-KIND"];
        fields.map(field).join("|")
    };
    text.split_terminator("END:VCARD\r\n").map(card).collect()
}

/// A reader of others finds the same people in `stream` as in the cards of `file`.
fn judge_cards(directory: &Path, file: &Path, stream: &[u8]) {
    let (raw, vcf) = (directory.join("stream"), directory.join("cards.vcf"));
    fs::write(&raw, stream).unwrap();
    fs::write(&vcf, cat(file, "import/Autocomplete.vcf").unwrap()).unwrap();
    judge("autocomplete.py", &[&raw, &vcf]);
}

/// Line 20 of the list of kinds: the address book that people miss most.
#[test]
fn an_autocomplete_list_is_a_file_of_cards() {
    let stream = stream(12, 4, &people());
    let (directory, file) = store(|_| vec![autocomplete(&stream)]);
    let expected = [
        "Ann Alder|ann@example.com|ann|",
        "Eva Müller|eva@example.com||",
        "bob@example.org|bob@example.org||",
        "Staff|||group",
    ];
    assert_eq!(cards(&file), expected);
    judge_cards(directory.path(), &file, &stream);
    // The same list twice, as two profiles leave it, proposes nobody twice.
    let (_directory, file) = store(|_| vec![autocomplete(&stream), autocomplete(&stream)]);
    assert_eq!(cards(&file), expected);
}

#[test]
fn without_a_list_there_is_no_file_and_the_others_say_that_there_is_nothing() {
    let (_directory, file) = store(|_| vec![hidden("IPM.Configuration.WorkHours")]);
    let problem = cat(&file, "import/Autocomplete.vcf").unwrap_err();
    assert!(problem.contains("no such file"), "{problem}");
    assert_eq!(
        cat(&file, "categories.csv").unwrap(),
        "name,color,shortcut,last_used,guid\n"
    );
    assert_eq!(
        cat(&file, "rules.txt").unwrap(),
        "There are no rules in this file.\n"
    );
}

/// A mail from Eva, who has an Exchange name alone.
fn from_eva() -> Message {
    let mail = Message::mail("Hello").body("Words\r\n");
    [[0x0042, 0x0064, 0x0065], [0x0C1A, 0x0C1E, 0x0C1F]]
        .into_iter()
        .fold(mail, |mail, [name, kind, address]| {
            mail.prop(name, "Eva")
                .prop(kind, "EX")
                .prop(address, DN.to_uppercase())
        })
}

fn mail_of(file: &Path) -> String {
    let tree = Tree::open(file, &Options::default()).unwrap();
    let mail = tree.find("Inbox/2024-05-01 0932 Hello.eml".as_ref());
    String::from_utf8(read(&tree, mail.unwrap().unwrap()).unwrap()).unwrap()
}

#[test]
fn a_sender_with_an_exchange_name_gets_the_address_that_the_list_has() {
    let whole = stream(12, 4, &people());
    let (_directory, file) = store(|_| vec![from_eva(), autocomplete(&whole)]);
    let mail = mail_of(&file);
    assert!(mail.starts_with("From: Eva <eva@example.com>\n"), "{mail}");
    assert!(!mail.contains("X-Ostfs-Problem"), "{mail}");
    // What the list has lost may have told another address.
    let cut = stream(12, 5, &people());
    let (_directory, file) = store(|_| vec![from_eva(), autocomplete(&cut)]);
    let mail = mail_of(&file);
    assert!(mail.starts_with("From: Eva <eva@example.com>\n"), "{mail}");
    assert!(
        mail.contains("X-Ostfs-Problem: addresses of this item come from"),
        "{mail}"
    );
}

/// Rows that have less than Outlook writes, or have it in another form.
#[test]
fn whom_a_row_only_shows_has_an_address_if_that_is_shown() {
    let rows = [
        row(&[(NICKNAME, "ann@example.com")]),
        row(&[(NICKNAME, "eva"), (SHOWN, "Eva Müller <eva@example.com>")]),
        row(&[
            (NICKNAME, "bob"),
            (TYPE, "SMTP"),
            (ADDRESS, "SMTP:bob@example.org"),
        ]),
        row(&[(NICKNAME, "Somebody"), (SHOWN, "Somebody")]),
    ];
    let (_directory, file) = store(|_| vec![autocomplete(&stream(12, 4, &rows))]);
    let expected = [
        "ann@example.com|ann@example.com||",
        "Eva Müller|eva@example.com|eva|",
        "bob@example.org|bob@example.org|bob|",
        "Somebody|||",
    ];
    assert_eq!(cards(&file), expected);
}

#[test]
fn a_row_that_makes_no_sense_costs_itself_alone_and_is_told() {
    let mut rows = people();
    // The length of the nickname of the second row is more than the stream has.
    rows[1][20..24].copy_from_slice(&u32::MAX.to_le_bytes());
    let bad = stream(12, 4, &rows);
    let (_directory, file) = store(|_| vec![autocomplete(&bad)]);
    let people: Vec<String> = cards(&file);
    assert_eq!(
        people,
        [
            "Ann Alder|ann@example.com|ann|",
            "bob@example.org|bob@example.org||",
            "Staff|||group",
        ]
    );
    let told = told_by_mount(&file);
    assert!(
        told.contains("1 of 4 rows make no sense: row 2 at offset"),
        "{told}"
    );
}

/// `problems.txt` after the list was read.
fn told_by_mount(file: &Path) -> String {
    let tree = Tree::open(file, &Options::default()).unwrap();
    let list = tree.find(".ostfs/import/Autocomplete.vcf".as_ref());
    read(&tree, list.unwrap().unwrap()).unwrap();
    problems(&tree)
}

#[test]
fn hostile_lists_come_to_an_end_and_say_what_is_wrong() {
    let mut endless = people();
    endless[3] = u32::MAX.to_le_bytes().to_vec();
    let many: Vec<Vec<u8>> = vec![row(&[(NICKNAME, "")])[..12].to_vec(); 100_000];
    for (name, stream, expected) in [
        (
            "count",
            stream(12, u32::MAX, &people()),
            "4294967295 rows expected",
        ),
        ("properties", stream(12, 4, &endless), "row 4 at offset"),
        (
            "many broken rows",
            stream(12, u32::MAX, &many),
            "rows make no sense",
        ),
        (
            "version",
            stream(13, 4, &people()),
            "major version 12 expected, 13 found",
        ),
        ("header", vec![1, 2, 3], "16 bytes expected, 3 found"),
    ] {
        let (_directory, file) = store(|_| vec![autocomplete(&stream)]);
        let told = told_by_mount(&file);
        assert!(told.contains(expected), "{name}: {told}");
    }
}

#[test]
fn categories_are_a_table() {
    let xml = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\
        <categories lastSavedTime=\"2011-03-19T11:19:09.564Z\" xmlns=\"CategoryList.xsd\">\
        <category renameOnFirstUse=\"0\" name=\"Müller &amp; Söhne, &quot;GmbH&quot;\" color=\"0\" \
        keyboardShortcut=\"1\" lastTimeUsed=\"2011-03-19T11:19:09.564Z\" guid=\"{1}\" />\
        <category name=\"Plain\" color=\"-1\" keyboardShortcut=\"0\" guid=\"{2}\" />\
        <category name=\"New\" color=\"99\" guid=\"{3}\" /></categories>";
    let list = hidden("IPM.Configuration.CategoryList")
        .prop(tags::ROAMING_XML_STREAM, xml.as_bytes().to_vec());
    let (_directory, file) = store(|_| vec![list]);
    assert_eq!(
        cat(&file, "categories.csv").unwrap(),
        "name,color,shortcut,last_used,guid\n\
         \"Müller & Söhne, \"\"GmbH\"\"\",red,Ctrl+F2,2011-03-19T11:19:09.564Z,{1}\n\
         Plain,none,,,{2}\n\
         New,99,,,{3}\n"
    );
}

/// `text` as a value with its tag in front, as conditions have it.
fn tagged(tag: u32, value: &[u8]) -> Vec<u8> {
    [&tag.to_le_bytes(), value].concat()
}

/// A text that must be in property `tag`, without regard to case.
fn contains(tag: u32, text: &str) -> Vec<u8> {
    let mut condition = vec![0x03, 1, 0, 1, 0];
    condition.extend(tag.to_le_bytes());
    condition.extend(tagged(tag, &utf16(text)));
    condition
}

/// What a rule asks for: subject, and size or Cc; `count` writes how many there are.
fn condition(count: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    let larger = [
        &[0x07, 0x02][..],
        &0x0E08_0003_u32.to_le_bytes(),
        &5000_u32.to_le_bytes(),
    ];
    [
        vec![0x00],
        count(2),
        contains(0x0037_001F, "Invoice"),
        vec![0x01],
        count(2),
        larger.concat(),
        vec![0x02],
        contains(0x0E03_001F, "boss"),
    ]
    .concat()
}

/// One action: its length, kind, no flavour, no flags, and its data.
fn action(count: &dyn Fn(u32) -> Vec<u8>, kind: u8, data: &[u8]) -> Vec<u8> {
    let body = [&[kind][..], &[0; 8], data].concat();
    [count(body.len() as u32), body].concat()
}

/// What a rule does: forwards to somebody, moves to `folder`, deletes, and something that nobody knows.
fn actions(count: &dyn Fn(u32) -> Vec<u8>, is_extended: bool, folder: Nid) -> Vec<u8> {
    let mut entry_id = vec![0; 4];
    entry_id.extend(RECORD_KEY);
    entry_id.extend(folder.to_le_bytes());
    let forward = [
        count(1),
        vec![0x01],
        count(2),
        tagged(0x3001_001F, &utf16("Secret Box")),
        tagged(0x39FE_001F, &utf16("box@example.net")),
    ];
    let within = if is_extended { vec![] } else { vec![1] };
    let to_folder = [within, count(4), vec![9; 4], count(24), entry_id];
    [
        count(4),
        action(count, 0x07, &forward.concat()),
        action(count, 0x01, &to_folder.concat()),
        action(count, 0x0A, &[]),
        action(count, 0x77, &[1, 2, 3]),
    ]
    .concat()
}

const WORDS: &str = "  If: (subject contains \"Invoice\" and (the size of size is more than 5000 bytes or not Cc \
    contains \"boss\"))\n  Then: forward it to \"Secret Box\" (\"box@example.net\")\n  \
    Then: move it to \"Inbox/Bills & more\"\n  Then: delete it\n  \
    Then: do something that cannot be told (12 bytes)\n";

fn rule(class: &str, name: &str, state: i32, sequence: i32) -> Message {
    let rule = hidden(class)
        .prop(tags::RULE_MESSAGE_NAME, name)
        .prop(tags::RULE_MESSAGE_STATE, state);
    rule.prop(tags::RULE_MESSAGE_SEQUENCE, sequence)
}

/// A rule that forwards is what an examiner looks for.
#[test]
fn rules_say_what_they_ask_for_and_what_they_do() {
    let wide = |count: u32| count.to_le_bytes().to_vec();
    let narrow = |count: u32| (count as u16).to_le_bytes().to_vec();
    let (_directory, file) = store(|folder| {
        // No named properties; the version.
        let extended = [&[0, 0][..], &condition(wide)];
        let extended_actions = [&[0, 0, 1, 0, 0, 0][..], &actions(&wide, true, folder)];
        vec![
            rule("IPM.ExtendedRule.Message", "Second", 0x11, 20)
                .prop(tags::RULE_MESSAGE_PROVIDER, "Provider")
                .prop(tags::EXTENDED_RULE_MESSAGE_CONDITION, extended.concat())
                .prop(
                    tags::EXTENDED_RULE_MESSAGE_ACTIONS,
                    extended_actions.concat(),
                ),
            // The class that older servers give; newer ones: IPM.Rule.Version2.Message.
            rule("IPM.Rule.Message", "First", 0x04, 10)
                .prop(tags::RULE_MESSAGE_CONDITION, condition(narrow))
                .prop(tags::RULE_MESSAGE_ACTIONS, actions(&narrow, false, folder)),
        ]
    });
    let first = "Rule: First\n  State: off, only while the user is away\n";
    let second = "\nRule: Second\n  State: on, no rule after it\n  Made by: Provider\n";
    assert_eq!(
        cat(&file, "rules.txt").unwrap(),
        [first, WORDS, second, WORDS].concat()
    );
}

#[test]
fn rules_that_make_no_sense_say_so_and_are_told() {
    let deep: Vec<u8> = [0, 0].into_iter().chain([0x02; 10_000]).collect();
    let many: Vec<u8> = [0, 0, 0x00, 0xFF, 0xFF, 0xFF, 0xFF].to_vec();
    for blob in [deep, many, vec![0xFF; 9]] {
        let rule = rule("IPM.ExtendedRule.Message", "Bad", 1, 1)
            .prop(tags::EXTENDED_RULE_MESSAGE_CONDITION, blob.clone());
        let (_directory, file) = store(|_| vec![rule]);
        let problem = format!(
            "condition of {} bytes in a form that is not known",
            blob.len()
        );
        let expected = format!(
            "Rule: Bad\n  State: on\n  If: {problem}\n  Then: nothing that the file tells\n"
        );
        assert_eq!(cat(&file, "rules.txt").unwrap(), expected);
        let tree = Tree::open(&file, &Options::default()).unwrap();
        let rules = tree.find(".ostfs/rules.txt".as_ref()).unwrap().unwrap();
        read(&tree, rules).unwrap();
        assert!(problems(&tree).contains(&problem), "{}", problems(&tree));
    }
}

/// What form they have is not published: a real one begins as this does.
#[test]
fn of_the_rules_of_outlook_itself_the_texts_are_shown() {
    let name = "Clear categories on mail";
    let mut blob = vec![0, 0, 0x14, 0, 1, 0x80, 0x4F, 0x12, 0x05, name.len() as u8];
    blob.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
    blob.extend(b"\x01\0\0\0\x4A\0\0\0\x04\0\xFF\xFF\0\0\x0C\0CRuleElement\x90\x01\0\0");
    let (_directory, file) =
        store(|_| vec![hidden("IPM.RuleOrganizer").prop(tags::SENDER_TELEPHONE_NUMBER, blob)]);
    assert_eq!(
        cat(&file, "rules.txt").unwrap(),
        "Rules that Outlook itself applies, in a form that is not published. Texts in them:\n  \
         Clear categories on mail\n"
    );
}

/// The lists that Outlook wrote itself.
#[test]
fn real_lists_give_the_people_that_an_independent_reader_finds() {
    let files = corpus::files();
    let mut lists = 0;
    for file in &files {
        let ndb = ::ostfs::ndb::open(file, Options::DEFAULT_CACHE);
        let Ok(ndb) = ndb else { continue };
        let store = Arc::new(::ostfs::Store::open(ndb));
        let found = Configurations::find(&store);
        for (_, message) in found.open(&store, ConfigurationKind::Autocomplete) {
            let stream = message.unwrap().properties().binary(0x7C09).unwrap();
            let directory = TempDir::new().unwrap();
            judge_cards(directory.path(), file, &stream.unwrap());
            lists += 1;
        }
    }
    assert!(lists > 0 || files.is_empty());
    println!("{lists} lists");
}
