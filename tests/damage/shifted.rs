//! A stretch lost or doubled in the middle, bytes in front of the header: pages and blocks are whole, only their places
//! differ. Files of our own writer, in all formats.

use crate::intact::{Intact, Told, fill_inbox, for_each_format, message, options};
use crate::support::*;
use crate::walk::{Files, check, everything, found, open};

const MESSAGES: u32 = 60;

/// Messages that take many blocks.
fn file(format: Format, crypt: Crypt) -> Intact {
    let large = |number: u32| {
        let text = format!("Text {number}\r\n").repeat(500);
        let more = Payload::random(12_000, u64::from(number));
        message(number).body(&text).attachment("more.bin", more)
    };
    Intact::write(options(format, crypt), |store| {
        fill_inbox(store, (0..MESSAGES).map(large))
    })
}

impl Intact {
    fn shows(&self, parts: &[&[u8]]) -> Files {
        std::fs::write(&self.path, parts.concat()).unwrap();
        everything(&open(&self.path).unwrap()).files
    }

    /// Every file that is whole although the bytes of `lost` are zeros is whole without them as well.
    fn costs_no_more_than_zeros(&self, lost: std::ops::Range<usize>, shown: &Files) {
        let zeros = vec![0; lost.len()];
        let zeroed = self.shows(&[&self.bytes[..lost.start], &zeros, &self.bytes[lost.end..]]);
        self.has_all_that_is_whole_in(&zeroed, shown);
    }

    /// Every file of `expected` that is as it was before, is in `shown` as well.
    fn has_all_that_is_whole_in(&self, expected: &Files, shown: &Files) {
        let is_whole = |path: &str, files: &Files| files.get(path) == self.whole.get(path);
        let expected = self.whole.keys().filter(|path| is_whole(path, expected));
        let expected: Vec<_> = expected.collect();
        assert!(expected.len() > 20, "too few to tell: {}", expected.len());
        let missing = expected.iter().filter(|path| !is_whole(path, shown));
        let missing: Vec<_> = missing.collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    /// Where the blocks lie: behind the first map, in front of the pages, which our writer puts last.
    fn middle(&self) -> usize {
        let first = self.layout.geo.first_amap;
        let pages = self.layout.pages.iter().map(|page| page.ib).min().unwrap();
        (first + (pages - first) / 2) as usize
    }
}

#[test]
fn what_stands_in_front_of_the_header_costs_nothing() {
    for_each_format(file, |file| {
        for length in [1, 777, 4096] {
            let front: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
            assert!(file.shows(&[&front, &file.bytes]) == file.whole);
            let Told { lines, passes, .. } = file.told();
            let expected = format!("{length} bytes stand in front of the header");
            assert!(
                matches!(&*lines, [line] if line.starts_with(&expected)),
                "{lines:?}"
            );
            assert_eq!(passes, 0, "nothing else is to be found");
            let report = check(&file.path).unwrap();
            let found = found(&report);
            assert!(
                matches!(&*found, [finding] if finding.problem.contains(&expected)),
                "{found:?}"
            );
        }
    });
}

impl Intact {
    /// The file with a header of its own, and a stretch of another put in.
    fn shows_with_put_in(&self, header: &[u8]) -> Files {
        let middle = self.middle();
        let behind = &self.bytes[header.len()..middle];
        self.shows(&[header, behind, &[9; 4096], &self.bytes[middle..]])
    }
}

/// What is right by its CRCs needs no magic.
#[test]
fn a_wrong_magic_costs_nothing_where_stretches_are_put_in_too() {
    for_each_format(file, |file| {
        let mut magic: [u8; 4] = file.bytes[..4].try_into().unwrap();
        magic[2] ^= 0x10;
        let own = &file.bytes[magic.len()..];
        assert!(file.shows(&[&magic, own]) == file.whole);
        let Told { lines, passes, .. } = file.told();
        assert!(
            matches!(&*lines, [line] if line.ends_with("the CRC of its header is right")),
            "{lines:?}"
        );
        assert_eq!(passes, 0, "the header names the roots");
        assert!(file.shows(&[&[9; 777], &magic, own]) == file.whole);
        let shown = file.shows_with_put_in(&magic);
        assert!(shown == file.shows_with_put_in(&[]));
    });
}

#[test]
fn a_lost_header_costs_nothing_where_stretches_are_put_in_too() {
    for_each_format(file, |file| {
        let shown = file.shows_with_put_in(&[0; 1000]);
        file.has_all_that_is_whole_in(&file.shows_with_put_in(&[]), &shown);
    });
}

/// The first allocation map that is left shows how much is lost. Those of 4K files are 16 MB from each other.
#[test]
fn a_lost_beginning_costs_itself() {
    for_each_format(file, |file| {
        let first_map = file.layout.geo.first_amap as usize;
        let behind_map = first_map + 64;
        for lost in [512, 777, behind_map] {
            if lost == behind_map && file.layout.geo.page == 4096 {
                continue;
            }
            let shown = file.shows(&[&file.bytes[lost..]]);
            let lines = file.told().lines;
            let expected = format!("{lost} bytes are missing before offset {lost:#x}");
            let told = lines.iter().filter(|line| line.starts_with(&expected));
            assert_eq!(told.count(), 1, "{lines:?}");
            file.costs_no_more_than_zeros(0..lost, &shown);
        }
    });
}

#[test]
fn what_stands_behind_the_end_that_the_header_states_is_told() {
    for_each_format(file, |file| {
        let told = |parts: &[&[u8]]| {
            assert!(file.shows(parts) == file.whole);
            file.told().lines
        };
        let whole = &*file.bytes;
        assert_eq!(told(&[whole, &[0; 5000]]), [""; 0], "zeros are nothing");
        let lines = told(&[whole, b"something"]);
        let expected = "9 bytes stand behind the end";
        assert!(
            matches!(&*lines, [line] if line.starts_with(expected)),
            "{lines:?}"
        );
        let lines = told(&[whole, b"between", whole]);
        let second = format!("tail -c +{} FILE", whole.len() + 8);
        assert!(
            matches!(&*lines, [line] if line.contains(&second)),
            "{lines:?}"
        );
        let report = check(&file.path).unwrap();
        let found = found(&report);
        assert!(
            matches!(&*found, [finding] if finding.problem.contains(&second)),
            "{found:?}"
        );
    });
}

#[test]
fn a_copy_in_text_mode_that_put_a_cr_before_each_lf_costs_nothing() {
    for_each_format(file, |file| {
        let mut copy = Vec::new();
        for byte in &file.bytes {
            match byte {
                b'\n' => copy.extend_from_slice(b"\r\n"),
                byte => copy.push(*byte),
            }
        }
        assert!(file.shows(&[&copy]) == file.whole);
        let added = copy.len() - file.bytes.len();
        let lines = file.told().lines;
        assert!(
            matches!(&*lines, [line] if line.contains(&format!("without the {added} bytes"))),
            "{lines:?}"
        );
        let report = check(&file.path).unwrap();
        let found = found(&report);
        assert!(
            matches!(&*found, [finding] if finding.problem.contains("copied as text")),
            "{found:?}"
        );
        // One LF without a CR shows that it was not copied so.
        copy.extend_from_slice(b"\n");
        std::fs::write(&file.path, &copy).unwrap();
        let lines = file.told().lines;
        assert!(!lines.iter().any(|line| line.contains("LF")), "{lines:?}");
    });
}

#[test]
fn a_lost_stretch_costs_itself() {
    for_each_format(file, |file| {
        let middle = file.middle();
        let odd = middle + 12_345;
        for lost in [
            middle / 512 * 512..middle / 512 * 512 + 65_536,
            odd..odd + 30_001,
            odd..odd + 64,
        ] {
            let shown = file.shows(&[&file.bytes[..lost.start], &file.bytes[lost.end..]]);
            let lines = file.told().lines;
            let expected = format!("{} bytes are missing", lost.len());
            let told = lines.iter().filter(|line| line.starts_with(&expected));
            assert_eq!(told.count(), 1, "{lines:?}");
            file.costs_no_more_than_zeros(lost, &shown);
        }
    });
}

#[test]
fn a_lost_stretch_between_pages_costs_itself() {
    for_each_format(file, |file| {
        let mut pages: Vec<usize> = file
            .layout
            .pages
            .iter()
            .map(|page| page.ib as usize)
            .collect();
        pages.sort_unstable();
        let start = pages[pages.len() / 3];
        let lost = start..start + file.layout.geo.page;
        let shown = file.shows(&[&file.bytes[..lost.start], &file.bytes[lost.end..]]);
        file.costs_no_more_than_zeros(lost, &shown);
    });
}

#[test]
fn a_doubled_stretch_costs_nothing() {
    for_each_format(file, |file| {
        let middle = file.middle();
        for (start, length) in [(middle / 512 * 512, 65_536), (middle + 77, 20_001)] {
            let end = start + length;
            let shown = file.shows(&[&file.bytes[..end], &file.bytes[start..]]);
            assert!(shown == file.whole, "other bytes");
            let lines = file.told().lines;
            let expected = format!("{length} bytes that do not belong there");
            let told = lines.iter().filter(|line| line.starts_with(&expected));
            assert_eq!(told.count(), 1, "{lines:?}");
        }
    });
}

#[test]
fn several_shifts_in_one_file_are_all_found() {
    for_each_format(file, |file| {
        let middle = file.middle();
        let (doubled, lost) = (middle - 200_000, middle + 100_000..middle + 116_384);
        let front = [7; 333];
        let shown = file.shows(&[
            &front,
            &file.bytes[..doubled],
            &file.bytes[doubled - 40_000..lost.start],
            &file.bytes[lost.end..],
        ]);
        file.costs_no_more_than_zeros(lost, &shown);
    });
}

/// As a program puts the pieces of a deleted file together that guesses their order.
#[test]
fn pieces_in_another_order_are_found_where_they_are() {
    for_each_format(file, |file| {
        let piece = 65_536;
        let first = file.layout.geo.first_amap as usize / piece * piece;
        let mut pieces: Vec<&[u8]> = file.bytes[first..].chunks(piece).collect();
        // The last one is shorter, and stays.
        let last = pieces.pop().unwrap();
        let count = pieces.len();
        // Every seventh, then those behind them, and so on: no order is left.
        let step = [7, 11, 13]
            .into_iter()
            .find(|step| !count.is_multiple_of(*step));
        let order = (0..count).map(|index| index * step.unwrap() % count);
        let mixed: Vec<&[u8]> = order.map(|index| pieces[index]).collect();
        let mut parts = vec![&file.bytes[..first]];
        parts.extend(mixed);
        parts.push(last);
        let shown = file.shows(&parts);
        // Blocks that go from one piece to the next are lost.
        let geo = file.layout.geo;
        let blocks = file.layout.blocks.iter().map(|block| {
            let start = block.ib as usize;
            start..start + geo.block_size(block.stored as usize)
        });
        let mut zeroed = file.bytes.clone();
        for block in blocks.filter(|block| block.start / piece != (block.end - 1) / piece) {
            zeroed[block].fill(0);
        }
        let mut zeroed = file.shows(&[&zeroed]);
        // Mail has a line about the signatures of its blocks, which are those of their former places.
        zeroed.retain(|path, _| !path.ends_with(".eml"));
        file.has_all_that_is_whole_in(&zeroed, &shown);
    });
}

/// The file is not gone through; what is told.
fn believed(file: &Intact) -> Vec<String> {
    let Told { lines, passes, .. } = file.told();
    assert_eq!(passes, 0, "{lines:?}");
    lines
}

#[test]
fn a_file_that_is_whole_longer_or_cut_off_is_not_searched_for_shifts() {
    for_each_format(file, |file| {
        assert_eq!(believed(&file), [""; 0]);
        assert!(file.shows(&[&file.bytes, &[9; 100_000]]) == file.whole);
        assert_eq!(believed(&file).len(), 1, "what stands behind the end");
        // The roots are lost: one scan for them, and no other pass.
        std::fs::write(&file.path, &file.bytes[..file.middle()]).unwrap();
        let Told { lines, passes, .. } = file.told();
        assert_eq!(passes, 1, "{lines:?}");
    });
}

#[test]
fn a_file_made_to_look_like_ends_of_pages_everywhere_is_opened() {
    for_each_format(file, |file| {
        let ends = vec![format::PTYPE_NBT; 6 << 20];
        let middle = file.middle();
        let shown = file.shows(&[&file.bytes[..middle], &ends, &file.bytes[middle..]]);
        assert!(shown.len() > 20);
    });
}

/// Messages of another mailbox: none of their lines is in the other.
fn other(format: Format, crypt: Crypt) -> Intact {
    let large = |number: u32| {
        let text = format!("Strange text {number}\r\n").repeat(300);
        let data = Payload::random(7_000, u64::from(number) + 1000);
        Message::mail(&format!("Strange {number}"))
            .from("Eve", "eve@south.example")
            .body(&text)
            .attachment("strange.bin", data)
    };
    Intact::write(options(format, crypt), |store| {
        fill_inbox(store, (0..MESSAGES / 2).map(large))
    })
}

#[test]
fn a_stretch_of_another_file_that_was_put_in_costs_no_more_than_where_it_was_put() {
    for_each_format(file, |file| {
        let written = &file.layout.options;
        let other = other(written.format, written.crypt);
        let (own, strange) = (file.bytes.len(), other.bytes.len());
        // Its header, maps and blocks; its blocks and pages.
        for stretch in [0..strange / 2, strange / 2..strange] {
            for at in [own / 4, own / 2, own * 3 / 4] {
                for odd in [0, 777] {
                    let at = at / 4096 * 4096 + odd;
                    let parts = [
                        &file.bytes[..at],
                        &other.bytes[stretch.clone()],
                        &file.bytes[at..],
                    ];
                    let shown = file.shows(&parts);
                    let mut differ = 0;
                    for (path, bytes) in &file.whole {
                        differ += usize::from(shown.get(path) != Some(bytes));
                    }
                    // The block that the border cuts may be a message's or its attachment's.
                    assert!(
                        differ <= 2,
                        "{:?}, {stretch:x?} at {at:#x}: {differ}",
                        written.format
                    );
                    for (path, bytes) in shown.iter().filter(|(path, _)| path.ends_with(".eml")) {
                        let text = String::from_utf8_lossy(bytes);
                        let is_told = text.contains("X-Ostfs-Problem: ");
                        assert!(is_told || !text.contains("Strange"), "{path}");
                    }
                }
            }
        }
    });
}
