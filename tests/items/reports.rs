//! Delivery reports that are made of properties: what they say is what is stored, in the words of RFC 3464. Python's email package
//! reads the fields back.

use serde_json::json;

use crate::mail_kinds::{Exported, mail, python};
use crate::support::*;

/// PidTagNonDeliveryReportReasonCode, -DiagCode, PidTagSupplementaryInfo, PidTagNonDeliveryReportStatusCode, PidTagRemoteMessageTransferAgent.
const REASON: u16 = 0x0C04;
const DIAGNOSTIC: u16 = 0x0C05;
const WORDS: u16 = 0x0C1B;
const STATUS: u16 = 0x0C20;
const REMOTE_MTA: u16 = 0x0C21;
/// PidTagReportingMessageTransferAgent.
const REPORTING_MTA: u16 = 0x6820;

fn report(class: &str, subject: &str, facts: Vec<(u16, Value)>) -> Message {
    let report = mail(subject)
        .prop(tags::MESSAGE_CLASS, class)
        .prop(REPORTING_MTA, "mx.north.example");
    let add = |report: Message, (id, value)| report.recipient_prop(id, value);
    facts.into_iter().fold(report, add)
}

/// Fields of the group of the one recipient.
fn fields(exported: &Exported, subject: &str, names: &[&str]) -> serde_json::Value {
    let names = json!(names);
    let script = format!(
        "[next(p for p in m.walk() if p.get_content_type() == 'message/delivery-status')\
         .get_payload()[1][name] for name in {names}]"
    );
    python(&exported.path(subject), &script)
}

#[test]
fn a_status_is_told_whichever_property_has_it() {
    let ndr = "REPORT.IPM.Note.NDR";
    let text = |text: &str| (WORDS, text.into());
    let number = |id: u16, code: i32| (id, code.into());
    let cases = [
        // A code of two digits is in the words alone: the number has one for each part.
        (
            "words",
            vec![text("<mx #5.7.13 smtp; no>"), number(STATUS, 570)],
            "5.7.13",
            json!("smtp; <mx #5.7.13 smtp; no>"),
        ),
        (
            "number",
            vec![text("no such user"), number(STATUS, 511)],
            "5.1.1",
            json!("smtp; no such user"),
        ),
        ("delayed", vec![number(STATUS, 447)], "4.4.7", json!(null)),
        (
            "codes",
            vec![number(REASON, 1), number(DIAGNOSTIC, 35)],
            "5.1.1",
            json!("x-mapi; reason 1, diagnostic 35"),
        ),
        (
            "reason",
            vec![number(REASON, 6), number(DIAGNOSTIC, -1)],
            "5.4.3",
            json!("x-mapi; reason 6"),
        ),
        ("nonsense", vec![number(STATUS, 77)], "5.0.0", json!(null)),
        ("nothing", vec![], "5.0.0", json!(null)),
    ];
    let messages = cases
        .iter()
        .map(|(subject, facts, ..)| report(ndr, subject, facts.clone()));
    let exported = Exported::of(messages, &[]);
    for (subject, _, status, diagnostic) in &cases {
        let expected = json!(["rfc822; bob@north.example", "failed", status, diagnostic]);
        let names = ["Final-Recipient", "Action", "Status", "Diagnostic-Code"];
        assert_eq!(fields(&exported, subject, &names), expected, "{subject}");
    }
}

#[test]
fn a_report_names_both_servers() {
    let remote = vec![(REMOTE_MTA, "mail.south.example".into())];
    let exported = Exported::of([report("REPORT.IPM.Note.NDR", "servers", remote)], &[]);
    let found = fields(&exported, "servers", &["Remote-MTA"]);
    assert_eq!(found, json!(["dns; mail.south.example"]));
    // RFC 3464 2.1 wants 7bit.
    let part = "next(p for p in m.walk() if p.get_content_type() == 'message/delivery-status')";
    let encoding = python(
        &exported.path("servers"),
        &format!("{part}['Content-Transfer-Encoding']"),
    );
    assert_eq!(encoding, json!("7bit"));
    let text = exported.eml("servers");
    assert!(
        text.contains("Reporting-MTA: dns; mx.north.example\n"),
        "{text}"
    );
}

/// Outlook makes such a text anew whenever it shows the report.
#[test]
fn a_report_without_a_text_says_in_its_text_what_it_is_about() {
    let facts = vec![(STATUS, 511.into())];
    let report = report("REPORT.IPM.Note.NDR", "mute", facts).without(0x1000);
    let exported = Exported::of([report], &["-o", "text"]);
    let text = python(
        &exported.path("mute"),
        "m.get_body(('plain',)).get_content()",
    );
    let file = std::fs::read_to_string(exported.path("mute").with_extension("txt")).unwrap();
    for line in [
        "Final-Recipient: rfc822; bob@north.example",
        "Action: failed",
        "Status: 5.1.1",
    ] {
        assert!(text.as_str().unwrap().contains(line), "{text}");
        assert!(file.contains(line), "{file}");
    }
}

/// [MS-OXCMAIL] 2.2.3.7.1: classes of reports on delivery end with DR, whatever became of the message.
#[test]
fn what_became_of_a_message_is_told_by_any_form_of_the_class() {
    let cases = [
        ("DR", "delivered", "2.0.0"),
        ("Delayed.DR", "delayed", "4.0.0"),
        ("Delayed", "delayed", "4.0.0"),
        ("Expanded.DR", "expanded", "2.0.0"),
        ("Relayed.DR", "relayed", "2.0.0"),
        ("NDR", "failed", "5.0.0"),
    ];
    let messages =
        cases.map(|(end, ..)| report(&format!("REPORT.IPM.Note.{end}"), end, Vec::new()));
    let exported = Exported::of(messages, &[]);
    for (end, action, status) in cases {
        let found = fields(&exported, end, &["Action", "Status"]);
        assert_eq!(found, json!([action, status]), "{end}");
    }
}
