//! A block is read wherever it lies, to the last byte of the file.

use crate::intact::{Intact, fill_inbox, for_each_format, message, options};
use crate::support::*;

const MESSAGES: u32 = 10;

/// Without the stretch that Outlook leaves free at the end, so that what is appended has the end for itself.
fn file(format: Format, crypt: Crypt) -> Intact {
    let mut options = options(format, crypt);
    options.round_up = false;
    Intact::write(options, |store| {
        fill_inbox(store, (0..MESSAGES).map(message))
    })
}

/// A block of each kind: of an attachment, of the message itself, and a list of subnodes.
fn blocks(file: &Intact) -> [u64; 3] {
    let damage = file.damage();
    let node = |number: usize| file.layout.node(file.messages[number]);
    let attachment = damage.attachment_data(file.messages[4], 0);
    [damage.leaves(attachment)[0], node(5).data, node(6).sub]
}

#[test]
fn a_block_that_ends_with_the_file_is_read_like_any_other() {
    for_each_format(file, |file| {
        for bid in blocks(&file) {
            file.damage().move_block_to_end(bid);
            let (walked, problems) = file.walked();
            assert!(walked.files == file.whole, "{bid:#x}: other bytes");
            assert_eq!(problems, "", "{bid:#x}");
            // A byte less, and it is no longer whole.
            let end = std::fs::metadata(&file.path).unwrap().len();
            file.damage().truncate(end - 1);
            let (_, problems) = file.walked();
            assert_ne!(problems, "", "{bid:#x}");
            std::fs::write(&file.path, &file.bytes).unwrap();
        }
    });
}

#[test]
fn a_block_that_ends_with_the_file_is_found_without_its_entry() {
    for_each_format(file, |file| {
        for bid in blocks(&file) {
            file.damage().move_block_to_end(bid);
            file.damage().drop_block(bid);
            file.shows_everything();
            std::fs::write(&file.path, &file.bytes).unwrap();
        }
    });
}
