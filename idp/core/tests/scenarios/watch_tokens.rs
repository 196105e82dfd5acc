//! Who may send samples, and what is refused before any of them is looked at.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::watch_stage::{ORIGIN, Stage, batch};
use gait_core::continuous::{WatchError, WatchState};
use gait_core::error::Error;
use gait_core::token::BearerError;
use gait_core::token::secret::{Secret, SecretKind};
use serde_json::json;

#[tokio::test]
async fn a_watch_token_is_given_for_the_right_access_token_only() {
    let stage = Stage::new().await;
    let alice = stage.watched("alice").await;
    let given = stage.idp.watch_token(&alice.access, ORIGIN, None).await.unwrap();
    assert_eq!(given.expires_in, 600);

    let (_, plain, refresh) = stage.grant(alice.account, &alice.session, "shop", "openid").await;
    let scope = stage.idp.watch_token(&plain, ORIGIN, None).await;
    assert!(matches!(
        scope,
        Err(WatchError::Bearer(BearerError::InsufficientScope("continuous_auth")))
    ));
    let unknown = Secret::new(SecretKind::Access, &stage.ports.ports());
    for bad in [refresh.as_str(), alice.watch.as_str(), unknown.expose(), "", "x.y.z", "🦀"] {
        let refused = stage.idp.watch_token(bad, ORIGIN, None).await;
        assert!(matches!(refused, Err(WatchError::Bearer(BearerError::InvalidToken))), "{bad}");
    }
    for (origin, browser) in [
        ("https://evil.example", None),
        (ORIGIN, Some("https://evil.example")),
        (ORIGIN, Some("null")),
        ("https://app.example/", None),
    ] {
        let refused = stage.idp.watch_token(&alice.access, origin, browser).await;
        assert!(matches!(refused, Err(WatchError::Origin)), "{origin} {browser:?}");
    }
    stage
        .store()
        .withdraw_consent(alice.account, stage.ports.clock.now(), &[])
        .await
        .unwrap();
    let refused = stage.idp.watch_token(&alice.access, ORIGIN, None).await;
    assert!(matches!(refused, Err(WatchError::NoConsent)));
    stage.ports.clock.advance(3600);
    let refused = stage.idp.watch_token(&alice.access, ORIGIN, None).await;
    assert!(matches!(refused, Err(WatchError::Bearer(BearerError::InvalidToken))));
}

#[tokio::test]
async fn a_watch_token_is_good_for_samples_only_and_for_its_page_only() {
    let stage = Stage::new().await;
    let alice = stage.watched("alice").await;
    assert!(stage.idp.userinfo(&alice.watch).await.is_err());
    let body = batch(1).to_string();
    let elsewhere = stage
        .idp
        .sample(&alice.watch, Some("https://evil.example"), body.as_bytes(), "r")
        .await;
    assert!(matches!(elsewhere, Err(WatchError::Origin)));
    let unknown = Secret::new(SecretKind::Watch, &stage.ports.ports());
    for bad in [alice.access.as_str(), unknown.expose(), "", "gait_wt_"] {
        let refused = stage.idp.sample(bad, Some(ORIGIN), body.as_bytes(), "r").await;
        assert!(matches!(refused, Err(WatchError::WatchToken)), "{bad}");
    }
    stage
        .store()
        .revoke_grant(alice.grant, stage.ports.clock.now(), &[])
        .await
        .unwrap();
    let disconnected = stage.sends(&alice, &batch(2)).await;
    assert!(matches!(disconnected, Err(WatchError::WatchToken)));
    assert_eq!(stage.scorer.scored(), 0);
}

#[tokio::test]
async fn a_watch_token_is_renewed_in_good_time_and_dies_after_ten_minutes() {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    stage.ports.clock.advance(300);
    assert!(stage.types(&mut alice).await.unwrap().watch_token.is_none());
    stage.ports.clock.advance(1);
    let renewed = stage.types(&mut alice).await.unwrap().watch_token.unwrap();
    assert!(stage.types(&mut alice).await.is_ok(), "the old one is good to its end");
    stage.ports.clock.advance(299);
    assert!(matches!(stage.types(&mut alice).await, Err(WatchError::WatchToken)));
    alice.watch = renewed.expose().to_owned();
    assert_eq!(stage.state(&mut alice).await, WatchState::Ok);
}

#[tokio::test]
async fn hostile_batches_are_refused_and_unknown_versions_ignored() {
    let stage = Stage::new().await;
    let alice = stage.watched("alice").await;
    let later = stage.sends(&alice, &json!({"v": 2, "anything": true})).await.unwrap();
    assert_eq!(later.state, WatchState::Ok);
    let huge = " ".repeat(16 * 1024 + 1);
    for body in [huge.as_str(), "", "{", r#"{"v":1,"seq":1}"#] {
        let refused = stage.idp.sample(&alice.watch, Some(ORIGIN), body.as_bytes(), "r").await;
        assert!(matches!(refused, Err(WatchError::Bad(_))));
    }
    assert_eq!(stage.scorer.scored(), 0);
}

#[tokio::test]
async fn a_flood_of_batches_is_held_up() {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    for _ in 0..600 {
        assert!(stage.types(&mut alice).await.is_ok());
    }
    assert!(matches!(
        stage.types(&mut alice).await,
        Err(WatchError::Core(Error::TooMany(_)))
    ));
    stage.ports.clock.advance(60);
    assert!(stage.types(&mut alice).await.is_ok());
}
