//! Texts that somebody may have typed, and those that nobody should have.

use proptest::prelude::*;
use proptest::sample::select;

/// Characters that mean something to somebody: to file systems, mail, calendars, tables, terminals, Unicode.
const ODD: [char; 46] = [
    '\t',
    '\n',
    '\r',
    '\0',
    '\u{b}',
    '\u{1b}',
    '\u{7f}',
    '\u{85}',
    '\u{9b}',
    '\u{a0}',
    '\u{ad}',
    '"',
    '\'',
    '\\',
    '/',
    ':',
    '*',
    '?',
    '<',
    '>',
    '|',
    ';',
    ',',
    '=',
    '%',
    '(',
    ')',
    '[',
    '@',
    '\u{e9}',
    '\u{301}',
    '\u{df}',
    '\u{1e9e}',
    '\u{130}',
    '\u{131}',
    '\u{3c2}',
    '\u{212a}',
    '\u{fb01}',
    '\u{200b}',
    '\u{202e}',
    '\u{2028}',
    '\u{fe0f}',
    '\u{4f1a}',
    '\u{ac00}',
    '\u{1f600}',
    '\u{feff}',
];

/// Whole names that some system or program has plans for, and some that are nearly the same.
const NAMES: [&str; 30] = [
    "",
    " ",
    ".",
    "..",
    "...",
    "-rf",
    "~",
    "CON",
    "con.txt",
    "nul",
    "COM1.tar",
    "LPT\u{b9}",
    "Inbox",
    "INBOX",
    "inbox",
    ".ostfs",
    "lost+found",
    "deleted",
    "cur",
    "new",
    "tmp",
    "RE: RE: ",
    "a.eml",
    "a.attachments",
    "a (2)",
    "a",
    "A",
    "caf\u{e9}",
    "cafe\u{301}",
    "stra\u{df}e",
];

/// A character: mostly ASCII, often an odd one, now and then any.
fn character() -> impl Strategy<Value = char> {
    prop_oneof![
        6 => proptest::char::range(' ', '~'),
        3 => select(&ODD[..]),
        1 => any::<char>(),
    ]
}

/// A few characters.
pub fn short() -> impl Strategy<Value = String> {
    proptest::collection::vec(character(), 0..24).prop_map(String::from_iter)
}

/// A name of a folder, an item, a file or somebody.
pub fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => short(),
        3 => select(&NAMES[..]).prop_map(str::to_owned),
        // Longer than any name of a file may be.
        1 => (short(), 1_usize..40).prop_map(|(text, times)| text.repeat(times)),
    ]
}

/// Pieces that mail breaks on.
const PIECES: [&str; 20] = [
    "\r\n",
    "\r\n\r\n",
    "\n",
    "From ",
    ">From ",
    "\r\nFrom ",
    "\r\n.\r\n",
    "--",
    "-- \r\n",
    " \r\n",
    "\t\r\n",
    "=",
    "=3D",
    "=?utf-8?q?x?=",
    "word ",
    "BEGIN:VCALENDAR\r\n",
    "\\n",
    ";",
    ",",
    "\u{e4}",
];

/// The text of a body: lines short and longer than any may be.
pub fn body() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => select(&PIECES[..]).prop_map(str::to_owned),
        2 => short(),
        1 => (select(&PIECES[..]), 1_usize..400).prop_map(|(piece, times)| piece.repeat(times)),
    ];
    proptest::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}
