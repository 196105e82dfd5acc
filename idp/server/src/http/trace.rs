//! A span for each request: id, method, route, status, time. Never a query, a header, a body or an address.

use super::App;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::time::Instant;
use tower_http::request_id::RequestId;
use tracing::Instrument;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Takes away the id that a stranger gave to a request: ids go into events and tokens, and must be nobody else's.
pub async fn own_id(mut request: Request) -> Request {
    request.headers_mut().remove(REQUEST_ID);
    request
}

/// Works on a request to its end even if its sender hangs up meanwhile, so that a closed tab leaves nothing half done.
pub async fn to_the_end(request: Request, next: Next) -> Response {
    let work = tokio::spawn(next.run(request).in_current_span());
    // A panic was caught further in; what is left is the end of the runtime.
    work.await.unwrap_or_else(|_| StatusCode::SERVICE_UNAVAILABLE.into_response())
}

/// Wraps a request in its span, logs its end, and returns its id to the caller.
pub async fn request(State(app): State<App>, request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().map(|id| id.header_value().clone());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map(MatchedPath::as_str);
    let method = request.method().clone();
    let span = tracing::info_span!(
        "request",
        id = id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default(),
        method = method.as_str(),
        route = route.unwrap_or("-"),
        client = tracing::field::Empty,
        account = tracing::field::Empty,
    );
    #[allow(clippy::disallowed_methods, reason = "a stopwatch for the log")]
    let begun = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = begun.elapsed();
    app.metrics.requests.note(route, &method, response.status(), took);
    let ms = took.as_secs_f64() * 1000.0;
    span.in_scope(|| tracing::info!(status = response.status().as_u16(), ms, "done"));
    if let Some(id) = id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
