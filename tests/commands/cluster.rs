//! The recipes of docs/RECIPES.md: many files by GNU parallel and by Dask, with a broken and a hostile one among them, and all
//! records in one table by DuckDB.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::mounted::OSTFS;
use crate::programs::installed;
use crate::python;
use crate::support::*;

/// Versions are pinned so that a verdict can be repeated.
const PACKAGES: [&str; 2] = ["duckdb==2.0.1", "distributed==2026.8.0"];
/// Lines of `files.txt`, in its order, and how `index-one` ends for each.
const FILES: [(&str, i32); 5] = [
    ("share/a.pst", 0),
    ("share/b.pst", 0),
    ("share/broken.pst", 3),
    ("share/hostile.pst", 4),
    ("share/it's = one file.pst", 0),
];
/// Messages that the hostile one has within each other, each twice.
const LEVELS: usize = 8;

struct Share(TempDir);

fn mail(subject: &str) -> Message {
    Message::mail(subject).body(subject)
}

impl Share {
    fn new() -> Self {
        let share = Self(tempfile::tempdir().unwrap());
        fs::create_dir(share.path("share")).unwrap();
        let write = |name: &str, folder: &str, messages: Vec<Message>| {
            let mut store = Store::new(Format::Unicode, Crypt::Permute);
            let folder = store.folder(store.ipm_subtree(), folder);
            for message in messages {
                store.message(folder, message);
            }
            store.write(share.path(name)).unwrap();
        };
        let [a, b, broken, hostile, odd] = FILES.map(|(name, _)| name);
        write(a, "Inbox", vec![mail("Plan"), mail("Lunch"), mail("Lunch")]);
        write(b, "Old", vec![mail("Other"), mail("Lunch").unread()]);
        write(odd, "Inbox", vec![mail("Odd")]);
        fs::write(share.path(broken), "no data file").unwrap();
        // Text that goes on as long as one likes, in a file that was cut.
        let mut inner = mail("Bomb");
        for _ in 0..LEVELS {
            inner = mail("Bomb").embed(inner.clone()).embed(inner);
        }
        write(hostile, "Inbox", vec![inner]);
        let cut = fs::read(share.path(hostile)).unwrap();
        fs::write(share.path(hostile), &cut[..cut.len() / 2]).unwrap();
        let names = FILES.map(|(name, _)| format!("{name}\n"));
        fs::write(share.path("files.txt"), names.concat()).unwrap();
        share
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A line for the shell, with our programs and `python` in front of all others; what it prints, and its exit code.
    fn shell(&self, line: &str, python: Option<&Path>) -> (String, i32) {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/cluster");
        let mut places = vec![own, Path::new(OSTFS).parent().unwrap().to_path_buf()];
        places.extend(python.and_then(Path::parent).map(Path::to_path_buf));
        let others = std::env::var_os("PATH").unwrap_or_default();
        places.extend(std::env::split_paths(&others));
        let mut shell = crate::programs::command("/bin/sh", self.0.path());
        let shell = shell.args(["-c", line]).env("SHELL", "/bin/sh");
        let shell = shell.env("PATH", std::env::join_paths(places).unwrap());
        let output = shell.stdin(std::process::Stdio::null()).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let code = output.status.code();
        (
            String::from_utf8(output.stdout).unwrap(),
            code.unwrap_or_else(|| panic!("{line}: {errors}")),
        )
    }

    /// Looks at what the runs have left.
    fn judge(&self) {
        for ((name, code), number) in FILES.iter().zip(1..) {
            let line = fs::read_to_string(self.path(&format!("runs/{number}.json"))).unwrap();
            let run: Json = serde_json::from_str(&line).unwrap();
            assert_eq!(run["exit"], *code, "{line}");
            assert_eq!(run["sources"][0]["path"], *name, "{line}");
            let records = self.path(&format!("index/{number}.jsonl"));
            assert_eq!(records.exists(), *code != 3, "{name}");
        }
        assert_eq!(fs::read_dir(self.path("index")).unwrap().count(), 4);
    }

    /// Whatever the index has, by name.
    fn index(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let files = fs::read_dir(self.path("index")).unwrap();
        let paths: BTreeSet<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        let read = |path: PathBuf| (path.clone(), fs::read(path).unwrap());
        paths.into_iter().map(read).collect()
    }
}

const PARALLEL: &str =
    "seq \"$(wc -l <files.txt)\" | parallel --joblog jobs.tsv index-one 2>errors.txt";

#[test]
fn parallel_indexes_a_share_and_one_bad_file_costs_itself() {
    if !installed(&["parallel"]) {
        return;
    }
    let share = Share::new();
    // As parallel ends: the number of jobs that failed.
    assert_eq!(share.shell(PARALLEL, None).1, 2);
    share.judge();
    let before = share.index();
    // Again after a crash that has taken one: the same.
    fs::remove_file(share.path("index/2.jsonl")).unwrap();
    fs::write(share.path("index/2.part"), "half").unwrap();
    share.shell(PARALLEL, None);
    assert!(share.index() == before);
    let search = "parallel --tag ostfs search {} lunch :::: files.txt 2>errors.txt | sort";
    let (found, _) = share.shell(search, None);
    assert_eq!(
        found,
        "share/a.pst\tInbox/2024-05-01 0932 Lunch ~200064.eml\n\
         share/a.pst\tInbox/2024-05-01 0932 Lunch.eml\n\
         share/b.pst\tOld/2024-05-01 0932 Lunch.eml\n"
    );
}

#[test]
fn dask_does_the_same_and_duckdb_makes_one_table_of_all() {
    let Some(python) = python::with("cluster", &PACKAGES) else {
        return;
    };
    let share = Share::new();
    let (said, code) = share.shell("dask-index", Some(&python));
    assert_eq!(
        said,
        "share/broken.pst: exit code 3\nshare/hostile.pst: exit code 4\n"
    );
    assert_eq!(code, 4);
    share.judge();
    let (table, code) = share.shell("run-sql parquet.sql", Some(&python));
    assert_eq!(code, 0);
    let counts: Vec<&str> = table.lines().skip(1).collect();
    assert!(counts[0].starts_with("share/a.pst,3,"), "{table}");
    assert!(counts[1].starts_with("share/b.pst,2,"), "{table}");
    // Of the cut one nothing is left but the record of its problems.
    assert_eq!(counts.len(), 3, "{table}");
    assert!(
        counts[2].starts_with("share/it's = one file.pst,1,"),
        "{table}"
    );
    assert!(share.path("mail.parquet").exists());
    let (duplicates, code) = share.shell("run-sql duplicates.sql", Some(&python));
    assert_eq!(code, 0);
    assert_eq!(
        duplicates,
        "copies,subject,places\n\
         3,Lunch,\"['share/a.pst: Inbox/2024-05-01 0932 Lunch ~200064.eml', \
         'share/a.pst: Inbox/2024-05-01 0932 Lunch.eml', 'share/b.pst: Old/2024-05-01 0932 Lunch.eml']\"\n"
    );
}

/// Nobody has run them, but they are no nonsense either.
#[test]
fn jobs_for_others_are_well_formed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/cluster");
    for script in ["slurm.sh", "index-one"] {
        let mut shell = Command::new("sh");
        let checked = shell.arg("-n").arg(folder.join(script)).status().unwrap();
        assert!(checked.success(), "{script}");
    }
}
