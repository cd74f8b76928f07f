//! Each reason for which a file is not shown has an exit code of its own, on which scripts can rely.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::mounted::OSTFS;
use crate::support::sample::sample;
use crate::support::*;
use tempfile::TempDir;

const NOT_OUTLOOK: i32 = 3;
const DAMAGED: i32 = 5;
const TRUNCATED: i32 = 7;
const NOT_CHECKED: i32 = 8;
const UNSUPPORTED: i32 = 9;

/// Offsets in the header of a Unicode file. [MS-PST] 2.2.2.6
const VERSION: usize = 10;
const CRYPT_METHOD: usize = 513;
const HEADER_SIZE: usize = 564;

struct Scene {
    folder: TempDir,
    intact: Vec<u8>,
}

impl Scene {
    fn new() -> Self {
        let mut scene = Self {
            folder: TempDir::new().unwrap(),
            intact: Vec::new(),
        };
        scene.sample();
        scene.intact = fs::read(scene.file()).unwrap();
        scene
    }

    fn sample(&self) -> Layout {
        let store = sample(Format::Unicode, Crypt::Permute);
        store.write(self.file()).unwrap()
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("mail.ost")
    }

    fn write(&self, bytes: &[u8]) {
        fs::write(self.file(), bytes).unwrap();
    }

    /// Every command that reads the file ends with `code`, and with one line in which each of `parts` is.
    fn fails(&self, recover: &str, code: i32, parts: &[&str]) {
        for command in ["mount", "export", "ls", "index"] {
            let target = ["mount", "export"].contains(&command).then_some("target");
            let option = format!("recover={recover}");
            let mut arguments = vec![command, "-o", &option, "mail.ost"];
            arguments.extend(target);
            let message = self.run(&arguments, code);
            let line = message.lines().last().unwrap();
            assert!(line.starts_with("ostfs: mail.ost: "), "{message}");
            for part in parts {
                assert!(line.contains(part), "{part:?} is not in {message:?}");
            }
            assert!(!self.folder.path().join("target").exists());
        }
    }

    fn run(&self, arguments: &[&str], code: i32) -> String {
        let output = Command::new(OSTFS)
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("RUST_LOG")
            .output()
            .unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
        message
    }
}

#[test]
fn a_file_of_which_nothing_readable_is_left_is_truncated() {
    let scene = Scene::new();
    for (length, part) in [
        (8, "ends inside its header after 8 bytes"),
        (HEADER_SIZE - 1, "ends inside its header after 563 bytes"),
        (HEADER_SIZE, "564 bytes where its header says"),
        (0x4400, "17408 bytes where its header says"),
    ] {
        scene.write(&scene.intact[..length]);
        for recover in ["auto", "off"] {
            scene.fails(recover, TRUNCATED, &[part, "cut off", "copy it again"]);
        }
        scene.run(&["info", "mail.ost"], TRUNCATED);
        scene.run(&["check", "mail.ost"], NOT_CHECKED);
    }
}

#[test]
fn a_truncated_file_opens_by_a_scan_and_not_without_one() {
    let scene = Scene::new();
    let layout = scene.sample();
    // Its roots are cut off, and most of its leaves are not.
    let end = layout.roots.nbt.1.min(layout.roots.bbt.1) as usize;
    scene.write(&scene.intact[..end]);
    let parts = [&format!("{end} bytes where"), "-o recover=auto"];
    scene.fails("off", TRUNCATED, &parts);
    scene.run(&["ls", "mail.ost"], 0);
}

#[test]
fn what_nobody_can_read_is_told_apart_from_what_is_no_outlook_file() {
    let scene = Scene::new();
    for (at, value, part) in [
        (VERSION, 99, "unknown version 99"),
        (CRYPT_METHOD, 0x10, "Windows Information Protection"),
    ] {
        let mut bytes = scene.intact.clone();
        bytes[at] = value;
        scene.write(&bytes);
        // What the header says is wrong, and its content tells what is right.
        scene.run(&["ls", "-o", "recover=off", "mail.ost"], 0);
        // Behind such a header there is nothing to be found.
        bytes[HEADER_SIZE..].fill(0x5A);
        scene.write(&bytes);
        for recover in ["auto", "off"] {
            scene.fails(recover, UNSUPPORTED, &[part]);
        }
        scene.run(&["info", "mail.ost"], UNSUPPORTED);
        scene.run(&["check", "mail.ost"], NOT_CHECKED);
    }
    for (bytes, part) in [
        (&b""[..], "it is empty"),
        (b"PK\x03\x04 and more", "a ZIP archive"),
        (&[0; 100_000], "it starts with zeros"),
        (b"\x01\x02 and more", "does not start with \"!BDN\""),
    ] {
        scene.write(bytes);
        for recover in ["auto", "off", "scan"] {
            scene.fails(recover, NOT_OUTLOOK, &[part]);
        }
    }
}

#[test]
fn other_files_are_called_by_their_names_with_the_next_step() {
    let at = |offset: usize, magic: &[u8]| [&vec![1; offset][..], magic, &[1; 600]].concat();
    let random: Vec<u8> = (0..4096u32)
        .map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let olm = [b"PK\x03\x04", &[0; 26][..], b"com.microsoft.__Messages"].concat();
    let within: &[u8] = b"Accounts/ann@north.example/com.microsoft.__Messages/Inbox/1.xml";
    let olm_of_account = [b"PK\x03\x04", &[0; 26][..], within].concat();
    let scene = Scene::new();
    for (bytes, parts) in [
        (at(0, b"\x1f\x8b"), ["gzip", "gunzip --keep mail.ost"]),
        (at(0, b"\x28\xb5\x2f\xfd"), ["Zstandard", "unzstd mail.ost"]),
        (at(0, b"\xfd7zXZ\0"), ["xz archive", "unxz --keep mail.ost"]),
        (at(0, b"BZh"), ["bzip2", "bunzip2 --keep mail.ost"]),
        (at(0, b"PK\x03\x04"), ["ZIP", "unzip mail.ost"]),
        (at(0, b"7z\xbc\xaf\x27\x1c"), ["7-Zip", "7z x mail.ost"]),
        (at(257, b"ustar"), ["tar archive", "tar -xf mail.ost"]),
        (at(0, b"\xd0\xcf\x11\xe0"), [".msg", "msgconvert"]),
        (
            at(4, b"\xef\xcd\xab\x89"),
            [".edb", "New-MailboxExportRequest"],
        ),
        (
            at(0, b"EVF\x09\x0d\x0a\xff\0"),
            [".E01", "ewfmount mail.ost"],
        ),
        (at(3, b"NTFS    "), ["NTFS", "mount -o ro"]),
        (at(4, b"R\0O\0B\0S\0"), ["EFS", "cipher /d mail.ost"]),
        (at(0, b"Nostromoi"), ["HxStore.hxd", "export the mailbox"]),
        (olm, ["Outlook for Mac (.olm)", "export"]),
        (olm_of_account, ["Outlook for Mac (.olm)", "export"]),
        (at(3, b"EXFAT   "), ["exFAT", "mount -o ro"]),
        (at(510, b"\x55\xaa"), ["a disk", "mount -o ro"]),
        (random, ["encrypted", "cipher /d mail.ost"]),
        (
            b"From ann@north.example\n".into(),
            ["mbox", "mutt -f mail.ost"],
        ),
        (b"Received: from x\n".into(), [".eml", "any mail program"]),
        (
            b"Subject: x\nFrom: y\n".into(),
            [".eml", "any mail program"],
        ),
        (
            "Gr\u{fc}\u{df}e".into(),
            ["is text", "name the .ost or .pst file"],
        ),
    ] {
        scene.write(&bytes);
        let message = scene.run(&["info", "mail.ost"], NOT_OUTLOOK);
        for part in parts {
            assert!(message.contains(part), "{part:?} is not in {message:?}");
        }
    }
}

#[test]
fn damage_is_neither() {
    let scene = Scene::new();
    let layout = scene.sample();
    let damage = Damage::open(scene.file(), &layout).unwrap();
    damage.zero(layout.roots.nbt.1, 512);
    scene.fails("off", DAMAGED, &["damaged NBT"]);
    scene.run(&["ls", "mail.ost"], 0);
}

/// Nobody gave these items a date: they say so, and nothing is wrong with them.
#[test]
fn what_lacks_nothing_but_a_date_is_whole() {
    let scene = Scene::new();
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let contacts = store.folder_of(store.ipm_subtree(), "Contacts", "IPF.Contact");
    let times = [0x0E06, 0x0039, 0x3007, 0x3008];
    let undated = |message: Message| times.into_iter().fold(message, Message::without);
    let jane = Message::contact("Jane", "Doe", "jane@west.example");
    store.message(contacts, undated(jane));
    store.message(contacts, undated(Message::mail("mail").body("text")));
    store.write(scene.file()).unwrap();
    scene.run(&["search", "mail.ost", "nowhere"], 1);
    for (number, arguments) in [
        &["-o", "text"][..],
        &["-o", "items=eml"],
        &["--to", "maildir"],
        &["--to", "mbox"],
    ]
    .into_iter()
    .enumerate()
    {
        let target = format!("target-{number}");
        scene.run(
            &[&["export"], arguments, &["mail.ost", &target]].concat(),
            0,
        );
        let list = scene.folder.path().join(target).join("ostfs-problems.txt");
        assert!(!list.exists(), "{arguments:?}");
    }
    let exported = scene.folder.path().join("target-1/Contacts/Jane Doe.eml");
    let mail = fs::read_to_string(exported).unwrap();
    assert!(mail.contains("X-Ostfs-Problem: no date stored\n"), "{mail}");
    // A date that is there and cannot be written is damage.
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    store.message(inbox, Message::mail("zero").body("text").time(0));
    store.write(scene.file()).unwrap();
    let told = scene.run(&["export", "mail.ost", "zero"], 4);
    assert!(told.contains("no date stored"), "{told}");
}
