//! Messages of unusual classes, from a written store to a file on disk: never nothing, and signatures stay valid.

use std::fs;
use std::path::{Path, PathBuf};

use crate::mounted::{export, run};
use crate::support::{
    Attachment, Crypt, Folders, Format, Message, PSETID_APPOINTMENT, Store, Value,
};
use tempfile::TempDir;

fn exported(store: &Store) -> (TempDir, TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("store.pst");
    store.write(&file).unwrap();
    let (target, tree) = export(&file, &[]);
    (directory, target, tree.join("Inbox"))
}

fn mail(inbox: &Path, subject: &str) -> PathBuf {
    fs::read_dir(inbox)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_str().unwrap().ends_with(&format!(" {subject}.eml")))
        .unwrap_or_else(|| panic!("no {subject}"))
}

#[test]
fn a_message_of_any_class_shows_its_text_and_its_attachments() {
    let classes = [
        "IPM.Post",
        "IPM.Post.Rss",
        "IPM.Note.Microsoft.Voicemail.UM.CA",
        "IPM.Outlook.Recall",
        "IPM.Note.Rules.OofTemplate.Microsoft",
        "IPM.Sharing",
        "IPM.TaskRequest",
        "IPM.Schedule.Meeting.Request",
        "IPM.InfoPathForm.x",
        "IPM.Unheard.Of",
        "REPORT.IPM.Note.NDR",
        "REPORT.IPM.Note.IPNRN",
        "ipm.note",
        "",
    ];
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    for (number, class) in classes.iter().enumerate() {
        let message = Message::new(class, &format!("Subject {number}"))
            .body(&format!("Body of {number}\r\n"))
            .attachment("file.bin", "attached");
        let message = match class.contains("Meeting") {
            // What has no start says so.
            true => message.named(
                PSETID_APPOINTMENT,
                0x820D,
                Value::Time(0x01DA_9BA5_0000_0000),
            ),
            false => message,
        };
        store.message(inbox, message);
    }
    let (_directory, _target, inbox) = exported(&store);
    let check = "import email, email.policy, sys
m = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=email.policy.default)
parts = list(m.walk())
assert not [d for p in parts for d in p.defects], [d for p in parts for d in p.defects]
text = [p.get_content() for p in parts if p.get_content_type() == 'text/plain' and not p.get_filename()]
assert any(sys.argv[2] in t for t in text), text
assert [p.get_payload(decode=True) for p in parts if p.get_filename() == 'file.bin'] == [b'attached']";
    for (number, class) in classes.iter().enumerate() {
        let path = mail(&inbox, &format!("Subject {number}"));
        println!("{class}: {}", path.display());
        run(
            "python3",
            &[
                "-c",
                check,
                path.to_str().unwrap(),
                &format!("Body of {number}"),
            ],
        );
        let attachment = path.with_extension("attachments").join("file.bin");
        assert_eq!(
            fs::read_to_string(attachment).unwrap(),
            "attached",
            "{class}"
        );
    }
}

/// Classes are segments between dots: `IPM.Contacts.Report` is not below `IPM.Contact`.
#[test]
fn a_mail_is_named_by_date_though_its_class_begins_with_the_letters_of_a_contact() {
    let mut store = Store::new(Format::Unicode, Crypt::Permute);
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    for (class, subject) in [
        ("IPM.Contacts.Report", "Quarter"),
        ("IPM.AbchPerson.Live", "Eva"),
        ("ipm.contact.Customer", "Ann"),
    ] {
        let item = Message::new(class, subject).body("Words\r\n");
        store.message(inbox, item.time(0x01DA_9BA5_0000_0000));
    }
    let (_directory, _target, inbox) = exported(&store);
    let report = mail(&inbox, "Quarter");
    let text = fs::read_to_string(report).unwrap();
    assert!(text.contains("X-Ostfs-Class: IPM.Contacts.Report\n"));
    for contact in ["Ann.vcf", "Eva.vcf"] {
        assert!(inbox.join(contact).exists(), "{contact}");
    }
}

#[test]
fn the_signatures_of_signed_mail_are_valid_on_the_files() {
    let keys = TempDir::new().unwrap();
    let path = |name: &str| keys.path().join(name).to_str().unwrap().to_owned();
    let (key, certificate) = (path("key.pem"), path("certificate.pem"));
    run(
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=Ann",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ],
    );
    let content =
        "Content-Type: text/plain\r\n\r\nSigned words, trailing blanks  \r\nand a last line\r\n";
    fs::write(path("content"), content).unwrap();
    let sign = |more: &[&str], out: &str| {
        let mut arguments = vec!["cms", "-sign", "-signer", &certificate, "-inkey", &key];
        let (from, to) = (path("content"), path(out));
        arguments.extend(["-in", &from, "-out", &to]);
        arguments.extend(more);
        run("openssl", &arguments);
        fs::read(path(out)).unwrap()
    };
    let clear = sign(&[], "clear");
    let start = clear
        .windows(13)
        .position(|window| window == b"Content-Type:")
        .unwrap();
    let opaque = sign(&["-nodetach", "-outform", "DER"], "opaque");
    let mut store = Store::new(Format::Unicode, Crypt::Cyclic);
    let inbox = store.folder(store.ipm_subtree(), "Inbox");
    let attached = |class: &str, subject: &str, bytes: &[u8], media_type: &str| {
        Message::new(class, subject)
            .from("Ann", "ann@north.example")
            .to("Bob", "bob@north.example")
            .attach(Attachment::data("smime.p7m", bytes).mime(media_type))
    };
    store.message(
        inbox,
        attached(
            "IPM.Note.SMIME.MultipartSigned",
            "Clear",
            &clear[start..],
            "multipart/signed",
        ),
    );
    store.message(
        inbox,
        attached(
            "IPM.Note.SMIME",
            "Opaque",
            &opaque,
            "application/pkcs7-mime",
        ),
    );
    let (_directory, _target, inbox) = exported(&store);
    for subject in ["Clear", "Opaque"] {
        let file = mail(&inbox, subject);
        let out = path("verified");
        run(
            "openssl",
            &[
                "cms",
                "-verify",
                "-noverify",
                "-in",
                file.to_str().unwrap(),
                "-out",
                &out,
            ],
        );
        assert!(
            fs::read_to_string(&out)
                .unwrap()
                .contains("Signed words, trailing blanks"),
            "{subject}"
        );
    }
}
