//! `check` as a ScanPST: each of its rules has a file that breaks it, and the finding says where and what.

use std::collections::BTreeSet;

use ostfs::check::Severity;

use crate::mailbox::{File, mail, write, write_with};
use crate::support::format::PTYPE_NBT;
use crate::support::ndb::DataTree;
use crate::support::*;
use crate::walk;

/// Fields of HNHDR and HNPAGEMAP, TCINFO and the header. [MS-PST] 2.3.1.2, 2.3.1.5, 2.3.4.1, 2.2.2.6
const PAGE_MAP: usize = 0;
const USER_ROOT: usize = 4;
const MAP_FREE: usize = 2;
const MAP_OFFSETS: usize = 4;
const END_OF_CELLS: usize = 6;
const UNIQUE: usize = 40;
const RGNID: usize = 44;
const RGB_FM: usize = 256;
/// Type of an attachment's NID.
const ATTACHMENT: usize = 5;
/// The first PMap, and where its `ptype` is.
const PMAP: u64 = 0x4600;
const PTYPE: u64 = 496;
/// The first messages and the first attachment of a file.
pub const FIRST: u32 = 0x20_0024;
pub const SECOND: u32 = 0x20_0044;
const STORE: u32 = 0x21;

fn u16_at(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}

/// A PST with an inbox of two messages, of which one has an attachment.
fn sample(change: impl Fn(&mut Message)) -> (File, u32) {
    let mut inbox = 0;
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        inbox = store.folder(store.ipm_subtree(), "Inbox");
        let mut first = mail("first").attachment("a.txt", b"text".to_vec());
        change(&mut first);
        assert_eq!(store.message(inbox, first), FIRST);
        assert_eq!(store.message(inbox, mail("second")), SECOND);
    });
    (file, inbox)
}

/// What ScanPST would say of `file`, without its words.
pub fn complaints(file: &File) -> BTreeSet<String> {
    let report = walk::check(&file.path).unwrap();
    let said = report.findings.iter().filter(|one| one.scanpst.is_some());
    said.map(|one| format!("{} ({}): {}", one.structure, one.place, one.problem))
        .collect()
}

/// What it says of `broken` and not of a file that is as the test writer makes it, whose sizes are estimates.
fn new_complaints(broken: &File) -> Vec<String> {
    let usual = complaints(&sample(|_| ()).0);
    complaints(broken).difference(&usual).cloned().collect()
}

/// What it says once `damage` has been done to the sample, whose inbox it is given.
fn after(damage: impl FnOnce(&File, &Damage<'_>, u32)) -> Vec<String> {
    let (file, inbox) = sample(|_| ());
    damage(&file, &file.damage(), inbox);
    new_complaints(&file)
}

// Maps and header.

#[test]
fn a_map_page_is_what_is_due_at_its_place() {
    let said = after(|_, damage, _| damage.zero(PMAP + PTYPE, 1));
    assert_eq!(
        said,
        ["PMap (offset 0x4600): ptype: expected 0x83, found 0x0"]
    );
}

#[test]
fn the_fmap_of_the_header_is_filled_up() {
    let said = after(|_, damage, _| damage.edit_header(|header| header[RGB_FM + 1] = 7));
    assert_eq!(
        said,
        ["FMap (rgbFM of the header): byte 1: expected 0xff, found 0x7"]
    );
}

#[test]
fn attachments_count_for_the_highest_index() {
    let said = after(|_, damage, _| {
        damage.edit_header(|header| {
            header[RGNID + 4 * ATTACHMENT..][..4].copy_from_slice(&0x400u32.to_le_bytes());
        });
    });
    assert_eq!(
        said,
        [
            "HEADER (rgnid): rgnid[0x5]: expected at least 0x401, as node 0x200024 has the subnode node 0x8025, found 0x400"
        ]
    );
}

// Nodes.

#[test]
fn every_fixed_node_is_there() {
    let said = after(|_, damage, _| damage.drop_node(0x6B6));
    assert_eq!(
        said,
        ["NBT (node 0x6b6): expected the template of change tables, found no entry"]
    );
}

#[test]
fn mail_without_a_class_has_a_folder_to_go_to() {
    let said = after(|file, damage, _| {
        damage.edit_block(file.layout.node(0x62B).data, |heap| {
            // The row's empty class and its folder; now the class is the first item of the heap.
            let at = heap
                .windows(8)
                .position(|row| row == [0, 0, 0, 0, 0x22, 1, 0, 0]);
            heap[at.unwrap()] = 0x20;
        });
    });
    assert_eq!(
        said,
        [
            "receive folder table (node 0x62b): PidTagMessageClass: expected a row for the default, found none"
        ]
    );
}

#[test]
fn the_list_of_active_search_folders_has_each() {
    let mut search = 0;
    let file = write(Format::Unicode, Crypt::Permute, |store| {
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let found = store.message(inbox, mail("found"));
        search = store.search_folder("Search", &[found]);
    });
    let before = complaints(&file);
    // Some block of numbers that are no search folder.
    let other = file.layout.node(STORE).data;
    file.damage().set_node(0x201, other, 0, 0);
    let said: Vec<_> = complaints(&file).difference(&before).cloned().collect();
    let line = format!(
        "search activity list (node 0x201): expected an entry for node {search:#x}, found none"
    );
    assert_eq!(said, [line]);
}

#[test]
fn a_folder_has_its_counts() {
    let said = after(|file, damage, inbox| {
        damage.edit_block(file.layout.node(inbox).data, |heap| {
            let at = heap.windows(4).position(|record| record == [3, 0x36, 3, 0]);
            heap[at.unwrap()] = 4;
        });
    });
    // The row in the table of its parent still has it.
    assert_eq!(
        said,
        [
            "TC (node 0x802d, row 0x80a2): cell 0x3603: expected none, as the object, found one",
            "folder (node 0x80a2): PidTagContentUnreadCount: expected a value, found none",
        ]
    );
}

// Heaps.

/// Changes the page map of the heap of the message store, whose last record may be lost.
fn store_map(edit: impl FnOnce(&mut [u8], usize)) -> Vec<String> {
    after(|file, damage, _| {
        damage.edit_block(file.layout.node(STORE).data, |heap| {
            let map = u16_at(heap, PAGE_MAP);
            edit(heap, map);
        });
    })
}

#[test]
fn the_page_map_of_a_heap_follows_its_items() {
    let said = store_map(|heap, map| {
        let last = map + MAP_OFFSETS + 2 * u16_at(heap, map);
        let end = u16_at(heap, last) as u16 - 8;
        heap[last..][..2].copy_from_slice(&end.to_le_bytes());
    });
    let [line] = said.as_slice() else {
        panic!("{said:?}")
    };
    let place = "HN (node 0x21, block 0): ibHnpm: expected at most 1 byte behind the last item";
    assert!(line.starts_with(place), "{line}");
}

#[test]
fn a_page_map_counts_the_items_without_bytes() {
    let said = store_map(|heap, map| heap[map + MAP_FREE] = 3);
    assert_eq!(
        said,
        ["HN (node 0x21, block 0): cFree: expected 0, found 3"]
    );
}

#[test]
fn a_value_of_the_name_map_that_nothing_leads_to_is_more_than_a_complaint() {
    let (file, _) = sample(|_| ());
    file.damage()
        .edit_block(file.layout.node(0x61).data, |heap| {
            // The first hash bucket, a PtypBinary.
            let at = heap.windows(3).position(|record| record == [0x10, 2, 1]);
            heap[at.unwrap() + 3..][..4].fill(0);
        });
    assert!(walk::check(&file.path).unwrap().errors > 0);
    assert_eq!(new_complaints(&file), [""; 0]);
}

// Tables.

#[test]
fn a_contents_table_has_the_columns_of_its_template() {
    let said = after(|file, damage, inbox| {
        let table = file.layout.node(contents_table(inbox)).data;
        damage.edit_block(table, |heap| {
            // PidTagMessageToMe, a PtypBoolean.
            let at = heap
                .windows(4)
                .position(|column| column == [0x0B, 0, 0x57, 0]);
            heap[at.unwrap() + 2] = 0x56;
        });
    });
    let line = format!(
        "TCINFO (node {:#x}): column 0x0057: expected type 0x000b, found none",
        contents_table(inbox_of_sample())
    );
    assert!(said.contains(&line), "{said:?}");
}

fn inbox_of_sample() -> u32 {
    sample(|_| ()).1
}

/// Where the row of `nid` in the matrix is, which comes before the row index, and the offset of its bitmap.
fn row_of(heap: &[u8], nid: u32) -> (usize, usize) {
    let row = heap.windows(4).position(|id| id == nid.to_le_bytes());
    let root = u16_at(heap, USER_ROOT) >> 5;
    let info = u16_at(heap, u16_at(heap, PAGE_MAP) + MAP_OFFSETS + 2 * (root - 1));
    (row.unwrap(), u16_at(heap, info + END_OF_CELLS))
}

#[test]
fn a_row_has_its_id() {
    let said = after(|file, damage, inbox| {
        let table = file.layout.node(contents_table(inbox)).data;
        damage.edit_block(table, |heap| {
            let (row, bitmap) = row_of(heap, SECOND);
            heap[row + bitmap] &= !0x80;
        });
    });
    let line = format!(
        "TC (node {:#x}, row {SECOND:#x}): PidTagLtpRowId: expected {SECOND:#x}, found no cell",
        contents_table(inbox_of_sample())
    );
    assert_eq!(said, [line]);
}

#[test]
fn a_row_has_a_version() {
    let said = after(|file, damage, inbox| {
        let table = file.layout.node(contents_table(inbox)).data;
        damage.edit_block(table, |heap| {
            let (row, bitmap) = row_of(heap, SECOND);
            heap[row + bitmap] &= !0x40;
        });
    });
    let line = format!(
        "TC (node {:#x}, row {SECOND:#x}): PidTagLtpRowVer: expected a value, found no cell",
        contents_table(inbox_of_sample())
    );
    assert_eq!(said, [line]);
}

#[test]
fn a_row_version_is_there_once() {
    let said = after(|file, damage, inbox| {
        let table = file.layout.node(contents_table(inbox)).data;
        damage.edit_block(table, |heap| {
            let (first, second) = (row_of(heap, FIRST).0, row_of(heap, SECOND).0);
            heap.copy_within(first + 4..first + 8, second + 4);
        });
    });
    let [line] = said.as_slice() else {
        panic!("{said:?}")
    };
    assert!(
        line.contains("PidTagLtpRowVer: expected a value of its own"),
        "{line}"
    );
    assert!(
        line.contains(&format!("which row {FIRST:#x} of node")),
        "{line}"
    );
}

#[test]
fn a_row_version_is_below_the_counter_of_the_header() {
    let said = after(|_, damage, _| {
        damage.edit_header(|header| header[UNIQUE..][..4].copy_from_slice(&3u32.to_le_bytes()));
    });
    let is_that = |line: &String| line.contains("expected less than dwUnique of the header, 0x3");
    assert!(!said.is_empty() && said.iter().all(is_that), "{said:?}");
}

#[test]
fn a_row_has_what_its_message_has() {
    let table = contents_table(inbox_of_sample());
    for (id, value, problem) in [
        (0x0039, None, "expected what the object has, found none"),
        (
            0x1097,
            Some(Value::I32(7)),
            "expected none, as the object, found one",
        ),
        (
            0x0070,
            Some("other".into()),
            "expected what the object has, found another value",
        ),
    ] {
        let (file, _) = sample(|message| *message = message.clone().row(id, value.clone()));
        let line = format!("TC (node {table:#x}, row {FIRST:#x}): cell {id:#06x}: {problem}");
        assert_eq!(new_complaints(&file), [line]);
    }
}

// Messages and attachments.

/// Bytes of the data of a node and of all below it, without the internal blocks.
fn data_of(file: &File, data: u64, subnodes: u64) -> u64 {
    let damage = file.damage();
    let leaves = damage.leaves(data).into_iter();
    let own: u64 = leaves
        .map(|leaf| u64::from(file.layout.block(leaf).stored))
        .sum();
    let below = damage.subnodes(subnodes).into_iter();
    own + below
        .map(|node| data_of(file, node.data, node.sub))
        .sum::<u64>()
}

#[test]
fn the_size_of_a_message_is_that_of_its_data() {
    let (file, _) = sample(|_| ());
    let node = file.layout.node(FIRST);
    let right = data_of(&file, node.data, node.sub) as i32;
    for (size, is_right) in [(right, true), (right + 1, false)] {
        let (file, _) = sample(|message| *message = message.clone().prop(tags::MESSAGE_SIZE, size));
        let said = complaints(&file);
        let line =
            format!("message (node {FIRST:#x}): PidTagMessageSize: expected {right}, found {size}");
        assert_eq!(said.contains(&line), !is_right, "{said:?}");
        let about = |line: &&String| line.starts_with(&format!("message (node {FIRST:#x})"));
        assert_eq!(said.iter().filter(about).count(), usize::from(!is_right));
    }
}

/// What is said of the sample with another first message, beside its size.
fn of_message(change: impl Fn(&mut Message)) -> Vec<String> {
    let mut said = new_complaints(&sample(change).0);
    said.retain(|line| !line.contains("PidTagMessageSize"));
    said
}

#[test]
fn a_message_has_what_outlook_gives_each() {
    let said = of_message(|message| *message = message.clone().without(tags::CREATION_TIME));
    let line = "PidTagCreationTime: expected a value, found none";
    assert_eq!(said, [format!("message (node {FIRST:#x}): {line}")]);
    let said =
        of_message(|message| *message = message.clone().prop(tags::SEARCH_KEY, vec![1u8, 2, 3]));
    let line = "PidTagSearchKey: expected 16 bytes, found 3";
    assert_eq!(said, [format!("message (node {FIRST:#x}): {line}")]);
}

#[test]
fn a_class_is_one_that_a_form_can_have() {
    let said =
        of_message(|message| *message = message.clone().prop(tags::MESSAGE_CLASS, "IPM.Note."));
    let line = "PidTagMessageClass: expected printable ASCII without a dot at its end, found \"IPM.Note.\"";
    assert_eq!(said, [format!("message (node {FIRST:#x}): {line}")]);
}

#[test]
fn the_size_of_an_attachment_is_that_of_its_values() {
    let said = of_message(|message| {
        message.attachments[0]
            .props
            .insert(tags::ATTACH_SIZE, 7.into());
    });
    let [line] = said.as_slice() else {
        panic!("{said:?}")
    };
    let place = format!("attachment (node {FIRST:#x}, node 0x8025): PidTagAttachSize: expected ");
    assert!(
        line.starts_with(&place) && line.ends_with(", found 7"),
        "{line}"
    );
}

#[test]
fn an_attachment_says_where_it_is_shown() {
    let (file, _) = sample(|message| {
        message.attachments[0]
            .props
            .remove(&tags::RENDERING_POSITION);
    });
    let line = "PidTagRenderingPosition: expected a value, found none";
    let line = format!("attachment (node {FIRST:#x}, node 0x8025): {line}");
    assert!(complaints(&file).contains(&line));
}

#[test]
fn a_row_of_an_attachment_has_what_the_attachment_has() {
    let said = after(|file, damage, _| {
        let subnodes = damage.subnodes(file.layout.node(FIRST).sub);
        let table = subnodes.iter().find(|node| node.nid == 0x671).unwrap();
        damage.edit_block(table.data, |heap| {
            // Row id, version, rendering position, size.
            let (row, _) = row_of(heap, 0x8025);
            heap[row + 12] ^= 1;
        });
    });
    let problem = "expected what the object has, found another value";
    let line = format!("TC (node {FIRST:#x}, node 0x671, row 0x8025): cell 0x0e20: {problem}");
    assert_eq!(said, [line]);
}

// What ScanPST says of all files, and so do other readers.

fn errors(file: &File) -> Vec<String> {
    let report = walk::check(&file.path).unwrap();
    let errors = report.findings.iter();
    let errors = errors.filter(|one| one.severity == Severity::Error);
    errors
        .map(|one| format!("{} ({}): {}", one.structure, one.place, one.problem))
        .collect()
}

#[test]
fn bit_0_of_a_block_id_is_clear() {
    let (file, _) = sample(|_| ());
    let node = file.layout.node(STORE);
    let page = file.layout.page(PTYPE_NBT, 0, STORE.into());
    let data = node.data;
    file.damage()
        .set_node(STORE, data | 1, node.sub, node.parent);
    let line = format!(
        "NBT page (offset {:#x}): bidData of entry 0: expected {data:#x}, found {:#x} with bit 0 set",
        page.ib,
        data | 1
    );
    assert_eq!(errors(&file), [line]);
}

#[test]
fn a_page_begins_with_the_key_that_the_page_above_has() {
    let mut options = Options::new(Format::Unicode, Crypt::Permute);
    options.fanout = Some(8);
    let file = write_with(options, |_| ());
    let child = file.layout.page(PTYPE_NBT, 0, 0x60D);
    let above = file.layout.page(PTYPE_NBT, 1, 0x60D);
    let lower = child.key - 1;
    file.damage().edit_page(above, |page| {
        let at = page
            .windows(8)
            .position(|key| key == child.key.to_le_bytes());
        page[at.unwrap()..][..8].copy_from_slice(&lower.to_le_bytes());
    });
    let line = format!(
        "NBT page (offset {:#x}): key of the page above: expected {:#x}, the first one here, found {lower:#x}",
        child.ib, child.key
    );
    assert_eq!(errors(&file), [line]);
}

#[test]
fn the_cells_of_a_row_end_by_their_sizes() {
    let (file, inbox) = sample(|_| ());
    let table = contents_table(inbox);
    file.damage()
        .edit_block(file.layout.node(table).data, |heap| {
            let root = u16_at(heap, USER_ROOT) >> 5;
            let info = u16_at(heap, u16_at(heap, PAGE_MAP) + MAP_OFFSETS + 2 * (root - 1));
            // The end of the 2-byte cells, of which there are none.
            heap[info + END_OF_CELLS - 2] -= 4;
        });
    let found = errors(&file);
    let place = format!("TCINFO (node {table:#x}): rgib: expected ends that ascend, found [");
    assert!(
        found.len() == 1 && found[0].starts_with(&place),
        "{found:?}"
    );
}

#[test]
fn the_blocks_of_an_xblock_are_full_but_for_the_last() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("short.pst");
    let options = Options::new(Format::Unicode, Crypt::Permute);
    let mut writer = Writer::create(&path, options).unwrap();
    let mut tree = DataTree::default();
    for payload in [[1; 100], [2; 100]] {
        tree.push(&mut writer.ndb, &payload).unwrap();
    }
    let short = tree.bids[0];
    let data = tree.finish(&mut writer.ndb).unwrap();
    // Any node that only its owner knows.
    writer.ndb.node(0x8001, data, 0, 0);
    let file = File {
        _scratch: scratch,
        path,
        layout: writer.finish().unwrap(),
    };
    let found = errors(&file);
    let problem =
        format!("block {short:#x}: expected 8176 bytes, as in all but the last, found 100");
    assert!(
        found.len() == 1 && found[0].ends_with(&problem),
        "{found:?}"
    );
}
