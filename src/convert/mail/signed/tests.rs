//! Splices, by their bytes and by what OpenSSL reports about them.

use std::path::Path;
use std::process::Command;

use super::*;
use crate::convert::mail::boundary::Boundaries;
use crate::convert::options::Eol;
use crate::convert::rendition::Writer;

fn item(name: &str, stated: &str, bytes: &[u8]) -> Item {
    Item::of_file(
        name.into(),
        Some(stated.into()),
        ByteRange::of_bytes(bytes.to_vec()),
    )
}

fn written(entity: Entity) -> String {
    let mut writer = Writer::new(Eol::Lf);
    entity.write(&mut writer, &mut Boundaries::new(1));
    let rendition = writer.finish(&crate::problem::Problems::default());
    let mut bytes = vec![0; rendition.len() as usize];
    rendition.read_at(0, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn signed(bytes: &[u8]) -> Option<String> {
    let item = item("smime.p7m", MULTIPART_SIGNED, bytes);
    compose(true, &[item], || false, Headers::Encoded).map(written)
}

#[test]
fn a_signed_entity_keeps_its_type_and_every_byte_of_its_body() {
    let body = "--b\r\nContent-Type: text/plain\r\n\r\ntrailing blanks  \r\n--b--\r\n";
    let entity = format!(
        "X-Outer: no\r\nContent-Type: multipart/signed;\r\n\tprotocol=\"x/y\"; boundary=b\r\n\r\n{body}"
    );
    let expected =
        format!("Content-Type: multipart/signed;\n protocol=\"x/y\"; boundary=b\n\n{body}");
    assert_eq!(signed(entity.as_bytes()).unwrap(), expected);
}

#[test]
fn what_verifiers_need_is_added_and_what_they_refuse_is_left_out() {
    let entity = "Content-Type: multipart/signed; boundary=b;\r\nContent-Transfer-Encoding: base64\r\n\r\n--b\r\n";
    let expected = "Content-Type: multipart/signed; boundary=b;\n protocol=\"application/pkcs7-signature\"\n\n--b\r\n";
    assert_eq!(signed(entity.as_bytes()).unwrap(), expected);
}

#[test]
fn an_entity_without_its_header_gets_one_from_its_boundary() {
    let text = signed(b"--b\r\nContent-Type: text/plain\r\n\r\nx").unwrap();
    assert!(
        text.ends_with("boundary=b\n\n--b\r\nContent-Type: text/plain\r\n\r\nx"),
        "{text}"
    );
    let text = signed(b"\r\n--==b 1\r\nContent-Type: text/plain\r\n").unwrap();
    assert!(text.starts_with("Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\n micalg=unknown; boundary=\"==b 1\"\n\n\r\n--==b 1\r\n"), "{text}");
}

#[test]
fn der_is_opaque_whatever_its_label_says() {
    let der = [&[0x30, 0x80, 0x06, 0x09][..], &PKCS7, &[3, 0xA0]].concat();
    let text = signed(&der).unwrap();
    assert!(
        text.contains(
            "Content-Type: application/pkcs7-mime; smime-type=enveloped-data;\n name=smime.p7m\n"
        ),
        "{text}"
    );
    assert!(text.contains("Content-Transfer-Encoding: base64\n\nMIAGCSq"));
}

#[test]
fn what_is_neither_stays_an_attachment() {
    assert!(signed(b"Content-Type: text/plain\r\n\r\nx").is_none());
    assert!(signed(b"").is_none());
    let pdf = item("a.pdf", "application/pdf", b"0");
    assert!(compose(false, &[pdf], || false, Headers::Encoded).is_none());
}

#[test]
fn pgp_parts_come_together_again() {
    let armor = b"-----BEGIN PGP MESSAGE-----\r\n\r\nabc\r\n-----END PGP MESSAGE-----\r\n";
    let items = [
        item("v", PGP_ENCRYPTED, b"Version: 1\r\n"),
        item("encrypted.asc", "application/octet-stream", armor),
    ];
    let text = written(compose(false, &items, || false, Headers::Encoded).unwrap());
    assert!(text.starts_with(
        "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\";\n boundary="
    ));
    assert!(text.contains(std::str::from_utf8(armor).unwrap()));
}

/// Runs OpenSSL in `folder`; None with a message where it is absent.
fn openssl(folder: &Path, arguments: &[&str]) -> Option<bool> {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output();
    let Ok(output) = output else {
        println!("skipped: no openssl to verify signatures with");
        return None;
    };
    if !output.status.success() {
        println!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Some(output.status.success())
}

/// Signs a text in `folder` with a key made for this; the message is in `signed.eml`.
fn sign(folder: &Path, options: &[&str]) -> Option<()> {
    let request =
        "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=Jane";
    std::fs::write(
        folder.join("text.txt"),
        "Content-Type: text/plain\n\nGr\u{fc}\u{df}e,  \nJane\n",
    )
    .unwrap();
    assert!(openssl(folder, &request.split(' ').collect::<Vec<_>>())?);
    let mut sign: Vec<&str> =
        "cms -sign -in text.txt -signer cert.pem -inkey key.pem -out signed.eml"
            .split(' ')
            .collect();
    sign.extend(options);
    assert!(openssl(folder, &sign)?);
    Some(())
}

fn verified(folder: &Path, message: &str) -> bool {
    std::fs::write(
        folder.join("ours.eml"),
        format!("From: a@b.org\nMIME-Version: 1.0\n{message}"),
    )
    .unwrap();
    openssl(
        folder,
        &[
            "cms",
            "-verify",
            "-noverify",
            "-in",
            "ours.eml",
            "-out",
            "verified.txt",
        ],
    ) == Some(true)
}

#[test]
fn openssl_verifies_a_spliced_signature_and_rejects_a_changed_one() {
    let folder = tempfile::tempdir().unwrap();
    if sign(folder.path(), &["-crlfeol"]).is_none() {
        return;
    }
    let entity = std::fs::read(folder.path().join("signed.eml")).unwrap();
    let ours = signed(&entity).unwrap();
    assert!(verified(folder.path(), &ours));
    assert!(!verified(folder.path(), &ours.replace("Jane", "Joan")));
    // Stored without its header, as some writers do.
    let body = header_end(&entity).unwrap();
    assert!(verified(folder.path(), &signed(&entity[body..]).unwrap()));
}

#[test]
fn openssl_verifies_an_opaque_message() {
    let folder = tempfile::tempdir().unwrap();
    if sign(folder.path(), &["-nodetach", "-outform", "DER"]).is_none() {
        return;
    }
    let der = std::fs::read(folder.path().join("signed.eml")).unwrap();
    let ours = signed(&der).unwrap();
    assert!(ours.contains("smime-type=signed-data"), "{ours}");
    assert!(verified(folder.path(), &ours));
}
