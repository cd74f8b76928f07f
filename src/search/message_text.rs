//! The texts of a message: its header and what it says, and where each stands.
#![forbid(unsafe_code)]

use super::query::Place;
use super::text::Text;
use crate::convert::{Converter, Said, Title};
use crate::ltp::tags;
use crate::messaging::Message;

/// Fields of a header and the places that they stand for.
const FIELDS: [(&str, Place); 9] = [
    ("From", Place::From),
    ("Sender", Place::From),
    ("To", Place::To),
    ("Cc", Place::Cc),
    ("Bcc", Place::Bcc),
    ("X-Ostfs-Bcc", Place::Bcc),
    ("Subject", Place::Subject),
    ("Keywords", Place::Category),
    ("Message-ID", Place::Id),
];
/// Names that Outlook shows, which a header may have otherwise.
const NAMES: [(u16, Place); 4] = [
    (tags::SENT_REPRESENTING_NAME, Place::From),
    (tags::DISPLAY_TO, Place::To),
    (tags::DISPLAY_CC, Place::Cc),
    (tags::DISPLAY_BCC, Place::Bcc),
];

/// The header of `message`, and what Outlook shows of it, as far as words for one of `places` may stand there.
pub(super) fn header(
    converter: &Converter,
    message: &Message,
    places: &[Place],
) -> Vec<(Place, Text)> {
    let is_wanted = |own: Place| places.iter().any(|place| place.has(own));
    let fields: Vec<_> = FIELDS.iter().filter(|(_, own)| is_wanted(*own)).collect();
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let header = converter.header(message, &names);
    let mut texts: Vec<(Place, String)> = Vec::new();
    let mut add = |place: Place, value: Option<String>| {
        let is_new = |value: &String| {
            let mut same = texts.iter().filter(|(own, _)| *own == place);
            !value.is_empty() && !same.any(|(_, text)| text.contains(value.as_str()))
        };
        if let Some(value) = value.filter(is_new) {
            texts.push((place, value));
        }
    };
    let stored = |id: u16| message.properties().string(id).ok().flatten();
    let subject = || message.subject().ok().flatten().map(|subject| subject.text);
    let subject = is_wanted(Place::Subject).then(subject).flatten();
    let has_subject = subject.as_ref().is_some_and(|subject| !subject.is_empty());
    for (name, place) in fields {
        // The stored subject is the one that names and tables have.
        if *place != Place::Subject || !has_subject {
            add(*place, header.line(name));
        }
    }
    add(Place::Subject, subject);
    if is_wanted(Place::Subject) && Title::of(message.class().kind) == Title::DisplayName {
        add(Place::Subject, stored(tags::DISPLAY_NAME));
    }
    for (id, place) in NAMES.into_iter().filter(|(_, own)| is_wanted(*own)) {
        add(place, stored(id));
    }
    let texts = texts.into_iter();
    texts
        .map(|(place, text)| (place, Text::new(label(place), text)))
        .collect()
}

/// What `said` has, in its places.
pub(super) fn said(said: Said) -> Vec<(Place, Text)> {
    let details = said.details.into_iter();
    let details = details.map(|text| (Place::Anywhere, Text::new("details", text)));
    let body = (Place::Body, Text::new(label(Place::Body), said.body));
    details.chain([body]).collect()
}

/// What stands before a line of a place: the name of its field.
pub(super) fn label(place: Place) -> &'static str {
    match place {
        Place::From => "from",
        Place::To => "to",
        Place::Cc => "cc",
        Place::Bcc => "bcc",
        Place::Subject => "subject",
        Place::Body => "body",
        Place::Category => "category",
        Place::Id => "id",
        Place::Attachment => "attachment",
        Place::Anywhere | Place::Recipients => "",
    }
}
