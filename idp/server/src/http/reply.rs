//! JSON answers and protocol errors.

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use gait_core::error::Error;
use gait_core::token::{BearerError, OAuthError};
use serde::Serialize;
use serde_json::json;

/// Seconds after which a caller may try again when a backend is away.
pub const AWAY_RETRY_S: u32 = 2;

/// A JSON body that is not stored by caches unless the handler says otherwise.
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], axum::Json(self.0)).into_response()
    }
}

/// `{"error", "error_description"}` with a status.
pub fn json_error(status: StatusCode, error: &str, description: &str) -> Response {
    (status, Json(json!({ "error": error, "error_description": description }))).into_response()
}

/// 400 with an OAuth error.
pub fn bad_request(error: &str, description: &str) -> Response {
    json_error(StatusCode::BAD_REQUEST, error, description)
}

/// 429.
pub fn too_many(retry_s: u32) -> Response {
    let mut response = json_error(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "try again later");
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_s));
    response
}

/// 503 with `Retry-After` if a backend is away, 429 if the caller asks for too much, else 500. The reason goes to the log, not to the caller.
pub fn core_error(error: &Error) -> Response {
    if error.is_away() {
        tracing::warn!(%error, "a backend is away");
        let mut response = json_error(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", "try again soon");
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(AWAY_RETRY_S));
        return response;
    }
    if let Error::TooMany(seconds) = error {
        return too_many(*seconds);
    }
    tracing::error!(%error, "the provider failed");
    json_error(
        StatusCode::INTERNAL_SERVER_ERROR,
        "server_error",
        "the request id is in the log",
    )
}

/// RFC 6749 §5.2.
pub fn oauth_error(error: OAuthError) -> Response {
    match error {
        OAuthError::Refused {
            error,
            description,
            basic,
        } => {
            let status = if error == "invalid_client" {
                StatusCode::UNAUTHORIZED
            } else {
                StatusCode::BAD_REQUEST
            };
            let mut response = json_error(status, error, &description);
            if basic && status == StatusCode::UNAUTHORIZED {
                response
                    .headers_mut()
                    .insert(WWW_AUTHENTICATE, HeaderValue::from_static(r#"Basic realm="gait""#));
            }
            response
        }
        OAuthError::Core(error) => core_error(&error),
    }
}

/// RFC 6750 §3, RFC 9470 §3.
pub fn bearer_error(error: BearerError) -> Response {
    let challenge = error.challenge().and_then(|challenge| HeaderValue::from_str(&challenge).ok());
    let mut response = match &error {
        BearerError::Missing => StatusCode::UNAUTHORIZED.into_response(),
        BearerError::InvalidRequest(why) => bad_request("invalid_request", why),
        BearerError::InvalidToken => json_error(StatusCode::UNAUTHORIZED, "invalid_token", &error.to_string()),
        BearerError::InsufficientScope(_) => json_error(StatusCode::FORBIDDEN, "insufficient_scope", &error.to_string()),
        BearerError::StepUp { .. } => json_error(
            StatusCode::UNAUTHORIZED,
            "insufficient_user_authentication",
            &error.to_string(),
        ),
        BearerError::Core(error) => core_error(error),
    };
    if let Some(challenge) = challenge {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// A static body with its type.
pub fn asset(bytes: impl Into<axum::body::Body>, content_type: &str) -> Response {
    let mut response = Response::new(bytes.into());
    if let Ok(value) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(CONTENT_TYPE, value);
    }
    response
}
