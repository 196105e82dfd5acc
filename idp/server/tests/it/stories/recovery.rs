//! A forgotten password: a new one by mail, for the owner of the address, and nothing besides.

use crate::harness::{ALICE, App, Page, Person, Provider};

const NEW: Person = Person {
    password: "a new and longer password",
    ..ALICE
};

async fn forgot(provider: &Provider, identifier: &str) -> Page {
    let mut visitor = provider.visitor();
    let page = visitor.get("/recovery").await;
    visitor.submit(&page, &[("identifier", identifier)]).await.page()
}

#[tokio::test]
async fn the_page_is_the_same_for_whoever_is_unknown() {
    let provider = Provider::start().await;
    let known = forgot(&provider, "alice").await;
    let unknown = forgot(&provider, "nobody").await;
    assert_eq!(
        (known.status, known.without_tokens()),
        (unknown.status, unknown.without_tokens())
    );
    provider.mailed_link(ALICE.email, "/recovery/").await;
    assert_eq!(provider.catcher.mails(None).len(), 1);
}

#[tokio::test]
async fn a_new_password_ends_every_session_and_begins_none() {
    let provider = Provider::start().await;
    let app = App::web(&provider);
    let (mut before, mut visitor) = (provider.visitor(), provider.visitor());
    let tokens = app.sign_in(&mut before, ALICE).await;
    forgot(&provider, "alice").await;
    let link = provider.mailed_link(ALICE.email, "/recovery/").await;

    let page = visitor.get(&link).await;
    assert!(app.is_active(&tokens.access).await, "looking changes nothing");
    let whose = r#"value="alice" autocomplete="username""#;
    assert!(page.body.contains(whose), "a password manager knows whose it is");
    for guessed_first in ["short", "localhost-2024"] {
        let again = visitor.submit_once(&page, &[("new_password", guessed_first)]).await;
        assert!(again.form().has("new_password"), "{}", again.text());
    }
    let done = visitor.submit(&page, &[("new_password", NEW.password)]).await.page();
    assert_eq!(done.status, 200);
    assert!(
        !visitor.cookies.contains_key("__Host-gait-session"),
        "nobody is signed in by it"
    );

    assert!(!app.is_active(&tokens.access).await);
    assert_eq!(app.refresh(&tokens.refresh).await.error(), "invalid_grant");
    assert_eq!(app.silently(&mut before).await.error(), "login_required");
    let used = visitor.submit_once(&page, &[("new_password", "yet another password")]).await;
    assert_eq!(used.status, 410, "a link is good for one password");
    assert!(used.body.contains("href=\"/recovery\""), "another one can be asked for");

    let old = visitor.ask(&app.request()).await.page();
    let old = visitor
        .submit(&old, &[("identifier", "alice"), ("password", ALICE.password)])
        .await
        .page();
    assert!(old.form().has("identifier"), "the old password is dead");
    let claims = app.sign_in(&mut visitor, NEW).await.claims();
    assert_eq!(claims["acr"], "urn:gait:acr:2fa", "the code is asked for as ever");
    provider
        .mail(ALICE.email, |mail| mail.subject == "Your password was changed")
        .await;
}

#[tokio::test]
async fn the_link_lives_briefly_and_leads_to_the_configured_issuer() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    visitor.headers.push(("x-forwarded-host", "evil.example".to_owned()));
    visitor.headers.push(("x-forwarded-proto", "https".to_owned()));
    visitor.headers.push(("host", "evil.example".to_owned()));
    let page = visitor.get("/recovery").await;
    visitor.submit_once(&page, &[("identifier", "alice")]).await;
    let link = provider.mailed_link(ALICE.email, "/recovery/").await;
    assert!(link.starts_with(&provider.issuer));
    let mails = provider.catcher.mails(None);
    assert!(
        mails
            .iter()
            .all(|mail| !mail.text.contains("evil.example") && !mail.html.contains("evil.example"))
    );
    provider.clock.advance(3600);
    assert_eq!(provider.visitor().get(&link).await.status, 410);
}

#[tokio::test]
async fn another_site_can_neither_ask_nor_set() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let page = visitor.get("/recovery").await;
    visitor.headers.push(("origin", "https://evil.example".to_owned()));
    assert_eq!(visitor.submit_once(&page, &[("identifier", "alice")]).await.status, 403);
    assert!(provider.catcher.mails(None).is_empty());
}
