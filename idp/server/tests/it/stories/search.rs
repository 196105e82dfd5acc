//! What is shipped to Elasticsearch: every event once, whatever happens there, and no request ever waits for it.

use crate::harness::{ALICE, App, Callback, Landed, Mood, Provider, Scraper, Search};
use axum::http::{HeaderValue, Method};
use gait::config::Config;
use gait::metrics::{Metrics, Stream};
use gait::sink::elasticsearch::{MAPPED, Shipper, client, install};
use gait::sink::{Line, Queue};
use gait_core::event::Event;
use gait_core::ids::EventId;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Ids of all events about Alice.
async fn told(provider: &Provider) -> BTreeSet<String> {
    let alice = provider.account(ALICE).await.id;
    let events = provider.idp.store().events_of(alice, 1000).await.unwrap();
    events.iter().map(|event: &Event| event.id.to_string()).collect()
}

fn has_all(documents: &BTreeMap<String, Value>, ids: &BTreeSet<String>) -> bool {
    ids.iter().all(|id| documents.contains_key(id))
}

/// Fields of a document, with their leaves.
fn fields(document: &Value, at: &str, found: &mut BTreeMap<String, Value>) {
    match document {
        Value::Object(members) => {
            for (name, value) in members {
                let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                fields(value, &path, found);
            }
        }
        leaf => drop(found.insert(at.to_owned(), leaf.clone())),
    }
}

/// Types of the mapped fields, by path.
pub fn mapped() -> BTreeMap<String, String> {
    fn walk(properties: &Value, at: &str, found: &mut BTreeMap<String, String>) {
        for (name, field) in properties.as_object().unwrap() {
            let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            match field["type"].as_str() {
                Some(kind) => drop(found.insert(path, kind.to_owned())),
                None => walk(&field["properties"], &path, found),
            }
        }
    }
    let mapping: Value = serde_json::from_str(MAPPED).unwrap();
    let mut found = BTreeMap::new();
    walk(&mapping["template"]["mappings"]["properties"], "", &mut found);
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_arrives_once_through_refusals_lost_answers_and_partial_failures() {
    let search = Search::start().await;
    search.feels(&[
        Mood::Busy,
        Mood::Away,
        Mood::Forgetful,
        Mood::Picky,
        Mood::Forgetful,
        Mood::Busy,
        Mood::Picky,
    ]);
    let (scraper, listen) = Scraper::free();
    let provider = Provider::with(&format!("{}{listen}", search.config())).await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let page = visitor.ask(&app.request()).await.page();
    let page = visitor
        .submit(&page, &[("identifier", "alice"), ("password", "wrong")])
        .await
        .page();
    let request = app.request();
    visitor.walk(Landed::Page(page), ALICE).await;
    let callback = Callback::of(visitor.ask(&request).await.left());
    let tokens = app.redeem(callback.code(), &request).await.tokens();
    assert_eq!(app.redeem(callback.code(), &request).await.error(), "invalid_grant");
    visitor
        .open(&format!("/end_session?id_token_hint={}", tokens.id))
        .await
        .page();

    let ids = told(&provider).await;
    assert!(ids.len() >= 5, "{ids:?}");
    let documents = search
        .wait("events", |documents| has_all(documents, &ids) && search.conflicts() >= 1)
        .await;
    // What was taken without an answer came again, and changed nothing.
    let mine: Vec<&Value> = documents
        .values()
        .filter(|document| document["event"]["kind"] != "metric")
        .collect();
    assert_eq!(mine.len(), ids.len(), "and there is nothing else");

    let account = provider.account(ALICE).await.id.to_string();
    let of = |action: &str| *mine.iter().find(|document| document["event"]["action"] == action).unwrap();
    let wrong = of("step-failed");
    assert_eq!(wrong["event"]["category"], json!(["authentication"]));
    assert_eq!(
        (&wrong["event"]["outcome"], &wrong["gait"]["factors"]),
        (&json!("failure"), &json!(["password"]))
    );
    assert_eq!(
        (&wrong["user"]["id"], &wrong["related"]["user"]),
        (&json!(account), &json!([account]))
    );
    assert_eq!(
        (&wrong["source"]["ip"], &wrong["client"]["ip"]),
        (&json!("203.0.113.1"), &json!("203.0.113.1"))
    );
    let begun = of("session-begun");
    assert_eq!(
        (&begun["event"]["type"], &begun["event"]["outcome"]),
        (&json!(["start"]), &json!("success"))
    );
    assert_eq!(begun["gait"]["session"]["id"], tokens.sid());
    assert_eq!(of("replay-detected")["event"]["kind"], "alert");
    assert_eq!(of("session-ended")["gait"]["end_reason"], "signed_out");

    let mapped = mapped();
    for document in documents.values() {
        let mut found = BTreeMap::new();
        fields(document, "", &mut found);
        for (path, value) in found {
            let is_empty = value == json!({}) || path == "related";
            assert!(is_empty || mapped.contains_key(&path), "{path} = {value} is not mapped");
        }
    }
    let seen = scraper
        .wait(|seen| {
            let taken = [("stream", "events"), ("outcome", "taken")];
            seen.value("gait_elasticsearch_documents_total", &taken) >= 5.0
        })
        .await;
    assert!(seen.value("gait_elasticsearch_failures_total", &[]) >= 2.0);
    assert_eq!(search.strangers(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_an_outage_are_there_after_it_and_after_a_restart_too() {
    let mut search = Search::down();
    let mut provider = Provider::with(&search.config()).await;
    let mut visitor = provider.visitor();
    App::web(&provider).sign_in(&mut visitor, ALICE).await;
    let before = told(&provider).await;
    provider.restart().await;
    App::web(&provider).sign_in(&mut provider.visitor(), ALICE).await;
    search.up().await;
    let ids = told(&provider).await;
    assert!(ids.len() > before.len());
    search.wait("events", |documents| has_all(documents, &ids)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_only_a_newer_node_can_read_is_shipped_as_it_was_written() {
    let search = Search::start().await;
    let provider = Provider::with(&search.config()).await;
    let written = json!({"event": "fortune_told", "stars": 5});
    let event = Event {
        id: EventId(uuid::Uuid::from_u128(7)),
        at_ms: 1_900_000_000_000,
        what: serde_json::from_value(written.clone()).unwrap(),
        account: None,
        session: None,
        client: None,
        address: None,
        txn: "tomorrow".to_owned(),
    };
    provider.idp.store().note(&event).await.unwrap();
    let id = event.id.to_string();
    let documents = search.wait("events", |documents| documents.contains_key(&id)).await;
    assert_eq!(documents[&id]["gait"]["other"], written.to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_does_not_fit_is_counted_and_holds_no_other_back() {
    let search = Search::start().await;
    search.refuses("session-begun");
    let (scraper, listen) = Scraper::free();
    let provider = Provider::with(&format!("{}{listen}", search.config())).await;
    App::web(&provider).sign_in(&mut provider.visitor(), ALICE).await;
    let is_there = |documents: &BTreeMap<String, Value>, action: &str| {
        documents.values().any(|document| document["event"]["action"] == action)
    };
    let documents = search.wait("events", |documents| is_there(documents, "grant-issued")).await;
    assert!(!is_there(&documents, "session-begun"));
    let refused = [("stream", "events"), ("outcome", "refused")];
    scraper
        .wait(|seen| seen.value("gait_elasticsearch_documents_total", &refused) == 1.0)
        .await;
    for _ in 0..200 {
        if provider.idp.store().unshipped_events(9).await.unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it is tried for ever");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_answered_while_it_hangs_and_their_log_arrives_once_it_wakes() {
    let search = Search::start().await;
    search.feels(&[Mood::Asleep; 50]);
    let mut provider = Provider::with(&search.config()).await;
    let app = App::web(&provider);
    app.sign_in(&mut provider.visitor(), ALICE).await;
    let mut ids = BTreeSet::new();
    for _ in 0..30 {
        let answer = provider.http.get(provider.url("/jwks.json")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        ids.insert(answer.headers()["x-request-id"].to_str().unwrap().to_owned());
    }
    assert!(
        search.documents("requests").is_empty(),
        "it hangs, and everything was answered"
    );
    search.wake();
    // The end of the server waits for the last lines.
    provider.restart().await;
    let documents = search.wait("requests", |documents| has_all(documents, &ids)).await;
    let line = &documents[ids.first().unwrap()];
    assert_eq!(
        (&line["gait"]["route"], &line["http"]["response"]["status_code"]),
        (&json!("/jwks.json"), &json!(200))
    );
    assert_eq!(line["http"]["request"]["method"], "GET");
    assert!(line["event"]["duration"].as_u64().unwrap() > 0);
    for document in documents.values() {
        for gone in ["source", "client", "user", "url"] {
            assert_eq!(document[gone], Value::Null, "a request's log says nothing of whom");
        }
    }
}

fn config(search: &Search, more: &str) -> gait::config::ElasticsearchConfig {
    let text = format!("issuer = \"https://id.example\"\n{}{more}", search.config());
    Config::parse(&text, "gait.toml", Path::new("."))
        .unwrap()
        .elasticsearch
        .unwrap()
}

fn line(nth: usize) -> Line {
    Line {
        at_ms: 1_900_000_000_000,
        id: HeaderValue::from_str(&format!("request-{nth}")).unwrap(),
        method: Method::GET,
        route: None,
        status: 200,
        took: Duration::from_millis(3),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_finds_no_room_in_the_queue_is_counted_and_the_rest_arrives_once() {
    let search = Search::start().await;
    search.feels(&[Mood::Asleep, Mood::Picky, Mood::Forgetful, Mood::Busy]);
    let config = config(&search, "");
    let metrics = Arc::new(Metrics::default());
    let shipper = Shipper::new(client(&config).unwrap(), &config, Stream::Requests, metrics.clone());
    let (log, shipping) = Queue::start("request logs", shipper, metrics.shipping.queue());
    for nth in 0..30_000 {
        log.put(line(nth));
    }
    let counted = |name: &str| -> usize {
        let text = metrics.encode().unwrap();
        let found = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0");
        found.trim().parse().unwrap()
    };
    let dropped = counted(r#"gait_elasticsearch_documents_total{stream="requests",outcome="dropped"}"#);
    assert!((5_000..=10_000).contains(&dropped), "{dropped}");
    search.wake();
    search.feels(&[Mood::Picky, Mood::Forgetful, Mood::Busy]);
    search.wait("requests", |documents| documents.len() == 30_000 - dropped).await;
    drop(log);
    shipping.finish().await;
    assert_eq!(search.documents("requests").len(), 30_000 - dropped);
    assert_eq!(counted("gait_elasticsearch_waiting"), 0);
}

#[tokio::test]
async fn what_the_streams_need_is_installed_and_again_changes_nothing() {
    let search = Search::start().await;
    let events = "logs-gait.events-default";
    let cluster = client(&config(&search, "")).unwrap();
    install(&cluster, events).await.unwrap();
    let first = search.put();
    install(&cluster, events).await.unwrap();
    assert_eq!(search.put(), first);
    let paths: Vec<&str> = first.keys().map(String::as_str).collect();
    let expected = [
        "/_component_template/gait-fields",
        "/_data_stream/logs-gait.events-default",
        "/_data_stream/logs-gait.requests-default",
        "/_ilm/policy/gait-events",
        "/_ilm/policy/gait-requests",
        "/_index_template/gait-events",
        "/_index_template/gait-requests",
    ];
    assert_eq!(paths, expected);
    for kind in ["events", "requests"] {
        let template = &first[&format!("/_index_template/gait-{kind}")];
        assert_eq!(template["index_patterns"], json!([format!("logs-gait.{kind}-*")]));
        assert!(template["data_stream"].is_object() && template["composed_of"] == json!(["gait-fields"]));
        let policy = template["template"]["settings"]["index"]["lifecycle"]["name"]
            .as_str()
            .unwrap();
        assert!(
            first.contains_key(&format!("/_ilm/policy/{policy}")),
            "the policy that it names is there"
        );
    }
    let text = format!(
        "issuer = \"https://id.example\"\n[elasticsearch]\nurls = [\"{}\"]\napi_key = \"bm8=\"\n",
        search.url()
    );
    let stranger = Config::parse(&text, "gait.toml", Path::new("."))
        .unwrap()
        .elasticsearch
        .unwrap();
    let error = install(&client(&stranger).unwrap(), events).await.unwrap_err();
    assert!(error.to_string().contains("status 401"), "{error:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_may_installs_them_before_the_first_document() {
    let search = Search::start().await;
    let provider = Provider::with(&format!("{}setup = true\n", search.config())).await;
    App::web(&provider).sign_in(&mut provider.visitor(), ALICE).await;
    let ids = told(&provider).await;
    search.wait("events", |documents| has_all(documents, &ids)).await;
    assert_eq!(search.put().len(), 7);
}
