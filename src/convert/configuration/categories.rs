//! The list of categories as a table. [MS-OXOCFG] 2.2.5.2
#![forbid(unsafe_code)]

use super::Configured;
use crate::codepage;
use crate::convert::context::Context;
use crate::convert::text::html::{attribute_of, start_tags};
use crate::ltp::tags;
use crate::messaging::{ConfigurationKind, Configurations, Message};
use crate::output;

const COLUMNS: [&str; 5] = ["name", "color", "shortcut", "last_used", "guid"];

const BYTE_ORDER_MARK: char = '\u{feff}';
/// The colours by their numbers; -1 is none.
const COLORS: [&str; 25] = [
    "red",
    "orange",
    "peach",
    "yellow",
    "green",
    "teal",
    "olive",
    "blue",
    "purple",
    "maroon",
    "steel",
    "dark steel",
    "gray",
    "dark gray",
    "black",
    "dark red",
    "dark orange",
    "dark peach",
    "dark yellow",
    "dark green",
    "dark teal",
    "dark olive",
    "dark blue",
    "dark purple",
    "dark maroon",
];
const NO_COLOR: &str = "-1";
/// Shortcut 1 is Ctrl+F2, 11 is Ctrl+F12; 0 is none.
const SHORTCUTS: std::ops::RangeInclusive<u32> = 1..=11;

/// All categories, a line for each.
pub(in crate::convert) fn categories(context: &Context, found: &Configurations) -> Configured {
    let mut configured = Configured {
        text: output::csv_line(COLUMNS),
        ..Configured::default()
    };
    configured.add(context, found, ConfigurationKind::Categories, add_list);
    configured
}

fn add_list(configured: &mut Configured, message: &Message) {
    let stream = message.properties().binary(tags::ROAMING_XML_STREAM);
    // What cannot be read is a problem of the message.
    let Ok(Some(bytes)) = stream else {
        return;
    };
    let xml = codepage::decode(codepage::UTF_8, &bytes);
    let mut count = 0;
    for attributes in start_tags(xml.trim_start_matches(BYTE_ORDER_MARK), "category") {
        let of = |name: &str| attribute_of(attributes, name).unwrap_or_default();
        let line = output::csv_line([
            &of("name"),
            &color(&of("color")),
            &shortcut(&of("keyboardShortcut")),
            &of("lastTimeUsed"),
            &of("guid"),
        ]);
        configured.text.push_str(&line);
        count += 1;
    }
    if count == 0 && !xml.contains("categories") {
        configured.problem(
            message.nid(),
            "expected a list of categories, found other XML",
        );
    }
}

/// The name of a colour; a number that has none as it is.
fn color(number: &str) -> String {
    let name = number
        .parse()
        .ok()
        .and_then(|number: usize| COLORS.get(number));
    match (name, number) {
        (Some(name), _) => (*name).to_owned(),
        (None, NO_COLOR) => "none".to_owned(),
        (None, other) => other.to_owned(),
    }
}

fn shortcut(number: &str) -> String {
    match number.parse() {
        Ok(number) if SHORTCUTS.contains(&number) => format!("Ctrl+F{}", number + 1),
        Ok(0) | Err(_) => String::new(),
        Ok(other) => other.to_string(),
    }
}
