//! What a message costs, in figures that are the same on every machine: allocations, and what is read from the file. They
//! guard the speed of listing, sizing and reading, and that it is the same whatever the size of the file.
//!
//! The counters are those of the thread that asks, so tests beside each other do not change them. A bound that is passed tells that something
//! got slower; a figure that fell by much is a reason to lower the bound.
#![cfg(target_os = "linux")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};
use std::thread;

use ostfs::convert::{Converter, Options as ConvertOptions};
use ostfs::ndb::{NodeId, NodeType};
use ostfs::tree::{
    Attachments, Directory, Forest, Ino, Kind, Layout as TreeLayout, Options as TreeOptions, Tree,
};
use support::realistic::Mailbox;
use support::{Crypt, Damage, Folders, Format, Message, Options, Payload, Store, Writer};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static ALLOCATED: Cell<u64> = const { Cell::new(0) };
    /// Bytes that this thread has, and the most that it had.
    static IN_USE: Cell<i64> = const { Cell::new(0) };
    static PEAK: Cell<i64> = const { Cell::new(0) };
}

fn count(size: usize) {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
    ALLOCATED.set(ALLOCATED.get() + size as u64);
    IN_USE.set(IN_USE.get() + size as i64);
    PEAK.set(PEAK.get().max(IN_USE.get()));
}

fn give_back(size: usize) {
    IN_USE.set(IN_USE.get() - size as i64);
}

/// The system's allocator, with a count of what this thread asks of it.
struct Counting;

// SAFETY: everything is handed on to the allocator of the system as it comes.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the layout is that of the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        give_back(layout.size());
        // SAFETY: pointer and layout are those of the caller.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        give_back(layout.size());
        count(size);
        // SAFETY: pointer, layout and size are those of the caller.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bounds for each message.
const LISTING: Cost = Cost {
    allocations: 30.0,
    reads: 0.3,
    bytes: 780.0,
};
/// With one look at what is in all messages, for those that are large beside the others.
const SIZING: Cost = Cost {
    allocations: 151.0,
    reads: 3.6,
    bytes: 7_200.0,
};
/// Of many messages the caches have forgotten what sizing rendered.
const READING: Cost = Cost {
    allocations: 151.0,
    reads: 3.9,
    bytes: 33_000.0,
};

/// To size messages of a few hundred bytes, folder by folder, in a file whose trees are larger than the cache: the blocks of each,
/// what was written at once by one read, and a part of a page.
const TINY: Cost = Cost {
    allocations: 144.0,
    reads: 2.9,
    bytes: 4_300.0,
};

/// To open a message and tell whom it is from: its properties, and nothing of its recipients.
const SENDER: Cost = Cost {
    allocations: 36.0,
    reads: 1.2,
    bytes: 2_700.0,
};

/// To list a view of many folders with all its directories and links: the rows once or twice more, and no message.
const VIEWING: Cost = Cost {
    allocations: 90.0,
    reads: 0.2,
    bytes: 800.0,
};

/// A cache that a few messages fill.
const SMALL_CACHE: u64 = 1 << 20;
/// Bytes of what is being made at the moment, beside the cache.
const BESIDE_CACHE: i64 = 1 << 20;
/// Messages of each folder, whose list is in memory while it is read.
const OF_FOLDER: u64 = 300;
/// Bytes of memory for a message more, about a quarter more than it is.
const OF_MESSAGE: i64 = 460;
/// Bytes that a read asks for.
const STEP: usize = 1 << 20;

/// What a record takes beyond the size of the file.
const RECORDING: Cost = Cost {
    allocations: 123.0,
    reads: 0.1,
    bytes: 100.0,
};

/// What was asked of allocator and kernel.
#[derive(Debug, Clone, Copy)]
struct Cost {
    allocations: f64,
    reads: f64,
    bytes: f64,
}

impl Cost {
    /// So far, as the kernel counts for this thread.
    fn so_far() -> Self {
        let allocations = ALLOCATIONS.get() as f64;
        let counters = fs::read_to_string("/proc/thread-self/io").unwrap();
        let counter = |name: &str| {
            let line = counters.lines().find(|line| line.starts_with(name));
            line.unwrap().rsplit(' ').next().unwrap().parse().unwrap()
        };
        Self {
            allocations,
            reads: counter("syscr:"),
            bytes: counter("rchar:"),
        }
    }

    /// Of `work`, for each of `messages` messages.
    fn of<T>(messages: usize, work: impl FnOnce() -> T) -> (Self, T) {
        let before = Self::so_far();
        let result = work();
        let after = Self::so_far();
        let each = |before: f64, after: f64| (after - before) / messages as f64;
        let cost = Self {
            allocations: each(before.allocations, after.allocations),
            reads: each(before.reads, after.reads),
            bytes: each(before.bytes, after.bytes),
        };
        (cost, result)
    }

    /// What is over the bounds, for the message of a failure.
    fn excess(self, bound: Self) -> Option<String> {
        let within = self.allocations <= bound.allocations
            && self.reads <= bound.reads
            && self.bytes <= bound.bytes;
        (!within).then(|| format!("{self:.2?}, at most {bound:.2?}"))
    }
}

/// Costs of a message of a store with so many: listed, sized and read.
struct Costs {
    listing: Cost,
    sizing: Cost,
    reading: Cost,
}

/// A mailbox of so many messages in so many folders.
fn written(directory: &Path, messages: u64, folders: u64) -> PathBuf {
    let mailbox = Mailbox {
        seed: 7,
        messages,
        folders,
        bytes: Some(messages * 30_000),
    };
    written_as(directory, &mailbox)
}

fn written_as(directory: &Path, mailbox: &Mailbox) -> PathBuf {
    let path = directory.join(format!("{}-{}.pst", mailbox.messages, mailbox.folders));
    let mut writer = Writer::create(&path, Options::new(Format::Unicode, Crypt::Permute)).unwrap();
    let nids = mailbox.make_folders(&mut writer);
    for (folder, message) in mailbox.mails() {
        writer.message(nids[folder], &message).unwrap();
    }
    writer.finish().unwrap();
    path
}

fn open(path: &Path, cache: u64) -> Tree {
    let options = TreeOptions {
        attachments: Attachments::Eml,
        cache,
        ..TreeOptions::default()
    };
    Tree::open(path, &options).unwrap()
}

fn costs(directory: &Path, messages: u64, folders: u64) -> Costs {
    let path = written(directory, messages, folders);
    let tree = open(&path, TreeOptions::DEFAULT_CACHE);
    let count = messages as usize;
    let (listing, files) = Cost::of(count, || files(&tree));
    assert_eq!(files.len(), count);
    let (sizing, sizes) = Cost::of(count, || {
        let size = |ino: &Ino| tree.attr(*ino).unwrap().size;
        files.iter().map(size).collect::<Vec<u64>>()
    });
    let mut buffer = vec![0; STEP];
    let (reading, ()) = Cost::of(count, || {
        for (ino, size) in files.iter().zip(&sizes) {
            read(&tree, *ino, *size, &mut buffer);
        }
    });
    Costs {
        listing,
        sizing,
        reading,
    }
}

fn read(tree: &Tree, ino: Ino, size: u64, buffer: &mut [u8]) {
    let mut offset = 0;
    while offset < size {
        offset += tree.read_at(ino, offset, buffer).unwrap() as u64;
    }
}

fn files(tree: &Tree) -> Vec<Ino> {
    let mut files = Vec::new();
    let mut directories = vec![Ino::ROOT];
    while let Some(directory) = directories.pop() {
        let listing = tree.directory(directory).unwrap();
        for entry in listing.entries() {
            match entry.kind {
                Kind::Directory => directories.push(entry.ino),
                _ => files.push(entry.ino),
            }
        }
    }
    files
}

#[test]
fn a_message_costs_little_and_the_same_in_files_of_any_size() {
    let directory = tempfile::tempdir().unwrap();
    let small = costs(directory.path(), 400, 8);
    let large = costs(directory.path(), 4_000, 8);
    let one_folder = costs(directory.path(), 4_000, 1);
    let mut over = Vec::new();
    for (name, costs) in [
        ("400 messages", &small),
        ("4,000 messages", &large),
        ("4,000 messages in one folder", &one_folder),
    ] {
        for (step, cost, bound) in [
            ("listed", costs.listing, LISTING),
            ("sized", costs.sizing, SIZING),
            ("read", costs.reading, READING),
        ] {
            println!("{name}, {step}: {cost:.2?}");
            over.extend(
                cost.excess(bound)
                    .map(|excess| format!("{name}, {step}: {excess}")),
            );
        }
        // Attachments are two thirds of the file, and no size needs them.
        assert!(
            costs.sizing.bytes < 0.6 * costs.reading.bytes,
            "{:.0} bytes read to size a message, {:.0} to read it",
            costs.sizing.bytes,
            costs.reading.bytes
        );
    }
    assert!(over.is_empty(), "{over:#?}");
}

#[test]
fn pages_of_the_trees_are_not_read_anew_for_each_message() {
    const MESSAGES: u64 = 6_000;
    let directory = tempfile::tempdir().unwrap();
    let mailbox = Mailbox {
        seed: 7,
        messages: MESSAGES,
        folders: 8,
        bytes: Some(MESSAGES * 200),
    };
    let path = written_as(directory.path(), &mailbox);
    let tree = open(&path, SMALL_CACHE);
    let files = files(&tree);
    let (cost, ()) = Cost::of(files.len(), || {
        for ino in &files {
            tree.attr(*ino).unwrap();
        }
    });
    println!("{cost:.2?}");
    assert_eq!(cost.excess(TINY), None);
}

#[test]
fn the_record_of_a_message_costs_little_beyond_its_size() {
    const MESSAGES: u64 = 2_000;
    let directory = tempfile::tempdir().unwrap();
    let path = written(directory.path(), MESSAGES, 8);
    let cost = |is_recorded: bool| {
        let tree = open(&path, TreeOptions::default().cache);
        let files = files(&tree);
        let (cost, ()) = Cost::of(files.len(), || {
            for ino in &files {
                tree.attr(*ino).unwrap();
                if is_recorded {
                    tree.details(*ino).unwrap();
                }
            }
        });
        cost
    };
    let (sized, recorded) = (cost(false), cost(true));
    println!("sized: {sized:.2?}, recorded: {recorded:.2?}");
    let beyond = Cost {
        allocations: recorded.allocations - sized.allocations,
        reads: recorded.reads - sized.reads,
        bytes: recorded.bytes - sized.bytes,
    };
    assert_eq!(beyond.excess(RECORDING), None);
}

#[test]
fn the_sender_of_a_message_is_told_without_its_recipients() {
    const MESSAGES: u64 = 2_000;
    let directory = tempfile::tempdir().unwrap();
    let store = ostfs::open(&written(directory.path(), MESSAGES, 8)).unwrap();
    let converter = Converter::new(Arc::clone(&store), ConvertOptions::default());
    let nodes = store.ndb().nodes().map(Result::unwrap);
    let messages = nodes.filter(|node| node.nid.node_type() == NodeType::NORMAL_MESSAGE);
    let messages: Vec<_> = messages.map(|node| node.nid).collect();
    assert_eq!(messages.len() as u64, MESSAGES);
    let told = |names: &[&str]| {
        let (cost, lines) = Cost::of(messages.len(), || {
            let line = |nid: &NodeId| {
                let message = ostfs::Message::open(&store, *nid).unwrap();
                converter.header(&message, names).line("From").unwrap()
            };
            messages.iter().map(line).collect::<Vec<String>>()
        });
        println!("{names:?}: {cost:.2?}");
        (cost, lines)
    };
    let (cost, senders) = told(&["From", "Sender"]);
    let (_, same) = told(&["From", "To", "Subject", "References", "Keywords"]);
    assert_eq!(senders, same);
    assert_eq!(cost.excess(SENDER), None);
}

/// Lists the directory at `path` and all in it; returns the directories and the links.
fn walk_links(forest: &Forest, path: &str) -> (usize, usize) {
    let mut todo = vec![forest.find(Path::new(path)).unwrap().unwrap()];
    let (mut directories, mut links) = (0, 0);
    while let Some(ino) = todo.pop() {
        directories += 1;
        for entry in forest.directory(ino).unwrap().entries() {
            match entry.kind {
                Kind::Directory => todo.push(entry.ino),
                _ => {
                    let target = forest.read_link(entry.ino).unwrap();
                    assert_eq!(forest.attr(entry.ino).unwrap().size, target.len() as u64);
                    links += 1;
                }
            }
        }
    }
    (directories, links)
}

#[test]
fn a_view_is_made_of_the_tables_of_folders_and_opens_no_message() {
    const MESSAGES: u64 = 4_000;
    let directory = tempfile::tempdir().unwrap();
    let path = written(directory.path(), MESSAGES, 8);
    let options = TreeOptions {
        attachments: Attachments::Eml,
        views: true,
        ..TreeOptions::default()
    };
    for view in ["by-date", "by-sender", "threads"] {
        let tree = Tree::open(&path, &options).unwrap();
        let forest = Forest::new(vec![(&*path, tree)]).unwrap();
        let view = format!(".ostfs/{view}");
        let walk = || walk_links(&forest, &view);
        let (cost, (directories, links)) = Cost::of(MESSAGES as usize, walk);
        println!("{view}: {directories} directories, {links} links: {cost:.2?}");
        assert_eq!(cost.excess(VIEWING), None, "{view}");
        assert!(directories > 2 && links as u64 <= MESSAGES);
        assert!(links as u64 == MESSAGES || view.ends_with("threads"));
        // What was made is kept.
        let (again, _) = Cost::of(MESSAGES as usize, walk);
        assert!(again.reads < 0.1, "{view}: {again:.2?}");
    }
}

#[test]
fn the_names_of_a_maildir_have_the_state_of_each_message_and_open_none() {
    const MESSAGES: u64 = 4_000;
    let directory = tempfile::tempdir().unwrap();
    let path = written(directory.path(), MESSAGES, 8);
    let options = TreeOptions {
        layout: TreeLayout::Maildir,
        attachments: Attachments::Eml,
        ..TreeOptions::default()
    };
    let tree = Tree::open(&path, &options).unwrap();
    let (cost, files) = Cost::of(MESSAGES as usize, || files(&tree));
    println!("a Maildir, listed: {cost:.2?}");
    assert!(files.len() as u64 >= MESSAGES);
    assert_eq!(cost.excess(LISTING), None);
}

/// The most bytes that a tree had at one time while all of a mailbox of so many folders was listed, sized and read.
fn peak(directory: &Path, folders: u64) -> i64 {
    let path = written(directory, folders * OF_FOLDER, folders);
    let mut buffer = vec![0; STEP];
    let before = IN_USE.get();
    PEAK.set(before);
    let tree = open(&path, SMALL_CACHE);
    let files = files(&tree);
    for ino in files {
        let size = tree.attr(ino).unwrap().size;
        read(&tree, ino, size, &mut buffer);
    }
    PEAK.get() - before
}

#[test]
fn a_walk_has_no_more_memory_than_the_cache_and_a_little_for_each_message() {
    let directory = tempfile::tempdir().unwrap();
    // The cache is full with the fewer.
    let (few, many) = (peak(directory.path(), 10), peak(directory.path(), 20));
    println!("{few} bytes for 10 folders, {many} bytes for 20");
    assert!(few <= SMALL_CACHE as i64 + BESIDE_CACHE, "{few} bytes");
    assert!(
        many - few <= 10 * OF_FOLDER as i64 * OF_MESSAGE,
        "{} bytes more",
        many - few
    );
}

/// Bytes that reading a message takes from the allocator, in a folder of so many that cannot be read.
fn allocated_for_damaged(messages: u64) -> u64 {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("damaged.pst");
    let mut store = Store::with(Options::new(Format::Unicode, Crypt::Permute));
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    let nids: Vec<u32> = (0..messages)
        .map(|number| store.message(inbox, Message::mail(&format!("Message {number}"))))
        .collect();
    let layout = store.write(&path).unwrap();
    let damage = Damage::open(&path, &layout).unwrap();
    for nid in nids {
        damage.flip_block(layout.node(nid).data, 20);
    }
    let tree = Tree::open(&path, &TreeOptions::default()).unwrap();
    let files = files(&tree);
    assert_eq!(files.len() as u64, messages);
    let before = ALLOCATED.get();
    let mut buffer = vec![0; 1 << 16];
    for ino in &files {
        tree.attr(*ino).unwrap();
        let read = tree.read_at(*ino, 0, &mut buffer).unwrap();
        let text = String::from_utf8_lossy(&buffer[..read]);
        assert!(text.contains("Subject: Message "), "{text}");
    }
    (ALLOCATED.get() - before) / messages
}

#[test]
fn a_message_that_cannot_be_read_costs_the_same_in_a_folder_of_any_size() {
    let (few, many) = (allocated_for_damaged(200), allocated_for_damaged(3_200));
    println!("{few} bytes for one of 200, {many} bytes for one of 3,200");
    assert!(2 * many < 3 * few, "{many} bytes instead of {few}");
}

#[test]
fn a_large_message_does_not_cost_a_look_at_all_others() {
    const OTHERS: u64 = 2_000;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("one-large.pst");
    let mut store = Store::with(Options::new(Format::Unicode, Crypt::Permute));
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    for number in 0..OTHERS {
        // An attachment makes a list of subnodes: what a comparison would read.
        let message = Message::mail(&format!("Message {number}")).attachment("small.txt", "small");
        store.message(inbox, message);
    }
    let large = Message::mail("Large").attachment("large.bin", Payload::random(3_000_000, 1));
    store.message(inbox, large);
    store.write(&path).unwrap();
    let tree = Tree::open(&path, &TreeOptions::default()).unwrap();
    let folder = tree.find(Path::new("Inbox")).unwrap().unwrap();
    let listing = tree.directory(folder).unwrap();
    let is_large = |name: &str| name.contains("Large") && name.ends_with(".eml");
    let entry = listing
        .entries()
        .find(|entry| is_large(&entry.name))
        .unwrap();
    let (cost, size) = Cost::of(1, || tree.attr(entry.ino).unwrap().size);
    println!("{cost:.2?}");
    assert!(size > 4_000_000, "{size}");
    assert!(cost.reads < OTHERS as f64 / 4.0, "{cost:.2?}");
}

/// Reads to tell the size of a message of 3 MB, as the only large one of its folder, while there are so many folders of 20 messages.
fn reads_for_a_large_one(folders: u64) -> f64 {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("large.pst");
    let mut store = Store::with(Options::new(Format::Unicode, Crypt::Permute));
    for number in 0..folders {
        let folder = store.folder(store.ipm_subtree(), format!("Folder {number}").as_str());
        for number in 0..20 {
            let body = Payload::random(30_000, number);
            let message = Message::mail(&format!("Message {number}")).attachment("small.bin", body);
            store.message(folder, message);
        }
        let large = Message::mail("Large").attachment("large.bin", Payload::random(3_000_000, 1));
        if number == 0 {
            store.message(folder, large);
        }
    }
    store.write(&path).unwrap();
    let tree = Tree::open(&path, &TreeOptions::default()).unwrap();
    let folder = tree.find(Path::new("Folder 0")).unwrap().unwrap();
    let listing = tree.directory(folder).unwrap();
    let mut entries = listing.entries();
    let large = entries.find(|entry| entry.name.contains("Large") && entry.kind == Kind::File);
    let (cost, size) = Cost::of(1, || tree.attr(large.unwrap().ino).unwrap().size);
    assert!(size > 4_000_000, "{size}");
    cost.reads
}

#[test]
fn a_large_message_costs_the_same_in_a_file_of_any_size() {
    let (few, many) = (reads_for_a_large_one(30), reads_for_a_large_one(300));
    println!("{few} reads in 30 folders, {many} in 300");
    assert!(many < 2.0 * few + 10.0, "{many} reads instead of {few}");
}

/// Bytes that the directory of one attachment takes from the allocator while it is made, those of its message with them. Most of
/// it is given back, and what is kept stands where it was: large pieces that little is kept of leave holes in the heap that nothing fits into.
const ATTACHED: u64 = 8_600;

#[test]
fn a_directory_of_attachments_takes_little_memory_and_all_that_it_takes_is_counted() {
    const MESSAGES: u64 = 400;
    let before = IN_USE.get();
    let mut listing = Box::new(Directory::new(Ino::ROOT));
    listing.add("report.pdf", Ino(1), Kind::File);
    *listing = listing.finish();
    let kept = IN_USE.get() - before;
    let counted = listing.weight() as i64;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("attached.pst");
    let mut store = Store::with(Options::new(Format::Unicode, Crypt::Permute));
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    for number in 0..MESSAGES {
        let message = Message::mail(&format!("Message {number}"));
        store.message(inbox, message.attachment("report.pdf", "%PDF-1.4"));
    }
    store.write(&path).unwrap();
    let tree = Tree::open(&path, &TreeOptions::default()).unwrap();
    let inbox = tree.find(Path::new("Inbox")).unwrap().unwrap();
    let listing = tree.directory(inbox).unwrap();
    let below = listing
        .entries()
        .filter(|entry| entry.kind == Kind::Directory);
    let below: Vec<Ino> = below.map(|entry| entry.ino).collect();
    assert_eq!(below.len() as u64, MESSAGES);
    let before = ALLOCATED.get();
    for ino in below {
        assert_eq!(tree.directory(ino).unwrap().len(), 1);
    }
    let allocated = (ALLOCATED.get() - before) / MESSAGES;
    println!("{allocated} bytes for a directory; of a listing {kept} are kept, {counted} counted");
    assert!(
        counted >= kept,
        "{kept} bytes, of which {counted} are counted"
    );
    assert!(allocated <= ATTACHED, "{allocated} bytes");
}

#[test]
fn the_first_names_of_a_huge_folder_do_not_wait_for_the_last() {
    const MESSAGES: u32 = 20_000;
    /// What the folder states to have: a folder of so many in truth takes long to write.
    const STATED: i32 = 1_000_000;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("huge.pst");
    let mut writer = Writer::create(&path, Options::new(Format::Unicode, Crypt::Permute)).unwrap();
    let inbox = writer.folder(writer.ipm_subtree(), "Inbox");
    writer.folder_prop(inbox, 0x3602, STATED);
    writer.folder(inbox, "A folder within");
    for number in 0..MESSAGES {
        // Every second one has the name of the one before.
        let message = Message::mail(&format!("Message {}", number / 2));
        writer.message(inbox, &message).unwrap();
    }
    writer.finish().unwrap();
    let tree = open(&path, TreeOptions::DEFAULT_CACHE);
    let inbox = tree.find(Path::new("Inbox")).unwrap().unwrap();
    let (first, beginning) = Cost::of(1, || tree.directory_from(inbox, 0).unwrap());
    let last = beginning.entry(beginning.len() - 1).unwrap();
    let name = OsStr::new(&*last.name);
    let (found, ino) = Cost::of(1, || tree.lookup(inbox, name).unwrap());
    assert_eq!(ino, Some(last.ino));
    let (all, listing) = Cost::of(1, || tree.directory(inbox).unwrap());
    println!(
        "{} names: {first:.0?}, all {}: {all:.0?}",
        beginning.len(),
        listing.len()
    );
    for (step, cost) in [("first names", first), ("one of them", found)] {
        assert!(
            cost.allocations < all.allocations / 3.0,
            "{step}: {cost:?} of {all:?}"
        );
    }
    assert!(!beginning.is_empty() && beginning.len() < listing.len());
    assert!(listing.len() > MESSAGES as usize);
    assert!(
        beginning
            .entries()
            .eq(listing.entries().take(beginning.len()))
    );
    // Whoever goes on gets the others, and once all are known nobody gets a part.
    let tree = open(&path, TreeOptions::DEFAULT_CACHE);
    let after = tree.directory_from(inbox, beginning.len()).unwrap();
    assert!(after.entries().eq(listing.entries()));
    assert_eq!(tree.directory_from(inbox, 0).unwrap().len(), listing.len());
}

#[test]
fn a_listing_that_several_want_at_once_is_made_once() {
    const MESSAGES: u64 = 4_000;
    const READERS: usize = 4;
    let directory = tempfile::tempdir().unwrap();
    let path = written(directory.path(), MESSAGES, 1);
    let folder = |tree: &Tree| tree.find(Path::new("Inbox")).unwrap().unwrap();
    let alone = open(&path, TreeOptions::DEFAULT_CACHE);
    let ino = folder(&alone);
    let (once, listing) = Cost::of(1, || alone.directory(ino).unwrap());
    let tree = open(&path, TreeOptions::DEFAULT_CACHE);
    let ino = folder(&tree);
    let begin = Barrier::new(READERS);
    let read = || {
        begin.wait();
        let (cost, own) = Cost::of(1, || tree.directory(ino).unwrap());
        assert!(own.entries().eq(listing.entries()));
        cost.allocations
    };
    let all: f64 = thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS).map(|_| scope.spawn(read)).collect();
        readers.into_iter().map(|it| it.join().unwrap()).sum()
    });
    println!(
        "{all} allocations of {READERS}, {} of one",
        once.allocations
    );
    assert!(
        listing.len() as u64 >= MESSAGES && all < 1.5 * once.allocations,
        "{all} allocations, {once:?}"
    );
}

/// Words of subjects.
const WORDS: &str = "answer agenda budget contract customer draft estimate figures holiday invoice journey key launch meeting \
                     notes offer plan quarter report schedule team update visit week";

/// The name of a message that came so many minutes after the first.
fn name_of(minute: u32) -> String {
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut random = u64::from(minute);
    let mut word = || {
        // The generator of Knuth's MMIX.
        random = random.wrapping_mul(6_364_136_223_846_793_005);
        random = random.wrapping_add(1_442_695_040_888_963_407);
        words[(random >> 33) as usize % words.len()]
    };
    let subject: Vec<&str> = (0..6).map(|_| word()).collect();
    let (hours, days) = (minute / 60, minute / 60 / 24);
    let (month, day) = (days / 28 % 12 + 1, days % 28 + 1);
    format!(
        "{}-{month:02}-{day:02} {:02}{:02} {}",
        2000 + days / 28 / 12,
        hours % 24,
        minute % 60,
        subject.join(" ")
    )
}

#[test]
fn an_entry_of_a_huge_listing_takes_little_memory_and_one_of_a_small_one_is_there_as_text() {
    // Bytes that stay for an entry, and at the most while the listing is made; those of its name are over 50.
    const KEPT: i64 = 28;
    const MADE: i64 = 56;
    let listed = |entries: u32| {
        let before = IN_USE.get();
        PEAK.set(before);
        let mut listing = Directory::new(Ino::ROOT);
        let mut names = 0;
        for number in 0..entries {
            let stem = listing.free_stem(&name_of(number), &[".eml"], number);
            names += stem.len() as i64;
            let ino = Ino(u64::from(number) << 5);
            listing.add(&format!("{stem}.eml"), ino, Kind::File);
        }
        let listing = listing.finish();
        let (kept, made) = (IN_USE.get() - before, PEAK.get() - before);
        assert!(names > 50 * i64::from(entries));
        println!("{entries} entries, {names} bytes of names: {kept} kept, at most {made}");
        // What it says that it takes is what the cache counts.
        assert!(listing.weight() as i64 >= kept);
        (listing, kept, made)
    };
    let entries = 400_000;
    let (listing, kept, made) = listed(entries);
    let each = |bytes: i64| bytes / i64::from(entries);
    assert!(each(kept) <= KEPT && each(made) <= MADE);
    let last = listing.entry(entries as usize - 1).unwrap();
    assert_eq!(last.name, format!("{}.eml", name_of(entries - 1)));
    let (small, ..) = listed(50_000);
    let (walk, _) = Cost::of(small.len(), || {
        small.entries().map(|entry| entry.name.len()).sum::<usize>()
    });
    assert!(walk.allocations < 0.1, "{walk:?}");
}
