// A small mailbox for the examples in the documentation, which include this file: it is gone when the value is dropped.
#[path = "mod.rs"]
mod support;

pub fn sample() -> tempfile::TempPath {
    let mailbox = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    let store = support::sample::sample(support::Format::Unicode, support::Crypt::Permute);
    store.write(&mailbox).unwrap();
    mailbox
}
