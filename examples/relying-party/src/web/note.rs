//! A small resource server: it keeps one note, and asks Gait about every token that it is shown.

use super::App;
use crate::api::{Access, decide};
use axum::Json;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use oauth2::TokenIntrospectionResponse;
use openidconnect::AccessToken;
use serde_json::json;

const LONGEST_TOKEN: usize = 8 * 1024;

/// `GET /api/note`
pub(super) async fn note(State(app): State<App>, headers: HeaderMap) -> Response {
    let Some(token) = bearer(&headers) else {
        // RFC 6750 §3.1: who shows no token is told no error.
        return (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")]).into_response();
    };
    let introspection = match app.gait.provider().await {
        Ok(provider) => provider.introspect(&token, &app.gait.http).await,
        Err(error) => Err(error),
    };
    let introspection = match introspection {
        Ok(introspection) => introspection,
        Err(error) => {
            tracing::warn!(%error, "the API can't ask about a token");
            return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")]).into_response();
        }
    };
    answer(&decide(&introspection), introspection.sub())
}

fn answer(access: &Access, sub: Option<&str>) -> Response {
    let status = match access {
        Access::Granted => return Json(json!({ "note": "Only you can read this.", "for": sub })).into_response(),
        Access::Scope => StatusCode::FORBIDDEN,
        Access::Invalid | Access::StepUp(_) => StatusCode::UNAUTHORIZED,
    };
    (status, [(WWW_AUTHENTICATE, access.www_authenticate().unwrap_or_default())]).into_response()
}

fn bearer(headers: &HeaderMap) -> Option<AccessToken> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    let plausible = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= LONGEST_TOKEN;
    plausible.then(|| AccessToken::new(token.to_owned()))
}
