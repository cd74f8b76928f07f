//! A store as a desktop has it, mounted so that what programs cost is counted, and a screen for file managers.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::mounted::Mount;
use crate::programs::{command, output};
use crate::support::realistic::person;
use crate::support::{Attachment, Crypt, Folders, Format, Message, Payload, Store, filetime};

/// Messages of the inbox; every fifth has attachments.
pub const LETTERS: u64 = 300;
pub const WITH_ATTACHMENTS: u64 = 5;
/// Messages of another folder, without attachments.
pub const SENT: u64 = 100;
/// Appointments, and contacts.
pub const PLANS: u64 = 40;
const HOUR: u64 = 36_000_000_000;

/// A store of a few folders on disk, and what is in it.
pub struct Scene {
    pub scratch: TempDir,
    pub file: PathBuf,
    /// Bytes of the file that belong to no attachment: texts, tables and indexes.
    pub texts: u64,
}

impl Scene {
    pub fn new() -> Scene {
        let scratch = TempDir::new().unwrap();
        let file = scratch.path().join("desk.pst");
        let mut store = Store::new(Format::Unicode, Crypt::Permute);
        let top = store.ipm_subtree();
        let inbox = store.folder(top, "Inbox");
        let sent = store.folder(top, "Sent Items");
        let calendar = store.folder_of(top, "Calendar", "IPF.Appointment");
        let contacts = store.folder_of(top, "Contacts", "IPF.Contact");
        let mut attached = 0;
        for number in 0..LETTERS {
            let mut mail = letter(number);
            if number % WITH_ATTACHMENTS == 0 {
                // A document, a picture that can be shown small, and a name that does not tell what it is.
                let files = [
                    ("report.pdf", Payload::random(400_000, number).to_vec()),
                    ("photo.bmp", bitmap(number)),
                    ("data.dat", Payload::random(5_000, number).to_vec()),
                ];
                for (name, content) in files {
                    attached += content.len() as u64;
                    mail = mail.attach(Attachment::data(name, content));
                }
            }
            store.message(inbox, mail);
        }
        for number in LETTERS..LETTERS + SENT {
            store.message(sent, letter(number));
        }
        for number in 0..PLANS {
            let start = filetime(2024, 2, 1, 0, 0) + number * HOUR;
            let subject = format!("Meeting {number}");
            let meeting = Message::appointment(&subject, start, start + HOUR, "Room 4");
            store.message(calendar, meeting);
            let (name, address) = person(number);
            let (given, surname) = name.split_once(' ').unwrap();
            store.message(contacts, Message::contact(given, surname, &address));
        }
        store.write(&file).unwrap();
        let texts = file.metadata().unwrap().len() - attached;
        assert!(attached > 4 * texts, "{attached} bytes attached of {texts}");
        Scene {
            scratch,
            file,
            texts,
        }
    }

    /// A fresh mount, which has nothing in its caches, with its costs on record under `name`.
    pub fn mount(&self, name: &str) -> Counted {
        let log = self.scratch.path().join(format!("{name}.log"));
        let mount = Mount::logging(&self.file, &["-d"], File::create(&log).unwrap());
        let before = bytes_read(&mount);
        Counted { mount, log, before }
    }
}

fn letter(number: u64) -> Message {
    let (name, address) = person(number);
    let text = format!("Letter {number} of {name}\r\n").repeat(200);
    Message::mail(&format!("Letter {number}"))
        .time(filetime(2024, 1, 1, 0, 0) + number * HOUR)
        .from(&name, &address)
        .to("Ann Adams", "ann@north.example")
        .body(&text)
}

/// A picture of noise as a BMP of 24 bits.
fn bitmap(seed: u64) -> Vec<u8> {
    const SIDE: u32 = 220;
    const HEADERS: u32 = 54;
    let pixels = Payload::random(u64::from(SIDE * SIDE * 3), seed).to_vec();
    let size = HEADERS + pixels.len() as u32;
    let mut bytes = b"BM".to_vec();
    for field in [size, 0, HEADERS, 40, SIDE, SIDE, 1 | 24 << 16] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.resize(HEADERS as usize, 0);
    bytes.extend(pixels);
    bytes
}

/// Bytes that the mount has read so far, as the kernel counts: from the file, and requests of some dozen bytes each.
fn bytes_read(mount: &Mount) -> u64 {
    let counters = fs::read_to_string(format!("/proc/{}/io", mount.process.id())).unwrap();
    let line = counters
        .lines()
        .find_map(|line| line.strip_prefix("rchar: "));
    line.unwrap().parse().unwrap()
}

/// A mount whose costs are counted.
pub struct Counted {
    mount: Mount,
    log: PathBuf,
    before: u64,
}

impl Counted {
    pub fn path(&self) -> &Path {
        &self.mount.path
    }

    pub fn bytes(&self) -> u64 {
        bytes_read(&self.mount) - self.before
    }

    /// Waits until there was nothing to do for a moment: threads work ahead, and file managers have theirs.
    pub fn settle(&self) {
        let mut last = (self.bytes(), Instant::now());
        while last.1.elapsed() < Duration::from_millis(400) {
            sleep(Duration::from_millis(20));
            let bytes = self.bytes();
            if bytes != last.0 {
                last = (bytes, Instant::now());
            }
        }
    }

    /// Lines of the log that start with `request`.
    pub fn requests(&self, request: &str) -> Vec<String> {
        let log = fs::read_to_string(&self.log).unwrap();
        let lines = log.lines().filter_map(|line| line.strip_prefix("ostfs: "));
        let lines = lines.filter(|line| line.starts_with(request));
        lines.map(str::to_owned).collect()
    }

    /// Files that somebody was told the attributes of.
    pub fn looked_at(&self) -> usize {
        self.requests("lookup ").len() + self.requests("attributes ").len()
    }

    /// Inode numbers of the files of which some content was asked for.
    pub fn contents_read(&self) -> BTreeSet<u64> {
        let reads = self.requests("read ");
        let numbers = reads.iter().map(|line| line.rsplit_once(" 0x").unwrap().1);
        numbers
            .map(|number| u64::from_str_radix(number, 16).unwrap())
            .collect()
    }

    /// Runs a program that has to succeed in the directory of the mount, and returns what it printed.
    pub fn run(&self, program: &str, arguments: &[&str]) -> String {
        let home = self.log.parent().unwrap();
        let mut command = command(program, home);
        let printed = output(command.args(arguments).current_dir(self.path()));
        self.settle();
        printed
    }
}
