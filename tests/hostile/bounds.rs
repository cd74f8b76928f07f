//! Memory stays within its bound whatever is in the file: `-o cache`, 24 bytes for each message, the listing and the text
//! that is being read, the part of the file's size that a search may keep, and a fixed part. The real binary, on files made to be nasty.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::mailbox::{MESSAGE, mail, write};
use crate::memory::{MIB, peak_of, within};
use crate::mounted::{Mount, can_mount};
use crate::support::format::{PTYPE_BBT, PTYPE_NBT};
use crate::support::*;
use crate::{corpus, mounted};
use tempfile::TempDir;

/// How often the text of a message is in memory while its file is made: as stored, decoded, in both forms, encoded.
const COPIES_MADE: u64 = 5;
/// The program itself, its threads and their buffers, the buffer of a scan, and `-o cache=1M`.
const BASE: u64 = 32 * MIB;
const SMALL_CACHE: [&str; 2] = ["-o", "cache=1M"];
/// Exports the file into a directory that is there as long as the first value, and measures that.
fn export(file: &Path, options: &[&str]) -> (TempDir, PathBuf, u64) {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("out");
    let paths = [file.to_str().unwrap(), target.to_str().unwrap()];
    let arguments = [&["export"], &SMALL_CACHE[..], options, &paths].concat();
    let peak = peak_of(&arguments);
    (directory, target, peak)
}

/// Exporting the file and checking it both take at most `bound` bytes.
fn bounded(what: &str, file: &Path, options: &[&str], bound: u64) -> (TempDir, PathBuf) {
    let (directory, target, peak) = export(file, options);
    within(&format!("{what}, exported"), peak, bound);
    let peak = peak_of(&["check", file.to_str().unwrap()]);
    within(&format!("{what}, checked"), peak, bound + 32 * MIB);
    (directory, target)
}

/// What `problems.txt` says when `paths` have been read.
fn problems(file: &Path, paths: &[&str]) -> String {
    let arguments = [
        &["cat", file.to_str().unwrap()],
        paths,
        &[".ostfs/problems.txt"],
    ]
    .concat();
    let output = mounted::ostfs(&arguments);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn an_attachment_of_a_gigabyte_that_is_one_block_again_and_again() {
    if !can_mount() {
        return;
    }
    let file = write(Format::Unicode, Crypt::None, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        // Two XBLOCKs, so that there is an XXBLOCK.
        store.message(
            inbox,
            mail("huge").attachment("huge.bin", Payload::random(9_000_000, 1)),
        );
    });
    let damage = file.damage();
    let top = damage.attachment_data(MESSAGE, 0);
    let first = damage.leaves(top)[0];
    let geo = file.layout.geo;
    let mut claimed = 0;
    let xblock = u64::from_le_bytes(damage.payload(top)[8..16].try_into().unwrap());
    damage.edit_block(xblock, |data| {
        let count = (data.len() - 8) / 8;
        claimed = count as u64 * geo.block_max as u64;
        data[4..8].copy_from_slice(&(claimed as u32).to_le_bytes());
        data[8..]
            .chunks_exact_mut(8)
            .for_each(|bid| bid.copy_from_slice(&first.to_le_bytes()));
    });
    // The second of the two is short.
    damage.edit_block(top, |data| {
        data[2..4].copy_from_slice(&2u16.to_le_bytes());
        data[4..8].copy_from_slice(&(2 * claimed as u32).to_le_bytes());
        let first = data[8..16].to_vec();
        data[16..24].copy_from_slice(&first);
    });
    // A sparse file, which may hold as much as it claims.
    damage.truncate(1 << 31);
    let mount = Mount::new(&file.path, &SMALL_CACHE);
    let inbox = mount.path.join("Inbox");
    let name = fs::read_dir(&inbox)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let directory = name.into_iter().find(|path| path.is_dir()).unwrap();
    let huge = fs::File::open(directory.join("huge.bin")).unwrap();
    let size = huge.metadata().unwrap().len();
    assert!(size >= 2 * claimed, "{size}");
    let mut buffer = vec![0; 4 << 20];
    let mut at = 0;
    while at < size {
        at += huge.read_at(&mut buffer, at).unwrap() as u64;
    }
    within("a repeated block", mount.peak_memory(), BASE);
}

#[test]
fn a_scan_of_many_tiny_blocks_and_pages_keeps_a_part_of_them_and_says_so() {
    for kind in ["blocks", "leaves", "damaged leaves", "pages"] {
        let file = write(Format::Unicode, Crypt::None, |store| {
            let inbox = store.folder(store.ipm_subtree(), "Inbox");
            for number in 0..40 {
                store.message(inbox, mail(&format!("message {number}")));
            }
        });
        let damage = file.damage();
        match kind {
            "blocks" => damage.append_blocks(500_000),
            "pages" => damage.append_pages(file.layout.page(PTYPE_BBT, 1, u64::MAX), 50_000, true),
            _ => {
                let leaf = file.layout.page(PTYPE_NBT, 0, u64::MAX);
                damage.append_pages(leaf, 50_000, kind == "leaves");
            }
        }
        damage.wrong_header_crc();
        let (_directory, _target, peak) = export(&file.path, &["-o", "deleted"]);
        let size = fs::metadata(&file.path).unwrap().len();
        within(&format!("{kind} of {size} bytes"), peak, BASE + size / 2);
        let problems = problems(&file.path, &[]);
        assert!(
            problems.contains("finds were left out"),
            "{kind}: {problems}"
        );
    }
}

#[test]
fn rows_and_messages_that_all_fit_each_other_are_not_listed_in_pairs() {
    const COPIES: usize = 3_000;
    let file = write(Format::Unicode, Crypt::None, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        for _ in 0..COPIES {
            store.message(inbox, mail("the same"));
        }
    });
    let leaves = file
        .layout
        .pages
        .iter()
        .filter(|page| page.ptype == PTYPE_NBT && page.level == 0);
    for page in leaves.filter(|page| page.key >= u64::from(MESSAGE)) {
        file.damage().zero_page(*page);
    }
    let (_directory, target) = bounded("rows", &file.path, &[], BASE + 16 * MIB);
    let mut names = fs::read_dir(target.join("Inbox")).unwrap();
    let first = names.next().unwrap().unwrap().file_name();
    assert_eq!(names.count() + 1, COPIES);
    let first = format!("Inbox/{}", first.display());
    let problems = problems(&file.path, &[&first]);
    assert!(
        problems.contains("messages that have rows and no nodes"),
        "{problems}"
    );
}

#[test]
fn recipients_that_all_have_the_same_long_name() {
    const RECIPIENTS: u32 = 20_000;
    let file = write(Format::Unicode, Crypt::None, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let name = "long ".repeat(6_000);
        let message = mail("crowd").cc(&name, "long@crowd.example");
        let crowd = (2..RECIPIENTS).fold(message, |message, _| message.cc("x", "x@crowd.example"));
        store.message(inbox, crowd);
    });
    let damage = file.damage();
    let subnodes = damage.subnodes(file.layout.node(MESSAGE).sub);
    let table = subnodes.iter().find(|node| node.nid == 0x692).unwrap();
    let mut changed = 0;
    for leaf in damage.leaves(table.data) {
        damage.edit_block(leaf, |data| {
            for at in 0..data.len() - 7 {
                let (id, number) = data[at..at + 8].split_at_mut(4);
                let value = u32::from_le_bytes(id.try_into().unwrap());
                if value > 1 && value < RECIPIENTS && id == number {
                    number.copy_from_slice(&1u32.to_le_bytes());
                    changed += 1;
                }
            }
        });
    }
    assert!(changed > RECIPIENTS / 2, "{changed}");
    bounded("recipients", &file.path, &[], BASE + 32 * MIB);
}

#[test]
fn named_properties_that_all_have_the_same_long_name() {
    const NAMES: usize = 2_000;
    let set = PSETID_COMMON;
    let file = write(Format::Unicode, Crypt::None, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let message = mail("names").named_text(set, &"long ".repeat(60_000), 1);
        let names = (1..NAMES).fold(message, |message, number| {
            message.named_text(set, &format!("name {number}"), 1)
        });
        store.message(inbox, names);
    });
    const NAME_TO_ID_MAP: u32 = 0x61;
    let damage = file.damage();
    let mut changed = 0;
    for stream in damage.subnodes(file.layout.node(NAME_TO_ID_MAP).sub) {
        for leaf in damage.leaves(stream.data) {
            // NAMEID of a string: its offset, the set and the kind, the index of the property.
            let is_entry = |entry: &[u8]| entry[4] & 1 == 1 && entry[3] == 0 && entry[7] < 16;
            if damage
                .payload(leaf)
                .chunks_exact(8)
                .skip(8)
                .take(50)
                .all(is_entry)
            {
                damage.edit_block(leaf, |data| {
                    for entry in data.chunks_exact_mut(8).filter(|entry| is_entry(entry)) {
                        entry[..4].fill(0);
                        changed += 1;
                    }
                });
            }
        }
    }
    assert!(changed >= NAMES, "{changed}");
    bounded("names", &file.path, &[], BASE);
}

#[test]
fn a_deep_chain_of_folders_and_a_table_with_many_rows() {
    let file = write(Format::Unicode, Crypt::None, |store| {
        let mut folder = store.ipm_subtree();
        for _ in 0..1_500 {
            folder = store.folder(folder, "deeper");
        }
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let message = store.message(inbox, mail("once"));
        store.search_folder("Found", &vec![message; 100_000]);
    });
    bounded("folders", &file.path, &["-o", "all"], BASE);
}

#[test]
fn texts_of_many_messages_are_not_kept_together() {
    if !can_mount() {
        return;
    }
    const TEXT: usize = 6 << 20;
    const COPIES: usize = 24;
    let mut messages = Vec::new();
    let file = write(Format::Unicode, Crypt::None, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let text = "<p>All of this is text that a message has.</p>\r\n".repeat(TEXT / 50);
        messages.push(store.message(inbox, mail("large").html(&text)));
        messages.extend(
            (1..COPIES).map(|number| store.message(inbox, mail(&format!("copy {number}")))),
        );
    });
    let large = file.layout.node(messages[0]);
    for copy in &messages[1..] {
        let node = file.layout.node(*copy);
        file.damage()
            .set_node(*copy, large.data, large.sub, node.parent);
    }
    let mount = Mount::new(&file.path, &SMALL_CACHE);
    let mails: Vec<PathBuf> = fs::read_dir(mount.path.join("Inbox"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    assert_eq!(mails.len(), COPIES);
    std::thread::scope(|scope| {
        for mails in mails.chunks(COPIES / 4) {
            scope.spawn(move || {
                for mail in mails {
                    let file = fs::File::open(mail).unwrap();
                    let mut buffer = vec![0; 1 << 16];
                    let size = file.metadata().unwrap().len();
                    assert!(size > TEXT as u64 / 2, "{}: {size}", mail.display());
                    assert!(file.read_at(&mut buffer, 1 << 20).unwrap() > 0);
                }
            });
        }
    });
    // Requests that are answered at once, and work ahead of them.
    let cores = std::thread::available_parallelism().unwrap().get();
    let threads = cores.clamp(2, 8) + cores.saturating_sub(1).min(4);
    let texts = threads as u64 * COPIES_MADE * TEXT as u64;
    within("large texts", mount.peak_memory(), BASE + texts);
}

#[test]
fn files_that_broke_other_readers_and_damaged_ones() {
    for file in corpus::hostile() {
        let size = fs::metadata(&file).unwrap().len();
        bounded(&file.display().to_string(), &file, &[], BASE + size / 2);
    }
    if let Some((_scratch, damages)) = corpus::damaged(corpus::ENRON) {
        for corpus::Damaged { kind, file, .. } in damages {
            let (_directory, _target, peak) = export(&file, &[]);
            within(&kind, peak, BASE + 14 * MIB);
        }
    }
}
