//! A contact as a vCard. [MS-OXOCNTC], [MS-OXVCARD]
#![forbid(unsafe_code)]

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

use super::vcard::Card;
use super::{address, common, photo};
use crate::clock;
use crate::convert::content_line::parameter;
use crate::convert::lids::{self, EmailKeys, Key};
use crate::convert::options::VcardVersion;
use crate::convert::people::{Person, addr_spec};
use crate::convert::reader::Reader;
use crate::ltp::{FileTime, tags};
use crate::messaging::{EntryId, FIRST_NAMED_ID};

/// PidTagGender.
const GENDER_FEMALE: i32 = 1;
const GENDER_MALE: i32 = 2;
/// Addresses without a property name that are written.
const MAX_NAMELESS: usize = 9;

/// Telephone numbers: tag, name, types, whether it is the preferred one.
const PHONES: [(u16, &str, &[&str], bool); 20] = [
    (tags::PRIMARY_TELEPHONE_NUMBER, "TEL", &["VOICE"], true),
    (
        tags::BUSINESS_TELEPHONE_NUMBER,
        "TEL",
        &["WORK", "VOICE"],
        false,
    ),
    (
        tags::BUSINESS_2_TELEPHONE_NUMBER,
        "TEL",
        &["WORK", "VOICE"],
        false,
    ),
    (
        tags::COMPANY_MAIN_TELEPHONE_NUMBER,
        "TEL",
        &["WORK", "VOICE"],
        false,
    ),
    (
        tags::HOME_TELEPHONE_NUMBER,
        "TEL",
        &["HOME", "VOICE"],
        false,
    ),
    (
        tags::HOME_2_TELEPHONE_NUMBER,
        "TEL",
        &["HOME", "VOICE"],
        false,
    ),
    (tags::MOBILE_TELEPHONE_NUMBER, "TEL", &["CELL"], false),
    (tags::CAR_TELEPHONE_NUMBER, "TEL", &["CAR"], false),
    (tags::OTHER_TELEPHONE_NUMBER, "TEL", &["VOICE"], false),
    (tags::PAGER_TELEPHONE_NUMBER, "TEL", &["PAGER"], false),
    (tags::BUSINESS_FAX_NUMBER, "TEL", &["WORK", "FAX"], false),
    (tags::HOME_FAX_NUMBER, "TEL", &["HOME", "FAX"], false),
    (tags::PRIMARY_FAX_NUMBER, "TEL", &["FAX"], false),
    (tags::ISDN_NUMBER, "TEL", &["ISDN"], false),
    (tags::TTYTDD_PHONE_NUMBER, "TEL", &["X-TTYTDD"], false),
    (
        tags::CALLBACK_TELEPHONE_NUMBER,
        "X-CALLBACK-TEL",
        &[],
        false,
    ),
    (
        tags::ASSISTANT_TELEPHONE_NUMBER,
        "X-ASSISTANT-TEL",
        &[],
        false,
    ),
    (tags::RADIO_TELEPHONE_NUMBER, "X-RADIO-TEL", &[], false),
    (tags::TELEX_NUMBER, "X-TELEX", &[], false),
    (
        tags::TRANSMITTABLE_DISPLAY_NAME,
        "X-OSTFS-TRANSMITTABLE-NAME",
        &[],
        false,
    ),
];

/// What a contact is called of which nothing tells that.
const NO_NAME: &str = "(no name)";

/// The card of a contact.
pub(in crate::convert) fn person(reader: &Reader<'_>, version: VcardVersion) -> String {
    let mut card = Card::new(version);
    let emails = emails(reader);
    let full_name = full_name(reader, &emails).unwrap_or_else(|| NO_NAME.to_owned());
    card.lines.text("FN", &full_name);
    write_names(reader, &mut card, &full_name);
    write_organization(reader, &mut card);
    write_emails(reader, &mut card, &emails, &full_name);
    write_phones(reader, &mut card);
    address::write(reader, &mut card);
    write_internet(reader, &mut card);
    write_life(reader, &mut card);
    if let Some(message) = reader.message() {
        photo::write(reader, &mut card, message);
    }
    common::write(reader, &mut card, Vec::new());
    write_user_fields(reader, &mut card);
    if emails.is_empty() {
        write_nameless_addresses(reader, &mut card);
    }
    card.finish(&reader.problems())
}

/// One of the three e-mail addresses.
struct Email {
    address: Option<String>,
    /// PidLidEmail1OriginalDisplayName where it is another address.
    original: Option<String>,
    /// What is stored, if that is no address of the Internet.
    other: Option<(String, String)>,
    label: Option<String>,
}

fn emails(reader: &Reader<'_>) -> Vec<Email> {
    let mut emails: Vec<Email> = lids::EMAILS
        .iter()
        .filter_map(|keys| email(reader, keys))
        .collect();
    if emails.is_empty() {
        emails.extend(listed_email(reader));
    }
    emails
}

fn email(reader: &Reader<'_>, keys: &EmailKeys) -> Option<Email> {
    let kind = reader.string(keys.address_type);
    let stored = reader.string(keys.address);
    let original = reader.string(keys.original_display_name);
    let own = Person::of_parts(None, None, kind.clone(), stored.clone());
    let first = Person::of_parts(None, original, kind.clone(), stored.clone());
    let by_entry_id = || {
        let id = reader.binary(keys.original_entry_id)?;
        let person = Person::of_entry_id(EntryId::parse(&id, reader.code_page())?);
        person.smtp().or_else(|| reader.exchange_address(&person))
    };
    let original = first.smtp();
    let address = own
        .smtp()
        .or_else(|| original.clone())
        .or_else(|| reader.exchange_address(&first))
        .or_else(by_entry_id);
    let is_same = |other: &String| {
        let address = address.as_deref();
        address.is_some_and(|address| address.eq_ignore_ascii_case(other))
    };
    let original = original.filter(|other| !is_same(other));
    let other = match (&address, stored) {
        (None, Some(stored)) => Some((kind.unwrap_or_default(), stored)),
        _ => None,
    };
    (address.is_some() || other.is_some()).then(|| Email {
        address,
        original,
        other,
        label: reader.string(keys.display_name),
    })
}

/// The address of a contact as an address list has it, where none of the three is stored.
fn listed_email(reader: &Reader<'_>) -> Option<Email> {
    let person = Person::of_parts(
        None,
        reader.string(tags::SMTP_ADDRESS),
        reader.string(tags::ADDRESS_TYPE),
        reader.string(tags::EMAIL_ADDRESS),
    );
    let address = person.smtp().or_else(|| reader.exchange_address(&person))?;
    Some(Email {
        address: Some(address),
        original: None,
        other: None,
        label: None,
    })
}

/// The e-mail addresses of a contact; as stored, what is none of the Internet.
pub(in crate::convert) fn addresses(reader: &Reader<'_>) -> Vec<String> {
    let own = emails(reader).into_iter().flat_map(|email| {
        let other = email.other.map(|(_, address)| address);
        [email.address, email.original, other]
    });
    own.flatten().collect()
}

/// The birthday of a contact.
pub(in crate::convert) fn birthday(reader: &Reader<'_>) -> Option<Date> {
    date(reader, lids::BIRTHDAY_LOCAL, tags::BIRTHDAY)
}

/// What a contact is called; None if nothing tells.
pub(in crate::convert) fn name(reader: &Reader<'_>) -> Option<String> {
    full_name(reader, &emails(reader))
}

/// The same, of one with these addresses.
fn full_name(reader: &Reader<'_>, emails: &[Email]) -> Option<String> {
    let parts = [
        tags::DISPLAY_NAME_PREFIX,
        tags::GIVEN_NAME,
        tags::MIDDLE_NAME,
        tags::SURNAME,
        tags::GENERATION,
    ];
    let names: Vec<String> = parts.iter().filter_map(|id| reader.string(*id)).collect();
    let email = || emails.iter().find_map(|email| email.address.clone());
    reader
        .string(tags::DISPLAY_NAME)
        .or_else(|| reader.string(lids::FILE_UNDER))
        .or_else(|| Some(names.join(" ")).filter(|name| !name.is_empty()))
        .or_else(|| reader.string(tags::COMPANY_NAME))
        .or_else(email)
        .or_else(|| reader.subject())
        .map(|name| name.trim().to_owned())
}

fn write_names(reader: &Reader<'_>, card: &mut Card, full_name: &str) {
    let names = [
        tags::SURNAME,
        tags::GIVEN_NAME,
        tags::MIDDLE_NAME,
        tags::DISPLAY_NAME_PREFIX,
        tags::GENERATION,
    ]
    .map(|id| reader.string(id));
    let file_under = reader.string(lids::FILE_UNDER);
    let name = match (card.version, &file_under) {
        (VcardVersion::V4, Some(order)) => format!("N{}", parameter("SORT-AS", order)),
        _ => "N".into(),
    };
    if names.iter().all(Option::is_none) {
        // 3.0 asks for N; what is not known to be a family name goes where it does no harm.
        card.structured(&name, &[Some(full_name.to_owned()), None, None, None, None]);
    } else {
        card.structured(&name, &names);
    }
    let lines = &mut card.lines;
    lines.optional("NICKNAME", reader.string(tags::NICKNAME));
    lines.optional("X-INITIALS", reader.string(tags::INITIALS));
    if let Some(file_under) = file_under {
        if card.version == VcardVersion::V3 {
            lines.text("SORT-STRING", &file_under);
        }
        lines.text("X-FILE-AS", &file_under);
    }
    for (name, key) in [
        ("X-PHONETIC-FIRST-NAME", lids::YOMI_FIRST_NAME),
        ("X-PHONETIC-LAST-NAME", lids::YOMI_LAST_NAME),
        ("X-PHONETIC-ORG", lids::YOMI_COMPANY_NAME),
    ] {
        lines.optional(name, reader.string(key));
    }
}

fn write_organization(reader: &Reader<'_>, card: &mut Card) {
    let company = reader.string(tags::COMPANY_NAME);
    match reader.string(tags::DEPARTMENT_NAME) {
        Some(department) => card.structured("ORG", &[company, Some(department)]),
        None => card.structured("ORG", &[company]),
    }
    for (name, id) in [
        ("TITLE", tags::TITLE),
        ("ROLE", tags::PROFESSION),
        ("X-OFFICE", tags::OFFICE_LOCATION),
        ("X-LOCATION", tags::LOCATION),
        ("X-MANAGER", tags::MANAGER_NAME),
        ("X-ASSISTANT", tags::ASSISTANT),
        ("X-GOVERNMENT-ID", tags::GOVERNMENT_ID_NUMBER),
        ("X-CUSTOMER-ID", tags::CUSTOMER_ID),
        ("X-ACCOUNT", tags::ACCOUNT),
        ("X-REFERRED-BY", tags::REFERRED_BY_NAME),
        ("X-COMPUTER-NETWORK-NAME", tags::COMPUTER_NETWORK_NAME),
        ("X-ORGANIZATIONAL-ID", tags::ORGANIZATIONAL_ID_NUMBER),
        ("X-LANGUAGE", tags::LANGUAGE),
    ] {
        let value = reader.string(id);
        card.lines.optional(name, value);
    }
}

fn write_emails(reader: &Reader<'_>, card: &mut Card, emails: &[Email], full_name: &str) {
    let types: &[&str] = match card.version {
        VcardVersion::V3 => &["INTERNET"],
        VcardVersion::V4 => &[],
    };
    for (index, email) in emails.iter().enumerate() {
        if let Some(address) = &email.address {
            let mut name = card.typed("EMAIL", types, index == 0);
            let label = email
                .label
                .as_deref()
                .filter(|label| *label != full_name && !label.contains(address.as_str()));
            if let Some(label) = label {
                name.push_str(&parameter("X-DISPLAY-NAME", label));
            }
            card.lines.text(&name, address);
        }
        if let Some(original) = &email.original {
            let name = card.typed("EMAIL", types, false);
            card.lines.text(&name, original);
        }
        if let Some((kind, address)) = &email.other {
            card.other_address(kind, address);
        }
    }
    for key in lids::FAX_ADDRESSES {
        card.lines
            .optional("X-OSTFS-FAX-ADDRESS", reader.string(key));
    }
}

fn write_phones(reader: &Reader<'_>, card: &mut Card) {
    for (id, name, types, is_preferred) in PHONES {
        let name = card.typed(name, types, is_preferred);
        // The second numbers of some kinds are lists.
        for number in reader.strings(id) {
            card.lines.text(&name, number.trim());
        }
    }
}

fn write_internet(reader: &Reader<'_>, card: &mut Card) {
    if let Some(address) = reader.string(lids::INSTANT_MESSAGING_ADDRESS) {
        let has_scheme = ["sip:", "xmpp:", "im:", "skype:", "aim:", "ymsgr:", "msnim:"]
            .iter()
            .any(|scheme| address.to_ascii_lowercase().starts_with(scheme));
        if has_scheme && !address.contains(char::is_whitespace) {
            card.lines.line("IMPP", &address);
        } else {
            card.lines.text("X-IM", &address);
        }
    }
    for (keys, kind) in [
        ([lids::HTML, Key::Tag(tags::BUSINESS_HOME_PAGE)], "WORK"),
        (
            [
                Key::Tag(tags::PERSONAL_HOME_PAGE),
                Key::Tag(tags::PERSONAL_HOME_PAGE),
            ],
            "HOME",
        ),
    ] {
        let mut pages: Vec<String> = keys
            .into_iter()
            .filter_map(|key| reader.string(key))
            .collect();
        pages.dedup();
        for page in pages {
            let name = card.typed("URL", &[kind], false);
            card.lines.line(&name, page.trim());
        }
    }
    card.lines.optional("X-FTP", reader.string(tags::FTP_SITE));
    if let Some(url) = reader.string(lids::FREE_BUSY_LOCATION) {
        card.lines.line("FBURL", url.trim());
    }
}

/// A day that is stored as a time: midnight or about noon on some clock.
fn day(time: FileTime) -> Option<Date> {
    let moment = clock::utc(time.unix_seconds())?;
    Some(moment.saturating_add(12.hours()).date())
}

/// A day without clock.
fn local_day(time: FileTime) -> Option<Date> {
    clock::utc(time.unix_seconds()).map(DateTime::date)
}

/// A day that is in `local` without clock, else in `id` as a time.
fn date(reader: &Reader<'_>, local: Key, id: u16) -> Option<Date> {
    let local = reader.time(local).and_then(local_day);
    local.or_else(|| reader.time(id).and_then(day))
}

fn write_life(reader: &Reader<'_>, card: &mut Card) {
    if let Some(birthday) = birthday(reader) {
        card.date("BDAY", birthday);
    }
    let is_v4 = card.version == VcardVersion::V4;
    let (local, id) = (lids::WEDDING_ANNIVERSARY_LOCAL, tags::WEDDING_ANNIVERSARY);
    if let Some(wedding) = date(reader, local, id) {
        card.date(
            if is_v4 {
                "ANNIVERSARY"
            } else {
                "X-ANNIVERSARY"
            },
            wedding,
        );
    }
    let gender = match reader.integer(tags::GENDER) {
        Some(GENDER_FEMALE) => Some("F"),
        Some(GENDER_MALE) => Some("M"),
        _ => None,
    };
    if let Some(gender) = gender {
        card.lines
            .line(if is_v4 { "GENDER" } else { "X-GENDER" }, gender);
    }
    let spouse = reader.string(tags::SPOUSE_NAME);
    let children = reader.strings(tags::CHILDRENS_NAMES);
    for (kind, name) in spouse
        .iter()
        .map(|name| ("spouse", name))
        .chain(children.iter().map(|name| ("child", name)))
    {
        if is_v4 {
            let property = format!("RELATED;VALUE=text;TYPE={kind}");
            card.lines.text(&property, name);
        } else {
            card.lines
                .text(&format!("X-{}", kind.to_ascii_uppercase()), name);
        }
    }
    card.lines.optional("X-HOBBY", reader.string(tags::HOBBIES));
}

/// Writes the addresses of a contact without e-mail that are in properties the file has no name for: which of its addresses
/// they are, or whether they are, cannot be told, so they are in a field of their own.
fn write_nameless_addresses(reader: &Reader<'_>, card: &mut Card) {
    let Some(message) = reader.message() else {
        return;
    };
    let properties = message.properties();
    let names = message.store().named_properties();
    let is_nameless = |id: &u16| *id >= FIRST_NAMED_ID && names.name(*id).is_none();
    let nameless = properties.ids().filter(is_nameless);
    let addresses = nameless.filter_map(|id| Some((id, addr_spec(&properties.string(id).ok()??)?)));
    for (id, address) in addresses.take(MAX_NAMELESS) {
        let text = format!("{address} (property {id:#06x}, for which the file has no name)");
        card.lines.text("X-OSTFS-NAMELESS-ADDRESS", &text);
    }
}

/// Fields that the user or a form has made: properties with names of their own.
fn write_user_fields(reader: &Reader<'_>, card: &mut Card) {
    for (index, key) in lids::CONTACT_USER_FIELDS.into_iter().enumerate() {
        let name = format!("X-OSTFS-USER-FIELD-{}", index + 1);
        card.lines.optional(&name, reader.string(key));
    }
    for (name, text) in reader.user_fields() {
        let name = format!("X-OSTFS-FIELD{}", parameter("X-NAME", name));
        card.lines.text(&name, &text);
    }
}
