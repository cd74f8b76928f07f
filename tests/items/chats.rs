//! Chats of Teams and Skype: one file for each conversation beside its messages. No public sample exists, so these files
//! are built by what Microsoft's own tools ask for.

use std::fs;
use std::path::Path;

use ::ostfs::Tree;
use ::ostfs::tree::{Ino, Kind, Options};
use tempfile::TempDir;

use crate::mounted::{export, ostfs};
use crate::support::tags;
use crate::support::{
    Attachment, Crypt, Folders, Format, Message, Nid, Store, TO, Value, filetime,
};
use crate::walk::{problems, read};

const ROOT_FOLDER: Nid = 0x122;
/// {F6E4BA45-C83C-45DA-8F38-43BD3FE76D5C}
const CHAT: [u8; 16] = [
    0x45, 0xBA, 0xE4, 0xF6, 0x3C, 0xC8, 0xDA, 0x45, 0x8F, 0x38, 0x43, 0xBD, 0x3F, 0xE7, 0x6D, 0x5C,
];
const ANN: (&str, &str) = ("Ann Alder", "ann@example.com");
const BOB: (&str, &str) = ("Bob Birch", "bob@example.com");
const EVA: (&str, &str) = ("Eva Müller", "eva@example.com");

fn own(message: Message, name: &str, value: impl Into<Value>) -> Message {
    let name = format!("IOpenTypedFacet.SkypeSpaces_ConversationPost_Extension#{name}");
    message.named_text(CHAT, &name, value)
}

/// A message of a chat, written at `minute` past nine.
fn said(class: &str, minute: i64, from: (&str, &str), to: &[(&str, &str)], html: &str) -> Message {
    let message = Message::mail("");
    let message = message
        .prop(tags::MESSAGE_CLASS, class)
        .time(filetime(2024, 5, 1, 9, minute))
        .from(from.0, from.1)
        .html(html);
    let add =
        |message: Message, (name, address): &(&str, &str)| message.recipient(TO, name, address);
    to.iter().fold(message, add)
}

fn of_thread(message: Message, thread: &str, id: &str, parent: &str) -> Message {
    let message = own(message, "ThreadId", thread);
    let message = own(message, "SkypeItemId", id);
    let message = own(message, "ParentMessageId", parent);
    own(message, "MessageType", "RichText/Html")
}

fn chat(minute: i64, from: (&str, &str), to: &[(&str, &str)], html: &str) -> Message {
    said("IPM.SkypeTeams.Message", minute, from, to, html)
}

/// Ann and Bob talk, and by and by Eva and a program.
fn talk() -> Vec<Message> {
    let thread = |message, id, parent| of_thread(message, "19:abc@thread.v2", id, parent);
    let link =
        "<p>See <a href=\"https://example.com/plan\">the plan</a></p><p>and say &amp; do</p>";
    let late = thread(chat(40, BOB, &[ANN], "<p>I agree</p>"), "3", "1");
    let late = own(late, "Reactions", "like: Ann Alder");
    let late = own(late, "Edited", true);
    let likes = Value::MvStr(vec!["heart: Bob".into(), "sad: Eva".into()]);
    let late = own(late, "ReactionsByPeople", likes);
    let late = own(late, "Score", Value::F64(0.5));
    let late = own(late, "FileData", br#"{"a":1}"#.to_vec());
    let file = Attachment::reference(7, "https://example.com/Shared/plan.docx")
        .prop(tags::ATTACH_LONG_FILENAME, "plan.docx");
    let first = thread(chat(32, ANN, &[BOB], link), "1", "1").attach(file);
    let program = said(
        "IPM.SkypeTeams.SystemMessage",
        50,
        BOB,
        &[ANN, EVA],
        "<p>Eva joined</p>",
    );
    let program = own(
        of_thread(program, "19:abc@thread.v2", "4", "4"),
        "MessageType",
        "ThreadActivity/AddMember",
    );
    // They come in another order than they were written.
    vec![late, first, program]
}

const TALK: &str = "Conversation with Ann Alder, Bob Birch
Participants: Ann Alder, Bob Birch, Eva Müller
Messages: 3

2024-05-01 09:32:00 +0000  Ann Alder
    See the plan <https://example.com/plan>

    and say & do
    [Attachment: plan.docx <https://example.com/Shared/plan.docx>]

2024-05-01 09:40:00 +0000  Bob Birch, in reply to Ann Alder
    I agree
    [Reactions: like: Ann Alder]
    [Edited: yes]
    [ReactionsByPeople: heart: Bob, sad: Eva]
    [Score: 0.5]
    [FileData: {\"a\":1}]

2024-05-01 09:50:00 +0000  Bob Birch
    Eva joined
    [Type: ThreadActivity/AddMember]
";

fn write(store: &Store) -> (TempDir, Tree) {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("store.pst");
    store.write(&file).unwrap();
    let tree = Tree::open(&file, &Options::default()).unwrap();
    (directory, tree)
}

fn text(tree: &Tree, path: &str) -> String {
    let ino = tree.find(path.as_ref()).unwrap();
    let ino = ino.unwrap_or_else(|| panic!("no {path} in {:?}", names(tree, "")));
    String::from_utf8(read(tree, ino).unwrap()).unwrap()
}

/// The names in a directory.
fn names(tree: &Tree, path: &str) -> Vec<String> {
    let ino = match path {
        "" => Ino::ROOT,
        path => tree.find(path.as_ref()).unwrap().unwrap(),
    };
    let directory = tree.directory(ino).unwrap();
    let names = directory.entries().map(|entry| entry.name.into_owned());
    names.collect()
}

/// Line 19 of the list of kinds.
#[test]
fn a_chat_is_one_file_in_the_order_of_time_beside_its_messages() {
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let folder = store.folder(store.ipm_subtree(), "Conversation History");
    let mail = Message::mail("No chat").time(filetime(2024, 5, 1, 8, 0));
    store.message(folder, mail.from(ANN.0, ANN.1).to(BOB.0, BOB.1));
    for message in talk() {
        store.message(folder, message);
    }
    // Another thread of the same people.
    let other = of_thread(
        chat(33, ANN, &[BOB], "<p>Else</p>"),
        "19:other@thread.v2",
        "1",
        "1",
    );
    store.message(folder, other);
    let (_directory, tree) = write(&store);
    let listed = names(&tree, "Conversation History");
    let files: Vec<&String> = listed
        .iter()
        .filter(|name| !name.ends_with(".eml") && !name.ends_with(".attachments"))
        .collect();
    assert_eq!(files.len(), 2, "{listed:?}");
    assert_eq!(
        listed.iter().filter(|name| name.ends_with(".eml")).count(),
        5,
        "{listed:?}"
    );
    let talk = "Conversation History/Conversation with Ann Alder, Bob Birch.txt";
    // `read` compares the size with the bytes.
    assert_eq!(
        text(&tree, talk).lines().collect::<Vec<_>>(),
        TALK.lines().collect::<Vec<_>>()
    );
    let ino = tree.find(talk.as_ref()).unwrap().unwrap();
    let newest = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_714_557_000);
    assert_eq!(tree.attr(ino).unwrap().mtime, newest);
    let other = files.iter().find(|name| name.contains('~')).unwrap();
    let other = text(&tree, &format!("Conversation History/{other}"));
    assert!(
        other.contains("Else") && !other.contains("agree"),
        "{other}"
    );
    assert_eq!(problems(&tree), "");
    // Every byte alone is the same as all of them.
    let whole = read(&tree, ino).unwrap();
    for (at, expected) in whole.iter().enumerate() {
        let mut byte = [0];
        assert_eq!(tree.read_at(ino, at as u64, &mut byte).unwrap(), 1);
        assert_eq!(byte[0], *expected);
    }
}

/// Teams keeps its messages beside the folders of the user, hidden, and some exports call them mail.
#[test]
fn chats_in_the_folder_of_teams_are_found_wherever_it_is_and_whatever_their_class() {
    for parent in [None, Some(ROOT_FOLDER)] {
        let mut store = Store::new(Format::Unicode, Crypt::Permute);
        let parent = parent.unwrap_or(store.ipm_subtree());
        store.folder(store.ipm_subtree(), "Inbox");
        let folder = store.folder(parent, "TeamsMessagesData");
        store.folder_prop(folder, 0x10F4, true);
        for message in talk() {
            store.message(folder, message.prop(tags::MESSAGE_CLASS, "IPM.Note"));
        }
        let (directory, tree) = write(&store);
        let talk = "TeamsMessagesData/Conversation with Ann Alder, Bob Birch.txt";
        assert!(text(&tree, talk).contains("I agree"));
        assert_eq!(problems(&tree), "");
        // And nowhere else.
        assert_eq!(names(&tree, "lost+found"), Vec::<String>::new());
        let (_target, exported) = export(&directory.path().join("store.pst"), &[]);
        assert_eq!(
            fs::read_to_string(exported.join(talk)).unwrap(),
            text(&tree, talk)
        );
    }
}

/// A PST has the messages alone, and whoever reads it makes the conversation of them again.
#[test]
fn a_copy_as_pst_has_the_same_conversation() {
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let folder = store.folder(ROOT_FOLDER, "TeamsMessagesData");
    for message in talk() {
        store.message(folder, message);
    }
    let (directory, tree) = write(&store);
    let [file, copy] = ["store.pst", "copy.pst"].map(|name| directory.path().join(name));
    let [file, copy] = [&file, &copy].map(|path| path.to_str().unwrap());
    let output = ostfs(&["export", "--to", "pst", file, copy]);
    assert!(output.status.success(), "{output:?}");
    let copied = Tree::open(Path::new(copy), &Options::default()).unwrap();
    let talk = "TeamsMessagesData/Conversation with Ann Alder, Bob Birch.txt";
    assert_eq!(text(&copied, talk), text(&tree, talk));
}

/// An empty one is of no use to anybody, and neither is another folder beside those of the user.
#[test]
fn the_folder_of_teams_is_not_shown_without_chats() {
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    store.folder(ROOT_FOLDER, "TeamsMessagesData");
    let other = store.folder(ROOT_FOLDER, "Freebusy Data");
    store.message(other, Message::mail("Hidden"));
    let (_directory, tree) = write(&store);
    assert!(
        !names(&tree, "").iter().any(|name| name.contains("Data")),
        "{:?}",
        names(&tree, "")
    );
}

#[test]
fn what_a_message_lacks_costs_nothing_but_that() {
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let folder = store.folder(store.ipm_subtree(), "Team Chat");
    // Without a thread the topic and the people are what messages have in common.
    let topic = |message: Message| message.prop(tags::CONVERSATION_TOPIC, "Lunch");
    store.message(folder, topic(chat(1, ANN, &[BOB], "<p>Pizza?</p>")));
    store.message(folder, topic(chat(2, BOB, &[ANN], "<p>Soup!</p>")));
    store.message(folder, topic(chat(3, EVA, &[ANN], "<p>Which lunch?</p>")));
    // Nothing at all.
    store.message(
        folder,
        Message::default().prop(tags::MESSAGE_CLASS, "ipm.skypeteams.message.Copilot.Word"),
    );
    let (_directory, tree) = write(&store);
    let listed = names(&tree, "Team Chat");
    let conversations: Vec<String> = listed
        .iter()
        .filter(|name| name.ends_with(".txt"))
        .map(|name| text(&tree, &format!("Team Chat/{name}")))
        .collect();
    assert_eq!(conversations.len(), 3, "{listed:?}");
    assert!(conversations[0].contains("Pizza?") && conversations[0].contains("Soup!"));
    assert!(conversations[1].contains("Which lunch?"));
    let nothing = "Conversation with (unknown)\nParticipants: (unknown)\nMessages: 1\n\nat an unknown time  (unknown)\n";
    assert_eq!(conversations[2], nothing);
    assert_eq!(
        listed.iter().filter(|name| name.ends_with(".eml")).count(),
        4,
        "{listed:?}"
    );
}

/// A filter takes messages; what others of the conversation say is not among them.
#[test]
fn an_export_of_some_messages_has_no_conversation_with_the_others() {
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let folder = store.folder(store.ipm_subtree(), "Team Chat");
    for message in talk() {
        store.message(folder, message);
    }
    let (directory, _tree) = write(&store);
    let file = directory.path().join("store.pst");
    let files = |arguments: &[&str]| {
        let (_target, exported) = export(&file, arguments);
        let entries = fs::read_dir(exported.join("Team Chat")).unwrap();
        let names = entries.map(|entry| entry.unwrap().path());
        let is_conversation = |path: &Path| path.extension().is_some_and(|end| end == "txt");
        names.filter(|path| is_conversation(path)).count()
    };
    assert_eq!(files(&[]), 1);
    assert_eq!(files(&["--folder", "Team Chat"]), 1);
    assert_eq!(files(&["--from", "Ann"]), 0);
    assert_eq!(files(&["--class", "IPM.SkypeTeams"]), 0);
}

/// All files of the tree are regular ones that can be read, whatever is in the properties.
#[test]
fn hostile_chats_are_read_to_the_end() {
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let folder = store.folder(store.ipm_subtree(), "Team Chat");
    let long = "x\u{202e}/..\n\u{1}".repeat(3000);
    for number in 0..50 {
        let message = chat(
            number,
            (&long, "a@example.com"),
            &[(&long, "b@example.com")],
            "<p>",
        );
        let message = own(message, "ThreadId", &*format!("{long}{}", number % 2));
        let message = own(message, "Topic", &*long);
        store.message(
            folder,
            own(message, "CreatedDateTime", Value::Time(u64::MAX)),
        );
    }
    let (_directory, tree) = write(&store);
    let ino = tree.find("Team Chat".as_ref()).unwrap().unwrap();
    let directory = tree.directory(ino).unwrap();
    for entry in directory.entries().filter(|entry| entry.kind == Kind::File) {
        assert!(entry.name.len() <= 200 && !entry.name.contains(['/', '\n', '\u{202e}']));
        let bytes = read(&tree, entry.ino).unwrap();
        assert!(
            entry.name.ends_with(".eml") || bytes.len() < 1 << 20,
            "{}",
            entry.name
        );
    }
}
