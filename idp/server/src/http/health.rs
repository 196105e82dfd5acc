//! Liveness and readiness.

use super::App;
use super::reply::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "Operation", responses((status = 200, description = "Alive")))]
pub async fn healthz() -> StatusCode {
    StatusCode::OK
}

/// The process can do its work; else it tells why not.
#[utoipa::path(get, path = "/readyz", tag = "Operation",
    responses((status = 200, description = "Ready"), (status = 503, description = "Not ready, with the reason")))]
pub async fn readyz(State(app): State<App>) -> Response {
    match app.idp.store().ping().await {
        // What needs no ephemeral store is answered without it, so a node is ready, and says what is missing.
        Ok(()) => match app.idp.ephemeral().ping().await {
            Ok(()) => Json(json!({ "ready": true })).into_response(),
            Err(error) => Json(json!({ "ready": true, "missing": error.to_string() })).into_response(),
        },
        Err(error) => (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({ "ready": false, "reason": error.to_string() })),
        )
            .into_response(),
    }
}
