//! Two nodes on one database.

use crate::harness::{ALICE, App, Callback, Keys, Provider};
use gait_core::ports::Changed;
use gait_core::token::keys::Rotation;
use std::time::Duration;

/// Waits until it is so.
async fn until<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    for _ in 0..600 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}: in vain");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_one_node_gives_the_other_knows_and_what_one_takes_is_gone_on_the_other_at_once() {
    let one = Provider::on_postgres("").await;
    let other = one.another_node().await;
    let (app, api) = (App::web(&one), App::api(&one));
    let (app_there, api_there) = (app.clone().on(&other.url), api.clone().on(&other.url));
    let mut visitor = one.visitor();
    let first = app.sign_in(&mut visitor, ALICE).await;
    assert!(api_there.is_active(&first.access).await);
    let second = app_there.refresh(&first.refresh).await.tokens();
    assert!(api.is_active(&second.access).await && api_there.is_active(&second.access).await);
    assert_eq!(app.userinfo(&second.access).await.status, 200);

    assert_eq!(app.post("/revoke", &[("token", &second.access)]).await.status, 200);
    assert!(!api_there.is_active(&second.access).await, "at once");
    assert!(api_there.is_active(&first.access).await, "one token, not the family");
    assert_eq!(app_there.post("/revoke", &[("token", &second.refresh)]).await.status, 200);
    assert!(!api.is_active(&first.access).await);
    assert_eq!(app.refresh(&second.refresh).await.error(), "invalid_grant");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_sign_in_goes_on_at_whichever_node_its_requests_come_to() {
    let one = Provider::on_postgres(&Keys::new().section()).await;
    let other = one.another_node().await;
    let (app, api) = (App::web(&one), App::api(&one));
    let (app_there, api_there) = (app.clone().on(&other.url), api.clone().on(&other.url));
    let (mut visitor, request) = (one.visitor(), app.request());
    let page = visitor.ask(&request).await.page();
    visitor.node = Some(other.url.clone());
    let fields = [("identifier", ALICE.username), ("password", ALICE.password)];
    let page = visitor.submit(&page, &fields).await.page();
    visitor.node = None;
    let code = visitor.mailed_code(&page, ALICE).await;
    let callback = Callback::of(visitor.submit(&page, &[("code", &code)]).await.left());
    let first = app_there.redeem(callback.code(), &request).await.tokens();
    let second = app.refresh(&first.refresh).await.tokens();
    assert!(api_there.is_active(&second.access).await);
    visitor.node = Some(other.url.clone());
    assert!(
        !app.silently(&mut visitor).await.code().is_empty(),
        "her session is known there"
    );

    assert_eq!(app.post("/revoke", &[("token", &second.refresh)]).await.status, 200);
    assert!(!api_there.is_active(&second.access).await, "at once");
    assert_eq!(app_there.refresh(&second.refresh).await.error(), "invalid_grant");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_code_that_was_used_on_one_node_is_a_replay_on_the_other() {
    let one = Provider::on_postgres(&Keys::new().section()).await;
    let other = one.another_node().await;
    let (app, request) = (App::web(&one), App::web(&one).request());
    let there = app.clone().on(&other.url);
    let callback = Callback::of(one.visitor().sign_in(&request, ALICE).await);
    let tokens = app.redeem(callback.code(), &request).await.tokens();
    assert_eq!(there.redeem(callback.code(), &request).await.error(), "invalid_grant");
    assert!(!there.is_active(&tokens.access).await && !app.is_active(&tokens.access).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_token_that_was_used_on_one_node_is_not_used_again_on_the_other() {
    let one = Provider::on_postgres("").await;
    let other = one.another_node().await;
    let app = App::web(&one);
    let there = app.clone().on(&other.url);
    let tokens = app.sign_in(&mut one.visitor(), ALICE).await;
    let uses = (0..20).map(|number| {
        let (app, token) = (
            if number % 2 == 0 { app.clone() } else { there.clone() },
            tokens.refresh.clone(),
        );
        tokio::spawn(async move { app.refresh(&token).await.status })
    });
    let uses: Vec<_> = uses.collect();
    let mut good = 0;
    for used in uses {
        good += usize::from(used.await.unwrap() == 200);
    }
    assert_eq!(good, 1);
    assert!(
        !there.is_active(&tokens.access).await,
        "the replay ended the family, everywhere"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn new_keys_are_published_everywhere_at_once_also_after_the_line_broke() {
    let one = Provider::on_postgres("").await;
    let other = one.another_node().await;
    for round in 0..2 {
        one.idp.rotate_keys(Rotation::Announced).await.unwrap();
        until("the other node publishes the new keys", || async {
            other.idp.jwks() == one.idp.jwks()
        })
        .await;
        if round == 0 {
            let url = one.database.as_deref().unwrap();
            let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()";
            crate::harness::postgres::run(url, cut.to_owned()).await;
        }
    }
    other.idp.heed(&Changed::Anything).await.unwrap();
    assert_eq!(other.idp.jwks(), one.idp.jwks());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_node_runs_the_jobs_and_another_goes_on_when_it_leaves_or_dies() {
    let mut one = Provider::on_postgres("").await;
    until("the first node takes the lease", || async { holder(&one).await.is_some() }).await;
    let first = holder(&one).await;
    let other = one.another_node().await;
    // It leaves in order: nobody waits for the end of the term, and the clock stands still.
    one.leave().await;
    until("the other node takes over", || async {
        holder(&one).await.is_some_and(|held| Some(held) != first)
    })
    .await;
    let second = holder(&one).await;
    other.die();
    let _third = one.another_node().await;
    one.clock.advance(13);
    until("the third node takes over from the dead", || async {
        holder(&one).await.is_some_and(|held| Some(held) != second)
    })
    .await;
}

/// Which node holds the lease on the jobs.
async fn holder(one: &Provider) -> Option<String> {
    let url = one.database.as_deref().unwrap();
    let mut db = <sqlx::PgConnection as sqlx::Connection>::connect(url).await.unwrap();
    let held = sqlx::query_scalar("SELECT holder FROM lease WHERE name = 'jobs'");
    held.fetch_optional(&mut db).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_that_leaves_says_so_before_it_closes_its_door() {
    let mut one = Provider::with("shutdown_grace_s = 2").await;
    assert_eq!(one.http.get(one.url("/readyz")).send().await.unwrap().status(), 200);
    one.ask_to_leave();
    let (http, ready) = (one.http.clone(), one.url("/readyz"));
    until("it isn't ready", || async {
        http.get(&ready).send().await.is_ok_and(|answer| answer.status() == 503)
    })
    .await;
    let app = App::basic(
        &one,
        "service",
        "service-secret-that-is-long-enough-for-it",
        "https://unused.example",
    );
    let tokens = app.post("/token", &[("grant_type", "client_credentials")]).await;
    assert_eq!(tokens.status, 200, "who comes meanwhile is still served");
    one.leave().await;
    assert!(one.http.get(one.url("/readyz")).send().await.is_err());
}
