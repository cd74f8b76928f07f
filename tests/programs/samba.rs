//! A mount served by Samba, as smbclient(1) gets it: all files with the same bytes, and what users see where the mount does
//! not let Samba in.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use crate::mounted::{Mount, can_mount, hash, picture, run, wait_until};
use crate::needs;
use crate::support::sample::sample;
use crate::support::{Crypt, Format};
use tempfile::TempDir;

/// smbd(8) with all its files in a folder of its own, as it runs for everyone: requests as the user who asks. Ended when
/// dropped.
struct Samba {
    folder: TempDir,
    port: u16,
    process: Child,
}

impl Samba {
    /// Serves the directory `mail` under that name to guests, who are the user "nobody".
    fn start(mail: &Path) -> Samba {
        let folder = open_folder();
        let here = folder.path().display();
        let port = free_port();
        let configuration = format!(
            "[global]
             server role = standalone server
             interfaces = lo
             bind interfaces only = yes
             smb ports = {port}
             pid directory = {here}
             lock directory = {here}
             state directory = {here}
             cache directory = {here}
             private dir = {here}
             ncalrpc dir = {here}/ncalrpc
             map to guest = Bad User
             disable spoolss = yes
             load printers = no
             [mail]
             path = {}
             read only = yes
             guest ok = yes\n",
            mail.display()
        );
        fs::write(folder.path().join("smb.conf"), configuration).unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let process = Command::new("smbd")
            .args(["--foreground", "--debug-stdout", "--debuglevel=1"])
            .arg(format!("--configfile={here}/smb.conf"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("smbd (package samba)");
        let samba = Samba {
            folder,
            port,
            process,
        };
        wait_until("smbd listens", || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
        });
        samba
    }

    /// Commands of smbclient(1), as a guest.
    fn client(&self, commands: &str) -> Output {
        Command::new("smbclient")
            .arg(format!("--configfile={}/smb.conf", self.path().display()))
            .args(["--port", &self.port.to_string()])
            .args(["--no-pass", "--user=guest%", "//127.0.0.1/mail"])
            .args(["--command", commands])
            .env("LC_ALL", "C.UTF-8")
            .current_dir(self.path())
            .output()
            .expect("smbclient")
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Samba {
    fn drop(&mut self) {
        // It has made a group of its own, with a process for each connection.
        let group = format!("-{}", self.process.id());
        Command::new("kill")
            .args(["-TERM", "--", &group])
            .status()
            .ok();
        self.process.wait().ok();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// A folder that others may enter: smbd takes no other for its state.
fn open_folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    folder
}

/// The sample.
fn scene() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("store.pst");
    sample(Format::Unicode, Crypt::Permute)
        .write(&file)
        .unwrap();
    (folder, file)
}

fn can_serve() -> bool {
    let is_root = run("id", &["-u"]) == "0\n";
    if !is_root {
        needs::ignored("only root can serve as any user");
    }
    is_root && can_mount()
}

/// Size and hash of every file, by path.
fn contents(top: &Path) -> BTreeMap<PathBuf, (u64, String)> {
    let files = picture(top)
        .into_iter()
        .filter(|(_, entry)| entry.kind == 'f');
    files
        .map(|(path, entry)| (path, (entry.size, entry.content)))
        .collect()
}

#[test]
fn samba_serves_every_file_with_its_bytes_names_and_times() {
    if !can_serve() {
        return;
    }
    let (_folder, file) = scene();
    let mount = Mount::new(&file, &["-o", "allow_other"]);
    let samba = Samba::start(&mount.path);
    let listed = samba.client("ls");
    let listed = String::from_utf8(listed.stdout).unwrap();
    for name in fs::read_dir(&mount.path).unwrap() {
        let name = name.unwrap().file_name().into_string().unwrap();
        assert!(listed.contains(&format!("  {name} ")), "{name}: {listed}");
    }

    let message = "Inbox/2024-05-01 0932 Quarterly numbers.eml";
    let got = samba.client(&format!(
        r#"get "{}" message.eml"#,
        message.replace('/', "\\")
    ));
    assert!(got.status.success(), "{got:?}");
    assert_eq!(
        hash(&samba.path().join("message.eml")),
        hash(&mount.path.join(message))
    );

    // A folder with all below it, and everything.
    fs::create_dir(samba.path().join("inbox")).unwrap();
    let got = samba.client("recurse on; prompt off; lcd inbox; cd Inbox; mget *");
    assert!(got.status.success(), "{got:?}");
    let inbox = contents(&mount.path.join("Inbox"));
    assert!(inbox.len() > 5);
    assert_eq!(contents(&samba.path().join("inbox")), inbox);
    let got = samba.client("tar c all.tar");
    assert!(got.status.success(), "{got:?}");
    let all = samba.path().join("all");
    fs::create_dir(&all).unwrap();
    let archive = samba.path().join("all.tar");
    run(
        "tar",
        &[
            "-xf",
            archive.to_str().unwrap(),
            "-C",
            all.to_str().unwrap(),
        ],
    );
    assert_eq!(contents(&all), contents(&mount.path));
    // tar(5) has whole seconds.
    let times = |top: &Path| -> Vec<i64> {
        let files = picture(top).into_values().filter(|entry| entry.kind == 'f');
        files.map(|entry| entry.modified.0).collect()
    };
    assert_eq!(times(&all), times(&mount.path));
}

#[test]
fn a_mount_for_its_user_alone_is_an_empty_share_that_says_why() {
    if !can_serve() {
        return;
    }
    let (_folder, file) = scene();
    let mount = Mount::new(&file, &[]);
    let samba = Samba::start(&mount.path);
    let refused = samba.client("ls");
    // What README.md says that users see, and administrators.
    assert_eq!(refused.status.code(), Some(1));
    let seen = String::from_utf8(refused.stdout).unwrap();
    assert!(seen.contains("NT_STATUS_ACCESS_DENIED listing"), "{seen}");
    let log = fs::read_to_string(samba.path().join("log")).unwrap();
    let line = format!(
        "vfs_ChDir({}) failed: Permission denied",
        mount.path.display()
    );
    assert!(log.contains(&line), "{log}");
}
