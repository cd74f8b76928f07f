//! The folders stay where they are when the store does not say where they are; and `check` says that it does not.

use std::collections::BTreeSet;

use crate::mailbox::{File, mail};
use crate::support::*;
use crate::{mailbox, walk};
use ostfs::check::Severity;

const ENTRY_ID: u16 = 0x35E0;
const RECORD_KEY: &[u8; 16] = b"ostfs-store-key\0";
const MESSAGE: u32 = 0x20_0024;

fn entry(key: &[u8; 16], nid: u32) -> Vec<u8> {
    [&[0; 4], key.as_slice(), &nid.to_le_bytes()].concat()
}

fn store(format: Format, fill: impl FnOnce(&mut Store)) -> File {
    mailbox::write(format, Crypt::Permute, |store| {
        let top = store.ipm_subtree();
        let inbox = store.folder(top, "Inbox");
        let below = store.folder(inbox, "Projects");
        store.message(inbox, mail("First"));
        store.message(below, mail("Second"));
        fill(store);
    })
}

fn paths(file: &File) -> BTreeSet<String> {
    file.walk().files.into_keys().collect()
}

fn told(file: &File) -> Vec<(Severity, String)> {
    let report = walk::check(&file.path).unwrap();
    let findings = report.findings.into_iter();
    let of_it = findings.filter(|finding| finding.place == "PidTagIpmSubTreeEntryId");
    of_it
        .map(|finding| (finding.severity, finding.problem))
        .collect()
}

#[test]
fn an_entry_id_that_cannot_be_used_is_named_and_the_paths_stay() {
    for format in [Format::Ansi, Format::Unicode] {
        let whole = store(format, |_| {});
        assert_eq!(told(&whole), []);
        for (value, problem) in [
            (
                entry(RECORD_KEY, 0x8022)[..20].to_vec(),
                "expected 24 bytes, found 20",
            ),
            (Vec::new(), "expected 24 bytes, found 0"),
            (vec![0xFF; 24], "expected a folder of this file"),
            (entry(RECORD_KEY, MESSAGE), "expected a folder of this file"),
            (
                entry(RECORD_KEY, 0x9_9982),
                "expected a folder of this file",
            ),
            (entry(b"some other store", 0x8022), "of another store"),
            (entry(b"some other store", 0x8042), "of another store"),
            // The folder of searches, and the wastebasket.
            (entry(RECORD_KEY, 0x8042), "is in node 0x8022"),
            (entry(RECORD_KEY, 0x8062), "is in node 0x8022"),
        ] {
            let file = store(format, |store| store.store_prop(ENTRY_ID, value));
            assert_eq!(paths(&file), paths(&whole), "{format:?}: {problem}");
            let told = told(&file);
            assert!(
                matches!(&*told, [(Severity::Error, said)] if said.contains(problem)),
                "{problem}: {told:?}"
            );
        }
    }
}

#[test]
fn without_a_wastebasket_too_the_subtree_is_found() {
    let whole = store(Format::Unicode, |_| {});
    let file = store(Format::Unicode, |store| {
        store.store_prop(ENTRY_ID, vec![0xFF; 24]);
        store.store_prop(0x35E3, vec![0xFF; 24]);
    });
    assert_eq!(paths(&file), paths(&whole));
}
