//! Who asks too often, or for too much at once, is told to come back later, and nobody else is.

use crate::harness::app::{Answer, read};
use crate::harness::collector::{ORIGIN, rhythm};
use crate::harness::{ALICE, App, Collector, Keys, Provider};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn is_held_up(answer: &Answer) -> bool {
    let held_up = answer.status == 429;
    if held_up {
        let seconds: u32 = answer.header("retry-after").parse().expect("seconds");
        assert!(
            (1..=60).contains(&seconds) && answer.error() == "too_many_requests",
            "{}",
            answer.text
        );
    }
    held_up
}

/// As a program behind a proxy that names this address.
async fn userinfo_from(provider: &Provider, address: &str, token: &str) -> Answer {
    let request = provider.http.get(provider.url("/userinfo")).bearer_auth(token);
    read(request.header("x-forwarded-for", address).send().await.unwrap()).await
}

#[tokio::test]
async fn whoever_is_refused_too_often_is_not_asked_any_more() {
    let provider = Provider::with("[limits]\nrefused_per_address = 10").await;
    let tokens = App::web(&provider).sign_in(&mut provider.visitor(), ALICE).await;
    for _ in 0..10 {
        assert_eq!(userinfo_from(&provider, "2001:db8::1", "guess").await.status, 401);
    }
    assert!(
        is_held_up(&userinfo_from(&provider, "2001:db8::ffff", &tokens.access).await),
        "its whole network"
    );
    assert_eq!(userinfo_from(&provider, "2001:db8:0:1::1", &tokens.access).await.status, 200);
    let public = provider
        .http
        .get(provider.url("/jwks.json"))
        .header("x-forwarded-for", "2001:db8::1");
    assert_eq!(
        public.send().await.unwrap().status(),
        200,
        "what costs nothing is for everybody"
    );
    provider.clock.advance(61);
    assert_eq!(userinfo_from(&provider, "2001:db8::1", &tokens.access).await.status, 200);
}

#[tokio::test]
async fn a_client_and_an_account_can_be_held_to_a_rate() {
    let provider = Provider::with("[limits]\ncalls_per_client = 6\ncalls_per_account = 4").await;
    let (app, api) = (App::web(&provider), App::api(&provider));
    let tokens = app.sign_in(&mut provider.visitor(), ALICE).await;
    for _ in 0..6 {
        assert!(api.is_active(&tokens.access).await);
    }
    assert!(is_held_up(&api.post("/introspect", &[("token", &tokens.access)]).await));
    assert_eq!(app.refresh(&tokens.refresh).await.status, 200, "another client");
    for _ in 0..2 {
        assert_eq!(app.userinfo(&tokens.access).await.status, 200);
    }
    assert!(
        is_held_up(&app.userinfo(&tokens.access).await),
        "after the code and the refresh"
    );
}

#[tokio::test]
async fn a_watched_session_can_send_so_many_batches_wherever_it_sends_them() {
    let config = format!("{}[limits]\nsamples_per_session = 3", Keys::new().section());
    let provider = Provider::on_postgres(&config).await;
    let other = provider.another_node().await;
    let mut visitor = provider.visitor();
    visitor.agrees = true;
    let tokens = App::watched(&provider).sign_in(&mut visitor, ALICE).await;
    let mut collector = Collector::start(&provider, &tokens).await;
    let rhythm = rhythm("alice");
    for _ in 0..3 {
        let batch = collector.batch(&rhythm).to_string();
        assert_eq!(collector.post(batch, ORIGIN).await.status, 200);
    }
    let batch = collector.batch(&rhythm).to_string();
    assert!(is_held_up(&collector.post(batch.clone(), ORIGIN).await));
    let there = collector.on(&other.url);
    for _ in 0..100 {
        if is_held_up(&there.post(batch.clone(), ORIGIN).await) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the other node never learns");
}

#[tokio::test]
async fn recoveries_are_held_up_with_a_page() {
    let provider = Provider::with("[limits]\nrecoveries_per_address = 2").await;
    let mut visitor = provider.visitor();
    let page = visitor.open("/recovery").await.page();
    for _ in 0..2 {
        assert_eq!(visitor.submit_once(&page, &[("identifier", "nobody")]).await.status, 303);
    }
    let held_up = visitor.submit_once(&page, &[("identifier", "nobody")]).await;
    assert_eq!((held_up.status, held_up.header("retry-after")), (429, Some("900")));
    assert!(held_up.body.contains("<html"), "{}", held_up.body);
}

/// Two nodes on one Redis: a guesser who goes to the other doesn't begin anew.
#[tokio::test]
async fn what_one_node_has_counted_the_other_learns() {
    let keys = Keys::new();
    let redis = keys.section();
    let config = format!("{redis}[limits]\nfailures_per_client = 5");
    let (one, other) = (Provider::with(&config).await, Provider::with(&config).await);
    let guess = |provider: &Provider| App::basic(provider, "service", "guess", "");
    let ask = async |app: &App| app.post("/token", &[("grant_type", "client_credentials")]).await;
    for _ in 0..5 {
        assert_eq!(ask(&guess(&one)).await.status, 401);
    }
    assert!(is_held_up(&ask(&guess(&one)).await));
    counted(&keys, 5).await;
    assert_eq!(ask(&guess(&other)).await.status, 401, "not asked for yet");
    counted(&keys, 6).await;
    let right = App::basic(&other, "service", "service-secret-that-is-long-enough-for-it", "");
    for _ in 0..100 {
        if is_held_up(&ask(&right).await) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the other node never learns");
}

/// Waits until the nodes have told each other of so many failures.
async fn counted(keys: &Keys, failures: u64) {
    for _ in 0..200 {
        if keys.sum_of("rate:client-auth:").await >= failures {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing is told");
}

#[tokio::test]
async fn json_is_only_so_deep() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    visitor.agrees = true;
    let tokens = App::watched(&provider).sign_in(&mut visitor, ALICE).await;
    let collector = Collector::start(&provider, &tokens).await;
    let deep = format!("{{\"events\":{}{}}}", "[".repeat(7000), "]".repeat(7000));
    assert_eq!(collector.post(deep.clone(), ORIGIN).await.status, 400);
    let request = provider
        .http
        .post(provider.url("/continuous/token"))
        .bearer_auth(&tokens.access);
    assert_eq!(request.body(deep).send().await.unwrap().status(), 400);
}

/// One address sends so many passwords at once that all cores would hash for seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_flood_of_passwords_keeps_nobody_else_out() {
    let costly = "[plugins.password]\nm_cost_kib = 19456\nt_cost = 2\n[limits]\nattempts_per_address = 1000000";
    let provider = Arc::new(Provider::with(costly).await);
    let (app, api) = (App::web(&provider), App::api(&provider));
    let tokens = app.sign_in(&mut provider.visitor(), ALICE).await;
    let request = app.request();
    let cores = std::thread::available_parallelism().unwrap().get();
    let stranger = provider.visitor().behind("198.51.100.9");
    let mut ready = Vec::new();
    for number in 0..32 * cores + 16 {
        let mut visitor = stranger.clone();
        let page = visitor.ask(&request).await.page();
        ready.push((visitor, page, format!("nobody-{number}")));
    }
    let answered = Arc::new(AtomicUsize::new(0));
    let flood: Vec<_> = ready
        .into_iter()
        .map(|(mut visitor, page, name)| {
            let answered = answered.clone();
            tokio::spawn(async move {
                let fields = [("identifier", name.as_str()), ("password", "a guess")];
                let answer = visitor.submit_once(&page, &fields).await;
                answered.fetch_add(1, Ordering::SeqCst);
                answer
            })
        })
        .collect();
    while answered.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    assert!(api.is_active(&tokens.access).await);
    assert_eq!(app.userinfo(&tokens.access).await.status, 200);
    provider.visitor().ask(&request).await.page();
    assert!(
        answered.load(Ordering::SeqCst) < flood.len(),
        "all that was answered beside the flood"
    );
    let mut owner = provider.visitor();
    app.sign_in(&mut owner, ALICE).await;

    let mut sent_away = 0;
    for answer in flood {
        let answer = answer.await.unwrap();
        match answer.status {
            303 => {}
            503 => {
                assert_eq!(answer.header("retry-after"), Some("2"));
                sent_away += 1;
            }
            status => panic!("{status}: {}", answer.text()),
        }
    }
    assert!(sent_away > 0, "the queue is bounded");
}
