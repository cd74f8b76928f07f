//! Many readers at once, for as long as one likes: each gets the right bytes, or an error where the disk fails, and what the mount
//! holds does not grow with time.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::faults::disk::{Disk, Faults};
use crate::faults::{Case, tree};
use crate::mounted::{Mount, can_mount};
use crate::support::sample::sample;
use crate::support::{Crypt, Folders, Format, Message, Payload, Prng};

/// So many threads read at once, for so many seconds unless `OSTFS_STRESS_SECONDS` says how many.
const READERS: usize = 64;
const SECONDS: u64 = 5;
/// Of a thousand reads of a failing disk so many fail.
const FAILING: u64 = 20;
/// What the process may hold at the most, and by how much it may have grown since a quarter of the time was over.
const MOST: u64 = 64 << 20;
const GROWTH: u64 = 8 << 20;

fn seconds() -> u64 {
    let seconds = std::env::var("OSTFS_STRESS_SECONDS").ok();
    seconds.map_or(SECONDS, |seconds| seconds.parse().unwrap())
}

/// Small messages and ten large ones.
fn case() -> Case {
    let mut store = sample(Format::Unicode, Crypt::Permute);
    let large = store.folder(store.ipm_subtree(), "Large");
    for number in 0..10 {
        let payload = Payload::random(5_000_000, 100 + number);
        let mail = Message::mail("Large")
            .body("text")
            .attachment("large.bin", payload);
        store.message(large, mail);
    }
    Case::of(store)
}

/// Has [`READERS`] read somewhere until the time is over. What fails is for `failed` to judge.
fn soak(mount: &Mount, case: &Case, failed: impl Fn(io::Error) + Sync) {
    let files = case.truth.keys();
    let files: Vec<&PathBuf> = files
        .filter(|path| case.shown.join(path).is_file())
        .collect();
    let (open, seconds) = (mount.open_files(), seconds());
    let start = Instant::now();
    let end = start + Duration::from_secs(seconds);
    let reads = AtomicUsize::new(0);
    let early = thread::scope(|scope| {
        for reader in 0..READERS {
            let (files, reads, failed) = (&files, &reads, &failed);
            scope.spawn(move || {
                let mut random = Prng(reader as u64 + 1);
                while Instant::now() < end {
                    let path = files[random.below(files.len() as u64) as usize];
                    let (shown, truth) = (mount.path.join(path), case.shown.join(path));
                    if let Err(error) = read_somewhere(&shown, &truth, &mut random) {
                        failed(error);
                    }
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        thread::sleep(Duration::from_secs(seconds) / 4);
        mount.memory()
    });
    let (late, peak) = (mount.memory(), mount.peak_memory());
    let [early_mib, late_mib, peak_mib] = [early, late, peak].map(|bytes| bytes >> 20);
    println!(
        "{} reads; resident: {early_mib} MiB after a quarter, {late_mib} MiB at the end, {peak_mib} MiB at the most; {open} files open before, {} after",
        reads.into_inner(),
        mount.open_files(),
    );
    assert!(peak < MOST, "resident set of {peak_mib} MiB");
    assert!(late < early + GROWTH, "{early_mib} MiB became {late_mib}");
    assert_eq!(mount.open_files(), open);
}

#[test]
fn sixty_four_readers_see_what_one_sees_and_nothing_grows() {
    if !can_mount() {
        return;
    }
    let case = case();
    let mount = Mount::new(&case.file, &["-o", "cache=8M"]);
    soak(&mount, &case, |error| panic!("{error}"));
    assert_eq!(tree(&mount.path), case.truth);
}

#[test]
fn of_a_failing_disk_sixty_four_readers_get_right_bytes_or_an_error_and_nothing_grows() {
    if !can_mount() {
        return;
    }
    let case = case();
    let disk = Disk::with(&case.file);
    let mount = Mount::new(&disk.file, &["-o", "cache=1M"]);
    disk.set(Faults {
        failing: FAILING,
        ..Faults::default()
    });
    let errors = AtomicUsize::new(0);
    soak(&mount, &case, |error| {
        assert_eq!(error.raw_os_error(), Some(libc::EIO), "{error}");
        errors.fetch_add(1, Ordering::Relaxed);
    });
    assert!(errors.into_inner() > 0);
    disk.heal();
    assert_eq!(tree(&mount.path), case.truth);
}

/// One thing that programs do: look at the directory, read a piece, or all. What is read is what is true.
fn read_somewhere(shown: &Path, truth: &Path, random: &mut Prng) -> io::Result<()> {
    let (shown_file, true_file) = (File::open(shown)?, File::open(truth).unwrap());
    let size = true_file.metadata().unwrap().len();
    assert_eq!(shown_file.metadata()?.len(), size);
    match random.below(8) {
        0 => assert!(fs::read_dir(shown.parent().unwrap())?.count() > 0),
        1 if size < 1 << 20 => {
            let (mut bytes, mut expected) = (Vec::new(), Vec::new());
            (&shown_file).read_to_end(&mut bytes)?;
            (&true_file).read_to_end(&mut expected).unwrap();
            assert!(bytes == expected, "{}", shown.display());
        }
        _ => {
            let offset = random.below(size.max(1));
            let length = (random.below(200_000) as usize).min((size - offset) as usize);
            let (mut bytes, mut expected) = (vec![0; length], vec![0; length]);
            shown_file.read_exact_at(&mut bytes, offset)?;
            true_file.read_exact_at(&mut expected, offset).unwrap();
            assert!(bytes == expected, "{} at {offset}", shown.display());
        }
    }
    forget(&shown_file);
    Ok(())
}

/// Has the kernel forget what it keeps of a file.
fn forget(file: &File) {
    // SAFETY: takes the number of an open file.
    unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
}
