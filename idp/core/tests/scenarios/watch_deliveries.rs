//! What clients are told, and how often it is tried.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::watch_stage::{Actor, ISSUER, Stage, client};
use gait_core::client::SubjectType;
use gait_core::delivery::{Arrival, Post};
use gait_core::event::{Channel, Delivery, DeliveryState, Event};
use gait_core::ids::{DeliveryId, EventId};
use gait_core::session::EndReason;
use gait_core::store::{DeliveryFilter, EXPANDED, Which};
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

/// What every receiver is told next.
pub async fn due(stage: &Stage) -> Vec<(Delivery, Post)> {
    stage.idp.expand_events().await.unwrap();
    let mut posts = Vec::new();
    for receiver in stage.idp.due_receivers(50).await.unwrap() {
        let mut claim = stage.idp.claim_receiver(&receiver).await.unwrap().unwrap();
        posts.extend(stage.idp.next_post(&mut claim).await.unwrap());
        stage.idp.release_receiver(&claim).await.unwrap();
    }
    posts
}

/// A receiver did this with what it was told.
pub async fn settle(stage: &Stage, delivery: &Delivery, arrival: &Arrival) {
    let claim = stage.idp.claim_receiver(&delivery.receiver()).await.unwrap().unwrap();
    stage.idp.settle_delivery(&claim, delivery, arrival).await.unwrap();
    stage.idp.release_receiver(&claim).await.unwrap();
}

/// How receivers do over time: every ten seconds for `seconds`, each is told what is due until nothing is; `arrival` says what it
/// does. Returns what arrived, and the number of tries.
async fn pass(stage: &Stage, seconds: i64, arrival: impl Fn(&Delivery) -> Arrival) -> (Vec<DeliveryId>, usize) {
    let (mut arrived, mut tries) = (Vec::new(), 0);
    for _ in 0..seconds / 10 {
        stage.ports.clock.advance(10);
        loop {
            let posts = due(stage).await;
            for (delivery, _) in &posts {
                let arrival = arrival(delivery);
                settle(stage, delivery, &arrival).await;
                tries += 1;
                if arrival == Arrival::Accepted {
                    arrived.push(delivery.id);
                }
            }
            if posts.is_empty() {
                break;
            }
        }
    }
    (arrived, tries)
}

/// `count` people are thrown out, one after the other; the deliveries to the shop's callback, in order.
async fn thrown_out(stage: &Stage, count: usize) -> Vec<Delivery> {
    for person in 0..count {
        let mut watched = stage.watched(&format!("person-{}-{person}", stage.ports.clock.now().0)).await;
        stage.scorer.alarms(&[Alarm::Hard]);
        stage.types(&mut watched).await.unwrap();
    }
    stage.idp.expand_events().await.unwrap();
    let all = stage.store().deliveries(&DeliveryFilter::default(), 99).await.unwrap();
    all.into_iter()
        .filter(|delivery| delivery.channel == Channel::Callback)
        .collect()
}

fn ids(deliveries: &[Delivery]) -> Vec<DeliveryId> {
    deliveries.iter().map(|delivery| delivery.id).collect()
}

fn away() -> Arrival {
    Arrival::Away("connection refused".to_owned())
}

fn failed() -> Arrival {
    Arrival::Failed("status 500".to_owned())
}

fn busy() -> Arrival {
    Arrival::Busy("no answer in time".to_owned())
}

fn of_callback(delivery: &Delivery, arrival: Arrival) -> Arrival {
    match delivery.channel {
        Channel::Callback => arrival,
        Channel::BackchannelLogout => Arrival::Accepted,
    }
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
    settle(&stage, &posts[0].0, &Arrival::Accepted).await;

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
async fn a_delivery_is_tried_again_with_the_same_jti_until_a_day_has_passed_and_again_if_an_operator_says_so() {
    let (stage, _) = revoked().await;
    let url = "https://shop.example/events";
    let (first, post) = to(&due(&stage).await, url);
    let jti = |post: &Post| verified(&stage, &post.body, "secevent+jwt", Algorithm::RS256, "shop")["jti"].clone();
    settle(&stage, &first, &away()).await;
    assert!(
        !due(&stage).await.iter().any(|(_, again)| again.url.as_str() == url),
        "not at once"
    );
    let shops = |delivery: &Delivery| match delivery.id == first.id {
        true => away(),
        false => Arrival::Accepted,
    };
    let (_, tries) = pass(&stage, 23 * 3600, shops).await;
    let day = 24 * 3600 / 300;
    assert!((day / 2..=day * 2).contains(&tries), "{tries} tries");
    assert_eq!(stage.store().backlog().await.unwrap().dead_letters, 0);
    pass(&stage, 2 * 3600, shops).await;
    let dead = stage.store().deliveries(&DeliveryFilter::default(), 9).await.unwrap();
    assert_eq!(ids(&dead), [first.id]);
    assert!(matches!(dead[0].state, DeliveryState::Dead(_)));
    assert_eq!(dead[0].last_error.as_deref(), Some("connection refused"));

    stage.idp.replay(&DeliveryFilter::default()).await.unwrap();
    let (again, posted) = to(&due(&stage).await, url);
    assert_eq!((again.id, jti(&posted)), (first.id, jti(&post)));
    settle(&stage, &again, &away()).await;
    assert_eq!(stage.store().backlog().await.unwrap().dead_letters, 0, "it has another day");
}

#[tokio::test]
async fn a_receiver_that_is_away_is_probed_with_the_first_and_gets_all_in_order_when_it_is_back() {
    let stage = Stage::new().await;
    let sent = thrown_out(&stage, 20).await;
    let probed = std::sync::Mutex::new(std::collections::BTreeSet::new());
    let (arrived, tries) = pass(&stage, 600, |delivery| {
        probed.lock().unwrap().insert((delivery.channel, delivery.id));
        of_callback(delivery, away())
    })
    .await;
    assert_eq!(arrived.len(), 20, "the other channel is not delayed");
    let probed: Vec<_> = probed
        .into_inner()
        .unwrap()
        .into_iter()
        .filter(|(channel, _)| *channel == Channel::Callback)
        .collect();
    assert_eq!(probed, [(Channel::Callback, sent[0].id)]);
    assert!((4..=12).contains(&(tries - 20)), "{tries} tries in ten minutes");
    let (arrived, tries) = pass(&stage, 450, |_| Arrival::Accepted).await;
    assert_eq!((arrived, tries), (ids(&sent), 20));
}

#[tokio::test]
async fn what_a_receiver_refuses_again_and_again_holds_the_others_back_for_a_minute_and_not_for_a_day() {
    let stage = Stage::new().await;
    let sent = thrown_out(&stage, 5).await;
    let poisoned = |delivery: &Delivery| match delivery.id == sent[0].id {
        true => failed(),
        false => Arrival::Accepted,
    };
    let (arrived, _) = pass(&stage, 60, poisoned).await;
    let others: Vec<_> = arrived.into_iter().filter(|id| ids(&sent).contains(id)).collect();
    assert_eq!(others, ids(&sent[1..]), "in order");
    let (_, tries) = pass(&stage, 12 * 3600, poisoned).await;
    assert!((8..=40).contains(&tries), "it is tried on its own: {tries} times");
    let more = thrown_out(&stage, 1).await;
    let (arrived, _) = pass(&stage, 10, poisoned).await;
    assert!(
        arrived.contains(&more.last().unwrap().id),
        "and delays nothing that comes later"
    );
    let (arrived, _) = pass(&stage, 2 * 3600, |_| Arrival::Accepted).await;
    assert_eq!(arrived, [sent[0].id]);
}

#[tokio::test]
async fn a_receiver_that_takes_too_long_keeps_its_order_for_minutes_and_then_is_tried_with_the_next() {
    let stage = Stage::new().await;
    let sent = thrown_out(&stage, 3).await;
    pass(&stage, 120, |delivery| of_callback(delivery, busy())).await;
    let (arrived, _) = pass(&stage, 240, |_| Arrival::Accepted).await;
    assert_eq!(arrived, ids(&sent), "busy for two minutes");

    let sent = thrown_out(&stage, 3).await;
    let hangs = |delivery: &Delivery| match delivery.id == sent[0].id {
        true => busy(),
        false => Arrival::Accepted,
    };
    let (arrived, _) = pass(&stage, 900, hangs).await;
    let others: Vec<_> = arrived.into_iter().filter(|id| ids(&sent).contains(id)).collect();
    assert_eq!(others, ids(&sent[1..]), "it chokes on one");
}

#[tokio::test]
async fn what_waits_for_a_receiver_that_never_comes_back_is_given_up_after_a_day() {
    let stage = Stage::new().await;
    thrown_out(&stage, 5).await;
    pass(&stage, 24 * 3600 - 600, |delivery| of_callback(delivery, away())).await;
    assert_eq!(stage.store().backlog().await.unwrap().dead_letters, 0);
    let young = thrown_out(&stage, 1).await;
    pass(&stage, 1200, |delivery| of_callback(delivery, away())).await;
    let left = stage.store().deliveries(&DeliveryFilter::default(), 99).await.unwrap();
    let waits: Vec<_> = left
        .iter()
        .filter(|one| one.state == DeliveryState::Queued)
        .map(|one| one.id)
        .collect();
    assert_eq!(
        (waits, stage.store().backlog().await.unwrap().dead_letters),
        (vec![young.last().unwrap().id], 5)
    );
}

#[tokio::test]
async fn two_nodes_never_tell_a_receiver_at_once_and_a_crashed_one_is_taken_over_from() {
    let (stage, _) = revoked().await;
    stage.idp.expand_events().await.unwrap();
    let receivers = stage.idp.due_receivers(50).await.unwrap();
    assert_eq!(receivers.len(), 4);
    let mut crashed = stage.idp.claim_receiver(&receivers[0]).await.unwrap().unwrap();
    let (sent, _) = stage.idp.next_post(&mut crashed).await.unwrap().unwrap();
    assert!(stage.idp.claim_receiver(&receivers[0]).await.unwrap().is_none());
    stage.ports.clock.advance(31);
    let mut next = stage.idp.claim_receiver(&receivers[0]).await.unwrap().unwrap();
    assert!(
        stage.idp.next_post(&mut crashed).await.unwrap().is_none(),
        "its claim is gone"
    );
    let (again, _) = stage.idp.next_post(&mut next).await.unwrap().unwrap();
    assert_eq!(again.id, sent.id, "at least once, with the same jti");
}

#[tokio::test]
async fn what_is_refused_or_no_longer_wanted_is_not_tried_again() {
    let (stage, _) = revoked().await;
    stage.idp.expand_events().await.unwrap();
    let mut bank = client("bank");
    bank.backchannel_logout_uri = None;
    stage.store().put_client(&bank).await.unwrap();
    assert!(stage.idp.remove_client(&"shop".into()).await.unwrap());
    let posts = due(&stage).await;
    assert_eq!(posts.len(), 1, "only what bank still wants");
    settle(&stage, &posts[0].0, &Arrival::Refused("400 invalid_key".to_owned())).await;
    stage.ports.clock.advance(7200);
    assert!(due(&stage).await.is_empty());
    assert_eq!(
        stage.store().backlog().await.unwrap().dead_letters,
        2,
        "an operator can see them"
    );
}

/// A node of a later version notes something about a session.
async fn noted_by_a_newer_node(stage: &Stage, about: &Actor) -> Event {
    let noted = Event {
        id: EventId(stage.ports.ports().uuid()),
        at_ms: stage.ports.clock.now().0 * 1000,
        what: serde_json::from_value(json!({"event": "fortune_told", "stars": 5})).unwrap(),
        account: Some(about.account),
        session: Some(about.session.clone()),
        client: None,
        address: None,
        txn: "tomorrow".to_owned(),
    };
    stage.store().note(&noted).await.unwrap();
    noted
}

#[tokio::test]
async fn events_of_a_newer_node_are_left_to_it_and_hold_no_revocation_back() {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    let mut unknown = Vec::new();
    for _ in 0..2 * EXPANDED {
        unknown.push(noted_by_a_newer_node(&stage, &alice).await);
    }
    stage.scorer.alarms(&[Alarm::Hard]);
    stage.types(&mut alice).await.unwrap();
    assert_eq!(due(&stage).await.len(), 2, "the shop is told, on both ways");
    assert_eq!(
        stage.store().unexpanded_events(None, 999).await.unwrap(),
        unknown,
        "a newer node still finds them"
    );
}

#[tokio::test]
async fn what_only_a_newer_node_can_tell_is_kept_for_it_and_holds_a_revocation_back_for_a_minute_at_most() {
    let stage = Stage::new().await;
    let alice = stage.watched("alice").await;
    let noted = noted_by_a_newer_node(&stage, &alice).await;
    let of_tomorrow = Delivery {
        id: DeliveryId(stage.ports.ports().uuid()),
        client: alice.client.clone(),
        channel: Channel::Callback,
        event: noted.clone(),
        state: DeliveryState::Queued,
        since: stage.ports.clock.now(),
        attempts: 0,
        refusals: 0,
        last_error: None,
    };
    stage
        .store()
        .expand_events(&[(noted.id, vec![of_tomorrow.clone()])])
        .await
        .unwrap();
    let sent = thrown_out(&stage, 1).await;
    let (arrived, _) = pass(&stage, 90, |_| Arrival::Accepted).await;
    assert!(arrived.contains(&sent.last().unwrap().id));
    let left = stage.store().deliveries(&DeliveryFilter::default(), 99).await.unwrap();
    assert_eq!(ids(&left), [of_tomorrow.id]);
    assert!(matches!(left[0].state, DeliveryState::Aside(_)), "{left:?}");
    assert_eq!(left[0].event, noted);
}
