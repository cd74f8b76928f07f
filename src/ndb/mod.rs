//! Node database layer: header, pages, the two B-trees, blocks, nodes. [MS-PST] 2.2
//!
//! Uses nothing of the crate but `bytes`, `cache`, `error`, `page_cache` and `problem`. Reads lazily with positioned reads; what
//! was read is kept decoded in two LRU caches bounded in bytes, and no lock is held while reading or decoding.
//!
//! From the bottom up: `ids`, `page_type`, `format`, `crc`, `crypt`, `inflate`, `pieces`; `source`; what stands at one place of the
//! file: `header`, `page_sizes`, `page`, `amap`, `trailer`, `block`; `finds`, `watch` and the scan itself (`scan/on_demand` and what it uses);
//! `stand_ins`, `lost_lists`, `declared`, `cuts`; `in_hand`; `database`, `uncounted`, and `btree` and `lookup`, which add to the database what is looked up; `xblock`, `run`,
//! `data_tree`, `subnodes`, `plan`, `repeats`, `node`; `open`, and of `scan/` what it asks an opened file (`samples`, `shift`).
//! No file uses one above it.
#![forbid(unsafe_code)]

pub(crate) mod amap;
mod block;
mod btree;
pub mod crc;
pub mod crypt;
mod cuts;
mod data_tree;
mod database;
mod declared;
pub mod finds;
pub mod format;
pub mod header;
mod ids;
mod in_hand;
mod inflate;
pub(crate) mod kept;
mod lookup;
mod lost_lists;
mod lost_sectors;
mod node;
pub(crate) mod open;
mod other_files;
pub mod page;
mod page_sizes;
mod page_type;
pub mod pieces;
mod plan;
mod repeats;
mod run;
pub(crate) mod scan;
mod source;
mod stand_ins;
mod subnodes;
mod trailer;
mod uncounted;
mod watch;
mod xblock;

pub use block::{Block, Flaw, read_block};
pub use data_tree::DataTree;
pub use database::{Damaged, FindLists, NodeDatabase, ReadDeclared};
pub use finds::FoundBlock;
pub use header::Header;
pub use ids::{BlockId, BlockRef, NodeId, NodeType};
pub use lost_lists::{LostLists, Rest, SubnodeEntry};
pub use node::Node;
pub use open::{Recover, is_data_file, open, open_source, open_with};
pub use page::{BlockEntry, NodeEntry};
pub use page_type::PageType;
pub use plan::{Depth, read_ahead, read_all_ahead, read_folders_ahead};
pub use source::{Gaps, Source, at_best, partly, whole};
pub use subnodes::{SubnodeList, children, subnode_list};
pub use watch::Watch;
