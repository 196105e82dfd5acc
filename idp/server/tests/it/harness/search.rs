//! A server that speaks as much of Elasticsearch as is spoken to: bulk requests with a fate for each document, templates, data
//! streams, keys. It does on purpose what a real one does by accident.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// The key that it wants.
pub const KEY: &str = "a2V5LWlkOmtleQ==";

/// How it takes the next bulk request.
#[derive(Clone, Copy, Debug)]
pub enum Mood {
    /// Not at all: 429.
    Busy,
    /// Not at all: 503.
    Away,
    /// Takes it, and answers 502 nevertheless: who asked knows nothing.
    Forgetful,
    /// Takes every second document; the others get 429.
    Picky,
    /// Says nothing until [`Search::wake`].
    Asleep,
}

#[derive(Default)]
struct Held {
    /// Documents by stream and id.
    documents: BTreeMap<String, BTreeMap<String, Value>>,
    /// Creations of what was there already.
    conflicts: usize,
    moods: VecDeque<Mood>,
    /// `event.action`s that don't fit the mapping.
    misfits: Vec<&'static str>,
    /// Everything that was put, by path.
    put: BTreeMap<String, Value>,
    strangers: usize,
    version: &'static str,
    /// Paths that nobody may look at.
    secret: Vec<&'static str>,
}

#[derive(Clone, Default)]
struct Shared {
    held: Arc<Mutex<Held>>,
    wake: Arc<Notify>,
}

/// The server. What it holds outlives its stops.
pub struct Search {
    address: SocketAddr,
    shared: Shared,
    serving: Option<JoinHandle<()>>,
}

impl Search {
    pub async fn start() -> Self {
        let mut search = Self::down();
        search.up().await;
        search
    }

    /// One that has an address and isn't there.
    pub fn down() -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        Self {
            address: listener.local_addr().expect("an address"),
            shared: Shared::default(),
            serving: None,
        }
    }

    pub async fn up(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("its port");
        let routes = Router::new()
            .route("/{stream}/_bulk", post(bulk))
            .fallback(keep)
            .with_state(self.shared.clone());
        self.serving = Some(tokio::spawn(async move {
            axum::serve(listener, routes).await.expect("serving");
        }));
    }

    /// The part of a configuration that ships there.
    pub fn config(&self) -> String {
        format!("[elasticsearch]\nurls = [\"http://{}\"]\napi_key = \"{KEY}\"\n", self.address)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.shared.held.lock().expect("no panic while holding")
    }

    /// Takes the next bulk requests so.
    pub fn feels(&self, moods: &[Mood]) {
        self.held().moods.extend(moods);
    }

    /// Documents with this action don't fit.
    pub fn refuses(&self, action: &'static str) {
        self.held().misfits.push(action);
    }

    pub fn wake(&self) {
        self.held().moods.clear();
        self.shared.wake.notify_waiters();
    }

    /// Documents of `logs-gait.KIND-default`, by id.
    pub fn documents(&self, kind: &str) -> BTreeMap<String, Value> {
        let stream = format!("logs-gait.{kind}-default");
        self.held().documents.get(&stream).cloned().unwrap_or_default()
    }

    pub fn conflicts(&self) -> usize {
        self.held().conflicts
    }

    /// Says that it is of this version.
    pub fn is_of(&self, version: &'static str) {
        self.held().version = version;
    }

    /// Lets nobody look at what is below this path.
    pub fn hides(&self, path: &'static str) {
        self.held().secret.push(path);
    }

    pub fn put(&self) -> BTreeMap<String, Value> {
        self.held().put.clone()
    }

    pub fn strangers(&self) -> usize {
        self.held().strangers
    }

    /// Waits until it holds what is wanted.
    pub async fn wait(&self, kind: &str, is: impl Fn(&BTreeMap<String, Value>) -> bool) -> BTreeMap<String, Value> {
        for _ in 0..600 {
            let documents = self.documents(kind);
            if is(&documents) {
                return documents;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not come: {:#?}", self.documents(kind));
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

fn text(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    if headers.get("content-encoding").is_none_or(|value| value != "gzip") {
        return String::from_utf8(body.to_vec()).ok();
    }
    let mut text = String::new();
    GzDecoder::new(body).read_to_string(&mut text).ok()?;
    Some(text)
}

fn error(status: u16, kind: &str) -> Response {
    let body = json!({"error": {"type": kind, "reason": "on purpose"}, "status": status});
    (StatusCode::from_u16(status).expect("a status"), axum::Json(body)).into_response()
}

fn is_known(shared: &Shared, headers: &HeaderMap) -> bool {
    let is_known = headers
        .get("authorization")
        .is_some_and(|value| *value == format!("ApiKey {KEY}"));
    if !is_known {
        shared.held.lock().expect("no panic while holding").strangers += 1;
    }
    is_known
}

async fn bulk(State(shared): State<Shared>, Path(stream): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    if !is_known(&shared, &headers) {
        return error(401, "security_exception");
    }
    let mood = shared.held.lock().expect("no panic while holding").moods.pop_front();
    match mood {
        Some(Mood::Busy) => return error(429, "es_rejected_execution_exception"),
        Some(Mood::Away) => return error(503, "master_not_discovered_exception"),
        Some(Mood::Asleep) => shared.wake.notified().await,
        _ => {}
    }
    let Some(text) = text(&headers, &body).filter(|text| text.ends_with('\n')) else {
        return error(400, "illegal_argument_exception");
    };
    let mut held = shared.held.lock().expect("no panic while holding");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON lines"))
        .collect();
    assert_eq!(lines.len() % 2, 0, "an action and a source each");
    let pairs = lines.chunks(2).enumerate();
    let items: Vec<Value> = pairs
        .map(|(nth, pair)| {
            create(
                &mut held,
                &stream,
                &pair[0],
                &pair[1],
                matches!(mood, Some(Mood::Picky)) && nth % 2 == 1,
            )
        })
        .collect();
    if matches!(mood, Some(Mood::Forgetful)) {
        return error(502, "bad_gateway");
    }
    let errors = items.iter().any(|item| item["create"]["status"] != 201);
    axum::Json(json!({"took": 1, "errors": errors, "items": items})).into_response()
}

fn create(held: &mut Held, stream: &str, action: &Value, source: &Value, is_busy: bool) -> Value {
    let id = action["create"]["_id"].as_str().expect("data streams only create").to_owned();
    let misfit = held.misfits.iter().any(|misfit| source["event"]["action"] == *misfit);
    let there = held.documents.entry(stream.to_owned()).or_default();
    let (status, kind) = match () {
        () if is_busy => (429, "es_rejected_execution_exception"),
        () if misfit => (400, "document_parsing_exception"),
        () if there.contains_key(&id) => (409, "version_conflict_engine_exception"),
        () => {
            assert!(source["@timestamp"].is_string(), "a data stream wants @timestamp");
            there.insert(id.clone(), source.clone());
            return json!({"create": {"_index": stream, "_id": id, "status": 201, "result": "created"}});
        }
    };
    held.conflicts += usize::from(status == 409);
    let why = json!({"type": kind, "reason": "on purpose"});
    json!({"create": {"_index": stream, "_id": id, "status": status, "error": why}})
}

async fn keep(State(shared): State<Shared>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    if !is_known(&shared, &headers) {
        return error(401, "security_exception");
    }
    let mut held = shared.held.lock().expect("no panic while holding");
    let path = uri.path().to_owned();
    if method == Method::GET {
        return match path.as_str() {
            "/" => axum::Json(json!({"version": {"number": held.version}})).into_response(),
            path if held.secret.iter().any(|secret| path.starts_with(secret)) => error(403, "security_exception"),
            path if held.put.contains_key(path) => axum::Json(json!({})).into_response(),
            _ => error(404, "resource_not_found_exception"),
        };
    }
    if path.starts_with("/_data_stream/") && held.put.contains_key(&path) {
        return error(400, "resource_already_exists_exception");
    }
    let text = text(&headers, &body).expect("text");
    let body = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).expect("JSON")
    };
    held.put.insert(path, body);
    axum::Json(json!({"acknowledged": true})).into_response()
}
