//! What each layer costs: a page, a block, a heap, a table, the size of a message and its bytes. `cargo bench`
//!
//! On a generated file of 1,000 messages, in the page cache; those named `cold` open it anew, so that the caches of
//! ostfs are empty.

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ostfs::ltp::Heap;
use ostfs::messaging::{Folder, Message, Store};
use ostfs::ndb::{BlockId, Node, NodeDatabase, NodeId, NodeType, read_block};
use ostfs::tree::{Attachments, Ino, Kind, Options as TreeOptions, Tree};
use support::realistic::Mailbox;
use support::{Crypt, Format, Options, Writer};

const MESSAGES: u64 = 1_000;

fn store_file(directory: &Path) -> PathBuf {
    let path = directory.join("bench.pst");
    let mailbox = Mailbox {
        folders: 1,
        ..Mailbox::new(MESSAGES)
    };
    let mut writer = Writer::create(&path, Options::new(Format::Unicode, Crypt::Permute)).unwrap();
    let nids = mailbox.make_folders(&mut writer);
    for (folder, message) in mailbox.mails() {
        writer.message(nids[folder], &message).unwrap();
    }
    writer.finish().unwrap();
    path
}

fn open(path: &Path) -> Arc<NodeDatabase> {
    Arc::new(NodeDatabase::open(path, TreeOptions::DEFAULT_CACHE).unwrap())
}

fn tree(path: &Path) -> Tree {
    let options = TreeOptions {
        attachments: Attachments::Eml,
        ..TreeOptions::default()
    };
    Tree::open(path, &options).unwrap()
}

fn files(tree: &Tree) -> Vec<Ino> {
    let inbox = tree.lookup(Ino::ROOT, "Inbox".as_ref()).unwrap().unwrap();
    let listing = tree.directory(inbox).unwrap();
    let files = listing.entries().filter(|entry| entry.kind == Kind::File);
    files.map(|entry| entry.ino).collect()
}

fn layers(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let path = &store_file(directory.path());
    let ndb = open(path);
    let messages: Vec<NodeId> = ndb
        .nodes()
        .map(|node| node.unwrap().nid)
        .filter(|nid| nid.node_type() == NodeType::NORMAL_MESSAGE)
        .collect();
    let blocks: Vec<_> = ndb
        .blocks()
        .map(Result::unwrap)
        .filter(|entry| entry.stored > 8000)
        .take(256)
        .collect();
    let bids: Vec<BlockId> = blocks.iter().map(|entry| entry.block.bid).collect();
    let (source, format) = (ndb.source(), ndb.header().format);
    let checksums = &ndb.header().checksums;
    let mut next = 0;
    let mut turn = |count: usize| {
        next += 1;
        next % count
    };

    let mut group = criterion.benchmark_group("page");
    group.bench_function("lookup", |bench| {
        bench.iter(|| ndb.find_node(messages[turn(messages.len())]).unwrap());
    });
    group.bench_function("lookup, cold", |bench| {
        bench.iter_batched(
            || open(path),
            |ndb| ndb.find_node(black_box(messages[0])).unwrap(),
            BatchSize::SmallInput,
        );
    });
    group.finish();

    let mut group = criterion.benchmark_group("block");
    group.throughput(Throughput::Bytes(blocks[0].stored.into()));
    group.bench_function("read and check", |bench| {
        bench.iter(|| read_block(source, format, checksums, blocks[turn(blocks.len())]).unwrap());
    });
    group.bench_function("from the cache", |bench| {
        bench.iter(|| ndb.block(bids[turn(bids.len())]).unwrap());
    });
    group.finish();

    criterion.bench_function("heap/open", |bench| {
        bench.iter(|| {
            Heap::open(Node::open(&ndb, messages[turn(messages.len())]).unwrap()).unwrap()
        });
    });

    let store = Arc::new(Store::open(
        NodeDatabase::open(path, TreeOptions::DEFAULT_CACHE).unwrap(),
    ));
    let folders = Folder::new(&store, store.ipm_subtree()).subfolders();
    let rows = |nid| Folder::new(&store, nid).contents().rows().count();
    let mut nids = folders.iter().map(|folder| folder.nid);
    let inbox = nids.find(|nid| rows(*nid) as u64 == MESSAGES).unwrap();
    let mut group = criterion.benchmark_group("table");
    group.throughput(Throughput::Elements(MESSAGES));
    group.bench_function("rows of a folder", |bench| {
        bench.iter(|| rows(inbox));
    });
    group.finish();
    criterion.bench_function("message/open", |bench| {
        bench.iter(|| Message::open(&store, messages[turn(messages.len())]).unwrap());
    });

    let mut group = criterion.benchmark_group("tree");
    group.sample_size(10);
    group.throughput(Throughput::Elements(MESSAGES));
    group.bench_function("sizes, cold", |bench| {
        let sizes = |(tree, files): (Tree, Vec<Ino>)| -> u64 {
            files.iter().map(|ino| tree.attr(*ino).unwrap().size).sum()
        };
        let fresh = || {
            let tree = tree(path);
            let files = files(&tree);
            (tree, files)
        };
        bench.iter_batched(fresh, sizes, BatchSize::PerIteration);
    });
    let tree = tree(path);
    let files = files(&tree);
    let sizes: Vec<u64> = files
        .iter()
        .map(|ino| tree.attr(*ino).unwrap().size)
        .collect();
    let mut buffer = vec![0; 256 << 10];
    group.throughput(Throughput::Bytes(sizes.iter().sum()));
    group.bench_function("renditions read", |bench| {
        bench.iter(|| {
            for (ino, size) in files.iter().zip(&sizes) {
                let mut offset = 0;
                while offset < *size {
                    offset += tree.read_at(*ino, offset, &mut buffer).unwrap() as u64;
                }
            }
        });
    });
    group.finish();
}

criterion_group!(benches, layers);
criterion_main!(benches);
