//! The header block of a message or part under construction.
#![forbid(unsafe_code)]

use std::borrow::Cow;

use super::address_list::format_list;
use super::encoded_word::{WIDTH, push_parameter, unstructured};
use crate::convert::options::Headers;
use crate::convert::people::Mailbox;
use crate::convert::rendition::Writer;

/// The field with what could not be read.
pub(super) const PROBLEM_FIELD: &str = "X-Ostfs-Problem";

/// Fields in order. Values are folded already; lines after the first begin with a blank.
#[derive(Debug)]
pub(crate) struct Fields {
    style: Headers,
    fields: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// The first of them as they came, whole.
    stored: Vec<String>,
}

/// Fields of a usual message: there is room for them at once, not step by step.
const USUAL_FIELDS: usize = 24;

impl Fields {
    /// Those of a part, which has few or none.
    pub fn new(style: Headers) -> Self {
        Self {
            style,
            fields: Vec::new(),
            stored: Vec::new(),
        }
    }

    /// Those of a message.
    pub fn of_message(style: Headers) -> Self {
        Self {
            fields: Vec::with_capacity(USUAL_FIELDS),
            ..Self::new(style)
        }
    }

    /// How values are written.
    pub fn style(&self) -> Headers {
        self.style
    }

    /// Whether there is a field `name`.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The value of the first field `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The values of all fields `name`.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let fields = self.fields.iter();
        let of_name = fields.filter(move |(other, _)| other.eq_ignore_ascii_case(name));
        of_name.map(|(_, value)| &**value)
    }

    /// A value that is known to be sound: made here, or sanitised.
    pub fn push(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) {
        self.fields.push((name.into(), value.into()));
    }

    /// A field as it came, `stored` whole; only before any other is added.
    pub fn push_stored(&mut self, name: String, value: String, stored: String) {
        self.fields.push((name.into(), value.into()));
        self.stored.push(stored);
    }

    /// Text from the file.
    pub fn push_text(&mut self, name: impl Into<Cow<'static, str>>, text: &str) {
        let name = name.into();
        let value = unstructured(&name, text, self.style);
        self.push(name, value);
    }

    /// Mailboxes, unless there are none.
    pub fn push_mailboxes(&mut self, name: &'static str, mailboxes: &[Mailbox]) {
        if !mailboxes.is_empty() {
            let value = format_list(name, mailboxes, self.style);
            self.push(name, value);
        }
    }

    /// A value with parameters (Content-Type, Content-Disposition).
    pub fn push_parameters(
        &mut self,
        name: &'static str,
        value: &str,
        parameters: &[(&str, impl AsRef<str>)],
    ) {
        let mut folded = String::with_capacity(WIDTH);
        folded.push_str(value);
        let mut column = name.len() + 2 + value.len();
        for (name, value) in parameters {
            let start = folded.len();
            push_parameter(&mut folded, name, value.as_ref(), self.style);
            let parameter = folded.get(start..).unwrap_or_default();
            // A parameter is folded away unless it fits whole.
            let mut lines = parameter.match_indices('\n').map(|(at, _)| start + at);
            let (fold, is_one_line) = (lines.next(), lines.next().is_none());
            let unfolded = parameter.len() - usize::from(fold.is_some());
            if is_one_line && column + unfolded <= WIDTH {
                column += unfolded;
                if let Some(at) = fold {
                    folded.remove(at);
                }
            } else {
                column = parameter.rsplit('\n').next().map_or(0, str::len);
            }
        }
        self.push(name, folded);
    }

    /// Appends the fields of `other`.
    pub fn extend(&mut self, other: Fields) {
        self.fields.extend(other.fields);
    }

    /// Names and values, for tests.
    #[cfg(test)]
    pub fn into_pairs(self) -> Vec<(String, String)> {
        let pairs = self.fields.into_iter();
        pairs
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect()
    }

    /// Writes all fields, without the empty line that ends them.
    pub fn write(&self, writer: &mut Writer) {
        for stored in &self.stored {
            writer.text(stored);
            writer.text("\n");
        }
        for (name, value) in self.fields.iter().skip(self.stored.len()) {
            writer.text(name);
            writer.text(": ");
            writer.text(value);
            writer.text("\n");
        }
    }
}
