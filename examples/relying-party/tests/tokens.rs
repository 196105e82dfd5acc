//! Security event tokens and logout tokens: what is believed, and what an attacker can't make the app believe.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod fake_issuer;

use fake_issuer::{CLIENT, ISSUER, KID, keys, sign, signing_key};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use relying_party::*;
use serde_json::{Value, json};

const NOW: i64 = 1_790_000_000;
const RISK: &str = "https://schemas.openid.net/secevent/caep/event-type/risk-level-change";
const REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";

fn set_claims() -> Value {
    json!({
        "iss": ISSUER, "aud": CLIENT, "jti": "j1", "iat": NOW, "txn": "t1",
        "sub_id": {
            "format": "complex",
            "user": { "format": "iss_sub", "iss": ISSUER, "sub": "alice" },
            "session": { "format": "opaque", "id": "s1" },
        },
        "events": { RISK: {
            "principal": "SESSION", "current_level": "HIGH", "previous_level": "LOW",
            "risk_reason": "BEHAVIOR_ANOMALY", "event_timestamp": NOW - 1,
        } },
    })
}

fn judge_set(token: &str) -> Result<Set, SetError> {
    verify_set(
        token,
        &Expected {
            issuer: ISSUER,
            audience: CLIENT,
            keys: &keys(),
            now: NOW,
        },
    )
}

/// The verdict on the good claims with `members` put in (or taken out, by null).
fn set_with(members: Value) -> Result<Set, SetError> {
    judge_set(&sign("secevent+jwt", &patched(set_claims(), members)))
}

fn patched(mut claims: Value, members: Value) -> Value {
    for (name, value) in members.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

#[test]
fn a_risk_change_is_read() {
    let set = set_with(json!({})).unwrap();
    assert_eq!((set.jti.as_str(), set.iat, set.txn.as_deref()), ("j1", NOW, Some("t1")));
    assert_eq!(
        set.subject,
        Some(Subject {
            sub: Some("alice".into()),
            sid: Some("s1".into())
        })
    );
    assert_eq!(
        set.event,
        Event::RiskLevelChange {
            current_level: "HIGH".into(),
            previous_level: Some("LOW".into()),
            risk_reason: Some("BEHAVIOR_ANOMALY".into()),
            event_timestamp: Some(NOW - 1),
        }
    );
}

#[test]
fn a_revocation_is_read() {
    let events = json!({ REVOKED: { "event_timestamp": NOW, "reason_user": { "en": "It looked unusual." } } });
    let set = set_with(json!({ "events": events })).unwrap();
    assert_eq!(
        set.event,
        Event::SessionRevoked {
            reason: Some("It looked unusual.".into()),
            event_timestamp: Some(NOW)
        }
    );
}

#[test]
fn each_broken_rule_has_its_rfc_8935_code() {
    let code = |members| set_with(members).unwrap_err().code();
    assert_eq!(code(json!({ "iss": "http://evil.example" })), "invalid_issuer");
    assert_eq!(code(json!({ "iss": null })), "invalid_issuer");
    assert_eq!(code(json!({ "aud": "another-app" })), "invalid_audience");
    assert_eq!(code(json!({ "aud": null })), "invalid_audience");
    for broken in [
        json!({ "exp": NOW + 60 }),
        json!({ "sub": "alice" }),
        json!({ "iat": null }),
        json!({ "iat": NOW - 25 * 3600 }),
        json!({ "iat": NOW + 3600 }),
        json!({ "jti": null }),
        json!({ "jti": "" }),
        json!({ "jti": "x".repeat(300) }),
        json!({ "events": null }),
        json!({ "events": {} }),
        json!({ "events": { RISK: { "current_level": "APOCALYPTIC" } } }),
    ] {
        assert_eq!(code(broken.clone()), "invalid_request", "{broken}");
    }
}

#[test]
fn an_audience_may_be_a_list() {
    assert!(set_with(json!({ "aud": ["other", CLIENT] })).is_ok());
}

#[test]
fn unknown_events_and_subjects_are_accepted_and_mean_nothing() {
    let two = json!({ RISK: { "current_level": "LOW" }, REVOKED: {} });
    assert!(matches!(set_with(json!({ "events": two })).unwrap().event, Event::Other { uris } if uris.len() == 2));
    let unknown = json!({ "https://example.com/event": {} });
    assert!(matches!(
        set_with(json!({ "events": unknown })).unwrap().event,
        Event::Other { .. }
    ));
    for sub_id in [
        json!({ "format": "email", "email": "alice@example.com" }),
        json!({ "format": "complex" }),
        json!({ "format": "complex", "session": { "format": "opaque" } }),
        // An issuer may only speak of its own people.
        json!({ "format": "iss_sub", "iss": "http://evil.example", "sub": "alice" }),
        json!("alice"),
    ] {
        assert_eq!(set_with(json!({ "sub_id": sub_id })).unwrap().subject, None, "{sub_id}");
    }
}

#[test]
fn a_person_without_a_session_means_all_their_sessions() {
    let sub_id = json!({ "format": "iss_sub", "iss": ISSUER, "sub": "alice" });
    let subject = set_with(json!({ "sub_id": sub_id })).unwrap().subject;
    assert_eq!(
        subject,
        Some(Subject {
            sub: Some("alice".into()),
            sid: None
        })
    );
}

#[test]
fn another_kind_of_token_is_no_event() {
    for typ in ["JWT", "logout+jwt", "at+jwt", ""] {
        assert_eq!(
            judge_set(&sign(typ, &set_claims())),
            Err(SetError::Jws(JwsError::Type("secevent+jwt"))),
            "{typ}"
        );
    }
    assert!(judge_set(&sign("application/SecEvent+JWT", &set_claims())).is_ok());
}

#[test]
fn forged_signatures_are_refused() {
    let good = sign("secevent+jwt", &set_claims());
    let other = sign("secevent+jwt", &patched(set_claims(), json!({ "jti": "j2" })));
    let parts: Vec<&str> = good.split('.').collect();
    let spliced = [parts[0], other.split('.').nth(1).unwrap(), parts[2]].join(".");
    assert_eq!(judge_set(&spliced).unwrap_err().code(), "authentication_failed");
    assert_eq!(
        judge_set(&[parts[0], parts[1], ""].join(".")).unwrap_err().code(),
        "authentication_failed"
    );
    assert_eq!(judge_set(parts[1]).unwrap_err().code(), "invalid_request");
    assert_eq!(judge_set("").unwrap_err().code(), "invalid_request");
    assert_eq!(judge_set(&format!("{good}.x")).unwrap_err().code(), "invalid_request");
    assert_eq!(judge_set(&"a.".repeat(70_000)).unwrap_err().code(), "invalid_request");
}

#[test]
fn the_algorithm_is_ours_to_choose_and_the_key_is_the_issuers() {
    let signed = |alter: &dyn Fn(&mut Header), key: &EncodingKey| {
        let mut header = Header::new(Algorithm::RS256);
        header.typ = Some("secevent+jwt".into());
        header.kid = Some(KID.into());
        alter(&mut header);
        judge_set(&jsonwebtoken::encode(&header, &set_claims(), key).unwrap()).map_err(|error| error.code())
    };
    let real = signing_key();
    assert!(signed(&|_| {}, &real).is_ok());
    // The public key as an HMAC secret: the classic confusion.
    let secret = EncodingKey::from_secret(&serde_json::to_vec(&keys()).unwrap());
    assert_eq!(signed(&|h| h.alg = Algorithm::HS256, &secret), Err("invalid_key"));
    assert_eq!(signed(&|h| h.alg = Algorithm::PS256, &real), Err("invalid_key"));
    assert_eq!(signed(&|h| h.kid = None, &real), Err("invalid_key"));
    assert_eq!(signed(&|h| h.kid = Some("unknown".into()), &real), Err("invalid_key"));
    assert_eq!(signed(&|h| h.crit = Some(vec!["b64".into()]), &real), Err("invalid_request"));
    // No signature at all.
    let none = [
        r#"{"alg":"none","typ":"secevent+jwt","kid":"k"}"#.as_bytes(),
        set_claims().to_string().as_bytes(),
    ]
    .map(fake_issuer::base64url)
    .join(".");
    assert!(judge_set(&format!("{none}.")).is_err());
}

fn logout_with(members: Value) -> Result<(String, Subject), LogoutTokenError> {
    let claims = json!({
        "iss": ISSUER, "aud": CLIENT, "iat": NOW, "exp": NOW + 120, "jti": "j1", "sub": "alice", "sid": "s1",
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    });
    let token = sign("logout+jwt", &patched(claims, members));
    verify_logout_token(
        &token,
        &Expected {
            issuer: ISSUER,
            audience: CLIENT,
            keys: &keys(),
            now: NOW,
        },
    )
}

#[test]
fn a_logout_token_names_a_session_or_a_person() {
    let (jti, subject) = logout_with(json!({})).unwrap();
    assert_eq!(
        (jti.as_str(), subject.sid.as_deref(), subject.sub.as_deref()),
        ("j1", Some("s1"), Some("alice"))
    );
    assert!(logout_with(json!({ "sid": null })).is_ok());
    assert!(logout_with(json!({ "sub": null })).is_ok());
}

#[test]
fn a_logout_token_that_breaks_a_rule_is_refused() {
    for (members, claim) in [
        (json!({ "iss": "http://evil.example" }), "iss"),
        (json!({ "aud": "another-app" }), "aud"),
        (json!({ "iat": null }), "iat"),
        (json!({ "iat": NOW + 3600 }), "iat"),
        (json!({ "exp": null }), "exp"),
        (json!({ "exp": NOW - 3600 }), "exp"),
        (json!({ "nonce": "n" }), "nonce"),
        (json!({ "events": null }), "events"),
        (
            json!({ "events": { "https://schemas.openid.net/event/backchannel-logout": {} } }),
            "events",
        ),
        (json!({ "jti": null }), "jti"),
        (json!({ "sub": null, "sid": null }), "sid"),
    ] {
        assert_eq!(logout_with(members.clone()), Err(LogoutTokenError::Claim(claim)), "{members}");
    }
}

#[test]
fn an_id_token_is_no_logout_token() {
    let token = sign("JWT", &json!({ "iss": ISSUER, "aud": CLIENT }));
    let expected = Expected {
        issuer: ISSUER,
        audience: CLIENT,
        keys: &keys(),
        now: NOW,
    };
    assert_eq!(
        verify_logout_token(&token, &expected),
        Err(LogoutTokenError::Jws(JwsError::Type("logout+jwt")))
    );
}

#[test]
fn our_own_signals_verify_with_the_published_key() {
    let key = SignalKey::new(&Config::demo()).unwrap();
    let subject = Subject {
        sub: Some("alice".into()),
        sid: Some("s1".into()),
    };
    for (event, uri) in [(SignalEvent::Risk, RISK), (SignalEvent::Revoke, REVOKED)] {
        let token = key.sign(event, &subject, NOW).unwrap();
        let jwks: jsonwebtoken::jwk::JwkSet = serde_json::from_str(DEMO_SIGNAL_JWKS).unwrap();
        let header = jsonwebtoken::decode_header(&token).unwrap();
        assert_eq!(header.typ.as_deref(), Some("secevent+jwt"));
        let public = jsonwebtoken::DecodingKey::from_jwk(jwks.find(header.kid.as_deref().unwrap()).unwrap()).unwrap();
        let mut rules = jsonwebtoken::Validation::new(Algorithm::ES256);
        rules.required_spec_claims.clear();
        rules.validate_exp = false;
        rules.set_audience(&["http://localhost:8080"]);
        let claims = jsonwebtoken::decode::<Value>(&token, &public, &rules).unwrap().claims;
        assert_eq!(claims["iss"], "http://localhost:8081");
        assert_eq!(claims["sub_id"]["user"]["sub"], "alice");
        assert_eq!(claims["sub_id"]["session"]["id"], "s1");
        assert!(claims["events"][uri].is_object());
        assert!(claims.get("exp").is_none() && claims.get("sub").is_none());
    }
}
