//! What an item tells once it is opened: its header, then its text, then the names of what is attached, then what that states.
//! Each step is made when the one before has not decided.
#![forbid(unsafe_code)]

use std::cell::OnceCell;
use std::collections::VecDeque;

use jiff::Zoned;

use super::attached::{self, Means, Reason};
use super::message_text::{header, label, said};
use super::pattern::Pattern;
use super::query::{Answer, Condition, Place, Query, State, When};
use super::span::{Span, start_of};
use super::text::{Line, Text};
use crate::convert::{AttachmentContent, AttachmentFile, Converter, Moment, Rendition, when};
use crate::ltp::tags;
use crate::messaging::{
    ItemKind, MSGFLAG_READ, MSGFLAG_UNSENT, Message, State as Done, is_derived,
};
use crate::problem::Problems;
use crate::tree::join;

/// Messages attached to one item, in messages attached to it and so on: a hostile one may have the same again and again.
const MAX_ATTACHED: usize = 1000;
/// Bytes of the text of all attachments of one item.
const MAX_TEXT: usize = 64 << 20;

/// How far an item is looked into; each costs more than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// Its properties and its header.
    Header,
    /// Its text.
    Body,
    /// The names of what is attached.
    Names,
    /// What is attached.
    Attached,
}

const STEPS: [Step; 4] = [Step::Header, Step::Body, Step::Names, Step::Attached];

/// What is known beside the item.
pub(super) struct Around<'a> {
    pub converter: &'a Converter,
    /// The time, in the zone in which days begin.
    pub now: &'a Zoned,
    /// Where words may be looked for: nothing is read of other fields.
    pub places: &'a [Place],
    pub means: Means<'a>,
}

/// An item that is open.
pub(super) struct Opened<'a> {
    around: &'a Around<'a>,
    message: &'a Message,
    header: OnceCell<Vec<(Place, Text)>>,
    said: OnceCell<Vec<(Place, Text)>>,
    attached: Option<Attached>,
    /// What turned out to be wrong with attachments and attached messages.
    problems: Vec<Problems>,
}

/// What is attached to an item, and to the messages attached to it.
#[derive(Default)]
struct Attached {
    names: Vec<Text>,
    /// What has not been read yet.
    waiting: VecDeque<Waiting>,
    texts: Vec<Text>,
    /// Bytes of these.
    len: usize,
}

/// A file or message that may have words.
enum Waiting {
    File(String, Rendition, String),
    Message(String, Box<Message>),
}

impl<'a> Opened<'a> {
    /// `message`, of which nothing but its list of properties has been read.
    pub fn new(around: &'a Around<'a>, message: &'a Message) -> Self {
        Self {
            around,
            message,
            header: OnceCell::new(),
            said: OnceCell::new(),
            attached: None,
            problems: Vec::new(),
        }
    }

    /// Whether it fulfils `query`, of which `known` tells what was known before it was opened.
    pub fn fulfils(&mut self, query: &Query, known: &dyn Fn(&Condition) -> Answer) -> bool {
        for step in STEPS {
            let mut ask = |condition: &Condition| match known(condition) {
                Answer::Open => self.answer(condition, step),
                known => known,
            };
            match query.answer(&mut ask) {
                Answer::Yes => return true,
                Answer::No => return false,
                Answer::Open => {}
            }
        }
        false
    }

    /// What turned out to be wrong with it, and with what is attached, as far as it was read.
    pub fn problems(&self) -> impl Iterator<Item = &Problems> {
        std::iter::once(self.message.problems()).chain(&self.problems)
    }

    fn answer(&mut self, condition: &Condition, step: Step) -> Answer {
        match condition {
            Condition::Words(place, pattern) => self.words(*place, pattern, step),
            Condition::Time(when, span) => self.time(*when, *span).into(),
            Condition::Size(span) => {
                let size = self.integer(tags::MESSAGE_SIZE);
                size.is_some_and(|size| span.has(i64::from(size))).into()
            }
            Condition::HasAttachment => self.has_attachment().into(),
            Condition::Class(wanted) => {
                let class = self.message.properties().string(tags::MESSAGE_CLASS);
                let class = class.ok().flatten().unwrap_or_default();
                is_derived(&class, wanted).into()
            }
            Condition::Kind(kind) => (kind.has)(&self.message.class()).into(),
            Condition::State(state) => self.state(*state).into(),
            // Who walks the folders has answered it.
            Condition::Folder(_) => Answer::No,
        }
    }

    fn integer(&self, id: u16) -> Option<i32> {
        self.message.properties().integer(id).ok().flatten()
    }

    fn has_attachment(&self) -> bool {
        let are_elsewhere = || {
            let is_appointment = self.message.class().kind == ItemKind::Appointment;
            is_appointment && self.around.converter.attachments(self.message).is_empty()
        };
        self.message.has_attachments() && !are_elsewhere()
    }

    fn state(&self, state: State) -> bool {
        let flag = |flag: i32| {
            let flags = self.integer(tags::MESSAGE_FLAGS);
            flags.is_some_and(|flags| flags & flag != 0)
        };
        let done = || Done::of(|id| self.integer(id));
        match state {
            State::Read => flag(MSGFLAG_READ),
            State::Draft => flag(MSGFLAG_UNSENT),
            State::Flagged => done().flagged,
            State::Replied => done().replied,
            State::Forwarded => done().forwarded,
        }
    }

    fn time(&self, when: When, span: Span) -> bool {
        let own = |id: u16| {
            let time = self.message.properties().time(id).ok().flatten();
            time.is_some_and(|time| span.has(time.unix_seconds()))
        };
        match when {
            When::Sent => own(tags::CLIENT_SUBMIT_TIME),
            When::Received => own(tags::MESSAGE_DELIVERY_TIME),
            When::Item => self.takes_place(span),
        }
    }

    /// Whether some of its time is within `span`: of an appointment, any part of when it takes place; of a
    /// series, one of its instances.
    fn takes_place(&self, span: Span) -> bool {
        // A day is the same day wherever it is looked at, and begins there.
        let seconds = |moment: Moment| {
            let own = match moment {
                Moment::Day(day) => start_of(day, self.around.now),
                Moment::Time(_) => None,
            };
            own.unwrap_or_else(|| moment.start().unix_seconds())
        };
        let meets =
            |start: Moment, end: Option<Moment>| span.meets(seconds(start), end.map(seconds));
        let stretches = when::stretches(self.message);
        if stretches.is_empty() {
            return when::moment(self.message).is_some_and(|moment| meets(moment, Some(moment)));
        }
        stretches
            .iter()
            .any(|stretch| meets(stretch.start, stretch.end))
    }

    fn words(&mut self, place: Place, pattern: &Pattern, step: Step) -> Answer {
        match place {
            Place::Body if step < Step::Body => Answer::Open,
            Place::Body => is_in(self.said(), place, pattern).into(),
            Place::Attachment if step < Step::Names => Answer::Open,
            Place::Attachment => self.has_name(pattern).into(),
            Place::Anywhere => self.anywhere(pattern, step),
            place => is_in(self.header(), place, pattern).into(),
        }
    }

    fn anywhere(&mut self, pattern: &Pattern, step: Step) -> Answer {
        let place = Place::Anywhere;
        let is_found = is_in(self.header(), place, pattern)
            || step >= Step::Body && is_in(self.said(), place, pattern)
            || step >= Step::Names && self.has_name(pattern)
            || step >= Step::Attached && self.is_attached(pattern);
        match step {
            Step::Attached => is_found.into(),
            _ => Answer::yes_if(is_found),
        }
    }

    fn header(&self) -> &[(Place, Text)] {
        self.header
            .get_or_init(|| header(self.around.converter, self.message, self.around.places))
    }

    fn said(&self) -> &[(Place, Text)] {
        let zone = self.around.now.time_zone();
        let make = || {
            let mut texts = said(self.around.converter.said(self.message, zone));
            if self.message.class().is_smime {
                texts.extend(self.secured().map(|text| (Place::Body, text)));
            }
            texts
        };
        self.said.get_or_init(make)
    }

    /// The body of S/MIME, which is in an attachment; what is in one piece is told to be not looked into.
    fn secured(&self) -> impl Iterator<Item = Text> {
        let (converter, means) = (self.around.converter, self.around.means);
        let files = converter.attachments(self.message).into_iter();
        files.filter_map(move |file| {
            let AttachmentContent::File(content) = file.content else {
                return None;
            };
            let text = attached::text(&content, &file.name, &file.media_type, means);
            let problems = content.problems().list().into_iter();
            problems.for_each(|problem| self.message.problems().note(problem));
            match text {
                Ok(text) => Some(Text::new(label(Place::Body), text)),
                Err(reason) => {
                    means.unseen.add(reason);
                    None
                }
            }
        })
    }

    fn attached(&mut self) -> &mut Attached {
        if self.attached.is_none() {
            let mut attached = Attached::default();
            self.gather(&mut attached);
            self.attached = Some(attached);
        }
        self.attached.get_or_insert_default()
    }

    /// Adds what is attached to the item, and to the messages attached to it.
    fn gather(&self, attached: &mut Attached) {
        let files = self.around.converter.attachments(self.message);
        let mut todo: VecDeque<AttachmentFile> = files.into();
        let mut paths = vec![(String::new(), todo.len())];
        let mut messages = 0;
        while let Some(file) = todo.pop_front() {
            let path = below(&mut paths, &file.name);
            attached.names.push(Text::new("attachment", path.clone()));
            match file.content {
                // Its body, which is searched as such.
                AttachmentContent::File(_) if self.message.class().is_smime && messages == 0 => {}
                AttachmentContent::File(content) => {
                    let waiting = Waiting::File(path, content, file.media_type);
                    attached.waiting.push_back(waiting);
                }
                AttachmentContent::Message(_) if messages == MAX_ATTACHED => {
                    self.around.means.unseen.add(Reason::Many);
                }
                AttachmentContent::Message(inner) => {
                    messages += 1;
                    let files = self.around.converter.attachments(&inner);
                    paths.push((path.clone(), files.len()));
                    attached.waiting.push_back(Waiting::Message(path, inner));
                    files
                        .into_iter()
                        .rev()
                        .for_each(|file| todo.push_front(file));
                }
                AttachmentContent::Unreadable(error) => {
                    self.message
                        .problems()
                        .note_error(format_args!("attachment {path:?}"), &error);
                }
            }
        }
    }

    fn has_name(&mut self, pattern: &Pattern) -> bool {
        self.attached().names.iter().any(|name| name.has(pattern))
    }

    /// Whether `pattern` is in what is attached, which is read until it is found.
    fn is_attached(&mut self, pattern: &Pattern) -> bool {
        let mut seen = 0;
        loop {
            let texts = self.attached().texts.iter().skip(seen);
            if texts.into_iter().any(|text| text.has(pattern)) {
                return true;
            }
            seen = self.attached().texts.len();
            if !self.read_next() {
                return false;
            }
        }
    }

    /// Reads what is attached next; returns whether there was something.
    fn read_next(&mut self) -> bool {
        let attached = self.attached();
        let is_full = attached.len >= MAX_TEXT;
        let Some(waiting) = attached.waiting.pop_front() else {
            return false;
        };
        let texts = match waiting {
            _ if is_full => Err(Reason::Large),
            Waiting::File(path, file, media_type) => {
                let text = attached::text(&file, &path, &media_type, self.around.means);
                self.problems.push(file.problems().clone());
                text.map(|text| vec![Text::new(path, text)])
            }
            Waiting::Message(path, message) => {
                let texts = self.texts_of(&path, &message);
                self.problems.push(message.problems().clone());
                Ok(texts)
            }
        };
        match texts {
            Ok(texts) => {
                let attached = self.attached();
                attached.len += texts.iter().map(Text::len).sum::<usize>();
                attached.texts.extend(texts);
            }
            Err(reason) => self.around.means.unseen.add(reason),
        }
        true
    }

    /// Header and text of a message that is attached under `path`.
    fn texts_of(&self, path: &str, message: &Message) -> Vec<Text> {
        let converter = self.around.converter;
        let header = header(converter, message, &[Place::Anywhere]);
        let said = said(converter.said(message, self.around.now.time_zone()));
        let texts = header.into_iter().chain(said);
        texts.map(|(_, text)| text.at(path)).collect()
    }

    /// Calls `see` with all its texts, folded, and where they stand.
    pub fn each_text(&mut self, see: &mut dyn FnMut(Place, &str)) {
        for (place, text) in self.header().iter().chain(self.said()) {
            see(*place, text.folded());
        }
        while self.read_next() {}
        let attached = self.attached();
        for name in &attached.names {
            see(Place::Attachment, name.folded());
        }
        for text in &attached.texts {
            see(Place::Anywhere, text.folded());
        }
    }

    /// The lines in which something of `query` was found, with `around` lines before and behind each.
    pub fn lines(&mut self, query: &Query, around: usize) -> Vec<Line> {
        let mut wanted: Vec<(Place, &Pattern)> = Vec::new();
        query.each_found(&mut |condition| {
            if let Condition::Words(place, pattern) = condition {
                wanted.push((*place, pattern));
            }
        });
        let patterns = |matches: &dyn Fn(Place) -> bool| -> Vec<&Pattern> {
            let wanted = wanted.iter().filter(|(place, _)| matches(*place));
            wanted.map(|(_, pattern)| *pattern).collect()
        };
        let mut lines = Vec::new();
        if wanted.is_empty() {
            return lines;
        }
        for (own, text) in self.header().iter().chain(self.said()) {
            lines.extend(text.lines(&patterns(&|place| place.has(*own)), around));
        }
        let anywhere = patterns(&|place| place == Place::Anywhere);
        let names = patterns(&|place| place.has(Place::Attachment));
        if !names.is_empty() {
            let found = self.attached().names.iter();
            lines.extend(found.flat_map(|name| name.lines(&names, 0)));
        }
        if !anywhere.is_empty() {
            while self.read_next() {}
            let found = self.attached().texts.iter();
            lines.extend(found.flat_map(|text| text.lines(&anywhere, around)));
        }
        lines
    }
}

/// Whether `pattern` is in those of `texts` that are looked through for words that are to stand at `place`.
fn is_in(texts: &[(Place, Text)], place: Place, pattern: &Pattern) -> bool {
    let mut texts = texts.iter().filter(|(own, _)| place.has(*own));
    texts.any(|(_, text)| text.has(pattern))
}

/// The path of the next attachment, called `name`: `paths` has those of the messages that are open, with how many of their
/// attachments are to come.
fn below(paths: &mut Vec<(String, usize)>, name: &str) -> String {
    while paths.last().is_some_and(|(_, left)| *left == 0) {
        paths.pop();
    }
    let Some((path, left)) = paths.last_mut() else {
        return name.to_owned();
    };
    *left -= 1;
    join(path, name)
}
