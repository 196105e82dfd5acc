//! A span for each request: id, method, route, status, time. Never a query, a header, a body or an address.

use super::{App, caller, headers};
use crate::sink::Line;
use crate::sink::otlp::{Context, Parent, Span};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::future::Future;
use std::time::Instant;
use tower_http::request_id::RequestId;
use tracing::Instrument;
use uuid::Uuid;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Routes that change nothing: who hangs up needs no answer.
const READERS: [&str; 6] = [
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/jwks.json",
    "/introspect",
    "/userinfo",
    "/static/{*path}",
];

/// What every request passes on its way in and out: it gets an id and a span, is worked on, counted and logged, and its answer gets
/// its headers.
pub async fn request(State(app): State<App>, mut request: Request, next: Next) -> Response {
    // Whatever id a stranger gave it: ids go into events and tokens, and must be nobody else's.
    let uuid = app.idp.ports().uuid();
    let (text, id) = written(uuid);
    let place = place(&app, &request, uuid);
    request.extensions_mut().insert(RequestId::new(id.clone()));
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map(MatchedPath::as_str);
    let method = request.method().clone();
    let span = tracing::info_span!(
        "request",
        id = text,
        method = method.as_str(),
        route = route.unwrap_or("-"),
        client = tracing::field::Empty,
        account = tracing::field::Empty,
    );
    #[allow(clippy::disallowed_methods, reason = "a stopwatch for the log")]
    let begun = Instant::now();
    let work = next.run(request).instrument(span.clone());
    let mut response = match route {
        Some(route) if READERS.contains(&route) => work.await,
        _ => to_the_end(work).await,
    };
    let took = begun.elapsed();
    app.metrics.requests.note(route, &method, response.status(), took);
    if app.request_log.get().is_some() || place.is_some() {
        let line = Line {
            at_ms: app.idp.ports().clock.now_ms(),
            id: id.clone(),
            method,
            route: matched,
            status: response.status().as_u16(),
            took,
        };
        tell(&app, line, place);
    }
    let ms = took.as_secs_f64() * 1000.0;
    span.in_scope(|| tracing::info!(status = response.status().as_u16(), ms, "done"));
    headers::secure(&app, response.headers_mut());
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

fn written(id: Uuid) -> (String, HeaderValue) {
    let text = id.to_string();
    let value = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("-"));
    (text, value)
}

/// The request's place in a trace, if a collector is told of it. What a visitor says of that isn't followed, only what a proxy says.
fn place(app: &App, request: &Request, id: Uuid) -> Option<Context> {
    let traces = app.traces.get()?;
    let is_followed = traces.follow_proxies && caller::is_from_proxy(request.extensions(), app);
    let parent = is_followed.then(|| Parent::read(request.headers())).flatten();
    traces.place(id, parent)
}

/// Hands an answered request to who is to know of it.
fn tell(app: &App, line: Line, place: Option<Context>) {
    if let (Some(traces), Some(context)) = (app.traces.get(), place) {
        let line = line.clone();
        traces.queue.put(Span { line, context });
    }
    if let Some(log) = app.request_log.get() {
        log.put(line);
    }
}

/// Works on a request even if its sender hangs up meanwhile, so that a closed tab leaves nothing half done.
async fn to_the_end(work: impl Future<Output = Response> + Send + 'static) -> Response {
    // A panic was caught further in; what is left is the end of the runtime.
    tokio::spawn(work)
        .await
        .unwrap_or_else(|_| StatusCode::SERVICE_UNAVAILABLE.into_response())
}
