//! What a collector of traces is told: of each request what it was and how it went, and nothing of whom.

use crate::harness::spans::{Spans, attributes};
use crate::harness::{ALICE, App, Callback, Page, Provider, Scraper, unique};
use axum::http::{HeaderValue, Method};
use gait::config::Config;
use gait::metrics::Metrics;
use gait::sink::Line;
use gait::sink::otlp::{Shipper, Span as Told, Traces};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn request_id(page: &Page) -> String {
    page.headers["x-request-id"].to_str().unwrap().to_owned()
}

/// The span of a request.
fn of<'a>(spans: &'a [Span], id: &str) -> Option<&'a Span> {
    spans
        .iter()
        .find(|span| attributes(&span.attributes)["http.request.id"] == id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_request_is_told_once_with_its_route_and_status_and_of_nobody() {
    let collector = Spans::start().await;
    // Its first answers say "later", and the last ones come while the server ends.
    collector.feels(&[503, 429]);
    let mut provider = Provider::with(&collector.config("")).await;
    let (app, mut visitor) = (App::watched(&provider), provider.visitor());
    visitor.agrees = true;
    let wrong_password = unique("planted-password");
    let page = visitor.ask(&app.request()).await.page();
    let page = visitor
        .submit(&page, &[("identifier", "alice"), ("password", &wrong_password)])
        .await
        .page();
    let wrong = request_id(&page);
    let request = app.request();
    let callback = Callback::of(visitor.sign_in(&request, ALICE).await);
    let tokens = app.redeem(callback.code(), &request).await.tokens();
    app.userinfo(&tokens.access).await;
    let page = visitor.get("/recovery").await;
    visitor.submit_once(&page, &[("identifier", "alice")]).await;
    let link = provider.mailed_link(ALICE.email, "/recovery/").await;
    let shown = request_id(&visitor.get(&link).await);
    let stranger = unique("planted-path");
    let lost = visitor
        .send(Method::from_bytes(b"PLANTED").unwrap(), &format!("/{stranger}"), None)
        .await;
    assert_eq!(lost.status, 404);
    let lost = request_id(&lost);
    let account = provider.account(ALICE).await.id.to_string();
    provider.leave().await;

    let requests = collector.requests();
    let resource = attributes(&requests[0].resource_spans[0].resource.clone().unwrap().attributes);
    assert_eq!(
        (&*resource["service.name"], &*resource["service.version"]),
        ("gait", env!("CARGO_PKG_VERSION"))
    );
    assert!(Uuid::parse_str(&resource["service.instance.id"]).is_ok());

    let spans = collector.spans();
    let ids: BTreeSet<_> = spans.iter().map(|span| hex(&span.span_id)).collect();
    assert_eq!(ids.len(), spans.len(), "each once");
    let named: BTreeSet<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    for name in [
        "GET /authorize",
        "POST /flow/{id}",
        "POST /token",
        "GET /userinfo",
        "GET /recovery/{token}",
    ] {
        assert!(named.contains(name), "{name}: {named:?}");
    }
    for span in &spans {
        assert_eq!(span.kind(), SpanKind::Server);
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano && span.parent_span_id.is_empty());
        let found = attributes(&span.attributes);
        assert_eq!(
            hex(&span.trace_id),
            found["http.request.id"].replace('-', ""),
            "found by the log's id"
        );
        for key in found.keys() {
            let known = [
                "http.request.method",
                "http.request.id",
                "http.response.status_code",
                "http.route",
            ];
            assert!(known.contains(&key.as_str()), "{key}");
        }
    }
    let found = attributes(&of(&spans, &wrong).unwrap().attributes);
    assert_eq!((&*found["http.request.method"], &*found["http.route"]), ("GET", "/flow/{id}"));
    assert_eq!(
        attributes(&of(&spans, &shown).unwrap().attributes)["http.response.status_code"],
        "200"
    );
    let nowhere = of(&spans, &lost).unwrap();
    let found = attributes(&nowhere.attributes);
    assert_eq!((nowhere.name.as_str(), &*found["http.request.method"]), ("HTTP", "_OTHER"));
    assert_eq!((&*found["http.response.status_code"], found.get("http.route")), ("404", None));

    let told = format!("{requests:?}");
    let mut secrets = vec![
        wrong_password,
        stranger,
        "PLANTED".to_owned(),
        callback.code().to_owned(),
        tokens.sid().to_owned(),
        tokens.access,
        tokens.refresh,
        tokens.id,
        request.verifier.clone(),
        request.get("state").to_owned(),
        request.get("nonce").to_owned(),
        link.rsplit('/').next().unwrap().to_owned(),
        account,
        "alice".to_owned(),
        "example.test".to_owned(),
        "203.0.113.".to_owned(),
        "127.0.0.1".to_owned(),
        "Mozilla".to_owned(),
        "watched".to_owned(),
        crate::harness::spans::KEY.to_owned(),
    ];
    secrets.extend(visitor.cookies.values().filter(|value| value.len() > 8).cloned());
    for secret in secrets {
        assert!(!told.contains(&secret), "{secret} was told");
    }
}

/// Asks once with a `traceparent`, and returns the span of it, if there is one, after one that surely is there.
async fn asked(collector: &Spans, provider: &Provider, flags: &str) -> Option<Span> {
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-{flags}");
    let ask = |parent: Option<&str>| {
        let request = provider.http.get(provider.url("/jwks.json"));
        let request = parent.map_or(request.try_clone().unwrap(), |parent| request.header("traceparent", parent));
        async move {
            let answer = request.send().await.unwrap();
            answer.headers()["x-request-id"].to_str().unwrap().to_owned()
        }
    };
    let (traced, last) = (ask(Some(&parent)).await, ask(None).await);
    let spans = collector.wait(|spans| of(spans, &last).is_some()).await;
    of(&spans, &traced).cloned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_goes_on_where_a_proxy_says_so_and_is_believed_and_nowhere_else() {
    let collector = Spans::start().await;
    let followed = Provider::with(&collector.config("follow_proxies = true")).await;
    let span = asked(&collector, &followed, "01").await.unwrap();
    assert_eq!(
        (hex(&span.trace_id), hex(&span.parent_span_id)),
        (TRACE.to_owned(), "00f067aa0ba902b7".to_owned())
    );
    assert_eq!(
        asked(&collector, &followed, "00").await,
        None,
        "the proxy decided that nobody is told"
    );

    let nobody_said = Provider::with(&collector.config("")).await;
    let no_proxy = Provider::with(&format!(
        "trusted_proxies = []\n{}",
        collector.config("follow_proxies = true")
    ))
    .await;
    for provider in [nobody_said, no_proxy] {
        for flags in ["01", "00"] {
            let span = asked(&collector, &provider, flags).await.unwrap();
            assert_ne!(hex(&span.trace_id), TRACE);
            assert!(span.parent_span_id.is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_collector_does_not_take_is_counted_and_requests_go_on() {
    let collector = Spans::start().await;
    let (scraper, listen) = Scraper::free();
    let provider = Provider::with(&format!("{}{listen}", collector.config(""))).await;
    let counted = async |outcome: &'static str, number: f64| {
        let is = [("outcome", outcome)];
        scraper.wait(|seen| seen.value("gait_otlp_spans_total", &is) == number).await;
    };
    collector.feels(&[400]);
    provider.keys().await;
    counted("refused", 1.0).await;
    collector.refuses(1);
    provider.keys().await;
    counted("refused", 2.0).await;
    collector.refuses(0);
    collector.feels(&[502, 503]);
    provider.keys().await;
    counted("taken", 1.0).await;
    let seen = scraper.scrape().await;
    assert_eq!(seen.value("gait_otlp_failures_total", &[]), 3.0);
    assert_eq!(collector.spans().len(), 2, "one of which it said that it refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_share_the_share_is_told_and_what_finds_no_room_is_dropped_and_counted() {
    let collector = Spans::start().await;
    collector.feels(&[503; 3]);
    let text = format!("issuer = \"https://id.example\"\n{}", collector.config("ratio = 0.5"));
    let config = Config::parse(&text, "gait.toml", Path::new(".")).unwrap().otlp.unwrap();
    let metrics = Arc::new(Metrics::default());
    let shipper = Shipper::new(&config, "node", metrics.clone()).unwrap();
    let (traces, shipping) = Traces::start(&config, shipper, metrics.traces.queue());
    let mut placed = 0_usize;
    for _ in 0..60_000 {
        let id = Uuid::new_v4();
        let Some(context) = traces.place(id, None) else { continue };
        placed += 1;
        let line = Line {
            at_ms: 1_900_000_000_000,
            id: HeaderValue::from_str(&id.to_string()).unwrap(),
            method: Method::GET,
            route: None,
            status: 503,
            took: Duration::from_millis(3),
        };
        traces.queue.put(Told { line, context });
    }
    assert!((29_000..31_000).contains(&placed), "{placed}");
    drop(traces);
    let counted = |name: &str| -> usize {
        let text = metrics.encode().unwrap();
        let found = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0");
        found.trim().parse().unwrap()
    };
    while counted("gait_otlp_waiting") > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    shipping.finish().await;
    let dropped = counted(r#"gait_otlp_spans_total{outcome="dropped"}"#);
    assert!((5_000..=11_000).contains(&dropped), "{dropped}");
    let spans = collector.spans();
    assert_eq!(spans.len(), placed - dropped);
    let span = &spans[0];
    assert_eq!(attributes(&span.attributes)["error.type"], "503");
    assert_eq!(span.end_time_unix_nano - span.start_time_unix_nano, 3_000_000);
}
