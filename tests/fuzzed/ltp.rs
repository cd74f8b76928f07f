//! Heaps, BTHs, property contexts and table contexts of every node.

use std::sync::Arc;

use ostfs::ltp::{Heap, PropertyContext, TableContext, Value};
use ostfs::ndb::{Node, NodeDatabase, NodeId};

use super::image::Image;
use super::store;

const CACHE: u64 = 1 << 20;
const MOST_NODES: usize = 200;
const MOST_ROWS: usize = 50;

pub fn run(data: &[u8]) {
    let image = Image::parse(data);
    let scratch = store::write(&image);
    let ndb = NodeDatabase::open(&scratch.path, CACHE).expect("whatever is in it, the file opens");
    let ndb = Arc::new(ndb);
    let nids: Vec<NodeId> = ndb
        .nodes()
        .take(MOST_NODES)
        .flatten()
        .map(|node| node.nid)
        .collect();
    for nid in nids {
        let Ok(node) = Node::open(&ndb, nid) else {
            continue;
        };
        read(&node);
        for subnode in node.subnodes().unwrap_or_default().iter().take(20) {
            read(subnode);
        }
    }
}

fn read(node: &Node) {
    let Ok(heap) = Heap::open(node.clone()) else {
        return;
    };
    heap.broken_maps().for_each(drop);
    if let Ok(context) = PropertyContext::open(node.clone()) {
        properties(&context);
    }
    if let Ok(table) = TableContext::of_heap(heap) {
        rows(&table);
    }
}

fn properties(context: &PropertyContext) {
    let records = context.records();
    assert!(records.is_sorted_by(|a, b| a.id < b.id), "each id once");
    for record in records {
        assert_eq!(context.record(record.id), Some(record));
        let value = context.value(record);
        _ = context.value_if_object(record);
        if let Ok(value) = value {
            let again = context.get(record.id).expect("the same");
            assert!(
                are_same(again.as_slice(), value.as_slice()),
                "{again:?}, not {value:?}"
            );
        }
        let Ok(Some(stream)) = context.stream(record.id) else {
            continue;
        };
        if let Ok(read) = stream.read_all(1 << 16) {
            let bytes = read.bytes;
            assert_eq!(bytes.len() as u64, stream.len().min(1 << 16));
            let half = stream.len() / 2;
            let mut rest = vec![0; 1 << 16];
            if let Ok(count) = stream.read_at(half, &mut rest) {
                assert_eq!(count as u64, (stream.len() - half).min(1 << 16));
                let both = bytes.get(half as usize..).unwrap_or_default();
                let both = both.len().min(count);
                assert_eq!(
                    bytes.get(half as usize..).unwrap_or_default()[..both],
                    rest[..both]
                );
            }
        }
    }
}

/// Whether both stand for the same bytes. Of floating-point numbers that are none, `==` says that they differ.
fn are_same(ones: &[Value], others: &[Value]) -> bool {
    let is_same = |(one, other): (&Value, &Value)| match (one, other) {
        (Value::Floating(one), Value::Floating(other)) => one.to_bits() == other.to_bits(),
        (Value::Multiple(ones), Value::Multiple(others)) => are_same(ones, others),
        _ => one == other,
    };
    ones.len() == others.len() && ones.iter().zip(others).all(is_same)
}

fn rows(table: &TableContext) {
    for (id, number) in table.row_index().into_iter().take(MOST_ROWS) {
        let Ok(row) = table.row(id, number) else {
            continue;
        };
        assert_eq!(row.id, id);
        for column in table.columns() {
            let value = row.get(column.id);
            if !row.has_cells() {
                assert_eq!(value.expect("no cells, no error"), None);
            }
        }
    }
}
