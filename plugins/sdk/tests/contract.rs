//! What the values of the contract promise.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use gait_sdk::kit::{self, NOW};
use gait_sdk::{
    Answer, Context, Effect, Field, Form, Mail, Memo, Metrics, Node, Reply, Save, Step, Subject, Text, Timestamp, Visitor,
};
use serde_json::json;

fn visitor(address: &str) -> Visitor {
    Visitor {
        address: address.parse().ok(),
        ..kit::context().visitor
    }
}

#[test]
fn an_address_stands_for_itself_or_for_its_subnet() {
    let prefix = |address| visitor(address).prefix().map(|net| net.to_string());
    assert_eq!(prefix("203.0.113.7").as_deref(), Some("203.0.113.7/32"));
    assert_eq!(
        prefix("::ffff:203.0.113.7").as_deref(),
        Some("203.0.113.7/32"),
        "IPv4 in IPv6 is the same address"
    );
    assert_eq!(prefix("2001:db8:1:2:3:4:5:6").as_deref(), Some("2001:db8:1:2::/64"));
    assert_eq!(prefix("unknown"), None, "what could not be established has no prefix");
}

#[test]
fn randomness_is_fresh_for_each_label_and_each_call() {
    let cx = kit::context();
    assert_eq!(cx.random("code"), cx.random("code"));
    assert_ne!(cx.random("code"), cx.random("nonce"));
    let next = Context {
        entropy: [8; 32],
        ..cx.clone()
    };
    assert_ne!(cx.random("code"), next.random("code"));
    assert_ne!(cx.random(""), cx.entropy, "the entropy itself is never handed out");
}

#[test]
fn answers_and_memos_are_not_printed() {
    let answer = kit::answer([("password", "correct horse")]);
    assert_eq!(format!("{answer:?}"), r#"Answer(["password"])"#);
    let memo = Memo(json!({ "mac": "deadbeef" }));
    let asked = Step::Ask {
        form: Form {
            title: Text::new("t", "T"),
            nodes: Vec::new(),
            submit: None,
        },
        memo,
    };
    assert!(!format!("{asked:?}").contains("deadbeef"));
}

#[test]
fn only_a_known_subject_is_known() {
    assert!(kit::context().known().is_some());
    assert!(kit::unknown_context("ada.l").known().is_none());
}

#[test]
fn time_saturates_instead_of_wrapping() {
    assert_eq!(Timestamp(i64::MAX).plus(1), Timestamp(i64::MAX));
    assert_eq!(Timestamp(i64::MIN).since(Timestamp(i64::MAX)), i64::MIN);
    assert_eq!(NOW.plus(60).since(NOW), 60);
}

#[test]
fn a_reply_has_a_stable_form_on_the_wire() {
    let reply = Reply::pass(&["pwd"]).with(Effect::Mail(Mail {
        template: "otp".to_owned(),
        args: [("code".to_owned(), "123456".to_owned())].into(),
        life_s: None,
    }));
    let expected = json!({
        "step": { "step": "pass", "amr": ["pwd"] },
        "effects": [{ "effect": "mail", "template": "otp", "args": { "code": "123456" } }],
    });
    assert_eq!(serde_json::to_value(&reply).unwrap(), expected);
    assert_eq!(serde_json::from_value::<Reply>(expected).unwrap(), reply);
}

#[test]
fn a_form_has_a_stable_form_on_the_wire() {
    let node = Node::Code(Field {
        name: "code".to_owned(),
        label: Text::new("otp-code", "Code").with("label", "K7"),
        autocomplete: "one-time-code".to_owned(),
        max_bytes: 64,
    });
    let expected = json!({
        "node": "code",
        "name": "code",
        "label": { "key": "otp-code", "args": { "label": "K7" }, "fallback": "Code" },
        "autocomplete": "one-time-code",
        "max_bytes": 64,
    });
    assert_eq!(serde_json::to_value(&node).unwrap(), expected);
    assert_eq!(serde_json::from_value::<Node>(expected).unwrap(), node);
}

#[test]
fn a_context_travels_whole() {
    let cx = Context {
        subject: Subject::Unknown {
            identifier: "nobody\u{0}\u{202e}".to_owned(),
        },
        credentials: vec![kit::credential("c1", json!({ "phc": "x" }))],
        ..kit::context()
    };
    let json = serde_json::to_string(&cx).unwrap();
    assert_eq!(serde_json::from_str::<Context>(&json).unwrap(), cx);
}

#[test]
fn a_save_names_what_it_replaces() {
    let save = Effect::Save(Save {
        credential: Some("c1".into()),
        expected_version: Some(3),
        label: "Password".to_owned(),
        payload: json!({}),
    });
    let json = serde_json::to_value(&save).unwrap();
    assert_eq!(json["effect"], "save");
    assert_eq!(json["credential"], "c1");
    assert_eq!(json["expected_version"], 3);
}

#[test]
fn metrics_refuse_what_they_do_not_know_and_miss_what_was_not_sent() {
    let metrics: Metrics = serde_json::from_value(json!({ "hold_ms": [80.0] })).unwrap();
    assert!(!metrics.is_empty());
    assert!(metrics.flight_ms.is_empty());
    assert!(Metrics::default().is_empty());
    assert!(
        serde_json::from_value::<Metrics>(json!({ "keys": ["a"] })).is_err(),
        "which key it was is never taken"
    );
}

#[test]
fn an_answer_has_the_fields_that_were_sent() {
    let answer = kit::answer([("code", "123456")]);
    assert_eq!(answer.get("code"), Some("123456"));
    assert_eq!(answer.get("password"), None);
    assert_eq!(Answer::default().get("code"), None);
}
