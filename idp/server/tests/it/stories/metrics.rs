//! What an operator sees on `/metrics`: each thing that happens moves what tells of it, and nothing tells of whom.

use crate::harness::collector::{enrolled, rhythm};
use crate::harness::{ALICE, App, Callback, Landed, Provider, Scraper};

async fn scraped(extra: &str) -> (Provider, Scraper) {
    let (scraper, listen) = Scraper::free();
    (Provider::with(&format!("{extra}\n{listen}")).await, scraper)
}

const REQUESTS: &str = "gait_http_request_seconds_count";

#[tokio::test]
async fn requests_are_counted_by_route_method_and_class_and_strangers_make_no_new_series() {
    let (provider, scraper) = scraped("").await;
    let app = App::web(&provider);
    provider.get_json("/.well-known/openid-configuration").await;
    provider.get_json("/jwks.json").await;
    provider.get_json("/jwks.json").await;
    assert_eq!(app.refresh("nonsense").await.status, 400);
    let ask = |path: String| provider.http.get(provider.url(&path)).send();
    assert_eq!(
        ask("/metrics".to_owned()).await.unwrap().status(),
        404,
        "not on the public port"
    );

    let before = scraper.scrape().await;
    let jwks = [("route", "/jwks.json"), ("method", "GET"), ("status", "2xx")];
    assert!((before.value(REQUESTS, &jwks) - 2.0).abs() < 0.1, "{}", before.text);
    let refused = [("route", "/token"), ("method", "POST"), ("status", "4xx")];
    assert!((before.value(REQUESTS, &refused) - 1.0).abs() < 0.1);
    assert!(before.value("gait_http_request_seconds_sum", &jwks) > 0.0);

    for n in 0..50 {
        let _answer = ask(format!("/no/such/page-{n}")).await.unwrap();
        let method = reqwest::Method::from_bytes(format!("STRANGE{n}").as_bytes()).unwrap();
        let _answer = provider.http.request(method, provider.url("/token")).send().await.unwrap();
        let _answer = ask(format!("/flow/{n}")).await.unwrap();
    }
    let after = scraper.scrape().await;
    assert!(after.value(REQUESTS, &[("route", "unmatched")]) >= 50.0);
    assert!(after.value(REQUESTS, &[("route", "/flow/{id}")]) >= 50.0);
    let kinds = (after.series() - before.series()) / 16;
    assert!(kinds <= 8, "{kinds} new kinds of requests: {}", after.text);
}

#[tokio::test]
async fn the_process_tells_of_itself() {
    let (_provider, scraper) = scraped("").await;
    let seen = scraper.scrape().await;
    assert_eq!(
        seen.get("gait_build_info", &[("version", env!("CARGO_PKG_VERSION"))]),
        Some(1.0)
    );
    assert!(seen.value("process_cpu_seconds_total", &[]) > 0.0);
    assert!(seen.value("process_resident_memory_bytes", &[]) > 1e6);
    assert!(seen.value("process_open_fds", &[]) > 3.0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let started = seen.value("process_start_time_seconds", &[]);
    let age = now.as_secs_f64() - started;
    assert!((-2.0..7200.0).contains(&age), "started {age} s ago");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_of_a_sign_in_mails_and_the_wait_for_a_slot_are_counted() {
    let (provider, scraper) = scraped("").await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let page = visitor.ask(&app.request()).await.page();
    let wrong = [("identifier", "alice"), ("password", "wrong")];
    let page = visitor.submit(&page, &wrong).await.page();
    let landed = visitor.walk(Landed::Page(page), ALICE).await;
    assert!(!Callback::of(landed.left()).code().is_empty());

    let seen = scraper
        .wait(|seen| seen.value("gait_mails_total", &[("outcome", "sent")]) >= 1.0)
        .await;
    let step = |factor, outcome| seen.value("gait_flow_step_seconds_count", &[("factor", factor), ("outcome", outcome)]);
    assert_eq!(
        (step("password", "wrong"), step("password", "passed")),
        (1.0, 1.0),
        "{}",
        seen.text
    );
    assert_eq!((step("email-otp", "passed"), step("ip-trust", "abstained")), (1.0, 1.0));
    assert!(seen.value("gait_plugin_wait_seconds_count", &[]) >= 2.0);
    assert_eq!(seen.get("gait_plugin_waiting", &[]), Some(0.0));
    scraper.wait(|seen| seen.get("gait_mails_waiting", &[]) == Some(0.0)).await;
    scraper
        .wait(|seen| seen.value("gait_job_runs_total", &[("job", "outbox"), ("outcome", "done")]) >= 1.0)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decisions_step_ups_and_revocations_are_measured_and_nobody_is_named() {
    let (mut provider, scraper) = scraped("").await;
    let app = App::watched(&provider);
    let mut visitor = provider.visitor();
    let (tokens, mut collector) = enrolled(&provider, &mut visitor, ALICE).await;
    let decisions = |decision: &'static str, mode: &'static str| [("decision", decision), ("mode", mode)];
    let seen = scraper.scrape().await;
    assert!(seen.value("gait_watch_decisions_total", &decisions("keep", "train")) >= 160.0);

    collector.play_until(&rhythm("attacker"), "step_up", 30).await;
    provider.clock.advance(2);
    let page = visitor.ask(&app.request()).await.page();
    let callback = Callback::of(visitor.walk(Landed::Page(page), ALICE).await.left());
    assert!(!callback.code().is_empty());
    collector.play_until(&rhythm("attacker"), "ended", 60).await;
    let seen = scraper
        .wait(|seen| seen.value("gait_delivery_seconds_count", &[("about", "revocation")]) >= 2.0)
        .await;
    for decision in ["step_up", "revoke"] {
        assert!(
            seen.value("gait_watch_decisions_total", &decisions(decision, "enforce")) >= 1.0,
            "{decision}"
        );
    }
    let turn = |outcome| seen.value("gait_step_ups_total", &[("outcome", outcome)]);
    assert_eq!(turn("passed"), 1.0);
    assert!(turn("demanded") >= 1.0);
    let died = [("cause", "anomaly")];
    assert_eq!(seen.value("gait_revocation_seconds_count", &died), 1.0);
    assert!(seen.value("gait_revocation_seconds_sum", &died) > 0.0);
    let told = [("channel", "callback"), ("outcome", "accepted")];
    assert!(seen.value("gait_delivery_attempts_total", &told) >= 2.0);

    // Somebody else's app gives its token back.
    let web = App::web(&provider).sign_in(&mut visitor, ALICE).await;
    let form = [("token", web.refresh.as_str())];
    assert_eq!(App::web(&provider).post("/revoke", &form).await.status, 200);
    let seen = scraper.scrape().await;
    assert_eq!(seen.value("gait_revocation_seconds_count", &[("cause", "client")]), 1.0);

    let account = provider.account(ALICE).await.id.to_string();
    let session = tokens.sid();
    for (label, value) in seen.labels() {
        for name in ["alice", "watched", "web", "203.0.113.1", &account, &session] {
            assert!(!value.contains(name), "{label}={value}");
        }
    }

    // A node that starts asks how old the models are.
    provider.restart().await;
    let seen = scraper
        .wait(|seen| seen.get("gait_models", &[("younger_than", "ever")]).is_some())
        .await;
    assert_eq!(seen.value("gait_models", &[("younger_than", "ever")]), 1.0);
    assert_eq!(
        seen.value("gait_models", &[("younger_than", "1d"), ("scorer", "behavior")]),
        1.0
    );
    assert_eq!(seen.get("gait_backend_up", &[("backend", "database")]), Some(1.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_in_the_outbox_and_what_was_given_up_is_seen() {
    let dead = r#"
        [[client]]
        id = "deaf"
        secret = "deaf-secret-that-is-long-enough-for-this"
        redirect_uris = ["https://deaf.example/cb"]
        backchannel_logout_uri = "RECEIVER/deaf/nonsense"
        trusted = true
    "#;
    let (provider, scraper) = scraped(dead).await;
    let mut visitor = provider.visitor();
    let tokens = App::web(&provider).sign_in(&mut visitor, ALICE).await;
    let deaf = App::basic(
        &provider,
        "deaf",
        "deaf-secret-that-is-long-enough-for-this",
        "https://deaf.example/cb",
    );
    deaf.sign_in(&mut visitor, ALICE).await;
    // Both receivers are down at first; then one takes its token, and the other refuses it for ever.
    provider.receiver.fail_next(1000);
    visitor
        .open(&format!("/end_session?id_token_hint={}", tokens.id))
        .await
        .page();
    let attempts = |outcome: &'static str| [("channel", "backchannel_logout"), ("outcome", outcome)];
    let seen = scraper
        .wait(|seen| seen.get("gait_outbox_deliveries", &[]) == Some(2.0))
        .await;
    let failed = seen.value("gait_delivery_attempts_total", &attempts("failed"));
    assert!(failed >= 2.0, "{}", seen.text);
    provider.receiver.fail_next(0);
    provider.clock.advance(60);
    let seen = scraper.wait(|seen| seen.value("gait_outbox_dead_letters", &[]) >= 1.0).await;
    assert!(seen.value("gait_delivery_attempts_total", &attempts("given_up")) >= 1.0);
    assert_eq!(seen.get("gait_outbox_events", &[]), Some(0.0));
    provider.receiver.wait("web", "logout", 1).await;
    let seen = scraper
        .wait(|seen| seen.get("gait_outbox_deliveries", &[]) == Some(0.0))
        .await;
    assert_eq!(seen.get("gait_outbox_lag_seconds", &[]), Some(0.0), "nothing waits");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_as_old_as_its_event() {
    let (provider, scraper) = scraped("").await;
    let mut visitor = provider.visitor();
    let tokens = App::web(&provider).sign_in(&mut visitor, ALICE).await;
    provider.receiver.fail_next(1000);
    visitor
        .open(&format!("/end_session?id_token_hint={}", tokens.id))
        .await
        .page();
    scraper.wait(|seen| seen.value("gait_outbox_deliveries", &[]) >= 1.0).await;
    provider.clock.advance(120);
    let seen = scraper.wait(|seen| seen.value("gait_outbox_lag_seconds", &[]) >= 120.0).await;
    assert!(seen.value("gait_outbox_lag_seconds", &[]) < 400.0);
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error_at_the_start() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let error = gait::metrics::Listener::open(taken.local_addr().unwrap())
        .await
        .err()
        .unwrap();
    assert!(format!("{error:#}").contains("[metrics]"), "{error:#}");
}
