//! What Gait posts: security event tokens (RFC 8935) and logout tokens (OpenID Connect Back-Channel Logout 1.0).

use super::App;
use crate::callbacks::What;
use crate::clock;
use crate::jws::JwsError;
use crate::logout_token::{LogoutTokenError, verify_logout_token};
use crate::provider::ProviderError;
use crate::set::{Expected, Set, SetError, verify_set};
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use serde::Deserialize;
use serde_json::json;

/// `POST /continuous-callback`
pub(super) async fn continuous(State(app): State<App>, headers: HeaderMap, body: String) -> Response {
    let mime = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !mime
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .eq_ignore_ascii_case("application/secevent+jwt")
    {
        return refuse(&SetError::Request("the content type must be application/secevent+jwt"));
    }
    match judge(
        &app,
        |expected| verify_set(body.trim(), expected),
        |e| matches!(e, SetError::Jws(JwsError::UnknownKey)),
    )
    .await
    {
        Err(error) => later(&error),
        Ok(Err(error)) => refuse(&error),
        Ok(Ok(set)) => {
            accept(&app, set);
            StatusCode::ACCEPTED.into_response()
        }
    }
}

fn accept(app: &App, set: Set) {
    let now = clock::now();
    let Some(subject) = set.subject else { return };
    if !app.seen.is_new(&format!("set:{}", set.jti), now) {
        return;
    }
    app.sessions.apply(&subject, &set.event, set.iat);
    app.callbacks.add(now, subject, What::Event(set.event), set.txn);
}

fn refuse(error: &SetError) -> Response {
    tracing::warn!(%error, "a security event token was refused");
    let body = json!({ "err": error.code(), "description": error.to_string() });
    (StatusCode::BAD_REQUEST, [("Content-Language", "en")], Json(body)).into_response()
}

#[derive(Deserialize)]
pub(super) struct LogoutForm {
    logout_token: String,
}

/// `POST /backchannel-logout`
pub(super) async fn logout(State(app): State<App>, Form(form): Form<LogoutForm>) -> Response {
    let verify = |expected: &Expected<'_>| verify_logout_token(&form.logout_token, expected);
    match judge(&app, verify, |e| matches!(e, LogoutTokenError::Jws(JwsError::UnknownKey))).await {
        Err(error) => later(&error),
        Ok(Err(error)) => {
            tracing::warn!(%error, "a logout token was refused");
            let body = json!({ "error": "invalid_request", "error_description": error.to_string() });
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
        Ok(Ok((jti, subject))) => {
            let now = clock::now();
            if app.seen.is_new(&format!("logout:{jti}"), now) {
                app.sessions.end(&subject);
                app.callbacks.add(now, subject, What::logout(), None);
            }
            StatusCode::OK.into_response()
        }
    }
}

/// Verifies with the keys at hand, and with newer ones if a key is unknown. The outer error says that there are no keys.
async fn judge<T, E>(
    app: &App,
    verify: impl Fn(&Expected<'_>) -> Result<T, E>,
    is_unknown_key: impl Fn(&E) -> bool,
) -> Result<Result<T, E>, ProviderError> {
    let once = |keys: &_| {
        verify(&Expected {
            issuer: &app.config.issuer,
            audience: &app.config.client_id,
            keys,
            now: clock::now(),
        })
    };
    match once(&app.gait.provider().await?.keys) {
        Err(error) if is_unknown_key(&error) => Ok(once(&app.gait.fresh().await?.keys)),
        verdict => Ok(verdict),
    }
}

fn later(error: &ProviderError) -> Response {
    tracing::warn!(%error, "a callback can't be verified now");
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")]).into_response()
}
