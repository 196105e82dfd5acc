//! Liveness and readiness.

use super::App;
use super::reply::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use gait_core::store::StoreError;
use serde::Serialize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use utoipa::ToSchema;

/// A backend that takes longer to answer is away: who asks must not wait for it, and must not pile up.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether this node wants work.
#[derive(Debug, Default)]
pub struct Readiness {
    draining: AtomicBool,
}

impl Readiness {
    /// It is about to end: what is begun is finished, and nothing new is wanted.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
}

/// One thing that the process can't do its work without.
#[derive(Debug, Serialize, ToSchema)]
struct Check {
    /// What.
    name: &'static str,
    /// Whether it is as it must be.
    ready: bool,
    /// Why not, in a fixed word. What the backend says is in the log: it may name addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// Whether the process can do its work.
#[derive(Debug, Serialize, ToSchema)]
struct Ready {
    /// All of it is there.
    ready: bool,
    /// Each part.
    checks: Vec<Check>,
}

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "Operation", responses((status = 200, description = "Alive")))]
pub async fn healthz() -> StatusCode {
    StatusCode::OK
}

/// The process can do its work; else it tells why not.
#[utoipa::path(get, path = "/readyz", tag = "Operation",
    responses((status = 200, description = "Ready", body = Ready), (status = 503, description = "Not ready, with the reasons", body = Ready)))]
pub async fn readyz(State(app): State<App>) -> Response {
    let (database, schema, ephemeral) = tokio::join!(
        within(app.idp.store().ping()),
        within(app.idp.store().check_schema()),
        within(app.idp.ephemeral().ping()),
    );
    let draining = app.readiness.draining.load(Ordering::Relaxed);
    let signs = app.idp.signs();
    // What needs no ephemeral store is answered without it, so a node is ready, and says what is missing.
    let ready = database.is_ok() && schema.is_ok() && signs && !draining;
    let checks = vec![
        of_backend("database", database, "damaged"),
        of_backend("schema", schema, "older than this version"),
        of_backend("ephemeral", ephemeral, "damaged"),
        check("keys", (!signs).then_some("a signing key is missing")),
        check("draining", draining.then_some("shutting down")),
    ];
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(Ready { ready, checks })).into_response()
}

async fn within(answer: impl Future<Output = Result<(), StoreError>>) -> Result<(), StoreError> {
    let answer = tokio::time::timeout(PATIENCE, answer).await;
    answer.unwrap_or_else(|_| Err(StoreError::Away("no answer in time".to_owned())))
}

fn of_backend(name: &'static str, answer: Result<(), StoreError>, else_reason: &'static str) -> Check {
    let reason = answer.err().map(|error| {
        tracing::warn!(name, %error, "a part is missing");
        match error {
            StoreError::Away(_) => "away",
            _ => else_reason,
        }
    });
    check(name, reason)
}

fn check(name: &'static str, reason: Option<&'static str>) -> Check {
    let ready = reason.is_none();
    Check { name, ready, reason }
}
