//! Refresh tokens: rotated at each use, and a second use ends the family.

use crate::harness::{ALICE, App, Provider};
use futures_util::future::join_all;

on_both!(
    each_use_gives_new_tokens_and_a_second_use_ends_the_family,
    of_fifty_uses_at_once_at_most_one_wins
);

async fn each_use_gives_new_tokens_and_a_second_use_ends_the_family(provider: Provider) {
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let first = app.sign_in(&mut visitor, ALICE).await;
    provider.clock.advance(100);
    let second = app.refresh(&first.refresh).await.tokens();
    assert_ne!(first.refresh, second.refresh);
    assert_ne!(first.access, second.access);
    for claim in ["sub", "sid", "auth_time", "acr", "amr", "aud"] {
        assert_eq!(
            first.claims()[claim],
            second.claims()[claim],
            "{claim} says what was proven then"
        );
    }
    assert!(app.is_active(&second.access).await);

    assert_eq!(app.refresh(&first.refresh).await.error(), "invalid_grant");
    assert_eq!(
        app.refresh(&second.refresh).await.error(),
        "invalid_grant",
        "the thief's or the owner's: both are dead"
    );
    assert!(!app.is_active(&second.access).await);
    assert!(!app.is_active(&first.access).await);
}

async fn of_fifty_uses_at_once_at_most_one_wins(provider: Provider) {
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    let attempts = (0..50).map(|_| {
        let (app, refresh) = (app.clone(), tokens.refresh.clone());
        tokio::spawn(async move { app.refresh(&refresh).await.status })
    });
    let statuses: Vec<_> = join_all(attempts).await.into_iter().map(|status| status.unwrap()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(statuses.iter().filter(|status| **status == 400).count(), 49);
}

#[tokio::test]
async fn another_client_can_neither_use_nor_spoil_it() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    assert_eq!(App::native(&provider).refresh(&tokens.refresh).await.error(), "invalid_grant");
    assert_eq!(
        App::posting(&provider).refresh(&tokens.refresh).await.error(),
        "invalid_grant"
    );
    app.refresh(&tokens.refresh).await.tokens();
}

#[tokio::test]
async fn the_scope_may_shrink_and_never_grow() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    let with = |scope: &'static str, token: String| {
        let app = app.clone();
        async move {
            app.post(
                "/token",
                &[("grant_type", "refresh_token"), ("refresh_token", &token), ("scope", scope)],
            )
            .await
        }
    };
    assert_eq!(
        with("openid profile phone", tokens.refresh.clone()).await.error(),
        "invalid_scope"
    );
    let narrow = with("openid", tokens.refresh).await.tokens();
    assert_eq!(narrow.body["scope"], "openid");
    assert!(app.userinfo(&narrow.access).await.body.get("email").is_none());
    let whole = app.refresh(&narrow.refresh).await.tokens();
    assert!(
        whole.body["scope"].as_str().unwrap().contains("email"),
        "the family keeps what was granted"
    );
}

#[tokio::test]
async fn an_offline_family_outlives_a_sign_out_and_another_does_not() {
    let provider = Provider::start().await;
    let (mut app, mut visitor) = (App::web(&provider), provider.visitor());
    let offline = app.sign_in(&mut visitor, ALICE).await;
    app.scope = "openid profile".to_owned();
    let online = app.sign_in(&mut visitor, ALICE).await;
    let left = visitor
        .open(&format!("/end_session?id_token_hint={}", online.id))
        .await
        .page();
    assert_eq!(left.status, 200);
    assert_eq!(app.refresh(&online.refresh).await.error(), "invalid_grant");
    app.refresh(&offline.refresh).await.tokens();
}

#[tokio::test]
async fn a_family_that_is_not_used_dies_of_age() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    provider.clock.advance(14 * 86_400 + 1);
    assert_eq!(app.refresh(&tokens.refresh).await.error(), "invalid_grant");
}
