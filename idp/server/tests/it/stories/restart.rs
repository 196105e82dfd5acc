//! What survives the end of the process, and what a restart must not open.

use crate::harness::{ALICE, App, Callback, Provider};

on_both!(sessions_grants_and_keys_survive, what_was_revoked_or_spent_stays_so);

async fn sessions_grants_and_keys_survive(mut provider: Provider) {
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    let keys = provider.get_json("/jwks.json").await;
    provider.restart().await;
    assert_eq!(provider.get_json("/jwks.json").await, keys);
    assert!(app.silently(&mut visitor).await.params.contains_key("code"));
    assert!(App::api(&provider).is_active(&tokens.access).await);
    app.refresh(&tokens.refresh).await.tokens();
}

async fn what_was_revoked_or_spent_stays_so(mut provider: Provider) {
    let app = App::web(&provider);
    let (mut gone, mut replayed) = (provider.visitor(), provider.visitor());
    let revoked = app.sign_in(&mut gone, ALICE).await;
    gone.open(&format!("/end_session?id_token_hint={}", revoked.id)).await.page();
    assert_eq!(app.post("/revoke", &[("token", &revoked.refresh)]).await.status, 200);
    let request = app.request();
    let callback = Callback::of(replayed.sign_in(&request, ALICE).await);
    let first = app.redeem(callback.code(), &request).await.tokens();
    let second = app.refresh(&first.refresh).await.tokens();

    provider.restart().await;
    assert_eq!(app.silently(&mut gone).await.error(), "login_required");
    assert!(!app.is_active(&revoked.access).await);
    assert_eq!(app.refresh(&revoked.refresh).await.error(), "invalid_grant");
    assert_eq!(
        app.redeem(callback.code(), &request).await.error(),
        "invalid_grant",
        "a spent code"
    );
    assert_eq!(
        app.refresh(&first.refresh).await.error(),
        "invalid_grant",
        "a spent refresh token"
    );
    assert_eq!(
        app.refresh(&second.refresh).await.error(),
        "invalid_grant",
        "and its family is dead, as if nothing had happened between"
    );
}

#[tokio::test]
async fn a_sign_in_under_way_is_begun_again_and_nothing_breaks() {
    let mut provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let request = app.request();
    let page = visitor.ask(&request).await.page();
    let page = visitor
        .submit(&page, &[("identifier", "alice"), ("password", ALICE.password)])
        .await
        .page();
    let mut quick = provider.visitor();
    let unspent = Callback::of(quick.sign_in(&request, ALICE).await);
    provider.restart().await;
    assert_eq!(visitor.get(page.url.as_str()).await.status, 410);
    assert_eq!(visitor.submit_once(&page, &[("code", "123456")]).await.status, 410);
    assert_eq!(
        app.redeem(unspent.code(), &request).await.error(),
        "invalid_grant",
        "an unspent code dies with the process"
    );
    app.sign_in(&mut visitor, ALICE).await;
}

#[tokio::test]
async fn a_callback_that_was_not_delivered_yet_is_delivered_after_a_restart() {
    let mut provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    provider.receiver.fail_next(1000);
    visitor
        .open(&format!("/end_session?id_token_hint={}", tokens.id))
        .await
        .page();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    provider.restart().await;
    provider.receiver.fail_next(0);
    provider.clock.advance(120);
    provider.receiver.wait("web", "logout", 1).await;
}
