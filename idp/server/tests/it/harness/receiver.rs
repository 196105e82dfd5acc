//! An app's callback endpoints: they keep what Gait posts.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A token that was posted.
#[derive(Clone, Debug)]
struct Received {
    path: String,
    token: String,
}

#[derive(Clone, Default)]
struct Inbox {
    received: Arc<Mutex<Vec<Received>>>,
    failures: Arc<AtomicUsize>,
    picky: Arc<AtomicBool>,
    slow: Arc<AtomicBool>,
}

/// Collects callbacks at `http://127.0.0.1:PORT/{client}/{logout|set}`. The client `hangs` never gets to an answer.
pub struct Receiver {
    pub url: String,
    inbox: Inbox,
    serving: JoinHandle<()>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let inbox = Inbox::default();
        let routes = Router::new().route("/{client}/{kind}", post(take)).with_state(inbox.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await.expect("serving") });
        Self { url, inbox, serving }
    }

    /// The next `count` callbacks are answered 503.
    pub fn fail_next(&self, count: usize) {
        self.inbox.failures.store(count, Ordering::SeqCst);
    }

    /// Whether the client `picky` refuses whatever comes, with a description that quotes it.
    pub fn is_picky(&self, yes: bool) {
        self.inbox.picky.store(yes, Ordering::SeqCst);
    }

    /// Whether it keeps what comes, and doesn't say so until it is told to be quick again.
    pub fn is_slow(&self, yes: bool) {
        self.inbox.slow.store(yes, Ordering::SeqCst);
    }

    /// What came to `client/kind` so far, or was refused.
    pub fn received(&self, client: &str, kind: &str) -> Vec<String> {
        let path = format!("{client}/{kind}");
        let received = self.inbox.received.lock().expect("no panic while receiving");
        received
            .iter()
            .filter(|one| one.path == path)
            .map(|one| one.token.clone())
            .collect()
    }

    /// Waits until `count` callbacks came.
    pub async fn wait(&self, client: &str, kind: &str, count: usize) -> Vec<String> {
        for _ in 0..200 {
            let received = self.received(client, kind);
            if received.len() >= count {
                return received;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!(
            "{client} got {} callbacks of kind {kind}, not {count}",
            self.received(client, kind).len()
        );
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(
    State(inbox): State<Inbox>,
    Path((client, kind)): Path<(String, String)>,
    headers: HeaderMap,
    body: String,
) -> Response {
    if client == "hangs" {
        std::future::pending::<()>().await;
    }
    let fails = inbox
        .failures
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
        .is_ok();
    if fails {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let content_type = headers
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let token = match (kind.as_str(), content_type) {
        ("logout", "application/x-www-form-urlencoded") => body.strip_prefix("logout_token=").map(str::to_owned),
        ("set", "application/secevent+jwt") => Some(body),
        _ => None,
    };
    let Some(token) = token else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    inbox.received.lock().expect("no panic while receiving").push(Received {
        path: format!("{client}/{kind}"),
        token: token.clone(),
    });
    while inbox.slow.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    if client == "picky" && inbox.picky.load(Ordering::SeqCst) {
        let why = serde_json::json!({ "error": "invalid_request", "error_description": format!("what is {token}?") });
        return (StatusCode::BAD_REQUEST, why.to_string()).into_response();
    }
    let status = if kind == "set" { StatusCode::ACCEPTED } else { StatusCode::OK };
    status.into_response()
}
