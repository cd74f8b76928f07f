//! Disks that fail, files that change and processes that are killed under a mount: errors where they belong, never wrong
//! bytes, and all is well again when the fault is gone.

pub mod disk;
pub mod target;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::mounted::{
    self, Mount, can_mount, export, is_mounted, ostfs, picture, run, unshare_files, wait_until,
};
use crate::support::format::PTYPE_BBT;
use crate::support::sample::sample;
use crate::support::{
    Crypt, Damage, Folders, Format, Layout, Message, Nid, Payload, Store, contents_table,
};
use disk::{Disk, Faults};
use ostfs::messaging::{Message as OpenedMessage, Store as OpenedStore};
use ostfs::ndb::NodeId;
use ostfs::tree::{Options as TreeOptions, Tree as OpenedTree};
use tempfile::TempDir;

const FORMATS: [Format; 3] = [Format::Ansi, Format::Unicode, Format::Ost4k];

/// A written file, and what it shows: names and contents.
pub struct Case {
    _directory: TempDir,
    _export: TempDir,
    pub file: PathBuf,
    layout: Layout,
    messages: Vec<Nid>,
    pub shown: PathBuf,
    pub truth: Tree,
}

/// Content hashes by path.
pub type Tree = BTreeMap<PathBuf, String>;

impl Case {
    pub fn of(mut store: Store) -> Case {
        let inbox = store.folder(store.ipm_subtree(), "Twenty");
        let messages = (0..20)
            .map(|number| {
                let mail = Message::mail(&format!("Message {number}"))
                    .body(&format!("The text of {number}"))
                    .attachment("data.bin", Payload::random(30_000 + number * 1000, number));
                store.message(inbox, mail)
            })
            .collect();
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("store.pst");
        let layout = store.write(&file).unwrap();
        let (exported, shown) = export(&file, &[]);
        Case {
            _directory: directory,
            _export: exported,
            truth: tree(&shown),
            file,
            layout,
            messages,
            shown,
        }
    }

    /// Where the first block of message `number` is in the file.
    fn extent(&self, number: usize) -> std::ops::Range<u64> {
        let node = self.layout.node(self.messages[number]);
        let block = self.layout.block(node.data);
        block.ib..block.ib + 1
    }

    fn mail(&self, number: usize) -> PathBuf {
        let ending = format!("Message {number}.eml");
        let is_it = |path: &&PathBuf| path.to_str().unwrap().ends_with(&ending);
        self.truth.keys().find(is_it).unwrap().clone()
    }
}

pub fn tree(top: &Path) -> Tree {
    let entries = picture(top).into_iter();
    entries.map(|(path, entry)| (path, entry.content)).collect()
}

/// Reads everything there is and passes over errors; returns how many there were. Whatever succeeds must be true.
fn read_what_can_be_read(top: &Path, truth: &Path) -> usize {
    let mut failed = 0;
    let mut todo = vec![PathBuf::new()];
    while let Some(at) = todo.pop() {
        let names = |top: &Path| -> io::Result<Vec<_>> {
            let mut names = Vec::new();
            for entry in fs::read_dir(top.join(&at))? {
                names.push(entry?.file_name());
            }
            names.sort();
            Ok(names)
        };
        let Ok(found) = names(top) else {
            failed += 1;
            continue;
        };
        assert_eq!(found, names(truth).unwrap(), "{}", at.display());
        for name in found {
            let path = at.join(name);
            let real = truth.join(&path);
            match top.join(&path).symlink_metadata() {
                Err(_) => failed += 1,
                Ok(metadata) if metadata.is_dir() => todo.push(path),
                Ok(metadata) => {
                    assert_eq!(
                        metadata.len(),
                        real.metadata().unwrap().len(),
                        "{}",
                        path.display()
                    );
                    match fs::read(top.join(&path)) {
                        Ok(bytes) => {
                            assert!(bytes == fs::read(&real).unwrap(), "{}", path.display())
                        }
                        Err(_) => failed += 1,
                    }
                }
            }
        }
    }
    failed
}

fn error_of<T>(result: io::Result<T>) -> Option<i32> {
    result.err().and_then(|error| error.raw_os_error())
}

#[test]
fn a_bad_sector_costs_what_is_on_it_and_heals() {
    if !can_mount() {
        return;
    }
    for format in FORMATS {
        let case = Case::of(sample(format, Crypt::Permute));
        let disk = Disk::with(&case.file);
        let mount = Mount::new(&disk.file, &[]);
        disk.set(Faults {
            bad: Some(case.extent(7)),
            ..Faults::default()
        });
        let bad = case.mail(7);
        for _ in 0..2 {
            assert_eq!(
                error_of(fs::read(mount.path.join(&bad))),
                Some(libc::EIO),
                "{format:?}"
            );
        }
        for (path, _) in case.truth.iter().filter(|(_, content)| content.len() == 64) {
            let is_touched = path.to_str().unwrap().contains("Message 7");
            let read = fs::read(mount.path.join(path));
            assert!(is_touched || read.unwrap() == fs::read(case.shown.join(path)).unwrap());
        }
        disk.heal();
        assert_eq!(tree(&mount.path), case.truth, "{format:?}");
    }
}

#[test]
fn a_word_index_that_was_made_while_the_disk_failed_hides_no_item() {
    if !can_mount() {
        return;
    }
    let case = Case::of(sample(Format::Unicode, Crypt::Permute));
    let disk = Disk::with(&case.file);
    let file = disk.file.to_str().unwrap();
    let search = |options: &[&str]| ostfs(&[&["search"], options, &[file, "text"]].concat());
    let without = search(&[]);
    let found = String::from_utf8(without.stdout).unwrap();
    assert!(found.lines().count() >= 20, "{found}");
    let mut failed = 0;
    for failing in (50..400).step_by(50) {
        let indexes = TempDir::new().unwrap();
        let options = ["--index", indexes.path().to_str().unwrap()];
        disk.set(Faults {
            failing,
            ..Faults::default()
        });
        failed += u32::from(!search(&options).status.success());
        disk.heal();
        let output = search(&options);
        assert_eq!(String::from_utf8_lossy(&output.stdout), found, "{failing}");
        assert_eq!(output.status.code(), without.status.code(), "{failing}");
    }
    assert!(failed > 0, "no read of an item failed");
}

/// Most that a bad sector costs: the page of memory that the kernel reads it into.
const UNREADABLE: usize = 4096;

#[test]
fn an_export_goes_on_behind_a_bad_sector_and_says_which_bytes_are_missing() {
    if !can_mount() {
        return;
    }
    for format in FORMATS {
        let case = Case::of(sample(format, Crypt::Permute));
        let damage = Damage::open(&case.file, &case.layout).unwrap();
        let leaves = damage.leaves(damage.attachment_data(case.messages[7], 0));
        let block = case.layout.block(leaves[0]);
        let disk = Disk::with(&case.file);
        disk.set(Faults {
            bad: Some(block.ib + 5000..block.ib + 5001),
            ..Faults::default()
        });
        let target = TempDir::new().unwrap();
        let copy = target.path().join("tree");
        let copied = ostfs(&[
            "export",
            disk.file.to_str().unwrap(),
            copy.to_str().unwrap(),
        ]);
        assert_eq!(copied.status.code(), Some(4), "{format:?}");
        let path = case.mail(7).with_extension("attachments").join("data.bin");
        let (shown, whole) = (fs::read(copy.join(&path)), fs::read(case.shown.join(&path)));
        let (shown, whole) = (shown.unwrap(), whole.unwrap());
        assert_eq!(shown.len(), whole.len());
        let differ: Vec<usize> = (0..whole.len())
            .filter(|at| shown[*at] != whole[*at])
            .collect();
        let (first, last) = (differ[0], differ[differ.len() - 1]);
        assert!(
            first <= 5000 && 5000 <= last && last - first < UNREADABLE,
            "{first} {last}"
        );
        assert!(shown[first..=last].iter().all(|byte| *byte == 0));
        let told = |text: &str| text.contains("data.bin") && text.contains("missing");
        assert!(told(
            &fs::read_to_string(copy.join("ostfs-problems.txt")).unwrap()
        ));
        assert!(told(&fs::read_to_string(copy.join(case.mail(7))).unwrap()));
        // All else is as it is, and the message itself, printed, is what was exported.
        for (other, content) in tree(&copy) {
            let is_touched = other.to_str().unwrap().contains("Message 7");
            let is_list = other.ends_with("ostfs-problems.txt");
            assert!(
                is_touched || is_list || case.truth[&other] == content,
                "{other:?}"
            );
        }
        let mail = case.mail(7);
        let printed = ostfs(&["cat", disk.file.to_str().unwrap(), mail.to_str().unwrap()]);
        assert_eq!(printed.status.code(), Some(4));
        assert!(
            printed.stdout == fs::read(copy.join(&mail)).unwrap(),
            "{format:?}"
        );
    }
}

#[test]
fn a_bad_sector_under_the_trailer_of_a_block_has_no_failing_disk_scanned() {
    if !can_mount() {
        return;
    }
    for format in FORMATS {
        let case = Case::of(sample(format, Crypt::Permute));
        let damage = Damage::open(&case.file, &case.layout).unwrap();
        let leaves = damage.leaves(damage.attachment_data(case.messages[7], 0));
        let block = case.layout.block(leaves[0]);
        let end = block.ib + case.layout.geo.block_size(block.stored as usize) as u64;
        let disk = Disk::with(&case.file);
        // A part of the block, and all of it.
        for bad in [end - 1..end, block.ib..end] {
            disk.set(Faults {
                bad: Some(bad),
                ..Faults::default()
            });
            let target = TempDir::new().unwrap();
            let copy = target.path().join("tree");
            let files = [disk.file.to_str().unwrap(), copy.to_str().unwrap()];
            let copied = ostfs(&["export", files[0], files[1]]);
            assert_eq!(copied.status.code(), Some(4), "{format:?}");
            let told = fs::read_to_string(copy.join("ostfs-problems.txt")).unwrap();
            assert!(told.contains("the disk cannot read"), "{told}");
            assert!(!told.contains("whole file"), "{told}");
        }
    }
}

#[test]
fn a_bad_sector_under_the_message_store_costs_no_mail() {
    const MESSAGE_STORE: u32 = 0x21;
    if !can_mount() {
        return;
    }
    for format in FORMATS {
        let case = Case::of(sample(format, Crypt::Permute));
        let block = case.layout.block(case.layout.node(MESSAGE_STORE).data);
        let disk = Disk::with(&case.file);
        disk.set(Faults {
            bad: Some(block.ib..block.ib + 1),
            ..Faults::default()
        });
        let mount = Mount::new(&disk.file, &[]);
        let mail = fs::read(mount.path.join(case.mail(7))).unwrap();
        assert!(!mail.is_empty(), "{format:?}");
    }
}

/// A file of another size than its header states is looked at closer: at its last blocks.
#[test]
fn a_bad_sector_under_the_last_block_of_a_file_that_has_grown_costs_no_more_than_itself() {
    if !can_mount() {
        return;
    }
    for format in FORMATS {
        let case = Case::of(sample(format, Crypt::Permute));
        let grown = fs::OpenOptions::new().append(true).open(&case.file);
        grown.unwrap().write_all(&[7; 3000]).unwrap();
        let damage = Damage::open(&case.file, &case.layout).unwrap();
        let content = damage.attachment_data(*case.messages.last().unwrap(), 0);
        let last = case.layout.block(*damage.leaves(content).last().unwrap());
        let end = last.ib + case.layout.geo.block_size(last.stored as usize) as u64;
        let disk = Disk::with(&case.file);
        disk.set(Faults {
            bad: Some(end - 1..end),
            ..Faults::default()
        });
        let is_searched = Arc::new(AtomicBool::new(false));
        let hears = Arc::clone(&is_searched);
        let progress = Box::new(move |_, _| hears.store(true, Ordering::Relaxed));
        let tree = OpenedTree::open_with(&disk.file, &TreeOptions::default(), progress).unwrap();
        let path = Path::new("/").join(case.mail(7));
        assert!(tree.find(&path).unwrap().is_some(), "{format:?}");
        assert!(!is_searched.load(Ordering::Relaxed), "{format:?}");
    }
}

#[test]
fn a_bad_sector_in_the_table_of_a_folder_costs_no_large_message() {
    /// As many that a large one is not small beside their mean.
    const SMALL: u32 = 1000;
    const LARGE: u64 = 4 << 20;
    if !can_mount() {
        return;
    }
    for format in FORMATS {
        let mut store = Store::new(format, Crypt::None);
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let content = Payload::random(LARGE, 1);
        let large = store.message(
            inbox,
            Message::mail("Large").attachment("data.bin", content),
        );
        for number in 0..SMALL {
            store.message(inbox, Message::mail(&format!("Small {number}")));
        }
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("store.pst");
        let layout = store.write(&file).unwrap();
        let damage = Damage::open(&file, &layout).unwrap();
        let table = layout.node(contents_table(inbox));
        let rows = damage.leaves(damage.subnodes(table.sub)[0].data);
        let disk = Disk::with(&file);
        let ib = layout.block(rows[rows.len() / 2]).ib;
        disk.set(Faults {
            bad: Some(ib..ib + 1),
            ..Faults::default()
        });
        let opened = OpenedStore::open(ostfs::ndb::open(&disk.file, 1 << 20).unwrap());
        let opened = Arc::new(opened);
        let message = OpenedMessage::open_within_budget(&opened, NodeId(large));
        let attachments = message.expect("it is shown").attachments();
        assert_eq!(attachments.len(), 1, "{format:?}");
    }
}

#[test]
fn a_disk_that_fails_altogether_for_a_while_leaves_no_trace() {
    if !can_mount() {
        return;
    }
    let case = Case::of(sample(Format::Unicode, Crypt::Cyclic));
    let disk = Disk::with(&case.file);
    let mount = Mount::new(&disk.file, &["-o", "cache=1M"]);
    disk.set(Faults {
        failing: 1000,
        ..Faults::default()
    });
    for path in [
        "Inbox",
        "Twenty",
        "lost+found",
        ".ostfs/info.json",
        ".ostfs/index.csv",
    ] {
        let path = mount.path.join(path);
        let read = path.metadata().and_then(|metadata| {
            if metadata.is_dir() {
                fs::read_dir(&path)
                    .and_then(Iterator::collect::<io::Result<Vec<_>>>)
                    .map(drop)
            } else {
                fs::read(&path).map(drop)
            }
        });
        assert_eq!(error_of(read), Some(libc::EIO), "{}", path.display());
    }
    disk.heal();
    assert_eq!(tree(&mount.path), case.truth);
    let index = fs::read_to_string(mount.path.join(".ostfs/index.csv")).unwrap();
    assert!(index.lines().count() > 30, "{index}");
}

#[test]
fn what_is_read_while_a_disk_fails_now_and_then_is_right() {
    if !can_mount() {
        return;
    }
    // Of a thousand reads. All of a small file is read in a few, of which some must fail.
    let failing = 600;
    for format in [Format::Unicode, Format::Ost4k, Format::Ansi] {
        let case = Case::of(sample(format, Crypt::Permute));
        let disk = Disk::with(&case.file);
        let mount = Mount::new(&disk.file, &["-o", "cache=1M"]);
        disk.set(Faults {
            failing,
            ..Faults::default()
        });
        let failed = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        let errors = read_what_can_be_read(&mount.path, &case.shown);
                        failed.fetch_add(errors, Ordering::Relaxed);
                    }
                });
            }
        });
        assert!(failed.into_inner() > 0, "{format:?}: nothing failed");
        disk.heal();
        assert_eq!(tree(&mount.path), case.truth, "{format:?}");
    }
}

#[test]
fn short_and_interrupted_reads_are_gone_on_with() {
    if !can_mount() {
        return;
    }
    let case = Case::of(sample(Format::Unicode, Crypt::Permute));
    let disk = Disk::with(&case.file);
    for short in [1000, 7] {
        disk.set(Faults {
            short: Some(short),
            interrupted: true,
            ..Faults::default()
        });
        let mount = Mount::new(&disk.file, &[]);
        assert_eq!(tree(&mount.path), case.truth, "{short} bytes at a time");
    }
    // A disk that gives nothing where there should be something: an error, no end of the file.
    disk.heal();
    let mount = Mount::new(&disk.file, &[]);
    disk.set(Faults {
        short: Some(0),
        ..Faults::default()
    });
    assert_eq!(
        error_of(fs::read(mount.path.join(case.mail(3)))),
        Some(libc::EIO)
    );
}

#[test]
fn a_signal_ends_a_mount_whose_file_is_still_searched() {
    if !can_mount() {
        return;
    }
    let case = Case::of(sample(Format::Unicode, Crypt::Permute));
    let mut bytes = fs::read(&case.file).unwrap();
    // The CRC of the header.
    bytes[4] ^= 3;
    // More than one read of the search.
    bytes.resize(64 << 20, 0);
    fs::write(&case.file, bytes).unwrap();
    let disk = Disk::with(&case.file);
    disk.set(Faults {
        slow: Duration::from_millis(20),
        ..Faults::default()
    });
    let directory = TempDir::new().unwrap();
    let mountpoint = directory.path().join("mail");
    for background in [false, true] {
        let mut process = Command::new(mounted::OSTFS);
        process.arg("mount").args((!background).then_some("-f"));
        let mut process = process.arg(&disk.file).arg(&mountpoint).spawn().unwrap();
        wait_until("the mount is there", || is_mounted(&mountpoint));
        let children = format!("/proc/{0}/task/{0}/children", process.id());
        let searching = || match background {
            // The first child is the one that goes on in the background.
            true => fs::read_to_string(&children).unwrap(),
            false => process.id().to_string(),
        };
        // The mount is there before the process goes on as a child.
        wait_until("it searches", || !searching().trim().is_empty());
        let searching = searching();
        run("kill", &["-TERM", searching.split(' ').next().unwrap()]);
        let ended = process.wait().unwrap();
        assert_eq!(ended.code(), Some(6), "background: {background}");
        assert!(!is_mounted(&mountpoint) && !mountpoint.exists());
    }
}

#[test]
fn a_mount_on_a_disk_that_fails_is_refused_with_advice() {
    if !can_mount() {
        return;
    }
    let case = Case::of(sample(Format::Unicode, Crypt::Permute));
    let disk = Disk::with(&case.file);
    disk.set(Faults {
        bad: Some(600..u64::MAX),
        ..Faults::default()
    });
    let output = mounted::ostfs(&["info", disk.file.to_str().unwrap()]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("ddrescue"), "{message}");
}

#[test]
fn a_bad_sector_costs_a_scan_no_more_than_itself() {
    if !can_mount() {
        return;
    }
    for format in FORMATS {
        let case = Case::of(sample(format, Crypt::Permute));
        let damage = Damage::open(&case.file, &case.layout).unwrap();
        // Without the tree of blocks only a scan finds them.
        let pages = case.layout.pages.iter();
        for page in pages.filter(|page| page.ptype == PTYPE_BBT) {
            damage.zero_page(*page);
        }
        let disk = Disk::with(&case.file);
        disk.set(Faults {
            bad: Some(case.extent(7)),
            ..Faults::default()
        });
        let ndb = ostfs::ndb::open(&disk.file, 1 << 20).unwrap();
        for (number, message) in case.messages.iter().enumerate() {
            let data = case.layout.node(*message).data;
            let found = ndb.block(ostfs::ndb::BlockId(data));
            match number {
                7 => assert!(found.is_err()),
                _ => assert_eq!(*found.unwrap(), *damage.payload(data), "{format:?}"),
            }
        }
    }
}

/// What another program does to the file while it is mounted.
type Change = fn(&Path, &Path);

#[test]
fn nothing_is_read_of_a_file_that_is_written_to_while_mounted() {
    if !can_mount() {
        return;
    }
    let mut other = Store::new(Format::Unicode, Crypt::Permute);
    let inbox = other.folder(other.ipm_subtree(), "Impostor");
    for number in 0..200 {
        other.message(
            inbox,
            Message::mail("Impostor").body(&"X".repeat(1000 + number)),
        );
    }
    let directory = TempDir::new().unwrap();
    let other_file = directory.path().join("other.pst");
    other.write(&other_file).unwrap();
    let changes: [(&str, Change); 4] = [
        ("emptied", |file, _| fs::write(file, []).unwrap()),
        ("cut", |file, _| {
            File::options()
                .write(true)
                .open(file)
                .unwrap()
                .set_len(30_000)
                .unwrap()
        }),
        ("overwritten", |file, other| {
            _ = fs::copy(other, file).unwrap()
        }),
        ("filled with X", |file, _| {
            let length = file.metadata().unwrap().len() as usize;
            fs::write(file, vec![b'X'; length]).unwrap();
        }),
    ];
    for (name, change) in changes {
        let case = Case::of(sample(Format::Unicode, Crypt::None));
        let mount = Mount::new(&case.file, &[]);
        let known = case.mail(3);
        let before = fs::read(mount.path.join(&known)).unwrap();
        change(&case.file, &other_file);
        // What nobody has asked for yet.
        let error = error_of(fs::read(mount.path.join(case.mail(4))));
        assert_eq!(error, Some(libc::ESTALE), "{name}");
        // Everything else: as it was, or not at all.
        assert!(
            read_what_can_be_read(&mount.path, &case.shown) > 0,
            "{name}"
        );
        assert!(
            fs::read(mount.path.join(&known)).is_ok_and(|bytes| bytes == before),
            "{name}"
        );
        let problems = fs::read_to_string(mount.path.join(".ostfs/problems.txt")).unwrap();
        assert!(
            problems.contains("changed while it was open"),
            "{name}: {problems}"
        );
    }
}

#[test]
fn a_file_that_is_moved_removed_or_replaced_stays_mounted() {
    if !can_mount() {
        return;
    }
    let case = Case::of(sample(Format::Unicode, Crypt::Permute));
    let mount = Mount::new(&case.file, &[]);
    fs::rename(&case.file, case.file.with_extension("moved")).unwrap();
    assert!(fs::read(mount.path.join(case.mail(1))).is_ok());
    fs::write(&case.file, "something else").unwrap();
    fs::remove_file(case.file.with_extension("moved")).unwrap();
    assert_eq!(tree(&mount.path), case.truth);
}

#[test]
fn a_mount_that_is_killed_in_mid_read_leaves_nothing_behind() {
    if !can_mount() {
        return;
    }
    let case = Case::of(sample(Format::Unicode, Crypt::Permute));
    let disk = Disk::with(&case.file);
    let mut mount = Mount::new(&disk.file, &[]);
    assert!(fs::read_dir(mount.path.join("Twenty")).unwrap().count() > 20);
    disk.set(Faults {
        slow: Duration::from_millis(200),
        ..Faults::default()
    });
    let path = mount.path.join(case.mail(5));
    let reader = thread::spawn(move || fs::read(path));
    thread::sleep(Duration::from_millis(100));
    assert!(!reader.is_finished(), "the read is under way");
    run("kill", &["-KILL", &mount.process.id().to_string()]);
    assert!(reader.join().unwrap().is_err());
    wait_until("the mount is gone", || !is_mounted(&mount.path));
    mount.process.wait().unwrap();
    assert_eq!(fs::read_dir(&mount.path).unwrap().count(), 0);
}

#[test]
fn mounting_and_unmounting_again_and_again_works_each_time() {
    if !can_mount() {
        return;
    }
    unshare_files();
    let case = Case::of(sample(Format::Ost4k, Crypt::None));
    for _ in 0..20 {
        let mut mount = Mount::new(&case.file, &[]);
        assert!(fs::read(mount.path.join(case.mail(2))).is_ok());
        run(mounted::OSTFS, &["unmount", mount.path.to_str().unwrap()]);
        assert!(mount.process.wait().unwrap().success());
        assert!(!is_mounted(&mount.path));
    }
}
