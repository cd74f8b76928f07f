//! What control words mean: destinations, and words that stand for text.
#![forbid(unsafe_code)]

use super::flavour::Flavour;

/// What ends a line of the text.
pub(super) const LINE_END: &str = "\r\n";

/// Where the content of a group goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Destination {
    /// Into the text.
    Body,
    /// Into the text, as HTML markup (`\*\htmltag`).
    HtmlTag,
    /// Nowhere.
    Skip,
    /// Into the font table.
    FontTable,
    /// Into the colour table.
    ColourTable,
    /// Into the instruction of the innermost field.
    Instruction,
}

/// The destination that a control word opens; `None` if it is no destination or one whose text belongs to the body.
pub(super) fn destination(name: &[u8], flavour: Flavour) -> Option<Destination> {
    match name {
        b"fonttbl" => return Some(Destination::FontTable),
        b"colortbl" => return Some(Destination::ColourTable),
        b"htmltag" if flavour != Flavour::Genuine => return Some(Destination::HtmlTag),
        b"fldinst" if flavour == Flavour::Genuine => return Some(Destination::Instruction),
        _ => {}
    }
    let skipped = match name {
        // Tables and properties of the document.
        b"stylesheet" | b"info" | b"generator" | b"filetbl" | b"listtable"
        | b"listoverridetable" | b"revtbl" | b"rsidtbl" | b"mhtmltag" | b"fontemb" => true,
        // What stands on the margins of each page.
        b"header" | b"headerl" | b"headerr" | b"headerf" | b"footer" | b"footerl" | b"footerr"
        | b"footerf" | b"ftnsep" | b"ftnsepc" | b"ftncn" | b"aftnsep" | b"aftnsepc" | b"aftncn" => {
            true
        }
        // Pictures and shapes but for the text in them, and doubles of it for older readers.
        b"pict" | b"sp" | b"shprslt" | b"nonshppict" | b"nonesttables" => true,
        // Index and table of contents entries, which repeat the text; bullet templates.
        b"xe" | b"tc" | b"tcn" | b"pntxta" | b"pntxtb" => true,
        b"object" | b"pntext" | b"listtext" | b"fldinst" => flavour != Flavour::Genuine,
        _ => false,
    };
    skipped.then_some(Destination::Skip)
}

/// Whether a destination marked with `\*`, to be skipped where unknown, has text that belongs to the body.
pub(super) fn is_transparent(name: &[u8], flavour: Flavour) -> bool {
    flavour == Flavour::Genuine
        && matches!(
            name,
            b"shpinst"
                | b"shptxt"
                | b"do"
                | b"dptxbxtext"
                | b"nesttableprops"
                | b"annotation"
                | b"ud"
        )
}

/// Whether a control word shows what plain text cannot.
pub(super) fn is_rich(name: &[u8]) -> bool {
    matches!(
        name,
        b"pict" | b"object" | b"objattph" | b"trowd" | b"field"
    )
}

/// The text that a control word stands for.
pub(super) fn text(name: &[u8], flavour: Flavour) -> Option<&'static str> {
    if flavour == Flavour::Html {
        return html_text(name);
    }
    Some(match name {
        b"par" | b"line" | b"sect" | b"page" | b"column" | b"row" | b"nestrow" => LINE_END,
        b"tab" | b"cell" | b"nestcell" => "\t",
        b"lquote" => "\u{2018}",
        b"rquote" => "\u{2019}",
        b"ldblquote" => "\u{201C}",
        b"rdblquote" => "\u{201D}",
        b"bullet" => "\u{2022}",
        b"endash" => "\u{2013}",
        b"emdash" => "\u{2014}",
        b"enspace" => "\u{2002}",
        b"emspace" => "\u{2003}",
        b"qmspace" => "\u{2005}",
        b"zwnj" => "\u{200C}",
        b"zwj" => "\u{200D}",
        b"ltrmark" => "\u{200E}",
        b"rtlmark" => "\u{200F}",
        _ => return None,
    })
}

/// The HTML that a control word outside markup stands for. [MS-OXRTFEX] 2.1.3.1.4.
fn html_text(name: &[u8]) -> Option<&'static str> {
    Some(match name {
        b"par" | b"line" => LINE_END,
        b"tab" => "\t",
        b"lquote" => "&lsquo;",
        b"rquote" => "&rsquo;",
        b"ldblquote" => "&ldquo;",
        b"rdblquote" => "&rdquo;",
        b"bullet" => "&bull;",
        b"endash" => "&ndash;",
        b"emdash" => "&mdash;",
        _ => return None,
    })
}

/// The text that a control symbol stands for, beyond escaped characters.
pub(super) fn symbol_text(symbol: u8, flavour: Flavour) -> Option<&'static str> {
    match (symbol, flavour) {
        (b'~', Flavour::Html) => Some("&nbsp;"),
        (b'_', Flavour::Html) => Some("&shy;"),
        (b'~', _) => Some("\u{A0}"),
        (b'_', _) => Some("\u{2011}"),
        _ => None,
    }
}

/// The character meant by a code unit in the private range that symbol fonts use for their 8-bit codes.
pub(super) fn symbol_font_unit(unit: u16) -> u16 {
    match unit {
        0xF0B7 => 0x2022,
        0xF0A7 => 0x25AA,
        other => other,
    }
}
