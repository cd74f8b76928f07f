//! Mail programs of others that read what an export writes: mutt and notmuch.

use std::fs;
use std::path::{Path, PathBuf};

use crate::programs::{command, in_terminal, installed, output};
use tempfile::TempDir;

/// Messages as the inbox of somebody who reads them with these programs.
pub(super) struct Inbox {
    home: TempDir,
}

impl Inbox {
    /// Of `files`, in their order; None where one of the programs is missing.
    pub(super) fn of(files: &[PathBuf]) -> Option<Self> {
        if !installed(&["mutt", "script", "notmuch"]) {
            return None;
        }
        let home = TempDir::new().unwrap();
        let maildir = home.path().join("maildir");
        for folder in ["cur", "new", "tmp"] {
            fs::create_dir_all(maildir.join(folder)).unwrap();
        }
        for (number, file) in files.iter().enumerate() {
            fs::copy(file, maildir.join(format!("cur/{number:06}:2,S"))).unwrap();
        }
        let config = format!(
            "[database]\npath={}\n[user]\nprimary_email=a@b.example\n",
            maildir.display()
        );
        fs::write(home.path().join("notmuch-config"), config).unwrap();
        Some(Self { home })
    }

    /// Runs mutt with these lines of configuration, in which it has to end by itself. What a line calls `shown` is a file
    /// in its home; what is in that in the end is returned.
    pub(super) fn mutt(&self, configuration: &str) -> Vec<u8> {
        let home = self.home.path();
        let quiet = "set folder=. charset=utf-8 mark_old=no wait_key=no prompt_after=no sort=mailbox-order\n";
        fs::write(home.join("muttrc"), format!("{quiet}{configuration}\n")).unwrap();
        in_terminal("mutt -n -R -F muttrc -f maildir", home);
        fs::read(home.join("shown")).unwrap()
    }

    /// All messages as notmuch shows them in JSON.
    pub(super) fn notmuch(&self) -> serde_json::Value {
        let run = |arguments: &[&str]| output(command("notmuch", self.home.path()).args(arguments));
        run(&["new", "--quiet"]);
        serde_json::from_str(&run(&[
            "show",
            "--format=json",
            "--entire-thread=true",
            "*",
        ]))
        .unwrap()
    }
}

/// Every object in `value` that has a field `name`, in the order of the text.
pub(super) fn objects_with<'a>(
    value: &'a serde_json::Value,
    name: &str,
) -> Vec<&'a serde_json::Map<String, serde_json::Value>> {
    let mut found = Vec::new();
    let mut todo = vec![value];
    while let Some(value) = todo.pop() {
        match value {
            serde_json::Value::Array(values) => todo.extend(values.iter().rev()),
            serde_json::Value::Object(fields) => {
                found.extend(fields.contains_key(name).then_some(fields));
                todo.extend(fields.values().rev());
            }
            _ => {}
        }
    }
    found
}

/// The files in `folder` whose names end with `.eml`, in the order of these.
pub(super) fn mails(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .collect();
    paths.sort();
    paths
}
