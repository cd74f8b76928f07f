//! What the row of a contents table tells of an item, without the item being opened.
//!
//! A row is believed where it has the property itself. What it lacks is left open, never taken for absent; so are senders and
//! recipients that it names otherwise: it has their names, and not their addresses.
#![forbid(unsafe_code)]

use std::cell::OnceCell;

use super::fold::fold;
use super::pattern::Pattern;
use super::query::{Answer, Condition, Place, State, When};
use super::span::Span;
use crate::convert::Title;
use crate::ltp::tags;
use crate::messaging::{
    Cells, ItemKind, MSGFLAG_HASATTACH, MSGFLAG_READ, MSGFLAG_UNSENT, MessageClass, State as Done,
    Subject, is_derived,
};

/// Texts of rows.
const TEXTS: [(Place, u16); 4] = [
    (Place::Subject, tags::SUBJECT),
    (Place::From, tags::SENT_REPRESENTING_NAME),
    (Place::To, tags::DISPLAY_TO),
    (Place::Cc, tags::DISPLAY_CC),
];

/// The row of an item.
pub(super) struct Listed<'a> {
    cells: Cells<'a>,
    class: OnceCell<Option<String>>,
    /// Of [`TEXTS`], folded, and whether it is all of the text; None where the table does not tell.
    texts: [OnceCell<Option<(String, bool)>>; TEXTS.len()],
}

impl<'a> Listed<'a> {
    pub fn new(cells: Cells<'a>) -> Self {
        Self {
            cells,
            class: OnceCell::new(),
            texts: Default::default(),
        }
    }

    /// Whether the item fulfils `condition`.
    pub fn answer(&self, condition: &Condition) -> Answer {
        match condition {
            Condition::Words(place, pattern) => self.words(*place, pattern),
            Condition::Time(when, span) => self.time(*when, *span),
            Condition::Size(span) => {
                let size = self.cells.integer(tags::MESSAGE_SIZE);
                Answer::of(size.map(|size| span.has(i64::from(size))))
            }
            Condition::HasAttachment => self.has_attachment(),
            Condition::Class(wanted) => {
                Answer::of(self.class().map(|class| is_derived(class, wanted)))
            }
            Condition::Kind(kind) => {
                Answer::of(self.parsed_class().map(|class| (kind.has)(&class)))
            }
            Condition::State(state) => self.state(*state),
            // Who walks the folders knows.
            Condition::Folder(_) => Answer::Open,
        }
    }

    fn class(&self) -> Option<&str> {
        let class = self.class.get_or_init(|| self.cells.class());
        class.as_deref()
    }

    fn parsed_class(&self) -> Option<MessageClass> {
        self.class().map(MessageClass::parse)
    }

    fn text(&self, place: Place) -> Option<&(String, bool)> {
        let mut texts = TEXTS.iter().zip(&self.texts);
        let ((_, id), text) = texts.find(|((own, _), _)| *own == place)?;
        let read = || {
            let text = self.cells.known_text(*id)?;
            let is_whole = !Cells::may_be_cut(&text);
            let text = match place {
                Place::Subject => Subject::parse(text).text,
                _ => text,
            };
            Some((fold(&text), is_whole))
        };
        text.get_or_init(read).as_ref()
    }

    /// Calls `see` with all its texts, folded, and where they stand.
    pub fn each_text(&self, see: &mut dyn FnMut(Place, &str)) {
        for (place, _) in TEXTS {
            if let Some((text, _)) = self.text(place) {
                see(place, text);
            }
        }
    }

    fn has(&self, place: Place, pattern: &Pattern) -> bool {
        let text = self.text(place);
        text.is_some_and(|(text, _)| pattern.is_in(text))
    }

    fn words(&self, place: Place, pattern: &Pattern) -> Answer {
        let has = |places: &[Place]| places.iter().any(|place| self.has(*place, pattern));
        match place {
            Place::Subject => self.subject(pattern),
            Place::Recipients => Answer::yes_if(has(&[Place::To, Place::Cc])),
            Place::Anywhere => {
                Answer::yes_if(has(&[Place::Subject, Place::From, Place::To, Place::Cc]))
            }
            place => Answer::yes_if(has(&[place])),
        }
    }

    /// A subject that is whole decides, but of items that are named by something else.
    fn subject(&self, pattern: &Pattern) -> Answer {
        let Some((text, is_whole)) = self.text(Place::Subject) else {
            return Answer::Open;
        };
        let class = self.parsed_class();
        let is_title = class.is_some_and(|class| Title::of(class.kind) == Title::DateAndSubject);
        match pattern.is_in(text) {
            true => Answer::Yes,
            // The message may have one that arrived with it.
            false if text.is_empty() || !is_whole || !is_title => Answer::Open,
            false => Answer::No,
        }
    }

    /// When something takes place, its message alone tells; and where a table has no column for the delivery, the
    /// submission may be the second best.
    fn time(&self, when: When, span: Span) -> Answer {
        let time = |id: u16| self.cells.time(id);
        let submit = || time(tags::CLIENT_SUBMIT_TIME);
        let time = match when {
            When::Sent => submit(),
            When::Received => time(tags::MESSAGE_DELIVERY_TIME),
            When::Item => {
                let kind = self.parsed_class().map(|class| class.kind);
                let is_dated = kind.is_some_and(|kind| !kind.takes_place());
                let has_column = self.cells.has_column(tags::MESSAGE_DELIVERY_TIME);
                let submit = || has_column.then(submit).flatten();
                is_dated
                    .then(|| time(tags::MESSAGE_DELIVERY_TIME).or_else(submit))
                    .flatten()
            }
        };
        Answer::of(time.map(|time| span.has(time.unix_seconds())))
    }

    /// A flag that is not set may be missing.
    fn has_attachment(&self) -> Answer {
        let flags = self.cells.integer(tags::MESSAGE_FLAGS).unwrap_or(0);
        let is_said = flags & MSGFLAG_HASATTACH != 0
            || self.cells.boolean(tags::HAS_ATTACHMENTS) == Some(true);
        // Those of an appointment may be changed instances of its series.
        let kind = self.parsed_class().map(|class| class.kind);
        Answer::yes_if(is_said && kind.is_some_and(|kind| kind != ItemKind::Appointment))
    }

    fn state(&self, state: State) -> Answer {
        let flag = |flag: i32| {
            let flags = self.cells.integer(tags::MESSAGE_FLAGS);
            Answer::of(flags.map(|flags| flags & flag != 0))
        };
        let done = || Done::of(|id| self.cells.integer(id));
        let tells = |ids: &[u16]| ids.iter().all(|id| self.cells.has_column(*id));
        let tells_verb = || tells(&[tags::LAST_VERB_EXECUTED, tags::ICON_INDEX]);
        let (is_so, is_told) = match state {
            State::Read => return flag(MSGFLAG_READ),
            State::Draft => return flag(MSGFLAG_UNSENT),
            State::Flagged => (done().flagged, tells(&[tags::FLAG_STATUS])),
            State::Replied => (done().replied, tells_verb()),
            State::Forwarded => (done().forwarded, tells_verb()),
        };
        match is_told {
            true => Answer::from(is_so),
            false => Answer::yes_if(is_so),
        }
    }
}
