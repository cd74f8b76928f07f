//! Writes vCards: 3.0, which every program imports, or 4.0. RFC 2426, RFC 6350
#![forbid(unsafe_code)]

use jiff::civil::Date;

use crate::convert::content_line::{ContentLines, base64, escape, parameter};
use crate::convert::options::VcardVersion;

/// The year of a day of the year: the first leap year that a FILETIME can have.
pub(in crate::convert) const NO_YEAR: i16 = 1604;

/// Address type of Exchange.
const EX: &str = "EX";

/// A card on its way into a file.
pub(super) struct Card {
    pub version: VcardVersion,
    pub lines: ContentLines,
}

impl Card {
    pub fn new(version: VcardVersion) -> Self {
        let mut lines = ContentLines::default();
        lines.begin("VCARD");
        lines.line(
            "VERSION",
            match version {
                VcardVersion::V3 => "3.0",
                VcardVersion::V4 => "4.0",
            },
        );
        Self { version, lines }
    }

    /// A structured value: components that semicolons part; nothing when all are empty.
    pub fn structured(&mut self, name: &str, components: &[Option<String>]) {
        if components.iter().all(Option::is_none) {
            return;
        }
        let components: Vec<String> = components
            .iter()
            .map(|component| escape(component.as_deref().unwrap_or_default().trim()))
            .collect();
        self.lines.line(name, &components.join(";"));
    }

    /// `name` with its types; the preferred one of its kind is marked.
    pub fn typed(&self, name: &str, types: &[&str], is_preferred: bool) -> String {
        let mut out = name.to_owned();
        for kind in types {
            out.push_str(";TYPE=");
            out.push_str(kind);
        }
        if is_preferred {
            out.push_str(match self.version {
                VcardVersion::V3 => ";TYPE=PREF",
                VcardVersion::V4 => ";PREF=1",
            });
        }
        out
    }

    /// An address as it is stored that is none of the Internet.
    pub fn other_address(&mut self, kind: &str, address: &str) {
        if kind.eq_ignore_ascii_case(EX) {
            self.lines.text("X-EX-ADDRESS", address);
        } else {
            let name = format!("X-OSTFS-ADDRESS{}", parameter("X-TYPE", kind));
            self.lines.text(&name, address);
        }
    }

    /// States that it is no person.
    pub fn group(&mut self) {
        let kind = match self.version {
            VcardVersion::V3 => "X-ADDRESSBOOKSERVER-KIND",
            VcardVersion::V4 => "KIND",
        };
        self.lines.line(kind, "group");
    }

    /// A day of the year, such as a birthday.
    pub fn date(&mut self, name: &str, date: Date) {
        // Outlook and phones write this year where people know none.
        let format = match (self.version, date.year() == NO_YEAR) {
            (VcardVersion::V3, false) => "%Y-%m-%d",
            (VcardVersion::V3, true) => "--%m-%d",
            (VcardVersion::V4, false) => "%Y%m%d",
            (VcardVersion::V4, true) => "--%m%d",
        };
        self.lines.line(name, &date.strftime(format).to_string());
    }

    /// A picture of type image/`kind`.
    pub fn photo(&mut self, kind: &str, bytes: &[u8]) {
        match self.version {
            VcardVersion::V3 => {
                let kind = parameter("TYPE", &kind.to_ascii_uppercase());
                self.lines
                    .line(&format!("PHOTO;ENCODING=b{kind}"), &base64(bytes));
            }
            VcardVersion::V4 => {
                let uri = format!("data:image/{kind};base64,{}", base64(bytes));
                self.lines.line("PHOTO", &uri);
            }
        }
    }

    /// The whole card.
    pub fn finish(mut self, problems: &[String]) -> String {
        for problem in problems {
            self.lines.text("X-OSTFS-PROBLEM", problem);
        }
        self.lines.end("VCARD");
        self.lines.into_string()
    }
}
