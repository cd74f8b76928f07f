//! Structures that are wrong under checksums that are right, as a faulty writer or a repair tool leaves them: what they lead
//! to is found by other evidence, and each item that it concerns says so. Files of our own writer, in all formats.

use crate::intact::{Intact, fill_inbox, for_each_format, message, options};
use crate::support::damage::Heap;
use crate::support::ndb::SubNode;
use crate::support::*;
use crate::walk::{Walked, check};

const MESSAGES: u32 = 12;
/// The message that is damaged.
const DAMAGED: usize = 4;
const PROPERTIES: [u32; 2] = [0x21, 0x61];
const PID_TAG_ATTACH_DATA: u16 = 0x3701;
const PID_TAG_ATTACH_LONG_FILENAME: u16 = 0x3707;

fn file(format: Format, crypt: Crypt) -> Intact {
    Intact::write(options(format, crypt), |store| {
        fill_inbox(store, (0..MESSAGES).map(message))
    })
}

/// A part of a message: its node among the subnodes.
fn part(file: &Intact, wanted: impl Fn(u32) -> bool) -> SubNode {
    let list = file.layout.node(file.messages[DAMAGED]).sub;
    let parts = file.damage().subnodes(list);
    parts.into_iter().find(|part| wanted(part.nid)).unwrap()
}

fn attachment(file: &Intact) -> SubNode {
    part(file, |nid| nid & 0x1F == 5)
}

fn recipients(file: &Intact) -> SubNode {
    part(file, |nid| nid == 0x692)
}

/// The header of the damaged message, and its text, with lines unfolded.
fn mail(walked: &Walked) -> String {
    let end = format!("Message {DAMAGED}.eml");
    let found = walked.files.iter().find(|(path, _)| path.ends_with(&end));
    let (_, bytes) = found.expect("it is listed");
    let text = String::from_utf8_lossy(bytes).replace('\r', "");
    text.replace("\n ", " ")
}

/// All items and attachments are under their names, with the bytes that they had; but mail that says what is wrong with it.
fn shows_all(file: &Intact, walked: &Walked) {
    assert_eq!(walked.failed, [""; 0]);
    let names = |files: &crate::walk::Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&walked.files), names(&file.whole));
    for (path, bytes) in &walked.files {
        let says = || String::from_utf8_lossy(bytes).contains("X-Ostfs-Problem: ");
        assert!(file.whole.get(path) == Some(bytes) || says(), "{path}");
    }
}

fn has_errors(file: &Intact) {
    assert!(check(&file.path).unwrap().errors > 0, "check found nothing");
}

/// As [`shows_all`], and says of the damaged message what is wrong with it, as `check` does.
fn shows_all_and_tells(file: &Intact, problem: &str) {
    let (walked, _) = file.walked();
    shows_all(file, &walked);
    let mail = mail(&walked);
    assert!(mail.contains(problem), "{mail}");
    has_errors(file);
}

/// What may happen to the list of properties in the heap `data`, which stays where it is.
fn property_list_damages() -> [fn(&Damage, u64); 6] {
    [
        // hidUserRoot.
        |damage, data| damage.edit_heap(data, |heap| heap.root(0)),
        |damage, data| damage.edit_heap(data, |heap| heap.root(0x40)),
        // cbKey, cbEnt, bIdxLevels and hidRoot of the BTH.
        |damage, data| damage.edit_heap(data, |heap| heap.user_root()[1] = 4),
        |damage, data| damage.edit_heap(data, |heap| heap.user_root()[2] = 5),
        |damage, data| damage.edit_heap(data, |heap| heap.user_root()[3] = 1),
        |damage, data| damage.edit_heap(data, |heap| heap.user_root()[4..].fill(0)),
    ]
}

#[test]
fn a_list_of_properties_that_nothing_leads_to_is_found() {
    for damages in property_list_damages() {
        for_each_format(file, |file| {
            damages(&file.damage(), attachment(&file).data);
            let (walked, _) = file.walked();
            shows_all(&file, &walked);
            let mail = mail(&walked);
            let problem = "X-Ostfs-Problem: attachment \"data.bin\", list of properties: ";
            assert!(mail.contains(problem), "{mail}");
            has_errors(&file);
        });
        for_each_format(file, |file| {
            let message = file.layout.node(file.messages[DAMAGED]);
            damages(&file.damage(), message.data);
            let (walked, _) = file.walked();
            shows_all(&file, &walked);
            let mail = mail(&walked);
            assert!(mail.contains("X-Ostfs-Problem: list of prop"), "{mail}");
            has_errors(&file);
        });
        for node in PROPERTIES {
            for_each_format(file, |file| {
                damages(&file.damage(), file.layout.node(node).data);
                let (walked, problems) = file.walked();
                shows_all(&file, &walked);
                assert!(problems.contains("list of properties"), "{problems}");
                has_errors(&file);
            });
        }
    }
}

#[test]
fn keys_of_a_list_of_properties_that_do_not_ascend_are_told() {
    for_each_format(file, |file| {
        let damage = file.damage();
        let data = file.layout.node(file.messages[DAMAGED]).data;
        damage.edit_heap(data, |heap| {
            let records = heap.records();
            let reversed: Vec<[u8; 8]> = records.as_chunks().0.iter().rev().copied().collect();
            records.copy_from_slice(reversed.as_flattened());
        });
        shows_all_and_tells(
            &file,
            "X-Ostfs-Problem: list of properties: expected ids that ascend",
        );
    });
}

#[test]
fn an_attachment_without_properties_has_the_name_that_the_table_has() {
    for_each_format(file, |file| {
        file.damage().edit_heap(attachment(&file).data, |heap| {
            heap.records().fill(0xFF);
            heap.user_root()[4..].fill(0);
        });
        shows_all_and_tells(
            &file,
            "its properties are lost, and it is shown as \"data.bin\", as in the",
        );
    });
}

#[test]
fn a_message_whose_subnodes_are_not_named_says_what_it_lacks() {
    for_each_format(file, |file| {
        let damage = file.damage();
        let nid = file.messages[DAMAGED];
        damage.set_node(nid, file.layout.node(nid).data, 0, file.inbox);
        let mail = mail(&file.walked().0);
        for part in ["attachments", "recipients"] {
            let problem = format!("X-Ostfs-Problem: {part}: there are none, but");
            assert!(mail.contains(&problem), "{mail}");
        }
        has_errors(&file);
    });
}

#[test]
fn content_that_its_property_does_not_lead_to_is_found_or_said_to_be_lost() {
    for_each_format(file, |file| {
        file.damage().edit_heap(attachment(&file).data, |heap| {
            heap.record(PID_TAG_ATTACH_DATA)[4..].fill(0);
        });
        shows_all_and_tells(
            &file,
            "attachment \"data.bin\", property 0x3701: nothing leads to it",
        );
    });
    let small = |number| {
        Message::mail(&format!("Message {number}")).attachment("data.bin", Payload::random(900, 1))
    };
    let file = |format, crypt| {
        Intact::write(options(format, crypt), |store| {
            fill_inbox(store, (0..MESSAGES).map(small))
        })
    };
    for_each_format(file, |file| {
        file.damage().edit_heap(attachment(&file).data, |heap| {
            heap.record(PID_TAG_ATTACH_DATA)[4..].fill(0);
        });
        shows_all_and_tells(
            &file,
            "attachment \"data.bin\", list of properties: property 0x3701 led to no value; the only item",
        );
    });
    for_each_format(file, |file| {
        file.damage().edit_heap(attachment(&file).data, |heap| {
            heap.record(PID_TAG_ATTACH_DATA)[4..].fill(0);
            // Its name is given to nothing, too: so that neither is known.
            heap.record(PID_TAG_ATTACH_LONG_FILENAME)[4..].fill(0);
        });
        let mail = mail(&file.walked().0);
        let problem = "property 0x3701: empty, but PidTagAttachSize is";
        assert!(mail.contains(problem), "{mail}");
        let problem = "and others belong to no property";
        assert!(mail.contains(problem), "{mail}");
        has_errors(&file);
    });
}

#[test]
fn what_a_row_does_not_tell_any_more_is_asked_of_the_message() {
    for_each_format(file, |file| {
        let contents = file.layout.node(contents_table(file.inbox));
        file.damage().edit_heap(contents.data, |heap| {
            let subject = format!("Message {DAMAGED}");
            let wide: Vec<u8> = subject.bytes().flat_map(|byte| [byte, 0]).collect();
            heap.break_item(|item| item.ends_with(&wide) || item.ends_with(subject.as_bytes()));
        });
        let (walked, problems) = file.walked();
        shows_all(&file, &walked);
        assert!(problems.contains("contents table, row 0x"), "{problems}");
        has_errors(&file);
    });
}

/// Offsets of TCINFO: `cCols`, `hidRowIndex`, `hnidRows`.
const COLUMNS: usize = 1;
const ROW_INDEX: usize = 10;
const ROWS: usize = 14;

#[test]
fn recipients_that_are_lost_with_their_rows_are_told() {
    for_each_format(file, |file| {
        file.damage().edit_heap(recipients(&file).data, |heap| {
            heap.user_root()[ROWS..][..4].fill(0);
        });
        let mail = mail(&file.walked().0);
        let problem = "hnidRows: none, but the row index has 1";
        assert!(mail.contains("X-Ostfs-Problem: recipients: "), "{mail}");
        assert!(mail.contains(problem), "{mail}");
        has_errors(&file);
    });
}

#[test]
fn rows_without_an_index_and_columns_that_are_not_counted_are_used() {
    let damages: [fn(&mut [u8]); 2] = [
        |table| table[ROW_INDEX..][..4].fill(0),
        |table| table[COLUMNS] = 1,
    ];
    for damages in damages {
        for_each_format(file, |file| {
            let damage = file.damage();
            damage.edit_heap(recipients(&file).data, |heap| damages(heap.user_root()));
            let (walked, _) = file.walked();
            shows_all(&file, &walked);
            let mail = mail(&walked);
            assert!(mail.contains("X-Ostfs-Problem: recipients: "), "{mail}");
            assert!(mail.contains("bob@north.example"), "{mail}");
            has_errors(&file);
        });
    }
}

/// Properties of text: PidTagMessageClass, PidTagSubject, PidTagSenderName, PidTagBody.
const TEXTS: [u16; 4] = [0x001A, 0x0037, 0x0C1A, 0x1000];

#[test]
fn a_property_that_leads_to_anothers_value_or_to_none_is_told() {
    for id in TEXTS {
        for_each_format(file, |file| {
            let data = file.layout.node(file.messages[DAMAGED]).data;
            let record = |heap: &mut Heap<'_>| heap.record(id)[4..].to_vec();
            for damages in [
                (|heap: &mut Heap<'_>, id: u16| heap.record(id)[4..].fill(0))
                    as fn(&mut Heap<'_>, u16),
                |heap, id| heap.record(id)[4..].copy_from_slice(&0xFFE0u32.to_le_bytes()),
            ] {
                file.damage().edit_heap(data, |heap| {
                    assert_ne!(record(heap), [0; 4]);
                    damages(heap, id);
                });
                let (walked, _) = file.walked();
                shows_all(&file, &walked);
                let text = mail(&walked);
                let problem = format!(
                    "X-Ostfs-Problem: list of properties: property {id:#06x} led to no value"
                );
                assert!(text.contains(&problem), "{text}");
                assert!(
                    text.contains(&format!("Subject: Message {DAMAGED}")),
                    "{text}"
                );
                assert!(text.contains(&format!("Text {DAMAGED}")), "{text}");
                has_errors(&file);
                std::fs::write(&file.path, &file.bytes).unwrap();
            }
            // The value of the one that is next to it.
            file.damage().edit_heap(data, |heap| {
                let other = TEXTS.into_iter().find(|other| *other != id).unwrap();
                let value = heap.record(other)[4..].to_vec();
                heap.record(id)[4..].copy_from_slice(&value);
            });
            let text = mail_by_node(&file, &file.walked().0);
            assert!(
                text.contains("of the heap belongs to no property; properties 0x"),
                "{text}"
            );
            has_errors(&file);
        });
    }
}

/// The mail of the damaged message, whatever its name.
fn mail_by_node(file: &Intact, walked: &Walked) -> String {
    let node = format!("X-Ostfs-Node: {:#x}", file.messages[DAMAGED]);
    let texts = walked
        .files
        .values()
        .map(|bytes| String::from_utf8_lossy(bytes));
    let texts = texts.map(|text| text.replace('\r', "").replace("\n ", " "));
    texts
        .into_iter()
        .find(|text| text.contains(&node))
        .expect("it is listed")
}

#[test]
fn a_recipient_with_the_name_of_another_is_told() {
    for_each_format(file, |file| {
        let row = |heap: &mut Heap<'_>| {
            let rows = u32::from_le_bytes(heap.user_root()[ROWS..][..4].try_into().unwrap());
            heap.item(rows).to_vec()
        };
        file.damage().edit_heap(recipients(&file).data, |heap| {
            let columns: Vec<Vec<u8>> = heap.user_root()[22..]
                .chunks_exact(8)
                .map(<[u8]>::to_vec)
                .collect();
            let place = |id: u16| {
                let found = columns
                    .iter()
                    .find(|column| column[2..4] == id.to_le_bytes());
                usize::from(u16::from_le_bytes(found.unwrap()[4..6].try_into().unwrap()))
            };
            // PidTagDisplayName, PidTagEmailAddress.
            let (name, address) = (place(0x3001), place(0x3003));
            let value = row(heap)[address..][..4].to_vec();
            let rows = u32::from_le_bytes(heap.user_root()[ROWS..][..4].try_into().unwrap());
            heap.item(rows)[name..][..4].copy_from_slice(&value);
        });
        let mail = mail(&file.walked().0);
        assert!(
            mail.contains("X-Ostfs-Problem: recipients: item 0x"),
            "{mail}"
        );
    });
}

#[test]
fn of_a_property_that_a_list_has_twice_the_one_with_a_value_is_shown() {
    const BODY: u16 = 0x1000;
    /// The next property, which becomes a second body: a Unicode string without a value.
    const EMPTY: u16 = 0x1001;
    let file = |format, crypt| {
        Intact::write(options(format, crypt), |store| {
            let text = Value::Str8(b"The only text".to_vec());
            let mail = message(0).prop(BODY, text).prop(EMPTY, "");
            fill_inbox(store, [mail])
        })
    };
    for_each_format(file, |file| {
        let properties = file.layout.node(file.messages[0]).data;
        file.damage().edit_heap(properties, |heap| {
            heap.record(EMPTY)[..2].copy_from_slice(&BODY.to_le_bytes());
        });
        let (walked, problems) = file.walked();
        let mut mails = walked
            .files
            .iter()
            .filter(|(path, _)| path.ends_with(".eml"));
        let (_, mail) = mails.next().unwrap();
        let mail = String::from_utf8_lossy(mail);
        assert!(mail.contains("The only text"), "{mail}\n{problems}");
    });
}

/// Streams of the named property map.
const GUID_STREAM: u16 = 0x0002;
const ENTRY_STREAM: u16 = 0x0003;
const STRING_STREAM: u16 = 0x0004;

#[test]
fn items_that_lost_the_names_of_their_properties_say_so() {
    let named = |number| {
        message(number).named_text(PS_PUBLIC_STRINGS, "Keywords", format!("K{number}").as_str())
    };
    let file = |format, crypt| {
        Intact::write(options(format, crypt), |store| {
            let (inbox, mut nodes) = fill_inbox(store, (0..MESSAGES).map(named));
            let time = filetime(2024, 5, 1, 9, 0);
            let meeting = Message::appointment("Review", time, time, "Room 7");
            nodes.push(store.message(inbox, meeting));
            // It has no property that the map names.
            nodes.push(store.message(inbox, message(MESSAGES).subject("Plain")));
            (inbox, nodes)
        })
    };
    let damages: [fn(&mut Heap<'_>); 3] = [
        |heap| heap.record(ENTRY_STREAM)[4..].fill(0),
        |heap| heap.record(STRING_STREAM)[4..].fill(0),
        |heap| heap.value(GUID_STREAM).fill(0),
    ];
    for (number, damages) in damages.into_iter().enumerate() {
        for_each_format(file, |file| {
            let map = file.layout.node(0x61).data;
            file.damage().edit_heap(map, damages);
            let (walked, problems) = file.walked();
            let mut changed = 0;
            for (path, bytes) in &file.whole {
                let text = String::from_utf8_lossy(&walked.files[path]).replace("\r\n ", " ");
                let is_item = !path.contains(".attachments/");
                let says = text.to_lowercase().contains("x-ostfs-problem");
                assert!(walked.files[path] == *bytes || says || !is_item, "{path}");
                assert!(!says || !path.ends_with(" Plain.eml"), "{path}: {text}");
                changed += usize::from(says);
            }
            assert!(changed > 0, "{number}: {:?}", file.layout.options.format);
            assert!(problems.contains("the named property map: "), "{problems}");
            has_errors(&file);
        });
    }
}

#[test]
fn blocks_that_are_listed_in_another_order_or_twice_are_told() {
    const LONG: u64 = 300_000;
    let long = |number| {
        message(number).attachment("long.bin", Payload::random(LONG, u64::from(number) + 100))
    };
    let file = |format, crypt| {
        Intact::write(options(format, crypt), |store| {
            fill_inbox(store, (0..6).map(long))
        })
    };
    for is_twice in [false, true] {
        for_each_format(file, |file| {
            let damage = file.damage();
            let content = damage.attachment_data(file.messages[DAMAGED], 1);
            let leaves = damage.leaves(content);
            assert!(leaves.len() > 2);
            damage.edit_block(content, |list| {
                let word = file.layout.geo.word();
                let last = 8 + (leaves.len() - 1) * word;
                match is_twice {
                    true => list.copy_within(8..8 + word, 8 + word),
                    false => {
                        let (before, end) = list.split_at_mut(last);
                        before[8..][..word].swap_with_slice(&mut end[..word]);
                    }
                }
            });
            let (_, problems) = file.walked();
            let place = "attachment \"long.bin\", property 0x3701, bytes 0 to 299999: may be wrong";
            assert!(problems.contains(place), "{problems}");
            has_errors(&file);
        });
    }
}

/// HNHDR from bSig on, BTHHEADER of the row index and TCINFO up to its columns, as the writer of the tests puts them. [MS-PST] 2.3.1.2,
/// 2.3.2.1, 2.3.4.1
const LEADS_TO_ROWS: [std::ops::Range<u64>; 2] = [2..8, 12..42];

/// HNHDR.hidUserRoot, [MS-PST] 2.3.1.2.
const USER_ROOT: std::ops::Range<u64> = 4..8;

#[test]
fn a_damaged_byte_of_what_leads_to_a_long_list_of_properties_costs_none() {
    // More than an item of the heap has room for: so the list has two levels. What is shown of mail is before them and behind.
    const MORE: std::ops::Range<u16> = 0x0200..0x0600;
    /// BTHHEADER of such a list: bType, cbKey, cbEnt, of which a byte is damaged, and bIdxLevels. [MS-PST] 2.3.2.1
    const HEADER: [u8; 4] = [0xB5, 2, 6, 1];
    let file = |format, crypt| {
        Intact::write(options(format, crypt), |store| {
            let messages = (0..MESSAGES).map(|number| match number as usize {
                DAMAGED => MORE.fold(message(number), |message, id| message.prop(id, 7)),
                _ => message(number),
            });
            fill_inbox(store, messages)
        })
    };
    for_each_format(file, |file| {
        let node = file.layout.node(file.messages[DAMAGED]);
        let first = file.damage().leaves(node.data)[0];
        let block = file.damage().payload(first);
        let mut places = block.windows(HEADER.len());
        let header = places.position(|bytes| bytes == HEADER).unwrap() as u64;
        for at in USER_ROOT.chain(header..header + 3) {
            file.damage().flip_block(first, at);
            let (walked, _) = file.walked();
            shows_all(&file, &walked);
            let mail = mail(&walked);
            for text in [
                "Ann Adams <ann@north.example>",
                "bob@north.example",
                "Text 4",
            ] {
                assert!(mail.contains(text), "byte {at}: {text}: {mail}");
            }
            assert!(mail.contains("\nX-Ostfs-Problem: "), "byte {at}: {mail}");
            file.damage().flip_block(first, at);
        }
    });
}

/// What such a table is, its columns alone tell; where the checksum is right, it was written so, and is an error.
#[test]
fn a_table_that_its_damaged_heap_does_not_lead_to_is_found() {
    const ROW_INDEX_ITEM: u32 = 0x20;
    for_each_format(file, |file| {
        let damage = file.damage();
        let data = recipients(&file).data;
        damage.edit_heap(data, |heap| heap.root(ROW_INDEX_ITEM));
        let address = format!("\nTo: Bob {DAMAGED} <bob@north.example>\n");
        let written = mail(&file.walked().0);
        assert!(written.contains("bType: expected 0x7c"), "{written}");
        assert!(!written.contains(&address), "{written}");
        damage.wrong_block_crc(data);
        let damaged = mail(&file.walked().0);
        assert!(damaged.contains(&address), "{damaged}");
        assert!(damaged.contains("X-Ostfs-Problem: recipients"), "{damaged}");
    });
}

#[test]
fn a_column_whose_size_is_damaged_costs_no_other_one() {
    /// Where the columns begin in TCINFO, and what each takes: its id is at 2, `cbData` at 6. [MS-PST] 2.3.4.1, 2.3.4.2
    const COLUMNS: usize = 22;
    const COLUMN: usize = 8;
    /// What makes the field To: and what names the row.
    const NEEDED: [u16; 6] = [0x0C15, 0x3001, 0x3002, 0x3003, 0x39FE, 0x67F2];
    for_each_format(file, |file| {
        let damage = file.damage();
        let data = recipients(&file).data;
        let mut block = damage.payload(data);
        let info = Heap(&mut block).user_root().to_vec();
        let mut places = block.windows(info.len());
        let start = places.position(|bytes| bytes == info).unwrap();
        let mut tried = 0;
        for at in (COLUMNS..info.len()).step_by(COLUMN) {
            let id = u16::from_le_bytes([info[at + 2], info[at + 3]]);
            if NEEDED.contains(&id) {
                continue;
            }
            tried += 1;
            let size = (start + at + 6) as u64;
            damage.flip_block(data, size);
            let mail = mail(&file.walked().0);
            let to = format!("\nTo: Bob {DAMAGED} <bob@north.example>\n");
            assert!(mail.contains(&to), "{id:#x}: {mail}");
            damage.flip_block(data, size);
        }
        assert!(tried > 3, "{tried}");
    });
}

#[test]
fn a_damaged_byte_of_what_leads_to_the_recipients_of_a_message_costs_none_and_is_told() {
    for_each_format(file, |file| {
        let data = recipients(&file).data;
        for at in LEADS_TO_ROWS.into_iter().flatten() {
            file.damage().flip_block(data, at);
            let (walked, _) = file.walked();
            assert_eq!(walked.failed, [""; 0]);
            let mail = mail(&walked);
            let to = format!("\nTo: Bob {DAMAGED} <bob@north.example>\n");
            assert!(mail.contains(&to), "byte {at}: {mail}");
            assert!(
                mail.contains("\nX-Ostfs-Problem: recipients"),
                "byte {at}: {mail}"
            );
            has_errors(&file);
            file.damage().flip_block(data, at);
        }
    });
}
