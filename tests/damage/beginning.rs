//! A file whose beginning is overwritten, by another system or by who wants a ransom: what lies behind that is shown.

use ostfs::tree::{Options, Tree};

use crate::intact::{Intact, fill_inbox, for_each_format, message, options};
use crate::support::*;
use crate::walk::{Walked, check};

/// So many bytes there are from one allocation map to the next in files with small pages. [MS-PST] 2.2.2.7.2
const INTERVAL: u64 = 253_952;
/// Offset of the first.
const FIRST: u64 = 0x4400;

fn file(messages: u32) -> impl Fn(Format, Crypt) -> Intact {
    move |format, crypt| {
        Intact::write(options(format, crypt), |store| {
            fill_inbox(store, (0..messages).map(message))
        })
    }
}

/// What was written to the file, by the one who writes it: the attachment of each message that lies behind byte `end`.
fn attachments_behind(file: &Intact, end: u64) -> Vec<Vec<u8>> {
    let begins_behind = |nid: &u32| {
        let data = file.layout.node(*nid).data;
        file.layout.block(data).ib >= end
    };
    // What belongs to a message is written in front of its data, behind that of the one before.
    let first = file.messages.iter().position(begins_behind).unwrap() + 1;
    let numbers = first as u64..file.messages.len() as u64;
    numbers
        .map(|number| Payload::random(9_000, number).bytes())
        .collect()
}

/// Overwrites the first `end` bytes with what is nothing.
fn overwrite(file: &Intact, end: u64) {
    let noise = Payload::random(end, 1).bytes();
    let mut bytes = file.bytes.clone();
    bytes[..noise.len()].copy_from_slice(&noise);
    std::fs::write(&file.path, bytes).unwrap();
}

fn shows_all_of(walked: &Walked, attachments: &[Vec<u8>]) {
    for (number, attachment) in attachments.iter().enumerate() {
        let is_shown = walked.files.values().any(|bytes| bytes == attachment);
        assert!(is_shown, "attachment {number} of {}", attachments.len());
    }
}

#[test]
fn what_lies_behind_more_than_the_first_allocation_maps_is_shown() {
    const LOST: u64 = 10 * INTERVAL;
    for_each_format(file(340), |file| {
        assert!(file.bytes.len() as u64 > LOST + INTERVAL);
        let attachments = attachments_behind(&file, LOST);
        assert!(attachments.len() > 20, "{}", attachments.len());
        overwrite(&file, LOST);
        let (walked, problems) = file.walked();
        shows_all_of(&walked, &attachments);
        assert!(problems.contains("!BDN"), "{problems}");
        assert!(!problems.contains("not an Outlook data file"), "{problems}");
        assert!(check(&file.path).unwrap().errors > 0);
    });
}

#[test]
fn what_lies_behind_the_only_allocation_map_is_shown() {
    const LOST: u64 = INTERVAL / 4;
    for_each_format(file(18), |file| {
        let len = file.bytes.len() as u64;
        let is_small = len <= FIRST + INTERVAL || file.layout.options.format == Format::Ost4k;
        assert!(is_small, "{len} bytes");
        let attachments = attachments_behind(&file, LOST);
        assert!(attachments.len() > 5, "{}", attachments.len());
        overwrite(&file, LOST);
        shows_all_of(&file.walked().0, &attachments);
    });
}

#[test]
fn of_a_file_with_blocks_of_an_attachment_alone_it_is_told_that_they_are_left() {
    for_each_format(
        |format, crypt| {
            Intact::write(options(format, crypt), |store| {
                let mail = message(1).attachment("large.bin", Payload::random(90_000, 7));
                fill_inbox(store, [mail])
            })
        },
        |file| {
            let blocks = file.layout.blocks.iter();
            let of_attachment: Vec<_> = blocks.filter(|block| block.stored > 8_000).collect();
            assert!(of_attachment.len() >= 2, "{}", of_attachment.len());
            let mut bytes = Payload::random(file.bytes.len() as u64, 1).bytes();
            let geo = file.layout.geo;
            for block in &of_attachment {
                let start = block.ib as usize;
                let end = start + geo.block_size(block.stored as usize);
                bytes[start..end].copy_from_slice(&file.bytes[start..end]);
            }
            std::fs::write(&file.path, bytes).unwrap();
            let error = Tree::open(&file.path, &Options::default()).unwrap_err();
            let told = format!("{} blocks are left", of_attachment.len());
            assert!(error.to_string().contains(&told), "{error}");
        },
    );
}
