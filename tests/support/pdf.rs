//! PDF files. ISO 32000-1

use miniz_oxide::deflate::compress_to_vec_zlib;

/// How well streams are compressed.
pub const LEVEL: u8 = 6;

/// A PDF file of these objects, numbered from 1; the first is the catalog.
pub fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"%PDF-1.5\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(objects) {
        places.push(file.len());
        file.extend(format!("{number} 0 obj\n").bytes());
        file.extend(object);
        file.extend(b"\nendobj\n");
    }
    let table = file.len();
    let count = objects.len() + 1;
    file.extend(format!("xref\n0 {count}\n0000000000 65535 f \n").bytes());
    for place in places {
        file.extend(format!("{place:010} 00000 n \n").bytes());
    }
    let trailer = format!("trailer\n<</Root 1 0 R /Size {count}>>\nstartxref\n{table}\n%%EOF\n");
    file.extend(trailer.bytes());
    file
}

/// A stream of these bytes, whose dictionary has these entries besides.
pub fn stream(dictionary: &str, bytes: &[u8]) -> Vec<u8> {
    let mut object = format!("<<{dictionary} /Length {}>>\nstream\n", bytes.len()).into_bytes();
    object.extend(bytes);
    object.extend(b"\nendstream");
    object
}

/// The same, compressed.
pub fn compressed(dictionary: &str, bytes: &[u8]) -> Vec<u8> {
    let dictionary = format!("{dictionary} /Filter /FlateDecode");
    stream(&dictionary, &compress_to_vec_zlib(bytes, LEVEL))
}

/// A file of one page with this content stream, in the font F that has these further entries; and `more` objects, from 5 on.
pub fn page(content: Vec<u8>, font: &str, more: Vec<Vec<u8>>) -> Vec<u8> {
    let page = format!(
        "<</Type /Page /Parent 2 0 R /Contents 4 0 R /MediaBox [0 0 600 800] /Resources <</Font <</F <</Type /Font \
         /Subtype /Type1 /BaseFont /Helvetica {font}>>>>>>>>"
    );
    let mut objects = vec![
        b"<</Type /Catalog /Pages 2 0 R>>".to_vec(),
        b"<</Type /Pages /Kids [3 0 R] /Count 1>>".to_vec(),
        page.into_bytes(),
        content,
    ];
    objects.extend(more);
    pdf(&objects)
}

/// A page that says `words`.
pub fn saying(words: &str) -> Vec<u8> {
    let content = format!("BT /F 12 Tf 50 700 Td ({words}) Tj ET");
    page(
        compressed("", content.as_bytes()),
        "/Encoding /WinAnsiEncoding",
        vec![],
    )
}
