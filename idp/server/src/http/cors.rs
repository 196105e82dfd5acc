//! CORS (Fetch Standard §3.2): discovery and keys for everybody, the public endpoints for registered origins. Never with credentials.

use super::App;
use super::reply::core_error;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE, HeaderValue, ORIGIN, VARY,
};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

/// Takes a preflight: a method of its own, so that [`registered_origin`] is asked about it.
pub async fn preflight() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Callable from the registered origins of clients; answers their preflights.
pub async fn registered_origin(State(app): State<App>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(ORIGIN).cloned();
    let preflight = request.method() == Method::OPTIONS;
    let allowed = match origin.as_ref().and_then(|origin| origin.to_str().ok()) {
        Some(text) if text != app.idp.issuer() => app.idp.allows_origin(text).await,
        _ => Ok(false),
    };
    let allowed = match allowed {
        Ok(allowed) => allowed,
        Err(error) => return core_error(&error),
    };
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("origin"));
    if let (true, Some(origin)) = (allowed, origin) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("www-authenticate, retry-after"),
        );
        if preflight {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
            headers.insert(
                ACCESS_CONTROL_ALLOW_HEADERS,
                HeaderValue::from_static("authorization, content-type"),
            );
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        }
    }
    response
}
