//! The named property map: its three streams as they may come.

use std::collections::HashSet;
use std::sync::Arc;

use ostfs::messaging::{NamedProperties, PropertyName, Store as Opened};
use ostfs::ndb::{Node, NodeDatabase, NodeId};

use super::image::Image;
use super::scratch::Scratch;
use crate::support::ltp::{SubNodes, property_context};
use crate::support::ndb::Ndb;
use crate::support::value::Text;
use crate::support::{Options, Props, Value};

/// NID_NAME_TO_ID_MAP.
const MAP: u32 = 0x61;
/// Kinds of records are the streams of GUIDs, entries and strings.
const STREAMS: [u16; 3] = [2, 3, 4];

pub fn run(data: &[u8]) {
    let image = Image::parse(data);
    let scratch = Scratch::new();
    let mut options = Options::new(image.format(), image.crypt());
    options.round_up = false;
    let mut ndb = Ndb::create(&scratch.path, options).expect("created");
    let mut props = Props::new();
    props.insert(1, 251.into());
    for record in &image.records {
        let stream = STREAMS[usize::from(record.kind) % STREAMS.len()];
        props.insert(stream, Value::Raw(0x0102, record.payload.clone()));
    }
    let text = Text {
        wide: ndb.geo.wide,
        code_page: 1252,
    };
    let (data, sub) =
        property_context(&mut ndb, &props, text, SubNodes::default()).expect("written");
    ndb.node(MAP, data, sub, 0);
    ndb.finish().expect("finished");
    let ndb = NodeDatabase::open(&scratch.path, 1 << 20).expect("it opens");
    let ndb = Arc::new(ndb);
    let node = Node::open(&ndb, NodeId(MAP)).expect("it is there");
    let map = NamedProperties::read(node).expect("its streams are whole");
    let entries = props
        .get(&STREAMS[1])
        .map_or(Vec::new(), |value| match value {
            Value::Raw(_, bytes) => bytes.clone(),
            _ => Vec::new(),
        });
    let mut named = HashSet::new();
    for entry in entries.chunks_exact(8) {
        let id = u16::from_le_bytes([entry[6], entry[7]]).wrapping_add(0x8000);
        let Some((set, name)) = map.name(id) else {
            continue;
        };
        named.insert(id);
        let back = match name {
            PropertyName::Id(lid) => map.id(*set, *lid),
            PropertyName::String(name) => map.id_of_string(*set, name),
        };
        let back = back.expect("a name leads to a property");
        assert_eq!(
            map.name(back),
            Some(&(*set, name.clone())),
            "of the same name"
        );
    }
    assert_eq!(named.len(), map.len(), "no property without an entry");
    assert!(named.iter().all(|id| *id >= 0x8000));
    let ndb = NodeDatabase::open(&scratch.path, 1 << 20).expect("it opens");
    _ = Opened::open(ndb).named_properties();
}
