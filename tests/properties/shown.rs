//! Everything that a tree shows: by path, what it is, and what is in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use ostfs::tree::{Ino, Kind, Layout, Options, Tree};

use crate::walk::read;

/// A file, a link or a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub kind: Kind,
    pub ino: Ino,
    pub size: u64,
    pub modified: SystemTime,
    /// The bytes, where a link leads, or the names in a directory in their order, each with a NUL behind it. Nothing, and of
    /// no size, for what may change between two reads (`problems.txt`).
    pub content: Vec<u8>,
}

pub type Picture = BTreeMap<String, Shown>;

/// The directory that is there and not listed.
pub const CONTROL: &str = ".ostfs";

/// What is at `ino`.
pub fn shown(tree: &Tree, ino: Ino) -> Shown {
    let attr = tree.attr(ino).unwrap();
    let content = match attr.kind {
        Kind::Directory => names(tree, ino),
        Kind::Symlink => tree.read_link(ino).unwrap().into_bytes(),
        Kind::File if attr.changing => Vec::new(),
        Kind::File => read(tree, ino).unwrap(),
    };
    Shown {
        kind: attr.kind,
        ino: attr.ino,
        size: if attr.changing { 0 } else { attr.size },
        modified: attr.mtime,
        content,
    }
}

fn names(tree: &Tree, directory: Ino) -> Vec<u8> {
    let listing = tree.directory(directory).unwrap();
    let names = listing
        .entries()
        .flat_map(|entry| [entry.name, "\0".into()]);
    names.collect::<String>().into_bytes()
}

/// All of `tree`, what is not listed too. The root has no path.
pub fn picture(tree: &Tree) -> Picture {
    let control = tree.lookup(Ino::ROOT, CONTROL.as_ref()).unwrap().unwrap();
    let mut picture = Picture::new();
    let mut todo = vec![(String::new(), Ino::ROOT), (CONTROL.to_owned(), control)];
    while let Some((path, ino)) = todo.pop() {
        let found = shown(tree, ino);
        if found.kind == Kind::Directory {
            for entry in tree.directory(ino).unwrap().entries() {
                todo.push((below(&path, &entry.name), entry.ino));
            }
        }
        assert!(
            picture.insert(path.clone(), found).is_none(),
            "twice: {path:?}"
        );
    }
    picture
}

/// The path of `name` in the directory at `path`.
fn below(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path}/{name}"),
    }
}

/// What is at `path`, which is there, found a name at a time.
pub fn at(tree: &Tree, path: &str) -> Ino {
    let names = path.split('/').filter(|name| !name.is_empty());
    names.fold(Ino::ROOT, |directory, name| {
        let found = tree.lookup(directory, name.as_ref()).unwrap();
        found.unwrap_or_else(|| panic!("{name:?} of {path:?} is not there"))
    })
}

/// Ways to show a file that leave nothing out: as it is by default, everything, and as a Maildir.
pub fn ways() -> [Options; 3] {
    let default = Options::default();
    let all = Options {
        all: true,
        text: true,
        deleted: true,
        ..default.clone()
    };
    let maildir = Options {
        layout: Layout::Maildir,
        ..default.clone()
    };
    [default, all, maildir]
}

pub fn open(path: &Path, options: &Options) -> Tree {
    Tree::open(path, options).unwrap()
}
