//! What becomes of tokens when what they hang on changes.

use super::*;
use gait_core::token::BearerError;

const OFFLINE: (&str, &str) = ("scope", "openid offline_access notes");

#[tokio::test]
async fn without_offline_access_nothing_outlives_the_session() {
    let world = World::new().await;
    let mut tokens = world.tokens("app", &[]).await;
    let offline = world.tokens("app", &[OFFLINE]).await;
    for _ in 0..11 {
        world.advance(3600);
        tokens = world.refresh("app", text(&tokens, "refresh_token")).await.unwrap();
    }
    world.advance(3590);
    tokens = world.refresh("app", text(&tokens, "refresh_token")).await.unwrap();
    assert_eq!(tokens["expires_in"], 10, "the session ends of age in ten seconds");
    world.advance(10);
    assert_eq!(
        error(world.refresh("app", text(&tokens, "refresh_token")).await),
        "invalid_grant"
    );
    assert!(world.refresh("app", text(&offline, "refresh_token")).await.is_ok());
}

#[tokio::test]
async fn signing_out_kills_what_is_not_offline_and_a_security_end_kills_all() {
    for (reason, survives) in [
        (EndReason::SignedOut, true),
        (EndReason::Replaced, true),
        (EndReason::EndedByOwner, false),
        (EndReason::Disowned, false),
        (EndReason::Anomaly, false),
        (EndReason::StepUpFailed, false),
    ] {
        let world = World::new().await;
        let bound = world.tokens("app", &[]).await;
        let offline = world.tokens("app", &[OFFLINE]).await;
        world.end(Which::One(world.sid.clone()), reason).await;
        assert!(!world.is_active(text(&bound, "access_token")).await, "{reason:?}");
        assert_eq!(
            error(world.refresh("app", text(&bound, "refresh_token")).await),
            "invalid_grant"
        );
        assert_eq!(world.is_active(text(&offline, "access_token")).await, survives, "{reason:?}");
        assert_eq!(
            world.refresh("app", text(&offline, "refresh_token")).await.is_ok(),
            survives,
            "{reason:?}"
        );
    }
}

#[tokio::test]
async fn signing_out_is_no_way_around_a_step_up() {
    let world = World::new().await;
    let offline = world.tokens("app", &[OFFLINE]).await;
    world.demand_step_up().await;
    world.end(Which::One(world.sid.clone()), EndReason::SignedOut).await;
    assert!(!world.is_active(text(&offline, "access_token")).await);
    assert_eq!(
        error(world.refresh("app", text(&offline, "refresh_token")).await),
        "invalid_grant"
    );
}

#[tokio::test]
async fn after_all_sessions_were_ended_no_older_token_counts() {
    let world = World::new().await;
    let tokens = world.tokens("app", &[OFFLINE]).await;
    let code = world.code("app", &[]).await;
    world.advance(1);
    world.end(Which::AllOf(world.alice), EndReason::AccountChanged).await;
    assert!(!world.is_active(text(&tokens, "access_token")).await);
    assert_eq!(
        error(world.refresh("app", text(&tokens, "refresh_token")).await),
        "invalid_grant"
    );
    assert_eq!(error(world.redeem("app", &code).await), "invalid_grant", "a code in flight");
}

#[tokio::test]
async fn a_disabled_account_gets_and_keeps_nothing() {
    let world = World::new().await;
    let tokens = world.tokens("app", &[OFFLINE]).await;
    let code = world.code("app", &[]).await;
    let now = world.ports.clock.now();
    world.store.set_disabled(world.alice, Some(now), &[]).await.unwrap();
    assert_eq!(error(world.redeem("app", &code).await), "invalid_grant");
    assert_eq!(
        error(world.refresh("app", text(&tokens, "refresh_token")).await),
        "invalid_grant"
    );
    assert!(!world.is_active(text(&tokens, "access_token")).await);
    let answer = world.idp.userinfo(text(&tokens, "access_token")).await;
    assert!(matches!(answer, Err(BearerError::InvalidToken)), "{answer:?}");
}

#[tokio::test]
async fn while_a_step_up_is_pending_the_family_waits_and_then_goes_on_as_it_was() {
    let world = World::new().await;
    let tokens = world.tokens("app", &[]).await;
    let code = world.code("app", &[]).await;
    let access = text(&tokens, "access_token");
    world.demand_step_up().await;
    world.advance(30);

    let refused = world.refresh("app", text(&tokens, "refresh_token")).await.unwrap_err();
    let OAuthError::Refused {
        error: code_word,
        description,
        ..
    } = refused
    else {
        panic!("{refused:?}")
    };
    assert_eq!(
        (code_word, description.as_str()),
        ("invalid_grant", "re-authentication required")
    );
    assert_eq!(
        error(world.redeem("app", &code).await),
        "invalid_grant",
        "no new tokens either"
    );
    assert_eq!(world.introspect("plain-api", access).await, json!({ "active": false }));
    assert_eq!(world.introspect("app", access).await, json!({ "active": false }));
    let aware = world.introspect("api", access).await;
    assert_eq!((&aware["active"], &aware["step_up_required"]), (&json!(true), &json!(true)));
    assert_eq!(aware["reauth_after"], world.ports.clock.now().0 - 30);
    assert_eq!(
        aware["auth_time"],
        payload(text(&tokens, "id_token"))["auth_time"],
        "history stays what it was"
    );
    let challenge = world.idp.userinfo(access).await.unwrap_err();
    assert!(matches!(challenge, BearerError::StepUp { max_age: 60, .. }), "{challenge:?}");
    assert!(challenge.challenge().unwrap().contains("insufficient_user_authentication"));

    world.clear_step_up().await;
    assert!(world.is_active(access).await);
    let next = world.refresh("app", text(&tokens, "refresh_token")).await.unwrap();
    let (old, new) = (payload(text(&tokens, "id_token")), payload(text(&next, "id_token")));
    assert_eq!((&old["auth_time"], &old["acr"]), (&new["auth_time"], &new["acr"]));
    assert!(!world.saw_replay("refresh_token").await);
}
