//! A whole store: opened, walked and checked, with the options that the input chooses.

use std::sync::Arc;

use ostfs::convert::{Eol, Headers, Items};
use ostfs::ndb::Recover;
use ostfs::tree::{Attachments, Options};

use super::image::Image;
use super::{promises, store};

/// Choices of an input.
const ALL: u32 = 0;
const CRLF: u32 = 1;
const UTF8: u32 = 2;
const MAIL_ONLY: u32 = 3;
const SCAN: u32 = 4;
const WITHOUT_RECOVERY: u32 = 5;
const DIRECTORIES_ONLY: u32 = 6;
const IN_MESSAGES_ONLY: u32 = 7;
const CHECK: u32 = 8;
const TWICE: u32 = 9;
/// A cache that holds next to nothing.
const SMALL_CACHE: u64 = 1 << 16;

pub fn options(image: &Image) -> Options {
    let mut options = Options {
        all: image.chooses(ALL),
        cache: 4 << 20,
        ..Options::default()
    };
    if image.chooses(CRLF) {
        options.convert.eol = Eol::Crlf;
    }
    if image.chooses(UTF8) {
        options.convert.headers = Headers::Utf8;
    }
    if image.chooses(MAIL_ONLY) {
        options.convert.items = Items::Eml;
    }
    options.recover = match (image.chooses(SCAN), image.chooses(WITHOUT_RECOVERY)) {
        (true, _) => Recover::Scan,
        (_, true) => Recover::Off,
        _ => Recover::Auto,
    };
    options.attachments = match (
        image.chooses(DIRECTORIES_ONLY),
        image.chooses(IN_MESSAGES_ONLY),
    ) {
        (true, _) => Attachments::Dir,
        (_, true) => Attachments::Eml,
        _ => Attachments::Both,
    };
    options
}

pub fn run(data: &[u8]) {
    let image = Image::parse(data);
    let scratch = store::write(&image);
    let options = options(&image);
    let walked = promises::walk(&scratch.path, &options);
    if image.chooses(TWICE) {
        let small = Options {
            cache: SMALL_CACHE,
            ..options
        };
        assert_eq!(
            promises::walk(&scratch.path, &small),
            walked,
            "the size of the cache shows"
        );
    }
    if image.chooses(CHECK) {
        _ = ostfs::check::check(&scratch.path, Arc::new(|_, _, _| {}));
    }
}
