//! Signals from an app: verified to the letter, and treated like the scorer's alarm.

use crate::harness::app::{Answer, read, sign};
use crate::harness::{ALICE, App, BOB, Provider, Tokens, unique};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const SECRET: &str = "work-signal-secret-that-is-long-enough";

fn header() -> Header {
    let jwks: Value = serde_json::from_str(relying_party::DEMO_SIGNAL_JWKS).unwrap();
    let mut header = Header::new(Algorithm::ES256);
    header.typ = Some("secevent+jwt".to_owned());
    header.kid = jwks["keys"][0]["kid"].as_str().map(str::to_owned);
    header
}

fn set(provider: &Provider, event: &str, sid: &str) -> Value {
    let now = provider.clock.now();
    json!({
        "iss": "https://work.example", "aud": provider.issuer, "iat": now, "jti": unique("set"),
        "sub_id": {"format": "complex", "session": {"format": "opaque", "id": sid}},
        "events": {(format!("{CAEP}{event}")): {"event_timestamp": now, "principal": "SESSION", "current_level": "HIGH"}},
    })
}

async fn send(provider: &Provider, secret: &str, body: String) -> Answer {
    let request = provider.http.post(provider.url("/continuous/signals")).bearer_auth(secret);
    let request = request.header("content-type", "application/secevent+jwt");
    read(request.body(body).send().await.unwrap()).await
}

async fn watched(provider: &Provider) -> Tokens {
    App::watched(provider).sign_in(&mut provider.visitor(), ALICE).await
}

#[tokio::test]
async fn a_reported_risk_demands_a_step_up_and_a_reported_end_ends() {
    let provider = Provider::start().await;
    let (app, api) = (App::watched(&provider), App::api(&provider));
    let tokens = watched(&provider).await;
    provider.clock.advance(15);
    let risk = set(&provider, "risk-level-change", &tokens.sid());
    let answer = send(&provider, SECRET, sign(&header(), &risk)).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
    assert_eq!(api.introspect(&tokens.access).await["step_up_required"], true);
    assert_eq!(app.refresh(&tokens.refresh).await.error(), "invalid_grant");

    let over = set(&provider, "session-revoked", &tokens.sid());
    assert_eq!(send(&provider, SECRET, sign(&header(), &over)).await.status, 202);
    assert!(!api.is_active(&tokens.access).await);
    provider.receiver.wait("watched", "logout", 1).await;
}

#[tokio::test]
async fn a_sender_can_be_held_to_a_rate() {
    let provider = Provider::with("[limits]\nsignals_per_sender = 2").await;
    let tokens = watched(&provider).await;
    for _ in 0..2 {
        let over = set(&provider, "session-revoked", "unknown");
        assert_eq!(send(&provider, SECRET, sign(&header(), &over)).await.status, 202);
    }
    let over = set(&provider, "session-revoked", &tokens.sid());
    let held_up = send(&provider, SECRET, sign(&header(), &over)).await;
    assert_eq!((held_up.status, held_up.header("retry-after")), (429, "60"));
    assert!(App::api(&provider).is_active(&tokens.access).await);
    provider.clock.advance(60);
    assert_eq!(send(&provider, SECRET, sign(&header(), &over)).await.status, 202);
    assert!(!App::api(&provider).is_active(&tokens.access).await);
}

#[tokio::test]
async fn what_is_not_by_a_known_sender_for_us_is_refused() {
    let provider = Provider::start().await;
    let tokens = watched(&provider).await;
    provider.clock.advance(15);
    let good = set(&provider, "session-revoked", &tokens.sid());
    let changed = |name: &str, value: Value| {
        let mut set = good.clone();
        set[name] = value;
        sign(&header(), &set)
    };
    let retyped = |typ: Option<&str>| {
        let header = Header {
            typ: typ.map(str::to_owned),
            ..header()
        };
        sign(&header, &good)
    };
    let hs256 = Header {
        alg: Algorithm::HS256,
        ..header()
    };
    let symmetric = jsonwebtoken::encode(
        &hs256,
        &good,
        &EncodingKey::from_secret(relying_party::DEMO_SIGNAL_JWKS.as_bytes()),
    )
    .unwrap();
    let now = provider.clock.now();
    let refused = [
        (changed("iss", json!("https://evil.example")), "invalid_issuer"),
        (changed("aud", json!("https://other.example")), "invalid_audience"),
        (changed("exp", json!(now + 60)), "invalid_request"),
        (changed("sub", json!("alice")), "invalid_request"),
        (changed("iat", json!(now - 90_000)), "invalid_request"),
        (changed("iat", json!(now + 600)), "invalid_request"),
        (changed("jti", json!(null)), "invalid_request"),
        (changed("events", json!({})), "invalid_request"),
        (retyped(Some("JWT")), "invalid_request"),
        (retyped(None), "invalid_request"),
        (symmetric, "invalid_key"),
        (tokens.id.clone(), "invalid_request"),
        ("nonsense".to_owned(), "invalid_request"),
        (String::new(), "invalid_request"),
        (format!("{}x", sign(&header(), &good)), "invalid_key"),
    ];
    for (token, err) in refused {
        let answer = send(&provider, SECRET, token.clone()).await;
        assert!(matches!(answer.status, 400 | 401), "{} {token}", answer.status);
        assert_eq!(answer.body["err"], err, "{} {token}", answer.text);
    }
    assert_eq!(
        send(&provider, "another-secret-of-the-same-length-or-so", sign(&header(), &good))
            .await
            .status,
        401
    );
    let untyped = provider
        .http
        .post(provider.url("/continuous/signals"))
        .bearer_auth(SECRET)
        .body(sign(&header(), &good));
    assert_eq!(untyped.send().await.unwrap().status(), 400);
    assert!(
        App::api(&provider).is_active(&tokens.access).await,
        "nothing of that was believed"
    );
}

#[tokio::test]
async fn a_sender_learns_nothing_and_reaches_only_sessions_of_its_own_clients() {
    let provider = Provider::start().await;
    let tokens = watched(&provider).await;
    let foreign = App::web(&provider).sign_in(&mut provider.visitor(), BOB).await;
    provider.clock.advance(15);
    for sid in [foreign.sid(), "nobody-s".to_owned()] {
        let answer = send(&provider, SECRET, sign(&header(), &set(&provider, "session-revoked", &sid))).await;
        assert_eq!((answer.status, answer.text.as_str()), (202, ""), "as for any other");
    }
    assert!(App::api(&provider).is_active(&foreign.access).await);
    let unknown = set(&provider, "session-presented", &tokens.sid());
    assert_eq!(send(&provider, SECRET, sign(&header(), &unknown)).await.status, 202);
    assert!(App::api(&provider).is_active(&tokens.access).await);
}

#[tokio::test]
async fn a_replayed_signal_does_nothing_again() {
    let provider = Provider::start().await;
    let app = App::watched(&provider);
    let mut visitor = provider.visitor();
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    provider.clock.advance(15);
    let risk = sign(&header(), &set(&provider, "risk-level-change", &tokens.sid()));
    assert_eq!(send(&provider, SECRET, risk.clone()).await.status, 202);
    provider.clock.advance(15);
    let request = app.request();
    app.sign_in_with(&mut visitor, ALICE, &request).await;
    assert_eq!(send(&provider, SECRET, risk).await.status, 202);
    assert!(App::strict_api(&provider).is_active(&tokens.access).await);
    // Even a new signal about what was before the proof.
    let mut late = set(&provider, "risk-level-change", &tokens.sid());
    late["events"][format!("{CAEP}risk-level-change")]["event_timestamp"] = json!(provider.clock.now() - 3600);
    assert_eq!(send(&provider, SECRET, sign(&header(), &late)).await.status, 202);
    assert!(App::strict_api(&provider).is_active(&tokens.access).await);
}
