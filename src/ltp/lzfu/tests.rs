//! Streams whole, broken and hostile.
use super::*;

/// Compresses as a writer would: greedy matches in the dictionary, an end mark, a header with the right CRC.
fn compress(text: &[u8]) -> Vec<u8> {
    let mut dictionary = Dictionary::new();
    let mut tokens: Vec<(bool, Vec<u8>)> = Vec::new();
    let mut rest = text;
    while let Some(&first) = rest.first() {
        let (offset, length) = longest_match(&dictionary, rest);
        if length < 2 {
            tokens.push((false, vec![first]));
        } else {
            tokens.push((true, reference(offset, length)));
        }
        let (done, after) = rest.split_at(length.max(1));
        done.iter().for_each(|&byte| dictionary.push(byte));
        rest = after;
    }
    tokens.push((true, reference(dictionary.write, 2)));
    let mut body = Vec::new();
    for group in tokens.chunks(8) {
        let control = |(i, token): (usize, &(bool, Vec<u8>))| u8::from(token.0) << i;
        body.push(group.iter().enumerate().map(control).sum());
        group.iter().for_each(|token| body.extend(&token.1));
    }
    with_header(LZFU, text.len() as u32, crc(&body), &body)
}

/// The longest run before the write position; overlapping matches (runs) are left to the hand-made vectors.
fn longest_match(dictionary: &Dictionary, rest: &[u8]) -> (usize, usize) {
    let mut best = (0, 0);
    for offset in (0..DICTIONARY).filter(|&offset| offset != dictionary.write) {
        let reaches = (dictionary.write + DICTIONARY - offset) % DICTIONARY;
        let length = rest
            .iter()
            .take(17.min(reaches))
            .enumerate()
            .take_while(|&(i, &byte)| dictionary.at(offset + i) == byte)
            .count();
        if length > best.1 {
            best = (offset, length);
        }
    }
    best
}

fn reference(offset: usize, length: usize) -> Vec<u8> {
    ((offset << 4 | (length - 2)) as u16).to_be_bytes().to_vec()
}

fn with_header(kind: u32, raw_size: u32, crc: u32, body: &[u8]) -> Vec<u8> {
    let compressed_size = (body.len() + HEADER - AFTER_COMPSIZE) as u32;
    let fields = [compressed_size, raw_size, kind, crc];
    let mut value: Vec<u8> = fields
        .iter()
        .flat_map(|field| field.to_le_bytes())
        .collect();
    value.extend(body);
    value
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// The example of [MS-OXRTFCP] 4.1.
fn example() -> Vec<u8> {
    hex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0",
    )
}
const EXAMPLE_TEXT: &[u8] = b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n";

fn whole(bytes: &[u8]) -> Decompressed {
    Decompressed {
        bytes: bytes.to_vec(),
        problem: None,
    }
}

#[test]
fn published_example() {
    assert_eq!(decompress(&example()), whole(EXAMPLE_TEXT));
}

#[test]
fn literals_only() {
    let value = hex("1c0000000c0000004c5a46759eaf485e007b5c72746631206810697d0d0a0db0");
    assert_eq!(decompress(&value), whole(b"{\\rtf1 hi}\r\n"));
}

#[test]
fn reference_into_what_it_writes() {
    // [MS-OXRTFCP] 4.2: "{\rtf1 WXYZWXYZWXYZWXYZWXYZ}" crosses the write position.
    let value = hex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0");
    assert_eq!(decompress(&value), whole(b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"));
}

#[test]
fn what_a_writer_compresses_comes_back() {
    let mut text = b"{\\rtf1\\ansi ".to_vec();
    for i in 0..3000_u32 {
        text.extend(format!("{} line\\par\r\n", i * i % 977).as_bytes());
    }
    text.push(b'}');
    let value = compress(&text);
    assert!(value.len() < text.len() / 2);
    assert_eq!(decompress(&value), whole(&text));
}

#[test]
fn padding_behind_the_compressed_size_is_ignored() {
    let mut value = example();
    value.extend([0xFF; 40]);
    assert_eq!(decompress(&value), whole(EXAMPLE_TEXT));
}

#[test]
fn stored_and_bare_rtf() {
    let rtf = b"{\\rtf1 x}";
    assert_eq!(decompress(&with_header(MELA, 9, 0, rtf)), whole(rtf));
    assert_eq!(decompress(rtf), whole(rtf));
    // As Aspose writes it: the raw size is the compressed size.
    assert_eq!(decompress(&with_header(MELA, 21, 0, rtf)), whole(rtf));
}

#[test]
fn a_value_cut_anywhere_keeps_its_beginning() {
    let value = example();
    for length in 0..value.len() - 1 {
        let part = decompress(&value[..length]);
        assert!(EXAMPLE_TEXT.starts_with(&part.bytes), "{length}");
        assert!(part.problem.is_some(), "{length}");
    }
}

#[test]
fn lying_sizes_and_checksums_are_reported_but_cost_nothing() {
    let found = EXAMPLE_TEXT.len();
    for (raw_size, expected) in [(0, 0_u32), (5, 5), (u32::MAX, u32::MAX)] {
        let mut value = example();
        value[4..8].copy_from_slice(&u32::to_le_bytes(raw_size));
        let part = decompress(&value);
        assert_eq!(part.bytes, EXAMPLE_TEXT);
        assert_eq!(part.problem, Some(Problem::Size { expected, found }));
    }
    let mut value = example();
    value[12] ^= 1;
    let part = decompress(&value);
    assert_eq!(part.bytes, EXAMPLE_TEXT);
    assert!(matches!(part.problem, Some(Problem::Crc { .. })));
    // A stored text whose size is a lie.
    let part = decompress(&with_header(MELA, u32::MAX, 0, b"{\\rtf1 x}"));
    assert_eq!(part.bytes, b"{\\rtf1 x}");
    assert!(matches!(part.problem, Some(Problem::Truncated { .. })));
    // A compressed size of nothing, or of more than there is.
    for lie in [0, 11, u32::MAX] {
        let mut value = example();
        value[0..4].copy_from_slice(&u32::to_le_bytes(lie));
        assert_eq!(decompress(&value).bytes, EXAMPLE_TEXT, "{lie}");
    }
}

#[test]
fn a_wrong_type_or_too_small_a_size_costs_nothing() {
    let mut value = example();
    value[8] ^= 1;
    let part = decompress(&value);
    assert_eq!(part.bytes, EXAMPLE_TEXT);
    assert!(matches!(part.problem, Some(Problem::UnknownType(_))));
    let part = decompress(&with_header(7, 9, 0, b"{\\rtf1 x}"));
    assert_eq!(part.bytes, b"{\\rtf1 x}");
    assert_eq!(part.problem, Some(Problem::UnknownType(7)));
    for size in [13, 20, 40] {
        let mut value = example();
        value[0] = size;
        let part = decompress(&value);
        assert_eq!(part.bytes, EXAMPLE_TEXT);
        let behind = usize::from(size) - 12;
        assert_eq!(part.problem, Some(Problem::CompressedSize(behind)));
    }
}

#[test]
fn what_is_no_compressed_rtf_is_named() {
    assert_eq!(decompress(b"").problem, Some(Problem::TooShort(0)));
    let value = with_header(7, 3, 0, b"abc");
    assert_eq!(decompress(&value).problem, Some(Problem::UnknownType(7)));
}

#[test]
fn a_header_of_zeros_alone_is_a_body_without_text() {
    let empty = decompress(&[0; HEADER]);
    assert_eq!((empty.bytes, empty.problem), (Vec::new(), None));
    // With text behind it it is a damaged one.
    assert!(decompress(&[0; HEADER + 1]).problem.is_some());
}

#[test]
fn groups_that_nobody_wrote_are_not_all_closed() {
    let mut value = store(&b"{".repeat(1 << 20));
    value.truncate(1 << 20);
    let cut = restored(&Bytes::from(value)).unwrap();
    assert!(
        cut.bytes.len() < (1 << 20) + 2 * MOST_OPEN,
        "{}",
        cut.bytes.len()
    );
}
