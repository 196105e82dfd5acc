//! A disabled account: whatever it has under way ends nowhere.

use crate::harness::{ALICE, App, Callback, Landed, Provider};

async fn disable(provider: &Provider) {
    let account = provider.account(ALICE).await;
    provider.idp.set_disabled_by_operator(&account, true).await.unwrap();
}

#[tokio::test]
async fn its_tokens_sessions_and_codes_are_dead_at_once() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    let request = app.request();
    let callback = Callback::of(visitor.ask(&request).await.left());
    disable(&provider).await;
    assert_eq!(app.redeem(callback.code(), &request).await.error(), "invalid_grant");
    assert_eq!(app.refresh(&tokens.refresh).await.error(), "invalid_grant");
    assert!(!App::api(&provider).is_active(&tokens.access).await);
    assert_eq!(app.userinfo(&tokens.access).await.status, 401);
    assert_eq!(app.silently(&mut visitor).await.error(), "login_required");
    provider.receiver.wait("web", "logout", 1).await;
}

#[tokio::test]
async fn a_sign_in_under_way_ends_nowhere_and_looks_like_a_wrong_one() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let page = visitor.ask(&app.request()).await.page();
    let page = visitor
        .submit(&page, &[("identifier", "alice"), ("password", ALICE.password)])
        .await
        .page();
    let code = visitor.mailed_code(&page, ALICE).await;
    disable(&provider).await;
    assert!(matches!(visitor.submit(&page, &[("code", &code)]).await, Landed::Page(_)));
    let mut again = provider.visitor();
    let page = again.ask(&app.request()).await.page();
    let page = again
        .submit(&page, &[("identifier", "alice"), ("password", ALICE.password)])
        .await
        .page();
    assert!(page.form().has("identifier"));
}
