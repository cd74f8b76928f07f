//! The code page of 8-bit text of items that do not name theirs: one decision for a store. [MS-OXPROPS] 2.740, 2.741
//!
//! Outlook 97 named no page anywhere: text was in the page of the system. What the store names holds; else the page that most
//! of its items name, the one that their text seems to be in, or that of the language of the program.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::properties::Properties;
use crate::codepage;
use crate::ltp::{PropertyContext, PropertyType, Value, tags};
use crate::ndb::{Node, NodeDatabase, NodeId, NodeType};

/// Items that are looked at.
const MAX_ITEMS: usize = 4096;
/// Bytes of one value that are looked at.
const MAX_VALUE: usize = 4 << 10;
/// How many items that name no page outweigh one that does.
const FEW: u32 = 4;
/// Bytes of text from which the page is detected.
const MAX_SAMPLE: usize = 256 << 10;

/// The code page of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StorePage {
    /// Its number.
    pub number: u32,
    /// Why it was taken.
    pub reason: PageReason,
}

impl StorePage {
    /// That of a store of which nothing tells another.
    pub(super) const DEFAULT: Self = Self {
        number: codepage::WINDOWS_LATIN1,
        reason: PageReason::Default,
    };
}

/// Why a code page was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageReason {
    /// The user wants it.
    Chosen,
    /// The store names it.
    Stated,
    /// Most items that name one name it.
    Items,
    /// The text of the items seems to be in it.
    Detected,
    /// It is that of the language of most items.
    Locale,
    /// Nothing names another.
    Default,
}

impl PageReason {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chosen => "as chosen",
            Self::Stated => "as the store says",
            Self::Items => "as most items say that name one",
            Self::Detected => "by the text of the items that name none",
            Self::Locale => "by the language of the items, none of which names one",
            Self::Default => "nothing tells another",
        }
    }
}

impl fmt::Display for StorePage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.number, self.reason.as_str())
    }
}

/// The page of 8-bit strings that an item names, of whose integers `integer` has those that are asked for. The one of its mail
/// stands in if it names one.
pub(super) fn named(integer: impl Fn(u16) -> Option<i32>) -> Option<u32> {
    let page = |id: u16| {
        let page = u32::try_from(integer(id)?).ok()?;
        codepage::is_telling(&page).then_some(page)
    };
    page(tags::MESSAGE_CODEPAGE).or_else(|| page(tags::INTERNET_CODEPAGE).map(of_strings))
}

/// The page of the strings of an item whose mail is in `page`: they have no escape sequences.
fn of_strings(page: u32) -> u32 {
    match page {
        50220..=50222 => 932,
        50225 => 949,
        other => other,
    }
}

/// The page of Windows whose systems write mail in `page`; None for those of no language.
fn of_windows(page: u32) -> Option<u32> {
    Some(match page {
        874 | 932 | 936 | 949 | 950 | 1250..=1258 => page,
        28591 | 28605 => 1252,
        28592 => 1250,
        866 | 20866 | 21866 | 28595 => 1251,
        28597 => 1253,
        28599 => 1254,
        28598 | 38598 => 1255,
        28596 => 1256,
        28594 | 28603 => 1257,
        20932 | 51932 => 932,
        51936 | 52936 | 54936 => 936,
        51949 => 949,
        _ => return None,
    })
}

/// The page of Windows in the language of a locale id. [MS-LCID]
fn of_locale(id: u32) -> u32 {
    /// Bits of a locale id that are the language.
    const LANGUAGE: u32 = 0x3FF;
    match id & 0xFFFF {
        0x0404 | 0x0C04 | 0x1404 => return 950,
        0x0C1A | 0x1C1A | 0x082C | 0x0843 => return 1251,
        _ => {}
    }
    match id & LANGUAGE {
        0x05 | 0x0E | 0x15 | 0x18 | 0x1A..=0x1C | 0x24 => 1250,
        0x02 | 0x19 | 0x22 | 0x23 | 0x2F | 0x3F | 0x40 | 0x44 | 0x50 => 1251,
        0x08 => 1253,
        0x1F | 0x2C | 0x43 => 1254,
        0x0D => 1255,
        0x01 | 0x20 | 0x29 => 1256,
        0x25..=0x27 => 1257,
        0x2A => 1258,
        0x1E => 874,
        0x11 => 932,
        0x04 => 936,
        0x12 => 949,
        _ => codepage::WINDOWS_LATIN1,
    }
}

/// The page of the store of `ndb` that names none. Only files of the 8-bit format are looked at: in others all strings are
/// UTF-16.
pub(super) fn decide(ndb: &Arc<NodeDatabase>) -> StorePage {
    match ndb.header().format.is_8bit() {
        true => by_items(ndb),
        false => StorePage::DEFAULT,
    }
}

/// The page that the items of `ndb` are in which name none. All of them are looked at, or the first of many.
pub(super) fn by_items(ndb: &Arc<NodeDatabase>) -> StorePage {
    let choice = |number, reason| StorePage { number, reason };
    let survey = Survey::of(ndb);
    let by_items = commonest(&survey.pages).map(|page| choice(page, PageReason::Items));
    let by_text =
        || codepage::detect(&survey.sample).map(|page| choice(page, PageReason::Detected));
    // A few that came from elsewhere say nothing of the many that name none.
    let named: u32 = survey.pages.values().sum();
    let is_said_by_few = named.saturating_mul(FEW) <= survey.nameless;
    let by_items = by_items
        .filter(|_| !is_said_by_few)
        .or_else(by_text)
        .or(by_items);
    let by_language = || {
        let locale = commonest(&survey.locales)?;
        Some(choice(of_locale(locale), PageReason::Locale))
    };
    by_items.or_else(by_language).unwrap_or(StorePage::DEFAULT)
}

/// The key of the highest count, of several the lowest.
fn commonest(counts: &BTreeMap<u32, u32>) -> Option<u32> {
    let most = counts.values().max()?;
    counts
        .iter()
        .find(|(_, count)| *count == most)
        .map(|(key, _)| *key)
}

/// The pages and texts of the items of a store.
#[derive(Default)]
struct Survey {
    pages: BTreeMap<u32, u32>,
    locales: BTreeMap<u32, u32>,
    /// Text with bytes above ASCII, of items that name no page, and how many items have such text.
    sample: Vec<u8>,
    nameless: u32,
}

impl Survey {
    fn of(ndb: &Arc<NodeDatabase>) -> Self {
        const TYPES: [NodeType; 3] = [
            NodeType::NORMAL_MESSAGE,
            NodeType::NORMAL_FOLDER,
            NodeType::SEARCH_FOLDER,
        ];
        let mut survey = Self::default();
        let nodes = ndb.nodes().filter_map(Result::ok).map(|node| node.nid);
        let items = nodes.filter(|nid| TYPES.contains(&nid.node_type()));
        for nid in items.take(MAX_ITEMS) {
            survey.add(ndb, nid);
        }
        survey
    }

    fn add(&mut self, ndb: &Arc<NodeDatabase>, nid: NodeId) {
        let node = Node::open(ndb, nid);
        let Ok(context) = node.and_then(PropertyContext::open) else {
            return;
        };
        let properties = Properties::new(context.clone(), codepage::WINDOWS_LATIN1);
        let integer = |id: u16| properties.integer(id).ok().flatten();
        let locale = integer(tags::MESSAGE_LOCALE_ID).and_then(|id| u32::try_from(id).ok());
        if let Some(locale) = locale.filter(|locale| *locale != 0) {
            *self.locales.entry(locale).or_default() += 1;
        }
        if let Some(page) = named(integer) {
            if let Some(page) = of_windows(page) {
                *self.pages.entry(page).or_default() += 1;
            }
            return;
        }
        let strings = context.records().iter();
        let strings = strings.filter(|record| record.property_type == PropertyType::STRING8);
        let before = self.sample.len();
        for record in strings {
            if self.sample.len() >= MAX_SAMPLE {
                break;
            }
            if let Ok(Some(Value::String8(text))) = context.start(record.id, MAX_VALUE)
                && !text.is_ascii()
            {
                self.sample.extend(text);
                self.sample.push(b'\n');
            }
        }
        self.nameless += u32::from(self.sample.len() > before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_names_the_page_of_its_strings_or_that_of_its_mail() {
        let of = |message: i32, internet: i32| {
            named(|id| match id {
                tags::MESSAGE_CODEPAGE => Some(message),
                tags::INTERNET_CODEPAGE => Some(internet),
                _ => None,
            })
        };
        assert_eq!(of(1251, 20866), Some(1251));
        assert_eq!(of(0, 1253), Some(1253));
        assert_eq!(of(0, 50220), Some(932));
        assert_eq!(of(0, 20127), None);
    }

    #[test]
    fn strings_are_in_no_page_of_escape_sequences() {
        for page in 50220..=50222 {
            assert_eq!(of_strings(page), 932);
        }
        assert_eq!(
            [50219, 50223, 50225, 65001].map(of_strings),
            [50219, 50223, 949, 65001]
        );
    }

    /// The charsets of mail that systems of one language write, by the registry of IANA, and the page of Windows of that language.
    #[test]
    fn charsets_of_mail_tell_the_page_of_a_language() {
        for (page, pages) in [
            (874, &[874][..]),
            (932, &[932, 20932, 51932]),
            (936, &[936, 51936, 52936, 54936]),
            (949, &[949, 51949]),
            (950, &[950]),
            (1250, &[1250, 28592]),
            (1251, &[1251, 866, 20866, 21866, 28595]),
            (1252, &[1252, 28591, 28605]),
            (1253, &[1253, 28597]),
            (1254, &[1254, 28599]),
            (1255, &[1255, 28598, 38598]),
            (1256, &[1256, 28596]),
            (1257, &[1257, 28594, 28603]),
            (1258, &[1258]),
        ] {
            for mail in pages {
                assert_eq!(of_windows(*mail), Some(page), "{mail}");
            }
        }
        assert_eq!([65001, 20127, 1249, 1259].map(of_windows), [None; 4]);
    }

    #[test]
    fn of_counts_the_highest_is_taken_and_of_those_the_lowest_key() {
        let of = |counts: &[(u32, u32)]| commonest(&counts.iter().copied().collect());
        assert_eq!(of(&[(1250, 1), (1251, 3), (1252, 3)]), Some(1251));
        assert_eq!(of(&[]), None);
    }

    /// By the ANSI code pages that Windows has for its locales (LOCALE_IDEFAULTANSICODEPAGE).
    #[test]
    fn languages_have_the_pages_of_windows() {
        for (page, locales) in [
            // Thai.
            (874, &[0x041E][..]),
            // Japanese, and that with another order of characters.
            (932, &[0x0411, 0x0001_0411]),
            // China, Singapore.
            (936, &[0x0804, 0x1004]),
            // Korean.
            (949, &[0x0412]),
            // Taiwan, Hong Kong, Macao.
            (950, &[0x0404, 0x0C04, 0x1404]),
            // Czech, Hungarian, Polish, Romanian, Croatian, Serbian in Latin letters, Slovak, Albanian, Slovenian.
            (
                1250,
                &[
                    0x0405, 0x040E, 0x0415, 0x0418, 0x041A, 0x081A, 0x041B, 0x041C, 0x0424,
                ],
            ),
            // Bulgarian, Russian, Ukrainian, Belarusian, Macedonian, Kazakh, Kyrgyz, Tatar, Mongolian; in Cyrillic letters
            // Serbian, that of Bosnia, Azeri, Uzbek.
            (
                1251,
                &[
                    0x0402, 0x0419, 0x0422, 0x0423, 0x042F, 0x043F, 0x0440, 0x0444, 0x0450, 0x0C1A,
                    0x1C1A, 0x082C, 0x0843,
                ],
            ),
            // German, English, French of Canada, Brazil.
            (1252, &[0x0407, 0x0409, 0x0C0C, 0x0416]),
            // Greek.
            (1253, &[0x0408]),
            // Turkish; in Latin letters Azeri, Uzbek.
            (1254, &[0x041F, 0x042C, 0x0443]),
            // Hebrew.
            (1255, &[0x040D]),
            // Arabic of Saudi Arabia and Egypt, Urdu, Persian.
            (1256, &[0x0401, 0x0C01, 0x0420, 0x0429]),
            // Estonian, Latvian, Lithuanian.
            (1257, &[0x0425, 0x0426, 0x0427]),
            // Vietnamese.
            (1258, &[0x042A]),
        ] {
            for locale in locales {
                assert_eq!(of_locale(*locale), page, "{locale:#x}");
            }
        }
    }
}
