//! The account page: what the owner sees and ends, and what wants a proof of now.

use crate::harness::{ALICE, App, Landed, Page, Provider, Visitor};
use serde_json::Value;

fn is_sign_in(landed: Landed) -> bool {
    let page = landed.page();
    page.form().has("password") || page.form().has("code")
}

/// Sends one of the page's forms as it is.
async fn press(visitor: &mut Visitor, page: &Page, change: &str, name: &str) -> Page {
    let form = page
        .form_with("change", change)
        .unwrap_or_else(|| panic!("no {change}: {}", page.text()));
    assert!(form.hidden(name).is_some() || name.is_empty());
    let fields: Vec<_> = form
        .hidden
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    visitor.post("/account", &fields).await
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_asked_to() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    assert!(is_sign_in(visitor.open("/account").await));
    assert_eq!(visitor.get("/mode").await.status, 401);
    let page = visitor.sign_in_to_account(ALICE).await;
    assert_eq!(page.url.path(), "/account");
    assert!(page.body.contains("Alice Adler"));
}

#[tokio::test]
async fn a_session_that_is_ended_takes_its_tokens_along() {
    let provider = Provider::start().await;
    let app = App::web(&provider);
    let (mut here, mut there, mut third) = (provider.visitor(), provider.visitor(), provider.visitor());
    let mine = app.sign_in(&mut here, ALICE).await;
    let other = app.sign_in(&mut there, ALICE).await;
    let page = here.open("/account").await.page();
    let answer = press(&mut here, &page, "end_session", "session").await;
    assert_eq!(
        (answer.status, answer.location()),
        (303, Some("/account?notice=session-ended"))
    );
    assert!(!app.is_active(&other.access).await);
    assert_eq!(
        app.refresh(&other.refresh).await.error(),
        "invalid_grant",
        "its owner ended it"
    );
    assert_eq!(app.silently(&mut there).await.error(), "login_required");
    assert!(app.is_active(&mine.access).await);

    let again = app.sign_in(&mut there, ALICE).await;
    let more = app.sign_in(&mut third, ALICE).await;
    here.change(&[("change", "end_others")]).await;
    assert!(!app.is_active(&again.access).await && !app.is_active(&more.access).await);
    assert!(app.is_active(&mine.access).await);
    // Back-channel logout for each of the three.
    provider.receiver.wait("web", "logout", 3).await;
}

#[tokio::test]
async fn a_session_of_somebody_else_can_not_be_named() {
    let provider = Provider::start().await;
    let app = App::web(&provider);
    let (mut alice, mut bob) = (provider.visitor(), provider.visitor());
    app.sign_in(&mut alice, ALICE).await;
    let theirs = app.sign_in(&mut bob, crate::harness::BOB).await;
    let answer = alice.change(&[("change", "end_session"), ("session", &theirs.sid())]).await;
    assert_eq!(answer.status, 404);
    assert!(app.is_active(&theirs.access).await);
}

#[tokio::test]
async fn a_disconnected_app_loses_its_tokens_and_must_ask_again() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::posting(&provider), provider.visitor());
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    let page = visitor.open("/account").await.page();
    assert!(page.body.contains("Paper Trail"));
    assert_eq!(press(&mut visitor, &page, "disconnect", "client").await.status, 303);
    assert!(!app.is_active(&tokens.access).await);
    assert_eq!(app.refresh(&tokens.refresh).await.error(), "invalid_grant");
    assert_eq!(app.silently(&mut visitor).await.error(), "consent_required");
}

#[tokio::test]
async fn every_change_needs_the_page_s_token_and_our_own_origin() {
    let provider = Provider::start().await;
    let app = App::web(&provider);
    let (mut here, mut there) = (provider.visitor(), provider.visitor());
    app.sign_in(&mut here, ALICE).await;
    let other = app.sign_in(&mut there, ALICE).await;
    let stranger = {
        let page = there.open("/account").await.page();
        page.form().hidden("csrf").unwrap().to_owned()
    };
    let changes: [&[(&str, &str)]; 4] = [
        &[("change", "end_others")],
        &[("change", "withdraw_consent")],
        &[("change", "erase")],
        &[("change", "mode"), ("mode", "train")],
    ];
    for change in changes {
        for csrf in ["", "nonsense", &stranger] {
            let fields = [change, &[("csrf", csrf)]].concat();
            assert_eq!(here.post("/account", &fields).await.status, 400, "{change:?} {csrf:?}");
        }
        assert_eq!(here.post("/account", change).await.status, 400, "{change:?}");
        here.headers.push(("origin", "https://evil.example".to_owned()));
        assert_eq!(here.change(change).await.status, 403, "{change:?}");
        here.headers.clear();
    }
    assert_eq!(here.post("/account/export", &[("csrf", "x")]).await.status, 400);
    assert_eq!(here.post("/mode", &[("mode", "train"), ("csrf", "x")]).await.status, 403);
    assert!(app.is_active(&other.access).await);
}

#[tokio::test]
async fn what_weakens_protection_wants_a_proof_of_now() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    for _ in 0..2 {
        visitor.cookies.remove("__Host-gait-session");
        App::web(&provider).sign_in(&mut visitor, ALICE).await;
    }
    let link = provider.mailed_link(ALICE.email, "/approve/").await;
    let page = visitor.get(&link).await;
    visitor.submit_once(&page, &[("answer", "yes")]).await;
    let page = visitor.open("/account").await.page();
    assert!(page.form_with("change", "forget").is_some(), "the trusted address is listed");

    provider.clock.advance(301);
    let page = visitor.open("/account").await.page();
    for change in ["forget", "withdraw_consent", "erase"] {
        let Some(_) = page.form_with("change", change) else { continue };
        let answer = press(&mut visitor, &page, change, "").await;
        assert!(is_sign_in(visitor.follow(answer).await), "{change}");
    }
    let export = visitor.change_at("/account/export", &[]).await;
    assert!(is_sign_in(visitor.follow(export).await));

    let asked = visitor.change(&[("change", "enrol"), ("plugin", "password")]).await;
    let at = visitor.follow(asked).await;
    let Landed::Page(page) = at else { panic!("left") };
    assert!(
        page.form().has("password") || page.form().has("code"),
        "a new password wants a proof first"
    );
}

#[tokio::test]
async fn everything_that_is_held_can_be_taken_away_as_json() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    App::web(&provider).sign_in(&mut visitor, ALICE).await;
    let export = visitor.change_at("/account/export", &[]).await;
    assert_eq!(export.status, 200);
    assert!(export.header("content-disposition").unwrap().starts_with("attachment"));
    let everything: Value = export.json();
    assert!(everything.to_string().contains("alice@example.test"));
    assert!(!everything.to_string().contains("$argon2"), "no hash of a secret");
}

#[tokio::test]
async fn a_password_is_changed_after_a_proof_and_the_owner_is_told() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    App::web(&provider).sign_in(&mut visitor, ALICE).await;
    let answer = visitor.change(&[("change", "enrol"), ("plugin", "password")]).await;
    let at = visitor.follow(answer).await;
    let page = match at {
        Landed::Page(page) if page.form().has("new_password") => page,
        at => visitor.walk(at, ALICE).await.page(),
    };
    assert!(page.form().has("new_password"), "{}", page.text());
    let weak = visitor.submit(&page, &[("new_password", "password")]).await.page();
    assert!(weak.form().has("new_password"));
    let done = visitor
        .submit(&weak, &[("new_password", "a much better password")])
        .await
        .page();
    assert_eq!(done.url.path(), "/account");
    provider
        .mail(ALICE.email, |mail| mail.subject.starts_with("A way to sign in was changed"))
        .await;

    let mut elsewhere = provider.visitor();
    let page = elsewhere.ask(&App::web(&provider).request()).await.page();
    let page = elsewhere
        .submit(&page, &[("identifier", "alice"), ("password", ALICE.password)])
        .await
        .page();
    assert!(page.form().has("identifier"));
}
