//! The attachments of a message as files: their names, their types, and where their bytes are. [MS-OXCMSG] 2.2.2
#![forbid(unsafe_code)]

use super::item::{Content, Item, base_name};
use super::link::Link;
use super::media_type::{self, OCTET_STREAM};
use super::{mac_binary, ole, tnef};
use crate::convert::byte_range::ByteRange;
use crate::convert::text::{clean, is_token, one_line};
use crate::error::{Error, Result};
use crate::ltp::tags;
use crate::messaging::{AttachMethod, Attachment, AttachmentData, Message, Properties};
use crate::problem::Problem;

/// Bit of PidTagAttachmentFlags: an exception of a recurring appointment.
const FLAG_EXCEPTION: i32 = 0x2;
/// Attachments of one message that are shown.
const MAX_ITEMS: usize = 10_000;

/// The attachments of `message` in table order; what is in a TNEF attachment or an OLE object follows it, as does
/// what a file from a Mac has beside its data, and the link of one on the web of which something is at hand. Never fails: an attachment
/// that cannot be opened is unreadable content under the best name known. Those that are shown elsewhere, and once more
/// would be too much, are left out and are one problem together.
pub(crate) fn list(message: &Message) -> Vec<Item> {
    let attachments = message.attachments();
    // Most are one item each. A list that has room for more is kept with that room, or leaves a hole in memory.
    let mut items = Vec::with_capacity(attachments.len().min(MAX_ITEMS));
    if attachments.len() > MAX_ITEMS {
        let problem = format!(
            "{} attachments, of which {MAX_ITEMS} are shown",
            attachments.len()
        );
        let error = Error::corrupt("attachment table", message.nid(), problem);
        message.problems().note_error("attachments", &error);
    }
    let mut repeated = Vec::new();
    for (index, attachment) in attachments.iter().take(MAX_ITEMS).enumerate() {
        let fallback = format!("attachment-{}", index + 1);
        let found = match attachment.properties() {
            Ok(properties) => with_contents(attachment, &properties, &fallback),
            Err(error) if error.is_repeated() => Err(error),
            Err(error) => Ok(vec![nameless(attachment, &fallback, error)]),
        };
        match found {
            Ok(found) => items.extend(found.into_iter().map(|item| Item {
                nid: attachment.nid(),
                ..item
            })),
            Err(error) => repeated.push(error),
        }
    }
    if let Some(first) = repeated.first() {
        let count = repeated.len();
        let problem = format!("{count} left out; of the first, {first}");
        message
            .problems()
            .note(Problem::new("attachments", problem));
    }
    items
}

/// `attachment`, and behind it what is in it and its link; nothing if it never was anything. An error means that it is shown
/// elsewhere, and once more would be too much.
fn with_contents(
    attachment: &Attachment,
    properties: &Properties,
    fallback: &str,
) -> Result<Vec<Item>> {
    let item = match item(attachment, properties, fallback) {
        Some(Item {
            content: Content::Unreadable(error @ Error::Repeated(_)),
            ..
        }) => return Err(error),
        Some(item) => item,
        None if is_nothing(attachment, properties) => return Ok(Vec::new()),
        None => {
            let problem = "its properties do not tell what it is";
            let error = Error::corrupt("attachment", attachment.nid(), problem);
            nameless(attachment, fallback, error)
        }
    };
    let (item, stored) = mac_binary::unpack(item, properties);
    let files = tnef::unpack(&item);
    let within = ole::unpack(&item, properties.code_page());
    let beside = link_beside(attachment, properties, &item);
    let contents = files.into_iter().chain(within).chain(stored).chain(beside);
    let mut all = vec![item];
    all.extend(contents);
    Ok(all)
}

/// An attachment whose properties are lost because of `error`: its content may be there all the same.
fn nameless(attachment: &Attachment, fallback: &str, error: Error) -> Item {
    let listed = attachment.listed_name();
    let listed = listed.and_then(|name| base_name(&one_line(&name)));
    let (lost, as_listed) = match &listed {
        Some(_) => ("properties", ", as in the attachment table"),
        None => ("name and type", ""),
    };
    let file_name = || {
        let listed = listed.clone();
        listed.unwrap_or_else(|| format!("{fallback}.bin"))
    };
    let (name, content) = match attachment.left(listed.as_deref()) {
        Some(AttachmentData::Message(message)) => {
            let name = message_name(&message, listed, None, fallback);
            (name, Content::Message(message))
        }
        Some(AttachmentData::Bytes(value) | AttachmentData::Ole(value)) => {
            (file_name(), Content::Bytes(ByteRange::of_stream(value)))
        }
        Some(AttachmentData::None) | None => return Item::unreadable(&file_name(), error),
    };
    let problems = attachment.message().problems();
    let problems = problems.within(format_args!("attachment {:#x}", attachment.nid().0));
    let text = format_args!("its {lost} are lost, and it is shown as {name:?}{as_listed}: {error}");
    problems.note(Problem::new("", text));
    Item {
        problems,
        content,
        ..Item::of_file(name, None, ByteRange::of_bytes(Vec::new()))
    }
}

/// Whether nothing tells that there ever was anything of an attachment whose `properties` have neither method nor content:
/// no subnode, and no name in the table that they lack.
fn is_nothing(attachment: &Attachment, properties: &Properties) -> bool {
    let is_lost = || !Attachment::is_named(properties) && attachment.listed_name().is_some();
    attachment.left(None).is_none() && !is_lost()
}

/// None when there is nothing to show: no content and no sign that there ever was one.
fn item(attachment: &Attachment, properties: &Properties, fallback: &str) -> Option<Item> {
    let text = |id: u16| text(properties, id);
    let method = Attachment::method(properties).unwrap_or(AttachMethod::ByValue);
    let stated_type = text(tags::ATTACH_MIME_TAG).map(|stated| stated.to_ascii_lowercase());
    let mut link = None;
    let content = match content(attachment, properties) {
        Ok(Some(Found::Content(content))) => content,
        Ok(Some(Found::Link(found))) => {
            let file = found.file();
            link = Some(found);
            Content::Bytes(file)
        }
        Ok(None) if method == AttachMethod::None && text(tags::ATTACH_LONG_FILENAME).is_none() => {
            return None;
        }
        Ok(None) => Content::Unreadable(Error::corrupt(
            "attachment",
            attachment.nid(),
            "its content is not in the file; the mail program may not have fetched it",
        )),
        Err(error) => Content::Unreadable(error),
    };
    let names = Names::of(attachment, properties, fallback);
    let name = match (&content, &link) {
        (Content::Message(message), _) => {
            message_name(message, names.file, names.display, fallback)
        }
        (_, Some(link)) => link.name(names.title()),
        // What stands under an object in the text tells what it is, and is no name of a file.
        (_, None) if names.file.is_none() && method == AttachMethod::Ole => ole_name(names.title()),
        (_, None) => names.file.or(names.display).unwrap_or_else(|| {
            let extension = text(tags::ATTACH_EXTENSION);
            made_up_name(fallback, extension, stated_type.as_deref())
        }),
    };
    let media_type = match (&content, &link) {
        (_, Some(_)) => media_type::of_file(None, &name),
        (Content::Bytes(_) | Content::Unreadable(_), None) if method == AttachMethod::Ole => {
            ole::MEDIA_TYPE.to_owned()
        }
        (_, None) => media_type::of_file(stated_type.as_deref(), &name),
    };
    Some(Item {
        nid: attachment.nid(),
        name,
        media_type,
        stated_type,
        charset: text(tags::ATTACH_CHARSET).filter(|charset| charset.bytes().all(is_token)),
        content_id: text(tags::ATTACH_CONTENT_ID)
            .map(|id| id.trim_matches(['<', '>', ' ']).to_owned())
            .filter(|id| !id.is_empty()),
        content_location: text(tags::ATTACH_CONTENT_LOCATION),
        is_hidden: is_changed_instance(&content, properties),
        is_link: link.is_some(),
        position: integer(properties, tags::RENDERING_POSITION)
            .and_then(|position| u32::try_from(position).ok()),
        created: properties.time(tags::CREATION_TIME).ok().flatten(),
        modified: properties.time(tags::LAST_MODIFICATION_TIME).ok().flatten(),
        content,
        problems: properties.problems().clone(),
    })
}

/// A text that is not empty; None if it cannot be read.
fn text(properties: &Properties, id: u16) -> Option<String> {
    let stored = properties.string(id).ok().flatten()?;
    let text = clean(&stored).into_owned();
    (!text.is_empty()).then_some(text)
}

fn integer(properties: &Properties, id: u16) -> Option<i32> {
    properties.integer(id).ok().flatten()
}

/// Whether it is an instance of a series that was changed. Some writers set no flags.
fn is_changed_instance(content: &Content, properties: &Properties) -> bool {
    let Content::Message(message) = content else {
        return false;
    };
    let flags = integer(properties, tags::ATTACHMENT_FLAGS).unwrap_or(0);
    let hidden = properties.boolean(tags::ATTACHMENT_HIDDEN).ok().flatten();
    let is_marked = flags & FLAG_EXCEPTION != 0 && hidden == Some(true);
    is_marked || message.class().is_changed_instance
}

/// What an attachment is called.
struct Names<'a> {
    /// As a file.
    file: Option<String>,
    /// In the text.
    display: Option<String>,
    fallback: &'a str,
}

impl<'a> Names<'a> {
    fn of(attachment: &Attachment, properties: &Properties, fallback: &'a str) -> Self {
        let stored = |id: u16| {
            let name = properties.string(id).ok().flatten()?;
            base_name(&one_line(&name))
        };
        // Of one that has lost its names, the table that lists it may have one.
        let listed = || {
            let is_lost = !Attachment::is_named(properties);
            let name = is_lost.then(|| attachment.listed_name())??;
            base_name(&one_line(&name))
        };
        let of_file = [tags::ATTACH_LONG_FILENAME, tags::ATTACH_FILENAME];
        Self {
            file: of_file.into_iter().find_map(stored),
            display: stored(tags::DISPLAY_NAME).or_else(listed),
            fallback,
        }
    }

    /// The best of them.
    fn title(&self) -> &str {
        let stored = self.file.as_deref().or(self.display.as_deref());
        stored.unwrap_or(self.fallback)
    }
}

/// What an attachment has.
enum Found {
    /// Its content.
    Content(Content),
    /// A file with the address or path of the content.
    Link(Link),
}

/// None when the attachment has no content at all, here or elsewhere.
fn content(attachment: &Attachment, properties: &Properties) -> Result<Option<Found>> {
    let bytes = match attachment.data(properties)? {
        AttachmentData::Message(message) => {
            return Ok(Some(Found::Content(Content::Message(message))));
        }
        AttachmentData::Ole(stream) | AttachmentData::Bytes(stream) => {
            Some(ByteRange::of_stream(stream))
        }
        AttachmentData::None => None,
    };
    // Writers leave an empty value where the content is elsewhere.
    if bytes.as_ref().is_none_or(ByteRange::is_empty)
        && let Some(link) = Link::of(attachment, properties)
    {
        return Ok(Some(Found::Link(link)));
    }
    let Some(range) = bytes else {
        return Ok(None);
    };
    Ok(Some(Found::Content(Content::Bytes(range))))
}

/// The link of an attachment that has content as well: what is at hand may be no more than a picture of it.
fn link_beside(attachment: &Attachment, properties: &Properties, item: &Item) -> Option<Item> {
    let is_web = matches!(
        Attachment::method(properties),
        Ok(AttachMethod::ByWebReference)
    );
    let link = is_web.then(|| Link::of(attachment, properties))??;
    let name = link.name(&item.name);
    // The attachment may be the link itself.
    let is_content = matches!(item.content, Content::Bytes(_)) && !item.is_link;
    is_content.then(|| Item::of_file(name, None, link.file()))
}

/// The name of an OLE object after what the text calls it.
fn ole_name(title: &str) -> String {
    match media_type::extension(title) {
        Some(_) => title.to_owned(),
        None => format!("{title}.{}", ole::EXTENSION),
    }
}

/// A name for a file without one, with the extension that is stated or that its type has. A stored name is never
/// extended.
fn made_up_name(stem: &str, extension: Option<String>, stated_type: Option<&str>) -> String {
    let stated = extension
        .map(|extension| extension.trim_start_matches('.').to_owned())
        .filter(|extension| {
            !extension.is_empty() && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
    let extension = stated.unwrap_or_else(|| {
        media_type::extension_of(stated_type.unwrap_or(OCTET_STREAM)).to_owned()
    });
    format!("{stem}.{extension}")
}

/// The name of an embedded message: that of its file, or its subject. What it is displayed under may have its size behind
/// it.
fn message_name(
    message: &Message,
    file_named: Option<String>,
    display_name: Option<String>,
    fallback: &str,
) -> String {
    let subject = || {
        message
            .subject()
            .ok()
            .flatten()
            .map(|subject| clean(&subject.text).into_owned())
            .filter(|text| !text.is_empty())
    };
    let stem = file_named
        .or_else(subject)
        .or(display_name)
        .unwrap_or_else(|| fallback.to_owned());
    let bare = stem
        .strip_suffix(".msg")
        .or_else(|| stem.strip_suffix(".eml"))
        .unwrap_or(&stem);
    format!("{bare}.eml")
}
