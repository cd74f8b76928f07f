//! What users are promised of a mount, tried on real mounts of generated files.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::mounted::{self, Mount, can_mount, export, is_mounted, ostfs, picture, run, wait_until};
use crate::needs;
use crate::support::sample::sample;
use crate::support::{Crypt, Folders, Format, Message, Payload, Prng, Store};
use tempfile::TempDir;

const FORMATS: [Format; 3] = [Format::Ansi, Format::Unicode, Format::Ost4k];

fn written(store: &Store) -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("store.pst");
    store.write(&file).unwrap();
    (directory, file)
}

fn eml_files(tree: &Path) -> Vec<PathBuf> {
    let all = picture(tree);
    all.keys()
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .map(|path| tree.join(path))
        .collect()
}

#[test]
fn the_mount_and_the_export_of_every_format_and_encoding_are_the_same_tree() {
    if !can_mount() {
        return;
    }
    let mut trees = BTreeMap::new();
    for format in FORMATS {
        for crypt in [Crypt::None, Crypt::Permute, Crypt::Cyclic] {
            for options in [
                "all",
                "attachments=both",
                "attachments=hidden",
                "attachments=eml",
                "attachments=dir",
            ] {
                let (_directory, file) = written(&sample(format, crypt));
                let mount = Mount::new(&file, &["-o", options]);
                let (_target, exported) = export(&file, &["-o", options]);
                let shown = picture(&mount.path);
                assert!(shown.len() > 20, "{} entries", shown.len());
                assert_eq!(
                    shown,
                    picture(&exported),
                    "{format:?} {crypt:?} -o {options}"
                );
                // How a file encodes its blocks shows nowhere.
                let first = trees
                    .entry((format!("{format:?}"), options))
                    .or_insert_with(|| names(&shown));
                assert_eq!(*first, names(&shown), "{format:?} {crypt:?} -o {options}");
            }
        }
    }
}

#[test]
fn hidden_directories_of_attachments_are_the_usual_ones_behind_a_dot() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("mail.pst");
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    let inner = Message::mail("inner").attachment("deep.txt", "deep");
    let subjects = ["same", "same", &"long ".repeat(80)];
    for subject in subjects {
        let message = Message::mail(subject).attachment("a.txt", "a");
        store.message(inbox, message.embed(inner.clone()));
    }
    store.write(&path).unwrap();
    let tree = |option: &str| {
        let (_target, exported) = export(&path, &["-o", option]);
        picture(&exported)
    };
    let is_directory = |name: &&str| name.ends_with(".attachments");
    // Within one that is hidden nothing needs to be.
    let hide = |path: &Path| {
        let text = path.to_str().unwrap();
        let mut names: Vec<String> = text.split('/').map(str::to_owned).collect();
        if let Some(at) = names.iter().position(|name| is_directory(&&**name)) {
            names[at].insert(0, '.');
        }
        PathBuf::from(names.join("/"))
    };
    let usual: BTreeMap<PathBuf, String> = tree("attachments=both")
        .into_iter()
        .map(|(path, entry)| (hide(&path), entry.content))
        .collect();
    let hidden: BTreeMap<PathBuf, String> = tree("attachments=hidden")
        .into_iter()
        .map(|(path, entry)| (path, entry.content))
        .collect();
    assert_eq!(hidden, usual);
    let count = |paths: &BTreeMap<PathBuf, String>| {
        let directories = paths.keys().filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with('.') && name.ends_with(".attachments")
        });
        directories.count()
    };
    assert_eq!(count(&hidden), subjects.len());
}

fn names(tree: &BTreeMap<PathBuf, mounted::Picture>) -> Vec<(PathBuf, String)> {
    // Directories without a time of their own have that of the file, which was written just now.
    tree.iter()
        .map(|(path, entry)| (path.clone(), entry.content.clone()))
        .collect()
}

#[test]
fn two_mounts_have_the_same_inode_numbers_and_times() {
    if !can_mount() {
        return;
    }
    let (_directory, file) = written(&sample(Format::Unicode, Crypt::Permute));
    let facts = || {
        let mount = Mount::new(&file, &["-o", "all"]);
        let mut facts = BTreeMap::new();
        for path in picture(&mount.path).into_keys() {
            let metadata = mount.path.join(&path).symlink_metadata().unwrap();
            let times = (metadata.mtime(), metadata.ctime(), metadata.mtime_nsec());
            facts.insert(
                path,
                (metadata.ino(), times, metadata.mode(), metadata.nlink()),
            );
        }
        facts
    };
    let first = facts();
    let numbers: std::collections::BTreeSet<u64> = first.values().map(|(ino, ..)| *ino).collect();
    assert_eq!(numbers.len(), first.len(), "inode numbers are unique");
    assert_eq!(first, facts());
}

#[test]
fn files_are_for_their_owner_to_read_and_directories_to_enter() {
    if !can_mount() {
        return;
    }
    let (_directory, file) = written(&sample(Format::Unicode, Crypt::Permute));
    let mount = Mount::new(&file, &[]);
    for (path, entry) in picture(&mount.path) {
        let mode = mount.path.join(path).symlink_metadata().unwrap().mode() & 0o7777;
        assert_eq!(mode, if entry.kind == 'd' { 0o700 } else { 0o600 });
    }
    let error = fs::write(mount.path.join("new"), "x").unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EROFS));
    // Whatever modes say, nothing can be written: not by root, and not what is there.
    let error = fs::write(&eml_files(&mount.path)[0], "x").unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EROFS));
    drop(mount);
    let mount = Mount::new(&file, &["-o", "uid=1234,gid=2345,umask=027"]);
    let metadata = eml_files(&mount.path)[0].metadata().unwrap();
    assert_eq!(
        (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777),
        (1234, 2345, 0o640)
    );
    drop(mount);
    let mount = Mount::new(&file, &["-o", "uid=root,gid=root"]);
    let metadata = eml_files(&mount.path)[0].metadata().unwrap();
    assert_eq!((metadata.uid(), metadata.gid()), (0, 0), "owners by name");
}

#[test]
fn an_ordinary_user_can_change_and_delete_his_copies() {
    if !can_mount() {
        return;
    }
    let (directory, file) = written(&sample(Format::Unicode, Crypt::Permute));
    let mount = Mount::new(&file, &["-o", "allow_other,umask=077,uid=65534,gid=65534"]);
    let home = directory.path().join("home");
    fs::create_dir(&home).unwrap();
    for path in [directory.path(), &home] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    }
    for copy in [
        "cp -a \"$0\" copy",
        "rsync -a \"$0/\" copy",
        "mkdir copy && tar -C \"$0\" -c . | tar -C copy -xp",
    ] {
        let script = format!(
            "{copy} && find copy -name '*.eml' -exec sh -c 'echo >>\"$1\"' - {{}} + && rm -r copy"
        );
        let mut command = Command::new("sh");
        command
            .args(["-ec", &script])
            .arg(&mount.path)
            .current_dir(&home);
        if fs::metadata(&home).unwrap().uid() == 0 {
            command.uid(65534).gid(65534);
        }
        let output = command.stdin(Stdio::null()).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{copy}: {message}");
        assert!(!home.join("copy").exists(), "{copy}");
    }
}

#[test]
fn the_second_rsync_transfers_nothing() {
    if !can_mount() {
        return;
    }
    let (_directory, file) = written(&sample(Format::Unicode, Crypt::Permute));
    let target = TempDir::new().unwrap();
    let target = target.path().to_str().unwrap();
    let transfer = || {
        let mount = Mount::new(&file, &["-o", "all"]);
        run(
            "rsync",
            &[
                "-a",
                "--itemize-changes",
                &format!("{}/", mount.path.display()),
                target,
            ],
        )
    };
    assert!(transfer().lines().count() > 20);
    // `.` is the target directory itself, which is ours.
    assert_eq!(transfer(), "");
}

#[test]
fn reads_at_random_places_are_what_a_read_from_the_start_is() {
    if !can_mount() {
        return;
    }
    let mut store = sample(Format::Ost4k, Crypt::None);
    let inbox = store.folder(store.ipm_subtree(), "Large");
    store.message(
        inbox,
        Message::mail("Large")
            .body("text")
            .attachment("data.bin", Payload::random(3_000_000, 7)),
    );
    let (_directory, file) = written(&store);
    let (_target, exported) = export(&file, &[]);
    let mount = Mount::new(&file, &["-o", "cache=1M"]);
    let mut random = Prng(42);
    for path in picture(&exported)
        .into_iter()
        .filter(|(_, entry)| entry.kind == 'f')
        .map(|(path, _)| path)
    {
        let whole = fs::read(exported.join(&path)).unwrap();
        let shown = fs::File::open(mount.path.join(&path)).unwrap();
        for _ in 0..40 {
            let start = random.below(whole.len() as u64 + 10) as usize;
            let length = random.below(200_000) as usize;
            let mut buffer = vec![0; length];
            let read = shown.read_at(&mut buffer, start as u64).unwrap();
            let expected = &whole[start.min(whole.len())..(start + length).min(whole.len())];
            assert!(
                buffer[..read] == *expected,
                "{}: {length} bytes at {start}",
                path.display()
            );
        }
    }
}

#[test]
fn eight_parallel_readers_see_what_one_sees() {
    if !can_mount() {
        return;
    }
    let (_directory, file) = written(&sample(Format::Unicode, Crypt::Cyclic));
    let (_target, exported) = export(&file, &[]);
    let expected = picture(&exported);
    for cache in ["cache=1M", "cache=64M"] {
        let mount = Mount::new(&file, &["-o", cache]);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        assert_eq!(picture(&mount.path), expected);
                    }
                });
            }
        });
    }
}

#[test]
fn a_large_attachment_costs_no_memory() {
    if !can_mount() {
        return;
    }
    const GIB: u64 = 1 << 30;
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    store.message(
        inbox,
        Message::mail("Disk image")
            .body("see attachment")
            .attachment("disk.img", Payload::random(GIB, 3)),
    );
    let (_directory, file) = written(&store);
    let mount = Mount::new(&file, &[]);
    let directory = mount.path.join("Inbox");
    let attachment = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_dir())
        .unwrap()
        .join("disk.img");
    assert_eq!(attachment.metadata().unwrap().len(), GIB);
    let (size, _) = mounted::hash(&attachment);
    assert_eq!(size, GIB);
    let mail = eml_size_and_tail(&directory);
    // Base64 with 76 characters and a line end for 57 bytes.
    assert!(mail > GIB / 57 * 77, "{mail}");
    let peak = mount.peak_memory();
    assert!(peak < 100 << 20, "resident set of {} MiB", peak >> 20);
}

/// Size of the one mail in `directory`, read in pieces from its end.
fn eml_size_and_tail(directory: &Path) -> u64 {
    let path = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .unwrap();
    let file = fs::File::open(path).unwrap();
    let size = file.metadata().unwrap().len();
    let mut tail = [0; 100];
    file.read_exact_at(&mut tail, size - 100).unwrap();
    assert!(
        tail.ends_with(b"--\n"),
        "{:?}",
        tail.escape_ascii().to_string()
    );
    size
}

#[test]
fn what_is_not_listed_is_there_and_lost_items_are_found() {
    if !can_mount() {
        return;
    }
    let mut store = sample(Format::Unicode, Crypt::Permute);
    let folder = store.folder(store.ipm_subtree(), "Table of contents lost");
    store.message(folder, Message::mail("Still here").body("text"));
    let (_directory, file) = written(&store);
    let mount = Mount::new(&file, &[]);
    let listed: Vec<_> = fs::read_dir(&mount.path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(listed.contains(&"lost+found".into()) && !listed.contains(&".ostfs".into()));
    let info: serde_json::Value =
        serde_json::from_slice(&fs::read(mount.path.join(".ostfs/info.json")).unwrap()).unwrap();
    assert_eq!(info["kind"], "PST");
    let index = fs::read_to_string(mount.path.join(".ostfs/index.csv")).unwrap();
    let mut rows = csv::Reader::from_reader(index.as_bytes());
    let paths: Vec<String> = rows
        .records()
        .map(|row| row.unwrap()[0].to_owned())
        .collect();
    assert!(paths.len() >= 14);
    for path in paths {
        assert!(mount.path.join(&path).is_file(), "{path}");
    }
    assert_eq!(
        fs::read_to_string(mount.path.join(".ostfs/problems.txt")).unwrap(),
        ""
    );
}

#[test]
fn signals_unmount_and_a_killed_mount_leaves_nothing_behind() {
    if !can_mount() {
        return;
    }
    let (_directory, file) = written(&sample(Format::Unicode, Crypt::Permute));
    for signal in ["INT", "TERM", "HUP", "KILL"] {
        let mut mount = Mount::new(&file, &[]);
        assert!(mount.path.join("Inbox").is_dir());
        run(
            "kill",
            &[&format!("-{signal}"), &mount.process.id().to_string()],
        );
        wait_until("the mount is gone", || !is_mounted(&mount.path));
        let status = mount.process.wait().unwrap();
        assert!(
            signal == "KILL" || status.success(),
            "SIG{signal}: {status}"
        );
        // The bare directory is there again, not a dead mount point.
        assert_eq!(fs::read_dir(&mount.path).unwrap().count(), 0);
    }
}

#[test]
fn a_mount_in_use_is_detached_with_a_message() {
    if !can_mount() {
        return;
    }
    let (_directory, file) = written(&sample(Format::Unicode, Crypt::Permute));
    let mount = Mount::new(&file, &[]);
    let mut inside = Command::new("sleep")
        .arg("30")
        .current_dir(mount.path.join("Inbox"))
        .spawn()
        .unwrap();
    let busy = ostfs(&["unmount", mount.path.to_str().unwrap()]);
    assert!(!busy.status.success());
    assert!(String::from_utf8_lossy(&busy.stderr).contains("in use"));
    run("kill", &["-TERM", &mount.process.id().to_string()]);
    wait_until("the mount is detached", || !is_mounted(&mount.path));
    inside.kill().unwrap();
    inside.wait().unwrap();
}

#[test]
fn the_shell_gets_its_prompt_back_when_the_mount_is_ready() {
    if !can_mount() {
        return;
    }
    let (_directory, file) = written(&sample(Format::Unicode, Crypt::Permute));
    let target = TempDir::new().unwrap();
    let output = Command::new(mounted::OSTFS)
        .args([
            "mount",
            file.to_str().unwrap(),
            target.path().to_str().unwrap(),
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(target.path().join("Inbox").is_dir());
    let again = ostfs(&[
        "mount",
        file.to_str().unwrap(),
        target.path().to_str().unwrap(),
    ]);
    assert_eq!(again.status.code(), Some(6));
    assert!(String::from_utf8_lossy(&again.stderr).contains("already mounted"));
    run(
        mounted::OSTFS,
        &["unmount", target.path().to_str().unwrap()],
    );
    assert!(!is_mounted(target.path()));
}

#[test]
fn an_ordinary_user_mounts_through_fusermount3() {
    if !can_mount() {
        return;
    }
    // Root shows it to itself: a private /dev/fuse that everyone may open, and the rights of nobody.
    if !run("id", &["-u"]).starts_with("0\n") {
        needs::ignored("only root can take the part of another user");
        return;
    }
    let (directory, file) = written(&sample(Format::Unicode, Crypt::Permute));
    let script = r#"
        set -e
        mknod "$1/fuse" c 10 229 && chmod 666 "$1/fuse" && mount --bind "$1/fuse" /dev/fuse
        mkdir "$1/mnt" && chown -R nobody "$1" && cp "$3" "$1/ostfs"
        as() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
        as "$1/ostfs" mount --quiet "$2" "$1/mnt"
        as find "$1/mnt" -type f | wc -l
        ls "$1/mnt" 2>/dev/null | wc -l
        as "$1/ostfs" unmount "$1/mnt"
        as ls "$1/mnt" | wc -l
        setpriv --reuid 65534 --regid 65534 --clear-groups "$1/ostfs" mount -f "$2" "$1/mnt" & server=$!
        until as test -d "$1/mnt/Inbox"; do sleep 0.05; done
        kill -TERM $server; wait $server
        as ls "$1/mnt" | wc -l
    "#;
    let home = TempDir::new().unwrap();
    let store = home.path().join("store.pst");
    fs::copy(&file, &store).unwrap();
    run("chmod", &["755", home.path().to_str().unwrap()]);
    let out = run(
        "unshare",
        &[
            "-m",
            "sh",
            "-c",
            script,
            "sh",
            home.path().to_str().unwrap(),
            store.to_str().unwrap(),
            mounted::OSTFS,
        ],
    );
    let counts: Vec<u32> = out
        .split_whitespace()
        .map(|word| word.parse().unwrap())
        .collect();
    assert!(counts[0] >= 14, "mails seen by the user: {out}");
    assert_eq!(
        counts[1..],
        [0, 0, 0],
        "entries seen by root, after the unmount, and after a signal: {out}"
    );
    drop(directory);
}

#[test]
fn a_long_file_reads_the_same_in_order_at_random_and_by_several_readers() {
    if !can_mount() {
        return;
    }
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    let long = Message::mail("Long").attachment("long.bin", Payload::random(7_654_321, 3));
    store.message(inbox, long);
    let (_directory, file) = written(&store);
    let (_target, exported) = export(&file, &[]);
    let mount = Mount::new(&file, &[]);
    let names = picture(&exported).into_keys();
    let names: Vec<PathBuf> = names.filter(|name| exported.join(name).is_file()).collect();
    assert!(names.len() >= 2, "{names:?}");
    std::thread::scope(|scope| {
        for name in &names {
            let expected = fs::read(exported.join(name)).unwrap();
            let path = mount.path.join(name);
            for reader in 0..3 {
                let (expected, path) = (expected.clone(), path.clone());
                scope.spawn(move || {
                    let file = fs::File::open(&path).unwrap();
                    let mut random = Prng(reader);
                    for _ in 0..40 * reader {
                        let start = random.below(expected.len() as u64) as usize;
                        let end = (start + random.below(300_000) as usize).min(expected.len());
                        let mut bytes = vec![0; end - start];
                        file.read_exact_at(&mut bytes, start as u64).unwrap();
                        assert!(bytes == expected[start..end], "{start}..{end}");
                    }
                    assert!(fs::read(&path).unwrap() == expected, "{}", path.display());
                });
            }
        }
    });
}

#[test]
fn sizes_worked_out_ahead_are_those_of_the_files() {
    if !can_mount() {
        return;
    }
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    for number in 0..1_500 {
        let text = "All work and no play. ".repeat(number % 97);
        store.message(
            inbox,
            Message::mail(&format!("Number {number}")).body(&text),
        );
    }
    let (_directory, file) = written(&store);
    let (_target, exported) = export(&file, &[]);
    let expected = picture(&exported);
    // One reader lists with attributes; one asks for each by name, and reads it.
    for by_name in [false, true] {
        let mount = Mount::new(&file, &[]);
        let listed: Vec<PathBuf> = if by_name {
            expected.keys().cloned().collect()
        } else {
            let entries = fs::read_dir(mount.path.join("Inbox")).unwrap();
            entries
                .map(|entry| Path::new("Inbox").join(entry.unwrap().file_name()))
                .collect()
        };
        for path in listed {
            let size = mount.path.join(&path).symlink_metadata().unwrap().len();
            let wanted = &expected[&path];
            if wanted.kind == 'f' {
                assert_eq!(size, wanted.size, "{}", path.display());
            }
        }
        assert_eq!(picture(&mount.path), expected);
    }
}
