//! Security headers of every response (ASVS 5.0 3.4).

use super::App;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName};

/// For what is no page: nothing may be loaded or framed.
const CLOSED: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'");

/// The policy of a page: everything from here, no inline script or style; forms go to us and to `form_targets`.
///
/// Browsers apply `form-action` to the redirects after a form too, to the client's own as well, so where a flow may end has to be named.
pub fn page_policy(form_targets: &[String]) -> HeaderValue {
    let mut policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
                      connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
        .to_owned();
    for target in form_targets {
        policy.push(' ');
        policy.push_str(target);
    }
    HeaderValue::from_str(&policy).unwrap_or(CLOSED)
}

/// Sets what isn't set yet.
pub fn secure(app: &App, headers: &mut HeaderMap) {
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(CLOSED);
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // `no-referrer` would turn the Origin header of our own forms into `null`, and we check that header.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
    if app.idp.issuer().starts_with("https://") {
        headers.insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000; includeSubDomains"),
        );
    }
}
