//! A collector of traces: takes OTLP over HTTP in protobuf, and reads it.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;

/// What it wants in `authorization`.
pub const KEY: &str = "Bearer a-key-of-the-collector";

#[derive(Default)]
struct Held {
    requests: Vec<ExportTraceServiceRequest>,
    /// Its next answers; 200 when there are none.
    moods: VecDeque<u16>,
    /// How many spans it says that it refuses.
    refuses: i64,
}

type Shared = Arc<Mutex<Held>>;

/// The server.
pub struct Spans {
    address: SocketAddr,
    held: Shared,
}

impl Spans {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let held = Shared::default();
        let routes = Router::new().route("/v1/traces", post(take)).with_state(held.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.expect("serving") });
        Self { address, held }
    }

    /// The part of a configuration that tells it; `more` are further lines of the section.
    pub fn config(&self, more: &str) -> String {
        format!(
            "[otlp]\nendpoint = \"http://{}/v1/traces\"\n{more}\n[[otlp.header]]\nname = \"authorization\"\nvalue = \"{KEY}\"\n",
            self.address
        )
    }

    /// Answers the next calls so.
    pub fn feels(&self, moods: &[u16]) {
        self.held.lock().expect("no panic").moods.extend(moods);
    }

    pub fn refuses(&self, spans: i64) {
        self.held.lock().expect("no panic").refuses = spans;
    }

    /// What it took.
    pub fn requests(&self) -> Vec<ExportTraceServiceRequest> {
        self.held.lock().expect("no panic").requests.clone()
    }

    pub fn spans(&self) -> Vec<Span> {
        let requests = self.requests().into_iter().flat_map(|request| request.resource_spans);
        let scopes = requests.flat_map(|resource| resource.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }

    /// Waits until it has `is` wanted.
    pub async fn wait(&self, is: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        for _ in 0..400 {
            let spans = self.spans();
            if is(&spans) {
                return spans;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("they do not come: {:#?}", self.spans());
    }
}

async fn take(State(held): State<Shared>, headers: HeaderMap, body: Bytes) -> (StatusCode, Vec<u8>) {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    if headers.get("authorization").is_none_or(|key| key != KEY) {
        return (StatusCode::UNAUTHORIZED, Vec::new());
    }
    let mut held = held.lock().expect("no panic");
    match held.moods.pop_front() {
        Some(mood) => return (StatusCode::from_u16(mood).expect("a status"), Vec::new()),
        None => held.requests.push(ExportTraceServiceRequest::decode(body).expect("OTLP")),
    }
    let partial_success = (held.refuses > 0).then(|| ExportTracePartialSuccess {
        rejected_spans: held.refuses,
        error_message: "too old".to_owned(),
    });
    (StatusCode::OK, ExportTraceServiceResponse { partial_success }.encode_to_vec())
}

/// Attributes as text, by name; none comes twice.
pub fn attributes(list: &[KeyValue]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for KeyValue { key, value, .. } in list {
        let text = match value.clone().and_then(|value| value.value).expect("a value") {
            Value::StringValue(text) => text,
            Value::IntValue(number) => number.to_string(),
            other => panic!("{key}: {other:?}"),
        };
        assert_eq!(found.insert(key.clone(), text), None, "{key} comes twice");
    }
    found
}
