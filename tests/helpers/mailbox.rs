//! A small mailbox in each format, for tests that break it.
#![allow(dead_code)]

use std::path::PathBuf;
use std::sync::Arc;

use ostfs::messaging::Store as OpenedStore;
use tempfile::TempDir;

use crate::support::*;
use crate::walk::{Walked, survives};

pub const FORMATS: [(Format, Crypt); 3] = [
    (Format::Ansi, Crypt::Permute),
    (Format::Unicode, Crypt::Cyclic),
    (Format::Ost4k, Crypt::None),
];

pub struct File {
    pub _scratch: TempDir,
    pub path: PathBuf,
    pub layout: Layout,
}

impl File {
    pub fn damage(&self) -> Damage<'_> {
        Damage::open(&self.path, &self.layout).unwrap()
    }

    pub fn walk(&self) -> Walked {
        survives(&self.path).expect("it opens")
    }

    pub fn store(&self) -> Arc<OpenedStore> {
        let ndb = ostfs::ndb::open(&self.path, 1 << 20).unwrap();
        Arc::new(OpenedStore::open(ndb))
    }
}

pub fn write(format: Format, crypt: Crypt, fill: impl FnOnce(&mut Store)) -> File {
    let mut options = Options::new(format, crypt);
    options.compress = false;
    write_with(options, fill)
}

pub fn write_with(options: Options, fill: impl FnOnce(&mut Store)) -> File {
    let scratch = tempfile::tempdir().unwrap();
    let name = format!("test.{}", options.format.extension());
    let path = scratch.path().join(name);
    let mut store = Store::with(options);
    fill(&mut store);
    let layout = store.write(&path).unwrap();
    File {
        _scratch: scratch,
        path,
        layout,
    }
}

pub fn mail(subject: &str) -> Message {
    Message::mail(subject)
        .from("Ann Adams", "ann@north.example")
        .to("Bob", "bob@north.example")
        .time(filetime(2024, 5, 1, 9, 0))
        .body("Text\r\n")
}

/// The first message of a file with an inbox.
pub const MESSAGE: u32 = 0x20_0024;

/// An inbox with a message with attachments and one with an embedded message.
pub fn mailbox(format: Format, crypt: Crypt) -> (File, u32) {
    let mut inbox = 0;
    let file = write(format, crypt, |store| {
        inbox = store.folder(store.ipm_subtree(), "Inbox");
        let first = mail("first")
            .attachment("large.bin", Payload::random(200_000, 1))
            .attachment("small.bin", Payload::random(9_000, 2));
        assert_eq!(store.message(inbox, first), MESSAGE);
        store.message(
            inbox,
            mail("second").embed(mail("inner").embed(mail("innermost"))),
        );
        store.message(inbox, mail("third"));
    });
    (file, inbox)
}

pub fn for_each_format(test: impl Fn(&File, &Damage<'_>, u32)) {
    for (format, crypt) in FORMATS {
        let (file, inbox) = mailbox(format, crypt);
        let damage = file.damage();
        test(&file, &damage, inbox);
    }
}

/// Replaces `from`, which is there, by `to` of the same length.
pub fn replace(data: &mut [u8], from: &[u8], to: &[u8]) {
    let at = data.windows(from.len()).position(|window| window == from);
    data[at.expect("it is there")..][..to.len()].copy_from_slice(to);
}

/// The three messages are listed, whatever can be read of them.
pub fn all_listed(walked: &Walked) {
    for subject in ["first", "second", "third"] {
        assert_eq!(
            walked.ending(&format!("{subject}.eml")),
            1,
            "{subject}: {walked:?}"
        );
    }
}

/// As many messages are in folders as were written, under whatever name.
pub fn all_there(walked: &Walked) {
    let is_top = |path: &&String| path.ends_with(".eml") && !path.contains(".attachments/");
    assert_eq!(
        walked.files.keys().filter(is_top).count(),
        3,
        "{:?}",
        walked.files.keys()
    );
}
