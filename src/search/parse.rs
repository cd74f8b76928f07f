//! Reads a query as people type it: fields and words as notmuch, mu, Gmail and Outlook have them.
//!
//! ```text
//! any   = all { OR all }
//! all   = not { [AND] not }
//! not   = { NOT | - } one
//! one   = "(" any ")" | [field] "(" any ")" | [field] value
//! field = name ":" ; before a time or a size, a comparison stands in place of the colon too
//! value = "words that follow each other" | word | beginning*
//! ```
#![forbid(unsafe_code)]

use std::fmt;

use jiff::Zoned;

use super::field::{self, Field};
use super::pattern::{PREFIX, Pattern};
use super::query::{Condition, Place, Query};
use super::span::Span;

/// Parentheses and NOTs within each other.
const MAX_DEPTH: usize = 100;
/// Characters of a query: a name on any file system is shorter, and so is what anybody types.
const MAX_LENGTH: usize = 10_000;

/// What is wrong with a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryError {
    /// The character that it is about, from 1.
    pub column: usize,
    /// What is wrong, and what to write.
    pub reason: String,
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.reason)
    }
}

impl std::error::Error for QueryError {}

type Parsed<T> = Result<T, QueryError>;

impl Query {
    /// Reads `text`. Times that depend on it are counted from `now`, in whose zone days begin.
    pub fn parse(text: &str, now: &Zoned) -> Parsed<Self> {
        let mut parser = Parser {
            text: text.chars().collect(),
            at: 0,
            depth: 0,
            now,
        };
        if parser.text.len() > MAX_LENGTH {
            return Err(parser.error(
                MAX_LENGTH,
                format!("a query has at most {MAX_LENGTH} characters"),
            ));
        }
        let query = parser.any(None)?;
        match parser.peek() {
            None => Ok(query),
            Some(_) => Err(parser.error(
                parser.at,
                "this ) has no ( before it; leave it out, or write \")\" for the character",
            )),
        }
    }
}

struct Parser<'a> {
    text: Vec<char>,
    at: usize,
    depth: usize,
    now: &'a Zoned,
}

/// What is joined by these words, in capitals, which tells them from words to look for.
const AND: &str = "AND";
const OR: &str = "OR";
const NOT: &str = "NOT";

impl Parser<'_> {
    fn error(&self, at: usize, reason: impl Into<String>) -> QueryError {
        QueryError {
            column: at + 1,
            reason: reason.into(),
        }
    }

    /// The next character that is no blank.
    fn peek(&mut self) -> Option<char> {
        while self
            .text
            .get(self.at)
            .is_some_and(|next| next.is_whitespace())
        {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    /// Passes over `word` if it is the next, and ends there.
    fn takes(&mut self, word: &str) -> bool {
        self.peek();
        let end = self.at + word.chars().count();
        let is_it = self
            .text
            .get(self.at..end)
            .is_some_and(|next| next.iter().copied().eq(word.chars()));
        let ends = self
            .text
            .get(end)
            .is_none_or(|next| next.is_whitespace() || matches!(next, '(' | ')'));
        if is_it && ends {
            self.at = end;
        }
        is_it && ends
    }

    /// Whether a part of `all` follows.
    fn goes_on(&mut self) -> bool {
        let start = self.at;
        let ends = self.peek().is_none_or(|next| next == ')') || self.takes(OR);
        self.at = if ends { start } else { self.at };
        !ends
    }

    /// Conditions of which one must hold; values without a field are of `field`.
    fn any(&mut self, field: Option<Field>) -> Parsed<Query> {
        let mut parts = vec![self.all(field)?];
        while self.takes(OR) {
            parts.push(self.all(field)?);
        }
        Ok(one_or(parts, Query::Any))
    }

    fn all(&mut self, field: Option<Field>) -> Parsed<Query> {
        let mut parts = vec![self.not(field)?];
        while self.takes(AND) || self.goes_on() {
            parts.push(self.not(field)?);
        }
        Ok(one_or(parts, Query::All))
    }

    fn not(&mut self, field: Option<Field>) -> Parsed<Query> {
        // With a blank behind it, it is a dash.
        let is_minus = self.peek() == Some('-')
            && self
                .text
                .get(self.at + 1)
                .is_some_and(|next| !next.is_whitespace());
        if !is_minus && !self.takes(NOT) {
            return self.one(field);
        }
        self.at += usize::from(is_minus);
        let negated = self.deeper(|parser| parser.not(field))?;
        Ok(Query::Not(Box::new(negated)))
    }

    /// What `parse` reads, one level deeper.
    fn deeper(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<Query>) -> Parsed<Query> {
        if self.depth == MAX_DEPTH {
            let reason = format!(
                "parentheses and NOT go {MAX_DEPTH} deep at the most; join the conditions otherwise"
            );
            return Err(self.error(self.at, reason));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn one(&mut self, field: Option<Field>) -> Parsed<Query> {
        let start = self.at;
        match self.peek() {
            None => Err(self.error(
                self.at,
                "a word, or a condition such as from:adams, is missing here",
            )),
            Some(')') => Err(self.error(
                self.at,
                "a word, or a condition such as from:adams, is missing before this )",
            )),
            Some('(') => self.group(field),
            Some(_) if self.takes(AND) || self.takes(OR) => {
                let reason = "AND and OR stand between two conditions; in small letters, or in quotes, they are words";
                Err(self.error(start, reason))
            }
            Some(_) => self.term(field),
        }
    }

    fn group(&mut self, field: Option<Field>) -> Parsed<Query> {
        let open = self.at;
        self.at += 1;
        let group = self.deeper(|parser| parser.any(field))?;
        if self.peek() != Some(')') {
            return Err(self.error(
                open,
                "this ( has no ) behind it; add one, or write \"(\" for the character",
            ));
        }
        self.at += 1;
        Ok(group)
    }

    /// A value, with its field before it or not.
    fn term(&mut self, field: Option<Field>) -> Parsed<Query> {
        let start = self.at;
        let Some(named) = self.field()? else {
            return self.value(field.unwrap_or(Field::Words(Place::Anywhere)));
        };
        match self.text.get(self.at) {
            Some('(') if matches!(named, Field::Words(_)) => self.group(Some(named)),
            None | Some(' ' | '(' | ')') => {
                let name: String = self
                    .text
                    .get(start..self.at)
                    .unwrap_or_default()
                    .iter()
                    .collect();
                Err(self.error(
                    self.at,
                    format!("what {name} is to be is missing here, without a blank before it"),
                ))
            }
            Some(_) => self.value(named),
        }
    }

    /// The field that comes next, with its colon; of a comparison, nothing but the name is passed over.
    fn field(&mut self) -> Parsed<Option<Field>> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let letters = rest
            .iter()
            .take_while(|letter| letter.is_ascii_alphanumeric())
            .count();
        let name: String = rest.iter().take(letters).collect();
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic());
        let found = Field::of(&name);
        match rest.get(letters) {
            Some(':') if is_name => {
                let field = found.ok_or_else(|| {
                    let reason = format!(
                        "there is no field {name}; there are {}; to look for the words themselves, put them in quotes",
                        Field::names()
                    );
                    self.error(self.at, reason)
                })?;
                self.at += letters + 1;
                Ok(Some(field))
            }
            Some('<' | '>' | '=') if found.is_some_and(Field::is_compared) => {
                self.at += letters;
                Ok(found)
            }
            _ => Ok(None),
        }
    }

    /// The value of `field` that comes next.
    fn value(&mut self, field: Field) -> Parsed<Query> {
        let start = self.at;
        let text = match self.text.get(start) {
            Some('"') => self.quoted()?,
            _ => self.word(),
        };
        let fail = |reason: String| Err(self.error(start, reason));
        let condition = match field {
            Field::Words(Place::Anywhere) if text == "*" => return Ok(Query::All(Vec::new())),
            Field::Words(place) => Condition::Words(place, self.pattern(&text, start)?),
            Field::Time(when) => match Span::of_time(&text, self.now) {
                Ok(span) => Condition::Time(when, span),
                Err(advice) => return fail(advice),
            },
            Field::Since | Field::Until => return self.bound(field, &text, start),
            Field::Size => match Span::of_size(&text) {
                Ok(span) => Condition::Size(span),
                Err(advice) => return fail(advice),
            },
            Field::Has if field::is_among(&text, &field::ATTACHMENT) => Condition::HasAttachment,
            Field::Has => return fail("write has:attachment; no other has: is known".to_owned()),
            Field::Class => Condition::Class(text),
            Field::Kind => match field::kind(&text) {
                Ok(kind) => Condition::Kind(kind),
                Err(known) => return fail(format!("there is no kind {text}; there are {known}")),
            },
            // No name of a folder has a backslash, and no name of a file a slash: so a path can stand in one.
            Field::Folder => Condition::Folder(text.replace('\\', "/")),
            Field::State => match field::state(&text) {
                Ok((state, true)) => Condition::State(state),
                Ok((state, false)) => {
                    let opposite = Query::Is(Condition::State(state));
                    return Ok(Query::Not(Box::new(opposite)));
                }
                Err(known) => return fail(format!("there is no flag {text}; there are {known}")),
            },
        };
        Ok(Query::Is(condition))
    }

    /// A span of times with one end.
    fn bound(&self, field: Field, text: &str, start: usize) -> Parsed<Query> {
        let typed = match field {
            Field::Since => format!(">={text}"),
            _ => format!("<={text}"),
        };
        let span = Span::of_time(&typed, self.now).map_err(|advice| self.error(start, advice))?;
        Ok(Query::Is(Condition::Time(super::query::When::Item, span)))
    }

    fn pattern(&self, text: &str, start: usize) -> Parsed<Pattern> {
        let bare = text.strip_suffix(PREFIX).unwrap_or(text);
        if let Some(star) = bare.chars().position(|character| character == PREFIX) {
            return Err(self.error(
                start + star,
                "a * stands at the end of a word, for any ending",
            ));
        }
        let reason = "there is no word in this; a word has letters or digits";
        Pattern::of(text).ok_or_else(|| self.error(start, reason))
    }

    /// What stands between quotes, and a star behind it.
    fn quoted(&mut self) -> Parsed<String> {
        let open = self.at;
        let rest = self.text.get(open + 1..).unwrap_or_default();
        let Some(length) = rest.iter().position(|character| *character == '"') else {
            return Err(self.error(
                open,
                "this quote has no end; add another \" behind the words",
            ));
        };
        let mut text: String = rest.iter().take(length).collect();
        self.at += length + 2;
        if self.text.get(self.at) == Some(&PREFIX) {
            text.push(PREFIX);
            self.at += 1;
        }
        Ok(text)
    }

    fn word(&mut self) -> String {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let is_end =
            |character: &char| character.is_whitespace() || matches!(character, '(' | ')' | '"');
        let word: String = rest
            .iter()
            .take_while(|character| !is_end(character))
            .collect();
        self.at += word.chars().count();
        word
    }
}

/// The only one of `parts`, or all of them joined.
fn one_or(mut parts: Vec<Query>, join: fn(Vec<Query>) -> Query) -> Query {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            join(parts)
        }
    }
}

#[cfg(test)]
mod tests;
