//! An unreadable block costs the item it belongs to, and nothing else; and everybody is told.

use std::fs;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::mounted::{Mount, can_mount, export, ostfs, picture, wait_until};
use crate::support::{
    Crypt, Damage, Folders, Format, Layout, Message, Nid, Options, Payload, Store, contents_table,
};
use tempfile::TempDir;

struct Case {
    _directory: TempDir,
    file: PathBuf,
    layout: Layout,
    inbox: Nid,
    messages: Vec<Nid>,
}

/// A folder of twenty messages, of which the third has two large attachments.
fn case(format: Format) -> Case {
    let mut options = Options::new(format, Crypt::Permute);
    options.compress = false;
    let mut store = Store::with(options);
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    let messages = (0..20)
        .map(|number| {
            let mut message =
                Message::mail(&format!("Message {number}")).body(&format!("The text of {number}"));
            if number == 3 {
                message = message
                    .attachment("broken.bin", Payload::random(100_000, 1))
                    .attachment("whole.bin", Payload::random(100_000, 2));
            }
            store.message(inbox, message)
        })
        .collect();
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("store.pst");
    let layout = store.write(&file).unwrap();
    Case {
        _directory: directory,
        file,
        layout,
        inbox,
        messages,
    }
}

fn mail(tree: &Path, number: usize) -> PathBuf {
    let ending = format!("Message {number}.eml");
    fs::read_dir(tree.join("Inbox"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_str().unwrap().ends_with(&ending))
        .unwrap_or_else(|| panic!("no file for message {number}"))
}

fn problems(mount: &Mount) -> String {
    fs::read_to_string(mount.path.join(".ostfs/problems.txt")).unwrap()
}

#[test]
fn a_damaged_attachment_is_an_error_where_damage_is_refused_and_all_else_is_whole() {
    if !can_mount() {
        return;
    }
    for format in [Format::Ansi, Format::Unicode, Format::Ost4k] {
        let case = case(format);
        let (_target, whole) = export(&case.file, &[]);
        let damage = Damage::open(&case.file, &case.layout).unwrap();
        damage.flip_attachment(case.messages[3], 0);
        let mount = Mount::new(&case.file, &["-o", "damaged=refuse"]);
        let directory = mail(&mount.path, 3).with_extension("attachments");
        let error = fs::read(directory.join("broken.bin")).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EIO), "{format:?}");
        // Its listing, its size and its neighbour are as before.
        assert_eq!(
            directory.join("broken.bin").metadata().unwrap().len(),
            100_000
        );
        let neighbour = fs::read(directory.join("whole.bin")).unwrap();
        let name = directory.file_name().unwrap();
        assert!(neighbour == fs::read(whole.join("Inbox").join(name).join("whole.bin")).unwrap());
        // The message that carries it fails once, where the attachment is; from then on it says what is missing.
        assert!(fs::read(mail(&mount.path, 3)).is_err());
        wait_until("the message has a placeholder", || {
            fs::read_to_string(mail(&mount.path, 3)).is_ok_and(|text| {
                text.len() as u64 == mail(&mount.path, 3).metadata().unwrap().len()
                    && text.contains("X-Ostfs-Problem: ")
                    && text.contains("The text of 3")
                    && text.contains("The attachment \"broken.bin\" could not be read.")
                    && text.contains("filename=whole.bin")
            })
        });
        for number in (0..20).filter(|number| *number != 3) {
            let shown = mail(&mount.path, number);
            let name = shown.file_name().unwrap();
            assert_eq!(
                fs::read(&shown).unwrap(),
                fs::read(whole.join("Inbox").join(name)).unwrap()
            );
        }
        assert!(problems(&mount).contains("CRC"), "{:?}", problems(&mount));
        drop(mount);
        let target = TempDir::new().unwrap();
        let target = target.path().join("out");
        let output = ostfs(&[
            "export",
            "-o",
            "damaged=refuse",
            case.file.to_str().unwrap(),
            target.to_str().unwrap(),
        ]);
        assert_eq!(output.status.code(), Some(4));
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(message.contains("broken.bin: damaged block"), "{message}");
        // Nothing short is left behind: the attachment is missing, and the message says so.
        assert!(!target.join("Inbox").join(name).join("broken.bin").exists());
        let exported = fs::read_to_string(mail(&target, 3)).unwrap();
        assert!(exported.contains("X-Ostfs-Problem: ") && exported.contains("The text of 3"));
    }
}

/// The value of an extended attribute; None where the file has none of that name.
fn problem_of(path: &Path) -> Option<String> {
    let name = "user.ostfs.problem";
    let arguments = ["--absolute-names", "--only-values", "-n", name];
    let output = Command::new("getfattr").args(arguments).arg(path).output();
    let output = output.unwrap();
    let value = String::from_utf8(output.stdout).unwrap();
    output.status.success().then_some(value)
}

#[test]
fn damaged_bytes_of_an_attachment_are_shown_and_told_and_all_others_keep_their_places() {
    if !can_mount() {
        return;
    }
    for format in [Format::Ansi, Format::Unicode, Format::Ost4k] {
        let case = case(format);
        let (_target, whole) = export(&case.file, &[]);
        let damage = Damage::open(&case.file, &case.layout).unwrap();
        let leaves = damage.leaves(damage.attachment_data(case.messages[3], 0));
        damage.flip_block(leaves[0], 100);
        damage.zero_block(leaves[1]);
        let lost = damage_range(&case.layout, &leaves);
        let mount = Mount::new(&case.file, &["-o", "user_xattr"]);
        let before = mail(&mount.path, 3);
        let inode = before.metadata().unwrap().ino();
        let directory = before.with_extension("attachments");
        let within = Path::new("Inbox").join(directory.file_name().unwrap());
        assert_eq!(problem_of(&directory.join("broken.bin")), None, "not read");

        let healthy = fs::read(whole.join(&within).join("broken.bin")).unwrap();
        let shown = fs::read(directory.join("broken.bin")).unwrap();
        let differ = |at: &usize| shown[*at] != healthy[*at];
        assert_eq!(shown.len(), healthy.len());
        assert_eq!((0..lost.start).filter(differ).count(), 1, "{format:?}");
        assert!(shown[lost.clone()].iter().all(|byte| *byte == 0));
        assert!(shown[lost.end..] == healthy[lost.end..], "{format:?}");

        let told = problem_of(&directory.join("broken.bin")).unwrap();
        let missing = format!("bytes {} to {}", lost.start, lost.end - 1);
        assert!(told.contains(&missing) && told.contains("CRC"), "{told}");
        assert!(problems(&mount).contains(&missing));
        let neighbour = fs::read(directory.join("whole.bin")).unwrap();
        assert!(neighbour == fs::read(whole.join(&within).join("whole.bin")).unwrap());
        assert_eq!(problem_of(&directory.join("whole.bin")), None);

        // The first reader of the message gets its bytes; from then on another file is listed, which says so.
        fs::read(&before).unwrap();
        wait_until("the message says what is missing", || {
            fs::read(mail(&mount.path, 3)).is_ok_and(|bytes| {
                let text = String::from_utf8_lossy(&bytes);
                let header = text.split("\n\n").next().unwrap().replace("\n ", " ");
                bytes.len() as u64 == mail(&mount.path, 3).metadata().unwrap().len()
                    && header.contains("X-Ostfs-Problem: ")
                    && header.contains(&missing)
            })
        });
        assert_ne!(mail(&mount.path, 3).metadata().unwrap().ino(), inode);
        drop(mount);

        let output = ostfs(&["index", "--json", case.file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(4));
        let records = String::from_utf8(output.stdout).unwrap();
        let of = |name: &str| {
            let mut lines = records.lines().filter(|line| line.contains(name));
            lines.next().unwrap().to_owned()
        };
        assert!(of("attachments/broken.bin").contains(&missing), "{records}");
        assert!(of("Message 3.eml").contains(&missing), "{records}");
        for sound in ["attachments/whole.bin", "Message 4.eml"] {
            assert!(of(sound).contains("\"problems\":\"\""), "{}", of(sound));
        }
    }
}

/// Which bytes of their data tree the second of `leaves` has.
fn damage_range(layout: &Layout, leaves: &[u64]) -> Range<usize> {
    let len = |bid: u64| layout.block(bid).inflated as usize;
    len(leaves[0])..len(leaves[0]) + len(leaves[1])
}

#[test]
fn a_message_that_cannot_be_opened_is_a_file_that_says_so() {
    if !can_mount() {
        return;
    }
    for format in [Format::Ansi, Format::Unicode, Format::Ost4k] {
        let case = case(format);
        let damage = Damage::open(&case.file, &case.layout).unwrap();
        damage.flip_block(case.layout.node(case.messages[7]).data, 20);
        damage.drop_node(case.messages[9]);
        let mount = Mount::new(&case.file, &[]);
        for number in [7, 9] {
            let text = fs::read_to_string(mail(&mount.path, number)).unwrap();
            assert!(text.contains("X-Ostfs-Problem: "), "{format:?}: {text}");
        }
        assert_eq!(fs::read_dir(mount.path.join("Inbox")).unwrap().count(), 21);
        let known = problems(&mount);
        for number in [7, 9] {
            assert!(
                known.contains(&format!("message {:#x}: ", case.messages[number])),
                "{known}"
            );
        }
    }
}

#[test]
fn a_folder_whose_table_is_damaged_lists_the_messages_that_name_it() {
    if !can_mount() {
        return;
    }
    for format in [Format::Ansi, Format::Unicode, Format::Ost4k] {
        let case = case(format);
        let (_target, whole) = export(&case.file, &[]);
        let damage = Damage::open(&case.file, &case.layout).unwrap();
        let table = case.layout.node(contents_table(case.inbox));
        damage.flip_block(damage.leaves(table.data)[0], 30);
        let mount = Mount::new(&case.file, &[]);
        let contents = |tree: &Path| {
            let pictures = picture(&tree.join("Inbox"));
            pictures
                .into_iter()
                .map(|(path, entry)| (path, entry.content))
                .collect::<Vec<_>>()
        };
        // Names, bytes and attachments are those of the healthy file: the messages themselves tell them.
        assert_eq!(contents(&mount.path), contents(&whole), "{format:?}");
        assert!(
            problems(&mount).contains(&format!("folder {:#x}: contents table", case.inbox)),
            "{}",
            problems(&mount)
        );
    }
}
