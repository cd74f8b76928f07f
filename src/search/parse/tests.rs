//! Queries as they are typed, what they mean, and where a wrong one is wrong.

use jiff::tz::TimeZone;

use super::*;
use crate::search::query::{State, When};

fn now() -> Zoned {
    let now: jiff::Timestamp = "2024-06-15T12:00:00Z".parse().unwrap();
    now.to_zoned(TimeZone::UTC)
}

fn parsed(text: &str) -> Query {
    Query::parse(text, &now()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn words(place: Place, text: &str) -> Query {
    Query::Is(Condition::Words(place, Pattern::of(text).unwrap()))
}

fn word(text: &str) -> Query {
    words(Place::Anywhere, text)
}

fn not(query: Query) -> Query {
    Query::Not(Box::new(query))
}

#[test]
fn words_are_joined_by_and_before_or() {
    let [a, b, c] = ["a", "b", "c"].map(word);
    for (text, expected) in [
        ("a", a.clone()),
        ("a b", Query::All(vec![a.clone(), b.clone()])),
        ("a AND b", Query::All(vec![a.clone(), b.clone()])),
        (
            "a OR b c",
            Query::Any(vec![a.clone(), Query::All(vec![b.clone(), c.clone()])]),
        ),
        (
            "(a OR b) c",
            Query::All(vec![Query::Any(vec![a.clone(), b.clone()]), c.clone()]),
        ),
        ("a -b", Query::All(vec![a.clone(), not(b.clone())])),
        ("NOT a", not(a.clone())),
        ("-(a OR b)", not(Query::Any(vec![a.clone(), b.clone()]))),
        (
            "a and b",
            Query::All(vec![a.clone(), word("and"), b.clone()]),
        ),
        ("((a))", a),
    ] {
        assert_eq!(parsed(text), expected, "{text}");
    }
}

#[test]
fn fields_take_words_phrases_and_groups() {
    for (text, expected) in [
        ("from:adams", words(Place::From, "adams")),
        ("FROM:adams", words(Place::From, "adams")),
        ("sender:\"Ann Adams\"", words(Place::From, "Ann Adams")),
        ("subject:quart*", words(Place::Subject, "quart*")),
        (
            "subject:\"order num\"*",
            words(Place::Subject, "order num*"),
        ),
        ("filename:plan.docx", words(Place::Attachment, "plan.docx")),
        (
            "subject:(a OR b)",
            Query::Any(vec![words(Place::Subject, "a"), words(Place::Subject, "b")]),
        ),
        (
            "subject:(a from:b)",
            Query::All(vec![words(Place::Subject, "a"), words(Place::From, "b")]),
        ),
        ("\"from:adams\"", word("from adams")),
        ("10:30", word("10 30")),
        ("has:attachment", Query::Is(Condition::HasAttachment)),
        (
            "class:IPM.Note",
            Query::Is(Condition::Class("IPM.Note".into())),
        ),
        (
            "folder:\"Sent Items\"",
            Query::Is(Condition::Folder("Sent Items".into())),
        ),
        (
            "in:Inbox/Projects",
            Query::Is(Condition::Folder("Inbox/Projects".into())),
        ),
        // As it is typed where a slash cannot stand, in the name of a directory.
        (
            "folder:\"Sent Items\\Old\"",
            Query::Is(Condition::Folder("Sent Items/Old".into())),
        ),
        ("flag:flagged", Query::Is(Condition::State(State::Flagged))),
        ("is:unread", not(Query::Is(Condition::State(State::Read)))),
        ("*", Query::All(vec![])),
    ] {
        assert_eq!(parsed(text), expected, "{text}");
    }
}

#[test]
fn times_and_sizes_may_be_compared_without_a_colon() {
    let day = |text: &str| {
        let zoned: jiff::Timestamp = format!("{text}T00:00:00Z").parse().unwrap();
        Some(zoned.as_second())
    };
    let time = |when: When, from: Option<i64>, until: Option<i64>| {
        Query::Is(Condition::Time(when, Span { from, until }))
    };
    for (text, expected) in [
        (
            "date:2024",
            time(When::Item, day("2024-01-01"), day("2025-01-01")),
        ),
        (
            "sent:2024-05..2024-06",
            time(When::Sent, day("2024-05-01"), day("2024-07-01")),
        ),
        (
            "received>=2024-05-31",
            time(When::Received, day("2024-05-31"), None),
        ),
        ("date:<2024", time(When::Item, None, day("2024-01-01"))),
        ("since:2024-05", time(When::Item, day("2024-05-01"), None)),
        ("after:7d", time(When::Item, day("2024-06-08"), None)),
        ("until:2024-05", time(When::Item, None, day("2024-06-01"))),
        ("date:7d", time(When::Item, day("2024-06-08"), None)),
    ] {
        assert_eq!(parsed(text), expected, "{text}");
    }
    let mebibyte = 1 << 20;
    let size = Span {
        from: Some(mebibyte + 1),
        until: None,
    };
    for text in ["size:>1M", "size>1M", "size>1048576"] {
        assert_eq!(parsed(text), Query::Is(Condition::Size(size)), "{text}");
    }
}

#[test]
fn a_mistake_is_told_with_its_column_and_what_to_write() {
    for (text, column, advice) in [
        ("", 1, "from:adams"),
        ("a OR", 5, "missing"),
        ("a AND OR b", 7, "between two"),
        ("OR a", 1, "between two"),
        ("(a b", 1, "has no )"),
        ("a) b", 2, "has no ("),
        ("a ()", 4, "before this )"),
        ("a \"b c", 3, "no end"),
        ("from:", 6, "missing"),
        ("from: adams", 6, "missing"),
        (
            "grüße frm:adams",
            7,
            "there is no field frm; there are from, to,",
        ),
        ("date:24", 6, "2024-05-31"),
        ("date>tomorrow", 5, "yesterday"),
        ("size:big", 6, ">1M"),
        ("has:everything", 5, "has:attachment"),
        ("kind:letter", 6, "there are mail, meeting"),
        ("is:lost", 4, "there are unread, read"),
        ("a qu*rt", 5, "end of a word"),
        ("subject:...", 9, "letters or digits"),
        ("a - b", 3, "letters or digits"),
    ] {
        let error = Query::parse(text, &now()).expect_err(text);
        assert!(error.reason.contains(advice), "{text}: {error}");
        assert_eq!(error.column, column, "{text}: {error}");
    }
}

#[test]
fn depth_and_length_are_limited() {
    let deep = |levels: usize| format!("{}a{}", "(".repeat(levels), ")".repeat(levels));
    assert_eq!(parsed(&deep(MAX_DEPTH)), word("a"));
    for long in [
        deep(MAX_DEPTH + 1),
        "-".repeat(MAX_DEPTH + 1) + "a",
        "a ".repeat(MAX_LENGTH),
    ] {
        assert!(Query::parse(&long, &now()).is_err());
    }
    // Many conditions side by side are no deeper than one.
    let wide = "a OR ".repeat(MAX_LENGTH / 5 - 1) + "a";
    assert!(matches!(parsed(&wide), Query::Any(parts) if parts.len() == MAX_LENGTH / 5));
}
