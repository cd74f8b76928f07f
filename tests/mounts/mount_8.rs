//! mount(8), fstab(5), autofs and systemd, as they are: each in a mount namespace of its own, whose /usr/sbin has ostfs
//! as helper for its filesystem type.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::mounted::{OSTFS, can_mount, run};
use crate::needs;
use crate::support::sample::sample;
use crate::support::{Crypt, Format};
use tempfile::TempDir;

/// Makes `$here/sbin`, which is /usr/sbin with the helper in it, take its place.
const HELPER: &str = r#"
    set -eu
    here=$1 ostfs=$2
    mkdir "$here/sbin" "$here/real" "$here/mnt"
    mount --bind /usr/sbin "$here/real"
    ln -s "$here"/real/* "$here/sbin/"
    ln -sf "$ostfs" "$here/sbin/mount.fuse.ostfs"
    mount --bind "$here/sbin" /usr/sbin
"#;

/// Whether there is a namespace of mounts to be had, in which /sbin is /usr/sbin as on Debian.
fn can_take_over_sbin() -> bool {
    let is_root = run("id", &["-u"]) == "0\n";
    let is_merged = Path::new("/sbin").is_symlink();
    if can_mount() && !(is_root && is_merged) {
        needs::ignored("only root, where /sbin is /usr/sbin, can put a helper there");
    }
    can_mount() && is_root && is_merged
}

/// A folder that others may enter, with the sample as "store.pst" and a copy of the program.
fn scene() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().canonicalize().unwrap();
    let store = sample(Format::Unicode, Crypt::Permute);
    store.write(path.join("store.pst")).unwrap();
    fs::copy(OSTFS, path.join("ostfs")).unwrap();
    run("chmod", &["-R", "a+rX", path.to_str().unwrap()]);
    (folder, path)
}

/// Runs `script` after [`HELPER`], and returns the lines that it printed.
fn in_namespace(here: &Path, script: &str) -> Vec<String> {
    let (place, program) = (here.to_str().unwrap(), here.join("ostfs"));
    let script = format!("{HELPER}{script}");
    let program = program.to_str().unwrap();
    let out = run(
        "unshare",
        &["-m", "sh", "-c", &script, "sh", place, program],
    );
    out.lines().map(str::to_owned).collect()
}

#[test]
fn mount_8_mounts_by_type() {
    if !can_take_over_sbin() {
        return;
    }
    let (_folder, here) = scene();
    let lines = in_namespace(
        &here,
        r#"
        mount -t fuse.ostfs "$here/store.pst" "$here/mnt" -o attachments=eml,umask=022
        findmnt -n -o FSTYPE,SOURCE "$here/mnt"
        findmnt -n -o OPTIONS "$here/mnt"
        ls -d "$here/mnt/Inbox"
        umount "$here/mnt"
        ls "$here/mnt" | wc -l
        mount -t fuse.ostfs "$here/store.pst" "$here/mnt" -o mystery 2>/dev/null || echo "code $?"
        mount -s -t fuse.ostfs "$here/store.pst" "$here/mnt" -o mystery && umount "$here/mnt"
        mount -t fuse.ostfs "$here/gone.pst" "$here/mnt" 2>&1 | grep -o "gone.pst: no such file"
        "#,
    );
    let store = here.join("store.pst").display().to_string();
    assert!(
        lines[0].starts_with("fuse.ostfs") && lines[0].ends_with(&store),
        "{lines:?}"
    );
    assert!(lines[1].starts_with("ro,nosuid,nodev,noexec"), "{lines:?}");
    assert_eq!(lines[3], "0", "unmounted");
    assert_eq!(lines[4], "code 16", "the exit code of ostfs comes through");
    assert_eq!(lines[5], "gone.pst: no such file");
}

#[test]
fn fstab_mounts_all_and_lets_other_users_in_where_it_says_so() {
    if !can_take_over_sbin() {
        return;
    }
    let (_folder, here) = scene();
    let lines = in_namespace(
        &here,
        r#"
        mkdir "$here/a" "$here/b" "$here/c"
        common=ro,nofail,_netdev,x-systemd.automount,x-gvfs-show
        {
            echo "$here/store.pst $here/a fuse.ostfs $common,noauto,allow_root 0 0"
            echo "$here/store.pst $here/b fuse.ostfs $common,allow_other,umask=022 0 0"
            echo "$here/store.pst $here/c fuse.ostfs $common 0 0"
        } >"$here/fstab"
        mount --bind "$here/fstab" /etc/fstab
        mount -a
        for name in a b c; do mountpoint -q "$here/$name" && echo "$name"; done
        mount -a && findmnt -n -t fuse.ostfs -o TARGET | grep -c "^$here/b$"
        as() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
        as cat "$here"/b/Inbox/*numbers.eml | grep -c "^Subject: Quarterly numbers"
        as ls "$here/c" 2>/dev/null || echo "not for others"
        mount "$here/a"
        as ls "$here/a" 2>/dev/null || echo "not for others"
        umount "$here/a" "$here/b" "$here/c"
        "#,
    );
    assert_eq!(
        lines,
        ["b", "c", "1", "1", "not for others", "not for others"]
    );
}

#[test]
fn an_ordinary_user_is_told_of_fuse_conf_when_others_may_not_be_let_in() {
    if !can_take_over_sbin() {
        return;
    }
    let (_folder, here) = scene();
    let lines = in_namespace(
        &here,
        r#"
        mknod "$here/fuse" c 10 229 && chmod 666 "$here/fuse" && mount --bind "$here/fuse" /dev/fuse
        chown nobody "$here" "$here/mnt"
        as() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
        touch "$here/fuse.conf"
        mount --bind "$here/fuse.conf" /etc/fuse.conf
        as "$ostfs" mount "$here/store.pst" "$here/mnt" -o allow_other 2>&1 | grep -o "user_allow_other.*fuse.conf"
        echo user_allow_other >>"$here/fuse.conf"
        as "$ostfs" mount --quiet "$here/store.pst" "$here/mnt" -o allow_root
        ls "$here/mnt" | grep -c Inbox
        as "$ostfs" unmount "$here/mnt"
        as "$ostfs" mount --quiet "$here/store.pst" "$here/new"
        as "$ostfs" unmount "$here/new"
        for i in 1 2 3 4 5 6 7 8 9 10; do [ -d "$here/new" ] || break; sleep 0.5; done
        [ -d "$here/new" ] || echo "gone again"
        "#,
    );
    assert_eq!(
        lines,
        ["user_allow_other\" in /etc/fuse.conf", "1", "gone again"]
    );
}

#[test]
fn autofs_mounts_on_first_use_and_ends_it() {
    if !can_take_over_sbin() {
        return;
    }
    if !Path::new("/dev/autofs").exists() {
        needs::ignored("this kernel has no autofs");
        return;
    }
    let (_folder, here) = scene();
    // In a session of its own: what is in automount's process group walks past its traps.
    let lines = in_namespace(
        &here,
        r#"
        echo "mail -fstype=fuse.ostfs,ro,umask=022 :$here/store.pst" >"$here/auto.mail"
        echo "$here/auto $here/auto.mail --timeout=1" >"$here/auto.master"
        mkdir "$here/auto"
        setsid automount -f -p "$here/pid" "$here/auto.master" >"$here/log" 2>&1 &
        trap 'kill $!; wait' EXIT
        for i in 1 2 3 4 5 6 7 8 9 10; do mountpoint -q "$here/auto" && break; sleep 0.3; done
        ls -d "$here/auto/mail/Inbox" >/dev/null
        findmnt -n -o FSTYPE "$here/auto/mail"
        # To look there would be a use.
        for i in 1 2 3 4 5 6 7 8 9 10; do grep -q "$here/auto/mail" /proc/self/mounts || break; sleep 1; done
        grep -q "$here/auto/mail" /proc/self/mounts || echo expired
        "#,
    );
    assert_eq!(lines, ["fuse.ostfs", "expired"]);
}

#[test]
fn the_units_for_systemd_are_sound() {
    let units = concat!(env!("CARGO_MANIFEST_DIR"), "/contrib/systemd");
    for unit in ["mnt-mail.mount", "mnt-mail.automount"] {
        let path = format!("{units}/{unit}");
        let output = Command::new("systemd-analyze")
            .args(["verify", &path])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success() && !said.contains(unit),
            "{unit}: {said}"
        );
    }
}
