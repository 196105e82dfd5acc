//! What clients are told, and how often it is tried.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::watch_stage::{Actor, ISSUER, Stage, client};
use gait_core::client::SubjectType;
use gait_core::delivery::{Arrival, Post};
use gait_core::event::{Channel, Delivery};
use gait_core::session::EndReason;
use gait_core::store::Which;
use gait_sdk::Alarm;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";

/// Verifies a token as a client would, and gives its claims.
fn verified(stage: &Stage, token: &str, typ: &str, alg: Algorithm, audience: &str) -> Value {
    let header = decode_header(token).unwrap();
    assert_eq!((header.typ.as_deref(), header.alg), (Some(typ), alg));
    let keys: JwkSet = serde_json::from_str(&stage.idp.jwks()).unwrap();
    let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
    let mut validation = Validation::new(alg);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.set_audience(&[audience]);
    validation.set_issuer(&[ISSUER]);
    decode::<Value>(token, &key, &validation).unwrap().claims
}

async fn due(stage: &Stage) -> Vec<(Delivery, Post)> {
    stage.idp.expand_events().await.unwrap();
    stage.idp.due_posts(50).await.unwrap()
}

fn to(posts: &[(Delivery, Post)], url: &str) -> (Delivery, Post) {
    let mut found = posts.iter().filter(|(_, post)| post.url.as_str() == url);
    let post = found.next().unwrap_or_else(|| panic!("nothing for {url}")).clone();
    assert!(found.next().is_none(), "more than one for {url}");
    post
}

async fn revoked() -> (Stage, Actor) {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    stage.at(alice.account, alice.session.clone(), "bank").await;
    stage.scorer.alarms(&[Alarm::Hard]);
    stage.types(&mut alice).await.unwrap();
    (stage, alice)
}

#[tokio::test]
async fn a_revocation_reaches_every_client_of_the_session_on_both_ways() {
    let (stage, alice) = revoked().await;
    let bob = stage.watched("bob").await;
    let posts = due(&stage).await;
    assert_eq!(posts.len(), 4, "two clients, two ways");

    let (delivery, post) = to(&posts, "https://bank.example/logout");
    assert_eq!(post.content_type, "application/x-www-form-urlencoded");
    let token = post.body.strip_prefix("logout_token=").unwrap();
    let claims = verified(&stage, token, "logout+jwt", Algorithm::ES256, "bank");
    let now = stage.ports.clock.now().0;
    let expected = json!({
        "iss": ISSUER, "aud": "bank", "iat": now, "exp": now + 120, "jti": delivery.id,
        "sub": alice.account, "sid": alice.session,
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    });
    assert_eq!(claims, expected);

    let (delivery, post) = to(&posts, "https://shop.example/events");
    assert_eq!(post.content_type, "application/secevent+jwt");
    let claims = verified(&stage, &post.body, "secevent+jwt", Algorithm::RS256, "shop");
    let expected = json!({
        "iss": ISSUER, "aud": "shop", "iat": now, "jti": delivery.id, "txn": "req-1",
        "sub_id": {
            "format": "complex",
            "user": {"format": "iss_sub", "iss": ISSUER, "sub": alice.account},
            "session": {"format": "opaque", "id": alice.session},
        },
        "events": {format!("{CAEP}session-revoked"): {
            "event_timestamp": now, "initiating_entity": "policy",
            "reason_admin": {"en": "anomaly: typing_rhythm_differs"},
        }},
    });
    assert_eq!(claims, expected, "neither exp nor sub, one event, no score");
    assert!(stage.facts(&bob).await.is_empty(), "nobody else is touched");
}

#[tokio::test]
async fn a_step_up_and_its_passing_are_told_to_callbacks_only() {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    stage.scorer.alarms(&[Alarm::Soft]);
    stage.types(&mut alice).await.unwrap();
    let change = |posts: &[(Delivery, Post)]| {
        assert_eq!(posts.len(), 1);
        let claims = verified(&stage, &posts[0].1.body, "secevent+jwt", Algorithm::RS256, "shop");
        claims["events"][format!("{CAEP}risk-level-change")].clone()
    };
    let posts = due(&stage).await;
    let now = stage.ports.clock.now().0;
    let expected = json!({
        "principal": "SESSION", "current_level": "MEDIUM", "previous_level": "LOW", "risk_reason": "BEHAVIOR_ANOMALY",
        "event_timestamp": now, "initiating_entity": "policy", "reason_admin": {"en": "step_up_demanded: typing_rhythm_differs"},
    });
    assert_eq!(change(&posts), expected);
    stage.idp.settle_delivery(&posts[0].0, &Arrival::Accepted).await.unwrap();

    stage.proves(&alice).await;
    let posts = due(&stage).await;
    let change = change(&posts);
    assert_eq!(
        (&change["current_level"], &change["previous_level"]),
        (&json!("LOW"), &json!("MEDIUM"))
    );
    assert_eq!(change["initiating_entity"], "user");
}

#[tokio::test]
async fn a_voluntary_proof_tells_nobody() {
    let stage = Stage::new().await;
    let alice = stage.watched("alice").await;
    stage.proves(&alice).await;
    assert!(due(&stage).await.is_empty());
}

#[tokio::test]
async fn signing_out_sends_logout_tokens_and_no_alarm() {
    let stage = Stage::new().await;
    let alice = stage.watched("alice").await;
    let now = stage.ports.clock.now();
    let (account, session) = (alice.account, alice.session.clone());
    let ended = gait_core::event::Event {
        id: gait_core::ids::EventId(stage.ports.ports().uuid()),
        at_ms: now.0 * 1000,
        what: gait_core::event::What::SessionEnded {
            reason: EndReason::SignedOut,
            reasons: vec![],
        },
        account: Some(account),
        session: Some(session.clone()),
        client: None,
        address: None,
        txn: "logout".to_owned(),
    };
    let which = Which::One(session);
    let events = move |_: &gait_core::session::Session| vec![ended.clone()];
    stage
        .store()
        .end_sessions(&which, now, EndReason::SignedOut, &events)
        .await
        .unwrap();
    let posts = due(&stage).await;
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].0.channel, Channel::BackchannelLogout);
}

#[tokio::test]
async fn a_pairwise_client_learns_no_other_subject() {
    let stage = Stage::new().await;
    let mut pairwise = client("shop");
    pairwise.subject_type = SubjectType::Pairwise;
    stage.store().put_client(&pairwise).await.unwrap();
    let mut alice = stage.watched("alice").await;
    stage.scorer.alarms(&[Alarm::Hard]);
    stage.types(&mut alice).await.unwrap();
    for (_, post) in due(&stage).await {
        let (typ, alg) = match post.content_type {
            "application/secevent+jwt" => ("secevent+jwt", Algorithm::RS256),
            _ => ("logout+jwt", Algorithm::ES256),
        };
        let token = post.body.strip_prefix("logout_token=").unwrap_or(&post.body);
        let claims = verified(&stage, token, typ, alg, "shop").to_string();
        assert!(!claims.contains(&alice.account.to_string()));
    }
}

#[tokio::test]
async fn a_disconnected_app_hears_of_the_end_and_of_nothing_else() {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    let bank = stage.at(alice.account, alice.session.clone(), "bank").await;
    stage
        .store()
        .revoke_grant(bank.grant, stage.ports.clock.now(), &[])
        .await
        .unwrap();
    stage.ports.clock.advance(1);
    stage.scorer.alarms(&[Alarm::Hard]);
    stage.types(&mut alice).await.unwrap();
    let posts = due(&stage).await;
    let bank: Vec<_> = posts
        .iter()
        .filter(|(delivery, _)| delivery.client.as_str() == "bank")
        .collect();
    assert_eq!(bank.len(), 1);
    assert_eq!(bank[0].0.channel, Channel::BackchannelLogout);
}

#[tokio::test]
async fn a_delivery_is_tried_again_later_with_the_same_jti_until_a_day_has_passed() {
    let (stage, _) = revoked().await;
    let url = "https://shop.example/events";
    let (first, post) = to(&due(&stage).await, url);
    let jti = |post: &Post| verified(&stage, &post.body, "secevent+jwt", Algorithm::RS256, "shop")["jti"].clone();
    let failed = Arrival::Failed("503".to_owned());
    stage.idp.settle_delivery(&first, &failed).await.unwrap();
    assert!(due(&stage).await.is_empty(), "not at once");
    let mut tries = 1;
    let mut last = stage.ports.clock.now();
    for _ in 0..24 * 60 + 60 {
        stage.ports.clock.advance(60);
        for (delivery, again) in due(&stage).await {
            if again.url.as_str() == url {
                assert_eq!(jti(&again), jti(&post));
                tries += 1;
                last = stage.ports.clock.now();
                stage.idp.settle_delivery(&delivery, &failed).await.unwrap();
            } else {
                stage.idp.settle_delivery(&delivery, &Arrival::Accepted).await.unwrap();
            }
        }
    }
    assert!((12..=80).contains(&tries), "{tries} tries");
    assert!(stage.ports.clock.now().since(last) >= 3600, "a day later it is given up");
}

#[tokio::test]
async fn what_is_refused_or_no_longer_wanted_is_not_tried_again() {
    let (stage, _) = revoked().await;
    stage.idp.expand_events().await.unwrap();
    let mut bank = client("bank");
    bank.backchannel_logout_uri = None;
    stage.store().put_client(&bank).await.unwrap();
    stage
        .store()
        .remove_client(&"shop".into(), stage.ports.clock.now())
        .await
        .unwrap();
    let posts = stage.idp.due_posts(50).await.unwrap();
    assert_eq!(posts.len(), 1, "only what bank still wants");
    stage
        .idp
        .settle_delivery(&posts[0].0, &Arrival::Refused("400 invalid_key".to_owned()))
        .await
        .unwrap();
    stage.ports.clock.advance(7200);
    assert!(due(&stage).await.is_empty());
}
