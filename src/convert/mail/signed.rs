//! Signed and encrypted messages, whose bytes must reach the verifier as they are. [MS-OXOSMIME], RFC 8551, RFC 3156
//!
//! Outlook keeps the whole MIME entity in one attachment. The body properties of such a message are a decoded copy
//! and stay out.
#![forbid(unsafe_code)]

use super::entity::{Body, Entity};
use super::fields::Fields;
use super::transport::{Field, Transport};
use crate::convert::attachment::Item;
use crate::convert::byte_range::ByteRange;
use crate::convert::options::Headers;

/// Rights-managed content, which only its server can open.
pub(super) const RMS: &str = "application/x-microsoft-rpmsg-message";
const MULTIPART_SIGNED: &str = "multipart/signed";
const PKCS7_TYPES: [&str; 2] = ["application/pkcs7-mime", "application/x-pkcs7-mime"];
/// Type of the signature that S/MIME puts behind a text. RFC 8551 3.5.3
const PKCS7_SIGNATURE: &str = "application/pkcs7-signature";
const PGP_ENCRYPTED: &str = "application/pgp-encrypted";
/// Bytes in which the header of the entity ends, or its kind is told.
const MAX_HEAD: usize = 64 << 10;
/// First byte of a DER sequence.
const DER_SEQUENCE: u8 = 0x30;
/// Object identifiers of CMS content types: their DER without the last byte. RFC 5652
const PKCS7: [u8; 8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07];
const AUTH_ENVELOPED: [u8; 11] = [
    0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x01, 0x17,
];
/// Bytes in which the content type stands: behind the outer sequence.
const OID_RANGE: usize = 64;

/// The content of a signed or encrypted message, which its class may say that it is; None when it is neither, or cannot be put
/// together. `has_body` tells whether somebody has written something beside it.
pub(super) fn compose(
    is_smime: bool,
    items: &[Item],
    has_body: impl FnOnce() -> bool,
    style: Headers,
) -> Option<Entity> {
    match items {
        [item] => smime(is_smime, item, has_body, style),
        [version, data] => pgp_encrypted(version, data, style),
        _ => None,
    }
}

fn smime(
    by_class: bool,
    item: &Item,
    has_body: impl FnOnce() -> bool,
    style: Headers,
) -> Option<Entity> {
    let range = item.bytes()?;
    let by_type =
        item.is_stated(MULTIPART_SIGNED) || PKCS7_TYPES.iter().any(|kind| item.is_stated(kind));
    let by_name = item.name.eq_ignore_ascii_case("smime.p7m");
    if !by_class && !by_type && !by_name {
        return None;
    }
    let head = range.head(MAX_HEAD).ok()?;
    if head.first() == Some(&DER_SEQUENCE) {
        // To a message of another kind somebody has attached such a file, and its own text is not in there.
        let is_it = by_class || !has_body();
        return is_it.then(|| opaque(range, &head, style));
    }
    clear_signed(range, &head, style)
}

/// CMS data, which must be the top-level entity.
fn opaque(range: &ByteRange, head: &[u8], style: Headers) -> Entity {
    const NAME: &str = "smime.p7m";
    let mut fields = Fields::new(style);
    fields.push_parameters("Content-Disposition", "attachment", &[("filename", NAME)]);
    let mut parameters = vec![("name", NAME.to_owned())];
    if let Some(kind) = smime_type(head) {
        parameters.insert(0, ("smime-type", kind.to_owned()));
    }
    let media_type = "application/pkcs7-mime".to_owned();
    Entity {
        fields,
        body: Body::File {
            media_type,
            parameters,
            content: range.clone(),
        },
    }
}

/// What the data is, by the object identifier at its start.
fn smime_type(head: &[u8]) -> Option<&'static str> {
    let head = head.get(..OID_RANGE).unwrap_or(head);
    let after = |oid: &[u8]| {
        let at = head.windows(oid.len()).position(|window| window == oid)?;
        head.get(at + oid.len()).copied()
    };
    match after(&PKCS7) {
        Some(2) => Some("signed-data"),
        Some(3) => Some("enveloped-data"),
        _ => after(&AUTH_ENVELOPED).map(|_| "authEnveloped-data"),
    }
}

/// A stored multipart/signed: its header fields go into ours, its body follows byte for byte.
fn clear_signed(range: &ByteRange, head: &[u8], style: Headers) -> Option<Entity> {
    let end = if head.trim_ascii_start().starts_with(b"--") {
        0
    } else {
        header_end(head)?
    };
    let header = Transport::parse(&String::from_utf8_lossy(head.get(..end)?));
    let mut content_fields = Fields::new(style);
    let start = match header.get("Content-Type") {
        Some(media_type) => {
            let value = media_type.unfolded().to_ascii_lowercase();
            if !value.trim_start().starts_with(MULTIPART_SIGNED) {
                return None;
            }
            let is_content = |name: &str| name.to_ascii_lowercase().starts_with("content-");
            for field in header.fields.iter().filter(|field| is_content(&field.name)) {
                // Of two, programs take the first one: it is what the boundary is from.
                if content_fields.has(&field.name) || is_forbidden_encoding(field) {
                    continue;
                }
                let mut value = field.value(Headers::Encoded);
                if field.is("Content-Type") && !has_parameter(&value, "protocol") {
                    value = value.trim_end_matches([';', ' ', '\n']).to_owned();
                    value.push_str(&format!(";\n protocol=\"{PKCS7_SIGNATURE}\""));
                }
                content_fields.push(field.name.clone(), value);
            }
            end as u64
        }
        // Some writers drop the header: what follows is a preamble, mostly empty, and the parts.
        None => {
            let boundary = first_boundary(head)?;
            content_fields.push_parameters(
                "Content-Type",
                MULTIPART_SIGNED,
                &[
                    ("protocol", PKCS7_SIGNATURE),
                    ("micalg", "unknown"),
                    ("boundary", boundary.as_str()),
                ],
            );
            0
        }
    };
    let rest = range.part(start, range.len().checked_sub(start)?)?;
    Some(Entity::part(
        Body::Spliced {
            content_fields,
            rest,
        },
        style,
    ))
}

/// Whether `field` names an encoding that a multipart must not have: its parts have theirs, and what stands there is not
/// encoded. RFC 2045 6.4
fn is_forbidden_encoding(field: &Field) -> bool {
    const ALLOWED: [&str; 3] = ["7bit", "8bit", "binary"];
    let value = field.unfolded();
    let is_allowed = ALLOWED
        .iter()
        .any(|encoding| encoding.eq_ignore_ascii_case(value.trim()));
    field.is("Content-Transfer-Encoding") && !is_allowed
}

/// Whether the field value has the parameter `name`.
fn has_parameter(value: &str, name: &str) -> bool {
    let mut parameters = value.split(';').skip(1);
    parameters.any(|parameter| {
        let parameter = parameter.trim_start().get(..name.len());
        parameter.is_some_and(|start| start.eq_ignore_ascii_case(name))
    })
}

/// The boundary that the first delimiter line has, if it stands at the start or behind a short preamble.
fn first_boundary(head: &[u8]) -> Option<String> {
    const MAX_PREAMBLE: usize = 10;
    let lines = head.split(|byte| *byte == b'\n').take(MAX_PREAMBLE);
    let line = lines
        .filter_map(|line| line.strip_prefix(b"--"))
        .next()?
        .trim_ascii_end();
    let sound = (1..=70).contains(&line.len())
        && line
            .iter()
            .all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    sound.then(|| String::from_utf8_lossy(line).into_owned())
}

/// Where the body begins: behind the first empty line.
fn header_end(head: &[u8]) -> Option<usize> {
    let mut start = 0;
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        start += line.len();
        if line.trim_ascii().is_empty() {
            return Some(start);
        }
    }
    None
}

/// A multipart/encrypted that was taken apart into its two attachments.
fn pgp_encrypted(version: &Item, data: &Item, style: Headers) -> Option<Entity> {
    const MAX_VERSION: usize = 1024;
    const ARMOR: &[u8] = b"-----BEGIN PGP MESSAGE-----";
    let (version_bytes, data_bytes) = (version.bytes()?, data.bytes()?);
    if !version.is_stated(PGP_ENCRYPTED)
        || !data_bytes.head(ARMOR.len()).is_ok_and(|head| head == ARMOR)
    {
        return None;
    }
    let text = version_bytes.head(MAX_VERSION).ok()?;
    let text = String::from_utf8(text)
        .ok()
        .filter(|text| text.is_ascii())?;
    let version = Entity::part(
        Body::Lines {
            media_type: PGP_ENCRYPTED.to_owned(),
            parameters: Vec::new(),
            text: crate::convert::text::normalise(&text),
        },
        style,
    );
    let mut data_part = Entity::part(
        Body::Verbatim {
            media_type: "application/octet-stream".to_owned(),
            content: data_bytes.clone(),
        },
        style,
    );
    data_part
        .fields
        .push_parameters("Content-Disposition", "inline", &[("filename", &data.name)]);
    Some(Entity::part(
        Body::Multipart {
            subtype: "encrypted",
            parameters: vec![("protocol", PGP_ENCRYPTED.to_owned())],
            parts: vec![version, data_part],
        },
        style,
    ))
}

#[cfg(test)]
mod tests;
