//! What is found within PDF files, by processes of their own that no file can harm others through.

use std::fs;
use std::time::{Duration, Instant};

use miniz_oxide::deflate::compress_to_vec_zlib;

use super::Scene;
use super::attached::with_attachments;
use crate::mounted::run;
use crate::programs::installed;
use crate::support::pdf::{LEVEL, compressed, page, pdf, saying, stream};

fn files(files: &[(&str, Vec<u8>)]) -> Scene {
    let files = files.iter();
    with_attachments(
        files
            .map(|(name, bytes)| (format!("{name}.pdf"), bytes.clone()))
            .collect(),
    )
}

#[test]
fn words_are_found_however_they_are_stored() {
    // By code page; by a map to Unicode; with kerning within a word; words that are apart in place alone; on the second line.
    let map = b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <FF> endcodespacerange \
        2 beginbfchar <61> <0436> <62> <0443> endbfchar endcmap end";
    let mapped = page(
        stream("", b"BT /F 12 Tf 50 700 Td (abab) Tj ET"),
        "/ToUnicode 5 0 R",
        vec![compressed("", map)],
    );
    let kerned = page(
        stream(
            "",
            b"BT /F 12 Tf 50 700 Td [(ke) 30 (rning) -400 (gap)] TJ 0 -14 Td (second line) Tj ET",
        ),
        "/Encoding /WinAnsiEncoding",
        vec![],
    );
    let placed = page(
        stream(
            "",
            b"BT /F 12 Tf 50 700 Td (left) Tj 100 0 Td (right) Tj ET",
        ),
        "/Encoding /WinAnsiEncoding",
        vec![],
    );
    let scene = files(&[
        ("latin", saying("Gr\\374\\337e aus K\\366ln")),
        ("mapped", mapped),
        ("kerned", kerned),
        ("placed", placed),
    ]);
    for (query, found) in [
        ("\"grusse aus koln\"", &["latin"][..]),
        ("жужу", &["mapped"]),
        ("kerning", &["kerned"]),
        ("gap", &["kerned"]),
        ("\"second line\"", &["kerned"]),
        ("left", &["placed"]),
        ("right", &["placed"]),
    ] {
        assert_eq!(scene.found(&[], query), found, "{query}");
    }
    let (_, errors, _) = scene.run(&[], "nowhere");
    assert_eq!(errors, "", "all were looked into");
}

#[test]
fn a_word_divided_between_lines_is_found_whole_and_by_its_halves() {
    let lines = b"BT /F 12 Tf 50 700 Td (the hydran-) Tj 0 -14 Td (gea and well-) Tj 0 -14 Td (known lupins) Tj \
        0 -14 Td (from Baden-) Tj 0 -14 Td (Baden) Tj ET";
    let divided = page(stream("", lines), "/Encoding /WinAnsiEncoding", vec![]);
    let scene = files(&[("divided", divided)]);
    for query in [
        "hydrangea",
        "\"the hydrangea and\"",
        "hydran",
        "known",
        "\"baden baden\"",
    ] {
        assert_eq!(scene.found(&[], query), ["divided"], "{query}");
    }
    assert!(scene.found(&[], "badenbaden").is_empty(), "a name");
}

/// As browsers print them: placed from left to right, so the last letter of a line comes first.
#[test]
fn words_from_right_to_left_are_found_as_they_are_read() {
    let of_letters = |letters: &[u32], content: &[u8]| {
        let letters = letters.iter().zip(b'a'..);
        let letters: String = letters
            .map(|(letter, code)| format!("<{code:02x}> <{letter:04x}> "))
            .collect();
        let map = format!(
            "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <FF> endcodespacerange \
             6 beginbfchar {letters} endbfchar endcmap end"
        );
        let more = vec![compressed("", map.as_bytes())];
        page(stream("", content), "/ToUnicode 5 0 R", more)
    };
    // ש ל ו ם ע and, for what stays as it is, A; in Arabic the forms of letters at the end, in the middle and at the start.
    let hebrew = of_letters(
        &[0x5e9, 0x5dc, 0x5d5, 0x5dd, 0x5e2, 0x41],
        b"BT /F 12 Tf 50 700 Td (2024 dbce dcba) Tj 0 -14 Td (fff dcba ff) Tj ET",
    );
    let arabic = of_letters(
        &[0xfe8e, 0xfe92, 0xfea3, 0xfeae, 0xfee3, 0x41],
        b"BT /F 12 Tf 50 700 Td (abcde) Tj ET",
    );
    let scene = files(&[("hebrew", hebrew), ("arabic", arabic)]);
    for (query, found) in [
        ("שלום", &["hebrew"][..]),
        ("\"שלום עולם 2024\"", &["hebrew"]),
        ("\"aaa שלום aa\"", &["hebrew"]),
        ("مرحبا", &["arabic"]),
    ] {
        assert_eq!(scene.found(&[], query), found, "{query}");
    }
}

/// A program that is built upon the library is not ostfs, and would do again, without end, whatever it does.
#[test]
fn a_program_that_is_not_ostfs_is_never_started_as_a_reader() {
    let scene = files(&[("good", saying("lupin"))]);
    let words = ["ostfs", "search", "--count", "-o", "sandbox=off", "--"].map(Into::into);
    let ends = [scene.file.clone().into(), "lupin".into()];
    let searched = ostfs::cli::run(words.into_iter().chain(ends).collect());
    assert!(searched.is_err(), "nobody reads it, so nothing is found");
    let started_anew = fs::read_dir("/proc").unwrap().flatten().filter(|process| {
        let has = |file: &str, text: &str| {
            fs::read_to_string(process.path().join(file)).is_ok_and(|read| read.contains(text))
        };
        has("comm", "exe\n") && has("status", &format!("\nPPid:\t{}\n", std::process::id()))
    });
    assert_eq!(started_anew.count(), 0);
}

#[test]
fn what_another_program_wrote_is_found_within_attached_mail_too() {
    if !installed(&["mandoc"]) {
        return;
    }
    let made = tempfile::tempdir().unwrap();
    let source = made.path().join("page.1");
    let text = ".TH PAGE 1 2024-05-01\n.SH NAME\npage \\- hydrangea and lupin\n.SH DESCRIPTION\n.B bold\nprimrose\n";
    fs::write(&source, text).unwrap();
    let script = format!("mandoc -T pdf '{}' >'{0}.pdf'", source.display());
    run("sh", &["-c", &script]);
    let pdf = fs::read(made.path().join("page.1.pdf")).unwrap();
    assert!(pdf.starts_with(b"%PDF-"));
    run(
        "sh",
        &[
            "-c",
            &format!("base64 '{0}.pdf' >'{0}.txt'", source.display()),
        ],
    );
    let encoded = fs::read_to_string(made.path().join("page.1.txt")).unwrap();
    let mail = format!(
        "Subject: with a page\r\nMIME-Version: 1.0\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n{encoded}"
    );
    let scene = with_attachments(vec![
        ("own.pdf".into(), pdf),
        ("mail.eml".into(), mail.into_bytes()),
    ]);
    for query in ["hydrangea", "\"bold primrose\""] {
        assert_eq!(scene.found(&[], query), ["own", "mail"], "{query}");
    }
}

#[test]
fn hostile_pages_cost_themselves_alone() {
    // Each is small. Unpacked twice, one has a gigabyte; of one each of many objects begins at the first of an array; one goes in circles;
    // one nests without end; one computes for hours.
    let bomb = compress_to_vec_zlib(&compress_to_vec_zlib(&vec![b' '; 300 << 20], LEVEL), LEVEL);
    let bomb = page(
        stream("/Filter [/FlateDecode /FlateDecode]", &bomb),
        "",
        vec![],
    );
    let index: String = (10..20_000).map(|number| format!("{number} 0 ")).collect();
    let objects = format!("{index}[{}]", "1 ".repeat(100_000));
    let first = index.len();
    let dictionary = format!("/Type /ObjStm /N 19990 /First {first}");
    let copies = page(
        stream("", b""),
        "",
        vec![compressed(&dictionary, objects.as_bytes())],
    );
    let circle = pdf(&[
        b"<</Type /Catalog /Pages 2 0 R>>".to_vec(),
        b"<</Type /Pages /Kids [2 0 R 2 0 R] /Count 2 /Parent 2 0 R>>".to_vec(),
    ]);
    let deep = page(stream("", b""), "", vec!["[".repeat(4 << 20).into_bytes()]);
    let content = "BT /F 12 Tf (word) Tj ET q 1 0 0 1 0 0 cm Q ".repeat(400_000);
    let long = page(compressed("", content.as_bytes()), "", vec![]);
    let scene = files(&[
        ("bomb", bomb),
        ("copies", copies),
        ("circle", circle),
        ("deep", deep),
        ("long", long),
        ("good", saying("lupin")),
    ]);
    let start = Instant::now();
    assert_eq!(scene.found(&["-j", "2"], "lupin"), ["good"]);
    assert!(
        start.elapsed() < Duration::from_secs(120),
        "{:?}",
        start.elapsed()
    );
    let (_, errors, _) = scene.run(&[], "nowhere");
    assert!(errors.contains("not looked into"), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
}

#[test]
fn pages_without_text_and_what_is_no_pdf_are_told() {
    let scene = files(&[
        (
            "scanned",
            page(stream("", b"q 1 0 0 1 0 0 cm Q"), "", vec![]),
        ),
        ("cut", b"%PDF-1.7 hidden".to_vec()),
        ("text", saying("words")),
    ]);
    let (_, errors, code) = scene.run(&[], "nowhere");
    assert_eq!(
        errors,
        "ostfs: 2 attachments were not looked into: 1 not what its type says, 1 PDF without text\n"
    );
    assert_eq!(code, 1);
}
