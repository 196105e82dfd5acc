//! Signing out, and telling the clients.

use crate::harness::{ALICE, App, Provider};
use relying_party::{Expected, verify_logout_token};
use serde_json::{Value, json};

#[tokio::test]
async fn with_a_valid_hint_the_person_is_signed_out_and_sent_back() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    let url = format!(
        "/end_session?id_token_hint={}&post_logout_redirect_uri=https://web.example/bye&state=see%20you",
        tokens.id
    );
    let left = visitor.open(&url).await.left();
    assert_eq!(left.as_str(), "https://web.example/bye?state=see+you");
    assert!(!visitor.cookies.contains_key("__Host-gait-session"));
    assert_eq!(app.silently(&mut visitor).await.error(), "login_required");
}

#[tokio::test]
async fn without_a_hint_nothing_happens_before_the_person_says_so() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    app.sign_in(&mut visitor, ALICE).await;
    let url = "/end_session?client_id=web&post_logout_redirect_uri=https://web.example/bye&state=s";
    let page = visitor.open(url).await.page();
    assert!(
        app.silently(&mut visitor).await.params.contains_key("code"),
        "GET alone signs nobody out"
    );

    let mut forged = page.form().hidden.clone();
    forged.retain(|(name, _)| name != "csrf");
    let fields: Vec<_> = forged.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    visitor.post("/end_session/confirm", &fields).await;
    assert!(
        app.silently(&mut visitor).await.params.contains_key("code"),
        "nor does a form without its token"
    );
    visitor.headers.push(("origin", "https://evil.example".to_owned()));
    assert_eq!(visitor.submit_once(&page, &[]).await.status, 403);
    visitor.headers.clear();
    assert!(
        app.silently(&mut visitor).await.params.contains_key("code"),
        "nor another site"
    );

    assert_eq!(
        visitor.submit(&page, &[]).await.left().as_str(),
        "https://web.example/bye?state=s"
    );
    assert_eq!(app.silently(&mut visitor).await.error(), "login_required");
}

#[tokio::test]
async fn a_hint_of_another_session_signs_nobody_out_unasked() {
    let provider = Provider::start().await;
    let app = App::web(&provider);
    let (mut here, mut elsewhere) = (provider.visitor(), provider.visitor());
    app.sign_in(&mut here, ALICE).await;
    let theirs = app.sign_in(&mut elsewhere, crate::harness::BOB).await;
    for hint in [theirs.id.as_str(), &format!("{}x", theirs.id), "nonsense"] {
        here.open(&format!("/end_session?id_token_hint={hint}")).await.page();
        assert!(app.silently(&mut here).await.params.contains_key("code"), "{hint}");
    }
}

#[tokio::test]
async fn an_unregistered_target_is_an_error_page_and_signs_nobody_out() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    let url = format!(
        "/end_session?id_token_hint={}&post_logout_redirect_uri=https://evil.example/",
        tokens.id
    );
    let page = visitor.get(&url).await;
    assert_eq!((page.status, page.location()), (400, None));
    assert!(app.silently(&mut visitor).await.params.contains_key("code"));
}

#[tokio::test]
async fn every_client_of_the_session_is_told_by_a_signed_logout_token() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let web = App::web(&provider).sign_in(&mut visitor, ALICE).await;
    visitor.agrees = true;
    App::watched(&provider).sign_in(&mut visitor, ALICE).await;
    // The first try fails: it is tried again.
    provider.receiver.fail_next(1);
    visitor.open(&format!("/end_session?id_token_hint={}", web.id)).await.page();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    provider.clock.advance(60);
    let keys = provider.keys().await;
    for client in ["web", "watched"] {
        let token = provider.receiver.wait(client, "logout", 1).await.remove(0);
        let expected = Expected {
            issuer: &provider.issuer,
            audience: client,
            keys: &keys,
            now: provider.clock.now(),
        };
        let (_, subject) = verify_logout_token(&token, &expected).unwrap();
        assert_eq!(subject.sid, Some(web.sid()));
        let claims = crate::harness::claims(&token);
        assert_eq!(
            claims["events"],
            json!({"http://schemas.openid.net/event/backchannel-logout": {}})
        );
        assert_eq!(claims["nonce"], Value::Null);
        assert_eq!(
            jsonwebtoken::decode_header(&token).unwrap().typ.as_deref(),
            Some("logout+jwt")
        );
    }
}
