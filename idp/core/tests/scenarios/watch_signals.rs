//! Signals from relying parties, and what an attacker would send.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::watch_stage::{Actor, ISSUER, Stage, watch_policy};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gait_core::account::Mode;
use gait_core::continuous::{Sender, SignalError};
use gait_core::event::What;
use gait_core::policy::{Watch, WatchPolicy};
use gait_core::session::{EndReason, RiskLevel, Session};
use gait_core::token::secret::Hash;
use gait_sdk::Alarm;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const SENDER: &str = "https://shop.example";
const SECRET: &str = "the shop's bearer secret of more than 32 characters";

struct Keys {
    signing: EncodingKey,
    jwks: Value,
}

fn keys() -> Keys {
    let pair = Ed25519KeyPair::generate().unwrap();
    let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der>::as_der(&pair).unwrap();
    let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    Keys {
        signing: EncodingKey::from_ed_der(der.as_ref()),
        jwks: json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": x}]}),
    }
}

struct Post {
    stage: Stage,
    keys: Keys,
}

impl Post {
    async fn new(watch: WatchPolicy) -> Self {
        let (keys, other) = (keys(), self::keys());
        let sender = |issuer: &str, secret: &str, keys: &Keys, client: &str| Sender {
            issuer: issuer.to_owned(),
            secret: Hash::of(secret.as_bytes()),
            jwks: keys.jwks.clone(),
            clients: vec![client.into()],
        };
        let senders = vec![
            sender(SENDER, SECRET, &keys, "shop"),
            sender("https://other.example", "another sender's secret", &other, "bank"),
        ];
        Self {
            stage: Stage::with(watch, senders).await,
            keys,
        }
    }

    fn claims(&self, actor: &Actor, event: &str, members: Value) -> Value {
        json!({
            "iss": SENDER, "aud": ISSUER, "iat": self.stage.ports.clock.now(), "jti": format!("jti-{event}"),
            "sub_id": {
                "format": "complex",
                "user": {"format": "iss_sub", "iss": ISSUER, "sub": actor.account},
                "session": {"format": "opaque", "id": actor.session},
            },
            "events": {format!("{CAEP}{event}"): members},
        })
    }

    fn risk(&self, actor: &Actor, level: &str) -> Value {
        self.claims(
            actor,
            "risk-level-change",
            json!({"principal": "SESSION", "current_level": level}),
        )
    }

    fn header() -> Header {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("secevent+jwt".to_owned());
        header.kid = Some("k1".to_owned());
        header
    }

    fn signed(&self, claims: &Value) -> String {
        encode(&Self::header(), claims, &self.keys.signing).unwrap()
    }

    async fn sends(&self, claims: &Value) -> Result<(), SignalError> {
        self.stage.idp.signal(Some(SECRET), &self.signed(claims), "sig-1").await
    }

    async fn refused(&self, set: &str) -> &'static str {
        match self.stage.idp.signal(Some(SECRET), set, "sig-1").await {
            Err(SignalError::Refused { err, description }) => {
                assert!(!description.is_empty());
                err
            }
            other => panic!("not refused: {other:?}"),
        }
    }

    async fn is_untouched(&self, actor: &Actor) -> bool {
        let session: Session = self.stage.session_now(actor).await;
        session.level == RiskLevel::Low && session.step_up.is_none() && session.ended.is_none()
    }
}

#[tokio::test]
async fn a_reported_risk_demands_a_step_up_whatever_the_accounts_mode() {
    for level in ["MEDIUM", "HIGH"] {
        let post = Post::new(watch_policy()).await;
        let alice = post.stage.watched("alice").await;
        post.stage.store().set_mode(alice.account, Mode::Train, &[]).await.unwrap();
        post.sends(&post.risk(&alice, level)).await.unwrap();
        let session = post.stage.session_now(&alice).await;
        assert_eq!(session.level, RiskLevel::Medium);
        assert_eq!(session.step_up.unwrap().alarm, Alarm::Soft);
        let facts = post.stage.facts(&alice).await;
        let received = What::SignalReceived {
            sender: SENDER.to_owned(),
            uri: format!("{CAEP}risk-level-change"),
        };
        assert_eq!(facts[0], received);
        assert!(matches!(&facts[1], What::StepUpDemanded { reasons, .. } if *reasons == ["reported_by_client"]));
    }
}

#[tokio::test]
async fn a_reported_revocation_ends_the_session() {
    let post = Post::new(watch_policy()).await;
    let alice = post.stage.watched("alice").await;
    let mut claims = post.claims(&alice, "session-revoked", json!({}));
    claims["sub_id"] = json!({"format": "opaque", "id": alice.session});
    post.sends(&claims).await.unwrap();
    assert_eq!(post.stage.session_now(&alice).await.ended.unwrap().reason, EndReason::Anomaly);
    let txn = post.stage.events(&alice).await.last().unwrap().txn.clone();
    assert_eq!(txn, "sig-1", "the cause can be followed");
}

#[tokio::test]
async fn a_user_without_a_session_means_all_sessions_at_the_senders_clients() {
    let post = Post::new(watch_policy()).await;
    let alice = post.stage.watched("alice").await;
    let second = post.stage.session(alice.account).await;
    let second = post.stage.at(alice.account, second, "shop").await;
    let third = post.stage.session(alice.account).await;
    let third = post.stage.at(alice.account, third, "bank").await;
    let mut claims = post.claims(&alice, "session-revoked", json!({}));
    claims["sub_id"].as_object_mut().unwrap().remove("session");
    post.sends(&claims).await.unwrap();
    assert!(post.stage.session_now(&alice).await.ended.is_some());
    assert!(post.stage.session_now(&second).await.ended.is_some());
    assert!(post.is_untouched(&third).await, "bank is not the sender's");
}

#[tokio::test]
async fn a_deployment_that_only_observes_writes_down_and_does_nothing() {
    let policy = WatchPolicy {
        mode: Watch::Observe,
        ..watch_policy()
    };
    let post = Post::new(policy).await;
    let alice = post.stage.watched("alice").await;
    post.sends(&post.risk(&alice, "HIGH")).await.unwrap();
    assert!(post.is_untouched(&alice).await);
    let facts = post.stage.facts(&alice).await;
    assert!(matches!(&facts[1], What::DecisionWithheld { decision, .. } if decision == "step_up"));
}

#[tokio::test]
async fn what_a_sender_may_not_speak_of_is_dropped_without_a_word() {
    let post = Post::new(watch_policy()).await;
    let alice = post.stage.watched("alice").await;
    let foreign = post.stage.account("bob", Mode::Auth).await;
    post.stage.consent(foreign).await;
    let session = post.stage.session(foreign).await;
    let bob = post.stage.at(foreign, session, "bank").await;
    let revoked = |actor: &Actor| post.claims(actor, "session-revoked", json!({}));
    let mut corpus = vec![revoked(&bob)];
    let mut mixed = revoked(&alice);
    mixed["sub_id"]["user"]["sub"] = json!(bob.account);
    corpus.push(mixed);
    let mut elsewhere = revoked(&alice);
    elsewhere["sub_id"]["user"]["iss"] = json!("https://elsewhere.example");
    corpus.push(elsewhere);
    for sub_id in [
        json!({"format": "opaque", "id": "no-such-session"}),
        json!({"format": "email", "email": "alice@example.com"}),
        json!({"format": "iss_sub", "iss": ISSUER, "sub": alice.account}),
        json!({"format": "complex", "session": {"format": "uri", "uri": "urn:x"}, "user": alice.account}),
        json!("alice"),
        json!(null),
    ] {
        let mut claims = revoked(&alice);
        claims["sub_id"] = sub_id;
        corpus.push(claims);
    }
    let mut unknown = post.risk(&alice, "HIGH");
    unknown["events"] = json!({"https://example.com/never-heard-of": {}});
    corpus.push(unknown);
    for (number, claims) in corpus.iter_mut().enumerate() {
        claims["jti"] = json!(format!("dropped-{number}"));
        assert!(post.sends(claims).await.is_ok(), "{claims}");
    }
    for members in [
        json!({"principal": "USER", "current_level": "HIGH"}),
        json!({"principal": "SESSION", "current_level": "LOW"}),
        json!({"principal": "SESSION", "current_level": "EXTREME"}),
        json!({}),
    ] {
        let mut claims = post.claims(&alice, "risk-level-change", members.clone());
        claims["jti"] = json!(members.to_string());
        assert!(post.sends(&claims).await.is_ok(), "{claims}");
    }
    assert!(post.is_untouched(&alice).await && post.is_untouched(&bob).await);
}

#[tokio::test]
async fn a_set_that_is_not_proven_is_refused_with_the_code_that_says_why() {
    let post = Post::new(watch_policy()).await;
    let alice = post.stage.watched("alice").await;
    let good = post.risk(&alice, "HIGH");
    let now = post.stage.ports.clock.now().0;
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        post.signed(&claims)
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        post.signed(&claims)
    };
    let two = json!({format!("{CAEP}session-revoked"): {}, format!("{CAEP}risk-level-change"): {}});
    let corpus = [
        (with("iss", json!("https://other.example")), "invalid_issuer"),
        (without("iss"), "invalid_issuer"),
        (with("aud", json!("https://elsewhere.example")), "invalid_audience"),
        (with("aud", json!(["https://elsewhere.example"])), "invalid_audience"),
        (without("aud"), "invalid_audience"),
        (with("exp", json!(now + 60)), "invalid_request"),
        (with("sub", json!(alice.account)), "invalid_request"),
        (with("iat", json!(now - 24 * 3600 - 1)), "invalid_request"),
        (with("iat", json!(now + 61)), "invalid_request"),
        (with("iat", json!(1e300)), "invalid_request"),
        (with("iat", json!("now")), "invalid_request"),
        (without("iat"), "invalid_request"),
        (without("jti"), "invalid_request"),
        (with("jti", json!("x".repeat(257))), "invalid_request"),
        (without("sub_id"), "invalid_request"),
        (with("events", json!({})), "invalid_request"),
        (with("events", two), "invalid_request"),
        (with("events", json!({"uri": "no object"})), "invalid_request"),
        (without("events"), "invalid_request"),
        (with("pad", json!("x".repeat(64 * 1024))), "invalid_request"),
        ("a.b".to_owned(), "invalid_request"),
        ("a.b.c".to_owned(), "invalid_request"),
        ("a.b.c.d".to_owned(), "invalid_request"),
        (String::new(), "invalid_request"),
        ("🦀.🦀.🦀".to_owned(), "invalid_request"),
    ];
    for (set, err) in corpus {
        assert_eq!(post.refused(&set).await, err, "{set:.200}");
    }
    assert!(post.is_untouched(&alice).await);
    let both = with("aud", json!(["https://elsewhere.example", ISSUER]));
    assert!(post.stage.idp.signal(Some(SECRET), &both, "r").await.is_ok());
}

#[tokio::test]
async fn no_header_and_no_key_but_the_configured_one_will_do() {
    let post = Post::new(watch_policy()).await;
    let alice = post.stage.watched("alice").await;
    let claims = post.risk(&alice, "HIGH");
    let foreign = keys();
    let signed = |header: Value, key: &EncodingKey| {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&header), part(&claims));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, Algorithm::EdDSA).unwrap();
        format!("{message}.{signature}")
    };
    let own = |header| signed(header, &post.keys.signing);
    let base = json!({"alg": "EdDSA", "kid": "k1", "typ": "secevent+jwt"});
    let plus = |name: &str, value: Value| {
        let mut header = base.clone();
        header[name] = value;
        header
    };
    let unsigned = format!(
        "{}..",
        own(plus("alg", json!("none")))
            .split('.')
            .take(2)
            .collect::<Vec<_>>()
            .join(".")
    );
    let unsigned = unsigned.trim_end_matches('.').to_owned() + ".";
    let foreign_jwk = foreign.jwks["keys"][0].clone();
    let corpus = [
        (unsigned, "invalid_key"),
        (signed(base.clone(), &foreign.signing), "invalid_key"),
        (own(plus("alg", json!("HS256"))), "invalid_key"),
        (own(plus("alg", json!("RS256"))), "invalid_key"),
        (own(plus("kid", json!("k2"))), "invalid_key"),
        (own(plus("kid", json!(7))), "invalid_key"),
        (own(plus("typ", json!("JWT"))), "invalid_request"),
        (own(plus("typ", json!("at+jwt"))), "invalid_request"),
        (own(plus("typ", json!(null))), "invalid_request"),
        (own(plus("crit", json!(["exp"]))), "invalid_request"),
        (own(plus("jku", json!("https://evil.example/jwks"))), "invalid_request"),
        (signed(plus("jwk", foreign_jwk), &foreign.signing), "invalid_request"),
    ];
    for (set, err) in corpus {
        assert_eq!(post.refused(&set).await, err, "{set}");
    }
    assert!(post.is_untouched(&alice).await);
    let typ = own(plus("typ", json!("Application/SecEvent+JWT")));
    assert!(
        post.stage.idp.signal(Some(SECRET), &typ, "r").await.is_ok(),
        "case and prefix don't matter"
    );
}

#[tokio::test]
async fn a_sender_is_known_by_its_secret_and_speaks_for_itself() {
    let post = Post::new(watch_policy()).await;
    let alice = post.stage.watched("alice").await;
    let set = post.signed(&post.risk(&alice, "HIGH"));
    for bearer in [None, Some(""), Some("wrong"), Some("the shop's bearer secret")] {
        let refused = post.stage.idp.signal(bearer, &set, "r").await;
        assert!(matches!(
            refused,
            Err(SignalError::Refused {
                err: "authentication_failed",
                ..
            })
        ));
    }
    let others = post.stage.idp.signal(Some("another sender's secret"), &set, "r").await;
    assert!(matches!(others, Err(SignalError::Refused { err: "invalid_key", .. })));
    assert!(post.is_untouched(&alice).await);
}

#[tokio::test]
async fn a_replayed_set_changes_nothing() {
    let post = Post::new(watch_policy()).await;
    let alice = post.stage.watched("alice").await;
    let claims = post.risk(&alice, "HIGH");
    post.sends(&claims).await.unwrap();
    post.stage.proves(&alice).await;
    let events = post.stage.events(&alice).await.len();
    post.sends(&claims).await.unwrap();
    assert!(post.is_untouched(&alice).await);
    assert_eq!(post.stage.events(&alice).await.len(), events);
}

#[tokio::test]
async fn a_signal_about_the_time_before_a_proof_changes_nothing() {
    let post = Post::new(watch_policy()).await;
    let alice = post.stage.watched("alice").await;
    let mut claims = post.risk(&alice, "HIGH");
    let before = post.stage.ports.clock.now();
    post.stage.ports.clock.advance(60);
    post.stage.proves(&alice).await;
    claims["iat"] = json!(post.stage.ports.clock.now());
    claims["events"][format!("{CAEP}risk-level-change")]["event_timestamp"] = json!(before);
    post.sends(&claims).await.unwrap();
    assert!(post.is_untouched(&alice).await);
    claims["jti"] = json!("newer");
    claims["events"][format!("{CAEP}risk-level-change")]["event_timestamp"] = json!(post.stage.ports.clock.now());
    post.sends(&claims).await.unwrap();
    assert!(!post.is_untouched(&alice).await);
}

#[tokio::test]
async fn revocations_by_signal_trip_the_breaker_too() {
    let policy = WatchPolicy {
        breaker_revocations: 1,
        ..watch_policy()
    };
    let post = Post::new(policy).await;
    let (alice, bob) = (post.stage.watched("alice").await, post.stage.watched("bob").await);
    post.sends(&post.claims(&alice, "session-revoked", json!({}))).await.unwrap();
    let mut second = post.claims(&bob, "session-revoked", json!({}));
    second["jti"] = json!("second");
    post.sends(&second).await.unwrap();
    assert!(post.stage.session_now(&alice).await.ended.is_some());
    let session = post.stage.session_now(&bob).await;
    assert_eq!((session.level, session.ended), (RiskLevel::High, None));
}
