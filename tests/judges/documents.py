"""Writes documents of Office and OpenDocument as ZIP archives with Python, each with words of its own.
usage: documents.py FOLDER"""
import os
import sys
import zipfile

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
TYPES = HEAD + '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
CORE = HEAD + (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Wordtitle</dc:title></cp:coreProperties>'
)
ODF = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
)
DOCUMENTS = {
    "letter.docx": {
        "[Content_Types].xml": TYPES,
        "docProps/core.xml": CORE,
        "word/document.xml": HEAD + f"<w:document {W}><w:body>"
        "<w:p><w:r><w:t>Wordsplit in Gr</w:t></w:r><w:r><w:t>&#xFC;ne &amp; runs</w:t></w:r></w:p>"
        "<w:p><w:r><w:t>next</w:t></w:r><w:r><w:tab/><w:t>tabbed</w:t></w:r>"
        "<w:r><w:instrText>HYPERLINK silentfield</w:instrText></w:r></w:p></w:body></w:document>",
        "word/footnotes.xml": HEAD + f"<w:footnotes {W}><w:p><w:r><w:t>Wordnote</w:t></w:r></w:p></w:footnotes>",
        "word/styles.xml": HEAD + f"<w:styles {W}><w:t>silentstyle</w:t></w:styles>",
    },
    "sums.xlsx": {
        "[Content_Types].xml": TYPES,
        "xl/sharedStrings.xml": HEAD + f"<sst {S}><si><t>Sheetshared</t></si><si><t>other</t></si></sst>",
        "xl/worksheets/sheet1.xml": HEAD + f'<worksheet {S}><sheetData><row><c t="s"><v>77001</v></c>'
        '<c><f>SUM(silentformula)</f><v>88002</v></c><c t="inlineStr"><is><t>Sheetinline</t></is></c>'
        "</row></sheetData></worksheet>",
    },
    "talk.pptx": {
        "[Content_Types].xml": TYPES,
        "ppt/slides/slide1.xml": HEAD + f"<p:sld {A}><a:p><a:r><a:t>Slideone</a:t></a:r></a:p></p:sld>",
        "ppt/notesSlides/notesSlide1.xml": HEAD + f"<p:notes {A}><a:p><a:r><a:t>Slidenote</a:t></a:r></a:p></p:notes>",
    },
    "text.odt": {
        "mimetype": "application/vnd.oasis.opendocument.text",
        "content.xml": HEAD + f"<office:document-content {ODF}><text:p>Openfirst</text:p>"
        "<text:p>two<text:s/>parts</text:p></office:document-content>",
        "meta.xml": HEAD + f"<office:document-meta {ODF}><meta>Openmeta</meta></office:document-meta>",
    },
    "other.zip": {"readme.txt": "silentzip"},
}

for name, parts in DOCUMENTS.items():
    with zipfile.ZipFile(os.path.join(sys.argv[1], name), "w", zipfile.ZIP_DEFLATED) as archive:
        for part, text in parts.items():
            archive.writestr(part, text)
