//! Static files of the themes, and the collector.

use super::caller::Browser;
use super::reply::asset;
use super::{App, pages};
use axum::extract::{Path, State};
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

/// A file of a theme. Readable from anywhere: relying parties load `gait.js` as a module.
pub async fn file(State(app): State<App>, Path(path): Path<String>, headers: HeaderMap, browser: Browser) -> Response {
    let Some(file) = app.themes.asset(&path) else {
        return pages::not_found(State(app), browser).await;
    };
    let etag = HeaderValue::from_str(&file.etag).ok();
    let fresh = etag.is_some() && headers.get(IF_NONE_MATCH) == etag.as_ref();
    let mut response = if fresh {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        asset(file.bytes.into_owned(), file.content_type)
    };
    let out = response.headers_mut();
    out.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    out.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    out.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    if let Some(etag) = etag {
        out.insert(ETAG, etag);
    }
    response
}
