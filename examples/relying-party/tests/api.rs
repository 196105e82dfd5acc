//! What the app's API answers to a token, and what the app understands of that answer.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use relying_party::{Access, Challenge, Introspection, decide};
use serde_json::{Value, json};

fn judged(answer: Value) -> Access {
    decide(&serde_json::from_value::<Introspection>(answer).unwrap())
}

#[test]
fn a_dead_token_is_invalid() {
    let access = judged(json!({ "active": false }));
    assert_eq!(access, Access::Invalid);
    assert!(access.www_authenticate().unwrap().contains(r#"error="invalid_token""#));
}

#[test]
fn a_live_token_opens_the_note_only_with_its_scope() {
    assert_eq!(
        judged(json!({ "active": true, "scope": "openid profile", "sub": "a", "token_type": "Bearer" })),
        Access::Granted
    );
    assert_eq!(judged(json!({ "active": true, "scope": "profile" })), Access::Scope);
    assert_eq!(judged(json!({ "active": true })), Access::Scope);
}

#[test]
fn a_pending_step_up_becomes_the_challenge_of_rfc_9470() {
    let access = judged(json!({
        "active": true, "scope": "openid", "acr": "urn:x:1fa", "auth_time": 100,
        "step_up_required": true, "required_acr_values": "phr urn:x:2fa", "reauth_after": 200,
    }));
    let header = access.www_authenticate().unwrap();
    assert!(
        header.starts_with("Bearer error=\"insufficient_user_authentication\""),
        "{header}"
    );
    assert!(header.contains(r#"acr_values="phr urn:x:2fa""#));
    assert!(
        header.contains(r#"max_age="60""#),
        "never 0: every new token is already older"
    );
    let read = Challenge::parse(&header).unwrap();
    assert_eq!(
        read,
        Challenge {
            acr_values: Some("phr urn:x:2fa".into()),
            max_age: Some(60)
        }
    );
}

#[test]
fn a_sign_in_older_than_demanded_is_not_enough_and_a_newer_one_is() {
    let token = |auth_time: Value| json!({ "active": true, "scope": "openid", "auth_time": auth_time, "reauth_after": 200 });
    assert!(matches!(judged(token(json!(199))), Access::StepUp(_)));
    assert!(matches!(judged(token(Value::Null)), Access::StepUp(_)));
    assert_eq!(judged(token(json!(200))), Access::Granted);
}

#[test]
fn acr_values_cannot_break_out_of_the_header() {
    let access = judged(json!({
        "active": true, "scope": "openid", "step_up_required": true,
        "required_acr_values": "phr\", error=\"invalid_token\r\nSet-Cookie: a=b",
    }));
    let header = access.www_authenticate().unwrap();
    assert!(!header.contains('\r') && !header.contains('\n'));
    assert_eq!(Challenge::parse(&header).unwrap().max_age, Some(60));
}

#[test]
fn only_a_step_up_challenge_is_one() {
    assert_eq!(Challenge::parse(r#"Bearer error="invalid_token""#), None);
    assert_eq!(Challenge::parse("Bearer"), None);
    assert_eq!(Challenge::parse(r#"Basic realm="x""#), None);
    assert_eq!(Challenge::parse(""), None);
    assert_eq!(Challenge::parse("Bearé error"), None);
    assert_eq!(
        Challenge::parse(r#"Bearer error="insufficient_user_authentication"#),
        Some(Challenge::default())
    );
    let odd = r#"bearer realm="a, b=\"c\"", max_age=30,error=insufficient_user_authentication , acr_values="phr""#;
    assert_eq!(
        Challenge::parse(odd),
        Some(Challenge {
            acr_values: Some("phr".into()),
            max_age: Some(30)
        })
    );
}
