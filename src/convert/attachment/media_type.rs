//! Media types of attachments: the one that the message states if it means anything, else that of the file extension.
#![forbid(unsafe_code)]

use crate::convert::text::is_token;

/// The type of bytes that nobody knows.
pub(crate) const OCTET_STREAM: &str = "application/octet-stream";
/// Top-level types that are registered. Others, and those of composite types, are not for a file.
const DISCRETE: [&str; 8] = [
    "application",
    "audio",
    "chemical",
    "font",
    "image",
    "model",
    "text",
    "video",
];

/// The media type of a file called `name` for which the message has the type `stated`.
pub(crate) fn of_file(stated: Option<&str>, name: &str) -> String {
    stated
        .map(str::trim)
        .filter(|stated| is_telling(stated))
        .map(str::to_ascii_lowercase)
        .or_else(|| of_extension(name).map(str::to_owned))
        .unwrap_or_else(|| OCTET_STREAM.to_owned())
}

/// Whether `media_type` is a sound type of a file, and not the one that fits everything.
fn is_telling(media_type: &str) -> bool {
    let Some((kind, subtype)) = media_type.split_once('/') else {
        return false;
    };
    let kind = kind.to_ascii_lowercase();
    DISCRETE.contains(&kind.as_str())
        && !subtype.is_empty()
        && subtype.bytes().all(is_token)
        && media_type.len() < 100
        && !media_type.eq_ignore_ascii_case(OCTET_STREAM)
}

/// Whether it is known what files of `media_type` are.
#[cfg(feature = "cli")]
pub(crate) fn is_known(media_type: &str) -> bool {
    TYPES.iter().any(|(_, known)| *known == media_type)
}

/// The extension of `name`, in lower case.
pub(crate) fn extension(name: &str) -> Option<String> {
    let (stem, extension) = name.rsplit_once('.')?;
    let sound = !stem.is_empty()
        && (1..=10).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    sound.then(|| extension.to_ascii_lowercase())
}

fn of_extension(name: &str) -> Option<&'static str> {
    let extension = extension(name)?;
    let index = TYPES
        .binary_search_by_key(&extension.as_str(), |(extension, _)| extension)
        .ok()?;
    let (_, media_type) = TYPES.get(index)?;
    // A message in a file is a file here: its bytes are encoded, which message/rfc822 forbids.
    (!media_type.starts_with("message/")).then_some(*media_type)
}

/// An extension for `media_type`, for files without a name.
pub(crate) fn extension_of(media_type: &str) -> &'static str {
    // Types with several extensions, by their usual one.
    match media_type {
        "image/jpeg" => return "jpg",
        "text/plain" => return "txt",
        "text/html" => return "html",
        "audio/mpeg" => return "mp3",
        "video/mpeg" => return "mpg",
        "image/tiff" => return "tif",
        "text/calendar" => return "ics",
        "message/delivery-status" | "message/disposition-notification" => return "txt",
        OCTET_STREAM => return "bin",
        _ => {}
    }
    TYPES
        .iter()
        .find(|(_, other)| *other == media_type)
        .map_or("bin", |(extension, _)| extension)
}

/// Extensions in order, with their types. IANA, and what is in use where that has none.
const TYPES: &[(&str, &str)] = &[
    ("7z", "application/x-7z-compressed"),
    ("aac", "audio/aac"),
    ("accdb", "application/vnd.ms-access"),
    ("ai", "application/postscript"),
    ("amr", "audio/amr"),
    ("asc", "application/pgp-keys"),
    ("asf", "video/x-ms-asf"),
    ("asx", "video/x-ms-asf"),
    ("avi", "video/x-msvideo"),
    ("avif", "image/avif"),
    ("bat", "application/x-msdownload"),
    ("bmp", "image/bmp"),
    ("bz2", "application/x-bzip2"),
    ("c", "text/x-c"),
    ("cab", "application/vnd.ms-cab-compressed"),
    ("cal", "text/calendar"),
    ("cer", "application/pkix-cert"),
    ("chm", "application/vnd.ms-htmlhelp"),
    ("com", "application/x-msdownload"),
    ("cpp", "text/x-c"),
    ("crl", "application/pkix-crl"),
    ("crt", "application/x-x509-ca-cert"),
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("dbf", "application/dbase"),
    ("der", "application/x-x509-ca-cert"),
    ("dll", "application/x-msdownload"),
    ("doc", "application/msword"),
    ("docm", "application/vnd.ms-word.document.macroEnabled.12"),
    (
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    ("dot", "application/msword"),
    ("dotm", "application/vnd.ms-word.template.macroEnabled.12"),
    (
        "dotx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.template",
    ),
    ("dwf", "model/vnd.dwf"),
    ("dwg", "image/vnd.dwg"),
    ("dxf", "image/vnd.dxf"),
    ("emf", "image/emf"),
    ("eml", "message/rfc822"),
    ("emz", "image/emf"),
    ("eps", "application/postscript"),
    ("epub", "application/epub+zip"),
    ("exe", "application/x-msdownload"),
    ("flac", "audio/flac"),
    ("flv", "video/x-flv"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("h", "text/x-c"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("hqx", "application/mac-binhex40"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("ical", "text/calendar"),
    ("ico", "image/vnd.microsoft.icon"),
    ("ics", "text/calendar"),
    ("ini", "text/plain"),
    ("jar", "application/java-archive"),
    ("java", "text/x-java"),
    ("jfif", "image/jpeg"),
    ("jpe", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("jsonl", "application/jsonl"),
    ("key", "application/vnd.apple.keynote"),
    ("kml", "application/vnd.google-earth.kml+xml"),
    ("kmz", "application/vnd.google-earth.kmz"),
    ("log", "text/plain"),
    ("m4a", "audio/mp4"),
    ("m4v", "video/mp4"),
    ("mbox", "application/mbox"),
    ("md", "text/markdown"),
    ("mdb", "application/vnd.ms-access"),
    ("mid", "audio/midi"),
    ("midi", "audio/midi"),
    ("mkv", "video/matroska"),
    ("mov", "video/quicktime"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpeg"),
    ("mpp", "application/vnd.ms-project"),
    ("msg", "application/vnd.ms-outlook"),
    ("msi", "application/x-msi"),
    ("numbers", "application/vnd.apple.numbers"),
    ("odg", "application/vnd.oasis.opendocument.graphics"),
    ("odp", "application/vnd.oasis.opendocument.presentation"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("oft", "application/vnd.ms-outlook"),
    ("ogg", "audio/ogg"),
    ("ole", "application/x-ole-storage"),
    ("one", "application/onenote"),
    ("ost", "application/vnd.ms-outlook-pst"),
    ("otf", "font/otf"),
    ("p10", "application/pkcs10"),
    ("p12", "application/x-pkcs12"),
    ("p7b", "application/x-pkcs7-certificates"),
    ("p7c", "application/pkcs7-mime"),
    ("p7m", "application/pkcs7-mime"),
    ("p7s", "application/pkcs7-signature"),
    ("pages", "application/vnd.apple.pages"),
    ("pdf", "application/pdf"),
    ("pfx", "application/x-pkcs12"),
    ("pgp", "application/pgp-encrypted"),
    ("php", "application/x-httpd-php"),
    ("png", "image/png"),
    ("pot", "application/vnd.ms-powerpoint"),
    (
        "potx",
        "application/vnd.openxmlformats-officedocument.presentationml.template",
    ),
    ("pps", "application/vnd.ms-powerpoint"),
    (
        "ppsm",
        "application/vnd.ms-powerpoint.slideshow.macroEnabled.12",
    ),
    (
        "ppsx",
        "application/vnd.openxmlformats-officedocument.presentationml.slideshow",
    ),
    ("ppt", "application/vnd.ms-powerpoint"),
    (
        "pptm",
        "application/vnd.ms-powerpoint.presentation.macroEnabled.12",
    ),
    (
        "pptx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    ("ps", "application/postscript"),
    ("psd", "image/vnd.adobe.photoshop"),
    ("pst", "application/vnd.ms-outlook-pst"),
    ("pub", "application/x-mspublisher"),
    ("py", "text/x-python"),
    ("rar", "application/vnd.rar"),
    ("reg", "text/plain"),
    ("rpmsg", "application/x-microsoft-rpmsg-message"),
    ("rtf", "application/rtf"),
    ("sh", "application/x-sh"),
    ("sig", "application/pgp-signature"),
    ("sql", "application/sql"),
    ("svg", "image/svg+xml"),
    ("swf", "application/vnd.adobe.flash.movie"),
    ("tar", "application/x-tar"),
    ("tgz", "application/gzip"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("tnef", "application/ms-tnef"),
    ("tsv", "text/tab-separated-values"),
    ("ttf", "font/ttf"),
    ("txt", "text/plain"),
    ("url", "application/internet-shortcut"),
    ("vbs", "text/vbscript"),
    ("vcf", "text/vcard"),
    ("vcs", "text/x-vcalendar"),
    ("vsd", "application/vnd.visio"),
    ("vsdx", "application/vnd.ms-visio.drawing.main+xml"),
    ("wav", "audio/wav"),
    ("weba", "audio/webm"),
    ("webm", "video/webm"),
    ("webp", "image/webp"),
    ("wk1", "application/vnd.lotus-1-2-3"),
    ("wks", "application/vnd.ms-works"),
    ("wma", "audio/x-ms-wma"),
    ("wmf", "image/wmf"),
    ("wmv", "video/x-ms-wmv"),
    ("wmz", "application/x-ms-wmz"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("wpd", "application/vnd.wordperfect"),
    ("wps", "application/vnd.ms-works"),
    ("wri", "application/x-mswrite"),
    ("xhtml", "application/xhtml+xml"),
    ("xla", "application/vnd.ms-excel"),
    ("xlam", "application/vnd.ms-excel.addin.macroEnabled.12"),
    ("xls", "application/vnd.ms-excel"),
    (
        "xlsb",
        "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
    ),
    ("xlsm", "application/vnd.ms-excel.sheet.macroEnabled.12"),
    (
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    ("xlt", "application/vnd.ms-excel"),
    (
        "xltx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.template",
    ),
    ("xml", "application/xml"),
    ("xps", "application/vnd.ms-xpsdocument"),
    ("xsl", "application/xml"),
    ("xslt", "application/xslt+xml"),
    ("xz", "application/x-xz"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
    ("zip", "application/zip"),
    ("zst", "application/zstd"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(TYPES.is_sorted_by(|one, other| one.0 < other.0));
    }

    #[test]
    fn a_stated_type_counts_unless_it_says_nothing() {
        assert_eq!(of_file(Some("image/PNG"), "a.jpg"), "image/png");
        for nothing in [
            "application/octet-stream",
            "",
            "x",
            "multipart/mixed",
            "message/rfc822",
            "image/",
            "a/b; c",
            "binary/data",
        ] {
            assert_eq!(of_file(Some(nothing), "a.JPG"), "image/jpeg", "{nothing}");
        }
        assert_eq!(of_file(None, "noextension"), OCTET_STREAM);
        assert_eq!(of_file(None, "mail.eml"), OCTET_STREAM);
    }
}
