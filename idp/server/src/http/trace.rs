//! A span for each request: id, method, route, status, time. Never a query, a header, a body or an address.

use super::App;
use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderName;
use axum::middleware::Next;
use axum::response::Response;
use std::time::Instant;
use tower_http::request_id::RequestId;
use tracing::Instrument;

/// Wraps a request in its span, logs its end, and returns its id to the caller.
pub async fn request(State(_): State<App>, request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().map(|id| id.header_value().clone());
    let route = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str);
    let span = tracing::info_span!(
        "request",
        id = id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default(),
        method = request.method().as_str(),
        route,
        client = tracing::field::Empty,
        account = tracing::field::Empty,
    );
    #[allow(clippy::disallowed_methods, reason = "a stopwatch for the log")]
    let begun = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let ms = begun.elapsed().as_secs_f64() * 1000.0;
    span.in_scope(|| tracing::info!(status = response.status().as_u16(), ms, "done"));
    if let Some(id) = id {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
    }
    response
}
