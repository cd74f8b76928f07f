//! Composes the entities of a message: its header, its content by class, its attachments. [MS-OXCMAIL] 2.1.3
#![forbid(unsafe_code)]

use jiff::tz::TimeZone;

use super::boundary::Boundaries;
use super::date::date;
use super::entity::{Body, Entity};
use super::fields::{Fields, PROBLEM_FIELD};
use super::inline::{References, name_marks};
use super::{details, flags, header, report, signed};
use crate::convert::attachment::{Content, Item};
use crate::convert::body::{self, BestBody};
use crate::convert::byte_range::ByteRange;
use crate::convert::context::Context;
use crate::convert::lookup::Lookup;
use crate::convert::options::Headers;
use crate::convert::reader::told;
use crate::convert::rendition::{Rendition, Writer};
use crate::convert::room::{MAX_MESSAGES, Room};
use crate::convert::text::rtf::ATTACHMENT_MARK;
use crate::convert::text::{clean, contains};
use crate::convert::{calendar, item};
use crate::ltp::tags;
use crate::messaging::Message;
use crate::problem::{Problem, Problems};

/// `message` as a file in the `room` for its text; if `checked`, its attachments are read to find those that are damaged.
pub(in crate::convert) fn render(
    context: &Context,
    message: &Message,
    checked: bool,
    room: &mut Room,
) -> Rendition {
    let mut composer = Composer {
        context,
        checked,
        messages_left: MAX_MESSAGES,
        room,
    };
    composer.room.take(message);
    let entity = composer.message(message);
    let mut writer = Writer::new(context.options.eol);
    entity.write(&mut writer, &mut Boundaries::new(message.nid().0));
    writer.finish(message.problems())
}

/// Composes one file: a message and those within it.
struct Composer<'a> {
    context: &'a Context,
    checked: bool,
    messages_left: usize,
    room: &'a mut Room,
}

impl Composer<'_> {
    /// How fields are written that are made here.
    fn style(&self) -> Headers {
        self.context.options.headers.of_made_fields()
    }

    /// A whole message: its header, and its content.
    fn message(&mut self, message: &Message) -> Entity {
        let mut fields = header::of_message(self.context, message, self.context.options.headers);
        let mut items = item::attachments(message);
        if self.checked {
            items.iter_mut().for_each(Item::check);
        }
        if items.iter().any(|item| item.is_stated(signed::RMS)) && !fields.has("Content-Class") {
            fields.push("Content-Class", "rpmsg.message");
        }
        let left_out = items.len();
        let content = self.content(message, items, fields.has(flags::INCOMPLETE));
        message.note_circumstances();
        fields.push("MIME-Version", "1.0");
        if let Ok(Some(class)) = message.properties().string(tags::MESSAGE_CLASS) {
            fields.push_text("X-Ostfs-Class", &class);
        }
        if message.depth() == 0 {
            fields.push("X-Ostfs-Node", format!("{:#x}", message.nid().0));
        }
        if content.left_out > 0 {
            let note = format!(
                "{} of {left_out} are in the .attachments directory beside this file",
                content.left_out
            );
            fields.push("X-Ostfs-Attachments", note);
        }
        for problem in told(message.problems()) {
            fields.push_text(PROBLEM_FIELD, &problem);
        }
        fields.extend(content.entity.fields);
        Entity {
            fields,
            body: content.entity.body,
        }
    }

    /// The content by message class: signed, a report, or what most messages are; `is_incomplete` if the body was not
    /// fetched.
    fn content(&mut self, message: &Message, items: Vec<Item>, is_incomplete: bool) -> Composed {
        let problems = message.problems();
        let class = message.class();
        let has_body = || body::best(message).len() > 0;
        if let Some(entity) = signed::compose(class.is_smime, &items, has_body, self.style()) {
            return Composed {
                entity,
                left_out: 0,
            };
        }
        let mut best = body::best(message);
        if let Some(problem) = message.problem()
            && best.len() == 0
        {
            best.text = Some(format!("This message could not be read.\n\n{problem}\n"));
        }
        if let Some(text) = &mut best.text
            && contains(text, ATTACHMENT_MARK.encode_utf8(&mut [0; 4]))
        {
            *text = name_marks(text, &items);
        }
        if let Some(kind) = report::Kind::of(class.kind) {
            let text = best.text.take().or_else(|| report::text(message));
            best.text = text;
            return self.report(kind, message, best, items, problems);
        }
        let lookup = Lookup::new(self.context);
        let calendar = calendar::meeting_part(message, &|name| lookup.resolve(name));
        lookup.tell(problems);
        // The calendar part of a meeting tells all that these lines would, and its sender wrote the text.
        let details = match (&calendar, best.len()) {
            (Some(_), 1..) => None,
            _ => details::of_message(class.kind, message, &TimeZone::UTC),
        };
        let (mut shown, others) = self.with_inline(best, calendar, items, problems);
        // What somebody sent begins with what they wrote.
        let at = if class.kind.is_mail() { shown.len() } else { 0 };
        let details = details.map(|text| Entity::text("plain", text, self.style()));
        shown.splice(at..at, details);
        if is_incomplete {
            shown.push(Entity::text(
                "plain",
                flags::HEADER_ONLY.to_owned(),
                self.style(),
            ));
        }
        shown.extend(self.own_format(message));
        self.with_attachments(shown, others, problems)
    }

    /// An appointment, task or contact in its own format, for programs that can do more with it than show it.
    fn own_format(&self, message: &Message) -> Option<Entity> {
        let item = item::of_message(self.context, message)?;
        if !item.format.is_attached_to_mail() {
            return None;
        }
        let subject = message.subject().ok().flatten();
        // A name is no path.
        let subject = subject.map(|subject| clean(&subject.text).replace(['/', '\\'], "_"));
        let stem = subject.filter(|subject| !subject.trim().is_empty());
        let stem = stem.as_deref().unwrap_or("item");
        let name = format!("{stem}{}", item.format.extension());
        Some(Entity::item(
            &name,
            item.format.media_type(),
            &item.text,
            self.style(),
        ))
    }

    /// A report: text, machine-readable part, original message; other attachments around it.
    fn report(
        &mut self,
        kind: report::Kind,
        message: &Message,
        mut best: BestBody,
        items: Vec<Item>,
        problems: &Problems,
    ) -> Composed {
        let style = self.style();
        let mut stored = None;
        let mut original = None;
        let mut others = Vec::new();
        for item in items {
            let is_machine_part = report::is_machine_part(&item);
            if is_machine_part
                && stored.is_none()
                && let Some(text) = report::machine_text(&item)
            {
                stored = item
                    .stated_type
                    .clone()
                    .map(|media_type| (media_type, text));
            } else if original.is_none() && matches!(item.content, Content::Message(_)) {
                original = Some(self.attachment(item, "attachment", problems));
            } else {
                others.push(item);
            }
        }
        let (media_type, text) = stored.unwrap_or_else(|| {
            (
                kind.media_type().to_owned(),
                report::machine_part(self.context, kind, message, problems),
            )
        });
        // Outlook makes the text of a report that has none when it shows it. These lines say the same.
        if best.len() == 0 {
            best.text = Some(text.clone());
        }
        let (explanation, others) = self.with_inline(best, None, others, problems);
        let mut parts = vec![Entity::multipart("mixed", explanation, style)];
        let report_type = media_type
            .strip_prefix("message/")
            .unwrap_or_default()
            .to_owned();
        parts.push(Entity::part(
            Body::Lines {
                media_type,
                parameters: Vec::new(),
                text,
            },
            style,
        ));
        parts.extend(original);
        let report = Entity::part(
            Body::Multipart {
                subtype: "report",
                parameters: vec![("report-type", report_type)],
                parts,
            },
            style,
        );
        self.with_attachments(vec![report], others, problems)
    }

    /// The body with the attachments that it shows, and all other attachments.
    fn with_inline(
        &mut self,
        best: BestBody,
        calendar: Option<(&'static str, String)>,
        items: Vec<Item>,
        problems: &Problems,
    ) -> (Vec<Entity>, Vec<Item>) {
        let style = self.style();
        let has_references = items
            .iter()
            .any(|item| item.content_id.is_some() || item.content_location.is_some());
        let references = best
            .html
            .as_deref()
            .filter(|_| has_references)
            .map(References::of_html);
        let is_shown = |item: &Item| {
            item.bytes().is_some()
                && references
                    .as_ref()
                    .is_some_and(|references| references.contains(item))
        };
        let (inline, others): (Vec<Item>, Vec<Item>) = items.into_iter().partition(is_shown);
        let mut forms = Vec::new();
        forms.extend(best.text.map(|text| Entity::text("plain", text, style)));
        forms.extend(best.html.map(|html| Entity::text("html", html, style)));
        // The form that programs act on comes last. RFC 5546 4, RFC 2046 5.1.4
        forms.extend(calendar.map(|(method, text)| Entity::calendar(method, &text, style)));
        let mut shown = Vec::new();
        if !forms.is_empty() {
            let alternative = Entity::multipart("alternative", forms, style);
            let root_type = alternative.media_type();
            let mut parts = vec![alternative];
            parts.extend(
                inline
                    .into_iter()
                    .map(|item| self.attachment(item, "inline", problems)),
            );
            let mut related = Entity::multipart("related", parts, style);
            if let Body::Multipart {
                subtype: "related",
                parameters,
                ..
            } = &mut related.body
            {
                parameters.push(("type", root_type));
            }
            shown.push(related);
        }
        if let Some(rtf) = best.rtf {
            let item = Item::of_file("body.rtf".to_owned(), None, ByteRange::of_bytes(rtf));
            shown.push(self.attachment(item, "attachment", problems));
        }
        (shown, others)
    }

    /// The shown parts, and the attachments if they are to be in the message.
    fn with_attachments(
        &mut self,
        mut parts: Vec<Entity>,
        items: Vec<Item>,
        problems: &Problems,
    ) -> Composed {
        let style = self.style();
        if parts.is_empty() {
            parts.push(Entity::text("plain", String::new(), style));
        }
        let mut left_out = 0;
        for item in items {
            if self.context.options.attachments_in_message || item.is_hidden {
                parts.push(self.attachment(item, "attachment", problems));
            } else {
                left_out += 1;
            }
        }
        Composed {
            entity: Entity::multipart("mixed", parts, style),
            left_out,
        }
    }

    /// One attachment as a part.
    fn attachment(&mut self, item: Item, disposition: &str, problems: &Problems) -> Entity {
        let style = self.style();
        let mut fields = Fields::new(style);
        // RFC 2183 2.4
        let times = [
            ("creation-date", item.created),
            ("modification-date", item.modified),
        ];
        let times = times.map(|(name, time)| Some((name, date(time?, &TimeZone::UTC)?)));
        let mut parameters = vec![("filename", item.name.as_str())];
        let known = times.iter().flatten();
        parameters.extend(known.map(|(name, time)| (*name, time.as_str())));
        fields.push_parameters("Content-Disposition", disposition, &parameters);
        if let Some(id) = item
            .content_id
            .as_deref()
            .filter(|id| id.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            fields.push("Content-ID", format!("<{id}>"));
        }
        if let Some(location) = &item.content_location {
            fields.push_text("Content-Location", location);
        }
        // Encodings are forbidden in such a part (RFC 3464 2.1), and without its type nobody knows it for what it is.
        let machine_text = match report::is_machine_part(&item) {
            true => report::machine_text(&item),
            false => None,
        };
        if let (Some(text), Some(media_type)) = (machine_text, &item.stated_type) {
            let body = Body::Lines {
                media_type: media_type.clone(),
                parameters: Vec::new(),
                text,
            };
            return Entity { fields, body };
        }
        let body = match item.content {
            Content::Bytes(content) => Body::File {
                media_type: item.media_type,
                parameters: item
                    .charset
                    .map(|charset| ("charset", charset))
                    .into_iter()
                    .collect(),
                content,
            },
            Content::Message(message) if self.messages_left > 0 && self.room.take(&message) => {
                self.messages_left -= 1;
                Body::Message(Box::new(self.message(&message)))
            }
            Content::Message(_) => {
                let problem = format!(
                    "more than {MAX_MESSAGES} messages, or far more text than the data file, in one message"
                );
                return self.unreadable(&item.name, &problem, problems);
            }
            Content::Unreadable(error) => {
                return self.unreadable(&item.name, &error.to_string(), problems);
            }
        };
        Entity { fields, body }
    }

    /// A part in place of an attachment that cannot be read.
    fn unreadable(&self, name: &str, problem: &str, problems: &Problems) -> Entity {
        problems.note(Problem::new(format_args!("attachment {name:?}"), problem));
        let text = format!("The attachment \"{name}\" could not be read.\n\n{problem}\n");
        Entity::text("plain", text, self.style())
    }
}

/// The content of a message.
struct Composed {
    entity: Entity,
    /// Attachments that are only beside the message.
    left_out: usize,
}
