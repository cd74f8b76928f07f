//! First inputs of every target: small stores of our own writer in all formats and encodings, taken apart.

use super::image::Image;
use super::scratch::Scratch;
use super::{item, pages, recurrence, store};
use crate::support::*;

const KINDS: [(Format, Crypt); 6] = [
    (Format::Ansi, Crypt::None),
    (Format::Ansi, Crypt::Cyclic),
    (Format::Unicode, Crypt::Permute),
    (Format::Unicode, Crypt::None),
    (Format::UnicodeOst, Crypt::Cyclic),
    (Format::Ost4k, Crypt::None),
];
/// Choices of the inputs of `item` and `tree`: one bit each, and some of them together.
const CHOICES: [u16; 6] = [0x0000, 0x0305, 0x000E, 0x0211, 0x0142, 0x0085];
/// Queries with all that the language has.
const QUERIES: [&str; 8] = [
    "numbers",
    "from:ann OR (subject:\"numbers\" AND NOT to:bob)",
    "-attachment:*.bin size>10k date:2024-01..2024-06",
    "kind:mail is:unread has:attachment folder:Inbox",
    "subject:(a OR b*) body:hel* received>=2024-05-01",
    "date:last-week date<yesterday",
    "((\"unended",
    "size:x unknown:y )",
];

/// Seeds of all targets: target, name, bytes.
pub fn all() -> Vec<(&'static str, String, Vec<u8>)> {
    let mut seeds = Vec::new();
    for (number, (format, crypt)) in KINDS.into_iter().enumerate() {
        let name = |what: &str| format!("{what}-{format:?}-{crypt:?}").to_lowercase();
        seeds.push(("ndb", name("deep"), file_of_pages(format, crypt, Some(3))));
        seeds.push(("ndb", name("flat"), file_of_pages(format, crypt, None)));
        for target in ["tree", "ltp", "outputs"] {
            let small = with_choices(small(format, crypt), CHOICES[number]);
            seeds.push((target, name("small"), small.encode()));
        }
        let full = with_choices(
            nodes_of(&plain(sample_of(format, crypt))),
            CHOICES[5 - number],
        );
        for target in ["tree", "outputs"] {
            seeds.push((target, name("sample"), full.encode()));
        }
        seeds.push(("named_properties", name("names"), names(format, crypt)));
    }
    for (name, message) in messages() {
        for (format, choices) in [
            (Format::Unicode, 0),
            (Format::Ansi, 0x0E),
            (Format::Ost4k, 0x42),
        ] {
            let image = with_choices(item::image(format, &message), choices);
            seeds.push((
                "item",
                format!("{name}-{format:?}").to_lowercase(),
                image.encode(),
            ));
        }
    }
    seeds.extend(
        texts()
            .into_iter()
            .map(|(name, bytes)| ("rtf", name, bytes)),
    );
    seeds.extend(QUERIES.iter().enumerate().map(|(number, query)| {
        let name = format!("query-{number}");
        ("query", name, query.as_bytes().to_vec())
    }));
    seeds.extend(
        patterns()
            .into_iter()
            .map(|(name, bytes)| ("recurrence", name, bytes)),
    );
    seeds
}

fn with_choices(mut image: Image, choices: u16) -> Image {
    image.head[2..].copy_from_slice(&choices.to_le_bytes());
    image
}

/// A store whose blocks are not compressed, so that its image has them as they are.
fn plain(fill: impl FnOnce(&mut Options) -> Store) -> (Scratch, Layout) {
    let scratch = Scratch::new();
    let mut options = Options::new(Format::Unicode, Crypt::None);
    options.round_up = false;
    options.compress = false;
    let layout = fill(&mut options).write(&scratch.path).expect("written");
    (scratch, layout)
}

fn sample_of(format: Format, crypt: Crypt) -> impl FnOnce(&mut Options) -> Store {
    move |options| {
        (options.format, options.crypt) = (format, crypt);
        let mut store = Store::with(options.clone());
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        for (_, message) in messages() {
            store.message(inbox, message);
        }
        store.search_folder("Found", &[]);
        store
    }
}

/// A store with items of all kinds.
pub fn items() -> Scratch {
    plain(sample_of(Format::Unicode, Crypt::Permute)).0
}

fn nodes_of((scratch, layout): &(Scratch, Layout)) -> Image {
    store::read(&scratch.path, layout)
}

/// One message with attachments and one within it.
fn small(format: Format, crypt: Crypt) -> Image {
    nodes_of(&plain(move |options| {
        (options.format, options.crypt) = (format, crypt);
        let mut store = Store::with(options.clone());
        let inbox = store.folder(store.ipm_subtree(), "Inbox");
        let found = store.message(inbox, mail());
        store.search_folder("Found", &[found]);
        store
    }))
}

fn mail() -> Message {
    Message::mail("Numbers")
        .from("Ann Adams", "ann@north.example")
        .to("Bob Müller", "bob@north.example")
        .body("Hello\r\n")
        .attachment("data.bin", Payload::random(9_000, 1))
        .embed(
            Message::mail("Within")
                .body("Text")
                .attachment("a.txt", "a"),
        )
}

fn file_of_pages(format: Format, crypt: Crypt, fanout: Option<usize>) -> Vec<u8> {
    let scratch = Scratch::new();
    let mut options = Options::new(format, crypt);
    options.round_up = false;
    options.fanout = fanout;
    let mut ndb = crate::support::ndb::Ndb::create(&scratch.path, options).expect("created");
    let leaf = ndb.bytes(&b"text ".repeat(40)).expect("written");
    let tree = ndb.payload(&Payload::random(20_000, 1)).expect("written");
    let sub = |nid: u32, data: u64| crate::support::ndb::SubNode { nid, data, sub: 0 };
    let subnodes = ndb
        .subnodes(vec![sub(0x671, leaf), sub(0x8025, tree)])
        .expect("written");
    for (nid, data, sub) in [
        (0x21, leaf, 0),
        (0x61, leaf, 0),
        (0x122, leaf, subnodes),
        (0x8022, tree, 0),
        (0x8042, 0, 0),
        (0x20_0024, tree, subnodes),
    ] {
        ndb.node(nid, data, sub, 0x122);
    }
    ndb.finish().expect("finished");
    let mut image = pages::read(&scratch.path, &Layout::new(ndb));
    image.head[2] = 2;
    image.encode()
}

fn names(format: Format, crypt: Crypt) -> Vec<u8> {
    let mut image = Image {
        head: Image::head_of(format, crypt),
        ..Image::default()
    };
    let mut strings = Vec::new();
    let mut entries = Vec::new();
    for (index, (value, guid)) in [(0x8205, 6u16), (0x8503, 2), (0, 5), (20, 9), (0x8205, 6)]
        .into_iter()
        .enumerate()
    {
        entries.extend(u32::to_le_bytes(value));
        entries.extend(guid.to_le_bytes());
        entries.extend((index as u16).to_le_bytes());
    }
    for name in ["Keywords", "X-Mailer"] {
        let text: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        strings.extend((text.len() as u32).to_le_bytes());
        strings.extend(text);
    }
    image.push(
        0,
        [0; 3],
        [PSETID_APPOINTMENT, PS_INTERNET_HEADERS].concat(),
    );
    image.push(1, [0; 3], entries);
    image.push(2, [0; 3], strings);
    image.encode()
}

/// Items of all kinds.
fn messages() -> Vec<(&'static str, Message)> {
    let start = filetime(2024, 6, 3, 10, 0);
    let headers = "Received: from a by b; Mon, 3 Jun 2024 10:00:00 +0000\r\nFrom: =?iso-8859-1?Q?J=FCrgen?= <j@north.example>\r\n\
        To: \"Adams, Ann\" <ann@north.example>, group: b@x.example, c@x.example;\r\nSubject: =?utf-8?B?R3LDvMOfZQ==?=\r\n\
        Date: Mon, 3 Jun 2024 10:00:00 +0000\r\nContent-Type: text/plain; charset=\"utf-8\"\r\n\r\n";
    let signed = "Content-Type: multipart/signed; boundary=\"b\"; protocol=\"application/pkcs7-signature\"\r\n\r\n--b\r\n\
        Content-Type: text/plain\r\n\r\nsigned\r\n--b\r\nContent-Type: application/pkcs7-signature\r\n\r\nMII=\r\n--b--\r\n";
    let html = "<html><head><meta charset=\"utf-8\"><style>p{}</style></head><body><p>Gr&uuml;&szlig;e <b>&#x1F600;</b>\
        <table><tr><td>a</td><td>b</td></tr></table><ul><li>x</ul><img src=\"cid:p@x\"></body></html>";
    let mut report = Message::new("REPORT.IPM.Note.NDR", "Undeliverable")
        .from("Postmaster", "post@north.example")
        .prop(tags::REPORT_TEXT, "Not found")
        .to("Eva", "eva@south.example");
    report.recipients[0].insert(0x0C1B, "No such user".into());
    let meeting = Message::appointment("Meeting", start, start + 36_000_000_000, "Room")
        .prop(tags::MESSAGE_CLASS, "IPM.Schedule.Meeting.Request")
        .from("Ann", "ann@north.example")
        .to("Bob", "bob@north.example");
    vec![
        ("mail", mail()),
        ("headers", mail().headers(headers)),
        ("html", Message::mail("=?utf-8?Q?a?=\r\nX-Evil: 1").from("Ann\r\nX-Evil: 2", "a@x\r\nX-Evil: 3").html(html).attach(Attachment::data("p\r\nX-Evil: 1.png", sample::PIXEL).mime("image/png\r\nX-Evil: 2").content_id("p@x"))),
        ("rtf", Message::mail("Rich").rtf("{\\rtf1\\ansi\\ansicpg1252\\fromhtml1 {\\*\\htmltag64 <p>}\\htmlrtf x\\htmlrtf0 Text\\'fc}")),
        ("signed", Message::new("IPM.Note.SMIME.MultipartSigned", "Signed").attachment("smime.p7m", signed)),
        ("report", report),
        ("meeting", meeting),
        ("appointment", Message::appointment("Lunch", start, start + 36_000_000_000, "Café")),
        ("contact", Message::contact("Jane", "Doe", "jane@west.example")),
        ("list", Message::distribution_list("Board", &[("Ann", "ann@north.example"), ("Bob", "bob@x.example")])),
        ("task", Message::task("File", start, start, 0.25)),
        ("note", Message::sticky_note("Door 4711\r\nAsk Bob")),
        ("journal", Message::journal("Call", "Phone call", start, 30)),
        ("post", Message::new("IPM.Post", "Post").body("Text").attach(Attachment::reference(7, "https://x.example/a"))),
        ("ole", Message::mail("Object").attach(Attachment::ole("object", Payload::random(700, 3)))),
    ]
}

fn texts() -> Vec<(String, Vec<u8>)> {
    let rtf = "{\\rtf1\\ansi\\ansicpg1251\\fromhtml1 \\deff0{\\fonttbl{\\f0\\fcharset204 Arial;}}{\\*\\htmltag64 <p>}\\htmlrtf {\\htmlrtf0 \
        \\u1044?\\'e4\\par {\\field{\\*\\fldinst HYPERLINK \"http://x\"}{\\fldrslt link}}\\bin3 abc{\\*\\mhtmltag x}}";
    let plain = "{\\rtf1\\ansi\\deff0{\\fonttbl{\\f0\\fnil\\fcharset128 MS;}{\\f1\\fcharset2 Symbol;}}\\f0\\'82\\'a0\\tab{\\pntext 1.}{\\f1 \\'b7}\\cell\\row\\line\\uc2\\u8364 ??}";
    let html = "<!DOCTYPE html><!-- c --><p>a&amp;b&#65;&#x41;&nbsp;<br/><a href='x'>y</a><script>z</script><ol><li>1<li>2</ol><pre> x </pre>";
    let lzfu = |kind: u32, body: &[u8], raw: u32| {
        let crc = if kind == 0x414C_454D {
            0
        } else {
            crate::support::format::crc(body)
        };
        let mut out = Vec::new();
        for word in [body.len() as u32 + 12, raw, kind, crc] {
            out.extend(word.to_le_bytes());
        }
        out.extend(body);
        out
    };
    let with = |choice: u8, bytes: &[u8]| [&[choice], bytes].concat();
    let literal = b"\x00{\\rtf1 te\x00xt\\par}\xF0";
    vec![
        ("lzfu".into(), with(0, &lzfu(0x7546_5A4C, b"\x03\x00\x0A\x00rcpg125\x42\x32\x0A\xF3 hel\x09\x00 bw\x05\xB0ld}\x0A\x80\x0F\xA0", 43))),
        ("literal".into(), with(0, &lzfu(0x7546_5A4C, literal, 19))),
        ("mela".into(), with(0, &lzfu(0x414C_454D, rtf.as_bytes(), rtf.len() as u32))),
        ("fromhtml".into(), with(1, rtf.as_bytes())),
        ("plain".into(), with(1, plain.as_bytes())),
        ("html".into(), with(2, html.as_bytes())),
        ("932".into(), with(3, b"\xA4\x03\x82\xA0\x83\\\xB1")),
        ("utf7".into(), with(3, b"\xE8\xFDa+AOQ-b+2D3eAA-")),
        ("2022jp".into(), with(3, b"\x2C\xC4\x1B$B$\"\x1B(B\x1B(I1")),
        ("hz".into(), with(3, b"\xC8\xCE~{VPND~}")),
        ("1255".into(), with(3, b"\xE7\x04\xF9\xEC\xE5\xED")),
    ]
}

fn patterns() -> Vec<(String, Vec<u8>)> {
    let dates = |out: &mut Vec<u8>, days: &[u32]| {
        out.extend((days.len() as u32).to_le_bytes());
        days.iter()
            .for_each(|day| out.extend((day * 1440).to_le_bytes()));
    };
    let pattern =
        |frequency: u16, kind: u16, calendar: u16, period: u32, specific: &[u32], end: u32| {
            let mut out = Vec::new();
            for field in [0x3004, 0x3004, frequency, kind, calendar] {
                out.extend(field.to_le_bytes());
            }
            let words = [&[0, period, 0], specific, &[end, 10, 1]].concat();
            words.iter().for_each(|word| out.extend(word.to_le_bytes()));
            dates(&mut out, &[154_651, 154_658]);
            dates(&mut out, &[154_659]);
            out.extend((154_640u32 * 1440).to_le_bytes());
            out.extend((155_000u32 * 1440).to_le_bytes());
            out
        };
    let appointment = |mut out: Vec<u8>| {
        for word in [0x3006u32, 0x3009, 600, 660] {
            out.extend(word.to_le_bytes());
        }
        out.extend(1u16.to_le_bytes());
        for word in [
            154_659 * 1440 + 700,
            154_659 * 1440 + 760,
            154_658 * 1440 + 600u32,
        ] {
            out.extend(word.to_le_bytes());
        }
        out.extend(0x11u16.to_le_bytes());
        out.extend(b"\x04\x00\x03\x00abc\x03\x00\x02\x00xy");
        out.extend([0; 4]);
        out.extend([4, 0, 0, 0, 0, 0, 0, 0]);
        out.extend([0; 4]);
        for word in [
            154_659 * 1440 + 700,
            154_659 * 1440 + 760,
            154_658 * 1440 + 600u32,
        ] {
            out.extend(word.to_le_bytes());
        }
        out.extend(b"\x03\x00a\0b\0c\0\x02\x00x\0y\0");
        out.extend([0; 8]);
        out
    };
    let change = |month: u16, week: u16| {
        [0, month, 0, week, 2, 0, 0, 0]
            .into_iter()
            .flat_map(u16::to_le_bytes)
    };
    let mut structure = Vec::new();
    for bias in [-60i32, 0, -60] {
        structure.extend(bias.to_le_bytes());
    }
    for to in [change(10, 5), change(3, 5)] {
        structure.extend([0, 0]);
        structure.extend(to);
    }
    let mut definition = b"\x02\x01\x0C\x00\x02\x00\x03\x00U\0T\0C\0\x02\x00".to_vec();
    for year in [2006u16, 2012] {
        definition.extend([2, 1, 0x3E, 0, 2, 0]);
        definition.extend(year.to_le_bytes());
        definition.extend([0; 14]);
        for bias in [-60i32, 0, -60] {
            definition.extend(bias.to_le_bytes());
        }
        definition.extend(change(10, 5));
        definition.extend(change(3, 5));
    }
    let patterns = [
        ("daily", pattern(0x200A, 0, 0, 1440, &[], 0x2022)),
        ("weekly", pattern(0x200B, 1, 0, 2, &[0x2A], 0x2021)),
        ("monthly", pattern(0x200C, 2, 0, 1, &[31], 0x2023)),
        ("nth", pattern(0x200C, 3, 0, 3, &[0x3E, 5], 0x2022)),
        ("yearly", pattern(0x200D, 2, 0, 12, &[29], 0x2021)),
        ("end", pattern(0x200C, 4, 0, 1, &[0], 0x2022)),
        ("hijri", pattern(0x200D, 0xA, 6, 12, &[15], 0x2022)),
        ("hebrew", pattern(0x200D, 2, 8, 12, &[15], 0x2021)),
        ("chinese", pattern(0x200C, 3, 0xE, 1, &[1, 2], 0x2022)),
        ("korean", pattern(0x200D, 4, 0x12, 12, &[0], 0x2022)),
    ];
    patterns
        .into_iter()
        .map(|(name, pattern)| {
            let mut image = Image {
                head: [1, 0, 0, 0],
                ..Image::default()
            };
            image.push(recurrence::TASK, [0; 3], pattern.clone());
            image.push(recurrence::APPOINTMENT, [0; 3], appointment(pattern));
            image.push(recurrence::DEFINITION, [0; 3], definition.clone());
            image.push(recurrence::STRUCTURE, [0; 3], structure.clone());
            (name.to_owned(), image.encode())
        })
        .collect()
}
