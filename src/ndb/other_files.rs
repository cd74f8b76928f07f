//! What a file is that is no Outlook data file, and what to do with it: people rename things, pack them, and copies go wrong.
#![forbid(unsafe_code)]

use std::collections::HashSet;
use std::str;

/// Files that are known by bytes at a fixed offset: offset, bytes, what it is and what to do next, in which FILE stands for its
/// path. The first that fits holds.
const KNOWN: &[(usize, &[u8], &str)] = &[
    (0, ZIP, "a ZIP archive: unpack it first with: unzip FILE"),
    (
        0,
        b"\x1f\x8b",
        "a gzip archive: unpack it first with: gunzip --keep FILE (of a .tar.gz: tar -xf FILE)",
    ),
    (
        0,
        b"\x28\xb5\x2f\xfd",
        "a Zstandard archive: unpack it first with: unzstd FILE",
    ),
    (
        0,
        b"\xfd7zXZ\0",
        "an xz archive: unpack it first with: unxz --keep FILE",
    ),
    (
        0,
        b"BZh",
        "a bzip2 archive: unpack it first with: bunzip2 --keep FILE",
    ),
    (
        0,
        b"%PDF-",
        "a PDF document, and no mailbox: name the .ost or .pst file",
    ),
    (
        0,
        b"!<arch>\n",
        "an archive of ar(1), as Debian packages (.deb) are, and no mailbox: unpack it first with: ar x FILE",
    ),
    (
        0,
        b"7z\xbc\xaf\x27\x1c",
        "a 7-Zip archive: unpack it first with: 7z x FILE",
    ),
    (
        0,
        b"Rar!",
        "a RAR archive: unpack it first with: unrar x FILE",
    ),
    (
        257,
        b"ustar",
        "a tar archive: unpack it first with: tar -xf FILE",
    ),
    (
        0,
        b"\xd0\xcf\x11\xe0",
        "an OLE compound file, as a single message (.msg) or an Office document is, and no mailbox: \
         msgconvert (Debian: libemail-outlook-message-perl) makes .eml of .msg",
    ),
    (
        0,
        b"\xcf\xad\x12\xfe",
        "an Outlook Express .dbx file: undbx unpacks it",
    ),
    (
        0,
        b"From ",
        "an mbox file, which needs no ostfs: mail programs open it, as in: mutt -f FILE",
    ),
    (
        4,
        b"\xef\xcd\xab\x89",
        "an ESE database (.edb), of Exchange or another program of Microsoft: \
         have Exchange write the mailbox as .pst (New-MailboxExportRequest)",
    ),
    (
        0,
        b"EVF\x09\x0d\x0a\xff\0",
        "a forensic image (.E01): open it with: ewfmount FILE DIR, mount what is in it, and name the .ost or .pst there",
    ),
    (
        0,
        b"EVF2\x0d\x0a\x81\0",
        "a forensic image (.Ex01): open it with: ewfmount FILE DIR, mount what is in it, and name the .ost or .pst there",
    ),
    (
        3,
        b"NTFS    ",
        "a disk with the file system NTFS: mount it (mount -o ro), and name the .ost or .pst in it",
    ),
    (
        3,
        b"EXFAT   ",
        "a disk with the file system exFAT: mount it (mount -o ro), and name the .ost or .pst in it",
    ),
    (
        510,
        b"\x55\xaa",
        "a disk, or a copy of one: mount its file system (mount -o ro; lsblk lists those of a disk), and name the .ost or .pst in it",
    ),
    (
        4,
        b"R\0O\0B\0S\0",
        "a raw copy of a file that Windows has encrypted (EFS): on a Windows where its user is signed in, restore it and run: \
         cipher /d FILE",
    ),
    (
        0,
        b"Nostromoi",
        "a store of the new Outlook or Windows Mail (HxStore.hxd), a cache of what the server has: \
         export the mailbox there",
    ),
    (
        0,
        b"SQLite format 3\0",
        "an SQLite database, as Outlook for Mac has one, and no mailbox: export from the program that wrote it",
    ),
];
/// How a ZIP archive begins, and what the names of files in one of Outlook for Mac begin with: the first of them is
/// within what is looked at, below a directory of the account perhaps.
const ZIP: &[u8] = b"PK\x03\x04";
const OF_OUTLOOK_FOR_MAC: &[u8] = b"com.microsoft.__";
const OLM: &str = "an archive of Outlook for Mac (.olm): import it there, and export the mailbox from Outlook for Windows as .pst";
/// Fields with which the header of a message begins. RFC 5322, 3.6
const FIRST_FIELDS: [&str; 9] = [
    "Received:",
    "Return-Path:",
    "Delivered-To:",
    "From:",
    "Subject:",
    "Message-ID:",
    "Date:",
    "MIME-Version:",
    "X-",
];
/// Different bytes among the first ones of a file that only random data has: of 564, such have 228 on average, with a
/// deviation of 5, and text and tables have fewer than 150.
const RANDOM: usize = 200;

/// What the file is that begins with `bytes`, as the end of a sentence that begins with "it".
pub(super) fn describe(bytes: &[u8]) -> String {
    let fits =
        |at: usize, magic: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(magic));
    if bytes.is_empty() {
        return "is empty: copy it again from its source".into();
    }
    if bytes.iter().all(|byte| *byte == 0) {
        return "starts with zeros: it was copied while Outlook had it open; close Outlook and copy it again".into();
    }
    let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    if fits(0, ZIP) && has(OF_OUTLOOK_FOR_MAC) {
        return format!("is {OLM}");
    }
    if let Some((_, _, what)) = KNOWN.iter().find(|(at, magic, _)| fits(*at, magic)) {
        return format!("is {what}");
    }
    if let Some(text) = text(bytes) {
        let message = FIRST_FIELDS.iter().any(|field| text.starts_with(field));
        return if message {
            "is a single message (.eml), which any mail program opens".into()
        } else {
            "is text: name the .ost or .pst file".into()
        };
    }
    if bytes.iter().collect::<HashSet<_>>().len() >= RANDOM {
        return "looks encrypted or packed: if it was copied from a Windows disk whose files are encrypted (EFS), \
                copy it there, as its user, after: cipher /d FILE"
            .into();
    }
    "does not start with \"!BDN\": check that it is the right file".into()
}

/// `bytes` as text, without a character that is cut at their end; None if they are none.
fn text(bytes: &[u8]) -> Option<&str> {
    let text = match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            str::from_utf8(bytes.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let is_text = |c: char| !c.is_control() || "\t\r\n\u{c}".contains(c);
    text.chars().all(is_text).then_some(text)
}
