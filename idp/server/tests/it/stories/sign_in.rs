//! Password and mailed code, and what the client is told of it.

use crate::harness::{ALICE, App, Callback, Provider, ZOE, verified};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::json;

on_both!(a_password_and_a_mailed_code_sign_alice_in_and_the_id_token_tells_the_truth);

async fn a_password_and_a_mailed_code_sign_alice_in_and_the_id_token_tells_the_truth(provider: Provider) {
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let request = app.request();

    let before = provider.clock.now();
    let page = visitor.ask(&request).await.page();
    assert!(
        page.form().has("identifier") && page.form().has("password"),
        "one page asks for name and password"
    );
    let page = visitor
        .submit(&page, &[("identifier", "alice"), ("password", ALICE.password)])
        .await
        .page();
    assert!(page.form().has("code"), "then for the mailed code");
    let code = visitor.mailed_code(&page, ALICE).await;
    let callback = Callback::of(visitor.submit(&page, &[("code", &code)]).await.left());

    assert_eq!(callback.params["state"], request.get("state"));
    assert_eq!(callback.params["iss"], provider.issuer);
    let tokens = app.redeem(callback.code(), &request).await.tokens();
    let claims = verified(&provider.keys().await, &tokens.id, "web", Algorithm::RS256);
    assert_eq!(claims["iss"], provider.issuer);
    assert_eq!(claims["azp"], "web");
    assert_eq!(claims["sub"], provider.account(ALICE).await.id.to_string());
    assert_eq!(claims["nonce"], request.get("nonce"));
    assert_eq!(claims["acr"], "urn:gait:acr:2fa");
    assert_eq!(claims["amr"], json!(["mfa", "otp", "pwd"]));
    let auth_time = claims["auth_time"].as_i64().unwrap();
    assert!((before..=provider.clock.now()).contains(&auth_time), "{auth_time}");
    assert!(claims["sid"].as_str().is_some_and(|sid| !sid.is_empty()));
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, tokens.access.as_bytes());
    assert_eq!(claims["at_hash"], URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]));
    assert_eq!(tokens.body["token_type"], "Bearer");
}

#[tokio::test]
async fn every_client_gets_its_id_token_in_the_algorithm_that_it_registered() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let keys = provider.keys().await;
    for (app, algorithm) in [
        (App::posting(&provider), Algorithm::ES256),
        (App::native(&provider), Algorithm::EdDSA),
    ] {
        let tokens = app.sign_in(&mut visitor, ALICE).await;
        verified(&keys, &tokens.id, &app.id, algorithm);
    }
}

#[tokio::test]
async fn a_name_is_one_person_however_it_is_typed() {
    let provider = Provider::start().await;
    let mut subjects = Vec::new();
    // Capitals, a decomposed letter, spaces around it, the address.
    for typed in ["Zoë", "ZOË", "zoe\u{308}", "  zoë ", "ZOE@example.test"] {
        let mut visitor = provider.visitor();
        let typed = crate::harness::Person { username: typed, ..ZOE };
        subjects.push(App::web(&provider).sign_in(&mut visitor, typed).await.claims()["sub"].clone());
    }
    subjects.dedup();
    assert_eq!(subjects.len(), 1);
}

#[tokio::test]
async fn another_session_cookie_is_given_at_each_sign_in() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    visitor
        .cookies
        .insert("__Host-gait-session".to_owned(), "chosen-by-somebody-else".to_owned());
    app.sign_in(&mut visitor, ALICE).await;
    let first = visitor.cookies["__Host-gait-session"].clone();
    assert_ne!(first, "chosen-by-somebody-else");
    let again = app.request().with("prompt", "login");
    app.sign_in_with(&mut visitor, ALICE, &again).await;
    assert_ne!(visitor.cookies["__Host-gait-session"], first, "a proof rotates the secret");
}

#[tokio::test]
async fn the_person_may_cancel() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let request = app.request();
    let page = visitor.ask(&request).await.page();
    let callback = Callback::of(visitor.submit(&page, &[("cancel", "yes")]).await.left());
    assert_eq!(
        (callback.error(), callback.params["state"].as_str()),
        ("access_denied", request.get("state"))
    );
}

#[tokio::test]
async fn an_untrusted_client_gets_what_the_person_allows_and_nothing_after_a_no() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::posting(&provider), provider.visitor());
    let mut page = visitor.ask(&app.request()).await.page();
    page = visitor
        .submit(&page, &[("identifier", "alice"), ("password", ALICE.password)])
        .await
        .page();
    let code = visitor.mailed_code(&page, ALICE).await;
    page = visitor.submit(&page, &[("code", &code)]).await.page();
    assert!(page.form().has_button("consent"), "{}", page.text());
    let callback = Callback::of(visitor.submit(&page, &[("consent", "deny")]).await.left());
    assert_eq!(callback.error(), "access_denied");

    app.sign_in(&mut visitor, ALICE).await;
    let again = Callback::of(visitor.ask(&app.request()).await.left());
    assert!(again.params.contains_key("code"), "what was allowed is not asked again");
    let asked = visitor.ask(&app.request().with("prompt", "consent")).await.page();
    assert!(asked.form().has_button("consent"), "prompt=consent asks again");
}

#[tokio::test]
async fn a_request_without_a_nonce_is_answered_without_one() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let tokens = app.sign_in_with(&mut visitor, ALICE, &app.request().without("nonce")).await;
    assert_eq!(tokens.claims().get("nonce"), None);
}

#[tokio::test]
async fn a_huge_password_costs_nothing() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    for length in [257, 5000, 9000, 60_000, 1_000_000] {
        let page = visitor.ask(&App::web(&provider).request()).await.page();
        let answer = visitor
            .submit_once(&page, &[("identifier", "alice"), ("password", &"x".repeat(length))])
            .await;
        assert!(matches!(answer.status, 303 | 400 | 413), "{length}: {}", answer.status);
    }
}
