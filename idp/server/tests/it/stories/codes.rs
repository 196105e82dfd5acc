//! Authorization codes: one use, by the one that they are for, for a short time.

use crate::harness::{ALICE, App, Callback, Provider, Request};
use futures_util::future::join_all;

async fn code(provider: &Provider, app: &App) -> (String, Request) {
    let mut visitor = provider.visitor();
    let request = app.request();
    let callback = Callback::of(visitor.sign_in(&request, ALICE).await);
    (callback.code().to_owned(), request)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_redemptions_at_once_exactly_one_wins() {
    let provider = Provider::start().await;
    let app = App::web(&provider);
    let (code, request) = code(&provider, &app).await;
    let attempts = (0..50).map(|_| {
        let (app, code, request) = (app.clone(), code.clone(), request.clone());
        tokio::spawn(async move { app.redeem(&code, &request).await })
    });
    let answers: Vec<_> = join_all(attempts).await.into_iter().map(|answer| answer.unwrap()).collect();
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(won.len(), 1);
    assert!(
        lost.iter()
            .all(|answer| answer.status == 400 && answer.error() == "invalid_grant")
    );
    let tokens = won.into_iter().next().unwrap().tokens();
    assert_eq!(
        app.userinfo(&tokens.access).await.status,
        401,
        "a replay takes back what the first use got"
    );
    assert_eq!(app.refresh(&tokens.refresh).await.error(), "invalid_grant");
}

#[tokio::test]
async fn a_second_use_takes_back_what_the_first_one_got_even_late() {
    let provider = Provider::start().await;
    let app = App::web(&provider);
    let (code, request) = code(&provider, &app).await;
    let tokens = app.redeem(&code, &request).await.tokens();
    provider.clock.advance(90);
    assert_eq!(app.redeem(&code, &request).await.error(), "invalid_grant");
    assert!(!app.is_active(&tokens.access).await);
    assert!(!app.is_active(&tokens.refresh).await);
}

#[tokio::test]
async fn a_code_is_good_for_a_minute() {
    let provider = Provider::start().await;
    let app = App::web(&provider);
    let (code, request) = code(&provider, &app).await;
    provider.clock.advance(61);
    assert_eq!(app.redeem(&code, &request).await.error(), "invalid_grant");
}

#[tokio::test]
async fn whoever_is_not_meant_gets_nothing_and_spoils_nothing() {
    let provider = Provider::start().await;
    let app = App::web(&provider);
    let (code, request) = code(&provider, &app).await;
    for thief in [
        App::native(&provider),
        App::posting(&provider),
        App::basic(&provider, "dotted", "dotted-secret-that-is-long-enough-for-it", ""),
    ] {
        assert_eq!(thief.redeem(&code, &request).await.error(), "invalid_grant", "{}", thief.id);
    }
    let elsewhere = request.clone().with("redirect_uri", "https://web.example/cb?tenant=1");
    assert_eq!(app.redeem(&code, &elsewhere).await.error(), "invalid_grant");
    app.redeem(&code, &request).await.tokens();
}

#[tokio::test]
async fn no_other_secret_is_a_code_and_a_code_is_no_other_secret() {
    let provider = Provider::start().await;
    let app = App::watched(&provider);
    let mut visitor = provider.visitor();
    let request = app.request();
    let tokens = app.sign_in_with(&mut visitor, ALICE, &request).await;
    let (code, unspent) = code(&provider, &app).await;
    let cookie = visitor.cookies["__Host-gait-session"].clone();
    for secret in [
        &tokens.access,
        &tokens.refresh,
        &tokens.id,
        &cookie,
        &tokens.sid(),
        &request.verifier,
    ] {
        assert_eq!(app.redeem(secret, &request).await.error(), "invalid_grant");
        if *secret != tokens.refresh {
            assert_eq!(app.refresh(secret).await.error(), "invalid_grant");
        }
        if *secret != tokens.access {
            assert_eq!(app.userinfo(secret).await.status, 401);
        }
        let mut stranger = provider.visitor();
        stranger.cookies.insert(
            "__Host-gait-session".to_owned(),
            if *secret == cookie { code.clone() } else { secret.clone() },
        );
        assert_eq!(app.silently(&mut stranger).await.error(), "login_required");
    }
    assert_eq!(app.refresh(&code).await.error(), "invalid_grant");
    assert_eq!(app.userinfo(&code).await.status, 401);
    app.redeem(&code, &unspent).await.tokens();
}
