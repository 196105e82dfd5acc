//! Redis goes away while people and programs are at it, and comes back.

use crate::harness::app::{Answer, Proof, read};
use crate::harness::collector::watch_token;
use crate::harness::{ALICE, App, BOB, Callback, Collector, Keys, Page, Provider};
use gait::dev::rhythm::Rhythm;
use gait_backends::Redis as Server;
use serde_json::json;
use std::time::Duration;

/// A provider and the Redis that is its own.
async fn given() -> (Provider, Server, Keys) {
    let server = Server::start().unwrap();
    let keys = Keys::at(&server.url());
    let provider = Provider::with(&keys.section()).await;
    (provider, server, keys)
}

/// Waits until a node has all that it needs, or lacks something.
async fn until_missing(provider: &Provider, missing: bool) {
    for _ in 0..300 {
        let ready = provider.get_json("/readyz").await;
        assert_eq!(ready["ready"], true, "it does what it can: {ready}");
        let checks = ready["checks"].as_array().expect("checks");
        let ephemeral = checks.iter().find(|check| check["name"] == "ephemeral").expect("a check");
        if ephemeral["ready"] == !missing {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the node doesn't notice");
}

fn assert_page_away(page: &Page) {
    assert_eq!(page.status, 503, "{}", page.text());
    assert_eq!(page.header("retry-after"), Some("2"));
    assert!(page.header("set-cookie").is_none_or(|cookie| !cookie.contains("session")));
    assert!(page.body.contains("<html"), "in the theme's words: {}", page.body);
}

fn assert_away(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.error()),
        (503, "temporarily_unavailable"),
        "{}",
        answer.text
    );
    assert_eq!(answer.header("retry-after"), "2");
}

async fn machine(app: &App) -> Answer {
    app.post("/token", &[("grant_type", "client_credentials")]).await
}

#[tokio::test]
async fn what_can_be_answered_is_and_what_cannot_is_told_to_come_back() {
    let (provider, mut server, _) = given().await;
    let (app, watched, api) = (App::web(&provider), App::watched(&provider), App::api(&provider));
    let tokens = app.sign_in(&mut provider.visitor(), ALICE).await;
    let seen = watched.sign_in(&mut watching(&provider), ALICE).await;
    let mut collector = Collector::start(&provider, &seen).await;
    let mut half_way = provider.visitor();
    let request = app.request();
    let page = half_way.ask(&request).await.page();
    let second = half_way
        .submit(&page, &[("identifier", "bob"), ("password", BOB.password)])
        .await
        .page();
    let mailed = half_way.mailed_code(&second, BOB).await;
    let unspent = Callback::of(provider.visitor().sign_in(&request, ALICE).await);

    server.kill().unwrap();
    until_missing(&provider, true).await;

    for path in ["/.well-known/openid-configuration", "/jwks.json", "/healthz"] {
        assert_eq!(
            provider.http.get(provider.url(path)).send().await.unwrap().status(),
            200,
            "{path}"
        );
    }
    assert!(api.is_active(&tokens.access).await);
    assert_eq!(app.userinfo(&tokens.access).await.status, 200);
    let newer = app.refresh(&tokens.refresh).await.tokens();
    assert_eq!(app.post("/revoke", &[("token", &newer.access)]).await.status, 200);
    assert!(!api.is_active(&newer.access).await);
    let service = App::basic(&provider, "service", "service-secret-that-is-long-enough-for-it", "");
    assert_eq!(machine(&service).await.status, 200);

    assert_page_away(&provider.visitor().get(&request.url()).await);
    assert_page_away(&half_way.submit_once(&second, &[("code", &mailed)]).await);
    let start = provider.visitor().open("/recovery").await.page();
    assert_page_away(&provider.visitor().submit_once(&start, &[("identifier", "alice")]).await);
    assert_away(&app.redeem(unspent.code(), &request).await);
    assert_away(&App::pkjwt(&provider).refresh("whatever it is").await);
    assert_away(&watch_token(&provider, &seen.access, "https://work.example").await);
    assert_away(&collector.play(&Rhythm::named("alice").unwrap()).await);

    server.start_again().unwrap();
    until_missing(&provider, false).await;

    app.redeem(unspent.code(), &request).await.tokens();
    assert_eq!(app.redeem(unspent.code(), &request).await.error(), "invalid_grant", "once");
    let end = half_way.submit(&second, &[("code", &mailed)]).await;
    let callback = Callback::of(half_way.walk(end, BOB).await.left());
    app.redeem(callback.code(), &request).await.tokens();
    assert_eq!(collector.play(&Rhythm::named("alice").unwrap()).await.status, 200);
    app.sign_in(&mut provider.visitor(), ALICE).await;
}

fn watching(provider: &Provider) -> crate::harness::Visitor {
    let mut visitor = provider.visitor();
    visitor.agrees = true;
    visitor
}

/// An assertion of the client `pkjwt`, presented as it stands.
async fn present(provider: &Provider, assertion: &str) -> Answer {
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "none"),
        ("client_assertion_type", kind),
        ("client_assertion", assertion),
    ];
    let request = provider.http.post(provider.url("/token")).form(&form);
    read(request.send().await.unwrap()).await
}

#[tokio::test]
async fn an_assertion_is_used_once_whatever_becomes_of_redis() {
    let (mut provider, mut server, _) = given().await;
    let app = App::new(&provider, "pkjwt", Proof::Key, "https://pkjwt.example/cb");
    let make = |provider: &Provider| app.assertion(provider.clock.now(), json!({}));
    let good = |answer: Answer| answer.error() == "invalid_grant"; // the client is proven, its token is none

    let (used, unused, before) = (make(&provider), make(&provider), make(&provider));
    assert!(good(present(&provider, &used).await));
    provider.restart().await;
    assert!(!good(present(&provider, &used).await), "the cache outlives the node");
    assert!(
        good(present(&provider, &unused).await),
        "and so an older assertion is good that wasn't used"
    );

    server.stop().unwrap();
    server.start_again().unwrap();
    until_missing(&provider, false).await;
    assert!(!good(present(&provider, &used).await), "and its own restart");

    server.say(&["FLUSHALL"]).unwrap();
    for assertion in [&used, &before, &used, &before] {
        assert!(
            !good(present(&provider, assertion).await),
            "what it has forgotten may have been used"
        );
    }
    provider.clock.advance(2);
    let fresh = make(&provider);
    assert!(good(present(&provider, &fresh).await));
    assert!(!good(present(&provider, &fresh).await));
}

/// What was begun on one node goes on with another: nothing is in a node's memory.
#[tokio::test]
async fn a_restarted_node_goes_on_where_it_was() {
    let keys = Keys::new();
    let mut provider = Provider::with(&keys.section()).await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let request = app.request();
    let page = visitor.ask(&request).await.page();
    let unspent = Callback::of(provider.visitor().sign_in(&request, ALICE).await);
    provider.restart().await;
    let end = visitor
        .submit(&page, &[("identifier", "alice"), ("password", ALICE.password)])
        .await;
    let callback = Callback::of(visitor.walk(end, ALICE).await.left());
    app.redeem(callback.code(), &request).await.tokens();
    app.redeem(unspent.code(), &request).await.tokens();
    assert!(!keys.all().await.is_empty());
}
