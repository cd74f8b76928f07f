//! A file gives no more than in proportion to its size: names, bytes, time and memory, whatever it names again and
//! again, and however many threads read it. What is left out says so, and it is the same whoever reads what first.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::mailbox::{self, File, MESSAGE, mail, write};
use crate::memory::{MIB, Used, used_by, within};
use crate::mounted::{Mount, Picture, can_mount, ostfs, picture};
use crate::support::ndb::SubNode;
use crate::support::*;
use tempfile::TempDir;

/// Far more of processors than any of these takes, without optimisations.
const LIMIT: Duration = Duration::from_secs(60);
/// The program itself, its threads and their buffers, its caches, and 8 MiB of text, five times.
const BASE: u64 = 88 * MIB;
/// How often text is in memory while its file is made, once more beside it, and once in the caches.
const COPIES: u64 = 7;
const ATTACHMENT: u32 = 5;
const PID_TAG_MESSAGE_SIZE: u16 = 0x0E08;

fn size(file: &File) -> u64 {
    fs::metadata(&file.path).unwrap().len()
}

/// What a mount shows, as an export with so many threads writes it, and the peak of memory.
fn export(file: &Path, jobs: u32) -> (TempDir, PathBuf, u64) {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("out");
    let paths = [file.to_str().unwrap(), target.to_str().unwrap()];
    let Used { peak, cpu } = used_by(&["export", "--jobs", &jobs.to_string(), paths[0], paths[1]]);
    assert!(cpu < LIMIT, "{cpu:?}");
    (directory, target, peak)
}

fn text_of(tree: &Path, end: &str) -> Vec<String> {
    let mut texts = BTreeMap::new();
    let mut todo = vec![tree.to_path_buf()];
    while let Some(directory) = todo.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else if path.to_str().unwrap().ends_with(end) {
                let text = fs::read(&path).unwrap();
                texts.insert(path, String::from_utf8_lossy(&text).into_owned());
            }
        }
    }
    texts.into_values().collect()
}

/// The file in proportion to its size, the same with one thread and with eight, and with a line about what is left out.
fn in_proportion(what: &str, file: &File, longest_text: u64) -> BTreeMap<PathBuf, Picture> {
    let size = size(file);
    let mut before = None;
    for jobs in [1, 8] {
        let (_directory, target, peak) = export(&file.path, jobs);
        within(
            &format!("{what}, {jobs} threads"),
            peak,
            BASE + COPIES * longest_text,
        );
        let now = picture(&target);
        let bytes: u64 = now.values().map(|entry| entry.size).sum();
        println!(
            "{what}: {size} bytes give {} names, {bytes} bytes",
            now.len()
        );
        assert!(bytes <= 100 * size + 64 * MIB, "{what}: {bytes} of {size}");
        assert!(now.len() as u64 <= size / 64, "{what}: {} names", now.len());
        let differs = before.is_some_and(|before| before != now);
        assert!(!differs, "{what}: {jobs} threads write something else");
        before = Some(now);
    }
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("out");
    let told = ostfs(&[
        "export",
        file.path.to_str().unwrap(),
        target.to_str().unwrap(),
    ]);
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.contains("shown"), "{what}: {told}");
    before.unwrap()
}

/// All attachments of the subnode tree become the first one.
fn make_twins(damage: &Damage<'_>, sub: u64) -> SubNode {
    let subnodes = damage.subnodes(sub);
    let mut attachments = subnodes.iter().filter(|node| node.nid & 31 == ATTACHMENT);
    let first = *attachments.next().unwrap();
    for twin in attachments {
        damage.set_subnode(sub, twin.nid, first.data, first.sub);
    }
    first
}

fn message_of(damage: &Damage<'_>, attachment: SubNode) -> SubNode {
    let within = damage.subnodes(attachment.sub);
    *within.iter().find(|node| node.nid & 31 == 4).unwrap()
}

/// Messages within each other, on each level so many that are all the same.
fn twins(levels: usize, breadth: usize) -> File {
    let file = write(Format::Unicode, Crypt::None, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let message = (0..levels).fold(mail("inner"), |inner, level| {
            let outer = mail(&format!("level {level}")).embed(inner);
            (1..breadth).fold(outer, |outer, _| outer.attachment("twin", "x"))
        });
        store.message(inbox, message);
        store.message(inbox, mail("beside it"));
    });
    let damage = file.damage();
    let mut sub = file.layout.node(MESSAGE).sub;
    for _ in 0..levels {
        let first = make_twins(&damage, sub);
        sub = message_of(&damage, first).sub;
    }
    file
}

#[test]
fn messages_within_each_other_that_share_all_they_have() {
    for (levels, breadth) in [(3, 300), (12, 20), (25, 2)] {
        let file = twins(levels, breadth);
        in_proportion(&format!("{breadth} on {levels} levels"), &file, 0);
        let (_directory, target, _) = export(&file.path, 1);
        assert_eq!(text_of(&target, "beside it.eml").len(), 1);
        let inner = text_of(&target, "inner.eml");
        assert!(!inner.is_empty() && inner.iter().all(|text| text.contains("Text")));
    }
}

#[test]
fn one_embedded_message_three_hundred_times() {
    const TEXT: usize = 1_000_000;
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let inner = mail("inner").body(&"All of this is text. ".repeat(TEXT / 21));
        let message = mail("outer").embed(inner);
        let message = (1..300).fold(message, |outer, _| outer.attachment("twin", "x"));
        store.message(inbox, message);
    });
    make_twins(&file.damage(), file.layout.node(MESSAGE).sub);
    in_proportion("an embedded message", &file, 0);
    let (_directory, target, _) = export(&file.path, 1);
    let outer = &text_of(&target, "outer.eml")[0];
    assert!(outer.matches("All of this is text.").count() > TEXT / 50);
    assert!(
        outer.contains("X-Ostfs-Problem: "),
        "it says what is left out"
    );
}

#[test]
fn one_attachment_three_hundred_times_in_one_message() {
    let file = write(Format::Unicode, Crypt::None, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let message = mail("outer").attachment("large.bin", Payload::random(2_000_000, 1));
        let message = (1..300).fold(message, |outer, _| outer.attachment("twin", "x"));
        store.message(inbox, message);
    });
    make_twins(&file.damage(), file.layout.node(MESSAGE).sub);
    in_proportion("an attachment", &file, 0);
}

/// Messages of their own, of which each has the body of the first.
fn one_body(format: Format, text: &str, count: usize) -> File {
    let mut nids = Vec::new();
    let file = write(format, Crypt::None, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        nids.push(store.message(inbox, mail("first").html(text)));
        nids.extend((1..count).map(|number| {
            let html = "<p>short</p>".repeat(1_000);
            store.message(inbox, mail(&format!("number {number:04}")).html(&html))
        }));
    });
    let damage = file.damage();
    let longest = |nid: u32| {
        let subnodes = damage.subnodes(file.layout.node(nid).sub);
        let values = subnodes.into_iter().filter(|node| node.nid & 31 == 31);
        values.max_by_key(|node| node.nid).unwrap()
    };
    let body = longest(nids[0]);
    for nid in &nids[1..] {
        let tree = file.layout.node(*nid).sub;
        damage.set_subnode(tree, longest(*nid).nid, body.data, 0);
    }
    file
}

#[test]
fn one_body_of_all_messages() {
    const TEXT: usize = 4_000_000;
    let text = "<p>All of this is text.</p>\r\n".repeat(TEXT / 29);
    let file = one_body(Format::Unicode, &text, 400);
    let shown = in_proportion("a body", &file, TEXT as u64);
    let (_directory, target, _) = export(&file.path, 1);
    let first = &text_of(&target, "first.eml")[0];
    assert!(first.contains("All of this is text.") && !first.contains("X-Ostfs-Problem"));
    let last = &text_of(&target, "number 0399.eml")[0];
    assert!(last.contains("X-Ostfs-Problem"), "{last}");
    assert!(last.contains("its data is that of node 0x200024"), "{last}");
    assert!(shown.len() > 400, "all messages are there");
}

/// The messages `nids` get the data and the subnodes of the first one.
fn make_copies(file: &File, nids: &[Nid]) {
    let first = file.layout.node(MESSAGE);
    for nid in &nids[1..] {
        let parent = file.layout.node(*nid).parent;
        file.damage().set_node(*nid, first.data, first.sub, parent);
    }
}

/// Messages that all have the data and the subnodes of the first, which has a large attachment. Their rows say that they are
/// `declared` bytes, if that is given.
fn one_node(count: usize, declared: Option<i32>) -> File {
    let copy = |number: usize| {
        let copy = mail(&number.to_string());
        match declared {
            Some(size) => copy.prop(PID_TAG_MESSAGE_SIZE, Value::I32(size)),
            None => copy,
        }
    };
    let mut nids = Vec::new();
    let file = write(Format::Unicode, Crypt::None, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let large = mail("first").attachment("large.bin", Payload::random(3_000_000, 1));
        nids.push(store.message(inbox, large));
        nids.extend((1..count).map(|number| store.message(inbox, copy(number))));
    });
    make_copies(&file, &nids);
    file
}

#[test]
fn one_node_of_all_messages() {
    in_proportion("a node", &one_node(500, None), 0);
}

#[test]
fn one_node_of_all_messages_whose_rows_say_that_they_are_large() {
    // What all declare together is more than the file can hold; then as much as is still believed.
    in_proportion("a node and its rows", &one_node(500, Some(4_000_000)), 0);
    in_proportion(
        "a node, rows within bounds",
        &one_node(80, Some(1_000_000)),
        0,
    );
}

#[test]
fn one_node_of_all_messages_in_folders_whose_tables_have_the_rows_of_others() {
    const FOLDERS: usize = 60;
    const OTHERS: usize = 300;
    let mut nids = Vec::new();
    let file = write(Format::Unicode, Crypt::None, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let large = mail("first").attachment("large.bin", Payload::random(3_000_000, 1));
        nids.push(store.message(inbox, large));
        let other = |number: usize| mail(&format!("other {number}"));
        let others: Vec<_> = (0..OTHERS)
            .map(|number| store.message(inbox, other(number)))
            .collect();
        for number in 0..FOLDERS {
            let folder = store.folder(store.ipm_subtree(), format!("{number}").as_str());
            let copy = mail("copy").prop(PID_TAG_MESSAGE_SIZE, Value::I32(10_000_000));
            nids.push(store.message(folder, copy));
            others.iter().for_each(|nid| store.stray_row(folder, *nid));
        }
    });
    make_copies(&file, &nids);
    in_proportion("a node and rows of others", &file, 0);
}

#[test]
fn one_node_of_all_messages_whose_list_of_subnodes_is_lost() {
    let file = one_node(500, None);
    file.damage().garble_block(file.layout.node(MESSAGE).sub);
    let shown = in_proportion("a lost list", &file, 0);
    let is_large = |path: &&PathBuf| path.ends_with("large.bin");
    assert!(
        shown.keys().any(|path| is_large(&path)),
        "it is put together"
    );
}

#[test]
fn copies_that_share_their_blocks_are_all_shown() {
    const COPIES: usize = 6;
    let mut nids = Vec::new();
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let large = mail("copy").attachment("large.bin", Payload::random(3_000_000, 1));
        nids.push(store.message(inbox, large));
        nids.extend((1..COPIES).map(|_| store.message(inbox, mail("copy"))));
    });
    make_copies(&file, &nids);
    let walked = file.walk();
    assert_eq!(
        (walked.problems, walked.failed.len()),
        (0, 0),
        "{:?}",
        walked.failed
    );
    let whole = walked
        .files
        .values()
        .filter(|bytes| bytes.len() > 4_000_000);
    assert_eq!(whole.count(), COPIES);
}

#[test]
fn a_body_that_is_far_longer_than_its_file() {
    const TEXT: usize = 36_000_000;
    let mut options = Options::new(Format::Ost4k, Crypt::None);
    options.compress = true;
    let file = mailbox::write_with(options, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        for number in 0..2 {
            let html = "<p>All of this is text.</p>\r\n".repeat(TEXT / 29);
            store.message(inbox, mail(&format!("{number}")).html(&html));
        }
    });
    let longest = size(&file) + 16 * MIB;
    assert!(longest < TEXT as u64);
    in_proportion("a compressed body", &file, longest);
    if !can_mount() {
        return;
    }
    let mount = Mount::new(&file.path, &["-o", "cache=8M"]);
    std::thread::scope(|scope| {
        for entry in fs::read_dir(mount.path.join("Inbox")).unwrap() {
            scope.spawn(move || fs::read(entry.unwrap().path()).map(|bytes| bytes.len()));
        }
    });
    within("mounted", mount.peak_memory(), BASE + COPIES * longest);
}

#[test]
fn large_texts_are_made_into_files_one_after_another() {
    const TEXT: usize = 12_000_000;
    let file = write(Format::Unicode, Crypt::None, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        for number in 0..8 {
            let html = format!("<p>All of {number} is text.</p>\r\n").repeat(TEXT / 29);
            store.message(inbox, mail(&format!("{number}")).html(&html));
        }
    });
    for jobs in [1, 2, 8] {
        let (_directory, _target, peak) = export(&file.path, jobs);
        let bound = BASE + COPIES * TEXT as u64;
        within(&format!("large texts, {jobs} threads"), peak, bound);
    }
}
