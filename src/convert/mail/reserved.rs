//! Which fields of the header are made here, whatever has arrived under their names.
#![forbid(unsafe_code)]

/// Fields of the body that arrived, which is written anew here.
const BODY_FIELDS: [&str; 12] = [
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "Content-Description",
    "Content-ID",
    "Content-Location",
    "Content-Base",
    "Content-MD5",
    "Content-Length",
    "Lines",
    "MIME-Version",
    "X-MS-TNEF-Correlator",
];
/// Fields that are made from properties, which know better.
const STATE_FIELDS: [&str; 10] = [
    "Status",
    "X-Status",
    "X-Keywords",
    "Keywords",
    "Importance",
    "Priority",
    "X-Priority",
    "X-Unsent",
    "Sensitivity",
    "X-Message-Flag",
];
/// How the names of such fields begin.
const STATE_PREFIXES: [&str; 2] = ["x-mozilla-", OWN_PREFIX];
/// How the names of fields begin that this program alone writes.
const OWN_PREFIX: &str = "x-ostfs-";
/// Fields of mailboxes.
pub(super) const ADDRESS_FIELDS: [&str; 6] = ["From", "Sender", "Reply-To", "To", "Cc", "Bcc"];
/// Other fields that there is one of.
pub(super) const SINGLE_FIELDS: [&str; 7] = [
    "Date",
    "Subject",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Thread-Topic",
    "Thread-Index",
];

/// The standard spelling of `name` if it is among `names`.
pub(super) fn among(names: &[&'static str], name: &str) -> Option<&'static str> {
    let found = names.iter().find(|other| other.eq_ignore_ascii_case(name));
    found.copied()
}

/// Whether `name` begins with `prefix`, in capitals or not.
fn begins_with(name: &str, prefix: &str) -> bool {
    let start = name.get(..prefix.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Whether fields of this name are about the old body, or may be written by this program alone.
pub(super) fn is_misleading(name: &str) -> bool {
    begins_with(name, OWN_PREFIX) || among(&BODY_FIELDS, name).is_some()
}

/// Whether fields of this name are about the old body, or of a state that properties know better.
pub(super) fn is_written_anew(name: &str) -> bool {
    let by_prefix = STATE_PREFIXES
        .iter()
        .any(|prefix| begins_with(name, prefix));
    by_prefix
        || among(&BODY_FIELDS, name)
            .or(among(&STATE_FIELDS, name))
            .is_some()
}

/// Whether a field of this name is made here, so that no other property may make one.
pub(super) fn is_reserved(name: &str) -> bool {
    is_written_anew(name)
        || among(&ADDRESS_FIELDS, name)
            .or(among(&SINGLE_FIELDS, name))
            .is_some()
}
