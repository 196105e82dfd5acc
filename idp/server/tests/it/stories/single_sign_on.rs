//! One sign-in for several clients, and the ways for a client to ask for more.

use crate::harness::{ALICE, App, Callback, Provider};
use serde_json::json;

#[tokio::test]
async fn a_second_client_gets_a_code_without_a_question() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let first = App::web(&provider).sign_in(&mut visitor, ALICE).await.claims();
    let other = App::pkjwt(&provider);
    let request = other.request();
    let callback = Callback::of(visitor.ask(&request).await.left());
    let second = other.redeem(callback.code(), &request).await.tokens().claims();
    for claim in ["sid", "auth_time", "acr", "amr", "sub"] {
        assert_eq!(first[claim], second[claim], "{claim}");
    }
}

#[tokio::test]
async fn a_native_app_is_never_signed_in_silently() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::native(&provider), provider.visitor());
    app.sign_in(&mut visitor, ALICE).await;
    // Any program of this machine may call itself so (RFC 8252 §8.6).
    assert_eq!(app.silently(&mut visitor).await.error(), "consent_required");
    assert!(visitor.ask(&app.request()).await.page().form().has_button("consent"));
}

#[tokio::test]
async fn prompt_none_asks_nothing() {
    let provider = Provider::start().await;
    let (web, post) = (App::web(&provider), App::posting(&provider));
    let mut visitor = provider.visitor();
    let callback = web.silently(&mut visitor).await;
    assert_eq!(callback.error(), "login_required");
    assert_eq!(callback.params["iss"], provider.issuer);

    web.sign_in(&mut visitor, ALICE).await;
    assert!(web.silently(&mut visitor).await.params.contains_key("code"));
    assert_eq!(post.silently(&mut visitor).await.error(), "consent_required");
    provider.clock.advance(100);
    let old = Callback::of(
        visitor
            .ask(&web.request().with("prompt", "none").with("max_age", "50"))
            .await
            .left(),
    );
    assert_eq!(old.error(), "login_required");
    let both = Callback::of(visitor.ask(&web.request().with("prompt", "none login")).await.left());
    assert_eq!(both.error(), "invalid_request");
}

#[tokio::test]
async fn prompt_login_and_max_age_want_a_new_proof() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let first = app.sign_in(&mut visitor, ALICE).await.claims();
    for (name, value) in [("prompt", "login"), ("max_age", "60"), ("max_age", "0")] {
        provider.clock.advance(1000);
        let request = app.request().with(name, value);
        let page = visitor.ask(&request).await.page();
        assert!(page.form().has("password"), "{name}={value}: {}", page.text());
        let began = provider.clock.now();
        let at = visitor.walk(crate::harness::Landed::Page(page), ALICE).await;
        let claims = app.redeem(Callback::of(at.left()).code(), &request).await.tokens().claims();
        assert!(claims["auth_time"].as_i64().unwrap() >= began, "{name}={value}");
        assert_eq!(claims["sid"], first["sid"], "the same session, proven anew");
    }
    let young = visitor.ask(&app.request().with("max_age", "10000")).await.left();
    assert!(Callback::of(young).params.contains_key("code"));
}

#[tokio::test]
async fn prompt_select_account_lets_the_person_choose() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let alice = app.sign_in(&mut visitor, ALICE).await.claims();
    let request = app.request().with("prompt", "select_account");
    let page = visitor.ask(&request).await.page();
    assert!(page.form().has_button("account"));
    let other = visitor.submit(&page, &[("account", "other")]).await.page();
    assert!(other.form().has("identifier"));
    let callback = Callback::of(
        visitor
            .walk(crate::harness::Landed::Page(other), crate::harness::BOB)
            .await
            .left(),
    );
    let bob = app.redeem(callback.code(), &request).await.tokens().claims();
    assert_ne!(alice["sub"], bob["sub"]);
    assert_ne!(alice["sid"], bob["sid"]);
}

#[tokio::test]
async fn a_level_that_is_essential_and_out_of_reach_is_an_error() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let claims = json!({"id_token": {"acr": {"essential": true, "values": ["urn:example:hardware"]}}}).to_string();
    let request = app.request().with("claims", &claims);
    let at = visitor.ask(&request).await;
    let callback = Callback::of(visitor.walk(at, ALICE).await.left());
    assert_eq!(callback.error(), "unmet_authentication_requirements");

    let wished = app.request().with("acr_values", "urn:example:hardware urn:gait:acr:1fa");
    let told = app.sign_in_with(&mut visitor, ALICE, &wished).await.claims();
    assert_eq!(
        told["acr"], "urn:gait:acr:1fa",
        "a wish that can't be met is no error, and the one that can is told"
    );
}

#[tokio::test]
async fn an_essential_level_is_met_and_told() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let claims = json!({"id_token": {"acr": {"essential": true, "value": "urn:gait:acr:2fa"}}}).to_string();
    let tokens = app
        .sign_in_with(&mut visitor, ALICE, &app.request().with("claims", &claims))
        .await;
    assert_eq!(tokens.claims()["acr"], "urn:gait:acr:2fa");
}

#[tokio::test]
async fn login_hint_fills_in_the_name_and_ui_locales_choose_the_language() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let page = visitor
        .ask(&app.request().with("login_hint", "\"><svg onload=alert(1)>"))
        .await
        .page();
    assert!(!page.body.contains("<svg onload"), "a hint is text");
    let page = visitor
        .ask(&app.request().with("login_hint", "alice").with("ui_locales", "de"))
        .await
        .page();
    assert!(page.body.contains("value=\"alice\""));
    // The flow is shown by another request, so the language has to be remembered.
    assert!(page.body.contains("lang=\"de\""), "{}", page.text());
}

#[tokio::test]
async fn a_hint_of_another_person_is_not_answered_with_this_one() {
    let provider = Provider::start().await;
    let app = App::web(&provider);
    let (mut of_alice, mut of_bob) = (provider.visitor(), provider.visitor());
    let alice = app.sign_in(&mut of_alice, ALICE).await;
    app.sign_in(&mut of_bob, crate::harness::BOB).await;
    let silent = app.request().with("prompt", "none").with("id_token_hint", &alice.id);
    assert_eq!(Callback::of(of_bob.ask(&silent).await.left()).error(), "login_required");
    assert!(Callback::of(of_alice.ask(&silent).await.left()).params.contains_key("code"));
}
