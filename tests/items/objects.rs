//! OLE objects: pictures open and packed files come out, whatever is wrong with the object around them; file(1) tells what
//! they are.

use std::fs;
use std::path::Path;

use crate::mail_kinds::{Exported, mail, python};
use crate::mounted::run;
use crate::support::tags;
use crate::support::{Attachment, Message, component, compound_file};

const METAFILE: u32 = 0x315;
const BITMAP: u32 = 0x316;
const ENHANCED_METAFILE: u32 = 0x319;
const PACKAGE: u32 = 0x0003_000C;

fn words(words: &[u16]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect()
}

/// A metafile in memory with one record, that of its end. [MS-WMF] 2.3.2.2
fn metafile() -> Vec<u8> {
    words(&[1, 9, 0x300, 12, 0, 0, 3, 0, 0, 3, 0, 0])
}

/// Two pixels by two, in memory. [MS-WMF] 2.2.2.3
fn bitmap() -> Vec<u8> {
    let size = [numbers(&[40, 2, 2]), words(&[1, 24])].concat();
    let rest = numbers(&[0, 16, 2835, 2835, 0, 0]);
    [size, rest, vec![0x7F; 16]].concat()
}

/// An enhanced metafile with its header and its end. [MS-EMF] 2.3.4.2
fn enhanced_metafile() -> Vec<u8> {
    let bounds = numbers(&[1, 88, 0, 0, 10, 10, 0, 0, 100, 100]);
    let about = [
        b" EMF".to_vec(),
        numbers(&[0x10000, 108, 2]),
        words(&[1, 0]),
    ]
    .concat();
    let rest = numbers(&[0, 0, 0, 1024, 768, 320, 240]);
    let end = numbers(&[14, 20, 0, 16, 20]);
    [bounds, about, rest, end].concat()
}

/// An OLEPresentationStream. [MS-OLEDS] 2.3.4
fn presentation(format: u32, data: &[u8]) -> Vec<u8> {
    let head = [0xFFFF_FFFF, format, 4, 1, 0xFFFF_FFFF, 2, 0, 5000, 2500];
    let length = numbers(&[data.len() as u32]);
    [numbers(&head), length, data.to_vec(), vec![0; 18]].concat()
}

/// What the packager keeps.
fn package(label: &str, path: &str, data: &[u8], wide: Option<&str>) -> Vec<u8> {
    let mut bytes = words(&[2]);
    for text in [label, path] {
        bytes.extend(text.as_bytes());
        bytes.push(0);
    }
    bytes.extend(words(&[0, 3]));
    let temporary = b"C:\\Temp\\x.tmp\0";
    bytes.extend(numbers(&[temporary.len() as u32]));
    bytes.extend(temporary);
    bytes.extend(numbers(&[data.len() as u32]));
    bytes.extend(data);
    if let Some(path) = wide {
        for text in ["C:\\Temp\\x.tmp", "label", path] {
            let units: Vec<u16> = text.encode_utf16().collect();
            bytes.extend(numbers(&[units.len() as u32]));
            bytes.extend(words(&units));
        }
    }
    bytes
}

fn counted(bytes: &[u8]) -> Vec<u8> {
    [numbers(&[bytes.len() as u32]), bytes.to_vec()].concat()
}

/// An object of OLE 1.0. [MS-OLEDS] 2.2.5
fn first_version(class: &str, native: &[u8]) -> Vec<u8> {
    let class = counted(format!("{class}\0").as_bytes());
    let head = [numbers(&[0x501, 2]), class, numbers(&[0, 0])].concat();
    [head, counted(native)].concat()
}

fn kind(path: &Path) -> String {
    run("file", &["--brief", path.to_str().unwrap()])
}

/// An object with one picture in it, and what file(1) says of that.
struct Picture {
    name: &'static str,
    class: u32,
    stream: &'static str,
    bytes: Vec<u8>,
    extension: &'static str,
    expected: &'static str,
}

#[test]
fn pictures_of_ole_objects_are_files_that_programs_open() {
    let whole = [b"BM".to_vec(), numbers(&[70, 0, 54]), bitmap()].concat();
    const SHOWN: &str = "\u{2}OlePres000";
    let picture = |name, class, stream, bytes, extension, expected| Picture {
        name,
        class,
        stream,
        bytes,
        extension,
        expected,
    };
    let pictures = [
        picture("contents", BITMAP, "CONTENTS", whole, "bmp", "PC bitmap"),
        picture(
            "shown",
            BITMAP,
            SHOWN,
            presentation(8, &bitmap()),
            "bmp",
            "PC bitmap",
        ),
        picture(
            "metafile",
            METAFILE,
            SHOWN,
            presentation(3, &metafile()),
            "wmf",
            "Windows metafile",
        ),
        picture(
            "enhanced",
            ENHANCED_METAFILE,
            SHOWN,
            presentation(14, &enhanced_metafile()),
            "emf",
            "Windows Enhanced Metafile",
        ),
        picture(
            "raw",
            METAFILE,
            "CONTENTS",
            metafile(),
            "wmf",
            "Windows metafile",
        ),
    ];
    let message = pictures.iter().fold(mail("pictures"), |mail, picture| {
        let streams: [(&str, &[u8]); 2] =
            [("\u{1}Ole", &[0; 20]), (picture.stream, &picture.bytes)];
        let object = compound_file(component(picture.class), &streams);
        mail.attach(Attachment::ole(picture.name, object))
    });
    let exported = Exported::of([message], &[]);
    let directory = exported.attachments("pictures");
    for Picture {
        name,
        extension,
        expected,
        ..
    } in &pictures
    {
        let found = kind(&directory.join(format!("{name}.{extension}")));
        assert!(found.contains(expected), "{name}: {found}");
        assert!(kind(&directory.join(format!("{name}.ole"))).contains("Composite Document"));
    }
    // Where the pixels begin, and how long the file is, are as in a file that is known.
    let bytes = fs::read(directory.join("shown.bmp")).unwrap();
    assert_eq!(
        bytes[..14],
        [b"BM".to_vec(), numbers(&[70, 0, 54])].concat()
    );
    assert_eq!(bytes[14..], bitmap());
    // 5000 by 2500 hundredths of a millimetre; the words of the header, XOR, are its checksum.
    let bytes = fs::read(directory.join("metafile.wmf")).unwrap();
    let header: Vec<u16> = bytes[..22]
        .chunks(2)
        .map(|word| u16::from_le_bytes([word[0], word[1]]))
        .collect();
    assert_eq!(header[5..8], [5000, 2500, 2540]);
    assert_eq!(header.iter().fold(0, |sum, word| sum ^ word), 0);
    assert_eq!(bytes[22..], metafile());
    let names = "[p.get_filename() for p in m.walk() if p.get_filename()]";
    let names = python(&exported.path("pictures"), names);
    assert_eq!(names[0], "contents.ole");
    assert_eq!(names[1], "contents.bmp");
}

#[test]
fn a_packed_file_is_taken_out_of_its_object_under_its_own_name() {
    let large: Vec<u8> = (0..300_000_u32)
        .flat_map(|number| number.to_le_bytes())
        .collect();
    let packed = package("Offer", "C:\\Users\\ann\\offer.txt", b"the offer", None);
    let named = package(
        "?.txt",
        "C:\\?.txt",
        &large,
        Some("C:\\Users\\ann\\\u{6570}\u{636E}.txt"),
    );
    let object = |native: &[u8]| {
        let native = counted(native);
        compound_file(component(PACKAGE), &[("\u{1}Ole10Native", &native)])
    };
    let exported = Exported::of(
        [
            mail("packed").attach(Attachment::ole("Package", object(&packed))),
            mail("named").attach(Attachment::ole("Package", object(&named))),
            mail("old").attach(Attachment::ole(
                "Package",
                first_version("Package", &packed),
            )),
            mail("paint").attach(Attachment::ole(
                "Picture",
                first_version("PBrush", b"BM of Paint"),
            )),
        ],
        &[],
    );
    let read =
        |subject: &str, name: &str| fs::read(exported.attachments(subject).join(name)).unwrap();
    assert_eq!(read("packed", "offer.txt"), b"the offer");
    assert_eq!(read("named", "\u{6570}\u{636E}.txt"), large);
    assert_eq!(read("old", "offer.txt"), b"the offer");
    assert_eq!(
        read("old", "Package.ole"),
        first_version("Package", &packed)
    );
    assert_eq!(read("paint", "Picture.bmp"), b"BM of Paint");
    let payload = "[len(p.get_payload(decode=True)) for p in m.walk() if p.get_filename()]";
    let lengths = python(&exported.path("named"), payload);
    assert_eq!(lengths[1], large.len());
    assert!(exported.eml("packed").contains("filename=offer.txt\n"));
}

/// Every byte of the header, the table of sectors and the directory changed, and the file cut: no circle, no length and
/// no number may cost time or the object itself.
#[test]
fn a_damaged_object_costs_nothing_but_what_is_in_it() {
    let data = vec![b'x'; 5000];
    let native = counted(&package("a.txt", "a.txt", &data, None));
    let whole = compound_file(
        component(PACKAGE),
        &[("\u{1}Ole10Native", &native), ("small", b"x")],
    );
    let cut = (0..whole.len())
        .step_by(97)
        .map(|length| whole[..length].to_vec());
    let changed = (0..whole.len())
        .filter(|at| *at < 128 || *at >= native.len())
        .step_by(7);
    let changed = changed.flat_map(|at| {
        [0, 1, 0xFF].map(|value| {
            let mut object = whole.clone();
            object[at] = value;
            object
        })
    });
    let objects: Vec<Vec<u8>> = cut
        .filter(|object| !object.is_empty())
        .chain(changed)
        .collect();
    assert!(objects.len() > 500);
    let numbered = objects.iter().enumerate();
    let message = numbered.fold(mail("damaged"), |mail, (number, object)| {
        mail.attach(Attachment::ole(&format!("object {number}"), object.clone()))
    });
    let begin = std::time::Instant::now();
    let exported = Exported::of([message], &[]);
    assert!(begin.elapsed().as_secs() < 60);
    let directory = exported.attachments("damaged");
    for (number, object) in objects.iter().enumerate() {
        let file = directory.join(format!("object {number}.ole"));
        assert_eq!(&fs::read(file).unwrap(), object, "{number}");
    }
    let taken_out = fs::read_dir(&directory).unwrap().count() - objects.len();
    assert!((1..objects.len()).contains(&taken_out), "{taken_out}");
}

/// Where numbers lie in the compound files of these tests: the first sector of the directory, that of the list of further
/// table sectors, the first sector of the table. [MS-CFB] 2.2
const FIRST_DIRECTORY_SECTOR: usize = 48;
const FIRST_LIST_SECTOR: usize = 68;
const FIRST_TABLE_SECTOR: usize = 76;
/// In an entry of the directory: the sibling to the right, the first sector, the size.
const RIGHT_SIBLING: usize = 72;
const START: usize = 116;
const SIZE: usize = 120;
const ENTRY: usize = 128;
const SECTOR: usize = 512;
const FREE: u32 = 0xFFFF_FFFF;

fn number_at(object: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(object[at..at + 4].try_into().unwrap())
}

fn set_number(object: &mut [u8], at: usize, number: u32) {
    object[at..at + 4].copy_from_slice(&number.to_le_bytes());
}

/// Where a sector begins.
fn sector(number: u32) -> usize {
    SECTOR * (number as usize + 1)
}

/// Where the table says what follows a sector.
fn follower(object: &[u8], number: u32) -> usize {
    sector(number_at(object, FIRST_TABLE_SECTOR)) + 4 * number as usize
}

/// Chains that go in circles through a large object: none costs time or memory, and the object stays as it is.
#[test]
fn chains_of_an_object_that_go_in_circles_come_to_an_end() {
    /// So many sectors that a circle of two has more pieces than are followed.
    const LARGE: usize = 20 << 20;
    let native = counted(&package("a.txt", "a.txt", &[b'x'; 9000], None));
    let mut whole = compound_file(component(PACKAGE), &[("\u{1}Ole10Native", &native)]);
    whole.resize(LARGE, 0);
    let directory = number_at(&whole, FIRST_DIRECTORY_SECTOR);
    let stream = sector(directory) + ENTRY;
    let last = (LARGE / SECTOR) as u32 - 2;
    /// What is changed in the object, and whether the file in it is found all the same.
    type Change<'a> = (&'a str, &'a dyn Fn(&mut [u8]), bool);
    let changes: [Change<'_>; 6] = [
        ("nothing", &|_| (), true),
        (
            "stream",
            &|object| {
                let first = number_at(object, stream + START);
                let second = number_at(object, follower(object, first));
                set_number(object, follower(object, second), first);
                set_number(object, stream + SIZE, (LARGE - SECTOR) as u32);
            },
            false,
        ),
        (
            "directory",
            &|object| set_number(object, follower(object, directory), directory),
            false,
        ),
        (
            "siblings",
            &|object| set_number(object, stream + RIGHT_SIBLING, 1),
            true,
        ),
        (
            "empty list of the table",
            &|object| {
                set_number(object, FIRST_LIST_SECTOR, last);
                object[sector(last)..sector(last) + SECTOR].fill(0xFF);
                set_number(object, sector(last) + SECTOR - 4, last);
            },
            true,
        ),
        (
            "list of the table",
            &|object| {
                set_number(object, FIRST_LIST_SECTOR, last);
                for entry in 0..SECTOR / 4 - 1 {
                    let number = if entry % 2 == 0 { 0 } else { 2 };
                    set_number(object, sector(last) + 4 * entry, number);
                }
                set_number(object, sector(last) + SECTOR - 4, last);
                // The header lists the table in full, so that nothing but the circle is wrong.
                assert_eq!(number_at(object, FIRST_TABLE_SECTOR + 4), FREE);
            },
            false,
        ),
    ];
    let objects = changes.map(|(name, change, is_found)| {
        let mut object = whole.clone();
        change(&mut object);
        (name, object, is_found)
    });
    let message = objects
        .iter()
        .fold(mail("circles"), |mail, (name, object, _)| {
            mail.attach(Attachment::ole(name, object.clone()))
        });
    let begin = std::time::Instant::now();
    let exported = Exported::of([message], &["-o", "attachments=dir"]);
    assert!(begin.elapsed().as_secs() < 60, "{:?}", begin.elapsed());
    let directory = exported.attachments("circles");
    for (name, object, _) in &objects {
        let shown = fs::read(directory.join(format!("{name}.ole"))).unwrap();
        assert!(shown == *object, "{name}");
    }
    let taken_out = fs::read_dir(&directory).unwrap().count() - objects.len();
    let expected = objects.iter().filter(|(_, _, is_found)| *is_found).count();
    assert_eq!(taken_out, expected);
}

/// MacBinary II: a file with this data and these resources, each filled up to 128 bytes. RFC 1740, appendix
fn mac_binary(data: &[u8], resources: &[u8]) -> Vec<u8> {
    let mut file = vec![0; 128];
    file[1] = 8;
    file[2..10].copy_from_slice(b"note.txt");
    file[83..87].copy_from_slice(&(data.len() as u32).to_be_bytes());
    file[87..91].copy_from_slice(&(resources.len() as u32).to_be_bytes());
    for fork in [data, resources] {
        file.extend(fork);
        file.resize(file.len().next_multiple_of(128), 0);
    }
    file
}

#[test]
fn a_file_from_a_mac_is_its_data_and_its_resources_are_not_lost() {
    let encoding = vec![0x2A, 0x86, 0x48, 0x86, 0xF7, 0x14, 0x03, 0x0B, 0x01];
    let both = mac_binary(b"data", b"resources");
    let old = mac_binary(b"", b"resources");
    let files = [
        ("plain.txt", mac_binary(b"data", b"")),
        ("both.txt", both.clone()),
        ("old.txt", old.clone()),
    ];
    let attach = |message: Message, (name, bytes): &(&str, Vec<u8>)| {
        let file =
            Attachment::data(name, bytes.clone()).prop(tags::ATTACH_ENCODING, encoding.clone());
        message.attach(file)
    };
    let message = files.iter().fold(mail("mac"), attach);
    let exported = Exported::of([message], &["-o", "attachments=dir"]);
    let directory = exported.attachments("mac");
    let found = |name: &str| fs::read(directory.join(name)).ok();
    assert_eq!(found("plain.txt").as_deref(), Some(&b"data"[..]));
    assert_eq!(found("plain.txt.bin"), None);
    assert_eq!(found("both.txt").as_deref(), Some(&b"data"[..]));
    assert_eq!(found("both.txt.bin"), Some(both));
    assert_eq!(found("old.txt").as_deref(), Some(&b""[..]));
    assert_eq!(found("old.txt.bin"), Some(old));
}
